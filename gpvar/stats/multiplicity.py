"""Many looked at at once: p-values that allow for it, and how many of many are red when nothing differs.

References
----------
Benjamini & Hochberg 1995, J R Stat Soc B 57:289; Benjamini & Yekutieli 2001, Ann Stat 29:1165.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, check_choice, check_level, floats, refuse
from gpvar.stats.multilevel._reading import check_seed

#: How many units are drawn where the chance has no simple integral: 1 in 100 is then known to 3 in 10,000.
DRAWS = 100_000
_CHUNK = 20_000
_LEAST_ROWS = 3
#: The factor's range holds all but 1e-18 of it, in steps small beside what is integrated at any correlation up to this.
_SMOOTH = 0.9999
_NODES = np.linspace(-9.0, 9.0, 20_001)
_WEIGHTS = stats.norm.pdf(_NODES) / stats.norm.pdf(_NODES).sum()


def adjusted(p: ArrayLike, method: str = "bh") -> FloatArray:
    """Return p-values adjusted for their number.

    Parameters
    ----------
    p
        Of any shape, such as (practices, metrics); all are one family. Missing ones stay missing and are no tests.
    method
        ``"bh"`` (Benjamini-Hochberg) or ``"by"`` (Benjamini-Yekutieli, whatever the dependence).
    """
    check_choice(method, ("bh", "by"), "method")
    values = floats(p, "p")
    refuse((values < 0.0) | (values > 1.0), "A p-value lies between 0 and 1.", "p", values, "Pass p-values.")
    found = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    if known.any():
        found[known] = stats.false_discovery_control(values[known], method="by" if method == "by" else "bh")
    return found


def correlation(z: ArrayLike) -> FloatArray:
    """Return the correlations between columns of scores, over the rows that have them all."""
    values = floats(z, "z")
    if values.ndim != 2:
        raise StatsError("z must be a table with a column per indicator.", f"its shape is {values.shape}", "Pass one.")
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < _LEAST_ROWS or (np.ptp(values, axis=0) == 0.0).any():
        raise StatsError(
            "There is no correlation between these columns.",
            f"{len(values)} rows have all of them",
            "Pass columns that vary, over the same units.",
        )
    return np.atleast_2d(np.corrcoef(values, rowvar=False)).astype(np.float64)


def typical(matrix: ArrayLike, sides: int = 2) -> float:
    """Return one correlation to stand for a matrix of them, never below nought.

    Parameters
    ----------
    matrix
        Correlations.
    sides
        With one side the mean counts; with two the root of the mean square, for then only its size matters.
    """
    values = _matrix(matrix)
    _check_sides(sides)
    if len(values) < 2:
        return 0.0
    apart = values[np.triu_indices(len(values), 1)]
    return float(max(apart.mean(), 0.0) if sides == 1 else np.sqrt(np.mean(apart**2)))


def at_least(k: int, m: int, share: float, correlation: float = 0.0, *, sides: int = 2) -> float:
    """Return the chance that a unit which differs in nothing is red on k or more of m indicators.

    Parameters
    ----------
    k, m
        Red ones, of how many.
    share
        Of units that are red on one indicator.
    correlation
        Between every two indicators, 0 to 1. Scores are normal.
    sides
        1: red is the upper tail of every indicator. 2: red is either tail, half of the share each.

    Notes
    -----
    Given the factor that all indicators share they are independent, so that the number of red ones is binomial; the
    mean over the factor is an integral.
    """
    _check(k, m, share, sides)
    if not 0.0 <= correlation <= 1.0:
        raise StatsError("A correlation lies between 0 and 1 here.", f"correlation is {correlation!r}", "Pass one.")
    if k == 0:
        return 1.0
    if correlation == 0.0:
        return float(stats.binom.sf(k - 1, m, share))
    if correlation > _SMOOTH:
        return float(share)
    cut = float(special.ndtri(1.0 - share / sides))
    pull, left = np.sqrt(correlation) * _NODES, np.sqrt(1.0 - correlation)
    red = special.ndtr((pull - cut) / left)
    if sides == 2:
        red = red + special.ndtr((-pull - cut) / left)
    return float(_WEIGHTS @ stats.binom.sf(k - 1, m, np.minimum(red, 1.0)))


def at_least_drawn(
    k: int, m: int, share: float, matrix: ArrayLike, *, seed: int, sides: int = 2, draws: int = DRAWS
) -> float:
    """Return the same chance for indicators that go together as `matrix` says, from draws.

    Parameters
    ----------
    k, m, share, sides
        As in `at_least`.
    matrix
        Correlations between the indicators measured, m of them or more. Of more, each draw takes m at random: which
        ones are meant is then not known.
    seed, draws
        Of the draws.
    """
    values = _matrix(matrix)
    _check(k, m, share, sides)
    if m > len(values):
        raise StatsError("More indicators than were measured.", f"{m} of {len(values)}", "Use `at_least`.")
    rng = np.random.default_rng(check_seed(seed))
    cut = float(special.ndtri(1.0 - share / sides))
    root = _root(values)
    reached = 0
    for start in range(0, draws, _CHUNK):
        rows = min(_CHUNK, draws - start)
        z = rng.standard_normal((rows, len(values))) @ root.T
        red = (np.abs(z) if sides == 2 else z) > cut
        if m < len(values):
            red = np.take_along_axis(red, rng.random(red.shape).argsort(axis=1)[:, :m], axis=1)
        reached += int((red.sum(axis=1) >= k).sum())
    return reached / draws


def _root(matrix: FloatArray) -> FloatArray:
    """Return a root of a correlation matrix, which may be singular."""
    sizes, axes = np.linalg.eigh(matrix)
    return np.asarray(axes * np.sqrt(np.maximum(sizes, 0.0)), dtype=np.float64)


def _matrix(matrix: ArrayLike) -> FloatArray:
    values = floats(matrix, "matrix")
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise StatsError("matrix must be square.", f"its shape is {values.shape}", "Pass correlations.")
    sound = np.isfinite(values).all() and np.allclose(values, values.T) and np.allclose(np.diag(values), 1.0)
    if not sound or (np.abs(values) > 1.0 + 1e-9).any():
        raise StatsError("matrix does not hold correlations.", f"it is {values!r}", "Pass what `correlation` gives.")
    return values


def _check(k: int, m: int, share: float, sides: int) -> None:
    if not 0 <= k <= m:
        raise StatsError("More indicators are red than there are, or fewer than none.", f"{k} of {m}", "Check both.")
    check_level(share, "share")
    _check_sides(sides)


def _check_sides(sides: int) -> None:
    if sides not in (1, 2):
        raise StatsError("sides must be 1 or 2.", f"sides is {sides!r}", "Red is one tail or either.")
