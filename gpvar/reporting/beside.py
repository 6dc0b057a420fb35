"""The sheets on need, staff and funding: of one practice its own rows, of an area's owner those of every practice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gpvar.words import area_facts, hidden
from gpvar.words.phrases import CONFIDENTIAL

if TYPE_CHECKING:
    from gpvar.results import Run

#: Sheet → the table by whose columns the dictionary explains it.
TABLES = {"Resources": "resources", "Supply (M3)": "supply"}
_RESOURCES = ("Resources", "Need, staff and funding of each practice, beside all practices compared")
_SUPPLY = ("Supply (M3)", "What supply not chosen would explain: a scenario, which excuses nothing")
_OF_THE_COUNT = ("difference_m2", "difference_m3", "z_m2", "z_m3")


def sheets(run: Run, metrics: list[str], practice: str = "") -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheets that have rows: sheet → its title and table.

    Parameters
    ----------
    run
        The run.
    metrics
        The metrics of the workbook.
    practice
        The one practice whose rows are wanted; every practice of the area where it is empty.
    """
    found = [(*_RESOURCES, _resources(run, metrics)), (*_SUPPLY, _supply(run, metrics, practice))]
    kept = [
        (sheet, title, frame[frame["practice_code"] == practice].drop(columns="practice_name") if practice else frame)
        for sheet, title, frame in found
        if len(frame)
    ]
    return {sheet: (title, frame.reset_index(drop=True)) for sheet, title, frame in kept if len(frame)}


def _resources(run: Run, metrics: list[str]) -> pd.DataFrame:
    """Return each resource once: but for what is expected of patients, they are the same whatever the metric."""
    frames = [run.analyses[metric].resources for metric in metrics if len(run.analyses[metric].resources)]
    if not frames:
        return pd.DataFrame()
    once = pd.concat(frames, ignore_index=True).drop_duplicates(["practice_code", "resource"])
    return _named(run, once, metrics[0])


def _supply(run: Run, metrics: list[str], practice: str) -> pd.DataFrame:
    frames = []
    for metric in metrics:
        frame = run.analyses[metric].supply
        if len(frame):
            facts = area_facts(run, metric)
            secret = set() if practice else hidden.not_to_be_exported(facts.at("M0"), facts.card)
            masked = frame.assign(metric=metric)
            # What is expected and the distance from it would together tell a count that must stay hidden.
            where = masked["practice_code"].isin(secret)
            for column in _OF_THE_COUNT if where.any() else ():
                masked[column] = masked[column].astype(object).mask(where, CONFIDENTIAL)
            frames.append(masked)
    return _named(run, pd.concat(frames, ignore_index=True), metrics[0]) if frames else pd.DataFrame()


def _named(run: Run, frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    facts = area_facts(run, metric).practices
    names = dict(zip(facts["practice_code"], facts["practice_name"], strict=True))
    named = frame.sort_values("practice_code", kind="stable", ignore_index=True)
    named.insert(1, "practice_name", named["practice_code"].map(names))
    return named
