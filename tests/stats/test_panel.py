"""Passing movement from many periods: known worlds, what it cannot tell, and what is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpvar.errors import StatsError
from gpvar.stats import reliability
from gpvar.stats.reliability import PanelTransient

BETWEEN, V, S2 = 0.25, 0.04, 0.01
WORLDS = 200


def world(
    seed: int, rho: float, units: int = 500, periods: int = 12, v: float = V, missing: float = 0.0, s2: float = S2
) -> np.ndarray:
    """Figures of units with lasting differences and AR(1) movement, a season, and sampling."""
    rng = np.random.default_rng(seed)
    moved = np.empty((units, periods))
    moved[:, 0] = rng.normal(0.0, np.sqrt(v), units)
    for period in range(1, periods):
        moved[:, period] = rho * moved[:, period - 1] + rng.normal(0.0, np.sqrt(v * (1.0 - rho**2)), units)
    lasting = rng.normal(0.0, np.sqrt(BETWEEN), (units, 1))
    seen = lasting + moved + rng.normal(0.0, 0.3, periods) + rng.normal(0.0, np.sqrt(s2), moved.shape)
    seen[rng.random(seen.shape) < missing] = np.nan
    return seen


@cache
def worlds(rho: float, periods: int = 12, missing: float = 0.0, count: int = WORLDS) -> list[PanelTransient]:
    return [
        reliability.transient_from_panel(world(seed, rho, periods=periods, missing=missing), S2)
        for seed in range(count)
    ]


def told(found: list[PanelTransient], name: str) -> np.ndarray:
    return np.array([getattr(each, name) for each in found])


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_movement_of_a_period_and_lasting_differences_are_found_without_bias(rho: float) -> None:
    found = worlds(rho)
    for name, truth in (("v", V), ("between", BETWEEN)):
        values = told(found, name)
        assert abs(values.mean() - truth) < 3.0 * values.std(ddof=1) / np.sqrt(WORLDS)
    assert told(found, "identified").all()


def test_the_correlation_of_periods_and_movement_of_their_mean_are_found_without_bias() -> None:
    found = worlds(0.5)
    year = np.array([float(each.of_mean(12)) for each in found])
    for values, truth in ((told(found, "rho"), 0.5), (year, V * reliability.averaging_factor(12, 0.5))):
        assert abs(values.mean() - truth) < 3.0 * values.std(ddof=1) / np.sqrt(WORLDS)


def test_standard_errors_are_those_of_repeated_worlds() -> None:
    found = worlds(0.5)
    for value, error in (("v", "se"), ("rho", "se_rho"), ("between", "se_between")):
        assert told(found, error).mean() == pytest.approx(told(found, value).std(ddof=1), rel=0.15)
    year, error = (np.array([float(getattr(each, name)(12)) for each in found]) for name in ("of_mean", "se_of_mean"))
    assert error.mean() == pytest.approx(year.std(ddof=1), rel=0.15)


def test_months_taken_as_independent_understate_the_movement_of_a_year_threefold() -> None:
    naive = []
    for seed in range(WORLDS):
        away = world(seed, 0.5)
        naive.append((np.var(away - away.mean(axis=0), axis=1, ddof=1).mean() - S2) / 12.0)
    year = np.mean([float(each.of_mean(12)) for each in worlds(0.5)])
    assert year / np.mean(naive) == pytest.approx(3.15, abs=0.1)


def test_missing_figures_cost_precision_and_nothing_else() -> None:
    whole, holes = worlds(0.5, count=40), worlds(0.5, missing=0.2, count=40)
    for name, truth in (("v", V), ("rho", 0.5), ("between", BETWEEN)):
        values = told(holes, name)
        assert abs(values.mean() - truth) < 3.0 * values.std(ddof=1) / np.sqrt(40.0)
    assert told(whole, "se").mean() < told(holes, "se").mean() < 1.3 * told(whole, "se").mean()


def test_the_range_of_the_correlation_holds_the_truth_as_often_as_it_says() -> None:
    ends = told(worlds(0.8, periods=5), "rho_range")
    assert 0.90 < ((ends[:, 0] <= 0.8) & (ends[:, 1] >= 0.8)).mean() < 0.99


@pytest.mark.parametrize(("periods", "rho"), [(3, 0.8), (5, 0.9)])
def test_a_panel_no_longer_than_its_movement_lasts_says_that_it_cannot_tell(periods: int, rho: float) -> None:
    found = worlds(rho, periods=periods, count=80)
    assert told(found, "identified").mean() < 0.05
    # Why it must say so: what it would give is too large on average, and could be anything.
    assert told(found, "v").mean() > 1.5 * V
    assert np.ptp(told(found, "v")) > 3.0 * V
    assert (told(found, "v_range")[:, 1] > 2.0 * V).mean() > 0.8


def test_half_the_variance_of_differences_is_what_the_lags_hold() -> None:
    values, noise = world(3, 0.5, units=80, periods=5, missing=0.1), np.full((80, 5), S2)
    noise[:, 2] = 3.0 * S2
    found = reliability.transient_from_panel(values, noise)
    assert sorted(found.by_lag) == [1, 2, 3, 4]
    gaps = values[:, 3] - values[:, 0], values[:, 4] - values[:, 1]
    sizes = [np.isfinite(gap).sum() for gap in gaps]
    halves = [np.nanvar(gap, ddof=1) / 2.0 - S2 for gap in gaps]
    assert found.by_lag[3] == pytest.approx(np.average(halves, weights=sizes))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), rho=st.sampled_from([0.0, 0.5, 0.9]), scale=st.sampled_from([0.1, 7.0]))
def test_what_every_unit_or_every_period_has_in_common_changes_nothing(seed: int, rho: float, scale: float) -> None:
    values = world(seed, rho, units=60, periods=6, missing=0.05)
    rng = np.random.default_rng(seed)
    one = reliability.transient_from_panel(values, S2)
    moved = rng.permutation(values + rng.normal(0.0, 3.0, (60, 1)) + rng.normal(0.0, 3.0, 6))
    other = reliability.transient_from_panel(scale * moved, scale**2 * S2)
    assert other.v == pytest.approx(scale**2 * one.v, rel=1e-3)
    assert other.rho == pytest.approx(one.rho, abs=1e-4)
    assert other.v_robust == pytest.approx(scale**2 * one.v_robust, rel=1e-3)
    assert other.identified == one.identified


def test_a_period_that_nobody_has_keeps_its_place_in_time() -> None:
    values = world(11, 0.7, units=4000)
    values[:, 5] = np.nan
    found = reliability.transient_from_panel(values, S2)
    squeezed = reliability.transient_from_panel(np.delete(values, 5, axis=1), S2)
    assert abs(found.rho - 0.7) < 3.0 * found.se_rho
    assert squeezed.rho < found.rho
    assert found.periods == 12


def test_units_that_change_for_good_hardly_move_the_robust_values() -> None:
    values = world(12, 0.5, units=3000)
    changed = values.copy()
    changed[:90, 6:] += 3.0
    before, after = (reliability.transient_from_panel(each, S2) for each in (values, changed))
    assert abs(before.v_robust - V) < 0.1 * V
    assert after.v > 2.0 * before.v
    assert after.v_robust == pytest.approx(before.v_robust, rel=0.12)
    assert float(after.of_mean(12, robust=True)) == pytest.approx(float(before.of_mean(12, robust=True)), rel=0.2)


def test_two_stretches_say_the_same_when_they_know_the_correlation() -> None:
    values = world(13, 0.5, units=4000)
    found = reliability.transient_from_panel(values, S2)
    stretches = reliability.transient_variance(
        values[:, 0], values[:, 1:].mean(axis=1), S2, S2 / 11.0, (1, 11), rho=found.rho
    )
    assert abs(found.v - stretches.v) < 3.0 * np.hypot(found.se, stretches.se)
    assert found.between == pytest.approx(stretches.between, rel=0.05)


def test_movement_no_larger_than_sampling_is_none() -> None:
    found = reliability.transient_from_panel(world(14, 0.0, v=0.0), 1.1 * S2)
    assert found.v == 0.0
    assert found.rho == 0.0
    assert np.isnan(found.se_rho)
    assert found.identified
    assert found.between == pytest.approx(BETWEEN, rel=0.2)
    assert found.se_of_mean(12) > 0.0
    still = reliability.transient_from_panel(world(15, 0.0, v=0.0, s2=0.0), 0.0)
    assert still.v < 1e-12


def test_a_panel_is_told_as_one_row() -> None:
    found = reliability.transient_from_panel(world(16, 0.5), S2)
    row = found.to_frame().loc[0]
    assert (row["units"], row["periods"]) == (500, 12)
    assert row["rho_lower"] < found.rho < row["rho_upper"]
    assert row["v_lower"] < found.v < row["v_upper"]
    low, high = found.range_of_mean(12)
    assert low < found.of_mean(12) < high


panel = reliability.transient_from_panel
SOUND = world(1, 0.5, units=9, periods=4)
SPOT = np.arange(36).reshape(9, 4) == 18


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: panel(SOUND[:, 0], S2), "a column per period"),
        (lambda: panel(SOUND[:, :2], S2), "use transient_variance"),
        (lambda: panel(SOUND, [S2] * 9), "one variance per figure"),
        (lambda: panel(SOUND, -S2), "sampling, row 1"),
        (lambda: panel(SOUND, np.where(SPOT, np.nan, S2)), "sampling, row 5"),
        (lambda: panel(np.where(SPOT, np.inf, SOUND), S2), "values, row 5"),
        (lambda: panel(SOUND[:2], S2), "8 figures of 2 units in 4 periods"),
        (lambda: panel(np.where(np.arange(4) < 2, SOUND, np.nan), S2), "three periods or more"),
        (lambda: panel([["a", "b", "c"]], S2), "not a number"),
    ],
)
def test_what_is_no_panel_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
