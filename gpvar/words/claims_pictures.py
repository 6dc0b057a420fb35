"""Titles, labels and text alternatives of the one picture that each sentence of a letter has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import figures, passing, phrases
from gpvar.words.claims import finding_phrase
from gpvar.words.claims_facts import ClaimFacts, bare, part
from gpvar.words.console import without_markdown
from gpvar.words.text import known, number, plain, plural, titled

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
#: What the marks of the pictures are.
EXPECTED, BAND = "expected", "middle 95% of practices"
LETTER, THRESHOLD = "the letter's figure", "the line in the letter"
LIMITS = "99.8% limits (raw)"
BEFORE, AFTER = "Before", "After"
REQUESTS, REFERRALS = "Requests for advice", "Referrals"
REACH_UNIT, REACH_LINE = (
    "of 100 practices, how many reach the figure in the letter",
    "20 in 100: where the sentence holds",
)
RATIO_UNIT = "patients for each full-time doctor; line: by which doctors are counted"
JOINT_UNIT, JOINT_LINE = "difference from what is expected, per 1,000 patients a month", "as expected"


def practice(facts: ClaimFacts) -> str:
    """Return what the mark of the practice is, and what its interval allows for."""
    return f"the practice, 95% interval for {facts.chance}"


def cut(facts: ClaimFacts) -> str:
    """Return what the line of a place among practices is: "end of the lowest tenth"."""
    group = part(facts.get("tail"), facts.sign or -1).removeprefix("in ").removeprefix("among ")
    return f"end of {group}"


def subject(facts: ClaimFacts) -> str:
    """Return whom a sentence is about, as plain text."""
    return titled(without_markdown(facts.who if facts.is_practice else facts.area)) or "the area"


def _message(facts: ClaimFacts, said: str) -> str:
    return f"{finding_phrase(facts.finding)}: {said}"


def rung_label(rung: str) -> str:
    """Return what a line of the picture allows for."""
    return _LINES.get(rung, phrases.RUNG_SHORT[rung])


_LINES = {"M0": "Raw figure (M0)", "M1": "Patients allowed for (M1)", "M2": "Circumstances too (M2)"}


def standing_title(facts: ClaimFacts) -> str:
    """Return the message of a practice's figure beside what is expected."""
    card, raw, judged = facts.card, facts.raw, facts.judged
    if raw is None or judged is None:
        return _message(facts, "no figure")
    said = figures.amount(card, raw["value"])
    if facts.headline == "M0":
        return _message(facts, f"{said}; the middle practice shows {bare(card, raw['centre'])}")
    return _message(facts, f"{said}; practices with such patients show {bare(card, judged['centre'])}")


def standing_alt(facts: ClaimFacts, rows: Mapping[str, Row]) -> str:
    """Return the picture of a practice's figure in words, from its numbers."""
    card = facts.card
    said = []
    for rung, row in rows.items():
        band = figures.span(card, row["middle_lower"], row["middle_upper"]) if known(row["middle_lower"]) else ""
        said.append(
            f"{phrases.RUNG[rung].capitalize()}: expected {figures.amount(card, row['centre'])}"
            + (f", the middle 95% of practices from {band}." if band else ".")
        )
    raw = rows["M0"] if "M0" in rows else next(iter(rows.values()))
    own = f"{subject(facts)} shows {figures.amount(card, raw['value'])}"
    interval = f", 95% interval for {facts.chance} {figures.span(card, raw['low'], raw['high'])}"
    interval = interval if known(raw["low"]) else ""
    return f"{own}{interval}. {' '.join(said)}{_lines(facts)}{_letters_own(facts)}"


def _lines(facts: ClaimFacts) -> str:
    """Return what the test judges by, where a line is drawn of it."""
    card = facts.card
    if facts.template.test == "outlier" and facts.has("lower_99_8", "upper_99_8"):
        return f" The 99.8% limits are {figures.span(card, facts.get('lower_99_8'), facts.get('upper_99_8'))}."
    if facts.template.test == "rank" and facts.has("cut_value", "tail"):
        return f" On the raw figures the {cut(facts)} is at {figures.amount(card, facts.get('cut_value'))}."
    return ""


def _letters_own(facts: ClaimFacts) -> str:
    figure = facts.claim.figure
    if figure is None or facts.finding.numbers.get("figure_right") is not False:
        return ""
    return f" The letter's own figure, {plain(figure.text, 40)}, is marked too."


def threshold_title(facts: ClaimFacts) -> str:
    """Return the message of a practice's figure beside a line."""
    card = facts.card
    return _message(
        facts, f"{figures.amount(card, facts.get('value'))}; the line is at {bare(card, facts.get('threshold'))}"
    )


def threshold_alt(facts: ClaimFacts) -> str:
    """Return the picture of a figure and a line in words."""
    card = facts.card
    adjusted = facts.get("adjusted")
    more = (
        f" With {facts.names.reference}'s mix of patients it would show {figures.amount(card, adjusted)}."
        if known(adjusted)
        else ""
    )
    return (
        f"{subject(facts)} shows {figures.amount(card, facts.get('value'))}, 95% interval "
        f"{figures.span(card, facts.get('interval_lower'), facts.get('interval_upper'))}. The line of the sentence is "
        f"at {figures.amount(card, facts.get('threshold'))}.{more}"
    )


def before(facts: ClaimFacts) -> str:
    """Return the name of the number that stands at the beginning of a change."""
    return "group_before" if facts.template.test == "worst_improved" else "before"


def after(facts: ClaimFacts) -> str:
    """Return the name of the number that stands at the end of a change."""
    return "group_after" if facts.template.test == "worst_improved" else "after"


def change_points(facts: ClaimFacts) -> dict[str, tuple[float, float]]:
    """Return the lines of a change: the figure itself, had it moved as England, and had it come back by itself too."""
    first, last = facts.get(before(facts)), facts.get(after(facts))
    if not (known(first) and known(last)):
        return {}
    who = "The group" if facts.template.test == "worst_improved" else subject(facts)
    found = {who: (first, last)}
    england, left = facts.get("england_change"), facts.get("left")
    if known(england):
        found[f"Had it moved as {facts.names.reference} did"] = (first, first + england)
    if known(left):
        found["And as a figure that far out does by itself (bar: 95% interval)"] = (first, last - left)
    return found


def change_ends(facts: ClaimFacts) -> list[str]:
    """Return what stands under both ends: the months, where the letter names them."""
    earlier = passing.stretch(facts.claim.period_before) if facts.claim.period_before else ""
    return [earlier or BEFORE, facts.period or AFTER]


def change_title(facts: ClaimFacts) -> str:
    """Return the message of a change: the practice's, or a group's, beside England's."""
    return _message(facts, change_said(facts))


def change_said(facts: ClaimFacts) -> str:
    """Return from what to what the figure went, and England's with it; empty where that is not known."""
    card = facts.card
    if card is None or not facts.has(before(facts), after(facts)):
        return ""
    said = f"from {bare(card, facts.get(before(facts)))} to {figures.amount(card, facts.get(after(facts)))}"
    moved = _england(facts)
    return f"{said}; {facts.names.reference} {moved}" if moved else said


def _england(facts: ClaimFacts) -> str:
    """Return what England's own figure did: from what to what where that is known, so that one number is printed."""
    card = facts.card
    if facts.has("england_before", "england_after"):
        ends = [facts.get(f"england_{end}") for end in ("before", "after")]
        return f"went from {' to '.join(bare(card, end) for end in ends)}"
    england = facts.get("england_change")
    if not known(england):
        return ""
    if figures.is_nil(card, england):
        return "did not move"
    return f"{'fell' if england < 0 else 'rose'} by {figures.gap(card, england)}"


def change_alt(facts: ClaimFacts, points: Mapping[str, tuple[float, float]]) -> str:
    """Return the picture of a change in words: each line from what to what."""
    card = facts.card
    said = [f"{name}: from {bare(card, a)} to {figures.amount(card, b)}." for name, (a, b) in points.items()]
    left = _left(facts)
    return f"Lines from before to after. {' '.join(said)}{left}"


def _left(facts: ClaimFacts) -> str:
    if not facts.has("left", "left_lower", "left_upper"):
        return ""
    ends = " to ".join(figures.gap(facts.card, facts.get(name)) + _sign(facts.get(name)) for name in _LEFT_ENDS)
    left = facts.get("left")
    return f" Left beyond both: {figures.gap(facts.card, left)}{_sign(left)}, 95% interval {ends}."


_LEFT_ENDS = ("left_lower", "left_upper")


def _sign(value: float) -> str:
    return " lower" if value < 0 else " higher"


def bars_title(facts: ClaimFacts) -> str:
    """Return the message of bars that stand beside one another."""
    return _message(facts, bars_said(facts))


def bars_said(facts: ClaimFacts) -> str:
    """Return what such bars show, without the finding."""
    return _BARS[facts.template.test](facts)


def _many(facts: ClaimFacts) -> str:
    return (
        f"{number(facts.get('k'))} of {number(facts.get('m'))} red; a practice that differs in nothing has "
        f"{number(facts.get('expected'), 1)}"
    )


def _ratio(facts: ClaimFacts) -> str:
    low, high = (number(round(facts.get(name), -1)) for name in ("ratio_low", "ratio_high"))
    return f"{low} to {high} patients for each GP, as doctors are counted"


def _opportunity(facts: ClaimFacts) -> str:
    return f"{number(facts.get('written'))} in the letter; {number(facts.get('lasting_sum'))} with chance taken off"


def _exemplar(facts: ClaimFacts) -> str:
    n, reach = facts.get("neighbours"), facts.get("reach")
    verb, line = "reaches" if reach == 1 else "reach", bare(facts.card, facts.get("threshold"))
    return f"{number(reach)} of the {plural(n, 'practice')} most like it {verb} {line}"


def _joint(facts: ClaimFacts) -> str:
    requests, referrals = facts.get("requests_difference"), facts.get("referrals_difference")
    return f"requests {figures.side(requests)} and referrals {figures.side(referrals)} than expected"


_BARS = {"exemplar": _exemplar, "many": _many, "ratio": _ratio, "opportunity": _opportunity, "joint": _joint}


def sum_unit(facts: ClaimFacts) -> str:
    """Return what a sum of gains is of."""
    return f"{facts.card.gap_unit} a week" if facts.card is not None else "events a week"


def bars_alt(rows: Mapping[str, tuple[float, float, float]], unit: str, places: int) -> str:
    """Return bars in words: each with its interval, where it has one."""
    said = []
    for name, (value, low, high) in rows.items():
        ends = f", from {number(low, places)} to {number(high, places)}" if known(low) and known(high) else ""
        said.append(f"{name}: {number(value, places)}{ends}.")
    return f"A mark on a line of its own for each. Unit: {unit}. {' '.join(said)}"
