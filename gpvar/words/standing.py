"""The sentences on what one practice's figure is made of, and on what may be said about its rank."""

from __future__ import annotations

import math
from typing import Any

from gpvar.words import figures, phrases, standing_parts, verdict
from gpvar.words.phrases import Names
from gpvar.words.standing_facts import Standing
from gpvar.words.text import known, listed, number, plural

Row = dict[str, Any]
RIGHT, WRONG = 0.8, 0.2
#: The reliability that a range for the rank needs, and a rank with its interval.
LEAST = (0.7, 0.9)
#: From this share of like practices on, a target is one that practices like it do reach.
COMMON = 0.2
TENTH = {"p_bottom": "lowest", "p_top": "highest"}
NO_RANK = {
    "full": "",
    "interval": "A range for its place may be stated; a single place may not.",
    "none": "No lasting rank may be stated: figures like this one say too little about lasting differences.",
    "sampling_only": "No lasting rank may be stated: only one figure for the whole period is known.",
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
    when = "Before and after allowing for patients"
    if len(sure) == 1:
        when = "On the raw figures" if sure[0] is found.raw else "After allowing for patients"
    if neither := _neither(found, sure):
        return f"**{when} {neither}**"
    before, after = sure[0][key], sure[-1][key]
    if _said(before, key) != _said(after, key):
        return (
            f"**On the raw figures {_said(before, key)}: the chance is {odds(before)}. "
            f"After allowing for patients {_said(after, key)}: the chance is {odds(after)}.**"
        )
    both = odds(before) if odds(before) == odds(after) else f"{odds(before)} and {odds(after)}"
    return f"**{when} {_said(before, key)}: the chance is {both}.**"


def _neither(found: Standing, rows: list[Row]) -> str:
    """Return that the practice is in neither tenth, where its raw rank is in neither and no chance says otherwise."""
    raw = found.facts.row("M0")
    if raw is None or not (known(raw.get("rank")) and known(raw.get("ranked"))):
        return ""
    most = max(row[key] for row in rows for key in TENTH)
    if most > WRONG or not 0.1 < raw["rank"] / raw["ranked"] <= 0.9:
        return ""
    chance = odds(most) if odds(most).startswith("less") else f"{odds(most)} at most"
    return f"it is in neither the lowest nor the highest tenth: the chance of either is {chance}."


def raw_place(found: Standing, names: Names) -> str:
    """Return the raw rank, as the arithmetic it is, with the months it rests on."""
    raw = found.facts.row("M0")
    if raw is None or not (known(raw.get("rank")) and known(raw.get("ranked"))):
        return ""
    return (
        f"On the raw figures of {plural(found.months, 'month')} it is "
        f"{verdict.counted(raw['rank'], raw['ranked'], found.end)} from the {found.end} of "
        f"{plural(raw['ranked'], 'practice')} {names.within('england')} ({names.label('M0', 'england')})."
    )


def lasting_place(
    row: Row | None, tag: str, among: str = "", start: str = "Its lasting place", end: str = "lowest"
) -> str:
    """Return where the practice lasts among others, as far as the rule allows.

    Parameters
    ----------
    row
        What the model says at one rung; nothing is said without it, or where passing movement is not known.
    tag
        Rung and comparator.
    among
        Among how many, where that is not said before.
    end
        The end that places are counted from.
    """
    if row is None or row["rule"] == "sampling_only":
        return ""
    if row["rule"] == "none":
        lasts = f"Only {percent(row['reliability'])}% of what sets figures like this one apart lasts."
        return f"{start} may not be stated ({tag}). {lasts}"
    low, high = places(row, end)
    between = f"between {low} and {high}" if low != high else f"at {low}"
    if row["rule"] == "interval":
        return f"{start}{among} lies {between} (95 in 100; {tag}). A single place would claim too much."
    return f"{start}{among} is best put at {place(row, 'rank_median', end)}, and lies {between} (95 in 100; {tag})."


def place(row: Row, column: str, end: str) -> str:
    """Return a lasting place, counted from one end."""
    return verdict.counted(row[column], row["ranked"], end)


def places(row: Row, end: str) -> tuple[str, str]:
    """Return the two ends of the range of lasting places, counted from one end, the nearer place first."""
    low, high = place(row, "rank_lower", end), place(row, "rank_upper", end)
    return (high, low) if end == "highest" else (low, high)


def among(found: Standing) -> str:
    """Return among how many practices the lasting place is, where that differs from the raw rank's."""
    row, raw = found.best, found.facts.row("M0")
    if row is None or raw is None or not known(raw.get("ranked")) or row["ranked"] == raw["ranked"]:
        return ""
    return f" among the {number(row['ranked'])} that can be compared like with like"


def reliability(row: Row) -> str:
    """Return how much of what is seen in figures like this one lasts."""
    return f"{percent(row['reliability'])}% of the variation between practices in figures like this one lasts"


def percent(share: float) -> str:
    """Return a share in whole hundredths, never rounded up to a threshold it does not reach."""
    return "more than 99" if share > 0.995 else number(100 * _rounded(share))


def degree(share: float) -> str:
    """Return a reliability with two decimals, never rounded up to a threshold it does not reach."""
    return "above 0.99" if share > 0.995 else number(_rounded(share), 2)


def _rounded(share: float) -> float:
    """Return a share in hundredths, rounded to the nearest one that stays below a threshold it does not reach."""
    near = round(share, 2)
    return math.floor(100 * share) / 100 if any(share < least <= near for least in LEAST) else near


def of_all(many: int, n: int) -> str:
    """Return "all 10", "9 of the 10" or "none of the 10"."""
    return f"All {number(n)}" if many == n else f"{number(many) if many else 'None'} of the {number(n)}"


def icb_right(found: Standing, names: Names) -> list[str]:
    """Return what must be conceded from the parts of the figure, its rank, its neighbours and the target."""
    items = [_right(found, key, names) for key in TENTH]
    own = standing_parts.own_part(found)
    items += [f"{own}. Asking about it is fair."] if own else []
    raw, near = found.facts.row("M0"), found.neighbours
    if raw is not None and known(raw.get("value")) and len(near.values) >= 3:
        for many, word in ((near.above(raw["value"]), "higher"), (near.below(raw["value"]), "lower")):
            if many >= 0.9 * len(near.values):
                items.append(f"{of_all(many, len(near.values))} practices most like it have a {word} figure.")
    for row in found.reach:
        share = row.get("similar_share")
        if not row["meets"]:
            able = known(share) and share >= COMMON
            items.append(f"The practice does not reach the target{', and practices like it do' if able else ''}.")
    return [item for item in items if item]


def _right(found: Standing, key: str, names: Names) -> str:
    """Return that a statement on a tenth is right, and on which figures; nothing where it is not."""
    rows = [row for row in (found.raw, found.judged) if row is not None and known(row.get(key)) and row[key] >= RIGHT]
    if not rows:
        return ""
    when = {"M0": "on the raw figures"}
    said = listed(when.get(row["rung"], "after allowing for patients") for row in rows)
    tags = listed(names.label(row["rung"], "england") for row in rows)
    return f"To say that it is in the {TENTH[key]} tenth is right, {said} ({tags})."


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
    rules = {str(row["rule"]) for row in (found.raw, found.judged) if row is not None}
    if "full" in rules:
        return "its rank may be stated, with its range"
    if "interval" in rules:
        return "a range for its rank may be stated, a single place may not"
    return "no lasting rank may be stated" + (
        ": only one figure for the period is known" if "sampling_only" in rules else ""
    )


def cannot(found: Standing) -> str:
    """Return that nothing can be said of the rank, and why."""
    start = f"{phrases.POSITION['not_decidable']}: no" if found.stopped else "No lasting"
    return f"**{start} rank may be stated.** {found.why} {phrases.POSITION_CAVEAT['not_decidable']}"
