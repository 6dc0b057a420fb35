"""How far a finding stands when the analysis is made in other defensible ways, and what it would take to undo it.

A multiverse analysis makes every analysis that could be defended for one question and shows them all (Steegen et al.
2016, Perspectives on Psychological Science 11:702; Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4:1208,
"specification curve"). The analyses are of the same data and chosen by people: the share of them that agrees is no
probability. What was not measured at all is in none of them. For that the strength is given which an unmeasured factor
would need (in the spirit of the E-value: VanderWeele & Ding 2017, Annals of Internal Medicine 167:268, here on the link
scale and for a standardised distance).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray

#: From which share of agreeing analyses a finding is robust, and below which it is fragile.
ROBUST_FROM, FRAGILE_BELOW = 0.9, 2.0 / 3.0
#: Half the width of the usual range: 95 % of a standard normal.
USUAL = 1.959963984540054
#: A share of two thirds is not below it, whatever the last digit of the division says.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Agreement:
    """In how many analyses each unit stands as in the primary one.

    Attributes
    ----------
    agrees
        (analyses, units) whether the unit stands on the same side and on the same side of the usual range as in the
        primary analysis; False where it was not placed.
    placed
        (analyses, units) whether the analysis placed the unit and the primary one did.
    agree, compared
        (units,) how many analyses agree, of how many; the primary one is in neither.
    share
        (units,) agree / compared; NaN where there is nothing to compare with.
    label
        (units,) "robust", "mixed" or "fragile"; empty where there is too little to compare with. A unit inside the
        usual range in every analysis is robust: on which side of the expectation it lies there says little.
    """

    agrees: BoolArray
    placed: BoolArray
    agree: NDArray[np.int64]
    compared: NDArray[np.int64]
    share: FloatArray
    label: NDArray[np.object_]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per unit: agree, compared, share, label."""
        return pd.DataFrame({name: getattr(self, name) for name in ("agree", "compared", "share", "label")})


def agreement(z: ArrayLike, *, primary: int = 0, limit: float = USUAL, fewest: int = 1) -> Agreement:
    """Compare every analysis with the primary one.

    Parameters
    ----------
    z
        (analyses, units) standardised distances; NaN where an analysis could not place a unit.
    primary
        Row of the primary analysis.
    limit
        Ends of the usual range, ±.
    fewest
        Fewer other analyses than that are too few for a label.

    Returns
    -------
    Agreement

    Raises
    ------
    StatsError
        When `z` is not a table, or has no such row.
    """
    values = np.asarray(z, dtype=np.float64)
    if values.ndim != 2 or not 0 <= primary < len(values):
        raise StatsError(
            "Agreement needs a row of distances for each analysis.",
            f"shape {values.shape}, primary row {primary}",
            "Pass an array of analyses by units, and the row of the primary analysis.",
        )
    own = values[primary]
    placed = np.isfinite(values) & np.isfinite(own)
    agrees = placed & (np.sign(values) == np.sign(own)) & ((np.abs(values) > limit) == (np.abs(own) > limit))
    others = np.arange(len(values)) != primary
    agree, compared = agrees[others].sum(axis=0), placed[others].sum(axis=0)
    share = np.divide(agree, compared, out=np.full(len(own), np.nan), where=compared > 0)
    never_outside = ~((np.abs(values) > limit) & placed).any(axis=0)
    label = np.where(never_outside, "robust", labels(share))
    label = np.where(compared < max(fewest, 1), "", label).astype(object)
    return Agreement(agrees, placed, agree, compared, share, label)


def labels(share: ArrayLike) -> NDArray[np.object_]:
    """Return robust, mixed or fragile for each share of agreeing analyses; empty for NaN.

    Robust from 90 %, fragile below two thirds.
    """
    values = np.asarray(share, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        conditions = [np.isnan(values), values >= ROBUST_FROM - _ROUNDING, values < FRAGILE_BELOW - _ROUNDING]
    return np.select(conditions, ["", "robust", "fragile"], default="mixed").astype(object)


def drivers(
    agrees: ArrayLike, placed: ArrayLike, options: Mapping[str, ArrayLike], *, primary: int = 0
) -> tuple[NDArray[np.object_], FloatArray]:
    """Return which choice moves each unit most, and by how much.

    Of a choice that is: the share of analyses that agree among those which take the primary's option, less the share
    among those which take another; the choice with the largest difference drives the unit.

    Parameters
    ----------
    agrees, placed
        (analyses, units), as in `Agreement`; the primary analysis counts among those that take its options.
    options
        Choice → (analyses,) the option that each analysis takes. Of equal choices the first named is given.
    primary
        Row of the primary analysis.

    Returns
    -------
    tuple of ndarray
        (units,) name of the choice, empty where every analysis agrees or no choice tells those that do from those
        that do not; and (units,) its difference, NaN where there is none.
    """
    yes, known = np.asarray(agrees, dtype=bool), np.asarray(placed, dtype=bool)
    units = yes.shape[1]
    best, name = np.full(units, -np.inf), np.full(units, "", dtype=object)
    for choice, taken in options.items():
        option = np.asarray(taken)
        same = option == option[primary]
        gap = _share(yes[same], known[same]) - _share(yes[~same], known[~same])
        better = gap > best + _ROUNDING
        best, name = np.where(better, gap, best), np.where(better, choice, name)
    driven = (yes != known).any(axis=0) & (best > 0.0)
    return np.where(driven, name, "").astype(object), np.where(driven, best, np.nan)


def _share(yes: BoolArray, known: BoolArray) -> FloatArray:
    count = known.sum(axis=0)
    share: FloatArray = np.divide(yes.sum(axis=0), count, out=np.full(yes.shape[1], np.nan), where=count > 0)
    return share


def unmeasured(z: ArrayLike, sd: ArrayLike, *, limit: float = USUAL) -> FloatArray:
    """Return how strong something unmeasured would have to be to bring a unit across the end of the usual range.

    Parameters
    ----------
    z
        (units,) standardised distances.
    sd
        (units,) or one number: the standard deviation that the distance was divided by, on the link scale.
    limit
        Ends of the usual range, ±.

    Returns
    -------
    ndarray
        (units,) by how much the expectation would have to be wrong, on the link scale and above zero: towards the
        unit for one outside the range, which is then inside; away from it for one inside, which is then outside on
        the side on which it lies. Divide by the spread between units for SDs of their distribution.

    Notes
    -----
    The factor is taken to move the one unit's expectation; a factor that moved many would also change the spread that
    units are judged by. VanderWeele & Ding 2017 ask the same of a ratio and its confidence limit.
    """
    distance = np.abs(np.abs(np.asarray(z, dtype=np.float64)) - limit)
    found: FloatArray = distance * np.asarray(sd, dtype=np.float64)
    return found
