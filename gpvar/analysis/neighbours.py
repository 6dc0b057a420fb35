"""Practices in circumstances like one's own, and whether they reach what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from gpvar import schema
from gpvar.analysis import centres
from gpvar.analysis.expected import link_of
from gpvar.stats import neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.analysis.ladder import Ladder
    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import Target

NEAREST = 10


def nearest_to(counts: Counts, ladder: Ladder, area: np.ndarray, known: np.ndarray) -> pd.DataFrame:
    """Return the practices most like each of the area's in what the highest rung allows for.

    Parameters
    ----------
    counts, ladder
        The observed figures, and the rungs.
    area, known
        Boolean arrays over the practices: whose neighbours are wanted, and whose own figure may be shown.

    Notes
    -----
    Mahalanobis distance over the design's columns: a characteristic that enters as a curve counts with each column
    of the curve, but columns that say the same count once.
    """
    top = centres.top_rung(ladder)
    if top is None or top.design.matrix.shape[1] < 2:
        return pd.DataFrame(columns=schema.names("neighbours"))
    candidates = np.flatnonzero(counts.compared & counts.usable & top.design.complete & known)
    wanted = np.flatnonzero(area[candidates])
    if not len(wanted) or len(candidates) < 2:
        return pd.DataFrame(columns=schema.names("neighbours"))
    k = min(NEAREST, len(candidates) - 1)
    rows, distances = neighbours.nearest(top.design.matrix[candidates, 1:], wanted, k)
    found = candidates[rows.ravel()]
    return pd.DataFrame(
        {
            "practice_code": np.repeat(counts.practice_code[candidates[wanted]], k),
            "place": np.tile(np.arange(1, k + 1), len(wanted)),
            "neighbour_code": counts.practice_code[found],
            "distance": distances.ravel(),
            "value": counts.observed[found] / counts.denominator[found],
        }
    )


def reach_of(
    counts: Counts,
    ladder: Ladder,
    headline: str,
    near: pd.DataFrame,
    area: np.ndarray,
    known: np.ndarray,
    targets: Sequence[Target],
) -> pd.DataFrame:
    """Return who reaches each target: the practice, its neighbours, practices with its expectation, and England.

    Notes
    -----
    The figures of practices with one expectation θ spread about it with the judged τ², and with the passing movement of
    the period where it is known: with σ² for both, Φ((θ − link(target))/σ) of them reach a target of at least so much.
    """
    if not targets:
        return pd.DataFrame(columns=schema.names("reach"))
    theta = centres.centre_link(counts, ladder, headline)
    around = centres.between(ladder, headline) + counts.passing
    value = np.full(len(theta), np.nan)
    value[counts.usable] = counts.observed[counts.usable] / counts.denominator[counts.usable]
    rows = np.flatnonzero(area & np.isfinite(theta))
    compared = value[counts.compared & counts.usable & known]
    frames = []
    for target in targets:
        above = _is_floor(target)
        met = near["value"].ge(target.value) if above else near["value"].le(target.value)
        by_practice = met.groupby(near["practice_code"]).agg(["size", "sum"])
        by_practice = by_practice.reindex(counts.practice_code[rows], fill_value=0)
        frames.append(
            pd.DataFrame(
                {
                    "practice_code": counts.practice_code[rows],
                    "target": target.id,
                    "target_value": target.value,
                    "meets": _reaches(value[rows], target),
                    "neighbours": by_practice["size"].to_numpy(int),
                    "neighbours_meeting": by_practice["sum"].to_numpy(int),
                    "similar_share": _share_beyond(theta[rows], around, target, counts.kind),
                    "england_share": float(np.mean(_reaches(compared, target))),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _is_floor(target: Target) -> bool:
    return target.comparison == "at least"


def _reaches(values: np.ndarray, target: Target) -> np.ndarray:
    return values >= target.value if _is_floor(target) else values <= target.value


def _share_beyond(theta: np.ndarray, variance: float, target: Target, kind: str) -> np.ndarray:
    edge = link_of(target.value, kind)
    gap = theta - edge if _is_floor(target) else edge - theta
    return np.asarray(special.ndtr(gap / np.sqrt(variance)) if variance > 0 else (gap >= 0).astype(float))
