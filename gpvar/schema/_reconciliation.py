"""The table of which readings of the counts give the figures of a letter: for the person who asked, sent to nobody."""

from __future__ import annotations

from gpvar.schema._column import Column, columns

RECONCILIATION = columns(
    ("sentence", "code", "", "Number of the sentence in the letter"),
    (
        "part",
        "code",
        "",
        "Which of its numbers: figure, figure_before, comparator_figure, place, or tail (in the outermost part)",
    ),
    ("written", "text", "", "The number as the letter prints it"),
    ("number", "number", "as the letter's", "The number itself; of a tail the part of all, as a fraction"),
    ("tried", "whole number", "readings", "How many readings of the counts were tried"),
    ("matches", "whole number", "readings", "How many of them give the number as it is printed"),
    ("by_chance", "number", "readings", "How many would, on average, give any one number printed near it"),
    ("why", "code", "", "Why nothing was tried; blank where it was"),
    ("gives", "yes/no", "", "Whether the row's reading gives the number, or only comes nearest"),
    ("in_words", "text", "", "The reading in words"),
    ("value", "number", "as the letter's", "What the reading gives; for a place, the place"),
    ("counting", "code", "", "Id of the way of counting: a measure's card, or one of the catalogue of countings"),
    ("complement", "yes/no", "", "Whether it is 100 less the share"),
    ("start", "text", "", "First month, as 2025-04"),
    ("end", "text", "", "Last month"),
    ("before", "text", "", "For a change, the months from which it is counted"),
    ("patients", "code", "", "For a rate: patient_months (its own), list_size, registered_list or weighted_list"),
    ("per", "code", "", "For a rate: month, week or period"),
    ("by", "whole number", "", "100 for a share; for a rate, for how many patients"),
    ("of", "code", "", "practice, england, region, icb, sub_icb, pcn, or area (the study's own list)"),
    ("how", "code", "", "For several practices: pooled, mean, median or another way; for a place, from which end"),
    ("without", "code", "", "Who is left out: practice, left_out (as the study leaves out), both; blank for nobody"),
    ("practices", "whole number", "practices", "How many practices the number is of"),
    ("with_other_numbers", "yes/no", "", "Whether the same counts give the sentence's other numbers too"),
)

TABLES: dict[str, tuple[Column, ...]] = {"reconciliation": RECONCILIATION}
