"""Residuals of a fitted multilevel model that are standard normal when the model holds.

A residual at the modes is too small: each mode has already followed its unit's own rows. So the effects are drawn
from their distribution given the data instead. Under the model a drawn effect and the data are as good as the true
effect and the data, and the randomised quantile residual (Dunn & Smyth 1996) of a row, given the draw, is exactly
standard normal whatever the family, the counts and the size of the units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from gpvar.stats._checks import BoolArray, FloatArray
from gpvar.stats.multilevel._tree import Pivots

if TYPE_CHECKING:
    from gpvar.stats.multilevel._estimate import Estimate

_LEAST = 1e-300
_MOST = 1.0 - 2.0**-53


def drawn_effects(pivots: Pivots, rng: np.random.Generator) -> FloatArray:
    """Return one draw of each sorted row's effects about their modes, given the parameters, (n,)."""
    tree = pivots.tree
    above: FloatArray | None = None
    for level in reversed(range(tree.n_levels)):
        pivot = pivots.pivots[level]
        own = rng.standard_normal(len(pivot)) * pivots.sds[level] / np.sqrt(pivot)
        if above is not None:
            own += tree.hand_down(level + 1, above) / pivot
        above = own
    assert above is not None
    return tree.hand_down(0, above)


def quantile_residuals(estimate: Estimate, eta: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the normal score of each used row at the linear predictor `eta`, (n,).

    The lower tail is used for counts up to their mean and the upper tail above it, so that neither loses its digits.
    """
    data = estimate.data
    y = data.response
    if data.family == "gaussian":
        return (y - eta) / estimate.residual_sd
    if data.trials is not None:
        tail, log_chance, low = _binomial(y, data.trials, eta)
    elif data.family == "poisson" or np.isinf(estimate.dispersion):
        tail, log_chance, low = _poisson(y, np.exp(eta))
    else:
        tail, log_chance, low = _negative_binomial(y, np.exp(eta), estimate.dispersion)
    place = tail - rng.uniform(size=len(y)) * np.exp(log_chance)
    score: FloatArray = special.ndtri(np.clip(place, _LEAST, _MOST))
    return np.where(low, score, -score)


def chance_of_zero(estimate: Estimate, eta: FloatArray) -> FloatArray:
    """Return the probability of a count of zero at `eta`."""
    mean = np.exp(eta)
    if estimate.data.family == "poisson" or np.isinf(estimate.dispersion):
        return np.exp(-mean)
    return np.exp(-estimate.dispersion * np.log1p(mean / estimate.dispersion))


# Each returns P(Y ≤ y) where `low`, else P(Y ≥ y); the log probability of y itself; and `low`. The incomplete beta
# and gamma functions carry them over to values that are not whole numbers.
_Tail = tuple[FloatArray, FloatArray, BoolArray]


def _binomial(y: FloatArray, n: FloatArray, eta: FloatArray) -> _Tail:
    share, rest = special.expit(eta), special.expit(-eta)
    low = y <= n * share
    # P(Y ≤ y) of the successes is P(Y ≥ n − y) of the failures: one tail serves both sides.
    count = np.where(low, n - y, y)
    chance = np.where(low, rest, share)
    tail = np.asarray(special.betainc(np.maximum(count, _LEAST), n - count + 1.0, chance), dtype=np.float64)
    log_chance = np.asarray(y * special.log_expit(eta) + (n - y) * special.log_expit(-eta), dtype=np.float64)
    # log C(n, y) without the cancellation of three large log-gammas.
    log_chance -= np.log1p(n) + special.betaln(y + 1.0, n - y + 1.0)
    return tail, log_chance, low


def _poisson(y: FloatArray, mean: FloatArray) -> _Tail:
    low = y <= mean
    tail = np.empty_like(y)
    tail[low] = special.gammaincc(y[low] + 1.0, mean[low])
    tail[~low] = special.gammainc(y[~low], mean[~low])
    return tail, special.xlogy(y, mean) - mean - special.gammaln(y + 1.0), low


def _negative_binomial(y: FloatArray, mean: FloatArray, k: float) -> _Tail:
    low = y <= mean
    tail = np.empty_like(y)
    tail[low] = special.betainc(k, y[low] + 1.0, k / (mean[low] + k))
    tail[~low] = special.betainc(y[~low], k, mean[~low] / (mean[~low] + k))
    # Γ(y + k)/(Γ(k) y!) = 1/((y + k) B(k, y + 1)): no cancellation for a large k.
    log_chance = -k * np.log1p(mean / k) - y * np.log1p(k / mean) - np.log(y + k) - special.betaln(k, y + 1.0)
    return tail, log_chance, low
