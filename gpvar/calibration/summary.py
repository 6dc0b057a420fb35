"""From what each world counted to rates with their Monte-Carlo errors, and whether each keeps within its bar.

Worlds are independent and what is counted within one is not: practices share a fit, and a fit's faults. A rate is
therefore the ratio of two sums over worlds, and its standard error that of a ratio estimator between worlds
(Cochran 1977, Sampling Techniques, section 6.8).
"""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from gpvar.calibration.tally import Tally
from gpvar.errors import GpvarError

COLUMNS = (
    "bar", "section", "group", "metric", "estimate", "se", "hits", "chances", "worlds", "low", "high", "met",
    "distance",
)  # fmt: skip
#: The row of a bar and group that is of all metrics together.
ALL = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the table and the bounds that were declared for it; None: reported only."""

    id: str
    section: str
    low: float | None = None
    high: float | None = None

    @property
    def bound(self) -> bool:
        """Whether there is a bar."""
        return self.low is not None or self.high is not None


@dataclass(frozen=True, slots=True)
class Counted:
    """One finished world: which, of what metric, what it counted, and what it cost.

    Attributes
    ----------
    number, seed, metric
        Which world.
    tallies
        What every measure counted.
    seconds
        Processor seconds of each step and measure.
    """

    number: int
    seed: int
    metric: str
    tallies: tuple[Tally, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)


@cache
def bars() -> dict[str, Bar]:
    """Return every row of the table by id, in the order shown."""
    text = files("gpvar.calibration").joinpath("bars.toml").read_text(encoding="utf-8")
    return {item["id"]: Bar(**item) for item in tomllib.loads(text)["bar"]}


def ratio(hits: Sequence[float], chances: Sequence[float]) -> tuple[float, float]:
    """Return Σhits/Σchances over worlds and its standard error between worlds.

    Parameters
    ----------
    hits, chances
        One of each a world, (worlds,); the chances above nought.

    Returns
    -------
    tuple of float
        Estimate and standard error; the error is NaN for one world. Where every world agrees, because there were
        no hits or nothing but hits, the error is that of a binomial share with one more hit and one more miss
        (Agresti & Coull 1998, Am Stat 52:119): "none of 300" is not "never".
    """
    h, c = np.asarray(hits, dtype=float), np.asarray(chances, dtype=float)
    total, n = c.sum(), len(c)
    estimate = float(h.sum() / total)
    if estimate in (0.0, 1.0):
        near = (h.sum() + 1.0) / (total + 2.0)
        return estimate, float(np.sqrt(near * (1.0 - near) / (total + 2.0)))
    if n < 2:
        return estimate, math.nan
    left = h - estimate * c
    return estimate, float(np.sqrt(n / (n - 1.0) * (left @ left)) / total)


def summary(worlds: Iterable[Counted]) -> pd.DataFrame:
    """Return the table of the trial.

    Parameters
    ----------
    worlds
        The finished ones, in any order.

    Returns
    -------
    DataFrame
        One row per bar, group and metric, the row of all metrics (``metric`` empty) first: `estimate` and its
        Monte-Carlo standard error `se`, `hits` of `chances` in so many `worlds`, the bar (`low`, `high`; NaN: none),
        `met` (yes, no, or empty without a bar) and `distance`: how many standard errors the estimate lies inside
        (+) or outside (−) the nearer bound.

    Raises
    ------
    GpvarError
        When something was counted for a row that ``bars.toml`` does not know.
    """
    held = _by_row(worlds)
    known = bars()
    rows = []
    for bar in known.values():
        for group in _in_order(group for name, group in held if name == bar.id):
            found = held[bar.id, group]
            metrics = sorted({metric for metric, _, _ in found})
            rows += [_row(bar, group, metric, found) for metric in (ALL, *metrics)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _by_row(worlds: Iterable[Counted]) -> dict[tuple[str, str], list[tuple[str, float, float]]]:
    """Return for each bar and group what each world counted: (metric, hits, chances)."""
    held: dict[tuple[str, str], list[tuple[str, float, float]]] = defaultdict(list)
    for world in sorted(worlds, key=lambda one: one.number):
        within: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for tally in world.tallies:
            if tally.bar not in bars():
                raise GpvarError(
                    f"Something was counted for '{tally.bar}', which is no row of the table.",
                    f"world {world.number}",
                    "Give it an entry in calibration/bars.toml, or count it for a row that is there.",
                )
            row = within[tally.bar, tally.group]
            row[0] += tally.hits
            row[1] += tally.chances
        for key, (hits, chances) in within.items():
            if chances > 0:
                held[key].append((world.metric, hits, chances))
    return held


def _in_order(groups: Iterable[str]) -> list[str]:
    """Return groups by name; what is of all, with an empty name, first."""
    return sorted(set(groups), key=lambda group: (group != "", [_number(part) for part in group.split()]))


def _number(part: str) -> tuple[int, float, str]:
    try:
        return (0, float(part), "")
    except ValueError:
        return (1, 0.0, part)


def _row(bar: Bar, group: str, metric: str, found: list[tuple[str, float, float]]) -> dict[str, object]:
    kept = [(hits, chances) for name, hits, chances in found if metric in (ALL, name)]
    hits, chances = (list(part) for part in zip(*kept, strict=True))
    estimate, se = ratio(hits, chances)
    distance = _inside(estimate, bar)
    return {
        "bar": bar.id,
        "section": bar.section,
        "group": group,
        "metric": metric,
        "estimate": estimate,
        "se": se,
        "hits": sum(hits),
        "chances": sum(chances),
        "worlds": len(kept),
        "low": math.nan if bar.low is None else bar.low,
        "high": math.nan if bar.high is None else bar.high,
        "met": "" if not bar.bound else "yes" if distance >= 0 else "no",
        "distance": distance / se if bar.bound and se > 0 else math.nan,
    }


def _inside(estimate: float, bar: Bar) -> float:
    """Return how far inside (+) or outside (−) the nearer bound an estimate lies."""
    room = [estimate - bar.low] if bar.low is not None else []
    room += [bar.high - estimate] if bar.high is not None else []
    return min(room, default=math.nan)
