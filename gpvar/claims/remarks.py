"""What whoever wrote a letter down should look at again: numbers not used, names not found; nothing is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.catalogue import letter_form
from gpvar.catalogue.letters import templates
from gpvar.organisations.finding import near_practices
from gpvar.problems import closest
from gpvar.results import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpvar.results import Claim
    from gpvar.table import PracticeTable

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
#: What has digits and is no figure: codes, days, months and years, what a rate is of, quarters, the service called 111.
_NO_FIGURES = re.compile(
    r"\b[A-Z]\d{5,8}\b|\bper\s+[\d,]+|\bevery\s+[\d,]+\s+patients|\b(?:19|20)\d\d(?:\s*[/–-]\s*\d{2,4})?\b|\bNHS\s*111\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}\b|\b{_MONTH}\s+\d{{1,2}}\b|\b\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\bQ[1-4]\b|\b24/7\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(\s?%|\s?per cent|-?\s?fold)?", re.IGNORECASE
)
_MOST = 3


def remarks(said: Sequence[Claim], table: PracticeTable | None = None) -> tuple[Note, ...]:
    """Return what should be looked at again in the rows of a letter.

    Parameters
    ----------
    said
        The sentences.
    table
        The study's table, in which practices were looked for; without it they are taken as they are written.

    Returns
    -------
    tuple of Note
        ``practice_not_found`` (sentence, practice, near: names with codes), ``measure_not_known`` (sentence, written,
        near: titles) and ``numbers_not_used`` (sentence, numbers as printed).
    """
    return tuple(note for claim in said for note in _of(claim, table))


def _of(claim: Claim, table: PracticeTable | None) -> Iterable[Note]:
    if table is not None and _is_missing(claim, table):
        near = near_practices(table.practices, claim.practice_code or claim.practice)
        names = near["practice_name"].fillna("") if "practice_name" in near else [""] * len(near)
        pairs = list(zip(names.astype(str) if len(near) else [], near["practice_code"].astype(str), strict=True))
        found = {"sentence": claim.id, "practice": claim.practice or claim.practice_code, "near": pairs[:_MOST]}
        yield Note("practice_not_found", found)
    if claim.metric_written and not claim.metric and "metric" in _columns(claim):
        found = {"sentence": claim.id, "written": claim.metric_written, "near": near_measures(claim.metric_written)}
        yield Note("measure_not_known", found)
    if numbers := numbers_not_used(claim):
        yield Note("numbers_not_used", {"sentence": claim.id, "numbers": list(numbers)})


def _columns(claim: Claim) -> tuple[str, ...]:
    template = templates()[claim.template]
    return (*template.needs, *template.takes)


def _is_missing(claim: Claim, table: PracticeTable) -> bool:
    if not claim.practice_code:
        return bool(claim.practice)
    return claim.practice_code not in set(table.practices["practice_code"])


def near_measures(written: str) -> list[str]:
    """Return the titles of up to three measures whose names are like what was written."""
    names: dict[str, str] = {}
    for card in catalogue.metrics().values():
        for name in (card.title, card.short, *letter_form.measures().get(card.id, ())):
            names.setdefault(letter_form.plain(name), card.title)
    return list(dict.fromkeys(names[name] for name in closest(letter_form.plain(written), names, _MOST)))


def numbers_not_used(claim: Claim) -> tuple[str, ...]:
    """Return the numbers in a sentence's words that stand in no cell of its row, as they are printed there.

    Codes, days, months, years and what a rate is of ("per 1,000") are no figures.
    """
    figures = (claim.figure, claim.figure_before, claim.comparator_figure, claim.threshold)
    held = {round(figure.number, 9) for figure in figures if figure is not None}
    held |= {float(number) for number in (claim.place, claim.of) if number is not None}
    written = " ".join([claim.practice, claim.metric_written, _title(claim), claim.sanction, claim.support, claim.note])
    held |= {_value(found[1]) for found in _NUMBER.finditer(_NO_FIGURES.sub(" ", written))}
    found = _NUMBER.finditer(_NO_FIGURES.sub(" ", claim.text))
    return tuple(dict.fromkeys(each[0] for each in found if _value(each[1]) not in held))


def _title(claim: Claim) -> str:
    card = catalogue.metrics().get(claim.metric)
    return f"{card.title} {card.short}" if card is not None else ""


def _value(text: str) -> float:
    return round(float(text.replace(",", "")), 9)
