"""Every column of every table gpvar writes: name, type, unit and meaning."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from gpvar.errors import TableError
from gpvar.schema import _letter, _practice, _reconciliation, _robustness, _variation
from gpvar.schema._about import ABOUT
from gpvar.schema._column import PRACTICE as _PRACTICE
from gpvar.schema._column import RUNG, Column, columns

__all__ = ["ABOUT", "TABLES", "Column", "data_dictionary", "names"]


_METRIC = ("metric", "code", "", "Id of the metric's card")
_COMPARATOR = (
    "comparator",
    "code",
    "",
    "What the practice is compared with: england, or own_icb (the other practices of its board)",
)

OUTCOMES = columns(
    _PRACTICE,
    _METRIC,
    (
        "numerator",
        "number",
        "events",
        "Count on top of the figure, summed over the period; blank when missing or hidden",
    ),
    (
        "denominator",
        "number",
        "events or patient-months",
        "Count or exposure below the figure, summed over the period; blank when missing",
    ),
    ("numerator_low", "number", "events", "The least the numerator can be; equals it unless the count was hidden"),
    ("numerator_high", "number", "events", "The most the numerator can be; equals it unless the count was hidden"),
    ("denominator_low", "number", "events or patient-months", "The least the denominator can be"),
    ("denominator_high", "number", "events or patient-months", "The most the denominator can be"),
    ("months", "number", "months", "Months that the figure rests on"),
    (
        "state",
        "text",
        "",
        "Blank, 'suppressed' (a count was hidden because it is small) or 'missing' (never taken as nought)",
    ),
)

PRACTICES = columns(
    _PRACTICE,
    ("practice_name", "text", "", "Name as in the source; text from a file, never interpreted"),
    ("list_size", "number", "patients", "Registered patients, the mean over the period where months are given"),
    ("list_jump_pct", "number", "per cent", "Largest change of the list from one month to the next within the period"),
    (
        "COVARIATE",
        "number or text",
        "see the covariate's card",
        "A characteristic held in one column, under its id (imd2025, rurality)",
    ),
    ("COVARIATE.PART", "number", "share, 0 to 1", "One of several columns of a characteristic (age_sex.share_85plus)"),
    ("COVARIATE.numerator", "number", "patients", "Patients on the register of a recorded disease"),
    ("COVARIATE.denominator", "number", "patients", "The total list that the register is a part of"),
)

HIERARCHY = columns(
    _PRACTICE,
    ("pcn_code", "code", "", "Primary care network; 'QHM U' stands for the practices of QHM that have none"),
    ("pcn_key", "code", "", "Board and network together: a network that straddles two boards counts as two"),
    ("sub_icb_code", "code", "", "Sub-ICB location"),
    ("icb_code", "code", "", "Integrated care board"),
    ("icb_name", "text", "", "Name of the integrated care board"),
    ("region_code", "code", "", "NHS England region"),
    ("map_date", "text", "", "Date of the published map that this row is from; blank for the study's own table"),
)

GROUPS = columns(
    _PRACTICE,
    ("list", "code", "", "Id of one of the study's lists, such as neighbourhoods"),
    ("group", "text", "", "The group of that list to which the practice belongs"),
)

EVENTS = columns(
    ("code", "code", "", "The practice to which something happened"),
    ("event", "code", "", "merged, closed, opened, code_changed or split"),
    ("date", "text", "", "When"),
    ("successor", "code", "", "The practice that took its patients on; blank where there is none"),
    ("done", "text", "", "What was done about it; what nobody confirmed is not used"),
)

PROVENANCE = columns(
    ("source", "code", "", "Id of the source in the study, or 'area list'"),
    ("file", "text", "", "Name of the file, without its folder"),
    ("sheet", "text", "", "Sheet of a workbook; blank for other files"),
    ("sha256", "code", "", "SHA-256 of the file as it was read: the same file always gives the same sum"),
    ("bytes", "whole number", "bytes", "Size of the file"),
    ("rows_read", "whole number", "rows", "Rows of data in the file"),
    ("rows_kept", "whole number", "rows", "Rows used"),
    ("rows_dropped", "whole number", "rows", "Rows not used"),
    ("reason", "text", "", "Why rows were not used"),
    ("edition", "text", "", "Edition of the publication, where the study states it"),
    ("dates", "text", "", "Dates of the characteristics, as the study states them"),
)

UNMATCHED = columns(
    _PRACTICE,
    ("side", "text", "", "Where the practice was found or asked for, and where it was not found"),
    ("detail", "text", "", "The file, list or value concerned"),
)

GATES = columns(
    ("gate", "code", "", "Id of the check in the catalogue; it names the fault"),
    ("severity", "text", "", "stop (the data cannot answer), warn or note"),
    ("state", "text", "", "passed, failed or could not be checked"),
    ("practice_code", "code", "", "The practice that failed; blank for a finding about the whole table"),
    ("metric", "code", "", "The metric concerned; blank for every metric"),
    ("value", "number", "", "The number that was looked at; blank where there is none"),
    ("detail", "text", "", "The finding in a few words"),
)

EXCLUDED = columns(
    _PRACTICE,
    ("gate", "code", "", "The gate for which the practice is left out of the fit; it is still placed against it"),
)

ANALYSIS_PRACTICES = columns(
    _PRACTICE,
    RUNG,
    _COMPARATOR,
    ("observed", "number", "events", "Numerator of the practice's figure; blank when it was hidden"),
    ("observed_low", "number", "events", "The least it can be; equals it unless the count was hidden"),
    ("observed_high", "number", "events", "The most it can be"),
    ("denominator", "number", "events or patient-months", "Denominator of the practice's figure"),
    ("value", "number", "share, or events per patient-month", "Observed divided by denominator"),
    ("centre", "number", "as value", "What is expected of a practice like it, on the scale on which it is judged"),
    (
        "expected",
        "number",
        "events",
        "Count expected of a practice like it; over the practices in the fit these sum to the observed",
    ),
    ("ratio", "number", "", "Observed divided by expected"),
    ("ratio_lower", "number", "", "Lower end of the 95 % interval of the ratio (sampling alone)"),
    ("ratio_upper", "number", "", "Upper end of the 95 % interval of the ratio (sampling alone)"),
    ("adjusted", "number", "as value", "The figure it would show with England's mix of patients"),
    ("difference", "number", "as value", "Value minus centre"),
    (
        "difference_lower",
        "number",
        "as value",
        "Lower end of its 95 % interval, by chance alone",
    ),
    ("difference_upper", "number", "as value", "Upper end of its 95 % interval, by chance alone"),
    ("lower_95", "number", "as value", "Lower 95 % limit among practices as they are, at this practice's size"),
    ("upper_95", "number", "as value", "Upper 95 % limit among practices as they are"),
    ("lower_99_8", "number", "as value", "Lower 99.8 % limit among practices as they are"),
    ("upper_99_8", "number", "as value", "Upper 99.8 % limit among practices as they are"),
    (
        "sampling_lower_95",
        "number",
        "as value",
        "Lower 95 % limit of chance (sampling, and passing movement where known)",
    ),
    ("sampling_upper_95", "number", "as value", "Upper 95 % limit of chance alone"),
    ("sampling_lower_99_8", "number", "as value", "Lower 99.8 % limit of chance alone"),
    ("sampling_upper_99_8", "number", "as value", "Upper 99.8 % limit of chance alone"),
    ("middle_lower", "number", "as value", "Lower end of the middle 95 % of practices with the same expectation"),
    ("middle_upper", "number", "as value", "Upper end of the middle 95 % of practices with the same expectation"),
    ("z_sampling", "number", "standard deviations", "Distance from the centre in units of chance alone"),
    (
        "z",
        "number",
        "standard deviations",
        "Distance from the centre in units of chance and the shared spread together",
    ),
    ("p", "number", "probability", "Two-sided p-value of z"),
    ("q", "number", "probability", "p-value allowing for the number of practices (false discovery rate)"),
    (
        "flag_sampling",
        "code",
        "",
        "Widest limit of chance alone that is crossed: low_95, high_99_8 and so on, or blank",
    ),
    ("flag", "code", "", "Widest limit among practices as they are that is crossed, or blank"),
    (
        "position",
        "code",
        "",
        "Where the practice stands: not_decidable, no_detectable_difference, usual, unusual, far_outside",
    ),
    ("movement", "code", "", "What allowing for patients did to the position, from M0 to this rung"),
    (
        "explained_share",
        "number",
        "share",
        "Part of the raw difference that goes away at this rung; blank when not flagged at M0",
    ),
    ("percentile", "number", "0 to 100", "Share of the practices compared, all with sound data, that are lower"),
    ("rank", "whole number", "", "Place among comparable practices, 1 the lowest"),
    ("ranked", "whole number", "practices", "How many practices were ranked"),
    ("gap_count", "number", "events", "Observed minus what the centre implies, over the period"),
    ("gap_per_week", "number", "events a week", "The same gap for a week"),
    (
        "exceeds_margin",
        "yes/no",
        "",
        "Whether the difference is larger than the margin on the metric's card; no where there is none",
    ),
    ("in_fit", "yes/no", "", "Whether the practice took part in the fit"),
    ("link_residual", "number", "link scale", "Distance from the centre on the scale of the model"),
)

SPREAD = columns(
    RUNG,
    _COMPARATOR,
    ("n", "whole number", "practices", "Practices from which the spread was measured"),
    ("p", "whole number", "terms", "Terms of the adjustment"),
    (
        "tau2",
        "number",
        "link scale, squared",
        "Variance shared by many practices, beyond chance: places included, passing movement left out where known",
    ),
    ("tau", "number", "link scale", "Its square root"),
    (
        "transient",
        "number",
        "link scale, squared",
        "Variance by passing movement over the period, counted as chance; blank where it is not known",
    ),
    ("centre_link", "number", "link scale", "Robust centre"),
    ("centre", "number", "share, or events per patient-month", "Robust centre in the metric's own unit"),
    (
        "expected_total_ratio",
        "number",
        "",
        "Factor that makes expected counts sum to observed ones; far from 1 means the spread is not normal",
    ),
    ("middle_lower", "number", "as centre", "Lower end of the middle 95 % of practices at the typical centre"),
    ("middle_upper", "number", "as centre", "Upper end of the middle 95 % of practices"),
    ("skewness", "number", "", "Skewness of the distances; 0 for a normal spread"),
    ("kurtosis", "number", "", "Excess kurtosis of the distances; 0 for a normal spread"),
    ("flagged_95", "whole number", "practices", "Practices outside the 95 % limits"),
    ("flagged_99_8", "whole number", "practices", "Practices outside the 99.8 % limits"),
    ("expected_flags_95_normal", "number", "practices", "Practices a normal spread would put outside the 95 % limits"),
    (
        "expected_flags_99_8_normal",
        "number",
        "practices",
        "Practices a normal spread would put outside the 99.8 % limits",
    ),
    ("expected_flags_95_t", "number", "practices", "The same for a fitted t spread"),
    ("expected_flags_99_8_t", "number", "practices", "The same for a fitted t spread"),
    ("t_df", "number", "degrees of freedom", "Degrees of freedom of the fitted t"),
    ("phi", "number", "", "Over-dispersion: how much larger the spread is than chance alone"),
    ("overdispersion_p", "number", "probability", "p-value of a spread no larger than chance"),
)

METHODS = columns(
    ("method", "code", "", "How limits are drawn"),
    RUNG,
    ("scope", "code", "", "area or england"),
    ("n", "whole number", "practices", "Practices judged"),
    ("flagged_low_95", "whole number", "practices", "Below the 95 % limits"),
    ("flagged_high_95", "whole number", "practices", "Above the 95 % limits"),
    ("flagged_low_99_8", "whole number", "practices", "Below the 99.8 % limits"),
    ("flagged_high_99_8", "whole number", "practices", "Above the 99.8 % limits"),
)

FITS = columns(
    RUNG,
    ("term", "code", "", "Column of the design"),
    ("covariate", "code", "", "Id of the covariate the term belongs to"),
    ("transform", "code", "", "How the covariate enters"),
    (
        "estimate",
        "number",
        "link scale",
        "Point estimate of the fit in models; describes practices, not patients, and is not interpreted",
    ),
    ("centre", "number", "", "Constant taken off before the fit"),
    ("scale", "number", "", "Constant divided by before the fit"),
    ("knots", "text", "", "Knots of a spline"),
    ("note", "text", "", "What must be said about the term"),
)

CALIBRATION = columns(
    RUNG,
    ("scope", "code", "", "area or england"),
    ("n", "whole number", "practices", "Practices compared"),
    ("mean_residual", "number", "link scale", "Mean distance from what England's fit expects"),
    ("slope", "number", "", "Slope of observed on expected; 1 when England's fit describes the area"),
    ("slope_lower", "number", "", "Lower end of its 95 % interval"),
    ("slope_upper", "number", "", "Upper end of its 95 % interval"),
    ("sd_within", "number", "link scale", "Standard deviation of the distances within the area"),
)

#: Table name → its columns; the name is also that of the CSV file.
TABLES: dict[str, tuple[Column, ...]] = {
    "outcomes": OUTCOMES,
    "periods": _practice.PERIODS,
    "practices": PRACTICES,
    "hierarchy": HIERARCHY,
    "groups": GROUPS,
    "events": EVENTS,
    "provenance": PROVENANCE,
    "unmatched": UNMATCHED,
    "gates": GATES,
    "excluded": EXCLUDED,
    "analysis_practices": ANALYSIS_PRACTICES,
    "spread": SPREAD,
    "methods": METHODS,
    "fits": FITS,
    "calibration": CALIBRATION,
    **_variation.TABLES,
    **_practice.TABLES,
    **_robustness.TABLES,
}

#: Tables that are made for what is sent, and stored nowhere: neighbours without their codes, findings on a letter.
_SENT: dict[str, tuple[Column, ...]] = {
    "similar": _practice.SIMILAR,
    **_letter.TABLES,
    **_reconciliation.TABLES,
    **_robustness.SHEETS,
}


def names(table: str) -> list[str]:
    """Return the column names of a table, in order."""
    return [column.name for column in _table(table)]


def data_dictionary(tables: Iterable[str]) -> pd.DataFrame:
    """Describe every column of the named tables.

    Parameters
    ----------
    tables
        Names of tables, keys of `TABLES`.

    Returns
    -------
    DataFrame
        One row per column: table, column, type, unit, meaning.
    """
    rows = [
        (table, column.name, column.type, column.unit, column.meaning) for table in tables for column in _table(table)
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "unit", "meaning"])


def _table(name: str) -> tuple[Column, ...]:
    found = TABLES | _SENT
    if name not in found:
        raise TableError(
            f"There is no table called '{name}'.", "gpvar.schema.TABLES", f"It is one of: {', '.join(TABLES)}."
        )
    return found[name]
