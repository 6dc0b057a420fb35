"""Effects with something left out: against dense linear algebra, known truth, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpvar.errors import StatsError
from gpvar.stats import shrinkage

spread = st.sampled_from([0.0, 1e-4, 0.2, 3.0, 1e4])


def some_rows(seed: int, rows: int = 40) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Rows of uneven networks in uneven areas, some alone in theirs, in no order."""
    rng = np.random.default_rng(seed)
    network = rng.integers(0, 14, rows)
    area = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 4])[network]
    groups = pd.DataFrame({"area": [f"a{n}" for n in area], "network": [f"n{n}" for n in network]})
    return rng.normal(0.0, 1.0, rows), rng.uniform(0.05, 2.0, rows), groups


def by_dense_algebra(
    residual: np.ndarray, variance: np.ndarray, groups: pd.DataFrame, variances: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """One Gaussian prediction per row, from the covariance of all the others, and its variance."""
    shared = sum(
        (value * np.equal.outer(groups[name].to_numpy(), groups[name].to_numpy()) for name, value in variances.items()),
        np.zeros((len(residual), len(residual))),
    )
    found, about = np.empty((2, len(residual)))
    for row in range(len(residual)):
        others = np.isfinite(variance) & (np.arange(len(residual)) != row)
        covariance = shared[np.ix_(others, others)] + np.diag(variance[others])
        found[row] = shared[row, others] @ np.linalg.solve(covariance, residual[others])
        about[row] = shared[row, row] - shared[row, others] @ np.linalg.solve(covariance, shared[others, row])
    return found, about


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), area=spread, network=spread)
def test_place_without_the_row_is_the_prediction_from_all_other_rows(seed: int, area: float, network: float) -> None:
    residual, variance, groups = some_rows(seed)
    both = {"area": area, "network": network}
    variance[[3, 8, 20]] = np.inf
    for levels in (["area", "network"], ["network"]):
        place, asked = groups[levels], {name: both[name] for name in levels}
        found = shrinkage.leave_one_out_place(residual, variance, place, asked, with_variance=True)
        wanted = by_dense_algebra(residual, variance, place, asked)
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-8, atol=1e-10)
        # The dense variance is a difference of two large numbers.
        np.testing.assert_allclose(found[1], wanted[1], rtol=1e-8, atol=1e-10 * (1.0 + area + network))
        np.testing.assert_array_equal(shrinkage.leave_one_out_place(residual, variance, place, asked), found[0])


def test_three_levels_are_as_good_as_two() -> None:
    residual, variance, groups = some_rows(3)
    groups.insert(0, "region", groups["area"].map({"a0": "r", "a1": "r", "a2": "s", "a3": "s", "a4": "s"}))
    wanted = {"network": 0.3, "area": 0.5, "region": 0.7}
    found = shrinkage.leave_one_out_place(residual, variance, groups, wanted)
    np.testing.assert_allclose(found, by_dense_algebra(residual, variance, groups, wanted)[0], atol=1e-10)


def test_a_row_alone_in_its_network_gets_what_its_area_says() -> None:
    groups = {"area": ["a", "a", "b"], "network": ["p", "q", "r"]}
    two = {"area": 1.0, "network": 0.5}
    found, about = shrinkage.leave_one_out_place([9.0, 1.0, 5.0], 0.5, groups, two, with_variance=True)
    # One other row of the same area, known with variance 0.5 + 0.5 about it.
    np.testing.assert_allclose(found, [0.5, 4.5, 0.0])
    np.testing.assert_allclose(about, [1.0, 1.0, 1.5])


def test_the_rows_own_residual_has_no_say() -> None:
    residual, variance, groups = some_rows(5)
    both = {"area": 0.2, "network": 0.1}
    before = shrinkage.leave_one_out_place(residual, variance, groups, both)
    residual[7] += 100.0
    after = shrinkage.leave_one_out_place(residual, variance, groups, both)
    assert after[7] == pytest.approx(before[7], abs=1e-10)
    others = (groups["area"] == groups["area"][7]).to_numpy() & (np.arange(len(residual)) != 7)
    assert (after[others] > before[others] + 1.0).all()


def test_without_levels_or_differences_place_is_nothing() -> None:
    residual, variance, groups = some_rows(6)
    assert not shrinkage.leave_one_out_place(residual, variance, groups, {"area": 0.0, "network": 0.0}).any()
    assert not shrinkage.leave_one_out_place(residual, variance, {}, {}).any()
    assert shrinkage.leave_one_out_place([], [], {"area": []}, {"area": 1.0}).shape == (0,)


def test_the_order_of_the_rows_does_not_matter() -> None:
    residual, variance, groups = some_rows(7)
    both = {"area": 0.2, "network": 0.1}
    mixed = np.random.default_rng(7).permutation(len(residual))
    found = shrinkage.leave_one_out_place(residual, variance, groups, both)
    other = shrinkage.leave_one_out_place(residual[mixed], variance[mixed], groups.iloc[mixed], both)
    np.testing.assert_allclose(other, found[mixed], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_lasts_is_what_was_there_before_it_moved(dtype: type, overwrite: bool) -> None:
    rng = np.random.default_rng(8)
    v = np.array([0.0, 0.05, 0.2, 0.29, 0.4])
    kept = rng.normal(size=(40_000, 5)) * np.sqrt(np.maximum(0.3 - v, 0.0))
    draws = (kept + rng.normal(size=kept.shape) * np.sqrt(np.minimum(v, 0.3))).astype(dtype)
    before = draws.copy()
    found = shrinkage.lasting(draws, 0.3, v, seed=1, overwrite=overwrite)
    assert found.dtype == dtype
    assert (found is draws) == overwrite
    # Both halves of the joint distribution: its own variance, and its covariance with what was drawn.
    tau2 = np.maximum(0.3 - v, 0.0)
    error = 4.0 * np.sqrt(2.0 / len(draws)) * 0.3
    np.testing.assert_allclose(np.var(found, axis=0), tau2, atol=error)
    np.testing.assert_allclose((found * before).mean(axis=0), tau2, atol=error)
    np.testing.assert_array_equal(found[:, 0], before[:, 0])
    assert not found[:, 4].any()


def test_every_draw_has_its_own_variance() -> None:
    draws, sigma2 = np.ones((20_000, 2)), np.tile([0.1, 0.4], 10_000)
    found = shrinkage.lasting(draws, sigma2, 0.1, seed=2)
    assert not found[::2].any()
    assert found[1::2].mean() == pytest.approx(0.75, abs=0.01)
    assert found[1::2].var() == pytest.approx(0.3 * 0.1 / 0.4, rel=0.03)


def test_where_nothing_varies_nothing_lasts_and_labels_are_kept() -> None:
    frame = pd.DataFrame(np.zeros((3, 2)), columns=["a", "b"], index=[4, 5, 6])
    found = shrinkage.lasting(frame, 0.0, 0.0, seed=3)
    pd.testing.assert_frame_equal(found, frame)


def test_the_same_seed_gives_the_same_lasting_part_whatever_is_overwritten() -> None:
    draws = np.random.default_rng(9).normal(size=(150, 4))
    one = shrinkage.lasting(draws, 1.0, 0.2, seed=4)
    np.testing.assert_array_equal(one, shrinkage.lasting(draws.copy(), 1.0, 0.2, seed=4, overwrite=True))
    assert (one != shrinkage.lasting(draws, 1.0, 0.2, seed=5)).all()


place = shrinkage.leave_one_out_place


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: place([1.0, np.nan], 1.0, {"a": [1, 2]}, {"a": 1.0}), "residual, row 2"),
        (lambda: place([1.0, 2.0], [1.0, 0.0], {"a": [1, 2]}, {"a": 1.0}), "not above zero"),
        (lambda: place([1.0, 2.0], [1.0] * 3, {"a": [1, 2]}, {"a": 1.0}), "3 values for 2 rows"),
        (lambda: place([1.0, 2.0], 1.0, {"a": [1, 2, 3]}, {"a": 1.0}), "3 labels, 2 residuals"),
        (lambda: place([1.0, 2.0], 1.0, {"a": ["x", None]}, {"a": 1.0}), "the first is row 2"),
        (lambda: place([1.0, 2.0], 1.0, {"a": ["x", "y"], "b": [1, 1]}, {"a": 1.0, "b": 1.0}), "'b' is not nested in"),
        (lambda: place([1.0, 2.0], 1.0, {"a": [1, 2]}, {"b": 1.0}), "the same levels"),
        (lambda: place([1.0, 2.0], 1.0, {"a": [1, 2]}, {"a": -1.0}), "variance of a, row 1: -1"),
        (lambda: shrinkage.lasting(np.zeros(3), 1.0, 0.1, 1), "a row per draw"),
        (lambda: shrinkage.lasting(np.zeros((3, 2)), [1.0, 1.0], 0.1, 1), "2 values for 3 draws"),
        (lambda: shrinkage.lasting(np.zeros((3, 2)), 1.0, [0.1, np.nan], 1), "transient, row 2"),
        (lambda: shrinkage.lasting(np.zeros((3, 2)), 1.0, 0.1, True), "seed must be a whole number"),
        (lambda: shrinkage.lasting([[1, 2]], 1.0, 0.1, 1, overwrite=True), "can be overwritten"),
    ],
)
def test_what_cannot_be_left_out_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
