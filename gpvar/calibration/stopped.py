"""Whether spoiled figures are seen by the check that is there for them, and sentences about them left undecided."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import claims
from gpvar.analysis import analyse
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of
from gpvar.results import Run
from gpvar.simulate import claims_of
from gpvar.simulate import world as draw_world
from gpvar.study import load_study
from gpvar.table import build_table

if TYPE_CHECKING:
    from gpvar.calibration.trial import Trial
    from gpvar.simulate import World

#: Kinds of sentence that rest on a practice's own figure.
TEMPLATES = (
    "tail", "below_mean", "significant", "outlier", "rag_red", "league_place", "below_target", "too_low", "exemplar",
    "payment",
)  # fmt: skip
#: Every how many worlds of a metric, and how many sentences of each kind.
EVERY, MANY = 4, 4
#: A small England of its own, whose files are spoiled before they are read.
PRACTICES, BOARDS = 800, 8
_YEAR = "gpad_annual_"
_EXPOSURE = "annual_patient_month_exposure"
#: An appointment for each patient in two years: a second system's are not in the file.
_LEFT = 24


def _without_denominator(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    below = {
        "same_day_share": ["total_appointments"],
        "face_to_face_share": ["total_appointments"],
        "dna_share": ["attended", "dna"],
    }
    names = [f"{_YEAR}{name}" for name in below.get(metric, [])] or [_EXPOSURE]
    return rows.assign(**dict.fromkeys(names, np.nan))


def _part_of_the_book(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    counts = [name for name in rows if name.startswith(_YEAR)]
    patients = rows["mean_monthly_list_size"].to_numpy()
    kept = 12.0 / _LEFT * patients / rows[f"{_YEAR}total_appointments"].to_numpy()
    return rows.assign(**{name: np.floor(rows[name].to_numpy() * kept) for name in counts})


def _more_than_all(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    top = f"{_YEAR}{'same_day' if metric == 'same_day_share' else 'face_to_face'}"
    return rows.assign(**{top: rows[f"{_YEAR}total_appointments"] + 100.0})


#: Check → what makes it fail.
_SPOILED: dict[str, Callable[[pd.DataFrame, str], pd.DataFrame]] = {
    "no_denominator": _without_denominator,
    "appointments_under_one_per_patient": _part_of_the_book,
    "numerator_over_denominator": _more_than_all,
}
#: Metrics whose numerator is counted apart from the denominator, so that it can exceed it.
_CAN_EXCEED = ("same_day_share", "face_to_face_share")


def measure(trial: Trial) -> Iterator[Tally]:
    """Spoil figures in the files of a small world, and check sentences about them.

    Parameters
    ----------
    trial
        Says which metric and which seed; the world is another, small enough to be read and analysed again.

    Yields
    ------
    Tally
        How many spoiled figures are seen by the check that is there for their fault, by check; and how many findings
        on sentences about them are that it cannot be decided, by kind of sentence and over all.
    """
    if turn_of(trial.number) % EVERY != 1:
        return
    world = draw_world(trial.seed, PRACTICES, BOARDS, metric=trial.metric, spread=trial.settings.spread)
    said = [item.claim for item in claims_of(world, TEMPLATES, None, MANY)]
    spoiled, why = spoil(world, list(dict.fromkeys(claim.practice_code for claim in said)))
    run = analysed(spoiled)
    failed = run.table.gates[(run.table.gates["state"] == "failed") & (run.table.gates["severity"] == "stop")]
    seen = set(zip(failed["practice_code"], failed["gate"], strict=True))
    for gate in sorted(set(why.values())):
        those = [code for code, fault in why.items() if fault == gate]
        yield Tally("stopped_seen", float(sum((code, gate) in seen for code in those)), len(those), gate)
    open_ = [finding.verdict == "not_decidable" for finding in claims.check_all(said, run)]
    frame = pd.DataFrame({"template": [claim.template for claim in said], "open": open_})
    for group, part in (("", frame), *frame.groupby("template")):
        yield Tally("stopped_not_decidable", float(part["open"].sum()), len(part), str(group))


def spoil(world: World, codes: list[str]) -> tuple[World, dict[str, str]]:
    """Return the world with the figures of some practices spoiled, and by which check each should be seen."""
    able = [gate for gate in _SPOILED if gate != "numerator_over_denominator" or world.metric in _CAN_EXCEED]
    table = world.practices.set_index("practice_code", drop=False)
    counts = [name for name in table if name.startswith(_YEAR)]
    table = table.astype(dict.fromkeys([*counts, _EXPOSURE], float))
    why = {code: able[number % len(able)] for number, code in enumerate(codes)}
    for gate in able:
        those = [code for code in codes if why[code] == gate]
        table.loc[those] = _SPOILED[gate](table.loc[those], world.metric)
    return replace(world, practices=table.reset_index(drop=True)), why


def analysed(world: World) -> Run:
    """Return a world read from its files and analysed, stored nowhere."""
    with tempfile.TemporaryDirectory(prefix="gpvar-trial-", ignore_cleanup_errors=True) as scratch:
        study = load_study(world.write(Path(scratch)))
        table = build_table(study)
    meta = {"key": f"spoiled-{world.seed}", "simulated": True, "unanswered": {}}
    return Run(study, table, {world.metric: analyse(table, world.metric)}, Path(scratch), meta)
