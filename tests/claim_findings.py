"""Findings built by hand: one for every rule of the decision table, with the numbers that its sentence needs."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import pandas as pd

from gpvar.catalogue import letters
from gpvar.results import Claim, Figure, Finding, Run

WHO = "X10001"
#: Numbers of a share; those of a rate are made of them.
NUMBERS: dict[str, Any] = {
    "metric_written": "calls <answered>", "measures": ["ag_requests_per_1000", "ag_share"],
    "target": "urgent_same_day_90", "target_metric": "urgent_same_day_share", "why": "The file was not read.",
    "practice": "Dr O'Neil & Partners", "period": "2025-04..2025-06", "held": "2025-04..2026-03",
    "period_before": "2024-04..2025-03", "gates": ["list_jump", "suppressed"],
    "breaks": ["gpad_practice_level", "urgent_same_day_90", "a_break_of_tomorrow"], "missing": ["2024-04..2025-03"],
    "england_before": 0.44, "england_after": 0.46, "elsewhere": 120, "elsewhere_change": 0.025, "z_setting": -2.9,
    "low": 1.0, "high": 7.0, "written": 0.36, "value": 0.312, "denominator": 12_345.0,
    "p_raw": 0.93, "p_adjusted": 0.88, "p_setting": 0.91, "p": 0.93, "tail": 0.1, "rank": 190.0, "ranked": 6067.0,
    "from_side": 190.0, "among": 5990.0, "rank_lower": 120.0, "rank_upper": 310.0, "reliability": 0.84,
    "in_tail": True, "explained_share": 0.62, "difference": -0.081, "difference_lower": -0.101,
    "difference_upper": -0.062, "margin": 0.05, "adjusted_difference": -0.07, "adjusted_lower": -0.09,
    "adjusted_upper": -0.051, "adjusted_rung": "M1", "explained_rung": "M1", "q": 0.003,
    "could_have_been_missed": -0.06, "z_raw": -3.6, "z_adjusted": -3.2, "lower_99_8": 0.2, "upper_99_8": 0.61,
    "beyond_99_8": 14, "expected_beyond": 12.1, "compared": 6067, "as_far": 430, "threshold": 0.33,
    "interval_lower": 0.30, "interval_upper": 0.325, "adjusted": 0.34, "announced": "2026-03-17", "due": "2027-03-31",
    "england_share": 0.71, "change": -0.03, "change_lower": -0.05, "change_upper": -0.01, "before": 0.342,
    "after": 0.312, "england_change": -0.01, "excess": -0.02, "excess_lower": -0.04, "excess_upper": 0.001,
    "given_back": 0.006, "left": -0.026, "left_lower": -0.046, "left_upper": -0.005, "group": 10,
    "group_before": 0.22, "group_after": 0.25, "group_change": 0.03, "expected_change": 0.028, "correlation": 0.62,
    "k": 6, "m": 33, "red_share": 0.05, "expected": 1.7, "p_as_many": 0.08, "measured": 8, "fold": 7.0,
    "fold_now": 7.05, "fold_middle": 2.9, "fold_lasting": 2.4, "fold_sound": 5.2, "left_out": 2, "share_chance": 0.05,
    "share_need": 0.21, "share_setting": 0.06, "share_place": 0.18, "share_own": 0.5, "practices": 331,
    "neighbours": 10, "reach": 3, "share": 0.3, "share_lower": 0.1, "share_upper": 0.6, "lasting_share": 0.12,
    "similar_share": 0.25, "ratio": 3400.0, "ratio_low": 2900.0, "ratio_high": 3900.0, "line": 3000.0,
    "definitions": ["fully qualified"], "percentile": 88.0, "england_middle": 2250.0,
    "requests_difference": -0.002, "requests_lower": -0.003, "requests_upper": -0.001,
    "referrals_difference": 0.004, "referrals_lower": 0.002, "referrals_upper": 0.006, "requests_adjusted": -0.001,
    "referrals_adjusted": 0.001, "raw_sum": 9012.0, "lasting_sum": 7400.0, "lasting_lower": 7000.0,
    "lasting_upper": 7800.0, "best": 0.5,
}  # fmt: skip
_TEXTS = {name: value for name, value in NUMBERS.items() if not isinstance(value, (int, float)) or name == "in_tail"}
_NEVER_NOUGHT = (
    "rank", "ranked", "from_side", "among", "tail", "rank_lower", "rank_upper", "compared", "denominator",
    "neighbours", "m", "group", "practices",
)  # fmt: skip
_CHANCES = ("p_raw", "p_adjusted", "p_setting", "p", "p_as_many", "q", "england_share", "explained_share")


def numbers(way: str) -> dict[str, Any]:
    """Return the numbers of a finding: as they are usual, all unknown, all nought, or at the edges."""
    if way == "unknown":
        return dict.fromkeys(NUMBERS)
    if way == "nought":
        return {name: _TEXTS.get(name, NUMBERS[name] if name in _NEVER_NOUGHT else 0.0) for name in NUMBERS}
    if way == "turned":
        turned = {name: -value for name, value in NUMBERS.items() if isinstance(value, float) and name not in _CHANCES}
        return {**NUMBERS, **{n: v for n, v in turned.items() if NUMBERS[n] < 0}, "given_back": -0.006}
    if way in ("certain", "nearly"):
        p = 1.0 if way == "certain" else 0.7996
        return {**NUMBERS, **dict.fromkeys(_CHANCES, p), "reliability": 0.9999, "in_tail": False}
    return dict(NUMBERS)


@functools.cache
def _rows(frame: Hashed, code: str, comparator: str) -> tuple[dict[str, Any], ...]:
    mine = frame.table[(frame.table["practice_code"] == code) & (frame.table["comparator"] == comparator)]
    return tuple({str(k): _plain(v) for k, v in row.items()} for row in mine.to_dict("records"))


@functools.cache
def _gates(frame: Hashed, code: str) -> tuple[dict[str, str], ...]:
    mine = frame.table[frame.table["practice_code"].isin(["", code]) & (frame.table["state"] != "passed")]
    return tuple(mine[["gate", "severity", "state", "detail"]].fillna("").astype(str).to_dict("records"))


@dataclasses.dataclass(frozen=True)
class Hashed:
    """A table that is the same as long as it is the same object, so that what is taken of it is taken once."""

    table: pd.DataFrame = dataclasses.field(compare=False)
    identity: int = 0


def hashed(table: pd.DataFrame) -> Hashed:
    """Return a table with its identity."""
    return Hashed(table, id(table))


def rows(run: Run, metric: str, code: str = WHO, comparator: str = "england") -> tuple[dict[str, Any], ...]:
    """Return a practice's rows as a finding holds them."""
    return _rows(hashed(run.analyses[metric].practices), code, comparator)


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def templates_of(test: str) -> list[letters.Template]:
    """Return the templates that a test decides; for the rules of every sentence, one of each kind."""
    every = list(letters.templates().values())
    if test == letters.ANY:
        return [letters.templates()[name] for name in ("tail", "cannot_get_through", "emergency_use", "fold", "change")]
    return [template for template in every if template.test == test]


def finding(
    run: Run,
    rule: letters.Rule,
    template: letters.Template,
    metric: str,
    direction: str = "low",
    way: str = "usual",
    comparator: str = "england",
    beside: tuple[str, ...] = (),
) -> Finding:
    """Return a finding as the engine makes it."""
    practice = template.about == "practice"
    figure = Figure("31.2%", 31.2, 1, percent=True)
    claim = Claim(
        id="3",
        template=template.id,
        text=template.example,
        practice="Invented Surgery 0" if practice else "",
        practice_code=WHO if practice else "",
        metric=metric,
        figure=figure,
        comparator="icb" if comparator == "own_icb" else "england",
        direction=direction,
        period="2025-04..2026-03",
        where="letter.xlsx, row 4",
    )
    return Finding(
        claim=claim,
        verdict=rule.verdict,
        because=(rule.reason, *beside),
        numbers=numbers(way),
        arithmetic={"usual": "right", "turned": "wrong"}.get(way, "not_checked"),
        comparator=comparator,
        gates=_gates(hashed(run.table.gates), claim.practice_code),
        rungs=rows(run, metric, comparator=comparator) if practice else (),
        would_change=rule.would_change,
        disclose=tuple(dict.fromkeys((*rule.ask, *template.ask))),
        source={"run": "0" * 12, "metric": metric, "period": "2025-04..2026-03", "files": []},
    )


def placed(found: Finding, position: str) -> Finding:
    """Return the finding with the practice at another position."""
    return dataclasses.replace(found, rungs=tuple({**row, "position": position} for row in found.rungs))
