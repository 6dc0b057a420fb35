"""Whether a practice changed: more than chance, than England, and than such a figure does by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scipy import stats as distributions

from gpvar.analysis.position import USUAL
from gpvar.claims import twice
from gpvar.claims.always import margin_of
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.rungs import MOSTLY
from gpvar.stats.change import Parts, parts

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROUNDING = 1e-9
#: Numbers that there are only where both periods are held.
_MEASURED = (
    "change", "change_lower", "change_upper", "before", "after", "england_change", "england_before", "england_after",
    "excess", "excess_lower", "excess_upper", "given_back", "left", "left_lower", "left_upper", "kept", "panel",
    "could_have_been_missed", "shared_part", "foreseen_part", "by_chance",
)  # fmt: skip


def change(seen: Evidence) -> Tested:
    """Return which conditions hold of "it fell" or "it rose"."""
    return _tested(seen, _changed)


def no_improvement(seen: Evidence) -> Tested:
    """Return which conditions hold of "it has not improved"; the direction is that of an improvement."""
    return _tested(seen, _not_improved)


def _tested(seen: Evidence, judged: Any) -> Tested:
    both = twice.periods_of(seen)
    numbers = twice.numbers_of(both, seen) | dict.fromkeys(_MEASURED, float("nan")) | {"margin": margin_of(seen)}
    between = twice.crossing(seen, both)
    numbers["breaks"] = [item.id for item in between]
    held = both.earlier is not None and not both.missing
    panel = twice.panel_of(seen, both.earlier) if held and both.earlier else None
    here = None if panel is None else panel.codes == seen.claim.practice_code
    if between and not (panel and twice.controllable(between) and twice.has_control(seen, panel)):
        return Tested(frozenset(["crosses_break"]), numbers)
    if panel is None or here is None or not here.any():
        return Tested(frozenset(["no_second_period"]), numbers)
    beside = [*said_beside(seen, both, panel), *(["break_controlled"] if between else [])]
    found = parts(
        panel.before.only(here), panel.after.only(here), panel.expected[here], panel.between, panel.moving, panel.common
    )
    numbers |= _numbers(found, panel, seen.sign)
    far = _first_figure(seen, numbers)
    if far == "far":
        numbers |= {"written": seen.in_raw_unit(seen.claim.figure_before), "value": numbers["before"]}
        return Tested(frozenset(["figure_far"]), numbers, (*beside, "first_figure_far"))
    beside += ["figure_differs"] if far == "differs" else []
    beside += ["some_change_by_chance"] if panel.known and numbers["by_chance"] >= 1.0 else []
    return Tested(frozenset(judged(numbers, seen.sign, panel.known)), numbers, tuple(beside))


def said_beside(seen: Evidence, both: twice.Periods, panel: twice.Panel) -> list[str]:
    """Return what must be said beside any comparison of two periods."""
    said = ["period_before_chosen"] if both.chosen else []
    said += [] if panel.known else ["chance_not_separated"]
    said += ["period_derived"] if both.earlier and both.earlier.derived else []
    return said + (["panel_not_england"] if seen.run.study.reference.set != "england" else [])


def _numbers(found: Parts, panel: twice.Panel, sign: int) -> dict[str, Any]:
    """Return the practice's numbers, in the measure's raw unit."""
    numbers: dict[str, Any] = {"before": found.before[0], "after": found.after[0]}
    for name in ("change", "excess", "left"):
        item = getattr(found, name)
        numbers |= {name: item.value[0], f"{name}_lower": item.lower[0], f"{name}_upper": item.upper[0]}
    numbers |= dict(zip(("england_before", "england_after"), panel.totals(), strict=True))
    numbers |= {"england_change": found.common[0], "given_back": found.given_back[0], "kept": found.kept[0]}
    numbers |= {"panel": int(panel.sound.sum())}
    _, most = _towards(numbers, "change", sign)
    numbers["could_have_been_missed"] = max(0.0, most)
    # Nothing of no change is shared; a part of it against the change is less than none.
    change = numbers["change"] or float("nan")
    numbers["shared_part"] = numbers["england_change"] / change
    # A letter names the practice that changed most: of many that did not, some seem to have.
    error = (numbers["left_upper"] - numbers["left_lower"]) / (2.0 * USUAL)
    numbers["by_chance"] = numbers["panel"] * distributions.norm.sf(sign * numbers["left"] / error) if error else 0.0
    numbers["foreseen_part"] = (numbers["england_change"] + numbers["given_back"]) / change
    return {name: float(value) if name != "panel" else value for name, value in numbers.items()}


def _first_figure(seen: Evidence, numbers: dict[str, Any]) -> str:
    """Return whether the letter's first figure is far from these data, differs, or neither."""
    figure = seen.claim.figure_before
    if figure is None:
        return ""
    apart = abs(seen.in_raw_unit(figure) - numbers["before"]) - seen.half_digit(figure) - _ROUNDING
    return "far" if apart > numbers["margin"] else "differs" if apart > 0.0 else ""


def _towards(numbers: dict[str, Any], name: str, sign: int) -> tuple[float, float]:
    """Return the ends of an interval in the direction named, the least first."""
    ends = sign * numbers[f"{name}_lower"], sign * numbers[f"{name}_upper"]
    return min(ends), max(ends)


def _changed(numbers: dict[str, Any], sign: int, known: bool) -> Iterable[str]:
    least, most = _towards(numbers, "change", sign)
    # Sampling alone can show that a change is within chance, never that it is beyond it.
    if most < 0.0 and known:
        yield "change_other_side"
    if least <= 0.0 <= most:
        yield "change_in_chance"
    if _towards(numbers, "excess", sign)[0] <= 0.0 and numbers["shared_part"] >= MOSTLY:
        yield "excess_in_chance"
    left = _towards(numbers, "left", sign)[0]
    if left <= 0.0 and numbers["foreseen_part"] >= MOSTLY:
        yield "regression_covers"
    if least > 0.0 and left > 0.0:
        yield "change_beyond"


def _not_improved(numbers: dict[str, Any], sign: int, known: bool) -> Iterable[str]:
    left = _towards(numbers, "left", sign)
    own = _towards(numbers, "change", sign)[0] > 0.0
    if left[0] > 0.0:
        yield "improved" if own else "held_while_others_fell"
    elif known and own:
        yield "improved_as_others"
    if left[1] < numbers["margin"]:
        yield "improvement_excluded"
