"""Sentences about chance and about being exceptional: statistically significant, an outlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats as distributions

from gpvar.analysis.position import FAR, USUAL
from gpvar.claims import rungs
from gpvar.claims.evidence import Evidence, Tested

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

#: Of the differences called more than chance, at most this part is chance (METHODS 10).
FALSE_DISCOVERIES = 0.05


def significant(seen: Evidence) -> Tested:
    """Return which conditions hold of a difference beside chance, with many practices tested at once."""
    sign = side_of(seen)
    tested = (rungs.RAW, *rungs.placed(seen))
    q = {rung: _q(seen, rung) for rung in tested}
    numbers: dict[str, Any] = {**rungs.differences(seen, sign), **rungs.explained(seen), **_as_far(seen)}
    numbers["z_counts"] = rungs.z_of_counts(seen)
    numbers |= {"q": q[rungs.RAW], "side": "low" if sign < 0 else "high"}
    numbers["q_adjusted"] = max((q[rung] for rung in tested[1:]), default=np.nan)
    beyond = {rung: _beyond_chance(seen, rung, sign, q[rung]) for rung in tested}
    holding = frozenset(_significant_holding(seen, sign, beyond, numbers))
    failing = numbers["adjusted_rung"] if beyond[rungs.RAW] and numbers["adjusted_rung"] else rungs.RAW
    numbers["could_have_been_missed"] = rungs.largest_left(seen, failing, sign)
    return Tested(holding, numbers, ("others_differ_as_much",))


def side_of(seen: Evidence) -> int:
    """Return the side that the letter names; where it names none, the side on which the raw figure is."""
    if seen.sign:
        return seen.sign
    return -1 if float(seen.rows[rungs.RAW]["link_residual"]) < 0.0 else 1


def _significant_holding(seen: Evidence, sign: int, beyond: dict[str, bool], numbers: dict[str, Any]) -> Iterable[str]:
    raw, adjusted = beyond[rungs.RAW], [beyond[rung] for rung in beyond if rung != rungs.RAW]
    if _other_side(seen, sign):
        yield "other_side" if rungs.surely_apart(seen, rungs.RAW) else "chance_unknown"
        return
    if not raw:
        yield "chance_raw"
        return
    usual = [rung for rung in beyond if beyond[rung] and not _outside(seen, rung, sign, USUAL)]
    known = not any(note.id == "no_months" for note in seen.analysis.notes)
    if not known and rungs.RAW in usual:
        yield "chance_unknown"
        return
    yield from rungs.patients_doing(seen, numbers)
    if not adjusted:
        yield "not_adjusted"
    elif all(adjusted):
        yield "more_than_chance" if known or not usual else "chance_unknown"


def _beyond_chance(seen: Evidence, rung: str, sign: int, q: float) -> bool:
    """Say whether the difference at a rung is more than chance, on the side named, with many practices tested."""
    return str(seen.rows[rung]["flag_sampling"]).startswith(_word(sign)) and q <= FALSE_DISCOVERIES


def _other_side(seen: Evidence, sign: int) -> bool:
    return str(seen.rows[rungs.RAW]["flag_sampling"]).startswith(_word(-sign))


def _word(sign: int) -> str:
    return "low" if sign < 0 else "high"


def _outside(seen: Evidence, rung: str, sign: int, limit: float) -> bool:
    return bool(sign * float(seen.rows[rung]["z"]) > limit)


def _q(seen: Evidence, rung: str) -> float:
    """Return the practice's p-value against chance alone, allowing for all practices and measures of the study."""
    families = [_tested(analysis.practices, seen, rung) for analysis in seen.run.analyses.values()]
    mine = float(seen.rows[rung]["z_sampling"])
    # The practice's own comes first: whoever is looked at was tested, ranked or not.
    z = np.concatenate([[mine], *families])
    return float(distributions.false_discovery_control(2.0 * distributions.norm.sf(np.abs(z)))[0])


def _tested(frame: pd.DataFrame, seen: Evidence, rung: str) -> np.ndarray:
    rows = frame[(frame["rung"] == rung) & (frame["comparator"] == seen.comparator) & frame["rank"].notna()]
    if frame is seen.analysis.practices:
        rows = rows[rows["practice_code"] != seen.claim.practice_code]
    return rows["z_sampling"].dropna().to_numpy(float)


def _as_far(seen: Evidence) -> dict[str, Any]:
    """Return how many of the practices compared are at least as far from the middle, on either side."""
    frame = seen.analysis.practices
    rows = frame[(frame["rung"] == rungs.RAW) & (frame["comparator"] == seen.comparator) & frame["rank"].notna()]
    others = rows[rows["practice_code"] != seen.claim.practice_code]["link_residual"].abs()
    own = abs(float(seen.rows[rungs.RAW]["link_residual"]))
    return {"as_far": int((others >= own).sum()), "compared": len(others)}


def outlier(seen: Evidence) -> Tested:
    """Return which conditions hold of a practice among practices as they are."""
    sign = side_of(seen)
    raw, spread, adjusted = seen.rows[rungs.RAW], seen.spread[rungs.RAW], rungs.placed(seen)
    first = adjusted[0] if adjusted else ""
    numbers: dict[str, Any] = {
        "difference": float(raw["difference"]),
        "side": "low" if sign < 0 else "high",
        "z_raw": float(raw["z"]),
        "z_adjusted": float(seen.rows[first]["z"]) if first else np.nan,
        "z_setting": float(seen.rows["M2"]["z"]) if "M2" in adjusted else np.nan,
        "lower_99_8": float(raw["lower_99_8"]),
        "upper_99_8": float(raw["upper_99_8"]),
        "beyond_99_8": int(spread["flagged_99_8"]),
        "expected_beyond": float(spread["expected_flags_99_8_normal"]),
        "compared": int(spread["n"]),
        **rungs.explained(seen),
    }
    # No other period is looked at: METHODS asks for one before a practice is called exceptional.
    return Tested(frozenset(_outlier_holding(seen, sign, adjusted, numbers)), numbers, ("one_period",))


def _outlier_holding(seen: Evidence, sign: int, adjusted: tuple[str, ...], numbers: dict[str, Any]) -> Iterable[str]:
    yield from ("other_side",) if _other_side(seen, sign) and rungs.surely_apart(seen, rungs.RAW) else ()
    yield from ("far_raw",) if _outside(seen, rungs.RAW, sign, FAR) else ()
    yield from ("outside_raw",) if _outside(seen, rungs.RAW, sign, USUAL) else ()
    yield from rungs.patients_doing(seen, numbers)
    inside = all(abs(float(seen.rows[rung]["z"])) <= USUAL for rung in (rungs.RAW, *adjusted))
    yield from ("inside_everywhere",) if inside else ()
    if not adjusted:
        yield "not_adjusted"
    elif _outside(seen, adjusted[0], sign, FAR) and all(_outside(seen, rung, sign, USUAL) for rung in adjusted):
        yield "far_adjusted"
