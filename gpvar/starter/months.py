"""A table of counts of other months beside the study's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gpvar import catalogue
from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.starter.headings import Draft, map_headings, months_in, relative
from gpvar.starter.table import read_everything
from gpvar.study import Period


def all_beside(also: Sequence[Path | str], folder: Path, study: Draft) -> list[Draft]:
    """Return what each further table gives away.

    Raises
    ------
    StudyError
        When one of them cannot be used, or two are of the same months.
    """
    found: list[Draft] = []
    for item in also:
        data = Path(item).resolve()
        other = beside(data, folder, study)
        same = next((earlier for earlier in found if earlier.period == other.period), None)
        if same is not None and other.period is not None:
            raise StudyError(
                "The same months come from two files: give --data once for each.",
                f"--data {Path(same.file).name} --data {data.name} ({other.period.label})",
                "Leave one of them out, or put the figures of these months into one table.",
            )
        found.append(other)
    return found


def beside(data: Path, folder: Path, study: Draft) -> Draft:
    """Return what a further table gives away: its months, and which of its columns are counts of the study's measures.

    Parameters
    ----------
    data
        The table.
    folder
        The study's folder.
    study
        What is known of the study.

    Returns
    -------
    Draft
        With file, sheet, period and columns.

    Raises
    ------
    StudyError
        When the table does not say of which months it is, when these are the study's own, or when it counts nothing
        that the study measures.
    """
    frame, sheet, code = read_everything(data, None)
    found = Draft(file=relative(data, folder), frame=frame, sheet=sheet)
    found.columns["practice_code"] = code
    map_headings(found, frame)
    heading = found.columns.get("period")
    months = months_in(frame[heading]) if isinstance(heading, str) else []
    if not months:
        raise StudyError(
            "The file does not say of which months its counts are.",
            f"--data {data.name}",
            "Give it a column called month, with entries such as 2025-04; or leave it out here, and write it into "
            'study.toml as a [[source]] with period = "2025-04" (docs/study.md shows one).',
        )
    found.period = Period(months[0], months[-1])
    if found.period == study.period:
        raise StudyError(
            f"The file is of the study's own months, {found.period.label}.",
            f"--data {data.name}",
            "A further --data is for counts of other months; put figures of the same months into one table.",
        )
    _keep_counts(found, study, data)
    return found


def _keep_counts(found: Draft, study: Draft, data: Path) -> None:
    """Keep the columns of measures of the study that the table counts whole."""
    whole = []
    for metric in study.metrics:
        parts = ("numerator",) if catalogue.metric(metric).kind == "rate" else ("numerator", "denominator")
        if all(f"{metric}.{part}" in found.columns for part in parts):
            whole.append(metric)
    if not whole:
        raise StudyError(
            f"No heading of the file is known to hold counts of {listing(study.metrics)}.",
            f"--data {data.name}",
            "Leave it out here, and write it into study.toml as a [[source]] of its own (docs/study.md shows one).",
        )
    beside_counts = ("practice_code", "period", "list_size")
    found.columns = {
        name: value for name, value in found.columns.items() if name in beside_counts or name.partition(".")[0] in whole
    }
    found.metrics = whole
