"""In which ways a figure of a letter may have been counted: the measure's own card, and others that share its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from gpvar import catalogue
from gpvar.catalogue import appointments as labels
from gpvar.catalogue._cards import build
from gpvar.catalogue._files import read
from gpvar.errors import SourceError

_FILE = "countings.toml"
_KINDS = ("share", "ratio", "rate")
_URGENT = "urgent_same_day_share"


@dataclass(frozen=True, slots=True)
class Counting:
    """One way of counting a figure.

    Attributes
    ----------
    id
        A card's id where it is the card's own way.
    title
        Counts and what they are of, in words.
    stands_for
        Measures whose figure it may be.
    kind
        share, ratio or rate.
    numerator, denominator
        Counts to be added up, each as ``"measure.numerator"`` or a name of `counts`; a hyphen before one takes it off.
    """

    id: str
    title: str
    stands_for: tuple[str, ...]
    kind: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]


@cache
def counts() -> Mapping[str, tuple[str, ...]]:
    """Return name → the columns under which the same counts stand, the first to be used first."""
    return MappingProxyType({name: tuple(columns) for name, columns in read(_FILE)["counts"].items()})


@cache
def countings() -> Mapping[str, Counting]:
    """Return every way of counting by id: the cards' own first, then others, then other labels as urgent.

    Raises
    ------
    SourceError
        When an entry names a measure, a kind or a count that does not exist.
    """
    found = {card.id: _of_card(card) for card in catalogue.metrics().values()}
    for name, table in read(_FILE)["counting"].items():
        found[name] = _checked(build(Counting, {"id": name, **table}, f"{_FILE}, {name}"))
    return MappingProxyType(found | {item.id: item for item in _other_labels()})


def for_measure(metric: str) -> tuple[Counting, ...]:
    """Return the ways in which a measure's figure may have been counted, the card's own first; without one, all."""
    if not metric:
        return tuple(countings().values())
    also = read(_FILE)["also"].get(metric, ())
    own = (metric, *also)
    rest = [item for item in countings().values() if metric in item.stands_for and item.id not in own]
    return (*(countings()[name] for name in own), *rest)


def _of_card(card: catalogue.MetricCard) -> Counting:
    share = card.kind == "proportion"
    title = f"{card.noun_numerator} as a share of {card.noun_denominator}" if share else card.noun_numerator
    top, base = f"{card.id}.numerator", f"{card.id}.denominator"
    return Counting(card.id, title, (card.id,), "share" if share else "rate", (top,), (base,))


def _other_labels() -> Iterable[Counting]:
    """Yield the urgent measure with slots of other categories counted as urgent too, added up and each alone."""
    taken: list[labels.WhatIf] = []
    for item in labels.what_if():
        taken.append(item)
        if len(taken) > 1:
            yield _urgent(f"urgent_with_{item.id}", taken)
            yield _urgent(f"urgent_only_{item.id}", [item])


def _urgent(name: str, taken: Sequence[labels.WhatIf]) -> Counting:
    categories = [category for item in taken for category in item.categories]
    first, last = ", ".join(categories[:-1]), categories[-1]
    title = f"appointments held on the day they were booked as a share of those labelled {first} or {last}"
    if len(categories) == 1:
        title = f"appointments held on the day they were booked as a share of those labelled {last}"
    tops, bases = (tuple(f"what_if_{item.id}.{part}" for item in taken) for part in ("numerator", "denominator"))
    return Counting(name, title, (_URGENT,), "share", tops, bases)


def _checked(item: Counting) -> Counting:
    strangers = [name for name in item.stands_for if name not in catalogue.metrics()]
    strangers += [item.kind] if item.kind not in _KINDS else []
    for name in (*item.numerator, *item.denominator):
        plain = name.removeprefix("-")
        if plain not in counts() and plain.partition(".")[0] not in catalogue.metrics():
            strangers.append(plain)
    if strangers:
        raise SourceError(
            f"A way of counting names {strangers[0]}, which does not exist.", f"{_FILE}, {item.id}", "Correct it."
        )
    return item
