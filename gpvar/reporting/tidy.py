"""A table with the types that its schema gives, as CSV and as Parquet: the same bytes for the same numbers."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gpvar import schema
from gpvar.reporting.files import FORMULA

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = ("text", "code")
_ARROW = {
    "text": pa.string(),
    "code": pa.string(),
    "number": pa.float64(),
    "whole number": pa.int64(),
    "yes/no": pa.bool_(),
}


def types_of(table: str, frame: pd.DataFrame) -> dict[str, str]:
    """Return the type of every column: the schema's, and for a characteristic, which it cannot name, what it holds."""
    known = {column.name: column.type for column in schema.TABLES[table]}
    return {str(name): known.get(str(name)) or _seen(frame[name]) for name in frame.columns}


def _seen(values: pd.Series) -> str:
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"


def typed(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """Return the frame with every column of its declared type; a missing text is an empty one."""
    made = {name: _column(frame[name], types[name]) for name in frame.columns}
    return pd.DataFrame(made, columns=frame.columns).reset_index(drop=True)


def _column(values: pd.Series, kind: str) -> pd.Series:
    if kind in _TEXT:
        return values.astype("string").fillna("")
    if kind == "yes/no":
        return values.replace({"": None}).astype("boolean")
    numbers = pd.to_numeric(values).astype("float64")
    if kind == "whole number":
        return numbers.astype("Int64")
    return numbers


def arrow(frame: pd.DataFrame, types: Mapping[str, str]) -> pa.Table:
    """Return the frame as an Arrow table: text stays text, whole numbers whole, an empty table keeps its types."""
    fields = [pa.field(str(name), _ARROW[types[str(name)]]) for name in frame.columns]
    return pa.Table.from_arrays(
        [pa.Array.from_pandas(frame[field.name], type=field.type) for field in fields], schema=pa.schema(fields)
    )


def csv(table: pa.Table) -> bytes:
    """Return a CSV for programs: UTF-8, text in quotation marks, and none that a spreadsheet takes for a formula."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field, _harmless(table.column(place)))
    target = io.BytesIO()
    pacsv.write_csv(table, target)
    return target.getvalue()


def _harmless(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    dangerous = compute.match_substring_regex(texts, f"^[{re.escape(''.join(FORMULA))}]")
    return compute.if_else(dangerous, compute.binary_join_element_wise("'", texts, ""), texts)


def parquet(table: pa.Table) -> bytes:
    """Return a Parquet file."""
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()


def described(frame: pd.DataFrame) -> bytes:
    """Return a data dictionary, all of it text, as a CSV."""
    types = dict.fromkeys(map(str, frame.columns), "text")
    return csv(arrow(typed(frame, types), types))
