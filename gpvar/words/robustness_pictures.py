"""Titles, labels and text alternatives of the pictures of other defensible ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import figures, robustness
from gpvar.words.robustness_choices import way as named
from gpvar.words.text import number, plural

if TYPE_CHECKING:
    from gpvar.words.robustness_facts import AreaWays, Ways

__all__ = [
    "HERE",
    "INSIDE",
    "OUTSIDE",
    "USUAL",
    "about",
    "area_alt",
    "area_axis",
    "area_title",
    "bar_label",
    "curve_alt",
    "curve_axis",
    "curve_title",
    "here_label",
    "named",
]
USUAL, OUTSIDE, INSIDE = "usual range in that way", "outside it", "inside it"
HERE = "the way used here"


def curve_title(found: Ways) -> str:
    """Return the message of the curve: who it is, and in how many ways the practice is where."""
    n, many, here = len(found.others), found.outside, found.here
    if here is None:
        return ""
    name = found.facts.name
    if many == (n if here.outside else 0):
        return f"{name}: {'outside' if here.outside else 'inside'} the usual range here and in {robustness.of(n, n)}"
    if here.outside:
        return f"{name}: outside the usual range here {'and' if many else 'but'} in {robustness.of(many, n)}"
    return f"{name}: inside the usual range here; outside it in {robustness.of(many, n)}"


def about(found: Ways | AreaWays) -> str:
    """Return what a picture that stands alone must say of itself: the measure, the months, and beside whom."""
    facts = found.facts
    told = "allowing for patients" if found.rung != "M0" else "raw figures"
    beside = facts.plain_names.label(found.rung, "england")
    simulated = " Simulated: not real practices." if facts.run.meta.get("simulated") else ""
    return f"{facts.card.title}, {facts.meta['period_label']}, {told} ({beside}).{simulated}"


def here_label(found: Ways) -> str:
    """Return what the mark of the way used here is called, and where that puts the practice."""
    return f"{HERE}, {'outside' if found.here is not None and found.here.outside else 'inside'} it"


def curve_axis(card: Any) -> str:
    """Return the name of the axis of differences."""
    unit = "percentage points" if figures.is_share(card) else card.unit
    return f"Difference from the expected ({unit})"


def curve_alt(found: Ways) -> str:
    """Return the text alternative of the curve, way by way where they are few."""
    here = found.here
    if here is None:
        return ""
    start = f"{robustness.span(found)} The way used here puts it {robustness.where(here.stands)}."
    turned = [way for way in found.others if not way.agrees]
    if not turned:
        return f"{start} So do {robustness.of(len(found.others), len(found.others))}."
    if len(turned) > 8:
        return f"{start} {number(len(turned))} of {plural(len(found.others), 'other way')} put it elsewhere."
    said = "; ".join(f"{named(way.taken)}: {robustness.where(way.stands)}" for way in turned)
    return f"{start} Ways that put it elsewhere: {said}."


def area_title(found: AreaWays) -> str:
    """Return the message of an area's counts."""
    out, inside, n = found.outside[True], found.outside[False], len(found.made)
    always, come = sum(many == n for many in out), sum(many > 0 for many in inside)
    if not out:
        return (
            f"None is outside the usual range here; {number(come)} of {number(len(inside))} would be in some other way"
        )
    return (
        f"Of the {number(len(out))} outside the usual range here, {number(always)} are outside in every other way; "
        f"of the {number(len(inside))} inside, {number(come) if come else 'none'} would be outside in some"
    )


def area_axis(found: AreaWays) -> str:
    """Return the name of the axis of ways."""
    return f"in how many of {plural(len(found.made), 'other way')} a practice is outside the usual range"


def bar_label(found: AreaWays, outside: bool) -> str:
    """Return what the bars of one side are, and how many stand in none of them."""
    if outside:
        return "outside the usual range here"
    never = sum(many == 0 for many in found.outside[False])
    return f"inside it here (and {number(never)} that never are outside)"


def area_alt(found: AreaWays) -> str:
    """Return the text alternative of an area's counts."""
    n = len(found.made)
    said = []
    for side, where in ((True, "outside the usual range here"), (False, "inside it here")):
        many = found.outside[side]
        if many:
            always, never = sum(k == n for k in many), sum(k == 0 for k in many)
            said.append(
                f"Of {plural(len(many), 'practice')} {where}, {number(always)} are outside in every other way, "
                f"{number(len(many) - always - never)} in some and {number(never)} in none."
            )
    return f"Bars of practices by the number of other ways, of {number(n)}, that put them outside. {' '.join(said)}"
