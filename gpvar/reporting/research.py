"""Everything of a run as tidy tables for researchers: CSV and Parquet side by side, with a dictionary and a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar import catalogue, schema, store
from gpvar.reporting import files, tidy, ways
from gpvar.words import research_readme

if TYPE_CHECKING:
    from pathlib import Path

    from gpvar.results import Run

FOLDER = "research"
#: Other defensible ways: part of what was found → its table.
WAYS = {"specifications": "specifications", "practices": "specification_practices", "summary": "robustness"}


def write_tables(run: Run, folder: Path) -> list[Path]:
    """Write every table of a run.

    Parameters
    ----------
    run
        The run.
    folder
        Where to: ``table/`` gets what was observed, one folder for each metric what was found.

    Returns
    -------
    list of Path
        CSV and Parquet of every table, ``data_dictionary.csv`` and ``README.txt``. The same run gives the same bytes.
    """
    written: list[Path] = []
    for name in store.TABLE:
        written += _both(getattr(run.table, name), name, folder / "table" / name)
    for metric, analysis in run.analyses.items():
        for name in store.ANALYSIS:
            written += _both(getattr(analysis, name), store.schema_of(name), folder / files.safe_name(metric) / name)
    for metric, found in run.multiverse.items():
        for name, table in WAYS.items():
            written += _both(ways.answered(getattr(found, name)), table, folder / files.safe_name(metric) / table)
    written.append(files.write(folder / "data_dictionary.csv", tidy.described(dictionary(run))))
    written.append(files.write_text(folder / "README.txt", research_readme(run)))
    return written


def _both(frame: pd.DataFrame, table: str, stem: Path) -> list[Path]:
    frame = frame if len(frame.columns) else pd.DataFrame(columns=schema.names(table))
    types = tidy.types_of(table, frame)
    made = tidy.arrow(tidy.typed(frame, types), types)
    return [
        files.write(stem.with_suffix(".csv"), tidy.csv(made)),
        files.write(stem.with_suffix(".parquet"), tidy.parquet(made)),
    ]


def dictionary(run: Run) -> pd.DataFrame:
    """Return every column of every file: the schema's, and this run's characteristics by name."""
    described = []
    for where, names in (("table", store.TABLE), ("METRIC", store.ANALYSIS)):
        for name in names:
            found = schema.data_dictionary([store.schema_of(name) if where == "METRIC" else name])
            described.append(found.assign(file=f"{where}/{name}"))
    for name in WAYS.values() if run.multiverse else ():
        described.append(schema.data_dictionary([name]).assign(file=f"METRIC/{name}"))
    whole = pd.concat([*described, _characteristics(run)], ignore_index=True)
    return whole[["file", "column", "type", "unit", "meaning"]]


def _characteristics(run: Run) -> pd.DataFrame:
    """Return the columns of the practices' table that belong to one of the catalogue's characteristics."""
    known = set(schema.names("practices"))
    frame = run.table.practices
    rows = []
    for name in (str(column) for column in frame.columns if column not in known):
        covariate, _, part = name.partition(".")
        title = catalogue.covariates()[covariate].title if covariate in catalogue.covariates() else covariate
        kind = tidy.types_of("practices", frame[[name]])[name]
        rows.append(("table/practices", name, kind, _unit(part, kind), f"{title}{f': {part}' if part else ''}"))
    return pd.DataFrame(rows, columns=["file", "column", "type", "unit", "meaning"])


def _unit(part: str, kind: str) -> str:
    if part in ("numerator", "denominator"):
        return "patients"
    if kind != "number":
        return ""
    return "share, 0 to 1" if part else "see the covariate's card"
