"""The England reference file as a file: written whole or not at all, and opened only when every part is as written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gpvar.errors import SourceError
from gpvar.problems import listing
from gpvar.sources.files.members import damaged, fingerprint, members
from gpvar.sources.files.opening import require_file

#: Raised whenever what is kept in the file changes its form or meaning.
FORMAT = 2
KIND = "gpvar England reference file"
MANIFEST = "manifest.json"
_MOST_BYTES = 200_000_000
_AGAIN = "Get it again from whoever made it, or make it anew: python run.py reference build"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Opened:
    """A reference file of which every part is as it was written.

    Attributes
    ----------
    path
        Where it lies.
    manifest
        What it says of itself.
    parts
        Its other members by name.
    sha256, size
        Of the whole file.
    """

    path: Path
    manifest: dict[str, Any]
    parts: dict[str, bytes]
    sha256: str
    size: int


def write(target: Path, parts: Mapping[str, bytes], manifest: Mapping[str, Any], made_on: date) -> tuple[str, int]:
    """Write a reference file; what was there before stays until the new file has been read back.

    Parameters
    ----------
    target
        Where it goes.
    parts
        Name → content, in the order in which they are to stand.
    manifest
        What the file says of itself; the parts' SHA-256 are added.
    made_on
        The day that the members bear, so that the same content gives the same bytes.

    Returns
    -------
    tuple
        SHA-256 and bytes of the file.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    held = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in parts.items()}
    whole = {"kind": KIND, "format": FORMAT, **manifest, "members": held}
    text = json.dumps(whole, indent=1, ensure_ascii=False).encode("utf-8")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            _zip(file, {MANIFEST: text, **parts}, made_on)
            file.flush()
            os.fsync(file.fileno())
        opened(unfinished)
        os.replace(unfinished, target)
    except OSError as error:
        raise SourceError(
            f"The reference file could not be written ({error.strerror or error}); what was there before is untouched.",
            str(target),
            "Close it in any other program, see that you may write there and that the disk is not full, and try again.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return fingerprint(target)


def _zip(file: Any, parts: Mapping[str, bytes], made_on: date) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, (made_on.year, made_on.month, made_on.day, 0, 0, 0))
            # The system on which it was written is not to change the bytes.
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            packed = name.endswith(".parquet")
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=None if packed else 9)
        archive.comment = _seal(parts[MANIFEST])


def _seal(manifest: bytes) -> bytes:
    return f"{KIND} {hashlib.sha256(manifest).hexdigest()}".encode("ascii")


def is_reference(path: Path) -> bool:
    """Return whether a file says that it is a reference file; whether it is a good one is for `opened` to find out."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment.startswith(KIND.encode("ascii"))
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def opened(path: Path) -> Opened:
    """Open a reference file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Opened

    Raises
    ------
    SourceError
        When it is missing, is something else, was written by a newer gpvar, or any part of it is not as written.
    """
    require_file(path)
    with path.open("rb") as file:
        if file.read(4) not in _ZIP:
            raise _something_else(path, "")
    held = {member.name: member for member in members(path)}
    if MANIFEST not in held:
        raise _something_else(path, f" It holds {listing(held, 3)}.")
    if sum(member.size for member in held.values()) > _MOST_BYTES:
        raise SourceError(
            f"The file unpacks to more than {_MOST_BYTES / 1e6:,.0f} MB, which no reference file does.",
            str(path),
            _AGAIN,
        )
    data = {name: _bytes(member) for name, member in held.items()}
    text = data.pop(MANIFEST)
    manifest = _manifest(text, path)
    if _comment(path) != _seal(text):
        raise _changed(MANIFEST, path)
    said = manifest["members"]
    for name in sorted(set(said) | set(data)):
        there = {"sha256": hashlib.sha256(data[name]).hexdigest(), "bytes": len(data[name])} if name in data else {}
        if there != said.get(name):
            raise _changed(name, path)
    sha256, size = fingerprint(path)
    return Opened(path, manifest, data, sha256, size)


def _bytes(member: Any) -> bytes:
    with member.open() as stream:
        return bytes(stream.read())


def _comment(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment
    except zipfile.BadZipFile:
        raise damaged(str(path)) from None


def _manifest(text: bytes, path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(text.decode("utf-8"))
    except ValueError:
        raise _changed(MANIFEST, path) from None
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise _something_else(path, "")
    if manifest.get("format") != FORMAT:
        older = isinstance(manifest.get("format"), int) and manifest["format"] < FORMAT
        raise SourceError(
            f"The reference file was written by {'an older' if older else 'a newer'} gpvar ({manifest.get('gpvar')}), "
            "in a form that this one cannot read.",
            str(path),
            f"{'H' if older else 'Use a newer gpvar, or h'}ave the file made with this one: python run.py reference "
            "build",
        )
    if not isinstance(manifest.get("members"), dict):
        raise _changed(MANIFEST, path)
    return manifest


def _something_else(path: Path, said: str) -> SourceError:
    return SourceError(
        f"This is not an England reference file.{said}",
        str(path),
        "Name the zip that 'reference build' wrote; its name begins with england-reference. An official publication is "
        "named under its own id.",
    )


def _changed(name: str, path: Path) -> SourceError:
    return SourceError(
        f"The reference file is not as it was made: {name} is missing, is new or has changed. Nothing of it was used.",
        str(path),
        _AGAIN,
    )
