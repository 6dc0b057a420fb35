"""Pictures of a sentence that is not about one figure beside others: changes, counts, ratios and sums."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from gpvar.charts.style import DARK_BLUE, DARK_GREY, DARK_PINK, FAINT_GREY, ORANGE, Chart, canvas, set_title, style
from gpvar.words import claims_pictures as words
from gpvar.words import figures, pictures
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.words.claims_facts import ClaimFacts

WIDTH = 6.3
NAN = float("nan")
_LOOKS = ((DARK_PINK, "-", "D"), (DARK_GREY, (0, (4, 2)), "s"), (DARK_BLUE, (0, (1, 1.5)), "o"))


def change_lines(facts: ClaimFacts) -> tuple[Chart, ...]:
    """Return a figure before and after, beside what England's change and a return to the middle would have made it."""
    found = words.change_points(facts)
    if not found:
        return ()
    card, scale = facts.card, float(facts.card.scale)
    title = words.change_title(facts)
    with style():
        figure, axes = canvas(WIDTH, 2.1)
        for (first, last), (colour, dash, marker) in zip(found.values(), _LOOKS, strict=False):
            axes.plot(
                [0, 1], [first * scale, last * scale], color=colour, linestyle=dash, linewidth=2.2, marker=marker,
                markersize=7, markeredgecolor="white",
            )  # fmt: skip
        if facts.has("left_lower", "left_upper"):
            # Beyond this bar lies a change that neither England's nor the return to the middle accounts for.
            ends = [(facts.get(words.after(facts)) - facts.get(n)) * scale for n in ("left_upper", "left_lower")]
            axes.plot([1, 1], ends, color=DARK_BLUE, linewidth=5, alpha=0.35, zorder=1, solid_capstyle="butt")
        _direct(axes, [(name, last * scale) for name, (_, last) in found.items()], card)
        axes.set_xlim(-0.08, 2.6)
        axes.set_xticks([0, 1], words.change_ends(facts))
        axes.spines["bottom"].set_bounds(-0.08, 1.08)
        axes.set_ylabel(textwrap.fill(pictures.value_axis(card), 26), fontsize=8)
        set_title(figure, title, 78)
    data = pd.DataFrame([{"line": n, "before": a * scale, "after": b * scale} for n, (a, b) in found.items()])
    return (Chart(figure, title, words.change_alt(facts, found), data, ""),)


def _direct(axes: Axes, points: list[tuple[str, float]], card: object) -> None:
    """Name the lines and write their figures at their ends, moved apart where they would lie on one another."""
    low, high = axes.get_ylim()
    least = 0.2 * (high - low)
    places, unit = (1, "%") if figures.is_share(card) else (0, "")
    at = -float("inf")
    for name, value in sorted(points, key=lambda point: point[1]):
        at = max(value, at + least)
        axes.annotate(
            f"{number(value, places)}{unit}: {textwrap.fill(name, 40)}", (1, value), xytext=(1.08, at),
            textcoords="data", va="center", fontsize=8.5, color=DARK_GREY,
        )  # fmt: skip
    axes.set_ylim(low, max(high, at + 0.5 * least))


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands on lines of its own beside one scale.

    Attributes
    ----------
    rows
        Name → value and the ends of its interval, NaN where it has none; the first is what the sentence is about.
    line, line_name
        A line across all of them; NaN for none.
    """

    rows: dict[str, tuple[float, float, float]]
    unit: str
    places: int
    line: float = NAN
    line_name: str = ""
    ends: tuple[float, float] | None = None
    more: dict[str, float] = field(default_factory=dict)


def marks(facts: ClaimFacts) -> tuple[Chart, ...]:
    """Return the numbers that decide such a sentence, each on a line of its own with its interval."""
    found = _gathered(facts)
    if found is None or not any(known(value) for value, _, _ in found.rows.values()):
        return ()
    rows = {name: row for name, row in found.rows.items() if known(row[0])}
    title = words.bars_title(facts)
    with style():
        figure, axes = canvas(WIDTH, 0.85 + 0.42 * len(rows))
        places = list(range(len(rows), 0, -1))
        for y, (value, low, high) in zip(places, rows.values(), strict=True):
            first = y == len(rows)
            if known(low) and known(high):
                axes.plot([low, high], [y, y], color=DARK_PINK if first else DARK_BLUE, linewidth=2.4)
            axes.plot(
                value, y, "D" if first else "o", color=DARK_PINK if first else DARK_BLUE, markersize=8,
                markeredgecolor="white", zorder=4,
            )  # fmt: skip
            places_shown = 0 if float(value).is_integer() else found.places
            axes.annotate(
                number(value, places_shown), (value, y), xytext=(0, 7), textcoords="offset points", ha="center",
                fontsize=9, fontweight="bold", color=DARK_GREY,
            )  # fmt: skip
        if known(found.line):
            axes.axvline(found.line, color=ORANGE, linewidth=2, linestyle=(0, (4, 2)), label=found.line_name, zorder=1)
            figure.legend(loc="outside lower left", frameon=False, fontsize=9)
        axes.set_yticks(places, [textwrap.fill(name, 30) for name in rows])
        axes.set_ylim(0.5, len(rows) + 0.7)
        axes.grid(axis="x", color=FAINT_GREY, linewidth=0.4, alpha=0.5)
        axes.set_xlabel(textwrap.fill(found.unit, 80), fontsize=8)
        _room(axes, found)
        set_title(figure, title, 78)
    data = pd.DataFrame([{"what": name, "value": v, "lower": a, "upper": b} for name, (v, a, b) in rows.items()])
    line = {found.line_name: (found.line, NAN, NAN)} if known(found.line) else {}
    return (Chart(figure, title, words.bars_alt(rows | line, found.unit, found.places), data, ""),)


def _room(axes: Axes, found: Marks) -> None:
    low, high = axes.get_xlim()
    if found.ends is not None:
        low, high = min(found.ends[0], low), max(found.ends[1], high)
    room = 0.04 * (high - low)
    axes.set_xlim(low - room, high + room)


def _gathered(facts: ClaimFacts) -> Marks | None:
    test = facts.template.test
    get, here = facts.get, facts.names.reference
    subject = words.subject(facts)
    if test == "exemplar":
        rows = {
            "Practices most like it that reach it": _per_cent(facts, "share", "share_lower", "share_upper"),
            f"All practices in {here}": _per_cent(facts, "england_share"),
        }
        return Marks(rows, words.REACH_UNIT, 0, 20.0, words.REACH_LINE, (0.0, 30.0))
    if test == "many":
        rows = {
            subject: (get("k"), NAN, NAN),
            "A practice that differs in nothing": (get("expected"), NAN, NAN),
        }
        return Marks(rows, f"indicators rated red, of {number(get('m'))}", 1, ends=(0.0, get("m")))
    if test == "ratio":
        rows = {
            subject: (get("ratio"), get("ratio_low"), get("ratio_high")),
            f"Middle practice in {here}": (get("england_middle"), NAN, NAN),
        }
        return Marks(rows, words.RATIO_UNIT, 0, get("line"), words.THRESHOLD)
    if test == "opportunity":
        rows = {
            "In the letter": (get("written"), NAN, NAN),
            "The same sum on these figures": (get("raw_sum"), NAN, NAN),
            "With chance and passing movement taken off": (
                get("lasting_sum"), get("lasting_lower"), get("lasting_upper"),
            ),
        }  # fmt: skip
        return Marks(rows, words.sum_unit(facts), 0, ends=(0.0, 0.0))
    rows = {
        words.REQUESTS: tuple(1000 * get(f"requests_{end}") for end in ("difference", "lower", "upper")),
        words.REFERRALS: tuple(1000 * get(f"referrals_{end}") for end in ("difference", "lower", "upper")),
    }
    return Marks(rows, words.JOINT_UNIT, 1, 0.0, words.JOINT_LINE)


def _per_cent(facts: ClaimFacts, *names: str) -> tuple[float, float, float]:
    values = [100 * facts.get(name) for name in names]
    return (values[0], *(values[1:] or (NAN, NAN)))  # type: ignore[return-value]
