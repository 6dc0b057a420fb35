"""The spreadsheets a user fills in, written from `templates.toml`: a data sheet, its dictionary and its notes."""

from __future__ import annotations

import csv
import datetime as dt
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpvar.catalogue._files import read

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

DICTIONARY = "data dictionary"
NOTES = "notes"
_HEADINGS = {
    "name": "Column",
    "type": "Type",
    "unit": "Unit",
    "needed": "Needed",
    "meaning": "Meaning",
    "example": "Example",
}
_WIDTHS = (52, 16, 28, 28, 80, 40)
_NOTE_WIDTH = 110
#: The height of a line of text in points.
LINE = 16.0
# Excel must not turn a code into a number, or a date into its own idea of one.
_AS_TEXT = ("code", "date", "text")


@cache
def templates() -> dict[str, dict[str, Any]]:
    """Return every template by id: file, title, about, notes and columns."""
    return read("templates.toml")


def write_templates(folder: Path) -> tuple[Path, ...]:
    """Write every template as a workbook and as a CSV file.

    Parameters
    ----------
    folder
        Where to write them; made if it is not there.

    Returns
    -------
    tuple of Path
        The files, workbook before CSV.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for template in templates().values():
        written += [_workbook(template, folder), _csv(template, folder)]
    return tuple(written)


def _csv(template: dict[str, Any], folder: Path) -> Path:
    path = folder / f"{template['file']}.csv"
    # The mark at the start makes Excel read the file as UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([column["name"] for column in template["column"]])
    return path


def _workbook(template: dict[str, Any], folder: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.title = template["title"]
    book.properties.creator = "gpvar"
    book.properties.created = book.properties.modified = dt.datetime(2026, 1, 1)
    data = book.active
    assert data is not None
    data.title = template["file"]
    _data_sheet(data, template["column"])
    _dictionary_sheet(book.create_sheet(DICTIONARY), template)
    _notes_sheet(book.create_sheet(NOTES), template)
    path = folder / f"{template['file']}.xlsx"
    book.save(path)
    return path


def _data_sheet(sheet: Worksheet, columns: list[dict[str, str]]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.append([column["name"] for column in columns])
    for number, column in enumerate(columns, start=1):
        sheet.cell(1, number).font = Font(name="Arial", size=12, bold=True)
        whole_column = sheet.column_dimensions[get_column_letter(number)]
        whole_column.width = max(14, len(column["name"]) + 3)
        if column["type"] in _AS_TEXT:
            whole_column.number_format = "@"
    sheet.freeze_panes = "B2"


def _dictionary_sheet(sheet: Worksheet, template: dict[str, Any]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet.append([f"{template['title']}: what each column means"])
    sheet.append([template["about"]])
    sheet.append(list(_HEADINGS.values()))
    for column in template["column"]:
        sheet.append([column[field] for field in _HEADINGS])
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.font = Font(name="Arial", size=12, bold=cell.row in (1, 3))
            cell.alignment = Alignment(vertical="top", wrap_text=int(cell.row or 0) >= 3)
    for number, column in enumerate(template["column"], start=4):
        sheet.row_dimensions[number].height = LINE * lines_needed(column["meaning"], _WIDTHS[4])
    sheet.freeze_panes = "A4"
    fit_to_page(sheet)


def _notes_sheet(sheet: Worksheet, template: dict[str, Any]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.append([f"{template['title']}: notes"])
    for note in template["notes"]:
        sheet.append([note])
    sheet.column_dimensions["A"].width = _NOTE_WIDTH
    for number, note in enumerate(template["notes"], start=2):
        sheet.row_dimensions[number].height = LINE * lines_needed(note, _NOTE_WIDTH)
    for row in sheet.iter_rows():
        for cell in row:
            cell.font = Font(name="Arial", size=12, bold=cell.row == 1)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    fit_to_page(sheet)


def lines_needed(text: str, width: int) -> int:
    """Return how many lines a wrapped text needs; spreadsheets do not work it out for a file they did not write."""
    return math.ceil(1.25 * len(text) / width)


def fit_to_page(sheet: Worksheet) -> None:
    """Print a sheet across, as wide as a page."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
