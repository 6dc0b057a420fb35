"""From a path to bytes: missing, locked, empty, cut short, too large or disguised files are named for what they are."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gpvar.errors import SourceError
from gpvar.problems import closest, listing

#: A table of every practice in England with seventy columns is 4 MB; a workbook or CSV beyond this is something else.
MAX_BYTES = 300_000_000

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it was read: its bytes (unpacked), what kind it is, and its fingerprint.

    Attributes
    ----------
    kind
        ``"text"`` or ``"workbook"``.
    data
        The content, unpacked when the file was a gzip.
    sha256, size
        Of the file as it lies on disk.
    """

    path: Path
    kind: str
    data: bytes
    sha256: str
    size: int


def open_file(path: Path, max_bytes: int = MAX_BYTES) -> Opened:
    """Read a file whole, or say in words why it cannot be used.

    Parameters
    ----------
    path
        The file.
    max_bytes
        The most that is read, packed or unpacked.

    Raises
    ------
    SourceError
        When the file is missing, empty, cut short, too large, protected, or not a table.
    """
    raw = _read(path, max_bytes)
    sha256 = hashlib.sha256(raw).hexdigest()
    data = _unpacked(raw, path, max_bytes)
    if not data.strip():
        raise SourceError("The file is empty.", str(path), "Download or save it again; it should hold a table.")
    kind = _kind(data, path, max_bytes)
    return Opened(path, kind, data, sha256, len(raw))


def _read(path: Path, max_bytes: int) -> bytes:
    size = require_file(path)
    if size > max_bytes:
        raise _too_large(path, size, max_bytes)
    with _in_words(path):
        return path.read_bytes()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Say in words why a file that is there cannot be opened or read."""
    try:
        yield
    except PermissionError:
        raise SourceError(
            "The file cannot be opened: another program holds it, or you may not read it.",
            str(path),
            "Close it in Excel, wait for OneDrive to finish, and try again.",
        ) from None
    except OSError as error:
        raise SourceError(
            f"The file cannot be read ({error.strerror}).", str(path), "Copy it to this computer and try again."
        ) from None


def require_file(path: Path) -> int:
    """Return the size of a file that is there, is not empty and can be opened.

    Raises
    ------
    SourceError
        When it is not; what is there instead is named.
    """
    if path.name.startswith("~$"):
        whole = path.name.removeprefix("~$")
        raise SourceError(
            "This is the mark that Excel leaves beside a workbook that is open, not the workbook.",
            str(path),
            f"Name the workbook itself, {whole}.",
        )
    if not path.exists():
        raise _missing(path)
    if not path.is_file():
        raise SourceError("This is a folder, not a file.", str(path), "Name the file inside it.")
    size = path.stat().st_size
    if size == 0:
        raise SourceError("The file is empty (0 bytes).", str(path), "Download or save it again.")
    with _in_words(path), path.open("rb") as file:
        file.read(1)
    return size


def _missing(path: Path) -> SourceError:
    folder = path.parent
    if not folder.is_dir():
        return SourceError(
            "The data file is not there, nor is its folder.", str(path), "Correct file = in the study file."
        )
    here = sorted(item.name for item in folder.iterdir() if item.is_file() and not item.name.startswith(("~$", ".")))
    near = closest(path.name, here)
    if near:
        fix = f"Did you mean {' or '.join(near)}? Correct file = in the study file."
    elif here:
        fix = f"That folder holds {listing(here, 8)}. Correct file = in the study file."
    else:
        fix = "That folder is empty. Put the file there, or correct file = in the study file."
    return SourceError("The data file is not there.", str(path), fix)


def _too_large(path: Path, size: int | None, max_bytes: int) -> SourceError:
    how_large = "it unpacks to more" if size is None else f"{_megabytes(size)}, more"
    return SourceError(
        f"The file is too large for a table of practices: {how_large} than {_megabytes(max_bytes)}.",
        str(path),
        "Keep only the rows and columns that are needed, save that as a file of its own, and name it instead.",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size:,} bytes"


def _unpacked(raw: bytes, path: Path, max_bytes: int) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            data = packed.read(max_bytes + 1)
    except (EOFError, zlib.error, OSError):
        raise SourceError(
            "The packed file is cut short or damaged; nothing of it was used.", str(path), "Download or copy it again."
        ) from None
    if len(data) > max_bytes:
        raise _too_large(path, None, max_bytes)
    return data


def _kind(data: bytes, path: Path, max_bytes: int) -> str:
    start = data[:2048].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<script")):
        raise SourceError(
            "This is a web page, whatever its name says; a download may have returned a sign-in or error page.",
            str(path),
            "Open it in Excel and save it as an Excel workbook (.xlsx) or CSV, or download it again.",
        )
    if start[:1] in (b"{", b"[") and _is_json(data):
        raise SourceError(
            "This is a JSON file, not a table.", str(path), "Save the figures as CSV or .xlsx, a row per practice."
        )
    if data[:4] == b"%PDF":
        raise SourceError("This is a PDF, not a table.", str(path), "Ask its supplier for the figures as CSV or Excel.")
    if data[:8] == _OLD_OFFICE:
        if _ENCRYPTED in data:
            raise SourceError(
                "The workbook is protected by a password.",
                str(path),
                "Open it in Excel, remove the password (File, Info, Protect Workbook), and save it.",
            )
        return "workbook"
    if data[:2] == b"PK":
        _check_zip(data, path, max_bytes)
        return "workbook"
    if _is_binary(data):
        raise SourceError("This is neither text nor an Excel workbook.", str(path), "Save the table as CSV or .xlsx.")
    return "text"


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        # One that was cut short is recognised by its first marks.
        return re.match(rb'\s*[\[{]\s*[\[{"]', data.removeprefix(b"\xef\xbb\xbf")) is not None
    return True


def _is_binary(data: bytes) -> bool:
    """Return whether the bytes cannot be text; UTF-16 text holds zero bytes too, but in every other place."""
    start = data[:4096]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" not in start:
        return False
    return start[1::2].count(0) < len(start) // 4 and start[0::2].count(0) < len(start) // 4


def _check_zip(data: bytes, path: Path, max_bytes: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            names = parts.namelist()
            size = sum(part.file_size for part in parts.infolist())
    except zipfile.BadZipFile:
        raise SourceError(
            "The workbook is cut short or damaged; nothing of it was used.", str(path), "Download or copy it again."
        ) from None
    if size > 4 * max_bytes:
        raise _too_large(path, size, 4 * max_bytes)
    if not any(name in ("[Content_Types].xml", "content.xml", "mimetype") for name in names):
        raise SourceError(
            f"This is a zip archive ({listing(names, 4)}), not a table.",
            str(path),
            "Unpack it and name the file inside.",
        )
