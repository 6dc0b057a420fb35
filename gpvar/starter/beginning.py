"""Writes a study, or lays out the demonstration."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpvar import share
from gpvar.catalogue import letter_form
from gpvar.errors import GpvarError, StudyError
from gpvar.sources import reference
from gpvar.sources.files.members import fingerprint
from gpvar.sources.files.reading import read_rows
from gpvar.sources.reference.file import is_reference
from gpvar.starter import gathering
from gpvar.starter.area import choose_area, choose_codes, date_of_codes
from gpvar.starter.headings import Draft, choose_metrics, choose_period, map_headings, metric_ids, relative
from gpvar.starter.months import all_beside
from gpvar.starter.table import read_everything
from gpvar.starter.writing import as_toml
from gpvar.study import load_study, period_asked
from gpvar.study.columns import TO_FILL_IN

_STUDY = "study.toml"


def new_study(
    folder: Path | str,
    *,
    data: Path | str | None = None,
    also: Sequence[Path | str] = (),
    sheet: str | None = None,
    practice: Sequence[str] = (),
    icb: str | None = None,
    list_file: Path | str | None = None,
    metric: Sequence[str] = (),
    period: str | None = None,
    today: dt.date | None = None,
) -> Path:
    """Write a study.

    Parameters
    ----------
    folder
        Where; made when it is not there. A study that is there already is never written over.
    data
        A table with one row per practice, or an England reference file. Without it, and with a board, a practice or a
        list, a study of publications is written, whose files are gathered next; with none of these, one to fill in.
    also
        Tables with the same counts of other months, such as one month of the year; each has a column of months.
    sheet
        The sheet, when the table is a workbook.
    practice
        Names or codes of practices that are to have pages of their own.
    icb
        Name or code, of before or after April 2026, of the board that the study is about.
    list_file
        A file of practice codes that the study is about, instead of a board.
    metric
        Metric ids; by default every metric that the table holds.
    period
        The months, as ``"2025-04..2026-03"``; by default what the table gives away.
    today
        The day of declaration.

    Returns
    -------
    Path
        The study file. It loads, unless it has places marked FILL IN: columns that no heading gave away.

    Raises
    ------
    StudyError
        When a name fits nothing or too much, or a study is there already.
    SourceError
        When the table cannot be read.
    """
    folder = Path(folder).resolve()
    _refuse_to_overwrite(folder)
    today = today or dt.date.today()
    listed = Path(list_file).resolve() if list_file else None
    months = period_asked(period)
    if data is None and not (practice or icb or listed):
        return _write_template(folder, metric_ids(metric), today)
    _refuse_alone(data, also)
    about = {"practice": practice, "icb": icb, "list_file": listed, "metric": metric, "period": months}
    if data is None or is_reference(Path(data)):
        held = None if data is None else Path(data).resolve()
        try:
            draft = gathering.declare(folder, **about, today=today, reference_file=held)
        except GpvarError as error:
            raise _in_options(error, listed) from None
        path = _write(draft, folder, today)
        if held is not None:
            reference.use(held, load_study(path, complete=False))
        return path
    try:
        draft = _draft(Path(data).resolve(), sheet, folder, today, metric)
        if months is not None:
            draft.period, draft.period_from = months, "as asked for"
        facts = choose_codes(draft, draft.frame, icb)
        choose_area(draft, facts, practice, icb, listed, folder)
        draft.beside = all_beside(also, folder, draft)
    except GpvarError as error:
        raise _in_options(error, listed) from None
    draft.hierarchy_date = date_of_codes(facts, draft)
    return _write(draft, folder, today)


def _refuse_alone(data: Path | str | None, also: Sequence[Path | str]) -> None:
    """Refuse tables of other months beside publications, whose own months are read."""
    if also and (data is None or is_reference(Path(data))):
        raise StudyError(
            "A table of other months stands beside a table of the study's own figures, and there is none here.",
            f"--data {Path(also[0]).name}",
            "Write it into study.toml as a [[source]] with period = (docs/study.md shows one).",
        )


def _draft(data: Path, sheet: str | None, folder: Path, today: dt.date, metric: Sequence[str]) -> Draft:
    """Return what the table gives away of a study."""
    frame, sheet, code = read_everything(data, sheet)
    draft = Draft(file=relative(data, folder), frame=frame, sheet=sheet, simulated=_is_demo(data))
    draft.columns["practice_code"] = code
    map_headings(draft, frame)
    choose_metrics(draft, metric)
    choose_period(draft, frame, data, today)
    return draft


def _write(draft: Draft, folder: Path, today: dt.date, *, files: Sequence[Path] = ()) -> Path:
    """Write the study, and files beside it, once it is known that it can be read back."""
    text = as_toml(draft, today)
    load_study(tomllib.loads(text.replace(f'"{TO_FILL_IN}"', '"X99999"')), folder, complete=bool(draft.file))
    path = folder / _STUDY
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item in (share.folder("templates") / letter_form.FILE, *files):
            if not (folder / item.name).exists():
                shutil.copyfile(item, folder / item.name)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StudyError(
            "The study could not be written.",
            f"{path} ({error.strerror or error})",
            "Choose a folder in which you may write.",
        ) from error
    return path


#: What readers say of a study file, and what it is called where there is none yet.
_AS_OPTIONS = (
    (r"orrect file = in the study file", "orrect {file}"),
    (r"orrect sheet = in the study file", "orrect --sheet"),
    (r"sheet = (\".*?\") under \[\[source\]\]", r"--sheet \1"),
    (r"The study names the sheet", "--sheet names the sheet"),
    (r"Take sheet = out of the study file", "Leave --sheet out"),
)


def _in_options(error: GpvarError, listed: Path | None) -> GpvarError:
    """Return an error that names the option at fault, for there is no study file yet."""
    said = [error.problem, error.where, error.fix]
    about_list = listed is not None and listed.name in error.where
    for pattern, option in _AS_OPTIONS:
        option = option.replace("{file}", "--list" if about_list else "--data")
        said = [re.sub(pattern, option, text) for text in said]
    return type(error)(*said)


def lay_out_demo(into: Path | str) -> Path:
    """Copy the simulated study into a folder and return its study file; results that are there stay.

    Raises
    ------
    StudyError
        When the folder holds something other than the demonstration, or cannot be written.
    """
    into, source = Path(into), share.folder("demo")
    study = into / _STUDY
    try:
        if into.exists() and any(into.iterdir()) and not _is_simulated(study):
            raise StudyError(
                "This folder holds something other than the demonstration, which would be written over.",
                str(into.absolute()),
                "Choose another folder: demo --into FOLDER.",
            )
        into.mkdir(parents=True, exist_ok=True)
        for item in sorted(source.iterdir()):
            if item.is_file():
                shutil.copyfile(item, into / item.name)
    except OSError as error:
        raise StudyError(
            "The demonstration could not be written.",
            f"{into.absolute()} ({error.strerror or error})",
            "Choose a folder in which you may write: demo --into FOLDER.",
        ) from error
    return study


def _is_simulated(study: Path) -> bool:
    return study.is_file() and "simulated = true" in study.read_text(encoding="utf-8", errors="replace")


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.is_file():
        raise StudyError(
            "There is a file of this name, so no folder can be made.", str(folder.absolute()), "Choose another."
        )
    if (folder / _STUDY).exists():
        raise StudyError(
            "There is a study in this folder already; it is not written over.",
            str((folder / _STUDY).absolute()),
            "Choose another folder, or change that study file by hand.",
        )


def _is_demo(data: Path) -> bool:
    """Return whether the table is the simulated one, wherever it was copied to."""
    return any(fingerprint(table) == fingerprint(data) for table in share.folder("demo").glob("*.csv"))


def _write_template(folder: Path, metric: Sequence[str], today: dt.date) -> Path:
    """Write a study to fill in, beside the templates; it loads, and says what is missing when it is run."""
    templates = share.folder("templates")
    name, sheet = "practice-table.xlsx", "practice-table"
    header = next(read_rows(templates / name, sheet).numbered)[1]
    frame = pd.DataFrame(columns=header)
    draft = Draft(file=name, sheet=sheet, frame=frame)
    map_headings(draft, frame)
    choose_metrics(draft, metric or ["same_day_share"])
    draft.period = gathering.last_year(today)
    draft.period_from = "CHANGE THIS to the period of your figures"
    draft.code = "QHM"
    draft.area_name = "CHANGE THIS to the code of your board"
    files = [item for item in sorted(templates.iterdir()) if item.suffix in (".csv", ".xlsx")]
    return _write(draft, folder, today, files=files)
