"""What a practice with these patients would be expected to show: the one place where a model is fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import linalg
from statsmodels.tools.sm_exceptions import DomainWarning, PerfectSeparationWarning

from gpvar.errors import ConvergenceError, TableError
from gpvar.stats import funnel, multilevel

LEAVE_ONE_OUT_BELOW = 200
PRACTICE = "practice"
_MAX_STEPS = 100
_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Expected:
    """Point predictions on the link scale.

    Attributes
    ----------
    link
        x'β for every practice, float array; NaN where a covariate is missing.
    coefficients
        β, one per column of the design.
    n_parameters
        How many fitted columns make residuals smaller than true differences: the number of coefficients, or 1 where
        each practice's own prediction leaves it out.
    modelled
        Boolean array: the practices that the multilevel model was fitted on, in the order of its rows.
    model
        The multilevel model that gave the coefficients; None where a regression did.
    """

    link: np.ndarray
    coefficients: np.ndarray
    n_parameters: int
    modelled: np.ndarray
    model: multilevel.MultilevelFit | None = None


def link_of_observed(observed: np.ndarray, denominator: np.ndarray, kind: str) -> np.ndarray:
    """Return the judged quantity: logit((y+½)/(n+1)) for a proportion, log((y+½)/exposure) for a rate."""
    if kind == "proportion":
        return np.log((observed + 0.5) / (denominator - observed + 0.5))
    return np.log((observed + 0.5) / denominator)


def link_of(value: float, kind: str) -> float:
    """Return where a proportion or rate stands on the link scale."""
    return float(np.log(value / (1.0 - value))) if kind == "proportion" else float(np.log(value))


def inverse_link(link: np.ndarray | float, kind: str) -> np.ndarray:
    """Return the proportion or rate that stands at `link`."""
    link = np.asarray(link, dtype=float)
    return 1.0 / (1.0 + np.exp(-link)) if kind == "proportion" else np.exp(link)


def sampling_variance(link: np.ndarray, denominator: np.ndarray, kind: str) -> np.ndarray:
    """Return s², the sampling variance of the judged quantity at the fitted value `link`."""
    fitted = inverse_link(link, kind)
    return 1.0 / (denominator * fitted * (1.0 - fitted)) if kind == "proportion" else 1.0 / (denominator * fitted)


def fit_expected(
    observed: np.ndarray,
    denominator: np.ndarray,
    kind: str,
    matrix: np.ndarray,
    fitted: np.ndarray,
    places: Mapping[str, np.ndarray] | None = None,
    terms: Sequence[str] = (),
) -> Expected:
    """Fit the expectation on the practices in `fitted` and predict it for all.

    A plain generalised linear model weighs a practice by its number of events, as if two practices with the same
    patients had the same true value. They differ by a spread that at tens of thousands of appointments is nearly all
    there is, and neighbours differ less than others. With `places` the coefficients are those of a multilevel model;
    the effects of places are estimated beside them and are no part of the expectation. Without, or below 200
    practices, they come from a regression with weights 1/(s² + τ²), iterated (Berkey et al. 1995, Stat Med 14:395; for
    binomial counts Williams 1982, Applied Statistics 31:144).

    Parameters
    ----------
    observed, denominator
        Counts and trials (proportion) or exposure (rate), arrays of one value a practice.
    kind
        ``"proportion"`` or ``"rate"``.
    matrix
        Design, practices × terms, first column the intercept.
    fitted
        Boolean array: the practices to fit on. All must have complete rows.
    places
        Name of a level → each practice's place at it, large to small; an empty place is not known, and its practices
        are left out of the model where others have one. None: no multilevel model.
    terms
        Names of the columns of `matrix`.

    Returns
    -------
    Expected
        Below 200 fitted practices each fitted practice's own prediction leaves it out.

    Raises
    ------
    TableError
        When there are too few practices for the number of terms.
    ConvergenceError, StatsError
        When the model has no solution.
    """
    refuse_what_cannot_be_fitted(observed[fitted], denominator[fitted], kind, matrix.shape[1])
    modelled = modelled_of(places, fitted) if places is not None else fitted
    if places is None or modelled.sum() < LEAVE_ONE_OUT_BELOW:
        return _regression(observed, denominator, kind, matrix, fitted)
    design = pd.DataFrame(matrix[modelled], columns=list(terms) or None)
    model = fit_model(observed, denominator, kind, design, modelled, places)
    coefficients = model.fixed["estimate"].fillna(0.0).to_numpy()
    return Expected(matrix @ coefficients, coefficients, matrix.shape[1], modelled, model)


def fit_model(
    observed: np.ndarray,
    denominator: np.ndarray,
    kind: str,
    design: pd.DataFrame,
    used: np.ndarray,
    places: Mapping[str, np.ndarray],
) -> multilevel.MultilevelFit:
    """Fit practices in places to the practices in `used`, of which `design` has the rows."""
    levels = levels_of(places, used)
    y, n = observed[used], denominator[used]
    if kind == "proportion":
        return multilevel.fit_matrix(y, design, levels, family="binomial", trials=n)
    return multilevel.fit_matrix(y, design, levels, family="poisson", exposure=n)


def modelled_of(places: Mapping[str, np.ndarray], fitted: np.ndarray) -> np.ndarray:
    """Return the practices whose places are known; all, where nobody's are: the few without are no place of theirs."""
    known = np.all([place != "" for place in places.values()], axis=0) if places else fitted
    return fitted & known if (fitted & known).any() else fitted


def levels_of(places: Mapping[str, np.ndarray], used: np.ndarray) -> dict[str, np.ndarray]:
    """Return the levels that group these practices: none that is one place for all, or the level above again."""
    levels: dict[str, np.ndarray] = {}
    above, most = 1, int(used.sum())
    for name, place in places.items():
        units = len(np.unique(place[used]))
        if above < units < most:
            levels[name] = place[used]
            above = units
    return levels | {PRACTICE: np.flatnonzero(used)}


def _regression(
    observed: np.ndarray, denominator: np.ndarray, kind: str, matrix: np.ndarray, fitted: np.ndarray
) -> Expected:
    x, y, n = matrix[fitted], observed[fitted], denominator[fitted]
    judged = link_of_observed(y, n, kind)
    return regress(judged, lambda link: sampling_variance(link, n, kind), matrix, fitted, _first_guess(y, n, kind, x))


def regress(
    judged: np.ndarray,
    variance_at: Callable[[np.ndarray], np.ndarray],
    matrix: np.ndarray,
    fitted: np.ndarray,
    first: np.ndarray,
) -> Expected:
    """Regress the judged quantity with weights 1/(s² + τ²), iterated; see `fit_expected`.

    Parameters
    ----------
    judged
        What is judged, of the fitted practices.
    variance_at
        Their sampling variance at a fitted value on the scale of `judged`.
    matrix, fitted
        As for `fit_expected`.
    first
        Coefficients to begin with.

    Raises
    ------
    ConvergenceError
        When the weights do not settle.
    """
    x, coefficients = matrix[fitted], first
    for _ in range(_MAX_STEPS):
        weights = _weights(judged, x @ coefficients, variance_at, x.shape[1])
        updated = _weighted_least_squares(x, judged, weights)
        change = float(np.max(np.abs(updated - coefficients)))
        coefficients = updated
        if change < _TOLERANCE:
            break
    else:
        raise ConvergenceError(
            "The adjustment for patients did not settle on a solution.",
            f"the last step still moved a coefficient by {change:.2g}",
            "Use fewer covariates in [adjust], or a larger reference set; no figure was written.",
        )
    link = matrix @ coefficients
    n_parameters = matrix.shape[1]
    if fitted.sum() < LEAVE_ONE_OUT_BELOW and matrix.shape[1] > 1:
        link[fitted] = judged - (judged - link[fitted]) / (1.0 - _leverage(x, weights))
        n_parameters = 1
    return Expected(link, coefficients, n_parameters, fitted)


def refuse_what_cannot_be_fitted(y: np.ndarray, n: np.ndarray, kind: str, n_terms: int) -> None:
    """Raise a `TableError` where so few practices, or practices all alike, cannot set a comparison."""
    used, needed = len(y), n_terms + 3
    if used < needed:
        raise TableError(
            f"{used} {'practice' if used == 1 else 'practices'} with sound data cannot set a comparison; "
            f"it needs at least {needed}.",
            "the practices that are compared with",
            "Add practices to the file (all of England is best), see with 'check' what stopped the others, or allow "
            "for less in [adjust].",
        )
    if y.sum() == 0 or (kind == "proportion" and y.sum() == n.sum()):
        raise TableError(
            f"Every practice has the same figure: {'a count of nought' if y.sum() == 0 else 'the whole of it'}.",
            f"{used} practices",
            "Check that the metric's columns are the right ones.",
        )


def _first_guess(y: np.ndarray, n: np.ndarray, kind: str, x: np.ndarray) -> np.ndarray:
    if kind == "proportion":
        model = sm.GLM(np.column_stack([y, n - y]), x, family=sm.families.Binomial())
    else:
        model = sm.GLM(y, x, family=sm.families.Poisson(), offset=np.log(n))
    with warnings.catch_warnings():
        # A first guess only: separation shows in the weighted step, which is checked for convergence.
        warnings.simplefilter("ignore", (DomainWarning, PerfectSeparationWarning))
        return np.asarray(model.fit().params, dtype=float)


def _weights(
    judged: np.ndarray, link: np.ndarray, variance_at: Callable[[np.ndarray], np.ndarray], n_parameters: int
) -> np.ndarray:
    residual = judged - link
    variance = variance_at(link + np.median(residual))
    spread = funnel.shared_spread(residual, variance, n_parameters=n_parameters)
    return 1.0 / (variance + spread.tau2)


def _weighted_least_squares(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    root = np.sqrt(weights)
    return np.asarray(linalg.lstsq(x * root[:, None], y * root, lapack_driver="gelsy")[0])


def _leverage(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    q, _ = np.linalg.qr(x * np.sqrt(weights)[:, None])
    return np.minimum((q**2).sum(axis=1), 0.99)
