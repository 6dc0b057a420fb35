"""Sentences about a whole area: several-fold variation, and the gain if all reached the best fifth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar.claims import area
from gpvar.claims.evidence import Evidence, Tested
from gpvar.claims.stops import stopped
from gpvar.stats import reliability

if TYPE_CHECKING:
    import pandas as pd

_LEAST = 2
_FAR = 1.25
_NEAR = 0.01
_HALF = 0.5
_TENTHS = (0.1, 0.9)
#: Weeks in other times of which a sum may be.
_TIMES = {"month": 365.25 / 7.0 / 12.0, "year": 365.25 / 7.0}
_ENDS = (0.025, 0.5, 0.975)
#: Components of the variance → how they are told.
_TOLD = {
    "share_chance": ("noise", "passing"),
    "share_need": ("need",),
    "share_setting": ("context",),
    "share_place": ("neighbours",),
    "share_own": ("practice",),
}


def fold(seen: Evidence) -> Tested:
    """Return where the variation behind a several-fold range comes from, and how wide it is without chance."""
    everyone = area.figures(seen)
    here = everyone[everyone["area"]]
    if gates := stopped(seen, [seen.claim.metric]):
        return Tested(frozenset({"stop_gate"}), {"gates": gates})
    if len(here) < _LEAST or seen.claim.figure is None:
        return Tested(frozenset({"no_figure"}))
    left_out = int((~here["sound"]).sum())
    numbers: dict[str, Any] = {
        "fold": seen.claim.figure.number,
        "fold_now": _range(here["value"]),
        "zeros": int((here["value"] == 0.0).sum()),
        "fold_middle": _over(*np.quantile(here["value"], _TENTHS[::-1])),
        "practices": len(here),
        "left_out": left_out,
        "fold_sound": _range(here.loc[here["sound"], "value"]),
        **_shares(seen),
        **_lasting_fold(seen, everyone),
        "reliability": _reliability(seen, here["practice_code"]),
    }
    beside = ["practices_left_out"] if left_out else []
    beside += [*(["zeros_left_out"] if numbers["zeros"] else []), *area.area_of(seen)[1]]
    if np.isfinite(numbers["share_own"]):
        beside.append("shares_of_england")
    return Tested(frozenset(_fold_conditions(numbers, area.months_known(seen))), numbers, tuple(beside))


def _fold_conditions(numbers: dict[str, Any], months_known: bool) -> set[str]:
    found = {"fold_far"} if numbers["fold"] > _FAR * numbers["fold_now"] else set()
    own = numbers["share_own"] + numbers["share_place"]
    if not np.isfinite(own):
        return found | {"no_shares"}
    if own < _HALF:
        return found | {"mostly_patients"}
    if not months_known:
        # What passes from month to month is then a part of what looks like the practices' own.
        return found | {"no_months"}
    return found | ({"mostly_own"} if numbers["reliability"] >= reliability.NO_RANK_BELOW else set())


def _over(high: float, low: float) -> float:
    """Return how many times as high; infinite over nought."""
    return float(high / low) if low > 0 else float("inf")


def _range(values: pd.Series) -> float:
    """Return the largest figure over the smallest, those of nought left out: nothing is a multiple of them."""
    above = values[values > 0.0]
    return _over(above.max(), above.min()) if len(above) else float("nan")


def _shares(seen: Evidence) -> dict[str, float]:
    """Return the parts of the variance of England's figures; NaN where they were not split."""
    shares = seen.analysis.shares
    if shares.empty:
        return dict.fromkeys(_TOLD, float("nan"))
    known = shares.set_index("component")["share"]
    return {name: float(known.reindex(parts).fillna(0.0).sum()) for name, parts in _TOLD.items()}


def _lasting_fold(seen: Evidence, everyone: pd.DataFrame) -> dict[str, float]:
    """Return the ninth tenth over the first of what lasts of the figures, with its interval over draws."""
    names = ("fold_lasting_lower", "fold_lasting", "fold_lasting_upper")
    values = area.drawn(seen, everyone).value if area.has_model(seen) else np.empty((0, 0))
    if values.shape[1] < _LEAST:
        return dict.fromkeys(names, float("nan"))
    low, high = np.quantile(values, _TENTHS, axis=1)
    return dict(zip(names, map(float, np.quantile(high / low, _ENDS)), strict=True))


def _reliability(seen: Evidence, codes: pd.Series) -> float:
    """Return the middle of the practices' reliabilities; NaN where that of sampling alone is known."""
    effects = seen.analysis.effects
    own = effects[(effects["rung"] == seen.headline) & effects["practice_code"].isin(codes)]
    if own.empty or not area.months_known(seen):
        return float("nan")
    return float(own["reliability"].median())


def opportunity(seen: Evidence) -> Tested:
    """Return what all practices short of the best fifth are short of in a week, with and without chance.

    Notes
    -----
    The side that the letter names is the one on which the best fifth lies: the way in which figures ought to move. The
    fifth is that of the area where the letter compares within it, else that of all practices compared.
    """
    everyone = area.figures(seen)
    here = everyone[everyone["area"]]
    if gates := stopped(seen, [seen.claim.metric]):
        return Tested(frozenset({"stop_gate"}), {"gates": gates})
    if not seen.sign:
        return Tested(frozenset({"no_direction"}))
    # A gain of nought says nothing that a sum could bear out.
    if here.empty or seen.claim.figure is None or seen.claim.figure.number <= 0:
        return Tested(frozenset({"no_figure"}))
    among = everyone["sound"] & (everyone["area"] if seen.comparator == "own_icb" else everyone["compared"])
    best = _edge(everyone.loc[among, "value"].to_numpy()[None, :], seen.sign)
    numbers: dict[str, Any] = {
        "written": seen.claim.figure.number,
        "raw_sum": float(_short(here["value"].to_numpy()[None, :], best, here, seen.sign)[0]),
        "best": float(best[0]),
        "practices": len(here),
        "left_out": int((~here["sound"]).sum()),
    }
    if not area.has_model(seen):
        return Tested(frozenset({"no_model"}), numbers)
    sums = _lasting_sums(seen, everyone, best)
    lower, middle, upper = np.quantile(sums, _ENDS)
    numbers |= {"lasting_sum": float(middle), "lasting_lower": float(lower), "lasting_upper": float(upper)}
    beside = ["sum_is_a_week", *(["practices_left_out"] if numbers["left_out"] else []), *area.area_of(seen)[1]]
    half = 0.5 * 10.0**-seen.claim.figure.decimals
    # A sum that is the week's raw one is a week's.
    a_week = abs(numbers["written"] - numbers["raw_sum"]) <= half + _NEAR * numbers["raw_sum"]
    numbers["fits_as"] = "" if a_week else _fits_as(numbers["written"], half, (lower, upper))
    holding = {"fits_other_time"} if numbers["fits_as"] else {_where(numbers["written"], half, (lower, upper))}
    if not area.months_known(seen):
        holding.add("no_months")
    return Tested(frozenset(holding), numbers, tuple(beside))


def _where(written: float, half: float, ends: tuple[float, float]) -> str:
    return "overstated" if written > ends[1] + half else "below_sum" if written < ends[0] - half else "within_sum"


def _fits_as(written: float, half: float, ends: tuple[float, float]) -> str:
    """Return of which other time the sum would be right, where it is too much for a week."""
    if _where(written, half, ends) != "overstated":
        return ""
    fitting = [name for name, weeks in _TIMES.items() if _where(written / weeks, half / weeks, ends) == "within_sum"]
    return next(iter(fitting), "")


def _edge(values: np.ndarray, sign: int) -> np.ndarray:
    """Return where the best fifth begins, in each row."""
    return np.asarray(np.quantile(values, 1.0 - area.FIFTH if sign > 0 else area.FIFTH, axis=1))


def _short(values: np.ndarray, best: np.ndarray, practices: pd.DataFrame, sign: int) -> np.ndarray:
    """Return how many events a week practices are short of the best fifth, added up in each row."""
    gaps = np.maximum(sign * (best[:, None] - values), 0.0)
    return np.asarray(gaps @ (practices["denominator"] / practices["weeks"]).to_numpy())


def _lasting_sums(seen: Evidence, everyone: pd.DataFrame, best: np.ndarray) -> np.ndarray:
    """Return the sum in each draw; practices that the model was not fitted on keep their gaps as they stand."""
    drawn = area.drawn(seen, everyone)
    here = everyone[everyone["area"] & everyone["sound"]].set_index("practice_code")
    sums = _short(drawn.value, drawn.best[seen.sign, seen.comparator], here.loc[drawn.practice_code], seen.sign)
    rest = here.drop(drawn.practice_code)
    return np.asarray(sums + _short(rest["value"].to_numpy()[None, :], best, rest, seen.sign))
