"""The analysis on the simulated England, where the truth of the planted practices is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import share, starter
from gpvar.analysis.judge import Counts, judge
from gpvar.errors import RunMissing
from gpvar.results import Analysis
from gpvar.table import PracticeTable

FAR, EXPLAINED, CANNOT = "X14474", "X14509", "X14544"


@pytest.fixture(scope="module")
def table() -> PracticeTable:
    return gpvar.build_table(gpvar.load_study(share.folder("demo") / "study.toml"))


@pytest.fixture(scope="module")
def analysis(table: PracticeTable) -> Analysis:
    return gpvar.analyse(table, "dna_share")


def row(analysis: Analysis, code: str, rung: str, comparator: str = "england") -> pd.Series:
    p = analysis.practices
    chosen = p[(p["practice_code"] == code) & (p["rung"] == rung) & (p["comparator"] == comparator)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_every_practice_has_one_row_a_rung_and_comparator(analysis: Analysis, table: PracticeTable) -> None:
    keys = analysis.practices[["practice_code", "rung", "comparator"]]
    assert not keys.duplicated().any()
    assert len(keys) == len(table.practices) * len(analysis.meta["rungs"]) * len(analysis.meta["comparators"])


def test_the_practice_planted_far_outside_stays_there_at_every_adjusted_rung(analysis: Analysis) -> None:
    for rung in ("M1", "M1-", "M2"):
        for comparator in ("england", "own_icb"):
            found = row(analysis, FAR, rung, comparator)
            assert (found["position"], found["movement"]) == ("far_outside", "not_explained")


def test_the_practice_planted_with_its_patients_is_explained(analysis: Analysis) -> None:
    assert row(analysis, EXPLAINED, "M0")["position"] in {"unusual", "far_outside"}
    found = row(analysis, EXPLAINED, "M1")
    assert found["movement"] == "explained" and found["explained_share"] >= 0.5 and abs(found["z"]) <= 1.96


def test_behind_a_stop_gate_nothing_is_decided_and_the_practice_moves_no_estimate(
    analysis: Analysis, table: PracticeTable
) -> None:
    assert (analysis.practices.query("practice_code == @CANNOT")["position"] == "not_decidable").all()
    assert (analysis.practices.query("practice_code == @CANNOT")["movement"] == "").all()
    outcomes = table.outcomes.copy()
    changed = outcomes["practice_code"] == CANNOT
    columns = ["numerator", "numerator_low", "numerator_high"]
    outcomes.loc[changed, columns] = outcomes.loc[changed, columns] / 2
    again = gpvar.analyse(replace(table, outcomes=outcomes), "dna_share")
    assert again.spread["tau2"].tolist() == analysis.spread["tau2"].tolist()


def test_a_missing_figure_is_never_zero(table: PracticeTable) -> None:
    outcomes = table.outcomes.copy()
    blank = outcomes["practice_code"] == EXPLAINED
    outcomes.loc[blank, ["numerator", "numerator_low", "numerator_high"]] = np.nan
    found = row(gpvar.analyse(replace(table, outcomes=outcomes), "dna_share"), EXPLAINED, "M1")
    assert found["position"] == "not_decidable" and np.isnan(found["value"]) and np.isnan(found["z"])


def test_a_suppressed_count_is_decided_only_when_both_its_ends_agree(table: PracticeTable) -> None:
    def with_ends(low: float, high: float) -> pd.Series:
        outcomes = table.outcomes.copy()
        hidden = outcomes["practice_code"] == FAR
        outcomes.loc[hidden, ["numerator", "numerator_low", "numerator_high"]] = [np.nan, low, high]
        outcomes.loc[hidden, "state"] = "suppressed"
        return row(gpvar.analyse(replace(table, outcomes=outcomes), "dna_share"), FAR, "M1")

    observed = float(table.outcomes.query("practice_code == @FAR and metric == 'dna_share'")["numerator"].iloc[0])
    assert with_ends(observed, observed + 4)["position"] == "far_outside"
    assert with_ends(observed / 4, observed)["position"] == "not_decidable"


def test_the_gap_is_observed_minus_expected_over_the_weeks(analysis: Analysis) -> None:
    found = row(analysis, FAR, "M1")
    gap = found["observed"] - found["centre"] * found["denominator"]
    assert found["gap_per_week"] == pytest.approx(gap / analysis.meta["weeks"])


def test_ranks_are_of_raw_values_at_the_raw_rung(analysis: Analysis, table: PracticeTable) -> None:
    icb_of = table.hierarchy.set_index("practice_code")["icb_code"]
    raw = analysis.practices.query("rung == 'M0' and comparator == 'england'").dropna(subset=["rank"])
    lowest = raw.sort_values("rank").iloc[0]
    assert lowest["rank"] == 1 and lowest["value"] == raw["value"].min()
    assert (raw["rank"] == raw["value"].rank(method="min")).all()
    own = analysis.practices.query("rung == 'M0' and comparator == 'own_icb'").dropna(subset=["rank"])
    places = own["practice_code"].map(icb_of)
    assert (own["rank"] == own["value"].groupby(places).rank(method="min")).all()


def test_a_practice_behind_a_stop_gate_has_no_rank_and_is_not_counted(analysis: Analysis) -> None:
    found = row(analysis, CANNOT, "M0")
    assert np.isnan(found["rank"]) and np.isnan(found["percentile"]) and np.isnan(found["q"])
    raw = analysis.practices.query("rung == 'M0' and comparator == 'england'")
    assert raw["ranked"].dropna().unique().tolist() == [raw["rank"].notna().sum()]


def test_the_middle_95_in_100_holds_about_that_many(analysis: Analysis) -> None:
    england = analysis.practices.query("comparator == 'england'").dropna(subset=["value"])
    for _, p in england.groupby("rung"):
        inside = ((p["value"] >= p["middle_lower"]) & (p["value"] <= p["middle_upper"])).mean()
        assert 0.92 <= inside <= 0.97


def test_england_is_compared_with_england_and_each_icb_with_its_own(analysis: Analysis, table: PracticeTable) -> None:
    own = analysis.practices.query("rung == 'M0' and comparator == 'own_icb'")
    icb = own["practice_code"].map(table.hierarchy.set_index("practice_code")["icb_code"])
    assert own["centre"].groupby(icb).std().max() < 0.1 * own["centre"].std()
    spread = analysis.spread.set_index(["rung", "comparator"])["tau2"]
    assert spread["M0", "own_icb"] < spread["M0", "england"]


def test_against_its_own_icb_a_practice_takes_no_share_of_itself_away() -> None:
    rng = np.random.default_rng(4)
    n = 40
    size = np.full(n, 20000.0)
    observed = rng.binomial(20000, 1 / (1 + np.exp(-rng.normal(-0.4, 0.3, n)))).astype(float)
    everyone = np.ones(n, dtype=bool)

    def centre_of_first(first: float) -> float:
        counts = Counts(
            practice_code=np.array([f"A{i:05d}" for i in range(n)]),
            icb_code=np.repeat(["Q1", "Q2"], n // 2),
            pcn_key=np.repeat("", n),
            observed=np.r_[first, observed[1:]],
            denominator=size,
            kind="proportion",
            usable=everyone,
            in_reference=everyone,
            decidable=everyone,
            compared=everyone,
        )
        return float(judge(counts, np.zeros(n), 1, "own_icb").practices["centre"].iloc[0])

    assert centre_of_first(100.0) == pytest.approx(centre_of_first(19900.0), abs=2e-3)


def test_other_methods_flag_more_and_the_reason_can_be_told_apart(analysis: Analysis) -> None:
    england = analysis.methods.query("scope == 'england'").set_index(["method", "rung"])
    flagged = england["flagged_low_95"] + england["flagged_high_95"]
    assert flagged["none", "M0"] > 5 * flagged["consistent", "M0"]
    assert flagged["shmi", "M0"] > 2 * flagged["consistent", "M0"]
    assert ("consistent", "M1") in flagged.index


def test_the_area_is_described_by_englands_fit(analysis: Analysis) -> None:
    m1 = analysis.calibration.set_index("rung").loc["M1"]
    assert m1["slope_lower"] < 1.0 < m1["slope_upper"]
    assert m1["n"] > 100


def test_a_covariate_without_data_is_dropped_and_named(table: PracticeTable) -> None:
    practices = table.practices.drop(columns=["qof_dep.numerator", "qof_dep.denominator"])
    found = gpvar.analyse(replace(table, practices=practices), "dna_share")
    assert found.meta["dropped"] == {"qof_dep": "no source"}
    assert "qof_dep" not in found.meta["covariates"]["M1"]
    assert any(note.id == "covariate_dropped" for note in found.notes)


def test_analysis_is_pure(table: PracticeTable, analysis: Analysis) -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the caller's state is what must not move
    again = gpvar.analyse(table, "dna_share")
    pd.testing.assert_frame_equal(again.practices, analysis.practices)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_the_finding_is_repeated_without_a_covariate_far_out_of_date(table: PracticeTable) -> None:
    found = gpvar.analyse(replace(table, dates={**table.dates, "qof_dep": "2022-03"}), "dna_share")
    note = next(note for note in found.notes if note.id == "repeated_without_old")
    assert note.numbers["covariates"] == ["qof_dep"]
    without = replace(table.study, adjust={"M1": ("age_sex", "imd2025", "qof_dm"), "M2": ()})
    other = gpvar.analyse(replace(table, study=without), "dna_share")
    headline = "rung == 'M1' and comparator == 'england'"
    before, after = (a.practices.query(headline).set_index("practice_code")["position"] for a in (found, other))
    assert note.numbers["changed"] == after[after != before].to_dict() != {}


def test_an_empty_run_means_the_demonstration(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path_factory.mktemp("somewhere")
    monkeypatch.chdir(here)
    with pytest.raises(RunMissing, match="no demonstration"):
        gpvar.load_run("")
    done = gpvar.run(starter.lay_out_demo(here / "gpvar-demo"))
    found = gpvar.load_run("")
    assert found.folder.name == done.folder.name and found.meta["simulated"]
