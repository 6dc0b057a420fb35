"""From declared covariates to a design matrix, with every constant of the transformation kept.

No formula ever comes from a file: a study names covariates by id, and the card of each says how it enters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.errors import TableError
from gpvar.gates.evidence import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gpvar.catalogue import CovariateCard

SPLINE_PERCENTILES = (5.0, 35.0, 65.0, 95.0)
BOUNDS = (1.0, 99.0)
#: A transformation that no card asks for: fifths of practices, each by itself.
FIFTHS = "fifths"


@dataclass(frozen=True, slots=True)
class Design:
    """A design matrix and how it was made.

    Attributes
    ----------
    matrix
        Float array (practices × terms); the first column is the intercept. Rows with a missing covariate hold NaN.
    terms
        One row per column of `matrix`: term, covariate, transform, centre, scale, knots.
    complete
        Boolean array (practices): every covariate was present.
    extrapolated
        Boolean array (practices): a spline covariate lies beyond its outer knots, where the curve is a straight line.
    dropped
        Terms left out because they never vary, or say the same as terms before them.
    """

    matrix: np.ndarray
    terms: pd.DataFrame
    complete: np.ndarray
    extrapolated: np.ndarray
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Term:
    name: str
    covariate: str
    transform: str
    values: np.ndarray
    knots: tuple[float, ...] = ()


def build(
    practices: pd.DataFrame,
    covariates: Sequence[str],
    fitted: np.ndarray,
    transforms: Mapping[str, str] | None = None,
) -> Design:
    """Build the design matrix of the named covariates.

    Parameters
    ----------
    practices
        One row per practice, with the covariate columns of `gpvar.table.PracticeTable.practices`.
    covariates
        Covariate ids, in the order declared.
    fitted
        Boolean array: the practices whose values set knots, means and standard deviations.
    transforms
        Covariate id → how it is to enter where that is not as its card says; `FIFTHS` beside the cards' own.

    Returns
    -------
    Design

    Raises
    ------
    TableError
        When a covariate has no column in `practices`.

    Notes
    -----
    Restricted cubic splines follow Harrell (2015, section 2.4.5), with knots at the 5th, 35th, 65th and 95th
    percentiles; prevalences enter on the logit scale as logit((register + ½)/(list + 1)); what is "bounded" is set to
    its 1st and 99th percentile beyond them.
    """
    cards = [catalogue.covariate(covariate) for covariate in covariates]
    cards = [replace(card, transform=(transforms or {}).get(card.id, card.transform)) for card in cards]
    terms = [term for card in cards for term in _terms(practices, card, fitted)]
    raw = np.column_stack([term.values for term in terms]) if terms else np.empty((len(practices), 0))
    complete = ~np.isnan(raw).any(axis=1)
    used = fitted & complete
    centre, scale = _location_and_scale(raw[used])
    scaled = (raw - centre) / scale
    kept = independent(scaled[used])
    described = [_described(term, centre[i], scale[i]) for i, term in enumerate(terms) if kept[i]]
    intercept = {"term": "intercept", "covariate": "", "transform": "", "centre": 0.0, "scale": 1.0, "knots": ""}
    return Design(
        matrix=np.column_stack([np.ones(len(practices)), scaled[:, kept]]),
        terms=pd.DataFrame([intercept, *described]),
        complete=complete,
        extrapolated=_beyond_knots(terms, len(practices)),
        dropped=tuple(term.name for i, term in enumerate(terms) if not kept[i]),
    )


def _location_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(values):
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    centre, scale = values.mean(axis=0), values.std(axis=0)
    constant = scale <= 1e-12 * np.maximum(1.0, np.abs(centre))
    return centre, np.where(constant, np.inf, scale)


def independent(scaled: np.ndarray) -> np.ndarray:
    """Say which columns, each with a mean of nought, add something to the intercept and the columns before them."""
    kept = np.zeros(scaled.shape[1], dtype=bool)
    basis = np.empty((len(scaled), 0))
    for j, column in enumerate(scaled.T):
        left = column - basis @ (basis.T @ column)
        left = left - basis @ (basis.T @ left)
        size = float(np.linalg.norm(left))
        kept[j] = size > 1e-7 * float(np.linalg.norm(column))
        if kept[j]:
            basis = np.column_stack([basis, left / size])
    return kept


def _described(term: _Term, centre: float, scale: float) -> dict[str, object]:
    return {
        "term": term.name,
        "covariate": term.covariate,
        "transform": term.transform,
        "centre": centre,
        "scale": scale,
        "knots": " ".join(f"{knot:.6g}" for knot in term.knots),
    }


def _terms(practices: pd.DataFrame, card: CovariateCard, fitted: np.ndarray) -> Iterator[_Term]:
    columns = columns_of(practices, card.id)
    if not columns:
        raise TableError(
            f"The covariate '{card.id}' has no column in the table.",
            "the study's [source.columns]",
            f"Give it a column, or leave '{card.id}' out of [adjust].",
        )
    if card.transform == "dummies":
        yield from _dummies(practices[columns[0]], card, fitted)
    elif card.transform == "logit":
        yield _Term(card.id, card.id, "logit, standardised", _prevalence_logit(practices, card.id, columns))
    elif card.transform == "spline":
        yield from _spline(practices[columns[0]].to_numpy(float), card, fitted)
    elif card.transform == FIFTHS:
        yield from _fifths(practices[columns[0]].to_numpy(float), card, fitted)
    elif card.transform == "bounded":
        yield _bounded(practices[columns[0]].to_numpy(float), card, fitted)
    else:
        for column in columns:
            yield _Term(column, card.id, "standardised", practices[column].to_numpy(float))


def _prevalence_logit(practices: pd.DataFrame, covariate: str, columns: list[str]) -> np.ndarray:
    if f"{covariate}.numerator" in columns:
        register = practices[f"{covariate}.numerator"].to_numpy(float)
        patients = practices[f"{covariate}.denominator"].to_numpy(float)
    else:
        patients = practices["list_size"].to_numpy(float)
        register = practices[columns[0]].to_numpy(float) * patients
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (register + 0.5) / (patients + 1.0)
        return np.where((share > 0) & (share < 1), np.log(share / (1.0 - share)), np.nan)


def _spline(values: np.ndarray, card: CovariateCard, fitted: np.ndarray) -> Iterator[_Term]:
    knots = np.unique(np.nanpercentile(values[fitted], SPLINE_PERCENTILES))
    yield _Term(card.id, card.id, "restricted cubic spline, linear part", values, tuple(knots))
    for j, curved in enumerate(_curved_parts(values, knots), start=1):
        yield _Term(f"{card.id} (curve {j})", card.id, "restricted cubic spline, curved part", curved, tuple(knots))


def _bounded(values: np.ndarray, card: CovariateCard, fitted: np.ndarray) -> _Term:
    """Return values with those beyond the outer percentiles set to them: a slip of the pen must not set the slope."""
    known = values[fitted & np.isfinite(values)]
    low, high = np.percentile(known, BOUNDS) if len(known) else (-np.inf, np.inf)
    return _Term(card.id, card.id, "bounded, standardised", np.clip(values, low, high), (float(low), float(high)))


def _fifths(values: np.ndarray, card: CovariateCard, fitted: np.ndarray) -> Iterator[_Term]:
    """Yield an indicator of each fifth of the fitted practices but the first."""
    known = values[fitted & np.isfinite(values)]
    edges = np.unique(np.percentile(known, (20.0, 40.0, 60.0, 80.0))) if len(known) else np.empty(0)
    fifth = np.searchsorted(edges, values, side="right")
    for number in range(1, len(edges) + 1):
        indicator = np.where(np.isnan(values), np.nan, fifth == number)
        yield _Term(f"{card.id}: fifth {number + 1} rather than 1", card.id, "indicator, standardised", indicator)


def _curved_parts(values: np.ndarray, knots: np.ndarray) -> Iterator[np.ndarray]:
    if len(knots) < 3:
        return

    def cubed(knot: float) -> np.ndarray:
        return np.maximum(values - knot, 0.0) ** 3

    before_last, last = knots[-2], knots[-1]
    for knot in knots[:-2]:
        tail = cubed(before_last) * (last - knot) - cubed(last) * (before_last - knot)
        yield (cubed(knot) - tail / (last - before_last)) / (last - knots[0]) ** 2


def _dummies(values: pd.Series, card: CovariateCard, fitted: np.ndarray) -> Iterator[_Term]:
    known = values.notna().to_numpy() & (values.astype("string").fillna("") != "").to_numpy()
    counts = values[fitted & known].value_counts()
    reference = sorted(counts.index[counts == counts.max()])[0] if len(counts) else ""
    for level in sorted(set(counts.index) - {reference}):
        indicator = np.where(known, (values == level).to_numpy(float), np.nan)
        yield _Term(f"{card.id}: {level} rather than {reference}", card.id, "indicator, standardised", indicator)


def _beyond_knots(terms: list[_Term], n: int) -> np.ndarray:
    beyond = np.zeros(n, dtype=bool)
    for term in terms:
        if term.transform.endswith("linear part"):
            with np.errstate(invalid="ignore"):
                beyond |= (term.values < term.knots[0]) | (term.values > term.knots[-1])
    return beyond
