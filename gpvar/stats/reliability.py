"""How far differences between units are real and lasting, and what would make them so.

The reliability of a unit's figure is the share of its variance between units that is theirs: τ²/(τ² + s² + v), with τ²
the variance of true values, s² the sampling variance, and v that of passing movement: the unit's own figure moving
from one period to the next.

References
----------
Spearman 1910 and Brown 1910, Br J Psychol 3:271, 3:296; Lyratzopoulos et al. 2011, BMJ Qual Saf 20:1005; Abel &
Elliott 2019, BMJ Qual Saf 28:74; Owen 1956, Ann Math Stat 27:1075; Woodruff 1952, JASA 47:635.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._averaging import averaging_factor, crossed, whole_periods
from gpvar.stats._checks import FloatArray, floats, refuse, vector
from gpvar.stats._panel import PanelTransient, transient_from_panel
from gpvar.stats.ranks import tail_size

__all__ = [
    "FULL_RANK_FROM",
    "NO_RANK_BELOW",
    "PanelTransient",
    "Transient",
    "averaging_factor",
    "ceiling",
    "needed",
    "observed_stay",
    "periods_needed",
    "rank_rule",
    "rank_rules",
    "reliability",
    "spearman_brown",
    "stay_in_tail",
    "transient_from_panel",
    "transient_variance",
]

#: Below the first no rank is stated, below the second only its interval.
NO_RANK_BELOW, FULL_RANK_FROM = 0.7, 0.9

_UPPER_QUARTILE = float(special.ndtri(0.75))
_MOST_PERIODS = 1200


def reliability(between: ArrayLike, sampling: ArrayLike, transient: ArrayLike = 0.0) -> FloatArray:
    """Return the share of the variance between units' figures that lasts: τ²/(τ² + s² + v).

    Parameters
    ----------
    between, sampling, transient
        Variances τ², s² and v on one scale; broadcast. NaN where all three are zero, or one is missing.
    """
    tau2, s2, v = np.broadcast_arrays(
        _variance(between, "between"), _variance(sampling, "sampling"), _variance(transient, "transient")
    )
    total = tau2 + s2 + v
    return _quotient(tau2, total)


def needed(
    between: ArrayLike, sampling_per_unit: ArrayLike, target: ArrayLike = NO_RANK_BELOW, transient: ArrayLike = 0.0
) -> FloatArray:
    """Return how large a denominator (or how many months) a reliability of `target` takes.

    Parameters
    ----------
    between, transient
        Variances τ² and v on one scale.
    sampling_per_unit
        Sampling variance of a denominator of 1 (one month): 1/(π(1 − π)) for a logit, 1/rate for a log rate.
    target
        Reliability to be reached.

    Returns
    -------
    array
        The denominator; 0 where any is enough. NaN where none is: no differences between units, or passing movement
        alone keeps the reliability below `target` (`ceiling` says where it ends).
    """
    tau2, unit, v = (
        _variance(values, name)
        for values, name in ((between, "between"), (sampling_per_unit, "sampling_per_unit"), (transient, "transient"))
    )
    room = tau2 * (1.0 / _target(target) - 1.0) - v
    return _quotient(*np.broadcast_arrays(unit, room))


def ceiling(between: ArrayLike, transient: ArrayLike) -> FloatArray:
    """Return the reliability that no denominator can exceed, because passing movement stays: τ²/(τ² + v)."""
    return reliability(between, 0.0, transient)


def spearman_brown(r_one: ArrayLike, periods: ArrayLike, rho: float = 0.0) -> FloatArray:
    """Return the reliability of the mean of k periods, from that of one.

    Parameters
    ----------
    r_one
        Reliability of one period.
    periods, rho
        As for `averaging_factor`; everything that is not lasting is taken to carry over with `rho`.
    """
    r = _share(r_one, "r_one")
    factor = averaging_factor(periods, rho)
    r, factor = np.broadcast_arrays(r, factor)
    return _quotient(r, r + (1.0 - r) * factor)


def periods_needed(r_one: ArrayLike, target: float = NO_RANK_BELOW, rho: float = 0.0) -> FloatArray:
    """Return the least number of periods whose mean has a reliability of `target`.

    NaN where no number up to 1,200 reaches it.
    """
    goal = float(_target(target))
    r = _share(r_one, "r_one")
    # What is not lasting must shrink to this share of itself.
    with np.errstate(divide="ignore"):
        wanted = r * (1.0 - goal) / (goal * (1.0 - r))
    factors = averaging_factor(np.arange(1, _MOST_PERIODS + 1), rho)
    # Negative correlation can make the factor rise a little from even to odd k.
    best = np.minimum.accumulate(factors)
    found = np.searchsorted(-best, -wanted * (1.0 + 1e-12)) + 1.0
    return np.asarray(np.where(found <= _MOST_PERIODS, found, np.nan), dtype=np.float64)


def stay_in_tail(correlation: ArrayLike, tail: float = 0.10) -> FloatArray:
    """Return the share of one period's bottom tail that is in the other's too, for normal values.

    Parameters
    ----------
    correlation
        Between the two periods' figures: for two periods of one length, their reliability.
    tail
        Share of the units in the tail.
    """
    r = floats(correlation, "correlation")
    refuse(np.abs(r) > 1.0, "A correlation lies between −1 and 1.", "correlation", r, "Check how it was computed.")
    tail_size(2, tail)
    cut = float(special.ndtri(tail))
    with np.errstate(divide="ignore"):
        both = tail - 2.0 * special.owens_t(cut, np.sqrt((1.0 - r) / (1.0 + r)))
    return np.asarray(both / tail, dtype=np.float64)


def observed_stay(first: ArrayLike, second: ArrayLike, tail: float = 0.10) -> float:
    """Return the share of one period's bottom tail that is in the other's too, as counted.

    Units tied at the edge of a tail are in it by their order in the input.
    """
    one, other = _units(first, second, "first", "second")
    count = tail_size(len(one), tail)
    lowest = [set(np.argsort(values, kind="stable")[:count].tolist()) for values in (one, other)]
    return len(lowest[0] & lowest[1]) / count


@dataclass(frozen=True, slots=True)
class Transient:
    """Passing movement of units' figures, from two stretches of time.

    Attributes
    ----------
    v, se
        Variance of one period's passing movement, and its standard error; never below zero.
    v_robust, se_robust
        The same from the middle half of the units: a few that changed for good, or were recorded differently, do not
        count in it.
    between
        Variance between units of what lasts, from the covariance of the two.
    correlation
        Of the two figures.
    sd_difference, sd_difference_robust
        SD of first minus second over the units, sampling included; robust: 1.4826 times the median distance from the
        median.
    factor
        Variance of first minus second over `v`, sampling aside.
    units, periods, rho
        What it rests on.
    """

    v: float
    se: float
    v_robust: float
    se_robust: float
    between: float
    correlation: float
    sd_difference: float
    sd_difference_robust: float
    factor: float
    units: int
    periods: tuple[int, int]
    rho: float

    def of_mean(self, periods: ArrayLike, *, robust: bool = False) -> FloatArray:
        """Return the variance of the passing movement of a mean of k periods."""
        return np.asarray((self.v_robust if robust else self.v) * averaging_factor(periods, self.rho))

    def to_frame(self) -> pd.DataFrame:
        """Return everything as one row."""
        row = asdict(self)
        row["periods"] = f"{self.periods[0]} and {self.periods[1]}"
        return pd.DataFrame([row])


def transient_variance(
    first: ArrayLike,
    second: ArrayLike,
    sampling_first: ArrayLike,
    sampling_second: ArrayLike,
    periods: tuple[int, int] = (1, 11),
    rho: float = 0.0,
) -> Transient:
    """Return the variance of one period's passing movement, from two stretches that follow one another.

    Parameters
    ----------
    first, second
        Each unit's figure over the earlier and the later stretch, on the link scale.
    sampling_first, sampling_second
        Their sampling variances.
    periods
        How many periods each stretch holds.
    rho
        Correlation of one period's movement with the next (AR(1)). Two stretches cannot tell it: with `rho` above
        zero the same difference means more movement, since neighbouring periods move together.

    Notes
    -----
    Var(first − second) = v·factor + sampling, with factor = f(k₁) + f(k₂) − 2c, where f is `averaging_factor` and c
    the correlation of the two means. What moved all units alike, such as the season, is taken out with the centre.
    The robust estimate is the median of (d²/q² − s²)/factor over the units, q the upper quartile of a normal, and its
    standard error is half of the Woodruff interval of that median.
    """
    one, other = _units(first, second, "first", "second")
    noise = _noise(sampling_first, "sampling_first", len(one)) + _noise(sampling_second, "sampling_second", len(one))
    lengths = tuple(int(k) for k in whole_periods(np.asarray(periods)))
    if len(lengths) != 2:
        raise StatsError(
            "periods must be two numbers.", f"periods is {periods!r}", "Use (1, 11) for a month and the rest."
        )
    together = crossed(lengths, rho)
    factor = float(averaging_factor(lengths[0], rho) + averaging_factor(lengths[1], rho) - 2.0 * together)
    gap = one - other
    n, away, middle = len(gap), gap - gap.mean(), gap - np.median(gap)
    spread = float(np.var(gap, ddof=1))
    v = max(0.0, (spread - float(noise.mean())) / factor)
    se = float(np.sqrt(max(np.mean(away**4) - np.mean(away**2) ** 2, 0.0) / n)) / factor
    each = (middle**2 / _UPPER_QUARTILE**2 - noise) / factor
    low, half, high = (float(q) for q in np.quantile(each, [0.5 - 0.5 / np.sqrt(n), 0.5, 0.5 + 0.5 / np.sqrt(n)]))
    covariance = float(np.cov(one, other)[0, 1])
    return Transient(
        v=v,
        se=se,
        v_robust=max(0.0, half),
        se_robust=(high - low) / 2.0,
        between=max(0.0, covariance - v * together),
        correlation=float(np.corrcoef(one, other)[0, 1]),
        sd_difference=float(np.sqrt(spread)),
        sd_difference_robust=float(np.median(np.abs(middle))) / _UPPER_QUARTILE,
        factor=factor,
        units=n,
        periods=(lengths[0], lengths[1]),
        rho=float(rho),
    )


def rank_rule(r: float) -> str:
    """Return what may be said about the rank of a unit whose figure has reliability `r`.

    "none" below 0.7 or where it is not known, "interval" below 0.9, else "full". A reliability of 0.9 is necessary
    for a statement with consequences, never sufficient.
    """
    if not r >= NO_RANK_BELOW:
        return "none"
    return "full" if r >= FULL_RANK_FROM else "interval"


def rank_rules(r: ArrayLike) -> NDArray[np.str_]:
    """Return `rank_rule` of each."""
    values = floats(r, "r")
    return np.asarray(np.select([values >= FULL_RANK_FROM, values >= NO_RANK_BELOW], ["full", "interval"], "none"))


def _quotient(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return top over bottom, NaN where the bottom is not above zero."""
    found = np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=bottom > 0.0)
    return np.asarray(found, dtype=np.float64)


def _variance(values: ArrayLike, name: str) -> FloatArray:
    array = floats(values, name)
    refuse(array < 0, "A variance is zero or more.", name, array, "Pass variances: squares of SDs.")
    return array


def _share(values: ArrayLike, name: str) -> FloatArray:
    array = floats(values, name)
    refuse((array < 0) | (array > 1), "A reliability lies between 0 and 1.", name, array, "Check how it was computed.")
    return array


def _target(values: ArrayLike) -> FloatArray:
    array = floats(values, "target")
    refuse(~((array > 0) & (array < 1)), "A target lies between 0 and 1.", "target", array, "Use 0.7 or 0.9.")
    return array


def _noise(values: ArrayLike, name: str, units: int) -> FloatArray:
    array = _variance(values, name)
    refuse(~np.isfinite(array), "A sampling variance is missing.", name, array, "Leave the unit out of all columns.")
    if array.ndim and array.shape != (units,):
        raise StatsError(
            f"{name} must hold one value per unit, or one for all.",
            f"its shape is {array.shape}, and there are {units} units",
            "Pass variances of the same units.",
        )
    return np.asarray(np.broadcast_to(array, (units,)))


def _units(one: ArrayLike, other: ArrayLike, name: str, other_name: str) -> tuple[FloatArray, FloatArray]:
    first, second = vector(one, name), vector(other, other_name)
    if len(first) != len(second) or len(first) < 3:
        raise StatsError(
            f"{name} and {other_name} must hold the same units, at least 3.",
            f"{name} has {len(first)} values, {other_name} {len(second)}",
            "Pass the units that are in both, in one order.",
        )
    for values, which in ((first, name), (second, other_name)):
        refuse(~np.isfinite(values), "A value is missing.", which, values, "Leave the unit out of both columns.")
    return first, second
