"""A practice's own appointments against the published ones, month by month and label by label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import listing
from gpvar.sources._parts import Part
from gpvar.sources.appointments.crosstab import consume
from gpvar.sources.appointments.rows import COLUMNS, LABELS, Reading, Rows
from gpvar.sources.own_appointments.reading import OwnData, by_month_and_label


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """How a practice's own appointments and the published ones differ.

    Attributes
    ----------
    cells
        One row per month, column and label: month, column, label, own, published, difference (own less published).
        The column ``""`` is the total.
    figures
        One row per metric: metric, own_numerator, own_denominator, own_value, published_numerator,
        published_denominator, published_value, over the months that both hold.
    months
        The months that both hold.
    only_own, only_published
        The months that one of them holds.
    own_total, published_total
        Appointments over the months that both hold.
    same
        How many rows of `cells` agree exactly.
    """

    practice_code: str
    cells: pd.DataFrame
    figures: pd.DataFrame
    months: tuple[str, ...]
    only_own: tuple[str, ...]
    only_published: tuple[str, ...]
    own_total: int
    published_total: int
    same: int


def compare(own: OwnData, parts: Sequence[Part]) -> OwnCheck:
    """Hold a practice's own appointments against the published ones, month by month and label by label.

    Parameters
    ----------
    own
        What `read_own` returned.
    parts
        Tables of the published crosstab.

    Raises
    ------
    SourceError
        When the published files do not hold the practice, or share no month with its own.
    """
    published = _published(parts, own.practice_code)
    theirs = sorted(published["month"].unique())
    both = tuple(month for month in own.months if month in theirs)
    where = listing(dict.fromkeys(part.member.label for part in parts), 3)
    if not theirs:
        raise SourceError(
            f"The published files hold no appointments of {own.practice_code}.",
            where,
            "Check the code; practices that have closed, or whose data were left out by NHS England, are not in it.",
        )
    if not both:
        raise SourceError(
            f"The practice's own file holds {listing(own.months, 6)} and the published files {listing(theirs, 6)}.",
            f"{own.path}; {where}",
            "Take both for the same months.",
        )
    mine = own.rows[own.rows["month"].isin(both)]
    official = published[published["month"].isin(both)]
    cells = _cells(mine, official, own.labels)
    return OwnCheck(
        practice_code=own.practice_code,
        cells=cells,
        figures=_figures(mine, official, own.labels),
        months=both,
        only_own=tuple(month for month in own.months if month not in theirs),
        only_published=tuple(month for month in theirs if month not in own.months),
        own_total=int(mine["count"].sum()),
        published_total=int(official["count"].sum()),
        same=int((cells["difference"] == 0).sum()),
    )


def _published(parts: Iterable[Part], code: str) -> pd.DataFrame:
    """Return the published rows of one practice, each month from the first table that holds it."""
    found: dict[str, pd.DataFrame] = {}
    for part in parts:
        if part.layout != "gpad_crosstab":
            continue
        frame = consume(part, lambda reading, rows: by_month_and_label(reading, _only(reading, rows, code), LABELS))
        for month, rows in frame.groupby("month"):
            found.setdefault(str(month), rows)
    return pd.concat(found.values()) if found else pd.DataFrame(columns=["month", *LABELS, "count"])


def _only(reading: Reading, rows: Iterable[Rows], code: str) -> Iterator[Rows]:
    """Yield the rows of one practice."""
    for run in rows:
        wanted_number = reading.words["practice_code"].number(code)
        here = run.codes["practice_code"] == wanted_number
        if here.any():
            yield Rows({name: values[here] for name, values in run.codes.items()}, run.count[here])


def _cells(mine: pd.DataFrame, official: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    frames = []
    for name in ("", *labels):
        keys = ["month", name] if name else ["month"]
        pair = pd.concat(
            [frame.groupby(keys)["count"].sum().rename(side) for side, frame in _sides(mine, official).items()], axis=1
        )
        table = pair.fillna(0).astype(np.int64).sort_index().reset_index()
        table = table.rename(columns={name: "label"}) if name else table.assign(label="")
        frames.append(table.assign(column=COLUMNS[name] if name else ""))
    cells = pd.concat(frames, ignore_index=True)
    return cells.assign(difference=cells["own"] - cells["published"])[
        ["month", "column", "label", "own", "published", "difference"]
    ]


def _sides(mine: pd.DataFrame, official: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    return {"own": mine, "published": official}


def _figures(mine: pd.DataFrame, official: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return each metric by both files; only shares, as a rate needs a list that neither holds."""
    held = {COLUMNS[name] for name in labels}
    rows = []
    for card in catalogue.metrics().values():
        used = {item.column for rows_of in card.appointments.values() for item in rows_of}
        if card.kind != "proportion" or not card.appointments or not used <= held:
            continue
        row: dict[str, object] = {"metric": card.id}
        for side, frame in _sides(mine, official).items():
            top, base = (_taken(frame, card.appointments[part]) for part in ("numerator", "denominator"))
            row |= {f"{side}_numerator": top, f"{side}_denominator": base}
            row[f"{side}_value"] = top / base if base else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _taken(frame: pd.DataFrame, chosen: Sequence[catalogue.Selection]) -> int:
    names = {heading: name for name, heading in COLUMNS.items()}
    here = np.full(len(frame), True)
    for item in chosen:
        here &= frame[names[item.column]].isin(item.labels).to_numpy() != item.but
    return int(frame.loc[here, "count"].sum())
