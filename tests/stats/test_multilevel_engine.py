"""The engine of multilevel models against the definitions that it computes: dense algebra, differences, integrals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from gpvar.stats import multilevel
from gpvar.stats.multilevel._tree import eliminate, grow

LEVELS = ("area", "network", "practice")
FAMILIES_OF_COUNTS = ("binomial", "poisson", "negative_binomial")


def world(family: str, rows: int = 4, mean: float = 8.0, seed: int = 4) -> pd.DataFrame:
    """Return rows in practices in networks in areas with known spreads and one covariate."""
    rng = np.random.default_rng(seed)
    area, network, practice, _ = (index.ravel() for index in np.indices((6, 3, 3, rows)))
    frame = pd.DataFrame({"area": area, "network": area * 3 + network})
    frame["practice"] = frame["network"] * 3 + practice
    frame["x"] = rng.normal(size=len(frame))
    eta = 0.3 * frame["x"] - 0.2
    for level, sd in zip(LEVELS, (0.5, 0.4, 0.6), strict=True):
        eta = eta + rng.normal(0, sd, frame[level].max() + 1)[frame[level]]
    frame["n"], frame["exposure"] = np.ceil(mean * rng.uniform(0.5, 2, len(frame))), rng.uniform(0.5, 2, len(frame))
    expected = mean * frame["exposure"] * np.exp(eta)
    if family == "binomial":
        frame["y"] = rng.binomial(frame["n"].astype(int), special.expit(eta))
    elif family == "poisson":
        frame["y"] = rng.poisson(expected)
    elif family == "negative_binomial":
        frame["y"] = rng.poisson(expected * rng.gamma(3.0, 1 / 3.0, len(frame)))
    else:
        frame["y"] = rng.normal(eta, 0.8)
    return frame.sample(frac=1, random_state=seed, ignore_index=True)


def fitted(family: str, groups: list[str], frame: pd.DataFrame, **options: Any) -> multilevel.MultilevelFit:
    if family == "binomial":
        options["trials"] = "n"
    elif family != "gaussian":
        options["exposure"] = "exposure"
    return multilevel.fit("y ~ x", frame, family=family, groups=groups, **options)


def loglik_of_rows(fit: multilevel.MultilevelFit, eta: np.ndarray) -> np.ndarray:
    """Return each row's log-likelihood by scipy's own distributions."""
    data = fit.estimate.data
    if data.trials is not None:
        return stats.binom.logpmf(data.response, data.trials, special.expit(eta))
    mean = np.exp(eta)
    if fit.family == "poisson":
        return stats.poisson.logpmf(data.response, mean)
    return stats.nbinom.logpmf(data.response, fit.dispersion, fit.dispersion / (fit.dispersion + mean))


def indicators(fit: multilevel.MultilevelFit) -> np.ndarray:
    """Return the random effects' design times their SDs, (rows, all units)."""
    data = fit.estimate.data
    parts = [
        sd * (code[:, None] == np.arange(code.max() + 1)) for sd, code in zip(fit.estimate.sds, data.codes, strict=True)
    ]
    return np.hstack(parts)


def test_the_tree_solves_what_dense_algebra_solves() -> None:
    rng = np.random.default_rng(4)
    frame = world("poisson")
    codes = [frame[level].to_numpy() for level in LEVELS]
    tree, sds = grow(codes), np.array([0.6, 0.0, 1.5])
    weights, scores = rng.uniform(0.1, 9, len(frame)), rng.normal(size=len(frame))
    pivots = eliminate(tree, sds, tree.sum_up(0, weights[tree.order]))
    effects, totals = pivots.solve(tree.sum_up(0, scores[tree.order]))

    fine_first = list(zip(sds, codes[::-1], strict=True))
    design = np.hstack([sd * (code[:, None] == np.arange(code.max() + 1)) for sd, code in fine_first])
    precision = np.eye(design.shape[1]) + design.T @ (weights[:, None] * design)
    dense = np.linalg.solve(precision, design.T @ scores)
    np.testing.assert_allclose(np.concatenate(effects), dense, rtol=1e-11, atol=1e-13)
    rows = np.empty(len(frame))
    rows[tree.order] = tree.hand_down(0, totals[0])
    np.testing.assert_allclose(rows, design @ dense, rtol=1e-11, atol=1e-13)
    assert pivots.log_determinant() == pytest.approx(np.linalg.slogdet(precision)[1], rel=1e-12)
    inverse = np.linalg.inv(precision)
    of_rows = np.empty(len(frame))
    of_rows[tree.order] = tree.hand_down(0, pivots.variances()[0])
    np.testing.assert_allclose(of_rows, np.einsum("ij,jk,ik->i", design, inverse, design), rtol=1e-10)
    spread = np.concatenate([np.full(code.max() + 1, sd) for sd, code in fine_first])
    np.testing.assert_allclose(
        np.concatenate(pivots.effect_variances()), spread**2 * np.diag(inverse), rtol=1e-10, atol=1e-15
    )


def score_of_rows(fit: multilevel.MultilevelFit, eta: np.ndarray) -> np.ndarray:
    data = fit.estimate.data
    if data.trials is not None:
        return data.response - data.trials * special.expit(eta)
    share = fit.dispersion / (fit.dispersion + np.exp(eta)) if fit.family == "negative_binomial" else 1.0
    return (data.response - np.exp(eta)) * share


@pytest.mark.parametrize("family", FAMILIES_OF_COUNTS)
def test_the_laplace_approximation_is_its_definition(family: str) -> None:
    fit = fitted(family, list(LEVELS), world(family))
    data, design = fit.estimate.data, indicators(fit)
    base = data.design @ fit.estimate.beta + data.offset
    found = optimize.minimize(
        lambda u: 0.5 * u @ u - loglik_of_rows(fit, base + design @ u).sum(),
        np.zeros(design.shape[1]),
        jac=lambda u: u - design.T @ score_of_rows(fit, base + design @ u),
        method="BFGS",
        options={"gtol": 1e-6},
    )
    step, eta = 1e-5, base + design @ found.x
    weight = (score_of_rows(fit, eta - step) - score_of_rows(fit, eta + step)) / (2 * step)
    curvature = np.eye(design.shape[1]) + design.T @ (weight[:, None] * design)
    assert fit.loglik == pytest.approx(-found.fun - 0.5 * np.linalg.slogdet(curvature)[1], abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES_OF_COUNTS)
def test_quadrature_is_the_integral_over_each_unit(family: str) -> None:
    fit = fitted(family, ["practice"], world(family, mean=2.0), n_quadrature=25)
    data = fit.estimate.data
    base = data.design @ fit.estimate.beta + data.offset
    # The trapezium rule on a smooth function that is zero at both ends is exact to rounding.
    u, width = np.linspace(-9, 9, 1201, retstep=True)
    heights = stats.norm.logpdf(u) + np.zeros((len(data.units[0]), 1))
    for place, shift in enumerate(fit.estimate.sds[0] * u):
        heights[:, place] += np.bincount(data.codes[0], loglik_of_rows(fit, base + shift))
    assert fit.loglik == pytest.approx(float((special.logsumexp(heights, axis=1) + np.log(width)).sum()), abs=1e-7)


@pytest.mark.parametrize("reml", [False, True])
def test_the_gaussian_likelihood_is_that_of_the_joint_normal(reml: bool) -> None:
    fit = fitted("gaussian", list(LEVELS), world("gaussian"), reml=reml)
    data, design = fit.estimate.data, indicators(fit)
    covariance = design @ design.T + fit.estimate.residual_sd**2 * np.eye(len(design))
    information = data.design.T @ np.linalg.solve(covariance, data.design)
    beta = np.linalg.solve(information, data.design.T @ np.linalg.solve(covariance, data.response))
    expected = stats.multivariate_normal(data.design @ beta, covariance).logpdf(data.response)
    if reml:
        expected -= 0.5 * np.linalg.slogdet(information)[1] - 0.5 * len(beta) * np.log(2 * np.pi)
    assert fit.loglik == pytest.approx(float(expected), abs=1e-8)
    np.testing.assert_allclose(fit.estimate.beta, beta, rtol=1e-9)
    np.testing.assert_allclose(fit.fixed["se"], np.sqrt(np.diag(np.linalg.inv(information))), rtol=1e-7)


@pytest.mark.parametrize(
    ("family", "groups", "options"),
    [
        ("binomial", list(LEVELS), {}),
        ("poisson", ["area", "practice", "observation"], {}),
        ("negative_binomial", ["network", "practice"], {}),
        ("binomial", ["practice"], {"n_quadrature": 7}),
        ("poisson", ["practice"], {"n_quadrature": 4}),
        ("negative_binomial", ["practice"], {"n_quadrature": 5}),
        ("gaussian", list(LEVELS), {}),
        ("gaussian", list(LEVELS), {"reml": True}),
    ],
)
def test_the_gradient_is_the_derivative_of_the_likelihood(family: str, groups: list[str], options: Any) -> None:
    estimate = fitted(family, groups, world(family), **options).estimate
    engine, at = estimate.problem.engine, estimate.parameters
    # Away from the maximum, where every part of the gradient counts.
    at = np.where(np.isfinite(at), at, -2.0) + np.random.default_rng(4).uniform(-0.4, 0.4, len(at))
    gradient = engine.evaluate(at).gradient
    for place in range(len(at)):
        move = np.zeros(len(at))
        move[place] = 1e-3
        near, far = (engine.evaluate(at + k * move).loglik - engine.evaluate(at - k * move).loglik for k in (1, 2))
        # Richardson's rule, whose error falls with the fourth power of the step; the likelihood itself is known to
        # about 1e-8, because the modes are found to 1e-9 of their SDs.
        assert gradient[place] == pytest.approx((8 * near - far) / 12e-3, rel=1e-6, abs=2e-5), place


@pytest.mark.parametrize("family", FAMILIES_OF_COUNTS)
def test_standard_errors_come_from_the_curvature_in_all_parameters(family: str) -> None:
    estimate = fitted(family, ["area", "practice"], world(family)).estimate
    engine, at, size = estimate.problem.engine, estimate.parameters, len(estimate.parameters)
    hessian = np.empty((size, size))
    for place in range(size):
        move = np.zeros(size)
        move[place] = 1e-4
        hessian[place] = (engine.evaluate(at + move).gradient - engine.evaluate(at - move).gradient) / 2e-4
    covariance = np.linalg.inv(-(hessian + hessian.T) / 2)
    coarse_first = [0, 1, 3, 2, *range(4, size)]
    unit = np.outer(*2 * [np.sqrt(np.diag(estimate.covariance))])
    found = covariance[np.ix_(coarse_first, coarse_first)]
    # The engine takes its curvature where the last Newton step began, which changes it by up to 1e-4.
    np.testing.assert_allclose(estimate.covariance / unit, found / unit, atol=1e-4)


def test_a_level_that_the_data_do_not_support_has_an_sd_of_exactly_zero() -> None:
    frame = world("poisson")
    rng = np.random.default_rng(4)
    frame["y"] = rng.poisson(8 * frame["exposure"] * np.exp(0.3 * frame["x"]))
    fit = fitted("poisson", ["area", "practice"], frame)
    boundary = fit.variances.set_index("group")["sd"] == 0
    assert boundary.any()
    for level in fit.variances.loc[boundary.to_numpy(), "group"]:
        assert any(level in note and "exactly 0" in note for note in fit.notes)
        assert (fit.modes(level)["mode"] == 0).all()
        assert fit.intervals().set_index("group").loc[level, "lower"] == 0
