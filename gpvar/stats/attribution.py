"""How much each part of a sum adds on the scale that people read, when the sum is on another scale.

On the link scale a unit's value is a start plus parts, and each part is what it is. On the scale of shares or rates
what a part adds depends on what came before it. Averaged over all orders in which the parts could come, the changes add
up exactly, and no order is preferred: the Shapley value.

References
----------
Shapley 1953, Ann Math Stud 28:307; Grömping 2007, Am Stat 61:139.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, floats, refuse, vector

#: Every subset of the parts is looked at, so that each further part doubles the work.
MOST_PARTS = 8


def shapley(start: ArrayLike, parts: ArrayLike, inverse: Callable[[FloatArray], ArrayLike]) -> FloatArray:
    """Return what each part changes on the scale of the response; a unit's changes add up exactly.

    Parameters
    ----------
    start
        (units,) value of the reference on the link scale, or one for all.
    parts
        (units, parts) what is added to it on the link scale, at most 8 parts. −∞ or ∞ where the response has an end
        there: a share of 0 or 1, a rate of 0.
    inverse
        From link to response; it is called with arrays.

    Returns
    -------
    array
        (units, parts) changes. Their sum over the parts is inverse(start + Σ parts) − inverse(start). A part of zero
        changes nothing, equal parts change the same, and where `inverse` is linear each part is its own change.
    """
    added = _parts(parts)
    units, count = added.shape
    begin = vector(start, "start")
    if len(begin) not in (1, units):
        raise StatsError(
            "start and parts must hold the same units.",
            f"start has {len(begin)} values, parts {units} rows",
            "Pass one start per row of parts, or one for all.",
        )
    refuse(~np.isfinite(begin), "A start is missing or not finite.", "start", begin, "Start from the reference.")
    reached = _responses(np.broadcast_to(begin, (units,)), added, inverse)
    subsets = np.arange(2**count)
    size = np.array([int(subset).bit_count() for subset in subsets])
    changes = np.empty((units, count))
    for part in range(count):
        without = subsets[(subsets >> part) & 1 == 0]
        weights = np.array([1.0 / (count * comb(count - 1, before)) for before in size[without]])
        # Differences first: a part that changes nothing then changes exactly nothing.
        changes[:, part] = weights @ (reached[without | (1 << part)] - reached[without])
    return changes


def _responses(begin: FloatArray, added: FloatArray, inverse: Callable[[FloatArray], ArrayLike]) -> FloatArray:
    """Return the response of every subset of the parts, (2^parts, units): bit j of the row says whether j is in."""
    units, count = added.shape
    link = np.empty((2**count, units))
    link[0] = begin
    for part in range(count):
        half = 1 << part
        link[half : 2 * half] = link[:half] + added[:, part]
    reached = floats(inverse(link), "inverse")
    if reached.shape != link.shape:
        raise StatsError(
            "inverse must return one response per link value.",
            f"given values of shape {link.shape} it returned {reached.shape}",
            "Pass a function of arrays, such as scipy.special.expit.",
        )
    refuse(
        ~np.isfinite(reached).all(axis=0),
        "A unit has no finite response.",
        "sum of start and parts",
        link[-1],
        "An infinite part needs a response that ends there, such as a share.",
    )
    return reached


def _parts(parts: ArrayLike) -> FloatArray:
    added = floats(parts, "parts")
    if added.ndim != 2 or not 1 <= added.shape[1] <= MOST_PARTS:
        raise StatsError(
            f"parts must be a table with a row per unit and 1 to {MOST_PARTS} columns.",
            f"its shape is {added.shape}",
            "Add up parts that answer one question.",
        )
    refuse(np.isnan(added).any(axis=1), "A part is missing.", "parts", np.nan, "Leave the unit out.")
    low, high = np.isneginf(added).any(axis=1), np.isposinf(added).any(axis=1)
    refuse(
        low & high,
        "A unit has one part of −∞ and another of ∞: their sum is not known.",
        "parts",
        np.inf,
        "Only what was observed can be infinite.",
    )
    return added
