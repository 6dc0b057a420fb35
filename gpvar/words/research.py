"""The sections of the methods page for researchers: the model, what was declared, the evidence, how to repeat it.

No practice and no other ICB is named. Formulas are LaTeX between dollar signs; every text from a file is escaped, so
that none of it can become one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words import boxes, research_paper
from gpvar.words.research_facts import (
    DRAWS,
    LEVEL,
    WORLDS,
    ResearchFacts,
    Row,
    ethnicity,
    figures,
    label,
    p_said,
    research_facts,
    simulated_p,
    statistic,
)
from gpvar.words.shared import NAN, sources_of
from gpvar.words.text import escape_markdown, known, listed, lower_first, number, plain, plural

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.results import Run

TITLE = "Methods and model"
_EFFECT = {"icb": ("a", "b"), "pcn": ("c", "w"), "practice": ("u", "")}
_SHORT = {"icb": "ICB", "pcn": "PCN", "practice": "practice"}
_AGREES = 0.25
_HEAVY = 1.0


def methods_title(run: Run, metric: str = "") -> str:
    """Return the head of the page."""
    facts = research_facts(run, metric)
    area = facts.area
    return (
        f"# {TITLE}: {escape_markdown(area.card.title)}\n\n"
        f"For {escape_markdown(area.name)}, compared with {area.names.reference}. {area.meta['period_label']}. Written "
        "for researchers and referees; no practice and no other ICB is named."
    )


def methods_paragraph(run: Run, metric: str = "") -> str:
    """Return paragraphs that can be pasted into a paper, and their references."""
    facts = research_facts(run, metric)
    text, references = research_paper.paragraph(facts)
    return (
        "## For a paper\n\n"
        f"These paragraphs can be pasted; every number in them is of this run.\n\n{text}\n\n"
        + "\n\n".join(f"{place}. {reference}" for place, reference in enumerate(references, 1))
    )


def methods_data(run: Run, metric: str = "") -> str:
    """Return what the figure is, before the table of who is in the fit."""
    facts = research_facts(run, metric)
    card = facts.area.card
    formula = escape_markdown(card.formula, 300)
    return (
        f"## The data\n\n{escape_markdown(card.title)}: {formula}. {escape_markdown(card.definition_note, 400)} One "
        "total per practice over the period; practices with a missing figure or characteristic are left out, never "
        "filled in."
    )


def methods_model(run: Run, metric: str = "") -> str:
    """Return the model in notation."""
    facts = research_facts(run, metric)
    if facts.model is None:
        return f"## The model\n\n{_regression(facts)}\n\n{_judged(facts)}"
    groups = facts.groups
    terms = " + ".join(["\\mathbf{x}_i^{\\top}\\boldsymbol\\beta", *(_effect(level) for level in groups)])
    spreads = ",\\quad ".join(
        f"{_EFFECT[level][0]} \\sim \\mathrm{{N}}(0,\\ \\sigma^2_{{\\text{{{_SHORT[level]}}}}})" for level in groups
    )
    if facts.is_share:
        counted = "y_i \\mid \\pi_i \\sim \\text{Binomial}(n_i,\\ \\pi_i)"
        linked, what = "\\operatorname{logit} \\pi_i", f"out of *n* ({_counted(facts, 'denominator')})"
    else:
        counted = "y_i \\mid \\lambda_i \\sim \\text{Poisson}(n_i \\lambda_i)"
        linked, what = "\\log \\lambda_i", f"over an exposure of *n* ({_counted(facts, 'denominator')})"
    return (
        f"## The model\n\n$$ {counted} $$\n\n$$ {linked} = {terms} $$\n\n$$ {spreads} $$\n\n"
        f"with *y* the count of a practice ({_counted(facts, 'numerator')}) {what}, **x** the declared design below, "
        f"and {_nested(groups)}. Maximum likelihood with the Laplace approximation; no priors. Standard errors are "
        "from the Hessian in all parameters, intervals Wald's for **β** and profile-likelihood for the SDs. Practices "
        "of the fit are complete cases: nothing is imputed, missing is never nought.\n\n"
        f"{_judged(facts)}"
    )


def _counted(facts: ResearchFacts, part: str) -> str:
    return lower_first(escape_markdown(str(getattr(facts.area.card, part)).rstrip("."), 300))


def _effect(level: str) -> str:
    symbol, place = _EFFECT[level]
    return f"{symbol}_{{{place}(i)}}" if place else f"{symbol}_i"


def _nested(groups: list[str]) -> str:
    if groups == ["practice"]:
        return "*u* what is the practice's own (no places are in the model)"
    said = {
        "icb": "*a* shared by an ICB",
        "pcn": "*c* by a primary care network within it",
        "practice": "*u* the practice's own",
    }
    ends = " Practices without a network are pooled within their ICB; a network in two ICBs counts as two."
    return f"nested normal effects: {listed(said[level] for level in groups)}.{ends * ('pcn' in groups)}".rstrip(".")


def _regression(facts: ResearchFacts) -> str:
    y = "logit{(y+½)/(n+1)}" if facts.is_share else "log{(y+½)/n}"
    why = [note for note in facts.area.analysis.notes if note.id == "variation_not_found"]
    reason = (
        f"the multilevel model found no solution ({escape_markdown(str(why[0].numbers['why']), 300)})"
        if why
        else "below 200 practices variances of places say little"
    )
    return (
        f"No multilevel model stands behind this run: {reason}. The expectation comes from a regression of {y} on the "
        "declared design with weights 1/(s² + τ²), repeated until it settles (Berkey and others 1995); point estimates "
        "alone are shown, because its standard errors ignore places."
    )


def _judged(facts: ResearchFacts) -> str:
    if facts.is_share:
        y, s = "\\operatorname{logit}\\frac{y_i+\\frac12}{n_i+1}", "s_i^2 = 1/\\{n_i\\,\\pi_i(1-\\pi_i)\\}"
    else:
        y, s = "\\log\\frac{y_i+\\frac12}{n_i}", "s_i^2 = 1/(n_i\\,\\lambda_i)"
    row = facts.record("spread", facts.rung, comparator="england")
    found = f" Here τ² = {figures(row['tau2'])} and *m* = {figures(row['centre_link'])}." if row else ""
    v = figures(facts.transient) if known(facts.transient) else "not known here and taken as nought"
    return (
        "**How practices are judged.** The model's coefficients give the expectation; its effects are never taken off "
        "a practice, and nobody is judged by the model's variances or place effects.\n\n"
        f"$$ z_i = \\frac{{\\tilde y_i - (\\mathbf{{x}}_i^{{\\top}}\\hat{{\\boldsymbol\\beta}} + m)}}"
        f"{{\\sqrt{{s_i^2 + v + \\tau^2}}}}, \\qquad \\tilde y_i = {y}, \\qquad {s} $$\n\n"
        "Centre *m* and shared variance τ² solve Huber's Proposal 2 inside the Paule-Mandel equation together: "
        "Σψ(*z*) = 0 and Σψ(*z*)² = (*n* − *p*)κ over the practices compared, with ψ capped at ±1.28 (a tenth on each "
        f"side) and κ = 0.6787, in-sample at every size.{found} *v* is the variance of passing movement in the mean "
        f"over the period ({v}). A practice is *unusual* beyond |*z*| = 1.96 and *far outside* beyond 3.09; where "
        "fewer than 30 events are expected, *z* is the normal score of the count in its predictive distribution."
    )


def methods_design(run: Run, metric: str = "") -> str:
    """Return what was declared, before the table of the design."""
    facts = research_facts(run, metric)
    meta = facts.area.meta
    covariates: dict[str, list[str]] = meta.get("covariates", {})
    said = [f"**{label(rung)}** {_allows(ids)}." for rung, ids in covariates.items()]
    dropped = meta.get("dropped", {})
    lacks = "ethnicity" in dropped
    lost = f" Declared but without data: {boxes.allowed_for(list(dropped))}." if dropped else ""
    splines = facts.rows("fits")["transform"].astype(str).str.startswith("restricted").any()
    how = (
        " A spline is a restricted cubic one with knots at the 5th, 35th, 65th and 95th percentiles of the practices "
        "of the comparison, linear beyond; prevalences enter as logit((register + ½)/(list + 1)); every column has its "
        "mean taken off and is divided by its standard deviation over those practices."
    )
    return (
        "## The declared design\n\n"
        f"The rungs are {research_paper.declared_on(facts)}: {' '.join(said)}{lost} {'' if lacks else ethnicity(facts)}"
        f"{how * bool(splines or len(covariates.get(facts.top, [])))} Place is a comparator and never an adjustment; "
        "supply that a practice chooses, and process, are never adjusted for."
    )


def _allows(ids: list[str]) -> str:
    return f"allows for {boxes.allowed_for(ids)}" if ids else "allows for nothing"


def methods_coefficients(run: Run, metric: str = "") -> str:
    """Return how coefficients are to be taken."""
    facts = research_facts(run, metric)
    if facts.rows("coefficients", facts.rung).empty:
        return ""
    return (
        "## Coefficients\n\n"
        "**Coefficients describe practices, not patients, and are not interpreted**: they mix what patients bring, who "
        "records it, and where practices are. They are here so that the expectation can be checked."
    )


def methods_variances(run: Run, metric: str = "") -> str:
    """Return what the table of variances is, with the tests of zero spreads."""
    facts = research_facts(run, metric)
    if facts.rows("levels").empty:
        return ""
    tests = facts.rows("diagnostics", facts.rung)
    tests = tests[tests["check"] == "zero_spread"]
    said = [
        f"{LEVEL[row['level']][0]} {statistic(row['value'])} ({p_said(row['p'])})" for row in tests.to_dict("records")
    ]
    zero = (
        f" Likelihood-ratio statistics of an SD of zero at {label(facts.rung)}, against an even mixture of 0 and χ² on "
        f"one degree of freedom: {'; '.join(said)}."
    )
    return (
        f"## Variances\n\nOn the {facts.link}, with 95% profile-likelihood intervals; every rung on the same "
        f"practices, those with all that {label(facts.top)} allows for.{zero * bool(said)}"
    )


def methods_evidence(run: Run, metric: str = "") -> str:
    """Return what is said of the fit of each rung."""
    facts = research_facts(run, metric)
    rows = facts.rows("models")
    if rows.empty:
        return ""
    several = rows["n"].nunique() > 1
    notes = [f"{label(row['rung'])}: {plain(row['notes'], 500)}" for row in rows.to_dict("records") if row["notes"]]
    return (
        "## Evidence of the fit\n\n"
        "Every search below ended at a maximum, where one more step promises nothing and the surface curves downwards "
        "in every direction; one that does not is an error, and prints no numbers. Log-likelihoods are complete, with "
        "their constants. These are the models whose coefficients practices are judged by, and that draws are "
        "from: each is fitted on all practices with what its rung allows for and a known ICB. The variances above and "
        f"coefficients.csv are of those with all that {label(facts.top)} allows for."
        + " Rungs with different n cannot be compared by AIC or BIC." * several
        + ("\n\nNotes of the fits. " + escape_markdown(" ".join(notes), 1500) if notes else "")
    )


def methods_diagnostics(run: Run, metric: str = "") -> str:
    """Return what was looked at in the headline's model, and what it means."""
    facts = research_facts(run, metric)
    found = facts.rows("diagnostics", facts.rung)
    if found.empty:
        return ""
    family = "binomial" if facts.is_share else "Poisson"
    said = [
        f"Of the model at {label(facts.rung)}. Every practice has an effect of its own, so that spread beyond {family} "
        "chance is part of its SD and cannot show as misfit; misfit shows in the shape of the effects.",
        *_shape(found, facts),
    ]
    return "## Diagnostics\n\n" + " ".join(said)


def _shape(found: pd.DataFrame, facts: ResearchFacts) -> list[str]:
    of = {(row["check"], row["level"]): float(row["value"]) for row in found.to_dict("records")}
    tails = of.get(("kurtosis", "practice"), NAN)
    said = []
    if known(tails) and tails > _HEAVY:
        said.append(
            f"The effects of practices have heavier tails than a normal (excess kurtosis {number(tails, 1)}): a few "
            "practices carry part of the SD. The limits rest on the robust spread below, not on this SD."
        )
    many = of.get(("influential_units", facts.groups[0]), NAN)
    if known(many):
        which = LEVEL[facts.groups[0]]
        said.append(
            f"Leaving out one {which[0]} at a time moves no coefficient by more than its standard error."
            if many == 0
            else f"Leaving out one {which[0]} at a time, {plural(many, which[0], which[1])} would move some "
            "coefficient by more than its standard error."
        )
    return said


def methods_spread(run: Run, metric: str = "") -> str:
    """Return the model's variance beside the one practices are judged by."""
    facts = research_facts(run, metric)
    row = facts.record("rungs", facts.rung)
    said = [
        "Practices are judged by τ² (with v, where passing movement is known), in which outlying practices count less. "
        "Expected flags are those that a normal spread, and a t fitted to z, would put outside."
    ]
    if row is not None and known(row["variance_ratio"]):
        ratio = float(row["variance_ratio"])
        said.append(
            f"At {label(facts.rung)} the model's variance between practices, places included, is "
            f"{figures(row['model_variance'])}, {number(ratio, 2)} times {_beside(row, facts)}."
        )
        if abs(ratio - 1) > _AGREES:
            said.append(
                "The gap comes from outlying practices: they count in full in the model, and are capped in τ²."
                if ratio > 1
                else "The limits are wider than the model would make them, and so mark fewer practices."
            )
        said.append(
            f"Systematic component of variation {figures(row['scv'])} ({simulated_p(row['scv_p'])}, {number(WORLDS)} "
            f"worlds of chance alone); {number(100 * row['reranked'], 1)}% of pairs of practices change order from M0."
        )
    return "## The spread that practices are judged by\n\n" + " ".join(said)


def _beside(row: Row, facts: ResearchFacts) -> str:
    """Return what the model's variance is put beside: the judged one, with passing movement where it was taken out."""
    shared = figures(row["tau2"])
    if not known(facts.transient):
        return f"τ² ({shared})"
    v = facts.transient
    return (
        f"τ² + v ({shared}: {figures(float(row['tau2']) - v)} + {figures(v)}). The model knows nothing of passing "
        "movement and holds it as the practices' own; τ² is without it, so v is added before the two are compared"
    )


def methods_calibration(run: Run, metric: str = "") -> str:
    """Return whether the fit holds in the area, and whether places and patients are mixed."""
    facts = research_facts(run, metric)
    slopes = facts.rows("board_slopes")
    said = [
        f"Residuals of {escape_markdown(facts.area.name)}'s practices about the fit on {facts.area.names.reference}: "
        "mean 0 and slope 1 where it describes them."
    ]
    if len(slopes):
        p = slopes["p_all"].iloc[0]
        more = "adds to" if p < 0.05 else "is not seen to add to"
        said.append(
            f"**Mundlak.** An ICB's mean of the design {more} the practice's own value at {label(facts.rung)} "
            f"({p_said(p)}, all terms together)"
            + (
                ": within-ICB and between-ICB slopes differ, so that patients and places are mixed in the coefficients."
                if p < 0.05
                else "."
            )
        )
    return "## Does the fit hold here?\n\n" + " ".join(said)


def methods_repeat(run: Run, metric: str = "") -> str:
    """Return what it takes to repeat the run, to cite it, and to have its tables and draws."""
    facts = research_facts(run, metric)
    name = facts.area.card.id
    versions = ", ".join(f"{plain(k)} {plain(v)}" for k, v in run.meta.get("versions", {}).items())
    items = [
        f"**Seed** {run.study.seed}, for {number(DRAWS)} joint draws behind the intervals of shares and ranks, "
        f"{number(WORLDS)} worlds of chance alone, and the draws in quantile residuals.",
        f"**Run key** `{plain(run.meta.get('key', ''))}`: SHA-256 of the declared analysis, the cards used, every "
        f"input, and the versions. **Versions** {escape_markdown(versions, 300)}.",
        f"**Cite as** {research_paper.citation(run)}",
        "**Tables.** `python run.py report research STUDY` writes every table of the run as CSV and Parquet, with a "
        "dictionary, to `reports/private/research`; `table/provenance.csv` has every input's SHA-256 in full. "
        "The run folder is enough to redo every figure without fitting: "
        '`gpvar.load_run("STUDY")`.',
        f"**Draws.** `python run.py draws STUDY {name} --rung {facts.rung} --n {DRAWS}` writes joint draws of "
        "coefficients, SDs and effects, after a fit that must give the stored log-likelihood; in Python "
        f'`gpvar.draws(run, "{name}", rung="{facts.rung}")`.',
    ]
    return "## To repeat it\n\n" + boxes.bullets(items)


def methods_sources(run: Run, metric: str = "") -> str:
    """Return sources, hashes, versions and licence lines."""
    facts = research_facts(run, metric)
    return sources_of(run, facts.area.card, facts.area.meta)


def methods_summary_line(run: Run, metric: str) -> str:
    """Return one plain line for the index."""
    facts = research_facts(run, metric)
    model = facts.model
    fitted = (
        f"{number(model['n'])} practices at {label(facts.rung)}, log-likelihood {number(model['loglik'], 1)}"
        if model
        else "a regression stands in for the multilevel model"
    )
    return f"{TITLE}, {facts.area.card.short}, for researchers: {fitted}."
