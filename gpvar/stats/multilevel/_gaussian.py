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

from gpvar.errors import ConvergenceError, StatsError
from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._tree import Pivots, Tree, eliminate
from gpvar.stats.multilevel._triangle import inverse_of_triangle

_LEAST_INFORMATION = 0.5
_NOTHING_LEFT = 1e-24


@dataclass(frozen=True, slots=True)
class Sums:
    """What the likelihood needs of the rows, after ordinary least squares has been taken off.

    Attributes
    ----------
    n, n_fixed
        Rows and fixed effects.
    within
        (p + 1, p + 1) cross products of the orthonormal design and the least-squares residuals within finest units.
    means
        (finest units, p + 1) means of the same over each finest unit.
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
    within: FloatArray
    means: FloatArray
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
    sizes = tree.sum_up(0, np.ones(n))
    means = tree.sum_up(0, columns) / sizes[:, None]
    apart = columns - tree.hand_down(0, means)
    within = apart.T @ apart
    _refuse_perfect(within, response)
    return Sums(
        tree,
        n,
        p,
        within,
        means,
        sizes,
        np.asarray(triangle, dtype=np.float64),
        inverse_of_triangle(triangle, lower=False) @ projected,
    )


def _refuse_perfect(within: FloatArray, response: FloatArray) -> None:
    """Refuse data whose units are all fitted exactly: the likelihood grows without end as σ falls to zero."""
    explained = linalg.lstsq(within[:-1, :-1], within[:-1, -1])[0] @ within[:-1, -1]
    left = float(within[-1, -1] - explained)
    if left <= _NOTHING_LEFT * float(response @ response):
        raise StatsError(
            "The rows of every unit are fitted exactly, so there is no residual spread to estimate.",
            "what is left of the response within units is nil",
            "Check that the response is not made from the columns or constant within units; if units are the rows, "
            "leave the finest level out.",
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
        try:
            factor = linalg.cho_factor(precision, lower=True)
        except linalg.LinAlgError:
            raise ConvergenceError(
                "The fixed effects cannot be told apart at these SDs.",
                "the search for the maximum",
                "Look for a column that is nearly a combination of others, or of the units' means.",
            ) from None
        coefficients = linalg.cho_solve(factor, crossed[:p, p])
        squares = float(crossed[p, p] - crossed[:p, p] @ coefficients)
        log_determinant = pivots.log_determinant()
        df = sums.n
        if self.reml:
            df -= p
            log_determinant += 2.0 * float(np.log(np.diag(factor[0])).sum())
            log_determinant += 2.0 * float(np.log(np.abs(np.diag(sums.triangle))).sum())
        loglik = -0.5 * (df * np.log(2.0 * np.pi * sigma**2) + log_determinant + squares / sigma**2)

        scores = sums.sizes * (sums.means @ np.r_[-coefficients, 1.0])
        effects, totals = pivots.solve(scores)
        # At the modes u = θ Z'(y − Xβ − Zθu), so that the squares fall by 2u'u with each unit of log θ.
        spread = np.array([float(u @ u) for u in effects]) / sigma**2 - 0.5 * pivots.log_determinant_slopes()
        if self.reml:
            spread += self._restricted(pivots, factor)
        residual = -df + squares / sigma**2 - float(spread.sum())
        return Evaluation(
            parameters, float(loglik), np.r_[spread, residual], coefficients, precision, effects, totals, pivots
        )

    def _restricted(self, pivots: Pivots, factor: tuple[FloatArray, bool]) -> FloatArray:
        """Return the part of the gradient that comes from −½ log det X'V⁻¹X."""
        sums = self.sums
        effects, _ = pivots.solve(sums.sizes[:, None] * sums.means[:, : sums.n_fixed])
        return np.array([float(np.trace(linalg.cho_solve(factor, u.T @ u))) for u in effects])


def _reduced(pivots: Pivots, sums: Sums) -> FloatArray:
    """Return the cross products [Q r]'V⁻¹[Q r]σ²: centred within the units of each level in turn, nothing cancels."""
    tree, total, values = sums.tree, sums.within.copy(), sums.means
    weight = sums.sizes / pivots.pivots[0]
    for level in range(1, tree.n_levels):
        means = tree.sum_up(level, values * weight[:, None]) / pivots.weights[level][:, None]
        apart = values - tree.hand_down(level, means)
        total += (apart * weight[:, None]).T @ apart
        values, weight = means, pivots.weights[level] / pivots.pivots[level]
    return np.asarray(total + (values * weight[:, None]).T @ values)


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
    inverse = inverse_of_triangle(sums.triangle, lower=False)
    beta = sums.least_squares + inverse @ point.coefficients
    return beta, inverse @ np.linalg.inv(point.precision) @ inverse.T
