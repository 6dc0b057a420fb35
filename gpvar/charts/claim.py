"""The one picture of a sentence of a letter: the practice's figure beside what decides, or what fits the sentence."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.charts.claim_beside import change_lines, marks
from gpvar.charts.style import DARK_BLUE, DARK_GREY, DARK_PINK, ORANGE, Chart, canvas, set_title, style
from gpvar.charts.variation import variation_shares
from gpvar.words import claims_pictures as words
from gpvar.words import figures, pictures
from gpvar.words.claims_facts import ClaimFacts
from gpvar.words.claims_pages import NOT_JUDGED
from gpvar.words.text import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Drawn = tuple[Chart, ...]
BAND = "#CFD9E2"
WIDTH = 6.3
_RUNGS = ("M0", "M1", "M2")
#: Tests of a sentence that need not name a measure.
_WITHOUT_MEASURE = ("many", "ratio", "joint")


def claim_chart(facts: ClaimFacts) -> Drawn:
    """Return the picture of a sentence; empty where there is no figure to draw.

    Parameters
    ----------
    facts
        The sentence with its finding (`gpvar.words.claim_facts`).
    """
    maker = _MAKERS.get(facts.template.test)
    of_a_measure = facts.template.test not in _WITHOUT_MEASURE
    if maker is None or facts.finding.reason in NOT_JUDGED or (of_a_measure and facts.card is None):
        return ()
    return tuple(replace(chart, name=_name(facts)) for chart in maker(facts))


def _name(facts: ClaimFacts) -> str:
    """Return a name that sorts as the letter does and says of which practice the picture is."""
    parts = ("sentence", facts.claim.id.zfill(2), facts.claim.practice_code, facts.claim.template)
    return "_".join(re.sub(r"[^A-Za-z0-9_]", "_", part)[:30] for part in parts if part)


def _rows(facts: ClaimFacts) -> dict[str, dict[str, Any]]:
    """Return the rungs to draw, with the practice's interval and the middle 95 % of practices."""
    found = {}
    for rung in _RUNGS:
        row = facts.rows.get(rung)
        if row is None or not (known(row.get("value")) and known(row.get("centre"))):
            continue
        ends = {
            end: row["centre"] + row[name] if known(row.get(name)) else float("nan")
            for end, name in (("low", "difference_lower"), ("high", "difference_upper"))
        }
        band = {name: _number(row.get(name)) for name in ("middle_lower", "middle_upper")}
        found[rung] = {**row, **ends, **band}
    return found


def _number(value: Any) -> float:
    return float(value) if known(value) else float("nan")


def _standing(facts: ClaimFacts) -> Drawn:
    """Return the practice's figure with its interval at each rung, what is expected, and the middle 95 %."""
    card, rows = facts.card, _rows(facts)
    if not rows:
        return ()
    title, scale = words.standing_title(facts), float(card.scale)
    with style():
        figure, axes = canvas(WIDTH, 0.85 + 0.36 * len(rows))
        places = range(len(rows), 0, -1)
        for y, row in zip(places, rows.values(), strict=True):
            _band(axes, y, row["middle_lower"] * scale, row["middle_upper"] * scale)
            axes.plot(
                [row["centre"] * scale] * 2, [y - 0.26, y + 0.26], color=DARK_BLUE, linewidth=2.2, zorder=3,
                label=words.EXPECTED,
            )  # fmt: skip
            _practice(axes, facts, y, *(row[name] * scale for name in ("value", "low", "high")))
        _judged_by(axes, facts)
        _letters_figure(axes, facts, len(rows))
        axes.set_yticks(places, [words.rung_label(rung) for rung in rows])
        axes.set_ylim(0.45, len(rows) + 0.75)
        _finish(figure, axes, facts, title)
    names = ["value", "low", "high", "centre", "middle_lower", "middle_upper"]
    data = pd.DataFrame([{"rung": r, **{n: row[n] * scale for n in names}} for r, row in rows.items()])
    return (Chart(figure, title, words.standing_alt(facts, rows), data, ""),)


def _band(axes: Axes, y: float, low: float, high: float) -> None:
    if known(low) and known(high):
        axes.barh(
            y, high - low, left=low, height=0.42, color=BAND, edgecolor=DARK_BLUE, linewidth=0.8, label=words.BAND
        )


def _judged_by(axes: Axes, facts: ClaimFacts) -> None:
    """Draw what the test judges by: where the tenth ends, or the limits beyond which a figure is exceptional."""
    names, label = {
        "rank": (("cut_value",), words.cut(facts) if facts.has("tail") else ""),
        "outlier": (("lower_99_8", "upper_99_8"), words.LIMITS),
    }.get(facts.template.test, ((), ""))
    low, high = (0.0, 100.0) if figures.is_share(facts.card) else (0.0, float("inf"))
    for name in names:
        at = facts.get(name) * float(facts.card.scale)
        if label and known(at) and low <= at <= high:
            axes.axvline(at, color=ORANGE, linewidth=2, linestyle=(0, (4, 2)), label=label, zorder=2)


def _practice(axes: Axes, facts: ClaimFacts, y: float, value: float, low: float, high: float) -> None:
    if known(low) and known(high):
        axes.plot([low, high], [y, y], color=DARK_PINK, linewidth=2.4, zorder=4, solid_capstyle="butt")
    axes.plot(
        value, y, "D", color=DARK_PINK, markersize=8, markeredgecolor="white", linestyle="none", zorder=5,
        label=words.practice(facts),
    )  # fmt: skip


def _letters_figure(axes: Axes, facts: ClaimFacts, y: float) -> None:
    """Mark the letter's own figure where it is not what these data give."""
    figure = facts.claim.figure
    if figure is None or facts.finding.numbers.get("figure_right") is not False:
        return
    axes.plot(
        figure.number, y + 0.42, "v", markerfacecolor="white", markeredgecolor=DARK_GREY, markersize=8, zorder=6,
        linestyle="none", label=words.LETTER,
    )  # fmt: skip


def _finish(figure: Any, axes: Axes, facts: ClaimFacts, title: str) -> None:
    low, high = axes.get_xlim()
    if figures.is_share(facts.card):
        axes.set_xlim(max(low, 0.0), min(high, 100.0))
    else:
        axes.set_xlim(max(low, 0.0), high)
    axes.set_xlabel(textwrap.fill(pictures.value_axis(facts.card), 95), fontsize=8)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower left", ncols=2, frameon=False, fontsize=8,
        handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip
    set_title(figure, title, 78)


def _threshold(facts: ClaimFacts) -> Drawn:
    """Return the figure with its interval beside the line; with England's mix of patients too, where it decides."""
    if not facts.has("value", "threshold"):
        return _standing(facts)
    scale = float(facts.card.scale)
    title, line = words.threshold_title(facts), facts.get("threshold") * scale
    raw = _rows(facts).get("M0")
    with style():
        figure, axes = canvas(WIDTH, 1.5)
        if raw is not None:
            _band(axes, 1, raw["middle_lower"] * scale, raw["middle_upper"] * scale)
            axes.plot([raw["centre"] * scale] * 2, [0.74, 1.26], color=DARK_BLUE, linewidth=2.2, label=words.EXPECTED)
        _practice(axes, facts, 1, *(facts.get(name) * scale for name in ("value", "interval_lower", "interval_upper")))
        if facts.has("adjusted"):
            axes.plot(
                facts.get("adjusted") * scale, 1, "D", markerfacecolor="white", markeredgecolor=DARK_PINK,
                markersize=8, linestyle="none", label=f"with {facts.names.reference}'s patients", zorder=5,
            )  # fmt: skip
        axes.axvline(line, color=ORANGE, linewidth=2, linestyle=(0, (4, 2)), label=words.THRESHOLD, zorder=4)
        _letters_figure(axes, facts, 1)
        axes.set_yticks([])
        axes.set_ylim(0.45, 1.6)
        axes.spines["left"].set_visible(False)
        _finish(figure, axes, facts, title)
    wanted = ("value", "interval_lower", "interval_upper", "threshold", "adjusted")
    data = pd.DataFrame([{name: facts.get(name) * scale for name in wanted}])
    return (Chart(figure, title, words.threshold_alt(facts), data, ""),)


def _fold(facts: ClaimFacts) -> Drawn:
    """Return where the variation comes from; the same picture as on the area's own page."""
    return variation_shares(facts.run, facts.claim.metric) if facts.analysis is not None else ()


_MAKERS: dict[str, Callable[[ClaimFacts], Drawn]] = {
    **dict.fromkeys(("rank", "margin", "significant", "outlier"), _standing),
    "threshold": _threshold,
    **dict.fromkeys(("change", "no_improvement", "worst_improved"), change_lines),
    "fold": _fold,
    **dict.fromkeys(("exemplar", "many", "ratio", "opportunity", "joint"), marks),
}
