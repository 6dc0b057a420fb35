"""What the steps of one metric's analysis hand on to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from gpvar.analysis.ladder import Ladder
    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard
    from gpvar.table import PracticeTable


@dataclass(frozen=True, slots=True)
class Climbed:
    """One metric, its practices placed on every rung.

    Attributes
    ----------
    table, card
        What was observed, and the metric.
    counts
        The figures that were analysed; the middle of what they can be, where a count is hidden.
    hidden
        Whose figure is known only between two ends.
    practices
        The characteristics, one row per practice in the order of `counts`.
    ladder, headline
        The rungs, and the one the findings speak of.
    passing
        How far figures move from month to month.
    dropped
        Characteristics that were declared and are not allowed for, with the reason.
    """

    table: PracticeTable
    card: MetricCard
    counts: Counts
    hidden: np.ndarray
    practices: pd.DataFrame
    ladder: Ladder
    headline: str
    passing: pd.DataFrame
    dropped: dict[str, str]
