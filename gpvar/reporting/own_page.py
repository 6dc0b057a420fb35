"""The private page of one practice's appointments: how labels move the urgent figure, and its own download checked."""

from __future__ import annotations

from pathlib import Path

from gpvar import organisations
from gpvar.errors import StudyError
from gpvar.reporting import files
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look, to_html
from gpvar.sources import named, official, own_appointments
from gpvar.sources._parts import SourceTable
from gpvar.study import Study
from gpvar.tables import Table
from gpvar.words import own as words
from gpvar.words.text import escape_markdown, plain

_PUBLICATION = "gpad"


def publish_own(study: Study, practice: str, own: Path | None = None) -> tuple[Path, tuple[str, ...]]:
    """Write the page of one practice's appointments.

    Parameters
    ----------
    study
        A study that takes its figures from the published appointments.
    practice
        Name or code.
    own
        The practice's own download; without it the published figures alone are shown.

    Returns
    -------
    tuple
        The page, and what it says first.

    Raises
    ------
    StudyError
        When the study does not hold the published appointments.
    SourceError
        When a file cannot be used.
    """
    published = _published(study)
    code = organisations.find_practice(published.facts.reset_index(), practice)
    name = _name(published, code)
    mine = own_appointments.read_own(own, code) if own is not None else None
    rows = own_appointments.mapping_what_if(published, code, mine)
    period = study.period.label if mine is None else words.months(mine.months)
    said = [words.mapping_summary(rows, name, period, from_own=mine is not None)]
    table = Table(words.mapping_rows(rows), "The urgent same-day share under other labels.", "", "labels")
    parts = [f"# {escape_markdown(name)} ({code}): appointments", "## If other labels counted as urgent", said[0]]
    parts.append(table.to_markdown())
    if mine is not None:
        check = own_appointments.compare(mine, _parts(study))
        said.append(words.own_summary(check, name))
        parts += ["## Its own download beside the published file", said[-1], *_compared(check)]
    parts += ["## What this does not show", words.own_not_shown()]
    look = Look(f"Appointments of {plain(name)}", bool(study.simulated), True)
    target = Path(study.folder) / "reports" / "private" / f"appointments-{code}.html"
    return files.write(target, to_html(Page("\n\n".join(parts), ()), look)), tuple(said)


def _compared(check: own_appointments.OwnCheck) -> list[str]:
    figures = Table(words.own_figures(check), "The figures from both files.", "", "figures")
    differences = words.own_differences(check)
    shown = Table(differences, "The largest differences, by month and label.", "", "differences")
    return [figures.to_markdown(), *([shown.to_markdown()] if len(differences) else [])]


def _published(study: Study) -> SourceTable:
    for spec in study.sources:
        if spec.is_publication:
            for table in named.read_all(spec, study.period):
                if table.id == _PUBLICATION:
                    return table
    raise StudyError(
        "The study does not take its figures from the published appointments.",
        str(study.path or "the study"),
        "python run.py sources STUDY says where Appointments in General Practice is had; take it into the study first.",
    )


def _parts(study: Study) -> list:
    specs = [spec for spec in study.sources if spec.id == _PUBLICATION and spec.is_publication]
    if not specs:
        raise StudyError(
            "A reference file holds no single labels, so a practice's own download cannot be held against it.",
            str(study.path or "the study"),
            "Take the files of Appointments in General Practice into the study: python run.py sources STUDY --take.",
        )
    return official.parts_of(specs[0])


def _name(published: SourceTable, code: str) -> str:
    names = published.facts.get("practice_name")
    return str(names.get(code) or code) if names is not None else code
