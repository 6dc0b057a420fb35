"""The publications of the simulated England: laid out as the real ones, and true to the world they are written from."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gpvar import catalogue, simulate
from gpvar.errors import StudyError
from gpvar.simulate.publications import ALL, OTHERS, WITHOUT_APPOINTMENTS, Publications, write_publications
from gpvar.sources import fingertips, ods, payments, qof, registered, small_areas, workforce
from gpvar.sources._parts import Part
from gpvar.sources.recognise import recognise
from gpvar.study import load_study, parse_period
from gpvar.table import build_table
from tests.support import shared

_HIGH = ("workforce_high_level",)
_PART = ("workforce_detailed", "nhs_payments", "iod2025_scores")
_BARE = {".csv": lambda path: path.read_bytes(), ".gz": lambda path: gzip.decompress(path.read_bytes())}


@pytest.fixture(scope="module")
def world() -> simulate.SimulatedEngland:
    return simulate.england(practices=300, icbs=4)


@pytest.fixture(scope="module")
def table(world: simulate.SimulatedEngland) -> pd.DataFrame:
    return world.practices.set_index("practice_code")


@pytest.fixture(scope="module")
def written(world: simulate.SimulatedEngland, tmp_path_factory: pytest.TempPathFactory) -> Publications:
    return write_publications(tmp_path_factory.mktemp("publications"), world, which=WITHOUT_APPOINTMENTS)


def bytes_of(path: Path, layout: str = "") -> bytes:
    """The bytes of the table with a layout, or of the first table."""
    if path.suffix != ".zip":
        return _BARE[path.suffix](path)
    with zipfile.ZipFile(path) as archive:
        names = [part.member.name for part in recognise(path) if part.layout == layout] or archive.namelist()
        return archive.read(names[0])


def read(data: bytes, headings: bool = True) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig", header=0 if headings else None
    )


def published(written: Publications, layout: str, at: int = 0) -> pd.DataFrame:
    return read(bytes_of(written.files[layout][at], layout), not catalogue.layouts()[layout].headerless)


def header(data: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


# --- layouts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", WITHOUT_APPOINTMENTS)
def test_a_file_is_recognised_as_what_it_was_written_as(written: Publications, layout: str) -> None:
    for path in written.files[layout]:
        assert layout in {part.layout for part in recognise(path)}


@pytest.mark.parametrize("layout", [name for name in WITHOUT_APPOINTMENTS if name not in _PART])
def test_headings_are_those_of_the_catalogue_in_their_order(written: Publications, layout: str) -> None:
    card = catalogue.layouts()[layout]
    found = header(bytes_of(written.files[layout][0], layout))
    if card.headerless:
        assert len(found) == card.headerless
        return
    differ = {name: other for name, other in zip(card.columns, found, strict=True) if name != other}
    assert set(differ) <= {"Compared to percentiles"}


@pytest.mark.parametrize("layout", _PART)
def test_a_wide_file_has_the_headings_of_the_catalogue_among_its_own(written: Publications, layout: str) -> None:
    card = catalogue.layouts()[layout]
    found = header(bytes_of(written.files[layout][0], layout))
    assert len(found) == len(set(found)) > 50
    assert [name for name in found if name in card.columns] == [name for name in card.columns if name in found]
    assert set(card.required) <= set(found)


@pytest.mark.parametrize(
    ("layout", "at", "real"),
    [
        ("registered_quinary", 0, "gp-reg-pat-prac-quin-age.zip"),
        ("registered_map", 0, "gp-reg-pat-prac-map.zip"),
        ("registered_all", -1, "gp-reg-pat-prac-all_jan2021.csv.gz"),
        ("fingertips_api", 1, "fingertips_93553_imd2019_by_practice.csv.gz"),
        ("fingertips_extract", 0, "fingertips-imd-2025-gp-practice.csv"),
        ("qof_prevalence", 1, "PREVALENCE_2425.csv.gz"),
        ("nhs_payments", 0, "nhspaymentsgp-22-23-prac.csv.gz"),
        ("ods_epraccur", 0, "epraccur_jan2024.csv.gz"),
    ],
)
def test_a_file_is_written_as_the_real_one_is(written: Publications, layout: str, at: int, real: str) -> None:
    made, wanted = bytes_of(written.files[layout][at], layout), bytes_of(shared("data", "official", real), layout)
    if not catalogue.layouts()[layout].headerless:
        assert made.split(b"\n")[0] == wanted.split(b"\n")[0]
    for mark in (b"\r\n", b"\n"):
        assert made.endswith(mark) == wanted.endswith(mark)
    assert (b"\r\n" in made) == (b"\r\n" in wanted)
    assert made[:3] == wanted[:3] or layout == "ods_epraccur"
    first, second = (read(data, not catalogue.layouts()[layout].headerless) for data in (made, wanted))
    # Letters become A and figures 9, so that a date, a number or a code must look as a real one does.
    for column in first.columns:
        forms = [set(shape(frame[column])) for frame in (first, second)]
        assert column in _FREE.get(layout, ()) or forms[0] <= forms[1], (column, sorted(forms[0] - forms[1])[:5])


#: Names, addresses and the codes of sub-board areas, which in a simulated England begin with Z.
_FREE: dict[str, tuple[object, ...]] = {
    "registered_quinary": ("ORG_CODE",),
    "registered_map": ("PRACTICE_NAME", "PCN_NAME", "SUB_ICB_LOCATION_CODE", "SUB_ICB_LOCATION_NAME", "SUPPLIER_NAME"),
    "registered_all": ("CCG_CODE",),
    "fingertips_api": ("Area Name",),
    "fingertips_extract": ("PRACTICE_NAME",),
    "nhs_payments": ("CCG Code", "Sub ICB NAME", "CCG NAME", "Practice Name", "Practice Address"),
    "ods_epraccur": (1, 4, 5, 14, 23),
}


def shape(texts: pd.Series) -> pd.Series:
    plain = texts.drop_duplicates().str.replace(r"[A-Z]+", "A", regex=True).str.replace(r"[a-z]+", "a", regex=True)
    return plain.str.replace(r"\d+", "9", regex=True)


def test_the_same_seed_gives_the_same_bytes_whatever_else_is_written(
    written: Publications, world: simulate.SimulatedEngland, tmp_path: Path
) -> None:
    again = write_publications(tmp_path, world, which=("nhs_payments", "qof_prevalence", "registered_lsoa"))
    assert sorted(again.files) == ["nhs_payments", "qof_prevalence", "registered_lsoa"]
    for layout, paths in again.files.items():
        for path, other in zip(paths, written.files[layout], strict=True):
            assert path.read_bytes() == other.read_bytes(), path.name
    changed = write_publications(tmp_path / "other", world, seed=7, which=("nhs_payments",))
    assert changed.main[0].read_bytes() != written.files["nhs_payments"][0].read_bytes()


def test_the_files_of_a_study_lie_apart_from_other_editions(written: Publications) -> None:
    every = {path for paths in written.files.values() for path in paths}
    assert set(written.main) == {path for path in every if path.parent == written.folder}
    assert {path.parent.name for path in every - set(written.main)} == {OTHERS}
    assert {path.name for path in written.main} >= {"gp-reg-pat-prac-quin-age.zip", "QOF2425.zip", "epraccur.zip"}
    assert len([path for path in written.main if path.name.startswith("gp-reg-pat-prac-all")]) == 12


def test_editions_follow_from_the_period(world: simulate.SimulatedEngland, tmp_path: Path) -> None:
    made = write_publications(
        tmp_path, world, period="2024-01..2024-03", which=("registered_quinary", "qof_prevalence", "registered_all")
    )
    assert (made.editions.registered, made.editions.workforce) == ("2024-07", "2024-06")
    assert made.files["qof_prevalence"][0].name == "QOF2223.zip"
    assert set(published(made, "registered_quinary")["EXTRACT_DATE"]) == {"2024-07-01"}
    months = made.truth["registered_all"]["month"].unique()
    assert sorted(months) == ["2021-01", "2024-01", "2024-02", "2024-03"]


@pytest.mark.parametrize("asked", [{"which": ["gp_patient_survey"]}, {"which": ["gpad"]}])
def test_what_cannot_be_written_is_said(tmp_path: Path, asked: dict[str, list[str]]) -> None:
    with pytest.raises(StudyError, match="no publication of that name"):
        write_publications(tmp_path, **asked)
    assert not list(tmp_path.iterdir())


def test_appointments_are_those_of_the_same_practices(world: simulate.SimulatedEngland, tmp_path: Path) -> None:
    made = write_publications(
        tmp_path,
        world,
        period="2026-01..2026-02",
        which=set(ALL) - set(WITHOUT_APPOINTMENTS),
        rows_per_month=3000,
    )
    assert [path.name for path in made.main] == ["Practice_Level_Crosstab_Feb_26.zip"]
    assert {part.layout for part in recognise(made.main[0])} == {"gpad_crosstab", "gpad_mapping"}
    truth = made.truth["gpad_crosstab"]
    assert set(truth["practice_code"]) == set(world.practices["practice_code"])
    mapped = published(made, "gpad_mapping").set_index("GP_CODE")
    assert (mapped["PCN_CODE"] == made.truth["gpad_mapping"]["pcn_code"].reindex(mapped.index)).all()
    yearly = world.practices.set_index("practice_code")["gpad_annual_total_appointments"]
    monthly = truth.groupby("practice_code")["total"].mean()
    assert (12 * monthly / yearly).median() == pytest.approx(1, abs=0.15)


# --- what the files say ----------------------------------------------------------------------------------------------


def test_every_level_of_the_lists_adds_up_to_the_same_people(written: Publications) -> None:
    frame = published(written, "registered_quinary").assign(
        count=lambda f: f["NUMBER_OF_PATIENTS"].astype(int), whole=lambda f: f["AGE_GROUP_5"] == "ALL"
    )
    whole = frame[frame["whole"] & (frame["SEX"] == "ALL")].groupby("ORG_TYPE")["count"].sum()
    assert whole.nunique() == 1 and set(whole.index) >= {"GP", "PCN", "ICB", "Comm Region"}
    keys = ["ORG_TYPE", "ORG_CODE"]
    by_sex = frame[frame["SEX"] != "ALL"].pivot_table(
        index=[*keys, "SEX"], columns="whole", values="count", aggfunc="sum"
    )
    assert (by_sex[True] == by_sex[False]).all()
    total = frame[frame["SEX"] == "ALL"].set_index(keys)["count"]
    assert (by_sex[True].groupby(keys).sum() == total.sort_index()).all()
    assert (frame[frame["ORG_TYPE"] == "GP"].groupby("ORG_CODE").size() == 43).all()


def test_shares_are_those_of_the_world_to_the_patient(written: Publications, table: pd.DataFrame) -> None:
    truth = written.truth["registered_quinary"]
    assert (truth["patients"] == table["qof_list_2425"]).all()
    for name in truth.columns.drop("patients"):
        off = (truth[name] - table[name]).abs() * truth["patients"]
        assert off.max() <= 0.5 + 1e-5 * truth["patients"].max(), name
    # Not only the shares asked for: women outlive men, and no one has ten times the oldest.
    frame = published(written, "registered_quinary").query("ORG_TYPE == 'Comm Region'")
    count = frame.assign(n=frame["NUMBER_OF_PATIENTS"].astype(int)).pivot_table(
        index="AGE_GROUP_5", columns="SEX", values="n", aggfunc="sum"
    )
    assert (count.loc["90_94", "FEMALE"] > 1.3 * count.loc["90_94", "MALE"]) and (count.loc["95+", "MALE"] > 0)


def test_monthly_lists_are_the_patient_months_and_the_jumps_of_the_world(
    written: Publications, table: pd.DataFrame
) -> None:
    truth = written.truth["registered_all"]
    lists = truth[truth["month"] > "2025"].pivot(index="practice_code", columns="month", values="patients")
    ours = lists.loc[table.index]
    assert (ours.sum(axis=1) == table["annual_patient_month_exposure"]).all()
    jump = 100 * ours.pct_change(axis="columns").abs().max(axis=1)
    assert (jump - table["maximum_percentage_monthly_change"]).abs().max() < 0.25
    gone = lists.index.difference(table.index)
    assert len(gone) == 1
    grown = table["maximum_percentage_monthly_change"].idxmax()
    step = ours.loc[grown].diff()
    assert lists.loc[gone[0]].dropna().iloc[-1] == pytest.approx(step.max(), abs=1)
    assert lists.loc[gone[0]].notna().sum() == list(ours.columns).index(step.idxmax())
    for path in written.files["registered_all"][:12]:
        frame = read(bytes_of(path))
        assert frame["EXTRACT_DATE"].nunique() == 1 and frame["CODE"].is_unique
    forms = {read(bytes_of(path))["EXTRACT_DATE"][0] for path in written.files["registered_all"]}
    assert {"01APR2025", "2026-03-01", "01JAN2021"} <= forms


def test_the_mapping_has_practices_without_a_network_and_a_network_in_two_boards(
    written: Publications, table: pd.DataFrame
) -> None:
    frame = published(written, "registered_map").set_index("PRACTICE_CODE")
    assert list(frame.index) == sorted(table.index)
    alone = frame[frame["PCN_CODE"] == "U"]
    assert len(alone) >= 2 and set(alone["PCN_NAME"]) == {"Unallocated"}
    boards = frame[frame["PCN_CODE"] != "U"].groupby("PCN_CODE")["ICB_CODE"].nunique()
    assert sorted(boards.unique()) == [1, 2] and (boards == 2).sum() == 1
    assert set(frame["EXTRACT_DATE"]) == {"01Jul2026"}
    assert (frame["ICB_CODE"] == table["icb_code"].reindex(frame.index)).all()
    earlier = published(written, "registered_map", 1).set_index("PRACTICE_CODE")
    assert set(earlier.index) > set(frame.index) and set(earlier["EXTRACT_DATE"]) == {"01Apr2025"}


def test_a_register_is_counted_on_its_own_list_and_on_the_practices_whole_list(
    written: Publications, table: pd.DataFrame
) -> None:
    frame = published(written, "qof_prevalence")
    assert frame["REGISTER"].str.fullmatch(r"\d+\.0").all()
    size = frame.assign(n=frame["PRACTICE_LIST_SIZE"].astype(int), r=frame["REGISTER"].astype(float).astype(int))
    assert (size["r"] <= size["n"]).all()
    lists = size.groupby(["PRACTICE_CODE", "PATIENT_LIST_TYPE"])["n"].agg(["min", "max"])
    assert (lists["min"] == lists["max"]).all()
    wide = lists["min"].unstack().loc[table.index]
    assert (wide["TOTAL"] == table["qof_list_2425"]).all()
    order = ["TOTAL", "06OV", "16OV", "17OV", "18OV", "50OV"]
    assert (wide[order].diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    for group in ("DM", "DEP", "AST", "MH"):
        own = size[size["GROUP_CODE"] == group].set_index("PRACTICE_CODE")["r"].loc[table.index]
        assert (own == table[f"qof_reg_{group.lower()}"]).all(), group
    assert bytes_of(written.files["qof_prevalence"][0], "qof_prevalence") == bytes_of(
        written.files["qof_prevalence"][1]
    )
    with zipfile.ZipFile(written.files["qof_prevalence"][0]) as archive:
        assert {name.rsplit("_", 1)[0] for name in archive.namelist()} == {
            *("PREVALENCE", "MAPPING_INDICATORS", "MAPPING_NHS_GEOGRAPHIES"),
            *("ACHIEVEMENT_UPPER_SIMLAND", "ACHIEVEMENT_LOWER_SIMLAND"),
        }


def test_fingertips_has_england_twice_boards_and_practices_old_and_new(
    written: Publications, table: pd.DataFrame
) -> None:
    for at, kind in ((0, "GPs"), (1, "GP")):
        frame = published(written, "fingertips_api", at)
        assert list(frame["Area Type"][:2]) == ["England", "England"] and frame["Parent Code"][0] == ""
        assert set(frame["Area Type"]) == {"England", "ICBs", kind}
        assert frame["Area Name"].str.contains(",").any()
    new, old = (published(written, "fingertips_api", at) for at in (0, 1))
    assert new.columns[22] != old.columns[22]
    value = new[new["Area Type"] == "GPs"].set_index("Area Code")["Value"].astype(float)
    assert (value.loc[table.index] == table["imd2025_score"]).all()
    closed, opened = (set(one["Area Code"]) - set(other["Area Code"]) for one, other in ((old, new), (new, old)))
    assert len(closed) >= 4 and 0 < len(opened) <= 5 and opened < set(table.index)
    extract = published(written, "fingertips_extract").set_index("PRACTICE_CODE")["IMD_SCORE"].astype(float)
    assert (extract.loc[table.index] == table["imd2025_score"]).all()


def test_small_areas_give_each_practice_its_own_deprivation_score(written: Publications, table: pd.DataFrame) -> None:
    living = published(written, "registered_lsoa").assign(n=lambda f: f["NUMBER_OF_PATIENTS"].astype(int))
    assert (living.groupby("PRACTICE_CODE")["n"].sum() == written.truth["registered_quinary"]["patients"]).all()
    assert {"NO2011", "EMPTY", "W01900001"} <= set(living["LSOA_CODE"])
    score = published(written, "iod2025_scores").set_index("LSOA code (2021)")
    assert len(score.columns) == 55 and score.index.str.fullmatch(r"E01\d{6}").all()
    marks = living["LSOA_CODE"].map(score["Index of Multiple Deprivation (IMD) Score"].astype(float))
    found = living.assign(s=marks * living["n"], n=living["n"].where(marks.notna())).groupby("PRACTICE_CODE")
    mean = found["s"].sum() / found["n"].sum()
    assert mean.to_numpy() == pytest.approx(written.truth["registered_lsoa"]["imd2025"].to_numpy(), abs=1e-9)
    assert (mean - table["imd2025_score"]).abs().max() < 0.06
    with zipfile.ZipFile(written.files["registered_lsoa"][0]) as archive:
        women, men = (read(archive.read(f"gp-reg-pat-prac-lsoa-{sex}.csv")) for sex in ("female", "male"))
    both = pd.concat([women, men])["NUMBER_OF_PATIENTS"].astype(int).sum()
    assert both == living["n"].sum() and set(women["SEX"]) == {"FEMALE"} and set(men["SEX"]) == {"MALE"}


def test_payments_hold_the_closed_and_services_without_a_list_and_add_up(
    written: Publications, table: pd.DataFrame
) -> None:
    frame = published(written, "nhs_payments").set_index("Practice Code")
    assert frame.shape[1] == 74
    rural = frame["Practice Rurality"].reindex(table.index)
    assert (rural.dropna() == table["rurality"][rural.notna()]).all() and 0 < rural.isna().sum() <= 5
    closed = frame[frame["Practice Close Date"] != ""]
    assert len(closed) >= 4 and set(closed.index).isdisjoint(table.index)
    assert (frame["Practice type"] == "Walk in centre").sum() == 2
    assert set(frame.loc[frame["Code"] == "Unknown or no PCN", "CCG NAME"]) == {"Unknown or no PCN"}
    number = frame.iloc[:, 16:].astype(float)
    parts = number.loc[:, "Global Sum":"Other Payments"].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(number["Total NHS Payments to General Practice"].to_numpy(), abs=0.02)
    per_patient = number["Average payments per registered patient"]
    assert per_patient[number.iloc[:, 0] > 0].between(60, 500).all()
    weighted = number["Number of Weighted Patients (Last Known Figure)"].sum()
    assert weighted / number["Number of Registered Patients (Last Known Figure)"].sum() == pytest.approx(1, abs=0.1)


def test_workforce_totals_count_everyone_again_who_stands_in_a_role(written: Publications) -> None:
    high = published(written, "workforce_high_level")
    assert (high["VALUE"] == "NA").any()
    value = high.assign(v=pd.to_numeric(high["VALUE"], errors="coerce"), total=high["DETAILED_STAFF_ROLE"] == "Total")
    keys = ["PRAC_CODE", "STAFF_GROUP", "MEASURE"]
    sent = value.dropna(subset=["v"])
    sums = sent.pivot_table(index=keys, columns="total", values="v", aggfunc="sum")
    assert sums[True].to_numpy() == pytest.approx(sums[False].to_numpy(), abs=0.005)
    wide = published(written, "workforce_detailed").set_index("PRAC_CODE")
    assert {"NA", "ND"} <= set(wide["TOTAL_GP_FTE"])
    truth = written.truth["workforce_high_level"]
    for name, heading in (("gp_fte", "TOTAL_GP_FTE"), ("gp_fte_qualified", "TOTAL_GP_EXTGL_FTE")):
        found = pd.to_numeric(wide[heading], errors="coerce")
        assert (found.isna() == truth[name].isna()).all()
        assert found.dropna().to_numpy() == pytest.approx(truth[name].dropna().to_numpy(), abs=0.005)
    assert (wide["TOTAL_PATIENTS"].astype(int) == written.truth["registered_quinary"]["patients"]).all()
    bands = wide.filter(regex=r"^(FE)?MALE_PATIENTS_").astype(int)
    assert bands.shape[1] == 14 and (bands.sum(axis=1) == wide["TOTAL_PATIENTS"].astype(int)).all()
    with zipfile.ZipFile(written.files["workforce_detailed"][0]) as archive:
        assert all("\N{EN DASH} June 2026" in name for name in archive.namelist())


def test_the_register_holds_the_closed_and_what_is_no_practice(written: Publications, table: pd.DataFrame) -> None:
    frame = published(written, "ods_epraccur").set_index(0)
    practice = frame[frame[25] == "4"]
    assert set(practice.index[practice[12] == "A"]) == set(table.index)
    assert {"A", "C", "D"} <= set(frame[12]) and len(frame) > 1.4 * len(practice)
    assert (frame.loc[frame[12] == "C", 11].str.fullmatch(r"\d{8}")).all()
    assert bytes_of(written.files["ods_epraccur"][0]).startswith(b'"X10001","')


def test_no_code_name_or_postcode_is_a_real_one(written: Publications) -> None:
    real = read(bytes_of(shared("data", "official", "epraccur_jan2024.csv.gz")), headings=False)
    made = published(written, "ods_epraccur")
    for column in (0, 1, 3, 9, 14):
        known = set(real[column]) - {""}
        assert len(known) > 50 and set(made[column]).isdisjoint(known), column
    current = read(bytes_of(shared("data", "official", "gp-reg-pat-prac-map.zip")))
    ours = published(written, "registered_map")
    for column in ("ONS_ICB_CODE", "ONS_SUB_ICB_LOCATION_CODE", "ONS_COMM_REGION_CODE", "PRACTICE_CODE", "PCN_NAME"):
        assert (set(ours[column]) - {"Unallocated"}).isdisjoint(set(current[column])), column


# --- what the readers find -------------------------------------------------------------------------------------------

_PERIOD = parse_period("2025-04..2026-03")


def parts(written: Publications, layout: str, *only: int) -> list[Part]:
    """The tables with a layout in its files; of some of the files where they are numbered."""
    paths = written.files[layout]
    chosen = [paths[at] for at in only] if only else paths
    return [part for path in chosen for part in recognise(path) if part.layout == layout]


def test_reading_the_lists_gives_shares_sizes_jumps_and_places_back(written: Publications, table: pd.DataFrame) -> None:
    every = [
        *parts(written, "registered_quinary"),
        *parts(written, "registered_map"),
        *parts(written, "registered_all"),
    ]
    found = registered.read(every, _PERIOD)
    facts = found.facts.loc[table.index]
    truth = written.truth["registered_quinary"]
    shares = [name for name in facts if name.startswith("age_sex.")]
    assert len(shares) == 4
    for name in shares:
        assert (facts[name] == truth[name.removeprefix("age_sex.")]).all(), name
    assert 12 * facts["list_size"].to_numpy() == pytest.approx(table["annual_patient_month_exposure"].to_numpy())
    over = facts["list_jump_pct"] > 15
    assert (over == (table["maximum_percentage_monthly_change"] > 15)).all() and over.sum() == 1
    assert found.places is not None
    dates = found.places.groupby("date")["practice_code"].size()
    assert {"2025-04-01", "2026-07-01"} <= set(dates.index)
    latest = found.places[found.places["date"] == "2026-07-01"].set_index("practice_code")
    wanted = written.truth["registered_map"].drop(columns="date")
    for name in latest.columns.intersection(wanted.columns):
        assert (latest[name] == wanted[name].reindex(latest.index)).all(), name
    assert any("belong to no network" in remark for remark in found.remarks)
    assert any("has practices in" in remark for remark in found.remarks)


def test_reading_the_registers_gives_them_back_over_the_whole_list(written: Publications) -> None:
    truth = written.truth["qof_prevalence"]
    for at in (0, 1):
        found = qof.read(parts(written, "qof_prevalence", at), _PERIOD).facts
        whole = truth[truth["list_type"] == "TOTAL"].groupby("practice_code")["list_size"].first()
        for group, part in truth.groupby("group_code"):
            own = part.set_index("practice_code")["register"]
            assert (found[f"qof_{group.lower()}.numerator"] == own.reindex(found.index)).all()
            assert (found[f"qof_{group.lower()}.denominator"] == whole.reindex(found.index)).all()


def test_reading_deprivation_gives_the_scores_back_three_ways(written: Publications, table: pd.DataFrame) -> None:
    new = fingertips.read(parts(written, "fingertips_api"), _PERIOD).facts
    truth = written.truth["fingertips_api"]
    for name in ("imd2025", "imd2019"):
        assert new[name].dropna().sort_index().equals(truth[f"{name}_score"].dropna().sort_index().rename(name))
    extract = fingertips.read(parts(written, "fingertips_extract"), _PERIOD).facts["imd2025"]
    assert (extract.loc[table.index] == table["imd2025_score"]).all()
    both = [*parts(written, "registered_lsoa"), *parts(written, "iod2025_scores")]
    made = small_areas.read(both, _PERIOD).facts["imd2025"]
    wanted = written.truth["registered_lsoa"]["imd2025"]
    assert made.loc[wanted.index].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-9)


def test_reading_payments_gives_rurality_contract_and_the_weighted_list_back(written: Publications) -> None:
    truth = written.truth["nhs_payments"]
    found = payments.read(parts(written, "nhs_payments"), _PERIOD).facts
    kept = truth[(truth["practice_type"] == "GP practice") & ~(truth["closed"] < "20250401")]
    assert set(found.index) == set(kept.index)
    names = {"rurality": "rurality", "contract_type": "contract", "weighted_list": "weighted"}
    for name, own in names.items():
        assert (found[name] == kept[own].reindex(found.index)).all(), name


@pytest.mark.parametrize("layouts", [("workforce_high_level",), ("workforce_detailed",), _PART[:1] + _HIGH])
def test_reading_the_workforce_counts_everyone_once(written: Publications, layouts: tuple[str, ...]) -> None:
    found = workforce.read([part for name in layouts for part in parts(written, name)], _PERIOD).facts
    truth = written.truth["workforce_detailed"]
    for name, own in (("gp_fte", "gp_fte_qualified"), ("admin_fte", "admin_fte")):
        wanted = truth[own].reindex(found.index)
        assert (found[name].isna() == wanted.isna()).all()
        assert found[name].dropna().to_numpy() == pytest.approx(wanted.dropna().to_numpy(), abs=0.005)


def test_reading_the_register_gives_the_practices_open_in_the_period_back(written: Publications) -> None:
    truth = written.truth["ods_epraccur"]
    found = ods.read(parts(written, "ods_epraccur"), _PERIOD)
    gp = truth[truth["setting"] == "4"]
    wanted = gp[(gp["status"] == "A") | (gp["closed"] >= "20250401")]
    assert set(found.facts.index) == set(wanted.index)
    assert found.places is not None
    places = found.places.set_index("practice_code")
    assert (places["icb_code"] == wanted["icb_code"].reindex(places.index)).all()


def test_the_files_make_a_study_with_the_figures_of_the_world(world: simulate.SimulatedEngland, tmp_path: Path) -> None:
    sources = {
        "gpad": ("gpad_crosstab",),
        "registered_patients": ("registered_quinary", "registered_map", "registered_all"),
        "imd": ("fingertips_api",),
        "qof_prevalence": ("qof_prevalence",),
        "nhs_payments": ("nhs_payments",),
    }
    wanted = [layout for ids in sources.values() for layout in ids]
    made = write_publications(tmp_path, world, period="2026-02..2026-03", which=wanted, rows_per_month=4000)
    main = set(made.main)
    study = load_study(
        {
            "schema": 1,
            "title": "Simulated",
            "seed": 1,
            "declared": "2026-04-14",
            "period": "2026-02..2026-03",
            "simulated": True,
            "metrics": ["same_day_share", "dna_share", "urgent_same_day_share"],
            "area": {"kind": "icb", "code": simulate.AREA},
            "reference": {"set": "england", "hierarchy_date": "2026-07-01"},
            "source": [
                {"id": name, "file": [str(path) for layout in ids for path in made.files[layout] if path in main]}
                for name, ids in sources.items()
            ],
        }
    )
    built = build_table(study)
    truth = made.truth["gpad_crosstab"].groupby("practice_code").sum(numeric_only=True)
    outcomes = built.outcomes.set_index(["metric", "practice_code"])
    for metric, part, whole in (
        ("same_day_share", ["same_day"], ["total"]),
        ("dna_share", ["dna"], ["dna", "attended"]),
        ("urgent_same_day_share", ["acute_same_day"], ["acute"]),
    ):
        found = outcomes.loc[metric].reindex(truth.index)
        assert (found["numerator"] == truth[part].sum(axis=1)).all(), metric
        assert (found["denominator"] == truth[whole].sum(axis=1)).all(), metric
    practices = built.practices.set_index("practice_code").reindex(truth.index)
    own = world.practices.set_index("practice_code").reindex(truth.index)
    assert (practices["imd2025"] == own["imd2025_score"]).all()
    assert (practices["qof_dm.numerator"] == own["qof_reg_dm"]).all()
    assert (practices["age_sex.share_65plus"] == made.truth["registered_quinary"]["share_65plus"]).all()
    rural = practices["rurality"].dropna()
    assert (rural == own["rurality"].reindex(rural.index)).all() and len(rural) >= 295
