"""Lists that put practices into groups of people's own: neighbourhoods, federations, local medical committees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.organisations.codes import looks_like_practice_code, plain_text
from gpvar.organisations.finding import alike_codes
from gpvar.problems import Problems, closest, count, listing


@dataclass(frozen=True, slots=True)
class PracticeGroups:
    """A list of practices, and the group of each.

    Attributes
    ----------
    heading
        The heading of the column that names the groups, as the list writes it.
    groups
        Practice code → group, in the order of the list. Spellings that differ only in capitals, spaces or punctuation
        are one group, written as it first stands.
    repeated
        Rows that say again what an earlier row says.
    """

    heading: str
    groups: dict[str, str]
    repeated: int = 0


def check_groups(
    cells: pd.DataFrame, place: str, known: Iterable[str] | None = None, column: str = ""
) -> PracticeGroups:
    """Take practices and their groups from the cells of a list; raise all that is wrong as one `SourceError`.

    Parameters
    ----------
    cells
        Text, with the list's own headings; the index is the row number that a spreadsheet shows.
    place
        The file, as a person would name it.
    known
        Codes of practices that the data hold; others are refused. Not checked when None.
    column
        The heading of the groups; found by itself when it is called neighbourhood, federation, LMC or the like, or when
        there is only one that it can be.

    Returns
    -------
    PracticeGroups

    Raises
    ------
    SourceError
        When no column holds practice codes or groups; when a practice is in two groups, a code is unknown or a group is
        blank, with every such row at once.
    """
    cells = _tidied(cells, place)
    codes = _code_column(cells, place)
    heading = _group_column(cells, codes, column, place)
    problems = Problems(SourceError, place)
    groups, spelt, homes, repeated = {}, {}, {}, 0
    held = None if known is None else set(known)
    for row, code, group in zip(cells.index, cells[codes].str.upper(), cells[heading], strict=True):
        if not _is_fit(code, group, row, heading, held, problems):
            continue
        name = spelt.setdefault(plain_text(group), group)
        if code not in groups:
            groups[code], homes[code] = name, row
        elif groups[code] == name:
            repeated += 1
        else:
            said = f"{code} is in two groups: {groups[code]} and {name}."
            problems.add(said, f"rows {homes[code]} and {row}", "A practice belongs to one group of a list: keep one.")
    problems.raise_if_any()
    return PracticeGroups(heading, groups, repeated)


def _is_fit(code: str, group: str, row: object, heading: str, known: set[str] | None, problems: Problems) -> bool:
    """Return whether a row can be used, noting what is wrong with it."""
    where, noted = f"row {row}", len(problems.found)
    if not code:
        problems.add(f"'{group}' stands in a row without a practice code.", where, "Write the code, or clear the row.")
    elif not looks_like_practice_code(code):
        fix = "Practice codes are a letter and five digits, such as A81001; correct it, or take the row out."
        problems.add(f"'{code}' cannot be a practice code.", where, fix)
    elif known is not None and code not in known:
        near = alike_codes(code, sorted(known))
        meant = f"Did you mean {listing(near)}? " if near else ""
        problems.add(f"No practice of the data has the code {code}.", where, f"{meant}Correct it, or take the row out.")
    if code and not group:
        problems.add(f"{code} is in no group: '{heading}' is blank.", where, "Write its group, or take the row out.")
    return len(problems.found) == noted


def _tidied(cells: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return cells without needless spaces or blank rows, every heading there once."""
    if any(looks_like_practice_code(str(name)) for name in cells.columns):
        fix = "Add a first row of headings, such as practice_code and neighbourhood."
        raise SourceError("The list has no headings: its first row already names a practice.", place, fix)
    pairs = enumerate(zip(cells.columns, cells.columns.duplicated(), strict=True), 1)
    names = [f"{name} (column {at})" if twice else str(name) for at, (name, twice) in pairs]
    cells = cells.set_axis(names, axis=1).fillna("").astype(str)
    cells = cells.apply(lambda own: own.str.split().str.join(" "))
    return cells[cells.ne("").any(axis=1)]


def _code_column(cells: pd.DataFrame, place: str) -> str:
    """Return the column that holds the most practice codes."""
    found = {name: int(cells[name].map(looks_like_practice_code).sum()) for name in cells.columns}
    best = max(found, key=lambda name: found[name], default="")
    if not found or found[best] == 0:
        fix = "Put the practices' codes in one column: a letter and five digits, such as A81001."
        raise SourceError("No column of this list holds practice codes.", place, fix)
    return best


def _group_column(cells: pd.DataFrame, codes: str, asked: str, place: str) -> str:
    others = [str(name) for name in cells.columns if name != codes and cells[name].ne("").any()]
    if asked:
        fits = [name for name in others if _plain(name) == _plain(asked)]
        if len(fits) == 1:
            return fits[0]
        near = closest(asked, others, 1)
        fix = f"Did you mean '{near[0]}'?" if near else f"Its other columns are: {listing(others) or 'none'}."
        raise SourceError(f"The list has no column '{asked}' of groups.", place, fix)
    words = catalogue.conventions()["lists"]
    named = [name for name in others if {word.rstrip("s") for word in _plain(name).split()} & set(words["group"])]
    left = named or [name for name in others if _plain(name) not in words["not_group"]]
    if len(left) == 1:
        return left[0]
    if not left:
        fix = "Add a column headed neighbourhood, federation or LMC, with the group of each practice."
        raise SourceError("The list has codes of practices and no column of groups.", place, fix)
    said = f"{count(len(left), 'column')} of the list could name the groups: {listing(left)}."
    raise SourceError(said, place, f'Say which one: column = "{left[0]}" under [[list]].')


def _plain(heading: str) -> str:
    return plain_text(heading.replace("_", " "))
