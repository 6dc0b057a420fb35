"""The fixed phrases: one place, so that a page, a picture and a spreadsheet never disagree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

POSITION = {
    "not_decidable": "The data cannot answer this",
    "no_detectable_difference": "No clear difference",
    "usual": "Different, but so are many",
    "unusual": "Outside the usual range",
    "far_outside": "Far outside the usual range",
}
POSITION_CAVEAT = {
    "not_decidable": "This counts neither for nor against the practice.",
    "no_detectable_difference": "A gap of this size can come about by chance. "
    "That does not prove the practice is average.",
    "usual": "Common is not the same as acceptable.",
    "unusual": "That is a reason to look, not a conclusion.",
    "far_outside": "That is a fair question to ask. The figures cannot say why.",
}
MOVEMENT = {
    "explained": "In line with its patients",
    "partly_explained": "Partly in line with its patients",
    "not_explained": "Not accounted for by its patients",
    "borderline": "Close to the edge of the usual range",
    "revealed": "Only shows after a like-for-like comparison",
    "reversed": "On the other side after a like-for-like comparison",
}
RUNG = {
    "M0": "raw figure",
    "M1": "after allowing for patients",
    "M1-": "after allowing for patients, without recorded illness",
    "M2": "after allowing for patients and circumstances",
}
RUNG_SHORT = {
    "M0": "Raw figure",
    "M1": "Patients",
    "M1-": "Patients, recorded illness left out",
    "M2": "Patients and circumstances",
}
RUNG_LABEL = {"M0": "M0", "M1": "M1", "M1-": "M1−", "M2": "M2"}
LIKE = {
    "M0": "all practices",
    "M1": "practices with patients like these",
    "M1-": "practices with patients like these (recorded illness left out)",
    "M2": "practices with patients like these, in circumstances like these",
}
CHANCE = "Chance could not be separated from passing movement"
METHOD = {
    "none": "Plain limits (chance of sampling only)",
    "multiplicative": "Plain limits, stretched (multiplicative)",
    "shmi": "Hospital mortality method (SHMI type)",
    "cqc": "Trimmed method of inspection reports (CQC type)",
    "dersimonian-laird": "Shared spread, nothing trimmed (DerSimonian-Laird)",
    "consistent": "Shared spread, robust (used here)",
    "consistent_M1": "Shared spread, after allowing for patients (used here)",
}
SIMULATED = "Simulated example: not real practices"
PRIVATE = "Private"
PRIVATE_LONG = "Private: not to be sent on"
ICB_RIGHT = "What the ICB has right"
NOT_SHOWN = "What this does not show"
CONFIDENTIAL = "[c]"
CONFIDENTIAL_MEANS = "[c] means hidden because the count is small"


_RUNG_KEY = {"M0": "the raw figure", "M1": "allowing for patients", "M2": "also for circumstances"}


def rung_key(rungs: Sequence[str]) -> str:
    """Return what the short names of the rungs stand for, for the head of a page."""
    return " ".join(f"{rung}: {_RUNG_KEY[rung]}." for rung in rungs if rung in _RUNG_KEY)


@dataclass(frozen=True, slots=True)
class Names:
    """What the reference set is called: England, unless the study compares within a region or an ICB.

    Attributes
    ----------
    reference
        Its name, safe to put into the text it is meant for.
    set
        ``"england"``, ``"region"`` or ``"icb"``.
    """

    reference: str = "England"
    set: str = "england"

    def label(self, rung: str, comparator: str) -> str:
        """Return the tag every judged number carries: its rung and its comparator."""
        return f"{RUNG_LABEL[rung]}, {self.of(comparator)}"

    def of(self, comparator: str) -> str:
        """Return what a comparator is called in a label."""
        return "own ICB" if comparator == "own_icb" else self.reference

    def within(self, comparator: str) -> str:
        """Return where a comparator's practices are, for the middle of a sentence."""
        return "in its own ICB" if comparator == "own_icb" else f"in {self.reference}"


ENGLAND = Names()


def names(meta: Mapping[str, Any], safe: Callable[[object], str]) -> Names:
    """Return what an analysis calls its reference set.

    Parameters
    ----------
    meta
        The analysis' own description; without a word on its reference set it is England.
    safe
        What makes a name from a file fit for the text it goes into.
    """
    said = meta.get("reference") or {}
    return Names(safe(said.get("name") or "England"), str(said.get("set") or "england"))


def position_phrase(code: str) -> str:
    """Return what a reader sees for a position code."""
    return POSITION[code]


def movement_phrase(code: str) -> str:
    """Return what a reader sees for a movement code; nothing when there was nothing to move."""
    return MOVEMENT.get(code, "")


def label(rung: str, comparator: str, names: Names = ENGLAND) -> str:
    """Return the tag every judged number carries: its rung and its comparator."""
    return names.label(rung, comparator)
