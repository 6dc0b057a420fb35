"""A known answer beside the one that was found, and what the two count towards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gpvar.calibration.odds import by_tenth
from gpvar.calibration.tally import Tally
from gpvar.catalogue import letters

if TYPE_CHECKING:
    from gpvar.results import Finding
    from gpvar.simulate import PlantedClaim

#: What the bar speaks of: figures this reliable, and truths so many posterior SDs from where the answer would change.
RELIABLE, CLEAR = 0.9, 2.0
#: What is said by a verdict; and by a reason whose verdict is that of what is not shown, though something is: the
#: sentence is ruled out, or true by less than its test asks.
_SAID = {
    "supported": "true",
    "not_attributable": "unfair",
    "contradicted": "false",
    "outside_but_not_exceptional": "false",
    "red_within_chance": "false",
    "less_than_margin": "slight",
}
#: What may be said of a truth.
_RIGHT = {"true": ("true",), "unfair": ("unfair",), "false": ("false", "slight"), "slight": ("slight", "open")}
#: Kinds that are shown by themselves alone: their answers are laid out by hand, far from any edge, and would flatter
#: the rest.
APART = ("many_red",)
ENDS_TO_SD = 2.0 * 1.959963984540054


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence with a known answer, and what was found of it.

    Attributes
    ----------
    template
        Its kind.
    truth
        true (and fair), unfair (true as it stands, not beside like practices), slight (true by less than its test
        asks) or false.
    said
        The same of the finding; open where it decides nothing.
    clear
        Whether the bar speaks of it: a reliable figure, whose truth is clear of where the answer would change.
    chance
        The chance that was said of a rank or a threshold; NaN where none was.
    holds
        Whether it is true as it stands.
    verdict
        Code of the finding.
    picked
        Whether its practice was picked for seeming to have changed the most, where nothing did.
    """

    template: str
    truth: str
    said: str
    clear: bool
    chance: float = float("nan")
    holds: bool = False
    verdict: str = ""
    picked: bool = False


def truth_of(planted: PlantedClaim) -> str:
    """Return what is true of a sentence: true, unfair, slight or false."""
    if planted.slight:
        return "slight"
    return "false" if not planted.truth else "true" if planted.fair else "unfair"


def said_of(finding: Finding) -> str:
    """Return what a finding says of its sentence: true, unfair, slight, false, or open."""
    return _SAID.get(finding.verdict) or _SAID.get(finding.reason, "open")


def counted(answers: Iterable[Answer]) -> Iterator[Tally]:
    """Count answers towards the bars, by kind of sentence and over all."""
    frame = pd.DataFrame(answers, columns=list(Answer.__slots__))
    pooled = frame[~frame["template"].isin(APART)]
    for group, part in (("", pooled), *frame.groupby("template", sort=False)):
        clear = part["clear"].astype(bool)
        yield from _bars(part[clear], str(group))
        # Who was picked for seeming to have changed has a row of its own.
        near = part[~clear & ~part["picked"].astype(bool)]
        yield Tally("claims_opposite_near", float(_opposites(near)), len(near), str(group))
    yield from _chances(frame.dropna(subset=["chance"]))


def _bars(clear: pd.DataFrame, group: str) -> Iterator[Tally]:
    # What is slight is neither to be borne out nor refuted: it can only be said the opposite of.
    asked = clear[clear["truth"] != "slight"]
    yield Tally("claims_decided", float((asked["said"] != "open").sum()), len(asked), group)
    yield Tally("claims_opposite", float(_opposites(clear)), len(clear), group)
    for name, right in _RIGHT.items():
        said = clear.loc[clear["truth"] == name, "said"]
        yield Tally(f"claims_{name}_right", float(said.isin(right).sum()), len(said), group)
    refuted = clear.loc[clear["truth"] == "false", "verdict"]
    yield Tally("claims_false_contradicted", float((refuted == "contradicted").sum()), len(refuted), group)
    fair = clear.loc[clear["truth"] == "true", "said"]
    yield Tally("claims_true_unfair", float((fair == "unfair").sum()), len(fair), group)


def _opposites(answers: pd.DataFrame) -> int:
    """Return of how many sentences the contrary of what is true was said: as they stand, or beside like practices."""
    truth, said = answers["truth"], answers["said"]
    denied = truth.isin(["true", "unfair", "slight"]) & (said == "false")
    belittled = truth.isin(["true", "unfair"]) & (said == "slight")
    let_stand = truth.isin(["false", "slight"]) & said.isin(["true", "unfair"])
    return int((denied | belittled | let_stand | ((truth == "unfair") & (said == "true"))).sum())


def _chances(frame: pd.DataFrame) -> Iterator[Tally]:
    tests = frame["template"].map(lambda name: letters.templates()[name].test)
    for test, part in frame.groupby(tests):
        off = float(part["chance"].sum() - part["holds"].sum())
        yield Tally("claims_chance_off_all", off, len(part), str(test))
        yield from by_tenth("claims_chance", str(test), part["chance"], part["holds"])
