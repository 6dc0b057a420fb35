"""A study frozen: what was declared, and on which day, kept beside it so that a later change can be seen."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpvar.errors import StudyError

if TYPE_CHECKING:
    from pathlib import Path

    from gpvar.study.model import Study

NAME = "study.lock"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Frozen:
    """How a study stands beside what was frozen.

    Attributes
    ----------
    days
        When it was frozen, the first first.
    changed
        Parts of the analysis that are other now than when it was frozen first; empty: unchanged since.
    frozen_now
        Whether it is as it was when it was frozen last.
    """

    days: tuple[dt.date, ...]
    changed: tuple[str, ...]
    frozen_now: bool


def freeze(study: Study, day: dt.date) -> bool:
    """Write what a study declares, and the day, into ``study.lock`` beside it.

    Parameters
    ----------
    study
        What decides its numbers is kept: titles and reports are not, and what files hold is in a run's key.
    day
        Today.

    Returns
    -------
    bool
        False when it was frozen like this before: nothing is written then. An earlier entry is never taken away.

    Raises
    ------
    StudyError
        When a lock that is there cannot be read, or none can be written.
    """
    entries = _entries(study.folder / NAME)
    if entries and entries[-1]["hash"] == study.hash:
        return False
    entries.append({"day": day.isoformat(), "hash": study.hash, "analysis": study.analysis_part()})
    text = json.dumps({"schema": _SCHEMA, "frozen": entries}, indent=1, ensure_ascii=False, default=str)
    part = study.folder / f"{NAME}.part"
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(study.folder / NAME)
    except OSError as error:
        raise StudyError(
            "The study could not be frozen.",
            f"{study.folder / NAME} ({error.strerror or error})",
            "Close the file if it is open elsewhere, and check that you may write there.",
        ) from error
    return True


def state(study: Study) -> Frozen | None:
    """Return how a study stands beside what was frozen; None where it never was."""
    entries = _entries(study.folder / NAME)
    if not entries:
        return None
    now = json.loads(json.dumps(study.analysis_part(), default=str))
    first = entries[0]["analysis"]
    changed = tuple(name for name in sorted({*now, *first}) if now.get(name) != first.get(name))
    days = tuple(dt.date.fromisoformat(entry["day"]) for entry in entries)
    return Frozen(days, changed, entries[-1]["hash"] == study.hash)


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        entries = list(stored["frozen"])
        for entry in entries:
            dt.date.fromisoformat(entry["day"])
            _ = entry["hash"], dict(entry["analysis"])
        return entries
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(
            "What was frozen cannot be read.",
            f"{path} ({type(error).__name__})",
            "Put back the file as gpvar wrote it; or, if it is lost, move it away and freeze the study again today.",
        ) from None
