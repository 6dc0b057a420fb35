"""Writing without harm: a file is replaced whole or left as it was."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pandas as pd

from gpvar.errors import ReportError

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_name(code: str) -> str:
    """Return a code as part of a file name: letters, digits, dash and underscore only, and never nothing."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", code)[:60].strip("_-") or "unnamed"


def write(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name and put it in place; what was there stays until then.

    Raises
    ------
    ReportError
        When the folder or the file cannot be written, as when Excel or Word holds it open.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".gpvar-", suffix=path.suffix, dir=path.parent)
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise ReportError(
            f"{path.name} could not be written; the earlier one, if any, is unchanged.",
            f"{path.parent} ({error.strerror or error})",
            "Close the file if Word, Excel or a browser has it open, check that you may write there, and run again.",
        ) from error
    return path


def write_text(path: Path, text: str) -> Path:
    """Write text as UTF-8 with plain line ends."""
    return write(path, text.encode("utf-8"))


def neutral(value: object) -> object:
    """Return text that a spreadsheet will not take for a formula; other values unchanged."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def neutralised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with every text cell made harmless to a spreadsheet."""
    return frame.map(neutral)


def csv_for_people(frame: pd.DataFrame) -> bytes:
    """Return a CSV that Excel opens as UTF-8: with a byte order mark, and no formulas."""
    return neutralised(frame).to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
