"""Sentences about how many patients there are for each doctor, and about figures that go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar import catalogue
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.stops import stopped

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Doctors counted, from the fewest (without doctors in training and locums) to all of them.
_FEWEST, _ALL = "gp_fte", "all_gp_fte"
_DOCTORS = (_FEWEST, _ALL)
_LISTS = ("registered", "weighted")
_RESOURCE = "gps_per_patient"


def ratio(seen: Evidence) -> Tested:
    """Return whether the patients for each doctor are above a line whichever doctors and patients are counted.

    Notes
    -----
    Nothing is allowed for and nothing compared: it is a statement about supply.
    """
    if gates := stopped(seen):
        return Tested(frozenset({"stop_gate"}), {"gates": gates})
    found = _ratios(_facts(seen))
    if not found:
        return Tested(frozenset({"no_workforce"}))
    line = np.nan if seen.claim.threshold is None else float(seen.claim.threshold.number)
    written = np.nan if seen.claim.figure is None else float(seen.claim.figure.number)
    low, high = min(found.values()), max(found.values())
    numbers: dict[str, Any] = {
        "ratio": next(iter(found.values())),
        "ratio_low": low,
        "ratio_high": high,
        "line": line,
        "written": written,
        "definitions": list(found),
        "ratios": list(found.values()),
        **_among_others(seen),
    }
    half = 0.0 if seen.claim.figure is None else 0.5 * 10.0**-seen.claim.figure.decimals
    beside = ["one_definition"] if len({name.split(" ")[0] for name in found}) == 1 else []
    if np.isfinite(written) and not low - half <= written <= high + half:
        beside.append("ratio_differs")
    if not np.isfinite(line):
        return Tested(frozenset({"no_threshold"}), numbers, tuple(beside))
    return Tested(frozenset(_side(found, line)), numbers, tuple(beside))


def _side(found: Mapping[str, float], line: float) -> set[str]:
    """Return the side of the line on which every ratio lies, where the count that could be beyond it is known."""
    counted = {name.split(" ")[0] for name in found}
    if min(found.values()) > line and _ALL in counted:
        return {"ratio_above"}
    return {"ratio_below"} if max(found.values()) <= line and _FEWEST in counted else set()


def _facts(seen: Evidence) -> dict[str, float]:
    practices = seen.run.table.practices
    row = practices[practices["practice_code"] == seen.claim.practice_code]
    wanted = (*_DOCTORS, "list_size", "registered_list", "weighted_list")
    return {name: float(row[name].iloc[0]) for name in wanted if name in row}


def _ratios(facts: Mapping[str, float]) -> dict[str, float]:
    """Return patients for each doctor by which doctors and which patients are counted, where both are known."""
    # As on the page of need and staff: the study's own list, as the national formula weighs it.
    registered = facts.get("registered_list", np.nan)
    weight = facts.get("weighted_list", np.nan) / registered if registered > 0.0 else np.nan
    lists = dict(zip(_LISTS, (facts.get("list_size", np.nan), facts.get("list_size", np.nan) * weight), strict=True))
    known = {
        f"{doctors} {name}": patients / facts[doctors]
        for doctors in _DOCTORS
        for name, patients in lists.items()
        if facts.get(doctors, 0.0) > 0.0
    }
    return {name: value for name, value in known.items() if np.isfinite(value) and value > 0.0}


def _among_others(seen: Evidence) -> dict[str, Any]:
    """Return where the ratio of registered patients lies among the practices compared; NaN outside the area."""
    for analysis in seen.run.analyses.values():
        owned = analysis.resources
        row = owned[(owned["resource"] == _RESOURCE) & (owned["practice_code"] == seen.claim.practice_code)]
        if len(row) and np.isfinite(float(row["percentile"].iloc[0])):
            first, per = row.iloc[0], float(catalogue.resources()[_RESOURCE].per)
            # Few doctors for each patient are many patients for each doctor.
            return {
                "percentile": 100.0 - float(first["percentile"]),
                "england_middle": per / float(first["median"]),
                "compared": int(first["compared"]),
                "dated": str(first["dated"]),
            }
    return {"percentile": np.nan, "england_middle": np.nan, "compared": 0, "dated": ""}


def association(seen: Evidence) -> Tested:
    """Return nothing that would decide: figures that go together across practices show no cause in any of them."""
    return Tested(frozenset())
