"""The lines of a study file that gpvar writes itself; everything else in the file stays as it is, byte for byte."""

from __future__ import annotations

import codecs
import contextlib
import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.study import load_study

BEGIN = "# Files that gpvar found. It writes these lines anew when it takes files in: put your own sources above them."
END = "# End of the files that gpvar found."


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file, cut into what stands before gpvar's own lines, those lines, and what stands after.

    Attributes
    ----------
    encoding
        How its letters are written.
    line_end
        How its lines end.
    before, own, after
        Its text, with the line ends that it has.
    """

    path: Path
    encoding: str
    line_end: str
    before: str
    own: str
    after: str

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The sources in gpvar's own lines."""
        return list(tomllib.loads(self.own).get("source", []))


def read_study_file(path: Path) -> StudyFile:
    """Return a study file in its parts.

    Raises
    ------
    StudyError
        When it cannot be opened, or the mark that ends gpvar's own lines is gone.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _not_written(path, error, "read") from error
    encoding = _encoding(raw)
    text = raw.decode(encoding)
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    begins = [at for at, line in enumerate(lines) if line.strip() == BEGIN]
    if not begins:
        return StudyFile(path, encoding, line_end, text, "", "")
    first = begins[0]
    ends = [at for at, line in enumerate(lines) if line.strip() == END and at > first]
    if not ends or len(begins) > 1:
        raise _lost_mark(path, [at + 1 for at in begins])
    own = lines[first : ends[0] + 1]
    return StudyFile(
        path,
        encoding,
        line_end,
        before="".join(f"{line}\n" for line in lines[:first]),
        own="".join(f"{line}\n" for line in own),
        after="\n".join(lines[ends[0] + 1 :]),
    )


def _lost_mark(path: Path, begins: list[int]) -> StudyError:
    if len(begins) > 1:
        return StudyError(
            "The lines in the study file that gpvar writes itself begin twice, so it cannot tell them from yours.",
            f"{path}, lines {listing(str(line) for line in begins)}",
            "Keep one line that starts '# Files that gpvar found', and one below it that starts '# End of the files'.",
        )
    return StudyError(
        "The lines in the study file that gpvar writes itself have no end, so it cannot tell them from yours.",
        f"{path}, from line {begins[0]}",
        f"Write this below the last of them, on a line of its own: {END}",
    )


def _encoding(raw: bytes) -> str:
    """Return how letters are written; the mark at the beginning of a file stays in its text."""
    if raw.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    return "utf-16-be" if raw.startswith(codecs.BOM_UTF16_BE) else "utf-8"


def write_own_lines(file: StudyFile, own: str, folder: Path) -> None:
    """Put other lines in place of gpvar's own, once it is known that the study is still read.

    Raises
    ------
    StudyError
        When the file cannot be written, or would no longer be read; it is then as it was.
    """
    apart = "" if file.own else "\n" if file.before.endswith("\n") else "\n\n"
    lines = f"{apart}{BEGIN}\n{own}{END}\n".replace("\n", file.line_end)
    text = f"{file.before}{lines}{file.after}"
    try:
        content = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        raise StudyError(
            "The files were not named in the study: its own sources are written in a way that cannot be added to.",
            str(file.path),
            "Write each of your own sources under a line [[source]] (two brackets), with lines id = and file = below "
            "it, and run the same command again.",
        ) from None
    load_study(content, folder, complete=False)
    _replace(file.path, text.encode(file.encoding))


def _replace(path: Path, raw: bytes) -> None:
    """Write a file whole or not at all, where it really lies."""
    path = path.resolve()
    unfinished = path.with_name(f"{path.name}.part")
    try:
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "it is read-only")
        unfinished.write_bytes(raw)
        shutil.copymode(path, unfinished)
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise _not_written(path, error, "written") from error


def _not_written(path: Path, error: OSError, what: str) -> StudyError:
    return StudyError(
        f"The study file could not be {what} ({error.strerror or error}).",
        str(path),
        "Close it in any other program, and run the same command again.",
    )
