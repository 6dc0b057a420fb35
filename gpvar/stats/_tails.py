"""How far the tails of z-scores reach, compared with a normal distribution's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from gpvar.stats._checks import FloatArray


@dataclass(frozen=True, slots=True)
class SpreadShape:
    """How the tails of z compare with a normal distribution's."""

    skewness: float
    kurtosis: float
    t_df: float
    t_scale: float


def spread_shape(z: FloatArray) -> SpreadShape:
    """Return skewness, excess kurtosis, and the t distribution about zero that fits z best.

    The degrees of freedom end at 200, where a t is a normal for every use made of it here.
    """
    z = z[np.isfinite(z)]
    if len(z) < 4 or np.ptp(z) == 0.0:
        return SpreadShape(float("nan"), float("nan"), float("nan"), float("nan"))
    best = max((_t_profile(z, df), df) for df in np.geomspace(1.5, 200.0, 60))
    return SpreadShape(float(stats.skew(z)), float(stats.kurtosis(z)), float(best[1]), _t_scale(z, best[1]))


def _t_scale(z: FloatArray, df: float) -> float:
    scale2 = float(np.mean(z**2))
    for _ in range(200):
        new = float(np.mean((df + 1.0) * z**2 / (df + z**2 / scale2)))
        if abs(new - scale2) <= 1e-10 * scale2:
            break
        scale2 = new
    return float(np.sqrt(scale2))


def _t_profile(z: FloatArray, df: float) -> float:
    return float(stats.t.logpdf(z, df, scale=_t_scale(z, df)).sum())
