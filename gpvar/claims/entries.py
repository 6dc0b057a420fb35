"""From one row of a letter to a claim; what cannot be read, is missing or cannot be so is noted."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from gpvar import catalogue
from gpvar.catalogue import letter_form, letters
from gpvar.claims.cells import Cell, Row
from gpvar.claims.figures import Printed, read_figure, read_place, read_tail
from gpvar.claims.months import month_of_day, read_period
from gpvar.organisations import looks_like_practice_code
from gpvar.problems import Problems, closest, listing
from gpvar.results import Claim, Figure

_FIGURES = ("figure", "figure_before", "comparator_figure", "threshold")
_PERIODS = ("period", "period_before")
_PROSE = ("text", "sanction", "support", "note")
#: Templates whose threshold is a share of practices.
_OF_PRACTICES = ("tail", "many_red", "worst_improved")
#: Tests whose figures are in no unit of a card.
_FREE = ("absent", "ratio", "association")
_LONGEST = 2000
_AS_PRINTED = "Write it as the letter prints it, such as 31.2% or 310."
_AS_PLACE = "Write 3 under 'Place or number' and 230 under 'Out of', or '3 of 230' under 'Place or number'."
_AS_PERIOD = "Write it as April 2025, April 2025 to March 2026, or 2025/26 for April to March."
_A_CODE = r"\b[A-Z]\d{5}\b"
#: Two figures at least: "Mill" is a name.
_LIKE_A_CODE = r"(?=(?:\D*\d){2})[A-Z0-9][\s-]?[\dOIL]{3,9}[A-Z]?"


@dataclass(slots=True)
class Entry:
    """A row as it is being read."""

    row: Row
    problems: Problems
    today: dt.date
    values: dict[str, Any] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    @property
    def template(self) -> letters.Template | None:
        """The kind of sentence; None where it cannot be read."""
        return letters.templates().get(self.values["template"])

    def text(self, name: str) -> str:
        """Return what a cell holds; nothing where it says that there is nothing to say."""
        cell = self.row.cells.get(name)
        if cell is None or cell.wrong or cell.text.casefold() in letter_form.words()["blank"]["marks"]:
            return ""
        return cell.text

    def note(self, name: str, what: str, fix: str) -> None:
        """Note what is wrong with a cell."""
        self.unread.add(name)
        cell = self.row.cells.get(name, Cell(""))
        place = cell.place or (name if self.row.in_study else letter_form.columns()[name].heading)
        said = f": '{cell.text[:60]}'" if cell.text else ""
        self.problems.add(what, f"{self.row.where}, {place}{said}", fix)


def read_entry(row: Row, number: int, problems: Problems, today: dt.date) -> Claim | None:
    """Return the claim that a row holds, or None with everything noted that is wrong with it.

    Parameters
    ----------
    row
        The row.
    number
        Its number in the letter.
    problems
        Where faults are noted.
    today
        No letter knows figures of a later day.
    """
    entry = Entry(row, problems, today)
    for name, cell in row.cells.items():
        if cell.wrong:
            fix = "Let Excel calculate and save the workbook, or write what is meant in place of the formula."
            entry.note(name, cell.wrong, fix)
    for name in _PROSE:
        entry.values[name] = row.cells[name].text if name in row.cells and not row.cells[name].wrong else ""
        if len(entry.values[name]) > _LONGEST:
            entry.note(name, "A whole letter stands in one cell.", "Write one sentence to a row.")
    _kind(entry)
    _words(entry)
    _practice(entry)
    for name in _FIGURES:
        entry.values[name] = _figure(entry, name)
    for name in _PERIODS:
        entry.values[name] = _period(entry, name)
    _counts(entry)
    if entry.template is not None:
        _missing(entry, entry.template)
        _contradictions(entry, entry.template)
    where = f"{row.file}, {row.where}"
    return None if entry.unread else Claim(id=str(number), where=where, **entry.values)


def _kind(entry: Entry) -> None:
    """Read the kind of sentence."""
    text = entry.text("template")
    entry.values["template"] = letter_form.kinds().get(letter_form.plain(text), "")
    if entry.values["template"]:
        return
    titles = [template.title for template in letters.templates().values()]
    if text:
        near = closest(text, titles)
        meant = f"Did you mean {' or '.join(map(repr, near))}?"
        if not near:
            meant = f"They are {listing(map(repr, titles), 3)}: the sheet 'kinds' of letter.xlsx has them all."
        entry.note("template", f"There is no kind of sentence called '{text[:60]}'.", meant)
    elif "template" not in entry.unread:
        fix = "Choose one from the list. A sentence of none of these kinds is left out and answered in your own words."
        entry.note("template", "The kind of sentence is not chosen.", fix)


def _words(entry: Entry) -> None:
    """Read what comes from a list: measure, comparator, side."""
    metric = entry.text("metric")
    only = entry.template.metrics if entry.template and not metric else ()
    entry.values["metric"] = only[0] if len(only) == 1 else card_called(metric)
    entry.values["metric_written"] = metric
    comparator = entry.text("comparator")
    entry.values["comparator"] = _comparator(comparator)
    if comparator and not entry.values["comparator"]:
        known = [table["heading"] for table in letter_form.words()["comparator"].values()]
        entry.note("comparator", "It is not known with whom this compares.", f"Choose one of: {', '.join(known)}.")
    side = letter_form.plain(entry.text("direction"))
    entry.values["direction"] = letter_form.directions().get(side, "")
    if side and not entry.values["direction"]:
        unclear = side in letter_form.words()["direction_unclear"]["words"]
        what = "This does not say whether the figure is low or high." if unclear else "This is neither low nor high."
        entry.note("direction", what, "Write low or high: on which side of the others the letter puts the figure.")


def card_called(text: str) -> str:
    """Return the id of the measure that is called so; nothing where none is."""
    asked = letter_form.plain(text)
    for card in catalogue.metrics().values() if asked else ():
        also = letter_form.measures().get(card.id, ())
        if asked in map(letter_form.plain, (card.id, card.title, card.short, *also)):
            return card.id
    return ""


def _comparator(text: str) -> str:
    plain = letter_form.plain(text)
    boards = catalogue.icbs()
    if text.upper() in boards or plain in (letter_form.plain(board.name) for board in boards.values()):
        return "icb"
    known = letter_form.comparators()
    return known.get(plain) or known.get(re.sub(r"^(?:the|our|your) ", "", plain), "")


def _practice(entry: Entry) -> None:
    """Read the practice as it is written, and its code where one stands there."""
    text = entry.text("practice")
    entry.values |= {"practice": text, "practice_code": ""}
    codes = list(dict.fromkeys(re.findall(_A_CODE, text.upper())))
    practices = [code for code in codes if looks_like_practice_code(code)]
    if len(practices) == 1 and len(codes) == 1:
        entry.values["practice_code"] = practices[0]
    elif len(codes) > 1:
        entry.note("practice", f"{len(codes)} practices stand in one cell.", "Write one row for each practice.")
    elif codes:
        entry.note(
            "practice", f"{codes[0]} is the code of a network, not of a practice.", "Write one row for each practice."
        )
    elif text.upper() in catalogue.icbs():
        fix = "Name the practice; for a sentence about all its practices leave the cell blank and choose such a kind."
        entry.note("practice", f"{text.upper()} is the code of a board, not of a practice.", fix)
    elif (wrong := re.fullmatch(_LIKE_A_CODE, text.upper())) is not None:
        mended = wrong[0][:1] + re.sub(r"[\s-]", "", wrong[0][1:]).translate(str.maketrans("OIL", "011"))
        meant = f"Is it {mended}? " if looks_like_practice_code(mended) else ""
        entry.note(
            "practice",
            "This cannot be a practice code, which is a letter and five digits.",
            f"{meant}Write the code, or the practice's name.",
        )


def _unit(template: letters.Template | None, name: str) -> str:
    """Return in which unit a cell's figure is."""
    if template is None:
        return "unknown"
    if name == "threshold" and template.id in _OF_PRACTICES:
        return "practices"
    if name == "figure" and template.test in ("fold", "opportunity"):
        return template.test
    return "free" if template.test in _FREE else "card"


def _figure(entry: Entry, name: str) -> Figure | None:
    """Return a printed figure that can be so."""
    text = entry.text(name)
    if not text or name in entry.unread:
        return None
    if entry.row.cells[name].date is not None:
        fix = "Type it with an apostrophe before it, such as '3/4, or as the letter prints it."
        entry.note(name, "A date stands where a number is needed; a spreadsheet may have made it of one.", fix)
        return None
    unit = _unit(entry.template, name)
    if unit == "practices":
        share = read_tail(text)
        if isinstance(share, str):
            entry.note(name, f"The share of practices cannot be read: {share}.", "Write it as 10% or 20%.")
            return None
        return share
    if unit == "unknown" and name == "threshold" and isinstance(read_tail(text), Figure):
        return None
    printed = read_figure(text, line=name == "threshold", a_week=unit in ("opportunity", "unknown"))
    if isinstance(printed, str):
        fix = _AS_PLACE if printed == "it says how many of how many" else _AS_PRINTED
        entry.note(name, f"The figure cannot be read: {printed}.", fix)
        return None
    wrong = _impossible(entry, printed, unit) if unit != "unknown" else None
    if wrong is not None:
        entry.note(name, *wrong)
        return None
    return printed.figure


def _impossible(entry: Entry, printed: Printed, unit: str) -> tuple[str, str] | None:
    """Return why a figure cannot be what it stands for, and what to do; None where it can."""
    figure = printed.figure
    if figure.number < 0 and entry.template and entry.template.test != "association":
        return "The figure is below nought.", "Write how large it is, and which way it moved under 'Low or high'."
    if unit == "fold":
        if figure.percent or figure.number < 1:
            return "It is not said how many times the largest is the smallest.", "Write it as 7 or 7-fold."
        return None
    if printed.fold:
        return "The figure says how many times, and a figure of the practice is needed.", _AS_PRINTED
    if unit == "opportunity":
        fix = "Write how many more there would be in a week, such as 9,000."
        return ("A percentage stands where a number a week is needed.", fix) if figure.percent else None
    metric = entry.values["metric"]
    if unit == "free" or not metric:
        return None
    return _beyond(catalogue.metric(metric), printed)


def _beyond(card: catalogue.MetricCard, printed: Printed) -> tuple[str, str] | None:
    """Return why a figure cannot be one of the card's, and what to do; None where it can."""
    figure = printed.figure
    if card.kind != "proportion":
        what = f"A percentage stands where the measure is {card.unit}."
        return (what, f"Write it as {card.unit}, or choose another measure.") if figure.percent else None
    if figure.number > 100:
        return "A share cannot be more than 100%.", "Look again in the letter; if it says so, choose another measure."
    if 0 < figure.number < 1 and not (figure.percent or printed.points):
        fraction = f"{figure.number * 100:g}%"
        return "A share below 1 without a per cent sign may be a fraction or a percentage.", (
            f"Write {fraction} or {figure.number:g}%, whichever the letter means."
        )
    return None


def _period(entry: Entry, name: str) -> str:
    """Return the months that a cell names."""
    text = entry.text(name)
    if not text or name in entry.unread:
        return ""
    cell = entry.row.cells[name]
    if cell.date is not None:
        month = None if cell.day_and_month else month_of_day(cell.date)
        if month is None:
            what = f"The spreadsheet has made the day {cell.date.isoformat()} of what was typed."
            entry.note(name, what, "Write the month with its year in full, such as April 2025.")
            return ""
        text = month
    try:
        period = read_period(text)
    except ValueError as error:
        entry.note(name, f"The period cannot be read: {error}.", _AS_PERIOD)
        return ""
    if period[-7:] > f"{entry.today:%Y-%m}":
        fix = "Look again in the letter; of a year that is not over, write the months that the figure covers."
        entry.note(name, "The period ends in the future.", fix)
        return ""
    return period


def _counts(entry: Entry) -> None:
    """Read "3 of 230", from two cells or from one."""
    entry.values |= {"place": None, "of": None}
    for name in ("place", "of"):
        text = entry.text(name)
        if not text or name in entry.unread:
            continue
        if entry.row.cells[name].date is not None:
            entry.note(name, "The spreadsheet has made a date of what was typed.", _AS_PLACE)
            continue
        found = read_place(text)
        if isinstance(found, str):
            entry.note(name, f"The number cannot be read: {found}.", _AS_PLACE)
            continue
        number, of = found
        if of is not None and (name == "of" or entry.text("of") not in ("", str(of))):
            entry.note(name, "It says out of how many, and so does the other cell.", _AS_PLACE)
            continue
        entry.values[name] = number
        if of is not None:
            entry.values["of"] = of


def _missing(entry: Entry, template: letters.Template) -> None:
    """Note what the kind of sentence needs and the row does not say."""
    columns = letter_form.columns()
    lacking = []
    for name in template.needs:
        there = entry.values["metric_written"] if name == "metric" else ""
        if not entry.values[name] and not there and name not in entry.unread:
            lacking.append(name)
    if not lacking:
        return
    what = listing(f"'{name if entry.row.in_study else columns[name].heading}'" for name in lacking)
    entry.unread |= set(lacking)
    entry.problems.add(
        f"The sentence '{template.title}' needs {what}.",
        entry.row.where,
        "Fill it in from the letter." if len(lacking) == 1 else "Fill them in from the letter.",
    )


def _contradictions(entry: Entry, template: letters.Template) -> None:
    """Note what cannot both be so in one row."""
    values = entry.values
    look = "Look again in the letter. If it says both, leave one out and say so in your own note."
    if template.direction and values["direction"] not in ("", template.direction) and "direction" not in template.takes:
        what = f"'{template.title}' is about a {template.direction} figure, and the row says {values['direction']}."
        entry.note("direction", what, "Correct it, or choose another kind of sentence.")
        return
    side = values["direction"] or template.direction
    other = {"margin": "comparator_figure", "threshold": "threshold", "change": "figure_before"}.get(template.test)
    mine, theirs = values["figure"], values[other] if other else None
    if mine and theirs and (mine.number < theirs.number if side == "high" else mine.number > theirs.number) and side:
        heading = letter_form.columns()[other or ""].heading
        entry.note(
            "figure",
            f"The row says {side}, and its figure lies on the other side of '{heading}' ({theirs.text}).",
            look,
        )
    place, of = values["place"], values["of"]
    if place and of and place > of:
        entry.note("place", f"{place} out of {of} cannot be.", "Look again in the letter.")
    before, now = values["period_before"], values["period"]
    if before and now and (before[:7] >= now[:7] or before[-7:] >= now[-7:]):
        entry.note("period_before", "The earlier period does not lie before the period.", "Look again in the letter.")
