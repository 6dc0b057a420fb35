"""The sentences about where the variation between practices comes from."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from gpvar.words import figures
from gpvar.words.phrases import ENGLAND, RUNG_LABEL, Names
from gpvar.words.text import escape_markdown, known, listed, number, plural

Row = dict[str, Any]
#: What each part of the variation is, for a table and a picture; then what it does, for a sentence.
PART = {
    "need": "Patients",
    "context": "Setting",
    "neighbours": "Shared with neighbours",
    "practice": "Practices themselves",
    "passing": "Passing movement",
    "noise": "Chance",
}
_GOES = {
    "need": "goes with their patients",
    "context": "with their setting",
    "neighbours": "is shared by neighbours",
    "practice": "lies between practices in the same place that are alike in what was measured",
    "passing": "is practices' own figures moving from month to month",
    "noise": "is the chance of sampling",
}
_MEDIAN_OF_TWO = math.sqrt(2) * 0.6744897501960817
_NO_DIFFERENCE = 0.05


def percent(share: float) -> str:
    """Return a share as a number of hundredths: whole from 10, with one decimal below, never a false nought."""
    if not known(share):
        return "not known"
    if 0 < share < 0.0005:
        return "less than 0.1"
    return number(100 * share, 0 if round(100 * share, 1) >= 10 else 1)


def interval(row: Row) -> str:
    """Return the interval of a share: "95% interval 22 to 26"; nothing where it has none."""
    if not (known(row["lower"]) and known(row["upper"])):
        return ""
    said = ends(row)
    return f"95% interval {said}" if " to " in said else ""


def ends(row: Row) -> str:
    """Return both ends of the interval of a share; one figure where they are shown alike."""
    low, high = percent(row["lower"]), percent(row["upper"])
    return f"{low} to {high}" if low != high else low


def parts(shares: pd.DataFrame) -> dict[str, Row]:
    """Return the parts of the variation by name, in the order they are told."""
    found = {row["component"]: row for row in shares.to_dict("records")}
    return {name: found[name] for name in PART if name in found}


def shares(card: Any, found: dict[str, Row], names: Names = ENGLAND) -> str:
    """Return the whole in one sentence: which part goes with what, each with its interval."""
    said = [f"**{percent(row['share'])}%** {_GOES[name]}{_bracket(name, row)}" for name, row in found.items()]
    figure = f"the {card.short}" if figures.is_share(card) else card.short
    return f"Of the variation in {figure} between practices in {names.reference}, {listed(said)}."


def _bracket(name: str, row: Row) -> str:
    said = interval(row) if name != "noise" else ""
    return f" ({said})" if said else ""


def lead(found: dict[str, Row]) -> str:
    """Return the first sentence: what the largest part is."""
    name, row = max(found.items(), key=lambda item: item[1]["share"])
    much = _how_much(row["share"])
    return {
        "need": f"{much} of the variation goes with who the patients are.",
        "context": f"{much} of the variation goes with the setting practices work in.",
        "neighbours": f"{much} of the variation is shared by neighbours: it is about places as much as practices.",
        "practice": f"{much} of the variation lies between practices in the same place that are alike in what was "
        "measured.",
        "passing": f"{much} of the variation is practices' own figures moving from month to month.",
        "noise": f"{much} of the variation is the chance of sampling.",
    }[name]


def _how_much(share: float) -> str:
    if share >= 0.9:
        return "Nearly all"
    if share >= 0.55:
        return "Most"
    return "About half" if share >= 0.45 else "The largest part"


def not_split(n: int, rungs: pd.DataFrame, nothing_allowed: str) -> str:
    """Return why there are no shares: too few practices, or nothing was allowed for."""
    if len(rungs):
        return f"The variation cannot be divided into shares. {nothing_allowed}"
    return (
        f"The variation cannot be divided: {plural(n, 'practice')} can be compared, and below 200 the shares would "
        "say little."
    )


def not_found(why: str) -> str:
    """Return that the model behind the shares has no solution, and why."""
    return (
        "The variation could not be divided: the model that does it found no solution. "
        f"({escape_markdown(why)}) What is said about practices rests on a simpler regression, which allows for the "
        "same characteristics and takes no account of who are neighbours."
    )


def split(levels: pd.DataFrame, rung: str) -> str:
    """Return how what neighbours share divides into whole ICBs and networks; nothing where both are not known."""
    by = {row["level"]: row["variance"] for row in levels[levels["rung"] == rung].to_dict("records")}
    whole = by.get("icb", 0.0) + by.get("pcn", 0.0)
    if not {"icb", "pcn"} <= set(by) or not whole > 0:
        return ""
    parts = f"{percent(by['icb'] / whole)}% lies between ICBs and {percent(by['pcn'] / whole)}% between networks"
    return f" Of it, {parts} in the same ICB ({RUNG_LABEL[rung]})."


def meaning(found: dict[str, Row], places: list[str], between: str = "") -> list[str]:
    """Return what the shares mean and what they do not, each part in turn and both ways.

    Parameters
    ----------
    found
        The parts by name.
    places
        What neighbours are neighbours in.
    between
        How what they share divides, from `split`.
    """
    items = []
    if "need" in found:
        items.append(
            "**Patients** are what was measured of them. What goes with patients is expected, which is not the same "
            "as acceptable: if poorer patients get less everywhere, that goes with patients too."
        )
    if "neighbours" in found:
        items.append(
            f"**Shared with neighbours** is what practices in the same {listed(places, 'or')} have in common. It "
            "can point to what is decided, paid for or recorded in a place, or to what its practices do alike, and it "
            f"may be patients' needs that nobody measured.{between}"
        )
    moves = "" if "passing" in found else ", some passing movement"
    items.append(
        "**Practices themselves** is what is left between practices in the same place that are alike in what was "
        "measured. Some of it may be how a practice works, some how it records, some need that was not "
        f"measured{moves}. Unexplained is not the same as unwarranted, and not the same as warranted."
    )
    if "passing" in found:
        items.append(
            "**Passing movement** is a practice's own figure moving from month to month, as far as it does not even "
            "out over the period. It says nothing lasting about the practice. **Chance** is the chance of sampling "
            "alone."
        )
    else:
        items.append(
            "**Chance** is the chance of sampling alone. Passing movement from month to month is not in it: it is "
            "counted with the practices themselves, or with their neighbours."
        )
    items.append("The shares describe all practices together. They say nothing about any one practice or area.")
    return items


def icb_right(found: dict[str, Row], spread: Row | None) -> list[str]:
    """Return what must be conceded, from the shares."""
    items = []
    noise, own, need = (found.get(name, {}).get("share", math.nan) for name in ("noise", "practice", "need"))
    if known(noise) and noise < 0.5:
        items.append(f"Practices really differ: the chance of sampling is {percent(noise)}% of the variation.")
    if known(own) and own >= 0.25:
        items.append(
            f"{percent(own)}% of the variation lies between practices in the same place that are alike in what was "
            "measured. Asking what lies behind it is fair."
        )
    if known(need) and need < 0.1:
        items.append(
            f"The patients' characteristics that were measured account for little of the variation: {percent(need)}% "
            "of it. “Our patients are different” answers little of it, on these figures."
        )
    if not found and spread is not None and spread["scv_p"] < _NO_DIFFERENCE:
        items.append("Practices differ by more than the chance of sampling would give.")
    return items or ["Nothing here shows that differences between practices do not matter to patients."]


LEVEL = {"icb": "ICBs", "pcn": "networks", "practice": "practices"}


def within(levels: list[str]) -> dict[str, str]:
    """Return each level's name: between what, and in the same what."""
    found = {}
    for name, above in zip(levels, ["", *levels], strict=False):
        same = {"icb": " in the same ICB", "pcn": " in the same network"}.get(above, "")
        found[name] = f"{LEVEL[name]}{same}"
    return found


def ratio(sd: float) -> float:
    """Return the median ratio of odds or rates of two units, larger over smaller."""
    return math.exp(_MEDIAN_OF_TWO * sd)


def pair(card: Any, centre: float, factor: float) -> str:
    """Return two figures that far apart about a middle one: "38.9% against 44.1% of appointments"."""
    if not figures.is_share(card):
        low, high = centre / math.sqrt(factor), centre * math.sqrt(factor)
        return f"{figures.shown(card, low)} against {figures.shown(card, high)} {card.unit}"
    odds = centre / (1 - centre)
    low, high = (odds * f / (1 + odds * f) for f in (factor**-0.5, factor**0.5))
    return f"{figures.shown(card, low)}% against {figures.shown(card, high)}% of {card.noun_denominator}"


def apart(card: Any, levels: pd.DataFrame, rung: str, centre: float) -> list[str]:
    """Return how far apart units of each level are at a rung, in the metric's own unit, and what changed."""
    rows = levels[levels["rung"] == rung].to_dict("records")
    called = within([row["level"] for row in rows])
    return [f"{_apart(card, row, called[row['level']], centre)}{_changed(row, rung)}" for row in rows]


def _apart(card: Any, row: Row, who: str, centre: float) -> str:
    if row["sd"] == 0:
        far = pair(card, centre, ratio(row["upper"]))
        return f"Between {who} no spread was found; the interval reaches up to {far}, so some is not ruled out."
    said = f"Two {who}: {pair(card, centre, row['median_ratio'])}"
    return f"{said}. The interval reaches 0: no spread is not ruled out." if row["lower"] == 0 else f"{said}."


def _changed(row: Row, rung: str) -> str:
    """Return by how much a level's variance is smaller than on the raw figures; larger is said so."""
    if rung == "M0" or not known(row["change"]):
        return ""
    if round(100 * row["change"]) == 0:
        return " The variance is about the same as on the raw figures."
    side = "smaller" if row["change"] > 0 else "larger"
    return f" The variance is {number(100 * abs(row['change']))}% {side} than on the raw figures."


def spread(card: Any, before: Row, after: Row | None, names: Names = ENGLAND, moving: bool = False) -> str:
    """Return the middle 95 %, the tenth and ninetieth percentile, before and after, and with chance taken off.

    Chance is that of sampling, and passing movement where it is known (`moving`).
    """
    chance = "the chance of sampling and passing movement" if moving else "the chance of sampling"
    said = [
        f"The middle 95% of practices in {names.reference} run from "
        f"{figures.span(card, before['middle_lower'], before['middle_upper'])} on the raw figures (M0)"
        + (_and_after(card, after, "middle_lower", "middle_upper") if after else "")
        + ".",
        f"One practice in ten is below {end(card, before['p10'])} and one in ten above "
        f"{figures.amount(card, before['p90'])}, the higher {number(before['p90'] / before['p10'], 1)} times the lower"
        + (f"; after allowing for patients the two are {_tenths(card, after, 'p10', 'p90')}" if after else "")
        + ".",
    ]
    last = after or before
    said.append(
        f"With {chance} taken off, as well as a model can, these two figures would be "
        f"{_tenths(card, last, 'shrunken_p10', 'shrunken_p90')}: {_by_chance(card, last)}."
    )
    return " ".join(said)


def end(card: Any, value: float) -> str:
    """Return a figure that needs no unit but its percent sign."""
    return f"{figures.shown(card, value)}{'%' if figures.is_share(card) else ''}"


def _and_after(card: Any, row: Row, low: str, high: str) -> str:
    return (
        f", and from {figures.span(card, row[low], row[high])} for a typical mix of patients "
        f"({RUNG_LABEL[row['rung']]})"
    )


def _tenths(card: Any, row: Row, low: str, high: str) -> str:
    return f"{end(card, row[low])} and {end(card, row[high])}"


def _by_chance(card: Any, row: Row) -> str:
    wide, narrow = row["p90"] - row["p10"], row["shrunken_p90"] - row["shrunken_p10"]
    if not wide > 0:
        return "there is no spread to take it from"
    if narrow > 0.95 * wide:
        return "chance is not what puts them apart"
    return f"chance makes up {percent(1 - narrow / wide)}% of the distance between them"


def moves(row: Row | None) -> str:
    """Return how many practices change places when patients are allowed for."""
    if row is None:
        return ""
    return (
        f"Allowing for patients moves {number(row['movers'])} of {plural(row['n'], 'practice')} by ten places in a "
        f"hundred or more, and turns round the order of {percent(row['reranked'])}% of all pairs of practices. "
        "A practice's place therefore depends on what is allowed for."
        if row["movers"]
        else f"Allowing for patients moves none of {plural(row['n'], 'practice')} by ten places in a hundred or more."
    )
