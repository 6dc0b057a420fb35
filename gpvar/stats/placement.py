"""Place units against a centre and a spread found elsewhere.

`gpvar.stats.funnel.funnel` finds centre and spread and places the same units. Here they are given: for units that
took no part in finding them, or where every unit has a centre of its own (that of its group's other members).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats import _scales
from gpvar.stats._checks import FloatArray, check_choice, vector
from gpvar.stats._limits import chance, judge, level_suffix
from gpvar.stats._reading import check_levels, read_counts, read_units
from gpvar.stats._scales import Units
from gpvar.stats.funnel import units_frame

KINDS = ("proportion", "rate", "ratio")


def place(
    numerator: ArrayLike,
    denominator: ArrayLike,
    centre: ArrayLike,
    tau2: float,
    *,
    kind: str,
    levels: Sequence[float] = (0.95, 0.998),
    transient: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return each unit's limits, z and flags against its own centre and a shared spread.

    Parameters
    ----------
    numerator, denominator
        Events out of trials (`proportion`), events and exposure (`rate`), observed and expected events (`ratio`).
    centre
        Centre of each unit on the link scale: a logit for proportions, a log for rates and ratios.
    tau2
        Variance between units beyond sampling, on the link scale.
    kind
        Which of these they are.
    levels
        Two-sided levels of the limits.
    transient
        Variance of each unit's passing movement on the link scale.

    Returns
    -------
    pandas.DataFrame
        The columns of `Funnel.units`, in input order.
    """
    wanted = check_levels(levels)
    units, link = _read(numerator, denominator, centre, tau2, kind, transient)
    top, bottom = read_counts(numerator, denominator, kind)
    z_sampling, sampling = chance(units, link, wanted)
    # Without a shared spread the limits are those of chance itself: no unit is inside one and outside the other.
    mode = "consistent" if tau2 > 0.0 else "none"
    z, limits = judge(units, link, tau2, 1.0, wanted, mode, sampling)
    score = z_sampling if z is None else z
    return units_frame(units, top, bottom, link, wanted, limits, sampling, np.asarray(score), z_sampling)


def score(
    numerator: ArrayLike,
    denominator: ArrayLike,
    centre: ArrayLike,
    tau2: float,
    *,
    kind: str,
    level: float = 0.95,
    transient: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return what `place` says of z and of one level's limits, without the limits of chance alone.

    Those take the larger part of the time. Parameters are those of `place`.

    Returns
    -------
    pandas.DataFrame
        `centre`, `lower`, `upper` (as a reader sees them) and `z`, in input order.
    """
    if tau2 == 0.0:
        alone = place(numerator, denominator, centre, tau2, kind=kind, levels=(level,), transient=transient)
        lower, upper = (f"{end}_{level_suffix(level)}" for end in ("lower", "upper"))
        return alone[["centre", lower, upper, "z"]].rename(columns={lower: "lower", upper: "upper"})
    wanted = check_levels((level,))
    units, link = _read(numerator, denominator, centre, tau2, kind, transient)
    z, limits = judge(units, link, tau2, 1.0, wanted, "consistent", [])
    shown = _scales.shown_centre(units, link)
    return pd.DataFrame({"centre": shown, "lower": limits[0][0], "upper": limits[0][1], "z": z})


def _read(
    numerator: ArrayLike, denominator: ArrayLike, centre: ArrayLike, tau2: float, kind: str, transient: ArrayLike | None
) -> tuple[Units, FloatArray]:
    """Return the units with their own centres, and those centres on the link scale."""
    check_choice(kind, KINDS, "kind")
    if not tau2 >= 0.0:
        raise StatsError("tau2 cannot be negative.", f"tau2 is {tau2!r}", "Pass the spread that shared_spread found.")
    top, bottom = read_counts(numerator, denominator, kind)
    link = vector(centre, "centre")
    expected = _scales.shown_centre(read_units(top, bottom, kind, None, transient), link)
    return read_units(top, bottom, kind, expected, transient), link
