"""Months and days in words, and back: in English, whatever language the computer speaks."""

from __future__ import annotations

from datetime import date

# Not those of the calendar module, which speaks the language of the computer.
# fmt: off
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on
#: As they are told apart by: the first three letters, small.
SHORT_MONTHS = tuple(name[:3].lower() for name in MONTHS)


def month_number(name: str) -> int:
    """Return 9 for ``"September"`` or ``"SEPT"``, by the first three letters; 0 where they are no month's."""
    start = name[:3].casefold()
    return SHORT_MONTHS.index(start) + 1 if start in SHORT_MONTHS else 0


def month_in_words(month: str) -> str:
    """Return ``"July 2026"`` for ``"2026-07"``."""
    return f"{MONTHS[int(month[5:7]) - 1]} {month[:4]}"


def day_in_words(day: date) -> str:
    """Return a date as ``"1 April 2026"``."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
