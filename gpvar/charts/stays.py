"""Who stays in the lowest tenth from one month to the others: a hundred marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar.charts.style import DARK_BLUE, DARK_PINK, Chart, canvas, set_title, style
from gpvar.words import passing as words
from gpvar.words.facts import area_facts

if TYPE_CHECKING:
    from gpvar.results import Run

_ACROSS = 20


def passing(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return a mark for each of 100 practices in one month's lowest tenth; empty where movement was not measured."""
    facts = area_facts(run, metric)
    row = words.used(facts.analysis.passing)
    if row is None:
        return ()
    stay = round(100 * row["stay_observed"])
    looks = (("o", DARK_BLUE, DARK_BLUE), ("o", "white", DARK_PINK))
    title, labels = words.stays_title(row), words.stays_labels(row)
    with style():
        figure, axes = canvas(6.3, 2.1)
        for (marker, face, edge), label, marks in zip(looks, labels, (range(stay), range(stay, 100)), strict=True):
            axes.plot(
                [mark % _ACROSS for mark in marks], [-(mark // _ACROSS) for mark in marks], marker, markersize=9,
                markerfacecolor=face, markeredgecolor=edge, markeredgewidth=1.6, linestyle="none", label=label,
            )  # fmt: skip
        axes.set_axis_off()
        axes.set_xlim(-0.6, _ACROSS - 0.4)
        axes.set_ylim(-100 // _ACROSS + 0.4, 0.6)
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
        set_title(figure, title, 70)
    data = pd.DataFrame({"of 100 practices": list(labels), "practices": [stay, 100 - stay]})
    return (Chart(figure, title, words.stays_alt(facts.card, row), data, f"area_{facts.card.id}_stays"),)
