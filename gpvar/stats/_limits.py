"""Scores and limits of units, under chance alone and with a spread between units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gpvar.stats import _predictive, _scales
from gpvar.stats._checks import FloatArray
from gpvar.stats._scales import Units

Limits = list[tuple[FloatArray, FloatArray]]

#: Below this many expected events (or non-events) a unit is judged on its predictive distribution.
SMALL_COUNT = 30.0


def level_suffix(level: float) -> str:
    """Return how a level appears in column names and flags: `95`, `99_8`."""
    return f"{100 * level:g}".replace(".", "_")


def tails(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return the lower and upper probability of each level, one after the other."""
    return tuple(p for level in levels for p in ((1.0 - level) / 2.0, (1.0 + level) / 2.0))


def chance(units: Units, link: FloatArray, levels: tuple[float, ...]) -> tuple[FloatArray, Limits]:
    """Return score and limits under chance: sampling, and passing movement where it is known."""
    if units.transient.any():
        return _spread_out(units, link, units.transient, levels)
    counts = _scales.predicted(units, link)
    z = np.full(len(link), np.nan)
    if not np.isnan(units.count).any():
        z = _predictive.sampling_score(units.count, counts)
    found = [_scales.shown(units, _predictive.interpolated_limits(counts, p)) for p in tails(levels)]
    return z, list(zip(found[::2], found[1::2], strict=True))


def judge(
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


def _on_link(units: Units, link: FloatArray, sd: FloatArray, levels: tuple[float, ...]) -> tuple[FloatArray, Limits]:
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
    few = units.only(small)
    counts = _scales.predicted(few, link[small])
    amount = np.expm1(spread[small])
    if units.share:
        share = counts.mean / counts.trials
        # The share's variance for that spread of its logit; a beta cannot hold more than all of it.
        taken = np.minimum(share * (1.0 - share) * amount, 0.99)
        amount = taken / (1.0 - taken)
    seen = None if np.isnan(few.count).any() else few.count
    score, ends = _predictive.mixed_scores(seen, counts, amount, tails(levels))
    z = z.copy()
    z[small] = score
    for i, (lower, upper) in enumerate(limits):
        lower[small] = _scales.shown(few, ends[:, 2 * i])
        upper[small] = _scales.shown(few, ends[:, 2 * i + 1])
    return z, limits


def named(limits: Limits, levels: tuple[float, ...], prefix: str) -> dict[str, FloatArray]:
    """Return limits by column name."""
    names = {}
    for level, (lower, upper) in zip(levels, limits, strict=True):
        names[f"{prefix}lower_{level_suffix(level)}"] = lower
        names[f"{prefix}upper_{level_suffix(level)}"] = upper
    return names


def flags(value: FloatArray, limits: Limits, levels: tuple[float, ...]) -> NDArray[np.object_]:
    """Return for each value the widest limit crossed, empty for a value inside or on its limits."""
    flag = np.full(len(value), "", dtype=object)
    for level, (lower, upper) in zip(levels, limits, strict=True):
        # A unit on a limit is inside, and rounding in the last places must not put it outside.
        flag[value < lower * (1.0 - 1e-12)] = f"low_{level_suffix(level)}"
        flag[value > upper * (1.0 + 1e-12)] = f"high_{level_suffix(level)}"
    return flag


def sampling_flags(
    units: Units, value: FloatArray, limits: Limits, levels: tuple[float, ...], z: FloatArray
) -> NDArray[np.object_]:
    """Return flags under chance alone.

    Spiegelhalter's upper limit of a share leaves out the chance of the count itself. Where every trial is an event
    that is all the chance there is, and units as likely as not would lie outside: there the score decides.
    """
    flag = flags(value, limits, levels)
    if units.share:
        full = units.count == units.size
        points = [float(special.ndtri((1.0 + level) / 2.0)) for level in levels]
        held = [(np.where(z < -point, np.inf, -np.inf), np.where(z > point, -np.inf, np.inf)) for point in points]
        flag[full] = flags(np.zeros_like(z), held, levels)[full]
    return flag
