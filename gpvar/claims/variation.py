"""Not written yet."""

from __future__ import annotations

from gpvar.claims.evidence import Evidence, Tested


def fold(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError


def opportunity(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError
