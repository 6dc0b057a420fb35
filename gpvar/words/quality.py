"""Whether the data can bear the question: gates in their three states, as sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpvar import catalogue
from gpvar.study import Period
from gpvar.words.text import escape_markdown, listed, plain, plural

PASSED, FAILED, UNCHECKED = "passed", "failed", "could not be checked"
_MONTHS_NAMED = 2


def _card(gate: str) -> Any | None:
    return catalogue.gates().get(gate)


def title(gate: str) -> str:
    """Return a gate's title; its id in words when the catalogue does not know it."""
    card = _card(gate)
    return card.title if card else gate.replace("_", " ").capitalize()


def meaning(gate: str, state: str) -> str:
    """Return what a gate's state means, from its card."""
    card = _card(gate)
    if card is None:
        return f"{title(gate)}: {state}."
    return {PASSED: card.passed, FAILED: card.failed, UNCHECKED: card.unchecked}[state]


def failures(gates: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return the failed rows that concern a practice: its own, and those of the whole table."""
    failed = gates[(gates["state"] == FAILED) & gates["practice_code"].isin(["", code])]
    order = failed["severity"].map({"stop": 0, "warn": 1, "note": 2}).fillna(3)
    return failed.assign(_order=order).sort_values(["_order", "gate"]).drop(columns="_order")


def stop_reason(gates: pd.DataFrame, code: str) -> str:
    """Return why the data cannot answer: the first failed gate that stops, with its detail."""
    failed = failures(gates, code)
    stops = failed[failed["severity"] == "stop"]
    if stops.empty:
        return ""
    row = stops.iloc[0]
    return _failed_sentence(row)


def _failed_sentence(row: Any) -> str:
    text = meaning(row["gate"], FAILED).rstrip(".")
    detail = escape_markdown(row.get("detail", ""), 200).rstrip(".")
    return f"{text} ({detail})." if detail else f"{text}."


def unchecked(gates: pd.DataFrame) -> list[str]:
    """Return the titles of the gates that could not be checked."""
    rows = gates[gates["state"] == UNCHECKED]
    return list(dict.fromkeys(title(g) for g in rows["gate"]))


def practice_quality(gates: pd.DataFrame, code: str) -> str:
    """Return how far this practice's data can be trusted, with what could not be checked.

    Parameters
    ----------
    gates
        The gates of this metric and of the whole table.
    code
        The practice.
    """
    failed = failures(gates, code)
    names = set(failed["gate"])
    passed = gates[(gates["state"] == PASSED) & (gates["practice_code"] == "") & ~gates["gate"].isin(names)]
    parts = []
    if failed.empty:
        parts.append("**No check of the data failed.**")
    else:
        sentences = " ".join(_failed_sentence(row) for _, row in failed.iterrows())
        parts.append(f"**{plural(len(names), 'check')} of the data failed.** {sentences}")
    parts.append(f"{plural(passed['gate'].nunique(), 'check')} passed.")
    missing = unchecked(gates)
    if missing:
        titles = listed(f"“{t[0].lower()}{t[1:]}”" for t in missing)
        parts.append(
            f"**{len(missing)} could not be checked:** {titles}. A check that was not made is not a check that "
            "was passed."
        )
    return " ".join(parts)


def table_quality(gates: pd.DataFrame) -> str:
    """Return the state of the whole table in three sentences."""
    whole = gates[gates["practice_code"] == ""]
    failed = gates[gates["state"] == FAILED]
    passed = whole[(whole["state"] == PASSED) & ~whole["gate"].isin(set(failed["gate"]))]
    parts = [f"{plural(passed['gate'].nunique(), 'check')} passed for every practice."]
    if failed.empty:
        parts.append("No check failed.")
    else:
        parts.append(f"{plural(failed['gate'].nunique(), 'check')} failed for at least one practice.")
        stops = failed.loc[failed["severity"] == "stop", "practice_code"]
        stopped = stops[stops != ""].nunique()
        if stopped:
            parts.append(f"For {plural(stopped, 'practice')} the data cannot answer.")
    missing = unchecked(gates)
    if missing:
        parts.append(f"**{len(missing)} could not be checked:** {listed(f'“{t[0].lower()}{t[1:]}”' for t in missing)}.")
    return " ".join(parts)


#: What did not match, as `PracticeTable.unmatched` calls it: in a table, and of so many practices.
UNMATCHED = {
    "in this file, not measured": (
        "in this file, but without figures",
        "{} in the files {have} no figures here (closed, new, or outside the files of figures).",
    ),
    "measured, not in this file": (
        "has figures, but is not in this file",
        "{} with figures {are} missing from a file that describes practices.",
    ),
    "in the data, no ICB": ("no board is known", "Of {} no board is known."),
    "in the data, no PCN": ("no network is known", "Of {} no network is known."),
    "in the list, not in the table": ("on the list, but without figures", "{} of the list {have} no figures here."),
    "in figures of other months, not in the study's": (
        "in the figures of other months, not in the study's",
        "{} in the figures of other months {have} none of the study's period (closed, merged, or lost from its table).",
    ),
    "in this file, not a practice code": (
        "not a practice code",
        "{} in the files {have} not the form of a practice code.",
    ),
}


def unmatched_sentences(unmatched: pd.DataFrame) -> list[str]:
    """Return one sentence for each way in which practices did not match."""
    said = []
    for side, codes in unmatched.groupby("side", sort=False)["practice_code"]:
        n = codes.nunique()
        noun = "code" if side == "in this file, not a practice code" else "practice"
        words = UNMATCHED.get(str(side), ("", f"{{}}: {plain(side)}."))[1]
        are, have = ("is", "has") if n == 1 else ("are", "have")
        said.append(words.format(plural(n, noun), are=are, have=have))
    return said


def period_sentences(table: Any) -> list[str]:
    """Return of which other months than the study's there are figures; many single months are one sentence."""
    rows = table.periods
    if rows.empty:
        return []
    own = table.study.period
    rows = rows[(rows["start"] != own.start) | (rows["end"] != own.end)]
    held: dict[tuple[str, ...], list[tuple[Period, int]]] = {}
    for (start, end), part in rows.groupby(["start", "end"]):
        names = tuple(dict.fromkeys(part["metric"]))
        held.setdefault(names, []).append((Period(start, end), part["practice_code"].nunique()))
    said = []
    for names, periods in held.items():
        of = listed([catalogue.metric(metric).short for metric in names])
        months = [(period, n) for period, n in periods if period.months == 1]
        if len(months) > _MONTHS_NAMED:
            span = Period(months[0][0].start, months[-1][0].end).label
            most = plural(max(n for _, n in months), "practice")
            said.append(f"{len(months)} single months were read too, {span}: {most}, {of}.")
            periods = [item for item in periods if item not in months]
        said += [f"{period.label} was read too: {plural(n, 'practice')}, {of}." for period, n in periods]
    return said


_SEVERITY = {"stop": "stops the question", "warn": "a warning", "note": "a note"}
_ORDER = {FAILED: 0, UNCHECKED: 1, PASSED: 2}


def gate_rows(gates: pd.DataFrame) -> pd.DataFrame:
    """Return one line per gate and state for the check page, failures first: which measures, how many practices."""
    states = [
        _gate_state(str(gate), str(metric), part)
        for (gate, metric), part in gates.groupby(["gate", "metric"], sort=False)
    ]
    merged: dict[tuple[str, ...], list[str]] = {}
    for state in states:
        key = tuple(state[name] for name in ("Check", "State", "Practices", "What it means"))
        merged.setdefault(key, []).append(state["Measure"])
    measures = gates.loc[gates["metric"] != "", "metric"].nunique()
    rows = [
        {
            "Check": check,
            "Measure": "all" if 1 < measures == len(of) else ", ".join(of),
            "State": state,
            "Practices": practices,
            "What it means": said,
        }
        for (check, state, practices, said), of in merged.items()
    ]
    rows = sorted(rows, key=lambda row: _ORDER[row["State"].split(":")[0]])
    return pd.DataFrame(rows, columns=["Check", "Measure", "State", "Practices", "What it means"])


def _gate_state(gate: str, metric: str, part: pd.DataFrame) -> dict[str, str]:
    failed = part[part["state"] == FAILED]
    state = FAILED if len(failed) else str(part["state"].iloc[0])
    own = failed.loc[failed["practice_code"] != "", "practice_code"].nunique()
    details = [plain(d, 600) for d in part.loc[part["state"] == state, "detail"].head(1) if str(d) not in ("", "nan")]
    severity = _SEVERITY.get(str(part["severity"].iloc[0]), "")
    said = meaning(gate, state)
    if details and not own:
        # A passed check tells in sentences of what did change beside it.
        sentences = state == PASSED and details[0].endswith(".")
        said = f"{said} {details[0]}" if sentences else f"{said.rstrip('.')} ({details[0].rstrip('.')})."
    return {
        "Check": title(gate),
        "Measure": catalogue.metric(metric).short if metric else "all",
        "State": f"{state}: {severity}" if state == FAILED and severity else state,
        "Practices": str(own) if own else ("all" if state == FAILED else "none"),
        "What it means": said,
    }
