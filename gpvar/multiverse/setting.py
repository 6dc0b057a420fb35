"""What all ways of analysing one metric share: the table, who is in it, and what its own analysis found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpvar import catalogue
from gpvar.analysis import HEADLINE, adjustment, observed
from gpvar.analysis.expected import LEAVE_ONE_OUT_BELOW
from gpvar.analysis.ladder import rungs_of
from gpvar.gates.evidence import FAILED

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard
    from gpvar.results import Analysis
    from gpvar.table import PracticeTable


@dataclass(frozen=True, slots=True)
class Setting:
    """One metric of a table with its own analysis.

    Attributes
    ----------
    table, card, analysis
        What was observed, the metric, and what its analysis found.
    outcomes, practices
        The metric's rows of the table, and characteristics in the same order.
    counts
        The figures as the analysis took them; the middle of what they can be, where a count is hidden.
    known
        (practices,) whose figure may be spoken of: sound data, and no hidden count.
    rung, need
        The rung the findings speak of, and the characteristics that it was declared with and that have data.
    plain
        Whether that rung rests on a regression: below 200 practices, or where the models had no solution.
    comparators
        Beside whom practices are judged.
    """

    table: PracticeTable
    card: MetricCard
    analysis: Analysis
    outcomes: pd.DataFrame
    practices: pd.DataFrame
    counts: Counts
    known: np.ndarray
    rung: str
    need: tuple[str, ...]
    plain: bool
    comparators: tuple[str, ...]

    @property
    def few(self) -> bool:
        """Whether too few practices set the comparison for a multilevel model."""
        spread = self.analysis.spread
        here = spread[(spread["rung"] == self.rung) & (spread["comparator"] == "england")]
        return int(here["n"].iloc[0]) < LEAVE_ONE_OUT_BELOW

    @property
    def warned(self) -> np.ndarray:
        """(practices,) who failed a check of severity warn."""
        gates = self.table.gates
        failed = gates[(gates["state"] == FAILED) & (gates["severity"] == "warn")]
        failed = failed[failed["metric"].isin(["", self.card.id])]
        found: np.ndarray = np.isin(self.counts.practice_code, list(failed["practice_code"]))
        return found


def setting_of(table: PracticeTable, metric: str, analysis: Analysis) -> Setting:
    """Return what all ways of analysing a metric share."""
    card = catalogue.metric(metric)
    outcomes = observed.outcomes_of(table, metric)
    practices = table.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    adjust, dropped = adjustment(table, card, practices)
    rungs = rungs_of(adjust, [c for ids in adjust.values() for c in ids if c not in dropped])
    counts = observed.ends(table, card, outcomes)[0]
    rung = HEADLINE if HEADLINE in rungs else "M0"
    return Setting(
        table=table,
        card=card,
        analysis=analysis,
        outcomes=outcomes,
        practices=practices,
        counts=counts,
        known=counts.usable & counts.decidable & ~observed.is_hidden(outcomes),
        rung=rung,
        need=rungs[rung],
        plain=rung not in set(analysis.models["rung"]),
        comparators=tuple(analysis.meta["comparators"]),
    )
