"""Which function carries out which test of the decision table."""

from __future__ import annotations

from collections.abc import Callable

from gpvar.claims import change, group, many, margin, odds, peers, standing, supply, variation
from gpvar.claims.evidence import Evidence, Tested

#: Test → what looks at the evidence and says which conditions hold.
TESTS: dict[str, Callable[[Evidence], Tested]] = {
    "rank": odds.rank,
    "threshold": odds.threshold,
    "margin": margin.margin,
    "significant": standing.significant,
    "outlier": standing.outlier,
    "change": change.change,
    "no_improvement": change.no_improvement,
    "worst_improved": group.worst_improved,
    "many": many.many,
    "fold": variation.fold,
    "opportunity": variation.opportunity,
    "exemplar": peers.exemplar,
    "joint": peers.joint,
    "ratio": supply.ratio,
    "association": supply.association,
}
