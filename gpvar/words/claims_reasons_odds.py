"""Why a sentence on a place among practices, or on a line, was found as it was."""

from __future__ import annotations

from datetime import date

from gpvar.dates import day_in_words
from gpvar.words import figures, standing
from gpvar.words.claims_facts import (
    EXPECTED,
    NOT_WHY,
    ClaimFacts,
    explained,
    odds,
    part,
    place_here,
    placed_at,
    sentences,
    side,
)
from gpvar.words.claims_reasons import NEITHER, Reason
from gpvar.words.text import known, listed, number, ordinal

_LINES = "To be called right it needs at least 80 in 100{}; to be called wrong, at most 20"


def _tail(facts: ClaimFacts) -> str:
    tail = facts.get("tail")
    return part(tail if known(tail) else 0.1, facts.sign or -1)


_WHEN = {
    "p_raw": "on the raw figures",
    "p_adjusted": "after allowing for patients",
    "p_setting": "after allowing for setting too",
}


def chances(facts: ClaimFacts) -> str:
    """Return the chances on the raw figures and after allowing for patients and setting."""
    where = f"The chance that the practice's lasting figure is {_tail(facts)} of practices {facts.within}"
    found = {name: odds(facts.get(name)) for name in ("p_raw", "p_adjusted", "p_setting") if facts.has(name)}
    if len(found) == len(_WHEN) and len(set(found.values())) == 1:
        return f"{where} is {found['p_raw']}, on the raw figures and after allowing for patients, and for setting too."
    said = listed(f"{p} {_WHEN[name]}" for name, p in found.items())
    return f"{where} is {said or 'not known'}."


def place(facts: ClaimFacts) -> str:
    """Return between which places it lasts, counted from the end that the letter means."""
    between = _lasting(facts)
    return f"Its lasting place lies {between}, 95 times in 100." if between else ""


def _lasting(facts: ClaimFacts) -> str:
    """Return "between 79th and 427th lowest of 5,949"; nothing where it is not known."""
    ranked = facts.get("among") if facts.has("among") else facts.get("ranked")
    if not facts.has("rank_lower", "rank_upper") or not known(ranked):
        return ""
    low, high = facts.get("rank_lower"), facts.get("rank_upper")
    if facts.claimed > 0:
        low, high = ranked + 1 - high, ranked + 1 - low
    end = "lowest" if facts.claimed < 0 else "highest"
    between = f"between {ordinal(low)} and {ordinal(high)}" if low != high else f"at {ordinal(low)}"
    return f"{between} {end} of {number(ranked)}"


def of_league(facts: ClaimFacts) -> str:
    """Return the letter's place beside what of it lasts; nothing for other sentences."""
    letters, between = facts.claim.place, _lasting(facts)
    if letters is None or not between:
        return ""
    here = place_here(facts)
    tied = facts.get("tied") if facts.has("tied") else 1
    said = (
        f"{ordinal(letters)} is right as arithmetic"
        if here <= letters < here + max(tied, 1)
        else (f"{ordinal(letters)} is not right as arithmetic: it is {placed_at(here, facts.claimed)}")
    )
    lies = f", {_tail(facts)}" if facts.finding.verdict == "supported" else ""
    return f"{said}; what lasts is a place {between}{lies}, 95 times in 100."


def _rank_needs_england(facts: ClaimFacts) -> list[str]:
    if facts.names.set != "england" and facts.claim.comparator in ("", "england"):
        return [f"The letter speaks of England; the study compares within {facts.names.reference} alone.", NEITHER]
    return ["Too few practices are compared to tell what lasts of a rank from chance.", NEITHER]


def _rank_needs_months(facts: ClaimFacts) -> list[str]:
    return [
        "How far the figure moves from month to month is not known, so no chance of a lasting place can be given.",
        NEITHER,
    ]


def _rank_unreliable(facts: ClaimFacts) -> list[str]:
    many = standing.degree(facts.get("reliability")) if facts.has("reliability") else "not known"
    return [
        f"The figure moves too much by itself for any lasting rank: its reliability is {many}, and a rank needs 0.7.",
        NEITHER,
    ]


def _rank_outside(facts: ClaimFacts) -> list[str]:
    causes = {
        "left_out": "its list is unusual, so it is left out when the comparison is fitted",
        "characteristic": "something about its patients is not known",
        "board": "no board is known for it",
    }
    cause = str(facts.finding.numbers.get("cause"))
    why = causes.get(cause, "its list is unusual, or something about its patients is not known")
    return [f"The practice took no part in the comparison that lasting places are measured on: {why}.", NEITHER]


def _place_far(facts: ClaimFacts) -> list[str]:
    league = of_league(facts)
    open_ = "The letter's place is outside that. Until it is known how the table was drawn up, it is not judged."
    return sentences([league or "The letter's place is not what these data give.", open_ if league else "", NEITHER])


def _rank_unlikely(facts: ClaimFacts) -> list[str]:
    return sentences([*_where(facts)])


def _rank_holds(facts: ClaimFacts) -> list[str]:
    return sentences([*_where(facts), _stakes(facts), NOT_WHY])


def _where(facts: ClaimFacts) -> list[str]:
    """Return chance and lasting place; of a place in a league table, the place itself first."""
    league = of_league(facts)
    return [league, chances(facts)] if league else [chances(facts), place(facts)]


def _stakes(facts: ClaimFacts) -> str:
    steady = facts.get("reliability")
    if not known(steady) or steady >= standing.LEAST[1]:
        return ""
    return f"Its reliability is {standing.degree(steady)}; a claim with consequences needs 0.9."


def _rank_with_patients(facts: ClaimFacts) -> list[str]:
    first, second = _where(facts)
    return sentences([first, explained(facts), second, EXPECTED])


def _rank_odds(facts: ClaimFacts) -> list[str]:
    first, second = _where(facts)
    return sentences([first, f"{_LINES.format(' in each')}.", second])


def line(facts: ClaimFacts) -> str:
    """Return the threshold in the measure's unit."""
    card = facts.card
    return figures.amount(card, facts.get("threshold")) if card is not None else "the line"


def _counted(facts: ClaimFacts) -> str:
    """Return the figure of the period with its interval and what it rests on."""
    card, value = facts.card, facts.get("value")
    if card is None or not known(value):
        return ""
    low, high, base = (facts.get(n) for n in ("interval_lower", "interval_upper", "denominator"))
    if figures.is_share(card) and known(base):
        seen = f"{figures.shown(card, value)}% of {number(base)} {card.noun_denominator}"
    else:
        seen = figures.amount(card, value)
    interval = ""
    if known(low) and known(high):
        first, last = (number(x * card.scale, figures.decimals(card, high)) for x in (low, high))
        interval = f" (95% interval for sampling alone: {first} to {last})"
    return f"The figure was {seen}{interval}."


def _p_line(facts: ClaimFacts) -> str:
    return (
        f"The chance that the figure of {facts.period} truly lies {side(facts.sign or -1)} {line(facts)} "
        f"is {odds(facts.get('p'))}."
    )


def _threshold_not_given(facts: ClaimFacts) -> list[str]:
    if facts.template.test in ("rank", "worst_improved"):
        return [
            "The part of all practices that the letter names is none or all of them: nothing can be checked.",
            NEITHER,
        ]
    return sentences(["The letter names no line, and no target is known for this measure.", _counted(facts), NEITHER])


def _target_not_announced(facts: ClaimFacts) -> list[str]:
    day = facts.text("announced")
    return sentences(
        [
            f"The target of {line(facts)} was announced on {_day(day)}, after the end of the period.",
            "No practice can have missed a target that had not been set.",
            _counted(facts),
        ]
    )


def _day(text: str) -> str:
    plain_text = text.replace("\\", "")
    try:
        return day_in_words(date.fromisoformat(plain_text))
    except ValueError:
        return text or "a later day"


def _threshold_with_patients(facts: ClaimFacts) -> list[str]:
    card, adjusted = facts.card, facts.get("adjusted")
    mix = ""
    if card is not None and known(adjusted):
        mix = f"With a typical mix of patients it would have been {figures.amount(card, adjusted)}."
    return sentences([_p_line(facts), _counted(facts), mix, EXPECTED])


def _threshold_holds(facts: ClaimFacts) -> list[str]:
    return sentences([_p_line(facts), _counted(facts), NOT_WHY])


def _threshold_unlikely(facts: ClaimFacts) -> list[str]:
    return sentences([_p_line(facts), _counted(facts)])


def _threshold_odds(facts: ClaimFacts) -> list[str]:
    return sentences([_p_line(facts), _counted(facts), f"{_LINES.format('')}."])


REASONS: dict[str, Reason] = {
    "rank_needs_england": _rank_needs_england,
    "rank_needs_months": _rank_needs_months,
    "rank_unreliable": _rank_unreliable,
    "rank_outside_model": _rank_outside,
    "place_far": _place_far,
    "rank_unlikely": _rank_unlikely,
    "rank_holds": _rank_holds,
    "rank_goes_with_patients": _rank_with_patients,
    "rank_odds": _rank_odds,
    "threshold_not_given": _threshold_not_given,
    "target_not_announced": _target_not_announced,
    "threshold_goes_with_patients": _threshold_with_patients,
    "threshold_holds": _threshold_holds,
    "threshold_unlikely": _threshold_unlikely,
    "threshold_odds": _threshold_odds,
}
