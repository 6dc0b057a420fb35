"""NHS Payments to General Practice: rurality, type of contract, weighted list, funding."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, count
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import (
    distinct,
    in_words,
    names_of,
    once,
    one_edition,
    reasons,
    year_in_name,
)
from gpvar.sources._tabular import note_cells, numbers, practice_codes, provenance_of, strangers, text_frame
from gpvar.study import Period

__all__ = ["read", "tidy"]

_TEXTS = {
    "Practice Name": "practice_name",
    "Contract Type": "contract_type",
    "Dispensing Practice": "dispensing",
    "Practice type": "practice_type",
    "Practice Rurality": "rurality",
    "Atypical characteristics": "atypical",
}
_NUMBERS = {
    "Number of Registered Patients (Last Known Figure)": "registered",
    "Number of Weighted Patients (Last Known Figure)": "weighted",
    "Average payments per registered patient": "funding_per_patient",
}
_DAYS = {"Practice Open Date": "open_date", "Practice Close Date": "close_date"}
_NEEDS = ("Contract Type", "Practice Rurality", *list(_NUMBERS)[:2])


def tidy(part: Part) -> pd.DataFrame:
    """Return one table, row by row, with plain names and types.

    Parameters
    ----------
    part
        A practice-level table of payments.

    Returns
    -------
    DataFrame
        practice_code, practice_name, contract_type, dispensing, practice_type, rurality, atypical (the publisher's
        remark on the practice's data), registered and weighted (patients, averaged over the year), funding_per_patient
        (pounds: all NHS payments before deductions, over registered patients), compared_payments (pounds: the same
        without premises, dispensing and drugs), open_date, close_date (``"2022-07-31"``, ``""`` while open). Columns
        that an edition lacks are left out.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    return _rows(part)[0]


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Read rurality, type of contract, weighted list and funding of one year.

    Parameters
    ----------
    parts
        Practice-level tables of one year or several.
    period
        The study's period; the year nearest to it is used, and one after it only where there is no other.

    Returns
    -------
    SourceTable
        rurality and contract_type (missing where the file says unknown), weighted_list and registered_list (missing
        where they are 0: no patient was registered), funding_per_patient and funding_per_weighted (missing where the
        publisher remarks on the practice's data, as in a practice of part of a year; the second is without premises,
        dispensing and drugs). Practices that closed before the period, and walk-in centres, are left out.

    Raises
    ------
    SourceError
        With everything that is wrong with the file, or when two files of one year do not say the same.
    """
    single, remarks = distinct(parts)
    part, edition, unused = one_edition(single, [year_in_name(part) for part in single], period)
    frame, rows, reason, found = _rows(part)
    by_days = "" if edition else _edition_by_days(frame)
    edition = edition or by_days
    closed = _closed_before(frame, period)
    practice = _is_practice(frame)
    kept = frame[practice & ~closed].set_index("practice_code").sort_index()
    facts = _facts(kept)
    more = reasons(
        (int((~practice).sum()), "of walk-in centres and the like"),
        (int((closed & practice).sum()), f"of practices closed before {in_words(period.start)}"),
    )
    dates = dict.fromkeys(facts.columns, edition) if edition else {}
    remarks += [*unused, *_remarks(facts, edition, by_days)]
    return SourceTable(
        id="nhs_payments",
        file=names_of([part]),
        counts=no_counts(),
        facts=facts,
        provenance=(
            provenance_of(
                part,
                rows_read=rows,
                rows_kept=len(kept),
                reason="; ".join(filter(None, [reason, more])),
                edition=edition,
                dates=dates,
            ),
        ),
        not_practices=found,
        dates=dates,
        remarks=tuple(remarks),
    )


def _rows(part: Part) -> tuple[pd.DataFrame, int, str, tuple[tuple[str, int], ...]]:
    problems = Problems(SourceError, part.member.place)
    total, *others = _payments()
    every = [*_TEXTS, *_NUMBERS, *_DAYS, total, *others]
    text = text_frame(part, ["Practice Code", *_NEEDS], optional=[name for name in every if name not in _NEEDS])
    codes, good = practice_codes(text, "Practice Code", part, problems)
    frame = pd.DataFrame({"practice_code": codes})
    for heading, name in _TEXTS.items():
        if heading in text:
            frame[name] = text[heading].str.split().str.join(" ")
    for heading, name in _NUMBERS.items():
        if heading in text:
            frame[name] = numbers(text, heading, part, problems)
            if name != "funding_per_patient":
                below = frame.index[frame[name] < 0]
                note_cells(text, heading, below, "is below nought", part, problems)
    if {total, *others} <= set(text):
        parts = [numbers(text, heading, part, problems) for heading in others]
        frame["compared_payments"] = numbers(text, total, part, problems) - sum(parts)
    for heading, name in _DAYS.items():
        if heading in text:
            frame[name] = _days(text, heading, part, problems)
    problems.raise_if_any()
    own, doubled = once(frame[good], ["practice_code"], part, "practice")
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "not of practices"))
    return own, len(text), reason, strangers(codes, good, part)


def _payments() -> list[str]:
    """Return the heading of all payments, and those of the payments that are taken off."""
    rules = catalogue.readers()["payments"]
    return [str(rules["total"]), *map(str, rules["not_compared"])]


def _days(text: pd.DataFrame, heading: str, part: Part, problems: Problems) -> pd.Series:
    """Return days written 31/07/2022 as 2022-07-31; these need not be the first of a month."""
    cells = text[heading].str.strip()
    found = pd.to_datetime(cells, format="%d/%m/%Y", errors="coerce")
    found = found.fillna(pd.to_datetime(cells.where(found.isna()), format="%Y-%m-%d", errors="coerce"))
    note_cells(text, heading, cells.index[found.isna() & (cells != "")], "is not a day", part, problems)
    return found.dt.strftime("%Y-%m-%d").fillna("").astype(str)


def _edition_by_days(frame: pd.DataFrame) -> str:
    """Return the March that ends the financial year of the last opening or closure in the file."""
    days = [frame[name].max() for name in _DAYS.values() if name in frame]
    last = max(days, default="")
    if not last:
        return ""
    return f"{int(last[:4]) + (last[5:7] >= '04')}-03"


def _is_practice(frame: pd.DataFrame) -> pd.Series:
    if "practice_type" not in frame:
        return pd.Series(True, index=frame.index)
    kind = catalogue.readers()["payments"]["practice_type"].casefold()
    practice: pd.Series = frame["practice_type"].str.casefold() == kind
    return practice


def _closed_before(frame: pd.DataFrame, period: Period) -> pd.Series:
    if "close_date" not in frame:
        return pd.Series(False, index=frame.index)
    return (frame["close_date"] != "") & (frame["close_date"] < period.first_day.isoformat())


def _facts(kept: pd.DataFrame) -> pd.DataFrame:
    unknown = ["", *catalogue.readers()["payments"]["unknown"]]
    facts = pd.DataFrame(index=kept.index)
    for name in ("rurality", "contract_type"):
        facts[name] = kept[name].mask(kept[name].str.casefold().isin(unknown))
    facts["weighted_list"] = kept["weighted"].where(kept["weighted"] > 0)
    facts["registered_list"] = kept["registered"].where(kept["registered"] > 0)
    whole_year = kept["atypical"] == "" if "atypical" in kept else pd.Series(True, index=kept.index)
    if "funding_per_patient" in kept:
        sound = whole_year & (kept["registered"] > 0) & (kept["funding_per_patient"] >= 0)
        facts["funding_per_patient"] = kept["funding_per_patient"].where(sound)
    if "compared_payments" in kept:
        sound = whole_year & (kept["weighted"] > 0) & (kept["compared_payments"] > 0)
        facts["funding_per_weighted"] = (kept["compared_payments"] / kept["weighted"].where(sound)).where(sound)
    return facts


def _remarks(facts: pd.DataFrame, edition: str, by_days: str) -> list[str]:
    said = [
        f"Year to {in_words(edition)}: {count(len(facts), 'practice')}."
        if edition
        else f"{count(len(facts), 'practice')}."
    ]
    if by_days:
        said.append("The file's name does not say the year: it is told from the last opening or closure in the file.")
    missing = [f"{str(name).replace('_', ' ')} {n:,}" for name, n in facts.isna().sum().items() if n]
    if missing:
        said.append(f"Not known, in practices: {', '.join(missing)}.")
    if "funding_per_patient" in facts:
        said.append(
            "Funding per patient is as published: all NHS payments of the year before deductions, those for premises, "
            "dispensing and drugs among them, divided by registered patients."
        )
    if "funding_per_weighted" in facts:
        said.append("Funding per weighted patient is without payments for premises, dispensing and drugs.")
    return said
