"""What to ask about the sentences of a letter, and which published wording bears on them: from the letter alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpvar import catalogue
from gpvar.catalogue.letters import Question, questions, templates
from gpvar.results import Claim

#: Under one number each, in this order; an ICB is asked no more than eight.
GROUPS = ("figures", "period", "extract", "comparison", "chance", "threshold", "changes", "contract")
#: Marks of what a sentence is about, by words in it, where its measure does not say.
_WORDS = {
    "ag": re.compile(r"\b(advice (and|&) guidance|a ?& ?g)\b", re.IGNORECASE),
    "urgent": re.compile(r"(?<!non-)(?<!non )(?<!not )\burgent\b|\bhigh clinical need\b", re.IGNORECASE),
}
#: Templates whose `threshold` is a share of practices and no line that a figure is held against.
_SHARES = ("tail", "many_red", "worst_improved")
#: Templates that are about advice and guidance whatever their measure.
_AG = ("ag_requests_per_1000", "ag_share")


@dataclass(frozen=True, slots=True)
class Asked:
    """One numbered question.

    Attributes
    ----------
    group
        Which of `GROUPS`.
    questions
        (question's id, ids of the sentences that need it), in the catalogue's order.
    """

    group: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences that need any of it, each once, in the order of the first question that names it."""
        return tuple(dict.fromkeys(name for _, names in self.questions for name in names))


def marks(claim: Claim) -> frozenset[str]:
    """Return what a sentence is about, in the words of `asked_of` and `about`."""
    template = templates()[claim.template]
    found = {"every", template.id, *_of_figures(claim)}
    found |= {"practice"} if template.about == "practice" else set()
    found |= {word for word in ("comparator", "comparator_figure", "sanction", "support") if getattr(claim, word)}
    said = f"{claim.text} {claim.metric_written}"
    found |= {mark for mark, words in _WORDS.items() if words.search(said)}
    if claim.metric in _AG or set(template.metrics) & set(_AG):
        found.add("ag")
    if claim.metric in {target.metric for target in catalogue.targets().values()} or _borrows_a_target(claim):
        found.add("urgent")
    return frozenset(found)


def _of_figures(claim: Claim) -> set[str]:
    found = {"threshold"} if claim.threshold is not None and claim.template not in _SHARES else set()
    card = catalogue.metrics().get(claim.metric)
    if card is not None and card.kind == "rate":
        found.add("per_patient")
    return found


def _borrows_a_target(claim: Claim) -> bool:
    """Whether the line is that of a national target which belongs to another measure."""
    values = {round(100 * target.value, 6) for target in catalogue.targets().values()}
    return claim.template == "below_target" and claim.threshold is not None and claim.threshold.number in values


def topics(claim: Claim) -> tuple[str, ...]:
    """Return the ids of the questions that a sentence needs and does not answer, in the catalogue's order."""
    own = set(templates()[claim.template].ask)
    about = marks(claim)
    needed = [question for name, question in questions().items() if name in own or about & set(question.asked_of)]
    open_ = {question.instead if _states(claim, question) else question.id for question in needed}
    return tuple(name for name in questions() if name in open_)


def _states(claim: Claim, question: Question) -> bool:
    """Whether a sentence says itself what would be asked; "similar practices" does not say which."""
    if not question.stated_by or getattr(claim, question.stated_by) in ("", None, "similar"):
        return False
    template = templates()[claim.template]
    # A first period that is not named leaves the months of a change open; a tail's share is no line.
    whole = question.stated_by != "period" or "period_before" not in template.takes or bool(claim.period_before)
    return whole and (question.stated_by != "threshold" or template.id not in _SHARES)


def asked(claims: Sequence[Claim]) -> tuple[Asked, ...]:
    """Return what to ask about a letter: at most one numbered question for each group.

    Parameters
    ----------
    claims
        The sentences of the letter, in its order.

    Returns
    -------
    tuple
        In the order of `GROUPS`; a group that no sentence needs is left out.
    """
    needed = {claim.id: topics(claim) for claim in claims}
    found = []
    for group in GROUPS:
        own = [question for question in questions().values() if question.group == group]
        pairs = tuple((item.id, _needing(item, needed)) for item in own if _needing(item, needed))
        if pairs:
            found.append(Asked(group, pairs))
    return tuple(found)


def _needing(question: Question, needed: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(claim for claim, names in needed.items() if question.id in names)


def wording(claims: Sequence[Claim]) -> tuple[tuple[catalogue.Quotation, tuple[str, ...]], ...]:
    """Return the quotations that bear on a letter, each with the ids of the sentences it bears on.

    What is not dated to the month at least is left out: it may stand in nothing that is sent.
    """
    found = []
    for quotation in catalogue.contract().values():
        bears = tuple(claim.id for claim in claims if marks(claim) & set(quotation.about))
        if bears and quotation.sendable:
            found.append((quotation, bears))
    return tuple(found)


def goals(claims: Sequence[Claim]) -> tuple[catalogue.Target, ...]:
    """Return the national targets that bear on a letter: those of urgent requests where a sentence speaks of them."""
    speaks = any("urgent" in marks(claim) for claim in claims)
    return tuple(catalogue.targets().values()) if speaks else ()


def before_force(
    claims: Sequence[Claim], judged: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences of months before the wording that bears on them was in force, and those of unknown months.

    Parameters
    ----------
    claims
        The sentences of the letter.
    judged
        Id of a sentence → the months on which it was judged, where data have been looked at.
    """
    before, unknown = [], []
    for claim in claims:
        days = [quotation.in_force for quotation, _ in wording([claim])]
        ended = ((judged or {}).get(claim.id) or claim.period).split("..")[-1]
        if days and not ended:
            unknown.append(claim.id)
        elif days and ended < f"{min(days):%Y-%m}":
            before.append(claim.id)
    return tuple(before), tuple(unknown)
