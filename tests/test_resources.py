"""Need, staff and funding beside a figure, and the scenario that allows for supply which a practice did not choose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import catalogue, design, share, starter
from gpvar.analysis import resources
from gpvar.errors import ConvergenceError, StudyError
from gpvar.organisations import _joined_facts
from gpvar.results import Analysis
from gpvar.study import Study, load_study
from gpvar.study.columns import declared_scenario
from gpvar.table import PracticeTable
from tests.support import shared
from tests.test_real_study import COLUMNS

METRIC = "dna_share"
SUPPLY = ("gp_fte", "admin_fte", "weighted_list", "registered_list", "funding_per_weighted")


@pytest.fixture(scope="module")
def bare() -> PracticeTable:
    """The demo's table without a word on staff or money."""
    table = gpvar.build_table(gpvar.load_study(share.folder("demo") / "study.toml"))
    kept = [name for name in table.practices if name not in SUPPLY]
    return replace(table, practices=table.practices[kept])


@pytest.fixture(scope="module")
def table(bare: PracticeTable) -> PracticeTable:
    """The same with staff and money drawn at random: they have nothing to do with any figure."""
    rng = np.random.default_rng(20261122)
    n = len(bare.practices)
    size = bare.practices["list_size"].to_numpy()
    then = size * rng.uniform(0.9, 1.1, n)
    return with_columns(
        bare,
        gp_fte=size / 10_000 * rng.gamma(9.0, 0.5, n),
        admin_fte=size / 10_000 * rng.gamma(16.0, 0.7, n),
        registered_list=then,
        weighted_list=then * rng.normal(1.0, 0.1, n),
        funding_per_weighted=rng.normal(132.0, 10.0, n),
    )


@pytest.fixture(scope="module")
def analysis(table: PracticeTable) -> Analysis:
    return gpvar.analyse(table, METRIC)


def with_columns(table: PracticeTable, **columns: object) -> PracticeTable:
    return replace(table, practices=table.practices.assign(**columns))


def with_study(table: PracticeTable, **adjust: tuple[str, ...]) -> PracticeTable:
    return replace(table, study=replace(table.study, adjust={**(table.study.adjust or {}), **adjust}))


def of(analysis: Analysis, resource: str) -> pd.DataFrame:
    found = analysis.resources
    return found[found["resource"] == resource].set_index("practice_code")


def facts(table: PracticeTable) -> pd.DataFrame:
    return table.practices.set_index("practice_code")


def test_no_verdict_can_see_staff_or_money(bare: PracticeTable, analysis: Analysis) -> None:
    blind = gpvar.analyse(bare, METRIC)
    for name in ("practices", "spread", "fits", "effects", "waterfall", "shares"):
        pd.testing.assert_frame_equal(getattr(blind, name), getattr(analysis, name))
    assert "M3" not in set(analysis.practices["rung"]) and len(analysis.supply)


def test_staff_are_divided_by_the_list_and_by_the_list_as_the_formula_weighs_it(
    table: PracticeTable, analysis: Analysis
) -> None:
    known = facts(table).loc[list(table.area_codes)]
    weight = known["weighted_list"] / known["registered_list"]
    wanted = {
        "gps_per_patient": 10_000 * known["gp_fte"] / known["list_size"],
        "gps_per_weighted": 10_000 * known["gp_fte"] / (known["list_size"] * weight),
        "admin_per_patient": 10_000 * known["admin_fte"] / known["list_size"],
        "need_weight": weight,
        "funding_per_weighted": known["funding_per_weighted"],
    }
    for name, values in wanted.items():
        found = of(analysis, name)["value"]
        assert len(found) == len(table.area_codes)
        pd.testing.assert_series_equal(found, values.reindex(found.index), check_names=False)


def test_a_weighted_list_is_never_set_over_the_list_of_another_year(table: PracticeTable) -> None:
    without = replace(table, practices=table.practices.drop(columns="registered_list"))
    named = set(gpvar.analyse(without, METRIC).resources["resource"])
    assert "need_weight" not in named and "gps_per_weighted" not in named and "gps_per_patient" in named


def test_a_percentile_is_the_share_of_practices_compared_that_have_less(
    table: PracticeTable, analysis: Analysis
) -> None:
    found = of(analysis, "funding_per_weighted")
    everyone = table.practices.loc[~table.practices["practice_code"].isin(table.excluded["practice_code"])]
    code = found["value"].idxmax()
    less = (everyone["funding_per_weighted"] < found.loc[code, "value"]).mean()
    assert found.loc[code, "percentile"] == pytest.approx(100 * less, abs=1.0)
    middle = everyone["funding_per_weighted"].median()
    assert found["median"].iloc[0] == pytest.approx(middle, rel=0.002)
    assert found["area_lowest"].iloc[0] == (found["percentile"] < 10).sum()


def test_the_local_market_leaves_the_practice_itself_out(table: PracticeTable, analysis: Analysis) -> None:
    place = table.hierarchy.set_index("practice_code")
    code = table.area_codes[0]
    others = place.index[(place["pcn_key"] == place.loc[code, "pcn_key"]) & (place.index != code)]
    assert len(others) > 0
    known = facts(table).loc[others]
    found = of(analysis, "gp_market")
    assert found.loc[code, "value"] == pytest.approx(10_000 * known["gp_fte"].sum() / known["list_size"].sum())
    doubled = table.practices["gp_fte"].where(table.practices["practice_code"] != code, 2 * table.practices["gp_fte"])
    again = of(gpvar.analyse(with_columns(table, gp_fte=doubled), METRIC), "gp_market")
    assert again.loc[code, "value"] == pytest.approx(found.loc[code, "value"])
    neighbour = next(c for c in others if c in again.index)
    assert again.loc[neighbour, "value"] > found.loc[neighbour, "value"]


def test_where_there_is_no_network_the_market_is_the_rest_of_the_icb(table: PracticeTable) -> None:
    code, alone = table.area_codes[:2]
    places = table.hierarchy.copy()
    mine, single = places["practice_code"] == code, places["practice_code"] == alone
    board = places.loc[mine, "icb_code"].iloc[0]
    places.loc[mine, ["pcn_code", "pcn_key"]] = [f"{board} U", f"{board}:U"]
    places.loc[single, ["pcn_code", "pcn_key"]] = ["U99999", f"{board}:U99999"]
    found = of(gpvar.analyse(replace(table, hierarchy=places), METRIC), "gp_market")
    members = facts(table).loc[places.loc[places["icb_code"] == board, "practice_code"]]
    for practice in (code, alone):
        others = members.drop(practice)
        wanted = 10_000 * others["gp_fte"].sum() / others["list_size"].sum()
        assert found.loc[practice, "value"] == pytest.approx(wanted)


def test_without_files_on_staff_and_money_nothing_is_described(bare: PracticeTable) -> None:
    found = gpvar.analyse(bare, METRIC)
    assert found.resources.empty and found.supply.empty


def test_supply_that_has_nothing_to_do_with_a_figure_accounts_for_next_to_nothing(analysis: Analysis) -> None:
    assert abs(analysis.supply["accounted"].iloc[0]) < 0.01
    moved = (analysis.supply["centre_m3"] / analysis.supply["centre_m2"] - 1).abs()
    assert moved.median() < 0.02


def test_supply_that_decides_a_figure_is_found_and_both_fits_are_of_the_same_practices(table: PracticeTable) -> None:
    rng = np.random.default_rng(7)
    rows = table.outcomes[table.outcomes["metric"] == METRIC].set_index("practice_code")
    link = np.log(rows["numerator"] / (rows["denominator"] - rows["numerator"]))
    funding = 132 + 20 * (link - link.mean()) / link.std() + rng.normal(0, 10, len(link))
    funding.iloc[:50] = np.nan
    found = gpvar.analyse(with_columns(table, funding_per_weighted=facts(table).index.map(funding)), METRIC).supply
    assert found["accounted"].iloc[0] > 0.4
    assert found["compared"].iloc[0] <= len(table.practices) - 50
    assert found["difference_m3"].abs().mean() < 0.8 * found["difference_m2"].abs().mean()


def test_one_slip_of_the_pen_does_not_set_the_slope(table: PracticeTable, analysis: Analysis) -> None:
    first = table.practices["practice_code"] == table.practices["practice_code"].iloc[-1]
    wild = table.practices["funding_per_weighted"].where(~first, 8_300.0)
    again = gpvar.analyse(with_columns(table, funding_per_weighted=wild), METRIC).supply
    both = analysis.supply.merge(again, on="practice_code", suffixes=("", "_wild"))
    assert (both["centre_m3_wild"] / both["centre_m3"] - 1).abs().max() < 0.005


def test_bounded_values_stay_within_the_outer_percentiles() -> None:
    values = np.r_[np.arange(100.0), 1e6]
    frame = pd.DataFrame({"funding_per_weighted": values})
    made = design.build(frame, ["funding_per_weighted"], np.ones(101, dtype=bool))
    term = made.terms.iloc[1]
    held = made.matrix[:, 1] * term["scale"] + term["centre"]
    assert held.max() == pytest.approx(np.percentile(values, 99)) and held[50] == pytest.approx(50.0)


def test_a_hidden_count_gets_no_distance(table: PracticeTable) -> None:
    code = table.area_codes[0]
    outcomes = table.outcomes.copy()
    hidden = (outcomes["practice_code"] == code) & (outcomes["metric"] == METRIC)
    outcomes.loc[hidden, ["numerator", "numerator_low", "numerator_high"]] = [np.nan, 1, 4]
    found = gpvar.analyse(replace(table, outcomes=outcomes), METRIC).supply.set_index("practice_code").loc[code]
    assert np.isnan(found["z_m3"]) and np.isnan(found["difference_m2"]) and np.isfinite(found["centre_m3"])


def test_a_scenario_without_a_solution_leaves_the_resources_and_no_scenario(
    table: PracticeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ConvergenceError("No solution.", "here", "Use less.")

    monkeypatch.setattr(resources, "fit_rung", fails)
    found = gpvar.analyse(table, METRIC)
    assert found.supply.empty and len(found.resources)


def test_the_scenario_allows_for_supply_not_chosen_and_a_study_may_choose_among_it(table: PracticeTable) -> None:
    assert declared_scenario(table.study) == catalogue.scenario() == ("funding_per_weighted", "gp_market")
    alone = gpvar.analyse(with_study(table, M3=("gp_market",)), METRIC).supply
    assert set(alone["allowed"]) == {"gp_market"}
    assert gpvar.analyse(with_study(table, M3=()), METRIC).supply.empty


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("gp_fte", "decides on itself"),
        ("admin_fte", "decides on itself"),
        ("weighted_list", "decides on itself"),
        ("triage_model", "Never adjusted for"),
        ("imd2025", "cannot be allowed for in M3"),
    ],
)
def test_the_scenario_refuses_what_a_practice_chooses_or_does(tmp_path: Path, chosen: str, why: str) -> None:
    content = {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["dna_share"],
        "area": {"kind": "icb", "code": "QHM"},
        "adjust": {"M3": [chosen]},
    }
    with pytest.raises(StudyError) as refused:
        load_study(content, base=tmp_path)
    assert f"'{chosen}' cannot be allowed for in M3." in str(refused.value) and why in str(refused.value)


def test_what_the_scenario_may_allow_for_is_in_no_rung_that_judges() -> None:
    for card in catalogue.metrics().values():
        assert not set(catalogue.scenario()) & {c for ids in card.adjust.values() for c in ids}
    roles = {name: card.role for name, card in catalogue.resources().items()}
    assert {name for name, role in roles.items() if role == "given"} == set(catalogue.scenario())


def test_the_scenario_is_part_of_what_names_a_run(table: PracticeTable) -> None:
    part = table.study.analysis_part()
    other: Study = replace(table.study, adjust={**(table.study.adjust or {}), "M3": ("gp_market",)})
    assert other.analysis_part() != part
    assert catalogue.fingerprint([METRIC], ["gp_market"]) != catalogue.fingerprint([METRIC], [])


def test_staff_of_practices_that_merge_are_added_up() -> None:
    assert all(_joined_facts._adds(name) for name in ("gp_fte", "admin_fte", "weighted_list", "registered_list"))
    assert not any(_joined_facts._adds(name) for name in ("imd2025", "funding_per_weighted", "list_size"))


def test_in_england_supply_not_chosen_goes_with_little_of_the_variance(tmp_path: Path) -> None:
    """Real staff and payments: 4 % of appointments per 1,000, nothing of same-day share; adjustment excuses few."""
    columns = COLUMNS | {"gp_fte": "gp_fte_extgl_2024", "admin_fte": "admin_fte_2024"}
    study = {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share", "appointments_per_1000"],
        "area": {"kind": "icb", "code": "QHM"},
        "reference": {"set": "england", "exclude": ["list_under_1000"]},
        "adjust": {"M1": ["age_sex", "imd2025", "qof_dm", "qof_dep"], "M2": ["rurality"]},
        "source": [
            {"id": "local", "file": str(shared("data", "joined", "england_2025_26.csv.gz")), "columns": columns},
            {"id": "nhs_payments", "file": str(shared("data", "official", "nhspaymentsgp-22-23-prac.csv.gz"))},
        ],
    }
    found = gpvar.build_table(gpvar.load_study(study, base=tmp_path))
    same_day, appointments = (gpvar.analyse(found, metric) for metric in study["metrics"])
    assert abs(same_day.supply["accounted"].iloc[0]) < 0.005
    assert 0.02 < appointments.supply["accounted"].iloc[0] < 0.06
    expected = of(appointments, "expected_demand")["value"]
    rows = appointments.practices.query("rung == 'M1' and comparator == 'england'").set_index("practice_code")
    assert expected.to_numpy() == pytest.approx(1000 * rows["centre"].reindex(expected.index).to_numpy(), nan_ok=True)
    assert "expected_demand" not in set(same_day.resources["resource"])
    gps = of(appointments, "gps_per_patient")
    assert gps.loc["A81001", "value"] == pytest.approx(10_000 * 2.0 / 3821.42, rel=1e-5)
    assert gps["median"].iloc[0] == pytest.approx(4.14, abs=0.05)
    funding = of(appointments, "funding_per_weighted")
    assert funding["p10"].iloc[0] == pytest.approx(119, abs=2) and funding["p90"].iloc[0] == pytest.approx(150, abs=3)


def test_a_study_written_from_a_table_keeps_the_columns_that_the_page_needs(tmp_path: Path) -> None:
    written = starter.new_study(
        tmp_path / "study",
        data=shared("data", "joined", "england_2025_26.csv.gz"),
        practice=["Densham"],
        icb="North East and North Cumbria",
        metric=["dna_share"],
    )
    (source,) = gpvar.load_study(written).sources
    wanted = {"gp_fte": "gp_fte_extgl_2024", "admin_fte": "admin_fte_2024"}
    wanted |= {"weighted_list": "weighted_2223", "registered_list": "registered_2223"}
    assert wanted.items() <= source.columns.items()
    assert source.dates["weighted_list"] == source.dates["registered_list"] == "2023-03"
