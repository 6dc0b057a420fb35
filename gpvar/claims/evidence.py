"""What a test may look at: the claim, the run, and what the run says of the practice or the area."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.analysis import HEADLINE
from gpvar.catalogue import letters

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.catalogue import MetricCard
    from gpvar.results import Analysis, Claim, Figure, Run

#: Claims' comparators → those that an analysis has; the others are judged beside England, and it is said.
_JUDGED = {"icb": "own_icb", "england": "england"}


#: Under which a run says which of its periods are what is left of a longer one: period → (the longer one, the part).
DERIVED = "derived"
#: Under which a run of another period says that its analyses are wanted in other defensible ways too.
IN_OTHER_WAYS = "in_other_ways"


@dataclass(frozen=True)
class Evidence:
    """One claim beside a run.

    Attributes
    ----------
    claim, run
        The sentence, and what was analysed. The run may be one of another period than the study's.
    cache
        Shared by all claims of a run: what takes long is done once (`gpvar.analysis.lasting`, other periods).
    """

    claim: Claim
    run: Run
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def template(self) -> letters.Template:
        """The kind of sentence."""
        return letters.templates()[self.claim.template]

    @property
    def card(self) -> MetricCard:
        """The measure."""
        return catalogue.metric(self.claim.metric)

    @property
    def analysis(self) -> Analysis:
        """The measure, analysed."""
        return self.run.analyses[self.claim.metric]

    @cached_property
    def comparator(self) -> str:
        """Beside whom the practice is judged: england or own_icb; England where its board is too small to compare."""
        wanted = _JUDGED.get(self.claim.comparator, "england")
        if wanted == "england" or not self.claim.practice_code or self.claim.metric not in self.run.analyses:
            return wanted
        frame = self.analysis.practices
        mine = frame[(frame["practice_code"] == self.claim.practice_code) & (frame["comparator"] == wanted)]
        return wanted if mine["centre"].notna().any() else "england"

    @property
    def direction(self) -> str:
        """The side on which the letter puts the practice; the template's where the letter does not say."""
        return self.claim.direction or self.template.direction

    @property
    def sign(self) -> int:
        """Minus one for low, one for high, nought where neither is said."""
        return {"low": -1, "high": 1}.get(self.direction, 0)

    @property
    def headline(self) -> str:
        """The rung that findings speak of: M1, or M0 where nothing could be allowed for."""
        return HEADLINE if HEADLINE in self.analysis.meta["rungs"] else "M0"

    @property
    def adjusted_rungs(self) -> tuple[str, ...]:
        """The rungs beside the raw one that must agree: the headline, and M2 where there is one."""
        return tuple(rung for rung in ("M1", "M2") if rung in self.analysis.meta["rungs"])

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Rung → the practice's row beside the comparator; without a row where it could not be placed."""
        frame = self.analysis.practices
        mine = frame[(frame["practice_code"] == self.claim.practice_code) & (frame["comparator"] == self.comparator)]
        return {str(row["rung"]): {str(k): v for k, v in row.items()} for row in mine.to_dict("records")}

    @cached_property
    def spread(self) -> dict[str, dict[str, Any]]:
        """Rung → the shared spread beside the comparator."""
        frame = self.analysis.spread
        mine = frame[frame["comparator"] == self.comparator]
        return {str(row["rung"]): {str(k): v for k, v in row.items()} for row in mine.to_dict("records")}

    @cached_property
    def gates(self) -> pd.DataFrame:
        """Checks that concern the practice, the measure or the whole table."""
        gates = self.run.table.gates
        here = gates["metric"].fillna("").isin(["", self.claim.metric])
        here &= gates["practice_code"].fillna("").isin(["", self.claim.practice_code])
        return gates[here].reset_index(drop=True)

    @property
    def derived(self) -> list[list[str]]:
        """The run's period, the longer one and the part taken off it, where its counts are what is then left."""
        period = self.run.study.period
        known = self.run.meta.get(DERIVED, {})
        return [[name, *known[name]] for name in known if name in (period.start, f"{period.start}..{period.end}")]

    def in_raw_unit(self, figure: Figure) -> float:
        """Return a printed number in the card's raw unit: a share as a fraction, a rate per patient-month."""
        return figure.number / float(self.card.scale)

    def half_digit(self, figure: Figure) -> float:
        """Return half of the last digit printed, in the card's raw unit: how far a figure may be off."""
        return 0.5 * 10.0**-figure.decimals / float(self.card.scale)


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test found: which conditions hold, the numbers, and what must be said beside the reason.

    Attributes
    ----------
    holding
        Ids of the conditions of decisions.toml that hold.
    numbers
        All that any rule of the test may need.
    beside
        Ids of what must be said beside the finding, whatever it is.
    """

    holding: frozenset[str]
    numbers: dict[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
