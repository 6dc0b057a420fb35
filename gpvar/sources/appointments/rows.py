"""Rows of the appointments crosstab in little memory: their columns, and runs of them as numbers of texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gpvar.catalogue import appointments as facts
from gpvar.sources._parts import Part

Array = np.ndarray[Any, np.dtype[Any]]

#: Column of the tidy frame → heading of the file. The last five hold labels.
COLUMNS = {
    "month": "APPOINTMENT_MONTH_START_DATE",
    "practice_code": "GP_CODE",
    "supplier": "SUPPLIER",
    "hcp_type": "HCP_TYPE",
    "appt_mode": "APPT_MODE",
    "national_category": "NATIONAL_CATEGORY",
    "booking_interval": "TIME_BETWEEN_BOOK_AND_APPT",
    "appt_status": "APPT_STATUS",
}
LABELS = tuple(list(COLUMNS)[3:])
COUNT = "COUNT_OF_APPOINTMENTS"
#: What a text is written in that is not in UTF-8.
WINDOWS = "cp1252"


class OddCount(Exception):
    """A count is not written as a plain whole number."""


class NotUtf8(Exception):
    """The file was taken for UTF-8, and a letter further down is not."""


class Vocabulary:
    """The different texts of a column, numbered as they come."""

    def __init__(self, texts: tuple[str, ...] = ()) -> None:
        self.texts = list(texts)
        self._number = {text: number for number, text in enumerate(texts)}

    def number(self, text: str) -> int:
        """Return a text's number, a new one where it is new."""
        found = self._number.get(text)
        if found is None:
            found = self._number[text] = len(self.texts)
            self.texts.append(text)
        return found


@dataclass(frozen=True, slots=True)
class Rows:
    """A run of rows: for each column the numbers of its texts, and the appointments of each row."""

    codes: dict[str, Array]
    count: Array


@dataclass(slots=True)
class Extent:
    """What was met while reading: how many rows, and which are left out because they are of no practice.

    Attributes
    ----------
    strangers
        Code that is no practice's → its first row.
    repeated
        Rows of a practice, month, supplier and labels of which there was a row before; of long tables an estimate.
    last
        Month and practice code of the last row.
    """

    rows_read: int = 0
    rows_kept: int = 0
    left_out: int = 0
    strangers: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    last: tuple[str, str] = ("", "")


class Reading:
    """One reading of one table, from the file or from the cache.

    Attributes
    ----------
    part
        The table; None for rows that come from elsewhere.
    words
        Column → its texts.
    extent
        Filled in while the rows are read.
    """

    def __init__(self, part: Part | None) -> None:
        self.part = part
        self.extent = Extent()
        known = facts.labels()
        self.words = {name: Vocabulary(known.get(heading, ())) for name, heading in COLUMNS.items()}
