"""Whether what a letter counts is right as arithmetic: its own figure, the place it names, the range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.claims import always

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpvar.claims.evidence import Evidence

RIGHT, WRONG, NOT_CHECKED = "right", "wrong", "not_checked"
#: Ranges that "several-fold" can mean: of all practices, of those behind no check that stops, of the middle 80 %.
_RANGES = ("fold_now", "fold_sound", "fold_middle")
#: Other sets of practices than those that are compared here: a place among them cannot be counted.
_ELSEWHERE = ("pcn", "sub_icb", "region", "similar")


def of(seen: Evidence, numbers: Mapping[str, Any]) -> str:
    """Return whether all that the letter counts is what these data give: right, wrong, or not_checked.

    Parameters
    ----------
    seen
        The evidence.
    numbers
        Those of the finding.
    """
    said = [
        answer
        for answer in (always.figure_right(seen), place(seen, numbers), fold(seen, numbers))
        if answer is not None
    ]
    return NOT_CHECKED if not said else RIGHT if all(said) else WRONG


def place(seen: Evidence, numbers: Mapping[str, Any]) -> bool | None:
    """Return whether the published figure is in the part, or in the place, that the letter names; None where unknown.

    A place is looked up only where the letter counts as many practices as are compared here.
    """
    inside = numbers.get("in_tail")
    if seen.template.test != "rank" or inside is None or inside != inside:
        return None
    if seen.claim.comparator in _ELSEWHERE or seen.comparator != _asked(seen):
        return None
    if seen.claim.place is None:
        return bool(inside)
    if "place" not in numbers or seen.claim.of != numbers["ranked"]:
        return None
    return bool(numbers["from_side"] <= numbers["place"] < numbers["from_side"] + numbers["tied"])


def _asked(seen: Evidence) -> str:
    return "own_icb" if seen.claim.comparator == "icb" else "england"


def fold(seen: Evidence, numbers: Mapping[str, Any]) -> bool | None:
    """Return whether a several-fold range is one that these data give, to the digits printed; None where unknown."""
    figure = seen.claim.figure
    found = [numbers[name] for name in _RANGES if numbers.get(name) is not None and numbers[name] == numbers[name]]
    if seen.template.test != "fold" or figure is None or not found:
        return None
    return min(abs(figure.number - value) for value in found) <= 0.5 * 10.0**-figure.decimals + 1e-9
