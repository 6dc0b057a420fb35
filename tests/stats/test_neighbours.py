"""Nearest neighbours: the same as a table of all distances, whatever the columns, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gpvar.errors import StatsError
from gpvar.stats import neighbours


def some_points(seed: int, units: int = 60, columns: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(units, columns)) @ rng.normal(size=(columns, columns)) * [1.0, 10.0, 0.01, 1e5, 1.0]


def by_all_distances(points: np.ndarray, wanted: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    inverse = np.linalg.pinv(np.cov(points, rowvar=False), rcond=1e-12, hermitian=True)
    table = cdist(points, points, "mahalanobis", VI=inverse)
    np.fill_diagonal(table, np.inf)
    order = np.argsort(table[wanted], axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(table[wanted], order, axis=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_neighbours_are_those_of_the_table_of_all_distances(seed: int) -> None:
    points = some_points(seed) / [1.0, 10.0, 0.01, 1e5, 1.0]
    wanted = np.array([0, 7, 59, 7])
    rows, distances = neighbours.nearest(points, wanted, 6)
    wanted_rows, wanted_distances = by_all_distances(points, wanted, 6)
    np.testing.assert_array_equal(rows, wanted_rows)
    np.testing.assert_allclose(distances, wanted_distances, rtol=1e-8)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_units_of_columns_and_their_mixtures_do_not_matter(seed: int) -> None:
    points = some_points(seed)
    mixture = np.random.default_rng(seed).normal(size=(5, 5)) + 4.0 * np.eye(5)
    one = neighbours.nearest(points, np.arange(60), 5)
    for other in (points * [1e3, 1.0, 7.0, -1e-6, 1.0] + 9.0, (points / points.std(axis=0)) @ mixture):
        rows, distances = neighbours.nearest(other, np.arange(60), 5)
        np.testing.assert_allclose(distances, one[1], rtol=1e-5)
        assert (rows == one[0]).mean() > 0.99


def test_columns_that_repeat_others_or_never_vary_add_nothing() -> None:
    points = some_points(4)
    more = np.column_stack([points, np.full(60, 0.1), points[:, 0] - 2.0 * points[:, 1], points[:, 3]])
    one, other = (neighbours.nearest(each, np.arange(60), 5) for each in (points, more))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], rtol=1e-6)


def test_a_unit_is_never_its_own_neighbour_and_ties_go_by_row() -> None:
    points = np.repeat(some_points(5, units=10), 4, axis=0)
    rows, distances = neighbours.nearest(pd.DataFrame(points), [5, 4, 7], 4)
    np.testing.assert_array_equal(rows[:, :3], [[4, 6, 7], [5, 6, 7], [4, 5, 6]])
    assert (distances[:, :3] == 0.0).all()
    assert (distances[:, 3] > 0.0).all()
    np.testing.assert_array_equal(rows[0, 3] % 4, 0)


def test_units_that_do_not_differ_are_taken_by_row() -> None:
    rows, distances = neighbours.nearest(np.ones((5, 2)), [2], 4)
    np.testing.assert_array_equal(rows, [[0, 1, 3, 4]])
    assert (distances == 0.0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: neighbours.nearest([1.0, 2.0], [0], 1), "a row per unit"),
        (lambda: neighbours.nearest([[1.0], [np.nan], [2.0]], [0], 1), "points, row 2"),
        (lambda: neighbours.nearest([[1.0], [2.0]], [2], 1), "no such row"),
        (lambda: neighbours.nearest([[1.0], [2.0]], [-1], 1), "wanted, row 1: -1"),
        (lambda: neighbours.nearest([[1.0], [2.0]], [True, False], 1), "numbers of rows"),
        (lambda: neighbours.nearest([[1.0], [2.0]], [0], 2), "k is 2, and there are 2 units"),
        (lambda: neighbours.nearest([[1.0], [2.0]], [0], 0), "at least 1"),
    ],
)
def test_what_has_no_neighbours_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
