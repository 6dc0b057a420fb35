"""What the published wording says and does not say: word for word, dated, and only what bears on the letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gpvar.claims import asking
from gpvar.dates import day_in_words
from gpvar.words.text import escape_markdown, listed

if TYPE_CHECKING:
    from gpvar.catalogue import Quotation, Target
    from gpvar.results import Claim

Bearing = Sequence[tuple["Quotation", Sequence[str]]]
#: Said of all of it: a quotation of what was announced is not the clause.
NOT_THE_CLAUSE = "The wording of the clause itself was not found. Whoever relies on it is asked to quote it."
_HOW_KNOWN = {
    True: "As reported or published (each says which; the clause itself was not seen)",
    False: "As published (the clause itself was not seen)",
}


def contract_card(
    claims: Sequence[Claim],
    heading: str = "## What the contract wording says, and does not say",
    judged: Mapping[str, str] | None = None,
) -> str:
    """Return what the wording of 2026/27 says and leaves open about the sentences of a letter.

    Parameters
    ----------
    claims
        The sentences of the letter.
    heading
        The line at its head; empty for none.
    judged
        Id of a sentence → the months on which it was judged (``"2025-04..2026-03"``), where data have been looked at.

    Returns
    -------
    str
        Markdown that may be sent; empty where no wording bears on the letter.
    """
    found = asking.wording(claims)
    if not found:
        return ""
    ids = tuple(claim.id for claim in claims)
    lines = [f"- {' '.join([f'{text}.', *unsaid])}" for text, unsaid in quoted(found, ids)]
    after = [goal(target) for target in asking.goals(claims)]
    after += [earlier(*asking.before_force(claims, judged), ids, first_day(found)), NOT_THE_CLAUSE]
    parts = (heading, f"{_HOW_KNOWN[_reported(found)]}{in_force(found)}, with what it leaves open:", "\n".join(lines))
    return "\n\n".join(part for part in (*parts, " ".join(text for text in after if text)) if part)


def _reported(found: Bearing) -> bool:
    return any(item.status != "published" for item, _ in found)


def quoted(found: Bearing, ids: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the quotations of each document, who said them, when and how they are known, and what each leaves open.

    Each names the sentences that it bears on, and those that bear on the most of them come first.
    """
    found = sorted(found, key=lambda pair: -len(pair[1]))
    said: dict[str, tuple[list[str], list[str]]] = {}
    for item, bears in found:
        words = f"“{escape_markdown(item.quotation, 400)}”"
        words += f" (on {'every sentence' if 1 < len(bears) == len(ids) else sentences(bears)})"
        texts, unsaid = said.setdefault(_whence(item), ([], []))
        texts.append(words)
        unsaid += [item.not_said] if item.not_said else []
    return [(f"{listed(texts)}: {whence}", unsaid) for whence, (texts, unsaid) in said.items()]


def _whence(item: Quotation) -> str:
    who, source = escape_markdown(item.speaker), escape_markdown(item.source)
    if item.status == "published":
        return f"published by {who}, {source}, {item.dated}"
    if not item.day_known:
        return f"{who}, as reported by {source}, {item.dated}"
    return f"{who}, {item.dated}, as reported by {source}"


def in_force(found: Bearing) -> str:
    """Return from when the wording is in force."""
    return f", in force from {first_day(found)}"


def first_day(found: Bearing) -> str:
    """Return the day on which the first of the wording came into force."""
    return day_in_words(min(item.in_force for item, _ in found))


def goal(target: Target) -> str:
    """Return a national target with its source, and that the wording quoted does not hold it."""
    wording, source = escape_markdown(target.wording.replace(" %", "%")), escape_markdown(target.source, 300)
    return f"A national target, {wording} ({source}), is not in the wording quoted, which names no percentage."


def earlier(before: Sequence[str], unknown: Sequence[str], ids: Sequence[str], day: str) -> str:
    """Return which sentences are of months before the wording was in force, and which name none; empty for none."""
    since = f"of months before {day}, when the wording quoted came into force."
    if not before:
        return ""
    if len(before) == len(ids):
        return f"{'Every figure here' if len(ids) > 1 else 'The figure'} is {since}"
    figures, are = ("figures", "are") if len(before) > 1 else ("figure", "is")
    said = f"The {figures} of {sentences(before)} {are} {since}"
    which = sentences(unknown) if unknown else ""
    return (
        f"{said} {which[0].upper()}{which[1:]} {'name' if len(unknown) > 1 else 'names'} no months." if which else said
    )


def sentences(ids: Sequence[str]) -> str:
    """Return "sentence 3" or "sentences 1, 3, 5 to 7"; no line break parts a number from its word."""
    runs: list[list[str]] = []
    for name in ids:
        if runs and name.isdigit() and runs[-1][-1].isdigit() and int(name) == int(runs[-1][-1]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    ends = [part for run in runs for part in ([[run[0], run[-1]]] if len(run) > 2 else [[name] for name in run])]
    said = ["\u00a0to\u00a0".join(map(escape_markdown, part)) for part in ends]
    return f"{'sentence' if len(ids) == 1 else 'sentences'}\u00a0{', '.join(said)}"
