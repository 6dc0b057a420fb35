"""The search for the maximum: BFGS in natural units, each small SD tried at zero, and proof of a maximum.

Coordinates are scaled by the information about them at the start, so that a step of 1 is about one standard error.
An SD that the data do not support lies at zero, where log s never arrives: after the climb each small one is tried at
exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from gpvar.errors import ConvergenceError
from gpvar.stats._checks import BoolArray, FloatArray

#: Largest gradient in units of about one standard error at which the climb ends and Newton's step takes over.
_GRADIENT = 3e-5
#: Gain in log-likelihood that one more Newton step could still bring, at which a maximum is accepted.
_DECREMENT = 1e-12
#: Decrement below which the Hessian before Newton's step is the Hessian after it, to about 1e-4.
_SAME_CURVATURE = 1e-7
#: How far below the climb's end the edge may lie and still be tried; and what counts as higher ground elsewhere.
_NEAR = 2.0
_HIGHER = 1e-6
_WELL_KNOWN = 0.125
_CLIMBS = 60
_ASCENTS = 6
#: From how many distances an edge is looked at again.
_FAR = 2
_LONGEST = 2.0
_DIFFERENCE = 3e-3


@dataclass(frozen=True, slots=True)
class Edge:
    """A parameter that may end where its logarithm never arrives: an SD at zero, a dispersion at infinity.

    Attributes
    ----------
    index
        Its place in the parameter vector.
    at
        Its value there: −∞ or ∞.
    """

    index: int
    at: float


@dataclass(frozen=True, slots=True)
class Surface:
    """What is climbed.

    Attributes
    ----------
    evaluate
        Parameter vector → evaluation with `parameters`, `loglik` and `gradient`.
    scale
        Evaluation, mask of free parameters → (free, free) matrix: a step z in natural units, of about one standard
        error, moves the free parameters by `scale @ z`.
    inside
        Evaluation, edge → a value of the edge's parameter so close to it that the slope there is the slope at the edge.
    outside
        Evaluation, edge, 0 or 1 → a value far from the edge, or farther, to look again from the other side.
    edges
        The parameters that may end on an edge.
    noise
        How much rounding may move the log-likelihood.
    begin
        Evaluation, another on its far side or None → nothing: the next evaluation is to begin its own inner search
        there, or as far beyond the first as the other lies before it.
    """

    evaluate: Callable[[FloatArray], Any]
    scale: Callable[[Any, BoolArray], FloatArray]
    inside: Callable[[Any, Edge], float]
    outside: Callable[[Any, Edge, int], float]
    edges: tuple[Edge, ...]
    noise: float
    begin: Callable[[Any, Any], None]


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the search ended.

    Attributes
    ----------
    point
        The surface's own evaluation there.
    free
        Which parameters were free: False for those on an edge and for those held.
    covariance
        (free, free) inverse of the negative Hessian.
    decrement
        Twice the gain in log-likelihood that one more Newton step promises.
    gradient
        Largest gradient, in natural units.
    condition
        Condition number of the negative Hessian in natural units.
    """

    point: Any
    free: BoolArray
    covariance: FloatArray
    decrement: float
    gradient: float
    condition: float


def maximise(surface: Surface, start: FloatArray, free: BoolArray) -> Maximum:
    """Return the maximum over the free parameters, with proof.

    Raises
    ------
    ConvergenceError
        If no maximum was reached.
    """
    *higher, lowest = seek(surface, start, free)
    for point, settled in higher:
        # A hill that rises for ever is none; the next highest may have a top.
        with suppress(ConvergenceError):
            return _proved(surface, point, settled)
    return _proved(surface, *lowest)


def _proved(surface: Surface, point: Any, free: BoolArray) -> Maximum:
    scale = surface.scale(point, free)
    point, matrix, decrement = polish(surface, point, free, scale)
    covariance = scale @ np.linalg.inv(matrix) @ scale.T if matrix.size else matrix
    gradient = float(np.max(np.abs(scale.T @ point.gradient[free]), initial=0.0))
    condition = float(np.linalg.cond(matrix)) if matrix.size else 1.0
    return Maximum(point, free, covariance, decrement, gradient, condition)


def seek(
    surface: Surface, start: FloatArray, free: BoolArray, tolerance: float = _GRADIENT, look_again: bool = True
) -> list[tuple[Any, BoolArray]]:
    """Return points close to a maximum, the highest first, edges settled, and which parameters are still free there."""
    point = _ascend(surface, surface.evaluate(start), free, tolerance)
    point, settled = _settle(surface, point, free, tolerance)
    found = [(point, settled)]
    there = [edge for edge in surface.edges if look_again and free[edge.index] and not settled[edge.index]]
    # A likelihood may have a hill on the edge and another inside: look again from the far side, together and singly.
    looks = [(there, 0)] if len(there) > 1 else []
    looks += [([edge], far) for edge in there for far in range(_FAR)]
    for edges, far in looks:
        parameters = point.parameters.copy()
        for edge in edges:
            parameters[edge.index] = surface.outside(point, edge, far)
        try:
            other = _ascend(surface, surface.evaluate(parameters), free, tolerance)
            other, other_settled = _settle(surface, other, free, tolerance)
        except ConvergenceError:
            continue
        if other.loglik > found[-1][0].loglik + _HIGHER + surface.noise:
            found.append((other, other_settled))
    return found[::-1]


def _ascend(surface: Surface, point: Any, free: BoolArray, tolerance: float) -> Any:
    """Climb, and again in units of the place where the first climb ended if that is not a summit."""
    for _ in range(_ASCENTS):
        scale = surface.scale(point, free)
        if np.max(np.abs(scale.T @ point.gradient[free]), initial=0.0) < tolerance:
            break
        point = climb(surface, point, free, scale, tolerance)
    return point


def _settle(surface: Surface, point: Any, free: BoolArray, tolerance: float) -> tuple[Any, BoolArray]:
    """Put on its edge each parameter whose likelihood does not rise from there; nearest to it first."""
    free = free.copy()
    widths = np.zeros(len(free))
    widths[free] = np.diag(surface.scale(point, free))
    for edge in sorted(surface.edges, key=lambda edge: -np.sign(edge.at) * point.parameters[edge.index]):
        # A parameter known to an eighth of its size or better is nowhere near its edge.
        if not free[edge.index] or widths[edge.index] < _WELL_KNOWN:
            continue
        there = surface.evaluate(_moved(point, edge, edge.at))
        if there.loglik < point.loglik - _NEAR - surface.noise:
            continue
        fewer = free.copy()
        fewer[edge.index] = False
        there = _ascend(surface, there, fewer, tolerance)
        inside, towards = surface.inside(there, edge), np.sign(edge.at)
        rises = towards * float(surface.evaluate(_moved(there, edge, inside)).gradient[edge.index]) < 0
        if there.loglik > point.loglik - _HIGHER - surface.noise and not rises:
            point, free = there, fewer
        elif towards * (point.parameters[edge.index] - inside) > 0:
            # A long step put it where its logarithm is blind, at the foot of the hill: climb from the other side.
            away = surface.evaluate(_moved(there, edge, surface.outside(there, edge, 0)))
            point = _ascend(surface, away, free, tolerance)
    return point, free


def _moved(point: Any, edge: Edge, value: float) -> FloatArray:
    parameters: FloatArray = point.parameters.copy()
    parameters[edge.index] = value
    return parameters


def climb(surface: Surface, point: Any, free: BoolArray, scale: FloatArray, tolerance: float) -> Any:
    """Return a point where the gradient is small, by BFGS.

    Parameters
    ----------
    scale
        (free, free): a step z in natural units moves the free parameters by `scale @ z`.
    """
    n = int(free.sum())
    inverse = np.eye(n)
    gradient = scale.T @ point.gradient[free]
    for _ in range(_CLIMBS):
        direction = inverse @ gradient
        gain = float(gradient @ direction)
        if np.max(np.abs(gradient), initial=0.0) < tolerance:
            return point
        longest = float(np.max(np.abs(scale @ direction)))
        length = min(1.0, _LONGEST / longest) if longest > 0 else 1.0
        found = _line_search(surface, point, free, scale @ direction, gain, length)
        if found is None:
            return point
        new, length = found
        fresh = scale.T @ new.gradient[free]
        inverse = _updated(inverse, length * direction, gradient - fresh)
        point, gradient = new, fresh
    return point


def _line_search(
    surface: Surface, point: Any, free: BoolArray, move: FloatArray, slope: float, length: float
) -> tuple[Any, float] | None:
    """Return a point far enough up the line, or None when nothing higher is found."""
    for _ in range(40):
        parameters = point.parameters.copy()
        parameters[free] += length * move
        try:
            new = surface.evaluate(parameters)
        except ConvergenceError:
            length *= 0.25
            continue
        if np.isfinite(new.loglik) and np.all(np.isfinite(new.gradient)):
            after = float(new.gradient[free] @ move)
            if new.loglik >= point.loglik + 1e-4 * length * slope - surface.noise:
                return new, length
            shrink = slope / (slope - after) if after < slope else 0.5
            length *= min(0.6, max(0.1, shrink))
        else:
            length *= 0.25
    return None


def _updated(inverse: FloatArray, step: FloatArray, change: FloatArray) -> FloatArray:
    """Return the BFGS update of the inverse Hessian of −L."""
    curvature = float(step @ change)
    if curvature <= 1e-10 * float(np.linalg.norm(step) * np.linalg.norm(change)):
        return inverse
    rho = 1.0 / curvature
    left = np.eye(len(step)) - rho * np.outer(step, change)
    return np.asarray(left @ inverse @ left.T + rho * np.outer(step, step))


def information(surface: Surface, point: Any, free: BoolArray, scale: FloatArray) -> FloatArray:
    """Return −Hessian in natural units, from central differences of the exact gradient."""
    columns = []
    for column in scale.T:
        parameters = point.parameters.copy()
        parameters[free] += _DIFFERENCE * column
        surface.begin(point, None)
        ahead = surface.evaluate(parameters)
        parameters = point.parameters.copy()
        parameters[free] -= _DIFFERENCE * column
        surface.begin(point, ahead)
        behind = surface.evaluate(parameters)
        columns.append(scale.T @ (behind.gradient - ahead.gradient)[free] / (2 * _DIFFERENCE))
    matrix = np.column_stack(columns) if columns else np.zeros((0, 0))
    return (matrix + matrix.T) / 2


def polish(surface: Surface, point: Any, free: BoolArray, scale: FloatArray) -> tuple[Any, FloatArray, float]:
    """Finish with Newton's method and prove that the point is a maximum.

    Returns
    -------
    point, information, decrement
        The last point, −Hessian in natural units there or one step before, and twice the gain one more step promises.

    Raises
    ------
    ConvergenceError
        If the surface does not curve downwards in every direction, or steps do not end.
    """
    for _ in range(12):
        matrix = information(surface, point, free, scale)
        try:
            factor = linalg.cho_factor(matrix) if matrix.size else None
        except linalg.LinAlgError:
            factor = None
            if matrix.size:
                point = climb(surface, point, free, scale, _GRADIENT / 100)
                continue
        step, decrement = _newton(factor, scale.T @ point.gradient[free])
        if decrement < _DECREMENT:
            return point, matrix, decrement
        near = decrement < _SAME_CURVATURE
        moved = _newton_point(surface, point, free, scale @ step, decrement)
        if moved is None:
            break
        point = moved
        step, decrement = _newton(factor, scale.T @ point.gradient[free])
        if near and decrement < _DECREMENT:
            return point, matrix, decrement
    raise ConvergenceError(
        "The model did not reach a maximum of its likelihood, so it has no result.",
        "the search for the maximum",
        "Leave out a grouping level or a covariate, or rescale covariates to about unit size, and fit again.",
    )


def _newton_point(surface: Surface, point: Any, free: BoolArray, move: FloatArray, decrement: float) -> Any | None:
    """Return the end of Newton's step, shortened where it does not go up; so near the top rounding cannot tell."""
    if decrement < _SAME_CURVATURE:
        parameters = point.parameters.copy()
        parameters[free] += move
        return surface.evaluate(parameters)
    found = _line_search(surface, point, free, move, decrement, 1.0)
    return None if found is None else found[0]


def _newton(factor: Any, gradient: FloatArray) -> tuple[FloatArray, float]:
    if factor is None:
        return gradient, 0.0
    step = linalg.cho_solve(factor, gradient)
    return step, float(step @ gradient)
