"""The official publications: which room reads which, and what a study gets of each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, listing
from gpvar.sources._parts import Part, SourceTable
from gpvar.sources.files.members import fingerprint
from gpvar.sources.recognise import recognise
from gpvar.study import Period, SourceSpec

#: Publication → the rooms that read its layouts.
_ROOMS = {
    "gpad": {"appointments": ("gpad_crosstab", "gpad_mapping")},
    "registered_patients": {"registered": ("registered_quinary", "registered_map", "registered_all")},
    "imd": {
        "fingertips": ("fingertips_api", "fingertips_extract"),
        "small_areas": ("registered_lsoa", "iod2025_scores"),
    },
    "qof_prevalence": {"qof": ("qof_prevalence",)},
    "nhs_payments": {"payments": ("nhs_payments",)},
    "workforce": {"workforce": ("workforce_high_level", "workforce_detailed")},
    "ods": {"ods": ("ods_epraccur",)},
}


def read(spec: SourceSpec, period: Period) -> SourceTable:
    """Read the files of one publication.

    Parameters
    ----------
    spec
        The publication's id and its files.
    period
        The study's period.

    Returns
    -------
    SourceTable

    Raises
    ------
    SourceError
        When a file is not of this publication, cannot be read whole, or is there twice.
    """
    parts = _recognised(spec)
    by_room = {room: [part for part in parts if part.layout in layouts] for room, layouts in _ROOMS[spec.id].items()}
    used = {room: found for room, found in by_room.items() if found}
    if len(used) > 1:
        names = listing(catalogue.layouts()[found[0].layout].title for found in used.values())
        raise SourceError(
            f"Two ways to the same figures are named for '{spec.id}': {names}.",
            listing(str(file) for file in spec.files),
            "Keep one of them.",
        )
    ((room, found),) = used.items()
    reader: Callable[..., SourceTable] = import_module(f"gpvar.sources.{room}").read
    # Of appointments a later edition may revise a month, and a study may say which it means.
    return reader(found, period, spec.edition) if room == "appointments" else reader(found, period)


def parts_of(spec: SourceSpec) -> list[Part]:
    """Return the tables that a publication's files hold, recognised and not yet read."""
    return _recognised(spec)


def publication_of(layout: str) -> str:
    """Return the publication under which a study names a table of this layout."""
    return next(source for source, rooms in _ROOMS.items() if any(layout in layouts for layouts in rooms.values()))


def _recognised(spec: SourceSpec) -> list[Part]:
    """Return the tables of every file, each known to be of the publication."""
    problems = Problems(SourceError, f"[[source]] {spec.id}")
    held = {layout for layouts in _ROOMS[spec.id].values() for layout in layouts}
    parts: list[Part] = []
    seen: dict[str, str] = {}
    for file in spec.files:
        try:
            found = recognise(file)
        except SourceError as error:
            problems.add(error.problem, error.where, error.fix)
            continue
        own = [part for part in found if part.layout in held]
        if not own:
            layout = catalogue.layouts()[found[0].layout]
            problems.add(
                f"This file holds {layout.title}: that is not part of '{spec.id}'.",
                str(file),
                f'Name it under [[source]] with id = "{publication_of(layout.id)}".',
            )
        parts += own
        sha256, _ = fingerprint(file)
        if sha256 in seen:
            problems.add(
                f"The same download is named twice, as {seen[sha256]} and {file.name}.", str(file), "Keep one of them."
            )
        seen.setdefault(sha256, file.name)
    problems.raise_if_any()
    return parts
