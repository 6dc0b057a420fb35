"""What is written on and beside the pictures of the trial."""

from __future__ import annotations

from gpvar.words.calibration_facts import Row, TrialFacts, error, estimate, per_cent
from gpvar.words.text import listed

BAR, RELIABILITY, FOUND = "bar", "Reliability of the figure", "Called outside"
SAID, TRUE = "Odds said", "True"
WHISKERS = "Whiskers are twice the error."


def plants(facts: TrialFacts) -> list[Row]:
    """Return the rows of planted practices against England, the least reliable first."""
    rows = [row for row in facts.rows if row["bar"] in ("plants_found", "plants_found_below")]
    return sorted(rows, key=lambda row: float(row["group"].removeprefix("r ")))


def odds_title() -> str:
    """Return the message of the picture of odds."""
    return "How often practices are in the lowest or highest tenth, by the odds that were said"


def odds_alt(facts: TrialFacts) -> str:
    """Return the text alternative of the picture of odds."""
    by_kind: dict[str, list[str]] = {}
    for of, told, true, _ in facts.odds_of_everyone():
        pair = f"said {per_cent(told['estimate'], 0)}, true {per_cent(true['estimate'], 0)} (error {error(true)})"
        by_kind.setdefault(of.rpartition(", ")[2], []).append(pair)
    said = ". ".join(f"{of[:1].upper()}{of[1:]}: {'; '.join(pairs)}" for of, pairs in by_kind.items())
    return f"{odds_title()}. {said}. On the line, odds are right. {WHISKERS}"


def plants_title() -> str:
    """Return the message of the picture of planted practices."""
    return "Planted practices called outside the usual range, by how reliable figures are"


def plants_alt(rows: list[Row]) -> str:
    """Return the text alternative of the picture of planted practices."""
    said = listed(f"{row['group'].removeprefix('r ')}: {estimate(row)} (error {error(row)})" for row in rows)
    return f"{plants_title()}. Reliability {said}. {WHISKERS}"
