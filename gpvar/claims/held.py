"""What counts a study holds beyond those it analyses: other measures, other months and their sums, other lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.catalogue import countings
from gpvar.errors import GpvarError
from gpvar.sources import named
from gpvar.study import Period, Study, months_of
from gpvar.study.columns import held_by, metric_of
from gpvar.table import PracticeTable, build_table

if TYPE_CHECKING:
    from gpvar.catalogue.countings import Counting

#: Numbers of patients that a rate may be of, beside the months' own: columns of the table's practices.
LISTS = ("list_size", "registered_list", "weighted_list")
#: The list that stands for the measure's own patient-months.
PATIENT_MONTHS = "patient_months"
_URGENT = "urgent_same_day_share"
_APPOINTMENTS = "gpad"


@dataclass(frozen=True)
class Held:
    """Counts by period, and what is known of practices.

    Attributes
    ----------
    table
        The study's table with every measure whose columns its sources hold.
    counts
        Period → one row per practice, one column for each count (``"dna_share.numerator"``); NaN where not known.
    lists
        One row per practice, one column for each of `LISTS` that is known.
    left_out
        Why measures beyond the study's own could not be read; empty where they could.
    """

    table: PracticeTable
    counts: Mapping[Period, pd.DataFrame]
    lists: pd.DataFrame
    left_out: str = ""

    @property
    def own(self) -> Period:
        """The study's period."""
        return self.table.study.period

    @cached_property
    def places(self) -> pd.DataFrame:
        """Where each practice belongs, by code."""
        return self.table.hierarchy.set_index("practice_code")

    def with_periods(self, asked: Iterable[Period]) -> Held:
        """Return the same with periods that a letter names, where months or differences give them."""
        found = dict(self.counts)
        for period in asked:
            if period not in found:
                made = _summed(period, found)
                made = dict(_differences(found)).get(period) if made is None else made
                found |= {} if made is None else {period: made}
        return replace(self, counts=found)

    def of(self, counting: Counting, period: Period, patients: str = "") -> pd.DataFrame | None:
        """Return numerator and denominator of each practice; None where the study does not hold them.

        Parameters
        ----------
        counting
            What is counted.
        period
            Of which months; a key of `counts`.
        patients
            For a rate: `PATIENT_MONTHS`, or one of `LISTS`, which is then taken times the months.
        """
        frame = self.counts[period]
        top = _added(counting.numerator, frame)
        if patients in LISTS:
            known = self.lists.get(patients)
            base = None if known is None else known.reindex(frame.index) * period.months
        else:
            base = _added(counting.denominator, frame)
        if top is None or base is None:
            return None
        both = pd.DataFrame({"top": top, "base": base})
        usable = both.notna().all(axis=1) & (both["base"] > 0)
        usable &= (both["top"] <= both["base"]) | (counting.kind != "share")
        return both[usable] if usable.any() else None


def held_by_study(study: Study) -> Held:
    """Read a study with every measure whose columns its sources hold; nothing is fitted.

    Parameters
    ----------
    study
        A loaded study. Where a further measure cannot be read, its own measures alone are used, and it is said.
    """
    more = _further_measures(study)
    left_out = ""
    try:
        table = build_table(replace(study, metrics=(*study.metrics, *more)))
    except GpvarError as error:
        if not more:
            raise
        table, left_out = build_table(study), error.problem
    return held(table, left_out)


def held(table: PracticeTable, left_out: str = "") -> Held:
    """Return what a table that has been read holds."""
    counts = _of_table(table)
    for period, frame in _other_labels(table.study).items():
        if period in counts:
            counts[period] = counts[period].join(frame)
    found = dict(counts)
    found |= {period: frame for period, frame in _differences(counts) if period not in found}
    for period in _usual_sums(counts):
        made = None if period in found else _summed(period, counts)
        if made is not None:
            found[period] = made
    practices = table.practices.set_index("practice_code")
    lists = practices[[name for name in LISTS if name in practices]].astype(float)
    return Held(table, dict(sorted(found.items(), key=lambda item: (item[0].start, item[0].end))), lists, left_out)


def _further_measures(study: Study) -> tuple[str, ...]:
    """Return measures that the study does not analyse and whose counts its own sources hold."""
    keys: set[str] = set()
    for spec in study.own_sources:
        keys |= set(held_by(spec.id) if spec.is_publication else spec.columns)
    found = dict.fromkeys(metric for key in sorted(keys) if (metric := metric_of(key)) and metric not in study.metrics)
    lists = "list_size" in keys
    return tuple(
        metric
        for metric in found
        if f"{metric}.numerator" in keys
        and (f"{metric}.denominator" in keys or (lists and catalogue.metric(metric).kind == "rate"))
    )


def _of_table(table: PracticeTable) -> dict[Period, pd.DataFrame]:
    """Return the counts of the study's period and of every other period of its files; hidden ones are not known."""
    own = table.outcomes[table.outcomes["state"] == ""]
    found = {table.study.period: _wide(own)}
    for (start, end), rows in table.periods.groupby(["start", "end"]):
        period = Period(str(start), str(end))
        if period != table.study.period:
            found[period] = _wide(rows)
    return found


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    wide = rows.pivot(index="practice_code", columns="metric", values=["numerator", "denominator"]).astype(float)
    wide.columns = pd.Index([f"{metric}.{part}" for part, metric in wide.columns])
    return wide


def _other_labels(study: Study) -> dict[Period, pd.DataFrame]:
    """Return the counts of other labels as urgent, where the practice-level crosstab of appointments is a source."""
    if not any(f"{_URGENT}.numerator" in held_by(spec.id) for spec in study.own_sources if spec.is_publication):
        return {}
    tables = [
        table for spec in study.own_sources if spec.is_publication for table in named.read_all(spec, study.period)
    ]
    found: dict[Period, pd.DataFrame] = {}
    for table in (table for table in tables if table.id == _APPOINTMENTS):
        rows = table.counts[table.counts["metric"].astype("str").str.startswith("what_if_")]
        key = rows["metric"].astype("str") + "." + rows["part"].astype("str")
        found[study.period] = rows.assign(key=key).pivot(index="practice_code", columns="key", values="value")
        if table.by_month is not None and study.period.months > 1:
            months = table.by_month.astype({"metric": "str", "month": "str", "practice_code": "str"})
            months = months[months["metric"].str.startswith("what_if_")]
            found |= {Period(str(month), str(month)): _wide(rows) for month, rows in months.groupby("month")}
    return found


def _differences(counts: Mapping[Period, pd.DataFrame]) -> Iterator[tuple[Period, pd.DataFrame]]:
    """Yield what is left of a period when one is taken off that begins or ends with it: the year less April."""
    for outer, whole in counts.items():
        for inner, part in counts.items():
            if inner == outer or not (outer.start <= inner.start and inner.end <= outer.end):
                continue
            months = [month for month in months_of(outer) if month not in months_of(inner)]
            left = Period(months[0], months[-1])
            if left.months == len(months):
                rest = whole.sub(part.reindex(columns=whole.columns).reindex(whole.index))
                # Less than nothing: the two files do not count the same, or count it at different times.
                yield left, rest.where(rest >= 0)


def _summed(period: Period, counts: Mapping[Period, pd.DataFrame]) -> pd.DataFrame | None:
    """Return the sum of single months; a practice has it where every month of it is known."""
    months = [counts.get(Period(month, month)) for month in months_of(period)]
    known = [frame for frame in months if frame is not None]
    if len(known) < len(months) or len(known) < 2:
        return None
    total = known[0]
    for frame in known[1:]:
        total = total.add(frame)
    return total


def _usual_sums(counts: Mapping[Period, pd.DataFrame]) -> Iterator[Period]:
    """Yield the periods that letters are usually about: quarters, halves of a financial year, the year so far."""
    single = sorted(period.start for period in counts if period.months == 1)
    if not single:
        return
    for year in range(int(single[0][:4]) - 1, int(single[-1][:4]) + 1):
        months = months_of(Period(f"{year}-04", f"{year + 1}-03"))
        for size in (3, 6):
            yield from (Period(months[at], months[at + size - 1]) for at in range(0, 12, size))
        yield from (Period(months[0], last) for last in months[1:])
        yield Period(f"{year}-01", f"{year}-12")


def _added(names: Iterable[str], frame: pd.DataFrame) -> pd.Series | None:
    """Return counts added up, those with a hyphen taken off; None where one of them is not held."""
    total: pd.Series | None = None
    for name in names:
        column = _column(name.removeprefix("-"), frame)
        if column is None:
            return None
        signed = -column if name.startswith("-") else column
        total = signed if total is None else total + signed
    return total


def _column(name: str, frame: pd.DataFrame) -> pd.Series | None:
    for column in countings.counts().get(name, (name,)):
        if column in frame and np.isfinite(frame[column]).any():
            return frame[column]
    return None
