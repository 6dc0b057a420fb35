from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import integrate, stats

from gpvar.errors import StatsError
from gpvar.stats import _overdispersion, funnel


def world(n: int = 400, tau: float = 0.3, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.005, 0.1, n)
    return rng.normal(0.2, np.sqrt(variance + tau**2)), variance


def capped(z: np.ndarray, trim: float = 0.1) -> np.ndarray:
    point = _overdispersion.winsor_point(trim)
    return np.clip(z, -point, point)


def test_both_of_hubers_equations_hold_at_the_solution() -> None:
    residual, variance = world()
    found = funnel.shared_spread(residual, variance, n_parameters=7)
    z = (residual - found.centre) / np.sqrt(variance + found.tau2)
    assert capped(z).sum() == pytest.approx(0, abs=1e-8)
    assert (capped(z) ** 2).sum() == pytest.approx((400 - 7) * _overdispersion.winsor_factor(0.1), rel=1e-10)


def test_the_factor_for_a_tenth_is_that_of_the_methods_page() -> None:
    assert _overdispersion.winsor_factor(0.1) == pytest.approx(0.6787, abs=5e-5)
    numeric = integrate.quad(lambda z: capped(np.array(z)) ** 2 * stats.norm.pdf(z), -10, 10)[0]
    assert _overdispersion.winsor_factor(0.1) == pytest.approx(numeric, rel=1e-7)


def test_no_more_than_chance_gives_no_spread() -> None:
    residual, variance = world(tau=0.0)
    assert funnel.shared_spread(residual * 0.5, variance).tau2 == 0.0


def test_the_spread_is_recovered_and_not_led_by_outliers() -> None:
    residual, variance = world(n=20_000)
    assert funnel.shared_spread(residual, variance).tau2 == pytest.approx(0.09, rel=0.03)
    shifted = residual.copy()
    shifted[:1000] += 4 * 0.3
    robust = funnel.shared_spread(shifted, variance).tau2
    plain = _overdispersion.dersimonian_laird(shifted, variance)[0].tau2
    assert 0.09 < robust < 0.12 < 0.14 < plain


def test_nothing_capped_leaves_every_squared_score_at_one_on_average() -> None:
    residual, variance = world()
    found = funnel.shared_spread(residual, variance, trim=0)
    z = (residual - found.centre) / np.sqrt(variance + found.tau2)
    assert (z**2).sum() == pytest.approx(399)


def test_each_group_has_its_own_centre_and_all_share_one_spread() -> None:
    rng = np.random.default_rng(2)
    residual, variance = world(n=4000)
    group = rng.integers(0, 20, 4000)
    found = funnel.shared_spread(residual + group / 10, variance, groups=[f"g{g}" for g in group])
    assert found.tau2 == pytest.approx(0.09, rel=0.08)
    assert found.n_parameters == 20
    for g in range(20):
        centres = found.centre[group == g]
        assert np.ptp(centres) == 0
        z = (residual + group / 10 - found.centre) / np.sqrt(variance + found.tau2)
        assert capped(z[group == g]).sum() == pytest.approx(0, abs=1e-8)


def test_leave_one_out_centre_is_the_centre_of_the_others() -> None:
    residual, variance = world(n=90)
    group = np.arange(90) % 4
    tau2 = 0.08
    found = funnel.leave_one_out_centre(residual, variance, tau2, group)
    for i in (0, 17, 89):
        others = (group == group[i]) & (np.arange(90) != i)
        z = (residual[others] - found[i]) / np.sqrt(variance[others] + tau2)
        assert capped(z).sum() == pytest.approx(0, abs=1e-9)


def test_a_unit_alone_in_its_group_has_no_others() -> None:
    found = funnel.leave_one_out_centre([0.1, 0.2, 0.3], [0.01] * 3, 0.02, ["a", "a", "b"])
    np.testing.assert_allclose(found[:2], [0.2, 0.1])
    assert np.isnan(found[2])


def test_a_group_of_one_and_tied_values_do_not_stop_the_solver() -> None:
    found = funnel.shared_spread([0.0, 0.0, 0.0, 5.0, 5.0, 9.0], [0.1] * 6, groups=list("aaabbc"))
    np.testing.assert_allclose(found.centre, [0, 0, 0, 5, 5, 9])
    assert found.tau2 == 0


def test_multiplicative_dispersion_is_consistent_however_large() -> None:
    z = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    for factor in (1.0, 3.0, 1000.0):
        assert _overdispersion.proposal2_scale(z * np.sqrt(factor), 0, 0.1) == pytest.approx(factor, rel=0.01)


def test_order_and_labels_do_not_matter() -> None:
    residual, variance = world(n=300)
    group = np.arange(300) % 7
    rng = np.random.default_rng(3)
    order = rng.permutation(300)
    one = funnel.shared_spread(residual, variance, groups=group)
    other = funnel.shared_spread(residual[order], variance[order], groups=np.array(list("gfedcba"))[group[order]])
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-10)
    np.testing.assert_allclose(other.centre, one.centre[order], rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: funnel.shared_spread([1.0, 2.0], [0.1, 0.0]), "variance"),
        (lambda: funnel.shared_spread([1.0, np.nan], [0.1, 0.1]), "residual"),
        (lambda: funnel.shared_spread([1.0], [0.1]), "too few"),
        (lambda: funnel.shared_spread([1.0, 2.0], [0.1, 0.1], trim=0.5), "trim"),
        (lambda: funnel.shared_spread([1.0, 2.0, 3.0], [0.1] * 3, groups=["a", None, "a"]), "group"),
        (lambda: funnel.leave_one_out_centre([1.0, 2.0], [0.1] * 2, -1.0, ["a", "a"]), "tau2"),
    ],
)
def test_impossible_residuals_are_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()


def test_england_sized_groups_are_fast() -> None:
    residual, variance = world(n=6200)
    group = np.arange(6200) % 42
    start = time.perf_counter()
    found = funnel.shared_spread(residual, variance, groups=group)
    funnel.leave_one_out_centre(residual, variance, found.tau2, group)
    # Takes under 0.1 s; ten times that says something has broken rather than that the machine is busy.
    assert time.perf_counter() - start < 1.0
