"""The tables of the page on where the variation comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import figures, phrases, variation
from gpvar.words.facts import area_facts
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.results import Run

NOTHING = ""


def _unit(card: Any) -> str:
    return f"% of {card.noun_denominator}" if figures.is_share(card) else str(card.unit)


def _rung(rung: str) -> str:
    return f"{phrases.RUNG_SHORT[rung]} ({phrases.RUNG_LABEL[rung]})"


def _or_nothing(table: Table) -> Table | str:
    """Return the table; nothing to show where it has no rows."""
    return table if len(table.frame) else NOTHING


def variation_shares(run: Run, metric: str = "") -> Table | str:
    """Return the shares of the variation with their intervals; nothing when it was not divided."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    rows = [
        {
            "Part of the variation": variation.PART[name],
            "Share (%)": variation.percent(row["share"]),
            "95% interval": variation.ends(row),
        }
        for name, row in found.items()
    ]
    rung = phrases.RUNG_LABEL[str(facts.analysis.shares["rung"].iloc[0])] if found else ""
    caption = f"Shares of the variance between practices in {facts.plain_names.reference} ({rung}), which sum to 100."
    return _or_nothing(Table(pd.DataFrame(rows), caption, "Shown rounded.", f"area_{facts.card.id}_shares"))


def variation_levels(run: Run, metric: str = "") -> Table | str:
    """Return how far apart units of each level are, raw and after, with intervals."""
    facts = area_facts(run, metric)
    levels = facts.analysis.levels
    rungs = [rung for rung in dict.fromkeys(["M0", facts.headline]) if (levels["rung"] == rung).any()]
    first = levels[levels["rung"] == "M0"]
    called = variation.within(first["level"].tolist())
    rows = []
    for level, name in called.items():
        row = {"Between": name, "How many": "none"}
        for rung in rungs:
            found = levels[(levels["rung"] == rung) & (levels["level"] == level)]
            row[_rung(rung)] = _apart(found.iloc[0]) if len(found) else "not in the model"
            row["How many"] = number(found["units"].iloc[0]) if len(found) else row["How many"]
        if len(rungs) > 1:
            row["Variance"] = _change(found["change"].iloc[0]) if len(found) else "not known"
        rows.append(row)
    what = "odds" if figures.is_share(facts.card) else "rates"
    odds = " A share of 25% has odds of 1 to 3; odds 1.5 times as large are 1.5 to 3, a share of 33%." * (
        what == "odds"
    )
    note = (
        f"The median ratio of {what}: of two picked at random, the higher over the lower; half of all pairs are "
        f"further apart. 1 is no difference.{odds} In brackets the 95% interval; where it starts at 1.00, no spread "
        "is not ruled out. The variance is the square of the spread: half the variance is a spread 29% narrower."
    )
    return _or_nothing(
        Table(pd.DataFrame(rows), f"Median ratio of {what} at each level.", note, f"area_{facts.card.id}_levels")
    )


def _apart(row: Any) -> str:
    low, high = (number(variation.ratio(row[end]), 2) if known(row[end]) else "not known" for end in ("lower", "upper"))
    return f"{number(row['median_ratio'], 2)} ({low} to {high})"


def _change(share: float) -> str:
    if not known(share):
        return "not known"
    if round(100 * share) == 0:
        return "about the same"
    return f"{number(100 * abs(share))}% {'smaller' if share > 0 else 'larger'}"


def variation_spread(run: Run, metric: str = "") -> Table | str:
    """Return the middle 95 %, the tenth and ninetieth percentile, and who changes places, at every rung."""
    facts = area_facts(run, metric)
    card = facts.card

    def pair(row: dict[str, Any], low: str, high: str) -> str:
        return f"{figures.shown(card, row[low])} to {figures.shown(card, row[high])}"

    rows = [
        {
            "What is allowed for": _rung(row["rung"]),
            "Middle 95%": pair(row, "middle_lower", "middle_upper"),
            "Tenth to ninetieth": pair(row, "p10", "p90"),
            "Chance taken off": pair(row, "shrunken_p10", "shrunken_p90"),
            "Move ten places": "none can" if row["rung"] == "M0" else f"{number(row['movers'])} of {number(row['n'])}",
        }
        for row in facts.analysis.rungs.to_dict("records")
    ]
    caption = f"The spread of practices in {facts.plain_names.reference}, in {_unit(card)}."
    note = (
        "Tenth to ninetieth: a tenth of practices lie below the first figure and a tenth above the second; beside it "
        "the same for the model's estimates of what lies behind the figures, with the chance of sampling taken off and "
        "passing movement where it is known. Move ten places: practices that move by "
        "ten places in a hundred or more from their raw place."
    )
    return _or_nothing(Table(pd.DataFrame(rows), caption, note, f"area_{card.id}_spread"))


def variation_equity(run: Run, metric: str = "") -> Table | str:
    """Return the average figure by fifth of deprivation, raw and after; nothing without a score."""
    facts = area_facts(run, metric)
    card, frame = facts.card, facts.analysis.equity
    ends = {1: "1 (least deprived)", 5: "5 (most deprived)"}
    rows = []
    for fifth, here in frame.groupby("fifth"):
        by = here.set_index("rung")
        row = {"Fifth of practices": ends.get(int(str(fifth)), str(fifth)), "Practices": number(by["units"].max())}
        row |= {_rung(str(rung)): figures.shown(card, by.loc[rung, "value"]) for rung in by.index}
        rows.append(row)
    caption = f"Average figure by fifth of deprivation, in {_unit(card)}."
    return _or_nothing(Table(pd.DataFrame(rows), caption, "", f"area_{card.id}_fifths"))
