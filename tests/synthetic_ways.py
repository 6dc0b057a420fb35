"""Other defensible ways of an invented run: drawn, not fitted, in the columns of the tables that hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gpvar.results import Multiverse, Run

EDGE = 1.959963984540054
#: Fewer other ways than that carry no label.
FEWEST = 6
#: Choice → the option used here.
PRIMARY = {
    "covariates": "declared", "deprivation": "curve", "denominator": "card", "exclusion": "declared", "link": "card",
    "spread": "consistent", "period": "study", "slopes": "across", "model": "multilevel", "passing": "declared",
}  # fmt: skip
#: What each other way takes, and how far it moves every practice's z.
WAYS = (
    ({"covariates": "no_recorded"}, 0.1),
    ({"covariates": "no_deprivation"}, 0.4),
    ({"deprivation": "line"}, 0.02),
    ({"deprivation": "fifths"}, -0.02),
    ({"exclusion": "stops_only"}, 0.01),
    ({"link": "log"}, -0.05),
    ({"spread": "dersimonian_laird"}, -0.1),
    ({"slopes": "within_icb"}, -0.3),
    ({"model": "regression"}, 0.15),
)
#: What each way that could not be made takes, and why it could not.
MISSING = (({"period": "rest"}, "no_data"), ({"passing": "rho_0"}, "not_measured"))


def with_ways(
    run: Run,
    metric: str,
    ways: Sequence[tuple[Mapping[str, str], float]] = WAYS,
    missing: Sequence[tuple[Mapping[str, str], str]] = MISSING,
    codes: Mapping[str, Sequence[float]] | None = None,
    need_share: float = 0.2,
) -> Run:
    """Return the run with other ways of one metric.

    Parameters
    ----------
    ways
        What each other way takes, and what it adds to every z.
    codes
        Practice → its z here, then in each of the other ways, for those whose place is set by hand.
    need_share
        How much of the raw spread measured need takes away.
    """
    frame = run.analyses[metric].practices
    rung = str(run.analyses[metric].meta.get("headline_rung", "M1"))
    parts, summaries = [], []
    for comparator in ("england", "own_icb"):
        rows = frame[(frame["rung"] == rung) & (frame["comparator"] == comparator)].reset_index(drop=True)
        z = np.column_stack([rows["z"], *(rows["z"] + shift for _, shift in ways)])
        for code, given in (codes or {}).items():
            z[rows["practice_code"] == code] = given
        parts.append(_practices(run, rows, z, comparator))
        summaries.append(_summary(rows, z, ways, comparator, need_share))
    specifications = _specifications(parts[0], ways, missing, summaries[0])
    meta = {
        "metric": metric, "rung": rung, "seed": 1, "declared": len(specifications), "made": len(ways) + 1,
        "need_share": need_share, "tau": 0.36, "strongest": "imd2025", "strongest_sd": 0.1,
        "available_options": {}, "not_available": {},
    }  # fmt: skip
    found = Multiverse(
        specifications, pd.concat(parts, ignore_index=True), pd.concat(summaries, ignore_index=True), meta
    )
    return dataclasses.replace(run, multiverse={**run.multiverse, metric: found})


def _same(z: np.ndarray) -> np.ndarray:
    return (np.sign(z[:, 1:]) == np.sign(z[:, :1])) & ((abs(z[:, 1:]) > EDGE) == (abs(z[:, :1]) > EDGE))


def _practices(run: Run, rows: pd.DataFrame, z: np.ndarray, comparator: str) -> pd.DataFrame:
    per_z = abs(rows["difference"]) / abs(rows["z"])
    agrees = np.column_stack([np.ones(len(z), bool), _same(z)])
    made = [
        pd.DataFrame(
            {
                "spec": str(k + 1),
                "comparator": comparator,
                "practice_code": rows["practice_code"],
                # What is expected stays as it is; the figure follows the z that was set by hand.
                "value": rows["value"] - rows["difference"] + z[:, 0] * per_z * np.sign(rows["difference"] * rows["z"]),
                "difference": z[:, k] * per_z,
                "lower": -EDGE * per_z,
                "upper": EDGE * per_z,
                "z": z[:, k],
                "agrees": np.where(agrees[:, k], "yes", ""),
            }
        )
        for k in range(z.shape[1])
    ]
    every = pd.concat(made, ignore_index=True)
    return every[every["practice_code"].isin(run.table.area_codes)].reset_index(drop=True)


def _summary(rows, z, ways, comparator, need_share) -> pd.DataFrame:
    same = _same(z)
    agree, compared = same.sum(axis=1), same.shape[1]
    share = agree / compared if compared else np.full(len(rows), np.nan)
    inside = (abs(z) <= EDGE).all(axis=1)
    label = np.select([inside | (share >= 0.9), share >= 2 / 3], ["robust", "mixed"], "fragile")
    label = label if compared >= FEWEST else np.full(len(rows), "")
    drives, gaps = zip(*(_drives(row, ways) for row in same), strict=True)
    distance = abs(abs(z[:, 0]) - EDGE)
    return pd.DataFrame(
        {
            "practice_code": rows["practice_code"],
            "comparator": comparator,
            "z": z[:, 0],
            "agree": agree,
            "compared": compared,
            "share": share,
            "outside": (abs(z[:, 1:]) > EDGE).sum(axis=1),
            "label": label,
            "drives": drives,
            "drives_gap": gaps,
            "unmeasured_sd": distance,
            "unmeasured_points": distance * abs(rows["difference"]) / abs(rows["z"]),
            "unmeasured_multiple": distance * 3.6 if need_share >= 0.05 else np.nan,
            "strongest": "imd2025",
            "to": np.where(abs(z[:, 0]) > EDGE, "inside", "outside"),
        }
    )


def _drives(same: np.ndarray, ways) -> tuple[str, float]:
    found = {}
    for choice in PRIMARY:
        other = np.array([choice in taken for taken, _ in ways], bool)
        if other.any() and not other.all():
            found[choice] = float(same[~other].mean() - same[other].mean())
    best = max(found, key=found.get, default="")
    return (best, found[best]) if best and found[best] > 0 else ("", float("nan"))


def _specifications(practices, ways, missing, summary) -> pd.DataFrame:
    rows = [{**PRIMARY, "primary": "yes", "available": "yes", "why_not": ""}]
    rows += [{**PRIMARY, **taken, "primary": "", "available": "yes", "why_not": ""} for taken, _ in ways]
    rows += [{**PRIMARY, **taken, "primary": "", "available": "", "why_not": why} for taken, why in missing]
    frame = pd.DataFrame(rows)
    frame.insert(0, "spec", [str(i + 1) for i in range(len(frame))])
    made = frame["available"] == "yes"
    frame["n"] = np.where(made, len(summary), np.nan)
    frame["tau"] = np.where(made, 0.36, np.nan)
    flagged = (practices["z"].abs() > EDGE).groupby(practices["spec"]).sum()
    frame["flagged"] = frame["spec"].map(flagged).astype(float)
    frame["agree_share"] = frame["spec"].map((practices["agrees"] == "yes").groupby(practices["spec"]).mean())
    return frame
