"""Practices and boards found by code or by part of their name; a slip is met with the nearest."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.errors import StudyError
from gpvar.organisations.boards import (
    MOST_LISTED,
    codes_of_board,
    describe_boards,
    name_of_board,
    names_of_boards,
)
from gpvar.organisations.codes import looks_like_practice_code, plain_text, tidy
from gpvar.problems import closest, listing

if TYPE_CHECKING:
    from gpvar.table import PracticeTable


_SHARED_BY_FEW = 5


def find_practice(
    where: PracticeTable | pd.DataFrame, query: str, within: Iterable[str] | None = None, narrower: str = ""
) -> str:
    """Return the code of the practice that `query` names.

    Parameters
    ----------
    where
        A practice table, or a frame with `practice_code` and perhaps `practice_name`.
    query
        A code, or part of a name; capitals do not matter.
    within
        Only practices with these codes are considered.
    narrower
        What else the caller can be given to tell practices of one name apart, such as ``"name its board as well"``.

    Raises
    ------
    StudyError
        When nothing fits, or more than one practice does; the message lists up to ten.
    """
    frame = where if isinstance(where, pd.DataFrame) else where.practices
    anywhere = found = match_practices(frame, query)
    if within is not None:
        found = anywhere[tidy(anywhere["practice_code"]).isin(set(within))]
    if len(found) == 0 and len(anywhere) > 0:
        boards = _boards_of(anywhere)
        name_it = f"Name its own board ({boards})" if boards else "Name the board that it belongs to"
        raise StudyError(
            f"'{query}' is not in the board or list asked for: {_named(anywhere)}.",
            "the practice asked for",
            f"{name_it}, or another practice.",
        )
    if len(found) == 1:
        return str(found["practice_code"].iloc[0])
    if len(found) > 1:
        raise StudyError(
            f"{len(found)} practices have '{query}' in their name: {_named(found)}.",
            "the practice asked for",
            f"Give the code of the one you mean{f', or {narrower}' if narrower else ''}.",
        )
    raise StudyError(
        f"No practice here is called '{query}'.", "the practice asked for", _did_you_mean(near_practices(frame, query))
    )


def _boards_of(found: pd.DataFrame) -> str:
    if "icb_code" not in found:
        return ""
    codes = list(dict.fromkeys(code for code in tidy(found["icb_code"]) if code))
    return describe_boards(codes, found)


def match_practices(frame: pd.DataFrame, query: str) -> pd.DataFrame:
    """Return the rows whose code is `query`, else whose name is, else whose name holds it."""
    codes = tidy(frame["practice_code"])
    by_code = frame[codes == query.strip().upper()]
    if len(by_code) or "practice_name" not in frame:
        return by_code
    names, asked = _plain(frame["practice_name"]), plain_text(query)
    if not asked:
        return frame.iloc[:0]
    same = frame[names == asked]
    return same if len(same) else frame[names.str.contains(asked, regex=False)]


def find_icb(frame: pd.DataFrame, query: str) -> list[str]:
    """Return the codes of the boards that `query` can mean, as the codes that `frame` uses.

    Parameters
    ----------
    frame
        One row per practice with `icb_code` and perhaps `icb_name`.
    query
        A code, of before or after April 2026, or part of a name.

    Raises
    ------
    StudyError
        When no board of the table fits.
    """
    used = sorted(set(tidy(frame["icb_code"])) - {""})
    code = query.strip().upper()
    if code in used:
        return [code]
    if code in catalogue.icbs():
        # A table may write boards' names where their codes should stand.
        written = [name for name in used if _core(name) == _core(name_of_board(code))]
        return [code] if codes_of_board(code, used) else written or _no_such_board(query, used, frame)
    found = _boards_named(names_of_boards(frame, used), query)
    if not found:
        # A board of another date is found by its name as it is by its code, where its practices can be told.
        others = _boards_named({code: board.name for code, board in catalogue.icbs().items()}, query)
        found = [code for code in others if codes_of_board(code, used)]
    return found or _no_such_board(query, used, frame)


def _boards_named(names: Mapping[str, str], query: str) -> list[str]:
    asked = plain_text(query)
    return [code for code, name in names.items() if asked and asked in plain_text(name)]


def _core(name: str) -> str:
    return re.sub(r"^nhs | (?:integrated care board|icb)$", "", plain_text(name))


def find_icb_by_date(query: str, day: dt.date) -> str:
    """Return the code of the board in force on a day that `query` names, without any table.

    Raises
    ------
    StudyError
        When none does, or more than one.
    """
    boards = {code: catalogue.icbs()[code].name for code in catalogue.icb_members(day)}
    code = query.strip().upper()
    found = [code] if code in catalogue.icbs() else _boards_named(boards, query)
    if len(found) == 1:
        return found[0]
    which = describe_boards(found) if found else describe_boards(boards)
    said = f"{len(found)} boards have '{query}' in their name" if found else f"No board is called '{query}'"
    raise StudyError(f"{said}.", "the board asked for", f"Give the code of the one you mean: {which}.")


def day_of_board(query: str, day: dt.date) -> dt.date:
    """Return the day nearest to `day` on which a board that `query` names is in force: the day itself, or a later one.

    A name that no board has on the day may be that of one which began afterwards; what no board is called, at any time,
    gets the day itself.
    """
    boards = catalogue.icbs()
    code = query.strip().upper()
    if code in boards:
        return max(day, boards[code].valid_from)
    named = {other: boards[other].valid_from for other in _boards_named({c: b.name for c, b in boards.items()}, query)}
    if not named or set(named) & set(catalogue.icb_members(day)):
        return day
    return max(day, min(named.values()))


def _no_such_board(query: str, used: list[str], frame: pd.DataFrame) -> list[str]:
    code = query.strip().upper()
    boards = catalogue.icbs()
    if code in boards:
        board = boards[code]
        did, day = ("ended", board.valid_to) if board.valid_to else ("began", board.valid_from)
        when = f"{did} on {day_in_words(day)}"
        raise StudyError(
            f"The practices of {code} ({board.name}), which {when}, cannot be told from the codes in this table.",
            "the board asked for",
            f"Use a board of the table ({describe_boards(used, frame)}), or map icb_code to a column that has {code}.",
        )
    names = names_of_boards(frame, used)
    words = {word for name in names.values() for word in plain_text(name).split()}
    near = closest(query, used) or closest(plain_text(query), sorted(words), 1)
    codes = [code for code in used if code in near or set(near) & set(plain_text(names[code]).split())] or used
    start = "Did you mean" if near else "The boards of the table are"
    raise StudyError(
        f"No board of this table is called '{query}'.",
        "the board asked for",
        f"{start} {describe_boards(codes, frame)}{'?' if near else '.'}",
    )


def near_practices(frame: pd.DataFrame, query: str) -> pd.DataFrame:
    """Return the rows of practices whose code or name is like what was asked for."""
    codes = tidy(frame["practice_code"])
    names = _plain(frame["practice_name"]) if "practice_name" in frame else pd.Series("", index=frame.index)
    if looks_like_practice_code(query):
        return frame[codes.isin(alike_codes(query.strip().upper(), codes))]
    whole = closest(plain_text(query), names[names != ""].unique(), 5)
    # A word that many practices share, such as "surgery", tells nothing of which is meant.
    held = Counter(word for name in names for word in set(name.split()))
    rare = sorted(word for word, many in held.items() if many <= _SHARED_BY_FEW)
    asked = [word for word in plain_text(query).split() if held[word] <= _SHARED_BY_FEW]
    words = {like for word in asked for like in closest(word, rare)}
    return frame[names.isin(whole) | names.map(lambda name: bool(set(name.split()) & words))]


def alike_codes(code: str, codes: Iterable[str]) -> list[str]:
    """Return up to three codes that differ from `code` in the fewest places."""
    apart = {other: sum(a != b for a, b in zip(code, other, strict=True)) for other in codes if len(other) == len(code)}
    near = sorted((places, other) for other, places in apart.items() if places <= 2)
    return [other for places, other in near if places == near[0][0]][:3]


def _did_you_mean(near: pd.DataFrame) -> str:
    if len(near):
        return f"Did you mean {_named(near)}?"
    return "Give the practice's code (a letter and five digits), or a word of its name as the file writes it."


def _named(found: pd.DataFrame) -> str:
    names = found["practice_name"].fillna("") if "practice_name" in found else [""] * len(found)
    pairs = zip(tidy(found["practice_code"]), names, strict=True)
    return listing((f"{code} {' '.join(str(name).split())}".strip() for code, name in pairs), MOST_LISTED)


def _plain(names: pd.Series) -> pd.Series:
    return names.fillna("").astype(str).map(plain_text)
