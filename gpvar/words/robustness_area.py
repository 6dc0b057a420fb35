"""The sentences on other defensible choices for an area: how many answers hang on one, and which moves most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words.robustness import capital, none, of
from gpvar.words.robustness_choices import CHOICES, option
from gpvar.words.text import is_are, number, plural

if TYPE_CHECKING:
    from gpvar.words.phrases import Names
    from gpvar.words.robustness_facts import AreaWays

MEANS = (
    "Robust: it stands the same in at least 90 in 100 of the other ways, or is outside in none. Fragile: in fewer than "
    "two thirds. Robust is not the same as right: a fault of the data is in every way."
)


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
    always, robust, fragile = sum(many == n for many in out), labels["robust"], labels["fragile"]
    if always == len(out):
        return f"**All {whole} are there in {of(n, n)} too.**"
    there = f"{none(always)} {is_are(always)} there in {of(n, n)} too."
    if not sum(labels.values()):  # too few ways to call anything robust
        return f"**Of the {whole}, {there}**"
    return f"**Of the {whole}, {none(robust)} {is_are(robust)} robust and {none(fragile)} fragile.** {capital(there)}"


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
