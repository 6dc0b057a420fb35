"""A world as files, and the study that reads them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.simulate import _world
from gpvar.simulate._declared import AGES
from gpvar.simulate._measure import REGISTERS

if TYPE_CHECKING:
    from gpvar.simulate.worlds import World

PRACTICES, MONTHS, EVENTS, STUDY = "practices.csv", "months.csv", "practice_events.csv", "study.toml"
# The crosstabs of a world's year, three months each.
_ZIPS = ("Jun_25", "Sep_25", "Dec_25", "Mar_26")
_PLACES = ("pcn_code", "sub_icb_code", "icb_code", "icb_name", "region_code")
_SAME = (
    "practice_code",
    "practice_name",
    "pcn_code",
    "sub_icb_code",
    "icb_code",
    "icb_name",
    "region_code",
    "supplier",
)
_OWN = {"list_size": "mean_monthly_list_size", "list_jump_pct": "maximum_percentage_monthly_change"}
_INTERVALS = ("same_day", "1_day", "2_to_7_days", "8_to_14_days", "over_14_days")
_TOTAL, _ACUTE, _PATIENTS = "total_appointments", "general_consultation_acute", "registered_patients"
#: Metric → the headings of its two counts in a table of months.
COUNTS: dict[str, tuple[str | list[str], str | list[str]]] = {
    "same_day_share": ("same_day", _TOTAL),
    "within_14_days_share": (list(_INTERVALS[:-1]), list(_INTERVALS)),
    "appointments_per_1000": (_TOTAL, _PATIENTS),
    "dna_share": ("dna", ["attended", "dna"]),
    "face_to_face_share": ("face_to_face", _TOTAL),
    "urgent_same_day_share": (f"{_ACUTE}_same_day", _ACUTE),
    "ag_requests_per_1000": ("ag_requests", _PATIENTS),
    "ag_share": ("ag_requests", ["ag_requests", "referrals_total"]),
    "referrals_per_1000": ("referrals_total", _PATIENTS),
}
_DATES = {"age_sex": "2025-10", "imd2025": "2025-10", "rurality": "2025-03"}
_REGISTER_DATE = "2025-03"


def study(world: World, metrics: tuple[str, ...], more: dict[str, Any]) -> dict[str, Any]:
    """Return a study of a world."""
    metrics = metrics or (world.metric,)
    return {
        "schema": 1,
        "title": f"Simulated England {world.seed}",
        "seed": world.seed,
        "declared": dt.date(2026, 4, 14),
        "period": "2025-04..2026-03",
        "metrics": list(metrics),
        "simulated": True,
        **({"events": EVENTS} if "practice_events" in world.beside else {}),
        "area": {"kind": "icb", "code": _world.AREA, "practices": []},
        "source": _sources(world, metrics),
        **more,
    }


def _sources(world: World, metrics: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the files of a study: of the year, of months, or as published where only that shows what went wrong."""
    published = [metric for metric in metrics if is_published(world) and catalogue.metric(metric).source == "gpad"]
    counts = {
        key: value
        for metric in metrics
        if metric not in published
        for key, value in headings(metric, year=world.months is None).items()
    }
    people = {"id": "local", "file": PRACTICES, "columns": _people(world), "dates": _dates() | world.dates}
    if world.months is None:
        return [{**people, "columns": people["columns"] | counts}]
    keys = {"practice_code": "practice_code", "period": "month"}
    found = [people]
    if counts:
        found.append({"id": "months", "file": MONTHS, "columns": keys | counts})
    if published:
        found.append({"id": "gpad", "file": [f"Practice_Level_Crosstab_{name}.zip" for name in _ZIPS]})
    return found


def is_published(world: World) -> bool:
    """Return whether a world's months are written as the crosstab: categories by month stand nowhere else."""
    return any(item.gate == "mapping_step" for item in world.artefacts)


def _people(world: World) -> dict[str, str | list[str]]:
    """Return which of a world's columns say what of a practice and its patients."""
    columns: dict[str, str | list[str]] = {name: name for name in _SAME} | _OWN
    if world.settings["events"] != 1:
        # Fewer appointments of the same patients would look as if a part of the book were missing.
        del columns["list_size"]
    if not is_published(world):
        columns |= {"unmapped.numerator": _year("unmapped"), "unmapped.denominator": _year(_TOTAL)}
    if "ag_cap" in world.practices:
        columns["ag_cap"] = "ag_cap"
    columns |= {"age_sex": list(AGES), "imd2025": "imd2025_score", "rurality": "rurality"}
    for name in REGISTERS:
        columns |= {f"qof_{name}.numerator": f"qof_reg_{name}", f"qof_{name}.denominator": "qof_list_2425"}
    return columns


def _dates() -> dict[str, str]:
    return _DATES | {f"qof_{name}": _REGISTER_DATE for name in REGISTERS}


def headings(metric: str, *, year: bool) -> dict[str, str | list[str]]:
    """Return under which headings a metric's numerator and denominator stand in a table of the year, or of months."""
    top, base = COUNTS[metric]
    if year:
        top, base = (_year(part) if isinstance(part, str) else [_year(name) for name in part] for part in (top, base))
    return {f"{metric}.numerator": top, f"{metric}.denominator": base}


def _year(name: str) -> str:
    """Return the heading of a count in the table of the year."""
    if name == _PATIENTS:
        return "annual_patient_month_exposure"
    return name if name in ("ag_requests", "referrals_total") else f"gpad_annual_{name}"


def write(world: World, folder: Path, metrics: tuple[str, ...], more: dict[str, Any]) -> Path:
    """Write a world's tables and a study of them, and return the study's path."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"practices": world.practices, "months": world.months, **world.beside}
    for name, table in tables.items():
        if table is not None:
            _marked(table, name, world.hidden).to_csv(
                folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n"
            )
    if is_published(world) and world.months is not None:
        # It draws from this room's England, and so cannot be loaded before it.
        from gpvar.simulate._publishing import publish

        publish(folder, world.practices, world.months)
    path = folder / STUDY
    path.write_text(as_toml(study(world, metrics, more)), encoding="utf-8", newline="\n")
    return path


def _marked(table: pd.DataFrame, name: str, hidden: pd.DataFrame) -> pd.DataFrame:
    """Return a table with marks in place of the counts that are hidden."""
    own = hidden[hidden["table"] == name] if len(hidden) else hidden
    if own.empty:
        return table
    keys = ["practice_code", "month"] if "month" in table else ["practice_code"]
    place = pd.Series(range(len(table)), index=pd.MultiIndex.from_frame(table[keys]))
    out = table.copy()
    for column, rows in own.groupby("column"):
        cells = out[column].astype(object).to_numpy(copy=True)
        cells[place[pd.MultiIndex.from_frame(rows[keys])].to_numpy()] = rows["mark"].to_numpy()
        out[column] = cells
    return out


def as_toml(content: dict[str, Any]) -> str:
    """Return a study as the text of a study file."""
    lines = ["# A simulated England. Everything in it is invented."]
    plain = {name: value for name, value in content.items() if not _is_table(value)}
    lines += [f"{_key(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in content.items():
        if isinstance(value, dict):
            lines += ["", *_table(_key(name), value)]
        elif _is_table(value):
            for item in value:
                lines += ["", *_table(_key(name), item, array=True)]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], dict))


def _table(name: str, content: dict[str, Any], *, array: bool = False) -> list[str]:
    lines = [f"[[{name}]]" if array else f"[{name}]"]
    lines += [f"{_key(key)} = {_value(value)}" for key, value in content.items() if not isinstance(value, dict)]
    for key, value in content.items():
        if isinstance(value, dict):
            lines += _table(f"{name}.{_key(key)}", value)
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
