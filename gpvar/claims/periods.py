"""Not written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpvar.claims.evidence import Evidence


def placed(seen: Evidence) -> Evidence:
    """Return the claim beside a run of the letter's own period, where the study holds its counts; else as it is."""
    return seen
