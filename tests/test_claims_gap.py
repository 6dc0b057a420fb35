"""Below an average, statistically significant, an outlier: the rules of METHODS 11 on rows written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gpvar.catalogue import letters
from gpvar.claims import evidence as looked_at
from gpvar.claims.decide import decide
from gpvar.claims.registry import TESTS
from gpvar.claims.standing import significant
from tests.claim_rows import CENTRE, figure, margin_of, row, seen

MARGIN = margin_of()


def found(evidence: looked_at.Evidence) -> tuple[str, str, looked_at.Tested]:
    """The verdict and its reason, by the decision table; every number that the reason needs is there."""
    tested = TESTS[evidence.template.test](evidence)
    rule = decide(evidence.template.test, tested.holding)
    assert rule is not None and rule.test == evidence.template.test
    assert not [name for name in rule.numbers if name not in tested.numbers]
    return rule.verdict, rule.reason, tested


def ladder(value: float, m1: float = CENTRE, m2: float | None = None, half: float = 0.01) -> list[dict]:
    """A figure, and what is expected of such a practice at M1 and M2."""
    return [
        row("M0", value, CENTRE, half),
        row("M1", value, m1, half),
        row("M2", value, m1 if m2 is None else m2, half),
    ]


# --- a margin that matters -------------------------------------------------------------------------------------------


def test_the_margin_of_the_card_is_five_points() -> None:
    assert MARGIN == 0.05


def test_a_shortfall_beyond_the_margin_at_every_rung_holds() -> None:
    verdict, reason, tested = found(seen("below_mean", *ladder(0.40), direction="low"))
    assert (verdict, reason) == ("supported", "shortfall_holds")
    assert tested.numbers["difference"] == pytest.approx(-0.10)
    assert tested.numbers["margin"] == MARGIN


def test_the_same_shortfall_is_no_excess() -> None:
    assert found(seen("below_mean", *ladder(0.40), direction="high"))[:2] == ("contradicted", "other_side")


def test_an_excess_is_the_mirror_of_a_shortfall() -> None:
    low = found(seen("below_mean", *ladder(0.40, 0.42), direction="low"))
    high = found(seen("below_mean", *ladder(0.60, 0.58), direction="high"))
    assert low[:2] == high[:2]
    for name in ("difference", "adjusted_difference", "could_have_been_missed"):
        assert low[2].numbers[name] == pytest.approx(-high[2].numbers[name])
    assert low[2].numbers["difference_lower"] == pytest.approx(-high[2].numbers["difference_upper"])


def test_a_difference_inside_the_margin_is_not_shown_to_matter() -> None:
    assert found(seen("below_mean", *ladder(0.47), direction="low"))[:2] == ("not_shown", "less_than_margin")


def test_an_interval_across_the_margin_settles_nothing_and_says_what_could_have_been_missed() -> None:
    verdict, reason, tested = found(seen("below_mean", *ladder(0.45, half=0.03), direction="low"))
    assert (verdict, reason) == ("not_shown", "shortfall_not_shown")
    assert tested.numbers["could_have_been_missed"] == pytest.approx(-0.08)


def test_an_interval_that_ends_on_the_margin_is_not_beyond_it() -> None:
    at = row("M0", 0.44, CENTRE) | {"difference_upper": -MARGIN}
    assert found(seen("below_mean", at, row("M1", 0.44, CENTRE), direction="low"))[1] == "shortfall_not_shown"


def test_half_of_the_gap_seen_with_similar_patients_is_no_fair_comparison() -> None:
    # Of twelve points nine are expected of such patients; three are inside the margin.
    verdict, reason, tested = found(seen("below_mean", *ladder(0.38, 0.41), direction="low"))
    assert (verdict, reason) == ("not_attributable", "shortfall_goes_with_patients")
    assert tested.numbers["explained_share"] > 0.7


def test_what_is_in_line_with_its_patients_is_not_said_to_hold_though_it_is_beyond_the_margin() -> None:
    # 16 points, 9 of them expected; the other 7 are beyond the margin but inside the usual range.
    verdict, _, tested = found(seen("below_mean", *ladder(0.34, 0.41), direction="low"))
    assert {"beyond_raw", "beyond_adjusted", "in_line"} <= tested.holding
    assert verdict == "not_attributable"


def test_what_is_far_outside_after_adjustment_holds_though_half_of_it_is_explained() -> None:
    verdict, _, tested = found(seen("below_mean", *ladder(0.12, 0.265), direction="low"))
    assert "mostly_explained" in tested.holding and "in_line" not in tested.holding
    assert verdict == "supported"


def test_setting_counts_as_patients_do() -> None:
    verdict, _, tested = found(seen("below_mean", *ladder(0.38, 0.49, 0.40), direction="low"))
    assert verdict == "not_attributable"
    assert tested.numbers["adjusted_rung"] == tested.numbers["explained_rung"] == "M2"
    assert tested.numbers["adjusted_difference"] == pytest.approx(-0.02)


def test_without_anything_to_allow_for_a_true_shortfall_cannot_be_checked() -> None:
    raw = row("M0", 0.40, CENTRE)
    assert found(seen("below_mean", raw, direction="low"))[:2] == ("not_decidable", "nothing_allowed_for")
    assert found(seen("below_mean", raw, direction="high"))[0] == "contradicted"


def test_a_practice_whose_patients_are_not_known_cannot_be_adjusted() -> None:
    unplaced = row("M1", 0.40, CENTRE) | dict.fromkeys(
        ("link_residual", "z", "difference", "difference_lower", "difference_upper", "centre"), np.nan
    )
    evidence = seen("below_mean", row("M0", 0.40, CENTRE), unplaced, direction="low")
    assert found(evidence)[1] == "nothing_allowed_for"


def test_the_margin_of_a_rate_is_a_part_of_what_is_expected() -> None:
    def short_of(expected: float) -> looked_at.Tested:
        rows = [row("M0", 0.30, 0.40), row("M1", 0.30, expected)]
        return found(seen("too_low", *rows, metric="appointments_per_1000"))[2]

    assert short_of(0.36).numbers["margin"] == pytest.approx(0.04)
    # The near end is 0.035 below what is expected, of which a tenth is 0.0345; then 0.033, of which it is 0.0343.
    assert "beyond_adjusted" in short_of(0.345).holding
    assert "beyond_adjusted" not in short_of(0.343).holding


def test_a_floor_that_the_letter_sets_is_said_to_be_its_own() -> None:
    rows = [row("M0", 0.30, 0.40), row("M1", 0.30, 0.36)]
    evidence = seen("too_low", *rows, metric="appointments_per_1000", threshold=figure("350"))
    assert found(evidence)[2].beside == ("threshold_is_the_boards_own",)


# --- more than chance ------------------------------------------------------------------------------------------------


def test_more_than_chance_before_and_after_holds() -> None:
    verdict, reason, tested = found(seen("significant", *ladder(0.44, 0.48)))
    assert (verdict, reason) == ("supported", "more_than_chance")
    assert tested.numbers["side"] == "low" and tested.numbers["q"] < 0.05


def test_being_like_many_others_is_no_reason_against_it_and_is_said_beside() -> None:
    verdict, _, tested = found(seen("significant", *ladder(0.47)))
    assert verdict == "supported" and abs(seen("significant", *ladder(0.47)).rows["M0"]["z"]) < 1.96
    assert tested.beside == ("others_differ_as_much",)
    assert tested.numbers["as_far"] == 280 and tested.numbers["compared"] == 400


def test_within_chance_is_not_shown_with_what_could_have_been_missed() -> None:
    verdict, reason, tested = found(seen("significant", *ladder(0.495), direction="low"))
    assert (verdict, reason) == ("not_shown", "within_chance")
    assert tested.numbers["could_have_been_missed"] == pytest.approx(-0.015)


def test_a_practice_on_the_other_side_contradicts_the_letter() -> None:
    assert found(seen("significant", *ladder(0.55), direction="low"))[:2] == ("contradicted", "other_side")


def test_a_difference_that_is_the_patients_doing_is_no_fair_comparison() -> None:
    verdict, reason, tested = found(seen("significant", *ladder(0.42, 0.43)))
    assert (verdict, reason) == ("not_attributable", "difference_goes_with_patients")
    assert tested.numbers["explained_share"] > 0.8


def test_a_difference_that_is_gone_at_a_rung_without_being_half_explained_is_not_shown() -> None:
    rows = [row("M0", 0.47, CENTRE, 0.02), row("M1", 0.47, 0.489, 0.02)]
    verdict, reason, tested = found(seen("significant", *rows))
    assert (verdict, reason) == ("not_shown", "within_chance_after")
    assert tested.numbers["could_have_been_missed"] == pytest.approx(-0.039)


def test_without_months_only_what_is_outside_the_usual_range_is_more_than_chance() -> None:
    common, rare = ladder(0.46), ladder(0.38)
    assert abs(common[0]["z"]) < 1.96 < abs(rare[0]["z"])
    assert found(seen("significant", *common))[0] == "supported"
    assert found(seen("significant", *common, months=False))[:2] == ("not_decidable", "chance_not_separated")
    assert found(seen("significant", *rare, months=False))[:2] == ("supported", "more_than_chance")


def test_without_months_what_comes_inside_the_usual_range_after_adjustment_stays_open() -> None:
    rows = ladder(0.38, 0.46)
    assert abs(rows[0]["z"]) > 1.96 > abs(rows[1]["z"])
    assert found(seen("significant", *rows, months=False))[1] == "chance_not_separated"


def test_without_months_a_difference_of_unknown_standing_is_never_called_the_patients_doing() -> None:
    rows = ladder(0.46, 0.47)
    assert found(seen("significant", *rows))[0] == "not_attributable"
    assert found(seen("significant", *rows, months=False))[0] == "not_decidable"


def test_many_practices_tested_at_once_raise_what_counts_as_more_than_chance() -> None:
    """Two standard errors are more than chance alone, and not among 400 practices of which none differs."""
    evidence = seen("significant", *ladder(0.489, half=0.0105))
    frame = evidence.analysis.practices
    quiet = frame.assign(z_sampling=frame["z_sampling"].where(frame["practice_code"] == "A00001", 0.5))
    assert found(evidence)[2].numbers["q"] < 0.05
    evidence.analysis.practices = quiet
    verdict, reason, tested = found(evidence)
    assert tested.numbers["q"] > 0.05
    assert (verdict, reason) == ("not_shown", "within_chance")


def test_all_measures_of_the_study_count_as_tested() -> None:
    evidence = seen("significant", *ladder(0.489, half=0.0105))
    other = seen("significant", *ladder(0.5)).analysis
    other.practices = other.practices.assign(z_sampling=0.1)
    before = significant(evidence).numbers["q"]
    evidence.run.analyses["dna_share"] = other
    assert significant(evidence).numbers["q"] > before


# --- exceptional -----------------------------------------------------------------------------------------------------


def far(*z: float, value: float = 0.30) -> list[dict]:
    """Rows whose distances are set: the figure is what it is expected to be less z shared spreads."""
    return [
        row(rung, value, CENTRE) | {"z": each, "link_residual": each * 0.2}
        for rung, each in zip(("M0", "M1", "M2"), z, strict=False)
    ]


@pytest.mark.parametrize(
    ("z", "verdict", "reason"),
    [
        ((-3.5, -3.4, -3.3), "supported", "exceptional"),
        ((-2.9, -4.2, -2.1), "supported", "exceptional"),
        ((-3.5, -3.4, -1.9), "not_shown", "outside_but_not_exceptional"),
        ((-3.5, -3.0, -3.3), "not_shown", "outside_but_not_exceptional"),
        ((-1.9, -3.5, -3.5), "not_shown", "outside_but_not_exceptional"),
        ((-3.5, -1.5, -1.5), "not_attributable", "exceptional_goes_with_patients"),
        ((-2.5, -1.2, -1.2), "not_attributable", "exceptional_goes_with_patients"),
        ((-1.5, -1.9, -1.0), "contradicted", "not_exceptional"),
        ((-3.5,), "not_decidable", "nothing_allowed_for"),
        ((-1.5,), "contradicted", "not_exceptional"),
    ],
)
def test_who_is_exceptional_among_practices_as_they_are(z: tuple[float, ...], verdict: str, reason: str) -> None:
    assert found(seen("outlier", *far(*z), direction="low"))[:2] == (verdict, reason)


def test_the_side_is_the_figure_s_where_the_letter_names_none() -> None:
    assert found(seen("outlier", *far(-3.5, -3.5, -3.5)))[2].numbers["side"] == "low"
    assert found(seen("outlier", *far(-3.5, -3.5, -3.5), direction="high"))[:2] == ("contradicted", "other_side")


def test_how_many_are_as_far_out_stands_beside_how_many_there_should_be() -> None:
    numbers = found(seen("outlier", *far(-3.5, -3.5)))[2].numbers
    assert (numbers["beyond_99_8"], numbers["compared"], numbers["expected_beyond"]) == (3, 401, 0.8)


@pytest.mark.parametrize("test", ["rank", "threshold", "margin", "significant", "outlier"])
def test_every_test_has_a_rule_for_whatever_is_left(test: str) -> None:
    assert letters.rules_of(test)[-1].when == ()
