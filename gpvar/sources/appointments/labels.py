"""Refuse appointments under labels that are not known, where a figure would be wrong without them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import numpy as np

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.problems import Problems, count, listing
from gpvar.sources._publications import in_words
from gpvar.sources.appointments.months import Version
from gpvar.sources.appointments.rows import COLUMNS
from gpvar.sources.appointments.tally import MonthCounts, wanted

_CATEGORY = COLUMNS["national_category"]


def note_unknown(used: Mapping[str, Version], problems: Problems) -> None:
    """Note labels that are not known and stand at so many appointments that a figure would be wrong.

    Parameters
    ----------
    used
        Month → what is used of it.
    problems
        What is wrong is noted here.
    """
    found: dict[str, dict[str, int]] = {}
    months: dict[str, list[str]] = {}
    versions: dict[str, list[str]] = {}
    for month, version in sorted(used.items()):
        for column, labels in _refused(version.counts):
            months.setdefault(column, []).append(in_words(month))
            versions.setdefault(column, []).append(version.label)
            held = found.setdefault(column, {})
            for label, number in labels.items():
                held[label] = held.get(label, 0) + number
    for column, held in found.items():
        labels = dict(sorted(held.items(), key=lambda pair: -pair[1]))
        named = listing((f"'{label}' ({count(number, 'appointment')})" for label, number in labels.items()), 6)
        one = len(labels) == 1
        problems.add(
            f"The column {column} holds {'a label' if one else 'labels'} that gpvar does not know: {named}. "
            f"Figures that go by the labels of this column would leave {'it' if one else 'them'} out.",
            f"{listing(dict.fromkeys(versions[column]), 3)}; {listing(months[column], 4)}",
            _fix(column, next(iter(labels))),
        )


def _refused(counts: MonthCounts) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield each column that a figure goes by and whose unknown labels make too much of a month."""
    limits = facts.unknown_labels()
    for column, held in counts.strange.items():
        labels = held
        if column not in _selected():
            continue
        if column in limits["may_grow"] and not _lacks_a_counted_label(column, counts):
            labels = {label: number for label, number in held.items() if _like(label, _selected()[column])}
        if sum(labels.values()) > limits["share_above"] * counts.total:
            yield column, labels


@cache
def _selected() -> dict[str, frozenset[str]]:
    """Return column → labels by which a figure or a check selects."""
    found: dict[str, frozenset[str]] = {}
    for rows in wanted().values():
        for item in rows:
            found[item.column] = found.get(item.column, frozenset()) | frozenset(item.labels)
    return found


def _lacks_a_counted_label(column: str, counts: MonthCounts) -> bool:
    """Return whether a category that a metric counts is not in a month at all: it may have been given another name."""
    if column != _CATEGORY:
        return False
    named = counts.values.shape[1] - len(counts.categories)
    sums = counts.values[:, named:].sum(axis=0)
    here = {name for name, total in zip(counts.categories, np.asarray(sums).tolist(), strict=True) if total}
    rows = [item for card in catalogue.metrics().values() for own in card.appointments.values() for item in own]
    return any(not set(item.labels) <= here for item in rows if item.column == column)


def _like(label: str, known: Iterable[str]) -> str:
    """Return the known label that one is most like, or nothing."""
    plain = {facts.plain(name): name for name in sorted(known)}
    best = difflib.get_close_matches(facts.plain(label), plain, n=1, cutoff=facts.unknown_labels()["alike_from"])
    return plain[best[0]] if best else ""


def _fix(column: str, label: str) -> str:
    known = facts.labels()[column]
    written = "" if label == "(blank)" else label
    nearest = _like(label, known)
    # A label that is like none could be any of them: to name one would be to guess.
    said = (
        f"The nearest label that it knows is '{nearest}'. If that is what is meant"
        if nearest
        else f"It is like none of those that it knows: {listing(known, len(known))}. If it is one of them"
    )
    return (
        f'{said}, write "{written}" = "{nearest or "..."}" under [also.{column}] in gpvar/catalogue/appointments.toml; '
        "if it is a new label, add it there under [labels]. Then run the same command again, and tell the makers of "
        "gpvar, so that nobody else need do it."
    )
