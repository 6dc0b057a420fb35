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
from gpvar.stats import _compatibility, _predictive, _scales
from gpvar.stats._checks import FloatArray, check_choice, check_level, refuse, vector
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
from gpvar.stats._scales import Units

__all__ = [
    "KINDS",
    "MODES",
    "Funnel",
    "OverdispersionTest",
    "SharedSpread",
    "funnel",
    "leave_one_out_centre",
    "level_suffix",
    "shared_spread",
]

Kind = Literal["proportion", "rate", "ratio", "ratio_of_counts"]
Mode = Literal["consistent", "none", "dersimonian-laird", "multiplicative", "shmi", "cqc", "funnelplotr-0.6"]
Limits = list[tuple[FloatArray, FloatArray]]

KINDS = ("proportion", "rate", "ratio", "ratio_of_counts")
MODES = ("consistent", "none", "dersimonian-laird", "multiplicative", *_compatibility.MODES)

#: Below this many expected events (or non-events) a unit is judged on its predictive distribution.
SMALL_COUNT = 30.0

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
                    "t": len(z) * 2.0 * float(stats.t.sf(point / shape.t_scale, shape.t_df)),
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
            sampling = _chance(units, link, self.levels)[1]
            limits = _judge(units, link, self.tau2, self._scale, self.levels, self.overdispersion, sampling)[1]
        frame = pd.DataFrame({"denominator": denominator, "centre": centre})
        return frame.assign(**_named(limits, self.levels, ""), **_named(sampling, self.levels, "sampling_"))


@dataclass(frozen=True, slots=True)
class SpreadShape:
    """How the tails of z compare with a normal distribution's."""

    skewness: float
    kurtosis: float
    t_df: float
    t_scale: float


def spread_shape(z: FloatArray) -> SpreadShape:
    """Return skewness, excess kurtosis, and the t distribution about zero that fits z best.

    The degrees of freedom end at 200, where a t is a normal for every use made of it here.
    """
    z = z[np.isfinite(z)]
    if len(z) < 4 or np.ptp(z) == 0.0:
        return SpreadShape(float("nan"), float("nan"), float("nan"), float("nan"))
    best = max((_t_profile(z, df), df) for df in np.geomspace(1.5, 200.0, 60))
    return SpreadShape(float(stats.skew(z)), float(stats.kurtosis(z)), float(best[1]), _t_scale(z, best[1]))


def _t_scale(z: FloatArray, df: float) -> float:
    scale2 = float(np.mean(z**2))
    for _ in range(200):
        new = float(np.mean((df + 1.0) * z**2 / (df + z**2 / scale2)))
        if abs(new - scale2) <= 1e-10 * scale2:
            break
        scale2 = new
    return float(np.sqrt(scale2))


def _t_profile(z: FloatArray, df: float) -> float:
    return float(stats.t.logpdf(z, df, scale=_t_scale(z, df)).sum())


def level_suffix(level: float) -> str:
    """Return how a level appears in column names and flags: `95`, `99_8`."""
    return f"{100 * level:g}".replace(".", "_")


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
    wanted = _check_levels(levels)
    top, bottom = _counts(numerator, denominator, kind)
    units = _units(top, bottom, kind, expected, transient)
    fixed = _fixed_centre(units, kind, target, expected)
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
    test, pearson = _overdispersion_test(units, pooled, fitted)
    shift, tau2, phi = _spread(units, overdispersion, pooled, fixed, trim, fitted)
    link = units.offset + shift
    scale = max(1.0, phi) if overdispersion == "multiplicative" else 1.0
    z_sampling, sampling = _chance(units, link, wanted)
    z, limits = _judge(units, link, tau2, scale, wanted, overdispersion, sampling)
    frame = _frame(units, top, bottom, link, wanted, limits, sampling, z_sampling if z is None else z, z_sampling)
    return Funnel(frame, kind, overdispersion, wanted, shift, tau2, phi, test, units, scale)


def _check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    wanted = tuple(sorted(check_level(level, "levels") for level in np.atleast_1d(np.asarray(levels)).tolist()))
    if not wanted:
        raise StatsError("A funnel needs at least one level.", "levels is empty", "Use (0.95, 0.998).")
    return wanted


def _counts(numerator: ArrayLike, denominator: ArrayLike, kind: str) -> tuple[FloatArray, FloatArray]:
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


def _units(
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
    return Units(top, units.size, _scales.link_of(units, due), passing, share, odds)


def _fixed_centre(units: Units, kind: str, target: float | None, expected: ArrayLike | None) -> float | None:
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


def _overdispersion_test(units: Units, centre: float, fitted: int) -> tuple[OverdispersionTest, FloatArray]:
    link = units.offset + centre
    variance = _scales.sampling_variance(units, link)
    # O − E over its standard error; one event is worth `1/(s² E…)` on the link scale, hence the product.
    pearson = (units.count - _scales.expected_count(units, link)) * variance / np.sqrt(variance + units.transient)
    return chi2_test(float(pearson @ pearson), len(pearson) - fitted), pearson


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
        step = float(spread.centre)  # type: ignore[arg-type]
        done = abs(step) < 1e-11 * (1.0 + abs(shift))
        shift, tau2 = shift + step, spread.tau2
        if done:
            break
    link = units.offset + shift
    variance = _scales.sampling_variance(units, link) + units.transient
    return shift, tau2, proposal2_scale((seen - link) / np.sqrt(variance), fitted, trim)


def _tails(levels: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(p for level in levels for p in ((1.0 - level) / 2.0, (1.0 + level) / 2.0))


def _chance(units: Units, link: FloatArray, levels: tuple[float, ...]) -> tuple[FloatArray, Limits]:
    """Return score and limits under chance: sampling, and passing movement where it is known."""
    if units.transient.any():
        z, limits = _spread_out(units, link, units.transient, levels)
        return z, limits
    counts = _scales.predicted(units, link)
    z = np.full(len(link), np.nan)
    if not np.isnan(units.count).any():
        z = _predictive.sampling_score(units.count, counts)
    found = [_scales.shown(units, _predictive.interpolated_limits(counts, p)) for p in _tails(levels)]
    return z, list(zip(found[::2], found[1::2], strict=True))


def _judge(
    units: Units,
    link: FloatArray,
    tau2: float,
    scale: float,
    levels: tuple[float, ...],
    mode: str,
    sampling: Limits,
) -> tuple[FloatArray | None, Limits]:
    """Return score and limits of the chosen mode; no score means chance's own."""
    if mode == "none":
        return None, sampling
    if mode == "multiplicative":
        sd = np.sqrt(scale * (_scales.sampling_variance(units, link) + units.transient))
        return _on_link(units, link, sd, levels)
    return _spread_out(units, link, units.transient + tau2, levels)


def _on_link(
    units: Units, link: FloatArray, sd: FloatArray, levels: tuple[float, ...]
) -> tuple[FloatArray, Limits]:
    limits = []
    for level in levels:
        half = float(special.ndtri((1.0 + level) / 2.0)) * sd
        ends = (_scales.count_at(units, link - half), _scales.count_at(units, link + half))
        limits.append((_scales.shown(units, ends[0]), _scales.shown(units, ends[1])))
    return (_scales.judged(units) - link) / sd, limits


def _spread_out(
    units: Units, link: FloatArray, spread: FloatArray, levels: tuple[float, ...]
) -> tuple[FloatArray, Limits]:
    """Return score and limits with a variance of `spread` added to sampling on the link scale."""
    z, limits = _on_link(units, link, np.sqrt(_scales.sampling_variance(units, link) + spread), levels)
    small = _scales.rarer_expected(units, link) < SMALL_COUNT
    if not small.any():
        return z, limits
    few = Units(*(getattr(units, name)[small] for name in ("count", "size", "offset", "transient")), units.share, units.odds)
    counts = _scales.predicted(few, link[small])
    amount = np.expm1(spread[small])
    if units.share:
        share = counts.mean / counts.trials
        # The share's variance for that spread of its logit; a beta cannot hold more than all of it.
        taken = np.minimum(share * (1.0 - share) * amount, 0.99)
        amount = taken / (1.0 - taken)
    seen = None if np.isnan(few.count).any() else few.count
    score, ends = _predictive.mixed_scores(seen, counts, amount, _tails(levels))
    z = z.copy()
    z[small] = score
    for i, (lower, upper) in enumerate(limits):
        lower[small] = _scales.shown(few, ends[:, 2 * i])
        upper[small] = _scales.shown(few, ends[:, 2 * i + 1])
    return z, limits


def _named(limits: Limits, levels: tuple[float, ...], prefix: str) -> dict[str, FloatArray]:
    names = {}
    for level, (lower, upper) in zip(levels, limits, strict=True):
        names[f"{prefix}lower_{level_suffix(level)}"] = lower
        names[f"{prefix}upper_{level_suffix(level)}"] = upper
    return names


def _flags(value: FloatArray, limits: Limits, levels: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    flag = np.full(len(value), "", dtype=object)
    for level, (lower, upper) in zip(levels, limits, strict=True):
        # A unit on a limit is inside, and rounding in the last places must not put it outside.
        flag[value < lower - 1e-12 * np.abs(lower)] = f"low_{level_suffix(level)}"
        flag[value > upper + 1e-12 * np.abs(upper)] = f"high_{level_suffix(level)}"
    return flag


def _frame(
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
    value = top / bottom
    p = 2.0 * special.ndtr(-np.abs(z))
    return pd.DataFrame(
        {
            "numerator": top,
            "denominator": bottom,
            "value": value,
            "centre": _scales.shown_centre(units, link),
            **_named(limits, levels, ""),
            **_named(sampling, levels, "sampling_"),
            "z": z,
            "z_sampling": z_sampling,
            "p": p,
            "q": stats.false_discovery_control(p),
            "flag": _flags(value, limits, levels),
            "flag_sampling": _flags(value, sampling, levels),
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
    frame = _frame(units, top, bottom, link, levels, found.limits, found.sampling, found.z, found.z_sampling)
    test, _ = _overdispersion_test(units, shift, 0 if fixed is not None else 1)
    return Funnel(frame, kind, mode, levels, shift, found.tau2, found.phi, test, units, 1.0)
