"""Sentences that are judged by odds: a place among practices, and a figure on one side of a line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats as distributions

from gpvar import catalogue
from gpvar.analysis.expected import inverse_link, link_of, sampling_variance
from gpvar.analysis.lasting import Lasting, lasting
from gpvar.claims import places, rungs
from gpvar.claims.always import period_of
from gpvar.claims.evidence import Evidence, Tested
from gpvar.stats import ranks, reliability

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpvar.catalogue import Target

LIKELY, UNLIKELY = 0.8, 0.2
TENTH = 0.10
_OUTER, _HALF = 0.25, 0.50
_ENDS = (0.025, 0.975)
#: How many models' draws are kept while a letter is checked: 50 to 150 MB each for England.
_KEPT = 3


def lasting_of(seen: Evidence, rung: str) -> Lasting:
    """Return the draws of a rung, made once for all sentences of a letter about a measure."""
    key = ("lasting", period_of(seen), seen.claim.metric, rung)
    if key not in seen.cache:
        older = [other for other in seen.cache if other[0] == "lasting"]
        for other in older[: len(older) + 1 - _KEPT]:
            del seen.cache[other]
        # Passing movement is asked for by thresholds alone, of the headline.
        seen.cache[key] = lasting(seen.run, seen.claim.metric, rung, with_passed=rung == seen.headline)
    found: Lasting = seen.cache[key]
    return found


def rank(seen: Evidence) -> Tested:
    """Return which conditions hold of a place among practices, and the odds of it."""
    if (slip := _slip(seen)) is not None:
        return Tested(frozenset({slip}), {"value": float(seen.rows[rungs.RAW]["value"])})
    tail, sign = tail_of(seen)
    numbers = {"tail": tail, "side": "low" if sign < 0 else "high", **_published(seen, tail, sign)}
    found = _rank(seen, tail, sign, numbers)
    return replace(found, beside=(*found.beside, *_place_beside(seen, numbers)))


def _rank(seen: Evidence, tail: float, sign: int, numbers: dict[str, Any]) -> Tested:
    effects = seen.analysis.effects
    if seen.claim.comparator == "england" and seen.run.study.reference.set != "england":
        return Tested(frozenset({"no_england"}), numbers)
    if effects.empty:
        return Tested(frozenset({"no_model"}), numbers)
    mine = effects[effects["practice_code"] == seen.claim.practice_code]
    if mine.empty:
        return Tested(frozenset({"outside_model"}), numbers | {"cause": _left_out_for(seen)})
    if (mine["rule"] == "sampling_only").any():
        return Tested(frozenset({"no_ranks"}), numbers)
    reliable = {rung: _reliability(seen, rung) for rung in (rungs.RAW, *rungs.placed(seen))}
    numbers |= {"reliability": reliable[rungs.RAW], **rungs.explained(seen)}
    if not _steady(reliable[rungs.RAW]):
        return Tested(frozenset({"unreliable"}), numbers)
    numbers |= _chances(seen, tail, sign, reliable)
    return Tested(frozenset(_rank_holding(seen, numbers, reliable)), numbers)


def _slip(seen: Evidence) -> str | None:
    """Return what keeps a place or a part of practices from being one."""
    claim = seen.claim
    if claim.place is not None and claim.of is not None:
        if not 0 < claim.place <= claim.of:
            return "no_counts"
        return "no_direction" if place_of(seen) is None else None
    if claim.threshold is not None and not 0.0 < claim.threshold.number < 100.0:
        return "no_threshold"
    return None


def _left_out_for(seen: Evidence) -> str:
    """Return why the model was not fitted on the practice: left_out, board or characteristic."""
    if not bool(seen.rows[rungs.RAW]["in_fit"]):
        return "left_out"
    boards = seen.run.table.hierarchy.set_index("practice_code")["icb_code"]
    return "characteristic" if boards.get(seen.claim.practice_code) else "board"


def place_of(seen: Evidence) -> int | None:
    """Return the letter's place from the side that it names; None where it does not tell from which end it counts.

    A place in the other half may be counted from the other end: the published figures say which, where they do.
    """
    claim = seen.claim
    assert claim.place is not None and claim.of
    if claim.place / claim.of <= _HALF:
        return claim.place
    here = places.place(seen, seen.comparator, seen.sign)
    readings = (claim.place, claim.of + 1 - claim.place)
    exact = [at for at in readings if _agrees(at, here) and claim.of == here["ranked"]]
    near = [at for at in readings if abs(at / claim.of - here["from_side"] / here["ranked"]) <= _OUTER]
    return exact[0] if exact else near[0] if len(near) == 1 else None


def _agrees(at: int, here: dict[str, Any]) -> bool:
    """Say whether a place is the published one; practices with the same figure share theirs."""
    return bool(here["from_side"] <= at < here["from_side"] + here["tied"])


def _place_beside(seen: Evidence, numbers: dict[str, Any]) -> Iterable[str]:
    """Yield what must be said beside a place of a league table that is not the published one."""
    if "place" not in numbers or not np.isfinite(numbers["from_side"]):
        return
    if numbers["of"] != numbers["ranked"]:
        yield "of_differs"
    if not _agrees(numbers["place"], numbers):
        yield "place_differs"


def tail_of(seen: Evidence) -> tuple[float, int]:
    """Return the tail that the letter means, as a share of practices, and its side.

    A place in a league table stands for the outer quarter that it is in, or else for its half.
    """
    claim = seen.claim
    if claim.place is not None and claim.of:
        at = (place_of(seen) or claim.place) / claim.of
        side = 1 if at <= _HALF else -1
        outer = at <= _OUTER or at > 1.0 - _OUTER
        return (_OUTER if outer else _HALF), side * seen.sign
    if claim.threshold is None:
        return TENTH, seen.sign
    return claim.threshold.number / 100.0, seen.sign


def _published(seen: Evidence, tail: float, sign: int) -> dict[str, Any]:
    """Return the place on the published figures, from either end, and whether it is in the tail."""
    numbers = places.place(seen, seen.comparator, sign) | places.cut(seen, tail, sign)
    inside = numbers["from_side"] <= numbers["cut_place"] if np.isfinite(numbers["from_side"]) else np.nan
    numbers |= {"in_tail": inside, "counted_from": "low" if sign < 0 else "high"}
    claim = seen.claim
    if claim.place is not None and claim.of:
        at = place_of(seen) or claim.place
        numbers |= {"place": at if sign == seen.sign else claim.of + 1 - at, "of": claim.of}
    return numbers


def _reliability(seen: Evidence, rung: str) -> float:
    """Return the reliability of the figure among the practices that the letter compares it with."""
    row, spread = seen.rows[rung], seen.spread[rung]
    kind = seen.card.kind
    centre = np.array([link_of(float(row["centre"]), kind)])
    sampling = sampling_variance(centre, np.array([float(row["denominator"])]), kind)
    moved = float(spread["transient"])
    return float(reliability.reliability(float(spread["tau2"]), sampling, 0.0 if np.isnan(moved) else moved)[0])


def _steady(reliable: float) -> bool:
    return reliability.rank_rule(reliable) != "none"


def _chances(seen: Evidence, tail: float, sign: int, reliable: dict[str, float]) -> dict[str, Any]:
    """Return the chance of the tail on the raw figures, and beside similar patients and settings where one is known."""
    headline = lasting_of(seen, seen.headline)
    raw = _place(seen, headline, headline.raw, tail, sign)
    found: dict[str, Any] = {
        "p_raw": raw.p, "rank_lower": raw.rank_lower, "rank_upper": raw.rank_upper, "among": raw.units
    }  # fmt: skip
    for name, rung in (("p_adjusted", "M1"), ("p_setting", "M2")):
        found[name] = np.nan
        if _steady(reliable.get(rung, 0.0)):
            drawn = lasting_of(seen, rung)
            found[name] = _place(seen, drawn, drawn.apart, tail, sign).p if _holds(seen, drawn) else np.nan
    return found


def _place(seen: Evidence, drawn: Lasting, values: np.ndarray, tail: float, sign: int) -> ranks.Place:
    """Return where the practice stands among the practices that the letter compares it with."""
    at = drawn.column[seen.claim.practice_code]
    if seen.comparator != "own_icb":
        return ranks.place(values, at, tail, top=sign > 0)
    boards = seen.run.table.hierarchy.set_index("practice_code")["icb_code"].reindex(drawn.practice_code)
    own = np.flatnonzero((boards == boards[seen.claim.practice_code]).to_numpy())
    return ranks.place(values[:, own], int(np.searchsorted(own, at)), tail, top=sign > 0)


def _holds(seen: Evidence, drawn: Lasting) -> bool:
    return seen.claim.practice_code in drawn.column


def _rank_holding(seen: Evidence, numbers: dict[str, Any], reliable: dict[str, float]) -> Iterable[str]:
    """Yield the conditions that hold of the odds; the adjusted ones where a rank may be stated at every rung."""
    adjusted = [numbers[name] for name in ("p_adjusted", "p_setting") if np.isfinite(numbers[name])]
    explained = bool(numbers["explained_share"] >= rungs.MOSTLY)
    yield from ("p_raw_high",) if numbers["p_raw"] >= LIKELY else ()
    yield from ("p_raw_low",) if numbers["p_raw"] <= UNLIKELY else ()
    yield from rungs.patients_doing(seen, numbers)
    yield from ("place_far",) if _place_far(numbers) else ()
    if len(reliable) == 1:
        yield "not_adjusted"
    elif len(adjusted) == len(reliable) - 1:
        yield from ("p_adjusted_high",) if min(adjusted) >= LIKELY else ()
        yield from ("p_adjusted_low",) if min(adjusted) <= UNLIKELY else ()
    elif not explained and numbers["p_raw"] > UNLIKELY and not all(map(_steady, reliable.values())):
        # What is left after adjustment is too unsteady to rank, and so neither bears the statement out nor refutes it.
        numbers["reliability"] = min(reliable.values())
        yield "unreliable"
    elif not explained and numbers["p_raw"] > UNLIKELY:
        numbers["cause"] = "characteristic"
        yield "outside_model"


def _place_far(numbers: dict[str, Any]) -> bool:
    """Say whether the letter's place is neither the published one nor one that the lasting figure can have."""
    if "place" not in numbers or _agrees(numbers["place"], numbers):
        return False
    among = numbers["among"]
    at = numbers["place"] / numbers["of"] * among
    from_lowest = at if numbers["side"] == "low" else among + 1 - at
    return not numbers["rank_lower"] - 1 <= from_lowest <= numbers["rank_upper"] + 1


def threshold(seen: Evidence) -> Tested:
    """Return which conditions hold of a figure on one side of a line, and the odds of it."""
    row = seen.rows[rungs.RAW]
    numbers: dict[str, Any] = {"value": float(row["value"]), "denominator": float(row["denominator"])}
    line, target = _line(seen)
    if line is None:
        return Tested(frozenset({"no_threshold"}), numbers)
    sign = _side(seen, target)
    numbers |= {"threshold": line, "side": "low" if sign < 0 else "high", **_about(target)}
    numbers |= _posterior(seen, line, sign) | _reached(seen, line, sign) | rungs.explained(seen)
    numbers["england_share"] = _share_of_england(seen, line, sign)
    day = seen.run.study.period.last_day
    if target is not None and target.announced > day:
        return Tested(frozenset({"target_not_announced"}), numbers)
    holding = {"p_high"} if numbers["p"] >= LIKELY else {"p_low"} if numbers["p"] <= UNLIKELY else set()
    # What belongs to a target or a payment is owed whatever the patients; another line is a comparison.
    reach = sign * (numbers["adjusted"] - line) < 0.0
    own_line = target is None and seen.template.id != "payment"
    if own_line and reach and numbers["explained_share"] >= rungs.MOSTLY:
        holding.add("patients_reach_it")
    beside = ["many_on_that_side", *(["patients_would_reach_it"] if reach and "p_high" in holding else [])]
    beside += ["threshold_is_the_boards_own"] if target is None else []
    beside += ["target_not_due"] if target is not None and not target.is_due(day) else []
    return Tested(frozenset(holding), numbers, tuple(beside))


def _line(seen: Evidence) -> tuple[float | None, Target | None]:
    """Return the line, and the target that it is: the letter's, or else the one of the measure.

    A sentence about a target is held to one that had not been announced, so that this can be said; any other line at
    that height was then the board's own.
    """
    written = None if seen.claim.threshold is None else seen.in_raw_unit(seen.claim.threshold)
    own = [target for target in catalogue.targets().values() if target.metric == seen.claim.metric]
    if not own:
        return written, None
    in_force = catalogue.target(seen.claim.metric, seen.run.study.period.last_day)
    known = [in_force] if in_force else []
    if seen.template.id == "below_target":
        known += [target for target in own if target.announced > seen.run.study.period.last_day]
    if seen.claim.threshold is not None:
        half = seen.half_digit(seen.claim.threshold)
        return written, next((target for target in known if abs(target.value - float(written or 0)) <= half), None)
    # Only a sentence about a target may leave its line out.
    target = known[0] if known and seen.template.id == "below_target" else None
    return (target.value if target else None), target


def _side(seen: Evidence, target: Target | None) -> int:
    """Return the side of the line that the letter puts the practice on."""
    if target is not None and not seen.claim.direction:
        return -1 if target.comparison == "at least" else 1
    return seen.sign


def _about(target: Target | None) -> dict[str, Any]:
    if target is None:
        return {"target": "", "announced": "", "due": ""}
    return {"target": target.id, "announced": target.announced.isoformat(), "due": target.due.isoformat()}


def _posterior(seen: Evidence, line: float, sign: int) -> dict[str, Any]:
    """Return the chance that the period's own figure lies beyond a line, and its 95 % interval.

    By the model of the headline where the practice took part in it; else by its own counts alone (Jeffreys).
    """
    if not seen.analysis.effects.empty:
        drawn = lasting_of(seen, seen.headline)
        if _holds(seen, drawn):
            figure = inverse_link(drawn.own_period(seen.claim.practice_code), drawn.kind)
            lower, upper = np.quantile(figure, _ENDS)
            return {"p": float(np.mean(sign * (figure - line) > 0)), "interval_lower": lower, "interval_upper": upper}
    row = seen.rows[rungs.RAW]
    count, base = float(row["observed"]), float(row["denominator"])
    if seen.card.kind == "proportion":
        own = distributions.beta(count + 0.5, base - count + 0.5)
    else:
        own = distributions.gamma(count + 0.5, scale=1.0 / base)
    lower, upper = own.ppf(_ENDS)
    chance = own.cdf(line) if sign < 0 else own.sf(line)
    return {"p": float(chance), "interval_lower": float(lower), "interval_upper": float(upper)}


def _reached(seen: Evidence, line: float, sign: int) -> dict[str, Any]:
    """Return the figure with England's mix of patients, or settings, and how much of the way to the line it has gone.

    Nothing has gone where the figure is on the other side of the line already.
    """
    value = float(seen.rows[rungs.RAW]["value"])
    adjusted = {rung: float(seen.rows[rung]["adjusted"]) for rung in rungs.placed(seen)}
    rung = min(adjusted, key=lambda each: sign * adjusted[each], default="")
    missing = sign * (value - line)
    gone = sign * (value - adjusted[rung]) / missing if rung and missing > 0 else 0.0
    return {"adjusted": adjusted.get(rung, np.nan), "adjusted_rung": rung, "gone": gone}


def _share_of_england(seen: Evidence, line: float, sign: int) -> float:
    """Return the share of England's practices with sound figures that are on that side of the line."""
    frame = seen.analysis.practices
    rows = frame[(frame["rung"] == rungs.RAW) & (frame["comparator"] == "england") & frame["rank"].notna()]
    values = rows["value"].to_numpy(float)
    return float(np.mean(sign * (values - line) > 0)) if len(values) else float("nan")
