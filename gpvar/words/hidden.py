"""Small counts: who may see them, and what stands in their place."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpvar.words.phrases import CONFIDENTIAL

SMALL = 4
#: Files that an ICB hands over in confidence; published files hide their own small counts.
ICB_SUPPLIED = ("ag_extract",)
#: Columns from which a count could be worked out.
OF_THE_COUNT = (
    "observed", "observed_low", "observed_high", "value", "ratio", "ratio_lower", "ratio_upper", "adjusted",
    "difference", "difference_lower", "difference_upper", "z_sampling", "z", "p", "q", "explained_share",
    "percentile", "rank", "gap_count", "gap_per_week", "link_residual",
)  # fmt: skip


def is_small(frame: pd.DataFrame, card: Any) -> pd.Series:
    """Return which rows hold a count of 1 to 4 that the ICB supplied in confidence."""
    return frame["observed"].between(1, SMALL) & (card.source in ICB_SUPPLIED)


def by_supplier(frame: pd.DataFrame) -> pd.Series:
    """Return which rows hold a count that its supplier hid, so that only its two ends are known."""
    if "observed_low" not in frame:
        return pd.Series(False, index=frame.index)
    return frame["observed"].isna() & frame["observed_low"].notna()


def not_to_be_exported(area: pd.DataFrame, card: Any) -> set[str]:
    """Return the practices of an area whose counts stay out of its exports.

    Small counts supplied in confidence; and where that would leave one hidden count alone, to be found by taking the
    others from the total, the next smallest with it.

    Parameters
    ----------
    area
        The area's rows, at any rungs and comparators.
    """
    if card.source not in ICB_SUPPLIED:
        return set()
    one = area.drop_duplicates("practice_code").set_index("practice_code")
    small, gone = is_small(one, card), by_supplier(one)
    hide = set(one.index[small])
    if int((small | gone).sum()) == 1:
        rest = one.loc[~(small | gone), "observed"].dropna()
        larger = rest[rest > SMALL]
        hide |= set((larger if len(larger) else rest).nsmallest(1).index)
    return {str(code) for code in hide}


def masked(frame: pd.DataFrame, codes: set[str] | None = None) -> pd.DataFrame:
    """Return the rows with [c] for everything that a hidden count would tell.

    Parameters
    ----------
    frame
        Rows of the analysis.
    codes
        Practices to hide beside those whose count the supplier hid.
    """
    ours, theirs = frame["practice_code"].isin(codes or set()), by_supplier(frame)
    if not (ours | theirs).any():
        return frame
    made = frame.copy()
    for column in (c for c in OF_THE_COUNT if c in made):
        where = ours | (theirs & made[column].isna())
        made[column] = made[column].astype(object).mask(where, CONFIDENTIAL)
    return made
