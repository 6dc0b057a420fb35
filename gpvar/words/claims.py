"""What is said of one sentence of a letter: the finding first, then number, uncertainty and caveat.

Prose only: which finding it is, and every number in it, comes from `gpvar.claims`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.words import (
    claims_beside,
    claims_reasons,
    claims_reasons_area,
    claims_reasons_gap,
    claims_reasons_odds,
    claims_reasons_time,
    claims_right,
    quality,
)
from gpvar.words.claims_facts import EXPECTED, NOT_WHY, VERDICT, ClaimFacts, claim_facts
from gpvar.words.console import without_markdown
from gpvar.words.text import escape_markdown, listed, lower_first, plural

if TYPE_CHECKING:
    from gpvar.results import Claim, Finding

__all__ = [
    "ClaimFacts",
    "claim_facts",
    "finding_arithmetic",
    "finding_ask",
    "finding_beside",
    "finding_caveats",
    "finding_change",
    "finding_gates",
    "finding_phrase",
    "finding_position",
    "finding_right",
    "finding_right_short",
    "finding_sentence",
    "finding_sentences",
    "finding_short",
    "finding_summary",
    "finding_verdict",
    "letter_quotation",
]

#: The caveats that end a finding.
_LAST = (NOT_WHY, EXPECTED)
#: Reason of the decision table → what says it.
REASONS: dict[str, claims_reasons.Reason] = {
    **claims_reasons.REASONS,
    **claims_reasons_odds.REASONS,
    **claims_reasons_gap.REASONS,
    **claims_reasons_time.REASONS,
    **claims_reasons_area.REASONS,
}


def letter_quotation(claim: Claim) -> str:
    """Return what the letter says, between quotation marks; the kind of sentence where it was not copied."""
    if claim.text.strip():
        return f"“{escape_markdown(claim.text, 600)}”"
    return escape_markdown(letters.templates()[claim.template].title)


def finding_phrase(finding: Finding) -> str:
    """Return the finding's phrase, without marks and full stop: "The statement holds"."""
    return VERDICT[finding.verdict]


def _said(facts: ClaimFacts) -> list[str]:
    """Return the sentences of the finding: the one with the deciding number, what it must not go without, the rest."""
    write = REASONS.get(facts.finding.reason)
    said = write(facts) if write is not None else [f"Reason: {facts.finding.reason.replace('_', ' ')}."]
    said = said or ["The numbers that decide it are not known."]
    ends = [text for text in said[1:] if text in _LAST]
    return [*(text for text in said if text not in ends), *finding_caveats(facts), *ends]


def finding_sentences(facts: ClaimFacts) -> list[str]:
    """Return the same one by one, for where there is not room for all of them."""
    return _said(facts)


def finding_caveats(facts: ClaimFacts) -> list[str]:
    """Return what a finding that holds must never go without; the finding has it before its other caveats."""
    return claims_beside.inside(facts)


def finding_short(facts: ClaimFacts) -> str:
    """Return the deciding sentence and what it must never go without, for where there is little room."""
    return " ".join([_said(facts)[0], *finding_caveats(facts)])


def finding_sentence(facts: ClaimFacts) -> str:
    """Return the deciding number with its uncertainty, and what goes with it."""
    return " ".join(_said(facts))


def finding_verdict(facts: ClaimFacts) -> str:
    """Return phrase, number, uncertainty and caveat as one paragraph."""
    return f"**{finding_phrase(facts.finding)}.** {finding_sentence(facts)}"


def finding_position(facts: ClaimFacts) -> str:
    """Return statement and position of the practice in one sentence; nothing for an area."""
    return claims_right.position(facts)


def finding_arithmetic(facts: ClaimFacts) -> str:
    """Return what is true as arithmetic on the figures; nothing where there is none to check."""
    return claims_right.arithmetic(facts)


def finding_right(facts: ClaimFacts) -> list[str]:
    """Return what the ICB has right, for a box that cannot be switched off; never empty."""
    return claims_right.right(facts)


def finding_right_short(facts: ClaimFacts) -> list[str]:
    """Return the same where many sentences share a box: what is worth most to the ICB first."""
    return claims_right.in_short(facts)


def finding_beside(facts: ClaimFacts) -> list[str]:
    """Return what must be said beside the finding."""
    return claims_beside.beside(facts)


def finding_change(facts: ClaimFacts) -> list[str]:
    """Return what would change the finding."""
    return claims_beside.change(facts)


def finding_ask(facts: ClaimFacts) -> list[str]:
    """Return the questions to ask, the first the most; none that letter and data have answered already."""
    known = letters.questions()
    asked = [name for name in facts.finding.disclose if name in known]
    open_ = [name for name in asked if name not in _answered(facts)]
    return [known[name].question for name in open_ or asked[:1]]


def _answered(facts: ClaimFacts) -> set[str]:
    """Return the questions that the letter answers, or that the data answered by giving the letter's own figure."""
    claim = facts.claim
    found = {"definition", "list", "period"} if claims_right.figure_right(facts) else set()
    found |= {"period"} if claim.period else set()
    found |= {"comparator"} if claim.comparator else set()
    return found | ({"threshold"} if claim.threshold is not None and facts.finding.numbers.get("target") else set())


def finding_gates(facts: ClaimFacts) -> str:
    """Return which checks failed or warn, and which could not be made; nothing where nothing was analysed."""
    if facts.analysis is None:
        return ""
    failed = [row for row in facts.finding.gates if row["state"] == quality.FAILED]
    stops = [row for row in failed if row["severity"] == "stop"]
    warns = [row for row in failed if row["severity"] != "stop"]
    unmade = [quality.title(row["gate"]) for row in facts.finding.gates if row["state"] == quality.UNCHECKED]
    counts = [(stops, "check of the data failed", "checks of the data failed"), (warns, "warning", "warnings")]
    heads = [plural(len({row["gate"] for row in rows}), one, more) for rows, one, more in counts if rows]
    none = "No check of the data failed" if facts.is_practice else "No check of the figures as a whole failed"
    said = [f"**{listed(heads) or none}.**"]
    said += list(dict.fromkeys(_failed(row) for row in stops))
    named = list(dict.fromkeys(_named(row) for row in warns))
    said += [f"From the {'check' if len(named) == 1 else 'checks'} {listed(named)}."] if named else []
    titles = list(dict.fromkeys(lower_first(title) for title in unmade))
    if titles:
        said.append(f"{plural(len(titles), 'check')} could not be made: {listed(f'“{title}”' for title in titles)}.")
    return " ".join(said)


def _failed(row: dict[str, str]) -> str:
    text = quality.meaning(row["gate"], quality.FAILED).rstrip(".")
    return f"{text}{_detail(row)}."


def _named(row: dict[str, str]) -> str:
    """Return the name of a check that warns; what that means stands beside the finding."""
    return f"“{lower_first(quality.title(row['gate']))}”{_detail(row)}"


def _detail(row: dict[str, str]) -> str:
    detail = escape_markdown(row["detail"].rstrip(". "), 200)
    return f" ({detail})" if detail else ""


def finding_summary(facts: ClaimFacts) -> str:
    """Return one plain line: the phrase and the sentence with the deciding number."""
    return without_markdown(f"{finding_phrase(facts.finding)}. {_said(facts)[0]}")
