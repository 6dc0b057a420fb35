"""Need, staff and funding beside a practice's figure, and what supply it did not choose would explain.

The scenario M3 is kept out of the ladder: nothing that judges a practice can see it. What a practice decides on, such
as its staff, is described here and enters no model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue, design, schema
from gpvar.analysis import observed
from gpvar.analysis.judge import judge
from gpvar.analysis.ladder import COMPARATORS, HEADLINE, Ladder, Rung, fit_rung
from gpvar.analysis.position import USUAL
from gpvar.errors import ConvergenceError, StatsError, TableError
from gpvar.study.columns import declared_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard, Resource
    from gpvar.table import PracticeTable

_SHOWN = (5, 10, 25, 50, 75, 90, 95)
_TENTH = 10.0
_CONTEXT, _SCENARIO = "M2", "M3"


@dataclass(frozen=True, slots=True)
class _Measure:
    """One resource of every practice: what was divided, by what, and the quotient; NaN where not known."""

    value: np.ndarray
    top: np.ndarray
    bottom: np.ndarray


def describe(
    table: PracticeTable, counts: Counts, practices: pd.DataFrame, ladder: Ladder, card: MetricCard
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Describe the resources of the area's practices, and what is expected of them with supply they did not choose.

    Parameters
    ----------
    table
        What was observed, with the study and the codes of the area.
    counts
        The observed figures of one metric.
    practices
        The characteristics, one row per practice in the order of `counts`.
    ladder
        The fitted rungs.
    card
        The metric's card.

    Returns
    -------
    tuple of DataFrame
        ``schema.RESOURCES`` and ``schema.SUPPLY``, of the area's practices; without rows where the table holds
        nothing of the kind, or where the scenario has no solution.
    """
    found = measures(counts, practices, ladder, card)
    area = np.isin(counts.practice_code, list(table.area_codes))
    cards = catalogue.resources()
    rows = [
        _described(cards[name], one, counts, area, table.dates.get(name, table.dates.get(cards[name].top, "")))
        for name, one in found.items()
    ]
    resources = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=schema.names("resources"))
    given = practices.assign(
        **{
            name: found[name].value
            for name in declared_scenario(table.study)
            if name in found and name not in practices
        }
    )
    return resources, _scenario(table, counts, given, ladder, card, area)


def measures(counts: Counts, practices: pd.DataFrame, ladder: Ladder, card: MetricCard) -> dict[str, _Measure]:
    """Return every resource of the catalogue that the table can give, of every practice."""
    found: dict[str, _Measure] = {}
    for resource in catalogue.resources().values():
        one = _of_a_metric(resource, counts, ladder, card) if resource.metric else _divided(resource, counts, practices)
        if one is not None and np.isfinite(one.value).any():
            found[resource.id] = one
    return found


def _of_a_metric(resource: Resource, counts: Counts, ladder: Ladder, card: MetricCard) -> _Measure | None:
    """Return what rung M1 expects of each practice, where the metric analysed is the one in question."""
    placed = ladder.practices
    rows = placed[(placed["rung"] == HEADLINE) & (placed["comparator"] == "england")].set_index("practice_code")
    if card.id != resource.metric or rows.empty:
        return None
    return _as_it_is(resource.per * rows["centre"].reindex(counts.practice_code).to_numpy(float))


def _divided(resource: Resource, counts: Counts, practices: pd.DataFrame) -> _Measure | None:
    if resource.id in practices:  # the study's own, or published as it is
        return _as_it_is(practices[resource.id].to_numpy(float))
    top, bottom = _numbers(practices, resource.top), _numbers(practices, resource.bottom)
    if top is None or bottom is None:
        return None
    if resource.weighted:
        weight = _need_weight(practices)
        if weight is None:
            return None
        bottom = bottom * weight
    with np.errstate(invalid="ignore"):
        sound = np.isfinite(top) & (top >= 0) & (bottom > 0)
    top, bottom = np.where(sound, top, np.nan), np.where(sound, bottom, np.nan)
    if resource.neighbours:
        top, bottom = _of_the_others(top, bottom, counts)
    return _Measure(resource.per * top / bottom, top, bottom)


def _as_it_is(value: np.ndarray) -> _Measure:
    nothing = np.full(len(value), np.nan)
    return _Measure(value, nothing, nothing)


def _numbers(practices: pd.DataFrame, name: str) -> np.ndarray | None:
    return practices[name].to_numpy(float) if name in practices else None


def _need_weight(practices: pd.DataFrame) -> np.ndarray | None:
    """Return weighted over registered patients, both of one file: never the list of one year over that of another."""
    weighted, registered = _numbers(practices, "weighted_list"), _numbers(practices, "registered_list")
    if weighted is None or registered is None:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((weighted > 0) & (registered > 0), weighted / registered, np.nan)


def _of_the_others(top: np.ndarray, bottom: np.ndarray, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Return both sums over the other practices of the network; of the board where there is no network, or no other.

    The practice itself is left out: its own number of GPs is its own decision.
    """
    none = catalogue.conventions()["codes"]["no_pcn"]
    allocated = (counts.pcn_key != "") & ~np.char.endswith(counts.pcn_key.astype(str), f":{none}")
    network = _without_own(top, bottom, np.where(allocated, counts.pcn_key, ""))
    board = _without_own(top, bottom, counts.icb_code)
    alone = ~(network[1] > 0)
    return np.where(alone, board[0], network[0]), np.where(alone, board[1], network[1])


def _without_own(top: np.ndarray, bottom: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = pd.DataFrame({"top": top, "bottom": bottom}).fillna(0.0)
    sums = known.groupby(place).transform("sum")
    others = (sums - known).to_numpy()
    # Differences of sums leave a crumb where nobody else is there.
    there = (place != "") & (others[:, 1] > 0.5)
    return np.where(there, others[:, 0], np.nan), np.where(there, others[:, 1], np.nan)


def _described(resource: Resource, one: _Measure, counts: Counts, area: np.ndarray, dated: str) -> pd.DataFrame:
    """Return one resource of the area's practices beside the distribution over the practices compared."""
    everyone = np.sort(one.value[counts.in_reference & np.isfinite(one.value)])
    percentile = _percentile(one.value, everyone)
    here = area & np.isfinite(one.value)
    middle = float(np.median(one.value[here])) if here.any() else float("nan")
    quantiles = np.percentile(everyone, _SHOWN) if len(everyone) else np.full(len(_SHOWN), np.nan)
    frame = pd.DataFrame(
        {
            "practice_code": counts.practice_code[area],
            "resource": resource.id,
            "value": one.value[area],
            "unit": resource.unit,
            "percentile": percentile[area],
            "top": one.top[area],
            "bottom": one.bottom[area],
            "dated": dated,
            "compared": len(everyone),
        }
    )
    names = ["median" if share == 50 else f"p{share}" for share in _SHOWN]
    return frame.assign(
        **dict(zip(names, quantiles, strict=True)),
        area_known=int(here.sum()),
        area_median=middle,
        area_percentile=float(_percentile(np.array([middle]), everyone)[0]),
        area_lowest=int((percentile[here] < _TENTH).sum()),
        area_highest=int((percentile[here] > 100.0 - _TENTH).sum()),
    )[schema.names("resources")]


def _percentile(values: np.ndarray, everyone: np.ndarray) -> np.ndarray:
    """Return the share of `everyone` below each value, half of those equal to it counted."""
    if not len(everyone):
        return np.full(len(values), np.nan)
    below, up_to = (np.searchsorted(everyone, values, side) for side in ("left", "right"))
    return np.where(np.isfinite(values), 50.0 * (below + up_to) / len(everyone), np.nan)


def _scenario(
    table: PracticeTable, counts: Counts, practices: pd.DataFrame, ladder: Ladder, card: MetricCard, area: np.ndarray
) -> pd.DataFrame:
    """Return what is expected of the area's practices without and with supply they did not choose."""
    nothing = pd.DataFrame(columns=schema.names("supply"))
    given = [c for c in declared_scenario(table.study) if c in practices and practices[c].notna().any()]
    if not given:
        return nothing
    declared = {rung.name: rung.covariates for rung in ladder.rungs}
    below = next(name for name in (_CONTEXT, HEADLINE, "M0") if name in declared)
    allowed = {below: declared[below], _SCENARIO: (*declared[below], *given)}
    counts = _with_all(counts, practices, allowed[_SCENARIO])
    try:
        rungs = {name: fit_rung(name, ids, counts, practices) for name, ids in allowed.items()}
        placed = {name: _placed(counts, rung) for name, rung in rungs.items()}
    except (ConvergenceError, StatsError, TableError):
        return nothing
    frame = pd.DataFrame({"practice_code": counts.practice_code, "rung": below, "allowed": " ".join(given)})
    shown = counts.decidable & ~observed.is_hidden(observed.outcomes_of(table, card.id))
    for column, name in (("m2", below), ("m3", _SCENARIO)):
        row = placed[name].reindex(counts.practice_code)
        frame[f"centre_{column}"] = row["centre"].to_numpy(float)
        frame[f"difference_{column}"] = row["difference"].where(shown).to_numpy(float)
        frame[f"z_{column}"] = row["z"].where(shown).to_numpy(float)
        frame[f"outside_{column}"] = frame[f"z_{column}"].abs() > USUAL
    frame = frame.assign(
        compared=int(placed[_SCENARIO]["in_fit"].sum()), accounted=_accounted(rungs[below], rungs[_SCENARIO])
    )
    known = area & frame["centre_m3"].notna().to_numpy()
    return frame.loc[known, schema.names("supply")].reset_index(drop=True)


def _with_all(counts: Counts, practices: pd.DataFrame, covariates: Sequence[str]) -> Counts:
    """Return the counts with only those in the fits who have everything: both fits are then of the same practices."""
    made = design.build(practices, covariates, counts.in_reference & counts.usable)
    return replace(counts, in_reference=counts.in_reference & made.complete)


def _placed(counts: Counts, rung: Rung) -> pd.DataFrame:
    expected = rung.expected
    return judge(counts, expected.link, expected.n_parameters, COMPARATORS[0]).practices.set_index("practice_code")


def _accounted(below: Rung, with_supply: Rung) -> float:
    """Return the part of the variance between practices that goes with supply; NaN without models to tell."""
    models = [rung.expected.model for rung in (below, with_supply)]
    if any(model is None for model in models):
        return float("nan")
    before, after = (float(model.variances["variance"].sum()) for model in models if model is not None)
    return 1.0 - after / before if before > 0 else float("nan")
