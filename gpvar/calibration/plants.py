"""How many practices that are out of the ordinary are found: planted ones, at several reliabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar.analysis.ladder import COMPARATORS, HEADLINE, climb
from gpvar.calibration.redraw import FLAGGED, at, known_of, movement_for, redraw
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpvar.calibration.trial import Trial

SIZE = 3.0
SHARE = 0.01
#: One a world, in turn.
RELIABILITIES = (0.9, 1.0, 0.8, 0.7)
#: From here on the bar is declared; below, what is found is printed.
BOUND = 0.9


def measure(trial: Trial) -> Iterator[Tally]:
    """Plant practices, and count how many are found.

    Parameters
    ----------
    trial
        The practices. One in a hundred gets three shared SDs on top of its own effect, half of them each way; passing
        movement is set so that the middling practice has the reliability whose turn it is.

    Yields
    ------
    Tally
        Of planted practices outside the 95 % limits on the side they were planted on.
    """
    reliability = RELIABILITIES[turn_of(trial.number) % len(RELIABILITIES)]
    known, rng = known_of(trial), trial.rng("plants")
    possible = np.flatnonzero(trial.counts.in_reference)
    planted = rng.choice(possible, max(int(SHARE * len(possible)), 2), replace=False)
    side = pd.Series(0.0, index=trial.counts.practice_code)
    side.iloc[planted] = np.where(np.arange(len(planted)) % 2, 1.0, -1.0)
    added = SIZE * known.shared * side.to_numpy()
    drawn = redraw(trial, known, rng, movement=movement_for(trial, known, reliability), added=added)
    placed = climb(drawn.counts, trial.practices, {"M0": (), HEADLINE: trial.rungs[HEADLINE]}).practices
    group = f"r {reliability:g}"
    for comparator in COMPARATORS:
        rows = at(placed, HEADLINE, comparator).set_index("practice_code")
        rows = rows[side.reindex(rows.index) != 0]
        towards = np.sign(rows["z"]) == side.reindex(rows.index)
        found = float((rows["position"].isin(FLAGGED) & towards).sum())
        if comparator != COMPARATORS[0]:
            yield Tally("plants_found_own_icb", found, len(rows), group)
            continue
        yield Tally("plants_found" if reliability >= BOUND else "plants_found_below", found, len(rows), group)
        far = float(((rows["position"] == "far_outside") & towards).sum())
        yield Tally("plants_far", far, len(rows), group)
