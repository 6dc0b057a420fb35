"""Titles and text alternatives of the pictures of one practice's parts and of the practices most like it."""

from __future__ import annotations

from typing import Any

from gpvar.words import figures, standing
from gpvar.words.standing_facts import STEP, Neighbours, Standing
from gpvar.words.text import known, number, plural

BAND = "Shaded: the middle 95% of practices"


def waterfall_alt(found: Standing, band: list[float]) -> str:
    """Return the text alternative of the waterfall: every step with what it adds and reaches."""
    card, steps, places = found.facts.card, found.steps, found.places
    said = [
        f"{STEP[step.name]} {standing.signed(step, places)}, to {number(step.reached, places)}" for step in steps[1:]
    ]
    unit = f"% of {card.noun_denominator}" if figures.is_share(card) else card.unit
    behind = (
        f" The band behind holds the middle 95% of practices: {number(band[0], places)} to {number(band[1], places)}."
        if all(known(x) for x in band)
        else ""
    )
    return (
        f"Bars from the figure of a typical practice to this one's, in {unit}. It starts at "
        f"{number(steps[0].reached, places)}. {'; '.join(said)}.{behind}"
    )


def neighbours_title(near: Neighbours, value: float) -> str:
    """Return the message of the strip: on which side of this practice most of them are."""
    n, below, above = len(near.values), near.below(value), near.above(value)
    many, side = (above, "higher") if above >= below else (below, "lower")
    if many == 0:
        return f"The {plural(n, 'practice')} most like it show the same figure"
    if n == 1:
        return f"The one practice most like it is {side}"
    return f"{standing.of_all(many, n)} practices most like it {'is' if many == 1 else 'are'} {side}"


def neighbours_alt(card: Any, near: Neighbours, value: float) -> str:
    """Return the text alternative of the strip."""
    n = len(near.values)
    return (
        f"Dots for the {plural(n, 'practice')} most like it in patients and setting, none of them named, from "
        f"{figures.span(card, near.values[0], near.values[-1])}, their middle {figures.amount(card, near.middle)}. "
        f"This practice is at {figures.amount(card, value)}; {number(near.below(value))} of them "
        f"{'is' if near.below(value) == 1 else 'are'} lower, {number(near.above(value))} higher."
    )
