"""The analysis of one metric: ladder, positions, movement, and what the area's owner needs beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import catalogue, gates, schema
from gpvar.analysis import observed, variation
from gpvar.analysis.area import compare_methods, local_calibration
from gpvar.analysis.ladder import COMPARATORS, HEADLINE, Ladder, climb, rungs_of
from gpvar.errors import ConvergenceError, StatsError
from gpvar.gates.evidence import columns_of
from gpvar.results import Analysis, Note

if TYPE_CHECKING:
    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard
    from gpvar.study import Period
    from gpvar.table import PracticeTable

__all__ = ["COMPARATORS", "HEADLINE", "analyse"]

_LATER = ("effects", "waterfall", "neighbours", "reach", "passing", "models", "diagnostics", "resources", "supply")
_CALIBRATION_BAND = (0.95, 1.05)
_OF_THE_COUNT = (
    "observed", "value", "ratio", "ratio_lower", "ratio_upper", "adjusted", "difference", "difference_lower",
    "difference_upper", "z_sampling", "z", "p", "q", "explained_share", "percentile", "rank", "gap_count",
    "gap_per_week", "link_residual",
)  # fmt: skip


def analyse(table: PracticeTable, metric: str) -> Analysis:
    """Analyse one metric of a table: pure, nothing read or written.

    Parameters
    ----------
    table
        What `gpvar.build_table` returned.
    metric
        A card id, e.g. ``"same_day_share"``.

    Returns
    -------
    Analysis

    Raises
    ------
    TableError
        When the metric has no usable figures.
    ConvergenceError
        When the adjustment does not settle.
    """
    card = catalogue.metric(metric)
    outcomes = observed.outcomes_of(table, metric)
    practices = table.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    adjust, dropped = _adjustment(table, card, practices)
    rungs = rungs_of(adjust, [c for ids in adjust.values() for c in ids if c not in dropped])
    ends = observed.ends(table, card, outcomes)
    ladders = [climb(end, practices, rungs) for end in ends]
    ladder, counts = ladders[0], ends[0]
    everyone = _in_real_terms(ladder.practices, card, table.study.period, outcomes)
    everyone[["position", "movement"]] = _agreed([ladder.practices for ladder in ladders])
    everyone = _without_invented(everyone, outcomes)
    area = set(table.area_codes)
    headline = HEADLINE if any(rung.name == HEADLINE for rung in ladder.rungs) else "M0"
    hidden = observed.is_hidden(outcomes)
    sources, why_not = _sources_of_variation(counts, ladder, headline, practices, table.study.seed, hidden)
    repeated = _repeated_without_old(table, counts, practices, ladder)
    return Analysis(
        practices=everyone.drop(columns=["decidable", "expected_link"]),
        spread=ladder.spread,
        methods=compare_methods(counts, ladder, np.isin(counts.practice_code, list(area))),
        fits=_fits(ladder),
        calibration=local_calibration(ladder, area),
        **{name: getattr(sources, name) for name in sources.__dataclass_fields__},
        **{name: pd.DataFrame(columns=schema.names(name)) for name in _LATER},
        notes=(*_notes(ladder, dropped, card), *repeated, *why_not),
        meta=_meta(table, card, counts, ladder, dropped),
    )


def _agreed(placed: list[pd.DataFrame]) -> pd.DataFrame:
    """Return positions and movements; where the ends of a hidden count disagree, the data cannot answer."""
    first, *others = [frame[["position", "movement"]] for frame in placed]
    agreed = first.copy()
    for other in others:
        agreed.loc[first["position"] != other["position"], "position"] = "not_decidable"
        agreed.loc[first["movement"] != other["movement"], "movement"] = ""
    agreed.loc[agreed["position"] == "not_decidable", "movement"] = ""
    return agreed


def _without_invented(placed: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Add what a hidden count can be, and blank every figure that would rest on a guess at it."""
    rows = outcomes.set_index("practice_code").loc[placed["practice_code"]]
    placed["observed_low"] = rows["numerator_low"].to_numpy()
    placed["observed_high"] = rows["numerator_high"].to_numpy()
    hidden = observed.is_hidden(rows)
    placed.loc[hidden, list(_OF_THE_COUNT)] = np.nan
    placed.loc[hidden, ["flag", "flag_sampling"]] = ""
    placed.loc[hidden, "exceeds_margin"] = False
    return placed


def _adjustment(
    table: PracticeTable, card: MetricCard, practices: pd.DataFrame
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return what was declared (the study's, else the card's) and which of it has no data, with the reason."""
    declared = table.study.adjust or {}
    adjust = {rung: tuple(declared.get(rung, card.adjust.get(rung, ()))) for rung in ("M1", "M2")}
    dropped = {}
    for covariate in (c for ids in adjust.values() for c in ids):
        columns = columns_of(practices, covariate)
        if not columns:
            dropped[covariate] = "no source"
        elif practices[columns].isna().all(axis=1).all():
            dropped[covariate] = "no values"
    return adjust, dropped


def _in_real_terms(placed: pd.DataFrame, card: MetricCard, period: Period, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Add the gap a week and whether it exceeds the card's margin (points for a share, per cent for a rate)."""
    difference = placed["difference"].abs()
    size = 100.0 * difference if card.kind == "proportion" else 100.0 * difference / placed["centre"]
    months = placed["practice_code"].map(outcomes.set_index("practice_code")["months"])
    weeks = period.weeks * months / period.months
    return placed.assign(gap_per_week=placed["gap_count"] / weeks, exceeds_margin=size > card.margin)


def _fits(ladder: Ladder) -> pd.DataFrame:
    frames = [rung.design.terms.assign(rung=rung.name, estimate=rung.expected.coefficients) for rung in ladder.rungs]
    return pd.concat(frames, ignore_index=True)[
        ["rung", "term", "covariate", "transform", "estimate", "centre", "scale", "knots"]
    ]


def _notes(ladder: Ladder, dropped: dict[str, str], card: MetricCard) -> tuple[Note, ...]:
    notes = [Note("covariate_dropped", {"covariate": c, "why": why}) for c, why in dropped.items()]
    for rung in ladder.rungs:
        if rung.design.dropped:
            notes.append(Note("term_dropped", {"rung": rung.name, "terms": list(rung.design.dropped)}))
    if card.activity:
        notes.append(Note("no_months"))
    for row in ladder.spread.itertuples():
        if row.comparator == "england" and not _CALIBRATION_BAND[0] <= row.expected_total_ratio <= _CALIBRATION_BAND[1]:
            notes.append(Note("spread_not_normal", {"rung": row.rung, "ratio": row.expected_total_ratio}))
    return tuple(notes)


def _repeated_without_old(
    table: PracticeTable, counts: Counts, practices: pd.DataFrame, ladder: Ladder
) -> tuple[Note, ...]:
    """Repeat the headline without covariates that are far out of date, and say for whom the answer changes."""
    headline = next((rung for rung in ladder.rungs if rung.name == HEADLINE), None)
    old = gates.out_of_date(table.study, table.dates, headline.covariates) if headline else ()
    if headline is None or not old:
        return ()
    kept = tuple(c for c in headline.covariates if c not in old)
    again = climb(counts, practices, {"M0": (), HEADLINE: kept} if kept else {"M0": ()})
    before, after = _headline_positions(ladder, HEADLINE), _headline_positions(again, HEADLINE if kept else "M0")
    changed = after[after != before.reindex(after.index)]
    return (Note("repeated_without_old", {"covariates": list(old), "changed": changed.to_dict()}),)


def _headline_positions(ladder: Ladder, rung: str) -> pd.Series:
    placed = ladder.practices
    rows = placed[(placed["rung"] == rung) & (placed["comparator"] == "england")]
    return rows.set_index("practice_code")["position"]


def _sources_of_variation(
    counts: Counts, ladder: Ladder, headline: str, practices: pd.DataFrame, seed: int, hidden: np.ndarray
) -> tuple[variation.Variation, tuple[Note, ...]]:
    """Return where the variation comes from; where that model has no solution, that, and the judgements stand."""
    if ladder.no_model:
        return variation.nothing(), (Note("variation_not_found", {"why": ladder.no_model}),)
    try:
        return variation.describe(counts, ladder, headline, _deprivation(practices), seed, hidden), ()
    except (ConvergenceError, StatsError) as error:
        return variation.nothing(), (Note("variation_not_found", {"why": error.problem}),)


def _deprivation(practices: pd.DataFrame) -> np.ndarray | None:
    """Return the latest index of deprivation that the table has, whether or not it is adjusted for."""
    for covariate in ("imd2025", "imd2019"):
        if covariate in practices and practices[covariate].notna().any():
            return practices[covariate].to_numpy(float)
    return None


def _meta(
    table: PracticeTable, card: MetricCard, counts: Counts, ladder: Ladder, dropped: dict[str, str]
) -> dict[str, Any]:
    used = counts.usable & counts.in_reference
    totals = pd.DataFrame({"icb": counts.icb_code, "y": counts.observed, "n": counts.denominator})
    by_icb = totals[used & (counts.icb_code != "")].groupby("icb")[["y", "n"]].sum()
    here = used & np.isin(counts.practice_code, list(table.area_codes))
    top = ladder.rungs[-1]
    return {
        "metric": card.id,
        "kind": card.kind,
        "scale": card.scale,
        "period_label": table.study.period.label,
        "weeks": table.study.period.weeks,
        "n_practices": len(counts.practice_code),
        "n_fitted": int(used.sum()),
        "n_area": len(table.area_codes),
        "england_value": float(totals["y"][used].sum() / totals["n"][used].sum()),
        "icb_value": {str(icb): float(row.y / row.n) for icb, row in by_icb.iterrows()},
        "area_value": float(totals["y"][here].sum() / totals["n"][here].sum()) if here.any() else float("nan"),
        "rungs": [rung.name for rung in ladder.rungs],
        "covariates": {rung.name: list(rung.covariates) for rung in ladder.rungs},
        "dropped": dropped,
        "reference": _reference(table),
        "has_months": _has_months(table),
        "headline_rung": HEADLINE if any(rung.name == HEADLINE for rung in ladder.rungs) else "M0",
        "comparators": list(ladder.practices["comparator"].unique()),
        "extrapolated": sorted(counts.practice_code[top.design.extrapolated & counts.usable].tolist()),
    }


def _reference(table: PracticeTable) -> dict[str, str]:
    """Return which practices set the comparison, and what to call them."""
    level = observed.reference_level(table)
    if not level:
        gate = (table.gates["gate"] == "not_england") & (table.gates["state"] == gates.FAILED)
        return {"set": "england", "name": "this file" if gate.any() else "England"}
    here = table.hierarchy[table.hierarchy["practice_code"].isin(table.area_codes)]
    names = here["icb_name"] if level == "icb_code" else here[level]
    said = " and ".join(dict.fromkeys(name for name in names if name))
    return {"set": table.study.reference.set, "name": said if level == "icb_code" else f"region {said}"}


def _has_months(table: PracticeTable) -> bool:
    asked = table.gates[table.gates["gate"] == "months_missing"]
    return bool((asked["state"] != gates.UNCHECKED).any())
