"""Files told by their headings: any name, any packing, any encoding; what is no official file is said to be none."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems
from gpvar.sources._parts import Part
from gpvar.sources._tabular import day_of, first_row, month_of, numbers, practice_codes, text_frame, whole_numbers
from gpvar.sources.files.members import members
from gpvar.sources.recognise import NotKnown, recognise
from tests import official_files as made
from tests.support import shared


def zipped(path: Path, **contents: bytes) -> Path:
    """A zip; two underscores in a name stand for a full stop, three for a stroke."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name.replace("___", "/").replace("__", "."), data)
    return path


def refused(read: Callable[[], object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read()
    assert len(str(caught.value).splitlines()) == 3, caught.value
    return caught.value


@pytest.fixture
def map_csv(tmp_path: Path) -> bytes:
    return made.write(tmp_path / "made.csv", "registered_map", [made.map_row("A81001")]).read_bytes()


@pytest.fixture
def list_csv(tmp_path: Path) -> bytes:
    rows = [("GP_PRAC_PAT_LIST", "2026-07-01", "GP", "00L", "E38", "A81001", "NE1", "ALL", "ALL", 4000)]
    return made.write(tmp_path / "list.csv", "registered_all", rows).read_bytes()


# --- told by headings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [name for name, card in catalogue.layouts().items() if not card.headerless])
def test_every_layout_is_known_by_its_required_headings_in_any_order(tmp_path: Path, layout: str) -> None:
    card = catalogue.layouts()[layout]
    heads = [f" {name.upper()}  " for name in reversed(card.required)]
    path = made.write(tmp_path / "what I got on Tuesday.dat", layout, [["x"] * len(heads)], heads)
    assert [part.layout for part in recognise(path)] == [layout]


@pytest.mark.parametrize("layout", [name for name, card in catalogue.layouts().items() if not card.headerless])
def test_every_layout_is_known_by_all_of_its_headings(tmp_path: Path, layout: str) -> None:
    columns = catalogue.layouts()[layout].columns
    path = made.write(tmp_path / "x.csv", layout, [["x"] * len(columns)])
    assert [part.layout for part in recognise(path)] == [layout]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_do_not_matter(tmp_path: Path, map_csv: bytes, encoding: str, delimiter: str) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(map_csv.decode().replace(",", delimiter).encode(encoding))
    (part,) = recognise(path)
    assert (part.layout, part.delimiter) == ("registered_map", delimiter)
    assert text_frame(part, ["PRACTICE_CODE", "PRACTICE_NAME"]).to_numpy().tolist() == [["A81001", "Surgery 0"]]


@pytest.mark.parametrize("pack", ["bare", "gzip", "zip"])
def test_what_a_file_is_packed_in_is_told_from_its_bytes(tmp_path: Path, map_csv: bytes, pack: str) -> None:
    path = tmp_path / "download"
    if pack == "zip":
        zipped(path, map__csv=map_csv)
    else:
        path.write_bytes(map_csv if pack == "bare" else gzip.compress(map_csv))
    (part,) = recognise(path)
    assert part.layout == "registered_map" and len(text_frame(part, ["PRACTICE_CODE"])) == 1
    assert part.member.label == ("download: map.csv" if pack == "zip" else "download")


def test_the_two_layouts_of_one_publication_in_a_zip_are_both_found(
    tmp_path: Path, map_csv: bytes, list_csv: bytes
) -> None:
    path = zipped(tmp_path / "both.zip", folder___map__csv=map_csv, list__csv=list_csv)
    assert sorted(part.layout for part in recognise(path)) == ["registered_all", "registered_map"]


UNRELATED = {
    "read me__txt": b"Notes on these statistics.",
    "guide__pdf": b"%PDF-1.7 ...",
    "other__csv": b"colour,size\nred,3\n",
    "logo__png": b"\x89PNG\r\n\x1a\n" + bytes(300),
    "thing__bin": bytes(range(256)) * 8,
    "nothing__dat": b"",
    "__MACOSX___x": b"\0\0\0\0",
    "index__html": b"<!DOCTYPE html><html></html>",
    "book__xlsx": b"PK\x03\x04...",
}


@pytest.mark.parametrize("name", UNRELATED)
def test_other_members_of_a_zip_are_left_alone(tmp_path: Path, map_csv: bytes, name: str) -> None:
    path = zipped(tmp_path / "download.zip", **{name: UNRELATED[name]}, map__csv=map_csv)
    assert [part.layout for part in recognise(path)] == ["registered_map"]


def test_a_table_of_a_zip_that_is_empty_is_not_left_alone(tmp_path: Path, map_csv: bytes) -> None:
    path = zipped(tmp_path / "download.zip", map__csv=map_csv, Crosstab_London__csv=b"")
    assert refused(lambda: recognise(path)).problem == "The file is empty."


def test_a_zip_of_pictures_says_that_it_holds_no_text(tmp_path: Path) -> None:
    path = zipped(tmp_path / "download.zip", logo__png=UNRELATED["logo__png"])
    assert "neither text nor" in refused(lambda: recognise(path)).problem


def test_a_zip_of_documents_is_said_to_hold_no_table(tmp_path: Path) -> None:
    path = zipped(tmp_path / "download.zip", guide__pdf=b"%PDF", notes__txt=b"x")
    error = refused(lambda: recognise(path))
    assert isinstance(error, NotKnown) and "only documents" in error.problem


# --- none of the official ones ---------------------------------------------------------------------------------------


def test_a_stranger_s_table_is_not_known_and_its_headings_are_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("practice,same day,all\nA81001,3,4\n", encoding="utf-8")
    error = refused(lambda: recognise(path))
    assert isinstance(error, NotKnown)
    assert "practice, same day, all" in error.problem and "[source.columns]" in error.fix


def test_headings_are_shown_without_what_a_terminal_would_obey(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"\x1b[31mred\x07,{'long ' * 60},b\n1,2,3\n", encoding="utf-8")
    error = refused(lambda: recognise(path))
    assert "\x1b" not in str(error) and "[31mred" in error.problem and len(error.problem) < 200


def test_a_table_of_27_columns_is_not_taken_for_the_register(tmp_path: Path) -> None:
    heads = ["code", *(f"m{number}" for number in range(1, 27))]
    path = tmp_path / "mine.csv"
    for first in ("code", "CODE", "Practice"):
        lines = [[first, *heads[1:]], ["A81001", *map(str, range(26))]]
        path.write_text("\n".join(",".join(line) for line in lines), encoding="utf-8")
        with pytest.raises(NotKnown):
            recognise(path)


def test_the_register_has_no_headings_and_is_known_by_its_rows(tmp_path: Path) -> None:
    part = made.part(made.write(tmp_path / "x.csv", "ods_epraccur", [made.register_row("A81001")] * 3))
    assert part.layout == "ods_epraccur" and first_row(part) == 1
    assert len(text_frame(part, ["organisation_code"])) == 3


def test_headings_that_are_nearly_those_of_a_file_are_compared_one_by_one(tmp_path: Path) -> None:
    columns = list(catalogue.layouts()["registered_map"].columns)
    columns[columns.index("COMM_REGION_CODE")] = "COMM_REGION_CD"
    path = made.write(tmp_path / "map.csv", "registered_map", [made.map_row("A81001")], columns)
    error = refused(lambda: recognise(path))
    assert not isinstance(error, NotKnown)
    assert "COMM_REGION_CODE is missing (COMM_REGION_CD may be its new name)" in error.problem
    assert "tell its makers" in error.fix


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"  \r\n\r\n", "empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "web page"),
        (b"PAR1" + bytes(40), "neither text"),
        (b"\x00\x01\x02\x03" * 500, "neither text"),
        (bytes(5000), "neither text"),
    ],
)
def test_what_is_no_text_is_said_to_be_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "gp-reg-pat-prac-map.csv"
    path.write_bytes(content)
    assert said in refused(lambda: recognise(path)).problem


def test_a_folder_and_a_missing_file_are_said(tmp_path: Path) -> None:
    (tmp_path / "map.csv").mkdir()
    assert "a folder" in refused(lambda: recognise(tmp_path / "map.csv")).problem
    error = refused(lambda: recognise(tmp_path / "gone" / "map.csv"))
    assert error.problem == "The data file is not there, nor is its folder."


# --- members of archives ---------------------------------------------------------------------------------------------


def test_a_file_of_more_than_any_publication_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpvar.sources.files.members.MAX_MEMBER_BYTES", 1_000_000)
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 500_000))
    (member,) = members(path)
    with member.open() as stream, pytest.raises(SourceError, match="unpacks to more than"):
        stream.read()


def test_a_gzip_cut_short_is_found_while_reading(tmp_path: Path, map_csv: bytes) -> None:
    path = tmp_path / "map.csv.gz"
    path.write_bytes(gzip.compress(map_csv * 3)[:-12])
    assert "cut short or damaged" in refused(lambda: recognise(path)).problem


@pytest.mark.parametrize("name", ["inner__zip", "folder___inner__7z", "inner__csv__gz"])
def test_an_archive_in_an_archive_is_to_be_unpacked_first(tmp_path: Path, map_csv: bytes, name: str) -> None:
    error = refused(lambda: members(zipped(tmp_path / "x.zip", map__csv=map_csv, **{name: b"x"})))
    assert "holds another packed file" in error.problem and error.fix.startswith("Unpack it once")


def test_an_empty_zip_and_an_excel_workbook_are_said(tmp_path: Path) -> None:
    assert refused(lambda: members(zipped(tmp_path / "x.zip"))).problem == "The zip holds no file."
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    error = refused(lambda: members(tmp_path / "y.zip"))
    assert "Excel workbook" in error.problem and "as it was downloaded" in error.fix


# --- letters ---------------------------------------------------------------------------------------------------------


def names_read(path: Path) -> list[str]:
    return text_frame(made.part(path), ["PRACTICE_NAME"])["PRACTICE_NAME"].tolist()


@pytest.mark.parametrize("shift", range(6))
def test_a_letter_across_the_end_of_the_beginning_does_not_change_the_encoding(tmp_path: Path, shift: int) -> None:
    # The beginning that is looked at is 65,536 bytes long, and these letters are three bytes each.
    rows = [made.map_row("A81001", PRACTICE_NAME="x" * shift + "–" * 30_000)]
    path = made.write(tmp_path / "map.csv", "registered_map", rows)
    (name,) = names_read(path)
    assert name == "x" * shift + "–" * 30_000


def long_map(path: Path, name: bytes) -> Path:
    """A map whose first letters beyond ASCII stand far below its beginning."""
    made.write(path, "registered_map", [made.map_row(f"A{place:05d}", place % 7) for place in range(1, 900)])
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines()[-1].replace(b"Surgery", name) + b"\r\n")
    assert path.stat().st_size > 100_000
    return path


def test_windows_letters_far_down_are_read_as_such(tmp_path: Path) -> None:
    path = long_map(tmp_path / "map.csv", "St Mary’s é".encode("cp1252"))
    assert names_read(path)[-1].startswith("St Mary’s é")


def test_letters_of_two_encodings_are_refused(tmp_path: Path) -> None:
    path = long_map(tmp_path / "map.csv", "é".encode("cp1252") + "é".encode())
    assert "mixes two encodings" in refused(lambda: names_read(path)).problem


# --- columns of text, numbers, dates ---------------------------------------------------------------------------------


def quinary(tmp_path: Path, *values: str) -> Part:
    rows = [("P", "2026-07-01", "GP", "A81001", "", "", "ALL", "ALL", value) for value in values]
    return made.part(made.write(tmp_path / "q.csv", "registered_quinary", rows))


def column(tmp_path: Path, read: Callable, *values: str, **more: object) -> tuple[list[float], list[str]]:
    part = quinary(tmp_path, *values)
    frame = text_frame(part, ["NUMBER_OF_PATIENTS"])
    problems = Problems(SourceError, "x")
    found = read(frame, "NUMBER_OF_PATIENTS", part, problems, **more)
    return found.tolist(), [f"{problem.what} {problem.where}" for problem in problems.found]


def test_numbers_are_read_with_thousands_and_marks_of_what_is_missing(tmp_path: Path) -> None:
    found, said = column(tmp_path, numbers, "1,234", "12.5", "NA", "", " 7 ", missing=["na"])
    assert found[:2] == [1234, 12.5] and found[2] != found[2] and found[3] != found[3] and found[4] == 7
    assert said == []


@pytest.mark.parametrize(
    ("text", "why"), [("1,23", "is not a number"), ("-3", "is below nought"), ("2.5", "is not a whole number")]
)
def test_what_is_no_count_is_noted_with_its_row(tmp_path: Path, text: str, why: str) -> None:
    _, said = column(tmp_path, whole_numbers, "5", text)
    assert len(said) == 1 and why in said[0] and f"row 3 ('{text}')" in said[0]


def days(tmp_path: Path, read: Callable, *texts: str) -> tuple[list[str], int]:
    rows = [("P", text, "GP", "A81001", "", "", "ALL", "ALL", 1) for text in texts]
    part = made.part(made.write(tmp_path / "q.csv", "registered_quinary", rows))
    problems = Problems(SourceError, "x")
    found = read(text_frame(part, ["EXTRACT_DATE"])["EXTRACT_DATE"], "EXTRACT_DATE", part, problems)
    return found.tolist(), len(problems.found)


def test_every_way_in_which_the_files_write_a_date_is_read(tmp_path: Path) -> None:
    texts = ("2026-07-01", "01Jul2026", "01JUL2026", "01/07/2026", "1/7/2026 00:00", "JUL2026", "2026-07-01T00:00:00")
    assert days(tmp_path, day_of, *texts) == (["2026-07-01"] * len(texts), 0)
    assert days(tmp_path, month_of, *texts) == (["2026-07"] * len(texts), 0)


def test_days_that_a_spreadsheet_has_turned_round_are_noted(tmp_path: Path) -> None:
    assert days(tmp_path, day_of, "07/01/2026", "2026-07-01", "soon")[1] == 2


def test_codes_are_tidied_and_those_that_are_none_are_told_apart(tmp_path: Path) -> None:
    rows = [made.map_row(code) for code in (" a81001 ", "1.2E+05", "Y00001", "TOTAL")]
    part = made.mapping(tmp_path / "map.csv", rows)
    problems = Problems(SourceError, "x")
    codes, good = practice_codes(text_frame(part, ["PRACTICE_CODE"]), "PRACTICE_CODE", part, problems)
    assert codes.tolist()[0] == "A81001" and good.tolist() == [True, False, True, False]
    assert len(problems.found) == 1 and "row 3" in problems.found[0].where


def test_blank_lines_at_the_end_are_no_rows_and_one_row_must_be_there(tmp_path: Path, map_csv: bytes) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(map_csv + b"\r\n\r\n" + b"," * 16 + b"\r\n")
    assert len(text_frame(made.part(path), ["PRACTICE_CODE"])) == 1
    path.write_bytes(map_csv.splitlines()[0] + b"\r\n")
    assert "headings and no rows" in refused(lambda: text_frame(made.part(path), ["PRACTICE_CODE"])).problem


def test_a_heading_asked_for_that_is_not_there_is_named(tmp_path: Path, map_csv: bytes) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(map_csv.replace(b"SUPPLIER_NAME", b"SYSTEM"))
    error = refused(lambda: text_frame(made.part(path), ["PRACTICE_CODE", "SUPPLIER_NAME"]))
    assert "where practices belong" in error.problem and "SYSTEM" in error.problem


# --- the real files --------------------------------------------------------------------------------------------------

REAL = {
    "gp-reg-pat-prac-quin-age.zip": "registered_quinary",
    "gp-reg-pat-prac-map.zip": "registered_map",
    "gp-reg-pat-prac-all_jan2021.csv.gz": "registered_all",
    "PREVALENCE_2425.csv.gz": "qof_prevalence",
    "fingertips-imd-2025-gp-practice.csv": "fingertips_extract",
    "fingertips_93553_imd2019_by_practice.csv.gz": "fingertips_api",
    "nhspaymentsgp-22-23-prac.csv.gz": "nhs_payments",
    "epraccur_jan2024.csv.gz": "ods_epraccur",
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_known(name: str) -> None:
    assert [part.layout for part in recognise(shared("data", "official", name))] == [REAL[name]]


def test_real_files_of_other_publications_are_not_taken_for_these() -> None:
    for name in ("GPPS_2025_Practice_data_first25.csv", "gpps_2025_icb_selected.csv"):
        with pytest.raises(NotKnown):
            recognise(shared("data", "official", name))
    with pytest.raises(NotKnown):
        recognise(shared("data", "joined", "england_2025_26.csv.gz"))
