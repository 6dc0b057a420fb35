"""The notes that lie beside tables and draws for researchers: plain text, the same for the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words.research_paper import AUTHORS, SOFTWARE
from gpvar.words.text import number, plain, plural

if TYPE_CHECKING:
    from gpvar.analysis.draws import ModelDraws
    from gpvar.results import Run


def research_readme(run: Run) -> str:
    """Return the note that lies beside the tables: plain text, the same for the same run."""
    versions = ", ".join(f"{plain(k)} {plain(v)}" for k, v in run.meta.get("versions", {}).items())
    metrics = ", ".join(run.analyses)
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
        "table/    what was read: figures, characteristics, places, files with their SHA-256, checks",
        f"METRIC/   what was found, one folder each: {metrics}",
        "data_dictionary.csv   every column of every file: type, unit, meaning",
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
        "",
    ]
    return "\n".join(lines)


def draws_readme(run: Run, drawn: ModelDraws) -> str:
    """Return the note that lies beside draws."""
    effects = sum(frame.shape[1] for frame in drawn.effects.values())
    lines = [
        f"Joint draws from the model of {drawn.metric} at {drawn.rung}, study: {plain(run.study.title)}",
        "",
        f"Run key   {plain(run.meta.get('key', ''))}",
        f"Draws     {number(len(drawn.fixed))}, seed {drawn.seed}",
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
        "PRIVATE. The effects name every practice. Coefficients describe practices, not patients.",
        "",
    ]
    return "\n".join(lines)


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
