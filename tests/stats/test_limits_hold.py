"""A small, fixed-seed version of ``benchmarks/limits.py``: do the default limits flag the share they promise?"""

from __future__ import annotations

import pytest

from benchmarks import limits


@pytest.fixture(scope="module")
def table():
    return limits.run(("consistent",), worlds=40, seed=7)


@pytest.mark.parametrize("units", limits.SIZES)
def test_consistent_limits_hold_their_level_in_every_world(table, units: int) -> None:
    lowest, highest, far = limits.BARS[units]
    rows = table[table["units"] == units]
    assert len(rows) == 12
    # Three Monte-Carlo standard errors beyond the bars of the full benchmark (2,000 worlds), row by row.
    assert (rows["outside_95"] + 3 * rows["error_95"] > lowest).all()
    assert (rows["outside_95"] - 3 * rows["error_95"] < highest).all()
    assert (rows["outside_99_8"] - 3 * rows["error_99_8"] < far).all()
    # Over the twelve sorts of world together the bars hold as they stand.
    assert lowest < rows["outside_95"].mean() < highest
    assert rows["outside_99_8"].mean() < far


def test_truncated_limits_flag_several_times_too_many() -> None:
    job = limits.Job("count 90", 0.3, 150, "shmi", 20, 7)
    outside = 100 * limits.count_flags(job)[:, :2].sum(axis=1).mean()
    assert 14 < outside < 24
