"""Draw a month of appointments: for each practice, which cells of the crosstab it fills, and with how many."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

Array = np.ndarray[Any, np.dtype[Any]]

#: The cells of the crosstab, in this order of columns.
AXES = ("HCP_TYPE", "APPT_MODE", "NATIONAL_CATEGORY", "TIME_BETWEEN_BOOK_AND_APPT", "APPT_STATUS")
_UNMAPPED = ("Inconsistent Mapping", "Unmapped")
ACUTE, ROUTINE = "General Consultation Acute", "General Consultation Routine"
_CHUNK = 200


@cache
def constants() -> dict[str, Any]:
    """Return what `appointments.toml` says."""
    return tomllib.loads(files(__package__).joinpath("appointments.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Shape:
    """What every practice has in common: labels by axis, weights by category, and the cells that can be filled."""

    labels: dict[str, tuple[str, ...]]
    share: Array
    staff: Array
    modes: Array
    intervals: Array
    missed: Array
    cells: Array


@cache
def shape() -> Shape:
    """Return the shape of the crosstab."""
    given = constants()
    rows = list(given["category"].values())
    labels = {
        "HCP_TYPE": tuple(given["staff_names"]),
        "APPT_MODE": tuple(given["mode_names"]),
        "NATIONAL_CATEGORY": tuple(given["category"]),
        "TIME_BETWEEN_BOOK_AND_APPT": tuple(given["interval_names"]),
        "APPT_STATUS": tuple(given["status_names"]),
    }
    gp = np.array([row["gp"] for row in rows])
    staff = np.column_stack([gp, 0.985 - gp, np.full(len(gp), 0.015)])
    modes, intervals = (_rows_to_one([row[name] for row in rows]) for name in ("modes", "intervals"))
    grid = np.indices([len(names) for names in labels.values()]).reshape(len(AXES), -1)
    possible = modes[grid[2], grid[1]] > 0
    share = np.array([row["share"] for row in rows])
    return Shape(
        labels, share / share.sum(), staff, modes, intervals, np.array(given["missed_by_interval"]), grid[:, possible]
    )


def _rows_to_one(rows: list[list[float]]) -> Array:
    table = np.array(rows, dtype=float)
    return table / table.sum(axis=1, keepdims=True)


def own_figures(rng: np.random.Generator, practices: pd.DataFrame) -> dict[str, Array]:
    """Return what each practice is on the link scale: of its own yearly counts where given, else drawn."""
    size = len(practices)
    drawn = {name: centre + spread * rng.standard_normal(size) for name, (centre, spread) in constants()["own"].items()}
    yearly = {
        name.removeprefix("gpad_annual_"): practices[name].to_numpy(float) for name in practices if "gpad_" in name
    }
    total = yearly.get("total_appointments", np.full(size, np.nan))
    months = np.full(size, 12.0)
    if "annual_patient_month_exposure" in practices:
        months = practices["annual_patient_month_exposure"].to_numpy(float) / practices["list_size"].to_numpy(float)
    acute = yearly.get("general_consultation_acute", total * np.nan)
    known = yearly.get("attended", total * np.nan) + yearly.get("dna", total * np.nan)
    given = {
        "rate": _log(total, months * practices["list_size"].to_numpy(float)),
        "same_day": _logit(yearly.get("same_day"), total),
        "dna": _logit(yearly.get("dna"), known),
        "status_unknown": _logit(yearly.get("status_unknown"), total),
        "face_to_face": _logit(yearly.get("face_to_face"), total),
        "acute": _logit(yearly.get("general_consultation_acute"), total),
        "acute_same_day": _logit(yearly.get("general_consultation_acute_same_day"), acute),
        "unmapped": _logit(yearly.get("unmapped"), total),
    }
    return {name: np.where(np.isfinite(value), value, drawn[name]) for name, value in given.items()}


def _logit(part: Array | None, whole: Array) -> Array:
    return np.full(len(whole), np.nan) if part is None else np.log((part + 0.5) / (whole - part + 0.5))


def _log(part: Array, whole: Array) -> Array:
    return np.log((part + 0.5) / whole)


def solve(weights: Array, logits: Array, wanted: Array) -> Array:
    """Return the shift that makes each row's weighted mean of ``expit(logits + shift)`` what is wanted."""
    low, high = np.full(len(wanted), -15.0), np.full(len(wanted), 15.0)
    for _ in range(40):
        middle = (low + high) / 2
        under = (weights * special.expit(logits + middle[:, None])).sum(axis=1) < wanted
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2


def categories(rng: np.random.Generator, figures: dict[str, Array]) -> Array:
    """Return each practice's share of every category; a practice keeps its own mix over the months."""
    form = shape()
    names = form.labels["NATIONAL_CATEGORY"]
    share = form.share * np.exp(0.35 * rng.standard_normal((len(figures["acute"]), len(names))))
    acute, unmapped = special.expit(figures["acute"]), special.expit(figures["unmapped"])
    # The two cannot fill the book between them.
    acute = np.minimum(acute, 0.95 * (1 - unmapped))
    fixed = np.isin(names, (ACUTE, *_UNMAPPED))
    share[:, ~fixed] *= ((1 - acute - unmapped) / share[:, ~fixed].sum(axis=1))[:, None]
    share[:, names.index(ACUTE)] = acute
    last = np.isin(names, _UNMAPPED)
    share[:, last] *= (unmapped / share[:, last].sum(axis=1))[:, None]
    return share


def move_to_acute(share: Array, rows: Array, points: float = 0.25) -> Array:
    """Return shares in which some practices have relabelled `points` of all their appointments as acute."""
    names = shape().labels["NATIONAL_CATEGORY"]
    moved = share.copy()
    others = ~np.isin(names, (ACUTE, *_UNMAPPED))
    room = moved[np.ix_(rows, others)].sum(axis=1)
    taken = np.minimum(points, 0.9 * room)
    moved[np.ix_(rows, others)] *= (1 - taken / room)[:, None]
    moved[rows, names.index(ACUTE)] += taken
    return moved


@dataclass(frozen=True, slots=True)
class Month:
    """A month of appointments: row of the practice, cell and count, of every row of the file."""

    practice: Array
    cell: Array
    count: Array


def draw_month(
    rng: np.random.Generator, figures: dict[str, Array], share: Array, expected: Array, rows: Array
) -> Month:
    """Draw a month.

    Parameters
    ----------
    figures
        Link-scale figures of each practice in this month.
    share
        Share of each category, practice by practice.
    expected
        Appointments expected of each practice.
    rows
        How many rows of the file each practice gets.
    """
    parts = []
    for first in range(0, len(expected), _CHUNK):
        here = slice(first, first + _CHUNK)
        chance = _chances({name: value[here] for name, value in figures.items()}, share[here])
        practice, cell, count = _fill(rng, chance, expected[here], rows[here])
        parts.append((practice + first, cell, count))
    return Month(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _chances(figures: dict[str, Array], share: Array) -> Array:
    """Return the chance of every cell, practice by practice, with the practice's own figures as its margins."""
    form = shape()
    acute = form.labels["NATIONAL_CATEGORY"].index(ACUTE)
    interval = np.repeat(form.intervals[None], len(share), axis=0)
    same = special.logit(form.intervals[:, 0])
    on_day = special.expit(figures["acute_same_day"])
    others = np.delete(share, acute, axis=1)
    left = special.expit(figures["same_day"]) - share[:, acute] * on_day
    shift = solve(others, np.delete(same, acute), np.clip(left, 0.002, 0.998 * others.sum(axis=1)))
    first = special.expit(same + shift[:, None])
    first[:, acute] = on_day
    interval[:, :, 1:] *= ((1 - first) / (1 - form.intervals[:, 0]))[:, :, None]
    interval[:, :, 0] = first
    with np.errstate(divide="ignore"):
        f2f = special.logit(np.clip(form.modes[:, 0], 1e-6, 1 - 1e-6))
    seen = special.expit(f2f + solve(share, f2f, special.expit(figures["face_to_face"]))[:, None])
    mode = np.repeat(form.modes[None], len(share), axis=0)
    mode[:, :, 1:] *= ((1 - seen) / (1 - form.modes[:, 0]))[:, :, None]
    mode[:, :, 0] = seen
    margin = np.einsum("pc,pci->pi", share, interval)
    missed = special.expit(form.missed + solve(margin, form.missed, special.expit(figures["dna"]))[:, None])
    unknown = special.expit(figures["status_unknown"])[:, None]
    status = np.stack([(1 - unknown) * (1 - missed), (1 - unknown) * missed, unknown + 0 * missed], axis=2)
    h, m, c, i, s = form.cells
    booked = share[:, :, None] * interval
    return (form.staff[c, h] * booked[:, c, i] * mode[:, c, m] * status[:, i, s]).astype(np.float64)


def _fill(rng: np.random.Generator, chance: Array, expected: Array, rows: Array) -> tuple[Array, Array, Array]:
    """Choose cells so that each practice gets its rows and every margin keeps its size, and draw their counts.

    A cell is taken with a chance that grows with its size up to 1; one taken at less than 1 stands for others like it.
    """
    chance /= chance.sum(axis=1, keepdims=True)
    rows = np.minimum(rows, chance.shape[1])[:, None]
    limit = 1.0 / rows
    for _ in range(12):
        certain = chance >= limit
        rest = np.where(certain, 0.0, chance).sum(axis=1, keepdims=True)
        limit = rest / np.maximum(rows - certain.sum(axis=1, keepdims=True), 1)
    taken = np.minimum(chance / np.maximum(limit, 1e-300), 1.0)
    ladder = np.cumsum(taken, axis=1) + rng.uniform(size=(len(chance), 1))
    chosen = np.floor(ladder) > np.floor(ladder - taken)
    practice, cell = np.nonzero(chosen)
    mean = expected[practice] * np.maximum(chance, limit)[practice, cell]
    return practice, cell, np.maximum(rng.poisson(mean), 1)
