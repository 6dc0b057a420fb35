"""Ranks from draws and from estimates: what they mean, what never changes them, and what is refused."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gpvar.errors import StatsError
from gpvar.stats import ranks


def some_draws(seed: int, n: int = 400, units: int = 30, digits: int = 8) -> np.ndarray:
    """Draws of units with different means and spreads; few digits make ties."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(rng.normal(size=units), rng.uniform(0.1, 1.5, units), (n, units)), digits)


@pytest.mark.parametrize("digits", [8, 0])
def test_median_and_interval_are_those_of_the_mean_ranks_of_each_draw(digits: int) -> None:
    draws = some_draws(1, digits=digits)
    found = ranks.from_draws(draws, level=0.9)
    each = np.sort(stats.rankdata(draws, axis=1), axis=0)
    np.testing.assert_array_equal(found["rank_median"], np.median(each, axis=0))
    np.testing.assert_array_equal(found["rank_lower"], each[20])
    np.testing.assert_array_equal(found["rank_upper"], each[-21])


def test_tails_are_counted_draw_by_draw() -> None:
    draws = some_draws(2)
    found = ranks.from_draws(draws, tail=0.1)
    each = stats.rankdata(draws, axis=1)
    np.testing.assert_allclose(found["p_bottom"], (each <= 3).mean(axis=0))
    np.testing.assert_allclose(found["p_top"], (each >= 28).mean(axis=0))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), digits=st.sampled_from([0, 1, 8]), tail=st.sampled_from([0.1, 0.2, 0.5]))
def test_negation_turns_the_ranks_round(seed: int, digits: int, tail: float) -> None:
    draws = some_draws(seed, n=50, units=17, digits=digits)
    up, down = (ranks.from_draws(sign * draws, tail=tail) for sign in (1.0, -1.0))
    np.testing.assert_array_equal(down["rank_median"], 18 - up["rank_median"])
    np.testing.assert_array_equal(down["rank_lower"], 18 - up["rank_upper"])
    np.testing.assert_array_equal(down["rank_upper"], 18 - up["rank_lower"])
    np.testing.assert_allclose(down["p_bottom"], up["p_top"], atol=1e-12)
    np.testing.assert_allclose(down["p_top"], up["p_bottom"], atol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), digits=st.sampled_from([0, 1, 8]), units=st.integers(2, 40))
def test_every_place_in_a_tail_is_taken_once(seed: int, digits: int, units: int) -> None:
    found = ranks.from_draws(some_draws(seed, n=30, units=units, digits=digits), tail=0.1)
    count = ranks.tail_size(units, 0.1)
    assert found["p_bottom"].sum() == pytest.approx(count)
    assert found["p_top"].sum() == pytest.approx(count)
    assert (found["rank_lower"] <= found["rank_median"]).all()
    assert (found["rank_median"] <= found["rank_upper"]).all()


def test_a_scale_that_keeps_the_order_keeps_the_ranks() -> None:
    draws = some_draws(3)
    pd.testing.assert_frame_equal(ranks.from_draws(draws), ranks.from_draws(np.exp(2.0 * draws) - 7.0))


def test_units_that_cannot_be_told_apart_share_the_middle() -> None:
    found = ranks.from_draws(np.zeros((50, 20)))
    assert (found[["rank_median", "rank_lower", "rank_upper"]] == 10.5).all(axis=None)
    np.testing.assert_allclose(found[["p_bottom", "p_top"]], 0.1)


def all_ranks(draws: np.ndarray) -> np.ndarray:
    return np.sort(stats.rankdata(draws, axis=1), axis=0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-310, 1e-6, 1.0, 1e300]), shift=st.sampled_from([0.0, 1.0]))
def test_values_that_differ_in_their_last_digit_alone_are_told_apart(seed: int, size: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(-20, 20, (40, 25))
    draws = shift * size + steps * np.spacing(shift * size)
    wanted = all_ranks(steps)
    found = ranks.from_draws(draws, level=0.9)
    np.testing.assert_array_equal(found["rank_median"], np.median(wanted, axis=0))
    np.testing.assert_array_equal(found["rank_lower"], wanted[2])
    assert found["p_bottom"].sum() == pytest.approx(3.0)


def test_zero_and_minus_zero_are_tied() -> None:
    found = ranks.from_draws(np.array([[0.0, -0.0, 1.0, -1.0]] * 2))
    np.testing.assert_array_equal(found["rank_median"], [2.5, 2.5, 4.0, 1.0])


@pytest.mark.parametrize("tail", [0.1, 0.5])
def test_places_in_a_tail_are_shared_by_those_tied_at_its_end(tail: float) -> None:
    draws = some_draws(11, n=60, units=40, digits=0)
    found, count = ranks.from_draws(draws, tail=tail), ranks.tail_size(40, tail)
    lower = (draws[:, None, :] < draws[:, :, None]).sum(axis=2)
    tied = (draws[:, None, :] == draws[:, :, None]).sum(axis=2)
    np.testing.assert_allclose(found["p_bottom"], (np.clip(count - lower, 0, tied) / tied).mean(axis=0))
    np.testing.assert_allclose(found["p_top"], (np.clip(lower + tied - 40 + count, 0, tied) / tied).mean(axis=0))


def test_draws_of_32_bit_have_the_ranks_of_the_same_values_in_64() -> None:
    draws = some_draws(12, units=2000, n=100).astype(np.float32)
    assert any(len(np.unique(row)) < 2000 for row in draws)
    pd.testing.assert_frame_equal(ranks.from_draws(draws), ranks.from_draws(draws.astype(np.float64)))


def test_more_units_than_16_bit_can_rank_are_ranked() -> None:
    draws = np.random.default_rng(13).permuted(np.tile(np.arange(70_000.0), (3, 1)), axis=1)
    np.testing.assert_array_equal(ranks.from_draws(draws)["rank_median"], np.median(draws, axis=0) + 1.0)


def test_units_asked_for_are_ranked_among_all() -> None:
    draws = pd.DataFrame(some_draws(14, digits=1)).add_prefix("unit ")
    every = ranks.from_draws(draws)
    pd.testing.assert_frame_equal(ranks.from_draws(draws, units=[20, 3]), every.iloc[[20, 3]])
    pd.testing.assert_frame_equal(
        ranks.from_draws(draws.to_numpy(), units=[7]).reset_index(drop=True), every.iloc[[7]].reset_index(drop=True)
    )


@pytest.mark.parametrize("digits", [8, 0])
@pytest.mark.parametrize("tail", [0.1, 0.25, 0.5])
def test_the_place_of_one_unit_is_its_row_of_all(digits: int, tail: float) -> None:
    draws = some_draws(15, digits=digits).astype(np.float32)
    every = ranks.from_draws(draws, tail=tail)
    for unit in range(0, 30, 4):
        low, high = (ranks.place(draws, unit, tail, top=top) for top in (False, True))
        assert (low.rank_median, low.rank_lower, low.rank_upper, low.units) == (
            *every.loc[unit, ["rank_median", "rank_lower", "rank_upper"]], 30
        )  # fmt: skip
        assert (low.p, high.p) == pytest.approx((every.loc[unit, "p_bottom"], every.loc[unit, "p_top"]), abs=1e-12)


def test_a_tail_of_more_than_half_is_what_the_other_tail_leaves() -> None:
    draws = some_draws(16)
    for unit in (0, 13):
        rest = ranks.place(draws, unit, 0.3, top=True)
        assert ranks.place(draws, unit, 0.7).p == pytest.approx(1.0 - rest.p)


def test_labels_of_the_units_are_kept() -> None:
    draws = pd.DataFrame(some_draws(4, units=3), columns=pd.Index(["a", "b", "c"], name="unit"))
    assert ranks.from_draws(draws).index.equals(draws.columns)
    modes = pd.Series([0.0, 1.0], index=["a", "b"])
    assert list(ranks.expected_rank(modes, [1.0, 1.0]).index) == ["a", "b"]


@pytest.mark.parametrize(("units", "size"), [(120, 12), (54, 6), (80, 8), (6032, 604), (3, 1)])
def test_a_tenth_holds_the_next_whole_number_of_units(units: int, size: int) -> None:
    assert ranks.tail_size(units, 0.1) == size


def test_a_country_of_draws_takes_little_memory() -> None:
    draws = np.random.default_rng(5).standard_normal((2000, 6200))
    tracemalloc.start()
    found = ranks.from_draws(draws)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
    assert len(found) == 6200


@pytest.mark.parametrize("spread", ["some", "none for half", "none"])
def test_expected_rank_is_one_plus_the_probabilities_of_the_others_being_lower(spread: str) -> None:
    rng = np.random.default_rng(6)
    mode, variance = np.round(rng.normal(size=600), 2), rng.uniform(0.1, 2.0, 600)
    if spread != "some":
        variance[: 300 if spread == "none for half" else 600] = 0.0
    found = ranks.expected_rank(mode, variance)
    wanted = np.ones(600)
    for one in range(600):
        others = np.arange(600) != one
        gap, scale = mode[one] - mode[others], np.sqrt(variance[one] + variance[others])
        certain = np.where(gap == 0.0, 0.5, (gap > 0.0).astype(float))
        wanted[one] += np.where(scale > 0, stats.norm.cdf(gap / np.where(scale > 0, scale, 1.0)), certain).sum()
    np.testing.assert_allclose(found["expected_rank"], wanted, rtol=1e-10)
    np.testing.assert_allclose(found["percentile"], 100.0 * (wanted - 0.5) / 600.0, rtol=1e-10)


def test_expected_ranks_of_exactly_known_units_are_their_ranks() -> None:
    mode = np.array([3.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(ranks.expected_rank(mode, np.zeros(4))["expected_rank"], stats.rankdata(mode))


def test_expected_ranks_close_up_as_less_is_known() -> None:
    mode = np.linspace(-1.0, 1.0, 11)
    widths = [np.ptp(ranks.expected_rank(mode, np.full(11, v))["expected_rank"]) for v in (0.0, 0.1, 1.0, 100.0)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 10.0
    assert widths[-1] < 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ranks.from_draws(np.zeros(5)), "a row per draw"),
        (lambda: ranks.from_draws(np.zeros((5, 1))), "two units or more"),
        (lambda: ranks.from_draws(np.zeros((5, 3)), level=95), "Did you mean 0.95"),
        (lambda: ranks.from_draws(np.zeros((5, 3)), tail=0.0), "at most half"),
        (lambda: ranks.from_draws(np.zeros((5, 3)), tail=10), "at most half"),
        (lambda: ranks.from_draws(pd.DataFrame({"A1": [1.0, 2.0], "A2": [1.0, np.nan]})), "unit A2"),
        (lambda: ranks.from_draws(np.zeros((5, 3)), units=[3]), "no such column"),
        (lambda: ranks.from_draws(np.zeros((5, 3)), units=[-1]), "units, row 1: -1"),
        (lambda: ranks.from_draws(np.zeros((5, 3)), units=[True]), "numbers of columns"),
        (lambda: ranks.from_draws([["a", "b"], ["c", "d"]]), "not a number"),
        (lambda: ranks.place(np.zeros((5, 3)), 3, 0.1), "no such column"),
        (lambda: ranks.place(np.zeros((5, 3)), 0, 1.0), "a part of the units"),
        (lambda: ranks.place(np.zeros((5, 3)), 0, 0.0), "a part of the units"),
        (lambda: ranks.expected_rank([1.0, 2.0], [1.0]), "the same units"),
        (lambda: ranks.expected_rank([1.0, np.nan], [1.0, 1.0]), "row 2"),
        (lambda: ranks.expected_rank([1.0, 2.0], [1.0, -1.0]), "row 2: -1"),
        (lambda: ranks.expected_rank([1.0, 2.0], [np.inf, 1.0]), "row 1"),
    ],
)
def test_what_has_no_ranks_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
