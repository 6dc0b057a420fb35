"""What the gates look at, and what one of them finds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from gpvar.study import Study

PASSED, FAILED, UNCHECKED = "passed", "failed", "could not be checked"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gates look at.

    Attributes
    ----------
    study, outcomes, practices, hierarchy
        As in `gpvar.table.PracticeTable`.
    months
        Months that each figure rests on: practice_code, metric, months.
    has_months
        Whether any file has a column of months.
    homes
        ``"same_day_share.numerator"`` → id of the source that holds it.
    lost
        Source id → share of the practices measured that it does not hold.
    beside
        For each source of other months: which months, and how many of its practices with figures the study's own
        figures do not hold, of how many.
    impossible
        Practice code, characteristic and value of what cannot be true, and so was taken as missing.
    dates
        Characteristic → month of which it is.
    monthly
        Counts by month: practice_code, month, name, value.
    events
        Practices that merged, closed or split within the period, and what happened, as somebody confirmed it.
    placed_on
        The day for which practices were placed by published maps; None where the study's own table says where they are.
    boards_not_told
        Boards of practices that could not be given for the study's day: icb_code, icb_name, map_date, practices.
    """

    study: Study
    outcomes: pd.DataFrame
    practices: pd.DataFrame
    hierarchy: pd.DataFrame
    months: pd.DataFrame
    has_months: bool = False
    homes: dict[str, str] = field(default_factory=dict)
    lost: dict[str, float] = field(default_factory=dict)
    beside: tuple[tuple[str, int, int], ...] = ()
    impossible: tuple[tuple[str, str, float], ...] = ()
    dates: dict[str, str] = field(default_factory=dict)
    monthly: pd.DataFrame | None = None
    events: dict[str, str] = field(default_factory=dict)
    placed_on: dt.date | None = None
    boards_not_told: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one gate found, for one metric or for all.

    Attributes
    ----------
    metrics
        The metrics concerned; empty for every metric.
    state
        Of the table as a whole. A gate about practices passes as a whole even where some practices fail.
    failed
        Practice code, value and words of each practice that failed.
    value, detail
        Of the table as a whole.
    severity
        When it differs from what the cards say.
    """

    state: str
    failed: tuple[tuple[str, float, str], ...] = ()
    value: float = float("nan")
    detail: str = ""
    metrics: tuple[str, ...] = ()
    severity: str = ""


def columns_of(practices: pd.DataFrame, covariate: str) -> list[str]:
    """Return the columns that hold a characteristic."""
    return [c for c in practices.columns if c == covariate or c.startswith(f"{covariate}.")]


def failures(codes: pd.Series, values: pd.Series, wrong: pd.Series, words: str) -> tuple[tuple[str, float, str], ...]:
    """Return a failure per row where `wrong`; `words` is a format of the value."""
    wrong = wrong.fillna(False).to_numpy(bool)
    pairs = zip(codes[wrong], values[wrong], strict=True)
    return tuple((str(code), float(value), words.format(value)) for code, value in pairs)
