"""What is counted in every world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.calibration import alarms, claims, coverage, noise, odds, plants, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gpvar.calibration.tally import Tally
    from gpvar.calibration.trial import Trial

MEASURES: dict[str, Callable[[Trial], Iterable[Tally]]] = {
    "alarms": alarms.measure,
    "noise": noise.measure,
    "plants": plants.measure,
    "coverage": coverage.measure,
    "odds": odds.measure,
    "claims": claims.measure,
    "stopped": stopped.measure,
}
