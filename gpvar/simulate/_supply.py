"""Draw staff and payments: of a real one's size and mixture, and without any effect on what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpvar.simulate import _world
from gpvar.simulate._measure import PATIENTS

Array = np.ndarray[Any, np.dtype[Any]]

_PER = 10_000


def supply(rng: np.random.Generator, frame: pd.DataFrame, scores: Array, list_size: Array) -> pd.DataFrame:
    """Return staff and payments of every practice.

    Parameters
    ----------
    rng
        A stream of its own: other columns do not move when these do.
    frame
        Practices with their board and network.
    scores
        Standard scores of their patients, in the order of `PATIENTS`.
    list_size
        Registered patients.

    Returns
    -------
    DataFrame
        One row per practice, headed and rounded as in a table made from the publications; blank where no staff were
        returned.
    """
    about = _world.constants("supply")
    drawn = _drawn(rng, frame, scores)
    aside = about["registered"]
    moved = aside["centre"] + aside["spread"] * rng.standard_normal(len(frame))
    registered = np.round(list_size * np.exp(moved))
    staff = {name: (drawn[name].clip(0) ** 2 * list_size / _PER).round(2) for name in ("gps", "admin")}
    for name, values in staff.items():
        values[rng.uniform(size=len(frame)) < about["draw"][name]["blank"]] = np.nan
    return pd.DataFrame(
        {
            "gp_fte": staff["gps"],
            "admin_fte": staff["admin"],
            "registered_patients_payments": registered.astype(int),
            "weighted_patients": np.round(registered * np.exp(drawn["need"]), 1),
            "funding_per_weighted_patient": np.exp(drawn["funding"]).round(2),
        }
    )


def _drawn(rng: np.random.Generator, frame: pd.DataFrame, scores: Array) -> dict[str, Array]:
    """Return each quantity on the scale it is drawn on."""
    about = _world.constants("supply")
    cards = about["draw"]
    icb, pcn = (np.array([card[level] for card in cards.values()]) for level in ("icb", "pcn"))
    left = _world.nested(rng, frame, _world.square(about["correlation"]), np.vstack([icb, pcn, 1 - icb - pcn]))
    known = np.clip(scores, -about["furthest"], about["furthest"])
    return {
        name: card["centre"]
        + sum(effect * known[:, PATIENTS.index(patients)] for patients, effect in card["effects"].items())
        + card["spread"] * left[:, column]
        for column, (name, card) in enumerate(cards.items())
    }
