"""One page for each sentence of a letter: words, one picture and one table, in order; nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpvar.charts.claim import claim_chart
from gpvar.tables._claims import claim_rungs
from gpvar.words import annex, claims_pages

if TYPE_CHECKING:
    from gpvar.charts import Chart
    from gpvar.results import Run
    from gpvar.tables import Table
    from gpvar.words.claims_facts import ClaimFacts


def claim_pages(run: Run) -> tuple[str | Table | Chart, ...]:
    """Return what stands on the pages of a letter's sentences, in the letter's order.

    Parameters
    ----------
    run
        A run with findings; without any there is nothing to show.
    """
    found = claims_pages.letter(run)
    return tuple(part for facts in found.facts for part in _page(facts, len(found.facts)) if part)


def _page(facts: ClaimFacts, many: int) -> Iterator[str | Table | Chart]:
    yield claims_pages.claim_opening(facts, many)
    yield claims_pages.claim_verdict(facts)
    yield claims_pages.claim_right(facts)
    yield from claim_chart(facts)
    if facts.finding.reason not in claims_pages.NOT_JUDGED:
        yield claim_rungs(facts)
    yield claims_pages.claim_test(facts)
    yield claims_pages.claim_beside(facts)
    yield claims_pages.claim_next(facts)


def annex_charts(run: Run) -> tuple[Chart, ...]:
    """Return the pictures that the annex has room for, of the first sentences that have one."""
    charts = (chart for facts in claims_pages.letter(run).facts for chart in claim_chart(facts))
    return tuple(chart for chart, _ in zip(charts, range(annex.plan(run).charts), strict=False))
