"""What anybody can count of a letter's sentence, what is said beside every finding, and a sentence that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

import gpvar
from gpvar import claims, simulate
from gpvar.claims import always, checking, odds, rungs
from gpvar.claims.evidence import Evidence
from gpvar.claims.evidence import Tested as Seen
from gpvar.errors import StatsError
from gpvar.results import Claim, Figure, Run
from tests.claim_rows import CENTRE, figure, row, seen
from tests.test_claims_odds import MISSED, RATE, ordinary, study_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("published")
    return gpvar.run(gpvar.load_study(study_of(folder), base=folder))


def said(template: str, code: str, metric: str = MISSED, **more: Any) -> Claim:
    return Claim("1", template, practice=code, practice_code=code, metric=metric, **more)


def shares(run: Run, metric: str = MISSED) -> pd.Series:
    """The published figures of the practices compared, counted from the table itself."""
    outcomes = run.table.outcomes.query("metric == @metric").set_index("practice_code")
    frame = run.analyses[metric].practices.query("rung == 'M0' and comparator == 'england'")
    compared = frame.loc[frame["rank"].notna(), "practice_code"]
    return (outcomes["numerator"] / outcomes["denominator"]).loc[compared]


def board_of(run: Run, code: str) -> set[str]:
    boards = run.table.hierarchy.set_index("practice_code")["icb_code"]
    return set(boards.index[boards == boards[code]])


# Places and averages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparator", ["england", "icb"])
def test_places_are_those_of_the_published_figures_beside_england_and_its_own_board(run: Run, comparator: str) -> None:
    values = shares(run)
    for code in ordinary(run)[::25]:
        numbers = claims.check_claim(said("outlier", code, direction="high", comparator=comparator), run).numbers
        own = values[values.index.isin(board_of(run, code))]
        for name, among in (("england", values), ("icb", own)):
            assert numbers[f"{name}_rank"] == 1 + (among < values[code]).sum()
            assert numbers[f"{name}_from_side"] == 1 + (among > values[code]).sum()
            assert numbers[f"{name}_ranked"] == len(among)
        whose = "icb" if comparator == "icb" else "england"
        assert (numbers["rank"], numbers["ranked"]) == (numbers[f"{whose}_rank"], numbers[f"{whose}_ranked"])
        assert numbers["counted_from"] == "high"


def test_where_the_letter_names_no_side_places_are_counted_from_the_nearer_end(run: Run) -> None:
    codes = ordinary(run)
    ends = [
        claims.check_claim(said("significant", code), run).numbers["counted_from"] for code in codes[:: len(codes) - 1]
    ]
    assert ends == ["low", "high"]


def test_the_average_of_a_board_is_given_both_ways(run: Run) -> None:
    code = ordinary(run)[3]
    numbers = claims.check_claim(said("below_mean", code, direction="low", comparator="icb"), run).numbers
    rows = run.table.outcomes.query("metric == @MISSED").set_index("practice_code")
    frame = run.analyses[MISSED].practices.query("rung == 'M0' and comparator == 'england' and in_fit")
    rows = rows.loc[[each for each in frame["practice_code"] if each in board_of(run, code)]]
    assert numbers["comparator_mean"] == pytest.approx((rows["numerator"] / rows["denominator"]).mean())
    assert numbers["comparator_pooled"] == pytest.approx(rows["numerator"].sum() / rows["denominator"].sum())
    assert numbers["comparator_pooled"] == pytest.approx(run.analyses[MISSED].meta["icb_value"][simulate.AREA])


def test_the_usual_test_of_counts_leaves_passing_movement_out(run: Run) -> None:
    frame = run.analyses[MISSED].practices.query("rung == 'M0' and comparator == 'england'").set_index("practice_code")
    for code in ordinary(run)[::30]:
        z = claims.check_claim(said("significant", code), run).numbers["z_counts"]
        one = frame.loc[code]
        # On the scale of odds: the error of a count of n at the centre p is 1 / √(n p (1 − p)).
        known = one["denominator"] * one["centre"] * (1 - one["centre"])
        assert z == pytest.approx(one["link_residual"] * np.sqrt(known))
        assert abs(z) > abs(one["z_sampling"])


def test_what_is_explained_is_said_in_the_unit_that_is_printed_too() -> None:
    tested = odds.rank(seen("tail", row("M0", 0.40, CENTRE), row("M1", 0.40, 0.44), direction="low"))
    assert "explained_share_shown" not in tested.numbers  # no model, so nothing is said of what is explained
    both = checking.TESTS["margin"](seen("below_mean", row("M0", 0.40, CENTRE), row("M1", 0.40, 0.44), direction="low"))
    assert both.numbers["explained_share_shown"] == pytest.approx(0.6)
    assert both.numbers["explained_share"] == pytest.approx(special.logit(0.44) / special.logit(0.40))


# Right and wrong as arithmetic ----------------------------------------------------------------------------------------


def test_a_tail_is_right_or_wrong_as_arithmetic_with_a_figure_and_without(run: Run) -> None:
    low, *_, high = ordinary(run)
    value = f"{100 * shares(run)[low]:.1f}%"
    asked = [
        said("tail", low, direction="low"),
        said("tail", high, direction="low"),
        said("tail", low, direction="low", figure=figure(value)),
        # The place is right and the figure is not.
        said("tail", low, direction="low", figure=figure(f"{float(value[:-1]) + 0.2:.1f}%")),
        said("tail", low, direction="low", comparator="pcn"),
    ]
    found = claims.check_all(asked, run)
    assert [each.arithmetic for each in found] == ["right", "wrong", "right", "wrong", "not_checked"]
    assert [each.numbers["figure_right"] for each in found] == [None, None, True, False, None]
    assert ["figure_differs" in each.because for each in found] == [False, False, False, True, False]


def test_a_place_of_a_league_table_is_checked_on_the_published_figures(run: Run) -> None:
    code = ordinary(run)[2]
    base = claims.check_claim(said("tail", code, direction="low", comparator="icb"), run).numbers
    at, ranked = base["from_side"], base["ranked"]
    places = [(at, ranked), (at + 1, ranked), (at, ranked + 9), (ranked + 1 - at, ranked)]
    asked = [said("league_place", code, direction="low", comparator="icb", place=p, of=n) for p, n in places]
    right, next_to, of_more, from_the_top = claims.check_all(asked, run)
    assert (right.arithmetic, right.verdict) == ("right", "supported")
    assert not {"place_differs", "of_differs"} & set(right.because)
    assert (next_to.arithmetic, next_to.verdict) == ("wrong", "supported") and "place_differs" in next_to.because
    assert of_more.arithmetic == "not_checked" and "of_differs" in of_more.because
    # The same place, counted from the other end.
    assert (from_the_top.arithmetic, from_the_top.reason) == ("right", right.reason)
    assert (from_the_top.numbers["place"], from_the_top.numbers["p_raw"]) == (at, right.numbers["p_raw"])


def test_a_place_that_is_neither_published_nor_possible_is_asked_about(run: Run) -> None:
    codes = ordinary(run)
    middle = codes[len(codes) // 2]
    found = claims.check_claim(said("league_place", middle, direction="low", comparator="icb", place=1, of=90), run)
    assert (found.verdict, found.reason) == ("not_decidable", "place_far")
    assert "place_differs" in found.because and found.numbers["rank_lower"] > 1


@pytest.mark.parametrize(("text", "arithmetic"), [("{:.1f}", "right"), ("{:.0f}", "right"), ("{:.1f}0", "wrong")])
def test_a_range_is_right_to_the_digits_printed(run: Run, text: str, arithmetic: str) -> None:
    claim = Claim("1", "fold", metric=MISSED, figure=Figure("1", 1.0, 0), comparator="icb")
    now = claims.check_claim(claim, run).numbers["fold_now"]
    number = text.format(now) if arithmetic == "right" else text.format(now + 0.3)
    told = replace(claim, figure=Figure(number, float(number), len(number.partition(".")[2])))
    assert claims.check_claim(told, run).arithmetic == arithmetic


@pytest.mark.parametrize(("expected", "reason"), [(0.43, "rank_goes_with_patients"), (0.49, "rank_holds")])
def test_a_place_in_line_with_its_patients_is_no_fair_comparison_whatever_the_odds(
    expected: float, reason: str
) -> None:
    evidence = seen("tail", row("M0", 0.38, CENTRE), row("M1", 0.38, expected), direction="low")
    numbers = {"p_raw": 0.97, "p_adjusted": 0.85, "p_setting": float("nan"), **rungs.explained(evidence)}
    holding = odds._rank_holding(evidence, numbers, {"M0": 0.9, "M1": 0.9})
    rule = checking.decide("rank", set(holding))
    assert rule is not None and rule.reason == reason


# Beside a finding -----------------------------------------------------------------------------------------------------


def test_too_few_says_that_it_was_not_checked_whether_all_appointments_are_there(run: Run) -> None:
    code = ordinary(run, RATE)[0]
    found = claims.check_all([said("too_low", code, RATE), said("below_mean", code, RATE, direction="low")], run)
    assert ["coverage_not_checked" in each.because for each in found] == [True, False]
    gates = run.table.gates.assign(
        state=run.table.gates["state"].where(run.table.gates["gate"] != "months_missing", "passed")
    )
    checked = replace(run, table=replace(run.table, gates=gates))
    assert "coverage_not_checked" not in claims.check_claim(said("too_low", code, RATE), checked).because


def test_a_practice_that_the_comparison_was_not_fitted_on_is_told_so(run: Run) -> None:
    code = ordinary(run)[0]
    analysis = run.analyses[MISSED]
    frame = analysis.practices.copy()
    frame.loc[frame["practice_code"] == code, "in_fit"] = False
    effects = analysis.effects[analysis.effects["practice_code"] != code]
    without = replace(run, analyses=run.analyses | {MISSED: replace(analysis, practices=frame, effects=effects)})
    asked = [said("outlier", code, direction="low"), said("tail", code, direction="low")]
    kept, left = (claims.check_all(asked, each) for each in (run, without))
    assert [["outside_fit" in found.because for found in each] for each in (kept, left)] == [[False] * 2, [True] * 2]
    assert (left[1].reason, left[1].numbers["cause"]) == ("rank_outside_model", "left_out")


def test_no_way_of_a_measure_is_called_better_where_its_card_knows_none(run: Run) -> None:
    assert "no_known_direction" in claims.check_claim(said("tail", ordinary(run)[0], direction="low"), run).because


def test_exceptional_is_said_of_one_period(run: Run) -> None:
    found = claims.check_claim(said("outlier", ordinary(run)[40], direction="low"), run)
    assert "one_period" in found.because
    assert (found.reason, found.would_change) == ("not_exceptional", ("another_period",))


@pytest.mark.parametrize("direction", ["low", "high"])
def test_without_months_a_gap_inside_the_usual_range_may_have_passed(direction: str) -> None:
    rows = [row("M0", 0.42, CENTRE), row("M1", 0.42, CENTRE)]
    evidence = seen("significant", *rows, months=False, direction=direction)
    assert abs(evidence.rows["M0"]["z"]) < 1.96 < abs(evidence.rows["M0"]["z_sampling"])
    tested = checking.TESTS[evidence.template.test](evidence)
    rule = checking.decide(evidence.template.test, tested.holding)
    assert rule is not None and (rule.verdict, rule.reason) == ("not_decidable", "chance_not_separated")


def test_an_outlier_on_the_other_side_inside_the_usual_range_is_not_exceptional_rather_than_opposite() -> None:
    tested = checking.TESTS["outlier"](seen("outlier", row("M0", 0.42, CENTRE), months=False, direction="high"))
    assert "other_side" not in tested.holding and "inside_everywhere" in tested.holding


def within(run: Run, kind: str) -> Run:
    study = replace(run.study, reference=replace(run.study.reference, set=kind))
    return replace(run, study=study, table=replace(run.table, study=study))


def test_a_place_in_england_is_not_judged_within_an_area(run: Run) -> None:
    code = ordinary(run)[0]
    area = within(run, "region")
    asked = [said("tail", code, direction="low", comparator="england")]
    asked += [said("outlier", code, direction="low", comparator=each) for each in ("region", "pcn")]
    national, region, network = claims.check_all(asked, area)
    assert (national.verdict, national.reason) == ("not_decidable", "rank_needs_england")
    assert "comparator_changed" not in region.because and "comparator_changed" in network.because
    assert all("panel_not_england" in each.because for each in (national, region, network))


# What else is fitted --------------------------------------------------------------------------------------------------


def test_the_primary_comparison_is_not_counted_as_agreeing_with_itself(run: Run) -> None:
    code = ordinary(run)[0]
    found = claims.check_claim(said("tail", code, direction="low"), run).robustness
    ways = run.multiverse[MISSED].practices
    made = ways[(ways["practice_code"] == code) & (ways["comparator"] == "england")]
    assert found["compared"] == len(made) - 1 and found["agree"] == (made["agrees"] == "yes").sum() - 1


# A sentence that fails ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StatsError("The fit fell over.", "here", "Report it."), "The fit fell over."),
        (ZeroDivisionError("by nought"), "by nought"),
    ],
)
def test_a_sentence_that_cannot_be_computed_takes_no_other_with_it_and_says_what_went_wrong(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fails(_: Evidence) -> Seen:
        raise error

    monkeypatch.setitem(checking.TESTS, "outlier", fails)
    code = ordinary(run)[0]
    broken, other = claims.check_all([said("outlier", code, direction="low"), said("tail", code, direction="low")], run)
    assert (broken.verdict, broken.reason) == ("not_decidable", "not_computed")
    assert message in broken.numbers["message"] and broken.disclose and broken.would_change
    assert other.reason == "rank_holds"


def test_a_slip_of_the_programme_is_not_taken_for_a_sentence_that_cannot_be_computed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Evidence) -> Seen:
        raise KeyError("a name that is not there")

    monkeypatch.setitem(checking.TESTS, "outlier", fails)
    with pytest.raises(KeyError):
        claims.check_claim(said("outlier", ordinary(run)[0], direction="low"), run)


def test_figures_are_checked_to_the_rounding_printed(run: Run) -> None:
    code = ordinary(run)[0]
    value = 100 * shares(run)[code]
    for text, right in ((f"{value:.0f}%", True), (f"{value:.2f}%", True), (f"{value + 0.02:.2f}%", False)):
        evidence = Evidence(said("tail", code, direction="low", figure=figure(text)), run)
        assert always.figure_right(evidence) is right
