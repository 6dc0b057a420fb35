"""The sheets on other defensible ways: of one practice, of every practice for its owner, and the ways by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar import schema
from gpvar.words import area_facts, boxes, figures, hidden, phrases, robustness_choices
from gpvar.words.phrases import CONFIDENTIAL
from gpvar.words.robustness_facts import practice_ways, specifications
from gpvar.words.text import lower_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Run
    from gpvar.words.facts import AreaFacts

WAYS, PLACES, PRACTICES = "ways_sheet", "other_ways_sheet", "robustness_sheet"
_WAYS = ("Ways", "Ways of making the comparison that can be defended as well, the study's own first")
_PLACES = ("Other ways", "The practice in every way of making the comparison; what each does is on sheet Ways")
_SUMMARY = ("Robustness", "In how many other ways a practice stands as in the study's own, on which choice it hangs")
#: Sheet → the table that the dictionary explains it by.
TABLES = {_WAYS[0]: WAYS, _PLACES[0]: PLACES, _SUMMARY[0]: PRACTICES}
#: Sheets that are read row by row.
READING = (_SUMMARY[0],)
_YES = ("primary", "available", "agrees")
#: Columns from which a count could be worked out.
_OF_THE_COUNT = ("distance", "unmeasured_difference", "unmeasured_spreads", "unmeasured_times")
_COMPARATORS = ("england", "own_icb")
_NONE = "none"
#: Stored column → what it is called on a sheet for people.
_PLAIN = {
    "spec": "way", "primary": "used_here", "available": "made", "why_not": "why_not_made", "n": "practices",
    "tau": "shared_spread", "flagged": "outside", "agree_share": "same_share",
}  # fmt: skip
_PLAIN_PLACES = {"spec": "way", "z": "distance", "agrees": "same_place"}
_PLAIN_SUMMARY = {
    "compared": "other_ways", "outside": "other_ways_outside", "agree": "other_ways_same",
    "share": "other_ways_same_share", "label": "robustness", "drives": "hangs_on", "drives_gap": "hangs_on_gap",
    "z": "distance", "to": "brought_to", "unmeasured_points": "unmeasured_difference",
    "unmeasured_sd": "unmeasured_spreads", "unmeasured_multiple": "unmeasured_times",
    "strongest": "strongest_measured",
}  # fmt: skip


def area_sheets(run: Run, metrics: list[str]) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheet of all ways, in which no practice stands; nothing for a run without other ways."""
    return _sheets((_WAYS, [_ways(run, metric) for metric in _held(run, metrics)]))


def practice_sheets(run: Run, metrics: list[str], practice: str) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheets of one practice: where every way puts it, and what that comes to."""
    judged = [metric for metric in _held(run, metrics) if practice_ways(run, practice, metric).here is not None]
    places, summaries, every = [], [], []
    for metric in judged:
        every.append(_ways(run, metric))
        places.append(_places(run, metric, practice))
        summaries.append(_summaries(run, metric, [practice]))
    return _sheets((_SUMMARY, summaries), (_PLACES, places), (_WAYS, every))


def owner_sheets(run: Run, metrics: list[str]) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheet of every practice of the area, by code, for its owner alone."""
    return _sheets((_SUMMARY, [practice_rows(run, metric) for metric in _held(run, metrics)]))


def practice_rows(run: Run, metric: str) -> pd.DataFrame:
    """Return in how many ways each practice of the area stands as here, with [c] where a count must stay hidden.

    A practice that is not judged has its rows all the same, with nothing in them, so that none is lost in a join.
    """
    facts = area_facts(run, metric)
    frame = _summaries(run, metric, sorted(facts.codes))
    secret = frame["practice_code"].isin(hidden.not_to_be_exported(facts.at("M0"), facts.card))
    for column in _OF_THE_COUNT if secret.any() else ():
        frame[column] = frame[column].astype(object).mask(secret, CONFIDENTIAL)
    return frame


def _summaries(run: Run, metric: str, codes: Sequence[str]) -> pd.DataFrame:
    """Return one row a practice and comparator, in words and as printed; beside its board only where any is judged."""
    facts, found = area_facts(run, metric), run.multiverse[metric]
    here = [name for name in _COMPARATORS if (found.summary["comparator"] == name).any()]
    keys = pd.MultiIndex.from_product([here, codes], names=["comparator", "practice_code"])
    whole = found.summary.set_index(["comparator", "practice_code"]).reindex(keys).reset_index()
    whole = whole.rename(columns=_PLAIN_SUMMARY).assign(metric=metric)
    names = dict(zip(facts.practices["practice_code"], facts.practices["practice_name"], strict=True))
    whole["practice_name"] = [names.get(code, code) for code in whole["practice_code"]]
    whole["position"] = _positions(facts, whole, str(found.meta.get("rung", facts.headline)))
    judged = whole["other_ways"].notna()
    share, card = figures.is_share(facts.card), facts.card
    whole["unmeasured_difference"] = whole["unmeasured_difference"] * card.scale
    whole["unmeasured_unit"] = pd.Series("percentage points" if share else card.unit, whole.index).where(judged)
    # Inside the usual range in every way only the side of the expected hangs on a choice, which says little.
    inside = judged & (whole["brought_to"] == "outside") & (whole["other_ways_outside"] == 0)
    whole["hangs_on"] = whole["hangs_on"].mask(inside, "").map(_choice, na_action="ignore")
    whole["hangs_on_gap"] = whole["hangs_on_gap"].astype(object).mask(whole["hangs_on"] == _NONE, "")
    whole["strongest_measured"] = whole["strongest_measured"].map(_characteristic, na_action="ignore")
    return whole[schema.names(PRACTICES)]


def _positions(facts: AreaFacts, rows: pd.DataFrame, rung: str) -> list[str | None]:
    """Return the position of each row's practice, in words; None where it has none."""
    frame = facts.practices[facts.practices["rung"] == rung]
    at = dict(zip(zip(frame["comparator"], frame["practice_code"], strict=True), frame["position"], strict=True))
    keys = zip(rows["comparator"], rows["practice_code"], strict=True)
    return [phrases.POSITION.get(str(at.get(key, ""))) for key in keys]


def _choice(name: str) -> str:
    return lower_first(robustness_choices.CHOICES.get(name, "")) or _NONE


def _characteristic(name: str) -> str:
    return boxes.allowed_for([name]) if name else ""


def _ways(run: Run, metric: str) -> pd.DataFrame:
    """Return every declared way in words, with what it gives or why it could not be made."""
    frame = answered(run.multiverse[metric].specifications).assign(metric=metric, in_words=_in_words(run, metric))
    frame["why_not"] = [robustness_choices.why_not(str(reason)) if reason else "" for reason in frame["why_not"]]
    frame["spec"] = pd.to_numeric(frame["spec"])
    return frame.rename(columns=_PLAIN)[schema.names(WAYS)]


def _places(run: Run, metric: str, practice: str) -> pd.DataFrame:
    """Return where every way puts one practice."""
    found = run.multiverse[metric]
    frame = answered(found.practices[found.practices["practice_code"] == practice]).assign(metric=metric)
    said = dict(zip(found.specifications["spec"], _in_words(run, metric), strict=True))
    frame["in_words"] = frame["spec"].map(said)
    frame["spec"] = pd.to_numeric(frame["spec"])
    return frame.rename(columns=_PLAIN_PLACES)[schema.names(PLACES)]


def _in_words(run: Run, metric: str) -> list[str]:
    here, others = specifications(run.multiverse[metric])
    said = {str(row["spec"]): robustness_choices.way(row.get("taken", {}), full=True) for row in (here, *others)}
    return [said[str(spec)] for spec in run.multiverse[metric].specifications["spec"]]


def answered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its yes and blank as true and false."""
    return frame.assign(**{name: frame[name] == "yes" for name in _YES if name in frame})


def _held(run: Run, metrics: list[str]) -> list[str]:
    return [metric for metric in metrics if metric in run.multiverse]


def _sheets(*wanted: tuple[tuple[str, str], list[pd.DataFrame]]) -> dict[str, tuple[str, pd.DataFrame]]:
    whole = {sheet: (title, pd.concat(frames, ignore_index=True)) for (sheet, title), frames in wanted if frames}
    return {sheet: (title, frame) for sheet, (title, frame) in whole.items() if len(frame)}
