"""Joint draws of fixed effects, SDs and effects, and the effects' SDs with the uncertainty of the parameters.

Parameters are drawn from the normal approximation at the maximum (Hessian in β, log SDs and log k), and effects from
their normal distribution given the parameters, solved on the tree for each draw: the joint precision approach of TMB
(Kristensen et al. 2016). Two departures where the logarithm of an SD is far from normal:

- an SD known only roughly (SE of its logarithm above 0.15) is drawn on its own scale and folded at zero;
- an SD at zero, or so near it that its logarithm is not told (SE above 1), is drawn from the half-normal whose 95 %
  end is where the profile interval ends.

Weights of the rows are kept at the modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from gpvar.errors import ConvergenceError, StatsError
from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel import _laplace
from gpvar.stats.multilevel._estimate import Estimate
from gpvar.stats.multilevel._families import NegativeBinomial
from gpvar.stats.multilevel._gaussian import Gaussian
from gpvar.stats.multilevel._reading import OBSERVATION, check_seed
from gpvar.stats.multilevel._tree import eliminate

_ROUGH, _UNTOLD = 0.15, 1.0
_DOUBLINGS = 24
_END = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Draws:
    """Joint draws; row i of every part belongs to draw i.

    Attributes
    ----------
    fixed
        Fixed effects, one column each; NaN for a column without an estimate.
    sds
        SDs, one column per group from coarse to fine, then "Residual" for the Gaussian.
    dispersion
        (draws,) k of the negative binomial, else NaN.
    effects
        Per group asked for: effects on the link scale, one column per unit.
    seed
        What they were drawn with.
    """

    fixed: pd.DataFrame
    sds: pd.DataFrame
    dispersion: FloatArray
    effects: dict[str, pd.DataFrame]
    seed: int


@dataclass(frozen=True, slots=True)
class _Working:
    """The model near its modes as a linear one: finest units' sums of weights, scores and weighted design."""

    weights: FloatArray
    pulls: FloatArray
    design: FloatArray


def draw(fitted: Estimate, n: int, seed: int, groups: Sequence[str] | None = None) -> Draws:
    """Return `n` joint draws.

    Parameters
    ----------
    groups
        Levels whose effects are wanted; by default all but the observation level. Levels finer than those asked for
        are integrated out.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise StatsError(
            "The number of draws must be a whole number; at least one draw is needed.",
            f"n is {n!r}",
            "Ask for some hundreds; 1,000 is usual.",
        )
    seed = check_seed(seed)
    wanted = _wanted(fitted, [groups] if isinstance(groups, str) else groups)
    rng = np.random.default_rng(seed)
    beta, sds, residual, dispersion = _parameters(fitted, n, rng)
    effects = _effects(fitted, beta, sds, residual, wanted, rng) if wanted else {}
    data = fitted.data
    fixed = np.full((n, len(data.columns)), np.nan)
    fixed[:, data.kept] = beta
    spread = pd.DataFrame(sds, columns=list(data.levels))
    if data.family == "gaussian":
        spread["Residual"] = residual
    frames = {
        data.levels[level]: pd.DataFrame(found, columns=data.units[level], copy=False)
        for level, found in sorted(effects.items())
    }
    return Draws(pd.DataFrame(fixed, columns=list(data.columns)), spread, dispersion, frames, seed)


def _wanted(fitted: Estimate, groups: Sequence[str] | None) -> list[int]:
    levels = fitted.data.levels
    if groups is None:
        return [place for place, name in enumerate(levels) if name != OBSERVATION]
    strange = [name for name in groups if name not in levels]
    if strange:
        raise StatsError(
            f"The model has no grouping level called {strange[0]!r}.",
            f"its levels are {', '.join(levels)}",
            "Name levels of the model.",
        )
    return [levels.index(name) for name in groups]


def _parameters(
    fitted: Estimate, n: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return draws of β, of the SDs from coarse to fine, of the residual SD and of the dispersion."""
    p, free = len(fitted.beta), np.flatnonzero(fitted.free)
    moves = rng.multivariate_normal(np.zeros(len(fitted.covariance)), fitted.covariance, size=n, method="cholesky")
    errors = np.sqrt(np.diag(fitted.covariance))[p : p + len(free)]
    sds = np.zeros((n, len(fitted.sds)))
    for column, (level, error) in enumerate(zip(free, errors, strict=True)):
        move = moves[:, p + column]
        growth = np.abs(1.0 + move) if error > _ROUGH else np.exp(move)
        sds[:, level] = fitted.sds[level] * growth
    for level in [*np.flatnonzero(~fitted.free), *free[errors > _UNTOLD]]:
        sds[:, level] = np.abs(rng.normal(0.0, _edge_spread(fitted, int(level)), n))
    last = moves[:, -1] if moves.shape[1] > p + len(free) else np.zeros(n)
    residual = fitted.residual_sd * np.exp(last)
    return fitted.beta + moves[:, :p], sds, residual, fitted.dispersion * np.exp(last)


def _edge_spread(fitted: Estimate, level: int) -> float:
    """Return the SD of the half-normal that loses as much as the likelihood does 1.96 SDs away, all else as fitted.

    The curvature at zero alone would do where it is clear; with few units it can be next to nothing, and the loss
    comes from the fourth power: matched nearer to zero, the half-normal would reach far beyond the likelihood. Where
    as much is lost before the search begins, that is the answer.
    """
    place = fitted.problem.place(level)

    def beyond_end(log_sd: float) -> float:
        parameters = fitted.parameters.copy()
        parameters[place] = log_sd
        return float(fitted.loglik - fitted.problem.surface.evaluate(parameters).loglik - 0.5 * _END**2)

    near = float(fitted.parameters[place])
    if not fitted.free[level]:
        edge = next(edge for edge in fitted.problem.surface.edges if edge.index == place)
        near = float(fitted.problem.surface.inside(fitted.problem.surface.evaluate(fitted.parameters), edge))
    if beyond_end(near) > 0:
        return float(np.exp(near)) / _END
    for _ in range(_DOUBLINGS):
        far = near + float(np.log(2.0))
        if beyond_end(far) > 0:
            found = optimize.brentq(beyond_end, near, far, xtol=1e-4)
            # The surface remembers its last modes: further digits would depend on what was asked of it before.
            return float(np.exp(np.round(found, 3))) / _END
        near = far
    raise ConvergenceError(
        f"The data set no bound to the SD of {fitted.data.levels[level]}, so it cannot be drawn.",
        "its likelihood at and beyond zero",
        "Leave this grouping level out.",
    )


def _working(fitted: Estimate) -> _Working:
    tree, data = fitted.problem.tree, fitted.data
    order = tree.order
    weights = fitted.weights[order]
    weight_sums = tree.sum_up(0, weights)
    totals = tree.sum_up(0, weights * (fitted.linear_predictor - data.offset - data.design @ fitted.beta)[order])
    return _Working(
        weight_sums,
        tree.sum_up(0, fitted.score[order]) + totals,
        tree.sum_up(0, data.design[order] * weights[:, None]),
    )


def _effects(
    fitted: Estimate,
    beta: FloatArray,
    sds: FloatArray,
    residual: FloatArray,
    wanted: list[int],
    rng: np.random.Generator,
) -> dict[int, FloatArray]:
    """Return draws of the effects per wanted level, counted from coarse to fine, (draws, units)."""
    problem, working = fitted.problem, _working(fitted)
    tree, levels, n = problem.tree, problem.n_levels, len(beta)
    finest = min(levels - 1 - place for place in wanted)
    result = {place: _unseen(fitted, sds, place, rng) for place in wanted}
    # Weights hold 1/σ²; a drawn σ rescales them.
    rescale = (fitted.residual_sd / residual) ** 2 if fitted.data.family == "gaussian" else np.ones(n)
    for one in range(n):
        spreads = sds[one, ::-1]
        pivots = eliminate(tree, spreads, working.weights * rescale[one])
        passed = (working.pulls - working.design @ (beta[one] - fitted.beta)) * rescale[one]
        pulls = [passed]
        for level in range(levels - 1):
            pulls.append(tree.sum_up(level + 1, pulls[level] / pivots.pivots[level]))
        above: Any = 0.0
        for level in range(levels - 1, finest - 1, -1):
            if level + 1 < levels:
                above = tree.hand_down(level + 1, above)
            pivot = pivots.pivots[level]
            effect = spreads[level] * (pulls[level] - pivots.weights[level] * above) / pivot
            effect += rng.standard_normal(len(pivot)) / np.sqrt(pivot)
            effect *= spreads[level]
            above = above + effect
            place = levels - 1 - level
            if place in result:
                result[place][one, tree.numbers[level]] = effect
    return result


def _unseen(fitted: Estimate, sds: FloatArray, place: int, rng: np.random.Generator) -> FloatArray:
    """Return room for the draws of a level, units without rows already drawn from their level's spread."""
    units = len(fitted.data.units[place])
    room = np.zeros((len(sds), units))
    seen = np.zeros(units, dtype=bool)
    seen[fitted.problem.tree.numbers[fitted.problem.n_levels - 1 - place]] = True
    if not seen.all():
        room[:, ~seen] = rng.standard_normal((len(sds), int((~seen).sum()))) * sds[:, [place]]
    return room


def effect_sd_with_parameter_uncertainty(fitted: Estimate) -> tuple[FloatArray, ...]:
    """Return per level, coarse to fine, the SD of each effect with the uncertainty of all parameters in it.

    This is what glmmTMB reports: Var(b | parameters) plus what the parameters' own covariance adds through the modes.
    """
    problem, p = fitted.problem, len(fitted.beta)
    pivots, effects = _solved(fitted)
    slopes = _laplace.effect_slopes(pivots, effects, _working(fitted).design * _unscaled(fitted))
    extra = _last_slopes(fitted, slopes)
    free = np.flatnonzero(fitted.free)
    result = []
    for place, given in enumerate(fitted.effect_sd_given_parameters):
        level = problem.n_levels - 1 - place
        columns = [slopes[level][:, :p], slopes[level][:, [p + problem.n_levels - 1 - coarse for coarse in free]]]
        if extra is not None:
            columns.append(extra[level][:, None])
        jacobian = np.column_stack(columns)
        added = np.zeros(len(given))
        added[problem.tree.numbers[level]] = np.einsum("ij,jk,ik->i", jacobian, fitted.covariance, jacobian)
        result.append(np.sqrt(given**2 + added))
    return tuple(result)


def _solved(fitted: Estimate) -> tuple[Any, list[FloatArray]]:
    problem = fitted.problem
    if isinstance(problem.engine, Gaussian):
        point = problem.engine.evaluate(fitted.parameters)
        return point.pivots, point.effects
    found, _, _ = problem.engine.modes(fitted.parameters)
    return found.pivots, found.effects


def _unscaled(fitted: Estimate) -> float:
    """Return what turns rows' weights into those of the pivots: the Gaussian's pivots leave σ² out."""
    return fitted.residual_sd**2 if fitted.data.family == "gaussian" else 1.0


def _last_slopes(fitted: Estimate, slopes: list[FloatArray]) -> list[FloatArray] | None:
    """Return db/d of the last parameter: log residual SD, or log k where it is finite."""
    problem, p = fitted.problem, len(fitted.beta)
    if isinstance(problem.engine, Gaussian):
        # The modes depend on the ratios s/σ alone.
        return [-each[:, p:].sum(axis=1) for each in slopes]
    found, _, family = problem.engine.modes(fitted.parameters)
    if isinstance(family, NegativeBinomial):
        return _laplace.dispersion_slopes(problem.engine.rows, found, family)
    return None
