"""Funnels against FunnelPlotR 0.6.0, Spiegelhalter's exact limits, metafor and published formulas.

Tolerances: FunnelPlotR numbers 1e-8 relative and flags exact; exact limits and formulas 1e-9; metafor 1e-5. In
FunnelPlotR's tables "99" means 99.8 %.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar.stats import _compatibility, _overdispersion, _predictive, _scales, funnel
from tests.support import reference

pytestmark = pytest.mark.reference

RATIO_CASES = (
    "SR_SHMI_trim0.1_OD_lim99_x1",
    "SR_SHMI_trim0.1_OD_lim95_x1",
    "SR_SHMI_trim0.1_OD_lim99_x100_noround",
    "SR_SHMI_trim0.05_OD_lim99_x1",
    "SR_CQC_trim0.1_OD_lim99_x1",
    "SR_CQC_trim0.05_OD_lim95_x1",
    "SR_SHMI_trim0.1_unadj_lim95_x1",
    "SR_SHMI_trim0.1_unadj_lim99_x1",
)
CASES = [
    *(
        (name, case)
        for name in ("owntest", "medpar", "simgp_sr", "simnull_sr", "simzeros_sr", "los_sr")
        for case in RATIO_CASES
    ),
    *(("simgp_pr", f"PR_arcsin_trim0.1_{case}") for case in ("OD_lim99_x1", "OD_lim95_x1", "unadj_lim95_x100")),
    *(("simgp_rc", f"RC_log_trim0.1_{case}") for case in ("OD_lim99_x1", "unadj_lim95_x1")),
]
KINDS = {"SR": "ratio", "PR": "proportion", "RC": "ratio_of_counts"}
TAILS = ("0.001", "0.025", "0.975", "0.999")


def funnelplotr(name: str, case: str) -> tuple[funnel.Funnel, dict[str, Any], pd.DataFrame]:
    facts = json.loads(reference(f"funnelplotr_{name}_expected.json").read_text(encoding="utf-8"))["cases"][case]
    units = pd.read_csv(reference(f"funnelplotr_{name}_units.csv"), dtype={"group": str})
    units = units[units["case"] == case].reset_index(drop=True)
    shmi = facts["data_type"] == "SR" and facts["sr_method"] == "SHMI"
    # The denominators of the table are those the package used: rounded to two decimals in its SHMI cases.
    found = funnel.funnel(
        units["numerator"],
        units["denominator"],
        kind=KINDS[facts["data_type"]],
        overdispersion="shmi" if shmi else "funnelplotr-0.6",
        trim=facts["trim_by"],
    )
    return found, facts, units


@pytest.mark.parametrize(("name", "case"), CASES)
def test_funnelplotr_dispersion_and_scores(name: str, case: str) -> None:
    found, facts, units = funnelplotr(name, case)
    np.testing.assert_allclose(found.units["z_sampling"], units["Uzscore"], rtol=1e-8, atol=1e-10)
    if facts["draw_adjusted_requested"]:
        assert found.phi == pytest.approx(facts["phi"], rel=1e-8)
        assert found.tau2 == pytest.approx(facts["tau2"], rel=1e-8, abs=1e-14)
        assert (found.phi > 1) == facts["draw_adjusted_effective"]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_funnelplotr_limits(name: str, case: str) -> None:
    found, facts, units = funnelplotr(name, case)
    scale = facts["multiplier"]
    for ours, theirs in (("95", "95"), ("99_8", "99")):
        for side, end in (("lower", "LCL"), ("upper", "UCL")):
            plain = found.units[f"sampling_{side}_{ours}"] * scale
            np.testing.assert_allclose(plain, units[f"{end}{theirs}"], rtol=1e-8)
            if facts["draw_adjusted_effective"]:
                wide = found.units[f"{side}_{ours}"] * scale
                np.testing.assert_allclose(wide, units[f"OD{theirs}{end}"], rtol=1e-8)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_funnelplotr_limits_with_its_spread(name: str, case: str) -> None:
    """The spread-widened limits are printed by the package even where it does not use them."""
    found, facts, units = funnelplotr(name, case)
    mode = found.overdispersion
    centre = found.units["centre"].to_numpy()
    wide = _compatibility.recipe_limits(found._inputs, centre, mode, facts["tau2"], (0.95, 0.998))[1]
    for (lower, upper), theirs in zip(wide, ("95", "99"), strict=True):
        np.testing.assert_allclose(lower * facts["multiplier"], units[f"OD{theirs}LCL"], rtol=1e-8)
        np.testing.assert_allclose(upper * facts["multiplier"], units[f"OD{theirs}UCL"], rtol=1e-8)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_funnelplotr_outliers(name: str, case: str) -> None:
    found, facts, units = funnelplotr(name, case)
    flag = found.units["flag" if facts["draw_adjusted_effective"] else "flag_sampling"]
    out = flag != "" if facts["limit"] == 95 else flag.str.endswith("99_8")
    # A single outlier stands as a plain string.
    named = [facts["outliers"]] if isinstance(facts["outliers"], str) else facts["outliers"]
    assert list(units["group"][out]) == named
    assert list(out.astype(int)) == list(units["outlier"])


@pytest.mark.parametrize(("name", "case"), CASES)
def test_funnelplotr_scores_kept_for_dispersion(name: str, case: str) -> None:
    _, facts, units = funnelplotr(name, case)
    z = units["Uzscore"].to_numpy()
    if "SHMI" in case:
        kept = _compatibility.truncated(z, facts["trim_by"])
        np.testing.assert_array_equal(kept, units["truncated"] == 0)
        assert kept.sum() == facts["n_used_for_phi"]
    else:
        np.testing.assert_allclose(_compatibility.winsorise(z, facts["trim_by"]), units["Wuzscore"], rtol=1e-8)


@pytest.mark.parametrize("tail", TAILS)
def test_exact_poisson_limits(tail: str) -> None:
    table = pd.read_csv(reference("exact_poisson_limits.csv"))
    due = table["E"].to_numpy()
    counts = _predictive.Counts(due, np.full_like(due, np.inf))
    found = _predictive.interpolated_limits(counts, float(tail)) / due
    np.testing.assert_allclose(found, table[f"sr_interp_{tail}"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tail", TAILS)
def test_exact_binomial_limits(tail: str) -> None:
    table = pd.read_csv(reference("exact_binomial_limits_interp.csv"))
    n = table["n"].to_numpy(dtype=float)
    found = _predictive.interpolated_limits(_predictive.Counts(n * table["theta0"].to_numpy(), n), float(tail)) / n
    np.testing.assert_allclose(found, table[f"lim_{tail}"], rtol=1e-9, atol=1e-12)


def test_sampling_limits_of_a_ratio_funnel_are_the_exact_ones() -> None:
    table = pd.read_csv(reference("exact_poisson_limits.csv"))
    found = funnel.funnel(np.round(table["E"]), table["E"], kind="ratio", overdispersion="none", target=1.0).units
    for tail, column in zip(TAILS, ("lower_99_8", "lower_95", "upper_95", "upper_99_8"), strict=True):
        np.testing.assert_allclose(found[f"sampling_{column}"], table[f"sr_interp_{tail}"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.85])
def test_sampling_limits_of_a_proportion_funnel_are_the_exact_ones(share: float) -> None:
    table = pd.read_csv(reference("exact_binomial_limits_interp.csv"))
    table = table[table["theta0"] == share]
    found = funnel.funnel(
        np.round(table["n"] * share), table["n"], kind="proportion", overdispersion="none", target=share
    ).units
    for tail, column in zip(TAILS, ("lower_99_8", "lower_95", "upper_95", "upper_99_8"), strict=True):
        np.testing.assert_allclose(found[f"sampling_{column}"], table[f"lim_{tail}"], rtol=1e-9, atol=1e-12)


def test_ratio_limits_of_the_recipes_are_chi_square() -> None:
    table = pd.read_csv(reference("exact_poisson_limits.csv"))
    found = funnel.funnel(np.round(table["E"]), table["E"], kind="ratio", overdispersion="shmi").units
    for column, theirs in (
        ("lower_95", "ll95"),
        ("upper_95", "ul95"),
        ("lower_99_8", "ll998"),
        ("upper_99_8", "ul998"),
    ):
        np.testing.assert_allclose(found[f"sampling_{column}"], table[f"funnelplotr_{theirs}"], rtol=1e-9)


@pytest.mark.parametrize("scale", ["sqrt", "log", "raw"])
@pytest.mark.parametrize("name", ["simgp_sr", "simnull_sr", "medpar"])
def test_dispersion_and_additive_variance_by_every_variant(name: str, scale: str) -> None:
    expected = json.loads(reference(f"od_variants_{name}.json").read_text(encoding="utf-8"))[scale]
    units = pd.read_csv(reference(f"funnelplotr_{name}_input.csv"))
    units = units[units["num"] > 0]
    ratio, due = (units["num"] / units["den"]).to_numpy(), units["den"].to_numpy()
    seen = {"sqrt": np.sqrt(ratio) - 1, "log": np.log(ratio), "raw": ratio - 1}[scale]
    sd = (0.5 if scale == "sqrt" else 1.0) / np.sqrt(due)
    z = seen / sd
    kept = _compatibility.truncated(z, 0.1)
    assert kept.sum() == expected["n_trunc"]
    used = {"raw": (z, sd), "wins": (_compatibility.winsorise(z, 0.1), sd), "trunc": (z[kept], sd[kept])}
    for variant, (scores, errors) in used.items():
        phi = _compatibility.dispersion(scores)
        assert phi == pytest.approx(expected[f"phi_{variant}"], rel=1e-9)
        assert _compatibility.additive_variance(phi, errors) == pytest.approx(expected[f"tau2_{variant}"], rel=1e-9)
    for variant, factor in (
        ("wins", _overdispersion.winsor_factor(0.1)),
        ("trunc", _overdispersion.truncation_factor(0.1)),
    ):
        assert factor == pytest.approx(expected[f"null_factor_{variant}"], rel=1e-9)
        consistent = _compatibility.dispersion(used[variant][0]) / factor
        assert consistent == pytest.approx(expected[f"phi_{variant}_consistent"], rel=1e-9)


@pytest.mark.parametrize("trim", [0.025, 0.05, 0.1, 0.2])
def test_what_pure_chance_leaves_after_capping_and_cutting(trim: float) -> None:
    table = pd.read_csv(reference("phi_trim_null_factors.csv")).set_index("trim").loc[trim]
    assert _overdispersion.winsor_factor(trim) == pytest.approx(table["null_phi_winsorised"], rel=1e-9)
    assert _overdispersion.truncation_factor(trim) == pytest.approx(table["null_phi_truncated"], rel=1e-9)


@pytest.mark.parametrize("name", ["simgp_sr", "bcg"])
def test_dersimonian_laird_against_metafor(name: str) -> None:
    expected = json.loads(reference(f"dl_{name}_expected.json").read_text(encoding="utf-8"))
    if name == "bcg":
        units = pd.read_csv(reference("dl_bcg_input.csv"))
        residual, variance = units["yi"].to_numpy(), units["vi"].to_numpy()
    else:
        units = pd.read_csv(reference("funnelplotr_simgp_sr_input.csv"))
        residual, variance = np.log(units["num"] / units["den"]).to_numpy(), 1 / units["den"].to_numpy()
    spread, test = _overdispersion.dersimonian_laird(residual, variance)
    assert spread.tau2 == pytest.approx(expected["tau2_DL"], rel=1e-5)
    assert spread.centre == pytest.approx(expected["mu_DL"], rel=1e-5)
    assert test.statistic == pytest.approx(expected["Q"], rel=1e-5)
    assert test.p == pytest.approx(expected["Qp"], rel=1e-5)
    assert len(residual) == expected["k"]
    # Paule and Mandel's spread is the one at which the efficient centre leaves Σz² = n − 1: ours, nothing capped,
    # given that centre.
    tau2 = expected["tau2_PM"]
    weight = 1 / (variance + tau2)
    centre = weight @ residual / weight.sum()
    again = _overdispersion.shared_spread(residual - centre, variance, trim=0.0, centre=0.0)
    q = ((residual - centre) ** 2 / (variance + again.tau2)).sum()
    assert q == pytest.approx(len(residual), rel=1e-9)


def test_scores_of_simulated_patients() -> None:
    units = pd.read_csv(reference("casemix_sim_units.csv"))
    found = funnel.funnel(units["O"], units["E"], kind="ratio", overdispersion="funnelplotr-0.6").units
    np.testing.assert_allclose(found["z_sampling"], units["z_sqrt"], rtol=1e-7)
    counts = _scales.Units(
        units["O"].to_numpy(float), units["E"].to_numpy(), np.zeros(len(units)), np.zeros(len(units)), False, False
    )
    poisson = (units["O"] - units["E"]) * np.sqrt(_scales.sampling_variance(counts, np.zeros(len(units))))
    np.testing.assert_allclose(poisson, units["z_poisson"], rtol=1e-7)
