"""Figures of practices that merged or changed their code, put under one code for every month of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpvar.organisations._joined_facts import SIZE, join_facts, lists_by_month, months_before
from gpvar.organisations.events import Events, in_a_few_words, successors_on
from gpvar.problems import count
from gpvar.study import Period

_JOINING = ("merged", "code_changed")
_KEY = ["practice_code", "metric", "part"]
_BOTH = ("numerator", "denominator")


@dataclass(frozen=True, slots=True)
class LikeForLike:
    """Figures on which confirmed events were used.

    Attributes
    ----------
    counts, facts, monthly
        As given, with the parts of each practice that merged under its successor's code.
    done
        What was done about each event, the proposed ones too: code, event, date, successor, done.
    not_decidable
        Practices whose change from the year before to this period cannot be decided: practice_code, reason.
    """

    counts: pd.DataFrame
    facts: pd.DataFrame
    monthly: pd.DataFrame | None
    done: pd.DataFrame
    not_decidable: pd.DataFrame


def like_for_like(
    events: Events,
    period: Period,
    counts: pd.DataFrame,
    facts: pd.DataFrame,
    monthly: pd.DataFrame | None = None,
    *,
    dates: Mapping[str, str] | None = None,
    has_months: bool = True,
) -> LikeForLike:
    """Put the figures of practices that merged, or whose code changed, under one code for every month.

    Parameters
    ----------
    events
        Confirmed events dated up to the end of the period are used, in order of date.
    period
        The period of the figures; to compare two years, the period that covers both.
    counts
        practice_code, metric, part, value, low, high, hidden, months.
    facts
        One row per practice, indexed by code.
    monthly
        practice_code, month, name, value.
    dates
        Characteristic → month of which it is (``"2025-03"``), and `list_size` where it is of one month. A practice
        without a characteristic that is of after its merger has nothing to add: its successor's covers its patients.
    has_months
        Whether the counts were added up from months, and list sizes are means over them.

    Returns
    -------
    LikeForLike

    Notes
    -----
    Counts, list sizes, and the numerators and denominators of recorded diseases are added up; shares and scores are
    means weighted by the lists before the merger; words (name, clinical system, setting) are the successor's. A part
    that is missing makes the sum missing: it is never taken as nought. A practice that closed keeps its own months. A
    practice that was split is left as it is.
    """
    dates = dates or {}
    counted = set(counts["practice_code"])
    known = counted | set(facts.index) | (set() if monthly is None else set(monthly["practice_code"]))
    done = _done(events, period, known, counts, _after_closing(events, period, counts, monthly, has_months))
    joining = [event for event in events.confirmed.itertuples() if _is_used(event, period, known)]
    if joining:
        codes = {code for event in joining for code in (event.code, event.successor)}
        lists_then = lists_by_month(monthly, codes)
        monthly = None if monthly is None else _monthly(monthly, joining, codes)
        list_is_mean = has_months and SIZE not in dates
        lists_joined = lists_by_month(monthly, codes)
        facts = join_facts(facts, joining, lists_then, lists_joined, period, dates, list_is_mean)
        counts = _counts(counts, joining, codes, period, has_months)
    return LikeForLike(counts, facts, monthly, done, _not_decidable(events, period))


def join_periods(events: Events, period: Period, rows: pd.DataFrame, *, by_month: bool) -> pd.DataFrame:
    """Put counts of parts of a period, or of months beside it, under the codes that `like_for_like` gives.

    Parameters
    ----------
    events
        Confirmed events dated up to the end of the period are used, in order of date.
    period
        The study's period.
    rows
        practice_code, metric, start, end, months, numerator, denominator; NaN where a count is not known.
    by_month
        Whether every month in which a practice was at work has its row: then a month before a merger that only the
        successor has is not known. In other files the successor's count is of both.

    Returns
    -------
    DataFrame
        The rows, a part that is not known making the sum unknown.
    """
    joining = [event for event in events.confirmed.itertuples() if _is_dated(event, period)]
    codes = {code for event in joining for code in (event.code, event.successor)}
    concerned = rows["practice_code"].isin(codes)
    if not concerned.any():
        return rows
    held: dict[str, dict[tuple[str, str, str], dict[str, Any]]] = {}
    for row in rows[concerned].to_dict("records"):
        held.setdefault(row["practice_code"], {})[row["metric"], row["start"], row["end"]] = row
    for event in joining:
        old, new = held.pop(event.code, {}), held.setdefault(event.successor, {})
        for key, row in old.items():
            sums = {name: row[name] + new[key][name] for name in _BOTH} if key in new else {}
            new[key] = row | sums | {"practice_code": event.successor}
        alone = [key for key in new if key not in old and key[1] < event.date[:7]]
        for key in alone if by_month and event.event == "merged" else ():
            new[key] = new[key] | {"numerator": np.nan}
    joined = pd.DataFrame([row for own in held.values() for row in own.values()], columns=rows.columns)
    return pd.concat([rows[~concerned], joined.astype(rows.dtypes.to_dict())], ignore_index=True)


def _is_used(event: Any, period: Period, known: set[str]) -> bool:
    return _is_dated(event, period) and event.code in known


def _is_dated(event: Any, period: Period) -> bool:
    return event.event in _JOINING and event.date <= str(period.last_day)


def _counts(
    counts: pd.DataFrame, joining: list[Any], codes: set[str], period: Period, has_months: bool
) -> pd.DataFrame:
    """Add up the counts of each event in turn; other practices are left as they are."""
    concerned = counts["practice_code"].isin(codes)
    rows = {tuple(row[name] for name in _KEY): row for row in counts[concerned].to_dict("records")}
    for event in joining:
        before = months_before(event, period)
        names = list(dict.fromkeys(key[1:] for key in rows if key[0] in (event.code, event.successor)))
        for name in names:
            old, new = rows.pop((event.code, *name), None), rows.get((event.successor, *name))
            if old is not None and (before > 0 or not np.isnan(old["low"])):
                joined = old if new is None else _added(old, new, event, before, period, has_months)
                rows[event.successor, *name] = joined | {"practice_code": event.successor}
            elif new is not None and has_months and event.event == "merged":
                # What the practice did before the merger was counted nowhere.
                rows[event.successor, *name] = new | {"months": max(new["months"] - before, 0)}
    after = pd.DataFrame(list(rows.values()), columns=counts.columns)
    rest = counts[~concerned]
    if after.empty:
        return rest.reset_index(drop=True)
    kinds = {name: kind for name, kind in counts.dtypes.items() if name != "months"}
    return pd.concat([rest, after.astype(kinds)], ignore_index=True)


def _added(
    old: dict[str, Any], new: dict[str, Any], event: Any, before: int, period: Period, has_months: bool
) -> dict[str, Any]:
    sums = {name: old[name] + new[name] for name in ("value", "low", "high")}
    if not has_months:
        months = max(old["months"], new["months"])
    elif event.event == "code_changed":
        months = min(old["months"] + new["months"], period.months)
    else:
        # A month that the practice which merged should have and has not is missing from the sum.
        months = max(new["months"] - max(before - old["months"], 0), 0)
    return new | sums | {"hidden": bool(old["hidden"]) or bool(new["hidden"]), "months": months}


def _monthly(monthly: pd.DataFrame, joining: list[Any], codes: set[str]) -> pd.DataFrame:
    """Add up counts by month; a month for which one of two lists is missing has none."""
    concerned = monthly["practice_code"].isin(codes)
    rows = {str(code): own for code, own in monthly[concerned].groupby("practice_code")}
    for event in joining:
        parts = [rows.pop(code) for code in (event.code, event.successor) if code in rows]
        if len(parts) == 2 and event.event == "merged":
            parts = _both_or_neither(parts[0], parts[1], event.date[:7])
        if parts:
            groups = pd.concat(parts).groupby(["month", "name"], sort=False)["value"]
            sums = groups.sum().where(groups.count() == groups.size()).reset_index()
            rows[event.successor] = sums.assign(practice_code=event.successor)[monthly.columns]
    return pd.concat([monthly[~concerned], *rows.values()], ignore_index=True)


def _both_or_neither(old: pd.DataFrame, new: pd.DataFrame, month: str) -> list[pd.DataFrame]:
    """Leave out the lists of months before a merger that only one of two practices has."""
    own = [set(rows.loc[(rows["name"] == SIZE) & (rows["month"] < month), "month"]) for rows in (old, new)]
    if not all(own):
        return [old, new]
    one = own[0] ^ own[1]
    return [rows[(rows["name"] != SIZE) | ~rows["month"].isin(one)] for rows in (old, new)]


def _after_closing(
    events: Events, period: Period, counts: pd.DataFrame, monthly: pd.DataFrame | None, has_months: bool
) -> dict[str, int]:
    """Return of how many months after its closing each practice has counts; those alone that have any."""
    closed = [event for event in events.confirmed.itertuples() if event.event == "closed"]
    months = counts.groupby("practice_code")["months"].max()
    after = {}
    for event in closed:
        # More months than there are up to the closing must in part be of after it.
        beyond = [months.get(event.code, np.nan) - months_before(event, period)] if has_months else []
        if monthly is not None:
            own = monthly.loc[(monthly["practice_code"] == event.code) & (monthly["name"] != SIZE), "month"]
            beyond.append(own[own + "-01" >= event.date].nunique())
        beyond = [number for number in beyond if number > 0]
        if beyond:
            after[event.code] = int(max(beyond))
    return after


def _done(
    events: Events, period: Period, known: set[str], counts: pd.DataFrame, after: Mapping[str, int]
) -> pd.DataFrame:
    """Return what is done about each event, from the figures as they were given."""
    months = counts.groupby("practice_code")["months"].max()
    rows = [
        (event, _what(event, period, known, months) + _late(event, after)) for event in events.confirmed.itertuples()
    ]
    rows += [(event, "proposed, confirmed by nobody: not used") for event in events.proposed.itertuples()]
    table = [(event.code, event.event, event.date, event.successor, words) for event, words in rows]
    return pd.DataFrame(table, columns=["code", "event", "date", "successor", "done"], dtype=object)


def _late(event: Any, after: Mapping[str, int]) -> str:
    if event.event != "closed" or event.code not in after:
        return ""
    return f", though it has figures of {count(after[event.code], 'month')} after that date: look whether it is right"


def _what(event: Any, period: Period, known: set[str], months: pd.Series) -> str:
    if event.date > str(period.last_day):
        return "after the period: not used"
    if event.event in _JOINING and event.code not in known:
        return "nothing to add: no file has anything under its code"
    if event.event == "merged" and event.code not in months.index:
        return f"no counts under its code: until the merger the counts are of {event.successor} alone"
    if event.event == "merged":
        return f"its counts and patients are added to those of {event.successor}, for every month"
    if event.event == "code_changed":
        return f"its months are put together with those under {event.successor}"
    if event.event == "closed" and event.date > str(period.first_day):
        own = months.get(event.code, np.nan)
        return "left with the months it has" if pd.isna(own) else f"left with the {own:.0f} months it has"
    return "left as it is"


def _not_decidable(events: Events, period: Period) -> pd.DataFrame:
    """Return the practices of which this period cannot be compared with the same months a year before."""
    first = period.first_day.replace(year=period.first_day.year - 1)
    gone = successors_on(events, period.last_day)
    said: dict[str, list[str]] = {}
    for event in events.confirmed.itertuples():
        if event.event == "code_changed" or not str(first) < event.date <= str(period.last_day):
            continue
        words = in_a_few_words(event.code, event.event, event.date, event.successor)
        if event.event == "merged":
            del words[event.code]
        for code, what in words.items():
            said.setdefault(gone.get(code, code), []).append(what)
    rows = [(code, "; ".join(what)) for code, what in sorted(said.items())]
    return pd.DataFrame(rows, columns=["practice_code", "reason"], dtype=object)
