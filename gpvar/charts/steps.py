"""The ladder of one practice, the ladder of an area, who moved, and what each method would mark."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar.charts import scale as drawing
from gpvar.charts.style import (
    DARK_BLUE,
    DARK_GREY,
    DARK_PINK,
    PEER_GREY,
    TURQUOISE,
    Chart,
    canvas,
    set_title,
    style,
)
from gpvar.words import hidden, phrases, pictures
from gpvar.words.boxes import FLAGGED
from gpvar.words.facts import AreaFacts, area_facts, practice_facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.results import Run

RUNGS = ("M0", "M1", "M2")
BAND = "#CFD9E2"
EDGE = 1.959963984540054


def practice_ladder(run: Run, practice: str = "", metric: str = "") -> tuple[Chart, ...]:
    """Return the practice's figure against the usual range at each rung; empty when it cannot be placed."""
    facts = practice_facts(run, practice, metric)
    rows = {r: facts.rows[r, "england"] for r in RUNGS if (r, "england") in facts.rows}
    rows = {
        r: row
        for r, row in rows.items()
        if np.isfinite(row["value"]) and np.isfinite(row["centre"]) and row["position"] != "not_decidable"
    }
    if not rows:
        return ()
    card, scale = facts.card, facts.card.scale
    title = pictures.ladder_title(rows)
    with style():
        figure, axes = canvas(4.7, 0.55 + 0.5 * len(rows))
        for y, row in zip(range(len(rows), 0, -1), rows.values(), strict=True):
            low, high = row["lower_95"] * scale, row["upper_95"] * scale
            axes.barh(y, high - low, left=low, height=0.5, color=BAND, edgecolor=DARK_BLUE, linewidth=0.8)
            axes.plot([row["centre"] * scale] * 2, [y - 0.25, y + 0.25], color=DARK_BLUE, linewidth=2.2)
            axes.plot(row["value"] * scale, y, "D", color=DARK_PINK, markersize=8, markeredgecolor="white")
        axes.set_yticks(range(len(rows), 0, -1), [f"{phrases.RUNG_SHORT[r]} ({phrases.RUNG_LABEL[r]})" for r in rows])
        _wrap_ticks(axes, 16)
        axes.set_ylim(0.5, len(rows) + 0.5)
        axes.set_xlabel(
            textwrap.fill(
                f"{pictures.value_axis(card)}: diamond this practice, bar the usual range, line expected", 64
            ),
            fontsize=8,
        )
        set_title(figure, title, 62)
    data = pd.DataFrame(
        [{"rung": r, "value": v["value"] * scale, "expected": v["centre"] * scale, "usual_lower": v["lower_95"] * scale,
          "usual_upper": v["upper_95"] * scale, "position": v["position"]} for r, v in rows.items()]
    )  # fmt: skip
    return (
        Chart(
            figure, title, pictures.ladder_alt(card, rows, facts.plain_names), data, f"{facts.code}_{card.id}_ladder"
        ),
    )


def _wrap_ticks(axes: Axes, width: int) -> None:
    axes.set_yticks(axes.get_yticks(), ["\n".join(textwrap.wrap(t.get_text(), width)) for t in axes.get_yticklabels()])


def _to_draw(frame: pd.DataFrame, card: Any, column: str) -> pd.DataFrame:
    """Return the rows that may be drawn, ordered by what is drawn: code order would tell whose is whose."""
    shown = frame[frame[column].notna() & ~hidden.is_small(frame, card)]
    return shown.sort_values(column, kind="stable")


def area_ladder(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return the area's practices at each rung with the range that holds the middle 95 % of the reference set."""
    facts = area_facts(run, metric)
    card, scale, names = facts.card, facts.card.scale, facts.plain_names
    spreads = {r["rung"]: r for r in facts.analysis.spread.to_dict("records") if r["comparator"] == "england"}
    frames = {r: facts.at(r) for r in RUNGS if r in spreads}
    frames = {r: f[f["position"] != "not_decidable"] for r, f in frames.items()}
    frames = {r: f for r, f in frames.items() if len(f)}
    if not frames:
        return ()
    flagged = {r: int(f["position"].isin(FLAGGED).sum()) for r, f in frames.items()}
    many = {r: len(f) for r, f in frames.items()}
    frames = {r: _to_draw(f, card, "adjusted") for r, f in frames.items()}
    title = pictures.area_ladder_title(flagged, many)
    with style():
        figure, axes = canvas(4.7, 0.75 + 0.75 * len(frames))
        _draw_rungs(axes, frames, spreads, scale)
        axes.set_xlabel(
            textwrap.fill(
                f"{pictures.value_axis(card)}: bar the middle 95% in {names.reference}, diamonds outside", 64
            ),
            fontsize=8,
        )
        set_title(figure, title, 62)
    data = pd.concat([f[["rung", "adjusted", "position"]] for f in frames.values()], ignore_index=True)
    data["adjusted"] = drawing.significant(data["adjusted"] * scale, 3)
    alt = pictures.area_ladder_alt(card, {r: spreads[r] for r in frames}, flagged, many, names)
    return (Chart(figure, title, alt, data, f"area_{card.id}_ladder"),)


def _draw_rungs(axes: Axes, frames: dict[str, pd.DataFrame], spreads: dict[str, Any], scale: float) -> None:
    rng = np.random.default_rng(1)
    places = range(len(frames), 0, -1)
    for y, (rung, frame) in zip(places, frames.items(), strict=True):
        low, high = spreads[rung]["middle_lower"] * scale, spreads[rung]["middle_upper"] * scale
        axes.barh(y, high - low, left=low, height=0.72, color=BAND, edgecolor=DARK_BLUE, linewidth=0.8, zorder=1)
        out = frame["position"].isin(FLAGGED).to_numpy()
        value, height = frame["adjusted"].to_numpy(float) * scale, y + rng.uniform(-0.28, 0.28, len(frame))
        axes.scatter(value[~out], height[~out], s=8, color=DARK_GREY, linewidths=0, zorder=2)
        axes.scatter(value[out], height[out], s=30, marker="D", color=DARK_PINK, edgecolor="white", zorder=3)
    axes.set_yticks(places, [f"{phrases.RUNG_SHORT[r]} ({phrases.RUNG_LABEL[r]})" for r in frames])
    _wrap_ticks(axes, 16)


_LOOKS = {
    "stayed inside": (PEER_GREY, "-", 0.7, "o", 2),
    "stayed outside": (DARK_GREY, "-", 1.4, "s", 4),
    "moved in": (DARK_BLUE, "-", 2.0, "o", 6),
    "moved out": (DARK_PINK, "--", 2.0, "D", 6),
}


def who_moved(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return how far each practice of the area is from what is expected, before and after, nobody named.

    Nothing where nobody can have moved: nothing was allowed for, or nobody can be judged both times.
    """
    facts = area_facts(run, metric)
    both = _both_times(facts)
    if facts.headline == "M0" or both.empty:
        return ()
    many = {kind: int((both["group"] == kind).sum()) for kind in _LOOKS}
    title = pictures.moved_title(many["moved in"], many["moved out"])
    names = facts.plain_names
    drawn = both[both["before"].notna() & both["after"].notna() & ~both["small"]].sort_values(["before", "after"])
    with style():
        figure, axes = canvas(4.7, 3.4)
        _draw_moves(axes, drawn, many)
        ticks = [("Raw", "M0"), ("Patients", facts.headline)]
        labels = [textwrap.fill(f"({names.label(rung, 'england')})", 24) for _, rung in ticks]
        axes.set_xticks([0, 1], [f"{word}\n{tag}" for (word, _), tag in zip(ticks, labels, strict=True)])
        below = -0.13 - 0.05 * max(label.count("\n") + 1 for label in labels)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, below), frameon=False, fontsize=8, ncols=2)
        set_title(figure, title, 62)
    data = drawn[["before", "after", "group"]].reset_index(drop=True)
    data[["before", "after"]] = data[["before", "after"]].apply(lambda column: drawing.significant(column, 3))
    alt = pictures.moved_alt(many["moved in"], many["moved out"], many["stayed outside"], len(both), names)
    return (Chart(figure, title, alt, data, f"area_{facts.card.id}_moved"),)


def _both_times(facts: AreaFacts) -> pd.DataFrame:
    """Return the area's practices that can be judged both times, their distances and which way they went."""
    raw, judged = (facts.at(rung).set_index("practice_code") for rung in ("M0", facts.headline))
    decided = judged.index[(judged["position"] != "not_decidable")].intersection(
        raw.index[raw["position"] != "not_decidable"]
    )
    raw, judged = raw.loc[decided], judged.loc[decided]
    was, now = raw["position"].isin(FLAGGED), judged["position"].isin(FLAGGED)
    group = np.select([was & now, was, now], ["stayed outside", "moved in", "moved out"], "stayed inside")
    small = hidden.is_small(raw, facts.card)
    return pd.DataFrame(
        {"before": raw["z"] / EDGE, "after": judged["z"] / EDGE, "group": group, "small": small}, index=decided
    )


def _draw_moves(axes: Axes, drawn: pd.DataFrame, many: dict[str, int]) -> None:
    axes.axhspan(-1, 1, color=BAND, zorder=0)
    for order, (kind, (colour, dash, width, marker, size)) in enumerate(_LOOKS.items(), start=1):
        lines = drawn[drawn["group"] == kind]
        # One broken line instead of one line each: 1,500 practices in a tenth of the time.
        x = np.tile([0.0, 1.0, np.nan], len(lines))
        y = np.column_stack([lines["before"], lines["after"], np.full(len(lines), np.nan)]).ravel()
        axes.plot(
            x,
            y,
            dash,
            color=colour,
            linewidth=width,
            marker=marker,
            markersize=size,
            zorder=order,
            label=f"{kind}: {many[kind]}",
        )
    axes.set_xlim(-0.15, 1.15)
    axes.set_ylabel("Distance from expected\n(1 = edge of the usual range)")
    axes.text(0.5, 0, "usual range", ha="center", va="center", fontsize=9, color=DARK_BLUE)


def methods_bars(run: Run, metric: str = "") -> tuple[Chart, ...]:
    """Return how many of the area's practices each method would mark; nothing when none of them is in the fit."""
    facts = area_facts(run, metric)
    frame = facts.analysis.methods
    here = frame[frame["scope"] == "area"].reset_index(drop=True)
    if not len(here) or not here["n"].max():
        return ()
    labels = [
        phrases.METHOD["consistent_M1"] if (m, r) == ("consistent", "M1") else phrases.METHOD.get(m, m)
        for m, r in zip(here["method"], here["rung"], strict=True)
    ]
    flagged = (here["flagged_low_95"] + here["flagged_high_95"]).astype(int)
    far = (here["flagged_low_99_8"] + here["flagged_high_99_8"]).astype(int)
    used = (here["method"] == "consistent").to_numpy()
    robust = int(flagged[used & (here["rung"] == "M0").to_numpy()].iloc[0]) if used.any() else int(flagged.min())
    n = int(here["n"].max())
    title = pictures.methods_title(int(flagged.max()), robust, n)
    with style():
        figure, axes = canvas(4.7, 0.8 + 0.42 * len(here))
        y = np.arange(len(here), 0, -1)
        axes.barh(y, flagged, color=[TURQUOISE if u else PEER_GREY for u in used], edgecolor=DARK_GREY, linewidth=0.6)
        axes.barh(y, far, color="none", edgecolor=DARK_GREY, hatch="////", linewidth=0.6)
        for height, many, beyond in zip(y, flagged, far, strict=True):
            axes.annotate(
                f"{many} ({beyond} far outside)",
                (many, height),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_yticks(y, labels)
        _wrap_ticks(axes, 26)
        axes.tick_params(axis="y", labelsize=8)
        axes.set_xlim(0, max(float(flagged.max()), 1) * 1.45)
        axes.set_xlabel(f"Practices marked, of {n} (hatched: far outside)", fontsize=8)
        set_title(figure, title, 62)
    data = pd.DataFrame(
        {"method": labels, "rung": here["rung"], "outside_95": flagged, "outside_99_8": far, "practices": here["n"]}
    )
    alt = pictures.methods_alt(labels, flagged.tolist(), far.tolist())
    return (Chart(figure, title, alt, data, f"area_{facts.card.id}_methods"),)
