"""The pages, pictures, tables and workbooks on other defensible ways: what they show, and whom they never name."""

from __future__ import annotations

import dataclasses
import io
import json
import re

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gpvar import charts, schema, tables, words
from gpvar.charts.style import Chart, save
from gpvar.reporting import appendix, letter_book, publish, research, ways
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look
from gpvar.results import Run
from gpvar.words import console, figures, phrases, robustness, robustness_choices
from gpvar.words.robustness_facts import practice_ways
from tests import synthetic, synthetic_ways
from tests.support import ROOT

SHARE, RATE = "same_day_share", "appointments_per_1000"
OWN = "X10001"
N = len(synthetic_ways.WAYS)
#: z here, then in each way, which crosses the edge in two of them.
TURNED = (2.2, 1.0, 1.2, *(2.0 + 0.1 * k for k in range(N - 2)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    found = synthetic.make_run(tmp_path_factory.mktemp("ways"), (synthetic.Card(), synthetic.RATE))
    for metric in (SHARE, RATE):
        found = synthetic_ways.with_ways(found, metric, codes={OWN: TURNED})
    return found


def many(run: Run, n: int = 120) -> Run:
    """Return the run with as many ways as a sample of the full crossing has."""
    options = [next(iter(taken.items())) for taken, _ in synthetic_ways.WAYS]
    made = [
        (dict([options[k % N], options[(k // N + k) % N]]), 0.3 * np.sin(k) + (0.6 if k % N == 1 else 0.0))
        for k in range(n)
    ]
    return synthetic_ways.with_ways(run, SHARE, [*synthetic_ways.WAYS, *made])


def drawn(charted: tuple[Chart, ...]) -> Chart:
    (chart,) = charted
    save(chart, io.BytesIO(), "png")
    return chart


@pytest.mark.parametrize("metric", [SHARE, RATE])
def test_the_curve_runs_from_the_lowest_difference_to_the_highest_and_holds_every_way(run: Run, metric: str) -> None:
    chart = drawn(charts.standing_other_ways(run, OWN, metric))
    found = practice_ways(run, OWN, metric)
    assert len(chart.data) == N + 1 and chart.data["difference"].is_monotonic_increasing
    assert (chart.data["what is done otherwise"] == "As used here").sum() == 1
    here = chart.data.set_index("what is done otherwise").loc["As used here", "difference"]
    assert here == pytest.approx(found.here.difference * found.facts.card.scale, rel=1e-3)
    assert list(chart.data["same_as_here"]).count("no") == N - found.agree


def test_the_curve_shows_where_the_practice_is_outside_and_the_message_counts_it(run: Run) -> None:
    chart = drawn(charts.standing_other_ways(run, OWN, SHARE))
    assert chart.title == "Invented Surgery 0: outside the usual range here and in 7 of 9 other ways"
    above, below = chart.figure.axes
    marks = {line.get_label(): len(line.get_xdata()) for line in above.lines if not line.get_label().startswith("_")}
    assert marks == {"outside it": 7, "inside it": 2, "the way used here, outside it": 1}
    faces = {line.get_label(): line.get_markerfacecolor() for line in above.lines}
    assert faces["outside it"] != faces["inside it"], "told apart by filling as well as by colour"
    for bar, way in zip(above.patches, sorted(_ways(run), key=lambda way: (way.difference, way.spec)), strict=True):
        low, high = bar.get_y(), bar.get_y() + bar.get_height()
        assert (low <= 100 * way.difference <= high) == (not way.outside)
    rows = [tick.get_text() for tick in below.get_yticklabels()]
    assert sorted(rows) == sorted(robustness_choices.way(taken) for taken, _ in synthetic_ways.WAYS)


def _ways(run: Run):
    found = practice_ways(run, OWN, SHARE)
    return [found.here, *found.others]


def test_in_the_rows_below_each_way_is_marked_at_its_own_options_alone(run: Run) -> None:
    chart = drawn(charts.standing_other_ways(many(run), OWN, SHARE))
    below = chart.figure.axes[1]
    rows = {
        round(tick): text.get_text() for tick, text in zip(below.get_yticks(), below.get_yticklabels(), strict=True)
    }
    marked: dict[int, set[str]] = {}
    for line in below.lines:
        if line.get_linestyle() == "None":
            for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True):
                marked.setdefault(int(x), set()).add(rows[int(y)].lower())
    for x, text in enumerate(chart.data["what is done otherwise"]):
        wanted = set() if text == "As used here" else set(text.lower().split("; "))
        assert marked.get(x, set()) == wanted


def test_a_picture_of_hundreds_of_ways_is_as_wide_and_its_text_no_longer(run: Run) -> None:
    few, lots = (drawn(charts.standing_other_ways(each, "X10077", SHARE)) for each in (run, many(run)))
    assert few.figure.get_figwidth() == lots.figure.get_figwidth() == 6.3
    assert len(lots.alt) < 700 and len(lots.data) > 100


def test_the_text_alternative_holds_the_ways_that_put_it_elsewhere(run: Run) -> None:
    alt = drawn(charts.standing_other_ways(run, OWN, SHARE)).alt
    assert "Recorded illness left out: inside the usual range, higher than expected" in alt
    assert "The way used here puts it outside the usual range, higher." in alt and "  " not in alt


def test_the_areas_bars_add_up_to_its_practices_and_name_none(run: Run) -> None:
    chart = drawn(charts.area_other_ways(run, SHARE))
    assert list(chart.data.columns) == ["other_ways_outside", "outside_here", "inside_here"]
    assert len(chart.data) == N + 1
    frame = run.multiverse[SHARE].practices.query("comparator == 'england'")
    z = frame.assign(out=frame["z"].abs() > synthetic_ways.EDGE).pivot(
        index="practice_code", columns="spec", values="out"
    )
    here, others = z["1"], z.drop(columns="1").sum(axis=1)
    for k in range(N + 1):
        row = chart.data.iloc[k]
        assert row["outside_here"] == int((here & (others == k)).sum())
        assert row["inside_here"] == (0 if k == 0 else int((~here & (others == k)).sum()))
    never = int((~here & (others == 0)).sum())
    written = " ".join(text.get_text() for text in chart.figure.legends[0].get_texts())
    assert f"(and {never} that never are outside)" in written
    assert not re.search(r"X1\d{4}|Invented Surgery", chart.alt + chart.title + chart.data.to_csv() + written)


def test_the_areas_bars_go_by_tenths_when_there_are_hundreds_of_ways(run: Run) -> None:
    lots = many(run)
    chart = drawn(charts.area_other_ways(lots, SHARE))
    assert list(chart.data["other_ways_outside"]) == ["none", *(f"to {10 * k}%" for k in range(1, 11))]
    frame = lots.multiverse[SHARE].practices.query("comparator == 'england' and spec == '1'")
    assert chart.data["outside_here"].sum() == (frame["z"].abs() > synthetic_ways.EDGE).sum()


def test_nothing_is_drawn_where_there_is_nothing_to_draw(run: Run) -> None:
    bare = dataclasses.replace(run, multiverse={})
    alone = synthetic_ways.with_ways(run, SHARE, ways=())
    for made in (bare, alone):
        assert charts.standing_other_ways(made, OWN, SHARE) == () == charts.area_other_ways(made, SHARE)
        assert tables.standing_other_ways(made, OWN, SHARE) == ""
    assert tables.methods_other_ways(bare, SHARE) == tables.methods_other_ways_missing(bare, SHARE) == ""
    calm = synthetic_ways.with_ways(run, SHARE, codes={code: (0.5,) * (N + 1) for code in run.table.area_codes})
    assert charts.area_other_ways(calm, SHARE) == ()


def test_the_table_has_the_ways_that_put_it_elsewhere_beside_the_one_used_here(run: Run) -> None:
    frame = tables.standing_other_ways(run, OWN, SHARE).frame
    assert list(frame["What is done otherwise"]) == [
        "As used here",
        "Recorded illness left out",
        "Deprivation left out",
    ]
    found = practice_ways(run, OWN, SHARE)
    for row, way in zip(frame.to_dict("records"), (found.here, *found.others[:2]), strict=True):
        apart = 100 * robustness.apart(found.facts.card, way)
        assert row["Difference"] == f"{abs(apart):.1f} {'higher' if apart > 0 else 'lower'}"
        assert row["Where it stands"].startswith("Outside" if way.outside else "Inside")
        low, high = (float(text.replace("−", "-")) for text in row["Usual range of it"].split(" to "))
        assert low < 0 < high
    calm = synthetic_ways.with_ways(run, SHARE, codes={OWN: (2.5,) * (N + 1)})
    assert tables.standing_other_ways(calm, OWN, SHARE) == ""


def test_the_differences_are_those_of_the_practices_other_page(run: Run) -> None:
    for code in run.table.area_codes[1:]:
        found = practice_ways(run, code, SHARE)
        row = found.facts.row("M1")
        assert robustness.apart(synthetic.Card(), found.here) == pytest.approx(figures.apart(synthetic.Card(), row))


def test_of_hundreds_of_ways_a_table_shows_those_with_one_other_choice_and_says_where_the_rest_are(run: Run) -> None:
    lots = many(run)
    code = next(
        code
        for code in run.table.area_codes
        if sum(not way.agrees for way in practice_ways(lots, code, SHARE).others) > 40
    )
    table = tables.standing_other_ways(lots, code, SHARE)
    assert not table.frame["What is done otherwise"].str.contains(";").any() and "in the workbook" in table.notes
    methods = tables.methods_other_ways(lots, SHARE)
    assert len(methods.frame) < 40 and "in specifications.csv" in methods.notes


def test_the_methods_table_has_every_declared_specification_and_what_it_gives(run: Run) -> None:
    made, missing = tables.methods_other_ways(run, SHARE).frame, tables.methods_other_ways_missing(run, SHARE).frame
    assert sorted([*made["No."], *missing["No."]], key=int) == [str(k + 1) for k in range(N + 3)]
    frame = run.multiverse[SHARE].specifications.set_index("spec")
    for row in made.to_dict("records"):
        assert row["Outside ±1.96"] == f"{frame.loc[row['No.'], 'flagged']:.0f}"
        assert row["Agree (%)"] == f"{100 * frame.loc[row['No.'], 'agree_share']:.1f}"
    why = missing.set_index("What would be done otherwise")["Why it is not available"]
    assert why["The first months left out"] == "The study holds no figures for it"
    assert why["Each month unlike the last"] == "How far figures move from month to month is not known"


@pytest.mark.parametrize(
    ("notebook", "wanted"),
    [
        ("practice_standing", ("words.standing_other_ways", "charts.standing_other_ways", "tables.standing_other_ways",
                               "words.standing_unmeasured")),
        ("area_report", ("words.area_other_ways", "charts.area_other_ways")),
        ("methods_page", ("words.methods_other_ways", "tables.methods_other_ways",
                          "tables.methods_other_ways_missing")),
    ],
)  # fmt: skip
def test_the_pages_show_them(notebook: str, wanted: tuple[str, ...]) -> None:
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for name in wanted:
        assert f"gpvar.show({name}(run" in source


@pytest.mark.parametrize("metric", [SHARE, RATE])
def test_the_sections_are_valid_pages_in_both_formats(run: Run, metric: str) -> None:
    assert tables.standing_other_ways(run, OWN, metric) and tables.methods_other_ways_missing(run, metric)
    parts = [
        words.standing_other_ways(run, OWN, metric), tables.standing_other_ways(run, OWN, metric).to_markdown(),
        words.standing_unmeasured(run, OWN, metric), words.area_other_ways(run, metric),
        words.methods_other_ways(run, metric), tables.methods_other_ways(run, metric).to_markdown(),
        tables.methods_other_ways_missing(run, metric).to_markdown(),
    ]  # fmt: skip
    page = Page("# Ways\n\n" + "\n\n".join(parts), ())
    html = publish.to_html(page, Look("Ways", True, False)).decode("utf-8")
    assert "If something was not measured" in html and "A small reason would do" in html and "**" not in html
    assert publish.to_docx(page, Look("Ways", True, False))[:2] == b"PK"


def book(content: bytes) -> dict[str, pd.DataFrame]:
    read = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    sheets = {}
    for sheet in read:
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        if len(rows) > 3:
            sheets[sheet.title] = pd.DataFrame(rows[3:], columns=rows[2])
    return sheets


def test_the_owners_workbook_has_every_practice_of_the_area_and_what_is_sent_has_none(run: Run) -> None:
    owner = book(appendix.area_workbook(run, [SHARE, RATE], private=True))
    rows = owner["Robustness"]
    assert set(rows["practice_code"]) == set(run.table.area_codes) and set(rows["comparator"]) == {"england", "own_icb"}
    assert set(rows["robustness"]) <= {"robust", "mixed", "fragile"} and "practice_name" in rows
    sent = book(appendix.area_workbook(run, [SHARE, RATE], private=False))
    assert "Robustness" not in sent and len(sent["Ways"]) == 2 * (N + 3)
    assert set(sent["Ways"]["used_here"]) == {"yes", "no"}


def test_the_owners_short_list_says_who_is_outside_in_other_ways_too_and_what_that_hangs_on(run: Run) -> None:
    table = tables.area_standing_out(run, SHARE)
    shown = table.frame.set_index("Code")
    assert len(shown) and "no probability" in table.to_markdown()
    for code, row in shown.iterrows():
        found = practice_ways(run, code, SHARE)
        many = sum(abs(way.z) > synthetic_ways.EDGE for way in found.others)
        assert row["Outside in other ways"] == f"{many} of {N}"
        assert (row["Hangs on"] == "none") == (found.agree == N or not found.summary["drives"]), code
    bare = dataclasses.replace(run, multiverse={})
    assert "Hangs on" not in tables.area_standing_out(bare, SHARE).frame


def test_a_practices_workbook_has_its_own_rows_alone(run: Run) -> None:
    own = book(appendix.practice_workbook(run, OWN, [SHARE]))
    for sheet in ("Robustness", "Other ways"):
        assert set(own[sheet]["practice_code"]) == {OWN}
    assert len(own["Other ways"]) == 2 * (N + 1) and len(own["Ways"]) == N + 3


def test_what_a_sheet_says_of_a_practice_is_in_words_and_as_it_is_printed(run: Run) -> None:
    row = book(appendix.practice_workbook(run, OWN, [SHARE]))["Robustness"].iloc[0]
    held = run.multiverse[SHARE].summary
    own = held[(held["practice_code"] == OWN) & (held["comparator"] == "england")].iloc[0]
    assert (row["other_ways"], row["other_ways_same"], row["other_ways_outside"]) == (N, 7, 7)
    assert row["hangs_on"] == robustness_choices.CHOICES["covariates"][0].lower() + robustness_choices.CHOICES[
        "covariates"][1:] and row["strongest_measured"] == "deprivation"  # fmt: skip
    assert row["unmeasured_difference"] == pytest.approx(100 * own["unmeasured_points"])
    assert row["unmeasured_unit"] == "percentage points"
    frame = run.analyses[SHARE].practices
    place = frame[(frame["practice_code"] == OWN) & (frame["rung"] == "M1") & (frame["comparator"] == "england")]
    assert row["position"] == phrases.POSITION[place["position"].iloc[0]]


def test_a_practice_that_is_not_judged_keeps_its_rows_in_the_owners_sheet(run: Run) -> None:
    gone, found = run.table.area_codes[3], run.multiverse[SHARE]
    rest = dataclasses.replace(found, summary=found.summary[found.summary["practice_code"] != gone])
    held = dataclasses.replace(run, multiverse={**run.multiverse, SHARE: rest})
    rows = book(appendix.area_workbook(held, [SHARE], private=True))["Robustness"]
    mine = rows[rows["practice_code"] == gone]
    assert set(rows["practice_code"]) == set(run.table.area_codes) and len(mine) == 2
    for column in ("other_ways", "other_ways_outside", "robustness", "hangs_on", "unmeasured_difference"):
        assert set(mine[column]) == {"[x]"}, column


def test_the_ways_are_numbered_and_told_in_words(run: Run) -> None:
    own = book(appendix.practice_workbook(run, OWN, [SHARE]))
    sheet = own["Ways"].set_index("way")
    assert list(sheet.index) == list(range(1, N + 4)) and sheet["in_words"][1] == "As used here"
    assert sheet["in_words"][3] == "Deprivation left out" and sheet["why_not_made"][3] == "[z]"
    assert sheet["why_not_made"][N + 2] == robustness_choices.WHY_NOT["no_data"]
    places = own["Other ways"]
    assert list(places["in_words"]) == [sheet["in_words"][way] for way in places["way"]]


def test_every_column_of_the_sheets_is_in_the_dictionary(run: Run) -> None:
    content = book(appendix.practice_workbook(run, OWN, [SHARE]))
    for sheet in ("Robustness", "Other ways", "Ways"):
        dictionary = content["Dictionary"]
        assert list(content[sheet].columns) == list(dictionary.loc[dictionary["sheet"] == sheet, "column"]), sheet
    assert set(letter_book.claim_rows(run).columns) == set(schema.names("claims"))


def test_a_small_count_given_in_confidence_stays_hidden_among_the_ways(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(ways.hidden, "not_to_be_exported", lambda frame, card: {OWN})
    rows = ways.practice_rows(run, SHARE)
    mine = rows["practice_code"] == OWN
    for column in ("distance", "unmeasured_difference", "unmeasured_spreads", "unmeasured_times"):
        assert set(rows.loc[mine, column]) == {"[c]"}
        assert not (rows.loc[~mine, column].astype(str) == "[c]").any()


def test_a_stopped_practice_has_no_rows_in_its_workbook(run: Run) -> None:
    stop = pd.DataFrame([("denominator_missing", "stop", "failed", OWN, SHARE, 0.0, "no appointments")],
                        columns=run.table.gates.columns)  # fmt: skip
    table = type(run.table)(**{**vars(run.table), "gates": pd.concat([run.table.gates, stop], ignore_index=True)})
    stopped = dataclasses.replace(run, table=table)
    assert ways.practice_sheets(stopped, [SHARE], OWN) == {}
    assert "not known" in words.standing_other_ways(stopped, OWN, SHARE)


def test_the_terminal_tells_it_too(run: Run) -> None:
    text = console.explanation(run, OWN, SHARE)
    assert "It stands the same in 7 of 9 other ways" in text and "A small reason would do" in text


def test_researchers_get_every_way_as_a_table(run: Run, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(research.store, "TABLE", ())
    monkeypatch.setattr(research.store, "ANALYSIS", ())
    monkeypatch.setattr(research, "research_readme", lambda run: "")
    research.write_tables(run, tmp_path)
    for table, part in (("specifications", "specifications"), ("robustness", "summary")):
        held = pd.read_parquet(tmp_path / SHARE / f"{table}.parquet")
        assert len(held) == len(getattr(run.multiverse[SHARE], part))
        assert (tmp_path / SHARE / f"{table}.csv").is_file()
    assert pd.read_parquet(tmp_path / SHARE / "specifications.parquet")["primary"].tolist() == [True] + [False] * (
        N + 2
    )
    assert "METRIC/specification_practices" in set(research.dictionary(run)["file"])
