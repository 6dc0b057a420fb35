"""Telling a person who waits how far a file has come."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Is told the name of the file, the bytes that are there and, where known, those that there will be.
Progress = Callable[[str, int, int | None], None]

_EVERY = 0.1


def progress_line(name: str, done: int, total: int | None) -> str:
    """Return one line for the screen: ``"name: 63.0 of 190.0 MB (33 %)"``."""
    if not total:
        return f"{name}: {done / 1e6:.1f} MB"
    return f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB ({100 * done // total} %)"


class Teller:
    """Tells of progress, but not more often than an eye can follow."""

    def __init__(self, name: str, progress: Progress | None) -> None:
        self._name, self._progress, self._told = name, progress, 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Tell of the bytes that are there, unless it was told just now."""
        now = time.monotonic()
        if self._progress is not None and (done == total or now - self._told >= _EVERY):
            self._told = now
            self._progress(self._name, done, total)
