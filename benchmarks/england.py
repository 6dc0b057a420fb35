"""A whole study of England on one core: ladder, comparators, sources of variation, ranks from 2,000 draws, storing.

Run with ``python benchmarks/england.py TABLE --icb QHM`` where TABLE is a practice table that ``new --data`` can read;
without one, a simulated England of 6,200 practices is made. Reports are not made.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

BARS = {"seconds": 20.0, "megabytes": 1000.0}
METRICS = ["same_day_share", "dna_share", "appointments_per_1000", "face_to_face_share", "within_14_days_share"]


def main() -> None:
    """Time starting, reading, each metric and storing, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", nargs="?", type=Path)
    parser.add_argument("--icb", help="the area; simulated England has its own")
    parser.add_argument("--metric", action="append", default=[])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        study = _study(Path(scratch), chosen.table, chosen.icb, chosen.metric)
        _measure(study)


def _study(scratch: Path, table: Path | None, icb: str | None, metrics: list[str]) -> Path:
    from gpvar import simulate, starter

    if table is None:
        table = scratch / "england.csv"
        simulate.england(seed=2, practices=6200, icbs=8).practices.to_csv(table, index=False)
    return starter.new_study(
        scratch / "study", data=table.resolve(), icb=icb or simulate.AREA, metric=metrics or METRICS
    )


def _measure(study_file: Path) -> None:
    started = time.perf_counter()
    from gpvar import load_study, pipeline

    steps: list[tuple[str, float]] = [("start", started)]
    run = pipeline.run(load_study(study_file), progress=lambda step: steps.append((step, time.perf_counter())))
    ended = time.perf_counter()
    print(f"{len(run.table.practices)} practices, {len(run.analyses)} metrics, area of {len(run.table.area_codes)}")
    for (step, since), until in zip(steps, [since for _, since in steps[1:]] + [ended], strict=True):
        print(f"{step:<60}{until - since:>8.2f} s")
    total, peak = ended - started, _peak_megabytes()
    held = "held" if total <= BARS["seconds"] and peak <= BARS["megabytes"] else "NOT HELD"
    print(f"{'whole study':<60}{total:>8.2f} s{peak:>8.0f} MB  {held} (20 s, 1,000 MB)")


def _peak_megabytes() -> float:
    try:
        import resource
    except ImportError:  # Windows keeps no such count in the standard library
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    main()
