"""Columns packed small and the same every time, and brought back exactly as they were.

Columns that say the same are kept once: most metrics share a denominator with another, and most registers their list.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

#: Beyond these a table is none of practices and months, and is not opened.
_MOST_ROWS, _MOST_COLUMNS = 2_000_000, 2_000
_LARGEST_WHOLE = 2**31 - 1
#: How far a packed file goes before its bytes depend on the machine: fixed, so that the same columns give the same.
_PACKING = {"compression": "zstd", "compression_level": 19, "write_statistics": False, "store_schema": False}


@dataclass(frozen=True, slots=True)
class Packed:
    """A table as bytes, and where each column stands in it.

    Attributes
    ----------
    data
        A Parquet file.
    keys
        The columns that tell the rows apart.
    where
        Name → the column that holds it and the type it had.
    """

    data: bytes
    keys: tuple[str, ...]
    where: dict[str, dict[str, str]]


def pack(keys: pd.DataFrame, columns: Mapping[str, pd.Series]) -> Packed:
    """Pack columns that have a row for each row of the keys.

    Parameters
    ----------
    keys
        Columns of text that tell the rows apart, sorted so that like rows follow each other.
    columns
        Name → values, in the order of the keys; NaN where there is none.

    Returns
    -------
    Packed
    """
    arrays: dict[str, pa.Array] = {str(name): _text(keys[name]) for name in keys}
    where: dict[str, dict[str, str]] = {}
    known: dict[bytes, str] = {}
    for name, values in columns.items():
        array = _array(values)
        mark = _mark(array)
        if mark not in known:
            known[mark] = name
            arrays[name] = array
        where[name] = {"column": known[mark], "type": str(values.dtype)}
    stream = io.BytesIO()
    table = pa.table(arrays)
    numbers = [name for name, array in arrays.items() if pa.types.is_primitive(array.type) and array.type != pa.bool_()]
    pq.write_table(
        table,
        stream,
        use_dictionary=[name for name in arrays if name not in numbers],
        # The first bytes of neighbouring counts are alike, and pack well beside each other.
        column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
        row_group_size=max(len(keys), 1),
        data_page_size=1 << 24,
        **_PACKING,
    )
    return Packed(stream.getvalue(), tuple(str(name) for name in keys), where)


def _text(values: pd.Series) -> pa.Array:
    return pa.array(values.to_numpy(dtype=object), type=pa.string(), from_pandas=True)


def _array(values: pd.Series) -> pa.Array:
    """Return text, yes or no, whole numbers where all are whole, else numbers as they are."""
    if not pd.api.types.is_numeric_dtype(values):
        return _text(values)
    if pd.api.types.is_bool_dtype(values):
        return pa.array(values.to_numpy(bool))
    numbers = values.to_numpy(dtype=float)
    found = numbers[np.isfinite(numbers)]
    if (
        len(found)
        and (found % 1 == 0).all()
        and (np.abs(found) <= _LARGEST_WHOLE).all()
        and not np.isinf(numbers).any()
    ):
        return pa.array(numbers, from_pandas=True).cast(pa.int32())
    return pa.array(numbers, from_pandas=True)


def _mark(array: pa.Array) -> bytes:
    """Return what tells one column's content from another's."""
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, pa.schema([("", array.type)])) as writer:
        writer.write_batch(pa.record_batch([array], names=[""]))
    return stream.getvalue()


def unpack(data: bytes, where: Mapping[str, Mapping[str, str]], keys: list[str]) -> pd.DataFrame:
    """Return the keys, and every column by its name and with its type.

    Parameters
    ----------
    data, where
        What `pack` returned.
    keys
        Names of the keys.

    Raises
    ------
    ValueError
        When the bytes are not such a table, or it has not the columns said.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        if file.metadata.num_rows > _MOST_ROWS or file.metadata.num_columns > _MOST_COLUMNS:
            raise ValueError("the table is too large")
        table = file.read(use_threads=False)
        columns = {name: _series(table.column(name), "str") for name in keys}
        columns |= {name: _series(table.column(said["column"]), said["type"]) for name, said in where.items()}
    except (pa.ArrowException, KeyError, OSError, TypeError) as error:
        raise ValueError(str(error)) from None
    return pd.DataFrame(columns)


def _series(column: pa.ChunkedArray, kind: str) -> pd.Series:
    if pa.types.is_string(column.type):
        values: Any = column.to_pandas(types_mapper={pa.string(): pd.StringDtype(na_value=np.nan)}.get)
    else:
        values = column.to_pandas()
    return pd.Series(values).astype(kind)
