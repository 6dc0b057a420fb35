"""What the readers of official files share: each table once, the nearest edition, rows that stand twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import pandas as pd

from gpvar import catalogue
from gpvar.dates import SHORT_MONTHS, month_in_words, month_number
from gpvar.errors import SourceError
from gpvar.organisations import tidy
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part
from gpvar.sources._tabular import first_row, note_cells
from gpvar.sources.files.members import Member
from gpvar.study import Period
from gpvar.study.model import months_between

_Read = TypeVar("_Read", pd.Series, tuple[pd.Series, pd.Series])


def distinct(parts: Sequence[Part]) -> tuple[list[Part], list[str]]:
    """Return each table once, whatever it is packed in, and a sentence for each copy that was left out."""
    layouts = [part.layout for part in parts]
    kept: dict[object, Part] = {}
    remarks = []
    for part in parts:
        alone = layouts.count(part.layout) == 1
        key = part.layout if alone else (part.layout, _content(part.member))
        if key in kept:
            remarks.append(f"{part.member.label} holds the same table as {kept[key].member.label}: it was used once.")
        else:
            kept[key] = part
    return list(kept.values()), remarks


def _content(member: Member) -> str:
    with member.open() as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def nearest(months: Iterable[str], period: Period, *, after_is_fine: bool = True) -> str:
    """Return the month nearest to the study's period, the latest of equals; one not known only where there is no other.

    Parameters
    ----------
    months
        As ``"2025-03"``; ``""`` where it is not known.
    period
        The study's period.
    after_is_fine
        Whether a month after the period is as good as one before it.
    """
    known_months = sorted({month for month in months if month}, reverse=True)
    if not after_is_fine:
        known_months = [month for month in known_months if month <= period.end] or known_months
    return min(known_months, key=lambda month: distance(month, period), default="")


def distance(month: str, period: Period) -> int:
    """Return how many months lie between a month and the study's period; 0 within it."""
    return max(0, months_between(month, period.start), months_between(period.end, month))


def one_edition(parts: Sequence[Part], editions: Sequence[str], period: Period) -> tuple[Part, str, list[str]]:
    """Return the table of the edition nearest to the period, preferring one that is not after it.

    Raises
    ------
    SourceError
        When two different tables are of that edition.
    """
    chosen = nearest(editions, period, after_is_fine=False)
    same = [part for part, edition in zip(parts, editions, strict=True) if edition == chosen]
    if len(same) > 1:
        raise two_of_one(same, chosen)
    remarks = [
        f"{part.member.label} ({in_words(edition)}) was not used: {in_words(chosen)} is nearer to the study's period."
        for part, edition in zip(parts, editions, strict=True)
        if edition != chosen
    ]
    return same[0], chosen, remarks


def two_of_one(parts: Sequence[Part], edition: str) -> SourceError:
    """Return the error for two different tables of one edition."""
    title = catalogue.layouts()[parts[0].layout].title
    which = f"are both of {in_words(edition)}" if edition else "do not say in their names of when they are,"
    return SourceError(
        f"Two files of {title} {which} and do not say the same.",
        listing(part.member.place for part in parts),
        "Keep the one that was downloaded last from the publisher's page, and take the other out of the study.",
    )


def in_words(month: str) -> str:
    """Return ``"July 2026"`` for ``"2026-07"``."""
    return month_in_words(month) if month else "edition not known"


def month_in_name(part: Part) -> str:
    """Return the month in a file's name (``June 2026``, ``jan2024``, ``062026``), or ``""``."""
    for name in (part.member.name, part.member.path.name):
        plain = name.casefold()
        written = re.search(rf"(?<![a-z])({'|'.join(SHORT_MONTHS)})[a-z]*[\s_.-]*(20\d\d|\d\d(?!\d))", plain)
        if written:
            year = written.group(2)[-2:]
            return f"20{year}-{month_number(written.group(1)):02d}"
        figures = re.search(r"(?<!\d)(0[1-9]|1[0-2])(20\d\d)(?!\d)", plain)
        if figures:
            return f"{figures.group(2)}-{figures.group(1)}"
    return ""


def year_in_name(part: Part) -> str:
    """Return the March that ends the financial year in a file's name (``2425``, ``24-25``, ``2024-25``), or ``""``."""
    for name in (part.member.name, part.member.path.name):
        # Not within a longer run of figures, which is a day: 2025-11-12.
        for first, last in re.findall(r"(?<!\d)(?<!\d[-_])(?:20)?(\d\d)[-_]?(?:20)?(\d\d)(?![-_]?\d)", name):
            if int(last) == int(first) + 1:
                return f"20{last}-03"
    return ""


def by_value(
    reader: Callable[[pd.DataFrame, str, Part, Problems], _Read],
    frame: pd.DataFrame,
    column: str,
    part: Part,
    problems: Problems,
) -> _Read:
    """Return what a reader makes of a column, asking it once for each value; of long columns most values repeat."""
    places, values = pd.factorize(frame[column])
    trial = Problems(SourceError, "")
    found = reader(pd.DataFrame({column: values}), column, part, trial)
    if trial.found:
        # Once more and whole, so that what is wrong is said with its rows.
        return reader(frame, column, part, problems)
    if isinstance(found, tuple):
        return tuple(_spread(one, places, frame) for one in found)  # type: ignore[return-value]
    return _spread(found, places, frame)


def _spread(found: pd.Series, places: Any, frame: pd.DataFrame) -> pd.Series:
    return found.take(places).set_axis(frame.index)


def area_codes(frame: pd.DataFrame, column: str, part: Part, problems: Problems) -> pd.Series:
    """Return tidy codes of areas or networks; those that a spreadsheet has made numbers of are noted.

    A spreadsheet drops noughts in front and reads an E between figures as a power of ten; no code is all figures.
    """
    codes = tidy(frame[column])
    values = codes.drop_duplicates()
    mangled = values[values.str.fullmatch(r"\d+(?:\.\d+)?(?:E[+-]\d+)?") | values.str.len().between(1, 2)]
    mangled = mangled[mangled != "U"]
    why = "is not a code: a spreadsheet has taken the code for a number"
    note_cells(frame, column, codes.index[codes.isin(mangled)], why, part, problems)
    return codes


def note_blanks(frame: pd.DataFrame, column: str, part: Part, problems: Problems) -> None:
    """Note cells without the number that every row of the published file has."""
    blank = frame.index[frame[column].str.strip() == ""]
    if len(blank):
        problems.add(
            f"{count(len(blank), 'cell')} of the column {column} {'holds' if len(blank) == 1 else 'hold'} no number.",
            f"row {int(blank[0]) + first_row(part)}",
            "Download the file again: as published, every row has a number.",
        )


def once(frame: pd.DataFrame, keys: list[str], part: Part, what: str) -> tuple[pd.DataFrame, int]:
    """Return rows without those that stand twice word for word, and how many those were.

    Parameters
    ----------
    frame
        Columns as read.
    keys
        The columns of which no two rows may hold the same values.
    what
        What a row is, for the message, such as ``"practice and register"``.

    Raises
    ------
    SourceError
        When two rows have the same keys and say different things.
    """
    doubled = frame.duplicated(keys, keep=False)
    if not doubled.any():
        return frame, 0
    single = frame.drop_duplicates()
    torn = single[single.duplicated(keys, keep=False)]
    if len(torn):
        named = listing((" ".join(str(cell) for cell in row) for row in torn[keys].drop_duplicates().to_numpy()), 4)
        raise SourceError(
            f"{count(len(torn), 'row')} stand more than once for the same {what} and say different things: {named}.",
            part.member.place,
            "Two editions seem to have been put together: use each as it was published, in a file of its own.",
        )
    return single, len(frame) - len(single)


def absent_regions(codes: Iterable[str]) -> list[str]:
    """Return sentences about regions of England of which a file holds nothing, where it holds others."""
    here = set(codes)
    absent = [f"{name} ({code})" for code, name in catalogue.readers()["regions"].items() if code not in here]
    if 0 < len(absent) < len(catalogue.readers()["regions"]):
        return [f"Nothing in the file is of {listing(absent)}: part of it may be missing."]
    return []


def reasons(*said: tuple[int, str]) -> str:
    """Return why rows were dropped, as ``"412 rows of networks; 3 rows standing twice"``, leaving out noughts."""
    return "; ".join(f"{count(number, 'row')} {why}" for number, why in said if number)


def names_of(parts: Iterable[Part]) -> str:
    """Return the names of files, for messages."""
    return listing(dict.fromkeys(part.member.path.name for part in parts), 4)


def against_published(source: str, edition: str, practices: int, patients: float) -> str:
    """Return a sentence that holds a file against the totals that its publication prints."""
    here = f"{practices:,} practices and {patients:,.0f} patients"
    for row in catalogue.readers()["published"]:
        if row["source"] == source and row["edition"] == edition:
            if (row["practices"], row["patients"]) == (practices, patients):
                return f"{here}, as published."
            published = f"{row['practices']:,} practices and {row['patients']:,} patients"
            return f"{here}; the publication has {published}, so part of it may be missing or changed."
    return f"{here}."
