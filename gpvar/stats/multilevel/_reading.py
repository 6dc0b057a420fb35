"""Reading columns and unit labels: what is absent, missing or not a number is refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, IntArray, floats, refuse

OBSERVATION = "observation"


def as_frame(data: Any) -> pd.DataFrame:
    """Return `data` as a frame whose columns can be asked for by name."""
    if isinstance(data, pd.DataFrame):
        frame = data
    elif isinstance(data, Mapping):
        frame = pd.DataFrame(dict(data))
    else:
        raise StatsError(
            "data must be a pandas DataFrame, or a mapping of column names to columns.",
            f"data is a {type(data).__name__}",
            "Pass a DataFrame with one row per observation.",
        )
    if not len(frame):
        raise StatsError("data has no rows.", "data", "Check how it was read and filtered.")
    return frame


def refuse_absent(names: Iterable[str], frame: pd.DataFrame) -> None:
    """Raise, naming all columns that are not there at once, and all that are there twice."""
    wanted = list(dict.fromkeys(names))
    columns = [str(column) for column in frame.columns]
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        guesses = {name: difflib.get_close_matches(name, columns, n=1) for name in absent}
        near = [f"{found[0]!r} for {name!r}" for name, found in guesses.items() if found]
        shown = ", ".join(columns[:12]) + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
        raise StatsError(
            f"The data has no column{'s' if len(absent) > 1 else ''} {listed(absent)}.",
            f"its columns are {shown}",
            f"Did you mean {' and '.join(near)}?" if near else "Check the spelling: capitals and spaces count.",
        )
    twice = [name for name in wanted if columns.count(name) > 1]
    if twice:
        raise StatsError(
            f"More than one column of the data is called {listed(twice)}.", listed(twice), "Rename or drop all but one."
        )


def refuse_missing(columns: Mapping[str, Any]) -> None:
    """Raise, naming every column with missing values at once."""
    found = []
    for name, values in columns.items():
        missing = np.asarray(pd.isna(values))
        if missing.any():
            count = int(missing.sum())
            found.append(f"{name}: {counted(count, 'row')}, the first is row {int(missing.argmax()) + 1}")
    if found:
        raise StatsError(
            "There are missing values; none is guessed here and no row is dropped unasked.",
            "; ".join(found),
            "Leave those rows out first, with data.dropna(subset=[...]), or fill them in, and say so in the report.",
        )


def refuse_other_indexes(columns: Mapping[str, Any]) -> None:
    """Raise when pandas would put the rows of two inputs together otherwise than by their order, which is used here."""
    indexes = {name: values.index for name, values in columns.items() if isinstance(values, (pd.Series, pd.DataFrame))}
    if len(indexes) < 2:
        return
    first, *others = indexes
    for name in others:
        here, there = indexes[first], indexes[name]
        if here.equals(there):
            continue
        if len(here) == len(there):
            row = int(np.argmax([a != b for a, b in zip(here, there, strict=True)]))
            where = f"row {row + 1}: index {here[row]!r} in {first}, {there[row]!r} in {name}"
        else:
            where = f"{first} {len(here):,} rows, {name} {len(there):,}"
        raise StatsError(
            f"{first} and {name} have different indexes, so that it is not sure which rows belong together.",
            where,
            f"Put {name} into the order of {first} with .loc[{first}.index]; if the rows are in one order "
            "already, pass both with .reset_index(drop=True) or .to_numpy().",
        )


def numbers(values: Any, name: str) -> FloatArray:
    """Return one column of finite numbers, as a copy of our own."""
    array = floats(values, name)
    if array.ndim != 1:
        raise StatsError(
            f"{name} must be one column of numbers.", f"its shape is {array.shape}", "Pass one value per row."
        )
    refuse(~np.isfinite(array), f"{name} holds an infinite value.", name, array, "Check how it was worked out.")
    return np.array(array)


def read_outcome(values: Any, name: str) -> FloatArray:
    """Return the response as numbers; which of two words is a success is for the caller to say."""
    labels = pd.Series(values)
    if not pd.api.types.is_numeric_dtype(labels.dtype):
        kinds = sorted(labels.astype(str).unique())[:3]
        try:
            return numbers(values, name)
        except StatsError:
            raise StatsError(
                f"The response {name!r} is not a number.",
                f"{name} holds {listed(kinds)}{' among others' if labels.nunique() > len(kinds) else ''}",
                "Turn marks for hidden or missing values into numbers, or leave those rows out; two words become 0 "
                "and 1 by "
                f"data[{name!r}] = (data[{name!r}] == {kinds[-1]!r}).astype(int).",
            ) from None
    array = floats(values, name)
    refuse(
        ~np.isfinite(array),
        f"The response {name!r} is not a finite number in every row.",
        name,
        array,
        "A logarithm needs values above zero, a share something to be out of: check what it is made from.",
    )
    return numbers(array, name)


def log_exposure(values: FloatArray, name: str) -> FloatArray:
    """Return the logarithm of what the counts are out of."""
    refuse(
        values <= 0,
        f"{name} must be above zero: a count needs something to be out of.",
        name,
        values,
        "Leave those rows out, or correct them.",
    )
    return np.log(values)


def unit_codes(labels: Any, level: str) -> tuple[IntArray, pd.Index[Any]]:
    """Return the number of each row's unit, and the labels of the units in order.

    The order is that of the sorted labels (of the categories, for a categorical column), so that it does not depend on
    the order of the rows. A category that no row has is not a unit.
    """
    if isinstance(labels, (pd.Series, pd.Index)):
        labels = labels.array
    elif not isinstance(labels, (pd.Categorical, pd.api.extensions.ExtensionArray)):
        labels = np.asarray(labels)
    if labels.ndim != 1:
        raise StatsError(
            f"The labels of level {level!r} must be one column.",
            f"{level}, its shape is {labels.shape}",
            "Pass one label per row; levels of their own are columns of their own.",
        )
    if isinstance(labels, pd.Categorical):
        found, units = np.asarray(labels.codes, dtype=np.int64), pd.Index(labels.categories)
        present = np.bincount(found, minlength=len(units)) > 0
        codes, units = (np.cumsum(present) - 1)[found], units[present]
    else:
        first, uniques = pd.factorize(labels)
        units = pd.Index(uniques)
        order = _sorted_order(units, level)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        codes, units = place[first], units[order]
    _refuse_blank(codes, units, level)
    return np.asarray(codes, dtype=np.int64), units.rename(level)


def _sorted_order(units: pd.Index[Any], level: str) -> IntArray:
    try:
        return np.asarray(units.argsort(), dtype=np.int64)
    except TypeError:
        example = {"text" if isinstance(label, str) else type(label).__name__: label for label in units}
        raise StatsError(
            f"The labels of level {level!r} are of more than one kind: {listed(sorted(example))}.",
            f"{level}, for example {' and '.join(f'{label} ({kind})' for kind, label in sorted(example.items()))}",
            f"The same unit may be there twice. Make them all text: data[{level!r}] = data[{level!r}].astype(str).",
        ) from None


def _refuse_blank(codes: IntArray, units: pd.Index[Any], level: str) -> None:
    if not pd.api.types.is_string_dtype(units.dtype):
        return
    blank = np.asarray(units.str.strip() == "")
    if blank.any():
        rows = np.flatnonzero(blank[codes])
        raise StatsError(
            f"Level {level!r} has blank labels, which would make one unit of rows that have none.",
            f"{level}: {counted(len(rows), 'row')}, the first is row {int(rows[0]) + 1}",
            "Leave those rows out, or give each a label of its own.",
        )


def check_seed(seed: Any) -> int:
    """Return a seed that makes draws repeatable."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise StatsError(
            "seed must be a whole number, zero or more.",
            f"seed is {seed!r}",
            "Choose any number, for example 1, and state it: the same seed gives the same draws.",
        )
    return int(seed)


def rarer_events(codes: IntArray, response: FloatArray, trials: FloatArray | None) -> FloatArray:
    """Return for each unit with rows its events, or its non-events where these are fewer."""
    present = np.bincount(codes) > 0
    events = np.bincount(codes, response)[present]
    if trials is not None:
        events = np.minimum(events, np.bincount(codes, trials)[present] - events)
    return np.asarray(events, dtype=np.float64)


def listed(names: Sequence[str], joint: str = "and") -> str:
    """Return names in quotes as a phrase: 'a', 'b' and 'c'."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > 6:
        quoted = [*quoted[:5], f"{len(quoted) - 5} more"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {joint} {quoted[-1]}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 row, 1,234 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
