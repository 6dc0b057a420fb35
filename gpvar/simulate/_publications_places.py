"""Practices as the publications know them: where they are, where they belong, which have closed, and editions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from gpvar.dates import MONTHS
from gpvar.simulate import SimulatedEngland, _world
from gpvar.study import Period

#: What the real mapping writes for a practice that is in no network.
NO_PCN = ("U", "Unallocated")
_TOWNS = ("Ashenby", "Larkmoor", "Castleholt", "Fenwater", "Simford", "Brackley Cross", "Upper Wend", "Marle")
_TAKEN = (
    *("practice_code", "practice_name", "pcn_code", "pcn_name", "sub_icb_code", "icb_code", "icb_name"),
    *("region_code", "region_name", "supplier"),
)
_STREETS = ("MILL LANE", "STATION ROAD", "CHURCH STREET", "THE GREEN", "HIGH STREET", "PARK VIEW")


@dataclass(frozen=True, slots=True)
class Editions:
    """Which edition of each publication goes with a period, as months ``"2026-07"`` and years ``"2425"``.

    Attributes
    ----------
    months
        The months of the period.
    registered
        Edition of the lists by age, the mapping and the small areas: the first quarter-day month two months after.
    workforce
        The month before it.
    qof
        The last financial year that ended before the period.
    payments
        Two years earlier.
    """

    months: tuple[str, ...]
    registered: str
    workforce: str
    qof: str
    payments: str

    @classmethod
    def of(cls, period: Period) -> Editions:
        """Return the editions that go with a period."""
        months = tuple(str(month) for month in pd.period_range(period.start, period.end, freq="M"))
        after = pd.Period(period.end, "M") + 2
        while after.month not in (1, 4, 7, 10):
            after += 1
        first = pd.Period(period.start, "M")
        year = first.year - (2 if first.month < 4 else 1)
        return cls(months, str(after), str(after - 1), _financial(year), _financial(year - 2))


def _financial(year: int) -> str:
    return f"{year % 100:02d}{(year + 1) % 100:02d}"


def stamp(month: str, form: str) -> str:
    """Return the first of a month as the publications write it: ``iso``, ``upper`` (01APR2025) or ``title``."""
    if form == "iso":
        return f"{month}-01"
    name = MONTHS[int(month[5:]) - 1][:3]
    return f"01{name.upper() if form == 'upper' else name}{month[:4]}"


def generator(seed: int, part: str) -> np.random.Generator:
    """Return the random numbers of one part, so that leaving out a file does not change the others."""
    return np.random.default_rng([seed, crc32(part.encode("ascii"))])


@dataclass(frozen=True, slots=True)
class Places:
    """The practices that the publications list.

    Attributes
    ----------
    current
        Those of the simulated England, in its order: codes, names and places as the mapping gives them, supplier,
        postcode, address, opened (``"19740401"``), and whether the practice is `new`: opened too late for the payments.
    closed
        Those that have closed: the same columns, `closed` (``"20251031"``) and `successor`.
    merged
        Code of the practice that took over the patients of the first closed one.
    """

    current: pd.DataFrame
    closed: pd.DataFrame
    merged: str


def places(world: SimulatedEngland, editions: Editions, seed: int) -> Places:
    """Return the practices of a simulated England with all that the publications say of where they are."""
    rng = generator(seed, "places")
    frame = world.practices[[*_TAKEN, "maximum_percentage_monthly_change"]].copy()
    size = len(frame)
    kept = frame["practice_code"].isin(world.planted["practice_code"]).to_numpy()
    merged = int(frame["maximum_percentage_monthly_change"].to_numpy().argmax())
    free = np.flatnonzero(~kept & (np.arange(size) != merged))
    drawn = rng.permutation(free)
    few = max(2, round(0.008 * size))
    _straddle(frame, drawn)
    frame.loc[drawn[:few], ["pcn_code", "pcn_name"]] = NO_PCN
    frame["new"] = np.isin(np.arange(size), drawn[few : 2 * few])
    frame.loc[drawn[2 * few : 2 * few + 1], "supplier"] = "Unknown"
    frame = _coded(frame.drop(columns="maximum_percentage_monthly_change"))
    frame["opened"] = np.where(frame["new"], f"20{editions.qof[:2]}0401", "19740401")
    _address(frame, rng, 0)
    return Places(frame, _closed(frame, merged, drawn[3 * few :], editions, rng), str(frame["practice_code"][merged]))


def _straddle(frame: pd.DataFrame, drawn: Sequence[int]) -> None:
    """Let one network have practices of two boards, in place."""
    boards = frame["icb_code"].drop_duplicates().to_list()
    host = frame.loc[frame["icb_code"] == boards[1], "pcn_code"].value_counts().index[0]
    guest = next(row for row in reversed(drawn) if frame["icb_code"][row] == boards[0])
    frame.loc[guest, "pcn_code"] = host
    frame.loc[guest, "pcn_name"] = frame.loc[frame["pcn_code"] == host, "pcn_name"].iloc[0]


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the statistical codes of boards, sub-board areas and regions, from blocks that are not in use."""
    for column, stem, start in (("region", "E40", 901), ("icb", "E54", 901), ("sub_icb", "E38", 901)):
        known = {code: f"{stem}{start + n:06d}" for n, code in enumerate(sorted(set(frame[f"{column}_code"])))}
        frame[f"ons_{column}_code"] = frame[f"{column}_code"].map(known)
    short = frame["icb_name"].str.replace("Integrated Care Board", "ICB")
    return frame.assign(sub_icb_name=short + " - " + frame["sub_icb_code"])


def _address(frame: pd.DataFrame, rng: np.random.Generator, start: int) -> None:
    """Add an invented address, in place: no postcode area is XQ, and the telephone numbers are kept for fiction."""
    number = np.arange(start, start + len(frame))
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
    inward = [f"{rng.integers(1, 10)}{a}{b}" for a, b in letters[rng.integers(len(letters), size=(len(frame), 2))]]
    frame["postcode"] = [f"XQ{1 + n // 90} {end}" for n, end in zip(number, inward, strict=True)]
    house = rng.integers(1, 200, len(frame))
    street = np.array(_STREETS)[rng.integers(len(_STREETS), size=len(frame))]
    frame["address_1"] = frame["practice_name"].str.upper()
    frame["address_2"] = [f"{n} {name}" for n, name in zip(house, street, strict=True)]
    frame["town"] = np.array(_TOWNS)[rng.integers(len(_TOWNS), size=len(frame))]
    frame["telephone"] = [f"01632 {960000 + n % 1000}" for n in number]


def _closed(
    current: pd.DataFrame, merged: int, drawn: Sequence[int], editions: Editions, rng: np.random.Generator
) -> pd.DataFrame:
    """Return practices that have closed: the first within the period beside the merged one, the others before it."""
    count = max(4, len(current) // 60)
    frame = current.loc[[merged, *drawn[: count - 1]]].reset_index(drop=True)
    frame["successor"] = frame["practice_code"]
    frame["practice_code"] = [f"X{90001 + 7 * n:05d}" for n in range(count)]
    words = _world.constants("names")
    frame["practice_name"] = [
        f"Old {words['first'][n % 50]} {words['second'][(n * 7 + n // 50) % 40]} Surgery" for n in range(count)
    ]
    frame["new"] = False
    frame["opened"] = "19740401"
    middle = editions.months[len(editions.months) // 2]
    first = pd.Timestamp(f"{editions.months[0]}-01")
    days = [pd.Timestamp(f"{middle}-01") - pd.Timedelta(days=1)]
    days += [first - pd.Timedelta(days=int(gone)) for gone in np.sort(rng.integers(40, 1100, count - 1))]
    frame["closed"] = [f"{day:%Y%m%d}" for day in days]
    _address(frame, rng, len(current))
    return frame
