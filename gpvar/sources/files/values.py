"""From text to numbers: hidden counts become intervals, blanks stay missing, and nothing doubtful is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.dates import month_number
from gpvar.study import parse_period

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PERCENT = re.compile(rf"({_NUMBER})\s*%")
_UNDER = re.compile(r"(<|<=|≤|under|fewer than|less than)\s*(\d+)")
_BETWEEN = re.compile(r"(\d+)\s*(?:-|–|to)\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell that is not a number: its place in the column, what it holds and why it will not do."""

    at: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read as numbers.

    Attributes
    ----------
    value, low, high
        The number, and the least and most it can be; NaN, and the interval, where it was hidden; NaN where missing.
    hidden
        Which cells were hidden by their supplier because they are small.
    percent
        Which cells were written with a per cent sign; their value is the number before it.
    bad
        The cells that cannot be used.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    hidden: np.ndarray
    percent: np.ndarray
    bad: tuple[Bad, ...]


@cache
def _marks() -> tuple[dict[str, tuple[int, int]], frozenset[str], frozenset[str]]:
    marks = catalogue.conventions()["marks"]
    hidden = {mark: (low, high) for mark, (low, high) in marks["hidden"].items()}
    return hidden, frozenset(marks["missing"]), frozenset(marks["formula_errors"])


def parse_numbers(cells: pd.Series, extra_missing: tuple[str, ...] = (), *, sentinels: bool = True) -> Numbers:
    """Read a column of text as numbers.

    Parameters
    ----------
    cells
        Text, as it stands in the file.
    extra_missing
        Marks that the study says mean missing.
    sentinels
        Whether -97 and its kind are marks; False for columns in which they can be numbers.

    Returns
    -------
    Numbers

    Notes
    -----
    ``<5`` is taken to be 0 to 4, ``*`` and ``[c]`` 1 to 4, ``-97`` 1 to 9, ``1-4`` what it says; a blank is missing
    and never nought. ``1,234`` is read as one thousand two hundred and thirty-four; ``1,5`` is refused.
    """
    text = cells.fillna("").astype(str).str.strip().to_numpy(dtype=object)
    plain = pd.Series(text, dtype=object).str.fullmatch(_NUMBER).to_numpy(dtype=bool)
    value = np.full(len(text), np.nan)
    value[plain] = text[plain].astype(float)
    low, high = value.copy(), value.copy()
    hidden, percent = np.zeros(len(text), dtype=bool), np.zeros(len(text), dtype=bool)
    missing_here = {mark.strip().casefold() for mark in extra_missing}
    doubtful = np.flatnonzero(~plain | np.isinf(value) | (sentinels & (value < 0)))
    bad = []
    for at in doubtful:
        found = _read_one(text[at], missing_here, sentinels)
        if isinstance(found, str):
            bad.append(Bad(int(at), text[at], found))
            continue
        value[at], low[at], high[at] = found[0], found[1], found[2]
        hidden[at] = np.isnan(found[0]) and not np.isnan(found[1])
        percent[at] = text[at].endswith("%")
    return Numbers(value, low, high, hidden, percent, tuple(bad))


def _read_one(text: str, extra_missing: set[str], sentinels: bool) -> tuple[float, float, float] | str:
    """Return value, low and high of one cell, or the reason why it cannot be read."""
    known_hidden, known_missing, formula_errors = _marks()
    mark = " ".join(text.replace("−", "-").replace("\u2011", "-").casefold().split())
    if mark.endswith(".0") and mark[:-2].lstrip("-").isdigit():
        mark = mark[:-2]
    is_number = re.fullmatch(_NUMBER, mark) is not None
    if mark in extra_missing or ((sentinels or not is_number) and mark in known_missing):
        return np.nan, np.nan, np.nan
    if mark in known_hidden and (sentinels or not is_number):
        return np.nan, *map(float, known_hidden[mark])
    if is_number and np.isfinite(float(mark)):
        return (float(mark),) * 3
    if _THOUSANDS.fullmatch(mark):
        return (float(mark.replace(",", "")),) * 3
    if (found := _PERCENT.fullmatch(mark)) is not None:
        return (float(found.group(1)),) * 3
    if (found := _UNDER.fullmatch(mark)) is not None:
        most = int(found.group(2)) - (0 if found.group(1) in ("<=", "≤") else 1)
        return np.nan, 0.0, float(max(most, 0))
    if (found := _BETWEEN.fullmatch(mark)) is not None and int(found.group(1)) < int(found.group(2)):
        return np.nan, float(found.group(1)), float(found.group(2))
    if mark in formula_errors:
        return "a formula has failed here"
    if re.fullmatch(r"[\do]*\d[\do]*", mark):
        return "the letter O stands where the figure 0 belongs"
    if re.fullmatch(r"-?\d+,\d+", mark):
        return "a comma may stand for thousands or for a decimal point"
    return "text stands where a number is needed"


def parse_month(text: str) -> str | None:
    """Return a date as the month ``"2025-04"``, from the ways in which NHS files write it; None when it is not one.

    Days come before months, as in Britain.
    """
    plain = " ".join(text.strip().casefold().replace("/", "-").replace(".", "-").split())
    plain = re.sub(r"[ t]\d\d:\d\d.*$", "", plain)
    if (found := re.fullmatch(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?", plain)) is not None:
        year, month = int(found.group(1)), int(found.group(2))
    elif (found := re.fullmatch(r"(?:\d{1,2}-)?(\d{1,2})-(\d{4})", plain)) is not None:
        year, month = int(found.group(2)), int(found.group(1))
    elif (found := re.fullmatch(r"(?:\d{1,2}[- ]?)?([a-z]{3,9})[- ]?(\d{4}|\d{2})", plain)) is not None:
        year, month = int(found.group(2)), month_number(found.group(1))
        year += 2000 if year < 100 else 0
    else:
        return None
    try:
        return parse_period(f"{year:04d}-{month:02d}").start
    except ValueError:
        return None
