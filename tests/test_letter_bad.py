"""Letters with faults: each is said in three lines, with its row, its column and what to do; none is passed over."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpvar.catalogue import letters
from gpvar.claims import letter_of, read_letter
from gpvar.claims.cells import MAX_ROWS, Cell, Row, tidy
from gpvar.claims.entries import read_entry
from gpvar.errors import StudyError
from gpvar.problems import Problems
from tests.letters import FIELDS, GOOD, HEADINGS, as_csv, as_xlsx, place, study_of

TODAY = dt.date(2026, 11, 22)


def refused(path: Path, *words: str) -> StudyError:
    """Check that a letter is refused in three lines that hold every word."""
    with pytest.raises(StudyError) as caught:
        read_letter(path, TODAY)
    error = caught.value
    assert error.problem and error.where and error.fix
    assert str(path.name) in error.where
    for word in words:
        assert word in str(error), str(error)
    return error


# --- cells -----------------------------------------------------------------------------------------------------------

CELLS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "a share of 130 %": ({"figure": "130%"}, ("Figure (column F): '130%'", "more than 100%")),
    "a comparator's share of 130 %": ({"comparator_figure": "130%"}, ("Figure compared with", "more than 100%")),
    "a share below nought": ({"figure": "-3%"}, ("below nought", "Low or high")),
    "a fraction or a percentage": ({"figure": "0.228"}, ("'0.228'", "Write 22.8% or 0.228%")),
    "a decimal comma": ({"figure": "22,8%"}, ("comma may stand for thousands",)),
    "the letter O": ({"figure": "2O%"}, ("letter O",)),
    "two figures in one cell": ({"figure": "22.8% (ICB 31%)"}, ("more than one number",)),
    "a range": ({"figure": "20-25%"}, ("more than one number",)),
    "3 of 230 under Figure": ({"figure": "3 of 230"}, ("how many of how many", "Place or number")),
    "a hidden count": ({"figure": "<5"}, ("a limit and not a figure",)),
    "words": ({"figure": "well below average"}, ("text stands where a number is needed", "such as 31.2%")),
    "a fold for a share": ({"figure": "3-fold"}, ("how many times",)),
    "a percentage for a rate": (
        {"metric": "Appointments per 1,000 patients a month", "figure": "5%"},
        ("appointments per 1,000 patients a month", "percentage"),
    ),
    "another denominator": (
        {"metric": "Appointments per 1,000 patients a month", "figure": "3,100 per 10,000 weighted"},
        ("another number than 1,000",),
    ),
    "a tail of 90 %": ({"threshold": "90%"}, ("at most 50%",)),
    "a tail of 150 %": ({"threshold": "150%"}, ("Threshold (column J): '150%'", "at most 50%", "Write it as 10%")),
    "a tail of 100 %": ({"threshold": "100%"}, ("at most 50%",)),
    "a tail of nobody": ({"threshold": "0%"}, ("more than 0%",)),
    "a tail below nought": ({"threshold": "-10%"}, ("more than 0%",)),
    "a red that all are": (
        {"template": "Red on several of many indicators", "place": "6", "of": "33", "threshold": "120%"},
        ("share of practices", "at most 50%"),
    ),
    "a period in the future": ({"period": "2026/27"}, ("ends in the future", "'2026/27'", "Period (column G)")),
    "next month": ({"period": "December 2026"}, ("ends in the future",)),
    "a year alone": ({"period": "2025"}, ("January or from April", "2025/26")),
    "a month without a year": ({"period": "April"}, ("needs its year",)),
    "a season": ({"period": "winter 2025"}, ("names no months",)),
    "an earlier period that is later": (
        {"period": "2024/25", "period_before": "2025/26"},
        ("does not lie before", "Earlier period"),
    ),
    "no kind": ({"template": ""}, ("kind of sentence is not chosen", "Kind of sentence")),
    "a kind misspelt": ({"template": "An outlyer"}, ("'An outlyer'", "Did you mean 'An outlier'")),
    "a kind of one's own": ({"template": "Failing to engage"}, ("no kind of sentence called", "the sheet 'kinds'")),
    "no measure": ({"metric": ""}, ("needs 'Measure'", "row 2")),
    "no practice": ({"practice": " "}, ("needs 'Practice'",)),
    "nothing but the kind": (
        {field: "" for field in FIELDS if field != "template"},
        ("needs 'Practice', 'Measure', 'Low or high'", "Fill them in"),
    ),
    "a code cut short": ({"practice": "A8100"}, ("'A8100'", "a letter and five digits")),
    "the letter O in a code": ({"practice": "A81OO1"}, ("Is it A81001?",)),
    "the letter l in a code": ({"practice": "A8100l"}, ("Is it A81001?",)),
    "a code in two parts": ({"practice": "A 81001"}, ("Is it A81001?",)),
    "the code of a branch": ({"practice": "A81001001"}, ("cannot be a practice code",)),
    "the code of a network": ({"practice": "U25131"}, ("code of a network",)),
    "the code of a board": ({"practice": "QHM"}, ("code of a board",)),
    "two practices": ({"practice": "A81001, A81002"}, ("2 practices stand in one cell", "one row for each")),
    "worst for low or high": ({"direction": "worst"}, ("does not say whether the figure is low or high",)),
    "neither low nor high": ({"direction": "sideways"}, ("neither low nor high",)),
    "an unknown comparator": ({"comparator": "our neighbours"}, ("with whom this compares", "Similar practices")),
    "a low figure above the average": (
        {"template": "Below (or above) the average", "figure": "32%", "comparator_figure": "30%", "threshold": ""},
        ("on the other side of 'Figure compared with' (30%)",),
    ),
    "a rise that fell": (
        {"template": "Fell or rose between two periods", "direction": "high", "figure": "9%", "figure_before": "12%"},
        ("on the other side of 'Earlier figure'",),
    ),
    "a target that is met": (
        {"template": "Not meeting a target", "direction": "", "figure": "92%", "threshold": "90%"},
        ("on the other side of 'Threshold' (90%)",),
    ),
    "a low user who is high": (
        {"template": "A low user of advice and guidance", "metric": "A&G share", "direction": "high", "figure": "60%"},
        ("is about a low figure",),
    ),
    "230th of 3": (
        {"template": "A place in a league table", "place": "230", "of": "3"},
        ("230 out of 3 cannot be", "Place or number"),
    ),
    "a place of a half": ({"template": "A place in a league table", "place": "3.5", "of": "230"}, ("whole number",)),
    "out of how many, twice": (
        {"template": "A place in a league table", "place": "3 of 230", "of": "33"},
        ("so does the other cell",),
    ),
    "a fold that is a share": (
        {"template": "Several-fold variation across the area, so unwarranted", "figure": "70%"},
        ("how many times", "7-fold"),
    ),
    "a gain in per cent": (
        {"template": "The gain if all reached the best fifth", "figure": "9%"},
        ("number a week is needed",),
    ),
    "the whole letter in a cell": ({"text": "Dear colleagues. " * 200}, ("whole letter", "one sentence to a row")),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_that_cannot_be_so_is_named_with_its_row_and_what_to_do(name: str, tmp_path: Path) -> None:
    changes, words = CELLS[name]
    error = refused(as_csv(tmp_path, {**GOOD, **changes}), "row 2", *words)
    assert "\n  - " not in error.problem, "one fault is said once"


def test_the_row_without_the_fault_is_read(tmp_path: Path) -> None:
    assert len(read_letter(as_csv(tmp_path, GOOD), TODAY)) == 1


def test_free_text_in_every_cell_is_answered_cell_by_cell(tmp_path: Path) -> None:
    error = refused(as_xlsx(tmp_path, dict.fromkeys(FIELDS, "see attached")), "11 things need mending")
    for field, heading in zip(FIELDS, HEADINGS, strict=True):
        # Prose, a practice's name and a measure of the letter's own can be anything.
        free = field in ("text", "practice", "metric", "sanction", "support", "note")
        assert (f"{heading} (column " in error.problem) != free, field


def test_faults_of_all_rows_are_said_at_once(tmp_path: Path) -> None:
    rows = [{**GOOD, "practice": f"A810{n:02d}", "figure": "130%", "period": "2026/27"} for n in range(1, 4)]
    error = refused(as_xlsx(tmp_path, *rows), "6 things need mending", "Mend them all")
    for row in (2, 3, 4):
        assert error.problem.count(f"row {row}, ") == 2


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({}, ("Two rows say the same", "row 2 and row 3")),
        ({"note": "again"}, ("Two rows say the same",)),
        ({"direction": "high"}, ("contradict each other", "row 2 and row 3")),
        ({"figure": "25%"}, ("contradict each other", "give each its period")),
    ],
)
def test_rows_that_say_the_same_or_cannot_both_be_so(second: dict, words: tuple[str, ...], tmp_path: Path) -> None:
    refused(as_csv(tmp_path, GOOD, {**GOOD, **second}), *words)


@pytest.mark.parametrize(
    "second",
    [{"figure": "23%"}, {"figure": "25%", "period": "2024/25"}, {"practice": "A81002"}, {"metric": "DNA rate"}],
    ids=["rounded", "another period", "another practice", "another measure"],
)
def test_rows_that_can_both_be_so_are_both_read(second: dict, tmp_path: Path) -> None:
    assert len(read_letter(as_csv(tmp_path, GOOD, {**GOOD, **second}), TODAY)) == 2


# --- sheets ----------------------------------------------------------------------------------------------------------


def changed(path: Path, change: Callable[[openpyxl.Workbook], None]) -> Path:
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return path


def merge(book: openpyxl.Workbook) -> None:
    book["letter"].merge_cells("C2:C3")


def formula(book: openpyxl.Workbook) -> None:
    book["letter"][place("figure")] = "=F3*2"


def failed(book: openpyxl.Workbook) -> None:
    book["letter"][place("figure")] = "#REF!"


def april_25(book: openpyxl.Workbook) -> None:
    # "Apr 25" typed into a cell that is no text.
    book["letter"][place("period")] = dt.datetime(2026, 4, 25)
    book["letter"][place("period")].number_format = "d-mmm"


def a_day(book: openpyxl.Workbook) -> None:
    book["letter"][place("period")] = dt.datetime(2025, 11, 12)


def date_for_figure(book: openpyxl.Workbook) -> None:
    book["letter"][place("figure")] = dt.datetime(2026, 4, 3)


def date_for_place(book: openpyxl.Workbook) -> None:
    # "6/12" typed into a cell that is no text.
    book["letter"][place("place")] = dt.datetime(2026, 12, 6)


def share_of_31(book: openpyxl.Workbook) -> None:
    book["letter"][place("figure")] = 31.2
    book["letter"][place("figure")].number_format = "0.0%"


def bare_fraction(book: openpyxl.Workbook) -> None:
    book["letter"][place("figure")] = 0.312


def own_column(book: openpyxl.Workbook) -> None:
    book["letter"].cell(1, len(HEADINGS) + 1, "Owner")
    book["letter"].cell(2, len(HEADINGS) + 1, "Jo")


def misspelt_heading(book: openpyxl.Workbook) -> None:
    book["letter"][place("figure", 1)] = "Figures"


def same_heading_twice(book: openpyxl.Workbook) -> None:
    book["letter"][place("note", 1)] = "Figure"


def beside(book: openpyxl.Workbook) -> None:
    book["letter"].cell(2, len(HEADINGS) + 3, "rang them on Monday")


def headings_gone(book: openpyxl.Workbook) -> None:
    book["letter"].delete_rows(1)
    del book["examples"]


def no_kinds(book: openpyxl.Workbook) -> None:
    book["letter"].delete_cols(FIELDS.index("template") + 1)


def on_the_examples(book: openpyxl.Workbook) -> None:
    book["examples"]["A2"] = "Our own sentence"
    book["examples"]["A30"] = "And another"


def two_letters(book: openpyxl.Workbook) -> None:
    book["letter"].title = "March"
    book.copy_worksheet(book["March"]).title = "April"


def too_long(book: openpyxl.Workbook) -> None:
    for number in range(MAX_ROWS + 2):
        book["letter"].cell(number + 2, 1, "x")


SHEETS: dict[str, tuple[Callable[[openpyxl.Workbook], None], tuple[str, ...]]] = {
    "merged cells": (merge, ("merged", "C2:C3", "Unmerge")),
    "a formula that was never calculated": (formula, ("formula without a stored result", "row 2, Figure (column F)")),
    "a formula that failed": (failed, ("formula has failed", "'#REF!'")),
    "Apr 25 made the 25th of April": (april_25, ("made the day 2026-04-25", "April 2025")),
    "a day for a period": (a_day, ("made the day 2025-11-12",)),
    "a date for a figure": (date_for_figure, ("A date stands where a number is needed",)),
    "a date for a place": (date_for_place, ("made a date",)),
    "31.2 in a cell of per cent": (share_of_31, ("'3120%'", "more than 100%")),
    "a fraction without a sign": (bare_fraction, ("Write 31.2% or 0.312%",)),
    "a column of one's own": (own_column, ("no column called 'Owner'", "Your own note")),
    "a misspelt heading": (misspelt_heading, ("no column called 'Figures'", "Did you mean 'Figure'?")),
    "a heading twice": (same_heading_twice, ("Two columns are headed 'Figure'",)),
    "a cell outside the columns": (beside, ("column without a heading", "'rang them on Monday'")),
    "no headings": (headings_gone, ("No row of headings", "letter, kinds, notes, lists")),
    "no column of kinds": (no_kinds, ("no column 'Kind of sentence'",)),
    "rows on the sheet of examples": (on_the_examples, ("2 rows have been written", "rows 2, 30", "sheet 'letter'")),
    "two sheets with letters": (two_letters, ("2 sheets", "March, April")),
    "a thousand rows": (too_long, (f"more than {MAX_ROWS} rows",)),
}


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_that_cannot_be_read_whole_is_named_for_what_it_is(name: str, tmp_path: Path) -> None:
    change, words = SHEETS[name]
    refused(changed(as_xlsx(tmp_path, GOOD), change), *words)


# --- files -----------------------------------------------------------------------------------------------------------

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def packed(names: dict[str, str]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as parts:
            for name, text in names.items():
                parts.writestr(name, text)

    return write


def holding(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


FILES: dict[str, tuple[str, Callable[[Path], object], tuple[str, ...]]] = {
    "old Excel": ("letter.xls", holding(_OLD), ("not an .xlsx workbook", "Save As")),
    "a password": (
        "letter.xlsx",
        holding(_OLD + "EncryptedPackage".encode("utf-16-le")),
        ("protected by a password", "remove the password"),
    ),
    "a Word document": (
        "letter.docx",
        packed({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}),
        ("Word document", "Type its sentences into letter.xlsx"),
    ),
    "a PDF": ("letter.pdf", holding(b"%PDF-1.7 ..."), ("PDF", "Type its sentences into letter.xlsx")),
    "OpenDocument": (
        "letter.ods",
        packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}),
        ("not an .xlsx workbook",),
    ),
    "a zip of something": ("letter.zip", packed({"photo.jpg": "x"}), ("zip archive", "photo.jpg")),
    "a zip cut short": ("letter.xlsx", holding(b"PK\x03\x04" + b"\1" * 50), ("cut short or damaged",)),
    "a hollow workbook": (
        "letter.xlsx",
        packed({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook"}),
        ("cannot be read", "Save As"),
    ),
    "a web page": ("letter.csv", holding(b"<!DOCTYPE html><html></html>"), ("web page",)),
    "nothing": ("letter.csv", holding(b""), ("empty",)),
    "another table": ("letter.csv", holding(b"code,list\nA81001,5000\n"), ("No row of headings", "new FOLDER")),
    "a quotation mark left open": (
        "letter.csv",
        holding(b'What the letter says,Kind of sentence\n"Never closed,An outlier\n'),
        ("quotation mark",),
    ),
    "a picture in it": (
        "letter.xlsx",
        holding(b"PK\x03\x04" + b"\0" * 2_100_000),
        ("too large for a letter", "pictures"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_letter_is_named_for_what_it_is(name: str, tmp_path: Path) -> None:
    file, write, words = FILES[name]
    write(tmp_path / file)
    refused(tmp_path / file, *words)


def test_a_letter_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "leter.xlsx").write_bytes(b"x")
    refused(tmp_path / "letter.xlsx", "The letter is not there", "Did you mean leter.xlsx?", "Correct letter =")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"templat": "outlier"}, ("'templat'", "Did you mean 'template'")),
        ({"template": ["outlier"]}, ("must be text",)),
        ({"template": "outlier"}, ("needs 'practice', 'metric'", "[[claim]] 1")),
    ],
)
def test_a_claim_of_the_study_is_answered_in_its_own_words(table: dict, words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        letter_of(study_of(tmp_path, claim=[table]))
    for word in words:
        assert word in str(caught.value)


_BITS = (
    "31.2",
    "%",
    " of ",
    "230",
    "-",
    "April ",
    "2025",
    "/",
    "26",
    "Q1 ",
    "..",
    " to ",
    "12 months to ",
    "½",
    "٣",
    "O",
    ",",
    "31 ",
)
_TEXTS = st.text(max_size=30) | st.lists(st.sampled_from(_BITS), max_size=7).map("".join)
_KINDS = st.sampled_from([*letters.templates(), ""])


@given(st.fixed_dictionaries({field: _KINDS if field == "template" else _TEXTS for field in FIELDS}))
@settings(deadline=None, max_examples=400)
def test_no_text_in_a_cell_stops_the_reader(texts: dict[str, str]) -> None:
    """Whatever is typed becomes a claim or is noted: nothing else is raised, and no row is lost without a word."""
    cells = {field: Cell(shown, field) for field, text in texts.items() if (shown := tidy(text))}
    problems = Problems(StudyError, "letter.xlsx")
    claim = read_entry(Row("letter.xlsx", "row 2", cells), 1, problems, TODAY)
    assert (claim is None) == bool(problems.found)
