"""From England's centre to one practice's figure: patients, setting, neighbours, the practice's own, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import schema
from gpvar.analysis import centres
from gpvar.analysis.expected import PRACTICE, inverse_link, sampling_variance
from gpvar.analysis.ladder import places_of
from gpvar.stats import attribution, shrinkage

if TYPE_CHECKING:
    from gpvar.analysis.ladder import Ladder, Rung
    from gpvar.analysis.observed import Counts

STEPS = ("reference", "need", "context", "place", "own", "remainder")


def waterfall_of(counts: Counts, ladder: Ladder, area: np.ndarray, known: np.ndarray | None = None) -> pd.DataFrame:
    """Return what each of the area's figures is made of, step by step.

    Parameters
    ----------
    counts, ladder
        The observed figures, and the rungs.
    area
        Boolean array over the practices: whose figures to take apart.
    known
        Boolean array: whose figure is no guess between two ends. The others tell their neighbours nothing.

    Returns
    -------
    DataFrame
        The steps that were measured: without setting in the ladder there is no row for it, and a practice whose board
        is not known has none for its neighbours.

    Notes
    -----
    The reference is England's centre at the raw rung. Need and context lead from there to what the highest rung
    expects: context is x'β of its columns about their mean over the practices in the model; all else, with the small
    difference between the two rungs' centres for such a mean practice, is need's (or context's where there is no
    need). Place is what the board's and the network's other practices share; own is the lasting part of the practice's
    distance from them, shrunken by chance alone: what its own figure says of its place is with it, so that the steps up
    to it end at the model's estimate of the lasting figure. The remainder is chance, passing movement and shrinkage. On
    the scale of the response each step is its Shapley value, so that they add up exactly whatever the order.
    """
    top = centres.top_rung(ladder)
    if top is None:
        return pd.DataFrame(columns=schema.names("waterfall"))
    start, theta = (centres.centre_link(counts, ladder, name) for name in (centres.RAW, top.name))
    rows = np.flatnonzero(area & np.isfinite(start) & np.isfinite(theta))
    if not len(rows):
        return pd.DataFrame(columns=schema.names("waterfall"))
    parts = _expected_parts(top, _need(ladder), theta - start)
    parts |= _unexpected_parts(counts, top, theta, known)
    links = np.column_stack([part[rows] for part in parts.values()])
    return _steps(counts, rows, start[rows], list(parts), links)


def _need(ladder: Ladder) -> set[str]:
    return {covariate for rung in ladder.rungs if rung.name == "M1" for covariate in rung.covariates}


def _expected_parts(top: Rung, need: set[str], expected: np.ndarray) -> dict[str, np.ndarray]:
    """Split what the highest rung expects, as a distance from the reference, into need and context."""
    covariates = top.design.terms["covariate"].to_numpy(str)
    varies, of_need = covariates != "", np.isin(covariates, list(need))
    columns = varies & ~of_need
    if not varies.any():
        return {}
    if not columns.any() or not of_need.any():
        return {"context" if columns.any() else "need": expected}
    setting = top.design.matrix[:, columns] @ top.expected.coefficients[columns]
    setting = setting - setting[top.expected.modelled].mean()
    return {"need": expected - setting, "context": setting}


def _unexpected_parts(counts: Counts, top: Rung, theta: np.ndarray, known: np.ndarray | None) -> dict[str, np.ndarray]:
    """Split the distance from the highest rung's expectation into neighbours, the practice's own, and the rest."""
    model = top.expected.model
    assert model is not None
    spreads = dict(zip(model.groups, model.estimate.sds**2, strict=True))
    residual = centres.judged(counts) - theta
    placed = np.isfinite(residual)
    noise = np.full(len(theta), np.nan)
    noise[placed] = sampling_variance(theta[placed], counts.denominator[placed], counts.kind) + counts.passing
    # The model's practices differ by what lasts and by what passes.
    own_spread = spreads[PRACTICE] = max(spreads[PRACTICE] - counts.passing, 0.0)
    teaching = top.expected.modelled if known is None else top.expected.modelled & known
    place, doubt = _place(counts, teaching, residual, noise, spreads)
    own = (residual - place) * (own_spread + doubt) / (own_spread + doubt + noise)
    parts = {"place": place, "own": own, "remainder": residual - place - own}
    if len(model.groups) == 1:
        del parts["place"]
    return parts


def _place(
    counts: Counts, teaching: np.ndarray, residual: np.ndarray, noise: np.ndarray, spreads: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each practice's board and network share, as all but itself show it, and how sure that is."""
    levels = {name: labels for name, labels in places_of(counts).items() if name in spreads}
    between = {name: spreads[name] for name in levels}
    place, doubt = np.zeros(len(residual)), np.full(len(residual), sum(between.values()))
    told = np.isfinite(residual) & np.all([labels != "" for labels in levels.values()], axis=0)
    if levels and told.any():
        # A practice outside the fit has a place, but tells the others nothing.
        variance = np.where(teaching, spreads[PRACTICE] + noise, np.inf)
        place[told], doubt[told] = shrinkage.leave_one_out_place(
            residual[told],
            variance[told],
            {name: labels[told] for name, labels in levels.items()},
            between,
            with_variance=True,
        )
    return place, doubt


def _steps(counts: Counts, rows: np.ndarray, start: np.ndarray, names: list[str], links: np.ndarray) -> pd.DataFrame:
    def inverse(link: np.ndarray) -> np.ndarray:
        return inverse_link(link, counts.kind)

    changes = attribution.shapley(start, links, inverse)
    value = counts.observed[rows] / counts.denominator[rows]
    reference = inverse(start)
    # The half event that keeps a count of nought finite is no part of the figure: the remainder takes it back.
    changes[:, -1] += value - reference - changes.sum(axis=1)
    reached = reference[:, None] + np.cumsum(changes, axis=1)
    reached[:, -1] = value
    frame = pd.DataFrame(
        {
            "practice_code": np.repeat(counts.practice_code[rows], len(names) + 1),
            "step": np.tile(["reference", *names], len(rows)),
            "link": np.column_stack([start, links]).ravel(),
            "change": np.column_stack([np.zeros(len(rows)), changes]).ravel(),
            "reached": np.column_stack([reference, reached]).ravel(),
        }
    )
    nowhere = (frame["step"] == "place") & frame["practice_code"].isin(counts.practice_code[~_has_place(counts)])
    return frame[~nowhere].reset_index(drop=True)


def _has_place(counts: Counts) -> np.ndarray:
    labels = list(places_of(counts).values())
    return np.all([each != "" for each in labels], axis=0) if labels else np.zeros(len(counts.usable), dtype=bool)
