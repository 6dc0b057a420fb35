"""What a table's headings give away: columns, figures, characteristics, dates and the period."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations
from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.sources._grid import plain_heading
from gpvar.sources._values import parse_month
from gpvar.study import Period


@dataclass(slots=True)
class Draft:
    """What is known of the study so far."""

    file: str
    sheet: str | None = None
    columns: dict[str, str | list[str]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    practices: list[tuple[str, str]] = field(default_factory=list)
    kind: str = "icb"
    code: str = ""
    list_file: str = ""
    area_name: str = ""
    period: Period | None = None
    period_from: str = ""
    hierarchy_date: dt.date | None = None
    simulated: bool = False


def key(heading: str) -> str:
    """Return a heading as it is compared: spaces, hyphens, underscores and capitals do not matter."""
    return re.sub(r"[\s_\-]+", " ", plain_heading(heading))


def columns_called(headings: list[str], wanted: Iterable[str]) -> list[str] | None:
    """Return the headings of the table that are the ones wanted, or None when one is not there."""
    there = {key(heading): heading for heading in reversed(headings)}
    keys = [key(heading) for heading in wanted]
    return [there[key] for key in keys] if all(key in there for key in keys) else None


def map_headings(draft: Draft, headings: list[str]) -> None:
    """Fill in the columns and dates that the headings give away."""
    known = organisations.conventions()
    for name, candidates in known["facts"].items():
        hit = next((found[0] for item in candidates if (found := columns_called(headings, [item]))), None)
        if hit is not None:
            draft.columns[name] = hit
    if not {"unmapped.numerator", "unmapped.denominator"} <= set(draft.columns):
        draft.columns.pop("unmapped.numerator", None)
        draft.columns.pop("unmapped.denominator", None)
    for metric, counts in known["figures"].items():
        parts = [_first(headings, known["counts"][count]) for count in counts]
        if parts[0] and not parts[1] and counts[1] == "patient_months" and "list_size" in draft.columns:
            draft.columns[f"{metric}.numerator"] = parts[0][0] if len(parts[0]) == 1 else parts[0]
        if all(parts):
            for part, found in zip(("numerator", "denominator"), parts, strict=True):
                draft.columns[f"{metric}.{part}"] = found[0] if len(found) == 1 else found
    for item in known["characteristic"]:
        found = _first(headings, item["headings"])
        if found:
            shape = catalogue.covariate(item["id"]).shape
            draft.columns[item["id"]] = found if shape == "shares" else found[0]
            _date(draft, item["id"], found, headings, item.get("date"))
    _map_registers(draft, headings)


def _first(headings: list[str], candidates: list[list[str]]) -> list[str] | None:
    return next((found for names in candidates if (found := columns_called(headings, names))), None)


def _map_registers(draft: Draft, headings: list[str]) -> None:
    known = organisations.conventions()["registers"]
    base = next((found[0] for item in known["list"] if (found := columns_called(headings, [item]))), None)
    for covariate in catalogue.covariates():
        found = columns_called(headings, [known["heading"].format(covariate.removeprefix("qof_"))])
        if covariate.startswith("qof_") and base and found:
            draft.columns |= {f"{covariate}.numerator": found[0], f"{covariate}.denominator": base}
            _date(draft, covariate, [found[0], base], headings, None)


def _date(draft: Draft, covariate: str, found: list[str], headings: list[str], date: str | None) -> None:
    known = organisations.conventions()
    for ending, month in known["dated"].items():
        if any(ending in heading for heading in found):
            date = date or month
    for heading, month in known["beside"].get(covariate, {}).items():
        if columns_called(headings, [heading]):
            date = date or month
    if date:
        draft.dates[covariate] = date


def choose_metrics(draft: Draft, asked: Sequence[str], data: Path) -> None:
    """Take the metrics asked for, or all that the table can give; keep only the characteristics that these use."""
    known = catalogue.metrics()
    ready = [metric for metric in known if f"{metric}.numerator" in draft.columns]
    for metric in asked:
        catalogue.metric(metric)
        if metric not in ready:
            wanted = organisations.conventions()["figures"].get(metric, [])
            needs = [" + ".join(organisations.conventions()["counts"][count][0]) for count in wanted]
            fix = f"The file can give {listing(ready)}." if ready else "See data/templates for headings that are known."
            raise StudyError(
                f"The file has no columns for '{metric}' that are known by their headings.",
                str(data),
                f"It needs {' and '.join(needs)}; rename them, or write the study by hand. {fix}",
            )
    if not ready:
        raise StudyError(
            "No figures were found in the file by their headings.",
            str(data),
            "Use the headings of practice-table.xlsx, which 'new FOLDER' writes, or write the study by hand.",
        )
    draft.metrics = list(dict.fromkeys(asked)) or ready
    used = {c for metric in draft.metrics for ids in catalogue.metric(metric).adjust.values() for c in ids}
    for column in list(draft.columns):
        name = column.partition(".")[0]
        if name in catalogue.covariates() and name not in used:
            del draft.columns[column]
            draft.dates.pop(name, None)


def choose_period(draft: Draft, frame: pd.DataFrame, data: Path, today: dt.date) -> None:
    """Take the period from a column of months, else from the file's name, else the last whole financial year."""
    if "period" in draft.columns:
        months = sorted(
            {month for text in frame[draft.columns["period"]].unique() if (month := parse_month(str(text)))}
        )
        if months:
            draft.period, draft.period_from = Period(months[0], months[-1]), "from the column of months"
            return
        del draft.columns["period"]
    found = re.search(r"(20\d\d)[-_ ]?(?:20)?(\d\d)(?!\d)", data.name)
    if found and int(found.group(2)) == (int(found.group(1)) + 1) % 100:
        year, draft.period_from = int(found.group(1)), "CHECK THIS: taken from the file's name"
    else:
        year = today.year - (1 if today.month >= 4 else 2)
        draft.period_from = "CHECK THIS: the file does not say; this is the last whole financial year"
    draft.period = Period(f"{year}-04", f"{year + 1}-03")


def relative(path: Path, folder: Path) -> str:
    """Return the path as the study file writes it: relative where the two share a drive."""
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:
        return path.as_posix()
