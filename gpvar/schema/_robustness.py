"""The tables that say how far findings stand when the analysis is made in other defensible ways."""

from __future__ import annotations

from gpvar.schema._column import PRACTICE, Column, columns

_COMPARATOR = ("comparator", "code", "", "england, or own_icb (the other practices of its board)")
_SPEC = ("spec", "code", "", "Number of the way in which the analysis was made; 1 is the study's own")

#: The choices that can be made otherwise, in the order of the catalogue, and what each decides.
CHOICES = {
    "covariates": "Which characteristics are allowed for",
    "deprivation": "How deprivation enters: curve (bent), line, fifths, or another edition of the index",
    "denominator": "How the figure is counted: the card's way, list (patients on the list), or id of another counting",
    "exclusion": "Who is left out of the fit: declared, stops_only (by stop gates alone), or no_warnings (also whoever "
    "failed a check of severity warn)",
    "link": "The scale: card (logit of a share, log of a rate), log, or identity (differences as they are)",
    "spread": "How the shared spread is estimated: consistent, or dersimonian_laird",
    "period": "Over which months: study, rest (without a part held apart), first_half, second_half or longer",
    "slopes": "Slopes across all practices, or within boards",
    "model": "multilevel (practices in networks in boards) or regression",
    "passing": "How passing movement is reckoned: declared, rho_0, rho_0_5, rho_0_7 or robust",
}

#: What the three labels mean, for every table that has one.
LABEL = (
    "robust (stands so in 90 % of the other ways and more, or is outside the usual range neither here nor in any), "
    "fragile (in less than two thirds) or mixed"
)

SPECIFICATIONS = columns(
    _SPEC,
    ("primary", "yes/no", "", "yes for the study's own analysis"),
    *((choice, "code", "", meaning) for choice, meaning in CHOICES.items()),
    ("available", "yes/no", "", "yes where it could be made"),
    ("why_not", "code", "", "Why it could not be made; blank where it could"),
    ("n", "whole number", "practices", "Practices that set centre and spread"),
    ("tau", "number", "scale of the link", "Shared spread beside England, as a standard deviation"),
    ("flagged", "whole number", "practices", "Practices compared that are outside the usual range beside England"),
    (
        "agree_share",
        "number",
        "share",
        "Part of the practices compared that stand as in the study's own analysis: on the same side, and on the same "
        "side of the end of the usual range; no probability",
    ),
)

SPECIFICATION_PRACTICES = columns(
    _SPEC,
    _COMPARATOR,
    PRACTICE,
    ("value", "number", "share, or events per patient-month", "The practice's figure, counted this way"),
    ("difference", "number", "as value", "Value minus what is expected of a practice like it"),
    ("lower", "number", "as value", "Lower end of the usual range (95 %) of the difference"),
    ("upper", "number", "as value", "Upper end of the usual range of the difference"),
    ("z", "number", "standard deviations", "Distance from the centre in units of chance and shared spread together"),
    ("agrees", "yes/no", "", "yes where it stands as in the study's own analysis"),
)

ROBUSTNESS = columns(
    PRACTICE,
    _COMPARATOR,
    ("z", "number", "standard deviations", "Its distance in the study's own analysis"),
    (
        "agree",
        "whole number",
        "ways",
        "In how many other ways it stands as in the study's own analysis: on the same side "
        "of what is expected and on the same side of the end of the usual range",
    ),
    ("compared", "whole number", "ways", "In how many other ways it could be placed"),
    ("share", "number", "share", "agree divided by compared; no probability"),
    ("outside", "whole number", "ways", "In how many other ways it is outside the usual range, on either side"),
    ("label", "code", "", f"{LABEL}; blank with fewer than six other ways"),
    ("drives", "code", "", "The choice that tells most of the ways that agree from those that do not; blank for none"),
    (
        "drives_gap",
        "number",
        "share",
        "Share that agrees among ways with the study's own option of that choice, less the share among the others",
    ),
    (
        "unmeasured_sd",
        "number",
        "SDs of the shared spread",
        "How strong something unmeasured would have to be to bring it across the end of the usual range",
    ),
    ("unmeasured_points", "number", "as value", "The same in the metric's unit: how far off the expectation would be"),
    (
        "unmeasured_multiple",
        "number",
        "times",
        "The same as a multiple of the strongest measured characteristic (one SD of what it adds to the expectation); "
        "blank where measured need explains less than 5 %",
    ),
    ("strongest", "code", "", "Id of that characteristic"),
    ("to", "code", "", "inside or outside: to which side of the end of the usual range it would be brought"),
)

_WAY = ("way", "whole number", "", "Number of the way in which the comparison was made; 1 is the study's own")
_IN_WORDS = ("in_words", "text", "", "What is done otherwise in this way")
_METRIC = ("metric", "code", "", "Id of the metric's card")
_NAME = ("practice_name", "text", "", "Name as in the source")

#: The same for people: plain headings, words for codes, differences as they are printed.
WAYS_SHEET = columns(
    _WAY,
    _IN_WORDS,
    _METRIC,
    ("used_here", "yes/no", "", "yes for the study's own way"),
    ("made", "yes/no", "", "yes where it could be made"),
    ("why_not_made", "text", "", "Why it could not be made; not applicable where it could"),
    ("practices", "whole number", "practices", "Practices that set centre and spread"),
    ("shared_spread", "number", "scale of the link", "Shared spread beside England, as a standard deviation"),
    ("outside", "whole number", "practices", "Practices compared that are outside the usual range beside England"),
    (
        "same_share",
        "number",
        "share",
        "Part of the practices compared that stand as in the study's own way: on the same side of what is expected and "
        "on the same side of the end of the usual range; no probability",
    ),
    *((choice, "code", "", meaning) for choice, meaning in CHOICES.items()),
)

OTHER_WAYS_SHEET = columns(
    PRACTICE,
    _METRIC,
    _COMPARATOR,
    _WAY,
    _IN_WORDS,
    ("value", "number", "share, or events per patient-month", "The practice's figure, counted this way"),
    ("difference", "number", "as value", "Value minus what is expected of a practice like it"),
    ("lower", "number", "as value", "Lower end of the usual range (95 %) of the difference"),
    ("upper", "number", "as value", "Upper end of the usual range of the difference"),
    ("distance", "number", "standard deviations", "The difference in units of chance and shared spread together; "
     "beyond 1.96 is outside the usual range"),
    ("same_place", "yes/no", "", "yes where it stands as in the study's own way"),
)  # fmt: skip

ROBUSTNESS_SHEET = columns(
    PRACTICE,
    _NAME,
    _METRIC,
    _COMPARATOR,
    ("position", "text", "", "Where it stands in the study's own way, allowing for patients"),
    ("other_ways", "whole number", "ways", "In how many other ways it could be placed; not available where it is not "
     "judged"),
    ("other_ways_outside", "whole number", "ways", "In how many of them it is outside the usual range, on either side"),
    ("other_ways_same", "whole number", "ways", "In how many of them it stands as in the study's own way: on the same "
     "side of what is expected and on the same side of the end of the usual range"),
    ("other_ways_same_share", "number", "share", "other_ways_same divided by other_ways; no probability"),
    ("robustness", "text", "", f"{LABEL}; not applicable with fewer than six other ways"),
    ("hangs_on", "text", "", "The choice that tells most of the ways in which it stands the same from the others; none "
     "where it hangs on none, or is inside the usual range in every way"),
    ("hangs_on_gap", "number", "share", "Share of the ways with the study's own option of that choice in which it "
     "stands the same, less the share among the others"),
    ("distance", "number", "standard deviations", "Its distance from the centre in the study's own way; beyond 1.96 is "
     "outside the usual range"),
    ("brought_to", "text", "", "inside or outside: to which side of the end of the usual range a reason that nobody "
     "measured would bring it, were it as strong as the next columns say"),
    ("unmeasured_difference", "number", "see the next column", "By how much what is expected of it would have to be "
     "wrong for that, as it is printed"),
    ("unmeasured_unit", "text", "", "Unit of the column before"),
    ("unmeasured_spreads", "number", "SDs of the shared spread", "The same, in standard deviations of practices"),
    ("unmeasured_times", "number", "times", "The same as a multiple of the strongest measured characteristic (one SD "
     "of what it adds to the expectation); not available where measured need explains less than 5 %"),
    ("strongest_measured", "text", "", "That characteristic"),
)  # fmt: skip

#: Made for people, and stored nowhere.
SHEETS: dict[str, tuple[Column, ...]] = {
    "ways_sheet": WAYS_SHEET,
    "other_ways_sheet": OTHER_WAYS_SHEET,
    "robustness_sheet": ROBUSTNESS_SHEET,
}

TABLES: dict[str, tuple[Column, ...]] = {
    "specifications": SPECIFICATIONS,
    "specification_practices": SPECIFICATION_PRACTICES,
    "robustness": ROBUSTNESS,
}
