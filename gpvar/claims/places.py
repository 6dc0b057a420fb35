"""Places and averages as anybody can count them: on the figures themselves, before anything is allowed for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar.claims import rungs

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.claims.evidence import Evidence

_ENGLAND, _OWN = "england", "own_icb"
#: Tests in which the direction is a side, and not the way in which a figure moved.
_SIDED = ("rank", "margin", "significant", "outlier", "threshold", "exemplar")


def published(seen: Evidence) -> dict[str, Any]:
    """Return the practice's places by its published figure, beside England and in its own ICB.

    Notes
    -----
    `england_rank` and `icb_rank` count from the lowest figure, `..._from_side` from the end `counted_from`: the side
    that the letter names, or else the nearer end beside England. Of tied figures each has the first place.
    """
    if rungs.RAW not in seen.rows or not np.isfinite(float(seen.rows[rungs.RAW]["value"])):
        return {}
    said = seen.sign if seen.template.test in _SIDED else 0
    side = said or _nearer(place(seen, _ENGLAND, -1))
    numbers: dict[str, Any] = {"counted_from": "low" if side < 0 else "high"}
    for name, comparator in (("england", _ENGLAND), ("icb", _OWN)):
        numbers |= {f"{name}_{part}": value for part, value in place(seen, comparator, side).items()}
    here = "icb" if seen.comparator == _OWN else "england"
    return numbers | {part: numbers[f"{here}_{part}"] for part in ("rank", "ranked", "from_side", "tied")}


def place(seen: Evidence, comparator: str, sign: int) -> dict[str, Any]:
    """Return the practice's place by its published figure from the lowest and from a side; NaN where it has none."""
    values, own = figures(seen, comparator), float(seen.rows[rungs.RAW]["value"])
    if seen.claim.practice_code not in values.index:
        return dict.fromkeys(("rank", "ranked", "from_side", "tied"), float("nan"))
    before = int((values < own).sum())
    beyond = before if sign < 0 else int((values > own).sum())
    tied = int((values == own).sum())
    return {"rank": before + 1, "ranked": len(values), "from_side": beyond + 1, "tied": tied}


def cut(seen: Evidence, tail: float, sign: int) -> dict[str, Any]:
    """Return the last place of a tail on one side among those that the letter compares, and the figure there."""
    values = np.sort(figures(seen, seen.comparator).to_numpy(float))[:: -sign or -1]
    if not len(values):
        return {"cut_place": float("nan"), "cut_value": float("nan")}
    last = min(int(np.ceil(round(tail * len(values), 9))), len(values))
    return {"cut_place": last, "cut_value": float(values[last - 1])}


def averages(seen: Evidence) -> dict[str, float]:
    """Return the plain mean of the practices that set the comparison, and the figure of all of them together."""
    rows = _beside(seen, seen.comparator)
    rows = rows[rows["in_fit"].astype(bool)]
    if rows.empty:
        return dict.fromkeys(("comparator_mean", "comparator_pooled"), float("nan"))
    pooled = float(rows["observed"].sum() / rows["denominator"].sum())
    return {"comparator_mean": float(rows["value"].mean()), "comparator_pooled": pooled}


def figures(seen: Evidence, comparator: str) -> pd.Series:
    """Return the published figures of the practices that one is ranked with, by code; England's once for a letter."""
    if comparator != _ENGLAND:
        return _figures(seen, comparator)
    key = ("figures", seen.claim.metric)
    if key not in seen.cache:
        seen.cache[key] = _figures(seen, comparator)
    found: pd.Series = seen.cache[key]
    return found


def _figures(seen: Evidence, comparator: str) -> pd.Series:
    rows = _beside(seen, comparator)
    return rows.loc[rows["rank"].notna(), ["practice_code", "value"]].set_index("practice_code")["value"]


def _beside(seen: Evidence, comparator: str) -> pd.DataFrame:
    """Return the raw rows of a comparison; of a board too small to set one, its practices among those of England."""
    frame = seen.analysis.practices
    raw = frame[frame["rung"] == rungs.RAW]
    if comparator == _ENGLAND:
        return raw[raw["comparator"] == _ENGLAND]
    boards = seen.run.table.hierarchy.set_index("practice_code")["icb_code"]
    own = str(boards.get(seen.claim.practice_code) or "")
    here = raw[raw["practice_code"].map(boards) == own] if own else raw.iloc[:0]
    judged = here[here["comparator"] == _OWN]
    return judged if len(judged) else here[here["comparator"] == _ENGLAND]


def _nearer(place: dict[str, Any]) -> int:
    return 1 if place["rank"] > (place["ranked"] + 1) / 2 else -1
