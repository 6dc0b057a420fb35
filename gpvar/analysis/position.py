"""Where a practice stands, and how that changes once its patients are allowed for (docs/methods.md, position)."""

from __future__ import annotations

import numpy as np

USUAL = 1.959963984540054
FAR = 3.090232306167813
REVEALED_AT = 1.25
EXPLAINED_AT = 0.5
PARTLY_AT = 0.25


def position(z: np.ndarray, inside_chance: np.ndarray, decidable: np.ndarray) -> np.ndarray:
    """Return each practice's position code.

    Parameters
    ----------
    z
        Standardised difference against sampling, transient and shared spread; NaN where it has none.
    inside_chance
        Boolean array: inside the 95 % limits of sampling (and transient movement, where it is known) alone.
    decidable
        Boolean array: no stop gate failed.

    Returns
    -------
    ndarray of str
        ``not_decidable``, ``no_detectable_difference``, ``usual``, ``unusual`` or ``far_outside``; first match.

    Notes
    -----
    Without months the movement of a practice's own figure is unknown, and the chance limits are too narrow. A
    practice inside even those is inside any wider ones, so ``no_detectable_difference`` is still safe to say; the
    converse (outside, so more than chance) is not, and the report says so.
    """
    size = np.abs(z)
    return np.select(
        [~decidable | np.isnan(z), inside_chance, size <= USUAL, size <= FAR],
        ["not_decidable", "no_detectable_difference", "usual", "unusual"],
        default="far_outside",
    ).astype(object)


def explained_share(raw_difference: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Return e = 1 − d/d₀, the share of the raw difference that the adjustment accounts for."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1.0 - difference / raw_difference


def movement(
    raw_z: np.ndarray, raw_difference: np.ndarray, z: np.ndarray, difference: np.ndarray, decidable: np.ndarray
) -> np.ndarray:
    """Return how each practice moved from the raw rung to an adjusted one.

    Parameters
    ----------
    raw_z, z
        Standardised differences at M0 and at the adjusted rung.
    raw_difference, difference
        The same differences on the link scale, before division.
    decidable
        Boolean array: no stop gate failed.

    Returns
    -------
    ndarray of str
        ``reversed``, ``explained``, ``partly_explained``, ``not_explained``, ``borderline``, ``revealed``, or an
        empty string when the practice is inside the usual range both before and after, or has no figure.
    """
    known = decidable & ~np.isnan(raw_z) & ~np.isnan(z)
    before, after = np.abs(raw_z) > USUAL, np.abs(z) > USUAL
    share = explained_share(raw_difference, difference)
    conditions = [
        ~known | (~before & ~after),
        before & (share > 1) & after,
        before & ~after & (share >= EXPLAINED_AT),
        before & (share >= PARTLY_AT),
        before & ~after,
        before,
        np.abs(difference) >= REVEALED_AT * np.abs(raw_difference),
    ]
    codes = ["", "reversed", "explained", "partly_explained", "borderline", "not_explained", "revealed"]
    return np.select(conditions, codes, default="borderline").astype(object)
