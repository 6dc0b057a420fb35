"""Why a sentence on many indicators, on a whole area, on doctors or on causes was found as it was."""

from __future__ import annotations

from gpvar.words import figures
from gpvar.words.claims_facts import NOT_WHY, ClaimFacts, sentences
from gpvar.words.claims_reasons import NEITHER, Reason
from gpvar.words.text import known, listed, number

_SHARES = {
    "share_chance": "chance",
    "share_need": "patients",
    "share_setting": "setting",
    "share_place": "place",
    "share_own": "none of these",
}


def _not_counted(facts: ClaimFacts) -> list[str]:
    if facts.template.test in ("rank", "worst_improved"):
        return ["The letter's place, or its number of practices, is not one that can be.", NEITHER]
    return ["The letter does not say on how many of how many indicators the practice is red.", NEITHER]


def _as_many(facts: ClaimFacts) -> str:
    k, m = facts.get("k"), facts.get("m")
    if not facts.has("k", "m", "p_as_many"):
        return ""
    return (
        f"Of 100 practices that differ in nothing, {_rare(facts.get('p_as_many'))} would be red on {number(k)} or more "
        f"of {number(m)} indicators{_assumed(facts)}."
    )


def _assumed(facts: ClaimFacts) -> str:
    """Return what that rests on, and whether it is assumed."""
    share, together = facts.get("red_share"), facts.get("correlation")
    said, taken = [], []
    if known(share):
        said.append(f"{figures.per_hundred(100 * share)} practices are red on each")
        taken.append("red_share_assumed" in facts.finding.because)
    if known(together):
        said.append(f"indicators go together by {number(together, 2)}")
        taken.append("correlation_assumed" in facts.finding.because)
    if not said:
        return ""
    word = (
        "both assumed" if len(taken) == 2 and all(taken) else "the first assumed" if taken[0] else "the second assumed"
    )
    word = "assumed" if taken == [True] else word
    return f", if {' and '.join(said)}{f', {word}' if any(taken) else ''}"


def _rare(p: float) -> str:
    """Return how many of a hundred: never nought, never all, and never rounded up to the one that decides."""
    if p < 0.01:
        return "fewer than 1"
    return "more than 99" if p > 0.99 else number(100 * p)


def _expected_red(facts: ClaimFacts) -> str:
    expected = facts.get("expected")
    return f"Such a practice would be red on about {number(expected, 1)}." if known(expected) else ""


def _more_red(facts: ClaimFacts) -> list[str]:
    return sentences([_as_many(facts), _expected_red(facts), NOT_WHY])


def _red_within(facts: ClaimFacts) -> list[str]:
    common = "To be called more than chance, it must be fewer than 1."
    return sentences([_as_many(facts), common, _expected_red(facts)])


def _red_not_defined(facts: ClaimFacts) -> list[str]:
    quarter = facts.get("p_at_quarter")
    if known(quarter):
        other = f"If 25 in 100 were red on each, it would be {_rare(quarter)}."
    else:
        other = "If more were red on each, it would be more."
    needs = "To be called more than chance, it must be fewer than 1 whichever it is; the letter does not say."
    return sentences([_as_many(facts), other, needs])


def _fold(facts: ClaimFacts) -> str:
    """Return how wide the range is: in the letter, in these data, and with chance taken off."""
    places = facts.claim.figure.decimals if facts.claim.figure is not None else 1
    said = [f"{number(facts.get('fold'), places)} times the lowest in the letter"] if facts.has("fold") else []
    lowest = "" if said else " the lowest"
    said += [f"{_times(facts.get('fold_now'))}{lowest} in these data"] if facts.has("fold_now") else []
    whole = f"The highest figure is {listed(said)}." if said else ""
    lasts = f", and {_times(facts.get('fold_lasting'))} with chance taken off" if facts.has("fold_lasting") else ""
    middle = f"With a tenth left out at each end it is {_times(facts.get('fold_middle'))}{lasts}."
    return " ".join(part for part in (whole, middle if facts.has("fold_middle") else "") if part)


def _times(value: float) -> str:
    return f"{number(value, 1)} times"


def _split(facts: ClaimFacts) -> str:
    """Return what the variation between practices goes with."""
    named = [(name, what) for name, what in _SHARES.items() if facts.has(name)]
    if not named:
        return ""
    # What passes from month to month is not in the share of chance where it was not measured.
    chance = "chance" if facts.has("reliability") else "the chance of sampling"
    said = [(_parts(facts.get(name)), chance if name == "share_chance" else what) for name, what in named]
    go = "goes" if said[0][0] in ("1", "less than 1") else "go"
    parts = listed(f"{many} {'' if n else f'{go} '}with {what}" for n, (many, what) in enumerate(said))
    return f"Of 100 parts of the variation between practices in {facts.names.reference}, {parts}."


def _parts(share: float) -> str:
    return "less than 1" if 0 < share < 0.005 else number(100 * share)


def _fold_not_reproduced(facts: ClaimFacts) -> list[str]:
    counted = "Until it is known what was counted, and of which practices, the sentence is not judged."
    return sentences(["The letter's range is not what these data give.", _fold(facts), counted])


def _is_real(facts: ClaimFacts) -> list[str]:
    real = (
        "That is so of the range and of the variation: it is real. That it is “unwarranted” does not follow: that is a "
        "judgement."
    )
    most = "So most of it is neither chance nor patients nor setting. Whose doing it is the figures cannot say."
    return sentences([real, _split(facts), most, _fold(facts)])


def _needs_months(facts: ClaimFacts) -> list[str]:
    why = "How far figures move by themselves from month to month is not known, so part of the rest may be passing."
    return sentences([_split(facts), why, _fold(facts), NEITHER])


def _with_patients(facts: ClaimFacts) -> list[str]:
    part = "So at least half of it goes with chance, patients or setting. That explains it and does not excuse it."
    return sentences([_split(facts), part, _fold(facts)])


def _not_settled(facts: ClaimFacts) -> list[str]:
    steady = facts.get("reliability")
    if known(steady):
        why = (
            f"The practices' own figures are not steady enough to settle it: their reliability is {number(steady, 2)}, "
        )
        why += "and 0.7 is needed."
    else:
        why = "How far figures move by themselves from month to month is not known, so part of the rest may be passing."
    return sentences([_split(facts), why, "Nor do the figures rule it out.", _fold(facts)])


def _not_split(facts: ClaimFacts) -> list[str]:
    return sentences(["Too few practices are compared to tell what the variation goes with.", _fold(facts), NEITHER])


def _association(facts: ClaimFacts) -> list[str]:
    return [
        "That two figures go together across practices cannot show that one causes the other in any of them.",
        "What goes together may share a cause, such as age or poverty.",
    ]


def _ratio(facts: ClaimFacts) -> str:
    if not facts.has("ratio"):
        return ""
    low, high = facts.get("ratio_low"), facts.get("ratio_high")
    ends = f"; by which doctors are counted it is {number(low)} to {number(high)}" if known(low) and known(high) else ""
    return f"The practice has {number(facts.get('ratio'))} patients for each full-time doctor{ends}."


def _line(facts: ClaimFacts) -> str:
    return f"The line is {number(facts.get('line'))}." if facts.has("line") else ""


def _others(facts: ClaimFacts) -> str:
    middle, percentile = facts.get("england_middle"), facts.get("percentile")
    said = [f"the middle practice {facts.within} has {number(middle)}"] if known(middle) else []
    said += [f"{figures.per_hundred(percentile)} have fewer"] if known(percentile) else []
    text = " and ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


_SUPPLY = "That is the supply of doctors, which a practice often does not choose."


def _ratio_holds(facts: ClaimFacts) -> list[str]:
    above = "That is above the line, whichever doctors are counted."
    return sentences([_ratio(facts), f"{_line(facts)} {above}".strip(), _others(facts), _SUPPLY])


def _ratio_below(facts: ClaimFacts) -> list[str]:
    below = "That is below the line, whichever doctors are counted."
    return sentences([_ratio(facts), f"{_line(facts)} {below}".strip(), _others(facts)])


def _ratio_depends(facts: ClaimFacts) -> list[str]:
    depends = "On which side of the line that is depends on which doctors are counted."
    return sentences([_ratio(facts), f"{_line(facts)} {depends}".strip(), _others(facts), _SUPPLY])


def _ratio_without_line(facts: ClaimFacts) -> list[str]:
    none = "The letter names no line above which it is too many, and none was found in any document."
    return sentences([none, _ratio(facts), _others(facts)])


def _workforce(facts: ClaimFacts) -> list[str]:
    return ["The study holds no doctors' hours, so the ratio cannot be worked out.", NEITHER]


def _sum(facts: ClaimFacts) -> str:
    """Return the sum with chance taken off, beside the letter's."""
    if not facts.has("lasting_sum"):
        return ""
    low, high = facts.get("lasting_lower"), facts.get("lasting_upper")
    ends = f" (95% interval for {facts.chance}: {number(low)} to {number(high)})" if known(low) and known(high) else ""
    what = facts.card.gap_unit if facts.card is not None else "events"
    said = f"With chance taken off every figure the sum is {number(facts.get('lasting_sum'))} {what} a week{ends}"
    return f"{said}; the letter has {number(facts.get('written'))}." if facts.has("written") else f"{said}."


def _raw_sum(facts: ClaimFacts) -> str:
    return f"On the raw figures it is {number(facts.get('raw_sum'))}." if facts.has("raw_sum") else ""


def _best(facts: ClaimFacts) -> str:
    card = facts.card
    if card is None or not facts.has("best"):
        return ""
    return f"The figure that all would have to reach is {figures.amount(card, facts.get('best'))}."


def _overstated(facts: ClaimFacts) -> list[str]:
    why = "Part of what sets the best apart is luck, and luck cannot be copied."
    return sentences([_sum(facts), _raw_sum(facts), _best(facts), why])


def _sum_holds(facts: ClaimFacts) -> list[str]:
    return sentences([_sum(facts), _raw_sum(facts), _best(facts), "Whether it can be reached the figures cannot say."])


def _sum_understated(facts: ClaimFacts) -> list[str]:
    least = "So it is at least as much as the letter says. Whether it can be reached the figures cannot say."
    return sentences([_sum(facts), _raw_sum(facts), _best(facts), least])


def _sum_of_which_time(facts: ClaimFacts) -> list[str]:
    time = {"month": "a month", "year": "a year"}.get(str(facts.finding.numbers.get("fits_as")), "another time")
    fits = f"The letter's sum fits if it is of {time} and not of a week; the letter does not say which."
    return sentences([_sum(facts), fits, NEITHER])


def _sum_needs_months(facts: ClaimFacts) -> list[str]:
    moves = "How far figures move by themselves from month to month is not known, so that cannot be taken off."
    most = "The sum is therefore the most that it can be."
    return sentences([_sum(facts), moves, most, _raw_sum(facts)])


def _sum_needs(facts: ClaimFacts) -> list[str]:
    return ["Too few practices are compared to take chance off their figures.", NEITHER]


REASONS: dict[str, Reason] = {
    "many_not_counted": _not_counted,
    "more_red_than_chance": _more_red,
    "red_within_chance": _red_within,
    "red_not_defined": _red_not_defined,
    "fold_not_reproduced": _fold_not_reproduced,
    "variation_not_split": _not_split,
    "variation_is_real": _is_real,
    "variation_goes_with_patients": _with_patients,
    "variation_not_settled": _not_settled,
    "variation_needs_months": _needs_months,
    "workforce_not_held": _workforce,
    "ratio_without_line": _ratio_without_line,
    "ratio_holds": _ratio_holds,
    "ratio_below": _ratio_below,
    "ratio_depends": _ratio_depends,
    "association_is_not_cause": _association,
    "sum_needs_england": _sum_needs,
    "sum_needs_months": _sum_needs_months,
    "sum_overstated": _overstated,
    "sum_understated": _sum_understated,
    "sum_of_which_time": _sum_of_which_time,
    "sum_holds": _sum_holds,
}
