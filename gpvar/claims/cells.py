"""From a letter's file, or the tables of a study, to cells of text: what a person sees, and where it stands."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl

from gpvar.catalogue import letter_form
from gpvar.errors import SourceError, StudyError
from gpvar.problems import Problems, count, listing, nearest
from gpvar.sources.files.grid import column_letter
from gpvar.sources.files.opening import open_file
from gpvar.sources.files.reading import part_of_sheet, read_rows

#: The empty form is 20 kB; a hundred sentences are 40 kB.
MAX_BYTES = 2_000_000
MAX_ROWS = 500
_HEADINGS_WITHIN = 40
_SAVE_AS = "Open it in Excel or LibreOffice, choose Save As, 'Excel Workbook (.xlsx)', and name that file."
_TYPE_IT = "Type its sentences into letter.xlsx ('new FOLDER' writes an empty one), one to a row."


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell.

    Attributes
    ----------
    text
        As a person sees it: a number with the decimals and the per cent sign that its format shows.
    place
        Column and letter, for messages.
    date
        Where the spreadsheet holds a date.
    day_and_month
        Whether it shows that date without its year.
    wrong
        Why the cell cannot be read at all; empty where it can.
    """

    text: str
    place: str = ""
    date: dt.date | None = None
    day_and_month: bool = False
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a letter, or one ``[[claim]]`` of a study: field → cell, blank ones left out."""

    file: str
    where: str
    cells: Mapping[str, Cell]
    in_study: bool = False


@dataclass(slots=True)
class _Sheet:
    """A sheet as it was read: row and column numbers from 1 → cell, and its merged ranges."""

    name: str
    cells: dict[int, dict[int, Cell]] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)


def rows_of_file(path: Path, problems: Problems) -> list[Row]:
    """Return the rows of a letter that are not blank; note what keeps any of them from being read.

    Raises
    ------
    StudyError
        When the file cannot be read, or holds no letter.
    """
    try:
        opened = open_file(path, MAX_BYTES)
        sheets = _workbook(opened.data, path) if opened.kind == "workbook" else [_text(path)]
    except SourceError as error:
        raise _about_a_letter(error) from None
    sheet, top = _letter(sheets, path)
    _note_examples(sheets, sheet, problems)
    return _rows(sheet, top, path.name, problems)


def rows_of_tables(tables: tuple[dict[str, Any], ...], file: str, problems: Problems) -> list[Row]:
    """Return the ``[[claim]]`` tables of a study as rows."""
    rows = []
    for number, table in enumerate(tables, 1):
        where, cells = f"[[claim]] {number}", {}
        for word, value in table.items():
            place = f"{where}, {word}"
            if word not in letter_form.columns():
                known = letter_form.columns()
                fix = nearest(word, known).strip() or f"The words known here are {', '.join(known)}."
                problems.add(f"A claim has no word '{word}'.", where, fix)
            elif isinstance(value, bool | list | dict):
                problems.add(f"'{word}' must be text between quotation marks.", place, f'Write {word} = "…".')
            else:
                cells[word] = _toml_cell(value, word)
        rows.append(Row(file, where, {name: cell for name, cell in cells.items() if cell.text}, in_study=True))
    return rows


def _toml_cell(value: object, word: str) -> Cell:
    date = value.date() if isinstance(value, dt.datetime) else value if isinstance(value, dt.date) else None
    text = f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
    return Cell(tidy(text), word, date)


def tidy(text: str) -> str:
    """Return text on one line, without characters that cannot be seen."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())


# --- files -----------------------------------------------------------------------------------------------------------


def _about_a_letter(error: SourceError) -> StudyError:
    """Return an error about a table of practices as one about a letter."""
    problem, fix = error.problem, error.fix
    if problem.startswith(("The data file is not there", "The file is empty")):
        problem = problem.replace("data file", "letter")
        fix = re.sub(r"[Cc]orrect file = in the study file", "Correct letter = in the study file", fix)
        fix = fix.replace("; it should hold a table", ", or take letter = out of the study file")
    elif problem.startswith("The file is too large"):
        problem = problem.replace("a table of practices", "a letter")
        fix = "Keep the rows of text only, without pictures, and save that as a file of its own."
    elif "PDF" in problem or "JSON" in problem or "neither text nor" in problem or "zip archive" in problem:
        problem, fix = problem.replace("not a table", "not a sheet of sentences"), _TYPE_IT
    return StudyError(problem, error.where, fix)


def _text(path: Path) -> _Sheet:
    sheet = _Sheet("")
    for number, values in read_rows(path, max_bytes=MAX_BYTES).numbered:
        found = {i: Cell(tidy(value)) for i, value in enumerate(values, 1) if tidy(value)}
        if found:
            sheet.cells[number] = found
            _refuse_long(sheet, path)
    return sheet


def _workbook(data: bytes, path: Path) -> list[_Sheet]:
    names = zipfile.ZipFile(BytesIO(data)).namelist() if data[:2] == b"PK" else []
    if any(name.startswith("word/") for name in names):
        raise StudyError("This is a Word document; gpvar does not read letters by itself.", str(path), _TYPE_IT)
    if "xl/workbook.xml" not in names:
        raise StudyError("This is an old or another kind of spreadsheet, not an .xlsx workbook.", str(path), _SAVE_AS)
    try:
        with warnings.catch_warnings():
            # Excel writes its own lists and formats in ways that openpyxl leaves out, and says so.
            warnings.simplefilter("ignore")
            return _sheets(data, path)
    except StudyError:
        raise
    except Exception:
        # openpyxl has no error of its own for a workbook that is damaged: it stumbles over what it finds.
        raise StudyError(
            "The workbook cannot be read: it is damaged or not an Excel file.", str(path), _SAVE_AS
        ) from None


def _sheets(data: bytes, path: Path) -> list[_Sheet]:
    shown = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    written = openpyxl.load_workbook(BytesIO(data), read_only=True)
    sheets = []
    with zipfile.ZipFile(BytesIO(data)) as parts:
        for number, title in enumerate(shown.sheetnames):
            if not hasattr(shown[title], "iter_rows"):
                continue
            sheet = _Sheet(title)
            part = part_of_sheet(parts, number)
            sheet.merged = (
                re.findall(r'<mergeCell ref="([A-Z0-9:]+)"', parts.read(part).decode("utf-8")) if part else []
            )
            _fill(sheet, shown[title], path)
            _note_uncalculated(sheet, written[title])
            sheets.append(sheet)
    return sheets


def _fill(sheet: _Sheet, read: Any, path: Path) -> None:
    # Some programs write a wrong extent, at which reading would stop.
    read.reset_dimensions()
    for row in read.iter_rows():
        for cell in row:
            if cell.value is None:
                continue
            found = _cell(cell.value, str(cell.number_format or ""), cell.data_type)
            if found.text:
                sheet.cells.setdefault(cell.row, {})[cell.column] = found
        _refuse_long(sheet, path)


def _note_uncalculated(sheet: _Sheet, written: Any) -> None:
    """Keep formulas whose result was never stored as cells that cannot be read: they would pass for blank."""
    written.reset_dimensions()
    for row in written.iter_rows():
        for cell in row:
            if cell.value is not None and cell.data_type == "f" and cell.column not in sheet.cells.get(cell.row, {}):
                wrong = "A cell holds a formula without a stored result."
                sheet.cells.setdefault(cell.row, {})[cell.column] = Cell("a formula", wrong=wrong)


def _refuse_long(sheet: _Sheet, path: Path) -> None:
    if len(sheet.cells) > MAX_ROWS:
        where = f"{path}, sheet {sheet.name}" if sheet.name else str(path)
        raise StudyError(
            f"The sheet has more than {MAX_ROWS} rows, which is no letter.", where, "Keep one row for each sentence."
        )


def _cell(value: object, number_format: str, data_type: str) -> Cell:
    if data_type == "e":
        return Cell(str(value), wrong="A formula has failed here.")
    if isinstance(value, dt.datetime):
        return Cell(value.date().isoformat(), date=value.date(), day_and_month="y" not in number_format.casefold())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Cell(as_shown(value, number_format))
    return Cell(tidy(str(value)))


def as_shown(value: float, number_format: str) -> str:
    """Return a stored number as its cell shows it: 0.312 in a cell of per cent is ``"31.2%"``.

    Excel gives a share that is typed as 31.2% the format 0.00%, which the letter did not print: up to two decimals,
    those that the stored number needs are taken, and beyond that those of the format.
    """
    plain = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.|[_*].', "", number_format.split(";")[0])
    percent = "%" in plain
    number = (Decimal(f"{value:.12g}") * (100 if percent else 1)).normalize()
    decimals = re.search(r"\.([0#?]+)", plain)
    most = len(decimals.group(1)) if decimals else 0
    if re.search(r"[0#?]", plain) and -int(number.as_tuple().exponent) > max(2, most):
        number = round(number, most)
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text}%" if percent else text


# --- the sheet of the letter -----------------------------------------------------------------------------------------


def _headings() -> dict[str, str]:
    """Return what heads a column, in plain words, and its field."""
    found = {letter_form.plain(column.heading): name for name, column in letter_form.columns().items()}
    return found | {letter_form.plain(name): name for name in letter_form.columns()}


def _top(sheet: _Sheet) -> int:
    """Return the row of headings; 0 where there is none."""
    known = _headings()
    for number in sorted(sheet.cells)[:_HEADINGS_WITHIN]:
        fields = {known.get(letter_form.plain(cell.text)) for cell in sheet.cells[number].values()} - {None}
        if "template" in fields or len(fields) > 3:
            return number
    return 0


def _letter(sheets: list[_Sheet], path: Path) -> tuple[_Sheet, int]:
    """Return the sheet that holds the letter, and the row of its headings."""
    tops = {sheet.name: _top(sheet) for sheet in sheets}
    plain = {sheet.name: letter_form.plain(sheet.name) for sheet in sheets}
    named = [sheet for sheet in sheets if plain[sheet.name] == letter_form.LETTER and tops[sheet.name]]
    found = named or [sheet for sheet in sheets if tops[sheet.name] and plain[sheet.name] not in letter_form.BESIDE]
    if len(found) == 1:
        return found[0], tops[found[0].name]
    if found:
        raise StudyError(
            f"{len(found)} sheets have the headings of a letter: {listing(sheet.name for sheet in found)}.",
            str(path),
            "Keep one, call it 'letter', and put all sentences there.",
        )
    which = f" Its sheets are {listing(plain)}." if any(plain) else ""
    heading = letter_form.columns()["template"].heading
    raise StudyError(
        f"No row of headings was found: a letter has a column '{heading}'.{which}",
        str(path),
        "Use the sheet that 'new FOLDER' writes (letter.xlsx), with its headings as they are; or correct letter = in "
        "the study file.",
    )


def _fields(sheet: _Sheet, top: int, problems: Problems) -> dict[int, str]:
    """Return column number → field; note headings that are not known or stand there twice."""
    known, fields = _headings(), {}
    for column, cell in sorted(sheet.cells[top].items()):
        name = known.get(letter_form.plain(cell.text))
        where = f"row {top}, column {column_letter(column - 1)}"
        if name is None:
            meant = nearest(cell.text, [column.heading for column in letter_form.columns().values()])
            fix = meant.strip() or "Take the column out; remarks of your own belong in the column 'Your own note'."
            problems.add(f"There is no column called '{cell.text[:40]}'.", where, fix)
        elif name in fields.values():
            problems.add(f"Two columns are headed '{cell.text}'.", where, "Keep one of them.")
        else:
            fields[column] = name
    if "template" not in fields.values():
        heading = letter_form.columns()["template"].heading
        problems.add(
            f"There is no column '{heading}'.", f"row {top}", "Put the heading back, and choose from its list."
        )
    return fields


def _rows(sheet: _Sheet, top: int, file: str, problems: Problems) -> list[Row]:
    fields = _fields(sheet, top, problems)
    taken = [area for area in sheet.merged if max(map(int, re.findall(r"\d+", area))) > top]
    if taken:
        where = f"cells {listing(taken, 4)}" + (f", sheet {sheet.name}" if sheet.name else "")
        problems.add("Cells are merged, so that a row cannot be told from the next.", where, "Unmerge them, and write "
                     "in each row what belongs to it.")  # fmt: skip
    rows = []
    for number in sorted(number for number in sheet.cells if number > top):
        cells = {}
        for column, cell in sheet.cells[number].items():
            letter = column_letter(column - 1)
            if column in fields:
                heading = letter_form.columns()[fields[column]].heading
                place = f"{heading} (column {letter})"
                cells[fields[column]] = Cell(cell.text, place, cell.date, cell.day_and_month, cell.wrong)
            elif column not in sheet.cells[top]:
                fix = "Move it below the heading that it belongs to, or into 'Your own note'."
                where = f"row {number}, column {letter}: '{cell.text[:40]}'"
                problems.add("A cell stands in a column without a heading.", where, fix)
        if cells:
            rows.append(Row(file, f"row {number}", cells))
    return rows


def _note_examples(sheets: list[_Sheet], letter: _Sheet, problems: Problems) -> None:
    """Note rows that were written on the sheet of examples, which is not read."""
    known = {tidy(row["text"]) for _, row in letter_form.examples()}
    for sheet in sheets:
        if letter_form.plain(sheet.name) != letter_form.EXAMPLES or sheet is letter or not (top := _top(sheet)):
            continue
        mine = [number for number, row in _written(sheet, top) if row not in known]
        if mine:
            said = count(len(mine), "row has", "rows have")
            problems.add(
                f"{said} been written or changed on the sheet '{sheet.name}', which is not read.",
                f"sheet {sheet.name}, {'row' if len(mine) == 1 else 'rows'} {listing(mine, 5)}",
                "Move them to the sheet 'letter'.",
            )


def _written(sheet: _Sheet, top: int) -> Iterator[tuple[int, str]]:
    known = _headings()
    column = [at for at, cell in sheet.cells[top].items() if known.get(letter_form.plain(cell.text)) == "text"]
    for number, cells in sorted(sheet.cells.items()):
        if number > top:
            yield number, cells[column[0]].text if column and column[0] in cells else ""
