"""A place among practices and a figure on one side of a line: the odds, on a simulated England with known truth."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import gpvar
from gpvar import catalogue, claims, share, simulate
from gpvar.analysis.expected import link_of_observed, sampling_variance
from gpvar.analysis.lasting import Lasting, lasting
from gpvar.claims import odds
from gpvar.claims.evidence import Evidence
from gpvar.results import Claim, Figure, Finding, Run
from gpvar.simulate._month import month_of
from gpvar.stats import ranks
from gpvar.study import Period
from tests.claim_rows import CENTRE, figure, row, seen

#: Measured over a year with a month beside it; with a target; and without any month.
MISSED, URGENT, RATE = "dna_share", "urgent_same_day_share", "appointments_per_1000"


def study_of(folder: Path, **changes: Any) -> dict[str, Any]:
    """The demonstration's study of a smaller simulated England; one measure has no month beside the year."""
    world = simulate.england(practices=500, icbs=5)
    world.practices.to_csv(folder / "practices_2025_26.csv", index=False)
    month_of(world.practices, world.seed).to_csv(folder / "april_2025.csv", index=False)
    study = tomllib.loads((share.folder("demo") / "study.toml").read_text(encoding="utf-8"))
    for part in ("reports", "claim", "letter"):
        study.pop(part, None)
    study["metrics"] = [MISSED, URGENT, RATE]
    study["area"] = {"kind": "icb", "code": simulate.AREA}
    study["source"][1]["columns"] = {
        name: heading for name, heading in study["source"][1]["columns"].items() if not name.startswith(RATE)
    }
    return study | changes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("odds")
    return gpvar.run(gpvar.load_study(study_of(folder), base=folder))


@pytest.fixture(scope="module")
def drawn(run: Run) -> Lasting:
    return lasting(run, MISSED)


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    world = simulate.england(practices=500, icbs=5)
    return dict(zip(world.planted["id"], world.planted["practice_code"], strict=True))


@pytest.fixture(scope="module")
def kept() -> dict[Any, Any]:
    """What is kept between the sentences of a letter."""
    return {}


def said(template: str, code: str, metric: str = MISSED, **more: Any) -> Claim:
    return Claim("1", template, practice=code, practice_code=code, metric=metric, **more)


def about(run: Run, kept: dict[Any, Any], *given: Any, **more: Any) -> Evidence:
    return Evidence(said(*given, **more), run, kept)


def ordinary(run: Run, metric: str = MISSED, icb: str = simulate.AREA) -> list[str]:
    """The practices of a board that the model was fitted on, from the lowest figure to the highest."""
    effects, places = run.analyses[metric].effects, run.table.hierarchy
    here = places.loc[places["icb_code"] == icb, "practice_code"]
    rows = run.analyses[metric].practices.query("rung == 'M0' and comparator == 'england'")
    rows = rows[rows["practice_code"].isin(set(effects["practice_code"]) & set(here))]
    return list(rows.sort_values("value")["practice_code"])


# --- what lasts ------------------------------------------------------------------------------------------------------


def test_ranks_by_the_draws_are_those_of_the_practices_pages(run: Run, drawn: Lasting) -> None:
    effects = run.analyses[MISSED].effects
    for rung, values in (("M0", drawn.raw), ("M1", drawn.apart)):
        found = ranks.from_draws(values).set_index(drawn.practice_code)
        kept = effects[effects["rung"] == rung].set_index("practice_code")
        for tail in ("p_bottom", "p_top"):
            assert (found[tail] - kept[tail]).abs().max() < 1e-9
            assert kept[tail].between(0.1, 0.9).any()


def test_the_period_s_figure_is_the_lasting_one_and_what_passes(run: Run, drawn: Lasting) -> None:
    assert drawn.passed is not None
    np.testing.assert_allclose(drawn.period, drawn.raw + drawn.passed, atol=1e-5)
    known = run.analyses[MISSED].spread["transient"].iloc[0]
    # Over practices what passes has the variance that practices are judged with.
    assert np.var(drawn.passed) == pytest.approx(known, rel=0.1)
    for code in drawn.practice_code[:3]:
        np.testing.assert_allclose(drawn.own_period(code), drawn.period[:, drawn.column[code]], atol=1e-5)


def test_the_period_s_figure_is_known_to_within_sampling_and_the_lasting_one_is_not(run: Run, drawn: Lasting) -> None:
    rows = run.analyses[MISSED].practices.query("rung == 'M0' and comparator == 'england'").set_index("practice_code")
    rows = rows.loc[drawn.practice_code]
    observed = link_of_observed(rows["observed"].to_numpy(), rows["denominator"].to_numpy(), "proportion")
    sampling = np.sqrt(sampling_variance(observed, rows["denominator"].to_numpy(), "proportion"))
    away = (drawn.period.mean(axis=0) - observed) / sampling
    assert np.abs(away).max() < 1.0
    assert np.median(drawn.period.std(axis=0) / sampling) == pytest.approx(1.0, abs=0.05)
    assert np.median(drawn.raw.std(axis=0) / sampling) > 1.5


def test_without_months_nothing_is_taken_off(run: Run) -> None:
    without = lasting(run, RATE)
    assert without.passed is None
    np.testing.assert_array_equal(without.period, without.raw)


def test_draws_of_few_models_are_kept_at_a_time(run: Run) -> None:
    kept: dict[Any, Any] = {("another", "thing"): 1}
    for metric in (MISSED, URGENT):
        for rung in ("M1", "M2"):
            odds.lasting_of(about(run, kept, "tail", "X", metric), rung)
    assert len(kept) == 1 + 3 and ("another", "thing") in kept
    again = odds.lasting_of(about(run, kept, "tail", "X", URGENT), "M2")
    assert again is odds.lasting_of(about(run, kept, "tail", "X", URGENT), "M2")


# --- a place ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "tail"), [("low", "p_bottom"), ("high", "p_top")])
def test_the_chance_of_a_tenth_is_that_of_the_practices_pages(
    run: Run, kept: dict[Any, Any], direction: str, tail: str
) -> None:
    effects = run.analyses[MISSED].effects.set_index(["rung", "practice_code"])
    for code in ordinary(run)[::10]:
        numbers = odds.rank(about(run, kept, "tail", code, direction=direction)).numbers
        assert numbers["p_raw"] == pytest.approx(effects.loc[("M0", code), tail], abs=1e-9)
        assert numbers["p_adjusted"] == pytest.approx(effects.loc[("M1", code), tail], abs=1e-9)
        assert numbers["rank_lower"] == effects.loc[("M0", code), "rank_lower"]
        assert numbers["reliability"] == pytest.approx(effects.loc[("M0", code), "reliability"], abs=1e-9)


def test_a_letter_s_own_tail_is_the_one_judged(run: Run, kept: dict[Any, Any]) -> None:
    code = ordinary(run)[30]
    shares = (10, 20, 50, 80)
    found = [odds.rank(about(run, kept, "tail", code, direction="low", threshold=figure(f"{x}%"))) for x in shares]
    assert [each.numbers["tail"] for each in found] == pytest.approx([0.1, 0.2, 0.5, 0.8])
    chances = [each.numbers["p_raw"] for each in found]
    assert chances == sorted(chances)
    top = odds.rank(about(run, kept, "tail", code, direction="high", threshold=figure("50%"))).numbers["p_raw"]
    # An odd number of practices has one in the middle, who is in either half.
    assert chances[2] + top == pytest.approx(1.0, abs=0.05)


def test_in_its_board_a_practice_is_ranked_among_the_board_s(run: Run, kept: dict[Any, Any]) -> None:
    codes = ordinary(run)
    found = [odds.rank(about(run, kept, "tail", code, direction="low", comparator="icb")).numbers for code in codes]
    assert {each["among"] for each in found} == {len(codes)}
    in_tail = np.ceil(0.1 * len(codes))
    for name in ("p_raw", "p_adjusted", "p_setting"):
        assert sum(each[name] for each in found) == pytest.approx(in_tail)
    assert all(each["rank_upper"] <= len(codes) for each in found)
    analysis = run.analyses[MISSED]
    spread = analysis.spread.query("rung == 'M0' and comparator == 'own_icb'").iloc[0]
    rows = analysis.practices.query("rung == 'M0' and comparator == 'own_icb'").set_index("practice_code").loc[codes]
    centre = special.logit(rows["centre"].to_numpy())
    chance = sampling_variance(centre, rows["denominator"].to_numpy(), "proportion") + spread["transient"]
    np.testing.assert_allclose([each["reliability"] for each in found], spread["tau2"] / (spread["tau2"] + chance))


@pytest.mark.parametrize(
    ("place", "tail", "sign"),
    [(3, 0.25, -1), (57, 0.25, -1), (58, 0.5, -1), (115, 0.5, -1), (174, 0.25, -1), (230, 0.25, -1)],
)
def test_a_place_of_a_league_table_stands_for_its_outer_quarter_or_its_half(place: int, tail: float, sign: int) -> None:
    """The lowest of all; a place in the other half is counted from the other end."""
    evidence = seen("league_place", row("M0", 0.399, CENTRE), direction="low", place=place, of=230)
    assert odds.tail_of(evidence) == (tail, sign)
    turned = seen("league_place", row("M0", 0.601, CENTRE), direction="high", place=place, of=230)
    assert odds.tail_of(turned) == (tail, -sign)


@pytest.mark.parametrize(("place", "sign"), [(230, 1), (175, 1)])
def test_a_place_in_the_other_half_stays_there_where_the_published_figure_is(place: int, sign: int) -> None:
    evidence = seen("league_place", row("M0", 0.601, CENTRE), direction="low", place=place, of=230)
    assert odds.tail_of(evidence) == (0.25, sign)


@pytest.mark.parametrize(("place", "value"), [(160, 0.399), (150, 0.5)])
def test_a_place_that_fits_the_published_order_from_neither_end_or_from_both_is_not_judged(
    place: int, value: float
) -> None:
    evidence = seen("league_place", row("M0", value, CENTRE), direction="low", place=place, of=230)
    assert odds.rank(evidence).holding == {"no_direction"}


@pytest.mark.parametrize(
    ("template", "more", "condition"),
    [
        ("tail", {"threshold": figure("0%")}, "no_threshold"),
        ("tail", {"threshold": figure("100%")}, "no_threshold"),
        ("league_place", {"place": 0, "of": 230}, "no_counts"),
        ("league_place", {"place": 231, "of": 230}, "no_counts"),
    ],
)
def test_a_part_or_a_place_that_cannot_be_is_not_judged(template: str, more: dict, condition: str) -> None:
    assert odds.rank(seen(template, row("M0", 0.4, CENTRE), direction="low", **more)).holding == {condition}


def other(number: float) -> float:
    """The figure of one of the 400 others, counted from nought at the lowest; a half lies between two of them."""
    return CENTRE + (number - 200 + 0.5) / 400 / 5


@pytest.mark.parametrize(
    ("value", "direction", "from_side", "tied", "in_tail"),
    [
        (other(39.5), "low", 41, 1, True),
        (other(40.5), "low", 42, 1, False),
        (other(359.5), "high", 41, 1, True),
        (other(358.5), "high", 42, 1, False),
        # It shares its figure with one other: both have the first of their places.
        (other(40), "low", 41, 2, True),
        (other(359), "high", 41, 2, True),
        (other(358), "high", 42, 2, False),
    ],
)
def test_arithmetic_on_the_published_figures(
    value: float, direction: str, from_side: int, tied: int, in_tail: bool
) -> None:
    # The place by what is judged is another: nobody can count that.
    at = row("M0", value, CENTRE) | {"rank": 7.0}
    numbers = odds.rank(seen("tail", at, direction=direction)).numbers
    assert (numbers["from_side"], numbers["tied"], numbers["in_tail"]) == (from_side, tied, in_tail)
    assert (numbers["ranked"], numbers["cut_place"]) == (401, 41)


def test_the_last_place_of_a_tenth_is_said_with_the_figure_there() -> None:
    low, high = (
        odds.rank(seen("tail", row("M0", CENTRE, CENTRE), direction=side)).numbers["cut_value"]
        for side in ("low", "high")
    )
    assert (low, high) == (pytest.approx(other(40)), pytest.approx(other(359)))


def findings(run: Run, *said: Claim) -> tuple[Finding, ...]:
    return claims.check_all(said, run)


def finding(run: Run, claim: Claim) -> Finding:
    return claims.check_claim(claim, run)


def test_a_practice_planted_far_out_is_in_the_tenth_that_the_letter_names(run: Run, planted: dict[str, str]) -> None:
    out = planted["far_outside"]
    held, denied = findings(run, *(said("tail", out, direction=side) for side in ("high", "low")))
    assert (held.verdict, held.reason) == ("supported", "rank_holds")
    assert held.numbers["in_tail"] is True and held.numbers["p_raw"] > 0.99
    assert (denied.verdict, denied.numbers["in_tail"]) == ("contradicted", False)


def test_a_practice_in_a_tenth_only_by_its_patients_is_no_fair_comparison(run: Run, planted: dict[str, str]) -> None:
    beside = ("england", "icb")
    letter = [said("tail", planted["explained"], direction="high", comparator=each) for each in beside]
    for found in findings(run, *letter):
        assert (found.verdict, found.reason) == ("not_attributable", "rank_goes_with_patients")
        assert found.numbers["p_raw"] >= 0.8 and found.numbers["explained_share"] >= 0.5


def test_odds_between_are_not_decided(run: Run, kept: dict[Any, Any]) -> None:
    codes = ordinary(run)
    found = [odds.rank(about(run, kept, "tail", code, direction="low")) for code in codes]
    open_ = [each for each in found if 0.2 < each.numbers["p_raw"] < 0.8]
    assert open_
    for each in open_:
        assert not each.holding & {"p_raw_high", "p_raw_low"}
    middle = finding(run, said("tail", codes[found.index(open_[0])], direction="low"))
    assert (middle.verdict, middle.reason) == ("not_decidable", "rank_odds")


def test_without_months_no_odds_are_given_and_the_arithmetic_is(run: Run) -> None:
    found = finding(run, said("tail", ordinary(run, RATE)[0], RATE, direction="low"))
    assert (found.verdict, found.reason) == ("not_decidable", "rank_needs_months")
    assert found.numbers["in_tail"] is True and "p_raw" not in found.numbers
    assert "chance_not_separated" in found.because


def test_an_unsteady_figure_is_not_ranked(run: Run) -> None:
    code = ordinary(run)[0]
    analysis = run.analyses[MISSED]
    moved = analysis.spread.assign(transient=analysis.spread["tau2"])
    unsteady = replace(run, analyses=run.analyses | {MISSED: replace(analysis, spread=moved)})
    found = finding(unsteady, said("tail", code, direction="low"))
    assert (found.verdict, found.reason) == ("not_decidable", "rank_unreliable")
    assert found.numbers["reliability"] < 0.5


def test_a_place_that_is_steady_only_before_adjustment_stays_open_unless_it_is_not_there(run: Run) -> None:
    codes = ordinary(run)
    analysis = run.analyses[MISSED]
    adjusted = analysis.spread["rung"] != "M0"
    little = analysis.spread.assign(tau2=analysis.spread["tau2"].where(~adjusted, 1e-4))
    unsteady = replace(run, analyses=run.analyses | {MISSED: replace(analysis, spread=little)})
    effects = analysis.effects.query("rung == 'M0'").set_index("practice_code")
    low = next(c for c in codes if effects.loc[c, "p_bottom"] > 0.9 and _explained(run, c) < 0.5)
    assert finding(unsteady, said("tail", low, direction="low")).reason == "rank_unreliable"
    assert finding(unsteady, said("tail", low, direction="high")).reason == "rank_unlikely"


def _explained(run: Run, code: str) -> float:
    rows = run.analyses[MISSED].practices.query("comparator == 'england' and practice_code == @code")
    left = rows.set_index("rung")["link_residual"]
    return float(1 - min(left["M1"] / left["M0"], left["M2"] / left["M0"]))


def test_in_a_board_too_small_to_compare_with_a_practice_is_judged_beside_england(run: Run) -> None:
    code = ordinary(run)[0]
    analysis = run.analyses[MISSED]
    frame = analysis.practices.copy()
    # As `judge` leaves a practice whose board has five practices or fewer.
    unplaced = (frame["practice_code"] == code) & (frame["comparator"] == "own_icb")
    frame.loc[unplaced, ["value", "centre", "difference", "z", "link_residual", "rank", "ranked", "percentile"]] = (
        np.nan
    )
    few = replace(run, analyses=run.analyses | {MISSED: replace(analysis, practices=frame)})
    beside_board, beside_england = findings(
        few, *(said("tail", code, direction="low", comparator=each) for each in ("icb", "england"))
    )
    assert beside_board.comparator == "england" and "comparator_changed" in beside_board.because
    assert beside_board.numbers == beside_england.numbers
    assert "comparator_changed" not in beside_england.because


def test_a_practice_left_out_of_the_fit_has_no_odds(run: Run, planted: dict[str, str]) -> None:
    found = finding(run, said("tail", planted["students"], direction="high"))
    assert (found.verdict, found.reason) == ("not_decidable", "rank_outside_model")
    assert found.numbers["ranked"] > 400


def test_too_few_practices_for_a_model_have_no_odds(tmp_path: Path) -> None:
    study = study_of(tmp_path, metrics=[MISSED], reference={"set": "icb", "exclude": []})
    small = gpvar.run(gpvar.load_study(study, base=tmp_path))
    code = small.table.area_codes[0]
    found = finding(small, said("tail", code, direction="low"))
    assert (found.verdict, found.reason) == ("not_decidable", "rank_needs_england")
    # The line of a threshold needs no other practice.
    red = finding(small, said("rag_red", code, direction="low", threshold=figure("99%")))
    assert (red.verdict, red.reason) == ("supported", "threshold_holds")


def test_with_nothing_to_allow_for_a_true_place_cannot_be_checked_and_a_false_one_can(tmp_path: Path) -> None:
    study = study_of(tmp_path, metrics=[MISSED], adjust={"M1": [], "M2": []})
    bare = gpvar.run(gpvar.load_study(study, base=tmp_path))
    codes = ordinary(bare)
    found = finding(bare, said("tail", codes[0], direction="low"))
    assert (found.verdict, found.reason) == ("not_decidable", "nothing_allowed_for")
    assert finding(bare, said("tail", codes[-1], direction="low")).verdict == "contradicted"


# --- a line ----------------------------------------------------------------------------------------------------------


def line(evidence: Evidence) -> dict[str, Any]:
    return odds.threshold(evidence).numbers


def test_the_chance_is_that_of_the_period_s_own_figure(run: Run, kept: dict[Any, Any]) -> None:
    """It is the sampling of the figure, drawn a little to what is expected of it; what passes has no part in it."""
    between = np.sqrt(run.analyses[MISSED].spread["tau2"].iloc[0])
    rows = run.analyses[MISSED].practices.query("rung == 'M0' and comparator == 'england'").set_index("practice_code")
    for code in ordinary(run)[::15]:
        value, size = rows.loc[code, "value"], rows.loc[code, "denominator"]
        error = np.sqrt(value * (1 - value) / size)
        # How far a practice four shared spreads out is drawn in, in standard errors, when a third of the shared
        # variance is its places'; and a little for draws and skewness.
        drawn_in = 4.0 * 1.5 * error / (value * (1 - value)) / between + 0.1
        assert drawn_in < 0.6
        for z in (-1.0, 0.0, 1.5):
            cut = Figure("x", 100 * (value + z * error), 6, True)
            found = line(about(run, kept, "rag_red", code, direction="low", threshold=cut))
            assert stats.norm.cdf(z - drawn_in) <= found["p"] <= stats.norm.cdf(z + drawn_in)
            # The ends of an interval are skewed, and known from fewer draws.
            ends = np.array([found["interval_lower"], found["interval_upper"]])
            np.testing.assert_allclose(ends, value + 1.96 * error * np.array([-1, 1]), atol=(drawn_in + 0.2) * error)


def test_the_two_sides_of_a_line_are_all_there_is(run: Run, kept: dict[Any, Any]) -> None:
    code = ordinary(run)[20]
    value = run.analyses[MISSED].practices.query("rung == 'M0' and practice_code == @code")["value"].iloc[0]
    cut = Figure("x", 100 * float(value), 6, True)
    low, high = (line(about(run, kept, "rag_red", code, direction=side, threshold=cut)) for side in ("low", "high"))
    assert low["p"] + high["p"] == pytest.approx(1.0)
    assert low["england_share"] + high["england_share"] == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize(("count", "size"), [(0, 12), (5, 12), (70, 80), (900, 1000)])
def test_without_a_model_the_practice_s_own_counts_decide(count: int, size: int) -> None:
    at = row("M0", 0.5, CENTRE) | {"value": count / size, "observed": float(count), "denominator": float(size)}
    found = line(seen("payment", at, threshold=figure("85%")))
    own = stats.beta(count + 0.5, size - count + 0.5)
    assert found["p"] == pytest.approx(own.cdf(0.85))
    assert (found["interval_lower"], found["interval_upper"]) == pytest.approx(own.interval(0.95))


def test_a_rate_without_a_model_is_judged_by_its_own_count() -> None:
    at = row("M0", 0.3, CENTRE) | {"value": 0.3, "observed": 30.0, "denominator": 100.0}
    found = line(seen("rag_red", at, metric=RATE, direction="high", threshold=figure("250")))
    assert found["p"] == pytest.approx(stats.gamma(30.5, scale=0.01).sf(0.25))


def test_a_sentence_about_a_line_is_right_wrong_or_open(run: Run) -> None:
    code = ordinary(run)[20]
    value = float(run.analyses[MISSED].practices.query("rung == 'M0' and practice_code == @code")["value"].iloc[0])
    cuts = [Figure("x", 100 * value * part, 6, True) for part in (3.0, 1.0, 0.7)]
    found = findings(run, *(said("rag_red", code, direction="low", threshold=cut) for cut in cuts))
    assert [(each.verdict, each.reason) for each in found] == [
        ("supported", "threshold_holds"),
        ("not_decidable", "threshold_odds"),
        ("contradicted", "threshold_unlikely"),
    ]


def test_a_line_without_a_number_and_without_a_target_cannot_be_checked() -> None:
    tested = odds.threshold(seen("rag_red", row("M0", 0.4, CENTRE), direction="low"))
    assert tested.holding == {"no_threshold"}


@pytest.mark.parametrize(
    ("expected", "line", "fair", "said_beside"),
    [
        # 40 % where the middle is 50 %: with England's mix 46 %, beyond a line of 45 % and not beyond one of 50 %.
        (0.44, "45%", False, True),
        (0.44, "50%", True, False),
        # With England's mix 44 %, beyond a line of 43 %; but less than half of the gap is seen with such patients.
        (0.46, "43%", True, True),
    ],
)
def test_a_line_of_the_boards_own_that_patients_alone_cross_is_no_fair_comparison(
    expected: float, line: str, fair: bool, said_beside: bool
) -> None:
    rows = (row("M0", 0.40, CENTRE), row("M1", 0.40, expected))
    tested = odds.threshold(seen("rag_red", *rows, direction="low", threshold=figure(line)))
    assert "p_high" in tested.holding
    assert ("patients_reach_it" not in tested.holding) == fair
    assert ("patients_would_reach_it" in tested.beside) == said_beside
    adjusted = special.expit(special.logit(0.4) - special.logit(expected) + special.logit(CENTRE))
    assert tested.numbers["adjusted"] == pytest.approx(adjusted)


def test_what_belongs_to_a_payment_holds_whatever_the_patients_and_they_are_named_beside() -> None:
    rows = (row("M0", 0.40, CENTRE), row("M1", 0.40, 0.44))
    tested = odds.threshold(seen("payment", *rows, direction="low", threshold=figure("45%")))
    assert tested.holding == {"p_high"} and "patients_would_reach_it" in tested.beside


def test_a_practice_on_the_right_side_of_a_line_has_not_been_taken_there_by_its_patients() -> None:
    rows = (row("M0", 0.60, CENTRE), row("M1", 0.60, 0.40))
    tested = odds.threshold(seen("rag_red", *rows, direction="low", threshold=figure("50%")))
    assert tested.holding == {"p_low"} and tested.numbers["gone"] == 0.0


# --- whose line it is ------------------------------------------------------------------------------------------------


def urgent(**more: Any) -> Evidence:
    rows = (row("M0", 0.70, CENTRE), row("M1", 0.70, CENTRE))
    return seen("below_target", *rows, metric=URGENT, **more)


def test_a_target_in_force_and_not_yet_due_is_named() -> None:
    tested = odds.threshold(urgent())
    target = catalogue.targets()["urgent_same_day_90"]
    assert tested.numbers["threshold"] == target.value == 0.90
    assert (tested.numbers["target"], tested.numbers["announced"]) == (target.id, "2026-03-17")
    assert tested.holding == {"p_high"}
    assert "target_not_due" in tested.beside and "threshold_is_the_boards_own" not in tested.beside


def test_a_target_that_came_due_is_not_said_to_be_to_come() -> None:
    tested = odds.threshold(urgent(period=Period("2026-04", "2027-03")))
    assert "target_not_due" not in tested.beside


@pytest.mark.parametrize("written", [None, figure("90%")])
def test_a_target_that_had_not_been_announced_is_not_held_against_a_practice(written: Figure | None) -> None:
    tested = odds.threshold(urgent(period=Period("2025-04", "2026-02"), threshold=written))
    assert tested.holding == {"target_not_announced"}
    assert tested.numbers["announced"] == "2026-03-17"


def test_the_day_of_the_announcement_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    target = catalogue.targets()["urgent_same_day_90"]
    for day, holding in ((31, {"p_high"}), (30, {"p_high"})):
        moved = replace(target, announced=target.announced.replace(day=day))
        monkeypatch.setattr(catalogue, "targets", lambda moved=moved: {moved.id: moved})
        assert odds.threshold(urgent()).holding == holding
    later = replace(target, announced=target.announced.replace(month=4, day=1))
    monkeypatch.setattr(catalogue, "targets", lambda: {later.id: later})
    assert odds.threshold(urgent()).holding == {"target_not_announced"}


def test_another_line_is_the_board_s_own() -> None:
    tested = odds.threshold(urgent(threshold=figure("85%")))
    assert tested.numbers["target"] == "" and "threshold_is_the_boards_own" in tested.beside
    red = seen("rag_red", row("M0", 0.4, CENTRE), direction="low", threshold=figure("90%"))
    assert "threshold_is_the_boards_own" in odds.threshold(red).beside


def test_a_red_line_at_a_target_s_height_before_its_day_is_the_board_s_own() -> None:
    rows = (row("M0", 0.70, CENTRE), row("M1", 0.70, CENTRE))
    early = {"metric": URGENT, "direction": "low", "period": Period("2025-04", "2026-02")}
    tested = odds.threshold(seen("rag_red", *rows, threshold=figure("90%"), **early))
    assert tested.holding == {"p_high"} and "threshold_is_the_boards_own" in tested.beside


def test_a_target_of_at_most_is_missed_from_above(monkeypatch: pytest.MonkeyPatch) -> None:
    target = replace(catalogue.targets()["urgent_same_day_90"], comparison="at most", value=0.60)
    monkeypatch.setattr(catalogue, "targets", lambda: {target.id: target})
    tested = odds.threshold(urgent())
    assert tested.numbers["side"] == "high" and tested.holding == {"p_high"}


def test_how_many_in_england_are_on_that_side_stands_beside() -> None:
    tested = odds.threshold(seen("rag_red", row("M0", 0.45, CENTRE), direction="low", threshold=figure("50%")))
    # Half of the others, and the practice itself.
    assert tested.numbers["england_share"] == pytest.approx(201 / 401)
    assert tested.beside[0] == "many_on_that_side"


def test_every_finding_on_a_run_can_be_stored(run: Run, planted: dict[str, str]) -> None:
    letter = [
        said(template, planted[who], metric, direction="high", **more)
        for metric in (MISSED, URGENT, RATE)
        for who in ("far_outside", "unmapped", "students")
        for template, more in (
            ("tail", {}), ("below_mean", {}), ("significant", {}), ("outlier", {}),
            ("rag_red", {"threshold": figure("6%")}), ("league_place", {"place": 3, "of": 90}),
        )
    ]  # fmt: skip
    found = findings(run, *letter)
    for each in found:
        kinds = {type(value) for value in each.numbers.values()}
        assert kinds <= {bool, int, float, str, list, type(None)}, each
    assert len({each.reason for each in found}) > 6


def test_the_table_of_targets_is_the_catalogue_s(run: Run, planted: dict[str, str]) -> None:
    found = finding(run, said("below_target", planted["far_outside"], URGENT))
    assert found.numbers["target"] == "urgent_same_day_90"
    assert pd.notna(found.numbers["p"])
    assert SimpleNamespace(**found.numbers).threshold == 0.90
