"""Draw the world that both ways are run on: ``python -m tests.reference.pipeline.world FOLDER``.

An England of `gpvar.simulate` with need, places, practices set far out and months, and by hand what a real table
brings: missing counts and characteristics, books that are not whole, small and unusual lists, lists that jump,
practices without a network and networks that straddle two boards.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar.simulate import Plant, World, world

SEED = 12
AGES = ["share_0_4", "share_65plus", "share_85plus", "share_female_15_44"]
COUNTS = {
    "list": "registered_patients",
    "appointments": "total_appointments",
    "dna": "dna",
}
_MONTHS = 12


def drawn() -> World:
    """Return the world as it was drawn."""
    plants = [
        Plant(4.0, direction, 20, metric)
        for metric in ("dna_share", "appointments_per_1000")
        for direction in ("high", "low")
    ]
    return world(SEED, 6200, 42, metric="dna_share", months=_MONTHS, plant=plants)


def wide(england: World) -> pd.DataFrame:
    """Return one row per practice with the columns that are needed, its months side by side."""
    year, months = england.practices, england.months
    assert months is not None
    people = {
        "practice_code": year["practice_code"],
        "icb_code": year["icb_code"],
        "pcn_code": year["pcn_code"],
        **{name: year[name].round(4) for name in AGES},
        "imd2025": year["imd2025_score"].round(2),
        **{name: year[name] for name in ("qof_reg_dm", "qof_reg_dep")},
        "qof_list": year["qof_list_2425"],
        "rurality": year["rurality"],
    }
    counts = {
        f"{name}_{month + 1:02d}": months[heading].to_numpy().reshape(-1, _MONTHS)[:, month]
        for name, heading in COUNTS.items()
        for month in range(_MONTHS)
    }
    known = months["attended"] + months["dna"]
    unknown = (months["total_appointments"] - known).to_numpy().reshape(-1, _MONTHS)
    counts |= {f"unknown_{month + 1:02d}": unknown[:, month] for month in range(_MONTHS)}
    counts["advice_01"] = months["ag_requests"].to_numpy().reshape(-1, _MONTHS)[:, 0]
    return pd.DataFrame(people | counts)


def spoiled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with what a real one brings; no practice has two faults."""
    rng = np.random.default_rng(SEED)
    numbers = (*(f"{name}_" for name in COUNTS), "unknown_", "advice_", "imd")
    frame = table.astype({name: float for name in table if name.startswith(numbers)})
    chosen = iter(rng.permutation(len(frame)))

    def some(number: int) -> list[int]:
        return [int(next(chosen)) for _ in range(number)]

    counts = [name for name in frame if name.startswith(("appointments_", "dna_", "unknown_", "advice_"))]
    lists = [name for name in frame if name.startswith("list_")]
    frame.loc[some(4), counts] = np.nan
    rows = some(6)
    frame.loc[rows, counts] = np.floor(frame.loc[rows, counts] * 0.08)
    rows = some(30)
    shrink = rng.uniform(300, 999, len(rows)) / frame.loc[rows, lists].mean(axis=1)
    parts = [*counts, *lists, "qof_list", "qof_reg_dm", "qof_reg_dep"]
    frame.loc[rows, parts] = np.round(frame.loc[rows, parts].mul(shrink, axis=0))
    frame.loc[some(5), "share_65plus"] = 0.012
    frame.loc[some(4), "share_female_15_44"] = 0.44
    frame.loc[some(6), lists[6:]] *= 1.3
    frame.loc[some(10), "imd2025"] = np.nan
    frame.loc[some(6), "rurality"] = None
    frame.loc[some(3), "dna_01"] = 0
    frame.loc[some(80), "pcn_code"] = None
    boards = frame["icb_code"].unique()
    for here, there in zip(boards[:6], boards[6:12], strict=True):
        code = frame.loc[frame["icb_code"] == here, "pcn_code"].dropna().iloc[0]
        other = frame.loc[frame["icb_code"] == there, "pcn_code"].dropna().iloc[0]
        frame.loc[(frame["icb_code"] == there) & (frame["pcn_code"] == other), "pcn_code"] = code
    frame[parts] = frame[parts].round().astype("Int64")
    return frame


def write(folder: Path) -> None:
    """Write ``world.csv.gz``."""
    spoiled(wide(drawn())).to_csv(
        folder / "world.csv.gz",
        index=False,
        lineterminator="\n",
        compression={"method": "gzip", "compresslevel": 9, "mtime": 1},
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
