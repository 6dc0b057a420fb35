"""What may not matter to a multilevel fit does not, and what shifts the log-likelihood shifts it by a known amount.

Two fits of what is one model agree to 1e-7 in log-likelihood and to a small part of a standard error in everything
else. The worlds are small and hard on purpose: few units, few rows, spreads that are often estimated as zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from gpvar.stats import multilevel

FEW = settings(max_examples=8, deadline=None, derandomize=True)
COUNTS = ("poisson", "negative_binomial")
ALL = ("binomial", "gaussian", *COUNTS)
LOGLIK = 1e-7
#: In standard errors of the quantity; the optimum is flat, so 1e-9 of log-likelihood is 5e-5 of a standard error.
NEAR = 2e-4


@dataclass(frozen=True)
class World:
    family: str
    response: np.ndarray
    design: pd.DataFrame
    groups: pd.DataFrame
    trials: np.ndarray | None = None
    offset: np.ndarray | None = None
    reml: bool = False
    n_quadrature: int = 1

    def fit(self, **instead: Any) -> multilevel.MultilevelFit:
        world = replace(self, **instead)
        return multilevel.fit_matrix(
            world.response,
            world.design,
            world.groups,
            family=world.family,
            trials=world.trials,
            offset=world.offset,
            reml=world.reml,
            n_quadrature=world.n_quadrature,
        )

    def rows(self, order: np.ndarray, **instead: Any) -> World:
        """Return these rows in this order, some of them more than once where `order` has them so."""
        chosen = World(
            self.family,
            self.response[order],
            self.design.iloc[order].reset_index(drop=True),
            self.groups.iloc[order].reset_index(drop=True),
            None if self.trials is None else self.trials[order],
            None if self.offset is None else self.offset[order],
            self.reml,
            self.n_quadrature,
        )
        return replace(chosen, **instead)


@st.composite
def worlds(draw: st.DrawFn, families: tuple[str, ...] = ALL, n_levels: int | None = None) -> World:
    """Between 16 and 60 rows of 8 to 12 units, in one level or nested in three or four areas."""
    family = draw(st.sampled_from(families))
    two = draw(st.booleans()) if n_levels is None else n_levels == 2
    n_units = draw(st.integers(8, 12))
    sd = draw(st.sampled_from([0.0, 0.3, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    unit = np.repeat(np.arange(n_units), rng.integers(2, 6, n_units))
    n = len(unit)
    area = unit % (3 + n_units % 2)
    x = rng.normal(size=n)
    eta = 0.4 + 0.5 * x + sd * rng.normal(size=n_units)[unit] + two * 0.5 * sd * rng.normal(size=4)[area]
    offset = rng.normal(scale=0.3, size=n)
    trials = rng.integers(3, 40, n).astype(float) if family == "binomial" else None
    draws = {
        "binomial": lambda: rng.binomial(trials.astype(int), special.expit(eta + offset)),
        "poisson": lambda: rng.poisson(np.exp(1 + eta + offset)),
        "negative_binomial": lambda: rng.poisson(np.exp(1 + eta + offset) * rng.gamma(3.0, 1 / 3.0, n)),
        "gaussian": lambda: eta + offset + rng.normal(scale=0.7, size=n),
    }
    groups = pd.DataFrame({"area": [f"A{a}" for a in area]} if two else {}).assign(unit=[f"U{u:02d}" for u in unit])
    return World(
        family,
        draws[family]().astype(float),
        pd.DataFrame({"Intercept": np.ones(n), "x": x}),
        groups,
        trials,
        offset,
        reml=family == "gaussian" and draw(st.booleans()),
        n_quadrature=draw(st.sampled_from([1, 7])) if not two and family != "gaussian" else 1,
    )


def assert_same_fixed(one: pd.DataFrame, other: pd.DataFrame) -> None:
    np.testing.assert_allclose((one["estimate"] - other["estimate"]) / other["se"], 0, atol=NEAR)
    np.testing.assert_allclose(one["se"], other["se"], rtol=1e-3)


def assert_same_spread(one: multilevel.MultilevelFit, other: multilevel.MultilevelFit, scale: float = 1.0) -> None:
    """A spread near zero is hardly determined, so it is compared as a variance there."""
    assert list(one.variances["group"]) == list(other.variances["group"])
    np.testing.assert_allclose(one.variances["sd"], other.variances["sd"] * scale, rtol=5e-4, atol=1e-5 * scale)
    assert (one.variances["sd"] == 0).tolist() == (other.variances["sd"] == 0).tolist()
    np.testing.assert_allclose(1 / one.dispersion, 1 / other.dispersion, rtol=5e-4, atol=1e-6)


def assert_same(one: multilevel.MultilevelFit, other: multilevel.MultilevelFit, shift: float = 0.0) -> None:
    """Assert that the fits are one, the log-likelihood of `one` being higher by `shift`."""
    assert one.loglik == pytest.approx(other.loglik + shift, abs=LOGLIK, rel=0)
    assert_same_fixed(one.fixed, other.fixed)
    assert_same_spread(one, other)
    for group in other.groups:
        a, b = one.modes(group), other.modes(group)
        assert sorted(a.index) == sorted(b.index)
        a = a.loc[b.index]
        allowed = NEAR * b["sd_with_parameter_uncertainty"].max() + 1e-9
        np.testing.assert_allclose(a["mode"], b["mode"], atol=allowed)
        np.testing.assert_allclose(a["sd_given_parameters"], b["sd_given_parameters"], rtol=1e-3, atol=allowed)


@given(world=worlds(), seed=st.integers(0, 1000))
@FEW
def test_the_order_of_rows_does_not_matter(world: World, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(world.response))
    assert_same(world.rows(order).fit(), world.fit())


@given(world=worlds(), seed=st.integers(0, 1000))
@FEW
def test_the_names_of_units_do_not_matter(world: World, seed: int) -> None:
    rng = np.random.default_rng(seed)
    named = {
        level: dict(zip(sorted(labels.unique()), rng.permutation(1000)[: labels.nunique()].tolist(), strict=True))
        for level, labels in world.groups.items()
    }
    renamed = pd.DataFrame({level: labels.map(named[level]) for level, labels in world.groups.items()})
    one, other = world.fit(groups=renamed), world.fit()
    assert one.loglik == pytest.approx(other.loglik, abs=LOGLIK, rel=0)
    assert_same_fixed(one.fixed, other.fixed)
    assert_same_spread(one, other)
    for level in world.groups:
        there = other.modes(level)
        here = one.modes(level).loc[[named[level][label] for label in there.index]]
        allowed = NEAR * there["sd_with_parameter_uncertainty"].max() + 1e-9
        np.testing.assert_allclose(here["mode"], there["mode"], atol=allowed)


@given(world=worlds(), factor=st.sampled_from([-1e-3, 0.02, 7.0, 1e4]), shift=st.floats(-5, 5))
@FEW
def test_the_unit_of_a_covariate_does_not_matter(world: World, factor: float, shift: float) -> None:
    """x → factor·x + shift: its coefficient is divided by the factor and the intercept takes up the shift."""
    other = world.fit()
    one = world.fit(design=world.design.assign(x=factor * world.design["x"] + shift))
    # The restricted likelihood has log det X'V⁻¹X in it, which the unit of x moves.
    stretch = -np.log(abs(factor)) if world.reml else 0.0
    assert one.loglik == pytest.approx(other.loglik + stretch, abs=LOGLIK, rel=0)
    slope, before = one.fixed.loc["x"], other.fixed.loc["x"]
    assert slope["estimate"] * factor == pytest.approx(before["estimate"], abs=NEAR * before["se"])
    assert slope["se"] * abs(factor) == pytest.approx(before["se"], rel=1e-3)
    intercept = one.fixed.loc["Intercept", "estimate"] + slope["estimate"] * shift
    before = other.fixed.loc["Intercept"]
    room = NEAR * (before["se"] + abs(shift) * slope["se"])
    assert intercept == pytest.approx(before["estimate"], abs=room)
    assert_same_spread(one, other)


@given(world=worlds(), shift=st.floats(-6, 6))
@FEW
def test_a_shift_of_the_offset_moves_the_intercept_and_nothing_else(world: World, shift: float) -> None:
    other = world.fit()
    one = world.fit(offset=world.offset + shift)
    moved = one.fixed.copy()
    moved.loc["Intercept", "estimate"] += shift
    assert one.loglik == pytest.approx(other.loglik, abs=LOGLIK, rel=0)
    assert_same_fixed(moved, other.fixed)
    assert_same_spread(one, other)


@given(world=worlds(families=COUNTS), factor=st.sampled_from([1e-4, 0.1, 12.0, 1e5]))
@FEW
def test_the_unit_of_exposure_moves_the_intercept_and_nothing_else(world: World, factor: float) -> None:
    def fit(exposure: np.ndarray) -> multilevel.MultilevelFit:
        return multilevel.fit_matrix(world.response, world.design, world.groups, family=world.family, exposure=exposure)

    one, other = fit(np.exp(world.offset) * factor), world.fit(n_quadrature=1)
    moved = one.fixed.copy()
    moved.loc["Intercept", "estimate"] += np.log(factor)
    assert one.loglik == pytest.approx(other.loglik, abs=LOGLIK, rel=0)
    assert_same_fixed(moved, other.fixed)
    assert_same_spread(one, other)


@given(world=worlds(families=("gaussian",)), factor=st.sampled_from([1e-3, 0.1, 30.0, 1e4]), shift=st.floats(-9, 9))
@FEW
def test_the_unit_of_a_gaussian_response_scales_everything(world: World, factor: float, shift: float) -> None:
    other = world.fit()
    one = world.fit(response=factor * (world.response + shift), offset=factor * world.offset)
    used = len(world.response) - (world.design.shape[1] if world.reml else 0)
    assert one.loglik == pytest.approx(other.loglik - used * np.log(factor), abs=LOGLIK, rel=0)
    scaled = one.fixed[["estimate", "se"]] / factor
    scaled.loc["Intercept", "estimate"] -= shift
    assert_same_fixed(scaled, other.fixed)
    assert_same_spread(one, other, scale=factor)


def log_ways(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the logarithm of the number of ways to choose the successes among the trials."""
    failures = trials - successes
    return special.gammaln(trials + 1) - special.gammaln(successes + 1) - special.gammaln(failures + 1)


@given(world=worlds(families=("binomial",)), data=st.data())
@FEW
def test_a_binomial_row_may_be_split_in_two(world: World, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(world.response) - 1))
    y, n = world.response[row], world.trials[row]
    part = float(data.draw(st.integers(1, int(n) - 1)))
    hits = float(data.draw(st.integers(int(max(0, part - (n - y))), int(min(part, y)))))
    order = np.append(np.arange(len(world.response)), row)
    response, trials = world.response[order], world.trials[order]
    response[[row, -1]], trials[[row, -1]] = [hits, y - hits], [part, n - part]
    shift = log_ways(hits, part) + log_ways(y - hits, n - part) - log_ways(y, n)
    assert_same(world.rows(order, response=response, trials=trials).fit(), world.fit(), shift=shift)


@given(world=worlds(families=("binomial",)))
@FEW
def test_counts_may_be_given_as_single_outcomes(world: World) -> None:
    n = world.trials.astype(int)
    order = np.repeat(np.arange(len(n)), n)
    within = np.arange(len(order)) - np.repeat(np.cumsum(n) - n, n)
    single = world.rows(order, response=(within < world.response[order]).astype(float), trials=None)
    assert_same(single.fit(), world.fit(), shift=-log_ways(world.response, world.trials).sum())


@given(world=worlds(families=("poisson",)), share=st.floats(0.05, 0.95), data=st.data())
@FEW
def test_a_poisson_row_may_be_split_with_its_exposure(world: World, share: float, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(world.response) - 1))
    y = world.response[row]
    part = float(data.draw(st.integers(0, int(y))))
    order = np.append(np.arange(len(world.response)), row)
    response, offset = world.response[order], world.offset[order]
    response[[row, -1]] = part, y - part
    offset[[row, -1]] += np.log([share, 1 - share])
    # The two parts of a Poisson count are binomial given their sum.
    shift = log_ways(part, y) + special.xlogy(part, share) + special.xlogy(y - part, 1 - share)
    assert_same(world.rows(order, response=response, offset=offset).fit(), world.fit(), shift=shift)


@given(world=worlds())
@FEW
def test_a_category_that_no_row_has_changes_nothing(world: World) -> None:
    padded = pd.DataFrame(
        {
            level: pd.Categorical(labels, categories=["nobody", *sorted(labels.unique(), reverse=True)])
            for level, labels in world.groups.items()
        }
    )
    one, other = world.fit(groups=padded), world.fit()
    assert one.n_units == other.n_units
    assert_same(one, other)


@given(world=worlds(families=("binomial", "poisson")), data=st.data())
@FEW
def test_a_covariate_category_that_no_row_has_changes_nothing(world: World, data: st.DataObject) -> None:
    frame = world.groups.assign(y=world.response, off=world.offset, n=world.trials)
    half = np.arange(len(frame)) % 2
    frame["used"] = pd.Categorical(np.where(half, "b", "a"))
    frame["padded"] = pd.Categorical(np.where(half, "b", "a"), categories=["a", "b", "nobody"])
    given_as = {"family": world.family, "groups": list(world.groups), "offset": "off"}
    if world.family == "binomial":
        given_as["trials"] = "n"
    other = multilevel.fit("y ~ used", frame, **given_as)
    one = multilevel.fit("y ~ padded", frame, **given_as)
    assert one.loglik == pytest.approx(other.loglik, abs=LOGLIK, rel=0)
    assert_same_fixed(one.fixed.dropna().set_axis(other.fixed.index, axis=0), other.fixed)
    assert_same_spread(one, other)


@given(world=worlds(n_levels=1), seed=st.integers(0, 1000))
@FEW
def test_another_level_never_lowers_the_likelihood(world: World, seed: int) -> None:
    """Units fall into areas at random, so that the true spread between areas is zero."""
    labels = sorted(world.groups["unit"].unique())
    drawn = np.random.default_rng(seed).permutation(len(labels)) % 4
    area = world.groups["unit"].map(dict(zip(labels, drawn.tolist(), strict=True)))
    with_areas = world.fit(groups=world.groups.assign(area=area)[["area", "unit"]], n_quadrature=1)
    without = world.fit(n_quadrature=1)
    assert with_areas.loglik >= without.loglik - LOGLIK
    if with_areas.variances.set_index("group").loc["area", "sd"] == 0:
        assert with_areas.loglik == pytest.approx(without.loglik, abs=LOGLIK, rel=0)


@given(world=worlds(families=("binomial", "poisson")))
@FEW
def test_a_level_of_observations_never_lowers_the_likelihood(world: World) -> None:
    finest = world.groups.assign(observation=np.arange(len(world.groups)))
    with_rows, without = world.fit(groups=finest, n_quadrature=1), world.fit(n_quadrature=1)
    assert with_rows.loglik >= without.loglik - LOGLIK


@given(world=worlds(families=("poisson",)))
@FEW
def test_the_negative_binomial_is_never_less_likely_than_its_poisson_limit(world: World) -> None:
    wide, narrow = world.fit(family="negative_binomial"), world.fit()
    assert wide.loglik >= narrow.loglik - LOGLIK
    if np.isinf(wide.dispersion):
        assert wide.loglik == pytest.approx(narrow.loglik, abs=LOGLIK, rel=0)
        assert_same_fixed(wide.fixed, narrow.fixed)


@given(world=worlds(families=("poisson",)))
@FEW
def test_intervals_are_found_where_the_dispersion_has_no_finite_estimate(world: World) -> None:
    """Counts that are Poisson: k may be infinite, and a held SD may then ask for a finite one."""
    fit = world.fit(family="negative_binomial", n_quadrature=1)
    intervals = fit.intervals().set_index("group")
    assert (intervals["lower"] <= intervals["sd"]).all()
    assert (intervals["sd"] <= intervals["upper"]).all()
    assert np.isinf(intervals.loc["dispersion", "upper"]) or np.isfinite(fit.dispersion)


@given(world=worlds(families=("binomial",)))
@FEW
def test_failures_instead_of_successes_change_the_signs_alone(world: World) -> None:
    one, other = world.fit(response=world.trials - world.response, offset=-world.offset), world.fit()
    turned = one.fixed.copy()
    turned["estimate"] *= -1
    assert one.loglik == pytest.approx(other.loglik, abs=LOGLIK, rel=0)
    assert_same_fixed(turned, other.fixed)
    assert_same_spread(one, other)
    for level in world.groups:
        a, b = one.modes(level), other.modes(level)
        allowed = NEAR * b["sd_with_parameter_uncertainty"].max() + 1e-9
        np.testing.assert_allclose(-a["mode"], b["mode"], atol=allowed)


@given(world=worlds(), at=st.integers(0, 2))
@FEW
def test_a_collinear_column_is_a_row_of_nan_and_a_note(world: World, at: int) -> None:
    """Of columns that say the same, the earlier ones are kept, as in R."""
    design = world.design.copy()
    design.insert(at, "copy", 3.0 - 2.0 * design["x"])
    lost = "copy" if at == 2 else "x"
    one, other = world.fit(design=design), world.fit()
    assert list(one.fixed.index) == list(design.columns)
    assert one.fixed.loc[lost].isna().all()
    assert any(lost in note for note in one.notes)
    found = one.fixed.drop(lost)
    slope = found.loc["x" if lost == "copy" else "copy"] * (1 if lost == "copy" else -2)
    before = other.fixed.loc["x"]
    assert slope["estimate"] == pytest.approx(before["estimate"], abs=NEAR * before["se"])
    assert abs(slope["se"]) == pytest.approx(before["se"], rel=1e-3)
    shift = -np.log(2) if world.reml and lost == "x" else 0.0
    assert one.loglik == pytest.approx(other.loglik + shift, abs=LOGLIK, rel=0)
    assert_same_spread(one, other)


@given(world=worlds())
@FEW
def test_an_interval_begins_at_zero_where_the_test_does_not_reject_zero(world: World) -> None:
    """The profile and the likelihood-ratio test are one likelihood seen twice (by full likelihood, as in lme4)."""
    fit = world.fit(reml=False)
    intervals = fit.intervals().set_index("group")
    tests = fit.likelihood_ratio().set_index("group")
    found = intervals.loc[list(world.groups)]
    assert ((found["lower"] == 0) == (tests["statistic"] <= stats.chi2.ppf(0.95, 1))).all()
    assert (intervals["lower"] <= intervals["sd"] * (1 + 1e-9)).all()
    assert (intervals["sd"] <= intervals["upper"] * (1 + 1e-9)).all()
    assert (found["lower"] < found["upper"]).all()


@given(world=worlds(families=("binomial", "poisson"), n_levels=1))
@FEW
def test_more_quadrature_points_settle_on_one_likelihood(world: World) -> None:
    fits = [world.fit(n_quadrature=points) for points in (21, 31)]
    assert fits[0].loglik == pytest.approx(fits[1].loglik, abs=1e-6, rel=0)
    assert_same_fixed(fits[0].fixed, fits[1].fixed)
