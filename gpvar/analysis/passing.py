"""How far practices' own figures move from month to month, from two stretches of months or from every month.

Passing movement is what a figure does beside the chance of sampling and what all practices do together: it is measured
on practices that are sound in both stretches, and judged with as part of chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import catalogue, schema
from gpvar.analysis.expected import inverse_link, link_of_observed, sampling_variance
from gpvar.analysis.position import USUAL
from gpvar.results import Note
from gpvar.stats import reliability
from gpvar.stats.change import covariance_of_means
from gpvar.study import Period, months_between, months_of

if TYPE_CHECKING:
    from gpvar.analysis.observed import Counts
    from gpvar.catalogue import MetricCard
    from gpvar.table import PracticeTable

#: Correlations of one month with the next that are assumed where two stretches cannot tell it.
ASSUMED = (0.0, 0.5, 0.7)
#: With which of them practices are judged: taken as independent, months understate the movement of a year's mean.
USED = 0.5
_LEAST_UNITS = 30
_LEAST_MONTHS = 3
_SHIFT = 0.5
#: What the second stretch is called where every month was compared with the others.
EACH = "each month"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Months that lie in `within`, but not in `without`."""

    within: Period
    without: Period | None = None

    @property
    def months(self) -> np.ndarray:
        left = set(months_of(self.without)) if self.without else set()
        kept = [month for month in months_of(self.within) if month not in left]
        return np.array([12 * int(month[:4]) + int(month[5:]) for month in kept])

    @property
    def label(self) -> str:
        months = self.months
        if len(months) <= months[-1] - months[0]:
            return f"{_label(self.within)} without {_label(self.without)}" if self.without else _label(self.within)
        first, last = (f"{(m - 1) // 12:04d}-{(m - 1) % 12 + 1:02d}" for m in (int(months[0]), int(months[-1])))
        return _label(Period(first, last))


def _label(period: Period) -> str:
    return period.start if period.start == period.end else f"{period.start}..{period.end}"


@dataclass(frozen=True, slots=True)
class _Pair:
    """Counts of the same practices in two stretches of months, the shorter first."""

    first: np.ndarray
    second: np.ndarray
    months: tuple[np.ndarray, np.ndarray]
    labels: tuple[str, str]
    disagree: int


def measure(table: PracticeTable, card: MetricCard, counts: Counts) -> pd.DataFrame:
    """Measure the passing movement of a metric.

    Parameters
    ----------
    table
        Its `periods` hold the counts of the study's period and of others.
    card, counts
        The metric, and who may be judged.

    Returns
    -------
    DataFrame
        ``schema`` table ``passing``: a row for each correlation of neighbouring months that is assumed, from the two
        stretches whose answer for the study's period depends on it least; and one with that correlation estimated
        where three months or more are known one by one. Empty where there is nothing to compare.

    Notes
    -----
    A part of the study's period is compared with the rest of it, a longer period's rest with the study's, and, where
    there is neither, the nearest period beside it as it is: what changed for good in between counts as movement then.
    Periods on the other side of a break of the series are left out. Practices take part that have sound figures in
    both, are behind no stop gate and are not excluded.
    """
    held = _held(table, card, counts)
    rows = _assumed(held, table.study.period, counts.kind)
    rows += _estimated(held, table.study.period, counts.kind)
    if not rows:
        return pd.DataFrame(columns=schema.names("passing"))
    for row in rows:
        row["used"] = row["used"] if rows[-1]["used"] else row["rho_from"] == "assumed" and row["rho"] == USED
    return pd.DataFrame(rows)[schema.names("passing")]


def transient_of(passing: pd.DataFrame) -> float:
    """Return the variance of passing movement over the study's period to judge with; NaN where none was measured."""
    used = passing[passing["used"].astype(bool)]
    return float(used["v_period"].iloc[0]) if len(used) else float("nan")


def draws_of(passing: pd.DataFrame, n: int, seed: int) -> np.ndarray:
    """Return draws of the variance of passing movement over the study's period; zeros where none was measured.

    Where the correlation of one month with the next is assumed, a draw takes one of the assumptions at random: what
    is not known of it is then in the intervals, and is the larger part of them.
    """
    used = passing[passing["used"].astype(bool)]
    if used.empty:
        return np.zeros(n)
    rows = passing[passing["rho_from"] == used["rho_from"].iloc[0]]
    centre = rows["v_period"].to_numpy(float)
    error = rows["v_se"].to_numpy(float) * centre / rows["v"].to_numpy(float)
    rng = np.random.default_rng([seed, len(rows)])
    taken = rng.integers(len(rows), size=n)
    return np.asarray(np.maximum(centre[taken] + error[taken] * rng.standard_normal(n), 0.0))


def notes_of(passing: pd.DataFrame, card: MetricCard) -> tuple[Note, ...]:
    """Return what a reader must be told of chance: what was measured, or that nothing could be."""
    used = passing[passing["used"].astype(bool)]
    if used.empty:
        return (Note("no_months"),) if card.activity else ()
    row = used.iloc[0]
    assumed = passing[passing["rho_from"] == "assumed"]["swing_period"]
    numbers: dict[str, Any] = {
        name: row[name] for name in ("first", "second", "rho_from", "rho", "stay_observed", "gap_95", "swing_period")
    }
    numbers = {name: value if isinstance(value, str) else float(value) for name, value in numbers.items()}
    if row["rho_from"] == "assumed":
        numbers |= {"swing_least": float(assumed.min()), "swing_most": float(assumed.max())}
    return (Note("passing_movement", numbers | {"units": int(row["units"]), "disagree": int(row["disagree"])}),)


def _held(table: PracticeTable, card: MetricCard, counts: Counts) -> dict[Period, pd.DataFrame]:
    """Return each period's counts of the practices that may take part, by practice."""
    sound = counts.usable & counts.decidable & ~np.isin(counts.practice_code, list(table.excluded["practice_code"]))
    rows = table.periods[table.periods["metric"] == card.id]
    rows = rows[rows["practice_code"].isin(counts.practice_code[sound])]
    held = {}
    for (start, end), part in rows.groupby(["start", "end"]):
        period = Period(str(start), str(end))
        if crosses_a_break(card, table.study.period, period):
            continue
        whole = part[part["months"].isna() | (part["months"] == period.months)]
        held[period] = whole.set_index("practice_code")[["numerator", "denominator"]].dropna().astype(float)
    return {period: frame for period, frame in held.items() if len(frame) >= _LEAST_UNITS}


def crosses_a_break(card: MetricCard, study: Period, other: Period) -> bool:
    """Say whether the series breaks between the first and the last day of the two."""
    first, last = min(study.first_day, other.first_day), max(study.last_day, other.last_day)
    broken = [item for item in catalogue.breaks(card.source) if item.breaks_series]
    return any(first < item.start <= last or (item.end and item.start <= first <= item.end) for item in broken)


def _assumed(held: dict[Period, pd.DataFrame], study: Period, kind: str) -> list[dict[str, Any]]:
    if study not in held:
        return []
    stretches = [found for other in held if (found := _stretches(study, other))]
    # The nearest, and of those the two that answer for the study's period with as little as can be of an assumption.
    stretches.sort(key=lambda found: (_between(*found), _leaning(found, study.months), found[0].label))
    for found in stretches:
        pair = _pair(held, *found, kind)
        if len(pair.first) >= _LEAST_UNITS:
            middle = float(np.median(_link(held[study].to_numpy(), kind)))
            return [{**_seen([pair], kind), **_moved(pair, rho, study.months, middle, kind)} for rho in ASSUMED]
    return []


def _stretches(study: Period, other: Period) -> tuple[_Stretch, _Stretch] | None:
    """Return the two stretches that can be compared, the shorter first; None where the periods overlap in part."""
    if other == study:
        return None
    inner, outer = sorted((study, other), key=lambda period: (period.months, period.start))
    if outer.start <= inner.start and inner.end <= outer.end:
        parts = (_Stretch(inner), _Stretch(outer, inner))
    elif inner.end < outer.start or outer.end < inner.start:
        parts = (_Stretch(inner), _Stretch(outer))
    else:
        return None
    one, two = sorted(parts, key=lambda part: (len(part.months), part.months[0]))
    return one, two


def _factor(months: tuple[np.ndarray, np.ndarray], rho: float) -> float:
    """Return the variance of the difference of two means over that of one month."""
    one, other = months
    return (
        covariance_of_means(one, one, rho)
        + covariance_of_means(other, other, rho)
        - 2.0 * covariance_of_means(one, other, rho)
    )


def _between(one: _Stretch, other: _Stretch) -> int:
    """Return how many months lie between two stretches; none where one is a part of the other's period."""
    if one.without or other.without:
        return 0
    first, second = sorted((one.months, other.months), key=lambda months: int(months[0]))
    return int(second[0] - first[-1]) - 1


def _leaning(found: tuple[_Stretch, _Stretch], months: int) -> float:
    """Return how far the variance over the study's period depends on the correlation that is assumed."""
    known = (found[0].months, found[1].months)
    least, most = (float(reliability.averaging_factor(months, rho)) / _factor(known, rho) for rho in (0.0, ASSUMED[-1]))
    return round(float(abs(np.log(most / least))), 9)


def _pair(held: dict[Period, pd.DataFrame], one: _Stretch, two: _Stretch, kind: str) -> _Pair:
    """Return the counts of two stretches for the practices with possible figures in both."""
    first, second = (_counted(held, part) for part in (one, two))
    codes = first.index.intersection(second.index)
    first, second = first.loc[codes], second.loc[codes]
    disagree = _below_nought(first, kind) | _below_nought(second, kind)
    sound = ~disagree & (first["denominator"] > 0) & (second["denominator"] > 0)
    return _Pair(
        first[sound].to_numpy(),
        second[sound].to_numpy(),
        (one.months, two.months),
        (one.label, two.label),
        int(disagree.sum()),
    )


def _counted(held: dict[Period, pd.DataFrame], part: _Stretch) -> pd.DataFrame:
    return held[part.within] - held[part.without] if part.without else held[part.within]


def _below_nought(counted: pd.DataFrame, kind: str) -> pd.Series:
    """Say where less than nothing is left, or more events than there can be: the two files do not agree."""
    below = (counted["numerator"] < 0) | (counted["denominator"] < 0)
    return below | (counted["numerator"] > counted["denominator"]) if kind == "proportion" else below


def _seen(pairs: Sequence[_Pair], kind: str) -> dict[str, Any]:
    """Return what the two figures show without any assumption: over several pairs the mean of each."""
    pair, seen = pairs[0], pd.DataFrame([_apart(pair, kind) for pair in pairs]).mean()
    return {
        "first": pair.labels[0],
        "second": pair.labels[1],
        "first_months": len(pair.months[0]),
        "second_months": len(pair.months[1]),
        "rho_from": "assumed",
        "used": False,
        "units": len(pair.first),
        "disagree": pair.disagree,
        **{str(name): float(value) for name, value in seen.items()},
    }


def _link(counted: np.ndarray, kind: str) -> np.ndarray:
    return link_of_observed(counted[:, 0], counted[:, 1], kind)


def _links(pair: _Pair, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the two figures on the link scale, and their sampling variances."""
    one, other = _link(pair.first, kind), _link(pair.second, kind)
    noise = sampling_variance(one, pair.first[:, 1], kind)
    return one, other, noise, sampling_variance(other, pair.second[:, 1], kind)


def _apart(pair: _Pair, kind: str) -> dict[str, float]:
    one, other, noise, other_noise = _links(pair, kind)
    found = reliability.transient_variance(one, other, noise, other_noise)
    away = pair.first[:, 0] / pair.first[:, 1] - pair.second[:, 0] / pair.second[:, 1]
    half, most = np.quantile(np.abs(away - np.median(away)), [0.5, 0.95])
    return {
        "correlation": found.correlation,
        "between_sd": float(np.std(one, ddof=1)),
        "sd_difference": found.sd_difference,
        "sd_difference_robust": found.sd_difference_robust,
        "sampling_sd": float(np.sqrt(np.mean(noise + other_noise))),
        "stay_observed": reliability.observed_stay(one, other),
        "stay_expected": float(reliability.stay_in_tail(found.correlation)),
        "shifted": float(np.mean(np.abs(one - other) > _SHIFT)),
        "gap_half": float(half),
        "gap_95": float(most),
    }


def _moved(pair: _Pair, rho: float, months: int, middle: float, kind: str) -> dict[str, Any]:
    """Return the variance of passing movement, and what it leaves reliable, under one correlation of months."""
    one, other, noise, other_noise = _links(pair, kind)
    found = reliability.transient_variance(one, other, noise, other_noise)
    # The months may lie anywhere: only what the variance of the difference is divided by depends on where.
    rescaled = found.factor / _factor(pair.months, rho)
    v = found.v * rescaled
    between = max(0.0, float(np.cov(one, other)[0, 1]) - v * covariance_of_means(*pair.months, rho))
    moved = {"v": v, "v_se": found.se * rescaled, "v_robust": found.v_robust * rescaled}
    a_month = float(noise.mean()) * len(pair.months[0])
    return moved | _over(months, v, rho, middle, kind) | _reliability(between, a_month, v, rho)


def _over(months: int, v: float, rho: float, middle: float, kind: str) -> dict[str, float]:
    """Return the passing movement in the mean of the study's months, and how far it moves a middling figure."""
    over = v * float(reliability.averaging_factor(months, rho))
    ends = inverse_link(middle + USUAL * np.sqrt(over) * np.array([-1.0, 1.0]), kind)
    return {"rho": rho, "v_period": over, "swing_period": float(ends[1] - ends[0]) / 2.0}


def _reliability(between: float, a_month: float, v: float, rho: float) -> dict[str, float]:
    """Return the reliability of the figures of one month and of twelve, from the sampling variance of one."""
    year = v * float(reliability.averaging_factor(12, rho))
    return {
        "reliability_month": float(reliability.reliability(between, a_month, v)),
        "reliability_year": float(reliability.reliability(between, a_month / 12.0, year)),
    }


def _estimated(held: dict[Period, pd.DataFrame], study: Period, kind: str) -> list[dict[str, Any]]:
    """Return the row whose correlation of neighbouring months is estimated, from months known one by one."""
    run = _one_by_one(held)
    if len(run) < _LEAST_MONTHS:
        return []
    counted = np.stack([part.to_numpy() for part in _in_all([held[month] for month in run], kind)])
    if counted.shape[1] < _LEAST_UNITS:
        return []
    links = np.array([_link(month, kind) for month in counted]).T
    noise = np.array([sampling_variance(link, month[:, 1], kind) for link, month in zip(links.T, counted, strict=True)])
    found = reliability.transient_from_panel(links, noise.T)
    whole = _Stretch(Period(run[0].start, run[-1].end))
    total, each = counted.sum(axis=0), (np.zeros(1), np.zeros(len(run) - 1))
    pairs = [_Pair(month, total - month, each, (whole.label, EACH), 0) for month in counted]
    middle = float(np.median(_link(held[study].to_numpy() if study in held else total, kind)))
    moved = {"v": found.v, "v_se": found.se, "v_robust": found.v_robust, "rho_from": "estimated"}
    over = _over(study.months, found.v, found.rho, middle, kind)
    # A panel no longer than the movement lasts cannot tell it from what lasts: then the assumption is judged with.
    used = {"used": found.identified}
    return [
        _seen(pairs, kind) | moved | over | used | _reliability(found.between, float(noise.mean()), found.v, found.rho)
    ]


def _one_by_one(held: Iterable[Period]) -> list[Period]:
    """Return the longest run of single months, one after another; the latest of several as long."""
    runs: list[list[Period]] = [[]]
    for month in sorted((period for period in held if period.months == 1), key=lambda period: period.start):
        if not runs[-1] or months_between(runs[-1][-1].start, month.start) != 1:
            runs.append([])
        runs[-1].append(month)
    return max(reversed(runs), key=len)


def _in_all(months: Sequence[pd.DataFrame], kind: str) -> list[pd.DataFrame]:
    """Return the counts of the practices with a possible figure in every month."""
    codes = months[0].index
    for month in months:
        codes = codes.intersection(month.index[~_below_nought(month, kind) & (month["denominator"] > 0)])
    return [month.loc[codes] for month in months]
