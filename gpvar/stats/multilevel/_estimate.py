"""From the model's data to its estimate: which likelihood, where its maximum is, and what holds there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import linalg

from gpvar.stats._checks import BoolArray, FloatArray
from gpvar.stats.multilevel import _gaussian, _laplace, _start
from gpvar.stats.multilevel._families import Binomial, Family, NegativeBinomial, Poisson
from gpvar.stats.multilevel._gaussian import Gaussian
from gpvar.stats.multilevel._laplace import Laplace, sorted_rows
from gpvar.stats.multilevel._model import ModelData
from gpvar.stats.multilevel._optimise import Edge, Maximum, Surface, maximise
from gpvar.stats.multilevel._quadrature import Quadrature
from gpvar.stats.multilevel._tree import Tree, grow

#: An SD so small that a unit's shrinkage is about this much stands for the edge at zero.
_INSIDE = 1e-3
#: From where the edge at zero is looked at again.
_FAR_SDS = (0.3, 2.0)
_NOISE = 1e-9
_FEW_EVENTS = 500
#: How far twice the nodes may move the log-likelihood before a reader is told, and before the result is worthless.
_UNSETTLED, _ARTEFACT = 0.01, 0.5


@dataclass(frozen=True, slots=True)
class Start:
    """Where a search is asked to begin, instead of at its own moments.

    Attributes
    ----------
    beta
        (p,) fixed effects.
    sds
        (levels,) coarse to fine, all above zero.
    dispersion, residual_sd
        For the families that have one.
    """

    beta: FloatArray
    sds: FloatArray
    dispersion: float = 1.0
    residual_sd: float = 1.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One data set with its likelihood: what the search, the profiles and the draws share.

    Attributes
    ----------
    fixed
        Number of fixed effects that stand in the parameter vector; 0 for the Gaussian, which profiles them out.
    engine
        The likelihood; it remembers its last modes.
    """

    data: ModelData
    tree: Tree
    engine: Laplace | Gaussian
    fixed: int
    surface: Surface

    @property
    def n_levels(self) -> int:
        """Number of grouping levels."""
        return self.tree.n_levels

    def place(self, level: int) -> int:
        """Return where log s of a level, counted from coarse to fine, stands in the parameter vector."""
        return self.fixed + self.n_levels - 1 - level


@dataclass(frozen=True, slots=True)
class Estimate:
    """Maximum-likelihood (or REML) estimate of one model.

    Attributes
    ----------
    data
        What was fitted.
    beta
        (p,) fixed effects of the kept columns.
    sds
        (levels,) coarse to fine; exactly 0.0 on the boundary.
    dispersion
        k of the negative binomial; ∞ at its Poisson limit; NaN for other families.
    residual_sd
        Of the Gaussian; NaN for other families.
    loglik
        Log-likelihood; with `reml` the REML criterion / −2.
    covariance
        (p + q, p + q) of β, the log SDs above zero from coarse to fine, then log k or log residual SD where finite.
    free
        (levels,) whether the SD is above zero.
    effects
        Per level, coarse to fine: (units,) modes on the link scale, 0 for units without rows.
    effect_sd_given_parameters
        Per level: (units,) SD of each effect if all parameters were known.
    linear_predictor, score, weights
        (n,) at the modes: η with offset, dl/dη, −d²l/dη².
    evidence
        How the maximum was proved: evaluations, largest gradient, Newton decrement, condition number.
    """

    data: ModelData
    beta: FloatArray
    sds: FloatArray
    dispersion: float
    residual_sd: float
    loglik: float
    reml: bool
    n_quadrature: int
    covariance: FloatArray
    free: BoolArray
    effects: tuple[FloatArray, ...]
    effect_sd_given_parameters: tuple[FloatArray, ...]
    linear_predictor: FloatArray
    score: FloatArray
    weights: FloatArray
    converged: bool
    evidence: dict[str, float]
    notes: tuple[str, ...]
    problem: Problem = field(repr=False)
    parameters: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        """Close the arrays: what is derived from them elsewhere must stay true."""
        for name in self.__dataclass_fields__:
            held = getattr(self, name)
            for array in held if isinstance(held, tuple) else (held,):
                if isinstance(array, np.ndarray):
                    array.setflags(write=False)


def estimate(data: ModelData, *, reml: bool = False, n_quadrature: int = 1, start: Start | None = None) -> Estimate:
    """Fit the model.

    Parameters
    ----------
    start
        Where to begin; the default, moments of the data, needs no help.

    Raises
    ------
    ConvergenceError
        If no maximum was reached: no half-finished numbers are returned.
    """
    if data.family == "gaussian":
        problem, parameters = _gaussian_problem(data, reml, start)
        return _gaussian_estimate(problem, _searched(problem, parameters), reml)
    problem, parameters = _generalised_problem(data, n_quadrature, start)
    found = _generalised_estimate(problem, _searched(problem, parameters), n_quadrature)
    return replace(found, notes=(*found.notes, *_quadrature_notes(found))) if n_quadrature > 1 else found


def _searched(problem: Problem, parameters: FloatArray) -> Maximum:
    free = np.ones(len(parameters), dtype=bool)
    best = maximise(problem.surface, parameters, free)
    few = problem.data.family == "negative_binomial" and float(problem.data.response.sum()) < _FEW_EVENTS
    if not few or np.isinf(best.point.parameters[-1]):
        return best
    # With few events a small k and a wide SD can stand for one another: the Poisson model has a hill of its own.
    free[-1] = False
    poisson = maximise(problem.surface, np.append(parameters[:-1], np.inf), free)
    return poisson if poisson.point.loglik > best.point.loglik else best


def _generalised_problem(data: ModelData, n_quadrature: int, start: Start | None) -> tuple[Problem, FloatArray]:
    tree = grow(data.codes)
    rows = sorted_rows(tree, data.design, data.offset, _family(data, tree))
    parameters, totals = _start.starting_point(rows)
    if start is not None:
        hyper = [np.log(start.sds[::-1]), [np.log(start.dispersion)]]
        parameters = np.concatenate([start.beta, *hyper])[: len(parameters)]
    engine = Laplace(rows, totals) if n_quadrature == 1 else Quadrature(rows, totals, n_quadrature)
    p, levels = rows.n_fixed, tree.n_levels
    edges = [Edge(p + level, -np.inf) for level in range(levels)]
    if isinstance(rows.family, NegativeBinomial):
        edges.append(Edge(p + levels, np.inf))

    def inside(point: _laplace.Evaluation, edge: Edge) -> float:
        if edge.at > 0:
            return float(np.log(1e4 * max(1.0, float(point.modes.mean.max()))))
        information = float(point.modes.pivots.weights[edge.index - p].mean())
        return 0.5 * float(np.log(_INSIDE / max(information, 1e-12)))

    def outside(point: _laplace.Evaluation, edge: Edge, far: int) -> float:
        if edge.at > 0:
            return -float(far)
        return float(np.log(max(_FAR_SDS[far], 0.5 * float(point.modes.pivots.sds.max()))))

    surface = Surface(
        engine.evaluate,
        lambda point, free: _laplace.natural_scale(rows, point, free),
        inside,
        outside,
        tuple(edges),
        _NOISE + engine.rounding(),
        engine.begin,
    )
    return Problem(data, tree, engine, p, surface), parameters


def _family(data: ModelData, tree: Tree) -> Family:
    response = data.response[tree.order]
    if data.trials is not None:
        return Binomial.of(response, data.trials[tree.order])
    return Poisson.of(response) if data.family == "poisson" else NegativeBinomial.of(response)


def _generalised_estimate(problem: Problem, best: Maximum, n_quadrature: int) -> Estimate:
    engine, data = problem.engine, problem.data
    assert isinstance(engine, Laplace)
    p, levels = problem.fixed, problem.n_levels
    parameters, found = best.point.parameters, best.point.modes
    sds = np.exp(parameters[p : p + levels])
    negative_binomial = data.family == "negative_binomial"
    return Estimate(
        data=data,
        beta=parameters[:p],
        sds=sds[::-1],
        dispersion=float(np.exp(parameters[-1])) if negative_binomial else np.nan,
        residual_sd=np.nan,
        loglik=best.point.loglik,
        reml=False,
        n_quadrature=n_quadrature,
        covariance=_coarse_first(best.covariance, p, best.free[p : p + levels]),
        free=best.free[p : p + levels][::-1],
        effects=_for_all_units(problem, [sd * u for sd, u in zip(sds, found.effects, strict=True)]),
        effect_sd_given_parameters=_unit_sds(problem, found.pivots.effect_variances(), sds),
        linear_predictor=_unsorted(problem.tree, found.eta),
        score=_unsorted(problem.tree, found.score),
        weights=_unsorted(problem.tree, found.weight),
        converged=True,
        evidence=_evidence(engine.evaluations, best),
        notes=(*data.notes, *_edge_notes(data, sds[::-1], bool(negative_binomial and np.isinf(parameters[-1])))),
        problem=problem,
        parameters=parameters,
    )


def _gaussian_problem(data: ModelData, reml: bool, start: Start | None) -> tuple[Problem, FloatArray]:
    tree = grow(data.codes)
    order = tree.order
    sums = _gaussian.summarise(tree, data.design[order], data.response[order] - data.offset[order])
    engine = Gaussian(sums, reml)
    parameters = _start.gaussian_start(sums)
    if start is not None:
        parameters = np.log(np.r_[start.sds[::-1], start.residual_sd])

    def scale(point: _gaussian.Evaluation, free: BoolArray) -> FloatArray:
        return np.diag(_gaussian.natural_widths(sums, point)[free])

    def inside(point: _gaussian.Evaluation, edge: Edge) -> float:
        information = float(point.pivots.weights[edge.index].mean())
        return float(point.parameters[-1]) + 0.5 * float(np.log(_INSIDE / information))

    def outside(point: _gaussian.Evaluation, edge: Edge, far: int) -> float:
        return float(point.parameters[-1]) + 2.0 * far

    edges = tuple(Edge(level, -np.inf) for level in range(tree.n_levels))
    noise = _NOISE + 1e-14 * sums.n
    return Problem(
        data, tree, engine, 0, Surface(engine.evaluate, scale, inside, outside, edges, noise, _no_search)
    ), parameters


def _no_search(point: _gaussian.Evaluation, beyond: _gaussian.Evaluation | None) -> None:
    """Do nothing: the Gaussian's modes are found without a search."""


def _gaussian_estimate(problem: Problem, best: Maximum, reml: bool) -> Estimate:
    engine, data, point = problem.engine, problem.data, best.point
    assert isinstance(engine, Gaussian)
    levels, order = problem.n_levels, problem.tree.order
    sigma = float(np.exp(point.parameters[-1]))
    sds = np.exp(point.parameters[:levels])
    beta, conditional = _gaussian.fixed_effects(engine.sums, point)
    eta = data.design @ beta + data.offset
    eta[order] += problem.tree.hand_down(0, point.totals[0])
    hyper = _coarse_first(best.covariance, 0, best.free[:levels])
    return Estimate(
        data=data,
        beta=beta,
        sds=sds[::-1],
        dispersion=np.nan,
        residual_sd=sigma,
        loglik=point.loglik,
        reml=reml,
        n_quadrature=1,
        covariance=np.asarray(linalg.block_diag(sigma**2 * conditional, hyper)),
        free=best.free[:levels][::-1],
        effects=_for_all_units(problem, [sd / sigma * u for sd, u in zip(sds, point.effects, strict=True)]),
        effect_sd_given_parameters=_unit_sds(problem, [sigma**2 * v for v in point.pivots.effect_variances()], sds),
        linear_predictor=eta,
        score=(data.response - eta) / sigma**2,
        weights=np.full(len(eta), sigma**-2.0),
        converged=True,
        evidence=_evidence(engine.evaluations, best),
        notes=(*data.notes, *_edge_notes(data, sds[::-1], False)),
        problem=problem,
        parameters=point.parameters,
    )


def _coarse_first(covariance: FloatArray, p: int, free: BoolArray) -> FloatArray:
    """Return the covariance with the log SDs, which the engine keeps from fine to coarse, turned round."""
    spreads = int(free.sum())
    order = np.r_[0:p, np.arange(p, p + spreads)[::-1], p + spreads : len(covariance)]
    turned: FloatArray = covariance[np.ix_(order, order)]
    return turned


def _for_all_units(problem: Problem, found: list[FloatArray]) -> tuple[FloatArray, ...]:
    """Return per level, coarse to fine, a value for each of the caller's units; 0 for those without rows."""
    result = []
    for level, values in enumerate(found):
        full = np.zeros(len(problem.data.units[problem.n_levels - 1 - level]))
        full[problem.tree.numbers[level]] = values
        result.append(full)
    return tuple(reversed(result))


def _unit_sds(problem: Problem, variances: list[FloatArray], sds: FloatArray) -> tuple[FloatArray, ...]:
    """Return SDs for each of the caller's units; a unit without rows keeps the spread of its level."""
    known = _for_all_units(problem, [variance - sd**2 for variance, sd in zip(variances, sds, strict=True)])
    return tuple(np.sqrt(np.maximum(less + sd**2, 0.0)) for less, sd in zip(known, sds[::-1], strict=True))


def _unsorted(tree: Tree, values: FloatArray) -> FloatArray:
    result = np.empty_like(values)
    result[tree.order] = values
    return result


def _evidence(evaluations: int, best: Maximum) -> dict[str, float]:
    return {
        "evaluations": float(evaluations),
        "largest_gradient": best.gradient,
        "newton_decrement": best.decrement,
        "condition": best.condition,
    }


def _quadrature_notes(found: Estimate) -> list[str]:
    """Take the integrals again with twice the nodes, and say what that changes."""
    engine = found.problem.engine
    assert isinstance(engine, Quadrature)
    more = 2 * found.n_quadrature + 1
    again = Quadrature(engine.rows, engine.start, more).evaluate(found.parameters).loglik
    moved = abs(again - found.loglik)
    if moved <= _UNSETTLED:
        return []
    says = f"With {more} nodes in place of {found.n_quadrature} the log-likelihood moves by {moved:.2g}: "
    if moved <= _ARTEFACT:
        return [f"{says}use more nodes before the SD is relied on."]
    return [
        f"{says}this result is made by the nodes, not by the data. Use more of them; where units are nearly all "
        "successes or all failures no number may be enough, and units must be joined or rows added."
    ]


def _edge_notes(data: ModelData, sds: FloatArray, poisson_limit: bool) -> list[str]:
    notes = [
        f"The SD of {level} is estimated as exactly 0: the data show no spread between its units beyond what the "
        "rest of the model expects. That is no proof that there is none."
        for level, sd in zip(data.levels, sds, strict=True)
        if sd == 0
    ]
    if poisson_limit:
        notes.append(
            "The counts vary no more than a Poisson model expects, so the negative binomial's k is infinite and the "
            "result is that of family='poisson'."
        )
    return notes
