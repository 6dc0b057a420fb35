"""Finding and reading a study file, as people save them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpvar.errors import StudyError
from gpvar.problems import listing, nearest
from gpvar.study.checking import checked

if TYPE_CHECKING:
    from gpvar.study.model import Study

_MAX_STUDY_BYTES = 1_000_000


def load_study(
    study: Path | str | Mapping[str, Any], base: Path | str | None = None, *, complete: bool = True
) -> Study:
    """Read and validate a study.

    Parameters
    ----------
    study
        A study file, the folder that holds it, or its content as a dict.
    base
        The folder that relative paths start from when a dict is given; the current folder by default.
    complete
        Whether every figure that is asked for must have its place; one that is still gathering its files need not.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        With everything that is wrong, at once.
    """
    if isinstance(study, Mapping):
        return checked(dict(study), None, Path(base or ".").absolute(), complete)
    # Absolute, because reports are written by a process that has a folder of its own.
    path = find_study(Path(study)).absolute()
    return checked(_parse(path), path, path.parent, complete)


def find_study(path: Path) -> Path:
    """Return the study file at `path`, which may be the file or its folder.

    Raises
    ------
    StudyError
        When there is none, or more than one.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        raise StudyError(
            f"There is no study at '{path}'.{nearest(path.name, beside)}",
            f"the folder {path.parent.absolute()}",
            "Give the study file or the folder that holds it; 'new FOLDER' writes one.",
        )
    found = sorted(item for item in path.glob("*.toml") if _looks_like_a_study(item))
    if not found:
        raise StudyError(
            "There is no study file in this folder.",
            str(path.absolute()),
            "Write one with 'new FOLDER --data FILE', or give the folder that holds study.toml.",
        )
    if len(found) > 1:
        raise StudyError(
            f"This folder holds {len(found)} studies: {listing(item.name for item in found)}.",
            str(path.absolute()),
            f"Name the one you mean, for example {found[0].name}, or keep each study in a folder of its own.",
        )
    return found[0]


def _looks_like_a_study(path: Path) -> bool:
    if path.name == "study.toml":
        return True
    if path.stat().st_size > _MAX_STUDY_BYTES:
        return False
    text = path.read_bytes().decode("utf-8", errors="replace")
    return bool(re.search(r"(?m)^\s*metrics\s*=", text) and re.search(r"(?m)^\s*\[area\]", text))


def _parse(path: Path) -> dict[str, Any]:
    """Read TOML as people save it: with a byte-order mark, from Notepad, with Windows paths."""
    if path.stat().st_size > _MAX_STUDY_BYTES:
        raise StudyError(
            "This file is far too long to be a study.",
            str(path),
            "Give the study file; data belong in files of their own.",
        )
    text = _decode(path.read_bytes(), path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, path) from None


def _decode(raw: bytes, path: Path) -> str:
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise StudyError(
            "The study file is not saved as UTF-8 text.",
            f"{path}, line {line}",
            "Open it in Notepad, choose Save As, set Encoding to UTF-8, and save.",
        ) from None


def _syntax_error(message: str, text: str, path: Path) -> StudyError:
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    lines = text.splitlines()
    number = int(place.group(1)) if place else len(lines)
    column = f", column {place.group(2)}" if place else ""
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    reason = re.sub(r"\s*\(at .*\)$", "", message)
    if "\\" in line:
        reason = "Unescaped '\\' in a string"
        fix = "Write the path with forward slashes (data/table.csv), or between single quotes ('data\\table.csv')."
    elif "overwrite" in message or "twice" in message.lower():
        fix = "The same word is set twice; keep one of the two lines."
    elif re.search(r"\d+[/.]\d+[/.]\d{2,4}", line):
        fix = "Write a date as 2026-04-14, year first, without quotation marks."
    else:
        fix = "Text needs quotation marks around it, a list needs [ ], and a heading needs a line to itself."
    return StudyError(
        f"The study file cannot be read: {_in_plain_words(reason)}.",
        f"{path}, line {number}{column}: {line[:120]}",
        fix,
    )


def _in_plain_words(reason: str) -> str:
    reason = reason.rstrip(".")
    known = {
        "Invalid value": "a value is not written as text, number, date or list",
        "Unescaped '\\' in a string": "a backslash stands inside double quotation marks",
        "Cannot overwrite a value": "the same word is set twice",
        "Expected '=' after a key in a key/value pair": "an equals sign is missing after a word",
        "Expected newline or end of document after a statement": "something follows where the line should end",
        "Unclosed array": "a list is opened with [ and not closed",
        "Illegal character '\\n'": "a quotation mark is opened and not closed on the same line",
        "Unterminated string": "a quotation mark is opened and not closed",
    }
    return known.get(reason, reason[:1].lower() + reason[1:])
