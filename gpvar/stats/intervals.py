"""Confidence intervals for one count, one proportion or one rate.

Every function works element by element, broadcasts its arguments and returns `(lower, upper)`. A missing value
gives a missing interval; a value that cannot be a count is refused. A lower limit is never below zero: where a
formula would put it there, or is undefined (Byar's at a count of 0), the limit is 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gpvar.stats._checks import FloatArray, check_level, floats, refuse

#: Below this count Byar's approximation gives way to the exact interval.
EXACT_BELOW = 10

_COUNT_FIX = "Check the counts: an interval needs a count of zero or more, or an empty cell where it is not known."


def _count(values: ArrayLike, name: str = "count") -> FloatArray:
    count = floats(values, name)
    refuse(~(count >= 0) & ~np.isnan(count), "A count cannot be negative.", name, count, _COUNT_FIX)
    refuse(np.isinf(count), "A count cannot be infinite.", name, count, _COUNT_FIX)
    return count


def _positive(values: ArrayLike, name: str) -> FloatArray:
    array = floats(values, name)
    refuse(
        (~(array > 0) & ~np.isnan(array)) | np.isinf(array),
        f"{name} must be above zero.",
        name,
        array,
        "Leave out rows with nothing at risk, or leave the cell empty where it is not known.",
    )
    return array


def _normal_quantile(level: float) -> float:
    return float(special.ndtri((1.0 + check_level(level)) / 2.0))


def wilson(count: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's score interval for a proportion.

    Parameters
    ----------
    count, n
        Events and trials; `count` may not be larger than `n`.
    level
        Confidence level.

    References
    ----------
    Wilson 1927, J Am Stat Assoc 22:209.
    """
    x, trials = np.broadcast_arrays(_count(count), _positive(n, "n"))
    refuse(x > trials, "A count is larger than its denominator.", "count", x, "Check which column is which.")
    z = _normal_quantile(level)
    share = x / trials
    middle = 2.0 * x + z**2
    half = z * np.sqrt(z**2 + 4.0 * x * (1.0 - share))
    width = 2.0 * (trials + z**2)
    # At 0 and at n the two terms cancel; rounding may not leave a limit just outside the interval.
    return np.maximum((middle - half) / width, 0.0), np.minimum((middle + half) / width, 1.0)


def byar(count: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return Byar's approximation to the exact Poisson interval of a count.

    The lower limit is 0 at a count of 0, and wherever the formula would fall below zero.

    References
    ----------
    Breslow & Day 1987, Statistical Methods in Cancer Research II, p. 69.
    """
    x = _count(count)
    z = _normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = x * (1.0 - 1.0 / (9.0 * x) - z / (3.0 * np.sqrt(x))) ** 3
    lower = np.where(x == 0, 0.0, np.maximum(below, 0.0))
    up = x + 1.0
    upper = up * (1.0 - 1.0 / (9.0 * up) + z / (3.0 * np.sqrt(up))) ** 3
    return np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)


def poisson_exact(count: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return the exact (Garwood) Poisson interval of a count.

    References
    ----------
    Garwood 1936, Biometrika 28:437.
    """
    x = _count(count)
    tail = (1.0 - check_level(level)) / 2.0
    with np.errstate(invalid="ignore"):
        lower = np.where(x == 0, 0.0, special.gammaincinv(np.where(x == 0, 1.0, x), tail))
        upper = special.gammainccinv(x + 1.0, tail)
    return np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)


def count_interval(count: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return Byar's interval of a count, exact below a count of 10."""
    x = _count(count)
    small = x < EXACT_BELOW
    exact, approximate = poisson_exact(x, level), byar(x, level)
    return np.where(small, exact[0], approximate[0]), np.where(small, exact[1], approximate[1])


def rate(count: ArrayLike, exposure: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return the interval of a rate: Byar's, exact below a count of 10.

    Parameters
    ----------
    count
        Events.
    exposure
        What the rate is per, on the scale wanted: 2.5 for 2,500 patients when the rate is per 1,000.
    level
        Confidence level.
    """
    x, per = np.broadcast_arrays(_count(count), _positive(exposure, "exposure"))
    lower, upper = count_interval(x, level)
    return lower / per, upper / per
