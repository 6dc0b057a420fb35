"""What may go into an England reference file: publications, of all England, and nothing that is confidential."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, count, listing
from gpvar.sources import appointments, official
from gpvar.sources._parts import Part, SourceTable
from gpvar.sources._publications import in_words
from gpvar.sources.appointments.tally import MonthCounts, count_part
from gpvar.sources.files.members import fingerprint
from gpvar.sources.recognise import NotKnown, recognise
from gpvar.sources.reference.editions import Alternative, of_every_run
from gpvar.sources.reference.file import is_reference
from gpvar.study import Period, SourceSpec
from gpvar.study.columns import PUBLICATIONS

_PASSED_ON = (
    "A reference file is passed on, so it may hold only what is published: what a board or a practice supplied is "
    "confidential."
)
_PLACE = "the reference file"
_APPOINTMENTS = "gpad"
_WHOLE = "Name the whole publication; a month that was published in two files needs both."
_LEAVE_OUT = "Leave it out; a study can name it beside the reference file."


@dataclass(frozen=True, slots=True)
class Gathered:
    """Publications as read, every one checked.

    Attributes
    ----------
    tables
        By publication, in the catalogue's order.
    months
        Month → appointments by practice.
    layouts
        File and member → the layout that it was taken for.
    simulated
        Whether the practices are invented.
    remarks
        What a reader of the reference file should know.
    editions
        Publication → layout → the editions that were there.
    alternatives
        Publications as a study of some of the months would read them, where that is otherwise.
    """

    tables: tuple[SourceTable, ...]
    months: dict[str, MonthCounts]
    layouts: dict[tuple[str, str], str]
    simulated: bool
    remarks: tuple[str, ...]
    editions: dict[str, dict[str, list[str]]]
    alternatives: tuple[Alternative, ...]


def sorted_by_publication(files: Sequence[Path]) -> dict[str, list[Part]]:
    """Return the tables of each publication, in the catalogue's order.

    Raises
    ------
    SourceError
        Naming every file that is no publication, or cannot be read.
    """
    if not files:
        raise SourceError(
            "No file was named to make a reference file from.",
            "",
            "Name the publications' files; python run.py sources STUDY says which, and where to get them.",
        )
    problems = Problems(SourceError, _PLACE)
    parts: list[Part] = []
    # Named in any order, the same files give the same reference file.
    for file in sorted(set(files), key=lambda file: (file.name, str(file))):
        if file.is_file() and is_reference(file):
            problems.add("This is a reference file already.", str(file), "Name the publications' own files.")
            continue
        try:
            parts += recognise(file)
        except NotKnown as error:
            problems.add(f"{error.problem} {_PASSED_ON}", str(file), _LEAVE_OUT)
        except SourceError as error:
            problems.add(error.problem, error.where, f"{error.fix} If a board or a practice supplied it, leave it out.")
    _refuse_same_names(files, problems)
    problems.raise_if_any()
    found: dict[str, list[Part]] = {source: [] for source in PUBLICATIONS}
    for part in parts:
        found[official.publication_of(part.layout)].append(part)
    return {source: own for source, own in found.items() if own}


def _refuse_same_names(files: Sequence[Path], problems: Problems) -> None:
    """Note different files of one name: the reference file knows its originals by name."""
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.name, file)
        if other != file and file.is_file() and other.is_file() and fingerprint(other) != fingerprint(file):
            problems.add(
                f"Two different files are called {file.name}.",
                f"{other} and {file}",
                "Give one of them another name, so that they can be told apart.",
            )


def gather(files: Sequence[Path], period: Period, progress: Callable[[str], None], edition: str = "") -> Gathered:
    """Read publications, and refuse whatever may not go into a reference file.

    Parameters
    ----------
    files
        Files as they were downloaded.
    period
        The months that the reference file is to hold.
    progress
        Is told what is being read.
    edition
        Which publication of the appointments to use for a month that two tell differently.

    Returns
    -------
    Gathered

    Raises
    ------
    SourceError
        With everything that is wrong, at once.
    """
    parts = sorted_by_publication(files)
    _refuse_lacking(parts)
    _refuse_own_downloads(parts[_APPOINTMENTS])
    problems = Problems(SourceError, _PLACE)
    tables: list[SourceTable] = []
    alternatives: list[Alternative] = []
    editions: dict[str, dict[str, list[str]]] = {}
    months: dict[str, MonthCounts] = {}
    for source, own in parts.items():
        paths = list(dict.fromkeys(part.member.path for part in own))
        progress(f"Reading {catalogue.sources()[source].title} ({count(len(paths), 'file')})")
        try:
            if source == _APPOINTMENTS:
                table, months = appointments.read_by_month(own, period, edition)
            else:
                spec = SourceSpec(id=source, file=paths[0], more_files=tuple(paths[1:]))
                table, editions[source], others = of_every_run(spec, own, period)
                alternatives += others
            tables.append(table)
        except SourceError as error:
            problems.add(error.problem, error.where, _without_a_study(error.fix))
    problems.raise_if_any()
    every = [*tables, *(other.table for other in alternatives)]
    simulated = _is_simulated(every)
    _refuse_without_lists_and_boards(tables)
    if not simulated:
        refuse_less_than_england(months, every)
    layouts = {(part.member.path.name, part.member.name): part.layout for own in parts.values() for part in own}
    return Gathered(tuple(tables), months, layouts, simulated, _remarks(tables), editions, tuple(alternatives))


def _without_a_study(fix: str) -> str:
    """Return advice as it holds here, where there is no study file to be mended."""
    for written, instead in catalogue.reference()["advice"]:
        fix = re.sub(written, instead, fix)
    return fix


def _refuse_lacking(held: Iterable[str]) -> None:
    cards = catalogue.sources()
    missing = [cards[source] for source in catalogue.reference()["needed"] if source not in held]
    if missing:
        titles = " and ".join(cards[source].title for source in catalogue.reference()["needed"])
        raise SourceError(
            f"A reference file needs {titles}; there is no file of {listing(card.title for card in missing)}.",
            listing(card.page for card in missing),
            "Download what is missing and name it too.",
        )


def _refuse_without_lists_and_boards(tables: Iterable[SourceTable]) -> None:
    problems = Problems(SourceError, _PLACE)
    if not any("list_size" in table.facts for table in tables):
        problems.add(
            "No file says how many patients each practice has.",
            "Patients Registered at a GP Practice",
            "Name its totals (gp-reg-pat-prac-all) of each month, or its lists by age (gp-reg-pat-prac-quin-age).",
        )
    maps = [table.places for table in tables if table.places is not None]
    if not any("icb_code" in places and "pcn_code" in places for places in maps):
        problems.add(
            "No file says to which network and board practices belong.",
            "Patients Registered at a GP Practice",
            "Name its map (gp-reg-pat-prac-map).",
        )
    problems.raise_if_any()


def _is_simulated(tables: Sequence[SourceTable]) -> bool:
    """Return whether the practices are invented; refuse invented and real ones together."""
    real, invented = [], []
    for table in tables:
        codes = table.facts.index.append(pd.Index(table.counts["practice_code"].unique()))
        made_up = codes.astype(str).str.fullmatch(catalogue.reference()["invented_practice"])
        real += [table.file] if not made_up.all() else []
        invented += [table.file] if made_up.any() else []
    if real and invented:
        raise SourceError(
            "Invented practices of a simulated England and real practices cannot go into one file.",
            f"invented: {listing(dict.fromkeys(invented), 4)}; real: {listing(dict.fromkeys(real), 4)}",
            "Name the files of one or of the other.",
        )
    return bool(invented)


def _refuse_own_downloads(parts: Iterable[Part]) -> None:
    """Refuse tables of appointments of a few practices: what a practice downloads of itself looks like the crosstab."""
    limits = catalogue.reference()
    problems = Problems(SourceError, _PLACE)
    for part in parts:
        if part.layout != "gpad_crosstab" or part.member.size > limits["bytes_looked_at"]:
            continue
        try:
            counted = count_part(part, keep=False)
        except SourceError as error:
            problems.add(error.problem, error.where, error.fix)
            continue
        codes = sorted({code for month in counted.months.values() for code in month.codes})
        if 0 < len(codes) < limits["own_download_below"]:
            who = f"one practice, {codes[0]}" if len(codes) == 1 else f"only {len(codes)} practices"
            problems.add(
                f"This file holds the appointments of {who}: it seems to be a practice's own download. {_PASSED_ON}",
                part.member.place,
                "Leave it out.",
            )
    problems.raise_if_any()


def refuse_less_than_england(months: Mapping[str, MonthCounts], tables: Sequence[SourceTable]) -> None:
    """Refuse appointments, lists, maps and characteristics in which England, or one of its regions, is not whole."""
    problems = Problems(SourceError, _PLACE)
    region = _regions(tables)
    titles = catalogue.sources()
    for code, name in catalogue.readers()["regions"].items():
        if not (region == code).any():
            problems.add(f"No map places a practice in {name} ({code}).", "", _WHOLE)
    for month, counts in months.items():
        held = f"{titles[_APPOINTMENTS].title} of {in_words(month)}"
        _note_less_than_england(held, pd.Index(counts.codes), region, "", problems)
    measured = pd.Index(sorted({code for counts in months.values() for code in counts.codes}))
    for table in tables:
        title = titles[table.id].title
        for what, codes in _lists_and_maps(table):
            _note_less_than_england(f"{title}: {what}", codes, region, table.file, problems)
        if table.id != _APPOINTMENTS:
            for what, codes in _characteristics(table):
                _note_lacking(f"{title}: {what}", measured.isin(codes), measured, region, table.file, problems)
    problems.raise_if_any()


def _note_less_than_england(what: str, here: pd.Index, region: pd.Series, file: str, problems: Problems) -> None:
    """Note a table that is to hold every practice, and has too few of England or of one of its regions."""
    card = catalogue.gates()["not_england"]
    if len(here) < card.thresholds["practices_below"]:
        said = f"{what} holds {count(len(here), 'practice')}; England has {card.more['england_has']}."
        problems.add(said, file, _WHOLE)
        return
    _note_lacking(what, region.index.isin(here), region.index, region, file, problems)


def _note_lacking(
    what: str, held: np.ndarray, practices: pd.Index, region: pd.Series, file: str, problems: Problems
) -> None:
    """Note practices of which too few are held, of all or of a region."""
    most = catalogue.reference()["region_missing_above"]
    if len(held) and (~held).mean() > most:
        problems.add(f"{what} holds {held.sum():,} of {len(held):,} practices.", file, _WHOLE)
        return
    where = region.reindex(practices)
    for code, name in catalogue.readers()["regions"].items():
        own = held[(where == code).to_numpy()]
        if len(own) and (~own).mean() > most:
            problems.add(f"{what} holds {own.sum():,} of the {len(own):,} practices of {name} ({code}).", file, _WHOLE)


def _lists_and_maps(table: SourceTable) -> Iterator[tuple[str, pd.Index]]:
    """Yield every list and every map of a publication, and the practices in it."""
    if table.monthly is not None and table.id != _APPOINTMENTS:
        for month, rows in table.monthly[table.monthly["name"] == "list_size"].groupby("month"):
            yield f"the list of {in_words(str(month))}", pd.Index(rows["practice_code"])
    if table.places is not None:
        for day, rows in table.places.groupby("date"):
            yield f"where practices belong in {in_words(str(day)[:7])}", pd.Index(rows["practice_code"])


def _characteristics(table: SourceTable) -> Iterator[tuple[str, pd.Index]]:
    """Yield every characteristic of a publication, and the practices of which it is known."""
    named: dict[str, list[str]] = {}
    for column in map(str, table.facts):
        base = column.partition(".")[0]
        if base == "list_size" or base in catalogue.covariates():
            named.setdefault(base, []).append(column)
    for base, columns in named.items():
        what = "the list" if base == "list_size" else catalogue.covariate(base).title
        yield what, table.facts.index[table.facts[columns].notna().all(axis=1)]


def _regions(tables: Iterable[SourceTable]) -> pd.Series:
    """Return the region of each practice, from the fullest map."""
    maps = [table.places for table in tables if table.places is not None and "region_code" in table.places]
    if not maps:
        return pd.Series(dtype=str)
    rows = pd.concat(maps, ignore_index=True)
    return rows[rows["region_code"] != ""].drop_duplicates("practice_code").set_index("practice_code")["region_code"]


def _remarks(tables: Sequence[SourceTable]) -> tuple[str, ...]:
    return tuple(f"{title} is not in it." for title in lacking([table.id for table in tables]))


def lacking(held: Iterable[str]) -> list[str]:
    """Return the titles of publications that gpvar reads and that a reference file does not hold."""
    apart = {*held, *catalogue.reference()["not_missed"]}
    return [catalogue.sources()[source].title for source in PUBLICATIONS if source not in apart]
