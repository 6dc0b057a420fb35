"""How far each coefficient would move if one unit of the coarsest level were left out.

With the SDs and the weights held where they are, the coefficients without a unit's rows are
β − (A − A_g)⁻¹ s_g, where A = X'V⁻¹X, A_g is the unit's part of it and s_g the sum of x times the score over its
rows (Demidenko & Stukel 2005). That is exact for a Gaussian model at fixed SDs and one Newton step for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import linalg

from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._tree import Pivots

if TYPE_CHECKING:
    from gpvar.stats.multilevel._estimate import Estimate

# Entries of the units' matrices held at a time.
_CELLS = 2_000_000
# What a unit leaves of the information on some combination of columns, as a share, when it leaves nothing.
_NOTHING = 1e-9


def without_random(pivots: Pivots, columns: FloatArray, weights: FloatArray) -> FloatArray:
    """Return V⁻¹ times the columns, both sorted as the tree: what is left of them beyond the random effects."""
    tree = pivots.tree
    weighted = columns * weights[:, None]
    _, totals = pivots.solve(tree.sum_up(0, weighted))
    answers = np.asarray(tree.hand_down(0, totals[0]))
    answers *= weights[:, None]
    return np.asarray(np.subtract(weighted, answers, out=answers))


def influence(
    estimate: Estimate, pivots: Pivots, design: FloatArray, within: FloatArray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how the coefficients change when one unit of the coarsest level is left out.

    Parameters
    ----------
    design, within
        Sorted as the tree, (n, p): X and V⁻¹X.

    Returns
    -------
    units : DataFrame
        One row per unit that has rows: `rows`, `largest` (the largest change, in standard errors) and `column` (of
        which coefficient), `cook` (the joint change as Cook's distance).
    changes : DataFrame
        The change of every coefficient, in its standard errors. A row of NaN is a unit without which some column
        could not be estimated.
    """
    data, p = estimate.data, len(estimate.beta)
    order, numbers = pivots.tree.order, pivots.tree.numbers[-1]
    code = data.codes[0][order]
    starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    sizes = np.diff(np.r_[starts, len(code)])
    scores = np.add.reduceat(design * estimate.score[order][:, None], starts, axis=0)
    root = linalg.cholesky(design.T @ within, lower=True)
    whitened = linalg.solve_triangular(root, scores.T, lower=True).T
    moves = np.empty((len(starts), p))
    block = max(1, _CELLS // p**2)
    for first in range(0, len(starts), block):
        some = slice(first, min(first + block, len(starts)))
        rows = [slice(start, start + size) for start, size in zip(starts[some], sizes[some], strict=True)]
        own = np.stack([design[row].T @ within[row] for row in rows])
        moves[some] = _leave_out(root, own, whitened[some])
    errors = np.sqrt(np.diag(estimate.covariance)[:p])
    change = -linalg.solve_triangular(root, moves.T, lower=True, trans="T", check_finite=False).T / errors
    names = np.array([name for name, keep in zip(data.columns, data.kept, strict=True) if keep], dtype=object)
    labels = data.units[0][numbers].rename(data.levels[0])
    most = np.abs(change).argmax(axis=1)
    units = pd.DataFrame(
        {
            "rows": sizes,
            "largest": change[np.arange(len(change)), most],
            "column": np.where(np.isnan(change[:, 0]), "", names[most]),
            "cook": np.sum(moves**2, axis=1) / p,
        },
        index=labels,
    )
    return units, pd.DataFrame(change, columns=list(names), index=labels)


def most_influential(units: pd.DataFrame) -> tuple[str, str, float] | None:
    """Return the unit that moves a coefficient most, that coefficient, and by how many standard errors."""
    largest = units["largest"].to_numpy(dtype=np.float64)
    if np.isnan(largest).all():
        return None
    place = int(np.nanargmax(np.abs(largest)))
    return str(units.index[place]), str(units["column"].iloc[place]), float(largest[place])


def _leave_out(root: FloatArray, own: FloatArray, whitened: FloatArray) -> FloatArray:
    """Return (I − L⁻¹A_gL⁻ᵀ)⁻¹L⁻¹s_g per unit, with A = LL'; NaN where the unit carries a column alone."""
    inverse = linalg.solve_triangular(root, np.eye(len(root)), lower=True)
    left: FloatArray = np.eye(len(root)) - inverse @ own @ inverse.T
    carried = np.abs(np.linalg.det(left)) < _NOTHING
    left[carried] = np.eye(len(root))
    moves = np.asarray(np.linalg.solve(left, whitened[:, :, None])[:, :, 0], dtype=np.float64)
    moves[carried] = np.nan
    return moves
