"""The tables of the page on what one practice's figure is made of and on its rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import figures, phrases, standing, standing_pages, standing_parts
from gpvar.words.standing_facts import STEP
from gpvar.words.standing_facts import standing as gathered
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.results import Run

_NOT_STATED = "not stated"


def standing_ranks(run: Run, practice: str = "", metric: str = "") -> Table | str:
    """Return what may be said of the rank at each rung; nothing where no rank may be stated at any."""
    found = gathered(run, practice, metric)
    if not any(row["rule"] in ("full", "interval") for row in found.effects.values()):
        return ""
    rows = [
        {
            "What is allowed for": f"{phrases.RUNG_SHORT[rung]} ({phrases.RUNG_LABEL[rung]})",
            "Reliability": standing.degree(row["reliability"]),
            "Lasting place": _place(row, found.end),
            "95 in 100": _between(row, found.end),
            "Lowest tenth": _odds(row["p_bottom"]),
            "Highest tenth": _odds(row["p_top"]),
        }
        for rung, row in found.effects.items()
    ]
    many = number(max(row["ranked"] for row in found.effects.values()))
    note = (
        f"Places count from the {found.end}. The lasting place is where it would stand with chance and passing "
        "movement taken off every figure, as well as the model can. The last two columns: the chance of that tenth."
    )
    reference = found.facts.plain_names.reference
    return Table(
        pd.DataFrame(rows),
        f"Its place among {many} practices in {reference}, as far as it may be stated.",
        note,
        f"{found.facts.code}_{found.facts.card.id}_ranks",
    )


def _place(row: dict[str, Any], end: str) -> str:
    return standing.place(row, "rank_median", end) if known(row["rank_median"]) else _NOT_STATED


def _between(row: dict[str, Any], end: str) -> str:
    if not known(row["rank_lower"]):
        return _NOT_STATED
    low, high = standing.places(row, end)
    return low if low == high else f"{low} to {high}"


def _odds(p: float) -> str:
    return standing.odds(p) if known(p) else _NOT_STATED


def standing_steps(run: Run, practice: str = "", metric: str = "") -> Table | str:
    """Return the parts of the figure, which add up as they are shown; nothing where it was not divided."""
    found = gathered(run, practice, metric)
    if not found.steps:
        return ""
    facts, measured = found.facts, standing_pages.measured(found)
    share = figures.is_share(facts.card)
    adds = "Adds (points)" if share else "Adds"
    rows = [
        {
            "Part": STEP[step.name],
            adds: "starts here" if step.name == "reference" else standing_parts.signed(step, found.places),
            "Reaches": f"{number(step.reached, found.places)}{'%' if share else ''}",
            "What it means": standing_parts.step_means(step.name, found, measured, facts.plain_names),
        }
        for step in found.steps
    ]
    unit = f"% of {facts.card.noun_denominator}; points are percentage points" if share else facts.card.unit
    return Table(
        pd.DataFrame(rows), f"What the figure is made of, in {unit}.", "", f"{facts.code}_{facts.card.id}_steps"
    )
