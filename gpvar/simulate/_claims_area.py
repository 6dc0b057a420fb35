"""Sentences about a whole area, and about how many indicators of a practice are red, whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from gpvar.analysis.expected import inverse_link, sampling_variance
from gpvar.results import Claim, Figure
from gpvar.simulate._world import AREA as BOARD
from gpvar.study import Period

if TYPE_CHECKING:
    from gpvar.simulate._true import Beside
    from gpvar.simulate.worlds import World

Array = np.ndarray[Any, np.dtype[Any]]
#: What becomes a `PlantedClaim`: claim, truth, fair, distance, of.
Answer = tuple[Claim, bool, bool, float, str]

_YEAR = Period("2025-04", "2026-03")
_HALF, _FIFTH = 0.5, 0.2
#: The gain is written as the published figures give it, and as more or less of it.
_WRITTEN = (0.5, 0.8, 1.0, 1.3, 2.0)
#: Indicators: how many, how many sentences of each number, the share of practices that is red on one, how indicators
#: go together, and how many SDs a practice that differs on all of them is from the others.
_INDICATORS, _EACH, _RED, _TOGETHER, _DIFFERS = (10, 33), 4, 0.10, 0.2, 3.0


def _area(world: World, those: Beside) -> Array:
    boards = world.practices.set_index("practice_code")["icb_code"].reindex(those.codes)
    return np.asarray(boards == BOARD)


def fold(world: World, those: Beside) -> Iterator[Answer]:
    """Yield the sentence on several-fold variation: fair if at least half of it is of practices and places."""
    here = those.observed[_area(world, those)]
    here = here[here > 0.0]
    times = np.floor(10.0 * here.max() / here.min()) / 10.0
    spreads = world.spreads[world.spreads["metric"] == world.metric].iloc[0]
    chance = sampling_variance(those.lasting, those.denominator, those.card.kind).mean() + spreads["period_variance"]
    need = float(np.var(those.expected["M2"]))
    own = float(np.var(those.left("M2")))
    gap = float(own / (own + need + chance)) - _HALF
    claim = Claim("fold", "fold", metric=world.metric, figure=Figure(f"{times:.1f}", float(times), 1), comparator="icb")
    yield claim, True, gap > 0.0, abs(gap), "share"


def opportunity(world: World, those: Beside) -> Iterator[Answer]:
    """Yield sentences on the gain if all reached the best fifth: true if what is written is not above what lasts."""
    here = _area(world, those)
    weekly = those.denominator[here] / _YEAR.weeks

    def gain(figures: Array) -> float:
        best = float(np.quantile(figures, 1.0 - _FIFTH))
        return float(np.maximum(best - figures[here], 0.0) @ weekly)

    true, published = gain(inverse_link(those.lasting, those.card.kind)), gain(those.observed)
    for part in _WRITTEN:
        written = round(part * published)
        claim = Claim(
            f"opportunity {part}",
            "opportunity",
            metric=world.metric,
            figure=Figure(f"{written:,}", float(written), 0),
            direction="high",
            comparator="england",
        )
        yield claim, written <= true, written <= true, abs(written - true), "sum"


def many_red(world: World, those: Beside) -> Iterator[Answer]:
    """Yield sentences on red indicators, of practices that differ on all of them and of such as differ on none.

    No world holds a board's own indicators: theirs are drawn here, and only how many are red is looked at.
    """
    rng = np.random.default_rng([world.seed, len(those.codes)])
    cut = special.ndtri(1.0 - _RED)
    for of in _INDICATORS:
        for number in range(_EACH):
            differs = bool(number % 2)
            scores = np.sqrt(_TOGETHER) * rng.standard_normal() + np.sqrt(1.0 - _TOGETHER) * rng.standard_normal(of)
            red = int((scores + _DIFFERS * differs > cut).sum())
            code = str(those.codes[number])
            claim = Claim(
                f"many_red {of} {number}",
                "many_red",
                practice=code,
                practice_code=code,
                place=red,
                of=of,
                threshold=Figure(f"{100 * _RED:.0f}%", 100 * _RED, 0, True),
            )
            yield claim, differs, differs, np.inf, "share"


#: Kinds of sentence that are about no single practice's figure.
AREA: dict[str, Callable[[World, Beside], Iterator[Answer]]] = {
    "many_red": many_red,
    "fold": fold,
    "opportunity": opportunity,
}
