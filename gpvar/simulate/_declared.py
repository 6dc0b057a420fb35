"""Need that the tool can find: that of a world's patients, put onto the columns that a metric's card declares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.design import Design, build

Array = np.ndarray[Any, np.dtype[Any]]

#: Metrics that have one truth on the link scale, and the outcome that they are.
METRICS = {
    "same_day_share": "same_day",
    "dna_share": "dna",
    "face_to_face_share": "face_to_face",
    "appointments_per_1000": "appointments",
}
#: What a card's characteristics are called in a world's table.
AGES = ("share_0_4", "share_65plus", "share_85plus", "share_female_15_44")
_LEAST_LIST = 1000


def declared(metric: str) -> tuple[str, ...]:
    """Return the characteristics that a metric's card allows for, need before setting."""
    adjust = catalogue.metric(metric).adjust
    return tuple(dict.fromkeys(name for rung in ("M1", "M2") for name in adjust.get(rung, ())))


def characteristics(table: pd.DataFrame) -> pd.DataFrame:
    """Return a world's patients under the names that a study gives them."""
    columns: dict[str, Any] = {"practice_code": table["practice_code"], "list_size": table["mean_monthly_list_size"]}
    columns |= {f"age_sex.{name}": table[name] for name in AGES}
    columns |= {"imd2025": table["imd2025_score"], "rurality": table["rurality"]}
    for name in (str(column).removeprefix("qof_reg_") for column in table if str(column).startswith("qof_reg_")):
        columns[f"qof_{name}.numerator"] = table[f"qof_reg_{name}"]
        columns[f"qof_{name}.denominator"] = table["qof_list_2425"]
    return pd.DataFrame(columns)


def ordinary(table: pd.DataFrame) -> Array:
    """Return which practices set knots and means: those that a study with the usual exclusions fits."""
    size, jump = table["mean_monthly_list_size"], table["maximum_percentage_monthly_change"]
    gates = catalogue.gates()
    wrong = (size < _LEAST_LIST) | (jump.abs() > gates["merger_or_list_jump"].thresholds["jump_pct_above"])
    for rule in gates["atypical"].more["rule"]:
        for name in set(AGES) & set(rule["columns"]):
            wrong |= (table[name] < rule.get("below", -1)) | (table[name] > rule.get("above", 2))
    return np.asarray(~wrong, dtype=bool)


def design_of(table: pd.DataFrame, metric: str) -> Design:
    """Return the columns that a metric's card declares, of a world's patients."""
    return build(characteristics(table), declared(metric), ordinary(table))


def onto(design: Design, need: Array, fitted: Array) -> Array:
    """Return the coefficients with which the columns of a design, but the intercept, come nearest to a need."""
    found, *_ = np.linalg.lstsq(design.matrix[fitted], need[fitted], rcond=None)
    return np.asarray(found[1:])


def coefficients(design: Design, metric: str, centre: float, slopes: Array) -> pd.DataFrame:
    """Return the true coefficients of a metric, a row for each column of its design."""
    return pd.DataFrame(
        {
            "outcome": METRICS[metric],
            "metric": metric,
            "term": design.terms["term"].to_numpy(),
            "covariate": design.terms["covariate"].to_numpy(),
            "coefficient": np.concatenate([[centre], slopes]),
        }
    )
