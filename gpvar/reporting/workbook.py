"""results.xlsx: one table per sheet, a notes sheet, a dictionary; no formula, no merged and no blank cell."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from gpvar import schema
from gpvar.catalogue.templates import lines_needed
from gpvar.reporting.files import neutral

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEADER_ROW = 3
_A4 = 9
_NOTES_WIDTH, _LINE = 110, 16.0
#: How many columns of a sheet for reading go on paper, and the widest of them.
_ON_PAPER, _WIDEST = 12, 34
_SIGNIFICANT, _MOST_PLACES = 4, 8
NOT_AVAILABLE, NOT_APPLICABLE = "[x]", "[z]"


def build(
    title: str,
    notes: list[str],
    sheets: Mapping[str, tuple[str, pd.DataFrame]],
    tables: Mapping[str, str],
    reading: tuple[str, ...] = (),
) -> bytes:
    """Return a workbook.

    Parameters
    ----------
    title
        What the workbook is, for its first sheet.
    notes
        Lines of the notes sheet, plain text.
    sheets
        Sheet name → (title of the sheet, table).
    tables
        Sheet name → the table of the schema by whose columns the dictionary explains it.
    reading
        Sheets that people read row by row: wrapped, with a filter, and on paper laid across.
    """
    book = Workbook(write_only=True)
    lines = [title, *notes, f"{NOT_AVAILABLE} means not available, {NOT_APPLICABLE} not applicable.", "Sheets:"]
    lines += [f"{name}: {heading}" for name, (heading, _) in sheets.items()] + ["Dictionary: what every column means"]
    front = book.create_sheet("Notes")
    front.column_dimensions["A"].width = _NOTES_WIDTH
    front.page_setup.orientation, front.page_setup.paperSize = "landscape", _A4
    for i, line in enumerate(lines):
        # A spreadsheet does not work out by itself how many lines a wrapped text takes in a file it did not write.
        front.row_dimensions[i + 1].height = _LINE * lines_needed(line, _NOTES_WIDTH) + (4.0 if i == 0 else 0.0)
        front.append([_cell(front, line, 12 if i else 14, bold=not i, wrap=True)])
    for name, (heading, frame) in sheets.items():
        _sheet(book.create_sheet(name[:31]), heading, frame, name in reading)
    _sheet(book.create_sheet("Dictionary"), "What every column means", _dictionary(tables))
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _dictionary(tables: Mapping[str, str]) -> pd.DataFrame:
    """Return what every column means, by the sheet on which it stands."""
    parts = [schema.data_dictionary([table]).assign(table=sheet) for sheet, table in tables.items()]
    return pd.concat(parts, ignore_index=True).rename(columns={"table": "sheet"})


def _cell(sheet: Any, text: object, size: int, bold: bool = False, wrap: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, _text(text))
    cell.font = Font(name="Arial", size=size, bold=bold)
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _text(value: object) -> str:
    return str(neutral(_ILLEGAL.sub("", str(value))))


def _value(value: object) -> object:
    """Return what goes in a cell: numbers as numbers, text made harmless, nothing left blank."""
    if isinstance(value, str):
        return _text(value) if value else NOT_APPLICABLE
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, float, np.number)):
        return value if np.isfinite(value) else NOT_AVAILABLE
    return NOT_AVAILABLE if value is None or pd.isna(value) else _text(value)


def _shown(sheet: Any, value: object) -> object:
    """Return a number with a fraction in a cell that shows four significant figures and holds all of them."""
    if not isinstance(value, (float, np.floating)) or value == 0 or float(value).is_integer():
        return value
    cell = WriteOnlyCell(sheet, float(value))
    size = math.floor(math.log10(abs(value)))
    places = max(0, _SIGNIFICANT - 1 - size)
    cell.number_format = "0.00E+00" if places > _MOST_PLACES else f"0.{'0' * places}" if places else "0"
    return cell


def _for_reading(sheet: Any, frame: pd.DataFrame) -> None:
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    last = get_column_letter(max(1, len(frame.columns)))
    sheet.print_area = f"A1:{get_column_letter(min(_ON_PAPER, len(frame.columns)))}{_HEADER_ROW + len(frame)}"
    sheet.auto_filter.ref = f"A{_HEADER_ROW}:{last}{_HEADER_ROW + len(frame)}"


def _width(column: object, values: list[Any], reading: bool) -> int:
    longest = max((len(value) for value in values if isinstance(value, str)), default=0) if reading else 0
    return max(12, min(_WIDEST if reading else 60, max(len(str(column)) + 4, longest)))


def _wrapped(sheet: Any, value: object) -> object:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _sheet(sheet: Any, heading: str, frame: pd.DataFrame, reading: bool = False) -> None:
    # Written as it goes, a sheet must be told its widths before its rows.
    for j, column in enumerate(frame.columns, start=1):
        width = _width(column, frame[column].tolist(), reading)
        sheet.column_dimensions[get_column_letter(j)].width = width
    if reading:
        _for_reading(sheet, frame)
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    sheet.append([_cell(sheet, heading, 14, bold=True)])
    about = f"One table of {len(frame)} rows. {NOT_AVAILABLE} not available, {NOT_APPLICABLE} not applicable."
    sheet.append([_cell(sheet, about, 12)])
    sheet.append([_cell(sheet, column, 12, bold=True) for column in frame.columns])
    columns = [[_shown(sheet, _value(v)) for v in frame[column].tolist()] for column in frame.columns]
    for row in zip(*columns, strict=True):
        sheet.append([_wrapped(sheet, value) for value in row] if reading else row)
