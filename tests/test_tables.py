"""Tables print what was found, in text, with no blank cell; those to be sent name nobody else."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from gpvar import tables
from gpvar.words import quality
from tests import synthetic

HOSTILE = "A | B\n<script>x</script> `c`{=typst} ![](https://x) $y$"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("tables")
    return synthetic.make_run(folder, (synthetic.Card(), synthetic.RATE), n=120, names={4: HOSTILE})


def every_table(run, metric: str) -> list[tables.Table]:
    made = [
        tables.practice_rungs(run, "X10001", metric),
        tables.area_positions(run, metric),
        tables.area_methods(run, metric),
    ]
    return [
        *made,
        tables.area_practices(run, metric),
        tables.check_gates(run.table),
        tables.check_unmatched(run.table),
        tables.check_files(run.table),
    ]


@pytest.mark.parametrize("metric", ["same_day_share", "appointments_per_1000"])
def test_every_table_has_a_caption_and_no_blank_or_unknown_cell(run, metric: str) -> None:
    for table in every_table(run, metric):
        cells = table.frame.astype(str).to_numpy().ravel()
        assert table.caption and len(cells)
        assert all(c.strip() and not re.search(r"\bnan\b|\bNone\b", c) for c in cells), table.name


def test_rows_keep_to_their_columns_whatever_a_name_holds(run) -> None:
    table = tables.area_practices(run, "same_day_share")
    lines = table.to_markdown().split("\n\n")[0].splitlines()
    assert len(lines) == len(table.frame) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(table.frame.columns) + 1}
    assert "<script>" not in table.to_markdown()


def test_the_list_of_practices_is_ordered_by_code_and_complete(run) -> None:
    table = tables.area_practices(run, "same_day_share")
    assert table.frame["Code"].tolist() == sorted(run.table.area_codes)


def test_the_short_list_holds_those_outside_the_usual_range_and_nobody_else(run) -> None:
    every = tables.area_practices(run, "same_day_share").frame.set_index("Code")
    short = tables.area_standing_out(run, "same_day_share").frame.set_index("Code")
    out = every[every["Patients"].isin(["Outside the usual range", "Far outside the usual range"])]
    assert 0 < len(short) < len(every) and short.index.tolist() == out.index.tolist()
    assert short["Position"].tolist() == out["Patients"].tolist() and short["Figure"].tolist() == out["Figure"].tolist()


def test_of_a_practice_inside_both_times_the_list_says_so_once_for_all(run) -> None:
    table = tables.area_practices(run, "same_day_share")
    assert (
        table.frame["What changed"] == "\u2013"
    ).any() and "\u2013 means inside the usual range both times" in table.caption


def test_a_practice_without_a_figure_is_listed_as_such(run) -> None:
    import dataclasses

    gone = run.table.area_codes[3]
    analysis = run.analyses["same_day_share"]
    rest = analysis.practices[analysis.practices["practice_code"] != gone]
    bare = dataclasses.replace(run, analyses={"same_day_share": dataclasses.replace(analysis, practices=rest)})
    row = tables.area_practices(bare, "same_day_share").frame.set_index("Code").loc[gone]
    assert row["Figure"] == "no figure" and row["Raw"] == "The data cannot answer this"
    assert row["Expected"] == row["Gap a week"] == row["What changed"] == "not judged"


def test_tables_to_be_sent_name_no_peer(run) -> None:
    others = set(run.table.practices["practice_code"]) - {"X10001"}
    for table in (
        tables.practice_rungs(run, "X10001", "same_day_share"),
        tables.area_positions(run),
        tables.area_methods(run),
    ):
        assert not others & set(re.findall(r"X1\d{4}", table.to_markdown()))


def test_every_rung_is_in_the_practice_table(run) -> None:
    said = " ".join(tables.practice_rungs(run, "X10001", "same_day_share").frame["What is allowed for"])
    assert all(f"({rung})" in said for rung in ("M0", "M1", "M1−", "M2"))


def test_positions_add_up_to_the_practices_of_the_area(run) -> None:
    table = tables.area_positions(run, "same_day_share")
    counts = table.frame.drop(columns="Position").map(lambda v: int(v.replace(",", "")))
    assert (counts.sum() == len(run.table.area_codes)).all()


def test_a_long_list_of_what_did_not_match_is_cut_and_counted(run) -> None:
    codes = [f"X{i:05d}" for i in range(250)]
    many = pd.DataFrame({"practice_code": codes, "side": "in the data, no ICB", "detail": ""})
    table = tables.check_unmatched(SimpleNamespace(unmatched=many, area_codes=tuple(codes)))
    assert len(table.frame) == 101
    assert table.frame.iloc[-1].tolist() == ["150 more", "no board is known", "none"]


def test_of_what_did_not_match_the_area_comes_first_and_the_rest_is_counted_by_file() -> None:
    rows = [(f"X{i:05d}", "in this file, not measured", "b.csv") for i in range(250)]
    rows += [
        ("X99998", "measured, not in this file", "a.csv"),
        ("row", "in this file, not a practice code", "b.csv, 3"),
    ]
    rows += [("X99999", "measured, not in this file", "a.csv")]
    missed = pd.DataFrame(rows, columns=["practice_code", "side", "detail"])
    table = tables.check_unmatched(SimpleNamespace(unmatched=missed, area_codes=("X99999",)))
    assert table.frame.to_numpy().tolist() == [
        ["X99999", "has figures, but is not in this file", "a.csv"],
        ["row", "not a practice code", "b.csv, 3"],
        ["250 practices", "in this file, but without figures", "b.csv"],
        ["1 practice outside the area", "has figures, but is not in this file", "a.csv"],
    ]
    assert "results" not in table.to_markdown()
    assert quality.unmatched_sentences(missed) == [
        "250 practices in the files have no figures here (closed, new, or outside the files of figures).",
        "2 practices with figures are missing from a file that describes practices.",
        "1 code in the files has not the form of a practice code.",
    ]
