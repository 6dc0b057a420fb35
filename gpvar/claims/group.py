"""Whether a group chosen for being far out changed more than such a group does by itself, and than England."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar.analysis.expected import inverse_link
from gpvar.claims import change, twice
from gpvar.claims.area import area_of
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.rungs import MOSTLY
from gpvar.stats.change import GroupChange, Movement, expected_next, extreme, group_change, parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_TENTH = 0.1
_MEASURED = (
    "group", "followed", "ties", "group_before", "group_after", "group_change", "england_change", "england_before",
    "england_after", "given_back", "expected_change", "left", "left_lower", "left_upper", "correlation", "panel",
    "pool", "elsewhere", "elsewhere_change", "change_lower", "change_upper",
)  # fmt: skip
_ROUNDING = 1e-9


def worst_improved(seen: Evidence) -> Tested:
    """Return which conditions hold of "the worst improved".

    The direction is that of the improvement: the group is those at the other end in the first period.
    """
    both = twice.periods_of(seen)
    numbers = twice.numbers_of(both, seen) | dict.fromkeys(_MEASURED, float("nan"))
    between = twice.crossing(seen, both)
    numbers["breaks"] = [item.id for item in between]
    if not _countable(seen):
        return Tested(frozenset(["no_counts"]), numbers)
    codes = _pool(seen)
    # An area's practices come nearer to the middle of their own ICB, not to England's.
    beside_whom = "own_icb" if codes is not None else "england"
    held = both.earlier is not None and not both.missing
    panel = twice.panel_of(seen, both.earlier, beside_whom) if held and both.earlier else None
    if between and not (panel and twice.controllable(between) and twice.has_control(seen, panel)):
        return Tested(frozenset(["crosses_break"]), numbers)
    first = None if panel is None else _first(panel, codes)
    if panel is None or first is None or first.empty or not seen.sign:
        return Tested(frozenset(["no_second_period" if seen.sign else "no_direction"]), numbers)
    side = "high" if seen.sign < 0 else "low"
    chosen, ties = extreme(first.to_numpy(), side, count=_count(seen, len(first)))
    inside = np.isin(panel.codes, first.index[chosen].to_numpy(str))
    if not inside.any():
        return Tested(frozenset(["no_second_period"]), numbers)
    found = _changed(seen, both, panel, inside, int(chosen.sum()), ties)
    numbers |= _numbers(found, panel, len(first)) | _elsewhere(panel, inside, codes, side)
    beside = [*change.said_beside(seen, both, panel), *(["break_controlled"] if between else [])]
    beside += ["figure_differs"] if _differs(seen, found) else []
    beside += area_of(seen)[1] if codes is not None else []
    return Tested(frozenset(_holding(found, seen.sign, panel.known)), numbers, tuple(beside))


def _pool(seen: Evidence) -> tuple[str, ...] | None:
    """Return among whom the group was chosen: the area's practices, or None for all that are compared."""
    claim, area = seen.claim, area_of(seen)[0]
    everyone = claim.comparator == "england" and (claim.of is None or claim.of > len(area))
    return None if everyone or not area else area


def _first(panel: twice.Panel, codes: tuple[str, ...] | None) -> pd.Series:
    """Return the first figures of those among whom the group was chosen, with a second figure or without."""
    return panel.first if codes is None else panel.first[panel.first.index.isin(codes)]


def _count(seen: Evidence, known: int) -> int:
    """Return how many the group is of: the number or the share that the letter gives, else a tenth."""
    claim = seen.claim
    if claim.place is not None:
        return min(max(claim.place, 1), known)
    share = claim.threshold.number / 100.0 if claim.threshold is not None else _TENTH
    return min(max(int(np.ceil(round(share * known, 9))), 1), known)


def _countable(seen: Evidence) -> bool:
    """Say whether the letter's number or share of practices is one that a group can have."""
    claim = seen.claim
    if claim.place is not None:
        return claim.place > 0 and (claim.of is None or claim.place <= claim.of)
    return claim.threshold is None or 0.0 < claim.threshold.number < 100.0


def _changed(
    seen: Evidence, both: twice.Periods, panel: twice.Panel, inside: np.ndarray, units: int, ties: int
) -> GroupChange:
    """Return the group's change, and what is left of it."""
    before, after, expected = panel.before.only(inside), panel.after.only(inside), panel.expected[inside]
    shift, error = panel.common

    def ahead(between: float, moving: Movement, common: float) -> np.ndarray:
        return expected_next(before, expected, between, moving, common)

    foreseen = ahead(panel.between, panel.moving, shift)
    doubt = float(np.mean(ahead(panel.between, panel.moving, shift + error) - foreseen)) ** 2
    assert both.earlier is not None and both.before is not None
    spread = panel.between + panel.moving.before
    drawn = twice.movements_drawn(both.earlier.analysis, both.before, both.after, seen.run.study.seed)
    if drawn:
        # More passing movement is less that lasts: together they are the spread that is seen.
        means = [float(ahead(max(0.0, spread - moving.before), moving, shift).mean()) for moving in drawn]
        doubt += float(np.var(means))
    found = group_change(
        before.value,
        after.value,
        before.value + inverse_link(before.link + shift, before.kind) - inverse_link(before.link, before.kind),
        foreseen,
        units=units,
        ties=ties,
        correlation=float(np.corrcoef(panel.before.link[panel.sound], panel.after.link[panel.sound])[0, 1]),
        doubt=doubt,
    )
    if found.followed > 1:
        return found
    alone = parts(before, after, expected, panel.between, panel.moving, panel.common)
    ends = {
        f"{name}_{end}": float(getattr(getattr(alone, name), end)[0])
        for name in ("left", "change")
        for end in ("lower", "upper")
    }
    return replace(found, **ends)


def _numbers(found: GroupChange, panel: twice.Panel, pool: int) -> dict[str, Any]:
    england = dict(zip(("england_before", "england_after"), panel.totals(), strict=True))
    return england | {
        "group": found.units,
        "followed": found.followed,
        "ties": found.ties,
        "group_before": found.before,
        "group_after": found.after,
        "group_change": found.change,
        "change_lower": found.change_lower,
        "change_upper": found.change_upper,
        "england_change": found.common,
        "given_back": found.given_back,
        "expected_change": found.expected,
        "left": found.left,
        "left_lower": found.left_lower,
        "left_upper": found.left_upper,
        "correlation": found.correlation,
        "panel": int(panel.sound.sum()),
        "pool": pool,
    }


def _elsewhere(panel: twice.Panel, inside: np.ndarray, codes: tuple[str, ...] | None, side: str) -> dict[str, Any]:
    """Return how practices outside the area changed that were as far out in the first period."""
    if codes is None:
        return {"elsewhere": 0, "elsewhere_change": float("nan")}
    first, last = panel.before.value, panel.after.value
    as_far = first <= first[inside].max() if side == "low" else first >= first[inside].min()
    others = as_far & panel.sound & ~np.isin(panel.codes, list(codes))
    mean = float(np.mean(last[others] - first[others])) if others.any() else float("nan")
    return {"elsewhere": int(others.sum()), "elsewhere_change": mean}


def _differs(seen: Evidence, found: GroupChange) -> bool:
    """Say whether the letter's figure is another than the group's change, whichever sign it is written with."""
    figure = seen.claim.figure
    if figure is None:
        return False
    apart = abs(abs(seen.in_raw_unit(figure)) - seen.sign * found.change)
    return apart > seen.half_digit(figure) + _ROUNDING


def _holding(found: GroupChange, sign: int, known: bool) -> Iterable[str]:
    if max(sign * found.change_lower, sign * found.change_upper) < 0.0:
        yield "group_not_improved"
    if sign * found.change > 0.0 and found.expected / found.change >= MOSTLY:
        yield "group_mostly_foreseen"
    if not known:
        yield "movement_unknown"
    elif min(sign * found.left_lower, sign * found.left_upper) > 0.0:
        yield "group_beyond"
