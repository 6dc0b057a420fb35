"""Dated maps of where practices belong: one whole row for each practice, from the map nearest to a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.organisations.boards import name_of_board
from gpvar.organisations.bridging import board_on, regime_day
from gpvar.organisations.codes import tidy

#: What a map can say of a practice; columns that a map lacks are blank in what is made of it.
PLACES = (
    "practice_code",
    "practice_name",
    "pcn_code",
    "pcn_name",
    "sub_icb_code",
    "icb_code",
    "icb_name",
    "region_code",
)
#: What `place_on` adds to each row.
PLACED = ("map_date", "map_icb_code", "board_from")
_CODES = ("practice_code", "pcn_code", "sub_icb_code", "icb_code", "region_code")
_NOT_TOLD = "not told"


def place_on(places: Iterable[pd.DataFrame], day: dt.date, needs: Iterable[str] = ()) -> pd.DataFrame:
    """Choose for every practice one whole row, from the map dated nearest to a day.

    Parameters
    ----------
    places
        Maps: practice_code and date (``"2026-07-01"``), and any of practice_name, pcn_code, pcn_name, sub_icb_code,
        icb_code, icb_name, region_code. One frame may hold several dates.
    day
        The day on which practices are to be placed.
    needs
        Columns without which a row is taken only where no other map has the practice: ODS names no networks.

    Returns
    -------
    DataFrame
        One row per practice, by code: the columns of `PLACES`, and `PLACED`: map_date, the date of the map from which
        the whole row comes; map_icb_code, the board as that map has it; board_from, what told the board of the day:
        ``"map"``, ``"code"`` or ``"sub-ICB location"`` (bridged), ``"not told"`` (the board is as the map has it, and
        of another date than the day), or blank where the map has no board.

    Notes
    -----
    A map before the day goes before one as far after it. The network of one date is never put beside the board of
    another: where a board cannot be bridged from its code or its sub-ICB location, the whole row is taken from the
    nearest map from which it can, and only where there is none does the board stay as the map has it.
    """
    frames = [_bridged(rows, dt.date.fromisoformat(str(date)), day) for date, rows in _by_date(places)]
    if not frames:
        return pd.DataFrame(columns=[*PLACES, *PLACED], dtype=object)
    rows = pd.concat(frames, ignore_index=True)
    dates = pd.to_datetime(rows["map_date"], format="%Y-%m-%d")
    apart = (dates - pd.Timestamp(day)).dt.days
    order = pd.DataFrame(
        {
            "not_told": rows["board_from"] == _NOT_TOLD,
            "lacking": sum((rows[column] == "" for column in needs), start=pd.Series(0, index=rows.index)),
            "distance": apart.abs(),
            "after": apart > 0,
            "blanks": (rows[list(PLACES)] == "").sum(axis=1),
        }
    )
    best = order.sort_values(list(order.columns), kind="stable").index
    chosen = rows.loc[best].drop_duplicates("practice_code")
    return chosen.sort_values("practice_code", ignore_index=True)


def _by_date(places: Iterable[pd.DataFrame]) -> Iterable[tuple[object, pd.DataFrame]]:
    """Yield each map by its date, with every column there and codes tidy."""
    for frame in places:
        tidied = {
            name: pd.Series("", index=frame.index)
            if name not in frame
            else tidy(frame[name])
            if name in _CODES
            else frame[name].fillna("").astype(str).str.strip()
            for name in PLACES
        }
        rows = pd.DataFrame({**tidied, "map_date": frame["date"].astype(str)})
        yield from rows[rows["practice_code"] != ""].groupby("map_date", sort=False)


def _bridged(rows: pd.DataFrame, map_day: dt.date, day: dt.date) -> pd.DataFrame:
    """Return a map with the boards of the day, and what told them."""
    map_day = regime_day(rows["icb_code"].unique(), map_day)
    pairs = rows[["icb_code", "sub_icb_code"]].drop_duplicates()
    said = {}
    for icb, sub_icb in pairs.itertuples(index=False, name=None):
        found, by = board_on(icb, sub_icb, map_day, day)
        said[icb, sub_icb] = ("", "") if not icb else (found or icb, _by_what(icb, found, by))
    keys = list(zip(rows["icb_code"], rows["sub_icb_code"], strict=True))
    boards = pd.Series([said[key][0] for key in keys], index=rows.index, dtype=object)
    changed = boards != rows["icb_code"]
    return rows.assign(
        icb_code=boards.astype(str),
        icb_name=rows["icb_name"].mask(changed, boards.map(name_of_board)),
        region_code=rows["region_code"].mask(changed & (rows["region_code"] != ""), boards.map(_region_of)),
        map_icb_code=rows["icb_code"],
        board_from=[said[key][1] for key in keys],
    )


def _by_what(icb: str, found: str, by: str) -> str:
    if not found:
        return _NOT_TOLD
    return "map" if found == icb else by


def _region_of(code: str) -> str:
    board = catalogue.icbs().get(code)
    return board.region_code if board else ""


def boards_not_told(placed: pd.DataFrame) -> pd.DataFrame:
    """Return the boards that could not be given for the day, with their practices.

    Parameters
    ----------
    placed
        What `place_on` returned.

    Returns
    -------
    DataFrame
        icb_code, icb_name, map_date, practices. Every board that holds some of these practices on the day is short of
        them: see `gpvar.organisations.unbridgeable` for which those are.
    """
    rows = placed[placed["board_from"] == _NOT_TOLD]
    counted = rows.groupby(["icb_code", "map_date"]).size().rename("practices").reset_index()
    counted.insert(1, "icb_name", counted["icb_code"].map(name_of_board))
    return counted


def straddling_networks(places: pd.DataFrame) -> pd.DataFrame:
    """Return the networks whose practices belong to more than one board, board by board.

    Parameters
    ----------
    places
        One row per practice: pcn_code, icb_code, and perhaps pcn_name.

    Returns
    -------
    DataFrame
        pcn_code, pcn_name, icb_code, icb_name, practices. Practices without a network, and the placeholder for the
        unallocated, are no network.
    """
    codes, boards = tidy(places["pcn_code"]), tidy(places["icb_code"])
    names = places["pcn_name"].fillna("") if "pcn_name" in places else pd.Series("", index=places.index)
    frame = pd.DataFrame({"pcn_code": codes, "pcn_name": names, "icb_code": boards})
    frame = frame[~codes.isin(["", catalogue.conventions()["codes"]["no_pcn"]]) & (boards != "")]
    groups = frame.groupby(["pcn_code", "icb_code"])
    counted = groups.agg(pcn_name=("pcn_name", "first"), practices=("icb_code", "size")).reset_index()
    counted["icb_name"] = counted["icb_code"].map(name_of_board)
    straddling = counted[counted.duplicated("pcn_code", keep=False)]
    return straddling[["pcn_code", "pcn_name", "icb_code", "icb_name", "practices"]].reset_index(drop=True)


def unallocated(places: pd.DataFrame) -> pd.DataFrame:
    """Return how many practices of each board a map places in no network.

    Parameters
    ----------
    places
        One row per practice: pcn_code and icb_code.

    Returns
    -------
    DataFrame
        icb_code, icb_name, practices: those with the placeholder for the unallocated. A blank is not counted: it says
        that the map does not know.
    """
    none = catalogue.conventions()["codes"]["no_pcn"]
    boards = tidy(places["icb_code"])[tidy(places["pcn_code"]) == none]
    counted = boards.value_counts().sort_index()
    return pd.DataFrame(
        {
            "icb_code": counted.index,
            "icb_name": [name_of_board(str(code)) for code in counted.index],
            "practices": counted.to_numpy(np.int64),
        }
    )
