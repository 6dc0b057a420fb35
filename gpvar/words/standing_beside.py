"""The sentences on what lies behind one practice's figure, what a firm rank would take, and who reaches a target."""

from __future__ import annotations

import math
from typing import Any

from gpvar import catalogue
from gpvar.dates import day_in_words, month_in_words
from gpvar.errors import StudyError
from gpvar.words import figures, phrases
from gpvar.words.phrases import Names
from gpvar.words.standing import COMMON, degree, percent, reliability
from gpvar.words.standing_facts import Neighbours, Standing
from gpvar.words.text import known, listed, number, plural

Row = dict[str, Any]


def estimate(found: Standing) -> str:
    """Return the best estimate of the lasting figure beside the raw one, and why the two differ."""
    card, row, raw = found.facts.card, found.raw, found.facts.row("M0")
    if row is None or raw is None or not known(row.get("shrunken")):
        return ""
    names, gap = found.facts.names, row["shrunken"] - raw["value"]
    tag = names.label("M0", "england")
    seen = figures.amount(card, raw["value"])
    start = "The best estimate of its lasting figure is"
    if row["rule"] == "sampling_only":
        start = "With the chance of sampling taken off, the best estimate of its figure is"
    best = f"**{start} {_with_interval(card, row)}** ({tag})."
    if figures.is_nil(card, gap) or figures.shown(card, row["shrunken"]) == figures.shown(card, raw["value"]):
        why = f"The figure itself, {seen}, is as good as the same: there is little to take off."
    else:
        why = (
            f"The figure itself is {seen}. Part of any unusual figure is chance, so the estimate is drawn towards "
            "practices alike in what was measured and towards those around it: the less of a figure lasts, the further."
        )
    return " ".join(part for part in (best, why, _adjusted(found), _movement_aside(row)) if part)


def _with_interval(card: Any, row: Row) -> str:
    low, high = (_bare(card, row[f"shrunken_{end}"]) for end in ("lower", "upper"))
    return f"{_bare(card, row['shrunken'])}, 95% interval {low} to {high}"


def _adjusted(found: Standing) -> str:
    """Return the same with a typical mix of patients; nothing where nothing was allowed for."""
    card, row = found.facts.card, found.judged
    seen = found.facts.row(found.facts.headline)
    if row is None or seen is None or not (known(row.get("shrunken")) and known(seen.get("adjusted"))):
        return ""
    return (
        f"With a typical mix of patients the figure would be {_bare(card, seen['adjusted'])}, the estimate "
        f"{_with_interval(card, row)} ({found.facts.names.label(row['rung'], 'england')})."
    )


def _movement_aside(row: Row) -> str:
    if row["rule"] != "sampling_only":
        return ""
    return (
        "How much of that lasts is not known: with passing movement counted, the intervals would be wider and the "
        "estimates drawn further."
    )


def _bare(card: Any, value: float) -> str:
    return f"{figures.shown(card, value)}{'%' if figures.is_share(card) else ''}"


def needed(found: Standing) -> str:
    """Return how much of the figure lasts, and how many months a firm rank would take."""
    row = found.best
    if row is None:
        return ""
    if row["rule"] == "sampling_only":
        return (
            f"{_FIRM['sampling_only']} The chance of sampling alone would leave {percent(row['reliability'])}% of the "
            "variation between practices. Passing movement comes on top; figures for each month, or for two separate "
            "periods, show it. A range for the rank needs a reliability of 0.7 with both counted, a rank with its "
            "interval 0.9. "
            f"{_NEVER}"
        )
    firm = _FIRM[row["rule"]].format(f"{degree(row['reliability'])} ({phrases.RUNG_LABEL[row['rung']]})")
    said = f"{reliability(row)}; the rest is chance and passing movement."
    return " ".join([firm, f"{said[0].upper()}{said[1:]}", _months(row, found.months), _NEVER])


_FIRM = {
    "full": "**The figure's reliability, {}, is enough for a rank to be stated with its interval.**",
    "interval": "**The figure's reliability, {}, is enough for a range of ranks, not for one rank in it.**",
    "none": "**The figure's reliability, {}, is not enough for any rank to be stated.**",
    "sampling_only": "**One figure for the whole period cannot show whether it is reliable enough for a rank.**",
}
_NEVER = (
    "For a claim with consequences 0.9 is necessary, never sufficient: it shows that a difference lasts, not what it "
    "is due to."
)


def _months(row: Row, have: int) -> str:
    first, second = row.get("months_for_0_7"), row.get("months_for_0_9")
    if not known(first) and not known(second):
        if row["reliability"] >= 0.7:
            return "How many months would have been enough is not known."
        return "No number of months would bring that to 0.7: practices differ too little in what lasts."
    some = f"A range for the rank needs 0.7, which takes {_many(first)}" if known(first) else ""
    if not known(second):
        return f"{some}; a rank with its interval needs 0.9, which no number of months would reach."
    needs = f"a rank with its interval needs 0.9, which takes {_many(second)}"
    return f"{some}; {needs}. This figure rests on {number(have)}."


def _many(months: float) -> str:
    return plural(max(1, math.ceil(months)), "month")


def one_month(row: Row | None, short: str) -> str:
    """Return what one month alone is worth, with what was assumed about the months; nothing where it is not known."""
    if row is None or not known(row.get("reliability_month")):
        return ""
    rho = row["rho"]
    if known(rho) and rho > 0:
        how = "was found to carry over" if row["rho_from"] == "estimated" else "is taken to carry over"
        assumed = f"passing movement {how} from one month to the next with a correlation of {number(rho, 1)}"
    else:
        assumed = "passing movement is taken to be new every month"
    said = f"One month's figure alone has a reliability of {degree(row['reliability_month'])} ({assumed})."
    if known(row.get("stay_observed")) and "-" in str(row["first"]) and "-" in str(row["second"]):
        stay = figures.per_hundred(100 * row["stay_observed"])
        said += (
            f" Of the practices with the lowest tenth of {short} in {_stretch(row['first'])}, {stay} are in the lowest "
            f"tenth of {_stretch(row['second'])} too."
        )
    return said


def _stretch(months: str) -> str:
    whole, _, without = str(months).partition(" without ")
    first, _, last = whole.partition("..")
    said = f"{month_in_words(first)} to {month_in_words(last)}" if last else month_in_words(first)
    return f"{said} without {_stretch(without)}" if without else said


def beside_neighbours(card: Any, near: Neighbours, value: float) -> str:
    """Return how the practices most like it stand beside its figure, none of them named."""
    n = len(near.values)
    if not n:
        return ""
    below, above = near.below(value), near.above(value)
    sides = [(above, "a higher figure"), (below, "a lower one"), (n - below - above, "the same")]
    if max(above, below) == n:
        said = f"{'all have' if n > 1 else 'it has'} a {'higher' if above else 'lower'} figure"
    else:
        said = listed(f"{number(many)} {'has' if many == 1 else 'have'} {what}" for many, what in sides if many)
    held = f" {number(near.withheld)} more cannot be shown: the count is small, or not known." if near.withheld else ""
    of = f"Of the {number(n)} practices" if n > 1 else "Of the one practice"
    return (
        f"{of} most like it in patients and setting, {said}; this one has {figures.amount(card, value)}. Their middle "
        f"is {_bare(card, near.middle)}; they run from {_bare(card, near.values[0])} to "
        f"{_bare(card, near.values[-1])}.{held}"
    )


def outside(near: Neighbours, value: float) -> str:
    """Return what the neighbours do to the question: they can speak for the practice or against it."""
    n = len(near.values)
    if n < 3:
        return ""
    if near.below(value) == n or near.above(value) == n:
        return "So patients and a setting like these do not have to go with a figure like this one."
    if min(near.below(value), near.above(value)) >= n // 4:
        return "Its figure is within what practices much like it show. That does not make it good enough."
    return "Few practices much like it show a figure as far out. Ten practices are few: take that as a hint."


def reach(card: Any, row: Row, names: Names) -> str:
    """Return who reaches a target: the practice, its neighbours, practices expected to be like it, and all."""
    met = "reaches" if row["meets"] else "does not reach"
    n, k = int(row["neighbours"]), int(row["neighbours_meeting"])
    parts = [f"**It {met} the target** ({_target(card, row)})."]
    if n:
        verb = "does" if k == 1 else "do"
        parts.append(
            f"Of the {plural(n, 'practice')} most like it, {'none does' if k == 0 else f'{number(k)} {verb}'}."
        )
    if known(row.get("similar_share")):
        parts.append(
            f"Among practices of which the same is expected, about {figures.per_hundred(100 * row['similar_share'])} "
            "would, given how far practices differ."
        )
    if known(row.get("england_share")):
        of = names.reference
        parts.append(f"Among all practices compared in {of}, {figures.per_hundred(100 * row['england_share'])} do.")
    return " ".join([*parts, _so(row)])


def _target(card: Any, row: Row) -> str:
    value = _bare(card, row["target_value"])
    try:
        target = catalogue.targets()[str(row["target"])]
    except (KeyError, StudyError):  # a stored run may name a target that this version has no card for
        return value
    side = "at most" if target.comparison == "at most" else "at least"
    standing = ", as reported" if target.status == "as reported" else ""
    return f"{side} {value}, to be reached by {day_in_words(target.due)}{standing}"


def _so(row: Row) -> str:
    share = row.get("similar_share")
    if not known(share):
        return ""
    if row["meets"]:
        return (
            "It does so where few like it would: whatever it does may be worth knowing."
            if share < COMMON
            else "So do many like it."
        )
    if share >= COMMON:
        return "Practices like it do reach it: its patients and setting are not the whole reason."
    return "Missing it is common for practices like it. That is no reason to call the target wrong, or the figure fine."
