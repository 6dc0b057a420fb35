"""The real table of England's practices as frames for multilevel models; it is not part of the repository."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

COVARIATES = ("imd2025", "share_65plus", "share_0_4", "diabetes", "depression")
FORMULA = " + ".join(COVARIATES)
GROUPS = ["icb", "pcn", "practice"]

#: Metric → the words of `multilevel.fit` that make its model: a share of a denominator, or a count per patient-month.
MODELS: dict[str, dict[str, str]] = {
    "same_day": {"family": "binomial", "trials": "n"},
    "dna": {"family": "binomial", "trials": "n"},
    "appointments": {"family": "poisson", "exposure": "n"},
}


def england(path: Path) -> dict[str, pd.DataFrame]:
    """Return a frame per metric: count `y`, `n` (trials or exposure), five standardised covariates, three groups.

    Practices complete in all of it, with lists of 1,000 or more on average over the year. The PCN is named by its ICB
    as well, because one code serves two; practices without a PCN ("U") are pooled within their ICB.
    """
    table = pd.read_csv(path, dtype={"practice_code": str, "pcn_code": str, "icb_code_2024": str})
    frame = pd.DataFrame(
        {
            "imd2025": table["imd2025_score"],
            "share_65plus": table["share_65plus"],
            "share_0_4": table["share_0_4"],
            "diabetes": table["qof_reg_dm"] / table["qof_list_2425"],
            "depression": table["qof_reg_dep"] / table["qof_list_2425"],
            "icb": table["icb_code_2024"],
            "pcn": table["icb_code_2024"] + " " + table["pcn_code"],
            "practice": table["practice_code"],
        }
    )
    whole = frame.notna().all(axis=1) & (table["mean_monthly_list_size"] >= 1000)
    frame, table = frame[whole].reset_index(drop=True), table[whole].reset_index(drop=True)
    for name in COVARIATES:
        frame[name] = (frame[name] - frame[name].mean()) / frame[name].std()
    counts = {
        "same_day": (table["gpad_annual_same_day"], table["gpad_annual_total_appointments"]),
        "dna": (table["gpad_annual_dna"], table["gpad_annual_attended"] + table["gpad_annual_dna"]),
        "appointments": (table["gpad_annual_total_appointments"], table["annual_patient_month_exposure"]),
    }
    return {metric: frame.assign(y=y, n=n) for metric, (y, n) in counts.items()}
