"""One month of a simulated year: its counts, moved about the year's as one month moves about twelve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from gpvar.simulate import _world

Array = np.ndarray[Any, np.dtype[Any]]

_YEAR = "gpad_annual_"
_MONTHS = 12


def month_of(practices: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the counts of one month, none of them larger than the year's.

    Parameters
    ----------
    practices
        A simulated table of a year.
    seed
        The year's seed; the month has a stream of random numbers of its own.

    Returns
    -------
    DataFrame
        practice_code, month, and counts headed as in the year's table without ``gpad_annual_``.
    """
    about = _world.constants("movement")
    year = {str(name).removeprefix(_YEAR): practices[name].to_numpy() for name in practices}
    moved = _Moved(np.random.default_rng([seed, int(about["month"].replace("-", ""))]), year, about["variance"])
    total = moved.rate("total_appointments")
    columns = {"total_appointments": total, **_statuses(moved, total), **_intervals(moved, total)}
    columns["face_to_face"] = moved.share("face_to_face", "total_appointments", total)
    acute = moved.share("general_consultation_acute", "total_appointments", total)
    on_the_day = moved.share("general_consultation_acute_same_day", "general_consultation_acute", acute)
    on_the_day = np.minimum(on_the_day, columns["same_day"])
    columns["general_consultation_acute"] = on_the_day + np.minimum(acute - on_the_day, total - columns["same_day"])
    columns["general_consultation_acute_same_day"] = on_the_day
    columns |= {name: moved.rate(name) for name in ("ag_requests", "referrals_total")}
    return pd.DataFrame({"practice_code": practices["practice_code"], "month": about["month"], **columns})


class _Moved:
    """Draws counts of a month from those of the year, each moved by its own passing movement."""

    def __init__(self, rng: np.random.Generator, year: dict[str, Array], variance: dict[str, float]) -> None:
        self.rng = rng
        self.year = year
        self._variance = variance

    def movement(self, name: str) -> Array:
        """Return how far the month is from the mean of the year, of which it is a twelfth."""
        spread = np.sqrt(self._variance.get(name, 0.0) * (1 - 1 / _MONTHS))
        return spread * self.rng.standard_normal(len(self.year[name]))

    def rate(self, name: str) -> Array:
        """Return a count per patient."""
        mean = self.year[name] / _MONTHS * np.exp(self.movement(name))
        return np.minimum(self.rng.poisson(mean), self.year[name])

    def chance(self, name: str, of: str) -> Array:
        """Return the month's share of a count in another."""
        logit = special.logit((self.year[name] + 0.5) / (self.year[of] + 1))
        return np.asarray(special.expit(logit + self.movement(name)))

    def share(self, name: str, of: str, base: Array) -> Array:
        """Return a count that is part of another."""
        return np.minimum(self.rng.binomial(base, self.chance(name, of)), self.year[name])

    def part(self, name: str, left: list[str], base: Array) -> Array:
        """Return a count that is one of several that are left, at the year's proportions."""
        whole = np.maximum(sum(self.year[item] for item in left), 1)
        return np.minimum(self.rng.binomial(base, self.year[name] / whole), self.year[name])


def _statuses(moved: _Moved, total: Array) -> dict[str, Array]:
    """Return appointments attended and missed; the rest is of unknown status."""
    moved.year["known_status"] = moved.year["attended"] + moved.year["dna"]
    known = moved.part("known_status", ["total_appointments"], total)
    dna = moved.share("dna", "known_status", known)
    return {"attended": np.minimum(known - dna, moved.year["attended"]), "dna": dna}


def _intervals(moved: _Moved, total: Array) -> dict[str, Array]:
    """Return booking intervals: those of the day and those over a fortnight move, the others share what is left."""
    same_day = moved.share("same_day", "total_appointments", total)
    rest = total - same_day
    wanted = moved.chance("over_14_days", "total_appointments") * total / np.maximum(rest, 1)
    over = np.minimum(moved.rng.binomial(rest, np.minimum(wanted, 1.0)), moved.year["over_14_days"])
    found = {"same_day": same_day}
    left = ["1_day", "2_to_7_days", "8_to_14_days", "booking_unknown"]
    base = rest - over
    while len(left) > 1:
        found[left[0]] = moved.part(left[0], left, base)
        base = base - found[left[0]]
        left = left[1:]
    return {**found, "over_14_days": over}
