"""The tool on trial over at least 300 simulated Englands: the same as the command ``calibrate``, timed.

Run with ``python benchmarks/calibration.py --into FOLDER``; a trial that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

BAR_MINUTES = 60.0


def main() -> None:
    """Run the trial, and print the table and what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20260401)
    parser.add_argument("--into", type=Path, default=Path("gpvar-calibration"))
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()

    from gpvar import calibration

    started = time.perf_counter()
    frame = calibration.calibrate(
        chosen.worlds, chosen.seed, chosen.into, workers=chosen.workers, progress=lambda said: print(said, flush=True)
    )
    minutes = (time.perf_counter() - started) / 60.0
    together = frame[frame["metric"] == ""].drop(columns=["section", "metric"])
    print(together.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    held = "held" if minutes <= BAR_MINUTES else "NOT HELD"
    print(f"{minutes:.1f} minutes for the worlds that were not there yet: {held} ({BAR_MINUTES:.0f} minutes)")


if __name__ == "__main__":
    main()
