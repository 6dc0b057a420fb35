"""A trial by hand: a row for each bar, met unless a test says otherwise."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

import gpvar
from gpvar.words.calibration_facts import TrialFacts, trial_facts

METRICS = ("same_day_share", "dna_share", "face_to_face_share", "appointments_per_1000")
KINDS = ("", "tail", "many_red")
ODDS = tuple(f"{of} {low / 10}-{(low + 1) / 10}" for of in ("rank", "threshold") for low in range(10))
EVERYONE = tuple(f"{of} {low / 10}-{(low + 1) / 10}" for of in ("place_raw", "place_adjusted") for low in range(10))
GROUPS = {
    "alarms_far_england": ("england", "own_icb"),
    "alarms_out_england": ("england", "own_icb"),
    "alarms_far_side": ("england low", "england high", "150 low", "150 high"),
    "alarms_out_side": ("england low", "england high", "150 low", "150 high"),
    "alarms_far_t5": ("england", "own_icb"),
    "alarms_out_t5": ("england", "own_icb"),
    "noise_explained": ("england", "own_icb"),
    "noise_partly": ("england", "own_icb"),
    "plants_found": ("r 0.9", "r 1"),
    "plants_found_below": ("r 0.7", "r 0.8"),
    "plants_far": ("r 0.7", "r 0.8", "r 0.9", "r 1"),
    "plants_found_own_icb": ("r 0.7", "r 0.8", "r 0.9", "r 1"),
    "coverage_values": ("M0", "M1"),
    "coverage_ranks": ("M0", "M1"),
    **dict.fromkeys(("claims_decided", "claims_opposite", "claims_true_right", "claims_false_right"), KINDS),
    "claims_unchanged": ("change", "change_seeming", "worst_improved"),
    **dict.fromkeys(("odds_true", "odds_said", "odds_off"), EVERYONE),
    **dict.fromkeys(("claims_chance_true", "claims_chance_said", "claims_chance_off"), ODDS),
    "claims_chance_off_all": ("rank", "threshold"),
}
FREE = {"plants_found_below": 0.7, "plants_far": 0.5, "noise_partly": 0.02}


def bars() -> list[dict[str, Any]]:
    """Every bar of the trial."""
    text = resources.files("gpvar.calibration").joinpath("bars.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["bar"]


def row(bar: dict[str, Any], group: str, metric: str, **changes: Any) -> dict[str, Any]:
    """One row that meets its bar by four errors."""
    low, high = bar.get("low", np.nan), bar.get("high", np.nan)
    worlds = 300 if metric == "" else 75
    ends = [end for end in (low, high) if np.isfinite(end)]
    estimate = changes.pop("estimate", None)
    if estimate is None:
        by_tenth = ("chance" in bar["id"] or "odds" in bar["id"]) and not ends
        free = float(group.split()[1][:3]) + 0.05 if by_tenth else FREE.get(bar["id"], 0.05)
        estimate = float(np.mean([low if np.isfinite(low) else 0, high if np.isfinite(high) else 1])) if ends else free
        estimate = 1.0 if low == 1 else estimate
    inside = min([estimate - low if np.isfinite(low) else np.inf, high - estimate if np.isfinite(high) else np.inf])
    se = changes.pop("se", 0.0 if low == 1 else abs(inside) / 4 if ends else 0.001)
    made = {
        "bar": bar["id"],
        "section": bar["section"],
        "group": group,
        "metric": metric,
        "estimate": estimate,
        "se": se,
        "hits": estimate * 1000 * worlds,
        "chances": 1000.0 * worlds,
        "worlds": worlds,
        "low": low,
        "high": high,
        "met": ("yes" if inside >= 0 else "no") if ends else "",
        "distance": inside / se if ends and se else np.nan,
    }
    return made | changes


def frame(changed: dict[tuple[str, str, str], dict[str, Any]] | None = None) -> pd.DataFrame:
    """Every row of a trial, with changes by bar, group and metric."""
    changed = changed or {}
    return pd.DataFrame(
        row(bar, group, metric, **changed.get((bar["id"], group, metric), {}))
        for bar in bars()
        for group in GROUPS.get(bar["id"], ("",))
        for metric in ("", *METRICS)
    )


def about(**changes: Any) -> dict[str, Any]:
    """What is known of the run."""
    known = {
        "when": "2026-11-22T10:00:00Z",
        "version": gpvar.__version__,
        "numbers": gpvar.__numbers__,
        "python": "3.11.9",
        "seed": 20260401,
        "worlds": 300,
        "asked": 300,
        "settings": {"practices": 6200, "icbs": 42, "need": "declared", "spread": "normal", "months": 12},
        "measures": ["alarms", "noise", "plants", "coverage", "claims", "stopped"],
        "failures": [],
        "seconds": {"total": 3600.0, "per_world": 12.0, "by_measure": {"world": 3.0}},
        "missed": [],
        "small": False,
    }
    return known | changes


def facts(changed: dict[tuple[str, str, str], dict[str, Any]] | None = None, **known: Any) -> TrialFacts:
    """A whole trial by hand."""
    return trial_facts(frame(changed), about(**known))
