"""Looking for official files on this computer: what lies in some folders, told from headings and not from names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.sources._parts import Part
from gpvar.sources._publications import month_in_name, year_in_name
from gpvar.sources.files.values import parse_month
from gpvar.sources.official import publication_of
from gpvar.sources.recognise import NotKnown, opening, places, recognise

_SUFFIXES = (".csv", ".zip", ".gz", ".txt")
#: Newest files first, and no more than this many of a crowded folder.
_MOST_FILES = 400


@dataclass(frozen=True, slots=True)
class Found:
    """An official file that lies on this computer.

    Attributes
    ----------
    path
        Where.
    parts
        Its tables; empty where it cannot be read.
    editions
        The month of each table, as ``"2026-07"``; ``""`` where its beginning and its name do not say.
    holds
        What each table holds: the characteristic of a Fingertips file, else its layout.
    error
        Why it cannot be read.
    """

    path: Path
    parts: tuple[Part, ...] = ()
    editions: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    error: SourceError | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The publications under which a study can name the file."""
        return tuple(dict.fromkeys(publication_of(part.layout) for part in self.parts))


def look(folders: Iterable[Path], also: Iterable[Path] = ()) -> tuple[Found, ...]:
    """Return the official files that lie in some folders, not in folders below them.

    Parameters
    ----------
    folders
        Where to look; one that is not there is passed over.
    also
        Further files, such as those that a study names.

    Returns
    -------
    tuple of Found
        The further files first, then by folder in the order given and by name. Files of no known layout are passed
        over in folders; those that are meant to be an official file and cannot be read come with the reason, and so do
        all of `also` that cannot be used.
    """
    named = dict.fromkeys(file.resolve() for file in also)
    paths = dict.fromkeys([*named, *(file.resolve() for folder in folders for file in _files(folder))])
    found = (_found(path, asked_for=path in named) for path in paths)
    return tuple(item for item in found if item is not None)


def _files(folder: Path) -> list[Path]:
    """Return the newest files of a folder that may be official ones; a copy "(1)" after what it is a copy of."""
    dated = []
    try:
        items = list(folder.iterdir())
    except OSError:
        return []
    for item in items:
        # A download that came to its end just now has another name.
        with contextlib.suppress(OSError):
            if item.suffix.lower() in _SUFFIXES and item.is_file():
                dated.append((item.stat().st_mtime, item))
    newest = sorted(dated, key=lambda pair: -pair[0])[:_MOST_FILES]
    return sorted((item for _, item in newest), key=lambda item: (item.stem, item.name))


def _found(path: Path, asked_for: bool) -> Found | None:
    try:
        parts = recognise(path)
        return Found(path, parts, tuple(edition(part) for part in parts), tuple(holds(part) for part in parts))
    except NotKnown as error:
        return Found(path, error=error) if asked_for else None
    except SourceError as error:
        # A stranger's broken zip among the downloads is nobody's business.
        return Found(path, error=error) if asked_for or _looks_official(path) else None


def _looks_official(path: Path) -> bool:
    """Return whether a file that cannot be read has the name of an official one."""
    return any(is_called_like(path, publication.file_like) for publication in catalogue.publications().values())


def is_called_like(path: Path, file_like: str) -> bool:
    """Return whether a file's name begins as a publication's do; browsers put ``%20`` or spaces for underscores."""
    plain = path.name.casefold().replace("%20", "_").replace(" ", "_")
    start = file_like.casefold().partition("{")[0].partition("....")[0].removesuffix(".zip").removesuffix(".csv")
    return bool(start) and plain.startswith(start)


def edition(part: Part) -> str:
    """Return the month of a table, from its first row or from its name; ``""`` where neither says."""
    column = catalogue.layouts()[part.layout].dated_by
    if column:
        return parse_month(_first(part, column)) or ""
    if part.layout.startswith("fingertips"):
        return str(catalogue.readers()["index_published"].get(holds(part), ""))
    return year_in_name(part) or month_in_name(part)


def holds(part: Part) -> str:
    """Return what a table holds: the characteristic of a Fingertips file, else its layout."""
    if part.layout == "fingertips_api":
        indicator = _first(part, "Indicator ID")
        return str(catalogue.readers()["fingertips"].get(indicator, f"indicator {indicator}"))
    if part.layout == "fingertips_extract":
        return f"imd{_first(part, 'IMD_YEAR')}"
    return part.layout


def _first(part: Part, column: str) -> str:
    """Return what the first row of data says in a column."""
    _, _, rows = opening(part.member)
    place = places(catalogue.layouts()[part.layout], part.header, [column]).get(column)
    row: Sequence[str] = rows[1] if len(rows) > 1 else ()
    return row[place].strip() if place is not None and place < len(row) else ""
