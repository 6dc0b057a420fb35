"""The same practices with other luck: effects, passing movement and counts drawn anew about the same characteristics.

A world is dear and most of its cost is reading and describing. What a measure asks of many draws it asks of these:
the same places, patients and denominators, and the figures that they might have had.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from gpvar.analysis.expected import sampling_variance

if TYPE_CHECKING:
    from gpvar.analysis.observed import Counts
    from gpvar.calibration.trial import Trial

LEVELS = ("icb", "pcn", "practice")
FLAGGED = ("unusual", "far_outside")


@dataclass(frozen=True, slots=True)
class Known:
    """What is true of a world's metric, in the order of the trial's counts.

    Attributes
    ----------
    need
        (practices,) what need adds on the link scale.
    centre, sds, movement
        The centre of the link scale, the SD of each level's effects, and the variance of passing movement over the
        period.
    """

    need: np.ndarray
    centre: float
    sds: dict[str, float]
    movement: float

    @property
    def shared(self) -> float:
        """The shared SD: of board, network and practice together."""
        return float(np.sqrt(sum(sd**2 for sd in self.sds.values())))


def known_of(trial: Trial) -> Known:
    """Return what is true of a trial's metric."""
    spreads = trial.world.spreads
    row = spreads[spreads["metric"] == trial.metric].iloc[0]
    need = trial.truth["need"].reindex(trial.counts.practice_code).to_numpy(float)
    sds = {level: float(row[level]) for level in LEVELS}
    return Known(need, float(row["centre"]), sds, float(row["period_variance"]))


@dataclass(frozen=True, slots=True)
class Redrawn:
    """Figures drawn anew, and what is true of them on the link scale without passing movement."""

    counts: Counts
    link: np.ndarray


def redraw(
    trial: Trial,
    known: Known,
    rng: np.random.Generator,
    *,
    df: int = 0,
    movement: float | None = None,
    added: np.ndarray | float = 0.0,
) -> Redrawn:
    """Draw effects, passing movement and counts anew.

    Parameters
    ----------
    trial, known
        The practices, and what is true of their figures; `known.need` may have been changed.
    rng
        Where from.
    df
        Degrees of freedom of the practices' own effects, at the same SD; nought: normal.
    movement
        Variance of passing movement over the period; the world's when None. It is judged with as the tool measured
        the world's own: with the same relative error.
    added
        (practices,) what is added to a practice's own effect.
    """
    counts = trial.counts
    moving = known.movement if movement is None else movement
    link = known.need + known.centre + added
    for level, codes in _places(counts).items():
        index, units = pd.factorize(codes)
        link = link + known.sds[level] * rng.standard_normal(len(units))[index]
    link = link + known.sds["practice"] * _own(rng, len(link), df)
    period = link + np.sqrt(moving) * rng.standard_normal(len(link))
    seen = np.where(counts.usable, counts.denominator, 0.0)
    if counts.kind == "proportion":
        drawn = rng.binomial(np.round(seen).astype(np.int64), special.expit(period)).astype(float)
    else:
        drawn = rng.poisson(seen * np.exp(period)).astype(float)
    drawn[~counts.usable] = np.nan
    found = counts.transient * moving / known.movement if known.movement > 0 and moving != known.movement else None
    transient = counts.transient if found is None else found
    return Redrawn(replace(counts, observed=drawn, transient=transient), link)


def movement_for(trial: Trial, known: Known, reliability: float) -> float:
    """Return the variance of passing movement with which the middling practice's figure has a given reliability."""
    counts = trial.counts
    centre = known.need + known.centre
    sampling = float(np.median(sampling_variance(centre, counts.denominator, counts.kind)[counts.in_reference]))
    return max(known.shared**2 * (1.0 / reliability - 1.0) - sampling, 0.0)


def at(placed: pd.DataFrame, rung: str, comparator: str) -> pd.DataFrame:
    """Return one rung's and comparator's practices, those about whom nothing can be said left out."""
    rows = placed[(placed["rung"] == rung) & (placed["comparator"] == comparator)]
    return rows[rows["position"] != "not_decidable"]


def _places(counts: Counts) -> dict[str, np.ndarray]:
    return {"icb": counts.icb_code, "pcn": np.char.add(np.char.add(counts.icb_code, " "), counts.pcn_key)}


def _own(rng: np.random.Generator, size: int, df: int) -> np.ndarray:
    if not df:
        return rng.standard_normal(size)
    return rng.standard_t(df, size) / np.sqrt(df / (df - 2.0))
