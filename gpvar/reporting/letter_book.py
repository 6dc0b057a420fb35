"""The spreadsheet of a letter's findings: one row a sentence, and behind it rungs, numbers, checks and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import schema
from gpvar.reporting import workbook
from gpvar.words import claims_pages, figures, phrases
from gpvar.words.claims import (
    finding_ask,
    finding_beside,
    finding_change,
    finding_position,
    finding_sentence,
)
from gpvar.words.claims_robust import choice_in_short, far_ways, same_ways
from gpvar.words.claims_short import outcome, short
from gpvar.words.console import without_markdown
from gpvar.words.sources import declared
from gpvar.words.text import known, plain

if TYPE_CHECKING:
    from gpvar.results import Figure, Run
    from gpvar.words.claims_facts import ClaimFacts

#: Sheet → the table by whose columns the dictionary explains it.
TABLES = {
    "Findings": "claims", "Rungs": "claim_rungs", "Numbers": "claim_numbers", "Checks": "claim_checks",
    "Files": "provenance",
}  # fmt: skip
_LONG = 4000


def claim_rows(run: Run) -> pd.DataFrame:
    """Return one row a sentence of the letter, in its order; the reader's own note is not among the columns."""
    rows = [_row(facts) for facts in claims_pages.letter(run).facts]
    return pd.DataFrame(rows, columns=schema.names("claims"))


def _row(facts: ClaimFacts) -> dict[str, Any]:
    claim, finding = facts.claim, facts.finding
    return {
        "sentence": claim.id,
        "practice_code": claim.practice_code,
        "practice_name": without_markdown(facts.who),
        "kind": facts.template.title,
        "measure": without_markdown(claims_pages.measure(facts)),
        "metric": claim.metric,
        "letter_says": plain(claim.text, _LONG),
        "letter_figure": _printed(claim.figure),
        "letter_figure_before": _printed(claim.figure_before),
        "letter_comparator": claim.comparator,
        "letter_comparator_figure": _printed(claim.comparator_figure),
        "letter_threshold": _printed(claim.threshold),
        "letter_period": claim.period,
        "finding": outcome(facts),
        "in_short": without_markdown(short(facts)),
        **_printed_row(facts),
        "verdict": finding.verdict,
        "reason": finding.reason,
        "in_words": without_markdown(finding_sentence(facts)),
        "position": without_markdown(finding_position(facts)),
        "arithmetic": finding.arithmetic,
        "said_beside": _joined(finding_beside(facts)),
        "would_change": _joined(finding_change(facts)),
        "to_ask": _joined(finding_ask(facts)),
        **_place(facts),
        "period": str(finding.source.get("period") or ""),
        "comparator": finding.comparator,
        "files": "; ".join(_file(item) for item in finding.source.get("files", ())),
        "run": str(finding.source.get("run") or ""),
    }


def _place(facts: ClaimFacts) -> dict[str, Any]:
    """Return in how many other ways the practice's place is as here; not applicable where no practice is named."""
    ways = facts.finding.robustness
    if not ways.get("compared"):
        names = ("same_ways", "other_ways", "far_ways", "robustness", "hangs_on")
        return dict.fromkeys((f"place_{name}" for name in names), None if facts.is_practice else "")
    far = far_ways(facts)
    return {
        "place_same_ways": same_ways(facts),
        "place_other_ways": ways["compared"],
        "place_far_ways": "" if far is None else far,
        "place_robustness": str(ways.get("label") or ""),
        "place_hangs_on": choice_in_short(facts),
    }


def _printed_row(facts: ClaimFacts) -> dict[str, Any]:
    """Return figure, expected, difference and interval in the units in which they are printed."""
    row, card = facts.judged, facts.card
    if row is None or card is None or facts.finding.reason in claims_pages.NOT_JUDGED or not known(row.get("value")):
        return {"unit": ""}
    share = figures.is_share(card)
    sizes = {
        "figure": row["value"],
        "expected": row.get("centre"),
        "difference": figures.apart(card, row),
        "interval_lower": row.get("difference_lower"),
        "interval_upper": row.get("difference_upper"),
    }
    places = figures.decimals(card, row["value"])
    shown = {name: round(float(x) * card.scale, places) for name, x in sizes.items() if known(x)}
    return {**shown, "unit": f"% of {card.noun_denominator}; differences in points" if share else card.unit}


def _printed(figure: Figure | None) -> str:
    return plain(figure.text, 60) if figure is not None else ""


def _joined(said: list[str]) -> str:
    return without_markdown(" ".join(text for text in said if text))


def _file(item: dict[str, Any]) -> str:
    return f"{plain(item.get('file'))} ({plain(item.get('sha256'))[:12]})"


def _rungs(run: Run) -> pd.DataFrame:
    rows = [
        {"sentence": finding.claim.id, "practice_code": finding.claim.practice_code, **row}
        for finding in run.findings
        for row in finding.rungs
    ]
    return pd.DataFrame(rows, columns=schema.names("claim_rungs"))


def _numbers(run: Run) -> pd.DataFrame:
    rows = [
        {"sentence": finding.claim.id, "name": name, **_held(value)}
        for finding in run.findings
        for name, value in finding.numbers.items()
    ]
    return pd.DataFrame(rows, columns=schema.names("claim_numbers"))


def _held(value: object) -> dict[str, Any]:
    """Return a number as a number, and everything else as text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"value": float(value), "text": ""}
    if isinstance(value, (list, tuple)):
        return {"value": None, "text": plain("; ".join(str(item) for item in value), _LONG)}
    return {"value": None, "text": plain(value, _LONG)}


def _checks(run: Run) -> pd.DataFrame:
    rows = [{"sentence": finding.claim.id, **row} for finding in run.findings for row in finding.gates]
    return pd.DataFrame(rows, columns=schema.names("claim_checks"))


def letter_workbook(run: Run, *, notes: bool = False) -> bytes:
    """Return the workbook of the findings.

    Parameters
    ----------
    run
        A run with findings.
    notes
        Whether the reader's own notes go with it: for the private folder alone.
    """
    sheets = {
        "Findings": ("What the letter says and what the data show, one row a sentence", claim_rows(run)),
        "Rungs": ("The practice's figure before and after what is allowed for", _rungs(run)),
        "Numbers": ("Every number that decided, or that is shown", _numbers(run)),
        "Checks": ("Checks of the data that failed or could not be made, by sentence", _checks(run)),
        "Files": ("Files that were read", run.table.provenance),
    }
    tables = dict(TABLES)
    if notes:
        rows = [(finding.claim.id, plain(finding.claim.note, _LONG)) for finding in run.findings]
        sheets["Your notes"] = ("Your own remarks: private", pd.DataFrame(rows, columns=schema.names("claim_notes")))
        tables["Your notes"] = "claim_notes"
    title = f"The letter: {plain(run.study.title)}"
    return workbook.build(title, _notes(run, notes), sheets, tables, reading=("Findings",))


def _notes(run: Run, private: bool) -> list[str]:
    lines = [phrases.SIMULATED] if run.meta.get("simulated") else []
    lines += [phrases.PRIVATE_LONG] if private else []
    lines += [
        f"Figures of {plain(run.study.period.label)}.",
        without_markdown(declared(run, everything=True)),
        "A finding is about the sentence in the letter, not about the practice. That it holds does not show the cause; "
        "that the data do not show it does not show the opposite.",
        "Which finding follows from what is in the decision table decisions.toml, the same for every letter.",
        "Figures, differences and intervals of the first sheet are in the units in which they are printed, beside "
        "practices with patients like its own (M1) where those could be allowed for.",
        "The columns place_… are of the practice's place, allowing for patients, in other ways of comparing. The "
        "finding of the sentence was not made again in those ways.",
    ]
    return lines


def has_notes(run: Run) -> bool:
    """Return whether the reader wrote a note on any sentence."""
    return any(finding.claim.note.strip() for finding in run.findings)
