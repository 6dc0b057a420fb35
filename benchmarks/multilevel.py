"""Multilevel fits: seconds and memory beside glmm, lme4 and glmmTMB, and nanoseconds per row beside bare numpy.

Run it as ``python -m benchmarks.multilevel``; ``--quick`` leaves out the large tables of the peers, and ``--england
TABLE`` adds three models of the real table of practices. One thread, everything in one run, the median of five. A peer
that is not installed is named as such. R is timed within R, around the fit alone and with the summary that prints the
standard errors; ours and glmm's always include them. Seconds by the clock stand beside those of the processor, which
others on the machine disturb less, and by which the bars are judged. The peers may take many minutes:
``--peer-repeats 1`` asks them once.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
os.environ.update(THREADS)

import numpy as np  # noqa: E402 - after the number of threads is set
import pandas as pd  # noqa: E402

from benchmarks import bare  # noqa: E402
from gpvar.stats import multilevel  # noqa: E402
from gpvar.stats.multilevel import MultilevelFit  # noqa: E402
from gpvar.stats.multilevel._estimate import Start, estimate  # noqa: E402

GROUPS = ["icb", "pcn", "practice"]
COVARIATES = ("x1", "x2", "x3")
BETA = np.array([0.2, -0.15, 0.05])
SDS = {"icb": 0.15, "pcn": 0.12, "practice": 0.30}
PRACTICES, PCNS, ICBS = 6200, 1260, 42
K = 4.0
#: Months in the table → seconds a fit with its standard errors may take.
SECONDS = {1: 0.08, 12: 0.4, 36: 1.2}
MEGABYTES, DRAWING, TIMES_LME4, TIMES_BARE, ENGLAND_SECONDS = 300.0, 2.0, 60.0, 1.5, 0.3
R_SCRIPT = Path(__file__).with_name("peers.R")
R_ENGINES = ("lme4", "glmmTMB")


@dataclass(frozen=True, slots=True)
class Job:
    """One model of one table."""

    name: str
    family: str
    frame: pd.DataFrame
    covariates: tuple[str, ...] = COVARIATES
    seconds: float | None = None

    @property
    def formula(self) -> str:
        """The fixed effects."""
        return "y ~ " + " + ".join(self.covariates)


@dataclass(frozen=True, slots=True)
class Timing:
    """Median seconds: by the clock, of the processor, and with the standard errors; or why there are none."""

    clock: float = float("nan")
    fit: float = float("nan")
    with_errors: float = float("nan")
    loglik: float = float("nan")
    absent: str = ""


class Bars:
    """What the project promised, and whether it held on this machine."""

    def __init__(self) -> None:
        self.held: list[bool] = []

    def say(self, what: str, found: float, limit: float, most: bool = True) -> None:
        """Print one bar."""
        held = found <= limit if most else found >= limit
        self.held.append(held)
        print(
            f"  bar: {what}: {found:.3g}, {'at most' if most else 'at least'} {limit:g}: {'held' if held else 'MISSED'}"
        )


def draw(family: str, months: int, seed: int = 4) -> Job:
    """Return a made England: 6,200 practices in PCNs in ICBs, months of counts, three covariates."""
    rng = np.random.default_rng((seed, months))
    pcn = np.sort(rng.integers(0, PCNS, PRACTICES))
    icb = np.sort(rng.integers(0, ICBS, PCNS))[pcn]
    units = {"icb": icb, "pcn": pcn, "practice": np.arange(PRACTICES)}
    shift = sum(rng.normal(0.0, SDS[name], code.max() + 1)[code] for name, code in units.items())
    size = rng.lognormal(np.log(400.0), 0.6, PRACTICES)
    rows = np.repeat(np.arange(PRACTICES), months)
    x = rng.normal(size=(PRACTICES, 3))[rows]
    # The third covariate is the month's own, so that no two rows are alike.
    x[:, 2] = rng.normal(size=len(rows))
    eta = x @ BETA + np.asarray(shift)[rows]
    n = np.maximum(1.0, (size[rows] * rng.lognormal(0.0, 0.1, len(rows))).round())
    if family == "binomial":
        y = rng.binomial(n.astype(int), 1.0 / (1.0 + np.exp(-eta)))
    else:
        rate = 0.2 * n * np.exp(eta)
        y = rng.poisson(rate if family == "poisson" else rate * rng.gamma(K, 1.0 / K, len(rows)))
    frame = pd.DataFrame({"y": y.astype(float), "n": n} | dict(zip(COVARIATES, x.T, strict=True)))
    frame = frame.assign(**{name: code[rows] for name, code in units.items()})
    return Job(f"{family} {PRACTICES:,} × {months}", family, frame, seconds=SECONDS[months])


def fit(job: Job) -> MultilevelFit:
    """Fit it with the engine of this package."""
    size = {"trials": "n"} if job.family == "binomial" else {"exposure": "n"}
    return multilevel.fit(job.formula, job.frame, family=job.family, groups=GROUPS, **size)


def seconds(call: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the median seconds of a call, by the clock and of the processor."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter(), time.process_time()
        call()
        taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    return median(each[0] for each in taken), median(each[1] for each in taken)


def ours(job: Job, repeats: int) -> Timing:
    """Time this package; the first fit, which warms up, is not counted."""
    loglik = fit(job).loglik
    clock, taken = seconds(lambda: fit(job), repeats)
    return Timing(clock, taken, taken, loglik)


def by_glmm(job: Job, repeats: int) -> Timing:
    """Time glmm, where it is installed."""
    if importlib.util.find_spec("glmm") is None:
        return Timing(absent="not installed")
    import glmm

    data = {name: job.frame[name].to_numpy() for name in (*job.covariates, "y")}
    data |= {name: job.frame[name].astype(str).to_numpy() for name in GROUPS}
    n = job.frame["n"].to_numpy(dtype=float)
    binomial = job.family == "binomial"
    if binomial:
        data["y"] = data["y"] / n
    formula = job.formula + "".join(f" + (1 | {name})" for name in GROUPS)
    size = {"weights": n} if binomial else {"offset": np.log(n)}
    found: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clock, taken = seconds(
            lambda: found.append(glmm.fit(data, formula, job.family.replace("_", ""), **size).loglik), repeats
        )
    return Timing(clock, taken, taken, found[-1])


def by_r(engine: str, job: Job, repeats: int, limit: float) -> Timing:
    """Time an R package in R, where both are installed."""
    if engine == "lme4" and job.family == "negative_binomial":
        return Timing(absent="not asked: it fits the model anew for every k")
    try:
        have = subprocess.run(["Rscript", "-e", f"library({engine})"], capture_output=True, check=False)
    except FileNotFoundError:
        return Timing(absent="not installed (no R)")
    if have.returncode:
        return Timing(absent="not installed")
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "table.csv"
        job.frame.to_csv(table, index=False, float_format="%.17g")
        command = ["Rscript", str(R_SCRIPT), str(table), engine, job.family, str(repeats), *job.covariates]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=limit * repeats, env=os.environ | THREADS
            )
        except subprocess.TimeoutExpired:
            return Timing(absent=f"stopped after {limit * repeats:g} s")
    if done.returncode:
        return Timing(absent="failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1][:80])
    said = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    return Timing(*(float(said[name]) for name in ("clock", "fit", "with_errors", "loglik")))


def compare(job: Job, peers: bool, chosen: argparse.Namespace, bars: Bars) -> Timing:
    """Print one table: this package and its peers on one job."""
    mine = ours(job, chosen.repeats)
    timings = {"gpvar": mine}
    if peers:
        timings["glmm"] = by_glmm(job, chosen.peer_repeats)
        for engine in R_ENGINES:
            timings[engine] = by_r(engine, job, chosen.peer_repeats, chosen.limit)
    head = f"{'by the clock':>14}{'processor':>12}{'with SEs':>10}{'× gpvar':>9}"
    print(f"\n{job.name}: {len(job.frame):,} rows, seconds\n  {'':9}{head}  log-likelihood")
    for name, timing in timings.items():
        if timing.absent:
            print(f"  {name:9}{timing.absent}")
            continue
        beside = f"{timing.loglik:.4f}" if name == "gpvar" else f"gpvar's {timing.loglik - mine.loglik:+.1e}"
        times = timing.with_errors / mine.with_errors
        print(f"  {name:9}{timing.clock:14.3f}{timing.fit:12.3f}{timing.with_errors:10.3f}{times:9.1f}  {beside}")
    if job.seconds is not None:
        bars.say("seconds with standard errors", mine.with_errors, job.seconds)
    if job.seconds == SECONDS[12] and peers and not timings["lme4"].absent:
        bars.say("times faster than lme4", timings["lme4"].with_errors / mine.with_errors, TIMES_LME4, most=False)
    return mine


def after_the_fit(job: Job, repeats: int, bars: Bars) -> None:
    """Print the seconds of what is computed on request, and of a second rung of the ladder begun at the first's end."""
    found = fit(job)
    print(f"\n{job.name}: after the fit")
    print(f"  three profile intervals {seconds(found.intervals, 1)[1]:.2f} s (wished for: 2 s)")
    bars.say("seconds of 1,000 joint draws", seconds(lambda: found.simulate(1000, seed=4), repeats)[1], DRAWING)
    first = fit(Job(job.name, job.family, job.frame, job.covariates[:1])).estimate
    begun = Start(np.r_[first.beta, np.zeros(len(job.covariates) - 1)], first.sds, first.dispersion)
    data = found.estimate.data
    cold, warm = seconds(lambda: estimate(data), repeats)[1], seconds(lambda: estimate(data, start=begun), repeats)[1]
    print(f"  begun at the end of the rung below: {warm:.3f} s; from moments, as it does: {cold:.3f} s")


def memory(job_words: str) -> None:
    """Print as JSON this process's peak before and after a fit; run in a process of its own."""
    import resource

    family, months = job_words.split(":")
    job = draw(family, int(months))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    fit(job)
    print(json.dumps([before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit]))


def show_memory(family: str, months: int, bars: Bars) -> None:
    """Print the peak memory of a fit in a process of its own."""
    print(f"\nPeak memory, {family} {PRACTICES:,} × {months}, a process of its own")
    command = [sys.executable, "-m", "benchmarks.multilevel", "--memory-of", f"{family}:{months}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print("  not measured: this system keeps no such count")
        return
    before, peak = json.loads(done.stdout)
    print(f"  {before:.0f} MB with Python, the libraries and the table; {peak:.0f} MB at the highest")
    bars.say("megabytes", peak, MEGABYTES)


def nanoseconds(job: Job, repeats: int, bars: Bars) -> None:
    """Print nanoseconds per row of the parts of a fit, each beside the same array operations written bare."""
    print(f"\n{job.name}: nanoseconds per row\n  {'':44}{'gpvar':>8}{'bare':>8}{'ratio':>7}")
    for part in bare.beside(fit(job).estimate):
        pairs = [(seconds(part.ours, 1)[1], seconds(part.bare, 1)[1]) for _ in range(repeats)]
        mine, theirs = (1e9 * median(each) / part.rows for each in zip(*pairs, strict=True))
        print(f"  {part.name:44}{mine:8.1f}{theirs:8.1f}{mine / theirs:7.2f}")
        if part.judged:
            bars.say("times bare", mine / theirs, TIMES_BARE)


def england(path: Path, chosen: argparse.Namespace, bars: Bars) -> None:
    """Print the three models of the real table."""
    from tests.england_table import COVARIATES as REAL
    from tests.england_table import MODELS
    from tests.england_table import england as frames

    total = 0.0
    for metric, frame in frames(path).items():
        job = Job(f"England, {metric}", MODELS[metric]["family"], frame, REAL)
        total += compare(job, True, chosen, bars).with_errors
    print()
    bars.say("seconds of England's three models", total, ENGLAND_SECONDS)


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description="Multilevel fits beside their peers, and beside bare numpy.")
    parser.add_argument("--quick", action="store_true", help="peers on 6,200 rows only; no table of 36 months")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peer-repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that one fit in R may take")
    parser.add_argument("--england", type=Path, metavar="TABLE", help="the joined table of England's practices")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.memory_of:
        memory(chosen.memory_of)
        return 0
    bars = Bars()
    # First, while this process is small: Linux counts the size of the one that started it among a process's own.
    show_memory("binomial", 12, bars)
    for months in (1, 12):
        for family in ("binomial", "poisson", "negative_binomial")[: 2 if months == 1 else 3]:
            compare(draw(family, months), months == 1 or not chosen.quick, chosen, bars)
    if not chosen.quick:
        compare(draw("binomial", 36), False, chosen, bars)
    for family in ("binomial", "poisson"):
        nanoseconds(draw(family, 12), 3 * chosen.repeats, bars)
    after_the_fit(draw("binomial", 12), chosen.repeats, bars)
    if chosen.england:
        england(chosen.england, chosen, bars)
    print(f"\n{sum(bars.held)} of {len(bars.held)} bars held on this machine")
    return 0 if all(bars.held) else 1


if __name__ == "__main__":
    sys.exit(main())
