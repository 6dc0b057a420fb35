"""The page on what a figure is made of and on its rank: what it says, what it must not, and when it cannot."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest
from matplotlib import image

from gpvar import charts, schema, tables, words
from gpvar.reporting import appendix, publish, reports
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look
from gpvar.results import Note, Run
from gpvar.words import console, phrases, standing, standing_beside, standing_parts, standing_pictures
from gpvar.words.standing_facts import STEP, Neighbours
from gpvar.words.standing_facts import standing as gathered
from tests import synthetic
from tests.test_words import FORBIDDEN, UNQUALIFIED_SIGNIFICANT, reading_grade

SHARE, RATE = "same_day_share", "appointments_per_1000"
METRICS = [SHARE, RATE]
TABLES = ("effects", "waterfall", "neighbours", "reach", "passing")
OWN = "X10001"
HOSTILE = "<script>alert(1)</script> ![](https://x.example/a.png) | $x$"
SECTIONS = (
    words.standing_title,
    words.standing_verdict,
    words.standing_icb_right,
    words.standing_waterfall,
    words.standing_waterfall_note,
    words.standing_estimate,
    words.standing_needed,
    words.standing_neighbours,
    words.standing_reach,
    words.standing_not_shown,
    words.standing_sources,
)
DRAWN = (charts.standing_waterfall, charts.standing_neighbours)
SHOWN = (tables.standing_ranks, tables.standing_steps)
RULES = ("full", "interval", "none", "sampling_only")
TARGET = {
    "target": "urgent_same_day_90",
    "target_value": 0.9,
    "meets": False,
    "neighbours": 10,
    "neighbours_meeting": 1,
    "similar_share": 0.12,
    "england_share": 0.29,
}
PASSING = {
    "first": "2025-04",
    "second": "2025-05..2026-03",
    "rho": 0.5,
    "rho_from": "assumed",
    "used": True,
    "reliability_month": 0.846,
    "stay_observed": 0.76,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("standing")
    return synthetic.make_run(folder, (synthetic.Card(), synthetic.RATE))


def with_tables(run: Run, metric: str = SHARE, **parts: object) -> Run:
    found = dataclasses.replace(run.analyses[metric], **parts)
    return dataclasses.replace(run, analyses={**run.analyses, metric: found})


def empty(run: Run, *names: str, metric: str = SHARE) -> Run:
    return with_tables(run, metric, **{name: pd.DataFrame(columns=schema.names(name)) for name in names})


def edited(run: Run, table: str, where: str = "practice_code == @code", metric: str = SHARE, **values: object) -> Run:
    """Return the run with some columns of the practice's own rows changed."""
    frame = getattr(run.analyses[metric], table).copy()
    rows = frame.query(where, local_dict={"code": OWN}).index
    for column, value in values.items():
        frame[column] = frame[column].astype(object)
        frame.loc[rows, column] = value
    return with_tables(run, metric, **{table: frame.infer_objects()})


def ruled(run: Run, rule: str, metric: str = SHARE, **values: object) -> Run:
    """Return the run under one rule for the practice's rank, blank where the rule allows nothing to be said."""
    gone = {"full": [], "interval": ["rank_median"]}.get(
        rule, ["rank_median", "rank_lower", "rank_upper", "p_bottom", "p_top"]
    )
    more = {"transient": float("nan"), "months_for_0_7": float("nan"), "months_for_0_9": float("nan")}
    changes = {"rule": rule, **dict.fromkeys(gone, float("nan")), **(more if rule == "sampling_only" else {})}
    return edited(run, "effects", metric=metric, **changes | values)


def with_row(run: Run, table: str, metric: str = SHARE, **values: object) -> Run:
    row = {name: float("nan") for name in schema.names(table)} | {"practice_code": OWN} | values
    return with_tables(run, metric, **{table: pd.DataFrame([row])[schema.names(table)]})


def page(run: Run, metric: str = SHARE, code: str = OWN) -> str:
    said = [section(run, code, metric) for section in SECTIONS]
    said += [table.to_markdown() for make in SHOWN if (table := make(run, code, metric))]
    return "\n\n".join(said + [chart.alt for draw in DRAWN for chart in draw(run, code, metric)])


def verdict(run: Run, metric: str = SHARE) -> str:
    return console.without_markdown(words.standing_verdict(run, OWN, metric))


def placed(run: Run, rank: float, metric: str = SHARE) -> Run:
    """Return the run with the practice at another raw rank."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[(frame["practice_code"] == OWN) & (frame["rung"] == "M0"), "rank"] = rank
        return frame

    return synthetic.changed(run, metric, change)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rule", RULES)
def test_the_page_says_nothing_it_must_not(run: Run, metric: str, rule: str) -> None:
    for code in (OWN, "X10005", "X10009"):
        text = page(ruled(run, rule, metric), metric, code)
        text = re.sub(r"(?m)^[|:].*$|^:::.*$|^#+ ", "", console.without_markdown(text))
        text = re.sub(r"\n+", "\n", text)
        assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
        assert not UNQUALIFIED_SIGNIFICANT.search(text) and "not known" not in text.replace("is not known", "")


@pytest.mark.parametrize("rule", RULES)
def test_the_verdict_can_be_read_at_school_leaving_age(run: Run, rule: str) -> None:
    said = re.sub(r":::.*", "", verdict(ruled(run, rule)))
    assert reading_grade(said) <= 10
    assert max(len(sentence.split()) for sentence in re.split(r"(?<=[.:])\s", said)) <= 32


def test_a_full_rule_gives_the_place_its_range_and_the_chance(run: Run) -> None:
    ranks = {"rank_median": 405, "rank_lower": 350, "rank_upper": 480, "ranked": 200}
    said = verdict(placed(edited(run, "effects", p_bottom=0.984, p_top=0.0, **ranks), 12))
    assert "it is right to say that it is in the lowest tenth: the chance is 98 in 100." in said
    assert (
        "On the raw figures of 12 months it is 12th from the lowest of 200 practices in England (M0, England)." in said
    )
    assert "Its lasting place is best put at 405th, and lies between 350th and 480th (95 in 100; M0, England)." in said
    assert "After allowing for patients its lasting place is best put at 405th" in said
    assert said.index("right to say") < said.index("On the raw figures of 12 months")


@pytest.mark.parametrize(("key", "tenth", "rank"), [("p_bottom", "lowest", 3), ("p_top", "highest", 198)])
@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.8, "it is right to say that it is in the {} tenth: the chance is 80 in 100."),
        (0.79, "it cannot be settled whether it is in the {} tenth: the chance is 79 in 100."),
        (0.2, "it is not right to say that it is in the {} tenth: the chance is 20 in 100."),
        (0.001, "it is not right to say that it is in the {} tenth: the chance is less than 1 in 100."),
        (1.0, "it is right to say that it is in the {} tenth: the chance is more than 99 in 100."),
    ],
)
def test_what_may_be_said_of_a_tenth_follows_its_chance_at_both_ends(run, key, tenth, rank, p, said) -> None:
    other = {"p_bottom": "p_top", "p_top": "p_bottom"}[key]
    text = verdict(placed(edited(run, "effects", **{key: p, other: 0.0}), rank))
    assert f"Before and after allowing for patients {said.format(tenth)}" in text


def test_different_chances_before_and_after_are_both_said(run: Run) -> None:
    raw = edited(run, "effects", "practice_code == @code and rung == 'M0'", p_bottom=0.95, p_top=0.0)
    both = edited(raw, "effects", "practice_code == @code and rung == 'M1'", p_bottom=0.12, p_top=0.0)
    text = verdict(both)
    assert "On the raw figures it is right to say that it is in the lowest tenth: the chance is 95 in 100." in text
    assert "After allowing for patients it is not right to say that it is in the lowest tenth: the chance is 12" in text
    near = edited(raw, "effects", "practice_code == @code and rung == 'M1'", p_bottom=0.9, p_top=0.0)
    assert "Before and after allowing for patients it is right" in verdict(near)
    assert "the chance is 95 in 100 and 90 in 100." in verdict(near)


def test_the_tenth_it_is_likely_in_is_told_though_the_raw_rank_is_at_the_other_end(run: Run) -> None:
    turned = edited(run, "effects", "practice_code == @code and rung == 'M0'", p_bottom=0.0, p_top=0.0)
    turned = edited(turned, "effects", "practice_code == @code and rung == 'M1'", p_bottom=0.0, p_top=0.9)
    assert "After allowing for patients it is right to say that it is in the highest tenth" in verdict(
        placed(turned, 40)
    )


def test_a_practice_in_neither_tenth_is_said_to_be_in_neither(run: Run) -> None:
    said = verdict(placed(edited(run, "effects", p_bottom=0.04, p_top=0.0), 90))
    assert "it is in neither the lowest nor the highest tenth: the chance of either is 4 in 100 at most." in said
    unsure = verdict(placed(edited(run, "effects", p_bottom=0.3, p_top=0.0), 90))
    assert "neither" not in unsure and "cannot be settled" in unsure


def test_an_interval_rule_gives_a_range_and_no_place(run: Run) -> None:
    found = ruled(run, "interval", rank_lower=350, rank_upper=480, p_bottom=0.9, p_top=0.0)
    said = verdict(found)
    assert "Its lasting place lies between 350th and 480th (95 in 100; M0, England). A single place would claim" in said
    assert "best put at" not in said and "it is right to say" in said
    without = ruled(run, "interval", rank_lower=350, rank_upper=480, p_bottom=float("nan"), p_top=float("nan"))
    assert "A range for its place may be stated; a single place may not." in verdict(without)
    assert set(tables.standing_ranks(found, OWN, SHARE).frame["Lasting place"]) == {"not stated"}


def test_no_rule_states_no_rank_and_says_what_would_be_needed(run: Run) -> None:
    found = ruled(run, "none", reliability=0.6992, months_for_0_7=30.0, months_for_0_9=110.0)
    said = verdict(found)
    assert "No lasting rank may be stated: figures like this one say too little about lasting differences." in said
    assert "Only 69% of what sets figures like this one apart lasts." in said and "best put at" not in said
    assert tables.standing_ranks(found, OWN, SHARE) == ""
    needed = words.standing_needed(found, OWN, SHARE)
    assert "takes 30 months; a rank with its interval needs 0.9, which takes 110 months. This figure rests" in needed
    assert "0.69 (M1), is not enough for any rank" in needed, "rounded up it would reach the threshold it misses"


def test_one_figure_for_the_whole_period_states_no_rank_and_says_why(run: Run) -> None:
    found = ruled(run, "sampling_only")
    said = verdict(found)
    assert "No lasting rank may be stated: only one figure for the whole period is known." in said
    assert "How far the figure moves from month to month is not known" in said
    assert "That is arithmetic on these months." in said and "lasting place" not in said
    assert "passing movement counted" in words.standing_estimate(found, OWN, SHARE)
    assert "lasting figure" not in words.standing_estimate(found, OWN, SHARE)
    assert "for two separate periods, show it" in words.standing_needed(found, OWN, SHARE)
    steps = tables.standing_steps(found, OWN, SHARE).frame.set_index("Part")["What it means"]
    assert "Passing movement is not known, so it is counted in here." in steps[STEP["own"]]
    assert "passing movement" not in steps[STEP["remainder"]]
    assert tables.standing_ranks(found, OWN, SHARE) == ""


def test_rules_may_differ_between_the_raw_figure_and_after(run: Run) -> None:
    gone = dict.fromkeys(["rank_median", "rank_lower", "rank_upper", "p_bottom", "p_top"], float("nan"))
    mixed = edited(run, "effects", "practice_code == @code and rung == 'M1'", rule="none", reliability=0.61, **gone)
    said = verdict(placed(edited(mixed, "effects", "rung == 'M0'", p_bottom=0.95), 3))
    assert "On the raw figures it is right to say that it is in the lowest tenth" in said
    assert "After allowing for patients its lasting place may not be stated (M1, England). Only 61% of what" in said


def test_with_nothing_allowed_for_only_the_raw_rank_is_told(run: Run) -> None:
    bare = synthetic.only_raw(run, SHARE)
    effects = bare.analyses[SHARE].effects.query("rung == 'M0'")
    text = page(with_tables(bare, effects=effects))
    assert "Nothing about the patients was allowed for" in text
    assert "fter allowing for patients" not in text and "M1" not in text and "typical mix" not in text


def test_other_numbers_of_practices_are_both_said(run: Run) -> None:
    assert " among the 190 that can be compared like with like" in verdict(edited(run, "effects", ranked=190))
    assert "like with like" not in verdict(run)


@pytest.mark.parametrize("metric", METRICS)
def test_the_parts_shown_add_up_to_the_figure_shown(run: Run, metric: str) -> None:
    for code in run.table.area_codes:
        found = gathered(run, code, metric)
        start, last, places = found.steps[0].reached, found.steps[-1].reached, found.places
        assert round(start + sum(step.change for step in found.steps), places) == last
        row = found.facts.row("M0")
        assert last == round(row["value"] * found.facts.card.scale, places)
        (chart,) = charts.standing_waterfall(run, code, metric)
        assert round(chart.data["reaches"].iloc[0] + chart.data["adds"].sum(), places) == last
        frame = tables.standing_steps(run, code, metric).frame
        adds = [float(text.replace("−", "-").replace("+", "").replace(",", "")) for text in frame.iloc[1:, 1]]
        assert round(start + sum(adds), places) == last


def test_no_step_is_off_by_more_than_rounding(run: Run) -> None:
    for code in run.table.area_codes:
        frame = run.analyses[SHARE].waterfall
        true = frame[frame["practice_code"] == code].set_index("step")["change"] * 100
        for step in gathered(run, code, SHARE).steps:
            assert abs(step.change - true[step.name]) <= 0.1 + 1e-9


def test_the_parts_are_told_apart_without_colour_and_the_spread_is_no_bar(run: Run) -> None:
    (chart,) = charts.standing_waterfall(run, OWN, SHARE)
    axes = chart.figure.axes[0]
    bars = [p for p in axes.patches if abs(p.get_height() - 0.56) < 1e-9]
    looks = [(p.get_hatch(), round(sum(p.get_facecolor()[:3]), 1)) for p in bars]
    assert len(bars) == len(set(looks)) == 5
    written = [text.get_text() for text in axes.texts]
    assert written == ["44.0", *(standing_parts.signed(s, 1) for s in gathered(run, OWN, SHARE).steps[1:]), "38.1"]
    assert "The band behind holds the middle 95% of practices" in chart.alt and "Setting +0.9, to" in chart.alt
    assert "middle 95" not in " ".join(chart.data["step"])


def steps(*changes: float, start: float = 40.0) -> pd.DataFrame:
    names = ["reference", "need", "context", "place", "own", "remainder"]
    frame = pd.DataFrame({"step": names, "change": [0.0, *changes]})
    frame["change"] /= 100
    return frame.assign(practice_code=OWN, link=0.0, reached=start / 100 + frame["change"].cumsum())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("changes", "message", "then"),
    [
        ((0, 0, 0, 10, 0.4), "Nearly all of the distance is the practice's own", "lies behind its own part is fair"),
        ((8, 0, 0, 4, 0), "Most of the distance goes with its patients", "does not excuse it"),
        ((0, 5, 5, 0.5, 0), "About half of the distance goes with its setting", "in such a setting show it too"),
        ((1, 0, 10, 1, 0), "Most of the distance is shared with its neighbours", "ask about the place as much"),
        ((1, 1, 1, 1.1, 1.4), "The largest part of the distance is chance and caution", "not expected to come again"),
        ((-1, 0, 0, 10, 0), "All of the distance, and more, is the practice's own", "fair"),
        ((-6, 0, 0, 10, 0), "Its parts pull against each other: the practice's own {}, patients {}", "fair"),
        ((0, 0, 0, 3, 0), "Nearly all of the distance is the practice's own", "no larger than 5 percentage points"),
        ((2, 0, 0, -2, 0), "Its figure is that of a typical practice", "cancel one another"),
    ],
)
def test_the_message_of_the_parts_names_the_largest_whichever_way_it_goes(run, sign, changes, message, then) -> None:
    made = with_tables(run, waterfall=steps(*(sign * change for change in changes)))
    said = console.without_markdown(words.standing_waterfall(made, OWN, SHARE))
    own, other = ("+10.0", "−6.0") if sign > 0 else ("−10.0", "+6.0")
    assert message.format(own, other) in said and then in said
    assert "A typical practice in England is at 40.0% of appointments, this one at" in said


def test_parts_that_cancel_are_told_one_by_one(run: Run) -> None:
    pulling = with_tables(run, waterfall=steps(-2, -1.2, 0.4, 6, 0))
    assert (
        standing_parts.message(gathered(pulling, OWN, SHARE))
        == "Its parts pull against each other: the practice's own +6.0, patients −2.0, setting −1.2"
    )


def test_the_parts_are_set_apart_from_what_the_verdict_rests_on(run: Run) -> None:
    found = gathered(run, OWN, SHARE)
    first, second = (f"{100 * found.facts.row(rung)['centre']:.1f}%" for rung in ("M1", "M2"))
    said = words.standing_waterfall_note(run, OWN, SHARE)
    assert f"what practices with such patients show: {first} (M1), {second} with setting too (M2)." in said
    assert "The verdict rests on that." in said
    assert "rests on that" not in words.standing_waterfall_note(synthetic.only_raw(run, SHARE), OWN, SHARE)


def test_a_high_practice_is_counted_from_the_highest_throughout(run: Run) -> None:
    ranks = {"rank_median": 195, "rank_lower": 190, "rank_upper": 199, "ranked": 200}
    high = placed(edited(run, "effects", p_bottom=0.0, p_top=0.95, **ranks), 198)
    said = verdict(high)
    assert "it is 3rd from the highest of 200 practices" in said
    assert "is best put at 6th, and lies between 2nd and 11th (95 in 100; M0, England)." in said
    table = tables.standing_ranks(high, OWN, SHARE)
    assert "Places count from the highest." in table.to_markdown().replace("\\", "") and set(
        table.frame["95 in 100"]
    ) == {"2nd to 11th"}


def test_steps_that_were_not_measured_are_left_out(run: Run) -> None:
    frame = steps(1, 0, 0, 4, 1).query("step != 'context' and step != 'place'")
    (chart,) = charts.standing_waterfall(with_tables(run, waterfall=frame), OWN, SHARE)
    assert list(chart.data["step"]) == ["Where it starts", "Patients", "The practice's own", "Chance and caution"]


def test_place_is_shown_and_taken_off_nothing(run: Run) -> None:
    frame = tables.standing_steps(run, OWN, SHARE).frame.set_index("Part")
    assert "the verdict takes nothing off for it" in frame.loc["Shared with neighbours", "What it means"]
    assert "explains, and does not excuse" in frame.loc["Patients", "What it means"]
    assert "age and sex, deprivation and recorded diabetes" in frame.loc["Patients", "What it means"]


@pytest.mark.parametrize("metric", METRICS)
def test_the_estimate_stands_beside_the_figure_with_its_interval(run: Run, metric: str) -> None:
    said = console.without_markdown(words.standing_estimate(run, OWN, metric))
    row = run.analyses[metric].effects.query("practice_code == @OWN and rung == 'M0'").iloc[0]
    shown = f"{100 * row['shrunken']:.1f}%" if metric == SHARE else f"{1000 * row['shrunken']:.0f}"
    assert f"The best estimate of its lasting figure is {shown}, 95% interval" in said
    assert "drawn towards practices alike in what was measured" in said and "With a typical mix of patients" in said


def test_an_estimate_that_shows_as_the_figure_itself_is_called_the_same(run: Run) -> None:
    value = gathered(run, OWN, RATE).facts.row("M0")["value"]
    same = edited(run, "effects", "practice_code == @code and rung == 'M0'", RATE, shrunken=value + 0.0001)
    assert "is as good as the same" in words.standing_estimate(same, OWN, RATE)


@pytest.mark.parametrize(
    ("first", "second", "rule", "said"),
    [
        (0.4, 1.0, "full", "takes 1 month; a rank with its interval needs 0.9, which takes 1 month. This figure"),
        (5.1, float("nan"), "interval", "takes 6 months; a rank with its interval needs 0.9, which no number"),
        (float("nan"), float("nan"), "none", "No number of months would bring that to 0.7"),
        (float("nan"), float("nan"), "full", "How many months would have been enough is not known."),
    ],
)
def test_the_months_that_a_rank_takes(run, first, second, rule, said) -> None:
    share = 0.5 if rule == "none" else 0.93
    found = ruled(run, rule, months_for_0_7=first, months_for_0_9=second, reliability=share)
    text = words.standing_needed(found, OWN, SHARE)
    assert said in text and "0.9 is necessary, never sufficient" in text


def test_one_month_is_told_with_what_was_assumed(run: Run) -> None:
    said = words.standing_needed(with_row(run, "passing", **PASSING), OWN, SHARE)
    assert "One month's figure alone has a reliability of 0.85 (passing movement is taken to carry over" in said
    assert "in April 2025, 76 in 100 are in the lowest tenth of May 2025 to March 2026 too." in said
    found = with_row(run, "passing", **PASSING | {"rho_from": "estimated", "first": "each month"})
    found = words.standing_needed(found, OWN, SHARE)
    assert "was found to carry over" in found and "lowest tenth of same-day share" not in found
    new = words.standing_needed(with_row(run, "passing", **PASSING | {"rho": 0.0}), OWN, SHARE)
    assert "taken to be new every month" in new
    gap = with_row(run, "passing", **PASSING | {"first": "2025-07", "second": "2025-04..2026-03 without 2025-07"})
    assert "of April 2025 to March 2026 without July 2025 too" in words.standing_needed(gap, OWN, SHARE)
    assert "One month's" not in words.standing_needed(with_row(run, "passing", **PASSING | {"used": False}), OWN, SHARE)


CARD = synthetic.Card()


@pytest.mark.parametrize(
    ("values", "own", "said", "means", "title"),
    [
        (
            [0.3, 0.4, 0.5],
            0.2,
            "all have a higher figure",
            "do not have to go",
            "All 3 practices most like it have a hi",
        ),
        (
            [0.3, 0.4, 0.5],
            0.6,
            "all have a lower figure",
            "do not have to go",
            "All 3 practices most like it have a lo",
        ),
        ([0.3, 0.4, 0.5], 0.45, "1 has a higher figure and 2 have a lower one", "within what", "2 of the 3"),
        ([0.3, 0.3, 0.3], 0.3, "3 have the same", "within what", "show the same figure"),
        (
            [0.4],
            0.3,
            "Of the one practice most like it in patients and setting, it has a higher",
            "",
            "The one practice",
        ),
        (
            [0.4, 0.45, 0.5, 0.6, 0.7, 0.7, 0.8, 0.2],
            0.3,
            "7 have a higher figure and 1 has a lower one",
            "a hint",
            "7 of",
        ),
    ],
)
def test_neighbours_are_told_in_number_and_for_either_side(values, own, said, means, title) -> None:
    near = Neighbours(tuple(sorted(values)), 0)
    assert said in standing_beside.beside_neighbours(CARD, near, own)
    assert means in standing_beside.outside(near, own)
    assert title in standing_pictures.neighbours_title(near, own)
    assert not FORBIDDEN.search(standing_pictures.neighbours_alt(CARD, near, own))


def test_small_counts_of_neighbours_given_in_confidence_are_not_shown(tmp_path, monkeypatch) -> None:
    card = synthetic.Card(source="ag_extract")
    run = synthetic.make_run(tmp_path, (card,))
    near = run.analyses[SHARE].neighbours.query("practice_code == @OWN")["neighbour_code"].tolist()

    def small(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["practice_code"] == near[0], "observed"] = 3.0
        return frame

    secret = synthetic.changed(run, SHARE, small)
    monkeypatch.setattr("gpvar.catalogue.metric", lambda metric: card)
    found = gathered(secret, OWN, SHARE)
    assert len(found.neighbours.values) == 9 and found.neighbours.withheld == 1
    assert "1 more cannot be shown" in words.standing_neighbours(secret, OWN, SHARE)
    assert len(charts.standing_neighbours(secret, OWN, SHARE)[0].data) == 10


@pytest.mark.parametrize(
    ("changes", "first", "last"),
    [
        (
            {},
            "It does not reach the target (at least 90.0%, to be reached by 31 March 2027, as",
            "Missing it is common",
        ),
        ({"similar_share": 0.4}, "It does not reach the target", "Practices like it do reach it"),
        ({"meets": True}, "It reaches the target", "few like it would"),
        ({"meets": True, "similar_share": 0.5}, "It reaches the target", "So do many like it."),
    ],
)
def test_who_reaches_a_target_is_said_both_ways(run: Run, changes: dict, first: str, last: str) -> None:
    said = console.without_markdown(words.standing_reach(with_row(run, "reach", **TARGET | changes), OWN, SHARE))
    assert first in said and last in said
    assert "Of the 10 practices most like it, 1 does." in said
    assert "Among all practices compared in England, 29 in 100 do." in said
    box = words.standing_icb_right(with_row(run, "reach", **TARGET | changes), OWN, SHARE)
    assert ("does not reach the target" in box) is (not changes.get("meets", False))
    assert ("and practices like it do" in box) is (changes == {"similar_share": 0.4})


def test_neighbours_at_a_target_agree_in_number(run: Run) -> None:
    said = {
        k: words.standing_reach(with_row(run, "reach", **TARGET | {"neighbours_meeting": k}), OWN) for k in (0, 1, 4)
    }
    assert "none does." in said[0] and "1 does." in said[1] and "4 do." in said[4]
    unknown = words.standing_reach(with_row(run, "reach", **TARGET | {"target": "gone", "neighbours": 0}), OWN, SHARE)
    assert "the target** (90.0%)" in unknown and "most like it" not in unknown


def test_without_a_target_nothing_is_said_of_one(run: Run) -> None:
    assert words.standing_reach(run, OWN, SHARE) == "" and "target" not in page(run)


def test_what_the_icb_has_right_follows_the_numbers(run: Run) -> None:
    likely = words.standing_icb_right(edited(run, "effects", p_bottom=0.9, p_top=0.0), OWN, SHARE)
    assert (
        "To say that it is in the lowest tenth is right, on the raw figures and after allowing for patients" in likely
    )
    high = edited(run, "effects", "practice_code == @code and rung == 'M1'", p_top=0.9)
    assert "To say that it is in the highest tenth is right, after allowing" in words.standing_icb_right(
        high, OWN, SHARE
    )
    unlikely = words.standing_icb_right(edited(run, "effects", p_bottom=0.7, p_top=0.0), OWN, SHARE)
    assert "To say that" not in unlikely and unlikely.startswith("::: {.box") and "right as arithmetic" in unlikely
    box = words.standing_icb_right(with_tables(run, waterfall=steps(0, 0, 0, -14, 0)), OWN, SHARE)
    assert "The practice's own part takes 14.0 percentage points off. It does not go with its patients" in box
    small = words.standing_icb_right(with_tables(run, waterfall=steps(0, 0, 0, -4, 0)), OWN, SHARE)
    assert "own part" not in small
    assert "All 10 practices most like it have a higher figure." in box


@pytest.mark.parametrize("metric", METRICS)
def test_each_picture_has_its_message_its_text_and_its_data(run: Run, metric: str) -> None:
    for draw in DRAWN:
        (chart,) = draw(run, OWN, metric)
        assert chart.title and len(chart.alt) > 80 and chart.data.notna().all().all()
        assert chart.title in " ".join(chart.figure.get_suptitle().split())
        target = io.BytesIO()
        charts.save(chart, target, "png")
        pixels = image.imread(io.BytesIO(target.getvalue()))[..., :3]
        edge = [pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]]
        assert all((side > 0.99).all() for side in edge), draw.__name__


@pytest.mark.parametrize("metric", METRICS)
def test_tables_have_no_blank_cell(run: Run, metric: str) -> None:
    for make in SHOWN:
        for rule in ("full", "interval"):
            cells = make(ruled(run, rule, metric), OWN, metric).frame.astype(str).to_numpy().ravel()
            assert len(cells) and all(c.strip() and not re.search(r"\bnan\b|not known", c) for c in cells)


def others(run: Run) -> tuple[set[str], set[str]]:
    frame = run.table.practices
    rest = frame[frame["practice_code"] != OWN]
    return set(rest["practice_code"]), set(rest["practice_name"])


def test_no_neighbour_can_be_found_in_anything_sent(run: Run) -> None:
    codes, names = others(run)
    texts = []
    for metric in METRICS:
        texts.append(page(run, metric))
        for draw in DRAWN:
            (chart,) = draw(run, OWN, metric)
            target = io.BytesIO()
            charts.save(chart, target, "svg")
            texts += [chart.data.to_csv(), target.getvalue().decode("utf-8"), chart.name]
    made, look = Page(page(run), ()), Look("t", False, False)
    texts.append(publish.to_html(made, look).decode("utf-8"))
    for content in (publish.to_docx(made, look), appendix.practice_workbook(run, OWN, METRICS)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts += [archive.read(n).decode("utf-8") for n in archive.namelist() if n.endswith((".xml", ".rels"))]
    for text in texts:
        assert not set(re.findall(r"\bX1\d{4}\b", text)) & codes
        assert not [name for name in names if re.search(rf"{re.escape(name)}\b", text)]


def test_neighbours_are_drawn_in_the_order_of_their_figures_and_rounded(run: Run) -> None:
    data = charts.standing_neighbours(run, OWN, SHARE)[0].data
    like = data[data["which"] == "practice like it"]["value"]
    assert like.is_monotonic_increasing and (like == like.round(1)).all()


def test_the_workbook_holds_the_practices_own_rows_and_neighbours_only_together(run: Run) -> None:
    target = with_row(run, "reach", **TARGET)
    book = openpyxl.load_workbook(io.BytesIO(appendix.practice_workbook(target, OWN, METRICS)))
    assert {"Lasting", "Parts", "Like it", "Target"} <= set(book.sheetnames)
    known = {row[1] for row in book["Dictionary"].iter_rows(min_row=4, values_only=True)} | {"metric"}
    for sheet, _ in appendix.STANDING.values():
        assert {c.value for c in book[sheet][3]} <= known, sheet
    heads = [c.value for c in book["Like it"][3]]
    row = dict(zip(heads, next(book["Like it"].iter_rows(min_row=4, values_only=True)), strict=True))
    near = gathered(run, OWN, SHARE).neighbours
    assert row["similar"] == 10 and row["similar_middle"] == pytest.approx(near.middle)
    assert "neighbour_code" not in known
    assert "Target" not in openpyxl.load_workbook(io.BytesIO(appendix.practice_workbook(run, OWN, METRICS))).sheetnames


def nothing(run: Run, **parts: object) -> Run:
    return with_tables(empty(run, *TABLES), **parts)


def test_below_200_practices_every_section_has_a_plain_sentence(tmp_path) -> None:
    few = empty(synthetic.make_run(tmp_path, n=120), *TABLES)
    text = console.without_markdown(page(few))
    assert "No lasting rank may be stated. Only 120 practices can be compared. Below 200, lasting differences" in text
    assert "Nothing can be said here. Only 120 practices can be compared." in text
    assert re.search(r"from the (lowest|highest) of 120 practices", text)
    assert "No practices can be shown beside it" in text and not any(draw(few, OWN, SHARE) for draw in DRAWN)
    assert not any(make(few, OWN, SHARE) for make in SHOWN) and "What the ICB has right" in text
    assert not FORBIDDEN.search(re.sub(r"\n+", "\n", re.sub(r"(?m)^:::.*$", "", text)))
    assert appendix.practice_workbook(few, OWN, [SHARE])


def test_a_model_without_a_solution_is_said(run: Run) -> None:
    why = Note("variation_not_found", {"why": HOSTILE})
    said = verdict(nothing(run, notes=(why,)))
    assert "found no solution for these figures" in said and "script" not in said and "Below 200" not in said


def test_a_practice_outside_the_fit_is_told_why(run: Run) -> None:
    def out(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["practice_code"] == OWN, "in_fit"] = False
        return frame

    left = synthetic.changed(run, SHARE, out)
    effects = run.analyses[SHARE].effects.query("practice_code != @OWN")
    table = SimpleNamespace(**vars(run.table))
    table.excluded = pd.DataFrame([(OWN, "list_under_1000")], columns=["practice_code", "gate"])
    left = dataclasses.replace(with_tables(left, effects=effects), table=table)
    said = verdict(left)
    assert (
        "No lasting rank may be stated. The practice took no part in the comparison that ranks are measured on" in said
    )
    assert "because it has under 1,000 patients." in said and "neither for nor against" in said
    assert "What it means" in tables.standing_steps(left, OWN, SHARE).frame
    assert "took no part in measuring it" in words.standing_waterfall(left, OWN, SHARE)
    assert "took no part" not in words.standing_waterfall(run, OWN, SHARE)


def test_a_check_that_stops_the_question_leaves_no_rank_and_no_parts(run: Run) -> None:
    table = SimpleNamespace(**vars(run.table))
    stop = run.table.gates.iloc[[0]].assign(state="failed", severity="stop", practice_code=OWN, detail=HOSTILE)
    table.gates = pd.concat([run.table.gates, stop], ignore_index=True)
    stopped = dataclasses.replace(run, table=table)
    text = page(stopped)
    assert f"**{phrases.POSITION['not_decidable']}: no rank may be stated.**" in text
    assert charts.standing_waterfall(stopped, OWN, SHARE) == () and tables.standing_steps(stopped, OWN, SHARE) == ""
    assert "Most of the distance" not in text and "best put at" not in text and "To say that" not in text
    assert not re.search(r"(?<!\\)<script|(?<!\\)!\[", text)
    sheets = openpyxl.load_workbook(io.BytesIO(appendix.practice_workbook(stopped, OWN, [SHARE]))).sheetnames
    assert not {"Lasting", "Parts", "Like it"} & set(sheets)


def test_a_hidden_count_has_no_rank_no_parts_and_no_figure(run: Run) -> None:
    hid = synthetic.changed(run, SHARE, lambda frame: synthetic.hide(frame, OWN))
    text = console.without_markdown(page(hid))
    assert "The count was hidden because it is small. A figure that is not known has no place among others." in text
    assert not any(draw(hid, OWN, SHARE) for draw in DRAWN) and not any(make(hid, OWN, SHARE) for make in SHOWN)
    assert not re.search(r"\bnan\b|38\.1", text) and "from the lowest" not in text
    assert "Like it" not in openpyxl.load_workbook(io.BytesIO(appendix.practice_workbook(hid, OWN, [SHARE]))).sheetnames


def test_a_practice_without_a_row_is_answered(run: Run) -> None:
    gone = synthetic.changed(run, SHARE, lambda frame: frame[frame["practice_code"] != OWN])
    assert "There is no figure for this practice in the period." in verdict(gone)
    assert not any(draw(gone, OWN, SHARE) for draw in DRAWN) and page(gone)


@pytest.mark.parametrize("name", TABLES)
def test_each_table_may_be_empty_alone(run: Run, name: str) -> None:
    text = console.without_markdown(page(empty(run, name)))
    assert "What the ICB has right" in text and not re.search(r"\bnan\b", text)


def test_names_from_files_stay_text(run: Run) -> None:
    table = SimpleNamespace(**vars(run.table))
    table.practices = run.table.practices.assign(practice_name=HOSTILE)
    named = synthetic.changed(
        dataclasses.replace(run, table=table), SHARE, lambda f: f, reference={"set": "region", "name": HOSTILE}
    )
    for section in SECTIONS:
        assert not re.search(r"(?<!\\)<script|(?<!\\)!\[", section(named, OWN, SHARE))
    assert r"\<script\>" in words.standing_title(named, OWN, SHARE)
    for make in SHOWN:
        assert not re.search(r"(?<!\\)<script|(?<!\\)!\[", make(named, OWN, SHARE).to_markdown())


def test_a_smaller_reference_set_is_named_everywhere(run: Run) -> None:
    inside = synthetic.changed(run, SHARE, lambda f: f, reference={"set": "region", "name": "Somewhere"})
    inside = with_row(inside, "reach", **TARGET)
    text = console.without_markdown(page(inside)).split("Sources")[0]
    assert "England" not in text and "Somewhere" in text


def test_every_practice_of_the_study_has_the_page_and_a_line_in_the_index(run: Run) -> None:
    jobs = [job for job in reports.jobs_for(run, ("practice",)) if job.notebook == "practice_standing"]
    codes = run.study.area.practices
    assert [job.stem for job in jobs] == [f"{code}_{metric}_standing" for metric in METRICS for code in codes]
    assert {job.folder for job in jobs} == {"to-send"}
    assert jobs[0].summary.endswith("what the figure is made of; its rank may be stated, with its range.")
    lines = [words.standing_summary_line(ruled(run, rule), OWN, SHARE) for rule in RULES[1:]]
    assert "a range for its rank may be stated" in lines[0] and lines[1].endswith("no lasting rank may be stated.")
    assert lines[2].endswith("no lasting rank may be stated: only one figure for the period is known.")


def test_chances_are_never_certain() -> None:
    assert [standing.odds(p) for p in (0.0, 0.004, 0.5, 0.996, 1.0)] == [
        "less than 1 in 100",
        "less than 1 in 100",
        "50 in 100",
        "more than 99 in 100",
        "more than 99 in 100",
    ]
    assert [standing.degree(r) for r in (0.8999, 0.9, 0.9596, 0.999)] == ["0.89", "0.90", "0.96", "above 0.99"]
    assert [standing.percent(r) for r in (0.6992, 0.9596)] == ["69", "96"]
