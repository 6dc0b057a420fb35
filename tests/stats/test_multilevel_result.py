"""What a fitted multilevel model says of itself: its tables, predictions, shares of variance and text."""

from __future__ import annotations

import copy
import io
import itertools
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import integrate, optimize, special, stats

from gpvar.errors import StatsError
from gpvar.stats import multilevel
from gpvar.stats.multilevel import MultilevelFit, _start
from gpvar.stats.multilevel._prediction import mean_share
from tests.support import reference

LEVELS = ["pcn", "practice"]


def case(name: str) -> pd.DataFrame:
    data = pd.read_csv(reference(f"{name}.csv"))
    if "bad" in data:
        good = "good" if "good" in data else "num"
        data["n"] = data[good] + data["bad"]
        data["logit"] = np.log((data[good] + 0.5) / (data["bad"] + 0.5))
    if "loglist" in data:
        data["list"] = np.exp(data["loglist"])
    return data


@pytest.fixture(scope="module")
def shares() -> MultilevelFit:
    return multilevel.fit(
        "good ~ imd + age65 + prev", case("sim_icb150_bin"), family="binomial", trials="n", groups=LEVELS
    )


@pytest.fixture(scope="module")
def counts() -> MultilevelFit:
    data = case("sim_icb150_pois")
    return multilevel.fit("ag ~ imd + age65 + prev", data, family="poisson", exposure="list", groups=LEVELS)


@pytest.fixture(scope="module")
def dispersed() -> MultilevelFit:
    data = case("sim_icb150_nb")
    return multilevel.fit(
        "ag_nb ~ imd + age65 + prev", data, family="negative_binomial", exposure="list", groups=["pcn"]
    )


@pytest.fixture(scope="module")
def normal() -> MultilevelFit:
    return multilevel.fit("logit ~ imd + age65", case("sim_icb150_bin"), family="gaussian", groups=["pcn"])


@pytest.fixture(scope="module")
def separated() -> MultilevelFit:
    return multilevel.fit(
        "num ~ x + grp", case("edge_separation_bin"), family="binomial", trials="n", groups=["practice"]
    )


@pytest.fixture(scope="module")
def boundary() -> MultilevelFit:
    return multilevel.fit("num ~ x", case("edge_zerovar_bin"), family="binomial", trials="n", groups=LEVELS)


# ---- the tables ---------------------------------------------------------------------------------------------------


@pytest.mark.reference
def test_fixed_effects_and_criteria_are_those_of_lme4(shares: MultilevelFit) -> None:
    # m <- glmer(cbind(good, bad) ~ imd + age65 + prev + (1|practice) + (1|pcn), d, binomial, control = glmerControl(
    #   "bobyqa", optCtrl = list(rhoend = 1e-9), tolPwrss = 1e-12)); summary(m)$coefficients; AIC(m); BIC(m)
    expected = pd.DataFrame(
        {
            "estimate": [0.5615480908537, -0.2926219602283, 0.1622269601968, 0.0824347753841],
            "se": [0.0343387547486, 0.0353279681354, 0.0326871541223, 0.0273694267388],
            "z": [16.35318738157, -8.28301132707, 4.96301879294, 3.01192919278],
            "p": [4.12810151630e-60, 1.20098993944e-16, 6.94058635033e-07, 2.59593141771e-03],
        },
        index=["Intercept", "imd", "age65", "prev"],
    )
    for column in expected:
        np.testing.assert_allclose(shares.fixed[column], expected[column], rtol=1e-2 if column == "p" else 1e-3)
    assert list(shares.fixed.index) == list(expected.index)
    assert (shares.aic, shares.bic) == pytest.approx((1075.51982037, 1093.58363214), abs=2e-4)
    assert shares.n_parameters == 6


@pytest.mark.reference
@pytest.mark.parametrize(
    ("reml", "aic", "bic", "residual"),
    # m <- lmer(y ~ imd + age65 + (1|pcn), d, REML = reml); AIC(m); BIC(m); sigma(m)   with y = log((good+.5)/(bad+.5))
    [(True, 163.090616334, 178.143792804, 0.37667308435), (False, 148.33421365, 163.38739012, 0.37458651945)],
)
def test_criteria_of_a_gaussian_model_count_its_residual_as_lme4_does(
    reml: bool, aic: float, bic: float, residual: float
) -> None:
    found = multilevel.fit("logit ~ imd + age65", case("sim_icb150_bin"), family="gaussian", groups=["pcn"], reml=reml)
    assert (found.aic, found.bic) == pytest.approx((aic, bic), abs=1e-5)
    assert list(found.variances["group"]) == ["pcn", "Residual"]
    assert found.variances["sd"].iloc[-1] == pytest.approx(residual, rel=1e-4)
    assert found.variances["units"].iloc[-1] == 150


@pytest.mark.reference
def test_criteria_of_a_negative_binomial_count_its_dispersion_as_glmmtmb_does(dispersed: MultilevelFit) -> None:
    # m <- glmmTMB(ag_nb ~ imd + age65 + prev + offset(loglist) + (1|pcn), q, nbinom2); AIC(m); BIC(m)
    assert (dispersed.aic, dispersed.bic) == pytest.approx((1201.51496093, 1219.5787727), abs=1e-4)


def test_a_dispersion_is_not_held_within_the_bounds_of_its_start() -> None:
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(40), 50)
    mean = 50 * np.exp(0.5 * rng.normal(size=40))[unit]
    data = pd.DataFrame({"unit": unit, "y": rng.poisson(mean * rng.gamma(0.02, 50.0, 2000))})
    found = multilevel.fit("y ~ 1", data, family="negative_binomial", groups=["unit"])
    assert found.dispersion == pytest.approx(0.02, rel=0.2)
    assert found.dispersion < _start._K_RANGE[0] / 2


def test_wald_intervals_are_those_of_the_normal_distribution(shares: MultilevelFit) -> None:
    row = shares.fixed.loc["imd"]
    assert (row["lower"], row["upper"]) == pytest.approx(stats.norm.interval(0.95, row["estimate"], row["se"]))


def test_a_column_without_an_estimate_keeps_its_row(separated: MultilevelFit) -> None:
    assert list(separated.fixed.index) == ["Intercept", "grp[T.B]", "x"]
    assert separated.fixed.loc["grp[T.B]"].isna().all()
    assert separated.fixed.drop("grp[T.B]").notna().all(axis=None)
    assert separated.n_parameters == 3
    assert any("grp[T.B]" in note for note in separated.notes)


def test_units_of_a_level_are_listed_with_both_kinds_of_sd(shares: MultilevelFit) -> None:
    frame = shares.modes("pcn")
    assert frame.index.name == "pcn"
    assert len(frame) == shares.n_units["pcn"]
    assert frame["rows"].sum() == shares.n_rows == 150
    assert (frame["sd_with_parameter_uncertainty"] > frame["sd_given_parameters"]).all()
    with pytest.raises(StatsError, match="Did you mean 'practice'"):
        shares.modes("practise")


def test_a_unit_without_rows_keeps_the_spread_of_its_level(separated: MultilevelFit) -> None:
    frame = separated.modes("practice")
    lost = frame[frame["rows"] == 0]
    assert len(lost) > 0
    assert (lost["mode"] == 0).all()
    np.testing.assert_allclose(lost["sd_given_parameters"], separated.variances["sd"].iloc[0])


def test_each_level_is_tested_on_a_row_of_its_own(shares: MultilevelFit, boundary: MultilevelFit) -> None:
    tests = shares.likelihood_ratio()
    assert list(tests.columns) == ["group", "loglik_without", "statistic", "p"]
    assert list(tests["group"]) == LEVELS
    np.testing.assert_allclose(tests["statistic"], 2 * (shares.loglik - tests["loglik_without"]))
    np.testing.assert_allclose(tests["p"], 0.5 * stats.chi2.sf(tests["statistic"], 1))
    assert boundary.likelihood_ratio()["statistic"].max() < 1e-10


def test_every_number_goes_through_a_csv_file_and_back(dispersed: MultilevelFit, normal: MultilevelFit) -> None:
    for found in (dispersed, normal):
        frame = found.to_frame()
        back = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
        pd.testing.assert_frame_equal(back, frame, rtol=1e-15)
    assert set(dispersed.to_frame()["part"]) == {"fixed", "sd", "dispersion", "units", "fit"}


def test_the_standard_error_of_an_sd_is_that_of_its_logarithm_times_it(shares: MultilevelFit) -> None:
    frame = shares.to_frame().query("part == 'sd'").set_index("group")
    logs = np.sqrt(np.diag(shares.estimate.covariance)[-2:])
    np.testing.assert_allclose(frame["se"] / frame["estimate"], logs)


def test_the_summary_says_what_was_fitted_and_what_to_do_next(
    separated: MultilevelFit, boundary: MultilevelFit
) -> None:
    text = separated.summary()
    for words in (
        "num ~ x + grp",
        "Binomial, logit link",
        "practice (60 units)",
        "grp[T.B]",
        "none",
        "Notes",
        ".check()",
    ):
        assert words in text
    assert f"{separated.n_rows} of 60 given" in text
    assert text == str(separated)
    assert "on the boundary: no spread beyond what the rest expects" in boundary.summary()
    assert max(map(len, separated.summary().split("Notes")[0].splitlines())) < 160


# ---- predictions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sd", [0.05, 0.3, 1.0, 2.0, 4.0, 8.0])
def test_shares_are_averaged_over_units_to_ten_digits(sd: float) -> None:
    centres = np.array([-9.0, -3.0, -0.4, 0.0, 1.7, 6.0])

    def brute(eta: float) -> float:
        turn = float(np.clip(-eta / sd, -11.0, 11.0))
        pieces = [-14.0, turn - 1.0, turn, turn + 1.0, 14.0]
        density = lambda z: special.expit(eta + sd * z) * stats.norm.pdf(z)  # noqa: E731
        ends = itertools.pairwise(pieces)
        return sum(integrate.quad(density, a, b, epsabs=1e-15, epsrel=1e-13)[0] for a, b in ends)

    np.testing.assert_allclose(mean_share(centres, sd), [brute(eta) for eta in centres], rtol=1e-10, atol=0)


def test_the_marginal_mean_is_that_of_simulated_units(shares: MultilevelFit) -> None:
    estimate, rng, draws = shares.estimate, np.random.default_rng(11), 400_000
    eta = estimate.data.design[0] @ estimate.beta
    units = special.expit(eta + rng.standard_normal((draws, 2)) @ estimate.sds)
    error = units.std() / np.sqrt(draws)
    assert shares.predict()[0] == pytest.approx(units.mean(), abs=4 * error)
    assert error < 2e-4


@pytest.mark.reference
def test_predictions_of_shares_are_those_of_lme4(shares: MultilevelFit) -> None:
    # predict(m, type = "response")[1:3]; predict(m, re.form = NA, ...); predict(m, re.form = ~(1|pcn), ...)
    own, middle, area = (
        [0.81789006944, 0.730246010744, 0.729930988718],
        [0.765893334089, 0.702029927633, 0.737131364133],
        [0.777442015617, 0.715559021993, 0.749635085692],
    )
    np.testing.assert_allclose(shares.predict(marginal=False)[:3], own, rtol=2e-5)
    np.testing.assert_allclose(shares.predict(marginal=False, given=[])[:3], middle, rtol=2e-5)
    np.testing.assert_allclose(shares.predict(marginal=False, given=["pcn"])[:3], area, rtol=2e-5)


@pytest.mark.reference
def test_predictions_of_counts_are_those_of_lme4_and_glmmtmb(counts: MultilevelFit, dispersed: MultilevelFit) -> None:
    # predict(m, type = "response")[1:3]; predict(m, re.form = NA, type = "response")[1:3]
    np.testing.assert_allclose(
        counts.predict(marginal=False)[:3], [56.8445633861, 50.8356722574, 33.1950799528], rtol=2e-5
    )
    np.testing.assert_allclose(
        counts.predict(marginal=False, given=[])[:3], [32.5971613877, 45.3114394793, 27.9594355042], rtol=2e-5
    )
    np.testing.assert_allclose(
        dispersed.predict(marginal=False)[:3], [39.6663559191, 56.5197611543, 34.8263440999], rtol=2e-5
    )


def test_a_mean_count_is_the_middle_one_times_the_log_normal_factor(counts: MultilevelFit) -> None:
    total = float(np.sum(counts.variances["variance"]))
    middle = counts.predict(marginal=False, given=[])
    np.testing.assert_allclose(counts.predict() / middle, np.exp(total / 2))
    within = counts.predict(given=["pcn"]) / counts.predict(marginal=False, given=["pcn"])
    np.testing.assert_allclose(within, np.exp(counts.variances["variance"].iloc[1] / 2))


def test_averaging_changes_nothing_on_a_straight_link(normal: MultilevelFit, counts: MultilevelFit) -> None:
    np.testing.assert_array_equal(normal.predict(), normal.predict(marginal=False, given=[]))
    np.testing.assert_array_equal(counts.predict(scale="link"), np.log(counts.predict(marginal=False, given=[])))
    np.testing.assert_allclose(counts.predict(marginal=False, scale="link"), counts.estimate.linear_predictor)


@pytest.mark.parametrize("options", [{}, {"marginal": False}, {"given": ["pcn"]}], ids=["mean", "own", "area"])
def test_the_rows_of_the_fit_read_anew_are_predicted_as_before(counts: MultilevelFit, options: dict[str, Any]) -> None:
    data = case("sim_icb150_pois").iloc[::-1]
    np.testing.assert_allclose(counts.predict(data, **options), counts.predict(**options)[::-1], rtol=1e-12)
    without = data.drop(columns=["ag", "practice"])
    np.testing.assert_allclose(counts.predict(without)[:5], counts.predict(data)[:5])


def test_a_doubled_exposure_doubles_the_count(counts: MultilevelFit) -> None:
    data = case("sim_icb150_pois").head(4)
    np.testing.assert_allclose(counts.predict(data.assign(list=2 * data["list"])), 2 * counts.predict(data))


def test_unknown_units_are_refused_by_name_or_taken_as_in_the_middle(counts: MultilevelFit) -> None:
    data = case("sim_icb150_pois").head(3).assign(practice=["P00000", "Z1", "Z2"])
    with pytest.raises(StatsError, match="not fitted to") as refusal:
        counts.predict(data, marginal=False)
    assert refusal.value.where == "practice: 'Z1' and 'Z2'"
    found = counts.predict(data, marginal=False, unknown="zero")
    assert found[0] == pytest.approx(counts.predict(marginal=False)[0])
    np.testing.assert_allclose(found[1:], counts.predict(data, marginal=False, given=["pcn"])[1:])
    with pytest.raises(StatsError, match="unknown is not one"):
        counts.predict(data, unknown="skip")


def test_a_unit_in_another_parent_than_its_own_is_refused(counts: MultilevelFit) -> None:
    data = case("sim_icb150_pois")
    own, other = data["pcn"].iloc[0], data.loc[data["pcn"] != data["pcn"].iloc[0], "pcn"].iloc[0]
    moved = data.head(3).assign(pcn=[own, other, own])
    unit = data["practice"].iloc[1]
    home = data["pcn"].iloc[1]
    assert home != other
    for options in ({"marginal": False}, {"given": LEVELS}, {"given": ["practice"]}):
        with pytest.raises(StatsError, match="were not fitted in") as refusal:
            counts.predict(moved, **options)
        assert f"row 2: practice '{unit}' was fitted in pcn '{home}', and is here in pcn '{other}'" in (
            refusal.value.where
        )
    assert len(counts.predict(moved)) == 3
    strange = data.head(3).assign(pcn="Z9")
    with pytest.raises(StatsError, match="were not fitted in"):
        counts.predict(strange, marginal=False, unknown="zero")
    np.testing.assert_allclose(counts.predict(strange, given=["practice"]), counts.predict(given=["practice"])[:3])
    new = moved.assign(practice=["P00000", "Z1", "Z2"])
    assert np.isfinite(counts.predict(new, marginal=False, unknown="zero")).all()


def test_a_unit_in_another_place_two_levels_above_is_refused() -> None:
    rng = np.random.default_rng(2)
    site = np.repeat(np.arange(48), 3)
    data = pd.DataFrame({"area": site // 12, "town": site // 4, "site": site, "y": rng.poisson(20.0, 144)})
    data["y"] += 4 * data["area"] + rng.poisson(5, 12)[data["town"]] + rng.poisson(5, 48)[site]
    found = multilevel.fit("y ~ 1", data, family="poisson", groups=["area", "town", "site"])
    new = pd.DataFrame({"area": [0, 1], "site": [0, 0]})
    with pytest.raises(StatsError, match="into a unit of 'area'") as refusal:
        found.predict(new, given=["area", "site"])
    assert refusal.value.where.startswith("row 2: site '0' was fitted in area '0', and is here in area '1'; 1 such row")
    assert len(found.predict(new.head(1), given=["area", "site"])) == 1


def test_a_count_beyond_all_numbers_is_infinite_and_a_share_is_one(
    counts: MultilevelFit, shares: MultilevelFit
) -> None:
    slope = np.sign(counts.fixed.loc["imd", "estimate"])
    far = case("sim_icb150_pois").head(2).assign(imd=[0.0, slope * 1e5])
    for options in ({}, {"marginal": False}):
        found = counts.predict(far, **options)
        assert np.isfinite(found[0]) and found[1] == np.inf
    assert np.isfinite(counts.predict(far, scale="link")).all()
    slope = np.sign(shares.fixed.loc["imd", "estimate"])
    assert shares.predict(case("sim_icb150_bin").head(1).assign(imd=slope * 1e5))[0] == pytest.approx(1.0)


def test_a_linear_predictor_beyond_all_numbers_is_refused() -> None:
    x = np.arange(12.0)
    data = pd.DataFrame({"x": x, "unit": np.arange(12) // 3, "y": 5 * x + np.random.default_rng(1).normal(size=12)})
    found = multilevel.fit("y ~ x", data, family="gaussian", groups=["unit"])
    with pytest.raises(StatsError, match="larger than any number") as refusal:
        found.predict(pd.DataFrame({"x": [1.0, 1e308]}))
    assert refusal.value.where == "new data, row 2: inf"


def test_units_are_asked_for_only_where_they_play_a_part(counts: MultilevelFit) -> None:
    data = case("sim_icb150_pois").drop(columns=["practice"])
    with pytest.raises(StatsError, match="no column 'practice'"):
        counts.predict(data, marginal=False)
    with pytest.raises(StatsError, match="Did you mean 'practice'"):
        counts.predict(data, given=["practices"])
    assert len(counts.predict(data, given="pcn")) == 150


def test_rows_that_need_a_coefficient_without_an_estimate_are_nan(separated: MultilevelFit) -> None:
    data = case("edge_separation_bin")
    lost = (data["grp"] == "B").to_numpy()
    for found in (separated.predict(), separated.predict(data), separated.predict(marginal=False)):
        np.testing.assert_array_equal(np.isnan(found), lost)


def test_a_column_that_others_carry_costs_no_prediction(counts: MultilevelFit) -> None:
    data = case("sim_icb150_pois")
    data["half"] = 0.5 * data["imd"] + 1.0
    found = multilevel.fit("ag ~ imd + age65 + prev + half", data, family="poisson", exposure="list", groups=LEVELS)
    assert np.isnan(found.fixed.loc["half", "estimate"])
    np.testing.assert_allclose(found.predict(data), counts.predict(), rtol=1e-6)
    level = multilevel.fit("ag ~ imd + half", data.assign(half=0.3), family="poisson", exposure="list", groups=LEVELS)
    np.testing.assert_allclose(level.predict(data.assign(half=0.3)), level.predict(), rtol=1e-12)
    strange = data.assign(half=np.where(data.index == 3, 7.0, data["half"]))
    np.testing.assert_array_equal(np.isnan(found.predict(strange)), data.index == 3)


def test_a_new_row_has_no_observation_of_its_own() -> None:
    data = case("sim_icb150_pois")
    found = multilevel.fit("ag ~ imd", data, family="poisson", exposure="list", groups=["pcn", "observation"])
    new = found.predict(data, marginal=False)
    np.testing.assert_allclose(new, found.predict(marginal=False, given=["pcn"]))
    np.testing.assert_allclose(found.predict(data), found.predict())
    with pytest.raises(StatsError, match="no column 'observation'"):
        found.predict(data, given=["observation"])


def test_a_fit_from_arrays_is_predicted_from_arrays() -> None:
    data = case("sim_icb150_pois")
    design = data[["imd", "age65"]].assign(one=1.0)
    found = multilevel.fit_matrix(data["ag"], design, data[["pcn"]], family="poisson", exposure=data["list"])
    np.testing.assert_allclose(found.predict(design, offset=np.log(data["list"])), found.predict())
    named = design.assign(pcn=data["pcn"])[["pcn", "one", "imd", "age65"]]
    own = found.predict(named, marginal=False, offset=np.log(data["list"]))
    np.testing.assert_allclose(own, found.predict(marginal=False))
    assert "3 ready columns" in found.summary()
    with pytest.raises(StatsError, match="do not say theirs"):
        found.predict(design)
    with pytest.raises(StatsError, match="has no column 'age65'"):
        found.predict(design.drop(columns="age65"), offset=0.0)
    with pytest.raises(StatsError, match="its shape is"):
        found.predict(design.to_numpy()[:, :2], offset=0.0)
    with pytest.raises(StatsError, match="row 2: nan"):
        found.predict([[1.0, 2.0, 1.0], [0.0, np.nan, 1.0]], offset=0.0)
    with pytest.raises(StatsError, match="data and offset have different indexes"):
        found.predict(design, offset=np.log(data["list"])[::-1])
    with pytest.raises(StatsError, match="not have the same number of rows"):
        found.predict(design, offset=np.zeros(3))
    with pytest.raises(StatsError, match="must be a finite number"):
        found.predict(design, offset=np.nan)


def test_a_fit_can_be_copied_and_says_why_it_cannot_be_pickled(counts: MultilevelFit) -> None:
    for copied in (copy.copy(counts), copy.deepcopy(counts)):
        assert copied is not counts and copied.summary() == counts.summary()
        data = case("sim_icb150_pois")
        np.testing.assert_array_equal(copied.predict(data), counts.predict(data))
        pd.testing.assert_frame_equal(copied.likelihood_ratio(), counts.likelihood_ratio())
    deep = copy.deepcopy(counts)
    deep.estimate.beta[:] = 0.0
    deep.fixed["estimate"] = 0.0
    assert (counts.estimate.beta != 0).all() and (counts.fixed["estimate"] != 0).all()
    with pytest.raises(StatsError, match="cannot be pickled") as refusal:
        pickle.dumps(counts)
    assert "ag ~ imd" in refusal.value.where and ".to_frame()" in refusal.value.fix


def test_an_offset_is_only_given_where_it_is_used(counts: MultilevelFit) -> None:
    with pytest.raises(StatsError, match="only be given with new data"):
        counts.predict(offset=0.0)
    with pytest.raises(StatsError, match="read from the columns"):
        counts.predict(case("sim_icb150_pois"), offset=0.0)


# ---- shares of variance -------------------------------------------------------------------------------------------


def nodes(points: int = 60) -> tuple[np.ndarray, np.ndarray]:
    where, weights = hermegauss(points)
    return where, weights / weights.sum()


def nested_parts(mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Variances by level of a mean that is known on a grid of effects: one axis per level, coarse to fine."""
    squares = []
    while mean.ndim:
        square = mean**2
        for _ in range(mean.ndim):
            square = square @ weights
        squares.append(square)
        mean = mean @ weights
    return -np.diff(np.array([*squares, mean**2]))[::-1]


@pytest.mark.parametrize(("trials", "probability"), [(1, 0.5), (30, 0.08), (2000, 0.7)])
def test_shares_of_a_share_are_those_of_nested_quadrature(
    shares: MultilevelFit, trials: float, probability: float
) -> None:
    where, weights = nodes()
    sds = shares.variances["sd"].to_numpy()

    def means(eta: float) -> np.ndarray:
        return special.expit(eta + sds[0] * where[:, None] + sds[1] * where[None, :])

    eta = optimize.brentq(lambda e: weights @ means(e) @ weights - probability, -9, 9, xtol=1e-14)
    grid = means(eta)
    parts = np.append(nested_parts(grid, weights), weights @ (grid * (1 - grid)) @ weights / trials)
    frame = shares.vpc(trials, probability=probability)
    assert list(frame["group"]) == [*LEVELS, "chance"]
    np.testing.assert_allclose(frame["response_variance"], parts, rtol=1e-8)
    np.testing.assert_allclose(frame["response_share"], parts / parts.sum(), rtol=1e-8)
    np.testing.assert_allclose(frame["latent_variance"], [*sds**2, np.pi**2 / 3])


@pytest.mark.parametrize("mean", [0.7, 6.0, 40.0])
def test_shares_of_a_count_add_up_to_the_variance_of_its_distribution(
    counts: MultilevelFit, dispersed: MultilevelFit, mean: float
) -> None:
    where, weights = nodes()
    for found, k in ((counts, np.inf), (dispersed, dispersed.dispersion)):
        sds = found.variances["sd"].to_numpy()
        total = float(np.sqrt(np.sum(sds**2)))
        each = mean * np.exp(total * where - total**2 / 2)
        y = np.arange(0, int(30 * mean + 200))
        rows = stats.poisson.pmf(y, each[:, None]) if np.isinf(k) else stats.nbinom.pmf(y, k, k / (k + each[:, None]))
        chance = weights @ rows
        frame = found.vpc(mean).set_index("group")
        assert frame["response_variance"].sum() == pytest.approx(chance @ y**2 - (chance @ y) ** 2, rel=1e-9)
        assert frame.loc["chance", "response_variance"] == mean
        assert frame["response_share"].sum() == pytest.approx(1)


def test_levels_of_a_count_are_those_of_nested_quadrature(counts: MultilevelFit) -> None:
    where, weights = nodes()
    sds = counts.variances["sd"].to_numpy()
    effects = sds[0] * where[:, None] + sds[1] * where[None, :]
    parts = nested_parts(25.0 * np.exp(effects - np.sum(sds**2) / 2), weights)
    np.testing.assert_allclose(counts.vpc(25.0)["response_variance"][:2], parts, rtol=1e-10)


def test_the_latent_variance_of_a_count_is_that_of_nakagawa(counts: MultilevelFit, dispersed: MultilevelFit) -> None:
    assert counts.vpc(8.0)["latent_variance"].iloc[-1] == pytest.approx(np.log(1 + 1 / 8))
    own = dispersed.vpc(8.0).set_index("group")["latent_variance"][["dispersion", "chance"]].sum()
    assert own == pytest.approx(np.log(1 + 1 / 8 + 1 / dispersed.dispersion))


def test_shares_are_stated_at_the_counts_of_the_data_or_at_those_asked_for(
    shares: MultilevelFit, counts: MultilevelFit
) -> None:
    data = case("sim_icb150_bin")
    frame = shares.vpc()
    assert set(frame["trials"]) == {data["n"].mean()}
    assert frame["probability"].iloc[0] == pytest.approx(data["good"].sum() / data["n"].sum())
    assert set(counts.vpc()["expected"]) == {case("sim_icb150_pois")["ag"].mean()}
    several = shares.vpc([10, 1000])
    assert list(several["trials"]) == [10] * 3 + [1000] * 3
    chance = several[several["group"] == "chance"]["response_share"].to_numpy()
    assert chance[0] > 0.5 > chance[1]


def test_a_level_without_spread_has_no_share(boundary: MultilevelFit) -> None:
    frame = boundary.vpc([1, 50]).set_index("group")
    assert (frame.loc[LEVELS, ["latent_share", "response_share"]] == 0).all(axis=None)
    assert (boundary.median_ratio()["ratio"] == 1).all()


def test_the_shares_of_a_gaussian_model_need_no_count(normal: MultilevelFit) -> None:
    frame = normal.vpc()
    assert list(frame["group"]) == ["pcn", "Residual"]
    variance = normal.variances["variance"].to_numpy()
    np.testing.assert_allclose(frame["latent_share"], variance / variance.sum())
    np.testing.assert_array_equal(frame["latent_share"], frame["response_share"])
    with pytest.raises(StatsError, match="do not depend on a count"):
        normal.vpc(10)


def test_shares_at_what_cannot_be_are_refused(shares: MultilevelFit, counts: MultilevelFit) -> None:
    with pytest.raises(StatsError, match="number of trials must be above zero"):
        shares.vpc([10, 0])
    with pytest.raises(StatsError, match="between 0 and 1"):
        shares.vpc(10, probability=40)
    with pytest.raises(StatsError, match="nothing to state"):
        shares.vpc([])
    with pytest.raises(StatsError, match="nothing to state"):
        counts.r_squared([])  # type: ignore[arg-type]
    with pytest.raises(StatsError, match="only asked for with a binomial"):
        counts.vpc(probability=0.4)


def test_half_of_all_pairs_of_units_lie_within_the_median_ratio(shares: MultilevelFit) -> None:
    frame = shares.median_ratio()
    gap = stats.halfnorm(scale=np.sqrt(2) * frame["sd"].to_numpy())
    np.testing.assert_allclose(gap.cdf(np.log(frame["ratio"])), 0.5)
    assert list(frame.columns) == ["group", "sd", "ratio"]


def test_the_interval_of_a_median_ratio_is_that_of_its_sd(boundary: MultilevelFit) -> None:
    frame = boundary.median_ratio(intervals=True, level=0.9)
    sds = boundary.intervals(0.9)
    np.testing.assert_allclose(np.log(frame["upper"]) / np.log(frame["upper"]).iloc[0], sds["upper"] / sds["upper"][0])
    assert (frame["lower"] == 1).all()
    assert (frame["upper"] > 1).all()


def test_a_gaussian_model_has_no_median_ratio(normal: MultilevelFit) -> None:
    with pytest.raises(StatsError, match="neither"):
        normal.median_ratio()


@pytest.mark.reference
def test_r_squared_is_that_of_the_published_formulas_on_the_peers_fits(
    shares: MultilevelFit, counts: MultilevelFit, dispersed: MultilevelFit, normal: MultilevelFit
) -> None:
    # Nakagawa et al. 2017, in R, on the fits above: vf <- var(as.vector(model.matrix(m) %*% fixef(m)));
    # vr <- sum(unlist(VarCorr(m))); ve <- pi^2/3 | log1p(1/mean(y)) | log1p(1/mean(y) + 1/k) | sigma(m)^2
    # c(vf/(vf + vr + ve), (vf + vr)/(vf + vr + ve))
    expected = [
        (shares, 0.0449890964289, 0.0701312578838),
        (counts, 0.28441624781, 0.840103159451),
        (dispersed, 0.199162322895, 0.263631257645),
        (normal, 0.503472657183, 0.529503494005),
    ]
    for found, marginal, conditional in expected:
        r2 = found.r_squared()
        assert (r2.marginal, r2.conditional) == pytest.approx((marginal, conditional), rel=2e-5)
    assert shares.r_squared().to_frame().shape == (1, 7)
    with pytest.raises(StatsError, match="one mean count"):
        counts.r_squared([1, 2])  # type: ignore[arg-type]


def test_a_level_of_single_rows_is_residual_and_a_level_with_a_name_is_explained() -> None:
    data = case("sim_icb150_pois")
    options: dict[str, Any] = {"family": "poisson", "exposure": "list"}
    found = multilevel.fit("ag ~ imd", data, groups=["pcn", "observation"], **options)
    named = multilevel.fit("ag ~ imd", data, groups=["pcn", "practice"], **options)
    between, rows = found.variances["variance"]
    assert rows > 0.1
    # Nakagawa et al. 2017: additive over-dispersion stands below the line alone.
    chance = np.log1p(1 / data["ag"].mean())
    r2 = found.r_squared()
    whole = r2.fixed + between + rows + chance
    assert (r2.groups, r2.residual) == pytest.approx((between, rows + chance))
    assert (r2.marginal, r2.conditional) == pytest.approx((r2.fixed / whole, (r2.fixed + between) / whole))
    assert named.r_squared().marginal == pytest.approx(r2.marginal, rel=1e-6)
    assert named.r_squared().conditional == pytest.approx((r2.fixed + between + rows) / whole, rel=1e-6)


def test_the_noise_in_what_is_explained_is_that_of_columns_without_effect() -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(40):
        area = np.repeat(np.arange(20), 4)
        noise = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
        data = noise.assign(area=area, y=rng.normal(size=20)[area] + rng.normal(size=80))
        r2 = multilevel.fit("y ~ a + b + c", data, family="gaussian", groups=["area"]).r_squared()
        found.append((r2.fixed, r2.noise))
    fixed, noise = np.array(found).T
    assert fixed.mean() == pytest.approx(noise.mean(), abs=4 * (fixed - noise).std() / np.sqrt(len(found)))
