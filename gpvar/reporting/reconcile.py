"""The private file of which readings give the figures of a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.claims import letter_of, reconcile
from gpvar.reporting import files
from gpvar.words import reconcile as words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gpvar.claims.reconcile import Reconciliation
    from gpvar.study import Study


def publish_reconciliation(
    study: Study, progress: Callable[[str], None] = lambda message: None
) -> tuple[Path, tuple[Reconciliation, ...], str]:
    """Try the figures of a study's letter against what its files hold, and write every reading that gives one.

    Parameters
    ----------
    study
        A loaded study with a letter.
    progress
        Called with a short sentence before what takes long.

    Returns
    -------
    tuple
        The file, the numbers of the letter with their readings, and what it says.

    Raises
    ------
    StudyError
        When the study has no letter, or no sentence of it holds a figure.
    """
    # Before the data are read, so that a letter without figures is said at once.
    said = letter_of(study)
    reconcile.refuse_nothing(said, study)
    progress("Reading the data")
    held = reconcile.held_by_study(study)
    progress("Trying what the files hold")
    found = reconcile.reconcile(letter_of(study, held.table), held)
    texts = [each and words.reading_in_words(each) for item in found for each, _ in item.listed]
    frame = reconcile.frame(found).assign(in_words=[text or "" for text in texts])
    path = files.write(study.folder / "reports" / "private" / "reconcile.csv", files.csv_for_people(frame))
    return path, found, words.reconciliation_terminal(found, held.left_out)
