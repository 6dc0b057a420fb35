"""Mergers and changes of code that the lists of patients suggest: proposed with the evidence, never applied."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gpvar import catalogue
from gpvar.organisations.codes import tidy
from gpvar.organisations.events import EVENT_COLUMNS
from gpvar.study import months_between

#: Months that may lie between the end of one list and the jump of another.
_MONTHS_APART = 2
#: A gain between these parts of the list that ended is of its size.
_GAIN = (0.5, 1.5)
#: A list that begins between these parts of the one that ended may be the same practice under a new code.
_SAME = (0.8, 1.25)
#: Patients may leave before a practice ends, so its list is the largest of its last months.
_LAST_MONTHS = 3

EVIDENCE_COLUMNS = (
    "pcn_code",
    "last_month",
    "list_then",
    "closed_together",
    "jump_month",
    "successor_before",
    "successor_after",
    "gain",
    "jump_pct",
    "gain_over_list",
    "months_apart",
    "candidates",
)


@dataclass(frozen=True, slots=True)
class _Lists:
    """Lists by month: a table of months by practice, where each practice belongs, and which practices ended."""

    table: pd.DataFrame
    pcn: dict[str, str]
    ended: dict[str, int]

    def last(self, code: str) -> float:
        """Return the list that a practice had at its end."""
        end = self.ended[code]
        return float(self.table[code].iloc[max(0, end - _LAST_MONTHS) : end].max())


def propose_events(then: pd.DataFrame, now: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Propose what became of the practices whose lists ended.

    Parameters
    ----------
    then, now
        Maps of practices before and after: practice_code and pcn_code, and perhaps date (``"2026-07-01"``). A practice
        that is in the later map after its list ended did not end: its list is missing.
    lists
        Registered patients by month: practice_code, month (``"2025-10"``), value; rows of another name than
        ``list_size`` are left out where there is a column `name`.

    Returns
    -------
    DataFrame
        The columns of `practice_events.csv`, with confirmed_by blank, then the evidence: pcn_code; last_month and
        list_then of the practice that ended; closed_together, the lists that ended in the network about then;
        jump_month, successor_before, successor_after, gain and jump_pct of the list that jumped; gain_over_list;
        months_apart (from the end to the jump); candidates (how many could be the successor). One row per practice
        that ended and candidate, the likeliest first; an event ``closed`` without a successor where there is none.

    Notes
    -----
    A candidate is of the same network, and within two months of the end its list jumped by more than the gate
    `merger_or_list_jump` allows, by about as many patients as the practice that ended had; or its list began then, at
    about that size, as when a code changes. A practice taken in by a very much larger one makes no such jump: it
    appears as closed, and who confirms it writes merged and the successor.
    """
    known = _lists(then, now, lists)
    rows: list[dict[str, object]] = []
    for code in sorted(known.ended):
        found = sorted(_candidates(code, known), key=lambda row: abs(float(str(row["gain_over_list"])) - 1))
        rows += [row | {"candidates": len(found)} for row in found] or [_closed(code, known)]
    return pd.DataFrame(rows, columns=[*EVENT_COLUMNS, *EVIDENCE_COLUMNS])


def _lists(then: pd.DataFrame, now: pd.DataFrame, lists: pd.DataFrame) -> _Lists:
    if "name" in lists:
        lists = lists[lists["name"] == "list_size"]
    lists = lists.assign(practice_code=tidy(lists["practice_code"]))
    lists = lists[lists["value"] > 0]
    table = lists.pivot_table(index="month", columns="practice_code", values="value", aggfunc="sum", min_count=1)
    pcn = _networks(now) | _networks(then)
    month_now = str(now["date"].max())[:7] if "date" in now and len(now) else ""
    still_there = set(tidy(now["practice_code"]))
    ended = {}
    for code in table.columns:
        last = table[code].last_valid_index()
        after = table.index.get_loc(last) + 1
        missing_only = code in still_there and (not month_now or month_now > str(last))
        if after < len(table) and not missing_only:
            ended[str(code)] = int(after)
    return _Lists(table, pcn, ended)


def _networks(places: pd.DataFrame) -> dict[str, str]:
    codes, networks = tidy(places["practice_code"]), tidy(places["pcn_code"])
    known = ~networks.isin(["", catalogue.conventions()["codes"]["no_pcn"]])
    return dict(zip(codes[known], networks[known], strict=True))


def _candidates(code: str, known: _Lists) -> list[dict[str, object]]:
    pcn = known.pcn.get(code, "")
    if not pcn:
        return []
    others = [other for other in known.table.columns if other != code and known.pcn.get(other) == pcn]
    end = known.ended[code]
    together = [other for other in others if other in known.ended and abs(known.ended[other] - end) <= _MONTHS_APART]
    sizes = known.last(code), known.last(code) + sum(known.last(other) for other in together)
    found = (_jump(other, end, sizes, known) for other in others if known.ended.get(other, end + 1) > end)
    return [_row(code, pcn, sizes, known) | jump for jump in found if jump]


def _jump(other: str, end: int, sizes: tuple[float, float], known: _Lists) -> dict[str, object]:
    """Return the jump of a list that could be the patients of the practice that ended, or nothing."""
    series = known.table[other]
    apart = [months_between(str(series.index[end]), str(month)) for month in series.index]
    months = [at for at in range(1, len(series)) if abs(apart[at]) <= _MONTHS_APART]
    best: dict[str, object] = {}
    for at in months:
        before, after = float(series.iloc[at - 1]), float(series.iloc[at])
        begins = bool(series.iloc[:at].isna().all())
        gain = after if begins else after - before
        low, high = _SAME if begins else _GAIN
        if not any(low <= gain / size <= high for size in sizes) or (best and gain <= float(str(best["gain"]))):
            continue
        pct = float("nan") if begins else 100 * gain / before
        if begins or pct > catalogue.gates()["merger_or_list_jump"].thresholds["jump_pct_above"]:
            best = {
                "event": "code_changed" if begins else "merged",
                "successor": other,
                "source": "proposed from the lists of patients",
                "jump_month": series.index[at],
                "successor_before": before,
                "successor_after": after,
                "gain": gain,
                "jump_pct": round(pct, 1),
                "gain_over_list": round(gain / sizes[0], 2),
                "months_apart": apart[at],
            }
    return best


def _row(code: str, pcn: str, sizes: tuple[float, float], known: _Lists) -> dict[str, object]:
    months = known.table.index
    return {
        "code": code,
        "date": f"{months[known.ended[code]]}-01",
        "confirmed_by": "",
        "pcn_code": pcn,
        "last_month": months[known.ended[code] - 1],
        "list_then": sizes[0],
        "closed_together": sizes[1],
    }


def _closed(code: str, known: _Lists) -> dict[str, object]:
    size = known.last(code)
    more = {"event": "closed", "successor": "", "source": "its list ended", "candidates": 0}
    return _row(code, known.pcn.get(code, ""), (size, size), known) | more
