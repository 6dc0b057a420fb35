"""The days that a file says it covers, held against the study's period."""

from __future__ import annotations

import pandas as pd

from gpvar.problems import Problems, count
from gpvar.sources.files.grid import Grid
from gpvar.sources.files.values import parse_month
from gpvar.study import Period
from gpvar.study.columns import EXTENT
from gpvar.study.model import SourceSpec


def check_extent(grid: Grid, spec: SourceSpec, period: Period, problems: Problems) -> None:
    """Note practices whose rows do not cover the study's period, by the file's own first and last days."""
    if not set(EXTENT) <= set(spec.columns) or "period" in spec.columns:
        return
    start, end = (grid.cells[str(spec.columns[name])].map(lambda text: parse_month(str(text))) for name in EXTENT)
    codes = grid.cells[str(spec.columns["practice_code"])]
    unread = start.isna() | end.isna()
    if unread.any():
        at = int(unread.to_numpy().argmax())
        where = f"row {grid.row.iloc[at]}, columns '{spec.columns[EXTENT[0]]}' and '{spec.columns[EXTENT[1]]}'"
        problems.add("The first or the last day of a row cannot be read.", where, "Write days as 2025-04-01.")
        return
    spans = pd.DataFrame({"start": start, "end": end}).groupby(codes).agg(start=("start", "min"), end=("end", "max"))
    wrong = spans[(spans["start"] != period.start) | (spans["end"] != period.end)]
    if wrong.empty:
        return
    first = wrong.iloc[0]
    covered = Period(first["start"], first["end"]).label
    if len(wrong) == len(spans) and len(wrong.drop_duplicates()) == 1:
        who = "The file covers"
    else:
        who = f"{count(len(wrong), 'practice')} of {len(spans):,} have another period: {wrong.index[0]} covers"
    problems.add(
        f"{who} {covered}, and the {'source' if spec.period else 'study'}'s period is {period.label}.",
        f"columns '{spec.columns[EXTENT[0]]}' and '{spec.columns[EXTENT[1]]}'",
        f'Write period = "{first["start"]}..{first["end"]}" {_where(spec)}, or name a file of that period.',
    )


def _where(spec: SourceSpec) -> str:
    return f"under [[source]] {spec.id}" if spec.period else "in the study file"
