"""The pages made without a notebook: the index of a study's reports, and the check of its data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpvar import catalogue, tables
from gpvar.errors import StudyError
from gpvar.reporting import files
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look, to_html
from gpvar.words import escape_markdown, plain
from gpvar.words.quality import period_sentences, table_quality

if TYPE_CHECKING:
    from gpvar.results import Run
    from gpvar.study import Study

Entry = tuple[str, str, str, str, list[Path]]
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


def build(run: Run, entries: Sequence[Entry], root: Path) -> bytes:
    """Return the index: one plain line per report, with links.

    Parameters
    ----------
    run
        The run the reports were made from.
    entries
        (kind, folder, title, summary, files) of each report that was written.
    root
        The folder the index lies in; links are relative to it.
    """
    title = plain(run.study.title) or "Reports"
    parts = [f"# {escape_markdown(title)}", f"{plain(run.study.period.label)}."]
    for folder, (heading, note) in _HEADINGS.items():
        here = [entry for entry in entries if entry[1] == folder]
        if not here:
            continue
        parts += [f"## {heading}", note]
        parts.append("\n".join(f"- {_links(summary, paths, root)}" for _, _, _, summary, paths in here))
    parts += _could_not(unanswered(run))
    sheets = _spreadsheets(root)
    parts += ["## Spreadsheets", sheets] if sheets else []
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


def _links(summary: str, paths: Sequence[Path], root: Path) -> str:
    """Return the summary as the link to the page, and the Word file after it."""
    found = {p.suffix: p.relative_to(root).as_posix() for p in paths if p.suffix in (".html", ".docx")}
    said = escape_markdown(summary, 300)
    first = f"[{said}]({found['.html']})" if ".html" in found else said
    return f"{first} ([Word file]({found['.docx']}))" if ".docx" in found else first


def _spreadsheets(root: Path) -> str:
    found = sorted([*root.glob("to-send/*.xlsx"), *root.glob("private/*.xlsx")])
    return "\n".join(
        f"- [{escape_markdown(p.relative_to(root).as_posix())}]({p.relative_to(root).as_posix()})" for p in found
    )


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
