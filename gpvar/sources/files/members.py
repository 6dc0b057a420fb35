"""The tables inside a file as it was downloaded: the file itself, its unpacked gzip, or the members of a zip.

Members are read by name as streams and never unpacked to disk, so that a name cannot lead anywhere and a file larger
than memory can be read.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from gpvar.errors import SourceError
from gpvar.problems import listing
from gpvar.sources.files.opening import require_file

#: A month of appointments by practice is 190 MB; a member beyond this is no file of these publications.
MAX_MEMBER_BYTES = 2_000_000_000
#: Appointments pack to a fortieth. A member that packs to less than this share of itself is made to fill a disk.
_LEAST_PACKED = 1 / 400
_SMALL = 20_000_000
_PACKED = (".zip", ".7z", ".rar", ".gz", ".tar")
_GZIP = b"\x1f\x8b"
_BUFFER = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)
_NOT_THE_PUBLISHERS = "It is not the publisher's file: download it again from the page that 'sources STUDY' names."


@dataclass(frozen=True, slots=True)
class Member:
    """One table inside a file.

    Attributes
    ----------
    path
        The file as it lies on disk.
    name
        The member's name inside a zip; empty for a bare file or a gzip.
    size
        Unpacked bytes; 0 where the file does not say (gzip).
    """

    path: Path
    name: str
    size: int

    @property
    def label(self) -> str:
        """What to call it in a message, as ``"Crosstab_Jun_26.zip: Mapping.csv"``."""
        return f"{self.path.name}: {self.name}" if self.name else self.path.name

    @property
    def place(self) -> str:
        """Where it is, with its folder."""
        return f"{self.path}: {self.name}" if self.name else str(self.path)

    def open(self, most: int | None = None, what: str = "any of these publications") -> BinaryIO:
        """Return the unpacked bytes as a stream to be closed by the caller.

        Parameters
        ----------
        most
            Bytes that it may unpack to, where that is less than for the largest publication.
        what
            What never has more, for the message.

        Raises
        ------
        SourceError
            Now or while reading, when the file is cut short, damaged, or larger than it may be.
        """
        return cast(BinaryIO, io.BufferedReader(_Guarded(self, most, what), _BUFFER))


class _Guarded(io.RawIOBase):
    """A member's bytes; what goes wrong while reading is said in words."""

    def __init__(self, member: Member, most: int | None, what: str) -> None:
        self._member = member
        self._what = what
        self._read = 0
        self._most = most
        self._archive: zipfile.ZipFile | None = None
        self._stream: BinaryIO | None = None
        self._packed = 0
        if member.name:
            self._archive = _archive(member.path)
            self._stream = self._member_stream(self._archive)
        elif _starts(member.path, _GZIP):
            self._packed = member.path.stat().st_size
            self._stream = cast(BinaryIO, gzip.GzipFile(member.path))
        else:
            self._stream = member.path.open("rb")

    def _member_stream(self, archive: zipfile.ZipFile) -> BinaryIO:
        try:
            return cast(BinaryIO, archive.open(self._member.name))
        except (NotImplementedError, RuntimeError):
            # Windows writes very large zips in a way of its own (Deflate64); other programs have others.
            self.close()
            raise _not_unpackable(self._member.place) from None
        except _DAMAGED:
            self.close()
            raise damaged(self._member.place) from None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        assert self._stream is not None
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGED:
            raise damaged(self._member.place) from None
        self._read += len(data)
        if self._read > (self._most or MAX_MEMBER_BYTES):
            raise _too_large(self._member.place, self._most or MAX_MEMBER_BYTES, self._what)
        if self._packed and self._read > max(_SMALL, self._packed / _LEAST_PACKED):
            raise SourceError(
                "The file unpacks to more than four hundred times its size, which no publication does; it was not "
                "read to its end.",
                self._member.place,
                _NOT_THE_PUBLISHERS,
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            if self._stream is not None:
                self._stream.close()
            if self._archive is not None:
                self._archive.close()
        super().close()


def members(path: Path) -> tuple[Member, ...]:
    """Return the tables inside a file, without reading them.

    Parameters
    ----------
    path
        A CSV, a gzip of one, or a zip of several. What it is, is told from its bytes and not from its name.

    Raises
    ------
    SourceError
        When the file is missing, empty, locked, cut short, protected by a password, holds another archive, or
        would unpack to more than any of these publications.
    """
    size = require_file(path)
    if _is_zip(path):
        return _zip_members(path)
    return (Member(path, "", 0 if _starts(path, _GZIP) else size),)


@lru_cache(maxsize=256)
def _fingerprint(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path) -> tuple[str, int]:
    """Return the SHA-256 and the size in bytes of a file as it lies on disk."""
    stat = path.stat()
    return _fingerprint(path, stat.st_size, stat.st_mtime_ns), stat.st_size


def damaged(place: str) -> SourceError:
    """Return the error for a packed file that cannot be unpacked whole."""
    return SourceError(
        "The packed file is cut short or damaged; nothing of it was used.", place, "Download or copy it again."
    )


def _too_large(place: str, most: int, what: str) -> SourceError:
    return SourceError(
        f"The file unpacks to more than {_in_bytes(most, 0)}, more than {what}.", place, _NOT_THE_PUBLISHERS
    )


def _not_unpackable(place: str) -> SourceError:
    return SourceError(
        "The file is packed in a way that gpvar cannot unpack.",
        place,
        "Unpack the zip in the computer's own file manager, and name the CSV inside.",
    )


def _in_bytes(size: int, digits: int = 1) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.{digits}f} {unit}"
    return f"{size:,} bytes"


def _starts(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _is_zip(path: Path) -> bool:
    return _starts(path, b"PK\x03\x04") or _starts(path, b"PK\x05\x06")


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _DAMAGED:
        raise damaged(str(path)) from None


def _zip_members(path: Path) -> tuple[Member, ...]:
    with _archive(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_clutter(entry.filename)]
    names = [entry.filename for entry in entries]
    if "[Content_Types].xml" in names:
        raise SourceError(
            "This is an Excel workbook; the publisher's file is a CSV or a zip of CSVs.",
            str(path),
            "Use the file as it was downloaded, not one saved by Excel, which changes codes and dates.",
        )
    if not entries:
        raise SourceError("The zip holds no file.", str(path), "Download it again.")
    for entry in entries:
        _refuse_unsafe(entry, path)
    return tuple(Member(path, entry.filename, entry.file_size) for entry in entries)


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _refuse_unsafe(entry: zipfile.ZipInfo, path: Path) -> None:
    place = f"{path}: {listing([entry.filename])}"
    if entry.flag_bits & 0x1:
        raise SourceError(
            "The zip is protected by a password.",
            place,
            "Official files have none: download it from the publisher's page, or unpack it and name the CSV inside.",
        )
    if entry.filename.lower().endswith(_PACKED):
        raise SourceError(
            "The zip holds another packed file.", place, "Unpack it once and name the packed file inside."
        )
    if ".." in PurePosixPath(entry.filename.replace("\\", "/")).parts or entry.filename.startswith(("/", "\\")):
        raise SourceError(
            "The zip names a file outside itself, which no publisher does.", place, "Download it again from its page."
        )
    bomb = entry.file_size > _SMALL and entry.compress_size < _LEAST_PACKED * entry.file_size
    if bomb or entry.file_size > MAX_MEMBER_BYTES:
        raise SourceError(
            f"A file of {_in_bytes(entry.compress_size)} in the zip says that it unpacks to "
            f"{_in_bytes(entry.file_size)}; it was not opened.",
            place,
            _NOT_THE_PUBLISHERS,
        )
