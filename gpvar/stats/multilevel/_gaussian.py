"""The exact likelihood of nested random intercepts with normal errors, by maximum likelihood or REML.

With θ = s/σ the marginal variance is σ²(I + ZΘΘ'Z'). Fixed effects are profiled out: they, the residual sum of squares
and the log-determinants come from one pass over the tree, which after the first sum over rows costs O(units). The
gradient is analytic for both criteria (Bates & DebRoy 2004; Bates et al. 2015).

Parameters stand in one vector: log s from fine to coarse, then log σ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._tree import Pivots, Tree, eliminate

_LEAST_INFORMATION = 0.5


@dataclass(frozen=True, slots=True)
class Sums:
    """What the likelihood needs of the rows, after ordinary least squares has been taken off.

    Attributes
    ----------
    n, n_fixed
        Rows and fixed effects.
    crossed
        (p + 1, p + 1) cross products of the orthonormal design and the least-squares residuals.
    unit_sums
        (finest units, p + 1) sums of the same over each finest unit.
    sizes
        (finest units,) rows in each.
    triangle
        (p, p) R of design = QR.
    least_squares
        (p,) coefficients of ordinary least squares.
    """

    tree: Tree
    n: int
    n_fixed: int
    crossed: FloatArray
    unit_sums: FloatArray
    sizes: FloatArray
    triangle: FloatArray
    least_squares: FloatArray


def summarise(tree: Tree, design: FloatArray, response: FloatArray) -> Sums:
    """Return the sums of sorted rows; ordinary least squares first, so that large means cost no digits."""
    n, p = design.shape
    basis, triangle = linalg.qr(design, mode="economic")
    projected = basis.T @ response
    residuals = response - basis @ projected
    columns = np.column_stack([basis, residuals])
    return Sums(
        tree,
        n,
        p,
        columns.T @ columns,
        tree.sum_up(0, columns),
        tree.sum_up(0, np.ones(n)),
        np.asarray(triangle, dtype=np.float64),
        np.asarray(linalg.solve_triangular(triangle, projected), dtype=np.float64),
    )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The log-likelihood (or the REML criterion / −2) at one point.

    Attributes
    ----------
    coefficients
        (p,) in terms of the orthonormal design, beyond least squares.
    precision
        (p, p) Q'V⁻¹Qσ².
    totals, effects
        Per level, fine to coarse: whole effects t and θ-scaled u, such that θu is the unit's own effect.
    """

    parameters: FloatArray
    loglik: float
    gradient: FloatArray
    coefficients: FloatArray
    precision: FloatArray
    effects: list[FloatArray]
    totals: list[FloatArray]
    pivots: Pivots


class Gaussian:
    """The log-likelihood of one data set, as a function of the parameter vector."""

    def __init__(self, sums: Sums, reml: bool) -> None:
        self.sums = sums
        self.reml = reml
        self.evaluations = 0

    def evaluate(self, parameters: FloatArray) -> Evaluation:
        """Return the criterion and its exact gradient."""
        self.evaluations += 1
        sums, p = self.sums, self.sums.n_fixed
        sigma = float(np.exp(parameters[-1]))
        ratios = np.exp(parameters[:-1] - parameters[-1])
        pivots = eliminate(sums.tree, ratios, sums.sizes)
        crossed = _reduced(pivots, sums)
        precision = crossed[:p, :p]
        factor = linalg.cho_factor(precision, lower=True)
        coefficients = linalg.cho_solve(factor, crossed[:p, p])
        squares = float(crossed[p, p] - crossed[:p, p] @ coefficients)
        log_determinant = pivots.log_determinant()
        df = sums.n
        if self.reml:
            df -= p
            log_determinant += 2.0 * float(np.log(np.diag(factor[0])).sum())
            log_determinant += 2.0 * float(np.log(np.abs(np.diag(sums.triangle))).sum())
        loglik = -0.5 * (df * np.log(2.0 * np.pi * sigma**2) + log_determinant + squares / sigma**2)

        scores = sums.unit_sums @ np.r_[-coefficients, 1.0]
        effects, totals = pivots.solve(scores)
        spread = 0.5 * _criterion_slopes(pivots, effects, scores - sums.sizes * totals[0]) * ratios / sigma**2
        spread -= 0.5 * pivots.log_determinant_slopes()
        if self.reml:
            spread += self._restricted(pivots, factor, ratios)
        residual = -df + squares / sigma**2 - float(spread.sum())
        return Evaluation(
            parameters, float(loglik), np.r_[spread, residual], coefficients, precision, effects, totals, pivots
        )

    def _restricted(self, pivots: Pivots, factor: tuple[FloatArray, bool], ratios: FloatArray) -> FloatArray:
        """Return the part of the gradient that comes from −½ log det X'V⁻¹X."""
        sums = self.sums
        columns = sums.unit_sums[:, : sums.n_fixed]
        effects, totals = pivots.solve(columns)
        scores = columns - sums.sizes[:, None] * totals[0]
        slopes = np.zeros(len(ratios))
        for level, ratio in enumerate(ratios):
            if level:
                scores = sums.tree.sum_up(level, scores)
            slopes[level] = ratio * float(np.trace(linalg.cho_solve(factor, effects[level].T @ scores)))
        return slopes


def _reduced(pivots: Pivots, sums: Sums) -> FloatArray:
    """Return the cross products [Q r]'V⁻¹[Q r]σ²."""
    crossed, passed = sums.crossed.copy(), sums.unit_sums
    for level, ratio in enumerate(pivots.sds):
        scaled = passed / pivots.pivots[level][:, None]
        crossed -= ratio**2 * (scaled.T @ passed)
        if level + 1 < len(pivots.sds):
            passed = sums.tree.sum_up(level + 1, scaled)
    return crossed


def _criterion_slopes(pivots: Pivots, effects: list[FloatArray], scores: FloatArray) -> FloatArray:
    """Return −d(penalised squares)/dθ per level, fine to coarse."""
    slopes = np.zeros(len(effects))
    for level, effect in enumerate(effects):
        if level:
            scores = pivots.tree.sum_up(level, scores)
        slopes[level] = 2.0 * float(effect @ scores)
    return slopes


def natural_widths(sums: Sums, point: Evaluation) -> FloatArray:
    """Return about one standard error of each parameter."""
    information = []
    for ratio, pivot, weight in zip(point.pivots.sds, point.pivots.pivots, point.pivots.weights, strict=True):
        shrinkage = ratio**2 * weight / pivot
        information.append(2.0 * float(shrinkage @ shrinkage))
    information.append(2.0 * float(sums.n))
    return 1.0 / np.sqrt(np.maximum(information, _LEAST_INFORMATION))


def fixed_effects(sums: Sums, point: Evaluation) -> tuple[FloatArray, FloatArray]:
    """Return β and its covariance given the SDs, divided by σ²."""
    beta = sums.least_squares + linalg.solve_triangular(sums.triangle, point.coefficients)
    inverse = linalg.solve_triangular(sums.triangle, np.eye(sums.n_fixed))
    return beta, inverse @ linalg.inv(point.precision) @ inverse.T
