"""The only reader and writer of a study's ``results/KEY/``: ``run.json`` and one CSV per table; no pickle."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from gpvar import schema
from gpvar.errors import GpvarError, RunMissing
from gpvar.results import Analysis, Claim, Figure, Finding, Multiverse, Note, Run
from gpvar.study import load_study, lock
from gpvar.table import PracticeTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpvar.study import SourceSpec, Study

FORMAT = 6
_FINDINGS = "findings.json"
_TABLE = (
    "outcomes", "periods", "practices", "hierarchy", "groups", "events", "provenance", "unmatched", "gates", "excluded",
)  # fmt: skip
_VARIATION = ("levels", "coefficients", "shares", "rungs", "equity", "boards", "board_slopes")
_PRACTICE = ("effects", "waterfall", "neighbours", "reach", "passing", "models", "diagnostics", "resources", "supply")
_ANALYSIS = ("practices", "spread", "methods", "fits", "calibration", *_VARIATION, *_PRACTICE)
#: Frame of a multiverse → the schema's name of it, and of its file.
_MULTIVERSE = {"specifications": "specifications", "practices": "specification_practices", "summary": "robustness"}
#: The frames of a table, of an analysis and of a multiverse, in the order in which they are stored.
TABLE, ANALYSIS, MULTIVERSE = _TABLE, _ANALYSIS, _MULTIVERSE


def save(run: Run) -> None:
    """Write a run to its folder, whole or not at all.

    Parameters
    ----------
    run
        The run; `run.folder` is where it goes. An older run in the same place is replaced only once the new one
        has been written in full.

    Raises
    ------
    GpvarError
        When the folder cannot be written.
    """
    building = run.folder.with_name(f"{run.folder.name}.part")
    aside = run.folder.with_name(f"{run.folder.name}.old")
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        _write(run, building)
        # Moved aside before it is deleted: where another program holds a file the move fails and nothing is lost.
        shutil.rmtree(aside, ignore_errors=True)
        if run.folder.exists():
            run.folder.replace(aside)
        building.replace(run.folder)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise GpvarError(
            "The results could not be written.",
            f"{run.folder} ({error.strerror or error})",
            "Close any of its files that are open elsewhere (Excel locks them), check that you may write there and "
            "that the disk is not full, and run again.",
        ) from error


def load_run(folder: Path | str) -> Run:
    """Load a stored run; nothing is fitted.

    Parameters
    ----------
    folder
        ``STUDY/results/KEY``, or a study's folder: then its newest run. Empty: the demonstration's, which must have
        been run before.

    Returns
    -------
    Run

    Raises
    ------
    RunMissing
        When there is no complete run there.
    """
    folder = _find(Path(folder)) if str(folder) else _find_demonstration()
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    if stored.get("format") != FORMAT:
        raise RunMissing(
            "These results were written by another version of gpvar.",
            str(folder),
            "Run the study again: python run.py run STUDY",
        )
    study = load_study(stored["study"], base=folder.parent.parent)
    frames = {name: _read(folder / "table" / f"{name}.csv", name) for name in _TABLE}
    table = PracticeTable(
        study=study,
        **frames,
        area_codes=tuple(stored["area_codes"]),
        area_name=stored["area_name"],
        dates=stored["dates"],
        remarks=tuple(stored["remarks"]),
    )
    analyses = {metric: _load_analysis(folder / metric, about) for metric, about in stored["analyses"].items()}
    found = _load_findings(folder)[1]
    meta = stored["meta"] | {"frozen": lock.state(study)}
    ways = {metric: _load_multiverse(folder / metric, about) for metric, about in stored["multiverse"].items()}
    return Run(study, table, analyses, folder, meta, findings=found, multiverse=ways)


def save_findings(folder: Path, letter: str, findings: Sequence[Finding]) -> None:
    """Write the findings on a letter beside the run that they were made from.

    Parameters
    ----------
    folder
        Of a stored run.
    letter
        SHA-256 of the letter's sentences and of what decides them.
    findings
        One for each sentence.
    """
    text = json.dumps({"letter": letter, "findings": [asdict(item) for item in findings]}, indent=1, ensure_ascii=False)
    part = folder / f"{_FINDINGS}.part"
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(folder / _FINDINGS)


def stored_findings(folder: Path, letter: str) -> tuple[Finding, ...] | None:
    """Return the findings stored for a letter; None where there are none, or they are of another letter."""
    made_for, findings = _load_findings(folder)
    return findings if made_for == letter else None


def forget_findings(folder: Path) -> None:
    """Take away the findings of a letter that is no longer the study's."""
    (folder / _FINDINGS).unlink(missing_ok=True)


def _load_findings(folder: Path) -> tuple[str, tuple[Finding, ...]]:
    """Return for which letter findings are stored, and the findings; none where they cannot be read.

    A file that another version wrote, or that was cut off, holds nothing that is not soon made anew.
    """
    path = folder / _FINDINGS
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return str(stored["letter"]), tuple(_finding(item) for item in stored["findings"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ()


def _finding(item: dict[str, Any]) -> Finding:
    claim = dict(item["claim"])
    for name in ("figure", "figure_before", "comparator_figure", "threshold"):
        claim[name] = Figure(**claim[name]) if claim[name] else None
    lists = {name: tuple(item[name]) for name in ("because", "gates", "rungs", "would_change", "disclose")}
    return Finding(**item | lists | {"claim": Claim(**claim)})


def schema_of(frame: str) -> str:
    """Return under which name the schema holds a frame of an analysis."""
    return "analysis_practices" if frame == "practices" else frame


def is_complete(folder: Path) -> bool:
    """Say whether `folder` holds a whole run (run.json is written last)."""
    return (folder / "run.json").is_file()


def is_current(folder: Path) -> bool:
    """Say whether `folder` holds a whole run in the form that this version reads."""
    if not is_complete(folder):
        return False
    return bool(json.loads((folder / "run.json").read_text(encoding="utf-8")).get("format") == FORMAT)


def _find(folder: Path) -> Path:
    if is_complete(folder):
        return folder
    runs = [path.parent for path in folder.glob("results/*/run.json")]
    if not runs:
        raise RunMissing(
            "There are no results to read here.", str(folder), "Run the study first: python run.py run STUDY"
        )
    return max(runs, key=lambda path: (path / "run.json").stat().st_mtime)


def _find_demonstration() -> Path:
    here = Path.cwd()
    for place in (here, here.parent):
        if list((place / "gpvar-demo").glob("results/*/run.json")):
            return _find(place / "gpvar-demo")
    raise RunMissing(
        "No run was named, and there is no demonstration here to show instead.",
        str(here),
        "Name a run, or make the demonstration first: python run.py demo",
    )


def _write(run: Run, folder: Path) -> None:
    (folder / "table").mkdir()
    for name in _TABLE:
        _to_csv(getattr(run.table, name), folder / "table" / f"{name}.csv")
    for metric, analysis in run.analyses.items():
        (folder / metric).mkdir()
        for name in _ANALYSIS:
            _to_csv(getattr(analysis, name), folder / metric / f"{name}.csv")
    for metric, ways in run.multiverse.items():
        (folder / metric / "multiverse").mkdir()
        for name, table in _MULTIVERSE.items():
            _to_csv(getattr(ways, name), folder / metric / "multiverse" / f"{table}.csv")
    dictionary = schema.data_dictionary(list(schema.TABLES))
    _to_csv(dictionary, folder / "data_dictionary.csv")
    about = {
        "format": FORMAT,
        "meta": run.meta,
        "study": _declared(run.study),
        "area_codes": list(run.table.area_codes),
        "area_name": run.table.area_name,
        "dates": run.table.dates,
        "remarks": list(run.table.remarks),
        "analyses": {metric: _about(analysis) for metric, analysis in run.analyses.items()},
        "multiverse": {metric: ways.meta for metric, ways in run.multiverse.items()},
    }
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=True, default=str)
    (folder / "run.json").write_text(text, encoding="utf-8", newline="\n")


def _declared(study: Study) -> dict[str, Any]:
    """Return the study as its file would declare it, with paths relative to its folder."""
    area = {"kind": study.area.kind, "code": study.area.code, "practices": list(study.area.practices)}
    if study.area.file is not None:
        area["file"] = _relative(study.area.file, study.folder)
    area |= {"list": study.area.list, "group": study.area.group, "name": study.area.name if study.area.group else ""}
    reference: dict[str, Any] = {"set": study.reference.set, "exclude": list(study.reference.exclude)}
    if study.reference.hierarchy_date is not None:
        reference["hierarchy_date"] = study.reference.hierarchy_date.isoformat()
    declared: dict[str, Any] = {
        "schema": study.schema,
        "title": study.title,
        "seed": study.seed,
        "declared": study.declared.isoformat(),
        "period": f"{study.period.start}..{study.period.end}",
        "metrics": list(study.metrics),
        "simulated": study.simulated,
        "area": {key: value for key, value in area.items() if value},
        "reference": reference,
        "source": [_declared_source(source, study.folder) for source in study.sources],
        "reports": {"kinds": list(study.reports.kinds), "formats": list(study.reports.formats)},
    }
    if study.events is not None:
        declared["events"] = _relative(study.events, study.folder)
    if study.lists:
        declared["list"] = [asdict(item) | {"file": _relative(item.file, study.folder)} for item in study.lists]
    if study.letter is not None:
        declared["letter"] = _relative(study.letter, study.folder)
    if study.claims:
        declared["claim"] = list(study.claims)
    if study.adjust is not None:
        declared["adjust"] = {rung: list(ids) for rung, ids in study.adjust.items()}
    if study.multiverse is not None:
        asked = {"specifications": study.multiverse.specifications, "choices": list(study.multiverse.choices)}
        declared["multiverse"] = {word: value for word, value in asked.items() if value}
    return declared


def _declared_source(source: SourceSpec, folder: Path) -> dict[str, Any]:
    files = [_relative(file, folder) for file in source.files]
    declared = asdict(source) | {"file": files[0] if len(files) == 1 else files, "missing": list(source.missing)}
    declared["period"] = f"{source.period.start}..{source.period.end}" if source.period else ""
    return {key: value for key, value in declared.items() if value and key != "more_files"}


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return path.as_posix()


def _about(analysis: Analysis) -> dict[str, Any]:
    return {"meta": analysis.meta, "notes": [asdict(note) for note in analysis.notes]}


def _load_analysis(folder: Path, about: Mapping[str, Any]) -> Analysis:
    frames = {name: _read(folder / f"{name}.csv", schema_of(name)) for name in _ANALYSIS}
    notes = tuple(Note(note["id"], note["numbers"]) for note in about["notes"])
    return Analysis(**frames, notes=notes, meta=about["meta"])


def _load_multiverse(folder: Path, meta: dict[str, Any]) -> Multiverse:
    frames = {}
    for name, table in _MULTIVERSE.items():
        frame = _read(folder / "multiverse" / f"{table}.csv", table)
        answers = [column.name for column in schema.TABLES[table] if column.type == "yes/no"]
        frames[name] = frame.assign(**{answer: frame[answer].astype(object).fillna("") for answer in answers})
    return Multiverse(**frames, meta=meta)


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    # Arrow writes a number to its last digit in a tenth of the time that pandas takes.
    texts = {name: frame[name].astype("str") for name in frame if pd.api.types.is_object_dtype(frame[name])}
    pacsv.write_csv(pa.Table.from_pandas(frame.assign(**texts), preserve_index=False), path)


def _read(path: Path, table: str) -> pd.DataFrame:
    """Read one table back with the types its schema gives; text is never taken for a number or for missing."""
    kinds = {column.name: column.type for column in schema.TABLES[table]}
    text = {name for name, kind in kinds.items() if kind in {"text", "code"}}
    header = pd.read_csv(path, nrows=0, encoding="utf-8").columns
    types = {name: str if name in text else float for name in header if name in text or kinds.get(name) == "number"}
    return pd.read_csv(
        path,
        encoding="utf-8",
        dtype=types,
        keep_default_na=False,
        na_values=_missing(header, text),
    )


def _missing(header: pd.Index, text: set[str]) -> dict[str, list[str]]:
    return {name: [] if name in text else [""] for name in header}
