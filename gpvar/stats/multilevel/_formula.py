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
from gpvar.stats.multilevel._coding import (
    MANY_CATEGORIES,
    Categories,
    UnknownCategory,
    categories_of,
    prepared,
    refuse_text_numbers,
)
from gpvar.stats.multilevel._reading import (
    as_frame,
    counted,
    listed,
    log_exposure,
    numbers,
    refuse_absent,
    refuse_missing,
)

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


_NAMES = {"np": np, "C": patsy.stateful_transform(Categories)}


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
        return _build(self._info, prepared(frame, self._used, self._categories))

    def __deepcopy__(self, memo: Any) -> DesignReader:
        """Return itself: it never changes."""
        return self

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
        categories = {name: categories_of(frame[name]) for name in text}
        refuse_text_numbers(frame, categories)
        ready = prepared(frame, used, categories)
        with _explained(self.text), np.errstate(all="ignore"):
            infos = patsy.design_matrix_builders(
                [self._right], lambda: iter([ready]), self._environment, NA_action=_KEEP_ALL
            )
        _refuse_many_columns(infos[0], len(frame))
        design = _build(infos[0], ready)
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
    if "^" in text:
        raise StatsError(
            "A power is written ** in a formula, not ^.", f"formula {text!r}", "Write I(column**2) for a square."
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
        called = [name for name in unknown if re.search(rf"\b{re.escape(name)}\s*\(", text)]
        hints = [_OF_R.get(name, f"For {name} import or define a function of that name.") for name in called]
        if not hints:
            refuse_absent(unknown, frame)
        which = "is neither a column nor a function" if len(unknown) == 1 else "are neither columns nor functions"
        raise StatsError(
            f"The formula uses {listed(unknown)}, which {which} known here.",
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


def _refuse_many_columns(info: Any, rows: int) -> None:
    sizes = {term: len(range(*where.indices(len(info.column_names)))) for term, where in info.term_name_slices.items()}
    widest = max(sizes, key=lambda term: sizes[term])
    total = sum(sizes.values())
    if sizes[widest] > MANY_CATEGORIES and (total > _MOST_COLUMNS or sizes[widest] > rows / 2):
        raise StatsError(
            f"The formula makes {counted(total, 'column')} for {counted(rows, 'row')}.",
            f"{widest!r} alone makes {sizes[widest]:,}",
            "Name units (of which there are many) in groups; a measurement is a number, not text and not C(...).",
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
        f"Column {name!r} of the design is not a finite number in {counted(int(bad[:, column].sum()), 'row')}.",
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
        if isinstance(error.__cause__, UnknownCategory):
            raise error.__cause__.refusal(error.origin.relevant_code() if error.origin else "C(...)") from None
        raise StatsError(
            "The formula could not be used.",
            f"formula {formula!r}: {error.message}",
            "It is read by patsy, as Python: + between terms, a:b for a product, C(a) for categories.",
        ) from None
