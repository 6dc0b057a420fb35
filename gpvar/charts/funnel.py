"""Funnels: one practice before and after, and an area without labels."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from gpvar.charts import scale as drawing
from gpvar.charts.style import DARK_BLUE, DARK_GREY, DARK_PINK, FAINT_GREY, PEER_GREY, Chart, canvas, set_title, style
from gpvar.words import hidden, pictures
from gpvar.words.area import counts
from gpvar.words.boxes import FLAGGED
from gpvar.words.facts import AreaFacts, PracticeFacts, area_facts, practice_facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.results import Analysis, Run

SIZE = (3.5, 2.3)


def funnel_before_after(run: Run, practice: str = "", metric: str = "") -> tuple[Chart, ...]:
    """Return a practice's funnel at M0 and at the headline rung; empty when it cannot be placed.

    Parameters
    ----------
    run
        The run to read.
    practice, metric
        A practice code and a metric id; the study's first when empty.
    """
    facts = practice_facts(run, practice, metric)
    rungs = dict.fromkeys(("M0", facts.headline))
    return tuple(_practice_funnel(facts, rung) for rung in rungs if _can_draw(facts.row(rung)))


def _can_draw(row: dict[str, Any] | None) -> bool:
    """Say whether there is a judgement to draw: limits round a figure that cannot be judged would pass one."""
    if row is None or row["position"] == "not_decidable":
        return False
    return bool(np.isfinite(row["value"])) and bool(np.isfinite(row["centre"]))


def _rows(facts: PracticeFacts | AreaFacts, rung: str, own: str = "") -> pd.DataFrame:
    """Return the practices to draw: those that can be judged, without others' small counts given in confidence.

    With a reference set smaller than England, only its practices and the area's are drawn.
    """
    frame = facts.analysis.practices
    rows = frame[(frame["rung"] == rung) & (frame["comparator"] == "england") & (frame["position"] != "not_decidable")]
    mine = rows["practice_code"] == own
    keep = ~hidden.is_small(rows, facts.card) | mine
    if facts.names.set != "england":
        keep &= rows["in_fit"].astype(bool) | rows["practice_code"].isin(facts.run.table.area_codes) | mine
    rows = rows[keep]
    return rows[rows["value"].notna() & rows["centre"].notna() & rows["upper_95"].notna()].sort_values("practice_code")


def _typical(analysis: Analysis) -> float:
    """Return the figure of the typical practice: the raw centre, to which adjusted figures are carried."""
    spread = analysis.spread
    return float(spread.loc[(spread["rung"] == "M0") & (spread["comparator"] == "england"), "centre"].iloc[0])


def _practice_funnel(facts: PracticeFacts, rung: str) -> Chart:
    rows = _rows(facts, rung, facts.code)
    drawn = drawing.placed(rows, _typical(facts.analysis), facts.card.kind, facts.card.scale)
    own = drawn[drawn["code"] == facts.code].iloc[0]
    area = drawn["code"].isin(facts.run.table.area_codes).to_numpy()
    names = facts.plain_names
    title = pictures.funnel_title(rung, facts.rows[rung, "england"]["position"], names)
    with style():
        figure, axes = canvas(*SIZE)
        _draw(axes, drawn, area, facts.card, (own["size"], own["value"]))
        axes.plot(own["size"], own["value"], "D", color=DARK_PINK, markersize=9, markeredgecolor="white", zorder=6)
        _label(axes, own, facts.code)
        set_title(figure, title, 44)
    row = facts.rows[rung, "england"] | {
        "adjusted": own["value"] / facts.card.scale,
        "shown_lower_95": own["lower_95"] / facts.card.scale,
        "shown_upper_95": own["upper_95"] / facts.card.scale,
    }
    positions = rows["position"]
    far, outside = int((positions == "far_outside").sum()), int(positions.isin(FLAGGED).sum())
    alt = pictures.funnel_alt(facts.card, row, rung, len(rows), far, outside, names)
    return Chart(figure, title, alt, _data(drawn, facts.code), f"{facts.code}_{facts.card.id}_funnel_{rung}")


def area_funnels(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return an area's funnels at M0 and at the headline rung, no practice labelled; none where nobody is judged."""
    facts = area_facts(run, metric)
    counted = {rung: counts(facts.at(rung)) for rung in dict.fromkeys(("M0", facts.headline))}
    return tuple(_area_funnel(facts, rung, found) for rung, found in counted.items() if found["n"])


def _area_funnel(facts: AreaFacts, rung: str, found: dict[str, int]) -> Chart:
    rows = _rows(facts, rung)
    drawn = drawing.placed(rows, _typical(facts.analysis), facts.card.kind, facts.card.scale)
    area = drawn["code"].isin(facts.codes).to_numpy()
    names = facts.plain_names
    title = pictures.area_funnel_title(rung, found["flagged"], found["n"], names)
    with style():
        figure, axes = canvas(*SIZE)
        _draw(axes, drawn, area, facts.card, None)
        set_title(figure, title, 44)
    alt = pictures.area_funnel_alt(
        facts.card, rung, found["n"], found["flagged"], len(rows), names, drawn=int(area.sum())
    )
    return Chart(figure, title, alt, _data(drawn, ""), f"area_{facts.card.id}_funnel_{rung}")


def _draw(axes: Axes, drawn: pd.DataFrame, area: np.ndarray, card: Any, own: tuple[float, float] | None) -> None:
    low, high = _window(drawn, own, card.kind)
    inside = drawn["value"].between(low, high).to_numpy()
    for members, colour, size, order in ((~area, PEER_GREY, 5, 1), (area, DARK_GREY, 8, 2)):
        part = drawn[members & inside]
        axes.scatter(part["size"], part["value"], s=size, color=colour, linewidths=0, rasterized=True, zorder=order)
    for name, colour, dash, width in (
        ("sampling_{}_95", FAINT_GREY, (0, (1, 1.5)), 1.2),
        ("{}_95", DARK_BLUE, "-", 1.8),
        ("{}_99_8", DARK_BLUE, "-", 0.9),
    ):
        for end in ("lower", "upper"):
            x, y = drawing.curve(drawn, name.format(end))
            axes.plot(x, y, color=colour, linestyle=dash, linewidth=width, zorder=4)
    axes.set_xscale("log")
    axes.set_ylim(low, high)
    axes.set_xlim(*np.quantile(drawn["size"], [0.002, 0.998]) * [0.8, 1.25] if own is None else _reach(drawn, own[0]))
    _edge_marks(axes, drawn[~inside & drawn["size"].between(*axes.get_xlim())], low, high)
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(textwrap.fill(pictures.size_axis(card), 52), fontsize=8)
    axes.set_ylabel(textwrap.fill(pictures.value_axis(card), 30), fontsize=8)
    _name_limits(axes, drawn, high)


def _reach(drawn: pd.DataFrame, own: float) -> tuple[float, float]:
    low, high = np.quantile(drawn["size"], [0.002, 0.998])
    return min(low, own) * 0.8, max(high, own) * 1.25


def _window(drawn: pd.DataFrame, own: tuple[float, float] | None, kind: str) -> tuple[float, float]:
    """Return the range of values drawn: nearly every dot, the limits where most practices are, and the practice."""
    values = drawn["value"]
    low = min(values.quantile(0.002), drawn["lower_99_8"].quantile(0.2))
    high = max(values.quantile(0.998), drawn["upper_99_8"].quantile(0.8))
    if own is not None:
        low, high = min(low, own[1]), max(high, own[1])
    room = 0.06 * (high - low)
    top = high + 1.6 * room
    return max(0.0, low - room), min(top, 100.0) if kind == "proportion" else top


def _edge_marks(axes: Axes, beyond: pd.DataFrame, low: float, high: float) -> None:
    """Mark practices outside the drawn range with triangles at its edge."""
    for part, edge, marker in ((beyond[beyond["value"] > high], high, "^"), (beyond[beyond["value"] < low], low, "v")):
        if len(part):
            axes.plot(
                part["size"], np.full(len(part), edge), marker, color=FAINT_GREY, markersize=4, clip_on=False, zorder=3
            )


def _name_limits(axes: Axes, drawn: pd.DataFrame, top: float) -> None:
    """Write the names of the limits on the lines themselves."""
    right = axes.get_xlim()[1]
    for limit, text in (("upper_95", "usual range"), ("upper_99_8", "far limit")):
        x, y = drawing.curve(drawn, limit)
        keep = x <= right
        height = float(y[keep][-1]) if keep.any() else float(y[-1])
        if height < top:
            axes.annotate(
                text,
                (right, height),
                xytext=(0, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=8,
                color=DARK_BLUE,
                zorder=7,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
            )


def _label(axes: Axes, own: pd.Series, code: str) -> None:
    left, right = axes.get_xlim()
    near_right = np.log(own["size"] / left) > 0.6 * np.log(right / left)
    axes.annotate(
        code,
        (own["size"], own["value"]),
        xytext=(-8 if near_right else 8, 6),
        textcoords="offset points",
        ha="right" if near_right else "left",
        fontsize=10,
        fontweight="bold",
        color=DARK_PINK,
        zorder=8,
        bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
    )


def _short(value: float, _: Any = None) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g}m"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _data(drawn: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return what was drawn so that nobody else is found in it: others rounded, and ordered by size, not by code."""
    numbers = [column for column in drawn.columns if column != "code"]
    coarse = drawn[numbers].apply(lambda column: drawing.significant(column, 2 if column.name == "size" else 3))
    own = (drawn["code"] == code).to_numpy() if code else np.zeros(len(drawn), dtype=bool)
    coarse[own] = drawn.loc[own, numbers].round(6)
    data = coarse.assign(group=np.where(own, "this practice", "practice")) if code else coarse
    return data.sort_values(["size", "value"], ignore_index=True)
