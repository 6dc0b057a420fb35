"""Reading anyone's table: encodings, delimiters, workbooks, wide and long, months, marks."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gpvar.sources import local
from gpvar.sources._parts import SourceTable
from gpvar.sources.files.values import parse_month, parse_numbers
from gpvar.study import SourceSpec, parse_period

YEAR = parse_period("2025-04..2026-03")
COLUMNS: dict[str, Any] = {
    "practice_code": "Practice Code",
    "practice_name": "Name",
    "same_day_share.numerator": "Same Day",
    "same_day_share.denominator": ["Same Day", "Later"],
}
TEXT = "Practice Code,Name,Same Day,Later\nA81001,Café,10,30\nA81002,Mill,5,\n"


def read(path: Path, columns: dict[str, Any] | None = None, **more: Any) -> SourceTable:
    return local.read(SourceSpec(id="local", file=path, columns=columns or COLUMNS, **more), YEAR)


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return path


def counts(table: SourceTable) -> dict[tuple[str, str], float]:
    return {(row.practice_code, row.part): row.value for row in table.counts.itertuples()}


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("cp1252"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace("\n", "\r\n").encode(),
        gzip.compress(TEXT.encode()),
        ("A table of practices\nMade on 1 April\n\n" + TEXT).encode(),
        TEXT.replace("Same Day", " same   day ").encode(),
        TEXT.replace("A81001", " a81001 ").encode(),
        TEXT.rstrip("\n").replace("5,", "5,").encode() + b"\n,,,\n",
    ],
    ids=[
        "utf8",
        "bom",
        "cp1252",
        "utf16",
        "utf16-unmarked",
        "semicolons",
        "tabs",
        "crlf",
        "gzip",
        "title",
        "spaces",
        "lower",
        "blank-row",
    ],
)
def test_the_same_table_is_read_however_it_was_saved(tmp_path: Path, data: bytes) -> None:
    table = read(write(tmp_path / "t.csv", data))
    found = counts(table)
    assert found["A81001", "numerator"] == 10
    assert found["A81001", "denominator"] == 40
    assert table.facts.loc["A81001", "practice_name"] == "Café"
    assert np.isnan(found["A81002", "denominator"]), "a blank part makes the sum missing"


def test_a_workbook_is_read_with_its_calculated_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["A title that stands above"])
    for row in (
        ["Practice Code", "Name", "Same Day", "Later"],
        ["A81001", "Café", 10, 30.0],
        ["A81002", "Mill", 5, None],
    ):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table = read(tmp_path / "t.xlsx")
    assert counts(table)["A81001", "denominator"] == 40
    assert table.provenance[0]["sheet"] == "Sheet"


def test_a_formula_that_gives_an_empty_text_is_a_blank(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Practice Code", "Name", "Same Day", "Later"], ["A81001", "Café", 10, '=IF(1,"",1)']):
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as saved:
        for name in whole.namelist():
            part = whole.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert b'<c r="D2"><f>' in part
                part = part.replace(b'<c r="D2"><f>', b'<c r="D2" t="str"><f>')
            saved.writestr(name, part)
    assert np.isnan(counts(read(tmp_path / "t.xlsx"))["A81001", "denominator"])


def test_provenance_says_what_was_read(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", TEXT + "England,All,15,30\n")
    table = read(path)
    (found,) = table.provenance
    assert (found["file"], found["rows_read"], found["rows_kept"], found["rows_dropped"]) == ("t.csv", 3, 2, 1)
    assert found["bytes"] == path.stat().st_size
    assert len(str(found["sha256"])) == 64
    assert table.not_practices == (("ENGLAND", 4),)


def test_a_long_table_is_read_like_a_wide_one(tmp_path: Path) -> None:
    text = "Practice Code,Name,Measure,Value\nA81001,Café,Same  Day,10\nA81001,Café,Later,30\nA81002,Mill,Same Day,5\n"
    table = read(write(tmp_path / "t.csv", text), layout="long", long={"metric": "Measure", "value": "Value"})
    found = counts(table)
    assert (found["A81001", "numerator"], found["A81001", "denominator"]) == (10, 40)
    assert np.isnan(found["A81002", "denominator"]), "a figure that is not there is missing, not nought"


def test_months_are_summed_and_a_month_with_a_gap_counts_in_neither_part(tmp_path: Path) -> None:
    columns = {**COLUMNS, "period": "Month", "list_size": "List"}
    text = (
        "Practice Code,Name,Month,Same Day,Later,List\n"
        "A81001,x,01APR2025,10,30,1000\nA81001,x,01MAY2025,20,,1500\nA81001,x,Jun-25,5,5,1500\n"
        "A81001,x,2024-04,900,900,1000\n"
    )
    table = read(write(tmp_path / "t.csv", text), columns)
    found = counts(table)
    assert (found["A81001", "numerator"], found["A81001", "denominator"]) == (15, 50)
    assert table.counts["months"].unique().tolist() == [2]
    assert table.facts.loc["A81001", "list_jump_pct"] == pytest.approx(50)
    assert table.provenance[0]["rows_dropped"] == 1


def test_rows_that_are_parts_of_one_figure_are_added_up_when_the_study_says_so(tmp_path: Path) -> None:
    columns = {
        "practice_code": "practice_code",
        "ag_share.numerator": "ag_requests",
        "ag_share.denominator": ["ag_requests", "referrals_total"],
        "ag_claims": "claims_paid",
        "ag_cap": "cap_in_force",
    }
    text = (
        "practice_code,specialty,ag_requests,referrals_total,claims_paid,cap_in_force\n"
        "A81001,Cardiology,10,20,8,20\nA81001,Dermatology,*,30,12,20\nA81002,Cardiology,,5,1,20\nA81002,ENT,4,5,1,20\n"
    )
    table = read(write(tmp_path / "t.csv", text), columns, sum_rows=True)
    top = table.counts[table.counts["part"] == "numerator"].set_index("practice_code")
    assert (top.loc["A81001", "low"], top.loc["A81001", "high"], top.loc["A81001", "hidden"]) == (11, 14, True)
    assert np.isnan(top.loc["A81002", "low"]), "a blank specialty is missing, not nought"
    assert table.facts["ag_claims"].to_dict() == {"A81001": 20, "A81002": 2}
    assert table.facts.loc["A81001", "ag_cap"] == 20


def test_characteristics_come_in_their_own_shapes(tmp_path: Path) -> None:
    columns = {
        **COLUMNS,
        "age_sex": ["65 and over", "85%"],
        "imd2025": "IMD",
        "qof_dm.numerator": "dm",
        "qof_dm.denominator": "list",
        "qof_dep": "depression pct",
        "rurality": "rural",
    }
    text = (
        "Practice Code,Name,Same Day,Later,65 and over,85%,IMD,dm,list,depression pct,rural\n"
        "A81001,x,1,1,0.2,3.0,21.5,*,5000,12.5,Rural\nA81002,y,1,1,0.3,0.5,,300,5000,0.5,\n"
    )
    facts = read(write(tmp_path / "t.csv", text), columns).facts
    assert facts["age_sex.65_and_over"].tolist() == [0.2, 0.3]
    assert facts["age_sex.85%"].tolist() == [0.03, 0.005]
    assert facts["qof_dep"].tolist() == [0.125, 0.005]
    assert np.isnan(facts.loc["A81001", "qof_dm.numerator"])
    assert np.isnan(facts.loc["A81002", "imd2025"])
    assert facts["rurality"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1,234", 1234, 1234),
        ("<10", 0, 9),
        ("≤4", 0, 4),
        ("fewer than 5", 0, 4),
        ("3 to 7", 3, 7),
        ("[c]", 1, 4),
        ("007", 7, 7),
    ],
)
def test_marks_and_separators_are_read_as_people_mean_them(text: str, low: float, high: float) -> None:
    found = parse_numbers(pd.Series([text]))
    assert (found.low[0], found.high[0]) == (low, high)
    assert found.bad == ()


def test_a_mark_of_their_own_can_be_declared_missing() -> None:
    assert parse_numbers(pd.Series(["withheld"])).bad[0].text == "withheld"
    found = parse_numbers(pd.Series(["withheld", "#N/A"]), ("Withheld", "#N/A"))
    assert found.bad == ()
    assert np.isnan(found.value).all() and not found.hidden.any()


def test_a_change_of_minus_97_per_cent_is_a_number_where_numbers_can_be_negative() -> None:
    assert parse_numbers(pd.Series(["-97"]), sentinels=False).value[0] == -97
    assert parse_numbers(pd.Series(["-97"])).hidden[0]


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2025-04", "2025-04"), ("2025-04-01", "2025-04"), ("01/04/2025", "2025-04"), ("01APR2025", "2025-04"),
        ("APR2025", "2025-04"), ("Apr-25", "2025-04"), ("April 2025", "2025-04"), ("2025-04-01 00:00:00", "2025-04"),
        ("1 April 2025", "2025-04"), ("2025-13", None), ("spring", None), ("", None),
    ],
)  # fmt: skip
def test_months_are_read_as_nhs_files_write_them(text: str, month: str | None) -> None:
    assert parse_month(text) == month


def test_a_list_of_practices_is_found_by_what_it_holds(tmp_path: Path) -> None:
    path = write(
        tmp_path / "ours.csv", "Name,PCN,Surgery\nMill,U12345,a81001\nForge,U12345,A81002 \nMill,U12345,A81001\n"
    )
    codes, provenance = local.read_codes(path)
    assert codes == ("A81001", "A81002")
    assert (provenance["rows_read"], provenance["rows_dropped"]) == (3, 1)
    book = openpyxl.Workbook()
    book.active.append(["What this is"])
    book.create_sheet("List").append(["A81002"])
    book.save(tmp_path / "ours.xlsx")
    assert local.read_codes(tmp_path / "ours.xlsx")[0] == ("A81002",)
    bare = write(tmp_path / "bare.csv", "A81001\nA81002\n")
    assert local.read_codes(bare)[0] == ("A81001", "A81002")
