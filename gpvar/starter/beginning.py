"""Writes a study, or lays out the demonstration."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations, share
from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.sources._reading import read_rows, sheet_names
from gpvar.starter.area import choose_area, choose_codes, date_of_codes
from gpvar.starter.headings import Draft, choose_metrics, choose_period, key, map_headings, relative
from gpvar.starter.writing import as_toml
from gpvar.study import Period, load_study

_STUDY = "study.toml"


def new_study(
    folder: Path | str,
    *,
    data: Path | str | None = None,
    sheet: str | None = None,
    practice: Sequence[str] = (),
    icb: str | None = None,
    list_file: Path | str | None = None,
    metric: Sequence[str] = (),
    today: dt.date | None = None,
) -> Path:
    """Write a study.

    Parameters
    ----------
    folder
        Where; made when it is not there. A study that is there already is never written over.
    data
        A table with one row per practice. Without it a study to fill in is written, with templates.
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
    today
        The day of declaration.

    Returns
    -------
    Path
        The study file; it loads.

    Raises
    ------
    StudyError
        When a name fits nothing or too much, a heading is missing, or a study is there already.
    SourceError
        When the table cannot be read.
    """
    folder = Path(folder)
    _refuse_to_overwrite(folder)
    today = today or dt.date.today()
    if data is None:
        return _write_template(folder, metric, today)
    data = Path(data).absolute()
    frame, sheet = _read_everything(data, sheet)
    draft = Draft(file=relative(data, folder), sheet=sheet, simulated=_is_demo(data))
    map_headings(draft, list(frame.columns))
    choose_metrics(draft, metric, data)
    choose_period(draft, frame, data, today)
    facts = choose_codes(draft, frame, icb)
    choose_area(draft, facts, practice, icb, Path(list_file).absolute() if list_file else None, folder)
    draft.hierarchy_date = date_of_codes(facts, draft)
    text = as_toml(draft, today)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _STUDY
    path.write_text(text, encoding="utf-8", newline="\n")
    load_study(path)
    return path


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
    fingerprint = hashlib.sha256(data.read_bytes()).digest()
    tables = share.folder("demo").glob("*.csv")
    return any(hashlib.sha256(table.read_bytes()).digest() == fingerprint for table in tables)


def _read_everything(data: Path, sheet: str | None) -> tuple[pd.DataFrame, str | None]:
    """Return the whole table as text, with the row of headings found by what is known."""
    known = {key(heading) for heading in organisations.conventions()["facts"]["practice_code"]}
    sheets = [sheet] if sheet or not (names := sheet_names(data)) else names
    for candidate in sheets:
        numbered = list(read_rows(data, candidate).numbered)
        for at, (_, cells) in enumerate(numbered[:40]):
            if any(key(cell) in known for cell in cells):
                body = [[*row, *[""] * len(cells)][: len(cells)] for _, row in numbered[at + 1 :] if any(row)]
                kept = [i for i, cell in enumerate(cells) if cell.strip()]
                frame = pd.DataFrame(
                    [[row[i] for i in kept] for row in body], columns=[cells[i] for i in kept], dtype=object
                )
                return frame, candidate
    raise StudyError(
        "No column of practice codes was found.",
        str(data) + (f", sheets {listing(sheets)}" if sheets != [None] else ""),
        "Call the column of codes 'practice_code', with the headings in one row, and try again.",
    )


def _write_template(folder: Path, metric: Sequence[str], today: dt.date) -> Path:
    """Write a study to fill in, beside the templates; it loads, and says what is missing when it is run."""
    for name in metric:
        catalogue.metric(name)
    folder.mkdir(parents=True, exist_ok=True)
    for item in sorted(share.folder("templates").iterdir()):
        if item.suffix in (".csv", ".xlsx") and not (folder / item.name).exists():
            shutil.copyfile(item, folder / item.name)
    draft = Draft(file="practice-table.csv")
    header = next(read_rows(share.folder("templates") / "practice-table.csv").numbered)[1]
    map_headings(draft, header)
    draft.metrics = list(dict.fromkeys(metric)) or ["same_day_share"]
    year = today.year - (1 if today.month >= 4 else 2)
    draft.period = Period(f"{year}-04", f"{year + 1}-03")
    draft.period_from = "CHANGE THIS to the period of your figures"
    draft.code = "QHM"
    draft.area_name = "CHANGE THIS to the code of your board"
    path = folder / _STUDY
    path.write_text(as_toml(draft, today), encoding="utf-8", newline="\n")
    load_study(path)
    return path
