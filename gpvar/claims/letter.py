"""Not written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gpvar.results import Claim
    from gpvar.study import Study
    from gpvar.table import PracticeTable


def read_letter(path: Path) -> tuple[Claim, ...]:
    """Return the sentences of a letter."""
    raise NotImplementedError


def letter_of(study: Study, table: PracticeTable | None = None) -> tuple[Claim, ...]:
    """Return the sentences of a study's letter, practices found in the table where one is given."""
    return ()
