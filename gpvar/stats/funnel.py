"""Funnel limits that hold their level: how far a unit is from what is expected, against chance and a shared spread.

A unit is judged on the link scale (logit for shares, log for rates and ratios) by
z = (y − θ)/sqrt(s² + v + τ²): s² is its sampling variance at the fitted value, v the variance of its passing
movement where known, τ² the spread shared by all units. Where fewer than 30 events (or non-events) are expected the
normal scale no longer fits counts, and z is read off the predictive distribution of the count itself.

References
----------
Spiegelhalter 2005, Stat Med 24:1185 and QSHC 14:347; Huber 1964; Paule & Mandel 1982; DerSimonian & Laird 1986.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from gpvar.errors import StatsError
from gpvar.stats import _compatibility, _scales
from gpvar.stats._checks import FloatArray, check_choice, refuse, vector
from gpvar.stats._limits import Limits, chance, flags, judge, level_suffix, named, sampling_flags
from gpvar.stats._overdispersion import (
    OverdispersionTest,
    SharedSpread,
    chi2_test,
    dersimonian_laird,
    leave_one_out_centre,
    proposal2_scale,
    shared_spread,
    winsor_point,
)
from gpvar.stats._reading import check_levels, fixed_centre, read_counts, read_units
from gpvar.stats._scales import Units
from gpvar.stats.tails import SpreadShape, spread_shape

__all__ = [
    "KINDS",
    "MODES",
    "Funnel",
    "OverdispersionTest",
    "SharedSpread",
    "dersimonian_laird",
    "funnel",
    "leave_one_out_centre",
    "level_suffix",
    "shared_spread",
]

Kind = Literal["proportion", "rate", "ratio", "ratio_of_counts"]
Mode = Literal["consistent", "none", "dersimonian-laird", "multiplicative", "shmi", "cqc", "funnelplotr-0.6"]

KINDS = ("proportion", "rate", "ratio", "ratio_of_counts")
MODES = ("consistent", "none", "dersimonian-laird", "multiplicative", *_compatibility.MODES)

_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Funnel:
    """Units judged against their expected values, and the limits they were judged by.

    Attributes
    ----------
    units
        One row per unit, in the order given: numerator, denominator, value, centre, the limits of the chosen mode and
        of chance alone, z, z_sampling, p, q, flag, flag_sampling. A flag names the widest limit crossed
        (`low_99_8`), and is empty for a unit inside or exactly on its limits.
    kind, overdispersion, levels
        As asked for.
    centre
        Common shift on the link scale: added to the expected values, or the centre itself where none were given.
        In compatibility modes the centre is fixed by the recipe and this is its link.
    tau2
        Shared variance; in compatibility modes on the recipe's own scale.
    phi
        Dispersion about chance (1 is chance).
    test
        Test for over-dispersion: Pearson's sum of squares at the pooled centre against χ².
    """

    units: pd.DataFrame
    kind: str
    overdispersion: str
    levels: tuple[float, ...]
    centre: float
    tau2: float
    phi: float
    test: OverdispersionTest
    _inputs: Units
    _scale: float

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the units."""
        return self.units.copy()

    @property
    def expected_flags(self) -> pd.DataFrame:
        """Flags seen at each level, and how many a normal and a fitted t distribution of z would give."""
        z = self.units["z"].to_numpy(dtype=np.float64)
        shape = spread_shape(z)
        rows = []
        for level in self.levels:
            point = float(special.ndtri((1.0 + level) / 2.0))
            wider = [f"{{}}_{level_suffix(other)}" for other in self.levels if other >= level]
            low, high = (self.units["flag"].isin([w.format(side) for w in wider]).sum() for side in ("low", "high"))
            rows.append(
                {
                    "level": level,
                    "flagged_low": int(low),
                    "flagged_high": int(high),
                    "normal": len(z) * (1.0 - level),
                    "t": len(z) * shape.beyond(point),
                }
            )
        return pd.DataFrame(rows)

    @property
    def shape(self) -> SpreadShape:
        """Skewness, excess kurtosis and the t distribution fitted to z."""
        return spread_shape(self.units["z"].to_numpy(dtype=np.float64))

    def curve(self, grid: ArrayLike) -> pd.DataFrame:
        """Return centre and limits over a grid of denominators, for drawing.

        Where units have expected values of their own the curve is for a unit with the middle one.
        """
        denominator = vector(grid, "grid")
        refuse(~(denominator > 0), "A denominator must be above zero.", "grid", denominator, "Start above zero.")
        offset, transient = float(np.median(self._inputs.offset)), float(np.median(self._inputs.transient))
        link = np.full(len(denominator), offset + self.centre)
        # A funnel of two counts is drawn over the second; its size is both together.
        size = denominator * (1.0 + np.exp(link)) if self._inputs.odds else denominator
        units = self._inputs.at(size, offset, transient)
        centre = _scales.shown_centre(units, link)
        if self.overdispersion in _compatibility.MODES:
            plain, wide = _compatibility.recipe_limits(units, centre, self.overdispersion, self.tau2, self.levels)
            sampling, limits = plain, wide if self.phi > 1.0 else plain
        else:
            sampling = chance(units, link, self.levels)[1]
            limits = judge(units, link, self.tau2, self._scale, self.levels, self.overdispersion, sampling)[1]
        frame = pd.DataFrame({"denominator": denominator, "centre": centre})
        return frame.assign(**named(limits, self.levels, ""), **named(sampling, self.levels, "sampling_"))


def funnel(
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    kind: Kind,
    expected: ArrayLike | None = None,
    overdispersion: Mode = "consistent",
    trim: float = 0.10,
    levels: Sequence[float] = (0.95, 0.998),
    target: float | None = None,
    n_parameters: int = 1,
    transient: ArrayLike | None = None,
) -> Funnel:
    """Judge units against their expected values, allowing for chance and for the spread they share.

    Parameters
    ----------
    numerator, denominator
        Counts: events out of trials (`proportion`), events and exposure (`rate`), observed and expected events
        (`ratio`), or two counts (`ratio_of_counts`, judged as the share of the first in both).
    kind
        Which of these they are.
    expected
        Expected value of each unit, as a value of that kind: the centre is then adjusted unit by unit.
    overdispersion
        `consistent` (the shared spread by Huber's Proposal 2 within Paule and Mandel's equation), `none` (chance
        alone), `dersimonian-laird` (nothing capped), `multiplicative` (limits widened by √φ), or a recipe to be
        reconciled with: `shmi`, `cqc`, `funnelplotr-0.6`.
    trim
        Share capped (or cut) at each end when the spread is estimated.
    levels
        Two-sided levels of the limits.
    target
        A fixed centre, in place of one estimated jointly. In compatibility modes left out: 1 for a ratio, the pooled
        value otherwise.
    n_parameters
        Columns fitted to obtain `expected`, the constant included.
    transient
        Variance of each unit's passing movement on the link scale.

    Examples
    --------
    >>> f = funnel([30, 55, 41, 38], [400, 410, 390, 405], kind="proportion", overdispersion="none")
    >>> list(f.units["flag"])
    ['', '', '', '']
    """
    check_choice(kind, KINDS, "kind")
    check_choice(overdispersion, MODES, "overdispersion")
    winsor_point(trim)
    wanted = check_levels(levels)
    top, bottom = read_counts(numerator, denominator, kind)
    units = read_units(top, bottom, kind, expected, transient)
    fixed = fixed_centre(units, kind, target, expected)
    if overdispersion in _compatibility.MODES:
        return _reproduced(units, top, bottom, kind, overdispersion, trim, wanted, fixed, expected is not None)
    fitted = 0 if fixed is not None else n_parameters
    if len(top) <= fitted:
        raise StatsError(
            "There are too few units for a funnel.",
            f"{len(top)} units for {fitted} fitted quantities",
            "Use more units, or a fixed target.",
        )
    pooled = _scales.pooled_centre(units) if fixed is None else fixed
    test = _overdispersion_test(units, pooled, fitted)
    shift, tau2, phi = _spread(units, overdispersion, pooled, fixed, trim, fitted)
    link = units.offset + shift
    scale = max(1.0, phi) if overdispersion == "multiplicative" else 1.0
    z_sampling, sampling = chance(units, link, wanted)
    z, limits = judge(units, link, tau2, scale, wanted, overdispersion, sampling)
    frame = units_frame(units, top, bottom, link, wanted, limits, sampling, z_sampling if z is None else z, z_sampling)
    return Funnel(frame, kind, overdispersion, wanted, shift, tau2, phi, test, units, scale)


def _overdispersion_test(units: Units, centre: float, fitted: int) -> OverdispersionTest:
    link = units.offset + centre
    variance = _scales.sampling_variance(units, link)
    # An event moves the link by the sampling variance, so this is (O − E) over its standard error.
    pearson = (units.count - _scales.expected_count(units, link)) * variance / np.sqrt(variance + units.transient)
    return chi2_test(float(pearson @ pearson), len(pearson) - fitted)


def _spread(
    units: Units, mode: str, pooled: float, fixed: float | None, trim: float, fitted: int
) -> tuple[float, float, float]:
    """Return centre, τ² and φ; the sampling variances are taken at the fitted values, which the centre moves."""
    seen = _scales.judged(units)
    shift, tau2 = pooled, 0.0
    for _ in range(_ROUNDS):
        link = units.offset + shift
        variance = _scales.sampling_variance(units, link) + units.transient
        if mode not in ("consistent", "dersimonian-laird"):
            break
        # With a fixed centre the whole of it is in `link`, and no more is solved for.
        held = None if fixed is None else 0.0
        if mode == "consistent":
            spread = shared_spread(seen - link, variance, n_parameters=fitted, trim=trim, centre=held)
        else:
            spread, _ = dersimonian_laird(seen - link, variance, n_parameters=fitted, centre=held)
        step = float(spread.centre)
        done = abs(step) < 1e-11 * (1.0 + abs(shift))
        shift, tau2 = shift + step, spread.tau2
        if done:
            break
    link = units.offset + shift
    variance = _scales.sampling_variance(units, link) + units.transient
    return shift, tau2, proposal2_scale((seen - link) / np.sqrt(variance), fitted, trim)


def units_frame(
    units: Units,
    top: FloatArray,
    bottom: FloatArray,
    link: FloatArray,
    levels: tuple[float, ...],
    limits: Limits,
    sampling: Limits,
    z: FloatArray,
    z_sampling: FloatArray,
) -> pd.DataFrame:
    """Return one row per unit with its limits, scores and flags: the columns of `Funnel.units`."""
    value = top / bottom
    p = 2.0 * special.ndtr(-np.abs(z))
    flag_sampling = sampling_flags(units, value, sampling, levels, z_sampling)
    return pd.DataFrame(
        {
            "numerator": top,
            "denominator": bottom,
            "value": value,
            "centre": _scales.shown_centre(units, link),
            **named(limits, levels, ""),
            **named(sampling, levels, "sampling_"),
            "z": z,
            "z_sampling": z_sampling,
            "p": p,
            "q": stats.false_discovery_control(p),
            "flag": flag_sampling if limits is sampling else flags(value, limits, levels),
            "flag_sampling": flag_sampling,
        }
    )


def _reproduced(
    units: Units,
    top: FloatArray,
    bottom: FloatArray,
    kind: str,
    mode: str,
    trim: float,
    levels: tuple[float, ...],
    fixed: float | None,
    adjusted: bool,
) -> Funnel:
    if fixed is not None:
        shift = fixed
    elif adjusted or kind == "ratio":
        shift = 0.0
    else:
        shift = _scales.pooled_centre(units)
    link = units.offset + shift
    found = _compatibility.reproduce(units, _scales.shown_centre(units, link), mode, trim, levels)
    frame = units_frame(units, top, bottom, link, levels, found.limits, found.sampling, found.z, found.z_sampling)
    frame["flag"] = flags(top / bottom, found.limits, levels)
    frame["flag_sampling"] = flags(top / bottom, found.sampling, levels)
    test = _overdispersion_test(units, shift, 0 if fixed is not None else 1)
    return Funnel(frame, kind, mode, levels, shift, found.tau2, found.phi, test, units, 1.0)
