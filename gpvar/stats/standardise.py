"""Standardised ratios and rates.

Indirectly standardised ratios compare each unit with the reference, not with one another: two units of different
make-up have different yardsticks.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats import intervals
from gpvar.stats._checks import FloatArray, refuse, vector

#: Dobson's interval rests on a normal approximation that fails for fewer events than this.
FEWEST_EVENTS = 10


def indirect(observed: ArrayLike, expected: ArrayLike, level: float = 0.95) -> pd.DataFrame:
    """Return observed over expected with Byar's interval, exact below a count of 10.

    Parameters
    ----------
    observed
        Events seen in each unit.
    expected
        Events that the reference's rates would give its people; taken as known.
    level
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per unit: `ratio`, `lower`, `upper`.
    """
    seen, due = np.broadcast_arrays(vector(observed, "observed"), vector(expected, "expected"))
    lower, upper = intervals.rate(seen, due, level)
    return pd.DataFrame({"ratio": seen / due, "lower": lower, "upper": upper})


def direct(
    count: ArrayLike,
    population: ArrayLike,
    weight: ArrayLike,
    unit: ArrayLike,
    level: float = 0.95,
    *,
    variance: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return directly standardised rates with Dobson's interval.

    Parameters
    ----------
    count, population
        Events and people in each stratum of each unit, one row each.
    weight
        The standard population of the stratum.
    unit
        Which unit the row belongs to.
    level
        Confidence level.
    variance
        Variance of each count. Left out, events are taken as independent and it is the count itself; where one
        person can have several events it is the sum of (events per person) squared over persons.

    Returns
    -------
    pandas.DataFrame
        One row per unit, in the order in which units first appear: `rate` per person, `lower`, `upper`. Empty when
        a stratum is missing or when a unit has fewer than 10 events.

    References
    ----------
    Dobson et al. 1991, Stat Med 10:457.
    """
    events, people, standard = _strata(count, population, weight)
    spread = events if variance is None else vector(variance, "variance")
    keys = np.atleast_1d(np.asarray(unit, dtype=object))
    if not len(events) == len(spread) == len(keys):
        raise StatsError(
            "The columns of a standardised rate are not of one length.",
            f"count {len(events)}, unit {len(keys)}, variance {len(spread)}",
            "Pass one row per stratum and unit in each.",
        )
    rows = pd.DataFrame(
        {
            "count": events,
            "weight": standard,
            "weighted": standard * events / people,
            "variance": standard**2 * spread / people**2,
        }
    )
    # A missing stratum makes the unit's rate unknown: missing is never zero.
    sums = rows.groupby(keys, sort=False).sum().mask(rows.isna().groupby(keys, sort=False).any())
    total = sums["count"].to_numpy(dtype=np.float64)
    value = (sums["weighted"] / sums["weight"]).to_numpy(dtype=np.float64)
    error = np.sqrt(sums["variance"]).to_numpy(dtype=np.float64) / sums["weight"].to_numpy(dtype=np.float64)
    lower, upper = intervals.byar(total, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = error / np.sqrt(total)
    usable = np.where(total >= FEWEST_EVENTS, 1.0, np.nan)
    frame = pd.DataFrame(
        {
            "rate": value * usable,
            "lower": (value + step * (lower - total)) * usable,
            "upper": (value + step * (upper - total)) * usable,
        },
        index=pd.Index(sums.index, name="unit"),
    )
    return frame


def _strata(count: ArrayLike, population: ArrayLike, weight: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    events, people, standard = np.broadcast_arrays(
        vector(count, "count"), vector(population, "population"), vector(weight, "weight")
    )
    refuse(events < 0, "A count cannot be negative.", "count", events, "Check the counts of the strata.")
    refuse(
        people <= 0,
        "A stratum has no people.",
        "population",
        people,
        "Merge it with its neighbour, or leave the cell empty if it is not known.",
    )
    refuse(standard < 0, "A standard population cannot be negative.", "weight", standard, "Check the weights.")
    return events, people, standard
