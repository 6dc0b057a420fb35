"""The sentences about an area: how many stand out, by which rule, and what moved when patients were allowed for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpvar.words import figures, phrases
from gpvar.words.boxes import FLAGGED
from gpvar.words.phrases import ENGLAND, Names
from gpvar.words.text import escape_markdown, known, listed, number, plural, some


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
        Codes → counts; ``n`` is the practices that can be judged, ``undecided`` the others, ``whole`` both.
    """
    positions = frame["position"].value_counts()
    moves = frame["movement"].value_counts()
    found = {code: int(positions.get(code, 0)) for code in phrases.POSITION}
    found |= {code: int(moves.get(code, 0)) for code in phrases.MOVEMENT}
    found["flagged"] = sum(found[code] for code in FLAGGED)
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
    """
    if not judged["n"]:
        head = "**The data cannot answer this for any practice of the area.** That is no sign that all is well."
        if raw["n"] and rung != "M0":
            head += f" {_raw_lead(card, name, raw, names)}, but none of them can be compared like with like."
        return head
    verb = "stands" if judged["flagged"] == 1 else "stand"
    many = f"**{plural(judged['flagged'], 'practice')} of {number(judged['n'])} {verb} out.**"
    all_clear = (
        "**No practice stands out.**" if not judged["undecided"] else "**No practice that can be judged stands out.**"
    )
    after = (
        f", and {some(judged['flagged'])} after allowing for patients ({names.label(rung, 'england')})."
        if rung != "M0"
        else f". {why_not}"
    )
    parts = [
        many if judged["flagged"] else all_clear,
        f"{_raw_lead(card, name, raw, names)}{after}".rstrip(),
        _far(judged),
        undecided(judged),
        "Standing out is a reason to look. It is not a finding about care.",
    ]
    return " ".join(part for part in parts if part)


def _raw_lead(card: Any, name: str, raw: dict[str, int], names: Names) -> str:
    return (
        f"On the {card.short}, {plural(raw['flagged'], 'practice')} in {escape_markdown(name)} "
        f"{_is_are(raw['flagged'])} outside the usual range on the raw figures ({names.label('M0', 'england')})"
    )


def _far(judged: dict[str, int]) -> str:
    if not judged["flagged"]:
        return ""
    if not judged["far_outside"]:
        return "It is not far outside it." if judged["flagged"] == 1 else "Not one of them is far outside it."
    if judged["flagged"] == 1:
        return "It is far outside it."
    return f"{plural(judged['far_outside'], 'of them is', 'of them are')} far outside it."


def _is_are(many: int) -> str:
    return "is" if many == 1 else "are"


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
    turned = f" {number(other)} {_is_are(other)} on the other side of the usual range." if other else ""
    if explained == 0 and partly == 0:
        return (
            f"Allowing for patients brings none{rest} into line: "
            f"the differences in patients that were measured do not account for it.{turned}"
        )
    of = f" of the other {number(compared)}" if judged["lost"] else ""
    return (
        f"After allowing for patients, {some(explained)}{of} {_is_are(explained or 1)} in line with "
        f"{'its' if explained < 2 else 'their'} patients and {some(partly)} {_is_are(partly or 1)} partly so.{turned}"
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


def methods(frame: pd.DataFrame, n: int, base: float = float("nan"), noun: str = "events") -> str:
    """Return how many each method would flag at 95 %, and why they differ.

    Parameters
    ----------
    frame
        The counts of the area.
    n
        Its practices in the fit.
    base, noun
        The denominator of a middling practice, and of what.
    """
    found = {(r["method"], r["rung"]): r["flagged_low_95"] + r["flagged_high_95"] for r in frame.to_dict("records")}
    plain_limits = found.get(("none", "M0"))
    robust = found.get(("consistent", "M0"))
    if plain_limits is None or robust is None or not n:
        return ""
    parts = [
        f"Of the {plural(n, 'practice')} in the fit, plain 95% limits would mark {some(plain_limits)}.",
        _plain_limits(plain_limits / n, base, noun),
        f"Limits that also allow for the ordinary spread between practices mark {some(robust)}.",
        _marked_after(frame, n),
        "The methods differ in how much of that spread they count as ordinary; those that count less of it mark more."
        if len(set(found.values())) > 1
        else "All the methods mark the same number here.",
    ]
    return " ".join(part for part in parts if part)


def _marked_after(frame: pd.DataFrame, n: int) -> str:
    after = frame[(frame["rung"] == "M1") & frame["method"].isin(["consistent", "consistent_M1"])]
    if after.empty:
        return ""
    row = after.iloc[0]
    of = f" of {number(row['n'])}" if row["n"] != n else ""
    return (
        f"After allowing for patients the same method marks {some(row['flagged_low_95'] + row['flagged_high_95'])}{of}."
    )


def _plain_limits(marked: float, base: float, noun: str) -> str:
    """Return what plain limits do, saying that chance is next to nothing only where the figures show it."""
    if marked > 0.5 and known(base):
        return (
            f"They allow only for the chance of sampling. With {figures.about(base)} {noun} in a middling practice "
            "that chance is small, so most practices are marked."
        )
    return "They allow only for the chance of sampling, not for the ordinary spread between practices."


def one_population(
    left_out: int, why: list[str], flagged: int, stand_out: int, marked: int | None, *, rung: str = "M1"
) -> str:
    """Return why the number that stands out need not be the number that the methods mark.

    Parameters
    ----------
    left_out
        Practices of the area that are not in the fit.
    why
        The reasons, each with its number: "3 were left out by “Small list”".
    flagged
        How many of those left out are judged against the fit all the same, and stand out.
    stand_out, marked
        How many of the area stand out in all, and how many the method used marks at the same rung.
    """
    if not left_out:
        return ""
    said = (
        f"At {phrases.RUNG_LABEL[rung]}, {plural(left_out, 'practice')} of the area "
        f"{'takes' if left_out == 1 else 'take'} no part in the fit: {listed(why)}. "
        "Those that can be judged are still placed against it."
    )
    if flagged and marked is not None:
        said += (
            f" {number(flagged)} of them {'stands' if flagged == 1 else 'stand'} out, which is why "
            f"{number(stand_out)} {'stands' if stand_out == 1 else 'stand'} out in all and "
            f"{some(marked)} {_is_are(marked or 1)} marked in the table."
        )
    return said


def expected_flags(n: int, flagged: int, *, rung: str = "M1", names: Names = ENGLAND) -> str:
    """Return how many marks there would be with nobody exceptional."""
    if not n:
        return ""
    return (
        "With nobody exceptional, about 1 practice in 20 still lies outside 95% limits: about "
        f"{number(0.05 * n)} of {number(n)} here. "
        f"There {'is' if flagged == 1 else 'are'} {some(flagged)} ({names.label(rung, 'england')})."
    )


def tails(row: dict[str, Any] | None, *, rung: str = "M1", names: Names = ENGLAND) -> str:
    """Return the shape of the spread, and how many marks a bell shape and one with long tails would give."""
    wanted = ("skewness", "kurtosis", "flagged_95", "flagged_99_8")
    if row is None or not all(known(row.get(name)) for name in wanted):
        return ""
    bell = [number(row[f"expected_flags_{limit}_normal"]) for limit in ("95", "99_8")]
    long = [number(row[f"expected_flags_{limit}_t"]) for limit in ("95", "99_8")]
    return (
        f"Among all {number(row['n'])} practices of the fit ({names.label(rung, 'england')}), the distances from what "
        f"is expected have a skewness of {number(row['skewness'], 1)} (0: even on both sides) and a kurtosis of "
        f"{number(row['kurtosis'], 1)} (0: a bell shape; above 0: more practices far out). "
        f"{number(row['flagged_95'])} lie outside the 95% limits, where a bell shape would give {bell[0]} and a t "
        f"shape fitted to its tails {long[0]}; {number(row['flagged_99_8'])} lie outside the 99.8% limits, where they "
        f"would give {bell[1]} and {long[1]}."
    )


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
    change = 1 - after["tau"] / before["tau"] if before["tau"] else float("nan")
    if not known(change):
        return ""
    if change < 0.005:
        return " Allowing for patients does not narrow it."
    return f" Allowing for patients narrows it by {figures.share(change, 'its width')}."


def calibration(frame: pd.DataFrame, names: Names = ENGLAND) -> str:
    """Return how well the comparison made on the reference set fits the area, per rung in words."""
    row = frame[frame["rung"] == "M1"]
    if row.empty:
        return ""
    found = row.iloc[0]
    if not known(found["mean_residual"]):
        return ""
    shift = found["mean_residual"]
    level = "about where" if abs(shift) < 0.05 else "higher than where" if shift > 0 else "lower than where"
    said = (
        f"Practices of this area are on average {level} the comparison made on {names.reference} puts practices with "
        f"patients like theirs (M1). {_slope(found, names)}"
    )
    return said.strip()


def _slope(found: Any, names: Names) -> str:
    low, high = found["slope_lower"], found["slope_upper"]
    if not (known(low) and known(high)):
        return ""
    bracket = (
        f"(Slope {number(found['slope'], 2)}, 95% interval {number(low, 2)} to {number(high, 2)}; 1 is a perfect fit.)"
    )
    if low <= 1 <= high:
        return (
            "The data do not show that differences in patients count for more or less here than they do in "
            f"{names.reference}. {bracket}"
        )
    return (
        f"Differences in patients seem to count {'less' if high < 1 else 'more'} here than they do in "
        f"{names.reference}, so the comparison is rougher for this area. {bracket}"
    )


def icb_right(
    card: Any,
    judged: dict[str, int],
    reference: float,
    area: float,
    more_than_chance: bool = True,
    *,
    rung: str = "M1",
    names: Names = ENGLAND,
) -> list[str]:
    """Return what must be conceded about an area."""
    items = []
    if known(reference) and known(area):
        gap = area - reference
        word = "the same as" if figures.is_nil(card, gap) else f"{figures.side(gap)} than"
        beside = "" if names.set == "icb" else f", {word} {names.reference}'s {figures.amount(card, reference)}"
        items.append(f"The area's figure is right as arithmetic: {figures.amount(card, area)}{beside}.")
    if judged["flagged"]:
        after = "after allowing for patients" if rung != "M0" else "on the raw figures"
        items.append(
            f"{plural(judged['flagged'], 'practice')} {_is_are(judged['flagged'])} outside the usual range "
            f"{after}. Asking about {'it' if judged['flagged'] == 1 else 'them'} is fair."
        )
    if judged["undecided"]:
        items.append("Nothing here shows that the ICB is wrong about the practices for which the data cannot answer.")
    if more_than_chance:
        items.append(
            "Practices differ by more than the chance of sampling would give. Something more than that is at work, "
            "and these figures cannot say what."
        )
    items.append("A difference that many practices share may still matter to patients.")
    return items
