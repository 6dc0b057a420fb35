"""The tables that say what one practice's figure is made of, and what may be said about its rank."""

from __future__ import annotations

from gpvar.schema._column import PRACTICE, RUNG, Column, columns

_LINK = "link scale"
_VARIANCE = "link scale, squared"

PERIODS = columns(
    PRACTICE,
    ("metric", "code", "", "Id of the metric's card"),
    ("start", "text", "", "First month, as 2025-04"),
    ("end", "text", "", "Last month"),
    ("months", "whole number", "months", "How many months the counts are of"),
    ("numerator", "number", "events", "Count on top of the figure in those months"),
    ("denominator", "number", "events or patient-months", "Count or exposure below it in those months"),
)

EFFECTS = columns(
    PRACTICE,
    RUNG,
    (
        "effect",
        "number",
        _LINK,
        "Lasting distance from what is expected, best estimate: effects of board and network and the lasting part of "
        "the practice's, less the funnel's centre (spread.centre_link); at M0 what the headline's model expects of the "
        "practice is added and the raw centre taken off. Where passing movement v is known the lasting part p of a "
        "practice's effect u is drawn from N(u t/(t + v), t v/(t + v)), t the model's variance of practices less v. A "
        "stream of random numbers of its own: draws made afterwards agree within Monte-Carlo error",
    ),
    ("effect_lower", "number", _LINK, "Lower end of its 95 % interval"),
    ("effect_upper", "number", _LINK, "Upper end of its 95 % interval"),
    ("shrunken", "number", "as value", "The best estimate of the lasting figure, with what this rung allows for"),
    ("shrunken_lower", "number", "as value", "Lower end of its 95 % interval"),
    ("shrunken_upper", "number", "as value", "Upper end of its 95 % interval"),
    (
        "between",
        "number",
        _VARIANCE,
        "The shared variance that practices are judged by (spread.tau2): places included, passing movement left out "
        "where it is known",
    ),
    ("sampling", "number", _VARIANCE, "Variance by the chance of sampling, at the fitted value"),
    ("transient", "number", _VARIANCE, "Variance by passing movement over the period; blank where it is not known"),
    ("reliability", "number", "share", "Part of the variance of figures like this one that lasts"),
    (
        "rule",
        "code",
        "",
        "What may be said of the rank: full, interval, none, or sampling_only (passing movement is not known)",
    ),
    ("rank_median", "number", "", "Median rank over the draws, 1 the lowest; blank unless the rule is full"),
    ("rank_lower", "number", "", "Lower end of its 95 % interval; blank unless the rule is full or interval"),
    ("rank_upper", "number", "", "Upper end of its 95 % interval"),
    ("p_bottom", "number", "probability", "That it is in the lowest tenth; blank unless a rank may be stated"),
    ("p_top", "number", "probability", "That it is in the highest tenth"),
    ("ranked", "whole number", "practices", "How many practices were ranked"),
    ("months_for_0_7", "number", "months", "Months whose mean would have a reliability of 0.7; blank where none would"),
    ("months_for_0_9", "number", "months", "Months whose mean would have a reliability of 0.9"),
)

WATERFALL = columns(
    PRACTICE,
    ("step", "code", "", "reference, need (patients), context (setting), place (neighbours), own, or remainder"),
    ("link", "number", _LINK, "What the step adds on the scale of the model; at the reference, where it starts"),
    ("change", "number", "as value", "What the step adds to the figure; the steps sum to value minus reference"),
    ("reached", "number", "as value", "The figure after the step; after the last, the observed one"),
)

NEIGHBOURS = columns(
    PRACTICE,
    ("place", "whole number", "", "1 is the nearest"),
    ("neighbour_code", "code", "", "The neighbour's code; never in anything that is sent"),
    ("distance", "number", "standard deviations", "Mahalanobis distance in patients and setting"),
    ("value", "number", "as value", "The neighbour's figure"),
)

SIMILAR = columns(
    PRACTICE,
    (
        "similar",
        "whole number",
        "practices",
        "Practices most like it in patients and setting whose figures may be shown",
    ),
    ("similar_withheld", "whole number", "practices", "Practices most like it whose figures may not be shown"),
    ("similar_lowest", "number", "as value", "The lowest of their figures"),
    ("similar_middle", "number", "as value", "The middle of their figures"),
    ("similar_highest", "number", "as value", "The highest of their figures"),
    ("similar_lower", "whole number", "practices", "How many of them have a lower figure than the practice"),
    ("similar_higher", "whole number", "practices", "How many of them have a higher figure than the practice"),
)

REACH = columns(
    PRACTICE,
    ("target", "code", "", "Id of the target in the catalogue"),
    ("target_value", "number", "as value", "What is asked"),
    ("meets", "yes/no", "", "Whether the practice's figure reaches it"),
    ("neighbours", "whole number", "practices", "Nearest neighbours looked at"),
    ("neighbours_meeting", "whole number", "practices", "Of them, how many reach it"),
    ("similar_share", "number", "share", "Share of practices with the same expectation that would, given the spread"),
    ("england_share", "number", "share", "Share of all practices compared that reach it"),
)

PASSING = columns(
    ("first", "text", "", "The shorter stretch of months that was compared, as 2025-04 or 2025-04..2025-06"),
    ("second", "text", "", "The other months; 'each month' where every month was used"),
    ("first_months", "whole number", "months", "Months in the first"),
    ("second_months", "whole number", "months", "Months in the second"),
    ("rho", "number", "correlation", "Correlation of one month with the next that the row assumes or finds"),
    ("rho_from", "code", "", "assumed or estimated"),
    ("used", "yes/no", "", "Whether practices are judged with this row"),
    ("units", "whole number", "practices", "Practices in both"),
    ("correlation", "number", "correlation", "Of the two figures, over practices"),
    ("between_sd", "number", _LINK, "SD of practices in the first stretch"),
    ("sd_difference", "number", _LINK, "SD of the difference between the two figures"),
    ("sd_difference_robust", "number", _LINK, "The same, without the weight of outlying practices"),
    ("sampling_sd", "number", _LINK, "SD of that difference by the chance of sampling alone"),
    ("v", "number", _VARIANCE, "Variance of one month's passing movement"),
    ("v_se", "number", _VARIANCE, "Its standard error"),
    ("v_robust", "number", _VARIANCE, "The same without the weight of outlying practices"),
    ("v_period", "number", _VARIANCE, "Variance of passing movement in the mean over the study's period"),
    ("reliability_month", "number", "share", "Reliability of one month's figure"),
    ("reliability_year", "number", "share", "Reliability of the mean of twelve months"),
    ("stay_observed", "number", "share", "Of the first stretch's lowest tenth, the part in the second's"),
    ("stay_expected", "number", "share", "The same for figures of this correlation with a normal spread"),
    ("shifted", "number", "share", "Practices whose two figures differ by more than 0.5 on the link scale"),
    (
        "gap_half",
        "number",
        "as value",
        "Half of all pairs of figures are no further apart, beside what all moved",
    ),
    ("gap_95", "number", "as value", "95 in 100 are no further apart"),
    ("swing_period", "number", "as value", "Passing movement over the study's period, either way 95 times in 100"),
    ("disagree", "whole number", "practices", "Left out because a part of the period holds more than the whole"),
)

MODELS = columns(
    RUNG,
    ("family", "code", "", "binomial (shares) or poisson (rates)"),
    ("groups", "text", "", "Levels of the random intercepts, large to small, as icb > pcn > practice"),
    (
        "n",
        "whole number",
        "practices",
        "Practices in the fit: all that set the comparison, have what this rung allows for, and a known board. Levels "
        "and coefficients are of those with all that the highest rung allows for, so that rungs can be compared",
    ),
    ("parameters", "whole number", "", "Coefficients and standard deviations estimated"),
    ("loglik", "number", "", "Maximised log-likelihood (Laplace approximation), with its constants"),
    ("aic", "number", "", "Akaike's information criterion; compares rungs only where n is the same"),
    ("bic", "number", "", "Schwarz's criterion, which counts practices; compares rungs only where n is the same"),
    ("converged", "yes/no", "", "Whether the search ended at a maximum; one that does not is an error, not a row"),
    ("evaluations", "whole number", "", "Evaluations of the likelihood until then"),
    ("gradient", "number", "", "Largest element of the gradient at the end, in standardised parameters"),
    ("decrement", "number", "", "Newton decrement at the end: twice the log-likelihood that one more step promises"),
    ("condition", "number", "", "Condition number of the curvature there, in standardised parameters"),
    ("notes", "text", "", "What the fit has to say of itself"),
)

DIAGNOSTICS = columns(
    RUNG,
    (
        "check",
        "code",
        "",
        "What was looked at. zero_spread: likelihood-ratio statistic of a level left out, its p of an even mixture of "
        "0 and chi-squared. dispersion, dispersion_df: Pearson's sum of squares over its degrees of freedom, and "
        "these. outside_2, outside_3: share of quantile residuals beyond 2 and 3. zeros: counts of nought. influence: "
        "largest change of a coefficient when one unit of the coarsest level is left out. influential_units: how many "
        "units change some coefficient by more than one standard error. reliability: mean, of the effects of a level. "
        "skewness, kurtosis (excess): of those effects. events: mean number of the rarer outcome in a unit. "
        "events_below_5: share of units with fewer",
    ),
    ("level", "code", "", "The level it was looked at; blank for the practices' figures themselves"),
    ("unit", "code", "", "The unit that the finding is about, if one; never on a page that is sent"),
    ("term", "code", "", "The column of the design that the finding is about, if one"),
    ("value", "number", "see check; influence: standard errors", "What was found"),
    ("expected", "number", "as value", "What it would be if the model held"),
    ("se", "number", "as value", "Standard error of the finding if the model held"),
    ("p", "number", "probability", "Two-sided p-value, where it is a test"),
)

RESOURCES = columns(
    PRACTICE,
    ("resource", "code", "", "Id in the catalogue of resources"),
    ("value", "number", "see unit", "The practice's own"),
    ("unit", "text", "", "What the number counts"),
    ("percentile", "number", "0 to 100", "Share of the practices compared that have less"),
    ("top", "number", "see unit", "What was divided: staff, or patients as the national formula weighs them"),
    ("bottom", "number", "patients", "By what; blank for a figure that is published divided"),
    ("dated", "text", "", "Month of the staff, lists or payments; blank where it is not stated"),
    ("compared", "whole number", "practices", "How many practices of the reference set have a figure"),
    ("p5", "number", "see unit", "5 in 100 of the practices compared have less"),
    ("p10", "number", "see unit", "10 in 100 have less"),
    ("p25", "number", "see unit", "25 in 100 have less"),
    ("median", "number", "see unit", "Half of the practices compared have less"),
    ("p75", "number", "see unit", "75 in 100 have less"),
    ("p90", "number", "see unit", "90 in 100 have less"),
    ("p95", "number", "see unit", "95 in 100 have less"),
    ("area_known", "whole number", "practices", "How many practices of the area have a figure"),
    ("area_median", "number", "see unit", "Half of them have less"),
    ("area_percentile", "number", "0 to 100", "Share of the practices compared that have less than that"),
    ("area_lowest", "whole number", "practices", "How many of them are in the lowest tenth of the practices compared"),
    ("area_highest", "whole number", "practices", "How many of them are in the highest tenth"),
)

SUPPLY = columns(
    PRACTICE,
    ("rung", "code", "", "The rung to which the scenario is added: M2, or the highest there is"),
    ("allowed", "text", "", "Ids of the supply that the practice did not choose, separated by spaces"),
    ("centre_m2", "number", "as value", "What is expected of a practice with these patients in this setting"),
    ("centre_m3", "number", "as value", "The same with the supply it did not choose"),
    ("difference_m2", "number", "as value", "The practice's figure less the first"),
    ("difference_m3", "number", "as value", "The practice's figure less the second"),
    ("z_m2", "number", "standard deviations", "Distance from the first"),
    ("z_m3", "number", "standard deviations", "Distance from the second; a scenario, never a verdict"),
    ("outside_m2", "yes/no", "", "Whether the first distance is outside the usual range"),
    ("outside_m3", "yes/no", "", "Whether the second is"),
    ("compared", "whole number", "practices", "Practices in both fits: those of which all supply is known"),
    ("accounted", "number", "share", "Part of the variance between practices at the first that goes with the supply"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "effects": EFFECTS,
    "waterfall": WATERFALL,
    "neighbours": NEIGHBOURS,
    "reach": REACH,
    "passing": PASSING,
    "models": MODELS,
    "diagnostics": DIAGNOSTICS,
    "resources": RESOURCES,
    "supply": SUPPLY,
}
