"""How far a figure changed from one period to the next, and what of that any such figure does by itself.

A figure far from the middle is, on average, nearer to it the next time: part of what put it there was chance or passing
movement, and that part is drawn anew. A unit's lasting value is its expected value plus a deviation of variance τ²; its
figure adds sampling and passing movement. Of a distance d from what is expected the next figure keeps, on average,
(τ² + c)/(τ² + s² + v), with c the covariance of what passes in both periods: the reliability where c is nought.

References
----------
Davis 1976, Am J Epidemiol 104:493; Healy & Goldstein 1978, Ann Hum Biol 5:277; Barnett, van der Pols & Dobson 2005, Int
J Epidemiol 34:215 (regression to the mean). Zou & Donner 2008, Stat Med 27:1693; Newcombe 1998, Stat Med 17:873
(difference of two figures from their intervals). Tukey & McLaughlin 1963, Sankhya A 25:331 (trimmed mean).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._averaging import covariance_of_means
from gpvar.stats._checks import FloatArray, floats, refuse, vector
from gpvar.stats._chosen import GroupChange, extreme, group_change, waves
from gpvar.stats._two_periods import Counted, Figure, around, difference, figure, link_of, normal, quantile, shown

__all__ = [
    "Counted",
    "Figure",
    "GroupChange",
    "Movement",
    "Parts",
    "common_change",
    "covariance_of_means",
    "expected_next",
    "extreme",
    "figure",
    "group_change",
    "kept",
    "movement",
    "parts",
    "waves",
]

_TRIM = 0.1
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
_LEAST_PANEL = 3
_STEPS = 25


@dataclass(frozen=True, slots=True)
class Movement:
    """What passes in the means of two periods, on the link scale.

    Attributes
    ----------
    before, after
        Variances.
    together
        Their covariance: months beside one another move together.
    """

    before: float = 0.0
    after: float = 0.0
    together: float = 0.0


@dataclass(frozen=True, slots=True)
class Parts:
    """Changes of units' figures, second minus first, and what they are made of; in the unit of the share or rate.

    Attributes
    ----------
    before, after
        The figures.
    change
        After minus before, by sampling and passing movement.
    common
        What the change of all units makes of such a figure.
    excess
        Change less `common`.
    given_back
        What a figure so far from what is expected gives back by itself. NaN where τ² is not known.
    left
        Change less `common` less `given_back`.
    kept
        The share of the distance that the next figure keeps.
    link_change, link_excess, link_left
        The three on the link scale.
    """

    before: FloatArray
    after: FloatArray
    change: Figure
    common: FloatArray
    excess: Figure
    given_back: FloatArray
    left: Figure
    kept: FloatArray
    link_change: Figure
    link_excess: Figure
    link_left: Figure


def movement(before: ArrayLike, after: ArrayLike, v: float, rho: float) -> Movement:
    """Return what passes in the means over two sets of months.

    Parameters
    ----------
    before, after
        The months of each period, counted one after another from any start; they may overlap.
    v, rho
        Variance of one month's passing movement, and its correlation with the next month's (AR(1)).
    """
    if not v >= 0.0:
        raise StatsError("A variance is zero or more.", f"v is {v!r}", "Pass the variance of passing movement.")
    one, other = vector(before, "before"), vector(after, "after")
    return Movement(*(v * covariance_of_means(*pair, rho) for pair in ((one, one), (other, other), (one, other))))


def common_change(before: ArrayLike, after: ArrayLike) -> tuple[float, float]:
    """Return how far all units changed, and the standard error: a 10 % trimmed mean of their differences.

    Parameters
    ----------
    before, after
        The figures of the same units on the link scale, 3 or more.
    """
    one, other = vector(before, "before"), vector(after, "after")
    if len(one) != len(other) or len(one) < _LEAST_PANEL:
        raise StatsError(
            "before and after must hold the same units, at least 3.",
            f"before has {len(one)} values, after {len(other)}",
            "Pass the units that are in both, in one order.",
        )
    gaps = np.sort(other - one)
    refuse(~np.isfinite(gaps), "A value is missing.", "after − before", gaps, "Leave the unit out of both.")
    n, cut = len(gaps), int(_TRIM * len(gaps))
    inner = gaps[cut : n - cut]
    drawn_in = np.clip(gaps, inner[0], inner[-1])
    return float(inner.mean()), float(drawn_in.std(ddof=1) / ((1.0 - 2.0 * cut / n) * np.sqrt(n)))


def kept(between: ArrayLike, sampling: ArrayLike, moving: Movement) -> FloatArray:
    """Return which share of its distance from what is expected a unit's next figure keeps, on average.

    Parameters
    ----------
    between
        Variance τ² of lasting values about what is expected.
    sampling
        Sampling variances of the first figures.
    moving
        What passes.
    """
    tau2, s2 = floats(between, "between"), floats(sampling, "sampling")
    total = tau2 + s2 + moving.before
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (tau2 + moving.together) / total
    return np.asarray(np.where(total > 0.0, np.minimum(share, 1.0), np.nan))


def expected_next(before: Counted, expected: ArrayLike, between: float, moving: Movement, common: float) -> FloatArray:
    """Return the mean figure that units like these show next when nothing but all units changed.

    Parameters
    ----------
    before
        The first figures.
    expected
        What was expected of each, on the link scale.
    between, moving
        As for `kept`.
    common
        The change of all units on the link scale.

    Returns
    -------
    array
        In the unit of the share or rate: a mean over what is not known of the unit's lasting value and of what passes,
        because the mean of shares is not the share at the mean on the link scale.
    """
    link, open_variance, _ = _next(before, floats(expected, "expected"), between, moving, common)
    points = link[:, None] + np.sqrt(open_variance)[:, None] * _NODES[None, :]
    return np.asarray(shown(points, before.kind) @ (_WEIGHTS / _WEIGHTS.sum()))


def parts(
    before: Counted,
    after: Counted,
    expected: ArrayLike,
    between: float,
    moving: Movement,
    common: tuple[float, float],
    level: float = 0.95,
) -> Parts:
    """Return the change of each unit's figure, and what it is made of.

    Parameters
    ----------
    before, after
        The counts of the same units in two periods.
    expected
        What was expected of each unit's first figure, on the link scale.
    between
        Variance τ² of lasting values about it; NaN where it is not known.
    moving
        What passes in both periods.
    common
        The change of all units on the link scale and its standard error: `common_change`.
    level
        Of the intervals.

    Returns
    -------
    Parts
        change = common + given_back + left, exactly.

    Notes
    -----
    Intervals of differences are put together from those of the two figures (MOVER; Newcombe's for shares that do not
    move). `left` is judged against what is foreseen from the first figure, with what is not known of it.
    """
    away, z = floats(expected, "expected"), quantile(level)
    one, other = figure(before, moving.before, level), figure(after, moving.after, level)
    first, second = before.link, after.link
    noise = before.sampling() + moving.before, after.sampling() + moving.after
    together = np.clip(moving.together / np.sqrt(noise[0] * noise[1]), -1.0, 1.0)
    gap = np.maximum(noise[0] + noise[1] - 2.0 * moving.together, 0.0)
    link, open_variance, stays = _next(before, away, between, moving, common[0])
    # What the first figure tells of the second's own passing movement is chance no longer.
    own = np.minimum(moving.after, open_variance)
    unknown = open_variance - own + common[1] ** 2
    shift = shown(first + common[0], before.kind) - shown(first, before.kind)
    back = shown(link, before.kind) - shown(first + common[0], before.kind)
    reach = tuple(np.abs(link_of(end, before.kind) - first) for end in (one.lower, one.upper))
    start = around(one.value + shift, first + common[0], reach, z * common[1], before.kind)
    foreseen = around(one.value + shift + back, link, (z * np.sqrt(unknown),) * 2, 0.0, before.kind)
    return Parts(
        before=one.value,
        after=other.value,
        change=difference(other, one, together),
        common=shift,
        excess=difference(other, start, together),
        given_back=back,
        left=difference(figure(after, own, level), foreseen, np.zeros_like(link)),
        kept=stays,
        link_change=normal(second - first, gap, z),
        link_excess=normal(second - first - common[0], gap + common[1] ** 2, z),
        link_left=normal(second - link, after.sampling() + own + unknown, z),
    )


def _next(
    before: Counted, expected: FloatArray, between: float, moving: Movement, common: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the next figure on the link scale as the first foretells it, its variance without sampling, and `kept`.

    The first period's own value is the mode of its posterior, as in a mixed model: sampling is that of the value, not
    of the figure, whose luck is in it.
    """
    spread = between + moving.before
    own = np.array(np.broadcast_to(expected, before.count.shape), dtype=np.float64)
    if not spread > 0.0:
        nothing = np.full_like(own, np.nan if np.isnan(spread) else 0.0)
        return own + common + nothing, nothing + moving.after, nothing
    for _ in range(_STEPS):
        noise = before.sampling(own)
        fitted = before.size * shown(own, before.kind)
        step = (before.count - fitted - (own - expected) / spread) / (1.0 / noise + 1.0 / spread)
        own += np.clip(step, -1.0, 1.0)
    noise = before.sampling(own)
    passed_on = (between + moving.together) / spread
    link = common + expected + passed_on * (own - expected)
    unknown = passed_on**2 * spread * noise / (spread + noise)
    lasting = between + moving.after - passed_on**2 * spread
    return link, np.maximum(lasting + unknown, 0.0), kept(between, noise, moving)
