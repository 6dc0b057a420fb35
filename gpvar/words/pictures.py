"""Titles that say the message, text alternatives built from the numbers, and the lines under pictures."""

from __future__ import annotations

from typing import Any

from gpvar.words import figures, phrases
from gpvar.words.text import known, number, plural

Row = dict[str, Any]


def funnel_title(rung: str, position: str, comparator: str = "england") -> str:
    """Return the message of a practice's funnel: its position, with rung and comparator."""
    when = "Raw" if rung == "M0" else "Allowing for patients" if rung in ("M1", "M1-") else "Patients and circumstances"
    return f"{when}: {phrases.POSITION[position].lower()} ({phrases.label(rung, comparator)})"


def funnel_alt(card: Any, row: Row, rung: str, n: int, far: int, outside: int, comparator: str = "england") -> str:
    """Return the text alternative of a practice's funnel."""
    shown = row["value"] if rung == "M0" else row["adjusted"]
    what = "raw figure" if rung == "M0" else "figure after allowing for patients"
    return (
        f"Funnel chart of the {card.short} of {plural(n, 'practice')} by size ({phrases.label(rung, comparator)}). "
        f"The {what} of this practice is {figures.amount(card, shown)}; the limits of the usual range at its size are "
        f"{figures.span(card, row['shown_lower_95'], row['shown_upper_95'])}. "
        f"Position: {phrases.POSITION[row['position']].lower()}. "
        f"{plural(outside, 'practice')} of the {number(n)} lie outside the usual range, {number(far)} far outside."
    )


def area_funnel_title(rung: str, flagged: int, n: int, comparator: str = "england") -> str:
    """Return the message of an area's funnel."""
    when = "Raw" if rung == "M0" else "Allowing for patients"
    tag = phrases.label(rung, comparator)
    return f"{when}: {number(flagged)} of {plural(n, 'practice')} outside the usual range ({tag})"


def area_funnel_alt(card: Any, rung: str, n: int, flagged: int, everyone: int, comparator: str = "england") -> str:
    """Return the text alternative of an area's funnel."""
    return (
        f"Funnel chart of the {card.short} of {plural(everyone, 'practice')} by size "
        f"({phrases.label(rung, comparator)}), the "
        f"{plural(n, 'practice')} of the area drawn darker and none of them named. {number(flagged)} of them "
        "lie outside the usual range."
    )


def funnel_note() -> str:
    """Return how to read the funnels."""
    return (
        "Each dot is a practice; the darker dots are practices of the same area and the diamond is this "
        "practice. Solid lines: the usual "
        "range (95 in 100) and the far limits (998 in 1,000) among practices as they are. Faint dotted lines: "
        "the chance of sampling alone. "
        "After allowing for patients, every practice is shown as if it had a typical mix of them."
    )


def area_funnel_note() -> str:
    """Return how to read an area's funnels."""
    return (
        "Each dot is a practice; the darker dots are practices of the area. Solid lines: the usual range (95 "
        "in 100) and the far limits "
        "(998 in 1,000) among practices as they are. Faint dotted lines: the chance of sampling alone."
    )


def value_axis(card: Any) -> str:
    """Return the label of a value axis."""
    return f"% of {card.noun_denominator}" if figures.is_share(card) else str(card.unit)


def size_axis(card: Any) -> str:
    """Return the label of a funnel's size axis."""
    noun = card.noun_denominator if figures.is_share(card) else "patient-months"
    return f"{noun[0].upper()}{noun[1:]} in the period"


def ladder_title(rows: dict[str, Row]) -> str:
    """Return the message of a practice's ladder: whether the answer changes."""
    positions = list(dict.fromkeys(row["position"] for row in rows.values()))
    if len(positions) == 1:
        return f"Whatever is allowed for: {phrases.POSITION[positions[0]].lower()}"
    return "The answer depends on what is allowed for"


def ladder_alt(card: Any, rows: dict[str, Row]) -> str:
    """Return the text alternative of a practice's ladder."""
    said = [
        f"{phrases.label(rung, 'england')}: expected {figures.amount(card, row['centre'])}, usual range "
        f"{figures.span(card, row['lower_95'], row['upper_95'])}, {phrases.POSITION[row['position']].lower()}"
        for rung, row in rows.items()
    ]
    first = next(iter(rows.values()))
    own = figures.amount(card, first["value"])
    return f"The practice's figure, {own}, against the usual range at each step. {'; '.join(said)}."


def methods_title(plain_limits: float, robust: float, n: int) -> str:
    """Return the message of the comparison of methods."""
    return f"From {number(plain_limits)} to {number(robust)} of {plural(n, 'practice')}: it depends on the rule"


def methods_alt(labels: list[str], flagged: list[int], far: list[int]) -> str:
    """Return the text alternative of the comparison of methods."""
    said = [
        f"{name}: {number(a)}, of which {number(b)} far outside"
        for name, a, b in zip(labels, flagged, far, strict=True)
    ]
    return f"Bar chart of how many practices of the area each method marks at 95%. {'; '.join(said)}."


def moved_title(out: int, into: int) -> str:
    """Return the message of the chart of who moved."""
    if out == into == 0:
        return "Allowing for patients moves nobody across the edge"
    return f"{number(out)} moved in, {number(into)} moved out of the usual range"


def moved_alt(out: int, into: int, stayed: int, n: int) -> str:
    """Return the text alternative of the chart of who moved."""
    return (
        "Lines from the raw figure (M0, England) to the figure after allowing for patients (M1, England) for "
        f"{plural(n, 'practice')}. "
        f"{number(out)} moved into the usual range, {number(into)} moved out of it, {number(stayed)} stayed outside."
    )


def area_ladder_title(flagged: dict[str, int], n: int) -> str:
    """Return the message of an area's ladder."""
    said = [f"{number(many)} at {phrases.RUNG_LABEL[rung]}" for rung, many in flagged.items()]
    return f"Outside the usual range, of {plural(n, 'practice')}: {', '.join(said)}"


def area_ladder_alt(card: Any, spreads: dict[str, Row], flagged: dict[str, int], n: int) -> str:
    """Return the text alternative of an area's ladder."""
    said = [
        f"{phrases.label(rung, 'england')}: middle 95% of practices "
        f"{figures.span(card, row['middle_lower'], row['middle_upper'])}, "
        f"{number(flagged[rung])} of {number(n)} outside"
        for rung, row in spreads.items()
        if known(row.get("middle_lower"))
    ]
    what = "The practices of the area at each step, with the range that holds the middle 95% of practices in England"
    return f"{what}. {'; '.join(said)}."
