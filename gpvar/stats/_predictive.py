"""What counts chance would give: the predictive distribution of a count, its quantiles, and where a count lies in it.

A count is whole, so its distribution function has steps. Spiegelhalter (2005, Stat Med 24:1185, appendix) joins
the steps by straight lines and reads the limits off those; `interpolated_limits` is exactly that. Read so, a count
and its complement do not get mirrored answers: both are referred to the chance of "this or fewer". `middle=True`
moves the line half a count, which puts half of the chance of the count itself on each side; then they do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from gpvar.stats._checks import BoolArray, FloatArray

# Below this (|z| over 30) the incomplete beta function loses digits, and the score is taken from the deviance.
_LEAST = 1e-197
_SMALLEST = 1e-300
# A smaller share loses digits in its complement.
_MIRRORED_ABOVE = 1e-3
_LONGEST = 20_000
_CELLS = 1_000_000


class Counts(NamedTuple):
    """Counts to be predicted: the mean, and the number of trials (infinite for events without an upper bound)."""

    mean: FloatArray
    trials: FloatArray

    @property
    def bounded(self) -> bool:
        """Whether the counts are out of a number of trials."""
        return bool(np.isfinite(self.trials).all())


def _cdf(r: FloatArray, counts: Counts) -> FloatArray:
    """Return P(R <= r) for whole r."""
    at = np.maximum(r, 0.0)
    if counts.bounded:
        n, share = counts.trials, counts.mean / counts.trials
        inside = _beta_above(at + 1.0, np.maximum(n - at, 1e-300), share)
        return np.where(r < 0, 0.0, np.where(r >= n, 1.0, inside))
    return np.where(r < 0, 0.0, special.gammaincc(at + 1.0, counts.mean))


def _beta_above(a: FloatArray, b: FloatArray, share: FloatArray) -> FloatArray:
    """Return 1 − I(a, b) at `share`, by its mirror image where that keeps the digits: it takes a fifth of the time."""
    return np.where(
        share > _MIRRORED_ABOVE,
        special.betainc(b, a, np.where(share > _MIRRORED_ABOVE, 1.0 - share, 1.0)),
        special.betaincc(a, b, np.where(share > _MIRRORED_ABOVE, 0.0, share)),
    )


def _tail(r: FloatArray, counts: Counts) -> FloatArray:
    """Return P(R > r) for whole r, precise when it is tiny."""
    at = np.maximum(r, 0.0)
    if counts.bounded:
        n, share = counts.trials, counts.mean / counts.trials
        inside = special.betainc(at + 1.0, np.maximum(n - at, 1e-300), share)
        return np.where(r < 0, 1.0, np.where(r >= n, 0.0, inside))
    return np.where(r < 0, 1.0, special.gammainc(at + 1.0, counts.mean))


def _pmf(r: FloatArray, counts: Counts) -> FloatArray:
    """Return P(R = r) for whole r."""
    at = np.maximum(r, 0.0)
    if counts.bounded:
        n, share = counts.trials, counts.mean / counts.trials
        at = np.minimum(at, n)
        log = special.gammaln(n + 1.0) - special.gammaln(at + 1.0) - special.gammaln(n - at + 1.0)
        log = log + special.xlogy(at, share) + special.xlog1py(n - at, -share)
        return np.where((r < 0) | (r > n), 0.0, np.exp(log))
    log = special.xlogy(at, counts.mean) - counts.mean - special.gammaln(at + 1.0)
    return np.where(r < 0, 0.0, np.exp(log))


def interpolated_limits(counts: Counts, probability: float, *, middle: bool = False) -> FloatArray:
    """Return the count below which `probability` of the interpolated distribution lies.

    Never below 0, nor above the number of trials.
    """
    mean, trials = counts
    share = np.where(np.isfinite(trials), mean / trials, 0.0)
    z = float(special.ndtri(probability))
    guess = mean + z * np.sqrt(mean * (1.0 - share)) + (z**2 - 1.0) * (1.0 - 2.0 * share) / 6.0
    most = np.where(np.isfinite(trials), np.floor(trials), np.inf)
    r = np.asarray(np.clip(np.floor(guess), 0.0, most), dtype=np.float64)
    below, mass = _cdf(r, counts), _pmf(r, counts)
    # From one evaluation of the distribution function, walk to the step that holds the quantile.
    while True:
        up = below < probability
        if counts.bounded:
            up &= r < trials
        if not up.any():
            break
        mass = np.where(up, mass * _ratio(r, counts), mass)
        r, below = np.where(up, r + 1.0, r), np.where(up, below + mass, below)
    while True:
        down = (below - mass >= probability) & (r > 0)
        if not down.any():
            break
        below = np.where(down, below - mass, below)
        r = np.where(down, r - 1.0, r)
        mass = np.where(down, mass / _ratio(r, counts), mass)
    limit = r - (below - probability) / mass + (0.5 if middle else 0.0)
    return np.clip(limit, 0.0, trials)


def _ratio(r: FloatArray, counts: Counts) -> FloatArray:
    """Return P(R = r + 1) / P(R = r)."""
    if counts.bounded:
        return (counts.trials - r) / (r + 1.0) * counts.mean / (counts.trials - counts.mean)
    return counts.mean / (r + 1.0)


def sampling_score(count: FloatArray, counts: Counts) -> FloatArray:
    """Return the normal score of each count: half the chance of the count itself lies on either side."""
    whole = np.floor(count - 0.5)
    part = count - 0.5 - whole
    mass = _pmf(whole + 1.0, counts)
    lower = _cdf(whole, counts) + part * mass
    upper = _tail(whole + 1.0, counts) + (1.0 - part) * mass
    return np.where(np.minimum(lower, upper) > _LEAST, _normal_score(lower, upper), _deviance_score(count, counts))


def _normal_score(lower: FloatArray, upper: FloatArray) -> FloatArray:
    small = np.minimum(np.maximum(np.minimum(lower, upper), _SMALLEST), 0.5)
    return np.where(upper < lower, -special.ndtri(small), special.ndtri(small))


def _deviance_score(count: FloatArray, counts: Counts) -> FloatArray:
    """Return the signed root of the deviance: the normal score to within 1 % where the tail is too small to hold."""
    mean, trials = counts
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = special.xlogy(trials - count, (trials - count) / (trials - mean)) if counts.bounded else mean - count
        half = special.xlogy(count, count / mean) + rest
    return np.asarray(np.sign(count - mean) * np.sqrt(2.0 * np.maximum(half, 0.0)), dtype=np.float64)


def mixed_scores(
    count: FloatArray | None, counts: Counts, spread: FloatArray, probabilities: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return normal scores and quantiles of counts whose true mean varies (negative binomial, beta-binomial).

    Parameters
    ----------
    count
        Counts to be scored; none when only the quantiles are wanted.
    counts
        Mean and number of trials of each; meant for small means, since every term of the distribution is added up.
    spread
        Negative binomial: 1/k. Beta-binomial: 1/(a + b).
    probabilities
        Which quantiles.

    Returns
    -------
    tuple
        Scores (missing without `count`), and an array with one row per unit and one column per probability.
    """
    mean, trials = counts
    # The rarer outcome is the one counted: its table is shorter, and a share and its complement share one.
    flip = mean > trials / 2.0
    with np.errstate(invalid="ignore"):
        rare = np.where(flip, trials - mean, mean)
    seen = np.zeros_like(mean) if count is None else np.where(flip, trials - count, count)
    length = _table_length(rare, trials, spread, seen)
    score, limits = np.full(len(mean), np.nan), np.empty((len(mean), len(probabilities)))
    order = np.argsort(-length, kind="stable")
    tails = np.array(probabilities)
    while len(order):
        # Longest first, so that a block's first row says how many rows fit.
        rows = max(1, _CELLS // int(length[order[0]]))
        block, order = order[:rows], order[rows:]
        table = _table(rare[block], trials[block], spread[block], int(length[block].max()))
        score[block] = _score_in(table, seen[block])
        limits[block] = _limits_in(table, tails, flip[block])
    score = np.full(len(mean), np.nan) if count is None else np.where(flip, -score, score)
    return score, np.clip(np.where(flip[:, None], trials[:, None] - limits, limits), 0.0, trials[:, None])


def _table_length(mean: FloatArray, trials: FloatArray, spread: FloatArray, seen: FloatArray) -> FloatArray:
    # Beyond this the whole remaining probability is under 1e-15: normal-like reach plus the mixing's slow tail.
    gamma = spread * trials / mean if np.isfinite(trials).all() else spread
    sd = np.sqrt(mean + gamma * mean**2)
    slow = 36.0 / np.log1p(1.0 / np.maximum(gamma * mean, 1e-300))
    reach = np.maximum(mean + 9.0 * sd + slow, seen + 40.0) + 20.0
    return np.ceil(np.minimum(np.minimum(reach, trials), _LONGEST)) + 2.0


def _table(mean: FloatArray, trials: FloatArray, spread: FloatArray, length: int) -> FloatArray:
    """Return P(R = r) for r = 0 … length − 1, one row per unit, by the ratio of neighbouring terms."""
    r = np.arange(length - 1, dtype=np.float64)[None, :]
    m, n, g = mean[:, None], trials[:, None], spread[:, None]
    if np.isfinite(trials).all():
        share = m / n
        left = np.maximum(n - r, 0.0)
        ratio = left / (r + 1.0) * (share + r * g) / (1.0 - share + np.maximum(n - r - 1.0, 0.0) * g)
    else:
        ratio = (1.0 + r * g) * m / (1.0 + m * g) / (r + 1.0)
    mass = np.ones((len(mean), length))
    np.cumprod(ratio, axis=1, out=mass[:, 1:])
    return np.asarray(mass / mass.sum(axis=1, keepdims=True), dtype=np.float64)


def _score_in(mass: FloatArray, seen: FloatArray) -> FloatArray:
    row = np.arange(len(mass))
    last = mass.shape[1] - 1
    whole = np.minimum(np.floor(seen - 0.5), last - 1.0).astype(np.intp)
    part = np.clip(seen - 0.5 - whole, 0.0, 1.0)
    below = np.cumsum(mass, axis=1)
    above = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
    here = mass[row, whole + 1]
    lower = np.where(whole < 0, 0.0, below[row, np.maximum(whole, 0)]) + part * here
    upper = np.where(whole + 2 > last, 0.0, above[row, np.minimum(whole + 2, last)]) + (1.0 - part) * here
    return _normal_score(lower, upper)


def _limits_in(mass: FloatArray, probabilities: FloatArray, flip: BoolArray) -> FloatArray:
    below = np.cumsum(mass, axis=1)
    row = np.arange(len(mass))
    limits = np.empty((len(mass), len(probabilities)))
    for i, probability in enumerate(probabilities):
        wanted = np.where(flip, 1.0 - probability, probability)
        at = np.minimum((below < wanted[:, None]).sum(axis=1), mass.shape[1] - 1)
        limits[:, i] = at - (below[row, at] - wanted) / mass[row, at] + 0.5
    return limits
