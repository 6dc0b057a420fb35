"""What is looked at before any test, for every sentence: its measure, whether the study holds it, its figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpvar import catalogue
from gpvar.claims.evidence import IN_OTHER_WAYS, Evidence, Tested
from gpvar.gates import UNCHECKED
from gpvar.multiverse import multiverse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpvar.results import Figure, Multiverse

#: Tests in which `figure` is the practice's own figure in the period.
_OWN_FIGURE = ("rank", "margin", "significant", "outlier", "threshold", "change", "no_improvement", "exemplar")
#: Tests that look at two periods by themselves.
TWO_PERIODS = ("change", "no_improvement", "worst_improved")
_ROUNDING = 1e-9
#: Under which the cache keeps analyses in other ways.
_WAYS = "other ways"
#: The check without which it is not known whether all of a practice's appointments are in the file.
_COVERAGE = "months_missing"
_CHECKED = ("gate", "severity", "state", "detail")


def tested(seen: Evidence) -> Tested:
    """Return which of the conditions hold that are asked of every sentence, with their numbers."""
    numbers: dict[str, Any] = {}
    holding = {*_about(seen, numbers)}
    if not holding:
        holding |= {*_held(seen, numbers)}
    if not holding and seen.template.about == "practice" and seen.claim.practice_code and seen.claim.metric:
        holding |= {*_figures(seen, numbers)}
    readable = not holding and bool(seen.claim.metric)
    return Tested(frozenset(holding), numbers, tuple(_beside(seen)) if readable else ())


def _about(seen: Evidence, numbers: dict[str, Any]) -> Iterable[str]:
    """Yield what keeps the sentence from being about this measure."""
    claim, template = seen.claim, seen.template
    if template.source:
        yield "no_source"
    elif not claim.metric and "metric" in template.needs:
        numbers["metric_written"] = claim.metric_written
        yield "no_card"
    elif claim.metric and template.metrics and claim.metric not in template.metrics:
        numbers["measures"] = list(template.metrics)
        yield "other_measure"
    elif template.id == "below_target" and (target := _of_another(seen)) is not None:
        numbers |= {"target": target.id, "target_metric": target.metric}
        yield "target_of_another_measure"


def _of_another(seen: Evidence) -> catalogue.Target | None:
    """Return the target that the letter holds against a measure to which it does not belong."""
    threshold = seen.claim.threshold
    targets = catalogue.targets().values()
    if any(target.metric == seen.claim.metric for target in targets) or threshold is None:
        return None
    same = [target for target in targets if abs(target.value - threshold.number / 100) <= seen.half_digit(threshold)]
    return same[0] if same else None


def _held(seen: Evidence, numbers: dict[str, Any]) -> Iterable[str]:
    """Yield what the study does not hold of measure, practice and period."""
    claim, run = seen.claim, seen.run
    if claim.metric and claim.metric not in run.analyses:
        reason = run.meta.get("unanswered", {}).get(claim.metric, "")
        numbers["why"] = str(reason)
        yield "not_analysed"
    if "practice" in seen.template.needs and claim.practice_code not in set(run.table.practices["practice_code"]):
        numbers["practice"] = claim.practice or claim.practice_code
        yield "practice_unknown"
    if seen.template.test not in TWO_PERIODS and claim.period and claim.period != period_of(seen):
        numbers |= {"period": claim.period, "held": period_of(seen)}
        yield "period_not_held"


def period_of(seen: Evidence) -> str:
    """Return the months of the run, as a claim writes them."""
    period = seen.run.study.period
    return period.start if period.start == period.end else f"{period.start}..{period.end}"


def _figures(seen: Evidence, numbers: dict[str, Any]) -> Iterable[str]:
    """Yield what keeps the practice's figure from being the one to judge."""
    stopped = seen.gates[(seen.gates["state"] == "failed") & (seen.gates["severity"] == "stop")]
    if len(stopped):
        numbers["gates"] = sorted(set(stopped["gate"]))
        yield "stop_gate"
        return
    raw = seen.rows.get("M0")
    if raw is None:
        yield "no_figure"
        return
    if not np.isfinite(raw["value"]):
        if not np.isfinite(raw["observed_low"]):
            yield "no_figure"
            return
        numbers |= {"low": raw["observed_low"], "high": raw["observed_high"]}
        yield "hidden"
        return
    numbers |= {"value": raw["value"], "denominator": raw["denominator"]}
    figure = seen.claim.figure
    if figure is not None and seen.template.test in _OWN_FIGURE and seen.claim.period in ("", period_of(seen)):
        numbers["written"] = seen.in_raw_unit(figure)
        if _apart(seen, figure) > margin_of(seen):
            yield "figure_far"
    if "direction" in seen.template.needs and not seen.sign:
        yield "no_direction"


def margin_of(seen: Evidence, rung: str = "M0") -> float:
    """Return the card's margin in its raw unit: points of a share, or per cent of what is expected at a rung."""
    card = seen.card
    if card.kind == "proportion":
        return float(card.margin) / float(card.scale)
    return float(card.margin) / 100.0 * float(seen.rows[rung]["centre"])


def _apart(seen: Evidence, figure: Figure) -> float:
    """Return how far a printed figure is from the practice's, beyond what rounding makes."""
    gap = abs(seen.in_raw_unit(figure) - float(seen.rows["M0"]["value"]))
    return max(0.0, gap - seen.half_digit(figure) - _ROUNDING)


def figure_right(seen: Evidence) -> bool | None:
    """Return whether the letter's own figure is what these data give; None where there is none to check."""
    raw = seen.rows.get("M0") if seen.claim.metric in seen.run.analyses else None
    figure = seen.claim.figure
    if figure is None or raw is None or seen.template.test not in _OWN_FIGURE or not np.isfinite(raw["value"]):
        return None
    if seen.claim.period not in ("", period_of(seen)):
        return None
    return _apart(seen, figure) == 0.0


def _beside(seen: Evidence) -> Iterable[str]:
    """Yield what must be said beside any finding."""
    claim = seen.claim
    too_small = claim.comparator == "icb" and bool(claim.practice_code) and seen.comparator != "own_icb"
    reference = seen.run.study.reference.set
    elsewhere = claim.comparator in ("pcn", "sub_icb", "region", "similar") or too_small
    if elsewhere and claim.comparator != reference:
        yield "comparator_changed"
    if reference != "england" and claim.practice_code and seen.comparator == "england":
        yield "panel_not_england"
    if figure_right(seen) is False:
        yield "figure_differs"
    if seen.derived:
        yield "period_derived"
    failed = seen.gates[seen.gates["state"] == "failed"]
    if (failed["severity"] == "warn").any() and claim.practice_code:
        yield "warned"
    if any(note.id == "no_months" for note in seen.analysis.notes):
        yield "chance_not_separated"
    placed = {rung: seen.rows[rung]["position"] for rung in ("M1", "M2") if rung in seen.rows}
    if len(set(placed.values())) > 1:
        yield "rungs_differ"
    if any(
        note.id == "repeated_without_old" and claim.practice_code in note.numbers["changed"]
        for note in seen.analysis.notes
    ):
        yield "old_characteristics_decide"
    if claim.practice_code and not bool(seen.rows.get("M0", {}).get("in_fit", True)):
        yield "outside_fit"
    if seen.template.id == "too_low" and _unchecked(seen, _COVERAGE):
        yield "coverage_not_checked"
    if seen.card.better == "unknown":
        yield "no_known_direction"


def _unchecked(seen: Evidence, gate: str) -> bool:
    return bool(((seen.gates["gate"] == gate) & (seen.gates["state"] == UNCHECKED)).any())


def gates(seen: Evidence) -> tuple[dict[str, Any], ...]:
    """Return the checks that failed or could not be made, as rows."""
    rows = seen.gates[seen.gates["state"] != "passed"]
    rows = rows[list(_CHECKED)].fillna("").astype(str).drop_duplicates()
    return tuple({str(k): v for k, v in row.items()} for row in rows.to_dict("records"))


def rows(seen: Evidence) -> list[dict[str, Any]]:
    """Return the practice's row at each rung, in the order of the ladder."""
    if seen.claim.metric not in seen.run.analyses or not seen.claim.practice_code:
        return []
    return [seen.rows[rung] for rung in ("M0", "M1", "M1-", "M2") if rung in seen.rows]


def robustness(seen: Evidence) -> dict[str, Any]:
    """Return in how many other defensible ways the practice stands as it does beside the claim's comparator.

    Empty for a sentence about the area, where the practice could not be placed, and where the run was made without.
    """
    if seen.claim.metric not in seen.run.analyses or not seen.claim.practice_code:
        return {}
    ways = _other_ways(seen)
    if ways is None:
        return {}
    frame = ways.summary
    mine = frame[(frame["practice_code"] == seen.claim.practice_code) & (frame["comparator"] == seen.comparator)]
    if mine.empty or not mine["compared"].iloc[0]:
        return {}
    row = mine.iloc[0]
    return {
        "agree": int(row["agree"]),
        "compared": int(row["compared"]),
        "label": str(row["label"]),
        "drives": str(row["drives"]),
        "comparator": seen.comparator,
    }


def _other_ways(seen: Evidence) -> Multiverse | None:
    """Return the run's analyses in other ways; those of another period are made when they are first asked for."""
    metric = seen.claim.metric
    if metric in seen.run.multiverse or not seen.run.meta.get(IN_OTHER_WAYS):
        return seen.run.multiverse.get(metric)
    found: Multiverse | None = seen.cache.get((_WAYS, metric))
    if found is None:
        found = seen.cache[_WAYS, metric] = multiverse(seen.run.table, metric, seen.analysis)
    return found


def source(seen: Evidence) -> dict[str, Any]:
    """Return where the numbers come from."""
    run = seen.run
    files = run.table.provenance[["source", "file", "sha256"]].fillna("").astype(str).to_dict("records")
    return {"run": run.meta.get("key", ""), "metric": seen.claim.metric, "period": period_of(seen), "files": files}
