"""How far the tails of z-scores reach, compared with a normal distribution's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from gpvar.stats._checks import FloatArray, floats

_LEAST_DF, _MOST_DF = 1.5, 200.0


@dataclass(frozen=True, slots=True)
class SpreadShape:
    """How the tails of z compare with a normal distribution's.

    Attributes
    ----------
    skewness, kurtosis
        Both 0 for a normal distribution.
    t_df, t_scale
        Degrees of freedom and scale of the t distribution about zero that fits best.
    """

    skewness: float
    kurtosis: float
    t_df: float
    t_scale: float

    def beyond(self, point: float) -> float:
        """Return the share that the fitted t distribution puts beyond `point` on either side."""
        return 2.0 * float(special.stdtr(self.t_df, -point / self.t_scale))


def spread_shape(z: ArrayLike) -> SpreadShape:
    """Return skewness, excess kurtosis, and the t distribution about zero that fits z best.

    Parameters
    ----------
    z
        Scores; missing ones are left out. Fewer than four, or all alike, have no shape (NaN throughout).

    Notes
    -----
    Maximum likelihood. The degrees of freedom end at 200, where a t is a normal for every use made of it here.
    """
    values = floats(z, "z")
    values = values[np.isfinite(values)]
    if len(values) < 4 or np.ptp(values) == 0.0:
        return SpreadShape(float("nan"), float("nan"), float("nan"), float("nan"))
    squares = values**2
    found = optimize.minimize(
        _loss,
        np.log([5.0, np.sqrt(squares.mean())]),
        args=(squares,),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(_LEAST_DF), np.log(_MOST_DF)), (None, None)],
    )
    df, scale = (float(v) for v in np.exp(found.x))
    return SpreadShape(float(stats.skew(values)), float(stats.kurtosis(values)), df, scale)


def _loss(logs: FloatArray, squares: FloatArray) -> tuple[float, FloatArray]:
    """Return the mean negative log-likelihood of log df and log scale, and its gradient."""
    df, scale = np.exp(logs)
    ratio = squares / (df * scale**2)
    reach = float(np.mean(np.log1p(ratio)))
    pull = float(np.mean(ratio / (1.0 + ratio)))
    half = (df + 1.0) / 2.0
    loss = special.gammaln(df / 2.0) - special.gammaln(half) + 0.5 * np.log(np.pi * df) + logs[1] + half * reach
    by_df = 0.5 * (special.digamma(df / 2.0) - special.digamma(half) + 1.0 / df + reach) - half * pull / df
    return float(loss), np.array([df * by_df, 1.0 - 2.0 * half * pull])
