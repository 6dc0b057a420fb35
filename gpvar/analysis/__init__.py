"""The analysis of one metric: ladder, positions, movement, and what the area's owner needs beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import catalogue, design, gates
from gpvar.analysis.area import compare_methods, local_calibration
from gpvar.analysis.judge import Counts
from gpvar.analysis.ladder import COMPARATORS, HEADLINE, Ladder, climb, rungs_of
from gpvar.errors import TableError
from gpvar.results import Analysis, Note

if TYPE_CHECKING:
    from gpvar.catalogue import MetricCard
    from gpvar.table import PracticeTable

__all__ = ["COMPARATORS", "HEADLINE", "analyse"]

_CALIBRATION_BAND = (0.95, 1.05)


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
    outcomes = _outcomes(table, metric)
    practices = table.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    adjust, dropped = _adjustment(table, card, practices)
    rungs = rungs_of(adjust, [c for ids in adjust.values() for c in ids if c not in dropped])
    ends = _ends(outcomes)
    ladders = [climb(_counts(table, card, outcomes, end), practices, rungs) for end in ends]
    ladder, counts = ladders[0], _counts(table, card, outcomes, ends[0])
    everyone = _in_real_terms(ladder.practices, card, table.study.period.weeks)
    everyone["position"] = _agreed([ladder.practices for ladder in ladders])
    area = set(table.area_codes)
    repeated = _repeated_without_old(table, counts, practices, ladder)
    return Analysis(
        practices=everyone.drop(columns=["decidable", "expected_link"]),
        spread=ladder.spread,
        methods=compare_methods(counts, ladder, np.isin(counts.practice_code, list(area))),
        fits=_fits(ladder),
        calibration=local_calibration(ladder, area),
        notes=(*_notes(ladder, dropped, card), *repeated),
        meta=_meta(table, card, counts, ladder, dropped),
    )


def _outcomes(table: PracticeTable, metric: str) -> pd.DataFrame:
    rows = table.outcomes[table.outcomes["metric"] == metric].reset_index(drop=True)
    if not (rows["denominator"] > 0).any():
        raise TableError(
            f"No practice has a figure for '{metric}'.",
            "the table built from the study's sources",
            "Check the metric's columns in [source.columns], or take it out of metrics.",
        )
    return rows


def _ends(outcomes: pd.DataFrame) -> list[pd.Series]:
    """Return the numerators to analyse: one set, or middle, low and high where counts are suppressed."""
    low, high = outcomes["numerator_low"], outcomes["numerator_high"]
    if not (low < high).any():
        return [outcomes["numerator"].fillna(low)]
    return [(low + high) / 2.0, low, high]


def _agreed(placed: list[pd.DataFrame]) -> pd.Series:
    """Return positions; where the two ends of a suppressed count disagree, the data cannot answer."""
    first, *others = [frame["position"] for frame in placed]
    same = np.ones(len(first), dtype=bool)
    for other in others:
        same &= (first == other).to_numpy()
    return first.where(same, "not_decidable")


def _counts(table: PracticeTable, card: MetricCard, outcomes: pd.DataFrame, observed: pd.Series) -> Counts:
    codes = outcomes["practice_code"]
    failed = table.gates[(table.gates["state"] == "failed") & (table.gates["severity"] == "stop")]
    failed = failed[failed["metric"].isin(["", card.id])]
    everyone_stopped = bool((failed["practice_code"] == "").any())
    stopped = codes.isin(set(failed["practice_code"])).to_numpy() | everyone_stopped
    denominator = outcomes["denominator"].to_numpy(float)
    values = observed.to_numpy(float)
    with np.errstate(invalid="ignore"):
        possible = (denominator > 0) & (values >= 0) & ((card.kind == "rate") | (values <= denominator))
    hierarchy = table.hierarchy.set_index("practice_code")
    excluded = codes.isin(set(table.excluded["practice_code"])).to_numpy()
    return Counts(
        practice_code=codes.to_numpy(str),
        icb_code=codes.map(hierarchy["icb_code"]).fillna("").to_numpy(str),
        observed=values,
        denominator=denominator,
        kind=card.kind,
        usable=possible,
        in_reference=possible & ~stopped & ~excluded & _in_reference_set(table, codes),
        decidable=~stopped,
    )


def _in_reference_set(table: PracticeTable, codes: pd.Series) -> np.ndarray:
    level = {"region": "region_code", "icb": "icb_code"}.get(table.study.reference.set)
    if level is None:
        return np.ones(len(codes), dtype=bool)
    places = table.hierarchy.set_index("practice_code")[level]
    here = set(places.reindex(list(table.area_codes)).dropna())
    return codes.map(places).isin(here).to_numpy()


def _adjustment(
    table: PracticeTable, card: MetricCard, practices: pd.DataFrame
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return what was declared (the study's, else the card's) and which of it has no data, with the reason."""
    declared = table.study.adjust or {}
    adjust = {rung: tuple(declared.get(rung, card.adjust.get(rung, ()))) for rung in ("M1", "M2")}
    dropped = {}
    for covariate in (c for ids in adjust.values() for c in ids):
        columns = design.columns_of(practices, covariate)
        if not columns:
            dropped[covariate] = "no source"
        elif practices[columns].isna().all(axis=1).all():
            dropped[covariate] = "no values"
    return adjust, dropped


def _in_real_terms(placed: pd.DataFrame, card: MetricCard, weeks: float) -> pd.DataFrame:
    """Add the gap a week and whether it exceeds the card's margin (points for a share, per cent for a rate)."""
    difference = placed["difference"].abs()
    size = 100.0 * difference if card.kind == "proportion" else 100.0 * difference / placed["centre"]
    return placed.assign(gap_per_week=placed["gap_count"] / weeks, exceeds_margin=size > card.margin)


def _fits(ladder: Ladder) -> pd.DataFrame:
    frames = [rung.design.terms.assign(rung=rung.name, estimate=rung.expected.coefficients) for rung in ladder.rungs]
    return pd.concat(frames, ignore_index=True)[
        ["rung", "term", "covariate", "transform", "estimate", "centre", "scale", "knots"]
    ]


def _notes(ladder: Ladder, dropped: dict[str, str], card: MetricCard) -> tuple[Note, ...]:
    notes = [Note("covariate_dropped", {"covariate": c, "why": why}) for c, why in dropped.items()]
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
    old = gates.out_of_date(table.study, headline.covariates) if headline else ()
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


def _meta(
    table: PracticeTable, card: MetricCard, counts: Counts, ladder: Ladder, dropped: dict[str, str]
) -> dict[str, Any]:
    used = counts.usable & counts.in_reference
    totals = pd.DataFrame({"icb": counts.icb_code, "y": counts.observed, "n": counts.denominator})
    by_icb = totals[used].groupby("icb")[["y", "n"]].sum()
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
        "has_months": False,
        "headline_rung": HEADLINE if any(rung.name == HEADLINE for rung in ladder.rungs) else "M0",
        "comparators": list(ladder.practices["comparator"].unique()),
        "extrapolated": sorted(counts.practice_code[top.design.extrapolated & counts.usable].tolist()),
    }
