"""What one trial counts, and how counts of many worlds become a rate with its Monte-Carlo error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Hits among chances in one world, towards one row of the table.

    Attributes
    ----------
    bar
        Id of the row in ``bars.toml``.
    hits, chances
        How many, of how many. Sums where the row is a mean (of a chance, of a share).
    group
        What the row is divided by, such as "r 0.9" or a tenth of chances; empty where it is one row.
    """

    bar: str
    hits: float
    chances: float
    group: str = ""
