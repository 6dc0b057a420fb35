"""Figures of other months beside the study's own: how they are declared, read, put together, kept and told."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar import schema, share, simulate, store
from gpvar.errors import GpvarError, SourceError, StudyError
from gpvar.pipeline import run_key
from gpvar.simulate._month import month_of
from gpvar.simulate.appointments import Crosstab, write_crosstab
from gpvar.study import Period, load_study
from gpvar.table import PracticeTable, build_table
from gpvar.words import check_summary, quality
from tests.support import shared

YEAR, APRIL = Period("2025-04", "2026-03"), Period("2025-04", "2025-04")
SHARE = {"same_day_share.numerator": "same_day", "same_day_share.denominator": "total"}
RATE = {"appointments_per_1000.numerator": "total"}

_YEARS = [
    "code,same_day,total,patients",
    "A81001,400,1200,3000",
    "A81002,900,2400,6000",
    "A81003,300,1000,2500",
]
_APRILS = ["code,same_day,total,list", "A81001,50,100,3100", "A81002,60,200,6100", "A81003,20,90,2600"]


def as_file(folder: Path, name: str, lines: Sequence[str]) -> str:
    (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return name


def source(name: str, file: str, columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "file": file, "columns": {"practice_code": "code", **columns}, **more}


def study(folder: Path, *sources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A study of a small year; further sources stand beside it."""
    own = source("year", as_file(folder, "year.csv", _YEARS), {**SHARE, **RATE, "list_size": "patients"})
    return {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share", "appointments_per_1000"],
        "area": {"kind": "list", "practices": ["A81001"]},
        "source": [own, *sources],
        **changes,
    }


def april(folder: Path, lines: Sequence[str] = _APRILS, **more: Any) -> dict[str, Any]:
    return source("april", as_file(folder, "april.csv", lines), {**SHARE, **RATE}, **{"period": "2025-04", **more})


def built(folder: Path, *sources: dict[str, Any], **changes: Any) -> PracticeTable:
    return build_table(load_study(study(folder, *sources, **changes), folder))


def counts(table: PracticeTable, metric: str, period: Period) -> dict[str, tuple[float, float]]:
    rows = table.periods
    rows = rows[(rows["metric"] == metric) & (rows["start"] == period.start) & (rows["end"] == period.end)]
    assert (rows["months"] == period.months).all()
    return {row.practice_code: (row.numerator, row.denominator) for row in rows.itertuples()}


# --- a file of other months ------------------------------------------------------------------------------------------


def test_a_month_within_the_year_stands_beside_it_and_changes_no_figure(tmp_path: Path) -> None:
    alone, table = built(tmp_path), built(tmp_path, april(tmp_path))
    assert alone.periods.empty and list(alone.periods.columns) == schema.names("periods")
    assert counts(table, "same_day_share", APRIL) == {"A81001": (50, 100), "A81002": (60, 200), "A81003": (20, 90)}
    assert counts(table, "same_day_share", YEAR) == {
        "A81001": (400, 1200),
        "A81002": (900, 2400),
        "A81003": (300, 1000),
    }
    assert list(table.periods.columns) == schema.names("periods")
    for name in ("outcomes", "practices", "hierarchy", "unmatched"):
        pd.testing.assert_frame_equal(getattr(table, name), getattr(alone, name), obj=name)
    with_it, without = (each.gates[each.gates["gate"] != "join_loss"] for each in (table, alone))
    pd.testing.assert_frame_equal(with_it, without)
    assert table.provenance["source"].tolist() == ["year", "april"]
    assert table.provenance["edition"].tolist() == ["", "of April 2025"]


def test_a_practice_of_other_months_that_the_year_lost_is_listed_and_counted(tmp_path: Path) -> None:
    table = built(tmp_path, april(tmp_path, [*_APRILS, "A81009,20,90,2600", "A81008,,,2600"]))
    assert table.unmatched.values.tolist() == [
        ["A81009", "in figures of other months, not in the study's", "April 2025: april.csv"]
    ]
    row = table.gates[table.gates["gate"] == "join_loss"].iloc[0]
    assert (row["state"], row["value"]) == ("failed", pytest.approx(1 / 4))
    assert row["detail"] == "25.0 % of those in the figures of April 2025 are not in the study's"
    assert quality.unmatched_sentences(table.unmatched) == [
        "1 practice in the figures of other months has none of the study's period (closed, merged, or lost from its "
        "table)."
    ]


def test_a_practice_that_merged_within_the_year_is_not_lost_from_it(tmp_path: Path) -> None:
    events = ["code,event,date,successor,source,confirmed_by", "A81009,merged,2025-06-01,A81001,x,y"]
    (tmp_path / "events.csv").write_text("\n".join(events), encoding="utf-8")
    aprils = [*_APRILS, "A81009,20,90,2600"]
    table = built(tmp_path, april(tmp_path, aprils), events="events.csv")
    assert table.unmatched.empty
    row = table.gates[table.gates["gate"] == "join_loss"].iloc[0]
    assert (row["state"], row["detail"]) == ("passed", "0 of 3 in the figures of April 2025 are not in the study's")


def test_a_rate_without_its_own_denominator_is_of_the_list_times_the_months(tmp_path: Path) -> None:
    spring = april(tmp_path, period="2025-04..2025-06")
    table = built(tmp_path, spring)
    assert counts(table, "appointments_per_1000", Period("2025-04", "2025-06"))["A81001"] == (100, 3 * 3000)
    spring["columns"]["list_size"] = "list"
    table = built(tmp_path, spring)
    assert counts(table, "appointments_per_1000", Period("2025-04", "2025-06"))["A81001"] == (100, 3 * 3100)


def test_a_rate_that_nothing_says_the_patients_of_is_refused(tmp_path: Path) -> None:
    content = study(tmp_path, april(tmp_path))
    del content["source"][0]["columns"]["list_size"]
    content["source"][0]["columns"]["appointments_per_1000.denominator"] = "patients"
    with pytest.raises(StudyError, match="registered patients, of which appointments_per_1000"):
        build_table(load_study(content, tmp_path))


@pytest.mark.parametrize(
    ("own", "other"),
    [("2025-04", "2025-04..2026-03"), ("2025-04..2025-06", "2025-07..2025-09"), ("2025-04..2026-03", "2024-12")],
)
def test_other_months_may_contain_the_studys_or_lie_beside_them(tmp_path: Path, own: str, other: str) -> None:
    table = built(tmp_path, april(tmp_path, period=other), period=own)
    found = table.periods[["start", "end"]].drop_duplicates().itertuples(index=False)
    assert {".".join(dict.fromkeys(row)) for row in found} == {text.replace("..", ".") for text in (own, other)}


def test_a_period_that_is_the_studys_own_is_no_other(tmp_path: Path) -> None:
    content = study(tmp_path)
    plain = load_study(content, tmp_path)
    content["source"][0]["period"] = "2025-04..2026-03"
    same = load_study(content, tmp_path)
    assert same.hash == plain.hash and build_table(same).periods.empty


@pytest.mark.parametrize("cell", ["*", "<5", "", "[c]"])
def test_a_hidden_or_blank_count_is_left_out_and_never_nought(tmp_path: Path, cell: str) -> None:
    lines = [*_APRILS[:-1], f"A81003,{cell},90,2600"]
    table = built(tmp_path, april(tmp_path, lines))
    assert set(counts(table, "same_day_share", APRIL)) == {"A81001", "A81002"}
    assert set(counts(table, "appointments_per_1000", APRIL)) == {"A81001", "A81002", "A81003"}
    assert any("april.csv: 1 count of other months is hidden" in remark for remark in table.remarks)


def test_a_practice_that_only_one_of_two_files_has_is_in_the_period_of_that_one(tmp_path: Path) -> None:
    table = built(tmp_path, april(tmp_path, [*_APRILS[:2], "A81009,1,2,3"]))
    assert set(counts(table, "same_day_share", APRIL)) == {"A81001"}
    assert set(counts(table, "same_day_share", YEAR)) == {"A81001", "A81002", "A81003"}
    assert set(table.unmatched["practice_code"]) == {"A81009"}


def test_a_month_in_which_nothing_was_counted_has_no_share(tmp_path: Path) -> None:
    table = built(tmp_path, april(tmp_path, [*_APRILS[:-1], "A81003,0,0,2600"]))
    assert "A81003" not in counts(table, "same_day_share", APRIL)


def test_columns_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    wrong = april(tmp_path)
    wrong["columns"] |= {"same_day_share.numerator": "total", "same_day_share.denominator": "same_day"}
    with pytest.raises(SourceError, match="over its denominator") as caught:
        built(tmp_path, wrong)
    assert "april.csv" in caught.value.where


def test_a_file_of_another_month_than_it_is_said_to_be_is_refused(tmp_path: Path) -> None:
    lines = ["code,month,same_day,total", "A81001,Mar-25,5,10"]
    other = april(tmp_path, lines)
    other["columns"]["period"] = "month"
    with pytest.raises(SourceError, match="No row is of the source's period, April 2025") as caught:
        built(tmp_path, other)
    assert "[[source]] april" in caught.value.fix


def test_a_file_of_another_month_without_a_period_is_told_how_to_be_read(tmp_path: Path) -> None:
    lines = ["code,month,same_day,total,patients", "A81001,Mar-25,5,10,7"]
    content = study(tmp_path)
    content["source"] = [source("m", as_file(tmp_path, "m.csv", lines), {**SHARE, "period": "month"})]
    content["metrics"] = ["same_day_share"]
    with pytest.raises(SourceError, match="No row is of the study's period") as caught:
        build_table(load_study(content, tmp_path))
    assert 'period = "2025-03"' in caught.value.fix


# --- what is refused of a study file ---------------------------------------------------------------------------------


def refused(folder: Path, *sources: dict[str, Any], **changes: Any) -> StudyError:
    with pytest.raises(StudyError) as caught:
        load_study(study(folder, *sources, **changes), folder)
    for part in (caught.value.problem, caught.value.where, caught.value.fix):
        assert part and "\n" not in part
    return caught.value


@pytest.mark.parametrize("text", ["April 2025", "2025-13", "2025-06..2025-04", "", 202504])
def test_a_period_that_cannot_be_read_is_refused(tmp_path: Path, text: object) -> None:
    error = refused(tmp_path, april(tmp_path, period=text))
    assert "period of a source" in error.problem and "[[source]] april" in error.where and "2025-04" in error.fix


def test_a_period_source_without_counts_is_refused(tmp_path: Path) -> None:
    other = april(tmp_path)
    other["columns"] = {"practice_code": "code", "list_size": "list"}
    assert "holds no counts" in refused(tmp_path, other).problem


def test_a_share_of_other_months_needs_both_its_counts(tmp_path: Path) -> None:
    other = april(tmp_path)
    del other["columns"]["same_day_share.denominator"]
    assert "denominator of 'same_day_share'" in refused(tmp_path, other).problem


def test_what_practices_are_like_is_refused_in_a_period_source(tmp_path: Path) -> None:
    other = april(tmp_path)
    other["columns"] |= {"imd2025": "imd", "practice_name": "name"}
    error = refused(tmp_path, other)
    assert "imd2025" in error.problem and "practice_name" in error.problem and "April 2025" in error.problem


def test_a_publication_has_no_period_of_its_own(tmp_path: Path) -> None:
    content = study(tmp_path, {"id": "qof_prevalence", "file": "qof.zip", "period": "2025-04"})
    with pytest.raises(StudyError, match="for the study's own months"):
        load_study(content, tmp_path)


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        (("2025-04..2025-06", "2025-06..2025-08"), "which overlap"),
        (("2026-01..2026-04",), "which overlap"),
        (("2025-04", "2025-04"), "from two sources"),
    ],
)
def test_periods_that_overlap_without_one_holding_the_other_are_refused(
    tmp_path: Path, periods: tuple[str, ...], said: str
) -> None:
    others = [april(tmp_path, id=f"part{number}", period=text) for number, text in enumerate(periods)]
    assert said in refused(tmp_path, *others).problem


def test_periods_of_different_metrics_may_overlap(tmp_path: Path) -> None:
    one, other = april(tmp_path, period="2025-04..2025-06"), april(tmp_path, id="b", period="2025-06..2025-08")
    one["columns"], other["columns"] = {"practice_code": "code", **SHARE}, {"practice_code": "code", **RATE}
    assert len(load_study(study(tmp_path, one, other), tmp_path).period_sources) == 2


def test_a_study_of_other_months_alone_has_no_figures(tmp_path: Path) -> None:
    content = study(tmp_path)
    content["source"] = [april(tmp_path)]
    with pytest.raises(GpvarError, match="no data file of its own period"):
        build_table(load_study(content, tmp_path))


# --- what names a run, and what is kept of it ------------------------------------------------------------------------


def test_the_period_of_a_source_is_in_the_run_key_and_none_changes_none(tmp_path: Path) -> None:
    keys = set()
    for text in ("2025-04", "2025-05"):
        declared = load_study(study(tmp_path, april(tmp_path, period=text)), tmp_path)
        keys.add(run_key(declared, build_table(declared)))
    assert len(keys) == 2
    parts = load_study(study(tmp_path), tmp_path).analysis_part()["sources"]
    assert all("period" not in part for part in parts)


def test_the_period_of_a_source_is_kept_with_the_run(tmp_path: Path) -> None:
    declared = load_study(
        study(tmp_path, april(tmp_path), april(tmp_path, id="spring", period="2025-04..2025-06")), tmp_path
    )
    again = load_study(store._declared(declared), tmp_path)
    assert [item.period for item in again.sources] == [None, APRIL, Period("2025-04", "2025-06")]
    assert again.hash == declared.hash


def test_counts_of_other_months_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    table = built(tmp_path, april(tmp_path))
    store._to_csv(table.periods, tmp_path / "periods.csv")
    again = store._read(tmp_path / "periods.csv", "periods")
    pd.testing.assert_frame_equal(again, table.periods, check_dtype=False)
    assert again["start"].unique().tolist() == ["2025-04"]


def test_check_says_which_other_months_were_read(tmp_path: Path) -> None:
    said = check_summary(built(tmp_path, april(tmp_path)))
    assert "April 2025 was read too: 3 practices, same-day share and appointments per 1,000 patients a month." in said
    assert "read too" not in check_summary(built(tmp_path))


# --- months that were added up ---------------------------------------------------------------------------------------

WINTER = ("2026-01", "2026-02", "2026-03")
METRICS = ["same_day_share", "dna_share", "appointments_per_1000"]
COUNTED = {
    "same_day_share": ("same_day", "total"),
    "dna_share": ("dna", None),
    "appointments_per_1000": ("total", None),
}
HEAD = "code,event,date,successor,source,confirmed_by"


@pytest.fixture(scope="module")
def winter(tmp_path_factory: pytest.TempPathFactory) -> Crosstab:
    practices = simulate.england(practices=300, icbs=4).practices.head(60)
    practices = practices.assign(list_size=practices["mean_monthly_list_size"])
    folder = tmp_path_factory.mktemp("winter")
    made = write_crosstab(folder, practices=practices, months=WINTER, rows_per_month=3000)
    sizes = practices[["practice_code", "list_size"]]
    sizes.to_csv(folder / "lists.csv", index=False)
    return made


def by_months(made: Crosstab, events: Sequence[str] = (), *more: dict[str, Any], **changes: Any) -> PracticeTable:
    folder = made.files[0].parent
    listed = {"practice_code": "practice_code", "list_size": "list_size"}
    content = {
        "declared": "2026-04-14",
        "period": "2026-01..2026-03",
        "simulated": True,
        "metrics": METRICS,
        "area": {"kind": "list", "practices": [made.practices["practice_code"].unique()[1]]},
        "source": [
            {"id": "gpad", "file": [str(file) for file in made.files]},
            {"id": "lists", "file": str(folder / "lists.csv"), "columns": listed},
            *more,
        ],
        **changes,
    }
    if events:
        content["events"] = as_file(folder, "events.csv", [HEAD, *events])
    return build_table(load_study(content, folder))


def test_every_month_of_the_appointments_is_kept(winter: Crosstab) -> None:
    table = by_months(winter)
    truth = winter.practices.set_index(["practice_code", "month"])
    sizes = table.practices.set_index("practice_code")["list_size"]
    for metric, (top, base) in COUNTED.items():
        for month in WINTER:
            found = counts(table, metric, Period(month, month))
            here = truth.xs(month, level="month")
            assert {code: pair[0] for code, pair in found.items()} == here[top].to_dict()
            below = {"dna_share": here["attended"] + here["dna"], "appointments_per_1000": sizes}.get(
                metric, here["total"]
            )
            assert {code: pair[1] for code, pair in found.items()} == below.reindex(list(found)).to_dict(), base
    months = table.periods[table.periods["months"] == 1].groupby(["metric", "practice_code"])[
        ["numerator", "denominator"]
    ]
    whole = table.outcomes.set_index(["metric", "practice_code"])[["numerator", "denominator"]]
    pd.testing.assert_frame_equal(months.sum().sort_index(), whole.sort_index(), check_dtype=False)
    assert set(table.periods["metric"]) == set(METRICS)
    said = check_summary(table)
    assert "3 single months were read too, January 2026 to March 2026: 60 practices, same-day share" in said


def test_a_study_of_one_month_has_no_other(winter: Crosstab) -> None:
    assert by_months(winter, period="2026-02").periods.empty


def test_a_merger_puts_every_month_under_one_code(winter: Crosstab) -> None:
    gone, kept = winter.practices["practice_code"].unique()[:2]
    plain = by_months(winter)
    table = by_months(winter, [f"{gone},merged,2026-03-01,{kept},letter,J. Smith"])
    for metric in METRICS:
        for month in WINTER:
            before, after = (counts(item, metric, Period(month, month)) for item in (plain, table))
            assert gone not in after
            assert after[kept] == pytest.approx(tuple(map(sum, zip(before[gone], before[kept], strict=True))))
    months = table.periods[(table.periods["practice_code"] == kept) & (table.periods["months"] == 1)]
    whole = table.outcomes[table.outcomes["practice_code"] == kept].set_index("metric")
    sums = months.groupby("metric")[["numerator", "denominator"]].sum()
    pd.testing.assert_frame_equal(sums, whole.loc[sums.index, ["numerator", "denominator"]], check_dtype=False)


def test_a_month_of_a_file_beside_the_same_month_of_the_appointments_is_refused(winter: Crosstab) -> None:
    folder = winter.files[0].parent
    codes = winter.practices["practice_code"].unique()[:2]
    lines = ["code,same_day,total", *(f"{code},1,2" for code in codes)]
    feb = source("feb", as_file(folder, "feb.csv", lines), SHARE, period="2026-02")
    with pytest.raises(StudyError, match="'same_day_share' of February 2026 is told by two files"):
        by_months(winter, (), feb)
    feb["period"] = "2025-02"
    assert len(counts(by_months(winter, (), feb), "same_day_share", Period("2025-02", "2025-02"))) == 2


MONTHS = ["code,month,same_day,total", "A81001,2026-01,1,10", "A81001,2026-02,*,10", "A81002,2026-01,4,20"]
MONTHS += ["A81002,2026-02,5,25"]


def of_months(folder: Path, lines: Sequence[str], events: Sequence[str] = ()) -> PracticeTable:
    own = source("m", as_file(folder, "m.csv", lines), {**SHARE, "period": "month"})
    content = study(folder, period="2026-01..2026-02", metrics=["same_day_share"], source=[own])
    content["area"] = {"kind": "list", "practices": ["A81002"]}
    if events:
        content["events"] = as_file(folder, "events.csv", [HEAD, *events])
    return build_table(load_study(content, folder))


def test_the_months_of_a_table_of_ones_own_are_kept_and_a_hidden_one_is_not_there(tmp_path: Path) -> None:
    table = of_months(tmp_path, MONTHS)
    january, february = (counts(table, "same_day_share", Period(m, m)) for m in ("2026-01", "2026-02"))
    assert january == {"A81001": (1, 10), "A81002": (4, 20)}
    assert february == {"A81002": (5, 25)}
    assert counts(table, "same_day_share", Period("2026-01", "2026-02")) == {"A81002": (9, 45)}


def test_a_hidden_part_of_a_merger_leaves_the_sum_out(tmp_path: Path) -> None:
    table = of_months(tmp_path, MONTHS, ["A81001,merged,2026-02-15,A81002,letter,J. Smith"])
    assert counts(table, "same_day_share", Period("2026-01", "2026-01")) == {"A81002": (5, 30)}
    assert counts(table, "same_day_share", Period("2026-02", "2026-02")) == {}


def test_a_month_before_a_merger_that_only_the_successor_has_is_left_out(tmp_path: Path) -> None:
    lines = [line for line in MONTHS if not line.startswith("A81001,2026-01")]
    table = of_months(tmp_path, [*lines, "A81003,2026-01,2,8", "A81003,2026-02,3,9"], [_MERGED])
    assert counts(table, "same_day_share", Period("2026-01", "2026-01")) == {"A81003": (2, 8)}


_MERGED = "A81001,merged,2026-02-01,A81002,letter,J. Smith"


def test_a_practice_whose_code_changed_keeps_its_months_under_the_new_one(tmp_path: Path) -> None:
    lines = ["code,month,same_day,total", "A81001,2026-01,1,10", "A81002,2026-02,5,25"]
    table = of_months(tmp_path, lines, [_MERGED.replace("merged", "code_changed")])
    assert counts(table, "same_day_share", Period("2026-01", "2026-01")) == {"A81002": (1, 10)}
    assert counts(table, "same_day_share", Period("2026-01", "2026-02")) == {"A81002": (6, 35)}


def test_april_of_two_practices_that_merged_is_their_sum(tmp_path: Path) -> None:
    merged = as_file(tmp_path, "events.csv", [HEAD, "A81001,merged,2025-10-01,A81002,letter,J. Smith"])
    table = built(tmp_path, april(tmp_path), events=merged, area={"kind": "list", "practices": ["A81002"]})
    assert counts(table, "same_day_share", APRIL) == {"A81002": (110, 300), "A81003": (20, 90)}
    assert counts(table, "same_day_share", YEAR)["A81002"] == (1300, 3600)
    assert counts(table, "appointments_per_1000", APRIL)["A81002"] == (300, 9000)


@pytest.mark.parametrize(
    ("event", "left"),
    [
        ("A81001,merged,2025-10-01,A81002,letter,J. Smith", {"A81003"}),
        ("A81001,closed,2025-10-01,,letter,J. Smith", {"A81002", "A81003"}),
        ("A81001,merged,2026-10-01,A81002,letter,J. Smith", {"A81001", "A81002", "A81003"}),
    ],
)
def test_a_year_in_which_a_practice_ended_is_not_held_against_its_april(
    tmp_path: Path, event: str, left: set[str]
) -> None:
    # The study is of April; the year stands beside it, and holds half of what the practice would have done.
    content = study(tmp_path, april(tmp_path, period="2025-04..2026-03"), period="2025-04")
    content["events"] = as_file(tmp_path, "events.csv", [HEAD, event])
    table = build_table(load_study(content, tmp_path))
    assert set(counts(table, "same_day_share", YEAR)) == left
    assert set(counts(table, "same_day_share", APRIL)) == {"A81001", "A81002", "A81003"}


def test_a_period_with_months_of_its_own_is_their_sum_where_all_are_there(tmp_path: Path) -> None:
    lines = ["code,month,same_day,total", "A81001,2025-01,1,10", "A81001,2025-02,2,20", "A81002,2025-01,3,30"]
    before = source(
        "before", as_file(tmp_path, "before.csv", lines), {**SHARE, "period": "month"}, period="2025-01..2025-02"
    )
    table = built(tmp_path, before, metrics=["same_day_share"])
    assert counts(table, "same_day_share", Period("2025-01", "2025-02")) == {"A81001": (3, 30)}
    assert counts(table, "same_day_share", Period("2025-01", "2025-01")) == {"A81001": (1, 10), "A81002": (3, 30)}


# --- the demonstration, and England -----------------------------------------------------------------------------------


def test_april_of_the_demonstration_is_what_the_seed_gives_byte_for_byte(tmp_path: Path) -> None:
    simulate.write_demo(tmp_path)
    committed = share.folder("demo") / "april_2025.csv"
    assert (tmp_path / "april_2025.csv").read_bytes() == committed.read_bytes()
    assert committed.stat().st_size < 150_000


def test_no_count_of_april_is_over_the_years_and_parts_are_within_their_wholes() -> None:
    world = simulate.england(seed=11)
    month = month_of(world.practices, world.seed)
    assert month["month"].unique().tolist() == ["2025-04"]
    for name in month.columns[2:]:
        year = world.practices[name if name in world.practices else f"gpad_annual_{name}"]
        assert (month[name] >= 0).all() and (month[name] <= year).all(), name
    total = month["total_appointments"]
    assert (month["attended"] + month["dna"] <= total).all()
    intervals = month[["same_day", "1_day", "2_to_7_days", "8_to_14_days", "over_14_days"]]
    assert (intervals.sum(axis=1) <= total).all()
    assert (
        month["general_consultation_acute_same_day"] <= month[["general_consultation_acute", "same_day"]].min(axis=1)
    ).all()


def test_april_moves_about_the_year_as_far_as_it_was_told_to() -> None:
    told = simulate._world.constants("movement")["variance"]
    found: dict[str, list[float]] = {"same_day": [], "face_to_face": [], "dna": [], "total_appointments": []}
    for seed in range(6):
        world = simulate.england(seed=seed, planted=False)
        year, month = world.practices.filter(like="gpad_annual_"), month_of(world.practices, seed)
        year = year.rename(columns=lambda name: name.removeprefix("gpad_annual_"))
        for name in found:
            found[name].append(movement(year, month, name))
    for name, values in found.items():
        # Six draws of 1,200: the standard error of a variance is about 2 % here, that of sampling comes on top.
        assert sum(values) / len(values) == pytest.approx(told[name], rel=0.10), name


def movement(year: pd.DataFrame, month: pd.DataFrame, name: str) -> float:
    """The variance of one month about the year, without what chance adds, as that of one month about its own mean."""
    if name == "total_appointments":
        gap = np.log((month[name] + 0.5) / (year[name] / 12))
        chance = 1 / (month[name] + 0.5)
    else:
        whole = ["attended", "dna"] if name == "dna" else ["total_appointments"]
        of, all_year = month[whole].sum(axis=1), year[whole].sum(axis=1)
        gap = np.log((month[name] + 0.5) / (of - month[name] + 0.5)) - np.log(year[name] / (all_year - year[name]))
        chance = 1 / (month[name] + 0.5) + 1 / (of - month[name] + 0.5)
    usual = year["total_appointments"] > 20_000
    return float((gap[usual].var() - chance[usual].mean()) * 12 / 11)


def test_the_demonstration_holds_april_of_every_metric_beside_its_year() -> None:
    content = load_study(share.folder("demo"))
    metrics = [key.partition(".")[0] for key in content.own_sources[0].columns if key.endswith(".numerator")]
    metrics = [name for name in dict.fromkeys(metrics) if f"{name}.numerator" in content.period_sources[0].columns]
    assert len(metrics) == 9
    table = build_table(replace(content, metrics=tuple(metrics)))
    sizes = table.periods.groupby(["metric", "start", "end"]).size()
    assert len(sizes) == 2 * len(metrics) and sizes.min() > 1190
    months = table.periods[table.periods["months"] == 1].set_index(["metric", "practice_code"])["numerator"]
    years = table.periods[table.periods["months"] == 12].set_index(["metric", "practice_code"])["numerator"]
    assert (months <= years.reindex(months.index)).all()


WIDE = ["Same Day", "1 Day", "2 to 7 Days", "8  to 14 Days", "15  to 21 Days", "22  to 28 Days", "More than 28 Days"]
WIDE += ["Unknown / Data Quality"]


def test_april_of_england_stands_beside_its_year() -> None:
    file = shared("data", "joined", "appointments_april_2025_wide.csv.gz")
    content = {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share", "appointments_per_1000"],
        "area": {"kind": "icb", "code": "QHM"},
        "source": [
            {
                "id": "year",
                "file": str(shared("data", "joined", "england_2025_26.csv.gz")),
                "columns": {
                    "practice_code": "practice_code",
                    "icb_code": "icb_code_2024",
                    "list_size": "mean_monthly_list_size",
                    "same_day_share.numerator": "gpad_annual_same_day",
                    "same_day_share.denominator": "gpad_annual_total_appointments",
                    "appointments_per_1000.numerator": "gpad_annual_total_appointments",
                    "appointments_per_1000.denominator": "annual_patient_month_exposure",
                },
            },
            {
                "id": "april",
                "file": str(file),
                "period": "2025-04",
                "columns": {
                    "practice_code": "GP_CODE",
                    "same_day_share.numerator": "Same Day",
                    "same_day_share.denominator": WIDE,
                    "appointments_per_1000.numerator": WIDE,
                },
            },
        ],
    }
    table = build_table(load_study(content))
    with gzip.open(file, "rt", encoding="utf-8-sig") as lines:
        april = pd.read_csv(lines).set_index("GP_CODE")
    both = april.loc[april.index.intersection(table.practices["practice_code"])]
    assert (len(april), len(both)) == (6175, 6067)
    found = table.periods[(table.periods["start"] == "2025-04") & (table.periods["end"] == "2025-04")]
    shares = found[found["metric"] == "same_day_share"].set_index("practice_code")
    assert len(shares) == 6067
    assert shares["numerator"].to_dict() == both["Same Day"].to_dict()
    assert shares["denominator"].to_dict() == both[WIDE].sum(axis=1).to_dict()
    rates = found[found["metric"] == "appointments_per_1000"].set_index("practice_code")
    sizes = table.practices.set_index("practice_code")["list_size"]
    assert rates["numerator"].sum() == both[WIDE].to_numpy().sum()
    assert rates["denominator"].to_dict() == sizes.to_dict()
    keys = ["metric", "practice_code"]
    assert (found.set_index(keys)["numerator"] <= table.outcomes.set_index(keys)["numerator"]).all()
    lost = table.unmatched[table.unmatched["side"] == "in figures of other months, not in the study's"]
    assert set(lost["practice_code"]) == set(april.index) - set(both.index) and len(lost) == 108
    gate = table.gates[table.gates["gate"] == "join_loss"].iloc[0]
    assert (gate["state"], gate["detail"]) == (
        "passed",
        "108 of 6,175 in the figures of April 2025 are not in the study's",
    )
