"""Sentences on need, staff and funding: what there is, what it would explain, and that this excuses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.dates import month_in_words
from gpvar.words import figures
from gpvar.words.boxes import allowed_for
from gpvar.words.text import escape_markdown, is_are, known, listed, number, plural, sentence, some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.catalogue import Resource
    from gpvar.words.facts import Row
    from gpvar.words.phrases import Names
    from gpvar.words.resources_facts import Resourced, Scenario

EXPLAINS = "Supply explains; it does not excuse."
MIDDLE = (40.0, 60.0)
_LITTLE = 0.01


def standing(resource: Resource, percentile: float, names: Names) -> str:
    """Return where somebody stands, as the rest of a sentence: "has fewer GPs per patient than 82 in 100 practices"."""
    if MIDDLE[0] <= percentile <= MIDDLE[1]:
        return f"is near the middle of {names.reference} for {resource.noun}"
    words, share = (resource.less, 100 - percentile) if percentile < 50 else (resource.more, percentile)
    many = "nearly all" if share > 99 else figures.per_hundred(share)
    return f"{words} {many} practices in {names.reference}"


def lead(facts: Resourced) -> str:
    """Return the first sentence: the first resource that is known."""
    found = first_look(facts)
    if not found:
        whom = "this area" if facts.is_area else "this practice"
        return f"This study's files say nothing of the staff and funding of {whom}."
    resource, row = found[0]
    return f"{_who(facts)} {standing(resource, row[facts.percentile], facts.names)}."


def _who(facts: Resourced) -> str:
    return "The typical practice of this area" if facts.is_area else "This practice"


def first_look(facts: Resourced) -> list[tuple[Resource, Row]]:
    """Return what the first sentences name; of an area not its neighbours, who are its own practices."""
    return [
        (resource, row)
        for resource, row in facts.found()
        if resource.first_look and not (facts.is_area and resource.neighbours)
    ]


def rest(facts: Resourced) -> str:
    """Return the other resources that a first look needs, in one sentence each."""
    said = [f"It {standing(resource, row[facts.percentile], facts.names)}." for resource, row in first_look(facts)[1:]]
    return " ".join(said)


def spread(facts: Resourced) -> str:
    """Return how the practices of an area lie on the first resource."""
    found = first_look(facts)
    if not facts.is_area or not found:
        return ""
    resource, row = found[0]
    low, high = int(row["area_lowest"]), int(row["area_highest"])
    return (
        f"Of {plural(row['area_known'], 'practice')}, {some(low)} {is_are(low)} in the lowest tenth of "
        f"{facts.names.reference} for {resource.noun}, and {some(high)} {is_are(high)} in the highest."
    )


def missing(resources: Sequence[Resource]) -> str:
    """Return in one line which files would say what this study's do not; nothing where nothing is missing."""
    wanted = _wanted(resources)
    if not wanted:
        return ""
    files = listed(
        f"{catalogue.sources()[source].title} ({listed(dict.fromkeys(nouns))})" for source, nouns in wanted.items()
    )
    return f"Not in this study's files: {files}."


def none_here(resources: Sequence[Resource]) -> str:
    """Return, for a study without any of them, the files that would hold them, as the rest of a line."""
    return (
        f"not in this study's files ({'; '.join(catalogue.sources()[source].title for source in _wanted(resources))})"
    )


def _wanted(resources: Sequence[Resource]) -> dict[str, list[str]]:
    """Return the sources that hold the resources, and which of them each holds."""
    wanted: dict[str, list[str]] = {}
    for resource in resources:
        names = [name for name in (resource.top, resource.bottom) if name and name != "list_size"]
        for source in dict.fromkeys(catalogue.covariate(name).source for name in names):
            wanted.setdefault(source, []).append(resource.noun)
    return wanted


def amount(resource: Resource, value: float) -> str:
    """Return a bare number with the resource's decimals."""
    return number(value, resource.places)


def dated(resource: Resource, row: Row, period: str) -> str:
    """Return of when a figure is: "June 2024", "year to March 2023", or the study's own period."""
    if resource.metric:
        return period
    if not row["dated"]:
        return "not stated"
    return f"{'year to ' if resource.yearly else ''}{month_in_words(str(row['dated']))}"


def dates(facts: Resourced) -> str:
    """Return of when staff, payments and figures are, for the first look."""
    period = facts.run.study.period.label
    of: dict[str, str] = {}
    for resource, row in facts.found():
        if resource.things:
            of.setdefault(resource.things, dated(resource, row, period))
    said = [
        f"{what} of {'a date not stated' if day == 'not stated' else ('the ' if day[0].islower() else '') + day}"
        for what, day in of.items()
    ]
    return sentence(f"{listed([*said, f'figures of {period}'])}") if said else ""


def scenario(one: Scenario, names: Names) -> str:
    """Return what one metric's expectation becomes when supply the practice did not choose is allowed for as well."""
    card, row = one.card, one.row
    head = f"**{escape_markdown(card.title)}.**"
    if row is None:
        return f"{head} No scenario: its supply, its patients or its figure is not known."
    before, after = (figures.amount(card, row[f"centre_{rung}"]) for rung in ("m2", "m3"))
    label = names.label(row["rung"], "england")
    same = before == after
    said = f"{head} {_like(row['rung']).capitalize()} would show {before} ({label}); " + (
        "with like supply as well, the same (M3)." if same else f"with like supply as well, {after} (M3)."
    )
    if not known(row["difference_m2"]) or not known(one.value):
        return f"{said} The practice's own figure cannot be set beside it."
    return f"{said} This one shows {figures.amount(card, one.value)}: {_gap(card, row, same)}{_flag(row)}"


def _like(rung: str) -> str:
    return {"M0": "practices in general", "M1": "practices with patients like these"}.get(
        rung, "practices with patients and a setting like these"
    )


def _gap(card: Any, row: Row, same: bool) -> str:
    first, second = row["difference_m2"], row["difference_m3"]
    sizes = [_sized(card, gap) for gap in (first, second)]
    if same or sizes[0] == sizes[1]:
        return f"{sizes[0]} either way."
    if (first < 0) != (second < 0) and not (figures.is_nil(card, first) or figures.is_nil(card, second)):
        return f"{sizes[0]}, and with supply allowed for {sizes[1]}."
    change = "the gap narrows" if abs(second) < abs(first) else "the gap widens"
    return f"{sizes[0]}, and with supply allowed for {sizes[1]}: {change}."


def _sized(card: Any, gap: float) -> str:
    return "no different" if figures.is_nil(card, gap) else f"{figures.gap(card, gap)} {figures.side(gap)}"


def _flag(row: Row) -> str:
    before, after = bool(row["outside_m2"]), bool(row["outside_m3"])
    if before and after:
        return " It is outside the usual range both times."
    if before:
        return " It is outside the usual range without supply, and inside with it."
    return " It is inside the usual range without supply, and outside with it." if after else ""


def accounted(scenarios: Sequence[Scenario], names: Names) -> str:
    """Return how much of the variance between practices goes with this supply, metric by metric."""
    shares = {
        one.card.short: float(one.every["accounted"].iloc[0])
        for one in scenarios
        if len(one.every) and known(one.every["accounted"].iloc[0])
    }
    if not shares:
        return ""
    little = [short for short, share in shares.items() if share < _LITTLE]
    more = [f"{number(100 * share)}% for {short}" for short, share in shares.items() if share >= _LITTLE]
    said = [*more, *([f"less than 1% for {listed(little)}"] if little else [])]
    return (
        f"Of the variance between practices of {names.reference} that patients and setting leave, this supply goes "
        f"with {listed(said)}."
    )


def allowed(scenarios: Sequence[Scenario]) -> str:
    """Return what the scenario allows for, in words; nothing where there is none."""
    ids = dict.fromkeys(c for one in scenarios if len(one.every) for c in str(one.every["allowed"].iloc[0]).split())
    return allowed_for(list(ids)) if ids else ""


def makes_no_difference(one: Scenario) -> bool:
    """Return whether supply moves what is expected by less than the figures show."""
    return one.row is not None and figures.is_nil(one.card, one.row["difference_m2"] - one.row["difference_m3"])
