"""What researchers get: the models' evidence, the methods page, every table in two forms, and joint draws."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import gpvar
from gpvar import catalogue, pipeline, reporting, schema, share, store, tables, words
from gpvar.analysis import climb, draws, models, observed, variation
from gpvar.cli import main
from gpvar.errors import ConvergenceError, ReportError, StudyError, TableError
from gpvar.reporting import draws_files, reports, research
from gpvar.results import Run
from gpvar.stats import multilevel
from gpvar.stats.multilevel import MultilevelFit
from gpvar.study import load_study
from gpvar.words import research_facts, research_paper
from gpvar.words.calibration_facts import COLUMNS
from tests.support import ROOT

SHARE, RATE = "same_day_share", "appointments_per_1000"
HOSTILE = "<script>alert(1)</script> ![](https://x.example/a.png) | $x^2$ $$y$$"
FORMULA = '=HYPERLINK("https://z.example")'
FETCHES = r"""(?:src|srcset|data|poster|action|@import|url\()\s*=?\s*["'(]?\s*((?:https?:)?//[^"')\s]+)"""
SECTIONS = (
    words.methods_title, words.methods_paragraph, words.methods_data, words.methods_model, words.methods_design,
    words.methods_coefficients, words.methods_variances, words.methods_evidence, words.methods_diagnostics,
    words.methods_spread, words.methods_calibration, words.methods_passing, words.methods_reliability,
    words.methods_on_trial, words.methods_repeat, words.methods_sources,
)  # fmt: skip
SHOWN = (
    tables.methods_flow, tables.methods_design, tables.methods_coefficients, tables.methods_variances,
    tables.methods_evidence, tables.methods_diagnostics, tables.methods_spread, tables.methods_calibration,
    tables.methods_mundlak, tables.methods_passing, tables.methods_reliability,
)  # fmt: skip


def lay_out(folder: Path, **changes: str) -> Path:
    """Copy the demonstration with two measures, a name that is a formula, and changes to its study."""
    for path in share.folder("demo").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    file = folder / "practices_2025_26.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table.loc[0, "practice_name"] = FORMULA
    table.loc[1, "practice_name"] = "007"
    table.to_csv(file, index=False)
    study = folder / "study.toml"
    text = study.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^metrics *=.*?\]", f'metrics = ["{SHARE}", "{RATE}"]', text, count=1, flags=re.DOTALL)
    for old, new in changes.items():
        text = re.sub(old, new, text)
    study.write_text(text, encoding="utf-8")
    return study


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return pipeline.run(lay_out(tmp_path_factory.mktemp("research")))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that compares within one ICB: too few practices for a multilevel model."""
    return pipeline.run(lay_out(tmp_path_factory.mktemp("small"), **{'set *= *"england"': 'set = "icb"'}))


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of one measure in which deprivation is not known of two ordinary practices."""
    folder = tmp_path_factory.mktemp("lacking")
    study = lay_out(folder, **{f', "{RATE}"': ""})
    file = folder / "practices_2025_26.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    columns = load_study(study).sources[0].columns
    ordinary = table.index[pd.to_numeric(table[columns["list_size"]]).between(6000, 9000)][:2]
    table.loc[ordinary, columns["imd2025"]] = ""
    table.to_csv(file, index=False)
    return pipeline.run(study)


@pytest.fixture(scope="module")
def again(run: Run) -> draws.Refit:
    return draws.refit(run, SHARE)


@pytest.fixture(scope="module")
def published(run: Run) -> reporting.PublishResult:
    return reporting.publish_run(run, kinds=("research",))


def page(run: Run, metric: str = SHARE) -> str:
    shown = [draw(run, metric) for draw in SHOWN]
    text = [section(run, metric) for section in SECTIONS]
    return "\n\n".join([*text, *(table if isinstance(table, str) else table.to_markdown() for table in shown)])


def with_tables(run: Run, metric: str = SHARE, **frames: pd.DataFrame) -> Run:
    return dataclasses.replace(
        run, analyses={**run.analyses, metric: dataclasses.replace(run.analyses[metric], **frames)}
    )


def ladder_of(run: Run, metric: str = SHARE):
    outcomes = observed.outcomes_of(run.table, metric)
    practices = run.table.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    counts = observed.ends(run.table, catalogue.metric(metric), outcomes)[0]
    return climb(counts, practices, {r: run.analyses[metric].meta["covariates"][r] for r in ("M0", "M1")})


# the models


def test_each_rung_brings_the_evidence_of_its_model(run: Run) -> None:
    found = run.analyses[SHARE].models.set_index("rung")
    assert list(found.index) == run.analyses[SHARE].meta["rungs"]
    assert found["converged"].all() and (found["gradient"] < 1e-4).all()
    assert np.allclose(found["aic"], 2 * found["parameters"] - 2 * found["loglik"])
    assert np.allclose(found["bic"], np.log(found["n"]) * found["parameters"] - 2 * found["loglik"])
    assert set(found["family"]) == {"binomial"} and set(run.analyses[RATE].models["family"]) == {"poisson"}
    assert found.loc["M1", "loglik"] > found.loc["M1-", "loglik"]


def test_a_level_is_tested_by_a_fit_without_it(run: Run, again: draws.Refit) -> None:
    data = again.model.estimate.data
    levels = {name: data.units[i][data.codes[i]] for i, name in enumerate(data.levels) if name != "pcn"}
    design = pd.DataFrame(data.design, columns=np.array(data.columns)[data.kept])
    without = multilevel.fit_matrix(data.response, design, levels, family="binomial", trials=data.trials)
    found = run.analyses[SHARE].diagnostics
    row = found[(found["check"] == "zero_spread") & (found["level"] == "pcn")].iloc[0]
    assert row["value"] == pytest.approx(2 * (again.model.loglik - without.loglik), abs=1e-5)


def test_the_diagnostics_are_those_of_the_headlines_model(run: Run, again: draws.Refit) -> None:
    found = run.analyses[SHARE].diagnostics
    assert set(found["rung"]) == {"M1"}
    checked = again.model.check(run.study.seed)
    value = found.set_index(["check", "level"])["value"]
    shape = checked.shape.set_index("group")
    for level in ("icb", "pcn", "practice"):
        assert value["kurtosis", level] == pytest.approx(shape.loc[level, "kurtosis"], rel=1e-6, nan_ok=level == "icb")
        assert value["events", level] == pytest.approx(checked.counts.set_index("group").loc[level, "mean"])
    assert value["influence", "icb"] == pytest.approx(checked.influence["largest"].abs().max(), rel=1e-6)
    assert value["influential_units", "icb"] == (checked.influence["largest"].abs() > 1).sum()
    assert value["outside_2", ""] == pytest.approx(np.mean(np.abs(checked.residuals) > 2))


def test_a_check_without_a_solution_is_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ladder = ladder_of(run)

    def fails(*_: object) -> None:
        raise ConvergenceError("The search did not settle.", "a level left out", "Use the rest.")

    monkeypatch.setattr(MultilevelFit, "likelihood_ratio", fails)
    fitted, looked = models.describe(ladder, "M1", 1)
    assert list(fitted["rung"]) == ["M0", "M1"]
    assert "zero_spread" not in set(looked["check"]) and "kurtosis" in set(looked["check"])


def test_without_a_model_both_tables_are_empty_and_keep_their_columns(small: Run) -> None:
    found = small.analyses[SHARE]
    for name in ("models", "diagnostics"):
        frame = getattr(found, name)
        assert frame.empty and list(frame.columns) == schema.names(name)


# the page


@pytest.mark.parametrize("metric", [SHARE, RATE])
def test_the_page_says_how_coefficients_are_to_be_taken(run: Run, metric: str) -> None:
    text = page(run, metric)
    assert "**Coefficients describe practices, not patients, and are not interpreted**" in text
    assert ("Binomial" in text) == (metric == SHARE) and ("Poisson" in text) == (metric == RATE)


@pytest.mark.parametrize("metric", [SHARE, RATE])
def test_no_table_has_a_blank_cell(run: Run, metric: str) -> None:
    for draw in SHOWN:
        table = draw(run, metric)
        if not isinstance(table, str):
            assert (table.frame.map(lambda cell: isinstance(cell, str) and bool(cell.strip()))).all(axis=None), draw


def test_coefficients_and_variances_on_the_page_are_those_of_the_run(run: Run) -> None:
    found = run.analyses[SHARE]
    shown = tables.methods_coefficients(run, SHARE).frame.set_index("Term")
    rows = found.coefficients[found.coefficients["rung"] == "M1"].set_index("term")
    for term, row in rows.iterrows():
        estimate, se = re.fullmatch(r"(\S+) \((\S+)\)", shown.loc[term, "M1: β (SE)"]).groups()
        assert float(estimate.replace("\u2212", "-")) == pytest.approx(row["estimate"], abs=0.51 * 10 ** -len(se[2:]))
        assert float(se) == pytest.approx(row["se"], rel=0.06)
    sds = tables.methods_variances(run, SHARE).frame.set_index("Rung, level")["SD (95% profile)"]
    levels = found.levels[(found.levels["rung"] == "M1") & (found.levels["level"] == "practice")].iloc[0]
    assert sds["M1, practice"] == f"{levels['sd']:.4f} ({levels['lower']:.4f} to {levels['upper']:.4f})"


def test_every_column_of_the_design_has_its_constants(run: Run) -> None:
    fits = run.analyses[SHARE].fits
    shown = tables.methods_design(run, SHARE).frame
    assert list(shown["Column"]) == list(fits.loc[(fits["rung"] == "M2") & (fits["covariate"] != ""), "term"])
    assert set(shown["From"]) == {"M1", "M2"}
    assert shown.set_index("Column").loc["imd2025", "Knots"].count(" ") == 3


def test_the_paragraph_has_the_numbers_of_the_run_and_cites_in_order(run: Run) -> None:
    text, references = research_paper.paragraph(research_facts.research_facts(run, SHARE))
    model = run.analyses[SHARE].models.set_index("rung").loc["M1"]
    assert f"{model['n']:,.0f} practices with every characteristic" in text
    assert f"log-likelihood \u2212{-model['loglik']:,.2f}" in text
    assert f"seed {run.study.seed}, run {run.meta['key'][:16]}" in text
    cited = [int(n) for group in re.findall(r"\\\[([\d, ]+)\\\]", text) for n in group.split(", ")]
    assert list(dict.fromkeys(cited)) == list(range(1, len(references) + 1))


def test_the_same_numbers_stand_in_the_paragraph_and_in_the_shares(run: Run) -> None:
    text = words.methods_paragraph(run, SHARE)
    shares = run.analyses[SHARE].shares.set_index("component")["share"]
    assert f"patients {words_percent(shares['need'])}%" in text
    assert f"practices themselves {words_percent(shares['practice'])}%" in text


def words_percent(share: float) -> str:
    return f"{100 * share:.0f}" if round(100 * share, 1) >= 10 else f"{100 * share:.1f}"


def test_what_is_said_of_draws_and_worlds_is_what_the_analysis_takes() -> None:
    assert (research_facts.DRAWS, research_facts.WORLDS) == (variation._DRAWS, variation._SIMULATIONS)


def test_the_citation_is_that_of_the_citation_file(run: Run) -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    said = research_paper.citation(run)
    for field in ("title", "name"):
        assert re.search(rf'{field}: "(.*)"', text)[1] in said
    assert gpvar.__version__ in said.replace("\\", "")


def test_without_a_model_the_page_says_what_stands_in_for_it_and_shows_no_standard_errors(small: Run) -> None:
    text = page(small)
    assert "No multilevel model stands behind this run: below 200 practices" in text
    assert "Berkey" in text and "Kristensen" not in text
    assert tables.methods_coefficients(small, SHARE) == "" and tables.methods_evidence(small, SHARE) == ""
    assert "a regression stands in" in words.methods_summary_line(small, SHARE)


def test_the_paragraph_says_what_stands_in_the_study_and_what_was_not_at_hand(run: Run) -> None:
    text, _ = research_paper.paragraph(research_facts.research_facts(run, SHARE))
    assert "stated in study.toml, dated" in text and "in advance" not in text and "declared on" not in text
    assert "no priors" in text and "no priors" in words.methods_model(run, SHARE)
    for said in (text, words.methods_design(run, SHARE)):
        assert "Ethnicity was not available." in said
        assert "percentiles of the practices of the comparison" in said
    practices = run.table.practices.assign(**{"ethnicity.white": 0.5})
    held = dataclasses.replace(run, table=dataclasses.replace(run.table, practices=practices))
    assert "Ethnicity was not allowed for." in words.methods_design(held, SHARE)
    found = run.analyses[SHARE]
    covariates = {**found.meta["covariates"], "M2": [*found.meta["covariates"]["M2"], "ethnicity"]}
    allowed = dataclasses.replace(found, meta={**found.meta, "covariates": covariates})
    assert "Ethnicity was not" not in words.methods_design(
        dataclasses.replace(run, analyses={**run.analyses, SHARE: allowed}), SHARE
    )


def test_why_practices_set_no_comparison_is_said_exactly(run: Run) -> None:
    text, _ = research_paper.paragraph(research_facts.research_facts(run, SHARE))
    declared, failed, rest = research_facts.left_out(research_facts.research_facts(run, SHARE))
    meta, counted = run.analyses[SHARE].meta, run.table.excluded["gate"].value_counts()
    assert declared == counted.to_dict() and list(failed.values()) == [1]
    codes = {*run.table.excluded["practice_code"], *stopped_of(run)}
    assert rest == meta["n_practices"] - meta["n_fitted"] - len(codes)
    title = catalogue.gates()[next(iter(failed))].title
    assert f"checks of the data that stop the question (\u201c{title}\u201d, 1)" in text
    assert "for the exclusions stated in study.toml (not met: \u201c" in text
    gates = run.table.gates[run.table.gates["severity"] != "stop"]
    none = dataclasses.replace(run, table=dataclasses.replace(run.table, gates=gates))
    text, _ = research_paper.paragraph(research_facts.research_facts(none, SHARE))
    assert "that stop the question" not in text and "in study.toml (not met" in text


def stopped_of(run: Run) -> set[str]:
    gates = run.table.gates
    rows = gates[(gates["state"] == "failed") & (gates["severity"] == "stop") & gates["metric"].isin(["", SHARE])]
    return set(rows["practice_code"]) - {""}


def test_the_paragraph_holds_all_that_was_measured_of_passing_movement(run: Run) -> None:
    found = run.analyses[SHARE].passing
    used = found[found["used"].astype(bool)].iloc[0]
    text, _ = research_paper.paragraph(research_facts.research_facts(run, SHARE))
    shown = tables.methods_passing(run, SHARE).frame.set_index("Correlation of months")
    column = shown[f"{used['rho']:.2f} ({used['rho_from']})"]
    stay = [f"{100 * used[name]:.0f}%" for name in ("stay_observed", "stay_expected")]
    for name in ("sd_difference", "sampling_sd", "v", "v_robust", "v_period"):
        number = research_facts.figures(used[name])
        assert number in text and any(number in cell for cell in column)
    assert f"(correlation of the two figures {used['correlation']:.3f}, " in text
    assert f"{used['units']:,} practices" in text and "it includes changes that last" in text
    assert f"SE {research_facts.figures(used['v_se'], 2)};" in text
    assert f"{stay[0]} were in the lowest tenth both times" in text and f"give {stay[1]}" in text
    assert column["In the lowest tenth both times (expected)"] == f"{stay[0]} ({stay[1]})"
    assert column["Practices"] == f"{used['units']:,}"


def test_the_variance_in_the_reliability_is_the_judged_one_and_the_two_are_told_apart(run: Run) -> None:
    found = run.analyses[SHARE]
    spread = found.spread[(found.spread["rung"] == "M1") & (found.spread["comparator"] == "england")].iloc[0]
    effects = found.effects[found.effects["rung"] == "M1"]
    assert (effects["between"] == spread["tau2"]).all()
    assert "places are in it, passing movement is not" in words.methods_reliability(run, SHARE)
    tau2, v = (research_facts.figures(spread[name]) for name in ("tau2", "transient"))
    assert f": {tau2} + {v})" in words.methods_spread(run, SHARE)


def test_passing_movement_is_told_with_its_assumption_or_as_not_known(run: Run) -> None:
    found = run.analyses[SHARE].passing
    used = found[found["used"].astype(bool)].iloc[0]
    said = words.methods_passing(run, SHARE)
    assert f"{used['rho']:.2f} ({used['rho_from']})" in said
    shown = tables.methods_passing(run, SHARE).frame.set_index("Correlation of months")
    assert shown.loc["Judged with"].tolist() == ["yes" if one else "no" for one in found["used"]]
    none = with_tables(run, passing=found.iloc[:0])
    assert "One set of totals cannot show" in words.methods_passing(none, SHARE)
    assert tables.methods_passing(none, SHARE) == ""


def test_nobody_in_the_fit_is_lost_without_a_word(run: Run) -> None:
    shown = tables.methods_flow(run, SHARE).frame.set_index("Practices")["How many"].str.replace(",", "").astype(int)
    assert shown["In the data"] == run.analyses[SHARE].meta["n_practices"]
    assert shown["Whose figures set the comparison"] == run.analyses[SHARE].meta["n_fitted"]
    assert shown.iloc[-1] == run.analyses[SHARE].models["n"].iloc[-1]
    assert any(name.startswith(("Behind a check", "Left out")) for name in shown.index)


def test_names_from_files_stay_text_and_become_no_formula(run: Run) -> None:
    named = dataclasses.replace(run, table=dataclasses.replace(run.table, area_name=HOSTILE))
    for section in SECTIONS:
        assert not re.search(r"(?<!\\)<script|(?<!\\)!\[|(?<!\\)\$x", section(named, SHARE)), section
    from gpvar.reporting.assemble import Page
    from gpvar.reporting.publish import Look, to_html

    def formulas(of: Run) -> int:
        return to_html(Page(page(of), ()), Look("t", False, False, formulas=True)).count(b"<math")

    assert formulas(named) == formulas(run) > 0


def test_formulas_are_made_of_mathml_and_of_words_own_and_fetch_nothing(published: reporting.PublishResult) -> None:
    html = next(p for p in published.files if p.name.endswith(f"{SHARE}_methods.html")).read_text(encoding="utf-8")
    assert html.count('<math display="block"') == 4 and "$$" not in html and "<script" not in html
    assert not re.findall(FETCHES, html)
    document = next(p for p in published.files if p.name.endswith(f"{SHARE}_methods.docx"))
    with zipfile.ZipFile(document) as archive:
        assert archive.read("word/document.xml").count(b"<m:oMath>") == 4


def test_a_page_without_formulas_takes_a_dollar_for_a_dollar() -> None:
    from gpvar.reporting.assemble import Page
    from gpvar.reporting.publish import Look, to_html

    assert b"<math" not in to_html(Page("It costs $5 and $10.", ()), Look("t", False, False))


def test_no_practice_and_no_other_icb_is_in_what_is_sent(run: Run, published: reporting.PublishResult) -> None:
    own = run.study.area.code
    others = set(run.table.hierarchy["icb_code"]) - {own, ""}
    names = set(run.table.hierarchy.loc[run.table.hierarchy["icb_code"] != own, "icb_name"]) - {""}
    codes = set(run.table.practices["practice_code"])
    sent = [p for p in published.files if "to-send" in p.parts]
    assert len(sent) == 6
    for path in sent:
        text = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".docx":
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
                text = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
        found = set(re.findall(r"[A-Za-z0-9]+", text))
        assert not found & codes and not found & others
        assert not [name for name in names if name in text]


def test_every_methods_page_leads_to_how_often_the_tool_is_wrong(published: reporting.PublishResult) -> None:
    send = published.index.parent / "to-send"
    assert "How often is this tool wrong?" in (send / "calibration.html").read_text(encoding="utf-8")
    rows = pd.read_csv(send / "calibration.csv", encoding="utf-8-sig")
    assert list(rows.columns) == [*COLUMNS, "in_words"] and len(rows)
    assert rows["in_words"].notna().all()
    for name in (f"{SHARE}_methods.html", f"{RATE}_methods.html"):
        page = next(p for p in published.files if p.name.endswith(name))
        assert 'href="calibration.html"' in page.read_text(encoding="utf-8")
        with zipfile.ZipFile(page.with_suffix(".docx")) as archive:
            assert b'Target="calibration.html"' in archive.read("word/_rels/document.xml.rels")
    assert 'href="to-send/calibration.html"' in published.index.read_text(encoding="utf-8")


def test_the_box_of_what_the_icb_has_right_is_on_the_page(published: reporting.PublishResult) -> None:
    for path in (p for p in published.files if p.name.endswith("_methods.html")):
        assert "What the ICB has right" in path.read_text(encoding="utf-8")


def test_the_page_is_made_only_when_it_is_asked_for(run: Run) -> None:
    assert load_study({**STUDY}, base=run.study.folder).reports.kinds == ("practice", "area", "claims")
    asked = load_study({**STUDY, "reports": {"kinds": ["research"]}}, base=run.study.folder)
    assert asked.reports.kinds == ("research",)
    assert {job.kind for job in reports.jobs_for(run, ("practice", "area"))} == {"practice", "area"}
    assert [job.stem for job in reports.jobs_for(run, ("research",))] == [
        f"area_{run.study.area.code}_{metric}_methods" for metric in (SHARE, RATE)
    ]


STUDY = {
    "schema": 1, "title": "t", "seed": 1, "declared": "2026-04-14", "period": "2025-04..2026-03", "metrics": [SHARE],
    "area": {"kind": "icb", "code": "QHM"}, "reference": {"set": "england"},
    "source": [
        {
            "id": "local", "file": "x.csv",
            "columns": {"practice_code": "p", f"{SHARE}.numerator": "n", f"{SHARE}.denominator": "d"},
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0123456, "0.0123"),
        (12.3456, "12.3"),
        (0.0, "0"),
        (-0.5, "\u22120.500"),
        (24410.6, "24,400"),
        (float("nan"), "not known"),
    ],
)
def test_numbers_for_a_referee_have_three_figures(value: float, shown: str) -> None:
    assert research_facts.figures(value) == shown


def test_what_is_next_to_nothing_is_a_power_of_ten() -> None:
    assert research_facts.small(1.4e-10) == "1.4 × 10⁻¹⁰"
    assert research_facts.small(0.25) == "0.25"
    assert [research_facts.p_value(p) for p in (1e-9, 0.0456, 0.456)] == ["<0.001", "0.046", "0.46"]
    assert [research_facts.p_said(p) for p in (1e-9, 0.5)] == ["p < 0.001", "p = 0.50"]


def test_a_number_beyond_what_can_be_seen_is_said_to_be_beyond() -> None:
    assert [research_facts.simulated_p(p) for p in (1 / 200, 0.015)] == ["p at most 0.005", "p = 0.015"]
    assert [research_facts.statistic(value) for value in (10_961_183.6, 104.7)] == ["> 10⁶", "105"]


# the tables


@pytest.fixture(scope="module")
def packed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    research.write_tables(run, folder)
    return folder


def test_every_table_is_there_as_csv_and_as_parquet(run: Run, packed: Path) -> None:
    stems = {f"table/{name}" for name in store.TABLE}
    stems |= {f"{metric}/{name}" for metric in run.analyses for name in store.ANALYSIS}
    stems |= {f"{metric}/{name}" for metric in run.multiverse for name in store.MULTIVERSE.values()}
    for suffix in (".csv", ".parquet"):
        found = {p.relative_to(packed).with_suffix("").as_posix() for p in packed.glob(f"*/*{suffix}")}
        assert found == stems


def test_both_forms_hold_the_numbers_of_the_run(run: Run, packed: Path) -> None:
    for name in ("practices", "levels", "diagnostics"):
        frame = getattr(run.analyses[SHARE], name)
        numbers = frame.select_dtypes("number")
        csv, parquet = pd.read_csv(packed / SHARE / f"{name}.csv"), pd.read_parquet(packed / SHARE / f"{name}.parquet")
        for column in numbers:
            for other in (csv, parquet):
                np.testing.assert_array_equal(other[column].to_numpy(float), numbers[column].to_numpy(float))


def test_text_stays_text_and_an_empty_table_keeps_its_types(packed: Path, tmp_path: Path) -> None:
    practices = pq.read_table(packed / "table" / "practices.parquet")
    assert practices.schema.field("practice_name").type == "string"
    assert "007" in practices.column("practice_name").to_pylist()
    assert '"007"' in (packed / "table" / "practices.csv").read_text(encoding="utf-8")
    research._both(pd.DataFrame(columns=schema.names("models")), "models", tmp_path / "models")
    empty = pq.read_table(tmp_path / "models.parquet")
    assert empty.num_rows == 0 and empty.column_names == schema.names("models")
    assert [str(empty.schema.field(name).type) for name in ("rung", "n", "aic", "converged")] == [
        "string", "int64", "double", "bool"
    ]  # fmt: skip
    kinds = {"text": "string", "code": "string", "number": "double", "whole number": "int64", "yes/no": "bool"}
    for metric_or_table in (SHARE, "table"):
        for path in (packed / metric_or_table).glob("*.parquet"):
            name = store.schema_of(path.stem) if metric_or_table == SHARE else path.stem
            declared = {column.name: kinds.get(column.type, "any") for column in schema.TABLES[name]}
            for field in pq.read_schema(path):
                assert str(field.type) == declared.get(field.name, str(field.type)), (path.name, field.name)


def test_a_name_that_is_a_formula_is_harmless_in_csv_and_itself_in_parquet(packed: Path) -> None:
    names = pq.read_table(packed / "table" / "practices.parquet").column("practice_name").to_pylist()
    assert FORMULA in names
    first = (packed / "table" / "practices.csv").read_text(encoding="utf-8").splitlines()[1]
    assert ",\"'=HYPERLINK(" in first


def test_the_stored_run_gives_the_same_bytes_as_the_run_itself(run: Run, packed: Path, tmp_path: Path) -> None:
    research.write_tables(gpvar.load_run(run.folder), tmp_path)
    written = {p.relative_to(packed): p.read_bytes() for p in packed.rglob("*") if p.is_file()}
    repeated = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert written.keys() == repeated.keys()
    assert not [str(name) for name in written if written[name] != repeated[name]]


def test_the_dictionary_describes_every_column_of_every_file(packed: Path) -> None:
    known = pd.read_csv(packed / "data_dictionary.csv", keep_default_na=False)
    assert (known["meaning"] != "").all()
    described = set(zip(known["file"], known["column"], strict=True))
    for path in packed.glob("*/*.csv"):
        place = path.parent.name if path.parent.name == "table" else "METRIC"
        header = pd.read_csv(path, nrows=0).columns
        missing = [name for name in header if (f"{place}/{path.stem}", name) not in described]
        assert not missing, path.name


def test_every_stored_table_is_described_in_a_line_of_the_note(packed: Path) -> None:
    known = {*store.TABLE, *map(store.schema_of, store.ANALYSIS), *store.MULTIVERSE.values()}
    assert set(schema.ABOUT) == known
    text = (packed / "README.txt").read_text(encoding="utf-8")
    for name in (*store.TABLE, *store.ANALYSIS, *store.MULTIVERSE.values()):
        assert re.search(rf"(?m)^  {name} +\w", text), name
    assert max(map(len, text.splitlines())) <= 120


def test_a_rung_with_fewer_needs_is_fitted_on_more_practices_and_the_note_says_so(lacking: Run) -> None:
    found = lacking.analyses[SHARE]
    n = found.models.set_index("rung")["n"]
    levels = found.levels[found.levels["level"] == "practice"].set_index("rung")["units"]
    assert n["M0"] == n["M2"] + 2 and set(levels) == {n["M2"]}
    drawn = gpvar.draws(lacking, SHARE, "M0", n=5, effects=False)
    assert len(drawn.design) == n["M0"]
    said = words.draws_readme(lacking, drawn)
    assert f"Practices {n['M0']:,} with all that M0 allows for" in said
    assert f"(levels.csv and coefficients.csv: {n['M2']:,}, those" in said
    assert "these draws are of another model" in said and "p given u" not in said
    assert "levels.csv" not in words.draws_readme(lacking, gpvar.draws(lacking, SHARE, "M2", n=5, effects=False))


def test_the_note_beside_the_tables_names_the_run_and_no_place_or_time(run: Run, packed: Path) -> None:
    text = (packed / "README.txt").read_text(encoding="utf-8")
    assert run.meta["key"] in text and str(run.study.seed) in text and "PRIVATE" in text
    assert str(run.study.folder) not in text and str(run.meta["created"]) not in text


REDRAW = """
import io, json, sys
from pathlib import Path
import gpvar
from gpvar import charts, share
from gpvar.charts.style import Chart, save
from gpvar.stats import funnel, multilevel

def refuses(*_, **__):
    raise AssertionError("a report fitted something")

multilevel.fit = multilevel.fit_matrix = funnel.shared_spread = funnel.funnel = refuses
drawn = {}

def show(thing):
    if isinstance(thing, (Chart, tuple)):
        for chart in (thing,) if isinstance(thing, Chart) else thing:
            save(chart, io.BytesIO(), "svg")
            drawn.setdefault(name, []).append(chart.name)

gpvar.show = show
for name in ("area_report", "area_private", "area_variation", "practice_report", "practice_standing", "methods_page"):
    cells = json.loads((share.folder("notebooks") / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    space = {}
    for cell in (c for c in cells if c["cell_type"] == "code"):
        exec("".join(cell["source"]), space)
        if "parameters" in cell["metadata"].get("tags", []):
            space.update(run=sys.argv[1], metric=sys.argv[2])
print(json.dumps(drawn))
"""


def test_every_picture_is_drawn_from_the_run_folder_and_nothing_is_fitted(run: Run) -> None:
    command = [sys.executable, "-c", REDRAW, str(run.folder), SHARE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    drawn = json.loads(done.stdout.splitlines()[-1])
    for notebook in ("area_report", "area_variation", "practice_report", "practice_standing"):
        assert drawn.get(notebook), notebook


# the draws


def test_draws_put_each_practice_where_its_figure_is(run: Run) -> None:
    """So many appointments decide each practice's effect that a column mixed up with another would show."""
    drawn = gpvar.draws(run, SHARE, n=50)
    terms = list(drawn.fixed.columns)
    predictor = drawn.design[terms].to_numpy(float) @ drawn.fixed.to_numpy().T
    predictor += drawn.effects["icb"][drawn.design["icb"]].to_numpy().T
    predictor += drawn.effects["pcn"][drawn.design["pcn"]].to_numpy().T
    predictor += drawn.effects["practice"][drawn.design["practice_code"]].to_numpy().T
    raw = run.analyses[SHARE].practices
    raw = raw[(raw["rung"] == "M0") & (raw["comparator"] == "england")].set_index("practice_code")
    value = raw.loc[drawn.design["practice_code"], "value"].to_numpy()
    assert np.abs(predictor.mean(axis=1) - np.log(value / (1 - value))).max() < 0.05


def test_draws_have_the_centre_and_the_spread_of_the_stored_coefficients(run: Run) -> None:
    drawn = gpvar.draws(run, SHARE, n=4000, effects=False)
    found = run.analyses[SHARE].coefficients
    stored = found[found["rung"] == "M1"].set_index("term").loc[drawn.fixed.columns]
    assert np.abs((drawn.fixed.mean() - stored["estimate"]) / stored["se"]).max() < 4 / np.sqrt(4000)
    assert np.allclose(drawn.fixed.std(), stored["se"], rtol=0.06)
    assert drawn.effects == {}


def test_the_studys_seed_is_the_default_and_the_same_seed_gives_the_same_draws(run: Run, again: draws.Refit) -> None:
    first, second, other = again.draw(20), again.draw(20, run.study.seed), again.draw(20, 5)
    assert first.seed == run.study.seed
    for level in first.effects:
        assert first.effects[level].equals(second.effects[level])
    assert not first.fixed.equals(other.fixed)


def test_draws_of_two_measures_from_one_seed_do_not_move_together(run: Run) -> None:
    drawn = [gpvar.draws(run, metric, n=2000, effects=False).fixed["intercept"] for metric in (SHARE, RATE)]
    assert abs(np.corrcoef(*drawn)[0, 1]) < 4 / np.sqrt(2000)


def test_draws_give_the_effects_of_the_run_once_what_passes_is_taken_out(run: Run, again: draws.Refit) -> None:
    drawn, found = again.draw(2000), run.analyses[SHARE]
    spread = found.spread[(found.spread["rung"] == "M1") & (found.spread["comparator"] == "england")].iloc[0]
    variance = drawn.sds["practice"].to_numpy() ** 2
    lasts = np.maximum(variance - spread["transient"], 0.0) / variance
    # What is drawn about its mean has none: the mean of what lasts is the mean of the share that does.
    mean = (drawn.effects["practice"].to_numpy() * lasts[:, None]).mean(axis=0)
    mean += drawn.effects["icb"][drawn.design["icb"]].to_numpy().mean(axis=0)
    mean += drawn.effects["pcn"][drawn.design["pcn"]].to_numpy().mean(axis=0)
    effects = found.effects[found.effects["rung"] == "M1"].set_index("practice_code")
    rows = effects.reindex(drawn.design["practice_code"])
    known = rows["effect"].notna().to_numpy()
    away = (mean - spread["centre_link"] - rows["effect"])[known]
    sd = (rows["effect_upper"] - rows["effect_lower"])[known] / 3.92
    said = " ".join(words.draws_readme(run, drawn).split())
    assert f"where v = {spread['transient']:.6g} (spread.csv, transient)" in said
    assert known.sum() > 1000 and np.abs(away / sd).max() < 6 * np.sqrt(2 / 2000)


def test_units_bear_the_names_of_the_runs_tables(run: Run, again: draws.Refit) -> None:
    place = run.table.hierarchy.set_index("practice_code").loc[again.design["practice_code"]]
    assert set(again.units["icb"]) == set(place["icb_code"])
    assert len(set(again.units["pcn"])) == len(again.units["pcn"])
    known = place["pcn_key"].to_numpy() != ""
    assert (again.design["pcn"].to_numpy()[known] == place["pcn_key"].to_numpy()[known]).all()
    assert set(again.units["practice"]) == set(again.design["practice_code"])


@pytest.mark.parametrize(
    ("metric", "rung", "error", "said"),
    [
        ("no_such_share", "M1", StudyError, "holds no analysis of 'no_such_share'"),
        (SHARE, "M9", StudyError, "no rung 'M9'"),
    ],
)
def test_what_the_run_does_not_hold_is_refused_with_what_it_holds(
    run: Run, metric: str, rung: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        gpvar.draws(run, metric, rung)
    assert SHARE in caught.value.where or "M1" in caught.value.where


def test_below_200_practices_there_is_nothing_to_draw_from(small: Run) -> None:
    with pytest.raises(TableError, match="no multilevel model at M1"):
        gpvar.draws(small, SHARE)


def test_a_model_that_is_not_the_stored_one_is_not_drawn_from(run: Run) -> None:
    found = run.analyses[SHARE].models
    moved = with_tables(run, models=found.assign(loglik=found["loglik"] + 0.01))
    with pytest.raises(ConvergenceError, match="not the one that is stored"):
        gpvar.draws(moved, SHARE)


def test_more_draws_than_memory_holds_are_refused_with_how_many_would_do(again: draws.Refit) -> None:
    with pytest.raises(StudyError, match="GB of memory") as caught:
        again.draw(10_000_000)
    most = int(re.search(r"at most ([\d,]+)", caught.value.fix)[1].replace(",", ""))
    assert most * again.n_effects * 8 <= draws.MOST < (most + 1) * again.n_effects * 8


def test_draws_without_room_on_the_disk_are_refused_before_anything_is_written(
    run: Run, again: draws.Refit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draws_files.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(ReportError, match="are free"):
        reporting.write_draws(run, again.draw(5), tmp_path / "there" / "draws")
    assert not (tmp_path / "there").exists()


def test_the_command_says_the_size_then_writes_and_says_the_model_is_the_same(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "drawn"
    assert main(["draws", str(run.study.folder), SHARE, "--n", "30", "--seed", "3", "--into", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.index("30 joint draws of") < said.index("The model fitted again is the stored one")
    effects = pq.read_table(folder / "effects_practice.parquet")
    assert effects.num_rows == 30 and str(effects.schema.field(1).type) == "float"
    assert effects.column_names[0] == "draw"
    fixed = pd.read_csv(folder / "fixed.csv")
    expected = gpvar.draws(run, SHARE, n=30, seed=3)
    np.testing.assert_array_equal(fixed[expected.fixed.columns].to_numpy(), expected.fixed.to_numpy())
    assert np.allclose(effects.to_pandas().iloc[:, 1:], expected.effects["practice"], atol=1e-6)
    known = pd.read_csv(folder / "data_dictionary.csv", keep_default_na=False)
    for name in ("fixed", "sds", "design"):
        described = set(known.loc[known["file"] == name, "column"])
        assert set(pd.read_csv(folder / f"{name}.csv", nrows=0).columns) == described
    assert "seed 3" in (folder / "README.txt").read_text(encoding="utf-8")


def test_draws_lie_with_what_is_private_unless_another_folder_is_named(run: Run) -> None:
    folders = [reporting.draws_folder(run, SHARE, rung) for rung in ("M1", "M1-")]
    assert len(set(folders)) == 2
    assert all("private" in folder.parts and folder.is_relative_to(run.study.folder) for folder in folders)
