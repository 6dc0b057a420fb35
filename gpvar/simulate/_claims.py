"""Sentences of letters whose answers are known: about a world's practices, chosen by their published figures alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar.analysis.position import FAR, USUAL
from gpvar.errors import StudyError
from gpvar.results import Claim, Figure
from gpvar.simulate import _claims_area
from gpvar.simulate._true import RAW, Beside, beside, link_at

if TYPE_CHECKING:
    from gpvar.simulate.worlds import World

Array = np.ndarray[Any, np.dtype[Any]]

LASTING, PERIOD, NEIGHBOURS = "lasting", "period", "neighbours"
_SIDES = {-1: "low", 1: "high"}
_TOO_LOW = "appointments_per_1000"
_TENTH, _OUTER, _HALF, _MANY_REACH = 0.10, 0.25, 0.50, 0.80
#: Quantiles of the published figures at which lines are drawn, and the figures that others are said to reach.
_RED, _TARGET, _PAYMENT = (0.10, 0.25), 0.50, 0.30
#: How near to the end of a tail half of the sentences about it are, as a part of it.
_NEAR = 0.3
_REACHED = (0.50, 0.70, 0.80, 0.90, 0.97)


@dataclass(frozen=True, slots=True)
class PlantedClaim:
    """A sentence whose answer is known.

    Attributes
    ----------
    claim
        The sentence.
    truth
        Whether it is true of the figure as it stands, before anything is allowed for.
    fair
        Whether it is true beside practices with the same patients and settings too, as the sentence's test asks it
        (``decisions.toml``); never where it is false.
    slight
        Whether it is true to the letter, by less than its test calls worth a second look: then it is not borne out.
    distance
        How far what is true lies from where the answer would be another one; in terms of `of`.
    of
        What the distance is of, and so which error it is measured against: ``lasting`` or ``period`` (a practice's
        figure, link scale), ``neighbours`` (a share of those most like it, link scale), ``share`` (of the variance),
        ``sum`` (events a week).
    """

    claim: Claim
    truth: bool
    fair: bool
    distance: float
    of: str = LASTING
    slight: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """Sentences of one kind on one side: about whom, and how far from where the answer would change.

    Attributes
    ----------
    rows
        Rows of `Beside`.
    raw, fair
        By how much the sentence is true as it stands, and beside like practices; at most nought where it is false.
    slight
        Which are true by less than their test asks; their `raw` is minus their distance from either end.
    """

    rows: Array
    raw: Array
    fair: Array
    side: int
    of: str = LASTING
    more: Sequence[dict[str, Any]] = ()
    slight: Array | None = None


def claims_of(
    world: World, templates: Collection[str], compared: Collection[str] | None = None, many: int = 24
) -> tuple[PlantedClaim, ...]:
    """Return sentences about a world whose answers are known.

    Parameters
    ----------
    world
        The world; sentences are about its own metric.
    templates
        Which kinds, of `TEMPLATES`.
    compared
        The practices that a study compares; all when None.
    many
        About how many sentences of a kind are made about practices, half of them on either side.

    Returns
    -------
    tuple of PlantedClaim
        About practices that a letter would write of: chosen by their published figures, never by what is true.

    Raises
    ------
    StudyError
        When a kind has no answer that could be known.
    """
    unknown = sorted(set(templates) - set(TEMPLATES))
    if unknown:
        fix = f"Those that have one: {', '.join(TEMPLATES)}."
        raise StudyError("Such a sentence has no answer that is known in a world.", unknown[0], fix)
    those = beside(world, world.metric, compared)
    found: list[PlantedClaim] = []
    for template in templates:
        if template in _claims_area.AREA:
            said = _claims_area.AREA[template](world, those)
            found += [PlantedClaim(*item) for item in said]
        elif template != "too_low" or world.metric == _TOO_LOW:
            for item in _PRACTICES[template](those, many):
                found += _worded(template, world.metric, those, item)
    return tuple(found)


def _worded(template: str, metric: str, those: Beside, said: _Said) -> Iterable[PlantedClaim]:
    """Put sentences of one kind and side into words of a letter."""
    for number, row in enumerate(said.rows):
        more = said.more[number] if said.more else {}
        code, side = str(those.codes[row]), said.side
        claim = Claim(
            f"{template} {code} {_SIDES[side]}",
            template,
            practice=code,
            practice_code=code,
            metric=metric,
            direction=_SIDES[side],
            comparator="england",
            **more,
        )
        raw, fair = float(said.raw[number]), float(said.fair[number])
        slight = said.slight is not None and bool(said.slight[number])
        far = -raw if raw <= 0.0 else min(raw, abs(fair))
        yield PlantedClaim(claim, raw > 0.0 or slight, raw > 0.0 and fair > 0.0, far, said.of, slight)


def _outer(those: Beside, side: int, share: float, many: int) -> Array:
    """Return practices evenly from the outer share of the published figures on a side."""
    return _between(those, side, 0.0, share, many)


def _between(those: Beside, side: int, first: float, last: float, many: int) -> Array:
    """Return practices evenly from one share of the published figures to another, counted from a side."""
    order = np.argsort(side * those.observed, kind="stable")[::-1]
    places = (first + (np.arange(many) + 0.5) / many * (last - first)) * len(order)
    return np.asarray(order[np.unique(places.astype(int))])


def _about(those: Beside, side: int, share: float, many: int) -> Array:
    """Return practices from twice a share, half of them from where the share ends."""
    near = _between(those, side, (1.0 - _NEAR) * share, (1.0 + _NEAR) * share, many // 2)
    return np.unique(np.concatenate([_outer(those, side, 2.0 * share, many - many // 2), near]))


def _farthest(those: Beside, side: int, share: float, many: int) -> Array:
    """Return practices from the outer share, the more of them the farther out."""
    order = np.argsort(side * those.observed, kind="stable")[::-1]
    places = np.geomspace(1, max(share * len(order), many), many).astype(int) - 1
    return np.asarray(order[np.unique(places)])


def printed(those: Beside, value: float) -> Figure:
    """Return a figure as a letter would print it: to three digits or to a whole number."""
    shown = value * float(those.card.scale)
    decimals = 1 if shown < 20.0 else 0
    return Figure(
        f"{shown:.{decimals}f}{'%' * (those.card.unit == '%')}",
        round(shown, decimals),
        decimals,
        those.card.unit == "%",
    )


# Kinds of sentence ----------------------------------------------------------------------------------------------------


def _beyond(values: Array, side: int, tail: float) -> Array:
    """Return by how much values lie in a tail: the next whole number of units makes it."""
    size = min(int(np.ceil(round(tail * len(values), 9))), len(values) - 1)
    ordered = np.sort(side * values)[::-1]
    return np.asarray(side * values - (ordered[size - 1] + ordered[size]) / 2.0)


def _ranked(those: Beside, side: int, tail: float, rows: Array, more: Sequence[dict[str, Any]]) -> _Said:
    """Return sentences about a tail: true of the lasting figure; fair if so at every rung and not in line."""
    raw = _beyond(those.lasting, side, tail)
    beside_like = [_beyond(those.left(rung), side, tail) for rung in ("M1", "M2")]
    fair = np.minimum.reduce([*beside_like, those.not_in_line(side)])
    return _Said(rows, raw[rows], fair[rows], side, LASTING, more)


def _tail(those: Beside, many: int) -> Iterator[_Said]:
    for side, share in ((-1, _TENTH), (1, 2 * _TENTH)):
        rows = _about(those, side, share, many // 2)
        line = Figure(f"{100 * share:.0f}%", 100 * share, 0, True)
        yield _ranked(those, side, share, rows, [{"threshold": line} for _ in rows])


def _league_place(those: Beside, many: int) -> Iterator[_Said]:
    size = len(those.codes)
    for side, tail in ((-1, _OUTER), (1, _OUTER), (-1, _HALF), (1, _HALF)):
        order = np.argsort(side * those.observed, kind="stable")[::-1]
        first = 0.0 if tail == _OUTER else _OUTER
        places = ((first + (np.arange(many // 4) + 0.5) / (many // 4) * _OUTER) * size).astype(int)
        rows = np.asarray(order[places])
        yield _ranked(those, side, tail, rows, [{"place": int(place) + 1, "of": size} for place in places])


def _margin(those: Beside, side: int, rows: Array) -> _Said:
    """Return sentences about a difference that ought to matter; one between none and the margin is slight."""
    gap = side * those.left(RAW)
    beyond = side * (those.lasting - those.line(RAW, side))
    slight = (gap > 0.0) & (beyond <= 0.0)
    # What is slight is so by its distance from either end.
    raw = np.where(slight, -np.minimum(gap, -beyond), np.where(beyond > 0.0, beyond, gap))
    at = [side * (those.lasting - those.line(rung, side)) for rung in ("M1", "M2")]
    fair = np.minimum.reduce([*at, those.not_in_line(side)])
    return _Said(rows, raw[rows], fair[rows], side, slight=slight[rows])


def _turned(rows: Array) -> Iterator[tuple[int, Array]]:
    """Yield which of some practices a letter puts on the side they are on, and every fourth on the other."""
    wrong = np.arange(len(rows)) % 4 == 3
    yield 1, rows[~wrong]
    yield -1, rows[wrong]


def _below_mean(those: Beside, many: int) -> Iterator[_Said]:
    for half in (-1, 1):
        for turn, rows in _turned(_outer(those, half, _HALF, many // 2)):
            yield _margin(those, turn * half, rows)


def _too_low(those: Beside, many: int) -> Iterator[_Said]:
    for share in (_HALF, 1.0):
        yield _margin(those, -1, _between(those, -1, share - _HALF, share, many // 4))


def _significant(those: Beside, many: int) -> Iterator[_Said]:
    """Yield sentences about chance: true of whoever lies on that side at all."""
    for half in (-1, 1):
        for turn, rows in _turned(_outer(those, half, _HALF, many // 2)):
            left = {rung: turn * half * those.left(rung) for rung in those.tau}
            fair = np.minimum.reduce([left["M1"], left["M2"], those.not_in_line(turn * half)])
            yield _Said(rows, left[RAW][rows], fair[rows], turn * half)


def _outlier(those: Beside, many: int) -> Iterator[_Said]:
    """Yield sentences about exceptional practices.

    Fair if far out beside like practices and outside the usual range as it stands. As it stands it is also true of
    whoever is outside the usual range by what at least half is explained of.
    """
    for side in (-1, 1):
        rows = _farthest(those, side, _TENTH, many // 2)
        left = {rung: side * those.left(rung) for rung in those.tau}
        outside = {rung: left[rung] - USUAL * those.tau[rung] for rung in left}
        fair = np.minimum.reduce([left["M1"] - FAR * those.tau["M1"], outside[RAW], outside["M2"]])
        raw = np.maximum(fair, np.minimum(outside[RAW], -those.explained(side)))
        yield _Said(rows, raw[rows], fair[rows], side)


def _crossed(those: Beside, side: int, quantile: float, rows: Array, own: bool) -> _Said:
    """Return sentences about a line: true of the year's own figure.

    A line of the board's own is no fair one where patients like England's would put the figure on its other side, and
    at least half of the distance is theirs.
    """
    figure = printed(those, those.at(quantile))
    line = link_at(figure.number / float(those.card.scale), those.card)
    raw = side * (those.period - line)
    fair = np.full(len(raw), np.inf)
    if own:
        adjusted = those.weakest(side, those.period)[0] + side * (those.expected[RAW] - line)
        fair = np.maximum(adjusted, those.explained(side, those.period))
    return _Said(rows, raw[rows], fair[rows], side, PERIOD, [{"threshold": figure} for _ in rows])


def _rag_red(those: Beside, many: int) -> Iterator[_Said]:
    for side, share in zip((-1, 1), _RED, strict=True):
        rows = _about(those, side, share, many // 2)
        yield _crossed(those, side, share if side < 0 else 1.0 - share, rows, own=True)


def _below_target(those: Beside, many: int) -> Iterator[_Said]:
    yield _crossed(those, -1, _TARGET, _outer(those, -1, 1.0, many // 2), own=True)


def _payment(those: Beside, many: int) -> Iterator[_Said]:
    yield _crossed(those, -1, _PAYMENT, _about(those, -1, _PAYMENT, many // 2), own=False)


def _exemplar(those: Beside, many: int) -> Iterator[_Said]:
    """Yield sentences about what practices like it reach: true if a fifth of lasting figures like its own would."""
    left = those.left("M2")
    for side in (-1, 1):
        rows = _outer(those, side, _OUTER, many // 2)
        edge = np.quantile(left, _MANY_REACH if side < 0 else 1.0 - _MANY_REACH)
        said, raw = [], np.empty(len(rows))
        for number, row in enumerate(rows):
            share = _REACHED[number % len(_REACHED)]
            figure = printed(those, those.at(share if side < 0 else 1.0 - share))
            line = link_at(figure.number / float(those.card.scale), those.card)
            raw[number] = -side * (those.expected["M2"][row] + edge - line)
            said.append({"threshold": figure})
        yield _Said(rows, raw, np.full(len(rows), np.inf), side, NEIGHBOURS, said)


_PRACTICES: dict[str, Callable[[Beside, int], Iterable[_Said]]] = {
    "tail": _tail,
    "below_mean": _below_mean,
    "significant": _significant,
    "outlier": _outlier,
    "rag_red": _rag_red,
    "league_place": _league_place,
    "below_target": _below_target,
    "too_low": _too_low,
    "exemplar": _exemplar,
    "payment": _payment,
}
#: Kinds of sentence that `claims_of` can make.
TEMPLATES = (*_PRACTICES, *_claims_area.AREA)
