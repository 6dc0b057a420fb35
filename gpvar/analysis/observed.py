"""The observed figures of one metric, as arrays, and who may be judged, fitted and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar.errors import TableError

if TYPE_CHECKING:
    from gpvar.catalogue import MetricCard
    from gpvar.table import PracticeTable


@dataclass(frozen=True, slots=True)
class Counts:
    """The observed figures of one metric.

    Attributes
    ----------
    practice_code, icb_code, pcn_key
        Arrays of str; a practice without an ICB or a network has an empty code.
    observed, denominator
        Float arrays; NaN where missing.
    kind
        ``"proportion"`` or ``"rate"``.
    usable
        The figure exists and is possible.
    in_reference
        Used to fit, and to estimate centre and spread: usable, behind no stop gate, not excluded, in the reference set.
    decidable
        No stop gate failed.
    compared
        In the reference set and behind no stop gate: those among whom a practice is ranked. Includes practices that
        are left out of the fit only because their lists are unusual.
    """

    practice_code: np.ndarray
    icb_code: np.ndarray
    pcn_key: np.ndarray
    observed: np.ndarray
    denominator: np.ndarray
    kind: str
    usable: np.ndarray
    in_reference: np.ndarray
    decidable: np.ndarray
    compared: np.ndarray
    months: float = float("nan")
    transient: float = float("nan")

    @property
    def passing(self) -> float:
        """The variance of passing movement to judge with: none where it is not known."""
        return 0.0 if np.isnan(self.transient) else self.transient


def outcomes_of(table: PracticeTable, metric: str) -> pd.DataFrame:
    """Return the metric's rows of the outcomes.

    Raises
    ------
    TableError
        When no practice has a figure.
    """
    rows = table.outcomes[table.outcomes["metric"] == metric].reset_index(drop=True)
    if not (rows["denominator"] > 0).any():
        raise TableError(
            f"No practice has a figure for '{metric}'.",
            "the table built from the study's sources",
            "Check the metric's columns in [source.columns], or take it out of metrics.",
        )
    return rows


def ends(table: PracticeTable, card: MetricCard, outcomes: pd.DataFrame) -> list[Counts]:
    """Return the figures to analyse: one set, or middle, low and high where counts are hidden.

    The low end pairs the least numerator with the largest denominator and the high end the reverse, so that nothing a
    hidden cell can be lies outside them.
    """
    low, high = outcomes["numerator_low"], outcomes["numerator_high"]
    base = outcomes["denominator"]
    small, large = outcomes["denominator_low"].fillna(base), outcomes["denominator_high"].fillna(base)
    hidden = (low < high) | (small < large)
    if not hidden.any():
        return [_counts(table, card, outcomes, outcomes["numerator"].fillna(low), base)]
    if card.kind == "proportion":
        small = np.maximum(small, high)
    middle = outcomes["numerator"].fillna((low + high) / 2.0)
    return [
        _counts(table, card, outcomes, middle, base),
        _counts(table, card, outcomes, low, large.where(base.notna())),
        _counts(table, card, outcomes, high, small.where(base.notna())),
    ]


def is_hidden(outcomes: pd.DataFrame) -> np.ndarray:
    """Say whose figure is known only between two ends."""
    numerator = outcomes["numerator_low"] < outcomes["numerator_high"]
    return (numerator | (outcomes["denominator_low"] < outcomes["denominator_high"])).to_numpy()


def _counts(
    table: PracticeTable, card: MetricCard, outcomes: pd.DataFrame, observed: pd.Series, denominator: pd.Series
) -> Counts:
    codes = outcomes["practice_code"]
    stopped = _stopped(table, card, codes)
    values, base = observed.to_numpy(float), denominator.to_numpy(float)
    with np.errstate(invalid="ignore"):
        possible = (base > 0) & (values >= 0) & ((card.kind == "rate") | (values <= base))
    excluded = codes.isin(set(table.excluded["practice_code"])).to_numpy()
    in_set = _in_reference_set(table, codes)
    places = table.hierarchy.set_index("practice_code")[["icb_code", "pcn_key"]].reindex(codes).fillna("")
    return Counts(
        practice_code=codes.to_numpy(str),
        icb_code=places["icb_code"].to_numpy(str),
        pcn_key=places["pcn_key"].to_numpy(str),
        observed=values,
        denominator=base,
        kind=card.kind,
        usable=possible,
        in_reference=possible & ~stopped & ~excluded & in_set,
        decidable=~stopped,
        compared=~stopped & in_set,
        months=float(table.study.period.months),
    )


def _stopped(table: PracticeTable, card: MetricCard, codes: pd.Series) -> np.ndarray:
    failed = table.gates[(table.gates["state"] == "failed") & (table.gates["severity"] == "stop")]
    failed = failed[failed["metric"].isin(["", card.id])]
    whole_table = bool((failed["practice_code"] == "").any())
    return codes.isin(set(failed["practice_code"])).to_numpy() | whole_table


def reference_level(table: PracticeTable) -> str:
    """Return the column of the hierarchy that bounds the reference set; empty for England."""
    return {"region": "region_code", "icb": "icb_code"}.get(table.study.reference.set, "")


def _in_reference_set(table: PracticeTable, codes: pd.Series) -> np.ndarray:
    level = reference_level(table)
    if not level:
        return np.ones(len(codes), dtype=bool)
    places = table.hierarchy.set_index("practice_code")[level]
    here = set(places.reindex(list(table.area_codes)).dropna()) - {""}
    if not here:
        raise TableError(
            f"The reference set is the area's {table.study.reference.set}, and the table does not say which that is.",
            "[reference] in the study",
            f'Add {level} = "heading" under [source.columns], or use set = "england".',
        )
    return codes.map(places).isin(here).to_numpy()
