"""Which readings of a study's counts give the figures that a letter prints; none is taken for the one used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from gpvar.catalogue import countings, letters
from gpvar.claims import readings
from gpvar.claims.held import Held, held, held_by_study
from gpvar.claims.reconciled import Reconciliation, frame
from gpvar.errors import StudyError
from gpvar.study import parse_period

if TYPE_CHECKING:
    from gpvar.claims.readings import Reading
    from gpvar.results import Claim, Figure
    from gpvar.study import Period, Study

__all__ = ["Held", "Reconciliation", "frame", "held", "held_by_study", "reconcile", "refuse_nothing"]

#: Tests in which `figure` is the practice's own figure.
OWN = (
    "rank", "margin", "significant", "outlier", "threshold", "change", "no_improvement", "exemplar", "joint",
)  # fmt: skip
#: How many of the nearest are kept where no reading gives the figure.
NEAREST = 3
#: Numbers printed near a figure, to see how many of them the readings give: a tenth either way, three at least.
_NEAR_SHARE, _NEAR_STEPS = 0.1, 3
_TAIL = 0.1
_EXACT = 1e-9


def reconcile(claims: Iterable[Claim], counts: Held) -> tuple[Reconciliation, ...]:
    """Try every reading of a study's counts against the numbers that a letter prints.

    Parameters
    ----------
    claims
        The sentences (`gpvar.claims.letter_of`).
    counts
        What `held_by_study` returned; `held` makes the same of a table that has been read.

    Returns
    -------
    tuple of Reconciliation
        One for each number, in the order of the letter.

    Raises
    ------
    StudyError
        When there are no sentences, or none of them holds a number.
    """
    claims = tuple(claims)
    refuse_nothing(claims, counts.table.study)
    asked = [parse_period(text) for claim in claims for text in (claim.period, claim.period_before) if text]
    letter = _Letter(counts.with_periods(asked))
    return tuple(item for claim in claims for item in _with_both(letter.of(claim)))


def refuse_nothing(claims: Sequence[Claim], study: Study) -> None:
    """Refuse a letter in which there is nothing to look for; no data are needed.

    Raises
    ------
    StudyError
        When there are no sentences, or none of them holds a number.
    """
    where = str(study.letter or study.path or "the study")
    if not claims:
        raise StudyError(
            "The study holds no sentence of a letter.",
            where,
            'Fill in letter.xlsx and write letter = "letter.xlsx" in the study, or write the sentences as [[claim]].',
        )
    if not any(_printed(claim) or _has_place(claim) or claim.template == "tail" for claim in claims):
        raise StudyError(
            "No sentence of the letter holds a figure to look for.",
            where,
            "Write the figures as the letter prints them, such as 31.2%, in the column of the figure.",
        )


class _Letter:
    """The sentences of one letter beside one study: what takes long is done once for all of them."""

    def __init__(self, counts: Held) -> None:
        self.held = counts
        self._figures: dict[str, tuple[readings.Figures, ...]] = {}
        self._groups: dict[str, tuple[readings.Group, ...]] = {}

    def figures(self, metric: str) -> tuple[readings.Figures, ...]:
        """Return the figures of a measure by every way of counting."""
        if metric not in self._figures:
            ways = countings.for_measure(metric)
            self._figures[metric] = tuple(readings.figures(self.held, ways))
        return self._figures[metric]

    def groups(self, practice: str) -> tuple[readings.Group, ...]:
        """Return the groups that a figure may be compared with."""
        if practice not in self._groups:
            self._groups[practice] = readings.groups(self.held, practice)
        return self._groups[practice]

    def of(self, claim: Claim) -> list[Reconciliation]:
        """Return each number of a sentence with the readings that give it."""
        found = [self._number(claim, part, figure) for part, figure in _printed(claim)]
        if claim.template == "tail":
            found.append(self._tail(claim))
        if claim.place is not None and claim.of is not None and _has_place(claim):
            found.append(self._place(claim, claim.place, claim.of))
        return found

    def _number(self, claim: Claim, part: str, figure: Figure) -> Reconciliation:
        item = self._begun(claim, part, figure.text, figure.number, 10.0**-figure.decimals)
        if _test(claim) == "opportunity":
            item = replace(item, step=_as_rounded(figure))
        return item if item.why else self._tried(item, tuple(self._readings(claim, part)), _gives)

    def _place(self, claim: Claim, place: int, of: int) -> Reconciliation:
        item = self._begun(claim, "place", f"{place} of {of}", float(place), 1.0)
        if item.why:
            return item
        every = tuple(self._places(claim))
        same = tuple(each for each in every if each.practices == of)
        found = self._tried(item, same, _gives)
        near = sorted(every, key=lambda each: abs(each.value / each.practices - place / of))
        nearest = () if found.matches else _distinct(near, 0.5)
        return replace(self._described(found, every), nearest=nearest, why="" if every else "not_held")

    def _tail(self, claim: Claim) -> Reconciliation:
        share = claim.threshold.number / 100 if claim.threshold is not None else _TAIL
        item = self._begun(claim, "tail", "", share, 0.0)
        if item.why:
            return item
        how = "highest_first" if claim.direction == "high" else "lowest_first"
        every = [each for each in self._places(claim) if each.how == how]
        inside = [each for each in every if each.value <= math.ceil(share * each.practices)]
        near = sorted(every, key=lambda each: each.value / each.practices)
        return replace(
            self._described(item, every),
            matches=_in_order(inside, item),
            nearest=() if inside else _distinct(near, 0.5),
            why="" if every else "not_held",
        )

    def _places(self, claim: Claim) -> Iterable[Reading]:
        return readings.places(self.figures(claim.metric), self.groups(claim.practice_code), self._at(claim))

    def _readings(self, claim: Claim, part: str) -> Iterable[Reading]:
        """Return what a number of a sentence may be of."""
        every, around, test = self.figures(claim.metric), self.groups(claim.practice_code), _test(claim)
        if part == "comparator_figure":
            return readings.of_groups(every, around)
        if test == "fold":
            return readings.folds(every, around)
        sign = -1 if claim.direction == "low" else 1
        if test == "opportunity":
            return readings.gains(every, around, sign)
        if test == "worst_improved":
            return readings.group_changes(every, around, sign, _size(claim))
        if test == "ratio":
            return readings.patients_per(self.held, claim.practice_code)
        own = readings.of_practice(every, self._at(claim))
        if claim.template != "tail":
            return own
        # Beside "the lowest tenth" a letter may print the practice's figure, or the one at which the tenth ends.
        return chain(own, readings.edges(every, around, sign))

    def _at(self, claim: Claim) -> int:
        """Return where a sentence's practice stands among all."""
        return int(self.held.places.index.get_loc(claim.practice_code))

    def _begun(self, claim: Claim, part: str, written: str, number: float, step: float) -> Reconciliation:
        """Return a number of which nothing has been tried yet, with the reason where nothing can be."""
        text = claim.period_before if part == "figure_before" else claim.period
        lacking = text if text and parse_period(text) not in self.held.counts else ""
        why = self._why_not(claim, part)
        return Reconciliation(claim, part, written, number, step, not_held=lacking, why=why)

    def _why_not(self, claim: Claim, part: str) -> str:
        template = letters.templates()[claim.template]
        if template.source:
            return "no_source"
        if template.about == "practice" and part != "comparator_figure":
            if claim.practice_code not in self.held.places.index:
                return "practice_unknown"
            if template.test not in (*OWN, "ratio"):
                return "not_tried"
            if self._is_hidden(claim):
                return "hidden"
        return ""

    def _is_hidden(self, claim: Claim) -> bool:
        rows = self.held.table.outcomes
        mine = rows[(rows["practice_code"] == claim.practice_code) & (rows["metric"] == claim.metric)]
        known = any(math.isfinite(each.top[self._at(claim)]) for each in self.figures(claim.metric))
        return not known and bool((mine["state"] == "suppressed").any())

    def _tried(
        self, item: Reconciliation, every: Sequence[Reading], gives: Callable[[Reading, Reconciliation], bool]
    ) -> Reconciliation:
        """Return the number with the readings that give it, or those nearest."""
        every = [each for each in every if math.isfinite(each.value)]
        matches, rest = [], []
        for each in every:
            (matches if gives(each, item) else rest).append(each)
        far = sorted(rest, key=lambda each: abs(each.value - item.number))
        found = self._described(item, every)
        return replace(
            _by_chance(found, rest) if every else found,
            matches=_in_order(matches, item),
            nearest=() if matches else _distinct(far, item.step / 10),
            why="" if every else "not_held",
        )

    @staticmethod
    def _described(item: Reconciliation, every: Sequence[Reading]) -> Reconciliation:
        ways = tuple(dict.fromkeys(each.counting for each in every))
        periods = sorted({each.period for each in every}, key=lambda period: (period.start, period.end))
        own = min(every, key=lambda each: _likely(each, item), default=None)
        return replace(item, tried=len(every), ways=ways, periods=tuple(periods), own=own)


def _test(claim: Claim) -> str:
    return letters.templates()[claim.template].test


def _printed(claim: Claim) -> list[tuple[str, Figure]]:
    """Return the numbers that a sentence prints of figures."""
    every = (
        ("figure", claim.figure),
        ("figure_before", claim.figure_before),
        ("comparator_figure", claim.comparator_figure),
    )
    return [(part, figure) for part, figure in every if figure is not None]


def _has_place(claim: Claim) -> bool:
    """Return whether a sentence gives a practice's place among others."""
    return claim.place is not None and claim.of is not None and _test(claim) == "rank"


def _size(claim: Claim) -> float:
    """Return how many practices "the worst ten" are, or which part of all."""
    if claim.place is not None:
        return float(claim.place)
    return claim.threshold.number / 100 if claim.threshold is not None else _TAIL


def _as_rounded(figure: Figure) -> float:
    """Return how fine a large whole number was printed: 9,000 may be rounded to thousands."""
    digits = f"{abs(round(figure.number))}"
    noughts = len(digits) - len(digits.rstrip("0"))
    return 10.0**-figure.decimals if figure.decimals or not noughts else 10.0 ** min(noughts, len(digits) - 1)


def _gives(each: Reading, item: Reconciliation) -> bool:
    return abs(each.value - item.number) <= item.step / 2 + _EXACT * max(1.0, abs(item.number))


def _by_chance(item: Reconciliation, rest: Sequence[Reading]) -> Reconciliation:
    """Return the number with how many readings lie near it, and how many other numbers there they give."""
    width = max(_NEAR_SHARE * abs(item.number), _NEAR_STEPS * item.step)
    least = 1.0 if item.part == "place" else 0.0
    down = int(min(width, max(item.number - least, 0.0)) / item.step + _EXACT)
    up = int(width / item.step + _EXACT)
    places = [round((each.value - item.number) / item.step) for each in rest]
    near = [place for place in places if place and -down <= place <= up]
    low, high = item.number - down * item.step, item.number + up * item.step
    return replace(item, near=len(near), others=down + up, met=len(set(near)), low=low, high=high)


#: What a letter mostly means where it does not say: how several practices are put together, and a gain over what time.
_USUAL = ("", "pooled", "mean", "median", "highest_lowest", "to_p80")


def _likely(each: Reading, item: Reconciliation) -> tuple[object, ...]:
    """Return what puts the readings that a letter's own words name before others; it decides nothing."""
    claim = item.claim
    named = _period(claim.period_before if item.part == "figure_before" else claim.period)
    whom = claim.comparator or ("icb" if letters.templates()[claim.template].about == "area" else "england")
    return (
        each.counting != claim.metric,
        named is not None and each.period != named,
        -each.period.months,
        each.complement,
        (each.per, each.by) not in (("", 100), ("month", 1000), ("week", 1)),
        each.patients not in ("", readings.PATIENT_MONTHS),
        each.of not in (whom, "practice"),
        each.without != "",
        _USUAL.index(each.how) if each.how in _USUAL else len(_USUAL),
    )


@cache
def _period(text: str) -> Period | None:
    return parse_period(text) if text else None


def _in_order(found: Iterable[Reading], item: Reconciliation) -> tuple[Reading, ...]:
    return tuple(sorted(found, key=lambda each: _likely(each, item)))


def _distinct(every: Iterable[Reading], apart: float) -> tuple[Reading, ...]:
    """Return the first few that do not say the same number again."""
    kept: list[Reading] = []
    for each in every:
        if all(abs(each.value - other.value) > apart or each.practices != other.practices for other in kept):
            kept.append(each)
        if len(kept) == NEAREST:
            break
    return tuple(kept)


def _with_both(items: list[Reconciliation]) -> list[Reconciliation]:
    """Return a sentence's numbers with the readings that give its other numbers too."""
    return [replace(item, both=_both(item, [other for other in items if other is not item])) for item in items]


def _both(item: Reconciliation, others: Sequence[Reconciliation]) -> tuple[Reading, ...]:
    rest = [other for other in others if other.part != "tail" and not other.why]
    if item.part == "tail" or not rest:
        return ()
    return tuple(each for each in item.matches if all(_goes_with(each, item, other) for other in rest))


def _goes_with(each: Reading, item: Reconciliation, other: Reconciliation) -> bool:
    if "figure_before" not in (item.part, other.part):
        return any(each.counts == match.counts for match in other.matches)
    later = item.part != "figure_before"
    return any(
        each.unit == match.unit
        and (match.period.end < each.period.start if later else each.period.end < match.period.start)
        for match in other.matches
    )
