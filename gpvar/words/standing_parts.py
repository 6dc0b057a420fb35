"""The sentences on what one practice's figure is made of: the steps from a typical practice to it."""

from __future__ import annotations

import math

from gpvar.words import figures
from gpvar.words.phrases import Names
from gpvar.words.standing_facts import STEP, Standing, Step
from gpvar.words.text import known, number

_GOES = {
    "need": "goes with its patients",
    "context": "goes with its setting",
    "place": "is shared with its neighbours",
    "own": "is the practice's own",
    "remainder": "is chance and caution",
}
_EXPECTED = "That explains it and does not excuse it: expected is not the same as good enough."
_THEN = {
    "need": f"Practices with such patients show it too. {_EXPECTED}",
    "context": f"Practices in such a setting show it too. {_EXPECTED}",
    "place": "The practices around it show it too: ask about the place as much as about the practice. That explains "
    "it and does not excuse it.",
    "remainder": "That part is not expected to come again.",
}
#: Parts that pull back more than this share of the whole distance are told beside the one that makes it.
_PULLS = 0.25
OUTSIDE = "This is as the model would place it; the practice took no part in measuring it."


def largest(steps: tuple[Step, ...]) -> Step | None:
    """Return the step that does most towards the whole distance; None where there is no distance as shown."""
    total = _total(steps)
    return max(steps[1:], key=lambda step: step.change * math.copysign(1.0, total)) if total else None


def _total(steps: tuple[Step, ...]) -> float:
    return steps[-1].reached - steps[0].reached if steps else 0.0


def _share_of(share: float) -> str:
    if share > 1.005:
        return "All of the distance, and more,"
    if share >= 0.9:
        return "Nearly all of the distance"
    if share >= 0.55:
        return "Most of the distance"
    return "About half of the distance" if share >= 0.45 else "The largest part of the distance"


def signed(step: Step, places: int) -> str:
    """Return what a step adds as it is shown: "−1.2", "+0.3" or "0.0"."""
    text = number(step.change, places)
    return f"+{text}" if step.change > 0 else text


def message(found: Standing) -> str:
    """Return the message of the waterfall, one plain line: what the largest part of the distance is."""
    step, total = largest(found.steps), _total(found.steps)
    if step is None:
        return "Its figure is that of a typical practice"
    share, back = step.change / total, [each for each in found.steps[1:] if each.change * total < 0]
    if sum(each.change for each in back) / total >= -_PULLS:
        passing = ", or passing movement" if step.name == "own" and found.movement_unknown else ""
        return f"{_share_of(share)} {_GOES[step.name]}{passing}"
    told = [step, *sorted(back, key=lambda each: -abs(each.change))]
    said = (f"{STEP[s.name][0].lower()}{STEP[s.name][1:]} {signed(s, found.places)}" for s in told)
    return f"Its parts pull against each other: {', '.join(said)}"


def made_of(found: Standing, names: Names) -> str:
    """Return the waterfall in a few sentences: the largest part, the whole distance, and what that means."""
    card, steps, step = found.facts.card, found.steps, largest(found.steps)
    first, last = (number(s.reached, found.places) for s in (steps[0], steps[-1]))
    if figures.is_share(card):
        far = f"{first}% of {card.noun_denominator}, this one at {last}% of them"
    else:
        far = f"{first}, this one at {last} {card.unit}"
    far = f"**{message(found)}.** A typical practice in {names.reference} is at {far}."
    if step is None:
        return f"{far} The parts cancel one another, or there is nothing to divide."
    return f"{far} {_THEN.get(step.name) or _own_then(found, step)}"


def _own_then(found: Standing, step: Step) -> str:
    if exceeds_margin(found, step):
        return "Asking the practice what lies behind its own part is fair. The figures cannot say."
    return (
        f"Its own part is no larger than {figures.margin(found.facts.card)}, the smallest gap this measure's card "
        "treats as worth a second look."
    )


def exceeds_margin(found: Standing, step: Step) -> bool:
    """Return whether a step is larger than the margin on the metric's card."""
    size = abs(step.change)
    if not figures.is_share(found.facts.card):
        size = 100.0 * size / max(abs(step.start), 1e-12)
    return bool(size > found.facts.card.margin)


def own_part(found: Standing) -> str:
    """Return what is the practice's own, where that is larger than the card's margin; nothing where it is not."""
    for step in found.steps:
        if step.name == "own" and exceeds_margin(found, step):
            card = found.facts.card
            size = figures.gap(card, step.change / card.scale)
            does = f"takes {size} off" if step.change < 0 else f"adds {size}"
            passing = ", passing movement included" if found.movement_unknown else ""
            return (
                f"The practice's own part {does}{passing}. It does not go with its patients or its setting, and its "
                "neighbours do not share it"
            )
    return ""


def beside_verdict(found: Standing) -> str:
    """Return how the parts differ from what the two-page report compares with, and where lasting figures differ."""
    card, said = found.facts.card, []
    mark = "%" if figures.is_share(card) else ""
    for rung, more in (("M1", ""), ("M2", " with setting too")):
        row = found.facts.row(rung)
        if row is not None and known(row.get("centre")):
            said.append(f"{figures.shown(card, row['centre'])}{mark}{more} ({rung})")
    if not said or found.facts.headline == "M0":
        return ""
    return (
        "These are shares of the whole distance, worked out with all parts together. The two-page report answers "
        f"another question, what practices with such patients show: {', '.join(said)}. The verdict rests on that."
        f"{_before_chance(found)}"
    )


def _before_chance(found: Standing) -> str:
    """Return why the figure before chance is not the lasting one that is told further down, where both are shown."""
    raw, last = found.raw, found.steps[-1]
    if raw is None or not known(raw.get("shrunken")) or last.name != "remainder":
        return ""
    if number(last.start, found.places) == number(raw["shrunken"] * found.facts.card.scale, found.places):
        return ""
    return (
        f" Before chance the parts reach {number(last.start, found.places)}; the lasting figure below differs a little "
        "because it is worked out on the raw figures alone (M0)."
    )


def step_means(name: str, found: Standing, covariates: dict[str, str], names: Names) -> str:
    """Return what a step is, in one or two plain sentences.

    Parameters
    ----------
    covariates
        ``need`` and ``context`` → what was measured of them, in words; empty for nothing.
    """
    if name in ("need", "context"):
        what = covariates.get(name)
        return f"What goes with {what}. It explains, and does not excuse." if what else "Nothing was allowed for."
    passing = found.movement_unknown
    return {
        "reference": f"A typical practice in {names.reference}: the one in the middle.",
        "place": "What the practices around it have in common beyond their patients. It is shown here only: the "
        "verdict takes nothing off for it.",
        "own": "What is left to this practice, as best estimated: how it works, how it records, and needs that nobody "
        "measured." + (" Passing movement is not known, so it is counted in here." if passing else ""),
        "remainder": f"Chance{'' if passing else ', passing movement'}, and the caution of an estimate that rests on "
        "one figure.",
    }[name]


def alternative(found: Standing, band: list[float]) -> str:
    """Return the text alternative of the waterfall: every step with what it adds and reaches."""
    card, steps, places = found.facts.card, found.steps, found.places
    said = [f"{STEP[step.name]} {signed(step, places)}, to {number(step.reached, places)}" for step in steps[1:]]
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
