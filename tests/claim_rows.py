"""Evidence written by hand: one practice's rows, and what a test of a letter's sentence sees of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
from scipy import special

from gpvar import catalogue
from gpvar.claims.evidence import Evidence
from gpvar.results import Claim, Figure, Note
from gpvar.study import Period

CODE = "A00001"
CENTRE, TAU2 = 0.50, 0.04
_OTHERS = 400


def row(rung: str, value: float, centre: float, half: float = 0.01, **more: Any) -> dict[str, Any]:
    """One practice's row at a rung: a share with an interval of `half` to either side."""
    residual = float(special.logit(value) - special.logit(centre))
    spread = (TAU2 + (half / 1.96 / (centre * (1 - centre))) ** 2) ** 0.5
    beyond = abs(value - centre) > half
    return {
        "practice_code": CODE,
        "rung": rung,
        "comparator": "england",
        "value": value,
        "observed": value * 10_000,
        "denominator": 10_000.0,
        "centre": centre,
        "difference": value - centre,
        "difference_lower": value - half - centre,
        "difference_upper": value + half - centre,
        "link_residual": residual,
        "z": residual / spread,
        "z_sampling": 1.96 * (value - centre) / half,
        "flag_sampling": ("low_95" if value < centre else "high_95") if beyond else "",
        "lower_99_8": centre - 0.15,
        "upper_99_8": centre + 0.15,
        "adjusted": float(special.expit(special.logit(CENTRE) + residual)),
        "rank": 40.0,
        "ranked": 401.0,
        "percentile": 100 * 39.5 / 401,
        "position": "usual",
        "in_fit": True,
        **more,
    }


def others(rung: str) -> list[dict[str, Any]]:
    """Practices beside which it stands: differences from the middle of up to a tenth."""
    steps = [(i - _OTHERS / 2 + 0.5) / _OTHERS / 5 for i in range(_OTHERS)]
    return [row(rung, CENTRE + step, CENTRE) | {"practice_code": f"B{i:05d}"} for i, step in enumerate(steps)]


def seen(
    template: str,
    *rows: dict[str, Any],
    metric: str = "same_day_share",
    months: bool = True,
    period: Period | None = None,
    **claim: Any,
) -> Evidence:
    """Return the evidence of one sentence about the practice of `rows`; `months`: passing movement is known."""
    rungs = [each["rung"] for each in rows]
    frame = pd.DataFrame([*rows, *(each for rung in rungs for each in others(rung))])
    spread = [
        {"rung": rung, "comparator": "england", "tau2": TAU2, "transient": 0.0, "n": _OTHERS + 1, "flagged_99_8": 3,
         "expected_flags_99_8_normal": 0.8}
        for rung in rungs
    ]  # fmt: skip
    analysis = SimpleNamespace(
        practices=frame,
        spread=pd.DataFrame(spread),
        effects=pd.DataFrame(),
        notes=() if months else (Note("no_months"),),
        meta={"rungs": rungs},
    )
    study = SimpleNamespace(period=period or Period("2025-04", "2026-03"))
    run = SimpleNamespace(analyses={metric: analysis}, study=study, table=SimpleNamespace())
    about = Claim("1", template, practice=CODE, practice_code=CODE, metric=metric, **claim)
    return Evidence(about, run)  # type: ignore[arg-type]


def figure(text: str) -> Figure:
    """A number as a letter prints it."""
    bare = text.rstrip("%")
    return Figure(text, float(bare), len(bare.partition(".")[2]), text.endswith("%"))


def margin_of(metric: str = "same_day_share") -> float:
    """The margin on a card, as a fraction."""
    return float(catalogue.metric(metric).margin) / 100.0
