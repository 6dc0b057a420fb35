"""Joint draws of a multilevel fit: their moments, what happens at and near a spread of zero, and their seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gpvar.errors import StatsError
from gpvar.stats import multilevel

DRAWS = 4000


def world(areas: int, per_area: int, rows: int, sd: float, seed: int = 4) -> pd.DataFrame:
    """Return Poisson counts of sites in areas; areas have an SD of `sd`, sites one of 0.4."""
    rng = np.random.default_rng(seed)
    area, site, _ = (index.ravel() for index in np.indices((areas, per_area, rows)))
    frame = pd.DataFrame({"area": area, "site": area * per_area + site, "x": rng.normal(size=len(area))})
    effects = rng.normal(0, sd, areas)[frame["area"]] + rng.normal(0, 0.4, areas * per_area)[frame["site"]]
    frame["y"] = rng.poisson(np.exp(2.0 + 0.2 * frame["x"] + effects))
    return frame


@pytest.fixture(scope="module")
def sure() -> multilevel.MultilevelFit:
    return multilevel.fit("y ~ x", world(40, 6, 4, 0.5), family="poisson", groups=["area", "site"])


@pytest.fixture(scope="module")
def rough() -> multilevel.MultilevelFit:
    fit = multilevel.fit("y ~ x", world(10, 5, 3, 0.1), family="poisson", groups=["area", "site"])
    assert fit.estimate.free.all() and np.sqrt(fit.estimate.covariance[2, 2]) > 0.5
    return fit


@pytest.fixture(scope="module")
def boundary() -> multilevel.MultilevelFit:
    fit = multilevel.fit("y ~ x", world(12, 4, 2, 0.0), family="poisson", groups=["area", "site"])
    assert fit.variances["sd"][0] == 0
    return fit


def assert_within_monte_carlo_error(draws: np.ndarray, mean: float, sd: float) -> None:
    assert abs(draws.mean() - mean) < 4 * sd / np.sqrt(len(draws))
    assert abs(draws.std() / sd - 1) < 4 / np.sqrt(2 * len(draws))


def test_coefficients_and_log_sds_are_drawn_with_their_covariance(sure: multilevel.MultilevelFit) -> None:
    draws = sure.simulate(DRAWS, seed=4, groups=[])
    for term, row in sure.fixed.iterrows():
        assert_within_monte_carlo_error(draws.fixed[term].to_numpy(), row["estimate"], row["se"])
    errors = np.sqrt(np.diag(sure.estimate.covariance))[2:]
    for (_, row), error in zip(sure.variances.iterrows(), errors, strict=True):
        assert_within_monte_carlo_error(np.log(draws.sds[row["group"]].to_numpy()), np.log(row["sd"]), error)


@pytest.mark.parametrize("level", ["area", "site"])
def test_effects_are_drawn_with_the_uncertainty_of_the_parameters(sure: multilevel.MultilevelFit, level: str) -> None:
    found = sure.simulate(DRAWS, seed=4).effects[level]
    told = sure.modes(level)
    ratio = found.std() / told["sd_with_parameter_uncertainty"]
    # The stated SD is to first order in the parameters; 1.1 % is the Monte-Carlo error of each ratio.
    assert ratio.mean() == pytest.approx(1.0, abs=0.02) and ratio.between(0.92, 1.08).all()
    if level == "area":
        assert (found.std() > 1.05 * told["sd_given_parameters"]).all()
    distance = (found.mean() - told["mode"]) / told["sd_with_parameter_uncertainty"]
    assert distance.abs().max() < 0.15


def test_a_draw_is_joint(sure: multilevel.MultilevelFit) -> None:
    draws = sure.simulate(DRAWS, seed=4)
    intercept, mean_effect = draws.fixed["Intercept"], draws.effects["area"].mean(axis=1)
    # A higher intercept leaves less for the areas: their sum is known far better than either.
    assert np.corrcoef(intercept, mean_effect)[0, 1] < -0.9
    assert (intercept + mean_effect).std() < 0.5 * intercept.std()


def test_a_spread_known_only_roughly_is_drawn_on_its_own_scale_and_folded(rough: multilevel.MultilevelFit) -> None:
    draws = rough.simulate(DRAWS, seed=4, groups=[]).sds["area"]
    sd, error = rough.variances["sd"][0], float(np.sqrt(rough.estimate.covariance[2, 2]))
    folded = stats.foldnorm(1 / error, scale=sd * error)
    assert stats.kstest(draws, folded.cdf).pvalue > 0.01
    assert (draws >= 0).all()


def test_a_spread_of_zero_is_drawn_from_the_half_normal_that_loses_as_the_likelihood_does(
    boundary: multilevel.MultilevelFit,
) -> None:
    draws = boundary.simulate(DRAWS, seed=4, groups=[]).sds["area"]
    estimate = boundary.estimate
    place = estimate.problem.place(0)
    sds = np.linspace(0.005, 0.5, 400)
    losses = []
    for sd in sds:
        moved = estimate.parameters.copy()
        moved[place] = np.log(sd)
        losses.append(estimate.loglik - estimate.problem.engine.evaluate(moved).loglik)
    spread = float(np.interp(0.5 * 1.96**2, losses, sds)) / 1.96
    assert stats.kstest(draws, stats.halfnorm(scale=spread).cdf).pvalue > 0.01


def test_a_spread_too_near_zero_for_its_logarithm_is_drawn_no_further_than_its_profile_reaches() -> None:
    fits = (
        multilevel.fit("y ~ x", world(40, 5, 5, 0.0, seed), family="poisson", groups=["area", "site"])
        for seed in range(60)
    )
    untold = next(
        fit
        for fit in fits
        if fit.estimate.free[0] and np.sqrt(fit.estimate.covariance[len(fit.estimate.beta), len(fit.estimate.beta)]) > 1
    )
    end = untold.simulate(DRAWS, seed=4, groups=[]).sds["area"].quantile(0.975)
    upper = untold.intervals().set_index("group").loc["area", "upper"]
    assert 0.8 * upper < end < 1.3 * upper


def test_units_that_differ_less_than_chance_allows_can_be_drawn() -> None:
    trials = np.tile([300.0, 420.0, 510.0], 40)
    design = pd.DataFrame({"Intercept": 1.0}, index=range(len(trials)))
    fit = multilevel.fit_matrix(
        np.round(0.4 * trials), design, {"site": np.arange(len(trials))}, family="binomial", trials=trials
    )
    draws = fit.simulate(DRAWS, seed=4)
    assert fit.variances["sd"].iloc[0] == 0 and np.isfinite(draws.effects["site"].to_numpy()).all()


def test_a_spread_of_zero_between_few_units_is_not_drawn_without_bound() -> None:
    fit = next(
        found
        for seed in range(20)
        if (found := multilevel.fit("y ~ x", world(4, 10, 5, 0.0, seed), family="poisson", groups=["area", "site"]))
        .variances["sd"].iloc[0] == 0
    )  # fmt: skip
    draws = fit.simulate(DRAWS, seed=4, groups=[]).sds["area"]
    assert draws.std() > 0.01 and draws.quantile(0.95) < 1.5


def test_an_infinite_dispersion_stays_infinite_and_a_finite_one_is_drawn() -> None:
    frame = world(20, 5, 4, 0.3)
    poisson = multilevel.fit("y ~ x", frame, family="negative_binomial", groups=["site"])
    assert np.isinf(poisson.dispersion) and np.isinf(poisson.simulate(5, seed=4).dispersion).all()
    frame["y"] = np.random.default_rng(4).negative_binomial(2.0, 2.0 / (2.0 + frame["y"]))
    spread = multilevel.fit("y ~ x", frame, family="negative_binomial", groups=["site"])
    error = float(np.sqrt(spread.estimate.covariance[-1, -1]))
    assert_within_monte_carlo_error(
        np.log(spread.simulate(DRAWS, seed=4, groups=[]).dispersion), np.log(spread.dispersion), error
    )


def test_a_unit_without_rows_is_drawn_from_the_spread_of_its_level() -> None:
    frame = world(15, 4, 3, 0.5).assign(n=20.0)
    frame["y"] = np.minimum(frame["y"], 20)
    frame.loc[frame["area"] == 3, "n"] = 0.0
    frame.loc[frame["area"] == 3, "y"] = 0
    fit = multilevel.fit("y ~ x", frame, family="binomial", trials="n", groups=["area", "site"])
    draws = fit.simulate(DRAWS, seed=4)
    assert stats.kstest(draws.effects["area"][3] / draws.sds["area"], "norm").pvalue > 0.01


def test_the_same_seed_gives_the_same_draws_and_the_callers_random_state_is_left_alone(
    sure: multilevel.MultilevelFit,
) -> None:
    np.random.seed(1)  # noqa: NPY002 - the caller's old-style state is what is protected
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (sure.simulate(5, seed=seed) for seed in (4, 4, 5))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    pd.testing.assert_frame_equal(first.effects["site"], again.effects["site"])
    pd.testing.assert_frame_equal(first.fixed, again.fixed)
    assert not first.fixed.equals(other.fixed)


def test_effects_of_rows_are_drawn_only_when_asked_for() -> None:
    fit = multilevel.fit("y ~ x", world(12, 4, 3, 0.5), family="poisson", groups=["area", "observation"])
    assert list(fit.simulate(2, seed=4).effects) == ["area"]
    assert fit.simulate(2, seed=4, groups=["observation"]).effects["observation"].shape == (2, fit.n_rows)


def test_draws_of_a_level_that_is_not_there_are_refused(sure: multilevel.MultilevelFit) -> None:
    with pytest.raises(StatsError, match="no grouping level called 'ward'"):
        sure.simulate(2, seed=4, groups=["ward"])
    assert list(sure.simulate(2, seed=4, groups="area").effects) == ["area"]


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "10", None])
def test_a_number_of_draws_that_is_none_is_refused(sure: multilevel.MultilevelFit, n: Any) -> None:
    with pytest.raises(StatsError, match="at least one draw") as refusal:
        sure.simulate(n, seed=4)
    assert refusal.value.where == f"n is {n!r}" and refusal.value.fix


@pytest.mark.parametrize("seed", [-1, None, 1.5, True, "a"])
def test_draws_without_a_seed_that_can_be_stated_are_refused(sure: multilevel.MultilevelFit, seed: Any) -> None:
    for ask in (lambda: sure.simulate(3, seed), lambda: sure.check(seed)):
        with pytest.raises(StatsError, match="seed must be a whole number") as refusal:
            ask()
        assert refusal.value.where == f"seed is {seed!r}" and "same draws" in refusal.value.fix


def test_a_seed_of_numpy_is_kept_as_a_plain_number(sure: multilevel.MultilevelFit) -> None:
    draws = sure.simulate(2, np.int64(4), groups=[])
    assert draws.seed == 4 and type(draws.seed) is int
