"""Official files: what each reader takes from them, on small files of the exact layouts and on the real ones."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gpvar import catalogue, schema
from gpvar.errors import SourceError
from gpvar.sources import fingertips, ods, payments, qof, registered, small_areas, workforce
from gpvar.sources._parts import Part, SourceTable
from gpvar.sources.files.members import fingerprint
from gpvar.sources.recognise import recognise
from gpvar.study import Period
from tests import official_files as made
from tests.support import shared

YEAR = Period("2025-04", "2026-03")
_REGISTERS = tuple(name[4:] for name in catalogue.covariates() if name.startswith("qof_") and name != "qof_achievement")


def real(*names: str) -> list[Part]:
    return [part for name in names for part in recognise(shared("data", "official", name))]


@pytest.fixture(scope="module")
def england() -> pd.DataFrame:
    """The real joined table of 2025/26, made from the same files by others."""
    path = shared("data", "joined", "england_2025_26.csv.gz")
    return pd.read_csv(path, dtype={"practice_code": str}).set_index("practice_code")


@pytest.fixture(scope="module")
def july() -> SourceTable:
    return registered.read(real("gp-reg-pat-prac-quin-age.zip", "gp-reg-pat-prac-map.zip"), YEAR)


@pytest.fixture(scope="module")
def qof_2425() -> SourceTable:
    return qof.read(real("PREVALENCE_2425.csv.gz"), YEAR)


def same(found: pd.Series, wanted: pd.Series, within: float = 1e-9) -> int:
    """How many practices have both, after checking that no practice differs and none of `wanted` is lacking."""
    both = pd.concat([found.rename("found"), wanted.dropna().rename("wanted")], axis=1, join="inner")
    assert len(both) == wanted.notna().sum()
    assert not both["found"].isna().any()
    if both["wanted"].dtype.kind == "f":
        assert (both["found"] - both["wanted"]).abs().max() <= within
    else:
        assert (both["found"] == both["wanted"]).all()
    return len(both)


# --- registered patients ---------------------------------------------------------------------------------------------


def test_shares_are_patients_of_the_ages_over_the_whole_list(tmp_path: Path) -> None:
    found = registered.read([made.quinary(tmp_path / "q.csv")], YEAR).facts.loc["A81001"]
    assert found["list_size"] == 1000
    assert found["age_sex.share_0_4"] == 0.1
    assert found["age_sex.share_65plus"] == 0.4
    assert found["age_sex.share_85plus"] == 0.08
    assert found["age_sex.share_female_15_44"] == 0.25


def test_the_shares_are_those_that_a_table_of_ones_own_has_by_default() -> None:
    default = next(row for row in catalogue.conventions()["characteristic"] if row["id"] == "age_sex")["headings"][0]
    assert list(catalogue.readers()["shares"]) == default


def test_an_age_without_patients_has_a_share_of_nought(tmp_path: Path) -> None:
    rows = [row for row in made.quinary_rows() if row[7] != "0_4" or row[3] != "A81001"]
    rows = [(*row[:8], 900) if row[3] == "A81001" and row[6:8] == ("ALL", "ALL") else row for row in rows]
    part = made.part(made.write(tmp_path / "q.csv", "registered_quinary", [r for r in rows if r[2] == "GP"]))
    assert registered.read([part], YEAR).facts.loc["A81001", "age_sex.share_0_4"] == 0


def test_several_months_give_the_mean_list_and_the_largest_jump(tmp_path: Path) -> None:
    sizes = {"2025-04-01": 1000, "2025-05-01": 1200, "2025-07-01": 600, "2025-08-01": 660, "2026-07-01": 9999}
    parts = [made.totals(tmp_path / f"{day}.csv", day, {"A81001": size}) for day, size in sizes.items()]
    found = registered.read(parts, YEAR)
    assert found.facts.loc["A81001", "list_size"] == pytest.approx((1000 + 1200 + 600 + 660) / 4)
    # May to July is two months, so its halving is no jump from one month to the next.
    assert found.facts.loc["A81001", "list_jump_pct"] == pytest.approx(20)
    assert found.monthly is not None
    assert dict(zip(found.monthly["month"], found.monthly["value"], strict=True)) == {
        day[:7]: size for day, size in sizes.items() if day < "2026-04"
    }
    assert "List sizes are means of 4 of the 12 months of the period." in found.remarks


def test_a_single_list_is_the_nearest_and_shows_no_jump(tmp_path: Path) -> None:
    parts = [
        made.totals(tmp_path / "old.csv", "01JAN2021", {"A81001": 500}, old=True),
        made.totals(tmp_path / "new.csv", "2026-07-01", {"A81001": 700}),
    ]
    found = registered.read(parts, YEAR)
    assert found.facts["list_size"].to_dict() == {"A81001": 700}
    assert "list_jump_pct" not in found.facts
    assert any("July 2026 alone, outside the period; other months were not used" in text for text in found.remarks)


def test_the_list_of_2021_is_read_with_its_commissioning_groups(tmp_path: Path) -> None:
    part = made.totals(tmp_path / "old.csv", "01JAN2021", {"A81001": 500}, old=True)
    found = registered.read([part], Period("2021-01", "2021-01"))
    assert found.places is not None
    assert found.places.to_dict("records") == [{"practice_code": "A81001", "sub_icb_code": "00L", "date": "2021-01-01"}]


def test_the_map_gives_names_systems_and_a_dated_hierarchy(tmp_path: Path) -> None:
    rows = [
        made.map_row("A81001"),
        made.map_row("B81002", 1, PCN_CODE="U", PCN_NAME="Unallocated", SUPPLIER_NAME="Unknown"),
        made.map_row("C81003", 2, PCN_CODE="U10000", PCN_NAME="Network 0", ICB_CODE="QJK"),
    ]
    found = registered.read([made.mapping(tmp_path / "m.csv", rows)], YEAR)
    assert found.facts["supplier"].to_dict() == {"A81001": "TPP", "B81002": "", "C81003": "TPP"}
    assert found.places is not None
    place = found.places.set_index("practice_code").loc["C81003"]
    assert (place["date"], place["pcn_code"], place["icb_code"]) == ("2026-07-01", "U10000", "QJK")
    assert "1 practice belongs to no network (code U)." in found.remarks
    assert (
        "The network U10000 Network 0 has practices in QHM and QJK, and counts as one network in each." in found.remarks
    )
    assert any("Nothing in the file is of Midlands (Y60)" in text for text in found.remarks)


def test_a_change_of_clinical_system_is_counted_within_the_period(tmp_path: Path) -> None:
    systems = {"2025-04-01": "TPP", "2025-10-01": "Unknown", "2026-01-01": "EMIS", "2026-07-01": "TPP"}
    maps = [
        made.mapping(tmp_path / f"{day}.csv", [made.map_row("A81001", EXTRACT_DATE=day, SUPPLIER_NAME=name)])
        for day, name in systems.items()
    ]
    found = registered.read(maps, YEAR).facts.loc["A81001"]
    assert found["supplier_changes"] == 1
    assert found["supplier"] == "EMIS"


def test_one_table_in_two_packings_is_used_once(tmp_path: Path) -> None:
    part = made.quinary(tmp_path / "gp-reg-pat-prac-quin-age.csv")
    packed = tmp_path / "download (1).csv.gz"
    packed.write_bytes(gzip.compress(part.member.path.read_bytes()))
    found = registered.read([part, made.part(packed)], YEAR)
    assert found.facts.equals(registered.read([part], YEAR).facts)
    said = "download (1).csv.gz holds the same table as gp-reg-pat-prac-quin-age.csv: it was used once."
    assert said in found.remarks and len(found.provenance) == 1


def test_ages_that_do_not_add_up_are_named_and_not_used(tmp_path: Path) -> None:
    rows = [row for row in made.quinary_rows() if row[2] == "GP"]
    many = [(*row[:3], f"M{place:05d}", *row[4:]) for place in range(200) for row in rows if row[3] == "A81001"]
    many[3] = (*many[3][:8], many[3][8] - 1)
    part = made.part(made.write(tmp_path / "q.csv", "registered_quinary", many))
    found = registered.read([part], YEAR)
    ages = found.facts.filter(like="age_sex.")
    assert ages.loc["M00000"].isna().all() and ages.drop("M00000").notna().all(axis=None)
    assert found.impossible == (("M00000", "age_sex", 999.0),)
    assert (
        "The age groups of 1 practice do not add up to the whole list: M00000 (999 of 1,000). "
        "Its ages and sexes are taken as not known."
    ) in found.remarks


def test_the_real_lists_of_july_2026(july: SourceTable, england: pd.DataFrame) -> None:
    assert len(july.facts) == 6139 and july.facts["list_size"].sum() == 63_436_508
    assert july.impossible == () and july.not_practices == ()
    assert july.dates == {"age_sex": "2026-07"}
    for name in ("share_0_4", "share_65plus", "share_85plus", "share_female_15_44"):
        assert same(july.facts[f"age_sex.{name}"], england[name]) == 6043
    assert same(july.facts["list_size"], england["list_jul2026"]) == 6043
    assert same(july.facts["practice_name"], england["practice_name"]) == 6043
    row = july.provenance[0]
    assert (row["rows_read"], row["rows_kept"], row["edition"]) == (326_241, 263_977, "2026-07")


def test_the_bands_of_every_real_practice_add_up_to_its_list() -> None:
    lists = registered.tidy(real("gp-reg-pat-prac-quin-age.zip")[0])
    whole = lists[(lists["sex"] == "ALL")].set_index("practice_code")["patients"]
    bands = lists[(lists["sex"] != "ALL") & (lists["age"] != "ALL")]
    assert (bands.groupby("practice_code")["patients"].sum() == whole).all() and len(whole) == 6139


def test_the_real_map_of_july_2026(july: SourceTable, england: pd.DataFrame) -> None:
    places = july.places
    assert places is not None
    by_code = places.set_index("practice_code")
    assert (by_code["pcn_code"] == "U").sum() == 52
    assert by_code["icb_code"].nunique() == 36 and by_code["region_code"].nunique() == 7
    boards = by_code[by_code["pcn_code"] != "U"].groupby("pcn_code")["icb_code"].nunique()
    assert list(boards.index[boards > 1]) == ["U41591"]
    assert any(text.startswith("The network U41591 COAST AND COUNTRY PCN has practices in") for text in july.remarks)
    for name, own in (("icb_code", "icb_code_2026"), ("sub_icb_code",) * 2, ("pcn_code",) * 2, ("region_code",) * 2):
        assert same(by_code[name], england[own]) == 6043


def test_the_real_list_of_january_2021() -> None:
    found = registered.read(real("gp-reg-pat-prac-all_jan2021.csv.gz"), Period("2021-01", "2021-01"))
    assert len(found.facts) == 6658 and found.facts["list_size"].sum() == 60_606_345
    assert found.places is not None and found.places["sub_icb_code"].nunique() == 135


# --- deprivation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["Column not used", "Compared to PCNs (v. 27/10/23) value or percentiles"])
@pytest.mark.parametrize("kind", ["GP", "GPs"])
def test_fingertips_takes_practices_and_leaves_england_and_boards(tmp_path: Path, kind: str, head: str) -> None:
    name = "Deprivation score (IMD 2025)"
    rows = [
        ("94240", name, "E92000001", "England", "21.7"),
        ("94240", name, "QHM", "ICBs", "25.0"),
        ("94240", name, "A81001", kind, "33.519"),
        ("94240", name, "B81002", kind, ""),
    ]
    found = fingertips.read([made.fingertips(tmp_path / "f.csv", rows, head)], YEAR)
    assert list(found.facts.index) == ["A81001", "B81002"]
    assert found.facts.loc["A81001", "imd2025"] == 33.519 and pd.isna(found.facts.loc["B81002", "imd2025"])
    assert found.provenance[0]["rows_dropped"] == 2
    assert found.provenance[0]["reason"] == "2 rows not of practices but of England, ICBs"
    assert found.remarks == ("deprivation (IMD 2025): 2 practices, 1 of them without a score.",)


def test_the_indices_of_2019_and_2025_stay_in_columns_of_their_own(tmp_path: Path) -> None:
    rows = [("94240", "IMD 2025", "A81001", "GPs", "30"), ("93553", "IMD 2019", "B81002", "GPs", "20")]
    found = fingertips.read([made.fingertips(tmp_path / "f.csv", rows)], YEAR)
    assert found.dates == {"imd2019": "2019-09", "imd2025": "2025-10"}
    assert found.facts["imd2025"].notna().to_dict() == {"A81001": True, "B81002": False}
    assert found.facts["imd2019"].notna().to_dict() == {"A81001": False, "B81002": True}


def test_the_real_scores_of_2025_and_2019(england: pd.DataFrame) -> None:
    names = ("fingertips-imd-2025-gp-practice.csv", "fingertips_93553_imd2019_by_practice.csv.gz")
    found = fingertips.read(real(*names), YEAR)
    assert found.facts["imd2025"].notna().sum() == 6143
    assert found.facts["imd2019"].notna().sum() == 6545
    assert same(found.facts["imd2025"], england["imd2025_score"]) == 6059
    assert found.facts.loc["A81001", "imd2019"] == 32.3609392614188


def test_the_score_of_a_practice_is_the_mean_over_its_patients(tmp_path: Path) -> None:
    rows = [
        ("A81001", "E01000001", "ALL", 300),
        ("A81001", "E01000002", "ALL", 100),
        ("A81001", "NO2011", "ALL", 10),
        ("A81001", "W01000003", "ALL", 5),
        ("B81002", "E01000001", "ALL", 80),
        ("B81002", "EMPTY", "ALL", 20),
    ]
    index = made.index_2025(tmp_path / "s.csv", {"E01000001": 10.0, "E01000002": 50.0})
    found = small_areas.read([made.living(tmp_path / "l.csv", rows), index], YEAR)
    assert found.facts.loc["A81001", "imd2025"] == 20.0
    assert pd.isna(found.facts.loc["B81002", "imd2025"])
    assert "5 patients live in Wales and are in no score." in found.remarks
    assert "30 patients have no area of residence (EMPTY, NO2011) and are in no score." in found.remarks
    said = "1 practice has no score: less than 90 % of the list lives in an area with one (B81002)."
    assert said in found.remarks
    covered = small_areas.practice_scores(
        small_areas.tidy(made.part(tmp_path / "l.csv")), pd.Series({"E01000001": 1.0})
    )
    assert covered.loc["B81002", "covered"] == 0.8


def test_rows_of_one_sex_are_added_up_only_where_there_are_none_of_all(tmp_path: Path) -> None:
    index = made.index_2025(tmp_path / "s.csv", {"E01000001": 10.0, "E01000002": 40.0})
    women = made.living(tmp_path / "f.csv", [("A81001", "E01000001", "FEMALE", 100)])
    men = made.living(tmp_path / "m.csv", [("A81001", "E01000001", "MALE", 50), ("A81001", "E01000002", "MALE", 150)])
    everybody = made.living(
        tmp_path / "a.csv", [("A81001", "E01000001", "ALL", 150), ("A81001", "E01000002", "ALL", 150)]
    )
    assert small_areas.read([women, men, index], YEAR).facts.loc["A81001", "imd2025"] == 25.0
    found = small_areas.read([women, everybody, men, index], YEAR)
    assert found.facts.loc["A81001", "imd2025"] == 25.0
    assert found.remarks[:2] == ("f.csv is of one sex, and was not needed.", "m.csv is of one sex, and was not needed.")


# --- registers -------------------------------------------------------------------------------------------------------


def test_prevalence_is_over_the_whole_list_whatever_ages_the_register_counts(tmp_path: Path) -> None:
    part = made.part(
        made.write(tmp_path / "PREVALENCE_2425.csv", "qof_prevalence", made.qof_rows("A81001", AF=30, DM=40))
    )
    found = qof.read([part], YEAR)
    assert found.facts.loc["A81001"].to_dict() == {
        "qof_af.numerator": 30,
        "qof_af.denominator": 1000,
        "qof_dm.numerator": 40,
        "qof_dm.denominator": 1000,
    }
    assert found.dates == {"qof_af": "2025-03", "qof_dm": "2025-03"}


def test_the_registers_are_found_in_the_zip_of_the_whole_publication(tmp_path: Path) -> None:
    table = made.write(tmp_path / "p.csv", "qof_prevalence", made.qof_rows("A81001", AF=30))
    path = tmp_path / "QOF2425.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ACHIEVEMENT_LONDON_2425.csv", "REGION_ODS_CODE,PRACTICE_CODE,MEASURE,VALUE\nY56,A81001,X,1\n")
        archive.write(table, "PREVALENCE_2425.csv")
    found = qof.read([made.part(path)], YEAR)
    assert found.facts.loc["A81001", "qof_af.numerator"] == 30
    assert found.provenance[0]["sheet"] == "PREVALENCE_2425.csv"


def test_the_year_nearest_the_period_is_used_and_one_after_it_only_alone(tmp_path: Path) -> None:
    years = {"2223": 10, "2425": 20, "2526": 30, "2627": 40}
    parts = {
        year: made.part(
            made.write(tmp_path / f"PREVALENCE_{year}.csv", "qof_prevalence", made.qof_rows("A81001", AF=size))
        )
        for year, size in years.items()
    }
    assert qof.read([parts["2223"], parts["2425"], parts["2627"]], YEAR).facts.loc["A81001", "qof_af.numerator"] == 20
    assert qof.read([parts["2425"], parts["2526"]], YEAR).facts.loc["A81001", "qof_af.numerator"] == 30
    found = qof.read([parts["2223"], parts["2425"]], YEAR)
    said = "PREVALENCE_2223.csv (March 2023) was not used: March 2025 is nearer to the study's period."
    assert said in found.remarks
    assert qof.read([parts["2627"]], YEAR).facts.loc["A81001", "qof_af.numerator"] == 40


def test_a_register_larger_than_its_list_is_not_known(tmp_path: Path) -> None:
    rows = [*made.qof_rows("A81001", AF=30, DM=900), *made.qof_rows("B81002", AF=30, DM=10)]
    found = qof.read([made.part(made.write(tmp_path / "p.csv", "qof_prevalence", rows))], YEAR)
    assert found.impossible == (("A81001", "qof_dm.numerator", 900.0),)
    assert (
        pd.isna(found.facts.loc["A81001", "qof_dm.numerator"]) and found.facts.loc["A81001", "qof_af.numerator"] == 30
    )
    assert found.dates == {} and any("which year" in text for text in found.remarks)


def test_the_real_registers_of_2024_25(qof_2425: SourceTable, england: pd.DataFrame) -> None:
    facts = qof_2425.facts
    assert len(facts) == 6188 and len(facts.columns) == 2 * 21
    assert facts["qof_dm.denominator"].sum() == 63_766_671
    assert (
        "Year to March 2025: 21 registers; 6,188 practices and 63,766,671 patients, as published." in qof_2425.remarks
    )
    assert qof_2425.provenance[0]["rows_kept"] == 129_948
    # One practice has more people with a learning disability on its register than on its list.
    assert qof_2425.impossible == (("Y05750", "qof_ld.numerator", 120.0),)
    for name in _REGISTERS:
        wanted = england[f"qof_reg_{name}"].drop("Y05750" if name == "ld" else [], errors="ignore")
        assert same(facts[f"qof_{name}.numerator"], wanted) >= 6065
        assert same(facts[f"qof_{name}.denominator"], england["qof_list_2425"]) == 6066


def test_a_renamed_file_of_registers_is_dated_by_its_totals(tmp_path: Path) -> None:
    copy = tmp_path / "registers.csv.gz"
    shutil.copy(shared("data", "official", "PREVALENCE_2425.csv.gz"), copy)
    assert qof.read([made.part(copy)], YEAR).dates["qof_dm"] == "2025-03"


# --- payments --------------------------------------------------------------------------------------------------------


def test_payments_give_setting_and_supply_of_practices_open_in_the_period(tmp_path: Path) -> None:
    paid = {"Total NHS Payments to General Practice": "180000", "Premises Payments": "20000", "Global Sum": "90000"}
    paid |= {"Reimbursement of Drugs": "25000", "Dispensing Fee Payments": "2000", "Prescribing Fee Payments": "935"}
    rows = [
        made.payment("A81001", **paid),
        made.payment("A81001", **paid),
        made.payment("B81002", **{"Contract Type": "Unknown", "Practice Close Date": "30/09/2025"}),
        made.payment("C81003", **{"Practice Close Date": "31/03/2025"}),
        made.payment("D81004", **{"Practice type": "Walk in centre"}),
        made.payment("E81005", **{"Atypical characteristics": "| Part year of data |"}),
        made.payment("F81006", **{"Number of Weighted Patients (Last Known Figure)": "0"}),
    ]
    found = payments.read(
        [made.part(made.write(tmp_path / "nhspaymentsgp-24-25-prac-csv.csv", "nhs_payments", rows))], YEAR
    )
    assert list(found.facts.index) == ["A81001", "B81002", "E81005", "F81006"]
    assert found.facts.loc["A81001"].to_dict() == {
        "rurality": "Urban",
        "contract_type": "GMS",
        "weighted_list": 1100.5,
        "registered_list": 1000.0,
        "funding_per_patient": 150.25,
        "funding_per_weighted": (180_000 - 20_000 - 25_000 - 2_000 - 935) / 1100.5,
    }
    assert pd.isna(found.facts.loc["B81002", "contract_type"]) and pd.isna(
        found.facts.loc["E81005", "funding_per_patient"]
    )
    assert found.facts.loc[["E81005", "F81006"], "funding_per_weighted"].isna().all()
    assert pd.isna(found.facts.loc["F81006", "weighted_list"])
    assert found.provenance[0]["reason"] == (
        "1 row standing twice; 1 row of walk-in centres and the like; 1 row of practices closed before April 2025"
    )
    assert set(found.dates.values()) == {"2025-03"}


def test_the_real_payments_of_2022_23(england: pd.DataFrame) -> None:
    parts = real("nhspaymentsgp-22-23-prac.csv.gz")
    assert len(payments.tidy(parts[0])) == 6669
    found = payments.read(parts, YEAR)
    row = found.provenance[0]
    assert (row["rows_read"], row["rows_kept"], row["edition"]) == (6669, 6488, "2023-03")
    assert "175 rows of practices closed before April 2025" in str(row["reason"])
    assert same(found.facts["rurality"], england["rurality_2223"]) == 6066
    assert same(found.facts["contract_type"], england["contract_type_2223"].replace("Unknown", None)) == 6063
    assert same(found.facts["weighted_list"], england["weighted_2223"].where(england["weighted_2223"] > 0)) > 6000
    assert same(found.facts["registered_list"], england["registered_2223"].where(england["registered_2223"] > 0)) > 6000


def test_a_dispensing_practice_is_not_taken_for_a_better_funded_one() -> None:
    part = real("nhspaymentsgp-22-23-prac.csv.gz")[0]
    tidy = payments.tidy(part).set_index("practice_code")
    facts = payments.read([part], YEAR).facts
    dispenses = tidy["dispensing"].reindex(facts.index) == "Yes"
    published = (facts["funding_per_patient"] * facts["registered_list"] / facts["weighted_list"]).groupby(dispenses)
    compared = facts["funding_per_weighted"].groupby(dispenses)
    assert published.median()[True] / published.median()[False] > 1.4
    assert compared.median()[True] / compared.median()[False] == pytest.approx(1.0, abs=0.01)


# --- workforce: no real file has been seen ----------------------------------------------------------------------------


def test_the_card_says_that_no_real_workforce_file_was_seen() -> None:
    assert not catalogue.layouts()["workforce_high_level"].seen and not catalogue.layouts()["workforce_detailed"].seen


def test_roles_are_counted_once_and_never_beside_their_total(tmp_path: Path) -> None:
    values = {
        ("A81001", "GP", "Senior Partner"): 2.0,
        ("A81001", "GP", "GP in Training Grade ST3"): 1.0,
        ("A81001", "GP", "Locum - Covering Vacancy"): 0.5,
        ("A81001", "GP", "Total"): 3.5,
        ("A81001", "Admin/Non-Clinical", "Receptionist"): 4.25,
        ("A81001", "Admin/Non-Clinical", "Total"): 4.25,
        ("B81002", "GP", "Total"): "NA",
        ("C81003", "GP", "Total"): 0,
        ("D81004", "GP", "Partner/Provider"): "ND",
        ("D81004", "GP", "Salaried By Practice"): 1.0,
    }
    found = workforce.read([made.high_level(tmp_path / "GPWPracticeCSV.062026.csv", values)], YEAR)
    assert found.facts.loc["A81001"].to_dict() == {"gp_fte": 2.0, "all_gp_fte": 3.5, "admin_fte": 4.25}
    assert found.facts["all_gp_fte"].isna().equals(found.facts["gp_fte"].isna())
    assert found.facts["gp_fte"].isna().to_dict() == {"A81001": False, "B81002": True, "C81003": False, "D81004": True}
    assert found.facts.loc["C81003", "gp_fte"] == 0
    assert found.dates == dict.fromkeys(("gp_fte", "all_gp_fte", "admin_fte"), "2026-06")
    said = "Roles of GPs that were not counted: GP in Training Grade ST3, Locum - Covering Vacancy."
    assert said in found.remarks
    assert any(
        text.startswith("GPs are counted as full-time equivalents without doctors in training")
        for text in found.remarks
    )


def test_a_published_total_that_misses_staff_is_named_and_not_used(tmp_path: Path) -> None:
    values = {
        (f"M{place:05d}", "GP", role): size for place in range(10) for role, size in (("Partner", 2.0), ("Total", 2.0))
    }
    values["M00003", "GP", "Total"] = 0.0
    found = workforce.read([made.high_level(tmp_path / "w.csv", values)], YEAR)
    assert (found.facts["gp_fte"] == 2.0).all()
    said = (
        "GP: in 1 of 10 practices the roles do not add up to the published total (M00003: roles 2.00, total 0.00); the "
        "roles were used."
    )
    assert said in found.remarks and found.dates == {}


def test_the_detailed_table_is_used_and_held_against_the_other(tmp_path: Path) -> None:
    columns = catalogue.layouts()["workforce_detailed"].columns
    cells = {"PRAC_CODE": "A81001", "TOTAL_PATIENTS": "5000", "TOTAL_GP_FTE": "3.5", "TOTAL_GP_EXTGL_FTE": "2.0"}
    away = {"PRAC_CODE": "B81002", "TOTAL_PATIENTS": "5000", "TOTAL_GP_FTE": "ND", "TOTAL_GP_EXTGL_FTE": "ND"}
    rows = [[row.get(name, "NA") for name in columns] for row in (cells, away)]
    detailed = made.part(made.write(tmp_path / "Detailed June 2026.csv", "workforce_detailed", rows))
    high = made.high_level(
        tmp_path / "High level June 2026.csv", {("A81001", "GP", "Partner"): 9.0, ("A81001", "GP", "Total"): 9.0}
    )
    found = workforce.read([high, detailed], YEAR)
    assert found.facts.loc["A81001", "gp_fte"] == 2.0 and pd.isna(found.facts.loc["B81002", "gp_fte"])
    assert found.facts.loc["A81001", "all_gp_fte"] == 3.5 and pd.isna(found.facts.loc["B81002", "all_gp_fte"])
    assert (
        "The detailed and the high-level table differ in 1 practice; the detailed one was used (1 practice in both)."
        in found.remarks
    )


@pytest.mark.parametrize("name", ["All GPs", "All", "Total GPs", "GP Total", "TOTAL"])
def test_a_total_by_any_name_is_not_counted_beside_its_parts(tmp_path: Path, name: str) -> None:
    sizes = {"Senior Partner": 3.0, "Salaried": 2.0, "Locum": 0.5, name: 5.5}
    values = {(f"M{place:05d}", "GP", role): size for place in range(10) for role, size in sizes.items()}
    found = workforce.read([made.high_level(tmp_path / "w.csv", values)], YEAR)
    assert (found.facts["gp_fte"] == 5.0).all()
    assert "GP: the roles add up to the published total in all 10 practices that have both." in found.remarks


def test_the_widest_of_several_totals_is_held_against_the_roles(tmp_path: Path) -> None:
    sizes = {"Partner": 3.0, "Locum": 0.5, "All GPs": 3.5, "All GPs, no locums": 3.0}
    values = {(f"M{place:05d}", "GP", role): size for place in range(10) for role, size in sizes.items()}
    found = workforce.read([made.high_level(tmp_path / "w.csv", values)], YEAR)
    assert (found.facts["gp_fte"] == 3.0).all()


def test_a_detailed_table_is_used_when_the_other_cannot_be(tmp_path: Path) -> None:
    columns = catalogue.layouts()["workforce_detailed"].columns
    cells = {"PRAC_CODE": "A81001", "TOTAL_PATIENTS": "5000", "TOTAL_GP_FTE": "3.5", "TOTAL_GP_EXTGL_FTE": "2.0"}
    rows = [[cells.get(name, "NA") for name in columns]]
    detailed = made.part(made.write(tmp_path / "Detailed June 2026.csv", "workforce_detailed", rows))
    high = made.high_level(tmp_path / "High level June 2026.csv", {("A81001", "GP", "Partner"): 2.0})
    found = workforce.read([detailed, high], YEAR)
    assert found.facts.loc["A81001", "gp_fte"] == 2.0
    assert any(text.startswith("The detailed table was used and could not be held") for text in found.remarks)


# --- the register ----------------------------------------------------------------------------------------------------


def test_the_register_gives_english_practices_open_in_the_period(tmp_path: Path) -> None:
    rows = [
        made.register_row("A81001"),
        made.register_row("B81002", status="C", close_date="20250930"),
        made.register_row("C81003", status="C", close_date="20250331"),
        made.register_row("D81004", open_date="20260401"),
        made.register_row("E81005", prescribing_setting="9"),
        made.register_row("F81006", status="D"),
        made.register_row("W95001", national_grouping="W00"),
        made.register_row("ALD200"),
    ]
    part = made.part(made.write(tmp_path / "epraccur jan 2024.csv", "ods_epraccur", rows))
    found = ods.read([part], YEAR)
    assert list(found.facts.index) == ["A81001", "B81002"]
    assert found.places is not None
    assert found.places.iloc[0].to_dict() == {
        "practice_code": "A81001",
        "practice_name": "A SURGERY",
        "sub_icb_code": "00L",
        "icb_code": "QHM",
        "region_code": "Y63",
        "date": "2024-01-01",
    }
    whole = ods.tidy(part).set_index("practice_code")
    assert whole.loc["B81002", "close_date"] == "2025-09-30" and not whole.loc["B81002", "is_practice"]


def test_the_register_is_of_the_month_in_its_name_whatever_is_to_close_later(tmp_path: Path) -> None:
    rows = [
        made.register_row("A81001", open_date="20260105"),
        made.register_row("B81002", close_date="20260430"),
        made.register_row("C81003", status="P", open_date="20260601"),
    ]
    march = Period("2026-03", "2026-03")
    for name, month in (("epraccur_mar2026.csv", "2026-03-01"), ("epraccur.csv", "2026-01-01")):
        found = ods.read([made.part(made.write(tmp_path / name, "ods_epraccur", rows))], march)
        assert found.places is not None
        assert set(found.places["date"]) == {month}


def test_the_real_register_of_january_2024(england: pd.DataFrame) -> None:
    part = real("epraccur_jan2024.csv.gz")[0]
    whole = ods.tidy(part)
    assert whole["is_practice"].sum() == 6750
    found = ods.read([part], YEAR)
    assert found.provenance[0]["rows_read"] == 15_971 and found.provenance[0]["edition"] == "2024-01"
    assert any(
        text.startswith("6,750 active practices of prescribing setting 4, 402 of them in Wales")
        for text in found.remarks
    )
    assert found.places is not None
    places = found.places.set_index("practice_code")
    active = england[england.index.isin(places.index)]
    assert len(active) > 6000
    assert same(places["icb_code"], active["icb_code_2024"]) == len(active)
    assert same(places["sub_icb_code"], active["sub_icb_code_2024"]) == len(active)


# --- every reader ----------------------------------------------------------------------------------------------------

_ROOMS = (
    (registered, ("gp-reg-pat-prac-map.zip", "gp-reg-pat-prac-all_jan2021.csv.gz")),
    (fingertips, ("fingertips_93553_imd2019_by_practice.csv.gz",)),
    (payments, ("nhspaymentsgp-22-23-prac.csv.gz",)),
    (ods, ("epraccur_jan2024.csv.gz",)),
)


@pytest.mark.parametrize(("room", "names"), _ROOMS, ids=lambda item: getattr(item, "__name__", ""))
def test_provenance_accounts_for_every_row_of_a_real_file(room, names: tuple[str, ...]) -> None:
    found = room.read(real(*names), YEAR)
    assert [row["file"] for row in found.provenance] == list(names)
    for row in found.provenance:
        assert list(row) == schema.names("provenance")
        assert row["rows_read"] == row["rows_kept"] + row["rows_dropped"]
        assert (row["sha256"], row["bytes"]) == fingerprint(shared("data", "official", str(row["file"])))
        assert bool(row["reason"]) == (row["rows_dropped"] > 0)
    assert found.facts.index.is_unique and found.facts.index.name == "practice_code"
    assert found.facts.index.str.fullmatch(r"[A-TV-Z]\d{5}").all()


def test_a_source_error_is_never_a_half_read_table(tmp_path: Path) -> None:
    part = made.quinary(tmp_path / "q.csv", practices=made.PRACTICES[1:])
    for reader in (registered.tidy, lambda one: registered.read([one], YEAR)):
        with pytest.raises(SourceError):
            reader(part)
