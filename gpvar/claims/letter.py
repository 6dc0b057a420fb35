"""Reads a letter: a workbook or CSV file of sentences, and the ``[[claim]]`` tables of a study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gpvar.catalogue import letter_form, letters
from gpvar.claims.cells import Row, rows_of_file, rows_of_tables
from gpvar.claims.entries import read_entry
from gpvar.errors import StudyError
from gpvar.organisations import find_practice, match_practices
from gpvar.problems import Problems

if TYPE_CHECKING:
    from pathlib import Path

    from gpvar.results import Claim, Figure
    from gpvar.study import Study
    from gpvar.table import PracticeTable


def read_letter(path: Path, today: dt.date | None = None) -> tuple[Claim, ...]:
    """Return the sentences of a letter; no data are needed.

    Parameters
    ----------
    path
        A workbook as ``new`` writes it, or a CSV file with the same headings.
    today
        The day on which it is read: no letter knows figures of a later one.

    Returns
    -------
    tuple of Claim
        In the order of the rows; none for an empty sheet.

    Raises
    ------
    StudyError
        With everything that is wrong with it, at once.
    """
    problems = Problems(StudyError, str(path))
    found = _read(rows_of_file(path, problems), problems, today)
    problems.raise_if_any()
    return found


def letter_of(study: Study, table: PracticeTable | None = None) -> tuple[Claim, ...]:
    """Return the sentences of a study's letter: those of its file, then its ``[[claim]]`` tables.

    Parameters
    ----------
    study
        The study.
    table
        Where practices that are named are found; without it only codes are known. A practice that it does not hold
        keeps its name and has no code.

    Raises
    ------
    StudyError
        With everything that is wrong, at once; also when a name can be that of several practices.
    """
    own = study.path.name if study.path else "the study"
    places = [str(study.letter)] * bool(study.letter) + [str(study.path or own)] * bool(study.claims)
    problems = Problems(StudyError, ", ".join(places))
    rows = rows_of_file(study.letter, problems) if study.letter else []
    rows += rows_of_tables(study.claims, own, problems)
    found = _read(rows, problems, None)
    if table is not None:
        found = tuple(_found(claim, table, problems) for claim in found)
    problems.raise_if_any()
    return found


def _read(rows: Sequence[Row], problems: Problems, today: dt.date | None) -> tuple[Claim, ...]:
    today = today or dt.date.today()
    read = [read_entry(row, number, problems, today) for number, row in enumerate(rows, 1)]
    found = tuple(claim for claim in read if claim is not None)
    _note_rows_apart(found, problems)
    return found


def _found(claim: Claim, table: PracticeTable, problems: Problems) -> Claim:
    """Return the claim with its practice's code, looked for in the study's area first, then in its board."""
    if claim.practice_code or not claim.practice:
        return claim
    anywhere = match_practices(table.practices, claim.practice)
    here = anywhere[anywhere["practice_code"].isin(table.area_codes)]
    if len(anywhere) == 0:
        return claim
    if len(here) == 0 and len(anywhere) > 1:
        here = anywhere[anywhere["practice_code"].isin(_of_the_board(table))]
    try:
        code = find_practice(here if len(here) else anywhere, claim.practice)
    except StudyError as error:
        problems.add(error.problem, _row_of(claim), error.fix)
        return claim
    return replace(claim, practice_code=code)


def _of_the_board(table: PracticeTable) -> set[str]:
    """Return the practices of the boards in which the study's area lies: a list of practices has one too."""
    places = table.hierarchy
    boards = set(places.loc[places["practice_code"].isin(table.area_codes), "icb_code"]) - {""}
    return set(places.loc[places["icb_code"].isin(boards), "practice_code"])


def _row_of(claim: Claim) -> str:
    return claim.where.rpartition(", ")[2]


def _note_rows_apart(claims: Iterable[Claim], problems: Problems) -> None:
    """Note rows that say the same twice, and rows of one kind that cannot both be so."""
    seen: dict[tuple[str, ...], list[Claim]] = {}
    for claim in claims:
        practice = claim.practice_code or letter_form.plain(claim.practice)
        measure = claim.metric or letter_form.plain(claim.metric_written)
        key = (claim.template, practice, measure, claim.period, claim.period_before, claim.comparator)
        for other in seen.setdefault(key, []):
            both = f"{_row_of(other)} and {_row_of(claim)}"
            if replace(claim, id="", where="", note="") == replace(other, id="", where="", note=""):
                problems.add("Two rows say the same.", both, "Take one of them out.")
            elif _apart(claim, other):
                fix = "Correct the one that is a slip; if both are in the letter, give each its period."
                problems.add(f"Two rows of the kind '{_title(claim)}' contradict each other.", both, fix)
        seen[key].append(claim)


def _title(claim: Claim) -> str:
    return letters.templates()[claim.template].title


def _apart(claim: Claim, other: Claim) -> bool:
    """Return whether two rows of one kind, measure and period put a practice on two sides or give it two figures."""
    if claim.direction and other.direction and claim.direction != other.direction:
        return True
    return _differ(claim.figure, other.figure)


def _differ(one: Figure | None, other: Figure | None) -> bool:
    """Return whether two figures differ by more than the rounding with which they are printed."""
    if one is None or other is None:
        return False
    return abs(one.number - other.number) > 0.5 * 10.0**-one.decimals + 0.5 * 10.0**-other.decimals + 1e-9
