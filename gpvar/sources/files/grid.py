"""From rows to named columns of text: the heading row, the columns asked for, and each value's row in the file."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from gpvar.problems import Problems, closest, listing
from gpvar.sources.files.reading import Rows
from gpvar.study import SourceSpec

#: A title and notes may stand above the headings.
_ROWS_ABOVE = 40


@dataclass(frozen=True, slots=True)
class Grid:
    """The columns asked for, as text.

    Attributes
    ----------
    cells
        Heading, as the study writes it → one text per row.
    row
        Row number of each row, as a spreadsheet shows it.
    letters
        Heading → the column's letter in a spreadsheet.
    """

    cells: pd.DataFrame
    row: pd.Series
    letters: dict[str, str]


def plain_heading(text: str) -> str:
    """Return a heading without the differences that people do not see: spaces, capitals, forms of one letter."""
    return " ".join(unicodedata.normalize("NFC", text).replace("\ufeff", "").split()).casefold()


def take_columns(rows: Rows, spec: SourceSpec, wanted: Iterable[str], problems: Problems) -> Grid | None:
    """Return the wanted columns; note what is missing and return None when any is."""
    wanted = list(dict.fromkeys(wanted))
    above, header, number = [], [], 0
    asked = {plain_heading(heading) for heading in wanted}
    for number, cells in itertools.islice(rows.numbered, _ROWS_ABOVE):
        above.append((number, cells))
        if plain_heading(str(spec.columns["practice_code"])) in map(plain_heading, cells):
            header = cells
            break
    if not header:
        filled = [cells for _, cells in above if sum(bool(cell.strip()) for cell in cells) > 1]
        header = max(filled, key=lambda cells: len(asked & set(map(plain_heading, cells))), default=[])
    places = _places(header, wanted, rows, problems)
    if places is None:
        return None
    taken, at = _take(rows, places, len(header), problems)
    letters = {heading: column_letter(place) for heading, place in places.items()}
    return Grid(pd.DataFrame(taken, columns=list(places), dtype=object), pd.Series(at, dtype="int64"), letters)


def column_letter(place: int) -> str:
    """Return the letter of the column at `place`, counted from nought, as a spreadsheet shows it."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _places(header: list[str], wanted: list[str], rows: Rows, problems: Problems) -> dict[str, int] | None:
    plain = [plain_heading(cell) for cell in header]
    there = [" ".join(cell.split()) for cell in header if cell.strip()]
    places, strange, fine = {}, [], True
    for heading in wanted:
        exact = [i for i, cell in enumerate(header) if cell.strip() == heading.strip()]
        found = exact or [i for i, cell in enumerate(plain) if cell == plain_heading(heading)]
        if len(found) == 1:
            places[heading] = found[0]
            continue
        if found:
            fine = False
            letters = listing(column_letter(i) for i in found)
            fix = "Give the columns different headings."
            problems.add(f"{len(found)} columns are headed '{heading}'.", f"columns {letters}", fix)
        else:
            strange.append(heading)
    _note_missing(strange, there, rows, problems)
    return places if fine and not strange else None


def _note_missing(headings: list[str], there: list[str], rows: Rows, problems: Problems) -> None:
    """Note headings that are not there: one by one where they look like others, together where the file looks wrong."""
    alone = [heading for heading in headings if closest(heading, there)]
    for heading in alone:
        meant = " or ".join(f"'{item}'" for item in closest(heading, there))
        fix = f"Did you mean {meant}? Correct the heading under [source.columns]."
        problems.add(f"The file has no column '{heading}'.", "", fix)
    rest = [f"'{heading}'" for heading in headings if heading not in alone]
    if rest:
        which = f"no column {rest[0]}" if len(rest) == 1 else f"none of the columns {listing(rest, 12)}"
        problems.add(f"The file has {which}.", "", _advice(there, rows))


def _advice(there: list[str], rows: Rows) -> str:
    merged = [area for area in rows.merged if area[0] <= _ROWS_ABOVE and area[3] > area[1]]
    if merged:
        return "The headings hold merged cells: unmerge them, so that each column has its own heading in one row."
    if not there:
        return "No row of headings was found: put the headings in one row above the figures."
    sheet = f" (sheet {rows.sheet})" if rows.sheet else ""
    return f"Its columns are {listing(there, 12)}{sheet}. Correct [source.columns], or name the right file or sheet."


def _take(rows: Rows, places: dict[str, int], width: int, problems: Problems) -> tuple[list[list[str]], list[int]]:
    taken, at = [], []
    indices = list(places.values())
    for number, cells in rows.numbered:
        if not any(cell.strip() for cell in cells):
            continue
        extra = [cell for cell in cells[width:] if cell.strip()]
        if extra:
            fix = "A value that holds the delimiter needs quotation marks around it."
            what = f"A row has more values than there are headings ({width})."
            problems.add(what, f"row {number}, which ends '{extra[-1][:40]}'", fix)
        taken.append([cells[i] if i < len(cells) else "" for i in indices])
        at.append(number)
    return taken, at
