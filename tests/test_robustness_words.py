"""What is said of other defensible choices: the answer first, the choice and its direction, and no probability."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import pytest

from gpvar import words
from gpvar.catalogue import multiverse as declared
from gpvar.results import Run
from gpvar.words import console, phrases, robustness, robustness_area, robustness_choices
from gpvar.words.claims_robust import PLACE, choice_in_short, far_ways, robust, robust_where_it_matters, same_ways
from gpvar.words.robustness_facts import area_ways, practice_ways
from tests import synthetic, synthetic_ways
from tests.reading import body, grade
from tests.test_words import FORBIDDEN, UNQUALIFIED_SIGNIFICANT

SHARE, RATE = "same_day_share", "appointments_per_1000"
OWN = "X10001"
N = len(synthetic_ways.WAYS)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return synthetic.make_run(tmp_path_factory.mktemp("ways"), (synthetic.Card(), synthetic.RATE))


@pytest.fixture(scope="module")
def run(bare: Run) -> Run:
    return placed(placed(bare, metric=RATE))


def placed(run: Run, z: tuple[float, ...] | None = None, metric: str = SHARE, **more: object) -> Run:
    """Return the run with other ways; the practice's z here and in each of them where they are given."""
    codes = {OWN: z} if z is not None else None
    return synthetic_ways.with_ways(run, metric, codes=codes, **more)


def others(here: float, same: float, turned: dict[int, float]) -> tuple[float, ...]:
    """Return z here, and in the others the same but in some, counted from nought."""
    return (here, *(turned.get(place, same) for place in range(N)))


def said(run: Run, metric: str = SHARE, code: str = OWN) -> str:
    return console.without_markdown(words.standing_other_ways(run, code, metric))


def ways(run: Run, metric: str = SHARE):
    return practice_ways(run, OWN, metric)


@pytest.mark.parametrize(
    ("z", "first", "then"),
    [
        (others(2.5, 2.5, {}), "Robust: other defensible choices give the same", "In all 9 other ways it stands as"),
        (others(-2.5, -2.6, {1: -1.0}), "Mixed: most other", "In 8 of 9 other ways it stands as here: outside the "
         "usual range, lower (M1, England). In the other it is inside the usual range, lower than expected."),
        (others(2.5, 1.0, {}), "Fragile: the answer depends", "In no other way does it stand as here: outside the "
         "usual range, higher (M1, England). It is inside the usual range, higher than expected in all 9 other ways."),
        (others(1.5, 2.2, {0: 1.5, 1: 1.2}), "Fragile: the answer depends", "In 2 of 9 other ways it stands as here: "
         "inside the usual range, higher than expected (M1, England). In the other 7 it is outside the usual range"),
        (others(2.2, 1.0, {0: 2.1, 1: -1.0, 2: -1.2}), "Fragile", "Otherwise it is inside the usual range, higher than "
         "expected in 6; inside the usual range, lower than expected in 2."),
    ],
)  # fmt: skip
def test_the_answer_stands_first_then_in_how_many_ways_and_where_it_stands_in_the_rest(bare, z, first, then) -> None:
    text = said(placed(bare, z))
    assert text.startswith(f"## Other defensible ways\n\n{first}") and then in text


def test_inside_in_every_way_is_not_called_fragile_because_of_the_side_it_lies_on(bare: Run) -> None:
    turned = placed(bare, others(0.1, -0.2, {0: 0.1}))
    assert ways(turned).label == "robust" and ways(turned).agree < N
    text = said(turned)
    assert "Inside the usual range whichever of these choices is made. That is so in all 9 other ways" in text
    assert "on which side it lies says little" in text and "ragile" not in text and "hangs" not in text
    assert robustness.warns(ways(turned)) == "" and robustness.icb_right(ways(turned)) == []
    assert "on which side of what is expected depends on the choice" in robustness.brief(ways(turned))


def test_on_a_handful_of_ways_nothing_is_called_robust_and_what_differs_is_still_told(bare: Run) -> None:
    few = synthetic_ways.WAYS[:4]
    codes = {code: (0.5,) * 5 for code in bare.table.area_codes} | {
        OWN: (2.5, 1.0, 2.5, 2.5, 2.5),
        "X10005": (3.0,) * 5,
    }
    made = synthetic_ways.with_ways(bare, SHARE, ways=few, codes=codes)
    text = said(made)
    assert "too few to call the answer robust or not. In 3 of 4 other ways it stands as here" in text
    assert robustness.warns(ways(made)).startswith("It stands the same in 3 of 4")
    area = lead(made)
    assert area.startswith(
        "Of the 2 practices outside the usual range here (M1, England), 1 is outside in all 4 other ways"
    )
    assert "robust" not in area and "fragile" not in area


def test_the_choice_on_which_it_hangs_is_named_with_what_each_option_gives(bare: Run) -> None:
    text = said(placed(bare, others(2.5, 2.5, {0: 1.0, 1: 1.2})))
    assert "What it hangs on most: which characteristics of patients are allowed for." in text
    assert "Patients as declared: as here, in all 7 ways." in text
    assert "Recorded illness left out: inside the usual range, higher than expected." in text
    assert "Deprivation left out: inside the usual range, higher than expected." in text
    split = said(placed(bare, others(2.5, 2.5, {2: 1.0, 7: 1.0, 8: 1.0})))
    assert "whether patients are compared across England" in split or "which model" in split
    assert re.search(r"as here in \d of 8 ways, else inside the usual range, higher than expected\.", split)
    assert "hangs on most" not in said(placed(bare, others(2.5, 2.5, {})))


def test_where_no_choice_decides_that_is_said(bare: Run) -> None:
    made = placed(bare, others(2.5, 2.5, {0: 1.0}))
    frame = made.multiverse[SHARE].summary.assign(drives_gap=0.1)
    loose = dataclasses.replace(made, multiverse={SHARE: dataclasses.replace(made.multiverse[SHARE], summary=frame)})
    assert "No single choice decides it; the one that matters most: which characteristics" in said(loose)


def test_the_difference_is_told_here_and_from_end_to_end(bare: Run) -> None:
    made = placed(bare, others(2.5, 2.4, {0: 1.0}))
    found = ways(made)
    low, here = (100 * abs(robustness.apart(found.facts.card, way)) for way in (found.others[0], found.here))
    high = max(here, *(100 * robustness.apart(found.facts.card, way) for way in found.others))
    shown = (
        f"Its figure is {here:.1f} percentage points above the expected here; over all ways, {low:.1f} to {high:.1f} "
        "percentage points above it (first: recorded illness left out)."
    )
    assert shown in said(made)
    across = said(placed(bare, others(0.5, 0.4, {0: -1.0})))
    assert re.search(r"over all ways, [\d.]+ percentage points below to [\d.]+ percentage points above it", across)


def test_a_share_of_ways_is_said_to_be_no_probability_once(run: Run) -> None:
    for section in (words.standing_other_ways(run, OWN, SHARE), words.area_other_ways(run, SHARE)):
        assert section.count("no probability") == 1
    methods = words.methods_other_ways(run, SHARE)
    assert methods.count("Shares of specifications are not probabilities.") == 1
    for text in (said(run), words.area_other_ways(run, SHARE), methods):
        assert not re.search(r"\b(likely|unlikely|chances? (of|that|are)|odds)\b", text)


@pytest.mark.parametrize(
    ("z", "start", "side"),
    [
        (
            2.5,
            "To be inside the usual range",
            "higher",
        ),
        (
            -2.5,
            "To be inside the usual range",
            "lower",
        ),
        (1.0, "To be outside the usual range", "lower"),
        (-1.0, "To be outside the usual range", "higher"),
    ],
)
@pytest.mark.parametrize("metric", [SHARE, RATE])
def test_what_something_unmeasured_would_have_to_do_is_told_both_ways(bare, z, start, side, metric) -> None:
    made = placed(bare, (z,) * (N + 1), metric)
    text = console.without_markdown(words.standing_unmeasured(made, OWN, metric))
    row, card = ways(made, metric).summary, ways(made, metric).facts.card
    assert text.split("\n\n")[1].startswith(f"{start}, something not measured here would have to ")
    way, before, after = re.search(r"(raise|lower) what .*? from ([\d.,]*\d)%? to ([\d.,]*\d)", text).groups()
    size = re.search(r"That is ([\d.,]*\d)", text)[1]
    size, after, before = (text.replace(",", "") for text in (size, after, before))
    assert way == {"higher": "raise", "lower": "lower"}[side]
    assert (float(after) > float(before)) == (side == "higher")
    end, own, now = re.search(
        r"then (end|begin) at its own figure, ([\d.,]*\d)%?, and not at ([\d.,]*\d)", text
    ).groups()
    here = ways(made, metric).here
    assert float(own.replace(",", "")) == pytest.approx(here.value * card.scale, abs=1.0)
    assert (end == "end") == (z > 0)
    beyond = float(own.replace(",", "")) > float(now.replace(",", ""))
    assert beyond == (here.outside == (z > 0)), "its own figure lies beyond the end of the range where it is outside"
    assert float(size) == pytest.approx(abs(float(after) - float(before)), abs=0.5 if metric == RATE else 1e-9)
    assert float(size) == pytest.approx(row["unmeasured_points"] * card.scale, abs=1.0 if metric == RATE else 0.1)
    assert f"{row['unmeasured_sd']:.1f} times the spread of practices (two in three practices lie within one" in text
    assert "what deprivation adds to the expected figure differs most from practice to practice; this is " in text
    assert f"this is {row['unmeasured_multiple']:.1f} times the spread of that." in text
    assert "Figures cannot say whether there is such a reason. Whoever names one should show it." in text


def test_a_reason_too_small_to_print_is_called_slight(bare: Run) -> None:
    text = console.without_markdown(words.standing_unmeasured(placed(bare, (1.9601,) * (N + 1)), OWN, SHARE))
    assert "A small reason would do: if slightly more were expected of this practice, it would be inside." in text
    assert "spread" not in text
    small = console.without_markdown(words.standing_unmeasured(placed(bare, (2.1,) * (N + 1)), OWN, SHARE))
    assert re.search(
        r"A small reason would do: if [\d.]+% of [^.]* and not [\d.]+%, it would be inside the usual", small
    )


def test_without_enough_measured_need_there_is_no_yardstick(bare: Run) -> None:
    text = words.standing_unmeasured(placed(bare, need_share=0.03), OWN, SHARE)
    assert "explains too little here to serve as a yardstick" in text and "strongest" not in text


def test_a_verdict_that_another_choice_would_turn_says_so_with_the_choice_and_the_direction(bare: Run) -> None:
    turned = placed(bare, others(2.5, 2.5, {0: 1.0, 1: 1.1, 2: 1.1, 3: 1.1}))
    two = words.practice_verdict(placed(bare, others(2.5, 2.5, {0: 1.0, 1: 1.1})), OWN, SHARE)
    assert "The 2 that differ (recorded illness left out; deprivation left out) put it inside the usual range" in two
    verdict = words.practice_verdict(turned, OWN, SHARE)
    assert "It depends on choices that others may make otherwise. It stands the same in 5 of 9" in verdict
    assert re.search(
        r"It hangs most on .{10,80}; the rest put it inside the usual range, higher than expected", verdict
    )
    one = placed(bare, others(1.5, 1.5, {1: 2.3}))
    verdict = words.practice_verdict(one, OWN, SHARE)
    assert "How firm is this?" in verdict and "It stands the same in 8 of 9 other ways of comparing" in verdict
    assert "The answer holds" not in verdict
    assert "The one that differs (deprivation left out) puts it outside the usual range, higher." in verdict
    assert "ways of comparing" not in words.practice_after(one, OWN, SHARE), "said in the verdict"
    calm = placed(bare, others(2.5, 2.5, {}))
    assert "ways of comparing" not in words.practice_verdict(calm, OWN, SHARE)
    assert "ways of comparing" not in words.practice_after(calm, OWN, SHARE), "said in the box"
    after = words.practice_after(placed(bare, others(1.0, 1.0, {})), OWN, SHARE)
    assert "It is inside the usual range in all 9 other ways of comparing (M1" in after


@pytest.mark.parametrize("box", [words.practice_icb_right, words.standing_icb_right])
def test_what_speaks_for_the_icb_stands_in_its_box_whichever_way_it_goes(bare: Run, box) -> None:
    robustly = "does not hang on the choices made here: it is so in all 9 other ways too."
    assert robustly in box(placed(bare, others(2.5, 2.5, {})), OWN, SHARE)
    assert "hang on the choices" not in box(placed(bare, others(2.5, 1.0, {})), OWN, SHARE)
    inside = box(placed(bare, others(1.5, 1.5, {0: 2.2, 1: 2.3})), OWN, SHARE)
    assert "Other choices that can be made as well put it outside the usual range: 2 of 9 other ways." in inside
    assert "Other choices" not in box(placed(bare, others(1.0, 1.0, {})), OWN, SHARE)


def test_its_own_icb_is_told_by_the_range_and_not_by_the_side(bare: Run) -> None:
    assert "Against its own ICB it is inside the usual range here, and in all 9 other ways." in said(
        placed(bare, others(0.1, -0.1, {}))
    )
    assert "it is inside the usual range here, and outside it in 1 of 9 other ways." in said(
        placed(bare, others(1.5, 1.5, {0: 2.2}))
    )
    assert "it is outside the usual range here, and outside it in none of 9 other ways." in said(
        placed(bare, others(2.2, 1.5, {}))
    )


def test_a_practice_that_cannot_be_judged_is_told_so_and_nothing_else(run: Run, bare: Run) -> None:
    found = run.multiverse[SHARE]
    kept = {
        name: getattr(found, name)[getattr(found, name)["practice_code"] != OWN] for name in ("practices", "summary")
    }
    gone = dataclasses.replace(run, multiverse={SHARE: dataclasses.replace(found, **kept)})
    for made, why in (
        (gone, "There is no figure"),
        (bare, "holds no other ways"),
        (placed(bare, ways=()), "allow no other"),
    ):
        text = said(made)
        assert "Whether the answer hangs on the choices made is not known." in text and why in text
        assert robustness.brief(ways(made)) == robustness.warns(ways(made)) == ""
        assert robustness.icb_right(ways(made)) == []
    assert words.standing_unmeasured(gone, OWN, SHARE) == words.standing_unmeasured(bare, OWN, SHARE) == ""


def test_close_to_the_edge_nothing_is_called_robust_and_both_are_said_in_one_sentence(bare: Run) -> None:
    made = placed(bare, others(2.1, 2.1, {}))
    assert ways(made).label == "robust" and ways(made).close
    text = said(made).split("\n\n")[1]
    assert re.match(
        r"In all 9 other ways too it is outside the usual range, higher \(M1, England\), but close to the edge: a "
        r"reason, not measured here, worth [\d.]+ percentage points would put it inside\.",
        text,
    )
    assert "Robust:" not in text and robustness.icb_right(ways(made)) == []
    far = every(bare, {OWN: others(2.1, 2.1, {}), "X10005": (3.5,) * (N + 1)})
    assert "1 is robust and none fragile. 1 more would be robust but is close to the edge" in lead(far)


def test_far_outside_is_counted_where_it_is_far_here_alone(bare: Run) -> None:
    assert "far outside in 7 of 9 other ways." in said(placed(bare, others(3.5, 3.5, {0: 2.5, 1: 2.6})))
    assert "far outside" not in said(placed(bare, others(2.5, 3.5, {})))


@pytest.mark.parametrize(("z", "outside"), [(2.5, True), (1.0, False)])
def test_the_raw_position_is_told_where_it_differs_and_conceded_where_only_it_is_outside(bare, z, outside) -> None:
    frame = bare.analyses[SHARE].practices
    raw = (frame["practice_code"] == OWN) & (frame["rung"] == "M0") & (frame["comparator"] == "england")
    frame = frame.assign(position=frame["position"].mask(raw, "unusual"), z=frame["z"].mask(raw, 2.5))
    analysis = dataclasses.replace(bare.analyses[SHARE], practices=frame)
    made = placed(dataclasses.replace(bare, analyses={**bare.analyses, SHARE: analysis}), others(z, z, {}))
    assert "Each changes one choice of ours, and all of them allow for patients." in said(made)
    told = "On the raw figure it is outside the usual range, higher (M0, England)." in said(made)
    conceded = any("Without that it is outside" in text for text in robustness.icb_right(ways(made)))
    assert (told, conceded) == (not outside, not outside)


def test_the_areas_box_has_who_is_outside_whatever_is_chosen_and_who_would_be(bare: Run) -> None:
    a, b, c = bare.table.area_codes[:3]
    made = every(bare, {a: (3.0,) * (N + 1), b: others(2.2, 2.2, {0: 1.0}), c: others(1.5, 1.5, {0: 2.2})})
    assert "1 of the 2 outside the usual range is outside whichever" in words.area_icb_right(made, SHARE)
    assert "1 more would be outside by another choice." in words.area_icb_right(made, SHARE)
    assert "whichever" not in words.area_icb_right(bare, SHARE)


# an area


def lead(run: Run, metric: str = SHARE) -> str:
    found = area_ways(run, metric)
    assert found is not None
    return console.without_markdown(robustness_area.lead(found, phrases.ENGLAND))


def every(run: Run, z: dict[str, tuple[float, ...]]) -> Run:
    """Return the run with the practices of its area at nought but for some."""
    return synthetic_ways.with_ways(run, SHARE, codes={code: (0.5,) * (N + 1) for code in run.table.area_codes} | z)


def test_an_area_is_told_who_stays_outside_who_comes_and_which_choice_moves_most(bare: Run) -> None:
    a, b, c, d = bare.table.area_codes[:4]
    z = {a: (3.0,) * (N + 1), b: others(2.1, 2.1, {0: 1.0}), c: others(1.5, 1.5, {0: 2.2}), d: others(-2.2, -1.0, {})}
    made = every(bare, z)
    assert lead(made) == (
        "Of the 3 practices outside the usual range here (M1, England), 1 is outside in all 9 other ways too; the "
        "other 2 in 0 to 8 of 9. 1 is robust and 1 fragile. Of the 47 inside it, 1 would be outside in some other way, "
        "none in more than a third of them."
    )
    choice = robustness_area.choice(area_ways(made, SHARE))
    assert "which characteristics of patients are allowed for" in choice
    assert (
        "Recorded illness left out: of 50 practices, 1 would come to stand outside the usual range, 2 inside it."
        in choice
    )


@pytest.mark.parametrize(
    ("z", "text"),
    [
        (
            {},
            "No practice is outside the usual range here (M1, England). None of the 50 inside it would be outside",
        ),
        (
            {OWN: others(2.2, 2.2, {0: 1.0})},
            "The one practice outside the usual range here (M1, England) is there in 8 of",
        ),
        ({OWN: (3.0,) * (N + 1), "X10005": (-3.0,) * (N + 1)}, "All 2 practices outside the usual range here"),
    ],
)
def test_an_area_with_few_or_none_outside_is_told_so_plainly(bare: Run, z, text: str) -> None:
    made = every(bare, z)
    assert lead(made).startswith(text)
    if not z:
        assert "No single choice moves a practice across" in robustness_area.choice(area_ways(made, SHARE))


def test_an_area_without_other_ways_is_told_so(bare: Run) -> None:
    assert words.area_other_ways(bare, SHARE) == ""
    assert "hang on the choices made is not known" in words.area_other_ways(placed(bare, ways=()), SHARE)


def test_the_area_page_names_no_practice(run: Run) -> None:
    text = words.area_other_ways(run, SHARE) + words.methods_other_ways(run, SHARE)
    names = [str(name) for name in run.table.practices["practice_name"]]
    assert not re.search(r"X1\d{4}", text) and not any(re.search(rf"{name}\b", text) for name in names)


# a letter


def finding(run: Run, verdict: str = "supported", comparator: str = "england", **robustness_of: object):
    found = SimpleNamespace(
        claim=SimpleNamespace(practice_code=OWN, metric=SHARE, template="outlier"),
        robustness=robustness_of,
        source={"run": run.meta["key"]},
        verdict=verdict,
        comparator=comparator,
    )
    return SimpleNamespace(run=run, finding=found, template=SimpleNamespace(test="outlier"))


def counted(run: Run, comparator: str = "england") -> dict[str, object]:
    frame = run.multiverse[SHARE].summary
    row = frame[(frame["practice_code"] == OWN) & (frame["comparator"] == comparator)].iloc[0]
    return {name: row[name] for name in ("agree", "compared", "label", "drives")}


def test_a_finding_is_told_in_how_many_ways_the_practice_stands_so(bare: Run) -> None:
    calm = placed(bare, others(2.5, 2.5, {}))
    said = robust(finding(calm, **counted(calm)))
    assert said.startswith(f"{PLACE} It is outside the usual range in all 9 other ways of comparing")
    assert "(M1, own ICB)" in robust(finding(calm, comparator="own_icb", **counted(calm, "own_icb")))
    turned = placed(bare, others(2.5, 2.5, {0: 1.0, 1: 1.0}))
    assert "It stands the same in 7 of 9 other ways" in robust(finding(turned, **counted(turned)))
    assert choice_in_short(finding(turned, **counted(turned))) == robustness_choices.CHOICES["covariates"]
    assert choice_in_short(finding(calm, **counted(calm))) == "none"


def test_a_finding_of_another_period_is_told_by_its_counts_alone(bare: Run) -> None:
    made = placed(bare, others(2.5, 2.5, {}))
    facts = finding(made, agree=6, compared=9, label="fragile", drives="period")
    facts.finding.source = {"run": "another"}
    assert robust(facts) == (
        f"{PLACE} It stands the same in 6 of 9 other ways of comparing. It hangs most on which months are counted."
    )
    assert robust(finding(bare)) == ""
    never = finding(made, agree=5, compared=9, label="robust", drives="period")
    never.finding.source = {"run": "another"}
    assert robust(never) == f"{PLACE} It is inside the usual range in all 9 other ways of comparing."
    assert same_ways(never) == 9 and choice_in_short(never) == "none" and same_ways(facts) == 6


def test_a_sentence_judged_by_the_far_limits_is_told_in_how_many_ways_the_practice_is_beyond_them(bare: Run) -> None:
    out = placed(bare, others(2.5, 2.5, {0: 3.2, 1: 3.4}))
    facts = finding(out, **counted(out))
    assert far_ways(facts) == 2
    assert "Outside the 99.8% limits, by which this sentence is judged, it is in 2 of 9 other ways." in robust(facts)
    facts.template.test = "rank"
    assert far_ways(facts) is None and "99.8%" not in robust(facts)


def test_a_place_that_is_never_outside_is_the_same_in_every_way(bare: Run) -> None:
    sign = placed(bare, others(0.1, -0.1, {}))
    facts = finding(sign, **counted(sign))
    assert (same_ways(facts), choice_in_short(facts)) == (9, "none") and same_ways(finding(bare)) is None


def test_a_reply_says_it_where_it_matters(bare: Run) -> None:
    calm = placed(bare, others(2.5, 2.5, {}))
    assert "outside the usual range in all 9" in robust_where_it_matters(finding(calm, **counted(calm)))
    assert robust_where_it_matters(finding(calm, "not_shown", **counted(calm))) == ""
    inside = placed(bare, others(1.0, 1.0, {}))
    assert robust_where_it_matters(finding(inside, **counted(inside))) == ""
    fair = robust_where_it_matters(finding(inside, "not_attributable", **counted(inside)))
    assert "It is inside the usual range in all 9 other ways" in fair
    turned = placed(bare, others(2.5, 1.0, {}))
    for verdict in ("supported", "not_shown"):
        assert "In no other way" in robust_where_it_matters(finding(turned, verdict, **counted(turned)))
    sign = placed(bare, others(0.1, -0.1, {}))
    assert robust_where_it_matters(finding(sign, **counted(sign))) == ""


# all of it


def test_every_choice_option_and_reason_has_words() -> None:
    for choice, options in declared.choices().items():
        assert choice in robustness_choices.CHOICES
        for name in options:
            assert (choice, name) in robustness_choices.OPTIONS or (choice, name) == ("denominator", "other")
    for metric in (SHARE, "within_14_days_share", "dna_share", "face_to_face_share", RATE):
        for counting in declared.denominators(metric):
            assert counting.title in robustness_choices.in_full("denominator", counting.id)


def test_a_reason_or_an_option_of_a_later_version_is_shown_by_its_name() -> None:
    assert robustness_choices.why_not("not_yet_thought_of") == "not yet thought of"
    assert robustness_choices.option("denominator", "missed_of_all") == "Counted another way (missed of all)"


def test_several_choices_at_once_are_all_named() -> None:
    taken = {"covariates": "no_deprivation", "link": "identity", "model": "regression"}
    assert (
        robustness_choices.way(taken)
        == "Deprivation left out; compared as plain differences; model that knows no ICBs or networks"
    )
    assert robustness_choices.way({}) == "As used here"


SITUATIONS = [
    others(2.5, 2.5, {}), others(-2.5, -2.5, {1: -1.0}), others(2.5, 1.0, {}), others(0.1, -0.1, {2: 0.2}),
    others(1.5, 2.2, {0: 1.5}), others(2.2, 1.0, {0: 2.1, 1: -1.0, 2: -2.2}), others(0.0, 0.0, {}),
]  # fmt: skip


@pytest.mark.parametrize("metric", [SHARE, RATE])
@pytest.mark.parametrize("z", SITUATIONS)
def test_the_sections_say_nothing_they_must_not_and_can_be_read(bare: Run, metric: str, z) -> None:
    made = placed(bare, z, metric)
    found = ways(made, metric)
    sections = [
        words.standing_other_ways(made, OWN, metric), words.standing_unmeasured(made, OWN, metric),
        words.standing_other_ways_note(made, OWN, metric), words.area_other_ways(made, metric),
        robustness.brief(found), robustness.warns(found), *robustness.icb_right(found),
    ]  # fmt: skip
    for text in sections:
        text = re.sub(r"(?m)^:::.*$|^#+ .*$", "", console.without_markdown(text))
        assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
        assert not UNQUALIFIED_SIGNIFICANT.search(text) and "not known" not in text
    terms = (found.facts.card.unit, "percentage points", "standard deviation", "deprivation")
    assert grade(" ".join(body(text) for text in sections), terms) <= 10


def test_methods_tell_what_was_declared_made_and_meant(run: Run) -> None:
    text = words.methods_other_ways(run, SHARE)
    assert "9 specifications beside the primary one were made at M1, of 11 declared" in text
    assert "the same sign and lies on the same side of ±1.96" in text and "at least 90%" in text
    assert "fewer than two thirds" in text
    for source in ("Steegen", "Simonsohn", "VanderWeele"):
        assert source in text
    found = run.multiverse[SHARE].summary.query("comparator == 'england'")
    out = found["z"].abs() > synthetic_ways.EDGE
    assert f"of the {int(out.sum())} outside ±1.96, {int((found['label'] == 'robust')[out].sum())} robust" in text
    assert "takes away 20.0% of the raw spread" in text
    assert "too little to serve as a yardstick" in words.methods_other_ways(placed(run, need_share=0.02), SHARE)
    assert words.methods_other_ways(dataclasses.replace(run, multiverse={}), SHARE) == ""
