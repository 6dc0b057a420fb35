"""The sections of an area's page on where the variation comes from. No practice and no other ICB is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import boxes, phrases, variation, variation_beside
from gpvar.words.facts import AreaFacts, area_facts
from gpvar.words.shared import note, sources_of
from gpvar.words.text import escape_markdown, listed, plural

if TYPE_CHECKING:
    from gpvar.results import Run

TITLE = "Where the variation comes from"
_SOFT = "Explained by patients is not the same as acceptable. Unexplained is not the same as unwarranted."


def variation_title(run: Run, metric: str = "") -> str:
    """Return the head of the page."""
    facts = area_facts(run, metric)
    n = int(facts.analysis.rungs["n"].iloc[0]) if len(facts.analysis.rungs) else _compared(facts)
    return (
        f"# {TITLE}: {escape_markdown(facts.card.title)}\n\n"
        f"For {escape_markdown(facts.name)}, from {plural(n, 'practice')} in {facts.names.reference}. "
        f"{facts.meta['period_label']}."
    )


def _compared(facts: AreaFacts) -> int:
    frame = facts.analysis.practices
    return int(((frame["rung"] == "M0") & (frame["comparator"] == "england") & frame["in_fit"].astype(bool)).sum())


def has_variation(run: Run, metric: str) -> bool:
    """Return whether there is anything for the page to say."""
    return len(run.analyses[metric].levels) > 0


def _nothing(facts: AreaFacts) -> str:
    failed = [note for note in facts.analysis.notes if note.id == "variation_not_found"]
    if failed:
        return variation.not_found(str(failed[0].numbers["why"]))
    return variation.not_split(
        _compared(facts), facts.analysis.rungs, boxes.nothing_allowed_for(facts.meta.get("dropped", {}))
    )


def variation_verdict(run: Run, metric: str = "") -> str:
    """Return the first sentences, framed: the shares, and what they are not."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    if not found:
        text = [f"**{_nothing(facts)}**", "That counts neither for nor against anybody."]
    else:
        text = [
            f"**{variation.lead(found)}**",
            variation.shares(facts.card, found, facts.names),
            _SOFT,
        ]
    body = "\n\n".join(text)
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{body}\n\n:::'


def variation_summary(run: Run, metric: str = "") -> str:
    """Return the section of the area report that leads to the page, or says why there is none."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    said = variation.shares(facts.card, found, facts.names) + f" {_SOFT}" if found else _nothing(facts)
    more = f" The report “{TITLE}” that goes with this one says more." if has_variation(run, facts.card.id) else ""
    return f"## {TITLE}\n\n{said}{more}"


def variation_meaning(run: Run, metric: str = "") -> str:
    """Return what the shares mean, and what they do not."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    if not found:
        return ""
    levels = set(facts.analysis.levels["level"])
    rung = str(facts.analysis.shares["rung"].iloc[0])
    places = [name for level, name in (("icb", "ICB"), ("pcn", "primary care network")) if level in levels]
    covariates = facts.meta.get("covariates", {})
    need = covariates.get("M1", [])
    more = [c for c in covariates.get("M2", []) if c not in need]
    measured = [f"Patients: {boxes.allowed_for_need(need)}."] if need else []
    measured += [f"Setting: {boxes.allowed_for(more)}."] if more else []
    return (
        "## What that means, and what it does not\n\n"
        + boxes.bullets(variation.meaning(found, places, variation.split(facts.analysis.levels, rung)))
        + f"\n\n{note('Measured here: ' + ' '.join(measured))}"
    )


def variation_icb_right(run: Run, metric: str = "") -> str:
    """Return the box that cannot be switched off."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    return boxes.box(phrases.ICB_RIGHT, variation.icb_right(found, _row(facts, "M0")))


def _row(facts: AreaFacts, rung: str) -> dict[str, Any] | None:
    rows = facts.analysis.rungs
    found = rows[rows["rung"] == rung].to_dict("records")
    return {str(k): v for k, v in found[0].items()} if found else None


def _centre(facts: AreaFacts) -> float:
    spread = facts.analysis.spread
    return float(spread[(spread["rung"] == "M0") & (spread["comparator"] == "england")]["centre"].iloc[0])


def variation_levels(run: Run, metric: str = "") -> str:
    """Return how far apart ICBs, networks and practices are, and what allowing for patients does to that."""
    facts = area_facts(run, metric)
    if not has_variation(run, facts.card.id):
        return ""
    rung = facts.headline
    when = f"After allowing for patients ({phrases.RUNG_LABEL[rung]})" if rung != "M0" else "On the raw figures (M0)"
    said = variation.apart(facts.card, facts.analysis.levels, rung, _centre(facts))
    return (
        "## How far apart places and practices are\n\n"
        f"{when}, two picked at random typically stand this far apart; half of all pairs are further apart:\n\n"
        + boxes.bullets(said)
    )


def variation_spread(run: Run, metric: str = "") -> str:
    """Return the spread before and after, and who changes places."""
    facts = area_facts(run, metric)
    before, after = _row(facts, "M0"), _row(facts, facts.headline) if facts.headline != "M0" else None
    if before is None:
        return ""
    text = [
        variation.spread(facts.card, before, after, facts.names, len(facts.analysis.passing) > 0)
        + " Common is not the same as acceptable.",
        variation.moves(after),
    ]
    return "## The spread before and after\n\n" + "\n\n".join(t for t in text if t)


def variation_equity(run: Run, metric: str = "") -> str:
    """Return the figure by deprivation before and after, and what adjusting for it can hide."""
    facts = area_facts(run, metric)
    if not has_variation(run, facts.card.id):
        return ""
    allowed = facts.meta.get("covariates", {}).get(facts.headline, [])
    deprivation = any(str(c).startswith("imd") for c in allowed)
    said = variation_beside.equity(facts.card, facts.analysis.equity, facts.headline, deprivation)
    return "## By deprivation\n\n" + (
        "\n\n".join(said) or "The study has no score of deprivation, so nothing can be said about it."
    )


def variation_boards(run: Run, metric: str = "") -> str:
    """Return how far apart this area's practices are beside other ICBs', none of them named."""
    facts = area_facts(run, metric)
    place = facts.run.table.hierarchy
    own = place.loc[place["practice_code"].isin(facts.codes), "icb_code"].unique()
    if len(own) != 1 or not own[0]:
        return ""
    said = variation_beside.boards(
        facts.card,
        facts.analysis.boards,
        str(own[0]),
        facts.run.study.area.kind == "icb",
        facts.headline,
        _centre(facts),
    )
    return f"## This area among ICBs\n\n{said}" if said else ""


def variation_checks(run: Run, metric: str = "") -> str:
    """Return the checks of the model: places and patients, the funnel's spread, chance, and what is not in it."""
    facts = area_facts(run, metric)
    row = _row(facts, facts.headline)
    if row is None:
        return ""
    items = [
        f"**Beside the funnel.** {variation_beside.beside_funnel(row)}",
        f"**More than chance?** {variation_beside.systematic(row)}",
        f"**Small and large practices.** {variation_beside.noise(facts.card, row, _centre(facts))}",
        "**Practices without a network** are pooled within their ICB; "
        f"{_split_networks(facts)}; practices whose ICB is not known, or whose count is hidden because it is small, "
        "are left out of this page.",
    ]
    if facts.headline != "M0":
        items.insert(0, f"**Patients or place?** {variation_beside.mundlak(facts.analysis.board_slopes)}")
    return "## How far this can be trusted\n\n" + boxes.bullets(items)


def _split_networks(facts: AreaFacts) -> str:
    """Name the networks that the model takes for two."""
    split = [code for note in facts.analysis.notes if note.id == "networks_split" for code in note.numbers["networks"]]
    if not split:
        return "a network in two ICBs counts as two (there is none here)"
    many = "a network" if len(split) == 1 else "networks"
    return f"{listed(split)}, {many} in two ICBs, {'counts' if len(split) == 1 else 'count'} as one in each"


def variation_sources(run: Run, metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines."""
    facts = area_facts(run, metric)
    return sources_of(run, facts.card, facts.meta)


def variation_summary_line(run: Run, metric: str) -> str:
    """Return one plain line for the index."""
    facts = area_facts(run, metric)
    found = variation.parts(facts.analysis.shares)
    start = f"{TITLE}, {facts.card.short}:"
    if not found:
        return f"{start} how far apart places and practices are; nothing about patients was allowed for."
    said = [f"{variation.PART[name].lower()} {variation.percent(row['share'])}%" for name, row in found.items()]
    return f"{start} {', '.join(said)}."
