"""Where the search for the maximum begins: near it, from moments.

A cold start (no effects, SD 0.2) passes easy data and diverges where a unit has tens of thousands of events: its
likelihood is then far narrower than the spread between units. So: fixed effects from a generalised linear model,
each finest unit's log or logit ratio of observed to expected, and from these nested moments of DerSimonian and
Laird's kind, level by level.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, special

from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._families import Binomial, Family, NegativeBinomial, Poisson
from gpvar.stats.multilevel._gaussian import Sums
from gpvar.stats.multilevel._laplace import Rows, unit_ratios
from gpvar.stats.multilevel._tree import Tree, eliminate

_GLM_STEPS = 12
_LEAST_WEIGHT = 1e-8
_LARGEST_SD = 3.0
_K_RANGE = (0.05, 1e4)


def starting_point(rows: Rows) -> tuple[FloatArray, list[FloatArray]]:
    """Return the parameter vector to start from, and whole effects per level, fine to coarse."""
    beta = _glm(rows)
    eta = rows.offset + rows.design @ beta
    ratio, information = unit_ratios(rows, eta)
    sds = _nested_moments(rows.tree, ratio, information)
    _, totals = eliminate(rows.tree, sds, information).solve(information * ratio)
    parameters = [beta, np.log(sds)]
    if isinstance(rows.family, NegativeBinomial):
        fitted = np.exp(eta + rows.tree.hand_down(0, totals[0]))
        parameters.append(np.log([_moment_k(rows.family.counts, fitted)]))
    return np.concatenate(parameters), totals


def gaussian_start(sums: Sums) -> FloatArray:
    """Return log SDs, fine to coarse, and log residual SD to start from, by nested moments of the residuals."""
    means = sums.means[:, -1]
    left = sums.n - len(means)
    whole = float(sums.within[-1, -1] + sums.sizes @ means**2)
    residual = max(float(sums.within[-1, -1]) / left if left else 0.0, 1e-12 * whole / sums.n)
    sds = _nested_moments(sums.tree, means, sums.sizes / residual, largest=np.inf)
    return np.asarray(np.log(np.r_[sds, np.sqrt(residual)]))


def _glm(rows: Rows) -> FloatArray:
    """Return the fixed effects without random ones, by iteratively re-weighted least squares."""
    family = rows.family
    eta = _empirical_link(family)
    columns, beta = rows.design @ rows.basis, np.zeros(rows.n_fixed)
    if isinstance(family, NegativeBinomial):
        family = Poisson.of(family.counts)
    for _ in range(_GLM_STEPS):
        mean = family.mean(eta)
        score, weight = family.score_and_weight(mean)
        weight = np.maximum(weight, _LEAST_WEIGHT * weight.max())
        weighted = columns * weight[:, None]
        working = weighted.T @ (eta - rows.offset + score / weight)
        new = linalg.solve(weighted.T @ columns, working, assume_a="pos")
        close = bool(np.max(np.abs(new - beta)) < 1e-3)
        beta = new
        # One step may not leave the range in which exp is harmless.
        eta = np.clip(rows.offset + columns @ beta, -30.0, None if isinstance(family, Poisson) else 30.0)
        if isinstance(family, Poisson):
            eta = np.minimum(eta, np.log(family.counts.max() + 1.0) + 5.0)
        if close:
            break
    return rows.basis @ beta


def _empirical_link(family: Family) -> FloatArray:
    if isinstance(family, Binomial):
        share = (family.successes + 0.5) / (family.trials + 1.0)
        return np.asarray(special.logit(share))
    assert isinstance(family, Poisson | NegativeBinomial)
    return np.log(family.counts + 0.5)


def _nested_moments(tree: Tree, value: FloatArray, information: FloatArray, largest: float = _LARGEST_SD) -> FloatArray:
    """Return SDs per level, fine to coarse, kept off zero so that the search can move them."""
    sds: list[float] = []
    for level in range(tree.n_levels):
        top = level + 1 == tree.n_levels

        def up(children: FloatArray, level: int = level, top: bool = top) -> FloatArray:
            return np.array([children.sum()]) if top else tree.sum_up(level + 1, children)

        def down(units: FloatArray, level: int = level, top: bool = top, size: int = len(value)) -> FloatArray:
            return np.repeat(units, size) if top else tree.hand_down(level + 1, units)

        total = up(information)
        centred = value - down(up(information * value) / total)
        scale = float(information.sum() - (up(information**2) / total).sum())
        excess = float(information @ centred**2) - (len(value) - len(total))
        chance = 1.0 / float(np.median(information))
        floor = 0.1 * min(chance, largest**2)
        variance = max(excess / scale if scale > 0 else 0.0, floor)
        sds.append(min(float(np.sqrt(variance)), largest))
        information = 1.0 / (1.0 / information + sds[-1] ** 2)
        total = up(information)
        value = up(information * value) / total
        information = total
    return np.array(sds)


def _moment_k(counts: FloatArray, fitted: FloatArray) -> float:
    excess = float(((counts - fitted) ** 2 - fitted).sum())
    squares = float((fitted**2).sum())
    k = squares / excess if excess > 0 else _K_RANGE[1]
    return float(np.clip(k, *_K_RANGE))
