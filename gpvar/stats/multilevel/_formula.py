"""The fixed effects as a formula, in patsy's language (which is also that of statsmodels).

A formula is Python that is evaluated: it is for people who write programs, never for text read from a file.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy  # type: ignore[import-untyped]
from patsy.eval import EvalEnvironment  # type: ignore[import-untyped]

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._reading import as_frame, listed, log_exposure, numbers, refuse_absent, refuse_missing

_PACKAGE = "gpvar.stats.multilevel"
_MOST_COLUMNS = 500
# patsy would drop rows with missing values in silence, and pass over infinite ones: both are ours to refuse.
_KEEP_ALL = patsy.NAAction(on_NA="raise", NA_types=[])
_OF_R = {
    "cbind": "Put the successes on the left of ~ and name the column of denominators: trials='...'.",
    "offset": "Give it by itself: offset='column' (or exposure='column', of which the logarithm is taken).",
    "factor": "Use C(column) for categories.",
    "as": "Use C(column) for categories.",
    "log": "Use np.log(column).",
    "sqrt": "Use np.sqrt(column).",
    "exp": "Use np.exp(column).",
    "scale": "Use standardize(column).",
    "ns": "Use cr(column, df=...) or bs(column, df=...).",
    "poly": "Use column + I(column**2).",
}


class _Categories:
    """`C(column)` of a formula: as patsy's own, without its loop over the rows."""

    def __init__(self) -> None:
        self._found: list[pd.Index[Any]] = []
        self._levels: pd.Index[Any] = pd.Index([])

    def memorize_chunk(self, data: Any, contrast: Any = None, levels: Any = None) -> None:
        self._found.append(pd.Index(levels) if levels is not None else _categories(data))

    def memorize_finish(self) -> None:
        self._levels = self._found[0] if len(self._found) == 1 else self._found[0].append(self._found[1:]).unique()

    def transform(self, data: Any, contrast: Any = None, levels: Any = None) -> Any:
        coded = _coded(data, self._levels, "C(...)")
        given = getattr(data, "contrast", None) if contrast is None else contrast
        if given is not None:
            coded.contrast = given  # type: ignore[attr-defined]
        return coded


_NAMES = {"np": np, "C": patsy.stateful_transform(_Categories)}


@dataclass(frozen=True, slots=True)
class DesignReader:
    """Reads the design and the offset of new data as those of the fitted data were read.

    Attributes
    ----------
    formula
        As given.
    columns
        Every column of the design, in order, whether it could be estimated or not.
    exposure, offset_column
        Columns that the offset is made of, where there are any.
    """

    formula: str
    columns: tuple[str, ...]
    exposure: str | None
    offset_column: str | None
    _info: Any
    _used: tuple[str, ...]
    _categories: dict[str, Any]

    def design(self, data: Any) -> FloatArray:
        """Return the design of `data`, (rows, columns), with all columns."""
        frame = as_frame(data)
        refuse_absent(self._used, frame)
        refuse_missing({name: frame[name] for name in self._used})
        return _build(self._info, _prepared(frame, self._used, self._categories))

    def offset(self, data: Any) -> FloatArray:
        """Return the offset of `data` on the link scale, (rows,); zeros where the model has none."""
        return read_offset(as_frame(data), self.exposure, self.offset_column)


def read_offset(frame: pd.DataFrame, exposure: str | None, offset: str | None) -> FloatArray:
    names = [name for name in (exposure, offset) if name is not None]
    refuse_absent(names, frame)
    refuse_missing({name: frame[name] for name in names})
    found = np.zeros(len(frame))
    if exposure is not None:
        found += log_exposure(numbers(frame[exposure], exposure), exposure)
    if offset is not None:
        found += numbers(frame[offset], offset)
    return found


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been understood, not yet evaluated."""

    text: str
    response: str
    columns: tuple[str, ...]
    _left: Any
    _right: Any
    _environment: Any

    def read_response(self, frame: pd.DataFrame) -> Any:
        """Return what is on the left of ~ for every row."""
        if self.response in frame.columns:
            return frame[self.response]
        inner = {name: frame[name] for name in self.columns}
        state: dict[str, Any] = {}
        with _explained(self.text), np.errstate(all="ignore"):
            for step in range(self._left.memorize_passes_needed(state, self._environment)):
                self._left.memorize_chunk(state, step, inner)
                self._left.memorize_finish(state, step)
            return self._left.eval(state, inner)

    def read_design(
        self, frame: pd.DataFrame, exposure: str | None, offset: str | None
    ) -> tuple[FloatArray, DesignReader]:
        """Return the design with all its columns, and the reader that does the same to new data."""
        used = tuple(name for name in self.columns if name in _names(self._right))
        bare = [factor.name() for term in self._right for factor in term.factors if factor.name() in used]
        text = [name for name in bare if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
        categories = {name: _categories(frame[name]) for name in text}
        prepared = _prepared(frame, used, categories)
        with _explained(self.text), np.errstate(all="ignore"):
            infos = patsy.design_matrix_builders(
                [self._right], lambda: iter([prepared]), self._environment, NA_action=_KEEP_ALL
            )
        _refuse_many_columns(infos[0], len(frame))
        design = _build(infos[0], prepared)
        columns = tuple(infos[0].column_names)
        return design, DesignReader(self.text, columns, exposure, offset, infos[0], used, categories)


def understand(text: str, frame: pd.DataFrame) -> Formula:
    """Parse a formula and check that each of its names is a column, or something it may call."""
    if not isinstance(text, str):
        raise StatsError("The formula must be text.", f"it is {text!r}", "Write 'response ~ column + column'.")
    if re.search(r"(?<!\w)\([^()]*\|", text):
        raise StatsError(
            "Random intercepts do not go into the formula.",
            f"formula {text!r}",
            "Take (1 | level) out and name the levels, coarse to fine: groups=['level', ...].",
        )
    with _explained(text):
        parsed = patsy.ModelDesc.from_formula(text)
    left = parsed.lhs_termlist
    if len(left) != 1 or len(left[0].factors) != 1:
        raise StatsError(
            "The formula must have one response on the left of ~.",
            f"formula {text!r}",
            "Write 'response ~ column + column'; the denominators of a binomial response go into trials='...'.",
        )
    if not parsed.rhs_termlist:
        raise StatsError(
            "The formula has nothing on the right of ~.",
            f"formula {text!r}",
            "Write 'response ~ 1' for a model of the intercept alone.",
        )
    environment = _outside()
    names = list(dict.fromkeys([*_names(left), *_names(parsed.rhs_termlist)]))
    _refuse_unknown(names, frame, environment, text)
    columns = tuple(name for name in names if name in frame.columns)
    response = left[0].factors[0]
    name = _quoted(response.name()) or response.name()
    return Formula(text, name, columns, response, parsed.rhs_termlist, environment)


def _outside() -> Any:
    """Return the names seen by whoever called this package, with `np` and `C` where they have none of their own."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
    return EvalEnvironment([dict(frame.f_locals), frame.f_globals, _NAMES])


def _quoted(code: str) -> str | None:
    found = re.fullmatch(r"Q\((['\"])(.*)\1\)", code)
    return found[2] if found else None


def _tree(code: str) -> ast.Expression:
    try:
        return ast.parse(code, mode="eval")
    except SyntaxError:
        raise StatsError(
            f"The formula holds {code!r}, which is not Python.",
            f"formula term {code!r}",
            "Use C(column) for categories, np.log(column) for a logarithm, Q('a name') for a name with spaces.",
        ) from None


def _names(terms: Any) -> list[str]:
    """Return the names a list of terms uses, those quoted as Q("list size") among them."""
    found: dict[str, None] = {}
    for term in terms:
        for factor in term.factors:
            tree = _tree(factor.name())
            bound = {
                node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id not in bound:
                    found[node.id] = None
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
                    found.update({str(each.value): None for each in node.args if isinstance(each, ast.Constant)})
    return list(found)


def _refuse_unknown(names: list[str], frame: pd.DataFrame, environment: Any, text: str) -> None:
    other = [name for name in names if name not in frame.columns]
    known = environment.with_outer_namespace(dict.fromkeys(patsy.builtins.__all__)).namespace
    unknown = [name for name in other if name not in known and not hasattr(builtins, name)]
    if unknown:
        hints = [_OF_R[name] for name in unknown if name in _OF_R]
        if not hints:
            refuse_absent(unknown, frame)
        raise StatsError(
            f"The formula uses {listed(unknown)}, which is neither a column nor a function known here.",
            f"formula {text!r}",
            " ".join(hints),
        )
    for name in other:
        value = environment.namespace.get(name)
        if isinstance(value, (np.ndarray, pd.Series, list, tuple)) and len(value) == len(frame):
            near = difflib.get_close_matches(name, [str(column) for column in frame.columns], n=1)
            raise StatsError(
                f"{name!r} is not a column of the data but a variable of the program.",
                f"formula {text!r}",
                (f"Did you mean {near[0]!r}? " if near else "")
                + f"If it is meant, make it a column first: data[{name!r}] = {name}.",
            )


def _categories(values: Any) -> pd.Index[Any]:
    """Return the categories that occur, in their own order where they have one, else sorted."""
    found = pd.Index(pd.unique(values if hasattr(values, "dtype") else np.asarray(values)))
    labels = list(found[~np.asarray(found.isna())])
    if isinstance(found, pd.CategoricalIndex):
        labels = list(found.categories[found.categories.isin(labels)])
    else:
        try:
            labels = sorted(labels)
        except TypeError:
            labels = sorted(labels, key=lambda label: (type(label).__name__, label))
    categories: pd.Index[Any] = pd.Index(labels)
    return categories


def _coded(values: Any, categories: pd.Index[Any], name: str) -> pd.Categorical:
    codes = np.asarray(categories.get_indexer(pd.Index(values)))
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        label = pd.Index(values)[row]
        raise StatsError(
            f"{name} holds a category that has no coefficient.",
            f"{name}, row {row + 1}: {label!r}",
            f"The categories are {listed(list(categories))}. Leave such rows out, or fit on data that has them.",
        )
    return pd.Categorical.from_codes(codes, categories=categories)


def _prepared(frame: pd.DataFrame, used: tuple[str, ...], categories: dict[str, Any]) -> Any:
    """Return the columns used, as types that patsy handles without a loop over the rows."""
    index = pd.RangeIndex(len(frame))
    columns: dict[str, Any] = {}
    for name in used:
        values = frame[name]
        if name in categories:
            columns[name] = pd.Series(_coded(values, categories[name], name), index=index)
        elif isinstance(values.dtype, pd.api.extensions.ExtensionDtype) and pd.api.types.is_numeric_dtype(values.dtype):
            kind = bool if values.dtype.kind == "b" else np.float64
            columns[name] = pd.Series(values.to_numpy(dtype=kind), index=index)
        else:
            columns[name] = pd.Series(values.array, index=index, copy=False)
    # A mapping is read without copies, but only a frame knows its number of rows when it has no column.
    return columns or pd.DataFrame(index=index)


def _refuse_many_columns(info: Any, rows: int) -> None:
    total = len(info.column_names)
    if total <= min(rows, _MOST_COLUMNS):
        return
    widest = max(info.term_name_slices, key=lambda name: np.ptp(np.arange(total)[info.term_name_slices[name]]))
    wide = len(range(total)[info.term_name_slices[widest]])
    raise StatsError(
        f"The formula makes {total:,} columns for {rows:,} rows.",
        f"{widest!r} alone makes {wide:,}",
        "Does it hold numbers that were read as text? Read them as numbers; put units (practices, areas) into groups.",
    )


def _build(info: Any, prepared: Any) -> FloatArray:
    with _explained(info.describe()), np.errstate(all="ignore"):
        built = patsy.build_design_matrices([info], prepared, NA_action=_KEEP_ALL)[0]
    design = np.array(built, dtype=np.float64)
    if np.isfinite(design).all():
        return design
    bad = ~np.isfinite(design)
    column = int(bad.any(axis=0).argmax())
    name = info.column_names[column]
    raise StatsError(
        f"Column {name!r} of the design is not a number in {int(bad[:, column].sum()):,} rows.",
        f"{name}, row {int(bad[:, column].argmax()) + 1}: {design[bad[:, column].argmax(), column]:g}",
        "A logarithm needs values above zero, a division something to divide by: check the column it is made from.",
    )


@contextmanager
def _explained(formula: str) -> Iterator[None]:
    """Turn what patsy raises into three lines; a refusal of our own inside it stays as it is."""
    try:
        yield
    except patsy.PatsyError as error:
        if isinstance(error.__cause__, StatsError):
            raise error.__cause__ from None
        raise StatsError(
            "The formula could not be used.",
            f"formula {formula!r}: {error.message}",
            "It is read as Python by patsy: + between terms, a:b for a product, C(a) for categories, I(a**2) for sums.",
        ) from None
