"""A simulated England with known truth: invented practices whose patients and figures behave like real ones.

Everything is drawn from numbers measured on a real table (`england.toml`) with a fixed seed. No practice, network,
board, name or code in it is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gpvar.errors import StudyError
from gpvar.simulate import _world
from gpvar.simulate._claims import PlantedClaim, claims_of
from gpvar.simulate._measure import measure
from gpvar.simulate._month import month_of
from gpvar.simulate.worlds import METRICS, Artefact, Done, Plant, World, world

__all__ = [
    "AREA",
    "DEMO_SEED",
    "METRICS",
    "Artefact",
    "Done",
    "Plant",
    "PlantedClaim",
    "SimulatedEngland",
    "World",
    "claims_of",
    "england",
    "measure",
    "world",
    "write_demo",
]

AREA = _world.AREA
DEMO_SEED = 20260401


@dataclass(frozen=True, slots=True)
class SimulatedEngland:
    """An England that never was.

    Attributes
    ----------
    practices
        One row per practice, with headings like those of a real table.
    truth
        One row per practice and outcome: what need, board, network and practice add on the link scale, and the
        value that the counts were drawn with.
    planted
        The practices whose truth was set by hand, and what the tool should say of them.
    seed
        The seed it was drawn with.
    """

    practices: pd.DataFrame
    truth: pd.DataFrame
    planted: pd.DataFrame
    seed: int


def england(seed: int = DEMO_SEED, practices: int = 1200, icbs: int = 8, *, planted: bool = True) -> SimulatedEngland:
    """Draw a simulated England.

    Parameters
    ----------
    seed
        The same seed gives the same practices.
    practices
        How many practices, from 300 to 6,500.
    icbs
        How many boards, from 4 to 8.
    planted
        Whether to set some practices of the board `AREA` by hand, as `planted.toml` says.

    Returns
    -------
    SimulatedEngland
        The table and the truth behind it.
    """
    if not (300 <= practices <= 6500 and 4 <= icbs <= 8):
        raise StudyError(
            "A simulated England of that size cannot be made.",
            f"practices={practices}, icbs={icbs}",
            "Ask for 300 to 6,500 practices in 4 to 8 boards.",
        )
    made = world(seed, practices, icbs, shown=planted)
    return SimulatedEngland(made.practices, made.truth.drop(columns="period"), made.shown, seed)


def write_demo(folder: Path) -> Path:
    """Write the demonstration's tables: a year, and its first month.

    Parameters
    ----------
    folder
        Where to write them.

    Returns
    -------
    Path
        ``practices_2025_26.csv`` in the folder; ``april_2025.csv`` is beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "practices_2025_26.csv"
    world = england()
    world.practices.to_csv(target, index=False, encoding="utf-8", lineterminator="\n")
    april = month_of(world.practices, world.seed)
    april.to_csv(folder / "april_2025.csv", index=False, encoding="utf-8", lineterminator="\n")
    return target
