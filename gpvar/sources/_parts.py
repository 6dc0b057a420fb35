"""What passes between the rooms of the sources: a table that was recognised, and a source that was read."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from gpvar.sources.files.members import Member


@dataclass(frozen=True, slots=True)
class Part:
    """One table inside a file, and what it was taken for.

    Attributes
    ----------
    member
        Where it is.
    layout
        Id of its layout in the catalogue.
    header
        Its headings as they stand in the file; for a file without headings, the catalogue's names of its fields.
    encoding, delimiter
        How its text is written.
    """

    member: Member
    layout: str
    header: tuple[str, ...]
    encoding: str = "utf-8-sig"
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class SourceTable:
    """What a source says of practices.

    Attributes
    ----------
    id
        Source id of the catalogue, or the study's own id of a local table.
    file
        The file's name, or names, for messages.
    counts
        One row per practice and metric (or `unmapped`): practice_code, metric, part, value, low, high, hidden, months.
    facts
        One row per practice, indexed by code: texts, list size and jump, characteristics.
    provenance
        One row for each file, as `schema.PROVENANCE` asks.
    not_practices
        Codes in the file that are not practices', with their rows.
    has_months
        Whether the counts were added up from months.
    impossible
        Practice code, column and value of characteristics that cannot be true; they were taken as missing.
    dates
        Characteristic → month of which it is.
    places
        Where practices belong, dated: practice_code, date, practice_name, pcn_code, pcn_name, sub_icb_code,
        icb_code, icb_name, region_code; columns that the source does not have are left out.
    monthly
        Counts by month that gates look at: practice_code, month, name, value.
    by_month
        Counts of each month, where they were added up from months: practice_code, month, metric, numerator,
        denominator; NaN where a count is hidden or the source has none.
    remarks
        What a reader of the sources should know, such as totals to hold against those published.
    """

    id: str
    file: str
    counts: pd.DataFrame
    facts: pd.DataFrame
    provenance: tuple[dict[str, object], ...]
    not_practices: tuple[tuple[str, int], ...] = ()
    has_months: bool = False
    impossible: tuple[tuple[str, str, float], ...] = ()
    dates: dict[str, str] = field(default_factory=dict)
    places: pd.DataFrame | None = None
    monthly: pd.DataFrame | None = None
    by_month: pd.DataFrame | None = None
    remarks: tuple[str, ...] = ()


#: The columns of `SourceTable.by_month`.
BY_MONTH = ("practice_code", "month", "metric", "numerator", "denominator")
#: The columns of `SourceTable.counts`.
COUNTS = ("practice_code", "metric", "part", "value", "low", "high", "hidden", "months")


def no_counts() -> pd.DataFrame:
    """Return the counts of a source that has none; typed, so that joining them to others changes no type."""
    kinds = {"hidden": bool, **dict.fromkeys(("value", "low", "high", "months"), float)}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, str)) for name in COUNTS})
