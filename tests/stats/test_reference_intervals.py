"""Intervals against the R package that English public health uses (PHEindicatormethods 2.1.0).

Tolerances, relative: 1e-9 on the grids, 1e-7 on the package's own tables, 1e-6 on its funnel limits, which it finds
by bisection.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpvar.stats import intervals
from tests.support import reference

pytestmark = pytest.mark.reference

LEVELS = {"95": 0.95, "99_8": 0.998}


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99, 0.998])
def test_byar_and_exact_limits_of_a_count(level: float) -> None:
    grid = pd.read_csv(reference("phe_count_ci_grid.csv"))
    grid = grid[np.isclose(grid["confidence"], level)]
    assert len(grid) > 10
    lower, upper = intervals.byar(grid["x"], level)
    # Where the formula falls below zero or is undefined the package leaves a gap; a count cannot, so ours is 0.
    gap = grid["byars_lower"].isna().to_numpy()
    assert (lower[gap] == 0.0).all()
    np.testing.assert_allclose(lower[~gap], grid["byars_lower"][~gap], rtol=1e-9)
    np.testing.assert_allclose(upper, grid["byars_upper"], rtol=1e-9)
    lower, upper = intervals.poisson_exact(grid["x"], level)
    np.testing.assert_allclose(lower, grid["exact_lower"], rtol=1e-9)
    np.testing.assert_allclose(upper, grid["exact_upper"], rtol=1e-9)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.998])
def test_wilson_limits_of_a_proportion(level: float) -> None:
    grid = pd.read_csv(reference("phe_wilson_grid.csv"))
    grid = grid[np.isclose(grid["confidence"], level)]
    assert len(grid) > 10
    lower, upper = intervals.wilson(grid["x"], grid["n"], level)
    np.testing.assert_allclose(lower, grid["wilson_lower"], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(upper, grid["wilson_upper"], rtol=1e-9, atol=1e-15)


def test_byar_and_wilson_own_table() -> None:
    table = pd.read_csv(reference("phe_byars_wilson_own.csv"))
    for row in table.itertuples():
        level = float(row.confidence.rstrip("%")) / 100
        found = intervals.byar(row.x, level) if row.method == "Byars" else intervals.wilson(row.x, row.n, level)
        if np.isnan(row.lowercl):
            assert found[0] == 0.0
        else:
            np.testing.assert_allclose(found[0], row.lowercl, rtol=1e-7)
        np.testing.assert_allclose(found[1], row.uppercl, rtol=1e-7)


@pytest.mark.parametrize("name", ["proportion", "rate"])
@pytest.mark.parametrize("level", list(LEVELS))
def test_proportions_and_rates_own_table(name: str, level: str) -> None:
    table = pd.read_csv(reference(f"phe_{name}_own.csv"))
    scale = table["multiplier"].to_numpy()
    if name == "proportion":
        lower, upper = intervals.wilson(table["Numerator"], table["Denominator"], LEVELS[level])
        lower, upper = lower * scale, upper * scale
    else:
        lower, upper = intervals.rate(table["Numerator"], table["Denominator"] / scale, LEVELS[level])
    np.testing.assert_allclose(lower, table[f"lower{level}_0cl" if level == "95" else "lower99_8cl"], rtol=1e-7)
    np.testing.assert_allclose(upper, table[f"upper{level}_0cl" if level == "95" else "upper99_8cl"], rtol=1e-7)


@pytest.mark.parametrize("name", ["proportion", "rate"])
def test_grouped_proportions_and_rates_own_table(name: str) -> None:
    table = pd.read_csv(reference(f"phe_{name}_grouped_own.csv"))
    scale = table["multiplier"].to_numpy()
    if name == "proportion":
        lower, upper = intervals.wilson(table["Numerator"], table["Denominator"])
    else:
        lower, upper = intervals.rate(table["Numerator"], table["Denominator"] / scale)
        scale = 1.0
    np.testing.assert_allclose(lower * scale, table["lowercl"], rtol=1e-7)
    np.testing.assert_allclose(upper * scale, table["uppercl"], rtol=1e-7)


@pytest.mark.parametrize(("sigma", "level"), [("2s", 0.95), ("3s", 0.998)])
def test_published_proportion_limits_are_where_wilson_meets_the_baseline(sigma: str, level: float) -> None:
    table = pd.read_csv(reference("phe_funnel_prop_own_limits.csv"))
    baseline, n = table["baseline"].to_numpy() / 100, table["Population"].to_numpy()
    for side, end in (("lower", 1), ("upper", 0)):
        limit = table[f"{side}_{sigma}_limit"].to_numpy() / 100
        inside = (limit > 0) & (limit < 1)
        assert inside.sum() > 70
        met = intervals.wilson(limit[inside] * n[inside], n[inside], level)[end]
        np.testing.assert_allclose(met, baseline[inside], rtol=1e-6)
        # A limit cut off at 0 or 100 % is one that no unit of that size can cross.
        extreme = intervals.wilson(limit[~inside] * n[~inside], n[~inside], level)[end]
        assert (np.sign(extreme - baseline[~inside]) == (1 if side == "lower" else -1)).all()


@pytest.mark.parametrize(("sigma", "level"), [("2s", 0.95), ("3s", 0.998)])
@pytest.mark.parametrize("name", ["ratio", "rate"])
def test_published_ratio_and_rate_limits_are_exact_intervals(name: str, sigma: str, level: float) -> None:
    table = pd.read_csv(reference(f"phe_funnel_{name}_own_limits.csv"))
    lower, upper = intervals.poisson_exact(table["Observed_events" if name == "ratio" else "Events"], level)
    unit = "exp_events" if name == "ratio" else "population_1_year"
    # Its rates are of three years of data, its populations of one.
    per = 1.0 if name == "ratio" else 3 * table["baseline"] / 100_000
    # Its bisection stops within 1e-7 of an event, which shows at a single event only (limits of 0.025 and 0.001).
    np.testing.assert_allclose(upper, table[f"lower_{sigma}_{unit}"] * per, rtol=1e-6)
    np.testing.assert_allclose(lower[1:], (table[f"upper_{sigma}_{unit}"] * per)[1:], rtol=1e-6)
    np.testing.assert_allclose(lower[0], (table[f"upper_{sigma}_{unit}"] * per)[0], atol=1e-7)


def _labels(below: dict[float, np.ndarray], above: dict[float, np.ndarray]) -> np.ndarray:
    label = np.full(len(below[0.95]), "Not significant", dtype=object)
    for level, tail in ((0.95, "0.025"), (0.998, "0.001")):
        label[below[level]] = f"Low ({tail})"
        label[above[level]] = f"High ({tail})"
    return label


def test_published_significance_of_proportions() -> None:
    table = pd.read_csv(reference("phe_funnel_prop_own_input.csv"))
    baseline = table["numerator"].sum() / table["denominator"].sum()
    ends = {level: intervals.wilson(table["numerator"], table["denominator"], level) for level in LEVELS.values()}
    label = _labels({k: v[1] < baseline for k, v in ends.items()}, {k: v[0] > baseline for k, v in ends.items()})
    assert list(label) == list(table["significance"])


def test_published_significance_of_ratios() -> None:
    table = pd.read_csv(reference("phe_funnel_ratio_own_input.csv"))
    ends = {level: intervals.poisson_exact(table["obs"], level) for level in LEVELS.values()}
    due = table["expected"].to_numpy()
    label = _labels({k: v[1] < due for k, v in ends.items()}, {k: v[0] > due for k, v in ends.items()})
    assert list(label) == list(table["significance"])


@pytest.mark.parametrize(
    "column", ["crude_per_100000_without_0", "crude_per_100000_with_0", "dsr_per_100000_without_0"]
)
def test_published_significance_of_rates(column: str) -> None:
    table = pd.read_csv(reference("phe_funnel_rate_significance_own.csv"))
    table = table if column.endswith("with_0") else table[table["count"] > 0]
    rate = table["rate_dsr" if column.startswith("dsr") else "rate_crude_per_100000"]
    people = (table["count"] / rate).where(rate > 0, table["pop"] / 100_000)
    due = (people * table["count"].sum() / people.sum()).to_numpy()
    ends = {level: intervals.poisson_exact(table["count"], level) for level in LEVELS.values()}
    label = _labels({k: v[1] < due for k, v in ends.items()}, {k: v[0] > due for k, v in ends.items()})
    assert list(label) == list(table[column])
