"""The sections of a practice's page on what its figure is made of and on its rank. No other practice is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words import boxes, figures, phrases, robustness, standing, standing_beside, standing_parts, verdict
from gpvar.words.robustness_facts import practice_ways
from gpvar.words.shared import NAN, note, sources_of
from gpvar.words.standing_facts import Standing
from gpvar.words.standing_facts import standing as gathered
from gpvar.words.text import escape_markdown

if TYPE_CHECKING:
    from gpvar.results import Run

TITLE = "What the figure is made of, and what may be said about its rank"
_NOTHING = "Nothing can be said here"


def standing_title(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the head of the page."""
    facts = gathered(run, practice, metric).facts
    where = f", {escape_markdown(facts.icb_name)}" if facts.icb_name else ""
    return (
        f"# {TITLE}: {escape_markdown(facts.card.title)}\n\n"
        f"{escape_markdown(facts.name)}, practice {escape_markdown(facts.code)}{where}. {facts.meta['period_label']}. "
        f"{phrases.rung_key([r for r in facts.meta.get('rungs', []) if r in ('M0', facts.headline)])}"
    )


def verdict_text(found: Standing) -> str:
    """Return the verdict: what may be said of the rank, the number, its uncertainty, the caveat."""
    facts, names = found.facts, found.facts.names
    raw, end = standing.raw_place(found, names), found.end
    if found.why:
        alone = f"{raw} {standing.ALONE}" if raw and not _hidden(found) else ""
        return "\n\n".join(part for part in (standing.cannot(found), alone) if part)
    rows = [row for row in (found.judged, found.raw) if row is not None]
    key = standing.tenth_of(rows, facts.row("M0"))
    if all(row["rule"] == "sampling_only" for row in rows):
        return "\n\n".join([standing.lead(found, key), f"{raw} {standing.ALONE}", standing.WHY_NONE])
    parts = [
        standing.lead(found, key),
        " ".join(
            t
            for t in (
                raw,
                standing.lasting_place(found.raw, names.label("M0", "england"), standing.among(found), end=end),
            )
            if t
        ),
        standing.lasting_place(
            found.judged,
            names.label(facts.headline, "england"),
            start="After allowing for patients its lasting place",
            end=end,
        )
        or _not_like_for_like(found),
        standing.CAVEAT,
    ]
    return "\n\n".join(part for part in parts if part)


def _hidden(found: Standing) -> bool:
    row = found.facts.row("M0")
    return row is not None and figures.is_hidden(row)


def _not_like_for_like(found: Standing) -> str:
    """Return why there is nothing after allowing for patients, where there might have been."""
    facts = found.facts
    if facts.headline == "M0":
        return boxes.nothing_allowed_for(facts.meta.get("dropped", {}))
    if found.judged is None:
        return "What is known of its patients is not enough to compare like with like, so this is the raw rank alone."
    return ""


def standing_verdict(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what may be said of the rank, framed."""
    text = verdict_text(gathered(run, practice, metric))
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{text}\n\n:::'


def standing_icb_right(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the box that cannot be switched off."""
    found = gathered(run, practice, metric)
    facts = found.facts
    reference = facts.meta.get("england_value", NAN)
    own = float(facts.meta.get("icb_value", {}).get(facts.icb_code, NAN))
    items = boxes.icb_right(facts.card, facts.rows, reference, own, facts.names, facts.headline)
    ways = robustness.icb_right(practice_ways(run, facts.code, facts.card.id))
    return boxes.box(phrases.ICB_RIGHT, [*items, *standing.icb_right(found, facts.names), *ways])


def standing_waterfall(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what the figure is made of, the largest part first; why not, where it was not divided."""
    found = gathered(run, practice, metric)
    if not found.steps:
        why = found.why or "The model holds no division into parts for this practice."
        return f"## What the figure is made of\n\n{_NOTHING}. {why}"
    outside = "" if found.fitted else f" {standing_parts.OUTSIDE}"
    return f"## What the figure is made of\n\n{standing_parts.made_of(found, found.facts.names)}{outside}"


def standing_waterfall_note(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how to read the picture and the table of the parts; nothing where there are none."""
    found = gathered(run, practice, metric)
    if not found.steps:
        return ""
    return note(
        "The parts add up to the figure exactly; shown rounded, so that the numbers as shown add up too. The shaded "
        "band is the spread many practices share: the middle 95% of practices on the raw figures. It is not a part. "
        f"Common is not the same as acceptable. {standing_parts.beside_verdict(found)}".rstrip()
    )


def measured(found: Standing) -> dict[str, str]:
    """Return what was measured of patients and of the setting, in words."""
    covariates = found.facts.meta.get("covariates", {})
    need = covariates.get("M1", [])
    more = [c for c in covariates.get("M2", []) if c not in need]
    return {"need": boxes.allowed_for(need), "context": boxes.allowed_for(more)}


def standing_estimate(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the best estimate of the lasting figure beside the raw one."""
    found = gathered(run, practice, metric)
    said = standing_beside.estimate(found)
    return "## The figure, and what lasts of it\n\n" + (said or f"{_NOTHING}. {found.why}")


def standing_needed(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how much of the figure lasts, and what a firm rank would take."""
    found = gathered(run, practice, metric)
    said = [standing_beside.needed(found), standing_beside.one_month(found.passing, found.facts.card.short)]
    text = " ".join(part for part in said if part)
    return f"## What a firm rank would take\n\n{text}" if found.best else ""


def standing_neighbours(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how the practices most like it stand beside its figure; nobody is named."""
    found = gathered(run, practice, metric)
    row = found.facts.row("M0")
    heading = "## Practices most like it"
    if not found.neighbours.values:
        return f"{heading}\n\nNo practices can be shown beside it: too little is known of its patients and setting."
    if row is None or _hidden(found) or not found.facts.rows:
        return f"{heading}\n\n{verdict.HIDDEN} It cannot be set beside others."
    said = [
        standing_beside.beside_neighbours(found.facts.card, found.neighbours, row["value"]),
        standing_beside.outside(found.neighbours, row["value"]),
    ]
    return f"{heading}\n\n" + " ".join(part for part in said if part)


def standing_reach(run: Run, practice: str = "", metric: str = "") -> str:
    """Return who reaches the targets of the metric; nothing where it has none."""
    found = gathered(run, practice, metric)
    said = [standing_beside.reach(found.facts.card, row, found.facts.names) for row in found.reach]
    return "## Who reaches the target?\n\n" + "\n\n".join(said) if said else ""


def standing_not_shown(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what the page does not show."""
    return f"## {phrases.NOT_SHOWN}\n\n" + boxes.bullets(standing.not_shown(gathered(run, practice, metric)))


def standing_sources(run: Run, practice: str = "", metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines."""
    facts = gathered(run, practice, metric).facts
    return sources_of(run, facts.card, facts.meta)


def standing_summary_line(run: Run, practice: str, metric: str) -> str:
    """Return one plain line for the index."""
    found = gathered(run, practice, metric)
    facts = found.facts
    return f"{facts.name} ({facts.code}), {facts.card.short}: what the figure is made of; {standing.summary(found)}."
