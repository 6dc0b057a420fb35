"""From what a letter calls a period to its months: 2025/26, Q1 2025/26, April to June 2025, 12 months to March 2026."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata

from gpvar.dates import month_number
from gpvar.study import parse_period

_MONTH_WORD = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_YEAR = r"(?:20)?\d\d"
_MONTHS_TO = {"12 months": 12, "twelve months": 12, "year": 12, "6 months": 6, "six months": 6, "3 months": 3}
_MONTHS_TO |= {"three months": 3, "quarter": 3, "9 months": 9, "nine months": 9}
_BETWEEN = r"\s*(?:\.\.|\bto\b|\buntil\b|\bthrough\b|-)\s*"


def read_period(text: str) -> str:
    """Return the months of a period, as ``"2025-04..2026-03"`` or ``"2025-04"``.

    Raises
    ------
    ValueError
        With the reason in words.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("–", "-").replace("—", "-").replace("−", "-")
    plain = " ".join(plain.replace(",", " ").split()).strip(" .")
    plain = re.sub(r"^(?:the|in|for|from|during|rolling|period)\s+", "", plain)
    months = _year(plain) or _quarter(plain) or _up_to(plain) or _two(plain) or _one(plain)
    if months is None:
        raise ValueError(_why_not(plain))
    start, end = months
    period = parse_period(f"{start}..{end}")
    return period.start if period.start == period.end else f"{period.start}..{period.end}"


def _of_year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _year(plain: str) -> tuple[str, str] | None:
    """Return the months of a financial year."""
    found = re.fullmatch(rf"(?:fy|financial year)?\s*({_YEAR})\s*[/-]\s*({_YEAR})", plain)
    if found is None or _of_year(found[2]) != _of_year(found[1]) + 1:
        return None
    if "/" not in plain and re.fullmatch(r"\d{4}-(?:0[1-9]|1[0-2])", plain):
        return None
    return f"{_of_year(found[1])}-04", f"{_of_year(found[2])}-03"


def _quarter(plain: str) -> tuple[str, str] | None:
    """Return the months of a quarter of a financial year."""
    quarter, year = r"(?:q|quarter\s*)([1-4])", rf"(?:of\s+)?(?:fy|financial year)?\s*({_YEAR}\s*[/-]\s*{_YEAR})"
    found = re.fullmatch(rf"{quarter}\s*{year}", plain)
    turned = re.fullmatch(rf"{year}\s*{quarter}", plain)
    which, written = (found[1], found[2]) if found else (turned[2], turned[1]) if turned else ("", "")
    whole = _year(written) if which else None
    if whole is None:
        return None
    first = _later(whole[0], 3 * (int(which) - 1))
    return first, _later(first, 2)


def _up_to(plain: str) -> tuple[str, str] | None:
    """Return the months that end with one."""
    found = re.fullmatch(rf"({'|'.join(_MONTHS_TO)})\s+(?:up\s+)?(?:to|ending|ended)(?:\s+in)?\s+(.+)", plain)
    last = _one(found[2], ends=True) if found else None
    return None if found is None or last is None else (_later(last[1], 1 - _MONTHS_TO[found[1]]), last[1])


def _two(plain: str) -> tuple[str, str] | None:
    """Return a first and last month, whose year may be written once."""
    once = re.fullmatch(rf"({_MONTH_WORD}){_BETWEEN}({_MONTH_WORD})\s*({_YEAR})", plain)
    if once is not None:
        if month_number(once[1]) > month_number(once[2]):
            return None
        return _month(once[1], once[3]), _month(once[2], once[3])
    for found in re.finditer(_BETWEEN, plain):
        first, last = _one(plain[: found.start()]), _one(plain[found.end() :], ends=True)
        if first and last:
            return first[0], last[1]
    return None


def _one(plain: str, ends: bool = False) -> tuple[str, str] | None:
    """Return one month, twice; a day counts where the month begins with it, or `ends` with it."""
    if (found := re.fullmatch(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?", plain)) is not None:
        year, month, day = int(found[1]), int(found[2]), found[3]
    elif (found := re.fullmatch(r"(?:(\d{1,2})[/.-])?(\d{1,2})[/.-](\d{4})", plain)) is not None:
        year, month, day = int(found[3]), int(found[2]), found[1]
    elif found := re.fullmatch(rf"(?:(\d{{1,2}})(?:st|nd|rd|th)?\s+)?({_MONTH_WORD})[\s'’-]*({_YEAR})", plain):
        year, month, day = _of_year(found[3]), month_number(found[2]), found[1]
    else:
        return None
    if not 1 <= month <= 12 or not 1900 < year < 2100:
        return None
    if day is not None and int(day) != (calendar.monthrange(year, month)[1] if ends else 1):
        return None
    whole = f"{year:04d}-{month:02d}"
    return whole, whole


def month_of_day(day: dt.date) -> str | None:
    """Return the month that begins with a day; None where none does."""
    return f"{day.year:04d}-{day.month:02d}" if day.day == 1 else None


def _month(name: str, year: str) -> str:
    return f"{_of_year(year):04d}-{month_number(name):02d}"


def _later(month: str, by: int) -> str:
    at = 12 * int(month[:4]) + int(month[5:]) - 1 + by
    return f"{at // 12:04d}-{at % 12 + 1:02d}"


def _why_not(plain: str) -> str:
    if re.fullmatch(r"(?:in |calendar year )?(?:19|20)\d\d", plain):
        return "a year alone may run from January or from April"
    if re.fullmatch(rf"(?:q|quarter ?)[1-4] ?{_YEAR}", plain):
        return "a quarter of a year may be counted from January or from April"
    if re.fullmatch(_MONTH_WORD, plain):
        return "a month needs its year"
    if re.search(r"\b(?:last|latest|recent|current|previous|this|date)\b", plain):
        return "it depends on the day on which it is read"
    if re.search(rf"\d{{1,2}}(?:st|nd|rd|th)?[ /.-](?:{_MONTH_WORD}|\d{{1,2}})[ /.-]{_YEAR}", plain):
        return "it names a day and not months"
    return "it names no months"
