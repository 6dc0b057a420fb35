"""Letters as people save them: a sheet of the template's headings with rows below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl

from gpvar.catalogue import letter_form
from gpvar.catalogue.letter_template import write_letter
from gpvar.study import Study, load_study

#: A row in which nothing is wrong.
GOOD = {
    "text": "Densham Surgery is in the lowest decile nationally for same-day appointments.",
    "template": "In the lowest or highest tenth (or fifth)",
    "practice": "A81001",
    "metric": "Same-day share",
    "direction": "low",
    "figure": "22.8%",
    "period": "2025/26",
    "comparator": "England",
    "threshold": "10%",
}
FIELDS = list(letter_form.columns())
HEADINGS = [column.heading for column in letter_form.columns().values()]


def place(field: str, row: int = 2) -> str:
    """Return the cell of a field, as ``"F2"``."""
    return f"{openpyxl.utils.get_column_letter(FIELDS.index(field) + 1)}{row}"


def as_xlsx(folder: Path, *rows: Mapping[str, object]) -> Path:
    """Fill the template in as a person does, and save it."""
    path = write_letter(folder)
    book = openpyxl.load_workbook(path)
    for number, row in enumerate(rows, start=2):
        for field, value in row.items():
            book["letter"][place(field, number)] = value
    book.save(path)
    return path


def as_csv(folder: Path, *rows: Mapping[str, object], headings: Sequence[str] = HEADINGS, delimiter: str = ",") -> Path:
    """Write a letter as text."""
    path = folder / "letter.csv"
    cells = [headings, *([str(row.get(field, "")) for field in FIELDS] for row in rows)]
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in cells]
    path.write_text("\n".join(quoted) + "\n", encoding="utf-8-sig")
    return path


def study_of(folder: Path, **more: object) -> Study:
    """Return a study with nothing in it but what is given."""
    content = {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share"],
        "area": {"kind": "icb", "code": "QHM"},
    }
    return load_study({**content, **more}, folder, complete=False)
