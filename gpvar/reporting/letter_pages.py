"""One page for each sentence of a letter: words, one picture and one table, in order; nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpvar.charts.claim import claim_chart
from gpvar.tables._claims import claim_rungs
from gpvar.words import annex, claims_pages, paper

if TYPE_CHECKING:
    from gpvar.charts import Chart
    from gpvar.results import Run
    from gpvar.tables import Table
    from gpvar.words.claims_facts import ClaimFacts

#: Body text of a report in Word.
_POINTS = 12.0
#: What frames and the title of a picture take beyond their words, at most.
_FRAMES = 50.0


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
    drawn = claim_chart(facts)
    table = claim_rungs(facts) if facts.finding.reason not in claims_pages.NOT_JUDGED else ""
    said = [claims_pages.claim_opening(facts, many), claims_pages.claim_verdict(facts), claims_pages.claim_right(facts)]
    test = claims_pages.claim_test(facts)
    # A full page gives up first the rung that decides nothing, then the table: the spreadsheet holds all of them.
    for choice in (table, claim_rungs(facts, without=("M1-",)) if table else "", ""):
        left = _left([*said, test], drawn, choice)
        end = claims_pages.claim_end(facts, left)
        if paper.height(end, _POINTS) <= left:
            break
    yield from said
    yield from drawn
    yield choice
    yield test
    yield end


def _left(said: list[str], drawn: tuple[Chart, ...], table: Table | str) -> float:
    """Return how much of the page, in points, is left under what must stand on it."""
    pictures = sum(chart.figure.get_figheight() / chart.figure.get_figwidth() for chart in drawn) * paper.WIDTH
    rows = paper.height(table.to_markdown(), _POINTS) if table else 0.0
    return paper.PAGE - _FRAMES - sum(paper.height(text, _POINTS) for text in said) - pictures - rows


def annex_charts(run: Run) -> tuple[Chart, ...]:
    """Return the pictures that the annex has room for, of the first sentences that have one."""
    charts = (chart for facts in claims_pages.letter(run).facts for chart in claim_chart(facts))
    return tuple(chart for chart, _ in zip(charts, range(annex.plan(run).charts), strict=False))
