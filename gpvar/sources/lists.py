"""Files that people keep about practices: which group each belongs to, and what happened to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from gpvar.errors import SourceError
from gpvar.organisations import Events, PracticeGroups, check_events, check_groups
from gpvar.sources.files.opening import MAX_BYTES
from gpvar.sources.files.reading import Rows, read_rows

__all__ = ["read_events", "read_list"]


def read_list(
    path: Path,
    known: Iterable[str] | None = None,
    column: str = "",
    sheet: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[PracticeGroups, dict[str, object]]:
    """Read a list of neighbourhoods, federations or LMCs: a column of practice codes and a column of groups.

    Parameters
    ----------
    path
        CSV or Excel.
    known, column
        As `gpvar.organisations.check_groups`.
    sheet
        The sheet of a workbook; needed when it has several.
    max_bytes
        The most that is read.

    Returns
    -------
    tuple
        The groups, and the file's provenance.

    Raises
    ------
    SourceError
        With everything that is wrong with the list at once.
    """
    cells, rows = _cells(path, sheet, max_bytes)
    found = check_groups(cells, _place(path, rows), known, column)
    reason = "the same practice listed more than once" if found.repeated else ""
    return found, _provenance("list", path, rows, len(found.groups) + found.repeated, found.repeated, reason)


def read_events(
    path: Path, known: Iterable[str] | None = None, sheet: str | None = None, max_bytes: int = MAX_BYTES
) -> tuple[Events, dict[str, object]]:
    """Read `practice_events.csv`: what happened to practices, and who confirmed it.

    Parameters
    ----------
    path
        CSV or Excel, with the columns code, event, date, successor, source, confirmed_by.
    known
        As `gpvar.organisations.check_events`.
    sheet
        The sheet of a workbook; needed when it has several.
    max_bytes
        The most that is read.

    Returns
    -------
    tuple
        The events, and the file's provenance; events that nobody confirmed count as rows not used.

    Raises
    ------
    SourceError
        With everything that is wrong with the events at once.
    """
    cells, rows = _cells(path, sheet, max_bytes)
    found = check_events(cells, _place(path, rows), known)
    dropped = len(found.proposed)
    reason = "confirmed by nobody" if dropped else ""
    return found, _provenance("practice events", path, rows, len(found.confirmed) + dropped, dropped, reason)


def _place(path: Path, rows: Rows) -> str:
    return f"{path}, sheet {rows.sheet}" if rows.sheet else str(path)


def _cells(path: Path, sheet: str | None, max_bytes: int) -> tuple[pd.DataFrame, Rows]:
    """Return the cells below the headings, by row number; the headings are the first row that is not blank."""
    rows = read_rows(path, sheet, max_bytes)
    numbered = [(number, cells) for number, cells in rows.numbered if any(cell.strip() for cell in cells)]
    if not numbered:
        raise SourceError("The file is empty.", str(path), "Name the file that holds the list.")
    headings = [cell.strip() for cell in numbered[0][1]]
    width = max(len(cells) for _, cells in numbered)
    headings += [""] * (width - len(headings))
    names = [heading or f"column {at}" for at, heading in enumerate(headings, 1)]
    texts = [cells + [""] * (width - len(cells)) for _, cells in numbered[1:]]
    frame = pd.DataFrame(texts, columns=names, index=[number for number, _ in numbered[1:]], dtype=object)
    return frame, rows


def _provenance(source: str, path: Path, rows: Rows, read: int, dropped: int, reason: str) -> dict[str, object]:
    return {
        "source": source,
        "file": path.name,
        "sheet": rows.sheet,
        "sha256": rows.opened.sha256,
        "bytes": rows.opened.size,
        "rows_read": read,
        "rows_kept": read - dropped,
        "rows_dropped": dropped,
        "reason": reason,
        "edition": "",
        "dates": "",
    }
