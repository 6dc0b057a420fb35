"""The sections of an area's pages, as Markdown. No section but the private list names a practice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpvar.words import area, boxes, figures, marks, passing, phrases, pictures, quality, robustness_area, verdict
from gpvar.words.facts import AreaFacts, area_facts
from gpvar.words.robustness_facts import area_ways
from gpvar.words.shared import NAN, after_heading, allowed, note, sources_of
from gpvar.words.text import escape_markdown

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.results import Run


def area_funnel_note(run: Run, metric: str = "") -> str:
    """Return how to read an area's funnels."""
    facts = area_facts(run, metric)
    return note(pictures.area_funnel_note(passing.of(facts.analysis.passing), _spread(facts, facts.headline)))


def _spread(facts: AreaFacts, rung: str) -> dict[str, Any] | None:
    rows = facts.analysis.spread
    found = rows[(rows["rung"] == rung) & (rows["comparator"] == "england")].to_dict("records")
    return {str(k): v for k, v in found[0].items()} if found else None


def _failed(facts: AreaFacts) -> int:
    """Return how many of the practices that stand out failed a check that warns."""
    rows, gates = facts.at(facts.headline), facts.gates
    warned = gates.loc[(gates["state"] == quality.FAILED) & (gates["severity"] == "warn"), "practice_code"]
    return int(rows.loc[rows["position"].isin(boxes.FLAGGED), "practice_code"].isin(warned).sum())


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


def _before_and_after(facts: AreaFacts) -> tuple[dict[str, int], dict[str, int]]:
    """Return the counts of the area at M0 and at the headline rung."""
    raw, whole = facts.at("M0"), len(facts.codes)
    return area.counts(raw, whole), area.counts(facts.at(facts.headline), whole, raw)


def area_verdict(run: Run, metric: str = "") -> str:
    """Return the area's first sentences, framed."""
    facts = area_facts(run, metric)
    raw, judged = _before_and_after(facts)
    rung = facts.headline
    why = boxes.nothing_allowed_for(facts.meta.get("dropped", {}))
    moved = area.moved(judged, raw, f"In {escape_markdown(facts.name)}") if rung != "M0" and judged["n"] else ""
    text = [
        area.lead(
            facts.card, facts.name, raw, judged, rung=rung, why_not=why, names=facts.names, failed=_failed(facts)
        ),
        moved,
        verdict.chance(facts.card, bool(facts.meta.get("has_months")), passing.used(facts.analysis.passing)),
    ]
    body = "\n\n".join(t for t in text if t)
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{body}\n\n:::'


def area_raw(run: Run, metric: str = "") -> str:
    """Return the area's own figure beside England's, and what the metric is."""
    facts = area_facts(run, metric)
    reference, own = facts.meta.get("england_value", NAN), facts.meta.get("area_value", NAN)
    beside = "" if facts.names.set == "icb" else f"; {facts.names.reference}: {figures.amount(facts.card, reference)}"
    text = [
        f"{escape_markdown(facts.name)} as a whole: {figures.amount(facts.card, own)}{beside}; all practices added "
        "together, not the one in the middle.",
        verdict.direction(facts.card),
    ]
    return f"## The raw figures\n\n{' '.join(text)}\n\n{note(verdict.definition(facts.card))}"


def area_icb_right(run: Run, metric: str = "") -> str:
    """Return the box that cannot be switched off."""
    facts = area_facts(run, metric)
    _, judged = _before_and_after(facts)
    reference, own = facts.meta.get("england_value", NAN), facts.meta.get("area_value", NAN)
    raw = facts.analysis.spread.query("rung == 'M0' and comparator == 'england'")
    more_than_chance = bool((raw["overdispersion_p"] < 0.05).any())
    of = passing.of(facts.analysis.passing) if more_than_chance else ""
    items = area.icb_right(facts.card, judged, reference, own, of, rung=facts.headline, names=facts.names)
    return boxes.box(phrases.ICB_RIGHT, [*items, *robustness_area.icb_right(area_ways(run, facts.card.id))])


def area_methods(run: Run, metric: str = "") -> str:
    """Return how many each method would flag, and why they differ."""
    facts = area_facts(run, metric)
    frame = facts.analysis.methods
    here = frame[frame["scope"] == "area"]
    n = int(here["n"].max()) if len(here) else 0
    _, judged = _before_and_after(facts)
    rung, names = facts.headline, facts.names
    spreads = {(r["rung"], r["comparator"]): r for r in facts.analysis.spread.to_dict("records")}
    text = [
        marks.methods(here, n, float(facts.at("M0")["denominator"].median()), _base_noun(facts.card)),
        _one_population(facts, here),
        marks.expected_flags(judged["n"], judged["flagged"], rung=rung, names=names),
    ]
    tails = marks.tails(spreads.get((rung, "england")), rung=rung, names=names)
    return "\n\n".join(
        ["## How many each method would flag", " ".join(t for t in text if t), note(tails) if tails else ""]
    )


def _base_noun(card: Any) -> str:
    return str(card.noun_denominator) if figures.is_share(card) else "patient-months"


def _one_population(facts: AreaFacts, methods: pd.DataFrame) -> str:
    """Return who of the area is not in the fit, why, and what that does to the counts on the page."""
    rows = facts.at(facts.headline)
    out = rows[~rows["in_fit"].astype(bool)]
    undecided = int((out["position"] == "not_decidable").sum()) + len(facts.codes) - len(rows)
    left = out[out["position"] != "not_decidable"]
    listed_out = facts.run.table.excluded
    why = [f"{undecided} because the data cannot answer"] if undecided else []
    first = listed_out[listed_out["practice_code"].isin(left["practice_code"])].drop_duplicates("practice_code")
    for gate, many in first["gate"].value_counts(sort=False).items():
        why.append(f"{many} because of the check “{quality.title(str(gate))}”")
    rest = len(left) - len(first)
    why += [f"{rest} because they are not among the practices compared"] if rest else []
    used = methods[(methods["method"] == "consistent") & (methods["rung"] == facts.headline)]
    marked = int((used["flagged_low_95"] + used["flagged_high_95"]).sum()) if len(used) else None
    stand_out = int(rows["position"].isin(boxes.FLAGGED).sum())
    flagged = int(left["position"].isin(boxes.FLAGGED).sum())
    return marks.one_population(len(left) + undecided, why, flagged, stand_out, marked, rung=facts.headline)


def area_moved(run: Run, metric: str = "") -> str:
    """Return who moved in and out, in numbers, here and in England."""
    facts = area_facts(run, metric)
    heading = "## Who moved in and out\n\n"
    if facts.headline == "M0":
        return f"{heading}Nobody could move. {boxes.nothing_allowed_for(facts.meta.get('dropped', {}))}"
    raw, judged = _before_and_after(facts)
    text = [area.moved(judged, raw, f"In {escape_markdown(facts.name)}")]
    if facts.names.set != "icb":
        everyone = facts.analysis.practices
        reference = everyone[everyone["comparator"] == "england"]
        before, after = (reference[reference["rung"] == rung] for rung in ("M0", facts.headline))
        where = "Among all practices in the data" if facts.names.set != "england" else "In England"
        text.append(area.moved(area.counts(after, before=before), area.counts(before), where))
    return heading + " ".join(text)


def area_after(run: Run, metric: str = "") -> str:
    """Return the spread before and after, and what was allowed for."""
    facts = area_facts(run, metric)
    spreads = {(r["rung"], r["comparator"]): r for r in facts.analysis.spread.to_dict("records")}
    covariates = facts.meta.get("covariates", {})
    text = [
        allowed(covariates, facts.meta.get("dropped", {}), "M1 compares each practice"),
        area.spread(facts.card, spreads, facts.names),
    ]
    return f"## {after_heading(covariates)}\n\n" + " ".join(t for t in text if t)


def area_calibration(run: Run, metric: str = "") -> str:
    """Return how well the comparison made on the reference set fits here."""
    facts = area_facts(run, metric)
    middle = float((_spread(facts, "M1") or {}).get("centre", NAN))
    text = [
        area.calibration(facts.card, facts.analysis.calibration, middle, facts.names),
        *boxes.notes(list(facts.analysis.notes)),
    ]
    said = " ".join(t for t in text if t) or "There was nothing to compare: no patients were allowed for."
    return f"## Does the comparison made on {facts.names.reference} fit here?\n\n{said}"


def area_quality(run: Run, metric: str = "") -> str:
    """Return the state of the area's data."""
    facts = area_facts(run, metric)
    gates = facts.gates[facts.gates["practice_code"].isin(["", *facts.codes])]
    said = [quality.table_quality(gates)]
    said.append(passing.measured(facts.card, facts.analysis.passing, facts.meta["period_label"]))
    return "## How far the data can be trusted\n\n" + "\n\n".join(text for text in said if text)


def area_not_shown(run: Run, metric: str = "") -> str:
    """Return what the area report does not show."""
    facts = area_facts(run, metric)
    items = boxes.not_shown(
        facts.card, facts.meta.get("covariates", {}).get("M1", []), facts.meta.get("dropped", {}), most=99
    )
    return f"## {phrases.NOT_SHOWN}\n\n" + boxes.bullets(items)


def area_private_first(run: Run, metric: str = "") -> str:
    """Return the heading of the short list of practices that stand out."""
    facts = area_facts(run, metric)
    _, judged = _before_and_after(facts)
    rung = "after allowing for patients" if facts.headline != "M0" else "on the raw figures"
    said = f"{judged['flagged']} of {judged['n']} practices are outside the usual range {rung}."
    if not judged["n"]:
        said = "The data cannot answer for any practice."
    elif not judged["flagged"]:
        said = f"No practice of {judged['n']} is outside the usual range {rung}."
    caveat = " That is a reason to look, not a conclusion." if judged["flagged"] else ""
    return f"## Those that stand out\n\n{said}{caveat}"


def area_private_note(run: Run, metric: str = "") -> str:
    """Return how to read the list of practices."""
    facts = area_facts(run, metric)
    after = "“Patients” is after allowing for patients (M1)."
    if facts.headline == "M0":
        after = boxes.nothing_allowed_for(facts.meta.get("dropped", {}))
    return (
        "## Every practice\n\nOrdered by code, not by result: this is not a league table. Positions are "
        f"against {facts.names.reference}. “Raw” is the figure as it stands (M0). {after}"
    )


def area_private_sources(run: Run, metric: str = "") -> str:
    """Return sources of the page that stays with its owner: the page of the trial does not lie beside it."""
    facts = area_facts(run, metric)
    return sources_of(run, facts.card, facts.meta, sent=False)


def area_sources(run: Run, metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines of an area report."""
    facts = area_facts(run, metric)
    return sources_of(run, facts.card, facts.meta)


def area_summary_line(run: Run, metric: str) -> str:
    """Return one plain line about the area for the index."""
    facts = area_facts(run, metric)
    _, judged = _before_and_after(facts)
    start = f"{facts.name}, {facts.card.short}:"
    if not judged["n"]:
        return f"{start} the data cannot answer for any of the {judged['whole']} practices."
    rung = "after allowing for patients" if facts.headline != "M0" else "on the raw figures; nothing was allowed for"
    said = f"{start} {judged['flagged']} of {judged['n']} practices outside the usual range {rung}."
    if judged["undecided"]:
        said += f" For {judged['undecided']} of {judged['whole']} practices the data cannot answer."
    return said
