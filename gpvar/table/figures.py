"""The two counts of each metric and practice, over the study's period."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.study import Study


def with_patient_months(
    study: Study, counts: pd.DataFrame, facts: pd.DataFrame, monthly: pd.DataFrame, by_month: Collection[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add patient-months as the denominator of a rate that has none of its own.

    Parameters
    ----------
    study, counts, facts
        As in `gpvar.table`.
    monthly
        Counts by month, the lists among them.
    by_month
        Metrics whose counts were added up from months.

    Returns
    -------
    tuple
        The counts, and the metrics whose patient-months are the sum of the lists of every month of the period; of the
        others they are one list size times the months.
    """
    summed = _summed_lists(study, monthly)
    exact = []
    frames = [counts]
    for metric in study.metrics:
        own = counts[counts["metric"] == metric]
        if catalogue.metric(metric).kind == "rate" and not (own["part"] == "denominator").any():
            top = own[own["part"] == "numerator"]
            codes = top["practice_code"]
            months = top["months"].to_numpy() if metric in by_month else np.float64(study.period.months)
            product = facts["list_size"].reindex(codes).to_numpy() * months
            if summed is not None:
                lists = summed.reindex(codes).to_numpy()
                product = np.where(np.isfinite(lists) & (months == study.period.months), lists, product)
                exact.append(metric)
            frames.append(top.assign(part="denominator", value=product, low=product, high=product, hidden=False))
    return pd.concat(frames, ignore_index=True), tuple(exact)


def _summed_lists(study: Study, monthly: pd.DataFrame) -> pd.Series | None:
    """Return the lists of each practice added up over the months, where every month of the period is held."""
    lists = monthly[(monthly["name"] == "list_size") & monthly["month"].between(study.period.start, study.period.end)]
    if lists["month"].nunique() < study.period.months:
        return None
    groups = lists.groupby("practice_code")["value"].agg(["sum", "count"])
    return groups["sum"].where(groups["count"] == study.period.months)


def outcomes_of(
    study: Study, counts: pd.DataFrame, measured: pd.Index, monthly: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the outcomes, and the months that each figure rests on."""
    frames, months = [], []
    for metric in study.metrics:
        own = counts[counts["metric"] == metric]
        top = own[own["part"] == "numerator"].set_index("practice_code").reindex(measured)
        base = own[own["part"] == "denominator"].set_index("practice_code").reindex(measured)
        hidden = top["hidden"].eq(True).to_numpy() | base["hidden"].eq(True).to_numpy()
        missing = top["low"].isna().to_numpy() | base["low"].isna().to_numpy()
        # A partly hidden denominator moves a figure little: its middle is used, unless it could be below the numerator.
        middle = ((base["low"] + base["high"]) / 2).where(base["low"] >= top["high"].fillna(0))
        denominator = base["value"].where(~base["hidden"].eq(True), middle)
        used = np.nan_to_num(np.fmin(top["months"].to_numpy(float), base["months"].to_numpy(float)))
        frames.append(
            pd.DataFrame(
                {
                    "practice_code": measured,
                    "metric": metric,
                    "numerator": top["value"].to_numpy(float),
                    "denominator": denominator.to_numpy(float),
                    "numerator_low": top["low"].to_numpy(float),
                    "numerator_high": top["high"].to_numpy(float),
                    "denominator_low": base["low"].to_numpy(float),
                    "denominator_high": base["high"].to_numpy(float),
                    "months": used if monthly else float(study.period.months),
                    "state": np.select([missing, hidden], ["missing", "suppressed"], ""),
                }
            )
        )
        months.append(pd.DataFrame({"practice_code": measured, "metric": metric, "months": used}))
    return pd.concat(frames, ignore_index=True), pd.concat(months, ignore_index=True)
