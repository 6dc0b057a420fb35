"""A study of publications: declared before its files are gathered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations
from gpvar.errors import SourceError, StudyError
from gpvar.problems import listing
from gpvar.sources import reference, registered
from gpvar.sources.looking import look
from gpvar.sources.needs import usual_folders
from gpvar.starter.area import choose_area
from gpvar.starter.headings import Draft, metric_ids
from gpvar.study import Period
from gpvar.study.columns import PUBLICATIONS

_MAP = "registered_map"


def declare(
    folder: Path,
    *,
    practice: Sequence[str],
    icb: str | None,
    list_file: Path | None,
    metric: Sequence[str],
    period: Period | None,
    today: dt.date,
    reference_file: Path | None = None,
) -> Draft:
    """Return a study of publications that names no file yet.

    Parameters
    ----------
    folder
        The study's folder.
    practice, icb
        Names or codes. Names of practices can be told only where a map of practices lies on this computer.
    list_file
        A file of practice codes.
    metric
        Metric ids; the same-day share by default.
    period
        The months; the last whole year from April to March by default.
    today
        The day of declaration.
    reference_file
        An England reference file, which says who the practices are and which months it holds.

    Raises
    ------
    StudyError
        When a name fits nothing or too much, or no publication holds a metric.
    """
    draft = Draft(file="", metrics=list(metric_ids(metric) or ["same_day_share"]))
    _refuse_unpublished(draft.metrics, reference_file)
    held = reference.describe(reference_file) if reference_file else None
    draft.period = period or (held.period if held else last_year(today))
    draft.period_from = "as asked for" if period else "CHANGE THIS to the months you want"
    if held and not period:
        draft.period_from = "the months of the reference file"
    draft.simulated = bool(held and held.simulated)
    # A board that began after the period has its practices as of then.
    day = organisations.day_of_board(icb, draft.period.last_day) if icb else draft.period.last_day
    draft.hierarchy_date = day
    if reference_file:
        facts = _in_reference(reference_file, draft.period, day)
    else:
        facts = _practices(folder, day, practice, icb, list_file)
    choose_area(draft, facts, practice, icb, list_file, folder)
    return draft


def _refuse_unpublished(metrics: Sequence[str], reference_file: Path | None) -> None:
    """Refuse metrics of which no publication has figures by practice: such a study could never run."""
    without = [catalogue.metric(name) for name in metrics if catalogue.metric(name).source not in PUBLICATIONS]
    if not without:
        return
    one = len(without) == 1
    them, are = ("it", "is") if one else ("them", "are")
    so = (
        f"so a reference file cannot hold {them}" if reference_file else f"so no publication can be gathered for {them}"
    )
    raise StudyError(
        f"{listing(card.title for card in without)} {are} published for no practice, {so}.",
        " ".join(f"--metric {card.id}" for card in without),
        f"Ask your board for the figures: new FOLDER --metric {without[0].id}, with no board and no practice, writes a "
        "template to ask with, and --data takes the table that comes back.",
    )


def _in_reference(path: Path, period: Period, day: dt.date) -> pd.DataFrame:
    tables = reference.read(path, period)
    return organisations.place_on([table.places for table in tables if table.places is not None], day)


def last_year(today: dt.date) -> Period:
    """Return the last whole year from April to March."""
    year = today.year - (1 if today.month >= 4 else 2)
    return Period(f"{year}-04", f"{year + 1}-03")


def _practices(
    folder: Path, day: dt.date, practice: Sequence[str], icb: str | None, list_file: Path | None
) -> pd.DataFrame:
    """Return who the practices are: from the maps on this computer, else what can be told without one."""
    maps, broken = _maps(folder)
    if maps:
        return organisations.place_on(maps, day)
    if broken and practice:
        raise broken[0]
    named = [query for query in practice if not organisations.looks_like_practice_code(query)]
    if named:
        raise StudyError(
            f"'{named[0]}' is a name, and without a list of practices only codes can be told.",
            "--practice",
            "Give its code (a letter and five digits), or put the mapping file of Patients Registered at a GP Practice "
            "into Downloads and run the same command again.",
        )
    board = organisations.find_icb_by_date(icb, day) if icb else ""
    if not board and practice and list_file is None:
        raise StudyError(
            "Without a list of practices it cannot be told to which board a practice belongs.",
            "--practice",
            'Add --icb "North East", or put the mapping file of Patients Registered at a GP Practice into Downloads.',
        )
    codes = [query.strip().upper() for query in practice] or [""]
    return pd.DataFrame({"practice_code": codes, "icb_code": board, "icb_name": organisations.name_of_board(board)})


def _maps(folder: Path) -> tuple[list[pd.DataFrame], list[SourceError]]:
    """Return the maps of practices that lie on this computer, and why others cannot be read."""
    maps, broken = [], []
    for item in look([*usual_folders(folder), folder.parent]):
        for part in item.parts:
            if part.layout == _MAP:
                try:
                    maps.append(registered.tidy(part))
                except SourceError as error:
                    broken.append(error)
    return maps, broken
