"""What each way of making the analysis expects of practices, and where it places them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import design
from gpvar.analysis.expected import (
    LEAVE_ONE_OUT_BELOW,
    PRACTICE,
    Expected,
    fit_expected,
    levels_of,
    modelled_of,
    refuse_what_cannot_be_fitted,
    regress,
)
from gpvar.analysis.judge import centred
from gpvar.analysis.ladder import places_of
from gpvar.analysis.position import USUAL
from gpvar.catalogue import multiverse as declared
from gpvar.multiverse.figures import Scale, figures_of, passing_of, scale_of
from gpvar.multiverse.options import index_of, other_index
from gpvar.stats import multilevel, placement

if TYPE_CHECKING:
    from gpvar.analysis.observed import Counts
    from gpvar.multiverse.setting import Setting

#: The choices that decide a fit; the others come after it, and share it.
_OF_A_FIT = ("covariates", "deprivation", "denominator", "exclusion", "link", "period", "slopes", "model")
_OF_THE_FIGURES = ("denominator", "exclusion", "period")
_TRANSFORMS = {"line": "standardise", "fifths": design.FIFTHS}


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is expected of every practice, on the scale of one link.

    Attributes
    ----------
    counts, scale
        The figures, and the scale they are judged on.
    made
        The design matrix with its constants.
    expected
        The expectation; its coefficients are those of the columns of `made`.
    """

    counts: Counts
    scale: Scale
    made: design.Design
    expected: Expected


@dataclass(frozen=True, slots=True)
class Placed:
    """Every practice beside one comparator, in the metric's unit and in the order of the setting's practices.

    Attributes
    ----------
    value, difference, lower, upper, z
        Arrays, NaN where a practice was not placed; the usual range is that of the difference.
    sd
        What the distance was divided by, on the scale of the link.
    tau
        The shared spread on that scale.
    n
        How many practices set centre and spread.
    """

    value: np.ndarray
    difference: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    z: np.ndarray
    sd: np.ndarray
    tau: float
    n: int


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes analyses of one metric; what several have in common is made once."""

    setting: Setting
    _figures: dict[tuple[str, ...], Counts] = field(default_factory=dict)
    _fits: dict[tuple[str, ...], Fitted] = field(default_factory=dict)

    def fit(self, taken: Mapping[str, str]) -> Fitted:
        """Return the fit of an analysis.

        Raises
        ------
        TableError
            When there are too few practices, or no such figures.
        ConvergenceError, StatsError
            When it has no solution.
        """
        key = tuple(taken[choice] for choice in _OF_A_FIT)
        if key not in self._fits:
            of = tuple(taken[choice] for choice in _OF_THE_FIGURES)
            if of not in self._figures:
                self._figures[of] = figures_of(self.setting, taken)
            self._fits[key] = _fit(self.setting, taken, self._figures[of])
        return self._fits[key]

    def place(self, taken: Mapping[str, str], comparator: str) -> Placed:
        """Place every practice in one analysis; raises what `fit` does."""
        transient = passing_of(self.setting, taken["passing"], taken["period"])
        return _place(self.fit(taken), comparator, transient, capped=taken["spread"] == "consistent")


def _fit(setting: Setting, taken: Mapping[str, str], figures: Counts) -> Fitted:
    scale, counts = scale_of(setting, figures, taken["link"])
    made = _design(setting, taken, counts)
    fitted = counts.in_reference & counts.usable & made.complete
    matrix, terms = made.matrix, list(made.terms["term"])
    if taken["slopes"] == "within_icb":
        means = _board_means(matrix[:, 1:], fitted, counts.icb_code)
        matrix = np.column_stack([matrix, means])
        terms += [f"mean {number} of the board" for number in range(1, means.shape[1] + 1)]
    places = places_of(counts) if taken["model"] == "multilevel" else None
    expected = (
        _fit_line(counts, scale, matrix, fitted, places)
        if scale.link == "identity"
        else fit_expected(counts.observed, counts.denominator, scale.kind, matrix, fitted, places, terms)
    )
    if taken["slopes"] == "within_icb":
        expected = _within(expected, made.matrix)
    return Fitted(counts, scale, made, expected)


def _design(setting: Setting, taken: Mapping[str, str], counts: Counts) -> design.Design:
    need = [c for c in setting.need if c not in declared.leaves_out()[taken["covariates"]]]
    index, form = index_of(setting.need), taken["deprivation"]
    if form == "other_index":
        need = [other_index(setting) if covariate == index else covariate for covariate in need]
    transforms = {index: _TRANSFORMS[form]} if form in _TRANSFORMS else None
    return design.build(setting.practices, need, counts.in_reference & counts.usable, transforms)


def _board_means(columns: np.ndarray, fitted: np.ndarray, boards: np.ndarray) -> np.ndarray:
    """Return the mean of each column over the fitted practices of a practice's board; of all, where it is not known.

    Of few boards some means say the same as others: those are left out.
    """
    code, labels = pd.factorize(boards)
    known = fitted & (boards != "")
    size = np.bincount(code[known], minlength=len(labels))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.column_stack([np.bincount(code[known], c[known], len(labels)) / size for c in columns.T])
    found = means[code]
    found = np.where(np.isnan(found), columns[fitted].mean(axis=0), found)
    found -= found[fitted].mean(axis=0)
    kept = design.independent(np.column_stack([columns, found])[fitted])[columns.shape[1] :]
    return np.asarray(found[:, kept])


def _within(expected: Expected, matrix: np.ndarray) -> Expected:
    """Return the expectation by slopes within boards: what their means add is no part of it (Mundlak 1978)."""
    width = matrix.shape[1]
    coefficients = expected.coefficients[:width]
    return replace(expected, link=matrix @ coefficients, coefficients=coefficients, n_parameters=width, model=None)


def _fit_line(
    counts: Counts, scale: Scale, matrix: np.ndarray, fitted: np.ndarray, places: Mapping[str, np.ndarray] | None
) -> Expected:
    """Fit figures as they are, without a link: practices in networks in boards, or a regression."""
    refuse_what_cannot_be_fitted(counts.observed[fitted], counts.denominator[fitted], scale.kind, matrix.shape[1])
    value, n = scale.judged(counts), counts.denominator[fitted]
    modelled = modelled_of(places, fitted) if places else fitted
    levels = levels_of(places, modelled) if places and modelled.sum() >= LEAVE_ONE_OUT_BELOW else {}
    # Each practice is a row: what its level would hold is the residual.
    groups = {name: place for name, place in levels.items() if name != PRACTICE}
    if not groups:
        first = np.linalg.lstsq(matrix[fitted], value[fitted], rcond=None)[0]
        return regress(value[fitted], lambda at: scale.variance(at, n), matrix, fitted, first)
    model = multilevel.fit_matrix(value[modelled], matrix[modelled], groups, family="gaussian")
    coefficients = model.fixed["estimate"].fillna(0.0).to_numpy()
    return Expected(matrix @ coefficients, coefficients, matrix.shape[1], modelled)


def _place(fitted: Fitted, comparator: str, transient: float, *, capped: bool) -> Placed:
    counts, scale, link = fitted.counts, fitted.scale, fitted.expected.link
    placed = counts.usable & ~np.isnan(link)
    used = placed & counts.in_reference
    judged = scale.judged(counts)
    residual = judged - link

    def chance(centre: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return scale.variance(link + centre, counts.denominator) + scale.moved(link + centre, transient)

    boards = None if comparator == "england" else counts.icb_code
    n_parameters = fitted.expected.n_parameters
    centre, spread, placed = centred(residual, chance, used, placed, n_parameters, boards, capped=capped)
    at = link[placed] + centre[placed]
    moved, denominator = scale.moved(at, transient), counts.denominator[placed]
    sd = np.sqrt(scale.variance(at, denominator) + moved + spread.tau2)
    if scale.link == "identity":
        z, middle = residual[placed] / sd - centre[placed] / sd, at
        lower, upper = middle - USUAL * sd, middle + USUAL * sd
    else:
        passed = moved if transient > 0.0 else None
        unit = placement.score(counts.observed[placed], denominator, at, spread.tau2, kind=scale.kind, transient=passed)
        z, middle, lower, upper = (unit[name].to_numpy() for name in ("z", "centre", "lower", "upper"))
    value = counts.observed[placed] / denominator
    sides = (value, value - middle, lower - middle, upper - middle, z, sd)
    if scale.turned:
        sides = (1.0 - value, middle - value, middle - upper, middle - lower, -z, sd)
    whole = [_everyone(values, placed) for values in sides]
    return Placed(*whole, tau=float(np.sqrt(spread.tau2)), n=int((used & placed).sum()))


def _everyone(values: np.ndarray, placed: np.ndarray) -> np.ndarray:
    found = np.full(len(placed), np.nan)
    found[placed] = values
    return found
