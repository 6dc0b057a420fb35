"""Whether the place of a practice that a letter names hangs on choices that others may make otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words import robustness
from gpvar.words.robustness_choices import CHOICES
from gpvar.words.robustness_facts import Ways, practice_ways
from gpvar.words.text import known, lower_first

if TYPE_CHECKING:
    from gpvar.words.claims_facts import ClaimFacts


#: The finding itself is not made again in other ways.
PLACE = "What was tried in other ways is not this sentence but the practice's place, allowing for patients."
#: The test whose own line is that of being far outside.
_FAR_TEST = "outlier"


def robust(facts: ClaimFacts) -> str:
    """Return in how many other ways the practice's place is as it is here, and on which choice that hangs."""
    said = _place(facts)
    return f"{PLACE} {said}" if said else ""


def _place(facts: ClaimFacts) -> str:
    found = _ways(facts)
    if found is not None:
        return " ".join(text for text in (robustness.brief(found), _beyond(facts, found)) if text)
    agree, compared = (facts.finding.robustness.get(name) for name in ("agree", "compared"))
    if not known(compared) or not compared:
        return ""
    said = robustness.of(int(agree or 0), int(compared))
    choice = CHOICES.get(str(facts.finding.robustness.get("drives") or ""), "")
    hangs = f" It hangs most on {choice}." if choice and agree != compared else ""
    if _inside_in_all(facts, None):
        return f"It is inside the usual range in {robustness.of(int(compared), int(compared))} of comparing."
    return f"It stands the same in {said} of comparing.{hangs}"


def _beyond(facts: ClaimFacts, found: Ways) -> str:
    """Return in how many ways it is beyond the sentence's own line, which is not the one that was counted."""
    many = far_ways(facts)
    if many is None or found.here is None or found.here.far:
        return ""
    line = "the 99.8% limits, by which this sentence is judged"
    return f"Outside {line}, it is in {robustness.none(many)} of {robustness.ways(len(found.others))}."


def far_ways(facts: ClaimFacts) -> int | None:
    """Return in how many other ways it is outside the 99.8 % limits; None but for a sentence judged by them."""
    found = _ways(facts) if facts.template.test == _FAR_TEST else None
    return None if found is None else found.far


def same_ways(facts: ClaimFacts) -> int | None:
    """Return in how many other ways its place is as it is here; of one never outside, all. None without other ways."""
    agree, compared = (facts.finding.robustness.get(name) for name in ("agree", "compared"))
    if not known(compared) or not compared:
        return None
    return int(compared if _inside_in_all(facts, _ways(facts)) else agree or 0)


def _inside_in_all(facts: ClaimFacts, found: Ways | None) -> bool:
    """Return whether it is inside the usual range here and in every other way."""
    if found is not None:
        return found.never_outside
    held = facts.finding.robustness
    # Robust with fewer than nine tenths that agree is who is never outside: only the side of the expected turns.
    return held.get("label") == "robust" and 10 * int(held["agree"]) < 9 * int(held["compared"])


def robust_where_it_matters(facts: ClaimFacts) -> str:
    """Return the same for a reply: where a finding rests on it, and where the answer depends on a choice."""
    label, verdict = str(facts.finding.robustness.get("label") or ""), facts.finding.verdict
    found = _ways(facts)
    if label == "robust":
        outside = found is not None and found.here is not None and found.here.outside
        inside = found is not None and found.never_outside
        rests = (verdict == "supported" and outside) or (verdict == "not_attributable" and inside)
        return robust(facts) if rests else ""
    if found is not None and found.never_outside:
        return ""
    return robust(facts) if label else ""


def _ways(facts: ClaimFacts) -> Ways | None:
    """Return the ways themselves, where the sentence is judged by this run's own; None by another period's."""
    run, finding = facts.run, facts.finding
    key = str(finding.source.get("run") or "")
    here = key in ("", str(run.meta.get("key", "")))
    if not finding.robustness.get("compared") or not here or finding.claim.metric not in run.multiverse:
        return None
    found = practice_ways(run, finding.claim.practice_code, finding.claim.metric, finding.comparator)
    return found if found.here is not None and found.others else None


def choice_in_short(facts: ClaimFacts) -> str:
    """Return the choice on which a place hangs most, for a cell; "none" where it hangs on none."""
    if same_ways(facts) == facts.finding.robustness.get("compared"):
        return "none"
    name = str(facts.finding.robustness.get("drives") or "")
    return lower_first(CHOICES.get(name, "")) or "none"
