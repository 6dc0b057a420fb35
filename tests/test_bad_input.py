"""Bad files and bad studies: each is named for what it is, in three lines, with the place and what to do about it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from gpvar.errors import GpvarError, SourceError, StudyError
from gpvar.study import load_study
from gpvar.table import PracticeTable, build_table

STUDY = """
schema = 1
title = "A test"
seed = 1
declared = 2026-04-14
period = "2025-04..2026-03"
metrics = ["same_day_share"]
[area]
kind = "icb"
code = "QHM"
practices = ["A81001"]
[adjust]
M1 = ["imd2025"]
M2 = []
[[source]]
id = "local"
file = "practices.csv"
[source.columns]
practice_code = "code"
practice_name = "name"
icb_code = "icb"
list_size = "list"
"same_day_share.numerator" = "same day"
"same_day_share.denominator" = "total"
imd2025 = "imd"
"""
HEADER = ["code", "name", "icb", "list", "same day", "total", "imd"]


def rows(n: int = 30) -> list[list[object]]:
    """Return clean rows: practices A81001, A81002 … of one board."""
    return [[f"A81{i:03d}", f"Practice {i}", "QHM", 8000 + i, 4000 + i, 9000 + i, 20.5] for i in range(1, n + 1)]


def as_csv(table: list[list[object]], header: list[str] = HEADER, delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(str(cell) for cell in row) for row in [header, *table]) + "\n"


def as_xlsx(path: Path, table: list[list[object]], sheets: tuple[str, ...] = ("Data",)) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = sheets[0]
    for row in [HEADER, *table]:
        book.active.append(row)
    for name in sheets[1:]:
        book.create_sheet(name).append(["nothing here"])
    book.save(path)
    return book


def build(folder: Path, content: str | bytes | None = None, *, study: str = STUDY, **options: int) -> PracticeTable:
    (folder / "study.toml").write_text(study, encoding="utf-8")
    if content is not None:
        data = content.encode("utf-8") if isinstance(content, str) else content
        (folder / "practices.csv").write_bytes(data)
    return build_table(load_study(folder), **options)


def refused(kind: type[GpvarError], attempt: Callable[[], object], *words: str) -> str:
    """Check that the attempt is refused with a three-part message that holds every word; return the message."""
    with pytest.raises(kind) as caught:
        attempt()
    error = caught.value
    message = str(error)
    assert error.problem and error.where and error.fix, message
    for word in words:
        assert word in message, f"{word!r} is not in:\n{message}"
    assert "Traceback" not in message and "NoneType" not in message
    return message


def changed(at: int, column: str, value: object) -> list[list[object]]:
    table = rows()
    table[at][HEADER.index(column)] = value
    return table


def test_the_clean_table_is_accepted(tmp_path: Path) -> None:
    table = build(tmp_path, as_csv(rows()))
    assert len(table.practices) == 30
    assert table.outcomes["state"].eq("").all()


# Columns and rows


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    text = as_csv(rows()).replace("same day,", "sameday_appts,", 1)
    message = refused(
        SourceError, lambda: build(tmp_path, text), "no column 'same day'", "practices.csv", "'sameday_appts'"
    )
    assert len(message.splitlines()) == 3


def test_a_wrong_file_lists_the_columns_it_has(tmp_path: Path) -> None:
    refused(
        SourceError,
        lambda: build(tmp_path, "Month,Rainfall\nApril,3\nMay,4\n"),
        "none of the columns 'code', 'name'",
        "Month, Rainfall",
    )


def test_several_problems_are_said_at_once(tmp_path: Path) -> None:
    table = changed(3, "same day", "many")
    table[5][HEADER.index("total")] = -4
    table[7][HEADER.index("list")] = "?"
    message = refused(
        SourceError, lambda: build(tmp_path, as_csv(table)), "3 things", "row 5 ('many')", "row 7 ('-4')", "row 9"
    )
    assert "below nought" in message


def test_a_column_without_codes_is_pointed_out_with_the_one_that_has_them(tmp_path: Path) -> None:
    study = STUDY.replace('practice_code = "code"', 'practice_code = "name"').replace(
        'practice_name = "name"', 'practice_name = "code"'
    )
    refused(
        SourceError,
        lambda: build(tmp_path, as_csv(rows()), study=study),
        "'name' does not hold practice codes",
        "'code' does",
    )


def test_two_columns_of_one_heading_are_not_guessed_between(tmp_path: Path) -> None:
    text = as_csv([[*row, 1] for row in rows()], [*HEADER, "Same  Day"]).replace("same day,", "SAME DAY,", 1)
    refused(SourceError, lambda: build(tmp_path, text), "2 columns are headed 'same day'", "E, H")


def test_a_duplicated_practice_is_listed_with_its_rows(tmp_path: Path) -> None:
    table = [*rows(), rows()[4]]
    refused(SourceError, lambda: build(tmp_path, as_csv(table)), "A81005 in rows 6, 32", "Keep one row")


def test_a_duplicated_practice_and_month_is_listed(tmp_path: Path) -> None:
    study = STUDY.replace('icb_code = "icb"', 'icb_code = "icb"\nperiod = "month"')
    table = [[*row, "2025-04"] for row in rows()] + [[*rows()[0], "2025-04"]]
    refused(
        SourceError,
        lambda: build(tmp_path, as_csv(table, [*HEADER, "month"]), study=study),
        "A81001 in 2025-04 in rows 2, 32",
    )


def test_a_table_of_another_period_is_refused(tmp_path: Path) -> None:
    study = STUDY.replace('icb_code = "icb"', 'icb_code = "icb"\nperiod = "month"')
    table = [[*row, "Apr-23"] for row in rows()]
    refused(
        SourceError, lambda: build(tmp_path, as_csv(table, [*HEADER, "month"]), study=study), "April 2025", "2023-04"
    )


def test_a_month_that_cannot_be_read_is_shown(tmp_path: Path) -> None:
    study = STUDY.replace('icb_code = "icb"', 'icb_code = "icb"\nperiod = "month"')
    table = [[*row, "2025-04" if i else "spring"] for i, row in enumerate(rows())]
    refused(SourceError, lambda: build(tmp_path, as_csv(table, [*HEADER, "month"]), study=study), "row 2", "'spring'")


def test_headings_without_rows_are_no_table(tmp_path: Path) -> None:
    refused(SourceError, lambda: build(tmp_path, as_csv([])), "headings and no rows")


def test_a_row_with_too_many_values_is_shown(tmp_path: Path) -> None:
    text = as_csv(rows()).replace("Practice 7,", "Practice 7, The Old Forge,")
    refused(SourceError, lambda: build(tmp_path, text), "more values than there are headings", "row 8")


# Values


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("12a", "Text stands where a number is needed"),
        ('"1,5"', "comma"),
        ("#DIV/0!", "formula has failed"),
        ("-12", "below nought"),
        ("44%", "percentage"),
        ("12.5", "not a whole number"),
        ("=HYPERLINK(1)", "Text stands where a number is needed"),
        ("inf", "Text stands where a number is needed"),
        ("1e999", "Text stands where a number is needed"),
    ],
)
def test_a_value_that_is_no_count_is_shown_with_its_row_and_column(tmp_path: Path, value: str, words: str) -> None:
    text = as_csv(changed(4, "same day", value))
    refused(SourceError, lambda: build(tmp_path, text), words, "'same day'", "column E", "row 6", value.strip('"'))


@pytest.mark.parametrize(
    ("mark", "low", "high"), [("*", 1, 4), ("<5", 0, 4), ("[c]", 1, 4), ("-97", 1, 9), ("−97", 1, 9), ("1-4", 1, 4)]
)
def test_a_hidden_count_is_an_interval_and_never_nought(tmp_path: Path, mark: str, low: int, high: int) -> None:
    table = build(tmp_path, as_csv(changed(2, "same day", mark)))
    row = table.outcomes.set_index("practice_code").loc["A81003"]
    assert (row["numerator_low"], row["numerator_high"], row["state"]) == (low, high, "suppressed")
    assert row["numerator"] != row["numerator"]
    failed = table.gates[(table.gates["gate"] == "suppressed") & (table.gates["practice_code"] != "")]
    assert failed["practice_code"].tolist() == ["A81003"]


@pytest.mark.parametrize("blank", ["", " ", "NA", "[x]", "-98"])
def test_a_blank_is_missing_and_never_nought(tmp_path: Path, blank: str) -> None:
    table = build(tmp_path, as_csv(changed(2, "same day", blank)))
    row = table.outcomes.set_index("practice_code").loc["A81003"]
    assert row["state"] == "missing"
    assert row[["numerator", "numerator_low", "numerator_high"]].isna().all()
    failed = table.gates[(table.gates["gate"] == "no_denominator") & (table.gates["practice_code"] == "A81003")]
    assert failed["severity"].tolist() == ["stop"]


def test_a_numerator_over_its_denominator_stops_that_practice(tmp_path: Path) -> None:
    table = build(tmp_path, as_csv(changed(2, "same day", 99999)))
    failed = table.gates[(table.gates["gate"] == "numerator_over_denominator") & (table.gates["practice_code"] != "")]
    assert failed[["practice_code", "severity", "metric"]].values.tolist() == [["A81003", "stop", "same_day_share"]]


def test_numerators_mostly_over_their_denominators_are_wrong_columns(tmp_path: Path) -> None:
    study = STUDY.replace('numerator" = "same day"', 'numerator" = "total"').replace(
        'denominator" = "total"', 'denominator" = "same day"'
    )
    refused(
        SourceError,
        lambda: build(tmp_path, as_csv(rows()), study=study),
        "30 of 30 practices",
        "A81001: 9,001 of 4,001",
        "wrong way round",
    )


# Files


def test_a_missing_file_is_met_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "practises.csv").write_text("x")
    refused(SourceError, lambda: build(tmp_path), "not there", "practices.csv", "practises.csv")


def test_a_file_of_no_bytes(tmp_path: Path) -> None:
    refused(SourceError, lambda: build(tmp_path, b""), "0 bytes")


def test_a_packed_file_cut_short_is_not_half_read(tmp_path: Path) -> None:
    packed = gzip.compress(as_csv(rows(400)).encode())
    refused(SourceError, lambda: build(tmp_path, packed[: len(packed) // 2]), "cut short")


def test_a_text_file_cut_short_is_not_half_read(tmp_path: Path) -> None:
    text = as_csv(rows()).rstrip("\n")[:-12]
    refused(SourceError, lambda: build(tmp_path, text), "stops half-way", "row 31")


def test_an_open_quotation_mark_is_found(tmp_path: Path) -> None:
    text = as_csv(rows()).replace("Practice 7", '"Practice 7')
    refused(SourceError, lambda: build(tmp_path, text), "quotation mark")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    refused(SourceError, lambda: build(tmp_path, as_csv(rows(200)), max_bytes=2_000), "too large", "2,000 bytes")


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    assert len(bomb) < 20_000
    refused(SourceError, lambda: build(tmp_path, bomb, max_bytes=100_000), "too large")


def test_mixed_encodings_are_refused_with_both_rows(tmp_path: Path) -> None:
    text = as_csv(rows()).encode()
    text = text.replace(b"Practice 3,", "Café 3,".encode()).replace(b"Practice 9,", "Café 9,".encode("cp1252"))
    refused(SourceError, lambda: build(tmp_path, text), "mixes two encodings", "row 4 is UTF-8", "row 10")


def test_a_web_page_saved_as_a_table_is_seen_for_what_it_is(tmp_path: Path) -> None:
    refused(SourceError, lambda: build(tmp_path, "<!DOCTYPE html><html><body>Sign in</body></html>"), "web page")


def test_a_picture_is_no_table(tmp_path: Path) -> None:
    refused(SourceError, lambda: build(tmp_path, bytes(range(256)) * 20), "neither text nor an Excel workbook")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "practices.csv").mkdir()
    refused(SourceError, lambda: build(tmp_path), "a folder, not a file")


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    build(tmp_path, as_csv(rows()))
    study = load_study(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", held)
    refused(SourceError, lambda: build_table(study), "another program holds it", "Close it in Excel")


def test_the_lock_that_excel_leaves_is_not_the_workbook(tmp_path: Path) -> None:
    (tmp_path / "~$practices.xlsx").write_bytes(b"\x05user")
    study = STUDY.replace("practices.csv", "~$practices.xlsx")
    refused(SourceError, lambda: build(tmp_path, study=study), "open", "practices.xlsx")


# Workbooks

EXCEL = STUDY.replace('file = "practices.csv"', 'file = "practices.xlsx"')


def test_a_wrong_sheet_is_met_with_the_sheets_there_are(tmp_path: Path) -> None:
    as_xlsx(tmp_path / "practices.xlsx", rows(), ("Data", "Notes"))
    study = EXCEL.replace('file = "practices.xlsx"', 'file = "practices.xlsx"\nsheet = "Daten"')
    refused(SourceError, lambda: build(tmp_path, study=study), "no sheet 'Daten'", "Did you mean 'Data'", "Data, Notes")


def test_several_sheets_are_not_guessed_between(tmp_path: Path) -> None:
    as_xlsx(tmp_path / "practices.xlsx", rows(), ("Data", "Notes"))
    refused(SourceError, lambda: build(tmp_path, study=EXCEL), "2 sheets: Data, Notes", 'sheet = "Data"')


def test_a_sheet_of_a_text_file_is_refused(tmp_path: Path) -> None:
    study = STUDY.replace('file = "practices.csv"', 'file = "practices.csv"\nsheet = "Data"')
    refused(SourceError, lambda: build(tmp_path, as_csv(rows()), study=study), "no sheets")


def test_formulas_never_calculated_are_not_read_as_blanks(tmp_path: Path) -> None:
    as_xlsx(tmp_path / "practices.xlsx", changed(2, "same day", "=1+1"))
    refused(
        SourceError,
        lambda: build(tmp_path, study=EXCEL),
        "1 cell holds a formula without a stored result",
        "E4",
        "sheet Data",
    )


def test_merged_headings_are_pointed_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["code", "name", "icb", "list", "Appointments", None, "imd"])
    for row in rows():
        sheet.append(row)
    sheet.merge_cells("E1:F1")
    book.save(tmp_path / "practices.xlsx")
    refused(SourceError, lambda: build(tmp_path, study=EXCEL), "'same day'", "'total'", "merged cells")


def test_merged_codes_are_pointed_out(tmp_path: Path) -> None:
    book = as_xlsx(tmp_path / "practices.xlsx", rows())
    book.active.merge_cells("A4:A6")
    book.save(tmp_path / "practices.xlsx")
    refused(SourceError, lambda: build(tmp_path, study=EXCEL), "merged down the rows", "rows 5, 6", "'code'")


def test_a_workbook_cut_short_is_not_half_read(tmp_path: Path) -> None:
    as_xlsx(tmp_path / "practices.xlsx", rows())
    whole = (tmp_path / "practices.xlsx").read_bytes()
    (tmp_path / "practices.xlsx").write_bytes(whole[: len(whole) // 2])
    refused(SourceError, lambda: build(tmp_path, study=EXCEL), "cut short or damaged")


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    (tmp_path / "practices.xlsx").write_bytes(encrypted)
    refused(SourceError, lambda: build(tmp_path, study=EXCEL), "password", "Protect Workbook")


def test_an_old_workbook_that_is_damaged_says_what_to_save(tmp_path: Path) -> None:
    (tmp_path / "practices.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 3000)
    refused(SourceError, lambda: build(tmp_path, study=EXCEL), "damaged or not an Excel file", ".xlsx")


def test_an_archive_is_not_a_workbook(tmp_path: Path) -> None:
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("practices.csv", as_csv(rows()))
    refused(SourceError, lambda: build(tmp_path, packed.getvalue()), "zip archive", "practices.csv", "Unpack")


# Names that would be code elsewhere are text here


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "../../etc/passwd",
        '"=HYPERLINK(""https://x"",""y"")"',
        "![](https://x)",
        '`#import "x"`{=typst}'.replace('"', '""').join('""'),
        "@SUM(A1:A9)",
    ],
)
def test_a_name_that_is_code_elsewhere_stays_a_name(tmp_path: Path, name: str) -> None:
    table = build(tmp_path, as_csv(changed(0, "name", name)))
    read = table.practices.set_index("practice_code").loc["A81001", "practice_name"]
    assert read == " ".join(name.strip('"').replace('""', '"').split())
    assert table.area_codes[0] == "A81001"


def test_a_code_that_is_a_path_is_no_practice(tmp_path: Path) -> None:
    table = build(tmp_path, as_csv(changed(2, "code", "../A81003")))
    assert "A81003" not in set(table.practices["practice_code"])
    listed = table.unmatched[table.unmatched["side"] == "in this file, not a practice code"]
    assert listed["practice_code"].tolist() == ["../A81003"]
    assert table.provenance["rows_dropped"].tolist() == [1]


# Studies


def test_an_unknown_practice_is_met_with_the_nearest(tmp_path: Path) -> None:
    study = STUDY.replace('"A81001"', '"A81101"')
    refused(
        StudyError,
        lambda: build(tmp_path, as_csv(rows()), study=study),
        "'A81101' is not in the data",
        "A81001 Practice 1",
    )


def test_an_unknown_metric_is_met_with_the_nearest(tmp_path: Path) -> None:
    study = STUDY.replace('["same_day_share"]', '["same_day_shares"]')
    message = refused(StudyError, lambda: build(tmp_path, as_csv(rows()), study=study), "'same_day_shares'")
    assert "Did you mean 'same_day_share'?" in message


def test_an_unknown_board_is_met_with_the_nearest(tmp_path: Path) -> None:
    study = STUDY.replace('code = "QHM"', 'code = "QHN"')
    refused(
        StudyError, lambda: build(tmp_path, as_csv(rows()), study=study), "'QHN'", "[area] code", "QHM (NHS North East"
    )


def test_two_studies_in_one_folder_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "study (1).toml").write_text(STUDY, encoding="utf-8")
    refused(StudyError, lambda: build(tmp_path, as_csv(rows())), "2 studies", "study (1).toml", "study.toml")


def test_a_folder_without_a_study(tmp_path: Path) -> None:
    refused(StudyError, lambda: load_study(tmp_path), "no study file", "new FOLDER")


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "mystudy").mkdir()
    refused(StudyError, lambda: load_study(tmp_path / "my-study"), "no study at", "mystudy")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "A test"', "title = A test", ("line 3", "title = A test", "quotation marks")),
        ('"practices.csv"', '"C:\\Users\\me\\x.csv"', ("backslash", "forward slashes")),
        ('"practices.csv"', '"new\\table.csv"', ("backslash", "forward slashes")),
        ("seed = 1", "seed = 1\nseed = 2", ("set twice", "line 5")),
        ('metrics = ["same_day_share"]', 'metrics = ["same_day_share"', ("line", "[")),
        ("declared = 2026-04-14", "declared = 14/04/2026", ("line 5", "2026-04-14, year first")),
        ("[area]", "[aera]", ("'aera'", "Did you mean 'area'?")),
        ('kind = "icb"', 'kind = "ICS"', ("'ICS' is not a kind of area", "sub_icb")),
        ('M1 = ["imd2025"]', 'M1 = ["imd2052"]', ("'imd2052'", "Did you mean 'imd2025'?")),
        ('M1 = ["imd2025"]', 'M1 = ["gp_fte"]', ("'gp_fte' cannot be allowed for",)),
        ('M1 = ["imd2025"]', 'M1 = ["np.log(imd2025)"]', ("no characteristic called",)),
        ("[adjust]", '[reference]\nexclude = ["atipical"]\n[adjust]', ("'atipical'", "Did you mean 'atypical'?")),
        ("[adjust]", '[reference]\nset = "englnd"\n[adjust]', ("'englnd'", "Did you mean 'england'?")),
        ('period = "2025-04..2026-03"', 'period = "April to March"', ("period cannot be read", "2025-04..2026-03")),
        ('period = "2025-04..2026-03"', 'period = "2026-04..2025-03"', ("ends (2025-03) before it starts",)),
        ('imd2025 = "imd"', 'imd2205 = "imd"', ("'imd2205'", "Did you mean 'imd2025'?")),
        ('"same_day_share.denominator" = "total"', "", ("denominator of 'same_day_share'",)),
        ('practice_code = "code"', "", ("practice code", "practice_code =")),
        ('code = "QHM"', "", ("no code",)),
        (
            '"same_day_share.numerator" = "same day"',
            '"same_day_share.numerator" = ["same day", "same day"]',
            ("twice",),
        ),
    ],
)
def test_a_fault_in_the_study_is_named_with_its_mending(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    assert old in STUDY
    refused(StudyError, lambda: build(tmp_path, as_csv(rows()), study=STUDY.replace(old, new, 1)), *words)


def test_a_study_in_another_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_bytes(STUDY.replace("A test", "Café").encode("cp1252"))
    refused(StudyError, lambda: load_study(tmp_path), "UTF-8", "line 3", "Notepad")


def test_a_list_without_codes(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("practice\nThe Densham Surgery\n")
    study = STUDY.replace('kind = "icb"\ncode = "QHM"', 'kind = "list"\nfile = "ours.csv"')
    refused(SourceError, lambda: build(tmp_path, as_csv(rows()), study=study), "No column of this list", "ours.csv")


def test_a_list_with_a_slip_in_a_code(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("practice\nA81001\nA8100\n")
    study = STUDY.replace('kind = "icb"\ncode = "QHM"', 'kind = "list"\nfile = "ours.csv"')
    refused(SourceError, lambda: build(tmp_path, as_csv(rows()), study=study), "A8100", "letter and five digits")


def test_a_list_of_which_nothing_is_in_the_data(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("practice\nB81001\n")
    study = STUDY.replace('kind = "icb"\ncode = "QHM"\npractices = ["A81001"]', 'kind = "list"\nfile = "ours.csv"')
    refused(
        StudyError, lambda: build(tmp_path, as_csv(rows()), study=study), "None of the practices", "B81001", "A81001"
    )


# Values that cannot be true, and codes that only look like codes


def test_an_impossible_score_is_missing_and_named_where_it_stands_alone(tmp_path: Path) -> None:
    table = build(tmp_path, as_csv(changed(2, "imd", -5)))
    assert table.practices.set_index("practice_code")["imd2025"].isna().sum() == 1
    found = table.gates[(table.gates["gate"] == "covariate_impossible") & (table.gates["practice_code"] != "")]
    assert found[["practice_code", "severity", "detail"]].values.tolist() == [
        ["A81003", "warn", "deprivation (IMD 2025): -5"]
    ]


def test_a_column_of_impossible_scores_is_refused(tmp_path: Path) -> None:
    table = rows()
    table[0][6] = table[5][6] = 31000
    refused(
        SourceError, lambda: build(tmp_path, as_csv(table)), "outside its scale", "'imd'", "row 2 ('31000')", "row 7"
    )


SHARES = STUDY.replace('imd2025 = "imd"', 'age_sex = ["imd"]').replace('["imd2025"]', '["age_sex"]')


@pytest.mark.parametrize(
    ("usual", "odd", "expected"), [(0.18, 3.2, 0.18), (18.0, 0.7, 0.18), (0.18, 18.5, 0.18), (18.0, 130, 0.18)]
)
def test_one_odd_share_does_not_change_the_unit_of_the_others(
    tmp_path: Path, usual: float, odd: float, expected: float
) -> None:
    table = [[*row[:6], usual] for row in rows()]
    table[3][6] = odd
    shares = build(tmp_path, as_csv(table), study=SHARES).practices.set_index("practice_code")["age_sex.imd"]
    assert shares["A81001"] == pytest.approx(expected)
    assert (shares["A81004"] != shares["A81004"]) == (odd != 0.7)


def test_shares_in_two_units_are_refused(tmp_path: Path) -> None:
    table = [[*row[:6], 0.18 if i % 4 else 18.5] for i, row in enumerate(rows())]
    refused(
        SourceError, lambda: build(tmp_path, as_csv(table), study=SHARES), "per cent stands among", "row 2 ('18.5')"
    )


def test_rare_shares_in_per_cent_are_still_per_cent(tmp_path: Path) -> None:
    table = [[*row[:6], 0.7 if i % 4 else 1.3] for i, row in enumerate(rows())]
    shares = build(tmp_path, as_csv(table), study=SHARES).practices["age_sex.imd"]
    assert shares.tolist()[:2] == pytest.approx([0.013, 0.007])


def test_a_register_above_the_list_is_not_used(tmp_path: Path) -> None:
    study = STUDY.replace('imd2025 = "imd"', '"qof_dm.numerator" = "imd"\n"qof_dm.denominator" = "list"')
    study = study.replace('["imd2025"]', '["qof_dm"]').replace('list_size = "list"\n', "")
    table = [[*row[:6], 500] for row in rows()]
    table[3][6] = 9999
    built = build(tmp_path, as_csv(table), study=study)
    assert built.practices.set_index("practice_code")["qof_dm.numerator"].isna().sum() == 1
    assert "A81004" in built.gates.query("gate == 'covariate_impossible'")["practice_code"].tolist()
    every = [[*row[:6], 9999] for row in rows()]
    refused(SourceError, lambda: build(tmp_path, as_csv(every), study=study), "register is larger than the list")


@pytest.mark.parametrize(("form", "words"), [("{}001", "branch codes"), ("{}", "letter O")])
def test_codes_of_branches_and_letters_for_figures_are_pointed_out(tmp_path: Path, form: str, words: str) -> None:
    table = [[form.format(str(row[0]).replace("0", "0" if "001" in form else "O")), *row[1:]] for row in rows(9)]
    refused(SourceError, lambda: build(tmp_path, as_csv(table)), words)


@pytest.mark.parametrize(
    ("value", "words"), [("7.433", "is it 7,433, in the column 'same day'?"), ("4O12", "letter O stands")]
)
def test_a_number_that_was_mistyped_is_asked_about(tmp_path: Path, value: str, words: str) -> None:
    refused(SourceError, lambda: build(tmp_path, as_csv(changed(4, "same day", value))), words, "row 6", value)


def test_a_json_file_is_called_that(tmp_path: Path) -> None:
    refused(SourceError, lambda: build(tmp_path, '[{"code": "A81001"}]'), "This is a JSON file")


def test_a_path_is_shown_without_detours(tmp_path: Path) -> None:
    study = STUDY.replace('"practices.csv"', '"../nowhere/practices.csv"')
    assert ".." not in refused(SourceError, lambda: build(tmp_path, study=study), str(tmp_path.parent / "nowhere"))


EXTENT = STUDY.replace('icb_code = "icb"', 'icb_code = "icb"\nperiod_start = "from"\nperiod_end = "to"')


def test_an_extract_of_another_period_is_refused_with_both(tmp_path: Path) -> None:
    header = [*HEADER, "from", "to"]
    whole = [[*row, "2025-04-01", "2026-03-31"] for row in rows()]
    assert len(build(tmp_path, as_csv(whole, header), study=EXTENT).practices) == 30
    short = [[*row, "2025-04-01", "2025-12-31"] for row in rows()]
    refused(
        SourceError,
        lambda: build(tmp_path, as_csv(short, header), study=EXTENT),
        "The file covers April 2025 to December 2025, and the study's period is April 2025 to March 2026.",
        'period = "2025-04..2025-12"',
    )
    whole[4] = [*rows()[4], "2025-04-01", "soon"]
    refused(SourceError, lambda: build(tmp_path, as_csv(whole, header), study=EXTENT), "cannot be read", "row 6")
    whole[4] = [*rows()[4], "2025-04-01", "2025-09-30"]
    refused(SourceError, lambda: build(tmp_path, as_csv(whole, header), study=EXTENT), "1 practice of 30", "A81005")
