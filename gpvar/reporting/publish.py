"""Markdown → self-contained HTML and Word, through pandoc. No text from a file can become anything but text."""

from __future__ import annotations

import re
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from gpvar.errors import ReportError
from gpvar.reporting import reference_docx
from gpvar.reporting.assemble import Page
from gpvar.words import banner as banner_words
from gpvar.words.phrases import PRIVATE

#: No raw HTML, TeX or attributes; no mathematics, citations or footnotes to be conjured up by a name.
READER = (
    "markdown-raw_html-raw_tex-raw_attribute-tex_math_dollars-tex_math_single_backslash-citations-footnotes-inline_notes"
    "-implicit_figures-smart-example_lists-latex_macros-autolink_bare_uris-yaml_metadata_block-pandoc_title_block"
)
#: The same for a page with formulas of ours: a dollar sign in a text from a file is escaped, and stays a dollar sign.
FORMULAS = READER.replace("-tex_math_dollars", "+tex_math_dollars")


@dataclass(frozen=True, slots=True)
class Look:
    """What is on every page of a document besides its text.

    `formulas`: whether the text may hold any; `half_points`: the size of body text in Word, and on paper.
    """

    title: str
    simulated: bool
    private: bool
    formulas: bool = False
    half_points: int = 24

    @property
    def reader(self) -> str:
        """How the Markdown is read."""
        return FORMULAS if self.formulas else READER

    @property
    def printed(self) -> str:
        """What is added to the style sheet for a page that is printed smaller than others."""
        return "" if self.half_points == 24 else f":root {{ --print: {self.half_points / 2:g}pt; }}\n"

    @property
    def banner(self) -> str:
        """The line at the head of every page; empty for none."""
        return banner_words(self.simulated, self.private)


def to_html(page: Page, look: Look) -> bytes:
    """Return a page as one HTML file that fetches nothing."""
    with tempfile.TemporaryDirectory(prefix="gpvar-") as name:
        folder = _lay_out(page, Path(name))
        template = folder / "page.html"
        template.write_text(_look("page.html"), encoding="utf-8", newline="\n")
        options = [
            "--standalone", f"--template={template}", "--embed-resources", f"--resource-path={folder}", "--wrap=none",
            "-V", f"stylesheet={_look('page.css')}{look.printed}", "-M", f"pagetitle={look.title}", "-M", "lang=en-GB",
            "-V", f"bodyclass={'private' if look.private else 'open'}",
        ]  # fmt: skip
        if look.banner:
            options += ["-V", f"banner={look.banner}"]
        if look.formulas:
            options.append("--mathml")
        html = _pandoc(page.markdown, "html5", options, None, look.reader)
    return _accessible(html).encode("utf-8")


def to_docx(page: Page, look: Look) -> bytes:
    """Return a page as a Word file with native headings, tables and text alternatives."""
    with tempfile.TemporaryDirectory(prefix="gpvar-") as name:
        folder = _lay_out(page, Path(name))
        reference = folder / "reference.docx"
        reference.write_bytes(
            reference_docx.build(look.banner, PRIVATE.upper() if look.private else "", look.half_points)
        )
        target = folder / "page.docx"
        options = [f"--reference-doc={reference}", f"--resource-path={folder}", "-M", "lang=en-GB"]
        _pandoc(page.markdown, "docx", options, target, look.reader)
        return _finished(target.read_bytes(), look.title)


def _lay_out(page: Page, folder: Path) -> Path:
    for picture in page.pictures:
        (folder / f"{picture.name}.png").write_bytes(picture.png)
    return folder


def _look(name: str) -> str:
    return resources.files("gpvar.reporting").joinpath("look", name).read_text(encoding="utf-8")


def _pandoc(markdown: str, to: str, options: list[str], target: Path | None, reader: str = READER) -> str:
    import pypandoc

    try:
        return str(
            pypandoc.convert_text(
                markdown, to, format=reader, extra_args=options, outputfile=str(target) if target else None
            )
        )
    except (RuntimeError, OSError) as error:
        raise ReportError(
            "The page could not be put together.",
            str(error).strip().splitlines()[-1] if str(error).strip() else "pandoc",
            "Run python run.py doctor, which checks that pandoc works.",
        ) from error


def _accessible(html: str) -> str:
    """Give every heading cell its scope, and every cell the name of its column for narrow screens."""
    return re.sub(r"<table.*?</table>", lambda found: _label_cells(found[0]), html, flags=re.DOTALL)


def _label_cells(table: str) -> str:
    heads = [re.sub(r"<[^>]+>", "", head) for head in re.findall(r"<th[^>]*>(.*?)</th>", table, flags=re.DOTALL)]
    table = re.sub(r"<th(?=[\s>])", '<th scope="col"', table)

    def label_row(row: re.Match[str]) -> str:
        position = iter(heads)
        return re.sub(r"<td", lambda _: f'<td data-label="{_attribute(next(position, ""))}"', row[0])

    return re.sub(r"<tr.*?</tr>", label_row, table, flags=re.DOTALL)


def _attribute(text: str) -> str:
    return text.replace('"', "&quot;").replace("\n", " ")


def _finished(document: bytes, title: str) -> bytes:
    """Write the title into the document's properties, set pictures side by side, and keep rows whole."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(document)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for item in source.infolist():
            content = source.read(item.filename)
            if item.filename == "docProps/core.xml":
                content = _with_title(content.decode("utf-8"), title).encode("utf-8")
            elif item.filename == "word/document.xml":
                # Left out, the distance is nought in Word but a third of a centimetre in LibreOffice.
                content = content.replace(b"<wp:inline>", b'<wp:inline distT="0" distB="0" distL="0" distR="0">')
                content = re.sub(rb"<w:tr>(?:<w:trPr>(.*?)</w:trPr>)?", _whole_row, content)
            copy.writestr(item, content)
    return target.getvalue()


def _whole_row(found: re.Match[bytes]) -> bytes:
    """Return the head of a table row that keeps to one page."""
    return b"<w:tr><w:trPr><w:cantSplit/>" + (found[1] or b"") + b"</w:trPr>"


def _with_title(core: str, title: str) -> str:
    said = f"<dc:title>{escape(title)}</dc:title>"
    core = re.sub(r"<dc:title>.*?</dc:title>|<dc:title\s*/>", "", core, flags=re.DOTALL)
    return core.replace("</cp:coreProperties>", f"{said}</cp:coreProperties>")
