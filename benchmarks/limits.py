"""Do funnel limits hold their level? Worlds without outliers, and how many units each method flags.

Run it as ``python -m benchmarks.limits`` (all worlds, two processes, some minutes) or with ``--worlds 200`` for a
quick look. It ends with 1 when a bar of the `consistent` mode is missed.

Each world draws sizes afresh: expected counts lognormal about 90 or 25 (log-SD 0.6), or shares of 0.4 out of
denominators lognormal about 400 (log-SD 0.6). True values differ by a normal spread of SD 0, 0.1, 0.2 or 0.3 on the
link scale; counts are Poisson or binomial. Nobody is an outlier, so every flag is a false one.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from gpvar.stats import funnel

FAMILIES = ("count 90", "count 25", "share 400")
SPREADS = (0.0, 0.1, 0.2, 0.3)
SIZES = (150, 50)
#: Share of units that may be flagged, in %: lowest and highest outside 95 %, highest outside 99.8 %.
BARS = {150: (4.0, 6.0, 0.4), 50: (3.5, 6.5, 0.6)}
SHARE = 0.4
BLOCK = 100


@dataclass(frozen=True, slots=True)
class Job:
    """A block of worlds of one sort, judged by one method."""

    family: str
    spread: float
    units: int
    mode: str
    worlds: int
    seed: int


def draw(family: str, spread: float, units: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, str]:
    """Return numerator, denominator and kind of one world without outliers."""
    shift = rng.normal(0.0, spread, units)
    if family.startswith("count"):
        expected = rng.lognormal(np.log(float(family.split()[1])), 0.6, units)
        return rng.poisson(expected * np.exp(shift)).astype(float), expected, "ratio"
    size = np.maximum(1, rng.lognormal(np.log(400.0), 0.6, units).round())
    share = 1.0 / (1.0 + np.exp(-(np.log(SHARE / (1.0 - SHARE)) + shift)))
    return rng.binomial(size.astype(int), share).astype(float), size, "proportion"


def count_flags(job: Job) -> np.ndarray:
    """Return for each world the share of units flagged: outside 95 % low and high, outside 99.8 % low and high."""
    # The same worlds for every method: the seed leaves the method out.
    key = (job.seed, FAMILIES.index(job.family), SPREADS.index(job.spread), job.units)
    rng = np.random.default_rng(key)
    shares = np.empty((job.worlds, 4))
    for world in range(job.worlds):
        numerator, denominator, kind = draw(job.family, job.spread, job.units, rng)
        units = funnel.funnel(numerator, denominator, kind=kind, overdispersion=job.mode).units
        value = units["value"].to_numpy()
        for i, level in enumerate(("95", "99_8")):
            shares[world, 2 * i] = (value < units[f"lower_{level}"].to_numpy()).mean()
            shares[world, 2 * i + 1] = (value > units[f"upper_{level}"].to_numpy()).mean()
    return shares


def run(modes: tuple[str, ...], worlds: int, seed: int, pool: Executor | None = None) -> pd.DataFrame:
    """Return one row per method and sort of world, in % of units, with Monte-Carlo standard errors."""
    sorts = list(product(modes, SIZES, FAMILIES, SPREADS))
    blocks = [min(BLOCK, worlds - start) for start in range(0, worlds, BLOCK)]
    jobs = [Job(f, s, n, m, size, seed + i) for m, n, f, s in sorts for i, size in enumerate(blocks)]
    results = list(pool.map(count_flags, jobs, chunksize=4) if pool else map(count_flags, jobs))
    rows = []
    for at, (mode, units, family, spread) in enumerate(sorts):
        shares = 100.0 * np.concatenate(results[at * len(blocks) : (at + 1) * len(blocks)])
        mean = shares.mean(axis=0)
        both = [shares[:, :2].sum(axis=1), shares[:, 2:].sum(axis=1)]
        rows.append(
            {
                "mode": mode,
                "units": units,
                "world": family,
                "spread": spread,
                "outside_95": both[0].mean(),
                "error_95": both[0].std(ddof=1) / np.sqrt(len(shares)),
                "outside_99_8": both[1].mean(),
                "error_99_8": both[1].std(ddof=1) / np.sqrt(len(shares)),
                "low_95": mean[0],
                "high_95": mean[1],
                "low_99_8": mean[2],
                "high_99_8": mean[3],
            }
        )
    table = pd.DataFrame(rows)
    table["holds"] = [holds(row) for row in table.itertuples()]
    return table


def holds(row: object) -> bool:
    """Return whether one row meets the bars for its number of units."""
    lowest, highest, far = BARS[row.units]  # type: ignore[attr-defined]
    return bool(lowest <= row.outside_95 <= highest and row.outside_99_8 <= far)  # type: ignore[attr-defined]


def show(table: pd.DataFrame, words: tuple[str, str] = ("PASS", "FAIL")) -> None:
    """Print the table, one line per sort of world, ending with one of `words` for a bar met or missed."""
    print(
        f"{'method':18} {'units':>5} {'world':10} {'SD':>4}  outside 95 %      outside 99.8 %     low / high 95 %   bar"
    )
    for row in table.itertuples():
        print(
            f"{row.mode:18} {row.units:5d} {row.world:10} {row.spread:4.1f}  "
            f"{row.outside_95:5.2f} ± {row.error_95:4.2f}     {row.outside_99_8:5.3f} ± {row.error_99_8:5.3f}     "
            f"{row.low_95:5.2f} / {row.high_95:5.2f}    {words[0] if row.holds else words[1]}"
        )


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description="False flags of funnel limits in worlds without outliers.")
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--others", type=int, default=200, help="worlds for the other methods (0: leave them out)")
    parser.add_argument("--seed", type=int, default=20260401)
    parser.add_argument("--processes", type=int, default=2)
    words = parser.parse_args()
    with ProcessPoolExecutor(words.processes) as pool:
        table = run(("consistent",), words.worlds, words.seed, pool)
        show(table)
        if words.others:
            rest = tuple(mode for mode in funnel.MODES if mode != "consistent")
            print(f"\nFor comparison, {words.others} worlds each (no bar is set for these):")
            show(run(rest, words.others, words.seed, pool), ("within the bar", "outside"))
    print(f"\nconsistent: {int(table['holds'].sum())} of {len(table)} bars met")
    return 0 if table["holds"].all() else 1


if __name__ == "__main__":
    sys.exit(main())
