"""The tool on trial: how often it is wrong in simulated Englands whose truth is known.

Each world is drawn from a seed of its own, written as a study's files, read, checked and analysed as any other study.
Measures then count in it, and the table says how often over all worlds, with the error of having drawn only so many.
"""

from __future__ import annotations

from gpvar.calibration.summary import Bar, Counted, bars, summary
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import METRICS, Settings, Trial, trial_of
from gpvar.calibration.working import ENOUGH, calibrate, count_world, write

__all__ = [
    "ENOUGH",
    "METRICS",
    "Bar",
    "Counted",
    "Settings",
    "Tally",
    "Trial",
    "bars",
    "calibrate",
    "count_world",
    "summary",
    "trial_of",
    "write",
]
