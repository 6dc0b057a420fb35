"""A year month by month: passing movement that carries over from one month to the next, and counts of every month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from gpvar.simulate import _crosstab, _world
from gpvar.simulate._measure import OUTCOMES
from gpvar.simulate._tables import MONTHS, Ground, Invented

Array = np.ndarray[Any, np.dtype[Any]]

#: The months of every world's year.
YEAR = [f"2025-{month:02d}" for month in range(4, 13)] + [f"2026-{month:02d}" for month in range(1, 4)]
_RATES = ("appointments", "ag_requests", "referrals")
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, and the truth that it was counted with.

    Attributes
    ----------
    drawn
        Counts by name: (practices,) of a year, or (practices, months).
    exposure
        Patient-months, of the same shape.
    period
        Outcome → link of the year's expected figure, given its denominators.
    moved
        Outcome → (practices, months) passing movement; empty for a year drawn as one.
    """

    drawn: dict[str, Array]
    exposure: Array
    period: dict[str, Array]
    moved: dict[str, Array]


def variances(movement: float) -> dict[str, float]:
    """Return the variance of one month's passing movement of each outcome."""
    about = _world.constants("movement")["outcome"]
    return {name: movement * about[name] for name in OUTCOMES}


def ar1(rng: np.random.Generator, units: int, variance: float, correlation: float, months: int = MONTHS) -> Array:
    """Draw movement that is stationary: (units, months), each month of the variance given.

    Parameters
    ----------
    rng
        Where the draws come from.
    units, months
        The shape.
    variance
        Of one month.
    correlation
        Of one month with the next, from 0 up to, not including, 1.
    """
    fresh = np.sqrt(variance) * rng.standard_normal((units, months))
    out = np.array(fresh)
    for month in range(1, months):
        out[:, month] = correlation * out[:, month - 1] + np.sqrt(1 - correlation**2) * fresh[:, month]
    return out


def before_moving(lasting: Array, variance: float, *, rate: bool) -> Array:
    """Return the link-scale value about which months move so that their long-run figure is the lasting one.

    A curve bends: the mean of shares that move about a value is not the share of that value. Found by Newton's method
    on the mean over 15 Gauss-Hermite nodes.
    """
    if variance == 0:
        return lasting
    if rate:
        return np.asarray(lasting - variance / 2)
    weights = _WEIGHTS / _WEIGHTS.sum()
    wanted, value = special.expit(lasting), np.array(lasting)
    for _ in range(_ROUNDS):
        each = special.expit(value[:, None] + np.sqrt(variance) * _NODES)
        step = (each @ weights - wanted) / ((each * (1 - each)) @ weights)
        value = value - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-12:
            break
    return value


def as_a_year(
    rng: dict[str, np.random.Generator], where: Ground, found: dict[str, Array], beside: Invented, events: float
) -> Counted:
    """Draw the counts of a year at once: nothing passes."""
    exposure = where.exposure(events)
    drawn = _world.counts(rng["counts"], exposure, found)
    extra = _world.invented(rng["invented"], drawn, exposure, beside.unmapped, beside.scores)
    return Counted(drawn | extra, exposure, dict(found), {})


def month_by_month(
    rng: dict[str, np.random.Generator],
    where: Ground,
    found: dict[str, Array],
    beside: Invented,
    events: float,
    movement: float,
    correlation: float,
) -> Counted:
    """Draw the counts of twelve months."""
    size = len(where.frame)
    by_outcome = variances(movement)
    moved = {name: ar1(rng["movement"], size, by_outcome[name], correlation) for name in OUTCOMES}
    eta = {name: _moving(found[name], moved[name], by_outcome[name], name) for name in OUTCOMES}
    season = np.array(_crosstab.constants()["season"])
    eta["appointments"] = eta["appointments"] + np.log(season / season.mean())
    exposure = lists(rng["lists"], where.exposure(events), beside.jump)
    drawn = _world.counts(rng["monthly"], exposure, eta)
    scores = _moving_scores(rng["movement"], beside.scores, movement, correlation)
    extra = _world.invented(rng["monthly"], drawn, exposure, beside.unmapped[:, None], scores)
    return Counted(drawn | extra, exposure, _of_the_year(drawn, exposure, eta), moved)


def _moving(lasting: Array, moved: Array, variance: float, name: str) -> Array:
    return np.asarray(before_moving(lasting, variance, rate=name in _RATES)[:, None] + moved)


def _moving_scores(
    rng: np.random.Generator, scores: dict[str, Array], movement: float, correlation: float
) -> dict[str, Array]:
    about = _world.constants("movement")["invented"]
    out = {}
    for name, score in scores.items():
        variance = movement * about[name]
        out[name] = _moving(score, ar1(rng, len(score), variance, correlation), variance, name)
    return out


def lists(rng: np.random.Generator, total: Array, jump: Array) -> Array:
    """Share patient-months out over the year, so that the largest change from month to month is what the table says.

    Parameters
    ----------
    rng
        Draws in which month the list changes, and whether up or down.
    total
        Patient-months of the year; kept exactly.
    jump
        The largest change in per cent.

    Returns
    -------
    ndarray
        (practices, months) registered patients.
    """
    size = len(total)
    step = np.zeros((size, MONTHS))
    up = np.where(rng.uniform(size=size) < 0.5, 1.0, -1.0)
    step[np.arange(size), rng.integers(1, MONTHS, size)] = up * jump / 100
    path = np.cumprod(1 + step, axis=1)
    running = np.rint(np.cumsum(path / path.sum(axis=1, keepdims=True) * total[:, None], axis=1))
    return np.asarray(np.diff(running, axis=1, prepend=0.0))


def _of_the_year(drawn: dict[str, Array], exposure: Array, eta: dict[str, Array]) -> dict[str, Array]:
    """Return the link of each outcome's expected figure of the year, given the denominators that were drawn."""
    total = drawn["total_appointments"]
    weights = {"appointments": exposure, "dna": total - drawn["status_unknown"]}
    out = {}
    for name, value in eta.items():
        weight = weights.get(name, total)
        # Where nothing was held, every month counts alike.
        weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, 1.0)
        figure = np.exp(value) if name in _RATES else special.expit(value)
        mean = (weight * figure).sum(axis=1) / weight.sum(axis=1)
        out[name] = np.log(mean) if name in _RATES else special.logit(mean)
    return out
