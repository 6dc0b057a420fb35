"""Count rows of the appointments crosstab that say the same again, in little memory however long the table is."""

from __future__ import annotations

import numpy as np

from gpvar.sources.appointments.rows import COLUMNS, Array

#: Rows held; of longer tables a share of all rows is looked at, chosen so that rows that say the same are chosen alike.
_MOST = 1 << 20
#: Odd numbers without a pattern, one a column: the sum of their products differs wherever the rows do.
_NUMBERS = np.random.default_rng(20260401).integers(1 << 63, dtype=np.uint64, size=len(COLUMNS), endpoint=True)
_FACTORS = dict(zip(COLUMNS, _NUMBERS * np.uint64(2) + np.uint64(1), strict=True))
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Repeats:
    """How many rows are of a practice, month, supplier and labels of which there was a row before."""

    def __init__(self) -> None:
        self._held: list[Array] = []
        self._size = 0
        self._below = _ALL

    def add(self, codes: dict[str, Array]) -> None:
        """Take a run of rows, as numbers of their texts."""
        row = np.zeros(len(codes["month"]), dtype=np.uint64)
        for name, factor in _FACTORS.items():
            row += codes[name].astype(np.uint64) * factor
        row ^= row >> np.uint64(29)
        row *= _MIX
        if self._below != _ALL:
            row = row[row <= self._below]
        self._held.append(row)
        self._size += len(row)
        while self._size > _MOST:
            self._below >>= np.uint64(1)
            row = np.concatenate(self._held)
            self._held = [row[row <= self._below]]
            self._size = len(self._held[0])

    def share(self) -> float:
        """Return the share of rows that repeat an earlier one."""
        if not self._size:
            return 0.0
        rows = np.sort(np.concatenate(self._held))
        return float((rows[1:] == rows[:-1]).sum() / self._size)
