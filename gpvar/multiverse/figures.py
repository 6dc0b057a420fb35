"""The figures that one way of making the analysis is of: counted how, over which months, of whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar.analysis import observed
from gpvar.analysis.expected import inverse_link, link_of_observed, sampling_variance
from gpvar.analysis.passing import transient_of
from gpvar.catalogue import countings
from gpvar.errors import TableError
from gpvar.multiverse.options import RHO, list_of
from gpvar.multiverse.stretches import Stretch, counted, stretches_of
from gpvar.stats import reliability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpvar.analysis.observed import Counts
    from gpvar.multiverse.setting import Setting


class NotHeld(TableError):
    """The study does not hold the counts that a way needs."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale on which practices are judged.

    Attributes
    ----------
    link
        card, log or identity.
    kind
        What the counts are on that scale: ``"proportion"`` or ``"rate"``.
    turned
        Whether it is the share of what did not happen, so that signs are turned round.
    """

    link: str
    kind: str
    turned: bool = False

    def judged(self, counts: Counts) -> np.ndarray:
        """Return what is judged: the figure on the scale; NaN or infinite without a possible figure."""
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.link == "identity":
                return counts.observed / counts.denominator
            return link_of_observed(counts.observed, counts.denominator, self.kind)

    def variance(self, fitted: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        """Return its sampling variance at a fitted value."""
        if self.link != "identity":
            return sampling_variance(fitted, denominator, self.kind)
        # A line may lead outside what a share or a rate can be.
        if self.kind == "proportion":
            share = np.clip(fitted, 0.5 / (denominator + 1.0), 1.0 - 0.5 / (denominator + 1.0))
            return np.asarray(share * (1.0 - share) / denominator)
        return np.asarray(np.maximum(fitted, 0.5 / denominator) / denominator)

    def shown(self, fitted: np.ndarray) -> np.ndarray:
        """Return a fitted value in the metric's unit."""
        return fitted if self.link == "identity" else inverse_link(fitted, self.kind)

    def moved(self, fitted: np.ndarray, variance: float) -> np.ndarray:
        """Return a variance on the card's link scale as the variance on this scale at a fitted value."""
        if self.link == "card" or not variance > 0.0:
            return np.full(len(fitted), max(variance, 0.0))
        value = self.shown(fitted)
        if self.link == "log":
            return variance * (1.0 - np.clip(value, 0.0, 1.0)) ** 2
        slope = value * (1.0 - value) if self.kind == "proportion" else value
        return np.asarray(variance * slope**2)


def figures_of(setting: Setting, taken: Mapping[str, str]) -> Counts:
    """Return the figures of one way of counting over one stretch of months, and who sets the comparison.

    Raises
    ------
    NotHeld
        When the study does not hold them.
    """
    counts = setting.counts
    if taken["denominator"] != "card" or taken["period"] != "study":
        counts = _counted_otherwise(setting, taken["denominator"], taken["period"])
    if taken["exclusion"] == "stops_only":
        return replace(counts, in_reference=counts.usable & counts.compared)
    if taken["exclusion"] == "no_warnings":
        return replace(counts, in_reference=counts.in_reference & ~setting.warned)
    return counts


def _counted_otherwise(setting: Setting, denominator: str, period: str) -> Counts:
    stretch = stretches_of(setting)[period]
    if isinstance(stretch, str):
        raise NotHeld("The study does not hold these months.", period)
    top, base = _names(setting, denominator)
    numerator = counted(setting, top, stretch)
    below = _patients(setting, stretch) if denominator == "list" else counted(setting, base, stretch)
    if numerator is None or below is None:
        raise NotHeld("The study does not hold these counts.", f"{denominator}, {period}")
    values = {"numerator": numerator.to_numpy(float), "denominator": below.to_numpy(float)}
    ends = {f"{part}_{end}": known for part, known in values.items() for end in ("low", "high")}
    outcomes = setting.outcomes.assign(**values, **ends)
    made = observed.ends(setting.table, setting.card, outcomes)[0]
    return replace(made, months=float(stretch.months))


def _names(setting: Setting, denominator: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    way = denominator if denominator not in ("card", "list") else setting.card.id
    counting = countings.countings()[way]
    return counting.numerator, counting.denominator


def _patients(setting: Setting, stretch: Stretch) -> pd.Series | None:
    patients = list_of(setting)
    return None if patients is None else pd.Series(patients * stretch.months, index=setting.counts.practice_code)


def scale_of(setting: Setting, counts: Counts, link: str) -> tuple[Scale, Counts]:
    """Return the scale of a link, and the counts on it: on the log scale a share is counted from its rarer side.

    The log of a share treats what happened as a rate for each that could have; where it is most of them, what did not
    happen is the rate.
    """
    if link != "log":
        return Scale(link, setting.card.kind), counts
    used = counts.usable & counts.in_reference
    turned = bool(counts.observed[used].sum() > 0.5 * counts.denominator[used].sum())
    top = counts.denominator - counts.observed if turned else counts.observed
    return Scale("log", "rate", turned), replace(counts, observed=top, kind="rate")


def passing_of(setting: Setting, passing: str, period: str) -> float:
    """Return the variance of passing movement over a stretch of months on the card's link scale; 0 where not known."""
    rows = setting.analysis.passing
    used = rows[rows["used"].astype(bool)]
    if used.empty:
        return 0.0
    if passing == "declared" and period == "study":
        return transient_of(rows)
    row = used.iloc[0]
    if passing in RHO:
        row = rows[(rows["rho_from"] == "assumed") & np.isclose(rows["rho"], RHO[passing])].iloc[0]
    stretch = stretches_of(setting)[period]
    months = setting.table.study.period.months if isinstance(stretch, str) else stretch.months
    month = float(row["v_robust"] if passing == "robust" else row["v"])
    return month * float(reliability.averaging_factor(months, float(row["rho"])))
