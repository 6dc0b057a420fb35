"""Tell a practice's own download, which is headed as the practice-level appointments are, from the publication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gpvar.catalogue import appointments as facts
from gpvar.errors import SourceError
from gpvar.problems import Problems
from gpvar.sources._parts import Part
from gpvar.sources.appointments.crosstab import consume
from gpvar.sources.appointments.rows import Reading, Rows
from gpvar.sources.appointments.tally import Counted

_CROSSTAB, _MAPPING = "gpad_crosstab", "gpad_mapping"


def half_of(part: Part) -> str:
    """Return which half of a month a table says that it is, by its name; ``""`` where it says none."""
    name = (part.member.name or part.member.path.name).casefold()
    return next((half.name for half in facts.halves() if half.name.casefold() in name), "")


def own_among(parts: Sequence[Part]) -> set[Part]:
    """Return which tables are a practice's own download; of large ones only the first rows are read.

    Parameters
    ----------
    parts
        Every table that a study could use.

    Returns
    -------
    set of Part
        See `note_own_downloads`.
    """
    tables = [part for part in parts if part.layout == _CROSSTAB]
    published = _published(parts)
    doubtful = {part: _practices(part) for part in tables if part not in published}
    # What else is there matters only for tables of a few practices.
    few = any(1 < number < facts.own_download_below() for number in doubtful.values())
    return _own(doubtful | ({part: _practices(part) for part in published} if few else {}), parts)


def note_own_downloads(tables: Sequence[Counted], parts: Sequence[Part], problems: Problems) -> None:
    """Note tables that are a practice's own download: it would be counted beside the publication, or in its place.

    Those are tables of one practice, and tables of few practices beside one of many. Where every table holds few, as
    in a small simulated England, they are the publication; and so is a named half, or a zip with its mapping.

    Parameters
    ----------
    tables
        The tables of the crosstab, added up.
    parts
        Every table of the study's files.
    problems
        What is wrong is noted here.
    """
    codes = {table.part: sorted({code for month in table.months.values() for code in month.codes}) for table in tables}
    own = _own({part: len(held) for part, held in codes.items()}, parts)
    for part in (part for part in codes if part in own):
        who = f"one practice, {codes[part][0]}" if len(codes[part]) == 1 else f"only {len(codes[part])} practices"
        problems.add(
            f"This file holds the appointments of {who}: it is a practice's own download and not the publication.",
            part.member.place,
            "Leave it out. To hold it against what is published: python run.py appointments STUDY "
            f"{codes[part][0]} --own {part.member.path.name}",
        )


def _own(practices: Mapping[Part, int], parts: Sequence[Part]) -> set[Part]:
    few = facts.own_download_below()
    many = max(practices.values(), default=0) >= few
    own = {part for part, number in practices.items() if number == 1 or (many and 0 < number < few)}
    return own - _published(parts)


def _published(parts: Sequence[Part]) -> set[Part]:
    """Return tables of the crosstab that are the publication by what lies with them, or by their names."""
    zips = {part.member.path for part in parts if part.layout == _MAPPING and part.member.name}
    return {part for part in parts if part.layout == _CROSSTAB and (part.member.path in zips or half_of(part))}


def _practices(part: Part) -> int:
    """Return how many practices a table holds, counted until they are many; 0 where it cannot be read."""

    def number(reading: Reading, rows: Iterator[Rows]) -> int:
        words = reading.words["practice_code"]
        for _ in rows:
            if len(words.texts) >= facts.own_download_below():
                break
        return len(words.texts)

    try:
        return consume(part, number, keep=False)
    except SourceError:
        return 0
