"""How each row of the trial is said: what was counted, of which things, and what it is divided by."""

from __future__ import annotations

from dataclasses import dataclass

from gpvar import catalogue
from gpvar.catalogue import letters
from gpvar.words.text import number, plain


@dataclass(frozen=True, slots=True)
class Bar:
    """How one row of the trial is said.

    `what` was counted, `of` which things, with so many decimals of a per cent; `short` is what its own section says;
    a `difference` of two shares may be below nought.
    """

    what: str
    of: str = "practices"
    decimals: int = 1
    short: str = ""
    difference: bool = False


_FAR, _OUT = "called far outside the usual range", "called outside the usual range, or far outside"
_COVERS = "95% intervals that hold the truth"
_LINE, _PARTLY = "said to be in line with their patients", "said to be partly in line with their patients"


def _alarms(whom: str) -> tuple[Bar, Bar]:
    return Bar(f"{_FAR}, {whom}", "practices", 2, f"far outside, {whom}"), Bar(
        f"{_OUT}, {whom}", "practices", 1, f"outside or far outside, {whom}"
    )


def _covers(of: str) -> Bar:
    return Bar(f"{_COVERS}: {of}", "intervals", 1, of)


def _excused(said: str, where: str = "") -> Bar:
    whom = ", ".join(part for part in ("flagged practices of noise", where) if part)
    return Bar(f"{whom}, {said}", "flagged practices", 2, ", ".join(part for part in (said, where) if part))


def _found(where: str) -> Bar:
    return Bar(f"planted practices found {where}", "planted practices", 1, f"found {where}")


_PAIRS = {
    "england": "all of England",
    "150": "sets of 150 practices",
    "50": "sets of 50 practices",
    "side": "one side alone",
    "t5": "true spread with heavy tails",
}
UNCHANGED = "claims_unchanged"
#: Rows that are columns of one table: how often true, the odds that were said, and their difference; of statements,
#: and of every practice.
ODDS = tuple(tuple(f"{rows}_{column}" for column in ("true", "said", "off")) for rows in ("odds", "claims_chance"))
ODDS_ROWS = frozenset(name for rows in ODDS for name in rows)
ODDS_EVERY = ODDS[0][2]
BARS = {
    f"alarms_{kind}_{name}": bar
    for name, whom in _PAIRS.items()
    for kind, bar in zip(("far", "out"), _alarms(whom), strict=True)
} | {
    "noise_explained": _excused(_LINE),
    "noise_partly": _excused(_PARTLY),
    "noise_explained_150": _excused(_LINE, _PAIRS["150"]),
    "noise_partly_150": _excused(_PARTLY, _PAIRS["150"]),
    "plants_found": _found("outside the usual range or further"),
    "plants_found_below": _found("outside the usual range or further"),
    "plants_far": _found("far outside the usual range"),
    "plants_found_own_icb": _found("outside the usual range of their own ICB or further"),
    "coverage_beta": _covers("coefficients"),
    "coverage_practice_sd": _covers("SD of practices, with what passes within the year"),
    "coverage_pcn_sd": _covers("SD of PCNs"),
    "coverage_icb_sd": _covers("SD of ICBs"),
    "coverage_values": _covers("lasting figures, averaged over practices"),
    "coverage_ranks": _covers("ranks, averaged over practices"),
    "coverage_unsolved": Bar("figures drawn anew whose model had no solution, and so no interval", "figures", 2),
    "claims_decided": Bar("statements decided either way", "statements"),
    "claims_opposite": Bar("statements of which the opposite of the truth is said", "statements", 2),
    "claims_true_right": Bar("true and fair statements that are said to hold", "true and fair statements"),
    "claims_false_right": Bar("false statements that are said not to hold", "false statements"),
    "claims_opposite_near": Bar(
        "statements near the edge, or on less reliable figures, of which the opposite of the truth is said",
        "statements",
        2,
    ),
    "claims_false_contradicted": Bar("false statements that are said to be contradicted outright", "false statements"),
    "claims_unfair_right": Bar(
        "statements that are true as they stand but not beside like practices, and are said to be so", "such statements"
    ),
    "claims_slight_right": Bar(
        "statements that are true by less than their test asks, and are said to be so or left open", "such statements"
    ),
    "claims_true_unfair": Bar(
        "true and fair statements that are said not to be a fair comparison", "true and fair statements"
    ),
    UNCHANGED: Bar("statements of a change that are said to hold where nothing changed for good", "statements"),
    "odds_true": Bar("places that are true, by the odds that were said", "places"),
    "odds_said": Bar("the odds of a place that were said, on average", "places"),
    ODDS_EVERY: Bar("the odds of a place that were said, less how often true", "places", 1, "", True),
    "claims_chance_true": Bar("statements that are true, by the odds that were said", "statements"),
    "claims_chance_said": Bar("the odds that were said, on average", "statements"),
    "claims_chance_off": Bar("the odds that were said, less how often true", "statements", 1, "", True),
    "claims_chance_off_all": Bar("all odds that were said, less how often true", "statements", 1, "", True),
    "stopped_seen": Bar("spoiled figures that the check for their fault sees", "spoiled figures"),
    "stopped_not_decidable": Bar("statements said to be beyond checking, behind a failed check", "statements"),
}
#: How rows are headed where they are columns.
COLUMN = {
    "claims_decided": "Decided",
    "claims_opposite": "Opposite said",
    "claims_true_right": "True and fair: said to hold",
    "claims_false_right": "False: said not to",
    "claims_false_contradicted": "False: contradicted",
    "claims_opposite_near": "Near the edge or less reliable: opposite said",
    "claims_unfair_right": "True but unfair: said so",
    "claims_slight_right": "Slight: said so, or open",
    "claims_true_unfair": "True and fair: called unfair",
    "stopped_not_decidable": "Behind a failed check: left open",
}
#: What a row of odds is of, by the word its group begins with.
ODDS_OF = {
    "place_raw": "every practice being in the lowest or highest tenth, raw figure",
    "place_adjusted": "every practice being in the lowest or highest tenth, after allowing for patients",
    "rank": "a place among practices",
    "threshold": "a target or threshold",
}
SECTIONS = ("alarms", "noise", "plants", "coverage", "claims", "stopped")
#: Of whom changes that are none are said.
_CHANGES = {
    "change": "any practice",
    "change_seeming": "practices that seem to have changed the most",
    "worst_improved": "a group chosen for its low figures",
}
_GROUPS = {
    "": "",
    "england": "against England",
    "own_icb": "against their own ICB",
    "M0": "raw figure (M0)",
    "M1": "after allowing for patients (M1)",
    "M2": "after allowing for patients and circumstances (M2)",
}


def odds_of(group: str) -> str:
    """Return what odds are of: the first word of their group, where it is one."""
    first = group.partition(" ")[0]
    return ODDS_OF.get(first, "" if first[:1].isdigit() else plain(first))


def tenth_said(group: str) -> str:
    """Return the tenth of the odds that a row is of, in words."""
    low, _, high = group.rpartition(" ")[2].partition("-")
    return f"{number(100 * float(low))} to {number(100 * float(high))} in 100" if high else ""


def group_said(group: str, bar: str = "") -> str:
    """Return what a row is divided by, in words."""
    if bar == UNCHANGED:
        return _CHANGES.get(group, plain(group))
    if group in _GROUPS:
        return _GROUPS[group]
    if group in ODDS_OF:
        return ODDS_OF[group]
    if group in catalogue.gates():
        return f"“{catalogue.gates()[group].title}”"
    if group in letters.templates():
        return f"“{letters.templates()[group].title}”"
    first, _, last = group.rpartition(" ")
    if first in ODDS_OF and "-" in last:
        return f"{ODDS_OF[first]}, odds of {tenth_said(group)}"
    if first == "r":
        return f"reliability {last}"
    if last in ("low", "high"):
        whom = group_said(first) if first in _GROUPS else f"sets of {first} practices"
        return f"{whom}, {last} side"
    return plain(group).replace("_", " ")
