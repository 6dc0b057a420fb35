"""Writing a study from a table and a question, and laying out the demonstration."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gpvar import catalogue, cli, share
from gpvar.errors import GpvarError, StudyError
from gpvar.organisations import find_practice
from gpvar.starter import describe, lay_out_demo, new_study
from gpvar.study import Period, load_study
from gpvar.table import build_table
from tests.support import shared

DEMO = share.folder("demo") / "practices_2025_26.csv"
TODAY = dt.date(2026, 11, 22)


def test_a_study_of_the_real_table_is_written_from_names(tmp_path: Path) -> None:
    data = shared("data", "joined", "england_2025_26.csv.gz")
    path = new_study(tmp_path / "mine", data=data, practice=["Densham"], icb="North East", metric=["same_day_share"])
    study = load_study(path)
    assert (study.area.code, study.area.practices, study.metrics) == ("QHM", ("A81001",), ("same_day_share",))
    assert study.period.label == "April 2025 to March 2026"
    columns = study.sources[0].columns
    assert columns["icb_code"] == "icb_code_2024"
    assert "icb_name" not in columns, "names of 2026 do not go with codes of 2024"
    assert study.sources[0].dates["qof_dm"] == "2025-03"
    assert study.simulated is False
    table = build_table(study)
    assert len(table.area_codes) == 331
    assert table.dropped == {}


def test_a_board_of_april_2026_is_taken_from_the_column_that_has_it(tmp_path: Path) -> None:
    data = shared("data", "joined", "england_2025_26.csv.gz")
    study = load_study(new_study(tmp_path / "mine", data=data, icb="NHS Essex", metric=["dna_share"]))
    assert study.area.code == "D7T5G"
    assert len(build_table(study).area_codes) > 150


def test_an_ambiguous_board_is_answered_with_a_list_and_nothing_is_written(tmp_path: Path) -> None:
    data = shared("data", "joined", "england_2025_26.csv.gz")
    with pytest.raises(StudyError, match=r"4 boards are called 'North East': QHM .*QMF") as caught:
        new_study(tmp_path / "mine", data=data, icb="North East")
    assert caught.value.fix
    assert not (tmp_path / "mine").exists()


def test_every_heading_of_the_demonstration_is_known(tmp_path: Path) -> None:
    study = load_study(new_study(tmp_path / "mine", data=DEMO, practice=["Copper Heron"], today=TODAY))
    shown = load_study(share.folder("demo"))
    assert study.simulated is True
    assert set(study.sources[0].columns) >= set(shown.sources[0].columns)
    for name, heading in shown.sources[0].columns.items():
        assert study.sources[0].columns[name] == heading
    assert len(study.metrics) == 9
    assert study.area.code == shown.area.code
    assert study.declared == TODAY


def test_a_filled_in_template_needs_no_further_mapping(tmp_path: Path) -> None:
    shutil.copyfile(share.folder("templates") / "practice-table.xlsx", tmp_path / "ours 2025-26.xlsx")
    book = openpyxl.load_workbook(tmp_path / "ours 2025-26.xlsx")
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[1]]
    for row in range(3):
        values = {
            "practice_code": f"A8100{row}",
            "practice_name": f"Mill {row}",
            "icb_code": "QHM",
            "pcn_code": "U00001",
            "imd2025_score": 20,
        }
        sheet.append([values.get(name, 0.2 if str(name).startswith("share") else 5000) for name in names])
    book.save(tmp_path / "ours 2025-26.xlsx")
    study = load_study(new_study(tmp_path / "mine", data=tmp_path / "ours 2025-26.xlsx", practice=["Mill 1"]))
    assert study.sources[0].sheet == sheet.title
    assert len(study.metrics) == len(catalogue.metrics())
    assert len(build_table(study).practices) == 3


def test_headings_of_another_style_are_known(tmp_path: Path) -> None:
    data = tmp_path / "export.csv"
    data.write_text(
        "GP Code,GP Name,ICB Code,List Size,Same Day,1 Day,2 to 7 Days,8  to 14 Days,15  to 21 Days,22  to 28 Days,"
        "More than 28 Days,Unknown / Data Quality\nA81001,Mill,QHM,5000,1,2,3,4,5,6,7,8\n",
        encoding="utf-8",
    )
    study = load_study(new_study(tmp_path / "mine", data=data, practice=["mill"], today=TODAY))
    assert set(study.metrics) == {"same_day_share", "within_14_days_share", "appointments_per_1000"}
    assert study.period.label == "April 2025 to March 2026"
    assert "CHECK THIS" in (tmp_path / "mine" / "study.toml").read_text(encoding="utf-8")
    table = build_table(study)
    shares = table.outcomes.set_index("metric")
    assert shares.loc["same_day_share", ["numerator", "denominator"]].tolist() == [1, 36]
    assert shares.loc["within_14_days_share", ["numerator", "denominator"]].tolist() == [10, 28]
    assert shares.loc["appointments_per_1000", "denominator"] == 60000


def test_a_list_of_practices_is_an_area(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("code\nX14474\nX14509\n")
    study = load_study(new_study(tmp_path / "mine", data=DEMO, list_file=tmp_path / "ours.csv", metric=["dna_share"]))
    assert study.area.kind == "list"
    assert build_table(study).area_codes == ("X14474", "X14509")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Whom is the study about"),
        ({"practice": ["Nowhere Surgery"]}, "Nowhere Surgery"),
        ({"icb": "Atlantis"}, "Atlantis"),
        ({"icb": "QZ4", "metric": ["same_day"]}, "same_day"),
        ({"icb": "QZ4", "practice": ["X10001"]}, "not in the board or list"),
    ],
)
def test_what_cannot_be_found_is_said_and_nothing_is_written(tmp_path: Path, options: dict, words: str) -> None:
    with pytest.raises(GpvarError, match=words) as caught:
        new_study(tmp_path / "mine", data=DEMO, **options)
    assert caught.value.fix
    assert not (tmp_path / "mine").exists()


OWN = "Practice Code,Practice,ICB,Same Day,Total Appts,List size,IMD\nA81001,Densham,QHM,4,10,5000,20\n"


def own(tmp_path: Path, text: str, **options: Any) -> Path:
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    return new_study(tmp_path / "mine", data=tmp_path / "own.csv", today=TODAY, **{"practice": ["Densham"], **options})


def test_headings_of_ones_own_are_understood_and_said(tmp_path: Path) -> None:
    path = own(tmp_path, OWN, metric=["SAME_DAY_SHARE"])
    columns = load_study(path).sources[0].columns
    assert columns["same_day_share.denominator"] == "Total Appts"
    assert (columns["list_size"], columns["imd2025"]) == ("List size", "IMD")
    said = "\n".join(describe(path))
    assert "same_day_share.denominator = 'Total Appts'" in said
    assert "Every heading of the file is used." in said
    assert "does not say whether this is the score of 2025 or of 2019" in said
    assert "Not allowed for, because no heading of the file is known to hold it: age and sex" in said
    assert "Read: 1 practice, of which 1 in the area" in said


def test_what_no_heading_gives_away_is_left_to_be_filled_in(tmp_path: Path) -> None:
    path = own(tmp_path, OWN.replace("Same Day", "Sm dy"), metric=["same_day_share"])
    assert '"same_day_share.numerator" = "FILL IN"' in path.read_text(encoding="utf-8")
    assert "perhaps 'Sm dy'" in path.read_text(encoding="utf-8")
    assert any("1 place is still to be filled in: same_day_share.numerator" in line for line in describe(path))
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert caught.value.problem == "1 place is still to be filled in: same_day_share.numerator."
    assert str(caught.value).count("\n") == 2
    path.write_text(path.read_text(encoding="utf-8").replace("FILL IN", "Sm dy"), encoding="utf-8")
    assert len(build_table(load_study(path)).practices) == 1


def test_of_two_headings_that_would_do_neither_is_taken(tmp_path: Path) -> None:
    path = own(tmp_path, OWN.replace("IMD", "Total").replace(",20", ",30"), metric=["same_day_share"])
    text = path.read_text(encoding="utf-8")
    assert '"same_day_share.denominator" = "FILL IN"' in text
    assert "perhaps 'Total Appts' or 'Total'" in text


def test_a_table_without_names_or_boards_still_gives_a_study(tmp_path: Path) -> None:
    text = "Ref,Same Day,Total Appts\nA81001,4,10\nA81002,4,10\n"
    path = own(tmp_path, text, icb="North Cumbria", metric=["same_day_share"])
    with pytest.raises(StudyError, match="practices, icb_code"):
        load_study(path)
    assert 'code = "QHM"' in path.read_text(encoding="utf-8")
    assert "practice_code = 'Ref'" in describe(path)[0]


def test_characteristics_without_a_date_are_said(tmp_path: Path) -> None:
    text = "Practice code,Number of patients,Same day,Total appointments,gp_fte,admin_fte\nX10001,9000,50,100,4.5,9\n"
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    made = new_study(tmp_path / "mine", data=tmp_path / "own.csv", practice=["X10001"], period="2025-04..2026-03")
    assert "The date of gp_fte and admin_fte is not known: write it in study.toml." in describe(made)
    dated = (
        made.read_text(encoding="utf-8")
        .replace('# gp_fte = "', 'gp_fte = "')
        .replace('# admin_fte = "', 'admin_fte = "')
    )
    made.write_text(dated, encoding="utf-8")
    assert not any("The date of" in said for said in describe(made))


def test_a_practice_of_a_common_name_is_told_apart_by_what_the_command_can_be_given(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="have 'surgery' in their name") as caught:
        new_study(tmp_path / "mine", data=DEMO, practice=["surgery"])
    assert caught.value.fix == "Give the code of the one you mean, or name its board as well, with --icb."
    practices = build_table(load_study(share.folder("demo"))).practices
    with pytest.raises(StudyError) as caught:
        find_practice(practices, "surgery")
    assert caught.value.fix == "Give the code of the one you mean."


def test_without_any_characteristic_raw_figures_are_announced(tmp_path: Path) -> None:
    path = own(tmp_path, "practice_code,practice_name,icb_code,dna,attended\nA81001,Densham,QHM,1,2\n")
    assert load_study(path).metrics == ("dna_share",)
    assert any(line.startswith("Raw figures only, for lack of age and sex, deprivation") for line in describe(path))


def test_values_that_cannot_be_used_are_a_warning_and_not_an_end(tmp_path: Path) -> None:
    path = own(tmp_path, OWN.replace(",4,", ",many,"), metric=["same_day_share"])
    assert any("cannot be used yet" in line and "'many'" in line for line in describe(path))


def test_shares_by_age_are_taken_and_numbers_of_patients_are_not(tmp_path: Path) -> None:
    share_of = own(tmp_path, OWN.replace("IMD", "65+").replace(",20", ",18.5"), metric=["same_day_share"])
    assert load_study(share_of).sources[0].columns["age_sex"] == ["65+"]
    share_of.unlink()
    numbers = own(tmp_path, OWN.replace("IMD", "65+").replace(",20", ",900"), metric=["same_day_share"])
    assert "age_sex" not in load_study(numbers).sources[0].columns


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": ["dna_share,same_day_share"]}, "--metric dna_share --metric same_day_share"),
        ({"data": "nowhere.csv"}, "orrect --data"),
        ({"sheet": "Sheet1"}, "Leave --sheet out"),
        ({"icb": "QZ4", "list_file": "list.csv"}, "Choose one of --icb and --list"),
        ({"list_file": "nowhere.csv"}, "orrect --list"),
    ],
)
def test_messages_name_the_option_and_no_study_is_left(tmp_path: Path, options: dict, words: str) -> None:
    (tmp_path / "list.csv").write_text("X14474\n")
    paths = {name: tmp_path / options[name] for name in ("data", "list_file") if name in options}
    with pytest.raises(GpvarError) as caught:
        new_study(tmp_path / "mine", **{"data": DEMO, "practice": ["X14474"], **options, **paths})
    assert words in str(caught.value) and "study file" not in str(caught.value)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("board", ["Z9B2Z", "by name"])
def test_a_board_by_code_and_by_name_gives_one_study(tmp_path: Path, board: str) -> None:
    data = shared("data", "joined", "england_2025_26.csv.gz")
    name = catalogue.icbs()["Z9B2Z"].name if board == "by name" else board
    path = new_study(tmp_path / "mine", data=data, icb=name, metric=["same_day_share"])
    study = load_study(path)
    assert (study.area.code, study.sources[0].columns["icb_code"]) == ("Z9B2Z", "icb_code_2024")
    assert study.reference.hierarchy_date == dt.date(2026, 3, 31)
    table = build_table(study)
    assert len(table.area_codes) == 502
    assert table.gates.query("gate == 'hierarchy_date'")["state"].tolist() == ["passed"]
    assert any("'icb_code_2024': codes in force on 31 March 2026" in line for line in describe(path))


def test_the_days_of_an_extract_are_its_period_and_the_list_is_asked_for(tmp_path: Path) -> None:
    text = (
        "period_start,period_end,practice_code,specialty,platform,ag_requests,referrals_total\n"
        "2025-04-01,2025-12-31,A81001,All,All,41,180\n"
    )
    path = own(tmp_path, text, practice=["A81001"], icb="QHM", metric=["ag_requests_per_1000"])
    content = path.read_text(encoding="utf-8")
    assert 'period   = "2025-04..2025-12"' in content
    assert content.count("[[source]]") == 2
    assert any("file (a table that has what the first file lacks), practice_code" in line for line in describe(path))
    with pytest.raises(StudyError, match="list_size"):
        load_study(path)
    path.unlink()
    assert load_study(own(tmp_path, text, practice=["A81001"], metric=["ag_share"])).period.months == 9


def test_a_study_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("# mine\n")
    for data in (DEMO, None):
        with pytest.raises(StudyError, match="already"):
            new_study(tmp_path, data=data, icb="QZ4")
    with pytest.raises(StudyError, match="would be written over"):
        lay_out_demo(tmp_path)
    assert (tmp_path / "study.toml").read_text() == "# mine\n"


def test_the_demonstration_is_not_laid_out_among_files_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(StudyError, match="would be written over"):
        lay_out_demo(tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_without_data_a_study_to_fill_in_comes_with_templates(tmp_path: Path) -> None:
    path = new_study(tmp_path / "mine", metric=["dna_share"], today=TODAY)
    assert load_study(path).metrics == ("dna_share",)
    assert {item.name for item in path.parent.iterdir()} >= {"study.toml", "practice-table.xlsx", "ag_extract.xlsx"}
    with pytest.raises(GpvarError, match=r"no rows.\n.*practice-table.xlsx, sheet practice-table"):
        build_table(load_study(path))


def test_names_that_are_code_elsewhere_leave_the_study_file_whole(tmp_path: Path) -> None:
    data = tmp_path / 'a "table" 2025-26.csv'
    try:
        data.write_text("practice_code,practice_name,icb_code,dna,attended\n", encoding="utf-8")
    except OSError:
        pytest.skip("this system allows no quotation marks in file names")
    name = 'x\\"\n[area] <script>'
    data.write_text(
        f'practice_code,practice_name,icb_code,dna,attended\nA81001,"{name.replace(chr(34), chr(34) * 2)}",QHM,1,2\n',
        encoding="utf-8",
    )
    study = load_study(new_study(tmp_path / "mine", data=data, practice=["A81001"]))
    assert study.area.code == "QHM"
    assert study.sources[0].file.resolve() == data.resolve()


def test_the_demonstration_is_laid_out_twice_without_harm(tmp_path: Path) -> None:
    path = lay_out_demo(tmp_path / "demo")
    (tmp_path / "demo" / "results").mkdir()
    assert lay_out_demo(tmp_path / "demo") == path
    assert (tmp_path / "demo" / "results").is_dir()
    assert load_study(path).simulated is True


# --- a second table, of other months ----------------------------------------------------------------------------------

APRIL = share.folder("demo") / "april_2025.csv"


def test_a_second_table_with_one_month_becomes_a_source_of_that_month(tmp_path: Path) -> None:
    study = load_study(new_study(tmp_path / "mine", data=DEMO, also=[APRIL], practice=["Copper Heron"], today=TODAY))
    shown = load_study(share.folder("demo"))
    (month,) = study.period_sources
    assert (month.period, month.file) == (Period("2025-04", "2025-04"), APRIL)
    assert month.columns == shown.period_sources[0].columns
    said = " ".join(describe(tmp_path / "mine" / "study.toml"))
    assert "April 2025 was read too: 1,200 practices" in said


def test_april_of_england_is_known_by_its_headings(tmp_path: Path) -> None:
    year, april = (
        shared("data", "joined", name) for name in ("england_2025_26.csv.gz", "appointments_april_2025_wide.csv.gz")
    )
    study = load_study(new_study(tmp_path / "mine", data=year, also=[april], practice=["A81001"]))
    (month,) = study.period_sources
    assert month.period == Period("2025-04", "2025-04")
    assert month.columns["same_day_share.numerator"] == "Same Day"
    assert len(month.columns["same_day_share.denominator"]) == 8
    assert "dna_share.numerator" not in month.columns and "icb_code" not in month.columns


def test_a_second_table_of_several_months_has_them_all(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text(
        "code,month,same_day,total\nX14474,Jan-25,1,2\nX14474,Mar-25,1,2\n", encoding="utf-8"
    )
    made = new_study(tmp_path / "mine", data=DEMO, also=[tmp_path / "q.csv"], practice=["X14474"])
    assert load_study(made).period_sources[0].period == Period("2025-01", "2025-03")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,same_day,total\nX14474,1,2\n", "does not say of which months"),
        ("code,month,cups_of_tea\nX14474,2025-04,3\n", "No heading of the file is known to hold counts"),
        ("code,month,dna\nX14474,2025-04,3\n", "No heading of the file is known to hold counts"),
        ("code,month,same_day,total\nX14474,2025-04,1,2\nX14474,2026-03,1,2\n", "study's own months"),
    ],
)
def test_a_second_table_that_cannot_be_used_is_refused_and_nothing_is_written(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=said) as caught:
        new_study(tmp_path / "mine", data=DEMO, also=[tmp_path / "other.csv"], practice=["X14474"])
    assert caught.value.where == "--data other.csv" and caught.value.fix
    assert not (tmp_path / "mine").exists()


def test_the_same_months_from_two_files_are_refused_before_there_is_a_study(tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    shutil.copyfile(APRIL, again)
    with pytest.raises(StudyError, match="The same months come from two files: give --data once for each") as caught:
        new_study(tmp_path / "mine", data=DEMO, also=[APRIL, again], practice=["X14474"])
    assert caught.value.where == "--data april_2025.csv --data again.csv (April 2025)"
    assert "[[source]]" not in str(caught.value) and not (tmp_path / "mine").exists()


def test_a_table_of_other_months_needs_a_table_of_the_studys_own(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="stands beside a table"):
        new_study(tmp_path / "mine", also=[APRIL], icb="QHM")


def test_data_may_be_given_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["new", str(tmp_path / "mine"), "--data", str(DEMO), "--data", str(APRIL), "--practice", "X14474"]
    assert cli.main(words) == cli.DONE
    assert "April 2025 was read too" in capsys.readouterr().out
