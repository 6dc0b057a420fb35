"""The claims report, as Markdown: what a letter says and what the data show of it, first all together, then one by one.

The reader's own note on a sentence is private and stands in none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.words import boxes, contract, phrases, sources
from gpvar.words.claims import (
    claim_facts,
    finding_ask,
    finding_beside,
    finding_change,
    finding_gates,
    finding_position,
    finding_right,
    finding_verdict,
    letter_quotation,
)
from gpvar.words.claims_facts import ClaimFacts
from gpvar.words.shared import note
from gpvar.words.text import escape_markdown, number, plain, plural, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpvar.results import Finding, Run

#: Findings behind which there is no figure that may be judged, so that none is drawn or set beside others.
NOT_JUDGED = (
    "no_card", "no_source", "other_measure", "not_analysed", "practice_unknown", "period_not_held", "stop_gate",
    "no_figure", "hidden", "no_direction", "no_second_period", "no_neighbours",
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
    who = facts.who if facts.is_practice else facts.area
    return f"{who}, {measure(facts)}" if who else measure(facts)


def sentences(found: Iterable[ClaimFacts]) -> str:
    """Return the numbers of sentences: "sentence 3", "sentences 1, 4 and 5"."""
    return contract.sentences([facts.claim.id for facts in found])


def tally(found: Sequence[ClaimFacts] | Sequence[Finding]) -> list[str]:
    """Return how many sentences were found what, a clause each: "2 hold", "1 cannot be checked yet"."""
    verdicts = [item.verdict if hasattr(item, "verdict") else item.finding.verdict for item in found]
    merged = ["not_shown" if verdict == "contradicted" else verdict for verdict in verdicts]
    counted = [(merged.count(verdict), said) for verdict, said in _TALLY.items()]
    return [f"{number(many)} {one if many == 1 else more}" for many, (one, more) in counted if many]


def claims_title(run: Run) -> str:
    """Return the head of the report."""
    many = len(run.findings)
    whole = f" The letter makes {plural(many, 'sentence')} that can be looked at, numbered as here." if many else ""
    return (
        "# What the letter says, and what the data show\n\n"
        f"{escape_markdown(run.study.title)}. Figures of {plain(run.study.period.label)}.{whole}"
    )


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
    return _framed(f"Of {plural(len(found.facts), 'sentence')}, {'; '.join(said)}.")


def _framed(text: str) -> str:
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{text}\n\n:::'


def claims_right(run: Run) -> str:
    """Return the box that cannot be switched off: what is conceded, of every sentence."""
    found = letter(run)
    holding = found.found("supported")
    fair = f"Asking about {'it' if len(holding) == 1 else 'them'} is fair."
    items = [f"**{_capital(sentences(holding))}** {holds(len(holding))}. {fair}"] if holding else []
    others = [facts for facts in found.facts if facts not in holding]
    items += [f"**{_capital(sentences(group))}.** {text}" for text, group in conceded(others, first=True)]
    return boxes.box(phrases.ICB_RIGHT, items or [NO_LETTER])


def holds(many: int) -> str:
    """Return the verb of sentences that hold."""
    return "holds" if many == 1 else "hold"


def conceded(found: Sequence[ClaimFacts], *, first: bool = False) -> list[tuple[str, list[ClaimFacts]]]:
    """Return what is conceded, each with the sentences it is conceded of; what is said alike is said once.

    Parameters
    ----------
    found
        The sentences.
    first
        Whether only the first thing conceded of each is wanted, where there is little room.
    """
    said: dict[str, list[ClaimFacts]] = {}
    for facts in found:
        items = finding_right(facts)
        said.setdefault(" ".join(items[:1] if first else items), []).append(facts)
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


def claims_sources(run: Run) -> str:
    """Return sources, period, hashes, versions and licence lines."""
    return f'## Sources\n\n::: {{.sources custom-style="Sources"}}\n\n{sources_line(run)}\n\n:::'


def sources_line(run: Run) -> str:
    """Return the files with the start of their hashes, the period, the run and the licences, in one paragraph."""
    own = {spec.id for spec in getattr(run.study, "sources", ()) if not spec.is_publication}
    cards = [facts.card for facts in letter(run).facts if facts.card is not None]
    simulated = bool(run.meta.get("simulated"))
    licensed = dict.fromkeys(sources.licences(card, _allowed(run, card.id), simulated) for card in cards)
    return " ".join(
        [
            f"Figures of {plain(run.study.period.label)}. Files: {sources.files(run.table.provenance, own)}.",
            sources.declared(run),
            *licensed,
        ]
    )


def _allowed(run: Run, metric: str) -> list[str]:
    if metric not in run.analyses:
        return []
    return sorted({c for ids in run.analyses[metric].meta.get("covariates", {}).values() for c in ids})


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
    return note(
        f"**The test, fixed beforehand.** {facts.template.honest} **It holds when** {_small(facts.template.right)} "
        f"{finding_gates(facts)} Figures of {facts.period}; run {escape_markdown(key)}."
    )


def _small(text: str) -> str:
    return text if text[1:2].isupper() else text[0].lower() + text[1:]


def claim_beside(facts: ClaimFacts) -> str:
    """Return what must be said beside the finding."""
    return " ".join(text for text in (*finding_beside(facts), _robust(facts)) if text)


def _robust(facts: ClaimFacts) -> str:
    """Return in how many comparisons the practice stands as it does in the one that is judged by."""
    agree, compared = (facts.finding.robustness.get(name) for name in ("agree", "compared"))
    if not compared:
        return ""
    alike = f"all {number(compared)}" if agree == compared else f"{number(agree)} of {number(compared)}"
    return f"It stands the same in {alike} comparisons made: more or less allowed for, beside all and beside its ICB."


def claim_next(facts: ClaimFacts) -> str:
    """Return what would change the finding, and what to ask."""
    parts = []
    if change := [text for text in finding_change(facts) if text]:
        parts.append(f"**What would change this.** {' '.join(change)}")
    if ask := [text for text in finding_ask(facts) if text][:QUESTIONS]:
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
    return f"The letter: {'; '.join(tally(run.findings))}."


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
