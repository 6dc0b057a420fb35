"""The sheets on other defensible ways: of one practice, of every practice for its owner, and the ways by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar.words import area_facts, hidden
from gpvar.words.phrases import CONFIDENTIAL
from gpvar.words.robustness_facts import practice_ways

if TYPE_CHECKING:
    from gpvar.results import Run

WAYS, PLACES, PRACTICES = "specifications", "specification_practices", "robustness"
_WAYS = ("Ways", "Ways of making the comparison that can be defended as well, the study's own first")
_PLACES = ("Other ways", "The practice in every way of making the comparison")
_SUMMARY = ("Robustness", "In how many other ways a practice stands as in the study's own, on which choice it hangs")
_YES = ("primary", "available", "agrees")
#: Columns from which a count could be worked out.
_OF_THE_COUNT = ("z", "unmeasured_sd", "unmeasured_points", "unmeasured_multiple")


def area_sheets(run: Run, metrics: list[str]) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheet of all ways, in which no practice stands; nothing for a run without other ways."""
    frames = [answered(run.multiverse[metric].specifications).assign(metric=metric) for metric in _held(run, metrics)]
    return _sheets((_WAYS, frames))


def practice_sheets(run: Run, metrics: list[str], practice: str) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheets of one practice: where every way puts it, and what that comes to."""
    judged = [metric for metric in _held(run, metrics) if practice_ways(run, practice, metric).here is not None]
    places, summaries, every = [], [], []
    for metric in judged:
        found = run.multiverse[metric]
        every.append(answered(found.specifications).assign(metric=metric))
        for frame, into in ((found.practices, places), (found.summary, summaries)):
            into.append(answered(frame[frame["practice_code"] == practice]).assign(metric=metric))
    return _sheets((_SUMMARY, summaries), (_PLACES, places), (_WAYS, every))


def owner_sheets(run: Run, metrics: list[str]) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheet of every practice of the area, by code, for its owner alone."""
    return _sheets((_SUMMARY, [practice_rows(run, metric).assign(metric=metric) for metric in _held(run, metrics)]))


def practice_rows(run: Run, metric: str) -> pd.DataFrame:
    """Return in how many ways each practice of the area stands as here, with [c] where a count must stay hidden."""
    facts, found = area_facts(run, metric), run.multiverse[metric]
    frame = found.summary[found.summary["practice_code"].isin(facts.codes)]
    frame = frame.sort_values(["practice_code", "comparator"], kind="stable", ignore_index=True)
    names = dict(zip(facts.practices["practice_code"], facts.practices["practice_name"], strict=True))
    frame.insert(1, "practice_name", frame["practice_code"].map(names))
    secret = frame["practice_code"].isin(hidden.not_to_be_exported(facts.at("M0"), facts.card))
    for column in _OF_THE_COUNT if secret.any() else ():
        frame[column] = frame[column].astype(object).mask(secret, CONFIDENTIAL)
    return frame


def answered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its yes and blank as true and false."""
    return frame.assign(**{name: frame[name] == "yes" for name in _YES if name in frame})


def tables(sheets: dict[str, tuple[str, pd.DataFrame]]) -> list[str]:
    """Return the tables whose columns the dictionary of a workbook with these sheets explains."""
    of = {_WAYS[0]: WAYS, _PLACES[0]: PLACES, _SUMMARY[0]: PRACTICES}
    return [of[sheet] for sheet in sheets]


def _held(run: Run, metrics: list[str]) -> list[str]:
    return [metric for metric in metrics if metric in run.multiverse]


def _sheets(*wanted: tuple[tuple[str, str], list[pd.DataFrame]]) -> dict[str, tuple[str, pd.DataFrame]]:
    whole = {sheet: (title, pd.concat(frames, ignore_index=True)) for (sheet, title), frames in wanted if frames}
    return {sheet: (title, frame) for sheet, (title, frame) in whole.items() if len(frame)}
