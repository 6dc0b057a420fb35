"""Categories of a formula, coded column by column instead of row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpvar.errors import StatsError
from gpvar.stats.multilevel._reading import listed

MANY_CATEGORIES = 20


class UnknownCategory(Exception):
    """A row holds a category that the categories given do not have."""

    def __init__(self, row: int, label: Any, categories: list[Any]) -> None:
        super().__init__(row, label, categories)
        self.row, self.label, self.categories = row, label, categories

    def refusal(self, name: str) -> StatsError:
        return StatsError(
            f"{name} holds a category that has no coefficient.",
            f"{name}, row {self.row + 1}: {listed([self.label])}",
            f"The categories are {listed(self.categories)}. Leave such rows out, or fit with rows of that category.",
        )


class Categories:
    """`C(column)` of a formula: as patsy's own, without its loop over the rows."""

    def __init__(self) -> None:
        self._levels: pd.Index[Any] = pd.Index([])

    def memorize_chunk(self, data: Any, contrast: Any = None, levels: Any = None) -> None:
        self._levels = categories_of(data) if levels is None else pd.Index(levels)

    def memorize_finish(self) -> None:
        """Nothing is left to do: the data come in one piece."""

    def transform(self, data: Any, contrast: Any = None, levels: Any = None) -> Any:
        found = coded(data, self._levels)
        given = getattr(data, "contrast", None) if contrast is None else contrast
        if given is not None:
            found.contrast = given  # type: ignore[attr-defined]
        return found


def categories_of(values: Any) -> pd.Index[Any]:
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


def coded(values: Any, categories: pd.Index[Any]) -> pd.Categorical:
    codes = np.asarray(categories.get_indexer(pd.Index(values)))
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        raise UnknownCategory(row, pd.Index(values)[row], list(categories))
    return pd.Categorical.from_codes(codes, categories=categories)


def prepared(frame: pd.DataFrame, used: tuple[str, ...], categories: dict[str, Any]) -> Any:
    """Return the columns used, as types that patsy handles without a loop over the rows."""
    index = pd.RangeIndex(len(frame))
    columns: dict[str, Any] = {}
    for name in used:
        values = frame[name]
        if name in categories:
            try:
                columns[name] = pd.Series(coded(values, categories[name]), index=index)
            except UnknownCategory as unknown:
                raise unknown.refusal(name) from None
        elif isinstance(values.dtype, pd.api.extensions.ExtensionDtype) and pd.api.types.is_numeric_dtype(values.dtype):
            kind = bool if values.dtype.kind == "b" else np.float64
            columns[name] = pd.Series(values.to_numpy(dtype=kind), index=index)
        else:
            columns[name] = pd.Series(values.array, index=index, copy=False)
    # A mapping is read without copies, but only a frame knows its number of rows when it has no column.
    return columns or pd.DataFrame(index=index)


def refuse_text_numbers(frame: pd.DataFrame, categories: dict[str, Any]) -> None:
    """Refuse columns that would become categories only because a mark or a comma made them text."""
    for name, labels in categories.items():
        if len(labels) <= MANY_CATEGORIES or isinstance(frame[name].dtype, pd.CategoricalDtype):
            continue
        text = pd.Series([str(label) for label in labels])
        number = pd.to_numeric(text.str.replace(",", "").str.rstrip("%"), errors="coerce").notna()
        if number.mean() > 0.5:
            shown = text if number.all() else text[~number]
            raise StatsError(
                f"Column {name!r} looks like numbers that were read as text.",
                f"{name} has {len(labels):,} different values, {listed(list(shown[:3]))} among them",
                f"Read it as numbers, or write C({name}) if each value is a category of its own.",
            )
