"""Boards of one date named by the boards of another: from codes where they decide it, else from practice-level maps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pandas as pd

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.errors import StudyError
from gpvar.organisations.boards import name_of_board
from gpvar.organisations.codes import tidy
from gpvar.problems import listing

_BRIDGE = ["old", "old_name", "new", "new_name", "how", "new_holds_also"]
_UNBRIDGEABLE = ["old", "old_name", "could_be", "told_by_sub_icb", "not_told", "what_would_bridge"]
_MOVED = ["practice_code", "practice_name", "what", "then", "now"]


@cache
def changes_of_boards() -> tuple[dt.date, ...]:
    """Return the days on which boards were replaced by others, the first first."""
    ends = {board.valid_to for board in catalogue.icbs().values() if board.valid_to is not None}
    return tuple(sorted(end + dt.timedelta(days=1) for end in ends))


def bridge(from_day: dt.date, to_day: dt.date) -> pd.DataFrame:
    """Return which boards of one day hold the practices of the boards of another, as far as codes tell it.

    Parameters
    ----------
    from_day, to_day
        The days, in either order.

    Returns
    -------
    DataFrame
        One row per board of `from_day` (`old`) and board of `to_day` (`new`) that hold practices in common, the
        largest part first: old, old_name, new, new_name; how: ``"unchanged"``, ``"enlarged"`` (its practices keep its
        code, and practices of another board were added), ``"merged whole"`` (all its practices are in one new board)
        or ``"split"`` (its code does not say where a practice went); new_holds_also: the other old boards whose
        practices the new board holds.

    Raises
    ------
    StudyError
        When a day is before the first boards that are known.
    """
    _refuse_unknown(from_day, to_day)
    old = sorted(catalogue.icb_members(from_day))
    pairs = [(code, new) for code in old for new in _boards_on(code, from_day, to_day)]
    targets = {code: [new for left, new in pairs if left == code] for code in old}
    rows = []
    for code, new in pairs:
        also = [left for left, right in pairs if right == new and left != code]
        if len(targets[code]) > 1:
            how = "split"
        elif code == new:
            how = "enlarged" if also else "unchanged"
        else:
            how = "merged whole"
        rows.append((code, name_of_board(code), new, name_of_board(new), how, ", ".join(also)))
    return pd.DataFrame(rows, columns=_BRIDGE, dtype=object)


def unbridgeable(from_day: dt.date, to_day: dt.date) -> pd.DataFrame:
    """Return the boards whose code does not say where their practices are on another day, and what would say it.

    Parameters
    ----------
    from_day, to_day
        The days, in either order.

    Returns
    -------
    DataFrame
        One row per board: old, old_name; could_be: the boards of `to_day` that hold some of its practices;
        told_by_sub_icb: where its sub-ICB locations decide it (``"06K, 06N: S1Y5D; 07H: D7T5G"``); not_told: the
        sub-ICB locations that do not; what_would_bridge: a sentence.
    """
    pairs = bridge(from_day, to_day)
    rows = []
    for code, parts in pairs[pairs["how"] == "split"].groupby("old", sort=False):
        told: dict[str, list[str]] = {}
        not_told = []
        for sub_icb in catalogue.icbs()[str(code)].sub_icbs:
            found, _ = board_on(str(code), sub_icb, from_day, to_day)
            if found:
                told.setdefault(found, []).append(sub_icb)
            else:
                not_told.append(sub_icb)
        by_part = "; ".join(f"{', '.join(subs)}: {new}" for new, subs in told.items())
        cure = _cure(str(code), by_part, not_told, to_day)
        rows.append((code, name_of_board(str(code)), ", ".join(parts["new"]), by_part, ", ".join(not_told), cure))
    return pd.DataFrame(rows, columns=_UNBRIDGEABLE, dtype=object)


def _cure(code: str, by_part: str, not_told: list[str], day: dt.date) -> str:
    if by_part and not not_told:
        return "A column of sub-ICB locations."
    before = [change for change in changes_of_boards() if change <= day]
    after = [change for change in changes_of_boards() if change > day]
    within = [f"on or after {day_in_words(before[-1])}"] if before else []
    within += [f"before {day_in_words(after[0])}"] if after else []
    return (
        f"A map of practices dated {' and '.join(within)}, such as that of Patients Registered at a GP Practice: "
        f"the code {listing(not_told or [code])} does not say it."
    )


def board_on(icb_code: str, sub_icb_code: str, map_day: dt.date, day: dt.date) -> tuple[str, str]:
    """Return the board that a practice has on a day, from its board and sub-ICB location on another.

    Parameters
    ----------
    icb_code, sub_icb_code
        As a map of `map_day` has them; the sub-ICB location may be blank.
    map_day, day
        The day of the map, and the day asked for.

    Returns
    -------
    tuple of str
        The board's code, blank where it cannot be told; and what told it: ``"code"``, ``"sub-ICB location"``, or
        blank.
    """
    found = _boards_on(icb_code, map_day, day)
    if len(found) == 1:
        return found[0], "code"
    if not sub_icb_code:
        return "", ""
    if map_day > day:
        came_from = catalogue.icbs()[icb_code].redrawn.get(sub_icb_code) if icb_code in catalogue.icbs() else None
        if came_from is not None:
            return (came_from[0], "sub-ICB location") if len(came_from) == 1 else ("", "")
    holding = [code for code in found if sub_icb_code in catalogue.icbs()[code].sub_icbs]
    return (holding[0], "sub-ICB location") if len(holding) == 1 else ("", "")


def regime_day(icb_codes: Iterable[str], day: dt.date) -> dt.date:
    """Return the day nearest to `day` on which the boards of a map were in force; `day` where they all were.

    A table made in July 2026 may still write the codes of March: its codes say of which date its boards are.
    """
    boards, members = catalogue.icbs(), catalogue.icb_members(day)
    strange = [boards[code] for code in set(icb_codes) if code in boards and code not in members]
    ended = [board.valid_to for board in strange if board.valid_to is not None and board.valid_to < day]
    begun = [board.valid_from for board in strange if board.valid_from > day]
    if ended and not begun:
        return min(ended)
    return max(begun) if begun and not ended else day


@cache
def _boards_on(code: str, from_day: dt.date, to_day: dt.date) -> tuple[str, ...]:
    """Return the boards of `to_day` that hold practices of a board of `from_day`, the largest part first."""
    if code not in catalogue.icbs():
        return (code,)
    here: tuple[str, ...] = (code,)
    crossed = [change for change in changes_of_boards() if min(from_day, to_day) < change <= max(from_day, to_day)]
    for change in crossed if from_day <= to_day else reversed(crossed):
        step = _after if from_day <= to_day else _before
        here = tuple(dict.fromkeys(other for board in here for other in step(board, change)))
    return here


def _after(code: str, change: dt.date) -> tuple[str, ...]:
    board = catalogue.icbs()[code]
    return board.successors if _ended_at(code, change) else (code,)


def _before(code: str, change: dt.date) -> tuple[str, ...]:
    boards = catalogue.icbs()
    own = (code,) if boards[code].valid_from < change else ()
    return own + tuple(old for old, board in boards.items() if code in board.successors and _ended_at(old, change))


def _ended_at(code: str, change: dt.date) -> bool:
    last = catalogue.icbs()[code].valid_to
    return last is not None and last + dt.timedelta(days=1) == change


def _refuse_unknown(*days: dt.date) -> None:
    first = min(board.valid_from for board in catalogue.icbs().values())
    for day in days:
        if day < first:
            raise StudyError(
                f"Integrated care boards began on {day_in_words(first)}, and {day_in_words(day)} is before that.",
                "the day asked for",
                f"Give a day from {day_in_words(first)} on; older maps name the groups that came before the boards.",
            )


@dataclass(frozen=True, slots=True)
class PracticeBridge:
    """Two maps of practices compared, practice by practice.

    Attributes
    ----------
    boards
        One row per board then and board now with practices in common: old, old_name, new, new_name, practices, share
        (of those of the old board that are in both maps), how (as `bridge`).
    practices
        One row per practice in both maps: practice_code, practice_name, old, new.
    closed
        Practices of the first map that are not in the second: closed, merged, or without a list of patients.
    opened
        Practices of the second map that are not in the first.
    moved
        Practices in both whose board, sub-ICB location or network changed: practice_code, practice_name, what
        (``"board"``, ``"sub-ICB location"``, ``"network"``), then, now. A change that follows from the change of the
        boards themselves, as of every practice of a sub-ICB location that ended, is no move.
    elsewhere
        Rows of either map of no English integrated care board (Welsh health boards, mostly); in none of the above.
    """

    boards: pd.DataFrame
    practices: pd.DataFrame
    closed: pd.DataFrame
    opened: pd.DataFrame
    moved: pd.DataFrame
    elsewhere: pd.DataFrame


def bridge_by_practice(map_then: pd.DataFrame, map_now: pd.DataFrame) -> PracticeBridge:
    """Compare two maps of practices: where each board's practices went, which closed, opened and moved.

    Parameters
    ----------
    map_then, map_now
        One row per practice: practice_code, icb_code, and perhaps practice_name, sub_icb_code, pcn_code; tidy codes.

    Returns
    -------
    PracticeBridge
    """
    then, then_elsewhere = _english(map_then)
    now, now_elsewhere = _english(map_now)
    both = then.index.intersection(now.index)
    practices = pd.DataFrame(
        {
            "practice_code": both,
            "practice_name": now.loc[both, "practice_name"].to_numpy(),
            "old": then.loc[both, "icb_code"].to_numpy(),
            "new": now.loc[both, "icb_code"].to_numpy(),
        }
    )
    sizes = practices.groupby(["old", "new"]).size().rename("practices").reset_index()
    sizes = sizes.sort_values(["old", "practices", "new"], ascending=[True, False, True], ignore_index=True)
    sizes["share"] = sizes["practices"] / sizes.groupby("old")["practices"].transform("sum")
    sizes["how"] = _how(sizes)
    boards = sizes.assign(old_name=sizes["old"].map(name_of_board), new_name=sizes["new"].map(name_of_board))
    return PracticeBridge(
        boards=boards[["old", "old_name", "new", "new_name", "practices", "share", "how"]],
        practices=practices,
        closed=_only(then, now),
        opened=_only(now, then),
        moved=_moved(then.loc[both], now.loc[both]),
        elsewhere=pd.concat([then_elsewhere, now_elsewhere], ignore_index=True),
    )


def _english(places: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a map by practice, and its rows of no English board."""
    wanted = ["practice_name", "icb_code", "sub_icb_code", "pcn_code"]
    given = {name: places[name].fillna("") if name in places else "" for name in wanted}
    frame = pd.DataFrame({"practice_code": tidy(places["practice_code"]), **given})
    english = frame["icb_code"].isin(list(catalogue.icbs()))
    return frame[english].drop_duplicates("practice_code").set_index("practice_code").sort_index(), frame[~english]


def _only(here: pd.DataFrame, there: pd.DataFrame) -> pd.DataFrame:
    return here.loc[here.index.difference(there.index)].reset_index()


def _how(sizes: pd.DataFrame) -> pd.Series:
    parts, sources = sizes.groupby("old")["new"].transform("size"), sizes.groupby("new")["old"].transform("size")
    same = sizes["old"] == sizes["new"]
    how = pd.Series("merged whole", index=sizes.index)
    how = how.mask(same & (sources == 1), "unchanged").mask(same & (sources > 1), "enlarged")
    return how.mask(parts > 1, "split")


def _moved(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    frames = []
    related = {code: set(_related(code)) for code in then["icb_code"].unique()}
    same_board = [new in related[old] for old, new in zip(then["icb_code"], now["icb_code"], strict=True)]
    followed = {
        "icb_code": pd.Series(same_board, index=then.index, dtype=bool),
        "sub_icb_code": then["sub_icb_code"].isin(_ended_sub_icbs()) & (then["icb_code"] != now["icb_code"]),
        "pcn_code": pd.Series(False, index=then.index),
    }
    for column, what in (("icb_code", "board"), ("sub_icb_code", "sub-ICB location"), ("pcn_code", "network")):
        changed = (then[column] != now[column]) & (then[column] != "") & (now[column] != "")
        changed &= ~followed[column]
        frames.append(
            pd.DataFrame(
                {
                    "practice_code": then.index[changed],
                    "practice_name": now.loc[changed, "practice_name"].to_numpy(),
                    "what": what,
                    "then": then.loc[changed, column].to_numpy(),
                    "now": now.loc[changed, column].to_numpy(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)[_MOVED]


def _ended_sub_icbs() -> set[str]:
    """Return the sub-ICB locations that ended with their board."""
    boards = catalogue.icbs().values()
    return {
        sub_icb
        for board in boards
        if board.successors
        for sub_icb in board.sub_icbs
        if not any(sub_icb in catalogue.icbs()[new].sub_icbs for new in board.successors)
    }


def _related(code: str) -> tuple[str, ...]:
    """Return the boards that a board's practices can have come to, or come from, by changes of boards alone."""
    boards = catalogue.icbs()
    line, related = [code], [code]
    while line:
        step = boards[line.pop()].successors
        related += step
        line += step
    return (*related, *(old for old, board in boards.items() if code in board.successors))
