"""Where variation comes from: shares of a variance, how much a model moves it, and classical measures of spread.

The variance of a fitted linear predictor is split over blocks of columns by averaging over the orders in which the
blocks could enter (LMG), and reduced by what the uncertainty of the coefficients alone would add. Beside it stand the
variances of the random effects and the noise of a unit's own figure; together they are the whole.

References
----------
Lindeman, Merenda & Gold 1980, Introduction to Bivariate and Multivariate Analysis; Grömping 2007, Am Stat 61:139;
Merlo et al. 2005, J Epidemiol Community Health 59:1022; McPherson et al. 1982, N Engl J Med 307:1310; Ibáñez et al.
2009, BMC Health Serv Res 9:60; Kendall 1945, Biometrika 33:239; Mackenbach & Kunst 1997, Soc Sci Med 44:757.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, check_level, floats, refuse, vector
from gpvar.stats._lmg import Blocks, read_blocks, refuse_missing, refuse_unequal, split, square
from gpvar.stats._spread import (
    SCV,
    EquityGradient,
    equity_gradient,
    kendall_reranking,
    movers,
    proportional_change,
    scv,
    scv_test,
)

__all__ = [
    "SCV",
    "EquityGradient",
    "Explained",
    "Partition",
    "equity_gradient",
    "explained",
    "kendall_reranking",
    "lmg",
    "movers",
    "partition",
    "proportional_change",
    "scv",
    "scv_test",
]


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """What blocks of columns explain of the variance between units.

    Attributes
    ----------
    blocks
        One row per block: `variance`, its LMG share of Var(x'β̂) less `noise`, never below zero; `unreduced`, the
        share as it stands; `noise`, what the uncertainty of the coefficients adds to it on average.
    variance
        Sum of the blocks' variances.
    """

    blocks: pd.DataFrame
    variance: float

    def to_frame(self) -> pd.DataFrame:
        """Return the blocks."""
        return self.blocks.copy()


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Where the variance between units' figures comes from.

    Attributes
    ----------
    frame
        One row per component, blocks first, then the variances as given, then "noise": `component`, `kind` (block,
        effect, noise), `variance`, `share` (these sum to 1), `lower` and `upper` of the share.
    total
        Sum of the variances.
    explained
        The blocks before and after the reduction for the uncertainty of the coefficients.
    level
        Of the intervals.
    draws
        The shares draw by draw, one column per component.
    """

    frame: pd.DataFrame
    total: float
    explained: Explained
    level: float
    draws: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the components."""
        return self.frame.copy()


def lmg(covariance: ArrayLike, coefficients: ArrayLike, blocks: Blocks) -> FloatArray:
    """Return the variance of x'β that each block of columns brings, averaged over the orders of entry.

    Parameters
    ----------
    covariance
        (p, p) covariance of the columns x.
    coefficients
        (p,) β.
    blocks
        Column numbers of each block. Every column that varies belongs to one of them.

    Returns
    -------
    array
        One value per block, none below zero; they sum to β'Σβ.

    Notes
    -----
    What a set S of blocks brings is the variance of the best linear prediction of x'β from the columns of S. A block
    gets what it adds to the blocks before it, averaged over all orders (Lindeman, Merenda & Gold 1980): correlated
    blocks share what they have in common.
    """
    spread, beta = square(covariance, "covariance"), vector(coefficients, "coefficients")
    refuse_unequal(len(beta), len(spread), "coefficients", "covariance")
    refuse_missing(beta, "coefficients")
    _, columns = read_blocks(blocks, spread)
    return _forms(split(spread, columns), beta)


def explained(design: ArrayLike, coefficients: ArrayLike, covariance: ArrayLike, blocks: Blocks) -> Explained:
    """Return what each block of columns explains, free of what chance alone would seem to explain.

    Parameters
    ----------
    design
        (n, p) columns, one row per unit. Constant columns play no part.
    coefficients, covariance
        (p,) β̂ and its (p, p) covariance V.
    blocks
        Name → column numbers.

    Notes
    -----
    Var(x'β̂) is on average too large by tr(Σ_x V): with 25 columns of noise and 150 units, noise alone "explains" a
    sixth of the variance. Each block's part of it is taken off.
    """
    spread, beta, errors = _design(design, coefficients, covariance)
    names, columns = read_blocks(blocks, spread)
    return _explained(names, split(spread, columns), beta, errors)


def partition(
    *,
    design: ArrayLike,
    blocks: Blocks,
    beta: ArrayLike,
    beta_covariance: ArrayLike,
    variances: Mapping[str, float],
    noise: float,
    beta_draws: ArrayLike,
    variance_draws: pd.DataFrame,
    level: float = 0.95,
) -> Partition:
    """Split the variance between units' figures into blocks of columns, random effects and noise.

    Parameters
    ----------
    design
        (n, p) columns of the fixed effects, one row per unit. Constant columns play no part.
    blocks
        Name → column numbers. Every column that varies belongs to one block.
    beta, beta_covariance
        (p,) coefficients and their (p, p) covariance.
    variances
        Name → variance of the random effects, in the order in which they are to be shown.
    noise
        Variance of a unit's figure from sampling (and passing movement) alone, on the same scale.
    beta_draws, variance_draws
        Joint draws, one row each: (draws, p) coefficients, and a frame of variances (not SDs) with a column per name.
    level
        Of the intervals.

    Notes
    -----
    A draw of β scatters about β̂, which itself scatters about β: β*'Σβ* carries the noise of the coefficients twice,
    and 2·tr(ΣV) is taken off it, split over the blocks as it arose. A draw below zero counts as zero, so that the
    interval of a block that explains nothing reaches 0; that of a variance estimated at zero starts there.
    """
    check_level(level)
    spread, centre, errors = _design(design, beta, beta_covariance)
    names, columns = read_blocks(blocks, spread)
    matrices = split(spread, columns)
    point = _explained(names, matrices, centre, errors)
    effects = _variances(variances)
    _check_names([*names, *effects])
    drawn = _drawn_blocks(matrices, beta_draws, errors)
    random = _drawn_variances(variance_draws, list(effects), len(drawn))
    chance = _noise(noise)
    values = np.concatenate([point.blocks["variance"], list(effects.values()), [chance]])
    total = float(values.sum())
    parts = np.column_stack([drawn, random, np.full(len(drawn), chance)])
    if not (total > 0.0 and (parts.sum(axis=1) > 0.0).all()):
        raise StatsError(
            "There is no variance to split.",
            "every block, every random effect and the noise are zero, at the estimates or in a draw",
            "Check that the units differ and that the model holds what was meant.",
        )
    labels = [*names, *effects, "noise"]
    shares = pd.DataFrame(parts / parts.sum(axis=1, keepdims=True), columns=labels)
    lower, upper = np.quantile(shares.to_numpy(), [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    # A half-normal draw is never exactly zero, but nothing rules out that the variance is.
    lower[values == 0.0] = 0.0
    kinds = ["block"] * len(names) + ["effect"] * len(effects) + ["noise"]
    frame = pd.DataFrame(
        {
            "component": labels,
            "kind": kinds,
            "variance": values,
            "share": values / total,
            "lower": lower,
            "upper": upper,
        }
    )
    return Partition(frame, total, point, level, shares)


def _explained(names: list[str], matrices: FloatArray, beta: FloatArray, errors: FloatArray) -> Explained:
    unreduced = _forms(matrices, beta)
    noise = _noise_parts(matrices, errors)
    variance = np.maximum(unreduced - noise, 0.0)
    frame = pd.DataFrame({"block": names, "variance": variance, "unreduced": unreduced, "noise": noise})
    return Explained(frame, float(variance.sum()))


def _forms(matrices: FloatArray, beta: FloatArray) -> FloatArray:
    return np.maximum(np.asarray(np.einsum("i,bij,j->b", beta, matrices, beta), dtype=np.float64), 0.0)


def _noise_parts(matrices: FloatArray, errors: FloatArray) -> FloatArray:
    return np.maximum(np.asarray(np.einsum("bij,ji->b", matrices, errors), dtype=np.float64), 0.0)


def _drawn_blocks(matrices: FloatArray, draws: ArrayLike, errors: FloatArray) -> FloatArray:
    beta = floats(draws, "beta_draws")
    if beta.ndim != 2 or beta.shape[1] != len(errors) or len(beta) < 2:
        raise StatsError(
            "beta_draws must hold a row per draw and a column per coefficient.",
            f"its shape is {beta.shape}, and there are {len(errors)} coefficients",
            "Pass the draws of the same columns as beta, in the same order.",
        )
    refuse_missing(beta, "beta_draws")
    squares = np.column_stack([np.einsum("ni,ij,nj->n", beta, each, beta, optimize=True) for each in matrices])
    return np.maximum(squares - 2.0 * _noise_parts(matrices, errors), 0.0)


def _drawn_variances(draws: pd.DataFrame, names: list[str], rows: int) -> FloatArray:
    absent = [name for name in names if name not in draws.columns]
    if absent:
        raise StatsError(
            f"There are no draws of the variance {absent[0]!r}.",
            f"variance_draws has the columns {', '.join(map(str, draws.columns)) or '(none)'}",
            "Give its columns the names that variances has; squares of drawn SDs are variances.",
        )
    if len(draws) != rows:
        raise StatsError(
            "The draws of the coefficients and of the variances do not belong together.",
            f"beta_draws has {rows} rows, variance_draws {len(draws)}",
            "Pass joint draws: row i of both comes from draw i.",
        )
    values = np.asarray(draws[names].to_numpy(dtype=np.float64), dtype=np.float64)
    for name, column in zip(names, values.T, strict=True):
        bad = ~(column >= 0.0) | np.isinf(column)
        refuse(bad, "A variance is zero or more.", f"variance_draws, {name}", column, "Pass draws of variances.")
    return values


def _design(design: ArrayLike, beta: ArrayLike, errors: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the covariance of the columns, the coefficients and the covariance of these."""
    columns, centre, spread = floats(design, "design"), vector(beta, "coefficients"), square(errors, "covariance")
    if columns.ndim != 2 or len(columns) < 2:
        raise StatsError(
            "design must be a table with a row per unit.",
            f"its shape is {columns.shape}",
            "Pass the columns of the fixed effects, two units or more.",
        )
    refuse_missing(columns, "design")
    refuse_missing(centre, "coefficients")
    refuse_unequal(len(centre), columns.shape[1], "coefficients", "columns of design")
    refuse_unequal(len(spread), len(centre), "rows of the coefficients' covariance", "coefficients")
    return np.atleast_2d(np.cov(columns, rowvar=False)), centre, spread


def _variances(variances: Mapping[str, float]) -> dict[str, float]:
    for name, value in variances.items():
        if not (np.isfinite(value) and value >= 0.0):
            raise StatsError("A variance is zero or more.", f"{name}: {value!r}", "Pass the squares of the SDs.")
    return {str(name): float(value) for name, value in variances.items()}


def _check_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1 or name == "noise":
            raise StatsError(
                "Two components of the variance have one name.",
                repr(name),
                "Name blocks and variances apart; `noise` is taken.",
            )


def _noise(noise: float) -> float:
    if not (np.isfinite(noise) and noise >= 0.0):
        raise StatsError(
            "noise is a variance: zero or more.", f"noise is {noise!r}", "Pass the units' mean sampling variance."
        )
    return float(noise)
