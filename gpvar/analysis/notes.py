"""What a reader of one metric's analysis must be told, as ids and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar import gates
from gpvar.analysis import passing
from gpvar.analysis.ladder import HEADLINE, Ladder, climb
from gpvar.results import Note

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.analysis.climbed import Climbed

_CALIBRATION_BAND = (0.95, 1.05)


def notes_of(done: Climbed) -> tuple[Note, ...]:
    """Return what a reader must be told of the adjustment, of chance and of the places."""
    ladder = done.ladder
    notes = [Note("covariate_dropped", {"covariate": c, "why": why}) for c, why in done.dropped.items()]
    for rung in ladder.rungs:
        if rung.design.dropped:
            notes.append(Note("term_dropped", {"rung": rung.name, "terms": list(rung.design.dropped)}))
    notes += passing.notes_of(done.passing, done.card)
    for row in ladder.spread.itertuples():
        if row.comparator == "england" and not _CALIBRATION_BAND[0] <= row.expected_total_ratio <= _CALIBRATION_BAND[1]:
            notes.append(Note("spread_not_normal", {"rung": row.rung, "ratio": row.expected_total_ratio}))
    return (*notes, *_split_networks(done), *_repeated_without_old(done))


def _split_networks(done: Climbed) -> tuple[Note, ...]:
    """Name the networks that straddle boards: the model takes each for two."""
    used = set(done.counts.practice_code[done.counts.in_reference])
    places = done.table.hierarchy
    places = places[places["practice_code"].isin(used) & (places["pcn_code"] != "") & (places["icb_code"] != "")]
    boards = places.groupby("pcn_code")["icb_code"].nunique()
    split = sorted(boards.index[boards > 1])
    return (Note("networks_split", {"networks": split}),) if split else ()


def _repeated_without_old(done: Climbed) -> tuple[Note, ...]:
    """Repeat the headline without covariates that are far out of date, and say for whom the answer changes."""
    headline = next((rung for rung in done.ladder.rungs if rung.name == HEADLINE), None)
    old = gates.out_of_date(done.table.study, done.table.dates, headline.covariates) if headline else ()
    if headline is None or not old:
        return ()
    kept = tuple(c for c in headline.covariates if c not in old)
    again = climb(done.counts, done.practices, {"M0": (), HEADLINE: kept} if kept else {"M0": ()})
    before, after = _headline_positions(done.ladder, HEADLINE), _headline_positions(again, HEADLINE if kept else "M0")
    changed = after[after != before.reindex(after.index)]
    return (Note("repeated_without_old", {"covariates": list(old), "changed": changed.to_dict()}),)


def _headline_positions(ladder: Ladder, rung: str) -> pd.Series:
    placed = ladder.practices
    rows = placed[(placed["rung"] == rung) & (placed["comparator"] == "england")]
    return rows.set_index("practice_code")["position"]
