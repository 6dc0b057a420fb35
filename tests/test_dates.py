"""Months and days in words, and back."""

from __future__ import annotations

import datetime as dt

import pytest

from gpvar.dates import MONTHS, day_in_words, month_in_words, month_number
from gpvar.sources import _tabular


@pytest.mark.parametrize(("name", "number"), [("Sept", 9), ("SEP", 9), ("september", 9), ("se", 0), ("", 0), ("13", 0)])
def test_a_month_is_told_by_the_first_three_letters_of_its_name(name: str, number: int) -> None:
    assert month_number(name) == number


def test_what_is_said_of_a_month_or_a_day_is_read_back_as_the_same() -> None:
    for number, name in enumerate(MONTHS, 1):
        assert month_number(name) == number
        assert month_in_words(f"2026-{number:02d}") == f"{name} 2026"
        assert day_in_words(dt.date(2026, number, 1)) == f"1 {name} 2026"


@pytest.mark.parametrize("text", ["2026-07-15", "2026/07/15", "2026-07-15T00:00:00", "15Jul2026"])
def test_a_day_of_a_published_file_is_the_day_that_it_says(text: str) -> None:
    assert _tabular._day(text) == "2026-07-15"
