"""How many practices each method marks, why they differ, and how many marks there would be with nobody exceptional."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpvar.words import figures, phrases
from gpvar.words.phrases import ENGLAND, Names
from gpvar.words.text import count, is_are, known, listed, number, plural, some


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
        The reasons, each with its number: "3 because of the check “Small list”".
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
            f"{some(marked)} {is_are(marked or 1)} marked in the table."
        )
    return said


def expected_flags(n: int, flagged: int, *, rung: str = "M1", names: Names = ENGLAND) -> str:
    """Return how many marks there would be with nobody exceptional."""
    if not n:
        return ""
    return (
        "With nobody exceptional, about 1 practice in 20 still lies outside 95% limits: about "
        f"{number(0.05 * n)} of {number(n)} if the area were spread like {names.reference}. "
        f"There {'is' if flagged == 1 else 'are'} {some(flagged)} ({names.label(rung, 'england')})."
    )


def tails(row: dict[str, Any] | None, *, rung: str = "M1", names: Names = ENGLAND) -> str:
    """Return the shape of the spread, and how many marks a bell shape and one with long tails would give."""
    wanted = ("skewness", "kurtosis", "flagged_95", "flagged_99_8")
    if row is None or not all(known(row.get(name)) for name in wanted):
        return ""
    bell = [count(row[f"expected_flags_{limit}_normal"]) for limit in ("95", "99_8")]
    long = [count(row[f"expected_flags_{limit}_t"]) for limit in ("95", "99_8")]
    return (
        f"Among all {number(row['n'])} practices of the fit ({names.label(rung, 'england')}), the distances from what "
        f"is expected have a skewness of {number(row['skewness'], 1)} (0: even on both sides) and a kurtosis of "
        f"{number(row['kurtosis'], 1)} (0: a bell shape; above 0: more practices far out). "
        f"{_lie(row['flagged_95'])} outside the 95% limits, where a bell shape would give {bell[0]} and a t "
        f"shape fitted to its tails {long[0]}; {_lie(row['flagged_99_8'])} outside the 99.8% limits, where they "
        f"would give {bell[1]} and {long[1]}."
    )


def _lie(many: float) -> str:
    return f"{number(many)} {'lies' if many == 1 else 'lie'}"
