"""From a stored run to pages that can be sent, end to end on a small simulated England with hostile names."""

from __future__ import annotations

import base64
import io
import re
import shutil
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest

from gpvar import pipeline, reporting, share
from gpvar.errors import ReportError, StudyError
from gpvar.reporting import execute, files, publish, reports, workbook
from gpvar.reporting.assemble import Page, Picture, assemble, scrubbed
from gpvar.reporting.display import MIME
from gpvar.reporting.kernel import Kernel
from gpvar.reporting.publish import Look

HOSTILE = "<script>alert(1)</script> ![](https://x.example/a.png) `a`{=typst} | @cite $x$ &amp; [l](https://y.example)"
OWN, PEER = "X14474", "X14509"
FETCHES = r"""(?:src|srcset|data|poster|action|@import|url\()\s*=?\s*["'(]?\s*((?:https?:)?//[^"')\s]+)"""
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory):
    """Return a run of a third of the demo, one practice with a page and a hostile name, and what was published."""
    folder = tmp_path_factory.mktemp("study")
    shutil.copytree(share.folder("demo"), folder, dirs_exist_ok=True)
    file = folder / "practices_2025_26.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table = table[table["icb_code"].isin(["QZ4", *sorted(set(table["icb_code"]) - {"QZ4"})[:2]])]
    table.loc[table["practice_code"] == OWN, "practice_name"] = HOSTILE
    table.loc[table["practice_code"] == PEER, "practice_name"] = '=HYPERLINK("https://z.example")'
    table.to_csv(file, index=False)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    text = re.sub(r"practices = \[.*?\]", f'practices = ["{OWN}"]', text, count=1).split("[[claim]]")[0]
    (folder / "study.toml").write_text(text, encoding="utf-8")
    run = pipeline.run(folder)
    said: list[str] = []
    return run, reporting.publish_run(run, progress=said.append), said


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(published, pattern: str) -> list[Path]:
    return sorted(path for path in published[1].files if re.search(pattern, path.as_posix()))


def test_every_report_is_written_and_progress_is_told(published) -> None:
    _, result, said = published
    assert result.failed == () and len(said) == 7
    assert {path.name for path in named(published, r"(html|docx)$")} >= {
        f"{OWN}_dna_share.html",
        f"{OWN}_dna_share.docx",
        f"{OWN}_dna_share_standing.html",
        f"{OWN}_resources.html",
        "area_QZ4_dna_share.html",
        "area_QZ4_dna_share_every_practice.docx",
        "area_QZ4_dna_share_variation.html",
        "area_QZ4_resources.docx",
        "index.html",
    }
    assert all(path.is_file() for path in result.files) and result.index in result.files


def test_pages_fetch_nothing_and_run_nothing(published) -> None:
    for page in named(published, r"\.html$"):
        text = read(page)
        fetched = re.findall(FETCHES, text)
        assert fetched == [], page.name
        assert not re.search(r"<(script|iframe|object|embed|link|form)\b", text), page.name
        assert '<html lang="en-GB"' in text and "<title>" in text


def test_every_picture_has_its_text_alternative(published) -> None:
    for page in named(published, r"to-send/(?!calibration).*\.html$"):
        pictures = re.findall(r"<img[^>]*>", read(page))
        assert pictures and all(re.search(r'alt="[^"]{80,}"', tag) and 'src="data:image/png' in tag for tag in pictures)


def test_tables_have_header_cells_with_scope(published) -> None:
    for page in named(published, r"to-send/.*\.html$"):
        heads = re.findall(r"<th\b[^>]*>", read(page))
        assert heads and all('scope="col"' in head for head in heads)


def test_word_files_have_headings_tables_titles_and_text_alternatives(published) -> None:
    for path in named(published, r"to-send/.*\.docx$"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            body = ElementTree.fromstring(archive.read("word/document.xml"))
            core = archive.read("docProps/core.xml").decode("utf-8")
            header = "".join(archive.read(n).decode("utf-8") for n in archive.namelist() if "header" in n)
        drawn = [e for e in body.iter() if e.tag.endswith("}docPr")]
        styles = {e.get(f"{W}val") for e in body.iter(f"{W}pStyle")}
        assert drawn and all(len(e.get("descr", "")) > 80 for e in drawn)
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in body.iter(f"{W}tr"))
        assert {"Heading1", "Heading2", "Verdict", "Box"} <= styles and list(body.iter(f"{W}tbl"))
        assert re.search(r"<dc:title>.+</dc:title>", core)
        assert "Simulated example: not real practices" in header


def test_a_hostile_name_stays_a_name(published) -> None:
    page = read(named(published, rf"{OWN}_dna_share\.html$")[0])
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; ![](https://x.example/a.png) `a`{=typst} | @cite $x$ &amp;amp;" in page
    )
    assert "<script" not in page and 'x.example/a.png"' not in page and 'href="https://y' not in page
    with zipfile.ZipFile(named(published, rf"{OWN}_dna_share\.docx$")[0]) as archive:
        body = archive.read("word/document.xml").decode("utf-8")
        assert "x.example" not in archive.read("word/_rels/document.xml.rels").decode("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_no_peer_is_in_anything_to_send(published) -> None:
    run, _, _ = published
    others = set(run.table.practices["practice_code"]) - {OWN}
    names = set(run.table.practices["practice_name"]) - {HOSTILE}
    looked = 0
    for path in named(published, r"/to-send/"):
        for text in _texts(path):
            looked += 1
            found = set(re.findall(r"\b[A-Z]\d{5}\b", text)) & others
            assert not found, (path.name, sorted(found)[:3])
            assert not [n for n in names if n in text], path.name
            if "area_" in path.name:
                assert OWN not in text, path.name
    assert looked > 30


def test_no_other_icb_is_in_what_an_area_sends(published) -> None:
    run, _, _ = published
    others = set(run.table.hierarchy["icb_code"]) - {"QZ4", ""}
    assert others
    for path in named(published, r"/to-send/.*area_"):
        for text in _texts(path):
            assert not set(re.findall(r"\bQ\w\w\b", text)) & others, path.name


def _texts(path: Path) -> list[str]:
    if path.suffix in (".xlsx", ".docx"):
        with zipfile.ZipFile(path) as archive:
            return [archive.read(n).decode("utf-8") for n in archive.namelist() if n.endswith((".xml", ".rels"))]
    if path.suffix == ".png":
        return [re.sub(rb"[^\x20-\x7e]", b"", path.read_bytes()).decode("ascii")[:0]]
    text = read(path)
    return [re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)]


def test_the_private_page_lists_every_practice_and_says_private(published) -> None:
    run, _, _ = published
    page = read(named(published, r"private/.*every_practice\.html$")[0])
    assert all(code in page for code in run.table.area_codes)
    assert "Private: not to be sent on" in page and 'class="private"' in page
    with zipfile.ZipFile(named(published, r"private/.*every_practice\.docx$")[0]) as archive:
        header = "".join(archive.read(n).decode("utf-8") for n in archive.namelist() if "header" in n)
    assert "PRIVATE" in header


def test_what_is_to_be_sent_is_never_in_the_private_folder_and_the_other_way_round(published) -> None:
    assert not named(published, r"to-send/.*every_practice") and not named(published, rf"private/{OWN}")


def test_every_page_of_a_simulated_run_says_so(published) -> None:
    for page in named(published, r"\.html$"):
        assert "Simulated example: not real practices" in read(page), page.name


def test_the_box_of_what_the_icb_has_right_is_on_every_report(published) -> None:
    for page in named(published, r"(to-send|private)/[^/]*\.html$"):
        assert "What the ICB has right" in read(page), page.name


def test_the_index_links_every_page_with_a_plain_line(published) -> None:
    _, result, _ = published
    index = read(result.index)
    for page in named(published, r"(to-send|private)/[^/]*\.(html|docx|xlsx)$"):
        assert f'href="{page.relative_to(result.index.parent).as_posix()}"' in index
    assert re.search(r"practices outside the usual range after allowing for patients", index)


def test_the_index_has_a_heading_for_the_area_and_then_for_each_practice(published) -> None:
    run, result, _ = published
    page = read(result.index)
    to_send, private = page[page.index("<main") :].split('<h2 id="private">')
    area, practice = to_send.split("<h3")[1:]
    assert run.table.area_name in area and f"{OWN})</h3>" in practice
    first = area.index("<li>")
    assert (
        area.index('href="to-send/area_QZ4_dna_share.html"')
        < area.index("outside the usual range")
        < area.index("</li>")
    )
    assert first < area.index("variation.html") and f"{OWN}_" not in area and "area_QZ4" not in practice
    assert practice.count("<li>") == len({p.stem for p in named(published, rf"to-send/{OWN}_[^/]*$")})
    assert "every_practice.html" in private and "every_practice" not in to_send


def test_the_index_links_the_check_of_the_data_under_private(published, tmp_path) -> None:
    from gpvar.reporting import index

    entry = index.Entry("private", "Area", "area_QZ4", "List", "names.", (tmp_path / "private" / "list.html",))
    assert "check.html" not in index.build(published[0], [entry], tmp_path).decode("utf-8")
    files.write(tmp_path / "private" / "check.html", b"x")
    page = index.build(published[0], [entry], tmp_path).decode("utf-8")
    assert page.index('<h2 id="private">') < page.index('href="private/check.html"')


def test_the_workbook_has_no_formula_no_blank_and_no_merged_cell(published) -> None:
    for path in named(published, r"\.xlsx$"):
        book = openpyxl.load_workbook(path)
        assert book.sheetnames[0] == "Notes" and book.sheetnames[-1] == "Dictionary"
        for sheet in book.worksheets:
            assert sheet["A1"].value and not sheet.merged_cells.ranges
            for row in sheet.iter_rows(min_row=3 if sheet.title != "Notes" else 1):
                assert all(c.data_type != "f" for c in row), (path.name, sheet.title)
                if sheet.title != "Notes":
                    assert all(c.value not in (None, "") for c in row), (path.name, sheet.title, row[0].row)


def test_a_formula_in_a_name_is_neutralised(published) -> None:
    private = openpyxl.load_workbook(named(published, r"private/.*\.xlsx$")[0])
    column = [c.value for c in private["Practices"][3]].index("practice_name")
    names = {row[column] for row in private["Practices"].iter_rows(min_row=4, values_only=True)}
    assert any(str(n).startswith("'=HYPERLINK") for n in names)
    rows = pd.read_csv(named(published, r"private/area_QZ4_dna_share\.csv$")[0], dtype=str)
    assert (
        rows["practice_name"].str.startswith("'=HYPERLINK").any()
        and not rows["practice_name"].str.startswith("=").any()
    )


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_looks_like_a_formula_is_made_text(value: str) -> None:
    assert files.neutral(value) == f"'{value}"
    assert files.neutral(-1.5) == -1.5


def test_csv_for_people_opens_as_utf8_and_comes_with_a_dictionary(published) -> None:
    rows = named(published, rf"to-send/{OWN}_results\.csv$")[0]
    assert rows.read_bytes().startswith(b"\xef\xbb\xbf")
    columns = set(pd.read_csv(rows).columns)
    meant = set(pd.read_csv(named(published, r"to-send/data_dictionary\.csv$")[0])["column"])
    assert columns <= meant


def test_numbers_on_the_page_are_those_of_the_run(published) -> None:
    run, _, _ = published
    rows = run.analyses["dna_share"].practices
    row = rows[(rows["practice_code"] == OWN) & (rows["rung"] == "M1") & (rows["comparator"] == "england")].iloc[0]
    page = re.sub(r"<[^>]+>|\s+", " ", read(named(published, rf"{OWN}_dna_share\.html$")[0]))
    assert f"{100 * row['value']:.1f}% of " in page and f"show {100 * row['centre']:.1f}% of " in page


def test_notebooks_kept_tell_no_paths_and_no_timings(published) -> None:
    run, _, _ = published
    kept = named(published, r"private/notebooks/.*\.ipynb$")
    assert len(kept) == 7
    for path in kept:
        text = read(path)
        assert str(run.study.folder) not in text and "papermill" not in text and "iopub" not in text


def test_a_report_that_cannot_be_written_leaves_the_others_and_the_earlier_file(published, monkeypatch) -> None:
    run, _, _ = published
    target = named(published, r"to-send/area_QZ4_dna_share\.docx$")[0]
    before = target.read_bytes()
    replace = files.os.replace

    def locked(source, goal):
        if Path(goal).name == target.name:
            raise PermissionError(13, "Permission denied")
        return replace(source, goal)

    monkeypatch.setattr(files.os, "replace", locked)
    result = reporting.publish_run(run, kinds=("area",), formats=("docx",))
    assert [name for name, _ in result.failed] == ["area_QZ4_dna_share"]
    assert "Close the file" in result.failed[0][1] and len(result.failed[0][1].splitlines()) == 3
    assert target.read_bytes() == before and not list(target.parent.glob(".gpvar-*"))
    assert any("every_practice.docx" in path.name for path in result.files)
    assert f"to-send/{OWN}_dna_share.html" in read(result.index), "one kind published again must not hide the others"


def test_an_unwritable_folder_is_a_three_line_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(ReportError) as error:
        files.write(tmp_path / "reports" / "page.html", b"x")
    assert error.value.where and error.value.fix


def test_an_unknown_format_is_refused(published) -> None:
    with pytest.raises(ReportError):
        reporting.publish_run(published[0], formats=("pdf",))


def test_a_misspelt_parameter_is_refused_before_anything_runs() -> None:
    path = execute.notebook("practice_report")
    with pytest.raises(ReportError) as error:
        execute.check_parameters(path, {"practise": "X1"})
    assert "Did you mean practice?" in error.value.fix
    with pytest.raises(ReportError):
        execute.check_parameters(path, {"practice": 123})
    execute.check_parameters(path, {"run": "", "practice": "X1", "metric": "dna_share"})


def test_an_error_in_a_notebook_arrives_as_it_was_written(published) -> None:
    run, _, _ = published
    with Kernel() as kernel, pytest.raises(ReportError) as error:
        execute.execute(execute.notebook("area_private"), {"run": str(run.folder), "metric": "dna_shore"}, kernel)
    assert "Did you mean dna_share" in error.value.fix
    assert not kernel.folder.exists()


def test_notebooks_hold_no_logic_and_no_outputs() -> None:
    shows = r"gpvar\.show\((words|charts|tables|reporting)\.\w+\([\w, ]*\)\)"
    allowed = re.compile(rf"({shows}|run = gpvar\.load_run\(run\)|import gpvar|from gpvar import [\w, ]+|)$")
    books = sorted(share.folder("notebooks").glob("*.ipynb"))
    assert len(books) >= 4
    for path in books:
        book = nbformat.read(path, as_version=4)
        if path.stem != "multilevel_tutorial":
            assert list(execute.declared_parameters(path))[:1] == ["run"]
        for cell in book.cells:
            if cell.cell_type == "code":
                assert cell.outputs == [] and cell.execution_count is None
                parameters = "parameters" in cell.metadata.get("tags", [])
                if path.stem not in ("start", "multilevel_tutorial") and not parameters:
                    assert all(allowed.match(line) for line in cell.source.splitlines()), cell.source


def test_only_what_was_shown_is_published() -> None:
    payload = {"kind": "words", "markdown": "said"}
    shown = nbformat.v4.new_output("display_data", data={MIME: payload})
    stray = nbformat.v4.new_output("stream", text="/home/someone/secret")
    cell = nbformat.v4.new_code_cell("x", outputs=[stray, shown])
    cell.metadata["papermill"] = {"duration": 1}
    book = nbformat.v4.new_notebook(cells=[cell])
    assert assemble(book).markdown == "said\n"
    clean = scrubbed(book, Path("/home/someone"))
    assert "secret" not in nbformat.writes(clean) and "papermill" not in nbformat.writes(clean)


def test_raw_html_typst_and_tex_are_not_let_through() -> None:
    hostile = '<b onclick="x">hi</b>\n\n```{=html}\n<i>raw</i>\n```\n\n`<u>`{=html} \\textbf{x} $x^2$ @cite\n'
    html = publish.to_html(Page(hostile, ()), Look("t", False, False)).decode("utf-8")
    body = html[html.index("<main>") :]
    assert "<b onclick" not in body and "<i>" not in body and "<u>" not in body and "<math" not in body


def test_pictures_of_a_page_are_embedded() -> None:
    dot = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    picture = Picture("dot", "t", "a dot", dot, "<svg/>", "a\n1\n")
    html = publish.to_html(Page("![a dot](dot.png)\n", (picture,)), Look("A <title>", True, True)).decode("utf-8")
    assert 'src="data:image/png;base64,' in html and 'alt="a dot"' in html
    assert "<title>A &lt;title&gt;</title>" in html and "Private" in html


def test_file_names_come_from_codes_only() -> None:
    assert (
        files.safe_name("../../etc") == "etc"
        and files.safe_name("A81001") == "A81001"
        and files.safe_name("..") == "unnamed"
    )


def test_a_workbook_takes_any_value() -> None:
    frame = pd.DataFrame({"a": ["=1", "", "\x00b"], "b": [1.5, float("nan"), float("inf")], "c": [True, False, True]})
    content = workbook.build("=title", ["note"], {"S": ("T", frame)}, {"S": "methods"})
    rows = list(openpyxl.load_workbook(io.BytesIO(content))["S"].iter_rows(min_row=4, values_only=True))
    assert rows == [("'=1", 1.5, "yes"), ("[z]", "[x]", "no"), ("b", "[x]", "yes")]


def test_a_workbook_shows_four_figures_and_holds_them_all() -> None:
    values = [0.123456789, 12.3456789, 12345.678, 3.0, 1.23456e-12, -0.00123456]
    content = workbook.build("t", [], {"S": ("T", pd.DataFrame({"a": values}))}, {"S": "methods"})
    cells = [row[0] for row in openpyxl.load_workbook(io.BytesIO(content))["S"].iter_rows(min_row=4)]
    assert [cell.value for cell in cells] == values
    formats = ["0.0000", "0.00", "0", "General", "0.00E+00", "0.000000"]
    assert [cell.number_format for cell in cells] == formats


def test_the_check_page_tells_the_three_states(published) -> None:
    run, _, _ = published
    page = reporting.publish_check(run.table, run.study)
    text = read(page)
    assert page == Path(run.study.folder) / "reports" / "private" / "check.html"
    assert "could not be checked" in text and "passed" in text and "Simulated example" in text
    assert "<script" not in text


def test_jobs_put_the_area_first_and_the_list_of_practices_in_private(published) -> None:
    jobs = reports.jobs_for(published[0], ("practice", "area"))
    assert [(j.notebook, j.folder) for j in jobs] == [
        ("area_report", "to-send"),
        ("area_variation", "to-send"),
        ("area_private", "private"),
        ("practice_report", "to-send"),
        ("practice_standing", "to-send"),
        ("resources", "to-send"),
        ("resources", "to-send"),
    ]


def test_what_could_not_be_answered_is_listed_and_is_no_failure(published, tmp_path) -> None:
    import dataclasses

    from gpvar import words
    from gpvar.reporting import index

    run, result, _ = published
    reason = "No practice has a figure for 'ag_share'. <b>"
    told = dataclasses.replace(run, meta=run.meta | {"unanswered": {"ag_share": reason}})
    page = index.build(told, [], tmp_path).decode("utf-8")
    assert (
        "Could not be answered" in page and "Advice and guidance" in page and "<b>" not in page[page.index("<main") :]
    )
    said = words.published_summary(dataclasses.replace(result, unanswered=index.unanswered(told)))
    assert "Could not be answered: Advice and guidance" in said and "Not written" not in said
    with pytest.raises(StudyError) as error:
        words.practice_facts(told, OWN, "ag_share")
    assert "No practice has a figure" in error.value.where
    assert "Could not be answered" not in index.build(run, [], tmp_path).decode("utf-8")


def test_small_counts_given_in_confidence_are_hidden_in_the_areas_exports(published) -> None:
    import dataclasses

    from gpvar.reporting import appendix

    run, _, _ = published
    analysis = run.analyses["dna_share"]
    rows = analysis.practices.assign(observed_low=np.nan, observed_high=np.nan)
    rows.loc[rows["practice_code"] == OWN, ["observed", "observed_low", "observed_high"]] = [np.nan, 1.0, 4.0]
    rows.loc[rows["practice_code"] == OWN, "value"] = np.nan
    hid = dataclasses.replace(run, analyses={"dna_share": dataclasses.replace(analysis, practices=rows)})
    mine = appendix.area_rows(hid, "dna_share").query("practice_code == @OWN")
    assert set(mine["value"]) == {"[c]"} and (mine["denominator"].astype(float) > 0).all()
    assert set(appendix.practice_rows(hid, OWN, "dna_share")["observed"]) == {"[c]"}
    content = appendix.area_workbook(hid, ["dna_share"], private=True)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert any(str(c.value).startswith("[c] means hidden") for c in book["Notes"]["A"])
    assert any("[c]" in row for row in book["Practices"].iter_rows(min_row=4, values_only=True))
