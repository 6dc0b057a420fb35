"""Nested units as a tree: sums passed up, values handed down, and the linear system of the modes solved exactly.

Rows are sorted so that the units of every level are contiguous. A level's *children* are the units of the next finer
level, or the rows for the finest. With SDs s and row weights w, the system (I + S Z'WZ S) u = S Z'(WZt + g) that
Newton's method asks for has the tree's own shape, so that one pass up and one pass down solve it in O(rows):

- up: D_k = 1 + s_k² W_k, and W_k/D_k, R_k/D_k are passed to the parent;
- down: u_k = s_k (R_k − W_k t_parent)/D_k, t_k = t_parent + s_k u_k.

The log-determinant is Σ log D. Reverse mode through it gives v_k = s_k²/D_k + v_parent/D_k²: the variance of the
unit's whole effect t_k given the parameters.

Levels are numbered from fine (0) to coarse in this room's private modules; callers see them from coarse to fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpvar.stats._checks import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Tree:
    """Which rows belong to which unit, and which unit to which.

    Attributes
    ----------
    order
        (n,) positions of the rows in the caller's order, sorted so that units are contiguous.
    numbers
        Per level, fine to coarse: the caller's number of each unit that has rows.
    starts, counts
        Per level: first child and number of children of each unit; None where every unit has exactly one child.
    """

    order: IntArray
    numbers: tuple[IntArray, ...]
    starts: tuple[IntArray | None, ...]
    counts: tuple[IntArray | None, ...]

    @property
    def n_levels(self) -> int:
        """Number of grouping levels."""
        return len(self.numbers)

    def sum_up(self, level: int, children: FloatArray) -> FloatArray:
        """Return the sum over each unit's children at `level`; children run along the first axis."""
        starts = self.starts[level]
        if starts is None:
            return children
        total: FloatArray = np.add.reduceat(children, starts, axis=0)
        return total

    def hand_down(self, level: int, units: FloatArray) -> FloatArray:
        """Return each unit's value once for each of its children."""
        counts = self.counts[level]
        return units if counts is None else np.repeat(units, counts, axis=0)


def grow(codes: Sequence[IntArray]) -> Tree:
    """Return the tree of nested units.

    Parameters
    ----------
    codes
        Per level, coarse to fine, the unit number of each row, (n,) integers. Units are nested: the caller has
        checked it.
    """
    order = np.lexsort(tuple(reversed(codes)))
    numbers, starts, counts = [], [], []
    children = np.arange(len(order))
    for level in reversed(codes):
        sorted_codes = level[order][children]
        first = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
        single = len(first) == len(children)
        starts.append(None if single else first)
        counts.append(None if single else np.diff(np.r_[first, len(children)]))
        numbers.append(sorted_codes[first])
        children = children[first]
    return Tree(order, tuple(numbers), tuple(starts), tuple(counts))


@dataclass(frozen=True, slots=True)
class Pivots:
    """What the pass up leaves at each level, fine to coarse.

    Attributes
    ----------
    sds
        (levels,) SDs s.
    weights
        W_k: information about each unit's whole effect that comes from below.
    pivots
        D_k = 1 + s_k² W_k.
    """

    tree: Tree
    sds: FloatArray
    weights: tuple[FloatArray, ...]
    pivots: tuple[FloatArray, ...]

    def solve(self, scores: FloatArray) -> tuple[list[FloatArray], list[FloatArray]]:
        """Solve for the effects that the rows' scores ask for.

        Parameters
        ----------
        scores
            R: (units of the finest level,) or (units, columns) sums of rows' scores; they pull at every level.

        Returns
        -------
        effects, totals
            Per level, fine to coarse: u_k, and t_k = the sum of s u over the unit and those above it.
        """
        return self._down(self._up([scores]))

    def solve_one_level(self, level: int, pulls: FloatArray) -> list[FloatArray]:
        """Return the effects, fine to coarse, when only the units of one level are pulled, each at its own effect."""
        passed: list[FloatArray] = [np.zeros_like(pivot) for pivot in self.pivots[:level]]
        passed.append(pulls)
        if level + 1 < self.tree.n_levels:
            # What the unit's own effect takes up is missing above; the pull itself does not belong there.
            taken = pulls / self.pivots[level] - pulls
            passed.append(self.tree.sum_up(level + 1, taken))
        return self._down(self._up(passed))[0]

    def _up(self, passed: list[FloatArray]) -> list[FloatArray]:
        for level in range(len(passed) - 1, self.tree.n_levels - 1):
            passed.append(self.tree.sum_up(level + 1, _over(passed[level], self.pivots[level])))
        return passed

    def _down(self, passed: list[FloatArray]) -> tuple[list[FloatArray], list[FloatArray]]:
        tree, levels = self.tree, range(self.tree.n_levels)
        effects, totals = list(passed), list(passed)
        above: FloatArray | None = None
        for level in reversed(levels):
            sd, pull = self.sds[level], passed[level]
            if above is not None:
                above = tree.hand_down(level + 1, above)
                pull = pull - _times(above, self.weights[level])
            effects[level] = _over(pull, self.pivots[level]) * sd
            totals[level] = effects[level] * sd if above is None else above + effects[level] * sd
            above = totals[level]
        return effects, totals

    def effect_variances(self) -> list[FloatArray]:
        """Return the variance of each unit's own effect s u given the parameters, fine to coarse."""
        above, result = self.variances(), []
        for level, sd in enumerate(self.sds):
            own = sd**2 / self.pivots[level]
            if level + 1 < len(self.sds):
                own = own + (own * self.weights[level]) ** 2 * self.tree.hand_down(level + 1, above[level + 1])
            result.append(own)
        return result

    def log_determinant(self) -> float:
        """Return Σ log D over all units."""
        return float(sum(np.log(pivot).sum() for pivot in self.pivots))

    def log_determinant_slopes(self) -> FloatArray:
        """Return d(Σ log D)/d log s per level at fixed row weights, (levels,) fine to coarse."""
        variances, slopes = self.variances(), np.zeros(len(self.sds))
        for level, sd in enumerate(self.sds):
            share = self.weights[level] / self.pivots[level]
            slope = share.sum()
            if level + 1 < len(self.sds):
                slope -= self.tree.hand_down(level + 1, variances[level + 1]) @ share**2
            slopes[level] = 2.0 * sd**2 * slope
        return slopes

    def variances(self) -> list[FloatArray]:
        """Return v_k, the variance of each unit's whole effect given the parameters, fine to coarse."""
        result: list[FloatArray] = []
        above: FloatArray | None = None
        for level in reversed(range(self.tree.n_levels)):
            pivot = self.pivots[level]
            own = self.sds[level] ** 2 / pivot
            if above is not None:
                own = own + self.tree.hand_down(level + 1, above) / pivot**2
            result.append(own)
            above = own
        return result[::-1]


def eliminate(tree: Tree, sds: FloatArray, weights: FloatArray) -> Pivots:
    """Pass the finest units' weights up the tree.

    Parameters
    ----------
    sds
        (levels,) fine to coarse.
    weights
        (units of the finest level,) sums of the rows' weights.
    """
    kept, pivots = [weights], []
    for level in range(tree.n_levels):
        pivot = 1.0 + sds[level] ** 2 * kept[level]
        pivots.append(pivot)
        if level + 1 < tree.n_levels:
            kept.append(tree.sum_up(level + 1, kept[level] / pivot))
    return Pivots(tree, sds, tuple(kept), tuple(pivots))


def _over(values: FloatArray, units: FloatArray) -> FloatArray:
    return values / (units if values.ndim == 1 else units[:, None])


def _times(values: FloatArray, units: FloatArray) -> FloatArray:
    return values * (units if values.ndim == 1 else units[:, None])
