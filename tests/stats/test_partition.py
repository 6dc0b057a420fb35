"""Where variation comes from: known answers, what never changes a split, known worlds, and one real table."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from gpvar.errors import StatsError
from gpvar.stats import multilevel, partition
from tests.england_table import COVARIATES, FORMULA, GROUPS, MODELS, england
from tests.support import shared


def some_covariance(seed: int, p: int = 5) -> np.ndarray:
    half = np.random.default_rng(seed).normal(size=(p, p + 2))
    return half @ half.T / p


def some_blocks(p: int = 5) -> list[list[int]]:
    return [[0, 2], [1], list(range(3, p))]


def test_blocks_that_have_nothing_in_common_keep_their_own_variance() -> None:
    covariance = np.diag([1.0, 4.0, 9.0])
    np.testing.assert_allclose(partition.lmg(covariance, [1.0, 0.5, 2.0], [[0, 1], [2]]), [2.0, 36.0])


def test_two_correlated_columns_share_what_they_have_in_common() -> None:
    # The first column alone predicts (1 + r)², the second adds 1 − r²; both orders are alike.
    r = 0.6
    np.testing.assert_allclose(partition.lmg([[1, r], [r, 1]], [1.0, 1.0], [[0], [1]]), [1.0 + r, 1.0 + r])


def test_a_column_without_an_effect_gets_what_it_stands_in_for() -> None:
    r = 0.6
    np.testing.assert_allclose(partition.lmg([[1, r], [r, 1]], [1.0, 0.0], [[0], [1]]), [1 - r**2 / 2, r**2 / 2])


def test_the_split_is_the_mean_over_all_orders_of_entry() -> None:
    rng = np.random.default_rng(5)
    columns = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    beta = rng.normal(size=5)
    signal = columns @ beta

    def brings(known: list[int]) -> float:
        design = np.column_stack([np.ones(200), columns[:, known]])
        return float(np.var(design @ np.linalg.lstsq(design, signal)[0], ddof=1))

    blocks = some_blocks()
    wanted = np.zeros(3)
    for order in permutations(range(3)):
        for place, block in enumerate(order):
            before = [column for other in order[:place] for column in blocks[other]]
            wanted[block] += (brings(before + blocks[block]) - brings(before)) / factorial(3)
    np.testing.assert_allclose(partition.lmg(np.cov(columns.T), beta, blocks), wanted, rtol=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_the_split_sums_to_the_variance_and_is_never_negative(seed: int) -> None:
    covariance, beta = some_covariance(seed), np.random.default_rng(seed).normal(size=5)
    found = partition.lmg(covariance, beta, some_blocks())
    assert (found >= 0.0).all()
    np.testing.assert_allclose(found.sum(), beta @ covariance @ beta, rtol=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), power=st.integers(-6, 6))
def test_the_split_depends_neither_on_units_nor_on_order_nor_on_how_a_block_is_written(seed: int, power: int) -> None:
    rng = np.random.default_rng(seed)
    covariance, beta = some_covariance(seed), rng.normal(size=5)
    plain = partition.lmg(covariance, beta, some_blocks())
    scale = np.array([10.0**power, 1.0, 3.0, 0.01, 7.0])
    rescaled = partition.lmg(covariance * np.outer(scale, scale), beta / scale, some_blocks())
    np.testing.assert_allclose(rescaled, plain, rtol=1e-8)
    turned = partition.lmg(covariance, beta, some_blocks()[::-1])
    np.testing.assert_allclose(turned, plain[::-1], rtol=1e-9)
    mixing = np.eye(5)
    mixing[np.ix_([0, 2], [0, 2])] = [[2.0, 1.0], [-1.0, 3.0]]
    mixed = partition.lmg(mixing.T @ covariance @ mixing, np.linalg.solve(mixing, beta), some_blocks())
    np.testing.assert_allclose(mixed, plain, rtol=1e-7)


def test_columns_that_repeat_one_another_are_split_alike() -> None:
    # Two blocks with the very same column: each stands in for the other.
    covariance = np.array([[1.0, 1.0, 0.2], [1.0, 1.0, 0.2], [0.2, 0.2, 1.0]])
    found = partition.lmg(covariance, [1.0, 0.5, -1.0], [[0], [1], [2]])
    assert found[0] == pytest.approx(found[1])
    assert found.sum() == pytest.approx(1.5**2 + 1.0 - 2 * 0.2 * 1.5)


def test_what_chance_alone_would_explain_is_taken_off() -> None:
    rng = np.random.default_rng(5)
    design = rng.normal(size=(150, 4)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(4)).T
    beta, errors = np.array([0.3, 0.0, -0.2, 0.1]), 0.01 * some_covariance(1, 4)
    blocks = {"need": [0, 1], "context": [2, 3]}
    truth = partition.lmg(np.cov(design.T), beta, blocks)
    found = [
        partition.explained(design, rng.multivariate_normal(beta, errors), errors, blocks).blocks for _ in range(1000)
    ]
    reduced = np.array([each["unreduced"] - each["noise"] for each in found])
    plain = np.array([each["unreduced"] for each in found])
    error = reduced.std(axis=0) / np.sqrt(1000)
    assert (np.abs(reduced.mean(axis=0) - truth) < 3.0 * error).all()
    assert (plain.mean(axis=0) - truth > 5.0 * error).all()
    assert all((each["variance"] >= 0.0).all() for each in found)
    assert found[0]["noise"].sum() == pytest.approx(np.trace(np.cov(design.T) @ errors))


def counts(seed: int, icbs: int = 20) -> tuple[pd.DataFrame, multilevel.MultilevelFit]:
    """A small world of shares in areas, networks and units, and the fit to it."""
    rng = np.random.default_rng(seed)
    n = icbs * 12
    frame = pd.DataFrame({"age": rng.normal(size=n), "size": rng.normal(size=n), "unit": range(n)})
    frame["network"], frame["area"] = frame["unit"] // 3, frame["unit"] // 12
    eta = (
        0.3 * frame["age"] + 0.1 * frame["size"] + 0.3 * rng.normal(size=n) + 0.2 * rng.normal(size=icbs)[frame["area"]]
    )
    frame["y"] = rng.binomial(200, 1.0 / (1.0 + np.exp(-eta)))
    frame["n"] = 200
    words: dict[str, Any] = {"family": "binomial", "trials": "n", "groups": ["area", "network", "unit"]}
    return frame, multilevel.fit("y ~ age + size", frame, **words)


def split(
    fit: multilevel.MultilevelFit, blocks: dict[str, list[int]], draws: int = 1000, seed: int = 5, **words: Any
) -> partition.Partition:
    """Partition a fit as its user would: sampling variance at the fitted values, joint draws of all parameters."""
    estimate = fit.estimate
    p, drawn = len(estimate.beta), fit.simulate(draws, seed, groups=[])
    mean = 1.0 / (1.0 + np.exp(-estimate.linear_predictor))
    noise = 1.0 / np.exp(estimate.linear_predictor)
    if estimate.data.trials is not None:
        noise = 1.0 / (estimate.data.trials * mean * (1.0 - mean))
    settled: dict[str, Any] = {
        "design": estimate.data.design,
        "blocks": blocks,
        "beta": estimate.beta,
        "beta_covariance": estimate.covariance[:p, :p],
        "variances": dict(zip(fit.groups, estimate.sds**2, strict=True)),
        "noise": float(noise.mean()),
        "beta_draws": drawn.fixed,
        "variance_draws": drawn.sds**2,
    }
    return partition.partition(**(settled | words))


@cache
def small() -> multilevel.MultilevelFit:
    return counts(5)[1]


NEED = {"need": [1], "context": [2]}


def test_shares_sum_to_one_and_lie_within_their_intervals() -> None:
    found = split(small(), NEED)
    frame = found.frame
    assert list(frame["component"]) == ["need", "context", "area", "network", "unit", "noise"]
    assert list(frame["kind"]) == ["block"] * 2 + ["effect"] * 3 + ["noise"]
    assert frame["share"].sum() == pytest.approx(1.0, abs=1e-9)
    assert frame["variance"].sum() == pytest.approx(found.total, abs=1e-9)
    np.testing.assert_allclose(found.draws.sum(axis=1), 1.0, atol=1e-9)
    assert ((frame["lower"] <= frame["share"]) & (frame["share"] <= frame["upper"])).all()
    assert ((frame["lower"] >= 0.0) & (frame["upper"] <= 1.0)).all()
    pd.testing.assert_frame_equal(found.to_frame(), frame)


def test_what_the_blocks_explain_is_the_marginal_variance_of_the_fit_less_its_noise() -> None:
    found, r2 = split(small(), NEED).explained, small().r_squared()
    assert found.blocks["unreduced"].sum() == pytest.approx(r2.fixed, rel=1e-9)
    assert found.blocks["noise"].sum() == pytest.approx(r2.noise, rel=1e-9)
    assert found.variance == pytest.approx(r2.fixed - r2.noise, rel=1e-9)
    pd.testing.assert_frame_equal(found.to_frame(), found.blocks)


def test_one_block_holds_what_two_hold() -> None:
    two, one = split(small(), NEED), split(small(), {"all": [1, 2]})
    assert one.frame["share"].iloc[0] == pytest.approx(two.frame["share"].iloc[:2].sum())
    assert one.frame["share"].iloc[-1] == pytest.approx(two.frame["share"].iloc[-1])


def test_more_noise_makes_every_other_share_smaller() -> None:
    little, much = split(small(), NEED, noise=0.01), split(small(), NEED, noise=0.5)
    ratio = much.frame["share"].iloc[[0, 1, 2, 4]] / little.frame["share"].iloc[[0, 1, 2, 4]]
    np.testing.assert_allclose(ratio, little.total / much.total)
    assert (ratio < 0.5).all()
    assert much.frame["variance"].iloc[:-1].equals(little.frame["variance"].iloc[:-1])


def test_a_wider_level_gives_wider_intervals() -> None:
    narrow, wide = (split(small(), NEED, level=level).frame for level in (0.8, 0.99))
    assert ((wide["lower"] <= narrow["lower"]) & (wide["upper"] >= narrow["upper"])).all()


def test_the_interval_of_a_variance_estimated_at_zero_starts_there() -> None:
    draws = small().simulate(500, 5, groups=[]).sds ** 2
    draws["network"] = np.abs(np.random.default_rng(5).normal(size=500)) * 0.01
    variances = {"area": 0.05, "network": 0.0, "unit": 0.1}
    found = split(small(), NEED, draws=500, variances=variances, variance_draws=draws).frame.set_index("component")
    assert found.loc["network", "share"] == 0.0
    assert found.loc["network", "lower"] == 0.0
    assert found.loc["network", "upper"] > 0.0


def test_intervals_of_blocks_cover_when_the_coefficients_are_normal() -> None:
    rng = np.random.default_rng(5)
    design = rng.normal(size=(300, 3))
    beta, errors = np.array([0.2, 0.1, 0.15]), np.diag([0.03, 0.03, 0.03]) ** 2
    blocks = {"need": [0, 1], "context": [2]}
    truth = partition.lmg(np.cov(design.T), beta, blocks)
    truth /= truth.sum() + 0.1
    held = np.zeros(2)
    for _ in range(600):
        centre = rng.multivariate_normal(beta, errors)
        found = partition.partition(
            design=design,
            blocks=blocks,
            beta=centre,
            beta_covariance=errors,
            variances={},
            noise=0.1,
            beta_draws=rng.multivariate_normal(centre, errors, size=800),
            variance_draws=pd.DataFrame(index=range(800)),
        ).frame
        held += ((found["lower"] <= [*truth, 1]) & (found["upper"] >= [*truth, 0])).to_numpy()[:2]
    # Three Monte-Carlo standard errors about 95 %.
    assert ((held / 600 > 0.923) & (held / 600 < 0.977)).all()


ICBS, PCNS, PRACTICES = 40, 5, 3
BETA = np.array([-0.4, 0.4, 0.15, -0.10, 0.12])
SDS = {"icb": 0.15, "pcn": 0.12, "practice": 0.30}
CORRELATION = np.array([[1.0, 0.4, 0.2, 0.4], [0.4, 1.0, 0.3, 0.3], [0.2, 0.3, 1.0, 0.2], [0.4, 0.3, 0.2, 1.0]])


def known_world(rng: np.random.Generator) -> tuple[multilevel.MultilevelFit, np.ndarray]:
    """A world of 600 units with shares of 250 to 550 trials, and its true shares of variance.

    Three need columns are correlated with one context column. True shares: the LMG split at the true coefficients over
    these units' columns, the variances that effects are drawn from, and the mean sampling variance at the true shares.
    """
    n = ICBS * PCNS * PRACTICES
    groups = pd.DataFrame(
        {"icb": np.arange(n) // (PCNS * PRACTICES), "pcn": np.arange(n) // PRACTICES, "practice": np.arange(n)}
    )
    design = np.column_stack([np.ones(n), rng.standard_normal((n, 4)) @ np.linalg.cholesky(CORRELATION).T])
    trials = rng.integers(250, 551, n)
    eta = design @ BETA
    for name, sd in SDS.items():
        eta += sd * rng.standard_normal(groups[name].max() + 1)[groups[name]]
    share = 1.0 / (1.0 + np.exp(-eta))
    events = rng.binomial(trials, share)
    blocks = partition.lmg(np.cov(design, rowvar=False), BETA, {"need": [1, 2, 3], "context": [4]})
    truth = np.array([*blocks, *np.square(list(SDS.values())), np.mean(1.0 / (trials * share * (1.0 - share)))])
    fit = multilevel.fit_matrix(events, design, groups, family="binomial", trials=trials)
    return fit, truth / truth.sum()


@pytest.mark.slow
def test_intervals_hold_the_true_shares_of_known_worlds() -> None:
    rng = np.random.default_rng(5)
    held = []
    for number in range(300):
        fit, truth = known_world(rng)
        found = split(fit, {"need": [1, 2, 3], "context": [4]}, seed=number).frame
        held.append((found["lower"] <= truth) & (truth <= found["upper"]))
    each = np.mean(held, axis=0)
    assert 0.93 <= each.mean() <= 0.97, each
    assert ((each >= 0.91) & (each <= 0.985)).all(), each


@pytest.mark.slow
def test_twenty_five_columns_of_noise_explain_nothing() -> None:
    rng = np.random.default_rng(5)
    n, worlds = 150, 100
    groups = pd.DataFrame({"icb": np.arange(n) // 15, "pcn": np.arange(n) // 5, "practice": np.arange(n)})
    covers, naive, shares = 0, [], []
    for number in range(worlds):
        design = np.column_stack([np.ones(n), rng.standard_normal((n, 25))])
        eta = np.full(n, -0.4)
        for name, sd in SDS.items():
            eta += sd * rng.standard_normal(groups[name].max() + 1)[groups[name]]
        events = rng.binomial(400, 1.0 / (1.0 + np.exp(-eta)))
        fit = multilevel.fit_matrix(events, design, groups, family="binomial", trials=np.full(n, 400))
        found = split(fit, {"need": list(range(1, 26))}, seed=number)
        covers += found.frame.loc[0, "lower"] == 0.0
        plain = found.explained.blocks.loc[0, "unreduced"]
        naive.append(plain / (plain + found.total - found.explained.variance))
        shares.append(found.frame.loc[0, "share"])
    # As many worlds as a 95 % interval allows, with three Monte-Carlo standard errors.
    assert covers >= 0.93 * worlds
    assert np.mean(naive) > 0.12
    assert np.median(shares) < 0.05


@pytest.fixture(scope="module")
def need_in_england() -> dict[str, float]:
    frames = england(shared("data", "joined", "england_2025_26.csv.gz"))
    found = {}
    for metric in ("same_day", "dna"):
        fit = multilevel.fit(f"y ~ {FORMULA}", frames[metric], groups=GROUPS, **MODELS[metric])
        result = split(fit, {"need": list(range(1, len(COVARIATES) + 1))})
        found[metric] = float(result.frame.loc[0, "share"])
        found[f"{metric} upper"] = float(result.frame.loc[0, "upper"])
    return found


def test_need_explains_little_of_same_day_and_much_of_missed_appointments(need_in_england: dict[str, float]) -> None:
    assert need_in_england["same_day upper"] < 0.05
    assert need_in_england["dna"] >= 0.25


def test_systematic_component_is_nil_for_perfect_agreement_but_for_chance() -> None:
    found = partition.scv([10.0, 20.0], [10.0, 20.0])
    assert found.scv == pytest.approx(-(0.1 + 0.05) / 2.0)
    assert (found.extremal_quotient, found.cv, found.chi2) == (1.0, 0.0, 0.0)
    assert found.p == 1.0
    assert list(found.to_frame().columns)[:2] == ["scv", "extremal_quotient"]


def test_a_unit_without_events_makes_quotients_infinite() -> None:
    assert partition.scv([0.0, 20.0, 9.0], [10.0, 20.0, 9.0]).extremal_quotient == np.inf


def test_chance_alone_is_found_systematic_as_often_as_it_should_be() -> None:
    rng = np.random.default_rng(5)
    due = rng.uniform(3.0, 60.0, 40)
    p = np.array([partition.scv_test(rng.poisson(due), due, n=99, seed=one) for one in range(400)])
    for level in (0.05, 0.2, 0.5):
        assert abs(np.mean(p <= level) - level) < 3.0 * np.sqrt(level * (1.0 - level) / 400)


def test_a_bootstrap_leaves_the_callers_random_state_alone_and_can_be_repeated() -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = (partition.scv_test([9, 14, 30, 21], [12, 14, 22, 25], n=500, seed=3) for _ in range(2))
    assert one == other
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_proportional_change_in_variance() -> None:
    found = partition.proportional_change([0.4, 0.4, 0.0], [0.3, 0.5, 0.1])
    np.testing.assert_allclose(found, [0.25, -0.25, np.nan])
    assert partition.proportional_change(0.4, 0.1) == pytest.approx(0.75)


def test_reranking_is_the_share_of_pairs_that_change_their_order() -> None:
    before, after = np.random.default_rng(5).normal(size=(2, 60))
    pairs = [(i, j) for i in range(60) for j in range(i)]
    changed = np.mean([(before[i] - before[j]) * (after[i] - after[j]) < 0 for i, j in pairs])
    assert partition.kendall_reranking(before, after) == pytest.approx(changed)
    assert partition.kendall_reranking(before, np.exp(before)) == 0.0
    assert partition.kendall_reranking(before, -before) == 1.0


def test_movers_are_counted_up_and_down_and_at_the_edge() -> None:
    assert partition.movers([50.0, 50.0, 50.0, 20.3], [60.0, 41.0, 39.0, 30.3]) == 3
    assert partition.movers([50.0, 50.0], [60.0, 41.0], points=5) == 2


def test_a_value_that_rises_with_deprivation_has_a_positive_gradient() -> None:
    depth = np.arange(1.0, 101.0)
    found = partition.equity_gradient(10.0 + 0.1 * depth, depth)
    assert list(found.fifths["fifth"]) == [1, 2, 3, 4, 5]
    assert list(found.fifths["units"]) == [20] * 5
    assert found.difference == pytest.approx(8.0)
    assert found.slope_index == pytest.approx(10.0)
    assert found.relative_index == pytest.approx((10.05 + 10.0) / 10.05)
    assert partition.equity_gradient(-depth, depth).difference == pytest.approx(-80.0)
    pd.testing.assert_frame_equal(found.to_frame(), found.fifths)


def test_the_slope_is_a_weighted_regression_on_the_rank_with_robust_errors() -> None:
    rng = np.random.default_rng(5)
    depth, people = rng.normal(size=200), rng.uniform(1000.0, 20_000.0, 200)
    value = 0.4 + 0.02 * depth + rng.normal(size=200) * 0.05
    found = partition.equity_gradient(value, depth, people)
    order = np.argsort(depth)
    place = np.empty(200)
    place[order] = (np.cumsum(people[order]) - people[order] / 2.0) / people.sum()
    wanted = sm.WLS(value, sm.add_constant(place), weights=people).fit(cov_type="HC1")
    assert found.slope_index == pytest.approx(wanted.params[1])
    np.testing.assert_allclose([found.slope_lower, found.slope_upper], wanted.conf_int()[1])
    bottom = order[:40]
    assert found.fifths.loc[0, "value"] == pytest.approx(np.average(value[bottom], weights=people[bottom]))


def test_units_of_equal_deprivation_stay_in_one_fifth() -> None:
    depth = np.array([1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    fifths = partition.equity_gradient(np.arange(10.0), depth).fifths
    assert fifths["units"].sum() == 10
    assert (fifths["deprivation_upper"].to_numpy()[:-1] < fifths["deprivation_lower"].to_numpy()[1:]).all()


PLAIN = {
    "design": np.random.default_rng(5).normal(size=(20, 2)),
    "blocks": {"need": [0], "context": [1]},
    "beta": [0.1, 0.2],
    "beta_covariance": 0.01 * np.eye(2),
    "variances": {"area": 0.1},
    "noise": 0.01,
    "beta_draws": np.full((5, 2), 0.1),
    "variance_draws": pd.DataFrame({"area": np.full(5, 0.1)}),
}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"design": [1.0, 2.0]}, "a row per unit"),
        ({"design": np.full((20, 2), np.nan)}, "design holds values that are missing"),
        ({"blocks": {}}, "between 1 and 12 blocks"),
        ({"blocks": {"need": [0], "context": [0, 1]}}, "more than one block(.|\n)*column 0"),
        ({"blocks": {"need": [0]}}, "stands in no block(.|\n)*column 1"),
        ({"blocks": {"need": [0], "context": [2]}}, "columns 0 to 1"),
        ({"blocks": {"need": [0], "context": ["age"]}}, "numbers of columns"),
        ({"blocks": {"need": [0], "area": [1]}}, "'area'"),
        ({"blocks": {"need": [0], "noise": [1]}}, "`noise` is taken"),
        ({"beta": [0.1]}, "number of coefficients"),
        ({"beta": [0.1, np.nan]}, "columns without an estimate"),
        ({"beta_covariance": np.eye(3)}, "3 and 2"),
        ({"beta_covariance": np.ones((2, 3))}, "a square table"),
        ({"variances": {"area": -0.1}}, "area: -0.1"),
        ({"variances": {"region": 0.1}}, "no draws of the variance 'region'"),
        ({"noise": -1.0}, "noise is a variance"),
        ({"beta_draws": np.zeros((5, 3))}, "a column per coefficient"),
        ({"beta_draws": np.full((5, 2), np.nan)}, "beta_draws holds"),
        ({"variance_draws": pd.DataFrame({"area": [0.1, 0.1]})}, "beta_draws has 5 rows, variance_draws 2"),
        ({"variance_draws": pd.DataFrame({"area": [0.1, 0.1, -0.1, 0.1, 0.1]})}, "variance_draws, area, row 3: -0.1"),
        ({"level": 95}, "Did you mean 0.95"),
        (
            {"beta": [0.0, 0.0], "variances": {}, "noise": 0.0, "beta_draws": np.zeros((5, 2))},
            "no variance to split",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(StatsError, match=message):
        partition.partition(**(PLAIN | words))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: partition.scv([1, 2], [1, 0]), "expected, row 2: 0"),
        (lambda: partition.scv([1, -2], [1, 1]), "observed, row 2: -2"),
        (lambda: partition.scv([0, 0], [1, 1]), "No event was seen"),
        (lambda: partition.scv([1, np.nan], [1, 1]), "A value is missing"),
        (lambda: partition.scv([1], [1]), "at least 2"),
        (lambda: partition.scv_test([1, 2], [1, 2], n=0), "At least one simulation"),
        (lambda: partition.proportional_change(-0.1, 0.1), "before, row 1: -0.1"),
        (lambda: partition.kendall_reranking([1, 2, 3], [1, 2]), "the same units"),
        (lambda: partition.movers([50, 101], [50, 50]), "before_percentile, row 2: 101"),
        (lambda: partition.movers([50], [50], points=0), "points must be above zero"),
        (lambda: partition.movers([0.5, 0.2], [0.9, 0.3]), "look like shares"),
        (lambda: partition.equity_gradient([1, 2, 3, 4], [1, 2, 3, 4]), "at least 5"),
        (lambda: partition.equity_gradient(np.arange(9.0), np.r_[np.zeros(8), 1]), "too many ties"),
        (lambda: partition.equity_gradient(np.arange(5.0), np.arange(5.0), [1, 1, 0, 1, 1]), "weight, row 3: 0"),
    ],
)
def test_what_has_no_spread_is_refused(call, words: str) -> None:
    with pytest.raises(StatsError, match=words):
        call()
