"""What the researchers' page is about: one metric of a run, its models, and numbers written for a referee."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar import catalogue
from gpvar.words import phrases
from gpvar.words.facts import AreaFacts, area_facts
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.results import Run

Row = dict[str, Any]
#: Level → what one of its units is called, and several.
LEVEL = {"icb": ("ICB", "ICBs"), "pcn": ("network", "networks"), "practice": ("practice", "practices")}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: How many draws stand behind the intervals of shares, and how many worlds behind the test against chance.
DRAWS, WORLDS = 2000, 199


@dataclass(frozen=True, slots=True)
class ResearchFacts:
    """One metric for a referee.

    Attributes
    ----------
    area
        What every page of an area knows.
    rung
        The rung the findings speak of.
    top
        The highest rung that was fitted.
    """

    area: AreaFacts
    rung: str
    top: str

    @property
    def is_share(self) -> bool:
        """Whether the metric is a share, modelled as binomial; else a rate, as Poisson."""
        return bool(self.area.card.kind == "proportion")

    @property
    def link(self) -> str:
        """What the scale of the model is called."""
        return "log-odds" if self.is_share else "log of the rate"

    @property
    def model(self) -> Row | None:
        """The headline's model, or None where a regression stands in for it."""
        return self.record("models", self.rung)

    @property
    def groups(self) -> list[str]:
        """Levels of the model, large to small; none without a model."""
        return [] if self.model is None else str(self.model["groups"]).split(" > ")

    def rows(self, table: str, rung: str = "") -> pd.DataFrame:
        """Return the rows of one of the analysis' tables, of one rung if it is named."""
        frame: pd.DataFrame = getattr(self.area.analysis, table)
        return frame[frame["rung"] == rung] if rung else frame

    def record(self, table: str, rung: str, **of: str) -> Row | None:
        """Return the first row of a table at a rung, and of other columns, as a dict."""
        found = self.rows(table, rung)
        for column, value in of.items():
            found = found[found[column] == value]
        return next(iter(_records(found.head(1))), None)

    def records(self, table: str, rung: str = "") -> list[Row]:
        """Return the rows of a table as dicts, of one rung if it is named."""
        return _records(self.rows(table, rung))

    @property
    def transient(self) -> float:
        """Variance of passing movement that practices are judged with; NaN where it is not known."""
        row = self.record("spread", self.rung, comparator="england")
        return float(row.get("transient", math.nan)) if row else math.nan


def _records(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def research_facts(run: Run, metric: str = "") -> ResearchFacts:
    """Return what there is to say to a referee about one metric."""
    area = area_facts(run, metric)
    rungs = [str(rung) for rung in area.meta.get("rungs", ["M0"]) if rung != "M1-"]
    return ResearchFacts(area, area.headline, rungs[-1])


def label(rung: str) -> str:
    """Return a rung as it is written."""
    return phrases.RUNG_LABEL.get(rung, rung)


def figures(value: object, meaning: int = 3) -> str:
    """Return a number to some figures that mean something, without exponents: 0.00123, 12.3, 123,000."""
    if not known(value):
        return "not known"
    size = abs(float(value))  # type: ignore[arg-type]
    if size == 0:
        return "0"
    digits = meaning - 1 - math.floor(math.log10(size))
    return number(round(float(value), digits), max(digits, 0))  # type: ignore[arg-type]


def small(value: object) -> str:
    """Return a number that may be next to nothing, as a power of ten."""
    if not known(value):
        return "not known"
    power = float(value)  # type: ignore[arg-type]
    if power == 0 or abs(power) >= 0.001:
        return figures(power, 2)
    mantissa, exponent = f"{power:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_RAISED)}".replace("-", "\u2212")


def p_value(p: object) -> str:
    """Return a p-value for a table or after "p"."""
    if not known(p):
        return "none"
    value = float(p)  # type: ignore[arg-type]
    return "<0.001" if value < 0.001 else number(value, 3 if value < 0.1 else 2)


def p_said(p: object) -> str:
    """Return a p-value in a sentence: "p < 0.001", "p = 0.04"."""
    shown = p_value(p)
    return f"p {shown[0]} {shown[1:]}" if shown.startswith("<") else f"p = {shown}"


def simulated_p(p: object) -> str:
    """Return a p-value from worlds of chance in a sentence; so many worlds cannot show a smaller one than the least."""
    least = 1 / (WORLDS + 1)
    return f"p at most {number(least, 3)}" if known(p) and float(p) <= least else p_said(p)  # type: ignore[arg-type]


def statistic(value: object) -> str:
    """Return a test statistic; beyond a million its size says nothing."""
    return "> 10⁶" if known(value) and float(value) > 1e6 else figures(value)  # type: ignore[arg-type]


def ethnicity(facts: ResearchFacts) -> str:
    """Return that ethnicity is in no model, and whether the data hold it; nothing where a rung allows for it."""
    if any("ethnicity" in ids for ids in facts.area.meta.get("covariates", {}).values()):
        return ""
    columns = facts.area.run.table.practices.columns
    held = any(str(name).partition(".")[0] == "ethnicity" for name in columns)
    return "Ethnicity was not allowed for." if held else "Ethnicity was not available."


def left_out(facts: ResearchFacts) -> tuple[dict[str, int], dict[str, int], int]:
    """Return why practices set no comparison: by declared exclusions and by checks that stop, and all others.

    Returns
    -------
    tuple
        Check → how many practices, twice, a practice under each check that it fails; and how many are left out for
        neither: without a figure, or not among those compared with.
    """
    table, metric, meta = facts.area.run.table, facts.area.card.id, facts.area.meta
    gates, here = table.gates, set(table.outcomes.loc[table.outcomes["metric"] == metric, "practice_code"])
    stops = (gates["state"] == "failed") & (gates["severity"] == "stop") & gates["practice_code"].isin(here)
    stopped = gates[stops & gates["metric"].isin(["", metric])]
    excluded = table.excluded[table.excluded["practice_code"].isin(here)]
    reasons = {*stopped["practice_code"], *excluded["practice_code"]}
    by = [frame["gate"].value_counts().sort_index() for frame in (excluded, stopped)]
    declared, failed = ({str(gate): int(many) for gate, many in counted.items()} for counted in by)
    return declared, failed, max(int(meta["n_practices"]) - int(meta["n_fitted"]) - len(reasons), 0)


def check_title(gate: str) -> str:
    """Return what a check of the data is called."""
    cards = catalogue.gates()
    return str(cards[gate].title) if gate in cards else gate


def span(lower: object, upper: object, decimals: int) -> str:
    """Return an interval: "0.12 to 0.15"."""
    if not (known(lower) and known(upper)):
        return "not known"
    return f"{number(float(lower), decimals)} to {number(float(upper), decimals)}"  # type: ignore[arg-type]
