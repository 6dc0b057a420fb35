"""From bytes to rows of text: encodings, delimiters and sheets, with the row numbers that a spreadsheet shows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import python_calamine as calamine

from gpvar.errors import SourceError
from gpvar.problems import count, listing, nearest
from gpvar.sources.files.opening import MAX_BYTES, Opened, open_file

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table as text.

    Attributes
    ----------
    opened
        The file they came from.
    sheet
        The sheet's name; empty for a text file.
    numbered
        Row number, as a spreadsheet shows it, and the cells of each row.
    merged
        Ranges of merged cells as ``(first row, first column, last row, last column)``, counted from 1.
    """

    opened: Opened
    sheet: str
    numbered: Iterator[tuple[int, list[str]]]
    merged: tuple[tuple[int, int, int, int], ...] = ()


def read_rows(path: Path, sheet: str | None = None, max_bytes: int = MAX_BYTES) -> Rows:
    """Read a CSV file or one sheet of a workbook.

    Parameters
    ----------
    path
        CSV (also packed as .gz), or an Excel or OpenDocument workbook.
    sheet
        The sheet; the only one, or the first that holds a table, by default.
    max_bytes
        The most that is read.

    Raises
    ------
    SourceError
        When the file or the sheet cannot be read whole.
    """
    opened = open_file(path, max_bytes)
    if opened.kind == "workbook":
        return _workbook(opened, sheet)
    if sheet:
        raise SourceError(
            f"The study names the sheet '{sheet}', but this is a text file and has no sheets.",
            str(path),
            "Take sheet = out of the study file, or name the workbook.",
        )
    return Rows(opened, "", _text_rows(opened))


def sheet_names(path: Path, max_bytes: int = MAX_BYTES) -> list[str]:
    """Return the names of a workbook's sheets; none for a text file."""
    opened = open_file(path, max_bytes)
    return _book(opened).sheet_names if opened.kind == "workbook" else []


def _text_rows(opened: Opened) -> Iterator[tuple[int, list[str]]]:
    text = decode(opened.data, opened.path)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width, number, row, last = 0, 0, [], 0
    try:
        for row in reader:
            number, last = last + 1, reader.line_num
            width = max(width, len(row))
            yield number, row
    except csv.Error:
        raise SourceError(
            "A quotation mark is opened and not closed, or stands inside a value.",
            f"{opened.path}, row {last + 1}",
            "The file may be cut short: download or export it again. Otherwise mend that row.",
        ) from None
    cut_short = not text.endswith(("\n", "\r")) and number > 1 and len(row) < width
    if cut_short:
        raise SourceError(
            "The last row stops half-way, so the file was cut short; nothing of it was used.",
            f"{opened.path}, row {number}",
            "Download or copy it again.",
        )


def decode(data: bytes, path: Path) -> str:
    """Return text from bytes in UTF-8 (with or without a mark), UTF-16 or Windows-1252; refuse a mixture.

    Raises
    ------
    SourceError
        When the file holds two encodings, or none of those known.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:200]:
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_mixture(data, error.start, path)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise SourceError(
            "The file is in an encoding that is not known.",
            f"{path}, row {row}",
            "Open it in Excel and save it as 'CSV UTF-8'.",
        ) from None


def _refuse_mixture(data: bytes, first_bad: int, path: Path) -> None:
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        bad_row = data[:first_bad].count(b"\n") + 1
        raise SourceError(
            "The file mixes two encodings, so letters with accents cannot be read for certain.",
            f"{path}: row {number} is UTF-8, row {bad_row} is not",
            "Export both parts in one encoding, or mend those names, and save as 'CSV UTF-8'.",
        )


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the opening rows into the most cells."""
    opening = text[:20_000].splitlines()[:30]
    counts = {mark: sorted(line.count(mark) for line in opening) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: (counts[mark][len(opening) // 2], counts[mark][-1]))


def _book(opened: Opened) -> calamine.CalamineWorkbook:
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(opened.data))
    except calamine.PasswordError:
        raise SourceError(
            "The workbook is protected by a password.",
            str(opened.path),
            "Open it in Excel, remove the password (File, Info, Protect Workbook), and save it.",
        ) from None
    except calamine.CalamineError:
        raise _damaged(opened.path) from None


def _damaged(path: Path) -> SourceError:
    return SourceError(
        "The workbook cannot be read: it is damaged or not an Excel file.",
        str(path),
        "Open it in Excel, choose Save As, 'Excel Workbook (.xlsx)', and name that file.",
    )


def _workbook(opened: Opened, asked: str | None) -> Rows:
    book = _book(opened)
    name = _sheet(book.sheet_names, asked, opened.path)
    try:
        sheet = book.get_sheet_by_name(name)
        first_row, first_column = sheet.start or (0, 0)
        cells = sheet.to_python(skip_empty_area=True)
        merged = tuple((a[0] + 1, a[1] + 1, b[0] + 1, b[1] + 1) for a, b in (sheet.merged_cell_ranges or ()))
    except calamine.CalamineError:
        raise _damaged(opened.path) from None
    _refuse_uncalculated(opened, book.sheet_names.index(name), name)
    rows = ((first_row + i + 1, [""] * first_column + [_as_text(cell) for cell in row]) for i, row in enumerate(cells))
    return Rows(opened, name, rows, merged)


def _sheet(names: list[str], asked: str | None, path: Path) -> str:
    if not names:
        raise SourceError("The workbook has no sheets.", str(path), "Save it again from Excel.")
    if asked is None:
        if len(names) == 1:
            return names[0]
        raise SourceError(
            f"The workbook has {len(names)} sheets: {listing(names)}.",
            str(path),
            f'Say which one holds the table: sheet = "{names[0]}" under [[source]].',
        )
    plain = {" ".join(name.split()).casefold(): name for name in names}
    found = plain.get(" ".join(asked.split()).casefold())
    if found is None:
        raise SourceError(
            f"The workbook has no sheet '{asked}'.{nearest(asked, names)}",
            str(path),
            f"Its sheets are: {listing(names)}. Correct sheet = in the study file.",
        )
    return found


def _as_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return str(cell)


_UNCALCULATED = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"([^>]*)>\s*<f(?:/>|[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)


def _refuse_uncalculated(opened: Opened, index: int, name: str) -> None:
    """Refuse formulas whose result was never stored: they would read as blank, and blank means missing."""
    if opened.data[:2] != b"PK":
        return
    with zipfile.ZipFile(io.BytesIO(opened.data)) as parts:
        part = part_of_sheet(parts, index)
        cells = _UNCALCULATED.findall(parts.read(part)) if part else []
    # A formula that gives an empty text has an empty result of the type "str", which is a blank like any other.
    found = [cell.decode() for cell, attributes in cells if b't="str"' not in attributes]
    if found:
        raise SourceError(
            f"{count(len(found), 'cell holds a formula', 'cells hold formulas')} without a stored result.",
            f"{opened.path}, sheet {name}, cells {listing(found, 5)}",
            "Open the workbook in Excel, let it calculate, and save it; or paste the values over the formulas.",
        )


def part_of_sheet(parts: zipfile.ZipFile, index: int) -> str | None:
    """Return the name of the part that holds the sheet at `index`, through the workbook's own list."""
    names = parts.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    ids = re.findall(
        r'<(?:\w+:)?sheet\b[^>]*?\br:id="([^"]+)"', parts.read("xl/workbook.xml").decode("utf-8", "replace")
    )
    targets = {}
    for tag in re.findall(
        r"<(?:\w+:)?Relationship\b[^>]*>", parts.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    ):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        targets[attributes.get("Id", "")] = attributes.get("Target", "")
    if index >= len(ids) or ids[index] not in targets:
        return None
    target = targets[ids[index]].lstrip("/")
    part = target if target.startswith("xl/") else f"xl/{target}"
    return part if part in names else None
