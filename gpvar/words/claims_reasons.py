"""Why a sentence of a letter was found as it was: what is asked of every sentence before any test.

Every function returns sentences; the first holds the number that decides.
"""

from __future__ import annotations

from collections.abc import Callable

from gpvar import catalogue
from gpvar.errors import StudyError
from gpvar.words import figures, quality
from gpvar.words.claims_facts import ClaimFacts, sentences
from gpvar.words.text import escape_markdown, known, listed, lower_first, number, plain

Reason = Callable[[ClaimFacts], list[str]]
NEITHER = "That counts neither for nor against what the letter says."
_SOURCES = {
    "gpps": "the GP Patient Survey, which is not read here yet",
    "emergency_extract": "figures on A&E and 111, which are not published for each practice and not read here yet",
}


def short(metric: str) -> str:
    """Return what a measure is called in a sentence."""
    try:
        return str(catalogue.metric(metric).short)
    except StudyError:  # a stored finding may name a measure that this version has no card for
        return plain(metric).replace("_", " ")


def _no_card(facts: ClaimFacts) -> list[str]:
    name = facts.text("metric_written")
    what = f"“{name}”" if name else "The measure that the letter names"
    return [f"{what} is no measure that is known here, so there is nothing to check the sentence with.", NEITHER]


def _no_source(facts: ClaimFacts) -> list[str]:
    source = _SOURCES.get(facts.template.source, "a source that is not read here yet")
    return [f"The sentence rests on {source}.", NEITHER]


def _other_measure(facts: ClaimFacts) -> list[str]:
    fairer = listed((f"“{short(metric)}”" for metric in facts.items("measures")), "or")
    named = f"The letter's figure is “{facts.card.short}”" if facts.card is not None else "The letter's figure"
    better = f"A fairer measure would be {fairer}." if fairer else "No fairer measure is held here."
    return [f"{named}, which does not measure what the sentence says.", better]


def _target_of_another(facts: ClaimFacts) -> list[str]:
    other = short(facts.finding.numbers.get("target_metric") or "")
    own = facts.card.short if facts.card is not None else "another measure"
    target = catalogue.targets().get(str(facts.finding.numbers.get("target")))
    wording = f": “{escape_markdown(target.wording, 300)}” ({escape_markdown(target.source, 200)})" if target else ""
    return [
        f"The target belongs to “{other}”, and the letter holds it against “{own}”{wording}.",
        f"A fairer measure would be “{other}”.",
    ]


def _not_analysed(facts: ClaimFacts) -> list[str]:
    why = facts.text("why", 300)
    name = facts.card.short if facts.card is not None else "the measure"
    return [f"The study holds no figures that answer for “{name}”{f': {why}' if why else ''}.", NEITHER]


def _practice_unknown(facts: ClaimFacts) -> list[str]:
    name = facts.text("practice")
    who = f"“{name}” is" if name else "The practice that the letter means is"
    return [f"{who} not among the practices of these data, so there is no figure to check.", NEITHER]


def _period_not_held(facts: ClaimFacts) -> list[str]:
    asked, held = facts.periods("period") or "other months", facts.periods("held") or "none of them"
    return [f"The letter speaks of {asked}, and the study holds {held}.", NEITHER]


def _stop_gate(facts: ClaimFacts) -> list[str]:
    gates = facts.items("gates")
    names = listed(f"“{lower_first(quality.title(gate))}”" for gate in gates)
    said = " ".join(quality.meaning(gate, quality.FAILED) for gate in gates)
    return sentences([f"A check of the data that must pass did not{f': {names}' if names else ''}.", said, NEITHER])


def _no_figure(facts: ClaimFacts) -> list[str]:
    figure = facts.claim.figure
    if facts.template.test == "opportunity" and figure is not None and figure.number <= 0:
        return ["The letter gives no gain above nought, so there is no sum to check.", NEITHER]
    of = "the practice" if facts.is_practice else "enough of the practices"
    return [f"There is no figure for {of} in the period.", NEITHER]


def _hidden(facts: ClaimFacts) -> list[str]:
    low, high = facts.get("low"), facts.get("high")
    span = f": {number(low)} to {number(high)}" if known(low) and known(high) else ""
    return [f"The count was hidden because it is small, and what it can be gives different answers{span}.", NEITHER]


def _figure_far(facts: ClaimFacts) -> list[str]:
    card = facts.card
    if card is None:
        return ["The letter's figure is not what these data give."]
    return [
        f"The letter's figure is not what these data give: {figures.amount(card, facts.get('written'))} in the letter, "
        f"{figures.amount(card, facts.get('value'))} here.",
        f"That is further apart than {figures.margin(card)}, the smallest gap worth a second look. "
        "Until it is known what was counted, the sentence is not judged.",
    ]


def _no_direction(facts: ClaimFacts) -> list[str]:
    return ["The letter does not say which side is meant, low or high, and the figure does not tell.", NEITHER]


def _not_computed(facts: ClaimFacts) -> list[str]:
    message = facts.text("message", 300)
    return [f"The sentence could not be computed{f': {message}' if message else ''}.", NEITHER]


REASONS: dict[str, Reason] = {
    "no_card": _no_card,
    "no_source": _no_source,
    "other_measure": _other_measure,
    "target_of_another_measure": _target_of_another,
    "not_analysed": _not_analysed,
    "practice_unknown": _practice_unknown,
    "period_not_held": _period_not_held,
    "stop_gate": _stop_gate,
    "no_figure": _no_figure,
    "hidden": _hidden,
    "figure_far": _figure_far,
    "no_direction": _no_direction,
    "not_computed": _not_computed,
}
