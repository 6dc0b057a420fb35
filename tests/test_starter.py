"""Writing a study from a table and a question, and laying out the demonstration."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import openpyxl
import pytest

from gpvar import share
from gpvar.errors import GpvarError, StudyError
from gpvar.starter import lay_out_demo, new_study
from gpvar.study import load_study
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
    assert len(study.metrics) == 8
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
        }
        sheet.append([values.get(name, 0.2 if str(name).startswith("share") else 5000) for name in names])
    book.save(tmp_path / "ours 2025-26.xlsx")
    study = load_study(new_study(tmp_path / "mine", data=tmp_path / "ours 2025-26.xlsx", practice=["Mill 1"]))
    assert study.sources[0].sheet == sheet.title
    assert len(study.metrics) == 8
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


def test_a_metric_that_the_file_cannot_give_names_what_is_missing(tmp_path: Path) -> None:
    data = tmp_path / "t.csv"
    data.write_text("practice_code,icb_code,dna,attended\nA81001,QHM,1,2\n")
    with pytest.raises(StudyError, match="no columns for 'ag_share'") as caught:
        new_study(tmp_path / "mine", data=data, icb="QHM", metric=["ag_share"])
    assert "referrals_total" in caught.value.fix and "dna_share" in caught.value.fix


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
    with pytest.raises(GpvarError, match="headings and no rows"):
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
