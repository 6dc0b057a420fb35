"""Reading a letter: what an officer types, as a workbook, as text and in the study; the empty form itself."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pandas as pd
import pytest

from gpvar import catalogue, share
from gpvar.catalogue import letter_form, letters
from gpvar.catalogue.letter_form import KINDS, LISTS, NOTES
from gpvar.catalogue.letter_template import as_written, write_letter
from gpvar.claims import letter_of, read_letter
from gpvar.claims.cells import as_shown
from gpvar.claims.figures import read_figure, read_place, read_tail
from gpvar.claims.months import read_period
from gpvar.errors import StudyError
from gpvar.results import Claim, Figure
from gpvar.starter import new_study
from gpvar.study import load_study
from tests.letters import FIELDS, GOOD, HEADINGS, as_csv, as_xlsx, place, study_of
from tests.support import ROOT

TODAY = dt.date(2026, 11, 22)
OUTLIER = {"template": "An outlier", "practice": "A81001", "metric": "DNA rate"}


def read(path: Path) -> tuple[Claim, ...]:
    return read_letter(path, TODAY)


def one(folder: Path, **changes: object) -> Claim:
    """Read one row: the good one with changes."""
    (claim,) = read(as_csv(folder, {**GOOD, **changes}))
    return claim


# --- the form --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_letter(tmp_path_factory.mktemp("form"))


def cells_and_rules(path: Path) -> dict[str, Any]:
    book = openpyxl.load_workbook(path)
    cells = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    rules = [(r.type, r.formula1, str(r.sqref), r.prompt) for r in book["letter"].data_validations.dataValidation]
    marks = [(str(k.sqref), [r.formula for r in k.rules]) for k in book["letter"].conditional_formatting]
    return {"cells": cells, "rules": rules, "marks": marks}


def test_the_committed_letter_is_what_the_catalogue_writes(form: Path) -> None:
    committed = share.folder("templates") / letter_form.FILE
    again = "python -c 'from pathlib import Path; from gpvar.catalogue.letter_template import write_letter; "
    again += 'write_letter(Path("data/templates"))\''
    assert cells_and_rules(committed) == cells_and_rules(form), f"write it again: {again}"


def test_an_empty_letter_says_nothing_and_is_no_error(form: Path) -> None:
    assert read(form) == ()


def test_the_form_opens_on_an_empty_sheet_with_its_headings_in_the_first_row(form: Path) -> None:
    book = openpyxl.load_workbook(form)
    assert book.sheetnames == ["letter", "examples", KINDS, NOTES, LISTS]
    assert list(book["letter"].iter_rows(values_only=True)) == [tuple(HEADINGS)]
    assert not any(sheet.merged_cells.ranges for sheet in book.worksheets)


def test_every_cell_is_in_arial_and_a_typed_figure_stays_text(form: Path) -> None:
    book = openpyxl.load_workbook(form)
    fonts = {cell.font.name for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert fonts == {"Arial"}
    columns = [book["letter"].column_dimensions[place(field, 1)[:-1]] for field in FIELDS]
    assert {column.number_format for column in columns} == {"@"}
    assert {column.font.name for column in columns} == {"Arial"}


def test_hints_are_as_short_as_excel_allows_and_lists_hold_their_words(form: Path) -> None:
    book = openpyxl.load_workbook(form)
    rules = book["letter"].data_validations.dataValidation
    assert [str(rule.sqref).split(":")[0] for rule in rules] == [place(field) for field in FIELDS]
    for rule in rules:
        assert 0 < len(rule.prompt) <= 255 and 0 < len(rule.promptTitle) <= 32
    lists = {
        field: [cell.value for (cell,) in book[LISTS][rule.formula1.split("!")[1].replace("$", "")]]
        for field, rule in zip(FIELDS, rules, strict=True)
        if rule.type == "list"
    }
    assert lists["template"] == [template.title for template in letters.templates().values()]
    assert lists["metric"] == [card.title for card in catalogue.metrics().values()]
    assert lists["direction"] == ["low", "high"]
    assert all(rule.formula1.startswith(f"{LISTS}!$") for rule in rules if rule.type == "list")


def test_every_word_of_a_drop_down_list_is_understood(tmp_path: Path) -> None:
    for i, template in letters.templates().items():
        assert letter_form.kinds()[letter_form.plain(template.title)] == i
    for name, table in letter_form.words()["comparator"].items():
        assert one(tmp_path, comparator=table["heading"]).comparator == name
    for card in catalogue.metrics().values():
        figure = "10%" if card.kind == "proportion" else "10"
        assert one(tmp_path, metric=card.title, figure=figure).metric == card.id


def test_a_worked_row_of_every_kind_can_be_copied_into_the_letter(form: Path, tmp_path: Path) -> None:
    """The rows of the sheet of examples, pasted as they are, are a letter without fault."""
    book = openpyxl.load_workbook(form)
    for row in book["examples"].iter_rows(min_row=2):
        for cell in row:
            book["letter"].cell(cell.row, cell.column, cell.value)
    book.save(tmp_path / "letter.xlsx")
    claims = read(tmp_path / "letter.xlsx")
    assert [claim.template for claim in claims] == list(letters.templates())
    assert all(claim.text == letters.templates()[claim.template].example for claim in claims)
    assert [claim.id for claim in claims] == [str(number) for number in range(1, len(claims) + 1)]


def test_the_sheet_of_kinds_names_the_columns_that_each_kind_needs(form: Path) -> None:
    rows = list(openpyxl.load_workbook(form)[KINDS].iter_rows(min_row=3, values_only=True))
    assert [row[0] for row in rows] == [template.title for template in letters.templates().values()]
    for row, template in zip(rows, letters.templates().values(), strict=True):
        wanted = [letter_form.columns()[field].heading for field in template.needs]
        assert str(row[2]).split("; ") == (wanted or ["Nothing more"])
        assert row[5] == template.right, "when the board is right stands beside how it is checked"


def test_every_column_that_a_kind_can_need_is_marked_until_it_is_filled(form: Path) -> None:
    marked = {str(area.sqref).split(":")[0] for area in openpyxl.load_workbook(form)["letter"].conditional_formatting}
    wanted = {field for template in letters.templates().values() for field in template.needs}
    assert marked == {place(field) for field in wanted}


def test_an_example_has_what_its_kind_needs_and_the_words_of_the_lists() -> None:
    for template, row in letter_form.examples():
        assert set(template.needs) <= set(row), template.id
        assert set(row) <= set(FIELDS), template.id
        for field in ("metric", "comparator"):
            assert as_written(field, row[field]) if field in row else True


# --- what an officer types -------------------------------------------------------------------------------------------


def test_a_row_becomes_a_claim(tmp_path: Path) -> None:
    row = {**GOOD, "sanction": "An action plan", "support": "A visit", "note": "They rang on Monday"}
    (claim,) = read(as_xlsx(tmp_path, row))
    assert claim == Claim(
        id="1",
        template="tail",
        text=GOOD["text"],
        practice="A81001",
        practice_code="A81001",
        metric="same_day_share",
        metric_written="Same-day share",
        figure=Figure("22.8%", 22.8, 1, True),
        threshold=Figure("10%", 10.0, 0, True),
        comparator="england",
        direction="low",
        period="2025-04..2026-03",
        sanction="An action plan",
        support="A visit",
        note="They rang on Monday",
        where="letter.xlsx, row 2",
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_text_file_says_the_same_as_a_workbook(tmp_path: Path, delimiter: str) -> None:
    rows = (GOOD, {**OUTLIER, "text": 'Called "an outlier", twice; and again'})
    workbook, text = read(as_xlsx(tmp_path, *rows)), read(as_csv(tmp_path, *rows, delimiter=delimiter))
    assert [replace(claim, where="") for claim in text] == [replace(claim, where="") for claim in workbook]
    assert read(as_csv(tmp_path, *rows, headings=FIELDS)) == read(as_csv(tmp_path, *rows))


def test_blank_rows_and_spaces_that_cannot_be_seen_are_skipped(tmp_path: Path) -> None:
    claims = read(as_xlsx(tmp_path, {}, {**GOOD, "figure": "\u00a022.8\u2009%\n"}, {"text": " \u00a0 "}, {}, OUTLIER))
    assert [(claim.id, claim.where) for claim in claims] == [("1", "letter.xlsx, row 3"), ("2", "letter.xlsx, row 6")]
    assert claims[0].figure == Figure("22.8 %", 22.8, 1, True)


def test_rows_above_the_headings_and_a_renamed_sheet_do_no_harm(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path, GOOD)
    book = openpyxl.load_workbook(path)
    book["letter"].insert_rows(1, 2)
    book["letter"]["A1"] = "Letter of 2 November 2026 from the board"
    book["letter"].title = "Our letter"
    book.save(path)
    assert [claim.where for claim in read(path)] == ["letter.xlsx, row 4"]
    for name in ("examples", KINDS, NOTES, LISTS):
        del book[name]
    book.save(path)
    assert [claim.where for claim in read(path)] == ["letter.xlsx, row 4"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("a81001 ", "A81001"),
        ("Densham Surgery (A81001)", "A81001"),
        ("A81001 - Densham", "A81001"),
        ("Mill Hill Surgery", ""),
        ("The Dill", ""),
    ],
)
def test_a_practice_is_a_code_a_name_or_both(tmp_path: Path, written: str, code: str) -> None:
    claim = one(tmp_path, practice=written)
    assert (claim.practice, claim.practice_code) == (written.strip(), code)


@pytest.mark.parametrize(
    ("written", "metric"),
    [
        ("dna_share", "dna_share"),
        ("DNAs", "dna_share"),
        ("DNA %", "dna_share"),
        ("did not attend", "dna_share"),
        ("SAME-DAY SHARE", "same_day_share"),
        ("same-day appointments", "same_day_share"),
        ("A&G share", "ag_share"),
        ("Clinically urgent, same day", "urgent_same_day_share"),
        ("Appointments per 10,000 weighted patients", ""),
        ("Continuity of care", ""),
    ],
)
def test_a_measure_is_known_by_its_names_and_else_kept_as_it_is_written(
    tmp_path: Path, written: str, metric: str
) -> None:
    claim = one(tmp_path, metric=written)
    assert (claim.metric, claim.metric_written) == (metric, written)


def test_a_kind_about_one_measure_needs_not_name_it(tmp_path: Path) -> None:
    row = {"template": "Too few appointments", "practice": "A81001", "figure": "310 per 1,000 patients a month"}
    (claim,) = read(as_xlsx(tmp_path, row))
    assert claim.metric == "appointments_per_1000"
    assert claim.figure == Figure("310 per 1,000 patients a month", 310.0, 0)


@pytest.mark.parametrize(
    ("written", "comparator"),
    [
        ("nationally", "england"),
        ("ICB average", "icb"),
        ("QHM", "icb"),
        ("the board", "icb"),
        ("our ICB", "icb"),
        ("peers", "similar"),
        ("PCN mean", "pcn"),
        ("n/a", ""),
    ],
)
def test_a_comparator_is_known_by_what_people_call_it(tmp_path: Path, written: str, comparator: str) -> None:
    assert one(tmp_path, comparator=written).comparator == comparator


@pytest.mark.parametrize(
    ("written", "side"), [("Below", "low"), ("fell", "low"), ("HIGHER", "high"), ("too high", "high")]
)
def test_a_side_is_known_by_what_people_call_it(tmp_path: Path, written: str, side: str) -> None:
    assert one(tmp_path, direction=written).direction == side


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (0.312, "0.0%", "31.2%"),
        (0.312, "0.00%", "31.2%"),
        (0.312, "0%", "31.2%"),
        (0.3120001234, "0.0%", "31.2%"),
        (0.31, "0.00%", "31%"),
        (1.3, "0%", "130%"),
        (31.2, "General", "31.2"),
        (310, "#,##0", "310"),
        (1234.0, '#,##0.00" patients"', "1234"),
        (0.123456789, "0.00", "0.12"),
        (0.1 + 0.2, "General", "0.3"),
        (7, '0"-fold"', "7"),
    ],
)
def test_a_stored_number_is_read_as_its_cell_shows_it(value: float, number_format: str, shown: str) -> None:
    assert as_shown(value, number_format) == shown


def test_cells_that_excel_made_numbers_and_dates_of_are_read(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path, {**GOOD, "figure": 0.228, "threshold": 0.1, "period": dt.datetime(2025, 4, 1)})
    book = openpyxl.load_workbook(path)
    for field, number_format in (("figure", "0.0%"), ("threshold", "0%"), ("period", "mmm-yy")):
        book["letter"][place(field)].number_format = number_format
    book.save(path)
    (claim,) = read(path)
    assert claim.figure == Figure("22.8%", 22.8, 1, True)
    assert claim.threshold == Figure("10%", 10.0, 0, True)
    assert claim.period == "2025-04"


def test_a_formula_counts_as_what_it_gave_when_the_workbook_was_saved(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path, GOOD)
    book = openpyxl.load_workbook(path)
    book["letter"][place("figure")] = "=0.1+0.128"
    book.save(path)
    _store_result(path, "0.228")
    book = openpyxl.load_workbook(path, data_only=True)
    assert book["letter"][place("figure")].value == 0.228
    with pytest.raises(StudyError, match="fraction or a percentage"):
        read(path)


def _store_result(path: Path, result: str) -> None:
    """Put a stored result beside the one formula of a workbook, as Excel does when it saves."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = (
        parts[sheet]
        .replace(b"</f><v></v>", f"</f><v>{result}</v>".encode())
        .replace(b"</f><v />", f"</f><v>{result}</v>".encode())
    )
    assert f"<v>{result}</v>".encode() in parts[sheet]
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)


@pytest.mark.parametrize(
    ("text", "number", "decimals", "percent"),
    [
        ("31.2%", 31.2, 1, True),
        ("31.20%", 31.2, 2, True),
        ("31 per cent", 31, 0, True),
        ("about 31%", 31, 0, True),
        (".5%", 0.5, 1, True),
        ("(31.2 %)", 31.2, 1, True),
        ("1,234", 1234, 0, False),
        ("3,400 patients for each GP", 3400, 0, False),
        ("31.2% of appointments", 31.2, 1, True),
        ("7-fold", 7, 0, False),
        ("fourfold", 4, 0, False),
        ("−2", -2, 0, False),
    ],
)
def test_a_figure_is_read_with_the_decimals_that_are_printed(
    text: str, number: float, decimals: int, percent: bool
) -> None:
    printed = read_figure(text)
    assert not isinstance(printed, str)
    assert (printed.figure.number, printed.figure.decimals, printed.figure.percent) == (number, decimals, percent)
    assert printed.figure.text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("31,2%", "comma"),
        ("3O%", "letter O"),
        ("30-35%", "more than one number"),
        ("3 of 230", "how many of how many"),
        ("<5", "a limit"),
        ("3,100 per 10,000 patients", "another number than 1,000"),
        ("310 weighted", "'weighted'"),
        ("£3,000", "money"),
        ("1e6", "more than one number"),
        ("rather low", "text stands"),
        ("310 a week", "'week'"),
    ],
)
def test_a_figure_that_is_not_clear_is_not_guessed(text: str, why: str) -> None:
    assert why in str(read_figure(text))


@pytest.mark.parametrize("text", ["above 8%", ">8%", "at least 8%", "8%", "≤ 8 %"])
def test_a_line_may_say_on_which_side_it_is_crossed(text: str) -> None:
    printed = read_figure(text, line=True)
    assert not isinstance(printed, str)
    assert printed.figure.number == 8


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("10%", 10),
        ("lowest tenth", 10),
        ("bottom decile", 10),
        ("quintile", 20),
        ("2.5%", 2.5),
        ("the highest 20%", 20),
    ],
)
def test_a_share_of_practices_may_be_named(text: str, share: float) -> None:
    found = read_tail(text)
    assert isinstance(found, Figure)
    assert (found.number, found.percent) == (share, True)


@pytest.mark.parametrize("text", ["90%", "0%", "0.1", "low", "10th percentile"])
def test_what_is_no_outer_share_of_practices_is_refused(text: str) -> None:
    assert isinstance(read_tail(text), str)


@pytest.mark.parametrize(
    ("text", "found"),
    [("3", (3, None)), ("3rd of 230", (3, 230)), ("6/33", (6, 33)), ("six out of 33 indicators", (6, 33)),
     ("the worst 10 of 230", (10, 230)), ("1,234 of 6,067", (1234, 6067))],
)  # fmt: skip
def test_a_place_may_stand_in_one_cell(text: str, found: tuple[int, int | None]) -> None:
    assert read_place(text) == found


@pytest.mark.parametrize("text", ["3.5", "0", "10%", "third-ish", "3 of 230 of 6"])
def test_what_is_no_whole_number_is_no_place(text: str) -> None:
    assert isinstance(read_place(text), str)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("2025-04..2026-03", "2025-04..2026-03"),
        ("2025-04", "2025-04"),
        ("April 2025", "2025-04"),
        ("Apr-25", "2025-04"),
        ("Sept '25", "2025-09"),
        ("04/2025", "2025-04"),
        ("01/04/2025", "2025-04"),
        ("April to June 2025", "2025-04..2025-06"),
        ("Apr 2025 – Mar 2026", "2025-04..2026-03"),
        ("1 April 2025 to 31 March 2026", "2025-04..2026-03"),
        ("01/04/2025-31/03/2026", "2025-04..2026-03"),
        ("2025/26", "2025-04..2026-03"),
        ("2025-26", "2025-04..2026-03"),
        ("FY 2025/2026", "2025-04..2026-03"),
        ("Q1 2025/26", "2025-04..2025-06"),
        ("2025/26 Q4", "2026-01..2026-03"),
        ("12 months to March 2026", "2025-04..2026-03"),
        ("the year ending 31 March 2026", "2025-04..2026-03"),
        ("three months to June 2025", "2025-04..2025-06"),
    ],
)
def test_a_period_is_read_as_letters_write_it(text: str, months: str) -> None:
    assert read_period(text) == months


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2025", "January or from April"),
        ("Q1 2025", "January or from April"),
        ("April", "its year"),
        ("last month", "the day on which it is read"),
        ("2026/27 year to date", "the day on which it is read"),
        ("15/04/2025", "a day and not months"),
        ("winter", "names no months"),
        ("2026/25", "names no months"),
        ("March 2026 to April 2025", "ends"),
        ("2025-13", "names no months"),
    ],
)
def test_a_period_that_is_not_clear_is_not_guessed(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_period(text)


# --- a study's letter ------------------------------------------------------------------------------------------------


def table_of(**names: str) -> Any:
    """Return as much of a table as is looked at: the first two practices are the area's."""
    frame = pd.DataFrame({"practice_code": list(names), "practice_name": list(names.values())})
    return SimpleNamespace(practices=frame, area_codes=tuple(names)[:2])


def test_a_study_without_a_letter_says_nothing(tmp_path: Path) -> None:
    assert letter_of(study_of(tmp_path)) == ()


def test_a_claim_in_the_study_says_the_same_as_a_row(tmp_path: Path) -> None:
    (row,) = read(as_xlsx(tmp_path, GOOD))
    (claim,) = letter_of(study_of(tmp_path, claim=[{**GOOD, "template": "tail", "threshold": "decile"}]))
    assert claim.where == "the study, [[claim]] 1"
    assert claim.threshold == Figure("decile", 10.0, 0, True)
    assert replace(claim, where="", threshold=None) == replace(row, where="", threshold=None)


def test_numbers_and_dates_of_toml_are_read_as_they_are_written(tmp_path: Path) -> None:
    table = {**OUTLIER, "figure": 8.25, "place": 3, "of": 230, "period": dt.date(2025, 4, 1)}
    (claim,) = letter_of(study_of(tmp_path, claim=[table]))
    assert (claim.figure, claim.place, claim.of, claim.period) == (Figure("8.25", 8.25, 2), 3, 230, "2025-04")


def test_claims_of_the_study_follow_those_of_the_letter(tmp_path: Path) -> None:
    as_xlsx(tmp_path, GOOD)
    claims = letter_of(study_of(tmp_path, letter="letter.xlsx", claim=[OUTLIER]))
    assert [(claim.id, claim.template) for claim in claims] == [("1", "tail"), ("2", "outlier")]


def test_practices_are_found_by_name_in_the_area_first(tmp_path: Path) -> None:
    table = table_of(A81001="The Densham Surgery", A81002="PARK SURGERY", A81003="Park Surgery", A81004="Lakeside")
    names = ["densham", "Park Surgery", "lakeside", "Nowhere Surgery", "A99999"]
    study = study_of(tmp_path, claim=[{**OUTLIER, "practice": name} for name in names])
    claims = letter_of(study, table)
    assert [claim.practice_code for claim in claims] == ["A81001", "A81002", "A81004", "", "A99999"]
    assert [claim.practice for claim in claims] == names
    assert [claim.practice_code for claim in letter_of(study)] == ["", "", "", "", "A99999"]


def test_a_name_that_two_practices_have_is_asked_about(tmp_path: Path) -> None:
    table = table_of(A81001="Park Surgery", A81002="Park Medical Centre")
    study = study_of(tmp_path, claim=[{**OUTLIER, "practice": "Park"}])
    with pytest.raises(StudyError, match=r"2 practices have 'Park'.*A81001.*A81002") as caught:
        letter_of(study, table)
    assert "[[claim]] 1" in caught.value.where and "code" in caught.value.fix


def test_faults_of_the_letter_and_of_the_study_are_said_together(tmp_path: Path) -> None:
    as_xlsx(tmp_path, {**GOOD, "figure": "130%"})
    with pytest.raises(StudyError) as caught:
        letter_of(study_of(tmp_path, letter="letter.xlsx", claim=[{**OUTLIER, "templat": "outlier"}]))
    assert "row 2, Figure (column F): '130%'" in caught.value.problem
    assert "'templat'" in caught.value.problem and "[[claim]] 1" in caught.value.problem


def test_a_new_study_has_an_empty_letter_and_one_that_is_there_is_kept(tmp_path: Path) -> None:
    study = load_study(new_study(tmp_path / "empty", icb="QHM", today=TODAY), complete=False)
    assert study.letter == tmp_path / "empty" / "letter.xlsx"
    assert letter_of(study) == ()
    (tmp_path / "begun").mkdir()
    as_xlsx(tmp_path / "begun", GOOD)
    begun = load_study(new_study(tmp_path / "begun", icb="QHM", today=TODAY), complete=False)
    assert [claim.practice_code for claim in letter_of(begun)] == ["A81001"]


def test_the_claims_on_the_page_are_read(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "letter.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    assert example is not None
    claims = letter_of(study_of(tmp_path, claim=tomllib.loads(example[1])["claim"]))
    assert [claim.template for claim in claims] == ["tail", "fold"]
    assert set(re.findall(r"\w+", text.split("The words are `")[1].split("`")[0])) == set(FIELDS)
