"""The steps in order: table, analyses, store."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

import gpvar
from gpvar import catalogue, store
from gpvar.analysis import analyse
from gpvar.results import Run
from gpvar.study import Study, load_study
from gpvar.table import PracticeTable, build_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_VERSIONED = ("numpy", "scipy", "pandas", "statsmodels")


def run(
    study: Study | str | Path | dict[str, object],
    refit: bool = False,
    progress: Callable[[str], None] = lambda message: None,
) -> Run:
    """Run a study: read, join, check, analyse, store.

    Parameters
    ----------
    study
        A loaded study, its file or folder, or a dict.
    refit
        Analyse again even when the same study, data and versions have been analysed before.
    progress
        Called with a short sentence before each step.

    Returns
    -------
    Run
        Read back from the store when nothing has changed since it was last run.
    """
    study = study if isinstance(study, Study) else load_study(study)
    progress("Reading the data")
    table = build_table(study)
    key = run_key(study, table)
    folder = study.folder / "results" / key[:16]
    if store.is_complete(folder) and not refit:
        return store.load_run(folder)
    analyses = {}
    for metric in study.metrics:
        progress(f"Analysing {catalogue.metric(metric).short}")
        analyses[metric] = analyse(table, metric)
    done = Run(study=study, table=table, analyses=analyses, folder=folder, meta=_meta(study, key))
    store.save(done)
    return done


def run_key(study: Study, table: PracticeTable) -> str:
    """Return the SHA-256 that names a run: the declared analysis, the cards, every input and the versions."""
    adjust = study.adjust or {}
    covariates = {c for ids in adjust.values() for c in ids}
    for metric in study.metrics:
        covariates |= {c for ids in catalogue.metric(metric).adjust.values() for c in ids}
    parts = {
        "analysis": study.analysis_part(),
        "cards": catalogue.fingerprint(study.metrics, sorted(covariates)),
        "inputs": sorted(table.provenance["sha256"].astype(str)),
        "numbers": gpvar.__numbers__,
        "versions": versions(),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that can move a number."""
    return {name: metadata.version(name) for name in _VERSIONED}


def _meta(study: Study, key: str) -> dict[str, object]:
    return {
        "key": key,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "simulated": study.simulated,
        "versions": {"gpvar": gpvar.__version__, "python": platform.python_version(), **versions()},
        "numbers": gpvar.__numbers__,
    }
