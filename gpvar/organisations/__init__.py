"""Practices, networks and boards over time: codes, finding, dated maps, boards bridged, mergers, lists of practices."""

from __future__ import annotations

from gpvar.organisations.boards import codes_of_board, describe_boards, lives_on, name_of_board, names_of_boards
from gpvar.organisations.bridging import PracticeBridge, board_on, bridge, bridge_by_practice, unbridgeable
from gpvar.organisations.codes import (
    is_practice_code,
    looks_like,
    looks_like_practice_code,
    network,
    tidy,
)
from gpvar.organisations.events import (
    ENDINGS,
    EVENT_COLUMNS,
    EVENT_KINDS,
    Events,
    check_events,
    events_template,
    events_within,
    no_events,
    successors_on,
)
from gpvar.organisations.finding import day_of_board, find_icb, find_icb_by_date, find_practice, match_practices
from gpvar.organisations.groups import PracticeGroups, check_groups
from gpvar.organisations.hierarchy import (
    PLACED,
    PLACES,
    boards_not_told,
    place_on,
    straddling_networks,
    unallocated,
)
from gpvar.organisations.like_for_like import LikeForLike, join_periods, like_for_like
from gpvar.organisations.proposals import EVIDENCE_COLUMNS, propose_events

__all__ = [
    "ENDINGS",
    "EVENT_COLUMNS",
    "EVENT_KINDS",
    "EVIDENCE_COLUMNS",
    "PLACED",
    "PLACES",
    "Events",
    "LikeForLike",
    "PracticeBridge",
    "PracticeGroups",
    "board_on",
    "boards_not_told",
    "bridge",
    "bridge_by_practice",
    "check_events",
    "check_groups",
    "codes_of_board",
    "day_of_board",
    "describe_boards",
    "events_template",
    "events_within",
    "find_icb",
    "find_icb_by_date",
    "find_practice",
    "is_practice_code",
    "join_periods",
    "like_for_like",
    "lives_on",
    "looks_like",
    "looks_like_practice_code",
    "match_practices",
    "name_of_board",
    "names_of_boards",
    "network",
    "no_events",
    "place_on",
    "propose_events",
    "straddling_networks",
    "successors_on",
    "tidy",
    "unallocated",
    "unbridgeable",
]
