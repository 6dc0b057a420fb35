"""A hidden count: the sentence judged at the least and at the most that it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar import catalogue
from gpvar.claims.evidence import Evidence
from gpvar.claims.periods import RUNS, with_outcomes
from gpvar.errors import ConvergenceError, StatsError, TableError

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.results import Run

    _Beside = tuple[Run, dict[Any, Any]]

#: Findings that speak for the sentence: they are shown at the end that speaks least for it.
_FOR = ("supported", "not_attributable")


def both(seen: Evidence) -> tuple[Evidence, Evidence] | None:
    """Return the claim beside runs in which the practice's hidden count is the least and the most it can be.

    None where a run with one of them cannot be analysed, or the sentence is about no one measure. Counts of other
    practices stay hidden in both.
    """
    claim = seen.claim
    if not claim.metric:
        return None
    key = ("ends", claim.metric, claim.practice_code)
    if key not in seen.cache:
        seen.cache[key] = _runs(seen)
    runs = seen.cache[key]
    return None if runs is None else (Evidence(claim, *runs[0]), Evidence(claim, *runs[1]))


def shown(verdict: str, sign: int) -> int:
    """Return at which end a finding that both agree on is shown, 0 for the least: the one least in its favour."""
    side = sign if verdict in _FOR else -sign
    return 1 if side < 0 else 0


def _runs(seen: Evidence) -> tuple[_Beside, _Beside] | None:
    own = (seen.claim.metric, seen.run.study.period)
    others = {period: run for period, run in seen.cache.get(RUNS, {}).items() if period != own}
    try:
        low, high = (_at(seen, end) for end in ("low", "high"))
    except (TableError, StatsError, ConvergenceError):
        return None
    return (low, {RUNS: dict(others)}), (high, {RUNS: dict(others)})


def _at(seen: Evidence, end: str) -> Run:
    table = seen.run.table
    outcomes = _filled(table.outcomes, seen.claim.metric, seen.claim.practice_code, end)
    return with_outcomes(seen.run, seen.claim.metric, replace(table, outcomes=outcomes))


def _filled(outcomes: pd.DataFrame, metric: str, code: str, end: str) -> pd.DataFrame:
    """Return the outcomes with one practice's count at an end: the least events of the most, or the reverse."""
    here = (outcomes["metric"] == metric) & (outcomes["practice_code"] == code)
    other = "high" if end == "low" else "low"
    filled = outcomes.copy()
    top = outcomes.loc[here, f"numerator_{end}"]
    base = outcomes.loc[here, f"denominator_{other}"].fillna(outcomes.loc[here, "denominator"])
    if catalogue.metric(metric).kind == "proportion":
        base = np.maximum(base, top)
    for name, values in (("numerator", top), ("denominator", base)):
        for column in (name, f"{name}_low", f"{name}_high"):
            filled.loc[here, column] = values
    filled.loc[here, "state"] = ""
    return filled
