"""How often characteristics that have nothing to do with a figure seem to account for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from gpvar import catalogue
from gpvar.analysis.ladder import COMPARATORS, climb
from gpvar.calibration.alarms import apart
from gpvar.calibration.redraw import FLAGGED, known_of, redraw
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpvar.calibration.trial import Trial

#: How many columns are adjusted for, at least.
COLUMNS = 25
#: Every how many worlds of a metric.
EVERY = 2
SMALL, SETS = 150, 4
_RUNG = "M1"
_PREVALENCE, _SPREAD = 0.03, 0.35


def measure(trial: Trial) -> Iterator[Tally]:
    """Adjust figures that have nothing to do with patients for at least 25 columns of patients.

    Parameters
    ----------
    trial
        The practices and their characteristics. Real ones lie together in boards and networks, as these do; what is
        missing to 25 columns is made up.

    Yields
    ------
    Tally
        Of practices outside the 95 % limits before adjusting: how many are said to be explained, or partly explained.
        In England; and with the study's own characteristics in sets so small that a regression takes the model's place.
    """
    if turn_of(trial.number) % EVERY:
        return
    rng = trial.rng("noise")
    known = known_of(trial)
    counts = redraw(trial, replace(known, need=np.zeros_like(known.need)), rng).counts
    practices, covariates = with_noise(trial.practices, rng)
    placed = climb(counts, practices, {"M0": (), _RUNG: covariates}).practices
    for comparator in COMPARATORS:
        yield from _moved(placed, comparator, "", comparator)
    for _ in range(SETS):
        few, theirs = apart(counts, trial.practices, rng, SMALL)
        placed = climb(few, theirs, {"M0": (), _RUNG: trial.rungs[_RUNG]}).practices
        yield from _moved(placed, COMPARATORS[0], f"_{SMALL}", "")


def with_noise(practices: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the practices with registers made up until there are columns enough, and what to adjust for.

    Raises
    ------
    ValueError
        When the catalogue has too few characteristics; it is a fault of the trial.
    """
    held = {str(name).partition(".")[0] for name in practices}
    cards = [catalogue.covariate(name) for name in catalogue.covariates()]
    usable = [card.id for card in cards if card.cls in ("need", "context") and card.id in held]
    columns = sum(_columns(practices, name) for name in usable)
    spare = [card.id for card in cards if card.transform == "logit" and card.id not in held]
    if columns + len(spare) < COLUMNS:
        raise ValueError(f"{columns} columns and {len(spare)} to make up are fewer than {COLUMNS}")
    made = {
        name: special.expit(special.logit(_PREVALENCE) + _SPREAD * rng.standard_normal(len(practices)))
        for name in spare[: max(COLUMNS - columns, 0)]
    }
    return practices.assign(**made), (*usable, *made)


def _columns(practices: pd.DataFrame, covariate: str) -> int:
    """Return how many columns of the design a characteristic becomes, at least."""
    card = catalogue.covariate(covariate)
    if card.transform == "spline":
        return 3
    return sum(str(name).startswith(f"{covariate}.") for name in practices) if card.transform == "standardise" else 1


def _moved(placed: pd.DataFrame, comparator: str, suffix: str, group: str) -> Iterator[Tally]:
    rows = placed[placed["comparator"] == comparator]
    before = rows[rows["rung"] == "M0"].set_index("practice_code")["position"]
    after = rows[rows["rung"] == _RUNG].set_index("practice_code")["movement"]
    flagged = before.index[before.isin(FLAGGED)]
    said = after.reindex(flagged)
    yield Tally(f"noise_explained{suffix}", float((said == "explained").sum()), len(flagged), group)
    yield Tally(f"noise_partly{suffix}", float((said == "partly_explained").sum()), len(flagged), group)
