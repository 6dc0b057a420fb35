"""Numbers in a metric's own unit. A percentage is never written without saying of what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gpvar.words.text import count, known, lower_first, number


def is_share(card: Any) -> bool:
    """Return whether the metric is a share of something (a percentage)."""
    return card.kind == "proportion"


def decimals(card: Any, value: float) -> int:
    """Return how many decimals the metric is shown with: three figures that mean something, no more."""
    if is_share(card):
        return 1
    return 0 if not known(value) or abs(value * card.scale) >= 100 else 1


def shown(card: Any, value: float) -> str:
    """Return a value as a bare number on the metric's displayed scale."""
    return number(value * card.scale, decimals(card, value)) if known(value) else "not known"


def share(value: float, of: str, places: int = 0) -> str:
    """Return a fraction as "12% of practices"."""
    return f"{number(100 * value, places)}% of {of}" if known(value) else "not known"


def amount(card: Any, value: float) -> str:
    """Return a value with its unit: "31.2% of appointments", "412 appointments per 1,000 patients a month"."""
    if not known(value):
        return "a figure that is not known"
    if is_share(card):
        return f"{shown(card, value)}% of {card.noun_denominator}"
    return f"{shown(card, value)} {card.unit}"


def about(value: float) -> str:
    """Return a size to two figures that mean something: 61,234 as "about 61,000"."""
    digits = 1 - math.floor(math.log10(abs(value))) if value else 0
    return f"about {number(round(value, digits))}"


def span(card: Any, lower: float, upper: float) -> str:
    """Return a range in the metric's unit."""
    if not (known(lower) and known(upper)):
        return "a range that is not known"
    places = max(decimals(card, lower), decimals(card, upper)) if is_share(card) else decimals(card, upper)
    low, high = number(lower * card.scale, places), number(upper * card.scale, places)
    return f"{low}% to {high}% of {card.noun_denominator}" if is_share(card) else f"{low} to {high} {card.unit}"


def is_hidden(row: Mapping[str, Any]) -> bool:
    """Return whether a count was hidden by its supplier, so that only its two ends are known."""
    return "observed_low" in row and known(row["observed_low"]) and not known(row.get("observed"))


def ends(row: Mapping[str, Any]) -> tuple[float, float]:
    """Return the least and the most that a hidden figure can be, in the metric's raw unit; NaN when not known."""
    low, high, base = row.get("observed_low"), row.get("observed_high"), row.get("denominator")
    if not (known(low) and known(high) and known(base)) or not low < high or base <= 0:  # type: ignore[operator]
        return float("nan"), float("nan")
    return float(low) / float(base), float(high) / float(base)  # type: ignore[arg-type]


def lean(row: Mapping[str, Any]) -> float:
    """Return on which side of the expected a figure lies: its difference, or that of a hidden figure's middle."""
    if known(row.get("difference")):
        return float(row["difference"])
    low, high = ends(row)
    return (low + high) / 2 - float(row["centre"])


def between(card: Any, low: float, high: float) -> str:
    """Return the figures that a hidden count allows: "between 0.0% and 0.9% of appointments"."""
    places = decimals(card, high)
    first, last = number(low * card.scale, places), number(high * card.scale, places)
    unit = f"% of {card.noun_denominator}" if is_share(card) else f" {card.unit}"
    if first == last:
        least = number(10.0**-places, places)
        return f"about {first}{unit}" if float(high) * card.scale >= 10.0**-places else f"less than {least}{unit}"
    return f"between {first}{'%' if is_share(card) else ''} and {last}{unit}"


def _places(card: Any, value: float) -> int:
    return 1 if is_share(card) or abs(value * card.scale) < 10 else 0


def is_nil(card: Any, difference: float) -> bool:
    """Return whether a difference rounds to nothing at the precision shown."""
    return round(abs(difference) * card.scale, _places(card, difference)) == 0


def gap(card: Any, difference: float) -> str:
    """Return the size of a difference with its unit, without its sign."""
    size = number(abs(difference) * card.scale, _places(card, difference))
    if is_share(card):
        return f"{size} percentage {'point' if size == '1.0' else 'points'}"
    return f"{size} {card.unit}"


def apart(card: Any, row: Mapping[str, Any]) -> float:
    """Return the difference of a figure from the expected as both are shown, so that what is printed subtracts."""
    value, centre = row.get("value"), row.get("centre")
    if not (known(value) and known(centre)):
        return float(row["difference"])
    first, second = (round(float(x) * card.scale, decimals(card, float(x))) for x in (value, centre))  # type: ignore[arg-type]
    return (first - second) / float(card.scale)


def side(difference: float) -> str:
    """Return "lower" or "higher": never "worse" or "better"."""
    return "lower" if difference < 0 else "higher"


def interval(card: Any, lower: float, upper: float, of: str = "sampling alone") -> str:
    """Return the 95 % interval of a difference in words: "95% interval for sampling alone: 3.1 to 4.0"."""
    if not (known(lower) and known(upper)):
        return ""
    low, high = sorted((lower, upper))
    places = _places(card, max(abs(low), abs(high)))
    small, large = sorted((abs(low), abs(high)))
    a, b = number(small * card.scale, places), number(large * card.scale, places)
    if low < 0 < high:
        first, second = number(-low * card.scale, places), number(high * card.scale, places)
        return f"95% interval for {of}: {first} lower to {second} higher"
    return f"95% interval for {of}: {f'{a} to {b}' if a != b else a}"


def per_hundred(percentile: float) -> str:
    """Return "34 in 100", never "0 in 100" or "100 in 100"."""
    if not known(percentile):
        return "an unknown number"
    whole = round(percentile)
    return "fewer than 1 in 100" if whole < 1 else "more than 99 in 100" if whole > 99 else f"{whole} in 100"


def weekly_gap(card: Any, per_week: float) -> str:
    """Return the gap as events a week: "about 45 fewer each week (appointments held on the day …)"."""
    if not known(per_week):
        return ""
    size = count(per_week)
    if size == "less than 1":
        return f"less than 1 a week ({lower_first(card.noun_numerator)})"
    return f"about {size} {'fewer' if per_week < 0 else 'more'} each week ({lower_first(card.noun_numerator)})"


def margin(card: Any) -> str:
    """Return the card's margin: the smallest gap it treats as worth a second look."""
    size = number(card.margin, 0 if float(card.margin).is_integer() else 1)
    if is_share(card):
        return f"{size} percentage {'point' if size == '1' else 'points'}"
    return f"{size}% of the expected rate"
