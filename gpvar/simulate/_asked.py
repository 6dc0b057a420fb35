"""What is asked of a world, checked before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real

from gpvar.errors import StudyError
from gpvar.simulate import _artefacts
from gpvar.simulate._declared import METRICS
from gpvar.simulate._scene import Artefact
from gpvar.simulate._world import Scales

_FEWEST, _MOST = (300, 4), (6500, 42)
_LEAST_DF = 3
_SCALES = ("need_scale", "place_scale", "spread_scale", "movement")


@dataclass(frozen=True, slots=True)
class Plant:
    """Practices whose own part is set apart from what it would be.

    Attributes
    ----------
    size
        How far, in shared SDs: the root of the sum of the squares of the SDs of board, network and practice.
    direction
        ``"high"`` or ``"low"``.
    practices
        A share of all (below 1), a number, or their codes. Chosen at random, no practice by two plants, unless codes
        are given.
    metric
        Of which; empty for the world's own.
    on_top
        True: added to what was drawn for the practice. False: what is left of it beside its need is exactly `size`.
    """

    size: float = 3.0
    direction: str = "high"
    practices: float | Sequence[str] = 0.01
    metric: str = ""
    on_top: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of `gpvar.simulate.world`."""

    seed: int
    practices: int
    icbs: int
    metric: str
    need: str
    need_scale: float
    place_scale: float
    spread: str | int
    spread_scale: float
    months: int
    month_correlation: float
    movement: float
    events: float
    plant: tuple[Plant, ...]
    artefacts: tuple[Artefact, ...]
    templates: tuple[str, ...]
    shown: bool

    @property
    def scales(self) -> Scales:
        """How much of what England has."""
        return Scales(self.need_scale, self.place_scale, self.spread_scale, self.spread)

    def check(self) -> None:
        """Refuse what cannot be drawn."""
        self._kinds()
        if not (_FEWEST[0] <= self.practices <= _MOST[0] and _FEWEST[1] <= self.icbs <= _MOST[1]):
            raise StudyError(
                "A simulated England of that size cannot be made.",
                f"practices={self.practices}, icbs={self.icbs}",
                f"Ask for {_FEWEST[0]:,} to {_MOST[0]:,} practices in {_FEWEST[1]} to {_MOST[1]} boards.",
            )
        self._one_of("metric", self.metric, tuple(METRICS))
        self._one_of("need", self.need, ("patients", "declared"))
        self._one_of("months", self.months, (0, 12))
        if not (self.spread in ("measured", "normal") or (type(self.spread) is int and self.spread >= _LEAST_DF)):
            fix = f'Ask for "measured", "normal", or the degrees of freedom of a t, {_LEAST_DF} or more.'
            raise StudyError("Practices cannot be spread like that.", f"spread={self.spread!r}", fix)
        self._sizes()
        for item in self.plant:
            _check_plant(item)
            self._one_of("direction of a plant", item.direction, ("high", "low"))
            self._one_of("metric of a plant", item.metric or self.metric, tuple(METRICS))
        for artefact in self.artefacts:
            _artefacts.check(artefact, self.months)

    def _kinds(self) -> None:
        """Refuse what is no number where one is asked for, and no plant where plants are."""
        for name in ("seed", "practices", "icbs", "months"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
                fix = "Ask for a whole number, 0 or more."
                raise StudyError(f"'{name}' must be a whole number.", f"{name}={value!r}", fix)
        for name in (*_SCALES, "events", "month_correlation"):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool):
                raise StudyError(f"'{name}' must be a number.", f"{name}={value!r}", "Ask for a number, such as 0.5.")
        for name, kind in (("plant", Plant), ("artefacts", Artefact)):
            wrong = [item for item in getattr(self, name) if not isinstance(item, kind)]
            if wrong:
                fix = f"Write {name}=[gpvar.simulate.{kind.__name__}(…)]."
                raise StudyError(f"'{name}' must be a list of {kind.__name__}.", f"{wrong[0]!r}", fix)

    def _sizes(self) -> None:
        for name in _SCALES:
            if not 0 <= getattr(self, name) < float("inf"):
                raise StudyError(f"'{name}' must be nought or more.", f"{name}={getattr(self, name)}", "Ask for 1.0.")
        if not 0 < self.events < float("inf"):
            raise StudyError("'events' must be above nought.", f"events={self.events}", "Ask for 1.0.")
        if not 0 <= self.month_correlation < 1:
            fix = "Ask for a correlation from 0 up to, not including, 1."
            raise StudyError("Months cannot go together like that.", f"month_correlation={self.month_correlation}", fix)

    @staticmethod
    def _one_of(what: str, value: object, known: tuple[object, ...]) -> None:
        if value not in known:
            fix = f"Ask for one of: {', '.join(map(repr, known))}."
            raise StudyError(f"There is no such {what} of a world.", f"{value!r}", fix)


def _check_plant(item: Plant) -> None:
    """Refuse a plant of no size, of part of a practice, or of a practice twice."""
    if not (isinstance(item.size, Real) and isfinite(item.size) and item.size >= 0):
        fix = "Ask for a size of 0 or more; the direction says which way."
        raise StudyError("A plant cannot have that size.", f"size={item.size!r}", fix)
    if isinstance(item.practices, Real):
        if isinstance(item.practices, bool) or (item.practices >= 1 and item.practices != int(item.practices)):
            fix = "Ask for a share below 1, a whole number, or codes."
            raise StudyError("A plant cannot have part of a practice.", f"practices={item.practices!r}", fix)
    elif len(set(item.practices)) < len(item.practices):
        twice = next(code for code in item.practices if list(item.practices).count(code) > 1)
        raise StudyError("A plant names a practice twice.", str(twice), "Name each once.")
