"""How widely units differ, how a model moves that, and how it lies along deprivation."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from gpvar.errors import StatsError
from gpvar.stats._checks import FloatArray, floats, refuse, vector

#: Counts drawn at a time; memory stays below a few tens of megabytes.
_CHUNK = 1_000_000
_Z = float(special.ndtri(0.975))


@dataclass(frozen=True, slots=True)
class SCV:
    """How widely observed counts scatter about expected ones.

    Attributes
    ----------
    scv
        Systematic component of variation: the variance of O/E beyond Poisson chance (McPherson et al. 1982); below
        zero where the counts scatter less than chance. Often printed times 100.
    extremal_quotient, quotient_95_5
        Largest O/E over the smallest, and the 95th percentile over the 5th; infinite where the lower one is zero.
    cv_weighted, cv
        Coefficient of variation of O/E, weighted by E and unweighted. Chance is in both.
    chi2, df, p
        Σ(O − E)²/E against Poisson chance with the expected counts as given, one degree of freedom per unit.
    dispersion
        chi2 / df.
    """

    scv: float
    extremal_quotient: float
    quotient_95_5: float
    cv_weighted: float
    cv: float
    chi2: float
    df: int
    p: float
    dispersion: float

    def to_frame(self) -> pd.DataFrame:
        """Return the measures as one row."""
        return pd.DataFrame([asdict(self)])


def scv(observed: ArrayLike, expected: ArrayLike) -> SCV:
    """Return the systematic component of variation, and the simpler measures it is printed with.

    Parameters
    ----------
    observed, expected
        Counts, one unit each; expected counts are taken as known and as they stand. Scale them to the same total
        where only the spread among these units is asked about.

    Notes
    -----
    SCV = mean of (O − E)²/E² − 1/E. Small units weigh as much as large ones, and their chance is large: with few
    expected events the estimate is rough, and `scv_test` says whether it could be chance.
    """
    seen, due = _counts(observed, expected)
    ratio = seen / due
    weight = due / due.sum()
    mean = float(weight @ ratio)
    chi2 = float(np.sum((seen - due) ** 2 / due))
    low, high = (float(q) for q in np.quantile(ratio, [0.05, 0.95]))
    if not mean > 0.0:
        raise StatsError("No event was seen in any unit.", "observed is 0 throughout", "There is no spread to measure.")
    return SCV(
        scv=float(_systematic(seen, due)),
        extremal_quotient=_quotient(float(ratio.max()), float(ratio.min())),
        quotient_95_5=_quotient(high, low),
        cv_weighted=float(np.sqrt(weight @ (ratio - mean) ** 2)) / mean,
        cv=float(ratio.std(ddof=1) / ratio.mean()),
        chi2=chi2,
        df=len(seen),
        p=float(special.chdtrc(len(seen), chi2)),
        dispersion=chi2 / len(seen),
    )


def scv_test(observed: ArrayLike, expected: ArrayLike, n: int = 1999, seed: int = 0) -> float:
    """Return how often Poisson chance alone gives an SCV as large as that seen: a parametric bootstrap p.

    Parameters
    ----------
    observed, expected
        As for `scv`.
    n, seed
        Number of simulated sets of counts, and the seed they are drawn with. The least p is 1 / (n + 1).
    """
    seen, due = _counts(observed, expected)
    if n < 1:
        raise StatsError("At least one simulation is needed.", f"n is {n}", "Ask for 999 or more.")
    found, reached = _systematic(seen, due), 0
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // len(due))
    for start in range(0, n, rows):
        drawn = rng.poisson(due, size=(min(rows, n - start), len(due)))
        reached += int(np.sum(_systematic(drawn, due) >= found - 1e-12 * abs(found)))
    return (1.0 + reached) / (n + 1.0)


def _systematic(seen: ArrayLike, due: FloatArray) -> FloatArray:
    return np.asarray(np.mean((np.asarray(seen) - due) ** 2 / due**2 - 1.0 / due, axis=-1), dtype=np.float64)


def _quotient(high: float, low: float) -> float:
    return high / low if low > 0.0 else float("inf")


def _counts(observed: ArrayLike, expected: ArrayLike) -> tuple[FloatArray, FloatArray]:
    seen, due = _pair(observed, expected, "observed", "expected", fewest=2)
    refuse(seen < 0, "A count cannot be negative.", "observed", seen, "Check the counts.")
    refuse(due <= 0, "An expected count must be above zero.", "expected", due, "Leave the unit out, or check it.")
    return seen, due


def proportional_change(before: ArrayLike, after: ArrayLike) -> FloatArray:
    """Return by which share a variance fell from one model to a larger one: (before − after) / before.

    Below zero where it rose, which adjusting can bring about; NaN where there was none before.
    """
    first, second = np.broadcast_arrays(floats(before, "before"), floats(after, "after"))
    for values, name in ((first, "before"), (second, "after")):
        refuse(values < 0, "A variance is zero or more.", name, values, "Pass variances, of one level in both models.")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(first > 0.0, (first - second) / first, np.nan), dtype=np.float64)


def kendall_reranking(before: ArrayLike, after: ArrayLike) -> float:
    """Return the share of pairs of units that change their order: ½(1 − τ_b); ties count half.

    0 where no pair does, ½ where the orders have nothing to do with one another. NaN where all units are tied.
    """
    first, second = _pair(before, after, "before", "after", fewest=2)
    return 0.5 * (1.0 - float(stats.kendalltau(first, second, variant="b").statistic))


def movers(before_percentile: ArrayLike, after_percentile: ArrayLike, points: float = 10.0) -> int:
    """Return how many units move by `points` percentiles or more, up or down.

    Parameters
    ----------
    before_percentile, after_percentile
        Percentiles from 0 to 100, one unit each.
    """
    first, second = _pair(before_percentile, after_percentile, "before_percentile", "after_percentile", fewest=1)
    for values, name in ((first, "before_percentile"), (second, "after_percentile")):
        refuse((values < 0) | (values > 100), "A percentile lies between 0 and 100.", name, values, "Check the ranks.")
    if not points > 0.0:
        raise StatsError("points must be above zero.", f"points is {points!r}", "Use 10, for a tenth of the units.")
    if len(first) > 1 and max(first.max(), second.max()) <= 1.0:
        raise StatsError(
            "The percentiles look like shares: none is above 1.",
            f"the largest is {max(first.max(), second.max()):g}",
            "Multiply them by 100.",
        )
    # 0.3 − 0.2 is a little less than 0.1.
    return int(np.sum(np.abs(second - first) >= points - 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class EquityGradient:
    """How a value lies along deprivation.

    Attributes
    ----------
    fifths
        One row per fifth of the units, from the least deprived (1) to the most (5): `fifth`, `units`,
        `deprivation_lower`, `deprivation_upper`, `weight`, `value` (weighted mean).
    difference
        Value of the most deprived fifth minus that of the least.
    slope_index, slope_lower, slope_upper
        Slope index of inequality: the difference between the most and the least deprived ends of a straight line
        through all units, with a 95 % interval that does not rest on equal variances.
    relative_index
        The same as a ratio: the line at its most deprived end over its least deprived end.
    """

    fifths: pd.DataFrame
    difference: float
    slope_index: float
    slope_lower: float
    slope_upper: float
    relative_index: float

    def to_frame(self) -> pd.DataFrame:
        """Return the fifths."""
        return self.fifths.copy()


def equity_gradient(value: ArrayLike, deprivation: ArrayLike, weight: ArrayLike | None = None) -> EquityGradient:
    """Return the value by fifth of deprivation, and the slope over all units.

    Called once with raw and once with adjusted values it shows both directions: what adjusting for need explains, and
    what it would hide.

    Parameters
    ----------
    value
        What is compared, one unit each.
    deprivation
        Higher is more deprived. Tied units stay in one fifth.
    weight
        People, or whatever a mean is to be taken over. Left out: each unit counts as one.

    Notes
    -----
    The slope is that of a weighted regression on the share of the total weight in less deprived units plus half of a
    unit's own (Mackenbach & Kunst 1997); its standard error is HC1.
    """
    height, depth = _pair(value, deprivation, "value", "deprivation", fewest=5)
    mass = np.ones(len(height)) if weight is None else vector(weight, "weight")
    _pair(height, mass, "value", "weight", fewest=5)
    refuse(~(mass > 0), "A weight must be above zero.", "weight", mass, "Leave out units without people.")
    frame = pd.DataFrame({"value": height, "deprivation": depth, "weight": mass})
    frame["fifth"] = np.ceil(5.0 * (stats.rankdata(depth) - 0.5) / len(depth)).astype(int)
    frame["product"] = height * mass
    groups = frame.groupby("fifth")
    fifths = groups.agg(
        units=("value", "size"),
        deprivation_lower=("deprivation", "min"),
        deprivation_upper=("deprivation", "max"),
        weight=("weight", "sum"),
        value=("product", "sum"),
    ).reset_index()
    fifths["value"] /= fifths["weight"]
    ends = fifths.set_index("fifth")["value"]
    if 1 not in ends.index or 5 not in ends.index:
        raise StatsError(
            "Deprivation has too many ties for fifths.",
            f"{len(np.unique(depth))} different values among {len(depth)} units",
            "Pass the score itself, not a group of it.",
        )
    start, slope, error = _slope(height, _ridit(depth, mass), mass)
    relative = (start + slope) / start if start > 0.0 else float("nan")
    return EquityGradient(fifths, float(ends[5] - ends[1]), slope, slope - _Z * error, slope + _Z * error, relative)


def _ridit(depth: FloatArray, mass: FloatArray) -> FloatArray:
    """Return the share of all weight that lies in less deprived units, plus half of that tied with a unit."""
    _, group = np.unique(depth, return_inverse=True)
    tied = np.bincount(group, weights=mass)
    return np.asarray(((np.cumsum(tied) - 0.5 * tied) / tied.sum())[group], dtype=np.float64)


def _slope(height: FloatArray, place: FloatArray, mass: FloatArray) -> tuple[float, float, float]:
    """Return intercept and slope of a weighted line, and the slope's robust standard error (HC1)."""
    columns = np.column_stack([np.ones(len(place)), place])
    bread = np.linalg.inv(columns.T @ (columns * mass[:, None]))
    found = bread @ columns.T @ (mass * height)
    pull = columns * (mass * (height - columns @ found))[:, None]
    spread = bread @ (pull.T @ pull) @ bread * len(place) / (len(place) - 2)
    return float(found[0]), float(found[1]), float(np.sqrt(spread[1, 1]))


def _pair(
    one: ArrayLike, other: ArrayLike, name: str, other_name: str, *, fewest: int
) -> tuple[FloatArray, FloatArray]:
    """Return two columns of one length with nothing missing."""
    first, second = vector(one, name), vector(other, other_name)
    if len(first) != len(second) or len(first) < fewest:
        raise StatsError(
            f"{name} and {other_name} must hold the same units, at least {fewest}.",
            f"{name} has {len(first)} values, {other_name} {len(second)}",
            "Pass one value per unit in both.",
        )
    for values, which in ((first, name), (second, other_name)):
        refuse(~np.isfinite(values), "A value is missing.", which, values, "Leave the unit out of both columns.")
    return first, second
