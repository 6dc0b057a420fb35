"""The whole of a person's table as text, with its row of headings found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations
from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.sources.files.reading import read_rows, sheet_names
from gpvar.starter.own import key, loose_key

_ROWS_ABOVE = 40
_ENOUGH = 0.5


def read_everything(data: Path, sheet: str | None) -> tuple[pd.DataFrame, str | None, str]:
    """Return the table, its sheet, and the heading of its practice codes.

    Raises
    ------
    StudyError
        When no column holds practice codes.
    """
    sheets: list[str | None] = [sheet] if sheet else [*sheet_names(data)] or [None]
    for find in (_by_heading, _by_content):
        for candidate in sheets:
            rows = [row for _, row in read_rows(data, candidate).numbered]
            found = find(rows)
            if found is not None:
                at, column = found
                return _framed(rows, at), candidate, rows[at][column]
    raise StudyError(
        "No column of practice codes was found.",
        str(data) + (f", sheets {listing(sheets)}" if sheets != [None] else ""),
        "Put a heading such as 'practice_code' above the column of codes, with the headings in one row, and try again.",
    )


def _by_heading(rows: list[list[str]]) -> tuple[int, int] | None:
    """Return the row of headings and the column of codes, by what the column is called."""
    facts = catalogue.conventions()["facts"]["practice_code"]
    own = catalogue.conventions()["own"]["facts"]["practice_code"]
    for wanted, form in ((facts, key), (own, loose_key)):
        names = [form(item) for item in wanted]
        for at, cells in enumerate(rows[:_ROWS_ABOVE]):
            called = [form(cell) for cell in cells]
            hit = next((name for name in names if name in called), None)
            if hit is not None:
                return at, called.index(hit)
    return None


def _by_content(rows: list[list[str]]) -> tuple[int, int] | None:
    """Return the row above the first practice code, where a column holds mostly practice codes."""
    for column in range(max((len(row) for row in rows), default=0)):
        cells = [row[column] if column < len(row) else "" for row in rows]
        codes = [organisations.looks_like_practice_code(cell) for cell in cells]
        first = codes.index(True) if any(codes) else 0
        filled = [code for code, cell in zip(codes[first:], cells[first:], strict=True) if cell.strip()]
        if first and cells[first - 1].strip() and sum(filled) > _ENOUGH * len(filled):
            return first - 1, column
    return None


def _framed(rows: list[list[str]], at: int) -> pd.DataFrame:
    header = rows[at]
    body = [[*row, *[""] * len(header)][: len(header)] for row in rows[at + 1 :] if any(row)]
    kept = [i for i, cell in enumerate(header) if cell.strip()]
    return pd.DataFrame([[row[i] for i in kept] for row in body], columns=[header[i] for i in kept], dtype=object)
