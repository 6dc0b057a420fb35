"""How many 95 % intervals hold what is true: of coefficients, spreads, lasting values and ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats as distributions

from gpvar import design
from gpvar.analysis.expected import inverse_link
from gpvar.analysis.ladder import HEADLINE, fit_rung
from gpvar.calibration.redraw import LEVELS, Known, known_of, redraw
from gpvar.calibration.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpvar.calibration.trial import Trial
    from gpvar.stats.multilevel import MultilevelFit

_RAW, _TOP = "M0", "M2"
_INTERCEPT = "intercept"


def measure(trial: Trial) -> Iterator[Tally]:
    """Count the intervals that hold the truth.

    Parameters
    ----------
    trial
        A world whose need the declared model can hold, so that its coefficients have true values.

    Yields
    ------
    Tally
        Coefficients and spreads at the top rung, which has the whole of the declared design: the world's own and
        those of figures drawn anew. Lasting values and ranks of the world's own practices, at the raw rung and at the
        headline.
    """
    known = known_of(trial)
    matrix, terms, fitted = _design(trial, _TOP)
    true = pd.Series(_projected(matrix[fitted], (known.need + known.centre)[fitted]), index=terms)
    found = trial.analysis.coefficients
    found = found[found["rung"] == _TOP].set_index("term")
    # The boards of a world have a mean of nought, so that its own intercept is known better than it would be.
    yield _held_beta(found.drop(index=_INTERCEPT), true)
    levels = trial.analysis.levels
    yield from _held_sds(levels[levels["rung"] == _TOP].set_index("level"), known, known.movement)
    rng = trial.rng("coverage")
    for _ in range(trial.settings.redraws):
        model = fit_rung(_TOP, trial.rungs[_TOP], redraw(trial, known, rng).counts, trial.practices).expected.model
        yield Tally("coverage_unsolved", float(model is None), 1)
        if model is not None:
            yield _held_beta(model.fixed, true)
            yield from _held_sds(_intervals(model), known, known.movement)
    yield from _lasting(trial)


def _design(trial: Trial, rung: str) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return a rung's design, its terms, and who was fitted."""
    used = trial.counts.in_reference & trial.counts.usable
    made = design.build(trial.practices, trial.rungs[rung], used)
    return made.matrix, made.terms["term"].tolist(), used & made.complete


def _projected(matrix: np.ndarray, link: np.ndarray) -> np.ndarray:
    """Return the coefficients that come nearest to what need adds; exactly it, where the design can hold it."""
    return np.asarray(np.linalg.lstsq(matrix, link, rcond=None)[0])


def _held_beta(found: pd.DataFrame, true: pd.Series) -> Tally:
    known = found.dropna(subset=["lower", "upper"])
    truth = true.loc[known.index]
    return Tally("coverage_beta", float(((known["lower"] <= truth) & (truth <= known["upper"])).sum()), len(known))


def _intervals(model: MultilevelFit) -> pd.DataFrame:
    return model.intervals().set_index("group")


def _held_sds(found: pd.DataFrame, known: Known, movement: float) -> Iterator[Tally]:
    """Count the spreads: that of practices holds what passes in the period, which no model of one period can tell."""
    for level in LEVELS:
        true = np.hypot(known.sds[level], np.sqrt(movement)) if level == "practice" else known.sds[level]
        row = found.loc[level]
        yield Tally(f"coverage_{level}_sd", float(row["lower"] <= true <= row["upper"]), 1)


def _lasting(trial: Trial) -> Iterator[Tally]:
    """Count lasting values and ranks, averaged over the practices that have an interval."""
    effects = trial.analysis.effects
    link = trial.truth["link"]
    for rung in (_RAW, HEADLINE):
        rows = effects[effects["rung"] == rung].set_index("practice_code")
        true = link.reindex(rows.index).to_numpy() if rung == _RAW else apart_of(trial, rows.index)
        if rung == _RAW:
            low, high = rows["shrunken_lower"].to_numpy(), rows["shrunken_upper"].to_numpy()
            value = inverse_link(true, trial.card.kind)
        else:
            low, high, value = rows["effect_lower"].to_numpy(), rows["effect_upper"].to_numpy(), true
        known = np.isfinite(low)
        yield Tally("coverage_values", float(((low <= value) & (value <= high))[known].sum()), int(known.sum()), rung)
        ranks = distributions.rankdata(true)
        stated = np.isfinite(rows["rank_lower"].to_numpy())
        held = (rows["rank_lower"].to_numpy() <= ranks) & (ranks <= rows["rank_upper"].to_numpy())
        yield Tally("coverage_ranks", float(held[stated].sum()), int(stated.sum()), rung)


def apart_of(trial: Trial, codes: pd.Index) -> np.ndarray:
    """Return how far practices truly lie from what is expected of them at the headline, about their middle."""
    matrix, _, fitted = _design(trial, HEADLINE)
    truth = trial.truth.reindex(trial.counts.practice_code)
    expected = matrix @ _projected(matrix[fitted], truth["need"].to_numpy()[fitted])
    apart = pd.Series(truth["link"].to_numpy() - expected, index=trial.counts.practice_code)
    return (apart - apart[fitted].mean()).reindex(codes).to_numpy()
