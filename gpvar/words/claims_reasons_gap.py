"""Why a sentence on a gap between a practice and others was found as it was."""

from __future__ import annotations

from gpvar import catalogue
from gpvar.words import claims_reasons_odds, figures
from gpvar.words.claims_facts import EXPECTED, NOT_WHY, ClaimFacts, apart, explained, margin_at, sentences
from gpvar.words.claims_reasons import Reason
from gpvar.words.text import known, listed, number, plural

_DIFFERENCE = ("difference", "difference_lower", "difference_upper")
#: What requests and referrals are both counted in.
_PER_1000 = catalogue.metric("ag_requests_per_1000")
_COMMON = "Common is not the same as acceptable."
_ADJUSTED = ("adjusted_difference", "adjusted_lower", "adjusted_upper")


def _raw(facts: ClaimFacts) -> str:
    """Return the raw difference as a sentence, with the two figures, and the figure of all practices together."""
    than = f"the middle of practices {facts.within}{_beside(facts, 'M0')}"
    size = apart(facts, *_DIFFERENCE, than)
    return " ".join(text for text in (f"The raw figure is {size}.", together(facts)) if text) if size else ""


def _beside(facts: ClaimFacts, rung: str) -> str:
    """Return ", 22.8 beside 42.1": the practice's figure and what it is compared with."""
    card, row = facts.card, facts.rows.get(rung, {})
    if card is None or not (known(row.get("value")) and known(row.get("centre"))):
        return ""
    return f", {figures.shown(card, row['value'])} beside {figures.shown(card, row['centre'])}"


def together(facts: ClaimFacts) -> str:
    """Return the figure of all practices together, and their plain mean where the sentence is on an average."""
    card, pooled, mean = facts.card, facts.get("comparator_pooled"), facts.get("comparator_mean")
    if card is None:
        return ""
    if not known(pooled):
        return ""
    said = f"The figure of all practices {facts.within} together is {figures.amount(card, pooled)}"
    if known(mean) and facts.claim.template == "below_mean":
        said = f"{said}; their plain mean is {figures.amount(card, mean)}"
    return f"{said}."


def _beside_like(facts: ClaimFacts) -> str:
    """Return the difference from practices with similar patients as a sentence."""
    rung = "M2" if facts.finding.numbers.get("adjusted_rung") == "M2" else "M1"
    like = "practices in circumstances like these" if rung == "M2" else "practices with patients like these"
    size = apart(facts, *_ADJUSTED, f"{like} would show{_beside(facts, rung)}", rung)
    return f"After allowing for patients{' and setting' if rung == 'M2' else ''} it is {size}." if size else ""


def _margin(facts: ClaimFacts) -> str:
    """Return the smallest gap worth a second look, in the measure's unit."""
    card, much = facts.card, facts.get("margin")
    if card is None:
        return "the margin of the measure"
    return figures.gap(card, much) if known(much) else figures.margin(card)


def _margins(facts: ClaimFacts) -> str:
    """Return the margin, and what it is after adjustment where it is a part of what is expected there."""
    rung = "M2" if facts.finding.numbers.get("adjusted_rung") == "M2" else "M1"
    card, row = facts.card, facts.rows.get(rung, {})
    if card is None or figures.is_share(card) or not known(row.get("centre")):
        return f"{_margin(facts)}, the margin of the measure"
    like = "allowing for patients and setting" if rung == "M2" else "allowing for patients"
    return (
        f"the margin of the measure: {_margin(facts)} on the raw figures, {_size(margin_at(facts, rung))} after {like}"
    )


def _size(much: str) -> str:
    return much.split(" ")[0]


def _missed(facts: ClaimFacts) -> str:
    """Return how large a difference could be there and not be seen."""
    card, much = facts.card, facts.get("could_have_been_missed")
    if card is None or not known(much) or figures.is_nil(card, much):
        return "Nor do the figures rule it out."
    return f"Nor do the figures rule it out: a difference of {figures.gap(card, much)} could have been missed."


def _other_side(facts: ClaimFacts) -> list[str]:
    said = {-1: "The figure is not low but high, beyond chance.", 1: "The figure is not high but low, beyond chance."}
    other = said.get(facts.sign, "That is on the other side than the letter says, beyond chance.")
    return sentences([_raw(facts), other, _beside_like(facts)])


def _less_than_margin(facts: ClaimFacts) -> list[str]:
    card, size = facts.card, facts.get("difference")
    first = f"The gap is less than {_margin(facts)}, the margin of the measure."
    if card is not None and known(size) and not figures.is_nil(card, size):
        ends = (facts.get("difference_lower"), facts.get("difference_upper"))
        within = all(known(end) for end in ends) and min(ends) <= 0 <= max(ends)
        chance = "though that may be chance" if within else "and that is beyond chance"
        where = "below" if size < 0 else "above"
        first = f"The practice is {where} the middle, {chance}, but by less than {_margin(facts)}, the margin."
    least = "All of the interval is within it: the smallest gap that this measure's card calls worth a second look."
    return sentences([first, _raw(facts), least, _beside_like(facts)])


def _shortfall_holds(facts: ClaimFacts) -> list[str]:
    beyond = f"Even the near end of each interval is beyond {_margins(facts)}."
    return sentences([_raw(facts), _beside_like(facts), beyond, NOT_WHY])


def _shortfall_with_patients(facts: ClaimFacts) -> list[str]:
    return sentences([explained(facts), _raw(facts), _beside_like(facts), EXPECTED])


def _shortfall_not_shown(facts: ClaimFacts) -> list[str]:
    needs = f"To be called right, the whole interval must lie beyond {_margins(facts)}."
    return sentences([_raw(facts), _beside_like(facts), needs, _missed(facts)])


def _false_alarms(facts: ClaimFacts) -> str:
    """Return how many of the practices that differ as clearly do so by chance; nothing where it is not known."""
    q = facts.get("q")
    if not known(q):
        return ""
    many = "fewer than 1" if q < 0.005 else number(100 * q)
    return f"Of 100 practices that differ as clearly as this one, {many} would do so by chance."


def _within_chance(facts: ClaimFacts) -> list[str]:
    return sentences([_raw(facts), "A gap of that size can come about by chance.", _beside_like(facts), _missed(facts)])


def _more_than_chance(facts: ClaimFacts) -> list[str]:
    more = "Both are more than chance gives, with many practices tested."
    return sentences([_raw(facts), _beside_like(facts), more, _false_alarms(facts), NOT_WHY])


def _difference_with_patients(facts: ClaimFacts) -> list[str]:
    more = "That is more than chance gives."
    return sentences([explained(facts), _raw(facts), more, _beside_like(facts), EXPECTED])


def _chance_not_separated(facts: ClaimFacts) -> list[str]:
    moves = (
        "How far the figure moves by itself from month to month is not known, so the gap cannot be told from "
        "such movement."
    )
    return sentences([_raw(facts), moves, _beside_like(facts)])


def _within_chance_after(facts: ClaimFacts) -> list[str]:
    both = "They do not show that the gap is more than chance both before and after."
    return sentences([_raw(facts), _beside_like(facts), both, _missed(facts)])


def _limits(facts: ClaimFacts) -> str:
    """Return the 99.8 % limits in the measure's unit."""
    card = facts.card
    if card is None or not facts.has("lower_99_8", "upper_99_8"):
        return ""
    span = figures.span(card, facts.get("lower_99_8"), facts.get("upper_99_8"))
    return f"On the raw figures the 99.8% limits of practices {facts.within} run from {span}."


def _how_far(facts: ClaimFacts) -> str:
    """Return how far out it is, counted in the spread that practices share."""
    raw, like = facts.get("z_raw"), facts.get("z_adjusted")
    at = {"on the raw figures": raw, "after allowing for patients": like}
    at["after allowing for setting too"] = facts.get("z_setting")
    said = [f"{number(abs(z), 1)} times {how}" for how, z in at.items() if known(z)]
    if not said:
        return ""
    # "1.8 times the usual spread of practices on the raw figures, 1.3 times after allowing for patients"
    first = said[0].replace(" times ", " times the usual spread of practices ", 1)
    return f"Its distance from the middle is {listed([first, *said[1:]])}; the 99.8% limits lie at 3.1 times."


def _how_many(facts: ClaimFacts) -> str:
    """Return how many practices are as far out, and how many would be in an even spread."""
    if not facts.has("beyond_99_8", "compared"):
        return ""
    found = facts.get("beyond_99_8")
    said = f"{number(found)} of {plural(facts.get('compared'), 'practice')} {'is' if found == 1 else 'are'} beyond them"
    expected = facts.get("expected_beyond")
    return f"{said}; a bell-shaped spread gives about {number(expected)}." if known(expected) else f"{said}."


def _exceptional(facts: ClaimFacts) -> list[str]:
    first = (
        "After allowing for patients the figure is outside the 99.8% limits of practices as they are, and the raw "
        "figure is outside the 95% limits at least."
    )
    return sentences([_how_far(facts), first, _limits(facts), _how_many(facts), NOT_WHY])


def _exceptional_with_patients(facts: ClaimFacts) -> list[str]:
    first = "The raw figure is outside the 95% limits of practices as they are."
    return sentences([explained(facts), first, _how_far(facts), _limits(facts), EXPECTED])


def _not_exceptional(facts: ClaimFacts) -> list[str]:
    first = "The figure is inside the 95% limits of practices as they are, before and after allowing for patients."
    return sentences([_how_far(facts), first, _limits(facts), _how_many(facts), _COMMON])


def _outside_not_exceptional(facts: ClaimFacts) -> list[str]:
    first = "The figure is far out, but not outside the 99.8% limits of practices as they are in every comparison."
    return sentences([_how_far(facts), first, _limits(facts), _how_many(facts)])


def _reach(facts: ClaimFacts) -> str:
    """Return how many of the practices most like it reach the figure."""
    card = facts.card
    line = figures.amount(card, facts.get("threshold")) if card is not None else "the figure"
    if not facts.has("neighbours", "reach"):
        return f"How many practices like it reach {line} is not known."
    low, high = facts.get("share_lower"), facts.get("share_upper")
    ends = ""
    if known(low) and known(high):
        ends = f" (95% interval for sampling alone: {number(100 * low)} to {figures.per_hundred(100 * high)})"
    k = facts.get("reach")
    verb = "reaches" if k == 1 else "reach"
    return (
        f"Of the {plural(facts.get('neighbours'), 'practice')} most like it in patients and setting, "
        f"{number(k) if k else 'none'} {verb} {line}{ends}."
    )


def _all_reach(facts: ClaimFacts) -> str:
    share = facts.get("england_share")
    return f"Of all practices compared, {figures.per_hundred(100 * share)} do." if known(share) else ""


def _like_it_reach(facts: ClaimFacts) -> list[str]:
    return sentences([_reach(facts), _all_reach(facts), "That it can be reached does not show how."])


def _hardly_any(facts: ClaimFacts) -> list[str]:
    return sentences([_reach(facts), _all_reach(facts), EXPECTED])


def _some_reach(facts: ClaimFacts) -> list[str]:
    settled = (
        "To be called right it needs at least 20 in 100, and not by chance; to be called wrong, an interval wholly "
        "below 20."
    )
    return sentences([_reach(facts), settled, _all_reach(facts)])


def _no_neighbours(facts: ClaimFacts) -> list[str]:
    line = f" reach {figures.amount(facts.card, facts.get('threshold'))}" if facts.card is not None else " do"
    return [f"No practices like it could be found in these data, so it cannot be said how many{line}."]


def _both(facts: ClaimFacts) -> str:
    """Return both raw gaps, each with its interval."""
    said = []
    for name, what in (("requests", "requests for advice"), ("referrals", "referrals")):
        size, low, high = (facts.get(f"{name}_{end}") for end in ("difference", "lower", "upper"))
        if known(size):
            interval = figures.interval(_PER_1000, low, high, facts.chance)
            said.append(f"{what} are {_per_1000(size)}{f' ({interval})' if interval else ''}")
    return f"On the raw figures {' and '.join(said)}." if said else ""


def _per_1000(size: float) -> str:
    return f"{number(abs(1000 * size), 1)} per 1,000 patients a month {figures.side(size)} than elsewhere"


def _both_with_patients(facts: ClaimFacts) -> list[str]:
    said = "Requests for advice are low and referrals high, but not after allowing for patients, or for setting."
    return sentences([said, _both(facts), _both_adjusted(facts), EXPECTED])


def _both_adjusted(facts: ClaimFacts) -> str:
    parts = [
        f"{what} are {_per_1000(facts.get(f'{name}_adjusted'))}"
        for name, what in (("requests", "requests"), ("referrals", "referrals"))
        if facts.has(f"{name}_adjusted")
    ]
    return f"After allowing for patients {' and '.join(parts)}." if parts else ""


def _different_in_both(facts: ClaimFacts) -> list[str]:
    said = (
        "Requests for advice are low and referrals high, each beyond its margin before and after allowing for patients."
    )
    return sentences([said, _both(facts), _CASES])


def _not_both(facts: ClaimFacts) -> list[str]:
    one = "The two do not go together here: requests are not low, or referrals are not high."
    return sentences([one, _both(facts)])


def _both_not_shown(facts: ClaimFacts) -> list[str]:
    return sentences(["The figures neither show nor rule out that requests are low and referrals high.", _both(facts)])


def _referrals_not_held(facts: ClaimFacts) -> list[str]:
    return ["The study holds no referrals beside the requests for advice, so the two cannot be set side by side."]


_CASES = "That is different. Whether it is right or wrong for patients takes a look at cases."


def _nothing_allowed_for(facts: ClaimFacts) -> list[str]:
    """Return that the raw figures bear a statement out and that nothing more is known."""
    chance = claims_reasons_odds.chances(facts) if facts.has("p_raw") else ""
    far = _how_far(facts) if facts.has("z_raw") else ""
    none = "The raw figures bear the sentence out, but nothing of the practice's patients could be allowed for."
    return sentences([chance or far or _raw(facts), none, "So it cannot be told whether like practices show it too."])


def _both_with_nothing(facts: ClaimFacts) -> list[str]:
    said = "Requests are low and referrals high on the raw figures, but nothing of its patients could be allowed for."
    return sentences([_both(facts), said, "So it cannot be told whether like practices show it too."])


REASONS: dict[str, Reason] = {
    "both_with_nothing_allowed_for": _both_with_nothing,
    "nothing_allowed_for": _nothing_allowed_for,
    "both_go_with_patients": _both_with_patients,
    "other_side": _other_side,
    "less_than_margin": _less_than_margin,
    "shortfall_holds": _shortfall_holds,
    "shortfall_goes_with_patients": _shortfall_with_patients,
    "shortfall_not_shown": _shortfall_not_shown,
    "within_chance": _within_chance,
    "more_than_chance": _more_than_chance,
    "difference_goes_with_patients": _difference_with_patients,
    "chance_not_separated": _chance_not_separated,
    "within_chance_after": _within_chance_after,
    "exceptional": _exceptional,
    "exceptional_goes_with_patients": _exceptional_with_patients,
    "not_exceptional": _not_exceptional,
    "outside_but_not_exceptional": _outside_not_exceptional,
    "no_neighbours": _no_neighbours,
    "practices_like_it_reach": _like_it_reach,
    "hardly_any_reach": _hardly_any,
    "some_reach": _some_reach,
    "referrals_not_held": _referrals_not_held,
    "different_in_both": _different_in_both,
    "not_both": _not_both,
    "both_not_shown": _both_not_shown,
}
