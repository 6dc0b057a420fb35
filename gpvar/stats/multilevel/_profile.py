"""Profile likelihood: intervals of the SDs, and the test of a variance against zero.

A profile holds one parameter and maximises over all others. Its 95 % interval is where twice the loss of
log-likelihood stays below 3.84; an interval for an SD that reaches zero begins exactly there. The slope of the profile
is the held parameter's own gradient, so each end is found by Newton's method on the signed root of the loss in two or
three fits.

As in lme4, a model fitted by REML is profiled by maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from gpvar.errors import ConvergenceError
from gpvar.stats._checks import BoolArray, FloatArray, check_level
from gpvar.stats.multilevel._estimate import Estimate, estimate
from gpvar.stats.multilevel._optimise import seek
from gpvar.stats.multilevel._triangle import inverse_of_triangle

#: Largest gradient at which a profile's point is taken as its maximum: for intervals, and for the test.
_FAITH = 1e-3
_EXACT = 1e-5
_HIGHER = 1e-5
_CLOSE = 1e-4
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """The test of one SD against zero.

    Attributes
    ----------
    loglik_without
        Log-likelihood (or REML criterion / −2) of the model without this level.
    statistic
        Twice the loss.
    p
        Against the even mixture of χ² with 0 and with 1 degree of freedom (Self & Liang 1987).
    """

    group: str
    loglik_without: float
    statistic: float
    p: float


def likelihood_ratio(fitted: Estimate, level: int) -> LikelihoodRatio:
    """Test whether the SD of a level, counted from coarse to fine, is zero."""
    place = fitted.problem.place(level)
    without = _Profile(fitted, place).loss(-np.inf, _EXACT)[0] if fitted.free[level] else 0.0
    statistic = max(0.0, 2.0 * without)
    p = 0.5 * float(stats.chi2.sf(statistic, 1))
    return LikelihoodRatio(fitted.data.levels[level], fitted.loglik - without, statistic, p)


def profile_intervals(fitted: Estimate, level: float = 0.95) -> pd.DataFrame:
    """Return the SDs (and the residual SD or the dispersion k) with their profile-likelihood intervals.

    Returns
    -------
    DataFrame
        One row per level, coarse to fine, then "Residual" or "dispersion": group, sd, lower, upper. For the dispersion
        `sd` is k; its upper end is ∞ where a Poisson model is within the interval.
    """
    check_level(level)
    root = float(np.sqrt(stats.chi2.ppf(level, 1)))
    base = estimate(fitted.data) if fitted.reml else fitted
    problem = base.problem
    rows = []
    for place, (name, sd) in enumerate(zip(fitted.data.levels, fitted.sds, strict=True)):
        rows.append((name, sd, *_interval(base, problem.place(place), root, lowest=-np.inf)))
    last = len(base.parameters) - 1
    if fitted.data.family == "gaussian":
        rows.append(("Residual", fitted.residual_sd, *_interval(base, last, root)))
    if fitted.data.family == "negative_binomial":
        rows.append(("dispersion", fitted.dispersion, *_interval(base, last, root, highest=np.inf)))
    return pd.DataFrame(rows, columns=["group", "sd", "lower", "upper"])


def _interval(
    base: Estimate, place: int, root: float, lowest: float | None = None, highest: float | None = None
) -> tuple[float, float]:
    """Return both ends for one logarithmic parameter; `lowest` and `highest` are the edges it may reach."""
    profile = _Profile(base, place)
    lower, upper = _end(profile, root, -1, lowest), _end(profile, root, 1, highest)
    return float(np.exp(lower)), float(np.exp(upper))


def _end(profile: _Profile, root: float, side: int, edge: float | None) -> float:
    """Return where the signed root of the loss reaches `root` on one side, as a logarithm."""
    if profile.at == edge:
        return profile.at
    if edge is not None and 2.0 * profile.loss(edge)[0] <= root**2:
        return edge
    profile.last = profile.base.parameters
    guess = profile.first_guess(root, side)
    return _newton(profile, guess, root, side)


def _newton(profile: _Profile, guess: float, root: float, side: int) -> float:
    """Solve sqrt(2 loss) = root by Newton's method kept between what is known to be too near and too far."""
    near, far = profile.at, side * np.inf
    for _ in range(_ROUNDS):
        lost, slope = profile.loss(guess)
        if abs(np.sqrt(max(2.0 * lost, 0.0)) - root) < _CLOSE:
            # An end stands when a search that begins at the fit finds nothing higher there.
            lost, slope = min((lost, slope), profile.fresh_loss(guess))
        reached = float(np.sqrt(max(2.0 * lost, 1e-12)))
        if abs(reached - root) < _CLOSE:
            return guess
        near, far = (guess, far) if reached < root else (near, guess)
        if abs(far - near) < _CLOSE:
            return guess
        step = (root - reached) * reached / slope if slope * side > 0 else side * 1.0
        guess = guess + float(np.clip(step, -2.0, 2.0))
        if not min(near, far) < guess < max(near, far):
            guess = (near + far) / 2 if np.isfinite(near) and np.isfinite(far) else near + side * 1.0
    raise ConvergenceError(
        "A profile interval was not found.",
        "the profile likelihood of one SD",
        "The likelihood is too flat to bound it: ask for a lower level, or leave this grouping level out.",
    )


class _Profile:
    """The loss of log-likelihood when one parameter is held.

    The fit's own Hessian says where the others go when the held one moves, and in which units they are best climbed.
    """

    def __init__(self, base: Estimate, place: int) -> None:
        self.base = base
        self.place = place
        self.at = float(base.parameters[place])
        self.last = base.parameters
        self.free, covariance = _in_the_order_of_parameters(base)
        self.free_others = self.free & (np.arange(len(self.free)) != place)
        precision = np.linalg.inv(covariance)
        others = self.free_others[self.free]
        factor = linalg.cholesky(precision[np.ix_(others, others)], lower=True)
        self.units = inverse_of_triangle(factor, lower=True).T
        self.answer = np.zeros(len(self.free))
        if self.free[place]:
            held = covariance[:, ~others][:, 0]
            self.standard_error = float(np.sqrt(held[~others][0]))
            self.answer[self.free] = held / held[~others][0]
        self.surface = replace(base.problem.surface, scale=self._scale)

    def _scale(self, point: Any, free: BoolArray) -> FloatArray:
        same = np.array_equal(free, self.free_others)
        return self.units if same else self.base.problem.surface.scale(point, free)

    def first_guess(self, root: float, side: int) -> float:
        """Return where the end would be if the likelihood were quadratic in the logarithm."""
        if self.free[self.place]:
            return self.at + side * min(root * self.standard_error, 1.0)
        edge = next(edge for edge in self.surface.edges if edge.index == self.place)
        return self.surface.inside(self.surface.evaluate(self.base.parameters), edge) + side * 2.0

    def loss(self, value: float, tolerance: float = _FAITH) -> tuple[float, float]:
        """Return how much is lost at this value of the held parameter, and the slope of the loss."""
        return self._loss(value, self._towards(value, self.last), tolerance, fresh=False)

    def fresh_loss(self, value: float) -> tuple[float, float]:
        """Return the same, sought from the fit itself: what an earlier search left behind plays no part."""
        return self._loss(value, self._towards(value, self.base.parameters), _FAITH, fresh=True)

    def _loss(self, value: float, start: FloatArray, tolerance: float, fresh: bool) -> tuple[float, float]:
        free = np.ones(len(start), dtype=bool)
        free[self.place] = False
        there: Any = None
        for edge in self.surface.edges:
            if free[edge.index]:
                there = there or self.surface.evaluate(start)
                inside = self.surface.inside(there, edge)
                towards = np.sign(edge.at)
                # Off its edge, so that the search can see whether it rises now that another parameter is held.
                if towards * (start[edge.index] - inside) > -1.0:
                    # The likelihood is flat for a long way before an infinite k: that edge is left at once.
                    away = fresh or edge.at > 0
                    start[edge.index] = self.surface.outside(there, edge, 0) if away else inside - towards
        point, _ = seek(self.surface, start, free, tolerance, look_again=False)[0]
        lost = self.base.loglik - point.loglik
        if lost < -_HIGHER - self.surface.noise:
            raise ConvergenceError(
                f"With one parameter held the log-likelihood is higher by {-lost:.2g} than that of the fit.",
                "the profile likelihood",
                "The likelihood has several hills, as it can with few events: leave a grouping level out.",
            )
        self.last = point.parameters if np.isfinite(value) else self.base.parameters
        return lost, -float(point.gradient[self.place]) if np.isfinite(value) else np.nan

    def _towards(self, value: float, point: FloatArray) -> FloatArray:
        """Return the parameters to start from when the held one is put at `value`."""
        start: FloatArray = point.copy()
        move = value - start[self.place]
        if np.isfinite(move) and np.array_equal(np.isfinite(start), np.isfinite(self.base.parameters)):
            start += move * self.answer
        start[self.place] = value
        return start


def _in_the_order_of_parameters(base: Estimate) -> tuple[BoolArray, FloatArray]:
    """Return which parameters are free, and their covariance in the order in which the engine keeps them."""
    problem = base.problem
    free = np.isfinite(base.parameters)
    spreads = int(base.free.sum())
    skipped = len(base.beta) - problem.fixed
    first = problem.fixed + skipped
    # The covariance keeps the log SDs from coarse to fine, the parameters from fine to coarse.
    order = np.r_[skipped:first, np.arange(first, first + spreads)[::-1], first + spreads : len(base.covariance)]
    return free, base.covariance[np.ix_(order, order)]
