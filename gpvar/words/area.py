"""The sentences about an area: how many stand out, by which rule, and what moved when patients were allowed for."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from gpvar.words import figures, phrases
from gpvar.words.boxes import FLAGGED
from gpvar.words.phrases import ENGLAND, Names
from gpvar.words.text import escape_markdown, is_are, known, number, plural, some


def counts(frame: pd.DataFrame, whole: int | None = None, before: pd.DataFrame | None = None) -> dict[str, int]:
    """Return how many practices are at each position and movement.

    Parameters
    ----------
    frame
        One row per practice at one rung and comparator.
    whole
        Practices of the area, with those that have no row; the rows when None.
    before
        The same practices at M0: ``lost`` counts those that stood out there and cannot be judged here.

    Returns
    -------
    dict
        Codes → counts; ``n`` is the practices that can be judged, ``undecided`` the others, ``whole`` both;
        ``higher`` and ``lower`` are those of the ``flagged`` on each side.
    """
    positions = frame["position"].value_counts()
    moves = frame["movement"].value_counts()
    found = {code: int(positions.get(code, 0)) for code in phrases.POSITION}
    found |= {code: int(moves.get(code, 0)) for code in phrases.MOVEMENT}
    found["flagged"] = sum(found[code] for code in FLAGGED)
    leans = [figures.lean(row) for row in frame[frame["position"].isin(FLAGGED)].to_dict("records")]
    found |= {"higher": sum(lean > 0 for lean in leans), "lower": sum(lean < 0 for lean in leans)}
    found["whole"] = len(frame) if whole is None else whole
    found["n"] = len(frame) - found["not_decidable"]
    found["undecided"] = found["whole"] - found["n"]
    found["lost"] = 0
    if before is not None:
        judged = set(frame.loc[frame["position"] != "not_decidable", "practice_code"])
        stood_out = before.loc[before["position"].isin(FLAGGED), "practice_code"]
        found["lost"] = int((~stood_out.isin(judged)).sum())
    return found


def undecided(found: dict[str, int]) -> str:
    """Return for how many practices the data cannot answer; nothing when they answer for all."""
    if not found["undecided"]:
        return ""
    return (
        f"For {number(found['undecided'])} of {plural(found['whole'], 'practice')} the data cannot answer. "
        "That counts neither for nor against them."
    )


def lead(
    card: Any,
    name: str,
    raw: dict[str, int],
    judged: dict[str, int],
    *,
    rung: str = "M1",
    why_not: str = "",
    names: Names = ENGLAND,
    failed: int | None = None,
) -> str:
    """Return the area's first sentences: how many practices stand out, before and after.

    Parameters
    ----------
    raw, judged
        `counts` at M0 and at the headline rung, both against the reference set.
    rung
        The headline rung; M0 when nothing could be allowed for.
    why_not
        Why nothing could be allowed for, a sentence.
    failed
        How many of those that stand out failed a check of the data; None where that is not told.
    """
    if not judged["n"]:
        head = "**The data cannot answer this for any practice of the area.** That is no sign that all is well."
        if raw["n"] and rung != "M0":
            head += f" {_raw_lead(card, name, raw, names)}, but none of them can be compared like with like."
        return head
    verb = "stands" if judged["flagged"] == 1 else "stand"
    many = f"**{plural(judged['flagged'], 'practice')} of {number(judged['n'])} {verb} out ({_sides(judged)}).**"
    all_clear = (
        "**No practice stands out.**" if not judged["undecided"] else "**No practice that can be judged stands out.**"
    )
    after = (
        f", and {some(judged['flagged'])} after allowing for patients ({names.label(rung, 'england')})"
        if rung != "M0"
        else ""
    )
    parts = [
        many if judged["flagged"] else all_clear,
        f"{_raw_lead(card, name, raw, names)}{after}.",
        _far(judged),
        _checked(judged["flagged"], failed),
        why_not if rung == "M0" else "",
        undecided(judged),
        "Standing out is a reason to look. It is not a finding about care.",
    ]
    return " ".join(part for part in parts if part)


def _sides(found: dict[str, int]) -> str:
    if found["flagged"] == 1:
        return "higher" if found["higher"] else "lower"
    return f"{some(found['higher'])} higher, {some(found['lower'])} lower"


def _raw_lead(card: Any, name: str, raw: dict[str, int], names: Names) -> str:
    return (
        f"On the {card.short}, {plural(raw['flagged'], 'practice')} in {escape_markdown(name)} "
        f"{is_are(raw['flagged'])} outside the usual range on the raw figures ({names.label('M0', 'england')})"
    )


def _far(judged: dict[str, int]) -> str:
    if not judged["flagged"]:
        return ""
    if not judged["far_outside"]:
        return "It is not far outside it." if judged["flagged"] == 1 else "Not one of them is far outside it."
    if judged["flagged"] == 1:
        return "It is far outside it."
    return f"{plural(judged['far_outside'], 'of them is', 'of them are')} far outside it."


def _checked(flagged: int, failed: int | None) -> str:
    """Return how many of those that stand out failed a check of the data."""
    if not flagged or failed is None:
        return ""
    if not failed:
        who = "It did not fail a check" if flagged == 1 else "Not one of them failed a check"
        return f"{who} of the data, of those that could be made."
    who = "It" if flagged == 1 else f"{number(failed)} of them"
    return f"{who} failed a check of the data: ask about that first."


def moved(judged: dict[str, int], raw: dict[str, int], where: str) -> str:
    """Return what allowing for patients did, whichever way it went.

    Parameters
    ----------
    judged, raw
        `counts` at the adjusted rung (made with the raw rung as ``before``) and at M0.
    where
        "In Somewhere", Markdown.
    """
    if not judged["n"]:
        return f"{where}, no practice can be compared like with like, so none can be said to have moved."
    if raw["flagged"] == 0:
        return f"{where}, no practice was outside the usual range to begin with. {_newly(judged)}"
    start = f"{where}, {plural(raw['flagged'], 'practice')} {_was(raw['flagged'])} outside the usual range on the raw"
    compared = raw["flagged"] - judged["lost"]
    lost = _lost(judged["lost"], raw["flagged"])
    if not compared:
        return f"{start} figures. {lost} {_newly(judged)}"
    return " ".join(part for part in (f"{start} figures.", lost, _change(judged, compared), _newly(judged)) if part)


def _lost(lost: int, flagged: int) -> str:
    if not lost:
        return ""
    who = "It" if lost == flagged == 1 else "None of them" if lost == flagged else f"{number(lost)} of them"
    can = "can" if who == "None of them" else "cannot"
    return f"{who} {can} be compared like with like, which says nothing either way."


def _change(judged: dict[str, int], compared: int) -> str:
    """Return what became of the practices that stood out and could be compared."""
    explained, partly, other = judged["explained"], judged["partly_explained"], judged["reversed"]
    rest = " of the others" if judged["lost"] else " of them"
    turned = f" {number(other)} {is_are(other)} on the other side of the usual range." if other else ""
    if explained == 0 and partly == 0:
        return (
            f"Allowing for patients brings none{rest} into line: "
            f"the differences in patients that were measured do not account for it.{turned}"
        )
    of = f" of the other {number(compared)}" if judged["lost"] else ""
    return (
        f"After allowing for patients, {some(explained)}{of} {is_are(explained or 1)} in line with "
        f"{'its' if explained < 2 else 'their'} patients and {some(partly)} {is_are(partly or 1)} partly so.{turned}"
    )


def _newly(judged: dict[str, int]) -> str:
    said = (
        f"{number(judged['revealed'])} {_only(judged['revealed'])} after a like-for-like comparison."
        if judged["revealed"]
        else "No other practice comes to light after a like-for-like comparison."
    )
    if judged["borderline"]:
        crossed = _crossed(judged["borderline"])
        said += f" {number(judged['borderline'])} {crossed} the edge by little, which says nothing either way."
    return said


def _only(many: int) -> str:
    return "only shows" if many == 1 else "only show"


def _crossed(many: int) -> str:
    return "crosses" if many == 1 else "cross"


def _was(many: int) -> str:
    return "was" if many == 1 else "were"


def spread(card: Any, spreads: dict[tuple[str, str], dict[str, Any]], names: Names = ENGLAND) -> str:
    """Return the middle 95 % of practices before and, where patients were allowed for, after."""
    before, after = spreads.get(("M0", "england")), spreads.get(("M1", "england"))
    if not before:
        return ""
    raw = (
        f"The middle 95% of practices in {names.reference} run from "
        f"{figures.span(card, before['middle_lower'], before['middle_upper'])} on the raw "
        f"figures ({names.label('M0', 'england')})"
    )
    common = "Common is not the same as acceptable."
    if not after:
        return f"{raw}. {common}"
    return (
        f"{raw}, and from {figures.span(card, after['middle_lower'], after['middle_upper'])} for a "
        f"typical mix of patients ({names.label('M1', 'england')}).{_narrower(before, after)} {common}"
    )


def _narrower(before: dict[str, Any], after: dict[str, Any]) -> str:
    wide, narrow = (row["middle_upper"] - row["middle_lower"] for row in (before, after))
    change = 1 - narrow / wide if wide else float("nan")
    if not known(change):
        return ""
    if change < 0.005:
        return " Allowing for patients does not narrow it."
    return f" Allowing for patients narrows it by {figures.share(change, 'its width')}."


def calibration(card: Any, frame: pd.DataFrame, centre: float, names: Names = ENGLAND) -> str:
    """Return how well the comparison made on the reference set fits the area.

    Parameters
    ----------
    card
        The metric card.
    frame
        The table of calibration.
    centre
        The middle of the reference set, at which the mean distance is told in the metric's unit.
    names
        What the reference set is called.
    """
    row = frame[frame["rung"] == "M1"]
    if row.empty:
        return ""
    found = row.iloc[0]
    if not known(found["mean_residual"]):
        return ""
    level = _shift(card, found["mean_residual"], centre)
    said = (
        f"Practices of this area are on average {level} the comparison made on {names.reference} puts practices with "
        f"patients like theirs (M1). {_slope(found, names)}"
    )
    return said.strip()


def _shift(card: Any, residual: float, centre: float) -> str:
    """Return the mean distance in points or per cent, told for a practice in the middle."""
    if figures.is_share(card):
        odds = math.exp(residual) * centre / (1 - centre)
        moved = odds / (1 + odds) - centre
        size = "" if figures.is_nil(card, moved) else figures.gap(card, moved)
    else:
        size = "" if round(100 * math.expm1(residual)) == 0 else f"{number(abs(100 * math.expm1(residual)))}%"
    return f"about {size} {figures.side(residual)} than where" if size else "about where"


def _slope(found: Any, names: Names) -> str:
    low, high = found["slope_lower"], found["slope_upper"]
    if not (known(low) and known(high)):
        return ""
    bracket = (
        f"(Slope {number(found['slope'], 2)}, 95% interval {number(low, 2)} to {number(high, 2)}; 1 is a perfect fit.)"
    )
    nor = ", nor do they show that they count at all here" if low <= 0 <= high else ""
    if low <= 1 <= high:
        return (
            "The data do not show that differences in patients count for more or less here than they do in "
            f"{names.reference}{nor}. {bracket}"
        )
    none = " The data do not show that they count at all here." if nor else ""
    return (
        f"Differences in patients seem to count {'less' if high < 1 else 'more'} here than they do in "
        f"{names.reference}, so the comparison is rougher for this area.{none} {bracket}"
    )


def icb_right(
    card: Any,
    judged: dict[str, int],
    reference: float,
    area: float,
    more_than: str = "sampling alone",
    *,
    rung: str = "M1",
    names: Names = ENGLAND,
) -> list[str]:
    """Return what must be conceded about an area; `more_than` says beyond what chance practices differ, if they do."""
    items = []
    if known(reference) and known(area):
        gap = area - reference
        word = "the same as" if figures.is_nil(card, gap) else f"{figures.side(gap)} than"
        beside = "" if names.set == "icb" else f", {word} {names.reference}'s {figures.amount(card, reference)}"
        items.append(f"The area's figure is right as arithmetic: {figures.amount(card, area)}{beside}.")
    if judged["flagged"]:
        after = "after allowing for patients" if rung != "M0" else "on the raw figures"
        items.append(
            f"{plural(judged['flagged'], 'practice')} {is_are(judged['flagged'])} outside the usual range "
            f"{after} ({_sides(judged)}). Asking about {'it' if judged['flagged'] == 1 else 'them'} is fair."
        )
    if judged["undecided"]:
        items.append("Nothing here shows that the ICB is wrong about the practices for which the data cannot answer.")
    if more_than:
        chance = "the chance of sampling" if more_than == "sampling alone" else more_than
        items.append(
            f"Practices differ by more than {chance} would give. Something more than that is at work, "
            "and these figures cannot say what."
        )
    items.append("A difference that many practices share may still matter to patients.")
    return items
