"""Sentences about practices like one's own, and about requests and referrals together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from gpvar import design
from gpvar.analysis.expected import link_of
from gpvar.analysis.observed import outcomes_of
from gpvar.claims import always, rungs
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.margin import margin
from gpvar.stats import intervals, neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUESTS, REFERRALS = "ag_requests_per_1000", "referrals_per_1000"
#: Of ten neighbours none can be found to reach a figure without ruling out that a fifth would; of thirty one may, of
#: forty three: in the trial sentences that are false are refuted more often, and true ones are found as often.
NEAREST = 40
_FEWEST = 10
#: Neighbours are at most this part of the practices they are taken from, or they are not near.
_PART = 20
_MANY, _SOME = 0.20, 0.05
_ENDS_TO_SD = 2.0 * 1.959964


def exemplar(seen: Evidence) -> Tested:
    """Return how many of the practices most like it in patients and setting reach a figure."""
    if seen.claim.threshold is None:
        return Tested(frozenset({"no_threshold"}))
    threshold = seen.in_raw_unit(seen.claim.threshold)
    near = neighbours_of(seen)
    numbers: dict[str, Any] = {"threshold": threshold}
    if near.empty:
        return Tested(frozenset({"no_neighbours"}), numbers)
    reached = _reach(near["value"], threshold, seen.sign)
    share = float(reached.mean())
    lower, upper = intervals.wilson(int(reached.sum()), len(near))
    frame = seen.analysis.practices
    everyone = frame[(frame["rung"] == rungs.RAW) & (frame["comparator"] == "england") & frame["rank"].notna()]
    numbers |= {
        "neighbours": len(near),
        "reach": int(reached.sum()),
        "share": share,
        "share_lower": float(lower),
        "share_upper": float(upper),
        "lasting_share": _lasting_share(seen, near["practice_code"], threshold),
        "similar_share": _similar_share(seen, threshold),
        "england_share": float(_reach(everyone["value"], threshold, seen.sign).mean()),
    }
    by_chance = numbers["lasting_share"] < _MANY
    holding = set()
    if share >= _MANY and numbers["share_lower"] > _SOME and not by_chance:
        holding.add("many_reach")
    if numbers["share_upper"] < _MANY:
        holding.add("few_reach")
    own, surely = _reaches_itself(seen, threshold)
    if surely:
        # The sentence puts it on the side on which it is not.
        return Tested(frozenset({"no_direction"}), numbers)
    said = {"reaches_itself": own, "reached_by_chance": by_chance and share >= _MANY}
    return Tested(frozenset(holding), numbers, tuple(name for name, holds in said.items() if holds))


def _reaches_itself(seen: Evidence, threshold: float) -> tuple[bool, bool]:
    """Say whether the practice's own figure reaches it, and whether the whole of its interval does."""
    row = seen.rows[rungs.RAW]
    ends = [float(row["centre"]) + float(row[f"difference_{end}"]) for end in ("lower", "upper")]
    own, *both = _reach(pd.Series([float(row["value"]), *ends]), threshold, seen.sign)
    return bool(own), bool(own and all(both))


def _reach(values: pd.Series, threshold: float, sign: int) -> pd.Series:
    """Return who reaches a figure, of which the letter says that the practice lies on its side `sign`."""
    return values >= threshold if sign < 0 else values <= threshold


def neighbours_of(seen: Evidence) -> pd.DataFrame:
    """Return the practices nearest in patients and setting, nearest first, with their figures.

    Notes
    -----
    As `gpvar.analysis.neighbours.nearest_to`, of more than the ten that a page shows.
    """
    nothing = pd.DataFrame({"practice_code": [], "value": []})
    analysis, table = seen.analysis, seen.run.table
    covariates = analysis.meta["covariates"]
    top = next((rung for rung in ("M2", "M1") if rung in analysis.meta["rungs"] and covariates[rung]), "")
    if not top:
        return nothing
    codes = outcomes_of(table, seen.claim.metric)["practice_code"]
    frame = analysis.practices
    raw = frame[(frame["rung"] == rungs.RAW) & (frame["comparator"] == "england")].set_index("practice_code").loc[codes]
    practices = table.practices.set_index("practice_code").loc[codes].reset_index()
    made = design.build(practices, covariates[top], raw["in_fit"].to_numpy(bool))
    own = (codes == seen.claim.practice_code).to_numpy()
    there = made.complete & (raw["rank"].notna().to_numpy() | own)
    k = min(NEAREST, (int(there.sum()) - 1) // _PART)
    if not (there & own).any() or k < _FEWEST or made.matrix.shape[1] < 2:
        return nothing
    at = np.flatnonzero(there)
    rows, _ = neighbours.nearest(made.matrix[at, 1:], np.flatnonzero(own[at]), k)
    found = raw.iloc[at[rows[0]]]
    return pd.DataFrame({"practice_code": found.index.to_numpy(str), "value": found["value"].to_numpy(float)})


def _lasting_share(seen: Evidence, codes: pd.Series, threshold: float) -> float:
    """Return the expected share of practices whose lasting figure reaches; NaN where what passes is not known."""
    effects = seen.analysis.effects
    rows = effects[(effects["rung"] == rungs.RAW) & effects["practice_code"].isin(codes)]
    if rows.empty or (rows["rule"] == "sampling_only").any():
        return float("nan")
    kind = seen.card.kind
    middle, lower, upper = (_links(rows[f"shrunken{end}"], kind) for end in ("", "_lower", "_upper"))
    gap = (middle - _line(threshold, kind)) * (1 if seen.sign < 0 else -1)
    return float(np.mean(special.ndtr(gap / ((upper - lower) / _ENDS_TO_SD))))


def _line(threshold: float, kind: str) -> float:
    """Return where a figure to reach stands on the link scale; without end where it is nought or all."""
    ends = {0.0: -np.inf, 1.0: np.inf} if kind == "proportion" else {0.0: -np.inf}
    return ends[threshold] if threshold in ends else link_of(threshold, kind)


def _links(values: pd.Series, kind: str) -> np.ndarray:
    numbers = values.to_numpy(float)
    return np.asarray(special.logit(numbers) if kind == "proportion" else np.log(numbers))


def _similar_share(seen: Evidence, threshold: float) -> float:
    """Return the share of practices with its expectation that reach, by the judged spread and what passes."""
    row, spread = seen.rows.get(seen.headline, {}), seen.spread[seen.headline]
    centre = float(row.get("centre", np.nan))
    around = float(spread["tau2"]) + float(np.nan_to_num(spread["transient"]))
    if not (np.isfinite(centre) and around > 0.0):
        return float("nan")
    gap = link_of(centre, seen.card.kind) - _line(threshold, seen.card.kind)
    return float(special.ndtr(gap * (1 if seen.sign < 0 else -1) / np.sqrt(around)))


def joint(seen: Evidence) -> Tested:
    """Return whether requests for advice are low and referrals high, each as a sentence about a margin is judged."""
    if not {REQUESTS, REFERRALS} <= set(seen.run.analyses):
        return Tested(frozenset({"no_referrals"}))
    parts = {"requests": _part(seen, REQUESTS, "low"), "referrals": _part(seen, REFERRALS, "high")}
    for part in parts.values():
        first = always.tested(part)
        if first.holding:
            return first
    judged = {name: margin(part) for name, part in parts.items()}
    numbers: dict[str, Any] = {}
    for name, one in judged.items():
        numbers |= {f"{name}_{end}": one.numbers[f"difference_{end}"] for end in ("lower", "upper")}
        numbers[f"{name}_difference"] = one.numbers["difference"]
        numbers[f"{name}_adjusted"] = one.numbers["adjusted_difference"]
        numbers[f"{name}_margin"] = one.numbers["margin"]
    said = [always.tested(part).beside for part in parts.values()]
    own = ("ag_share_holds_referrals",) if seen.claim.metric == "ag_share" else ()
    beside = dict.fromkeys((*(name for names in said for name in names), *own))
    return Tested(frozenset(_together(parts, [one.holding for one in judged.values()])), numbers, tuple(beside))


def _part(seen: Evidence, metric: str, direction: str) -> Evidence:
    """Return the evidence of half of the sentence, as a sentence of its own about a difference."""
    claim = replace(
        seen.claim, template="below_mean", metric=metric, direction=direction, figure=None, comparator_figure=None,
        threshold=None,
    )  # fmt: skip
    return Evidence(claim, seen.run, seen.cache)


def _together(parts: dict[str, Evidence], holding: list[frozenset[str]]) -> Iterable[str]:
    if all("beyond_raw" in each for each in holding):
        yield "both_beyond_raw"
    if all("beyond_adjusted" in each and "in_line" not in each for each in holding):
        yield "both_beyond"
    if any(rungs.ends(part, rungs.RAW, part.sign)[1] < always.margin_of(part) for part in parts.values()):
        yield "one_inside"
    if any("not_adjusted" in each for each in holding):
        yield "not_adjusted"
    if any(each & {"adjusted_inside_margin", "in_line", "mostly_explained"} for each in holding):
        yield "one_inside_adjusted"
