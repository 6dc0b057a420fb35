"""Whom a study is about: boards and practices by name or code, settled together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations
from gpvar.dates import day_in_words
from gpvar.errors import StudyError
from gpvar.sources.local import read_codes
from gpvar.starter.headings import Draft, relative
from gpvar.starter.own import columns_called, key
from gpvar.study.columns import TO_FILL_IN


def choose_codes(draft: Draft, frame: pd.DataFrame, icb: str | None) -> pd.DataFrame:
    """Return who the practices are, by the codes of boards that were in force when the period ended.

    Another column is taken only where the board asked for cannot be put together from that one.
    """
    assert draft.period is not None
    day = draft.period.last_day
    headings = _columns_of_boards(draft, frame)
    in_force = {heading: _in_force(frame[heading], day) for heading in headings}
    for heading in sorted(headings, key=lambda heading: not in_force[heading]):
        draft.columns["icb_code"] = heading
        # A name goes with its own codes: one of 2026 beside codes of 2024 would be another board's.
        name = columns_called(draft.headings, [key(heading).replace("code", "name")])
        if name and name[0] != heading:
            draft.columns["icb_name"] = name[0]
        elif len(headings) > 1:
            draft.columns.pop("icb_name", None)
        facts = _facts(draft, frame)
        if set(facts["icb_code"]) & set(catalogue.icbs()):
            when = "in force" if in_force[heading] else "that were not all in force"
            draft.remarks["icb_code"] = f"codes {when} on {day_in_words(day)}"
        if icb is None or _has_board(facts, icb):
            return facts
    if "icb_code" in draft.columns:
        organisations.find_icb(facts, icb or "")
    return _facts(draft, frame)


def _columns_of_boards(draft: Draft, frame: pd.DataFrame) -> list[str]:
    """Return the columns that hold boards, by their headings, else by the codes in them, else those of names."""
    found = [columns_called(draft.headings, [name]) for name in catalogue.conventions()["facts"]["icb_code"]]
    headings = [item[0] for item in found if item] or [draft.columns.get("icb_code", "")]
    headings = [heading for heading in headings if heading and (organisations.tidy(frame[heading]) != "").any()]
    boards = set(catalogue.icbs())
    headings = headings or [
        name for name in draft.headings if organisations.tidy(frame[name]).isin(boards).mean() > 0.5
    ]
    if not headings and "icb_name" in draft.columns:
        headings = [draft.columns["icb_name"]]
    if draft.columns.get("icb_name") in headings:
        del draft.columns["icb_name"]
    return headings


def _in_force(cells: pd.Series, day: dt.date) -> bool:
    known = set(organisations.tidy(cells)) & set(catalogue.icbs())
    return bool(known) and known <= set(catalogue.icb_members(day))


def _has_board(facts: pd.DataFrame, icb: str) -> bool:
    try:
        return bool(organisations.find_icb(facts, icb))
    except StudyError:
        return False


def _facts(draft: Draft, frame: pd.DataFrame) -> pd.DataFrame:
    names = [n for n in ("practice_code", "practice_name", "icb_code", "icb_name") if n in draft.columns]
    facts = pd.DataFrame({name: frame[draft.columns[name]] for name in names})
    for name in ("practice_code", "icb_code"):
        if name in facts:
            facts[name] = organisations.tidy(facts[name])
    facts = facts[organisations.is_practice_code(facts["practice_code"])]
    return facts.drop_duplicates("practice_code").reset_index(drop=True)


def choose_area(
    draft: Draft,
    facts: pd.DataFrame,
    practice: Sequence[str],
    icb: str | None,
    list_file: Path | None,
    folder: Path,
) -> None:
    """Settle board and practices together: a board narrows practices of one name, a practice boards of one name."""
    if not practice and icb is None and list_file is None:
        raise StudyError(
            "Whom is the study about?",
            "the words after new",
            'Add --icb "North East", --practice "Densham" or --list our-practices.csv.',
        )
    if icb is not None and list_file is not None:
        raise StudyError(
            "A study is about one area, and two are given.",
            f"--icb {icb} --list {list_file.name}",
            "Choose one of --icb and --list; a list is compared with England in the same way.",
        )
    if icb is not None and "icb_code" not in facts:
        _area_of_gaps(draft, facts, practice, icb)
        return
    boards = organisations.find_icb(facts, icb) if icb is not None else []
    used = set(facts["icb_code"]) if "icb_code" in facts else set()
    members = {board: _practices_of(board, facts, used) for board in boards}
    listed = set(read_codes(list_file)[0]) if list_file else None
    within = set().union(*members.values()) if members else listed
    codes = _codes_asked(draft, facts, practice, within)
    if len(boards) > 1:
        boards = (
            [board for board in boards if members[board].issuperset(set(codes) - {TO_FILL_IN})] if codes else boards
        )
    if len(boards) > 1:
        raise StudyError(
            f"{len(boards)} boards are called '{icb}': {organisations.describe_boards(boards, facts)}.",
            "--icb",
            "Give the code of the one you mean.",
        )
    names = dict(zip(facts["practice_code"], facts.get("practice_name", facts["practice_code"]), strict=True))
    draft.practices = [(code, str(names.get(code, ""))) for code in dict.fromkeys(codes)]
    if list_file is not None:
        draft.kind, draft.list_file = "list", relative(list_file, folder)
    elif boards:
        draft.code = boards[0]
    elif used - {""} and codes[0] != TO_FILL_IN:
        draft.code = facts.set_index("practice_code").loc[codes[0], "icb_code"]
    else:
        draft.kind = "list"
    if draft.code:
        draft.area_name = organisations.names_of_boards(facts, [draft.code])[draft.code]
    elif list_file is not None:
        draft.area_name = " ".join(list_file.name.split(".")[0].replace("-", " ").replace("_", " ").split())


def _codes_asked(
    draft: Draft, facts: pd.DataFrame, practice: Sequence[str], within: set[str] | None = None
) -> list[str]:
    """Return the codes of the practices asked for; without a column of names, a name is left to be filled in."""
    codes = []
    for query in practice:
        if "practice_name" in facts or organisations.looks_like_practice_code(query):
            narrower = "name its board as well, with --icb" if within is None and "icb_code" in facts else ""
            codes.append(organisations.find_practice(facts, query, within, narrower))
        else:
            codes.append(TO_FILL_IN)
            draft.area_gap = (
                f"the code of '{query}': the file has no names of practices that are known by their heading"
            )
    return codes


def _area_of_gaps(draft: Draft, facts: pd.DataFrame, practice: Sequence[str], icb: str) -> None:
    """Settle the area of a table without boards: the column of boards is left to be filled in."""
    assert draft.period is not None
    draft.gaps.append("icb_code")
    draft.code = organisations.find_icb_by_date(icb, draft.period.last_day)
    draft.area_name = organisations.name_of_board(draft.code)
    names = dict(zip(facts["practice_code"], facts.get("practice_name", facts["practice_code"]), strict=True))
    codes = _codes_asked(draft, facts, practice)
    draft.practices = [(code, str(names.get(code, ""))) for code in dict.fromkeys(codes)]


def _practices_of(board: str, facts: pd.DataFrame, used: set[str]) -> set[str]:
    return set(facts.loc[facts["icb_code"].isin(organisations.codes_of_board(board, used)), "practice_code"])


def date_of_codes(facts: pd.DataFrame, draft: Draft) -> dt.date | None:
    """Return the last day of the period, on which the areas are to be those of the table."""
    known = set(facts.get("icb_code", pd.Series(dtype=str))) & set(catalogue.icbs())
    return draft.period.last_day if known and draft.period is not None else None
