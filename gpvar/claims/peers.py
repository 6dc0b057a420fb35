"""Not written yet."""

from __future__ import annotations

from gpvar.claims.evidence import Evidence, Tested


def exemplar(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError


def joint(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError
