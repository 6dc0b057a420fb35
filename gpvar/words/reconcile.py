"""Which readings give the figures of a letter, in sentences; none of them is said to be the one that was used."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.catalogue import countings, letters
from gpvar.dates import month_in_words
from gpvar.words.console import without_markdown
from gpvar.words.text import escape_markdown, listed, number, ordinal, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gpvar.claims.readings import Reading
    from gpvar.claims.reconciled import Reconciliation
    from gpvar.results import Claim

#: Lines of a list, and readings in one of them; the file has all.
_LINES, _WITHIN = 6, 4
#: From this part of the numbers near it on, that some reading gives a number says little.
_LITTLE = 1 / 3
_TIME = {"month": "a month", "week": "a week"}
_PARTS = {
    "figure": "The figure",
    "figure_before": "The earlier figure",
    "comparator_figure": "The figure that it is compared with",
    "place": "The place",
}
_TAILS = {0.1: "tenth", 0.2: "fifth", 0.25: "quarter", 0.5: "half"}
_WHOSE = {
    "england": "England",
    "region": "the region",
    "icb": "the ICB",
    "sub_icb": "the sub-ICB location",
    "pcn": "the network (PCN)",
    "area": "the study's own list of practices",
}
_HOW = {
    "pooled": "all counts together",
    "mean": "mean of practices",
    "median": "median of practices",
    "p10": "10th percentile of practices",
    "p20": "20th percentile of practices",
    "p80": "80th percentile of practices",
    "p90": "90th percentile of practices",
    "highest_lowest": "the highest practice over the lowest",
    "p95_p5": "95th percentile over the 5th",
    "p90_p10": "90th percentile over the 10th",
    "p75_p25": "75th percentile over the 25th",
    "tenths": "mean of the highest tenth over that of the lowest",
    "fifths": "mean of the highest fifth over that of the lowest",
    "quarters": "mean of the highest quarter over that of the lowest",
    "to_p75": "if all reached what a quarter of practices reach",
    "to_p80": "if all reached what a fifth of practices reach",
    "to_p90": "if all reached what a tenth of practices reach",
    "to_median": "if all reached the median practice",
    "to_pooled": "if all reached the figure of all counts together",
}
_WITHOUT = {
    "practice": "without the practice itself",
    "left_out": "without those left out of comparisons",
    "both": "without the practice itself and those left out of comparisons",
}
_LISTS = {
    "patient_months": "patients counted as the study counts them",
    "list_size": "one list size for all months",
    "registered_list": "the registered list of the payments",
    "weighted_list": "the weighted list of the payments",
}
_WHY = {
    "no_source": "Nothing was tried: no source that a study can hold yet has such figures.",
    "practice_unknown": "Nothing was tried: the practice is not in the study's data.",
    "hidden": "Nothing was tried: the practice's count is hidden in the study's files because it is small.",
    "not_held": "Nothing was tried: the study holds no counts that it could be of.",
    "not_tried": "Nothing was tried: it is not a figure of one measure.",
}


def reconciled_number(item: Reconciliation) -> str:
    """Return which number it is: ``The figure, "31.2%"``."""
    if item.part == "tail":
        side = "highest" if item.claim.direction == "high" else "lowest"
        return f"The {side} {_TAILS.get(round(item.number, 4), f'{_in_100(item)} in 100')}"
    return f'{_PARTS[item.part]}, "{escape_markdown(item.written)}"'


def reconciled_finding(item: Reconciliation) -> str:
    """Return how many readings give it, and that the letter does not say which was used."""
    if item.why:
        return _WHY[item.why]
    many, tried = len(item.matches), plural(item.tried, "reading")
    if item.part == "tail":
        return _tail(item)
    if not many:
        return f"None of the {tried} tried gives it. The nearest:"
    some = f"1 of the {tried} tried gives it" if many == 1 else f"{number(many)} of the {tried} tried give it"
    return f"{some}; the letter does not say which was used, or whether it was another:"


def _tail(item: Reconciliation) -> str:
    many, tried = len(item.matches), plural(item.tried, "reading")
    if not many:
        return f"By none of the {tried} tried is the practice there. The nearest:"
    if many == item.tried:
        return f"By every one of the {tried} tried the practice is there, such as:"
    return f"By {number(many)} of the {tried} tried the practice is there, by the others it is not. It is there by:"


def reconciled_chance(item: Reconciliation) -> str:
    """Return how many readings would give one number by chance, and what that makes of a match; empty for a tail."""
    if item.why or not item.tried or item.part == "tail" or not item.others:
        return ""
    often = number(item.by_chance) if item.by_chance >= 1 else "fewer than 1"
    match = "any other match" if item.own in item.matches else "a match"
    little = f" ({match} says little)" if item.met >= _LITTLE * item.others else ""
    which = f'sentence {escape_markdown(item.claim.id)}, "{escape_markdown(item.written)}"'
    return f"{which}: {often} of {number(item.tried)}{little}"


def reconciliation_chance(items: Sequence[Reconciliation]) -> str:
    """Return once, for the whole letter, how often a number would be matched by chance alone."""
    said = [item for item in items if reconciled_chance(item)]
    if not said:
        return ""
    often = [item for item in said if item.by_chance >= 1 or item.met >= _LITTLE * item.others]
    begun = "**By chance.** The more readings are tried, the sooner one gives a number by chance alone."
    rest = "each of the other numbers" if often else "each number"
    few = f" Fewer than 1 reading would so give {rest}." if len(often) < len(said) else ""
    many = f" About how many would: {'; '.join(map(reconciled_chance, often))}." if often else ""
    tails = " About as many practices are in a tail as it says, by any one reading." if _has_tail(items) else ""
    return f"{begun}{many}{few}{tails}"


def _has_tail(items: Sequence[Reconciliation]) -> bool:
    return any(item.part == "tail" and not item.why for item in items)


def reconciled_line(item: Reconciliation) -> str:
    """Return in one line which months give a number and which do not."""
    which = f"{item.claim.id}. {without_markdown(reconciled_number(item))}"
    if item.why:
        return f"{which}: {_WHY[item.why][0].lower()}{_WHY[item.why][1:]}"
    if item.part == "tail":
        return f"{which}: there by {number(len(item.matches))} of {plural(item.tried, 'reading')}."
    if not item.matches:
        near = f" (the nearest is {_value(item, item.nearest[0])})" if item.nearest and item.part != "place" else ""
        return f"{which}: matches none of the {plural(item.tried, 'reading')} tried{near}."
    months = list(dict.fromkeys(each.period.label for each in item.matches))
    rest = [period.label for period in item.periods if period.label not in months]
    others = f", not {' or '.join(rest)}" if 0 < len(rest) <= _WITHIN else ""
    given = listed(months) if len(months) <= _WITHIN else f"{len(months)} stretches of months"
    return f"{which}: matches {given}{others}."


def _in_100(item: Reconciliation) -> str:
    return f"{100 * item.number:.4g}"


def reconciled_list(item: Reconciliation) -> list[str]:
    """Return the readings that give the number, or the nearest, gathered by what is counted; a sentence each."""
    gathered: dict[tuple[object, ...], list[Reading]] = {}
    for each in item.matches or item.nearest:
        gathered.setdefault((*each.counts, each.before), []).append(each)
    lines = [_line(item, same) for same in gathered.values()]
    if len(lines) <= _LINES:
        return lines
    return [*lines[:_LINES], f"and {plural(len(lines) - _LINES, 'line')} more: all are in the file."]


def _line(item: Reconciliation, same: Sequence[Reading]) -> str:
    """Return one way of counting, and for whom it gives what."""
    said = reading_counted(same[0])
    if not reading_whom(same[0]):
        return f"{said}: {_value(item, same[0])}."
    placed = item.part in ("place", "tail")
    whom = [f"{reading_whom(each)}{'' if placed else f' ({_value(item, each)})'}" for each in same]
    more = len(whom) - _WITHIN
    return f"{said}: {'; '.join(whom[:_WITHIN])}{f'; {number(more)} more' if more > 0 else ''}."


def reading_counted(each: Reading) -> str:
    """Return what a reading counts, of which patients and months."""
    if each.counting == "patients_per_gp":
        return f"patients for each full\\-time\\-equivalent GP, {_LISTS[each.patients]}"
    parts = [countings.countings()[each.counting].title]
    if each.complement:
        parts[0] = f"100 less {parts[0]}"
    if each.how.startswith("to_"):
        time = _TIME.get(each.per, f"over {plural(each.period.months, 'month')}")
        parts[0] += f" (the number gained {time})"
    elif each.per:
        time = _TIME.get(each.per, f"over {plural(each.period.months, 'month')}")
        parts[0] += f" for every {number(each.by)} patients {time}" if each.by > 1 else f" for each patient {time}"
    months = each.period.label
    if each.before is not None:
        months = f"the change from {each.before.label} until {months}"
    return escape_markdown(_commas(*parts, _LISTS.get(each.patients), months), 400)


def reading_whom(each: Reading) -> str:
    """Return whose figures a reading puts together, and how; empty for the practice's own."""
    if each.of == "practice":
        return ""
    whose, without = _WHOSE[each.of], _WITHOUT.get(each.without)
    if each.how in ("lowest_first", "highest_first"):
        end = each.how.partition("_")[0]
        return _commas(f"{ordinal(each.value)} {end} of {number(each.practices)} in {whose}", without)
    if each.before is not None:
        whose = f"the {plural(each.practices, 'practice')} farthest out in {whose}"
    return _commas(whose, _HOW[each.how], without)


def reading_in_words(each: Reading) -> str:
    """Return a reading in words, for a row of a table."""
    return without_markdown(_commas(reading_counted(each), reading_whom(each)))


def _commas(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _value(item: Reconciliation, each: Reading) -> str:
    """Return what a reading gives, with one decimal more than was printed."""
    return number(each.value, _decimals(item) + 1 if item.step < 10 else 0)


def _printed(item: Reconciliation, value: float) -> str:
    return number(value, _decimals(item))


def _decimals(item: Reconciliation) -> int:
    text = item.written.rstrip("% ")
    return min(len(text.partition(".")[2]), 6) if item.part not in ("place", "tail") else 0


def reconciled_own(item: Reconciliation) -> str:
    """Return what the reading gives that the letter's own words name, or that it is one of those that match."""
    each = item.own
    if each is None or item.why or item.part in ("place", "tail") or each in item.nearest:
        return ""
    if each in item.matches:
        which = "It is" if len(item.matches) == 1 else "Among them is"
        return f"{which} the reading that the letter's own words suggest: that one did not have to be searched for."
    card = f"the measure's own card, {each.period.label}" if each.counting == item.claim.metric else ""
    read = card if card and each.patients in ("", "patient_months") and not each.before else reading_counted(each)
    return f"By {_commas(read, reading_whom(each))}, it would be {_value(item, each)}."


def reconciled_both(item: Reconciliation, others: Iterable[Reconciliation]) -> str:
    """Return which readings give the other numbers of the sentence as well; empty where there is no other number."""
    rest = [other for other in others if other.part not in (item.part, "tail") and not other.why]
    if not rest or not item.matches or item.part == "tail":
        return ""
    many = "number" if len(rest) == 1 else "numbers"
    if not item.both:
        return f"None of them gives the sentence's other {many} from the same counts."
    ways = list(dict.fromkeys(_with_partner(each, rest) for each in item.both))
    more = "; and others" if len(ways) > _WITHIN else ""
    return f"The same counts give the sentence's other {many} too: {'; '.join(ways[:_WITHIN])}{more}."


def _with_partner(each: Reading, rest: Sequence[Reconciliation]) -> str:
    """Return a reading, and for whom the same counts give another number of the sentence."""
    found = (match for other in rest for match in other.matches if match.counts == each.counts)
    whom = next((text for match in found if (text := reading_whom(match))), "")
    return _commas(reading_counted(each), reading_whom(each) or whom)


def reconciled_period(item: Reconciliation) -> str:
    """Return that the study has no counts of the months that the letter names; empty where it has."""
    if not item.not_held or item.why:
        return ""
    start, _, end = item.not_held.partition("..")
    named = month_in_words(start) if end in ("", start) else f"{month_in_words(start)} to {month_in_words(end)}"
    return f"The letter names {named}, of which the study holds no counts."


def reconciled_tried(item: Reconciliation) -> str:
    """Return what was tried."""
    if item.why or item.ways == ("patients_per_gp",):
        return ""
    months = [period.label for period in item.periods]
    shown = listed(months) if len(months) <= _WITHIN else f"{len(months)} stretches of months"
    measure = "" if item.claim.metric else "No card is known for the letter's measure, so every measure was tried. "
    similar = item.part == "comparator_figure" and item.claim.comparator == "similar"
    note = " Similar practices were not tried: the letter does not say which they are." if similar else ""
    size = item.part == "place" and not item.others
    group = f" No group that was tried has {number(item.claim.of or 0)} practices." if size else ""
    return f"{measure}Tried: {plural(len(item.ways), 'way')} of counting; {shown}.{note}{group}"


def reconciliation_sections(items: Sequence[Reconciliation]) -> list[tuple[Claim, list[str]]]:
    """Return each sentence of the letter with its paragraphs, Markdown; lists are lines that begin with a hyphen."""
    found = []
    for _, same in groupby(items, key=lambda item: item.claim.id):
        own = list(same)
        found.append((own[0].claim, [text for item in own for text in _paragraphs(item, own)]))
    return found


def _paragraphs(item: Reconciliation, own: Sequence[Reconciliation]) -> Iterable[str]:
    yield f"**{reconciled_number(item)}.** {_joined(reconciled_period(item), reconciled_finding(item))}"
    lines = reconciled_list(item)
    if lines:
        yield "\n".join(f"- {line}" for line in lines)
    after = (reconciled_both(item, own), reconciled_own(item), reconciled_tried(item))
    if said := _joined(*after):
        yield said


def _joined(*sentences: str) -> str:
    return " ".join(text for text in sentences if text)


def reconciliation_terminal(items: Sequence[Reconciliation], left_out: str = "") -> str:
    """Return all of it for the terminal."""
    parts = [
        "What gives the figures of the letter?",
        "\n".join(map(reconciled_line, items)),
        reconciliation_not_shown(),
    ]
    if left_out:
        parts.append(f"Only the study's own measures were tried; the others could not be read: {plain(left_out, 300)}")
    for claim, paragraphs in reconciliation_sections(items):
        parts += [_heading(claim), *(_indented(without_markdown(text)) for text in paragraphs)]
    parts += [without_markdown(reconciliation_chance(items))]
    return "\n\n".join(part for part in parts if part)


def _heading(claim: Claim) -> str:
    if claim.text:
        return f'Sentence {plain(claim.id)}. "{plain(claim.text, 2000)}"'
    measure = catalogue.metric(claim.metric).short if claim.metric else plain(claim.metric_written)
    title = letters.templates()[claim.template].title
    return f"Sentence {plain(claim.id)}. {title}{f': {measure}' if measure else ''}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def reconciliation_not_shown() -> str:
    """Return what a match does not show."""
    return (
        "That a reading gives a figure does not show that it was used. Where none does, that shows no mistake: the "
        "letter may rest on counts that the study does not hold. The ICB can say which it used."
    )


def reconciliation_written(path: Path) -> str:
    """Return where the file is."""
    return f"Every reading that gives a figure, or comes nearest: {path}"
