"""How much of the variation lies at each level: shares of variance, median ratios and R².

On the link scale the levels' variances are the model's own, and what a row adds is a convention of each family
(Nakagawa et al. 2017): π²/3 for a logit, log(1 + 1/μ) for a Poisson count, log(1 + 1/μ + 1/k) for a negative
binomial one. On the response scale nothing is a convention, but the shares depend on the counts, so these are stated.

References
----------
Goldstein, Browne & Rasbash 2002, Understanding Statistics 1:223; Browne et al. 2005, JRSS A 168:599; Larsen & Merlo
2005, Am J Epidemiol 161:81; Nakagawa & Schielzeth 2013, Methods Ecol Evol 4:133; Nakagawa, Johnson & Schielzeth 2017,
J R Soc Interface 14:20170213; Leckie, Browne, Goldstein, Merlo & Austin 2020, Psychol Methods 25:787.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, refuse, vector
from gpvar.stats.multilevel._guards import COUNTS
from gpvar.stats.multilevel._prediction import mean_share, normal_nodes
from gpvar.stats.multilevel._reading import OBSERVATION

if TYPE_CHECKING:
    from gpvar.stats.multilevel._estimate import Estimate

_UPPER_QUARTILE = float(special.ndtri(0.75))
_LOGIT_VARIANCE = float(np.pi**2 / 3.0)


@dataclass(frozen=True, slots=True)
class RSquared:
    """Share of the variance on the link scale that the fixed effects, and all effects together, account for.

    Attributes
    ----------
    marginal, conditional
        Of the fixed effects; of the fixed effects and the units' effects.
    fixed, groups, residual
        The three variances they are made of. The level "observation", one effect for each row, is over-dispersion:
        it is part of `residual`. The residual of a count depends on the mean count it is taken at.
    noise
        What the uncertainty of the coefficients alone adds to `fixed` on average: with many columns and few units
        `marginal` is above zero without any of them mattering.
    at
        The mean count; NaN where it plays no part.
    """

    marginal: float
    conditional: float
    fixed: float
    groups: float
    residual: float
    noise: float
    at: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([asdict(self)])


def r_squared(estimate: Estimate, at: float | None) -> RSquared:
    """Return Nakagawa and Schielzeth's R² on the link scale."""
    data = estimate.data
    size = _sizes(estimate, at)
    if len(size) != 1:
        raise StatsError("R² is for one mean count at a time.", f"at has {len(size)} values", "Pass one number.")
    design, p = data.design, len(estimate.beta)
    spread = np.cov(design, rowvar=False).reshape(p, p)
    fixed = float(estimate.beta @ spread @ estimate.beta)
    noise = float(np.sum(spread * estimate.covariance[:p, :p]))
    rows = _is_of_rows(estimate)
    groups = float(np.sum(estimate.sds[~rows] ** 2))
    residual = sum(_row_variances(estimate, size[0]).values()) + float(np.sum(estimate.sds[rows] ** 2))
    whole = fixed + groups + residual
    used = size[0] if data.family in COUNTS else np.nan
    return RSquared(fixed / whole, (fixed + groups) / whole, fixed, groups, residual, noise, float(used))


def _is_of_rows(estimate: Estimate) -> BoolArray:
    """Return for each level whether it is that of the rows; one with a name of its own is not, whatever its size."""
    data = estimate.data
    return np.array(
        [
            name == OBSERVATION and len(units) == data.n_given
            for name, units in zip(data.levels, data.units, strict=True)
        ]
    )


def median_ratio(estimate: Estimate, intervals: pd.DataFrame | None) -> pd.DataFrame:
    """Return the median odds or rate ratio of each level."""
    data = estimate.data
    if data.family == "gaussian":
        raise StatsError(
            "A median ratio compares odds or rates, and a Gaussian model has neither.",
            "family is 'gaussian'",
            "Report the SDs themselves (.variances, .intervals()): they are in the unit of the response.",
        )
    frame = pd.DataFrame({"group": list(data.levels), "sd": estimate.sds, "ratio": _ratio(estimate.sds)})
    if intervals is not None:
        found = intervals.set_index("group").loc[list(data.levels)]
        for end in ("lower", "upper"):
            frame[end] = _ratio(found[end].to_numpy(dtype=np.float64))
    return frame


def _ratio(sds: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.sqrt(2.0) * _UPPER_QUARTILE * sds), dtype=np.float64)


def vpc(estimate: Estimate, at: ArrayLike | None, probability: float | None) -> pd.DataFrame:
    """Return the share of the variance at each level, on the link scale and on that of the response."""
    family = estimate.data.family
    share = _probability(estimate, probability)
    frames = []
    for size in _sizes(estimate, at):
        latent = dict(zip(estimate.data.levels, estimate.sds**2, strict=True)) | _row_variances(estimate, size)
        response = np.array(list(latent.values()))
        frame = pd.DataFrame({"group": list(latent), "latent_variance": response})
        if family == "binomial":
            response = _binomial_parts(estimate.sds, size, share)
            frame.insert(0, "trials", size)
            frame.insert(1, "probability", share)
        elif family in COUNTS:
            response = _count_parts(estimate, size)
            frame.insert(0, "expected", size)
        frame["latent_share"] = frame["latent_variance"] / frame["latent_variance"].sum()
        frame["response_variance"] = response
        frame["response_share"] = response / response.sum()
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _row_variances(estimate: Estimate, size: float) -> dict[str, float]:
    """Return what a row itself adds to the variance on the link scale, by name."""
    family = estimate.data.family
    if family == "gaussian":
        return {"Residual": estimate.residual_sd**2}
    if family == "binomial":
        return {"chance": _LOGIT_VARIANCE}
    chance = float(np.log1p(1.0 / size))
    if family == "poisson":
        return {"chance": chance}
    # The two add up to log(1 + 1/μ + 1/k); the dispersion is what the family adds to a Poisson's.
    return {"dispersion": float(np.log1p(1.0 / size + 1.0 / estimate.dispersion)) - chance, "chance": chance}


def _count_parts(estimate: Estimate, mean: float) -> FloatArray:
    """Return the variance of a count with this mean, by level, then dispersion (negative binomial) and chance.

    With S the variances summed from the coarsest level down, the mean given the effects so far is log-normal with
    variance μ²(exp(S) − 1): each level adds the difference. A row's own variance is averaged over all effects:
    E[μ_u + μ_u²/k] = μ + μ² exp(S)/k.
    """
    sums = np.concatenate([[0.0], np.cumsum(estimate.sds**2)])
    levels = mean**2 * np.exp(sums[:-1]) * np.expm1(np.diff(sums))
    if estimate.data.family == "poisson":
        return np.append(levels, mean)
    return np.append(levels, [mean**2 * np.exp(sums[-1]) / estimate.dispersion, mean])


def _binomial_parts(sds: FloatArray, trials: float, probability: float) -> FloatArray:
    """Return the variance of a share of `trials`, by level from the coarsest, then chance.

    The mean given the effects so far is a function of their sum t; the variance of that mean over t, less that of the
    level above, is the level's own (law of total variance). Both averages are taken on the nodes of `normal_nodes`.
    """
    eta = _centre(probability, float(np.sqrt(np.sum(sds**2))))
    squares = [probability**2]
    for below in range(1, len(sds) + 1):
        above_sd, rest_sd = (float(np.sqrt(np.sum(part**2))) for part in (sds[:below], sds[below:]))
        nodes, weights = normal_nodes(above_sd)
        squares.append(float(weights @ mean_share(eta + above_sd * nodes, rest_sd) ** 2))
    levels = np.where(sds > 0, np.maximum(np.diff(np.array(squares)), 0.0), 0.0)
    # A share whose mean square is known: E[π(1 − π)] = E[π] − E[π²].
    return np.append(levels, (probability - squares[-1]) / trials)


def _centre(probability: float, sd: float) -> float:
    """Return the linear predictor at which shares average to `probability`."""
    # Averaging pulls shares towards a half, by a factor below 1 + sd² in logits.
    plain = float(special.logit(probability))
    far = plain * (1.0 + sd**2) + np.sign(plain) * sd
    if plain == 0.0 or sd == 0.0:
        return plain
    return float(
        optimize.brentq(lambda eta: float(mean_share(np.array([eta]), sd)[0]) - probability, plain, far, xtol=1e-13)
    )


def _probability(estimate: Estimate, probability: float | None) -> float:
    data = estimate.data
    if data.trials is None:
        if probability is not None:
            raise StatsError(
                "A probability is only asked for with a binomial model.",
                f"family is {data.family!r}",
                "Leave probability out; for counts state the expected count with at=.",
            )
        return float("nan")
    if probability is None:
        return float(data.response.sum() / data.trials.sum())
    if not 0.0 < probability < 1.0:
        raise StatsError(
            "probability must lie between 0 and 1.", f"probability is {probability!r}", "Use a share such as 0.4."
        )
    return float(probability)


def _sizes(estimate: Estimate, at: ArrayLike | None) -> FloatArray:
    """Return the numbers of trials, or the expected counts, that shares are stated at."""
    data = estimate.data
    if data.family == "gaussian":
        if at is not None:
            raise StatsError(
                "The shares of a Gaussian model do not depend on a count.", "at=", "Leave at out for this family."
            )
        return np.array([np.nan])
    if at is None:
        return np.array([float(np.mean(data.response if data.trials is None else data.trials))])
    sizes = vector(at, "at")
    if not len(sizes):
        raise StatsError(
            "There is nothing to state the shares at.", "at is empty", "Pass one number or several, or leave at out."
        )
    what = "A number of trials" if data.family == "binomial" else "An expected count"
    refuse(~(sizes > 0) | ~np.isfinite(sizes), f"{what} must be above zero.", "at", sizes, "State one that rows have.")
    return sizes
