"""The report on a letter, the annex to its reply and the spreadsheet: what they hold, and what must not be in them."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import hashlib
import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pandas as pd
import pytest

from gpvar import charts, pipeline, reporting, share, starter, tables, words
from gpvar.catalogue import letters
from gpvar.charts.claim import claim_chart
from gpvar.cli import main
from gpvar.reporting import display, letter, letter_book, letter_pages, publish, reports, workbook
from gpvar.reporting.assemble import Page, assemble
from gpvar.reporting.execute import notebook
from gpvar.reporting.publish import Look
from gpvar.results import Run
from gpvar.words import annex, claims_pages, claims_print, claims_short, console, paper, phrases
from gpvar.words.claims import claim_facts, finding_phrase
from tests import synthetic
from tests.claim_findings import finding, templates_of
from tests.test_reporting import FETCHES, HOSTILE, _texts, read
from tests.test_words import FORBIDDEN

OWN, PEER = "X14474", "X14509"
NOTE = "Zebra: the partners are about to split."
SHARE, RATE = "same_day_share", "appointments_per_1000"
RULES = {f"{rule.test}-{rule.reason}": rule for rule in letters.rules()}
SOFFICE = shutil.which("soffice")
LETTER = f"""
[[claim]]
template = "tail"
text = '{HOSTILE}'
practice = "{OWN}"
metric = "dna_share"
figure = "13.3%"
direction = "high"
note = "{NOTE}"

[[claim]]
template = "outlier"
text = "=HYPERLINK(1) is an outlier"
practice = "{PEER}"
metric = "dna_share"
direction = "high"

[[claim]]
template = "cannot_get_through"
practice = "{OWN}"

[[claim]]
template = "fold"
text = "Missed appointments vary 8-fold."
metric = "dna_share"
figure = "8"
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Any]:
    """Return a run of a third of the demonstration with a hostile letter, and what was published of the letter."""
    folder = tmp_path_factory.mktemp("letter")
    shutil.copytree(share.folder("demo"), folder, dirs_exist_ok=True)
    file = folder / "practices_2025_26.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table = table[table["icb_code"].isin(["QZ4", *sorted(set(table["icb_code"]) - {"QZ4"})[:2]])]
    table.loc[table["practice_code"] == OWN, "practice_name"] = HOSTILE
    table.to_csv(file, index=False)
    study = folder / "study.toml"
    study.write_text(study.read_text(encoding="utf-8").split("[[claim]]")[0] + LETTER, encoding="utf-8")
    run = pipeline.run(folder)
    return run, reporting.publish_run(run, kinds=("claims",))


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return synthetic.make_run(tmp_path_factory.mktemp("claims"), (synthetic.Card(), synthetic.RATE), n=60)


def with_findings(run: Run, rules: list[str], **changes: Any) -> Run:
    """Return the run with one finding for each rule named, numbered in order."""
    made = []
    for place, name in enumerate(rules, start=1):
        found = finding(run, RULES[name], templates_of(RULES[name].test)[0], SHARE)
        claim = dataclasses.replace(found.claim, id=str(place), **changes)
        made.append(dataclasses.replace(found, claim=claim))
    return dataclasses.replace(run, findings=tuple(made))


ORDINARY = [
    "rank-rank_holds", "margin-shortfall_goes_with_patients", "outlier-not_exceptional", "threshold-threshold_holds",
    "change-change_within_chance", "any-no_source", "any-other_measure", "fold-variation_is_real",
]  # fmt: skip


def page_of(monkeypatch: pytest.MonkeyPatch, run: Run, book: str) -> Page:
    """Return what a notebook shows of a run, without starting a kernel."""
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    homes = {"words": words, "tables": tables, "charts": charts, "reporting": reporting}
    for cell in nbformat.read(notebook(book), as_version=4).cells:
        for room, name in re.findall(r"gpvar\.show\((\w+)\.(\w+)\(run\)\)", cell.source):
            display.show(getattr(homes[room], name)(run))
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in shown]
    return assemble(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)]))


def sent(published: tuple[Run, Any]) -> list[Path]:
    # The page of the trial comes with gpvar: nothing of a letter is in it.
    return [path for path in published[1].files if "/to-send/" in path.as_posix() and path.stem != "calibration"]


# ---- what is written, and where ----


def test_the_letter_gives_a_report_an_annex_and_a_spreadsheet(published) -> None:
    run, result = published
    assert result.failed == () and len(run.findings) == 4
    assert {path.name for path in sent(published)} >= {
        "letter_claims.html",
        "letter_claims.docx",
        "letter_reply_annex.html",
        "letter_reply_annex.docx",
        "letter_results.xlsx",
        "letter_results.csv",
    }


def test_the_readers_note_is_in_private_alone(published) -> None:
    assert all("Zebra" not in text for path in sent(published) for text in _texts(path))
    private = next(path for path in published[1].files if path.name == "letter_with_notes.xlsx")
    assert private.parent.name == "private"
    book = openpyxl.load_workbook(private)
    rows = list(book["Your notes"].iter_rows(min_row=4, values_only=True))
    assert rows[0] == ("1", NOTE) and len(rows) == 4
    assert any(c.value == phrases.PRIVATE_LONG for c in book["Notes"]["A"])


def test_without_a_note_no_private_copy_is_left_behind(published, tmp_path: Path) -> None:
    run, _ = published
    letter.write_tables(run, tmp_path)
    assert (tmp_path / "private" / "letter_with_notes.xlsx").is_file()
    bare = tuple(dataclasses.replace(f, claim=dataclasses.replace(f.claim, note="")) for f in run.findings)
    letter.write_tables(dataclasses.replace(run, findings=bare), tmp_path)
    assert not (tmp_path / "private" / "letter_with_notes.xlsx").exists()


def test_only_practices_of_the_letter_are_in_what_is_sent(published) -> None:
    run, _ = published
    people = run.table.practices
    others = set(people["practice_code"]) - {OWN, PEER}
    names = set(people.loc[people["practice_code"].isin(others), "practice_name"])
    looked = 0
    for path in sent(published):
        for text in _texts(path):
            looked += 1
            assert not set(re.findall(r"\b[A-Z]\d{5}\b", text)) & others, path.name
            assert not [name for name in names if name in text], path.name
    assert looked > 20


def test_a_hostile_letter_stays_text(published) -> None:
    for path in sent(published):
        if path.suffix == ".html":
            page = read(path)
            assert re.findall(FETCHES, page) == [] and "<script" not in page and 'href="https://y' not in page
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    rows = list(openpyxl.load_workbook(named(published, "letter_results.xlsx"))["Findings"].iter_rows(min_row=4))
    assert all(cell.data_type != "f" for row in rows for cell in row)
    assert "'=HYPERLINK(1) is an outlier" in {cell.value for cell in rows[1]}


def named(published: tuple[Run, Any], name: str) -> Path:
    return next(path for path in published[1].files if path.name == name)


def test_pages_are_accessible_and_say_that_the_data_are_simulated(published) -> None:
    for name in ("letter_claims", "letter_reply_annex"):
        page = read(named(published, f"{name}.html"))
        assert "Simulated example: not real practices" in page and '<html lang="en-GB"' in page
        assert page.count("<h1") == 1
        for tag in re.findall(r"<img[^>]*>", page):
            assert re.search(r'alt="[^"]{80,}"', tag), tag[:200]
        assert all('scope="col"' in head for head in re.findall(r"<th\b[^>]*>", page))
    with zipfile.ZipFile(named(published, "letter_claims.docx")) as archive:
        body = archive.read("word/document.xml").decode("utf-8")
    assert body.count('w:val="NewPage"') == 4


def test_the_index_begins_with_the_letter(published) -> None:
    result = published[1]
    page = read(result.index)
    main_part = page[page.index("<main") :]
    first = re.search(r"<h3[^>]*>(.*?)</h3>(.*?)(<h3|<h2|</main)", main_part, re.DOTALL)
    assert first[1] == "The letter"
    assert first[2].index("letter_claims.html") < first[2].index("letter_reply_annex.html")
    assert "letter_results.xlsx" in first[2] and re.search(r"1 cannot be checked yet", first[2], re.IGNORECASE)
    private = main_part.split('<h2 id="private">')[1]
    assert 'href="private/letter_with_notes.xlsx"' in private and "Zebra" not in page


def test_without_a_letter_there_is_nothing_to_make(invented) -> None:
    assert letter.jobs(invented) == [] and reports.jobs_for(invented, ("claims",)) == []


# ---- the spreadsheet ----


def test_the_spreadsheet_has_a_row_for_each_sentence_and_explains_every_column(published) -> None:
    run, _ = published
    book = openpyxl.load_workbook(named(published, "letter_results.xlsx"))
    assert book.sheetnames == ["Notes", "Findings", "Rungs", "Numbers", "Checks", "Files", "Dictionary"]
    for sheet in book.worksheets:
        assert sheet["A1"].value and not sheet.merged_cells.ranges
        if sheet.title != "Notes":
            assert all(c.value not in (None, "") for row in sheet.iter_rows(min_row=3) for c in row), sheet.title
    heads = [cell.value for cell in book["Findings"][3]]
    rows = [dict(zip(heads, row, strict=True)) for row in book["Findings"].iter_rows(min_row=4, values_only=True)]
    assert [row["sentence"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["verdict"] for row in rows] == [f.verdict for f in run.findings]
    assert "note" not in heads and rows[2]["metric"] == "[z]"
    meant = {row[1] for row in book["Dictionary"].iter_rows(min_row=4, values_only=True)}
    for name in ("Findings", "Rungs", "Numbers", "Checks"):
        assert {cell.value for cell in book[name][3]} <= meant
    assert list(pd.read_csv(named(published, "letter_results.csv"))["finding"]) == [r["finding"] for r in rows]


def test_numbers_of_a_finding_are_kept_as_numbers(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    content = letter_book.letter_workbook(run)
    rows = list(openpyxl.load_workbook(io.BytesIO(content))["Numbers"].iter_rows(min_row=4, values_only=True))
    found = {name: value for _, name, value, _ in rows}
    assert found["p_raw"] == run.findings[0].numbers["p_raw"]
    assert len(rows) == len(run.findings[0].numbers)


# ---- the report ----


def test_the_summary_counts_every_sentence_once(invented) -> None:
    run = with_findings(invented, ORDINARY)
    said = console.without_markdown(words.claims_verdict(run))
    assert "Of 8 sentences" in said
    numbers = [int(n) for part in re.findall(r"\(sentences?\s([\dto,\s]+)\)", said) for n in _spread(part)]
    assert sorted(numbers) == list(range(1, 9))
    assert len(tables.claims_summary(run).frame) == 8


def _spread(part: str) -> list[str]:
    """Return every number of "1, 3, 5 to 7"."""
    found = []
    for piece in part.split(","):
        ends = re.findall(r"\d+", piece)
        found += [str(n) for n in range(int(ends[0]), int(ends[-1]) + 1)] if ends else []
    return found


def test_what_holds_comes_before_what_does_not(invented) -> None:
    run = with_findings(invented, ["change-change_within_chance", "any-no_source", "rank-rank_holds"])
    assert list(tables.claims_summary(run).frame["Finding"]) == [
        "The statement holds",
        "The data do not show this",
        "Cannot be checked yet (true as arithmetic)",
    ]


def test_what_the_icb_has_right_is_conceded_of_every_sentence(invented) -> None:
    run = with_findings(invented, ORDINARY)
    for said in (words.claims_right(run), words.annex_right(run)):
        assert phrases.ICB_RIGHT in said
        spoken = console.without_markdown(said)
        found = re.findall(r"Sentences?\s([\d,\s]+(?:to\s\d+)?[\d,\s]*)", spoken)
        assert {n for part in found for n in _spread(part)} == {str(n) for n in range(1, 9)}


def test_the_page_of_a_sentence_holds_all_that_it_must(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    parts = letter_pages.claim_pages(run)
    text = "\n".join(part if isinstance(part, str) else part.to_markdown() for part in parts if not _is_chart(part))
    said = console.without_markdown(text)
    assert [part for part in parts if _is_chart(part)]
    for wanted in (
        run.findings[0].claim.text, "The statement holds.", phrases.ICB_RIGHT, "At every rung".lower(), "M2",
        "The test, the same for every letter", "All practices together", "What would change this", "What to ask",
    ):  # fmt: skip
        assert wanted.lower() in said.lower(), wanted


def _is_chart(part: object) -> bool:
    return isinstance(part, charts.Chart)


def test_a_report_without_a_letter_says_so(invented, monkeypatch) -> None:
    for book in ("claims_report", "reply_annex"):
        page = page_of(monkeypatch, invented, book)
        assert claims_pages.NO_LETTER in page.markdown and not page.pictures


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_finding_has_a_whole_page(invented, name: str) -> None:
    rule = RULES[name]
    for template in templates_of(rule.test):
        found = finding(invented, rule, template, SHARE, comparator="own_icb")
        run = dataclasses.replace(invented, findings=(found,))
        parts = letter_pages.claim_pages(run)
        said = [p if isinstance(p, str) else p.to_markdown() for p in parts if not _is_chart(p)]
        # Quotations are the letter's own words, and the catalogue's kinds of sentence repeat them.
        plain = console.without_markdown(re.sub(r"“[^”]*”|Kind of sentence: .*", "", "\n".join(said)))
        assert not re.search(r"\bnan\b|\bNone\b(?!: that)", plain), (name, template.id)
        for part in parts:
            if _is_chart(part):
                assert len(part.alt) > 80 and part.title and not re.search(r"\bnan\b|\bNone\b", part.alt + part.title)
                assert not FORBIDDEN.search(part.title), part.title


# ---- pictures ----


@pytest.mark.parametrize("name", ["any-stop_gate", "any-hidden", "any-no_figure", "any-not_analysed", "any-no_card"])
def test_no_picture_is_drawn_of_a_figure_that_may_not_be_judged(invented, name: str) -> None:
    found = finding(invented, RULES[name], letters.templates()["tail"], SHARE)
    run = dataclasses.replace(invented, findings=(found,))
    assert claim_chart(claim_facts(run, found)) == ()
    shown = [part for part in letter_pages.claim_pages(run) if not isinstance(part, str)]
    assert shown == []


def test_the_picture_shows_the_practice_its_interval_and_the_middle_of_practices(invented) -> None:
    found = finding(invented, RULES["rank-rank_holds"], letters.templates()["tail"], SHARE)
    rungs = tuple({**row, "middle_lower": 0.2, "middle_upper": 0.7} for row in found.rungs)
    chart = claim_chart(claim_facts(invented, dataclasses.replace(found, rungs=rungs)))[0]
    row = {r["rung"]: r for r in rungs}["M1"]
    drawn = chart.data.set_index("rung").loc["M1"]
    assert drawn["value"] == pytest.approx(100 * row["value"])
    assert drawn["low"] == pytest.approx(100 * (row["centre"] + row["difference_lower"]))
    assert drawn["middle_upper"] == pytest.approx(70.0)
    assert list(chart.data["rung"]) == ["M0", "M1", "M2"]


def test_the_picture_of_a_threshold_draws_the_line_where_the_letter_has_it(invented) -> None:
    found = finding(invented, RULES["threshold-threshold_holds"], letters.templates()["rag_red"], SHARE)
    chart = claim_chart(claim_facts(invented, found))[0]
    assert chart.data["threshold"][0] == pytest.approx(100 * found.numbers["threshold"])
    lines = [line.get_xdata()[0] for line in chart.figure.axes[0].lines if len(set(line.get_xdata())) == 1]
    assert any(x == pytest.approx(33.0) for x in lines)


def test_a_change_is_drawn_beside_englands_and_what_comes_back_by_itself(invented) -> None:
    found = finding(invented, RULES["change-change_within_chance"], letters.templates()["change"], SHARE)
    data = claim_chart(claim_facts(invented, found))[0].data
    n = found.numbers
    assert list(data["before"]) == [pytest.approx(100 * n["before"])] * 3
    expected = [n["after"], n["before"] + n["england_change"], n["after"] - n["left"]]
    assert list(data["after"]) == [pytest.approx(100 * value) for value in expected]


def test_marks_of_pictures_differ_in_more_than_colour(invented) -> None:
    found = finding(invented, RULES["change-change_within_chance"], letters.templates()["change"], SHARE)
    axes = claim_chart(claim_facts(invented, found))[0].figure.axes[0]
    looks = {(line.get_linestyle(), line.get_marker()) for line in axes.lines if line.get_marker() != "None"}
    assert len(looks) == 3


# ---- the annex ----


def test_the_annex_begins_with_what_the_icb_has_right_and_keeps_its_order(published) -> None:
    page = read(named(published, "letter_reply_annex.html"))
    wanted = [
        phrases.ICB_RIGHT,
        "What cannot be decided yet",
        "What the contract wording says",
        "What we ask for",
        "Sources",
    ]
    places = [page.index(text) for text in wanted]
    assert places == sorted(places)
    assert page.index("<h2") > places[0], "nothing but the title stands before the box"
    assert re.search(r"SHA-256 [0-9a-f]{12}", page) and "April 2025 to March 2026" in page


def test_a_longer_letter_is_given_fewer_words_and_in_the_end_a_table(invented) -> None:
    plans = [annex.plan(with_findings(invented, (ORDINARY * 4)[:many])) for many in (1, 4, 8, 14, 30)]
    said = [(plan.said, plan.placed, plan.quoted, not plan.table) for plan in plans]
    assert said == sorted(said, reverse=True)
    assert not plans[2].table and plans[-1].table
    long = with_findings(invented, (ORDINARY * 4)[:30])
    assert "in the claims report" in words.annex_not_shown(long) and words.annex_undecided(long) == ""


def test_the_annex_asks_no_more_than_six_questions_and_says_of_which_sentences(invented) -> None:
    run = with_findings(invented, ORDINARY)
    lines = [line for line in words.annex_asks(run).splitlines() if re.match(r"\d+\. ", line)]
    assert 1 <= len(lines) <= 6
    assert all(re.search(r"\(sentences?\s[\dto,\s]+\)$", line) for line in lines)


@pytest.mark.skipif(SOFFICE is None, reason="pages are counted by LibreOffice")
@pytest.mark.parametrize("many", [1, 4, 8, 13, 20])
def test_the_annex_is_two_pages_of_word(invented, monkeypatch, tmp_path: Path, many: int) -> None:
    run = with_findings(invented, (ORDINARY * 3)[:many])
    page = page_of(monkeypatch, run, "reply_annex")
    document = tmp_path / "annex.docx"
    document.write_bytes(publish.to_docx(page, Look("Annex", True, False)))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [SOFFICE, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(document)]
    subprocess.run(command, check=True, capture_output=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", (tmp_path / "annex.pdf").read_bytes())) == 2


def test_what_holds_goes_with_what_stands_beside_it_however_long_the_letter_is(invented) -> None:
    known = {"others_differ_as_much": "others differ as much", "no_known_direction": "No right share is known"}
    for many in (1, 8, 20):
        run = with_findings(invented, (ORDINARY * 3)[:many])
        made = [dataclasses.replace(f, because=(*f.because, *known)) for f in run.findings]
        said = words.annex_right(dataclasses.replace(run, findings=tuple(made)))
        assert all(text.lower() in said.lower() or "differ as much" in said for text in known.values()), many
        assert said.count("No right share is known") == 1, "what goes with all of them is said once"


def test_variation_that_is_real_never_goes_without_that_unwarranted_is_a_judgement(invented) -> None:
    run = with_findings(invented, ["fold-variation_is_real"])
    said = [words.claims_verdict(run), words.claims_right(run), words.annex_right(run)]
    said += tables.claims_summary(run).frame.iloc[0].tolist()[1:]
    said += [letter_book.claim_rows(run)["finding"][0]]
    assert all("is a judgement" in text for text in said), said
    for job in letter.jobs(run):
        assert "of the range and the variation alone" in job.summary


def test_what_cannot_be_checked_says_whether_it_is_true_as_arithmetic(invented) -> None:
    run = with_findings(invented, ["rank-rank_odds"])
    for arithmetic, words_of_it in (("right", "(true as"), ("wrong", "(not so as"), ("not_checked", "")):
        found = dataclasses.replace(run.findings[0], arithmetic=arithmetic)
        cell = tables.claims_summary(dataclasses.replace(run, findings=(found,))).frame["Finding"][0]
        assert cell == f"Cannot be checked yet{f' {words_of_it} arithmetic)' if words_of_it else ''}"


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_short_form_of_a_finding_is_one_whole_line(invented, name: str) -> None:
    for template in templates_of(RULES[name].test):
        facts = claim_facts(invented, finding(invented, RULES[name], template, SHARE))
        said = claims_short.short(facts)
        assert said.endswith((".", "?")) and "…" not in said and "nan" not in said and "not known." not in said[:30]
        assert len(said.split()) <= 25, said


def _not_analysed(run: Run) -> Any:
    """Return the finding on a measure that the study does not hold."""
    found = finding(run, RULES["any-not_analysed"], letters.templates()["low_ag_user"], SHARE)
    return dataclasses.replace(found, claim=dataclasses.replace(found.claim, metric="ag_requests_per_1000"), rungs=())


def test_no_one_is_named_for_figures_that_were_not_read(invented) -> None:
    found = _not_analysed(invented)
    run = dataclasses.replace(invented, findings=(found,), meta={**invented.meta, "simulated": False})
    assert "Advice and guidance figures" not in claims_pages.sources_line(run)
    run = dataclasses.replace(with_findings(run, ["rank-rank_holds"]), meta=run.meta)
    assert "NHS England" in claims_pages.sources_line(run)


def test_a_number_of_the_letters_words_that_is_in_no_cell_is_said_not_to_be_used(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"], text="It was 31.2% and fell by 77.7 points.")
    said = console.without_markdown(words.claims_sources(run))
    assert "“77.7" in said and "not used" in said and "“31.2" not in said


def test_the_index_lists_questions_and_what_gives_the_letters_figures(invented, tmp_path: Path) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    assert letter.others(run, tmp_path) == []
    for name in ("to-send/questions_to_icb.docx", "private/reconcile.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert [(e.folder, e.paths[0].name) for e in letter.others(run, tmp_path)] == [
        ("to-send", "questions_to_icb.docx"),
        ("private", "reconcile.csv"),
    ]


def test_the_first_sheet_shows_printed_figures_that_subtract_and_is_made_for_reading(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    row = letter_book.claim_rows(run).iloc[0]
    assert round(row["figure"] - row["expected"], 1) == row["difference"]
    sheet = openpyxl.load_workbook(io.BytesIO(letter_book.letter_workbook(run)))["Findings"]
    heads = [cell.value for cell in sheet[3]]
    assert heads[:5] == ["sentence", "practice_name", "measure", "letter_says", "finding"] and heads[-1] == "run"
    assert sheet.auto_filter.ref and sheet.page_setup.orientation == "landscape" and sheet["D4"].alignment.wrap_text


def test_a_full_page_gives_up_its_table_before_it_runs_over(invented) -> None:
    run = with_findings(invented, ["margin-shortfall_holds"])
    long = dataclasses.replace(run.findings[0].claim, text=" ".join(["A long sentence of the letter."] * 19))
    parts = letter_pages.claim_pages(
        dataclasses.replace(run, findings=(dataclasses.replace(run.findings[0], claim=long),))
    )
    used = sum(_height(part) for part in parts)
    assert used <= paper.PAGE


def _height(part: Any) -> float:
    if _is_chart(part):
        return part.figure.get_figheight() / part.figure.get_figwidth() * paper.WIDTH
    return paper.height(part if isinstance(part, str) else part.to_markdown(), 12.0)


def test_sources_name_the_decision_table_by_its_hash(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    file = Path(letters.__file__).parent / "decisions.toml"
    for said in (words.claims_sources(run), words.annex_sources(run)):
        assert f"decisions.toml (SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()[:12]}" in said


def test_a_study_declared_after_its_figures_came_out_says_so(invented) -> None:
    real = {**invented.meta, "simulated": False}
    run = dataclasses.replace(with_findings(invented, ["rank-rank_holds"]), meta=real)
    late, early = copy.copy(run.study), copy.copy(run.study)
    late.declared, early.declared = dt.date(2026, 11, 22), dt.date(2026, 4, 14)
    assert "had been published before the study was declared" in claims_print.rules(
        dataclasses.replace(run, study=late)
    )
    assert "had been published" not in claims_print.rules(dataclasses.replace(run, study=early))


def test_the_annex_asks_what_no_reply_goes_without_and_not_what_the_data_answered(invented) -> None:
    claims = {"ag_extract": "low_ag_user", "tested": "outlier", "sanction": "tail"}
    made = []
    for place, (question, template) in enumerate(claims.items(), start=1):
        rule = RULES["rank-rank_holds"]
        found = finding(invented, rule, letters.templates()[template], SHARE)
        found = _not_analysed(invented) if question == "ag_extract" else found
        sanction = "a breach notice" if question == "sanction" else ""
        claim = dataclasses.replace(found.claim, id=str(place), sanction=sanction)
        numbers = {**found.numbers, "figure_right": True}
        made.append(dataclasses.replace(found, claim=claim, numbers=numbers, disclose=("definition", "support")))
    said = words.annex_asks(dataclasses.replace(invented, findings=tuple(made)))
    known = letters.questions()
    assert all(known[name].question in said for name in (*claims, "clause"))
    assert known["definition"].question not in said


def test_a_warning_of_all_practices_is_said_once_and_on_no_page_of_a_sentence(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds", "rank-rank_unlikely"])
    row = {"gate": "covariate_old", "severity": "warn", "state": "failed", "detail": "rurality: 25 months"}
    made = [dataclasses.replace(f, because=(f.reason, "warned"), gates=(row,)) for f in run.findings]
    run = dataclasses.replace(run, findings=tuple(made))
    assert words.claims_reading(run).count("25 months") == 1
    pages = "".join(part for part in letter_pages.claim_pages(run) if isinstance(part, str))
    assert "25 months" not in pages and "warning" not in pages


def test_a_name_in_capitals_is_printed_in_ordinary_letters_with_its_code(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    people = run.table.practices.copy()
    code = run.findings[0].claim.practice_code
    people.loc[people["practice_code"] == code, "practice_name"] = "ST JOHN'S GP CENTRE"
    facts = claim_facts(dataclasses.replace(run, table=_with(run.table, people)), run.findings[0])
    assert console.without_markdown(claims_pages.named(facts)) == f"St John's GP Centre ({code})"


def _with(table: Any, people: pd.DataFrame) -> Any:
    other = copy.copy(table)
    object.__setattr__(other, "practices", people)
    return other


def test_the_picture_draws_the_line_that_the_test_judges_by(invented) -> None:
    for name, template, wanted in (
        ("rank-rank_holds", "tail", [31.0]),
        ("outlier-not_exceptional", "outlier", [20.0, 61.0]),
    ):
        found = finding(invented, RULES[name], letters.templates()[template], SHARE)
        found = dataclasses.replace(found, numbers={**found.numbers, "cut_value": 0.31})
        chart = claim_chart(claim_facts(invented, found))[0]
        upright = [line.get_xdata()[0] for line in chart.figure.axes[0].lines if line.get_linestyle() == "--"]
        assert upright == [pytest.approx(x) for x in wanted]
        assert chart.name == f"sentence_03_{found.claim.practice_code}_{template}"


# ---- the methods page and the command ----


def test_the_decision_table_is_printed_whole_where_there_is_a_letter(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    table = tables.methods_decisions(run, SHARE)
    assert len(table.frame) == len(letters.rules())
    assert not (table.frame.map(str.strip) == "").any().any()
    assert str(len(letters.rules())) in words.methods_decisions(run, SHARE)
    assert tables.methods_decisions(invented, SHARE) == "" and words.methods_decisions(invented, SHARE) == ""


def test_the_command_says_every_finding_and_writes_the_reports(published, capsys: pytest.CaptureFixture[str]) -> None:
    run = published[0]
    before = {path: path.stat().st_mtime_ns for path in sent(published)}
    assert main(["claims", str(run.study.folder)]) == 0
    said = capsys.readouterr().out
    for place, found in enumerate(run.findings, start=1):
        assert re.search(rf"(?m)^{place}\. ", said)
        assert finding_phrase(found) in said
    assert "Zebra" not in said and "**" not in said
    assert named(published, "letter_claims.html").stat().st_mtime_ns > before[named(published, "letter_claims.html")]


def test_without_a_letter_the_command_says_what_to_do_before_anything_is_analysed(
    invented, monkeypatch, capsys, tmp_path: Path
) -> None:
    study = dataclasses.replace(invented, study=_named(invented))
    (tmp_path / "study.toml").write_text(_without_letter(), encoding="utf-8")
    monkeypatch.setattr(pipeline, "run", lambda *a, **k: pytest.fail("analysed"))
    monkeypatch.setattr(pipeline, "stored", lambda *a, **k: study)
    for command in (["claims", str(tmp_path)], ["report", "claims", str(tmp_path)]):
        assert main(command) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 3 and "letter.xlsx" in lines[2], lines


def _without_letter() -> str:
    text = (share.folder("demo") / "study.toml").read_text(encoding="utf-8")
    return text.partition("[[claim]]")[0]


def _named(run: Run) -> Any:
    run.study.letter = None
    return run.study


def test_what_a_study_cannot_reproduce_is_pointed_to_reconcile(invented) -> None:
    run = with_findings(invented, ["rank-rank_holds"])
    run.study.path = Path("my study") / "study.toml"
    assert "reconcile" not in words.claims_console(run)
    wrong = tuple(dataclasses.replace(f, arithmetic="wrong") for f in run.findings)
    assert 'reconcile "my study' in words.claims_console(dataclasses.replace(run, findings=wrong))


def test_things_of_several_kinds_are_shown_one_after_the_other(monkeypatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle[display.MIME]["kind"]))
    table = tables.Table(pd.DataFrame({"a": ["1"]}), "c", "", "t")
    display.show(("said", table, ("more",)))
    assert shown == ["words", "words", "words"]


def test_the_letter_of_the_demonstration_finds_what_its_page_says(tmp_path: Path) -> None:
    run = pipeline.run(starter.lay_out_demo(tmp_path / "demo"))
    assert [(found.claim.template, found.verdict) for found in run.findings] == [
        ("fold", "supported"),
        ("tail", "supported"),
        ("outlier", "not_attributable"),
        ("exemplar", "not_shown"),
        ("many_red", "not_shown"),
        ("below_target", "wrong_metric"),
        ("cannot_get_through", "not_decidable"),
    ]
    assert {found.claim.practice_code for found in run.findings} == {OWN, PEER, ""}
    assert letter_book.has_notes(run) and "claims" in run.study.reports.kinds
    assert annex.plan(run).quoted and not annex.plan(run).table


def test_the_spreadsheet_can_be_printed_and_its_notes_are_not_written_over_one_another() -> None:
    frame = pd.DataFrame({f"column {i}": ["text of a finding " * 4] for i in range(20)})
    lines = ["short", "a long note that takes more than one line of the sheet " * 4]
    book = openpyxl.load_workbook(
        io.BytesIO(
            workbook.build(
                "Title", lines, {"Findings": ("What is found", frame)}, {"Findings": "claims"}, reading=("Findings",)
            )
        )
    )
    heights = [book["Notes"].row_dimensions[row].height for row in (2, 3)]
    assert heights[1] >= 2 * heights[0]
    sheet = book["Findings"]
    assert sheet.print_area == "'Findings'!$A$1:$L$4" and sheet.auto_filter.ref == "A3:T4"
    assert max(dimension.width for dimension in sheet.column_dimensions.values()) <= 34
