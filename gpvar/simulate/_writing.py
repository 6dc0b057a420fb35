"""A world as files, and the study that reads them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpvar.simulate import _world
from gpvar.simulate._declared import AGES
from gpvar.simulate._measure import REGISTERS

if TYPE_CHECKING:
    from gpvar.simulate.worlds import World

PRACTICES, MONTHS, STUDY = "practices.csv", "months.csv", "study.toml"
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
    year = world.months is None
    people = _people(world)
    counts = {key: value for metric in metrics for key, value in headings(metric, year=year).items()}
    local = {"id": "local", "file": PRACTICES, "columns": people | (counts if year else {}), "dates": _dates()}
    monthly = {
        "id": "months",
        "file": MONTHS,
        "columns": {"practice_code": "practice_code", "period": "month"} | counts,
    }
    return {
        "schema": 1,
        "title": f"Simulated England {world.seed}",
        "seed": world.seed,
        "declared": dt.date(2026, 4, 14),
        "period": "2025-04..2026-03",
        "metrics": list(metrics),
        "simulated": True,
        "area": {"kind": "icb", "code": _world.AREA, "practices": []},
        "source": [local] if year else [local, monthly],
        **more,
    }


def _people(world: World) -> dict[str, str | list[str]]:
    """Return which of a world's columns say what of a practice and its patients."""
    columns: dict[str, str | list[str]] = {name: name for name in _SAME} | _OWN
    if world.settings["events"] != 1:
        # Fewer appointments of the same patients would look as if a part of the book were missing.
        del columns["list_size"]
    columns |= {"unmapped.numerator": _year("unmapped"), "unmapped.denominator": _year(_TOTAL)}
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
    for name, table in ((PRACTICES, world.practices), (MONTHS, world.months)):
        if table is not None:
            table.to_csv(folder / name, index=False, encoding="utf-8", lineterminator="\n")
    path = folder / STUDY
    path.write_text(as_toml(study(world, metrics, more)), encoding="utf-8", newline="\n")
    return path


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
