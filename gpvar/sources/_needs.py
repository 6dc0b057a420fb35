"""A publication that a study needs, and what is there of it."""

from __future__ import annotations

from dataclasses import dataclass

from gpvar.catalogue import Edition
from gpvar.sources.looking import Found

THERE, PARTLY, OLD, UNREADABLE, MISSING, BOARD = "there", "partly", "old", "unreadable", "missing", "ask the board"


@dataclass(frozen=True, slots=True)
class Need:
    """One publication that a study needs.

    Attributes
    ----------
    source
        The id under which a study names its files.
    publication
        The catalogue's publication to get.
    holds
        What a file of it is known by (`looking.holds`), any of which will do.
    metrics, characteristics
        What it is needed for.
    lists, places
        Whether it is needed for lists of patients, or for where practices belong.
    monthly
        Whether every month of the study is needed.
    optional
        Whether the study can do without.
    """

    source: str
    publication: str
    holds: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    characteristics: tuple[str, ...] = ()
    lists: bool = False
    places: bool = False
    monthly: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What is there of a need.

    Attributes
    ----------
    state
        One of `THERE`, `PARTLY`, `OLD`, `UNREADABLE`, `MISSING`, `BOARD`.
    files
        The files that serve.
    broken
        Files that are meant to serve and cannot be read: those that the study names, and others where none serves.
    months_missing
        Months of the study that no file holds.
    apart
        Months between the study's period and the nearest edition.
    get
        The editions to get.
    named
        Whether the study already names the files.
    named_as
        Publications under which the study names them wrongly.
    own
        Whether the study names files of this publication itself, in lines that gpvar leaves alone.
    overlap
        Whether two of the files hold the same month.
    """

    need: Need
    state: str
    files: tuple[Found, ...] = ()
    broken: tuple[Found, ...] = ()
    months_missing: tuple[str, ...] = ()
    apart: int = 0
    get: tuple[Edition, ...] = ()
    named: bool = False
    named_as: tuple[str, ...] = ()
    own: bool = False
    overlap: bool = False
