"""Add the rows of the appointments crosstab up by practice, month and labels, so that no row need be kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from gpvar import catalogue
from gpvar.catalogue import Selection
from gpvar.catalogue import appointments as facts
from gpvar.sources._parts import Part
from gpvar.sources.appointments.crosstab import consume
from gpvar.sources.appointments.rows import COLUMNS, LABELS, Array, Extent, Reading, Rows

_NAME_OF = {heading: name for name, heading in COLUMNS.items()}
_ROOM = 4


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """One month of one table, added up.

    Attributes
    ----------
    codes
        Practice codes, in order.
    values
        One row per practice, one column per name of `wanted`, then one per category of `categories`.
    categories
        National categories met, known ones first.
    supplier
        The supplier under which most of each practice's appointments stand.
    suppliers
        How many suppliers each practice has in the month.
    strange
        Column → label not in the catalogue → appointments.
    """

    month: str
    codes: tuple[str, ...]
    values: Array
    categories: tuple[str, ...]
    supplier: tuple[str, ...]
    suppliers: Array
    rows: int
    strange: dict[str, dict[str, int]]

    @property
    def total(self) -> int:
        """All appointments."""
        return int(self.values[:, list(wanted()).index("total")].sum())


@dataclass(frozen=True, slots=True)
class Counted:
    """One table of the crosstab, added up: its months, and what was met while reading."""

    part: Part
    months: dict[str, MonthCounts]
    extent: Extent


@cache
def wanted() -> dict[str, tuple[Selection, ...]]:
    """Return name → rows that it counts: both counts of every metric, those of the gates, and the mapping what-if."""
    found: dict[str, tuple[Selection, ...]] = {"total": ()}
    for card in catalogue.metrics().values():
        found |= {f"{card.id}.{part}": rows for part, rows in card.appointments.items()}
    found |= {"unmapped.numerator": facts.unmapped(), "unmapped.denominator": ()}
    found |= facts.monthly()
    return found | facts.what_if_counts()


def count_part(part: Part, *, keep: bool = True) -> Counted:
    """Read a table once and return its counts; `keep` is whether the cache may be used."""
    return consume(part, _count, keep=keep)


def count_rows(reading: Reading, rows: Iterable[Rows]) -> dict[str, MonthCounts]:
    """Add up rows, from wherever they come."""
    tally = _Tally(reading)
    for run in rows:
        tally.add(run)
    return {counts.month: counts for counts in tally.months()}


def _count(reading: Reading, rows: Iterator[Rows]) -> Counted:
    months = count_rows(reading, rows)
    return Counted(reading.part, months, reading.extent)


@cache
def _views() -> tuple[tuple[str, ...], ...]:
    """Return the sets of label columns that must be counted together; every selection is part of one of them."""
    sets = {frozenset(_NAME_OF[item.column] for item in rows) for rows in wanted().values()}
    sets |= {frozenset({"national_category"})}
    largest = [names for names in sets if names and not any(names < other for other in sets)]
    order = list(COLUMNS)
    return (*sorted(tuple(sorted(names, key=order.index)) for names in largest), ("supplier",))


class _Tally:
    """Sums by month and practice for each view; they grow with what is met."""

    def __init__(self, reading: Reading) -> None:
        self._words = reading.words
        self._known = {name: len(facts.labels()[COLUMNS[name]]) for name in LABELS}
        self._sums: dict[int, dict[tuple[str, ...], Array]] = {}
        self._rows: dict[int, Array] = {}
        self._strange: dict[int, dict[str, Array]] = {}

    def add(self, rows: Rows) -> None:
        """Add a run of rows."""
        months = rows.codes["month"]
        if months[0] == months[-1] and (months == months[0]).all():
            self._add_month(int(months[0]), rows)
            return
        for month in np.unique(months):
            here = months == month
            codes = {name: values[here] for name, values in rows.codes.items()}
            self._add_month(int(month), Rows(codes, rows.count[here]))

    def _add_month(self, month: int, rows: Rows) -> None:
        practice = rows.codes["practice_code"]
        low, high = int(practice.min()), int(practice.max()) + 1
        local = practice - low
        weights = rows.count.astype(np.float64)
        sums = self._sums.setdefault(month, {})
        for view in _views():
            room = [self._room(name) for name in view]
            key = local
            for name, size in zip(view, room, strict=True):
                key = key * size + rows.codes[name]
            found = np.bincount(key, weights=weights, minlength=(high - low) * int(np.prod(room)))
            held = sums.get(view)
            held = sums[view] = _grown(held, (max(high, 0 if held is None else len(held)), *room))
            held[low:high] += found.reshape(high - low, *room)
        met = np.bincount(local, minlength=high - low)
        held = self._rows.get(month)
        held = self._rows[month] = _grown(held, (max(high, 0 if held is None else len(held)),))
        held[low:high] += met
        self._note_strange(month, rows, weights)

    def _room(self, name: str) -> int:
        """Return how many texts of a column there is room for: steps, so that sums seldom have to grow."""
        return -(-(len(self._words[name].texts) + 1) // _ROOM) * _ROOM

    def _note_strange(self, month: int, rows: Rows, weights: Array) -> None:
        for name in LABELS:
            known = self._known[name]
            codes = rows.codes[name]
            if len(self._words[name].texts) > known and codes.max() >= known:
                new = codes >= known
                found = np.bincount(codes[new] - known, weights=weights[new])
                held = self._strange.setdefault(month, {}).get(name)
                size = max(len(found), 0 if held is None else len(held))
                held = self._strange[month][name] = _grown(held, (size,))
                held[: len(found)] += found

    def months(self) -> Iterator[MonthCounts]:
        """Yield each month, its practices by code."""
        texts = {name: words.texts for name, words in self._words.items()}
        for month, sums in sorted(self._sums.items(), key=lambda pair: texts["month"][pair[0]]):
            met = self._rows[month]
            present = np.flatnonzero(met)
            codes = [texts["practice_code"][at] for at in present]
            order = np.argsort(codes)
            present, codes = present[order], [codes[at] for at in order]
            here = {view: values[present] for view, values in sums.items()}
            suppliers = here[("supplier",)]
            main = suppliers.argmax(axis=1)
            strange = {
                COLUMNS[name]: {
                    texts[name][self._known[name] + at] or "(blank)": int(found[at]) for at in np.flatnonzero(found)
                }
                for name, found in self._strange.get(month, {}).items()
            }
            categories = tuple(texts["national_category"])
            yield MonthCounts(
                month=texts["month"][month],
                codes=tuple(codes),
                values=np.column_stack([*_named(here, texts), *_by_category(here, len(categories))]).astype(np.int64),
                categories=categories,
                supplier=tuple(texts["supplier"][at] for at in main),
                suppliers=(suppliers > 0).sum(axis=1),
                rows=int(met.sum()),
                strange=strange,
            )


def _grown(held: Array | None, shape: tuple[int, ...]) -> Array:
    """Return sums with room for `shape`, with what is held in its place."""
    if held is None:
        return np.zeros(shape)
    if all(have >= need for have, need in zip(held.shape, shape, strict=True)):
        return held
    # Rows by doubling: practices come one after another.
    rows = max(shape[0], min(2 * held.shape[0], shape[0] + 4096)) if shape[0] > held.shape[0] else held.shape[0]
    whole = np.zeros((rows, *(max(have, need) for have, need in zip(held.shape[1:], shape[1:], strict=True))))
    whole[tuple(slice(0, size) for size in held.shape)] = held
    return whole


def _named(sums: Mapping[tuple[str, ...], Array], texts: Mapping[str, list[str]]) -> Iterator[Array]:
    """Yield the counts of each name of `wanted`."""
    found: dict[tuple[Selection, ...], Array] = {}
    for rows in wanted().values():
        if rows not in found:
            found[rows] = _selected(rows, sums, texts)
        yield found[rows]


def _selected(
    rows: tuple[Selection, ...], sums: Mapping[tuple[str, ...], Array], texts: Mapping[str, list[str]]
) -> Array:
    needed = {_NAME_OF[item.column] for item in rows}
    view = next(view for view in sorted(sums, key=len) if needed <= set(view))
    values = sums[view]
    for axis, name in enumerate(view, start=1):
        own = [item for item in rows if _NAME_OF[item.column] == name]
        if own:
            taken = np.full(len(texts[name]), True)
            for item in own:
                taken &= np.isin(texts[name], item.labels) != item.but
            values = values.take(np.flatnonzero(taken), axis=axis)
    return values.reshape(len(values), -1).sum(axis=1)


def _by_category(sums: Mapping[tuple[str, ...], Array], size: int) -> Iterator[Array]:
    view = next(view for view in sums if "national_category" in view)
    axis = view.index("national_category") + 1
    other = tuple(at for at in range(1, sums[view].ndim) if at != axis)
    table = sums[view].sum(axis=other)
    yield from table[:, :size].T
