"""The England reference file: one dated file, made from publications alone, that a study can use in their place.

It holds what the publications say of every practice: characteristics with their dates, where practices belong on which
date, and counts and lists by month, so that any run of its months can be studied. Whatever a study reads from it is
what it would read from the publications, and comes with their names, editions and SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import gpvar
from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.errors import SourceError, StudyError
from gpvar.problems import listing
from gpvar.sources import taking
from gpvar.sources._parts import SourceTable
from gpvar.sources.reference.editions import labelled, publication
from gpvar.sources.reference.file import Opened, opened, write
from gpvar.sources.reference.gathering import gather
from gpvar.sources.reference.months import definitions, refuse_redefined
from gpvar.sources.reference.tables import about, packed, restored
from gpvar.sources.reference.wording import texts
from gpvar.study import Period, Study, months_of
from gpvar.study.columns import REFERENCE

__all__ = ["Built", "Contents", "build", "describe", "read", "use"]


@dataclass(frozen=True, slots=True)
class Built:
    """A reference file that was made.

    Attributes
    ----------
    path, bytes, sha256
        The file.
    practices
        Practices with appointments.
    months
        The months that it holds.
    publications
        Ids of the publications in it.
    simulated
        Whether its practices are invented.
    remarks
        What its maker should know.
    """

    path: Path
    bytes: int
    sha256: str
    practices: int
    months: tuple[str, ...]
    publications: tuple[str, ...]
    simulated: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reference file holds.

    Attributes
    ----------
    path, bytes, sha256
        The file.
    made_on
        The day on which it was made.
    made_with
        The version of gpvar.
    period
        Its months, first and last.
    practices
        Practices with appointments.
    simulated
        Whether its practices are invented.
    editions
        Publication → the editions of its files, as months.
    dates
        Characteristic → the month of which it is.
    files
        Names of the original files.
    remarks
        What its maker was told.
    """

    path: Path
    bytes: int
    sha256: str
    made_on: date
    made_with: str
    period: Period
    practices: int
    simulated: bool
    editions: dict[str, tuple[str, ...]]
    dates: dict[str, str]
    files: tuple[str, ...]
    remarks: tuple[str, ...]


def _silent(_: str) -> None:
    return None


def build(
    files: Sequence[Path],
    period: Period,
    into: Path,
    *,
    made_on: date,
    edition: str = "",
    progress: Callable[[str], None] = _silent,
) -> Built:
    """Make a reference file from the files of publications.

    Parameters
    ----------
    files
        Files as they were downloaded, of any publication, in any order.
    period
        The months that it is to hold.
    into
        The folder to write it into. Its name is that of the last month: ``england-reference-2026-03.zip``, with
        ``simulated-`` before it where the practices are invented.
    made_on
        The day to be written into it. The same files and the same day give the same bytes.
    edition
        Which publication of the appointments to use for a month that two tell differently: the last month that it
        covers, or ``"latest"``; see `making.edition_of`.
    progress
        Is told what is being done.

    Returns
    -------
    Built

    Raises
    ------
    SourceError
        With everything that is wrong, when a file is no official publication, is a practice's own, or England is not
        whole. A reference file that was there before then stays as it was.
    """
    gathered = gather(list(files), period, progress, edition)
    progress("Writing the reference file")
    others = labelled(gathered.tables, gathered.alternatives)
    tables = packed([*gathered.tables, *others], gathered.months)
    practices = {code for counts in gathered.months.values() for code in counts.codes}
    manifest: dict[str, Any] = {
        "made_on": made_on.isoformat(),
        "gpvar": gpvar.__version__,
        "numbers": gpvar.__numbers__,
        "simulated": gathered.simulated,
        "months": months_of(period),
        "practices": len(practices),
        "remarks": list(gathered.remarks),
        "definitions": definitions(),
        "publications": [
            {**about(table, gathered.layouts, period), "editions": gathered.editions.get(table.id, {})}
            for table in gathered.tables
        ],
        "alternatives": [
            {**about(table, gathered.layouts, other.period), "chosen": list(other.chosen)}
            for table, other in zip(others, gathered.alternatives, strict=True)
        ],
        "columns": {name: table.where for name, table in tables.items()},
    }
    data = {name: table.data for name, table in tables.items()}
    _prove(gathered.tables, restored(data, manifest, period))
    for other in gathered.alternatives:
        _prove([other.table], restored(data, manifest, other.period, only=other.table.id))
    name = f"{'simulated-' if gathered.simulated else ''}england-reference-{period.end}.zip"
    target = Path(into) / name
    sha256, size = write(target, {**texts(manifest, tables), **data}, manifest, made_on)
    return Built(
        path=target,
        bytes=size,
        sha256=sha256,
        practices=len(practices),
        months=tuple(months_of(period)),
        publications=tuple(table.id for table in gathered.tables),
        simulated=gathered.simulated,
        remarks=gathered.remarks,
    )


def _prove(tables: Sequence[SourceTable], again: Sequence[SourceTable]) -> None:
    """Compare what was read with what the file will give, before it takes the place of an older one."""
    for one, other in zip(tables, again, strict=True):
        # Changes of supplier within some of the months are told by the appointments alone.
        facts = [table.facts[other.facts.columns].dropna(how="all").sort_index() for table in (one, other)]
        if not (one.counts.equals(other.counts) and facts[0].equals(facts[1])):
            raise RuntimeError(f"the reference file would not give back what was read of {one.id}")


def read(path: Path, period: Period) -> tuple[SourceTable, ...]:
    """Read a reference file as if its publications were read.

    Parameters
    ----------
    path
        The file.
    period
        The study's period, within the months of the file.

    Returns
    -------
    tuple of SourceTable
        One for each publication, under its own id. The provenance of the first begins with the reference file; every
        original file says in which reference file it is.

    Raises
    ------
    SourceError
        When the file is not whole, is another's, was made with other definitions, or does not hold the period.
    """
    file = opened(path)
    _refuse_other_months(file, period)
    refuse_redefined(file.manifest["definitions"], file.manifest["gpvar"], str(path))
    try:
        tables = restored(file.parts, file.manifest, period)
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"A table of the reference file cannot be read ({error}); nothing of it was used.",
            str(path),
            "Get it again from whoever made it, or make it anew: python run.py reference build",
        ) from None
    own = _own_provenance(file)
    traced = [replace(table, provenance=_traced(table, path), file=f"{path.name}: {table.file}") for table in tables]
    first = traced[0]
    day = day_in_words(date.fromisoformat(file.manifest["made_on"]))
    said = (f"{path.name} was made on {day} with gpvar {file.manifest['gpvar']}.",)
    return (replace(first, provenance=(own, *first.provenance), remarks=(*said, *first.remarks)), *traced[1:])


def _refuse_other_months(file: Opened, period: Period) -> None:
    held = file.manifest["months"]
    if held[0] <= period.start and period.end <= held[-1]:
        return
    whole = Period(held[0], held[-1])
    raise SourceError(
        f"The reference file holds {whole.label}, and the study's period is {period.label}.",
        str(file.path),
        f'Write a period within "{whole.start}..{whole.end}" in the study file, or use a file of the study\'s months.',
    )


def _own_provenance(file: Opened) -> dict[str, object]:
    practices = file.manifest["practices"]
    return {
        "source": REFERENCE,
        "file": file.path.name,
        "sheet": "",
        "sha256": file.sha256,
        "bytes": file.size,
        "rows_read": practices,
        "rows_kept": practices,
        "rows_dropped": 0,
        "reason": "",
        "edition": file.manifest["months"][-1],
        "dates": f"made {file.manifest['made_on']}",
    }


def _traced(table: SourceTable, path: Path) -> tuple[dict[str, object], ...]:
    """Return the provenance of the original files, each saying in what it was read."""
    return tuple(
        {**row, "reason": "; ".join(filter(None, [f"in {path.name}", str(row["reason"])]))} for row in table.provenance
    )


def describe(path: Path) -> Contents:
    """Return what a reference file holds.

    Raises
    ------
    SourceError
        When the file is not whole, or is something else.
    """
    file = opened(path)
    manifest = file.manifest
    publications = manifest["publications"]
    every = [*publications, *manifest["alternatives"]]
    editions = {
        said["id"]: tuple(
            dict.fromkeys(
                row["edition"]
                for other in every
                if publication(other["id"]) == said["id"]
                for row in other["files"]
                if row["edition"]
            )
        )
        for said in publications
    }
    return Contents(
        path=file.path,
        bytes=file.size,
        sha256=file.sha256,
        made_on=date.fromisoformat(manifest["made_on"]),
        made_with=manifest["gpvar"],
        period=Period(manifest["months"][0], manifest["months"][-1]),
        practices=manifest["practices"],
        simulated=manifest["simulated"],
        editions=editions,
        dates={name: month for said in publications for name, month in said["dates"].items()},
        files=tuple(dict.fromkeys(row["file"] for said in every for row in said["files"])),
        remarks=tuple(manifest["remarks"]),
    )


def use(path: Path, study: Study) -> Path:
    """Make a study use a reference file in place of the publications that were found for it.

    Parameters
    ----------
    path
        The reference file, wherever it lies.
    study
        A study that was read from a file.

    Returns
    -------
    Path
        The copy in the study's ``data/raw``, which the study file now names. Tables of the study's own stay.

    Raises
    ------
    SourceError
        When the file is not whole, or does not hold the study's period.
    StudyError
        When the study names publications that the file holds too, invented and real practices would meet, or the study
        file cannot be written. It is then as it was.
    """
    contents = describe(path)
    _refuse_other_months(opened(path), study.period)
    _refuse_both(contents, study)
    kept = taking.kept_beside(Path(path).resolve(), study)
    taking.write_sources(study, {REFERENCE: [kept]})
    return kept


def _refuse_both(contents: Contents, study: Study) -> None:
    """Refuse a study that itself names what the file holds, or that is simulated where the file is not."""
    before = taking.taken_before(study)
    own = [spec.id for spec in study.sources if spec.is_publication and spec.file not in before]
    twice = [name for name in own if name in (*contents.editions, REFERENCE)]
    where = str(study.path or "the study")
    if twice:
        titles = listing(catalogue.sources()[name].title for name in twice)
        raise StudyError(
            f"The study names {titles} itself, and the reference file holds it too.",
            f"{where}, [[source]] {listing(twice)}",
            "Take these [[source]] lines out of the study file, then run the same command again.",
        )
    if contents.simulated and not study.simulated:
        raise StudyError(
            "The practices of this reference file are invented, and the study is of real ones.",
            where,
            "Use a reference file of real practices; a study of invented ones says simulated = true.",
        )
