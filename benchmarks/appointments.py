"""Practice-level appointments: seconds and memory from files to practice level, one core, against a plain pandas read.

Run with ``python benchmarks/appointments.py``. Files of 2 million rows a month (twice the real size) are simulated for
up to 24 months, which takes some minutes and 300 MB of disk; ``--months 1 3`` and ``--rows 1000000`` make it shorter.
Each measurement is a process of its own on one core. Its start and its imports are not counted in the seconds, but are
in the memory. Beside the seconds by the clock stand those of the processor, which others on the machine disturb less.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

BARS = {"seconds": 1.2, "megabytes": 300.0}
_LABELS = ("HCP_TYPE", "APPT_MODE", "NATIONAL_CATEGORY", "TIME_BETWEEN_BOOK_AND_APPT", "APPT_STATUS")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Make the files, measure each way of reading them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, nargs="+", default=[1, 3, 6, 12, 24])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs is shown")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(_child(*chosen.child)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        _table(Path(scratch), sorted(chosen.months), chosen.rows, chosen.repeat)


def _table(scratch: Path, sizes: Sequence[int], rows: int, repeat: int) -> None:
    months = _months(max(sizes))
    csv = _make(scratch / "csv", months[:1], rows, zipped=False)
    zips = _make(scratch / "zips", months, rows, zipped=True)
    single = _make(scratch / "zip", months[:1], rows, zipped=True)
    print(f"Bars: {BARS['seconds']} s and {BARS['megabytes']:.0f} MB for 2 million rows")
    print(f"{'what':<40}{'rows':>12}{'clock s':>9}{'cpu s':>8}{'peak MB':>9}")
    one = f"{months[0]}..{months[0]}"
    for what, way, files in (
        ("pandas: columns, categories, group by", "pandas", csv[:1]),
        ("cold, CSV, no cache", "off", csv),
        ("cold, CSV, cache written", "cold", csv),
        ("warm, CSV", "warm", csv),
        ("cold, zip, no cache", "off", single),
        ("cold, zip, cache written", "cold", single),
        ("warm, zip", "warm", single),
    ):
        _line(what, rows, [_measured(way, one, files, scratch) for _ in range(repeat)], bars=True)
    for size in sizes:
        period = f"{months[0]}..{months[size - 1]}"
        files = single if size == 1 else zips[: -(-size // 3)]
        for way, what in (("off", "no cache"), ("cold", "cache written"), ("warm", "warm")):
            _line(f"{size} months, zip, {what}", rows * size, [_measured(way, period, files, scratch)], bars=False)


def _months(number: int) -> list[str]:
    number = -(-number // 3) * 3
    return [f"{2024 + (3 + at) // 12:04d}-{(3 + at) % 12 + 1:02d}" for at in range(number)]


def _make(folder: Path, months: Sequence[str], rows: int, *, zipped: bool) -> list[str]:
    from gpvar import simulate
    from gpvar.simulate.appointments import write_crosstab

    practices = simulate.england(seed=2, practices=6200, icbs=8).practices
    made = write_crosstab(folder, practices=practices, months=months, rows_per_month=rows, zipped=zipped)
    return [str(file) for file in made.files]


def _line(what: str, rows: int, found: Sequence[dict[str, float]], *, bars: bool) -> None:
    best = min(found, key=lambda item: item["cpu"])
    clock, peak = min(item["clock"] for item in found), best["megabytes"]
    shown = f"{peak:9.0f}" if peak == peak else "  not measured"
    said = ""
    if bars:
        held = min(clock, best["cpu"]) <= BARS["seconds"] and not peak > BARS["megabytes"]
        said = "held" if held else "NOT HELD"
    print(f"{what:<40}{rows:>12,}{clock:>9.2f}{best['cpu']:>8.2f}{shown}  {said}", flush=True)


def _measured(way: str, period: str, files: Sequence[str], scratch: Path) -> dict[str, float]:
    cache = scratch / "cache"
    if way == "cold":
        for item in cache.rglob("*.parquet"):
            item.unlink()
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1"), "GPVAR_CACHE": "off" if way == "off" else str(cache)}
    command = [sys.executable, str(Path(__file__).resolve()), "--child", way, period, *files]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _child(way: str, period: str, *files: str) -> dict[str, float]:
    """Read the files once, on one core where the system lets us choose."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    read = _with_pandas if way == "pandas" else _with_gpvar
    read(period, [])
    clock, cpu = time.perf_counter(), time.process_time()
    read(period, [Path(file) for file in files])
    return {
        "clock": time.perf_counter() - clock,
        "cpu": time.process_time() - cpu,
        "megabytes": _peak_megabytes(),
    }


def _with_pandas(period: str, files: Sequence[Path]) -> None:
    import pandas as pd

    for file in files:
        kinds = dict.fromkeys(["APPOINTMENT_MONTH_START_DATE", "GP_CODE", *_LABELS], "category")
        kinds["COUNT_OF_APPOINTMENTS"] = "int32"
        frame = pd.read_csv(file, usecols=list(kinds), dtype=kinds)
        same_day = frame["COUNT_OF_APPOINTMENTS"].where(frame["TIME_BETWEEN_BOOK_AND_APPT"] == "Same Day", 0)
        frame.assign(same_day=same_day).groupby("GP_CODE", observed=True)[["COUNT_OF_APPOINTMENTS", "same_day"]].sum()


def _with_gpvar(period: str, files: Sequence[Path]) -> None:
    from gpvar.sources import appointments, recognise
    from gpvar.study.model import parse_period

    parts = [part for file in files for part in recognise.recognise(file)]
    appointments.read(parts, parse_period(period))


def _peak_megabytes() -> float:
    """Return the most memory this process held; what a parent held before it was started does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024.0
    try:
        import resource
    except ImportError:  # Windows keeps no such count in the standard library
        return float("nan")
    scale = 1024.0**2 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


if __name__ == "__main__":
    main()
