"""Many looked at at once: adjusted p-values, and how many of many are red when nothing differs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from gpvar.errors import StatsError
from gpvar.stats import multiplicity


def test_of_33_independent_indicators_82_practices_in_100_are_outside_95_limits_somewhere() -> None:
    assert multiplicity.at_least(1, 33, 0.05) == pytest.approx(1 - 0.95**33, abs=1e-12)
    assert round(multiplicity.at_least(1, 33, 0.05), 2) == 0.82


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("k", [0, 1, 3, 6, 33])
def test_independent_indicators_are_binomial(k: int, sides: int) -> None:
    assert multiplicity.at_least(k, 33, 0.1, sides=sides) == pytest.approx(stats.binom.sf(k - 1, 33, 0.1), abs=1e-12)


def test_with_all_indicators_the_same_one_is_red_as_often_as_all_are() -> None:
    for sides in (1, 2):
        assert multiplicity.at_least(1, 33, 0.05, 1.0, sides=sides) == pytest.approx(0.05)
        assert multiplicity.at_least(33, 33, 0.05, 1.0, sides=sides) == pytest.approx(0.05)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("correlation", [0.1, 0.4, 0.8])
def test_the_number_expected_does_not_depend_on_how_indicators_go_together(correlation: float, sides: int) -> None:
    expected = sum(multiplicity.at_least(k, 20, 0.05, correlation, sides=sides) for k in range(1, 21))
    assert expected == pytest.approx(20 * 0.05, abs=1e-6)


@pytest.mark.parametrize("sides", [1, 2])
def test_two_indicators_are_both_red_as_often_as_the_bivariate_normal_says(sides: int) -> None:
    cut = stats.norm.isf(0.05 / sides)
    both = stats.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]]).cdf([-cut, -cut])
    if sides == 2:
        other = stats.multivariate_normal([0, 0], [[1, -0.5], [-0.5, 1]]).cdf([-cut, -cut])
        both = 2 * both + 2 * other
    assert multiplicity.at_least(2, 2, 0.05, 0.5, sides=sides) == pytest.approx(both, abs=1e-6)


@pytest.mark.parametrize("sides", [1, 2])
def test_drawing_agrees_with_the_integral(sides: int) -> None:
    matrix = np.full((12, 12), 0.3) + 0.7 * np.eye(12)
    for k in (1, 2, 4):
        drawn = multiplicity.at_least_drawn(k, 12, 0.05, matrix, seed=5, sides=sides)
        exact = multiplicity.at_least(k, 12, 0.05, 0.3, sides=sides)
        assert abs(drawn - exact) < 4 * np.sqrt(exact * (1 - exact) / multiplicity.DRAWS)


def test_fewer_than_measured_are_a_random_choice_of_them() -> None:
    matrix = np.eye(4)
    matrix[0, 1] = matrix[1, 0] = 1.0
    drawn = multiplicity.at_least_drawn(2, 2, 0.05, matrix, seed=5, sides=1)
    # One pair in six is one indicator twice; the others are independent.
    expected = 0.05 / 6 + 5 / 6 * 0.05**2
    assert abs(drawn - expected) < 4 * np.sqrt(expected / multiplicity.DRAWS)


def test_one_side_depends_on_which_way_indicators_go_together_and_two_sides_do_not() -> None:
    same, opposite = (np.array([[1.0, r], [r, 1.0]]) for r in (0.6, -0.6))
    one = [multiplicity.at_least_drawn(2, 2, 0.05, matrix, seed=5, sides=1) for matrix in (same, opposite)]
    two = [multiplicity.at_least_drawn(2, 2, 0.05, matrix, seed=5, sides=2) for matrix in (same, opposite)]
    assert one[0] > 0.01 > one[1]
    assert two[0] == pytest.approx(two[1], rel=0.1)


def test_the_same_seed_draws_the_same() -> None:
    matrix = np.array([[1.0, 0.2], [0.2, 1.0]])
    first, again, other = (multiplicity.at_least_drawn(1, 2, 0.05, matrix, seed=s) for s in (1, 1, 2))
    assert first == again != other


def test_the_correlation_of_scores_is_that_of_rows_that_have_all() -> None:
    rng = np.random.default_rng(3)
    z = rng.multivariate_normal([0, 0, 0], [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], size=4000)
    z[::7, 2] = np.nan
    found = multiplicity.correlation(z)
    np.testing.assert_allclose(found, np.corrcoef(z[~np.isnan(z).any(axis=1)], rowvar=False))
    assert multiplicity.typical(found, sides=1) == pytest.approx(0.5 / 3, abs=0.05)
    assert multiplicity.typical(found, sides=2) == pytest.approx(0.5 / np.sqrt(3), abs=0.05)


def test_indicators_that_go_against_one_another_have_no_typical_correlation_below_nought() -> None:
    assert multiplicity.typical(np.array([[1.0, -0.4], [-0.4, 1.0]]), sides=1) == 0.0
    assert multiplicity.typical(np.array([[1.0, -0.4], [-0.4, 1.0]]), sides=2) == pytest.approx(0.4)


@pytest.mark.parametrize(("method", "theirs"), [("bh", "fdr_bh"), ("by", "fdr_by")])
def test_adjusted_p_are_those_of_statsmodels_and_what_is_missing_counts_as_no_test(method: str, theirs: str) -> None:
    p = np.random.default_rng(8).uniform(size=(40, 3)) ** 3
    p[3, 1] = np.nan
    found = multiplicity.adjusted(p, method)
    known = ~np.isnan(p)
    np.testing.assert_allclose(found[known], multipletests(p[known], method=theirs)[1])
    assert found.shape == p.shape and np.isnan(found[3, 1])


def test_without_any_difference_the_false_discovery_rate_holds() -> None:
    rng = np.random.default_rng(11)
    any_found = [(multiplicity.adjusted(rng.uniform(size=60), "bh") < 0.05).any() for _ in range(2000)]
    assert abs(np.mean(any_found) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: multiplicity.at_least(3, 2, 0.05), "More indicators are red than there are"),
        (lambda: multiplicity.at_least(-1, 2, 0.05), "More indicators are red than there are"),
        (lambda: multiplicity.at_least(1, 2, 1.5), "share"),
        (lambda: multiplicity.at_least(1, 2, 0.05, 1.2), "correlation"),
        (lambda: multiplicity.at_least(1, 2, 0.05, -0.1), "correlation"),
        (lambda: multiplicity.at_least(1, 2, 0.05, sides=3), "sides"),
        (lambda: multiplicity.at_least_drawn(1, 3, 0.05, np.eye(2), seed=1), "More indicators than were measured"),
        (lambda: multiplicity.at_least_drawn(1, 2, 0.05, np.ones((2, 3)), seed=1), "square"),
        (lambda: multiplicity.at_least_drawn(1, 2, 0.05, np.array([[1, 2], [2, 1.0]]), seed=1), "correlation"),
        (lambda: multiplicity.adjusted([0.2, 1.2], "bh"), "p-value"),
        (lambda: multiplicity.adjusted([0.2], "holm"), "method"),
        (lambda: multiplicity.correlation(np.ones((5, 2))), "correlation"),
    ],
)
def test_what_cannot_be_is_refused(call: object, problem: str) -> None:
    with pytest.raises(StatsError, match=problem):
        call()  # type: ignore[operator]
