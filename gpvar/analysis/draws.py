"""Joint draws from a stored run: the model of one rung fitted again from its table, and found to be the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.analysis import ladder, observed
from gpvar.analysis.expected import PRACTICE
from gpvar.errors import ConvergenceError, StudyError, TableError
from gpvar.stats.multilevel._reading import check_seed

if TYPE_CHECKING:
    from gpvar.analysis.observed import Counts
    from gpvar.results import Analysis, Run
    from gpvar.stats.multilevel import MultilevelFit

#: How far the log-likelihood fitted again may lie from the stored one; AIC charges a parameter ten thousand times that.
SAME = 1e-4
#: Most that the draws of effects may take in memory, in bytes.
MOST = 2_000_000_000
_NUMBER = 8


@dataclass(frozen=True, slots=True)
class ModelDraws:
    """Joint draws from one model; row i of every frame belongs to draw i.

    Attributes
    ----------
    metric, rung, seed
        What was drawn from, and with what; the generator's own seed is `stream_of` the seed and the metric.
    fixed
        Coefficients, a column per term of the design.
    sds
        Standard deviations, a column per level.
    effects
        Level → effects on the link scale, a column per unit: boards by code, networks by key, practices by code.
        Empty when they were not asked for.
    design
        The practices of the fit: practice_code, the board and network they are in, and a column per term; for draw i
        the linear predictor is ``design · fixed[i]`` plus the practice's effect at every level.
    loglik, stored_loglik
        Of the model as it was fitted again, and as the run has it.
    """

    metric: str
    rung: str
    seed: int
    fixed: pd.DataFrame
    sds: pd.DataFrame
    effects: dict[str, pd.DataFrame]
    design: pd.DataFrame
    loglik: float
    stored_loglik: float


@dataclass(frozen=True, slots=True)
class Refit:
    """A stored run's model, fitted again and found to be the same.

    Attributes
    ----------
    model
        The fit.
    units
        Level → names of its units, in the order of the model.
    design
        As in `ModelDraws`.
    """

    metric: str
    rung: str
    seed: int
    stored_loglik: float
    design: pd.DataFrame
    model: MultilevelFit = field(repr=False)
    units: dict[str, np.ndarray] = field(repr=False)

    @property
    def n_effects(self) -> int:
        """Number of units of all levels."""
        return sum(len(names) for names in self.units.values())

    def draw(self, n: int = 2000, seed: int | None = None, effects: bool = True) -> ModelDraws:
        """Return `n` joint draws; the study's seed when none is given, and no effects where they are not wanted.

        Raises
        ------
        StudyError
            When the effects would not fit into memory.
        """
        seed = self.seed if seed is None else seed
        most = MOST // (_NUMBER * self.n_effects)
        if effects and n > most:
            raise StudyError(
                f"{n:,} draws of {self.n_effects:,} effects take {n * self.n_effects * _NUMBER / 1e9:,.1f} GB of "
                f"memory, more than the {MOST / 1e9:,.0f} GB that are allowed.",
                f"{self.metric}, {self.rung}",
                f"Ask for at most {most:,}, or leave the effects out.",
            )
        drawn = self.model.simulate(n, stream_of(seed, self.metric), groups=None if effects else [])
        found = {level: frame.set_axis(self.units[level], axis=1) for level, frame in drawn.effects.items()}
        return ModelDraws(
            self.metric, self.rung, seed, drawn.fixed, drawn.sds, found, self.design, self.model.loglik,
            self.stored_loglik,
        )  # fmt: skip


def draws(
    run: Run, metric: str, rung: str = "M1", n: int = 2000, seed: int | None = None, effects: bool = True
) -> ModelDraws:
    """Return joint draws of coefficients, spreads and effects from the model of one rung of a run.

    Parameters
    ----------
    run
        What `gpvar.load_run` returned; the model is fitted again from its table, which takes less than a second.
    metric, rung
        Which model.
    n, seed
        How many, and what they are drawn with; the study's seed when None. The same seed gives the same draws, and
        draws of two metrics have no random numbers in common.
    effects
        Whether the effects of boards, networks and practices are wanted.

    Returns
    -------
    ModelDraws

    Raises
    ------
    StudyError
        When the run holds no such metric or rung, or the draws would not fit into memory.
    TableError
        When the rung rests on a regression, not on a multilevel model.
    ConvergenceError
        When the model fitted again is not the one that is stored.
    """
    return refit(run, metric, rung).draw(n, seed, effects)


def stream_of(seed: int, metric: str) -> int:
    """Return the seed of a metric's own generator: one seed for all would make draws of two metrics move together."""
    return int(np.random.SeedSequence([check_seed(seed), *metric.encode()]).generate_state(1, np.uint64)[0])


def refit(run: Run, metric: str, rung: str = "M1") -> Refit:
    """Return the model of one rung of a run, fitted again from the run's table."""
    analysis = _analysis(run, metric, rung)
    stored = _stored_loglik(analysis, rung)
    table = run.table
    outcomes = observed.outcomes_of(table, metric)
    practices = table.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    counts = observed.ends(table, catalogue.metric(metric), outcomes)[0]
    fitted = ladder.fit_rung(rung, analysis.meta["covariates"][rung], counts, practices)
    model = fitted.expected.model
    if model is None or abs(model.loglik - stored) > SAME:
        now = "no multilevel model was fitted" if model is None else f"it is {model.loglik:.4f}"
        raise ConvergenceError(
            "The model fitted again is not the one that is stored, so nothing was drawn.",
            f"{metric}, {rung}: the run's log-likelihood is {stored:.4f}, now {now}",
            "Run the study again with this version: python run.py run STUDY --refit",
        )
    used = fitted.expected.modelled
    units = {level: _units(level, model, counts, used) for level in model.groups}
    design = pd.DataFrame({"practice_code": counts.practice_code[used]})
    for level in (level for level in model.groups if level != PRACTICE):
        design[level] = units[level][model.estimate.data.codes[model.groups.index(level)]]
    terms = fitted.design.terms["term"].tolist()
    design[terms] = fitted.design.matrix[used]
    return Refit(metric, rung, int(run.study.seed), stored, design, model, units)


def _analysis(run: Run, metric: str, rung: str) -> Analysis:
    if metric not in run.analyses:
        reason = str(run.meta.get("unanswered", {}).get(metric, ""))
        raise StudyError(
            f"This run holds no analysis of '{metric}'.",
            reason or f"it holds {', '.join(run.analyses)}",
            "Name one of those, or add the metric to study.toml and run again.",
        )
    analysis = run.analyses[metric]
    if rung not in analysis.meta["rungs"]:
        raise StudyError(
            f"This run has no rung '{rung}' for '{metric}'.",
            f"its rungs are {', '.join(analysis.meta['rungs'])}",
            "Name one of those; what each allows for is under [adjust] in study.toml.",
        )
    return analysis


def _stored_loglik(analysis: Analysis, rung: str) -> float:
    rows = analysis.models[analysis.models["rung"] == rung]
    if rows.empty:
        raise TableError(
            f"There is no multilevel model at {rung} to draw from.",
            f"{analysis.meta['n_fitted']:,} practices set the comparison",
            "Below 200 practices, or where the model has no solution, a regression stands in for it: compare with all "
            "of England, or see the area's page for the reason.",
        )
    return float(rows["loglik"].iloc[0])


def _units(level: str, model: MultilevelFit, counts: Counts, used: np.ndarray) -> np.ndarray:
    """Return the names of a level's units as the run's tables have them, in the order of the model."""
    data = model.estimate.data
    place = model.groups.index(level)
    names = {"practice": counts.practice_code, "icb": counts.icb_code, "pcn": _networks(counts)}[level][used]
    found = np.asarray(data.units[place]).astype(object)
    found[data.codes[place]] = names
    return found


def _networks(counts: Counts) -> np.ndarray:
    none = np.char.add(counts.icb_code, ":none")
    return np.where(counts.pcn_key == "", none, counts.pcn_key)
