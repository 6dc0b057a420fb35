"""Sentences about a difference that ought to matter: below an average, too few, a low user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.claims import places, rungs
from gpvar.claims.always import margin_of
from gpvar.claims.evidence import Evidence, Tested

if TYPE_CHECKING:
    from collections.abc import Iterable


def margin(seen: Evidence) -> Tested:
    """Return which conditions hold of a difference beside the margin of the measure's card."""
    sign = seen.sign
    numbers: dict[str, Any] = {"margin": margin_of(seen), **rungs.differences(seen, sign), **rungs.explained(seen)}
    numbers |= {"z_counts": rungs.z_of_counts(seen), **places.averages(seen)}
    holding = frozenset(_holding(seen, sign, numbers))
    # What could have been missed is what is left where the statement fails first.
    failing = numbers["adjusted_rung"] if "beyond_raw" in holding and numbers["adjusted_rung"] else rungs.RAW
    numbers["could_have_been_missed"] = rungs.largest_left(seen, failing, sign)
    own = ("threshold_is_the_boards_own",) if seen.claim.threshold is not None else ()
    return Tested(holding, numbers, own)


def _holding(seen: Evidence, sign: int, numbers: dict[str, Any]) -> Iterable[str]:
    near, far = rungs.ends(seen, rungs.RAW, sign)
    edge = numbers["margin"]
    adjusted = rungs.placed(seen)
    # The sentence is about the figure of its period, not about what lasts: without months it is judged all the same,
    # and that chance could not be told from passing movement is said beside it.
    yield from ("inside_margin",) if -edge < near and far < edge else ()
    yield from ("other_side",) if far < 0.0 else ()
    yield from ("beyond_raw",) if near > edge else ()
    yield from rungs.patients_doing(seen, numbers)
    if not adjusted:
        yield "not_adjusted"
        return
    within = {rung: (*rungs.ends(seen, rung, sign), margin_of(seen, rung)) for rung in adjusted}
    yield from ("beyond_adjusted",) if all(close > edge for close, _, edge in within.values()) else ()
    yield from ("adjusted_inside_margin",) if any(wide < edge for _, wide, edge in within.values()) else ()
