"""Where a fetched file goes: what it is called, what it was packed in, and what it must not replace."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path, PurePosixPath

from gpvar.sources.download.asking import TransferFailed
from gpvar.sources.download.manifest import NAME as MANIFEST
from gpvar.sources.files.members import fingerprint

#: The folder of files that their publishers have replaced.
EARLIER = "earlier"
_LONGEST_NAME = 150
_PARTS = (".part", ".part.json")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def safe_name(text: str) -> str:
    """Return a file's name as every system can have it: no folder, nothing reserved, not too long; may be empty."""
    name = re.split(r"[/\\]", text)[-1]
    name = re.sub(r'[<>:"|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]', "_", name).strip(" .")
    if _RESERVED.fullmatch(name.partition(".")[0].strip()):
        name = f"_{name}"
    if len(name) > _LONGEST_NAME:
        end = PurePosixPath(name).suffix[:10]
        name = name[: _LONGEST_NAME - len(end)].rstrip(" .") + end
    return name


def is_own(path: Path) -> bool:
    """Return whether a file in a folder of downloads is the fetcher's own: its list, a part, a file being made."""
    return path.name == MANIFEST or path.name.startswith(".") or path.name.endswith(_PARTS)


def unpack(whole: Path, encoding: str, most_bytes: int) -> None:
    """Undo what the site did to the file for its journey."""
    if not encoding or whole.suffix.lower() == ".gz":
        return
    if encoding not in ("gzip", "x-gzip"):
        raise TransferFailed("packing", encoding)
    plain = whole.with_name("plain")
    length = 0
    try:
        with gzip.open(whole, "rb") as source, plain.open("wb") as target:
            while chunk := source.read(1 << 20):
                length += len(chunk)
                if length > most_bytes:
                    raise TransferFailed("too large", str(length))
                target.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise TransferFailed("packing", encoding) from None
    os.replace(plain, whole)


def with_suffix(whole: Path) -> Path:
    """Give a file without an ending the one that its first bytes tell, so that it opens in the right program."""
    if whole.suffix:
        return whole
    with whole.open("rb") as file:
        start = file.read(4)
    ending = {b"PK\x03\x04": ".zip"}.get(start) or (".gz" if start[:2] == b"\x1f\x8b" else ".csv")
    return whole.rename(whole.with_name(whole.name + ending))


def file_with(folder: Path, sha256: str, size: int) -> Path | None:
    """Return the file of a folder that has these bytes, whatever it is called."""
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(OSError):
            like = not is_own(path) and path.is_file() and size in (0, path.stat().st_size)
            if like and fingerprint(path)[0] == sha256:
                return path
    return None


def place(whole: Path, target: Path, replaces: Path | None, sleep: Callable[[float], None]) -> tuple[Path, Path | None]:
    """Put a good file in its folder without losing another.

    Parameters
    ----------
    whole
        The file, on the same disk.
    target
        Where it goes, if nothing is there.
    replaces
        The earlier state of the same file, whose name it takes and which is set aside; None where there is none.
    sleep
        How to wait for a program that looks at the file, as one against viruses does.

    Returns
    -------
    tuple
        Where it is, and where the earlier one is now.
    """
    kept = _set_aside(replaces, sleep) if replaces is not None else None
    target = replaces or _free_name(target)
    try:
        _move(whole, target, sleep)
    except BaseException:
        if kept is not None:
            with contextlib.suppress(OSError):
                os.replace(kept, target)
        raise
    return target, kept


def _set_aside(path: Path, sleep: Callable[[float], None]) -> Path:
    """Move a file that its publisher has replaced to where no reader looks, and return where."""
    day = date.fromtimestamp(path.stat().st_mtime).isoformat()
    folder = path.parent / EARLIER
    folder.mkdir(exist_ok=True)
    kept = _free_name(folder / f"{path.stem}.{day}{path.suffix}")
    _move(path, kept, sleep)
    return kept


def _move(source: Path, target: Path, sleep: Callable[[float], None]) -> None:
    for wait in (0.1, 0.3, 1.0):
        with contextlib.suppress(PermissionError):
            os.replace(source, target)
            return
        sleep(wait)
    try:
        os.replace(source, target)
    except PermissionError as error:
        raise TransferFailed("held", error.strerror or "") from error


def _free_name(path: Path) -> Path:
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free
