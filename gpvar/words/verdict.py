"""The sentences about one practice: verdict first, then number, uncertainty, caveat."""

from __future__ import annotations

from typing import Any

from gpvar.words import figures, passing, phrases
from gpvar.words.phrases import ENGLAND, Names
from gpvar.words.text import escape_markdown, known, listed, lower_first, number, ordinal, plural

Row = dict[str, Any]
SHOWS_RANGE = ("usual", "unusual", "far_outside")
HIDDEN = "The count was hidden because it is small."


def value_of(card: Any, row: Row, who: str) -> str:
    """Return "the same-day share at X was 31.2% of appointments"."""
    if figures.is_share(card):
        return f"the {card.short} at {who} was {figures.amount(card, row['value'])}"
    return f"{who} had {figures.amount(card, row['value'])}"


def hidden_value(card: Any, row: Row, who: str) -> str:
    """Return what a hidden count allows: "Whatever it was (0 to 4), the DNA share at X was 0.0% to 0.9% of …"."""
    low, high = figures.ends(row)
    if not known(low):
        return f"What it allows for {who} was tried at both ends"
    span = figures.between(card, low, high)
    counted = f"Whatever it was ({number(row['observed_low'])} to {number(row['observed_high'])})"
    if figures.is_share(card):
        return f"{counted}, the {card.short} at {who} was {span}"
    return f"{counted}, {who} had {span}"


def expectation(card: Any, row: Row, rung: str, comparator: str, names: Names = ENGLAND) -> str:
    """Return what would be expected of practices like it, naming rung and comparator."""
    where = names.within(comparator)
    figure = f"{figures.shown(card, row['centre'])}{'%' if figures.is_share(card) else ''}"
    of = f" of {card.noun_denominator}" if figures.is_share(card) else ""
    tag = names.label(rung, comparator)
    if rung == "M0":
        return f"the middle of {phrases.LIKE['M0']} {where} is {figure}{of} ({tag})"
    return f"{phrases.LIKE[rung]} {where} would be expected to show {figure}{of} ({tag})"


def difference(card: Any, row: Row, of: str = passing.NOT_KNOWN) -> str:
    """Return the difference with its interval, and what that allows for; or that there is none to speak of."""
    size = figures.apart(card, row)
    if figures.is_nil(card, size):
        return "that is as good as the same"
    # What chance is made of has a sentence of its own where it is more than sampling.
    of = of if of == passing.NOT_KNOWN else "chance"
    interval = figures.interval(
        card, row.get("difference_lower", float("nan")), row.get("difference_upper", float("nan")), of
    )
    bracket = f" ({interval})" if interval else ""
    return f"that is {figures.gap(card, size)} {figures.side(size)}{bracket}"


def neighbours(row: Row, rung: str, comparator: str, names: Names = ENGLAND) -> str:
    """Return "k in 100 practices with similar patients are lower", said from the nearer end.

    Parameters
    ----------
    row
        Holds ``percentile``: the share of comparable practices that are lower.
    """
    like = "practices" if rung == "M0" else "practices with similar patients"
    percentile = row["percentile"]
    if not known(percentile):
        return ""
    where = names.within(comparator)
    text = figures.per_hundred(percentile)
    verb = "is" if text in ("1 in 100", "fewer than 1 in 100") else "are"
    return f"{text} {like} {where} {verb} lower"


def middle(card: Any, spread: Row | None, position: str = "") -> str:
    """Return the middle 95 % of practices in the metric's unit, and whether the practice is inside."""
    if not spread or not known(spread.get("middle_lower")) or not known(spread.get("middle_upper")):
        return ""
    low, high = spread["middle_lower"], spread["middle_upper"]
    inside = ", and it is inside that range" if position == "usual" else ""
    return f"the middle 95% of practices like these run from {figures.span(card, low, high)}{inside}"


def chance(card: Any, has_months: bool, moved: Row | None = None) -> str:
    """Return what can be said about chance: that passing movement was measured, or that it could not be.

    Parameters
    ----------
    moved
        The row of passing movement that practices are judged with, where there is one.
    """
    if moved is not None:
        return passing.chance(card, moved)
    if not card.activity:
        return ""
    why = "the monthly figures were added up, not compared with each other" if has_months else ""
    return f"{phrases.CHANCE}: {why or 'the study has no monthly figures'}."


def lead(
    card: Any,
    row: Row,
    spread: Row | None,
    who: str,
    *,
    rung: str = "M1",
    comparator: str = "england",
    why: str = "",
    names: Names = ENGLAND,
    of: str = passing.NOT_KNOWN,
) -> str:
    """Return the verdict of one practice: phrase, number, uncertainty, caveat.

    Parameters
    ----------
    card
        The metric card.
    row, spread
        The practice's row and the shared spread at the rung and comparator.
    who
        The practice's name as written in its file; it is escaped here.
    why
        For a question the data cannot answer: the reason, a sentence.
    names
        What the reference set is called.
    of
        What chance is made of.
    """
    position = row["position"]
    phrase = f"**{phrases.POSITION[position]}.**"
    caveat = phrases.POSITION_CAVEAT[position]
    name = escape_markdown(who)
    if position == "not_decidable":
        reason = why or "a check that must pass did not pass"
        return f"{phrase} {_capital(reason)} {caveat}"
    hidden = figures.is_hidden(row)
    value = hidden_value(card, row, name) if hidden else _capital(value_of(card, row, name)).rstrip(".")
    parts = [
        phrase,
        HIDDEN if hidden else "",
        f"{value}; {expectation(card, row, rung, comparator, names)}.",
        "" if hidden else _capital(difference(card, row, of)),
        "" if position == "no_detectable_difference" else _capital(neighbours(row, rung, comparator, names)),
        _capital(middle(card, spread, position)) if position in SHOWS_RANGE and rung != "M0" else "",
        caveat,
    ]
    return " ".join(part for part in parts if part)


def _capital(text: str) -> str:
    """Return a clause as a sentence; names keep their own capitals, so only the first letter is touched."""
    text = text.strip()
    if not text:
        return ""
    text = text if text.endswith((".", "!", "?", ";", ":")) else f"{text}."
    return text if text.startswith("\\") else text[0].upper() + text[1:]


def movement(
    card: Any, raw: Row, judged: Row, *, rung: str = "M1", comparator: str = "england", names: Names = ENGLAND
) -> str:
    """Return what allowing for patients (or circumstances) did to the position, naming both rungs."""
    code = judged.get("movement") or ""
    if code not in phrases.MOVEMENT or "not_decidable" in (raw["position"], judged["position"]):
        return ""
    tag = names.label(rung, comparator)
    takes = _takes(card, raw, judged)
    what = "patients like these" if rung != "M2" else "patients and circumstances like these"
    text = {
        "explained": f"The raw figure is outside the usual range, but it is within it for {what}: allowing for them "
        f"{takes or 'accounts for most of the gap'}. Expected is not the same as good enough.",
        "partly_explained": f"Allowing for {what} {takes or 'accounts for part of the gap'}; the rest remains.",
        "not_explained": f"Allowing for {what} {takes or 'accounts for little of the gap'}: it does not remove the "
        "difference.",
        "borderline": f"Allowing for {what} moves the practice across the edge of the usual range, but by little. "
        "Do not build an argument on which side it falls.",
        "revealed": f"The raw figure is within the usual range, but it is outside it for {what}.",
        "reversed": f"The raw figure is {_opposite(judged)} than usual, but it is "
        f"{figures.side(figures.lean(judged))} than usual for {what}.",
    }[code]
    return f"**{phrases.MOVEMENT[code]}** ({tag}). {text}"


def _takes(card: Any, raw: Row, judged: Row) -> str:
    """Return what allowing for patients does to the gap as the table shows it; nothing where one is not known."""
    before, after = figures.apart(card, raw), figures.apart(card, judged)
    if not (known(before) and known(after)):
        return ""
    first, last = (figures.gap(card, size).split(" ")[0] for size in (before, after))
    unit = " percentage points" if figures.is_share(card) else ""
    if before * after < 0:
        return (
            f"takes the gap from {first} {figures.side(before)} to {last} {figures.side(after)}"
            f"{f', in{unit}' if unit else ''}"
        )
    if first == last:
        return f"leaves the gap at {first}{unit}"
    return f"{'makes the gap wider,' if abs(after) > abs(before) else 'takes the gap'} from {first} to {last}{unit}"


def _opposite(row: Row) -> str:
    return "higher" if figures.lean(row) < 0 else "lower"


def disagreement(rows: dict[tuple[str, str], Row], comparator: str = "england", names: Names = ENGLAND) -> str:
    """Return a sentence when the rungs give different positions, and nothing when they agree."""
    found = [(rung, rows[rung, comparator]["position"]) for rung in ("M0", "M1", "M2") if (rung, comparator) in rows]
    if len({position for _, position in found}) < 2:
        return ""
    said: dict[str, list[str]] = {}
    for rung, position in found:
        how = "on the raw figure" if rung == "M0" else phrases.RUNG[rung]
        said.setdefault(position, []).append(f"{how} ({names.label(rung, comparator)})")
    parts = [f"“{phrases.POSITION[position]}” {listed(rungs)}" for position, rungs in said.items()]
    return f"The answer depends on what is allowed for: {'; '.join(parts)}."


def own_icb(rows: dict[tuple[str, str], Row], headline: str = "M1", *, only_different: bool = False) -> str:
    """Return how the practice stands against the other practices of its own ICB."""
    row = rows.get((headline, "own_icb"))
    england = rows.get((headline, "england"))
    if row is None or row["position"] == "not_decidable":
        return ""
    same = england is not None and england["position"] == row["position"]
    if only_different and (same or england is None or england["position"] == "not_decidable"):
        return ""
    word = "The answer is the same" if same else "The answer is different"
    tag = phrases.label(headline, "own_icb")
    return f"{word} against the other practices of its own ICB ({tag}): “{phrases.POSITION[row['position']]}”."


def without_recorded(rows: dict[tuple[str, str], Row], names: Names = ENGLAND) -> str:
    """Return whether leaving recorded illness out of the comparison changes the answer."""
    with_it, without = rows.get(("M1", "england")), rows.get(("M1-", "england"))
    if with_it is None or without is None or "not_decidable" in (with_it["position"], without["position"]):
        return ""
    tag = names.label("M1-", "england")
    if with_it["position"] == without["position"]:
        return f"Leaving recorded illness out of the comparison does not change the answer ({tag})."
    return (
        "Leaving recorded illness out of the comparison changes the answer to "
        f"“{phrases.POSITION[without['position']]}” ({tag}). "
        "How much illness is recorded is partly the practice's own doing."
    )


def raw_figure(
    card: Any, row: Row, reference: float, icb: float, icb_name: str, names: Names = ENGLAND, *, alone: bool = False
) -> str:
    """Return the raw figure, with those of the reference set and of its own ICB beside it.

    Parameters
    ----------
    reference, icb
        Their figures in the metric's raw unit; NaN when not known.
    alone
        The figure itself is said before, because its count was hidden.
    """
    beside = [] if alone else [("this practice", row["value"])]
    beside += [(f"{names.reference} as a whole", reference)] if known(reference) else []
    own = known(icb) and names.set != "icb"  # with one ICB for a reference set, its figure stands there already
    beside += [(f"its own ICB ({escape_markdown(icb_name)})", icb)] if own else []
    if not beside:
        return ""
    mark = "%" if figures.is_share(card) else ""
    said = listed(f"{name} {figures.shown(card, value)}{mark}" for name, value in beside)
    if figures.is_share(card):
        each = "each " if len(beside) > 1 else ""
        return f"{_upper(said)}, {each}of {card.noun_denominator}."
    return f"In {card.unit}: {said}."


def _upper(text: str) -> str:
    return text if text.startswith("\\") else text[0].upper() + text[1:]


def hidden_figure(card: Any, row: Row) -> str:
    """Return that the count was hidden, and the figures it allows."""
    low, high = figures.ends(row)
    if not known(low):
        return f"{HIDDEN} No figure can be shown."
    many = f"{number(row['observed_low'])} to {number(row['observed_high'])}"
    return f"{HIDDEN} It can be {many}, so the figure is {figures.between(card, low, high)}."


def end_of(row: Row) -> str:
    """Return the end that places are counted from, the nearer one: "lowest" or "highest"."""
    return "highest" if row["rank"] > (row["ranked"] + 1) / 2 else "lowest"


def counted(rank: float, ranked: float, end: str) -> str:
    """Return a place, 1 the lowest, counted from either end: "3rd"."""
    return ordinal(ranked + 1 - rank if end == "highest" else rank)


def raw_rank(
    row: Row, own: Row | None = None, comparator: str = "england", names: Names = ENGLAND, lasting: Row | None = None
) -> str:
    """Return the raw rank, as the arithmetic it is, the rank in its own ICB, and what of it lasts.

    Parameters
    ----------
    lasting
        What the model says of the raw figure's rank, where it says anything.
    """
    if row["position"] == "not_decidable" or not (known(row.get("rank")) and known(row.get("ranked"))):
        return ""
    end = end_of(row)
    return (
        f"On the raw figures it is {counted(row['rank'], row['ranked'], end)} from the {end} of "
        f"{number(row['ranked'])} practices {names.within(comparator)} ({names.label('M0', comparator)}): "
        f"{neighbours(row, 'M0', comparator, names)}. {_own_rank(own)}{_lasting(row, lasting, end)} "
        "A rank cannot say why, and someone is always last."
    )


def _own_rank(own: Row | None) -> str:
    if own is None or not (known(own.get("rank")) and known(own.get("ranked"))):
        return ""
    end = end_of(own)
    return (
        f"In its own ICB it is {counted(own['rank'], own['ranked'], end)} from the {end} of {number(own['ranked'])}. "
    )


def _lasting(row: Row, lasting: Row | None, end: str) -> str:
    """Return between which places it lasts, or that this may not be said."""
    if lasting is None or lasting["rule"] not in ("full", "interval"):
        return "That is arithmetic on these months; no lasting rank may be stated."
    ends = [counted(lasting[f"rank_{each}"], lasting["ranked"], end) for each in ("lower", "upper")]
    first, last = reversed(ends) if end == "highest" else ends
    of = f" of {number(lasting['ranked'])}" if lasting["ranked"] != row["ranked"] else ""
    between = f"between {first} and {last}" if first != last else f"at {first}"
    return f"Its lasting place lies {between}{of} (95 in 100)."


def real_terms(card: Any, row: Row, *, rung: str = "M1", comparator: str = "england", names: Names = ENGLAND) -> str:
    """Return the gap in events a week and whether it exceeds the card's margin."""
    gap = figures.weekly_gap(card, row.get("gap_per_week", float("nan")))
    if not gap or row["position"] == "not_decidable":
        return ""
    like = phrases.LIKE[rung] if rung != "M0" else "the middle of all practices"
    beyond = "larger" if row.get("exceeds_margin") else "smaller"
    return (
        f"Set against {like} {names.within(comparator)} ({names.label(rung, comparator)}), the "
        f"difference comes to {gap}. "
        f"It is {beyond} than {figures.margin(card)}, the smallest gap this measure's card calls worth a second look."
    )


def direction(card: Any) -> str:
    """Return what is known about which way is better."""
    if card.better == "higher":
        return "For this measure, higher is usually taken to be better."
    if card.better == "lower":
        return "For this measure, lower is usually taken to be better."
    return "Neither higher nor lower is known to be better: the figure can show different, not good or bad."


def definition(card: Any) -> str:
    """Return what the metric counts, with the standing of its definition."""
    top, bottom = card.numerator.strip().rstrip("."), card.denominator.strip().rstrip(".")
    standing = {
        "as reported": " The definition is as reported by others; the official wording was not read.",
        "local": " The definition is local.",
        "official": " The definition is official.",
    }.get(card.definition_status, "")
    formula = card.formula.strip().rstrip(".")
    if card.definition_status == "as reported" and formula:
        return f"As reported: {escape_markdown(formula, 400)}.{standing}"
    return f"Counted: {lower_first(top)}. Divided by: {lower_first(bottom)}.{standing}"


def unchecked(many: int) -> str:
    """Return how many checks of the data could not be made; their names follow further down."""
    if not many:
        return ""
    which = "it is" if many == 1 else "they are"
    return f"{plural(many, 'check')} of the data could not be made ({which} named below)."
