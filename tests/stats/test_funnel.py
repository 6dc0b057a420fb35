from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import special, stats

from gpvar.errors import GpvarError, StatsError
from gpvar.stats import _limits, _predictive, funnel, placement

COLUMNS = [
    "numerator",
    "denominator",
    "value",
    "centre",
    "lower_95",
    "upper_95",
    "lower_99_8",
    "upper_99_8",
    "sampling_lower_95",
    "sampling_upper_95",
    "sampling_lower_99_8",
    "sampling_upper_99_8",
    "z",
    "z_sampling",
    "p",
    "q",
    "flag",
    "flag_sampling",
]
OURS = ("consistent", "none", "dersimonian-laird", "multiplicative")
FLAGS = {"", "low_95", "low_99_8", "high_95", "high_99_8"}


def world(kind: str, n: int = 200, about: float = 400.0, tau: float = 0.25, seed: int = 1) -> tuple:
    rng = np.random.default_rng(seed)
    size = np.maximum(2.0, rng.lognormal(np.log(about), 0.6, n).round())
    shift = rng.normal(0.0, tau, n)
    if kind == "proportion":
        return rng.binomial(size.astype(int), special.expit(-0.4 + shift)).astype(float), size
    if kind == "ratio_of_counts":
        first = rng.binomial(size.astype(int), special.expit(-0.4 + shift)).astype(float)
        return first, np.maximum(size - first, 1.0)
    return rng.poisson(size * np.exp(shift)).astype(float), size


@pytest.mark.parametrize("mode", funnel.MODES)
@pytest.mark.parametrize("kind", funnel.KINDS)
def test_units_keep_their_order_and_columns_and_flags_are_never_missing(kind: str, mode: str) -> None:
    numerator, denominator = world(kind)
    found = funnel.funnel(numerator, denominator, kind=kind, overdispersion=mode)
    assert list(found.units.columns) == COLUMNS
    np.testing.assert_array_equal(found.units["numerator"], numerator)
    np.testing.assert_array_equal(found.units["denominator"], denominator)
    assert set(found.units["flag"]) <= FLAGS and set(found.units["flag_sampling"]) <= FLAGS
    assert found.units.notna().all().all()
    assert found.to_frame().equals(found.units) and found.to_frame() is not found.units


def test_other_levels_name_their_columns_and_flags() -> None:
    found = funnel.funnel(*world("rate"), kind="rate", levels=(0.999, 0.9)).units
    assert list(found.columns[4:8]) == ["lower_90", "upper_90", "lower_99_9", "upper_99_9"]
    assert "low_90" in set(found["flag"])


@pytest.mark.parametrize("about", [12.0, 60.0, 20_000.0])
@pytest.mark.parametrize("kind", funnel.KINDS)
@pytest.mark.parametrize("mode", OURS)
def test_flag_names_the_widest_limit_that_z_crosses(mode: str, kind: str, about: float) -> None:
    found = funnel.funnel(*world(kind, about=about), kind=kind, overdispersion=mode).units
    z = found["z"].to_numpy()
    if mode == "none":
        # Spiegelhalter's limits lie half a count below those of z; nearer than that they may differ.
        near = np.zeros(len(z), dtype=bool)
        half = 0.5 / (found["denominator"] if kind != "ratio_of_counts" else 1.0)
        for column in ("lower_95", "upper_95", "lower_99_8", "upper_99_8"):
            if kind == "ratio_of_counts":
                n = found["numerator"] + found["denominator"]
                near |= np.abs(found["numerator"] - n * found[column] / (1 + found[column])) <= 0.5
            else:
                near |= np.abs(found["value"] - found[column]) <= half
        found, z = found[~near], z[~near]
        assert near.mean() < 0.2
    wanted = np.where(np.abs(z) > stats.norm.ppf(0.999), "99_8", np.where(np.abs(z) > stats.norm.ppf(0.975), "95", ""))
    side = np.where(z < 0, "low_", "high_")
    assert list(found["flag"]) == [f"{s}{w}" if w else "" for s, w in zip(side, wanted, strict=True)]


@pytest.mark.parametrize("mode", ["consistent", "dersimonian-laird"])
@pytest.mark.parametrize("kind", ["proportion", "ratio"])
def test_a_unit_exactly_on_a_limit_is_inside(kind: str, mode: str) -> None:
    numerator, denominator = world(kind, about=30.0)
    settings = {"kind": kind, "overdispersion": mode, "target": 0.4 if kind == "proportion" else 1.0}
    found = funnel.funnel(numerator, denominator, **settings).units
    for column in ("lower_95", "upper_95", "lower_99_8", "upper_99_8"):
        limit = found[column].to_numpy()
        flag = _limits.flags(limit, [(limit if "lower" in column else 0 * limit, limit)], (0.95,))
        assert (flag == "").all()
    sampling = found["sampling_upper_95"].to_numpy() * denominator
    on = funnel.funnel(sampling, denominator, **{**settings, "overdispersion": "none"}).units
    assert (on["flag_sampling"] == "").all()
    beyond = funnel.funnel(
        np.minimum(sampling + 1e-6, denominator if kind == "proportion" else np.inf),
        denominator,
        **{**settings, "overdispersion": "none"},
    ).units
    assert (beyond["flag_sampling"] == "high_95").mean() > 0.9


def test_small_counts_are_scored_by_the_negative_binomial() -> None:
    due = np.array([2.0, 8.0, 20.0, 29.0] * 30)
    rng = np.random.default_rng(5)
    seen = rng.poisson(due * np.exp(rng.normal(0, 0.4, len(due)))).astype(float)
    found = funnel.funnel(seen, due, kind="ratio")
    mean, k = due * np.exp(found.centre), 1 / np.expm1(found.tau2)
    assert found.tau2 > 0.05
    share = k / (k + mean)
    middle = 0.5 * (stats.nbinom.cdf(seen - 1, k, share) + stats.nbinom.cdf(seen, k, share))
    np.testing.assert_allclose(found.units["z"], stats.norm.ppf(middle), rtol=1e-8, atol=1e-8)


def test_small_counts_of_shares_are_scored_by_the_beta_binomial() -> None:
    rng = np.random.default_rng(6)
    size = rng.integers(5, 45, 200).astype(float)
    seen = rng.binomial(size.astype(int), special.expit(-0.6 + rng.normal(0, 0.5, 200))).astype(float)
    found = funnel.funnel(seen, size, kind="proportion")
    share = found.units["centre"].to_numpy()
    assert found.tau2 > 0.05
    spread = share * (1 - share) * np.expm1(found.tau2)
    a, b = share * (1 / spread - 1), (1 - share) * (1 / spread - 1)
    middle = 0.5 * (stats.betabinom.cdf(seen - 1, size, a, b) + stats.betabinom.cdf(seen, size, a, b))
    np.testing.assert_allclose(found.units["z"], stats.norm.ppf(middle), rtol=1e-8, atol=1e-8)


def test_large_counts_are_scored_on_the_link_scale() -> None:
    numerator, denominator = world("proportion", about=5000.0)
    transient = np.full(200, 0.01)
    found = funnel.funnel(numerator, denominator, kind="proportion", transient=transient)
    theta = special.logit(found.units["centre"])
    seen = np.log((numerator + 0.5) / (denominator - numerator + 0.5))
    variance = 1 / (denominator * found.units["centre"] * (1 - found.units["centre"]))
    np.testing.assert_allclose(found.units["z"], (seen - theta) / np.sqrt(variance + 0.01 + found.tau2), rtol=1e-9)
    np.testing.assert_allclose(found.units["z_sampling"], (seen - theta) / np.sqrt(variance + 0.01), rtol=1e-9)


def test_transient_movement_is_taken_off_the_shared_spread() -> None:
    numerator, denominator = world("proportion", n=2000, about=5000.0)
    plain = funnel.funnel(numerator, denominator, kind="proportion")
    moving = funnel.funnel(numerator, denominator, kind="proportion", transient=0.02)
    assert moving.tau2 == pytest.approx(plain.tau2 - 0.02, abs=1e-3)
    assert (np.abs(moving.units["z_sampling"]) < np.abs(plain.units["z_sampling"])).all()


def test_expected_values_adjust_the_centre_unit_by_unit() -> None:
    rng = np.random.default_rng(7)
    size = rng.integers(2000, 9000, 300).astype(float)
    expected = rng.uniform(0.1, 0.6, 300)
    seen = rng.binomial(size.astype(int), special.expit(special.logit(expected) + 0.3)).astype(float)
    found = funnel.funnel(seen, size, kind="proportion", expected=expected)
    assert found.centre == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(found.units["centre"], special.expit(special.logit(expected) + found.centre))
    assert found.tau2 < 0.001


def test_n_parameters_widens_the_spread_of_a_fitted_centre() -> None:
    numerator, denominator = world("rate", n=60)
    one = funnel.funnel(numerator, denominator, kind="rate")
    many = funnel.funnel(numerator, denominator, kind="rate", n_parameters=20)
    assert many.tau2 > one.tau2
    assert many.test.df == 40


def test_a_target_fixes_the_centre() -> None:
    numerator, denominator = world("ratio")
    found = funnel.funnel(numerator, denominator, kind="ratio", target=1.2)
    np.testing.assert_allclose(found.units["centre"], 1.2)
    assert found.test.df == len(numerator)


def test_a_ratio_of_two_counts_is_the_share_of_the_first_in_both() -> None:
    first, second = world("ratio_of_counts")
    ratio = funnel.funnel(first, second, kind="ratio_of_counts").units
    share = funnel.funnel(first, first + second, kind="proportion").units
    np.testing.assert_allclose(ratio["z"], share["z"], rtol=1e-9)
    np.testing.assert_allclose(ratio["upper_95"], share["upper_95"] / (1 - share["upper_95"]), rtol=1e-9)
    assert list(ratio["flag"]) == list(share["flag"])


def test_pure_chance_is_not_called_over_dispersed() -> None:
    rng = np.random.default_rng(8)
    p = []
    for _ in range(200):
        due = rng.lognormal(np.log(25), 0.6, 80)
        p.append(funnel.funnel(rng.poisson(due), due, kind="ratio", overdispersion="none").test.p)
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.1
    spread = funnel.funnel(*world("ratio"), kind="ratio")
    assert spread.test.p < 1e-6 and spread.phi > 3


def test_mode_none_is_chance_alone() -> None:
    found = funnel.funnel(*world("rate"), kind="rate", overdispersion="none").units
    assert list(found["flag"]) == list(found["flag_sampling"])
    np.testing.assert_array_equal(found["z"], found["z_sampling"])
    np.testing.assert_array_equal(found["upper_95"], found["sampling_upper_95"])


def test_multiplicative_limits_are_wider_by_the_root_of_phi_and_never_narrower() -> None:
    numerator, denominator = world("rate", about=9000.0)
    found = funnel.funnel(numerator, denominator, kind="rate", overdispersion="multiplicative")
    half = np.log(found.units["upper_95"] + 0.5 / denominator) - np.log(found.units["centre"])
    sd = 1 / np.sqrt(denominator * found.units["centre"])
    np.testing.assert_allclose(half, stats.norm.ppf(0.975) * np.sqrt(found.phi) * sd)
    even = funnel.funnel(np.full(50, 1000.0), np.full(50, 1000.0), kind="rate", overdispersion="multiplicative")
    assert even.phi < 0.01
    assert even.units["upper_95"][0] - 1 > 0.06


def test_zero_counts_have_a_score_and_a_place() -> None:
    found = funnel.funnel([0, 3, 9, 14, 0, 8], [5, 5, 9, 10, 40, 8], kind="ratio").units
    assert np.isfinite(found["z"]).all()
    assert found["lower_95"][0] == 0.0
    assert found["flag"][0] == ""
    assert found["z"][4] == found["z"].min()


def test_scores_far_out_stay_finite_and_ordered() -> None:
    due = np.full(4, 50_000.0)
    found = funnel.funnel([1.0, 20_000.0, 50_000.0, 200_000.0], due, kind="ratio", overdispersion="none", target=1.0)
    z = found.units["z_sampling"].to_numpy()
    assert np.isfinite(z).all() and (np.diff(z) > 50).all()


def test_a_full_house_that_chance_often_gives_is_not_flagged() -> None:
    # All of 5 where 85 % is usual happens in 44 of 100; Spiegelhalter's upper limit, 0.989, would call it high.
    found = funnel.funnel([5, 60], [5, 2000], kind="proportion", overdispersion="none", target=0.85).units
    assert found["sampling_upper_95"][0] < 1
    assert found["flag_sampling"][0] == ""
    assert found["flag_sampling"][1] == "low_99_8"


def test_expected_flags_set_what_was_seen_beside_what_a_normal_and_a_t_would_give() -> None:
    rng = np.random.default_rng(9)
    size = np.full(4000, 20_000.0)
    seen = rng.binomial(20_000, special.expit(0.2 * rng.standard_t(5, 4000))).astype(float)
    found = funnel.funnel(seen, size, kind="proportion")
    table = found.expected_flags
    assert list(table["level"]) == [0.95, 0.998]
    assert list(table["normal"]) == pytest.approx([200, 8])
    outside = [(found.units["flag"] != "").sum(), found.units["flag"].str.endswith("99_8").sum()]
    assert list(table["flagged_low"] + table["flagged_high"]) == outside
    assert table["t"][1] > 3 * table["normal"][1]
    assert table["t"][1] == pytest.approx(outside[1], rel=0.4)
    assert 3.5 < found.shape.t_df < 8 and found.shape.kurtosis > 1


@pytest.mark.parametrize("mode", funnel.MODES)
@pytest.mark.parametrize("kind", funnel.KINDS)
def test_the_curve_runs_through_the_limits_of_the_units(kind: str, mode: str) -> None:
    numerator, denominator = world(kind, about=80.0)
    found = funnel.funnel(numerator, denominator, kind=kind, overdispersion=mode)
    curve = found.curve(denominator)
    assert list(curve.columns) == ["denominator", *COLUMNS[3:12]]
    if kind == "ratio_of_counts":
        # Each unit's own total is used for its limits; the curve's is the total expected at that denominator.
        assert (curve["lower_95"] < curve["centre"]).all() and (curve["centre"] < curve["upper_95"]).all()
    else:
        np.testing.assert_allclose(curve[COLUMNS[3:12]], found.units[COLUMNS[3:12]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["proportion", "rate", "ratio"])
def test_placing_units_against_a_given_centre_and_spread_gives_what_the_funnel_gave(kind: str) -> None:
    numerator, denominator = world(kind, about=60.0)
    found = funnel.funnel(numerator, denominator, kind=kind)
    centre = np.full(len(numerator), found.centre)
    again = placement.place(numerator, denominator, centre, found.tau2, kind=kind)
    np.testing.assert_allclose(again["z"], found.units["z"], rtol=1e-9)
    assert list(again["flag"]) == list(found.units["flag"])
    assert list(again["flag_sampling"]) == list(found.units["flag_sampling"])


def test_the_random_state_of_the_caller_is_left_alone() -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    for mode in funnel.MODES:
        funnel.funnel(*world("ratio"), kind="ratio", overdispersion=mode)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"numerator": [1.0, np.nan]}, "numerator is missing"),
        ({"denominator": [5.0, np.nan]}, "denominator is missing"),
        ({"denominator": [5.0, 0.0]}, "zero or negative"),
        ({"denominator": [5.0, -2.0]}, "zero or negative"),
        ({"numerator": [1.0, -1.0]}, "negative"),
        ({"numerator": [1.0, 9.0]}, "larger than its denominator"),
        ({"numerator": [1.0]}, "one length"),
        ({"numerator": [], "denominator": []}, "at least one unit"),
        ({"numerator": ["a", "b"]}, "not a number"),
        ({"numerator": [0.0, 0.0]}, "no events"),
        ({"numerator": [5.0, 8.0]}, "nothing but events"),
        ({"kind": "proportions"}, "Did you mean 'proportion'"),
        ({"overdispersion": "consistant"}, "Did you mean 'consistent'"),
        ({"overdispersion": "SHMI"}, "'shmi'"),
        ({"levels": (0.95, 99.8)}, r"Did you mean 0\.998"),
        ({"levels": ()}, "at least one level"),
        ({"trim": 0.6}, "trim"),
        ({"target": 90}, "0.9"),
        ({"target": 0.5, "expected": [0.5, 0.5]}, "both"),
        ({"expected": [0.5, 1.0]}, "impossible"),
        ({"expected": [0.5]}, "one expected value per unit"),
        ({"transient": [-0.1, 0.1]}, "transient"),
        ({"n_parameters": 2}, "too few units"),
    ],
)
def test_input_that_cannot_be_judged_is_refused_in_three_parts(arguments: dict, words: str) -> None:
    settings = {"numerator": [1.0, 2.0], "denominator": [5.0, 8.0], "kind": "proportion", **arguments}
    with pytest.raises(StatsError, match=words) as caught:
        funnel.funnel(settings.pop("numerator"), settings.pop("denominator"), **settings)
    assert isinstance(caught.value, GpvarError) and isinstance(caught.value, ValueError)
    assert caught.value.problem and caught.value.where and caught.value.fix


def test_interpolated_limits_are_the_quantiles_of_the_interpolated_distribution() -> None:
    mean = np.array([0.3, 4.0, 55.0, 3000.0])
    for trials in (np.full(4, np.inf), np.array([3.0, 12.0, 60.0, 9000.0])):
        counts = _predictive.Counts(mean, trials)
        for p in (0.001, 0.2, 0.975):
            at = _predictive.interpolated_limits(counts, p, middle=True)
            inside = (at > 0.5) & (at < trials - 0.5)
            score = _predictive.sampling_score(at, counts)
            np.testing.assert_allclose(score[inside], stats.norm.ppf(p), atol=1e-8)


def test_england_sized_funnels_are_fast() -> None:
    for kind, about in (("proportion", 40_000.0), ("ratio", 25.0)):
        numerator, denominator = world(kind, n=6200, about=about)
        start = time.perf_counter()
        funnel.funnel(numerator, denominator, kind=kind)
        # About 0.1 s; the bound leaves room for a busy machine.
        assert time.perf_counter() - start < 1.0
