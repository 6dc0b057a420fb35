"""One metric, whole England, one core: how long, how much memory.

Run with ``python benchmarks/england.py TABLE`` where TABLE is a practice table that ``new --data`` can read; without
one, a simulated England of 6,200 practices is made.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

BARS = {"seconds": 10.0, "megabytes": 1000.0}


def main() -> None:
    """Time reading, analysis and storing of each metric, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", nargs="?", type=Path)
    parser.add_argument("--metric", action="append", default=[])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        study = _study(Path(scratch), chosen.table, chosen.metric)
        _measure(study)


def _study(scratch: Path, table: Path | None, metrics: list[str]) -> Path:
    from gpvar import starter

    if table is None:
        from gpvar import simulate

        table = scratch / "england.csv"
        simulate.england(seed=2, practices=6200, icbs=8).practices.to_csv(table, index=False)
    everyone = table.resolve()
    return starter.new_study(
        scratch / "study", data=everyone, list_file=everyone, metric=metrics or ["same_day_share", "dna_share"]
    )


def _measure(study_file: Path) -> None:
    from gpvar import build_table, load_study
    from gpvar.analysis import analyse

    started = time.perf_counter()
    study = load_study(study_file)
    table = build_table(study)
    reading = time.perf_counter() - started
    print(f"{'metric':<28}{'practices':>10}{'read s':>9}{'analyse s':>11}{'total s':>9}{'peak MB':>9}  bars")
    for metric in study.metrics:
        started = time.perf_counter()
        analysis = analyse(table, metric)
        seconds = time.perf_counter() - started
        total, peak = reading + seconds, _peak_megabytes()
        held = "held" if total < BARS["seconds"] and peak < BARS["megabytes"] else "NOT HELD"
        n = analysis.meta["n_practices"]
        print(f"{metric:<28}{n:>10}{reading:>9.2f}{seconds:>11.2f}{total:>9.2f}{peak:>9.0f}  {held}")


def _peak_megabytes() -> float:
    try:
        import resource
    except ImportError:  # Windows keeps no such count in the standard library
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    main()
