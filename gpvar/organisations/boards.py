"""Integrated care boards: their names, and which codes make one up before and after April 2026."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from gpvar import catalogue
from gpvar.organisations.codes import tidy
from gpvar.problems import listing

#: The most names that a message lists.
MOST_LISTED = 10


def lives_on(code: str) -> bool:
    """Return whether a board is the same before and after every change of boards that is known."""
    boards = catalogue.icbs()
    board = boards.get(code)
    alone = board is not None and board.valid_to is None and not board.successors
    return alone and not any(code in other.successors for other in boards.values())


def codes_of_board(code: str, used: Iterable[str]) -> tuple[str, ...]:
    """Return the codes among `used` whose practices make up the board `code`, bridging April 2026.

    A board of April 2026 is the sum of the boards that it replaced. A replaced board can be found among the codes
    of April 2026 only where its successor replaced it alone. Nothing is returned when the board cannot be put together.
    """
    used = set(used)
    if code in used:
        return (code,)
    boards = catalogue.icbs()
    before = [old for old, board in boards.items() if code in board.successors]
    if before and set(before) & used:
        # A board that was split between several cannot be assigned from its code alone.
        whole = all(boards[old].successors == (code,) for old in before)
        return tuple(old for old in before if old in used) if whole else ()
    after = boards[code].successors if code in boards else ()
    if len(after) == 1 and after[0] in used:
        others = [old for old, board in boards.items() if after[0] in board.successors and old != code]
        return () if others else after
    return ()


def name_of_board(code: str) -> str:
    """Return a board's name, or its code when the name is not known."""
    board = catalogue.icbs().get(code)
    return board.name if board else code


def describe_boards(codes: Iterable[str], frame: pd.DataFrame | None = None) -> str:
    """Return ``"QHM (NHS North East …), QMF (…)"`` for messages."""
    codes = list(codes)
    names = names_of_boards(frame, codes) if frame is not None else {code: name_of_board(code) for code in codes}
    return listing(
        (f"{code} ({names[code]})" if names.get(code, code) != code else code for code in codes), MOST_LISTED
    )


def names_of_boards(frame: pd.DataFrame, used: Iterable[str]) -> dict[str, str]:
    """Return code → name, as the table names its boards, else as the catalogue does, else the code."""
    used = list(used)
    names = {code: name_of_board(code) for code in used}
    if "icb_name" in frame:
        given = frame.assign(icb_code=tidy(frame["icb_code"])).dropna(subset=["icb_name"])
        given = given[given["icb_name"].astype(str).str.strip() != ""]
        firsts = given.groupby("icb_code")["icb_name"].first()
        names.update({str(code): str(name) for code, name in firsts.items()})
    return {code: names[code] for code in used}
