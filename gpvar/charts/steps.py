"""The ladder of one practice, the ladder of an area, who moved, and what each method would mark."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar.charts.style import (
    DARK_BLUE,
    DARK_GREY,
    DARK_PINK,
    FAINT_GREY,
    PEER_GREY,
    TURQUOISE,
    Chart,
    canvas,
    set_title,
    style,
)
from gpvar.words import phrases, pictures
from gpvar.words.boxes import FLAGGED
from gpvar.words.facts import area_facts, practice_facts

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
    rows = {r: row for r, row in rows.items() if np.isfinite(row["value"]) and np.isfinite(row["centre"])}
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
    return (Chart(figure, title, pictures.ladder_alt(card, rows), data, f"{facts.code}_{card.id}_ladder"),)


def _wrap_ticks(axes: Axes, width: int) -> None:
    axes.set_yticks(axes.get_yticks(), ["\n".join(textwrap.wrap(t.get_text(), width)) for t in axes.get_yticklabels()])


def area_ladder(run: Run, metric: str = "") -> Chart:
    """Return the area's practices at each rung with the range that holds the middle 95 % of England's."""
    facts = area_facts(run, metric)
    card, scale = facts.card, facts.card.scale
    spreads = {r["rung"]: r for r in facts.analysis.spread.to_dict("records") if r["comparator"] == "england"}
    rungs = [r for r in RUNGS if r in spreads]
    frames = {r: facts.at(r) for r in rungs}
    flagged = {r: int(f["position"].isin(FLAGGED).sum()) for r, f in frames.items()}
    n = max((len(f) for f in frames.values()), default=0)
    title = pictures.area_ladder_title(flagged, n)
    rng = np.random.default_rng(1)
    with style():
        figure, axes = canvas(4.7, 0.75 + 0.75 * len(rungs))
        for y, rung in zip(range(len(rungs), 0, -1), rungs, strict=True):
            row, frame = spreads[rung], frames[rung]
            low, high = row["middle_lower"] * scale, row["middle_upper"] * scale
            axes.barh(y, high - low, left=low, height=0.72, color=BAND, edgecolor=DARK_BLUE, linewidth=0.8, zorder=1)
            out = frame["position"].isin(FLAGGED).to_numpy()
            height = y + rng.uniform(-0.28, 0.28, len(frame))
            axes.scatter(frame["adjusted"][~out] * scale, height[~out], s=8, color=DARK_GREY, linewidths=0, zorder=2)
            axes.scatter(
                frame["adjusted"][out] * scale,
                height[out],
                s=30,
                marker="D",
                color=DARK_PINK,
                edgecolor="white",
                zorder=3,
            )
        axes.set_yticks(range(len(rungs), 0, -1), [f"{phrases.RUNG_SHORT[r]} ({phrases.RUNG_LABEL[r]})" for r in rungs])
        _wrap_ticks(axes, 16)
        axes.set_xlabel(
            textwrap.fill(f"{pictures.value_axis(card)}: bar the middle 95% in England, diamonds outside", 64),
            fontsize=8,
        )
        set_title(figure, title, 62)
    data = pd.concat(
        [f[["rung", "adjusted", "position"]].assign(adjusted=f["adjusted"] * scale) for f in frames.values()]
    )
    alt = pictures.area_ladder_alt(card, {r: spreads[r] for r in rungs}, flagged, n)
    return Chart(figure, title, alt, data.reset_index(drop=True), f"area_{card.id}_ladder")


def who_moved(run: Run, metric: str = "") -> Chart:
    """Return how far each practice of the area is from what is expected, before and after, nobody named."""
    facts = area_facts(run, metric)
    rung = str(facts.meta.get("headline_rung", "M1"))
    before = facts.at("M0").set_index("practice_code")["z"]
    after = facts.at(rung).set_index("practice_code")["z"]
    both = pd.DataFrame({"before": before / EDGE, "after": after / EDGE}).dropna()
    was, now = both["before"].abs() > 1, both["after"].abs() > 1
    kinds = {"stayed inside": ~was & ~now, "stayed outside": was & now, "moved in": was & ~now, "moved out": ~was & now}
    looks = {
        "stayed inside": (PEER_GREY, "-", 0.7, "o", 2),
        "stayed outside": (DARK_GREY, "-", 1.4, "s", 4),
        "moved in": (DARK_BLUE, "-", 2.0, "o", 6),
        "moved out": (DARK_PINK, "--", 2.0, "D", 6),
    }
    n_in, n_out, stayed = (int(kinds[k].sum()) for k in ("moved in", "moved out", "stayed outside"))
    title = pictures.moved_title(n_in, n_out)
    with style():
        figure, axes = canvas(4.7, 3.4)
        axes.axhspan(-1, 1, color=BAND, zorder=0)
        for order, (kind, members) in enumerate(kinds.items(), start=1):
            colour, dash, width, marker, size = looks[kind]
            lines = both[members]
            # One broken line instead of one line each: 1,500 practices in a tenth of the time.
            x = np.tile([0.0, 1.0, np.nan], len(lines))
            y = np.column_stack([lines["before"], lines["after"], np.full(len(lines), np.nan)]).ravel()
            label = f"{kind}: {len(lines)}"
            axes.plot(
                x, y, dash, color=colour, linewidth=width, marker=marker, markersize=size, zorder=order, label=label
            )
        axes.set_xlim(-0.15, 1.15)
        axes.set_xticks(
            [0, 1], [f"Raw\n({phrases.label('M0', 'england')})", f"Patients\n({phrases.label(rung, 'england')})"]
        )
        axes.set_ylabel("Distance from expected\n(1 = edge of the usual range)")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), frameon=False, fontsize=8, ncols=2)
        axes.text(0.5, 0, "usual range", ha="center", va="center", fontsize=9, color=DARK_BLUE)
        set_title(figure, title, 62)
    group = pd.Series("", index=both.index)
    for kind, members in kinds.items():
        group[members] = kind
    data = both.assign(group=group).reset_index(drop=True).round(6)
    return Chart(figure, title, pictures.moved_alt(n_in, n_out, stayed, len(both)), data, f"area_{facts.card.id}_moved")


def methods_bars(run: Run, metric: str = "") -> Chart:
    """Return how many of the area's practices each method would mark."""
    facts = area_facts(run, metric)
    frame = facts.analysis.methods
    here = frame[frame["scope"] == "area"].reset_index(drop=True)
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
        axes.set_xlabel(
            f"Practices marked, of {n} (hatched: far outside)", fontsize=8, color=FAINT_GREY if n == 0 else DARK_GREY
        )
        set_title(figure, title, 62)
    data = pd.DataFrame(
        {"method": labels, "rung": here["rung"], "outside_95": flagged, "outside_99_8": far, "practices": here["n"]}
    )
    alt = pictures.methods_alt(labels, flagged.tolist(), far.tolist())
    return Chart(figure, title, alt, data, f"area_{facts.card.id}_methods")
