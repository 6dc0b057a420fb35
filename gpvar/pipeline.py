"""The steps in order: table, analyses, store."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import metadata
from typing import TYPE_CHECKING

import gpvar
from gpvar import catalogue, claims, gates, store
from gpvar.analysis import analyse
from gpvar.errors import ConvergenceError, GpvarError, RunMissing, StatsError, TableError
from gpvar.multiverse import multiverse
from gpvar.results import Analysis, Multiverse, Run
from gpvar.study import Study, load_study, lock
from gpvar.study.columns import declared_scenario
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
        Read back from the store when nothing that decides a number has changed since it was last run.

    Raises
    ------
    TableError
        When no metric of the study can be analysed. One that cannot, beside others that can, is named with its
        reason in ``meta["unanswered"]``.
    """
    study = study if isinstance(study, Study) else load_study(study)
    progress("Reading the data")
    table = build_table(study)
    # A letter that cannot be read is refused before anything takes long.
    claims.letter_of(study, table)
    key = run_key(study, table)
    folder = _folder(study, key)
    if store.is_current(folder) and not refit:
        return with_findings(replace(store.load_run(folder), study=study), progress)
    analyses, unanswered = _analyse_all(study, table, progress)
    meta = _meta(study, key) | {"unanswered": {metric: _reason(error) for metric, error in unanswered.items()}}
    ways = _in_other_ways(table, analyses, progress)
    done = Run(study=study, table=table, analyses=analyses, folder=folder, meta=meta, multiverse=ways)
    store.save(done)
    return with_findings(replace(done, meta=meta | {"frozen": lock.state(study)}), progress)


def freeze(study: Study | str | Path, day: date | None = None) -> bool:
    """Keep what a study declares, and the day, in ``study.lock`` beside it; see `gpvar.study.lock.freeze`."""
    study = study if isinstance(study, Study) else load_study(study)
    return lock.freeze(study, day or date.today())


def with_findings(run: Run, progress: Callable[[str], None] = lambda message: None) -> Run:
    """Return the run with what it says of the study's letter, stored beside it.

    A letter decides findings and no number, so that a changed one is read anew without a new analysis.
    """
    said = claims.letter_of(run.study, run.table)
    if not said:
        store.forget_findings(run.folder)
        return replace(run, findings=())
    letter = claims.fingerprint(said)
    found = store.stored_findings(run.folder, letter)
    if found is None:
        found = claims.check_all(said, run, lambda claim: progress(f"Checking sentence {claim.id} of {len(said)}"))
        store.save_findings(run.folder, letter, found)
    return replace(run, findings=found)


def stored(study: Study | str | Path) -> Run:
    """Return the stored run of a study as it is now; nothing is fitted.

    Raises
    ------
    RunMissing
        When the study has not been run, or it, its data or gpvar have changed since.
    """
    study = study if isinstance(study, Study) else load_study(study)
    folder = _folder(study, run_key(study, build_table(study)))
    if not store.is_current(folder):
        earlier = any((study.folder / "results").glob("*/run.json"))
        raise RunMissing(
            "The study, its data or gpvar have changed since it was run."
            if earlier
            else "This study has not been run.",
            str(study.folder),
            f"Run it: python run.py run {study.folder}",
        )
    return with_findings(replace(store.load_run(folder), study=study))


def _folder(study: Study, key: str) -> Path:
    return study.folder / "results" / key[:16]


def _analyse_all(
    study: Study, table: PracticeTable, progress: Callable[[str], None]
) -> tuple[dict[str, Analysis], dict[str, GpvarError]]:
    analyses: dict[str, Analysis] = {}
    unanswered: dict[str, GpvarError] = {}
    for metric in study.metrics:
        progress(f"Analysing {catalogue.metric(metric).short}")
        try:
            analyses[metric] = analyse(table, metric)
        except (TableError, StatsError, ConvergenceError) as error:
            unanswered[metric] = error
    if not analyses:
        raise next(iter(unanswered.values()))
    return analyses, unanswered


def _in_other_ways(
    table: PracticeTable, analyses: dict[str, Analysis], progress: Callable[[str], None]
) -> dict[str, Multiverse]:
    found = {}
    for metric, analysis in analyses.items():
        progress(f"Analysing {catalogue.metric(metric).short} in other defensible ways")
        # What stands beside a finding never takes the finding with it: the pages say that it is not known.
        with contextlib.suppress(TableError, StatsError, ConvergenceError):
            found[metric] = multiverse(table, metric, analysis)
    return found


def _reason(error: GpvarError) -> str:
    return f"{error.problem} {error.fix}".strip()


def run_key(study: Study, table: PracticeTable) -> str:
    """Return the SHA-256 that names a run: the declared analysis, the cards, every input and the versions."""
    covariates = {c for metric in study.metrics for c in gates.declared_covariates(study, metric)}
    covariates |= set(declared_scenario(study))
    parts = {
        "analysis": study.analysis_part(),
        "cards": catalogue.fingerprint(study.metrics, sorted(covariates)),
        "inputs": _inputs(table),
        "numbers": gpvar.__numbers__,
        "versions": versions(),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _inputs(table: PracticeTable) -> list[list[str]]:
    """Return what of each file decides numbers: what it holds, and the edition and dates that its name may give."""
    said = table.provenance[["source", "sheet", "sha256", "edition", "dates"]].fillna("").astype(str)
    return sorted(said.to_numpy().tolist())


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
