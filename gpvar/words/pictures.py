"""Titles that say the message, text alternatives built from the numbers, and the lines under pictures."""

from __future__ import annotations

from typing import Any

from gpvar.words import figures, phrases, variation
from gpvar.words.phrases import ENGLAND, Names
from gpvar.words.text import known, number, plural

Row = dict[str, Any]


def funnel_title(rung: str, position: str, names: Names = ENGLAND) -> str:
    """Return the message of a practice's funnel: its position, with rung and comparator."""
    when = "Raw" if rung == "M0" else "Allowing for patients" if rung in ("M1", "M1-") else "Patients and circumstances"
    return f"{when}: {phrases.POSITION[position].lower()} ({names.label(rung, 'england')})"


def funnel_alt(card: Any, row: Row, rung: str, n: int, far: int, outside: int, names: Names = ENGLAND) -> str:
    """Return the text alternative of a practice's funnel."""
    shown = row["value"] if rung == "M0" else row["adjusted"]
    what = "raw figure" if rung == "M0" else "figure after allowing for patients"
    return (
        f"Funnel chart of the {card.short} of {plural(n, 'practice')} by size ({names.label(rung, 'england')}). "
        f"The {what} of this practice is {figures.amount(card, shown)}; the limits of the usual range at its size are "
        f"{figures.span(card, row['shown_lower_95'], row['shown_upper_95'])}. "
        f"Position: {phrases.POSITION[row['position']].lower()}. "
        f"{plural(outside, 'practice')} of the {number(n)} lie outside the usual range, {number(far)} far outside."
    )


def area_funnel_title(rung: str, flagged: int, n: int, names: Names = ENGLAND) -> str:
    """Return the message of an area's funnel."""
    when = "Raw" if rung == "M0" else "Allowing for patients"
    tag = names.label(rung, "england")
    return f"{when}: {number(flagged)} of {plural(n, 'practice')} outside the usual range ({tag})"


def area_funnel_alt(
    card: Any, rung: str, n: int, flagged: int, everyone: int, names: Names = ENGLAND, *, drawn: int | None = None
) -> str:
    """Return the text alternative of an area's funnel.

    Parameters
    ----------
    n, flagged
        Practices of the area that can be judged, and those of them outside the usual range.
    everyone, drawn
        Practices drawn, and those of the area among them; fewer than `n` where counts are too small to show.
    """
    left = n - (n if drawn is None else drawn)
    not_drawn = (
        f" {number(left)} of them {'is' if left == 1 else 'are'} not drawn: small counts are hidden." if left else ""
    )
    return (
        f"Funnel chart of the {card.short} of {plural(everyone, 'practice')} by size "
        f"({names.label(rung, 'england')}), the "
        f"{plural(n, 'practice')} of the area drawn darker and none of them named. {number(flagged)} of them "
        f"lie outside the usual range.{not_drawn}"
    )


def _far_limits(row: Row | None) -> str:
    """Return what the far limits would hold, and what they do hold where the spread that drew them is given."""
    said = "998 in 1,000 of a bell-shaped spread"
    if row is None or not (known(row.get("n")) and known(row.get("flagged_99_8")) and row["n"] > 0):
        return said
    return f"{said}; here {number(1000 * (1 - row['flagged_99_8'] / row['n'])) if row['flagged_99_8'] else 'all'}"


def funnel_note(adjusted: bool = True, of: str = "sampling alone", row: Row | None = None) -> str:
    """Return how to read the funnels.

    Parameters
    ----------
    adjusted
        Whether one of them allows for patients.
    of
        What chance is made of.
    row
        The spread that the limits are drawn from.
    """
    typical = " After allowing for patients, every practice is shown as if it had a typical mix of them."
    return (
        "Each dot is a practice; the darker dots are practices of the same area and the diamond is this "
        "practice. Solid lines: the usual "
        f"range (95 in 100) and the far limits ({_far_limits(row)}) among practices as they are. Faint dotted lines: "
        f"the chance of {of}.{typical if adjusted else ''}"
    )


def area_funnel_note(of: str = "sampling alone", row: Row | None = None) -> str:
    """Return how to read an area's funnels: what chance is made of, and the spread that the limits are drawn from."""
    return (
        "Each dot is a practice; the darker dots are practices of the area. Solid lines: the usual range (95 "
        "in 100) and the far limits "
        f"({_far_limits(row)}) among practices as they are. Faint dotted lines: the chance of {of}."
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
    if len(rows) == 1:
        return f"Raw figure: {phrases.POSITION[next(iter(rows.values()))['position']].lower()}"
    positions = list(dict.fromkeys(row["position"] for row in rows.values()))
    if len(positions) == 1:
        return f"Whatever is allowed for: {phrases.POSITION[positions[0]].lower()}"
    return "The answer depends on what is allowed for"


def ladder_alt(card: Any, rows: dict[str, Row], names: Names = ENGLAND) -> str:
    """Return the text alternative of a practice's ladder."""
    said = [
        f"{names.label(rung, 'england')}: expected {figures.amount(card, row['centre'])}, usual range "
        f"{figures.span(card, row['lower_95'], row['upper_95'])}, {phrases.POSITION[row['position']].lower()}"
        for rung, row in rows.items()
    ]
    first = next(iter(rows.values()))
    own = figures.amount(card, first["value"])
    return f"The practice's figure, {own}, against the usual range at each step. {'; '.join(said)}."


def methods_title(plain_limits: float, robust: float, n: int) -> str:
    """Return the message of the comparison of methods."""
    if plain_limits == robust:
        return f"{number(robust)} of {plural(n, 'practice')} marked, whether or not the ordinary spread is allowed for"
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


def moved_alt(out: int, into: int, stayed: int, n: int, names: Names = ENGLAND) -> str:
    """Return the text alternative of the chart of who moved."""
    return (
        f"Lines from the raw figure ({names.label('M0', 'england')}) to the figure after allowing for patients "
        f"({names.label('M1', 'england')}) for "
        f"{plural(n, 'practice')}. "
        f"{number(out)} moved into the usual range, {number(into)} moved out of it, {number(stayed)} stayed outside."
    )


def area_ladder_title(flagged: dict[str, int], n: dict[str, int]) -> str:
    """Return the message of an area's ladder; `n` is how many practices can be judged at each rung."""
    if len(set(n.values())) > 1:
        said = [f"{number(many)} of {number(n[r])} at {phrases.RUNG_LABEL[r]}" for r, many in flagged.items()]
        return f"Outside the usual range: {', '.join(said)}"
    said = [f"{number(many)} at {phrases.RUNG_LABEL[rung]}" for rung, many in flagged.items()]
    return f"Outside the usual range, of {plural(max(n.values(), default=0), 'practice')}: {', '.join(said)}"


def area_ladder_alt(
    card: Any, spreads: dict[str, Row], flagged: dict[str, int], n: dict[str, int], names: Names = ENGLAND
) -> str:
    """Return the text alternative of an area's ladder."""
    said = [
        f"{names.label(rung, 'england')}: middle 95% of practices "
        f"{figures.span(card, row['middle_lower'], row['middle_upper'])}, "
        f"{number(flagged[rung])} of {number(n[rung])} outside"
        for rung, row in spreads.items()
        if known(row.get("middle_lower"))
    ]
    what = (
        "The practices of the area at each step, with the range that holds the middle 95% of practices in "
        f"{names.reference}"
    )
    return f"{what}. {'; '.join(said)}."


def shares_title(found: dict[str, Row]) -> str:
    """Return the message of the bar of shares: what the largest part is."""
    return variation.lead(found).rstrip(".")


def share_label(name: str, row: Row) -> str:
    """Return what a part of the bar is called beside it: its share and the interval."""
    said = variation.interval(row)
    return f"{variation.PART[name]}: {variation.percent(row['share'])}%{f' ({said})' if said else ''}"


def shares_alt(card: Any, found: dict[str, Row], names: Names = ENGLAND) -> str:
    """Return the text alternative of the bar of shares."""
    said = "; ".join(share_label(name, row) for name, row in found.items())
    return f"One bar: the variation in the {card.short} between practices in {names.reference}, divided. {said}."


def strip_title(rows: dict[str, Row]) -> str:
    """Return the message of the strip of spreads: how much narrower the middle 95 % becomes."""
    before, after = rows["M0"], list(rows.values())[-1]
    if len(rows) == 1:
        return "The middle 95% of practices on the raw figures"
    wide, narrow = (row["middle_upper"] - row["middle_lower"] for row in (before, after))
    share = 1 - narrow / wide if wide > 0 else 0.0
    if abs(share) < 0.005:
        return "Allowing for patients leaves the spread as wide as it was"
    return f"Allowing for patients makes the spread {number(100 * abs(share))}% {'narrower' if share > 0 else 'wider'}"


def strip_alt(card: Any, rows: dict[str, Row], names: Names = ENGLAND) -> str:
    """Return the text alternative of the strip of spreads."""
    said = [
        f"{phrases.RUNG_SHORT[rung]} ({names.label(rung, 'england')}): middle 95% of practices "
        f"{figures.span(card, row['middle_lower'], row['middle_upper'])}, tenth to ninetieth of a hundred "
        f"{figures.span(card, row['p10'], row['p90'])}"
        for rung, row in rows.items()
    ]
    return f"Bars of the spread between practices. {'; '.join(said)}."


def fifths_title(card: Any, before: float, after: float | None) -> str:
    """Return the message of the picture by deprivation: the gap between the ends, before and after."""
    raw = _ends_gap(card, before)
    if after is None:
        return f"Most deprived fifth beside the least: {raw}"
    return f"Most deprived fifth beside the least: {raw} raw, {_ends_gap(card, after)} after allowing for patients"


def _ends_gap(card: Any, difference: float) -> str:
    return (
        "the same"
        if figures.is_nil(card, difference)
        else f"{figures.gap(card, difference)} {figures.side(difference)}"
    )


def fifths_alt(card: Any, values: dict[str, list[float]]) -> str:
    """Return the text alternative of the picture by deprivation; values from the least to the most deprived fifth."""
    said = [
        f"{phrases.RUNG_SHORT[rung]}: {', '.join(figures.shown(card, v) for v in line)}"
        for rung, line in values.items()
    ]
    return (
        f"Average figure of practices by fifth of deprivation, from the least to the most deprived, in "
        f"{value_axis(card)}. {'; '.join(said)}."
    )
