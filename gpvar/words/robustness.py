"""The sentences on other defensible choices: whether the answer hangs on one, on which, and what nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import boxes, figures
from gpvar.words.robustness_choices import CHOICES, option
from gpvar.words.robustness_choices import way as named
from gpvar.words.robustness_facts import NEAR
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
    "These ways were declared by the makers of gpvar before any result, not drawn by chance: a share of them is no "
    "probability. They share the same data and miss whatever was not measured."
)
NOT_RIGHT = "Robust is not the same as right: a fault of the data is in every way."
_LEAD = {
    "robust": "Robust: other defensible choices give the same answer.",
    "mixed": "Mixed: most other defensible choices give the same answer, some do not.",
    "fragile": "Fragile: the answer depends on choices that others may make otherwise.",
    "": "Few choices can be made otherwise with these data: too few to call the answer robust or not.",
}
_SPREAD = "two in three practices lie within one spread of the middle"
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
    if _only_close(found) and found.agree == n:
        return f"**In {of(n, n)} too it is {where(found.here.stands)} ({tag}){_edge(found)}.**"
    if _only_close(found):
        return f"**{counted[:-1]}{_edge(found)}.** {_turned(found)}"
    return " ".join(part for part in (f"**{_LEAD[found.label]}**", counted, _turned(found), far(found)) if part)


def far(found: Ways) -> str:
    """Return in how many ways it is far outside the usual range, where it is here."""
    if found.here is None or not found.here.far or not found.others:
        return ""
    return f"It is far outside here, and far outside in {none(found.far)} of {ways(len(found.others))}."


def _edge(found: Ways) -> str:
    """Return what agreement close to the edge is worth, for the end of a sentence; nothing where it is not close."""
    if not _only_close(found) or found.here is None:
        return ""
    size, side = _reason(found), "inside" if found.here.outside else "outside"
    if not size:
        return f", but close to the edge: a slight reason, not measured here, would put it {side}"
    return f", but close to the edge: a reason, not measured here, worth {size} would put it {side}"


def _only_close(found: Ways) -> bool:
    """Return whether it would be called robust if it were not so close to the edge."""
    return found.label == "robust" and found.close


def _reason(found: Ways) -> str:
    """Return how large a reason would be enough, as the pages subtract; empty where it is too little to print."""
    row, card = found.summary, found.facts.card
    if row is None or found.here is None or not known(row["unmeasured_points"]):
        return ""
    size = figures.apart(card, {"value": _would_be(found.here, row), "centre": found.here.expected})
    return "" if figures.is_nil(card, size) else figures.gap(card, size)


def _would_be(here: Way, row: Row) -> float:
    """Return what would have to be expected of it for it to change sides of the edge."""
    return here.expected + (1 if (here.z > 0) == here.outside else -1) * float(row["unmeasured_points"])


def same_question(found: Ways) -> str:
    """Return what the ways have in common: that each allows for patients, with the raw position where it differs."""
    if found.here is None or not found.others:
        return ""
    return f"{_each(found)}{_raw(found)} Many of these ways are nearly one another."


def _each(found: Ways) -> str:
    single = all(len(way.taken) == 1 for way in found.others)
    said = "Each changes one choice of ours" if single else "They change one choice of ours or several"
    return f"{said}." if found.rung == "M0" else f"{said}, and all of them allow for patients."


def _raw(found: Ways) -> str:
    """Return where the raw figure is, where that is not where it is once patients are allowed for."""
    raw, here = found.raw, found.here
    if raw is None or here is None:
        return ""
    then, now = (raw["position"], raw["z"] > 0), (_position(here), here.z > 0)
    outside = then[0] in boxes.FLAGGED
    if outside == here.outside and (not outside or then == now):
        return ""
    how = f"{'far ' if then[0] == 'far_outside' else ''}{where((outside, then[1]))}"
    name = found.facts.names.label("M0", found.comparator)
    less = ", but not far outside" if outside and now[0] == "far_outside" and then[0] != now[0] else ""
    return f" On the raw figure it is {how}{less} ({name})."


def _position(way: Way) -> str:
    return "far_outside" if way.far else "unusual" if way.outside else "usual"


def declared(found: Ways) -> str:
    """Return how many ways were declared and could not be made; nothing where all could."""
    if not found.missing:
        return ""
    return (
        f"{number(found.declared)} were declared; {number(found.missing)} could not be made with these data "
        "(workbook, sheet Ways)."
    )


def no_chance(found: Ways) -> str:
    """Return what a share of ways is not."""
    n = number(len(found.others))
    return f"{NOT_CHANCE} {n} of {n} does not mean 100% sure. {NOT_RIGHT}"


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
    """Return how far the difference runs over all ways, and which of them give its ends."""
    card, here = found.facts.card, found.here
    if here is None or not found.others:
        return ""
    run = sorted((here, *found.others), key=lambda way: apart(card, way))
    low, high = apart(card, run[0]), apart(card, run[-1])
    if low * high > 0 and low < 0:
        run, low, high = run[::-1], high, low
    first, last = _beside(card, low), _beside(card, high)
    if low * high > 0:  # both ends have the unit and the side of the last
        first = first.split(" ")[0]
    said = f"Its figure is {_beside(card, apart(card, here))} the expected here; over all ways, {first} to {last} it"
    return f"{said}{_ends(run)}."


def _ends(run: list[Way]) -> str:
    """Return which ways give the two ends, where those do one thing otherwise."""
    least, most = (lower_first(named(way.taken)) if len(way.taken) == 1 else "" for way in (run[0], run[-1]))
    if run[0].difference == run[-1].difference:
        return ""
    said = [f"{which}: {name}" for which, name in (("first", least), ("last", most)) if name]
    return f" ({'; '.join(said)})" if said else ""


def apart(card: Any, way: Way) -> float:
    """Return the difference as what is printed subtracts, here and on every other page."""
    return figures.apart(card, {"value": way.value, "centre": way.expected, "difference": way.difference})


def _beside(card: Any, difference: float) -> str:
    if figures.is_nil(card, difference):
        return "no different from"
    return f"{figures.gap(card, difference)} {'above' if difference > 0 else 'below'}"


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
    up, moved, side = (here.z > 0) == here.outside, _would_be(here, row), "inside" if here.outside else "outside"
    size = _reason(found)
    if not size:
        more = "slightly more" if up else "slightly less"
        return (
            f"**A small reason would do: if {more} were expected of this practice, it would be {side}.** {_UNMEASURED}"
        )
    unit = "%" if figures.is_share(card) else ""
    was, then = f"{figures.shown(card, here.expected)}{unit}", figures.amount(card, moved)
    if known(row["unmeasured_sd"]) and row["unmeasured_sd"] < NEAR:
        return (
            f"**A small reason would do: if {then} were expected of this practice and not {was}, it would be {side} "
            f"the usual range.** {_UNMEASURED}"
        )
    lead = (
        f"**To be {side} the usual range, something not measured here would have to {'raise' if up else 'lower'} what "
        f"is expected of this practice from {was} to {then}.**"
    )
    return " ".join((lead, _moved_range(card, here), _yardstick(row, size), _UNMEASURED))


def _moved_range(card: Any, here: Way) -> str:
    """Return where the usual range would end then, since it moves with what is expected, and where it ends now."""
    unit = "%" if figures.is_share(card) else ""
    edge = here.expected + (here.upper if here.z > 0 else here.lower)
    own, now = (f"{figures.shown(card, value)}{unit}" for value in (here.value, edge))
    end = "end" if here.z > 0 else "begin"
    return f"The usual range of practices like it would then {end} at its own figure, {own}, and not at {now}."


def _yardstick(row: Row, size: str) -> str:
    """Return the strength in spreads of practices, and as a multiple of the strongest measured thing if that serves."""
    said = f"That is {size}, {_size(row['unmeasured_sd'])} the spread of practices ({_SPREAD})"
    if not known(row["unmeasured_multiple"]) or not row["strongest"]:
        return f"{said}; what was measured of patients explains too little here to serve as a yardstick."
    times, strongest = _size(row["unmeasured_multiple"]), boxes.allowed_for([str(row["strongest"])])
    return (
        f"{said}. Of all that was measured, what {strongest} adds to the expected figure differs most from practice to "
        f"practice; this is {times} the spread of that."
    )


def _size(times: float) -> str:
    return f"{number(times, 1 if times < 10 else 0)} times"


def icb_right(found: Ways) -> list[str]:
    """Return what must be conceded: that the answer does not hang on our choices, or that others put it outside."""
    here, n, many = found.here, len(found.others), found.outside
    if here is None or not n:
        return []
    if here.outside:
        also = f", and far outside in {number(found.far)} of them" if here.far and found.far else ""
        said = (
            "That the practice is outside the usual range does not hang on the choices made here: it is so in "
            f"{of(many, n)} too{also}."
        )
        return [said] if found.label == "robust" and not found.close else []
    said = f"Other choices that can be made as well put it outside the usual range: {of(many, n)}."
    raw = found.raw
    without = "Every one of these ways allows for patients. Without that it is outside the usual range."
    outside = raw is not None and raw["position"] in boxes.FLAGGED
    return [text for text, so in ((said, many > 0), (without, outside)) if so]


def brief(found: Ways) -> str:
    """Return the same in a sentence or two, for a page that is about something else."""
    n = len(found.others)
    if found.here is None or not n:
        return ""
    made = f"of comparing ({found.tag})"
    each = f"{_each(found)}{_raw(found)}"
    if found.agree == n or found.never_outside:
        side = "outside" if found.here.outside else "inside"
        said = f"It is {side} the usual range in {of(n, n)} {made}"
        turn = "" if found.agree == n else "; on which side of what is expected depends on the choice"
        return " ".join(part for part in (f"{said}{turn}{_edge(found)}.", far(found), each) if part)
    said = f"In no other way {made} does it stand so."
    if found.agree:
        said = f"It stands the same in {of(found.agree, n)} {made}{_edge(found)}."
    return " ".join(part for part in (said, _briefly(found), far(found), each) if part)


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
    """Return what a verdict must not go without: in how many ways it stands elsewhere, and what those do."""
    agrees = found.agree == len(found.others)
    if found.label == "robust" or found.here is None or found.never_outside or agrees:
        return ""
    start = "It depends on choices that others may make otherwise. " if found.label == "fragile" else ""
    return f"{start}{brief(found)}"


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]
