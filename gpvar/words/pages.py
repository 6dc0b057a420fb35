"""The sections of every page, as Markdown. A notebook shows them in order and adds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import area, boxes, figures, phrases, pictures, quality, sources, verdict
from gpvar.words.facts import AreaFacts, PracticeFacts, area_facts, practice_facts
from gpvar.words.text import escape_markdown, known

if TYPE_CHECKING:
    from gpvar.results import Run

NAN = float("nan")


def banner(simulated: bool, private: bool) -> str:
    """Return the line at the head of every page that needs one."""
    said = [phrases.SIMULATED] if simulated else []
    said += [phrases.PRIVATE_LONG] if private else []
    return " · ".join(said)


def practice_title(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the head of a practice report."""
    facts = practice_facts(run, practice, metric)
    where = f", {escape_markdown(facts.icb_name)}" if facts.icb_name else ""
    return (
        f"# {escape_markdown(facts.card.title)}: {escape_markdown(facts.name)}\n\n"
        f"Practice {escape_markdown(facts.code)}{where}. {facts.meta['period_label']}."
    )


def headline(facts: PracticeFacts) -> dict[str, Any] | None:
    """Return the row the verdict speaks of: M1 against England, else the raw figure."""
    rung = facts.meta.get("headline_rung", "M1")
    row = facts.row(rung)
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
    rung = facts.meta.get("headline_rung", "M1")
    if facts.row(rung) is None or not known((facts.row(rung) or {}).get("z")):
        return "What is known of its patients is not enough to compare like with like."
    return "A count was hidden by its supplier, and the two ends of what it can be give different answers."


def verdict_text(facts: PracticeFacts) -> str:
    """Return the verdict: phrase, number, uncertainty, caveat, and what the other rungs say."""
    row = headline(facts)
    if row is None:
        row = {"position": "not_decidable"}
    rung = facts.meta.get("headline_rung", "M1")
    spread = _own_middle(row) or facts.spread.get((rung, "england"))
    parts = [verdict.lead(facts.card, row, spread, facts.name, rung=rung, why=_why(facts))]
    raw = facts.row("M0")
    if raw is not None and row["position"] != "not_decidable":
        parts.append(verdict.movement(facts.card, raw, row, rung=rung))
        rest = [verdict.disagreement(facts.rows), verdict.chance(facts.card, bool(facts.meta.get("has_months")))]
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
    if raw is None or not known(raw.get("value")):
        return "## The raw figure\n\nThere is no raw figure to show."
    text = [
        verdict.raw_figure(facts.card, raw, facts.meta.get("england_value", NAN), _icb_value(facts), facts.icb_name),
        verdict.raw_rank(raw, facts.row("M0", "own_icb")),
        verdict.direction(facts.card),
    ]
    return f"## The raw figure\n\n{' '.join(t for t in text if t)}\n\n{_note(verdict.definition(facts.card))}"


def _icb_value(facts: PracticeFacts) -> float:
    return float(facts.meta.get("icb_value", {}).get(facts.icb_code, NAN))


def practice_icb_right(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the box that cannot be switched off."""
    facts = practice_facts(run, practice, metric)
    items = boxes.icb_right(facts.card, facts.rows, facts.meta.get("england_value", NAN), _icb_value(facts))
    return boxes.box(phrases.ICB_RIGHT, items)


def practice_after(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what changes when patients, and then circumstances, are allowed for."""
    facts = practice_facts(run, practice, metric)
    covariates = facts.meta.get("covariates", {})
    need, context = covariates.get("M1", []), covariates.get("M2", [])
    more = [c for c in context if c not in need]
    text = [f"M1 compares with practices with the same {boxes.allowed_for(need)}." if need else "", _more(more)]
    text += [verdict.without_recorded(facts.rows), verdict.own_icb(facts.rows, facts.meta.get("headline_rung", "M1"))]
    text.append(boxes.without_old_here(list(facts.analysis.notes), facts.code))
    if facts.code in set(facts.meta.get("extrapolated", [])):
        text.append(
            "Its deprivation is outside the range of 9 in 10 practices; there the comparison rests on a straight line."
        )
    return "## After allowing for patients\n\n" + " ".join(t for t in text if t)


def _more(ids: list[str]) -> str:
    return f"M2 adds {boxes.allowed_for(ids)}." if ids else ""


def real_terms_text(facts: PracticeFacts) -> str:
    """Return the gap in events a week."""
    row = headline(facts)
    rung = facts.meta.get("headline_rung", "M1")
    return verdict.real_terms(facts.card, row, rung=rung) if row else ""


def practice_funnel_note(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how to read a practice's funnels; nothing when there are none."""
    facts = practice_facts(run, practice, metric)
    raw = facts.row("M0")
    return _note(pictures.funnel_note()) if raw is not None and raw["position"] != "not_decidable" else ""


def area_funnel_note(run: Run, metric: str = "") -> str:
    """Return how to read an area's funnels."""
    return _note(pictures.area_funnel_note())


def _note(text: str) -> str:
    return f'::: {{.note custom-style="Note"}}\n\n{text}\n\n:::'


def practice_real_terms(run: Run, practice: str = "", metric: str = "") -> str:
    """Return the gap in real terms."""
    facts = practice_facts(run, practice, metric)
    text = real_terms_text(facts)
    return "## The gap in real terms\n\n" + (
        text or "No gap can be stated, because the data cannot answer the question."
    )


def practice_quality(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how far the data can be trusted."""
    facts = practice_facts(run, practice, metric)
    return "## How far the data can be trusted\n\n" + quality.practice_quality(facts.gates, facts.code)


def practice_not_shown(run: Run, practice: str = "", metric: str = "") -> str:
    """Return what the report does not show."""
    facts = practice_facts(run, practice, metric)
    items = boxes.not_shown(facts.card, facts.meta.get("covariates", {}).get("M1", []), facts.meta.get("dropped", {}))
    return f"## {phrases.NOT_SHOWN}\n\n" + boxes.bullets(items)


def practice_sources(run: Run, practice: str = "", metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines of a practice report."""
    facts = practice_facts(run, practice, metric)
    return _sources(run, facts.card, facts.meta)


def _sources(run: Run, card: Any, meta: dict[str, Any]) -> str:
    covariates = sorted({c for ids in meta.get("covariates", {}).values() for c in ids})
    lines = [
        f"Files: {sources.files(run.table.provenance)}.",
        sources.dates(run.study.sources, covariates),
        sources.declared(run),
        sources.licences(card, covariates, bool(run.meta.get("simulated"))),
    ]
    body = " ".join(line for line in lines if line)
    return f'## Sources\n\n::: {{.sources custom-style="Sources"}}\n\n{body}\n\n:::'


def area_title(run: Run, metric: str = "") -> str:
    """Return the head of an area report."""
    return _area_title(area_facts(run, metric), private=False)


def area_private_title(run: Run, metric: str = "") -> str:
    """Return the head of the page that names every practice."""
    return _area_title(area_facts(run, metric), private=True)


def _area_title(facts: AreaFacts, private: bool) -> str:
    what = "every practice" if private else "the area"
    return (
        f"# {escape_markdown(facts.card.title)}: {escape_markdown(facts.name)}, {what}\n\n"
        f"{len(facts.codes)} practices. {facts.meta['period_label']}."
    )


def _rung(facts: AreaFacts) -> str:
    return str(facts.meta.get("headline_rung", "M1"))


def area_verdict(run: Run, metric: str = "") -> str:
    """Return the area's first sentences, framed."""
    facts = area_facts(run, metric)
    raw, judged = area.counts(facts.at("M0")), area.counts(facts.at(_rung(facts)))
    text = [
        area.lead(facts.card, facts.name, raw, judged),
        area.moved(judged, raw, f"In {escape_markdown(facts.name)}"),
        verdict.chance(facts.card, bool(facts.meta.get("has_months"))),
    ]
    body = "\n\n".join(t for t in text if t)
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{body}\n\n:::'


def area_raw(run: Run, metric: str = "") -> str:
    """Return the area's own figure beside England's, and what the metric is."""
    facts = area_facts(run, metric)
    england, own = facts.meta.get("england_value", NAN), facts.meta.get("area_value", NAN)
    text = [
        f"{escape_markdown(facts.name)} as a whole: {figures.amount(facts.card, own)}; England: "
        f"{figures.amount(facts.card, england)}.",
        verdict.direction(facts.card),
    ]
    return f"## The raw figures\n\n{' '.join(text)}\n\n{_note(verdict.definition(facts.card))}"


def area_icb_right(run: Run, metric: str = "") -> str:
    """Return the box that cannot be switched off."""
    facts = area_facts(run, metric)
    judged = area.counts(facts.at(_rung(facts)))
    england, own = facts.meta.get("england_value", NAN), facts.meta.get("area_value", NAN)
    raw = facts.analysis.spread.query("rung == 'M0' and comparator == 'england'")
    more_than_chance = bool((raw["overdispersion_p"] < 0.05).any())
    return boxes.box(phrases.ICB_RIGHT, area.icb_right(facts.card, judged, england, own, more_than_chance))


def area_methods(run: Run, metric: str = "") -> str:
    """Return how many each method would flag, and why they differ."""
    facts = area_facts(run, metric)
    frame = facts.analysis.methods
    here = frame[frame["scope"] == "area"]
    n = int(here["n"].max()) if len(here) else 0
    judged = area.counts(facts.at(_rung(facts)))
    text = [area.methods(here, n), area.expected_flags(judged["n"], judged["flagged"])]
    return "## How many each method would flag\n\n" + " ".join(t for t in text if t)


def area_moved(run: Run, metric: str = "") -> str:
    """Return who moved in and out, in numbers, here and in England."""
    facts = area_facts(run, metric)
    rung = _rung(facts)
    everyone = facts.analysis.practices
    england = everyone[everyone["comparator"] == "england"]
    text = [
        area.moved(area.counts(facts.at(rung)), area.counts(facts.at("M0")), f"In {escape_markdown(facts.name)}"),
        area.moved(
            area.counts(england[england["rung"] == rung]), area.counts(england[england["rung"] == "M0"]), "In England"
        ),
    ]
    return "## Who moved in and out\n\n" + " ".join(text)


def area_after(run: Run, metric: str = "") -> str:
    """Return the spread before and after, and what was allowed for."""
    facts = area_facts(run, metric)
    spreads = {(r["rung"], r["comparator"]): r for r in facts.analysis.spread.to_dict("records")}
    covariates = facts.meta.get("covariates", {})
    need = covariates.get("M1", [])
    text = [
        f"M1 compares each practice with practices with the same {boxes.allowed_for(need)}." if need else "",
        _more([c for c in covariates.get("M2", []) if c not in need]),
        area.spread(facts.card, spreads),
    ]
    return "## After allowing for patients\n\n" + " ".join(t for t in text if t)


def area_calibration(run: Run, metric: str = "") -> str:
    """Return how well the England comparison fits here."""
    facts = area_facts(run, metric)
    text = [area.calibration(facts.analysis.calibration), *boxes.notes(list(facts.analysis.notes))]
    return "## Does the England comparison fit here?\n\n" + " ".join(t for t in text if t)


def area_quality(run: Run, metric: str = "") -> str:
    """Return the state of the area's data."""
    facts = area_facts(run, metric)
    gates = facts.gates[facts.gates["practice_code"].isin(["", *facts.codes])]
    return "## How far the data can be trusted\n\n" + quality.table_quality(gates)


def area_not_shown(run: Run, metric: str = "") -> str:
    """Return what the area report does not show."""
    facts = area_facts(run, metric)
    items = boxes.not_shown(
        facts.card, facts.meta.get("covariates", {}).get("M1", []), facts.meta.get("dropped", {}), most=99
    )
    return f"## {phrases.NOT_SHOWN}\n\n" + boxes.bullets(items)


def area_private_note(run: Run, metric: str = "") -> str:
    """Return how to read the list of practices."""
    area_facts(run, metric)
    return (
        "## Every practice\n\nOrdered by code, not by result: this is not a league table. Both positions are "
        "against England. "
        "“Raw” is the figure as it stands (M0); “patients” is after allowing for patients (M1)."
    )


def area_sources(run: Run, metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines of an area report."""
    facts = area_facts(run, metric)
    return _sources(run, facts.card, facts.meta)


def summary_line(run: Run, practice: str, metric: str) -> str:
    """Return one plain line for the index."""
    facts = practice_facts(run, practice, metric)
    row = headline(facts) or {"position": "not_decidable"}
    moved = phrases.movement_phrase(row.get("movement") or "") if row["position"] != "not_decidable" else ""
    tail = f" {moved}." if moved else ""
    return f"{facts.name} ({facts.code}), {facts.card.short}: {phrases.POSITION[row['position']]}.{tail}"


def area_summary_line(run: Run, metric: str) -> str:
    """Return one plain line about the area for the index."""
    facts = area_facts(run, metric)
    judged = area.counts(facts.at(_rung(facts)))
    return (
        f"{facts.name}, {facts.card.short}: {judged['flagged']} of {judged['n']} practices outside the usual range "
        "after allowing for patients."
    )
