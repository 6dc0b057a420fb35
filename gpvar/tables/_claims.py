"""The tables of the claims report, and the decision table itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.catalogue import letters
from gpvar.tables._table import Table
from gpvar.words import claims_pages, figures, phrases
from gpvar.words.claims_facts import VERDICT, ClaimFacts, bare
from gpvar.words.claims_short import outcome, short
from gpvar.words.console import without_markdown
from gpvar.words.text import known, listed, number, plain

if TYPE_CHECKING:
    from gpvar.results import Run

NOTHING = ""
_QUOTED, _LONGEST = 220, 4000
#: How wide columns are to one another.
_SUMMARY, _AT_RUNGS, _DECISIONS = (44, 24, 56), (43, 14, 32, 35), (6, 34, 54, 26)
_EVERY = "every sentence"


def claims_summary(run: Run) -> Table | str:
    """Return every sentence with its finding, those that hold first; nothing without a letter."""
    rows = [
        {
            "The letter says": f"{plain(facts.claim.id, 20)}. {_says(facts)}",
            "Finding": outcome(facts),
            "In short": short(facts),
        }
        for facts in claims_pages.letter(run).by_finding
    ]
    if not rows:
        return NOTHING
    caption = "Every sentence of the letter, those that hold first."
    return Table(pd.DataFrame(rows), caption, "", "letter_summary", _SUMMARY)


def _says(facts: ClaimFacts) -> str:
    """Return the letter's words, whole; where they are too long for a row, whom and what they are about."""
    said = plain(facts.claim.text, _LONGEST)
    return said if 0 < len(said) <= _QUOTED else without_markdown(claims_pages.about(facts))


def claim_rungs(facts: ClaimFacts, *, without: tuple[str, ...] = ()) -> Table | str:
    """Return the practice's figure at every rung; nothing for a sentence about an area, or without a figure.

    Parameters
    ----------
    facts
        The sentence with its finding.
    without
        Rungs that are left to the spreadsheet where the page has no room for them.
    """
    card = facts.card
    rows = [row for row in facts.rows.values() if known(row.get("value")) and known(row.get("centre"))]
    rows = [row for row in rows if row["rung"] not in without]
    if card is None or not rows:
        return NOTHING
    shown = [
        {
            "What is allowed for": f"{phrases.RUNG_SHORT[row['rung']]} ({phrases.RUNG_LABEL[row['rung']]})",
            "Expected": bare(card, row["centre"]),
            "Difference (95% interval)": _difference(card, row),
            "Where it stands": phrases.POSITION[row["position"]],
        }
        for row in rows
    ]
    unit = f"% of {card.noun_denominator}, differences in points" if figures.is_share(card) else card.unit
    beside = without_markdown(facts.names.of(facts.finding.comparator))
    figure = bare(card, rows[0]["value"])
    caption = f"Its figure, {figure}, at every rung beside {beside}: {unit}; intervals for {facts.chance}."
    return Table(pd.DataFrame(shown), caption, "", f"sentence_{plain(facts.claim.id, 20)}_rungs", _AT_RUNGS)


def _difference(card: Any, row: dict[str, Any]) -> str:
    """Return a difference as the figures beside it subtract, with its interval; a sign before each."""
    places = figures.decimals(card, row["centre"])
    ends = [row.get(name) for name in ("difference_lower", "difference_upper")]
    shown = _signed(figures.apart(card, row) * card.scale, places)
    if not all(known(end) for end in ends):
        return shown
    low, high = (_signed(float(end) * card.scale, places) for end in ends)  # type: ignore[arg-type]
    return f"{shown} ({low} to {high})"


def _signed(value: float, places: int) -> str:
    said = number(value, places)
    return f"+{said}" if round(value, places) > 0 else said


def methods_decisions(run: Run, metric: str = "") -> Table | str:
    """Return the whole decision table, in the order in which its rules are tried; nothing without a letter."""
    if not run.findings:
        return NOTHING
    said = letters.conditions()
    kinds = _kinds()
    rows = [
        {
            "No.": str(place),
            "Kind of sentence": kinds.get(rule.test, rule.test.replace("_", " ")),
            "When": listed(said[name] for name in rule.when).capitalize() if rule.when else "In every other case",
            "Finding": VERDICT[rule.verdict],
        }
        for place, rule in enumerate(letters.rules(), start=1)
    ]
    note = "Of the rules for every sentence, then of those for its kind, the first decides whose conditions all hold."
    caption = "The decision table: how each sentence of a letter is decided."
    return Table(pd.DataFrame(rows), caption, note, "decisions", _DECISIONS)


def _kinds() -> dict[str, str]:
    """Return which kinds of sentence each test decides."""
    kinds: dict[str, list[str]] = {}
    for template in letters.templates().values():
        kinds.setdefault(template.test, []).append(template.title)
    return {letters.ANY: _EVERY, **{test: "; ".join(titles) for test, titles in kinds.items()}}
