"""All the reports of a run: which there are, where they go, and what happens when one fails."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gpvar.errors import GpvarError, ReportError
from gpvar.reporting import appendix, calibration, files, index, letter, research, ways
from gpvar.reporting.assemble import Page, assemble, scrubbed
from gpvar.reporting.execute import execute, notebook
from gpvar.reporting.job import PRIVATE, SEND, Job
from gpvar.reporting.kernel import Kernel
from gpvar.reporting.publish import Look, to_docx, to_html
from gpvar.words import (
    area_summary_line,
    has_resources,
    has_variation,
    methods_summary_line,
    practice_facts,
    resources_none_line,
    resources_summary_line,
    standing_summary_line,
    summary_line,
    variation_summary_line,
)
from gpvar.words.facts import area_facts

if TYPE_CHECKING:
    from gpvar.catalogue import MetricCard
    from gpvar.results import Run
    from gpvar.study import Study

FORMATS = {"html": to_html, "docx": to_docx}


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What was written.

    Attributes
    ----------
    files
        Every file written, the index last.
    failed
        (report, reason) for what could not be written; earlier files of the same name are untouched.
    index
        The page that links the others.
    unanswered
        (metric's title, reason) for metrics that could not be analysed: an answer, not a failure.
    """

    files: tuple[Path, ...]
    failed: tuple[tuple[str, str], ...]
    index: Path
    unanswered: tuple[tuple[str, str], ...] = ()


def jobs_for(run: Run, kinds: Iterable[str]) -> list[Job]:
    """Return the reports that a run's study asks for: the letter's, the area's, then by metric and practice."""
    kinds = set(kinds)
    jobs: list[Job] = letter.jobs(run) if letter.KIND in kinds else []
    place = files.safe_name(run.study.area.code or "list")
    metrics = [m for m in run.study.metrics if m in run.analyses]
    for metric in metrics:
        if "area" in kinds:
            facts = area_facts(run, metric)
            summary = area_summary_line(run, metric)
            title = f"{facts.card.title}: {facts.name}"
            parameters = {"metric": metric}
            stem, label = f"area_{place}_{metric}", _label(facts.card)
            jobs.append(Job("area", stem, title, label, summary, "area_report", SEND, parameters))
            if has_variation(run, metric):
                jobs.append(_variation_job(run, place, metric, title))
            jobs.append(
                Job(
                    "area",
                    f"{stem}_every_practice",
                    f"{title}, every practice",
                    f"{label}, every practice",
                    "those that stand out, then the whole list before and after.",
                    "area_private",
                    PRIVATE,
                    parameters,
                )
            )
        if "research" in kinds:
            jobs.append(_methods_job(run, place, metric))
        if "practice" in kinds:
            for code in run.study.area.practices:
                jobs += [_practice_job(run, code, metric), _standing_job(run, code, metric)]
    return jobs + (_resources_jobs(run, place, kinds) if metrics else [])


def _label(card: MetricCard) -> str:
    """Return what the index calls a metric."""
    return card.short[0].upper() + card.short[1:]


def _resources_jobs(run: Run, place: str, kinds: set[str]) -> list[Job]:
    """Return the pages of need, staff and funding, of the area and of each practice, where any is known."""
    wanted = [("area", "", f"area_{place}")] if "area" in kinds else []
    if "practice" in kinds:
        wanted += [("practice", code, files.safe_name(code)) for code in run.study.area.practices]
    return [
        Job(
            kind,
            f"{stem}_resources",
            f"Need, staff and funding: {practice_facts(run, code).name if code else area_facts(run).name}",
            "Need, staff and funding",
            resources_summary_line(run, code),
            "resources",
            SEND,
            {"practice": code},
        )
        for kind, code, stem in wanted
        if has_resources(run, code)
    ]


def _methods_job(run: Run, place: str, metric: str) -> Job:
    facts = area_facts(run, metric)
    return Job(
        "research",
        f"area_{place}_{metric}_methods",
        f"{facts.card.title}: {facts.name}, methods and model",
        f"{_label(facts.card)}, methods and model for researchers",
        methods_summary_line(run, metric),
        "methods_page",
        SEND,
        {"metric": metric},
        formulas=True,
    )


def _variation_job(run: Run, place: str, metric: str, title: str) -> Job:
    return Job(
        "area",
        f"area_{place}_{metric}_variation",
        f"{title}, where the variation comes from",
        f"{_label(area_facts(run, metric).card)}, where the variation comes from",
        variation_summary_line(run, metric),
        "area_variation",
        SEND,
        {"metric": metric},
    )


def _practice_job(run: Run, code: str, metric: str) -> Job:
    facts = practice_facts(run, code, metric)
    return Job(
        "practice",
        f"{files.safe_name(code)}_{metric}",
        f"{facts.card.title}: {facts.name}",
        _label(facts.card),
        summary_line(run, code, metric),
        "practice_report",
        SEND,
        {"practice": code, "metric": metric},
    )


def _standing_job(run: Run, code: str, metric: str) -> Job:
    facts = practice_facts(run, code, metric)
    return Job(
        "practice",
        f"{files.safe_name(code)}_{metric}_standing",
        f"{facts.card.title}: {facts.name}, what the figure is made of and its rank",
        f"{_label(facts.card)}, what the figure is made of",
        standing_summary_line(run, code, metric),
        "practice_standing",
        SEND,
        {"practice": code, "metric": metric},
    )


def publish_run(
    run: Run | Path,
    study: Study | None = None,
    kinds: Sequence[str] | None = None,
    formats: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> PublishResult:
    """Write the reports of a run under the study's ``reports/``.

    Parameters
    ----------
    run
        A run, or the folder it is stored in.
    study
        Says which reports, for whom and where; the run's own when None.
    kinds, formats
        ``"practice"``, ``"area"``; ``"html"``, ``"docx"``. What the study asks for when None.
    progress
        Called with a short sentence before each report.

    Returns
    -------
    PublishResult
        One report that fails does not stop the others.
    """
    if not hasattr(run, "analyses"):
        from gpvar.store import load_run

        run = load_run(run)
    study = study or run.study
    root = Path(study.folder) / "reports"
    wanted = _formats(formats or study.reports.formats)
    written: list[Path] = []
    failed: list[tuple[str, str]] = []
    jobs = jobs_for(run, kinds or study.reports.kinds)
    with Kernel() as kernel:
        for i, job in enumerate(jobs, start=1):
            progress(f"Report {i} of {len(jobs)}: {job.title}")
            try:
                written += _make(run, job, wanted, root, kernel)
            except GpvarError as error:
                failed.append((job.stem, str(error)))
    for name, write in _appendices(run, jobs, root):
        try:
            written += write()
        except GpvarError as error:
            failed.append((name, str(error)))
    home = root / "index.html"
    listed = jobs_for(run, {*study.reports.kinds, *(job.kind for job in jobs)})
    try:
        written.append(files.write(home, index.build(run, _entries(run, listed, root), root)))
    except ReportError as error:
        failed.append(("index", str(error)))
    return PublishResult(tuple(written), tuple(failed), home, index.unanswered(run))


#: Under each heading of the index, first what answers whether a figure is out of line.
_ORDER = (
    "claims_report", "reply_annex", "area_report", "practice_report", "area_variation", "practice_standing",
    "resources", "methods_page",
)  # fmt: skip


def _entries(run: Run, jobs: list[Job], root: Path) -> list[index.Entry]:
    """Return what the index lists: every report of the study that is there, made now or before."""
    place = files.safe_name(run.study.area.code or "list")
    found = []
    for job in sorted(jobs, key=lambda job: _ORDER.index(job.notebook) if job.notebook in _ORDER else len(_ORDER)):
        paths = [root / job.folder / f"{job.stem}.{kind}" for kind in FORMATS]
        there = tuple(path for path in paths if path.is_file())
        code = job.parameters.get("practice", "")
        about, stem = _whom(run, code), files.safe_name(code) if code else f"area_{place}"
        if job.kind == letter.KIND:
            about, stem = letter.HEADING, letter.STEM
        if there:
            found.append(index.Entry(job.folder, about, stem, job.label, _said(job.summary), there))
    if any(job.notebook == "area_report" for job in jobs) and not has_resources(run):
        label, _, said = resources_none_line(run).partition(": ")
        found.append(index.Entry(SEND, _whom(run, ""), f"area_{place}", label, said, ()))
    found += letter.others(run, root)
    stems = [letter.STEM, f"area_{place}", *(files.safe_name(code) for code in run.study.area.practices)]
    return sorted(found, key=lambda entry: stems.index(entry.stem) if entry.stem in stems else len(stems))


def _whom(run: Run, code: str) -> str:
    """Return the heading of the index for a practice, or for the area."""
    return f"{practice_facts(run, code).name} ({code})" if code else area_facts(run).name


def _said(summary: str) -> str:
    """Return what a summary says, without whom and what it is about: the heading and the label say that."""
    said = summary.rpartition(": ")[2].removeprefix("what the figure is made of; ")
    return said[0].upper() + said[1:] if said else ""


def _formats(formats: Iterable[str]) -> list[str]:
    unknown = [f for f in formats if f not in FORMATS]
    if unknown:
        raise ReportError(
            f"There is no report format called '{unknown[0]}'.", "[reports] formats", f"Use {' or '.join(FORMATS)}."
        )
    return list(dict.fromkeys(formats))


def _make(run: Run, job: Job, formats: list[str], root: Path, kernel: Kernel) -> list[Path]:
    executed = execute(notebook(job.notebook), {"run": str(run.folder), **job.parameters}, kernel)
    page = assemble(executed)
    look = Look(job.title, bool(run.meta.get("simulated")), job.folder == PRIVATE, job.formulas)
    folder = root / job.folder
    made = [files.write(folder / f"{job.stem}.{kind}", FORMATS[kind](page, look)) for kind in formats]
    return [
        *made,
        *_pictures(page, folder / "charts"),
        _notebook(executed, run, root / PRIVATE / "notebooks" / f"{job.stem}.ipynb"),
    ]


def _notebook(executed: object, run: Run, path: Path) -> Path:
    import nbformat

    return files.write_text(path, nbformat.writes(scrubbed(executed, Path(run.study.folder))))


def _pictures(page: Page, folder: Path) -> list[Path]:
    made = []
    for picture in page.pictures:
        made.append(files.write(folder / f"{picture.name}.png", picture.png))
        made.append(files.write_text(folder / f"{picture.name}.svg", picture.svg))
        made.append(
            files.write(folder / f"{picture.name}.csv", files.csv_for_people(pd.read_csv(io.StringIO(picture.csv))))
        )
    return made


def _appendices(run: Run, jobs: list[Job], root: Path) -> list[tuple[str, Callable[[], list[Path]]]]:
    """Return what else is to be written: per practice and per area a workbook, tidy CSVs and a dictionary."""
    metrics = [m for m in run.study.metrics if m in run.analyses]
    kinds = {job.kind for job in jobs} if metrics else set()
    tasks: list[tuple[str, Callable[[], list[Path]]]] = []
    if "practice" in kinds:
        for code in run.study.area.practices:
            tasks.append((f"{code}_results", lambda code=code: _practice_appendix(run, code, metrics, root / SEND)))  # type: ignore[misc]
        tasks.append(
            (
                "data_dictionary",
                lambda: [
                    files.write(
                        root / SEND / "data_dictionary.csv", appendix.dictionary(appendix.PRACTICE_TABLES.values())
                    )
                ],
            )
        )
    if "area" in kinds:
        place = files.safe_name(run.study.area.code or "list")
        tasks.append((f"area_{place}_results", lambda: _area_appendix(run, place, metrics, root)))
    if letter.KIND in kinds and run.findings:
        tasks.append((f"{letter.STEM}_results", lambda: letter.write_tables(run, root)))
    if jobs:
        tasks.append(("calibration", lambda: calibration.lay_beside(root / SEND)))
    if "research" in kinds:
        tasks.append(("research", lambda: research.write_tables(run, root / PRIVATE / research.FOLDER)))
    return tasks


def _practice_appendix(run: Run, code: str, metrics: list[str], folder: Path) -> list[Path]:
    stem = files.safe_name(code)
    rows = pd.concat([appendix.practice_rows(run, code, m) for m in metrics], ignore_index=True)
    return [
        files.write(folder / f"{stem}_results.xlsx", appendix.practice_workbook(run, code, metrics)),
        files.write(folder / f"{stem}_results.csv", files.csv_for_people(rows)),
    ]


def _area_appendix(run: Run, place: str, metrics: list[str], root: Path) -> list[Path]:
    made = [
        files.write(root / SEND / f"area_{place}_results.xlsx", appendix.area_workbook(run, metrics, private=False))
    ]
    made.append(
        files.write(root / PRIVATE / f"area_{place}_results.xlsx", appendix.area_workbook(run, metrics, private=True))
    )
    for metric in metrics:
        rows = files.csv_for_people(appendix.area_rows(run, metric))
        made.append(files.write(root / PRIVATE / f"area_{place}_{metric}.csv", rows))
        if metric in run.multiverse:
            others = files.csv_for_people(ways.practice_rows(run, metric))
            made.append(files.write(root / PRIVATE / f"area_{place}_{metric}_robustness.csv", others))
    tables = [*appendix.PRIVATE_TABLES.values(), *([ways.PRACTICES] if run.multiverse else [])]
    made.append(files.write(root / PRIVATE / "data_dictionary.csv", appendix.dictionary(tables)))
    return made
