"""What happened to practices, as people confirmed it: `practice_events.csv`, checked line by line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpvar import catalogue
from gpvar.dates import day_in_words, month_number
from gpvar.errors import SourceError
from gpvar.organisations.codes import looks_like_practice_code
from gpvar.organisations.finding import alike_codes
from gpvar.problems import Problems, listing, nearest
from gpvar.study import Period

#: The columns of `practice_events.csv`.
EVENT_COLUMNS = ("code", "event", "date", "successor", "source", "confirmed_by")
#: What can happen to a practice, and whether a successor is named.
EVENT_KINDS = {"merged": True, "closed": False, "opened": False, "code_changed": True, "split": True}
#: After these the practice's own code is no longer used.
ENDINGS = ("merged", "closed", "code_changed")

_NEEDED = ("code", "event", "date", "successor", "confirmed_by")
_ALSO_CALLED = {"practice_code": "code", "confirmed by": "confirmed_by", "successor_code": "successor"}
#: What people write where nobody has confirmed anything yet.
_UNCONFIRMED = frozenset({"?", "no", "not yet", "not confirmed", "unconfirmed", "proposed", "tbc", "to be confirmed"})


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to practices.

    Attributes
    ----------
    confirmed
        Events that somebody confirmed, in order of date: code, event, date (``"2025-10-01"``), successor (blank where
        there is none), source, confirmed_by, row (of the file).
    proposed
        Events that nobody confirmed, in the same columns; they are shown and never used.
    """

    confirmed: pd.DataFrame
    proposed: pd.DataFrame


def no_events() -> Events:
    """Return that nothing is known to have happened."""
    empty = pd.DataFrame(columns=[*EVENT_COLUMNS, "row"], dtype=object)
    return Events(empty, empty.copy())


def events_template(proposals: pd.DataFrame | None = None) -> str:
    """Return the text of a `practice_events.csv` to be filled in.

    Parameters
    ----------
    proposals
        What `propose_events` found; its evidence stands in further columns, which are not read back.

    Returns
    -------
    str
        The headings, and one line per proposal with confirmed_by left blank. Lines end as `csv` files do on Windows.
    """
    columns = list(EVENT_COLUMNS)
    frame = pd.DataFrame(columns=columns) if proposals is None else proposals
    return frame.to_csv(index=False, lineterminator="\r\n")


def check_events(cells: pd.DataFrame, place: str, known: Iterable[str] | None = None) -> Events:
    """Take events from the cells of a table; raise everything that is wrong with them as one `SourceError`.

    Parameters
    ----------
    cells
        Text, with the table's own headings; the index is the row number that a spreadsheet shows.
    place
        The file, as a person would name it.
    known
        Codes of practices that the data hold, at any date; a successor must be one of them. Not checked when None.

    Returns
    -------
    Events

    Notes
    -----
    A line whose confirmed_by is blank is proposed and not used, so that lines that exclude each other may stand side
    by side until somebody confirms one of them.
    """
    problems = Problems(SourceError, place)
    table = _columns(cells, problems)
    problems.raise_if_any()
    rows = [_event(row, text, problems) for row, text in zip(table.index, table.to_dict("records"), strict=True)]
    events = pd.DataFrame([row for row in rows if row is not None], columns=[*EVENT_COLUMNS, "row"], dtype=object)
    if known is not None:
        _note_unknown(events, set(known), problems)
    is_confirmed = events["confirmed_by"].ne("").to_numpy(bool)
    confirmed = events[is_confirmed].sort_values(["date", "code", "row"], ignore_index=True)
    _note_contradictions(confirmed, problems)
    problems.raise_if_any()
    return Events(confirmed, events[~is_confirmed].reset_index(drop=True))


def _columns(cells: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Return the columns of events by their names, whatever their order and capitals, without blank rows."""
    plain = {str(name): " ".join(str(name).casefold().split()) for name in cells.columns}
    renamed = {name: _ALSO_CALLED.get(text, text.replace(" ", "_")) for name, text in plain.items()}
    table = cells.rename(columns=renamed)
    missing = [name for name in _NEEDED if name not in table]
    for name in missing:
        meant = nearest(name, [text for text in table.columns if text not in EVENT_COLUMNS])
        fix = f"Its headings are {', '.join(EVENT_COLUMNS)}: write {name} in the first row."
        problems.add(f"There is no column '{name}'.{meant}", "row 1", fix)
    twice = [name for name in EVENT_COLUMNS if list(table.columns).count(name) > 1]
    if twice:
        problems.add(f"Two columns are called '{twice[0]}'.", "row 1", "Keep the one that is meant.")
    if missing or twice:
        return pd.DataFrame()
    table = pd.DataFrame({name: table.get(name, "") for name in EVENT_COLUMNS}, index=table.index)
    table = table.fillna("").astype(str)
    table = table.apply(lambda column: column.str.split().str.join(" "))
    return table[table.ne("").any(axis=1)]


def _event(row: object, text: dict, problems: Problems) -> tuple | None:
    """Return one event, or None with what is wrong noted."""
    where, noted = f"row {row}", len(problems.found)
    code, successor = text["code"].upper(), text["successor"].upper()
    kind = text["event"].casefold().replace(" ", "_").replace("-", "_")
    _note_code(code, "code", where, problems)
    if kind not in EVENT_KINDS:
        meant = nearest(kind, EVENT_KINDS).strip() if kind else ""
        said = f"'{text['event']}' is not an event." if kind else "No event is given."
        problems.add(said, where, f"{meant} It is one of: {', '.join(EVENT_KINDS)}.".strip())
    elif EVENT_KINDS[kind] and not successor:
        fix = _NO_SUCCESSOR[kind]
        problems.add(f"{code or 'The practice'} is said to have {_DID[kind]}, and no successor is named.", where, fix)
    elif not EVENT_KINDS[kind] and successor:
        fix = f"Write merged, if its patients went to {successor} as a practice; otherwise clear the successor."
        problems.add(f"{code or 'The practice'} is said to have {kind}, and a successor is named.", where, fix)
    elif successor:
        _note_code(successor, "successor", where, problems)
        if successor == code:
            problems.add(f"{code} is named as its own successor.", where, "Name the practice that it became part of.")
    day = _day(text["date"])
    if day is None:
        said = f"'{text['date']}' is not a date." if text["date"] else "No date is given."
        problems.add(said, where, "Write it as 2025-10-01 or 01/10/2025 (day, month, year).")
    if len(problems.found) > noted:
        return None
    return code, kind, str(day), successor, text["source"], _confirmed_by(text["confirmed_by"]), row


_DID = {"merged": "merged", "code_changed": "changed its code", "split": "split"}
_NO_SUCCESSOR = {
    "merged": "Write the code of the practice that it became part of; if its patients went to several, write closed.",
    "code_changed": "Write its new code as the successor.",
    "split": "Write the code of the part that was new as the successor; one row for each part.",
}


def _note_code(code: str, column: str, where: str, problems: Problems) -> None:
    if not code:
        problems.add("No practice code is given.", f"{where}, column {column}", "Write it, such as A81001.")
    elif not looks_like_practice_code(code):
        fix = "Practice codes are a letter and five digits, such as A81001."
        problems.add(f"'{code}' cannot be a practice code.", f"{where}, column {column}", fix)


def _confirmed_by(text: str) -> str:
    nobody = text.casefold() in _UNCONFIRMED or text.casefold() in catalogue.conventions()["marks"]["missing"]
    return "" if nobody else text


def _day(text: str) -> dt.date | None:
    """Return a date as people and spreadsheets write it, days before months; None when it is none."""
    plain = re.sub(r"[ T]\d\d?:\d\d.*$", "", text.strip())
    if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", plain):
        year, month, day = map(int, found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", plain):
        day, month, year = map(int, found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[- ]?([A-Za-z]{3,9})[- ]?(\d{4})", plain):
        day, month, year = int(found.group(1)), month_number(found.group(2)), int(found.group(3))
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _note_unknown(events: pd.DataFrame, known: set[str], problems: Problems) -> None:
    for event in events.itertuples():
        if event.successor and event.successor not in known:
            near = alike_codes(event.successor, sorted(known))
            meant = f"Did you mean {listing(near)}? " if near else ""
            said = f"The successor {event.successor} of {event.code} is in none of the study's files."
            problems.add(said, f"row {event.row}", f"{meant}Correct the code, or take the row out.")


def _note_contradictions(confirmed: pd.DataFrame, problems: Problems) -> None:
    """Note confirmed events that cannot all be true."""
    again = confirmed.duplicated(["code", "event", "date", "successor"])
    for event in confirmed[again].itertuples():
        problems.add(f"The same event of {event.code} stands twice.", f"row {event.row}", "Keep one of the two.")
    endings = confirmed[confirmed["event"].isin(ENDINGS) & ~again]
    for code, rows in endings.groupby("code"):
        if len(rows) > 1:
            said = "; ".join(f"{row.event} {row.successor}".strip() + f" on {row.date}" for row in rows.itertuples())
            fix = "A practice ends once: keep the row that is true, or clear confirmed_by in the others."
            problems.add(f"{code} ends {len(rows)} times: {said}.", _rows(rows["row"]), fix)
    ends = {event.code: event for event in endings.itertuples()}
    for event in confirmed[confirmed["successor"] != ""].itertuples():
        end = ends.get(event.successor)
        if end is not None and end.date < event.date and event.code != end.successor:
            said = f"{event.successor} is the successor of {event.code} on {event.date}, and it {_ended(end)} before."
            fix = "Name the practice that was there on that day, or correct the dates."
            problems.add(said, _rows([event.row, end.row]), fix)
    _note_circles({code: event for code, event in ends.items() if event.successor}, problems)


def _ended(end: Any) -> str:
    return {"merged": "merged", "closed": "closed", "code_changed": "changed its code"}[end.event]


def _note_circles(ends: Mapping[str, Any], problems: Problems) -> None:
    seen: set[str] = set()
    for start in ends:
        path = [start]
        while path[-1] in ends and path[-1] not in seen and path.count(path[-1]) == 1:
            path.append(ends[path[-1]].successor)
        if path.count(path[-1]) > 1:
            circle = path[path.index(path[-1]) :]
            fix = "Each practice becomes part of one that goes on: correct the successors."
            said = f"These practices are successors of one another, round in a circle: {' to '.join(circle)}."
            problems.add(said, _rows([ends[code].row for code in circle[:-1]]), fix)
        seen |= set(path)


def _rows(numbers: Iterable[object]) -> str:
    return f"rows {listing(str(number) for number in numbers)}"


def successors_on(events: Events, day: dt.date) -> dict[str, str]:
    """Return code → the code under which its patients are counted on a day, for practices merged or given a new code.

    Parameters
    ----------
    events
        Only what was confirmed is used.
    day
        Later events are left out. Successors of successors are followed.
    """
    ended = events.confirmed[events.confirmed["event"].isin(("merged", "code_changed"))]
    ended = ended[ended["date"] <= str(day)]
    step = dict(zip(ended["code"], ended["successor"], strict=True))
    final = {}
    for code in step:
        here = code
        while here in step:
            here = step[here]
        final[code] = here
    return final


def events_within(events: Events, period: Period) -> dict[str, str]:
    """Return the practices that merged, closed or split within a period, and what happened in a few words.

    Parameters
    ----------
    events
        Only what was confirmed is used.
    period
        An event on its first day is not within it: the whole period is then of one practice.

    Returns
    -------
    dict
        Code → ``"F82002 merged into it on 1 October 2025"``; both the practice and its successor are there. A change
        of code alone is none of these.
    """
    rows = events.confirmed[events.confirmed["event"].isin(("merged", "closed", "split"))]
    rows = rows[(rows["date"] > str(period.first_day)) & (rows["date"] <= str(period.last_day))]
    said: dict[str, list[str]] = {}
    for event in rows.itertuples():
        for code, words in in_a_few_words(event.code, event.event, event.date, event.successor).items():
            said.setdefault(code, []).append(words)
    return {code: "; ".join(words) for code, words in sorted(said.items())}


def in_a_few_words(code: str, event: str, date: str, successor: str) -> dict[str, str]:
    """Return what an event was to each practice concerned: code → words."""
    on = f"on {day_in_words(dt.date.fromisoformat(date))}"
    if event == "merged":
        return {code: f"merged into {successor} {on}", successor: f"{code} merged into it {on}"}
    if event == "code_changed":
        return {code: f"became {successor} {on}", successor: f"was {code} until {day_in_words(_day_before(date))}"}
    if event == "split":
        return {code: f"{successor} was split off from it {on}", successor: f"was split off from {code} {on}"}
    return {code: f"{event} {on}"}


def _day_before(date: str) -> dt.date:
    return dt.date.fromisoformat(date) - dt.timedelta(days=1)
