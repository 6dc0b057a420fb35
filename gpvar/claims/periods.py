"""The letter's own period: a run of the counts that the study holds of other months."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import gates
from gpvar.analysis import analyse
from gpvar.claims.evidence import DERIVED, IN_OTHER_WAYS, Evidence
from gpvar.errors import ConvergenceError, StatsError, TableError
from gpvar.results import Run
from gpvar.study import Period, months_of, parse_period

if TYPE_CHECKING:
    from gpvar.table import PracticeTable

#: Under which the cache keeps runs of other periods, by metric and period.
RUNS = ("runs",)
#: A check of the study's own months that cannot be made of others.
_OF_THE_STUDY = "months_missing"


def placed(seen: Evidence) -> Evidence:
    """Return the claim beside a run of the letter's own period, where the study holds its counts; else as it is."""
    wanted = period_in(seen.claim.period)
    if wanted is None or seen.claim.metric not in seen.run.analyses or wanted == seen.run.study.period:
        return seen
    return run_of(seen, wanted) or seen


def period_in(text: str) -> Period | None:
    """Return the period that a claim names; None where it names none."""
    return parse_period(text) if text else None


def label(period: Period) -> str:
    """Return a period as a claim writes it."""
    return period.start if period.start == period.end else f"{period.start}..{period.end}"


def held(seen: Evidence) -> list[Period]:
    """Return the periods of which the study holds counts of the measure, by their first and last month."""
    rows = seen.run.table.periods
    rows = rows.loc[rows["metric"] == seen.claim.metric, ["start", "end"]].drop_duplicates()
    found = {Period(str(start), str(end)) for start, end in rows.itertuples(index=False)}
    return sorted(found | {seen.run.study.period}, key=lambda period: (period.start, period.end))


def run_of(seen: Evidence, period: Period) -> Evidence | None:
    """Return the claim beside a run of a period; None where the study holds no counts of it that can be analysed."""
    metric = seen.claim.metric
    runs: dict[tuple[str, Period], tuple[Run, dict[Any, Any]] | None] = seen.cache.setdefault(RUNS, {})
    runs.setdefault((metric, seen.run.study.period), (seen.run, seen.cache))
    if (metric, period) not in runs:
        run = _analysed(seen.run, metric, period)
        # What takes long is kept for each run apart; the runs themselves are known to all.
        runs[metric, period] = (run, {RUNS: runs}) if run else None
    found = runs[metric, period]
    return Evidence(seen.claim, *found) if found else None


def with_outcomes(run: Run, metric: str, table: PracticeTable) -> Run:
    """Return a run of one measure on another table.

    Raises
    ------
    TableError, StatsError, ConvergenceError
        When it cannot be analysed.
    """
    meta = run.meta | {IN_OTHER_WAYS: bool(run.multiverse or run.meta.get(IN_OTHER_WAYS))}
    done = {metric: analyse(table, metric)}
    return replace(run, study=table.study, table=table, analyses=done, meta=meta, findings=(), multiverse={})


def _analysed(run: Run, metric: str, period: Period) -> Run | None:
    table = run.table
    rows = counted(table, metric, period)
    if rows is None:
        return None
    study = replace(table.study, period=period)
    told = table.periods if _has(table.periods, metric, period) else pd.concat([table.periods, rows], ignore_index=True)
    kept = table.gates[~table.gates["gate"].isin([*gates.ON_MONTHS, _OF_THE_STUDY])]
    other = replace(
        table,
        study=study,
        periods=told,
        outcomes=_outcomes(table.outcomes, rows, metric, period),
        gates=pd.concat([kept, gates.of_months(study)], ignore_index=True),
    )
    taken = derived_from(table, metric, period)
    known = run.meta.get(DERIVED, {}) | ({label(period): taken} if taken else {})
    try:
        made = with_outcomes(run, metric, other)
        return replace(made, meta={**made.meta, DERIVED: known})
    except (TableError, StatsError, ConvergenceError):
        return None


def _has(periods: pd.DataFrame, metric: str, period: Period) -> bool:
    same = (periods["metric"] == metric) & (periods["start"] == period.start) & (periods["end"] == period.end)
    return bool(same.any())


def counted(table: PracticeTable, metric: str, period: Period) -> pd.DataFrame | None:
    """Return the counts of a period: as they are held, or what is left of a longer one when a part is taken off.

    None where neither gives them.
    """
    own = _by_period(table, metric)
    if period in own:
        return own[period].reset_index()[table.periods.columns]
    pair = _longer_and_part(own, period)
    return _rest(own[pair[0]], own[pair[1]], period)[table.periods.columns] if pair else None


def derived_from(table: PracticeTable, metric: str, period: Period) -> tuple[str, str] | None:
    """Return the longer period and the part of it taken off that give a period's counts; None where they are held."""
    own = _by_period(table, metric)
    pair = None if period in own else _longer_and_part(own, period)
    return (label(pair[0]), label(pair[1])) if pair else None


def _by_period(table: PracticeTable, metric: str) -> dict[Period, pd.DataFrame]:
    rows = table.periods[table.periods["metric"] == metric]
    return {
        Period(str(start), str(end)): part.set_index("practice_code")
        for (start, end), part in rows.groupby(["start", "end"])
    }


def _longer_and_part(own: dict[Period, pd.DataFrame], period: Period) -> tuple[Period, Period] | None:
    wanted = set(months_of(period))
    for whole, part in ((whole, part) for whole in own for part in own if whole != part):
        inner = set(months_of(part))
        if inner < set(months_of(whole)) and set(months_of(whole)) - inner == wanted:
            return whole, part
    return None


def _rest(whole: pd.DataFrame, part: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return a longer period's counts less those of a part of it; unknown where the part holds more than the whole."""
    rest = whole.loc[whole.index.intersection(part.index)].copy()
    for name in ("numerator", "denominator"):
        left = rest[name] - part.loc[rest.index, name]
        rest[name] = left.where(left >= 0)
    return rest.assign(start=period.start, end=period.end, months=period.months).reset_index()


def _outcomes(outcomes: pd.DataFrame, rows: pd.DataFrame, metric: str, period: Period) -> pd.DataFrame:
    """Return the counts of another period in the form of the study's; a practice without them has none."""
    own = outcomes[outcomes["metric"] == metric].reset_index(drop=True)
    counts = rows.set_index("practice_code")[["numerator", "denominator"]].reindex(own["practice_code"])
    known = counts.notna().all(axis=1).to_numpy()
    for part in ("numerator", "denominator"):
        values = np.where(known, counts[part].to_numpy(float), np.nan)
        own[part] = own[f"{part}_low"] = own[f"{part}_high"] = values
    own["months"] = float(period.months)
    own["state"] = np.where(known, "", "missing")
    return own
