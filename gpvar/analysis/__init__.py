"""The analysis of one metric: ladder, positions, movement, and what is said beside them of places and practices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.analysis import models, observed, passing, practice, resources, variation
from gpvar.analysis.area import compare_methods, local_calibration
from gpvar.analysis.climbed import Climbed
from gpvar.analysis.ladder import COMPARATORS, HEADLINE, Ladder, climb, rungs_of
from gpvar.analysis.meta import meta_of
from gpvar.analysis.notes import notes_of
from gpvar.errors import ConvergenceError, StatsError
from gpvar.gates.evidence import columns_of
from gpvar.results import Analysis, Note

if TYPE_CHECKING:
    from gpvar.catalogue import MetricCard
    from gpvar.study import Period
    from gpvar.table import PracticeTable

__all__ = ["COMPARATORS", "HEADLINE", "analyse"]

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
    adjust, dropped = adjustment(table, card, practices)
    rungs = rungs_of(adjust, [c for ids in adjust.values() for c in ids if c not in dropped])
    ends = observed.ends(table, card, outcomes)
    moved = passing.measure(table, card, ends[0])
    ends = [replace(end, transient=passing.transient_of(moved)) for end in ends]
    ladders = [climb(end, practices, rungs) for end in ends]
    headline = HEADLINE if HEADLINE in rungs else "M0"
    hidden = observed.is_hidden(outcomes)
    done = Climbed(table, card, ends[0], hidden, practices, ladders[0], headline, moved, dropped)
    frames, not_found = _beside(done)
    return Analysis(
        practices=_placed(ladders, card, table.study.period, outcomes),
        spread=done.ladder.spread,
        methods=compare_methods(done.counts, done.ladder, np.isin(done.counts.practice_code, list(table.area_codes))),
        fits=_fits(done.ladder),
        calibration=local_calibration(done.ladder, set(table.area_codes)),
        passing=moved,
        **frames,
        notes=(*notes_of(done), *not_found),
        meta=meta_of(done),
    )


def _placed(ladders: list[Ladder], card: MetricCard, period: Period, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return every practice at every rung, with what all ends of a hidden count agree on."""
    everyone = _in_real_terms(ladders[0].practices, card, period, outcomes)
    everyone[["position", "movement"]] = _agreed([ladder.practices for ladder in ladders])
    return _without_invented(everyone, outcomes).drop(columns=["decidable", "expected_link"])


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


def adjustment(
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


def _beside(done: Climbed) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Return what the models say of places and practices; where one has no solution, that: the judgements stand."""
    seed = done.table.study.seed
    fitted, checks = models.describe(done.ladder, done.headline, seed)
    owned, scenario = resources.describe(done.table, done.counts, done.practices, done.ladder, done.card)
    frames = {"models": fitted, "diagnostics": checks, "resources": owned, "supply": scenario}
    why = done.ladder.no_model
    try:
        if not why:
            sources = variation.describe(
                done.counts, done.ladder, done.headline, _deprivation(done.practices), seed, done.hidden, done.passing
            )
            return frames | _frames(sources) | _frames(_single(done)), ()
    except (ConvergenceError, StatsError) as error:
        why = error.problem
    nothing = _frames(variation.nothing()) | _frames(practice.nothing())
    return frames | nothing, (Note("variation_not_found", {"why": why}),)


def _single(done: Climbed) -> practice.Practices:
    return practice.describe(
        done.counts,
        done.ladder,
        done.headline,
        done.passing,
        done.table.area_codes,
        targets=practice.targets_of(done.card, done.table.study.period.last_day),
        activity=done.card.activity,
        seed=done.table.study.seed,
        hidden=done.hidden,
    )


def _frames(tables: variation.Variation | practice.Practices) -> dict[str, pd.DataFrame]:
    return {name: getattr(tables, name) for name in tables.__dataclass_fields__}


def _deprivation(practices: pd.DataFrame) -> np.ndarray | None:
    """Return the latest index of deprivation that the table has, whether or not it is adjusted for."""
    for covariate in ("imd2025", "imd2019"):
        if covariate in practices and practices[covariate].notna().any():
            return practices[covariate].to_numpy(float)
    return None
