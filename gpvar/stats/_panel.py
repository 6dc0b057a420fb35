"""What lasts and what passes in figures of many equal periods, from how far apart those of one unit are.

References
----------
Diggle, Heagerty, Liang & Zeger 2002, Analysis of Longitudinal Data, ch. 3 and 5 (the variogram); Altonji & Segal 1996,
J Bus Econ Stat 14:353 (why the weights are a model's and not the data's own).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special

from gpvar.errors import StatsError
from gpvar.stats._averaging import averaging_factor
from gpvar.stats._checks import BoolArray, FloatArray, IntArray, floats, refuse

#: Nearer to 1, what passes cannot be told from what lasts in any panel.
MOST_RHO = 0.98
_GRID = np.linspace(0.0, MOST_RHO, 50)
_UPPER_QUARTILE = float(special.ndtri(0.75))
_CHI2 = float(special.chdtri(1, 0.05))
_LEAST = 3


@dataclass(frozen=True, slots=True)
class PanelTransient:
    """Passing movement of units' figures, from equal periods that follow one another.

    Attributes
    ----------
    v, se
        Variance of one period's passing movement, and its standard error over units; never below zero.
    rho, se_rho
        Correlation of one period's movement with the next, from 0 to 0.98; NaN for the error where nothing moves.
    between, se_between
        Variance between units of what lasts.
    v_robust, rho_robust
        From the middle half of the differences between periods: a few units that changed for good, or were recorded
        differently, do not count in them.
    rho_range, v_range
        The correlations that the panel does not rule out (95 % profile interval), and `v` at its two ends.
    identified
        Whether `v_range` ends below twice its start, and `rho_range` below its bound; or all this matters less than
        sampling does. Else the panel does not tell movement from what lasts: with few periods, or a correlation that
        outlasts them, `v` can be almost any size, and is on average too large.
    units, periods
        What it rests on.
    by_lag
        For each number of periods apart: half the variance of the difference, sampling taken out; v (1 − ρ^lag) is
        fitted to it.
    covariance
        Of the errors of `v` and `rho`.
    """

    v: float
    se: float
    rho: float
    se_rho: float
    between: float
    se_between: float
    v_robust: float
    rho_robust: float
    rho_range: tuple[float, float]
    v_range: tuple[float, float]
    identified: bool
    units: int
    periods: int
    by_lag: dict[int, float]
    covariance: tuple[tuple[float, float], tuple[float, float]]

    def of_mean(self, periods: ArrayLike, *, robust: bool = False) -> FloatArray:
        """Return the variance of the passing movement of a mean of k periods."""
        v, rho = (self.v_robust, self.rho_robust) if robust else (self.v, self.rho)
        return np.asarray(v * averaging_factor(periods, rho))

    def se_of_mean(self, periods: ArrayLike) -> FloatArray:
        """Return the standard error of `of_mean`, with that of `rho` in it."""
        factor, step = averaging_factor(periods, self.rho), 1e-6
        slope = self.v * (averaging_factor(periods, self.rho + step) - factor) / step
        errors = np.nan_to_num(np.array(self.covariance))
        square = errors[0, 0] * factor**2 + 2.0 * errors[0, 1] * factor * slope + errors[1, 1] * slope**2
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))

    def range_of_mean(self, periods: ArrayLike) -> FloatArray:
        """Return `of_mean` at the two ends of the correlations that are not ruled out, along the first axis."""
        ends = zip(self.v_range, self.rho_range, strict=True)
        return np.stack([v * averaging_factor(periods, rho) for v, rho in ends])

    def to_frame(self) -> pd.DataFrame:
        """Return all but lags and covariance as one row."""
        row = asdict(self)
        for name in ("by_lag", "covariance"):
            del row[name]
        for name in ("rho", "v"):
            row[f"{name}_lower"], row[f"{name}_upper"] = row.pop(f"{name}_range")
        return pd.DataFrame([row])


def transient_from_panel(values: ArrayLike, sampling: ArrayLike) -> PanelTransient:
    """Return the variance of one period's passing movement and its correlation with the next, from many periods.

    Parameters
    ----------
    values
        (units, periods) figures on the link scale, 3 equal periods or more, one after another. NaN where a unit has
        none; a period that nobody has keeps its column.
    sampling
        Their sampling variances, or one for all.

    Notes
    -----
    Covariances of figures h periods apart are between + v ρ^h, with the sampling variance on top at h = 0. What is
    fitted is the same seen from the differences, half of whose variance is v (1 − ρ^h): there a unit's lasting value
    is gone, whichever of its periods are missing, and what moves all units alike, such as the season, goes with the
    mean of each difference. Least squares over the lags, weighted first by the number of pairs, and then by the errors
    that normal figures with these values would have. Standard errors are those of the units as they are. The robust
    values are fitted in the same way to the median squares of the differences.

    A panel no longer than the movement lasts cannot tell it from what lasts: see `identified`.
    """
    panel = _read(values, sampling)
    seen = _differences(panel)
    found = _fit(panel, seen.lags, seen.halves)
    v, rho = found.v, found.rho
    influence, errors = _errors(seen, found)
    # What lasts is what any two periods share, less the movement that they share.
    counts = np.array([np.trace(panel.pairs, h) for h in seen.lags])
    alike = float(counts @ rho**seen.lags / counts.sum())
    slope = float(counts @ (seen.lags * rho ** (seen.lags - 1.0)) / counts.sum())
    lasting = seen.shared_each - influence @ np.array([alike, v * slope])
    rho_range, v_range = _not_ruled_out(seen, found, errors)
    noise = float(panel.noise.sum() / panel.seen.sum())
    robust = _fit(panel, seen.lags, seen.robust)
    return PanelTransient(
        v=v,
        se=float(np.sqrt(errors[0, 0])),
        rho=rho,
        se_rho=float(np.sqrt(errors[1, 1])),
        between=max(0.0, seen.shared - v * alike),
        se_between=float(np.sqrt(lasting @ lasting)),
        v_robust=robust.v,
        rho_robust=robust.rho,
        rho_range=rho_range,
        v_range=v_range,
        identified=_told_apart(rho_range, v_range, noise),
        units=int(panel.seen.any(axis=1).sum()),
        periods=panel.seen.shape[1],
        by_lag={int(h): float(half) for h, half in zip(seen.lags, seen.halves, strict=True)},
        covariance=((errors[0, 0], errors[0, 1]), (errors[1, 0], errors[1, 1])),
    )


@dataclass(frozen=True, slots=True)
class _Panel:
    """Figures, 0 where there is none; which there are; and their sampling variances."""

    figures: FloatArray
    seen: BoolArray
    noise: FloatArray

    @property
    def pairs(self) -> FloatArray:
        """Units with a figure in both of two periods, (periods, periods); nought where too few have."""
        both = self.seen.T.astype(np.float64) @ self.seen
        return np.where(both >= _LEAST, both, 0.0)


@dataclass(frozen=True, slots=True)
class _Differences:
    """Half the variances of differences by lag, what each unit adds to their error, and what two periods share."""

    lags: IntArray
    halves: FloatArray
    each: FloatArray
    robust: FloatArray
    shared: float
    shared_each: FloatArray


@dataclass(frozen=True, slots=True)
class _Fit:
    """v and rho, the weights of the lags, and what is lost with any other rho."""

    v: float
    rho: float
    weights: FloatArray
    loss: Callable[[float], float]
    v_at: Callable[[float], float]


def _read(values: ArrayLike, sampling: ArrayLike) -> _Panel:
    figures, noise = floats(values, "values"), floats(sampling, "sampling")
    if figures.ndim != 2 or figures.shape[1] < 3:
        raise StatsError(
            "values must be a table with a row per unit and a column per period, 3 periods or more.",
            f"its shape is {figures.shape}",
            "With two stretches of time use transient_variance, which takes the correlation as known.",
        )
    if noise.ndim and noise.shape != figures.shape:
        raise StatsError(
            "sampling must hold one variance per figure, or one for all.",
            f"its shape is {noise.shape}, that of values {figures.shape}",
            "Pass variances of the same units and periods.",
        )
    noise = np.broadcast_to(noise, figures.shape)
    seen = ~np.isnan(figures)
    refuse(np.isinf(figures).any(axis=1), "A figure is infinite.", "values", np.inf, "Leave the figure out: NaN.")
    wrong = seen & ~(np.isfinite(noise) & (noise >= 0.0))
    refuse(
        wrong.any(axis=1), "A sampling variance is missing or negative.", "sampling", np.nan, "Leave the figure out."
    )
    panel = _Panel(np.where(seen, figures, 0.0), seen, np.where(seen, noise, 0.0))
    if len(_lags(panel)) < 2:
        raise StatsError(
            f"There must be periods next to each other, and two or more apart, that {_LEAST} units or more have both.",
            f"{int(panel.seen.sum())} figures of {len(figures)} units in {figures.shape[1]} periods",
            "Use three periods or more that most units have.",
        )
    return panel


def _lags(panel: _Panel) -> IntArray:
    """Return the numbers of periods between two that enough units have both."""
    pairs = panel.pairs
    return np.array([h for h in range(1, len(pairs)) if np.trace(pairs, h) > 0], dtype=np.int64)


def _differences(panel: _Panel) -> _Differences:
    lags, pairs, units = _lags(panel), panel.pairs, len(panel.figures)
    halves, robust = np.zeros(len(lags)), np.zeros(len(lags))
    each, shared, shared_each = np.zeros((units, len(lags))), 0.0, np.zeros(units)
    for place, h in enumerate(lags):
        squares: list[FloatArray] = []
        count = np.zeros(units)
        for first in np.flatnonzero(np.diagonal(pairs, h)):
            rows = np.flatnonzero(panel.seen[:, first] & panel.seen[:, first + h])
            one, other = (panel.figures[rows, period] for period in (first, first + h))
            noise = panel.noise[rows, first] + panel.noise[rows, first + h]
            gap, freed = other - one, len(rows) / (len(rows) - 1.0)
            squares.append(((gap - np.median(gap)) / _UPPER_QUARTILE) ** 2 - noise)
            each[rows, place] += ((gap - gap.mean()) ** 2 * freed - noise) / 2.0
            count[rows] += 1.0
            shared_each[rows] += (one - one.mean()) * (other - other.mean()) * freed
        halves[place] = each[:, place].sum() / count.sum()
        each[:, place] = (each[:, place] - halves[place] * count) / count.sum()
        robust[place] = np.median(np.concatenate(squares)) / 2.0
    counts = np.array([np.trace(pairs, h) for h in lags])
    shared = float(shared_each.sum() / counts.sum())
    own = np.array([(panel.seen[:, : -int(h)] & panel.seen[:, int(h) :]).sum(axis=1) for h in lags]).sum(axis=0)
    return _Differences(lags, halves, each, robust, shared, (shared_each - shared * own) / counts.sum())


def _fit(panel: _Panel, lags: IntArray, halves: FloatArray) -> _Fit:
    """Fit v (1 − ρ^lag), first weighted by the number of pairs, and then by the errors that it implies."""
    pairs = np.diag([np.trace(panel.pairs, h) for h in lags])
    start = _least_squares(lags, halves, pairs)
    weights: FloatArray = np.asarray(np.linalg.inv(_normal_errors(panel, lags, start.v, start.rho)), dtype=np.float64)
    return _least_squares(lags, halves, weights)


def _least_squares(lags: IntArray, halves: FloatArray, weights: FloatArray) -> _Fit:
    def v_at(rho: float) -> float:
        column = 1.0 - rho**lags
        return max(0.0, float(column @ weights @ halves) / float(column @ weights @ column))

    def loss(rho: float) -> float:
        gap = halves - v_at(rho) * (1.0 - rho**lags)
        return float(gap @ weights @ gap)

    losses = [loss(float(rho)) for rho in _GRID]
    best = int(np.argmin(losses))
    ends = float(_GRID[max(best - 1, 0)]), float(_GRID[min(best + 1, len(_GRID) - 1)])
    near = optimize.minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-8})
    rho = float(near.x) if near.fun < losses[best] else float(_GRID[best])
    v = v_at(rho)
    return _Fit(v, rho if v > 0.0 else 0.0, weights, loss, v_at)


def _normal_errors(panel: _Panel, lags: IntArray, v: float, rho: float) -> FloatArray:
    """Return the covariance, over lags, of half the squared differences of one unit with normal figures."""
    periods, pairs = panel.seen.shape[1], panel.pairs
    apart = np.abs(np.subtract.outer(np.arange(periods), np.arange(periods)))
    # A unit's lasting value is in no difference.
    model = v * rho**apart + panel.noise.sum() / panel.seen.sum() * np.eye(periods)
    forms = []
    for h in lags:
        between = np.triu(np.tril(pairs, h), h) / np.trace(pairs, h)
        between = between + between.T
        forms.append((np.diag(between.sum(axis=1)) - between) / 2.0)
    spread = [form @ model for form in forms]
    errors = np.array([[2.0 * float((one * other.T).sum()) for other in spread] for one in spread])
    # With nothing that moves and no noise all lags are the same nought.
    return np.asarray(errors + (1e-10 * np.trace(errors) + 1e-300) * np.eye(len(errors)))


def _errors(seen: _Differences, found: _Fit) -> tuple[FloatArray, FloatArray]:
    """Return what each unit adds to the errors of v and rho, (units, 2), and the covariance of these."""
    gain = _gain(seen.lags, found)
    influence = np.asarray(seen.each @ gain.T)
    errors = influence.T @ influence
    if found.v == 0.0:
        errors[1, :] = errors[:, 1] = np.nan
    return influence, np.asarray(errors)


def _gain(lags: IntArray, found: _Fit) -> FloatArray:
    """Return how far v and rho move when a lag's value does, (2, lags)."""
    slopes = np.column_stack([1.0 - found.rho**lags, -found.v * lags * found.rho ** (lags - 1.0)])
    square = slopes.T @ found.weights @ slopes
    return np.asarray(np.linalg.pinv(square, hermitian=True) @ slopes.T @ found.weights)


def _not_ruled_out(
    seen: _Differences, found: _Fit, errors: FloatArray
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of the correlations that lose too little to be ruled out, and v at these.

    The loss is scaled so that it measures the units' own errors, not those of normal figures.
    """
    gain = _gain(seen.lags, found)
    normal = float((gain @ np.linalg.inv(found.weights) @ gain.T)[0, 0])
    scale = float(errors[0, 0]) / normal if errors[0, 0] > 0.0 else 1.0

    def above(rho: float) -> float:
        return (found.loss(rho) - found.loss(found.rho)) / scale - _CHI2

    low, high = 0.0, MOST_RHO
    if found.rho > 0.0 and above(low) > 0.0:
        low = float(optimize.brentq(above, low, found.rho))
    if found.rho < MOST_RHO and above(high) > 0.0:
        high = float(optimize.brentq(above, found.rho, high))
    return (low, high), (found.v_at(low), found.v_at(high))


def _told_apart(rho_range: tuple[float, float], v_range: tuple[float, float], noise: float) -> bool:
    width = v_range[1] - v_range[0]
    return width <= noise or (width <= v_range[0] and rho_range[1] < MOST_RHO)
