"""Agreement of many analyses with one, what drives the rest, and what something unmeasured would take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from gpvar.errors import StatsError
from gpvar.stats import funnel, placement, robustness

Z = arrays(np.float64, (5, 4), elements=st.one_of(st.floats(-6, 6), st.just(np.nan)))


def test_a_unit_agrees_on_the_same_side_and_on_the_same_side_of_the_usual_range() -> None:
    z = np.array([[2.5, 2.5, 0.3, -2.5], [2.0, 1.9, 0.9, 2.5], [9.0, -2.5, -0.3, np.nan], [2.1, 2.2, 3.0, -2.0]])
    found = robustness.agreement(z)
    assert found.agrees[1:].tolist() == [
        [True, False, True, False],
        [True, False, False, False],
        [True, True, False, True],
    ]
    assert found.agree.tolist() == [3, 1, 1, 1] and found.compared.tolist() == [3, 3, 3, 2]
    assert found.label.tolist() == ["robust", "fragile", "fragile", "fragile"]


def test_a_unit_that_is_never_outside_is_robust_whatever_side_it_is_on() -> None:
    found = robustness.agreement([[0.1, 0.1], [-0.1, -0.1], [-0.2, -2.5]])
    assert found.share.tolist() == [0.0, 0.0] and found.label.tolist() == ["robust", "fragile"]


def test_a_handful_of_analyses_carries_no_label() -> None:
    z = np.full((5, 1), 2.5)
    assert robustness.agreement(z, fewest=5).label.tolist() == [""]
    assert robustness.agreement(z, fewest=4).label.tolist() == ["robust"]


def test_the_primary_analysis_is_not_counted_as_agreeing_with_itself() -> None:
    found = robustness.agreement([[2.5, np.nan], [np.nan, 2.5]])
    assert found.compared.tolist() == [0, 0] and np.isnan(found.share).all() and found.label.tolist() == ["", ""]


@pytest.mark.parametrize(
    ("agree", "of", "label"),
    [(9, 10, "robust"), (8, 9, "mixed"), (2, 3, "mixed"), (14, 21, "mixed"), (13, 20, "fragile"), (12, 12, "robust")],
)
def test_nine_tenths_are_robust_and_less_than_two_thirds_fragile(agree: int, of: int, label: str) -> None:
    z = np.array([2.5, *[2.5] * agree, *[1.5] * (of - agree)])[:, None]
    assert robustness.agreement(z).label.tolist() == [label]
    assert robustness.labels(agree / of) == label


@given(Z)
def test_agreement_is_what_counting_by_hand_gives(z: np.ndarray) -> None:
    found = robustness.agreement(z, primary=2)
    for unit in range(z.shape[1]):
        own, others = z[2, unit], [z[row, unit] for row in (0, 1, 3, 4)]
        known = [x for x in others if np.isfinite(x) and np.isfinite(own)]
        same = [x for x in known if np.sign(x) == np.sign(own) and (abs(x) > 1.959964) == (abs(own) > 1.959964)]
        assert (found.agree[unit], found.compared[unit]) == (len(same), len(known))


@given(Z)
def test_turning_every_figure_into_its_complement_changes_nothing(z: np.ndarray) -> None:
    for name, values in robustness.agreement(z).to_frame().items():
        assert values.equals(robustness.agreement(-z).to_frame()[name])


def test_the_choice_that_tells_agreeing_analyses_from_others_drives_a_unit() -> None:
    options = {"link": ["a", "a", "b", "b", "a", "b"], "spread": ["x", "y", "x", "y", "y", "x"]}
    # Unit 0 disagrees wherever the link is b, unit 1 never, unit 2 once, in the only analysis with b and x beside it.
    agrees = np.array(
        [[1, 1, 1], [1, 1, 1], [0, 1, 0], [0, 1, 1], [1, 1, 1], [0, 1, 1]],
        dtype=bool,
    )
    drives, gap = robustness.drivers(agrees, np.ones_like(agrees), options)
    assert drives.tolist() == ["link", "", "link"]
    assert gap[0] == 1.0 and np.isnan(gap[1]) and gap[2] == pytest.approx(1.0 - 2.0 / 3.0)


def test_an_analysis_that_could_not_place_a_unit_says_nothing_of_what_drives_it() -> None:
    agrees = np.array([[True], [True], [False], [False]])
    placed = np.array([[True], [True], [True], [False]])
    options = {"link": ["a", "a", "a", "b"], "spread": ["x", "x", "y", "y"]}
    drives, gap = robustness.drivers(agrees, placed, options)
    assert drives.tolist() == ["spread"] and gap.tolist() == [1.0]


def test_no_choice_drives_a_unit_that_disagrees_with_every_option_alike() -> None:
    options = {"link": ["a", "b", "a", "b"]}
    agrees = np.array([[True], [True], [False], [False]])
    # With the primary's option one of two agrees, with the other one of two: the choice tells nothing.
    drives, gap = robustness.drivers(agrees, np.ones_like(agrees), options)
    assert drives.tolist() == [""] and np.isnan(gap).all()


def test_the_strength_of_something_unmeasured_puts_a_unit_on_the_end_of_the_usual_range() -> None:
    rng = np.random.default_rng(4)
    size = rng.integers(4000, 90000, 60)
    share = 1.0 / (1.0 + np.exp(-rng.normal(-0.4, 0.3, 60)))
    count = rng.binomial(size, share)
    centre, tau2 = np.full(60, -0.4), 0.05
    found = placement.place(count, size, centre, tau2, kind="proportion")
    fitted = 1.0 / (1.0 + np.exp(-centre))
    sd = np.sqrt(1.0 / (size * fitted * (1.0 - fitted)) + tau2)
    z = found["z"].to_numpy()
    strength = robustness.unmeasured(z, sd)
    outside = np.abs(z) > robustness.USUAL
    assert outside.any() and not outside.all()
    # Outside, the expectation moves towards the unit; inside, away from it.
    side = np.sign(z) * np.where(outside, 1.0, -1.0)
    judged = np.log((count + 0.5) / (size - count + 0.5))
    moved = (judged - (centre + side * strength)) / sd
    assert np.abs(moved) == pytest.approx(np.full(60, stats.norm.ppf(0.975)), abs=1e-9)
    assert (np.sign(moved) == np.sign(z)).all()


@pytest.mark.parametrize(("z", "primary"), [([1.0, 2.0], 0), ([[1.0], [2.0]], 2), (np.empty((0, 3)), 0)])
def test_what_is_no_table_of_analyses_is_refused(z: object, primary: int) -> None:
    with pytest.raises(StatsError, match="a row of distances for each analysis"):
        robustness.agreement(z, primary=primary)


def test_a_plain_spread_pooled_over_groups_is_the_moment_equation_of_their_sum() -> None:
    rng = np.random.default_rng(8)
    group = np.repeat([0, 1, 2, 3], [9, 14, 30, 7])
    variance = rng.uniform(0.01, 0.05, 60)
    residual = 0.3 * group + rng.normal(0.0, np.sqrt(variance + 0.04))
    found, test = funnel.dersimonian_laird(residual, variance, n_parameters=3, groups=group)
    weight = 1.0 / variance
    # By hand, as a regression on dummies: the trace of the residual maker times the variance gives the equation.
    dummies = np.eye(4)[group]
    hat = dummies @ np.linalg.inv(dummies.T @ (weight[:, None] * dummies)) @ dummies.T * weight
    left = residual - hat @ residual
    q = float(weight @ left**2)
    lost = np.trace(np.linalg.inv(dummies.T @ (weight[:, None] * dummies)) @ dummies.T @ np.diag(weight**2) @ dummies)
    assert test.statistic == pytest.approx(q) and test.df == 60 - (3 - 1 + 4)
    assert found.tau2 == pytest.approx((q - test.df) / (weight.sum() - lost))
    total = 1.0 / (variance + found.tau2)
    means = [np.average(residual[group == g], weights=total[group == g]) for g in range(4)]
    assert found.centre == pytest.approx(np.array(means)[group])


def test_without_capping_the_centre_of_the_others_is_their_weighted_mean() -> None:
    rng = np.random.default_rng(9)
    group, residual, variance = np.repeat([0, 1, 2], [6, 5, 1]), rng.normal(0, 1, 12), rng.uniform(0.1, 0.3, 12)
    found = funnel.leave_one_out_centre(residual, variance, 0.2, group, trim=0.0)
    for unit in range(11):
        others = (group == group[unit]) & (np.arange(12) != unit)
        assert found[unit] == pytest.approx(np.average(residual[others], weights=1.0 / (variance[others] + 0.2)))
    assert np.isnan(found[11])


def test_a_score_alone_is_the_score_of_a_placement() -> None:
    rng = np.random.default_rng(10)
    size = np.r_[rng.integers(20, 100, 40), rng.integers(5000, 9000, 40)]
    count = rng.binomial(size, 0.2)
    centre = rng.normal(-1.4, 0.1, 80)
    for tau2 in (0.0, 0.03):
        for transient in (None, np.full(80, 0.01)):
            whole = placement.place(count, size, centre, tau2, kind="proportion", transient=transient)
            alone = placement.score(count, size, centre, tau2, kind="proportion", transient=transient)
            names = {"centre": "centre", "lower": "lower_95", "upper": "upper_95", "z": "z"}
            for name, other in names.items():
                assert np.array_equal(alone[name], whole[other]), (tau2, name)
