"""What the terminal says of the rows of a letter: how each was read, and what to look at again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.catalogue import letter_form
from gpvar.catalogue.letters import templates
from gpvar.words.passing import stretch
from gpvar.words.text import listed, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Claim, Note


def letter_remarks(found: Sequence[Note]) -> list[str]:
    """Return what to look at again in a letter's rows, a sentence or two each.

    Parameters
    ----------
    found
        What `gpvar.claims.remarks` found.
    """
    return [_SAID[note.id](note.numbers) for note in found]


def _practice(numbers: dict[str, Any]) -> str:
    near = [f"{plain(name)} ({code})" if name else str(code) for name, code in numbers["near"]]
    meant = f" Did you mean {' or '.join(near)}?" if near else " Write its code, a letter and five digits."
    return f"Sentence {numbers['sentence']}: no practice called “{plain(numbers['practice'])}” is in the data.{meant}"


def _measure(numbers: dict[str, Any]) -> str:
    near = [f"“{plain(title)}”" for title in numbers["near"]]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    written = plain(numbers["written"])
    return f"Sentence {numbers['sentence']}: no measure called “{written}” is known, so it cannot be checked.{meant}"


def _numbers(numbers: dict[str, Any]) -> str:
    many = len(numbers["numbers"]) > 1
    quoted = listed([f"“{number}”" for number in numbers["numbers"]])
    return (
        f"Sentence {numbers['sentence']}: {quoted} {'stand' if many else 'stands'} in its words and in no cell of its "
        f"row, so {'they were' if many else 'it was'} not used."
    )


_SAID = {"practice_not_found": _practice, "measure_not_known": _measure, "numbers_not_used": _numbers}


def letter_as_read(claims: Sequence[Claim]) -> list[str]:
    """Return how each row of a letter was read: kind, practice, measure, side, figures and months, a line each."""
    return [f"{claim.id}. {'; '.join(part for part in _parts(claim) if part)}" for claim in claims]


def _parts(claim: Claim) -> list[str]:
    template = templates()[claim.template]
    card = catalogue.metrics().get(claim.metric)
    name, code = plain(claim.practice), claim.practice_code
    practice = name if not code or code in name else f"{name} ({code})" if name else code
    headings = letter_form.columns()
    cells = ("figure", "comparator_figure", "threshold", "figure_before", "place", "of")
    values = {field: getattr(claim, field) for field in cells}
    figures = [
        f"{headings[field].heading.lower()} {plain(getattr(value, 'text', value))}"
        for field, value in values.items()
        if value is not None
    ]
    comparators = letter_form.words()["comparator"]
    against = f"compared with {comparators[claim.comparator]['heading']}" if claim.comparator else ""
    months = [stretch(period) for period in (claim.period_before, claim.period) if period]
    measure = card.title if card is not None else f"“{plain(claim.metric_written)}”" if claim.metric_written else ""
    whose = practice or ("the whole area" if template.about == "area" else "")
    return [template.title, whose, measure, claim.direction, *figures, against, ", then ".join(months) or "no months"]
