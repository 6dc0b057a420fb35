"""The Laplace approximation of the log-likelihood of nested random intercepts, with its exact gradient.

With spherical effects u, rows' linear predictor η = offset + Xβ + ZSu and modes û(β, s, k):

    L = Σ l(η) − ½ û'û − ½ log det H,      H = I + S Z'WZ S,

as lme4 (`nAGQ = 1`) and glmmTMB have it. The derivative of the log-determinant goes through the weights at the
modes, which move with the parameters; one more solve on the tree (the adjoint) gives it exactly for all parameters
together (Skaug & Fournier 2006; Bates et al. 2015).

Parameters stand in one vector: β, then log s from fine to coarse, then log k for the negative binomial. An SD of
zero is log s = −∞.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from gpvar.errors import ConvergenceError
from gpvar.stats._checks import BoolArray, FloatArray
from gpvar.stats.multilevel._families import Binomial, Family, NegativeBinomial, Poisson, Slopes
from gpvar.stats.multilevel._tree import Pivots, Tree, eliminate
from gpvar.stats.multilevel._triangle import inverse_of_triangle

#: Squared Newton decrement below which the modes are taken as found, and below which rounding may end the search: the
#: log-determinant moves with the modes' error itself, not with its square.
_DECREMENT = 1e-22
_ROUNDING = 1e-15
#: Newton steps from the last modes before the search begins again from the units' own data, and then.
_WARM_STEPS = 15
_STEPS = 200
_SHORTEST = 1e-12
_NO_WEIGHT = 1e-300
_LEAST_INFORMATION = 0.5


@dataclass(frozen=True, slots=True)
class Rows:
    """The data, sorted as the tree wants them.

    Attributes
    ----------
    design
        (n, p), in column order.
    offset
        (n,) on the link scale.
    basis
        (p, p): design @ basis has orthogonal columns of about unit size, whatever the columns' own scales.
    """

    tree: Tree
    design: FloatArray
    offset: FloatArray
    family: Family
    basis: FloatArray

    @property
    def n_fixed(self) -> int:
        """Number of fixed effects."""
        return int(self.design.shape[1])


def sorted_rows(tree: Tree, design: FloatArray, offset: FloatArray, family: Family) -> Rows:
    """Return the rows of a model; `design` and `offset` are in the caller's order, `family` in the tree's."""
    columns = np.asfortranarray(design[tree.order])
    triangle = linalg.qr(columns, mode="r")[0][: columns.shape[1]]
    basis = inverse_of_triangle(triangle, lower=False) * np.sqrt(len(columns))
    return Rows(tree, columns, offset[tree.order], family, basis)


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of the random effects at given parameters, and what was computed on the way.

    Attributes
    ----------
    effects, totals
        Per level, fine to coarse: u, and the whole effect t of the unit and those above it.
    score_sums
        Sums of the rows' scores over each finest unit.
    steps
        Newton steps taken.
    """

    effects: list[FloatArray]
    totals: list[FloatArray]
    eta: FloatArray
    mean: FloatArray
    score: FloatArray
    weight: FloatArray
    score_sums: FloatArray
    pivots: Pivots
    steps: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The approximate log-likelihood at one point: its value, gradient and modes."""

    parameters: FloatArray
    loglik: float
    gradient: FloatArray
    modes: Modes


def find_modes(
    rows: Rows, family: Family, base: FloatArray, sds: FloatArray, start: list[FloatArray], steps: int = _STEPS
) -> Modes | None:
    """Return the modes of the effects by Newton's method on the tree, or None if `steps` do not suffice.

    Each step is the exact Newton step. It is shortened until the slope along it is at most half of the first one
    upside down: on a log-concave density this finds the mode from any start.

    Parameters
    ----------
    base
        (n,) offset + Xβ.
    sds
        (levels,) fine to coarse.
    start
        Whole effects t to start from, per level.
    """
    tree = rows.tree
    effects, totals = _as_effects(tree, sds, start)
    eta = base + tree.hand_down(0, totals[0])
    mean, score, weight, score_sums = _moments(tree, family, eta)
    slope = np.inf
    for step in range(steps):
        weight_sums = tree.sum_up(0, weight)
        pivots = eliminate(tree, sds, weight_sums)
        aim, reach = pivots.solve(score_sums + weight_sums * totals[0])
        turns = [new - old for new, old in zip(aim, effects, strict=True)]
        moves = [new - old for new, old in zip(reach, totals, strict=True)]
        before, slope = slope, _slope(score_sums, effects, turns, moves)
        if slope < _DECREMENT or (slope < _ROUNDING and slope > 0.01 * before):
            return Modes(effects, totals, eta, mean, score, weight, score_sums, pivots, step)
        length = 1.0
        while True:
            tried = [old + length * turn for old, turn in zip(effects, turns, strict=True)]
            there = totals[0] + length * moves[0]
            eta = base + tree.hand_down(0, there)
            mean, score, weight, score_sums = _moments(tree, family, eta)
            after = _slope(score_sums, tried, turns, moves)
            if after >= -0.5 * slope or slope < 1e-10:
                break
            length *= min(0.7, max(0.05, slope / (slope - after))) if np.isfinite(after) else 0.1
            if length < _SHORTEST:
                return None
        effects = tried
        totals = [there, *(old + length * move for old, move in zip(totals[1:], moves[1:], strict=True))]
    return None


def _moments(tree: Tree, family: Family, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    mean = family.mean(eta)
    score, weight = family.score_and_weight(mean)
    return mean, score, weight, tree.sum_up(0, score)


def _slope(scores: FloatArray, effects: list[FloatArray], turns: list[FloatArray], moves: list[FloatArray]) -> float:
    """Return the derivative of Σ l − ½ u'u along the step."""
    return float(scores @ moves[0]) - sum(float(u @ turn) for u, turn in zip(effects, turns, strict=True))


def _as_effects(tree: Tree, sds: FloatArray, totals: list[FloatArray]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return spherical effects near the given whole effects, and the whole effects that they make."""
    effects, result = [], []
    above: FloatArray | None = None
    above_given: FloatArray | None = None
    for level in reversed(range(tree.n_levels)):
        given = totals[level]
        own = given if above_given is None else given - tree.hand_down(level + 1, above_given)
        effect = own / sds[level] if sds[level] > 0 else np.zeros_like(own)
        total = effect * sds[level] if above is None else effect * sds[level] + tree.hand_down(level + 1, above)
        effects.append(effect)
        result.append(total)
        above, above_given = total, given
    return effects[::-1], result[::-1]


def unit_ratios(rows: Rows, base: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return for each finest unit the link-scale distance of what it shows from `base`, and its information."""
    tree, family = rows.tree, rows.family
    if isinstance(family, Binomial):
        trials = tree.sum_up(0, family.trials)
        observed = (tree.sum_up(0, family.successes) + 0.5) / (trials + 1.0)
        expected = tree.sum_up(0, family.trials * base) / trials
        return np.asarray(special.logit(observed) - expected), (trials + 1.0) * observed * (1.0 - observed)
    counts = tree.sum_up(0, family.size())
    highest = float(base.max())
    expected = tree.sum_up(0, np.exp(base - highest))
    # A unit without events says little: half an event is added to it, and less to what was expected of larger ones.
    ratio = np.log(counts + 0.5) - highest - np.log(expected + 0.5 * np.exp(-highest) / (1.0 + counts))
    return ratio, counts + 0.5


def _whole_effects(rows: Rows, base: FloatArray, sds: FloatArray) -> list[FloatArray]:
    """Return whole effects near the modes whatever `base` is: each unit is taken to where its own data are."""
    ratio, information = unit_ratios(rows, base)
    return eliminate(rows.tree, sds, information).solve(information * ratio)[1]


def _no_modes() -> ConvergenceError:
    return ConvergenceError(
        "The modes of the random effects were not found, so the model has no result.",
        "Newton's method on the units' effects",
        "Look for a column or an exposure with extreme values; rescale covariates to about unit size.",
    )


class Laplace:
    """The approximate log-likelihood of one data set, as a function of the parameter vector.

    It remembers the last modes, from which the next search starts: evaluate it point after point.
    """

    def __init__(self, rows: Rows, start: list[FloatArray]) -> None:
        self.rows = rows
        self.start = start
        self.limit = Poisson.of(rows.family.counts) if isinstance(rows.family, NegativeBinomial) else rows.family
        self.evaluations = 0
        self.steps = 0

    def rounding(self) -> float:
        """Return how much rounding may move the log-likelihood, whose rows are differences of large numbers."""
        counts = self.rows.family.size()
        sizes = counts * np.log1p(counts)
        return 8.0 * float(np.finfo(np.float64).eps * np.sqrt(sizes @ sizes))

    def split(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray, Family]:
        """Return β, the SDs from fine to coarse, and the family at its dispersion."""
        p, levels = self.rows.n_fixed, self.rows.tree.n_levels
        family = self.rows.family
        if isinstance(family, NegativeBinomial):
            family = self.limit if parameters[-1] == np.inf else family.at(float(np.exp(parameters[-1])))
        return parameters[:p], np.exp(parameters[p : p + levels]), family

    def modes(self, parameters: FloatArray) -> tuple[Modes, FloatArray, Family]:
        """Return the modes, the SDs and the family at these parameters; the next search starts from these modes."""
        beta, sds, family = self.split(parameters)
        base = self.rows.offset + self.rows.design @ beta
        with np.errstate(over="ignore", invalid="ignore"):
            found = find_modes(self.rows, family, base, sds, self.start, _WARM_STEPS)
            if found is None:
                found = find_modes(self.rows, family, base, sds, _whole_effects(self.rows, base, sds))
        if found is None:
            raise _no_modes()
        self.start = found.totals
        self.evaluations += 1
        self.steps += found.steps
        return found, sds, family

    def begin(self, point: Evaluation, beyond: Evaluation | None) -> None:
        """Start the next search at a point's modes, or where a mirror at that point puts another's."""
        self.start = point.modes.totals
        if beyond is not None:
            self.start = [2.0 * here - there for here, there in zip(self.start, beyond.modes.totals, strict=True)]

    def evaluate(self, parameters: FloatArray) -> Evaluation:
        """Return the log-likelihood and its exact gradient."""
        found, sds, family = self.modes(parameters)
        loglik = (
            float(family.loglik_rows(found.eta, found.mean).sum())
            + family.constant()
            - 0.5 * sum(float(u @ u) for u in found.effects)
            - 0.5 * found.pivots.log_determinant()
        )
        return Evaluation(parameters, loglik, self._gradient(found, sds, family), found)

    def _gradient(self, found: Modes, sds: FloatArray, family: Family) -> FloatArray:
        tree, pivots = self.rows.tree, found.pivots
        variances = pivots.variances()
        weight_slope = family.weight_slope(found.mean, found.weight)
        # c = v dw/dη: how the log-determinant moves with each row's η; the adjoint adds how the modes answer.
        pull = variances[0] * tree.sum_up(0, weight_slope)
        adjoint, answers = pivots.solve(pull)
        bend = weight_slope * tree.hand_down(0, variances[0])
        bend -= found.weight * tree.hand_down(0, answers[0])
        beta = self.rows.design.T @ (found.score - 0.5 * bend)
        bends = pull - pivots.weights[0] * answers[0]
        spreads = self._spread_gradient(found, sds, adjoint, bends)
        if not isinstance(self.rows.family, NegativeBinomial):
            return np.concatenate([beta, spreads])
        if not isinstance(family, NegativeBinomial):
            return np.concatenate([beta, spreads, [0.0]])
        slopes = family.slopes(found.mean)
        return np.concatenate([beta, spreads, [self._dispersion_gradient(family, slopes, variances[0], answers[0])]])

    def _spread_gradient(
        self, found: Modes, sds: FloatArray, adjoint: list[FloatArray], bends: FloatArray
    ) -> FloatArray:
        """Return dL/d log s per level, fine to coarse."""
        scores, result = found.score_sums, -0.5 * found.pivots.log_determinant_slopes()
        for level, sd in enumerate(sds):
            if level:
                scores, bends = self.rows.tree.sum_up(level, scores), self.rows.tree.sum_up(level, bends)
            through_modes = float(found.effects[level] @ (scores - 0.5 * bends)) - 0.5 * float(adjoint[level] @ scores)
            result[level] += sd * through_modes
        return result

    def _dispersion_gradient(
        self, family: NegativeBinomial, slopes: Slopes, variance: FloatArray, answer: FloatArray
    ) -> float:
        """Return dL/d log k."""
        tree = self.rows.tree
        through_weights = float(variance @ tree.sum_up(0, slopes.weight))
        through_modes = float(answer @ tree.sum_up(0, slopes.score))
        return float(slopes.loglik.sum()) + family.constant_slope() - 0.5 * (through_weights + through_modes)


def natural_scale(rows: Rows, point: Evaluation, free: BoolArray) -> FloatArray:
    """Return the (free, free) matrix that turns steps of about one standard error into steps of the parameters."""
    found, p = point.modes, rows.n_fixed
    others = []
    for level, sd in enumerate(found.pivots.sds):
        shrinkage = sd**2 * found.pivots.weights[level] / found.pivots.pivots[level]
        others.append(2.0 * float(shrinkage @ shrinkage))
    if isinstance(rows.family, NegativeBinomial):
        share = found.mean / (found.mean + np.exp(point.parameters[-1]))
        others.append(0.5 * float(share @ share))
    try:
        factor = linalg.cholesky(rows.basis.T @ _fixed_information(rows, found) @ rows.basis, lower=True)
    except linalg.LinAlgError:
        raise ConvergenceError(
            "The data say next to nothing about the fixed effects at these SDs.",
            "the search for the maximum",
            "Leave out a grouping level or a covariate: few events cannot tell all of them.",
        ) from None
    root = rows.basis @ inverse_of_triangle(factor, lower=True).T
    widths = 1.0 / np.sqrt(np.maximum(others, _LEAST_INFORMATION))
    return np.asarray(linalg.block_diag(root, np.diag(widths[free[p:]])))


def _fixed_information(rows: Rows, found: Modes) -> FloatArray:
    """Return X'V⁻¹X, (p, p): the design centred within each level's units in turn, so that nothing cancels."""
    tree, design, weight = rows.tree, rows.design, found.weight
    total = np.zeros((rows.n_fixed, rows.n_fixed))
    for level, (weights, pivot) in enumerate(zip(found.pivots.weights, found.pivots.pivots, strict=True)):
        means = tree.sum_up(level, design * weight[:, None]) / np.maximum(weights, _NO_WEIGHT)[:, None]
        within = design - tree.hand_down(level, means)
        total += (within * weight[:, None]).T @ within
        design, weight = means, weights / pivot
    return np.asarray(total + (design * weight[:, None]).T @ design)


def effect_slopes(pivots: Pivots, effects: list[FloatArray], weighted: FloatArray) -> list[FloatArray]:
    """Return how the effects b = su at the modes answer to β and to the log SDs.

    Parameters
    ----------
    weighted
        (finest units, p) sums of each unit's weighted design rows.

    Returns
    -------
    list of array
        Per level, fine to coarse: (units, p + levels), db/dβ and then db/d log s from fine to coarse.
    """
    sds, p = pivots.sds, weighted.shape[1]
    slopes = [np.zeros((len(u), p + len(sds))) for u in effects]
    answers, _ = pivots.solve(-weighted)
    for level, sd in enumerate(sds):
        slopes[level][:, :p] = sd * answers[level]
    for source in np.flatnonzero(sds > 0).tolist():
        answers = pivots.solve_one_level(source, 2.0 * effects[source] / sds[source])
        for level, sd in enumerate(sds):
            slopes[level][:, p + source] = sd * answers[level]
    return slopes


def dispersion_slopes(rows: Rows, found: Modes, family: NegativeBinomial) -> list[FloatArray]:
    """Return db/d log k per level, fine to coarse, (units,) each."""
    answers, _ = found.pivots.solve(rows.tree.sum_up(0, family.slopes(found.mean).score))
    return [sd * answer for sd, answer in zip(found.pivots.sds, answers, strict=True)]
