"""What names a run: everything that can move a number, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpvar import build_table, catalogue, load_study, share
from gpvar.pipeline import run_key
from gpvar.study import ListSpec, SourceSpec
from gpvar.table import PracticeTable


@pytest.fixture(scope="module")
def table() -> PracticeTable:
    return build_table(load_study(share.folder("demo") / "study.toml"))


def test_the_same_study_and_files_have_the_same_key(table: PracticeTable) -> None:
    again = build_table(load_study(share.folder("demo") / "study.toml"))
    assert run_key(again.study, again) == run_key(table.study, table)


@pytest.mark.parametrize("column", ["sha256", "edition", "dates", "sheet"])
def test_what_a_file_holds_and_of_which_date_is_in_the_key(table: PracticeTable, column: str) -> None:
    # A date may come from the name of a file alone, which its content does not show.
    other = replace(table, provenance=table.provenance.assign(**{column: "2025-03"}))
    assert run_key(table.study, other) != run_key(table.study, table)


def test_where_a_file_lies_is_not(table: PracticeTable) -> None:
    other = replace(table, provenance=table.provenance.assign(file="elsewhere.csv", reason="other words"))
    assert run_key(table.study, other) == run_key(table.study, table)


@pytest.mark.parametrize(
    "lists",
    [
        (ListSpec("federation", Path("lists.csv"), "federation"),),
        (ListSpec("neighbourhood", Path("lists.csv"), ""),),
        (),
    ],
)
def test_which_list_and_which_of_its_columns_is_in_the_key(table: PracticeTable, lists: tuple[ListSpec, ...]) -> None:
    first = replace(table.study, lists=(ListSpec("neighbourhood", Path("lists.csv"), "neighbourhood"),))
    assert run_key(replace(table.study, lists=lists), table) != run_key(first, table)


def test_the_edition_of_a_publication_is_in_the_key_and_that_of_a_table_of_ones_own_is_a_remark(
    table: PracticeTable,
) -> None:
    def key(source: SourceSpec) -> str:
        return run_key(replace(table.study, sources=(source,)), table)

    published, own = SourceSpec("gpad", Path("a.zip")), table.study.sources[0]
    assert key(replace(published, edition="2026-06")) != key(published)
    assert key(replace(own, edition="2026-06")) == key(own)


@pytest.mark.parametrize("name", ["appointments.toml", "readers.toml", "headers.toml", "gates.toml", "icbs.toml"])
def test_what_decides_the_numbers_of_any_study_is_in_the_key(
    table: PracticeTable, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_key(table.study, table)
    read = catalogue._read
    monkeypatch.setattr(catalogue, "_read", lambda asked: {**read(asked), **({"new": 1} if asked == name else {})})
    assert run_key(table.study, table) != before
