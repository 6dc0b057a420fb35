"""What may not matter does not: order, names, which of two outcomes is counted, the unit of exposure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpvar.stats import funnel

OURS = ("consistent", "none", "dersimonian-laird", "multiplicative")
LIMITS = ("95", "99_8")


@st.composite
def shares(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Counts out of anything from 2 to 100,000, never all alike at the ends."""
    n = draw(st.integers(4, 25))
    top = draw(st.sampled_from([20, 200, 100_000]))
    size = np.array(draw(st.lists(st.integers(2, top), min_size=n, max_size=n)), dtype=float)
    part = np.array(draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    count = np.round(part * size)
    count[0], count[1] = 1.0, size[1] - 1.0
    return count, size


@st.composite
def events(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(4, 25))
    count = np.array(draw(st.lists(st.integers(0, 5000), min_size=n, max_size=n)), dtype=float)
    count[0] = 7.0
    due = np.array(draw(st.lists(st.floats(0.5, 5000), min_size=n, max_size=n)))
    return count, due


@pytest.mark.parametrize("mode", OURS)
@given(data=shares())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_complement_changes_only_the_sign_of_z_and_swaps_the_limits(
    mode: str, data: tuple[np.ndarray, np.ndarray]
) -> None:
    count, size = data
    one = funnel.funnel(count, size, kind="proportion", overdispersion=mode)
    other = funnel.funnel(size - count, size, kind="proportion", overdispersion=mode)
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-7, abs=1e-12)
    assert other.phi == pytest.approx(one.phi, rel=1e-7, abs=1e-12)
    assert other.test.statistic == pytest.approx(one.test.statistic, rel=1e-7, abs=1e-12)
    a, b = one.units, other.units
    np.testing.assert_allclose(b["z"], -a["z"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(b["z_sampling"], -a["z_sampling"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(b["centre"], 1 - a["centre"], atol=1e-9)
    if mode == "none":
        return
    for level in LIMITS:
        np.testing.assert_allclose(b[f"lower_{level}"], 1 - a[f"upper_{level}"], atol=1e-7)
    near = (np.abs(np.abs(a["z"]) - 1.959964) < 1e-5) | (np.abs(np.abs(a["z"]) - 3.090232) < 1e-5)
    swapped = a["flag"].str.replace("low", "x").str.replace("high", "low").str.replace("x", "high")
    assert (near | (swapped == b["flag"])).all()


@given(data=shares())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_spiegelhalters_limits_of_the_complement_are_mirrored_but_for_one_count(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    """He reads both limits off the chance of "this or fewer", so the mirror image is one count further down."""
    count, size = data
    a = funnel.funnel(count, size, kind="proportion", overdispersion="none").units
    b = funnel.funnel(size - count, size, kind="proportion", overdispersion="none").units
    for level in LIMITS:
        upper = np.clip(1 - (b[f"sampling_lower_{level}"] + 1 / size), 0, 1)
        inside = (b[f"sampling_lower_{level}"] > 0) & (a[f"sampling_upper_{level}"] > 0)
        np.testing.assert_allclose(a[f"sampling_upper_{level}"][inside], upper[inside], atol=1e-6)


@pytest.mark.parametrize("mode", [*OURS, "shmi", "cqc"])
@given(data=events(), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_order_of_units_does_not_matter(mode: str, data: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    count, due = data
    order = np.random.default_rng(seed).permutation(len(count))
    a = funnel.funnel(count, due, kind="ratio", overdispersion=mode).units.iloc[order].reset_index(drop=True)
    b = funnel.funnel(count[order], due[order], kind="ratio", overdispersion=mode).units
    for column in ("z", "lower_95", "upper_99_8", "q"):
        np.testing.assert_allclose(b[column], a[column], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("mode", OURS)
@given(data=events(), factor=st.floats(0.001, 1000))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_unit_of_exposure_does_not_matter(mode: str, data: tuple[np.ndarray, np.ndarray], factor: float) -> None:
    count, due = data
    a = funnel.funnel(count, due, kind="rate", overdispersion=mode)
    b = funnel.funnel(count, due * factor, kind="rate", overdispersion=mode)
    assert b.tau2 == pytest.approx(a.tau2, rel=1e-6, abs=1e-10)
    np.testing.assert_allclose(b.units["z"], a.units["z"], rtol=1e-6, atol=1e-7)
    for column in ("value", "centre", "lower_95", "upper_99_8", "sampling_lower_95"):
        np.testing.assert_allclose(b.units[column] * factor, a.units[column], rtol=1e-6, atol=1e-9)


@given(data=events())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_limits_lie_in_order_around_the_centre(data: tuple[np.ndarray, np.ndarray]) -> None:
    found = funnel.funnel(*data, kind="ratio").units
    assert (found["lower_99_8"] <= found["lower_95"]).all()
    assert (found["lower_95"] <= found["upper_95"]).all()
    assert (found["upper_95"] <= found["upper_99_8"]).all()


@given(data=events())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_an_expected_ratio_of_one_changes_nothing(data: tuple[np.ndarray, np.ndarray]) -> None:
    count, due = data
    a = funnel.funnel(count, due, kind="ratio").units
    b = funnel.funnel(count, due, kind="ratio", expected=np.ones(len(due))).units
    c = funnel.funnel(count, np.ones(len(due)), kind="rate", expected=due).units
    np.testing.assert_allclose(b["z"], a["z"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(c["z"], a["z"], rtol=1e-6, atol=1e-7)
