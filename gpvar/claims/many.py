"""Red on several of many indicators: how often a practice that differs in nothing would be red on as many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar.analysis import HEADLINE
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.stops import stopped_everywhere
from gpvar.stats import multiplicity

if TYPE_CHECKING:
    from gpvar.results import Analysis, Run

#: Two-sided share of practices that 95 % limits make red on one indicator.
_SHARE, _QUARTER = 0.05, 0.25
#: Correlation to show beside none where a single measure was analysed: that of the real measures lies below it.
ASSUMED = 0.3
#: Fewer than 1 in 100 practices that differ in nothing.
_RARE = 0.01
_LEAST_PRACTICES = 50


def many(seen: Evidence) -> Tested:
    """Return whether a practice is red on more indicators than chance makes red, given how indicators go together.

    Notes
    -----
    Nothing is known of the letter's indicators but their number. Red may mean one side of each or either side, so that
    both are computed and the larger chance decides.
    """
    stopped = stopped_everywhere(seen)
    if stopped:
        return Tested(frozenset({"stop_gate"}), {"gates": stopped})
    k, m = seen.claim.place, seen.claim.of
    share = _SHARE if seen.claim.threshold is None else seen.claim.threshold.number / 100.0
    if k is None or m is None or not 0 <= k <= m or not 0.0 < share < 1.0:
        return Tested(frozenset({"no_counts"}))
    z = scores(seen.run)
    known = z.shape[1] > 1 and len(z) >= _LEAST_PRACTICES
    matrix = multiplicity.correlation(z) if known else np.eye(1)
    seed = seen.run.study.seed
    chances, typical = _chances(k, m, share, matrix, seed, known)
    worst = max(chances, key=lambda sides: chances[sides])
    numbers: dict[str, Any] = {
        "k": k,
        "m": m,
        "red_share": share,
        "expected": m * share,
        "p_as_many": chances[worst],
        "p_at_quarter": max(_chances(k, m, _QUARTER, matrix, seed, known)[0].values()),
        "p_one_side": chances[1],
        "p_either_side": chances[2],
        "p_independent": multiplicity.at_least(k, m, share),
        "correlation": typical[worst],
        "measured": z.shape[1],
    }
    beside = ["red_share_assumed"] if seen.claim.threshold is None else []
    if not known:
        beside.append("correlation_assumed")
    elif m > z.shape[1]:
        beside.append("correlation_of_other_measures")
    rare = {"k_beyond"} if chances[worst] < _RARE else set()
    if rare and seen.claim.threshold is None and numbers["p_at_quarter"] >= _RARE:
        # Red is as often a quarter of practices as the twentieth outside 95 % limits: the letter has to say which.
        rare = {"red_undefined"}
    return Tested(frozenset(rare), numbers, tuple(beside))


def _chances(
    k: int, m: int, share: float, matrix: np.ndarray, seed: int, known: bool
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the chance of k or more red ones by sides of red, and the correlation that stands for all."""
    if not known:
        assumed = dict.fromkeys((1, 2), ASSUMED)
        return {sides: multiplicity.at_least(k, m, share, ASSUMED, sides=sides) for sides in (1, 2)}, assumed
    # Which side of a measure is the red one is not known: taken so that measures go together, where one has to be.
    signs = _aligned(matrix)
    typical = {1: multiplicity.typical(matrix * signs), 2: multiplicity.typical(matrix)}
    if m > len(matrix):
        return {sides: multiplicity.at_least(k, m, share, typical[sides], sides=sides) for sides in (1, 2)}, typical
    drawn = {
        sides: multiplicity.at_least_drawn(k, m, share, turned, seed=seed, sides=sides)
        for sides, turned in ((1, matrix * signs), (2, matrix))
    }
    return drawn, typical


def _aligned(matrix: np.ndarray) -> np.ndarray:
    """Return the signs that turn measures over so that they go with their first principal component."""
    first = np.linalg.eigh(matrix)[1][:, -1]
    turned = np.where(first < 0, -1.0, 1.0)
    return np.outer(turned, turned)


def scores(run: Run) -> pd.DataFrame:
    """Return z at the headline beside England, a column a measure, of the practices that set all comparisons."""
    columns = {metric: _scores_of(analysis) for metric, analysis in run.analyses.items()}
    return pd.DataFrame(columns).dropna()


def _scores_of(analysis: Analysis) -> pd.Series:
    headline = HEADLINE if HEADLINE in analysis.meta["rungs"] else "M0"
    rows = analysis.practices
    rows = rows[(rows["rung"] == headline) & (rows["comparator"] == "england") & rows["in_fit"].astype(bool)]
    return rows.set_index("practice_code")["z"]
