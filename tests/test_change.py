"""Change between two periods: against normal truth, by simulation, with bounds from Monte-Carlo error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from gpvar.errors import StatsError
from gpvar.stats import change, intervals, reliability
from gpvar.stats._averaging import averaging_factor, crossed
from gpvar.stats.change import Counted, Movement

#: How many Monte-Carlo standard errors a simulated mean or share may lie from the truth.
_SURE = 4.0


def within(found: np.ndarray, truth: float) -> bool:
    """Say whether the mean of simulated values is the truth, to within Monte-Carlo error."""
    return abs(float(np.mean(found)) - truth) <= _SURE * float(np.std(found, ddof=1)) / np.sqrt(len(found))


def covered(inside: np.ndarray, least: float, most: float) -> bool:
    """Say whether a share of cover lies in a range, give or take Monte-Carlo error."""
    error = _SURE * np.sqrt(0.95 * 0.05 / inside.size)
    return bool(least - error <= inside.mean() <= most + error)


# Regression to the mean of two waves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize(("r", "share", "ratio"), [(0.75, 0.1, 1.0), (0.5, 0.2, 1.0), (0.9, 0.05, 1.3)])
def test_a_tail_gives_back_what_davis_says(r: float, share: float, ratio: float, side: str) -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(150):
        first = rng.normal(size=1500)
        second = -0.4 + ratio * (r * first + np.sqrt(1.0 - r**2) * rng.normal(size=1500))
        found.append(change.waves(first, second, side, share=share, resamples=1))
    cut = special.ndtri(share)
    out = stats.norm.pdf(cut) / share * (1.0 if side == "low" else -1.0)
    assert within(np.array([item.given_back for item in found]), (1.0 - r * ratio) * out)
    assert within(np.array([item.common for item in found]), -0.4)
    assert within(np.array([item.change for item in found]), (1.0 - r * ratio) * out - 0.4)
    assert within(np.array([item.left for item in found]), 0.0)
    assert all(item.expected == pytest.approx(item.common + item.given_back, abs=1e-12) for item in found)


def test_the_interval_of_what_is_left_of_two_waves_holds_nought_19_times_in_20() -> None:
    rng = np.random.default_rng(6)
    held = []
    for world in range(250):
        first = rng.normal(size=500)
        second = 0.7 * first + np.sqrt(0.51) * rng.normal(size=500)
        found = change.waves(first, second, seed=world, resamples=200)
        held.append(found.left_lower <= 0.0 <= found.left_upper)
    assert covered(np.array(held), 0.92, 0.98)


def test_a_change_of_the_group_as_a_whole_is_left() -> None:
    rng = np.random.default_rng(7)
    first = rng.normal(size=4000)
    second = 0.7 * first + np.sqrt(0.51) * rng.normal(size=4000)
    group, _ = change.extreme(first, count=100)
    second[group] += 0.6
    found = change.waves(first, second, count=100, seed=1)
    assert found.left_lower > 0.3 and found.left_upper < 0.8


def test_units_without_a_second_figure_are_counted_and_left_out_of_the_means() -> None:
    rng = np.random.default_rng(8)
    first = rng.normal(size=500)
    second = 0.8 * first + 0.6 * rng.normal(size=500)
    second[np.argsort(first)[:5]] = np.nan
    found = change.waves(first, second, seed=1, resamples=50)
    assert (found.units, found.followed, found.ties) == (50, 45, 0)
    chosen = np.argsort(first)[5:50]
    assert found.change == pytest.approx(np.mean(second[chosen] - first[chosen]))
    assert found.correlation == pytest.approx(np.corrcoef(first[~np.isnan(second)], second[~np.isnan(second)])[0, 1])


def test_the_same_seed_gives_the_same_interval_and_the_callers_random_state_is_left_alone() -> None:
    rng = np.random.default_rng(9)
    first = rng.normal(size=300)
    second = 0.7 * first + rng.normal(size=300)
    np.random.seed(3)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, again, other = (change.waves(first, second, seed=seed, resamples=100) for seed in (1, 1, 2))
    assert one == again and one.left == other.left and one.left_lower != other.left_lower
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


# The group ------------------------------------------------------------------------------------------------------------


def test_units_that_tie_with_the_last_are_all_in_the_group() -> None:
    inside, ties = change.extreme([5.0, 1.0, 2.0, 2.0, 2.0, 9.0, np.nan], count=2)
    assert inside.tolist() == [False, True, True, True, True, False, False] and ties == 2
    inside, ties = change.extreme([5.0, 1.0, 2.0, 9.0, 9.0], "high", count=1)
    assert inside.tolist() == [False, False, False, True, True] and ties == 1
    assert change.extreme(np.arange(95.0))[0].sum() == 10


def test_a_group_of_one_has_no_interval() -> None:
    found = change.group_change([0.1], [0.2], [0.1], [0.15], units=1)
    assert found.left == pytest.approx(0.05) and np.isnan([found.left_lower, found.left_upper]).all()


# What passes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.7])
def test_movement_over_months_is_that_of_the_means_of_an_ar1(rho: float) -> None:
    found = change.movement(np.arange(3), np.arange(3, 15), 0.04, rho)
    assert found.before == pytest.approx(0.04 * averaging_factor(3, rho))
    assert found.after == pytest.approx(0.04 * averaging_factor(12, rho))
    assert found.together == pytest.approx(0.04 * crossed((3, 12), rho), abs=1e-15)
    inside = change.movement(np.arange(12), np.arange(12), 0.04, rho)
    assert inside.before == inside.after == inside.together


def test_what_is_kept_is_the_reliability_where_nothing_passes_over() -> None:
    s2 = np.array([0.01, 0.1, 1.0])
    kept = change.kept(0.2, s2, Movement(0.03, 0.03, 0.0))
    np.testing.assert_allclose(kept, reliability.reliability(0.2, s2, 0.03))
    assert (change.kept(0.2, s2, Movement(0.03, 0.03, 0.02)) > kept).all()
    assert np.isnan(change.kept(0.0, 0.0, Movement()))


def test_the_change_of_all_units_is_not_set_by_a_few_of_them() -> None:
    rng = np.random.default_rng(10)
    worlds = rng.normal(0.1, 0.2, (2000, 60))
    found = [change.common_change(np.zeros(60), gaps) for gaps in worlds]
    middle, error = np.array(found).T
    assert within(middle, 0.1)
    assert np.mean(error) == pytest.approx(np.std(middle), rel=0.08)
    spoiled = worlds[0].copy()
    spoiled[:3] = 8.0
    assert change.common_change(np.zeros(60), spoiled)[0] == pytest.approx(0.1, abs=0.12)


# One unit's change ----------------------------------------------------------------------------------------------------


def counts(rng: np.random.Generator, link: np.ndarray, size: float, kind: str) -> Counted:
    if kind == "proportion":
        return Counted.of(rng.binomial(int(size), special.expit(link)), np.full(link.shape, size), kind)
    return Counted.of(rng.poisson(size * np.exp(link)), np.full(link.shape, size), kind)


def shown(link: np.ndarray, kind: str) -> np.ndarray:
    return special.expit(link) if kind == "proportion" else np.exp(link)


WORLDS = [
    ("proportion", -2.0, 80.0, 0.0),
    ("proportion", -0.4, 20000.0, 0.03),
    ("proportion", -2.5, 3000.0, 0.05),
    ("rate", -3.0, 600.0, 0.0),
    ("rate", -1.0, 40000.0, 0.02),
]


@pytest.mark.parametrize(("kind", "centre", "size", "v"), WORLDS)
def test_intervals_of_a_change_hold_the_truth_19_times_in_20(kind: str, centre: float, size: float, v: float) -> None:
    rng = np.random.default_rng(11)
    n, moved = 6000, 0.15
    lasting = centre + rng.normal(0.0, 0.3, n)
    passing = rng.multivariate_normal([0.0, 0.0], v * np.array([[1.0, 0.4], [0.4, 1.0]]), n)
    one, other = (counts(rng, lasting + at * moved + passing[:, at], size, kind) for at in (0, 1))
    moving = Movement(v, v, 0.4 * v)
    found = change.parts(one, other, centre, 0.09, moving, (moved, 0.0))
    truth = shown(lasting + moved, kind) - shown(lasting, kind)
    assert covered((found.change.lower <= truth) & (truth <= found.change.upper), 0.94, 0.97)
    on_link = (found.link_change.lower <= moved) & (moved <= found.link_change.upper)
    assert covered(on_link, 0.94, 0.97)
    nothing = (found.excess.lower <= 0.0) & (found.excess.upper >= 0.0)
    assert covered(nothing, 0.94, 0.97)


@pytest.mark.parametrize("tail", ["all", "lowest", "highest"])
@pytest.mark.parametrize(("kind", "centre", "size", "v"), WORLDS)
def test_what_is_left_of_a_change_is_chance_even_for_units_chosen_for_being_far_out(
    kind: str, centre: float, size: float, v: float, tail: str
) -> None:
    rng = np.random.default_rng(12)
    n, tau = 40000, 0.3
    lasting = centre + rng.normal(0.0, tau, n)
    passing = rng.multivariate_normal([0.0, 0.0], v * np.array([[1.0, 0.4], [0.4, 1.0]]), n)
    one, other = (counts(rng, lasting + passing[:, at], size, kind) for at in (0, 1))
    chosen = np.ones(n, dtype=bool) if tail == "all" else change.extreme(one.value, tail.removesuffix("est"))[0]
    chosen = chosen if tail != "highest" else change.extreme(one.value, "high")[0]
    found = change.parts(one.only(chosen), other.only(chosen), centre, tau**2, Movement(v, v, 0.4 * v), (0.0, 0.0))
    nothing = (found.left.lower <= 0.0) & (found.left.upper >= 0.0)
    assert covered(nothing, 0.935, 0.975)
    if tail != "all":
        assert not within(found.link_excess.value, 0.0)


def test_a_group_chosen_for_being_far_out_gives_back_what_is_foreseen() -> None:
    rng = np.random.default_rng(13)
    tau, v, gone, held = 0.4, 0.05, [], []
    moving = Movement(v, v, 0.5 * v)
    for _ in range(250):
        lasting = -1.5 + rng.normal(0.0, tau, 800)
        passing = rng.multivariate_normal([0.0, 0.0], v * np.array([[1.0, 0.5], [0.5, 1.0]]), 800)
        one, other = (counts(rng, lasting + at * 0.1 + passing[:, at], 150, "proportion") for at in (0, 1))
        common = change.common_change(one.link, other.link)
        group, ties = change.extreme(one.value, "high", count=40)
        before, after = one.only(group), other.only(group)
        ahead = change.expected_next(before, -1.5, tau**2, moving, common[0])
        alone = special.expit(before.link + common[0])
        doubt = (common[1] * 0.2) ** 2
        found = change.group_change(
            before.value, after.value, alone, ahead, units=int(group.sum()), ties=ties, doubt=doubt
        )
        gone.append(found.left)
        held.append(found.left_lower <= 0.0 <= found.left_upper)
        assert found.change == pytest.approx(found.common + found.given_back + found.left, abs=1e-12)
        assert found.given_back < -0.01
    assert within(np.array(gone), 0.0)
    assert covered(np.array(held), 0.93, 0.97)


def test_the_parts_of_a_change_add_up_to_it() -> None:
    one = Counted.of([0, 3, 40, 100], [20, 30, 100, 100], "proportion")
    other = Counted.of([2, 0, 60, 100], [25, 30, 100, 100], "proportion")
    found = change.parts(one, other, -0.5, 0.2, Movement(0.02, 0.02, 0.01), (0.1, 0.01))
    np.testing.assert_allclose(found.change.value, found.common + found.given_back + found.left.value, atol=1e-15)
    np.testing.assert_allclose(found.excess.value, found.change.value - found.common, atol=1e-15)
    np.testing.assert_allclose(found.change.value, other.value - one.value)
    for item in (found.change, found.excess, found.left):
        assert (item.lower < item.upper).all()


def test_the_complement_of_a_share_changes_the_other_way() -> None:
    one, other = Counted.of([3, 50], [40, 90], "proportion"), Counted.of([9, 41], [50, 95], "proportion")
    turned = [Counted.of(item.size - item.count, item.size, "proportion") for item in (one, other)]
    moving = Movement(0.03, 0.02, 0.01)
    plain = change.parts(one, other, -1.0, 0.2, moving, (0.2, 0.03))
    over = change.parts(*turned, 1.0, 0.2, moving, (-0.2, 0.03))
    for name in ("change", "excess", "left"):
        a, b = getattr(plain, name), getattr(over, name)
        np.testing.assert_allclose([a.value, a.lower, a.upper], [-b.value, -b.upper, -b.lower], atol=1e-12)
    np.testing.assert_allclose(plain.given_back, -over.given_back)
    np.testing.assert_allclose(plain.kept, over.kept)


def test_without_passing_movement_the_interval_is_newcombes() -> None:
    # Newcombe 1998, Stat Med 17:873, table II: 56/70 − 48/80 and 9/10 − 3/10 by method 10.
    one, other = Counted.of([48, 3], [80, 10], "proportion"), Counted.of([56, 9], [70, 10], "proportion")
    found = change.parts(one, other, 0.0, 0.1, Movement(), (0.0, 0.0)).change
    np.testing.assert_allclose(found.lower, [0.0524, 0.1705], atol=5e-5)
    np.testing.assert_allclose(found.upper, [0.3339, 0.8090], atol=5e-5)


def test_a_figure_without_movement_has_the_interval_of_its_count() -> None:
    share, rate = Counted.of([3, 400], [20, 900], "proportion"), Counted.of([3, 400], [20, 900], "rate")
    for counted, known in ((share, intervals.wilson), (rate, intervals.rate)):
        found = change.figure(counted)
        np.testing.assert_allclose([found.lower, found.upper], known(counted.count, counted.size))
        wide = change.figure(counted, 0.05)
        assert (wide.lower < found.lower).all() and (wide.upper > found.upper).all()


def test_where_the_spread_is_not_known_nothing_is_said_to_be_given_back() -> None:
    one, other = Counted.of([30], [100], "proportion"), Counted.of([50], [100], "proportion")
    found = change.parts(one, other, np.nan, np.nan, Movement(), (0.0, 0.0))
    assert np.isnan([found.given_back, found.left.value, found.left.lower, found.link_left.value]).all()
    assert np.isfinite([found.change.lower, found.excess.upper]).all()


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: Counted.of([5], [4], "proportion"), "count is not possible"),
        (lambda: Counted.of([-1], [4], "rate"), "count is not possible"),
        (lambda: Counted.of([1], [0], "rate"), "above zero"),
        (lambda: Counted.of([1], [4], "score"), "kind"),
        (lambda: Counted.of(["x"], [4], "rate"), "not a number"),
        (lambda: change.movement([0], [1], -0.1, 0.5), "variance"),
        (lambda: change.movement([0], [1], 0.1, 1.0), "rho"),
        (lambda: change.common_change([0.1], [0.2]), "at least 3"),
        (lambda: change.common_change([0.1, 0.2, np.nan], [0.2] * 3), "missing"),
        (lambda: change.extreme([1.0, 2.0], count=3), "no more than there are"),
        (lambda: change.extreme([1.0, 2.0], "left"), "side"),
        (lambda: change.extreme([np.nan]), "No unit has a value"),
        (lambda: change.waves([1.0, 2.0, 3.0], [1.0, np.nan, np.nan]), "at least 3"),
        (lambda: change.waves([1.0, 2.0], [1.0, 2.0, 3.0]), "at least 3"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(call, problem: str) -> None:
    with pytest.raises(StatsError, match=problem):
        call()
