"""What is made of a letter: the claims report, the annex to a reply, and a spreadsheet.

All of it may be sent: the report is for the practice or the LMC, the annex for the ICB, and neither holds the reader's
own notes or a practice that the letter does not name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.errors import StudyError
from gpvar.reporting import ask, files, index, letter_book
from gpvar.reporting.job import PRIVATE, SEND, Job
from gpvar.words import annex_summary_line, claims_summary_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gpvar.results import Run
    from gpvar.study import Study

KIND, STEM, HEADING = "claims", "letter", "The letter"
REPORT, ANNEX, NOTES = f"{STEM}_claims", f"{STEM}_reply_annex", f"{STEM}_with_notes"


def jobs(run: Run) -> list[Job]:
    """Return the report on the letter and the annex to a reply; none without a letter."""
    if not run.findings:
        return []
    report = Job(
        KIND, REPORT, "What the letter says, and what the data show", "What holds, and what does not",
        claims_summary_line(run), "claims_report", SEND,
    )  # fmt: skip
    annex = Job(
        KIND, ANNEX, "Annex to a reply to the ICB", "Annex to a reply, two pages for the ICB",
        annex_summary_line(run), "reply_annex", SEND,
    )  # fmt: skip
    return [report, annex]


def write_tables(run: Run, root: Path) -> list[Path]:
    """Write the spreadsheet of the findings and the same rows as CSV; with the reader's notes in private alone."""
    made = [
        files.write(root / SEND / f"{STEM}_results.xlsx", letter_book.letter_workbook(run)),
        files.write(root / SEND / f"{STEM}_results.csv", files.csv_for_people(letter_book.claim_rows(run))),
    ]
    with_notes = root / PRIVATE / f"{NOTES}.xlsx"
    if letter_book.has_notes(run):
        made.append(files.write(with_notes, letter_book.letter_workbook(run, notes=True)))
    else:
        with_notes.unlink(missing_ok=True)
    return made


def others(run: Run, root: Path) -> list[index.Entry]:
    """Return what else the index lists of a letter, where it was made: questions, months and lists, own notes."""
    if not run.findings:
        return []
    asked = tuple(root / SEND / f"{ask.STEM}.{kind}" for kind in ("html", "docx"))
    made = [
        (SEND, "Questions to the ICB", "what to ask before any figure is looked at.", asked),
        (PRIVATE, "Which months and lists give the letter's figures", "", (root / PRIVATE / "reconcile.csv",)),
        (PRIVATE, "The findings with your own notes", "", (root / PRIVATE / f"{NOTES}.xlsx",)),
    ]
    found = []
    for folder, label, said, paths in made:
        if there := tuple(path for path in paths if path.is_file()):
            found.append(index.Entry(folder, HEADING, STEM, label, said, there))
    return found


def require_letter(study: Study, said: Sequence[object]) -> None:
    """Refuse to report on a letter that is not there.

    Parameters
    ----------
    study
        Whose letter.
    said
        Its sentences, or what was found of them.

    Raises
    ------
    StudyError
        When the study names no letter, or nothing stands in it.
    """
    if said:
        return
    where = study.letter or study.path or study.folder
    raise StudyError(
        "No sentence of a letter was found, so there is nothing to check.",
        str(where),
        "Write one row in letter.xlsx for each sentence of the ICB's letter and name it in study.toml "
        '(letter = "letter.xlsx"), or add [[claim]] there.',
    )
