"""The reply annex for the ICB, as Markdown: two pages, what the ICB has right first.

Nothing private and no practice but those of the letter stands in it. Where a letter says more than two pages can
answer, each sentence is given fewer words, and in the end a row of a table; the claims report has the rest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.words import boxes, paper, phrases
from gpvar.words.claims import finding_phrase, finding_position, finding_sentences, letter_quotation
from gpvar.words.claims_facts import ClaimFacts
from gpvar.words.claims_pages import NO_LETTER, about, conceded, holds, id_of, letter, sentences, sources_line
from gpvar.words.console import without_markdown
from gpvar.words.contract import contract_card
from gpvar.words.text import escape_markdown, listed, number, plain, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Run

QUESTIONS, _ALL = 5, 9
#: What is said of sentences that do not simply hold; those that cannot be checked have a section before it.
NOT_SHOWN = ("not_attributable", "contradicted", "not_shown", "wrong_metric")
TITLE = "Annex to our reply: what the data show"
_ROWS, _QUOTED = 14, 90
#: Body text, and in points the height of two pages, less what a page leaves free at its foot, and of a picture.
_POINTS, _TWO_PAGES, _CHART = 12.0, 2 * paper.PAGE - 40.0, 190.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is said of each sentence, so that all of it stands on two pages.

    Attributes
    ----------
    said
        How many sentences are said of each finding; the first has the number that decided.
    placed, quoted
        Whether the practice's position stands beside it, and whether the letter is quoted.
    table
        Whether sentences are rows of a table instead.
    breaks
        Whether what the contract says and what is asked for begin the second page.
    charts
        How many pictures there is room for.
    """

    said: int = _ALL
    placed: bool = True
    quoted: bool = True
    table: bool = False
    breaks: bool = False
    charts: int = 0


#: From the fullest to the barest.
_PLANS = (
    Plan(),
    Plan(said=3),
    Plan(said=3, placed=False),
    Plan(said=2, placed=False),
    Plan(said=1, placed=False),
    Plan(said=1, placed=False, quoted=False),
    Plan(said=1, placed=False, quoted=False, table=True),
)


def plan(run: Run) -> Plan:
    """Return how much is said of each sentence: as much as two pages hold."""
    rest = _high(_contract(run), annex_asks(run), annex_sources(run))
    for wanted in _PLANS:
        said = _high(annex_title(run), _right(run, wanted), _undecided(run, wanted), _shown(run, wanted))
        if said + rest <= _TWO_PAGES:
            break
    free = paper.PAGE - said
    if free < 0 or rest > paper.PAGE:
        return wanted
    return replace(wanted, breaks=True, charts=int(free // _CHART))


def _high(*parts: str) -> float:
    return sum(paper.height(part, _POINTS) for part in parts if part)


def annex_title(run: Run) -> str:
    """Return the head of the annex."""
    many = len(run.findings)
    counted = f" It answers {plural(many, 'sentence')}, numbered as in the letter." if many else ""
    return (
        f"# {TITLE}\n\n{escape_markdown(run.study.title)}. Figures of {plain(run.study.period.label)}.{counted} "
        "It speaks of the sentences, not of anyone's work."
    )


def annex_right(run: Run) -> str:
    """Return what the ICB has right: the sentences that hold, then what is conceded of the others."""
    return _right(run, plan(run))


def _right(run: Run, how: Plan) -> str:
    found = letter(run)
    holding = found.found("supported")
    if how.table:
        items = [f"**{_named(holding)}** {holds(len(holding))}."] if holding else []
    else:
        items = [_entry(facts, how) for facts in holding]
    others = [facts for facts in found.facts if facts not in holding]
    items += [f"**{_named(group)}.** {text}" for text, group in conceded(others, first=how.said < _ALL)]
    return boxes.box(phrases.ICB_RIGHT, items or [NO_LETTER])


def _named(found: Sequence[ClaimFacts]) -> str:
    said = sentences(found)
    return said[0].upper() + said[1:]


def annex_undecided(run: Run) -> str:
    """Return what cannot be decided, and why; nothing where everything can, or where a table says it."""
    return _undecided(run, plan(run))


def _undecided(run: Run, how: Plan) -> str:
    found = letter(run).found("not_decidable")
    if not found or how.table:
        return ""
    return "## What cannot be decided yet, and why\n\n" + "\n\n".join(_entry(facts, how) for facts in found)


def annex_not_shown(run: Run) -> str:
    """Return what the data do not show; of a long letter, the table of all its sentences."""
    return _shown(run, plan(run))


def _shown(run: Run, how: Plan) -> str:
    found = letter(run).found(*NOT_SHOWN)
    if how.table:
        return f"## Every sentence\n\n{_as_table(run)}"
    heading = "## What the data do not show"
    if not found:
        return f"{heading}\n\nNo sentence that can be checked falls under this." if run.findings else ""
    return f"{heading}\n\n" + "\n\n".join(_entry(facts, how) for facts in found)


def _entry(facts: ClaimFacts, how: Plan) -> str:
    """Return a paragraph on one sentence: its number, its words, the finding, what decided it."""
    quoted = how.quoted and bool(facts.claim.text.strip())
    what = letter_quotation(facts.claim) if quoted else f"{about(facts)[:1].upper()}{about(facts)[1:]}."
    said = " ".join(finding_sentences(facts)[: how.said])
    placed = finding_position(facts) if how.placed else ""
    parts = [f"**Sentence {id_of(facts)}.** {what}", f"**{finding_phrase(facts.finding)}.**", said, placed]
    return " ".join(part for part in parts if part)


def _as_table(run: Run) -> str:
    """Return the sentences as rows: those that do not hold first, and how many are left to the claims report."""
    found = letter(run)
    order = [*found.found("not_decidable", *NOT_SHOWN), *found.found("supported")]
    shown = sorted(order[:_ROWS], key=found.facts.index)
    lines = ["| No. | The letter says | Finding |", f"|{5 * '-'}|{60 * '-'}|{30 * '-'}|"]
    for facts in shown:
        said = plain(facts.claim.text, _QUOTED) or without_markdown(about(facts))
        lines.append(f"| {id_of(facts)} | {escape_markdown(said, _QUOTED)} | {finding_phrase(facts.finding)} |")
    left = len(found.facts) - len(shown)
    more = f" {plural(left, 'sentence')} more: in the claims report." if left else ""
    note = "Why each was found so, with its figures and charts, is in the claims report that goes with this."
    return "\n".join(lines) + f"\n\n{note}{more}"


def annex_contract(run: Run) -> str:
    """Return what the contract says, on the second page where there is room on the first."""
    return _contract(run, plan(run).breaks)


def _contract(run: Run, breaks: bool = False) -> str:
    card = contract_card([facts.claim for facts in letter(run).facts])
    if not breaks:
        return card
    return f'::: {{.newpage custom-style="New Page"}}\n\n{TITLE}, continued\n\n:::\n\n{card}'


def annex_asks(run: Run) -> str:
    """Return what is asked for: the questions on which most findings hang, each with its sentences."""
    found = letter(run)
    asked: Counter[str] = Counter()
    of: dict[str, list[ClaimFacts]] = {}
    for facts in found.facts:
        for place, question in enumerate(facts.finding.disclose):
            # The first question of a sentence that cannot be checked is what stands between it and an answer.
            asked[question] += (3 if facts.finding.verdict == "not_decidable" else 2) if place == 0 else 1
            of.setdefault(question, []).append(facts)
    known = letters.questions()
    items = [
        f"{place}. {known[question].question} ({sentences(of[question])})"
        for place, (question, _) in enumerate(asked.most_common(QUESTIONS), start=1)
        if question in known
    ]
    if not items:
        return ""
    return "## What we ask for\n\n" + "\n".join(items)


def annex_sources(run: Run) -> str:
    """Return sources with their period and hashes, in small print."""
    return f'## Sources\n\n::: {{.sources custom-style="Sources"}}\n\n{sources_line(run)}\n\n:::'


def annex_summary_line(run: Run) -> str:
    """Return one plain line for the index."""
    found = letter(run)
    counted = [
        ("conceded", len(found.found("supported"))),
        ("answered", len(found.found(*NOT_SHOWN))),
        ("not yet to be decided", len(found.found("not_decidable"))),
    ]
    return f"The letter: {listed(f'{number(many)} {said}' for said, many in counted if many)}."
