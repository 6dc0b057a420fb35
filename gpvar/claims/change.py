"""Not written yet."""

from __future__ import annotations

from gpvar.claims.evidence import Evidence, Tested


def change(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError


def no_improvement(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError
