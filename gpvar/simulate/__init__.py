"""A simulated England with known truth: invented practices whose patients and figures behave like real ones.

Everything is drawn from numbers measured on a real table (`england.toml`) with a fixed seed. No practice, network,
board, name or code in it is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar.errors import StudyError
from gpvar.simulate import _world
from gpvar.simulate._measure import REGISTERS, measure
from gpvar.simulate._month import month_of
from gpvar.simulate._supply import supply

__all__ = ["AREA", "DEMO_SEED", "SimulatedEngland", "england", "measure", "write_demo"]

AREA = _world.AREA
DEMO_SEED = 20260401
_MONTHS = 12


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
    rng = _world.streams(seed)
    frame = _world.places(rng["places"], practices, icbs)
    specs = _world.constants("planted")["practice"] if planted else []
    rows = list(np.flatnonzero(frame["icb_code"] == AREA)[3 : 3 + 5 * len(specs) : 5]) if planted else []
    scores = _world.patients(rng["patients"], frame)
    for row, item in zip(rows, specs, strict=True):
        scores[row] = _world.planted_scores(item["patients"])
    people = _world.patient_columns(scores)
    people.loc[rows, "list_size"] = [float(item["list_size"]) for item in specs]
    found = _world.effects(rng["effects"], frame, scores, (people["rurality"] == "Rural").to_numpy(float))
    if planted:
        _world.plant(frame, found, rows)
    table = _table(rng, frame, people, found, rows, specs)
    beside = supply(rng["supply"], frame, scores, people["list_size"].to_numpy())
    table = pd.concat([table, beside], axis=1)
    return SimulatedEngland(table, _truth(frame, found), _planted(frame, rows, specs), seed)


def _table(
    rng: dict[str, np.random.Generator],
    frame: pd.DataFrame,
    people: pd.DataFrame,
    found: dict[str, pd.DataFrame],
    rows: list[int],
    specs: list[dict[str, object]],
) -> pd.DataFrame:
    """Put places, patients and counts into one wide table, headed and rounded as a real one would be."""
    size = len(frame)
    exposure = np.round(people["list_size"].to_numpy() * _MONTHS)
    drawn = _world.counts(rng["counts"], exposure, _world.link(found))
    unmapped = np.full(size, np.nan)
    jump = np.exp(-0.60 + 0.60 * rng["invented"].standard_normal(size)).clip(0.05, 12.0)
    practice_names, network_names = _world.names(rng["names"], frame)
    for row, item in zip(rows, specs, strict=True):
        unmapped[row] = item.get("unmapped", np.nan)
        jump[row] = item.get("list_jump_pct", jump[row])
        practice_names[row] = str(item["name"])
    extra = _world.invented(rng["invented"], drawn, exposure, unmapped, pd.factorize(frame["icb_code"])[0])
    registered = np.round(people["list_size"]).astype(int)
    columns: dict[str, object] = {
        "practice_code": frame["practice_code"],
        "practice_name": practice_names,
        "pcn_code": frame["pcn_code"],
        "pcn_name": network_names,
        **{name: frame[name] for name in ("sub_icb_code", "icb_code", "icb_name", "region_code", "region_name")},
        "supplier": np.where(rng["invented"].uniform(size=size) < 0.58, "Supplier A", "Supplier B"),
        "annual_patient_month_exposure": exposure.astype(int),
        "mean_monthly_list_size": np.round(exposure / _MONTHS, 1),
        "maximum_percentage_monthly_change": np.round(jump, 2),
        **{f"gpad_annual_{name}": values for name, values in drawn.items()},
        **{f"gpad_annual_{name}": extra[name] for name in list(extra)[:3]},
        "ag_requests": extra["ag_requests"],
        "referrals_total": extra["referrals"],
        **{name: people[name].round(5) for name in people if name.startswith("share_")},
        "imd2025_score": people["imd2025_score"].round(3),
        **{f"qof_reg_{name}": np.round(people[f"qof_{name}"] * registered).astype(int) for name in REGISTERS},
        "qof_list_2425": registered,
        "smoking_qof_pct_2324": (100 * people["smoking"]).round(2),
        "rurality": people["rurality"],
    }
    return pd.DataFrame(columns)


def _truth(frame: pd.DataFrame, found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    value = _world.link(found)
    parts = [
        part.assign(practice_code=frame["practice_code"], outcome=name, link=value[name])
        for name, part in found.items()
    ]
    order = ["practice_code", "outcome", "need", "icb", "pcn", "practice", "link"]
    return pd.concat(parts, ignore_index=True)[order]


def _planted(frame: pd.DataFrame, rows: list[int], specs: list[dict[str, object]]) -> pd.DataFrame:
    records = [
        {"practice_code": frame.loc[row, "practice_code"], **{name: item[name] for name in _PLANTED}}
        for row, item in zip(rows, specs, strict=True)
    ]
    return pd.DataFrame(records, columns=["practice_code", *_PLANTED])


_PLANTED = ("id", "name", "metric", "expect", "what")


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
