"""How often a finding on a sentence of a letter is right, wrong or left open, where the answer is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gpvar import claims
from gpvar.calibration import changes
from gpvar.calibration.answers import CLEAR, ENDS_TO_SD, RELIABLE, Answer, counted, said_of, truth_of
from gpvar.calibration.tally import Tally
from gpvar.calibration.trial import turn_of
from gpvar.catalogue import letters
from gpvar.simulate import claims_of

if TYPE_CHECKING:
    from gpvar.calibration.trial import Trial
    from gpvar.results import Analysis, Finding, Run
    from gpvar.simulate import PlantedClaim

#: What a world is asked of, in turn: all of it in every world would take longer than the rest of the trial together.
FAMILIES = (
    ("tail", "league_place"),
    ("below_mean", "too_low", "significant", "outlier", "rag_red", "below_target", "payment", "exemplar", "many_red",
     "fold", "opportunity"),
    changes.TEMPLATES,
)  # fmt: skip
#: Kinds of sentence that have no answer in a world, by why not.
LEFT_OUT = {
    "cannot_get_through": "no_source",
    "emergency_use": "no_source",
    "association": "never_borne_out",
    "patients_per_gp": "nothing_estimated",
    "low_ag_user": "no_truth",
    "low_ag_high_referral": "no_truth",
}
#: Every how many worlds of a metric sentences are checked.
EVERY = 2
#: About how many sentences of a kind are made in a world.
MANY = 16
_CHANCES = {"rank": "p_raw", "threshold": "p"}


def measure(trial: Trial) -> Iterator[Tally]:
    """Check sentences whose answers are known.

    Parameters
    ----------
    trial
        A world; the practices that the sentences are about were chosen by their published figures.

    Yields
    ------
    Tally
        By kind of sentence, and over all: what the bars speak of; and of every sentence about a rank or a threshold
        the chance that was said, and how often it was true.
    """
    turn = turn_of(trial.number)
    if turn % EVERY:
        return
    times, which = divmod(turn // EVERY, len(FAMILIES))
    family = FAMILIES[which]
    if family is changes.TEMPLATES:
        answers, others = changes.answers(trial, times)
        yield from others
    else:
        answers = answers_of(trial, family)
    yield from counted(answers)


def answers_of(trial: Trial, templates: Iterable[str], many: int = MANY) -> list[Answer]:
    """Return what is found of a world's sentences, about so many of each kind."""
    compared = trial.counts.practice_code[trial.counts.in_reference]
    planted = claims_of(trial.world, tuple(templates), compared, many)
    found = claims.check_all([item.claim for item in planted], slim(trial.run))
    return [
        answered(item, finding, errors_of(trial.analysis, finding))
        for item, finding in zip(planted, found, strict=True)
    ]


def slim(run: Run) -> Run:
    """Return the run without what sentences about England do not look at: every one of them reads all of it again."""
    analyses = {metric: _slim(analysis) for metric, analysis in run.analyses.items()}
    gates = run.table.gates
    return replace(run, analyses=analyses, table=replace(run.table, gates=gates[gates["state"] != "passed"]))


def _slim(analysis: Analysis) -> Analysis:
    rows = analysis.practices
    return replace(analysis, practices=rows[(rows["comparator"] == "england") & (rows["rung"] != "M1-")])


@dataclass(frozen=True, slots=True)
class Errors:
    """The posterior SD that a truth's distance is measured in, and the reliability of the figure."""

    sd: dict[str, float]
    reliability: float


def errors_of(analysis: Analysis, finding: Finding) -> Errors:
    """Return what is not known of what a sentence is about."""
    numbers, effects = finding.numbers, analysis.effects
    sd = {"neighbours": _of_neighbours(analysis, finding), "share": _of_share(analysis)}
    if numbers.get("lasting_upper") is not None:
        sd["sum"] = (numbers["lasting_upper"] - numbers["lasting_lower"]) / ENDS_TO_SD
    own = effects[(effects["practice_code"] == finding.claim.practice_code) & (effects["rung"] == "M0")]
    if own.empty:
        # About no single practice: figures as reliable as they commonly are.
        return Errors(sd, float(effects.loc[effects["rung"] == "M0", "reliability"].median()))
    row = own.iloc[0]
    sd["lasting"] = float(row["effect_upper"] - row["effect_lower"]) / ENDS_TO_SD
    sd["period"] = _of_period(finding)
    return Errors(sd, float(row["reliability"]))


def _of_period(finding: Finding) -> float:
    """Return the posterior SD of the year's own figure on the link scale."""
    ends = finding.numbers.get("interval_lower"), finding.numbers.get("interval_upper")
    if None in ends:
        return float("nan")
    proportion = finding.rungs[0]["value"] <= 1.0 and finding.claim.metric.endswith("_share")
    lower, upper = (np.log(end / (1.0 - end)) if proportion else np.log(end) for end in ends)
    return float(upper - lower) / ENDS_TO_SD


def _of_neighbours(analysis: Analysis, finding: Finding) -> float:
    """Return the error of where a fifth of so many neighbours begins: that of a quantile of normal values."""
    many = finding.numbers.get("neighbours")
    rows = analysis.spread
    tau2 = rows.loc[(rows["rung"] == "M2") & (rows["comparator"] == "england"), "tau2"]
    if not many or tau2.empty:
        return float("nan")
    return float(np.sqrt(0.2 * 0.8 / many) / 0.2799619 * np.sqrt(tau2.iloc[0]))


def _of_share(analysis: Analysis) -> float:
    """Return the error of the share of the variance that is the practices' and places' own: of all that is not need."""
    shares = analysis.shares.set_index("component")
    rest = shares.reindex(["need", "context"])
    return float(np.sqrt((((rest["upper"] - rest["lower"]) / ENDS_TO_SD) ** 2).sum()))


def answered(planted: PlantedClaim, finding: Finding, errors: Errors) -> Answer:
    """Return a known answer beside the one that was found."""
    test = letters.templates()[planted.claim.template].test
    chance = finding.numbers.get(_CHANCES.get(test, ""))
    far = planted.distance > CLEAR * errors.sd.get(planted.of, float("nan")) or np.isinf(planted.distance)
    return Answer(
        template=planted.claim.template,
        truth=truth_of(planted),
        said=said_of(finding),
        clear=bool(far and errors.reliability >= RELIABLE),
        chance=float("nan") if chance is None else float(chance),
        holds=planted.truth,
        verdict=finding.verdict,
    )
