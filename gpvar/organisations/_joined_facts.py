"""What the list and characteristics of two practices are together, once they are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.study import Period, months_between

SIZE = "list_size"
_JUMP, _CHANGES = "list_jump_pct", "supplier_changes"
#: Numbers of a practice that add up, besides the numerators and denominators.
_SUMS = ("ag_claims", "ag_cap")


def months_before(event: Any, period: Period) -> int:
    """Return how many months of the period begin before an event."""
    whole = months_between(period.start, event.date[:7]) + (event.date[8:] != "01")
    return min(max(whole, 0), period.months)


def lists_by_month(monthly: pd.DataFrame | None, codes: set[str]) -> dict[str, pd.Series]:
    """Return each practice's lists by month; nothing where there are no months."""
    if monthly is None:
        return {}
    rows = monthly[(monthly["name"] == SIZE) & monthly["practice_code"].isin(codes)]
    return {str(code): own.set_index("month")["value"].sort_index() for code, own in rows.groupby("practice_code")}


def join_facts(
    facts: pd.DataFrame,
    joining: list[Any],
    lists_then: dict[str, pd.Series],
    lists_joined: dict[str, pd.Series],
    period: Period,
    dates: Mapping[str, str],
    list_is_mean: bool,
) -> pd.DataFrame:
    """Return facts with the practices of each event joined under the successor's code.

    Parameters
    ----------
    facts
        One row per practice, indexed by code.
    joining
        Events (code, event, date, successor), in order of date.
    lists_then, lists_joined
        Lists by month before and after the practices were joined.
    period, dates
        As `like_for_like`.
    list_is_mean
        Whether the list sizes of `facts` are means over the months of the period.
    """
    touched = [code for code in facts.index if any(code in (event.code, event.successor) for event in joining)]
    rows = {code: facts.loc[code].to_dict() for code in touched}
    lists = dict(lists_then)
    for event in joining:
        old = rows.pop(event.code, None)
        if old is not None and (new := rows.get(event.successor)) is not None:
            share = months_before(event, period) / period.months if list_is_mean else 1.0
            pair = _Pair(event, old, new, _weights(event, old, new, lists, share), share, period, dates, list_is_mean)
            rows[event.successor] = {name: pair.joined(name, _is_text(facts[name])) for name in facts.columns}
        elif old is not None:
            rows[event.successor] = old
        own = [lists.pop(code) for code in (event.code, event.successor) if code in lists]
        if own:
            lists[event.successor] = pd.concat(own).groupby(level=0).sum()
    if not rows:
        return facts
    if list_is_mean:
        for code in {event.successor for event in joining} & set(rows) & set(lists_joined):
            rows[code] |= _from_months(lists_joined[code], rows[code])
    after = pd.DataFrame.from_dict(rows, orient="index", columns=list(facts.columns))
    after = after.astype({name: kind for name, kind in facts.dtypes.items() if _is_text(facts[name])})
    return pd.concat([facts.drop(index=touched), after]).sort_index().rename_axis(facts.index.name)


def _adds(name: str) -> bool:
    card = catalogue.covariates().get(name)
    return card is not None and card.adds


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column.dtype)


def _weights(
    event: Any, old: dict[str, Any], new: dict[str, Any], lists: dict[str, pd.Series], share: float
) -> tuple[float, float]:
    """Return the two lists in the last month before the event, else as the table has them."""
    before = [
        own[own.index < event.date[:7]]
        for own in (lists.get(event.code), lists.get(event.successor))
        if own is not None
    ]
    if len(before) == 2 and all(len(own) for own in before):
        return float(before[0].iloc[-1]), float(before[1].iloc[-1])
    sizes = float(old.get(SIZE, np.nan)), float(new.get(SIZE, np.nan))
    # A mean over months after the merger holds the patients who came with it.
    return sizes[0], max(sizes[1] - sizes[0] * (1 - share), 0.0)


def _from_months(sizes: pd.Series, row: dict[str, Any]) -> dict[str, Any]:
    """Return the list and its largest change as the months of the joined practice show them."""
    change = 100 * sizes.pct_change(fill_method=None)
    found = {SIZE: float(sizes.mean()), _JUMP: float(change.abs().max())}
    return {name: value for name, value in found.items() if name in row}


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two practices that are one: what each fact of them is together."""

    event: Any
    old: dict[str, Any]
    new: dict[str, Any]
    weights: tuple[float, float]
    share: float
    period: Period
    dates: Mapping[str, str]
    list_is_mean: bool

    def joined(self, name: str, is_text: bool) -> Any:
        """Return one fact of the two together."""
        old, new = self.old[name], self.new[name]
        if self.event.event == "code_changed":
            return self._renamed(name, old, new, is_text)
        if is_text:
            return new
        if name == _JUMP:
            return float("nan")
        if name == _CHANGES:
            return np.fmax(np.fmax(old, new), float(self._systems_differ()))
        if pd.isna(old) and self._nothing_to_add(name):
            return new
        if name == SIZE:
            return old * self.share + new
        if name in _SUMS or name.endswith((".numerator", ".denominator")) or _adds(name):
            return old + new
        total = sum(self.weights)
        return (self.weights[0] * old + self.weights[1] * new) / total if total > 0 else float("nan")

    def _renamed(self, name: str, old: Any, new: Any, is_text: bool) -> Any:
        """Return a fact of one practice that had two codes: the later code's, where it has one."""
        if pd.isna(new) or (is_text and new == ""):
            return old
        if name == SIZE and self.list_is_mean and not pd.isna(old):
            return old * self.share + new * (1 - self.share)
        return np.fmax(old, new) if name in (_JUMP, _CHANGES) else new

    def _nothing_to_add(self, name: str) -> bool:
        """Return whether the successor's value already covers the patients of the practice that merged."""
        date = self.dates.get(name) or self.dates.get(name.partition(".")[0])
        return self.event.date[:7] <= date if date else self.event.date <= str(self.period.first_day)

    def _systems_differ(self) -> bool:
        named = {str(row.get("supplier") or "") for row in (self.old, self.new)} - {"", "nan"}
        return len(named) > 1
