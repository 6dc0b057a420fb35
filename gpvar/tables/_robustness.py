"""The tables of other defensible ways: one practice in each of them, and each of them for a referee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import figures, robustness
from gpvar.words.research_facts import figures as significant
from gpvar.words.robustness_choices import CHOICES, why_not
from gpvar.words.robustness_choices import way as named
from gpvar.words.robustness_facts import Way, area_ways, held, practice_ways, specifications
from gpvar.words.text import known, lower_first, number, plural

if TYPE_CHECKING:
    from gpvar.results import Run

#: Above so many ways a page shows those with one other choice; the files hold all of them.
_MANY = 30


def standing_other_ways(run: Run, practice: str = "", metric: str = "") -> Table | str:
    """Return the ways that put the practice elsewhere, beside the one used here; nothing where none does."""
    found = practice_ways(run, practice, metric)
    turned = [way for way in found.others if not way.agrees]
    if found.here is None or not turned:
        return ""
    card = found.facts.card
    shown = [found.here, *_single(turned)]
    rows = [
        {
            "What is done otherwise": named(way.taken, full=True),
            "Difference": _signed(card, robustness.apart(card, way)),
            "Usual range of it": f"{_bare(card, way.lower)} to {_bare(card, way.upper)}",
            "Where it stands": robustness.where(way.stands).capitalize(),
        }
        for way in shown
    ]
    unit = "percentage points" if figures.is_share(card) else card.unit
    left = len(turned) + 1 - len(shown)
    more = f"{plural(left, 'more way')} with several other choices at once: in the workbook." if left else ""
    tag = found.facts.plain_names.label(found.rung, "england")
    return Table(
        pd.DataFrame(rows),
        f"Ways that put it elsewhere: the difference from the expected ({tag}), in {unit}.",
        more,
        f"{found.facts.code}_{card.id}_ways",
        (40, 16, 22, 34),
    )


def standing_out_ways(run: Run, practice: str, metric: str) -> tuple[str, str]:
    """Return in how many other ways a practice is outside the usual range, and on which choice that hangs."""
    found = practice_ways(run, practice, metric)
    if found.here is None or not found.others:
        return "not known", "not known"
    hangs = lower_first(CHOICES.get(robustness.drives(found), "")) if found.agree < len(found.others) else ""
    return f"{number(found.outside)} of {number(len(found.others))}", hangs or "none"


def _single(ways: list[Way]) -> list[Way]:
    return ways if len(ways) <= _MANY else [way for way in ways if len(way.taken) == 1]


def _signed(card: Any, difference: float) -> str:
    if figures.is_nil(card, difference):
        return "none"
    return f"{figures.gap(card, difference).split(' ')[0]} {figures.side(difference)}"


def _bare(card: Any, value: float) -> str:
    places = 1 if figures.is_share(card) or abs(value * card.scale) < 10 else 0
    return number(value * card.scale, places)


def methods_other_ways(run: Run, metric: str = "") -> Table | str:
    """Return every declared specification that could be made with what it gives; nothing where a run holds none."""
    ways = area_ways(run, metric)
    found = held(run, ways.facts.card.id) if ways is not None else None
    if ways is None or found is None:
        return ""
    here, others = specifications(found)
    made = [way for way in others if way["available"] == "yes"]
    shown = made if len(made) <= _MANY else [way for way in made if len(way["taken"]) == 1]
    rows = [
        {
            "No.": str(row["spec"]),
            "What is done otherwise": named(row.get("taken", {}), full=True),
            "Practices": number(row["n"]),
            "τ": significant(row["tau"]),
            "Outside ±1.96": number(row["flagged"]),
            "Agree (%)": number(100 * row["agree_share"], 1) if known(row["agree_share"]) else "not known",
        }
        for row in (here, *shown)
    ]
    left = len(made) - len(shown)
    more = f"{plural(left, 'more specification')} with several options at once: in specifications.csv." if left else ""
    note = f"τ on each specification's own scale. {more}".rstrip()
    caption = "Specifications made, the primary first; agreement of all practices compared."
    return Table(
        pd.DataFrame(rows), caption, note, f"area_{ways.facts.card.id}_specifications", (5, 44, 13, 11, 14, 11)
    )


def methods_other_ways_missing(run: Run, metric: str = "") -> Table | str:
    """Return the declared specifications that could not be made, with the reason; nothing where all could."""
    found = area_ways(run, metric)
    if found is None or not found.missing:
        return ""
    shown = [way for way in found.missing if len(way["taken"]) == 1] if len(found.missing) > _MANY else found.missing
    rows = [
        {
            "No.": str(way["spec"]),
            "What would be done otherwise": named(way["taken"], full=True),
            "Why it is not available": why_not(str(way["why_not"])).capitalize(),
        }
        for way in shown
    ]
    left = len(found.missing) - len(shown)
    note = f"{plural(left, 'more specification')} with several options at once: in specifications.csv." if left else ""
    name = f"area_{found.facts.card.id}_specifications_missing"
    return (
        Table(pd.DataFrame(rows), "Declared specifications that are not available.", note, name, (5, 44, 40))
        if rows
        else ""
    )
