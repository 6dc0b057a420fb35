"""The expectation: right on worlds with a known answer, and what it stands on."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from gpvar.analysis.expected import (
    fit_expected,
    inverse_link,
    link_of_observed,
    sampling_variance,
)
from gpvar.errors import TableError

BETA = np.array([-0.4, 0.3, -0.2])


def world(kind: str, n: int = 3000, tau: float = 0.3, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    size = np.exp(rng.normal(np.log(20000), 0.6, n)).round()
    link = x @ BETA + rng.normal(0, tau, n)
    observed = rng.binomial(size.astype(int), inverse_link(link, kind)) if kind == "proportion" else None
    if observed is None:
        observed = rng.poisson(size * np.exp(link))
    return x, observed.astype(float), size


@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_coefficients_are_those_of_the_world(kind: str) -> None:
    x, observed, size = world(kind)
    found = fit_expected(observed, size, kind, x, np.ones(len(x), dtype=bool)).coefficients
    assert np.abs(found - BETA).max() < 4 * 0.3 / np.sqrt(len(x))


@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_without_a_shared_spread_it_is_the_generalised_linear_model(kind: str) -> None:
    x, observed, size = world(kind, n=500, tau=0.0)
    if kind == "proportion":
        peer = sm.GLM(np.column_stack([observed, size - observed]), x, family=sm.families.Binomial()).fit()
    else:
        peer = sm.GLM(observed, x, family=sm.families.Poisson(), offset=np.log(size)).fit()
    found = fit_expected(observed, size, kind, x, np.ones(len(x), dtype=bool)).coefficients
    assert np.abs((found - peer.params) / peer.bse).max() < 0.1


def test_a_huge_practice_does_not_drive_the_expectation() -> None:
    x, observed, size = world("proportion", n=400)
    usual = fit_expected(observed, size, "proportion", x, np.ones(400, dtype=bool)).coefficients
    size[0], x[0, 1] = 1e7, 6.0
    observed[0] = 0.9 * size[0]
    moved = fit_expected(observed, size, "proportion", x, np.ones(400, dtype=bool)).coefficients
    plain = sm.GLM(np.column_stack([observed, size - observed]), x, family=sm.families.Binomial()).fit().params
    assert abs(moved[1] - usual[1]) < 0.25 * abs(plain[1] - usual[1])


def test_below_200_practices_a_practice_is_left_out_of_its_own_expectation() -> None:
    x, observed, size = world("proportion", n=60)
    everyone = np.ones(60, dtype=bool)
    inside = fit_expected(observed, size, "proportion", x, everyone).link
    without = everyone.copy()
    without[7] = False
    outside = fit_expected(observed, size, "proportion", x, without).link
    assert inside[7] == pytest.approx(outside[7], abs=0.02)
    plain = x @ fit_expected(observed, size, "proportion", x, everyone).coefficients
    assert abs(plain[7] - outside[7]) > 5 * abs(inside[7] - outside[7])


def test_practices_left_out_of_the_fit_do_not_move_it() -> None:
    x, observed, size = world("rate", n=500)
    fitted = np.ones(500, dtype=bool)
    fitted[:5] = False
    before = fit_expected(observed, size, "rate", x, fitted).coefficients
    observed[:5] *= 50
    assert np.array_equal(before, fit_expected(observed, size, "rate", x, fitted).coefficients)


def test_too_few_practices_are_refused_with_the_numbers() -> None:
    x, observed, size = world("rate", n=5)
    with pytest.raises(TableError, match="5 practices with sound data cannot set a comparison; it needs at least 6"):
        fit_expected(observed, size, "rate", x, np.ones(5, dtype=bool))


def test_the_judged_quantity_turns_over_with_the_complement() -> None:
    observed, size = np.array([0.0, 3.0, 10.0]), np.array([10.0, 10.0, 10.0])
    assert np.allclose(
        link_of_observed(observed, size, "proportion"), -link_of_observed(size - observed, size, "proportion")
    )


def test_sampling_variance_is_that_of_the_table_in_the_methods() -> None:
    assert sampling_variance(np.array([0.0]), np.array([100.0]), "proportion")[0] == pytest.approx(1 / 25)
    assert sampling_variance(np.log(np.array([0.02])), np.array([1000.0]), "rate")[0] == pytest.approx(1 / 20)
