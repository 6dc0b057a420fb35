"""What a letter speaks of and the study does not hold: said while there is still time to add it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.claims.periods import counted, period_in
from gpvar.results import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpvar.results import Claim
    from gpvar.table import PracticeTable


def gaps(said: Sequence[Claim], table: PracticeTable) -> tuple[Note, ...]:
    """Return the measures and periods of a letter that a study lacks, and practices that get no page of their own.

    Parameters
    ----------
    said
        The sentences, practices found.
    table
        The study's table.

    Returns
    -------
    tuple of Note
        ``measure_not_in_study`` (metric, sentences), ``period_not_in_study`` (metric, period, sentences),
        ``no_page_of_its_own`` (practices).
    """
    return (*_measures(said, table), *_periods(said, table), *_pages(said, table))


def _measures(said: Sequence[Claim], table: PracticeTable) -> Iterable[Note]:
    for metric in dict.fromkeys(claim.metric for claim in said if claim.metric):
        if metric not in table.study.metrics:
            yield Note("measure_not_in_study", {"metric": metric, "sentences": _ids(said, metric=metric)})


def _periods(said: Sequence[Claim], table: PracticeTable) -> Iterable[Note]:
    asked = [(claim.metric, period) for claim in said for period in (claim.period, claim.period_before) if period]
    for metric, text in dict.fromkeys(asked):
        if metric not in table.study.metrics:
            continue
        period = period_in(text)
        if period and period != table.study.period and counted(table, metric, period) is None:
            sentences = [c.id for c in said if c.metric == metric and text in (c.period, c.period_before)]
            yield Note("period_not_in_study", {"metric": metric, "period": text, "sentences": sentences})


def _pages(said: Sequence[Claim], table: PracticeTable) -> Iterable[Note]:
    named = dict.fromkeys(claim.practice_code for claim in said if claim.practice_code)
    held = set(table.practices["practice_code"])
    without = [code for code in named if code in held and code not in table.study.area.practices]
    if without:
        yield Note("no_page_of_its_own", {"practices": without})


def _ids(said: Sequence[Claim], metric: str) -> list[str]:
    return [claim.id for claim in said if claim.metric == metric]
