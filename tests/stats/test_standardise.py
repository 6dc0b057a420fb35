from __future__ import annotations

import numpy as np
import pytest

from gpvar.errors import StatsError
from gpvar.stats import intervals, standardise

COUNT = [10, 20, 30, 5, 12, 9]
PEOPLE = [100, 150, 400, 90, 160, 300]
WEIGHT = [5, 3, 2, 5, 3, 2]
UNIT = ["a", "a", "a", "b", "b", "b"]


def test_direct_rate_is_the_weighted_mean_of_stratum_rates() -> None:
    found = standardise.direct(COUNT, PEOPLE, WEIGHT, UNIT)
    assert found.loc["a", "rate"] == pytest.approx((5 * 0.1 + 3 * 20 / 150 + 2 * 0.075) / 10)
    assert list(found.columns) == ["rate", "lower", "upper"]
    assert (found["lower"] < found["rate"]).all() and (found["rate"] < found["upper"]).all()


def test_direct_rate_of_one_stratum_is_the_plain_rate_with_byars_interval() -> None:
    found = standardise.direct([40], [1000], [1], ["a"])
    lower, upper = intervals.byar(40)
    np.testing.assert_allclose(found.loc["a"], [0.04, lower / 1000, upper / 1000])


def test_a_missing_stratum_makes_the_unit_unknown_not_smaller() -> None:
    count = [10.0, np.nan, 30, 5, 12, 9]
    found = standardise.direct(count, PEOPLE, WEIGHT, UNIT)
    assert found.loc["a"].isna().all()
    assert found.loc["b"].notna().all()
    assert standardise.indirect([np.nan, 3], [2, 2])["ratio"].isna().tolist() == [True, False]


def test_fewer_than_ten_events_have_no_direct_rate() -> None:
    found = standardise.direct([4, 5, 4, 6], [100] * 4, [1] * 4, ["few", "few", "ten", "ten"])
    assert found.loc["few"].isna().all()
    assert found.loc["ten"].notna().all()


def test_units_keep_the_order_in_which_they_come() -> None:
    found = standardise.direct([20, 30], [100, 100], [1, 1], ["z", "a"])
    assert list(found.index) == ["z", "a"]


def test_repeated_events_widen_the_interval_and_leave_the_rate() -> None:
    plain = standardise.direct(COUNT, PEOPLE, WEIGHT, UNIT)
    wide = standardise.direct(COUNT, PEOPLE, WEIGHT, UNIT, variance=np.array(COUNT) * 2.0)
    np.testing.assert_allclose(plain["rate"], wide["rate"])
    np.testing.assert_allclose((wide["upper"] - wide["rate"]) / (plain["upper"] - plain["rate"]), np.sqrt(2.0))


def test_indirect_ratio_with_its_interval() -> None:
    found = standardise.indirect([0, 8, 50], [4, 8, 25])
    np.testing.assert_allclose(found["ratio"], [0, 1, 2])
    np.testing.assert_allclose(found["lower"], np.array(intervals.count_interval([0, 8, 50])[0]) / [4, 8, 25])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: standardise.direct([1], [0], [1], ["a"]), "no people"),
        (lambda: standardise.direct([-1], [10], [1], ["a"]), "negative"),
        (lambda: standardise.direct([1], [10], [-1], ["a"]), "negative"),
        (lambda: standardise.direct([1, 2], [10, 10], [1, 1], ["a"]), "not of one length"),
        (lambda: standardise.indirect([1], [0]), "above zero"),
    ],
)
def test_impossible_strata_are_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
