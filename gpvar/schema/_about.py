"""What each table is of, in a line."""

from __future__ import annotations

#: Table → what it holds; the tables that are stored with a run.
ABOUT: dict[str, str] = {
    "outcomes": "the figures: counts of every practice and measure over the study's period",
    "periods": "the same counts for other months, where files give them",
    "practices": "lists and characteristics of every practice",
    "hierarchy": "where every practice belongs: network, sub-ICB location, ICB, region",
    "groups": "groups of the study's own lists",
    "events": "mergers, closures and other events, and what was done about them",
    "provenance": "every file that was read, with its SHA-256",
    "unmatched": "practices found in one place and not in another",
    "gates": "every check of the data and what it found",
    "excluded": "practices left out of the fit as the study states, and the check for which they are",
    "analysis_practices": "every practice beside what is expected of it, at each rung and comparator",
    "spread": "the robust centre and shared variance that practices are judged by, at each rung and comparator",
    "methods": "how many would be outside the limits if they were drawn by other methods",
    "fits": "columns of each rung's design with their constants, and the estimates that expectations are made with "
    "(of the fits in models)",
    "calibration": "whether the fit describes the area",
    "levels": "SDs of the random intercepts, every rung on the practices with all that the highest rung allows for "
    "(models may have more)",
    "coefficients": "coefficients with standard errors, every rung on the practices of levels",
    "shares": "how the variance divides between patients, setting, neighbours, practices and chance",
    "rungs": "the model's variance beside the judged one, and what each rung changes",
    "equity": "the figure by fifth of deprivation",
    "boards": "how far apart the practices of each ICB are",
    "board_slopes": "Mundlak's check: what an ICB's mean of each column adds",
    "effects": "each practice's lasting figure, its reliability, and what may be said of its rank",
    "waterfall": "each figure of the area's practices taken apart into steps that add up",
    "neighbours": "the practices most like each of the area's, and how far off they are",
    "reach": "who reaches a target, among neighbours and among all",
    "passing": "passing movement, measured under each assumption about neighbouring months",
    "models": "evidence of each rung's multilevel model, fitted on all practices with what that rung allows for; the "
    "model that draws are from",
    "diagnostics": "what was looked at in the headline's model",
    "resources": "staff, funding and weighted patients of the area's practices beside all",
    "specifications": "the ways in which the analysis was made, those that could not be made, and what each gives",
    "specification_practices": "where each way places the area's practices",
    "robustness": "in how many of the ways every practice stands as in the study's own, which choice moves it most, "
    "and what something unmeasured would have to be",
    "supply": "the scenario M3: what supply that a practice did not choose would explain",
}
