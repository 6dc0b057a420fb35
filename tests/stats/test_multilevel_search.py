"""The search for the maximum where it is hard: several hills, edges, scales, and data that have no maximum."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gpvar.errors import StatsError
from gpvar.stats import multilevel

#: Few events in deep nests: sizes of the units of each level in the order of the rows, x, and where the events are.
FEW_SIZES_A = (
    21,
    12,
    4,
    4,
    8,
    8,
    5,
    5,
)
FEW_SIZES_B = (
    7,
    6,
    8,
    5,
    7,
    3,
    1,
    4,
    5,
    3,
    1,
    7,
    4,
    1,
    5,
)
FEW_SIZES_C = (
    1,
    3,
    3,
    3,
    3,
    3,
    3,
    2,
    3,
    2,
    2,
    3,
    2,
    3,
    1,
    2,
    2,
    2,
    3,
    3,
    1,
    3,
    1,
    3,
    2,
    2,
    1,
    3,
    2,
)
FEW_X = (
    -0.45,
    -0.808,
    -0.7294,
    -0.247,
    1.9759,
    0.0848,
    0.0839,
    0.9753,
    0.218,
    0.2988,
    -0.8714,
    -0.9631,
    -0.0906,
    -0.5278,
    -0.1975,
    -1.1149,
    1.3569,
    0.2617,
    -0.8281,
    -0.347,
    0.3805,
    0.035,
    -0.6327,
    -1.2189,
    0.3645,
    0.6325,
    0.5632,
    1.2955,
    -0.9394,
    0.821,
    -0.8051,
    0.1261,
    -0.3812,
    -1.8305,
    0.46,
    0.7622,
    -1.4446,
    0.8437,
    1.8174,
    -1.1713,
    0.1055,
    0.6534,
    0.5736,
    2.4414,
    0.8373,
    1.1067,
    0.0897,
    -0.5377,
    -0.941,
    0.6795,
    0.3466,
    1.4098,
    2.819,
    1.065,
    0.825,
    -0.9062,
    -0.5388,
    -0.3561,
    -1.4273,
    0.8228,
    -0.0417,
    0.6779,
    0.0533,
    0.5967,
    -1.1503,
    -2.3968,
    -0.9859,
)
FEW_EVENTS = {18: 1, 19: 1, 26: 1, 34: 1, 54: 1}
RARE_SIZES_A = (
    2,
    10,
    5,
    16,
    1,
    3,
    1,
    9,
    3,
    5,
    4,
    2,
    4,
)
RARE_SIZES_B = (
    2,
    2,
    4,
    4,
    4,
    1,
    4,
    4,
    4,
    4,
    1,
    1,
    2,
    1,
    2,
    2,
    4,
    1,
    2,
    1,
    1,
    1,
    3,
    1,
    3,
    1,
    1,
    3,
    1,
)
RARE_X = (
    0.9495,
    -0.5177,
    -2.3172,
    0.2506,
    -0.8564,
    1.4916,
    1.4883,
    2.0819,
    0.4327,
    1.1276,
    -2.2932,
    -0.5807,
    -0.6885,
    0.4271,
    -0.0812,
    1.7799,
    0.3437,
    -0.128,
    -0.6967,
    0.4358,
    0.4475,
    0.0512,
    0.4552,
    0.0818,
    -0.533,
    0.7444,
    0.3893,
    2.3233,
    -0.4195,
    0.0503,
    -0.6572,
    0.552,
    0.29,
    0.6258,
    -0.6638,
    -0.0046,
    1.6567,
    -0.2512,
    1.4115,
    0.6758,
    0.423,
    1.8628,
    0.9774,
    0.1277,
    0.7047,
    1.4557,
    0.9616,
    0.6033,
    -1.0522,
    0.4274,
    1.0192,
    1.3261,
    0.446,
    -1.7278,
    -0.6709,
    -0.4161,
    0.9068,
    -0.2967,
    0.634,
    -1.2725,
    -0.6069,
    1.203,
    0.14,
    2.0187,
    1.3661,
)
RARE_EVENTS = {53: 1, 64: 2}


def nest(x: tuple[float, ...], events: dict[int, int], **sizes: tuple[int, ...]) -> pd.DataFrame:
    frame = pd.DataFrame({"x": x, "y": 0})
    for row, count in events.items():
        frame.loc[row, "y"] = count
    for name, lengths in sizes.items():
        frame[name] = np.repeat(np.arange(len(lengths)), lengths)
    return frame


def few() -> pd.DataFrame:
    return nest(FEW_X, FEW_EVENTS, a=FEW_SIZES_A, b=FEW_SIZES_B, c=FEW_SIZES_C)


def rare() -> pd.DataFrame:
    return nest(RARE_X, RARE_EVENTS, a=RARE_SIZES_A, b=RARE_SIZES_B)


def panel(seed: int, family: str = "gaussian", spread: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(30), 6)
    x = rng.normal(size=180)
    link = 0.5 * x + rng.normal(0, spread, 30)[unit]
    y = link + rng.normal(size=180) if family == "gaussian" else rng.poisson(np.exp(link))
    return pd.DataFrame({"unit": unit, "x": x, "y": y})


@pytest.mark.reference
def test_a_spread_between_rows_is_found_though_the_likelihood_has_a_hill_at_zero_too() -> None:
    # glmmTMB 1.1.5 on the same 67 rows: observation SD 2.022, log-likelihood −17.5162; all SDs at zero: −17.9596.
    fit = multilevel.fit("y ~ x", few(), family="poisson", groups=["a", "b", "c", "observation"])
    assert fit.loglik == pytest.approx(-17.5162, abs=1e-3)
    assert fit.variances["sd"].iloc[-1] == pytest.approx(2.022, abs=2e-3)


def test_a_negative_binomial_fit_never_lies_below_the_poisson_one() -> None:
    groups = ["a", "b", "observation"]
    wide = multilevel.fit("y ~ x", rare(), family="negative_binomial", groups=groups)
    plain = multilevel.fit("y ~ x", rare(), family="poisson", groups=groups)
    assert wide.loglik >= plain.loglik - 1e-6


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
@pytest.mark.parametrize("seed", range(6))
def test_at_both_ends_of_a_profile_interval_the_loss_is_the_same_from_any_start(family: str, seed: int) -> None:
    data = panel(seed, "poisson", 0.4).assign(area=lambda frame: frame["unit"] // 3)
    fit = multilevel.fit("y ~ x", data, family=family, groups=["area", "unit"])
    engine, found = fit.estimate.problem.engine, fit.intervals().set_index("group")
    for place, group in enumerate(fit.groups):
        for end in found.loc[group, ["lower", "upper"]]:
            if end > 0:
                held = fit.estimate.problem.place(place)
                lost = fit.loglik - highest(engine, fit.estimate.parameters, held, np.log(end), seed)
                assert 2 * lost == pytest.approx(stats.chi2.ppf(0.95, 1), abs=0.01), (group, end)


@pytest.mark.parametrize("seed", range(8))
def test_counts_that_are_poisson_have_an_interval_without_an_upper_end_for_k(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"unit": np.repeat(np.arange(12), 3), "x": rng.normal(size=36)})
    data["y"] = rng.poisson(np.exp(1.0 + rng.normal(0, 0.8, 12)[data["unit"]]))
    fit = multilevel.fit("y ~ x", data, family="negative_binomial", groups="unit")
    found = fit.intervals().set_index("group")
    assert found.loc["unit", "lower"] < fit.variances["sd"].iloc[0] < found.loc["unit", "upper"]
    if np.isinf(fit.dispersion):
        assert 0 < found.loc["dispersion", "lower"] < found.loc["dispersion", "upper"] == np.inf


def highest(engine, parameters: np.ndarray, held: int, value: float, seed: int) -> float:
    """Return the highest log-likelihood with one parameter held, by scipy from four starts."""
    from scipy import optimize

    rng, free = np.random.default_rng(seed), np.arange(len(parameters)) != held
    start = np.where(np.isfinite(parameters), parameters, np.where(parameters > 0, 3.0, -1.5))

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        point = np.full(len(parameters), value)
        point[free] = z
        there = engine.evaluate(point)
        return -there.loglik, -there.gradient[free]

    starts = [start[free], *(start[free] + rng.normal(0, 0.5, free.sum()) for _ in range(3))]
    return max(-optimize.minimize(loss, z, jac=True, method="L-BFGS-B").fun for z in starts)


def test_quadrature_that_does_not_hold_is_told() -> None:
    successes = [1, *[0] * 14, *[20] * 14, 19]
    data = pd.DataFrame({"unit": np.repeat(np.arange(30), 20)})
    data["y"] = np.concatenate([np.r_[np.ones(s), np.zeros(20 - s)] for s in successes])
    said = {
        nodes: multilevel.fit("y ~ 1", data, family="binomial", groups="unit", n_quadrature=nodes).notes[-1]
        for nodes in (25, 100)
    }
    assert "made by the nodes, not by the data" in said[25]
    assert "use more nodes" in said[100]


@pytest.mark.parametrize("ratio", [1e2, 1e3, 1e4])
@pytest.mark.parametrize("reml", [False, True])
def test_units_may_lie_ten_thousand_residual_spreads_apart(ratio: float, reml: bool) -> None:
    for seed in range(5):
        data = panel(seed, spread=ratio)
        fit = multilevel.fit("y ~ x", data, family="gaussian", groups="unit", reml=reml)
        assert 0.8 < fit.variances["sd"].iloc[1] < 1.2 and 0.6 < fit.variances["sd"].iloc[0] / ratio < 1.4


@pytest.mark.parametrize("reml", [False, True])
def test_the_residual_has_an_interval_where_no_other_spread_is_left(reml: bool) -> None:
    data = panel(4)
    data["y"] = np.random.default_rng(14).normal(size=180)
    data["y"] -= data.groupby("unit")["y"].transform("mean") * 0.9
    fit = multilevel.fit("y ~ x", data, family="gaussian", groups="unit", reml=reml)
    found = fit.intervals().set_index("group")
    assert fit.variances["sd"].iloc[0] == 0 == found.loc["unit", "lower"] < found.loc["unit", "upper"]
    # With one SD left the profile is that of a normal sample's: twice the loss is n(r² − 1 − 2 log r), r = s/ŝ.
    best = multilevel.fit("y ~ x", data, family="gaussian", groups="unit").variances["sd"].iloc[1]
    for end in found.loc["Residual", ["lower", "upper"]] / best:
        assert 180 * (end**-2 - 1 + 2 * np.log(end)) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=2e-3)


@pytest.mark.parametrize("response", ["line", "units"])
def test_a_response_without_residual_spread_is_refused(response: str) -> None:
    data = panel(1)
    data["y"] = 2.0 * data["x"] + 1.0 if response == "line" else np.sqrt(data["unit"] + 1.0)
    with pytest.raises(StatsError, match="no residual spread"):
        multilevel.fit("y ~ x", data, family="gaussian", groups="unit")


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_a_covariate_may_come_in_any_unit(family: str) -> None:
    data = panel(2, family, 0.4)
    plain = multilevel.fit("y ~ x", data, family=family, groups="unit")
    for shift, scale in ((1e4, 1.0), (20260101.0, 30.0), (0.0, 1e6), (0.0, 1e-6)):
        moved = data.assign(x=shift + scale * data["x"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit = multilevel.fit("y ~ x", moved, family=family, groups="unit")
        assert fit.loglik == pytest.approx(plain.loglik, abs=1e-6)
        assert fit.fixed.loc["x", "estimate"] * scale == pytest.approx(plain.fixed.loc["x", "estimate"], rel=1e-5)


def test_the_numbers_of_a_result_cannot_be_overwritten() -> None:
    fit = multilevel.fit("y ~ x", panel(3), family="gaussian", groups="unit")
    with pytest.raises(ValueError, match="read-only"):
        fit.estimate.sds[0] = 99.0
