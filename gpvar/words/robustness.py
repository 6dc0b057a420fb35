"""The sentences on other defensible choices: whether the answer hangs on one, on which, and what nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import boxes, figures
from gpvar.words.robustness_choices import CHOICES, option
from gpvar.words.robustness_choices import way as named
from gpvar.words.text import known, lower_first, number, plural

if TYPE_CHECKING:
    from gpvar.words.robustness_facts import Way, Ways

Row = dict[str, Any]
Stands = tuple[bool, bool]
#: Below this gap between one option and the others no single choice decides.
DECIDES = 0.25
#: So many ways that differ are named one by one.
FEW = 3
NOT_CHANCE = (
    "These ways were declared, not drawn by chance: a share of them is no probability. They share the same data and "
    "miss whatever was not measured."
)
_LEAD = {
    "robust": "Robust: other defensible choices give the same answer.",
    "mixed": "Mixed: most other defensible choices give the same answer, some do not.",
    "fragile": "Fragile: the answer depends on choices that others may make otherwise.",
    "": "Few choices can be made otherwise with these data: too few to call the answer robust or not.",
}
_UNMEASURED = "Figures cannot say whether there is such a reason. Whoever names one should show it."


def where(stands: Stands) -> str:
    """Return where a practice stands: "outside the usual range, higher"."""
    outside, higher = stands
    side = "higher" if higher else "lower"
    return f"outside the usual range, {side}" if outside else f"inside the usual range, {side} than expected"


def of(many: int, whole: int) -> str:
    """Return "all 12 other ways", "9 of 12 other ways" or "none of 12 other ways"."""
    if whole == 1:
        return "the one other way" if many else "none but the way used here"
    return f"all {ways(whole)}" if many == whole else f"{none(many)} of {ways(whole)}"


def ways(many: int) -> str:
    """Return "1 other way" or "12 other ways"."""
    return plural(many, "other way")


def none(many: int) -> str:
    """Return a number with a word for nought."""
    return number(many) if many else "none"


def lead(found: Ways) -> str:
    """Return whether other choices give the same answer, in how many ways, and where it stands in the rest."""
    if found.here is None or not found.others:
        return f"**Whether the answer hangs on the choices made is not known.** {found.why}"
    tag, n = found.tag, len(found.others)
    if found.never_outside and found.agree < n:
        return _never_outside(found, tag)
    counted = f"In {of(found.agree, n)} it stands as here: {where(found.here.stands)} ({tag})."
    if not found.agree:
        counted = f"In no other way does it stand as here: {where(found.here.stands)} ({tag})."
    return " ".join(part for part in (f"**{_LEAD[found.label]}**", counted, _turned(found)) if part)


def _never_outside(found: Ways, tag: str) -> str:
    """Return that only the side of the expected hangs on the choices, which says little."""
    here, n = found.here, len(found.others)
    side = "higher" if here is not None and here.z > 0 else "lower"
    return (
        f"**Inside the usual range whichever of these choices is made.** That is so in {of(n, n)} ({tag}). It is "
        f"{side} than expected in {number(found.agree)} of them, as here: on which side it lies says little."
    )


def _turned(found: Ways) -> str:
    """Return where it stands in the ways that disagree."""
    turned = found.turned.most_common()
    if not turned:
        return ""
    if len(turned) > 1:
        return f"Otherwise it is {'; '.join(f'{where(stands)} in {number(many)}' for stands, many in turned)}."
    stands, many = turned[0]
    if not found.agree:
        return f"It is {where(stands)} in {of(many, many)}."
    return f"In the other{f' {number(many)}' if many > 1 else ''} it is {where(stands)}."


def span(found: Ways) -> str:
    """Return how far the difference runs over all ways."""
    card, here = found.facts.card, found.here
    if here is None or not found.others:
        return ""
    run = sorted(apart(card, way) for way in (here, *found.others))
    ends = (run[0], run[-1]) if run[-1] > 0 else (run[-1], run[0])
    first, last = (_side(card, end) for end in ends)
    if run[0] * run[-1] > 0:  # both ends have the unit and the side of the last
        first = first.split(" ")[0]
    return (
        f"The difference from the expected is {_side(card, apart(card, here))} here, and runs from {first} to {last} "
        "over all ways."
    )


def apart(card: Any, way: Way) -> float:
    """Return the difference as what is printed subtracts, here and on every other page."""
    return figures.apart(card, {"value": way.value, "centre": way.expected, "difference": way.difference})


def _side(card: Any, difference: float) -> str:
    if figures.is_nil(card, difference):
        return "none"
    return f"{figures.gap(card, difference)} {figures.side(difference)}"


def drives(found: Ways) -> str:
    """Return the choice on which the answer hangs most; empty where there is none."""
    choice = str(found.summary["drives"]) if found.summary is not None else ""
    return choice if choice in CHOICES and choice in found.used else ""


def hangs_on(found: Ways) -> str:
    """Return on which choice the answer hangs most, and what each option gives; nothing where all ways agree."""
    row, choice = found.summary, drives(found)
    if row is None or not choice or found.agree == len(found.others) or found.never_outside:
        return ""
    start = "What it hangs on most"
    if float(row["drives_gap"]) < DECIDES:
        start = "No single choice decides it; the one that matters most"
    said = [_option(choice, name or found.used[choice], group) for name, group in found.by_option() if group]
    return f"**{start}: {CHOICES[choice]}.** {' '.join(said)}"


def _option(choice: str, name: str, group: list[Way]) -> str:
    """Return in how many ways with one option the practice stands as here, and where else."""
    agree, n = sum(way.agrees for way in group), len(group)
    others = {way.stands for way in group if not way.agrees}
    what = option(choice, name)
    if agree in (0, n) and len(others) < 2:
        said = where(next(iter(others))) if others else "as here"
        return f"{what}: {said}{'' if n == 1 else f', in all {number(n)} ways'}."
    elsewhere = f", else {where(next(iter(others)))}" if len(others) == 1 else ""
    return f"{what}: as here in {number(agree)} of {number(n)} ways{elsewhere}."


def own_icb(found: Ways) -> str:
    """Return in how many ways it is outside the usual range beside its own ICB; nothing where that is not judged."""
    if len(found.own) < 2:
        return ""
    here, others = found.own[0], found.own[1:]
    many, n = sum(way.outside for way in others), len(others)
    beside = f"Against its own ICB it is {'outside' if here.outside else 'inside'} the usual range here"
    if many == (n if here.outside else 0):
        return f"{beside}, and in {of(n, n)}."
    return f"{beside}, and outside it in {of(many, n)}."


def unmeasured(found: Ways) -> str:
    """Return how strong something unmeasured would have to be for the practice to change sides of the edge."""
    row, card, here = found.summary, found.facts.card, found.here
    if row is None or here is None or not known(row["unmeasured_points"]):
        return ""
    side = "higher" if (here.z > 0) == here.outside else "lower"
    moved = here.expected + (1 if side == "higher" else -1) * row["unmeasured_points"]
    size = abs(figures.apart(card, {"value": moved, "centre": here.expected}))
    slight = figures.is_nil(card, size)
    reason = f"a reason, not measured here, for a figure {'slightly' if slight else figures.gap(card, size)} {side}"
    said = f"It would be outside the usual range if there were {reason}"
    if here.outside:
        said = f"To be inside the usual range, a practice would need {reason}"
    then = "" if slight else _then(card, moved, here.expected)
    return " ".join(part for part in (f"**{said}.**", then, _yardstick(row), _UNMEASURED) if part)


def _then(card: Any, moved: float, expected: float) -> str:
    """Return what would have to be expected in place of what is, since the usual range moves with it."""
    unit = "%" if figures.is_share(card) else ""
    return (
        f"{capital(figures.amount(card, moved))} would then be expected of it in place of "
        f"{figures.shown(card, expected)}{unit}, and the usual range moves and widens with that."
    )


def _yardstick(row: Row) -> str:
    """Return the strength in SDs of practices, and as a multiple of the strongest measured thing where that serves."""
    size = f"Such a reason would be {_size(row['unmeasured_sd'])} the standard deviation of practices"
    if not known(row["unmeasured_multiple"]) or not row["strongest"]:
        return f"{size}; what was measured of patients explains too little here to serve as a yardstick."
    times, strongest = _size(row["unmeasured_multiple"]), boxes.allowed_for([str(row["strongest"])])
    return f"{size}, and {times} what the strongest thing measured, {strongest}, typically does."


def _size(times: float) -> str:
    if times < 0.1:
        return "less than a tenth of"
    return f"{number(times, 1 if times < 10 else 0)} times"


def icb_right(found: Ways) -> list[str]:
    """Return what must be conceded: that the answer does not hang on our choices, or that others put it outside."""
    here, n, many = found.here, len(found.others), found.outside
    if here is None or not n:
        return []
    if here.outside:
        said = (
            "That the practice is outside the usual range does not hang on the choices made here: it is so in "
            f"{of(many, n)} too."
        )
        return [said] if found.label == "robust" else []
    said = f"Other choices that can be defended as well put it outside the usual range: {of(many, n)}."
    return [said] if many else []


def brief(found: Ways) -> str:
    """Return the same in a sentence or two, for a page that is about something else."""
    n = len(found.others)
    if found.here is None or not n:
        return ""
    if found.agree == n or found.never_outside:
        side = "outside" if found.here.outside else "inside"
        said = f"It is {side} the usual range in {of(n, n)} of comparing that can be defended as well ({found.tag})"
        if found.agree == n:
            return f"{said}."
        return f"{said}; on which side of what is expected depends on the choice."
    said = f"In no other way of comparing that can be defended as well does it stand so ({found.tag})."
    if found.agree:
        said = f"It stands the same in {of(found.agree, n)} of comparing that can be defended as well ({found.tag})."
    return f"{said} {_briefly(found)}".strip()


def _briefly(found: Ways) -> str:
    """Return the choice that matters most and the direction in which it works."""
    turned = [way for way in found.others if not way.agrees]
    stands, _ = found.turned.most_common(1)[0]
    if len(turned) <= FEW and len(found.turned) == 1:
        names = "; ".join(lower_first(named(way.taken)) for way in turned)
        ones = "The one that differs" if len(turned) == 1 else f"The {number(len(turned))} that differ"
        return f"{ones} ({names}) {'puts' if len(turned) == 1 else 'put'} it {where(stands)}."
    choice = drives(found)
    if not choice:
        return ""
    most = "most of the rest put" if len(found.turned) > 1 else "the rest put"
    return f"It hangs most on {CHOICES[choice]}; {most} it {where(stands)}."


def warns(found: Ways) -> str:
    """Return what a verdict must not go without: that the answer depends on a choice, and on which."""
    agrees = found.agree == len(found.others)
    if found.label == "robust" or found.here is None or found.never_outside or agrees:
        return ""
    head = "holds in most defensible ways, not in all" if found.label else "is another in some of the few other ways"
    if found.label == "fragile":
        head = "depends on choices that others may make otherwise"
    return f"The answer {head}. {brief(found)}"


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]
