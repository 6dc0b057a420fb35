"""Counts of units in one period, their figures with intervals, and differences of two such figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gpvar.stats import _scales, intervals
from gpvar.stats._checks import BoolArray, FloatArray, check_choice, check_level, floats, refuse, vector


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of the same units in one period.

    Attributes
    ----------
    count, size
        Events, and trials of a share or the exposure of a rate; above zero.
    kind
        ``"proportion"`` or ``"rate"``.
    """

    count: FloatArray
    size: FloatArray
    kind: str

    @classmethod
    def of(cls, count: ArrayLike, size: ArrayLike, kind: str) -> Counted:
        """Return counts after a look at them."""
        check_choice(kind, ("proportion", "rate"), "kind")
        y, n = np.broadcast_arrays(vector(count, "count"), vector(size, "size"))
        refuse(~(n > 0) | np.isinf(n), "A denominator must be above zero.", "size", n, "Leave the unit out.")
        over = (y > n) if kind == "proportion" else np.zeros(y.shape, dtype=bool)
        refuse(~(y >= 0) | over | np.isinf(y), "A count is not possible.", "count", y, "Leave the unit out.")
        return cls(np.array(y), np.array(n), kind)

    @property
    def value(self) -> FloatArray:
        """The share or rate."""
        return self.count / self.size

    @property
    def link(self) -> FloatArray:
        """The figure on the link scale, half an event added: logit of a share, log of a rate."""
        return _scales.judged(self._units())

    def sampling(self, link: ArrayLike | None = None) -> FloatArray:
        """Return the sampling variance on the link scale at fitted values; at the figures themselves without."""
        at = self.link if link is None else np.broadcast_to(floats(link, "link"), self.count.shape)
        return _scales.sampling_variance(self._units(), np.asarray(at))

    def only(self, which: BoolArray) -> Counted:
        """Return some of the units."""
        return Counted(self.count[which], self.size[which], self.kind)

    def _units(self) -> _scales.Units:
        nought = np.zeros(self.count.shape)
        return _scales.Units(self.count, self.size, nought, nought, self.kind == "proportion", odds=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval, in the unit of the share or rate."""

    value: FloatArray
    lower: FloatArray
    upper: FloatArray


def figure(counted: Counted, transient: ArrayLike = 0.0, level: float = 0.95) -> Figure:
    """Return figures with intervals of sampling and passing movement.

    Notes
    -----
    Passing movement is taken in as a smaller number of events: Wilson's interval of a share at the size whose sampling
    variance is s² + v, Byar's (exact below 10) of a rate.
    """
    y, n, v = counted.count, counted.size, floats(transient, "transient")
    if counted.kind == "proportion":
        share = (y + 0.5) / (n + 1.0)
        fewer = 1.0 / (1.0 + v * n * share * (1.0 - share))
        lower, upper = intervals.wilson(y * fewer, n * fewer, level)
    else:
        fewer = 1.0 / (1.0 + v * (y + 0.5))
        lower, upper = intervals.rate(y * fewer, n * fewer, level)
    return Figure(counted.value, lower, upper)


def difference(later: Figure, earlier: Figure, together: FloatArray) -> Figure:
    """Return later minus earlier, with the interval that theirs give."""
    middle = later.value - earlier.value
    down = _hypotenuse(later.value - later.lower, earlier.upper - earlier.value, together)
    up = _hypotenuse(later.upper - later.value, earlier.value - earlier.lower, together)
    return Figure(middle, middle - down, middle + up)


def _hypotenuse(one: FloatArray, other: FloatArray, together: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(one**2 + other**2 - 2.0 * together * one * other, 0.0))


def around(value: FloatArray, link: FloatArray, reach: tuple[FloatArray, ...], more: float, kind: str) -> Figure:
    """Return a value with the ends that lie `reach` and `more` (added as squares) from its place on the link scale."""
    lower, upper = (np.hypot(far, more) for far in reach)
    return Figure(value, np.minimum(shown(link - lower, kind), value), np.maximum(shown(link + upper, kind), value))


def normal(value: FloatArray, variance: FloatArray, z: float) -> Figure:
    half = z * np.sqrt(variance)
    return Figure(value, value - half, value + half)


def shown(link: FloatArray, kind: str) -> FloatArray:
    return np.asarray(special.expit(link) if kind == "proportion" else np.exp(link))


def link_of(value: FloatArray, kind: str) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(special.logit(value) if kind == "proportion" else np.log(value))


def quantile(level: float) -> float:
    return float(special.ndtri((1.0 + check_level(level)) / 2.0))
