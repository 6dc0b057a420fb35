"""One practice: what its figure is made of, what may be said of its rank, who is like it, who reaches a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue, schema
from gpvar.analysis import centres
from gpvar.analysis.effects import effects_of
from gpvar.analysis.neighbours import nearest_to, reach_of
from gpvar.analysis.waterfall import waterfall_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.analysis.ladder import Ladder
    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard, Target


@dataclass(frozen=True, slots=True)
class Practices:
    """What a practice page says beyond the position, as tidy tables.

    Attributes
    ----------
    effects
        One row per fitted practice, at the raw rung and at the headline: its lasting figure, its reliability, and what
        may be said of its rank.
    waterfall
        One row per practice of the area and step from England's centre to its figure.
    neighbours
        One row per practice of the area and practice that is like it.
    reach
        One row per practice of the area and target.
    """

    effects: pd.DataFrame
    waterfall: pd.DataFrame
    neighbours: pd.DataFrame
    reach: pd.DataFrame


def nothing() -> Practices:
    """Return the tables without rows: too few practices for a model, or a model without a solution."""
    return Practices(*(pd.DataFrame(columns=schema.names(name)) for name in Practices.__dataclass_fields__))


def targets_of(card: MetricCard, day: date) -> tuple[Target, ...]:
    """Return the targets of a metric that had been announced, and had not ended, on a day."""
    own = [target for target in catalogue.targets().values() if target.metric == card.id]
    return tuple(t for t in own if t.announced <= day and (t.ends is None or day <= t.ends))


def describe(
    counts: Counts,
    ladder: Ladder,
    headline: str,
    passing: pd.DataFrame,
    area_codes: Sequence[str],
    *,
    targets: Sequence[Target],
    activity: bool,
    seed: int,
    hidden: np.ndarray | None = None,
) -> Practices:
    """Describe single practices.

    Parameters
    ----------
    counts
        The observed figures.
    ladder
        The rungs, and every practice placed at each.
    headline
        The rung the findings speak of.
    passing
        How far figures move from month to month (``schema.PASSING``); empty where only one period is known.
    area_codes
        The area's practices.
    targets
        Those that the metric is held against.
    activity
        Whether chance cannot be told from passing movement without months (`MetricCard.activity`).
    seed
        Of the joint draws behind intervals and ranks.
    hidden
        Whose counts are known only between two ends: nothing is said of them here, for it would rest on a guess.

    Returns
    -------
    Practices
        Empty where the headline has no multilevel model: below 200 practices.
    """
    if centres.rung_of(ladder, headline).expected.model is None:
        return nothing()
    area = centres.inside(counts, area_codes, hidden)
    known = np.ones(len(area), dtype=bool) if hidden is None else ~hidden
    neighbours = nearest_to(counts, ladder, area, known)
    return Practices(
        effects=effects_of(counts, ladder, headline, passing, activity=activity, seed=seed, known=known),
        waterfall=waterfall_of(counts, ladder, area, known),
        neighbours=neighbours,
        reach=reach_of(counts, ladder, headline, neighbours, area, known, targets),
    )
