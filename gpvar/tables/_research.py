"""The tables of the methods page for researchers. Nothing is computed; no practice and no other ICB is named."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpvar.tables._table import Table
from gpvar.words import passing, phrases
from gpvar.words.research_facts import (
    LEVEL,
    ResearchFacts,
    check_title,
    figures,
    label,
    left_out,
    p_value,
    research_facts,
    small,
    span,
)
from gpvar.words.text import known, number

if TYPE_CHECKING:
    from gpvar.results import Run

NOTHING = ""
_CHECK = {
    "outside_2": "Quantile residuals beyond ±2 (%)",
    "outside_3": "Quantile residuals beyond ±3 (%)",
    "zeros": "Counts of nought",
    "influence": "Most that leaving out one {place} moves a coefficient (SEs)",
    "influential_units": "{Places} that move some coefficient by more than its SE",
    "reliability": "Mean reliability of the effects of {places}",
    "skewness": "Skewness of the effects of {places}",
    "kurtosis": "Excess kurtosis of the effects of {places}",
    "events": "Mean events, of the rarer outcome, in a {place}",
    "events_below_5": "{Places} with fewer than 5 events (%)",
}
_PER_CENT = ("outside_2", "outside_3", "events_below_5")
#: Of every level the same question would fill the page; the smallest units are the ones that may have too few events.
_ONLY_PRACTICES = ("events", "events_below_5")
_QUANTILES = {0.0: "Lowest", 0.05: "5%", 0.25: "25%", 0.5: "Median", 0.75: "75%", 0.95: "95%", 1.0: "Highest"}
_RULES = {
    "full": "rank with its interval",
    "interval": "interval of the rank only",
    "none": "no rank",
    "sampling_only": "no rank: passing movement is not known",
}


def _table(facts: ResearchFacts, rows: list[dict[str, str]], caption: str, notes: str, name: str) -> Table | str:
    """Return the table; nothing to show where it has no rows."""
    return Table(pd.DataFrame(rows), caption, notes, f"area_{facts.area.card.id}_{name}") if rows else NOTHING


def methods_design(run: Run, metric: str = "") -> Table | str:
    """Return every column of the highest rung's design, with the constants that make it again."""
    facts = research_facts(run, metric)
    first = {t: r for r in (facts.top, facts.rung) for t in facts.rows("fits", r)["term"]}
    rows = [
        {
            "Column": row["term"],
            "How it enters": row["transform"],
            "Mean, taken off": figures(row["centre"], 6),
            "SD, divided by": figures(row["scale"], 6),
            "Knots": str(row["knots"]) or "none",
            "From": label(first[row["term"]]),
        }
        for row in facts.records("fits", facts.top)
        if row["covariate"]
    ]
    note = "Constants to six figures, at the highest rung; every rung's in full are in fits.csv."
    return _table(facts, rows, f"Columns of the design at {label(facts.top)}.", note, "design")


def methods_coefficients(run: Run, metric: str = "") -> Table | str:
    """Return the coefficients of the headline and of the highest rung."""
    facts = research_facts(run, metric)
    rungs = list(dict.fromkeys((facts.rung, facts.top)))
    by = {rung: {r["term"]: r for r in facts.records("coefficients", rung)} for rung in rungs}
    rows = []
    for term in by[facts.top]:
        row = {"Term": term}
        for rung in rungs:
            found = by[rung].get(term)
            row[f"{label(rung)}: β (SE)"] = _estimate(found)
            row[f"{label(rung)}: 95%"] = "" if found is None else _ends(found)
        rows.append({name: value or "not in it" for name, value in row.items()})
    caption = f"Coefficients of the standardised columns, on the {facts.link}."
    note = "β: change for one standard deviation of the column; SE from the Hessian in all parameters; Wald intervals."
    return _table(facts, rows, caption, note, "coefficients")


def _decimals(se: float) -> int:
    """Return the decimals that show two figures of a standard error."""
    return min(max(1 - math.floor(math.log10(se)), 2), 6) if known(se) and se > 0 else 3


def _estimate(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if not known(row["estimate"]):
        return "no estimate"
    places = _decimals(row["se"])
    return f"{number(row['estimate'], places)} ({number(row['se'], places)})"


def _ends(row: dict[str, Any]) -> str:
    return span(row["lower"], row["upper"], _decimals(row["se"]))


def methods_variances(run: Run, metric: str = "") -> Table | str:
    """Return SDs with profile intervals, variances, their change, and median ratios, at every rung."""
    facts = research_facts(run, metric)
    ratio = "Median odds ratio" if facts.is_share else "Median rate ratio"
    rows = [
        {
            "Rung, level": f"{label(row['rung'])}, {LEVEL[row['level']][0]}",
            "Units": number(row["units"]),
            "SD (95% profile)": f"{number(row['sd'], 4)} ({span(row['lower'], row['upper'], 4)})",
            "Variance": figures(row["variance"]),
            "Change from M0": "none" if row["rung"] == "M0" else _change(row["change"]),
            ratio: number(row["median_ratio"], 3),
        }
        for row in facts.records("levels")
    ]
    return _table(facts, rows, "Random intercepts.", "", "variances")


def _change(share: float) -> str:
    return f"{number(-100 * share, 1)}%" if known(share) else "not known"


def methods_evidence(run: Run, metric: str = "") -> Table | str:
    """Return the fit of every rung: likelihood, criteria, convergence."""
    facts = research_facts(run, metric)
    rows = [
        {
            "Rung": label(row["rung"]),
            "n": number(row["n"]),
            "Parameters": number(row["parameters"]),
            "Log-likelihood": number(row["loglik"], 3),
            "AIC": number(row["aic"], 2),
            "Largest gradient": small(row["gradient"]),
            "Condition": number(row["condition"], 1),
        }
        for row in facts.records("models")
    ]
    note = "Gradient and condition number of the Hessian in standardised parameters."
    return _table(facts, rows, "The models that practices are judged by.", note, "models")


def methods_diagnostics(run: Run, metric: str = "") -> Table | str:
    """Return what was looked at in the headline's model."""
    facts = research_facts(run, metric)
    rows = [
        {
            "What was looked at": _looked(row),
            "Found": _found(row, "value"),
            "If the model held": f"{_found(row, 'expected')}{_error(row)}" if known(row["expected"]) else "no figure",
            "p": p_value(row["p"]),
        }
        for row in facts.records("diagnostics", facts.rung)
        if row["check"] in _CHECK and not (row["check"] in _ONLY_PRACTICES and row["level"] != "practice")
    ]
    note = "In brackets the standard error if the model held. Quantile residuals are randomised with the study's seed."
    return _table(facts, rows, f"Diagnostics of the model at {label(facts.rung)}.", note, "diagnostics")


def _looked(row: dict[str, Any]) -> str:
    one, many = LEVEL.get(row["level"], ("unit", "units"))
    said = _CHECK[row["check"]].format(place=one, places=many, Places=many[0].upper() + many[1:])
    return f"{said}: {row['term']}" if row["term"] else said


def _found(row: dict[str, Any], column: str) -> str:
    if row["check"] == "influential_units":
        return number(row[column])
    return figures(100 * row[column]) if row["check"] in _PER_CENT else figures(row[column])


def _error(row: dict[str, Any]) -> str:
    return f" ({_found(row, 'se')})" if known(row["se"]) else ""


def methods_spread(run: Run, metric: str = "") -> Table | str:
    """Return the spread practices are judged by: its shape, and flags beside those expected."""
    facts = research_facts(run, metric)
    model = {row["rung"]: row for row in facts.records("rungs")}
    rows = []
    for row in facts.records("spread"):
        beside = model.get(row["rung"], {}) if row["comparator"] == "england" else {}
        rows.append(
            {
                "Rung, comparator": facts.area.plain_names.label(row["rung"], row["comparator"]),
                "τ²": figures(row["tau2"]),
                "Model's variance": figures(beside["model_variance"]) if beside else "not compared",
                "Skewness, excess kurtosis": f"{number(row['skewness'], 2)}, {number(row['kurtosis'], 2)}",
                "Outside 95% (normal, t)": _flags(row, "95"),
                "Outside 99.8% (normal, t)": _flags(row, "99_8"),
                "df of that t": number(row["t_df"], 1),
            }
        )
    caption = (
        "The spread that practices are judged by, its shape, and practices outside the limits beside those expected."
    )
    return _table(facts, rows, caption, "", "shape")


def _flags(row: dict[str, Any], limit: str) -> str:
    expected = [number(row[f"expected_flags_{limit}_{shape}"]) for shape in ("normal", "t")]
    return f"{number(row[f'flagged_{limit}'])} ({', '.join(expected)})"


def methods_calibration(run: Run, metric: str = "") -> Table | str:
    """Return how the fit describes the area, at every rung."""
    facts = research_facts(run, metric)
    rows = [
        {
            "Rung": label(row["rung"]),
            "Practices": number(row["n"]),
            "Mean residual": number(row["mean_residual"], 3),
            "Slope (95%)": _slope(row) if row["rung"] != "M0" else "none: one expectation for all",
            "SD within": number(row["sd_within"], 3),
        }
        for row in facts.records("calibration")
    ]
    caption = f"The fit on {facts.area.plain_names.reference} in {facts.area.name}, on the {facts.link}."
    return _table(facts, rows, caption, "", "calibration_by_rung")


def _slope(row: dict[str, Any]) -> str:
    if not known(row["slope"]):
        return "not known"
    return f"{number(row['slope'], 2)} ({span(row['slope_lower'], row['slope_upper'], 2)})"


def methods_mundlak(run: Run, metric: str = "") -> Table | str:
    """Return what an ICB's mean of each column adds to the practice's own value."""
    facts = research_facts(run, metric)
    rows = [
        {"Term": row["term"], "ICB mean adds (SE)": _estimate(row), "95%": _ends(row), "p": p_value(row["p"])}
        for row in facts.records("board_slopes")
    ]
    caption = f"Mundlak's check at {label(facts.rung)}: what an ICB's mean adds to the practice's own value."
    return _table(facts, rows, caption, "", "mundlak")


def methods_passing(run: Run, metric: str = "") -> Table | str:
    """Return what was measured of passing movement, a column for each assumption about neighbouring months."""
    facts = research_facts(run, metric)
    columns = {f"{number(row['rho'], 2)} ({row['rho_from']})": _moved(row) for row in facts.records("passing")}
    said = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [{"Correlation of months": name, **{of: column[name] for of, column in columns.items()}} for name in said]
    caption = "Passing movement under each assumption about the correlation of one month with the next."
    note = (
        f"SDs and variances on the {facts.link}. Robust: from the middle of the differences. Expected: figures of this "
        "correlation with a normal spread."
    )
    return _table(facts, rows, caption, note, "passing")


def _moved(row: dict[str, Any]) -> dict[str, str]:
    stay = f"{number(100 * row['stay_observed'])}% ({number(100 * row['stay_expected'])}%)"
    return {
        "Stretches": f"{_stretch(row['first'])} against {_stretch(row['second'])}",
        "Practices": number(row["units"]),
        "Correlation of the two figures": number(row["correlation"], 3),
        "SD of their difference (robust)": f"{figures(row['sd_difference'])} ({figures(row['sd_difference_robust'])})",
        "That SD by sampling alone": figures(row["sampling_sd"]),
        "In the lowest tenth both times (expected)": stay,
        "v of a month (SE)": f"{figures(row['v'])} ({figures(row['v_se'], 2)})",
        "v of a month, robust": figures(row["v_robust"]),
        "v of the period": figures(row["v_period"]),
        "Reliability, month": number(row["reliability_month"], 2),
        "Reliability, year": number(row["reliability_year"], 2),
        "Judged with": "yes" if row["used"] else "no",
    }


def _stretch(months: str) -> str:
    return months if months == "each month" else passing.stretch(months)


def methods_reliability(run: Run, metric: str = "") -> Table | str:
    """Return the distribution of reliability over practices, at the headline rung, and what it allows to be said."""
    facts = research_facts(run, metric)
    frame = facts.rows("effects", facts.rung)
    reliability = frame["reliability"].dropna()
    if reliability.empty:
        return NOTHING
    row = {name: _below_one(float(reliability.quantile(q))) for q, name in _QUANTILES.items()}
    allowed = frame["rule"].value_counts()
    said = "; ".join(f"{_RULES[rule]}: {number(allowed[rule])}" for rule in _RULES if rule in allowed)
    caption = f"Reliability of {number(len(reliability))} practices' figures at {phrases.RUNG_LABEL[facts.rung]}."
    return _table(facts, [row], caption, f"Practices by what may be said of their rank: {said}.", "reliability")


def _below_one(reliability: float) -> str:
    return ">0.999" if reliability > 0.9995 else number(reliability, 3)


def methods_flow(run: Run, metric: str = "") -> Table | str:
    """Return how many practices were in the data, why some set no comparison, and how many each rung was fitted on."""
    facts = research_facts(run, metric)
    meta = facts.area.meta
    rows = [{"Practices": "In the data", "How many": number(meta["n_practices"])}]
    excluded, stopped, rest = left_out(facts)
    for said, counted in (("Behind a check that stops", stopped), ("Left out as declared", excluded)):
        rows += [
            {"Practices": f"{said}, not met: {check_title(gate)}", "How many": number(many)}
            for gate, many in counted.items()
        ]
    if rest:
        rows.append({"Practices": "Without a figure, or not among those compared with", "How many": number(rest)})
    rows.append({"Practices": "Whose figures set the comparison", "How many": number(meta["n_fitted"])})
    rows += [
        {
            "Practices": f"Of them, with all that {label(row['rung'])} allows for and a known ICB: in its model",
            "How many": number(row["n"]),
        }
        for row in facts.records("models")
    ]
    note = "A practice can fail several checks. Those left out are placed against the comparison all the same."
    return _table(facts, rows, "From the data to the fit.", note, "flow")
