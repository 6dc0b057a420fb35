"""Counts of appointments by practice and month as one wide table, and back, for any run of its months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.catalogue import Selection
from gpvar.errors import SourceError
from gpvar.problems import listing
from gpvar.sources.appointments.tally import MonthCounts, wanted

_CATEGORY = "category: "
_OF_MONTH = ("supplier", "suppliers")


def as_frame(months: Mapping[str, MonthCounts]) -> pd.DataFrame:
    """Return one row per practice and month that the publication has.

    Parameters
    ----------
    months
        Month → its counts.

    Returns
    -------
    DataFrame
        practice_code, month, every name of `wanted`, every category, supplier, suppliers; a category that was not met
        in a month is NaN there.
    """
    names = list(wanted())
    frames = []
    for month, counts in months.items():
        columns = [*names, *(_CATEGORY + category for category in counts.categories)]
        frame = pd.DataFrame(counts.values, columns=columns).astype(float)
        keys = pd.DataFrame({"practice_code": list(counts.codes), "month": month}, dtype="str")
        tail = pd.DataFrame({"supplier": list(counts.supplier), "suppliers": np.asarray(counts.suppliers, float)})
        frames.append(pd.concat([keys, frame, tail.astype({"supplier": "str"})], axis=1))
    return pd.concat(frames, ignore_index=True)


def from_frame(frame: pd.DataFrame, months: Iterable[str]) -> dict[str, MonthCounts]:
    """Return the counts of some months from what `as_frame` returned.

    Parameters
    ----------
    frame
        The rows; of a name that `wanted` knows and the frame does not, the counts are 0.
    months
        The months.
    """
    names = list(wanted())
    found = {}
    for month in months:
        rows = frame[frame["month"] == month].sort_values("practice_code")
        categories = [
            name for name in rows.columns if name.startswith(_CATEGORY) and rows[name].notna().to_numpy().any()
        ]
        values = rows.reindex(columns=[*names, *categories], fill_value=0).fillna(0).to_numpy(np.int64)
        found[month] = MonthCounts(
            month=month,
            codes=tuple(rows["practice_code"]),
            values=values,
            categories=tuple(name.removeprefix(_CATEGORY) for name in categories),
            supplier=tuple(rows["supplier"].fillna("")),
            suppliers=rows["suppliers"].to_numpy(np.int64),
            rows=0,
            strange={},
        )
    return found


def definitions() -> dict[str, str]:
    """Return what every count and every share of the list is, in words that change when the definition does."""
    counts = {name: _in_words(rows) for name, rows in wanted().items()}
    ages = {f"age_sex.{name}": str(dict(sorted(rule.items()))) for name, rule in catalogue.readers()["shares"].items()}
    return counts | ages


def _in_words(rows: Iterable[Selection]) -> str:
    said = [f"{item.column} {'is not' if item.but else 'is'} {' or '.join(item.labels)}" for item in rows]
    return "; ".join(said) or "every row"


def refuse_redefined(said: Mapping[str, str], version: str, place: str) -> None:
    """Refuse a file whose figures were counted by other definitions than those of now.

    Raises
    ------
    SourceError
        Naming what is defined otherwise, or not there.
    """
    now = definitions()
    changed = [name for name, words in said.items() if name in now and now[name] != words]
    needed = [name for name in now if "." not in name and name not in said]
    if changed or needed:
        raise SourceError(
            f"The reference file was made with gpvar {version}, which counted {listing([*changed, *needed], 4)} "
            "otherwise than this one does.",
            place,
            "Make it anew from the publications, or get one made with this version: python run.py reference build",
        )


def not_counted(said: Mapping[str, str]) -> set[str]:
    """Return the metrics of now that a file made before they were known cannot have counted."""
    return {name.partition(".")[0] for name in wanted() if "." in name and name not in said}
