"""Whether what is found of a sentence of a letter hangs on choices that others may make otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words import robustness
from gpvar.words.robustness_choices import CHOICES
from gpvar.words.robustness_facts import Ways, practice_ways
from gpvar.words.text import known, lower_first

if TYPE_CHECKING:
    from gpvar.words.claims_facts import ClaimFacts


def robust(facts: ClaimFacts) -> str:
    """Return in how many other defensible ways the practice stands as it does here, and on which choice that hangs."""
    found = _ways(facts)
    if found is not None:
        return robustness.brief(found)
    agree, compared = (facts.finding.robustness.get(name) for name in ("agree", "compared"))
    if not known(compared) or not compared:
        return ""
    said = robustness.of(int(agree or 0), int(compared))
    choice = CHOICES.get(str(facts.finding.robustness.get("drives") or ""), "")
    hangs = f" It hangs most on {choice}." if choice and agree != compared else ""
    return f"It stands the same in {said} of comparing that can be defended as well.{hangs}"


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
    name = str(facts.finding.robustness.get("drives") or "")
    return lower_first(CHOICES.get(name, "")) or "none"
