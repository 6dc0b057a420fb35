"""All the reports of a run: which there are, where they go, and what happens when one fails."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gpvar.errors import GpvarError, ReportError
from gpvar.reporting import appendix, files, index, research
from gpvar.reporting.assemble import Page, assemble, scrubbed
from gpvar.reporting.execute import execute, notebook
from gpvar.reporting.kernel import Kernel
from gpvar.reporting.publish import Look, to_docx, to_html
from gpvar.words import (
    area_summary_line,
    has_resources,
    has_variation,
    methods_summary_line,
    practice_facts,
    resources_summary_line,
    standing_summary_line,
    summary_line,
    variation_summary_line,
)
from gpvar.words.facts import area_facts

if TYPE_CHECKING:
    from gpvar.results import Run
    from gpvar.study import Study

FORMATS = {"html": to_html, "docx": to_docx}
SEND, PRIVATE = "to-send", "private"


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


@dataclass(frozen=True, slots=True)
class Job:
    """One report to be made from one notebook."""

    kind: str
    stem: str
    title: str
    summary: str
    notebook: str
    folder: str
    parameters: dict[str, str] = field(default_factory=dict)
    formulas: bool = False


def jobs_for(run: Run, kinds: Iterable[str]) -> list[Job]:
    """Return the reports that a run's study asks for, area first, in the order of metrics and practices."""
    kinds = set(kinds)
    jobs: list[Job] = []
    place = files.safe_name(run.study.area.code or "list")
    metrics = [m for m in run.study.metrics if m in run.analyses]
    for metric in metrics:
        if "area" in kinds:
            facts = area_facts(run, metric)
            summary = area_summary_line(run, metric)
            title = f"{facts.card.title}: {facts.name}"
            parameters = {"metric": metric}
            jobs.append(Job("area", f"area_{place}_{metric}", title, summary, "area_report", SEND, parameters))
            if has_variation(run, metric):
                jobs.append(_variation_job(run, place, metric, f"{facts.card.title}: {facts.name}"))
            every = f"Every practice of {facts.name}, {facts.card.short}, before and after"
            jobs.append(
                Job(
                    "area",
                    f"area_{place}_{metric}_every_practice",
                    f"{title}, every practice",
                    every,
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


def _resources_jobs(run: Run, place: str, kinds: set[str]) -> list[Job]:
    """Return the pages of need, staff and funding: one for the area, and for each practice that has any.

    Where nothing is known the area's page says in a line which files are missing; that is not to be sent.
    """
    wanted = [("area", "", f"area_{place}")] if "area" in kinds else []
    if "practice" in kinds:
        known = [code for code in run.study.area.practices if has_resources(run, code)]
        wanted += [("practice", code, files.safe_name(code)) for code in known]
    return [
        Job(
            kind,
            f"{stem}_resources",
            f"Need, staff and funding: {practice_facts(run, code).name if code else area_facts(run).name}",
            resources_summary_line(run, code),
            "resources",
            SEND if has_resources(run, code) else PRIVATE,
            {"practice": code},
        )
        for kind, code, stem in wanted
    ]


def _methods_job(run: Run, place: str, metric: str) -> Job:
    facts = area_facts(run, metric)
    return Job(
        "research",
        f"area_{place}_{metric}_methods",
        f"{facts.card.title}: {facts.name}, methods and model",
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
        written.append(files.write(home, index.build(run, _entries(listed, root), root)))
    except ReportError as error:
        failed.append(("index", str(error)))
    return PublishResult(tuple(written), tuple(failed), home, index.unanswered(run))


def _entries(jobs: list[Job], root: Path) -> list[index.Entry]:
    """Return what the index lists: every report of the study that is there, made now or before."""
    found = ((job, [root / job.folder / f"{job.stem}.{kind}" for kind in FORMATS]) for job in jobs)
    there = ((job, [path for path in paths if path.is_file()]) for job, paths in found)
    return [(job.kind, job.folder, job.title, job.summary, paths) for job, paths in there if paths]


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
                    files.write(root / SEND / "data_dictionary.csv", appendix.dictionary(appendix.PRACTICE_TABLES))
                ],
            )
        )
    if "area" in kinds:
        place = files.safe_name(run.study.area.code or "list")
        tasks.append((f"area_{place}_results", lambda: _area_appendix(run, place, metrics, root)))
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
    made.append(files.write(root / PRIVATE / "data_dictionary.csv", appendix.dictionary(appendix.PRIVATE_TABLES)))
    return made
