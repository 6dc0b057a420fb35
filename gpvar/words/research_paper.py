"""A methods paragraph that can be pasted into a paper, its references, and how to cite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.words import boxes, passing, variation
from gpvar.words.research_facts import (
    DRAWS,
    LEVEL,
    ResearchFacts,
    Row,
    check_title,
    ethnicity,
    figures,
    left_out,
    p_said,
    span,
)
from gpvar.words.text import escape_markdown, known, listed, lower_first, number, plain

if TYPE_CHECKING:
    from gpvar.results import Run

AUTHORS = "The gpvar founders"
SOFTWARE = "gpvar: variation between general practices, beyond chance and case mix"
SIGNIFICANT = 0.05
_PAPERS = {
    "tmb": "Kristensen K, Nielsen A, Berg CW, Skaug H, Bell BM. TMB: automatic differentiation and Laplace "
    "approximation. J Stat Softw 2016;70(5):1–21.",
    "spline": "Harrell FE. Regression modeling strategies. 2nd ed. Springer, 2015.",
    "berkey": "Berkey CS, Hoaglin DC, Mosteller F, Colditz GA. A random-effects regression model for meta-analysis. "
    "Stat Med 1995;14:395–411.",
    "mor": "Larsen K, Merlo J. Appropriate assessment of neighborhood effects on individual health: integrating "
    "random and fixed effects in multilevel logistic regression. Am J Epidemiol 2005;161:81–88.",
    "lmg": "Grömping U. Estimators of relative importance in linear regression based on variance decomposition. Am "
    "Stat 2007;61:139–147.",
    "funnel": "Spiegelhalter DJ. Handling over-dispersion of performance indicators. Qual Saf Health Care "
    "2005;14:347–351.",
    "huber": "Huber PJ. Robust estimation of a location parameter. Ann Math Stat 1964;35:73–101.",
    "pm": "Paule RC, Mandel J. Consensus values and weighting factors. J Res Natl Bur Stand 1982;87:377–385.",
    "mundlak": "Mundlak Y. On the pooling of time series and cross section data. Econometrica 1978;46:69–85.",
}


class _References:
    """Numbers papers in the order in which they are first cited."""

    def __init__(self) -> None:
        self.cited: list[str] = []

    def cite(self, *papers: str) -> str:
        for paper in papers:
            if paper not in self.cited:
                self.cited.append(paper)
        places = ", ".join(str(self.cited.index(paper) + 1) for paper in papers)
        return f"\\[{places}\\]"

    def listed(self) -> list[str]:
        return [escape_markdown(_PAPERS[paper], 400) for paper in self.cited]


def paragraph(facts: ResearchFacts) -> tuple[str, list[str]]:
    """Return two paragraphs, methods and results, and their references in the order cited."""
    references = _References()
    methods = [
        _data(facts),
        _expectation(facts, references),
        _division(facts, references),
        _judging(facts, references),
        _chance(facts),
        _made_with(facts, references),
    ]
    results = [_found(facts, references), _shares(facts), _flags(facts), _mundlak(facts)]
    text = [
        f"**{head}.** {' '.join(part for part in parts if part)}"
        for head, parts in (("Methods", methods), ("Results", results))
    ]
    return "\n\n".join(text), references.listed()


def declared_on(facts: ResearchFacts) -> str:
    """Return where the analysis was stated, and the date that stands there."""
    day = facts.area.run.study.declared
    return f"stated in study.toml, dated {day_in_words(day) if hasattr(day, 'day') else plain(day)}"


def _data(facts: ResearchFacts) -> str:
    card, meta = facts.area.card, facts.area.meta
    top, bottom = (lower_first(str(getattr(card, part)).rstrip(".")) for part in ("numerator", "denominator"))
    return (
        f"We analysed {'the ' * facts.is_share}{escape_markdown(card.short)} ({escape_markdown(top, 300)}; divided by: "
        f"{escape_markdown(bottom, 300)}) of general practices in {facts.area.names.reference}, "
        f"{meta['period_label']}. {_source(facts)}Of {number(meta['n_practices'])} practices in the data, "
        f"{number(meta['n_fitted'])} set the comparison{_others(facts)}."
    )


def _source(facts: ResearchFacts) -> str:
    if facts.area.run.meta.get("simulated"):
        return "The data are simulated. "
    cards = catalogue.sources()
    covariates = {c for ids in facts.area.meta.get("covariates", {}).values() for c in ids}
    held = sorted(c for c in covariates if c in catalogue.covariates())
    ids = dict.fromkeys([facts.area.card.source, *(catalogue.covariates()[c].source for c in held)])
    named = [f"{cards[i].title} ({cards[i].publisher})" for i in ids if i in cards]
    return f"The publications are {escape_markdown(listed(named), 900)}. "


def _others(facts: ResearchFacts) -> str:
    """Return why the others do not: what the study leaves out, and what fails a check that stops the question."""
    excluded, stopped, rest = left_out(facts)
    said = []
    if excluded:
        said.append(f"the exclusions stated in study.toml (not met: {_checks(excluded)})")
    if stopped:
        said.append(f"checks of the data that stop the question ({_checks(stopped)})")
    if rest:
        said.append(f"no figure, or a place outside the comparison ({number(rest)})")
    others = number(int(facts.area.meta["n_practices"]) - int(facts.area.meta["n_fitted"]))
    several = "; a practice can fail several" * (len(excluded) + len(stopped) > 1)
    return f"; the other {others} were left out for {listed(said)}{several}" if said else ""


def _checks(counted: dict[str, int]) -> str:
    return "; ".join(f"“{escape_markdown(check_title(gate))}”, {number(many)}" for gate, many in counted.items())


def _expectation(facts: ResearchFacts, references: _References) -> str:
    model, groups = facts.model, facts.groups
    ids = facts.area.meta.get("covariates", {}).get(facts.rung, [])
    allowed = (
        f"{boxes.allowed_for(ids)} of the practices' patients ({declared_on(facts)})"
        if ids
        else f"none ({declared_on(facts)})"
    )
    if model is None:
        start = (
            f"Expected figures came from a random-effects regression on the {facts.link} {references.cite('berkey')}"
        )
    else:
        family = (
            "binomial with a logit link" if facts.is_share else "Poisson with a log link and the exposure as offset"
        )
        units = {row["level"]: row["units"] for row in facts.records("levels", facts.rung)}
        nested = listed(
            f"{LEVEL[level][0]}{f' ({number(units[level])})' if level in units else ''}" for level in groups
        )
        start = (
            f"Counts were modelled as {family}, with nested normal random intercepts of {nested}, by maximum "
            f"likelihood with the Laplace approximation and no priors {references.cite('tmb')} "
            f"({number(model['n'])} practices with every characteristic and a known ICB, "
            f"{number(model['parameters'])} parameters, log-likelihood {number(model['loglik'], 2)})"
        )
    return f"{start}. Fixed effects were {allowed}.{_forms(facts, references)} {ethnicity(facts)}".rstrip()


def _forms(facts: ResearchFacts, references: _References) -> str:
    rows = facts.rows("fits", facts.rung)
    if "transform" not in rows:
        return ""
    said, how = [], rows["transform"].astype(str)
    curved, prevalences = (rows.loc[how.str.startswith(start), "covariate"] for start in ("restricted", "logit"))
    if len(curved):
        curve = (
            "entered as a restricted cubic spline with knots at the 5th, 35th, 65th and 95th percentiles of the "
            "practices of the comparison"
        )
        said.append(f"{boxes.allowed_for(list(dict.fromkeys(curved)))} {curve} {references.cite('spline')}")
    if len(prevalences):
        said.append(f"{boxes.allowed_for(list(prevalences))} entered as prevalences on the logit scale")
    return f" Among these, {'; '.join(said)}; all columns were standardised." if said else ""


def _division(facts: ResearchFacts, references: _References) -> str:
    if not variation.parts(facts.rows("shares")):
        return ""
    return (
        f"At the highest rung{_added(facts)} the variance on that scale was divided between patients, setting, places, "
        f"practices and chance; the overlap of patients and setting was split by averaging over orders "
        f"{references.cite('lmg')}, the variance of fitted values was reduced by what estimation alone adds, and "
        f"intervals come from {number(DRAWS)} joint draws of all parameters."
    )


def _added(facts: ResearchFacts) -> str:
    covariates = facts.area.meta.get("covariates", {})
    more = [c for c in covariates.get(facts.top, []) if c not in covariates.get(facts.rung, [])]
    return f", which adds {boxes.allowed_for(more)}," if more else ""


def _found(facts: ResearchFacts, references: _References) -> str:
    rows = facts.records("levels", facts.rung)
    if not rows:
        return ""
    said = [
        f"{number(row['sd'], 3)} between {LEVEL[row['level']][1]} ({span(row['lower'], row['upper'], 3)})"
        for row in rows
    ]
    ratio = "odds" if facts.is_share else "rate"
    text = f"Standard deviations on the {facts.link} (95% profile-likelihood intervals) were {listed(said)}"
    median = number(rows[-1]["median_ratio"], 2)
    text += f"; the median {ratio} ratio between practices was {median} {references.cite('mor')}"
    if facts.rung != "M0":
        changes = [f"{_percent(row['change'])} ({LEVEL[row['level']][1]})" for row in rows if known(row["change"])]
        text += f". Beside the unadjusted model of the same practices the variances changed by {listed(changes)}"
    return text + "."


def _percent(change: float) -> str:
    whole = round(-100 * change)
    return "0%" if whole == 0 else f"{'+' if whole > 0 else '−'}{abs(whole)}%"


def _shares(facts: ResearchFacts) -> str:
    found = variation.parts(facts.rows("shares"))
    if not found:
        return ""
    said = [
        f"{variation.PART[name].lower()} {variation.percent(row['share'])}%{_ends(name, row)}"
        for name, row in found.items()
    ]
    return f"The variance divides into {listed(said)} (95% intervals)."


def _ends(name: str, row: Row) -> str:
    said = variation.interval(row).removeprefix("95% interval ") if name != "noise" else ""
    return f" ({said})" if said else ""


def _judging(facts: ResearchFacts, references: _References) -> str:
    if facts.record("spread", facts.rung, comparator="england") is None:
        return ""
    return (
        "Single practices were compared with what is expected of practices like them through z-scores on the same "
        f"scale with an additive shared variance {references.cite('funnel')}, estimated with its centre by Huber's "
        f"Proposal 2 within the Paule-Mandel equation {references.cite('huber', 'pm')} at 10% trimming; no place's "
        "effect is taken off a practice."
    )


def _flags(facts: ResearchFacts) -> str:
    row = facts.record("spread", facts.rung, comparator="england")
    if row is None:
        return ""
    return (
        f"The shared variance was {figures(row['tau2'])}; {number(row['flagged_95'])} of {number(row['n'])} practices "
        f"lay outside the 95% limits and {number(row['flagged_99_8'])} outside the 99.8% limits, where a normal spread "
        f"gives {number(row['expected_flags_95_normal'])} and {number(row['expected_flags_99_8_normal'])}, and a t "
        f"with {number(row['t_df'], 1)} degrees of freedom {number(row['expected_flags_95_t'])} and "
        f"{number(row['expected_flags_99_8_t'])}."
    )


def _chance(facts: ResearchFacts) -> str:
    row = passing.used(facts.area.analysis.passing)
    if row is None:
        return (
            "Totals of one period cannot separate passing movement from lasting differences: chance is the chance of "
            "sampling alone."
        )
    how = "an assumed" if row["rho_from"] == "assumed" else "an estimated"
    return (
        f"Passing movement was measured from {_stretches(row)} in {number(row['units'])} practices (correlation of the "
        f"two figures {number(row['correlation'], 3)}, SD of their difference {figures(row['sd_difference'])}, by "
        f"sampling alone {figures(row['sampling_sd'])}); it includes changes that last. Its variance was "
        f"{figures(row['v'])} for one month (SE {figures(row['v_se'], 2)}; {figures(row['v_robust'])} without the "
        f"weight of outlying changes) and {figures(row['v_period'])} for the mean over the period, at {how} "
        f"correlation of {number(row['rho'], 2)} between one month and the next. Of the lowest tenth of practices "
        f"{number(100 * row['stay_observed'])}% were in the lowest tenth both times, where figures of that correlation "
        f"with a normal spread give {number(100 * row['stay_expected'])}%."
    )


def _stretches(row: Row) -> str:
    if row["second"] == "each month":
        return f"the months of {passing.stretch(row['first'])}"
    return f"{passing.stretch(row['first'])} against {passing.stretch(row['second'])}"


def _made_with(facts: ResearchFacts, references: _References) -> str:
    tested = (
        f" ICB means of the design were tested beside practices' own values {references.cite('mundlak')}."
        if len(facts.rows("board_slopes"))
        else ""
    )
    run = facts.area.run
    return (
        "Coefficients describe practices, not patients, and are not interpreted; what is not explained by what was "
        f"measured is not thereby unwarranted.{tested} Analyses were made with gpvar "
        f"{plain(run.meta.get('versions', {}).get('gpvar', ''))} (seed {run.study.seed}, run "
        f"{plain(run.meta.get('key', ''))[:16]})."
    )


def _mundlak(facts: ResearchFacts) -> str:
    slopes = facts.rows("board_slopes")
    if slopes.empty:
        return ""
    p = float(slopes["p_all"].iloc[0])
    said = "differed" if p < SIGNIFICANT else "were not seen to differ"
    return f"Slopes within and between ICBs {said} ({p_said(p)}, all terms together)."


def citation(run: Run) -> str:
    """Return how the software and the run are cited."""
    version = plain(run.meta.get("versions", {}).get("gpvar", ""))
    year = plain(run.meta.get("created", ""))[:4]
    return (
        f"{AUTHORS}. {SOFTWARE}. Version {escape_markdown(version)}{f', {year}' if year else ''}. "
        f"Run {plain(run.meta.get('key', ''))[:16]}. And the publications under Sources."
    )
