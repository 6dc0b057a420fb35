"""What the sentences about one sentence of a letter are about: a finding, beside the run it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.catalogue import letters
from gpvar.dates import day_in_words
from gpvar.words import figures, passing, phrases, standing
from gpvar.words.text import escape_markdown, known, listed, number, ordinal, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpvar.catalogue import MetricCard
    from gpvar.results import Analysis, Claim, Finding, Run

Row = dict[str, Any]
NAN = float("nan")
#: The findings, as METHODS prints them.
VERDICT = {
    "supported": "The statement holds",
    "not_attributable": "True, but not a fair comparison of practices",
    "contradicted": "The data do not show this",
    "not_shown": "The data do not show this",
    "not_decidable": "Cannot be checked yet",
    "wrong_metric": "Measures something else",
}
NOT_WHY = "That does not show the cause."
EXPECTED = "Expected is not the same as good enough."
_PART = {0.1: "tenth", 0.2: "fifth", 0.25: "quarter"}


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """One sentence of a letter, with its finding.

    Attributes
    ----------
    card
        The measure; None where the letter's has none.
    who, area
        The practice's name, empty for a sentence about the area, and the area's; both safe in Markdown.
    names
        What the reference set is called.
    """

    run: Run
    finding: Finding
    card: MetricCard | None
    who: str
    area: str
    names: phrases.Names

    @property
    def claim(self) -> Claim:
        """The sentence of the letter."""
        return self.finding.claim

    @property
    def template(self) -> letters.Template:
        """What kind of sentence it is."""
        return letters.templates()[self.claim.template]

    @property
    def analysis(self) -> Analysis | None:
        """The measure, analysed; None where the study does not hold it."""
        return self.run.analyses.get(self.claim.metric)

    @property
    def is_practice(self) -> bool:
        """Whether the sentence is about one practice."""
        return self.template.about == "practice"

    @property
    def sign(self) -> int:
        """The side that the letter names: minus one for low, one for high, nought where it names none."""
        named = self.finding.numbers.get("side") or self.claim.direction or self.template.direction
        return {"low": -1, "high": 1}.get(str(named), 0)

    @property
    def rows(self) -> dict[str, Row]:
        """Rung → the practice's row there."""
        return {str(row["rung"]): dict(row) for row in self.finding.rungs}

    @property
    def raw(self) -> Row | None:
        """The practice's row on the raw figures."""
        return self.rows.get("M0")

    @property
    def headline(self) -> str:
        """The rung that findings speak of."""
        return "M1" if "M1" in self.rows else "M0"

    @property
    def judged(self) -> Row | None:
        """The practice's row at that rung."""
        return self.rows.get(self.headline)

    @property
    def tag(self) -> str:
        """Rung and comparator of what is said of the practice: "M1, England"."""
        return self.names.label(self.headline, self.finding.comparator)

    @property
    def within(self) -> str:
        """Where the practices are that it is compared with: "in England"."""
        return self.names.within(self.finding.comparator)

    @property
    def period(self) -> str:
        """The months that the finding rests on, in words."""
        held = self.finding.source.get("period") or ""
        return passing.stretch(held) if held else self.run.study.period.label

    @property
    def chance(self) -> str:
        """What an interval allows for: sampling and passing movement where that was measured, else sampling alone."""
        return passing.of(self.analysis.passing) if self.analysis is not None else passing.NOT_KNOWN

    @property
    def claimed(self) -> int:
        """The side that places are counted from in the letter: minus one for low, one for high."""
        counted = self.finding.numbers.get("counted_from") or self.claim.direction or self.template.direction
        return {"low": -1, "high": 1}.get(str(counted), self.sign or -1)

    def get(self, name: str) -> float:
        """Return a number of the finding; NaN where it is not known."""
        value = self.finding.numbers.get(name)
        return float(value) if known(value) else NAN  # type: ignore[arg-type]

    def has(self, *names: str) -> bool:
        """Return whether all these numbers are known."""
        return all(known(self.finding.numbers.get(name)) for name in names)

    def items(self, name: str) -> list[str]:
        """Return a list of the finding as plain lines."""
        found = self.finding.numbers.get(name) or []
        return [plain(item, 200) for item in ([found] if isinstance(found, str) else found)]

    def periods(self, name: str) -> str:
        """Return the months of a number of the finding in words: "April 2025 to June 2025 and July 2025"."""
        return listed(passing.stretch(item) for item in self.items(name))

    def text(self, name: str, limit: int = 200) -> str:
        """Return a text of the finding, safe in Markdown."""
        return escape_markdown(str(self.finding.numbers.get(name) or "").rstrip(". "), limit)


def claim_facts(run: Run, finding: Finding) -> ClaimFacts:
    """Return what there is to say about one sentence of a letter."""
    claim = finding.claim
    analysis = run.analyses.get(claim.metric)
    named = analysis is not None
    return ClaimFacts(
        run=run,
        finding=finding,
        card=catalogue.metric(claim.metric) if claim.metric else None,
        who=_name(run, claim),
        area=escape_markdown(run.table.area_name or run.study.area.name) or "the area",
        names=phrases.names(analysis.meta, escape_markdown) if named else phrases.ENGLAND,  # type: ignore[union-attr]
    )


def _name(run: Run, claim: Claim) -> str:
    people = run.table.practices
    if claim.practice_code and "practice_name" in people:
        found = people.loc[people["practice_code"] == claim.practice_code, "practice_name"]
        if len(found) and plain(found.iloc[0]):
            return escape_markdown(found.iloc[0])
    return escape_markdown(claim.practice or claim.practice_code)


def odds(p: float) -> str:
    """Return a chance as "93 in 100": never nought or certainty, never rounded on to a line that it does not reach."""
    if not known(p):
        return "not known"
    near = round(float(p), 2)
    if p < standing.RIGHT <= near:
        return "79 in 100"
    if near <= standing.WRONG < p:
        return "21 in 100"
    return standing.odds(p)


def part(tail: float, sign: int) -> str:
    """Return the part of all practices that is meant: "in the lowest tenth", "in the upper half"."""
    end = "lowest" if sign < 0 else "highest"
    if round(tail, 6) == 0.5:
        return f"in the {'lower' if sign < 0 else 'upper'} half"
    name = _PART.get(round(tail, 6))
    return f"in the {end} {name}" if name else f"among the {end} {number(100 * tail, 0 if tail >= 0.01 else 1)} in 100"


def side(sign: float) -> str:
    """Return "below" or "above"."""
    return "below" if sign < 0 else "above"


def bare(card: Any, value: float) -> str:
    """Return a figure with its percent sign and no more: for a sentence that has said of what."""
    return f"{figures.shown(card, value)}{'%' if figures.is_share(card) else ''}"


def printed(facts: ClaimFacts, size: float, row: Row | None) -> float:
    """Return a difference as the two figures that are printed give it, so that what is printed subtracts."""
    card = facts.card
    if card is None or row is None or not known(row.get("value")) or not known(row.get("centre")):
        return size
    shown = figures.apart(card, row)
    # Another comparison's row must not replace the number that decided.
    return shown if abs(shown - size) * card.scale < 0.15 * 10 ** (1 - figures.decimals(card, row["value"])) else size


def apart(facts: ClaimFacts, stem: str, low: str, high: str, than: str, rung: str = "M0") -> str:
    """Return "3.1 percentage points lower than … (95% interval for …: 2.0 to 4.1)"; empty where not known."""
    card, size = facts.card, facts.get(stem)
    if card is None or not known(size):
        return ""
    row = facts.rows.get(rung)
    size = printed(facts, size, row)
    interval = figures.interval(card, facts.get(low), facts.get(high), facts.chance)
    bracket = f" ({interval})" if interval else ""
    if figures.is_nil(card, size):
        return f"as good as the same as {than}{bracket}"
    return f"{figures.gap(card, size)} {figures.side(size)} than {than}{bracket}"


def changed(facts: ClaimFacts) -> float:
    """Return how far a figure changed, as the two figures printed give it; NaN where not known."""
    before, after, card = facts.get("before"), facts.get("after"), facts.card
    if card is None or not (known(before) and known(after)):
        return facts.get("change")
    return printed(facts, facts.get("change"), {"value": after, "centre": before})


def margin_at(facts: ClaimFacts, rung: str) -> str:
    """Return the smallest gap worth a second look, in the measure's unit at a rung."""
    card, row = facts.card, facts.rows.get(rung, {})
    if card is None:
        return "the margin of the measure"
    if figures.is_share(card) or not known(row.get("centre")):
        return figures.margin(card)
    return figures.gap(card, float(card.margin) / 100.0 * float(row["centre"]))


def place_here(facts: ClaimFacts) -> float:
    """Return the raw place, counted from the end that the letter counts from."""
    rank, ranked, here = facts.get("rank"), facts.get("ranked"), facts.get("from_side")
    if known(here) and ("counted_from" in facts.finding.numbers or facts.claimed == (facts.sign or -1)):
        return here
    return rank if facts.claimed < 0 else ranked + 1 - rank


def placed_at(place: float, sign: float) -> str:
    """Return a place as "190th lowest"; "the highest" for the first."""
    end = "lowest" if sign < 0 else "highest"
    return f"the {end}" if place == 1 else f"{ordinal(place)} {end}"


def between_periods(facts: ClaimFacts) -> str:
    """Return the breaks and targets that lie between two periods, each with its day."""
    source = facts.card.source if facts.card is not None else ""
    days = {item.id: (item.start, item.what) for item in catalogue.breaks(source)}
    days |= {item.id: (item.announced, item.wording) for item in catalogue.targets().values()}
    said = []
    for item in facts.items("breaks"):
        day, what = days.get(item, (None, item.replace("_", " ")))
        when = f" ({day_in_words(day)})" if day else ""
        said.append(f"“{escape_markdown(what.rstrip('.'), 200)}”{when}")
    return listed(said)


def explained(facts: ClaimFacts) -> str:
    """Return how much of the raw gap is also seen with similar patients or settings; nothing for less than half."""
    share = facts.get("explained_share")
    if not known(share) or share < 0.5:
        return ""
    much = "All" if share >= 0.995 else f"About {number(100 * share)}%"
    alike = {"M1": "similar patients", "M2": "similar patients and settings"}
    what = alike.get(str(facts.finding.numbers.get("explained_rung")), "similar patients or settings")
    return f"{much} of the raw gap is also seen with {what}{_on_scale(facts, much)}."


def _on_scale(facts: ClaimFacts, much: str) -> str:
    """Return on which scale the share of the gap is, and the share of the gap as printed where that is another."""
    shown, card = facts.get("explained_share_shown"), facts.card
    if card is None:
        return ""
    odds_or_rates = "odds" if figures.is_share(card) else "ratios"
    scale = f", on the scale of {odds_or_rates} on which practices are judged"
    unit = "in percentage points" if figures.is_share(card) else f"in {card.unit}"
    if (
        not known(shown)
        or much.endswith(f" {number(100 * shown)}%")
        or min(shown, facts.get("explained_share")) >= 0.995
    ):
        return scale
    return f"{scale} ({number(100 * shown)}% of it {unit})"


def sentences(parts: Iterable[str]) -> list[str]:
    """Return the sentences that there are."""
    return [part for part in parts if part]
