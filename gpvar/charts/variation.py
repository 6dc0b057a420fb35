"""Where the variation comes from: one bar of shares, the spread before and after, and the figure by deprivation."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

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
from gpvar.words import phrases, pictures, variation
from gpvar.words.facts import AreaFacts, area_facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.results import Run

# Lightness and hatching tell the parts apart as well as colour does.
_LOOKS = {
    "need": (DARK_BLUE, "", "white"),
    "context": (TURQUOISE, "....", "black"),
    "neighbours": ("#CFD9E2", "////", "black"),
    "practice": (ORANGE, "", "black"),
    "passing": ("#FFFFFF", "||||", "black"),
    "noise": (PEER_GREY, "xxxx", "black"),
}
_FITS_INSIDE = 0.06


def variation_shares(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return the whole variation as one bar, divided; empty when it was not divided."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    if not found:
        return ()
    title = pictures.shares_title(found)
    with style():
        figure, axes = canvas(6.3, 1.45 + 0.26 * len(found))
        _stack(axes, found)
        figure.legend(loc="outside lower left", frameon=False, fontsize=9, handlelength=2.2)
        set_title(figure, title, 70)
    data = pd.DataFrame(
        {
            "part": [variation.PART[name] for name in found],
            **{f"{end}_percent": _percent([r[end] for r in found.values()]) for end in ("share", "lower", "upper")},
        }
    )
    alt = pictures.shares_alt(facts.card, found, facts.plain_names)
    return (Chart(figure, title, alt, data, f"area_{facts.card.id}_shares"),)


def _percent(shares: list[float]) -> Any:
    return drawing.significant(pd.Series(shares, dtype=float) * 100, 3)


def _stack(axes: Axes, found: dict[str, dict[str, Any]]) -> None:
    left = 0.0
    for name, row in found.items():
        colour, hatch, ink = _LOOKS[name]
        width = 100 * row["share"]
        axes.barh(
            0, width, left=left, height=0.8, color=colour, hatch=hatch, edgecolor=DARK_GREY, linewidth=0.8,
            label=pictures.share_label(name, row),
        )  # fmt: skip
        if row["share"] >= _FITS_INSIDE:
            axes.text(
                left + width / 2, 0, f"{variation.percent(row['share'])}%", ha="center", va="center", color=ink,
                fontsize=10, fontweight="bold",
                bbox=None if not hatch else {"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )  # fmt: skip
        left += width
    axes.set_xlim(0, 100)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])


def _spreads(facts: AreaFacts) -> dict[str, dict[str, Any]]:
    wanted = dict.fromkeys(["M0", facts.headline])
    rows = {row["rung"]: row for row in facts.analysis.rungs.to_dict("records")}
    return {rung: rows[rung] for rung in wanted if rung in rows}


def variation_strip(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return the spread of practices before and after allowing for patients; empty when nothing was fitted."""
    facts = area_facts(run, metric)
    card, rows = facts.card, _spreads(facts)
    if not rows:
        return ()
    title = pictures.strip_title(rows)
    with style():
        figure, axes = canvas(6.3, 0.8 + 0.6 * len(rows))
        for y, row in zip(range(len(rows), 0, -1), rows.values(), strict=True):
            low, high, p10, p90 = (row[k] * card.scale for k in ("middle_lower", "middle_upper", "p10", "p90"))
            axes.barh(y, high - low, left=low, height=0.5, color="#CFD9E2", edgecolor=DARK_BLUE, linewidth=0.8)
            axes.barh(y, p90 - p10, left=p10, height=0.24, color=DARK_BLUE)
            for end, key, side in ((low, "middle_lower", "right"), (high, "middle_upper", "left")):
                axes.annotate(
                    variation.end(card, row[key]), (end, y), xytext=(-4 if side == "right" else 4, 0),
                    textcoords="offset points", ha=side, va="center", fontsize=9,
                )  # fmt: skip
        axes.set_yticks(
            range(len(rows), 0, -1),
            [f"{phrases.RUNG_SHORT[r]}\n({facts.plain_names.label(r, 'england')})" for r in rows],
        )
        axes.set_ylim(0.5, len(rows) + 0.5)
        ends = [row[k] * card.scale for row in rows.values() for k in ("middle_lower", "middle_upper")]
        room = 0.14 * (max(ends) - min(ends))
        axes.set_xlim(min(ends) - room, max(ends) + room)
        axes.set_xlabel(
            textwrap.fill(f"{pictures.value_axis(card)}: light the middle 95 in 100, dark the middle 80", 90),
            fontsize=8,
        )
        set_title(figure, title, 70)
    columns = ["middle_lower", "middle_upper", "p10", "p90", "shrunken_p10", "shrunken_p90"]
    data = pd.DataFrame([{"rung": r, **{k: row[k] * card.scale for k in columns}} for r, row in rows.items()])
    data[columns] = data[columns].apply(lambda column: drawing.significant(column, 4))
    return (Chart(figure, title, pictures.strip_alt(card, rows, facts.plain_names), data, f"area_{card.id}_strip"),)


_LINES = {"M0": ("o", "--", DARK_GREY, "white"), "after": ("D", "-", DARK_PINK, DARK_PINK)}


def variation_fifths(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return the average figure by fifth of deprivation, raw and after; empty without a score of deprivation."""
    facts = area_facts(run, metric)
    card, frame = facts.card, facts.analysis.equity
    if frame.empty:
        return ()
    values = {str(r): rows.sort_values("fifth")["value"].tolist() for r, rows in frame.groupby("rung", sort=False)}
    gaps = [line[-1] - line[0] for line in values.values()]
    title = pictures.fifths_title(card, gaps[0], gaps[1] if len(gaps) > 1 else None)
    with style():
        figure, axes = canvas(6.3, 3.0)
        for rung, line in values.items():
            marker, dash, colour, face = _LINES["M0" if rung == "M0" else "after"]
            axes.plot(
                range(1, len(line) + 1), [v * card.scale for v in line], dash, color=colour, marker=marker,
                markerfacecolor=face, markersize=7, linewidth=1.8,
                label=f"{phrases.RUNG_SHORT[rung]} ({facts.plain_names.label(rung, 'england')})",
            )  # fmt: skip
        fifths = len(next(iter(values.values())))
        between = map(str, range(2, fifths))
        axes.set_xticks(range(1, fifths + 1), ["1\nleast deprived", *between, f"{fifths}\nmost deprived"])
        axes.set_ylabel(textwrap.fill(pictures.value_axis(card), 28), fontsize=8)
        top = max(v for line in values.values() for v in line) * card.scale
        axes.set_ylim(0, 1.15 * top)
        axes.legend(loc="lower right", frameon=False, fontsize=9)
        set_title(figure, title, 70)
    data = frame[["rung", "fifth", "units", "value"]].assign(value=drawing.significant(frame["value"] * card.scale, 4))
    return (Chart(figure, title, pictures.fifths_alt(card, values), data, f"area_{card.id}_fifths"),)
