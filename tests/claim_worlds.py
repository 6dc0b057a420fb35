"""Invented Englands for claims on trial: month by month, with lasting figures and passing movement that are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import gpvar
from gpvar.results import Run

MONTHS = [f"2025-{m:02d}" for m in range(4, 13)] + [f"2026-{m:02d}" for m in range(1, 4)]
METRIC = "same_day_share"
RHO = 0.5
_PEOPLE = ("practice_code", "practice_name", "icb_code", "pcn_code", "region_code", "list_size", "list_jump_pct")
_COLUMNS = {name: name for name in (*_PEOPLE, "imd2025", "rurality")}
_COLUMNS |= {f"{METRIC}.numerator": "top", f"{METRIC}.denominator": "all"}
_APRIL = {name: _COLUMNS[name] for name in ("practice_code", f"{METRIC}.numerator", f"{METRIC}.denominator")}


@dataclass
class World:
    """An England and its truth.

    Attributes
    ----------
    frame
        One row per practice: where it is, its patients, and what is true of it on the logit scale: `need` (with its
        setting), `left` (board, network and its own), `lasting` (their sum and the centre) and `period` (with the
        passing movement of the year's mean).
    top, every
        (practices, 12) counts.
    """

    frame: pd.DataFrame
    top: np.ndarray
    every: np.ndarray
    seed: int
    area: str = "QAA"
    folder: Path | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def count(self, rows: np.ndarray | int, link: Any, seed: int = 1) -> None:
        """Set what is true of some practices, and draw their counts anew."""
        rng = np.random.default_rng([self.seed, seed])
        share = 1.0 / (1.0 + np.exp(-np.asarray(link, dtype=float)))
        self.top[rows] = rng.binomial(
            self.every[rows].astype(int), np.broadcast_to(np.atleast_1d(share)[..., None], self.every[rows].shape)
        )

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the year and its first month, and return the study."""
        folder.mkdir(parents=True, exist_ok=True)
        people = self.frame.drop(columns=["need", "left", "lasting", "period"])
        people.assign(top=self.top.sum(axis=1), all=self.every.sum(axis=1)).to_csv(folder / "year.csv", index=False)
        first = pd.DataFrame({"practice_code": people["practice_code"], "top": self.top[:, 0], "all": self.every[:, 0]})
        first.to_csv(folder / "april.csv", index=False)
        return {
            "schema": 1, "title": "Invented", "seed": 1, "declared": "2026-04-14", "simulated": True,
            "period": "2025-04..2026-03", "metrics": [METRIC],
            "area": {"kind": "icb", "code": self.area, "practices": []},
            "adjust": {"M1": ["imd2025"], "M2": ["rurality"]},
            "source": [
                {"id": "local", "file": "year.csv", "columns": _COLUMNS},
                {"id": "april", "file": "april.csv", "period": "2025-04", "columns": _APRIL},
            ],
            **self.more,
        }  # fmt: skip

    def run(self, folder: Path) -> Run:
        """Run the study."""
        return gpvar.run(gpvar.load_study(self.write(folder), base=folder))


def world(
    seed: int, practices: int = 1200, *, need: float = 0.15, month: float = 0.03, size: int = 5000, lasting: float = 1.0
) -> World:
    """Draw an England.

    Parameters
    ----------
    seed, practices
        Which, and how large.
    need
        How much a standard deviation of deprivation adds on the logit scale.
    month
        Variance of a month's passing movement, which carries over with a correlation of 0.5.
    size
        Median of a practice's events a month.
    lasting
        How much of the usual spread of boards, networks and practices there is; nought: all practices are alike.
    """
    rng = np.random.default_rng(seed)
    pcn = np.arange(practices) // 5
    icb = pcn * 8 // (pcn.max() + 1)
    score = rng.standard_normal(practices)
    rural = rng.random(practices) < 0.2
    by_need = need * score + 0.1 * (rural - 0.2)
    left = rng.normal(0, 0.10, 8)[icb] + rng.normal(0, 0.15, pcn.max() + 1)[pcn] + rng.normal(0, 0.40, practices)
    left *= lasting
    moving = np.empty((practices, 12))
    moving[:, 0] = rng.normal(0, np.sqrt(month), practices)
    for number in range(1, 12):
        moving[:, number] = RHO * moving[:, number - 1] + rng.normal(0, np.sqrt(month * (1 - RHO**2)), practices)
    true = -0.3 + by_need + left
    every = np.maximum(
        rng.lognormal(np.log(size), 0.5, practices)[:, None] * rng.uniform(0.9, 1.1, (practices, 12)), 60
    )
    every = np.round(every)
    top = rng.binomial(every.astype(int), 1 / (1 + np.exp(-(true[:, None] + moving)))).astype(float)
    frame = pd.DataFrame(
        {
            "practice_code": [f"A{80001 + i:05d}" for i in range(practices)],
            "practice_name": [f"Invented Surgery {i}" for i in range(practices)],
            "icb_code": [f"Q{chr(65 + i)}{chr(65 + i)}" for i in icb],
            "pcn_code": [f"U{10001 + i:05d}" for i in pcn],
            "region_code": [f"Y{60 + i % 3}" for i in icb],
            "list_size": np.maximum(np.round(every.mean(axis=1) * 2), 1200),
            "list_jump_pct": 1.0,
            "imd2025": np.round(np.clip(22 + 8 * score, 1, 80), 4),
            "rurality": np.where(rural, "Rural", "Urban"),
            "need": by_need,
            "left": left,
            "lasting": true,
            "period": true + moving.mean(axis=1),
        }
    )
    return World(frame, top, every, seed)
