"""A practice's own appointments against the published ones; the urgent measure if slots were mapped otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpvar.catalogue import appointments as facts
from gpvar.errors import SourceError
from gpvar.problems import listing
from gpvar.sources._parts import SourceTable
from gpvar.sources.own_appointments.comparing import OwnCheck, compare
from gpvar.sources.own_appointments.reading import OwnData, read_own

__all__ = ["OwnCheck", "OwnData", "compare", "mapping_what_if", "read_own"]


def mapping_what_if(source: SourceTable, practice_code: str, own: OwnData | None = None) -> pd.DataFrame:
    """Return the urgent same-day share of one practice if slots of other categories had been mapped as urgent.

    Parameters
    ----------
    source
        The published appointments.
    practice_code
        The practice.
    own
        Its own appointments, to be used for it in place of the published ones.

    Returns
    -------
    DataFrame
        One row per definition and way of adding: id, title, how (``"added"`` to those before it, or ``"alone"``),
        same_day, appointments, share, and of England middle (the median share) and practices (how many it is of).
        The share is missing where there is no such appointment.
    """
    official = source.counts
    mine = official if own is None else own.counts
    if practice_code not in set(mine["practice_code"]):
        raise SourceError(
            f"The appointments of {practice_code} are not in these files.",
            source.file,
            "Check the code of the practice.",
        )
    least = facts.middle_of_at_least()
    everyone = {part: _wide(official, part) for part in ("numerator", "denominator")}
    practice = {part: _wide(mine, part).loc[practice_code] for part in ("numerator", "denominator")}
    rows = []
    for how in ("added", "alone"):
        taken: list[str] = []
        for item in facts.what_if():
            taken = [*taken, f"what_if_{item.id}"] if how == "added" else [f"what_if_{item.id}"]
            top, base = (float(practice[part].reindex(taken).sum()) for part in ("numerator", "denominator"))
            tops, bases = (everyone[part][taken].sum(axis=1) for part in ("numerator", "denominator"))
            enough = bases >= least
            shares = tops[enough] / bases[enough]
            rows.append(
                {
                    "id": item.id,
                    "title": item.title if how == "added" else f"{listing(item.categories)} only",
                    "how": how,
                    "same_day": top,
                    "appointments": base,
                    "share": top / base if base else np.nan,
                    "middle": float(shares.median()) if len(shares) else np.nan,
                    "practices": int(enough.sum()),
                }
            )
    return pd.DataFrame(rows)


def _wide(counts: pd.DataFrame, part: str) -> pd.DataFrame:
    own = counts[(counts["part"] == part) & counts["metric"].str.startswith("what_if_")]
    return own.pivot(index="practice_code", columns="metric", values="value")
