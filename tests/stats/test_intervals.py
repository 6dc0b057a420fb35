from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpvar.errors import GpvarError, StatsError
from gpvar.stats import intervals

LEVELS = st.floats(0.5, 0.999)


def test_zero_counts_have_an_interval_that_starts_at_zero() -> None:
    for lower, upper in (
        intervals.byar(0),
        intervals.poisson_exact(0),
        intervals.rate(0, 1000),
        intervals.wilson(0, 20),
    ):
        assert lower == 0.0
        assert 0.0 < upper < 4.0
    assert intervals.poisson_exact(0)[1] == pytest.approx(-np.log(0.025))


def test_missing_stays_missing_and_is_never_zero() -> None:
    for lower, upper in (
        intervals.byar([np.nan, 5]),
        intervals.poisson_exact([np.nan, 5]),
        intervals.rate([np.nan, 5, 5], [10, np.nan, 10]),
        intervals.wilson([np.nan, 5, 5], [10, np.nan, 10]),
    ):
        assert np.isnan(lower[0]) and np.isnan(upper[0])
        assert np.isfinite(lower[-1]) and np.isfinite(upper[-1])


def test_counts_and_denominators_broadcast() -> None:
    lower, upper = intervals.wilson([[1], [5]], [10, 20, 30])
    assert lower.shape == upper.shape == (2, 3)
    assert lower[1, 2] == intervals.wilson(5, 30)[0]


def test_rate_is_exact_below_ten_and_byar_from_ten() -> None:
    assert intervals.rate(9, 2.0)[0] == intervals.poisson_exact(9)[0] / 2
    assert intervals.rate(10, 2.0)[0] == intervals.byar(10)[0] / 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: intervals.byar([1, -2]), "negative"),
        (lambda: intervals.poisson_exact(np.inf), "infinite"),
        (lambda: intervals.wilson(11, 10), "larger than its denominator"),
        (lambda: intervals.wilson(0, 0), "above zero"),
        (lambda: intervals.rate(5, -1), "above zero"),
        (lambda: intervals.byar(5, 95), "between 0 and 1"),
        (lambda: intervals.byar("many"), "not a number"),
    ],
)
def test_impossible_input_is_refused_in_three_parts(call, words: str) -> None:
    with pytest.raises(StatsError, match=words) as caught:
        call()
    assert isinstance(caught.value, GpvarError) and isinstance(caught.value, ValueError)
    assert caught.value.where and caught.value.fix


def test_a_percentage_given_as_a_level_is_answered_with_the_level_meant() -> None:
    with pytest.raises(StatsError, match=r"Did you mean 0\.998"):
        intervals.byar(5, 99.8)


def test_the_rows_at_fault_are_named() -> None:
    with pytest.raises(StatsError, match=r"row 2: -3, row 4: -1"):
        intervals.byar([1, -3, 2, -1])


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 200), st.integers(1, 200), LEVELS)
def test_wilson_of_the_complement_is_the_mirrored_interval(count: int, more: int, level: float) -> None:
    n = count + more
    lower, upper = intervals.wilson(count, n, level)
    mirrored = intervals.wilson(n - count, n, level)
    np.testing.assert_allclose([lower, upper], [1 - mirrored[1], 1 - mirrored[0]], atol=1e-12)
    assert 0 <= lower <= count / n <= upper <= 1


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10_000), LEVELS)
def test_count_intervals_hold_the_count_and_widen_with_the_level(count: int, level: float) -> None:
    for interval in (intervals.byar, intervals.poisson_exact):
        lower, upper = interval(count, level)
        wider = interval(count, 0.9995)
        assert wider[0] <= lower <= count <= upper <= wider[1]


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 500), st.floats(0.01, 1e6), st.floats(0.01, 100))
def test_a_rate_scales_with_its_unit(count: int, exposure: float, factor: float) -> None:
    one, other = intervals.rate(count, exposure), intervals.rate(count, exposure * factor)
    np.testing.assert_allclose(np.array(one) / factor, other, rtol=1e-12)
