"""From what a caller gives to what the engine fits: columns, units and their nesting, all checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, IntArray, floats
from gpvar.stats.multilevel import _guards, _separation
from gpvar.stats.multilevel._formula import DesignReader, read_offset, understand
from gpvar.stats.multilevel._guards import FAMILIES
from gpvar.stats.multilevel._reading import (
    OBSERVATION,
    as_frame,
    counted,
    listed,
    log_exposure,
    numbers,
    read_outcome,
    refuse_absent,
    refuse_missing,
    refuse_other_indexes,
    unit_codes,
)

__all__ = ["FAMILIES", "OBSERVATION", "DesignReader", "ModelData", "from_formula", "from_matrix"]


@dataclass(frozen=True, slots=True)
class ModelData:
    """Everything the engine fits, checked: nothing here is missing, and every level nests in the one before it.

    Attributes
    ----------
    family
        One of `FAMILIES`.
    response
        Successes, counts or values of the rows used, (n,).
    trials
        Binomial only, (n,).
    offset
        On the link scale: log exposure and offset together, (n,); zeros where there is none.
    design
        The kept columns, (n, p), of full column rank.
    columns, kept
        Every column asked for, in order, and whether it is in `design`. A column that is not is a combination of
        earlier ones or separates the outcomes, and `notes` names it.
    aliases
        (p, columns not kept): on the rows used each column left out is `design` times its column here. A row of new
        data of which this does not hold cannot be predicted.
    levels
        Names of the levels, coarse to fine.
    codes
        Per level the unit number of each row used, (n,).
    units
        Per level the labels of all units of the rows given, sorted; also of units that have no row left.
    parents
        Per level the number of each unit's unit in the next coarser level; None for the coarsest.
    rows
        Positions of the rows used among those given, (n,).
    n_given
        Number of rows given.
    notes
        Sentences a reader of the results must see.
    reader
        Does the same to new data; None where the design was given ready.
    """

    family: str
    response: FloatArray
    trials: FloatArray | None
    offset: FloatArray
    design: FloatArray
    columns: tuple[str, ...]
    kept: BoolArray
    aliases: FloatArray
    levels: tuple[str, ...]
    codes: tuple[IntArray, ...]
    units: tuple[pd.Index[Any], ...]
    parents: tuple[IntArray | None, ...]
    rows: IntArray
    n_given: int
    notes: tuple[str, ...]
    reader: DesignReader | None


@dataclass(frozen=True, slots=True)
class _Given:
    """The columns as numbers, not yet judged together; `labels` is None for the observation level."""

    response: FloatArray
    response_name: str
    trials: FloatArray | None
    trials_name: str
    offset: FloatArray
    design: FloatArray
    columns: tuple[str, ...]
    labels: dict[str, Any]
    reader: DesignReader | None


def from_formula(
    formula: str,
    data: pd.DataFrame | Mapping[str, ArrayLike],
    *,
    family: str,
    groups: Sequence[str] | str,
    trials: str | None = None,
    exposure: str | None = None,
    offset: str | None = None,
    reml: bool = False,
    n_quadrature: int = 1,
) -> ModelData:
    """Read a model from a formula and the columns of a frame."""
    levels = _level_names(groups)
    _guards.check_options(family, levels, reml, n_quadrature, {"trials": trials, "exposure": exposure})
    frame = as_frame(data)
    understood = understand(formula, frame)
    grouping = [level for level in levels if not (level == OBSERVATION and OBSERVATION not in frame.columns)]
    named = {"trials": trials, "exposure": exposure, "offset": offset}
    _refuse_columns_for_names(named)
    used = [*understood.columns, *(name for name in named.values() if name is not None), *grouping]
    refuse_absent(used, frame)
    refuse_missing({name: frame[name] for name in used})
    response = read_outcome(understood.read_response(frame), understood.response)
    design, reader = understood.read_design(frame, exposure, offset)
    given = _Given(
        response=response,
        response_name=understood.response,
        trials=None if trials is None else numbers(frame[trials], trials),
        trials_name=trials or "",
        offset=read_offset(frame, exposure, offset),
        design=design,
        columns=reader.columns,
        labels={level: frame[level] if level in grouping else None for level in levels},
        reader=reader,
    )
    return _assemble(given, family, n_quadrature)


def from_matrix(
    response: ArrayLike,
    design: ArrayLike | pd.DataFrame,
    groups: pd.DataFrame | Mapping[str, Any],
    *,
    family: str,
    trials: ArrayLike | None = None,
    exposure: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    reml: bool = False,
    n_quadrature: int = 1,
) -> ModelData:
    """Read a model from ready columns; no intercept is added. A level 'observation' may have None for its labels."""
    labels = _labels(groups)
    _guards.check_options(family, tuple(labels), reml, n_quadrature, {"trials": trials, "exposure": exposure})
    named = {"response": response, "trials": trials, "exposure": exposure, "offset": offset}
    present = {name: values for name, values in named.items() if values is not None}
    matrix, columns = _matrix(design)
    units = {level: values for level, values in labels.items() if values is not None}
    _refuse_lengths({**present, "design": matrix, **units})
    grouping = {"groups": groups} if isinstance(groups, pd.DataFrame) else units
    refuse_other_indexes({"response": response, "design": design, **present, **grouping})
    flat = {name: floats(values, name) for name, values in present.items()}
    broken = [] if np.isfinite(matrix).all() else np.flatnonzero(~np.isfinite(matrix).all(axis=0)).tolist()
    refuse_missing({**flat, **{columns[j]: matrix[:, j] for j in broken}, **units})
    for j in broken:
        numbers(matrix[:, j], columns[j])
    read = {name: numbers(values, name) for name, values in flat.items()}
    link = np.zeros(len(matrix))
    if "exposure" in read:
        link += log_exposure(read["exposure"], "exposure")
    if "offset" in read:
        link += read["offset"]
    given = _Given(
        response=read["response"],
        response_name="response",
        trials=read.get("trials"),
        trials_name="trials" if "trials" in read else "",
        offset=link,
        design=matrix,
        columns=columns,
        labels=labels,
        reader=None,
    )
    return _assemble(given, family, n_quadrature)


def _level_names(groups: Any) -> tuple[str, ...]:
    if isinstance(groups, (set, frozenset)):
        raise StatsError(
            "groups has no order, and the order of the levels says which lies in which.",
            f"groups is a {type(groups).__name__} of {listed(sorted(map(str, groups))) if groups else 'nothing'}",
            "Write a list, coarse to fine: groups=['area', 'practice'].",
        )
    levels = (groups,) if isinstance(groups, str) else tuple(groups)
    if not all(isinstance(level, str) for level in levels) or isinstance(groups, Mapping):
        raise StatsError(
            "groups must be names of columns, coarse to fine.",
            f"groups holds a {type(levels[0] if levels else groups).__name__}",
            "Write groups=['area', 'practice'] and have those columns in the data.",
        )
    return levels


def _refuse_columns_for_names(named: dict[str, Any]) -> None:
    for argument, name in named.items():
        if name is not None and not isinstance(name, str):
            raise StatsError(
                f"{argument} must be the name of a column.",
                f"{argument} is a {type(name).__name__}",
                f"Put it into the data first: data[{argument!r}] = ..., then {argument}={argument!r}.",
            )


def _labels(groups: Any) -> dict[str, Any]:
    if isinstance(groups, pd.DataFrame):
        return {str(level): groups.iloc[:, j] for j, level in enumerate(groups.columns)}
    if isinstance(groups, Mapping):
        return {str(level): values for level, values in groups.items()}
    raise StatsError(
        "groups must be a DataFrame, or a mapping of level names to labels, coarse to fine.",
        f"groups is a {type(groups).__name__}",
        "Write groups={'area': areas, 'practice': practices}.",
    )


def _matrix(design: Any) -> tuple[FloatArray, tuple[str, ...]]:
    if isinstance(design, pd.DataFrame):
        columns = tuple(str(name) for name in design.columns)
        for j, name in enumerate(columns):
            if not pd.api.types.is_numeric_dtype(design.dtypes.iloc[j]):
                floats(design.iloc[:, j], name)
        values = design.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = floats(design, "design")
        columns = tuple(f"x{j + 1}" for j in range(values.shape[-1] if values.ndim else 0))
    if values.ndim != 2:
        raise StatsError(
            "design must be a table of numbers: rows by columns.",
            f"its shape is {values.shape}",
            "For an intercept alone pass a single column of ones.",
        )
    if not columns:
        raise StatsError("The design has no columns.", "design", "For an intercept alone pass one column of ones.")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise StatsError("Two columns of the design have one name.", ", ".join(twice), "Give each its own name.")
    return np.array(values, dtype=np.float64, order="C"), columns


def _refuse_lengths(columns: dict[str, Any]) -> None:
    lengths = {name: len(values) if np.ndim(values) else 1 for name, values in columns.items()}
    if len(set(lengths.values())) > 1 or not lengths["response"]:
        raise StatsError(
            "All columns must have the same number of rows, at least one.",
            ", ".join(f"{name} {length:,}" for name, length in lengths.items()),
            "Pass one value per row in each.",
        )


def _assemble(given: _Given, family: str, n_quadrature: int) -> ModelData:
    """Judge the columns together, drop what carries nothing, and number the units."""
    n_given = len(given.response)
    trials = np.ones(n_given) if family == "binomial" and given.trials is None else given.trials
    notes = _guards.check_outcomes(family, given.response, given.response_name, trials, given.trials_name)
    if family != "gaussian":
        _guards.check_offset(given.offset)
    levels = tuple(given.labels)
    codes, units = _numbered(given.labels, n_given)
    parents = _guards.check_nesting(levels, codes, units)
    used = np.ones(n_given, dtype=bool) if trials is None else trials > 0
    if not used.all():
        notes.append(f"Left out for want of any trials: {counted(n_given - int(used.sum()), 'row')}.")
    kept, used, found = _estimable(given, family, trials, used)
    rows = np.flatnonzero(used)
    taken: slice | IntArray = slice(None) if used.all() else rows
    response, design = given.response[taken], given.design[taken]
    trials = None if trials is None else trials[taken]
    codes = [code[taken] for code in codes]
    notes += found
    notes += _guards.check_units(family, levels, codes, units, trials is not None and bool((trials == 1).all()))
    if n_quadrature == 1:
        notes += _guards.small_counts(family, levels, codes, response, trials)
    return ModelData(
        family=family,
        response=response,
        trials=trials,
        offset=given.offset[taken],
        design=design if kept.all() else np.ascontiguousarray(design[:, kept]),
        columns=given.columns,
        kept=kept,
        aliases=_aliases(design[:, kept], design[:, ~kept]) if not kept.all() else np.empty((len(kept), 0)),
        levels=levels,
        codes=tuple(codes),
        units=units,
        parents=parents,
        rows=rows,
        n_given=n_given,
        notes=tuple(notes),
        reader=given.reader,
    )


def _aliases(kept: FloatArray, lost: FloatArray) -> FloatArray:
    """Return each lost column as a combination of the kept ones."""
    # Columns of length one: a column of small numbers would be taken for the rounding of one of large numbers.
    length, lost_length = np.linalg.norm(kept, axis=0), np.linalg.norm(lost, axis=0)
    lost_length = np.where(lost_length > 0, lost_length, 1.0)
    share = np.asarray(np.linalg.lstsq(kept / length, lost / lost_length)[0], dtype=np.float64)
    # Rounding is not a part of the combination.
    share[np.abs(share) <= 1e-7] = 0.0
    share *= lost_length / length[:, None]
    return share


def _numbered(labels: dict[str, Any], rows: int) -> tuple[list[IntArray], tuple[pd.Index[Any], ...]]:
    found: list[tuple[IntArray, pd.Index[Any]]] = []
    for position, (level, values) in enumerate(labels.items()):
        if values is not None:
            found.append(unit_codes(values, level))
            continue
        if level != OBSERVATION or position != len(labels) - 1:
            raise StatsError(
                f"Level {level!r} has no labels.",
                f"groups: {', '.join(labels)}",
                f"Only {OBSERVATION!r} may have none (one unit per row), and it is the finest: name it last.",
            )
        found.append((np.arange(rows, dtype=np.int64), pd.RangeIndex(rows, name=level)))
    return [codes for codes, _ in found], tuple(units for _, units in found)


def _estimable(
    given: _Given, family: str, trials: FloatArray | None, used: BoolArray
) -> tuple[BoolArray, BoolArray, list[str]]:
    """Return the columns that have an estimate, the rows that inform it, and notes on the rest."""
    design = given.design if used.all() else given.design[used]
    if len(design) < design.shape[1]:
        raise StatsError(
            "There are fewer rows than columns.",
            f"{counted(len(design), 'row')}, {counted(design.shape[1], 'column')}",
            "Use more rows or fewer columns.",
        )
    kept, made_of = _separation.independent_columns(design)
    notes = _separation.collinear_notes(given.columns, kept, made_of)
    if family == "gaussian":
        if kept.sum() >= len(design):
            raise StatsError(
                "There are no more rows than columns, which leaves nothing to estimate a residual spread from.",
                f"{counted(len(design), 'row')}, {counted(int(kept.sum()), 'column')}",
                "Use more rows or fewer columns.",
            )
        return kept, used, notes
    low, high = given.response[used] == 0, np.zeros(len(design), dtype=bool)
    if trials is not None:
        high = given.response[used] == trials[used]
    apart = _separation.separated_rows(design if kept.all() else design[:, kept], low, high)
    if not apart.any():
        return kept, used, notes
    names = [name for name, keep in zip(given.columns, kept, strict=True) if keep]
    _separation.refuse_perfect(int((~apart).sum()), len(apart), names)
    still, made_of = _separation.independent_columns(design[~apart][:, kept])
    notes += _separation.separation_notes(names, ~still, made_of, apart, low, high)
    kept[kept] = still
    used = used.copy()
    used[used] = ~apart
    return kept, used, notes
