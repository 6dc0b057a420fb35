"""The array operations that a fit cannot do without, written bare: what the engine's inner steps are measured against.

One grouping of practices in PCNs in ICBs, rows sorted, a design, binomial (logit) or Poisson (log) counts. No classes,
no guards, no step halving: each function is the arithmetic alone, in plain numpy, as one would write it in a notebook
for this one model. It is no second engine: it takes it on trust that Newton's full step always goes uphill.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gpvar.stats.multilevel import Estimate
from gpvar.stats.multilevel._laplace import natural_scale
from gpvar.stats.multilevel._optimise import information

Array = np.ndarray

#: How far apart the points are from which both take their differences.
WIDTH = 3e-3


@dataclass(slots=True)
class Data:
    """Sorted rows, and where each unit's children begin; levels from fine to coarse."""

    y: Array
    n: Array | None
    design: Array
    offset: Array
    starts: list[Array]
    counts: list[Array]


@dataclass(slots=True)
class Point:
    """What one search for the modes leaves behind."""

    eta: Array
    mean: Array
    score: Array
    weight: Array
    scores: Array
    weights: list[Array]
    pivots: list[Array]
    effects: list[Array]
    totals: list[Array]


def of(rows: object) -> Data:
    """Return the engine's own sorted rows as bare arrays."""
    family, tree = rows.family, rows.tree  # type: ignore[attr-defined]
    trials = getattr(family, "trials", None)
    y = family.counts if trials is None else family.successes
    return Data(y, trials, rows.design, rows.offset, list(tree.starts), list(tree.counts))  # type: ignore[attr-defined]


def up(data: Data, level: int, values: Array) -> Array:
    """Sum over each unit's children."""
    starts = data.starts[level]
    return values if starts is None else np.add.reduceat(values, starts)


def down(data: Data, level: int, values: Array) -> Array:
    """Repeat each unit's value for its children."""
    counts = data.counts[level]
    return values if counts is None else np.repeat(values, counts)


def moments(data: Data, eta: Array) -> tuple[Array, Array, Array]:
    """Return mean, score and weight of each row."""
    if data.n is None:
        mean = np.exp(eta)
        return mean, data.y - mean, mean
    mean = 1.0 / (1.0 + np.exp(-eta))
    expected = data.n * mean
    return mean, data.y - expected, expected * (1.0 - mean)


def solve(data: Data, sds: Array, weights: list[Array], pivots: list[Array], pull: Array) -> list[list[Array]]:
    """Pass sums up the tree and effects down."""
    passed = [pull]
    for level in range(1, len(sds)):
        passed.append(up(data, level, passed[-1] / pivots[level - 1]))
    effects, totals = list(passed), list(passed)
    above = np.zeros(1)
    for level in reversed(range(len(sds))):
        if level + 1 < len(sds):
            above = down(data, level + 1, above)
        effects[level] = sds[level] * (passed[level] - weights[level] * above) / pivots[level]
        totals[level] = above + sds[level] * effects[level]
        above = totals[level]
    return [effects, totals]


def eliminate(data: Data, sds: Array, weight: Array) -> tuple[list[Array], list[Array]]:
    """Pass the rows' weights up the tree."""
    weights, pivots = [up(data, 0, weight)], []
    for level, sd in enumerate(sds):
        pivots.append(1.0 + sd**2 * weights[level])
        if level + 1 < len(sds):
            weights.append(up(data, level + 1, weights[level] / pivots[level]))
    return weights, pivots


def modes(data: Data, base: Array, sds: Array, total: Array, steps: int) -> Point:
    """Take `steps` of Newton's method from the finest units' whole effects, and eliminate once more at their end."""
    effects: list[Array] = []
    totals = [total]
    eta = base + down(data, 0, total)
    mean, score, weight = moments(data, eta)
    scores = up(data, 0, score)
    for _ in range(steps):
        weights, pivots = eliminate(data, sds, weight)
        effects, totals = solve(data, sds, weights, pivots, scores + weights[0] * totals[0])
        eta = base + down(data, 0, totals[0])
        mean, score, weight = moments(data, eta)
        scores = up(data, 0, score)
    weights, pivots = eliminate(data, sds, weight)
    effects, totals = solve(data, sds, weights, pivots, scores + weights[0] * totals[0])
    return Point(eta, mean, score, weight, scores, weights, pivots, effects, totals)


def loglik(data: Data, point: Point) -> float:
    """Return the Laplace log-likelihood less its constants."""
    if data.n is None:
        rows = data.y * point.eta - point.mean
    else:
        rows = data.y * point.eta - data.n * (np.maximum(point.eta, 0.0) + np.log1p(np.exp(-np.abs(point.eta))))
    squares = sum(float(u @ u) for u in point.effects)
    return float(rows.sum()) - 0.5 * squares - 0.5 * sum(float(np.log(pivot).sum()) for pivot in point.pivots)


def gradient(data: Data, sds: Array, point: Point) -> Array:
    """Return dL/d(β, log s)."""
    variances: list[Array] = []
    above = np.zeros(1)
    for level in reversed(range(len(sds))):
        if level + 1 < len(sds):
            above = down(data, level + 1, above)
        above = (sds[level] ** 2 + above / point.pivots[level]) / point.pivots[level]
        variances.insert(0, above)
    slope = point.weight if data.n is None else point.weight * (1.0 - 2.0 * point.mean)
    pull = variances[0] * up(data, 0, slope)
    adjoint, answers = solve(data, sds, point.weights, point.pivots, pull)
    bend = slope * down(data, 0, variances[0]) - point.weight * down(data, 0, answers[0])
    beta = data.design.T @ (point.score - 0.5 * bend)
    bends, scores, spreads = pull - point.weights[0] * answers[0], point.scores, []
    for level, sd in enumerate(sds):
        if level:
            scores, bends = up(data, level, scores), up(data, level, bends)
        share = point.weights[level] / point.pivots[level]
        spent = float(share.sum())
        if level + 1 < len(sds):
            spent -= float(down(data, level + 1, variances[level + 1]) @ share**2)
        through = float(point.effects[level] @ (scores - 0.5 * bends)) - 0.5 * float(adjoint[level] @ scores)
        spreads.append(sd * through - sd**2 * spent)
    return np.concatenate([beta, spreads])


def evaluate(data: Data, parameters: Array, total: Array, steps: int) -> tuple[float, Array, Point]:
    """Return log-likelihood (less constants), gradient and modes after `steps` steps from `total`."""
    p = data.design.shape[1]
    sds = np.exp(parameters[p:])
    point = modes(data, data.offset + data.design @ parameters[:p], sds, total, steps)
    return loglik(data, point), gradient(data, sds, point), point


def hessian(data: Data, parameters: Array, total: Array, steps: list[int], scale: Array) -> Array:
    """Return −Hessian along the columns of `scale`, by central differences, with the given steps per evaluation."""
    columns = []
    taken = iter(steps)
    for column in scale.T:
        _, ahead, found = evaluate(data, parameters + WIDTH * column, total, next(taken))
        _, behind, _ = evaluate(data, parameters - WIDTH * column, 2.0 * total - found.totals[0], next(taken))
        columns.append(scale.T @ (behind - ahead) / (2.0 * WIDTH))
    matrix = np.column_stack(columns)
    return (matrix + matrix.T) / 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a fit, to be done by the engine and by bare operations.

    Attributes
    ----------
    rows
        By which the seconds are divided: the rows, times how often the part is done in one call.
    judged
        Whether a bar is set for it.
    """

    name: str
    ours: Callable[[], Any]
    bare: Callable[[], Any]
    rows: int
    judged: bool = True


def beside(found: Estimate) -> list[Part]:
    """Return the parts of the fit that led to this estimate, at its maximum."""
    problem, at = found.problem, found.parameters
    engine = problem.engine
    data, point, settled = of(engine.rows), engine.evaluate(at), engine.start
    check(data, at, settled[0], point)
    scale = natural_scale(engine.rows, point, np.ones(len(at), dtype=bool))
    nowhere = [np.zeros_like(total) for total in settled]
    beta, sds = at[: problem.fixed], np.exp(at[problem.fixed :])
    taken: list[int] = []

    def search() -> int:
        engine.start = nowhere
        return int(engine.modes(at)[0].steps)

    def counted(parameters: Array) -> Any:
        before = engine.steps
        evaluation = engine.evaluate(parameters)
        taken.append(engine.steps - before)
        return evaluation

    def curvature(surface: Any = problem.surface) -> Array:
        engine.start = settled
        return information(surface, point, np.ones(len(at), dtype=bool), scale)

    steps, n = search(), len(data.y)
    curvature(replace(problem.surface, evaluate=counted))
    there = modes(data, data.offset + data.design @ beta, sds, settled[0], 1)
    return [
        Part("one exp", lambda: np.exp(there.eta), lambda: np.exp(there.eta), n, judged=False),
        Part(
            f"one inner step, of {steps} from no effects",
            search,
            lambda: modes(data, data.offset + data.design @ beta, sds, nowhere[0], steps),
            n * (steps + 1),
        ),
        Part(
            "one gradient at the modes",
            lambda: engine._gradient(point.modes, sds, engine.rows.family),
            lambda: gradient(data, sds, there),
            n,
        ),
        Part(
            f"one Hessian: {len(taken)} gradients, {sum(taken)} steps",
            curvature,
            lambda: hessian(data, at, settled[0], taken, scale),
            n,
        ),
    ]


def check(data: Data, parameters: Array, total: Array, point: Any) -> None:
    """Refuse to measure against array operations that compute something else."""
    _, slopes, found = evaluate(data, parameters, total, 2)
    for mine, theirs in ((point.gradient, slopes), (point.modes.totals[0], found.totals[0])):
        if not np.allclose(mine, theirs, rtol=1e-6, atol=1e-5):
            raise SystemExit("The bare operations do not give the engine's numbers: nothing was measured.")
