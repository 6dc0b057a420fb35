"""Asking the gates, and handing on what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpvar import catalogue, schema
from gpvar.gates import practices, tables
from gpvar.gates.evidence import FAILED, PASSED, UNCHECKED, Evidence, Look, columns_of
from gpvar.problems import count
from gpvar.study import Study
from gpvar.study.columns import declared_covariates

#: Asked of the months alone.
ON_MONTHS = ("series_break", "target_change")
#: Asked of every study, whether or not a metric's card names them.
_ALWAYS = ("months_missing", "covariate_impossible", "not_england", "too_few_practices")


def run(evidence: Evidence) -> pd.DataFrame:
    """Ask every gate that the study's metrics name.

    Returns
    -------
    DataFrame
        ``schema.GATES``: one row for the whole table per gate, and one per practice that failed.
    """
    return _asked(evidence, _LOOKS)


def of_months(study: Study) -> pd.DataFrame:
    """Ask the gates that look at nothing but which months are meant: breaks of the series, and targets.

    Returns
    -------
    DataFrame
        As `run`.
    """
    return _asked(_Months(study), ON_MONTHS)


@dataclass(frozen=True, slots=True)
class _Months:
    """All that the gates on months look at."""

    study: Study


def _asked(evidence: Any, looks: Iterable[str]) -> pd.DataFrame:
    rows: list[tuple] = []
    for gate in looks:
        named = _severities(gate, evidence.study)
        if not named:
            continue
        for look in _LOOKS[gate](evidence):
            for metric, severity in _spoken_of(look, named, evidence.study):
                rows.append((gate, severity, look.state, "", metric, look.value, _whole(look)))
                rows += [(gate, severity, FAILED, code, metric, value, words) for code, value, words in look.failed]
    return pd.DataFrame(rows, columns=schema.names("gates"))


def excluded(found: pd.DataFrame, gates: Iterable[str]) -> pd.DataFrame:
    """Return the practices to be left out of the fit, and the gate for which each is."""
    failed = found[(found["state"] == FAILED) & (found["practice_code"] != "") & found["gate"].isin(list(gates))]
    return failed[["practice_code", "gate"]].drop_duplicates().sort_values(["practice_code", "gate"], ignore_index=True)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row per gate for a check page.

    Parameters
    ----------
    found
        What `run` returned.

    Returns
    -------
    DataFrame
        gate, title, severity, state, metric, n_failed (practices), meaning (the gate's own sentence), detail.
    """
    cards = catalogue.gates()
    rows = []
    whole = found[found["practice_code"] == ""]
    counted = found[found["practice_code"] != ""].groupby(["gate", "metric", "severity"])["practice_code"].nunique()
    for row in whole.itertuples():
        card = cards[row.gate]
        n = int(counted.get((row.gate, row.metric, row.severity), 0))
        state = FAILED if n else row.state
        meaning = {PASSED: card.passed, FAILED: card.failed, UNCHECKED: card.unchecked}[state]
        rows.append((row.gate, card.title, row.severity, state, row.metric, n, meaning, row.detail))
    columns = ["gate", "title", "severity", "state", "metric", "n_failed", "meaning", "detail"]
    return pd.DataFrame(rows, columns=columns)


def dropped(evidence: Evidence) -> dict[str, str]:
    """Return the characteristics declared that the table does not hold, with the reason."""
    declared = dict.fromkeys(
        c for metric in evidence.study.metrics for c in declared_covariates(evidence.study, metric)
    )
    return {c: "no source" for c in declared if not columns_of(evidence.practices, c)}


def _severities(gate: str, study: Study) -> dict[str, str]:
    """Return metric → severity, for the metrics whose cards name the gate."""
    default = catalogue.gates()[gate].severity
    named = {
        metric: use.severity for metric in study.metrics for use in catalogue.metric(metric).gates if use.id == gate
    }
    return dict.fromkeys(study.metrics, default) | named if gate in _ALWAYS else named


def _spoken_of(look: Look, named: dict[str, str], study: Study) -> Iterator[tuple[str, str]]:
    """Yield metric and severity; one blank metric where every metric of the study is meant with one severity."""
    concerned = {metric: severity for metric, severity in named.items() if not look.metrics or metric in look.metrics}
    if set(concerned) == set(study.metrics) and len(set(concerned.values())) == 1 and not look.metrics:
        yield "", look.severity or next(iter(concerned.values()))
        return
    for metric, severity in concerned.items():
        yield metric, look.severity or severity


def _whole(look: Look) -> str:
    if look.failed and not look.detail:
        return count(len({code for code, _, _ in look.failed}), "practice fails", "practices fail")
    return look.detail


_LOOKS: dict[str, Callable[[Evidence], Iterator[Look]]] = {
    "no_denominator": practices.no_denominator,
    "numerator_over_denominator": practices.numerator_over_denominator,
    "suppressed": practices.suppressed,
    "list_under_1000": practices.list_under_1000,
    "atypical": practices.atypical,
    "appointments_under_one_per_patient": practices.appointments_under_one,
    "unmapped_over_40": practices.unmapped_over_40,
    "mapping_step": practices.mapping_step,
    "supplier_change": practices.supplier_change,
    "merger_or_list_jump": practices.merger_or_list_jump,
    "months_missing": practices.months_missing,
    "series_break": tables.series_break,
    "target_change": tables.target_change,
    "ag_platform_incomplete": practices.ag_platform_incomplete,
    "ag_capped": practices.ag_capped,
    "covariate_missing": tables.covariate_missing,
    "covariate_old": tables.covariate_old,
    "covariate_impossible": practices.covariate_impossible,
    "not_england": tables.not_england,
    "too_few_practices": tables.too_few_practices,
    "join_loss": tables.join_loss,
    "hierarchy_date": tables.hierarchy_date,
    "denominator_mixed": tables.denominator_mixed,
}
