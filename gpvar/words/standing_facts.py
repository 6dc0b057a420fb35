"""What there is to say about the parts of one practice's figure and about its rank, gathered for one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.words import figures, hidden, quality, verdict
from gpvar.words.facts import PracticeFacts, practice_facts
from gpvar.words.text import known, listed, number, plural

if TYPE_CHECKING:
    from gpvar.results import Run

Row = dict[str, Any]
#: What each step is called in a table and a picture, in the order they are told.
STEP = {
    "reference": "Where it starts",
    "need": "Patients",
    "context": "Setting",
    "place": "Shared with neighbours",
    "own": "The practice's own",
    "remainder": "Chance and caution",
}
FEWEST = 200
#: Why a practice is left out of the fit, said of the practice; a check not named here is named by its title.
_REASON = {"atypical": "its list is out of the ordinary", "list_under_1000": "it has under 1,000 patients"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the waterfall, on the displayed scale.

    Attributes
    ----------
    change, reached
        What it adds and the figure after it, rounded so that what is shown adds up exactly.
    start
        Where it begins; at the reference, the reference itself.
    """

    name: str
    change: float
    start: float
    reached: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The practices most like it, none of them named.

    Attributes
    ----------
    values
        Their figures in the metric's raw unit, from the lowest; those that may be shown.
    withheld
        How many have no figure that may be shown.
    """

    values: tuple[float, ...]
    withheld: int

    @property
    def middle(self) -> float:
        """The middle figure; NaN without any."""
        return float(pd.Series(self.values, dtype=float).median())

    def below(self, value: float) -> int:
        """Return how many are lower than a figure."""
        return sum(other < value for other in self.values)

    def above(self, value: float) -> int:
        """Return how many are higher than a figure."""
        return sum(other > value for other in self.values)


@dataclass(frozen=True, slots=True)
class Standing:
    """One practice on one metric, seen for its parts and its rank.

    Attributes
    ----------
    effects
        Rung → what the model says of the practice's lasting figure and of its rank.
    steps
        What the figure is made of; empty where it was not divided.
    reach
        The targets of the metric, and who reaches them.
    passing
        How far figures move from month to month, where it is known.
    why
        Why nothing can be said of the rank, one or two sentences; empty where something can.
    stopped
        Whether the figure itself is unsound, hidden or missing, so that nothing at all is said of it.
    movement_unknown
        Whether it is not known how far figures move from month to month, so that what passes counts as lasting.
    """

    facts: PracticeFacts
    effects: dict[str, Row]
    steps: tuple[Step, ...]
    neighbours: Neighbours
    reach: tuple[Row, ...]
    passing: Row | None
    why: str
    stopped: bool
    movement_unknown: bool

    @property
    def raw(self) -> Row | None:
        """What is known of it on the raw figures."""
        return self.effects.get("M0")

    @property
    def judged(self) -> Row | None:
        """What is known of it after allowing for patients; None where nothing was allowed for."""
        return self.effects.get(self.facts.headline) if self.facts.headline != "M0" else None

    @property
    def best(self) -> Row | None:
        """The row the page speaks of: after allowing for patients where there is one, else the raw one."""
        return self.judged or self.raw

    @property
    def end(self) -> str:
        """The end that places are counted from, the nearer one: "lowest" or "highest"."""
        raw = self.facts.row("M0")
        return verdict.end_of(raw) if raw and known(raw.get("rank")) and known(raw.get("ranked")) else "lowest"

    @property
    def fitted(self) -> bool:
        """Whether the practice took part in the fit of the model."""
        raw = self.facts.row("M0")
        return raw is None or bool(raw.get("in_fit", True))

    @property
    def months(self) -> int:
        """How many months the figure rests on."""
        return int(self.facts.run.study.period.months)

    @property
    def places(self) -> int:
        """How many decimals the steps are shown with."""
        return _places(self.facts.card, [step.reached / self.facts.card.scale for step in self.steps])


def standing(run: Run, practice: str = "", metric: str = "") -> Standing:
    """Return what there is to say about the parts of a practice's figure and about its rank."""
    facts = practice_facts(run, practice, metric)
    analysis, stopped = facts.analysis, _stopped(facts)
    effects = {} if stopped else {str(row["rung"]): row for row in _rows(analysis.effects, facts.code)}
    used = analysis.passing[analysis.passing["used"].astype(bool)].to_dict("records")
    return Standing(
        facts=facts,
        effects=effects,
        steps=() if stopped else _steps(facts, _rows(analysis.waterfall, facts.code)),
        neighbours=_neighbours(facts),
        reach=() if stopped else tuple(_rows(analysis.reach, facts.code)),
        passing={str(k): v for k, v in used[0].items()} if used else None,
        why=stopped or ("" if effects else _missing(facts)),
        stopped=bool(stopped),
        movement_unknown=bool((analysis.effects["rule"] == "sampling_only").any()),
    )


def _rows(frame: pd.DataFrame, code: str) -> list[Row]:
    found = frame[frame["practice_code"] == code].to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in found]


def _stopped(facts: PracticeFacts) -> str:
    """Return why nothing may be said at all: a check that stops the question, no figure, or a hidden count."""
    reason = quality.stop_reason(facts.gates, facts.code)
    raw = facts.row("M0")
    if reason:
        return reason
    if raw is not None and figures.is_hidden(raw):
        return f"{verdict.HIDDEN} A figure that is not known has no place among others."
    if raw is None or not known(raw.get("value")):
        return "There is no figure for this practice in the period."
    return ""


def _missing(facts: PracticeFacts) -> str:
    """Return why the model says nothing of this practice."""
    analysis = facts.analysis
    failed = [note for note in analysis.notes if note.id == "variation_not_found"]
    if failed and analysis.effects.empty:
        return "The model that tells lasting differences from chance found no solution for these figures."
    raw = facts.row("M0")
    if raw is not None and not bool(raw.get("in_fit", True)):
        gates = facts.run.table.excluded
        found = gates.loc[gates["practice_code"] == facts.code, "gate"].astype(str)
        because = f", because {listed(_left_out(list(found.unique())))}" if len(found) else ""
        return f"The practice took no part in the comparison that ranks are measured on{because}."
    frame = analysis.practices
    here = (frame["rung"] == "M0") & (frame["comparator"] == "england") & frame["in_fit"].astype(bool)
    if int(here.sum()) < FEWEST:
        return (
            f"Only {plural(int(here.sum()), 'practice')} can be compared. Below {number(FEWEST)}, lasting differences "
            "cannot be told from chance well enough."
        )
    return "The model that tells lasting differences from chance holds no estimate for this practice."


def _left_out(gates: list[str]) -> list[str]:
    """Return why a practice was left out, as the ends of a sentence that starts with "because"."""
    said = [_REASON[gate] for gate in gates if gate in _REASON]
    names = [f"“{quality.title(gate)}”" for gate in gates if gate not in _REASON]
    return said + ([f"it did not pass the check{'s' if len(names) > 1 else ''} {listed(names)}"] if names else [])


def _places(card: Any, values: list[float]) -> int:
    return max((figures.decimals(card, value) for value in values), default=1) if figures.is_share(card) else min(
        (figures.decimals(card, value) for value in values), default=0
    )  # fmt: skip


def _steps(facts: PracticeFacts, rows: list[Row]) -> tuple[Step, ...]:
    """Return the steps in their order; each is shown as the difference of what is shown before and after it."""
    by = {str(row["step"]): row for row in rows}
    found = [(name, by[name]) for name in STEP if name in by]
    if len(found) < 2 or found[0][0] != "reference" or not all(known(row["reached"]) for _, row in found):
        return ()
    scale = facts.card.scale
    places = _places(facts.card, [row["reached"] for _, row in found])
    reached = [round(float(row["reached"]) * scale, places) for _, row in found]
    before = [reached[0], *reached[:-1]]
    return tuple(
        Step(name, round(after - start, places), start, after)
        for (name, _), start, after in zip(found, before, reached, strict=True)
    )


def _neighbours(facts: PracticeFacts) -> Neighbours:
    """Return the neighbours' figures from the lowest, without a code; a small count given in confidence stays out."""
    found = facts.analysis.neighbours
    found = found[found["practice_code"] == facts.code]
    frame = facts.analysis.practices
    raw = frame[(frame["rung"] == "M0") & (frame["comparator"] == "england")]
    small = set(raw.loc[hidden.is_small(raw, facts.card), "practice_code"])
    shown = found[found["value"].map(known).astype(bool) & ~found["neighbour_code"].isin(small)]
    return Neighbours(tuple(sorted(float(v) for v in shown["value"])), len(found) - len(shown))
