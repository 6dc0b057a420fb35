"""The sections of the page on need, staff and funding, of one practice or of an area, on every metric of the study.

No other practice is named, and nothing here enters the verdict of any other page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.words import boxes, phrases, resources, sources
from gpvar.words.resources_facts import Resourced, resourced
from gpvar.words.shared import note
from gpvar.words.text import escape_markdown, listed, number, plural

if TYPE_CHECKING:
    from gpvar.catalogue import Resource
    from gpvar.results import Run
    from gpvar.words.facts import Row

TITLE = "Need, staff and funding"
_ROLE = {"need": "what patients bring", "chosen": "decided on by the practice", "given": "not of its making"}
_OWN_PAGE = "No verdict on any other page uses this one."


def resources_title(run: Run, practice: str = "") -> str:
    """Return the head of the page."""
    facts = resourced(run, practice)
    period = run.study.period.label
    if facts.is_area:
        n = len(run.table.area_codes)
        return f"# {TITLE}: {escape_markdown(facts.name)}\n\n{plural(n, 'practice')}. {period}."
    where = f", {escape_markdown(facts.place)}" if facts.place else ""
    return f"# {TITLE}: {escape_markdown(facts.name)}\n\nPractice {escape_markdown(facts.code)}{where}. {period}."


def has_resources(run: Run, practice: str = "") -> bool:
    """Return whether the study's files say anything of need, staff or funding."""
    return any(not resource.metric for resource, _ in resourced(run, practice).found())


def resources_verdict(run: Run, practice: str = "") -> str:
    """Return the first sentences, framed."""
    facts = resourced(run, practice)
    parts = [f"**{resources.lead(facts)}**", f"{resources.rest(facts)} {resources.spread(facts)}".strip()]
    if facts.rows:
        parts += [resources.dates(facts), f"{resources.EXPLAINS} {_OWN_PAGE}"]
    parts.append(resources.missing(facts.missing))
    body = "\n\n".join(part for part in parts if part)
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{body}\n\n:::'


def resources_counted(run: Run, practice: str = "") -> str:
    """Return what each figure counts, and who decides on it."""
    facts = resourced(run, practice)
    if not facts.rows:
        return ""
    items = [f"**{resource.title}** ({_ROLE[resource.role]}). {resource.note}" for resource, _ in facts.found()]
    return (
        "## What each figure counts\n\n"
        + boxes.bullets(items)
        + "\n\nWhat a practice decides on is shown and never allowed for: that would excuse a choice. Only what is not "
        "of its making enters the scenario."
    )


def resources_scenario(run: Run, practice: str = "") -> str:
    """Return what would be expected if supply the practice did not choose were allowed for as well."""
    facts = resourced(run, practice)
    supply = resources.allowed(facts.scenarios)
    head = "## What supply would explain (M3: a scenario)"
    if not supply:
        given = [card for card in catalogue.resources().values() if card.role == "given"]
        why = resources.missing([card for card in given if card in facts.missing])
        none = "None could be worked out: too few practices have everything it needs, or the fit has no solution."
        return f"{head}\n\n{why or none}"
    who = "a practice" if facts.is_area else "this practice"
    compared = next(int(one.every["compared"].iloc[0]) for one in facts.scenarios if len(one.every))
    intro = (
        f"Suppose supply that {who} did not choose were allowed for as well: {supply}. The comparison is then with "
        f"{plural(compared, 'practice')} of {facts.names.reference} of which all of it is known. That explains; it "
        "does not excuse."
    )
    said = "" if facts.is_area else boxes.bullets([resources.scenario(one, facts.names) for one in facts.scenarios])
    return "\n\n".join(part for part in (head, intro, said, resources.accounted(facts.scenarios, facts.names)) if part)


def resources_icb_right(run: Run, practice: str = "") -> str:
    """Return the box that cannot be switched off."""
    facts = resourced(run, practice)
    return boxes.box(phrases.ICB_RIGHT, _conceded_area(facts) if facts.is_area else _conceded(facts))


def _conceded(facts: Resourced) -> list[str]:
    items = [
        f"It {resources.standing(resource, row['percentile'], facts.names)}: these figures show no shortage of "
        f"{resource.noun.split(' ')[0]} there."
        for resource, row in _ample(facts)
    ]
    still = [one.card.short for one in facts.scenarios if one.row is not None and one.row["outside_m3"]]
    if still:
        items.append(
            f"With supply it did not choose allowed for ({_supply(facts)}), it is outside the usual range for "
            f"{listed(still)}. Asking about it is fair."
        )
    same = [one.card.short for one in facts.scenarios if resources.makes_no_difference(one)]
    if same:
        items.append(
            f"For {listed(same)}, allowing for that supply makes next to no difference to what would be expected."
        )
    return [*items, *_always()]


def _ample(facts: Resourced) -> list[tuple[Resource, Row]]:
    """Return what it has more of than most, by every way of counting it: per patient and by their weights."""
    counted: dict[tuple[str, bool], list[tuple[Resource, Row]]] = {}
    for resource, row in resources.first_look(facts):
        if resource.role != "need":
            counted.setdefault((resource.top, resource.neighbours), []).append((resource, row))
    most = resources.MIDDLE[1]
    return [ways[-1] for ways in counted.values() if all(row["percentile"] > most for _, row in ways)]


def _conceded_area(facts: Resourced) -> list[str]:
    items = [
        f"The typical practice of the area {resources.standing(resource, row['area_percentile'], facts.names)}."
        for resource, row in resources.first_look(facts)
        if resource.role != "need" and row["area_percentile"] > resources.MIDDLE[1]
    ]
    outside = {
        one.card.short: (int(one.every["outside_m2"].sum()), int(one.every["outside_m3"].sum()))
        for one in facts.scenarios
        if len(one.every)
    }
    same = [f"{short} {number(b)} before and {number(a)} after" for short, (b, a) in outside.items() if a >= b > 0]
    if same:
        items.append(
            f"Allowing for supply that a practice did not choose ({_supply(facts)}) leaves as many practices outside "
            f"the usual range, or more: {listed(same)}."
        )
    return [*items, *_always()]


def _supply(facts: Resourced) -> str:
    """Return what the scenario allows for, and what it would have but for which there is no file."""
    missing = [card.noun for card in facts.missing if card.role == "given"]
    return resources.allowed(facts.scenarios) + (f"; {listed(missing)} not known" if missing else "")


def _always() -> list[str]:
    return [
        "How many staff a practice has is partly its own decision. Having few does not show that it could have had no "
        "more.",
        "Patients are served by the staff there are. Where they are few, why they are changes what can be done, not "
        "what patients get.",
    ]


def resources_not_shown(run: Run, practice: str = "") -> str:
    """Return what none of this shows."""
    facts = resourced(run, practice)
    items = [
        "**Cause and effect.** Staff and funding stand beside the figure. Few GPs per patient can come of a list that "
        "grew, of a post that stays empty, or of a choice; a figure that is hard to bear can drive staff away.",
        "**Who else works there.** Locums, doctors in training, nurses, pharmacists and staff of the network are not "
        "counted among GPs. A practice with few GPs may rely on them.",
        "**How staff are recorded.** Practices return their own figures, and some return them late or not at all.",
        "**Whether it is enough.** The middle of all practices says what there is, not what patients need. The "
        "weighted list is what one national formula makes of need.",
    ]
    if facts.rows:
        items.append(
            "**Today.** Staff, payments and lists are of different dates, which the table gives. A practice that "
            "changed since then looks as it did."
        )
    return f"## {phrases.NOT_SHOWN}\n\n" + boxes.bullets(items)


def resources_sources(run: Run, practice: str = "") -> str:
    """Return sources, hashes, versions and licence lines."""
    facts = resourced(run, practice)
    of = [name for resource, _ in facts.found() for name in (resource.top, resource.bottom)]
    used = sorted({name for name in of if name in catalogue.covariates()})
    fitted = {c for a in run.analyses.values() for ids in a.meta.get("covariates", {}).values() for c in ids}
    own = {spec.id for spec in getattr(run.study, "sources", ()) if not spec.is_publication}
    simulated = bool(run.meta.get("simulated"))
    lines = [
        f"Files: {sources.files(run.table.provenance, own)}.",
        sources.dates(run.table.dates, sorted({*used, *fitted})),
        sources.declared(run, sent=True),
        *dict.fromkeys(sources.licences(one.card, sorted({*used, *fitted}), simulated) for one in facts.scenarios),
    ]
    body = " ".join(line for line in lines if line)
    return f'## Sources\n\n::: {{.sources custom-style="Sources"}}\n\n{body}\n\n:::'


def resources_summary_line(run: Run, practice: str = "") -> str:
    """Return one plain line for the index."""
    facts = resourced(run, practice)
    said = resources.lead(facts).replace("This practice", facts.name).replace("this area", facts.name)
    return f"{TITLE}: {said[0].lower() + said[1:] if said.startswith('This study') else said}"


def resources_none_line(run: Run) -> str:
    """Return what the index says where the study's files hold nothing of need, staff and funding."""
    return f"{TITLE}: {resources.none_here(resourced(run, '').missing)}."


def resources_note(run: Run, practice: str = "") -> str:
    """Return the small print under the picture."""
    facts = resourced(run, practice)
    mark = (
        "each tick a practice of the area, the diamond its middle"
        if facts.is_area
        else "the dot (an arrow where it is beyond the edge) this practice"
    )
    return (
        note(
            f"Light: 80 in 100 practices of {facts.names.reference}; dark: 50 in 100; the line in it: the middle one; "
            f"{mark}. More is not better and less is not worse."
        )
        if facts.rows
        else ""
    )
