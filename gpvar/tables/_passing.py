"""The table of passing movement: what other assumptions about the months would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import figures
from gpvar.words import passing as words
from gpvar.words.facts import area_facts
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.results import Run


def passing(run: Run, metric: str = "") -> Table | str:
    """Return passing movement and reliability by how one month resembles the next; nothing where not measured."""
    facts = area_facts(run, metric)
    found = facts.analysis.passing
    if words.used(found) is None:
        return ""
    rows = [
        {
            "One month and the next": _alike(row["rho"], row["rho_from"], bool(row["used"])),
            "Either way over the period": words.size(facts.card, row["swing_period"]),
            "Reliability of one month": _reliability(row["reliability_month"]),
            "Reliability of twelve months": _reliability(row["reliability_year"]),
        }
        for row in found.to_dict("records")
    ]
    unit = facts.card.unit if not figures.is_share(facts.card) else "percentage points"
    caption = f"Passing movement in {unit} (95 times in 100), by how far one month resembles the next."
    note = (
        "Reliability: the part of the variation between practices' figures that lasts. Below 0.7 no rank should be "
        "stated, below 0.9 only a range of ranks."
    )
    return Table(pd.DataFrame(rows), caption, note, f"area_{facts.card.id}_passing")


def _alike(rho: float, rho_from: str, used: bool) -> str:
    said = f"correlation {number(rho, 2)}, {rho_from}"
    return f"{said}; used here" if used else said


def _reliability(value: float) -> str:
    return number(value, 2) if known(value) else "not known"
