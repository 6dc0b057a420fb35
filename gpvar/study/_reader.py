"""Takes values out of a study's tables, noting what has the wrong name or the wrong kind."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any, ClassVar

from gpvar.problems import Problems, nearest


class Reader:
    """Takes values out of a study's tables, noting what has the wrong name or the wrong kind."""

    _WORDS: ClassVar = {
        str: "text between quotation marks",
        int: "a whole number",
        bool: "true or false",
        list: "a list in [ ]",
    }

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def no_strangers(self, table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
        """Note every word that no study knows, with the nearest that it does."""
        for word in table:
            if word not in known:
                fix = nearest(word, known).strip() or f"Take it out; the words known here are {', '.join(known)}."
                self.problems.add(f"A study has no word '{word}'{' in ' + where if where else ''}.", "", fix)

    def get(self, table: dict[str, Any], word: str, kind: type, *, default: Any, where: str = "") -> Any:
        """Return a value of the right kind, or the default with a problem noted."""
        value = table.get(word, default)
        if kind is int and isinstance(value, bool):
            value = str(value)
        if value is default or isinstance(value, kind):
            return value
        self.problems.add(f"'{word}' must be {self._WORDS[kind]}, not {value!r}.", where)
        return default

    def table(self, content: dict[str, Any], word: str, known: tuple[str, ...]) -> dict[str, Any]:
        """Return a table such as [area], empty when it is absent."""
        value = content.get(word, {})
        if not isinstance(value, dict):
            self.problems.add(f"'{word}' must be a heading [{word}] with lines below it.", word)
            return {}
        self.no_strangers(value, known, f"[{word}]")
        return value

    def choice(self, value: Any, known: tuple[str, ...], what: str, where: str) -> str:
        """Return `value` when it is one of `known`."""
        if value in known:
            return str(value)
        meant = nearest(str(value), known)
        said = f"No {what} is given." if value is None else f"'{value}' is not a {what}.{meant}"
        self.problems.add(said, where, f"It is one of: {', '.join(known)}.")
        return known[0]

    def texts(self, table: dict[str, Any], word: str, where: str = "") -> tuple[str, ...]:
        """Return a list of texts; one text alone counts as a list of one."""
        value = table.get(word, [])
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(item.strip() for item in value)
        self.problems.add(f'\'{word}\' must be a list of texts, such as ["one", "two"], not {value!r}.', where)
        return ()

    def day(self, table: dict[str, Any], word: str, *, required: bool = False, where: str = "") -> dt.date | None:
        """Return a date, accepted as a TOML date or as text."""
        value = table.get(word)
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, dt.date):
            return value
        if value is None and not required:
            return None
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            said = f"'{word}' is missing" if value is None else f"'{word}' is not a date: {value!r}"
            self.problems.add(f"{said}.", where, f"Write it as {word} = 2026-04-14, without quotation marks.")
            return dt.date(1900, 1, 1) if required else None

    def file(self, table: dict[str, Any], folder: Path, where: str, word: str = "file") -> Path | None:
        """Return the absolute path of a file named relative to the study."""
        text = self.get(table, word, str, default="", where=where).strip()
        if not text:
            return None
        if any(ord(letter) < 32 for letter in text):
            self.problems.add(
                "A backslash inside double quotation marks has changed the path.",
                f"{where} {word} = {text!r}".strip(),
                "Write the path with forward slashes, or between single quotation marks.",
            )
            return None
        return Path(os.path.normpath((folder / text.replace("\\", "/")).absolute()))
