"""What a simulated England is made like: numbers measured on a real table of practices, never its rows.

`england.toml` holds what `measure` returned for the England table of 2025/26; a test measures again where that table
is to hand.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special, stats

# share of the list, and the wider band that it is a part of
_SHARES = {
    "share_0_14": ("share_0_14", None),
    "share_0_4": ("share_0_4", "share_0_14"),
    "share_65plus": ("share_65plus", None),
    "share_75plus": ("share_75plus", "share_65plus"),
    "share_85plus": ("share_85plus", "share_75plus"),
    "share_female": ("share_female", None),
    "share_female_15_44": ("share_female_15_44", "share_female"),
}
REGISTERS = ("ast", "chd", "copd", "dem", "dep", "dm", "hyp", "mh")
PATIENTS = ("list", "imd", *_SHARES, "smoking", *(f"qof_{name}" for name in REGISTERS), "rural")
NEED = ("imd", "share_0_14", "share_0_4", "share_65plus", "share_85plus", "share_female_15_44", "qof_dm", "qof_dep")
EFFECTS = (*NEED, "rural")
OUTCOMES = (
    "appointments",
    "same_day",
    "dna",
    "status_unknown",
    "face_to_face",
    "telephone",
    "day_1",
    "days_2_7",
    "days_8_14",
)
_TAIL = 0.005


def patients_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the patients of each practice on the scale they are simulated on (logarithms and logits)."""
    out = {"list": np.log(table["mean_monthly_list_size"]), "imd": np.log(table["imd2025_score"])}
    for name, (part, whole) in _SHARES.items():
        out[name] = special.logit(table[part] / (table[whole] if whole else 1.0))
    out["smoking"] = special.logit(table["smoking_qof_pct_2324"] / 100)
    for name in REGISTERS:
        out[f"qof_{name}"] = special.logit((table[f"qof_reg_{name}"] + 0.5) / (table["qof_list_2425"] + 1))
    rurality = table.filter(regex="^rurality").iloc[:, 0]
    out["rural"] = (rurality == "Rural").astype(float).where(rurality.notna())
    return pd.DataFrame(out).replace([np.inf, -np.inf], np.nan)


def outcomes_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes of each practice on the link scale, one empirical logit or logarithm each."""
    count = {name.removeprefix("gpad_annual_"): table[name] for name in table if name.startswith("gpad_annual_")}
    total = count["total_appointments"]

    def share(part: pd.Series, whole: pd.Series) -> pd.Series:
        return special.logit((part + 0.5) / (whole + 1))

    later = total - count["same_day"] - count["booking_unknown"]
    return pd.DataFrame(
        {
            "appointments": np.log((total + 0.5) / table["annual_patient_month_exposure"]),
            "same_day": share(count["same_day"], total),
            "dna": share(count["dna"], count["dna"] + count["attended"]),
            "status_unknown": share(count["status_unknown"], total),
            "face_to_face": share(count["face_to_face"], total),
            "telephone": share(count["telephone"], total - count["face_to_face"]),
            "day_1": share(count["1_day"], later),
            "days_2_7": share(count["2_to_7_days"], later - count["1_day"]),
            "days_8_14": share(count["8_to_14_days"], count["8_to_14_days"] + count["over_14_days"]),
        }
    ).replace([np.inf, -np.inf], np.nan)


def _trimmed(values: pd.Series) -> pd.Series:
    return values.clip(values.quantile(_TAIL), values.quantile(1 - _TAIL))


def _between(values: pd.Series, groups: pd.Series) -> float:
    """Return the moment estimate of the variance between groups of unequal size."""
    grouped = values.groupby(groups)
    size = grouped.size()
    n, k = len(values), len(size)
    among = float((size * (grouped.mean() - values.mean()) ** 2).sum()) / (k - 1)
    within = float(((values - grouped.transform("mean")) ** 2).sum()) / (n - k)
    return max((among - within) / ((n - float((size**2).sum()) / n) / (k - 1)), 0.0)


def levels(values: pd.Series, icb: pd.Series, pcn: pd.Series) -> dict[str, float]:
    """Split a variance by level.

    Parameters
    ----------
    values
        One number for each practice.
    icb, pcn
        Its board and its network.

    Returns
    -------
    dict
        The standard deviation at each level: ``icb``, ``pcn``, ``practice``.
    """
    network = icb.astype(str) + pcn.astype(str)
    own = values - values.groupby(icb).transform("mean")
    v_icb, v_pcn = _between(values, icb), _between(own, network)
    return {
        "icb": v_icb**0.5,
        "pcn": v_pcn**0.5,
        "practice": max(float(values.var()) - v_icb - v_pcn, 0.0) ** 0.5,
    }


def _correlation(values: pd.DataFrame) -> pd.DataFrame:
    """Return the correlations of the normal scores; for the yes-or-no column, of what lies behind it."""
    corr = values.corr()
    share = float(values["rural"].mean())
    inflate = (share * (1 - share)) ** 0.5 / stats.norm.pdf(stats.norm.ppf(share))
    corr.loc["rural", :] *= inflate
    corr.loc[:, "rural"] *= inflate
    corr.loc["rural", "rural"] = 1.0
    return corr


def measure(table: pd.DataFrame, *, icb: str = "icb_code_2024", pcn: str = "pcn_code") -> dict[str, object]:
    """Measure what `england` needs to know of a real or simulated table.

    Parameters
    ----------
    table
        One row per practice, with the columns of the England table of 2025/26.
    icb, pcn
        The columns with the board and the network.

    Returns
    -------
    dict
        ``patients`` (median, spread and the shares of variance by level of each covariate), ``correlation``,
        ``outcomes`` (median, need effects per SD, R2, SDs by level) and ``outcome_correlation``.
    """
    table = table[table["mean_monthly_list_size"] >= 1000]
    latent, link = patients_of(table), outcomes_of(table)
    complete = latent.notna().all(axis=1) & link.notna().all(axis=1) & table[icb].notna()
    table, link = table[complete], link[complete].apply(_trimmed)
    rural = latent.loc[complete, "rural"]
    latent = latent[complete].apply(_trimmed).assign(rural=rural)
    patients = {}
    for name, values in latent.items():
        by_level = levels(values, table[icb], table[pcn])
        variance = sum(sd**2 for sd in by_level.values())
        patients[name] = {
            "centre": float(values.mean() if name == "rural" else values.median()),
            "spread": float(values.std()),
            "icb": by_level["icb"] ** 2 / variance,
            "pcn": by_level["pcn"] ** 2 / variance,
        }
    z = ((latent - latent.mean()) / latent.std())[list(EFFECTS)]
    design = np.column_stack([np.ones(len(z)), z.to_numpy()])
    outcomes, residuals = {}, {}
    for name in OUTCOMES:
        beta, *_ = np.linalg.lstsq(design, link[name].to_numpy(), rcond=None)
        residuals[name] = link[name] - design @ beta
        outcomes[name] = {
            "centre": float(beta[0]),
            "effects": dict(zip(EFFECTS, map(float, beta[1:]), strict=True)),
            "explained": 1 - float(residuals[name].var() / link[name].var()),
            **levels(residuals[name], table[icb], table[pcn]),
        }
    return {
        "practices": len(table),
        "patients": patients,
        "correlation": _correlation(latent),
        "outcomes": outcomes,
        "outcome_correlation": pd.DataFrame(residuals).corr(),
    }
