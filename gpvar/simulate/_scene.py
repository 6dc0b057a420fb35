"""A world's tables while things go wrong with them: what is asked for, what changes, and the year made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gpvar.simulate._tables import Ground

Array = np.ndarray[Any, np.dtype[Any]]

YEAR_OF = "gpad_annual_"
EXPOSURE = "annual_patient_month_exposure"
AS_IN_MONTHS = ("ag_requests", "referrals_total")
KEYS = ("practice_code", "month")


@dataclass(frozen=True, slots=True)
class Artefact:
    """Something that is wrong with the data of some practices.

    Attributes
    ----------
    kind
        ``"remapping"``: labels move to general consultation acute from a month on. ``"payment_cap"``: requests for
        advice stop at the number that is paid for. ``"shared_phone"``: several practices of a network have one
        telephone account. ``"merger"``: a neighbour's patients and appointments arrive in a month. ``"suppression"``:
        small counts are hidden. ``"stale_covariates"``: characteristics are those of some years before.
    practices
        A share, a number or codes, as of a plant; None: one in a hundred, or all where it is done to a whole file
        (suppression, stale covariates).
    size
        Of remapping, the share of all appointments that changes its label (0.25); of the cap, its share of the
        requests that were made (0.7); of suppression, the count below which is hidden (5 or 8); of stale covariates,
        the years (3). Nothing for the others.
    month
        From which month on, of remapping and merger.
    recorded
        Whether the merger is on record, as a confirmed event.
    """

    kind: str
    practices: float | Sequence[str] | None = None
    size: float | None = None
    month: str = "2025-10"
    recorded: bool = False


@dataclass(slots=True)
class Scene:
    """A world's tables while things go wrong with them.

    Attributes
    ----------
    where, practices, months
        As in a world.
    beside
        Further tables by name: ``"telephony"``, ``"practice_events"``.
    dates
        Characteristic → month of which it is, where that is not the usual one.
    hidden
        What is written as a mark: table, practice_code, month, column, mark.
    taken
        Rows of practices that something else was done to.
    """

    where: Ground
    practices: pd.DataFrame
    months: pd.DataFrame | None
    beside: dict[str, pd.DataFrame] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    hidden: list[pd.DataFrame] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)


def differences(name: str, before: pd.DataFrame | None, after: pd.DataFrame | None) -> pd.DataFrame:
    """Return every number of a table that is another than before, or gone."""
    if before is None or after is None or before is after:
        return no_changes()
    keys = [key for key in KEYS if key in before]
    numbers = [column for column in before.select_dtypes("number") if column in after]
    old = before.set_index(keys)[numbers]
    new = after.set_index(keys)[numbers].reindex(old.index)
    one, other = old.to_numpy(float), new.to_numpy(float)
    at, column = np.nonzero((one != other) & ~(np.isnan(one) & np.isnan(other)))
    where = old.index[at].to_frame(index=False)
    return pd.DataFrame(
        {
            "table": name,
            "practice_code": where["practice_code"],
            "month": where.get("month", ""),
            "column": np.array(numbers, dtype=object)[column],
            "shown": other[at, column],
            "own": one[at, column],
        }
    )


def no_changes() -> pd.DataFrame:
    columns = {"table": str, "practice_code": str, "month": str, "column": str, "shown": float, "own": float}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def year_again(scene: Scene, months: pd.DataFrame) -> None:
    """Set the months of a scene, and the year to their sum."""
    scene.months = months
    counts = months.drop(columns="month").groupby("practice_code", sort=False).sum()
    counts = counts.reindex(scene.practices["practice_code"]).reset_index(drop=True)
    named = {name: name if name in AS_IN_MONTHS else f"{YEAR_OF}{name}" for name in counts}
    named["registered_patients"] = EXPOSURE
    counts = counts.rename(columns=named)
    scene.practices = scene.practices.assign(**{name: counts[name] for name in counts})


def rows_of(scene: Scene, rows: Sequence[int], month: str = "") -> Array:
    """Return which rows of the months are those of some practices, from a month on."""
    assert scene.months is not None
    codes = scene.practices["practice_code"].iloc[list(rows)]
    return np.asarray(scene.months["practice_code"].isin(codes) & (scene.months["month"] >= month))
