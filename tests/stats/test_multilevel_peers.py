"""Multilevel fits against live peers: glmm, which fits the same models, and statsmodels where no spread is left.

glmm 0.6.2 is another's engine of the same likelihoods, written in Rust, with exact second derivatives; it is installed
for development only. Each case draws its data from the model with one fixed seed and is fitted by both in the same run.
Tolerances, each some ten times what was found when they were set:

- log-likelihood 1e-8 of its size; the SDs and the dispersion 2e-5 relative, where the likelihood is flat;
- fixed effects 1e-4 of their standard errors; standard errors, those of the SDs included, 1e-4 relative;
- modes 1e-4 of the smallest conditional SD.

Where the SDs are zero the model is a generalised linear one, and both programs maximise the same function by Newton's
method: log-likelihood 1e-8 absolute, coefficients 1e-6 of their standard errors, standard errors 1e-5 relative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats

from benchmarks import bare
from gpvar.stats import multilevel

pytestmark = pytest.mark.reference

LEVELS = ("area", "network", "practice")
SDS = {"area": 0.35, "network": 0.25, "practice": 0.4, "observation": 0.3}
BETA = np.array([-0.4, 0.3, -0.2])
FORMULA = "x1 + x2"


@dataclass(frozen=True, slots=True)
class Case:
    """One model to be fitted by both programs."""

    family: str
    groups: tuple[str, ...]
    mean: float = 20.0
    exposed: bool = False
    reml: bool = False
    n_quadrature: int = 1

    def __str__(self) -> str:
        words = [self.family, *self.groups, f"mean {self.mean:g}"]
        words += ["exposure"] * self.exposed + ["reml"] * self.reml
        words += [f"{self.n_quadrature} nodes"] * (self.n_quadrature > 1)
        return " ".join(words)


CASES = [
    Case("binomial", ("area",)),
    Case("binomial", ("network", "practice")),
    Case("binomial", LEVELS),
    Case("binomial", LEVELS, mean=4000.0),
    Case("binomial", ("network",), mean=1.0),
    Case("binomial", ("practice",), mean=2.0, n_quadrature=9),
    Case("poisson", ("practice",)),
    Case("poisson", LEVELS, exposed=True),
    Case("poisson", LEVELS, exposed=True, mean=4000.0),
    Case("poisson", ("area", "practice", "observation"), mean=200.0),
    Case("poisson", ("practice",), mean=0.7, n_quadrature=7),
    Case("negative_binomial", ("practice",), exposed=True),
    Case("negative_binomial", ("area", "practice")),
    Case("gaussian", LEVELS),
    Case("gaussian", LEVELS, reml=True),
    Case("gaussian", ("practice",), reml=True),
]


def world(groups: tuple[str, ...], areas: int = 14, per_area: int = 5, per_network: int = 5, rows: int = 3):
    """Return a frame of nested units with two covariates, and the sum of the effects of `groups` on each row."""
    rng = np.random.default_rng(4)
    shape = (areas, per_area, per_network, rows)
    area, network, practice, _ = (index.ravel() for index in np.indices(shape))
    frame = pd.DataFrame({"area": area, "network": area * per_area + network})
    frame["practice"] = frame["network"] * per_network + practice
    frame["observation"] = np.arange(len(frame))
    frame["x1"] = rng.normal(size=len(frame))
    # The second covariate belongs to the practice, as a practice's own share of older patients does.
    frame["x2"] = rng.normal(size=frame["practice"].max() + 1)[frame["practice"]]
    effects = sum(rng.normal(0.0, SDS[name], frame[name].max() + 1)[frame[name]] for name in groups)
    return frame, effects, rng


def drawn(case: Case) -> pd.DataFrame:
    """Return the frame of one case with response `y` and `n`: trials, or exposure."""
    frame, effects, rng = world(case.groups)
    eta = np.column_stack([np.ones(len(frame)), frame["x1"], frame["x2"]]) @ BETA + effects
    size = np.maximum(1.0, (case.mean * rng.lognormal(0.0, 0.5, len(frame))).round()) if case.mean > 1 else case.mean
    frame["n"] = np.broadcast_to(size, len(frame)).astype(float)
    if case.family == "binomial":
        frame["y"] = rng.binomial(frame["n"].astype(int), special.expit(eta)).astype(float)
    elif case.family == "gaussian":
        frame["y"] = eta + rng.normal(0.0, 0.7, len(frame))
    else:
        mean = np.exp(eta) * (frame["n"] if case.exposed else case.mean)
        rate = mean * rng.gamma(3.0, 1 / 3.0, len(frame)) if case.family == "negative_binomial" else mean
        frame["y"] = rng.poisson(rate).astype(float)
    return frame


def ours(case: Case, frame: pd.DataFrame) -> multilevel.MultilevelFit:
    named: dict[str, Any] = {"trials": "n"} if case.family == "binomial" else {}
    if case.exposed:
        named["exposure"] = "n"
    return multilevel.fit(
        f"y ~ {FORMULA}",
        frame,
        family=case.family,
        groups=list(case.groups),
        reml=case.reml,
        n_quadrature=case.n_quadrature,
        **named,
    )


def theirs(case: Case, frame: pd.DataFrame) -> Any:
    """Return glmm's fit of the same model."""
    glmm = pytest.importorskip("glmm", reason="the peer glmm is not installed: it has no wheel for every system")
    data = {name: frame[name].to_numpy() for name in ("x1", "x2")}
    data |= {name: frame[name].astype(str).to_numpy() for name in case.groups}
    binomial = case.family == "binomial"
    data["y"] = (frame["y"] / frame["n"] if binomial else frame["y"]).to_numpy()
    effects = " + ".join(f"(1 | {name})" for name in case.groups)
    return glmm.fit(
        data,
        f"y ~ {FORMULA} + {effects}",
        case.family.replace("_", ""),
        weights=frame["n"].to_numpy() if binomial else None,
        offset=np.log(frame["n"].to_numpy()) if case.exposed else None,
        reml=case.reml if case.family == "gaussian" else None,
        nagq=case.n_quadrature,
    )


@pytest.fixture(scope="module", params=CASES, ids=str)
def both(request: pytest.FixtureRequest) -> tuple[multilevel.MultilevelFit, Any]:
    """Return our fit and glmm's fit of one case."""
    frame = drawn(request.param)
    return ours(request.param, frame), theirs(request.param, frame)


def test_glmm_reaches_the_same_log_likelihood(both: tuple[multilevel.MultilevelFit, Any]) -> None:
    fit, peer = both
    assert peer.converged and not peer.singular
    assert fit.loglik == pytest.approx(peer.loglik, rel=1e-8)
    assert peer.nagq == fit.n_quadrature


def test_glmm_finds_the_same_fixed_effects_and_standard_errors(both: tuple[multilevel.MultilevelFit, Any]) -> None:
    fit, peer = both
    assert list(fit.fixed.index) == ["Intercept", "x1", "x2"]
    assert np.abs((fit.fixed["estimate"] - peer.beta) / peer.se).max() < 1e-4
    assert fit.fixed["se"].to_numpy() == pytest.approx(peer.se, rel=1e-4)


def test_glmm_finds_the_same_spread(both: tuple[multilevel.MultilevelFit, Any]) -> None:
    fit, peer = both
    sds = fit.variances.set_index("group")["sd"]
    found = {name: peer.stddev_corr(at)[0][0] for at, (name, _) in enumerate(peer.re_groups)}
    assert set(found) == set(fit.groups)
    for name, sd in found.items():
        assert sds[name] == pytest.approx(sd, rel=2e-5)
    if fit.family == "gaussian":
        assert sds["Residual"] ** 2 == pytest.approx(peer.dispersion, rel=4e-5)
    if fit.family == "negative_binomial":
        assert fit.dispersion == pytest.approx(peer.dispersion, rel=2e-5)


# It gives none for the Gaussian.
@pytest.mark.parametrize("both", [case for case in CASES if case.family != "gaussian"], indirect=True, ids=str)
def test_glmm_finds_the_same_uncertainty_of_the_spread(both: tuple[multilevel.MultilevelFit, Any]) -> None:
    fit, peer = both
    place = len(fit.fixed)
    errors = np.sqrt(np.diag(fit.estimate.covariance))[place : place + len(fit.groups)] * fit.estimate.sds
    by_name = dict(zip(fit.groups, errors, strict=True))
    ordered = [by_name[name] for name, _ in peer.re_groups]
    assert ordered == pytest.approx(peer.stddev_se.tolist(), rel=1e-4)


def test_glmm_finds_the_same_modes(both: tuple[multilevel.MultilevelFit, Any]) -> None:
    fit, peer = both
    for block in peer.ranef_blocks:
        modes = fit.modes(block["group"])
        there = modes["mode"].set_axis(modes.index.astype(str)).loc[list(block["levels"])]
        off = np.abs(there.to_numpy() - np.ravel(block["values"])).max()
        assert off < 1e-4 * modes["sd_given_parameters"].min()


def test_glmm_puts_the_same_level_on_the_edge() -> None:
    """The model that made the data has no spread between networks, and the estimate says so."""
    case = Case("poisson", LEVELS)
    frame, *_ = world(())
    # Every network has the same counts; areas differ, practices differ by their place within the network.
    place = frame["practice"] % 5
    frame["y"] = (10.0 + 3.0 * place + 2.0 * (frame["area"] % 4)).round()
    fit = ours(case, frame)
    glmm = pytest.importorskip("glmm", reason="the peer glmm is not installed: it has no wheel for every system")
    with pytest.warns(glmm.SingularFitWarning):
        peer = theirs(case, frame)
    assert dict(zip(fit.groups, fit.estimate.free.tolist(), strict=True)) == {
        "area": True,
        "network": False,
        "practice": True,
    }
    assert fit.estimate.sds[1] == 0.0
    assert fit.loglik == pytest.approx(peer.loglik, rel=1e-8)
    assert np.abs((fit.fixed["estimate"] - peer.beta) / peer.se).max() < 1e-4


def alike(family: str) -> pd.DataFrame:
    """Return three levels of units that are all alike: fewer differences than chance makes, so no SD is above zero."""
    frame, _, rng = world((), areas=8, per_area=4, per_network=4, rows=4)
    eta = np.column_stack([np.ones(len(frame)), frame["x1"], frame["x2"]]) @ BETA
    frame["n"] = rng.integers(20, 60, len(frame)).astype(float)
    if family == "binomial":
        frame["y"] = (frame["n"] * special.expit(eta)).round()
    elif family == "poisson":
        frame["y"] = (frame["n"] * np.exp(eta)).round()
    else:
        # The same four quantiles in each practice: as much spread between rows as the distribution has, none between
        # units.
        quantile = rng.permuted(np.tile([0.1, 0.35, 0.65, 0.9], (len(frame) // 4, 1)), axis=1).ravel()
        rate = frame["n"] * np.exp(eta)
        frame["y"] = (
            stats.nbinom.ppf(quantile, 3.0, 3.0 / (3.0 + rate))
            if family == "negative_binomial"
            else (eta + 0.7 * special.ndtri(quantile))
        )
    return frame


def generalised_linear(family: str, frame: pd.DataFrame, fit: multilevel.MultilevelFit) -> tuple[Any, ...]:
    """Return statsmodels' coefficients, standard errors and log-likelihood (and dispersion, if the family has one)."""
    design = sm.add_constant(frame[["x1", "x2"]].to_numpy())
    y, n = frame["y"].to_numpy(), frame["n"].to_numpy()
    if family == "negative_binomial":
        start = np.r_[fit.fixed["estimate"], 1.0 / fit.dispersion]
        model = sm.NegativeBinomial(y, design, exposure=n)
        found = model.fit(start + 0.05, method="newton", tol=1e-14, maxiter=200, disp=0)
        return found.params[:3], found.bse[:3], found.llf, 1.0 / found.params[3]
    if family == "gaussian":
        found = sm.OLS(y, design).fit()
        residual = np.sqrt(found.ssr / len(y))
        return found.params, found.bse * residual / np.sqrt(found.scale), found.llf, residual
    if family == "binomial":
        model = sm.GLM(np.column_stack([y, n - y]), design, family=sm.families.Binomial())
    else:
        model = sm.GLM(y, design, family=sm.families.Poisson(), exposure=n)
    found = model.fit(tol=1e-14, maxiter=100)
    return found.params, found.bse, found.llf, np.nan


@pytest.mark.parametrize("groups", [("practice",), LEVELS], ids=["one level", "three levels"])
@pytest.mark.parametrize("family", multilevel.FAMILIES)
def test_without_spread_it_is_the_generalised_linear_model(family: str, groups: tuple[str, ...]) -> None:
    frame = alike(family)
    fit = ours(Case(family, groups, exposed=family in ("poisson", "negative_binomial")), frame)
    coefficients, errors, loglik, dispersion = generalised_linear(family, frame, fit)
    assert fit.estimate.sds.tolist() == [0.0] * len(groups)
    assert fit.loglik == pytest.approx(loglik, abs=1e-8)
    assert np.abs((fit.fixed["estimate"] - coefficients) / errors).max() < 1e-6
    assert fit.fixed["se"].to_numpy() == pytest.approx(errors, rel=1e-5)
    ours_too = {"negative_binomial": fit.dispersion, "gaussian": fit.estimate.residual_sd}
    assert ours_too.get(family, np.nan) == pytest.approx(dispersion, rel=1e-5, nan_ok=True)


def test_without_spread_a_restricted_fit_is_least_squares() -> None:
    frame = alike("gaussian")
    fit = ours(Case("gaussian", LEVELS, reml=True), frame)
    least_squares = sm.OLS(frame["y"].to_numpy(), sm.add_constant(frame[["x1", "x2"]].to_numpy())).fit()
    assert fit.estimate.sds.tolist() == [0.0, 0.0, 0.0]
    assert fit.estimate.residual_sd**2 == pytest.approx(least_squares.scale, rel=1e-8)
    assert fit.fixed["se"].to_numpy() == pytest.approx(least_squares.bse, rel=1e-8)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_the_operations_that_the_benchmark_times_give_the_numbers_of_the_engine(family: str) -> None:
    case = Case(family, LEVELS, exposed=family == "poisson")
    exp, step, gradient, hessian = bare.beside(ours(case, drawn(case)).estimate)
    assert exp.ours() == pytest.approx(exp.bare())
    assert gradient.ours() == pytest.approx(gradient.bare(), abs=1e-6)
    # Modes are found to 1e-9 of an SD, and the differences are taken over 2e-3.
    assert hessian.ours() == pytest.approx(hessian.bare(), abs=1e-5)
    steps = step.ours()
    assert steps > 2 and step.rows == exp.rows * (steps + 1)
