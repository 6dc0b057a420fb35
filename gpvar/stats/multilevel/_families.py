"""What a row contributes to the log-likelihood, as a function of its linear predictor η.

Each family gives, for all rows at once, the score g = dl/dη, the weight w = −d²l/dη² and, at the modes, dw/dη (for
the exact gradient of the Laplace approximation), the log-likelihood itself and, for the negative binomial, the
derivatives with respect to its dispersion. All three families are log-concave in η, so the modes are unique.

The negative binomial is NB2: variance μ + μ²/k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from gpvar.stats._checks import FloatArray

#: From here on Stirling's series has all the digits of the log-gamma.
_STIRLING = 20.0


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives of `loglik_rows`, g and w with respect to log k at fixed η, (n,) each."""

    loglik: FloatArray
    score: FloatArray
    weight: FloatArray


class Family(Protocol):
    """The rows of one data set under one distribution."""

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return what the other methods share: the share π (binomial) or the mean μ."""

    def score_and_weight(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return g and w, (n,) each."""

    def weight_slope(self, mean: FloatArray, weight: FloatArray) -> FloatArray:
        """Return dw/dη, (n,)."""

    def loglik_rows(self, eta: FloatArray, mean: FloatArray) -> FloatArray:
        """Return the part of each row's log-likelihood that depends on η, (n,)."""

    def constant(self) -> float:
        """Return the rest of the log-likelihood, summed over the rows."""

    def size(self) -> FloatArray:
        """Return how many events a row could hold or holds, (n,)."""


@dataclass(frozen=True, slots=True)
class Binomial:
    """Successes out of trials, logit link."""

    successes: FloatArray
    trials: FloatArray
    saturated: FloatArray
    saturated_loglik: float

    @classmethod
    def of(cls, successes: FloatArray, trials: FloatArray) -> Binomial:
        """Return the family of these rows, its constant worked out once."""
        failures = trials - successes
        saturated = special.xlogy(successes, successes / trials) + special.xlogy(failures, failures / trials)
        # log C(n, y) without the cancellation of three large log-gammas.
        ways = -np.log1p(trials) - special.betaln(successes + 1.0, failures + 1.0)
        return cls(successes, trials, np.asarray(saturated, dtype=np.float64), float((ways + saturated).sum()))

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return the share π."""
        share = np.exp(-eta)
        share += 1.0
        return np.divide(1.0, share, out=share)

    def score_and_weight(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y − nπ and nπ(1 − π)."""
        expected = self.trials * mean
        score = self.successes - expected
        weight = 1.0 - mean
        weight *= expected
        return score, weight

    def weight_slope(self, mean: FloatArray, weight: FloatArray) -> FloatArray:
        """Return w(1 − 2π)."""
        slope = mean * -2.0
        slope += 1.0
        slope *= weight
        return slope

    def loglik_rows(self, eta: FloatArray, mean: FloatArray) -> FloatArray:
        """Return yη − n log(1 + exp η), less its highest value: large counts keep their digits."""
        rows = np.abs(eta)
        np.negative(rows, out=rows)
        np.exp(rows, out=rows)
        np.log1p(rows, out=rows)
        rows += np.maximum(eta, 0.0)
        rows *= -self.trials
        rows += self.successes * eta
        rows -= self.saturated
        return rows

    def constant(self) -> float:
        """Return the log-likelihood of a model that fits every row."""
        return self.saturated_loglik

    def size(self) -> FloatArray:
        """Return the trials."""
        return self.trials


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts, log link."""

    counts: FloatArray
    saturated: FloatArray
    saturated_loglik: float

    @classmethod
    def of(cls, counts: FloatArray) -> Poisson:
        """Return the family of these rows, its constant worked out once."""
        saturated = special.xlogy(counts, counts) - counts
        return cls(counts, saturated, float((saturated - special.gammaln(counts + 1.0)).sum()))

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return μ."""
        return np.exp(eta)

    def score_and_weight(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y − μ and μ."""
        return self.counts - mean, mean

    def weight_slope(self, mean: FloatArray, weight: FloatArray) -> FloatArray:
        """Return μ."""
        return mean

    def loglik_rows(self, eta: FloatArray, mean: FloatArray) -> FloatArray:
        """Return yη − μ, less its highest value: large counts keep their digits."""
        rows = self.counts * eta
        rows -= mean
        rows -= self.saturated
        return rows

    def constant(self) -> float:
        """Return the log-likelihood of a model that fits every row."""
        return self.saturated_loglik

    def size(self) -> FloatArray:
        """Return the counts."""
        return self.counts


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Counts with variance μ + μ²/k, log link."""

    counts: FloatArray
    k: float
    distinct: FloatArray
    times: FloatArray

    @classmethod
    def of(cls, counts: FloatArray) -> NegativeBinomial:
        """Return the family of these rows at k = 1; `at` moves it to another k."""
        # Counts repeat: the log-gammas are taken once for each distinct count.
        distinct, times = np.unique(counts, return_counts=True)
        return cls(counts, 1.0, distinct, times.astype(np.float64))

    def at(self, k: float) -> NegativeBinomial:
        """Return the same rows with dispersion `k`."""
        return NegativeBinomial(self.counts, k, self.distinct, self.times)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return μ."""
        return np.exp(eta)

    def score_and_weight(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return k(y − μ)/(k + μ) and kμ(k + y)/(k + μ)²."""
        share = mean + self.k
        np.divide(self.k, share, out=share)
        score = self.counts - mean
        score *= share
        weight = self.counts + self.k
        weight *= mean
        weight *= share
        weight *= share
        weight /= self.k
        return score, weight

    def weight_slope(self, mean: FloatArray, weight: FloatArray) -> FloatArray:
        """Return w(k − μ)/(k + μ)."""
        slope = self.k - mean
        slope /= self.k + mean
        slope *= weight
        return slope

    def loglik_rows(self, eta: FloatArray, mean: FloatArray) -> FloatArray:
        """Return yη − (y + k) log(1 + μ/k)."""
        growth = np.log1p(mean / self.k)
        growth *= self.counts + self.k
        rows: FloatArray = self.counts * eta
        rows -= growth
        return rows

    def constant(self) -> float:
        """Return Σ log Γ(y + k)/(Γ(k) k^y y!)."""
        k, y = self.k, self.distinct
        if k < _STIRLING:
            rising = special.gammaln(y + k) - special.gammaln(k) - y * np.log(k)
        else:
            # Differences of log-gammas lose their digits on the way to the Poisson limit; Stirling's series does not.
            rising = (k + y - 0.5) * np.log1p(y / k) - y + _stirling(k + y) - _stirling(k)
        return float(self.times @ (rising - special.gammaln(y + 1.0)))

    def size(self) -> FloatArray:
        """Return the counts."""
        return self.counts

    def constant_slope(self) -> float:
        """Return the derivative of `constant` with respect to log k."""
        k, y = self.k, self.distinct
        if k < _STIRLING:
            growth = special.digamma(y + k) - special.digamma(k)
        else:
            growth = np.log1p(y / k) - 0.5 * (1.0 / (k + y) - 1.0 / k) + _stirling_slope(k + y) - _stirling_slope(k)
        return float(self.times @ (k * growth - y))

    def slopes(self, mean: FloatArray) -> Slopes:
        """Return the derivatives with respect to log k at fixed η."""
        k, y = self.k, self.counts
        total = mean + k
        share = mean / total
        loglik = (y + k) * share - k * np.log1p(mean / k)
        score = (y - mean) * share / total
        weight = share * (2.0 * k * mean + y * (mean - k)) / total**2
        return Slopes(loglik, k * score, k * weight)


def _stirling(x: FloatArray | float) -> FloatArray | float:
    """Return log Γ(x) − [(x − ½) log x − x + ½ log 2π] for x above `_STIRLING`."""
    inverse = 1.0 / x
    square = inverse**2
    return inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)))


def _stirling_slope(x: FloatArray | float) -> FloatArray | float:
    square = 1.0 / x**2
    return -square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square / 240.0)))
