"""Predictions of a fitted multilevel model: for a known unit, for a unit in the middle, or averaged over units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, IntArray, check_choice, floats, refuse, vector
from gpvar.stats.multilevel._reading import (
    OBSERVATION,
    as_frame,
    counted,
    listed,
    numbers,
    refuse_absent,
    refuse_missing,
    refuse_other_indexes,
)

if TYPE_CHECKING:
    from gpvar.stats.multilevel._estimate import Estimate
    from gpvar.stats.multilevel._model import ModelData

UNKNOWN = ("refuse", "zero")
SCALES = ("response", "link")

# As finely as collinear columns are told apart.
_ALIKE = 1e-6
_FEWEST_STEPS = 1.0 / 250.0


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows to predict for: what their fixed effects, offset and units are."""

    fixed: FloatArray
    offset: FloatArray
    effects: FloatArray


def normal_nodes(sd: float) -> tuple[FloatArray, FloatArray]:
    """Return points and weights of a standard normal that average smooth functions of `sd` times it.

    The equally spaced rule is used because its error is known: for 1/(1 + exp(−sd·z)), whose nearest pole is π/sd
    away, it falls as exp(−2π²/(sd·step)), below 1e-13 here at every SD up to 125. Gauss-Hermite's 31 points give
    1e-13 at an SD of 1 but only 2e-7 at 2 and 2e-4 at 4.

    References
    ----------
    Trefethen & Weideman 2014, SIAM Review 56:385.
    """
    step = max(min(0.7, 0.5 / sd if sd > 0 else 0.7), _FEWEST_STEPS)
    # Small shares are carried by the points near z = sd, so the range reaches further when sd is large.
    each_side = int(np.ceil((8.5 + min(sd, 30.0)) / step))
    nodes = step * np.arange(-each_side, each_side + 1, dtype=np.float64)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()


def mean_share(eta: FloatArray, sd: float) -> FloatArray:
    """Return E[1/(1 + exp(−eta − sd·Z))] over a standard normal Z."""
    if sd == 0.0:
        return np.asarray(special.expit(eta), dtype=np.float64)
    total = np.zeros_like(eta)
    for node, weight in zip(*normal_nodes(sd), strict=True):
        total += weight * special.expit(eta + sd * node)
    return total


def averaged(family: str, eta: FloatArray, variance: float) -> FloatArray:
    """Return the mean response at `eta` when random effects of this variance are averaged over."""
    if family == "gaussian":
        return eta
    if family == "binomial":
        return mean_share(eta, float(np.sqrt(variance)))
    # A count beyond the largest number is infinite; the other rows keep theirs.
    with np.errstate(over="ignore"):
        return np.exp(eta + 0.5 * variance)


def predict(
    estimate: Estimate,
    data: Any,
    *,
    marginal: bool,
    given: Sequence[str] | None,
    unknown: str,
    scale: str,
    offset: ArrayLike | None,
) -> FloatArray:
    """Return one prediction per row; `MultilevelFit.predict` documents the arguments."""
    check_choice(unknown, UNKNOWN, "unknown")
    check_choice(scale, SCALES, "scale")
    levels = estimate.data.levels
    if given is None:
        asked = () if marginal else tuple(name for name in levels if not _is_of_new_row(name, data))
    else:
        asked = tuple(check_choice(name, levels, "given") for name in ([given] if isinstance(given, str) else given))
    rows = _used_rows(estimate, asked, offset) if data is None else _new_rows(estimate, data, asked, unknown, offset)
    eta = rows.fixed + rows.offset + rows.effects
    if scale == "response":
        left = [sd for name, sd in zip(levels, estimate.sds, strict=True) if name not in asked]
        eta = averaged(estimate.data.family, eta, float(np.sum(np.square(left))) if marginal else 0.0)
    if data is not None:
        return eta
    every = np.full(estimate.data.n_given, np.nan)
    every[estimate.data.rows] = eta
    return every


def _used_rows(estimate: Estimate, asked: tuple[str, ...], offset: ArrayLike | None) -> Rows:
    data = estimate.data
    if offset is not None:
        raise StatsError(
            "An offset can only be given with new data.",
            "offset=, with data left out",
            "Leave offset out: the rows of the fit are predicted with their own.",
        )
    effects = np.zeros(len(data.response))
    for level in (data.levels.index(name) for name in asked):
        effects += estimate.effects[level][data.codes[level]]
    return Rows(data.design @ estimate.beta, data.offset, effects)


def _new_rows(estimate: Estimate, data: Any, asked: tuple[str, ...], unknown: str, offset: ArrayLike | None) -> Rows:
    model = estimate.data
    if model.reader is not None:
        design = model.reader.design(data)
        if offset is not None:
            raise StatsError(
                "The offset and the exposure are read from the columns that the fit named.",
                "offset=, for a fit from a formula",
                "Put them into the data, and leave offset out.",
            )
        shift = model.reader.offset(data)
    else:
        design = _ready_columns(model, data)
        refuse_other_indexes({"data": data, "offset": offset})
        shift = _ready_offset(model, offset, len(design))
    codes = {name: _codes_of(model, data, name, unknown) for name in asked}
    _refuse_other_parents(model, data, codes)
    effects = np.zeros(len(design))
    for name, code in codes.items():
        effects += np.where(code < 0, 0.0, estimate.effects[model.levels.index(name)][code])
    return Rows(_fixed_part(estimate, design), shift, effects)


def _fixed_part(estimate: Estimate, design: FloatArray) -> FloatArray:
    model = estimate.data
    with np.errstate(over="ignore", invalid="ignore"):
        fixed = design[:, model.kept] @ estimate.beta
        lost = _without_estimate(model, design)
    refuse(
        ~lost & ~np.isfinite(fixed),
        "The linear predictor is larger than any number can be.",
        "new data",
        fixed,
        "Are the covariates in the units that were fitted?",
    )
    fixed[lost] = np.nan
    return fixed


def _without_estimate(model: ModelData, design: FloatArray) -> BoolArray:
    """Return which rows need the coefficient of a column that has no estimate.

    Rows in which such a column is the combination of others that it was in the fit do not: the others carry it.
    """
    lost, instead = design[:, ~model.kept], design[:, model.kept] @ model.aliases
    size = np.abs(lost) + np.abs(design[:, model.kept]) @ np.abs(model.aliases)
    return np.asarray((np.abs(lost - instead) > _ALIKE * size).any(axis=1))


def _ready_columns(model: ModelData, data: Any) -> FloatArray:
    if isinstance(data, (pd.DataFrame, Mapping)):
        frame = as_frame(data)
        refuse_absent(model.columns, frame)
        refuse_missing({name: frame[name] for name in model.columns})
        return np.column_stack([numbers(frame[name], name) for name in model.columns])
    design = floats(data, "data")
    if design.ndim != 2 or design.shape[1] != len(model.columns):
        raise StatsError(
            "The new design does not have the columns that were fitted.",
            f"its shape is {design.shape}; the fit has {counted(len(model.columns), 'column')}",
            "Pass one row per prediction, with the same columns in the same order.",
        )
    wrong = ~np.isfinite(design)
    refuse(
        wrong.any(axis=1),
        "The new design holds something that is not a number.",
        "data",
        design[np.arange(len(design)), wrong.argmax(axis=1)],
        "Leave those rows out, or fill them in.",
    )
    return design


def _ready_offset(model: ModelData, offset: ArrayLike | None, n: int) -> FloatArray:
    if offset is not None:
        return _one_per_row(vector(offset, "offset"), n)
    if model.offset.any():
        raise StatsError(
            "The fit has an exposure or an offset, and the new data do not say theirs.",
            "offset= is missing",
            "Pass offset=, the logarithm of the exposure plus any offset; 0 predicts for an exposure of 1.",
        )
    return np.zeros(n)


def _one_per_row(offset: FloatArray, n: int) -> FloatArray:
    if len(offset) not in (1, n):
        raise StatsError(
            "The offset and the new data do not have the same number of rows.",
            f"offset {len(offset):,}, data {n:,}",
            "Pass one value per row, or a single one for all.",
        )
    refuse(
        ~np.isfinite(offset), "The offset must be a finite number.", "offset", offset, "Check how it was worked out."
    )
    return np.broadcast_to(offset, (n,))


def _codes_of(model: ModelData, data: Any, name: str, unknown: str) -> IntArray:
    """Return the number of each row's unit at one level; -1 for one that was not fitted."""
    level = model.levels.index(name)
    if not _names_units(data, name):
        raise StatsError(
            "The new data do not say which units their rows belong to.",
            f"they have no column {name!r}",
            f"Add the column, or leave {name!r} out of given=.",
        )
    labels = pd.Index(data[name])
    codes = np.asarray(model.units[level].get_indexer(labels), dtype=np.int64)
    strange = list(labels[codes < 0].unique())
    if strange and unknown == "refuse":
        raise StatsError(
            "The new data hold units that the model was not fitted to.",
            f"{name}: {listed(strange)}",
            "Leave their rows out, or pass unknown='zero' to give them the effect of a unit in the middle.",
        )
    return codes


def _refuse_other_parents(model: ModelData, data: Any, codes: dict[str, IntArray]) -> None:
    """Raise when a row puts a unit into another than the one it was fitted in: their effects do not belong together."""
    for name, own in codes.items():
        level, home = model.levels.index(name), own
        for above in range(level - 1, -1, -1):
            parents = model.parents[above + 1]
            assert parents is not None
            home = np.where(home < 0, -1, parents[home])
            outer = model.levels[above]
            if not _names_units(data, outer):
                continue
            given = np.asarray(model.units[above].get_indexer(pd.Index(data[outer])), dtype=np.int64)
            # A coarser unit that plays no part here may be one that was not fitted.
            wrong = (home >= 0) & (home != given) & ((given >= 0) | (outer in codes))
            if wrong.any():
                _refuse_other_parent(model, data, (above, level), (home, own), wrong)


def _refuse_other_parent(
    model: ModelData, data: Any, levels: tuple[int, int], codes: tuple[IntArray, IntArray], wrong: BoolArray
) -> None:
    row = int(wrong.argmax())
    outer, inner = (model.levels[level] for level in levels)
    home, unit = (model.units[level][code[row]] for level, code in zip(levels, codes, strict=True))
    raise StatsError(
        f"The new data put units of {inner!r} into a unit of {outer!r} that they were not fitted in.",
        f"row {row + 1}: {inner} {listed([unit])} was fitted in {outer} {listed([home])}, and is here in {outer} "
        f"{listed([pd.Index(data[outer])[row]])}; {counted(int(wrong.sum()), 'such row')}",
        f"Correct the labels; for a new unit that shares the label of another, leave {inner!r} out of given= or label "
        "it anew and pass unknown='zero'.",
    )


def _is_of_new_row(name: str, data: Any) -> bool:
    """Say whether a level is that of single rows: one that was not fitted has no effect of its own yet."""
    return name == OBSERVATION and data is not None and not _names_units(data, name)


def _names_units(data: Any, name: str) -> bool:
    return isinstance(data, (pd.DataFrame, Mapping)) and name in data
