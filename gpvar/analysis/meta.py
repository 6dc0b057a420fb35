"""What one metric's analysis is of: who was compared with whom on what, and the overall figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import gates
from gpvar.analysis import observed

if TYPE_CHECKING:
    from gpvar.analysis.climbed import Climbed
    from gpvar.table import PracticeTable


def meta_of(done: Climbed) -> dict[str, Any]:
    """Return who was compared with whom on what, and the overall figures."""
    table, card, counts, ladder = done.table, done.card, done.counts, done.ladder
    used = counts.usable & counts.in_reference
    totals = pd.DataFrame({"icb": counts.icb_code, "y": counts.observed, "n": counts.denominator})
    by_icb = totals[used & (counts.icb_code != "")].groupby("icb")[["y", "n"]].sum()
    here = used & np.isin(counts.practice_code, list(table.area_codes))
    top = ladder.rungs[-1]
    return {
        "metric": card.id,
        "kind": card.kind,
        "scale": card.scale,
        "period_label": table.study.period.label,
        "weeks": table.study.period.weeks,
        "n_practices": len(counts.practice_code),
        "n_fitted": int(used.sum()),
        "n_area": len(table.area_codes),
        "england_value": float(totals["y"][used].sum() / totals["n"][used].sum()),
        "icb_value": {str(icb): float(row.y / row.n) for icb, row in by_icb.iterrows()},
        "area_value": float(totals["y"][here].sum() / totals["n"][here].sum()) if here.any() else float("nan"),
        "rungs": [rung.name for rung in ladder.rungs],
        "covariates": {rung.name: list(rung.covariates) for rung in ladder.rungs},
        "dropped": done.dropped,
        "reference": _reference(table),
        "has_months": _has_months(table),
        "headline_rung": done.headline,
        "comparators": list(ladder.practices["comparator"].unique()),
        "extrapolated": sorted(counts.practice_code[top.design.extrapolated & counts.usable].tolist()),
    }


def _reference(table: PracticeTable) -> dict[str, str]:
    """Return which practices set the comparison, and what to call them."""
    level = observed.reference_level(table)
    if not level:
        gate = (table.gates["gate"] == "not_england") & (table.gates["state"] == gates.FAILED)
        return {"set": "england", "name": "this file" if gate.any() else "England"}
    here = table.hierarchy[table.hierarchy["practice_code"].isin(table.area_codes)]
    names = here["icb_name"] if level == "icb_code" else here[level]
    said = " and ".join(dict.fromkeys(name for name in names if name))
    return {"set": table.study.reference.set, "name": said if level == "icb_code" else f"region {said}"}


def _has_months(table: PracticeTable) -> bool:
    asked = table.gates[table.gates["gate"] == "months_missing"]
    return bool((asked["state"] != gates.UNCHECKED).any())
