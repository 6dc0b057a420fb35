"""The tables of the trial: every row with its error and its bar, the odds by tenth, by kind and by measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import calibration_facts as said
from gpvar.words.calibration_bars import BARS, COLUMN, ODDS_EVERY, group_said, tenth_said
from gpvar.words.text import number, sentence

if TYPE_CHECKING:
    from gpvar.words.calibration_facts import TrialFacts


def calibration_rows(name: str, facts: TrialFacts) -> Table | str:
    """Return the rows of one section over all measures; nothing where there are none."""
    rows = [
        {
            "What was counted": sentence(said.what(row, short=True)).rstrip("."),
            "How often": said.estimate(row),
            "Error": said.error(row),
            "Counted": said.counted(row),
            "Bar": said.bounds(row),
            "Beside its bar": said.beside(row),
        }
        for row in sorted(facts.section(name), key=_one_side)
    ]
    if not rows:
        return ""
    caption = "All measures together. Error: the Monte-Carlo error, in percentage points."
    return Table(pd.DataFrame(rows), caption, "", f"calibration_{name}", (34, 12, 17, 26, 16, 17))


def _one_side(row: said.Row) -> bool:
    """Return whether a row is of one side alone: those come last, they have no bar."""
    return bool(row["bar"].endswith("_side"))


def calibration_apart(facts: TrialFacts) -> Table | str:
    """Return the bars that one measure or one kind of statement misses although all together keep them."""
    return _listed(facts.missed_apart, "Missed when taken apart. Error: in percentage points.", "calibration_apart")


def calibration_close(facts: TrialFacts) -> Table | str:
    """Return the bars that are kept by less than two Monte-Carlo errors, the nearest first."""
    return _listed(facts.close, "Kept by little. Error: in percentage points.", "calibration_close")


def _listed(rows: list[said.Row], caption: str, name: str) -> Table | str:
    lines = [
        {
            "What was counted": sentence(said.what(row)).rstrip("."),
            "Measure": said.measure(row) if row["metric"] else "all",
            "How often": said.estimate(row),
            "Error": said.error(row),
            "Counted": said.counted(row),
            "Bar": said.bounds(row),
            "Beside its bar": said.beside(row),
        }
        for row in rows
    ]
    return Table(pd.DataFrame(lines), caption, "", name, (34, 18, 11, 14, 24, 14, 17)) if lines else ""


def calibration_odds(facts: TrialFacts) -> Table | str:
    """Return how often statements are true beside the odds said, by tenth; nothing where none were counted."""
    rows = [
        {
            "Odds of": of or "any kind",
            "Between": tenth_said(told["group"]),
            "Said, on average": said.per_cent(told["estimate"], 1),
            "True": said.per_cent(true["estimate"], 1),
            "Error": said.error(true),
            "Too high by": "" if off is None else said.estimate(off),
            "Beside its bar": "" if off is None else said.beside(off),
            "Counted": said.counted(true),
        }
        for of, told, true, off in facts.odds()
    ]
    if not rows:
        return ""
    caption = (
        "Odds, by tenth of what was said. Error: of how often true. Too high by: what was said less how often true; "
        "below nought, too low."
    )
    return Table(pd.DataFrame(rows), caption, "", "calibration_odds", (24, 14, 11, 9, 14, 13, 17, 26))


def calibration_by_kind(facts: TrialFacts, *, barred: bool) -> Table | str:
    """Return every row of one kind of statement alone, with bars or without; nothing where there are none."""
    bound = {row["bar"] for row in facts.of_one_kind if row["met"]}
    rows = [row for row in facts.of_one_kind if (row["bar"] in bound) == barred]
    if not rows:
        return ""
    bars = [name for name in BARS if any(row["bar"] == name for row in rows)]
    found = {(row["group"], row["bar"]): row for row in rows}
    lines = [
        {"Kind of statement": group_said(kind)}
        | {COLUMN.get(name, BARS[name].what): _of_kind(name, found.get((kind, name))) for name in bars}
        for kind in dict.fromkeys(row["group"] for row in rows)
    ]
    caption = (
        "How often, by kind of statement, with the Monte-Carlo error in points and how many were counted in brackets. "
    ) + ("A bar that is missed says so, and by how many errors." if barred else "None of these has a bar.")
    name = "calibration_by_kind" if barred else "calibration_by_kind_more"
    return Table(pd.DataFrame(lines), caption, "", name, (20, *(15 for _ in bars)))


def _of_kind(bar: str, row: said.Row | None) -> str:
    if row is None:
        return "not tried" if bar == "stopped_not_decidable" else "none counted"
    cell = f"{said.estimate(row)} ({said.error(row).removesuffix(' points')}; of {number(row['chances'])})"
    return cell if row["met"] != "no" else f"{cell}; {said.beside(row)}"


def calibration_by_measure(facts: TrialFacts) -> Table | str:
    """Return every row that has a bar, by measure; nothing where no row is of one measure."""
    rows = [row for row in facts.of_one_measure if row["met"]]
    if not rows:
        return ""
    measures = list(dict.fromkeys(said.measure(row) for row in rows))
    found = {(row["bar"], row["group"], said.measure(row)): row for row in rows}
    lines = [
        {"What was counted": sentence(said.what(row)).rstrip("."), "Bar": said.bounds(row)}
        | {name: _cell(found.get((row["bar"], row["group"], name))) for name in measures}
        for row in facts.barred
        if row["bar"] != ODDS_EVERY
    ]
    caption = (
        "How often, by measure, with the Monte-Carlo error in points in brackets. A bar that is missed says so, and by "
        "how many errors."
    )
    widths = (30, 13, *(18 for _ in measures))
    return Table(pd.DataFrame(lines), caption, "", "calibration_by_measure", widths)


def _cell(row: said.Row | None) -> str:
    if row is None:
        return "not tried"
    cell = f"{said.estimate(row)} ({said.error(row).removesuffix(' points')})"
    return cell if row["met"] == "yes" else f"{cell}; {said.beside(row)}"
