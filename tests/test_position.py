"""Position and movement: METHODS 7, first match, on every side of every border."""

from __future__ import annotations

import numpy as np
import pytest

from gpvar.analysis.position import explained_share, movement, position

YES = np.array([True])


@pytest.mark.parametrize(
    ("z", "inside_chance", "decidable", "expected"),
    [
        (5.0, False, False, "not_decidable"),
        (np.nan, True, True, "not_decidable"),
        (0.1, True, True, "no_detectable_difference"),
        (0.1, False, True, "usual"),
        (-1.95, False, True, "usual"),
        (1.97, False, True, "unusual"),
        (-3.09, False, True, "unusual"),
        (-3.10, False, True, "far_outside"),
    ],
)
def test_position_is_the_first_that_matches(z: float, inside_chance: bool, decidable: bool, expected: str) -> None:
    found = position(np.array([z]), np.array([inside_chance]), np.array([decidable]))
    assert found.tolist() == [expected]


@pytest.mark.parametrize(
    ("raw_z", "raw_difference", "z", "difference", "expected"),
    [
        (1.0, 0.5, 1.0, 0.5, ""),
        (2.5, 1.0, -2.5, -1.0, "reversed"),
        (2.5, 1.0, 1.0, 0.5, "explained"),
        (2.5, 1.0, -1.0, -0.4, "explained"),
        (2.5, 1.0, 1.9, 0.51, "partly_explained"),
        (2.5, 1.0, 2.5, 0.75, "partly_explained"),
        (2.5, 1.0, 2.5, 0.40, "partly_explained"),
        (2.5, 1.0, 2.5, 0.76, "not_explained"),
        (2.5, 1.0, 3.5, 1.20, "not_explained"),
        (2.0, 1.0, 1.9, 0.80, "borderline"),
        (1.5, 1.0, 2.1, 1.25, "revealed"),
        (1.5, 1.0, -2.1, -1.25, "revealed"),
        (1.9, 1.0, 2.0, 1.24, "borderline"),
        (np.nan, np.nan, 2.0, 1.0, ""),
        (2.5, 1.0, np.nan, np.nan, ""),
    ],
)
def test_movement_is_the_first_that_matches(
    raw_z: float, raw_difference: float, z: float, difference: float, expected: str
) -> None:
    values = [np.array([v]) for v in (raw_z, raw_difference, z, difference)]
    assert movement(*values, YES).tolist() == [expected]


def test_movement_says_nothing_behind_a_stop_gate() -> None:
    one = np.array([2.5])
    assert movement(one, one, one, one, ~YES).tolist() == [""]


def test_explained_share_is_one_when_nothing_is_left() -> None:
    assert explained_share(np.array([0.4, -0.4, 0.4]), np.array([0.0, -0.2, 0.4])).tolist() == [1.0, 0.5, 0.0]
