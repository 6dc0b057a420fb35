"""The scale on which a unit is judged: logit for shares, log for rates and ratios."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray
from gpvar.stats._predictive import Counts


@dataclass(frozen=True, slots=True)
class Units:
    """Counts and what they are out of, put into the form that every kind shares.

    Attributes
    ----------
    count
        Events.
    size
        Trials of a share (for a ratio of two counts: both together), or the exposure of a rate or ratio.
    offset
        Expected value of each unit on the link scale, before the common centre is added.
    transient
        Variance of the passing movement of each unit on the link scale.
    share
        Whether events are out of trials.
    odds
        Whether the value shown is events over non-events.
    """

    count: FloatArray
    size: FloatArray
    offset: FloatArray
    transient: FloatArray
    share: bool
    odds: bool

    def only(self, which: BoolArray) -> Units:
        """Return some of the units."""
        return replace(
            self,
            count=self.count[which],
            size=self.size[which],
            offset=self.offset[which],
            transient=self.transient[which],
        )

    def at(self, size: FloatArray, offset: float, transient: float) -> Units:
        """Return units of given sizes with nothing observed, to draw limits for."""
        one = np.ones_like(size)
        return replace(self, count=one * np.nan, size=size, offset=one * offset, transient=one * transient)


def judged(units: Units) -> FloatArray:
    """Return the observed value on the link scale, half an event added so that zero has one."""
    if units.share:
        return np.log((units.count + 0.5) / (units.size - units.count + 0.5))
    return np.log((units.count + 0.5) / units.size)


def count_at(units: Units, link: FloatArray) -> FloatArray:
    """Return the count whose judged value is `link`: the inverse of `judged`, kept within what is possible."""
    if units.share:
        return np.clip(special.expit(link) * (units.size + 1.0) - 0.5, 0.0, units.size)
    with np.errstate(over="ignore"):
        return np.maximum(np.exp(link) * units.size - 0.5, 0.0)


def expected_count(units: Units, link: FloatArray) -> FloatArray:
    """Return the count expected at fitted value `link`."""
    return units.size * (special.expit(link) if units.share else np.exp(link))


def predicted(units: Units, link: FloatArray) -> Counts:
    """Return mean and trials of the counts expected at `link`."""
    mean = expected_count(units, link)
    return Counts(mean, units.size if units.share else np.full_like(mean, np.inf))


def rarer_expected(units: Units, link: FloatArray) -> FloatArray:
    """Return the expected count of events or of non-events, whichever is smaller."""
    mean = expected_count(units, link)
    return np.minimum(mean, units.size * special.expit(-link)) if units.share else mean


def sampling_variance(units: Units, link: FloatArray) -> FloatArray:
    """Return the sampling variance of the judged value at fitted value `link`."""
    if units.share:
        return 1.0 / (units.size * special.expit(link) * special.expit(-link))
    return 1.0 / (units.size * np.exp(link))


def shown(units: Units, count: FloatArray) -> FloatArray:
    """Return a count as the value a reader sees: a share, a rate, a ratio, or events over non-events."""
    if units.odds:
        with np.errstate(divide="ignore"):
            return count / (units.size - count)
    return count / units.size


def shown_centre(units: Units, link: FloatArray) -> FloatArray:
    """Return a fitted value as the value a reader sees."""
    return special.expit(link) if units.share and not units.odds else np.exp(link)


def link_of(units: Units, value: FloatArray) -> FloatArray:
    """Return a value a reader sees on the link scale."""
    return special.logit(value) if units.share and not units.odds else np.log(value)


def pooled_centre(units: Units) -> float:
    """Return the common shift at which expected and observed events agree in total.

    It is the maximum-likelihood centre when units differ by chance alone.
    """
    total, possible = float(units.count.sum()), float(units.size.sum())
    if total == 0.0 or (units.share and total == possible):
        raise StatsError(
            "There is no variation to judge: every unit has "
            + ("no events." if total == 0.0 else "nothing but events."),
            f"{len(units.count)} units, {total:g} events in all",
            "Check that the right columns were chosen.",
        )
    if not units.share:
        return float(np.log(total / (units.size @ np.exp(units.offset))))
    shift = float(special.logit(total / possible)) - float(units.size @ units.offset) / possible
    for _ in range(100):
        share = special.expit(units.offset + shift)
        step = float((total - units.size @ share) / (units.size @ (share * (1.0 - share))))
        # Far from the solution the curve is flat and Newton would jump past it.
        shift += max(-2.0, min(2.0, step))
        if abs(step) < 1e-13 * (1.0 + abs(shift)):
            break
    return shift
