"""Which units are most alike in what is known of them.

References
----------
Mahalanobis 1936, Proc Natl Inst Sci India 2:49; Rubin 1980, Biometrics 36:293.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, IntArray, floats, positions, refuse

_DECIMALS = 10
_CHUNK = 2_000_000


def nearest(points: ArrayLike, wanted: ArrayLike, k: int) -> tuple[IntArray, FloatArray]:
    """Return the k units nearest to each wanted one by Mahalanobis distance, never itself.

    Parameters
    ----------
    points
        (units, columns). Columns may be constant or repeat others: the distance is that of the columns that remain,
        whichever they are, and does not depend on the columns' units.
    wanted
        Row numbers, counted from 0.
    k
        How many.

    Returns
    -------
    rows, distances
        (wanted, k) each, nearest first, distances to ten decimals; of units at one distance the earlier row is first.
    """
    values = _points(points)
    units = len(values)
    rows = positions(wanted, "wanted", "row", units)
    if not 1 <= k < units:
        raise StatsError(
            "k must be at least 1, and less than the number of units.",
            f"k is {k!r}, and there are {units} units",
            "Ask for fewer neighbours.",
        )
    white = whitened(values)
    found, distances = np.empty((len(rows), k), dtype=np.int64), np.empty((len(rows), k))
    step = max(1, _CHUNK // units)
    for start in range(0, len(rows), step):
        for place, near in enumerate(_candidates(white, rows[start : start + step], k), start):
            gap = white[near] - white[rows[place]]
            away = np.round(np.sqrt((gap**2).sum(axis=1)), _DECIMALS)
            first = np.argsort(away, kind="stable")[:k]
            found[place], distances[place] = near[first], away[first]
    return found, distances


def _candidates(white: FloatArray, rows: IntArray, k: int) -> Iterator[IntArray]:
    """Yield for each row those that may be among its k nearest, in row order.

    Squared distances as |a|² + |b|² − 2ab are one matrix product, but lose digits: what they leave open is let in.
    """
    square = (white**2).sum(axis=1)
    table = square - 2.0 * (white[rows] @ white.T)
    lost = 1e-9 * (1.0 + square.max())
    for row, away in zip(rows, table, strict=True):
        away[row] = np.inf
        yield np.flatnonzero(away <= np.partition(away, k - 1)[k - 1] + lost)


def whitened(points: ArrayLike) -> FloatArray:
    """Return coordinates, (units, rank), in which Euclidean distance is the Mahalanobis distance of `points`."""
    values = _points(points)
    centred = values - values.mean(axis=0)
    scale = np.sqrt((centred**2).mean(axis=0))
    # The rounding of a constant column is not a spread.
    varies = scale > 1e-12 * np.abs(values).max(axis=0)
    standard = centred[:, varies] / scale[varies]
    _, sizes, axes = np.linalg.svd(standard, full_matrices=False)
    kept = sizes > 1e-7 * (sizes[0] if len(sizes) else 0.0)
    return np.asarray(standard @ (axes[kept].T / sizes[kept]) * np.sqrt(len(values) - 1.0), dtype=np.float64)


def _points(points: ArrayLike) -> FloatArray:
    values = floats(points, "points")
    if values.ndim != 2 or len(values) < 2:
        raise StatsError(
            "points must be a table with a row per unit.",
            f"its shape is {values.shape}",
            "Pass the columns that units are compared by, two units or more.",
        )
    refuse(
        ~np.isfinite(values).all(axis=1),
        "A unit's place is not known.",
        "points",
        np.nan,
        "Leave the unit out, or the column.",
    )
    return values
