"""Evidence about the multilevel models behind the ladder: that they were fitted, and how well they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats as distributions

from gpvar import schema
from gpvar.errors import ConvergenceError, StatsError
from gpvar.stats.multilevel import MultilevelFit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpvar.analysis.ladder import Ladder, Rung
    from gpvar.stats.multilevel import ModelCheck

Row = dict[str, Any]
_INFLUENTIAL = 1.0
_MOMENTS = ("skewness", "kurtosis")


def describe(ladder: Ladder, headline: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Describe the models of a ladder.

    Parameters
    ----------
    ladder
        The fitted rungs.
    headline
        The rung the findings speak of: its model is looked at more closely.
    seed
        Of the draws in the quantile residuals.

    Returns
    -------
    tuple of DataFrame
        `schema.MODELS`, one row per rung, and `schema.DIAGNOSTICS`, one row per thing looked at. Without rows where a
        regression stands in for the model.
    """
    fitted = [(rung, rung.expected.model) for rung in ladder.rungs if rung.expected.model is not None]
    rows = [_model(rung, model) for rung, model in fitted]
    looked = [row for rung, model in fitted if rung.name == headline for row in _diagnostics(rung, model, seed)]
    return (
        pd.DataFrame(rows, columns=schema.names("models")),
        pd.DataFrame(looked, columns=schema.names("diagnostics")),
    )


def _model(rung: Rung, model: MultilevelFit) -> Row:
    evidence = model.estimate.evidence
    return {
        "rung": rung.name,
        "family": model.family,
        "groups": " > ".join(model.groups),
        "n": model.n_rows,
        "parameters": model.n_parameters,
        "loglik": model.loglik,
        "aic": model.aic,
        "bic": model.bic,
        "converged": model.converged,
        "evaluations": evidence.get("evaluations", np.nan),
        "gradient": evidence.get("largest_gradient", np.nan),
        "decrement": evidence.get("newton_decrement", np.nan),
        "condition": evidence.get("condition", np.nan),
        "notes": " ".join(model.notes),
    }


def _diagnostics(rung: Rung, model: MultilevelFit, seed: int) -> list[Row]:
    """Return what was looked at; what has no solution is left out, for no judgement rests on it."""
    rows: list[Row] = []
    for look in (_zero_spreads, _checks):
        try:
            rows += list(look(model, seed))
        except (ConvergenceError, StatsError):
            continue
    return [{"rung": rung.name, "level": "", "unit": "", "term": "", **row} for row in rows]


def _zero_spreads(model: MultilevelFit, seed: int) -> Iterator[Row]:
    for row in _records(model.likelihood_ratio()):
        yield {"check": "zero_spread", "level": row["group"], "value": row["statistic"], "p": row["p"]}


def _checks(model: MultilevelFit, seed: int) -> Iterator[Row]:
    found = model.check(seed)
    yield {"check": "dispersion", "value": found.dispersion, "expected": 1.0, "p": found.dispersion_p}
    yield {"check": "dispersion_df", "value": found.dispersion_df}
    for row in _records(found.outside):
        many = round(row["share"] * model.n_rows)
        yield {
            "check": f"outside_{row['limit']:g}",
            "value": row["share"],
            "expected": row["expected"],
            "se": row["se"],
            "p": float(distributions.binomtest(many, model.n_rows, row["expected"]).pvalue),
        }
    for row in _records(found.zeros):
        yield {"check": "zeros", "value": row["observed"], "expected": row["expected"], "se": row["se"]}
    yield from _influence(found, model)
    for row in _records(found.shape):
        place = {"level": row["group"]}
        yield {"check": "reliability", "value": row["reliability"], **place}
        for name in _MOMENTS:
            test = {"expected": 0.0, "se": row[f"{name}_se"], "p": row[f"{name}_p"]}
            yield {"check": name, "value": row[name], **test, **place}
    for row in _records(found.counts):
        yield {"check": "events", "level": row["group"], "value": row["mean"]}
        yield {"check": "events_below_5", "level": row["group"], "value": row["below_5"]}


def _influence(found: ModelCheck, model: MultilevelFit) -> Iterator[Row]:
    """Return what leaving out one unit of the coarsest level would do to the coefficient that it moves most."""
    known = found.influence.dropna(subset=["largest"])
    if known.empty:
        return
    size = known["largest"].abs().to_numpy()
    most, place = int(size.argmax()), {"level": model.groups[0]}
    unit, term = str(known.index[most]), str(known["column"].iloc[most])
    yield {"check": "influence", "unit": unit, "term": term, "value": float(size[most]), **place}
    yield {"check": "influential_units", "value": float((size > _INFLUENTIAL).sum()), **place}


def _records(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
