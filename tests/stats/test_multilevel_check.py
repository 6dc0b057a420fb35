"""Whether the checks of a multilevel model see what is wrong with it, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

from gpvar.stats import multilevel
from gpvar.stats.multilevel import MultilevelFit
from gpvar.stats.multilevel._diagnostics import ModelCheck
from gpvar.stats.multilevel._estimate import Estimate
from gpvar.stats.multilevel._residuals import drawn_effects, quantile_residuals
from gpvar.stats.multilevel._tree import eliminate, grow
from tests.support import reference

FAMILIES = ("binomial", "poisson", "negative_binomial", "gaussian")


def world(
    family: str,
    seed: int,
    *,
    areas: int = 30,
    sites: int = 8,
    rows: int = 4,
    spread: float = 0.4,
    extra: float = 0.0,
    size: float = 40.0,
) -> pd.DataFrame:
    """Rows in sites in areas with known spreads; `extra` is a spread of rows that the model is not told of."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(areas * sites), rows)
    n = len(site)
    data = pd.DataFrame({"area": site // sites, "site": site, "x": rng.normal(size=n), "w": rng.normal(size=n)})
    eta = 0.3 * data["x"] + 0.3 * rng.normal(size=areas)[data["area"]] + spread * rng.normal(size=areas * sites)[site]
    eta += extra * rng.normal(size=n) - 0.5
    if family == "binomial":
        data["n"] = rng.integers(int(size), int(2 * size), n)
        data["y"] = rng.binomial(data["n"], 1 / (1 + np.exp(-eta)))
    elif family == "poisson":
        data["y"] = rng.poisson(size * np.exp(eta))
    elif family == "negative_binomial":
        data["y"] = rng.poisson(size * np.exp(eta) * rng.gamma(6.0, 1 / 6.0, n))
    else:
        data["y"] = eta + 0.5 * rng.normal(size=n)
    return data


def fitted(
    family: str, data: pd.DataFrame, groups: tuple[str, ...] = ("area", "site"), **options: Any
) -> MultilevelFit:
    trials = {"trials": "n"} if family == "binomial" else {}
    return multilevel.fit("y ~ x + w", data, family=family, groups=list(groups), **trials, **options)


def said(check: ModelCheck, words: str) -> bool:
    """Whether one of the sentences that call for action has these words."""
    return any(words in sentence for sentence in check.advice[: check.concerns])


# ---- residuals ----------------------------------------------------------------------------------------------------


def distribution(found: Estimate, eta: np.ndarray) -> Any:
    if found.data.trials is not None:
        return stats.binom(found.data.trials, 1 / (1 + np.exp(-eta)))
    if found.data.family == "poisson":
        return stats.poisson(np.exp(eta))
    k = found.dispersion
    return stats.nbinom(k, k / (k + np.exp(eta)))


def normal_score(known: Any, count: np.ndarray) -> np.ndarray:
    """The normal score of P(Y ≤ count), from whichever tail keeps its digits."""
    return np.where(known.cdf(count) < 0.5, stats.norm.ppf(known.cdf(count)), stats.norm.isf(known.sf(count)))


@pytest.mark.parametrize("family", FAMILIES[:3])
def test_a_quantile_residual_lies_within_the_step_of_its_count(family: str) -> None:
    data = world(family, 1, areas=12, sites=4, size=3.0)
    found = fitted(family, data).estimate
    # Linear predictors well off the counts reach into both tails.
    eta = found.linear_predictor + np.random.default_rng(2).normal(size=len(data)) * 1.5
    residuals = quantile_residuals(found, eta, np.random.default_rng(3))
    known = distribution(found, eta)
    below, upto = (normal_score(known, found.data.response - step) for step in (1, 0))
    assert (residuals >= below - 1e-8).all()
    assert (residuals <= upto + 1e-8).all()
    assert np.ptp(residuals) > 6


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rows", [1, 4], ids=["one-row-a-unit", "four-rows-a-unit"])
def test_residuals_are_standard_normal_where_the_model_holds(family: str, rows: int) -> None:
    # The spread of single rows is already in two of the families.
    alone = rows == 1 and family in ("gaussian", "negative_binomial")
    data = world(family, 20, sites=32 // rows, rows=rows, spread=0.0 if alone else 0.4)
    check = fitted(family, data, ("area",) if alone else ("area", "site")).check(seed=5)
    n = len(check.residuals)
    assert check.residuals.mean() == pytest.approx(0, abs=4 / np.sqrt(n))
    assert check.residuals.std() == pytest.approx(1, abs=4 / np.sqrt(2 * n))
    shares = check.outside.set_index("limit")
    assert (abs(shares["share"] - shares["expected"]) < 4 * shares["se"]).all()
    np.testing.assert_allclose(shares["expected"], 2 * stats.norm.sf([2, 3]))
    if family != "gaussian":
        assert check.dispersion == pytest.approx(1, abs=0.15)
        assert check.dispersion_p > 0.001


def test_effects_are_drawn_from_their_distribution_given_the_data() -> None:
    codes = (np.array([0, 0, 0, 1, 1, 0, 1]), np.array([0, 0, 1, 2, 2, 1, 3]))
    sds, weights = np.array([0.7, 0.4]), np.array([3.0, 1.0, 0.5, 8.0, 2.0, 4.0, 0.1])
    columns = np.hstack([np.eye(2)[codes[0]], np.eye(4)[codes[1]]])
    prior = np.diag(1 / np.repeat(sds**2, (2, 4)))
    covariance = columns @ linalg.inv(columns.T @ (columns * weights[:, None]) + prior) @ columns.T
    tree = grow(codes)
    pivots = eliminate(tree, sds[::-1], tree.sum_up(0, weights[tree.order]))
    rng, draws = np.random.default_rng(8), 40_000
    drawn = np.empty((draws, 7))
    for each in drawn:
        each[tree.order] = drawn_effects(pivots, rng)
    spread = np.sqrt((covariance**2 + np.outer(np.diag(covariance), np.diag(covariance))) / draws)
    assert (abs(drawn.T @ drawn / draws - covariance) < 5 * spread).all()


@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian"])
def test_degrees_of_freedom_are_those_of_the_hat_matrix(family: str) -> None:
    found = fitted(family, world(family, 3, areas=6, sites=3, rows=3)).estimate
    data, p = found.data, len(found.beta)
    columns = np.hstack([data.design, *(np.eye(len(u))[c] for u, c in zip(data.units, data.codes, strict=True))])
    sizes = [len(units) for units in data.units]
    prior = np.diag(np.r_[np.zeros(p), 1 / np.repeat(found.sds**2, sizes)])
    weighted = columns.T @ (columns * found.weights[:, None])
    taken = np.trace(linalg.solve(weighted + prior, weighted))
    check = MultilevelFit.of(found, "").check()
    assert check.dispersion_df == pytest.approx(len(data.response) - taken, rel=1e-9)


@pytest.mark.parametrize(("family", "remedy"), [("binomial", "'observation'"), ("poisson", "negative_binomial")])
def test_spread_that_the_model_is_not_told_of_is_seen_with_its_remedy(family: str, remedy: str) -> None:
    data = world(family, 6, extra=0.3)
    check = fitted(family, data).check()
    assert check.dispersion > 1.5
    assert said(check, "times as much as")
    assert said(check, remedy)
    groups = ("area", "site", "observation")
    cured = fitted(family, data, groups).check()
    assert not said(cured, "times as much as")
    assert any("part of its SD" in sentence for sentence in cured.advice[cured.concerns :])


def test_counts_that_vary_too_little_are_seen() -> None:
    data = world("poisson", 7)
    tame = data.assign(y=np.rint(fitted("poisson", data).predict(marginal=False)))
    assert said(fitted("poisson", tame).check(), "vary only")


def test_zeros_that_should_not_be_there_are_seen() -> None:
    data = world("poisson", 9)
    data.loc[np.random.default_rng(1).random(len(data)) < 0.08, "y"] = 0
    check = fitted("negative_binomial", data).check()
    assert said(check, "missing values written as zeros")
    assert check.zeros["observed"].iloc[0] == (data["y"] == 0).sum()
    assert fitted("binomial", world("binomial", 9)).check().zeros.empty


def test_single_trials_cannot_show_their_dispersion() -> None:
    data = world("binomial", 10).assign(n=1)
    data["y"] = (np.random.default_rng(2).random(len(data)) < 0.4).astype(int)
    check = fitted("binomial", data, ("area",)).check()
    assert np.isnan(check.dispersion)
    assert any("single trial" in sentence for sentence in check.advice[check.concerns :])


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_rows_that_are_units_are_not_taken_for_single_trials(family: str) -> None:
    # So many events that each effect takes up its row: no degrees of freedom are left.
    data = world(family, 8, areas=40, sites=1, rows=1, spread=0.5, size=60_000)
    check = fitted(family, data, ("area",)).check()
    assert np.isnan(check.dispersion) and check.dispersion_df < 1
    unchecked = check.advice[check.concerns :]
    assert not any("single trial" in sentence for sentence in check.advice)
    assert any("Each row is a unit of 'area'" in sentence for sentence in unchecked)


def test_rows_far_out_are_seen_and_the_furthest_is_named() -> None:
    data = world("gaussian", 11)
    some = np.arange(3, 960, 50)
    data.loc[some, "y"] += 3
    data.loc[640, "y"] -= 6
    assert said(fitted("gaussian", data).check(), "the furthest is row 641")
    alone = world("gaussian", 11)
    alone.loc[640, "y"] -= 6
    assert said(fitted("gaussian", alone).check(), "Row 641 lies")


def test_residuals_stand_at_the_rows_that_were_given() -> None:
    data = pd.read_csv(reference("edge_separation_bin.csv"))
    data["n"] = data["num"] + data["bad"]
    found = multilevel.fit("num ~ x + grp", data, family="binomial", trials="n", groups=["practice"])
    check = found.check()
    np.testing.assert_array_equal(np.isnan(check.residuals), data["grp"] == "B")
    assert said(check, "No estimate could be had for 'grp[T.B]'")


def test_a_check_is_the_same_with_the_same_seed_and_leaves_the_callers_random_state_alone() -> None:
    found = fitted("poisson", world("poisson", 12, areas=12))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(found.check(seed=3).residuals, found.check(seed=3).residuals)
    assert (found.check(seed=3).residuals != found.check(seed=4).residuals).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# ---- influence ----------------------------------------------------------------------------------------------------


def test_the_influence_of_a_unit_is_exact_for_a_gaussian_model_at_its_sds() -> None:
    found = fitted("gaussian", world("gaussian", 13, areas=7, sites=3, rows=3))
    data, e = found.estimate.data, found.estimate
    marginal = e.residual_sd**2 * np.eye(found.n_rows)
    for sd, codes in zip(e.sds, data.codes, strict=True):
        marginal += sd**2 * (codes[:, None] == codes[None, :])
    changes = found.check().changes
    assert list(changes.columns) == ["Intercept", "x", "w"]
    for unit, code in enumerate(data.units[0]):
        left = data.codes[0] != unit
        weights = linalg.inv(marginal[np.ix_(left, left)])
        design = data.design[left]
        without = linalg.solve(design.T @ weights @ design, design.T @ weights @ data.response[left])
        np.testing.assert_allclose(changes.loc[code], (without - e.beta) / found.fixed["se"], atol=1e-9)


@pytest.mark.reference
def test_the_influence_of_a_unit_is_near_that_of_a_fit_without_it() -> None:
    # One Newton step goes to within 0.02 of a standard error here. For the model m of sim_icb150_bin, its SDs held:
    # th <- getME(m, "theta")
    # dev <- glmer(f, d[d$pcn != g, ], binomial, devFunOnly = TRUE, control = glmerControl(tolPwrss = 1e-12))
    # o <- optim(b0, function(b) dev(c(th, b)), method = "BFGS", control = list(reltol = 1e-14, parscale = se))
    # (o$par - b0)/se
    refitted = {
        "U00000": [-0.3297841219, 0.3433366568, -0.2084394147, 0.07825894759],
        "U00001": [-0.09416701129, 0.02841203134, 0.0365368595, 0.1145547355],
        "U00002": [0.03888605077, -0.1228237534, -0.08366467886, 0.08221434907],
        "U00003": [-0.1117898513, 0.07099441483, 0.06824213544, -0.02259197554],
        "U00004": [-0.4153351641, -0.02320310884, -0.01884845568, 0.116954344],
        "U00005": [-0.02804087924, -0.05659287998, -0.05419222641, 0.2831744847],
    }
    data = pd.read_csv(reference("sim_icb150_bin.csv"))
    data["n"] = data["good"] + data["bad"]
    found = multilevel.fit("good ~ imd + age65 + prev", data, family="binomial", trials="n", groups=["pcn", "practice"])
    changes = found.check().changes
    for unit, expected in refitted.items():
        np.testing.assert_allclose(changes.loc[unit], expected, rtol=0, atol=0.02)


def test_a_unit_that_decides_a_coefficient_is_named() -> None:
    data = world("gaussian", 14)
    last = data["area"] == 29
    data.loc[last, "x"] *= 5
    data.loc[last, "y"] += 0.7 * data.loc[last, "x"]
    check = fitted("gaussian", data).check()
    assert check.influence["largest"].abs().idxmax() == 29
    assert said(check, "Leaving out area '29' would move the coefficient of x")
    assert (check.changes.abs().max(axis=1) == check.influence["largest"].abs()).all()


def test_a_unit_that_carries_a_column_alone_is_named() -> None:
    data = world("gaussian", 15)
    data["w"] = (data["area"] == 4) * data["w"]
    check = fitted("gaussian", data).check()
    assert check.changes.loc[4].isna().all()
    assert check.changes.drop(index=4).notna().all(axis=None)
    assert said(check, "rests on area '4' alone")


# ---- effects and counts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "unit"), [(-1, "low"), (1, "high")])
def test_effects_that_reach_further_to_one_side_are_seen(side: int, unit: str) -> None:
    rng = np.random.default_rng(16)
    effects = side * rng.exponential(0.5, 300)
    site = np.repeat(np.arange(300), 3)
    data = pd.DataFrame({"site": site, "y": rng.poisson(60 * np.exp(effects[site]))})
    check = multilevel.fit("y ~ 1", data, family="poisson", groups=["site"]).check()
    row = check.shape.iloc[0]
    assert row["skewness"] * side > 1
    assert int(row[f"{unit}est"]) in np.argsort(side * effects)[-5:]
    assert said(check, f"further to the {unit} side")
    assert 0.8 < row["reliability"] < 1


def test_a_few_units_far_out_on_both_sides_are_seen() -> None:
    rng = np.random.default_rng(17)
    effects = 0.2 * rng.normal(size=400)
    effects[[7, 8, 9, 10]] = [1.3, -1.3, 1.0, -1.0]
    site = np.repeat(np.arange(400), 3)
    data = pd.DataFrame({"site": site, "y": rng.poisson(200 * np.exp(effects[site]))})
    check = multilevel.fit("y ~ 1", data, family="poisson", groups=["site"]).check()
    assert said(check, "far out than a normal spread has")
    assert said(check, "'8' and '7'")


def test_the_modes_of_normal_effects_have_the_spread_that_they_are_divided_by() -> None:
    found = fitted("poisson", world("poisson", 18, areas=100, sites=5)).estimate
    for sd, modes, left in zip(found.sds, found.effects, found.effect_sd_given_parameters, strict=True):
        spread = np.std(modes / np.sqrt(sd**2 - left**2))
        assert spread == pytest.approx(1, abs=4 / np.sqrt(2 * len(modes)))


def test_shapes_are_read_from_twenty_units_or_more() -> None:
    check = fitted("poisson", world("poisson", 19, areas=12)).check()
    area, site = check.shape.to_dict("records")
    assert np.isnan(area["skewness"])
    assert site["units"] == 96
    assert any("12 units of 'area'" in sentence for sentence in check.advice[check.concerns :])


@pytest.mark.parametrize("groups", ["clinic", "observation"])
def test_the_shape_of_effects_behind_few_events_is_not_judged(groups: str) -> None:
    rng = np.random.default_rng(4)
    clinic = np.repeat(np.arange(500), 4)
    effects = rng.normal(0, 3, 500)
    if groups == "clinic":
        y = (rng.random(2000) < 1 / (1 + np.exp(2 - effects[clinic]))).astype(int)
        options: dict[str, Any] = {"family": "binomial", "n_quadrature": 25}
    else:
        y, options = rng.poisson(1.5 * np.exp(rng.normal(0, 0.7, 2000))), {"family": "poisson"}
    check = multilevel.fit("y ~ 1", pd.DataFrame({"clinic": clinic, "y": y}), groups=groups, **options).check()
    assert check.shape["skewness"].iloc[0] > 0.3, "effects that are normal, and do not look so"
    assert not said(check, "further to the")
    assert not any("look normal" in sentence for sentence in check.advice)
    assert any(f"of '{groups}' could not be judged" in sentence for sentence in check.advice[check.concerns :])


def test_small_counts_ask_for_quadrature() -> None:
    rng = np.random.default_rng(21)
    site = np.repeat(np.arange(200), 4)
    data = pd.DataFrame({"site": site, "y": rng.poisson(0.6 * np.exp(0.5 * rng.normal(size=200))[site])})
    check = multilevel.fit("y ~ 1", data, family="poisson", groups=["site"]).check()
    assert check.counts["mean"].iloc[0] == pytest.approx(data["y"].sum() / 200)
    assert check.counts["below_5"].iloc[0] == (data.groupby("site")["y"].sum() < 5).mean()
    assert said(check, "n_quadrature=9 or more")
    by_points = multilevel.fit("y ~ 1", data, family="poisson", groups=["site"], n_quadrature=9).check()
    assert not said(by_points, "n_quadrature")


def test_few_units_and_no_spread_are_said() -> None:
    check = fitted("poisson", world("poisson", 22, areas=6)).check()
    assert said(check, "'area' has only 6 units")
    data = pd.read_csv(reference("edge_zerovar_bin.csv"))
    data["n"] = data["num"] + data["bad"]
    flat = multilevel.fit("num ~ x", data, family="binomial", trials="n", groups=["pcn", "practice"]).check()
    assert any("The SD of 'pcn' is zero" in sentence for sentence in flat.advice)
    assert flat.shape.empty


# ---- as a whole ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_where_all_is_well_hardly_anything_calls_for_action(family: str) -> None:
    checks = [fitted(family, world(family, seed, areas=24, sites=6)).check() for seed in range(20)]
    sound = [check for check in checks if check.concerns == 0]
    # At one false alarm in a hundred models, more than one of 20 comes in 2 % of runs.
    assert len(sound) >= 19
    for text in map(str, sound):
        assert text.startswith("Nothing calls for action.\n- ")
        assert "look normal" in text
        assert "decides a result" in text


def test_concerns_come_first_and_are_marked() -> None:
    lines = str(fitted("binomial", world("binomial", 6, extra=0.3)).check()).splitlines()
    assert lines[0] == "Before these results are used:"
    marks = [line[0] for line in lines[1:]]
    assert marks == sorted(marks)
    assert set(marks) == {"!", "-"}


def test_every_figure_of_a_check_is_in_its_frame() -> None:
    check = fitted("poisson", world("poisson", 23)).check()
    frame = check.to_frame().set_index(["check", "item", "statistic"]).sort_index()
    assert list(frame.columns) == ["value", "expected", "se"]
    assert frame.loc[("residuals", "", "dispersion"), "value"] == check.dispersion
    assert frame.loc[("shape", "site", "skewness"), "value"] == check.shape["skewness"].iloc[1]
    assert abs(frame.loc["influence", "value"].iloc[0]) == check.influence["largest"].abs().max()
    assert not frame.index.has_duplicates
