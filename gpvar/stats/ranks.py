"""What can be said about a unit's rank: from joint draws, or from estimates and their variances.

Rank 1 is the lowest. A rank is a comparison with all others, so that it is known far less well than the value it is
made from: the interval of most units in the middle covers a large part of the table.

References
----------
Goldstein & Spiegelhalter 1996, JRSS A 159:385; Lingsma et al. 2010, BMC Med Res Methodol 10:28 (expected rank, as
merTools computes it).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, check_level, floats, refuse, vector

_CHUNK = 250_000


def from_draws(draws: ArrayLike, *, level: float = 0.95, tail: float = 0.10) -> pd.DataFrame:
    """Return each unit's rank with its interval, and the probability that it is in either tail.

    Parameters
    ----------
    draws
        (draws, units) joint draws of the units' values; the labels of a frame's columns become the index.
    level
        Of the intervals.
    tail
        The share of units that makes a tail; it holds the next whole number of units.

    Returns
    -------
    pandas.DataFrame
        One row per unit: `rank_median`, `rank_lower`, `rank_upper` (rank 1 is the lowest), `p_bottom`, `p_top`. Tied
        units share the mean of their ranks, and their places in a tail.
    """
    check_level(level)
    values = _draws(draws)
    n, units = values.shape
    count = tail_size(units, tail)
    doubled, bottom, top = _ranked(values, count)
    doubled.sort(axis=1)
    out = round((1.0 - level) / 2.0 * n, 9)
    first = int(out)
    middle = (doubled[:, (n - 1) // 2].astype(np.float64) + doubled[:, n // 2]) / 4.0
    return pd.DataFrame(
        {
            "rank_median": middle,
            "rank_lower": doubled[:, first] / 2.0,
            "rank_upper": doubled[:, n - 1 - first] / 2.0,
            "p_bottom": bottom / n,
            "p_top": top / n,
        },
        index=draws.columns if isinstance(draws, pd.DataFrame) else None,
    )


def expected_rank(mode: ArrayLike, variance_given_data: ArrayLike) -> pd.DataFrame:
    """Return each unit's expected rank, and its place in percent of all units.

    Parameters
    ----------
    mode
        Estimated effect of each unit.
    variance_given_data
        Its variance given the data (the square of the conditional SD).

    Returns
    -------
    pandas.DataFrame
        `expected_rank`: 1 plus the sum over the other units of the probability that they are lower, units taken as
        independent; `percentile`: 100 (rank − ½) / units. Where little is known all lie near the middle.
    """
    centre, spread = vector(mode, "mode"), vector(variance_given_data, "variance_given_data")
    if len(centre) != len(spread) or len(centre) < 2:
        raise StatsError(
            "mode and variance_given_data must hold the same units, at least 2.",
            f"mode has {len(centre)} values, variance_given_data {len(spread)}",
            "Pass one value per unit in both.",
        )
    refuse(~np.isfinite(centre), "An effect is missing.", "mode", centre, "Leave the unit out of both columns.")
    refuse(
        ~(spread >= 0) | np.isinf(spread),
        "A variance is zero or more.",
        "variance_given_data",
        spread,
        "Pass the squares of the conditional SDs.",
    )
    rank = _lower_than(centre, spread)
    units = len(centre)
    index = mode.index if isinstance(mode, pd.Series) else None
    return pd.DataFrame({"expected_rank": rank, "percentile": 100.0 * (rank - 0.5) / units}, index=index)


def _lower_than(centre: FloatArray, spread: FloatArray) -> FloatArray:
    """Return ½ plus the sum of the probabilities that each unit lies above another, itself (½) included."""
    units = len(centre)
    total = np.full(units, 0.5)
    step = max(1, _CHUNK // units)
    for start in range(0, units, step):
        stop = min(start + step, units)
        gap = centre[start:stop, None] - centre[start:]
        scale = np.sqrt(spread[start:stop, None] + spread[start:])
        # Two units that are both known exactly: one is lower for certain, or they are tied.
        certain = scale == 0.0
        above = special.ndtr(gap / np.where(certain, 1.0, scale))
        above[certain] = 0.5 + 0.5 * np.sign(gap[certain])
        total[start:stop] += above.sum(axis=1)
        # Of two units the one is above the other, or the other above it.
        total[stop:] += (1.0 - above[:, stop - start :]).sum(axis=0)
    return total


def tail_size(units: int, tail: float) -> int:
    """Return how many of the units make a tail: the next whole number."""
    if not 0.0 < tail <= 0.5:
        raise StatsError("A tail is at most half of the units.", f"tail is {tail!r}", "Use 0.10 for a tenth.")
    # 0.1 × 120 is a little more than 12 in floating point.
    return int(np.ceil(round(tail * units, 9)))


def _draws(draws: ArrayLike) -> FloatArray:
    values = floats(draws, "draws")
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 2:
        raise StatsError(
            "draws must be a table with a row per draw and a column per unit.",
            f"its shape is {values.shape}",
            "Pass joint draws of two units or more.",
        )
    for start in range(0, len(values), 256):
        if not np.isfinite(values[start : start + 256]).all():
            column = int(np.flatnonzero(~np.isfinite(values).all(axis=0))[0])
            name = draws.columns[column] if isinstance(draws, pd.DataFrame) else f"column {column + 1}"
            raise StatsError("A draw is missing.", f"unit {name}", "Leave the unit out of the draws.")
    return values


def _ranked(values: FloatArray, count: int) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Return twice the ranks, (units, draws), and in how many draws each unit is among the lowest and highest."""
    n, units = values.shape
    doubled = np.empty((units, n), dtype=np.int32)
    bottom, top = np.zeros(units), np.zeros(units)
    whole = 2 * np.arange(1, units + 1, dtype=np.int32)
    for start in range(0, n, 64):
        block = values[start : start + 64]
        order = np.argsort(block, axis=1)
        ranks = np.empty(block.shape, dtype=np.int32)
        np.put_along_axis(ranks, order, np.broadcast_to(whole, block.shape), axis=1)
        in_order = np.take_along_axis(block, order, axis=1)
        tied = (in_order[:, 1:] == in_order[:, :-1]).any(axis=1)
        for row in np.flatnonzero(tied):
            ranks[row], low, high = _tied(in_order[row], order[row], count)
            bottom += low
            top += high
        clear = ranks[~tied]
        bottom += (clear <= 2 * count).sum(axis=0)
        top += (clear > 2 * (units - count)).sum(axis=0)
        doubled[:, start : start + 64] = ranks.T
    return doubled, bottom, top


def _tied(
    in_order: FloatArray, order: NDArray[np.intp], count: int
) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Return twice the mean ranks of one draw with ties, and each unit's part of a place in either tail."""
    units = len(order)
    group = np.concatenate([[0], np.cumsum(in_order[1:] != in_order[:-1])])
    size = np.bincount(group)
    last = np.cumsum(size)
    before = last - size
    result = np.empty((3, units))
    result[:, order] = np.stack(
        [
            before + last + 1.0,
            np.clip(count - before, 0, size) / size,
            np.clip(last - (units - count), 0, size) / size,
        ]
    )[:, group]
    return result[0].astype(np.int32), result[1], result[2]
