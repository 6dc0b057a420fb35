"""Two pictures of the trial: planted practices found, by reliability; places that are true, by the odds said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar.charts.style import DARK_BLUE, DARK_GREY, DARK_PINK, Chart, canvas, set_title, style
from gpvar.words import calibration_pictures as words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.words.calibration_facts import TrialFacts


def calibration_charts(facts: TrialFacts) -> tuple[Chart, ...]:
    """Return the pictures of what was counted; none for what was not."""
    return (*_plants(facts), *_odds(facts))


def _percent(axes: Axes, which: str) -> None:
    """Give an axis whole per cents."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")


#: Marker, face and edge of each kind of points.
_LOOKS = (("o", DARK_BLUE, DARK_BLUE), ("s", "white", DARK_PINK), ("^", "white", DARK_GREY))


def _points(
    axes: Axes,
    at: pd.Series,
    share: pd.Series,
    error: pd.Series,
    look: tuple[str, str, str] = _LOOKS[0],
    label: str = "",
) -> None:
    """Draw shares with twice their Monte-Carlo error either way."""
    marker, face, edge = look
    axes.errorbar(
        at, share, 2 * error.fillna(0), fmt=marker, color=edge, markerfacecolor=face, markersize=5, capsize=3,
        linewidth=1.2, label=label,
    )  # fmt: skip


def _plants(facts: TrialFacts) -> tuple[Chart, ...]:
    rows = words.plants(facts)
    if len(rows) < 2:
        return ()
    data = pd.DataFrame(
        {
            "reliability": [float(row["group"].removeprefix("r ")) for row in rows],
            "found": [row["estimate"] for row in rows],
            "error": [row["se"] for row in rows],
            "bar": [row["low"] for row in rows],
        }
    ).sort_values("reliability", ignore_index=True)
    with style():
        figure, axes = canvas(3.1, 2.7)
        _points(axes, data["reliability"], data["found"], data["error"])
        barred = data.dropna(subset="bar")
        if len(barred):
            axes.hlines(
                barred["bar"], barred["reliability"] - 0.03, barred["reliability"] + 0.03, color=DARK_PINK, linewidth=2
            )
            at = (barred["reliability"].iloc[0] - 0.035, barred["bar"].iloc[0])
            axes.annotate(words.BAR, at, color=DARK_PINK, fontsize=9, ha="right", va="center")
        axes.set_xticks(data["reliability"])
        axes.set_xlim(data["reliability"].min() - 0.06, data["reliability"].max() + 0.06)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel(words.RELIABILITY)
        axes.set_ylabel(words.FOUND)
        _percent(axes, "y")
        set_title(figure, words.plants_title(), 40)
    return (Chart(figure, words.plants_title(), words.plants_alt(rows), data, "calibration_plants"),)


def _odds(facts: TrialFacts) -> tuple[Chart, ...]:
    pairs = facts.odds_of_everyone()
    if len(pairs) < 2:
        return ()
    data = pd.DataFrame(
        {
            "of": [of.rpartition(", ")[2] for of, *_ in pairs],
            "odds_said": [said["estimate"] for _, said, *_ in pairs],
            "true": [true["estimate"] for _, _, true, _ in pairs],
            "error": [true["se"] for _, _, true, _ in pairs],
            "places": [true["chances"] for _, _, true, _ in pairs],
        }
    )
    with style():
        figure, axes = canvas(3.1, 2.7)
        axes.plot([0, 1], [0, 1], color=DARK_GREY, linewidth=1, linestyle="--")
        for (of, part), look in zip(data.groupby("of"), _LOOKS, strict=False):
            _points(axes, part["odds_said"], part["true"], part["error"], look, str(of))
        if data["of"].nunique() > 1:
            axes.legend(loc="upper left", frameon=False, fontsize=8)
        axes.set_xticks(np.linspace(0, 1, 5))
        axes.set_yticks(np.linspace(0, 1, 5))
        axes.set_ylim(-0.04, 1.04)
        axes.set_xlabel(words.SAID)
        axes.set_ylabel(words.TRUE)
        _percent(axes, "x")
        _percent(axes, "y")
        set_title(figure, words.odds_title(), 40)
    return (Chart(figure, words.odds_title(), words.odds_alt(facts), data, "calibration_odds"),)
