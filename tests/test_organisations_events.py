"""What happened to practices: confirmed lines are checked and used, proposals are shown and never used."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpvar import organisations
from gpvar.errors import SourceError
from gpvar.sources.lists import read_events, read_list
from gpvar.study import months_of, parse_period

YEAR = parse_period("2025-04..2026-03")
HEAD = "code,event,date,successor,source,confirmed_by\n"
MONTHS = [f"2025-{month:02d}" for month in range(4, 13)] + [f"2026-{month:02d}" for month in range(1, 4)]


def events(*lines: str, known: list[str] | None = None) -> organisations.Events:
    cells = pd.read_csv(io.StringIO(HEAD + "\n".join(lines)), dtype=str, keep_default_na=False)
    cells.index = range(2, 2 + len(cells))
    return organisations.check_events(cells, "practice_events.csv", known)


def refused(*lines: str, known: list[str] | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        events(*lines, known=known)
    return caught.value


MERGED = "A81001,merged,2025-10-01,A81002,ODS,J Smith"


# Reading


def test_a_confirmed_event_is_read_and_a_blank_name_only_proposes() -> None:
    found = events(MERGED, "A81003,closed,2025-11-30,,letter,", "A81004,closed,2025-11-30,,letter,tbc")
    assert found.confirmed[["code", "event", "date", "successor", "confirmed_by", "row"]].to_numpy().tolist() == [
        ["A81001", "merged", "2025-10-01", "A81002", "J Smith", 2]
    ]
    assert found.proposed["code"].tolist() == ["A81003", "A81004"]


@pytest.mark.parametrize(
    "written", ["2025-10-01", "01/10/2025", "1.10.2025", "1 October 2025", "01Oct2025", "2025-10-01 00:00:00"]
)
def test_dates_are_read_as_people_and_spreadsheets_write_them(written: str) -> None:
    assert events(f"A81001,Merged,{written},a81002,,me").confirmed["date"].tolist() == ["2025-10-01"]


def test_columns_may_stand_in_any_order_and_others_are_left_alone() -> None:
    text = "Confirmed by,Date,evidence,Practice_Code,EVENT,successor\nme,2025-10-01,90 %,A81001,code changed,A81002\n"
    cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    found = organisations.check_events(cells, "here").confirmed
    assert found[["code", "event", "source"]].to_numpy().tolist() == [["A81001", "code_changed", ""]]


@pytest.mark.parametrize(
    ("line", "said", "fix"),
    [
        ("A81001,merge,2025-10-01,A81002,,me", "'merge' is not an event", "Did you mean 'merged'?"),
        ("A81001,,2025-10-01,A81002,,me", "No event is given", "It is one of: merged, closed"),
        ("A81001,merged,10/25/2025,A81002,,me", "'10/25/2025' is not a date", "day, month, year"),
        ("A81001,merged,2025-02-30,A81002,,me", "'2025-02-30' is not a date", "2025-10-01"),
        ("A81001,merged,,A81002,,me", "No date is given", "2025-10-01"),
        ("A81001,merged,2025-10-01,,,me", "said to have merged, and no successor", "went to several, write closed"),
        ("A81001,code_changed,2025-10-01,,,me", "changed its code, and no successor", "Write its new code"),
        ("A81001,closed,2025-10-01,A81002,,me", "said to have closed, and a successor", "Write merged"),
        ("A81001,merged,2025-10-01,A81001,,me", "its own successor", "Name the practice that it became part of"),
        ("A8100,merged,2025-10-01,A81002,,me", "'A8100' cannot be a practice code", "a letter and five digits"),
        ("A81001,merged,2025-10-01,Mill,,me", "'MILL' cannot be a practice code", "a letter and five digits"),
        (",closed,2025-10-01,,,me", "No practice code is given", "such as A81001"),
    ],
)
def test_a_faulty_line_is_refused_in_plain_words(line: str, said: str, fix: str) -> None:
    error = refused(line)
    assert said in error.problem
    assert error.where.startswith("practice_events.csv, row 2")
    assert fix in error.fix


def test_a_proposed_line_is_checked_too() -> None:
    assert "is not a date" in refused("A81001,merged,soon,A81002,,").problem


def test_everything_wrong_is_said_at_once() -> None:
    error = refused("A81001,merged,soon,A81002,,me", "A81003,gone,2025-10-01,,,me", "A81004,merged,2025-10-01,,,me")
    assert error.problem.startswith("3 things need mending")
    assert all(row in error.problem for row in ("row 2", "row 3", "row 4"))


def test_a_successor_that_no_file_knows_is_met_with_the_nearest() -> None:
    error = refused("A81001,merged,2025-10-01,A81020,,me", known=["A81001", "A81021", "B82001"])
    assert "The successor A81020 of A81001 is in none of the study's files" in error.problem
    assert "Did you mean A81021?" in error.fix
    assert len(events("A81009,merged,2025-10-01,A81021,,me", known=["A81021"]).confirmed) == 1


def test_missing_columns_are_named() -> None:
    with pytest.raises(SourceError) as caught:
        organisations.check_events(pd.DataFrame({"code": ["A81001"], "events": ["merged"]}), "here")
    assert "There is no column 'event'. Did you mean 'events'?" in caught.value.problem
    assert "There is no column 'confirmed_by'." in caught.value.problem


def test_a_practice_ends_once() -> None:
    error = refused(MERGED, "A81001,merged,2025-12-01,A81003,,me")
    assert error.problem == "A81001 ends 2 times: merged A81002 on 2025-10-01; merged A81003 on 2025-12-01."
    assert error.where == "practice_events.csv, rows 2, 3"
    assert "stands twice" in refused(MERGED, MERGED).problem


def test_proposals_that_exclude_each_other_may_stand_side_by_side() -> None:
    found = events(MERGED, "A81001,merged,2025-10-01,A81003,,", "A81002,merged,2025-10-01,A81001,,")
    assert (len(found.confirmed), len(found.proposed)) == (1, 2)


def test_successors_may_not_go_round_in_a_circle() -> None:
    error = refused(MERGED, "A81002,merged,2025-10-01,A81003,,me", "A81003,code_changed,2025-10-01,A81001,,me")
    assert "round in a circle: A81001 to A81002 to A81003 to A81001" in error.problem
    assert error.where == "practice_events.csv, rows 2, 3, 4"


def test_a_successor_must_not_have_ended_before() -> None:
    error = refused(MERGED, "A81002,closed,2025-06-30,,,me")
    assert "A81002 is the successor of A81001 on 2025-10-01, and it closed before" in error.problem


def test_successors_of_successors_are_followed_up_to_the_day() -> None:
    found = events(MERGED, "A81002,code_changed,2026-01-01,A81009,,me", "A81005,merged,2025-05-01,A81006,,")
    assert organisations.successors_on(found, dt.date(2025, 12, 31)) == {"A81001": "A81002"}
    assert organisations.successors_on(found, dt.date(2026, 3, 31)) == {"A81001": "A81009", "A81002": "A81009"}
    assert organisations.successors_on(organisations.no_events(), dt.date(2026, 3, 31)) == {}


def test_events_within_a_period_name_both_practices() -> None:
    found = events(
        MERGED,
        "A81003,closed,2026-03-31,,,me",
        "A81004,merged,2025-04-01,A81005,,me",
        "A81006,code_changed,2025-09-01,A81007,,me",
        "A81008,closed,2026-04-01,,,me",
    )
    assert organisations.events_within(found, YEAR) == {
        "A81001": "merged into A81002 on 1 October 2025",
        "A81002": "A81001 merged into it on 1 October 2025",
        "A81003": "closed on 31 March 2026",
    }


def test_the_template_is_a_file_that_can_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "practice_events.csv"
    path.write_text(organisations.events_template(), encoding="utf-8-sig", newline="")
    found, provenance = read_events(path)
    assert found.confirmed.empty and found.proposed.empty
    assert path.read_bytes().endswith(b"source,confirmed_by\r\n")
    assert (provenance["source"], provenance["rows_read"]) == ("practice events", 0)


def test_a_file_of_events_says_how_many_lines_were_not_used(tmp_path: Path) -> None:
    path = tmp_path / "practice_events.csv"
    path.write_text(HEAD + MERGED + "\n\nA81003,closed,2025-11-30,,,\n", encoding="utf-8-sig")
    found, provenance = read_events(path)
    assert (found.confirmed["row"].tolist(), found.proposed["row"].tolist()) == ([2], [4])
    assert [provenance[name] for name in ("rows_read", "rows_kept", "rows_dropped", "reason")] == [
        2,
        1,
        1,
        "confirmed by nobody",
    ]


# Proposals


def lists_of(**lists: list[float]) -> pd.DataFrame:
    table = pd.DataFrame(lists, index=MONTHS).rename_axis("month")
    return table.melt(ignore_index=False, var_name="practice_code").reset_index().dropna()


def map_of(**networks: str) -> pd.DataFrame:
    return pd.DataFrame({"practice_code": list(networks), "pcn_code": list(networks.values())})


NONE = float("nan")
ENDS = [4000.0] * 6 + [NONE] * 6
GAINS = [9000.0] * 6 + [12900.0] * 6
STEADY = [8000.0] * 12


def test_a_likely_merger_is_proposed_with_its_evidence() -> None:
    lists = lists_of(A81001=ENDS, A81002=GAINS, A81003=STEADY)
    networks = map_of(A81001="U1", A81002="U1", A81003="U1")
    found = organisations.propose_events(networks, networks.iloc[1:], lists)
    assert len(found) == 1
    row = found.iloc[0]
    assert row[list(organisations.EVENT_COLUMNS)].tolist() == [
        "A81001",
        "merged",
        "2025-10-01",
        "A81002",
        "proposed from the lists of patients",
        "",
    ]
    assert (row["list_then"], row["gain"], row["gain_over_list"], row["jump_pct"]) == (4000, 3900, 0.97, 43.3)
    assert (row["last_month"], row["jump_month"], row["months_apart"], row["candidates"]) == (
        "2025-09",
        "2025-10",
        0,
        1,
    )


@pytest.mark.parametrize(
    ("gains", "pcn"),
    [
        (GAINS, "U2"),
        ([9000.0] * 9 + [12900.0] * 3, "U1"),
        ([40000.0] * 6 + [44000.0] * 6, "U1"),
        ([9000.0] * 6 + [19000.0] * 6, "U1"),
    ],
    ids=["another network", "three months later", "a jump too small for its list", "a jump of another size"],
)
def test_what_does_not_fit_is_no_successor(gains: list[float], pcn: str) -> None:
    networks = map_of(A81001="U1", A81002=pcn)
    found = organisations.propose_events(networks, networks.iloc[1:], lists_of(A81001=ENDS, A81002=gains))
    assert found[["code", "event", "successor", "candidates"]].to_numpy().tolist() == [["A81001", "closed", "", 0]]


def test_practices_without_a_network_have_no_neighbours_to_merge_with() -> None:
    networks = map_of(A81001="U", A81002="U")
    found = organisations.propose_events(networks, networks.iloc[1:], lists_of(A81001=ENDS, A81002=GAINS))
    assert found["event"].tolist() == ["closed"]


def test_two_practices_that_joined_a_third_together_are_both_proposed() -> None:
    networks = map_of(A81001="U1", A81002="U1", A81004="U1")
    gains = [9000.0] * 6 + [15800.0] * 6
    lists = lists_of(A81001=ENDS, A81002=gains, A81004=[3000.0] * 6 + [NONE] * 6)
    found = organisations.propose_events(networks, networks.iloc[1:2], lists)
    assert found[["code", "successor", "closed_together"]].to_numpy().tolist() == [
        ["A81001", "A81002", 7000],
        ["A81004", "A81002", 7000],
    ]


def test_a_list_that_begins_where_another_ends_is_proposed_as_a_change_of_code() -> None:
    networks = map_of(A81001="U1", A81009="U1")
    lists = lists_of(A81001=ENDS, A81009=[NONE] * 6 + [4050.0] * 6)
    found = organisations.propose_events(networks.iloc[:1], networks.iloc[1:], lists)
    assert found[["event", "successor"]].to_numpy().tolist() == [["code_changed", "A81009"]]


def test_a_practice_that_a_later_map_still_has_did_not_end() -> None:
    networks = map_of(A81001="U1", A81002="U1")
    lists = lists_of(A81001=ENDS, A81002=GAINS)
    assert organisations.propose_events(networks, networks.assign(date="2026-07-01"), lists).empty
    assert len(organisations.propose_events(networks, networks.assign(date="2025-08-01"), lists)) == 1


def test_proposals_are_read_back_as_proposals(tmp_path: Path) -> None:
    networks = map_of(A81001="U1", A81002="U1")
    proposed = organisations.propose_events(networks, networks.iloc[1:], lists_of(A81001=ENDS, A81002=GAINS))
    path = tmp_path / "practice_events.csv"
    path.write_text(organisations.events_template(proposed), encoding="utf-8-sig", newline="")
    found, _ = read_events(path)
    assert (len(found.confirmed), found.proposed["code"].tolist()) == (0, ["A81001"])
    path.write_text(
        path.read_text(encoding="utf-8-sig").replace("lists of patients,,", "lists of patients,JS,"), "utf-8"
    )
    assert read_events(path)[0].confirmed["successor"].tolist() == ["A81002"]


# Like for like


def counts_of(*rows: tuple) -> pd.DataFrame:
    """Rows of code, numerator, denominator, months; one metric."""
    frames = []
    for code, top, base, months in rows:
        for part, value in (("numerator", top), ("denominator", base)):
            frames.append((code, "same_day_share", part, float(value), float(value), float(value), False, months))
    columns = ["practice_code", "metric", "part", "value", "low", "high", "hidden", "months"]
    return pd.DataFrame(frames, columns=columns)


def facts_of(columns: dict, *codes: str) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index(codes, name="practice_code"))


NO_FACTS = facts_of({}, "A81001", "A81002", "A81003")
MONTHLY = ["practice_code", "month", "name", "value"]
COUNTS = counts_of(("A81001", 600, 1200, 6), ("A81002", 2000, 6000, 12), ("A81003", 5, 10, 12))


def one_count(found: organisations.LikeForLike, code: str, part: str = "numerator") -> pd.Series:
    rows = found.counts[(found.counts["practice_code"] == code) & (found.counts["part"] == part)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_counts_of_a_merged_practice_are_added_for_every_month() -> None:
    found = organisations.like_for_like(events(MERGED), YEAR, COUNTS, NO_FACTS)
    assert one_count(found, "A81002")[["value", "low", "high", "months"]].tolist() == [2600, 2600, 2600, 12]
    assert one_count(found, "A81002", "denominator")["value"] == 7200
    assert "A81001" not in set(found.counts["practice_code"])
    assert found.counts["value"].sum() == COUNTS["value"].sum()
    pd.testing.assert_frame_equal(
        found.counts[found.counts["practice_code"] == "A81003"].reset_index(drop=True),
        COUNTS[COUNTS["practice_code"] == "A81003"].reset_index(drop=True),
    )
    assert found.counts.dtypes.drop("months").equals(COUNTS.dtypes.drop("months"))


def test_what_was_given_is_not_changed() -> None:
    counts, facts = COUNTS.copy(), facts_of({"list_size": [1.0, 2.0, 3.0]}, "A81001", "A81002", "A81003")
    before = counts.copy(), facts.copy()
    organisations.like_for_like(events(MERGED), YEAR, counts, facts)
    pd.testing.assert_frame_equal(counts, before[0])
    pd.testing.assert_frame_equal(facts, before[1])


def test_an_event_that_nobody_confirmed_changes_nothing() -> None:
    found = organisations.like_for_like(events("A81001,merged,2025-10-01,A81002,,"), YEAR, COUNTS, NO_FACTS)
    pd.testing.assert_frame_equal(found.counts, COUNTS)
    assert found.done["done"].tolist() == ["proposed, confirmed by nobody: not used"]
    assert found.not_decidable.empty


def test_a_merger_after_the_period_is_not_used_and_one_before_it_is() -> None:
    later = organisations.like_for_like(events("A81001,merged,2026-04-01,A81002,,me"), YEAR, COUNTS, NO_FACTS)
    assert set(later.counts["practice_code"]) == {"A81001", "A81002", "A81003"}
    assert later.done["done"].tolist() == ["after the period: not used"]
    earlier = organisations.like_for_like(events("A81001,merged,2025-01-01,A81002,,me"), YEAR, COUNTS, NO_FACTS)
    assert one_count(earlier, "A81002")["value"] == 2600


def test_a_chain_of_mergers_ends_under_the_last_code() -> None:
    found = organisations.like_for_like(
        events(MERGED, "A81002,merged,2026-01-01,A81003,,me"),
        YEAR,
        counts_of(("A81001", 600, 1200, 6), ("A81002", 2000, 6000, 9), ("A81003", 5, 10, 12)),
        NO_FACTS,
    )
    assert one_count(found, "A81003")[["value", "months"]].tolist() == [2605, 12]
    assert set(found.counts["practice_code"]) == {"A81003"}


def test_a_month_that_the_practice_should_have_and_has_not_is_missing_from_the_sum() -> None:
    counts = counts_of(("A81001", 500, 1000, 5), ("A81002", 2000, 6000, 12))
    assert one_count(organisations.like_for_like(events(MERGED), YEAR, counts, NO_FACTS), "A81002")["months"] == 11


def test_a_practice_known_but_never_counted_leaves_its_successor_short_of_its_months() -> None:
    counts = counts_of(("A81002", 2000, 6000, 12))
    found = organisations.like_for_like(events(MERGED), YEAR, counts, facts_of({"list_size": [1.0]}, "A81001"))
    assert one_count(found, "A81002")[["value", "months"]].tolist() == [2000, 6]
    assert found.done["done"].iloc[0].startswith("no counts under its code: until the merger")


def test_a_missing_part_makes_the_sum_missing_unless_the_merger_was_before_the_period() -> None:
    counts = counts_of(("A81001", np.nan, np.nan, 6), ("A81002", 2000, 6000, 12))
    within = organisations.like_for_like(events(MERGED), YEAR, counts, NO_FACTS)
    assert np.isnan(one_count(within, "A81002")["low"])
    before = organisations.like_for_like(events("A81001,merged,2025-04-01,A81002,,me"), YEAR, counts, NO_FACTS)
    assert one_count(before, "A81002")["low"] == 2000


def test_a_sum_over_a_hidden_count_is_hidden_between_its_ends() -> None:
    counts = COUNTS.copy()
    hidden = (counts["practice_code"] == "A81001") & (counts["part"] == "numerator")
    counts.loc[hidden, ["value", "low", "high", "hidden"]] = [np.nan, 1.0, 4.0, True]
    row = one_count(organisations.like_for_like(events(MERGED), YEAR, counts, NO_FACTS), "A81002")
    assert (row["low"], row["high"], row["hidden"]) == (2001, 2004, True)
    assert np.isnan(row["value"])


def test_a_changed_code_is_one_practice_with_all_its_months() -> None:
    counts = counts_of(("A81001", 600, 1200, 6), ("A81009", 700, 1300, 6))
    facts = facts_of(
        {"list_size": [5000.0, 5200.0], "imd2025": [30.0, np.nan], "rurality": ["Urban", ""]}, "A81001", "A81009"
    )
    found = organisations.like_for_like(events("A81001,code_changed,2025-10-01,A81009,,me"), YEAR, counts, facts)
    assert one_count(found, "A81009")[["value", "months"]].tolist() == [1300, 12]
    assert found.facts.loc["A81009"].tolist() == [5100.0, 30.0, "Urban"]
    assert found.not_decidable.empty


def test_a_practice_that_closed_is_left_with_its_months() -> None:
    found = organisations.like_for_like(events("A81001,closed,2025-10-01,,,me"), YEAR, COUNTS, NO_FACTS)
    pd.testing.assert_frame_equal(found.counts, COUNTS)
    assert found.done["done"].tolist() == ["left with the 6 months it has"]
    assert found.not_decidable.to_numpy().tolist() == [["A81001", "closed on 1 October 2025"]]


@pytest.mark.parametrize(
    ("day", "months"), [("2025-12-15", "3 months"), ("2025-12-01", "4 months"), ("2026-03-01", "1 month")]
)
def test_figures_after_a_closing_are_remarked(day: str, months: str) -> None:
    closed = events(f"A81002,closed,{day},,,me")
    said = (
        f"left with the 12 months it has, though it has figures of {months} after that date: look whether it is right"
    )
    found = organisations.like_for_like(closed, YEAR, COUNTS, NO_FACTS)
    assert found.done["done"].tolist() == [said]
    # A practice that began late has fewer months than the year before its closing: the months themselves tell.
    late = COUNTS.assign(months=COUNTS["months"].clip(upper=5))
    monthly = pd.DataFrame([("A81002", m, "total", 9.0) for m in months_of(YEAR)[-5:]], columns=MONTHLY)
    found = organisations.like_for_like(closed, YEAR, late, NO_FACTS, monthly)
    assert found.done["done"].tolist() == [said.replace("12 months it", "5 months it")]


MERGING = facts_of(
    {
        "practice_name": ["Old Mill", "New Mill"],
        "supplier": ["EMIS", "TPP"],
        "supplier_changes": [0.0, 0.0],
        "list_size": [4000.0, 8000.0],
        "list_jump_pct": [1.0, 44.0],
        "imd2025": [40.0, 20.0],
        "age_sex.share_65plus": [0.1, 0.2],
        "qof_dm.numerator": [300.0, 500.0],
        "qof_dm.denominator": [4000.0, 6000.0],
        "rurality": ["Urban", "Rural"],
    },
    "A81001",
    "A81002",
)


def test_lists_are_added_month_by_month_and_shares_weighted_by_the_lists_before_the_merger() -> None:
    # 4,000 for six months; 6,000 for six months, then 10,000: together 10,000 in every month.
    row = organisations.like_for_like(events(MERGED), YEAR, COUNTS, MERGING).facts.loc["A81002"]
    assert row["list_size"] == 10_000
    assert row["imd2025"] == pytest.approx((4000 * 40 + 6000 * 20) / 10_000)
    assert row["age_sex.share_65plus"] == pytest.approx(0.16)
    assert (row["qof_dm.numerator"], row["qof_dm.denominator"]) == (800, 10_000)
    assert (row["practice_name"], row["supplier"], row["rurality"]) == ("New Mill", "TPP", "Rural")
    assert row["supplier_changes"] == 1
    assert np.isnan(row["list_jump_pct"])


def test_lists_of_one_day_are_added_as_they_are() -> None:
    for more in ({"has_months": False}, {"dates": {"list_size": "2025-04"}}):
        row = organisations.like_for_like(events(MERGED), YEAR, COUNTS, MERGING, **more).facts.loc["A81002"]
        assert row["list_size"] == 12_000
        assert row["imd2025"] == pytest.approx((4000 * 40 + 8000 * 20) / 12_000)


def test_totals_without_months_are_added_and_no_months_are_made_of_them() -> None:
    counts = counts_of(("A81001", 600, 1200, 1), ("A81002", 2000, 6000, 1))
    found = organisations.like_for_like(events(MERGED), YEAR, counts, NO_FACTS, has_months=False)
    assert one_count(found, "A81002")[["value", "months"]].tolist() == [2600, 1]


def test_months_of_lists_go_before_the_sizes_of_the_table() -> None:
    sizes = {"A81001": [4000.0] * 6 + [NONE] * 6, "A81002": [6000.0] * 6 + [9900.0] * 6, "A81003": STEADY}
    monthly = lists_of(**sizes).assign(name="list_size")
    found = organisations.like_for_like(events(MERGED), YEAR, COUNTS, MERGING, monthly)
    row = found.facts.loc["A81002"]
    assert row["list_size"] == pytest.approx((6 * 10_000 + 6 * 9_900) / 12)
    assert row["list_jump_pct"] == pytest.approx(1.0)
    assert row["imd2025"] == pytest.approx(28.0)
    own = found.monthly[found.monthly["practice_code"] == "A81002"].set_index("month")["value"]
    assert own.loc[["2025-09", "2025-10"]].tolist() == [10_000, 9_900]
    assert set(found.monthly["practice_code"]) == {"A81002", "A81003"}


def test_a_month_in_which_one_of_two_lists_is_missing_has_no_list() -> None:
    sizes = {"A81001": [4000.0, NONE, 4000, 4000, 4000, 4000] + [NONE] * 6, "A81002": [6000.0] * 6 + [10_000.0] * 6}
    found = organisations.like_for_like(
        events(MERGED), YEAR, COUNTS, MERGING, lists_of(**sizes).assign(name="list_size")
    )
    assert "2025-05" not in set(found.monthly["month"])
    assert found.facts.loc["A81002", "list_size"] == 10_000


def test_a_characteristic_that_one_part_lacks_is_missing_unless_it_is_of_after_the_merger() -> None:
    facts = MERGING.copy()
    facts.loc["A81001", ["imd2025", "qof_dm.numerator", "qof_dm.denominator"]] = np.nan
    unknown = organisations.like_for_like(events(MERGED), YEAR, COUNTS, facts).facts.loc["A81002"]
    assert unknown[["imd2025", "qof_dm.numerator"]].isna().all()
    dates = {"imd2025": "2025-12", "qof_dm": "2025-03"}
    dated = organisations.like_for_like(events(MERGED), YEAR, COUNTS, facts, dates=dates).facts.loc["A81002"]
    assert dated["imd2025"] == 20
    assert np.isnan(dated["qof_dm.numerator"])


def test_a_successor_that_no_table_holds_takes_the_figures_of_the_practice() -> None:
    counts = counts_of(("A81001", 600, 1200, 6))
    found = organisations.like_for_like(events(MERGED), YEAR, counts, facts_of({"list_size": [4000.0]}, "A81001"))
    assert one_count(found, "A81002")[["value", "months"]].tolist() == [600, 6]
    assert found.facts["list_size"].to_dict() == {"A81002": 4000.0}


def test_the_change_of_merged_split_and_opened_practices_is_not_decidable() -> None:
    found = organisations.like_for_like(
        events(
            "A81001,merged,2024-10-01,A81002,,me",
            "A81002,code_changed,2025-05-01,A81009,,me",
            "A81003,split,2025-06-01,A81004,,me",
            "A81005,opened,2025-07-01,,,me",
            "A81006,merged,2024-04-01,A81007,,me",
        ),
        YEAR,
        COUNTS,
        NO_FACTS,
    )
    assert dict(found.not_decidable.to_numpy().tolist()) == {
        "A81003": "A81004 was split off from it on 1 June 2025",
        "A81004": "was split off from A81003 on 1 June 2025",
        "A81005": "opened on 1 July 2025",
        "A81009": "A81001 merged into it on 1 October 2024",
    }


def test_a_practice_that_no_file_names_is_said_to_have_nothing_to_add() -> None:
    found = organisations.like_for_like(events("F82999,merged,2025-10-01,A81002,,me"), YEAR, COUNTS, NO_FACTS)
    pd.testing.assert_frame_equal(found.counts, COUNTS)
    assert found.done["done"].tolist() == ["nothing to add: no file has anything under its code"]


# Lists of groups


def groups(text: str, known: list[str] | None = None, column: str = "") -> organisations.PracticeGroups:
    cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    cells.index = range(2, 2 + len(cells))
    return organisations.check_groups(cells, "lmc.csv", known, column)


def test_a_list_gives_each_practice_its_group() -> None:
    found = groups("ODS code,Practice name,Neighbourhood\na81001,Mill,North\nA81002,Park,south \nA81003,Oak,NORTH\n")
    assert found.groups == {"A81001": "North", "A81002": "south", "A81003": "North"}
    assert (found.heading, found.repeated) == ("Neighbourhood", 0)


@pytest.mark.parametrize("heading", ["Federation", "LMC name", "my_lmc", "Locality", "who they belong to"])
def test_the_column_of_groups_is_found_by_its_heading_or_by_being_the_only_one(heading: str) -> None:
    assert groups(f"practice_code,practice_name,{heading}\nA81001,Mill,North\n").groups == {"A81001": "North"}


def test_columns_that_could_all_be_groups_are_asked_about_and_one_can_be_named() -> None:
    text = "practice_code,Federation,LMC\nA81001,East Ltd,Clevedon\n"
    with pytest.raises(SourceError, match="2 columns of the list could name the groups: Federation, LMC") as caught:
        groups(text)
    assert 'column = "Federation"' in caught.value.fix
    assert groups(text, column="lmc").groups == {"A81001": "Clevedon"}
    with pytest.raises(SourceError, match="no column 'LMCs'") as caught:
        groups(text, column="LMCs")
    assert caught.value.fix == "Did you mean 'LMC'?"


def test_every_fault_of_a_list_is_said_at_once() -> None:
    with pytest.raises(SourceError) as caught:
        groups(
            "practice_code,lmc\nA81001,North\nA81001,South\nA81002,\n,South\nA8100O,South\nA81020,North\n",
            known=["A81001", "A81002", "A81021"],
        )
    said = str(caught.value)
    assert said.startswith("5 things need mending")
    assert "A81001 is in two groups: North and South. (rows 2 and 3)" in said
    assert "A81002 is in no group: 'lmc' is blank. (row 4)" in said
    assert "'South' stands in a row without a practice code. (row 5)" in said
    assert "'A8100O' cannot be a practice code. (row 6)" in said
    assert "No practice of the data has the code A81020. (row 7) Did you mean A81021?" in said


def test_a_list_without_headings_codes_or_groups_is_refused() -> None:
    with pytest.raises(SourceError, match="no headings: its first row already names a practice"):
        groups("A81001,North\nA81002,South\n")
    with pytest.raises(SourceError, match="No column of this list holds practice codes"):
        groups("practice,lmc\nMill,North\n")
    with pytest.raises(SourceError, match="no column of groups"):
        groups("practice_code,practice_name\nA81001,Mill\n")


def test_a_list_is_read_from_a_file_with_its_provenance(tmp_path: Path) -> None:
    path = tmp_path / "neighbourhoods.csv"
    path.write_bytes("practice_code;neighbourhood\r\nA81001;Nörth\r\nA81001;Nörth\r\n".encode("utf-16"))
    found, provenance = read_list(path)
    assert found.groups == {"A81001": "Nörth"}
    assert (provenance["rows_read"], provenance["rows_dropped"]) == (2, 1)
    path.write_text("\n \n", encoding="utf-8")
    with pytest.raises(SourceError, match="empty"):
        read_list(path)
