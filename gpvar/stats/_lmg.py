"""The LMG split of a variance over blocks of columns, as one quadratic form per block, and what it is asked with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, IntArray, floats

Blocks = Mapping[str, ArrayLike] | Sequence[ArrayLike]

#: Every subset of the blocks is looked at, so that each further block doubles the work.
MOST_BLOCKS = 12


def split(covariance: FloatArray, blocks: list[IntArray]) -> FloatArray:
    """Return one matrix A per block such that its LMG share is β'Aβ, for any β. They sum to the covariance."""
    count, scale = len(blocks), np.sqrt(np.diag(covariance))
    scale[scale == 0.0] = 1.0
    # Predictions do not depend on the columns' units; the pseudo-inverse's cut-off would.
    correlation = covariance / np.outer(scale, scale)
    brings = {subset: _predicted(correlation, [blocks[i] for i in subset]) for subset in _subsets(range(count))}
    result = np.zeros((count, *covariance.shape))
    for block in range(count):
        for before in _subsets([other for other in range(count) if other != block]):
            weight = 1.0 / (count * comb(count - 1, len(before)))
            result[block] += weight * (brings[tuple(sorted((*before, block)))] - brings[before])
    return np.asarray(result * np.outer(scale, scale), dtype=np.float64)


def _subsets(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for size in range(len(items) + 1):
        yield from combinations(items, size)


def _predicted(covariance: FloatArray, blocks: list[IntArray]) -> FloatArray:
    """Return the covariance of the best linear predictions of all columns from those of the blocks."""
    if not blocks:
        return np.zeros_like(covariance)
    known = np.concatenate(blocks)
    inverse = np.linalg.pinv(covariance[np.ix_(known, known)], rcond=1e-10, hermitian=True)
    return np.asarray(covariance[:, known] @ inverse @ covariance[known, :], dtype=np.float64)


def read_blocks(blocks: Blocks, covariance: FloatArray) -> tuple[list[str], list[IntArray]]:
    """Return names and column numbers of the blocks, each varying column in exactly one of them."""
    named = blocks if isinstance(blocks, Mapping) else {f"block {i + 1}": each for i, each in enumerate(blocks)}
    width = len(covariance)
    columns = {str(name): _columns(str(name), each, width) for name, each in named.items()}
    if not 1 <= len(columns) <= MOST_BLOCKS:
        raise StatsError(
            f"There must be between 1 and {MOST_BLOCKS} blocks of columns.",
            f"{len(columns)} blocks",
            "Put columns that answer one question into one block.",
        )
    uses = np.bincount(np.concatenate(list(columns.values())), minlength=width)
    for wrong, problem, fix in (
        (uses > 1, "A column stands in more than one block.", "Give it to one of them."),
        ((uses == 0) & (np.diag(covariance) > 0.0), "A column that varies stands in no block.", "Give it to one."),
    ):
        if wrong.any():
            numbers = ", ".join(str(number) for number in np.flatnonzero(wrong))
            raise StatsError(problem, f"column {numbers}, counted from 0", fix)
    return list(columns), list(columns.values())


def _columns(name: str, given: ArrayLike, width: int) -> IntArray:
    array = np.atleast_1d(np.asarray(given))
    if array.size and (array.dtype.kind not in "iu" or array.ndim != 1 or array.min() < 0 or array.max() >= width):
        raise StatsError(
            "A block must be given by numbers of columns.",
            f"block {name!r}: {given!r}; there are columns 0 to {width - 1}",
            "Count columns from 0.",
        )
    return array.astype(np.int64)


def square(values: ArrayLike, name: str) -> FloatArray:
    """Return `values` as a square table with nothing missing."""
    array = np.atleast_2d(floats(values, name))
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise StatsError(
            f"{name} must be a square table.", f"its shape is {array.shape}", "Pass one row and column each."
        )
    refuse_missing(array, name)
    return array


def refuse_missing(values: FloatArray, name: str) -> None:
    """Raise where a value is missing or infinite."""
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise StatsError(
            f"{name} holds values that are missing or not finite.",
            f"{count} of {values.size}",
            "Leave out the units, or the columns without an estimate, from everything that is passed.",
        )


def refuse_unequal(one: int, other: int, name: str, of: str) -> None:
    """Raise where two tables do not have the same columns."""
    if one != other:
        raise StatsError(
            f"The number of {name} does not fit that of {of}.", f"{one} and {other}", "Pass the same columns in both."
        )
