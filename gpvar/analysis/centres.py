"""What the ladder says of every practice, in the order of the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpvar.analysis.expected import link_of_observed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.analysis.ladder import Ladder, Rung
    from gpvar.analysis.observed import Counts

RAW = "M0"
_SENSITIVITY = "M1-"


def judged(counts: Counts) -> np.ndarray:
    """Return every practice's judged quantity on the link scale; NaN without a figure."""
    found = np.full(len(counts.observed), np.nan)
    usable = counts.usable
    found[usable] = link_of_observed(counts.observed[usable], counts.denominator[usable], counts.kind)
    return found


def centre_link(counts: Counts, ladder: Ladder, rung: str) -> np.ndarray:
    """Return where each practice is compared with England at a rung, on the link scale; NaN where it is not."""
    placed = ladder.practices
    rows = placed[(placed["rung"] == rung) & (placed["comparator"] == "england")].set_index("practice_code")
    residual: np.ndarray = rows["link_residual"].reindex(counts.practice_code).to_numpy(float)
    centre: np.ndarray = judged(counts) - residual
    return centre


def between(ladder: Ladder, rung: str) -> float:
    """Return the judged spread τ² against England at a rung."""
    spread = ladder.spread
    return float(spread.loc[(spread["rung"] == rung) & (spread["comparator"] == "england"), "tau2"].iloc[0])


def rung_of(ladder: Ladder, name: str) -> Rung:
    """Return a rung by its name."""
    return next(rung for rung in ladder.rungs if rung.name == name)


def top_rung(ladder: Ladder) -> Rung | None:
    """Return the highest rung that has a multilevel model; None where none has."""
    modelled = [rung for rung in ladder.rungs if rung.name != _SENSITIVITY and rung.expected.model is not None]
    return modelled[-1] if modelled else None


def inside(counts: Counts, area_codes: Sequence[str], hidden: np.ndarray | None) -> np.ndarray:
    """Say which practices are the area's and have a figure that may be spoken of."""
    here: np.ndarray = counts.usable & counts.decidable & np.isin(counts.practice_code, list(area_codes))
    return here if hidden is None else here & ~hidden
