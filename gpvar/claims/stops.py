"""Checks that stop, for sentences that are about no one measure, about two, or about an area."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpvar.claims.evidence import Evidence


def stopped(seen: Evidence, metrics: Iterable[str] = ()) -> list[str]:
    """Return the checks that stop and failed for the practice or the whole table, of any of the metrics or of all."""
    gates = seen.run.table.gates
    failed = gates[(gates["state"] == "failed") & (gates["severity"] == "stop")]
    failed = failed[failed["metric"].fillna("").isin(["", *metrics])]
    failed = failed[failed["practice_code"].fillna("").isin(["", seen.claim.practice_code])]
    return sorted(set(failed["gate"]))


def stopped_everywhere(seen: Evidence) -> list[str]:
    """Return the checks that stop every measure of the run, where each has one."""
    found = [stopped(seen, [metric]) for metric in seen.run.analyses]
    return sorted({gate for gates in found for gate in gates}) if found and all(found) else []
