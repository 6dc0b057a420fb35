"""Write tables as the publishers write theirs, to the byte: line ends, quotes, byte order mark, packing."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

#: The clock of every zip, so that the same figures give the same bytes.
_CLOCK = (2026, 7, 3, 9, 19, 16)


def csv_bytes(
    frame: pd.DataFrame,
    *,
    line_end: str = "\r\n",
    mark: bool = False,
    quote_all: bool = False,
    header: bool = True,
    last_end: bool = True,
) -> bytes:
    """Return a table as the bytes of a CSV.

    Parameters
    ----------
    frame
        The table; its columns in the order of the file.
    line_end
        What ends a line.
    mark
        Whether a byte order mark stands first.
    quote_all
        Whether every cell is quoted, or only those that need it.
    header
        Whether the headings are written.
    last_end
        Whether the last line is ended too.
    """
    text = frame.to_csv(
        index=False,
        header=header,
        lineterminator=line_end,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
    )
    if not last_end:
        text = text.removesuffix(line_end)
    return text.encode("utf-8-sig" if mark else "utf-8")


def write(path: Path, data: bytes) -> Path:
    """Write bytes to a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a zip of the named members, the same bytes on every day and system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _CLOCK)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return path


def plain(values: pd.Series, digits: int) -> pd.Series:
    """Return numbers as the publishers print them: rounded, and no noughts after the last figure that counts."""
    text = values.round(digits).map(lambda value: f"{value:.{digits}f}")
    short = text.str.rstrip("0").str.rstrip(".") if digits else text
    return short.replace("-0", "0")
