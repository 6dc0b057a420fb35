"""What there is to say about other defensible ways of making a comparison, gathered for one practice or one area."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.words import quality
from gpvar.words.facts import AreaFacts, PracticeFacts, area_facts, practice_facts
from gpvar.words.robustness_choices import CHOICES, LABEL
from gpvar.words.text import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpvar.results import Multiverse, Run

Row = dict[str, Any]
#: Beyond so many standard deviations a practice is outside the usual range.
EDGE = 1.959963984540054
#: Beyond so many it is far outside.
FAR = 3.090232306167813
#: A reason nobody measured below so many spreads of practices would carry a practice across the edge: too near for
#: the agreement of ways that are nearly one another to be called robust.
NEAR = 0.25
#: Below this share of the usual range's width the ways are too much alike to be drawn.
ALIKE = 0.1


@dataclass(frozen=True, slots=True)
class Way:
    """One way of making the comparison, seen from one practice.

    Attributes
    ----------
    spec
        Its number among the declared ways.
    taken
        Choice → option, where it is not that of the way used here; empty for the way used here.
    value, difference, lower, upper
        The figure, its difference from the expected, and the usual range of that, in the metric's raw unit.
    z
        The difference divided by how large such differences usually are.
    agrees
        Whether the practice stands there as it stands here.
    """

    spec: str
    taken: dict[str, str]
    value: float
    difference: float
    lower: float
    upper: float
    z: float
    agrees: bool

    @property
    def expected(self) -> float:
        """The figure that is expected of it."""
        return self.value - self.difference

    @property
    def outside(self) -> bool:
        """Whether the practice is outside the usual range."""
        return abs(self.z) > EDGE

    @property
    def far(self) -> bool:
        """Whether the practice is far outside the usual range."""
        return abs(self.z) > FAR

    @property
    def stands(self) -> tuple[bool, bool]:
        """Whether it is outside the usual range, and whether it is higher than expected."""
        return self.outside, self.z > 0


@dataclass(frozen=True, slots=True)
class Ways:
    """One practice on one metric, in every declared way that could be made.

    Attributes
    ----------
    comparator
        Beside whom it is judged: england or own_icb.
    here
        The way used on every page; None where the practice cannot be judged.
    others
        The other ways, in the order in which they were declared.
    summary
        The practice's row of the table ``robustness``; None where there is none.
    used
        Choice → the option used here.
    own
        The ways beside its own ICB, that used here first; empty where that is not judged.
    declared, missing
        How many other ways were declared, and how many of them could not be made with these data.
    why
        Why nothing can be said, a sentence; empty where something can.
    """

    facts: PracticeFacts
    comparator: str
    here: Way | None
    others: tuple[Way, ...]
    summary: Row | None
    used: dict[str, str]
    own: tuple[Way, ...]
    declared: int
    missing: int
    why: str
    meta: dict[str, Any]

    @property
    def rung(self) -> str:
        """The rung at which all ways are made."""
        return str(self.meta.get("rung", self.facts.headline))

    @property
    def tag(self) -> str:
        """Rung and comparator of what is said: "M1, England"."""
        return self.facts.names.label(self.rung, self.comparator)

    @property
    def label(self) -> str:
        """Robust, mixed or fragile; empty where no other way could be made."""
        return str(self.summary["label"]) if self.summary and self.others else ""

    @property
    def agree(self) -> int:
        """In how many of the other ways it stands as here."""
        return sum(way.agrees for way in self.others)

    @property
    def outside(self) -> int:
        """In how many of the other ways it is outside the usual range."""
        return sum(way.outside for way in self.others)

    @property
    def far(self) -> int:
        """In how many of the other ways it is far outside the usual range."""
        return sum(way.far for way in self.others)

    @property
    def alike(self) -> bool:
        """Whether all ways stand as here and so close together that a picture would show no difference."""
        if self.here is None or self.agree < len(self.others):
            return False
        run = [way.difference for way in (self.here, *self.others)]
        return max(run) - min(run) < ALIKE * (self.here.upper - self.here.lower)

    @property
    def close(self) -> bool:
        """Whether it lies so close to the edge of the usual range that agreement says little."""
        row = self.facts.row(self.rung, self.comparator)
        return self.summary is not None and _near(self.summary, "" if row is None else row.get("movement"))

    @property
    def raw(self) -> Row | None:
        """Its row before patients are allowed for, beside the same practices; None where it was not judged."""
        row = self.facts.row("M0", self.comparator)
        judged = row is not None and row["position"] != "not_decidable" and known(row["z"])
        return row if judged and self.rung != "M0" else None

    @property
    def turned(self) -> Counter[tuple[bool, bool]]:
        """Where it stands in the ways that disagree, and in how many of them."""
        return Counter(way.stands for way in self.others if not way.agrees)

    @property
    def never_outside(self) -> bool:
        """Whether it is inside the usual range here and in every other way."""
        return self.here is not None and not self.here.outside and self.outside == 0

    def by_option(self) -> list[tuple[str, list[Way]]]:
        """Return the other ways by what they take of the choice that matters most, the option used here first."""
        choice = str(self.summary["drives"]) if self.summary else ""
        by: dict[str, list[Way]] = {"": []}
        for way in self.others:
            by.setdefault(way.taken.get(choice, ""), []).append(way)
        return list(by.items())


@dataclass(frozen=True, slots=True)
class AreaWays:
    """The practices of an area on one metric, in every declared way that could be made; nobody named.

    Attributes
    ----------
    made
        The rows of the other ways that could be made, each with what it takes.
    missing
        The rows of those that could not.
    outside
        Whether a practice is outside the usual range here → in how many of the other ways it is, a number a practice.
    labels
        The same → robust, mixed or fragile → practices; "close" where one would be robust but for the edge.
    crossed
        Way → how many practices it takes out of the usual range, and how many into it.
    """

    facts: AreaFacts
    made: tuple[Row, ...]
    missing: tuple[Row, ...]
    outside: dict[bool, tuple[int, ...]]
    labels: dict[bool, Counter[str]]
    crossed: dict[str, tuple[int, int]]
    meta: dict[str, Any]

    @property
    def rung(self) -> str:
        """The rung at which all ways are made."""
        return str(self.meta.get("rung", self.facts.headline))

    @property
    def judged(self) -> int:
        """How many practices of the area could be judged in these ways."""
        return len(self.outside[True]) + len(self.outside[False])

    @property
    def strongest(self) -> tuple[Row, int, int] | None:
        """The way with one other choice that moves most practices across the edge: it, those out, those in."""
        single = [way for way in self.made if len(way["taken"]) == 1]
        moved = [(way, *self.crossed.get(str(way["spec"]), (0, 0))) for way in single]
        moved = [item for item in moved if item[1] + item[2]]
        return max(moved, key=lambda item: item[1] + item[2], default=None)


def taken_of(row: Row, here: Row) -> dict[str, str]:
    """Return choice → option, where it is not that of the way used here."""
    return {choice: str(row[choice]) for choice in CHOICES if choice in row and str(row[choice]) != str(here[choice])}


def held(run: Run, metric: str) -> Multiverse | None:
    """Return the other ways of a metric; None where a run holds none."""
    return run.multiverse.get(metric)


def specifications(found: Multiverse) -> tuple[Row, list[Row]]:
    """Return the way used here, and the others, each with what it takes."""
    rows = [{str(key): value for key, value in row.items()} for row in found.specifications.to_dict("records")]
    here = next(row for row in rows if row["primary"] == "yes")
    return here, [{**row, "taken": taken_of(row, here)} for row in rows if row is not here]


def practice_ways(run: Run, practice: str = "", metric: str = "", comparator: str = "england") -> Ways:
    """Return one practice in every declared way, beside the reference set unless the comparator is another."""
    facts = practice_facts(run, practice, metric)
    found = held(run, facts.card.id)
    stopped = quality.stop_reason(facts.gates, facts.code)
    if found is None or stopped:
        return _nothing(facts, comparator, stopped or "This run holds no other ways.")
    here, others = specifications(found)
    ways = _ways(_own(found.practices, facts.code, comparator), here, others)
    summary = next(iter(_own(found.summary, facts.code, comparator)), None)
    if not ways or summary is None:
        return _nothing(facts, comparator, "There is no figure for this practice in the period that can be judged.")
    return Ways(
        facts=facts,
        comparator=comparator,
        here=ways[0],
        others=ways[1:],
        summary=summary,
        used={choice: str(here[choice]) for choice in CHOICES if choice in here},
        own=_ways(_own(found.practices, facts.code, "own_icb"), here, others),
        declared=len(others),
        missing=sum(way["available"] != "yes" for way in others),
        why="" if ways[1:] else "These data allow no other way of making the comparison.",
        meta=found.meta,
    )


def _nothing(facts: PracticeFacts, comparator: str, why: str) -> Ways:
    return Ways(facts, comparator, None, (), None, {}, (), 0, 0, why, {})


def _ways(rows: list[Row], here: Row, others: list[Row]) -> tuple[Way, ...]:
    """Return the ways in which a practice could be judged, that used here first; none without that one."""
    by = {str(row["spec"]): row for row in rows if known(row["z"])}
    if str(here["spec"]) not in by:
        return ()
    made = ((by[str(way["spec"])], way["taken"]) for way in others if str(way["spec"]) in by)
    return (_way(by[str(here["spec"])], {}), *(_way(row, taken) for row, taken in made))


def _own(frame: pd.DataFrame, code: str, comparator: str) -> list[Row]:
    mine = frame[(frame["practice_code"] == code) & (frame["comparator"] == comparator)]
    return [{str(key): value for key, value in row.items()} for row in mine.to_dict("records")]


def _way(row: Row, taken: dict[str, str]) -> Way:
    value, difference, lower, upper, z = (float(row[name]) for name in ("value", "difference", "lower", "upper", "z"))
    return Way(str(row["spec"]), taken, value, difference, lower, upper, z, not taken or row["agrees"] == "yes")


def area_ways(run: Run, metric: str = "") -> AreaWays | None:
    """Return an area's practices in every declared way; None where a run holds no other ways."""
    facts = area_facts(run, metric)
    found = held(run, facts.card.id)
    if found is None:
        return None
    here, others = specifications(found)
    frame = found.practices
    frame = frame[(frame["comparator"] == "england") & frame["practice_code"].isin(facts.codes) & frame["z"].notna()]
    out = (frame["z"].abs() > EDGE).groupby([frame["practice_code"], frame["spec"].astype(str)]).any().unstack()
    first = str(here["spec"])
    out = out[out[first].notna()] if first in out else out.iloc[:0].assign(**{first: pd.Series(dtype=object)})
    stands, rest = out[first].astype(bool), out.drop(columns=first)
    counts = (rest == True).sum(axis=1)  # noqa: E712  a way without the practice is neither
    made = [way for way in others if way["available"] == "yes"]
    crossed = {str(spec): _crossed(stands, rest[spec]) for spec in rest}
    return AreaWays(
        facts=facts,
        made=tuple(made),
        missing=tuple(way for way in others if way["available"] != "yes"),
        outside={side: tuple(int(n) for n in counts[stands == side]) for side in (True, False)},
        labels=_labelled(found.summary[found.summary["practice_code"].isin(out.index)], _moved(facts)),
        crossed=crossed,
        meta=found.meta,
    )


def _crossed(stands: pd.Series, there: pd.Series) -> tuple[int, int]:
    """Return how many practices one way takes out of the usual range, and how many into it."""
    return int((~stands & (there == True)).sum()), int((stands & (there == False)).sum())  # noqa: E712


def whole(run: Run, metric: str) -> dict[bool, Counter[str]]:
    """Return robust, mixed and fragile among all practices compared, by whether they are outside the usual range."""
    found = held(run, metric)
    return {True: Counter(), False: Counter()} if found is None else _labelled(found.summary)


def _labelled(summary: pd.DataFrame, moved: dict[str, str] | None = None) -> dict[bool, Counter[str]]:
    """Return practices by label; those that are close to the edge apart, where it is given how they moved."""
    frame = summary[(summary["comparator"] == "england") & summary["label"].isin(list(LABEL))]
    counted: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for row in frame.to_dict("records"):
        near = moved is not None and _near(row, moved.get(str(row["practice_code"])))
        label = "close" if near and row["label"] == "robust" else str(row["label"])
        counted[abs(row["z"]) > EDGE][label] += 1
    return counted


def _moved(facts: AreaFacts) -> dict[str, str]:
    rows = facts.at(facts.headline)
    return dict(zip(rows["practice_code"].astype(str), rows["movement"].astype(str), strict=True))


def _near(row: Mapping[Any, Any], movement: object) -> bool:
    small = known(row["unmeasured_sd"]) and row["unmeasured_sd"] < NEAR
    return movement == "borderline" or small
