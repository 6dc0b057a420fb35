"""Two real waves of the patient survey: the worst tenth of 2018 improved, by what regression to the mean gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpvar.stats import change
from tests.support import shared


@pytest.fixture(scope="module")
def waves() -> tuple[np.ndarray, np.ndarray]:
    """Percent with a good experience, by practice, in 2018 and 2019; the survey gives no counts of answers here."""
    table = pd.read_csv(shared("data", "joined", "gp_patient_survey_2018_2019.csv.gz"))
    return table["gpps2018_positive_pct"].to_numpy(), table["gpps2019_positive_pct"].to_numpy()


@pytest.fixture(scope="module")
def lowest(waves: tuple[np.ndarray, np.ndarray]) -> change.GroupChange:
    return change.waves(*waves, "low", share=0.1, seed=20260401)


def test_the_sentence_of_the_letter_is_true_as_arithmetic(lowest: change.GroupChange) -> None:
    assert (lowest.units, lowest.followed, lowest.ties) == (690, 653, 0)
    assert round(lowest.change, 1) == 4.5 and round(lowest.common, 1) == -0.7
    assert round(lowest.correlation, 3) == 0.755


def test_the_improvement_is_what_such_a_group_gives_back_by_itself(lowest: change.GroupChange) -> None:
    assert lowest.left_lower < 0.0 < lowest.left_upper
    assert lowest.given_back > 4.5 and lowest.left_upper - lowest.left_lower < 1.5
    assert lowest.expected == pytest.approx(lowest.change, abs=0.5)


def test_it_is_so_too_among_practices_that_are_in_both_waves(waves: tuple[np.ndarray, np.ndarray]) -> None:
    both = ~np.isnan(waves[0]) & ~np.isnan(waves[1])
    found = change.waves(waves[0][both], waves[1][both], "low", share=0.1, seed=20260401)
    assert (found.units, found.followed) == (665, 665) and round(found.change, 1) == 4.4
    assert found.left_lower < 0.0 < found.left_upper


def test_the_highest_tenth_fell_by_what_it_gives_back(waves: tuple[np.ndarray, np.ndarray]) -> None:
    found = change.waves(*waves, "high", share=0.1, seed=20260401)
    assert found.change < -3.0 and found.given_back < -2.5
    # Nearly all of it; the scale ends at 100 %, and practices at its top have less room than a straight line says.
    assert abs(found.left) < 0.5 * abs(found.change)


def test_the_waves_say_nothing_of_practices_that_changed_for_good(waves: tuple[np.ndarray, np.ndarray]) -> None:
    """Change for good, each practice its own way, lowers the correlation as chance does: what is foreseen holds it."""
    both = ~np.isnan(waves[0]) & ~np.isnan(waves[1])
    first, second = (wave[both] for wave in waves)
    rng = np.random.default_rng(1)
    moved = change.waves(first, second + rng.normal(0.0, 5.0, len(second)), "low", share=0.1, resamples=50)
    still = change.waves(first, second, "low", share=0.1, resamples=50)
    assert moved.correlation < still.correlation - 0.05
    assert moved.given_back == pytest.approx(still.given_back, abs=0.5)
