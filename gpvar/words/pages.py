"""The sections of a practice's page, as Markdown. A notebook shows them in order and adds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import boxes, figures, passing, phrases, pictures, quality, robustness, verdict
from gpvar.words.facts import PracticeFacts, practice_facts
from gpvar.words.robustness_facts import practice_ways
from gpvar.words.shared import NAN, after_heading, allowed, note, sources_of
from gpvar.words.text import escape_markdown, known

if TYPE_CHECKING:
    from gpvar.results import Run


def practice_title(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the head of a practice report."""
    facts = practice_facts(run, practice, metric)
    where = f", {escape_markdown(facts.icb_name)}" if facts.icb_name else ""
    return (
        f"# {escape_markdown(facts.card.title)}: {escape_markdown(facts.name)}\n\n"
        f"Practice {escape_markdown(facts.code)}{where}. {facts.meta['period_label']}. "
        f"{phrases.rung_key(facts.meta.get('rungs', []))}"
    )


def headline(facts: PracticeFacts) -> dict[str, Any] | None:
    """Return the row the verdict speaks of: M1 against England, else the raw figure."""
    row = facts.row(facts.headline)
    if row is not None:
        return row
    raw = facts.row("M0")
    return None if raw is None else {**raw, "position": "not_decidable"}


def _why(facts: PracticeFacts) -> str:
    reason = quality.stop_reason(facts.gates, facts.code)
    if reason:
        return reason
    if not facts.rows:
        return "There is no figure for this practice in the period."
    row = facts.row(facts.headline)
    if row is not None and figures.is_hidden(row) and known(row.get("centre")):
        return f"{verdict.HIDDEN} The two ends of what it can be give different answers."
    if facts.headline != "M0" and (row is None or not known(row.get("centre"))):
        return "What is known of its patients is not enough to compare like with like."
    return "There is no figure for this practice in the period that can be judged."


def verdict_text(facts: PracticeFacts) -> str:
    """Return the verdict: phrase, number, uncertainty, caveat, and what the other rungs say."""
    row = headline(facts)
    if row is None:
        row = {"position": "not_decidable"}
    rung, names = facts.headline, facts.names
    spread = _own_middle(row) or facts.spread.get((rung, "england"))
    of = passing.of(facts.analysis.passing)
    parts = [verdict.lead(facts.card, row, spread, facts.name, rung=rung, why=_why(facts), names=names, of=of)]
    raw = facts.row("M0")
    rest = [verdict.unchecked(len(quality.unchecked(facts.gates)))]
    if raw is not None and row["position"] != "not_decidable":
        parts.append(verdict.movement(facts.card, raw, row, rung=rung, names=names))
        nothing = boxes.nothing_allowed_for(facts.meta.get("dropped", {})) if rung == "M0" else ""
        moved = passing.used(facts.analysis.passing)
        chance = verdict.chance(facts.card, bool(facts.meta.get("has_months")), moved)
        own = verdict.own_icb(facts.rows, rung, only_different=True)
        choices = robustness.warns(practice_ways(facts.run, facts.code, facts.card.id))
        firm = " ".join(text for text in (verdict.disagreement(facts.rows, names=names), own, choices) if text)
        parts.append(f"**How firm is this?** {firm}" if firm else "")
        rest = [nothing, chance, *rest]
    parts.append(" ".join(text for text in rest if text))
    return "\n\n".join(part for part in parts if part)


def _own_middle(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the middle 95 % around this practice's own expectation, where the analysis gives it."""
    return row if known(row.get("middle_lower")) and known(row.get("middle_upper")) else None


def practice_verdict(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the verdict of a practice report, framed."""
    facts = practice_facts(run, practice, metric)
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{verdict_text(facts)}\n\n:::'


def practice_raw(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the raw figure and rank."""
    facts = practice_facts(run, practice, metric)
    raw = facts.row("M0")
    hidden = raw is not None and figures.is_hidden(raw)
    if raw is None or not (hidden or known(raw.get("value"))):
        return "## The raw figure\n\nThere is no raw figure to show."
    reference, names = facts.meta.get("england_value", NAN), facts.names
    text = [
        verdict.hidden_figure(facts.card, raw) if hidden else "",
        verdict.raw_figure(facts.card, raw, reference, _icb_value(facts), facts.icb_name, names, alone=hidden),
        verdict.raw_rank(raw, facts.row("M0", "own_icb"), names=names, lasting=_lasting(facts)),
        verdict.direction(facts.card),
    ]
    return f"## The raw figure\n\n{' '.join(t for t in text if t)}\n\n{note(verdict.definition(facts.card))}"


def _lasting(facts: PracticeFacts) -> dict[str, Any] | None:
    """Return what the model says of the rank of the raw figure; None where it says nothing."""
    frame = facts.analysis.effects
    found = frame[(frame["practice_code"] == facts.code) & (frame["rung"] == "M0")].to_dict("records")
    return {str(key): value for key, value in found[0].items()} if found else None


def _icb_value(facts: PracticeFacts) -> float:
    return float(facts.meta.get("icb_value", {}).get(facts.icb_code, NAN))


def practice_icb_right(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the box that cannot be switched off."""
    facts = practice_facts(run, practice, metric)
    reference = facts.meta.get("england_value", NAN)
    items = boxes.icb_right(facts.card, facts.rows, reference, _icb_value(facts), facts.names, facts.headline)
    ways = practice_ways(run, facts.code, facts.card.id)
    return boxes.box(phrases.ICB_RIGHT, [*items, *robustness.icb_right(ways)])


def practice_after(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what changes when patients, and then circumstances, are allowed for."""
    facts = practice_facts(run, practice, metric)
    covariates = facts.meta.get("covariates", {})
    text = [allowed(covariates, facts.meta.get("dropped", {}), "M1 compares")]
    same = not verdict.own_icb(facts.rows, facts.headline, only_different=True)  # what differs stands in the verdict
    text += [verdict.without_recorded(facts.rows, facts.names)]
    text += [verdict.own_icb(facts.rows, facts.headline)] if same else []
    text.append(boxes.without_old_here(list(facts.analysis.notes), facts.code))
    ways = practice_ways(run, facts.code, facts.card.id)
    # What the verdict or the box says already is not said again.
    text += [] if robustness.warns(ways) or robustness.icb_right(ways) else [robustness.brief(ways)]
    if facts.code in set(facts.meta.get("extrapolated", [])):
        text.append(
            "Its deprivation is outside the range of 9 in 10 practices; there the comparison rests on a straight line."
        )
    return f"## {after_heading(covariates)}\n\n" + " ".join(t for t in text if t)


def real_terms_text(facts: PracticeFacts) -> str:
    """Return the gap in events a week."""
    row = headline(facts)
    return verdict.real_terms(facts.card, row, rung=facts.headline, names=facts.names) if row else ""


def practice_funnel_note(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how to read a practice's funnels; nothing when there are none."""
    facts = practice_facts(run, practice, metric)
    raw = facts.row("M0")
    drawn = raw is not None and raw["position"] != "not_decidable" and known(raw.get("value"))
    of = passing.of(facts.analysis.passing)
    return (
        note(pictures.funnel_note(facts.headline != "M0", of, facts.spread.get((facts.headline, "england"))))
        if drawn
        else ""
    )


def practice_real_terms(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the gap in real terms."""
    facts = practice_facts(run, practice, metric)
    text = real_terms_text(facts)
    row = headline(facts)
    hidden = row is not None and figures.is_hidden(row)
    why = "the count was hidden" if hidden else "the data cannot answer the question"
    return "## The gap in real terms\n\n" + (text or f"No gap can be stated, because {why}.")


def practice_quality(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how far the data can be trusted."""
    facts = practice_facts(run, practice, metric)
    said = [quality.practice_quality(facts.gates, facts.code)]
    said.append(passing.briefly(facts.card, facts.analysis.passing))
    return "## How far the data can be trusted\n\n" + " ".join(text for text in said if text)


def practice_not_shown(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what the report does not show."""
    facts = practice_facts(run, practice, metric)
    items = boxes.not_shown(facts.card, facts.meta.get("covariates", {}).get("M1", []), facts.meta.get("dropped", {}))
    return f"## {phrases.NOT_SHOWN}\n\n" + boxes.bullets(items)


def practice_sources(run: Run, practice: str = "", metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines of a practice report."""
    facts = practice_facts(run, practice, metric)
    return sources_of(run, facts.card, facts.meta)


def summary_line(run: Run, practice: str, metric: str) -> str:
    """Return one plain line for the index."""
    facts = practice_facts(run, practice, metric)
    row = headline(facts) or {"position": "not_decidable"}
    moved = phrases.movement_phrase(row.get("movement") or "") if row["position"] != "not_decidable" else ""
    tail = f" {moved}." if moved else ""
    return f"{facts.name} ({facts.code}), {facts.card.short}: {phrases.POSITION[row['position']]}.{tail}"
