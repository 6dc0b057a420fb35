"""Bad input at the command: exit 2, what and where and what to do, no traceback, earlier outputs untouched."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from gpvar import cli
from tests.test_bad_input import HEADER, STUDY, as_csv, rows

Spoil = Callable[[Path], None]


def study_text(folder: Path, old: str, new: str) -> None:
    text = (folder / "study.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / "study.toml").write_text(text.replace(old, new), encoding="utf-8")


def in_study(old: str, new: str) -> Spoil:
    return lambda folder: study_text(folder, old, new)


def table(content: bytes) -> Spoil:
    return lambda folder: (folder / "practices.csv").write_bytes(content) and None


def cell(row: int, column: str, value: object) -> Spoil:
    def spoil(folder: Path) -> None:
        spoilt = rows()
        spoilt[row][HEADER.index(column)] = value
        (folder / "practices.csv").write_text(as_csv(spoilt), encoding="utf-8")

    return spoil


def duplicated(folder: Path) -> None:
    (folder / "practices.csv").write_text(as_csv([*rows(), rows()[3]]), encoding="utf-8")


def swapped(folder: Path) -> None:
    study_text(folder, '"same day"', '"SWAP"')
    study_text(folder, '"total"', '"same day"')
    study_text(folder, '"SWAP"', '"total"')


def mixed_encodings(folder: Path) -> None:
    lines = as_csv(rows()).encode().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"Practice", "Prät".encode())
    lines[3] = lines[3].replace(b"Practice", "Prät".encode("cp1252"))
    (folder / "practices.csv").write_bytes(b"".join(lines))


def workbook(write: Callable[[openpyxl.Workbook], None]) -> Spoil:
    def spoil(folder: Path) -> None:
        book = openpyxl.Workbook()
        for line in [HEADER, *rows()]:
            book.active.append(line)
        write(book)
        book.save(folder / "practices.xlsx")
        study_text(folder, "practices.csv", "practices.xlsx")

    return spoil


def uncalculated(book: openpyxl.Workbook) -> None:
    book.active["E3"] = "=D3/2"


def merged(book: openpyxl.Workbook) -> None:
    book.active.merge_cells("A3:A6")


def two_sheets(book: openpyxl.Workbook) -> None:
    book.create_sheet("Other").append(HEADER)


def wrong_sheet(folder: Path) -> None:
    workbook(lambda book: None)(folder)
    study_text(folder, 'file = "practices.xlsx"', 'file = "practices.xlsx"\nsheet = "Sheat"')


def truncated_gzip(folder: Path) -> None:
    (folder / "practices.csv").write_bytes(gzip.compress(as_csv(rows()).encode())[:-40])


def second_study(folder: Path) -> None:
    (folder / "other.toml").write_text((folder / "study.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "study.toml").rename(folder / "mine.toml")


# what is wrong → how it is made, and a word that the message must hold
BAD: dict[str, tuple[Spoil, str]] = {
    "missing column": (in_study('"same day"', '"same dya"'), "same dya"),
    "missing file": (in_study("practices.csv", "practises.csv"), "practices.csv"),
    "duplicated practice": (duplicated, "A81004"),
    "columns swapped": (swapped, "denominator"),
    "negative count": (cell(4, "same day", -3), "row 6"),
    "text in a number": (cell(4, "same day", "about 40"), "about 40"),
    "two numbers in a cell": (cell(4, "total", "12 34 x"), "row 6"),
    "mixed encodings": (mixed_encodings, "row"),
    "no bytes": (table(b""), "practices.csv"),
    "headings only": (table(as_csv([]).encode()), "practices.csv"),
    "a web page": (table(b"<!DOCTYPE html><html><body>Sign in</body></html>"), "web page"),
    "a picture": (table(b"\x89PNG\r\n\x1a\n" + bytes(200)), "practices.csv"),
    "truncated": (truncated_gzip, "practices.csv"),
    "an open quotation mark": (table(as_csv(rows()).replace("Practice 7", '"Practice 7').encode()), "quotation"),
    "formula never calculated": (workbook(uncalculated), "formula"),
    "merged cells": (workbook(merged), "merged"),
    "several sheets": (workbook(two_sheets), "Other"),
    "wrong sheet": (wrong_sheet, "Sheat"),
    "unknown practice": (in_study('"A81001"', '"A81999"'), "A81999"),
    "unknown metric": (in_study('["same_day_share"]', '["same_day_shares"]'), "same_day_share"),
    "unknown board": (in_study('"QHM"', '"QQQ"'), "QQQ"),
    "unknown covariate": (in_study('["imd2025"]', '["imd_2025"]'), "imd2025"),
    "a period that ends before it starts": (in_study("2025-04..2026-03", "2026-03..2025-04"), "period"),
    "a misspelt word in the study": (in_study("[area]", "[aera]"), "aera"),
    "study that is not TOML": (in_study("schema = 1", "schema = = 1"), "line"),
    "supply adjusted for": (in_study('M1 = ["imd2025"]', 'M1 = ["gp_fte"]'), "gp_fte"),
    "two studies in one folder": (second_study, "mine.toml"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "practices.csv").write_text(as_csv(rows()), encoding="utf-8")
    for kept in ("reports/to-send/A81001_same_day_share.html", "results/0123456789abcdef/run.json"):
        (tmp_path / kept).parent.mkdir(parents=True)
        (tmp_path / kept).write_text("earlier", encoding="utf-8")
    return tmp_path


def outputs(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for part in ("reports", "results")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_answered_and_nothing_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    spoil, word = BAD[name]
    spoil(folder)
    before = outputs(folder)
    assert cli.main([command, str(folder), "--no-open"]) == cli.YOUR_INPUT
    said = capsys.readouterr().err.strip()
    assert word.lower() in said.lower()
    assert "Traceback" not in said
    lines = said.splitlines()
    assert lines[-2].startswith("Where: ") and lines[-1].startswith("What to do: ")
    assert outputs(folder) == before


def test_there_are_at_least_25_sorts_of_bad_input() -> None:
    assert len(BAD) >= 25


def test_results_that_cannot_be_written_are_said_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted((folder / "results").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / "results").rmdir()
    (folder / "results").write_text("a file where a folder should be", encoding="utf-8")
    assert cli.main(["run", str(folder), "--no-open"]) == cli.YOUR_INPUT
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 3 and "could not be written" in said[0] and "results" in said[1]
    assert (folder / "reports/to-send/A81001_same_day_share.html").read_text(encoding="utf-8") == "earlier"


def test_a_reference_file_of_a_table_that_is_none_of_the_published_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ours.csv").write_text("GP_CODE,x\nA81001,1\n", encoding="utf-8")
    assert cli.main(["reference", "build", str(tmp_path / "ours.csv"), "--into", str(tmp_path)]) == 2
    assert "headings are those of no official file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["ours.csv"]
