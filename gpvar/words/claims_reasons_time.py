"""Why a sentence on a change between two periods was found as it was."""

from __future__ import annotations

from gpvar.words import figures, passing
from gpvar.words.claims_facts import NOT_WHY, ClaimFacts, between_periods, changed, printed, sentences
from gpvar.words.claims_reasons import NEITHER, Reason
from gpvar.words.text import known, number, plural

_LEFT = ("left", "left_lower", "left_upper")


def moved(facts: ClaimFacts, size: float) -> str:
    """Return "rose by 1.2 percentage points", "fell by …" or "did not change"."""
    card = facts.card
    if card is None or not known(size):
        return "changed by an amount that is not known"
    if figures.is_nil(card, size):
        return "did not change"
    return f"{'fell' if size < 0 else 'rose'} by {figures.gap(card, size)}"


def _interval(facts: ClaimFacts, low: str, high: str) -> str:
    """Return the interval of a change in brackets: down or up, never better or worse."""
    card = facts.card
    said = figures.interval(card, facts.get(low), facts.get(high), facts.chance) if card is not None else ""
    return f" ({said})" if said else ""


def _change(facts: ClaimFacts, but: str = "") -> str:
    """Return what the figure did, from where to where, and what is set against it."""
    card, before, after = facts.card, facts.get("before"), facts.get("after")
    span = f", from {figures.span(card, before, after)}" if card is not None and known(before) and known(after) else ""
    if not facts.has("change"):
        return ""
    size = moved(facts, changed(facts))
    interval = _interval(facts, "change_lower", "change_upper")
    return f"The practice's figure {size}{interval}{span}{but}."


def _england(facts: ClaimFacts) -> str:
    """Return how all practices together changed, and what the same change makes of a figure like this one."""
    card, before, after = facts.card, facts.get("england_before"), facts.get("england_after")
    if card is None:
        return ""
    same = f"the same change {_takes(facts, facts.get('england_change'))}"
    if not (known(before) and known(after)):
        return f"Over the same time {same}." if facts.has("england_change") else ""
    whole = f"All practices of {facts.names.reference} together went from {figures.span(card, before, after)}"
    return f"{whole}; {same}." if facts.has("england_change") else f"{whole}."


def _takes(facts: ClaimFacts, size: float) -> str:
    if not known(size) or figures.is_nil(facts.card, size):
        return "leaves a figure like this one as it is"
    return f"takes a figure like this one {'down' if size < 0 else 'up'} by {figures.gap(facts.card, size)}"


def _excess(facts: ClaimFacts) -> str:
    """Return what is left after England's change."""
    size = facts.get("excess")
    if facts.card is None or not known(size):
        return ""
    return f"With that taken off, {_what(facts, size)}{_interval(facts, 'excess_lower', 'excess_upper')} is left."


def _what(facts: ClaimFacts, size: float) -> str:
    if figures.is_nil(facts.card, size):
        return "as good as nothing"
    return f"a {'fall' if size < 0 else 'rise'} of {figures.gap(facts.card, size)}"


def _given_back(facts: ClaimFacts) -> str:
    """Return what a figure that far out does by itself, and what is left after that too."""
    back, left = facts.get("given_back"), facts.get("left")
    if facts.card is None or not known(back):
        return ""
    said = f"By itself a figure that far from the middle comes back to it by {_by(facts, back)}"
    if not known(left):
        return f"{said}."
    return f"{said}, which leaves {_what(facts, left)}{_interval(facts, 'left_lower', 'left_upper')}."


def _by(facts: ClaimFacts, size: float) -> str:
    return "as good as nothing" if figures.is_nil(facts.card, size) else f"about {figures.gap(facts.card, size)}"


def _missed(facts: ClaimFacts) -> str:
    much = facts.get("could_have_been_missed")
    if facts.card is None or not known(much) or figures.is_nil(facts.card, much):
        return "Nor do the figures rule it out."
    return f"Nor do the figures rule it out: a change of {figures.gap(facts.card, much)} could have been missed."


def _crosses_break(facts: ClaimFacts) -> list[str]:
    what = between_periods(facts) or "a break of the series"
    return [f"The figures before and after cannot be compared: between them lies {what}.", NEITHER]


def _no_second_period(facts: ClaimFacts) -> list[str]:
    missing = facts.periods("missing") or facts.periods("period_before")
    held = facts.periods("held")
    before = f"figures of {missing}" if missing else "an earlier period"
    has = f"; it holds {held}" if held else ""
    return [f"A change takes two periods, and the study does not hold {before} for it{has}.", NEITHER]


def _other_side(facts: ClaimFacts) -> list[str]:
    letters = {-1: "; the letter says that it fell", 1: "; the letter says that it rose"}.get(facts.sign, "")
    return sentences([_change(facts, letters), "That is beyond chance.", _england(facts)])


def _within_chance(facts: ClaimFacts) -> list[str]:
    chance = "A change of that size can come about by chance."
    return sentences([_change(facts), chance, _england(facts), _missed(facts)])


def _shared(facts: ClaimFacts) -> list[str]:
    others = "So it is a change that others show too."
    return sentences([_change(facts), _england(facts), _excess(facts), others])


def _regression(facts: ClaimFacts) -> list[str]:
    like = "So it is what such a figure does with no change in the practice."
    return sentences([_change(facts), _england(facts), _given_back(facts), like])


def _holds(facts: ClaimFacts) -> list[str]:
    return sentences([_change(facts), _england(facts), _excess(facts), _given_back(facts), NOT_WHY])


def _not_shown(facts: ClaimFacts) -> list[str]:
    beyond = "The figures do not show a change beyond chance, England and such a return."
    beyond = beyond.replace("England", facts.names.reference)
    return sentences([_change(facts), _england(facts), _given_back(facts), beyond, _missed(facts)])


def _improved(facts: ClaimFacts) -> list[str]:
    did = "So it did improve, by more than such a figure does by itself."
    return sentences([_change(facts), _england(facts), _given_back(facts), did])


def _margin(facts: ClaimFacts) -> str:
    much = facts.get("margin")
    return figures.gap(facts.card, much) if facts.card is not None and known(much) else "the margin of the measure"


def _as_others(facts: ClaimFacts) -> list[str]:
    did = "So the figure did improve, but by no more than such figures did anyway."
    return sentences([_change(facts), _england(facts), _given_back(facts), did])


def _held(facts: ClaimFacts) -> list[str]:
    own = "Its own change is not beyond chance: it held where others fell back, which is not to have improved."
    return sentences([_change(facts), own, _england(facts), _given_back(facts)])


def _no_improvement(facts: ClaimFacts) -> list[str]:
    out = f"That rules out an improvement of {_margin(facts)} beyond what such a figure does by itself."
    return sentences([_change(facts), _england(facts), _given_back(facts), out, NOT_WHY])


def _not_settled(facts: ClaimFacts) -> list[str]:
    open_ = f"Neither an improvement of {_margin(facts)} nor its absence is shown."
    return sentences([_change(facts), _england(facts), _given_back(facts), open_])


def _group(facts: ClaimFacts) -> str:
    """Return what the mean of the group did, from where to where."""
    card = facts.card
    if not facts.has("group_change") or card is None:
        return ""
    n, size = facts.get("group"), facts.get("group_change")
    who = f"The mean of the {plural(n, 'practice')}" if known(n) else "The mean of the group"
    before, after = facts.get("group_before"), facts.get("group_after")
    span = ""
    if known(before) and known(after):
        size = printed(facts, size, {"value": after, "centre": before})
        span = f", from {figures.span(card, before, after)}"
    return f"{who} {moved(facts, size)}{span}."


def _expected(facts: ClaimFacts) -> str:
    """Return what a group chosen for being far out does by itself, with the change of all."""
    card, expected, back = facts.card, facts.get("expected_change"), facts.get("given_back")
    if card is None or not known(expected):
        return ""
    parts = f": {_together(facts, back)}" if known(back) and facts.has("england_change") else ""
    return f"By itself a group chosen for being far out would show {_what(facts, expected)}{parts}."


def _together(facts: ClaimFacts, back: float) -> str:
    """Return the two parts of what such a group does by itself."""
    card, common = facts.card, facts.get("england_change")
    if figures.is_nil(card, common):
        return "its return towards the middle, with no change of all practices"
    kind = "fall" if common < 0 else "rise"
    first, second = (passing.size(card, abs(much)) for much in (back, common))
    return f"a return of about {first} towards the middle, and a {kind} of about {second} that all practices share"


def _elsewhere(facts: ClaimFacts) -> str:
    """Return what practices elsewhere did that were as far out at first; nothing where there are none."""
    n = facts.get("elsewhere")
    if not known(n) or n < 1 or not facts.has("elsewhere_change"):
        return ""
    who = f"The {plural(n, 'practice')} outside the area that had been as far out"
    return f"{who} {moved(facts, facts.get('elsewhere_change'))} on average."


def _group_left(facts: ClaimFacts) -> str:
    if facts.card is None or not facts.has("left"):
        return ""
    return f"That leaves {_what(facts, facts.get('left'))}{_interval(facts, *_LEFT[1:])}."


def _waves(facts: ClaimFacts) -> str:
    r = facts.get("correlation")
    return f"The figures of the two periods go together with a correlation of {number(r, 2)}." if known(r) else ""


def _group_not_improved(facts: ClaimFacts) -> list[str]:
    return sentences([_group(facts), "That is the other way than the letter says, beyond chance.", _england(facts)])


def _group_unknown(facts: ClaimFacts) -> list[str]:
    moves = (
        "How far figures move by themselves is not known, so it cannot be told how far such a group comes back to the "
        "middle by itself."
    )
    return sentences([_group(facts), moves, _england(facts), _elsewhere(facts), _waves(facts)])


def _group_more(facts: ClaimFacts) -> list[str]:
    more = "That is more than chance gives. It does not show that the support did it."
    return sentences([_group(facts), _expected(facts), _group_left(facts), more, _elsewhere(facts), _waves(facts)])


def _group_not_settled(facts: ClaimFacts) -> list[str]:
    open_ = "The figures show no change of the group beyond what such a group does by itself, nor rule one out."
    return sentences([_group(facts), _expected(facts), _group_left(facts), open_, _elsewhere(facts), _waves(facts)])


def _regression_to_the_mean(facts: ClaimFacts) -> list[str]:
    does = "So the group did what any group chosen for being far out does, with support or without."
    anyhow = f"Any group chosen for being far out would have done so. {_group(facts)}".strip()
    return sentences([anyhow, _expected(facts), _group_left(facts), does, _elsewhere(facts), _waves(facts)])


REASONS: dict[str, Reason] = {
    "crosses_break": _crosses_break,
    "no_second_period": _no_second_period,
    "change_other_side": _other_side,
    "change_within_chance": _within_chance,
    "change_shared": _shared,
    "change_is_regression": _regression,
    "change_holds": _holds,
    "change_not_shown": _not_shown,
    "improved": _improved,
    "improved_as_others": _as_others,
    "no_improvement_holds": _no_improvement,
    "improvement_not_settled": _not_settled,
    "group_not_improved": _group_not_improved,
    "group_movement_unknown": _group_unknown,
    "group_improved_more": _group_more,
    "group_not_settled": _group_not_settled,
    "held_while_others_fell": _held,
    "regression_to_the_mean": _regression_to_the_mean,
}
