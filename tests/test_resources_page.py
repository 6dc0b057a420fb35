"""The page on need, staff and funding: what it says, what it must not, and when there is next to nothing to say."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from matplotlib import image

from gpvar import catalogue, charts, schema, share, tables, words
from gpvar.reporting import appendix, beside, index, reports
from gpvar.results import Run
from gpvar.words import resources
from gpvar.words.phrases import ENGLAND
from tests import synthetic

SHARE, RATE = "same_day_share", "appointments_per_1000"
METRICS = [SHARE, RATE]
MINE = "X10001"
SECTIONS = (
    words.resources_title,
    words.resources_verdict,
    words.resources_note,
    words.resources_scenario,
    words.resources_icb_right,
    words.resources_counted,
    words.resources_not_shown,
    words.resources_sources,
)
NEVER = re.compile(
    r"\bnan\b|(?-i:\bNone\b)|\binf\b|  |\s[.,;]|\.\.|,\.|\(\)|\{\w|\boutlier|\bworst\b|\bpoor(ly)? perform|underperform"
    r"|\bfail|league table|traffic light|\bblame|\bp-value|logit|sigma|τ|(?<!statistically )\bsignifican",
    re.IGNORECASE,
)


def described(codes: list[str], metric: str, percentile: float = 82.0) -> pd.DataFrame:
    """Return invented resources of some practices, with every column of the schema."""
    rows = []
    for card in catalogue.resources().values():
        if card.metric and card.metric != metric:
            continue
        for i, code in enumerate(codes):
            value = (1.0 + 0.1 * i) * card.per / 10
            numbers = dict.fromkeys(("p5", "p10", "p25", "median", "p75", "p90", "p95"), 0.0)
            numbers = {name: card.per / 10 * (0.7 + 0.1 * k) for k, name in enumerate(numbers)}
            staff = card.bottom == "list_size"
            rows.append(
                {
                    "practice_code": code,
                    "resource": card.id,
                    "value": value,
                    "unit": card.unit,
                    "percentile": percentile,
                    "top": 4.0 if staff else np.nan,
                    "bottom": 8_123.0 if staff else np.nan,
                    "dated": {"staff": "2024-06", "payments": "2023-03"}.get(card.things, ""),
                    "compared": 6000,
                    **numbers,
                    "area_known": len(codes),
                    "area_median": value,
                    "area_percentile": percentile,
                    "area_lowest": 1,
                    "area_highest": 3,
                }
            )
    return pd.DataFrame(rows)[schema.names("resources")]


def scenario(codes: list[str], scale: float) -> pd.DataFrame:
    """Return an invented scenario in which the gap narrows from 4 to 3 hundredths of the scale."""
    frame = pd.DataFrame({"practice_code": codes, "rung": "M2", "allowed": "funding_per_weighted gp_market"})
    numbers = {"centre_m2": 0.44, "centre_m3": 0.43, "difference_m2": -0.04, "difference_m3": -0.03}
    frame = frame.assign(**{name: value * scale for name, value in numbers.items()})
    frame = frame.assign(z_m2=-2.1, z_m3=-1.7, outside_m2=True, outside_m3=False, compared=5980, accounted=0.04)
    return frame[schema.names("supply")]


def with_tables(run: Run, metric: str, **frames: pd.DataFrame) -> Run:
    found = dataclasses.replace(run.analyses[metric], **frames)
    return dataclasses.replace(run, analyses={**run.analyses, metric: found})


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = synthetic.make_run(tmp_path_factory.mktemp("resources"), (synthetic.Card(), synthetic.RATE))
    for metric in METRICS:
        empty = {name: pd.DataFrame(columns=schema.names(name)) for name in ("resources", "supply")}
        made = with_tables(made, metric, **empty)
    return made


@pytest.fixture(scope="module")
def run(bare: Run) -> Run:
    codes = list(bare.table.area_codes)
    for metric in METRICS:
        bare = with_tables(bare, metric, resources=described(codes, metric), supply=scenario(codes, 1.0))
    return bare


def at(run: Run, percentile: float) -> Run:
    for metric in METRICS:
        run = with_tables(run, metric, resources=described(list(run.table.area_codes), metric, percentile))
    return run


def edited(run: Run, metric: str, **values: object) -> Run:
    return with_tables(run, metric, supply=run.analyses[metric].supply.assign(**values))


def page(run: Run, practice: str) -> str:
    said = [section(run, practice) for section in SECTIONS]
    shown = (tables.resources_beside(run, practice), tables.resources_scenario(run, practice))
    said += [table.to_markdown() for table in shown if table]
    return "\n\n".join(said + [chart.alt for chart in charts.resources_strips(run, practice)])


@pytest.mark.parametrize("practice", [MINE, ""])
@pytest.mark.parametrize("percentile", [0.2, 18.0, 50.0, 82.0, 99.8])
def test_the_page_says_nothing_it_must_not(run: Run, practice: str, percentile: float) -> None:
    text = re.sub(r"(?m)^[|:].*$|^:::.*$", "", page(at(run, percentile), practice))
    assert not NEVER.search(re.sub(r"\n+", "\n", text)), NEVER.search(text)


@pytest.mark.parametrize(
    ("percentile", "said"),
    [
        (18.0, "This practice has fewer GPs per patient than 82 in 100 practices in England."),
        (82.0, "This practice has more GPs per patient than 82 in 100 practices in England."),
        (50.0, "This practice is near the middle of England for GPs per patient."),
        (0.1, "This practice has fewer GPs per patient than nearly all practices in England."),
    ],
)
def test_the_first_sentence_says_more_as_readily_as_less(run: Run, percentile: float, said: str) -> None:
    assert f"**{said}**" in words.resources_verdict(at(run, percentile), MINE)


def test_the_first_look_ends_with_what_supply_is_not(run: Run) -> None:
    said = words.resources_verdict(run, MINE)
    assert "Supply explains; it does not excuse. No verdict on any other page uses this one." in said
    assert "It receives more funding per weighted patient than 82 in 100 practices in England." in said
    assert "Staff of June 2024, payments of the year to March 2023 and figures of April 2025 to March 2026." in said


def test_an_area_is_placed_by_its_typical_practice_and_its_ends(run: Run) -> None:
    said = words.resources_verdict(run, "")
    assert "**The typical practice of this area has more GPs per patient than 82 in 100 practices in England.**" in said
    assert "1 is in the lowest tenth of England for GPs per patient, and 3 are in the highest." in said
    assert "neighbours" not in said


def test_the_scenario_says_what_would_be_expected_and_which_way_the_gap_goes(run: Run) -> None:
    said = words.resources_scenario(run, MINE)
    assert "funding per weighted patient and the number of GPs among its neighbours" in said
    assert (
        "would show 44.0% of appointments (M2, England); with like supply as well, 43.0% of appointments (M3)." in said
    )
    assert (
        "4.0 percentage points lower, and with supply allowed for 3.0 percentage points lower: the gap narrows." in said
    )
    assert "It is outside the usual range without supply, and inside with it." in said
    assert "That explains; it does not excuse." in said
    wider = words.resources_scenario(edited(run, SHARE, difference_m3=-0.05, outside_m3=True), MINE)
    assert "the gap widens" in wider and "It is outside the usual range both times." in wider
    turned = words.resources_scenario(edited(run, SHARE, difference_m3=0.02), MINE)
    assert "4.0 percentage points lower, and with supply allowed for 2.0 percentage points higher." in turned


def test_where_supply_moves_nothing_that_is_said_and_conceded(run: Run) -> None:
    same = edited(run, SHARE, centre_m3=0.44, difference_m3=-0.0401, outside_m3=True)
    assert "with like supply as well, the same (M3)." in words.resources_scenario(same, MINE)
    assert "4.0 percentage points lower either way." in words.resources_scenario(same, MINE)
    right = words.resources_icb_right(same, MINE)
    assert "For same-day share, allowing for that supply makes next to no difference" in right
    assert "it is outside the usual range for same-day share. Asking about it is fair." in right


def test_how_much_of_the_variance_goes_with_supply_is_said_for_each_measure(run: Run) -> None:
    said = words.resources_scenario(edited(run, SHARE, accounted=-0.001), MINE)
    assert "this supply goes with 4% for appointments per 1,000 patients a month and less than 1% for same-day" in said
    unknown = edited(edited(run, SHARE, accounted=np.nan), RATE, accounted=np.nan)
    assert "Of the variance" not in words.resources_scenario(unknown, MINE)


def test_a_practice_with_many_staff_is_told_that_the_figures_show_no_shortage(run: Run) -> None:
    more, fewer = (words.resources_icb_right(at(run, p), MINE) for p in (82.0, 18.0))
    assert "these figures show no shortage of GPs there" in more and "shortage" not in fewer
    assert more.count("GPs for its weighted list") == 1 and "more GPs per patient than 82" not in more
    for said in (more, fewer):
        assert "Having few does not show that it could have had no more." in said


def test_an_area_is_told_where_supply_brings_nobody_into_line(run: Run) -> None:
    n = len(run.table.area_codes)
    same = edited(run, SHARE, outside_m3=True)
    said = words.resources_icb_right(same, "")
    assert f"same-day share {n} before and {n} after" in said
    assert "did not choose (funding per weighted patient" in said and "not known)" not in said
    unknown = dataclasses.replace(
        run,
        analyses={
            m: dataclasses.replace(a, resources=a.resources.query("resource != 'funding_per_weighted'"))
            for m, a in same.analyses.items()
        },
    )
    assert "; funding per weighted patient not known) leaves as many" in words.resources_icb_right(unknown, "")
    assert "leaves as many" not in words.resources_icb_right(run, "")


def test_a_hidden_count_is_not_told_by_the_scenario(run: Run) -> None:
    gone = edited(run, SHARE, difference_m2=np.nan, difference_m3=np.nan)
    said = words.resources_scenario(gone, MINE)
    assert "The practice's own figure cannot be set beside it." in said and "This one shows 0" not in said


def test_without_the_files_one_line_says_which_are_needed(bare: Run) -> None:
    for practice in (MINE, ""):
        said = words.resources_verdict(bare, practice)
        assert "say nothing of the staff and funding of this" in said
        (line,) = re.findall(r"(?m)^Not in this study's files: .*$", said)
        assert "General and Personal Medical Services" in line and "NHS Payments to General Practice" in line
        assert not charts.resources_strips(bare, practice) and not tables.resources_beside(bare, practice)
        assert "Not in this study's files" in words.resources_scenario(bare, practice)
        assert page(bare, practice)


def test_where_nothing_is_known_there_is_no_page_and_the_index_says_which_files_are_missing(
    run: Run, bare: Run, tmp_path: Path
) -> None:
    jobs = reports.jobs_for(bare, ("area", "practice"))
    assert jobs and not any(job.notebook == "resources" for job in jobs)
    (entry,) = reports._entries(bare, jobs, tmp_path)
    assert entry.paths == () and entry.label == "Need, staff and funding"
    assert entry.said.startswith("not in this study's files (") and "NHS Payments to General Practice" in entry.said
    assert "not in this study" in index.build(bare, [entry], tmp_path).decode("utf-8")
    made = {job.stem: job for job in reports.jobs_for(run, ("area", "practice"))}
    own = made[f"{MINE}_resources"]
    assert (own.folder, own.notebook, own.parameters) == ("to-send", "resources", {"practice": MINE})
    assert "more GPs per patient than 82 in 100" in own.summary
    assert made["area_QAA_resources"].parameters == {"practice": ""}


def test_only_what_the_files_lack_is_missed(run: Run) -> None:
    some = run
    for metric in METRICS:
        kept = run.analyses[metric].resources.query("resource not in ('funding_per_weighted', 'need_weight')")
        some = with_tables(some, metric, resources=kept)
    said = words.resources_verdict(some, MINE)
    assert "Not in this study's files: NHS Payments to General Practice" in said and "Medical Services (" not in said
    assert "Not in this study's files" not in words.resources_verdict(run, MINE)


def test_the_table_shows_the_staff_behind_the_rate_and_of_when_it_is(run: Run) -> None:
    frame = tables.resources_beside(run, MINE).frame.set_index("What")
    row = frame.loc["GPs per 10,000 patients"]
    assert "(4.0 for 8,123)" in row["This practice"] and row["With less (of 100)"] == "82"
    assert row["Of"] == "June 2024" and frame.loc["Pounds a year per weighted patient", "Of"] == "year to March 2023"
    assert not frame.isna().any().any() and "nan" not in frame.to_string()
    area = tables.resources_beside(run, "").frame
    assert {"Lowest tenth", "Highest tenth"} <= set(area) and not area.isin(["", "nan"]).any().any()


@pytest.mark.parametrize("practice", [MINE, ""])
def test_the_picture_has_its_message_its_words_and_its_numbers(run: Run, practice: str) -> None:
    (chart,) = charts.resources_strips(run, practice)
    assert len(chart.figure.axes) == len(catalogue.resources())
    assert "more GPs per patient than 82 in 100 practices in England" in chart.title
    assert "GPs per 10,000 patients: " in chart.alt and chart.data.notna().all().all()
    out = io.BytesIO()
    charts.save(chart, out, "png")
    assert image.imread(io.BytesIO(out.getvalue())).std() > 0.01


def test_a_figure_beyond_the_edge_is_an_arrow_with_its_number(run: Run) -> None:
    far = run.analyses[SHARE].resources.copy()
    far.loc[far["resource"] == "gps_per_patient", "value"] = 99_999.0
    (chart,) = charts.resources_strips(with_tables(run, SHARE, resources=far), MINE)
    axes = chart.figure.axes[0]
    assert ">" in [line.get_marker() for line in axes.lines]
    assert "99,999.0" in [text.get_text() for text in axes.texts]
    assert axes.lines[-1].get_xdata()[0] < axes.get_xlim()[1]


def test_nothing_sent_names_another_practice(run: Run) -> None:
    others = [code for code in run.table.practices["practice_code"] if code != MINE]
    text = page(run, MINE) + charts.resources_strips(run, MINE)[0].data.to_string()
    assert not any(code in text for code in others)
    area = page(run, "") + charts.resources_strips(run, "")[0].data.to_string()
    assert not any(code in area for code in (MINE, *others)) and "Invented Surgery" not in area


def test_the_owner_of_an_area_gets_every_practice_and_a_practice_only_itself(run: Run) -> None:
    private = openpyxl.load_workbook(io.BytesIO(appendix.area_workbook(run, METRICS, private=True)))
    rows = list(private["Resources"].values)
    assert rows[2][:3] == ("practice_code", "practice_name", "resource")
    found = {row[0] for row in rows[3:]}
    assert found == set(run.table.area_codes)
    assert len(rows) - 3 == len(found) * len(catalogue.resources())
    assert {row[-1] for row in list(private["Supply (M3)"].values)[3:]} == set(METRICS)
    assert "area_lowest" in {row[1] for row in private["Dictionary"].values}
    own = openpyxl.load_workbook(io.BytesIO(appendix.practice_workbook(run, MINE, METRICS)))
    assert {row[0] for row in list(own["Resources"].values)[3:]} == {MINE}
    sent = openpyxl.load_workbook(io.BytesIO(appendix.area_workbook(run, METRICS, private=False)))
    assert not {"Resources", "Supply (M3)"} & set(sent.sheetnames)


def test_a_workbook_without_staff_and_money_has_no_such_sheet(bare: Run) -> None:
    assert beside.sheets(bare, METRICS) == {}
    assert (
        "Resources"
        not in openpyxl.load_workbook(io.BytesIO(appendix.area_workbook(bare, METRICS, private=True))).sheetnames
    )


def test_no_other_page_speaks_of_supply(run: Run, bare: Run) -> None:
    for metric in METRICS:
        for said in (words.practice_verdict, words.practice_after, words.practice_icb_right):
            assert said(run, MINE, metric) == said(bare, MINE, metric)
        for said in (words.area_verdict, words.area_after, words.area_icb_right):
            assert said(run, metric) == said(bare, metric)


def test_each_resource_has_words_for_less_and_for_more() -> None:
    for card in catalogue.resources().values():
        less, more = (resources.standing(card, p, ENGLAND) for p in (18.0, 82.0))
        assert less != more and all(said.endswith("82 in 100 practices in England") for said in (less, more))


def test_the_notebook_takes_a_run_and_a_practice_and_computes_nothing() -> None:
    cells = json.loads((share.folder("notebooks") / "resources.ipynb").read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert re.findall(r"(?m)^(\w+): str", source) == ["run", "practice"]
    lines = [line for line in source.splitlines() if line and not re.match(r"\w+: str|import|from|run = ", line)]
    assert all(line.startswith("gpvar.show(") for line in lines) and all(not cell.get("outputs") for cell in cells)
