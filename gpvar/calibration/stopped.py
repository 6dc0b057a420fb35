"""Whether a finding ever decides a sentence about figures behind a check that stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from gpvar import claims
from gpvar.calibration.claims import slim
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of
from gpvar.simulate import claims_of

if TYPE_CHECKING:
    from gpvar.calibration.trial import Trial
    from gpvar.results import Run

#: Kinds of sentence that rest on a practice's own figure.
TEMPLATES = (
    "tail", "below_mean", "significant", "outlier", "rag_red", "league_place", "below_target", "too_low", "exemplar",
    "payment",
)  # fmt: skip
#: Every how many worlds of a metric, and how many sentences of each kind.
EVERY, MANY = 4, 4


def measure(trial: Trial) -> Iterator[Tally]:
    """Check sentences about practices of whom a check that stops has failed.

    Parameters
    ----------
    trial
        A world. The checks that stop on the measure's card fail in turn, each for some of the practices.

    Yields
    ------
    Tally
        How many findings are that it cannot be decided, by kind of sentence and over all.
    """
    if turn_of(trial.number) % EVERY != 1:
        return
    compared = trial.counts.practice_code[trial.counts.in_reference]
    said = [item.claim for item in claims_of(trial.world, TEMPLATES, compared, MANY)]
    run = stopping(trial, list(dict.fromkeys(claim.practice_code for claim in said)))
    open_ = [finding.verdict == "not_decidable" for finding in claims.check_all(said, run)]
    frame = pd.DataFrame({"template": [claim.template for claim in said], "open": open_})
    for group, part in (("", frame), *frame.groupby("template")):
        yield Tally("stopped_not_decidable", float(part["open"].sum()), len(part), str(group))


def stopping(trial: Trial, codes: list[str]) -> Run:
    """Return the trial's run with a check that stops failed for each of some practices."""
    stops = [gate.id for gate in trial.card.gates if gate.severity == "stop"]
    failed = [
        {"gate": stops[number % len(stops)], "severity": "stop", "state": "failed", "metric": trial.metric,
         "practice_code": code, "detail": ""}
        for number, code in enumerate(codes)
    ]  # fmt: skip
    run = slim(trial.run)
    gates = pd.concat([run.table.gates, pd.DataFrame(failed)], ignore_index=True)
    return replace(run, table=replace(run.table, gates=gates))
