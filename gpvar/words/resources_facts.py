"""What the page of need, staff and funding is about: one practice or one area, on every metric of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.words import phrases
from gpvar.words.facts import AreaFacts, Row, area_facts, choose_practice, practice_facts
from gpvar.words.text import escape_markdown, known, plain

if TYPE_CHECKING:
    from gpvar.catalogue import Resource
    from gpvar.results import Run


@dataclass(frozen=True, slots=True)
class Scenario:
    """One metric with supply that the practice did not choose allowed for as well.

    Attributes
    ----------
    row
        The practice's row of the scenario; None where it is not known, and for an area.
    every
        The rows of all practices of the area.
    value
        The practice's own figure; NaN where it was hidden or is not known.
    """

    card: Any
    row: Row | None
    every: pd.DataFrame
    value: float


@dataclass(frozen=True, slots=True)
class Resourced:
    """One practice, or an area where `code` is empty.

    Attributes
    ----------
    rows
        Resource → the practice's row; for an area any practice's, of which the area's columns are read.
    values
        Resource → what the practices of the area have, in order of size.
    missing
        Resources of the catalogue that the study's files do not give.
    """

    run: Run
    code: str
    name: str
    place: str
    rows: dict[str, Row]
    values: dict[str, list[float]]
    missing: tuple[Resource, ...]
    scenarios: tuple[Scenario, ...]
    names: phrases.Names
    plain_names: phrases.Names

    @property
    def is_area(self) -> bool:
        """Whether the page is about the whole area."""
        return not self.code

    @property
    def percentile(self) -> str:
        """The column that says where this practice, or the middle of the area, stands."""
        return "area_percentile" if self.is_area else "percentile"

    def found(self) -> list[tuple[Resource, Row]]:
        """Return each resource that is known, in the catalogue's order."""
        cards = catalogue.resources()
        return [(cards[name], self.rows[name]) for name in cards if name in self.rows]


def resourced(run: Run, practice: str = "") -> Resourced:
    """Return what there is to say about a practice, or about the study's area where none is named."""
    code = choose_practice(run, practice) if practice else ""
    metrics = [metric for metric in run.study.metrics if metric in run.analyses]
    first = area_facts(run, metrics[0])
    rows, values = _rows(run, metrics, code)
    expected = [card for card in catalogue.resources().values() if not card.metric or card.metric in run.study.metrics]
    return Resourced(
        run=run,
        code=code,
        name=practice_facts(run, code, metrics[0]).name if code else first.name,
        place=_place(run, code, first),
        rows=rows,
        values=values,
        missing=tuple(card for card in expected if card.id not in values),
        scenarios=tuple(_scenario(run, metric, code) for metric in metrics),
        names=phrases.names(first.meta, escape_markdown),
        plain_names=phrases.names(first.meta, plain),
    )


def _place(run: Run, code: str, first: AreaFacts) -> str:
    return practice_facts(run, code, first.card.id).icb_name if code else ""


def _rows(run: Run, metrics: list[str], code: str) -> tuple[dict[str, Row], dict[str, list[float]]]:
    """Return each resource once, from the first metric that has it: most are the same whatever the metric."""
    rows: dict[str, Row] = {}
    values: dict[str, list[float]] = {}
    for metric in metrics:
        for name, part in run.analyses[metric].resources.groupby("resource", sort=False):
            if str(name) in values:
                continue
            values[str(name)] = sorted(float(v) for v in part["value"] if known(v))
            own = part[part["practice_code"] == code] if code else part
            own = own[own["value"].notna()]
            if len(own):
                rows[str(name)] = {str(k): v for k, v in own.iloc[0].items()}
    return rows, values


def _scenario(run: Run, metric: str, code: str) -> Scenario:
    analysis = run.analyses[metric]
    frame = analysis.supply
    own = frame[frame["practice_code"] == code].to_dict("records") if code else []
    raw = analysis.practices
    mine = raw[(raw["practice_code"] == code) & (raw["rung"] == "M0") & (raw["comparator"] == "england")]["value"]
    return Scenario(
        card=catalogue.metric(metric),
        row={str(k): v for k, v in own[0].items()} if own else None,
        every=frame,
        value=float(mine.iloc[0]) if len(mine) else float("nan"),
    )
