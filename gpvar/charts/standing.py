"""What one practice's figure is made of, and the practices most like it, none of them named."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from gpvar.charts import scale as drawing
from gpvar.charts.style import (
    DARK_BLUE,
    DARK_GREY,
    DARK_PINK,
    ORANGE,
    PEER_GREY,
    TURQUOISE,
    Chart,
    canvas,
    set_title,
    style,
)
from gpvar.words import figures, pictures, standing_parts, standing_pictures
from gpvar.words.standing_facts import STEP, Standing, Step
from gpvar.words.standing_facts import standing as gathered
from gpvar.words.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.results import Run

BAND = "#E4EAF0"
# Lightness and hatching tell the parts apart as well as colour does.
_LOOKS = {
    "need": (DARK_BLUE, ""),
    "context": (TURQUOISE, "...."),
    "place": ("#CFD9E2", "////"),
    "own": (ORANGE, ""),
    "remainder": (PEER_GREY, "xxxx"),
}


def standing_waterfall(run: Run, practice: str = "", metric: str = "") -> tuple[Chart, ...]:
    """Return the steps from a typical practice to this one's figure; empty where the figure was not divided."""
    found = gathered(run, practice, metric)
    facts, steps = found.facts, found.steps
    if not steps:
        return ()
    card, spread = facts.card, facts.spread.get(("M0", "england"), {})
    band = [spread.get(end, float("nan")) * card.scale for end in ("middle_lower", "middle_upper")]
    title = standing_parts.message(found)
    with style():
        figure, axes = canvas(6.3, 0.72 + 0.28 * (len(steps) + 1))
        _band(axes, band)
        _draw(axes, found)
        ends = [x for step in steps for x in (step.start, step.reached)] + [x for x in band if x == x]
        room = 0.12 * max(max(ends) - min(ends), 1e-9)
        axes.set_xlim(min(ends) - room, max(ends) + room)
        axes.set_xlabel(textwrap.fill(f"{pictures.value_axis(card)}. {standing_pictures.BAND}", 95), fontsize=8)
        set_title(figure, title, 80)
    data = pd.DataFrame(
        {
            "step": [STEP[step.name] for step in steps],
            "adds": [step.change for step in steps],
            "reaches": [step.reached for step in steps],
        }
    )
    alt = standing_parts.alternative(found, band)
    return (Chart(figure, title, alt, data, f"{facts.code}_{card.id}_waterfall"),)


def _band(axes: Axes, band: list[float]) -> None:
    if all(x == x for x in band):
        axes.axvspan(*band, color=BAND, zorder=0)
        for x in band:
            axes.axvline(x, color=DARK_BLUE, linewidth=0.8, linestyle=":", zorder=1)


def _draw(axes: Axes, found: Standing) -> None:
    steps, places = found.steps, found.places
    rows = range(len(steps), -1, -1)
    for y, step in zip(rows, steps, strict=False):
        if step.name == "reference":
            axes.plot([step.reached] * 2, [y - 0.3, y + 0.3], color=DARK_BLUE, linewidth=3, zorder=4)
        else:
            _bar(axes, y, step)
        # The line that carries what was reached down to the next row.
        axes.plot([step.reached] * 2, [y, y - 1], color=DARK_GREY, linewidth=0.7, zorder=2)
        _label(axes, y, step, standing_parts.signed(step, places), places)
    last = steps[-1].reached
    axes.plot(last, 0, "D", color=DARK_PINK, markersize=8, markeredgecolor="white", zorder=5)
    _write(axes, last, 0, number(last, places), "right")
    axes.set_yticks(rows, [*(STEP[step.name] for step in steps), "This practice"])
    axes.set_ylim(-0.6, len(steps) + 0.6)


def _bar(axes: Axes, y: int, step: Step) -> None:
    colour, hatch = _LOOKS[step.name]
    axes.barh(
        y, step.change, left=step.start, height=0.56, color=colour, hatch=hatch, edgecolor=DARK_GREY, linewidth=0.8,
        zorder=3,
    )  # fmt: skip


def _label(axes: Axes, y: int, step: Step, text: str, places: int) -> None:
    if step.name == "reference":
        _write(axes, step.reached, y, number(step.reached, places), "right")
        return
    side = "right" if step.change >= 0 else "left"
    _write(axes, step.reached, y, text, side)


def _write(axes: Axes, x: float, y: float, text: str, side: str) -> None:
    axes.annotate(
        text, (x, y), xytext=(7 if side == "right" else -7, 0), textcoords="offset points",
        ha="left" if side == "right" else "right", va="center", fontsize=9, fontweight="bold", color=DARK_GREY,
        zorder=6, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
    )  # fmt: skip


def standing_neighbours(run: Run, practice: str = "", metric: str = "") -> tuple[Chart, ...]:
    """Return the figures of the practices most like it beside its own, nobody named; empty where none can be shown."""
    found = gathered(run, practice, metric)
    facts, near, row = found.facts, found.neighbours, found.facts.row("M0")
    if not near.values or row is None or figures.is_hidden(row):
        return ()
    card = facts.card
    values = drawing.significant(pd.Series(near.values, dtype=float) * card.scale, 3)
    own, middle = row["value"] * card.scale, near.middle * card.scale
    title = standing_pictures.neighbours_title(near, row["value"])
    with style():
        figure, axes = canvas(6.3, 1.45)
        axes.plot([values[0], values[-1]], [0, 0], color=PEER_GREY, linewidth=2, zorder=1)
        axes.plot(values, [0] * len(values), "o", color=DARK_GREY, markersize=7, markeredgecolor="white", zorder=2,
                  label="practices most like it")  # fmt: skip
        axes.plot([middle] * 2, [-0.35, 0.35], color=DARK_BLUE, linewidth=2.2, zorder=3, label="their middle")
        axes.plot(own, 0, "D", color=DARK_PINK, markersize=10, markeredgecolor="white", zorder=4, label="this practice")
        axes.set_ylim(-0.6, 0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(textwrap.fill(pictures.value_axis(card), 95), fontsize=8)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 0.92), frameon=False, fontsize=9, ncols=3, borderaxespad=0)
        set_title(figure, title, 70)
    data = pd.DataFrame({"which": "practice like it", "value": values})
    data.loc[len(data)] = ["this practice", float(drawing.significant(pd.Series([own]), 3)[0])]
    alt = standing_pictures.neighbours_alt(card, near, row["value"])
    return (Chart(figure, title, alt, data, f"{facts.code}_{card.id}_like"),)
