"""One record per practice and month, from wide tables and from long ones."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gpvar.problems import Problems, closest, listing
from gpvar.sources.files.grid import Grid, column_letter, plain_heading
from gpvar.sources.files.values import parse_month
from gpvar.study import Period, SourceSpec
from gpvar.study.columns import TEXTS, headings

__all__ = ["Records", "column_letter", "records_of"]


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of practices within the period.

    Attributes
    ----------
    cells
        Heading → text, one row per practice and month.
    rows
        Heading → row number of each value, for messages.
    key
        Columns practice_code and month (``""`` where the table has no months).
    letters
        Heading → letter of its column.
    outside_period
        Rows left out because they are of other months.
    rows_kept
        Rows of the file that were used.
    """

    cells: pd.DataFrame
    rows: pd.DataFrame
    key: pd.DataFrame
    letters: dict[str, str]
    outside_period: int
    rows_kept: int


def records_of(grid: Grid, spec: SourceSpec, period: Period, problems: Problems) -> Records:
    """Return one record per practice and month of the period; note duplicates and unreadable months."""
    months = _months(grid, spec, problems)
    inside = (months == "") | ((months >= period.start) & (months <= period.end))
    if not inside.any():
        whose, where = ("source", f"under [[source]] {spec.id}") if spec.period else ("study", "in the study file")
        fix = f"Correct period = {where}, or name the right file."
        if not spec.period:
            own = "..".join(dict.fromkeys((months.min(), months.max())))
            fix += f' If it is read beside one of the study\'s own period, write period = "{own}" under its [[source]].'
        problems.add(
            f"No row is of the {whose}'s period, {period.label}.",
            f"column '{spec.columns['period']}', which runs from {months.min()} to {months.max()}",
            fix,
        )
    problems.raise_if_any()
    cells = grid.cells[inside].reset_index(drop=True)
    key = pd.DataFrame(
        {"practice_code": cells[str(spec.columns["practice_code"])], "month": months[inside].reset_index(drop=True)}
    )
    row = grid.row[inside].reset_index(drop=True)
    if spec.layout == "long":
        cells, rows, key = _widened(cells, row, key, spec, problems)
    else:
        if not spec.sum_rows:
            _note_duplicates(key, row, spec, problems)
        rows = pd.DataFrame({heading: row for heading in cells})
    return Records(cells, rows, key, grid.letters, int((~inside).sum()), int(inside.sum()))


def _months(grid: Grid, spec: SourceSpec, problems: Problems) -> pd.Series:
    heading = spec.columns.get("period")
    if heading is None:
        return pd.Series("", index=grid.cells.index, dtype=object)
    texts = grid.cells[str(heading)].astype(str)
    known = {text: parse_month(text) for text in texts.unique()}
    for text in [text for text, month in known.items() if month is None][:5]:
        at = grid.row[(texts == text).to_numpy()].iloc[0]
        problems.add("A month cannot be read.", f"row {at}, column '{heading}', value '{text}'", "Write it as 2025-04.")
    return texts.map(known).fillna("")


def _note_duplicates(key: pd.DataFrame, row: pd.Series, spec: SourceSpec, problems: Problems) -> None:
    again = key.duplicated(keep=False)
    if not again.any():
        return
    groups = row[again].groupby([key.loc[again, "practice_code"], key.loc[again, "month"]]).agg(list)
    shown = [
        f"{code}{f' in {month}' if month else ''} in rows {listing(at, 4)}"
        for (code, month), at in groups.head(5).items()
    ]
    fix = "Keep one row for each practice"
    fix += " and month." if "period" in spec.columns else '; if the rows are months, add period = "heading".'
    fix += " If the rows are parts of one figure (specialties, say), add sum_rows = true to the source."
    what = "One practice has" if len(groups) == 1 else f"{len(groups)} practices have"
    problems.add(f"{what} more than one row: {'; '.join(shown)}{' …' if len(groups) > 5 else ''}.", "", fix)


def _widened(
    cells: pd.DataFrame, row: pd.Series, key: pd.DataFrame, spec: SourceSpec, problems: Problems
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Turn names and values into columns; a name that is not asked for is left alone."""
    names = cells[spec.long["metric"]].map(plain_heading)
    asked = [
        heading
        for key_, value in spec.columns.items()
        if key_ not in ("practice_code", "period", *TEXTS)
        for heading in headings(value)
    ]
    there = cells[spec.long["metric"]].str.strip().unique()
    for heading in dict.fromkeys(asked):
        if plain_heading(heading) not in set(names):
            near = closest(heading, there)
            fix = f"Did you mean {' or '.join(near)}?" if near else f"It holds {listing(there, 12)}."
            problems.add(f"The column '{spec.long['metric']}' never says '{heading}'.", "", fix)
    problems.raise_if_any()
    long = key.assign(name=names, value=cells[spec.long["value"]], row=row)
    long = long[long["name"].isin({plain_heading(heading) for heading in asked})]
    if spec.sum_rows:
        problems.add("sum_rows is for wide tables.", "[[source]]", "Sum the rows of a long table before it is read.")
        problems.raise_if_any()
    again = long.duplicated(["practice_code", "month", "name"], keep=False)
    if again.any():
        first = long[again].sort_values(["practice_code", "month", "name"]).iloc[:2]
        problems.add(
            "A practice has the same figure more than once.",
            f"rows {listing(first['row'])}: {first['practice_code'].iloc[0]}, '{first['name'].iloc[0]}'",
            "Keep one row for each practice, month and figure; sum the rows first if they are parts of one figure.",
        )
        problems.raise_if_any()
    index = ["practice_code", "month"]
    values = long.pivot(index=index, columns="name", values="value")
    rows = long.pivot(index=index, columns="name", values="row")
    texts = [str(spec.columns[name]) for name in TEXTS if name in spec.columns]
    first = key.assign(**{text: cells[text] for text in texts}, _row=row).groupby(index, sort=True).first()
    wide = {heading: values[plain_heading(heading)].reindex(first.index).fillna("") for heading in dict.fromkeys(asked)}
    wide |= {text: first[text] for text in texts}
    at = {
        heading: rows[plain_heading(heading)].reindex(first.index).fillna(first["_row"]).astype(int)
        for heading in dict.fromkeys(asked)
    }
    at |= {text: first["_row"] for text in texts}
    flat = first.index.to_frame(index=False)
    return pd.DataFrame(wide).reset_index(drop=True), pd.DataFrame(at).reset_index(drop=True), flat
