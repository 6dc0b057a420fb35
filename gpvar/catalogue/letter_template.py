"""Writes letter.xlsx: the sheet to fill in with its lists, worked examples, what each kind needs, and notes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.catalogue import letter_form, letters
from gpvar.catalogue.letter_form import KINDS, LISTS, NOTES
from gpvar.catalogue.templates import LINE, fit_to_page, lines_needed

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

#: Rows that have drop-down lists; more may be written below them.
_ROWS = 500
#: Columns of the sheet of kinds, and how wide they are.
_OF_KINDS = {
    "Kind of sentence": 30,
    "A letter may say": 44,
    "Must be filled in": 26,
    "Also used": 34,
    "How it is checked": 52,
    "When the board is right": 48,
}
_NEEDED = 3
_YELLOW = "FFFFEB9C"
#: What stands between the names of columns; those that must be filled in are looked for between two of them.
_BETWEEN = "; "


def write_letter(folder: Path) -> Path:
    """Write an empty letter.

    Parameters
    ----------
    folder
        Where to write it; made if it is not there.

    Returns
    -------
    Path
        The workbook.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.properties.title = "What the letter says"
    book.properties.creator = "gpvar"
    book.properties.language = "en-GB"
    book.properties.created = book.properties.modified = dt.datetime(2026, 1, 1)
    sheet = book.active
    assert sheet is not None
    sheet.title = letter_form.LETTER
    lists = _lists()
    _form(sheet, lists)
    _examples(book.create_sheet(letter_form.EXAMPLES))
    _kinds(book.create_sheet(KINDS))
    _notes(book.create_sheet(NOTES))
    _write_lists(book.create_sheet(LISTS), lists)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / letter_form.FILE
    book.save(path)
    return path


def _lists() -> dict[str, list[str]]:
    """Return the words of each drop-down list."""
    return {
        "kinds": [template.title for template in letters.templates().values()],
        "measures": [card.title for card in catalogue.metrics().values()],
        "directions": list(letter_form.words()["direction"]),
        "comparators": [table["heading"] for table in letter_form.words()["comparator"].values()],
    }


def _form(sheet: Worksheet, lists: dict[str, list[str]]) -> None:
    """Lay out the sheet to fill in: headings, and lists and hints down its columns."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    columns = list(letter_form.columns().values())
    _head(sheet, 1, [column.heading for column in columns], lines=2)
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        whole = sheet.column_dimensions[letter]
        whole.width = column.width
        whole.font = Font(name="Arial", size=12)
        whole.alignment = Alignment(vertical="top", wrap_text=True)
        # As text a figure keeps the decimals and a month the form in which they are typed.
        whole.number_format = "@"
        _hint(sheet, column, f"{letter}2:{letter}{_ROWS + 1}", lists)
    _mark_what_is_needed(sheet, columns)
    sheet.freeze_panes = "B2"
    sheet.print_title_rows = "1:1"
    _to_print(sheet, wide=True)


def _hint(sheet: Worksheet, column: letter_form.Column, cells: str, lists: dict[str, list[str]]) -> None:
    """Give a column its drop-down list, and what is shown beside a cell that is chosen."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation(allow_blank=True, showInputMessage=True, promptTitle=column.heading, prompt=column.prompt)
    if column.list:
        at = get_column_letter(list(lists).index(column.list) + 1)
        rule.type, rule.formula1 = "list", f"{LISTS}!${at}$2:${at}${len(lists[column.list]) + 1}"
    if column.only:
        rule.showErrorMessage, rule.errorStyle = True, "stop"
        rule.errorTitle, rule.error = column.heading, "Choose one of the list, or clear the cell."
    rule.add(cells)
    sheet.add_data_validation(rule)


def _mark_what_is_needed(sheet: Worksheet, columns: Sequence[letter_form.Column]) -> None:
    """Turn the blank cells yellow that the kind of sentence in their row needs."""
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import PatternFill
    from openpyxl.utils import get_column_letter

    kind = get_column_letter([column.field for column in columns].index("template") + 1)
    wanted = {field for template in letters.templates().values() for field in template.needs}
    fill = PatternFill(start_color=_YELLOW, end_color=_YELLOW, fill_type="solid")
    for number, column in enumerate(columns, start=1):
        if column.field not in wanted:
            continue
        letter = get_column_letter(number)
        needed = f'"{_BETWEEN}"&VLOOKUP(${kind}2,{KINDS}!$A:$C,{_NEEDED},FALSE)&"{_BETWEEN}"'
        formula = (
            f'AND(${kind}2<>"",TRIM({letter}2)="",ISNUMBER(SEARCH("{_BETWEEN}{column.heading}{_BETWEEN}",{needed})))'
        )
        sheet.conditional_formatting.add(f"{letter}2:{letter}{_ROWS + 1}", FormulaRule(formula=[formula], fill=fill))


def as_written(field: str, value: str) -> str:
    """Return what stands in a cell for an id, as the drop-down list has it."""
    if field == "template":
        return letters.templates()[value].title
    if field == "metric":
        return catalogue.metric(value).title
    if field == "comparator":
        return str(letter_form.words()["comparator"][value]["heading"])
    return value


def _examples(sheet: Worksheet) -> None:
    """Write one worked row for each kind of sentence, in the columns of the sheet to fill in."""
    columns = list(letter_form.columns().values())
    _head(sheet, 1, [column.heading for column in columns], lines=2)
    for number, (template, row) in enumerate(letter_form.examples(), start=2):
        row = {**row, "template": template.id}
        cells = [as_written(column.field, row[column.field]) if column.field in row else "" for column in columns]
        _body(sheet, number, cells, [column.width for column in columns])
    sheet.freeze_panes = "B2"
    sheet.print_title_rows = "1:1"
    _to_print(sheet, wide=True)


def _kinds(sheet: Worksheet) -> None:
    """Write what each kind needs, how it is checked and when the board is right."""
    headings = {field: column.heading for field, column in letter_form.columns().items()}
    sheet.append(["Kinds of sentence: what must be filled in, how each is checked, and when the board is right"])
    _head(sheet, 2, list(_OF_KINDS))
    for number, template in enumerate(letters.templates().values(), start=3):
        needs = _BETWEEN.join(headings[field] for field in template.needs) or "Nothing more"
        also = _BETWEEN.join(headings[field] for field in template.takes) or "Nothing more"
        checked = template.honest + (" Not yet: its source is not read." if template.source else "")
        cells = [template.title, template.example, needs, also, checked, template.right]
        _body(sheet, number, cells, list(_OF_KINDS.values()))
    _finish(sheet, "B3")


def _notes(sheet: Worksheet) -> None:
    sheet.append(["The letter: notes"])
    _head(sheet, 2, ["About", "Note"])
    widths = [26, 100]
    for number, note in enumerate(letter_form.words()["note"], start=3):
        _body(sheet, number, [note["about"], note["text"]], widths)
    for column, width in zip("AB", widths, strict=True):
        sheet.column_dimensions[column].width = width
    _finish(sheet, "A3")


def _write_lists(sheet: Worksheet, lists: dict[str, list[str]]) -> None:
    """Write the words of the drop-down lists, a column each, from the second row: the form refers to these cells."""
    from openpyxl.utils import get_column_letter

    headings = {column.list: column.heading for column in letter_form.columns().values() if column.list}
    _head(sheet, 1, [f"Words for '{headings[name]}'" for name in lists])
    for number, words in enumerate(lists.values(), start=1):
        width = max(24, *(len(word) + 4 for word in words))
        sheet.column_dimensions[get_column_letter(number)].width = width
        for row, word in enumerate(words, start=2):
            _write(sheet, row, number, word)
    _to_print(sheet)


def _finish(sheet: Worksheet, below: str) -> None:
    """Give a sheet with a title its heading style, its widths and its page."""
    from openpyxl.styles import Font

    sheet["A1"].font = Font(name="Arial", size=14, bold=True)
    sheet.freeze_panes = below
    sheet.print_title_rows = "1:2"
    _to_print(sheet)


def _to_print(sheet: Worksheet, wide: bool = False) -> None:
    """Print a sheet across, as wide as a page, with lines between its cells."""
    fit_to_page(sheet)
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3 if wide else sheet.PAPERSIZE_A4
    sheet.print_options.gridLines = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5


def _head(sheet: Worksheet, row: int, headings: Sequence[str], lines: int = 1) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side

    for number, heading in enumerate(headings, start=1):
        cell = sheet.cell(row, number, heading)
        cell.font = Font(name="Arial", size=12, bold=True)
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        cell.border = Border(bottom=Side(style="medium"))
    sheet.row_dimensions[row].height = LINE * lines + 4


def _body(sheet: Worksheet, row: int, cells: Sequence[str], widths: Sequence[int]) -> None:
    """Write a row of text, as high as its longest cell needs."""
    from openpyxl.utils import get_column_letter

    for number, (text, width) in enumerate(zip(cells, widths, strict=True), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
        if text:
            _write(sheet, row, number, text)
    sheet.row_dimensions[row].height = LINE * max(
        lines_needed(text, width) for text, width in zip(cells, widths, strict=True)
    )


def _write(sheet: Worksheet, row: int, column: int, text: str) -> None:
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(row, column, text)
    cell.font = Font(name="Arial", size=12)
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    cell.number_format = "@"
