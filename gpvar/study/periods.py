"""Files whose counts are of other months than the study's: read beside its own, so that movement can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from gpvar import catalogue
from gpvar.problems import Problems, listing
from gpvar.study._reader import Reader
from gpvar.study.columns import CODE, EXTENT, PARTS, PERIOD, held_by, metric_of
from gpvar.study.model import Period, SourceSpec, parse_period

#: What such a file may say of practices beside its counts: their lists in those months.
_BESIDE = (CODE, PERIOD, *EXTENT, "list_size")
#: Stands for a period that cannot be read, so that nothing more is said of its source.
_UNREAD = Period("1900-01", "1900-01")


def source_period(read: Reader, table: Mapping[str, Any], own: Period | None, where: str) -> Period | None:
    """Return the months of a source's counts where they are not the study's own; note what cannot be read."""
    text = table.get("period")
    if text is None:
        return None
    fix = 'Write the month of its counts, as period = "2025-04", or the first and last, as "2025-04..2025-06".'
    if not isinstance(text, str):
        read.problems.add("The period of a source must be text between quotation marks.", where, fix)
        return _UNREAD
    try:
        period = parse_period(text)
    except ValueError as error:
        read.problems.add(f"The period of a source cannot be read: {error}.", f"{where} period = {text!r}", fix)
        return _UNREAD
    return None if period == own else period


def check_period_sources(
    sources: Sequence[SourceSpec], metrics: Sequence[str], own: Period | None, problems: Problems
) -> None:
    """Note what is wrong with sources of other months, each alone and beside all others."""
    others = [source for source in sources if source.period not in (None, _UNREAD)]
    for source in others:
        _check_alone(source, problems)
    pairs: dict[tuple[tuple[str, Period], tuple[str, Period]], list[str]] = {}
    for metric in metrics if others else ():
        held = [
            (source.id, source.period)
            for source in sources
            if source.period != _UNREAD and f"{metric}.numerator" in _holds(source)
        ]
        known = [(name, period or own) for name, period in held]
        for one, other in combinations([(name, period) for name, period in known if period], 2):
            if not (_known_elsewhere(one, other, own) or _goes_with(one[1], other[1])):
                pairs.setdefault((one, other), []).append(f"'{metric}'")
    for (one, other), names in pairs.items():
        _note_pair(one, other, listing(names), problems)


def _holds(source: SourceSpec) -> Sequence[str]:
    return held_by(source.id) if source.is_publication else list(source.columns)


def _check_alone(source: SourceSpec, problems: Problems) -> None:
    assert source.period is not None
    where = f"[[source]] {source.id}"
    if source.is_publication:
        fix = "Take period = out: the months of a publication are those that its files hold."
        problems.add("A publication is read for the study's own months.", where, fix)
        return
    counted = list(dict.fromkeys(name for key in source.columns if (name := metric_of(key))))
    if not counted:
        fix = (
            'Add lines such as "same_day_share.numerator" = "heading" under [source.columns]; or take period = out, if '
            "the file says what practices are like and counts nothing."
        )
        problems.add(f"The source is of {source.period.label} and holds no counts.", where, fix)
    for metric in counted:
        needed = PARTS if catalogue.metric(metric).kind == "proportion" else PARTS[:1]
        for part in needed:
            if f"{metric}.{part}" not in source.columns:
                fix = f'Add "{metric}.{part}" = "heading", or a list of headings to be summed; or take the metric out.'
                problems.add(
                    f"No column is said to hold the {part} of '{metric}'.", f"[source.columns] {source.id}", fix
                )
    more = [key for key in source.columns if key not in _BESIDE and not metric_of(key)]
    if more:
        fix = "Take these lines out, or move them to a source of the study's own period."
        said = f"Of a source of other months ({source.period.label}) only counts are used, and not {listing(more, 6)}."
        problems.add(said, f"[source.columns] {source.id}", fix)


def _known_elsewhere(one: tuple[str, Period], other: tuple[str, Period], own: Period | None) -> bool:
    """Return whether two sources are both of the study's own period, which is looked at with all that they hold."""
    return one[1] == own and other[1] == own


def _goes_with(one: Period, other: Period) -> bool:
    """Return whether two periods have no month in common, or one lies within the other."""
    if one == other:
        return False
    apart = max(one.start, other.start) > min(one.end, other.end)
    return apart or _within(one, other) or _within(other, one)


def _within(inner: Period, outer: Period) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _note_pair(one: tuple[str, Period], other: tuple[str, Period], names: str, problems: Problems) -> None:
    (first, a), (second, b) = one, other
    where = f"[[source]] {second}"
    if a == b:
        problems.add(
            f"{names} of {a.label} would be taken from two sources, {first} and {second}.",
            where,
            "Take it from one file only.",
        )
    else:
        problems.add(
            f"{names} would be taken of {a.label} ({first}) and of {b.label} ({second}), which overlap.",
            where,
            "Give periods that have no month in common, or of which one lies within the other.",
        )
