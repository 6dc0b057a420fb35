"""The notes that lie beside tables and draws for researchers: plain text, the same for the same run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gpvar import catalogue, schema, store
from gpvar.words import sources
from gpvar.words.research_paper import AUTHORS, SOFTWARE
from gpvar.words.text import known, number, plain, plural

if TYPE_CHECKING:
    from gpvar.analysis.draws import ModelDraws
    from gpvar.results import Run

_WIDE, _NAME = 110, 14
_TWICE = (
    "MODELS. Where the highest rung allows for what some practices lack, lower rungs are fitted twice. models, fits "
    "and draws are of all practices with what their own rung allows for; levels, coefficients, shares and rungs are of "
    "those with all that the highest rung allows for, so that variances can be compared (n in models and in rungs)."
)


def research_readme(run: Run) -> str:
    """Return the note that lies beside the tables: plain text, the same for the same run."""
    versions = ", ".join(f"{plain(k)} {plain(v)}" for k, v in run.meta.get("versions", {}).items())
    simulated = ["SIMULATED DATA: invented practices, not real ones.", ""] if run.meta.get("simulated") else []
    lines = [
        f"Tables of the study: {plain(run.study.title)}",
        f"{plain(run.study.period.label)}",
        "",
        *simulated,
        f"Run key   {plain(run.meta.get('key', ''))}",
        f"Seed      {run.study.seed}",
        f"Declared  {run.study.declared}",
        f"Versions  {versions}",
        "",
        *_files(run),
        "data_dictionary.csv   every column of every file: type, unit, meaning",
        "",
        *textwrap.wrap(_TWICE, _WIDE),
        "",
        "Every table is there twice, as CSV and as Parquet, with the same numbers. CSV is UTF-8 with a comma, text in",
        "quotation marks; a missing number is blank, a missing text is empty. A text that begins with = + - @ has an",
        "apostrophe before it in the CSV, so that no spreadsheet takes it for a formula; in the Parquet it is as it",
        "was read. The same run gives the same bytes on one platform.",
        "",
        "PRIVATE. The tables name every practice, and may hold counts that somebody supplied in confidence or that",
        "were hidden because they are small (numerator_low, numerator_high): deposit none of it without looking.",
        "",
        "Joint draws of coefficients, standard deviations and effects:  python run.py draws STUDY METRIC",
        "In Python:  import gpvar; run = gpvar.load_run('STUDY'); gpvar.draws(run, 'METRIC')",
        "",
        "Coefficients describe practices, not patients, and are not interpreted.",
        f"Cite as: {AUTHORS}. {SOFTWARE}. Version {plain(run.meta.get('versions', {}).get('gpvar', ''))}.",
        f"Run {plain(run.meta.get('key', ''))}. And the publications:",
        *textwrap.wrap(_licences(run), _WIDE),
        "",
    ]
    return "\n".join(lines)


def _files(run: Run) -> list[str]:
    """Return a line for each table, under the folder that it is in."""
    lines = ["table/   what was read"]
    lines += [line for name in store.TABLE for line in _file(name, name)]
    lines += ["", f"METRIC/   what was found, one folder each: {', '.join(run.analyses)}"]
    lines += [line for name in store.ANALYSIS for line in _file(name, store.schema_of(name))]
    return lines + [line for name in store.MULTIVERSE.values() if run.multiverse for line in _file(name, name)]


def _file(name: str, table: str) -> list[str]:
    indent = " " * (_NAME + 4)
    return textwrap.wrap(f"  {name:<{_NAME}}  {schema.ABOUT[table]}", _WIDE, subsequent_indent=indent)


def _licences(run: Run) -> str:
    """Return the attribution lines of every publication behind the tables."""
    columns = {str(name).partition(".")[0] for name in run.table.practices.columns}
    covariates = sorted(columns & set(catalogue.covariates()))
    simulated = bool(run.meta.get("simulated"))
    said = (sources.licences(catalogue.metric(metric), covariates, simulated) for metric in run.analyses)
    return " ".join(dict.fromkeys(said))


def draws_readme(run: Run, drawn: ModelDraws) -> str:
    """Return the note that lies beside draws."""
    effects = sum(frame.shape[1] for frame in drawn.effects.values())
    lines = [
        f"Joint draws from the model of {drawn.metric} at {drawn.rung}, study: {plain(run.study.title)}",
        "",
        f"Run key   {plain(run.meta.get('key', ''))}",
        f"Draws     {number(len(drawn.fixed))}, seed {drawn.seed} (with the measure's id it makes the generator's)",
        f"Practices {number(len(drawn.design))} with all that {drawn.rung} allows for and a known ICB (as models.csv)",
        *_fewer(run, drawn),
        f"Model     log-likelihood {drawn.loglik:.6f}, fitted again; stored with the run {drawn.stored_loglik:.6f}",
        "",
        f"fixed     {plural(drawn.fixed.shape[1], 'coefficient')}, CSV and Parquet",
        f"sds       {plural(drawn.sds.shape[1], 'standard deviation')} of the effects, CSV and Parquet",
        f"effects_LEVEL.parquet   {plural(effects, 'effect')}, a column for each unit, single precision",
        "design    the practices of the fit: their places, and the standardised columns; CSV and Parquet",
        "",
        "Row i of every file is draw i of everything, so that what one draw says can be computed from all of them.",
        "For draw i the linear predictor of a practice is design . fixed[i] + its effect at every level; on the scale",
        "of the figure that is 1/(1 + exp(-x)) for a share and exp(x) for a rate.",
        "",
        "Coefficients and standard deviations are drawn from the normal approximation at the maximum, in the logarithm",
        "of the standard deviations; one that is known only roughly, or lies at zero, is drawn on its own scale.",
        "Effects are drawn from their normal distribution given those. Effects of practices hold passing movement.",
        "",
        *textwrap.wrap(_beside_effects(run, drawn), _WIDE),
        "",
        "PRIVATE. The effects name every practice. Coefficients describe practices, not patients.",
        "",
    ]
    return "\n".join(lines)


def _fewer(run: Run, drawn: ModelDraws) -> list[str]:
    """Return that levels.csv and coefficients.csv are of fewer practices, where they are."""
    levels = run.analyses[drawn.metric].levels
    here = levels.loc[(levels["rung"] == drawn.rung) & (levels["level"] == "practice"), "units"]
    if here.empty or int(here.iloc[0]) == len(drawn.design):
        return []
    many = number(here.iloc[0])
    return [f"          (levels.csv and coefficients.csv: {many}, those with all that the highest rung allows for)"]


def _beside_effects(run: Run, drawn: ModelDraws) -> str:
    """Return how the draws give the numbers of effects.csv, whose random numbers are others."""
    analysis = run.analyses[drawn.metric]
    headline = str(analysis.meta["headline_rung"])
    if drawn.rung != headline:
        return f"effects.csv is made with the model of {headline}, at both its rungs; these draws are of another model."
    spread = analysis.spread
    v = spread.loc[(spread["rung"] == drawn.rung) & (spread["comparator"] == "england"), "transient"]
    lasting = "effects.csv takes a practice's effect whole, because passing movement is not known"
    if len(v) and known(v.iloc[0]):
        lasting = (
            "effects.csv keeps only the lasting part p of a practice's effect u: in each draw p given u is "
            f"N(u*t/(t+v), t*v/(t+v)), where v = {v.iloc[0]:.6g} (spread.csv, transient) and t is the square of "
            "the practices' SD (sds) less v, or 0"
        )
    return (
        f"{lasting}. Its effect is board + network + practice less the funnel's centre (spread.csv, centre_link); "
        "its random numbers are a stream of its own, so that these draws agree with it within "
        "Monte-Carlo error."
    )


def draws_size(n: int, terms: int, levels: int, effects: int, size: int) -> str:
    """Return what is about to be drawn, and how much room it takes."""
    said = f"{number(n)} joint draws of {plural(terms, 'coefficient')} and {plural(levels, 'SD')}"
    if not effects:
        return f"{said}, without effects."
    return f"{said.replace(' and ', ', ')} and {plural(effects, 'effect')}: about {number(max(size / 1e6, 1))} MB."


def draws_written(drawn: ModelDraws, folder: object) -> str:
    """Return that the draws are written, and that the model was the stored one."""
    return (
        f"The model fitted again is the stored one (log-likelihood {drawn.loglik:.4f}, stored "
        f"{drawn.stored_loglik:.4f}).\nThe draws, with a dictionary and a note: {folder}"
    )
