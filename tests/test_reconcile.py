"""Which readings of a study's counts give the figures of a letter: found, counted, and never taken for the one used."""

from __future__ import annotations

import re
import statistics
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar import catalogue, schema, simulate
from gpvar.catalogue import countings
from gpvar.claims import held, readings
from gpvar.claims.reconcile import Held, Reconciliation, frame, held_by_study, reconcile
from gpvar.cli import main
from gpvar.errors import GpvarError, SourceError, StudyError
from gpvar.results import Claim, Figure
from gpvar.simulate.appointments import write_crosstab
from gpvar.study import Period, load_study
from gpvar.words import reconcile as words
from tests.support import ROOT, shared
from tests.test_real_study import COLUMNS as REAL

YEAR, APRIL = Period("2025-04", "2026-03"), Period("2025-04", "2025-04")
REST = Period("2025-05", "2026-03")
HEAD = ("code", "icb", "pcn", "same_day", "total", "attended", "dna", "patients", "registered", "weighted")
ROWS = (
    ("A81001", "QAA", "U00001", 400, 1210, 1000, 100, 3000, 2900, 3300),
    ("A81002", "QAA", "U00001", 901, 2400, 2100, 150, 6000, 5900, 5100),
    ("A81003", "QAA", "U00001", 307, 1000, 900, 37, 2500, 2400, 2600),
    ("A81004", "QAA", "U00002", 555, 1501, 1300, 111, 4000, 4100, 4400),
    ("A81005", "QAA", "U00002", 420, 1404, 1200, 89, 3900, 3800, 4500),
    ("A81006", "QBB", "U00003", 720, 2222, 2000, 61, 7000, 7100, 6100),
    ("A81007", "QBB", "U00003", 118, 805, 700, 66, 2100, 2000, 2900),
    ("A81008", "QBB", "U00003", 333, 1111, 1010, 44, 3300, 3200, 3100),
)
APRILS = tuple((row[0], row[3] // 10, row[4] // 12, row[5] // 12, row[6] // 9) for row in ROWS)
MINE = "A81001"


def printed(text: str) -> Figure:
    plain = text.rstrip("%").replace(",", "")
    return Figure(text, float(plain), len(plain.partition(".")[2]), text.endswith("%"))


def claim(figure: str = "", template: str = "below_mean", **more: Any) -> Claim:
    figures = {
        name: printed(more.pop(name)) for name in ("figure_before", "comparator_figure", "threshold") if name in more
    }
    base: dict[str, Any] = {"practice_code": MINE, "metric": "dna_share", "direction": "high"}
    shown = printed(figure) if figure else None
    return Claim("1", template, figure=shown, **{**base, **figures, **more})


def content(folder: Path, **changes: Any) -> dict[str, Any]:
    year = "\n".join([",".join(HEAD), *(",".join(str(cell) for cell in row) for row in ROWS)])
    april = "\n".join(["code,same_day,total,attended,dna", *(",".join(str(cell) for cell in row) for row in APRILS)])
    (folder / "year.csv").write_text(year, encoding="utf-8")
    (folder / "april.csv").write_text(april, encoding="utf-8")
    counts = {
        "practice_code": "code",
        "same_day_share.numerator": "same_day",
        "same_day_share.denominator": "total",
        "dna_share.numerator": "dna",
        "dna_share.denominator": ["attended", "dna"],
        "appointments_per_1000.numerator": "total",
    }
    about = {"icb_code": "icb", "pcn_code": "pcn", "list_size": "patients", "registered_list": "registered"}
    own = {"id": "year", "file": "year.csv", "columns": {**counts, **about, "weighted_list": "weighted"}}
    return {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["dna_share"],
        "area": {"kind": "icb", "code": "QAA"},
        "reference": {"exclude": []},
        "source": [own, {"id": "april", "file": "april.csv", "period": "2025-04", "columns": counts}],
        **changes,
    }


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("small")
    return held_by_study(load_study(content(folder), folder))


def one(counts: Held, said: Claim, part: str = "figure") -> Reconciliation:
    (item,) = [item for item in reconcile([said], counts) if item.part == part]
    return item


def ways(item: Reconciliation) -> set[tuple[str, Period]]:
    return {(each.counting, each.period) for each in item.matches}


# --- readings that were worked out by hand ---------------------------------------------------------------------------


def test_missed_of_all_appointments_is_found_where_the_measure_leaves_unknown_status_out(counts: Held) -> None:
    # 100 of 1,210; the measure itself has 100 of 1,100.
    item = one(counts, claim("8.3%"))
    assert ways(item) == {("missed_of_all", YEAR)}
    assert item.own is not None and item.own.value == pytest.approx(100 / 11)
    assert ("dna_share", YEAR) in ways(one(counts, claim("9.09%")))


def test_the_year_less_april_is_found_from_the_two_files(counts: Held) -> None:
    # April: 11 missed and 83 kept; the rest of the year 89 of 89 + 917.
    item = one(counts, claim(f"{100 * 89 / (89 + 917):.2f}%"))
    assert ways(item) == {("dna_share", REST)}
    assert one(counts, claim(f"{100 * 11 / 94:.2f}%")).matches[0].period == APRIL


def test_missed_for_every_hundred_kept_is_found(counts: Held) -> None:
    assert ways(one(counts, claim("10.0%"))) == {("missed_by_kept", YEAR)}


def test_a_complement_is_found_and_said_as_such(counts: Held) -> None:
    item = one(counts, claim(f"{100 - 100 / 11:.2f}%"))
    (each,) = item.matches
    assert each.complement and each.counting == "dna_share"
    assert words.reading_counted(each).startswith("100 less appointments that patients did not attend")


@pytest.mark.parametrize(
    ("patients", "per_month"),
    [
        ("patient_months", 1210 / (12 * 3000)),
        ("registered_list", 1210 / (12 * 2900)),
        ("weighted_list", 1210 / (12 * 3300)),
    ],
)
def test_a_rate_is_tried_on_every_list_and_in_every_unit(counts: Held, patients: str, per_month: float) -> None:
    weeks = 365 / 7
    for per, by, value in (
        ("month", 1000, 1000 * per_month),
        ("month", 10000, 10000 * per_month),
        ("period", 1, 12 * per_month),
        ("week", 1000, 1000 * 12 * per_month / weeks),
    ):
        item = one(counts, claim(f"{value:.4f}", "too_low", metric="appointments_per_1000"))
        assert ("appointments_per_1000", YEAR, patients, per, by) in {
            (each.counting, each.period, each.patients, each.per, each.by) for each in item.matches
        }


def test_appointments_that_were_kept_are_a_reading_of_a_rate_of_appointments(counts: Held) -> None:
    item = one(counts, claim(f"{1000 * 1000 / (12 * 3000):.2f}", "too_low", metric="appointments_per_1000"))
    assert ("appointments_kept", YEAR) in ways(item)


def test_the_comparators_figure_is_found_pooled_as_a_mean_and_as_a_median(counts: Held) -> None:
    board = [(row[6], row[5] + row[6]) for row in ROWS if row[1] == "QAA"]
    others = board[1:]
    shares = [100 * top / base for top, base in board]
    expected = {
        ("pooled", ""): 100 * sum(top for top, _ in board) / sum(base for _, base in board),
        ("mean", ""): statistics.mean(shares),
        ("median", ""): statistics.median(shares),
        ("pooled", "practice"): 100 * sum(top for top, _ in others) / sum(base for _, base in others),
        ("mean", "practice"): statistics.mean(shares[1:]),
        ("median", "practice"): statistics.median(shares[1:]),
    }
    for (how, without), value in expected.items():
        item = one(counts, claim(comparator="icb", comparator_figure=f"{value:.4f}%"), "comparator_figure")
        found = {(e.counting, e.period, e.of, e.how, e.without) for e in item.matches}
        assert ("dna_share", YEAR, "icb", how, without) in found, (how, without)


def test_a_network_of_three_is_not_tried_since_its_figure_would_be_a_neighbours(counts: Held) -> None:
    item = one(counts, claim(comparator="pcn", comparator_figure="7.0%"), "comparator_figure")
    assert item.tried and {group.of for group in readings.groups(counts, MINE)} == {"england", "icb"}


def test_counts_that_give_both_numbers_are_told_from_those_that_give_one(counts: Held) -> None:
    board = [(row[6], row[4]) for row in ROWS if row[1] == "QAA"]
    average = 100 * sum(top for top, _ in board) / sum(base for _, base in board)
    said = claim("8.3%", comparator="icb", comparator_figure=f"{average:.2f}%")
    figure = one(counts, said)
    assert [each.counting for each in figure.both] == ["missed_of_all"]
    apart = one(counts, claim("8.3%", comparator="icb", comparator_figure="31.2%"))
    assert apart.matches and not apart.both
    assert "None of them gives the sentence's other number" in words.reconciled_both(
        apart, reconcile([claim("8.3%", comparator="icb", comparator_figure=f"{100 - average:.2f}%")], counts)
    )


def test_a_figure_before_goes_with_a_later_figure_of_the_same_counting(counts: Held) -> None:
    before, after = f"{100 * 11 / 94:.2f}%", f"{100 * 89 / 1006:.2f}%"
    said = claim(after, "change", figure_before=before, direction="low")
    assert [each.period for each in one(counts, said).both] == [REST]
    assert [each.period for each in one(counts, said, "figure_before").both] == [APRIL]
    swapped = claim(before, "change", figure_before=after)
    assert one(counts, swapped).matches and not one(counts, swapped).both


def test_a_place_is_counted_from_either_end_of_each_group(counts: Held) -> None:
    shares = {row[0]: row[6] / (row[5] + row[6]) for row in ROWS}
    above = sum(share > shares[MINE] for share in shares.values())
    item = one(counts, claim("", "league_place", place=above + 1, of=8), "place")
    found = {(each.counting, each.period, each.of, each.how) for each in item.matches}
    assert ("dna_share", YEAR, "england", "highest_first") in found
    assert all(each.practices == 8 for each in item.matches)
    none = one(counts, claim("", "league_place", place=2, of=230), "place")
    assert (
        not none.matches
        and none.nearest
        and "No group that was tried has 230 practices." in words.reconciled_tried(none)
    )


def test_a_tail_is_said_by_how_many_readings_the_practice_is_in_it(counts: Held) -> None:
    item = one(counts, claim("", "tail", threshold="20%"), "tail")
    assert item.matches and {each.how for each in item.matches} == {"highest_first"}
    assert all(each.value <= 2 for each in item.matches)
    assert words.reconciled_number(item) == "The highest fifth"
    low = one(counts, claim("", "tail", direction="low"), "tail")
    assert not low.matches and "By none of the" in words.reconciled_finding(low)


def test_a_fold_is_found_as_the_highest_over_the_lowest(counts: Held) -> None:
    shares = sorted(row[6] / (row[5] + row[6]) for row in ROWS if row[1] == "QAA")
    said = claim(f"{shares[-1] / shares[0]:.2f}", "fold", practice_code="", comparator="icb")
    item = one(counts, said)
    assert ("dna_share", "icb", "highest_lowest") in {(e.counting, e.of, e.how) for e in item.matches}


def test_a_gain_is_rounded_as_it_was_printed(counts: Held) -> None:
    board = [(row[6], row[5] + row[6]) for row in ROWS if row[1] == "QAA"]
    median = statistics.median(top / base for top, base in board)
    gain = sum(max(0.0, top - median * base) for top, base in board)
    said = claim(f"{round(gain, -1):.0f}", "opportunity", practice_code="", direction="low")
    item = one(counts, said)
    assert item.step == 10.0
    assert ("dna_share", YEAR, "icb", "to_median", "period") in {
        (each.counting, each.period, each.of, each.how, each.per) for each in item.matches
    }


def test_the_worst_few_are_followed_from_an_earlier_period_to_a_later_one(counts: Held) -> None:
    april = {row[0]: (row[4], row[3] + row[4]) for row in APRILS}
    year = {row[0]: (row[6], row[5] + row[6]) for row in ROWS}
    rest = {code: (year[code][0] - april[code][0], year[code][1] - april[code][1]) for code in year}
    worst = sorted(april, key=lambda code: -april[code][0] / april[code][1])[:4]
    moved = statistics.mean(100 * (april[c][0] / april[c][1] - rest[c][0] / rest[c][1]) for c in worst)
    said = claim(f"{moved:.2f}", "worst_improved", practice_code="", direction="low", place=4, of=8)
    item = one(counts, said)
    assert ("dna_share", REST, APRIL, "england", "mean") in {
        (each.counting, each.period, each.before, each.of, each.how) for each in item.matches
    }


# --- what it says when nothing fits, and of chance -------------------------------------------------------------------


def test_the_nearest_three_stand_where_none_gives_the_figure(counts: Held) -> None:
    item = one(counts, claim("31.2%"))
    every = sorted(
        {round(e.value, 6) for e in readings.of_practice(_figures(counts), counts.places.index.get_loc(MINE))},
        key=lambda v: abs(v - 31.2),
    )
    assert not item.matches and [round(each.value, 6) for each in item.nearest] == every[:3]
    assert words.reconciled_finding(item) == f"None of the {item.tried} readings tried gives it. The nearest:"


def _figures(counts: Held) -> tuple[readings.Figures, ...]:
    return tuple(readings.figures(counts, countings.for_measure("dna_share")))


def test_how_many_would_match_by_chance_is_the_mean_over_the_other_numbers_near(counts: Held) -> None:
    said = claim(comparator="icb", comparator_figure="7.5%")
    item = one(counts, said, "comparator_figure")
    numbers = [round(item.low + step / 10, 1) for step in range(round(10 * (item.high - item.low)) + 1)]
    numbers.remove(7.5)
    each = [one(counts, claim(comparator_figure=f"{number:.1f}%"), "comparator_figure") for number in numbers]
    assert len(numbers) == item.others
    assert item.by_chance == pytest.approx(statistics.mean(len(other.matches) for other in each))
    assert item.met == sum(bool(other.matches) for other in each)


def test_where_most_numbers_would_be_met_a_match_is_said_to_say_little(counts: Held) -> None:
    many = one(counts, claim(comparator_figure="7%"), "comparator_figure")
    assert many.met >= many.others / 3 and "a match says little" in words.reconciled_chance(many)
    few = one(counts, claim("8.264%"))
    assert few.matches and "a match says little" not in words.reconciled_chance(few)


def test_chance_is_spoken_of_once_for_the_whole_letter(counts: Held) -> None:
    items = every_item(counts)
    said = words.reconciliation_terminal(items)
    assert said.count("by chance") == 1 and said.index("By chance.") > said.index("Sentence 8")
    assert "a match says little" in words.reconciliation_chance(items)
    few = reconcile([claim("8.264%")], counts)
    assert words.reconciliation_chance(few).endswith("Fewer than 1 reading would so give each number.")


def test_first_of_all_stands_one_line_for_each_number(counts: Held) -> None:
    said = words.reconciliation_terminal(
        reconcile([claim(f"{100 * 11 / 94:.2f}%"), claim("31.2%"), claim("41%", "cannot_get_through")], counts)
    )
    first, second, third = said.split("\n\n")[1].splitlines()
    assert (
        first == '1. The figure, "11.70%": matches April 2025, not April 2025 to March 2026 or May 2025 to March 2026.'
    )
    assert second.startswith('1. The figure, "31.2%": matches none of the ') and "the nearest is " in second
    assert third == '1. The figure, "41%": nothing was tried: no source that a study can hold yet has such figures.'


@pytest.mark.parametrize("at", [10, 20, 80, 90])
def test_where_a_tenth_or_fifth_of_practices_ends_is_found(counts: Held, at: int) -> None:
    board = [100 * row[6] / (row[5] + row[6]) for row in ROWS if row[1] == "QAA"]
    edge = f"{np.percentile(board, at):.3f}%"
    item = one(counts, claim(comparator="icb", comparator_figure=edge), "comparator_figure")
    assert ("dna_share", "icb", f"p{at}") in {(each.counting, each.of, each.how) for each in item.matches}
    assert f"{at}th percentile of practices" in "".join(words.reconciled_list(item))


def test_beside_a_tail_the_figure_may_be_where_the_tail_ends(counts: Held) -> None:
    every = [100 * row[6] / (row[5] + row[6]) for row in ROWS]
    item = one(counts, claim(f"{np.percentile(every, 90):.3f}%", "tail"))
    assert [(each.of, each.how) for each in item.matches] == [("england", "p90")]
    low = one(counts, claim(f"{np.percentile(every, 10):.3f}%", "tail"))
    assert ("england", "p10") not in {(each.of, each.how) for each in low.matches}


def test_the_reading_that_the_letter_suggests_did_not_have_to_be_searched_for(counts: Held) -> None:
    average = 100 * sum(row[6] for row in ROWS) / sum(row[5] + row[6] for row in ROWS)
    said = claim(comparator="england", comparator_figure=f"{average:.0f}%")
    item = one(counts, said, "comparator_figure")
    assert item.own in item.matches and "did not have to be searched for" in words.reconciled_own(item)
    assert item.met >= item.others / 3 and "any other match says little" in words.reconciled_chance(item)
    searched = one(counts, claim("8.264%"))
    assert searched.own not in searched.matches
    assert words.reconciled_own(searched) == "By the measure's own card, April 2025 to March 2026, it would be 9.0909."


def test_a_period_of_which_the_study_has_no_counts_is_named(counts: Held) -> None:
    item = one(counts, claim("8.3%", period="2023-04..2024-03"))
    assert item.not_held == "2023-04..2024-03"
    assert words.reconciled_period(item) == (
        "The letter names April 2023 to March 2024, of which the study holds no counts."
    )
    assert not one(counts, claim("8.3%", period="2025-05..2026-03")).not_held


def test_the_reading_that_the_letter_names_stands_first(counts: Held) -> None:
    item = one(counts, claim("9%", period="2025-05..2026-03"))
    assert len(item.matches) > 1 and item.matches[0].period == REST
    assert one(counts, claim("9%", period="2025-04..2026-03")).matches[0].period == YEAR


def test_a_letter_whose_measure_has_no_card_is_tried_on_every_measure(counts: Held) -> None:
    item = one(counts, claim(f"{100 * 400 / 1210:.2f}%", metric="", metric_written="responsiveness"))
    assert ("same_day_share", YEAR) in ways(item)
    assert "No card is known for the letter's measure" in words.reconciled_tried(item)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (claim("41%", "cannot_get_through", metric=""), "no_source"),
        (claim("9.1%", practice_code="", practice="Nobody"), "practice_unknown"),
        (claim("9.1%", "association"), "not_tried"),
        (claim("9.1%", metric="ag_share"), "not_held"),
    ],
)
def test_a_number_that_cannot_be_tried_has_its_reason(counts: Held, said: Claim, why: str) -> None:
    item = one(counts, said)
    assert (item.why, item.tried, item.matches, item.nearest) == (why, 0, (), ())
    assert words.reconciled_finding(item).startswith("Nothing was tried")


def test_a_hidden_count_is_not_guessed(tmp_path: Path) -> None:
    made = content(tmp_path)
    text = (tmp_path / "year.csv").read_text(encoding="utf-8").replace(",1000,100,", ",1000,*,")
    (tmp_path / "year.csv").write_text(text, encoding="utf-8")
    made["source"] = made["source"][:1]
    item = one(held_by_study(load_study(made, tmp_path)), claim("0.4%"))
    assert (item.why, item.matches) == ("hidden", ())


# --- what a study holds ----------------------------------------------------------------------------------------------


def test_measures_that_the_study_does_not_analyse_are_read_with_it(counts: Held) -> None:
    assert counts.table.study.metrics[0] == "dna_share"
    assert {"same_day_share.numerator", "appointments_per_1000.denominator"} <= set(counts.counts[YEAR].columns)


def test_a_measure_that_cannot_be_read_leaves_the_studys_own(tmp_path: Path) -> None:
    made = content(tmp_path)
    made["source"][0]["columns"]["same_day_share.denominator"] = "dna"
    found = held_by_study(load_study({**made, "source": made["source"][:1]}, tmp_path))
    assert "numerator" in found.left_out and "same_day_share.numerator" not in found.counts[YEAR].columns
    said = words.reconciliation_terminal(reconcile([claim("9.1%")], found), found.left_out)
    assert "Only the study's own measures were tried" in said


def test_a_part_larger_than_its_whole_gives_no_difference(tmp_path: Path) -> None:
    made = content(tmp_path)
    april = (tmp_path / "april.csv").read_text(encoding="utf-8").replace("A81001,40,100,83,11", "A81001,40,100,83,300")
    (tmp_path / "april.csv").write_text(april, encoding="utf-8")
    made["reference"] = {"exclude": []}
    found = held_by_study(load_study(made, tmp_path))
    assert pd.isna(found.counts[REST].loc[MINE, "dna_share.numerator"])
    assert found.counts[REST].loc["A81002", "dna_share.numerator"] == 150 - 150 // 9


def test_quarters_and_asked_for_stretches_are_sums_of_single_months(counts: Held) -> None:
    single = {
        Period(month, month): pd.DataFrame({"dna_share.numerator": [float(number)]}, index=[MINE])
        for number, month in enumerate(("2025-04", "2025-05", "2025-06", "2025-07"), 1)
    }
    assert held._summed(Period("2025-04", "2025-06"), single).loc[MINE, "dna_share.numerator"] == 6
    usual = {period for period in held._usual_sums(single) if held._summed(period, single) is not None}
    assert usual == {Period("2025-04", end) for end in ("2025-05", "2025-06", "2025-07")}
    asked = Held(counts.table, single, counts.lists).with_periods([Period("2025-05", "2025-06")])
    assert asked.counts[Period("2025-05", "2025-06")].loc[MINE, "dna_share.numerator"] == 5


def test_months_that_do_not_end_with_the_year_are_not_taken_off_it() -> None:
    one_year = {YEAR: pd.DataFrame({"x": [10.0]}), Period("2025-07", "2025-07"): pd.DataFrame({"x": [1.0]})}
    assert not list(held._differences(one_year))


# --- the published appointments --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crosstab(tmp_path_factory: pytest.TempPathFactory) -> tuple[Held, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("crosstab")
    practices = simulate.england(practices=300, icbs=4).practices.head(80)
    made = write_crosstab(folder, practices=practices, months=("2026-01", "2026-02", "2026-03"), rows_per_month=8000)
    study = {
        "declared": "2026-11-22",
        "period": "2026-01..2026-03",
        "metrics": ["urgent_same_day_share"],
        "area": {"kind": "list", "practices": list(practices["practice_code"].head(20))},
        "source": [{"id": "gpad", "file": made.files[0].name}],
    }
    with zipfile.ZipFile(made.files[0]) as archive:
        names = [name for name in archive.namelist() if "Mapping" not in name]
        rows = pd.concat([pd.read_csv(archive.open(name), dtype=str) for name in names], ignore_index=True)
    return held_by_study(load_study(study, folder)), rows


def test_other_labels_as_urgent_are_counted_from_the_crosstab(crosstab: tuple[Held, pd.DataFrame]) -> None:
    counts, rows = crosstab
    code = str(rows["GP_CODE"].iloc[0])
    mine = rows[rows["GP_CODE"] == code].assign(count=lambda frame: frame["COUNT_OF_APPOINTMENTS"].astype(int))
    kept = mine[mine["NATIONAL_CATEGORY"].isin(["General Consultation Acute", "Clinical Triage"])]
    on_day = kept.loc[kept["TIME_BETWEEN_BOOK_AND_APPT"] == "Same Day", "count"].sum()
    said = claim(f"{100 * on_day / kept['count'].sum():.3f}%", metric="urgent_same_day_share", practice_code=code)
    assert ("urgent_with_clinical_triage", counts.own) in ways(one(counts, said))


def test_single_months_and_their_sums_are_tried(crosstab: tuple[Held, pd.DataFrame]) -> None:
    counts, rows = crosstab
    code = str(rows["GP_CODE"].iloc[0])
    numbers = rows["COUNT_OF_APPOINTMENTS"].astype(int)
    here = (rows["GP_CODE"] == code) & (rows["NATIONAL_CATEGORY"] == "General Consultation Acute")
    month = rows["APPOINTMENT_MONTH_START_DATE"]
    february = month.isin(
        [text for text in month.unique() if "FEB" in text.upper() or "-02-" in text or "/02/" in text]
    )
    on_day = rows["TIME_BETWEEN_BOOK_AND_APPT"] == "Same Day"
    share = 100 * numbers[here & february & on_day].sum() / numbers[here & february].sum()
    said = claim(f"{share:.3f}%", metric="urgent_same_day_share", practice_code=code)
    assert ("urgent_same_day_share", Period("2026-02", "2026-02")) in ways(one(counts, said))
    assert {Period("2026-02", "2026-03"), Period("2026-01", "2026-02")} <= set(counts.counts)


# --- round trips, tables and words -----------------------------------------------------------------------------------


def test_every_reading_is_found_from_the_number_that_it_gives(counts: Held) -> None:
    every = list(readings.of_practice(_figures(counts), counts.places.index.get_loc(MINE)))
    assert len(every) == 15
    for each in every:
        assert each in one(counts, claim(f"{each.value:.3f}%")).matches


def test_the_table_has_a_row_for_each_reading_and_the_columns_of_the_schema(counts: Held) -> None:
    items = reconcile([claim("8.3%", comparator_figure="7.5%"), claim("41%", "cannot_get_through", metric="")], counts)
    table = frame(items)
    assert list(table.columns) == schema.names("reconciliation")
    assert len(table) == sum(max(1, len(item.matches) + len(item.nearest)) for item in items)
    assert table["why"].tolist()[-1] == "no_source" and table["gives"].iloc[0] == "yes"


PERCENT = re.compile(r"\d%")
FORBIDDEN = re.compile(r"\b(failing|poor|bad|worst|outlier|significant|proves?|must have|was used by)\b", re.I)


def every_item(counts: Held) -> list[Reconciliation]:
    said = [
        claim("8.3%", comparator="icb", comparator_figure="7.5%"),
        claim("31.2%", comparator="similar", comparator_figure="7%"),
        claim("9.1%", "tail", threshold="10%"),
        claim("9.1%", "tail", threshold="12.5%", direction="low"),
        claim("", "league_place", place=2, of=8),
        claim("", "league_place", place=2, of=9),
        claim("10%", "change", figure_before="12%", period="2025-04..2026-03", period_before="2023-04"),
        claim("34", "too_low", metric="appointments_per_1000", comparator_figure="32"),
        claim("2", "fold", practice_code=""),
        claim("50", "opportunity", practice_code="", direction="low"),
        claim("1", "worst_improved", practice_code="", direction="low", place=4, of=8),
        claim("1,800", "patients_per_gp", metric=""),
        claim("41%", "cannot_get_through", metric=""),
        claim("9.1%", practice_code=""),
        claim("9.1%", metric="", metric_written="responsiveness"),
    ]
    numbered = [Claim(**{**{n: getattr(c, n) for n in Claim.__slots__}, "id": str(i)}) for i, c in enumerate(said, 1)]
    return list(reconcile(numbered, counts))


def test_words_quote_the_letters_number_and_blame_nobody(counts: Held) -> None:
    items = every_item(counts)
    text = "\n".join(part for _, parts in words.reconciliation_sections(items) for part in parts)
    assert not FORBIDDEN.search(text)
    # The only percentages are the letter's own, between quotation marks.
    assert not PERCENT.search(re.sub(r'"[^"]*"', "", text))
    assert "nan" not in text and "None," not in text


def test_no_match_is_called_the_one_that_was_used(counts: Held) -> None:
    for item in every_item(counts):
        said = words.reconciled_finding(item)
        if item.matches and item.part != "tail":
            assert "the letter does not say which was used, or whether it was another" in said
        assert bool(words.reconciled_chance(item)) == (not item.why and item.part != "tail" and item.others > 0)
    assert "does not show that it was used" in words.reconciliation_not_shown()


def test_every_way_of_counting_and_every_reason_has_words(counts: Held) -> None:
    for item in countings.countings().values():
        reading = readings.Reading(item.id, YEAR, 1.0)
        assert words.reading_in_words(reading).endswith("April 2025 to March 2026")
    assert {item.why for item in every_item(counts)} <= {"", *words._WHY}


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_measure_is_first_counted_by_its_own_card() -> None:
    for metric in catalogue.metrics():
        assert countings.for_measure(metric)[0].id == metric


def test_a_way_of_counting_that_names_nothing_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = countings.read("countings.toml")
    wrong = {**real["counting"]["missed_of_all"], "numerator": ["mised"]}
    monkeypatch.setattr(countings, "read", lambda name: {**real, "counting": {"missed_of_all": wrong}})
    countings.countings.cache_clear()
    try:
        with pytest.raises(SourceError, match="mised"):
            countings.countings()
    finally:
        countings.countings.cache_clear()


# --- bad input, and the command --------------------------------------------------------------------------------------


def test_no_letter_and_no_figures_are_refused(counts: Held) -> None:
    with pytest.raises(StudyError, match="no sentence of a letter"):
        reconcile([], counts)
    with pytest.raises(StudyError, match="holds a figure"):
        reconcile([claim("")], counts)


CLAIM = """
[[claim]]
template = "below_mean"
text = "Copper Heron misses 12.9% against an ICB average of 5.3%."
practice = "Copper Heron Surgery"
metric = "dna_share"
figure = "12.9%"
comparator = "ICB"
comparator_figure = "5.3%"
direction = "high"
note = "a remark of mine"
"""


@pytest.fixture
def demo(tmp_path: Path) -> Callable[[str], Path]:
    def write(claims: str) -> Path:
        for path in (ROOT / "data" / "demo").glob("*.csv"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        text = (ROOT / "data" / "demo" / "study.toml").read_text(encoding="utf-8")
        own = re.split(r"(?m)^\[\[claim\]\]", text)[0]
        own = "\n".join(line for line in own.splitlines() if not line.startswith("letter"))
        (tmp_path / "study.toml").write_text(own + "\n" + claims, encoding="utf-8")
        return tmp_path

    return write


def test_the_command_says_what_gives_the_figures_and_writes_all_readings(
    demo: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = demo(CLAIM)
    assert main(["reconcile", str(folder)]) == 0
    said = capsys.readouterr().out
    assert 'Sentence 1. "Copper Heron misses 12.9% against an ICB average of 5.3%."' in said
    assert "1 of the 15 readings tried gives it" in said and "those of unknown status included" in said
    assert "a remark of mine" not in said
    table = pd.read_csv(folder / "reports" / "private" / "reconcile.csv")
    assert list(table.columns) == schema.names("reconciliation")
    assert set(table.loc[table["part"] == "figure", "counting"]) == {"missed_of_all"}
    assert table["in_words"].notna().all() and not (folder / "reports" / "to-send").exists()


def test_the_command_without_a_letter_or_figures_says_so_before_it_reads_data(
    demo: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = demo("")
    for path in folder.glob("*.csv"):
        path.write_text("code\n", encoding="utf-8")
    assert main(["reconcile", str(folder)]) == 2
    assert "no sentence of a letter" in capsys.readouterr().err
    without = "\n".join(line for line in CLAIM.splitlines() if "figure =" not in line)
    assert main(["reconcile", str(demo(without))]) == 2
    assert "holds a figure" in capsys.readouterr().err


# --- the real table --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Held:
    april = {"practice_code": "GP_CODE", "same_day_share.numerator": "Same Day"}
    bands = ["Same Day", "1 Day", "2 to 7 Days", "8  to 14 Days", "15  to 21 Days", "22  to 28 Days"]
    april["same_day_share.denominator"] = [*bands, "More than 28 Days", "Unknown / Data Quality"]
    table, month = (
        shared("data", "joined", name) for name in ("england_2025_26.csv.gz", "appointments_april_2025_wide.csv.gz")
    )
    study = {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share"],
        "area": {"kind": "icb", "code": "QHM"},
        "reference": {"set": "england", "exclude": ["list_under_1000"]},
        "source": [
            {"id": "local", "file": str(table), "columns": {**REAL, "weighted_list": "weighted_2223"}},
            {"id": "april", "file": str(month), "period": "2025-04", "columns": april},
        ],
    }
    return held_by_study(load_study(study, Path(table).parent))


def qhm(code: str, figure: str = "", template: str = "below_mean", **more: Any) -> Claim:
    return claim(figure, template, practice_code=code, **{"metric": "same_day_share", "direction": "low", **more})


def test_the_boards_average_is_found_to_be_the_mean_of_its_practices(real: Held) -> None:
    # Counted by hand before any finding: 22.68 in 100, beside a mean of the board's practices of 39.67.
    said = qhm("A89623", "22.7%", comparator="icb", comparator_figure="39.67%")
    assert ("same_day_share", YEAR) in ways(one(real, said))
    average = one(real, said, "comparator_figure")
    assert ("same_day_share", YEAR, "icb", "mean", 331) in {
        (each.counting, each.period, each.of, each.how, each.practices) for each in average.matches
    }
    assert any(each.counting == "same_day_share" for each in average.both)


def test_places_in_england_are_those_counted_by_hand(real: Held) -> None:
    for code, metric, place in (
        ("A83010", "same_day_share", 190),
        ("A86027", "appointments_per_1000", 1),
        ("A81029", "dna_share", 5847),
        ("A86017", "dna_share", 5868),
    ):
        item = one(real, qhm(code, "", "league_place", metric=metric, place=place, of=6067), "place")
        assert (metric, YEAR, "england", "lowest_first") in {
            (each.counting, each.period, each.of, each.how) for each in item.matches
        }, code


def test_seven_fold_is_the_highest_practice_of_the_board_over_the_lowest(real: Held) -> None:
    item = one(real, qhm("", "7.05", "fold", metric="dna_share", comparator="icb"))
    assert ("dna_share", YEAR, "icb", "highest_lowest", 331) in {
        (each.counting, each.period, each.of, each.how, each.practices) for each in item.matches
    }


def test_april_and_the_year_less_april_are_told_apart(real: Held) -> None:
    # The Densham Surgery in April 2025: 299 same-day appointments of 1,018.
    assert ways(one(real, qhm("A81001", f"{100 * 299 / 1018:.2f}%"))) == {("same_day_share", APRIL)}
    year = real.counts[YEAR].loc["A81001"]
    top, base = (year[f"same_day_share.{part}"] for part in ("numerator", "denominator"))
    rest = f"{100 * (top - 299) / (base - 1018):.3f}%"
    assert ("same_day_share", REST) in ways(one(real, qhm("A81001", rest)))


def test_many_readings_of_a_rates_comparator_are_said_to_say_little(real: Held) -> None:
    said = qhm("A86027", "111", "too_low", metric="appointments_per_1000", comparator_figure="450")
    assert ("appointments_per_1000", YEAR) in ways(one(real, said))
    average = one(real, said, "comparator_figure")
    assert average.tried > 1000 and "a match says little" in words.reconciled_chance(average)


def test_bad_input_is_an_error_of_three_lines(tmp_path: Path) -> None:
    with pytest.raises(GpvarError) as caught:
        held_by_study(load_study({**content(tmp_path), "area": {"kind": "icb", "code": "QZZ"}}, tmp_path))
    assert caught.value.problem and caught.value.where and caught.value.fix
