"""Patients of the simulated practices by sex and five-year age group, and their lists month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from gpvar.simulate import SimulatedEngland
from gpvar.simulate._publications_places import Editions, Places, generator
from gpvar.simulate._world import constants

Array = np.ndarray[Any, np.dtype[Any]]

SEXES = ("FEMALE", "MALE")
#: Five-year age groups from young to old.
AGES = tuple(age for band in constants("publications")["band"] for age in band["ages"])


@dataclass(frozen=True, slots=True)
class People:
    """Who is registered.

    Attributes
    ----------
    by_age
        Patients by practice (row, in the order of the world), sex (`SEXES`) and age (`AGES`).
    lists
        One row per practice and month, closed practices too: practice_code, month, patients.
    """

    by_age: Array
    lists: pd.DataFrame


def people(world: SimulatedEngland, where: Places, editions: Editions, seed: int) -> People:
    """Return the patients of every practice such that shares and lists are those of the world, to the patient."""
    return People(_by_age(world.practices, generator(seed, "ages")), _lists(world, where, editions, seed))


def apportion(wanted: Array, totals: Array) -> Array:
    """Round each row to whole numbers that add up to its total, by largest remainder."""
    low = np.floor(wanted + 1e-9)
    left = np.rint(totals - low.sum(axis=1)).astype(int)
    order = np.argsort(np.argsort(-(wanted - low), axis=1, kind="stable"), axis=1, kind="stable")
    return (low + (order < left[:, None])).astype(np.int64)


def _bands(table: pd.DataFrame) -> tuple[Array, Array]:
    """Return the patients, and the women among them, of each practice in the seven wider bands."""
    size = table["qof_list_2425"].to_numpy(float)

    def number(name: str) -> Array:
        return np.rint(size * table[f"share_{name}"].to_numpy())

    women, fertile = number("female"), number("female_15_44")
    ends = [number("0_4"), number("0_14"), number("65plus"), number("75plus"), number("85plus")]
    middle = size - ends[1] - ends[2]
    grown = fertile / table["share_female"].to_numpy()
    grown = np.clip(np.rint(grown), fertile, np.minimum(middle, size - (women - fertile)))
    total = np.column_stack(
        [ends[0], ends[1] - ends[0], grown, middle - grown, ends[2] - ends[3], ends[3] - ends[4], ends[4]]
    )
    usual = special.logit(np.array([band["female"] for band in constants("publications")["band"]]))
    others = total.copy()
    others[:, 2] = 0
    low, high = np.full(len(size), -12.0), np.full(len(size), 12.0)
    for _ in range(60):
        tilt = (low + high) / 2
        over = (others * special.expit(usual + tilt[:, None])).sum(axis=1) > women - fertile
        low, high = np.where(over, low, tilt), np.where(over, tilt, high)
    rest = apportion(np.minimum(others * special.expit(usual + tilt[:, None]), others), women - fertile)
    rest[:, 2] = fertile
    return total.astype(np.int64), rest


def _by_age(table: pd.DataFrame, rng: np.random.Generator) -> Array:
    total, women = _bands(table)
    out = np.zeros((len(table), len(SEXES), len(AGES)), dtype=np.int64)
    # Where few are old, as among students, those between 15 and 44 are younger too.
    young = special.logit(total[:, 2] / total.sum(axis=1)) - special.logit(0.40)
    start = 0
    for index, band in enumerate(constants("publications")["band"]):
        width = len(band["ages"])
        lean = np.linspace(0.5, -0.5, width) * (young[:, None] if index == 2 else 0.0)
        noise = 0.06 * rng.standard_normal((len(table), width))
        weight = np.array(list(band["ages"].values())) * np.exp(lean + noise)
        weight /= weight.sum(axis=1, keepdims=True)
        for sex, count in enumerate((women[:, index], total[:, index] - women[:, index])):
            out[:, sex, start : start + width] = apportion(weight * count[:, None], count)
        start += width
    return out


def _lists(world: SimulatedEngland, where: Places, editions: Editions, seed: int) -> pd.DataFrame:
    """Return monthly lists that add up to the world's patient-months and rise or fall at most as it says."""
    rng = generator(seed, "lists")
    table, months = world.practices, editions.months
    total = table["annual_patient_month_exposure"].to_numpy()
    if len(months) != 12:
        total = np.rint(total * len(months) / 12)
    jump = table["maximum_percentage_monthly_change"].to_numpy() / 100
    merged = np.flatnonzero(table["practice_code"] == where.merged)[0]
    step = rng.uniform(-0.6, 0.6, (len(table), len(months))) * np.minimum(jump, 0.012)[:, None]
    at = rng.integers(1, max(len(months), 2), len(table))
    at[merged] = len(months) // 2
    rises = rng.uniform(size=len(table)) < 0.5
    rises[merged] = True
    if len(months) > 1:
        step[np.arange(len(table)), at] = np.where(rises, jump, -jump)
    step[:, 0] = 0.0
    path = np.cumprod(1 + step, axis=1)
    running = np.rint(np.cumsum(path / path.sum(axis=1, keepdims=True) * total[:, None], axis=1))
    lists = np.diff(running, axis=1, prepend=0).astype(np.int64)
    frame = pd.DataFrame(lists, columns=list(months)).assign(practice_code=table["practice_code"])
    frame = frame.melt("practice_code", var_name="month", value_name="patients")
    gone = lists[merged, len(months) // 2] - lists[merged, len(months) // 2 - 1]
    open_till = where.closed["closed"].iloc[0]
    rows = [month for month in months if month.replace("-", "") <= open_till[:6]]
    closing = pd.DataFrame(
        {"practice_code": where.closed["practice_code"].iloc[0], "month": rows, "patients": max(int(gone), 1)}
    )
    return pd.concat([frame, closing], ignore_index=True).sort_values(["month", "practice_code"], ignore_index=True)
