"""What the rungs of the ladder say of one practice, as the tests of a letter's sentences ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar.analysis.expected import link_of, sampling_variance
from gpvar.analysis.position import USUAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpvar.claims.evidence import Evidence

RAW = "M0"
#: From this share of the raw gap on, a statement is not one about the practice alone (METHODS 11).
MOSTLY = 0.5


def placed(seen: Evidence) -> tuple[str, ...]:
    """Return the adjusted rungs at which the practice could be placed: all its characteristics are known."""
    rows = seen.rows
    return tuple(
        rung for rung in seen.adjusted_rungs if rung in rows and np.isfinite(float(rows[rung]["link_residual"]))
    )


def ends(seen: Evidence, rung: str, sign: int) -> tuple[float, float]:
    """Return the interval of the difference, turned so that it is positive on the side named: near and far end."""
    row = seen.rows[rung]
    turned = [sign * float(row[name]) for name in ("difference_lower", "difference_upper")]
    return min(turned), max(turned)


def weakest(seen: Evidence, sign: int) -> str:
    """Return the adjusted rung at which least of the difference is left on the side named; empty without one."""
    return min(placed(seen), key=lambda rung: sign * float(seen.rows[rung]["difference"]), default="")


def explained(seen: Evidence) -> dict[str, Any]:
    """Return how much of the raw gap is also seen with similar patients or settings, and at which rung the most.

    The row's own share is blank unless the raw figure is outside the usual range; a sentence about the lowest tenth
    can be right of a practice inside it.
    """
    raw = float(seen.rows[RAW]["link_residual"])
    if not np.isfinite(raw) or raw == 0.0:
        return {"explained_share": np.nan, "explained_share_shown": np.nan, "explained_rung": ""}
    shares = {rung: 1.0 - float(seen.rows[rung]["link_residual"]) / raw for rung in placed(seen)}
    rung = max(shares, key=lambda each: shares[each], default="")
    return {
        "explained_share": shares.get(rung, np.nan),
        "explained_share_shown": _shown(seen, rung),
        "explained_rung": rung,
    }


def _shown(seen: Evidence, rung: str) -> float:
    """Return the share of the raw difference that is explained in the unit in which figures are printed."""
    raw = float(seen.rows[RAW]["difference"])
    return 1.0 - float(seen.rows[rung]["difference"]) / raw if rung and raw else float("nan")


def patients_doing(seen: Evidence, numbers: dict[str, Any]) -> Iterable[str]:
    """Yield whether most of the raw gap is explained, and whether what is left is no more than is usual.

    The practice's page then says that it is in line with its patients, and a finding may not say otherwise.
    """
    if numbers["explained_share"] >= MOSTLY:
        yield "mostly_explained"
        if abs(float(seen.rows[numbers["explained_rung"]]["z"])) <= USUAL:
            yield "in_line"


def differences(seen: Evidence, sign: int) -> dict[str, Any]:
    """Return the raw difference with its interval, and the adjusted one of which least is left."""
    numbers: dict[str, Any] = {"adjusted_rung": weakest(seen, sign)}
    raw, adjusted = seen.rows[RAW], seen.rows.get(numbers["adjusted_rung"], {})
    for end in ("", "_lower", "_upper"):
        numbers[f"difference{end}"] = float(raw[f"difference{end}"])
        numbers[f"adjusted{end or '_difference'}"] = float(adjusted.get(f"difference{end}", np.nan))
    return numbers


def surely_apart(seen: Evidence, rung: str) -> bool:
    """Say whether a difference can be told from chance: passing movement is known, or the usual range is left behind.

    The spread among practices holds what passes, known or not, so that nobody is outside it by that alone.
    """
    known = not any(note.id == "no_months" for note in seen.analysis.notes)
    return known or abs(float(seen.rows[rung]["z"])) > USUAL


def z_of_counts(seen: Evidence) -> float:
    """Return the raw difference over its standard error by sampling alone: the usual test of counts."""
    row, kind = seen.rows[RAW], seen.card.kind
    centre = np.array([link_of(float(row["centre"]), kind)])
    error = np.sqrt(sampling_variance(centre, np.array([float(row["denominator"])]), kind))
    return float(row["link_residual"]) / float(error[0])


def largest_left(seen: Evidence, rung: str, sign: int) -> float:
    """Return the largest difference on the side named that the interval at a rung still holds, with its sign."""
    return sign * max(ends(seen, rung, sign)[1], 0.0)
