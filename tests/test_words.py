"""Every sentence is rendered for every combination and read for what must never be said."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from gpvar import catalogue, words
from gpvar.errors import StudyError
from gpvar.results import Note
from gpvar.words import area, boxes, console, figures, marks, pages, phrases, pictures, quality, sources, text, verdict
from tests import synthetic

CARDS = {
    **catalogue.metrics(),
    **{
        f"better_{way}": synthetic.Card(better=way, activity=False, validity_faults=("The label is not the urgency.",))
        for way in ("higher", "lower")
    },
}
FORBIDDEN = re.compile(
    r"\bnan\b|(?-i:\bNone\b)|\binf\b|  |\s[.,;]|\.\.|,\.|\(\)|\{|\}"
    r"|\boutliers?\b|\bworse\b|\bworst\b|\bpoor(ly)? perform|\bunderperform|\bfail(ing|ure)\b|\bleague table of"
    r"|traffic light|\b(red|amber)-rated\b|composite|\bblame|\bunwarranted\b|\bp-value|\blogit\b|sigma|τ",
    re.IGNORECASE,
)
UNQUALIFIED_SIGNIFICANT = re.compile(r"(?<!statistically )\bsignifican", re.IGNORECASE)
PERCENT_OF_NOTHING = re.compile(r"\d%(?! (of|to|interval|limits|and its)|,? (England|its own|each)| and its own)")
POSITIONS, MOVEMENTS = tuple(phrases.POSITION), ("", *phrases.MOVEMENT)
ACRONYMS = re.compile(r"\((M\d−?, (England|own ICB))\)|\bM\d−?\b")


def row(card, position="usual", movement="", *, sign=-1.0, size=0.3, share=0.4, percentile=12.0):
    """Return a row of the analysis in which every number is known."""
    centre = 0.4 if figures.is_share(card) else 0.45
    value = centre * (1 + sign * size)
    return {
        "position": position,
        "movement": movement,
        "value": value,
        "centre": centre,
        "difference": value - centre,
        "difference_lower": value - centre - 0.01,
        "difference_upper": value - centre + 0.01,
        "lower_95": 0.25,
        "upper_95": 0.6,
        "z": sign * 2.0,
        "percentile": percentile,
        "rank": 122.0,
        "ranked": 6032.0,
        "gap_per_week": sign * 45.3,
        "exceeds_margin": size > 0.1,
        "explained_share": share,
        "adjusted": value,
        "shown_lower_95": 0.25,
        "shown_upper_95": 0.6,
    }


SPREAD = {"middle_lower": 0.25, "middle_upper": 0.61, "tau": 0.4}


def sentences(card, position, movement, sign, rung, comparator):
    """Return every sentence about a practice in this situation."""
    judged, raw = row(card, position, movement, sign=sign), row(card, "unusual", sign=sign)
    rows = {(r, c): judged for r in ("M1", "M1-", "M2") for c in ("england", "own_icb")}
    rows |= {("M0", c): raw for c in ("england", "own_icb")}
    return [
        verdict.lead(card, judged, SPREAD, "Dr O'Neil & Partners", rung=rung, comparator=comparator, why=""),
        verdict.movement(card, raw, judged, rung=rung, comparator=comparator) if rung != "M0" else "",
        verdict.disagreement(rows, comparator),
        verdict.own_icb(rows),
        verdict.without_recorded(rows),
        verdict.raw_figure(card, raw, 0.44, 0.41, "NHS Somewhere ICB"),
        verdict.raw_rank(raw, raw, comparator),
        boxes.without_old(["imd2025", "qof_dm"], 0),
        boxes.without_old(["imd2025"], 3),
        boxes.without_old_here(
            [Note("repeated_without_old", {"covariates": ["imd2025"], "changed": {"A1": "usual"}})], "A1"
        ),
        boxes.without_old_here([Note("repeated_without_old", {"covariates": ["imd2025"], "changed": {}})], "A1"),
        verdict.real_terms(card, judged, rung=rung, comparator=comparator),
        verdict.chance(card, has_months=False),
        verdict.direction(card),
        *boxes.icb_right(card, rows, 0.44, 0.41),
    ]


@pytest.mark.parametrize("name", CARDS)
def test_no_sentence_says_what_must_never_be_said(name: str) -> None:
    card = CARDS[name]
    situations = itertools.product(POSITIONS, MOVEMENTS, (-1.0, 1.0), ("M0", "M1", "M1-", "M2"), ("england", "own_icb"))
    read: set[str] = set()
    for situation in situations:
        for sentence in set(sentences(card, *situation)) - read:
            read.add(sentence)
            plain = console.without_markdown(sentence)
            assert not FORBIDDEN.search(plain), (situation, FORBIDDEN.search(plain), sentence)
            assert not UNQUALIFIED_SIGNIFICANT.search(plain), sentence
            assert not PERCENT_OF_NOTHING.search(plain), (situation, sentence)
            assert plain == "" or plain[0].isupper() or plain[0].isdigit() or plain[0] == "“", sentence


@pytest.mark.parametrize("name", CARDS)
def test_sentences_hold_when_numbers_are_missing_or_nought(name: str) -> None:
    card = CARDS[name]
    for nought in (math.nan, 0.0):
        for position, movement in itertools.product(POSITIONS, MOVEMENTS):
            bare = row(card, position, movement, size=0.0) | dict.fromkeys(
                ("percentile", "gap_per_week", "explained_share", "difference_lower", "difference_upper", "rank"),
                nought,
            )
            raw = row(card, "unusual")
            said = [
                verdict.lead(card, bare, None, "Surgery"),
                verdict.movement(card, raw, bare),
                verdict.real_terms(card, bare),
                verdict.raw_rank(bare),
                *boxes.icb_right(card, {("M0", "england"): bare, ("M1", "england"): bare}, math.nan, math.nan),
            ]
            for sentence in said:
                assert not FORBIDDEN.search(console.without_markdown(sentence)), sentence


def test_the_phrases_are_those_of_the_method() -> None:
    assert phrases.POSITION == {
        "not_decidable": "The data cannot answer this",
        "no_detectable_difference": "No clear difference",
        "usual": "Different, but so are many",
        "unusual": "Outside the usual range",
        "far_outside": "Far outside the usual range",
    }
    assert phrases.MOVEMENT["explained"] == "In line with its patients"
    assert phrases.MOVEMENT["revealed"] == "Only shows after a like-for-like comparison"


@pytest.mark.parametrize("position", POSITIONS)
def test_the_verdict_comes_first(position: str) -> None:
    said = verdict.lead(CARDS["same_day_share"], row(CARDS["same_day_share"], position), SPREAD, "Surgery")
    assert said.startswith(f"**{phrases.POSITION[position]}.**")
    assert said.endswith(phrases.POSITION_CAVEAT[position])


@pytest.mark.parametrize("rung", ["M0", "M1", "M1-", "M2"])
@pytest.mark.parametrize("comparator", ["england", "own_icb"])
def test_every_verdict_names_its_rung_and_comparator(rung: str, comparator: str) -> None:
    card = CARDS["dna_share"]
    said = verdict.lead(card, row(card, "unusual"), SPREAD, "Surgery", rung=rung, comparator=comparator)
    assert f"({phrases.label(rung, comparator)})" in said


def test_different_positions_at_different_rungs_are_said() -> None:
    card = CARDS["dna_share"]
    rows = {
        ("M0", "england"): row(card, "far_outside"),
        ("M1", "england"): row(card, "usual"),
        ("M2", "england"): row(card, "usual"),
    }
    said = verdict.disagreement(rows)
    assert "“Far outside the usual range” on the raw figure (M0, England)" in said
    assert (
        "after allowing for patients (M1, England) and after allowing for patients and circumstances (M2, England)"
        in said
    )
    assert verdict.disagreement({k: row(card, "usual") for k in rows}) == ""


def test_a_gap_that_widens_is_not_called_explained() -> None:
    card = CARDS["dna_share"]
    wider = row(card, "far_outside", "not_explained", size=0.5)
    said = verdict.movement(card, row(card, "unusual"), wider)
    assert "makes the gap wider, from 12.0 to 20.0 percentage points: it does not remove" in said


def test_what_allowing_for_patients_does_is_told_in_the_numbers_of_the_table() -> None:
    card = CARDS["appointments_per_1000"]
    raw = row(card, "unusual") | {"value": 0.9290, "centre": 0.4784}
    judged = row(card, "unusual", "partly_explained") | {"value": 0.9290, "centre": 0.5662}
    said = verdict.movement(card, raw, judged)
    assert "Allowing for patients like these takes the gap from 451 to 363; the rest remains." in said
    over = judged | {"centre": 0.95, "movement": "explained"}
    assert "takes the gap from 451 higher to 21 lower." in verdict.movement(card, raw, over)


def test_the_numbers_of_a_verdict_subtract_as_they_are_shown() -> None:
    card = CARDS["same_day_share"]
    found = row(card) | {"value": 0.24843, "centre": 0.39376, "difference": 0.24843 - 0.39376}
    said = verdict.lead(card, found, SPREAD, "Surgery")
    assert "24.8%" in said and "39.4%" in said and "14.6 percentage points lower" in said


@pytest.mark.parametrize(
    ("rank", "place", "lasting", "said"),
    [
        (3, "3rd from the lowest of 6,032", (2, 9), "Its lasting place lies between 2nd and 9th (95 in 100)."),
        (6030, "3rd from the highest of 6,032", (6024, 6031), "lies between 2nd and 9th (95 in 100)."),
    ],
)
def test_a_raw_rank_counts_from_the_nearer_end_and_says_what_lasts(rank, place, lasting, said) -> None:
    found = row(CARDS["same_day_share"]) | {"rank": rank}
    kept = {"rule": "interval", "rank_lower": lasting[0], "rank_upper": lasting[1], "ranked": 6032}
    text = verdict.raw_rank(found, lasting=kept)
    assert place in text and said in text
    none = verdict.raw_rank(found, lasting=kept | {"rule": "none"})
    assert "That is arithmetic on these months; no lasting rank may be stated." in none and "lasting place" not in none


def test_an_own_icb_that_answers_otherwise_is_told_where_it_is_asked_for() -> None:
    card = CARDS["same_day_share"]
    rows = {("M1", "england"): row(card, "usual"), ("M1", "own_icb"): row(card, "unusual")}
    assert "different against the other practices of its own ICB" in verdict.own_icb(rows, only_different=True)
    assert verdict.own_icb(rows | {("M1", "own_icb"): row(card, "usual")}, only_different=True) == ""


def test_chance_is_left_open_for_activity_without_months() -> None:
    assert verdict.chance(CARDS["same_day_share"], has_months=False).startswith(
        "Chance could not be separated from passing movement"
    )
    assert verdict.chance(CARDS["same_day_share"], has_months=True).endswith(
        ": the monthly figures were added up, not compared with each other."
    )
    assert verdict.chance(CARDS["better_higher"], has_months=False) == ""


def test_neither_direction_is_better_until_a_card_says_so() -> None:
    assert "Neither higher nor lower" in verdict.direction(CARDS["same_day_share"])
    assert "higher is usually taken to be better" in verdict.direction(CARDS["better_higher"])


@pytest.mark.parametrize(
    ("percentile", "said"),
    [(0.2, "fewer than 1 in 100"), (1.0, "1 in 100"), (34.4, "34 in 100"), (99.9, "more than 99 in 100")],
)
def test_a_percentile_is_said_as_so_many_in_a_hundred(percentile: float, said: str) -> None:
    assert figures.per_hundred(percentile) == said


def test_the_figure_of_all_practices_added_together_is_told_from_the_middle_one(run) -> None:
    card = CARDS["dna_share"]
    assert "England as a whole 44.0%" in verdict.raw_figure(card, row(card), 0.44, 0.41, "NHS Somewhere ICB")
    assert "all practices added together, not the one in the middle" in words.area_raw(run, "same_day_share")


def test_a_share_and_a_rate_are_each_said_in_their_own_unit() -> None:
    assert figures.amount(CARDS["same_day_share"], 0.3124) == "31.2% of appointments"
    assert figures.amount(CARDS["appointments_per_1000"], 0.4121) == "412 appointments per 1,000 patients a month"
    assert figures.gap(CARDS["same_day_share"], -0.0101) == "1.0 percentage point"
    assert figures.margin(CARDS["appointments_per_1000"]) == "10% of the expected rate"


def test_the_weekly_gap_is_in_events() -> None:
    card = CARDS["same_day_share"]
    assert figures.weekly_gap(card, -45.2) == "about 45 fewer each week (appointments held on the day they were booked)"
    assert figures.weekly_gap(card, 0.3).startswith("less than 1 a week")


def test_what_the_icb_has_right_is_never_empty() -> None:
    card = CARDS["same_day_share"]
    assert boxes.icb_right(card, {}, math.nan, math.nan)
    far = {(r, "england"): row(card, "far_outside", percentile=3.0) for r in ("M0", "M1")}
    said = " ".join(boxes.icb_right(card, far, 0.44, 0.41))
    assert (
        "right as arithmetic" in said and "lowest tenth" in said and "still there after allowing for patients" in said
    )


@pytest.mark.parametrize(
    ("percentile", "said"),
    [
        (4.2, "It is inside the usual range, towards its edge: 4 in 100 are lower."),
        (99.1, "It is inside the usual range, towards its edge: 1 in 100 is higher."),
        (11.0, "Many practices share a difference like this one."),
        (math.nan, "Many practices share a difference like this one."),
    ],
)
def test_a_difference_near_the_edge_is_not_said_to_be_shared_by_many(percentile: float, said: str) -> None:
    rows = {(r, "england"): row(CARDS["same_day_share"], percentile=percentile) for r in ("M0", "M1")}
    assert said in " ".join(boxes.icb_right(CARDS["same_day_share"], rows, 0.44, 0.41))


def test_nothing_is_called_good_enough_where_no_direction_is_known_to_be_better() -> None:
    rows = {(r, "england"): row(CARDS["same_day_share"]) for r in ("M0", "M1")}
    conceded = {name: " ".join(boxes.icb_right(card, rows, 0.44, 0.41)) for name, card in CARDS.items()}
    assert "good enough for patients" in conceded["better_lower"]
    assert "good enough" not in conceded["same_day_share"]
    assert "does not settle whether it matters to patients" in conceded["same_day_share"]


def test_what_was_allowed_for_says_where_ethnicity_is_not_in_it() -> None:
    assert boxes.allowed_for_need(["age_sex", "imd2025"]) == "age and sex and deprivation, without ethnicity"
    assert boxes.allowed_for_need(["age_sex", "ethnicity"]) == "age and sex and ethnicity"


def test_over_adjustment_is_warned_of_where_it_applies() -> None:
    said = " ".join(boxes.over_adjustment(["imd2025", "qof_dm"]))
    assert "poorer patients" in said and "Recorded illness" in said
    assert boxes.over_adjustment(["age_sex"]) == []


def test_what_was_dropped_is_named() -> None:
    assert "ethnicity" in " ".join(boxes.not_shown(CARDS["dna_share"], ["imd2025"], {"ethnicity": "no source"}))


def test_a_name_stays_a_name() -> None:
    hostile = "<script>alert(1)</script> ![](https://x) `a`{=typst} | @x $y$ &amp;\nnext\u202e"
    escaped = words.escape_markdown(hostile)
    assert "\n" not in escaped and "\u202e" not in escaped
    assert not re.search(r"(?<!\\)[<>!\[\]()`{}|@$&]", escaped)
    assert console.without_markdown(escaped) == text.plain(hostile)


def test_every_gate_has_words_in_every_state() -> None:
    for gate in catalogue.gates():
        for state in (quality.PASSED, quality.FAILED, quality.UNCHECKED):
            assert quality.meaning(gate, state).strip()


def test_what_could_not_be_checked_is_named_and_not_taken_as_passed() -> None:
    gates = synthetic.gates(["X1", "X2"], "dna_share")
    said = quality.practice_quality(gates, "X2")
    assert "2 could not be checked" in said and "not a check that was passed" in said
    assert "1 check of the data failed" in said
    assert "No check of the data failed" in quality.practice_quality(gates, "X1")


def test_a_stop_gate_gives_the_reason() -> None:
    gates = pd.DataFrame(
        [("suppressed", "stop", "failed", "X1", "dna_share", 3.0, "count shown as *")],
        columns=["gate", "severity", "state", "practice_code", "metric", "value", "detail"],
    )
    assert "small" in quality.stop_reason(gates, "X1") and r"\*" in quality.stop_reason(gates, "X1")
    assert quality.stop_reason(gates, "X2") == ""


@pytest.mark.parametrize("flagged", [0, 1, 2, 40])
@pytest.mark.parametrize("explained", [0, 1, 6])
@pytest.mark.parametrize("revealed", [0, 1, 4])
def test_area_sentences_agree_in_number(flagged: int, explained: int, revealed: int) -> None:
    counted = dict.fromkeys((*phrases.POSITION, *phrases.MOVEMENT), 0)
    counted |= {
        "flagged": flagged,
        "n": 331,
        "whole": 340,
        "undecided": 9,
        "lost": 0,
        "explained": explained,
        "revealed": revealed,
        "borderline": 1,
        "far_outside": min(flagged, 1),
        "higher": min(flagged, 1),
        "lower": max(flagged - 1, 0),
    }
    card = CARDS["dna_share"]
    said = [
        area.lead(card, "Somewhere", counted, counted, failed=explained),
        area.moved(counted, counted, "In Somewhere"),
        marks.expected_flags(331, flagged),
    ]
    said += area.icb_right(card, counted, 0.04, 0.05)
    for sentence in said:
        plain = console.without_markdown(sentence)
        assert not FORBIDDEN.search(plain), sentence
        assert not re.search(r"\b1 practices\b|\b(?!1\b)\d+ practice\b|\b1 (are|were|cross|stand)\b", plain), sentence
    if flagged and not explained:
        assert "brings none of them into line" in said[1]


def test_those_that_stand_out_are_told_by_side_and_by_the_checks_they_failed(run) -> None:
    facts = words.area_facts(run, "same_day_share")
    judged = facts.at("M1")
    out = judged[judged["position"].isin(boxes.FLAGGED)]
    up, down = int((out["difference"] > 0).sum()), int((out["difference"] < 0).sum())
    assert up and down and f"stand out ({up} higher, {down} lower).**" in words.area_verdict(run, "same_day_share")
    assert f"({up} higher, {down} lower). Asking about them is fair." in words.area_icb_right(run, "same_day_share")
    table = SimpleNamespace(**vars(run.table))
    failed = [("list_jump", "warn", "failed", out["practice_code"].iloc[0], "", 1.0, "")]
    table.gates = pd.concat([table.gates, pd.DataFrame(failed, columns=table.gates.columns)])
    assert "Not one of them failed a check of the data" in words.area_verdict(run, "same_day_share")
    said = words.area_verdict(dataclasses.replace(run, table=table), "same_day_share")
    assert "1 of them failed a check of the data: ask about that first." in said


@pytest.mark.parametrize(
    ("name", "residual", "said"),
    [
        ("same_day_share", -0.0908, "about 2.2 percentage points lower than where"),
        ("same_day_share", 0.0001, "are on average about where"),
        ("appointments_per_1000", 0.044, "about 4% higher than where"),
        ("appointments_per_1000", -0.004, "are on average about where"),
    ],
)
def test_the_fit_in_the_area_is_told_with_its_number(name: str, residual: float, said: str) -> None:
    row = {"rung": "M1", "mean_residual": residual, "slope": 0.58, "slope_lower": -0.07, "slope_upper": 1.22}
    text = area.calibration(CARDS[name], pd.DataFrame([row]), 0.42)
    assert said in text and "nor do they show that they count at all here" in text
    less = area.calibration(CARDS[name], pd.DataFrame([row | {"slope_upper": 0.9}]), 0.42)
    assert "seem to count less here" in less and "The data do not show that they count at all here." in less
    fits = area.calibration(CARDS[name], pd.DataFrame([row | {"slope_lower": 0.1}]), 0.42)
    assert "at all" not in fits


def test_the_far_limits_are_told_with_what_they_hold() -> None:
    assert "998 in 1,000 of a bell-shaped spread; here 996)" in pictures.area_funnel_note(
        row={"n": 5950, "flagged_99_8": 23}
    )
    assert "here all)" in pictures.funnel_note(row={"n": 100, "flagged_99_8": 0})
    assert "here" not in pictures.funnel_note()


def test_pictures_have_words_for_every_position() -> None:
    for card, position, rung in itertools.product(CARDS.values(), POSITIONS, ("M0", "M1", "M2")):
        found = row(card, position)
        for said in (
            pictures.funnel_title(rung, position),
            pictures.funnel_alt(card, found, rung, 6000, 12, 300),
            pictures.ladder_title({rung: found}),
            pictures.ladder_alt(card, {rung: found}),
        ):
            assert not FORBIDDEN.search(said), said


def test_the_sentences_of_a_verdict_can_be_read_at_school_leaving_age() -> None:
    grades = []
    for card, position in itertools.product(CARDS.values(), POSITIONS):
        grades.append(
            reading_grade(console.without_markdown(verdict.lead(card, row(card, position), SPREAD, "Dale Surgery")))
        )
    assert sum(grades) / len(grades) <= 10


def reading_grade(said: str) -> float:
    """Return the Flesch-Kincaid grade of a text; rung labels are left out and a number is one short word."""
    said = re.sub(r"\d[\d.,]*(?<=\d)%?", "nine", ACRONYMS.sub("", said))
    ends = max(1, len(re.findall(r"[.!?](?:\s|$)", said)))
    found = re.findall(r"[A-Za-z']+", said)
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in found)
    return 0.39 * len(found) / ends + 11.8 * syllables / max(1, len(found)) - 15.59


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    return synthetic.make_run(tmp_path_factory.mktemp("words"), (synthetic.Card(), synthetic.RATE), n=120)


SECTIONS = [n for n in words.__all__ if n.startswith(("practice_", "area_")) and not n.endswith(("_facts", "_line"))]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("metric", ["same_day_share", "appointments_per_1000"])
def test_every_section_can_be_written_for_every_practice(run, section: str, metric: str) -> None:
    write = getattr(words, section)
    codes = run.table.practices["practice_code"][:12] if section.startswith("practice_") else [None]
    for code in codes:
        said = write(run, code, metric) if code else write(run, metric)
        assert not re.search(r"\bnan\b|\bNone\b|  ", re.sub(r"\n+", "\n", said)), said


def test_the_area_to_send_names_no_practice(run) -> None:
    said = " ".join(getattr(words, n)(run, "same_day_share") for n in SECTIONS if n.startswith("area_"))
    for code, name in zip(run.table.practices["practice_code"], run.table.practices["practice_name"], strict=True):
        assert code not in said and name not in said.replace("\\", "")


def test_an_unknown_practice_is_answered_with_the_nearest(run) -> None:
    with pytest.raises(StudyError) as error:
        words.practice_facts(run, "X1001l", "same_day_share")
    assert "Did you mean X10" in error.value.fix


def test_an_unknown_metric_is_answered_with_the_nearest(run) -> None:
    with pytest.raises(StudyError) as error:
        words.practice_facts(run, "X10001", "sameday_share")
    assert "Did you mean same_day_share" in error.value.fix


def test_a_practice_without_like_for_like_comparison_cannot_be_answered(run) -> None:
    facts = words.practice_facts(run, "X10003", "same_day_share")
    alone = dataclasses.replace(facts, rows={k: v for k, v in facts.rows.items() if k[0] == "M0"})
    said = pages.verdict_text(alone)
    assert said.startswith("**The data cannot answer this.**") and "neither for nor against" in said


def test_what_the_data_cannot_answer_is_neither_ranked_nor_conceded() -> None:
    card = CARDS["dna_share"]
    stopped = {(r, "england"): row(card, "not_decidable", percentile=2.0) for r in ("M0", "M1")}
    assert verdict.raw_rank(stopped["M0", "england"]) == ""
    said = " ".join(boxes.icb_right(card, stopped, 0.04, 0.05))
    assert "tenth" not in said and "cannot settle it either way" in said


def test_the_terminal_is_given_no_markdown(run) -> None:
    said = words.explanation(run, "X10001", "same_day_share")
    assert "**" not in said and "\\" not in said and ":::" not in said


def test_the_check_is_summed_up(run) -> None:
    said = words.check_summary(run.table)
    assert "120 practices in the table" in said and "asked for, not in the data" in said


def test_what_was_written_and_what_was_not_is_told() -> None:
    result = SimpleNamespace(
        files=(Path("a.html"), Path("a.docx"), Path("index.html")),
        failed=(("b", "It was open."),),
        index=Path("index.html"),
    )
    said = words.published_summary(result)
    assert "2 pages written" in said and "Not written: b. It was open." in said


def test_a_publication_is_cited_with_its_months_and_each_file_once() -> None:
    rows = [("gpad", "Crosstab_Jun_25.zip", "ab" * 32, f"2025-0{n}") for n in (4, 5, 6, 6)]
    rows += [("gpad", "Crosstab_Sep_25.zip", "cd" * 32, f"2025-0{n}") for n in (7, 8, 9)]
    rows += [("imd", "imd.csv", "12" * 32, ""), ("local", "ours.csv", "ef" * 32, "our extract")]
    provenance = pd.DataFrame(rows, columns=["source", "file", "sha256", "edition"])
    assert console.without_markdown(sources.files(provenance)) == (
        "Appointments in General Practice, April 2025 to June 2025 (Crosstab_Jun_25.zip, SHA-256 abababababab…) and "
        "July 2025 to September 2025 (Crosstab_Sep_25.zip, SHA-256 cdcdcdcdcdcd…); English Indices of Deprivation, by "
        "practice (imd.csv, SHA-256 121212121212…); ours.csv, our extract (SHA-256 efefefefefef…)"
    )
    assert "Appointments" not in sources.files(provenance, own={"gpad"})


def test_a_licence_is_named_once_with_everyone_whose_information_it_covers() -> None:
    card = catalogue.metric("same_day_share")
    said = sources.licences(card, ["age_sex", "imd2025", "qof_dm"], False)
    assert said.count("Licence") == 1 and "Contains information from NHS England (Appointments in General" in said
    assert "and public sector information (English Indices of Deprivation" in said


def test_a_page_names_the_run_and_gpvar_and_the_notes_every_version(tmp_path: Path) -> None:
    run = synthetic.make_run(tmp_path, (synthetic.Card(),))
    assert "numpy" not in sources.declared(run) and "gpvar 0.1.0" in sources.declared(run)
    assert "numpy" in sources.declared(run, everything=True)
