"""Joint draws as files that another program reads: Parquet for all of them, CSV for the small ones."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from gpvar.errors import ReportError
from gpvar.reporting import files, tidy
from gpvar.reporting.research import FOLDER
from gpvar.words import draws_readme

if TYPE_CHECKING:
    from gpvar.analysis.draws import ModelDraws
    from gpvar.results import Run

_COLUMNS = ["file", "column", "type", "unit", "meaning"]
_SINGLE = 4


def draws_size(n: int, n_effects: int) -> int:
    """Return about how many bytes the draws of effects take on disk."""
    return n * n_effects * _SINGLE


def draws_folder(run: Run, metric: str, rung: str) -> Path:
    """Return where draws go unless another folder is named: beside the tables, in what is private."""
    place = Path(run.study.folder) / "reports" / "private" / FOLDER / files.safe_name(metric)
    return place / f"draws_{files.safe_name(rung)}{'_minus' * rung.endswith('-')}"


def write_draws(run: Run, drawn: ModelDraws, folder: Path) -> list[Path]:
    """Write joint draws to a folder.

    Parameters
    ----------
    run
        The run they are of.
    drawn
        The draws; effects are written in single precision (seven digits).
    folder
        Made when it is not there.

    Returns
    -------
    list of Path
        ``fixed``, ``sds`` and ``design`` as CSV and Parquet, ``effects_LEVEL.parquet``, the dictionary, a note.

    Raises
    ------
    ReportError
        When there is no room, or the folder cannot be written.
    """
    n = len(drawn.fixed)
    _refuse_without_room(folder, draws_size(n, sum(frame.shape[1] for frame in drawn.effects.values())))
    written: list[Path] = []
    for name, frame in (("fixed", _numbered(drawn.fixed)), ("sds", _numbered(drawn.sds)), ("design", drawn.design)):
        types = {str(column): _type(frame[column]) for column in frame.columns}
        made = tidy.arrow(tidy.typed(frame, types), types)
        written.append(files.write(folder / f"{name}.csv", tidy.csv(made)))
        written.append(files.write(folder / f"{name}.parquet", tidy.parquet(made)))
    for level, frame in drawn.effects.items():
        written.append(files.write(folder / f"effects_{level}.parquet", tidy.parquet(_single(frame))))
    written.append(files.write(folder / "data_dictionary.csv", tidy.described(_dictionary(drawn))))
    written.append(files.write_text(folder / "README.txt", draws_readme(run, drawn)))
    return written


def _refuse_without_room(folder: Path, needed: int) -> None:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise ReportError(
            f"The draws take about {needed / 1e9:,.2f} GB, and {free / 1e9:,.2f} GB are free.",
            str(there),
            "Ask for fewer with --n, or for a folder on another disk with --into.",
        )


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    made = frame.copy()
    made.insert(0, "draw", range(1, len(frame) + 1))
    return made


def _type(values: pd.Series) -> str:
    if pd.api.types.is_integer_dtype(values):
        return "whole number"
    return "number" if pd.api.types.is_numeric_dtype(values) else "code"


def _single(frame: pd.DataFrame) -> pa.Table:
    numbers = frame.to_numpy(dtype="float32")
    draw = pa.array(range(1, len(frame) + 1), type=pa.int32())
    units = [pa.array(column) for column in numbers.T]
    return pa.Table.from_arrays([draw, *units], names=["draw", *(str(unit) for unit in frame.columns)])


def _dictionary(drawn: ModelDraws) -> pd.DataFrame:
    number = ("draw", "whole number", "", "Number of the draw; the same in every file is one draw of everything")
    rows = [("fixed", *number)]
    rows += [("fixed", str(t), "number", "link scale", f"Coefficient of the column {t}") for t in drawn.fixed.columns]
    rows += [("sds", *number)]
    rows += [("sds", str(level), "number", "link scale", f"SD between units: {level}") for level in drawn.sds.columns]
    for level in drawn.effects:
        rows.append((f"effects_{level}", *number))
        named = {"icb": "its code", "pcn": "its pcn_key (hierarchy.csv)", "practice": "its practice_code"}[level]
        rows.append((f"effects_{level}", "UNIT", "number, single precision", "link scale", f"Effect; named by {named}"))
    rows.append(("design", "practice_code", "code", "", "The practice's national (ODS) code"))
    terms = [str(name) for name in drawn.design.columns if name != "practice_code"]
    for name in terms:
        known = name in ("icb", "pcn")
        said = "The unit of effects_" + name if known else "The standardised column of the design (fits.csv)"
        rows.append(("design", name, "code" if known else "number", "" if known else "standard deviations", said))
    return pd.DataFrame(rows, columns=_COLUMNS)
