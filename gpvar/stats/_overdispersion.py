"""The shared spread: how much units differ beyond chance, estimated without being led by the exceptional ones.

All of it works on the link scale: residuals r = y − θ with known sampling (plus transient) variances, and a spread
τ² common to all units. The robust equations are Huber's Proposal 2 placed inside Paule and Mandel's:
Σψ(z) = 0 and Σψ(z)² = (n − p)κ with z = (r − m)/sqrt(variance + τ²), where ψ caps z at the point c that a standard
normal exceeds with probability `trim` on each side and κ is the mean of ψ(Z)² for a standard normal Z. Because κ is
what pure chance would give, the spread is neither left too small by the capping nor inflated by the outliers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, refuse, vector

_NEWTON_STEPS = 25
_SAFE_STEPS = 500
_CLOSE = 1e-12
_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class SharedSpread:
    """Centre and shared spread of a set of residuals.

    Attributes
    ----------
    centre
        Robust centre on the link scale: one number, or with groups an array with one value per unit.
    tau2
        Variance between units beyond sampling, on the link scale; pooled over the groups.
    n_parameters
        Fitted quantities taken off the number of units.
    """

    centre: float | FloatArray
    tau2: float
    n_parameters: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row per unit (one row in all without groups): `centre`, `tau2`, `tau`."""
        centre = np.atleast_1d(np.asarray(self.centre, dtype=np.float64))
        return pd.DataFrame({"centre": centre, "tau2": self.tau2, "tau": np.sqrt(self.tau2)})


@dataclass(frozen=True, slots=True)
class OverdispersionTest:
    """Whether units differ by more than chance: Σz² against a χ² distribution."""

    statistic: float
    df: int
    p: float


def chi2_test(statistic: float, df: int) -> OverdispersionTest:
    """Return the upper-tail test of a sum of squares."""
    return OverdispersionTest(statistic, df, float(stats.chi2.sf(statistic, df)) if df > 0 else float("nan"))


def winsor_point(trim: float) -> float:
    """Return the z at which `trim` of a standard normal is capped on each side."""
    if not 0.0 <= trim < 0.5:
        raise StatsError(
            "trim must be at least 0 and below one half.",
            f"trim is {trim!r}",
            "Use 0.1 to cap the tenth furthest out on each side, or 0 to cap nothing.",
        )
    return float("inf") if trim == 0.0 else -float(special.ndtri(trim))


def winsor_factor(trim: float) -> float:
    """Return the mean of a squared standard normal once `trim` of it is capped on each side."""
    point = winsor_point(trim)
    if np.isinf(point):
        return 1.0
    density = np.exp(-0.5 * point**2) / np.sqrt(2.0 * np.pi)
    return float((1.0 - 2.0 * trim) - 2.0 * point * density + 2.0 * trim * point**2)


def truncation_factor(trim: float) -> float:
    """Return the mean of a squared standard normal once `trim` of it is cut off on each side."""
    point = winsor_point(trim)
    if np.isinf(point):
        return 1.0
    density = np.exp(-0.5 * point**2) / np.sqrt(2.0 * np.pi)
    return float(1.0 - 2.0 * point * density / (1.0 - 2.0 * trim))


def _capped(z: FloatArray, point: float) -> FloatArray:
    return np.minimum(np.maximum(z, -point), point)


def _centres(
    residual: FloatArray, sd: FloatArray, point: float, group: NDArray[np.intp], n_groups: int, start: FloatArray
) -> FloatArray:
    """Solve Σψ((r − m)/sd) = 0 for each group.

    Newton's steps are exact once the capped units are the right ones; should they cycle, the reweighted mean, which
    always converges, takes over.
    """
    if n_groups == 1:

        def total(values: FloatArray) -> FloatArray:
            return np.atleast_1d(values.sum())
    else:

        def total(values: FloatArray) -> FloatArray:
            return np.asarray(np.bincount(group, values, n_groups), dtype=np.float64)

    inverse = 1.0 / sd
    centre = start.copy()
    for step in range(_NEWTON_STEPS + _SAFE_STEPS):
        z = (residual - centre[group]) * inverse
        psi = _capped(z, point)
        if step < _NEWTON_STEPS:
            slope = total(np.where(np.abs(z) <= point, inverse, 0.0))
            weighted = total(inverse * psi / np.where(z == 0.0, 1.0, z)) if not slope.all() else slope
            slope = np.where(slope > 0.0, slope, weighted)
        else:
            slope = total(inverse * np.where(z == 0.0, 1.0, psi / np.where(z == 0.0, 1.0, z)))
        change = total(psi) / np.where(slope > 0.0, slope, 1.0)
        centre = centre + change
        if np.all(np.abs(change) <= _CLOSE * (1.0 + np.abs(centre))):
            break
    return centre


def shared_spread(
    residual: ArrayLike,
    variance: ArrayLike,
    *,
    n_parameters: int = 1,
    trim: float = 0.10,
    groups: ArrayLike | None = None,
    centre: float | None = None,
) -> SharedSpread:
    """Solve jointly for the robust centre of `residual` and the spread shared by all units.

    Parameters
    ----------
    residual
        y − θ of each unit on the link scale.
    variance
        Sampling plus transient variance of each residual.
    n_parameters
        Columns fitted to obtain θ, the constant included. With `groups` each group's centre replaces the constant.
    trim
        Share capped on each side.
    groups
        Label of each unit's group: a centre is solved for each, and τ² is pooled over all.
    centre
        A centre fixed beforehand; nothing is then counted as fitted.

    References
    ----------
    Huber 1964, Ann Math Stat 35:73; Paule & Mandel 1982, J Res NBS 87:377.
    """
    r, var = _residuals(residual, variance)
    code, n_groups = _codes(groups, len(r))
    fitted = 0 if centre is not None else n_parameters - 1 + n_groups
    if len(r) <= fitted:
        raise StatsError(
            "There are too few units to estimate a shared spread.",
            f"{len(r)} units for {fitted} fitted quantities",
            "Use more units, fewer adjusters, or a fixed centre.",
        )
    point, wanted = winsor_point(trim), (len(r) - fitted) * winsor_factor(trim)
    state = np.full(n_groups, centre) if centre is not None else _medians(r, code, n_groups)

    def excess(tau2: float) -> float:
        nonlocal state
        sd = np.sqrt(var + tau2)
        if centre is None:
            state = _centres(r, sd, point, code, n_groups, state)
        psi = _capped((r - state[code]) / sd, point)
        return float(psi @ psi) - wanted

    tau2 = _positive_root(excess, float(np.mean((r - state[code]) ** 2)))
    excess(tau2)
    result: float | FloatArray = state[code] if groups is not None else float(state[0])
    return SharedSpread(result, tau2, fitted)


def _positive_root(excess: Callable[[float], float], scale: float) -> float:
    """Return the spread at which `excess` falls to zero, 0 when chance alone is already enough."""
    if excess(0.0) <= 0.0:
        return 0.0
    high = max(scale, 1e-8)
    while excess(high) > 0.0:
        high *= 4.0
    root = optimize.brentq(excess, 0.0, high, xtol=1e-15, rtol=4e-15, maxiter=200)
    return float(root)


def proposal2_scale(z: FloatArray, n_parameters: int, trim: float) -> float:
    """Return φ, the factor by which the variance of z exceeds chance, by Huber's Proposal 2.

    φ solves Σψ(z/√φ)² = (n − p)κ: the capping point moves with φ, so a large spread is not cut off by it.
    """
    point, wanted = winsor_point(trim), (len(z) - n_parameters) * winsor_factor(trim)
    if wanted <= 0.0:
        return float("nan")
    ceiling = float(z @ z) / (len(z) - n_parameters) / winsor_factor(trim)
    if ceiling == 0.0:
        return 0.0

    def excess(log_phi: float) -> float:
        psi = _capped(z * np.exp(-0.5 * log_phi), point)
        return float(psi @ psi) - wanted

    top = np.log(ceiling) + 1e-9
    low = top - 1.0
    while excess(low) < 0.0 and low > top - 60.0:
        low -= 4.0
    if excess(low) < 0.0:
        return 0.0
    return float(np.exp(optimize.brentq(excess, low, top, xtol=1e-13)))


def dersimonian_laird(
    residual: ArrayLike,
    variance: ArrayLike,
    *,
    n_parameters: int = 1,
    centre: float | None = None,
    groups: ArrayLike | None = None,
) -> tuple[SharedSpread, OverdispersionTest]:
    """Return DerSimonian and Laird's spread and centre, nothing capped, with Cochran's Q.

    Parameters
    ----------
    residual, variance, n_parameters, centre, groups
        As for `shared_spread`; with `groups` Q is summed over them and the spread pooled.

    References
    ----------
    DerSimonian & Laird 1986, Control Clin Trials 7:177.
    """
    r, var = _residuals(residual, variance)
    if groups is not None:
        return _grouped_dersimonian_laird(r, var, n_parameters, *_codes(groups, len(r)))
    weight = 1.0 / var
    fitted = 0 if centre is not None else n_parameters
    middle = float(weight @ r / weight.sum()) if centre is None else centre
    q = float(weight @ (r - middle) ** 2)
    df = len(r) - fitted
    lost = float(weight @ weight / weight.sum()) if fitted else 0.0
    tau2 = max(0.0, (q - df) / (float(weight.sum()) - lost))
    total = 1.0 / (var + tau2)
    final = float(total @ r / total.sum()) if centre is None else centre
    return SharedSpread(final, tau2, fitted), chi2_test(q, df)


def _grouped_dersimonian_laird(
    r: FloatArray, var: FloatArray, n_parameters: int, code: NDArray[np.intp], n_groups: int
) -> tuple[SharedSpread, OverdispersionTest]:
    fitted = n_parameters - 1 + n_groups
    if len(r) <= fitted:
        raise StatsError(
            "There are too few units to estimate a shared spread.",
            f"{len(r)} units for {fitted} fitted quantities",
            "Use more units, fewer adjusters, or larger groups.",
        )

    def means(weight: FloatArray) -> FloatArray:
        return np.bincount(code, weight * r, n_groups) / np.bincount(code, weight, n_groups)

    weight = 1.0 / var
    q = float(weight @ (r - means(weight)[code]) ** 2)
    df = len(r) - fitted
    lost = float((np.bincount(code, weight**2, n_groups) / np.bincount(code, weight, n_groups)).sum())
    tau2 = max(0.0, (q - df) / (float(weight.sum()) - lost))
    return SharedSpread(means(1.0 / (var + tau2))[code], tau2, fitted), chi2_test(q, df)


def leave_one_out_centre(
    residual: ArrayLike, variance: ArrayLike, tau2: float, groups: ArrayLike, *, trim: float = 0.10
) -> FloatArray:
    """Return, for each unit, the robust centre of the other members of its group.

    A unit that is alone in its group has no one to be compared with: its value is missing. With `trim` nought it is
    their weighted mean.
    """
    r, var = _residuals(residual, variance)
    if not tau2 >= 0.0:
        raise StatsError("tau2 cannot be negative.", f"tau2 is {tau2!r}", "Pass the pooled spread of shared_spread.")
    point = winsor_point(trim)
    code, n_groups = _codes(groups, len(r))
    if np.isinf(point):
        return _mean_of_the_others(r, 1.0 / (var + tau2), code, n_groups)
    sd = np.sqrt(var + tau2)
    start = _centres(r, sd, point, code, n_groups, _medians(r, code, n_groups))
    order = np.argsort(code, kind="stable")
    result = np.full(len(r), np.nan)
    for members in np.split(order, np.cumsum(np.bincount(code, minlength=n_groups))[:-1]):
        if len(members) > 1:
            rows = max(1, _CELLS // len(members))
            for at in range(0, len(members), rows):
                left_out = members[at : at + rows]
                result[left_out] = _without(r[members], sd[members], point, at, len(left_out), start[code[members[0]]])
    return result


def _mean_of_the_others(r: FloatArray, weight: FloatArray, code: NDArray[np.intp], n_groups: int) -> FloatArray:
    total, size = (np.bincount(code, values, n_groups)[code] for values in (weight * r, weight))
    alone = np.bincount(code, minlength=n_groups)[code] < 2
    left = np.where(alone, np.nan, size - weight)
    return np.asarray((total - weight * r) / left, dtype=np.float64)


def _without(r: FloatArray, sd: FloatArray, point: float, at: int, count: int, start: float) -> FloatArray:
    """Solve the robust centre of one group `count` times, each time without one member from position `at` on."""
    own = (np.arange(count), at + np.arange(count))
    inverse = 1.0 / sd
    centre = np.full(count, start)
    for step in range(_NEWTON_STEPS + _SAFE_STEPS):
        z = (r - centre[:, None]) * inverse
        psi = _capped(z, point)
        # While Newton's steps are taken a unit counts in full or, capped, not at all.
        weight = (psi == z) * inverse if step < _NEWTON_STEPS else _ratio(psi, z) * inverse
        weight[own] = 0.0
        psi[own] = 0.0
        slope = weight.sum(axis=1)
        lone = slope == 0.0
        if lone.any():
            weight = _ratio(psi, z) * inverse
            weight[own] = 0.0
            slope[lone] = weight[lone].sum(axis=1)
        change = psi.sum(axis=1) / slope
        centre = centre + change
        if np.all(np.abs(change) <= _CLOSE * (1.0 + np.abs(centre))):
            break
    return centre


def _ratio(psi: FloatArray, z: FloatArray) -> FloatArray:
    """Return ψ(z)/z, which is 1 at nought."""
    return np.asarray(np.where(z == 0.0, 1.0, psi / np.where(z == 0.0, 1.0, z)), dtype=np.float64)


def _residuals(residual: ArrayLike, variance: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r, var = np.broadcast_arrays(vector(residual, "residual"), vector(variance, "variance"))
    refuse(~np.isfinite(r), "A residual is missing or infinite.", "residual", r, "Leave such units out first.")
    refuse(
        ~(np.isfinite(var) & (var > 0)),
        "A variance is missing, zero or negative.",
        "variance",
        var,
        "Every unit needs a sampling variance above zero; leave out units without one.",
    )
    return r.astype(np.float64), var.astype(np.float64)


def _codes(groups: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], int]:
    if groups is None:
        return np.zeros(n, dtype=np.intp), 1
    code, labels = pd.factorize(np.asarray(groups, dtype=object))
    if len(code) != n or (code < 0).any():
        raise StatsError(
            "Every unit needs a group.",
            f"{n} units, {len(code)} groups, {int((code < 0).sum())} of them missing",
            "Give the group of each unit, or leave the unit out.",
        )
    return np.asarray(code, dtype=np.intp), len(labels)


def _medians(r: FloatArray, code: NDArray[np.intp], n_groups: int) -> FloatArray:
    if n_groups == 1:
        return np.array([float(np.median(r))])
    return np.asarray(pd.Series(r).groupby(code).median().to_numpy(), dtype=np.float64)
