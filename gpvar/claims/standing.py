"""Not written yet."""

from __future__ import annotations

from gpvar.claims.evidence import Evidence, Tested


def significant(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError


def outlier(seen: Evidence) -> Tested:
    """Return which conditions hold."""
    raise NotImplementedError
