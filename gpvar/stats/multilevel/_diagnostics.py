"""Whether a fitted multilevel model can be believed: residuals, influence of units, shape of the effects, counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats

from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._advice import advise
from gpvar.stats.multilevel._guards import SMALL_COUNT
from gpvar.stats.multilevel._influence import influence, most_influential, without_random
from gpvar.stats.multilevel._reading import OBSERVATION, rarer_events
from gpvar.stats.multilevel._residuals import chance_of_zero, drawn_effects, quantile_residuals
from gpvar.stats.multilevel._summary import records
from gpvar.stats.multilevel._tree import Pivots, eliminate

if TYPE_CHECKING:
    from gpvar.stats.multilevel._estimate import Estimate

#: Fewest units of a level from which the shape of its effects is read.
FEWEST_UNITS = 20
# Units that tell less than this share of the spread have modes that are nearly zero whatever their effect is.
_LEAST_RELIABLE = 0.05


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What was looked at, what was found, and what to do next.

    Attributes
    ----------
    advice
        Plain sentences: first what calls for action, then what is well, then what could not be checked.
    concerns
        How many of them, from the first, call for action.
    dispersion, dispersion_df, dispersion_p
        Pearson's sum of squares at the modes over its degrees of freedom (the rows less what fixed effects and modes
        have taken up: it is 1 on average when the family holds, a little less where counts are small), those degrees
        of freedom, and a two-sided p (a χ² scaled for the number of events in a row). NaN where it shows nothing:
        single trials, no degrees of freedom left, and a Gaussian model, whose residual SD is itself estimated.
    residuals
        Randomised quantile residual of every row given, in its order; standard normal when the model holds. NaN for
        rows that were left out.
    outside
        Rows whose residual lies beyond ±2 and ±3: `share`, and `expected` of a normal distribution with its
        standard error `se`.
    zeros
        Counts of zero, `observed` and `expected` with its standard error; no rows for the other families.
    influence
        Per unit of the coarsest level: `rows`, `largest` change of a coefficient when the unit is left out, in its
        standard errors, the `column` that it belongs to, and `cook`, the joint change. One Newton step at fixed SDs:
        an approximation, to be confirmed by a fit without the unit.
    changes
        The same for every coefficient.
    shape
        Per level: the `units` used, their mean `reliability` (1: the mode is the effect; 0: it says nothing), skewness
        and excess kurtosis of the modes, each divided by the SD it should have, with the standard errors and the p
        (D'Agostino's test) for normal effects, and the units `lowest` and `highest`. NaN below 20 units. Modes are
        shrunken: the less reliable, the more normal they look. The modes of units with few events are lopsided even
        where the effects are normal, and `advice` then draws nothing from them.
    counts
        Per level: mean number of events (of the rarer outcome) in a unit, and `below_5`, the share of units with
        fewer than 5; no rows for a Gaussian model.
    """

    advice: tuple[str, ...]
    concerns: int
    dispersion: float
    dispersion_df: float
    dispersion_p: float
    residuals: FloatArray
    outside: pd.DataFrame
    zeros: pd.DataFrame
    influence: pd.DataFrame
    changes: pd.DataFrame
    shape: pd.DataFrame
    counts: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return every figure on a row of its own: check, item, statistic, value, expected, se.

        The influence of units is there as its largest; the whole of it is in `influence` and `changes`.
        """
        nan = float("nan")
        rows: list[tuple[Any, ...]] = [
            ("residuals", "", "dispersion", self.dispersion, 1.0, nan),
            ("residuals", "", "dispersion_df", self.dispersion_df, nan, nan),
            ("residuals", "", "dispersion_p", self.dispersion_p, nan, nan),
        ]
        for row in records(self.outside):
            rows.append(("residuals", "", f"outside_{row['limit']:g}", row["share"], row["expected"], row["se"]))
        for row in records(self.zeros):
            rows.append(("residuals", "", "zeros", row["observed"], row["expected"], row["se"]))
        most = most_influential(self.influence)
        if most is not None:
            unit, column, change = most
            rows.append(("influence", unit, f"largest change: {column}", change, nan, nan))
        for row in records(self.shape):
            for name in ("skewness", "kurtosis"):
                rows.append(("shape", row["group"], name, row[name], 0.0, row[f"{name}_se"]))
        for row in records(self.counts):
            for name in ("mean", "below_5"):
                rows.append(("counts", row["group"], name, row[name], nan, nan))
        return pd.DataFrame(rows, columns=["check", "item", "statistic", "value", "expected", "se"])

    def __str__(self) -> str:
        """Return the advice, one sentence to a line."""
        heading = "Nothing calls for action." if not self.concerns else "Before these results are used:"
        marks = ["! "] * self.concerns + ["- "] * (len(self.advice) - self.concerns)
        return "\n".join([heading, *(mark + line for mark, line in zip(marks, self.advice, strict=True))])


def check(estimate: Estimate, seed: int) -> ModelCheck:
    """Look at residuals, influence, shape and counts of a fitted model."""
    data = estimate.data
    rng = np.random.default_rng(seed)
    tree = estimate.problem.tree
    weights = estimate.weights[tree.order]
    pivots = eliminate(tree, estimate.sds[::-1], tree.sum_up(0, weights))
    design = data.design[tree.order]
    within = without_random(pivots, design, weights)
    drawn = np.empty(len(weights))
    drawn[tree.order] = drawn_effects(pivots, rng)
    eta = estimate.linear_predictor + drawn
    used = quantile_residuals(estimate, eta, rng)
    residuals = np.full(data.n_given, np.nan)
    residuals[data.rows] = used
    dispersion, df, p = _dispersion(estimate, _taken_up(pivots, design, within, weights))
    units, changes = influence(estimate, pivots, design, within)
    found = ModelCheck(
        advice=(),
        concerns=0,
        dispersion=dispersion,
        dispersion_df=df,
        dispersion_p=p,
        residuals=residuals,
        outside=_outside(used),
        zeros=_zeros(estimate, eta),
        influence=units,
        changes=changes,
        shape=_shape(estimate),
        counts=_counts(estimate),
    )
    concerns, well, unchecked = advise(found, estimate)
    return replace(found, advice=(*concerns, *well, *unchecked), concerns=len(concerns))


def _taken_up(pivots: Pivots, design: FloatArray, within: FloatArray, weights: FloatArray) -> float:
    """Return the degrees of freedom of fixed effects and modes: the trace of the hat matrix."""
    modes = float(weights @ pivots.tree.hand_down(0, pivots.variances()[0]))
    information = design.T @ within
    return modes + float(np.trace(np.linalg.solve(information, within.T @ (within / weights[:, None]))))


def _dispersion(estimate: Estimate, taken_up: float) -> tuple[float, float, float]:
    data = estimate.data
    df = len(data.response) - taken_up
    single = data.trials is not None and bool((data.trials == 1.0).all())
    if data.family == "gaussian" or single or df < 1.0:
        return float("nan"), df, float("nan")
    # The expected information, not the observed one, which follows a negative binomial count.
    heavier = 1.0 / estimate.dispersion if data.family == "negative_binomial" else 0.0
    mean = np.exp(estimate.linear_predictor)
    variance = estimate.weights if data.trials is not None else mean * (1.0 + mean * heavier)
    score = estimate.score * (1.0 + mean * heavier)
    total = float(np.sum(score**2 / variance))
    kurtosis = 6.0 * heavier + 1.0 / variance
    if data.trials is not None:
        kurtosis -= 6.0 / data.trials
    # A χ² with the mean and the variance of the sum: few events make each square more, or less, variable.
    scale = float(np.mean(2.0 + kurtosis)) / 2.0
    ends = stats.chi2.cdf(total / scale, df / scale), stats.chi2.sf(total / scale, df / scale)
    return total / df, df, float(min(1.0, 2.0 * min(ends)))


def _outside(residuals: FloatArray) -> pd.DataFrame:
    limit = np.array([2.0, 3.0])
    expected = 2.0 * special.ndtr(-limit)
    return pd.DataFrame(
        {
            "limit": limit,
            "share": [float(np.mean(np.abs(residuals) > each)) for each in limit],
            "expected": expected,
            "se": np.sqrt(expected * (1.0 - expected) / len(residuals)),
        }
    )


def _zeros(estimate: Estimate, eta: FloatArray) -> pd.DataFrame:
    data = estimate.data
    if data.family in ("binomial", "gaussian"):
        return pd.DataFrame({"observed": [], "expected": [], "se": []}, dtype=np.float64)
    chance = chance_of_zero(estimate, eta)
    spread = float(np.sqrt(np.sum(chance * (1.0 - chance))))
    observed = float(np.sum(data.response == 0.0))
    return pd.DataFrame({"observed": [observed], "expected": [float(chance.sum())], "se": [spread]})


def _shape(estimate: Estimate) -> pd.DataFrame:
    rows = []
    for name, units, sd, modes, left in zip(
        estimate.data.levels,
        estimate.data.units,
        estimate.sds,
        estimate.effects,
        estimate.effect_sd_given_parameters,
        strict=True,
    ):
        if sd == 0.0:
            continue
        # A mode's own variance is what the data have taken off the spread: s² less the variance that is left.
        taken = 1.0 - (left / sd) ** 2
        known = taken > _LEAST_RELIABLE
        standard = modes[known] / (sd * np.sqrt(taken[known]))
        rows.append((name, *_moments(standard, units[known]), float(taken[taken > 0].mean())))
    moments = ["skewness", "skewness_se", "skewness_p", "kurtosis", "kurtosis_se", "kurtosis_p"]
    return pd.DataFrame(rows, columns=["group", "units", *moments, "lowest", "highest", "reliability"])


def _moments(standard: FloatArray, labels: pd.Index[Any]) -> tuple[Any, ...]:
    m = len(standard)
    if m < FEWEST_UNITS:
        return m, *[float("nan")] * 6, "", ""
    skewness_se = float(np.sqrt(6.0 * m * (m - 1.0) / ((m - 2.0) * (m + 1.0) * (m + 3.0))))
    kurtosis_se = 2.0 * skewness_se * float(np.sqrt((m**2 - 1.0) / ((m - 3.0) * (m + 5.0))))
    return (
        m,
        float(stats.skew(standard, bias=False)),
        skewness_se,
        float(stats.skewtest(standard).pvalue),
        float(stats.kurtosis(standard, bias=False)),
        kurtosis_se,
        float(stats.kurtosistest(standard).pvalue),
        str(labels[int(standard.argmin())]),
        str(labels[int(standard.argmax())]),
    )


def _counts(estimate: Estimate) -> pd.DataFrame:
    data, rows = estimate.data, []
    for name, code in zip(data.levels, data.codes, strict=True):
        if data.family == "gaussian" or name == OBSERVATION:
            continue
        events = rarer_events(code, data.response, data.trials)
        rows.append((name, float(events.mean()), float(np.mean(events < SMALL_COUNT))))
    return pd.DataFrame(rows, columns=["group", "mean", "below_5"])
