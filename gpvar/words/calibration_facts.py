"""What the trial of the tool found, row by row: what was counted, how often, against which bar, and how sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

import gpvar
from gpvar import catalogue
from gpvar.catalogue import letters
from gpvar.errors import StudyError
from gpvar.words.calibration_bars import (
    BARS,
    ODDS,
    ODDS_OF,
    ODDS_ROWS,
    UNCHANGED,
    Bar,
    group_said,
    odds_of,
)
from gpvar.words.text import known, number, plain, plural

Row = dict[str, Any]
#: Nearer to its bar than so many Monte-Carlo errors, another run might fall on the other side.
CLOSE = 2.0
COLUMNS = (
    "bar", "section", "group", "metric", "estimate", "se", "hits", "chances", "worlds", "low", "high", "met",
    "distance",
)  # fmt: skip
_NUMBERS = ("estimate", "se", "hits", "chances", "worlds", "low", "high", "distance")


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """A summary of the trial, and what is known of the run that made it.

    Attributes
    ----------
    frame
        The rows of ``calibration.csv``.
    about
        What ``calibration.json`` says.
    every
        The same rows, one by one.
    """

    frame: pd.DataFrame
    about: Mapping[str, Any]
    every: tuple[Row, ...]

    @property
    def rows(self) -> list[Row]:
        """Every row over all measures and all kinds of statement, in order."""
        return [row for row in self.every if not row["metric"] and not is_kind(row)]

    @property
    def of_one_measure(self) -> list[Row]:
        """Every row of one measure alone, over all kinds of statement, in order."""
        return [row for row in self.every if row["metric"] and not is_kind(row)]

    @property
    def of_one_kind(self) -> list[Row]:
        """Every row of one kind of statement alone, over all measures, in order."""
        return [row for row in self.every if not row["metric"] and is_kind(row)]

    @property
    def barred(self) -> list[Row]:
        """The rows over all that have a bar."""
        return [row for row in self.rows if row["met"]]

    @property
    def missed(self) -> list[Row]:
        """The rows over all that miss their bar, the furthest first."""
        return sorted((row for row in self.rows if row["met"] == "no"), key=_distance)

    @property
    def apart(self) -> list[Row]:
        """The rows with a bar of one measure or of one kind of statement alone."""
        return [row for row in (*self.of_one_measure, *self.of_one_kind) if row["met"]]

    @property
    def missed_apart(self) -> list[Row]:
        """Those of `apart` that miss a bar which all together do not miss."""
        whole = {(row["bar"], row["group"]) for row in self.missed}
        key = {True: lambda row: (row["bar"], ""), False: lambda row: (row["bar"], row["group"])}
        return [row for row in self.apart if row["met"] == "no" and key[is_kind(row)](row) not in whole]

    @property
    def close(self) -> list[Row]:
        """The rows over all that meet their bar by less than two Monte-Carlo errors, the nearest first."""
        return sorted(
            (row for row in self.rows if row["met"] == "yes" and not whole(row) and _distance(row) < CLOSE),
            key=_distance,
        )

    @property
    def untried(self) -> list[str]:
        """What could have been counted and was not, in words."""
        return [bar.what for name, bar in BARS.items() if not (self.frame["bar"] == name).any()]

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """The worlds that could not be finished."""
        return list(self.about.get("failures") or [])

    @property
    def worlds(self) -> int:
        """How many worlds were finished."""
        return int(self.about.get("worlds") or 0)

    @property
    def short(self) -> bool:
        """Whether there were too few worlds to hold anybody to."""
        return bool(self.about.get("small"))

    @property
    def older(self) -> bool:
        """Whether numbers have changed since the trial."""
        return self.about.get("numbers") != gpvar.__numbers__

    def section(self, name: str) -> list[Row]:
        """Return the rows of a section over all measures, without the odds, which have a table of their own."""
        return [row for row in self.rows if row["section"] == name and row["bar"] not in ODDS_ROWS]

    def row(self, bar: str, group: str = "") -> Row | None:
        """Return one row over all measures."""
        return next((row for row in self.rows if (row["bar"], row["group"]) == (bar, group)), None)

    def odds(self) -> list[tuple[str, Row, Row, Row | None]]:
        """Return what they are of, the odds said, how often true and the difference of the two, tenth by tenth."""
        found = []
        for names in ODDS:
            true, said, off = ({row["group"]: row for row in self.rows if row["bar"] == bar} for bar in names)
            found += [(odds_of(group), said[group], true[group], off.get(group)) for group in said if group in true]
        order = {of: place for place, of in enumerate(ODDS_OF.values())}
        return sorted(found, key=lambda one: (order.get(one[0], len(order)), one[0], float(one[1]["estimate"])))

    def odds_of_everyone(self) -> list[tuple[str, Row, Row, Row | None]]:
        """Return those of `odds` that are of every practice, nobody picked."""
        return [one for one in self.odds() if one[1]["bar"] in ODDS[0]]


def is_kind(row: Row) -> bool:
    """Return whether a row is of one kind of statement alone."""
    return row["group"] in letters.templates() and row["bar"] != UNCHANGED


def trial_facts(frame: pd.DataFrame, about: Mapping[str, Any]) -> TrialFacts:
    """Return the facts of a trial, from what its files hold.

    Parameters
    ----------
    frame
        ``calibration.csv``; text columns may be blank.
    about
        ``calibration.json``.

    Raises
    ------
    StudyError
        When a column is missing.
    """
    lacking = [name for name in COLUMNS if name not in frame]
    if lacking:
        raise StudyError(
            "The file of the trial is not one that calibrate wrote.",
            f"calibration.csv has no column {', '.join(lacking)}",
            "Run python run.py calibrate again, or install gpvar again.",
        )
    text = {name: frame[name].fillna("").astype(str) for name in COLUMNS if name not in _NUMBERS}
    numbers = {name: pd.to_numeric(frame[name], errors="coerce") for name in _NUMBERS}
    whole_frame = frame.assign(**text, **numbers)[list(COLUMNS)]
    every = tuple({str(name): value for name, value in row.items()} for row in whole_frame.to_dict("records"))
    return TrialFacts(whole_frame, dict(about), every)


def _distance(row: Row) -> float:
    return float(row["distance"]) if pd.notna(row["distance"]) else float("inf")


def whole(row: Row) -> bool:
    """Return whether a bar asks for all, so that what keeps it stands on it."""
    return bool(row["low"] == 1)


def bar_of(row: Row) -> Bar:
    """Return how a row is said; by its id where it has no words yet."""
    return BARS.get(row["bar"]) or Bar(plain(row["bar"]).replace("_", " "), "cases")


def what(row: Row, *, short: bool = False) -> str:
    """Return what a row counted, with what it is divided by; `short` under the heading of its own section."""
    bar = bar_of(row)
    return ", ".join(
        part for part in (bar.short if short and bar.short else bar.what, group_said(row["group"], row["bar"])) if part
    )


def measure(row: Row) -> str:
    """Return the title of the measure a row is of."""
    try:
        return str(catalogue.metric(row["metric"]).title)
    except StudyError:
        return plain(row["metric"])


def per_cent(value: float, decimals: int) -> str:
    """Return a share in per cent."""
    return f"{number(100 * value, decimals)}%" if known(value) else "not known"


def estimate(row: Row) -> str:
    """Return how often, in per cent; in percentage points where the row is a difference."""
    bar = bar_of(row)
    if bar.difference and known(row["estimate"]):
        return f"{number(100 * row['estimate'], bar.decimals)} points"
    return per_cent(row["estimate"], bar.decimals)


def error(row: Row) -> str:
    """Return the Monte-Carlo error in percentage points."""
    return f"{number(100 * row['se'], bar_of(row).decimals + 1)} points" if known(row["se"]) else "not known"


def counted(row: Row) -> str:
    """Return of how many, in how many worlds."""
    of = bar_of(row).of if row["chances"] != 1 else bar_of(row).of.removesuffix("s")
    return f"{number(row['chances'])} {of} in {plural(row['worlds'], 'world')}"


def bounds(row: Row) -> str:
    """Return the bar in words; that there is none."""
    low, high = row["low"], row["high"]
    places = 1 if bar_of(row).decimals > 1 or (known(low) and round(100 * low, 6) % 1) else 0
    if bar_of(row).difference and known(low) and known(high):
        return f"{number(100 * low, places)} to {number(100 * high, places)} points"
    if known(low) and known(high):
        return f"{number(100 * low, places)}% to {number(100 * high, places)}%"
    if known(low):
        return "100%" if low >= 1 else f"at least {number(100 * low, places)}%"
    return f"at most {number(100 * high, places)}%" if known(high) else "no bar"


def beside(row: Row) -> str:
    """Return whether the bar was met, and by how many Monte-Carlo errors."""
    if not row["met"]:
        return "reported only"
    said = "met" if row["met"] == "yes" else "missed"
    # Where nothing was counted but hits, or no hit at all, the error is no error between worlds.
    alike = row["estimate"] in (0.0, 1.0) and said == "met"
    return f"{said} by {room(row)}" if known(row["distance"]) and not alike else said


def room(row: Row) -> str:
    """Return how far a row lies from its bar, in Monte-Carlo errors."""
    size = abs(float(row["distance"]))
    return f"{number(size, 1 if size < 9.95 else 0)} errors" if size < 100 else "over 100 errors"
