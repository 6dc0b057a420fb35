"""Ranks of all units from joint draws: ours beside scipy's ranks and numpy's quantiles, on the same draws.

Run it as ``OPENBLAS_NUM_THREADS=1 python -m benchmarks.ranks``. It ends with 1 when a number of ours is another.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from scipy import stats

from gpvar.stats import ranks

COLUMNS = ("rank_median", "rank_lower", "rank_upper", "p_bottom", "p_top")
LEVEL, TAIL = 0.95, 0.10


def ours(draws: np.ndarray) -> np.ndarray:
    """Return (units, 5) by the package."""
    return ranks.from_draws(draws, level=LEVEL, tail=TAIL)[list(COLUMNS)].to_numpy()


def plain(draws: np.ndarray) -> np.ndarray:
    """Return the same by scipy and numpy, as one would write it in a notebook; tails as they are without ties."""
    each = stats.rankdata(draws, axis=1)
    out, count = round((1.0 - LEVEL) / 2.0, 9), ranks.tail_size(draws.shape[1], TAIL)
    # As many draws lie outside at either end.
    lower = -np.quantile(-each, 1.0 - out, axis=0, method="inverted_cdf")
    upper = np.quantile(each, 1.0 - out, axis=0, method="inverted_cdf")
    bottom, top = (each <= count).mean(axis=0), (each > draws.shape[1] - count).mean(axis=0)
    return np.column_stack([np.median(each, axis=0), lower, upper, bottom, top])


def measured(call: Callable[[np.ndarray], np.ndarray], draws: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the result, the shortest of three times in seconds, and the memory it took at once in MB."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = call(draws)
        times.append(time.perf_counter() - start)
    tracemalloc.start()
    call(draws)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, min(times), peak / 1e6


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 when the two differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--units", type=int, default=6200)
    asked = parser.parse_args(arguments)
    draws = np.random.default_rng(5).standard_normal((asked.draws, asked.units))
    wanted, plain_time, plain_memory = measured(plain, draws)
    found, our_time, our_memory = measured(ours, draws)
    print(f"{asked.draws:,} draws of {asked.units:,} units")
    print(f"{'':24}{'seconds':>10}{'MB at once':>12}")
    print(f"{'scipy and numpy':24}{plain_time:10.2f}{plain_memory:12.0f}")
    print(f"{'gpvar':24}{our_time:10.2f}{our_memory:12.0f}")
    same = np.abs(found - wanted).max(axis=0)
    print("largest difference: " + ", ".join(f"{name} {gap:g}" for name, gap in zip(COLUMNS, same, strict=True)))
    return 0 if (same < 1e-12).all() else 1


if __name__ == "__main__":
    sys.exit(main())
