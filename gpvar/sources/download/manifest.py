"""The list of what was downloaded: `manifest.csv` in the folder of the downloads, one row for each file that came."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from gpvar.errors import SourceError
from gpvar.problems import listing

NAME = "manifest.csv"
_BOM = b"\xef\xbb\xbf"
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Noted:
    """One row of the manifest.

    Attributes
    ----------
    file
        Its name in the folder.
    source
        Source id of the catalogue; empty for an address that is not in it.
    edition
        Edition id of the catalogue.
    page, address
        Where it comes from.
    sha256, bytes
        What came.
    downloaded_at
        When, in universal time.
    how
        ``fetched``, ``resumed`` or ``by hand``.
    """

    file: str
    source: str = ""
    edition: str = ""
    page: str = ""
    address: str = ""
    sha256: str = ""
    bytes: int = 0
    downloaded_at: str = ""
    how: str = ""


COLUMNS = tuple(item.name for item in fields(Noted))
_NEEDED = ("file", "sha256")


def read_manifest(folder: Path) -> tuple[Noted, ...]:
    """Return what the manifest of a folder says, in its order; nothing where there is none.

    Raises
    ------
    SourceError
        When it cannot be read as one.
    """
    path = folder / NAME
    if not path.exists():
        return ()
    text = _text(path)
    rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text)))
    if not rows:
        return ()
    header = _header(rows[0], path)
    return tuple(_noted(dict(zip(header, row, strict=False))) for row in rows[1:] if any(row))


def note_file(folder: Path, noted: Noted) -> None:
    """Add a row to the manifest of a folder; what stands there stays as it is.

    Parameters
    ----------
    folder
        The folder of the downloads.
    noted
        The row; the moment is put in where it is left out.

    Raises
    ------
    SourceError
        When the manifest cannot be read as one, or cannot be written. It is then as it was.
    """
    path = folder / NAME
    row = asdict(noted)
    row["downloaded_at"] = noted.downloaded_at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    row["bytes"] = noted.bytes or ""
    text = _text(path) if path.exists() else ""
    if not text.strip():
        text = _line(COLUMNS, ",")
    if not text.endswith("\n"):
        text += "\r\n"
    delimiter = _delimiter(text)
    header = _header(next(csv.reader(io.StringIO(text), delimiter=delimiter)), path)
    _replace(path, text + _line([_as_text(row.get(name, "")) for name in header], delimiter))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(
            "The list of downloads cannot be read.", f"{path}: {error.strerror}", "Close it elsewhere, then try again."
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Excel, asked for CSV without more, writes the characters of Windows.
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """Return what stands between the cells; Excel saves with semicolons on a computer that writes decimal commas."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _header(row: list[str], path: Path) -> list[str]:
    header = [cell.strip().lower() for cell in row]
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise SourceError(
            f"The list of downloads has lost its headings: {listing(missing)} is missing.",
            f"{path}, row 1",
            f"Rename it (nothing in it is needed to read the data); a new one is begun. Its headings are: "
            f"{', '.join(COLUMNS)}.",
        )
    return header


def _noted(row: dict[str, str]) -> Noted:
    values = {name: row.get(name, "").strip().removeprefix("'") for name in COLUMNS}
    size = values.pop("bytes").replace(",", "")
    return Noted(**values, bytes=int(size) if size.isdecimal() else 0)


def _as_text(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Sequence[str], delimiter: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return stream.getvalue()


def _replace(path: Path, text: str) -> None:
    """Put a whole new text in place of the old, or leave the old as it is."""
    new = path.with_name(f".{NAME}.{os.getpid()}")
    try:
        with new.open("wb") as file:
            file.write(_BOM + text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise SourceError(
            "The list of downloads could not be written; the downloads themselves are not touched.",
            f"{path}: {error.strerror}",
            "Close it in Excel if it is open there, then run the same command again.",
        ) from error
