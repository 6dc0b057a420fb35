"""What units' effects are when something is left out of them: the unit itself, or movement that passes.

References
----------
Robinson 1991, Stat Sci 6:15 (best linear unbiased prediction); Goldstein & Spiegelhalter 1996, JRSS A 159:385.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, IntArray, floats, refuse, vector
from gpvar.stats.multilevel._reading import check_seed, refuse_missing, unit_codes

_ROWS = 64


def leave_one_out_place(
    residual: ArrayLike,
    variance: ArrayLike,
    groups: pd.DataFrame | Mapping[str, Any],
    variances: Mapping[str, float],
    *,
    with_variance: bool = False,
) -> FloatArray:
    """Return what a row's groups are worth as the other rows show it, the row itself left out.

    Parameters
    ----------
    residual
        (rows,) distance from the fixed effects on the link scale.
    variance
        (rows,) variance of each about its groups: sampling and the row's own effect; or one for all. Infinite: the
        row has a place, and tells the others nothing.
    groups
        Level names → (rows,) labels, coarse to fine; a label belongs to one unit of the level above. None: zeros.
    variances
        Level names → variances of their effects; zero is fine.
    with_variance
        Return the variance of that sum given the same residuals, too: (2, rows), expectation and variance.

    Returns
    -------
    array
        (rows,) sum of the effects of the row's groups, coarse to fine: their expectation given the residuals of all
        rows but this one (BLUP). A row alone in its group gets what the levels above say, 0 at the top.

    Notes
    -----
    Sums of information are passed up the levels, and what each unit is without one of its children is handed down:
    three passes over the rows instead of one fit per row.
    """
    y, spread = _residuals(residual, variance)
    levels = {str(name): groups[name] for name in groups}  # type: ignore[index]
    between = _between(variances, list(levels))[::-1]
    codes = _nested(levels, len(y))[::-1]
    weight, pull = 1.0 / spread, y / spread
    below: list[tuple[IntArray, FloatArray, FloatArray]] = []
    sums: list[tuple[FloatArray, FloatArray]] = []
    for level, units in enumerate(codes):
        # A unit's parent is that of any of its rows.
        parent = units[np.unique(codes[level - 1], return_index=True)[1]] if level else units
        below.append((parent, weight, pull))
        info, score = (np.asarray(np.bincount(parent, each), dtype=np.float64) for each in (weight, pull))
        sums.append((info, score))
        pivot = 1.0 + between[level] * info
        weight, pull = info / pivot, score / pivot
    # What is known of each unit's whole place without that unit: its mean and variance.
    mean, about = np.zeros_like(weight), np.zeros_like(weight)
    for (parent, weight, pull), (info, score), tau2 in zip(below[::-1], sums[::-1], between[::-1], strict=True):
        prior = about[parent] + tau2
        pivot = 1.0 + prior * np.maximum(info[parent] - weight, 0.0)
        mean = (mean[parent] + prior * (score[parent] - pull)) / pivot
        about = prior / pivot
    return np.stack([mean, about]) if with_variance else mean


def lasting(draws: Any, variance_draws: ArrayLike, transient: ArrayLike, seed: int, *, overwrite: bool = False) -> Any:
    """Return draws of what lasts of units' effects, from draws that hold passing movement too.

    Parameters
    ----------
    draws
        (draws, units) effects u; an array or a frame, of 32 or 64 bit.
    variance_draws
        (draws,) variance σ² of the effects in each draw, or one for all.
    transient
        Variance v of the passing movement that they hold: (units,), or one for all.
    seed
        Of the draws.
    overwrite
        Write into `draws`, which must be an array; for draws of many units.

    Returns
    -------
    array or DataFrame
        As `draws`: p given u is normal with mean u τ²/(τ² + v) and variance τ²v/(τ² + v), where τ² = max(σ² − v, 0).
        Over draws the variance of p is τ². Where v is all of the variance nothing lasts, and p is 0.
    """
    values = _effects(draws, overwrite)
    n, units = values.shape
    sigma2 = _one_each(variance_draws, "variance_draws", n, "draws")
    v = _one_each(transient, "transient", units, "units")
    rng = np.random.default_rng(check_seed(seed))
    result = values if overwrite else np.empty_like(values)
    for start in range(0, n, _ROWS):
        rows = slice(start, min(start + _ROWS, n))
        tau2 = np.maximum(sigma2[rows, None] - v, 0.0)
        share = np.divide(tau2, tau2 + v, out=np.zeros_like(tau2), where=tau2 > 0.0)
        noise = rng.standard_normal(tau2.shape, dtype=values.dtype.type)
        noise *= np.sqrt(share * v).astype(values.dtype)
        np.multiply(values[rows], share.astype(values.dtype), out=result[rows])
        result[rows] += noise
    if isinstance(draws, pd.DataFrame):
        return pd.DataFrame(result, index=draws.index, columns=draws.columns)
    return result


def _residuals(residual: ArrayLike, variance: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y = vector(residual, "residual")
    refuse(~np.isfinite(y), "A residual is missing.", "residual", y, "Leave the row out of all columns.")
    return y, _one_each(variance, "variance", len(y), "rows", of_rows=True)


def _one_each(values: ArrayLike, name: str, count: int, of: str, *, of_rows: bool = False) -> FloatArray:
    """Return variances, one per row or one for all; those of rows may be infinite and must not be zero."""
    array = vector(values, name)
    if len(array) not in (1, count):
        raise StatsError(
            f"{name} must hold one value per one of the {of}, or one for all.",
            f"{len(array)} values for {count} {of}",
            "Pass variances in the same order.",
        )
    wrong = ~(array > 0.0) if of_rows else ~((array >= 0.0) & np.isfinite(array))
    least = "above zero" if of_rows else "zero or more"
    refuse(wrong, f"A variance is missing, or not {least}.", name, array, "Pass squares of SDs; leave out the others.")
    return np.asarray(np.broadcast_to(array, (count,)))


def _nested(levels: dict[str, Any], rows: int) -> list[IntArray]:
    """Return the numbers of the rows' units per level, coarse to fine."""
    refuse_missing(levels)
    codes: list[IntArray] = []
    for name, labels in levels.items():
        found, units = unit_codes(labels, name)
        if len(found) != rows:
            raise StatsError(
                f"Level {name!r} must hold one label per residual.",
                f"{len(found)} labels, {rows} residuals",
                "Pass labels of the same rows.",
            )
        if codes:
            stray = codes[-1][np.unique(found, return_index=True)[1]][found] != codes[-1]
            if stray.any():
                raise StatsError(
                    f"Level {name!r} is not nested in {list(levels)[len(codes) - 1]!r}.",
                    f"{name} {units[found[stray.argmax()]]!r} lies in more than one",
                    "Name the levels coarse to fine, and give each unit a label of its own.",
                )
        codes.append(found)
    return codes


def _between(variances: Mapping[str, float], levels: list[str]) -> list[float]:
    if set(variances) != set(levels):
        raise StatsError(
            "groups and variances must name the same levels.",
            f"groups {levels}, variances {list(variances)}",
            "Pass one variance per level.",
        )
    return [float(_one_each(variances[name], f"variance of {name}", 1, "levels")[0]) for name in levels]


def _effects(draws: Any, overwrite: bool) -> Any:
    """Return draws as a table of 32 or 64 bit, without a copy where they are one."""
    if overwrite and not (isinstance(draws, np.ndarray) and draws.dtype in (np.float32, np.float64)):
        raise StatsError(
            "Only an array of floats can be overwritten.",
            f"draws is a {type(draws).__name__}",
            "Leave out overwrite, or pass draws.to_numpy(copy=True).",
        )
    values = np.asarray(draws)
    if values.dtype not in (np.float32, np.float64):
        values = floats(values, "draws")
    if values.ndim != 2:
        raise StatsError(
            "draws must be a table with a row per draw and a column per unit.",
            f"its shape is {values.shape}",
            "Pass joint draws of the units' effects.",
        )
    return values
