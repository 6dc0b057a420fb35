"""A number of a letter, and the readings that give it; and the same as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gpvar import schema

if TYPE_CHECKING:
    from gpvar.claims.readings import Reading
    from gpvar.results import Claim
    from gpvar.study import Period


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One number of a letter, and the readings that give it.

    Attributes
    ----------
    claim, part
        The sentence, and which of its numbers: figure, figure_before, comparator_figure, place or tail.
    written, number, step
        The number as printed, what it is, and how fine it was printed: 0.1 for "31.2%".
    matches
        Every reading that gives the number as printed, those that the letter's own words name first; for a tail, every
        reading by which the practice is in it.
    nearest
        Where none does, those that come nearest.
    own
        The reading that the letter's own words name: the measure's card, its period, its comparator.
    tried
        How many readings were tried.
    near, others, met
        How many readings that do not give it lie near the number, how many other numbers could be printed there, and
        how many of those some reading gives. For a place only groups of as many practices count.
    low, high
        From where to where that is.
    both
        Of `matches`, those whose counts give the sentence's other numbers as well.
    ways, periods
        The ways of counting and the months that were tried.
    not_held
        The months that the letter names, where the study holds no counts of them.
    why
        Why nothing was tried: no_source, practice_unknown, hidden, not_held or not_tried; empty where it was.
    """

    claim: Claim
    part: str
    written: str
    number: float
    step: float
    matches: tuple[Reading, ...] = ()
    nearest: tuple[Reading, ...] = ()
    own: Reading | None = None
    tried: int = 0
    near: int = 0
    others: int = 0
    met: int = 0
    low: float = math.nan
    high: float = math.nan
    both: tuple[Reading, ...] = ()
    ways: tuple[str, ...] = ()
    periods: tuple[Period, ...] = ()
    not_held: str = ""
    why: str = ""

    @property
    def by_chance(self) -> float:
        """How many readings would give a number printed there by chance alone."""
        if self.part == "tail":
            return self.number * self.tried
        return self.near / self.others if self.others else 0.0

    @property
    def listed(self) -> tuple[tuple[Reading | None, bool], ...]:
        """The readings that give it, or the nearest, each with whether it does; None where nothing was tried."""
        shown = [(each, True) for each in self.matches] + [(each, False) for each in self.nearest]
        return tuple(shown) or ((None, False),)


def frame(items: Iterable[Reconciliation]) -> pd.DataFrame:
    """Return one row per number and reading that gives it, or comes nearest, with the columns of the schema."""
    rows = [_row(item, each, is_match) for item in items for each, is_match in item.listed]
    return pd.DataFrame(rows, columns=schema.names("reconciliation"))


def _row(item: Reconciliation, each: Reading | None, is_match: bool) -> dict[str, object]:
    said = {
        "sentence": item.claim.id,
        "part": item.part,
        "written": item.written,
        "number": item.number,
        "tried": item.tried,
        "matches": len(item.matches),
        "by_chance": item.by_chance,
        "why": item.why,
    }
    if each is None:
        return said
    return said | {
        "gives": "yes" if is_match else "no",
        "value": each.value,
        "counting": each.counting,
        "complement": "yes" if each.complement else "no",
        "start": each.period.start,
        "end": each.period.end,
        "before": "" if each.before is None else f"{each.before.start}..{each.before.end}",
        "patients": each.patients,
        "per": each.per,
        "by": each.by,
        "of": each.of,
        "how": each.how,
        "without": each.without,
        "practices": each.practices,
        "with_other_numbers": "yes" if each in item.both else "no",
    }
