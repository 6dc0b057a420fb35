"""The counts of every metric in each month, of which a study's totals are the sum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gpvar.sources._parts import BY_MONTH
from gpvar.sources.appointments.tally import MonthCounts, wanted


def counts_by_month(months: Mapping[str, MonthCounts]) -> pd.DataFrame | None:
    """Return both counts of every metric, one row per practice and month; None where there are no months.

    Parameters
    ----------
    months
        Month → its counts.

    Returns
    -------
    DataFrame or None
        As `SourceTable.by_month`; texts are categorical, so that a year of England takes little room. The denominator
        is NaN of metrics that have none here, such as rates of registered patients.
    """
    if not months:
        return None
    names = list(wanted())
    metrics = [name.partition(".")[0] for name in names if name.endswith(".numerator")]
    metrics = [metric for metric in metrics if metric != "unmapped"]
    place = pd.Index(sorted({code for counts in months.values() for code in counts.codes}), dtype="str")
    at, month_at, metric_at, top, base = [], [], [], [], []
    for number, (_, counts) in enumerate(sorted(months.items())):
        here = place.get_indexer(list(counts.codes)).astype(np.int32)
        for which, metric in enumerate(metrics):
            at.append(here)
            month_at.append(np.full(len(here), number, np.int16))
            metric_at.append(np.full(len(here), which, np.int8))
            top.append(counts.values[:, names.index(f"{metric}.numerator")].astype(float))
            below = f"{metric}.denominator"
            known = below in names
            base.append(counts.values[:, names.index(below)].astype(float) if known else np.full(len(here), np.nan))
    frame = pd.DataFrame(
        {
            "practice_code": pd.Categorical.from_codes(np.concatenate(at), categories=place),
            "month": pd.Categorical.from_codes(np.concatenate(month_at), categories=sorted(months)),
            "metric": pd.Categorical.from_codes(np.concatenate(metric_at), categories=metrics),
            "numerator": np.concatenate(top),
            "denominator": np.concatenate(base),
        }
    )
    return frame[list(BY_MONTH)]
