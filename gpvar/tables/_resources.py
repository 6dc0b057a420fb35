"""The tables of the page on need, staff and funding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import resources
from gpvar.words.resources_facts import resourced
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.catalogue import Resource
    from gpvar.results import Run
    from gpvar.words.facts import Row

NOTHING = ""


def resources_beside(run: Run, practice: str = "") -> Table | str:
    """Return each resource beside its distribution and its date; nothing when none is known."""
    facts = resourced(run, practice)
    reference, period = facts.plain_names.reference, run.study.period.label
    rows = []
    for resource, row in facts.found():
        own = _of_area(resource, row) if facts.is_area else _own(resource, row)
        low, middle, high = (resources.amount(resource, row[name]) for name in ("p10", "median", "p90"))
        rows.append(
            {
                "What": resource.label,
                **own,
                f"Middle of {reference}": middle,
                "80 in 100 have": f"{low} to {high}",
                "Of": resources.dated(resource, row, period),
            }
        )
    if not rows:
        return NOTHING
    who = "practices of the area" if facts.is_area else "practice"
    caption = f"Need, staff and funding of the {who}, beside all practices compared."
    notes = f"80 in 100 have: from what 10 in 100 of {reference} lie below to what 10 in 100 lie above."
    notes += f" Per 10,000 patients: of the list of {period}; the weights are those of the payments."
    if facts.is_area:
        notes += " Lowest and highest tenth: how many of the area's practices are among those of all compared."
    return Table(pd.DataFrame(rows), caption, notes, f"{facts.code or 'area'}_resources")


def _own(resource: Resource, row: Row) -> dict[str, str]:
    value = resources.amount(resource, row["value"])
    counted = resource.role != "need" and known(row["top"]) and known(row["bottom"])
    of = f" ({number(row['top'], 1)} for {number(row['bottom'])})" if counted else ""
    return {"This practice": f"{value}{of}", "With less (of 100)": _hundred(row["percentile"])}


def _hundred(percentile: float) -> str:
    return "under 1" if percentile < 1 else "over 99" if percentile > 99 else number(percentile)


def _of_area(resource: Resource, row: Row) -> dict[str, str]:
    return {
        "Middle of area": f"{resources.amount(resource, row['area_median'])} (of {number(row['area_known'])})",
        "Lowest tenth": number(row["area_lowest"]),
        "Highest tenth": number(row["area_highest"]),
    }


def resources_scenario(run: Run, practice: str = "") -> Table | str:
    """Return the scenario measure by measure, for an area; nothing for a practice, whose sentences say it all."""
    facts = resourced(run, practice)
    rows = [_area_row(one) for one in facts.scenarios if len(one.every)]
    if not rows or not facts.is_area:
        return NOTHING
    caption = (
        "What would be expected without and with supply that was not chosen (M3): it explains, it does not excuse."
    )
    return Table(pd.DataFrame(rows), caption, "", f"{facts.code or 'area'}_scenario")


def _area_row(one: Any) -> dict[str, str]:
    rung, share = one.every["rung"].iloc[0], float(one.every["accounted"].iloc[0])
    went = "not known" if not known(share) else "less than 1%" if share < 0.01 else f"{number(100 * share)}%"
    return {
        "Measure": one.card.title,
        "Variance that goes with supply": went,
        "Practices placed": number(len(one.every)),
        f"Outside the usual range ({rung})": number(int(one.every["outside_m2"].sum())),
        "With supply (M3)": number(int(one.every["outside_m3"].sum())),
    }
