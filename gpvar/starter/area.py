"""Whom a study is about: boards and practices by name or code, settled together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations
from gpvar.errors import StudyError
from gpvar.sources.local import read_codes
from gpvar.starter.headings import Draft, columns_called, key, relative


def choose_codes(draft: Draft, frame: pd.DataFrame, icb: str | None) -> pd.DataFrame:
    """Return who the practices are, by the column of boards in which the board asked for can be found."""
    headings = list(frame.columns)
    found = [columns_called(headings, [name]) for name in organisations.conventions()["facts"]["icb_code"]]
    for heading in [item[0] for item in found if item]:
        draft.columns["icb_code"] = heading
        # A name goes with its own codes: one of 2026 beside codes of 2024 would be another board's.
        name = columns_called(headings, [key(heading).replace("code", "name")])
        draft.columns.pop("icb_name", None)
        if name:
            draft.columns["icb_name"] = name[0]
        facts = _facts(draft, frame)
        if icb is None or _has_board(facts, icb):
            return facts
    if "icb_code" in draft.columns:
        organisations.find_icb(facts, icb or "")
    return _facts(draft, frame)


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
    if icb is not None and "icb_code" not in facts:
        raise StudyError(
            "The table does not say which board each practice belongs to.",
            "no column icb_code",
            "Add such a column, or use --list with a file of practice codes.",
        )
    boards = organisations.find_icb(facts, icb) if icb is not None else []
    used = set(facts["icb_code"]) if "icb_code" in facts else set()
    members = {board: _practices_of(board, facts, used) for board in boards}
    listed = set(read_codes(list_file)[0]) if list_file else None
    within = set().union(*members.values()) if members else listed
    codes = [organisations.find_practice(facts, query, within) for query in practice]
    if len(boards) > 1:
        boards = [board for board in boards if members[board].issuperset(codes)] if codes else boards
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
    elif used - {""}:
        draft.code = facts.set_index("practice_code").loc[codes[0], "icb_code"]
    else:
        draft.kind = "list"
    draft.area_name = organisations.names_of_boards(facts, [draft.code])[draft.code] if draft.code else ""


def _practices_of(board: str, facts: pd.DataFrame, used: set[str]) -> set[str]:
    return set(facts.loc[facts["icb_code"].isin(organisations.codes_of_board(board, used)), "practice_code"])


def date_of_codes(facts: pd.DataFrame, draft: Draft) -> dt.date | None:
    """Return the last day of the period on which the table's boards were in force, or the day nearest to it."""
    known = set(facts.get("icb_code", pd.Series(dtype=str))) & set(catalogue.icbs())
    if not known or draft.period is None:
        return None
    boards = [catalogue.icbs()[code] for code in known]
    ends = min((board.valid_to for board in boards if board.valid_to), default=draft.period.last_day)
    starts = max(board.valid_from for board in boards)
    return max(min(draft.period.last_day, ends), starts)
