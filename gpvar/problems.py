"""Problems found while reading are collected, so that a person mends a file once and not one fault at a time."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from gpvar.errors import GpvarError

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where in the file, and what to do about it."""

    what: str
    where: str = ""
    fix: str = ""


@dataclass(slots=True)
class Problems:
    """The problems of one file, raised together as one error.

    Attributes
    ----------
    error
        The class of error to raise.
    place
        The file, as a person would name it.
    found
        What has been found so far.
    """

    error: type[GpvarError]
    place: str
    found: list[Problem] = field(default_factory=list)

    def add(self, what: str, where: str = "", fix: str = "") -> None:
        """Note a problem."""
        self.found.append(Problem(what, where, fix))

    def raise_if_any(self) -> None:
        """Raise everything noted as one error; do nothing when there is nothing."""
        if not self.found:
            return
        if len(self.found) == 1:
            only = self.found[0]
            where = ", ".join(part for part in (self.place, only.where) if part)
            raise self.error(only.what, where, only.fix)
        shown = [_as_item(problem) for problem in self.found[:_SHOWN]]
        if len(self.found) > _SHOWN:
            shown.append(f"and {len(self.found) - _SHOWN} more of the same kinds")
        listed = "".join(f"\n  - {item}" for item in shown)
        raise self.error(
            f"{len(self.found)} things need mending before this file can be used:{listed}",
            self.place,
            "Mend them all in the file, save it, and run the same command again.",
        )


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``"1 cell"`` or ``"2,000 cells"``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known word closest to `word`, or nothing.

    Capitals and the difference between spaces, hyphens and underscores are ignored.
    """
    best = closest(word, known, 1)
    return f" Did you mean '{best[0]}'?" if best else ""


def closest(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return up to `most` known words that look like `word`, the most alike first."""
    plain = {_plain(item): item for item in reversed(list(known))}
    return [plain[match] for match in difflib.get_close_matches(_plain(word), list(plain), n=most, cutoff=0.6)]


def listing(items: Iterable[str], most: int = 10) -> str:
    """Return ``"a, b, c and 4 more"``."""
    everything = [str(item) for item in items]
    if len(everything) <= most:
        return ", ".join(everything)
    return f"{', '.join(everything[:most])} and {len(everything) - most:,} more"


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())


def _as_item(problem: Problem) -> str:
    where = f" ({problem.where})" if problem.where else ""
    fix = f" {problem.fix}" if problem.fix else ""
    return f"{problem.what}{where}{fix}"
