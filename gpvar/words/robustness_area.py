"""The sentences on other defensible choices for an area: how many answers hang on one, and which moves most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words.robustness import NOT_CHANCE, NOT_RIGHT, capital, none, of
from gpvar.words.robustness_choices import CHOICES, option
from gpvar.words.text import is_are, number, plural

if TYPE_CHECKING:
    from collections import Counter

    from gpvar.words.phrases import Names
    from gpvar.words.robustness_facts import AreaWays

MEANS = (
    "Robust: it stands the same in at least 90 in 100 of the other ways, or is outside in none, and is not close to "
    "the edge. Fragile: in fewer than two thirds."
)


def means(found: AreaWays) -> str:
    """Return what the words mean, how many ways could not be made, and what a share of ways is not."""
    n = number(len(found.made))
    missing = len(found.missing)
    gone = (
        f"{number(len(found.made) + missing)} ways were declared; {number(missing)} could not be made with these data "
        "(workbook, sheet Ways)."
    )
    said = [MEANS, NOT_RIGHT, gone if missing else "", NOT_CHANCE, f"{n} of {n} does not mean 100% sure."]
    return " ".join(part for part in said if part)


def lead(found: AreaWays, names: Names) -> str:
    """Return how many of those outside the usual range stay there, and how many others come to stand outside."""
    if not found.judged or not found.made:
        return "**Whether the answers hang on the choices made is not known.** These data allow no other way."
    return " ".join(part for part in (_stay(found, names.label(found.rung, "england")), _come(found)) if part)


def _stay(found: AreaWays, tag: str) -> str:
    out, labels, n = found.outside[True], found.labels[True], len(found.made)
    if not out:
        return f"**No practice is outside the usual range here ({tag}).**"
    if len(out) == 1:
        return f"**The one practice outside the usual range here ({tag}) is there in {of(out[0], n)}.**"
    whole = f"{plural(len(out), 'practice')} outside the usual range here ({tag})"
    always = sum(many == n for many in out)
    if always == len(out):
        said = f"**All {whole} are outside in {of(n, n)} too.**"
    else:
        said = f"**Of the {whole}, {none(always)} {is_are(always)} outside in {of(n, n)} too{_rest(out, n)}.**"
    return f"{said}{_firm(labels)}"


def _rest(out: tuple[int, ...], n: int) -> str:
    """Return in how many ways those are outside that are not in all."""
    rest = sorted(many for many in out if many != n)
    if not rest:
        return ""
    ends = none(rest[0]) if rest[0] == rest[-1] else f"{number(rest[0])} to {number(rest[-1])}"
    who = "all" if len(rest) == len(out) else "the other one" if len(rest) == 1 else f"the other {number(len(rest))}"
    return f"; {who} in {ends} of {number(n)}"


def _firm(labels: Counter[str]) -> str:
    """Return how many are robust and fragile, those close to the edge apart; nothing on a handful of ways."""
    if not sum(labels.values()):
        return ""
    robust, fragile, close = (labels[name] for name in ("robust", "fragile", "close"))
    said = f" {capital(none(robust))} {is_are(robust)} robust and {none(fragile)} fragile."
    if close:
        said += (
            f" {number(close)} more would be robust but {is_are(close)} close to the edge, where a small reason that "
            "nobody measured is enough."
        )
    return said


def icb_right(found: AreaWays | None) -> list[str]:
    """Return what speaks for the ICB: who is outside whatever is chosen, and who would be by another choice."""
    if found is None or not found.made or not found.judged:
        return []
    out, n = found.outside[True], len(found.made)
    always, come = sum(many == n for many in out), sum(many > 0 for many in found.outside[False])
    said = []
    if always:
        said.append(
            f"{number(always)} of the {number(len(out))} outside the usual range {is_are(always)} outside whichever of "
            "the choices described on this page is made."
        )
    if come:
        said.append(f"{number(come)} {'more ' if out else ''}would be outside by another choice.")
    return [" ".join(said)] if said else []


def _come(found: AreaWays) -> str:
    inside, n = found.outside[False], len(found.made)
    if not inside:
        return ""
    come, often = sum(many > 0 for many in inside), sum(many > n / 3 for many in inside)
    whole = number(len(inside))
    if not come:
        return f"None of the {whole} inside it would be outside in any other way."
    return (
        f"Of the {whole} inside it, {number(come)} would be outside in some other way, {none(often)} in more than a "
        "third of them."
    )


def choice(found: AreaWays) -> str:
    """Return which single choice moves most practices across the edge of the usual range, and in which direction."""
    if not found.made or not found.judged:
        return ""
    if found.strongest is None:
        return "**No single choice moves a practice across the edge of the usual range.**"
    way, out, inside = found.strongest
    ((what, name),) = way["taken"].items()
    return (
        f"**The choice that moves most: {CHOICES[what]}.** {option(what, name)}: of "
        f"{plural(found.judged, 'practice')}, {none(out)} would come to stand outside the usual range, "
        f"{none(inside)} inside it."
    )
