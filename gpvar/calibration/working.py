"""Many worlds: each in a process of its own turn, kept as soon as it is finished, and put together at the end."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

import gpvar
from gpvar.calibration.registry import MEASURES
from gpvar.calibration.summary import ALL, Counted, summary
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import Settings, metric_of, seed_of, trial_of
from gpvar.errors import GpvarError
from gpvar.pipeline import versions
from gpvar.reporting.files import write_text

#: From this many finished worlds on, the table is the trial that was declared, and no small version of it.
ENOUGH = 300
TABLE, ABOUT, WORLDS = "calibration.csv", "calibration.json", "worlds"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
#: Rooms of words, pictures and commands, and of other ways, which move nothing that is counted.
_NOTHING_COUNTED = (
    "words", "tables", "charts", "reporting", "starter", "cli", "schema", "store.py", "multiverse", "_share",
)  # fmt: skip
#: More processes than Windows can wait for.
_MOST_WORKERS = 60


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    seed: int
    settings: Settings
    measures: tuple[str, ...]
    key: str
    folder: Path


def calibrate(
    worlds: int,
    seed: int,
    into: Path,
    *,
    workers: int = 2,
    settings: Settings | None = None,
    measures: Sequence[str] = tuple(MEASURES),
    progress: Callable[[str], None] = lambda message: None,
) -> pd.DataFrame:
    """Put the tool on trial, and write the table.

    Parameters
    ----------
    worlds, seed
        How many, and of which trial.
    into
        Folder of the table; finished worlds are in ``worlds`` within it, and are not made again: a trial that was
        stopped goes on where it was. Those of another version, or made otherwise, are.
    workers
        How many processes; 1: this one.
    settings, measures
        What every world has in common, and what is counted.
    progress
        Called with a short sentence after each world.

    Returns
    -------
    DataFrame
        `gpvar.calibration.summary` of the finished worlds, also in ``calibration.csv``; what it rests on is in
        ``calibration.json``, the worlds that failed among it.

    Raises
    ------
    GpvarError
        When the numbers asked for make no trial, or no world could be finished.
    """
    settings = settings or Settings()
    _refuse(worlds, seed, workers, measures)
    _try_to_write(into)
    key = _key(seed, settings, measures)
    numbers = range(1, worlds + 1)
    jobs = [_Job(number, seed, settings, tuple(measures), key, into / WORLDS) for number in numbers]
    left = [job for job in jobs if _stored(job) is None]
    if len(left) < worlds:
        progress(f"{worlds - len(left)} of {worlds} worlds are finished already")
    failures: list[dict[str, Any]] = []
    for done, (job, error, seconds) in enumerate(_worked(left, workers), start=worlds - len(left) + 1):
        said = f"failed: {error}" if error else f"{seconds:.0f} processor seconds"
        progress(f"World {job.number} ({done} of {worlds}), {metric_of(job.number)}: {said}")
        if error:
            failures.append({"number": job.number, "metric": metric_of(job.number), "error": error})
    counted = [found for job in jobs if (found := _stored(job)) is not None]
    if not counted:
        raise GpvarError(
            "No world of the trial could be finished.",
            f"world {failures[0]['number']}: {failures[0]['error']}",
            "This is a fault in gpvar or in its simulated England; send the message with the report of it.",
        )
    frame = summary(counted)
    write(frame, about(frame, counted, failures, worlds, seed, settings, measures), into)
    return frame


def count_world(
    number: int, seed: int, settings: Settings | None = None, measures: Sequence[str] = tuple(MEASURES)
) -> Counted:
    """Draw one world, analyse it, and count.

    Parameters
    ----------
    number, seed, settings
        As `gpvar.calibration.trial_of`.
    measures
        Names of what is counted.
    """
    trial = trial_of(number, seed, settings)
    seconds, tallies = dict(trial.seconds), []
    for name in measures:
        since = time.process_time()
        tallies += list(MEASURES[name](trial))
        seconds[name] = time.process_time() - since
    return Counted(number, trial.seed, trial.metric, tuple(tallies), seconds)


def about(
    frame: pd.DataFrame,
    counted: Sequence[Counted],
    failures: Sequence[dict[str, Any]],
    asked: int,
    seed: int,
    settings: Settings,
    measures: Sequence[str],
) -> dict[str, Any]:
    """Return what a table rests on, as ``calibration.json`` holds it."""
    spent = pd.DataFrame([dict(world.seconds) for world in counted]).mean()
    whole = frame[(frame["metric"] == ALL) & (frame["met"] == "no")]
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": gpvar.__version__,
        "numbers": gpvar.__numbers__,
        "code": fingerprint(),
        "python": platform.python_version(),
        "versions": versions(),
        "seed": seed,
        "asked": asked,
        "worlds": len(counted),
        "small": len(counted) < ENOUGH,
        "settings": settings.as_data(),
        "measures": list(measures),
        "failures": list(failures),
        "missed": whole[["bar", "group"]].to_numpy().tolist(),
        "seconds": {
            "total": round(float(spent.sum() * len(counted)), 1),
            "per_world": round(float(spent.sum()), 2),
            "by_measure": {str(name): round(float(value), 2) for name, value in spent.items()},
        },
    }


def write(frame: pd.DataFrame, about: dict[str, Any], folder: Path) -> None:
    """Write a table as ``calibration.csv`` and what it rests on as ``calibration.json``, whole or not at all."""
    write_text(folder / TABLE, frame.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")


def _refuse(worlds: int, seed: int, workers: int, measures: Sequence[str]) -> None:
    unknown = [name for name in measures if name not in MEASURES]
    if worlds < 1 or seed < 0 or not 1 <= workers <= _MOST_WORKERS or unknown or not measures:
        where, counted = f"worlds={worlds}, seed={seed}, workers={workers}", ""
        if unknown or not measures:
            where += f", measures={', '.join(measures)}"
            counted = f", measures among {', '.join(MEASURES)}"
        raise GpvarError(
            "Such a trial cannot be made.",
            where,
            f"Ask for one world at least, a seed of 0 or more and 1 to {_MOST_WORKERS} processes{counted}.",
        )


def _try_to_write(folder: Path) -> None:
    """Refuse a folder that cannot be written to before the first world, not after it."""
    try:
        (folder / WORLDS).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder / WORLDS):
            pass
    except OSError as error:
        raise GpvarError(
            "The trial cannot be written there.",
            f"{folder} ({error.strerror or error})",
            "Name a folder that you may write to, with --into.",
        ) from error


@cache
def fingerprint() -> str:
    """Return a SHA-256 of the code and tables that decide what is counted: worlds of two codes are never added up."""
    whole = hashlib.sha256()
    home = Path(gpvar.__file__).parent
    for path in sorted(path for path in home.rglob("*") if path.suffix in (".py", ".toml")):
        within = path.relative_to(home)
        if within.parts[0] in _NOTHING_COUNTED:
            continue
        whole.update(within.as_posix().encode("utf-8"))
        whole.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return whole.hexdigest()


def _key(seed: int, settings: Settings, measures: Sequence[str]) -> str:
    """Return what a stored world must agree with: versions, settings, seed and what is counted."""
    parts = {
        "numbers": gpvar.__numbers__,
        "code": fingerprint(),
        "version": gpvar.__version__,
        "versions": versions(),
        "seed": seed,
        "settings": settings.as_data(),
        "measures": list(measures),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8")).hexdigest()[:16]


def _worked(jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, str, float]]:
    """Work through the jobs, and yield each as it ends: with its error, or with its processor seconds."""
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield job, *_work(job)
        return
    with _one_thread_each():
        # Spawned, not forked: the same on every system, and no half-copied threads of a numerical library.
        pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=multiprocessing.get_context("spawn"))
        try:
            yield from _handed_out(pool, jobs, workers)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _handed_out(pool: ProcessPoolExecutor, jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, str, float]]:
    """Hand out one job to each process at a time, so that a trial that is stopped has none left in a queue."""
    left = iter(jobs)
    running: dict[Future[tuple[str, float]], _Job] = {pool.submit(_work, job): job for job in islice(left, workers)}
    while running:
        for ended in wait(running, return_when=FIRST_COMPLETED).done:
            job, result = running.pop(ended), _result(ended)
            running.update((pool.submit(_work, following), following) for following in islice(left, 1))
            yield job, *result


def _result(ended: Future[tuple[str, float]]) -> tuple[str, float]:
    try:
        return ended.result()
    except BrokenProcessPool as error:
        raise GpvarError(
            "A process of the trial ended without a word; finished worlds are kept.",
            str(error),
            "Often too little memory: free some, or ask for --workers 1, and start the same command again.",
        ) from error


def _work(job: _Job) -> tuple[str, float]:
    """Count one world and keep it. Returns its error, which stops no other world, or its processor seconds."""
    try:
        counted = count_world(job.number, job.seed, job.settings, job.measures)
        _store(counted, job)
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())}", 0.0
    return "", float(sum(counted.seconds.values()))


def _store(counted: Counted, job: _Job) -> None:
    held = {
        "key": job.key,
        "number": counted.number,
        "seed": counted.seed,
        "metric": counted.metric,
        "seconds": dict(counted.seconds),
        "tallies": [[tally.bar, tally.group, tally.hits, tally.chances] for tally in counted.tallies],
    }
    write_text(_file(job), json.dumps(held) + "\n")


def _stored(job: _Job) -> Counted | None:
    """Return a finished world; None where there is none, or one that was made otherwise."""
    try:
        held = json.loads(_file(job).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if held.get("key") != job.key or held.get("seed") != seed_of(job.seed, job.number):
        return None
    tallies = tuple(Tally(bar, hits, chances, group) for bar, group, hits, chances in held["tallies"])
    return Counted(held["number"], held["seed"], held["metric"], tallies, held["seconds"])


def _file(job: _Job) -> Path:
    return job.folder / f"{job.number:04d}.json"


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the processes started within use one thread each: two that share two cores only get in each other's way."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
