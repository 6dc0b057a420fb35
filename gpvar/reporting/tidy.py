"""A table with the types that its schema gives, as CSV and as Parquet: the same bytes for the same numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpvar import schema
from gpvar.reporting.files import neutralised

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


def csv(frame: pd.DataFrame) -> bytes:
    """Return a CSV for programs: UTF-8, no byte order mark, and no text that a spreadsheet takes for a formula."""
    text = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    harmless = frame.assign(**neutralised(frame[text]))
    return harmless.to_csv(index=False, lineterminator="\n").encode("utf-8")


def parquet(frame: pd.DataFrame, types: Mapping[str, str]) -> bytes:
    """Return a Parquet file: text stays text, whole numbers whole, and an empty table keeps its columns' types."""
    fields = [pa.field(str(name), _ARROW[types[str(name)]]) for name in frame.columns]
    table = pa.Table.from_arrays(
        [pa.Array.from_pandas(frame[field.name], type=field.type) for field in fields], schema=pa.schema(fields)
    )
    return written(table)


def written(table: pa.Table) -> bytes:
    """Return an Arrow table as the bytes of a Parquet file."""
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()
