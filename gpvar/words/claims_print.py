"""The small print of what is made of a letter, each thing said once: who made it, how to read it, rules, checks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.catalogue import letters
from gpvar.claims import remarks
from gpvar.dates import day_in_words
from gpvar.words import figures, sources
from gpvar.words.claims import finding_gates
from gpvar.words.claims_facts import ClaimFacts
from gpvar.words.hidden import ICB_SUPPLIED
from gpvar.words.letter_remarks import letter_remarks
from gpvar.words.quality import FAILED, UNCHECKED
from gpvar.words.text import escape_markdown, known, listed, number, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Run

#: Findings before which nothing was analysed, so that no check of the data bears on them.
NOT_ANALYSED = ("no_card", "no_source", "other_measure", "not_analysed", "practice_unknown", "period_not_held")
#: Months that official statistics may take to come out.
_LAG = 2


def made() -> str:
    """Return who made it and that its rules are the same for both sides."""
    return (
        "Prepared for the practices that the letter names with gpvar, a tool made to examine letters about practices. "
        "Its rules are the same whoever is right; files and rules are named so that the board can repeat it."
    )


def reading(facts: Sequence[ClaimFacts]) -> str:
    """Return how the words of the findings are to be read; nothing where no practice is placed among others."""
    if not any(item.rows for item in facts):
        return ""
    return (
        "**How to read this.** Each figure is looked at raw (M0), then beside practices with patients like its own "
        "(M1), then with setting allowed for too (M2). A place is counted from the end that the letter names. An "
        f"interval is the range that {_chances(facts)} leave open; with a chance of 95 in 100 the opposite has 5. One "
        "spread is how far apart practices are by themselves: two in three lie within one of the middle. "
        f"{MIDDLE}"
    )


def _chances(facts: Sequence[ClaimFacts]) -> str:
    return listed(dict.fromkeys(item.chance for item in facts if item.rows), "or")


#: What "the middle" is, wherever it is said.
MIDDLE = (
    "The middle is a robust middle of practices: each counts once, on a scale suited to the measure, and the few far "
    "out hardly move it. It need not be the figure of all patients together."
)


def together(facts: ClaimFacts) -> str:
    """Return the reference set's own figure, and the board's, of all practices together."""
    analysis, card = facts.analysis, facts.card
    if analysis is None or card is None:
        return ""
    said = []
    if known(analysis.meta.get("england_value")):
        said.append(f"{facts.names.reference} {figures.amount(card, analysis.meta['england_value'])}")
    own = (analysis.meta.get("icb_value") or {}).get(_board(facts))
    if known(own):
        said.append(f"its ICB {figures.amount(card, own)}" if facts.is_practice else figures.amount(card, own))
    return f"All practices together: {listed(said)}." if said else ""


def _board(facts: ClaimFacts) -> str:
    people = facts.run.table.practices
    if not facts.claim.practice_code or "icb_code" not in people:
        return ""
    return str(next(iter(people.loc[people["practice_code"] == facts.claim.practice_code, "icb_code"]), ""))


def counts(facts: Sequence[ClaimFacts]) -> str:
    """Return what the different numbers of practices are, of each measure that a practice is placed by."""
    by = {item.card.id: item for item in facts if item.card is not None and item.analysis is not None}
    said = []
    for item in by.values():
        meta = item.analysis.meta  # type: ignore[union-attr]
        have, fitted = meta.get("n_practices"), meta.get("n_fitted")
        if not (known(have) and known(fitted)):
            continue
        among = [other.get("among") for other in facts if other.card == item.card and other.has("among")]
        model = f", {number(max(among))} are in the model of places that last" if among else ""
        said.append(f"{item.card.short}, {number(have)} have a figure, {number(fitted)} set the comparison{model}")  # type: ignore[union-attr]
    left = "those left out are small, unlike ordinary practices, or lack what is allowed for"
    return f"Numbers of practices: {'; '.join(said)} ({left})." if said else ""


def rules(run: Run) -> str:
    """Return what names the decision table, and that it was fixed, like the study, when the figures could be known."""
    table = f"Rules: decisions.toml (SHA-256 {letters.table_sha256()[:12]}…), the same for every letter."
    return f"{table} {_seen_before(run)}".strip()


def _seen_before(run: Run) -> str:
    """Return that the figures had come out before the study was declared, where they had."""
    day, end = run.study.declared, run.study.period.end
    official = any(a.meta and _official(metric) for metric, a in run.analyses.items())
    if not (hasattr(day, "year") and official) or run.meta.get("simulated"):
        return ""
    year, month = (int(part) for part in str(end).split("-")[:2])
    if (day.year - year) * 12 + day.month - month < _LAG:
        return ""
    return f"Figures of these months had been published before the study was declared ({day_in_words(day)})."


def _official(metric: str) -> bool:
    """Return whether a measure comes from a publication, not from the board."""
    return catalogue.metric(metric).source not in ICB_SUPPLIED


def unused(run: Run) -> str:
    """Return which numbers of the letter's words were given in no cell, so that nothing was judged by them."""
    found = [note for note in remarks([item.claim for item in run.findings]) if note.id == "numbers_not_used"]
    return " ".join(escape_markdown(text, 400) for text in letter_remarks(found))


# ---- checks of the data ----


def _own(facts: ClaimFacts) -> set[str]:
    """Return the checks that speak of the practice itself."""
    gates = facts.run.table.gates
    if not len(gates) or not facts.claim.practice_code:
        return set()
    return set(gates.loc[gates["practice_code"] == facts.claim.practice_code, "gate"])


def own_checks(facts: ClaimFacts) -> str:
    """Return the checks that failed of this practice alone; nothing where nothing was analysed or nothing failed."""
    if facts.finding.reason in NOT_ANALYSED:
        return ""
    own = _own(facts)
    rows = tuple(row for row in facts.finding.gates if row["gate"] in own and row["state"] == FAILED)
    return _checks(facts, rows) if rows else ""


def shared_checks(found: Sequence[ClaimFacts]) -> str:
    """Return the checks that failed or could not be made of the data as a whole, once for all sentences."""
    judged = [facts for facts in found if facts.finding.reason not in NOT_ANALYSED]
    rows = {}
    for facts in judged:
        own = _own(facts)
        shared = [row for row in facts.finding.gates if row["gate"] not in own or row["state"] == UNCHECKED]
        rows |= {(row["gate"], row["state"], row["detail"]): row for row in shared}
    if not judged:
        return ""
    return f"**Checks of the data.** {_checks(judged[0], tuple(rows.values()))}"


def _checks(facts: ClaimFacts, rows: tuple[dict[str, str], ...]) -> str:
    return finding_gates(replace(facts, finding=replace(facts.finding, gates=rows)))


def line(run: Run, found: Sequence[ClaimFacts]) -> str:
    """Return the files with the start of their hashes, rules, period, run and licences, in one paragraph."""
    own = {spec.id for spec in getattr(run.study, "sources", ()) if not spec.is_publication}
    # A measure that was not analysed came from no file, so nobody is named for it.
    cards = [item.card for item in found if item.card is not None and item.card.id in run.analyses]
    simulated = bool(run.meta.get("simulated"))
    licensed = dict.fromkeys(sources.licences(card, _allowed(run, card.id), simulated) for card in cards)
    parts = [
        f"Figures of {plain(run.study.period.label)}. Files: {sources.files(run.table.provenance, own)}.",
        sources.declared(run, sent=True),
        rules(run),
        *licensed,
    ]
    return " ".join(part for part in parts if part)


def _allowed(run: Run, metric: str) -> list[str]:
    return sorted({c for ids in run.analyses[metric].meta.get("covariates", {}).values() for c in ids})
