"""Need, staff and funding: where a practice, or the practices of an area, stand among all that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from gpvar.charts import scale as drawing
from gpvar.charts.style import DARK_BLUE, DARK_GREY, ORANGE, Chart, set_title, style
from gpvar.words import pictures_resources as pictures
from gpvar.words import resources
from gpvar.words.resources_facts import Resourced, resourced

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gpvar.catalogue import Resource
    from gpvar.results import Run
    from gpvar.words.facts import Row

_LIGHT, _DARK = "#CFD9E2", "#8FA6BC"
_ROW, _HEAD = 0.53, 0.45
_INK = {"fontsize": 8.5, "color": DARK_GREY}


def resources_strips(run: Run, practice: str = "") -> tuple[Chart, ...]:
    """Return each resource on a line of its own, against the practices compared; empty when none is known."""
    facts = resourced(run, practice)
    found = facts.found()
    if not found:
        return ()
    title = pictures.title(facts)
    with style():
        figure = Figure(figsize=(6.3, _HEAD + _ROW * len(found)), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.01, hspace=0.0)  # type: ignore[union-attr]
        lines = figure.subplots(len(found), 1, squeeze=False)[:, 0]
        for axes, (resource, row) in zip(lines, found, strict=True):
            _strip(axes, resource, row, facts)
        set_title(figure, title, 70)
    name = f"{facts.code or 'area'}_resources"
    return (Chart(figure, title, pictures.alt(facts), _data(found, facts), name),)


def _strip(axes: Axes, resource: Resource, row: Row, facts: Resourced) -> None:
    """Draw one resource: the middle 80 and 50 in 100, the middle one, and who the page is about."""
    low, high = row["p5"], row["p95"]
    room = 0.12 * (high - low)
    left, right = low - room, high + room
    axes.barh(0, row["p90"] - row["p10"], left=row["p10"], height=0.5, color=_LIGHT)
    axes.barh(0, row["p75"] - row["p25"], left=row["p25"], height=0.5, color=_DARK)
    axes.plot([row["median"]] * 2, [-0.25, 0.25], color=DARK_BLUE, linewidth=1.6)
    mark = row["area_median"] if facts.is_area else row["value"]
    if facts.is_area:
        ticks = [min(max(v, left), right) for v in facts.values[resource.id]]
        axes.plot(ticks, [-0.38] * len(ticks), "|", color=DARK_GREY, markersize=4, markeredgewidth=0.6, alpha=0.6)
    drawn = min(max(mark, left), right)
    axes.plot(
        drawn,
        0,
        _marker(mark, left, right, facts.is_area),
        color=ORANGE,
        markeredgecolor="black",
        markersize=8,
        zorder=5,
    )
    for end, out in (("p10", -1), ("p90", 1)):
        # The mark would cover a number written outside the band: it then stands within.
        covered = -0.1 * room < out * (mark - row[end]) < room
        axes.annotate(
            resources.amount(resource, row[end]), (row[end], 0), xytext=(-6 * out if covered else 3 * out, 0),
            textcoords="offset points", ha="left" if (out > 0) != covered else "right", va="center", **_INK,
        )  # fmt: skip
    axes.annotate(
        resources.amount(resource, mark), (drawn, 0.3), xytext=(0, 2), textcoords="offset points", ha="center",
        va="bottom", fontsize=9, fontweight="bold",
    )  # fmt: skip
    axes.set_xlim(left - 0.5 * room, right + 0.5 * room)
    axes.set_ylim(-0.5, 0.95)
    axes.set_yticks([0], [pictures.strip_label(resource)])
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _marker(value: float, left: float, right: float, area: bool) -> str:
    """Return an arrow for what lies beyond the edge."""
    if value < left or value > right:
        return "<" if value < left else ">"
    return "D" if area else "o"


def _data(found: list[tuple[Resource, Row]], facts: Resourced) -> pd.DataFrame:
    """Return what was drawn; of an area the practices' figures in order of size, with no code."""
    rows: list[dict[str, Any]] = []
    for resource, row in found:
        own = {"area_median": row["area_median"]} if facts.is_area else {"value": row["value"]}
        ends = {name: row[name] for name in ("p5", "p10", "p25", "median", "p75", "p90", "p95")}
        rows.append({"resource": resource.title, "unit": resource.unit, **own, **ends})
    data = pd.DataFrame(rows)
    numbers = [name for name in data if name not in ("resource", "unit")]
    data[numbers] = data[numbers].apply(lambda column: drawing.significant(column, 4))
    return data
