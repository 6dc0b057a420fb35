"""The tables of a letter's findings: made for people, from what a run stores in ``findings.json``."""

from __future__ import annotations

from gpvar.schema._column import RUNG, Column, columns
from gpvar.schema._robustness import LABEL

_SENTENCE = ("sentence", "code", "", "Number of the sentence in the letter")
_WHO = ("practice_code", "code", "", "The practice the sentence is about; blank for one about the area")

CLAIMS = columns(
    _SENTENCE,
    ("practice_name", "text", "", "The practice, or what the letter calls it where its code is not known"),
    ("measure", "text", "", "The measure, or what the letter calls it where there is no card for it"),
    ("letter_says", "text", "", "The sentence, word for word, where it was copied"),
    ("finding", "text", "", "What the data say of the sentence, in one of six fixed phrases; in brackets what it "
     "must not be read without"),
    ("in_short", "text", "", "The number that decided it, in a line"),
    ("figure", "number", "as the measure is printed", "The practice's figure"),
    ("expected", "number", "as the measure is printed", "What is expected with patients like its own"),
    ("difference", "number", "as the measure is printed", "The figure less what is expected"),
    ("interval_lower", "number", "as the measure is printed", "Lower end of the 95 % interval of the difference"),
    ("interval_upper", "number", "as the measure is printed", "Upper end of the 95 % interval of the difference"),
    ("unit", "text", "", "Unit of the five numbers before it"),
    ("in_words", "text", "", "The finding with the number that decided it"),
    ("said_beside", "text", "", "What must be said beside the finding"),
    ("position", "text", "", "Where the practice stands, beside the finding; blank for a sentence about the area"),
    ("to_ask", "text", "", "What to ask the ICB for, the most important first"),
    ("would_change", "text", "", "What would change the finding"),
    ("place_same_ways", "whole number", "ways", "In how many other ways the practice's place, allowing for patients, "
     "is as here: inside the usual range in all of them, or else on the same side of what is expected and of the end "
     "of the usual range. It is the place that was tried in other ways, not the finding of the sentence"),
    ("place_other_ways", "whole number", "ways", "How many other ways could be made; a share of them is no "
     "probability. Not applicable for a sentence about the area, not available where a practice is not judged"),
    ("place_far_ways", "whole number", "ways", "In how many of them it is outside the 99.8 % limits; for a sentence "
     "that is judged by them, of the same months"),
    ("place_robustness", "text", "", f"{LABEL}; not applicable with fewer than six other ways"),
    ("place_hangs_on", "text", "", "The choice on which its place hangs most; none where it hangs on none"),
    ("kind", "text", "", "Kind of sentence, from the catalogue of templates"),
    ("letter_figure", "text", "", "The figure that the letter prints"),
    ("letter_figure_before", "text", "", "Its figure of the earlier period"),
    ("letter_comparator", "text", "", "Whom the letter compares with"),
    ("letter_comparator_figure", "text", "", "The figure that it prints for them"),
    ("letter_threshold", "text", "", "The threshold that the letter names"),
    ("letter_period", "text", "", "The months that the letter names"),
    ("period", "text", "", "The months of the figures that decided"),
    ("files", "text", "", "Files the figures come from, each with the start of its SHA-256"),
    ("practice_code", "code", "", "The practice's code; blank for a sentence about the area"),
    ("metric", "code", "", "Id of the metric's card"),
    ("verdict", "code", "", "The finding as a code: supported, not_attributable, contradicted, not_shown, "
     "not_decidable or wrong_metric"),
    ("reason", "code", "", "The reason of the decision table's rule that decided"),
    ("arithmetic", "code", "", "Whether what the letter counts is what these data give: right, wrong or not_checked"),
    ("comparator", "code", "", "Beside whom the practice was judged: england or own_icb"),
    ("run", "code", "", "Key of the run that the finding was made from"),
)  # fmt: skip

RUNGS = columns(
    _SENTENCE,
    _WHO,
    RUNG,
    ("value", "number", "share, or events per patient-month", "The practice's figure"),
    ("centre", "number", "as value", "What is expected of a practice like it"),
    ("difference", "number", "as value", "Value minus centre"),
    ("difference_lower", "number", "as value", "Lower end of its 95 % interval, by chance alone"),
    ("difference_upper", "number", "as value", "Upper end of its 95 % interval, by chance alone"),
    ("z", "number", "standard deviations", "Distance from the centre in units of chance and the shared spread"),
    ("position", "code", "", "Where the practice stands"),
    ("movement", "code", "", "What allowing for patients did to the position"),
    ("explained_share", "number", "share", "Part of the raw difference that goes away at this rung"),
    ("percentile", "number", "0 to 100", "Share of the practices compared that are lower"),
)

NUMBERS = columns(
    _SENTENCE,
    ("name", "code", "", "Name of a number that the decision table's rule uses, or that is shown beside it"),
    ("value", "number", "as its name says; shares and chances as fractions", "The number; blank where it is not known"),
    ("text", "text", "", "What stands there instead, where it is no number"),
)

CHECKS = columns(
    _SENTENCE,
    ("gate", "code", "", "Id of the check in the catalogue; it names the fault"),
    ("severity", "text", "", "stop (the data cannot answer), warn or note"),
    ("state", "text", "", "failed or could not be checked"),
    ("detail", "text", "", "The finding in a few words"),
)

NOTES = columns(_SENTENCE, ("note", "text", "", "The reader's own remark: private, in nothing that is sent"))

TABLES: dict[str, tuple[Column, ...]] = {
    "claims": CLAIMS,
    "claim_rungs": RUNGS,
    "claim_numbers": NUMBERS,
    "claim_checks": CHECKS,
    "claim_notes": NOTES,
}
