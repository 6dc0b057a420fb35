"""What the choices of an analysis and their options are called: one place, for sentences, tables and pictures."""

from __future__ import annotations

from gpvar.catalogue import countings

#: Choice → what it decides, for the middle of a sentence; in the order in which they are told.
CHOICES = {
    "covariates": "which characteristics of patients are allowed for",
    "deprivation": "how deprivation is allowed for",
    "denominator": "what the figure is counted out of",
    "exclusion": "which practices set the comparison",
    "link": "the scale on which differences are measured",
    "spread": "how the spread between practices is worked out",
    "period": "which months are counted",
    "slopes": "whether patients are compared across England or within each ICB",
    "model": "which model says what is expected",
    "passing": "how alike one month and the next are taken to be",
}
#: (choice, option) → what is done; the options used here are told by `HERE`.
OPTIONS = {
    ("covariates", "declared"): "Patients as declared",
    ("covariates", "no_recorded"): "Recorded illness left out",
    ("covariates", "no_deprivation"): "Deprivation left out",
    ("covariates", "no_age_sex"): "Age and sex left out",
    ("covariates", "no_ethnicity"): "Ethnicity left out",
    ("deprivation", "curve"): "Deprivation as a curve",
    ("deprivation", "line"): "Deprivation as a straight line",
    ("deprivation", "fifths"): "Deprivation in fifths",
    ("deprivation", "imd2019"): "Deprivation index of 2019",
    ("deprivation", "other_index"): "Deprivation index of another year",
    ("denominator", "card"): "Counted as on the measure's card",
    ("denominator", "other"): "Counted in another way",
    ("denominator", "list"): "Counted out of the published list",
    ("exclusion", "declared"): "Practices left out as declared",
    ("exclusion", "stops_only"): "Only unsound figures left out",
    ("exclusion", "no_warnings"): "Figures with a warning left out",
    ("link", "card"): "The measure's usual scale",
    ("link", "log"): "Compared as ratios",
    ("link", "identity"): "Compared as plain differences",
    ("spread", "consistent"): "Spread without the weight of the ends",
    ("spread", "dersimonian_laird"): "Extreme practices count in full",
    ("period", "study"): "The study's months",
    ("period", "rest"): "The first months left out",
    ("period", "first_half"): "The first half of the months",
    ("period", "second_half"): "The second half of the months",
    ("period", "longer"): "A longer stretch of months",
    ("slopes", "across"): "Patients compared across ICBs",
    ("slopes", "within_icb"): "Patients compared within ICBs",
    ("model", "multilevel"): "Model that knows ICBs and networks",
    ("model", "regression"): "Model that knows no ICBs or networks",
    ("passing", "declared"): "Passing movement as declared",
    ("passing", "rho_0"): "Each month unlike the last",
    ("passing", "rho_0_5"): "One month half like the next",
    ("passing", "rho_0_7"): "One month much like the next",
    ("passing", "robust"): "Large monthly moves count less",
}
#: (choice, option) → what that means, where its name cannot say it to a lay reader.
MEANS = {
    ("deprivation", "line"): "each step in deprivation is taken to add the same",
    ("deprivation", "fifths"): "practices are put into five groups by deprivation",
    ("exclusion", "stops_only"): "practices with a figure that only looks odd set the comparison too",
    ("exclusion", "no_warnings"): "practices with a figure that any check doubts do not set the comparison",
    ("link", "log"): "how many times as high, where we compare odds",
    ("link", "identity"): "how many more, where we compare odds",
    ("spread", "dersimonian_laird"): "the few that stand out widen the usual range of all",
    ("period", "rest"): "months of which the study holds separate counts are taken off",
    ("slopes", "within_icb"): "what patients add is learnt inside each ICB, not between them",
    ("model", "regression"): "practices of one ICB or network are not taken to be alike",
    ("passing", "rho_0"): "passing movement of a practice is taken to be gone within a month",
    ("passing", "rho_0_5"): "passing movement of a practice is taken to halve each month",
    ("passing", "rho_0_7"): "passing movement of a practice is taken to last longer",
    ("passing", "robust"): "the few practices that moved most widen the chance of others less",
}
#: Why a way could not be made.
WHY_NOT = {
    "no_data": "the study holds no figures for it",
    "not_declared": "what it would leave out is not allowed for anyway",
    "same": "it would be the same as the way used here",
    "too_few": "too few practices are left",
    "no_boards": "the practices are not known by their ICB",
    "not_measured": "how far figures move from month to month is not known",
    "wrong_kind": "it is not for a measure of this kind",
    "skewed": "on that scale practices spread further to one side than to the other",
    "no_solution": "the model found no solution",
    "crosses_break": "the months cross a break in the series",
    "several": "two of its choices cannot both be made",
}
LABEL = {"robust": "Robust", "mixed": "Mixed", "fragile": "Fragile"}


def option(choice: str, name: str) -> str:
    """Return what is done under an option, short enough for a row of a picture; an unknown one by its own name."""
    said = OPTIONS.get((choice, name))
    return said or f"{_other_counting(name)}"


def _other_counting(name: str) -> str:
    words = name.replace("_", " ")
    return f"Counted another way ({words})"


def in_full(choice: str, name: str) -> str:
    """Return what is done under an option, with the whole definition of another way of counting."""
    found = countings.countings().get(name) if choice == "denominator" else None
    return f"Counted another way: {found.title}" if found is not None else option(choice, name)


def way(taken: dict[str, str], full: bool = False) -> str:
    """Return what one way does otherwise, its choices joined; that used here has none."""
    if not taken:
        return "As used here"
    said = [in_full(choice, name) if full else option(choice, name) for choice, name in taken.items()]
    return "; ".join([said[0], *(text[0].lower() + text[1:] for text in said[1:])])


def why_not(reason: str) -> str:
    """Return why a way could not be made; an unknown reason by its own name."""
    return WHY_NOT.get(reason, reason.replace("_", " "))
