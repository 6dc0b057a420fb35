"""The spreadsheets to fill in: what they hold, and that the committed files are what the catalogue says."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import openpyxl
import pytest

from gpvar import catalogue, share
from gpvar.catalogue.templates import DICTIONARY, NOTES, templates, write_templates

NAMES = [template["file"] for template in templates().values()]


def sheets(path: Path) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    write_templates(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_workbook_is_what_the_catalogue_writes(name: str, written: Path) -> None:
    assert sheets(share.folder("templates") / f"{name}.xlsx") == sheets(written / f"{name}.xlsx")


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_csv_is_what_the_catalogue_writes(name: str, written: Path) -> None:
    committed = (share.folder("templates") / f"{name}.csv").read_text(encoding="utf-8-sig")
    assert committed == (written / f"{name}.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("template", templates().values(), ids=NAMES)
def test_a_workbook_opens_on_a_data_sheet_with_headings_in_the_first_row(template: dict, written: Path) -> None:
    found = sheets(written / f"{template['file']}.xlsx")
    names = [column["name"] for column in template["column"]]
    assert list(found) == [template["file"], DICTIONARY, NOTES]
    assert found[template["file"]] == [tuple(names)]
    with (written / f"{template['file']}.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [names]


@pytest.mark.parametrize("template", templates().values(), ids=NAMES)
def test_the_dictionary_explains_every_column_and_leaves_no_cell_blank(template: dict, written: Path) -> None:
    rows = sheets(written / f"{template['file']}.xlsx")[DICTIONARY]
    assert rows[0][0] == f"{template['title']}: what each column means"
    assert rows[2] == ("Column", "Type", "Unit", "Needed", "Meaning", "Example")
    assert [row[0] for row in rows[3:]] == [column["name"] for column in template["column"]]
    assert all(cell not in (None, "") for row in rows[2:] for cell in row)


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_is_merged_and_codes_and_dates_stay_text(name: str, written: Path) -> None:
    book = openpyxl.load_workbook(written / f"{name}.xlsx")
    assert not any(sheet.merged_cells.ranges for sheet in book.worksheets)
    data = book.worksheets[0]
    columns = next(item for item in templates().values() if item["file"] == name)["column"]
    for number, column in enumerate(columns, start=1):
        format_ = data.column_dimensions[openpyxl.utils.get_column_letter(number)].number_format
        assert (format_ == "@") == (column["type"] in ("code", "date", "text")), column["name"]


def test_the_advice_and_guidance_extract_asks_for_what_the_cards_need() -> None:
    names = {column["name"] for column in templates()["ag_extract"]["column"]}
    assert {"practice_code", "platform", "ag_requests", "referrals_total", "cap_in_force", "claims_paid"} <= names
    text = " ".join(templates()["ag_extract"]["notes"])
    assert "never read as nought" in text and "hidden because it is small" in text


def test_every_heading_of_the_practice_table_is_a_heading_of_the_demonstration() -> None:
    with (share.folder("demo") / "practices_2025_26.csv").open(encoding="utf-8", newline="") as file:
        known = set(next(csv.reader(file)))
    # Routine appointments are simulated in the published layout alone, by category and interval.
    routine = {f"gpad_annual_routine{end}" for end in ("", "_within_7_days", "_within_14_days")}
    assert {column["name"] for column in templates()["practice_table"]["column"]} - known == routine


def test_every_metric_can_be_made_from_the_practice_table_by_the_headings_that_are_known() -> None:
    known = tomllib.loads((Path(catalogue.__file__).parent / "headers.toml").read_text(encoding="utf-8"))
    names = {column["name"] for column in templates()["practice_table"]["column"]}
    assert set(known["figures"]) == set(catalogue.metrics())
    for metric, counts in known["figures"].items():
        for count in counts:
            assert any(set(headings) <= names for headings in known["counts"][count]), (metric, count)
