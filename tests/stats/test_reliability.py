"""Reliability, what it takes, and passing movement: definitions, limits, known truth and one real table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gpvar.errors import StatsError
from gpvar.stats import reliability
from tests.support import shared

variance = st.floats(1e-4, 10.0)
share = st.floats(0.01, 0.99)


def test_reliability_is_the_share_of_what_lasts() -> None:
    np.testing.assert_allclose(reliability.reliability(0.3, [0.1, 0.3, 0.0], [0.2, 0.0, 0.0]), [0.5, 0.5, 1.0])
    assert reliability.reliability(0.0, 0.1) == 0.0


def test_reliability_is_not_known_where_nothing_varies_or_a_value_is_missing() -> None:
    assert np.isnan(reliability.reliability(0.0, 0.0))
    assert np.isnan(reliability.reliability([0.1], [np.nan])).all()


@settings(deadline=None, derandomize=True)
@given(between=variance, unit=st.floats(0.1, 1000.0), target=share, transient=st.floats(0.0, 1.0))
def test_the_denominator_needed_reaches_the_target(
    between: float, unit: float, target: float, transient: float
) -> None:
    size = float(reliability.needed(between, unit, target, transient))
    top = float(reliability.ceiling(between, transient))
    if np.isnan(size):
        assert top <= target * (1.0 + 1e-9)
    else:
        assert reliability.reliability(between, unit / size, transient) == pytest.approx(target, rel=1e-6)


def test_no_denominator_is_enough_where_passing_movement_forbids_it() -> None:
    sizes = reliability.needed(0.2, 4.0, [0.7, 0.9], transient=0.05)
    assert sizes[0] == pytest.approx(4.0 / (0.2 * 3.0 / 7.0 - 0.05))
    assert np.isnan(sizes[1])
    assert reliability.ceiling(0.2, 0.05) == pytest.approx(0.8)
    assert np.isnan(reliability.needed(0.0, 4.0))


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("k", [1, 2, 12, 40])
def test_the_mean_of_periods_varies_as_their_covariances_say(k: int, rho: float) -> None:
    covariance = rho ** np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    np.testing.assert_allclose(reliability.averaging_factor(k, rho), covariance.mean(), rtol=1e-9)


def test_months_taken_as_independent_understate_their_movement() -> None:
    year = reliability.averaging_factor(12, 0.5) / reliability.averaging_factor(12, 0.0)
    assert 2.5 < year < 3.0


def test_spearman_brown_is_the_classic_formula_for_independent_periods() -> None:
    r, k = 0.4, np.array([1, 2, 5, 12])
    np.testing.assert_allclose(reliability.spearman_brown(r, k), k * r / (1.0 + (k - 1.0) * r))
    np.testing.assert_allclose(reliability.spearman_brown([0.0, 1.0], 12), [0.0, 1.0])
    np.testing.assert_allclose(reliability.spearman_brown(r, 1, rho=0.8), r)


@settings(deadline=None, derandomize=True)
@given(r=share, target=share, rho=st.sampled_from([-0.5, 0.0, 0.5, 0.9]))
def test_periods_needed_are_the_fewest_that_reach_the_target(r: float, target: float, rho: float) -> None:
    k = float(reliability.periods_needed(r, target, rho))
    if np.isnan(k):
        assert reliability.spearman_brown(r, 1200, rho) < target
        return
    assert reliability.spearman_brown(r, k, rho) >= target * (1.0 - 1e-9)
    if k > 1:
        assert (reliability.spearman_brown(r, np.arange(1, k), rho) < target).all()


def test_no_number_of_periods_helps_where_nothing_lasts() -> None:
    found = reliability.periods_needed([0.0, 0.7, 1.0], 0.7)
    np.testing.assert_array_equal(found, [np.nan, 1.0, 1.0])


@pytest.mark.parametrize("tail", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("r", [-0.3, 0.0, 0.5, 0.914])
def test_staying_in_the_tail_is_a_bivariate_normal_probability(r: float, tail: float) -> None:
    cut = stats.norm.ppf(tail)
    both = stats.multivariate_normal.cdf([cut, cut], cov=[[1.0, r], [r, 1.0]])
    np.testing.assert_allclose(reliability.stay_in_tail(r, tail), both / tail, atol=1e-7)


def test_staying_in_the_tail_at_the_ends() -> None:
    np.testing.assert_allclose(reliability.stay_in_tail([-1.0, 0.0, 1.0], 0.1), [0.0, 0.1, 1.0], atol=1e-12)


def test_counted_stay_agrees_with_the_normal_one_for_normal_values() -> None:
    one, other = np.random.default_rng(5).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=200_000).T
    assert reliability.observed_stay(one, other) == pytest.approx(float(reliability.stay_in_tail(0.8)), abs=0.01)
    assert reliability.observed_stay(one, one) == 1.0
    assert reliability.observed_stay(one, -one) == 0.0


def movement(
    seed: int, *, units: int = 3000, between: float = 0.25, v: float = 0.04, rho: float = 0.0, s2: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Twelve months of units with lasting differences and AR(1) movement: the first month, and the mean of the rest."""
    rng = np.random.default_rng(seed)
    months = np.empty((12, units))
    months[0] = rng.normal(0.0, np.sqrt(v), units)
    for month in range(1, 12):
        months[month] = rho * months[month - 1] + rng.normal(0.0, np.sqrt(v * (1.0 - rho**2)), units)
    months += rng.normal(0.0, np.sqrt(between), units) + np.linspace(-0.2, 0.2, 12)[:, None]
    seen = months + rng.normal(0.0, np.sqrt(s2), months.shape)
    return seen[0], seen[1:].mean(axis=0)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_passing_movement_is_found_when_its_correlation_is_known(rho: float) -> None:
    first, rest = movement(5, rho=rho)
    found = reliability.transient_variance(first, rest, 0.01, 0.01 / 11.0, rho=rho)
    assert abs(found.v - 0.04) < 3.0 * found.se
    assert abs(found.v_robust - 0.04) < 3.0 * found.se_robust
    assert found.between == pytest.approx(0.25, rel=0.1)
    assert found.factor == pytest.approx(np.var(first - rest) / 0.04 - 0.01 * (12.0 / 11.0) / 0.04, rel=0.1)


def test_movement_taken_as_independent_is_understated_when_months_carry_over() -> None:
    first, rest = movement(6, rho=0.8)
    plain, aware = (reliability.transient_variance(first, rest, 0.01, 0.01 / 11.0, rho=rho) for rho in (0.0, 0.8))
    assert plain.v < aware.v
    assert plain.of_mean(12) < 0.5 * aware.of_mean(12)


def test_standard_errors_are_those_of_repeated_worlds() -> None:
    found = [
        reliability.transient_variance(*movement(seed, units=400), 0.01, 0.01 / 11.0, rho=0.0) for seed in range(300)
    ]
    for value, error in (("v", "se"), ("v_robust", "se_robust")):
        spread = np.std([getattr(each, value) for each in found])
        assert np.mean([getattr(each, error) for each in found]) == pytest.approx(spread, rel=0.2)


def test_units_that_change_for_good_hardly_move_the_robust_variance() -> None:
    first, rest = movement(7)
    shifted = rest.copy()
    shifted[:90] += 3.0
    before, after = (reliability.transient_variance(first, each, 0.01, 0.01 / 11.0) for each in (rest, shifted))
    assert after.v > 4.0 * before.v
    assert after.v_robust == pytest.approx(before.v_robust, rel=0.12)


def test_movement_no_larger_than_sampling_is_none() -> None:
    first, rest = movement(8, v=0.0)
    found = reliability.transient_variance(first, rest, 0.02, 0.01)
    assert found.v == 0.0
    assert found.v_robust == 0.0
    assert found.se > 0.0


def test_stretches_can_be_taken_in_either_order() -> None:
    first, rest = movement(9, rho=0.5)
    one = reliability.transient_variance(first, rest, 0.01, 0.001, periods=(1, 11), rho=0.5)
    other = reliability.transient_variance(rest, first, 0.001, 0.01, periods=(11, 1), rho=0.5)
    assert one.v == pytest.approx(other.v)
    assert one.factor == pytest.approx(other.factor)


def test_a_transient_is_told_as_one_row() -> None:
    row = reliability.transient_variance(*movement(5), 0.01, 0.001).to_frame()
    assert list(row.loc[0, ["periods", "units"]]) == ["1 and 11", 3000]


@pytest.mark.parametrize(
    ("r", "rule"), [(0.69, "none"), (0.7, "interval"), (0.899, "interval"), (0.9, "full"), (np.nan, "none")]
)
def test_what_reliability_lets_one_say_about_a_rank(r: float, rule: str) -> None:
    assert reliability.rank_rule(r) == rule
    assert list(reliability.rank_rules([r])) == [rule]


@pytest.fixture(scope="module")
def april() -> dict[str, np.ndarray]:
    """Same-day share on the logit scale in April 2025 and in the other eleven months, with sampling variances."""
    month = pd.read_csv(shared("data", "joined", "appointments_april_2025_wide.csv.gz"))
    month.columns = [" ".join(name.split()) for name in month.columns]
    first = month.columns.get_loc("Same Day")
    month["n"] = month.iloc[:, first : first + 8].sum(axis=1)
    year = pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"))
    year = year[year["mean_monthly_list_size"] >= 1000]
    both = year.merge(month, left_on="practice_code", right_on="GP_CODE", validate="1:1")
    found = {}
    for name, seen, of in (
        ("april", both["Same Day"], both["n"]),
        ("rest", both["gpad_annual_same_day"] - both["Same Day"], both["gpad_annual_total_appointments"] - both["n"]),
    ):
        share = (seen + 0.5) / (of + 1.0)
        found[name] = np.log(share / (1.0 - share)).to_numpy()
        found[f"{name} sampling"] = (1.0 / (of * share * (1.0 - share))).to_numpy()
    return found


def test_april_against_the_rest_of_the_year_in_england(april: dict[str, np.ndarray]) -> None:
    found = reliability.transient_variance(
        april["april"], april["rest"], april["april sampling"], april["rest sampling"]
    )
    assert found.units > 6000
    assert round(found.sd_difference, 2) == 0.21
    assert round(found.sd_difference_robust, 2) == 0.16
    assert round(found.correlation, 3) == 0.914
    assert np.sqrt(np.mean(april["april sampling"])) == pytest.approx(0.04, abs=0.005)
    assert np.mean(np.abs(april["april"] - april["rest"]) > 0.5) == pytest.approx(0.036, abs=0.0005)


def test_a_quarter_of_one_months_bottom_tenth_is_not_in_that_of_the_rest(april: dict[str, np.ndarray]) -> None:
    assert round(1.0 - reliability.observed_stay(april["april"], april["rest"]), 2) == 0.24


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: reliability.reliability(-0.1, 0.1), "between, row 1: -0.1"),
        (lambda: reliability.reliability(0.1, ["many"]), "sampling holds something that is not a number"),
        (lambda: reliability.needed(0.1, 4.0, 0.0), "A target lies between 0 and 1"),
        (lambda: reliability.needed(0.1, 4.0, 70), "A target lies between 0 and 1"),
        (lambda: reliability.spearman_brown(1.2, 12), "A reliability lies between 0 and 1"),
        (lambda: reliability.spearman_brown(0.5, 0), "whole number of 1 or more"),
        (lambda: reliability.spearman_brown(0.5, 1.5), "periods, row 1: 1.5"),
        (lambda: reliability.spearman_brown(0.5, 12, rho=1.0), "rho must lie between"),
        (lambda: reliability.stay_in_tail(1.1), "A correlation lies between"),
        (lambda: reliability.stay_in_tail(0.5, 0.9), "at most half"),
        (lambda: reliability.observed_stay([1, 2, 3], [1, 2]), "the same units"),
        (lambda: reliability.transient_variance([1, 2, np.nan], [1, 2, 3], 0.1, 0.1), "first, row 3"),
        (lambda: reliability.transient_variance([1, 2, 3], [1, 2, 3], [0.1, 0.1], 0.1), "one value per unit"),
        (lambda: reliability.transient_variance([1, 2, 3], [1, 2, 3], [0.1, np.nan, 1], 0.1), "sampling_first, row 2"),
        (lambda: reliability.transient_variance([1, 2, 3], [1, 2, 3], 0.1, 0.1, periods=(1, 2, 3)), "two numbers"),
    ],
)
def test_what_has_no_reliability_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
