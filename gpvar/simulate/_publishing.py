"""The months of a world as the practice-level crosstab of appointments: the same counts, category by category."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpvar.simulate import _crosstab
from gpvar.simulate._crosstab import ACUTE, ROUTINE, Month
from gpvar.simulate.appointments import write_months

Array = np.ndarray[Any, np.dtype[Any]]

_ACUTE, _UNMAPPED = "general_consultation_acute", "Unmapped"
_INTERVALS = {
    "same_day": "Same Day",
    "1_day": "1 Day",
    "2_to_7_days": "2 to 7 Days",
    "8_to_14_days": "8  to 14 Days",
    "over_14_days": "15  to 21 Days",
    "booking_unknown": "Unknown / Data Quality",
}
_STATUSES = {"attended": "Attended", "dna": "DNA", "status_unknown": "Unknown"}
_MODES = {
    "face_to_face": "Face-to-Face",
    "telephone": "Telephone",
    "video_online": "Video Conference/Online",
    "home_visit": "Home Visit",
}


def publish(folder: Path, practices: pd.DataFrame, months: pd.DataFrame) -> tuple[Path, ...]:
    """Write a world's months as they would be published.

    Parameters
    ----------
    folder
        Where to.
    practices, months
        The tables of a world.

    Returns
    -------
    tuple of Path
        Zips of three months each. Every count of `months` can be added up from them. What is neither acute nor
        unmapped is called routine; all staff are called GPs.
    """
    frame = practices.sort_values("practice_code", ignore_index=True)
    place = pd.Series(frame.index, index=frame["practice_code"])
    cells = {month: _cells(rows, place) for month, rows in months.groupby("month")}
    return write_months(folder, frame, cells)


def _cells(rows: pd.DataFrame, place: pd.Series) -> Month:
    """Return which cells of the crosstab each practice fills in a month, and with how many appointments."""
    total = rows["total_appointments"].to_numpy()
    axes = [_runs(rows, _INTERVALS), _categories(rows), _runs(rows, _STATUSES), _runs(rows, _MODES, rest="Unknown")]
    ends = [np.cumsum(counts, axis=1) for _, counts in axes]
    # Appointments stand in a row; where the label changes along any axis, a cell ends.
    cuts = np.sort(np.column_stack([np.zeros(len(total), int), *ends]), axis=1)
    count = np.diff(cuts, axis=1)
    row, step = np.nonzero(count)
    start = cuts[row, step]
    named = {"HCP_TYPE": np.full(len(row), "GP", dtype=object)}
    keys = ("TIME_BETWEEN_BOOK_AND_APPT", "NATIONAL_CATEGORY", "APPT_STATUS", "APPT_MODE")
    for key, (labels, _), end in zip(keys, axes, ends, strict=True):
        named[key] = np.array(labels, dtype=object)[(end[row] <= start[:, None]).sum(axis=1)]
    return Month(place[rows["practice_code"]].to_numpy()[row], _numbers(named), count[row, step])


def _runs(rows: pd.DataFrame, names: dict[str, str], rest: str = "") -> tuple[list[str], Array]:
    counts = rows[list(names)].to_numpy()
    if not rest:
        return list(names.values()), counts
    return [*names.values(), rest], np.column_stack([counts, rows["total_appointments"] - counts.sum(axis=1)])


def _categories(rows: pd.DataFrame) -> tuple[list[str], Array]:
    """Lay categories along appointments that begin with those of the same day, so that the acute among these agree."""
    total, same_day, acute, first, unmapped = (
        rows[name].to_numpy() for name in ("total_appointments", "same_day", _ACUTE, f"{_ACUTE}_same_day", "unmapped")
    )
    later = acute - first
    room = total - same_day - later
    last = np.minimum(unmapped, room)
    counts = [first, same_day - first - (unmapped - last), unmapped - last, later, room - last, last]
    return [ACUTE, ROUTINE, _UNMAPPED, ACUTE, ROUTINE, _UNMAPPED], np.column_stack(counts)


def _numbers(named: dict[str, Array]) -> Array:
    """Return the number of each cell in the crosstab's own order."""
    form = _crosstab.shape()
    index = [pd.Index(form.labels[axis]).get_indexer(named[axis]) for axis in _crosstab.AXES]
    size = [len(form.labels[axis]) for axis in _crosstab.AXES]
    flat, known = np.ravel_multi_index(index, size), np.ravel_multi_index(list(form.cells), size)
    order = np.argsort(known)
    return np.asarray(order[np.searchsorted(known[order], flat)])
