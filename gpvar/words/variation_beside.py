"""The sentences beside the shares: deprivation, this area among ICBs, and how far the model can be trusted."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from gpvar.words import figures, variation
from gpvar.words.phrases import RUNG_LABEL
from gpvar.words.text import known, number, plural

Row = dict[str, Any]
EXPLAINED_APART = 0.25
_NO_DIFFERENCE, _HINT = 0.05, 0.1
#: Below this number of ICBs nothing is said of thirds.
FEWEST = 12
#: The smallest p that the simulations behind the SCV can give.
_LEAST_P = 0.005


def _gap(card: Any, difference: float) -> str:
    if figures.is_nil(card, difference):
        return "about the same"
    return f"{figures.gap(card, difference)} {figures.side(difference)}"


def equity(card: Any, table: pd.DataFrame, rung: str, with_deprivation: bool) -> list[str]:
    """Return the figure by fifth of deprivation before and after, what adjusting does to each end, and the caution."""
    if table.empty:
        return []
    by = {name: rows.set_index("fifth") for name, rows in table.groupby("rung", sort=False)}
    raw = by["M0"]
    most, least = raw.loc[5, "value"], raw.loc[1, "value"]
    said = [
        f"On the raw figures (M0), practices in the most deprived fifth show {figures.amount(card, most)} on average, "
        f"those in the least deprived fifth {figures.amount(card, least)}. From the least to the most deprived "
        f"practice the figure is {_slope(card, raw.iloc[0])}."
    ]

    def show(value: float) -> str:
        return variation.end(card, value)

    after = by.get(rung) if rung != "M0" else None
    if after is None:
        return said
    said.append(
        f"After allowing for patients ({RUNG_LABEL[rung]}) it is {_slope(card, after.iloc[0])}. The average of the "
        f"most deprived fifth goes from {show(most)} to {show(after.loc[5, 'value'])}, that of the least deprived "
        f"from {show(least)} to {show(after.loc[1, 'value'])}."
    )
    if with_deprivation:
        said.append(
            "Deprivation is among what was allowed for, so a small difference afterwards is what the method does; it "
            "is not a finding that patients are served alike. Allowing for deprivation can hide what deprivation "
            "does. The raw figures stand beside it for that reason."
        )
    else:
        said.append("Deprivation is not among what was allowed for.")
    return said


def _slope(card: Any, row: Any) -> str:
    low, high = sorted((row["slope_lower"], row["slope_upper"]))
    ends = f"95% interval {_end(card, low)} to {_end(card, high)}"
    if low <= 0 <= high:
        return f"{_gap(card, row['slope'])} ({ends}: no difference is not ruled out)"
    return f"{_gap(card, row['slope'])} ({ends})"


def _end(card: Any, value: float) -> str:
    if figures.is_nil(card, value):
        return "none"
    return f"{figures.gap(card, value).split(' ')[0]} {figures.side(value)}"


def boards(card: Any, frame: pd.DataFrame, code: str, whole: bool, rung: str, centre: float) -> str:
    """Return where this area's own ICB stands by how far apart its practices are, no other ICB named."""
    mine = frame[frame["icb_code"] == code]
    if mine.empty:
        return ""
    own = mine.iloc[0]
    after = f", after allowing for patients ({RUNG_LABEL[rung]})" if rung != "M0" else " on the raw figures (M0)"
    who = "this ICB" if whole else "the ICB this area lies in"
    here = variation.pair(card, centre, variation.ratio(own["shrunken_sd"]))
    middle = variation.pair(card, centre, variation.ratio(float(frame["shrunken_sd"].median())))
    return (
        f"Two practices of {who} typically stand as far apart as {here}{after}; in the ICB in the middle, as {middle}. "
        f"{_third(frame['shrunken_sd'], own['shrunken_sd'])}It rests on {plural(own['n'], 'practice')}; the spread of "
        "a small ICB is drawn towards the others' because little can be said from few practices. More spread is "
        "neither good nor bad in itself: practices may be far apart because some do very well."
    )


def _third(every: pd.Series, own: float) -> str:
    """Return in which third of the ICBs one is; nothing of so few that a third would be a rank."""
    if len(every) < FEWEST:
        return ""
    closer = int((every < own).sum()) / len(every)
    where = "closest together" if closer < 1 / 3 else "furthest apart" if closer >= 2 / 3 else ""
    said = f"the third of the {number(len(every))} ICBs whose practices are {where}"
    said = said if where else f"the middle third of the {number(len(every))} ICBs"
    return f"It is in {said}; ICBs near one another in that order cannot be told apart. "


def mundlak(slopes: pd.DataFrame) -> str:
    """Return whether an ICB's mix of patients adds something beyond the practice's own."""
    if slopes.empty:
        return "Whether an ICB's mix of patients adds something beyond the practice's own could not be checked."
    p = float(slopes["p_all"].iloc[0])
    if p < _NO_DIFFERENCE:
        return (
            f"An ICB's mix of patients adds something beyond the practice's own ({chance_of(p)}). Part of what is "
            "counted with patients may therefore belong to the place they live in: the border between those two "
            "shares is soft. The comparison credits patients mostly with what goes with them among neighbours, which "
            "can be unfair to practices in places whose patients differ as a whole."
        )
    weight = "There is a hint, not established," if p < _HINT else "It is not established"
    return (
        f"{weight} that an ICB's mix of patients adds something beyond the practice's own ({chance_of(p)}). It is "
        "counted with patients, not with places."
    )


def chance_of(p: float, least: float = 0.0) -> str:
    """Return a probability with what it is the probability of; `least` is the smallest that could be found."""
    shown = "less than 0.001" if p < 0.001 else number(p, 3 if p < 0.1 else 2)
    shown = f"at most {number(least, 3)}" if p <= least else shown
    return f"p {shown}: how often chance alone would show as much"


def beside_funnel(row: Row) -> str:
    """Return the model's spread beside the funnel's, and why they differ where they do by more than a quarter."""
    if not known(row["variance_ratio"]):
        return "The funnel found no shared spread, so the model's cannot be put beside it."
    more = row["variance_ratio"] - 1
    start = (
        f"The model's variance between practices ({number(row['model_variance'], 3)} on the scale of logarithms) is "
        f"{_ratio(more)} the one the funnel judges by ({number(row['tau2'], 3)})"
    )
    if abs(more) <= EXPLAINED_APART:
        return f"{start}: the two agree well enough (within 25% of each other)."
    if more > 0:
        return (
            f"{start}. Outlying practices count in full in the model and less in the funnel, so that a few of them do "
            "not widen the limits that everybody is judged by; and the two allow for patients by fits of their own."
        )
    return (
        f"{start}. The funnel is wider than the model would make it, and so marks fewer practices: read marks near the "
        "limits with that in mind."
    )


def _ratio(more: float) -> str:
    if round(100 * more) == 0:
        return "the same as"
    return f"{number(100 * abs(more))}% {'larger' if more > 0 else 'smaller'} than"


def systematic(row: Row) -> str:
    """Return the systematic component of variation, glossed."""
    if not known(row["scv"]):
        return ""
    if row["scv"] <= 0:
        return "The systematic component of variation (SCV) is nil: counts scatter no more than chance would have it."
    by_chance = chance_of(row["scv_p"], _LEAST_P)
    return (
        f"The systematic component of variation (SCV) is {number(row['scv'], 3)} ({by_chance}): taking chance off, "
        f"counts scatter about what is expected by about {number(100 * math.sqrt(row['scv']))}% of it."
    )


def noise(card: Any, row: Row, centre: float) -> str:
    """Return how far chance alone moves the figure of a small and of a large practice."""
    if not known(row["noise_small"]):
        return ""
    small, large = (_reach(card, centre, row[name]) for name in ("noise_small", "noise_large"))
    return (
        f"Chance of sampling alone moves the figure of a small practice by up to about {small} either way 95 times "
        f"in 100, that of a large one by {large} (one practice in twenty is smaller, one in twenty larger)."
    )


def _reach(card: Any, centre: float, variance: float) -> str:
    slope = centre * (1 - centre) if figures.is_share(card) else centre
    distance = 1.96 * math.sqrt(variance) * slope
    return figures.gap(card, distance) if not figures.is_nil(card, distance) else _less_than(card)


def _less_than(card: Any) -> str:
    return "less than 0.1 percentage points" if figures.is_share(card) else f"less than 0.1 {card.unit}"
