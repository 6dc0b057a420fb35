"""What the terminal says of a letter beside its study: what to add before the findings are worth most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.words.passing import stretch
from gpvar.words.text import listed, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Note


def letter_gaps(found: Sequence[Note], table: Any) -> list[str]:
    """Return what a letter speaks of and the study lacks, and what to do about it, a sentence or two each.

    Parameters
    ----------
    found
        What `gpvar.claims.gaps` found.
    table
        The study's table, for the names of practices.
    """
    people = table.practices
    names = (
        dict(zip(people["practice_code"], people["practice_name"], strict=True)) if "practice_name" in people else {}
    )
    return [_SAID[note.id](note.numbers, names) for note in found]


def _sentences(ids: Sequence[str]) -> str:
    return f"{'Sentence' if len(ids) == 1 else 'Sentences'} {listed(ids)} of the letter"


def _measure(numbers: dict[str, Any], names: dict[str, str]) -> str:
    metric = numbers["metric"]
    speak = "speaks" if len(numbers["sentences"]) == 1 else "speak"
    return (
        f"{_sentences(numbers['sentences'])} {speak} of {catalogue.metric(metric).short}, which the study does not "
        f'hold. Add "{metric}" to metrics in study.toml, with its columns or files; or make the study anew with '
        f"--metric {metric} as well."
    )


def _period(numbers: dict[str, Any], names: dict[str, str]) -> str:
    speak = "speaks" if len(numbers["sentences"]) == 1 else "speak"
    return (
        f"{_sentences(numbers['sentences'])} {speak} of {stretch(numbers['period'])}, and the study holds no "
        f"{catalogue.metric(numbers['metric']).short} of those months. Add a file with their counts: a [[source]] with "
        f'period = "{numbers["period"]}".'
    )


def _pages(numbers: dict[str, Any], names: dict[str, str]) -> str:
    who = [f"{plain(names.get(code, '')) or 'practice'} ({code})" for code in numbers["practices"]]
    more = f" and {len(who) - 5} more" if len(who) > 5 else ""
    return (
        f"The letter names {listed(who[:5]) if not more else ', '.join(who[:5]) + more}: for reports of their own, add "
        "their codes to practices under [area] in study.toml."
    )


_SAID = {"measure_not_in_study": _measure, "period_not_in_study": _period, "no_page_of_its_own": _pages}
