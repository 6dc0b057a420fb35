"""What is conceded and what is not claimed: the two boxes of every report."""

from __future__ import annotations

from typing import Any

from gpvar import catalogue
from gpvar.errors import StudyError
from gpvar.words import figures, passing, phrases
from gpvar.words.phrases import ENGLAND, Names
from gpvar.words.text import escape_markdown, known, listed, number, plural

Row = dict[str, Any]
FLAGGED = ("unusual", "far_outside")
#: With fewer than so many in 100 further out, a difference is not one that many share.
EDGE = 10.0


def bullets(items: list[str]) -> str:
    """Return a Markdown list; nothing for no items."""
    return "\n".join(f"- {item}" for item in items if item)


def box(title: str, items: list[str], style: str = "Box") -> str:
    """Return a framed block, a paragraph for each item: a list would break the frame in Word."""
    body = "\n\n".join(items)
    return f'::: {{.box custom-style="{style}"}}\n\n**{title}**\n\n{body}\n\n:::'


def icb_right(
    card: Any,
    rows: dict[tuple[str, str], Row],
    reference: float,
    icb: float,
    names: Names = ENGLAND,
    headline: str = "M1",
) -> list[str]:
    """Return what must be conceded about one practice, the plain arithmetic first.

    Parameters
    ----------
    card
        The metric card.
    rows
        (rung, comparator) → row.
    reference, icb
        The figures of the reference set and of the practice's ICB, in the metric's raw unit; NaN when not known.
    names
        What the reference set is called.
    headline
        The rung the finding speaks of; M0 when nothing could be allowed for.
    """
    raw, judged = rows.get(("M0", "england")), rows.get((headline, "england"))
    items = [_arithmetic(card, raw, reference, icb, names)]
    if judged is None or raw is None or "not_decidable" in (judged["position"], raw["position"]):
        return [*items, "Nothing here shows that the ICB is wrong. These data cannot settle it either way."]
    items += [_tenth(raw, names), _conceded(card, judged, headline, names)]
    items.append(_own_icb(rows, judged, headline))
    if judged.get("exceeds_margin") and known(judged.get("difference")):
        items.append(f"The gap is not trivial: it is more than {figures.margin(card)}.")
    return [item for item in items if item]


def _conceded(card: Any, judged: Row, headline: str, names: Names) -> str:
    position = judged["position"]
    if position in FLAGGED:
        tag = names.label(headline, "england")
        still = f"still there after allowing for patients ({tag})" if headline != "M0" else f"unusually large ({tag})"
        return f"The difference is {still}. Asking the practice about it is fair."
    if position == "usual":
        return f"{_shared(judged.get('percentile'))} {_still(card)}"
    return "Finding no clear difference does not prove that there is none."


def _shared(percentile: Any) -> str:
    """Return how many practices are further out, where they are few; else that many share the difference."""
    further = min(percentile, 100 - percentile) if known(percentile) else EDGE
    if further >= EDGE:
        return "Many practices share a difference like this one."
    many, side = figures.per_hundred(further), "lower" if percentile < EDGE else "higher"
    verb = "is" if many in ("1 in 100", "fewer than 1 in 100") else "are"
    return f"It is inside the usual range, towards its edge: {many} {verb} {side}."


def _still(card: Any) -> str:
    """Return what being common does not settle; nothing is called good enough where no direction is known to be."""
    if card.better in ("higher", "lower"):
        return "That does not show that it is good enough for patients."
    return "That does not settle whether it matters to patients."


def _arithmetic(card: Any, raw: Row | None, reference: float, icb: float, names: Names) -> str:
    if raw is not None and figures.is_hidden(raw):
        return _hidden_arithmetic(card, raw, reference, names)
    if raw is None or not known(raw.get("value")):
        return "The figure could not be worked out from these data, so the ICB's own figure is not disputed here."
    parts = []
    own = [] if names.set == "icb" else [("its ICB", icb)]
    for name, other in ((names.reference, reference), *own):
        if known(other):
            gap = raw["value"] - other
            same = figures.is_nil(card, gap)
            parts.append(f"the same as {name}'s" if same else f"{figures.side(gap)} than {name}'s")
    compared = f", and {listed(parts)}" if parts else ""
    return f"The raw figure is right as arithmetic on these data: {figures.amount(card, raw['value'])}{compared}."


def _hidden_arithmetic(card: Any, raw: Row, reference: float, names: Names) -> str:
    """Return what can be said of a figure whose count was hidden: on which side it must lie, and no number for it."""
    said = "The count was hidden because it is small, so the ICB's own figure cannot be worked out here."
    low, high = figures.ends(raw)
    if known(low) and known(reference) and (high < reference or low > reference):
        side = figures.side(high - reference)
        said += f" Whatever it was, the figure is {side} than {names.reference}'s {figures.amount(card, reference)}."
    return said


def _own_icb(rows: dict[tuple[str, str], Row], judged: Row, headline: str) -> str:
    own = rows.get((headline, "own_icb"))
    if own is None or own["position"] not in FLAGGED or judged["position"] in FLAGGED:
        return ""
    return (
        "Against the other practices of its own ICB it is "
        f"{phrases.POSITION[own['position']].lower()} ({phrases.label(headline, 'own_icb')})."
    )


def _tenth(raw: Row, names: Names) -> str:
    percentile = raw.get("percentile")
    if not known(percentile) or 10 < percentile < 90:
        return ""
    end = "lowest" if percentile <= 10 else "highest"
    return (
        f"On the raw figures it is among the {end} tenth of practices {names.within('england')} "
        f"({names.label('M0', 'england')})."
    )


def not_shown(card: Any, covariates: list[str], dropped: dict[str, str], *, most: int = 1) -> list[str]:
    """Return what the figures do not show, the general first, then what the card and the adjusters warn of.

    Parameters
    ----------
    card
        The metric card.
    covariates, dropped
        Ids allowed for at the headline rung, and ids that could not be, with the reason.
    most
        How many of the card's own warnings to print; the workbook holds them all.
    """
    items = [
        "**Why.** The figures cannot say why a practice differs, how good its care is, or how hard anyone worked.",
        "**What was not measured.** What is left over mixes unmeasured need, chance, recording and the practice."
        f"{_dropped(dropped)}",
        "**Whether the usual range is good enough.** It describes practices as they are. All of them may fall short.",
        "**Single patients.** What holds between practices need not hold between people.",
    ]
    items += over_adjustment(covariates)
    warnings = [*card.validity_faults, *(warning(a) for a in card.artefacts)]
    most = max(most, 2) if card.validity_faults else most  # one fault of a definition would read as the only one
    items += warnings[:most]
    more = len(warnings) - most
    if more > 0:
        ways = "way" if more == 1 else "ways"
        items.append(f"{number(more)} more {ways} in which this measure can mislead: see the notes in the workbook.")
    return items


def _dropped(dropped: dict[str, str]) -> str:
    if not dropped:
        return ""
    names = listed(_phrase(c) for c in dropped)
    return f" The study has no data on {names}, so that could not be allowed for."


def _phrase(covariate: str) -> str:
    try:
        return str(catalogue.covariate(covariate).phrase)
    except StudyError:  # a stored run may name a covariate that this version has no card for
        return covariate.replace("_", " ")


def nothing_allowed_for(dropped: dict[str, str]) -> str:
    """Return that nothing about patients was allowed for, and why."""
    if dropped:
        why = f"the study has no data on {listed(_phrase(c) for c in dropped)}"
    else:
        why = "the study names no characteristics of patients to allow for"
    return f"Nothing about the patients was allowed for: {why}."


def allowed_for(covariates: list[str]) -> str:
    """Return the covariates in words, recorded illnesses gathered: "age and sex, deprivation, recorded diabetes"."""
    return listed(dict.fromkeys(_phrase(c) for c in covariates))


def allowed_for_need(covariates: list[str]) -> str:
    """Return the patients' characteristics in words, and that ethnicity is not among them where it is not."""
    return allowed_for(covariates) + ("" if "ethnicity" in covariates else ", without ethnicity")


def warning(artefact: Any) -> str:
    """Return one of the card's warnings: what happens, and how it misleads."""
    what, misleads = (
        (artefact["what"], artefact["misleads"]) if isinstance(artefact, dict) else (artefact.what, artefact.misleads)
    )
    return f"{what.rstrip('.')}. {misleads.rstrip('.')}."


def over_adjustment(covariates: list[str]) -> list[str]:
    """Return what allowing for these things can hide."""
    said = []
    if any(c.startswith("imd") for c in covariates):
        said.append(
            "Allowing for deprivation can make less care for poorer patients look normal, "
            "so the raw figure always stands beside it."
        )
    if any(c.startswith("qof_") for c in covariates):
        said.append(
            "Recorded illness is what the practice found: one that finds less seems to need less (M1− leaves it out)."
        )
    return [f"**What allowing for patients can hide.** {' '.join(said)}"] if said else []


def without_old(covariates: list[str], changed: int) -> str:
    """Return what repeating the comparison without characteristics of another date does, for many practices."""
    names = listed(_phrase(c) for c in covariates)
    answer = f"changes the answer for {plural(changed, 'practice')}" if changed else "changes no answer"
    return f"The figures on {names} are of another date. Repeating the comparison without them {answer}."


def without_old_here(found: list[Any], code: str) -> str:
    """Return the same for one practice; nothing when every characteristic is of the right date."""
    for note in found:
        if note.id == "repeated_without_old":
            names = listed(_phrase(c) for c in note.numbers["covariates"])
            position = note.numbers["changed"].get(code)
            answer = f"the answer would be “{phrases.POSITION[position]}”" if position else "the answer is the same"
            return f"The figures on {names} are of another date; without them {answer}."
    return ""


def _terms_dropped(rung: str, terms: list[str]) -> str:
    names = listed(f"“{escape_markdown(term)}”" for term in terms)
    was, why = ("was", "it says") if len(terms) == 1 else ("were", "each says")
    return (
        f"{names} {was} left out of the comparison at {phrases.RUNG_LABEL.get(rung, rung)}: "
        f"{why} the same as other columns or never varies."
    )


def notes(found: list[Any]) -> list[str]:
    """Return the sentences for the notes that an analysis hands on; an unknown note is named, not hidden."""
    said = []
    for note in found:
        numbers = note.numbers
        if note.id in ("spread_not_normal", "expected_total_ratio"):
            said.append(
                f"At {phrases.RUNG_LABEL.get(numbers['rung'], numbers['rung'])} observed and expected totals "
                "differ by a factor of "
                f"{number(numbers['ratio'], 2)} before they are made equal: the spread between practices is "
                "not an even bell shape."
            )
        elif note.id == "covariate_dropped":
            said.append(f"{_phrase(numbers['covariate']).capitalize()} could not be allowed for: {numbers['why']}.")
        elif note.id in ("variation_not_found", "networks_split"):
            continue  # said where the shares would stand, and beside them
        elif note.id == "no_months":
            continue  # said with the verdict, where it matters
        elif note.id == "passing_movement":
            said += [text] if (text := passing.passing_note(numbers)) else []
        elif note.id == "term_dropped":
            said.append(_terms_dropped(numbers["rung"], list(numbers["terms"])))
        elif note.id == "repeated_without_old":
            said.append(without_old(numbers["covariates"], len(numbers["changed"])))
        else:
            said.append(f"Note from the analysis: {note.id.replace('_', ' ')}.")
    return said
