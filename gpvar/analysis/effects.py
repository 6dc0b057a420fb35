"""Each practice's lasting figure, how reliable it is, and what may be said about its rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import schema
from gpvar.analysis import centres
from gpvar.analysis.expected import inverse_link, sampling_variance
from gpvar.analysis.lasting import DRAWS, add_expected, lasting_effects
from gpvar.stats import ranks, reliability

if TYPE_CHECKING:
    from gpvar.analysis.ladder import Ladder
    from gpvar.analysis.observed import Counts

_CHUNK = 256
_LEVEL = 0.95
_MOST_MONTHS = 1200
_RANKED = ("full", "interval")


@dataclass(frozen=True, slots=True)
class _Movement:
    """Passing movement: of the mean over the study's period, of one month, and from one month to the next."""

    transient: float
    month: float
    rho: float
    unknown: bool

    @classmethod
    def of(cls, counts: Counts, passing: pd.DataFrame, activity: bool) -> _Movement:
        known = bool(np.isfinite(counts.transient))
        used = passing[passing["used"].astype(bool)] if len(passing) else passing
        if known and len(used):
            row = used.iloc[0]
            return cls(counts.transient, float(row["v"]), float(row["rho"]), False)
        if known:
            return cls(counts.transient, np.nan, 0.0, False)
        return cls(np.nan, np.nan if activity else 0.0, 0.0, activity)


def effects_of(
    counts: Counts,
    ladder: Ladder,
    headline: str,
    passing: pd.DataFrame,
    *,
    activity: bool,
    seed: int,
    known: np.ndarray,
) -> pd.DataFrame:
    """Return each fitted practice's lasting figure at the raw rung and at the headline.

    Parameters
    ----------
    counts, ladder, headline
        The observed figures, and the rungs.
    passing
        How far figures move from month to month; may be empty.
    activity
        Whether chance cannot be told from passing movement without months.
    seed
        Of the joint draws.
    known
        Boolean array over the practices: whose own figure may be shown. The others count among the ranked.

    Notes
    -----
    Both rungs are read off the same draws of the headline's model: x'β with the effects of board, network and practice
    is the lasting raw figure; the effects alone are the lasting distance from what is expected. Where passing movement
    is known, only the lasting part of the practice's own effect is kept.
    """
    rung = centres.rung_of(ladder, headline)
    model = rung.expected.model
    assert model is not None
    rows = np.flatnonzero(rung.expected.modelled)
    movement = _Movement.of(counts, passing, activity)
    drawn = model.simulate(DRAWS, seed)
    lasting, _ = lasting_effects(model, drawn, counts.transient, seed)
    typical = centres.centre_link(counts, ladder, centres.RAW)[rows]
    found = []
    if headline != centres.RAW:
        middle = centres.centre_link(counts, ladder, headline)[rows] - rung.expected.link[rows]
        found.append(_table(counts, rows, lasting, middle, typical, movement, ladder, headline))
    data = model.estimate.data
    add_expected(lasting, drawn.fixed.to_numpy()[:, data.kept], data.design)
    found.insert(0, _table(counts, rows, lasting, typical, typical, movement, ladder, centres.RAW))
    everyone = pd.concat(found, ignore_index=True)
    shown = everyone["practice_code"].isin(counts.practice_code[known])
    return everyone.loc[shown, schema.names("effects")].reset_index(drop=True)


def _table(
    counts: Counts,
    rows: np.ndarray,
    draws: np.ndarray,
    middle: np.ndarray,
    typical: np.ndarray,
    movement: _Movement,
    ladder: Ladder,
    rung: str,
) -> pd.DataFrame:
    """Return one rung's rows; an effect is a draw's distance from `middle`, shown around the raw centre."""
    centre = centres.centre_link(counts, ladder, rung)[rows]
    spread = centres.between(ladder, rung)
    sampling = sampling_variance(centre, counts.denominator[rows], counts.kind)
    reliable = reliability.reliability(spread, sampling, counts.passing)
    rule = np.full(len(rows), "sampling_only") if movement.unknown else reliability.rank_rules(reliable)
    frame = pd.DataFrame({"practice_code": counts.practice_code[rows], "rung": rung})
    for name, found in zip(("effect", "effect_lower", "effect_upper"), _summary(draws), strict=True):
        frame[name] = found - middle
        frame[name.replace("effect", "shrunken")] = inverse_link(typical + frame[name].to_numpy(), counts.kind)
    frame["between"] = spread
    frame["sampling"] = sampling
    frame["transient"] = movement.transient
    frame["reliability"] = reliable
    frame["rule"] = rule
    _add_ranks(frame, draws)
    for name, target in (("months_for_0_7", reliability.NO_RANK_BELOW), ("months_for_0_9", reliability.FULL_RANK_FROM)):
        frame[name] = months_needed(spread, sampling * counts.months, movement.month, movement.rho, target)
    return frame


def _summary(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each practice's mean and the ends of its 95 % interval."""
    n, units = draws.shape
    out = int(round((1.0 - _LEVEL) / 2.0 * n, 9))
    lower, upper = np.empty(units), np.empty(units)
    for start in range(0, units, _CHUNK):
        # Sorted along memory: many times faster than np.quantile down the columns.
        ordered = np.array(draws[:, start : start + _CHUNK].T, order="C")
        ordered.sort(axis=1)
        lower[start : start + _CHUNK], upper[start : start + _CHUNK] = ordered[:, out], ordered[:, n - 1 - out]
    return draws.mean(axis=0, dtype=np.float64), lower, upper


def _add_ranks(frame: pd.DataFrame, draws: np.ndarray) -> None:
    """Add what the rule of each practice allows to be said of its rank."""
    columns = ["rank_median", "rank_lower", "rank_upper", "p_bottom", "p_top"]
    stated = frame["rule"].isin(_RANKED).to_numpy()
    frame[columns] = ranks.from_draws(draws, level=_LEVEL).to_numpy() if stated.any() else np.nan
    frame.loc[~stated, columns] = np.nan
    frame.loc[frame["rule"] != "full", "rank_median"] = np.nan
    frame["ranked"] = len(frame)


def months_needed(
    between: float, sampling_month: np.ndarray, transient_month: float, rho: float, target: float
) -> np.ndarray:
    """Return the least number of months whose mean has a reliability of `target`; NaN where 1,200 are too few.

    Parameters
    ----------
    between
        Variance of lasting differences.
    sampling_month
        (units,) sampling variance of one month's figure. It is drawn anew each month; only passing movement carries
        over with `rho`.
    transient_month, rho
        Variance of one month's passing movement and its correlation with the next month's (AR(1)). NaN: not known.
    target
        The reliability to be reached.
    """
    if not (np.isfinite(transient_month) and between > 0.0):
        return np.full(len(sampling_month), np.nan)
    room = between * (1.0 / target - 1.0) * (1.0 + 1e-12)
    moving = transient_month * np.minimum.accumulate(reliability.averaging_factor(np.arange(1, _MOST_MONTHS + 1), rho))

    def enough(months: np.ndarray) -> np.ndarray:
        return np.asarray(sampling_month / months + moving[months - 1] <= room)

    low, high = np.ones(len(sampling_month), dtype=int), np.full(len(sampling_month), _MOST_MONTHS)
    reached = enough(high)
    while (low < high).any():
        middle = (low + high) // 2
        fits = enough(middle)
        low, high = np.where(fits, low, middle + 1), np.where(fits, middle, high)
    return np.where(reached, high.astype(float), np.nan)
