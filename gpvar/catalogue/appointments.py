"""What stands in the practice-level crosstab of appointments, as data from `appointments.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from gpvar.catalogue._cards import MetricCard, Selection, selections
from gpvar.catalogue._files import read, reference
from gpvar.errors import SourceError

__all__ = [
    "Half",
    "WhatIf",
    "also",
    "check",
    "halves",
    "labels",
    "monthly",
    "own_download_below",
    "plain",
    "unknown_labels",
    "unmapped",
    "what_if",
    "what_if_counts",
]

_FILE = "appointments.toml"
#: A hyphen, the dashes that word processors put in its place, and a minus.
_DASH = "[-\u2010-\u2015\u2212]"


@dataclass(frozen=True, slots=True)
class Half:
    """A half of a month that was published in two files."""

    name: str
    region_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Categories that could have been mapped as urgent."""

    id: str
    title: str
    categories: tuple[str, ...]


@cache
def _raw() -> dict[str, Any]:
    return read(_FILE)


def plain(label: str) -> str:
    """Return a label as labels are compared: letters and digits only, no capitals, ``8-14`` as ``8 to 14``."""
    text = re.sub(rf"(?<=\d)\s*{_DASH}\s*(?=\d)", "to", label.casefold()).replace("&", "and")
    return re.sub(r"[\W_]+", "", text) or " ".join(label.split())


def labels() -> dict[str, tuple[str, ...]]:
    """Return column → the labels known of it, in order."""
    return {column: tuple(known) for column, known in _raw()["labels"].items()}


def also() -> dict[str, dict[str, str]]:
    """Return column → earlier spelling → label."""
    return {column: dict(known) for column, known in _raw()["also"].items()}


def unknown_labels() -> dict[str, Any]:
    """Return when a file with labels that are not known is refused."""
    return dict(_raw()["unknown"])


def unmapped() -> tuple[Selection, ...]:
    """Return which appointments have no usable national category."""
    return selections(_raw()["unmapped"], _FILE, "unmapped")


def monthly() -> dict[str, tuple[Selection, ...]]:
    """Return name → which appointments it counts, of the counts by month that gates look at."""
    return {name: selections(table, _FILE, f"monthly.{name}") for name, table in _raw()["monthly"].items()}


def halves() -> tuple[Half, ...]:
    """Return the halves in which a month may be published."""
    return tuple(Half(item["name"], tuple(item["region_codes"])) for item in _raw()["halves"])


def completeness() -> dict[str, float]:
    """Return below which shares part of a month is taken to be missing."""
    return dict(_raw()["completeness"])


def repeated_rows_from() -> float:
    """Return from which share of repeated rows a table is refused."""
    return float(_raw()["repeated_rows"]["share_from"])


def own_download_below() -> int:
    """Return of fewer than how many practices a table is taken to be a practice's own download, or a selection."""
    return int(reference()["own_download_below"])


def steady_category() -> tuple[float, str]:
    """Return within which movement of their share categories are put together by month, and their name then."""
    return _raw()["steady_category"]["share_moves_below"], _raw()["steady_category"]["name"]


def published() -> dict[str, int]:
    """Return month → appointments that the publication prints for its practice-level file, where known."""
    return dict(_raw()["published"])


def what_if() -> tuple[WhatIf, ...]:
    """Return the definitions of the mapping what-if, in the order in which they are added."""
    return tuple(WhatIf(item["id"], item["title"], tuple(item["categories"])) for item in _raw()["what_if"])


def what_if_counts() -> dict[str, tuple[Selection, ...]]:
    """Return ``what_if_ID.numerator`` (same day) and ``.denominator`` → rows, of each definition's own categories."""
    on_day = next(item for item in monthly()["acute_same_day"] if item.column == "TIME_BETWEEN_BOOK_AND_APPT")
    found = {}
    for item in what_if():
        rows = Selection("NATIONAL_CATEGORY", item.categories)
        found |= {f"what_if_{item.id}.numerator": (rows, on_day), f"what_if_{item.id}.denominator": (rows,)}
    return found


def middle_of_at_least() -> int:
    """Return how many appointments a practice must have for its what-if figure to count in England's middle."""
    return int(_raw()["middle"]["appointments_at_least"])


def chosen(rows: tuple[Selection, ...], column: str) -> set[str]:
    """Return the known labels of a column that a selection of rows takes."""
    taken = set(labels()[column])
    for selection in rows:
        if selection.column == column:
            taken = taken - set(selection.labels) if selection.but else taken & set(selection.labels)
    return taken


def check(card: MetricCard) -> None:
    """Refuse a card that counts labels which are not known, or a share whose part is not within its whole."""
    for part, rows in card.appointments.items():
        where = f"{card.id}.toml, field appointments.{part}"
        for selection in rows:
            known = labels().get(selection.column, ())
            strangers = [label for label in selection.labels if label not in known]
            if strangers or not known:
                what = f"the label '{strangers[0]}'" if known else f"the column '{selection.column}'"
                raise SourceError(
                    f"A metric card counts appointments by {what}, which is not in the catalogue.",
                    where,
                    f"Use one of: {', '.join(known or labels())}.",
                )
    needed = {"numerator", "denominator"} if card.kind == "proportion" else {"numerator"}
    if card.appointments and set(card.appointments) != needed:
        raise SourceError(
            "A metric card does not say of both its counts which appointments they are.",
            f"{card.id}.toml, field appointments",
            f"Write: {', '.join(sorted(needed))}.",
        )
    if "denominator" in card.appointments:
        for column in labels():
            part, whole = (chosen(card.appointments[name], column) for name in ("numerator", "denominator"))
            if not part <= whole:
                raise SourceError(
                    f"A metric card counts '{min(part - whole)}' above and not below.",
                    f"{card.id}.toml, field appointments",
                    "Everything in the numerator must be in the denominator.",
                )
