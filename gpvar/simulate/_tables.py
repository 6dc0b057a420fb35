"""The tables of a world: one row per practice, headed and rounded as a real one would be, and one per month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpvar.simulate import _world
from gpvar.simulate._measure import REGISTERS
from gpvar.simulate._supply import supply

Array = np.ndarray[Any, np.dtype[Any]]

MONTHS = 12
#: Of what `invented` draws, what a table has under another name.
_SAID = {"referrals": "referrals_total"}


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands before anything is counted.

    Attributes
    ----------
    frame
        Practices and where they belong.
    scores
        Standard scores of their patients.
    people
        The same as columns of a table.
    rows, specs
        The practices that are set by hand for the demonstration, and how.
    """

    frame: pd.DataFrame
    scores: Array
    people: pd.DataFrame
    rows: list[int]
    specs: list[dict[str, Any]]

    @property
    def boards(self) -> Array:
        """The number of each practice's board."""
        return np.asarray(pd.factorize(self.frame["icb_code"])[0])

    def exposure(self, events: float = 1.0) -> Array:
        """Return patient-months, or the part of them that is counted."""
        return np.asarray(np.round(self.people["list_size"].to_numpy() * MONTHS * events))

    def set_by_hand(self, name: str, values: Array) -> Array:
        """Return values with those that the demonstration sets."""
        out = np.array(values)
        for row, item in zip(self.rows, self.specs, strict=True):
            out[row] = item.get(name, out[row])
        return out


def ground(rng: dict[str, np.random.Generator], practices: int, icbs: int, *, shown: bool) -> Ground:
    """Draw places and patients, and set those of the demonstration by hand where it is asked for."""
    frame = _world.places(rng["places"], practices, icbs)
    specs = _world.constants("planted")["practice"] if shown else []
    inside = np.flatnonzero(frame["icb_code"] == _world.AREA)
    rows = [int(row) for row in inside[3 : 3 + 5 * len(specs) : 5]]
    scores = _world.patients(rng["patients"], frame)
    for row, item in zip(rows, specs, strict=True):
        scores[row] = _world.planted_scores(item["patients"])
    people = _world.patient_columns(scores)
    people.loc[rows, "list_size"] = [float(item["list_size"]) for item in specs]
    return Ground(frame, scores, people, rows, specs)


@dataclass(frozen=True, slots=True)
class Invented:
    """What no table was measured for: by practice, the link-scale scores and the largest change of its list."""

    scores: dict[str, Array]
    unmapped: Array
    jump: Array


def invented(rng: np.random.Generator, where: Ground) -> Invented:
    """Draw what no table was measured for."""
    size = len(where.frame)
    jump = np.exp(-0.60 + 0.60 * rng.standard_normal(size)).clip(0.05, 12.0)
    scores = _world.invented_scores(rng, where.boards)
    unmapped = where.set_by_hand("unmapped", np.full(size, np.nan))
    return Invented(scores, unmapped, where.set_by_hand("list_jump_pct", jump))


def patients_of(where: Ground, beside: Invented) -> dict[str, Any]:
    """Return what a table says of each practice's patients, rounded as it says it."""
    people = where.people
    registered = np.round(people["list_size"]).astype(int)
    return {
        "mean_monthly_list_size": np.round(where.exposure() / MONTHS, 1),
        "maximum_percentage_monthly_change": np.round(beside.jump, 2),
        **{str(name): people[name].round(5) for name in people if str(name).startswith("share_")},
        "imd2025_score": people["imd2025_score"].round(3),
        **{f"qof_reg_{name}": np.round(people[f"qof_{name}"] * registered).astype(int) for name in REGISTERS},
        "qof_list_2425": registered,
        "smoking_qof_pct_2324": (100 * people["smoking"]).round(2),
        "rurality": people["rurality"],
    }


def known(where: Ground, beside: Invented) -> pd.DataFrame:
    """Return what a table says of patients, by practice."""
    return pd.DataFrame({"practice_code": where.frame["practice_code"], **patients_of(where, beside)})


def year(
    rng: dict[str, np.random.Generator], where: Ground, drawn: dict[str, Array], beside: Invented, exposure: Array
) -> pd.DataFrame:
    """Put places, patients and counts into one wide table."""
    frame, people = where.frame, where.people
    size = len(frame)
    practice_names, network_names = _world.names(rng["names"], frame)
    for row, item in zip(where.rows, where.specs, strict=True):
        practice_names[row] = str(item["name"])
    counted = {name: values for name, values in drawn.items() if name not in ("ag_requests", "referrals")}
    own = patients_of(where, beside)
    columns: dict[str, object] = {
        "practice_code": frame["practice_code"],
        "practice_name": practice_names,
        "pcn_code": frame["pcn_code"],
        "pcn_name": network_names,
        **{name: frame[name] for name in ("sub_icb_code", "icb_code", "icb_name", "region_code", "region_name")},
        "supplier": np.where(rng["invented"].uniform(size=size) < 0.58, "Supplier A", "Supplier B"),
        "annual_patient_month_exposure": exposure.astype(int),
        **{name: own.pop(name) for name in ("mean_monthly_list_size", "maximum_percentage_monthly_change")},
        **{f"gpad_annual_{name}": values for name, values in counted.items()},
        "ag_requests": drawn["ag_requests"],
        "referrals_total": drawn["referrals"],
        **own,
    }
    table = pd.DataFrame(columns)
    return pd.concat([table, supply(rng["supply"], frame, where.scores, people["list_size"].to_numpy())], axis=1)


def by_month(frame: pd.DataFrame, months: list[str], registered: Array, drawn: dict[str, Array]) -> pd.DataFrame:
    """Put the counts of every month into one long table, the months of a practice one below the other."""
    columns: dict[str, object] = {
        "practice_code": np.repeat(frame["practice_code"].to_numpy(), len(months)),
        "month": np.tile(months, len(frame)),
        "registered_patients": registered.ravel(),
    }
    return pd.DataFrame(columns | {_SAID.get(name, name): values.ravel() for name, values in drawn.items()})
