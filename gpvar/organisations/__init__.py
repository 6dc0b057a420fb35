"""Practices, networks and boards over time: codes, finding, dated maps, boards bridged, mergers, lists of practices."""

from __future__ import annotations

from gpvar.organisations.boards import codes_of_board, describe_boards, lives_on, name_of_board, names_of_boards
from gpvar.organisations.bridging import PracticeBridge, board_on, bridge, bridge_by_practice, unbridgeable
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
from gpvar.organisations.hierarchy import (
    PLACED,
    PLACES,
    boards_not_told,
    place_on,
    straddling_networks,
    unallocated,
)

__all__ = [
    "PLACED",
    "PLACES",
    "PracticeBridge",
    "board_on",
    "boards_not_told",
    "bridge",
    "bridge_by_practice",
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
    "place_on",
    "straddling_networks",
    "tidy",
    "unallocated",
    "unbridgeable",
]
