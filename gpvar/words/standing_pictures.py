"""Title and text alternative of the picture of the practices most like one, and what its band is."""

from __future__ import annotations

from typing import Any

from gpvar.words import figures, standing
from gpvar.words.standing_facts import Neighbours
from gpvar.words.text import number, plural

BAND = "Shaded: the middle 95% of practices"


def neighbours_title(near: Neighbours, value: float) -> str:
    """Return the message of the strip: on which side of this practice most of them are."""
    n, below, above = len(near.values), near.below(value), near.above(value)
    many, side = (above, "higher") if above >= below else (below, "lower")
    if many == 0:
        return f"The {plural(n, 'practice')} most like it show the same figure"
    if n == 1:
        return f"The one practice most like it has a {side} figure"
    return f"{standing.of_all(many, n)} practices most like it {'has' if many == 1 else 'have'} a {side} figure"


def neighbours_alt(card: Any, near: Neighbours, value: float) -> str:
    """Return the text alternative of the strip."""
    n = len(near.values)
    return (
        f"Dots for the {plural(n, 'practice')} most like it in patients and setting, none of them named, from "
        f"{figures.span(card, near.values[0], near.values[-1])}, their middle {figures.amount(card, near.middle)}. "
        f"This practice is at {figures.amount(card, value)}; {number(near.below(value))} of them "
        f"{'is' if near.below(value) == 1 else 'are'} lower, {number(near.above(value))} higher."
    )
