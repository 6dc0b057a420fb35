"""Reading and refusing input, once, for every module of this room."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpvar.errors import StatsError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SHOWN = 5


def floats(values: ArrayLike, name: str) -> FloatArray:
    """Return `values` as an array of floats, or say which argument cannot be one."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatsError(
            f"{name} holds something that is not a number.",
            str(error),
            "Read the column as numbers first, with marks for suppressed or missing values turned into empty cells.",
        ) from None
    return array


def vector(values: ArrayLike, name: str) -> FloatArray:
    """Return `values` as a one-dimensional array of floats."""
    array = np.atleast_1d(floats(values, name))
    if array.ndim != 1:
        raise StatsError(
            f"{name} must be one column of numbers, not a table.",
            f"its shape is {array.shape}",
            "Pass one value per unit.",
        )
    return array


def refuse(bad: Any, problem: str, name: str, values: ArrayLike, fix: str) -> None:
    """Raise with the first offending positions when any of `bad` is true."""
    wrong = np.atleast_1d(np.asarray(bad, dtype=bool))
    if not wrong.any():
        return
    at = np.flatnonzero(wrong.ravel())
    shown = np.broadcast_to(np.atleast_1d(np.asarray(values, dtype=np.float64)), wrong.shape).ravel()[at[:_SHOWN]]
    where = ", ".join(f"row {i + 1}: {v:g}" for i, v in zip(at[:_SHOWN], shown, strict=True))
    more = f" and {len(at) - _SHOWN} more" if len(at) > _SHOWN else ""
    raise StatsError(problem, f"{name}, {where}{more}", fix)


def positions(values: ArrayLike, name: str, noun: str, every: int) -> IntArray:
    """Return `values` as numbers of rows or columns (`noun`) out of `every`, counted from 0."""
    given: NDArray[np.generic] = np.atleast_1d(np.asarray(values))
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise StatsError(
            f"{name} must hold numbers of {noun}s.",
            f"{values!r}",
            f"Count {noun}s from 0; use np.flatnonzero on a mask.",
        )
    numbers = given.astype(np.int64)
    refuse((numbers < 0) | (numbers >= every), f"There is no such {noun}.", name, numbers, f"Count {noun}s from 0.")
    return numbers


def check_level(level: float, name: str = "level") -> float:
    """Return `level` when it is a probability strictly between 0 and 1."""
    try:
        number = float(level)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0.0 < number < 1.0:
        hint = f"Did you mean {number / 100:g}?" if 1.0 < number < 100.0 else "Use a level such as 0.95 or 0.998."
        raise StatsError(f"{name} must lie between 0 and 1.", f"{name} is {level!r}", hint)
    return number


def check_choice(value: str, allowed: Sequence[str], name: str) -> str:
    """Return `value` when it is one of `allowed`; otherwise name the nearest one and the rest."""
    if value in allowed:
        return value
    near = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    raise StatsError(
        f"{name} is not one this function knows.",
        f"{name} is {value!r}",
        f"{guess}Allowed: {', '.join(repr(item) for item in allowed)}.",
    )
