"""What is said of passing movement: how far figures move of themselves, and how much of one month's figure lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.dates import month_in_words
from gpvar.words import figures, phrases
from gpvar.words.facts import area_facts
from gpvar.words.text import known, number, plural

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.results import Run

Row = dict[str, Any]
#: What chance is made of where the passing movement is known, for a sentence and for an interval.
CHANCE = "sampling and passing movement"
NOT_KNOWN = "sampling alone"


def used(passing: pd.DataFrame) -> Row | None:
    """Return the row that practices are judged with; None where passing movement was not measured."""
    rows = passing[passing["used"].astype(bool)].to_dict("records")
    return {str(k): v for k, v in rows[0].items()} if rows else None


def of(passing: pd.DataFrame) -> str:
    """Return what chance is made of, for the name of an interval or a limit."""
    return CHANCE if used(passing) else NOT_KNOWN


def stretch(months: str) -> str:
    """Return a stretch of months in words: "2025-04..2025-06" as "April 2025 to June 2025"."""
    whole, _, without = str(months).partition(" without ")
    first, _, last = whole.partition("..")
    said = f"{month_in_words(first)} to {month_in_words(last)}" if last else month_in_words(first)
    return f"{said} without {stretch(without)}" if without else said


def chance(card: Any, row: Row) -> str:
    """Return the sentence of a verdict: what counts as chance, and how much it is."""
    return (
        "Chance is sampling and a practice's own movement from month to month "
        f"(up to about {_gap(card, row['swing_period'])} over the period)."
    )


def _gap(card: Any, much: float) -> str:
    return figures.gap(card, much) if not figures.is_nil(card, much) else f"less than {_least(card)}"


def size(card: Any, much: float) -> str:
    """Return a size in the metric's unit without the unit."""
    return "less than 0.1" if figures.is_nil(card, much) else figures.gap(card, much).split(" ")[0]


def _least(card: Any) -> str:
    return "0.1 percentage points" if figures.is_share(card) else f"0.1 {card.unit}"


def measured(card: Any, passing: pd.DataFrame, period: str) -> str:
    """Return what was measured and what it rests on, in a paragraph; nothing where it was not.

    Parameters
    ----------
    card
        The metric card.
    passing
        Rows of the table ``passing``.
    period
        The study's period in words.
    """
    row = used(passing)
    if row is None:
        return ""
    return (
        f"**Passing movement was measured.** {_apart(card, row)} {stays(row)} A figure for {period} can therefore be "
        f"up to about {_gap(card, row['swing_period'])} off, 95 times in 100, though nothing lasting has changed; that "
        f"counts as chance here. Measured this way it includes changes that last. {assumption(card, passing)}"
        f"{_depends(card, passing)}"
    )


def _apart(card: Any, row: Row) -> str:
    if row["second"] == "each month":
        when = f"In one month of {stretch(row['first'])}"
        beside = "their own figure for the other months"
    else:
        when, beside = f"In {stretch(row['first'])}", f"their own figure for {stretch(row['second'])}"
    return (
        f"{when}, apart from what all practices did together, 95 in 100 were within {_gap(card, row['gap_95'])} of "
        f"{beside}."
    )


def stays(row: Row) -> str:
    """Return how much of one stretch's lowest tenth is in the other's."""
    one, other = _two(row)
    return f"Of the lowest tenth in {one}, {_percent(row['stay_observed'])} were in the lowest tenth of {other} too."


def _two(row: Row) -> tuple[str, str]:
    if row["second"] == "each month":
        return "one month", "the other months"
    return stretch(row["first"]), stretch(row["second"])


def _percent(share: float) -> str:
    return f"{number(100 * share)}%"


def assumption(card: Any, passing: pd.DataFrame) -> str:
    """Return how one month is taken to resemble the next, and what other assumptions would give."""
    row = used(passing)
    if row is None:
        return ""
    if row["rho_from"] == "estimated":
        return f"How one month resembles the next was estimated from the months (correlation {number(row['rho'], 2)})."
    which = "Two stretches" if "estimated" not in set(passing["rho_from"]) else "The months known"
    return (
        f"{which} cannot tell how one month resembles the next: a correlation of {row['rho']:g} is assumed "
        f"({_otherwise(card, passing, 'it')})."
    )


def _otherwise(card: Any, passing: pd.DataFrame, it: str) -> str:
    """Return what the movement over the period would be with the least and the most that is assumed."""
    others = passing[passing["rho_from"] == "assumed"].sort_values("rho")
    least, most = others.iloc[0], others.iloc[-1]
    low, high = (size(card, end["swing_period"]) for end in (least, most))
    if low == high:
        return "other values give as much"
    return f"with {least['rho']:g} {it} would be {low}, with {most['rho']:g} {high}"


def _depends(card: Any, passing: pd.DataFrame) -> str:
    """Return that the number without a clear difference depends on the assumption, where the assumption matters."""
    row = used(passing)
    if row is None or row["rho_from"] != "assumed" or "other values" in _otherwise(card, passing, "it"):
        return ""
    return f" How many practices show “{phrases.POSITION['no_detectable_difference']}” depends on that assumption."


def _variances(row: Row) -> str:
    """Return the variance of a month's movement with every practice in full, and with the far ones counting less."""
    if not (known(row.get("v")) and known(row.get("v_robust"))):
        return ""
    return (
        f" On the scale of logarithms the variance of one month's passing movement is {number(row['v'], 4)}; "
        f"{number(row['v_robust'], 4)} when practices that moved far count for less. The first is used."
    )


def briefly(card: Any, passing: pd.DataFrame) -> str:
    """Return what was measured and what it rests on, short enough for a practice's page; nothing where it was not."""
    row = used(passing)
    if row is None:
        return ""
    rests = assumption(card, passing)
    if row["rho_from"] == "assumed":
        others = _otherwise(card, passing, "the movement")
        rests = f"A correlation of {row['rho']:g} between one month and the next is assumed; {others}."
    return f"**Passing movement was measured**, and counts as chance. {stays(row)} {rests}"


def section(card: Any, passing: pd.DataFrame, period: str) -> list[str]:
    """Return the paragraphs of the section for an area: the finding, the numbers, what they rest on, the caveat."""
    row = used(passing)
    if row is None:
        return []
    one, _ = _two(row)
    leave = round(100 * (1 - row["stay_observed"]))
    return [
        f"**A list of the lowest tenth drawn up from {one} is in part a list of who happened to be low then: "
        f"{leave} in 100 of its practices are not in the lowest tenth of the other months.** The other {100 - leave} "
        "are low in both.",
        f"{_apart(card, row)} Half were within {_gap(card, row['gap_half'])}. From {plural(row['units'], 'practice')} "
        "with sound figures in both.",
        f"{lasts(passing)} A figure for {period} can be up to about {_gap(card, row['swing_period'])} off, 95 times in "
        f"100, though nothing lasting has changed. {assumption(card, passing)}",
        "Passing movement is all that makes a practice's own figure differ from one stretch to another beside "
        "sampling: staff away, a busy month, a change in how appointments are entered, and changes that will last. "
        f"The figures cannot say which.{_variances(row)}",
    ]


def lasts(passing: pd.DataFrame) -> str:
    """Return how much of the variation between practices lasts, in one month's figures and in a year's."""
    row = used(passing)
    if row is None or not known(row["reliability_month"]):
        return ""
    year = passing["reliability_year"]
    low, high = number(100 * year.min()), number(100 * year.max())
    others = f" ({low}% to {high}% over the assumptions)" if low != high else ""
    return (
        f"Of the variation between practices in one month's figures {_percent(row['reliability_month'])} lasts; in a "
        f"year's, {_percent(row['reliability_year'])}{others}."
    )


def passing_section(run: Run, metric: str = "") -> str:
    """Return the section of the area's page on how far figures move of themselves; nothing where it is not known."""
    facts = area_facts(run, metric)
    said = section(facts.card, facts.analysis.passing, facts.meta["period_label"])
    return "## How far figures move of themselves\n\n" + "\n\n".join(said) if said else ""


def stays_title(row: Row) -> str:
    """Return the message of the picture of who stays in the lowest tenth."""
    one, _ = _two(row)
    stay = round(100 * row["stay_observed"])
    return f"Of 100 practices in the lowest tenth of {one}, {stay} are there in the other months too"


def stays_labels(row: Row) -> tuple[str, str]:
    """Return what the two kinds of mark in that picture are."""
    stay = round(100 * row["stay_observed"])
    return f"{stay} in the lowest tenth of the other months too", f"{100 - stay} not in it"


def stays_alt(card: Any, row: Row) -> str:
    """Return the text alternative of that picture."""
    one, _ = _two(row)
    stay = round(100 * row["stay_observed"])
    return (
        f"100 marks for 100 practices with the lowest tenth of {card.short} in {one}: {stay} filled, for those that "
        f"are in the lowest tenth of the other months too, and {100 - stay} empty, for those that are not. If figures "
        "never moved all 100 would be filled; if they were luck alone, 10."
    )


def passing_note(row: Row) -> str:
    """Return what is said of practices left out because their files disagree; nothing for none."""
    many = row.get("disagree", 0)
    if not many:
        return ""
    return (
        f"{plural(many, 'practice')} had more in a part of the period than in the whole of it, so that the files "
        "disagree; they are left out of the measure of passing movement."
    )
