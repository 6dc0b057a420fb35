"""How often practices are in the lowest or highest tenth, by the odds of it that were said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpvar.analysis.ladder import HEADLINE
from gpvar.analysis.lasting import lasting
from gpvar.calibration.coverage import apart_of
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of
from gpvar.claims.odds import TENTH
from gpvar.stats import ranks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from gpvar.calibration.trial import Trial

#: Every how many worlds of a metric odds are counted.
EVERY = 2


def measure(trial: Trial) -> Iterator[Tally]:
    """Count the odds of either tenth for every practice whose place the tool would speak of.

    Nobody is picked, so that no tenth of the odds hangs on a few statements as it does for the sentences of letters.

    Parameters
    ----------
    trial
        A world; every second of a metric is counted, those of which no sentence is checked.

    Yields
    ------
    Tally
        By tenth of the odds that were said, of the raw figure and after allowing for patients: how often true, what
        was said, and the difference.
    """
    if turn_of(trial.number) % EVERY != 1:
        return
    yield from of_everyone(trial)


def of_everyone(trial: Trial) -> Iterator[Tally]:
    """Count the odds of every practice of a world."""
    drawn = lasting(trial.run, trial.metric, HEADLINE, with_passed=False)
    effects = trial.analysis.effects
    ranked = effects[effects["rung"] == HEADLINE].set_index("practice_code")["rank_lower"].reindex(drawn.practice_code)
    spoken_of = np.isfinite(ranked.to_numpy())
    link = trial.truth["link"].reindex(drawn.practice_code).to_numpy()
    truths = {"place_raw": (drawn.raw, link), "place_adjusted": (drawn.apart, apart_of(trial, ranked.index))}
    for name, (values, true) in truths.items():
        chances = ranks.from_draws(values, tail=TENTH)[["p_bottom", "p_top"]].to_numpy()
        # Two draws at least are asked for: both are the truth.
        holds = ranks.from_draws(np.vstack([true, true]), tail=TENTH)[["p_bottom", "p_top"]].to_numpy()
        yield from by_tenth("odds", name, chances[spoken_of].ravel(), holds[spoken_of].ravel())


def by_tenth(rows: str, of: str, said: np.ndarray | pd.Series, holds: np.ndarray | pd.Series) -> Iterator[Tally]:
    """Yield what was said, how often true and the difference, for the rows and the group of each tenth of the odds."""
    said, holds = np.asarray(said, dtype=float), np.asarray(holds, dtype=float)
    tenth = np.minimum((10.0 * said).astype(int), 9)
    for at in np.unique(tenth):
        here, group = tenth == at, f"{of} {at / 10:.1f}-{(at + 1) / 10:.1f}"
        sums, many = (float(holds[here].sum()), float(said[here].sum())), float(here.sum())
        yield Tally(f"{rows}_true", sums[0], many, group)
        yield Tally(f"{rows}_said", sums[1], many, group)
        yield Tally(f"{rows}_off", sums[1] - sums[0], many, group)
