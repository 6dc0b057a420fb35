"""How the mean of periods varies when one carries over into the next: AR(1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, floats, refuse


def averaging_factor(periods: ArrayLike, rho: float = 0.0) -> FloatArray:
    """Return the variance of the mean of k periods over that of one.

    Parameters
    ----------
    periods
        Whole numbers of periods, one after another.
    rho
        Correlation of one period with the next, falling as ρ, ρ², ρ³ (AR(1)); 0: independent periods, 1/k.
    """
    k, r = whole_periods(periods), _rho(rho)
    if r == 0.0:
        return np.asarray(1.0 / k, dtype=np.float64)
    powered = r**k
    return np.asarray(((1.0 + r) / (1.0 - r) - 2.0 * r * (1.0 - powered) / (k * (1.0 - r) ** 2)) / k, dtype=np.float64)


def crossed(lengths: tuple[int, ...], rho: float) -> float:
    """Return the covariance of the means of two stretches, one after the other, of an AR(1) with variance 1."""
    earlier, later = (np.arange(k) for k in lengths)
    return float(np.mean(rho**earlier) * np.mean(rho ** (later + 1.0)))


def covariance_of_means(one: ArrayLike, other: ArrayLike, rho: float) -> float:
    """Return the covariance of the means over two sets of months, of an AR(1) with variance 1.

    Parameters
    ----------
    one, other
        The months, counted one after another from any start; the same ones twice give the variance of their mean.
    rho
        Correlation of one month with the next.
    """
    apart = np.abs(np.subtract.outer(floats(one, "one"), floats(other, "other")))
    return float(np.mean(_rho(rho) ** apart))


def whole_periods(values: ArrayLike) -> FloatArray:
    array = floats(values, "periods")
    bad = ~(array >= 1) | (array != np.floor(array)) | np.isinf(array)
    refuse(bad, "A number of periods is a whole number of 1 or more.", "periods", array, "Count whole periods.")
    return array


def _rho(rho: float) -> float:
    if not -1.0 < rho < 1.0:
        raise StatsError("rho must lie between −1 and 1.", f"rho is {rho!r}", "Use 0 for independent periods.")
    return float(rho)
