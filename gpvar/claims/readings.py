"""What a printed figure could be of: every reading of the counts that a study holds, with the number that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from gpvar.claims.held import LISTS, PATIENT_MONTHS
from gpvar.study import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.catalogue.countings import Counting
    from gpvar.claims.held import Held

#: A group of fewer practices is not tried: its figure would be little else than a neighbour's own.
FEWEST = 4
#: What a rate may be of: time, and patients.
_RATES = (
    ("month", 1000), ("month", 10000), ("month", 1),
    ("week", 1000), ("week", 10000),
    ("period", 1000), ("period", 10000), ("period", 1),
)  # fmt: skip
#: Percentiles at which tenths and fifths of practices end.
_EDGES = (10, 20, 80, 90)
_PLACES = ("region", "icb", "sub_icb", "pcn")
_COLUMNS = {"region": "region_code", "icb": "icb_code", "sub_icb": "sub_icb_code", "pcn": "pcn_key"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way of reading the counts, and what it gives.

    Attributes
    ----------
    counting
        Id of the way of counting.
    period, before
        Of which months; for a change, from which it is counted.
    complement
        Whether it is 100 less the share.
    patients, per, by
        For a rate: which list; a month, a week or the whole period; for how many patients. For a share `by` is 100.
    of
        practice, or the group: england, region, icb, sub_icb, pcn, or area for the study's own list of practices.
    how
        pooled (all counts together), mean or median of practices, p10 and so on for their percentiles; lowest_first or
        highest_first for a place; other ids for what is said of an area.
    without
        Who is left out: practice (the one that the letter is about), left_out (those that the study leaves out of
        comparisons), both, or nobody.
    practices
        How many practices it is of.
    value
        The number, in the unit of the letter.
    """

    counting: str
    period: Period
    value: float
    practices: int = 1
    complement: bool = False
    patients: str = ""
    per: str = ""
    by: int = 100
    of: str = "practice"
    how: str = ""
    without: str = ""
    before: Period | None = None

    @property
    def counts(self) -> tuple[object, ...]:
        """What two numbers of one table have in common: counting, months, list and unit."""
        return (self.counting, self.period, self.complement, self.patients, self.per, self.by)

    @property
    def unit(self) -> tuple[object, ...]:
        """The same without the months: what a figure and the one before it have in common."""
        return (self.counting, self.complement, self.patients, self.per, self.by)


@dataclass(frozen=True, slots=True)
class Group:
    """Practices whose figures are put together; `at` is where they stand in `Held.places`."""

    of: str
    without: str
    at: np.ndarray


def groups(held: Held, practice: str = "") -> tuple[Group, ...]:
    """Return the groups that a figure may be compared with: England, and where the practice or the study's area is."""
    table = held.table
    everyone = frozenset(held.places.index)
    found = [("england", everyone), *_around(held, practice)]
    if table.study.area.kind == "list" or not practice:
        found.append(("area", frozenset(table.area_codes)))
    left_out = frozenset(table.excluded["practice_code"])
    made: dict[frozenset[str], Group] = {}
    for of, codes in found:
        mine = frozenset({practice}) if of not in ("england", "region") and practice else frozenset()
        for without, gone in (("", frozenset()), ("practice", mine), ("left_out", left_out), ("both", mine | left_out)):
            rest = codes - gone
            if len(rest) >= FEWEST and rest not in made:
                made[rest] = Group(of, without, np.flatnonzero([code in rest for code in held.places.index]))
    return tuple(made.values())


def _around(held: Held, practice: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the places of a practice, or those that hold every practice of the study's area."""
    places = held.places
    members = [practice] if practice else [code for code in held.table.area_codes if code in places.index]
    if not set(members) <= set(places.index):
        return
    for of in _PLACES:
        codes = set(places.loc[members, _COLUMNS[of]])
        if len(codes) == 1 and (code := codes.pop()):
            yield of, frozenset(places.index[places[_COLUMNS[of]] == code])


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of practices by one way of counting, over one period and list, in no unit yet.

    They stand in the order of `Held.places`, NaN where one is not known; within a group the known ones alone.
    """

    base: Reading
    kind: str
    top: np.ndarray
    bottom: np.ndarray

    @property
    def raw(self) -> np.ndarray:
        """Each practice's figure: a fraction, or events per patient and month."""
        return self.top / self.bottom

    @property
    def pooled(self) -> float:
        """All counts together."""
        return float(self.top.sum() / self.bottom.sum())

    def within(self, group: Group) -> Figures:
        """Return the known figures of a group."""
        at = group.at[np.isfinite(self.top[group.at])]
        base = replace(self.base, of=group.of, without=group.without, practices=len(at))
        return replace(self, base=base, top=self.top[at], bottom=self.bottom[at])

    def shown(self, raw: float, how: str = "") -> Iterator[Reading]:
        """Yield a figure in every unit in which a letter may print it."""
        base = replace(self.base, how=how)
        if self.kind != "rate":
            yield replace(base, value=100.0 * raw)
        if self.kind == "share":
            yield replace(base, value=100.0 - 100.0 * raw, complement=True)
        if self.kind == "rate":
            period = base.period
            months = {"month": 1.0, "week": period.months / period.weeks, "period": float(period.months)}
            for per, by in _RATES:
                # The whole period of a single month is that month.
                if per != "period" or period.months > 1:
                    yield replace(base, value=raw * by * months[per], per=per, by=by)


def figures(held: Held, ways: Sequence[Counting]) -> Iterator[Figures]:
    """Yield the figures of all practices by every way of counting, period and list that the study holds."""
    for way, period in product(ways, held.counts):
        for patients in (PATIENT_MONTHS, *LISTS) if way.kind == "rate" else ("",):
            both = held.of(way, period, patients)
            if both is not None:
                base = Reading(way.id, period, float("nan"), patients=patients)
                known = both.reindex(held.places.index)
                yield Figures(base, way.kind, known["top"].to_numpy(float), known["base"].to_numpy(float))


def of_practice(every: Sequence[Figures], at: int) -> Iterator[Reading]:
    """Yield what each reading gives for the practice that stands `at` a place of `Held.places`."""
    for each in every:
        if np.isfinite(each.top[at]):
            yield from each.shown(float(each.top[at] / each.bottom[at]))


def _of(every: Sequence[Figures], around: Sequence[Group]) -> Iterator[Figures]:
    """Yield the figures of each group that is large enough."""
    for each, group in product(every, around):
        here = each.within(group)
        if here.base.practices >= FEWEST:
            yield here


def of_groups(every: Sequence[Figures], around: Sequence[Group]) -> Iterator[Reading]:
    """Yield what each reading gives for groups: all counts together, mean and median of practices, edges of tails."""
    for here in _of(every, around):
        raw = here.raw
        yield from here.shown(here.pooled, "pooled")
        yield from here.shown(float(raw.mean()), "mean")
        yield from here.shown(float(np.median(raw)), "median")
    yield from edges(every, around)


def edges(every: Sequence[Figures], around: Sequence[Group], sign: int = 0) -> Iterator[Reading]:
    """Yield where the lowest and highest tenths and fifths of groups end; `sign` is minus one for the lowest alone."""
    for here in _of(every, around):
        for at in _EDGES:
            if sign == 0 or (at < 50) == (sign < 0):
                yield from here.shown(float(np.percentile(here.raw, at)), f"p{at}")


def places(every: Sequence[Figures], around: Sequence[Group], at: int) -> Iterator[Reading]:
    """Yield the place of the practice that stands `at` in each group, from the lowest figure and from the highest."""
    for each in every:
        for here in _of([each], [group for group in around if at in group.at]):
            mine, raw = each.top[at] / each.bottom[at], here.raw
            if np.isfinite(mine):
                yield replace(here.base, how="lowest_first", value=1.0 + int((raw < mine).sum()))
                yield replace(here.base, how="highest_first", value=1.0 + int((raw > mine).sum()))


def folds(every: Sequence[Figures], around: Sequence[Group]) -> Iterator[Reading]:
    """Yield how many times the high figures of a group are the low ones."""
    for here in _of(every, around):
        for how, high, low in _ends(np.sort(here.raw)):
            if low > 0:
                yield replace(here.base, how=how, value=high / low, by=1)


def _ends(values: np.ndarray) -> Iterator[tuple[str, float, float]]:
    yield "highest_lowest", float(values[-1]), float(values[0])
    for how, high, low in (("p95_p5", 95, 5), ("p90_p10", 90, 10), ("p75_p25", 75, 25)):
        yield how, float(np.percentile(values, high)), float(np.percentile(values, low))
    for how, parts in (("tenths", 10), ("fifths", 5), ("quarters", 4)):
        size = round(len(values) / parts)
        if size:
            yield how, float(values[-size:].mean()), float(values[:size].mean())


def gains(every: Sequence[Figures], around: Sequence[Group], sign: int) -> Iterator[Reading]:
    """Yield what would be gained if all of a group reached a mark of its own; `sign` is plus one to raise figures."""
    for here in _of(every, around):
        raw, bottom = here.raw, here.bottom
        marks = {f"to_p{at}": float(np.percentile(raw, at if sign > 0 else 100 - at)) for at in (75, 80, 90)}
        marks |= {"to_median": float(np.median(raw)), "to_pooled": here.pooled}
        period = here.base.period
        for how, mark in marks.items():
            gain = float((np.clip(sign * (mark - raw), 0.0, None) * bottom).sum())
            for per, parts in (("period", 1.0), ("month", float(period.months)), ("week", period.weeks)):
                yield replace(here.base, how=how, per=per, by=1, value=gain / parts)


def group_changes(every: Sequence[Figures], around: Sequence[Group], sign: int, size: float) -> Iterator[Reading]:
    """Yield how far the practices lowest (`sign` plus one) or highest in an earlier period moved until a later one.

    `size` is how many they are, or below one which part of the group.
    """
    for early, late in product(every, every):
        if early.base.unit != late.base.unit or early.base.period.end >= late.base.period.start:
            continue
        for group in around:
            at = group.at[np.isfinite(early.top[group.at]) & np.isfinite(late.top[group.at])]
            many = round(size * len(at)) if size < 1 else int(size)
            if FEWEST <= many <= len(at):
                far = at[np.argsort(sign * early.raw[at], kind="stable")[:many]]
                yield from _moved(early, late, Group(group.of, group.without, far), sign)


def _moved(early: Figures, late: Figures, chosen: Group, sign: int) -> Iterator[Reading]:
    first, last = early.within(chosen), late.within(chosen)
    last = replace(last, base=replace(last.base, before=early.base.period))
    changes = {"mean": last.raw.mean() - first.raw.mean(), "pooled": last.pooled - first.pooled}
    for how, change in changes.items():
        for reading in last.shown(float(sign * change), how):
            if not reading.complement:
                yield reading


def patients_per(held: Held, practice: str, staff: str = "gp_fte") -> Iterator[Reading]:
    """Yield how many patients there are for each full-time equivalent, by every list that the study holds."""
    known = held.table.practices.set_index("practice_code")
    if practice not in known.index or staff not in known:
        return
    people = float(known.loc[practice, staff])
    for name in held.lists:
        patients = float(held.lists.loc[practice, name])
        if people > 0 and np.isfinite(patients):
            yield Reading("patients_per_gp", held.own, patients / people, patients=name, by=1)
