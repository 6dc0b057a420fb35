"""Sentences whose answers are known: what is true of them, what is counted, and that the bars hold in small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from gpvar import claims as letters_claims
from gpvar.calibration import Settings, Trial, changes, odds, stopped, trial_of
from gpvar.calibration import claims as trial_claims
from gpvar.calibration.answers import _SAID, Answer, counted, said_of, truth_of
from gpvar.calibration.summary import bars
from gpvar.calibration.tally import Tally
from gpvar.catalogue import letters
from gpvar.errors import StudyError
from gpvar.results import Claim, Finding
from gpvar.simulate import PlantedClaim, World, claims_of, world
from gpvar.stats import ranks
from gpvar.stats.multiplicity import at_least
from gpvar.words import calibration as words

SMALL = Settings(practices=700, icbs=8)
SEED = 20260401
#: How many Monte-Carlo standard errors an estimate of the small trial may lie outside its bar.
SLACK = 4.0


# What is true of a sentence -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made() -> World:
    return world(11, 900, 8, metric="dna_share", need="declared", spread="normal", months=12)


@pytest.fixture(scope="module")
def planted(made: World) -> tuple[PlantedClaim, ...]:
    kinds = ("tail", "below_mean", "significant", "rag_red", "payment", "opportunity", "fold", "many_red")
    return claims_of(made, kinds)


def of(planted: Sequence[PlantedClaim], template: str) -> list[PlantedClaim]:
    found = [item for item in planted if item.claim.template == template]
    assert found, template
    return found


def sign(claim: Claim) -> int:
    return -1 if claim.direction == "low" else 1


def test_a_practice_is_in_a_tail_when_its_lasting_figure_is(made: World, planted: tuple[PlantedClaim, ...]) -> None:
    link = made.truth_of()["link"]
    for item in of(planted, "tail"):
        assert item.claim.threshold is not None
        beyond = (sign(item.claim) * link).rank(ascending=False)[item.claim.practice_code]
        assert item.truth == (beyond <= np.ceil(item.claim.threshold.number / 100 * len(link)))
    assert {item.truth for item in of(planted, "tail")} == {True, False}


def test_only_what_is_true_as_it_stands_is_fair(planted: tuple[PlantedClaim, ...]) -> None:
    assert all(item.truth for item in planted if item.fair)
    assert any(item.truth and not item.fair for item in planted)


def test_a_line_is_crossed_by_the_figure_of_the_year(made: World, planted: tuple[PlantedClaim, ...]) -> None:
    period = special.expit(made.truth_of()["period"])
    for item in [*of(planted, "rag_red"), *of(planted, "payment")]:
        assert item.claim.threshold is not None
        gap = sign(item.claim) * (100 * period[item.claim.practice_code] - item.claim.threshold.number)
        assert item.truth == (gap > 0)


def test_what_is_owed_for_a_payment_is_owed_whatever_the_patients(planted: tuple[PlantedClaim, ...]) -> None:
    assert all(item.fair == item.truth for item in of(planted, "payment"))


def test_a_difference_below_the_margin_is_slight_and_no_more(made: World, planted: tuple[PlantedClaim, ...]) -> None:
    link = made.truth_of()["link"]
    share, middle = special.expit(link), special.expit(link.median())
    for item in of(planted, "below_mean"):
        apart = sign(item.claim) * (share[item.claim.practice_code] - middle)
        if item.slight:
            assert -0.002 < apart < 0.012 and not item.fair
        elif item.truth:
            assert apart > 0.008
        else:
            assert apart < 0.002


def test_a_letter_names_the_wrong_side_now_and_then(planted: tuple[PlantedClaim, ...]) -> None:
    assert 0.15 < np.mean([not item.truth for item in of(planted, "significant")]) < 0.5


def test_the_gain_is_what_lasting_figures_are_short_of_the_best_fifth(
    made: World, planted: tuple[PlantedClaim, ...]
) -> None:
    share = special.expit(made.truth_of()["link"]).to_numpy()
    table = made.practices
    weekly = (table["gpad_annual_attended"] + table["gpad_annual_dna"]).to_numpy() / (365 / 7)
    here = (table["icb_code"] == "QZ4").to_numpy()
    gain = (np.maximum(np.quantile(share, 0.8) - share, 0) * weekly)[here].sum()
    for item in of(planted, "opportunity"):
        assert item.claim.figure is not None
        assert item.truth == (item.claim.figure.number <= gain)
        assert item.distance == pytest.approx(abs(item.claim.figure.number - gain), rel=1e-3)


def test_a_practice_that_differs_in_nothing_is_seldom_red_as_often_as_one_that_does(
    planted: tuple[PlantedClaim, ...],
) -> None:
    for item in of(planted, "many_red"):
        assert item.claim.place is not None and item.claim.of is not None
        assert (at_least(item.claim.place, item.claim.of, 0.1, 0.2, sides=1) < 0.005) == item.truth


def test_practices_are_chosen_by_published_figures_alone(made: World) -> None:
    others = replace(made, truth=made.truth.assign(link=0.0, period=0.0, need=0.0))
    kinds = ("tail", "below_mean", "outlier", "rag_red", "league_place", "exemplar")
    said = [[item.claim for item in claims_of(one, kinds)] for one in (made, others)]
    assert said[0] == said[1]


def test_a_world_holds_the_sentences_that_were_asked_for() -> None:
    found = world(3, 400, 4, metric="same_day_share", templates=("tail", "fold")).claims
    assert {item.claim.template for item in found} == {"tail", "fold"}
    with pytest.raises(StudyError, match="no answer"):
        world(3, 400, 4, templates=("association",))


# What is counted ------------------------------------------------------------------------------------------------------


def test_every_kind_of_sentence_is_tried_or_left_out_with_a_reason() -> None:
    tried = {name for family in trial_claims.FAMILIES for name in family}
    assert tried.isdisjoint(trial_claims.LEFT_OUT)
    assert tried | set(trial_claims.LEFT_OUT) == set(letters.templates())


def test_what_a_reason_says_is_a_reason_of_what_is_not_shown() -> None:
    rules = [rule for name in letters.templates() for rule in letters.rules_of(letters.templates()[name].test)]
    shown = {rule.reason for rule in rules if rule.verdict == "not_shown"}
    verdicts = {"supported", "not_attributable", "contradicted"}
    assert set(_SAID) - verdicts <= shown and verdicts <= set(_SAID)


def finding(verdict: str, reason: str = "") -> Finding:
    return Finding(Claim("1", "tail"), verdict, (reason,))


def test_what_is_not_shown_is_open_unless_its_reason_rules_it_out() -> None:
    assert said_of(finding("not_shown", "within_chance")) == "open"
    assert said_of(finding("not_decidable", "rank_odds")) == "open"
    assert said_of(finding("not_shown", "outside_but_not_exceptional")) == "false"
    assert said_of(finding("contradicted", "other_side")) == "false"


def tallies(*answers: Answer) -> dict[tuple[str, str], tuple[float, float]]:
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for item in counted(answers):
        assert item.bar in bars()
        found[item.bar, item.group] = (item.hits, item.chances)
    return found


@pytest.mark.parametrize(
    ("truth", "said", "opposite"),
    [
        ("true", "false", 1), ("true", "open", 0), ("true", "unfair", 0), ("true", "slight", 1),
        ("unfair", "true", 1), ("unfair", "false", 1), ("unfair", "unfair", 0),
        ("false", "true", 1), ("false", "unfair", 1), ("false", "slight", 0), ("false", "open", 0),
        ("slight", "true", 1), ("slight", "false", 1), ("slight", "open", 0),
    ],
)  # fmt: skip
def test_the_opposite_of_the_truth_is_said_when_it_is_denied_or_its_contrary_let_stand(
    truth: str, said: str, opposite: int
) -> None:
    found = tallies(Answer("tail", truth, said, clear=True), Answer("tail", "true", "true", clear=True))
    assert found["claims_opposite", ""] == found["claims_opposite", "tail"] == (opposite, 2)


def test_only_clear_sentences_count_towards_the_bars_and_all_towards_the_odds() -> None:
    found = tallies(
        Answer("tail", "true", "true", True, 0.95, True),
        Answer("tail", "false", "open", False, 0.55, False),
        Answer("tail", "true", "open", False, 0.52, True),
        Answer("rag_red", "false", "false", True, 0.0, False),
    )
    assert found["claims_decided", ""] == (2, 2) and found["claims_true_right", "tail"] == (1, 1)
    assert found["claims_chance_true", "rank 0.5-0.6"] == (1, 2)
    assert found["claims_chance_said", "rank 0.5-0.6"] == pytest.approx((1.07, 2))
    assert found["claims_chance_true", "threshold 0.0-0.1"] == (0, 1)


def test_what_is_slight_is_neither_to_be_borne_out_nor_refuted() -> None:
    found = tallies(Answer("below_mean", "slight", "open", True), Answer("below_mean", "true", "true", True))
    assert found["claims_decided", ""] == (1, 1) and found["claims_slight_right", ""] == (1, 1)
    assert truth_of(PlantedClaim(Claim("1", "below_mean"), True, False, 1.0, slight=True)) == "slight"


# The bars, in small ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trial() -> Trial:
    return trial_of(2, SEED, SMALL)


@pytest.fixture(scope="module")
def answers(trial: Trial) -> pd.DataFrame:
    kinds = ("tail", "below_mean", "significant", "outlier", "rag_red", "payment", "opportunity", "many_red", "fold")
    return pd.DataFrame(trial_claims.answers_of(trial, kinds))


def holds(tally: Tally) -> bool:
    """Say whether an estimate lies within its bar, but for so many standard errors of as many sentences."""
    bar, share = bars()[tally.bar], tally.hits / tally.chances
    bound = bar.low if bar.low is not None else bar.high
    assert bound is not None
    room = SLACK * float(np.sqrt(bound * (1 - bound) / tally.chances))
    return share >= bound - room if bar.low is not None else share <= bound + room


BOUND = ("claims_decided", "claims_opposite", "claims_true_right", "claims_false_right")


@pytest.mark.parametrize("bar", BOUND)
def test_the_bars_for_claims_hold_in_a_small_world(answers: pd.DataFrame, bar: str) -> None:
    rows = [Answer(**row) for row in answers.to_dict("records")]
    here = [item for item in counted(rows) if item.bar == bar and item.group == ""]
    assert here[0].chances > 15 and holds(here[0]), here


def test_nobody_is_called_exceptional_or_different_by_what_is_not_so(answers: pd.DataFrame) -> None:
    clear = answers[answers["clear"]]
    assert not ((clear["truth"] == "false") & (clear["said"] == "true")).any()
    assert (clear["truth"] == "false").sum() > 20


def test_changes_that_were_planted_are_found_and_no_others(trial: Trial) -> None:
    found, others = changes.answers(trial, 1)
    of_all = {item.bar: item for item in counted(found) if item.group == ""}
    assert all(of_all[bar].chances > 15 and holds(of_all[bar]) for bar in BOUND), of_all
    still = [item for item in others if item.group == "change"]
    # A change of any practice is called one by chance no more often than its interval misses: 1 in 40 on one side.
    assert len(still) == changes.CHANGED and sum(item.hits for item in still) <= 4


def test_a_part_of_england_keeps_the_counts_of_those_who_did_not_change(trial: Trial) -> None:
    part = changes.changed(trial, 4.0)
    same = part.added.index[part.added == 0.0]
    rows = trial.table.periods
    single = rows[(rows["start"] == rows["end"]) & rows["practice_code"].isin(same)]
    halves = single.assign(later=single["start"] > "2025-09").groupby(["later", "practice_code"])
    sums = halves[["numerator", "denominator"]].sum()
    share = sums["numerator"] / sums["denominator"]
    assert part.before[same].to_numpy() == pytest.approx(share[False][same].to_numpy())
    assert part.after[same].to_numpy() == pytest.approx(share[True][same].to_numpy())
    rose = part.added.index[part.added > 0.0].difference(list(part.group))
    assert (part.after - part.before)[rose].mean() > 3 * (part.after - part.before)[same].abs().mean()


def of_the_group(trial: Trial, turn: int) -> tuple[Answer, int]:
    """What is found of the group that a letter chooses, and how many changes that are none it counts towards."""
    found, others = changes.answers(trial, turn)
    (own,) = [item for item in found if item.template == "worst_improved"]
    return own, sum(item.group == "worst_improved" for item in others)


def test_the_group_that_a_letter_chooses_gets_better_stays_as_it_is_and_gets_worse_in_turn(trial: Trial) -> None:
    better, still, worse = (of_the_group(trial, turn) for turn in (0, 1, 2))
    assert (better[0].truth, better[0].said, better[1]) == ("true", "true", 0)
    assert (still[0].truth, still[0].said, still[1]) == ("unfair", "unfair", 1)
    assert (worse[0].truth, worse[0].said, worse[1]) == ("false", "false", 0)


def test_every_turn_of_the_group_comes_up_in_a_trial_of_every_metric() -> None:
    turns = [turn for turn in range(75) if turn % trial_claims.EVERY == 0]
    turns = [turn // trial_claims.EVERY for turn in turns]
    asked = [divmod(turn, len(trial_claims.FAMILIES)) for turn in turns]
    times = [time for time, which in asked if trial_claims.FAMILIES[which] is changes.TEMPLATES]
    assert {time % len(changes.TURNS) for time in times} == {0, 1, 2} and len(times) == 12


def test_who_was_picked_for_seeming_to_have_changed_is_not_counted_near_the_edge_too() -> None:
    found = tallies(Answer("change", "false", "true", False, picked=True), Answer("change", "false", "open", False))
    assert found["claims_opposite_near", ""] == (0.0, 1)


# Odds of every practice -----------------------------------------------------------------------------------------------


def test_odds_of_a_tail_are_those_of_the_findings() -> None:
    draws = np.random.default_rng(4).normal(size=(300, 57)) + np.linspace(0.0, 2.0, 57)
    every = ranks.from_draws(draws, tail=odds.TENTH)
    for side, top in (("p_bottom", False), ("p_top", True)):
        for at in (0, 3, 56):
            assert every[side][at] == pytest.approx(ranks.place(draws, at, odds.TENTH, top=top).p)


def test_what_the_page_says_of_the_trial_by_number_is_what_the_trial_does() -> None:
    assert (changes.SEEMING, changes.LEAST) == (10, 1200)
    assert round(100 * (stats.norm.cdf(1.96 - 3) - stats.norm.cdf(-1.96 - 3))) == words._STAYED


def test_odds_are_counted_by_tenth() -> None:
    said, holds = np.array([0.0, 0.05, 0.52, 0.58, 1.0]), np.array([False, False, True, False, True])
    found = {(item.bar, item.group): (item.hits, item.chances) for item in odds.by_tenth("odds", "place", said, holds)}
    assert found["odds_true", "place 0.5-0.6"] == (1.0, 2.0)
    assert found["odds_said", "place 0.5-0.6"] == pytest.approx((1.10, 2.0))
    assert found["odds_off", "place 0.5-0.6"] == pytest.approx((0.10, 2.0))
    assert found["odds_off", "place 0.0-0.1"] == pytest.approx((0.05, 2.0))
    assert found["odds_true", "place 0.9-1.0"] == (1.0, 1.0)


def test_odds_of_every_practice_are_right_in_a_small_world(trial: Trial) -> None:
    counted = {(item.bar, item.group): item for item in odds.of_everyone(trial)}
    for of in ("place_raw", "place_adjusted"):
        every = [item for (bar, group), item in counted.items() if bar == "odds_off" and group.startswith(of)]
        # Lowest and highest: everybody is asked of twice, and two tenths of all are in one.
        true = sum(item.hits for (bar, group), item in counted.items() if bar == "odds_true" and group.startswith(of))
        many = sum(item.chances for item in every)
        assert many > 1200 and true / many == pytest.approx(0.10, abs=0.01)
        assert abs(sum(item.hits for item in every)) / many < 0.01
        for item in every:
            assert abs(item.hits / item.chances) < 0.05 + SLACK * 0.5 / np.sqrt(item.chances), item


def test_spoiled_figures_are_seen_by_their_check_and_sentences_about_them_not_decided() -> None:
    made = world(SEED, stopped.PRACTICES, stopped.BOARDS, metric="same_day_share", spread="normal")
    said = [item.claim for item in claims_of(made, stopped.TEMPLATES, None, 2)]
    codes = list(dict.fromkeys(claim.practice_code for claim in said))
    spoiled, why = stopped.spoil(made, codes)
    assert set(why.values()) == {
        "no_denominator", "appointments_under_one_per_patient", "numerator_over_denominator",
    }  # fmt: skip
    sound, wrong = (stopped.analysed(item) for item in (made, spoiled))
    gates = wrong.table.gates.query("state == 'failed' and severity == 'stop'")
    assert set(why.items()) <= set(zip(gates["practice_code"], gates["gate"], strict=True))
    assert {found.verdict for found in letters_claims.check_all(said, wrong)} == {"not_decidable"}
    assert {found.verdict for found in letters_claims.check_all(said, sound)} != {"not_decidable"}


def test_kinds_laid_out_by_hand_are_in_no_row_of_all_kinds() -> None:
    found = tallies(Answer("many_red", "false", "false", True), Answer("tail", "false", "open", True))
    assert found["claims_decided", ""] == (0.0, 1) and found["claims_decided", "many_red"] == (1.0, 1)


def test_what_is_ruled_out_by_another_reason_is_counted_beside_what_is_contradicted() -> None:
    found = tallies(
        Answer("outlier", "false", "false", True, verdict="not_shown"),
        Answer("outlier", "false", "false", True, verdict="contradicted"),
    )
    assert found["claims_false_right", ""] == (2.0, 2) and found["claims_false_contradicted", ""] == (1.0, 2)


def test_the_contrary_near_the_edge_is_counted_apart() -> None:
    found = tallies(Answer("tail", "true", "false", clear=False), Answer("tail", "true", "true", clear=True))
    assert found["claims_opposite", ""] == (0.0, 1) and found["claims_opposite_near", ""] == (1.0, 1)


def test_what_is_left_out_to_save_time_changes_no_finding(trial: Trial) -> None:
    said = [item.claim for item in claims_of(trial.world, ("below_mean", "outlier", "significant"), None, 4)]
    whole, thin = (letters_claims.check_all(said, run) for run in (trial.run, trial_claims.slim(trial.run)))
    assert [(one.verdict, one.because, one.numbers) for one in whole] == [
        (one.verdict, one.because, one.numbers) for one in thin
    ]
