"""Where things are drawn: limits carried to a common centre, so that a funnel of adjusted figures is one funnel."""

from __future__ import annotations

import numpy as np
import pandas as pd

LIMITS = (
    "lower_95",
    "upper_95",
    "lower_99_8",
    "upper_99_8",
    "sampling_lower_95",
    "sampling_upper_95",
)


def link(value: np.ndarray | pd.Series | float, kind: str) -> np.ndarray:
    """Return values on the scale practices are judged on: logit for a share, log for a rate."""
    value = np.asarray(value, float)
    if kind == "proportion":
        value = np.clip(value, 1e-6, 1 - 1e-6)
        return np.log(value / (1 - value))
    return np.log(np.clip(value, 1e-9, None))


def inverse(value: np.ndarray, kind: str) -> np.ndarray:
    """Undo `link`."""
    return 1 / (1 + np.exp(-value)) if kind == "proportion" else np.exp(value)


def placed(rows: pd.DataFrame, typical: float, kind: str, scale: float) -> pd.DataFrame:
    """Return where each practice and its limits are drawn, on the displayed scale.

    Parameters
    ----------
    rows
        Analysis rows at one rung and comparator.
    typical
        The centre everybody is carried to (the typical practice), in the metric's raw unit.

    Returns
    -------
    DataFrame
        code, size, value and the limits, in the order of `rows`.
    """
    centre = link(rows["centre"], kind)
    shift = link(typical, kind) - centre
    value = link(rows["value"], kind) if (rows["rung"] == "M0").all() else None
    drawn = pd.DataFrame({"code": rows["practice_code"].to_numpy(), "size": rows["denominator"].to_numpy(float)})
    drawn["value"] = (
        rows["value"].to_numpy(float) if value is not None else inverse(link(rows["value"], kind) + shift, kind)
    )
    for limit in LIMITS:
        drawn[limit] = inverse(link(rows[limit], kind) + shift, kind)
    drawn[["value", *LIMITS]] *= scale
    return drawn


def significant(values: pd.Series | np.ndarray, digits: int) -> np.ndarray:
    """Return values rounded to so many significant figures."""
    values = np.asarray(values, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - digits + 1)
        rounded = np.round(values / unit) * unit
    return np.round(np.where(np.isfinite(rounded), rounded, values), 9)


def curve(drawn: pd.DataFrame, limit: str, points: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return a limit as a line: medians over groups of practices of about the same size."""
    ordered = drawn.sort_values("size")
    groups = np.array_split(np.arange(len(ordered)), min(points, max(2, len(ordered) // 3)))
    sizes, heights = ordered["size"].to_numpy(), ordered[limit].to_numpy()
    ends = [np.arange(min(3, len(ordered)))], [np.arange(max(0, len(ordered) - 3), len(ordered))]
    groups = [*ends[0], *groups, *ends[1]]
    pairs = [(np.median(sizes[g]), np.median(heights[g])) for g in groups if len(g)]
    x, y = np.array(pairs).T
    order = np.argsort(x, kind="stable")
    return x[order], y[order]
