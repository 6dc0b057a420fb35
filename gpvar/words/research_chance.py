"""The sections of the methods page for researchers about chance: passing movement, and how reliable figures are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words import passing
from gpvar.words.research_facts import figures, research_facts
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.results import Run


def methods_passing(run: Run, metric: str = "") -> str:
    """Return what is known of passing movement, with its assumption."""
    facts = research_facts(run, metric)
    row = passing.used(facts.area.analysis.passing)
    if facts.area.analysis.passing.empty:
        return (
            "## Passing movement\n\nOne set of totals cannot show how far a practice's own figure moves from month to "
            "month. v is taken as nought; what is called chance is the chance of sampling alone, and reliabilities are "
            "upper bounds (rule *sampling_only*)."
        )
    said = ["v is the variance of one month's passing movement about a practice's lasting figure."]
    if row is not None:
        said.append(
            f"Practices are judged with v = {figures(row['v'])} (SE {figures(row['v_se'], 2)}) for a month and "
            f"{figures(row['v_period'])} for the mean over the period, at a correlation of one month with the next of "
            f"{number(row['rho'], 2)} ({row['rho_from']}); the other columns are the same data under other "
            "assumptions. Months taken as independent understate v of a long mean when they are not. Changes that last "
            "are in v too; its robust value, from the middle of the differences, leaves the largest out."
        )
    else:
        said.append("Practices are not judged with it here.")
    return "## Passing movement\n\n" + " ".join(said)


def methods_reliability(run: Run, metric: str = "") -> str:
    """Return what reliability is, and what it decides."""
    facts = research_facts(run, metric)
    if facts.area.analysis.effects.empty:
        return ""
    known_v = known(facts.transient)
    r = "r = τ²/(τ² + s² + v)" if known_v else "r = τ²/(τ² + s²), an upper bound: v is not known"
    return (
        f"## Reliability\n\n{r}, with τ² the shared variance that practices are judged by: places are in it, "
        f"{'passing movement is not' if known_v else 'and so is passing movement'}. Below 0.7 no rank is stated; from "
        "0.7 to 0.9 its interval only; 0.9 is necessary for a high-stakes claim, never sufficient."
    )
