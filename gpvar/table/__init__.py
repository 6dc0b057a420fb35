"""One row per practice: the files joined on codes, the area found, the gates asked, and what did not match listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue, gates, organisations, schema
from gpvar.errors import SourceError, StudyError
from gpvar.problems import Problems, listing
from gpvar.sources import local, named
from gpvar.sources._parts import SourceTable
from gpvar.study import SourceSpec, Study, load_study
from gpvar.table.area import area_codes, area_name
from gpvar.table.figures import outcomes_of, with_patient_months
from gpvar.table.joining import facts_of, hierarchy, placed, practices
from gpvar.table.own import OwnLists, own_lists
from gpvar.table.periods import Known, periods_of


@dataclass(frozen=True, slots=True)
class PracticeTable:
    """What was observed, before anything is fitted. Every frame has the columns of `gpvar.schema`.

    Attributes
    ----------
    study
        What was declared.
    outcomes
        One row per practice and metric, for the study's period.
    periods
        The same counts for parts of the period, or for months beside it, where files give them.
    practices
        One row per practice: name, list, characteristics.
    hierarchy
        One row per practice: where it belongs.
    groups
        To which group of each of the study's lists a practice belongs.
    events
        What happened to practices, and what was done about it.
    provenance
        One row per file read.
    unmatched
        Practices asked for or found in one place and not in another.
    gates
        What the data-quality gates found.
    area_codes
        The practices of the study's area that are in the table.
    area_name
        What to call the area.
    excluded
        Practices left out of the fit, and the gate for which they are.
    dropped
        Characteristics declared that no file holds, with the reason.
    dates
        Characteristic → month of which it is.
    remarks
        What the files say of themselves, a sentence each.
    """

    study: Study
    outcomes: pd.DataFrame
    periods: pd.DataFrame
    practices: pd.DataFrame
    hierarchy: pd.DataFrame
    groups: pd.DataFrame
    events: pd.DataFrame
    provenance: pd.DataFrame
    unmatched: pd.DataFrame
    gates: pd.DataFrame
    area_codes: tuple[str, ...]
    area_name: str
    excluded: pd.DataFrame
    dropped: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def build_table(study: Study | str | Path | dict[str, object], max_bytes: int = local.MAX_BYTES) -> PracticeTable:
    """Read the study's files, join them, and ask the gates; nothing is fitted.

    Parameters
    ----------
    study
        A loaded study, its file or folder, or a dict.
    max_bytes
        The most that is read of a file.

    Returns
    -------
    PracticeTable

    Raises
    ------
    SourceError
        When a file cannot be read as what the study says it is.
    StudyError
        When the area or a practice asked for is not in the data.
    """
    study = study if isinstance(study, Study) else load_study(study)
    _refuse_nothing(study)
    read = _read_all(study, max_bytes)
    tables = [table for spec, table in read if spec.period is None]
    others = [(spec, table) for spec, table in read if spec.period is not None]
    own = own_lists(study, max_bytes)
    joined = _joined(study, tables, own)
    measured = _measured(study, tables, joined)
    codes = area_codes(study, measured.hierarchy, measured.practices, own)
    apart = _only_in_other_months(study, others, own, measured.codes)
    evidence = _evidence(study, tables, own, joined, measured, apart)
    found = gates.run(evidence)
    known = Known(measured.outcomes, joined.lists, joined.monthly_lists, own.events)
    periods, left_out = periods_of(study, tables, others, known)
    provenance = pd.DataFrame([*(row for _, table in read for row in table.provenance), *own.provenance])
    return PracticeTable(
        study=study,
        outcomes=measured.outcomes,
        periods=periods,
        practices=measured.practices,
        hierarchy=measured.hierarchy,
        groups=own.groups[own.groups["practice_code"].isin(measured.codes)].reset_index(drop=True),
        events=own.told(joined.done),
        provenance=provenance[schema.names("provenance")],
        unmatched=_unmatched(study, tables, measured.codes, measured.hierarchy, own.listed, apart),
        gates=found,
        area_codes=codes,
        area_name=area_name(study, measured.hierarchy, measured.facts, codes),
        excluded=gates.excluded(found, study.reference.exclude),
        dropped=gates.dropped(evidence),
        dates=joined.dates,
        remarks=(*(remark for table in tables for remark in table.remarks), *left_out),
    )


@dataclass(frozen=True, slots=True)
class _Joined:
    """What all files say together, mergers put together."""

    counts: pd.DataFrame
    facts: pd.DataFrame
    dates: dict[str, str]
    monthly: pd.DataFrame | None
    done: pd.DataFrame
    has_months: bool
    from_lists: tuple[str, ...]
    lists: tuple[pd.Series, pd.Series]
    monthly_lists: pd.DataFrame


def _joined(study: Study, tables: Sequence[SourceTable], own: OwnLists) -> _Joined:
    counts = pd.concat([table.counts for table in tables], ignore_index=True)
    _refuse_without_figures(study, counts)
    facts, dates = facts_of(tables)
    by_month = {metric for table in tables if table.has_months for metric in table.counts["metric"].unique()}
    monthly = _monthly(tables)
    _refuse_without_lists(study, counts, facts)
    # Before mergers are put together, so that patients are counted for the months in which their practice is.
    counts, from_lists = with_patient_months(study, counts, facts, monthly, by_month)
    joined = organisations.like_for_like(
        own.events, study.period, counts, facts, monthly, dates=dates, has_months=bool(by_month)
    )
    return _Joined(
        counts=joined.counts,
        facts=joined.facts,
        dates=dates,
        monthly=joined.monthly,
        done=joined.done,
        has_months=bool(by_month),
        from_lists=from_lists,
        lists=(_lists(facts), _lists(joined.facts)),
        monthly_lists=monthly[monthly["name"] == "list_size"],
    )


def _lists(facts: pd.DataFrame) -> pd.Series:
    return facts.get("list_size", pd.Series(np.nan, index=facts.index))


@dataclass(frozen=True, slots=True)
class _Measured:
    """The practices of which a metric of the study is known: what was observed of them, and where they belong."""

    codes: pd.Index
    facts: pd.DataFrame
    outcomes: pd.DataFrame
    months: pd.DataFrame
    hierarchy: pd.DataFrame
    practices: pd.DataFrame
    placed_on: dt.date
    boards_not_told: pd.DataFrame | None


def _measured(study: Study, tables: Sequence[SourceTable], joined: _Joined) -> _Measured:
    counts = joined.counts
    codes = pd.Index(sorted(counts.loc[counts["metric"].isin(study.metrics), "practice_code"].unique()))
    day = study.reference.hierarchy_date or study.period.last_day
    facts, not_told = placed(tables, joined.facts.reindex(codes), day)
    outcomes, months = outcomes_of(study, counts, codes, joined.has_months)
    _refuse_wrong_columns(study, outcomes)
    return _Measured(codes, facts, outcomes, months, hierarchy(facts), practices(facts, counts, codes), day, not_told)


@dataclass(frozen=True, slots=True)
class _Apart:
    """A source of other months: its practices that have no figures of the study's period, and how many it has."""

    months: str
    file: str
    codes: list[str]
    of: int


def _only_in_other_months(
    study: Study, others: Sequence[tuple[SourceSpec, SourceTable]], own: OwnLists, measured: pd.Index
) -> list[_Apart]:
    """Compare the practices of each source of other months with those measured; merged practices are not lost."""
    found = []
    for spec, table in others:
        assert spec.period is not None
        counts = table.counts[table.counts["metric"].isin(study.metrics) & table.counts["value"].notna()]
        codes = counts.loc[~counts["practice_code"].isin(own.events.confirmed["code"]), "practice_code"].unique()
        lost = sorted(set(codes) - set(measured))
        found.append(_Apart(spec.period.label, table.file, lost, len(codes)))
    return found


def _evidence(
    study: Study,
    tables: Sequence[SourceTable],
    own: OwnLists,
    joined: _Joined,
    measured: _Measured,
    apart: Sequence[_Apart],
) -> gates.Evidence:
    homes = {f"{row.metric}.{row.part}": table.id for table in tables for row in _parts(table)}
    lost = {table.id: float(1 - measured.codes.isin(table.facts.index).mean()) for table in tables if len(table.facts)}
    return gates.Evidence(
        study=study,
        outcomes=measured.outcomes,
        practices=measured.practices,
        hierarchy=measured.hierarchy,
        months=measured.months,
        has_months=joined.has_months,
        homes=homes | {f"{metric}.denominator": "the lists of every month" for metric in joined.from_lists},
        lost=lost,
        beside=tuple((other.months, len(other.codes), other.of) for other in apart if other.of),
        impossible=tuple(item for table in tables for item in table.impossible),
        dates=joined.dates,
        monthly=joined.monthly,
        events=organisations.events_within(own.events, study.period),
        placed_on=None if measured.boards_not_told is None else measured.placed_on,
        boards_not_told=measured.boards_not_told,
    )


def _refuse_nothing(study: Study) -> None:
    if not study.own_sources:
        other = " of its own period" if study.sources else ""
        raise StudyError(
            f"The study names no data file{other}.",
            str(study.path or "the study"),
            "python run.py sources STUDY says which files it needs and where to get them; with --take it writes those "
            "that are on this computer into the study.",
        )


def _refuse_without_figures(study: Study, counts: pd.DataFrame) -> None:
    held = set(counts.loc[counts["part"] == "numerator", "metric"])
    without = [metric for metric in study.metrics if metric not in held]
    if without:
        publications = listing(dict.fromkeys(catalogue.sources()[catalogue.metric(m).source].title for m in without))
        raise StudyError(
            f"No file of the study holds the figures of {listing(without)}.",
            str(study.path or "the study"),
            f"They are in {publications}: python run.py sources STUDY says which files to get, and where.",
        )


def _refuse_without_lists(study: Study, counts: pd.DataFrame, facts: pd.DataFrame) -> None:
    """Refuse a rate of registered patients where neither its own denominator nor any list of patients is there."""
    own = set(counts.loc[counts["part"] == "denominator", "metric"])
    rates = [m for m in study.metrics if catalogue.metric(m).kind == "rate" and m not in own]
    if rates and "list_size" not in facts:
        raise StudyError(
            f"No file of the study holds the numbers of registered patients, of which {listing(rates)} is a rate.",
            str(study.path or "the study"),
            f"They are in {catalogue.sources()['registered_patients'].title}, by age or as totals: "
            "python run.py sources STUDY says which files to get, and where.",
        )


def _monthly(tables: Sequence[SourceTable]) -> pd.DataFrame:
    held = [table.monthly for table in tables if table.monthly is not None]
    texts = pd.DataFrame(columns=["practice_code", "month", "name"], dtype=str)
    return pd.concat(held, ignore_index=True) if held else texts.assign(value=pd.Series(dtype=float))


def _read_all(study: Study, max_bytes: int) -> list[tuple[SourceSpec, SourceTable]]:
    """Read every file; when several cannot be read, say so of all of them."""
    tables: list[tuple[SourceSpec, SourceTable]] = []
    errors = []
    for spec in study.sources:
        try:
            if spec.is_publication:
                tables += [(spec, table) for table in named.read_all(spec, study.period)]
            else:
                tables.append((spec, local.read(spec, study.period, max_bytes)))
        except SourceError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    problems = Problems(SourceError, str(study.path or "the study's files"))
    for error in errors:
        problems.add(error.problem, error.where, error.fix)
    problems.raise_if_any()
    _refuse_twice([table for _, table in tables])
    return tables


def _refuse_twice(tables: Sequence[SourceTable]) -> None:
    """Refuse a publication that is named beside a reference file which holds it."""
    problems = Problems(SourceError, "the sources of the study")
    seen: dict[str, SourceTable] = {}
    for table in tables:
        other = seen.setdefault(table.id, table)
        if other is not table:
            problems.add(
                f"'{table.id}' is read twice: from {other.file}, and from {table.file}.",
                "",
                "Keep one of them; a table of your own needs an id that is not a publication's.",
            )
    problems.raise_if_any()


def _parts(table: SourceTable) -> Sequence:
    return list(table.counts[["metric", "part"]].drop_duplicates().itertuples(index=False))


def _refuse_wrong_columns(study: Study, outcomes: pd.DataFrame) -> None:
    """Refuse a share whose numerator is often the larger: the columns are then the wrong ones."""
    limit = catalogue.gates()["numerator_over_denominator"].thresholds["wrong_columns_above"]
    problems = Problems(SourceError, listing((str(file) for spec in study.sources for file in spec.files), 3))
    for metric in study.metrics:
        if catalogue.metric(metric).kind != "proportion":
            continue
        rows = outcomes[(outcomes["metric"] == metric) & outcomes["denominator"].notna()]
        over = rows["numerator_low"] > rows["denominator"]
        if len(rows) and over.mean() > limit:
            first = rows[over].iloc[0]
            problems.add(
                f"In {over.sum():,} of {len(rows):,} practices the numerator of '{metric}' is over its denominator.",
                f"for example {first['practice_code']}: {first['numerator_low']:,.0f} of {first['denominator']:,.0f}",
                "These are not the right columns, or they are the wrong way round: correct [source.columns].",
            )
    problems.raise_if_any()


def _unmatched(
    study: Study,
    tables: list[SourceTable],
    measured: pd.Index,
    hierarchy: pd.DataFrame,
    listed: tuple[str, ...],
    apart: Sequence[_Apart],
) -> pd.DataFrame:
    """List, in both directions, every practice that was found in one place and not in another."""
    rows = [(code, "in the list, not in the table", study.area.file.name) for code in listed if code not in measured]
    for column, words in (("icb_code", "in the data, no ICB"), ("pcn_code", "in the data, no PCN")):
        if (hierarchy[column] != "").any():
            rows += [(code, words, "") for code in hierarchy.loc[hierarchy[column] == "", "practice_code"]]
    for table in tables:
        here = table.facts.index
        rows += [(code, "measured, not in this file", table.file) for code in measured[~measured.isin(here)]]
        rows += [(code, "in this file, not measured", table.file) for code in sorted(set(here) - set(measured))]
        rows += [
            (code, "in this file, not a practice code", f"{table.file}, row {row}") for code, row in table.not_practices
        ]
    for other in apart:
        detail = f"{other.months}: {other.file}"
        rows += [(code, "in figures of other months, not in the study's", detail) for code in other.codes]
    return pd.DataFrame(rows, columns=schema.names("unmatched"), dtype=object)
