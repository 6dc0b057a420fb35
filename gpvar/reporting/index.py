"""The pages made without a notebook: the index of a study's reports, and the check of its data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpvar import catalogue, tables
from gpvar.errors import StudyError
from gpvar.reporting import calibration, files
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look, to_html
from gpvar.words import escape_markdown, plain
from gpvar.words.calibration import TITLE
from gpvar.words.quality import period_sentences, table_quality

if TYPE_CHECKING:
    from gpvar.results import Run
    from gpvar.study import Study

_FILES = {".html": "web page", ".docx": "Word file", ".xlsx": "Excel file", ".csv": "CSV file"}
_HEADINGS = {
    "to-send": (
        "To send",
        "These may be sent on. A practice's page names no other practice; an area's page names none.",
    ),
    "private": (
        "Private",
        "For the person who asked for them. They name every practice of the area: do not send them on.",
    ),
}

_LETTER = " What is made of the letter names the practices that the letter names."


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of the index, in as many formats as were written.

    Attributes
    ----------
    folder
        ``"to-send"`` or ``"private"``.
    about
        Whom it is about: a heading.
    stem
        How the names of all files about them begin.
    label, said
        What the document is, and what it says in a line.
    paths
        Its files; none for a document that the study's files cannot give.
    """

    folder: str
    about: str
    stem: str
    label: str
    said: str
    paths: tuple[Path, ...]


def build(run: Run, entries: Sequence[Entry], root: Path) -> bytes:
    """Return the index: a heading for the area and for each practice, and a plain line with links per document.

    Parameters
    ----------
    run
        The run the reports were made from.
    entries
        Each report that was written, those of the area first.
    root
        The folder the index lies in; links are relative to it.
    """
    title = plain(run.study.title) or "Reports"
    parts = [f"# {escape_markdown(title)}", f"{plain(run.study.period.label)}."]
    for folder, (heading, note) in _HEADINGS.items():
        here = [entry for entry in entries if entry.folder == folder]
        if not here:
            continue
        letter = _LETTER if folder == "to-send" and any(entry.stem == "letter" for entry in here) else ""
        parts += [f"## {heading}", f"{note}{letter}", *_groups(here, root, folder)]
    parts += [*_could_not(unanswered(run)), *_trial(root)]
    look = Look(title, bool(run.meta.get("simulated")), False)
    return to_html(Page("\n\n".join(part for part in parts if part), ()), look)


def unanswered(run: Run) -> tuple[tuple[str, str], ...]:
    """Return the metrics that could not be analysed: title and reason."""
    found = run.meta.get("unanswered") or {}
    return tuple((_title(str(metric)), plain(reason, 300)) for metric, reason in found.items())


def _title(metric: str) -> str:
    try:
        return str(catalogue.metric(metric).title)
    except StudyError:  # a stored run may name a metric that this version has no card for
        return plain(metric)


def _could_not(found: Sequence[tuple[str, str]]) -> list[str]:
    if not found:
        return []
    lines = [f"- {escape_markdown(title)}: {escape_markdown(reason, 300)}" for title, reason in found]
    return ["## Could not be answered", "This counts neither for nor against any practice.", "\n".join(lines)]


def _trial(root: Path) -> list[str]:
    """Return where it stands how often the tool is wrong, where that page lies among those to send."""
    path = root / "to-send" / calibration.HTML
    if not path.is_file():
        return []
    return ["## The tool itself", _line(TITLE, calibration.shipped_line(), [path, path.with_suffix(".csv")], root)]


def _groups(entries: Sequence[Entry], root: Path, folder: str) -> Iterator[str]:
    """Yield a heading and a list for each of those whom the documents are about."""
    for about, stem in dict.fromkeys((entry.about, entry.stem) for entry in entries):
        yield f"### {escape_markdown(about)}"
        lines = [_line(entry.label, entry.said, entry.paths, root) for entry in entries if entry.stem == stem]
        book = root / folder / f"{stem}_results.xlsx"
        figures = [path for path in (book, book.with_suffix(".csv")) if path.is_file()]
        lines += [_line("All figures, in Excel", "", figures, root)] if book in figures else []
        yield "\n".join(lines)
    check = root / "private" / "check.html"
    if folder == "private" and check.is_file():
        yield "### The data"
        yield _line("Can the data answer?", "the checks, the dates and what did not match.", [check], root)


def _line(label: str, said: str, paths: Sequence[Path], root: Path) -> str:
    """Return one line of a list; its label is the link to the first file, the other formats follow."""
    links = [(_FILES[path.suffix], path.relative_to(root).as_posix()) for path in paths]
    others = ", ".join(f"[{kind}]({link})" for kind, link in links[1:])
    first = f"[{escape_markdown(label)}]({links[0][1]})" if links else escape_markdown(label)
    return "- " + first + (f": {escape_markdown(said, 300)}" if said else "") + (f" ({others})" if others else "")


def _changes(table: Any) -> list[str]:
    if not len(table.events):
        return []
    return ["## Mergers, closures and new codes", tables.check_events(table).to_markdown()]


def publish_check(table: Any, study: Study, folder: Path | None = None) -> Path:
    """Write the page that says whether the data can bear the study's questions; nothing is fitted.

    Parameters
    ----------
    table
        The practice table.
    study
        Whose study it is.
    folder
        Where the page goes; the study's ``reports/private`` when None, because it names practices.

    Returns
    -------
    Path
        The page.
    """
    whole = len(table.practices)
    dates = tables.check_dates(table)
    parts = [
        f"# Can the data answer? {escape_markdown(study.title)}",
        f"{plain(study.period.label)}. {whole:,} practices in the table, {len(table.area_codes):,} of them in "
        f"{escape_markdown(table.area_name)}.",
        f'::: {{.verdict custom-style="Verdict"}}\n\n{table_quality(table.gates)}\n\n:::',
        "## Checks",
        tables.check_gates(table).to_markdown(),
        "## Dates",
        " ".join([f"The figures are of {plain(study.period.label)}.", *period_sentences(table)]),
        dates.to_markdown() if len(dates.frame) else "No date is given of any characteristic that is allowed for.",
        *_changes(table),
        "## Files",
        f"::: {{.files}}\n\n{tables.check_files(table).to_markdown()}\n\n:::",
        "\n".join(f"- {escape_markdown(remark, 600)}" for remark in table.remarks),
        "## What did not match",
        tables.check_unmatched(table).to_markdown() if len(table.unmatched) else "Everything matched.",
    ]
    look = Look(f"Check: {plain(study.title)}", bool(study.simulated), True)
    target = (folder or Path(study.folder) / "reports" / "private") / "check.html"
    return files.write(target, to_html(Page("\n\n".join(parts), ()), look))
