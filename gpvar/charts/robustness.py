"""Other defensible ways of making the comparison: one practice's curve over all of them, and an area's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from gpvar.charts import scale as drawing
from gpvar.charts.style import (
    DARK_BLUE,
    DARK_GREY,
    DARK_PINK,
    ORANGE,
    Chart,
    canvas,
    set_title,
    style,
)
from gpvar.words import robustness_pictures as words
from gpvar.words.robustness_choices import CHOICES, option
from gpvar.words.robustness_facts import AreaWays, Way, Ways, area_ways, practice_ways

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

    from gpvar.results import Run

BAND = "#CFD9E2"
#: Above so many ways marks become small, and an area's counts go by tenths.
_MANY = 40
_BINS = 20
_TEXT, _SMALL = 10, 8


def standing_other_ways(run: Run, practice: str = "", metric: str = "") -> tuple[Chart, ...]:
    """Return the practice's difference in every way, and below it what is done otherwise; empty without other ways."""
    found = practice_ways(run, practice, metric)
    if found.here is None or not found.others or found.alike:
        return ()
    ways = sorted((found.here, *found.others), key=lambda way: (way.difference, way.spec))
    rows = _rows(ways)
    title, card = words.curve_title(found), found.facts.card
    with style():
        figure = Figure(figsize=(6.3, 2.9 + 0.19 * len(rows)), layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0.0))
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[8.0, max(len(rows), 1.0)])
        _curve(above, ways, found)
        _choices(below, ways, rows)
        legend = figure.legend(
            loc="outside lower left", ncols=2, frameon=False, fontsize=_TEXT, handletextpad=0.4, columnspacing=1.2
        )
        set_title(figure, title, 78)
        _told(legend, words.about(found))
    return (Chart(figure, title, words.curve_alt(found), _data(ways, found), f"{found.facts.code}_{card.id}_ways"),)


def _told(legend: Legend, about: str) -> None:
    """Write what the picture is of above its key, so that it can stand alone."""
    legend.set_title(about)
    legend.get_title().set_fontsize(_SMALL)
    legend.set_alignment("left")
    legend.get_title().set_color(DARK_GREY)


def _rows(ways: list[Way]) -> list[tuple[str, str]]:
    """Return the options that some way takes and the way used here does not, by choice."""
    taken = {item for way in ways for item in way.taken.items()}
    return sorted(taken, key=lambda item: (list(CHOICES).index(item[0]), option(*item)))


def _curve(axes: Axes, ways: list[Way], found: Ways) -> None:
    scale, small = found.facts.card.scale, len(ways) > _MANY
    x = np.arange(len(ways))
    low, high = (np.array([getattr(way, end) * scale for way in ways]) for end in ("lower", "upper"))
    axes.bar(x, high - low, bottom=low, width=1.0 if small else 0.8, color=BAND, linewidth=0, label=words.USUAL)
    axes.axhline(0, color=DARK_BLUE, linewidth=0.9)
    looks = (
        ([i for i, way in enumerate(ways) if way.taken and way.outside], ORANGE, DARK_GREY, "o", words.OUTSIDE),
        ([i for i, way in enumerate(ways) if way.taken and not way.outside], "white", DARK_GREY, "o", words.INSIDE),
        ([i for i, way in enumerate(ways) if not way.taken], DARK_PINK, "white", "D", words.here_label(found)),
    )
    for places, face, edge, marker, label in looks:  # one that no way has is in the legend all the same
        size = (7.0 if marker == "D" else 3.0) if small else (9.0 if marker == "D" else 6.5)
        axes.plot(
            places, [ways[i].difference * scale for i in places], marker, markersize=size, markerfacecolor=face,
            markeredgecolor=edge, markeredgewidth=0.8 if small else 1.6, linestyle="none", label=label, zorder=3,
        )  # fmt: skip
    axes.set_title(words.curve_axis(found.facts.card), fontsize=_TEXT, fontweight="normal")
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.set_xlim(-0.7, len(ways) - 0.3)
    every = np.concatenate([low, high, [way.difference * scale for way in ways]])
    room = 0.12 * max(np.ptp(every), 1e-9)
    axes.set_ylim(every.min() - room, every.max() + room)


def _choices(axes: Axes, ways: list[Way], rows: list[tuple[str, str]]) -> None:
    here = next(i for i, way in enumerate(ways) if not way.taken)
    small = len(ways) > _MANY
    axes.axvline(here, color=DARK_PINK, linewidth=0.9, linestyle=":")
    for y, (choice, name) in enumerate(reversed(rows)):
        if y % 2 == 0:
            axes.axhspan(y - 0.5, y + 0.5, color="#F3F5F7", zorder=0)
        x = [i for i, way in enumerate(ways) if way.taken.get(choice) == name]
        marker, size = ("|", 5.0) if small else ("s", 4.5)
        axes.plot(x, [y] * len(x), marker, color=DARK_BLUE, markersize=size, linestyle="none", zorder=2)
    axes.set_yticks(range(len(rows)), [option(*row) for row in reversed(rows)], fontsize=_TEXT)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="both", length=0, labelbottom=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _data(ways: list[Way], found: Ways) -> pd.DataFrame:
    scale = found.facts.card.scale
    numbers = {
        name: drawing.significant(pd.Series([getattr(way, name) * scale for way in ways], dtype=float), 4)
        for name in ("difference", "lower", "upper")
    }
    named = [words.named(way.taken) for way in ways]
    return pd.DataFrame({"way": [way.spec for way in ways], "what is done otherwise": named, **numbers}).assign(
        same_as_here=["yes" if way.agrees else "no" for way in ways]
    )


def area_other_ways(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return in how many other ways an area's practices are outside the usual range; empty where none ever is."""
    found = area_ways(run, metric)
    if found is None or not found.made or not any(found.outside[True] + tuple(n for n in found.outside[False] if n)):
        return ()
    labels, counts = _binned(found)
    title = words.area_title(found)
    with style():
        figure, axes = canvas(6.3, 3.4)
        for side, colour, hatch in ((True, DARK_BLUE, ""), (False, BAND, "////")):
            under = np.array(counts[True]) * (not side)
            bars = axes.bar(
                np.arange(len(labels)), counts[side], bottom=under, width=0.7, color=colour, hatch=hatch,
                edgecolor=DARK_GREY, linewidth=0.8, label=words.bar_label(found, side),
            )  # fmt: skip
            written = axes.bar_label(bars, [str(n) if n else "" for n in counts[side]], label_type="center")
            for text in written:
                text.set(fontsize=_TEXT, color="white" if side else "black", fontweight="bold")
                text.set_bbox(None if side else {"facecolor": "white", "edgecolor": "none", "pad": 1.0})
        axes.set_xticks(range(len(labels)), labels, fontsize=_TEXT)
        axes.set_xlabel(words.area_axis(found), fontsize=_TEXT)
        axes.set_title("Practices", fontsize=_TEXT, fontweight="normal")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 1.1 * max(*np.add(counts[True], counts[False]), 1))
        legend = figure.legend(loc="outside lower left", ncols=1, frameon=False, fontsize=_TEXT)
        set_title(figure, title, 78)
        _told(legend, words.about(found))
    data = pd.DataFrame({"other_ways_outside": labels, "outside_here": counts[True], "inside_here": counts[False]})
    alt = words.area_alt(found)
    return (Chart(figure, title, alt, data, f"area_{found.facts.card.id}_ways"),)


def _binned(found: AreaWays) -> tuple[list[str], dict[bool, list[int]]]:
    """Return the labels of the axis and the practices at each; those that are outside in no way are not drawn."""
    n = len(found.made)
    if n <= _BINS:
        labels = [str(i) for i in range(n + 1)]
        places = {side: list(many) for side, many in found.outside.items()}
    else:
        labels = ["none", *(f"to {10 * i}%" for i in range(1, 11))]
        places = {side: [int(np.ceil(10 * k / n)) for k in many] for side, many in found.outside.items()}
    counts = {side: [found_at.count(i) for i in range(len(labels))] for side, found_at in places.items()}
    counts[False][0] = 0
    return labels, counts
