"""The sentences about an area: how many stand out, by which rule, and what moved when patients were allowed for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpvar.words import figures, phrases
from gpvar.words.boxes import FLAGGED
from gpvar.words.text import escape_markdown, known, number, plural, some


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many rows are at each position and movement."""
    positions = frame["position"].value_counts()
    moves = frame["movement"].value_counts()
    found = {code: int(positions.get(code, 0)) for code in phrases.POSITION}
    found |= {code: int(moves.get(code, 0)) for code in phrases.MOVEMENT}
    found["flagged"] = sum(found[code] for code in FLAGGED)
    found["n"] = len(frame)
    return found


def lead(card: Any, name: str, raw: dict[str, int], judged: dict[str, int]) -> str:
    """Return the area's first sentences: how many practices stand out, before and after.

    Parameters
    ----------
    raw, judged
        `counts` at M0 and at M1, both against England.
    """
    n = judged["n"]
    verb = "stands" if judged["flagged"] == 1 else "stand"
    many = f"**{plural(judged['flagged'], 'practice')} of {number(n)} {verb} out.**"
    head = many if judged["flagged"] else "**No practice stands out.**"
    far = ""
    if judged["flagged"]:
        far = (
            plural(judged["far_outside"], "of them is", "of them are")
            if judged["far_outside"]
            else "Not one of them is"
        )
    return " ".join(
        part
        for part in (
            head,
            f"On the {card.short}, {plural(raw['flagged'], 'practice')} in {escape_markdown(name)} "
            f"{_is_are(raw['flagged'])} outside the usual range on the raw figures "
            f"({phrases.label('M0', 'england')}), and "
            f"{some(judged['flagged'])} after allowing for patients ({phrases.label('M1', 'england')}).",
            f"{far} far outside it." if far else "",
            "Standing out is a reason to look. It is not a finding about care.",
        )
        if part
    )


def _is_are(many: int) -> str:
    return "is" if many == 1 else "are"


def moved(judged: dict[str, int], raw: dict[str, int], where: str) -> str:
    """Return what allowing for patients did, whichever way it went."""
    explained, partly = judged["explained"], judged["partly_explained"]
    if raw["flagged"] == 0:
        return f"{where}, no practice was outside the usual range to begin with."
    who = plural(raw["flagged"], "practice")
    tail = (
        f"{number(judged['revealed'])} {_only(judged['revealed'])} after a like-for-like comparison."
        if judged["revealed"]
        else "No other practice comes to light after a like-for-like comparison."
    )
    if judged["borderline"]:
        crossed = _crossed(judged["borderline"])
        tail += f" {number(judged['borderline'])} {crossed} the edge by little, which says nothing either way."
    if explained == 0 and partly == 0:
        return (
            f"{where}, {who} {_was(raw['flagged'])} outside the usual range on the raw figures. Allowing for "
            "patients brings none of them into line: "
            f"the differences in patients that were measured do not account for it. {tail}"
        )
    return (
        f"{where}, {who} {_was(raw['flagged'])} outside the usual range on the raw figures. After allowing for "
        f"patients, {some(explained)} {_is_are(explained or 1)} in line with "
        f"{'its' if explained < 2 else 'their'} patients and {some(partly)} {_is_are(partly or 1)} partly so. {tail}"
    )


def _only(many: int) -> str:
    return "only shows" if many == 1 else "only show"


def _crossed(many: int) -> str:
    return "crosses" if many == 1 else "cross"


def _was(many: int) -> str:
    return "was" if many == 1 else "were"


def methods(frame: pd.DataFrame, n: int) -> str:
    """Return how many each method would flag at 95 %, and why they differ."""
    found = {(r["method"], r["rung"]): r["flagged_low_95"] + r["flagged_high_95"] for r in frame.to_dict("records")}
    plain_limits = found.get(("none", "M0"))
    robust = found.get(("consistent", "M0"))
    if plain_limits is None or robust is None:
        return ""
    after = found.get(("consistent", "M1"), found.get(("consistent_M1", "M1")))
    tail = f" After allowing for patients the same method marks {number(after)}." if after is not None else ""
    return (
        f"Of the {plural(n, 'practice')} in the fit, plain 95% limits would mark {number(plain_limits)}. They "
        "allow only for the chance of sampling. "
        "With tens of thousands of events in each practice that chance is close to nothing, so almost everyone "
        "is marked. "
        f"Limits that also allow for the ordinary spread between practices mark {number(robust)}.{tail} "
        "The methods differ in how much of that spread they count as ordinary; those that cut it short mark more."
    )


def expected_flags(n: int, flagged: int) -> str:
    """Return how many marks there would be with nobody exceptional."""
    return (
        "With nobody exceptional, about 1 practice in 20 still lies outside 95% limits: about "
        f"{number(0.05 * n)} of {number(n)} here. "
        f"There {'is' if flagged == 1 else 'are'} {number(flagged)} ({phrases.label('M1', 'england')})."
    )


def spread(card: Any, spreads: dict[tuple[str, str], dict[str, Any]]) -> str:
    """Return the middle 95 % of practices before and after allowing for patients."""
    before, after = spreads.get(("M0", "england")), spreads.get(("M1", "england"))
    if not before or not after:
        return ""
    narrower = 1 - after["tau"] / before["tau"] if before["tau"] else float("nan")
    if not known(narrower):
        change = ""
    elif narrower < 0.005:
        change = " Allowing for patients does not narrow it."
    else:
        change = f" Allowing for patients narrows it by {figures.share(narrower, 'its width')}."
    return (
        "The middle 95% of practices in England run from "
        f"{figures.span(card, before['middle_lower'], before['middle_upper'])} on the raw "
        f"figures ({phrases.label('M0', 'england')}), and from "
        f"{figures.span(card, after['middle_lower'], after['middle_upper'])} for a "
        f"typical mix of patients ({phrases.label('M1', 'england')}).{change} Common is not the same as acceptable."
    )


def calibration(frame: pd.DataFrame) -> str:
    """Return how well the comparison made on England fits the area, per rung in words."""
    row = frame[frame["rung"] == "M1"]
    if row.empty:
        return ""
    found = row.iloc[0]
    if not known(found["mean_residual"]):
        return ""
    shift, low, high = found["mean_residual"], found["slope_lower"], found["slope_upper"]
    level = "about where" if abs(shift) < 0.05 else "higher than where" if shift > 0 else "lower than where"
    parts = [
        f"Practices of this area are on average {level} the England comparison puts practices with patients "
        "like theirs (M1)."
    ]
    if known(low) and known(high):
        fits = low <= 1 <= high
        parts.append(
            "Differences in patients seem to count here about as much as they do in England."
            if fits
            else "Differences in patients seem to count "
            + ("less" if high < 1 else "more")
            + " here than they do in England, so the comparison is rougher for this area."
        )
        parts.append(
            f"(Slope {number(found['slope'], 2)}, 95% interval {number(low, 2)} to {number(high, 2)}; 1 is a "
            "perfect fit.)"
        )
    return " ".join(parts)


def icb_right(
    card: Any, judged: dict[str, int], england: float, area: float, more_than_chance: bool = True
) -> list[str]:
    """Return what must be conceded about an area."""
    items = []
    if known(england) and known(area):
        gap = area - england
        word = "the same as" if figures.is_nil(card, gap) else f"{figures.side(gap)} than"
        items.append(
            f"The area's figure is right as arithmetic: {figures.amount(card, area)}, {word} England's "
            f"{figures.amount(card, england)}."
        )
    if judged["flagged"]:
        items.append(
            f"{plural(judged['flagged'], 'practice')} {_is_are(judged['flagged'])} outside the usual range "
            "after allowing for patients. "
            "Asking about them is fair."
        )
    if more_than_chance:
        items.append(
            "Practices differ by more than the chance of sampling can give. The variation is real, whatever its causes."
        )
    items.append("A difference that many practices share may still matter to patients.")
    return items
