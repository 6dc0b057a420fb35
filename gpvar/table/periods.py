"""The study's counts of other months: parts of its period, months beside it, and the single months it is the sum of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from gpvar import catalogue, organisations, schema
from gpvar.errors import SourceError, StudyError
from gpvar.organisations import Events
from gpvar.problems import count, listing
from gpvar.sources._parts import SourceTable
from gpvar.study import Period, SourceSpec, Study, months_of

_KEY = ["practice_code", "metric", "start", "end"]
_COUNTS = ["numerator", "denominator"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of practices for the study's own period.

    Attributes
    ----------
    outcomes
        The figures of the practices of the table, mergers put together.
    lists
        List sizes by code, of before mergers are put together and of after; NaN where none is known.
    monthly_lists
        Lists by month of before mergers are put together: practice_code, month, value.
    events
        What happened to practices.
    """

    outcomes: pd.DataFrame
    lists: tuple[pd.Series, pd.Series]
    monthly_lists: pd.DataFrame
    events: Events


@dataclass(frozen=True, slots=True)
class _Piece:
    """Counts of one source: rows as `schema.PERIODS` has them, NaN where a count is not known."""

    rows: pd.DataFrame
    table: SourceTable
    by_month: bool


def periods_of(
    study: Study, tables: Sequence[SourceTable], others: Sequence[tuple[SourceSpec, SourceTable]], known: Known
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the counts of every period that the files give, the study's own among them, and remarks.

    Parameters
    ----------
    study
        What was declared.
    tables
        The sources of the study's own period; those that were added up from months give each month.
    others
        The sources of other months.
    known
        What the first say together.

    Returns
    -------
    tuple
        A frame with the columns of `schema.PERIODS`, empty where there is no other period than the study's own; and a
        sentence for each source of which counts were left out.

    Raises
    ------
    StudyError
        When a rate has no patient-months, or two files tell the same figure.
    SourceError
        When the columns of a source cannot be the right ones.
    """
    pieces = [piece for table in tables for piece in _of_each_month(table, study)]
    pieces += [piece for spec, table in others for piece in _of_other_months(spec, table, study)]
    frames, remarks = [], []
    for piece in pieces:
        rows, left_out = _usable(_put_together(piece, study, known), piece, known)
        frames.append(rows)
        remarks += left_out
    found = [rows for rows in frames if len(rows)]
    if not found:
        return pd.DataFrame(columns=schema.names("periods")), tuple(remarks)
    every = pd.concat([_of_the_study(study, known.outcomes), *found], ignore_index=True)
    _refuse_twice(every, study)
    every["metric"] = pd.Categorical(every["metric"], categories=study.metrics)
    every = every.sort_values(["metric", "start", "end", "practice_code"], ignore_index=True)
    every["metric"] = every["metric"].astype("str")
    return every[schema.names("periods")], tuple(remarks)


def _of_each_month(table: SourceTable, study: Study, period: Period | None = None) -> Iterator[_Piece]:
    """Yield the months that a source was added up from, where there is more than one."""
    if table.by_month is None or (period or study.period).months == 1:
        return
    frame = table.by_month[table.by_month["metric"].isin(study.metrics)]
    texts = {name: frame[name].astype("str") for name in ("practice_code", "metric", "month")}
    rows = pd.DataFrame(
        {
            "practice_code": texts["practice_code"],
            "metric": texts["metric"],
            "start": texts["month"],
            "end": texts["month"],
            "months": 1,
            "numerator": frame["numerator"],
            "denominator": frame["denominator"],
        }
    )
    yield _Piece(rows.reset_index(drop=True), table, by_month=True)


def _of_other_months(spec: SourceSpec, table: SourceTable, study: Study) -> Iterator[_Piece]:
    """Yield the counts of a source's own period, and of its months where it has them."""
    period = spec.period
    assert period is not None
    counts = table.counts[table.counts["metric"].isin(study.metrics)]
    if table.has_months:
        # A sum of fewer months is not the figure of the period.
        counts = counts.assign(value=counts["value"].where(counts["months"] == period.months))
    key = ["practice_code", "metric"]
    parts = {part: counts[counts["part"] == part].set_index(key)["value"].astype(float) for part in _COUNTS}
    rows = pd.DataFrame(parts).reset_index()
    rows = rows.assign(start=period.start, end=period.end, months=period.months)
    yield _Piece(rows[schema.names("periods")], table, by_month=False)
    yield from _of_each_month(table, study, period)


def _put_together(piece: _Piece, study: Study, known: Known) -> pd.DataFrame:
    """Return the rows with patient-months below rates, and practices that merged under one code."""
    rows = piece.rows
    rates = [m for m in rows["metric"].unique() if catalogue.metric(m).kind == "rate"]
    lacking = [m for m in rates if rows.loc[rows["metric"] == m, "denominator"].isna().all()]
    before, after = known.lists
    if lacking:
        own = piece.table.facts.get("list_size") if not piece.by_month else None
        if own is None:
            _refuse_without_lists(lacking, known, study)
        values = _patient_months(rows, before, known.monthly_lists) if own is None else _times(rows, own)
        rows = _with(rows, lacking, values)
    rows = organisations.join_periods(known.events, study.period, rows, by_month=piece.by_month)
    if lacking:
        # A code that the study's own files no longer have: its patients are in its successor's list.
        rows = _with(rows, lacking, rows["denominator"].fillna(_times(rows, after)))
    return rows[~_ended_within(rows, known.events, study)]


def _times(rows: pd.DataFrame, lists: pd.Series) -> pd.Series:
    return rows["practice_code"].map(lists).astype(float) * rows["months"]


def _with(rows: pd.DataFrame, metrics: Sequence[str], values: pd.Series) -> pd.DataFrame:
    return rows.assign(denominator=rows["denominator"].where(~rows["metric"].isin(metrics), values))


def _refuse_without_lists(metrics: Sequence[str], known: Known, study: Study) -> None:
    if known.lists[0].isna().all() and known.monthly_lists.empty:
        raise StudyError(
            f"No file of the study holds the numbers of registered patients, of which {listing(metrics)} of other "
            "months is a rate.",
            str(study.path or "the study"),
            "Add list_size to one of its sources, or the denominator to the source of those months.",
        )


def _patient_months(rows: pd.DataFrame, sizes: pd.Series, monthly_lists: pd.DataFrame) -> pd.Series:
    """Return the lists of each row's months added up; where one is not known, one list size times the months."""
    lists = monthly_lists.pivot(index="practice_code", columns="month", values="value")
    values = _times(rows, sizes)
    for start, end in rows[["start", "end"]].drop_duplicates().itertuples(index=False):
        months = months_of(Period(start, end))
        if set(months) <= set(lists.columns):
            here = (rows["start"] == start) & (rows["end"] == end)
            exact = rows.loc[here, "practice_code"].map(lists[months].sum(axis=1, skipna=False))
            values[here] = exact.fillna(values[here])
    return values


def _ended_within(rows: pd.DataFrame, events: Events, study: Study) -> pd.Series:
    """Return which rows are of practices that closed, or merged after the study's period, within the row's months."""
    wrong = pd.Series(False, index=rows.index)
    for event in events.confirmed.itertuples():
        joined = event.event != "closed" and event.date <= str(study.period.last_day)
        if event.event in organisations.ENDINGS and not joined:
            own = rows[rows["practice_code"].isin([event.code, event.successor])]
            inside = (own["start"] + "-01" < event.date) & (own["end"] >= event.date[:7])
            wrong[own.index[inside]] = True
    return wrong


def _usable(rows: pd.DataFrame, piece: _Piece, known: Known) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of the table's practices whose two counts are known and possible, and what was left out."""
    rows = rows[rows["practice_code"].isin(known.outcomes["practice_code"])]
    missing = rows[_COUNTS].isna().any(axis=1)
    over = _is_share(rows) & (rows["numerator"] > rows["denominator"])
    _refuse_wrong_columns(rows, over, piece.table)
    said = []
    for number, why in ((int(missing.sum()), "hidden, blank or not whole"), (int(over.sum()), "over what they are of")):
        if number:
            are = "is" if number == 1 else "are"
            said.append(f"{piece.table.file}: {count(number, 'count')} of other months {are} {why} and left out.")
    # A practice that did nothing of the kind in a month has no share of it.
    return rows[~missing & ~over & (rows["denominator"] > 0)], said


def _is_share(rows: pd.DataFrame) -> pd.Series:
    return rows["metric"].isin([m for m in rows["metric"].unique() if catalogue.metric(m).kind == "proportion"])


def _refuse_wrong_columns(rows: pd.DataFrame, over: pd.Series, table: SourceTable) -> None:
    limit = catalogue.gates()["numerator_over_denominator"].thresholds["wrong_columns_above"]
    for metric, wrong in over.groupby(rows["metric"]):
        if wrong.mean() > limit:
            raise SourceError(
                f"In {wrong.sum():,} of {len(wrong):,} rows the numerator of '{metric}' is over its denominator.",
                table.file,
                "These are not the right columns, or they are the wrong way round: correct [source.columns].",
            )


def _of_the_study(study: Study, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of the study's own period, of the practices that have all its months."""
    whole = (outcomes["months"] == study.period.months) & (outcomes["state"] == "") & (outcomes["denominator"] > 0)
    whole &= ~(_is_share(outcomes) & (outcomes["numerator"] > outcomes["denominator"]))
    rows = outcomes.loc[whole, ["practice_code", "metric", *_COUNTS]]
    return rows.assign(start=study.period.start, end=study.period.end, months=study.period.months)


def _refuse_twice(rows: pd.DataFrame, study: Study) -> None:
    again = rows.duplicated(_KEY)
    if again.any():
        first = rows[again].iloc[0]
        raise StudyError(
            f"'{first['metric']}' of {Period(first['start'], first['end']).label} is told by two files of the study.",
            str(study.path or "the study"),
            "Take the source of that month out: a file with months gives each of them.",
        )
