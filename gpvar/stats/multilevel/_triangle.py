"""Small triangles inverted by LAPACK itself: a threaded solver costs a thousand times as much on a busy machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from gpvar.stats._checks import FloatArray


def inverse_of_triangle(triangle: NDArray[np.floating[Any]], *, lower: bool) -> FloatArray:
    """Return the inverse of a (p, p) triangular matrix, p small.

    Raises
    ------
    LinAlgError
        If an element of the diagonal is zero.
    """
    if not triangle.size:
        return np.zeros((0, 0))
    inverse, info = lapack.dtrtri(triangle, lower=int(lower))
    if info:
        raise np.linalg.LinAlgError("A triangle with a zero on its diagonal has no inverse.")
    half = np.tril(inverse) if lower else np.triu(inverse)
    return np.asarray(half, dtype=np.float64)
