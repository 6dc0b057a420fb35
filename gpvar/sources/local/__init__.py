"""Anyone's table of practices: CSV or Excel, wide or long, read by the study's own list of columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.organisations import is_practice_code, looks_like, looks_like_practice_code, tidy
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import SourceTable
from gpvar.sources.files.grid import Grid, take_columns
from gpvar.sources.files.opening import MAX_BYTES
from gpvar.sources.files.reading import Rows, read_rows, sheet_names
from gpvar.sources.local import figures
from gpvar.sources.local.extent import check_extent
from gpvar.sources.local.layout import Records, records_of
from gpvar.study import Period, SourceSpec
from gpvar.study.columns import EXTENT, HOLDINGS, TEXTS, headings

__all__ = ["read", "read_codes"]


def read(spec: SourceSpec, period: Period, max_bytes: int = MAX_BYTES) -> SourceTable:
    """Read one table as the study says it is written.

    Parameters
    ----------
    spec
        The file and its columns.
    period
        The study's period, unless the source has one of its own; rows of other months are left out where the table has
        a column of months.
    max_bytes
        The most that is read of a file.

    Returns
    -------
    SourceTable

    Raises
    ------
    SourceError
        With everything that is wrong with the file at once. Nothing half-read is ever returned.
    """
    period = spec.period or period
    rows = read_rows(spec.file, spec.sheet, max_bytes)
    place = f"{spec.file}, sheet {rows.sheet}" if rows.sheet else str(spec.file)
    problems = Problems(SourceError, place)
    grid = take_columns(rows, spec, _headings_wanted(spec), problems)
    problems.raise_if_any()
    assert grid is not None
    if grid.cells.empty:
        problems.add("The table has headings and no rows.", "", "Name the file that holds the figures.")
        problems.raise_if_any()
    grid, not_practices = _only_practices(grid, spec, rows, problems)
    check_extent(grid, spec, period, problems)
    records = records_of(grid, spec, period, problems)
    problems.raise_if_any()
    found = figures.collect(records, spec, period, problems)
    problems.raise_if_any()
    return SourceTable(
        id=spec.id,
        file=spec.file.name,
        counts=found.counts,
        facts=found.facts,
        provenance=(_provenance(spec, rows, records, not_practices),),
        not_practices=not_practices,
        has_months="period" in spec.columns,
        impossible=found.impossible,
        dates=dict(spec.dates),
        by_month=found.by_month,
    )


def read_codes(path: Path, max_bytes: int = MAX_BYTES) -> tuple[tuple[str, ...], dict[str, object]]:
    """Read a list of practices: any CSV or Excel sheet in which one column holds their codes.

    Parameters
    ----------
    path
        The file; the column is found by what it holds.
    max_bytes
        The most that is read.

    Returns
    -------
    tuple
        The codes, in order and once each, and the file's provenance.

    Raises
    ------
    SourceError
        When no column holds practice codes.
    """
    for sheet in sheet_names(path, max_bytes) or [None]:
        rows = read_rows(path, sheet, max_bytes)
        codes = _codes_in([row for _, row in rows.numbered], path)
        if codes:
            break
    else:
        cells = pd.Series([cell for _, row in read_rows(path, sheet, max_bytes).numbered for cell in row], dtype=object)
        raise SourceError(
            "No column of this list holds practice codes.",
            str(path),
            looks_like(tidy(cells))
            or "Practice codes are a letter and five digits, such as A81001; put one in each row.",
        )
    unique = tuple(dict.fromkeys(codes))
    return unique, {
        "source": "area list",
        "file": path.name,
        "sheet": rows.sheet,
        "sha256": rows.opened.sha256,
        "bytes": rows.opened.size,
        "rows_read": len(codes),
        "rows_kept": len(unique),
        "rows_dropped": len(codes) - len(unique),
        "reason": "" if len(unique) == len(codes) else "the same practice listed more than once",
        "edition": "",
        "dates": "",
    }


def _codes_in(cells: list[list[str]], path: Path) -> list[str]:
    """Return the codes of the column that holds the most; refuse a column in which something else stands among them."""
    width = max((len(row) for row in cells), default=0)
    columns = [[row[i] for row in cells if i < len(row) and row[i].strip()] for i in range(width)]
    best = max(columns, key=lambda column: sum(map(looks_like_practice_code, column)), default=[])
    codes = [cell.strip().upper() for cell in best if looks_like_practice_code(cell)]
    strangers = [cell.strip() for cell in best[1:] if not looks_like_practice_code(cell)]
    if codes and strangers:
        raise SourceError(
            f"{count(len(strangers), 'entry', 'entries')} of the list cannot be codes: {listing(strangers, 5)}.",
            str(path),
            "Practice codes are a letter and five digits, such as A81001; correct these or take them out.",
        )
    return codes


def _headings_wanted(spec: SourceSpec) -> list[str]:
    """Return the headings to look for; in a long table the figures are values of the column of names."""
    plain = [heading for key, value in spec.columns.items() if _in_heading(key, spec) for heading in headings(value)]
    return plain + list(spec.long.values())


def _in_heading(key: str, spec: SourceSpec) -> bool:
    return spec.layout == "wide" or key in ("practice_code", "period", *EXTENT, *HOLDINGS, *TEXTS)


def _only_practices(
    grid: Grid, spec: SourceSpec, rows: Rows, problems: Problems
) -> tuple[Grid, tuple[tuple[str, int], ...]]:
    """Return the rows of practices, and the others (totals, boards) to be listed."""
    heading = str(spec.columns["practice_code"])
    codes = tidy(grid.cells[heading])
    practice = is_practice_code(codes)
    merged = [area for area in rows.merged if area[2] > area[0] and (codes == "").any()]
    blank = grid.row[(codes == "").to_numpy()]
    if merged and len(blank):
        problems.add(
            "Cells are merged down the rows, so that rows below the first have no practice code.",
            f"rows {listing(blank, 5)}, column '{heading}'",
            "Unmerge the cells and write the code in every row.",
        )
    elif practice.mean() < 0.5:
        example = listing([f"'{code}'" for code in codes[~practice].unique()[:4]])
        near = _other_column(grid, heading) or looks_like(codes[~practice])
        problems.add(
            f"The column '{heading}' does not hold practice codes; it holds {example}.",
            f"column {grid.letters[heading]}",
            near or "They are a letter and five digits, such as A81001. Correct practice_code under [source.columns].",
        )
    problems.raise_if_any()
    others = tuple(
        (code or "(blank)", int(row)) for code, row in zip(codes[~practice], grid.row[~practice], strict=True)
    )
    cells = grid.cells.assign(**{heading: codes})[practice].reset_index(drop=True)
    return Grid(cells, grid.row[practice].reset_index(drop=True), grid.letters), others


def _other_column(grid: Grid, heading: str) -> str:
    """Return which other mapped column holds practice codes, if one does."""
    for other in grid.cells.columns:
        if other != heading and is_practice_code(tidy(grid.cells[other])).mean() > 0.5:
            return f"The column '{other}' does: correct practice_code under [source.columns]."
    return ""


def _provenance(
    spec: SourceSpec, rows: Rows, records: Records, not_practices: tuple[tuple[str, int], ...]
) -> dict[str, object]:
    reasons = []
    if not_practices:
        reasons.append(f"{len(not_practices)} rows are not of practices")
    if records.outside_period:
        reasons.append(f"{records.outside_period} rows are of other months")
    dropped = len(not_practices) + records.outside_period
    dates = {**spec.dates}
    return {
        "source": spec.id,
        "file": spec.file.name,
        "sheet": rows.sheet,
        "sha256": rows.opened.sha256,
        "bytes": rows.opened.size,
        "rows_read": records.rows_kept + dropped,
        "rows_kept": records.rows_kept,
        "rows_dropped": dropped,
        "reason": "; ".join(reasons),
        "edition": spec.edition or (f"of {spec.period.label}" if spec.period else ""),
        "dates": "; ".join(f"{name} {date}" for name, date in sorted(dates.items()) if name in catalogue.covariates()),
    }
