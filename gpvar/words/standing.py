"""The sentences on what one practice's figure is made of, and on what may be said about its rank."""

from __future__ import annotations

import math
from typing import Any

from gpvar.words import figures, phrases
from gpvar.words.phrases import Names
from gpvar.words.standing_facts import Standing, Step
from gpvar.words.text import known, number, ordinal, plural

Row = dict[str, Any]
RIGHT, WRONG = 0.8, 0.2
#: From this share of like practices on, a target is one that practices like it do reach.
COMMON = 0.2
TENTH = {"p_bottom": "lowest", "p_top": "highest"}
NO_RANK = {
    "full": "",
    "interval": "A range for its place may be stated; a single place may not.",
    "none": "No rank may be stated: figures like this one say too little about lasting differences.",
    "sampling_only": "No rank may be stated: only one figure for the whole period is known.",
}
WHY_NONE = (
    "How far the figure moves from month to month is not known, so what lasts cannot be told from what passes. "
    "That counts neither for nor against the practice."
)
CAVEAT = "A rank cannot say why, or whether care is good enough, and someone is always last."
ALONE = "That is arithmetic on these months. It does not say where the practice would stand in others."


def odds(p: float) -> str:
    """Return a probability as "98 in 100", never as nought or certainty."""
    return figures.per_hundred(100 * p).replace("fewer than", "less than")


def tenth_of(rows: list[Row], raw: Row | None) -> str:
    """Return which tenth the page speaks of: one the practice is likely in, else the one its raw rank is nearer."""
    for row in rows:
        for key in TENTH:
            if known(row.get(key)) and row[key] >= RIGHT:
                return key
    if raw is not None and known(raw.get("rank")) and known(raw.get("ranked")):
        return "p_bottom" if raw["rank"] <= raw["ranked"] / 2 else "p_top"
    return "p_bottom"


def _said(p: float, key: str) -> str:
    """Return what may be said of the tenth."""
    where = f"it is in the {TENTH[key]} tenth"
    if WRONG < p < RIGHT:
        return f"it cannot be settled whether {where}"
    return f"it is {'right' if p >= RIGHT else 'not right'} to say that {where}"


def lead(found: Standing, key: str) -> str:
    """Return the first sentence: what may be said of the rank."""
    rows = [row for row in (found.raw, found.judged) if row is not None]
    sure = [row for row in rows if known(row.get(key))]
    if not sure:
        return f"**{NO_RANK[rows[0]['rule']] or 'A rank may be stated.'}**"
    if found.judged is None or len(sure) == 1:
        when = "On the raw figures" if sure[0] is found.raw else "After allowing for patients"
        return f"**{when} {_said(sure[0][key], key)}: the chance is {odds(sure[0][key])}.**"
    before, after = (row[key] for row in sure)
    if _said(before, key) == _said(after, key):
        both = odds(before) if odds(before) == odds(after) else f"{odds(before)} and {odds(after)}"
        return f"**Before and after allowing for patients {_said(before, key)}: the chance is {both}.**"
    return (
        f"**On the raw figures {_said(before, key)}: the chance is {odds(before)}. "
        f"After allowing for patients {_said(after, key)}: the chance is {odds(after)}.**"
    )


def raw_place(found: Standing, names: Names) -> str:
    """Return the raw rank, as the arithmetic it is, with the months it rests on."""
    raw = found.facts.row("M0")
    if raw is None or not (known(raw.get("rank")) and known(raw.get("ranked"))):
        return ""
    return (
        f"On the raw figures of {plural(found.months, 'month')} it is {ordinal(raw['rank'])} from the lowest of "
        f"{plural(raw['ranked'], 'practice')} {names.within('england')} ({names.label('M0', 'england')})."
    )


def lasting_place(row: Row | None, tag: str, start: str = "Its lasting place") -> str:
    """Return where the practice lasts among others, as far as the rule allows.

    Parameters
    ----------
    row
        What the model says at one rung; nothing is said without it, or where passing movement is not known.
    tag
        Rung and comparator.
    """
    if row is None or row["rule"] == "sampling_only":
        return ""
    if row["rule"] == "none":
        return f"{start} may not be stated ({tag}): {reliability(row)}, and a rank needs a reliability of 0.7."
    low, high = ordinal(row["rank_lower"]), ordinal(row["rank_upper"])
    between = f"between {low} and {high}" if low != high else f"at {low}"
    if row["rule"] == "interval":
        return f"{start} lies {between} (95 in 100; {tag}). A single place would claim too much."
    return f"{start} is best put at {ordinal(row['rank_median'])}, and lies {between} (95 in 100; {tag})."


def reliability(row: Row) -> str:
    """Return how much of what is seen in figures like this one lasts."""
    return f"{percent(row['reliability'])}% of the variation between practices in figures like this one lasts"


def percent(share: float) -> str:
    """Return a share in whole hundredths, never rounded up to a threshold it does not reach."""
    if share > 0.995:
        return "more than 99"
    return number(math.floor(100 * share))


def chances(found: Standing) -> str:
    """Return what the other tenth's chance is; nothing where no chance may be stated."""
    row = found.best
    if row is None or not (known(row.get("p_bottom")) and known(row.get("p_top"))):
        return ""
    return f"Chance of the lowest tenth {odds(row['p_bottom'])}, of the highest {odds(row['p_top'])}."


_GOES = {
    "need": "goes with its patients",
    "context": "goes with its setting",
    "place": "is shared with its neighbours",
    "own": "is the practice's own",
    "remainder": "is chance and caution",
}
_THEN = {
    "need": "Practices with such patients show it too. That explains it and does not excuse it: expected is not the "
    "same as good enough.",
    "context": "Practices in such a setting show it too. That explains it and does not excuse it: expected is not the "
    "same as good enough.",
    "place": "The practices around it show it too: ask about the place as much as about the practice. That explains "
    "it and does not excuse it.",
    "own": "Asking the practice what lies behind that is fair. The figures cannot say.",
    "remainder": "That part is not expected to come again.",
}


def _share_of(share: float) -> str:
    if share > 1.005:
        return "All of the distance, and more,"
    if share >= 0.9:
        return "Nearly all of the distance"
    if share >= 0.55:
        return "Most of the distance"
    return "About half of the distance" if share >= 0.45 else "The largest part of the distance"


def largest(steps: tuple[Step, ...]) -> Step | None:
    """Return the step that does most towards the whole distance; None where there is no distance as shown."""
    total = steps[-1].reached - steps[0].reached if steps else 0.0
    if total == 0:
        return None
    return max(steps[1:], key=lambda step: step.change * math.copysign(1.0, total))


def message(steps: tuple[Step, ...], who: str = "its figure") -> str:
    """Return the message of the waterfall, one plain line: what the largest part of the distance is."""
    step = largest(steps)
    if step is None:
        return f"{who[0].upper()}{who[1:]} is that of a typical practice"
    return f"{_share_of(step.change / (steps[-1].reached - steps[0].reached))} {_GOES[step.name]}"


def made_of(card: Any, steps: tuple[Step, ...], names: Names, places: int) -> str:
    """Return the waterfall in three sentences: the largest part, the whole distance, and what that means."""
    step = largest(steps)
    first, last = (number(s.reached, places) for s in (steps[0], steps[-1]))
    if figures.is_share(card):
        far = f"{first}% of {card.noun_denominator}, this one at {last}% of them"
    else:
        far = f"{first}, this one at {last} {card.unit}"
    far = f"A typical practice in {names.reference} is at {far}."
    if step is None:
        return f"**{message(steps)}.** {far} The parts cancel one another, or there is nothing to divide."
    return f"**{message(steps)}.** {far} {_THEN[step.name]}"


def signed(step: Step, places: int) -> str:
    """Return what a step adds as it is shown: "−1.2", "+0.3" or "0.0"."""
    text = number(step.change, places)
    return f"+{text}" if step.change > 0 else text


def step_means(name: str, found: Standing, covariates: dict[str, str], names: Names) -> str:
    """Return what a step is, in one or two plain sentences.

    Parameters
    ----------
    covariates
        ``need`` and ``context`` → what was measured of them, in words; empty for nothing.
    """
    passing = bool(found.best) and found.best.get("rule") == "sampling_only"  # type: ignore[union-attr]
    return {
        "reference": f"A typical practice in {names.reference}.",
        "need": f"What goes with {covariates['need']}. It explains, and does not excuse."
        if covariates.get("need")
        else "Nothing was allowed for.",
        "context": f"What goes with {covariates['context']}. It explains, and does not excuse."
        if covariates.get("context")
        else "Nothing was allowed for.",
        "place": "What the practices around it have in common beyond their patients. It is shown here only: the "
        "verdict takes nothing off for it.",
        "own": "What is left to this practice, as best estimated: how it works, how it records, and needs that nobody "
        "measured." + (" Passing movement is not known, so it is counted in here." if passing else ""),
        "remainder": "Chance, and the caution of an estimate that rests on one figure."
        if passing
        else "Chance, passing movement, and the caution of an estimate that rests on one figure.",
    }[name]


def of_all(many: int, n: int) -> str:
    """Return "all 10", "9 of the 10" or "none of the 10"."""
    return f"All {number(n)}" if many == n else f"{number(many) if many else 'None'} of the {number(n)}"


def icb_right(found: Standing, names: Names) -> list[str]:
    """Return what must be conceded from the parts of the figure, its rank, its neighbours and the target."""
    items = []
    for row, when in ((found.raw, "on the raw figures"), (found.judged, "after allowing for patients")):
        for key, tenth in TENTH.items():
            if row is not None and known(row.get(key)) and row[key] >= RIGHT:
                tag = names.label(row["rung"], "england")
                items.append(f"To say that it is in the {tenth} tenth is right {when} ({tag}).")
    step = largest(found.steps)
    if step is not None and step.name == "own":
        items.append(f"{message(found.steps)}: not its patients', and not shared with its neighbours.")
    raw, near = found.facts.row("M0"), found.neighbours
    if raw is not None and known(raw.get("value")) and len(near.values) >= 3:
        for many, word in ((near.above(raw["value"]), "higher"), (near.below(raw["value"]), "lower")):
            if many >= 0.9 * len(near.values):
                items.append(f"{of_all(many, len(near.values))} practices most like it are {word}.")
    for row in found.reach:
        share = row.get("similar_share")
        if not row["meets"]:
            able = known(share) and share >= COMMON
            items.append(f"The practice does not reach the target{', and practices like it do' if able else ''}.")
    return items


def not_shown(found: Standing) -> list[str]:
    """Return what neither the parts nor the rank show."""
    return [
        "**Why.** The parts are what goes with what was measured, not causes. Other measurements would move them.",
        "**Quality.** A place among practices says who has more and who less, not who gives better care.",
        "**Size.** Many places can lie within a small difference: look at the gap, not at the rank.",
        "**Fault of the place, or of the practice.** What neighbours share may be services and decisions around "
        "them, or something they do alike. The practice's own part may hold needs that nobody measured.",
        "**Next year.** What lasted over these months can change when the practice or its patients do.",
    ]


def summary(found: Standing) -> str:
    """Return what may be said of the rank in a few words, for the index."""
    if found.why:
        return "no rank can be stated"
    row = found.raw or found.best
    short = {
        "full": "what may be said of its rank",
        "interval": "a range for its rank, no single place",
        "none": "no rank may be stated",
        "sampling_only": "no rank may be stated, passing movement is not known",
    }
    return short[str(row["rule"])] if row else "no rank can be stated"


def cannot(found: Standing) -> str:
    """Return that nothing can be said of the rank, and why."""
    start = phrases.POSITION["not_decidable"]
    return f"**{start}: no rank may be stated.** {found.why} {phrases.POSITION_CAVEAT['not_decidable']}"
