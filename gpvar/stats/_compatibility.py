"""Published recipes for over-dispersed limits, reproduced so that a published table can be reconciled.

They are not advice: all three leave out part of the shared spread and so flag too many units (docs/methods.md says
how many). `shmi` truncates the tenth of z-scores at either end and takes the additive variance of the rest; `cqc` caps
instead and works on the square root (ratios, rates) or the arcsine (shares), with limits put back on the value's own
scale; `funnelplotr-0.6` prints what that version of the R package prints, its `SR`-`CQC` limits left on the square
root included. z constants are rounded to six decimals, as published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from gpvar.stats._checks import BoolArray, FloatArray
from gpvar.stats._scales import Units, judged, sampling_variance

Limits = list[tuple[FloatArray, FloatArray]]

MODES = ("shmi", "cqc", "funnelplotr-0.6")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A scale, what was seen and expected on it, and how limits come back from it."""

    seen: FloatArray
    target: FloatArray
    score_sd: FloatArray
    limit_sd: FloatArray
    back: Callable[[FloatArray], FloatArray]
    truncates: bool


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What a recipe gives: dispersion, z-scores and limits for each level (lower, upper)."""

    phi: float
    tau2: float
    adjusted: bool
    z: FloatArray
    z_sampling: FloatArray
    limits: Limits
    sampling: Limits


def published_z(level: float) -> float:
    """Return the normal quantile of a two-sided level as the recipes print it."""
    return round(float(special.ndtri((1.0 + level) / 2.0)), 6)


def winsorise(z: FloatArray, trim: float) -> FloatArray:
    """Return z with the share `trim` at each end set to the quantile there."""
    low, high = np.quantile(z, [trim, 1.0 - trim])
    return np.clip(z, low, high)


def truncated(z: FloatArray, trim: float) -> BoolArray:
    """Return which z remain when they are ranked into 1/trim groups and the outer two are dropped."""
    groups = 1.0 / trim
    position = np.floor(stats.rankdata(z) * groups / (len(z) + 1.0))
    return np.asarray((position > 0) & (position < groups - 1.0), dtype=np.bool_)


def dispersion(z: FloatArray) -> float:
    """Return the mean of z²."""
    return float(np.mean(z**2)) if len(z) else 0.0


def additive_variance(phi: float, sd: FloatArray) -> float:
    """Return the spread by moments that goes with dispersion `phi` of units with standard errors `sd`."""
    n = len(sd)
    if n == 0 or n * phi < n - 1:
        return 0.0
    weight = 1.0 / sd**2
    return max(0.0, float((n * phi - (n - 1)) / (weight.sum() - (weight**2).sum() / weight.sum())))


def _square_root(units: Units, centre: FloatArray, *, squared: bool) -> Recipe:
    expected = units.size * centre
    sd = 0.5 / np.sqrt(expected)

    def back(value: FloatArray) -> FloatArray:
        return centre * (np.maximum(value, 0.0) ** 2 if squared else value)

    return Recipe(np.sqrt(units.count / expected), np.ones_like(expected), sd, sd, back, False)


def _arcsine(units: Units, centre: FloatArray, *, bounded: bool) -> Recipe:
    sd = 0.5 / np.sqrt(units.size)
    seen = np.arcsin(np.sqrt(units.count / units.size))
    share = centre / (1.0 + centre) if units.odds else centre

    def back(value: FloatArray) -> FloatArray:
        # Beyond a quarter turn the sine comes back down; the R package lets it.
        angle = np.clip(value, 0.0, np.pi / 2.0) if bounded else value
        return np.asarray((np.tan(angle) if units.odds else np.sin(angle)) ** 2)

    return Recipe(seen, np.arcsin(np.sqrt(share)), sd, sd, back, False)


def _two_counts(units: Units, centre: FloatArray) -> Recipe:
    # A point of a curve has no counts of its own: its second count is the one expected at the centre.
    second = np.where(np.isnan(units.count), units.size / (1.0 + centre), units.size - units.count)
    first = units.count
    seen = np.log((first + 0.5) / (second + 0.5))
    # z uses both counts, the limits of that version only the second: that is why it over-flags.
    score_sd = np.sqrt(first / (first + 0.5) ** 2 + second / (second + 0.5) ** 2)
    return Recipe(seen, np.log(centre), score_sd, 0.5 / np.sqrt(second), np.exp, False)


def _log_ratio(units: Units, centre: FloatArray) -> Recipe:
    expected = units.size * centre
    with np.errstate(divide="ignore"):
        seen = np.log(units.count / expected)
    sd = 1.0 / np.sqrt(expected)
    return Recipe(seen, np.zeros_like(sd), sd, sd, lambda value: centre * np.exp(value), True)


def _logit(units: Units, centre: FloatArray) -> Recipe:
    link = np.log(centre) if units.odds else special.logit(centre)
    sd = np.sqrt(sampling_variance(units, link))

    def back(value: FloatArray) -> FloatArray:
        return np.exp(value) if units.odds else special.expit(value)

    return Recipe(judged(units), link, sd, sd, back, True)


def _recipe(units: Units, centre: FloatArray, mode: str) -> Recipe:
    if mode == "shmi":
        return _logit(units, centre) if units.share else _log_ratio(units, centre)
    if units.odds and mode == "funnelplotr-0.6":
        return _two_counts(units, centre)
    if units.share:
        return _arcsine(units, centre, bounded=mode == "cqc")
    return _square_root(units, centre, squared=mode == "cqc")


def _exact_ratio_limits(units: Units, centre: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the χ² limits that the recipes draw for ratios where no spread is added."""
    tail, expected = (1.0 - level) / 2.0, units.size * centre
    lower = special.gammaincinv(expected, tail) / units.size
    upper = special.gammainccinv(expected + 1.0, tail) / units.size
    return lower, upper


def reproduce(units: Units, centre: FloatArray, mode: str, trim: float, levels: tuple[float, ...]) -> Reproduction:
    """Return limits and scores as the published recipe `mode` gives them.

    The spread is added only where the dispersion exceeds 1, as the R package does.
    """
    recipe = _recipe(units, centre, mode)
    score = (recipe.seen - recipe.target) / recipe.score_sd
    phi, tau2 = _moments(recipe, score, trim)
    adjusted = phi > 1.0
    plain, wide = recipe_limits(units, centre, mode, tau2, levels)
    if np.isinf(tau2):
        # The recipe takes the logarithm of zero as it comes: with many, the spread has no end and no unit stands out.
        z = np.zeros_like(score)
    else:
        z = (recipe.seen - recipe.target) / np.sqrt(recipe.score_sd**2 + (tau2 if adjusted else 0.0))
    return Reproduction(phi, tau2, adjusted, z, score, wide if adjusted else plain, plain)


def _moments(recipe: Recipe, score: FloatArray, trim: float) -> tuple[float, float]:
    if trim == 0.0:
        used, sd = score, recipe.score_sd
    elif recipe.truncates:
        inside = truncated(score, trim)
        used, sd = score[inside], recipe.score_sd[inside]
    else:
        used, sd = winsorise(score, trim), recipe.score_sd
    phi = dispersion(used)
    return phi, additive_variance(phi, sd)


def recipe_limits(
    units: Units, centre: FloatArray, mode: str, tau2: float, levels: tuple[float, ...]
) -> tuple[Limits, Limits]:
    """Return the limits of a recipe without and with the spread, one pair (lower, upper) for each level."""
    recipe = _recipe(units, centre, mode)
    plain, wide = [], []
    for level in levels:
        z = published_z(level)
        if units.share:
            half = z * recipe.limit_sd
            plain.append((recipe.back(recipe.target - half), recipe.back(recipe.target + half)))
        else:
            plain.append(_exact_ratio_limits(units, centre, level))
        half = z * np.sqrt(recipe.limit_sd**2 + tau2)
        wide.append((recipe.back(recipe.target - half), recipe.back(recipe.target + half)))
    return plain, wide
