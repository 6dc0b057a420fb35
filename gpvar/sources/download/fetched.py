"""What came of fetching: a file that is there, one that a person may have to get, and all of several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpvar.catalogue import Edition
from gpvar.errors import SourceError


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there.

    Attributes
    ----------
    path
        Where.
    sha256, bytes
        What.
    resumed
        Whether part of it had come in an earlier attempt.
    unchanged
        Whether it was there already.
    taken_for
        What `verify` returned.
    kept
        Where the file is that it replaced; None where it replaced nothing.
    remark
        What a person should know beside it; empty where there is nothing.
    """

    path: Path
    sha256: str
    bytes: int
    resumed: bool = False
    unchanged: bool = False
    taken_for: str = ""
    kept: Path | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A file that did not come, and that a person may have to get.

    Attributes
    ----------
    wanted
        Which.
    error
        Why not, and what to do.
    site, advice, way
        Where no file of the site came: what happened to it and what to do, the same for each of its files, and how to
        get this one with a browser. Empty where the file alone is concerned, the last also where a browser would not
        help.
    """

    wanted: Edition | str
    error: SourceError
    site: str = ""
    advice: str = ""
    way: str = ""

    @property
    def title(self) -> str:
        """What to call it in a list."""
        return self.wanted.title if isinstance(self.wanted, Edition) else self.wanted


@dataclass(frozen=True, slots=True)
class Fetches:
    """What came of fetching several files.

    Attributes
    ----------
    fetched
        Files that came.
    already
        Files that were there, the same byte for byte.
    by_hand
        Files that did not come: those to be got with a browser, and those of sites that could not be reached.
    """

    fetched: tuple[Fetched, ...] = ()
    already: tuple[Fetched, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
