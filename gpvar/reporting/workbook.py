"""results.xlsx: one table per sheet, a notes sheet, a dictionary; no formula, no merged and no blank cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from gpvar import schema
from gpvar.reporting.files import neutral

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEADER_ROW = 3
NOT_AVAILABLE = "[x]"


def build(title: str, notes: list[str], sheets: Mapping[str, tuple[str, pd.DataFrame]], tables: list[str]) -> bytes:
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
        Names in ``schema.TABLES`` whose columns the dictionary explains.
    """
    book = Workbook()
    front = book.active
    assert front is not None
    front.title = "Notes"
    lines = [title, *notes, f"{NOT_AVAILABLE} means not available. Numbers are not rounded.", "Sheets:"]
    lines += [f"{name}: {heading}" for name, (heading, _) in sheets.items()] + ["Dictionary: what every column means"]
    for i, line in enumerate(lines, start=1):
        cell = front.cell(i, 1, _text(line))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(name="Arial", size=14 if i == 1 else 12, bold=i == 1)
    front.column_dimensions["A"].width = 110
    for name, (heading, frame) in sheets.items():
        _sheet(book.create_sheet(name[:31]), heading, frame)
    _sheet(book.create_sheet("Dictionary"), "What every column means", schema.data_dictionary(tables))
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _text(value: object) -> str:
    return str(neutral(_ILLEGAL.sub("", str(value))))


def _value(value: object) -> object:
    """Return what goes in a cell: numbers as numbers, text made harmless, nothing left blank."""
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return NOT_AVAILABLE
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return value if abs(value) != float("inf") else NOT_AVAILABLE
    if hasattr(value, "item"):
        return _value(value.item())
    return _text(value) if str(value) else "[z]"


def _sheet(sheet: Worksheet, heading: str, frame: pd.DataFrame) -> None:
    sheet.cell(1, 1, _text(heading)).font = Font(name="Arial", size=14, bold=True)
    sheet.cell(
        2, 1, f"One table of {len(frame)} rows, starting in the next row. [x] not available, [z] not applicable."
    ).font = Font(name="Arial", size=12)
    for j, column in enumerate(frame.columns, start=1):
        cell = sheet.cell(_HEADER_ROW, j, _text(column))
        cell.font = Font(name="Arial", size=12, bold=True)
        sheet.column_dimensions[get_column_letter(j)].width = max(12, min(60, len(str(column)) + 4))
    for row in frame.itertuples(index=False):
        sheet.append([_value(v) for v in row])
    for cells in sheet.iter_rows(min_row=_HEADER_ROW + 1):
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    sheet.freeze_panes = sheet.cell(_HEADER_ROW + 1, 1)
