"""Practices, networks and boards: tidy codes, find by name or code, bridge the boards before and after April 2026."""

from __future__ import annotations

from gpvar.organisations.boards import codes_of_board, describe_boards, lives_on, name_of_board, names_of_boards
from gpvar.organisations.codes import (
    conventions,
    in_words,
    is_practice_code,
    looks_like,
    looks_like_practice_code,
    network,
    tidy,
)
from gpvar.organisations.finding import find_icb, find_icb_by_date, find_practice, match_practices

__all__ = [
    "codes_of_board",
    "conventions",
    "describe_boards",
    "find_icb",
    "find_icb_by_date",
    "find_practice",
    "in_words",
    "is_practice_code",
    "lives_on",
    "looks_like",
    "looks_like_practice_code",
    "match_practices",
    "name_of_board",
    "names_of_boards",
    "network",
    "tidy",
]
