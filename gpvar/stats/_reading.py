"""What a funnel is given: read, checked and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats import _scales
from gpvar.stats._checks import FloatArray, check_level, refuse, vector
from gpvar.stats._scales import Units


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    wanted = tuple(sorted(check_level(level, "levels") for level in np.atleast_1d(np.asarray(levels)).tolist()))
    if not wanted:
        raise StatsError("A funnel needs at least one level.", "levels is empty", "Use (0.95, 0.998).")
    return wanted


def read_counts(numerator: ArrayLike, denominator: ArrayLike, kind: str) -> tuple[FloatArray, FloatArray]:
    top, bottom = vector(numerator, "numerator"), vector(denominator, "denominator")
    if len(top) != len(bottom) or not len(top):
        raise StatsError(
            "Numerator and denominator must be columns of one length, with at least one unit.",
            f"{len(top)} numerators, {len(bottom)} denominators",
            "Pass one of each per unit.",
        )
    leave = "Leave out units without data before drawing a funnel; a missing value is never zero."
    refuse(~np.isfinite(top), "A numerator is missing or infinite.", "numerator", top, leave)
    refuse(~np.isfinite(bottom), "A denominator is missing or infinite.", "denominator", bottom, leave)
    refuse(top < 0, "A numerator is negative.", "numerator", top, "Check the counts.")
    refuse(bottom <= 0, "A denominator is zero or negative.", "denominator", bottom, "Leave out units with no one in.")
    if kind == "proportion":
        refuse(
            top > bottom,
            "A numerator is larger than its denominator.",
            "numerator",
            top,
            "Check which column is which; for events per person use kind='rate'.",
        )
    return top, bottom


def read_units(
    top: FloatArray, bottom: FloatArray, kind: str, expected: ArrayLike | None, transient: ArrayLike | None
) -> Units:
    share = kind in ("proportion", "ratio_of_counts")
    odds = kind == "ratio_of_counts"
    zero = np.zeros_like(top)
    passing = zero if transient is None else vector(transient, "transient") + zero
    refuse(
        ~(np.isfinite(passing) & (passing >= 0)),
        "A transient variance is missing or negative.",
        "transient",
        passing,
        "Use 0 for a unit whose passing movement is not known.",
    )
    units = Units(top, top + bottom if odds else bottom, zero, passing, share, odds)
    if expected is None:
        return units
    due = vector(expected, "expected")
    if len(due) != len(top):
        raise StatsError(
            "There must be one expected value per unit.", f"{len(due)} for {len(top)} units", "Pass one for each."
        )
    possible = (due > 0) & ((due < 1) if kind == "proportion" else np.isfinite(due))
    refuse(
        ~possible,
        "An expected value is missing or impossible.",
        "expected",
        due,
        "Expected proportions lie between 0 and 1; rates and ratios are above 0.",
    )
    return replace(units, offset=_scales.link_of(units, due))


def fixed_centre(units: Units, kind: str, target: float | None, expected: ArrayLike | None) -> float | None:
    if target is None:
        return None
    if expected is not None:
        raise StatsError(
            "A funnel cannot have both expected values and a target.",
            f"target is {target!r}",
            "Give the expected values alone for an adjusted centre, or the target alone for one fixed centre.",
        )
    if not (target > 0 and (target < 1 if kind == "proportion" else np.isfinite(target))):
        raise StatsError(
            "The target is not a possible value.",
            f"target is {target!r} for kind {kind!r}",
            "A target proportion lies between 0 and 1 (90 % is 0.9); a rate or ratio is above 0.",
        )
    return float(_scales.link_of(units, np.array([float(target)]))[0])
