"""The reply annex for the ICB, as Markdown: two pages, what the ICB has right first.

Nothing private and no practice but those of the letter stands in it. Where a letter says more than two pages can
answer, each sentence is given fewer words, and in the end a row of a table; the claims report has the rest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.claims import asking
from gpvar.words import boxes, claims_print, paper, phrases
from gpvar.words.claims import (
    finding_beside,
    finding_caveats,
    finding_position,
    finding_sentences,
    letter_quotation,
)
from gpvar.words.claims_facts import ClaimFacts
from gpvar.words.claims_pages import (
    NO_LETTER,
    about,
    conceded,
    heading,
    holds,
    id_of,
    letter,
    sentences,
    sources_line,
    variation,
)
from gpvar.words.claims_robust import robust_where_it_matters
from gpvar.words.claims_short import NOT_CAUSE, outcome, short
from gpvar.words.console import without_markdown
from gpvar.words.contract import contract_card
from gpvar.words.shared import after_table, note
from gpvar.words.text import escape_markdown, listed, number, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpvar.results import Claim, Run

_ALL = 9
#: What is said of sentences that do not simply hold; those that cannot be checked have a section before it.
NOT_SHOWN = ("not_attributable", "contradicted", "not_shown", "wrong_metric")
TITLE = "Annex to our reply: what the data show"
_QUOTED, _LONGEST = 120, 4000
#: What no finding can show, in short.
LIMITS = (
    "**What none of this shows.** That a sentence holds does not show the cause; that the data do not show it does not "
    "show the opposite. Figures cannot say why a practice differs, how good its care is or how hard anyone worked. "
    "Whether variation is unwarranted is a judgement."
)
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
    every, rows
        Whether those that hold, which stand in the box, are rows too, and how many rows there may be.
    asks
        How many questions are asked.
    conceded
        How much is conceded of sentences that do not hold: "all", "short" or the "first" thing.
    breaks
        Whether what the contract says and what is asked for begin the second page.
    charts
        How many pictures there is room for.
    """

    said: int = _ALL
    placed: bool = True
    quoted: bool = True
    table: bool = False
    every: bool = True
    rows: int = 30
    asks: int = 6
    conceded: str = "short"
    breaks: bool = False
    charts: int = 0


#: From the fullest to the barest.
_PLANS = (
    Plan(conceded="all"),
    Plan(said=3),
    Plan(said=3, placed=False),
    Plan(said=2, placed=False),
    Plan(said=1, placed=False),
    Plan(said=1, placed=False, quoted=False),
    Plan(said=1, placed=False, quoted=False, table=True),
    Plan(said=1, placed=False, quoted=False, table=True, conceded="first"),
    *(
        Plan(said=1, placed=False, quoted=False, table=True, every=False, rows=rows, asks=5, conceded="first")
        for rows in (20, 14, 10, 6)
    ),
)


def plan(run: Run) -> Plan:
    """Return how much is said of each sentence: as much as two pages hold."""
    for wanted in _PLANS:
        rest = _high(_contract(run), _asks(run, wanted), annex_sources(run))
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
    """Return the head of the annex, and who made it."""
    many = len(run.findings)
    counted = f" It answers {plural(many, 'sentence')}, numbered as in the letter." if many else ""
    head = f"# {TITLE}\n\n{heading(run)}{counted} It speaks of the sentences, not of anyone's work."
    return f"{head}\n\n{note(claims_print.made())}" if many else head


def annex_right(run: Run) -> str:
    """Return what the ICB has right: the sentences that hold, then what is conceded of the others."""
    return _right(run, plan(run))


def _right(run: Run, how: Plan) -> str:
    found = letter(run)
    holding = found.found("supported")
    shared = _shared(holding)
    others = [facts for facts in found.facts if facts not in holding]
    rest = [f"**{_named(group)}.** {text}" for text, group in conceded(others, how.conceded)]
    alike = [f"**{_named(group)}.** {text}" for text, group in shared.items()]
    if not how.table:
        items = [*(_entry(facts, how, shared) for facts in holding), *alike, *rest]
        return boxes.box(phrases.ICB_RIGHT, items or [NO_LETTER])
    # Of a long letter, sentences run on, and what goes with several of them is small print under the box.
    head = f"**{_named(holding)}** {holds(len(holding))}. {NOT_CAUSE}" if holding else ""
    first = " ".join(filter(None, [head, *(_held(facts, shared) for facts in holding)]))
    box = boxes.box(phrases.ICB_RIGHT, [text for text in (first, " ".join(rest)) if text])
    return f"{box}\n\n{note(' '.join(alike))}" if alike else box


def _held(facts: ClaimFacts, shared: Iterable[str]) -> str:
    """Return a sentence that holds in few words: its number and what must not be left out beside it."""
    said = [text for text in (*finding_caveats(facts), *_beside(facts)) if text not in shared]
    return " ".join([f"**Sentence {id_of(facts)}.** {short(facts)}", *said])


def _beside(facts: ClaimFacts) -> list[str]:
    return [text for text in (*finding_beside(facts), robust_where_it_matters(facts)) if text]


def _shared(found: Sequence[ClaimFacts]) -> dict[str, list[ClaimFacts]]:
    """Return what must be said beside several findings alike, each with its sentences, so that it is said once."""
    by: dict[str, list[ClaimFacts]] = {}
    for facts in found:
        for text in _beside(facts):
            by.setdefault(text, []).append(facts)
    return {text: group for text, group in by.items() if len(group) > 1}


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
    return f"## What cannot be decided yet, and why\n\n{_entries(found, how)}"


def annex_not_shown(run: Run) -> str:
    """Return what the data do not show; of a long letter, the table of all its sentences; and what none can show."""
    return _shown(run, plan(run))


def _shown(run: Run, how: Plan) -> str:
    found = letter(run).found(*NOT_SHOWN)
    if not run.findings:
        return ""
    if how.table:
        title = "Every sentence" if how.every else "The other sentences"
        return f"## {title}\n\n{_as_table(run, how)}\n\n{note(LIMITS)}"
    said = _entries(found, how) if found else "No sentence that can be checked falls under this."
    return f"## What the data do not show\n\n{said}\n\n{LIMITS}"


def _entries(found: Sequence[ClaimFacts], how: Plan) -> str:
    shared = _shared(found) if how.placed else {}
    also = [f"**{_named(group)}.** {text}" for text, group in shared.items()]
    return "\n\n".join([*(_entry(facts, how, shared) for facts in found), *also])


def _entry(facts: ClaimFacts, how: Plan, shared: Iterable[str] = ()) -> str:
    """Return a paragraph on one sentence: its number, its words, the finding, what decided it and what goes with it."""
    quoted = how.quoted and bool(facts.claim.text.strip())
    what = letter_quotation(facts.claim) if quoted else f"{about(facts)[:1].upper()}{about(facts)[1:]}."
    # What a finding may not be read without stands right behind its first sentence.
    least = 1 + len(finding_caveats(facts))
    said = finding_sentences(facts)[: max(how.said, least)]
    if how.placed or facts.finding.verdict == "supported":
        said += [text for text in _beside(facts) if text not in shared]
    placed = finding_position(facts) if how.placed else ""
    parts = [f"**Sentence {id_of(facts)}.** {what}", f"**{outcome(facts)}.**", *said, placed]
    return " ".join(part for part in parts if part)


def _as_table(run: Run, how: Plan) -> str:
    """Return the sentences as rows: those that do not hold first, and how many are left to the claims report."""
    found = letter(run)
    order = [*found.found("not_decidable", *NOT_SHOWN), *(found.found("supported") if how.every else ())]
    shown = sorted(order[: how.rows], key=found.facts.index)
    lines = ["| No. | The letter says | Finding | In short |", f"|{7 * '-'}|{42 * '-'}|{30 * '-'}|{46 * '-'}|"]
    for facts in shown:
        said = plain(facts.claim.text, _LONGEST)
        said = said if 0 < len(said) <= _QUOTED else without_markdown(about(facts))
        cells = (id_of(facts), escape_markdown(said, _LONGEST), outcome(facts), short(facts))
        lines.append(f"| {' | '.join(cells)} |")
    left = len(order) - len(shown)
    more = f" {plural(left, 'sentence')} more: there too." if left else ""
    return (
        "\n".join(lines)
        + f"\n\n{after_table(f'The reasons, figures and charts are in the claims report enclosed.{more}')}"
    )


def annex_contract(run: Run) -> str:
    """Return what the contract says, on the second page where there is room on the first."""
    return _contract(run, plan(run).breaks)


def _contract(run: Run, breaks: bool = False) -> str:
    found = letter(run).facts
    card = contract_card([_judged(facts) for facts in found])
    if not breaks:
        return card
    return f'::: {{.newpage custom-style="New Page"}}\n\n{TITLE}, continued\n\n:::\n\n{card}'


def _judged(facts: ClaimFacts) -> Claim:
    """Return the sentence with the months of the figures that it was judged by, where it names none."""
    return replace(facts.claim, period=facts.claim.period or str(facts.finding.source.get("period") or ""))


def annex_asks(run: Run) -> str:
    """Return what is asked for: what no reply goes without, then the questions on which most findings hang."""
    return _asks(run, plan(run))


def _asks(run: Run, how: Plan) -> str:
    found = letter(run)
    asked: Counter[str] = Counter()
    of: dict[str, list[ClaimFacts]] = {}
    for facts in found.facts:
        for place, question in enumerate(_open_questions(facts)):
            # The first question of a sentence that cannot be checked is what stands between it and an answer.
            asked[question] += (3 if facts.finding.verdict == "not_decidable" else 2) if place == 0 else 1
            of.setdefault(question, []).append(facts)
    known = letters.questions()
    always = [name for name in _ALWAYS if name in of]
    others = [name for name, _ in asked.most_common() if name in known and name not in always]
    wanted = [*others[: how.asks - len(always)], *always]
    items = [f"{n}. {known[name].question} ({sentences(of[name])})" for n, name in enumerate(wanted, start=1)]
    return "## What we ask for\n\n" + "\n".join(items) if items else ""


#: What is asked wherever it belongs: the clause, the extract, how many were looked at.
_ALWAYS = ("ag_extract", "tested", "clause", "sanction")


def _open_questions(facts: ClaimFacts) -> list[str]:
    """Return the questions of a sentence, with those that always belong to it, without what the data answered."""
    claim, template = facts.claim, facts.template
    about_it = asking.marks(claim)
    more = ["ag_extract"] if "ag" in about_it else []
    more += ["tested"] if template.test in ("outlier", "significant") else []
    more += ["sanction"] if claim.sanction else []
    held_to = claim.threshold is not None and "threshold" in about_it
    more += ["clause"] if claim.sanction or held_to or template.id == "below_target" or "urgent" in about_it else []
    answered = {"definition", "list", "period"} if facts.finding.numbers.get("figure_right") else set()
    answered |= {"period"} if claim.period else set()
    return [name for name in dict.fromkeys((*facts.finding.disclose, *more)) if name not in answered]


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
    judged = variation(found.facts)
    said_of = f" {_named(judged)}: conceded of the range and the variation alone." if judged else ""
    return f"The letter: {listed(f'{number(many)} {said}' for said, many in counted if many)}.{said_of}"
