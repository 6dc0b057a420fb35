"""The page on where the variation comes from: what it says, what it must not, and when there is none."""

from __future__ import annotations

import dataclasses
import io
import re
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest
from matplotlib import image

from gpvar import charts, schema, tables, words
from gpvar.reporting import appendix, reports
from gpvar.results import Note, Run
from gpvar.words import variation, variation_beside
from tests import synthetic

SHARE, RATE = "same_day_share", "appointments_per_1000"
METRICS = [SHARE, RATE]
TABLES = ("levels", "coefficients", "shares", "rungs", "equity", "boards", "board_slopes")
HOSTILE = "<script>alert(1)</script> ![](https://x.example/a.png) | $x$"
SECTIONS = (
    words.variation_title,
    words.variation_verdict,
    words.variation_meaning,
    words.variation_icb_right,
    words.variation_levels,
    words.variation_spread,
    words.variation_equity,
    words.variation_boards,
    words.variation_checks,
    words.variation_sources,
    words.variation_summary,
)
DRAWN = (charts.variation_shares, charts.variation_strip, charts.variation_fifths)
SHOWN = (tables.variation_shares, tables.variation_levels, tables.variation_spread, tables.variation_equity)
NEVER = re.compile(
    r"\bnan\b|(?-i:\bNone\b)|\binf\b|  |\s[.,;]|\.\.|,\.|\(\)|\{\w|\boutlier|\bworse\b|\bworst\b|\bpoor(ly)? perform"
    r"|underperform|\bfail|league table|traffic light|\bblame|\bp-value|logit|sigma|τ|(?<!statistically )\bsignifican",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("variation")
    return synthetic.make_run(folder, (synthetic.Card(), synthetic.RATE))


def with_tables(run: Run, metric: str = SHARE, **frames: pd.DataFrame) -> Run:
    found = dataclasses.replace(run.analyses[metric], **frames)
    return dataclasses.replace(run, analyses={**run.analyses, metric: found})


def empty(run: Run, *names: str, metric: str = SHARE) -> Run:
    return with_tables(run, metric, **{name: pd.DataFrame(columns=schema.names(name)) for name in names})


def edited(run: Run, table: str, where: str, **values: object) -> Run:
    frame = getattr(run.analyses[SHARE], table).copy()
    for column, value in values.items():
        frame.loc[frame.eval(where), column] = value
    return with_tables(run, **{table: frame})


def page(run: Run, metric: str) -> str:
    said = [section(run, metric) for section in SECTIONS]
    said += [table.to_markdown() for make in SHOWN if (table := make(run, metric))]
    return "\n\n".join(said + [chart.alt for draw in DRAWN for chart in draw(run, metric)])


@pytest.mark.parametrize("metric", METRICS)
def test_the_page_says_nothing_it_must_not(run: Run, metric: str) -> None:
    text = re.sub(r"(?m)^[|:].*$|^:::.*$", "", page(run, metric))
    assert not NEVER.search(re.sub(r"\n+", "\n", text)), NEVER.search(text)


@pytest.mark.parametrize("metric", METRICS)
def test_the_first_sentences_give_every_share_with_its_interval(run: Run, metric: str) -> None:
    said = words.variation_verdict(run, metric)
    assert (
        "**Most of the variation lies between practices in the same place that are alike in what was measured.**"
        in said
    )
    assert "**20%** goes with their patients (95% interval 16 to 24)" in said
    assert "**3.0%** with their setting (95% interval 1.0 to 5.0)" in said
    alike = "practices in the same place that are alike in what was measured"
    assert f"**56%** lies between {alike} (95% interval 51 to 60)" in said
    assert "Explained by patients is not the same as acceptable. Unexplained is not the same as unwarranted." in said


@pytest.mark.parametrize(
    ("share", "start"), [(0.95, "Nearly all"), (0.6, "Most"), (0.5, "About half"), (0.4, "The largest part")]
)
@pytest.mark.parametrize("name", variation.PART)
def test_the_lead_names_the_largest_part_whichever_it_is(name: str, share: float, start: str) -> None:
    found = {name: {"share": share}, "other": {"share": 0.01}}
    said = variation.lead(found)
    assert said.startswith(f"{start} of the variation") and ("alike in what was measured" in said) == (
        name == "practice"
    )


def test_a_small_share_is_never_a_false_nought() -> None:
    assert [variation.percent(x) for x in (0.0, 0.0004, 0.004, 0.0996, 0.43)] == [
        "0.0",
        "less than 0.1",
        "0.4",
        "10",
        "43",
    ]


def test_the_shares_on_the_page_sum_to_the_whole(run: Run) -> None:
    (chart,) = charts.variation_shares(run, SHARE)
    assert chart.data["share_percent"].sum() == pytest.approx(100, abs=0.1)
    bars = [patch.get_width() for patch in chart.figure.axes[0].patches]
    assert sum(bars) == pytest.approx(100)


def test_the_parts_of_the_bar_are_told_apart_without_colour(run: Run) -> None:
    (chart,) = charts.variation_shares(run, SHARE)
    labels = [text.get_text() for text in chart.figure.legends[0].get_texts()]
    assert labels[0] == "Patients: 20% (95% interval 16 to 24)" and len(labels) == 5
    looks = [(p.get_hatch(), round(sum(p.get_facecolor()[:3]), 1)) for p in chart.figure.axes[0].patches]
    assert len(set(looks)) == 5
    assert "20%" in chart.alt and "Chance: 1.0%" in chart.alt


@pytest.mark.parametrize("metric", METRICS)
def test_each_picture_has_its_message_its_text_and_its_data(run: Run, metric: str) -> None:
    for draw in DRAWN:
        (chart,) = draw(run, metric)
        assert chart.title and len(chart.alt) > 80 and len(chart.data) and chart.data.notna().all().all()
        assert chart.title in " ".join(chart.figure.get_suptitle().split())


@pytest.mark.parametrize("metric", METRICS)
def test_tables_have_no_blank_cell(run: Run, metric: str) -> None:
    for make in SHOWN:
        cells = make(run, metric).frame.astype(str).to_numpy().ravel()
        assert len(cells) and all(c.strip() and not re.search(r"\bnan\b|not known", c) for c in cells)


def test_what_chance_does_not_hold_is_said(run: Run) -> None:
    assert "Passing movement from month to month is not in it" in words.variation_meaning(run, SHARE)


def test_what_neighbours_share_points_both_ways(run: Run) -> None:
    said = words.variation_meaning(run, SHARE)
    assert "same ICB or primary care network" in said
    assert "can point to what is decided, paid for or recorded in a place, or to what its practices do alike" in said
    by = run.analyses[SHARE].levels.query("rung == 'M2'").set_index("level")["variance"]
    part = 100 * by["icb"] / (by["icb"] + by["pcn"])
    assert f"{part:.0f}% lies between ICBs and {100 - part:.0f}% between networks in the same ICB (M2)." in said
    no_networks = edited(run, "levels", "level == 'pcn'", level="practice")
    assert "in the same ICB have in common" in words.variation_meaning(no_networks, SHARE)


def test_what_was_not_measured_of_patients_is_said(run: Run) -> None:
    assert "deprivation and recorded diabetes, without ethnicity." in words.variation_meaning(run, SHARE)


def test_what_the_icb_has_right_follows_the_numbers(run: Run) -> None:
    assert "Asking what lies behind it is fair" in words.variation_icb_right(run, SHARE)
    little = edited(run, "shares", "component == 'need'", share=0.02)
    assert "account for little of the variation: 2.0% of it" in words.variation_icb_right(little, SHARE)
    chance = edited(run, "shares", "component != 'noise'", share=0.05)
    assert "Asking" not in words.variation_icb_right(edited(chance, "shares", "component == 'noise'", share=0.8), SHARE)


def test_levels_are_told_in_the_metrics_own_unit(run: Run) -> None:
    share, rate = words.variation_levels(run, SHARE), words.variation_levels(run, RATE)
    assert re.search(r"Two practices in the same network: [\d.]+% against [\d.]+% of appointments\.", share)
    assert "The variance is 36% smaller than on the raw figures." in share
    assert re.search(r"Two ICBs: \d+ against \d+ appointments per 1,000 patients a month\.", rate)


def test_two_figures_a_median_ratio_apart_have_that_ratio() -> None:
    low, high = (float(x) / 100 for x in re.findall(r"([\d.]+)%", variation.pair(synthetic.Card(), 0.4, 1.5)))
    assert high / (1 - high) / (low / (1 - low)) == pytest.approx(1.5, rel=0.01)
    assert variation.ratio(0.4) == pytest.approx(1.46, abs=0.005)


def test_a_spread_that_may_be_nil_is_said_so(run: Run) -> None:
    reaches = edited(run, "levels", "level == 'icb' and rung == 'M1'", lower=0.0)
    assert "The interval reaches 0: no spread is not ruled out." in words.variation_levels(reaches, SHARE)
    nil = edited(reaches, "levels", "level == 'icb' and rung == 'M1'", sd=0.0, variance=0.0, median_ratio=1.0)
    said = words.variation_levels(nil, SHARE)
    assert "Between ICBs no spread was found; the interval reaches up to" in said and "some is not ruled out" in said
    assert "1.00 (1.00 to" in tables.variation_levels(nil, SHARE).frame.to_string()


def test_a_level_that_grows_is_said_so(run: Run) -> None:
    grown = edited(run, "levels", "level == 'pcn' and rung == 'M1'", change=-0.125)
    assert "The variance is 12% larger than on the raw figures." in words.variation_levels(grown, SHARE)
    assert "12% larger" in tables.variation_levels(grown, SHARE).frame.to_string()


def test_the_spread_is_told_before_and_after_and_with_chance_taken_off(run: Run) -> None:
    said = words.variation_spread(run, SHARE)
    row = run.analyses[SHARE].rungs.set_index("rung").loc["M1"]
    assert f"the two are {100 * row['p10']:.1f}% and {100 * row['p90']:.1f}%" in said
    assert f"would be {100 * row['shrunken_p10']:.1f}% and {100 * row['shrunken_p90']:.1f}%" in said
    assert "moves 530 of 6,000 practices by ten places in a hundred or more" in said
    assert "turns round the order of 6.0% of all pairs" in said


def test_deprivation_is_told_both_ways_with_its_caution(run: Run) -> None:
    said = words.variation_equity(run, SHARE)
    assert "show 45.0% of appointments on average, those in the least deprived fifth 41.0% of appointments" in said
    assert "5.0 percentage points higher (95% interval 4.5 higher to 5.5 higher)" in said
    assert "most deprived fifth goes from 45.0% to 43.5%, that of the least deprived from 41.0% to 43.1%" in said
    assert "Allowing for deprivation can hide what deprivation does" in said
    without = synthetic.changed(run, SHARE, lambda frame: frame, covariates={"M1": ["age_sex"]})
    assert "Deprivation is not among what was allowed for." in words.variation_equity(without, SHARE)


def test_a_slope_that_may_be_nil_is_said_so(run: Run) -> None:
    flat = edited(run, "equity", "rung == 'M1'", slope=-0.001, slope_lower=-0.004, slope_upper=0.002)
    said = words.variation_equity(flat, SHARE)
    assert "0.1 percentage points lower (95% interval 0.4 lower to 0.2 higher: no difference is not ruled out)" in said


def test_without_a_score_of_deprivation_the_page_says_so(run: Run) -> None:
    bare = empty(run, "equity")
    assert "no score of deprivation" in words.variation_equity(bare, SHARE)
    assert charts.variation_fifths(bare, SHARE) == () and tables.variation_equity(bare, SHARE) == ""


def test_the_areas_own_icb_is_placed_among_all_without_naming_one(run: Run) -> None:
    said = words.variation_boards(run, SHARE)
    assert "Two practices of this ICB typically stand as far apart as" in said and "third" not in said
    part = dataclasses.replace(
        run,
        study=SimpleNamespace(
            **{**vars(run.study), "area": SimpleNamespace(**{**vars(run.study.area), "kind": "list"})}
        ),
    )
    assert "Two practices of the ICB this area lies in" in words.variation_boards(part, SHARE)
    assert words.variation_boards(empty(run, "boards"), SHARE) == ""


@pytest.mark.parametrize(("place", "third"), [(1, "closest together"), (6, "the middle third"), (12, "furthest apart")])
def test_among_many_icbs_only_the_third_is_told(run: Run, place: int, third: str) -> None:
    frame = pd.DataFrame({"icb_code": [f"Q{i:02}" for i in range(1, 13)], "n": 150, "shrunken_sd": range(1, 13)})
    frame = frame.astype({"shrunken_sd": float}).replace({"icb_code": {f"Q{place:02}": "QAA"}})
    said = words.variation_boards(with_tables(run, boards=frame), SHARE)
    assert third in said and "near one another in that order cannot be told apart" in said


def test_an_area_in_two_icbs_is_not_placed(run: Run) -> None:
    table = SimpleNamespace(**vars(run.table))
    table.area_codes = tuple(run.table.practices["practice_code"][:2])
    assert words.variation_boards(dataclasses.replace(run, table=table), SHARE) == ""


def test_whether_an_icbs_patients_add_something_is_said_either_way(run: Run) -> None:
    assert "It is not established that an ICB's mix of patients adds" in words.variation_checks(run, SHARE)
    hint = words.variation_checks(edited(run, "board_slopes", "p_all > 0", p_all=0.056), SHARE)
    assert "There is a hint, not established, that an ICB's mix of patients adds" in hint and "unfair" not in hint
    adds = edited(run, "board_slopes", "p_all > 0", p_all=0.0001)
    assert "adds something beyond the practice's own (p less than 0.001" in words.variation_checks(adds, SHARE)
    assert "can be unfair to practices in places whose patients differ" in words.variation_checks(adds, SHARE)
    assert "could not be checked" in words.variation_checks(empty(run, "board_slopes"), SHARE)


@pytest.mark.parametrize(
    ("gap", "said", "why"),
    [
        (1.25, "25% larger than", "agree well enough"),
        (1.27, "27% larger than", "Outlying practices count in full in the model and less in the funnel"),
        (0.6, "40% smaller than", "marks fewer practices"),
        (1.0, "the same as", "agree well enough"),
    ],
)
def test_a_gap_to_the_funnel_is_explained_above_a_quarter_only(run: Run, gap: float, said: str, why: str) -> None:
    checks = words.variation_checks(edited(run, "rungs", "rung == 'M1'", variance_ratio=gap), SHARE)
    assert said in checks and why in checks


def test_counts_that_scatter_no_more_than_chance_are_said_so(run: Run) -> None:
    none = words.variation_checks(edited(run, "rungs", "rung == 'M1'", scv=-0.001), SHARE)
    assert "scatter no more than chance would have it" in none
    least = words.variation_checks(edited(run, "rungs", "rung == 'M1'", scv_p=0.005), SHARE)
    assert "(SCV) is 0.070 (p at most 0.005: how often chance alone would show as much)" in least
    more = words.variation_checks(edited(run, "rungs", "rung == 'M1'", scv_p=0.01), SHARE)
    assert "(SCV) is 0.070 (p 0.010: how" in more


def test_chance_is_given_for_a_small_and_a_large_practice() -> None:
    row = {"noise_small": 0.01, "noise_large": 0.0001}
    said = variation_beside.noise(synthetic.Card(), row, 0.5)
    assert "by up to about 4.9 percentage points either way 95 times in 100, that of a large one by 0.5" in said
    assert "less than 0.1 percentage points" in variation_beside.noise(
        synthetic.Card(), row | {"noise_large": 1e-9}, 0.5
    )


def test_too_few_practices_get_no_page_and_the_area_report_says_why(run: Run) -> None:
    few = empty(run, *TABLES)
    stems = [job.stem for job in reports.jobs_for(few, ("area",))]
    assert "area_QAA_same_day_share_variation" not in stems
    assert "area_QAA_appointments_per_1000_variation" in stems
    said = words.variation_summary(few, SHARE)
    assert (
        re.search(r"cannot be divided: \d+ practices can be compared, and below 200", said) and "report “" not in said
    )
    assert [section(few, SHARE) for section in SECTIONS] and not any(draw(few, SHARE) for draw in DRAWN)
    assert not any(make(few, SHARE) for make in SHOWN)


def test_a_model_without_a_solution_is_said_where_the_shares_would_stand(run: Run) -> None:
    none = empty(run, *TABLES)
    found = none.analyses[SHARE]
    why = Note("variation_not_found", {"why": f"The modes were not found. {HOSTILE}"})
    none = with_tables(none, notes=(*found.notes, why))
    said = words.variation_summary(none, SHARE)
    assert "found no solution" in said and "The modes were not found" in said and "below 200" not in said
    assert "rests on a simpler regression" in said and "<script>" not in said
    assert "variation not found" not in words.area_calibration(none, SHARE)


def test_with_nothing_allowed_for_the_page_shows_the_raw_spread_and_says_why_no_more(run: Run) -> None:
    raw = synthetic.only_raw(run, SHARE)
    frames = {n: getattr(raw.analyses[SHARE], n).query("rung == 'M0'") for n in ("levels", "rungs", "equity")}
    raw = empty(with_tables(raw, **frames), "shares", "board_slopes")
    text = page(raw, SHARE)
    assert "cannot be divided into shares. Nothing about the patients was allowed for" in text
    assert "On the raw figures (M0), two picked at random" in text and "After allowing" not in text
    assert "M1" not in text and charts.variation_shares(raw, SHARE) == ()
    assert len(charts.variation_strip(raw, SHARE)[0].data) == 1
    assert "area_QAA_same_day_share_variation" in [job.stem for job in reports.jobs_for(raw, ("area",))]


def test_names_from_files_stay_text(run: Run) -> None:
    table = SimpleNamespace(**vars(run.table))
    table.area_name = HOSTILE
    named = synthetic.changed(
        dataclasses.replace(run, table=table), SHARE, lambda f: f, reference={"set": "region", "name": HOSTILE}
    )
    for section in SECTIONS:
        said = section(named, SHARE)
        assert not re.search(r"(?<!\\)<script|(?<!\\)!\[", said)
    assert r"\<script\>" in words.variation_title(named, SHARE)
    assert r"\<script\>" in words.variation_verdict(named, SHARE)


def test_no_other_icb_is_in_the_workbook_to_send_and_its_dictionary_knows_every_column(run: Run) -> None:
    book = openpyxl.load_workbook(io.BytesIO(appendix.area_workbook(run, METRICS, private=False)))
    assert {"Shares", "Levels", "Deprivation", "Model"} <= set(book.sheetnames)
    cells = {str(c.value) for sheet in book.worksheets for row in sheet.iter_rows() for c in row}
    assert not cells & {"QBB", "QCC", "QDD"}
    known = {row[1] for row in book["Dictionary"].iter_rows(min_row=4, values_only=True)}
    for sheet, _ in appendix.VARIATION.values():
        assert {c.value for c in book[sheet][3]} <= known | {"metric"}, sheet


def test_no_other_icb_is_in_what_is_sent(run: Run) -> None:
    for metric in METRICS:
        text = page(run, metric) + "".join(c.data.to_csv() for draw in DRAWN for c in draw(run, metric))
        assert not re.search(r"\bQ(BB|CC|DD)\b|Invented Q[BCD]", text)
        assert not re.search(r"\bX1\d{4}\b", text)


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_of_a_picture_is_cut_off(run: Run, metric: str) -> None:
    for draw in DRAWN:
        target = io.BytesIO()
        charts.save(draw(run, metric)[0], target, "png")
        pixels = image.imread(io.BytesIO(target.getvalue()))[..., :3]
        edge = [pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]]
        assert all((side > 0.99).all() for side in edge), draw.__name__
