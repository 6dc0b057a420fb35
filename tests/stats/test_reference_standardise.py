"""Standardisation against PHEindicatormethods 2.1.0 (relative 1e-7) and against our own simulated patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpvar.stats import standardise
from tests.support import reference

pytestmark = pytest.mark.reference

LEVELS = {"95_0": 0.95, "99_8": 0.998}


@pytest.mark.parametrize("level", list(LEVELS))
@pytest.mark.parametrize("multiplier", [10_000, 100_000])
def test_directly_standardised_rates(multiplier: int, level: str) -> None:
    strata = pd.read_csv(reference("phe_dsr_own_input.csv"))
    table = pd.read_csv(reference("phe_dsr_own_expected.csv"))
    wanted = table[table["area"].isin(strata["area"]) & (table["method"] == "Dobson")]
    # Each area stands twice, per 10,000 first.
    wanted = wanted.groupby("area", sort=False).nth(0 if multiplier == 10_000 else 1).set_index("area")
    found = standardise.direct(strata["count"], strata["pop"], strata["esp2013"], strata["area"], LEVELS[level])
    assert list(found.index) == list(wanted.index)
    for ours, theirs in (("rate", "value"), ("lower", f"lower{level}cl"), ("upper", f"upper{level}cl")):
        np.testing.assert_allclose(found[ours] * multiplier, wanted[theirs], rtol=1e-7)


@pytest.mark.parametrize("level", list(LEVELS))
def test_directly_standardised_rates_of_repeated_events(level: str) -> None:
    records = pd.read_csv(reference("phe_dsr_nonindependent_input.csv"))
    wanted = pd.read_csv(reference("phe_dsr_nonindependent_expected.csv")).set_index("area")
    records["count"] = records["freq"] * records["persons"]
    records["variance"] = records["freq"] ** 2 * records["persons"]
    strata = records.groupby(["area", "ageband"], sort=False, as_index=False).agg(
        count=("count", "sum"), variance=("variance", "sum"), pop=("pop", "first"), weight=("esp2013", "first")
    )
    found = standardise.direct(
        strata["count"],
        strata["pop"],
        strata["weight"],
        strata["area"],
        LEVELS[level],
        variance=strata["variance"],
    ).loc[wanted.index]
    for ours, theirs in (("rate", "value"), ("lower", f"lower{level}cl"), ("upper", f"upper{level}cl")):
        np.testing.assert_allclose(found[ours] * 10_000, wanted[theirs], rtol=1e-7)


@pytest.mark.parametrize("level", list(LEVELS))
@pytest.mark.parametrize(("name", "scale"), [("isratio", "ratio"), ("israte", "rate")])
def test_indirectly_standardised_ratios_and_rates(name: str, scale: str, level: str) -> None:
    wanted = pd.read_csv(reference(f"phe_{name}_own_expected.csv"))
    multiplier = 100.0 if scale == "ratio" else wanted["ref_rate"]
    found = standardise.indirect(wanted["observed"], wanted["expected"], LEVELS[level])
    for ours, theirs in (("ratio", "value"), ("lower", f"lower{level}cl"), ("upper", f"upper{level}cl")):
        np.testing.assert_allclose(found[ours] * multiplier, wanted[theirs], rtol=1e-7)


def test_expected_counts_of_the_published_ratio() -> None:
    strata = pd.read_csv(reference("phe_isr_own_input.csv"))
    rates = pd.read_csv(reference("phe_isr_own_reference.csv")).set_index("Age Band")
    wanted = pd.read_csv(reference("phe_isratio_own_expected.csv")).set_index("area")
    rate = strata["ageband"].map(rates["refcount"] / rates["refpop"])
    sums = strata.assign(expected=rate * strata["pop"]).groupby("area")[["count", "expected"]].sum()
    np.testing.assert_allclose(sums["expected"].loc[wanted.index], wanted["expected"], rtol=1e-7)
    np.testing.assert_allclose(sums["count"].loc[wanted.index], wanted["observed"], rtol=1e-7)


def test_ratios_of_simulated_patients() -> None:
    units = pd.read_csv(reference("casemix_sim_units.csv"))
    np.testing.assert_allclose(standardise.indirect(units["O"], units["E"])["ratio"], units["SR"], rtol=1e-7)
