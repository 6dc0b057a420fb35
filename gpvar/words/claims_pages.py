"""The claims report, as Markdown: what a letter says and what the data show of it, first all together, then one by one.

The reader's own note on a sentence is private and stands in none of this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.words import boxes, claims_print, contract, paper, phrases
from gpvar.words.claims import (
    claim_facts,
    finding_ask,
    finding_beside,
    finding_change,
    finding_position,
    finding_right,
    finding_right_short,
    finding_verdict,
    letter_quotation,
)
from gpvar.words.claims_facts import ClaimFacts
from gpvar.words.claims_robust import robust
from gpvar.words.claims_short import JUDGEMENT, NOT_CAUSE, VARIATION
from gpvar.words.shared import after_table, note
from gpvar.words.text import escape_markdown, number, plain, plural, titled, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpvar.results import Finding, Run

#: Findings behind which there is no figure that may be judged, so that none is drawn or set beside others.
NOT_JUDGED = (
    "no_card", "no_source", "other_measure", "not_analysed", "practice_unknown", "period_not_held", "stop_gate",
    "no_figure", "hidden", "no_direction", "no_second_period", "no_neighbours", "not_computed",
)  # fmt: skip
#: Questions on the page of one sentence; the spreadsheet holds all of them.
QUESTIONS = 3
NO_LETTER = "The study names no letter, so there is no sentence to check."
#: Finding → how a count of sentences goes on, for one and for several.
_TALLY = {
    "supported": ("holds", "hold"),
    "not_attributable": ("is true, but not a fair comparison of practices",
                         "are true, but not a fair comparison of practices"),
    "not_shown": ("is not shown by the data", "are not shown by the data"),
    "not_decidable": ("cannot be checked yet", "cannot be checked yet"),
    "wrong_metric": ("measures something else", "measure something else"),
}  # fmt: skip
_MERGED = {"not_shown": ("contradicted", "not_shown")}


@dataclass(frozen=True, slots=True)
class Letter:
    """The sentences of a letter with what is found of each, in the letter's order and in that of the findings."""

    run: Run
    facts: tuple[ClaimFacts, ...]

    @property
    def by_finding(self) -> tuple[ClaimFacts, ...]:
        """The sentences that hold first, then as the catalogue orders findings."""
        return tuple(sorted(self.facts, key=lambda facts: letters.VERDICTS.index(facts.finding.verdict)))

    def found(self, *verdicts: str) -> tuple[ClaimFacts, ...]:
        """Return the sentences with one of some findings, in the letter's order."""
        return tuple(facts for facts in self.facts if facts.finding.verdict in verdicts)


def letter(run: Run) -> Letter:
    """Return the letter of a run."""
    return Letter(run, tuple(claim_facts(run, finding) for finding in run.findings))


def id_of(facts: ClaimFacts) -> str:
    """Return the number of a sentence, safe in Markdown."""
    return escape_markdown(facts.claim.id, 20)


def measure(facts: ClaimFacts) -> str:
    """Return what a sentence is of: its measure, what the letter calls it, or the kind of sentence."""
    if facts.card is not None:
        return escape_markdown(facts.card.short)
    return escape_markdown(facts.claim.metric_written, 60) or facts.template.title[0].lower() + facts.template.title[1:]


def about(facts: ClaimFacts) -> str:
    """Return whom and what a sentence is about: "Copper Heron Surgery, missed appointment share"."""
    who = named(facts) if facts.is_practice else facts.area
    return f"{who}, {measure(facts)}" if who else measure(facts)


def named(facts: ClaimFacts) -> str:
    """Return a practice's name with its code: "Copper Heron Surgery (X14474)"; safe in Markdown."""
    code = escape_markdown(facts.claim.practice_code, 20)
    who = titled(facts.who)
    return f"{who} ({code})" if code and code != facts.who else who


def sentences(found: Iterable[ClaimFacts]) -> str:
    """Return the numbers of sentences: "sentence 3", "sentences 1, 4 and 5"."""
    return contract.sentences([facts.claim.id for facts in found])


def tally(found: Sequence[ClaimFacts] | Sequence[Finding]) -> list[str]:
    """Return how many sentences were found what, a clause each: "2 hold", "1 cannot be checked yet"."""
    verdicts = [item.verdict if hasattr(item, "verdict") else item.finding.verdict for item in found]
    merged = ["not_shown" if verdict == "contradicted" else verdict for verdict in verdicts]
    counted = [(merged.count(verdict), said) for verdict, said in _TALLY.items()]
    return [f"{number(many)} {one if many == 1 else more}" for many, (one, more) in counted if many]


def heading(run: Run) -> str:
    """Return the study's title, and its months where the title does not hold them."""
    title, months = plain(run.study.title, 300).rstrip(". "), plain(run.study.period.label)
    return f"{escape_markdown(title, 300)}." + ("" if months in title else f" Figures of {months}.")


def claims_title(run: Run) -> str:
    """Return the head of the report, and who made it."""
    many = len(run.findings)
    whole = f" The letter makes {plural(many, 'sentence')} that can be looked at, numbered as here." if many else ""
    head = f"# What the letter says, and what the data show\n\n{heading(run)}{whole}"
    return f"{head}\n\n{note(claims_print.made())}" if many else head


def claims_verdict(run: Run) -> str:
    """Return how many sentences hold, how many do not and how many cannot be checked, and which."""
    found = letter(run)
    if not found.facts:
        return _framed(NO_LETTER)
    which = [found.found(*_MERGED.get(verdict, (verdict,))) for verdict in _TALLY]
    said = [
        f"**{clause}** ({sentences(group)})"
        for clause, group in zip(tally(found.facts), (group for group in which if group), strict=True)
    ]
    said_of = " ".join(f"Sentence {id_of(facts)}: {JUDGEMENT}" for facts in variation(found.facts))
    return _framed(f"Of {plural(len(found.facts), 'sentence')}, {'; '.join(said)}. {said_of}".rstrip())


def variation(found: Iterable[ClaimFacts]) -> list[ClaimFacts]:
    """Return the sentences on variation that hold of the variation alone."""
    return [facts for facts in found if facts.finding.reason == VARIATION]


def _framed(text: str) -> str:
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{text}\n\n:::'


def claims_right(run: Run) -> str:
    """Return the box that cannot be switched off: what is conceded, of every sentence."""
    found = letter(run)
    holding = found.found("supported")
    fair = f"{NOT_CAUSE} Asking about {'it' if len(holding) == 1 else 'them'} is fair."
    items = [f"**{_capital(sentences(holding))}** {holds(len(holding))}. {fair}"] if holding else []
    others = [facts for facts in found.facts if facts not in holding]
    items += [f"**Sentence {id_of(facts)}.** {JUDGEMENT}" for facts in variation(holding)]
    items += [f"**{_capital(sentences(group))}.** {text}" for text, group in conceded(others, "short")]
    return boxes.box(phrases.ICB_RIGHT, items or [NO_LETTER])


def holds(many: int) -> str:
    """Return the verb of sentences that hold."""
    return "holds" if many == 1 else "hold"


def conceded(found: Sequence[ClaimFacts], much: str = "all") -> list[tuple[str, list[ClaimFacts]]]:
    """Return what is conceded, each with the sentences it is conceded of; what is said alike is said once.

    Parameters
    ----------
    found
        The sentences.
    much
        Of each sentence all that is conceded, what is worth most ("short"), or, in very little room, the "first" thing.
    """
    said: dict[str, list[ClaimFacts]] = {}
    for facts in found:
        items = finding_right(facts) if much == "all" else finding_right_short(facts)
        said.setdefault(" ".join(items[:1] if much == "first" else items), []).append(facts)
    return list(said.items())


def claims_not_shown(run: Run) -> str:
    """Return what no finding here can show."""
    items = [
        "**More than the sentence.** A finding is about the letter's words. That they hold does not show the cause; "
        "that the data do not show them does not show the opposite.",
        "**Why.** The figures cannot say why a practice differs, how good its care is, or how hard anyone worked.",
        "**Whether variation is unwarranted.** That is a judgement. What patients and setting do not account for is "
        "not thereby unwarranted; what many practices share is not thereby good enough.",
    ]
    return f"## {phrases.NOT_SHOWN}\n\n{boxes.bullets(items)}"


def claims_reading(run: Run) -> str:
    """Return how to read the findings, what can be done next, and what is to be known of the data, each once."""
    found = letter(run).facts
    if not found:
        return ""
    asks = any(facts.finding.disclose for facts in found)
    files = "the annex goes with your reply; the spreadsheet holds every number"
    ask = "ask the ICB for what stands under “What to ask” (the command `ask` writes the letter)" if asks else ""
    following = f"**What you can do next.** {_capital('; '.join(part for part in (ask, files) if part))}."
    small = " ".join(filter(None, (claims_print.reading(found), claims_print.counts(found))))
    parts = (after_table(following), note(small) if small else "", note(claims_print.shared_checks(found)))
    return "\n\n".join(part for part in parts if part)


def claims_sources(run: Run) -> str:
    """Return sources, period, hashes, rules, versions and licence lines."""
    said = " ".join(filter(None, (sources_line(run), claims_print.unused(run))))
    return f'## Sources\n\n::: {{.sources custom-style="Sources"}}\n\n{said}\n\n:::'


def sources_line(run: Run) -> str:
    """Return the files with the start of their hashes, the period, the run and the licences, in one paragraph."""
    return claims_print.line(run, letter(run).facts)


# ---- one sentence, on a page of its own ----


def claim_opening(facts: ClaimFacts, many: int) -> str:
    """Return the head of a sentence's page, which begins a new one: its number, whom it is about, its words."""
    where = f"Sentence {id_of(facts)} of {many}"
    kind = f"Kind of sentence: {facts.template.title[0].lower()}{facts.template.title[1:]}. {_asked(facts)}".strip()
    return (
        f'::: {{.newpage custom-style="New Page"}}\n\n{where}\n\n:::\n\n'
        f"## {id_of(facts)}. {_capital(about(facts))}\n\nThe letter says: {letter_quotation(facts.claim)}\n\n"
        f"{note(kind)}"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _asked(facts: ClaimFacts) -> str:
    """Return what the letter prints beside its words, and what it asks for or offers."""
    claim = facts.claim
    printed = [
        ("figure", claim.figure.text if claim.figure else ""),
        ("earlier figure", claim.figure_before.text if claim.figure_before else ""),
        ("comparator's figure", claim.comparator_figure.text if claim.comparator_figure else ""),
        ("threshold", claim.threshold.text if claim.threshold else ""),
        ("what it asks for", claim.sanction),
        ("support it offers", claim.support),
    ]
    said = [f"{name}: {escape_markdown(text, 200)}" for name, text in printed if text]
    return f"In the letter: {'; '.join(said)}." if said else ""


def claim_verdict(facts: ClaimFacts) -> str:
    """Return the finding, the number that decided it, and the practice's position beside it."""
    return _framed("\n\n".join(part for part in (finding_verdict(facts), finding_position(facts)) if part))


def claim_right(facts: ClaimFacts) -> str:
    """Return what the ICB has right in this sentence."""
    return boxes.box(phrases.ICB_RIGHT, [" ".join(finding_right(facts))])


def claim_test(facts: ClaimFacts) -> str:
    """Return the test that such a sentence is put to, what would have made it hold, the checks, and of which run."""
    key = str(facts.finding.source.get("run") or facts.run.meta.get("key", ""))[:12]
    parts = [
        f"**The test, the same for every letter.** {facts.template.honest}",
        f"**It holds when** {_small(facts.template.right)}",
        claims_print.own_checks(facts),
        claims_print.together(facts) if facts.finding.reason not in NOT_JUDGED else "",
        f"Figures of {facts.period}; run {escape_markdown(key)}.",
    ]
    return note(" ".join(part for part in parts if part))


def _small(text: str) -> str:
    return text if text[1:2].isupper() else text[0].lower() + text[1:]


def claim_beside(facts: ClaimFacts) -> str:
    """Return what must be said beside the finding."""
    # Warnings stand with the test where they are of this practice, and on the first page where they are of all.
    because = tuple(name for name in facts.finding.because if name != "warned")
    calm = replace(facts, finding=replace(facts.finding, because=because))
    return " ".join(text for text in (*finding_beside(calm), robust(facts)) if text)


def claim_end(facts: ClaimFacts, left: float) -> str:
    """Return what stands beside the finding, what would change it and what to ask: as large as the page has room for.

    Parameters
    ----------
    facts
        The sentence with its finding.
    left
        The height in points that is left of the page.
    """
    full = "\n\n".join(part for part in (claim_beside(facts), claim_next(facts, QUESTIONS)) if part)
    if paper.height(full, _POINTS) <= left:
        return full
    small = [claim_beside(facts), claim_next(facts, 1 if left < _LITTLE else 2).replace("\n\n", " ")]
    return note(" ".join(part for part in small if part))


#: Body text in points, and the height under which only one question has room.
_POINTS, _LITTLE = 12.0, 75.0


def claim_next(facts: ClaimFacts, questions: int = QUESTIONS) -> str:
    """Return what would change the finding, and what to ask."""
    parts = []
    if change := [text for text in finding_change(facts) if text]:
        parts.append(f"**What would change this.** {' '.join(change)}")
    if ask := [text for text in finding_ask(facts) if text][:questions]:
        numbered = (f"({place}) {text}" for place, text in enumerate(ask, start=1))
        parts.append(f"**What to ask.** {' '.join(numbered)}")
    return "\n\n".join(parts)


def methods_decisions(run: Run, metric: str = "") -> str:
    """Return how the sentences of a letter are decided, for the methods page; nothing without a letter."""
    if not run.findings:
        return ""
    many = len(letters.rules())
    return (
        "## How the sentences of a letter are decided\n\n"
        f"Each sentence is of one of {number(len(letters.templates()))} kinds, and each kind is put to a test. The "
        f"test says which conditions hold; the table below, of {number(many)} rules, says what is then found. It comes "
        "with gpvar (`decisions.toml`) and is the same for every letter. Chances are of the lasting figure where a "
        "rank is claimed, and of the figure of that period where a threshold is."
    )


def claims_summary_line(run: Run) -> str:
    """Return one plain line for the index."""
    judged = variation(letter(run).facts)
    said_of = f" {_capital(sentences(judged))}, of the range and the variation alone." if judged else ""
    return f"The letter: {'; '.join(tally(run.findings))}.{said_of}"


def claims_console(run: Run) -> str:
    """Return the findings for the terminal."""
    from gpvar.words.claims import finding_summary
    from gpvar.words.console import without_markdown

    found = letter(run)
    lines = [
        f"{plain(run.study.title)}",
        f"Of {plural(len(found.facts), 'sentence')}, {'; '.join(tally(found.facts))}.",
    ]
    for facts in found.facts:
        said = without_markdown(f"{id_of(facts)}. {_capital(about(facts))}")
        lines += ["", said, finding_summary(facts)]
    if any(finding.arithmetic == "wrong" or finding.reason == "figure_far" for finding in run.findings):
        study = typed(run.study.path or run.study.folder)
        lines += ["", f"Which months, list or practices give the letter's figures? python run.py reconcile {study}"]
    return "\n".join(lines)
