"""What lasts of practices' figures, as joint draws from the model of one rung."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gpvar import catalogue
from gpvar.analysis import passing
from gpvar.analysis.draws import refit
from gpvar.analysis.expected import PRACTICE
from gpvar.stats import shrinkage

if TYPE_CHECKING:
    from gpvar.results import Run
    from gpvar.stats.multilevel import Draws, MultilevelFit

#: Joint draws behind intervals and ranks.
DRAWS = 2000
_CHUNK = 256


@dataclass(frozen=True)
class Lasting:
    """Joint draws of practices' figures on the link scale; row i of every array belongs to draw i.

    Attributes
    ----------
    practice_code
        The practices that the model was fitted on, in the order of the columns.
    apart
        (draws, practices) lasting distance from what the rung expects of the practice: the effects of board, network
        and practice, passing movement taken off where it is known.
    passed
        (draws, practices) passing movement of the study's period; None where it is not known, and then a part of
        `apart`.
    kind
        ``"proportion"`` or ``"rate"``.
    coefficients, design
        What the rung expects: β, (draws, terms), and the columns it belongs to, (practices, terms).
    """

    practice_code: np.ndarray
    apart: np.ndarray
    passed: np.ndarray | None
    kind: str
    coefficients: np.ndarray = field(repr=False)
    design: np.ndarray = field(repr=False)

    @cached_property
    def raw(self) -> np.ndarray:
        """(draws, practices) lasting raw figure: what the rung expects, and the lasting distance from it."""
        found = self.apart.copy()
        add_expected(found, self.coefficients, self.design)
        return found

    @property
    def period(self) -> np.ndarray:
        """(draws, practices) figure of the study's own period, its passing movement in it."""
        return self.raw if self.passed is None else self.raw + self.passed

    @cached_property
    def column(self) -> dict[str, int]:
        """Practice code → column."""
        return {str(code): place for place, code in enumerate(self.practice_code)}

    def own_period(self, code: str) -> np.ndarray:
        """Return one practice's column of `period`."""
        at = self.column[code]
        own = self.apart[:, at] + self.coefficients @ self.design[at]
        return np.asarray(own if self.passed is None else own + self.passed[:, at], dtype=float)


def lasting(run: Run, metric: str, rung: str = "M1", *, with_passed: bool = True) -> Lasting:
    """Return joint draws of what lasts of every practice's figure, from the model of one rung of a run.

    Parameters
    ----------
    run
        What `gpvar.run` or `gpvar.load_run` returned; the model is fitted again from its table.
    metric, rung
        Which model.
    with_passed
        Whether passing movement is wanted beside it; it takes as much memory again.

    Returns
    -------
    Lasting
        With the study's seed: ranks by the headline's draws are those of the run's table of effects.

    Raises
    ------
    StudyError, TableError, ConvergenceError
        As `gpvar.analysis.draws.refit`.
    """
    again = refit(run, metric, rung)
    transient = passing.transient_of(run.analyses[metric].passing)
    drawn = again.model.simulate(DRAWS, run.study.seed)
    data = again.model.estimate.data
    beta = drawn.fixed.to_numpy()[:, data.kept]
    codes = again.design["practice_code"].to_numpy(str)
    apart, passed = lasting_effects(again.model, drawn, transient, run.study.seed, with_passed=with_passed)
    return Lasting(codes, apart, passed, catalogue.metric(metric).kind, beta, data.design)


def lasting_effects(
    model: MultilevelFit, drawn: Draws, transient: float, seed: int, *, with_passed: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return draws of each fitted practice's whole lasting effect, (draws, practices), and of what passes.

    Parameters
    ----------
    model, drawn
        The fit and its joint draws; the practices' effects are taken out of the draws, to hold them no longer than
        needed: they are 100 MB for England.
    transient
        Variance of passing movement over the period; NaN where it is not known, and then nothing is taken off.
    seed
        Of the draws.
    with_passed
        Whether what passes is wanted; else None.
    """
    codes = dict(zip(model.groups, model.estimate.data.codes, strict=True))
    drawn_own = drawn.effects.pop(PRACTICE).to_numpy()
    # Seven digits are more than 2,000 draws tell, in half the memory and time.
    own = np.empty((len(drawn_own), len(codes[PRACTICE])), dtype=np.float32)
    for start in range(0, len(own), _CHUNK):
        own[start : start + _CHUNK] = drawn_own[start : start + _CHUNK, codes[PRACTICE]]
    del drawn_own
    passed = None
    if np.isfinite(transient):
        whole = own.copy() if with_passed else None
        # A stream of its own: the seed's first numbers are in the effects already.
        own = shrinkage.lasting(own, drawn.sds[PRACTICE].to_numpy() ** 2, transient, seed + 1, overwrite=True)
        passed = None if whole is None else np.subtract(whole, own, out=whole)
    for level, effects in drawn.effects.items():
        shared = effects.to_numpy()
        for start in range(0, len(own), _CHUNK):
            own[start : start + _CHUNK] += shared[start : start + _CHUNK, codes[level]]
    return own, passed


def add_expected(effects: np.ndarray, coefficients: np.ndarray, design: np.ndarray) -> None:
    """Add what each draw's coefficients expect of each practice to its effects."""
    for start in range(0, len(effects), _CHUNK):
        effects[start : start + _CHUNK] += coefficients[start : start + _CHUNK] @ design.T
