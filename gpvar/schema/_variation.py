"""The tables that say where variation comes from."""

from __future__ import annotations

from gpvar.schema._column import RUNG, Column, columns

_LINK = "link scale"
_VARIANCE = "link scale, squared"

LEVELS = columns(
    RUNG,
    ("level", "code", "", "icb (boards), pcn (networks within boards) or practice (practices within networks)"),
    (
        "units",
        "whole number",
        "units",
        "How many of them. Every rung is fitted on the same practices, those with all that the highest rung allows "
        "for, a known board and no hidden count; models, and draws, have all practices of their own rung",
    ),
    ("sd", "number", _LINK, "Standard deviation between units of this level, beyond the levels above it and chance"),
    ("lower", "number", _LINK, "Lower end of its 95 % profile interval; 0 where no spread is not ruled out"),
    ("upper", "number", _LINK, "Upper end of its 95 % profile interval"),
    ("variance", "number", _VARIANCE, "The SD squared"),
    ("change", "number", "share", "By how much the variance is smaller than at the raw rung; below 0 when larger"),
    (
        "median_ratio",
        "number",
        "",
        "Median odds ratio (shares) or rate ratio of two units picked at random, larger over smaller",
    ),
)

COEFFICIENTS = columns(
    RUNG,
    ("term", "code", "", "Column of the design"),
    (
        "estimate",
        "number",
        _LINK,
        "Coefficient of the multilevel model, every rung on the practices of levels; describes practices, not patients",
    ),
    ("se", "number", _LINK, "Standard error"),
    ("lower", "number", _LINK, "Lower end of the 95 % interval"),
    ("upper", "number", _LINK, "Upper end of the 95 % interval"),
    ("z", "number", "standard errors", "Estimate over its standard error"),
    ("p", "number", "probability", "Two-sided p-value"),
)

SHARES = columns(
    RUNG,
    (
        "component",
        "code",
        "",
        "need (patients), context (setting), neighbours (shared by a board or a network), practice, passing (passing "
        "movement, where it is known), or noise (the chance of sampling)",
    ),
    ("variance", "number", _VARIANCE, "Variance of practices' figures that comes from it"),
    ("share", "number", "share", "Part of the whole; the parts sum to 1"),
    ("lower", "number", "share", "Lower end of the 95 % interval of the share"),
    ("upper", "number", "share", "Upper end of the 95 % interval of the share"),
)

RUNGS = columns(
    RUNG,
    ("n", "whole number", "practices", "Practices in the fit"),
    ("model_variance", "number", _VARIANCE, "Variance between practices in the model, all levels together"),
    (
        "tau2",
        "number",
        _VARIANCE,
        "The shared variance that practices are judged by, plus that of passing movement where it is known (tau2 + "
        "transient of spread), because the model's holds both; outlying practices count less in it",
    ),
    ("variance_ratio", "number", "", "model_variance over tau2"),
    ("noise", "number", _VARIANCE, "Variance by chance alone, the mean over practices"),
    ("noise_small", "number", _VARIANCE, "The same for a small practice (5th percentile of size)"),
    ("noise_large", "number", _VARIANCE, "The same for a large practice (95th percentile of size)"),
    ("middle_lower", "number", "as value", "Lower end of the middle 95 % of practices with one expectation"),
    ("middle_upper", "number", "as value", "Upper end of the middle 95 %"),
    (
        "p10",
        "number",
        "as value",
        "The figure that a tenth of practices stay below, allowing for what this rung allows for",
    ),
    ("p90", "number", "as value", "The figure that a tenth of practices exceed"),
    ("shrunken_p10", "number", "as value", "p10 of the model's estimates of what lies behind the figures"),
    ("shrunken_p90", "number", "as value", "p90 of the same"),
    ("reranked", "number", "share", "Pairs of practices whose order differs from the raw one"),
    ("movers", "whole number", "practices", "Practices that move by 10 percentiles or more from the raw order"),
    ("scv", "number", "", "Systematic component of variation of observed over expected counts"),
    ("scv_p", "number", "probability", "How often chance alone would give as large a one"),
)

EQUITY = columns(
    RUNG,
    ("fifth", "whole number", "", "Fifth of practices by deprivation, 1 the least and 5 the most deprived"),
    ("units", "whole number", "practices", "Practices in it"),
    ("value", "number", "as value", "Mean figure: as it stands at M0, otherwise after allowing for patients"),
    ("difference", "number", "as value", "Most deprived fifth minus least deprived"),
    ("slope", "number", "as value", "Slope index: from the least to the most deprived, over all practices"),
    ("slope_lower", "number", "as value", "Lower end of its 95 % interval"),
    ("slope_upper", "number", "as value", "Upper end of its 95 % interval"),
)

BOARDS = columns(
    ("icb_code", "code", "", "Integrated care board"),
    ("n", "whole number", "practices", "Practices in the fit"),
    ("sd", "number", _LINK, "Standard deviation of its practices' distances from what is expected, beyond chance"),
    ("shrunken_sd", "number", _LINK, "The same, drawn towards the other boards by how little it rests on"),
    ("rank", "whole number", "", "Place of the shrunken SD among boards, 1 the smallest"),
)

BOARD_SLOPES = columns(
    ("term", "code", "", "Column of the design"),
    ("estimate", "number", _LINK, "What the board's mean adds to the coefficient of the practice's own value"),
    ("se", "number", _LINK, "Standard error"),
    ("lower", "number", _LINK, "Lower end of the 95 % interval"),
    ("upper", "number", _LINK, "Upper end of the 95 % interval"),
    ("p", "number", "probability", "Two-sided p-value of this term"),
    ("p_all", "number", "probability", "p-value of all terms together"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "levels": LEVELS,
    "coefficients": COEFFICIENTS,
    "shares": SHARES,
    "rungs": RUNGS,
    "equity": EQUITY,
    "boards": BOARDS,
    "board_slopes": BOARD_SLOPES,
}
