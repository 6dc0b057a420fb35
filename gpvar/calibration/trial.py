"""One simulated England on trial: drawn, written as a study's files, read, checked and analysed as any other study."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.analysis import analyse, observed, passing
from gpvar.results import Analysis, Run
from gpvar.simulate import world as draw_world
from gpvar.study import load_study
from gpvar.table import PracticeTable, build_table

if TYPE_CHECKING:
    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard
    from gpvar.simulate import World

#: One a world, in turn: those whose figure has a single truth in the simulated England.
METRICS = ("same_day_share", "dna_share", "face_to_face_share", "appointments_per_1000")
#: Templates of which every world holds planted sentences.
TEMPLATES: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What every world of a trial has in common.

    Attributes
    ----------
    practices, icbs
        How large an England.
    sets
        How many small sets are drawn apart in each world, by size.
    redraws
        How often a world's figures are drawn anew for the coverage of coefficients and spreads, beside its own.
    need, spread, months
        As `gpvar.simulate.world`: need that the declared model can hold, a normal spread, and all twelve months.
    """

    practices: int = 6200
    icbs: int = 42
    sets: tuple[tuple[int, int], ...] = ((150, 4), (50, 8))
    redraws: int = 4
    need: str = "declared"
    spread: str = "normal"
    months: int = 12

    def as_data(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return {**asdict(self), "sets": [list(item) for item in self.sets]}


@dataclass(frozen=True, slots=True)
class Trial:
    """What a measure gets: a world, its truth, and what the tool made of it.

    Attributes
    ----------
    number, seed
        Which world of the trial, from 1; the seed it was drawn with.
    settings
        What every world has in common.
    metric, card
        The metric analysed.
    world, truth
        The simulated England; what is true of the metric, indexed by practice_code in the order of the world.
    table, analysis, run
        What was observed, what was found, and both as a run that is stored nowhere.
    counts, practices
        The figures as they were judged, and the characteristics in the same order.
    rungs
        Rung name → covariate ids.
    seconds
        Processor seconds that each step took.
    """

    number: int
    seed: int
    settings: Settings
    metric: str
    card: MetricCard
    world: World
    truth: pd.DataFrame
    table: PracticeTable
    analysis: Analysis
    run: Run
    counts: Counts
    practices: pd.DataFrame
    rungs: dict[str, tuple[str, ...]]
    seconds: dict[str, float]

    def rng(self, name: str) -> np.random.Generator:
        """Return a stream of random numbers of a measure's own: what one draws moves no other."""
        return np.random.default_rng([self.seed, *name.encode("utf-8")])


def seed_of(seed: int, number: int) -> int:
    """Return the seed of one world of a trial; it does not depend on how many there are, or on their order."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def metric_of(number: int) -> str:
    """Return the metric of one world."""
    return METRICS[(number - 1) % len(METRICS)]


def turn_of(number: int) -> int:
    """Return how many worlds of the same metric came before: what takes turns among worlds takes them by this."""
    return (number - 1) // len(METRICS)


def trial_of(number: int, seed: int, settings: Settings | None = None) -> Trial:
    """Draw one world and analyse it.

    Parameters
    ----------
    number, seed
        Which world, from 1, of the trial with which seed.
    settings
        What every world has in common.

    Returns
    -------
    Trial
        Its files are gone: the run is held in memory only.
    """
    settings = settings or Settings()
    metric, own, clock = metric_of(number), seed_of(seed, number), _Clock()
    world = draw_world(
        own,
        settings.practices,
        settings.icbs,
        metric=metric,
        need=settings.need,
        spread=settings.spread,
        months=settings.months,
        templates=TEMPLATES,
    )
    clock.lap("world")
    with tempfile.TemporaryDirectory(prefix="gpvar-trial-", ignore_cleanup_errors=True) as scratch:
        study = load_study(world.write(Path(scratch)))
        table = build_table(study)
    clock.lap("table")
    analysis = analyse(table, metric)
    clock.lap("analysis")
    counts, practices, rungs = _judged(table, metric, analysis)
    meta = {"key": f"trial-{seed}-{number}", "simulated": True, "unanswered": {}}
    return Trial(
        number=number,
        seed=own,
        settings=settings,
        metric=metric,
        card=catalogue.metric(metric),
        world=world,
        truth=world.truth_of(metric),
        table=table,
        analysis=analysis,
        run=Run(study, table, {metric: analysis}, Path(scratch), meta),
        counts=counts,
        practices=practices,
        rungs=rungs,
        seconds=clock.seconds,
    )


def _judged(
    table: PracticeTable, metric: str, analysis: Analysis
) -> tuple[Counts, pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Return the figures as the analysis judged them, what it adjusted for, and the rungs it climbed."""
    outcomes = observed.outcomes_of(table, metric)
    counts = observed.ends(table, catalogue.metric(metric), outcomes)[0]
    practices = table.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    rungs = {rung: tuple(ids) for rung, ids in analysis.meta["covariates"].items()}
    return replace(counts, transient=passing.transient_of(analysis.passing)), practices, rungs


class _Clock:
    """Processor seconds since the last lap, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.process_time()

    def lap(self, name: str) -> None:
        now = time.process_time()
        self.seconds[name] = now - self._since
        self._since = now
