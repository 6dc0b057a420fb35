"""Shapley values on the scale of the response: what they always keep, and what is refused."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from gpvar.errors import StatsError
from gpvar.stats import attribution

INVERSES = {"logit": special.expit, "log": np.exp, "identity": np.asarray}
seeds, widths = st.integers(0, 10**6), st.integers(1, 6)
links = st.sampled_from(sorted(INVERSES))


def some_parts(seed: int, count: int, units: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 2.0, units), rng.normal(0.0, 1.5, (units, count))


def over_all_orders(start: float, parts: np.ndarray, inverse) -> np.ndarray:
    """The mean over all orders of what each part adds when it comes."""
    changes, orders = np.zeros(len(parts)), list(permutations(range(len(parts))))
    for order in orders:
        at = start
        for part in order:
            changes[part] += float(inverse(at + parts[part])) - float(inverse(at))
            at += parts[part]
    return changes / len(orders)


@pytest.mark.parametrize("link", sorted(INVERSES))
def test_a_change_is_the_mean_over_all_orders(link: str) -> None:
    start, parts = some_parts(1, 5)
    wanted = [over_all_orders(*unit, INVERSES[link]) for unit in zip(start, parts, strict=True)]
    np.testing.assert_allclose(attribution.shapley(start, parts, INVERSES[link]), wanted, rtol=1e-9, atol=1e-12)


@settings(deadline=None, derandomize=True)
@given(seed=seeds, count=st.integers(1, 8), link=links, signs=st.lists(st.sampled_from([-1, 1]), max_size=7))
def test_changes_add_up_exactly(seed: int, count: int, link: str, signs: list[int]) -> None:
    start, parts = some_parts(seed, count)
    if link == "logit":
        parts[: len(signs), -1] = np.inf * np.array(signs, dtype=float)
    changes = attribution.shapley(start, parts, INVERSES[link])
    whole = INVERSES[link](start + parts.sum(axis=1)) - INVERSES[link](start)
    ends = [INVERSES[link](start + clipped.sum(axis=1)) for clipped in (np.maximum(parts, 0.0), np.minimum(parts, 0.0))]
    assert (np.abs(changes.sum(axis=1) - whole) <= 1e-12 * (1.0 + np.abs(ends).max(axis=0))).all()


@settings(deadline=None, derandomize=True)
@given(seed=seeds, count=st.integers(2, 6), link=links)
def test_equal_parts_change_the_same(seed: int, count: int, link: str) -> None:
    start, parts = some_parts(seed, count)
    parts[:, 1] = parts[:, 0]
    changes = attribution.shapley(start, parts, INVERSES[link])
    np.testing.assert_allclose(changes[:, 0], changes[:, 1], rtol=1e-9, atol=1e-12)


@settings(deadline=None, derandomize=True)
@given(seed=seeds, count=st.integers(2, 6), link=links)
def test_a_part_of_zero_changes_nothing_and_nothing_of_the_others(seed: int, count: int, link: str) -> None:
    start, parts = some_parts(seed, count)
    parts[:, 0] = 0.0
    changes = attribution.shapley(start, parts, INVERSES[link])
    assert (changes[:, 0] == 0.0).all()
    others = attribution.shapley(start, parts[:, 1:], INVERSES[link])
    np.testing.assert_allclose(changes[:, 1:], others, rtol=1e-9, atol=1e-12)


@settings(deadline=None, derandomize=True)
@given(seed=seeds, count=widths)
def test_on_a_linear_scale_each_part_is_its_own_change(seed: int, count: int) -> None:
    start, parts = some_parts(seed, count)
    np.testing.assert_allclose(attribution.shapley(start, parts, np.asarray), parts, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(attribution.shapley(start, parts, lambda x: 7.0 - 3.0 * x), -3.0 * parts, atol=1e-9)


@settings(deadline=None, derandomize=True)
@given(seed=seeds, count=widths)
def test_a_complement_changes_as_much_the_other_way(seed: int, count: int) -> None:
    start, parts = some_parts(seed, count)
    one = attribution.shapley(start, parts, special.expit)
    np.testing.assert_allclose(attribution.shapley(-start, -parts, special.expit), -one, atol=1e-12)


@settings(deadline=None, derandomize=True)
@given(seed=seeds, count=st.integers(1, 6), link=links)
def test_a_part_that_raises_the_link_raises_the_response(seed: int, count: int, link: str) -> None:
    start, parts = some_parts(seed, count)
    changes = attribution.shapley(start, parts, INVERSES[link])
    np.testing.assert_array_equal(np.sign(changes), np.sign(parts))


def test_a_share_of_nothing_is_told_in_finite_changes() -> None:
    changes = attribution.shapley(0.0, [[np.log(3.0), -np.inf]], special.expit)
    # The first part brings 0.25 where it comes first and nothing once the share is 0.
    np.testing.assert_allclose(changes, [[0.125, -0.625]])
    np.testing.assert_allclose(attribution.shapley(np.log(8.0), [[-np.inf]], np.exp), [[-8.0]])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: attribution.shapley([0.0], np.zeros((1, 9)), np.exp), "1 to 8 columns"),
        (lambda: attribution.shapley([0.0], [1.0, 2.0], np.exp), "a row per unit"),
        (lambda: attribution.shapley([0.0, 1.0], np.zeros((3, 2)), np.exp), "start has 2 values, parts 3 rows"),
        (lambda: attribution.shapley([0.0, np.nan], np.zeros((2, 1)), np.exp), "start, row 2"),
        (lambda: attribution.shapley([-np.inf], [[1.0]], special.expit), "start, row 1"),
        (lambda: attribution.shapley([0.0, 0.0], [[1.0, 2.0], [1.0, np.nan]], np.exp), "parts, row 2"),
        (lambda: attribution.shapley([0.0], [[-np.inf, np.inf]], special.expit), "their sum is not known"),
        (lambda: attribution.shapley([0.0], [[np.inf]], np.asarray), "needs a response that ends there"),
        (lambda: attribution.shapley([0.0], [[1.0]], lambda x: x.sum()), "one response per link value"),
        (lambda: attribution.shapley(["low"], [[1.0]], np.exp), "start holds something that is not a number"),
    ],
)
def test_what_cannot_be_attributed_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
