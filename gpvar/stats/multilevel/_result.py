"""What a fitted multilevel model says, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, check_choice, check_level
from gpvar.stats.multilevel import _diagnostics, _draws, _partition, _prediction, _profile, _summary
from gpvar.stats.multilevel._diagnostics import ModelCheck
from gpvar.stats.multilevel._draws import Draws
from gpvar.stats.multilevel._estimate import Estimate
from gpvar.stats.multilevel._partition import RSquared
from gpvar.stats.multilevel._reading import check_seed

_WALD = float(special.ndtri(0.975))


@dataclass(frozen=True, slots=True, eq=False)
class MultilevelFit:
    """A fitted multilevel model.

    Attributes
    ----------
    formula, family, groups
        As asked for; groups from coarse to fine. A fit from ready columns has no formula: it is empty.
    n_rows, n_units
        Rows that were used, and units of each level.
    fixed
        One row per column of the design, in order: estimate, se, lower, upper (95 % Wald), z, p. A column that is a
        combination of others, or that separates the outcomes, has a row of NaN and is named in `notes`.
    variances
        Per level: group, variance, sd, units; last the residual of a Gaussian model. An SD on the boundary is
        exactly 0.
    dispersion
        k of the negative binomial, whose variance is μ + μ²/k: infinite where the counts are no more than Poisson.
        NaN for other families.
    loglik, aic, bic
        Log-likelihood (with `reml`, the REML criterion / −2) and the criteria made of it. An SD on the boundary counts
        as a parameter, a column without an estimate does not; BIC counts rows.
    converged, notes
        A fit that does not converge raises instead; what a reader of the result must know.
    reml, n_quadrature
        As asked for.
    estimate
        The numbers behind all this, as arrays.
    """

    formula: str
    family: str
    groups: tuple[str, ...]
    n_rows: int
    n_units: dict[str, int]
    fixed: pd.DataFrame
    variances: pd.DataFrame
    dispersion: float
    loglik: float
    aic: float
    bic: float
    converged: bool
    notes: tuple[str, ...]
    reml: bool
    n_quadrature: int
    estimate: Estimate = field(repr=False)

    @classmethod
    def of(cls, estimate: Estimate, formula: str) -> MultilevelFit:
        """Return the result that an estimate makes."""
        data = estimate.data
        rows, parameters = len(data.response), _n_parameters(estimate)
        return cls(
            formula=formula,
            family=data.family,
            groups=data.levels,
            n_rows=rows,
            n_units={name: len(units) for name, units in zip(data.levels, data.units, strict=True)},
            fixed=_fixed(estimate),
            variances=_variances(estimate),
            dispersion=estimate.dispersion,
            loglik=estimate.loglik,
            aic=2.0 * parameters - 2.0 * estimate.loglik,
            bic=float(np.log(rows)) * parameters - 2.0 * estimate.loglik,
            converged=estimate.converged,
            notes=estimate.notes,
            reml=bool(estimate.reml),
            n_quadrature=estimate.n_quadrature,
            estimate=estimate,
        )

    @property
    def n_parameters(self) -> int:
        """Number of parameters: fixed effects with an estimate, SDs, and the residual SD or dispersion."""
        return _n_parameters(self.estimate)

    def intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return profile-likelihood intervals of the SDs.

        Returns
        -------
        DataFrame
            group, sd, lower, upper; last the residual SD of a Gaussian model, or the dispersion of a negative
            binomial one. `lower` is exactly 0 where the data do not rule out an SD of zero.
        """
        return _profile.profile_intervals(self.estimate, check_level(level))

    def likelihood_ratio(self) -> pd.DataFrame:
        """Test for each level whether its SD is zero.

        Returns
        -------
        DataFrame
            group, loglik_without (of the model without that level), statistic, p. An SD cannot be below zero, so the
            statistic is compared with an even mixture of 0 and χ² on one degree of freedom (Self & Liang 1987).
        """
        tests = [_profile.likelihood_ratio(self.estimate, level) for level in range(len(self.groups))]
        columns = ("group", "loglik_without", "statistic", "p")
        return pd.DataFrame([{name: getattr(test, name) for name in columns} for test in tests])

    def modes(self, group: str) -> pd.DataFrame:
        """Return the effect of each unit of a level on the link scale: the random intercepts, shrunken.

        Returns
        -------
        DataFrame
            One row per unit: `mode`; `sd_given_parameters`, its SD were the coefficients and SDs known (lme4's
            conditional SD); `sd_with_parameter_uncertainty`, which adds theirs (glmmTMB's); `rows` of the unit. A unit
            of which no row was used has a mode of 0.
        """
        level = self.groups.index(check_choice(group, self.groups, "group"))
        data, units = self.estimate.data, self.estimate.data.units[level]
        return pd.DataFrame(
            {
                "mode": self.estimate.effects[level],
                "sd_given_parameters": self.estimate.effect_sd_given_parameters[level],
                "sd_with_parameter_uncertainty": _draws.effect_sd_with_parameter_uncertainty(self.estimate)[level],
                "rows": np.bincount(data.codes[level], minlength=len(units)),
            },
            index=units.rename(group),
        )

    def vpc(self, at: ArrayLike | None = None, *, probability: float | None = None) -> pd.DataFrame:
        """Return which share of the variance lies at each level (variance partition coefficients).

        Parameters
        ----------
        at
            Counts that the shares are stated at: numbers of trials (binomial) or expected counts (Poisson, negative
            binomial). Left out: the mean number of trials, or the mean count, of a row.
        probability
            Binomial only: the mean share that the response-scale shares are stated at. Left out: that of the data.

        Returns
        -------
        DataFrame
            For each count one row per level, then "dispersion" (negative binomial), then "chance" ("Residual" for a
            Gaussian model): `latent_variance` and `latent_share` on the link scale, `response_variance` and
            `response_share` on that of the response (a share of trials, a count, a value), each share column summing
            to 1.

        Notes
        -----
        On the link scale a row adds π²/3 (binomial: of a single trial, whatever their number), log(1 + 1/μ) (Poisson)
        or log(1 + 1/μ + 1/k). On the response scale chance shrinks as counts grow, so that the other shares rise.
        """
        return _partition.vpc(self.estimate, at, probability)

    def median_ratio(self, *, intervals: bool = False, level: float = 0.95) -> pd.DataFrame:
        """Return the median odds ratio (binomial) or median rate ratio (counts) of each level.

        Take two like rows from two units of the level at random: the ratio of the higher to the lower odds (or rate)
        is below this in half of such pairs. Units of a level below the coarsest are taken from the same unit above.

        Parameters
        ----------
        intervals
            Add `lower` and `upper`, from the profile intervals of the SDs: these take a while on large data.

        Returns
        -------
        DataFrame
            group, sd, ratio = exp(√2 · sd · Φ⁻¹(0.75)).
        """
        return _partition.median_ratio(self.estimate, self.intervals(level) if intervals else None)

    def r_squared(self, at: float | None = None) -> RSquared:
        """Return marginal and conditional R² on the link scale (Nakagawa & Schielzeth 2013; Nakagawa et al. 2017).

        The level "observation" is over-dispersion, not something that units explain: its variance counts as residual
        (σ²_e of 2013). A level with a name of its own counts as explained, even where each of its units has one row.

        Parameters
        ----------
        at
            Counts only: the mean count at which a row's own variance is taken. Left out: the mean of the data. The
            exposure is part of that count, and is not counted as explained.
        """
        return _partition.r_squared(self.estimate, at)

    def simulate(self, n: int, seed: int, groups: Sequence[str] | None = None) -> Draws:
        """Return `n` joint draws of coefficients, SDs, dispersion and units' effects, with the uncertainty of all.

        Parameters
        ----------
        n, seed
            How many, and what they are drawn with: the same seed gives the same draws.
        groups
            Levels whose effects are wanted. Left out: all but "observation".
        """
        return _draws.draw(self.estimate, n, seed, groups)

    def predict(
        self,
        data: Any = None,
        marginal: bool = True,
        *,
        given: Sequence[str] | None = None,
        unknown: str = "refuse",
        scale: str = "response",
        offset: ArrayLike | None = None,
    ) -> FloatArray:
        """Return the expected response of each row: a share (binomial), a count with its exposure, or a value.

        Parameters
        ----------
        data
            New rows, with the columns that the formula, the exposure and the offset name (not the response); after a
            fit from arrays, the design itself. Left out: the rows of the fit, in the order given; those that were not
            used are NaN.
        marginal
            True: averaged over the random effects, the mean of all units with such rows. False: random effects that
            are not `given` are zero.
        given
            Levels whose units' own modes are used. Left out: none when marginal, else all.
        unknown
            What to do with units of a given level that the model was not fitted to: `refuse`, or `zero`, the effect
            of a unit in the middle. A unit in another parent than it was fitted in is always refused.
        scale
            `response`, or `link`: the linear predictor, over which averaging changes nothing.
        offset
            After a fit from arrays, for new rows: the logarithm of the exposure, plus any offset.

        Returns
        -------
        array
            One value per row; NaN where a row needs a column that has no estimate, infinite where the expected count
            is beyond the largest number (far outside the covariates that were fitted).

        Notes
        -----
        ========================================  =============================================================
        `predict()`                               mean over all units like this row's
        `predict(marginal=False)`                 this row's own units, at their modes
        `predict(marginal=False, given=[])`       the unit in the middle: random effects of zero (the median)
        `predict(given=["area"])`                 mean over the units within this row's own area
        ========================================  =============================================================

        The mean differs from the middle because the link bends: a log-normal mean is exp(variance/2) times the median.
        A level "observation" that new rows have no column for has no effect of their own: it is never given.
        """
        return _prediction.predict(
            self.estimate, data, marginal=marginal, given=given, unknown=unknown, scale=scale, offset=offset
        )

    def check(self, seed: int = 1) -> ModelCheck:
        """Look at residuals, influence of units, shape of the effects and counts, and say what to do.

        Parameters
        ----------
        seed
            Of the draws in the residuals.
        """
        return _diagnostics.check(self.estimate, check_seed(seed))

    def summary(self) -> str:
        """Return the result as text: the model, its fit, fixed effects, SDs, notes, and how it converged."""
        return _summary.text(self)

    def __str__(self) -> str:
        """Return the summary."""
        return self.summary()

    def __reduce__(self) -> Any:
        """Refuse to be pickled: patsy's part of a formula cannot be, and a fit without it could not predict."""
        raise StatsError(
            "A fit cannot be pickled, so that it cannot be sent to another process or kept in a file.",
            f"the fit of {self.formula or 'ready columns'}",
            "Fit it where it is used; to keep its numbers write .to_frame().to_csv(...) and .summary().",
        )

    def __copy__(self) -> MultilevelFit:
        """Return a fit that shares its tables with this one."""
        return replace(self)

    def __deepcopy__(self, memo: Any) -> MultilevelFit:
        """Return a fit that shares nothing that can change."""
        return replace(self, **{each.name: deepcopy(getattr(self, each.name), memo) for each in fields(self)})

    def to_frame(self) -> pd.DataFrame:
        """Return every number of the result on a row of its own: part, group, term, estimate, se, lower, upper.

        Parts are `fixed`, `sd` (with the residual of a Gaussian model), `dispersion`, `units` and `fit`. The standard
        error of an SD is from the curvature of the likelihood on the log scale; its interval is not symmetric, and
        `intervals()` works it out.
        """
        return _summary.frame(self)


def _n_parameters(estimate: Estimate) -> int:
    return len(estimate.beta) + len(estimate.sds) + (estimate.data.family in ("gaussian", "negative_binomial"))


def _fixed(estimate: Estimate) -> pd.DataFrame:
    data, p = estimate.data, len(estimate.beta)
    values, errors = (np.full(len(data.columns), np.nan) for _ in range(2))
    values[data.kept] = estimate.beta
    errors[data.kept] = np.sqrt(np.diag(estimate.covariance)[:p])
    z = values / errors
    return pd.DataFrame(
        {
            "estimate": values,
            "se": errors,
            "lower": values - _WALD * errors,
            "upper": values + _WALD * errors,
            "z": z,
            "p": 2.0 * special.ndtr(-np.abs(z)),
        },
        index=pd.Index(data.columns, name="term", dtype="str"),
    )


def _variances(estimate: Estimate) -> pd.DataFrame:
    data = estimate.data
    groups, sds, units = list(data.levels), list(estimate.sds), [len(each) for each in data.units]
    if data.family == "gaussian":
        groups, sds, units = [*groups, "Residual"], [*sds, estimate.residual_sd], [*units, len(data.response)]
    return pd.DataFrame({"group": groups, "variance": np.square(sds), "sd": sds, "units": units})
