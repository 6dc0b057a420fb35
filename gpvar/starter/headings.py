"""What a table's headings give away: columns, figures, characteristics, dates and the period."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from gpvar import catalogue
from gpvar.errors import StudyError
from gpvar.sources.files.values import parse_month, parse_numbers
from gpvar.starter.own import Finder, columns_called, remark
from gpvar.study import Period


@dataclass(slots=True)
class Draft:
    """What is known of the study so far; `gaps` are the columns to be filled in, `beside` tables of other months."""

    file: str
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
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
    headings: list[str] = field(default_factory=list)
    finder: Finder | None = None
    gaps: list[str] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    area_gap: str = ""
    beside: list[Draft] = field(default_factory=list)


def map_headings(draft: Draft, frame: pd.DataFrame) -> None:
    """Fill in the columns and dates that the headings give away."""
    headings = draft.headings = list(frame.columns)
    draft.finder = finder = Finder(headings)
    known = catalogue.conventions()
    for name in known["facts"]:
        # A column that was found by what it holds is not looked for by its heading.
        if name not in draft.columns and (hit := finder.fact(name)) is not None:
            draft.columns[name] = hit
    if not {"unmapped.numerator", "unmapped.denominator"} <= set(draft.columns):
        draft.columns.pop("unmapped.numerator", None)
        draft.columns.pop("unmapped.denominator", None)
    for metric, counts in known["figures"].items():
        for part, name in zip(("numerator", "denominator"), counts, strict=True):
            if found := finder.count(name):
                draft.columns[f"{metric}.{part}"] = found[0] if len(found) == 1 else found
    _map_characteristics(draft, frame, finder)
    _map_registers(draft, headings)


def _map_characteristics(draft: Draft, frame: pd.DataFrame, finder: Finder) -> None:
    for item in catalogue.conventions()["characteristic"]:
        found = _first(finder.headings, item["headings"])
        if found:
            _date(draft, item["id"], found, finder.headings, item.get("date"))
        elif found := _own_characteristic(item["id"], frame, finder):
            draft.remarks[item["id"]] = remark(item["id"])
        if found:
            shape = catalogue.covariate(item["id"]).shape
            draft.columns[item["id"]] = found if shape == "shares" else found[0]


def _own_characteristic(covariate: str, frame: pd.DataFrame, finder: Finder) -> list[str] | None:
    wanted = catalogue.conventions()["own"]["characteristic"].get(covariate, [])
    hit = finder.only_one(covariate, wanted)
    found = [hit] if hit else finder.shares(covariate)
    # Numbers of patients are no shares, and only the values tell.
    if found and catalogue.covariate(covariate).shape == "shares":
        found = [heading for heading in found if not (parse_numbers(frame[heading]).value > 100).any()]
    return found or None


def _first(headings: list[str], candidates: list[list[str]]) -> list[str] | None:
    return next((found for names in candidates if (found := columns_called(headings, names))), None)


def _map_registers(draft: Draft, headings: list[str]) -> None:
    known = catalogue.conventions()["registers"]
    base = next((found[0] for item in known["list"] if (found := columns_called(headings, [item]))), None)
    for covariate in catalogue.covariates():
        found = columns_called(headings, [known["heading"].format(covariate.removeprefix("qof_"))])
        if covariate.startswith("qof_") and base and found:
            draft.columns |= {f"{covariate}.numerator": found[0], f"{covariate}.denominator": base}
            _date(draft, covariate, [found[0], base], headings, None)


def _date(draft: Draft, covariate: str, found: list[str], headings: list[str], date: str | None) -> None:
    known = catalogue.conventions()
    for ending, month in known["dated"].items():
        if any(ending in heading for heading in found):
            date = date or month
    for heading, month in known["beside"].get(covariate, {}).items():
        if columns_called(headings, [heading]):
            date = date or month
    if date:
        draft.dates[covariate] = date


def metric_ids(asked: Sequence[str]) -> list[str]:
    """Return the metrics asked for, whatever their capitals."""
    known = {name.casefold(): name for name in catalogue.metrics()}
    found = []
    for text in asked:
        if "," in text:
            raise StudyError(
                "One --metric names one metric.",
                f"--metric {text}",
                "Repeat it: " + " ".join(f"--metric {part.strip()}" for part in text.split(",") if part.strip()) + ".",
            )
        found.append(catalogue.metric(known.get(text.strip().casefold(), text)).id)
    return list(dict.fromkeys(found))


def choose_metrics(draft: Draft, asked: Sequence[str]) -> None:
    """Take the metrics asked for, or all that the table can give; what these lack is left to be filled in."""
    chosen = metric_ids(asked)
    whole = [metric for metric in catalogue.metrics() if not _lacking(draft, metric)]
    begun = [metric for metric in catalogue.metrics() if f"{metric}.numerator" in draft.columns]
    draft.metrics = chosen or whole or begun or ["same_day_share"]
    for metric in draft.metrics:
        draft.gaps += [_gap(metric, part) for part in _lacking(draft, metric)]
    draft.gaps = list(dict.fromkeys(draft.gaps))
    used = {c for metric in draft.metrics for ids in catalogue.metric(metric).adjust.values() for c in ids}
    used |= {name for card in catalogue.resources().values() for name in (card.top, card.bottom)}
    for column in list(draft.columns):
        name = column.partition(".")[0]
        if (name in catalogue.metrics() and name not in draft.metrics) or (
            name in catalogue.covariates() and name not in used
        ):
            del draft.columns[column]
            draft.dates.pop(name, None)
            draft.remarks.pop(name, None)


def _lacking(draft: Draft, metric: str) -> list[str]:
    """Return the counts of a metric that were not found; the list stands in for patient-months."""
    parts = [part for part in ("numerator", "denominator") if f"{metric}.{part}" not in draft.columns]
    if catalogue.metric(metric).kind == "rate" and "list_size" in draft.columns:
        parts = [part for part in parts if part != "denominator"]
    return parts


def _gap(metric: str, part: str) -> str:
    """Return the column to ask for: of the patient-months of a rate, the list is sooner at hand."""
    return "list_size" if catalogue.metric(metric).kind == "rate" and part == "denominator" else f"{metric}.{part}"


def choose_period(draft: Draft, frame: pd.DataFrame, data: Path, today: dt.date) -> None:
    """Take the period from the file's own months or days, else from its name, else the last whole financial year."""
    days = _days_of_rows(draft, frame)
    if "period" not in draft.columns and days:
        first, last, monthly = days
        draft.period, draft.period_from = Period(first, last), "from the file's own first and last days"
        if monthly:
            draft.columns["period"] = draft.columns["period_start"]
        return
    if "period" in draft.columns:
        months = months_in(frame[draft.columns["period"]])
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


def months_in(cells: pd.Series) -> list[str]:
    """Return the months that a column holds, in order and once each, as ``"2025-04"``."""
    return sorted({month for text in cells.unique() if (month := parse_month(str(text)))})


def _days_of_rows(draft: Draft, frame: pd.DataFrame) -> tuple[str, str, bool] | None:
    """Return the first and last month of the file, and whether its rows are months."""
    if not {"period_start", "period_end"} <= set(draft.columns):
        return None
    starts = frame[draft.columns["period_start"]].map(lambda text: parse_month(str(text)))
    ends = frame[draft.columns["period_end"]].map(lambda text: parse_month(str(text)))
    if starts.isna().all() or ends.isna().all():
        return None
    monthly = bool((starts == ends).all() and starts.nunique() > 1)
    return str(starts.dropna().min()), str(ends.dropna().max()), monthly


def relative(path: Path, folder: Path) -> str:
    """Return the path as the study file writes it: relative where the two share a drive."""
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:
        return path.as_posix()
