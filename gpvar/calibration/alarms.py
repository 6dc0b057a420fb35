"""How many practices with nothing unusual about them are called unusual: in England, and in small sets drawn apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gpvar.analysis.ladder import COMPARATORS, HEADLINE, climb
from gpvar.calibration.redraw import FLAGGED, at, known_of, redraw
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from gpvar.analysis.observed import Counts
    from gpvar.calibration.trial import Trial

DF = 5
#: Every how many worlds of a metric the practices are given heavy tails as well.
TAILS_EVERY = 3


def measure(trial: Trial) -> Iterator[Tally]:
    """Count alarms where there is nothing to find.

    Parameters
    ----------
    trial
        A world in which no practice was planted and effects are normal.

    Yields
    ------
    Tally
        At the headline rung. A practice that differs by no more than chance counts as inside.
    """
    for comparator in COMPARATORS:
        rows = at(trial.analysis.practices, HEADLINE, comparator)
        yield from counted(rows, "england", comparator)
        yield from _sides(rows, comparator)
    yield from _small(trial)
    if turn_of(trial.number) % TAILS_EVERY == 0:
        drawn = redraw(trial, known_of(trial), trial.rng("tails"), df=DF)
        placed = climb(drawn.counts, trial.practices, _rungs(trial)).practices
        for comparator in COMPARATORS:
            yield from counted(at(placed, HEADLINE, comparator), f"t{DF}", comparator)


def counted(rows: pd.DataFrame, what: str, group: str = "") -> Iterator[Tally]:
    """Count who is outside the 95 % limits, and who outside the 99.8 % limits."""
    positions = rows["position"]
    yield Tally(f"alarms_far_{what}", float((positions == "far_outside").sum()), len(rows), group)
    yield Tally(f"alarms_out_{what}", float(positions.isin(FLAGGED).sum()), len(rows), group)


def _sides(rows: pd.DataFrame, where: str) -> Iterator[Tally]:
    positions = rows["position"]
    for side, beyond in (("low", rows["z"] < 0), ("high", rows["z"] > 0)):
        yield Tally(
            "alarms_far_side", float((beyond & (positions == "far_outside")).sum()), len(rows), f"{where} {side}"
        )
        yield Tally("alarms_out_side", float((beyond & positions.isin(FLAGGED)).sum()), len(rows), f"{where} {side}")


def _small(trial: Trial) -> Iterator[Tally]:
    """Draw practices apart, and let each set be all that there is to compare with."""
    rng = trial.rng("small")
    for size, many in trial.settings.sets:
        for _ in range(many):
            counts, practices = apart(trial.counts, trial.practices, rng, size)
            rows = at(climb(counts, practices, _rungs(trial)).practices, HEADLINE, COMPARATORS[0])
            yield from counted(rows, str(size))
            yield from _sides(rows, str(size))


def apart(counts: Counts, practices: pd.DataFrame, rng: np.random.Generator, size: int) -> tuple[Counts, pd.DataFrame]:
    """Return a set of practices drawn at random from those that set the comparison, as if there were no others."""
    rows = np.sort(rng.choice(np.flatnonzero(counts.in_reference), size, replace=False))
    arrays = {name: value[rows] for name in counts.__slots__ if isinstance(value := getattr(counts, name), np.ndarray)}
    # They are no neighbours any more: each is from somewhere else.
    nowhere = np.full(size, "")
    return replace(counts, **{**arrays, "icb_code": nowhere, "pcn_key": nowhere}), practices.iloc[rows].reset_index(
        drop=True
    )


def _rungs(trial: Trial) -> dict[str, tuple[str, ...]]:
    return {"M0": (), HEADLINE: trial.rungs[HEADLINE]}
