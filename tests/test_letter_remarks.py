"""What whoever wrote a letter down is told of its rows: how each was read, and what to look at again."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from gpvar import cli
from gpvar.claims import letter_of, remarks
from gpvar.claims.remarks import near_measures, numbers_not_used
from gpvar.errors import StudyError
from gpvar.reporting.ask import publish_ask
from gpvar.results import Claim, Figure
from gpvar.words import letter_as_read, letter_remarks
from tests.letters import GOOD, as_csv, study_of

SAID = Claim("8", "tail", practice="A81002", practice_code="A81002", metric="same_day_share", direction="low")
TEN = Figure("10%", 10.0, 0, True)


def table_of(*rows: tuple[str, str, str], area: tuple[str, ...] = ()) -> Any:
    """Return as much of a table as is looked at: code, name and board of practices."""
    frame = pd.DataFrame(rows, columns=["practice_code", "practice_name", "icb_code"])
    return SimpleNamespace(practices=frame, hierarchy=frame, area_codes=area)


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "row", "numbers"),
    [
        ("In April 2025 A81002 was in the bottom decile, at 27.9%.", {}, ("27.9%",)),
        ("It is at 27.9%, in the lowest 10%.", {"threshold": TEN}, ("27.9%",)),
        ("It is at 22.8%.", {"figure": Figure("22.80%", 22.8, 2, True)}, ()),
        ("It held 1,310 per 1,000 patients, and 9 fewer.", {}, ("1,310", "9")),
        ("Red on 6 of 33 indicators.", {"place": 6, "of": 33}, ()),
        ("It is 3rd of 230 in 2025/26, 12 months to 31 March 2026.", {"place": 3}, ("230", "12")),
        ("7-fold variation since Q1 2025/26, NHS 111 included.", {}, ("7-fold",)),
        ("Within 14 days 84.1%.", {"metric": "within_14_days_share"}, ("84.1%",)),
        ("An action plan in 4 weeks.", {"sanction": "a plan within 4 weeks"}, ()),
        ("It is in the lowest tenth.", {}, ()),
    ],
)
def test_a_number_that_stands_in_no_cell_is_named(text: str, row: dict[str, Any], numbers: tuple[str, ...]) -> None:
    assert numbers_not_used(replace(SAID, text=text, **row)) == numbers


def test_numbers_not_used_are_said_with_their_sentence() -> None:
    found = remarks([replace(SAID, text="It is at 27.9%."), replace(SAID, id="9", text="It was at 20% and is at 30%.")])
    assert letter_remarks(found) == [
        "Sentence 8: “27.9%” stands in its words and in no cell of its row, so it was not used.",
        "Sentence 9: “20%” and “30%” stand in its words and in no cell of its row, so they were not used.",
    ]


# --- practices and measures ------------------------------------------------------------------------------------------


def test_a_practice_that_the_data_lack_is_met_with_near_names() -> None:
    table = table_of(("A83010", "MOORLANDS SURGERY", "QHM"), ("A83011", "LAKESIDE", "QHM"))
    (said,) = letter_remarks(remarks([replace(SAID, practice="Moorland", practice_code="")], table))
    assert said == "Sentence 8: no practice called “Moorland” is in the data. Did you mean MOORLANDS SURGERY (A83010)?"
    (code,) = letter_remarks(remarks([replace(SAID, practice="A83012", practice_code="A83012")], table))
    assert "Did you mean MOORLANDS SURGERY (A83010) or LAKESIDE (A83011)?" in code
    (none,) = letter_remarks(remarks([replace(SAID, practice="Quillon", practice_code="")], table))
    assert none.endswith("Write its code, a letter and five digits.")


def test_a_practice_that_is_held_and_a_letter_without_data_get_no_remark() -> None:
    held = replace(SAID, practice="Lakeside", practice_code="A83011")
    assert remarks([held], table_of(("A83011", "LAKESIDE", "QHM"))) == ()
    assert remarks([held, replace(SAID, practice="Anywhere", practice_code="")]) == ()


def test_a_measure_that_is_not_known_is_met_with_near_ones() -> None:
    assert near_measures("missed apointments") == ["Missed appointment (DNA) share"]
    (said,) = letter_remarks(remarks([replace(SAID, metric="", metric_written="same day apointments")]))
    assert "no measure called “same day apointments” is known" in said and "“Same-day share”" in said
    (none,) = letter_remarks(remarks([replace(SAID, metric="", metric_written="zzz quux")]))
    assert "Did you mean" not in none


def test_a_name_that_many_practices_have_is_looked_for_in_the_board_of_a_list_of_practices(tmp_path: Any) -> None:
    table = table_of(
        ("A81001", "Densham", "QHM"),
        ("A81002", "Park Surgery", "QHM"),
        ("B81003", "Park Surgery", "QWO"),
        ("B81004", "Lake Surgery", "QWO"),
        ("B81005", "Lake Surgery", "QWO"),
        area=("A81001",),
    )
    row = {**GOOD, "practice": "Park Surgery"}
    assert [claim.practice_code for claim in letter_of(study_of(tmp_path, claim=[row]), table)] == ["A81002"]
    with pytest.raises(StudyError, match=r"2 practices have 'Lake Surgery'.*B81004.*B81005"):
        letter_of(study_of(tmp_path, claim=[{**GOOD, "practice": "Lake Surgery"}]), table)


# --- how rows were read ----------------------------------------------------------------------------------------------


def test_each_row_is_said_as_it_was_read(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", str(as_csv(tmp_path, {**GOOD, "text": "It is lowest, at 23.9%.", "figure": "22.8%"}))]) == 0
    said = capsys.readouterr().out
    assert "How each row was read:" in said
    assert (
        "  1. In the lowest or highest tenth (or fifth); A81001; Same-day share; low; figure 22.8%; threshold 10%; "
        "compared with England; April 2025 to March 2026\n"
    ) in said
    assert "Sentence 1: “23.9%” stands in its words" in said


def test_what_a_row_does_not_say_is_said_too() -> None:
    about = Claim("2", "fold", metric="", metric_written="<b>calls</b>", figure=Figure("7", 7.0, 0))
    (said,) = letter_as_read([about])
    assert (
        said.startswith("2. Several-fold variation") and "; the whole area; “<b>calls</b>”; figure 7; no months" in said
    )
    change = replace(SAID, template="change", period_before="2025-04", period="2025-05..2026-03")
    assert letter_as_read([change])[0].endswith("; April 2025, then May 2025 to March 2026")


@pytest.mark.parametrize(
    ("name", "what"), [("letter.docx", "a Word file"), ("letter.PDF", "a PDF file"), ("letter.eml", "an email")]
)
def test_the_letter_itself_is_met_with_what_to_do(tmp_path: Any, name: str, what: str) -> None:
    (tmp_path / name).write_bytes(b"%PDF-1.7")
    with pytest.raises(StudyError) as caught:
        publish_ask(tmp_path / name)
    assert f"This is {what}" in caught.value.problem and "Copy its sentences into letter.xlsx" in caught.value.fix
