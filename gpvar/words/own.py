"""What is said of one practice's appointments: its own download beside the published file, and other labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.dates import month_in_words
from gpvar.words.text import escape_markdown, known, listed, number, plural

if TYPE_CHECKING:
    from gpvar.sources.own_appointments import OwnCheck

_COLUMNS = {"": "all appointments"}


def mapping_summary(rows: pd.DataFrame, name: str, period: str, from_own: bool) -> str:
    """Return what the urgent figure is under each way of labelling, in a sentence or two.

    Parameters
    ----------
    rows
        What `gpvar.sources.own_appointments.mapping_what_if` returned.
    name
        The practice.
    period
        The months, in words.
    from_own
        Whether the practice's figures are from its own download.
    """
    added = rows[rows["how"] == "added"]
    first, shares = added.iloc[0], added["share"].dropna()
    source = "its own download" if from_own else "the published file"
    if not known(first["share"]):
        return (
            f"{escape_markdown(name)}, {period}, {source}. {escape_markdown(first['title'])}: there is no such "
            "appointment, so there is no urgent same-day share to speak of."
        )
    said = (
        f"{escape_markdown(name)}, {period}, {source}. {escape_markdown(first['title'])}: {_percent(first['share'])} "
        f"of {number(first['appointments'])} appointments were held on the day they were booked. "
    )
    low, high = shares.min(), shares.max()
    points = 100 * (high - low)
    if points < _LITTLE:
        return said + (
            f"Counting urgent work under the other labels as well moves this by less than {_LITTLE} points: how slots "
            "are labelled makes little difference here."
        )
    return said + (
        f"Counting urgent work under the other labels as well, it lies between {_percent(low)} and {_percent(high)}: "
        f"{number(points, 1)} points hang on which labels are counted."
    )


#: Points below which another way of labelling is said to make little difference.
_LITTLE = 2


def _percent(share: float) -> str:
    return f"{number(100 * share, 1)}%" if known(share) else "not known"


def mapping_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table of ways of labelling: text, no blank cells."""
    shown = rows[(rows["how"] == "added") | (rows["id"] != rows["id"].iloc[0])]
    return pd.DataFrame(
        [
            {
                "Labels counted as urgent": _labels(row, rows["id"].iloc[0]),
                "Appointments": number(row.appointments),
                "On the same day": _percent(row.share),
                "Middle practice of the files": f"{_percent(row.middle)} (of {number(row.practices)})",
            }
            for row in shown.itertuples()
        ]
    )


def _labels(row: Any, first: str) -> str:
    if row.id == first:
        return f"{row.title} (as reported)"
    if row.how == "alone":
        return f"{row.title.removeprefix('with ')} alone"
    return f"those above, {row.title}"


def own_summary(check: OwnCheck, name: str) -> str:
    """Return whether a practice's own download and the published file agree."""
    held = months(check.months)
    difference = check.own_total - check.published_total
    cells = f"{number(check.same)} of {plural(len(check.cells), 'count')} by month and label"
    own, published = number(check.own_total), number(check.published_total)
    totals = f"its own download holds {own} appointments, the published file {published}"
    if difference == 0 and check.same == len(check.cells):
        said = f"The two agree in every count: {totals}, {held}."
    elif difference == 0:
        said = f"The totals agree and the labels do not: {totals}, {held}; {cells} agree."
    else:
        which = "more" if difference > 0 else "fewer"
        said = f"The two differ: {totals}, {held}: {number(abs(difference))} {which} in its own. {cells} agree."
    return f"**{escape_markdown(name)}.** {said}{_outside(check)}"


def _outside(check: OwnCheck) -> str:
    said = []
    if check.only_own:
        said.append(f"{months(check.only_own)} only in its own")
    if check.only_published:
        said.append(f"{months(check.only_published)} only in the published files")
    return f" Not compared: {listed(said)}." if said else ""


def months(several: Sequence[str]) -> str:
    """Return months in words, a run of many by its ends."""
    if len(several) > 2:
        return f"{month_in_words(several[0])} to {month_in_words(several[-1])} ({len(several)} months)"
    return listed(month_in_words(month) for month in several)


def own_figures(check: OwnCheck) -> pd.DataFrame:
    """Return each figure from both files: text, no blank cells."""
    return pd.DataFrame(
        [
            {
                "Measure": catalogue.metric(row.metric).title,
                "Own download": _figure(row.own_numerator, row.own_denominator, row.own_value),
                "Published": _figure(row.published_numerator, row.published_denominator, row.published_value),
            }
            for row in check.figures.itertuples()
            if row.metric in catalogue.metrics()
        ],
        columns=["Measure", "Own download", "Published"],
    )


def _figure(top: float, base: float, value: float) -> str:
    return f"{_percent(value)} ({number(top)} of {number(base)})" if known(value) else "not in the file"


def own_differences(check: OwnCheck, most: int = 15) -> pd.DataFrame:
    """Return the largest differences by month and label: text, no blank cells."""
    cells = check.cells[check.cells["difference"] != 0]
    largest = cells.reindex(cells["difference"].abs().sort_values(ascending=False).index).head(most)
    return pd.DataFrame(
        [
            {
                "Month": month_in_words(row.month),
                "Of": _label(row),
                "Own download": number(row.own),
                "Published": number(row.published),
                "Difference": number(row.difference),
            }
            for row in largest.itertuples()
        ],
        columns=["Month", "Of", "Own download", "Published", "Difference"],
    )


def _label(row: Any) -> str:
    return f"{row.column.replace('_', ' ')}: {row.label}" if row.column else _COLUMNS[""]


def own_not_shown() -> str:
    """Return what the comparison cannot say."""
    return (
        "The published file holds what the practice's system sent, when it was sent: corrections of labels are not "
        "applied to earlier months. A difference says that the two files are not the same data; it does not say which "
        "is right. Counting other labels as urgent shows what labelling decides: it does not say which label is right "
        "for a slot."
    )
