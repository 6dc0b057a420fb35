"""What can be said about a unit's rank: from joint draws, or from estimates and their variances.

Rank 1 is the lowest. A rank is a comparison with all others, so that it is known far less well than the value it is
made from: the interval of most units in the middle covers a large part of the table.

References
----------
Goldstein & Spiegelhalter 1996, JRSS A 159:385; Lingsma et al. 2010, BMC Med Res Methodol 10:28 (expected rank, as
merTools computes it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, IntArray, check_level, floats, positions, refuse, vector

_CHUNK = 250_000
_ROWS = 32

_Draws = NDArray[np.floating[Any]]
_Doubled = NDArray[np.integer[Any]]


def from_draws(
    draws: ArrayLike, *, level: float = 0.95, tail: float = 0.10, units: ArrayLike | None = None
) -> pd.DataFrame:
    """Return each unit's rank with its interval, and the probability that it is in either tail.

    Parameters
    ----------
    draws
        (draws, units) joint draws of the units' values, of 32 or 64 bit; the labels of a frame's columns become the
        index.
    level
        Of the intervals.
    tail
        The share of units that makes a tail; it holds the next whole number of units.
    units
        Numbers of the columns, counted from 0, that are to have a row. They are ranked among all.

    Returns
    -------
    pandas.DataFrame
        One row per unit (asked for): `rank_median`, `rank_lower`, `rank_upper` (rank 1 is the lowest), `p_bottom`,
        `p_top`. Tied units share the mean of their ranks, and their places in a tail.
    """
    check_level(level)
    values = _draws(draws)
    n, every = values.shape
    wanted = np.arange(every) if units is None else positions(units, "units", "column", every)
    doubled, bottom, top = _ranked(values, tail_size(every, tail), wanted)
    # Stable means radix for 16 bit: as fast on any processor.
    doubled.sort(axis=1, kind="stable")
    out = round((1.0 - level) / 2.0 * n, 9)
    first = int(out)
    middle = (doubled[:, (n - 1) // 2].astype(np.float64) + doubled[:, n // 2]) / 4.0
    names = draws.columns if isinstance(draws, pd.DataFrame) else pd.RangeIndex(every)
    return pd.DataFrame(
        {
            "rank_median": middle,
            "rank_lower": doubled[:, first] / 2.0,
            "rank_upper": doubled[:, n - 1 - first] / 2.0,
            "p_bottom": bottom[wanted] / n,
            "p_top": top[wanted] / n,
        },
        index=names if units is None else names[wanted],
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where one unit stands among all.

    Attributes
    ----------
    p
        Probability that it is in the tail that was asked for.
    rank_median, rank_lower, rank_upper
        Its rank with its interval; rank 1 is the lowest.
    units
        How many were ranked.
    """

    p: float
    rank_median: float
    rank_lower: float
    rank_upper: float
    units: int


def place(draws: ArrayLike, unit: int, tail: float, *, top: bool = False, level: float = 0.95) -> Place:
    """Return one unit's rank and the probability that it is in a tail: `from_draws` without ordering the others.

    Parameters
    ----------
    draws
        (draws, units) joint draws of the units' values.
    unit
        Number of its column, counted from 0.
    tail
        The share of units that makes the tail, here of any size below all; it holds the next whole number of units.
    top
        Whether the tail is the highest.
    level
        Of the interval.
    """
    check_level(level)
    values = _draws(draws)
    n, units = values.shape
    if not 0.0 < tail < 1.0:
        raise StatsError("A tail is a part of the units.", f"tail is {tail!r}", "Use 0.10 for a tenth.")
    at = int(positions([unit], "unit", "column", units)[0])
    own = values[:, at : at + 1]
    below = np.count_nonzero(values < own, axis=1)
    equal = np.count_nonzero(values == own, axis=1)
    outside = units - below - equal if top else below
    inside = np.clip((_whole(units, tail) - outside) / equal, 0.0, 1.0)
    rank = np.sort(below + (equal + 1) / 2.0)
    out = int(round((1.0 - level) / 2.0 * n, 9))
    middle = float(rank[(n - 1) // 2] + rank[n // 2]) / 2.0
    return Place(float(inside.mean()), middle, float(rank[out]), float(rank[n - 1 - out]), units)


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
    return _whole(units, tail)


def _whole(units: int, tail: float) -> int:
    # 0.1 × 120 is a little more than 12 in floating point.
    return int(np.ceil(round(tail * units, 9)))


def _draws(draws: ArrayLike) -> _Draws:
    values = np.asarray(draws)
    if values.dtype not in (np.float32, np.float64):
        values = floats(values, "draws")
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 2:
        raise StatsError(
            "draws must be a table with a row per draw and a column per unit.",
            f"its shape is {values.shape}",
            "Pass joint draws of two units or more.",
        )
    for start in range(0, len(values), _ROWS):
        if not np.isfinite(values[start : start + _ROWS]).all():
            column = int(np.flatnonzero(~np.isfinite(values).all(axis=0))[0])
            name = draws.columns[column] if isinstance(draws, pd.DataFrame) else f"column {column + 1}"
            raise StatsError("A draw is missing.", f"unit {name}", "Leave the unit out of the draws.")
    return values


def _ranked(values: _Draws, count: int, wanted: IntArray) -> tuple[_Doubled, FloatArray, FloatArray]:
    """Return twice the ranks, (wanted, draws), and in how many draws each unit is among the lowest and highest."""
    n, units = values.shape
    kind = np.uint16 if 2 * units <= np.iinfo(np.uint16).max else np.int64
    doubled: _Doubled = np.empty((len(wanted), n), dtype=kind)
    bottom, top = np.zeros(units), np.zeros(units)
    whole = 2 * np.arange(1, units + 1, dtype=kind)
    ranks = np.empty((_ROWS, units), dtype=kind)
    for start in range(0, n, _ROWS):
        order, equal = _ordered(values[start : start + _ROWS])
        bottom += np.bincount(order[:, :count].ravel(), minlength=units)
        top += np.bincount(order[:, units - count :].ravel(), minlength=units)
        tied = np.asarray(equal.any(axis=1))
        for row, places in enumerate(order):
            rank = whole
            if tied[row]:
                first, last = _groups(equal[row])
                rank = _shared(whole, first, last)
                _share_places(bottom, places, first, last, count, before=True)
                _share_places(top, places, first, last, units - count, before=False)
            ranks[row][places] = rank
        doubled[:, start : start + len(order)] = ranks[: len(order), wanted].T
    return doubled, bottom, top


def _ordered(block: _Draws) -> tuple[IntArray, BoolArray]:
    """Return the units of each draw from lowest to highest, and where one and the next are equal.

    The unit's number takes the last bits of its value, so that one sort of numbers does: faster than sorting
    positions. Neighbours that are then alike in all other bits are looked at in full.
    """
    units = block.shape[1]
    last_bits = np.int64((1 << (units - 1).bit_length()) - 1)
    # Minus zero becomes zero.
    packed = np.add(block, 0.0, dtype=np.float64)
    bits = packed.view(np.int64)
    bits &= ~last_bits
    bits |= np.arange(units)
    packed.sort(axis=1)
    order = bits & last_bits
    equal = ((bits[:, 1:] ^ bits[:, :-1]) & ~last_bits) == 0
    rows, at = np.nonzero(equal)
    differ = block[rows, order[rows, at]] != block[rows, order[rows, at + 1]]
    for row in np.unique(rows[differ]):
        order[row] = np.argsort(block[row])
        in_order = block[row, order[row]]
        equal[row] = in_order[1:] == in_order[:-1]
    return order, equal


def _groups(equal: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the first and last place of each run of equal values, in one draw."""
    at = np.flatnonzero(equal)
    gaps = np.flatnonzero(np.diff(at) > 1)
    return at[np.concatenate([[0], gaps + 1])], at[np.concatenate([gaps, [len(at) - 1]])] + 1


def _shared(whole: _Doubled, first: IntArray, last: IntArray) -> _Doubled:
    """Return twice the ranks by place, those of a run being their mean."""
    size = last - first + 1
    places = np.arange(size.sum()) + np.repeat(first - (np.cumsum(size) - size), size)
    rank = whole.copy()
    rank[places] = np.repeat(first + last + 2, size)
    return rank


def _share_places(
    tail: FloatArray, units: IntArray, first: IntArray, last: IntArray, cut: int, *, before: bool
) -> None:
    """Let the run across a tail's end share the places that some of it were given; `cut` is the place after the end."""
    for start, end in zip(*(each[(first < cut) & (cut <= last)] for each in (first, last)), strict=True):
        inside = slice(start, cut) if before else slice(cut, end + 1)
        given = units[inside]
        tail[given] -= 1.0
        tail[units[start : end + 1]] += len(given) / (end + 1 - start)
