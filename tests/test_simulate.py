"""The simulated England: the same on every machine, like the real one in its moments, and invented throughout."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from gpvar import share, simulate
from gpvar.errors import StudyError
from gpvar.simulate import _tables, _world
from gpvar.simulate._measure import EFFECTS, PATIENTS
from tests.support import shared

CONSTANTS = _world.constants("england")


@pytest.fixture(scope="module")
def world() -> simulate.SimulatedEngland:
    return simulate.england()


@pytest.fixture(scope="module")
def bare() -> simulate.SimulatedEngland:
    return simulate.england(seed=7, planted=False)


@pytest.fixture(scope="module")
def measured(world: simulate.SimulatedEngland) -> dict:
    return simulate.measure(world.practices, icb="icb_code")


def test_the_committed_table_is_what_the_seed_gives_byte_for_byte(tmp_path: Path) -> None:
    committed = share.folder("demo") / "practices_2025_26.csv"
    assert simulate.write_demo(tmp_path).read_bytes() == committed.read_bytes()
    assert committed.stat().st_size < 2_000_000


def test_the_same_seed_gives_the_same_practices_and_another_seed_others(world: simulate.SimulatedEngland) -> None:
    again = simulate.england(world.seed)
    pd.testing.assert_frame_equal(again.practices, world.practices)
    pd.testing.assert_frame_equal(again.truth, world.truth)
    other = simulate.england(world.seed + 1)
    assert (other.practices["gpad_annual_dna"] != world.practices["gpad_annual_dna"]).mean() > 0.99


def test_the_random_state_of_the_caller_is_left_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate.england(seed=3, practices=300, icbs=4)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize(("practices", "icbs"), [(299, 8), (6501, 8), (1200, 3), (1200, 9)])
def test_a_size_that_cannot_be_made_is_refused(practices: int, icbs: int) -> None:
    with pytest.raises(StudyError, match="of that size"):
        simulate.england(1, practices, icbs)


@pytest.mark.parametrize(("practices", "icbs"), [(300, 4), (6500, 8)])
def test_the_smallest_and_the_largest_can_be_made(practices: int, icbs: int) -> None:
    made = simulate.england(1, practices, icbs).practices
    assert (len(made), made["icb_code"].nunique()) == (practices, icbs)
    assert made["practice_code"].is_unique and made["practice_name"].is_unique
    assert made.groupby("pcn_name")["pcn_code"].nunique().max() == 1


def test_the_columns_add_up_as_in_the_real_table(world: simulate.SimulatedEngland) -> None:
    count = world.practices.filter(like="gpad_annual_").rename(columns=lambda name: name.removeprefix("gpad_annual_"))
    total = count["total_appointments"]
    assert (count[["attended", "dna", "status_unknown"]].sum(axis=1) == total).all()
    intervals = ["same_day", "1_day", "2_to_7_days", "8_to_14_days", "over_14_days", "booking_unknown"]
    assert (count[intervals].sum(axis=1) == total).all()
    assert (count[["face_to_face", "telephone", "video_online", "home_visit"]].sum(axis=1) <= total).all()
    assert (count["general_consultation_acute_same_day"] <= count["general_consultation_acute"]).all()
    assert (count["general_consultation_acute_same_day"] <= count["same_day"]).all()
    assert (count["unmapped"] + count["general_consultation_acute"] <= total).all()
    assert (count >= 0).all(axis=None)


def test_bands_of_the_list_lie_within_wider_bands(world: simulate.SimulatedEngland) -> None:
    table = world.practices
    for part, whole in (
        ("share_0_4", "share_0_14"),
        ("share_75plus", "share_65plus"),
        ("share_85plus", "share_75plus"),
        ("share_female_15_44", "share_female"),
    ):
        assert (table[part] < table[whole]).all(), part
    assert (table["share_0_14"] + table["share_65plus"] < 1).all()


# Boards are few, so what differs between them is drawn only eight times: it gets a wider tolerance.
@pytest.mark.parametrize("name", [name for name in PATIENTS if name != "rural"])
def test_patients_have_the_centre_and_the_spread_of_real_ones(name: str, measured: dict) -> None:
    real, made = CONSTANTS["patients"][name], measured["patients"][name]
    assert made["centre"] == pytest.approx(real["centre"], abs=0.1 * real["spread"])
    assert made["spread"] == pytest.approx(real["spread"], rel=0.06)
    assert made["pcn"] == pytest.approx(real["pcn"], abs=0.15)
    assert made["icb"] == pytest.approx(real["icb"], abs=0.25)


def test_patients_go_together_as_real_ones_do(measured: dict) -> None:
    real = _world.square(CONSTANTS["correlation"]["rows"])
    assert np.abs(measured["correlation"].to_numpy() - real).max() < 0.08


@pytest.mark.parametrize("name", list(CONSTANTS["outcomes"]))
def test_figures_have_the_centre_and_the_spread_of_real_ones(name: str, measured: dict) -> None:
    real, made = CONSTANTS["outcomes"][name], measured["outcomes"][name]
    spread = (real["icb"] ** 2 + real["pcn"] ** 2 + real["practice"] ** 2) ** 0.5
    assert made["centre"] == pytest.approx(real["centre"], abs=0.15 * spread)
    assert made["practice"] == pytest.approx(real["practice"], rel=0.10)
    assert made["pcn"] == pytest.approx(real["pcn"], rel=0.35)
    assert made["explained"] == pytest.approx(real["explained"], abs=0.06)


def test_need_explains_much_of_missed_appointments_and_little_of_same_day(measured: dict) -> None:
    explained = {name: item["explained"] for name, item in measured["outcomes"].items()}
    assert explained["dna"] > 0.25 > explained["appointments"] > 0.12 > explained["same_day"]


@pytest.mark.parametrize(
    ("outcome", "part", "whole", "tolerance"),
    [
        ("same_day", ["same_day"], ["total_appointments"], 0.05),
        ("dna", ["dna"], ["attended", "dna"], 0.15),
    ],
)
def test_counts_follow_from_the_truth_that_is_handed_on(
    bare: simulate.SimulatedEngland, outcome: str, part: list[str], whole: list[str], tolerance: float
) -> None:
    table = bare.practices.add_prefix("").rename(columns=lambda name: name.removeprefix("gpad_annual_"))
    truth = bare.truth[bare.truth["outcome"] == outcome].set_index("practice_code").loc[table["practice_code"]]
    n = table[whole].sum(axis=1).to_numpy()
    p = special.expit(truth["link"].to_numpy())
    z = (table[part].sum(axis=1).to_numpy() - n * p) / np.sqrt(n * p * (1 - p))
    assert abs(z.mean()) < tolerance and z.std() == pytest.approx(1, abs=tolerance)
    parts = truth[["need", "icb", "pcn", "practice"]].sum(axis=1)
    assert np.allclose(truth["link"], CONSTANTS["outcomes"][outcome]["centre"] + parts)


def test_about_three_in_ten_hold_nine_in_ten_urgent_appointments_on_the_day(bare: simulate.SimulatedEngland) -> None:
    table = bare.practices
    share_ = table["gpad_annual_general_consultation_acute_same_day"] / table["gpad_annual_general_consultation_acute"]
    assert 0.22 < (share_ >= 0.90).mean() < 0.36


def test_without_planting_no_practice_fails_a_planted_check(bare: simulate.SimulatedEngland) -> None:
    table = bare.practices
    assert len(bare.planted) == 0
    assert (table["gpad_annual_unmapped"] / table["gpad_annual_total_appointments"] < 0.40).all()
    assert (table["gpad_annual_total_appointments"] > table["mean_monthly_list_size"]).all()
    assert (table["maximum_percentage_monthly_change"] <= 15).all()


def test_planted_practices_are_what_they_were_planted_as(world: simulate.SimulatedEngland) -> None:
    codes = world.planted.set_index("id")["practice_code"]
    table = world.practices.set_index("practice_code")
    assert set(table.loc[codes, "icb_code"]) == {simulate.AREA}
    assert (table.loc[codes, "practice_name"].to_numpy() == world.planted["name"].to_numpy()).all()
    few = table.loc[codes["too_few_appointments"]]
    assert few["gpad_annual_total_appointments"] < few["mean_monthly_list_size"]
    unmapped = table.loc[codes["unmapped"]]
    assert unmapped["gpad_annual_unmapped"] / unmapped["gpad_annual_total_appointments"] > 0.5
    assert table.loc[codes["small_list"], "mean_monthly_list_size"] < 1000
    assert table.loc[codes["list_jump"], "maximum_percentage_monthly_change"] > 15
    assert table.loc[codes["students"], "share_65plus"] < 0.025
    assert table.loc[codes["explained"], "imd2025_score"] > 50


def test_nothing_else_in_the_demonstration_fails_a_planted_check(world: simulate.SimulatedEngland) -> None:
    table = world.practices
    failing = (
        (table["gpad_annual_total_appointments"] < table["mean_monthly_list_size"])
        | (table["gpad_annual_unmapped"] >= 0.40 * table["gpad_annual_total_appointments"])
        | (table["mean_monthly_list_size"] < 1000)
        | (table["maximum_percentage_monthly_change"] > 15)
    )
    planted = world.planted.set_index("id")["practice_code"]
    expected = planted[["too_few_appointments", "unmapped", "small_list", "list_jump"]]
    assert set(table.loc[failing, "practice_code"]) == set(expected)


def per_10_000(table: pd.DataFrame, name: str) -> pd.Series:
    return 10_000 * table[name] / table["mean_monthly_list_size"]


def test_staff_and_payments_are_of_the_size_of_real_ones(world: simulate.SimulatedEngland) -> None:
    table = world.practices
    weight = table["weighted_patients"] / table["registered_patients_payments"]
    sizes = {
        "gps": (per_10_000(table, "gp_fte"), (2.6, 4.4, 6.5)),
        "admin": (per_10_000(table, "admin_fte"), (7.5, 12.0, 17.0)),
        "funding": (table["funding_per_weighted_patient"], (119, 132, 150)),
        "need": (weight, (0.88, 1.01, 1.14)),
    }
    for name, (values, wanted) in sizes.items():
        assert list(values.quantile([0.1, 0.5, 0.9])) == pytest.approx(list(wanted), rel=0.05), name
    # 1 and 99 in 100 of the England table, payments of 2022/23
    assert list(weight.quantile([0.01, 0.99])) == pytest.approx([0.78, 1.28], abs=0.03)
    assert (table["registered_patients_payments"] / table["mean_monthly_list_size"]).between(0.88, 1.12).all()
    blank = table[["gp_fte", "admin_fte"]].isna().sum()
    assert blank.between(1, 20).all()
    shown = table[table["practice_code"].isin(world.planted["practice_code"])]
    assert len(shown) == 7 and shown[["gp_fte", "admin_fte"]].notna().all(axis=None)


def test_deprived_practices_have_fewer_gps_and_older_ones_weigh_more(world: simulate.SimulatedEngland) -> None:
    table = world.practices
    fifth = pd.qcut(table["imd2025_score"], 5, labels=False)
    gps = per_10_000(table, "gp_fte").groupby(fifth).median()
    assert gps[4] < 0.85 * gps[0]
    weight = table["weighted_patients"] / table["registered_patients_payments"]
    assert weight.corr(table["share_65plus"], method="spearman") > 0.4
    assert weight.groupby(fifth).median()[4] > weight.groupby(fifth).median()[0]


def test_staff_and_payments_move_no_other_column(
    world: simulate.SimulatedEngland, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_tables, "supply", lambda rng, frame, scores, size: pd.DataFrame(index=frame.index))
    without = simulate.england().practices
    assert set(world.practices) - set(without) == {
        "gp_fte", "admin_fte", "weighted_patients", "registered_patients_payments", "funding_per_weighted_patient",
    }  # fmt: skip
    pd.testing.assert_frame_equal(world.practices[list(without)], without)


def test_nothing_that_is_counted_goes_with_staff_or_payments_beyond_patients(bare: simulate.SimulatedEngland) -> None:
    table = bare.practices
    held = {"gps": per_10_000(table, "gp_fte"), "funding": table["funding_per_weighted_patient"]}
    for outcome, truth in bare.truth.groupby("outcome"):
        own = truth.set_index("practice_code")["practice"].reindex(table["practice_code"]).reset_index(drop=True)
        for name, values in held.items():
            assert abs(own.corr(values, method="spearman")) < 0.12, (outcome, name)


def test_names_and_codes_are_used_once_and_of_the_right_shape(world: simulate.SimulatedEngland) -> None:
    table = world.practices
    assert table["practice_code"].is_unique and table["practice_name"].is_unique
    assert table["practice_code"].str.fullmatch(r"[A-Z]\d{5}").all()
    assert table["pcn_code"].str.fullmatch(r"U\d{5}").all()
    assert table.groupby("pcn_code")["icb_code"].nunique().max() == 1
    assert table.groupby("pcn_name")["pcn_code"].nunique().max() == 1


@pytest.mark.parametrize("largest", [False, True], ids=["demonstration", "largest"])
def test_no_name_and_no_code_is_a_real_one(world: simulate.SimulatedEngland, largest: bool) -> None:
    real = pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"), dtype=str)
    with zipfile.ZipFile(shared("data", "official", "gp-reg-pat-prac-map.zip")) as archive:
        current = pd.read_csv(archive.open("gp-reg-pat-prac-map.csv"), dtype=str)
    register = pd.read_csv(
        shared("data", "official", "epraccur_jan2024.csv.gz"), header=None, dtype=str, encoding="latin-1"
    )
    made = simulate.world(1, 6500, 42).practices if largest else world.practices
    pairs = [
        ("practice_code", real["practice_code"], current["PRACTICE_CODE"], register[0]),
        ("practice_name", real["practice_name"], current["PRACTICE_NAME"], register[1]),
        ("pcn_code", real["pcn_code"], current["PCN_CODE"]),
        ("pcn_name", real["pcn_name"], current["PCN_NAME"]),
        ("sub_icb_code", real["sub_icb_code"], current["SUB_ICB_LOCATION_CODE"]),
        ("icb_code", real["icb_code_2024"], current["ICB_CODE"], register[3]),
        ("icb_name", real["icb_name_2026"], current["ICB_NAME"]),
        ("region_code", real["region_code"], register[2]),
    ]
    for column, *lists in pairs:
        known = set(pd.concat([item.dropna() for item in lists]).str.upper())
        assert len(known) > 6
        assert set(made[column].str.upper()).isdisjoint(known), column


def test_the_constants_are_those_of_the_real_table() -> None:
    real = simulate.measure(pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"), low_memory=False))
    for name, card in CONSTANTS["patients"].items():
        assert {key: real["patients"][name][key] for key in card} == pytest.approx(card, abs=6e-4)
    for name, card in CONSTANTS["outcomes"].items():
        found = real["outcomes"][name]
        assert found["effects"] == pytest.approx(card["effects"], abs=6e-4)
        assert list(card["effects"]) == list(EFFECTS)
        for key in ("centre", "explained", "icb", "pcn", "practice"):
            assert found[key] == pytest.approx(card[key], abs=6e-4)
    for key in ("correlation", "outcome_correlation"):
        assert np.abs(real[key].to_numpy() - _world.square(CONSTANTS[key]["rows"])).max() < 6e-3


def test_the_demonstration_study_asks_about_planted_practices(world: simulate.SimulatedEngland) -> None:
    study = tomllib.loads((share.folder("demo") / "study.toml").read_text(encoding="utf-8"))
    planted = world.planted.set_index("id")["practice_code"]
    assert study["simulated"] is True
    assert study["area"]["code"] == simulate.AREA
    assert study["area"]["practices"] == [planted["far_outside"], planted["explained"]]
    named = study["source"][0]["columns"].values()
    headings = {heading for value in named for heading in ([value] if isinstance(value, str) else value)}
    assert headings <= set(world.practices.columns)


def test_the_readme_lists_every_planted_practice(world: simulate.SimulatedEngland) -> None:
    text = (share.folder("demo") / "README.md").read_text(encoding="utf-8")
    for row in world.planted.itertuples():
        assert f"| {row.practice_code} | {row.name} | {row.what} |" in text


@pytest.fixture(scope="module")
def analysed() -> tuple[pd.DataFrame, pd.DataFrame]:
    from gpvar import analysis
    from gpvar.study import load_study
    from gpvar.table import build_table

    table = build_table(load_study(share.folder("demo")))
    found = analysis.analyse(table, metric="dna_share").practices
    return found[found["comparator"] == "england"].set_index(["practice_code", "rung"]), table.gates


def test_the_tool_says_of_each_planted_practice_what_is_true_of_it(
    world: simulate.SimulatedEngland, analysed: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    found, gates = analysed
    code = world.planted.set_index("id")["practice_code"]
    assert list(found.loc[code["far_outside"]].loc[["M0", "M1", "M2"], "position"]) == [
        "unusual",
        "far_outside",
        "far_outside",
    ]
    assert list(found.loc[code["explained"]].loc[["M0", "M1", "M2"], "position"]) == ["unusual", "usual", "usual"]
    assert list(found.loc[code["explained"]].loc[["M1", "M2"], "movement"]) == ["explained", "explained"]
    assert set(found.loc[code["too_few_appointments"], "position"]) == {"not_decidable"}
    failed = gates[gates["state"] == "failed"].groupby("practice_code")["gate"].agg(set)
    assert failed[code["unmapped"]] == {"unmapped_over_40"}
    assert "list_under_1000" in failed[code["small_list"]]
    assert "merger_or_list_jump" in failed[code["list_jump"]]
    assert failed[code["students"]] == {"atypical"}
    for name in ("small_list", "list_jump", "students"):
        assert not found.loc[code[name], "in_fit"].any()


def test_the_shared_spread_is_near_that_of_england(analysed: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    found, _ = analysed
    spread = {
        rung: float((found.xs(rung, level="rung").query("in_fit")["link_residual"]).std()) for rung in ("M0", "M1")
    }
    assert spread["M0"] == pytest.approx(0.50, rel=0.10)
    assert spread["M1"] == pytest.approx(0.385, rel=0.10)
