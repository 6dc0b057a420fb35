"""The mean change of a group of units that was chosen for its first figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, check_choice, check_level, vector
from gpvar.stats.ranks import tail_size

_LEAST = 3


@dataclass(frozen=True, slots=True)
class GroupChange:
    """The mean change of a group that was chosen for its first figures.

    Attributes
    ----------
    units, followed
        How many were chosen, and how many of them have a second figure; all means are over the latter.
    ties
        How many of those chosen are there because they tie with the last.
    before, after, change
        Means of the figures, and of their differences.
    common
        What the change of all units makes of it.
    given_back
        What a group chosen so gives back by itself.
    expected
        `common` and `given_back` together.
    left, left_lower, left_upper
        Change less `expected`, with its interval.
    change_lower, change_upper
        Interval of the change itself.
    correlation
        Of the two figures over all units that have both. It holds what changed for good as well as chance.
    """

    units: int
    followed: int
    ties: int
    before: float
    after: float
    change: float
    common: float
    given_back: float
    expected: float
    left: float
    left_lower: float
    left_upper: float
    correlation: float
    change_lower: float = float("nan")
    change_upper: float = float("nan")


def extreme(
    values: ArrayLike, side: str = "low", *, count: int | None = None, share: float = 0.1
) -> tuple[BoolArray, int]:
    """Return which units are the lowest or highest, and how many more they are than were asked for.

    Parameters
    ----------
    values
        One per unit; a missing one is never among them.
    side
        ``"low"`` or ``"high"``.
    count, share
        How many; else which share of the units that have a value, up to the next whole number. Units that tie with
        the last of them are all in: no order of names decides.
    """
    check_choice(side, ("low", "high"), "side")
    found = vector(values, "values") * (1.0 if side == "low" else -1.0)
    known = np.sort(found[~np.isnan(found)])
    if not len(known):
        raise StatsError("No unit has a value.", "values", "Pass the figures of the first period.")
    wanted = tail_size(len(known), share) if count is None else count
    if not 1 <= wanted <= len(known):
        raise StatsError(
            "A group must be at least one unit and no more than there are.",
            f"{wanted} of {len(known)}",
            "Ask for fewer.",
        )
    with np.errstate(invalid="ignore"):
        inside = found <= known[wanted - 1]
    return inside, int(inside.sum()) - wanted


def group_change(
    before: ArrayLike,
    after: ArrayLike,
    moved: ArrayLike,
    foreseen: ArrayLike,
    *,
    units: int,
    ties: int = 0,
    correlation: float = float("nan"),
    doubt: float = 0.0,
    level: float = 0.95,
) -> GroupChange:
    """Return the mean change of a group, with Student's interval over its units of what is left of it.

    Parameters
    ----------
    before, after
        Figures of the group's units that have both.
    moved
        What the change of all units alone makes of each first figure.
    foreseen
        The mean figure that units like these show next: `expected_next`.
    units, ties, correlation
        As in `GroupChange`.
    doubt
        Variance of the mean of `foreseen` by what is not known of all units' change and of what passes.
    level
        Of the interval; it is not known (NaN) for a single unit.
    """
    one, other, shifted, ahead = (
        vector(values, name)
        for values, name in ((before, "before"), (after, "after"), (moved, "moved"), (foreseen, "foreseen"))
    )
    n, left = len(one), other - ahead
    check_level(level)
    half = around = float("nan")
    moved_by = other - one
    if n > 1:
        wide = float(special.stdtrit(n - 1, (1.0 + level) / 2.0))
        half = wide * float(np.sqrt(left.var(ddof=1) / n + doubt))
        around = wide * float(np.sqrt(moved_by.var(ddof=1) / n))
    common, expected = float(np.mean(shifted - one)), float(np.mean(ahead - one))
    middle = float(left.mean())
    return GroupChange(
        units=units,
        followed=n,
        ties=ties,
        before=float(one.mean()),
        after=float(other.mean()),
        change=float(np.mean(moved_by)),
        common=common,
        given_back=expected - common,
        expected=expected,
        left=middle,
        left_lower=middle - half,
        left_upper=middle + half,
        correlation=correlation,
        change_lower=float(np.mean(moved_by)) - around,
        change_upper=float(np.mean(moved_by)) + around,
    )


def waves(
    first: ArrayLike,
    second: ArrayLike,
    side: str = "low",
    *,
    count: int | None = None,
    share: float = 0.1,
    seed: int = 1,
    resamples: int = 2000,
    level: float = 0.95,
) -> GroupChange:
    """Return the mean change of a group chosen in one wave, where nothing but the waves of all units is known.

    Parameters
    ----------
    first, second
        Each unit's figure in two waves; missing where it has none.
    side, count, share
        The group: `extreme` of all that have a first figure.
    seed, resamples, level
        Of the bootstrap interval: units are drawn with replacement, and the group is chosen anew each time.

    Notes
    -----
    What is expected of the second figure is its mean given the first: second mean + r·(SD₂/SD₁)·(first − first mean),
    over all units that have both (Davis 1976; Healy & Goldstein 1978 where the SDs differ). The correlation r of two
    waves is lower the more chance there is in them, but also the more units changed for good, each its own way: that
    some rose and some fell is within what is foreseen here, and what is left is a change of the group as a whole.
    """
    one, other = vector(first, "first"), vector(second, "second")
    if len(one) != len(other) or int(np.sum(~np.isnan(one + other))) < _LEAST:
        raise StatsError(
            "first and second must hold the same units, at least 3 of them with both figures.",
            f"first has {len(one)} values, second {len(other)}",
            "Pass one value per unit in each, an empty one where a unit has none.",
        )
    one, other = one[~np.isnan(one)], other[~np.isnan(one)]
    if count is None:
        count = tail_size(len(one), share)
    rng = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for i in range(resamples):
        rows = rng.integers(len(one), size=len(one))
        again, inside = one[rows], other[rows]
        chosen = extreme(again, side, count=count)[0] & ~np.isnan(inside)
        drawn[i] = np.mean(inside[chosen] - _foreseen(again, inside)[0][chosen])
    lower, upper = np.quantile(drawn, [(1.0 - check_level(level)) / 2.0, (1.0 + level) / 2.0])
    return replace(_wave(one, other, side, count), left_lower=float(lower), left_upper=float(upper))


def _wave(one: FloatArray, other: FloatArray, side: str, count: int) -> GroupChange:
    """Return what two waves say of a group, the interval left open."""
    both = ~np.isnan(other)
    inside, ties = extreme(one, side, count=count)
    chosen = inside & both
    if not chosen.any():
        raise StatsError("No unit of the group has a second figure.", "second", "Ask for a larger group.")
    ahead, shift = _foreseen(one, other)
    return group_change(
        one[chosen],
        other[chosen],
        one[chosen] + shift,
        ahead[chosen],
        units=int(inside.sum()),
        ties=ties,
        correlation=float(np.corrcoef(one[both], other[both])[0, 1]),
    )


def _foreseen(one: FloatArray, other: FloatArray) -> tuple[FloatArray, float]:
    """Return each unit's second figure as the first foretells it, and how far the mean of all moved."""
    both = ~np.isnan(other)
    first, second = one[both], other[both]
    middle, later = first.mean(), second.mean()
    away = first - middle
    return later + (away @ second) / (away @ away) * (one - middle), float(later - middle)
