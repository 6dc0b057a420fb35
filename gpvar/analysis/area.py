"""What an area's owner needs beside the practices: how many each method flags, and how England's fit holds here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats as distributions

from gpvar.analysis.expected import inverse_link
from gpvar.stats import funnel

if TYPE_CHECKING:
    from gpvar.analysis.ladder import Ladder, Rung
    from gpvar.analysis.observed import Counts

OURS = "consistent"
METHODS = ("none", "multiplicative", "cqc", "shmi", "dersimonian-laird", OURS)


def compare_methods(counts: Counts, ladder: Ladder, in_area: np.ndarray) -> pd.DataFrame:
    """Count the practices each funnel method would flag, in the area and in the whole reference set.

    The raw figures go through every method; the adjusted ones (M1) through ours, so that what the method does and
    what the adjustment does can be told apart. Ours is the one by which practices are placed.
    """
    rows: list[dict[str, object]] = []
    for rung in ladder.rungs:
        if rung.name in {"M0", "M1"}:
            modes = METHODS if rung.name == "M0" else (OURS,)
            rows += [row for mode in modes for row in _counts_by_scope(counts, ladder, rung, mode, in_area)]
    return pd.DataFrame(rows)


def _counts_by_scope(
    counts: Counts, ladder: Ladder, rung: Rung, mode: str, in_area: np.ndarray
) -> list[dict[str, object]]:
    used = counts.usable & counts.in_reference & rung.design.complete
    flags = _as_placed(counts, ladder, rung)[used] if mode == OURS else _flags(counts, rung, mode, used)
    scopes = {"area": in_area[used], "england": np.ones(int(used.sum()), dtype=bool)}
    return [
        {"method": mode, "rung": rung.name, "scope": scope, "n": int(members.sum()), **_flag_counts(flags[members])}
        for scope, members in scopes.items()
    ]


def _as_placed(counts: Counts, ladder: Ladder, rung: Rung) -> np.ndarray:
    placed = ladder.practices[(ladder.practices["rung"] == rung.name) & (ladder.practices["comparator"] == "england")]
    return placed.set_index("practice_code")["flag"].loc[counts.practice_code].to_numpy(str)


def _flags(counts: Counts, rung: Rung, mode: str, used: np.ndarray) -> np.ndarray:
    observed, denominator = counts.observed[used], counts.denominator[used]
    expected = inverse_link(rung.expected.link[used], counts.kind)
    if mode in {"shmi", "cqc"}:
        count = expected * denominator
        placed = funnel.funnel(observed, count * observed.sum() / count.sum(), kind="ratio", overdispersion=mode)
    else:
        placed = funnel.funnel(
            observed,
            denominator,
            kind=counts.kind,
            expected=expected,
            overdispersion=mode,
            n_parameters=rung.expected.n_parameters,
        )
    return placed.units["flag"].to_numpy(str)


def _flag_counts(flags: np.ndarray) -> dict[str, int]:
    """Count flags cumulatively: a practice outside the 99.8 % limits is outside the 95 % ones too."""
    return {
        "flagged_low_95": int(np.isin(flags, ["low_95", "low_99_8"]).sum()),
        "flagged_high_95": int(np.isin(flags, ["high_95", "high_99_8"]).sum()),
        "flagged_low_99_8": int((flags == "low_99_8").sum()),
        "flagged_high_99_8": int((flags == "high_99_8").sum()),
    }


def local_calibration(ladder: Ladder, in_area_codes: set[str]) -> pd.DataFrame:
    """Say how well each England-fitted rung describes the area.

    Returns
    -------
    DataFrame
        rung, scope, n, mean_residual (link scale; 0 when the area is where England's fit puts it), slope of the
        judged quantity on the expectation with its 95 % interval (1 when the fit holds locally), sd_within.
    """
    rows = []
    placed = ladder.practices[(ladder.practices["comparator"] == "england") & ladder.practices["in_fit"]]
    for rung in ladder.rungs:
        here = placed[(placed["rung"] == rung.name) & placed["practice_code"].isin(in_area_codes)]
        residual = here["link_residual"].to_numpy()
        row = {
            "rung": rung.name,
            "scope": "area",
            "n": len(here),
            "mean_residual": float(residual.mean()) if len(here) else np.nan,
            "sd_within": float(residual.std(ddof=1)) if len(here) > 1 else np.nan,
        }
        rows.append(row | _slope(here["expected_link"].to_numpy(), residual))
    return pd.DataFrame(rows)


def _slope(expected: np.ndarray, residual: np.ndarray) -> dict[str, float]:
    if len(expected) < 10 or np.ptp(expected) == 0:
        return {"slope": np.nan, "slope_lower": np.nan, "slope_upper": np.nan}
    line = distributions.linregress(expected, expected + residual)
    half_width = distributions.t.ppf(0.975, len(expected) - 2) * line.stderr
    return {"slope": line.slope, "slope_lower": line.slope - half_width, "slope_upper": line.slope + half_width}
