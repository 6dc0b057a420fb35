"""Practices that are set apart: on purpose, so that it can be told whether they are found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpvar.errors import StudyError
from gpvar.simulate._asked import Asked, Plant
from gpvar.simulate._declared import METRICS
from gpvar.simulate._tables import Ground

_COLUMNS = ("plant", "practice_code", "outcome", "metric", "direction", "size", "on_top", "added")
_SHOWN = ("id", "name", "metric", "expect", "what")


def outcome_of(metric: str) -> str:
    """Return the outcome that a metric is."""
    if metric not in METRICS:
        raise StudyError(
            f"'{metric}' has no single truth in a simulated England.", metric, f"Those that have: {', '.join(METRICS)}."
        )
    return METRICS[metric]


def plant(
    rng: np.random.Generator,
    asked: Asked,
    frame: pd.DataFrame,
    found: dict[str, pd.DataFrame],
    spreads: pd.DataFrame,
) -> pd.DataFrame:
    """Set practices apart, in place, and return what was done."""
    # Of all practices in one order, so that a plant that asks for more takes those of one that asks for fewer.
    free = [int(row) for row in rng.permutation(len(frame))]
    shared = spreads.set_index("outcome")["shared"]
    parts = []
    for number, item in enumerate(asked.plant):
        rows = _rows(item, frame, free)
        free = [row for row in free if row not in set(rows)]
        metric = item.metric or asked.metric
        outcome = outcome_of(metric)
        sign = 1.0 if item.direction == "high" else -1.0
        effect = found[outcome]
        wanted = sign * item.size * float(shared[outcome])
        before = effect.loc[rows, ["icb", "pcn", "practice"]].sum(axis=1)
        added = np.full(len(rows), wanted) if item.on_top else wanted - before.to_numpy()
        effect.loc[rows, "practice"] += added
        parts.append(
            pd.DataFrame(
                {
                    "plant": number,
                    "practice_code": frame.loc[rows, "practice_code"].to_numpy(),
                    "outcome": outcome,
                    "metric": metric,
                    "direction": item.direction,
                    "size": item.size,
                    "on_top": item.on_top,
                    "added": added,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(_COLUMNS))


def _rows(item: Plant, frame: pd.DataFrame, free: list[int]) -> list[int]:
    """Return the rows of the practices that a plant is about."""
    if not isinstance(item.practices, (int, float)):
        codes = list(item.practices)
        unknown = sorted(set(codes) - set(frame["practice_code"]))
        if unknown:
            where = ", ".join(unknown[:5])
            raise StudyError("A plant names practices that this world does not have.", where, "Take codes of a world.")
        place = pd.Series(frame.index, index=frame["practice_code"])
        return [int(row) for row in place[codes]]
    wanted = item.practices * len(frame) if item.practices < 1 else item.practices
    if not 1 <= round(wanted) <= len(free):
        fix = f"There are {len(free):,} practices that no other plant took: ask for a share below 1, or a number."
        raise StudyError("A plant cannot have that many practices.", f"practices={item.practices}", fix)
    return free[: round(wanted)]


def shown(where: Ground) -> pd.DataFrame:
    """Return the practices that were set by hand for the demonstration."""
    records = [
        {"practice_code": where.frame.loc[row, "practice_code"], **{name: item[name] for name in _SHOWN}}
        for row, item in zip(where.rows, where.specs, strict=True)
    ]
    return pd.DataFrame(records, columns=["practice_code", *_SHOWN])
