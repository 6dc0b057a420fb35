"""The sections on other defensible ways: of a practice's pages, an area's, and the one for researchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.words import robustness, robustness_area
from gpvar.words.research_facts import figures as significant
from gpvar.words.research_facts import label
from gpvar.words.robustness_choices import CHOICES, LABEL, MEANS, option
from gpvar.words.robustness_facts import area_ways, practice_ways, whole
from gpvar.words.shared import note
from gpvar.words.text import known, listed, lower_first, number, plural

if TYPE_CHECKING:
    from collections import Counter

    from gpvar.results import Run
    from gpvar.words.robustness_facts import AreaWays, Ways

TITLE = "Other defensible ways"
REFERENCES = (
    "Steegen S, Tuerlinckx F, Gelman A, Vanpaemel W (2016) Perspectives on Psychological Science 11: 702; Simonsohn U, "
    "Simmons JP, Nelson LD (2020) Nature Human Behaviour 4: 1208; VanderWeele TJ, Ding P (2017) Annals of Internal "
    "Medicine 167: 268."
)


def standing_other_ways(run: Run, practice: str = "", metric: str = "") -> str:
    """Return whether other defensible choices give the practice the same place, and on which it hangs."""
    found = practice_ways(run, practice, metric)
    if found.here is None or not found.others:
        return f"## {TITLE}\n\n{robustness.lead(found)}"
    said = [
        " ".join((robustness.lead(found), robustness.span(found))),
        robustness.hangs_on(found),
        " ".join(part for part in (robustness.same_question(found), robustness.own_icb(found)) if part),
        " ".join(part for part in (robustness.declared(found), robustness.no_chance(found)) if part),
    ]
    return f"## {TITLE}\n\n" + "\n\n".join(part for part in said if part)


def standing_unmeasured(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how strong something unmeasured would have to be; nothing where the practice cannot be judged."""
    found = practice_ways(run, practice, metric)
    said = robustness.unmeasured(found)
    return f"## If something was not measured\n\n{said}" if said else ""


def area_other_ways(run: Run, metric: str = "") -> str:
    """Return how many of an area's practices stand the same in other ways, and which choice moves most."""
    found = area_ways(run, metric)
    if found is None:
        return ""
    if not found.made or not found.judged:
        return f"## {TITLE}\n\n{robustness_area.lead(found, found.facts.names)}"
    said = [robustness_area.lead(found, found.facts.names), robustness_area.choice(found)]
    return f"## {TITLE}\n\n" + "\n\n".join(part for part in said if part) + f"\n\n{note(robustness_area.means(found))}"


def methods_other_ways(run: Run, metric: str = "") -> str:
    """Return every declared way, how agreement is counted, and what could not be made and why."""
    found = area_ways(run, metric)
    if found is None:
        return ""
    meta = found.meta
    rung = label(found.rung)
    n = len(found.made)
    text = [
        f"{plural(n, 'specification')} beside the primary one {'was' if n == 1 else 'were'} made at {rung}, of "
        f"{number(n + len(found.missing))} declared{_seed(meta, n)}. All answer the same question: rung family and "
        "comparator are fixed. Compatibility modes of the funnel, and limits of sampling alone, are not among them.",
        "A practice agrees when z has the same sign and lies on the same side of ±1.96 as in the primary "
        "specification, which does not count itself. Robust: it agrees in at least 90% of them, or is inside ±1.96 in "
        "all, whichever its sign; fragile: in fewer than two thirds; no label with fewer than six. Shares of "
        "specifications are not probabilities.",
        _whole(whole(run, found.facts.card.id), found),
        _strength(found),
    ]
    said = "\n\n".join(part for part in text if part)
    return f"## {TITLE}\n\n{said}\n\n{note(REFERENCES)}"


def _seed(meta: dict[str, object], made: int) -> str:
    sampled = made > 30 and known(meta.get("seed"))
    return f" (the first ones one by one, then a sample of their crossing, seed {meta['seed']})" if sampled else ""


def _whole(labels: dict[bool, Counter[str]], found: AreaWays) -> str:
    """Return how many practices compared are robust, mixed and fragile, outside the usual range and inside it."""
    said = []
    for side, where in ((True, "outside"), (False, "inside")):
        counted = labels[side]
        if sum(counted.values()):
            each = listed(f"{number(counted[name])} {word.lower()}" for name, word in LABEL.items())
            said.append(f"of the {number(sum(counted.values()))} {where} ±1.96, {each}")
    if not said:
        return ""
    joined = "; ".join(said)
    return f"Practices of {found.facts.names.reference}, at the primary specification: {joined}."


def _strength(found: AreaWays) -> str:
    """Return what the strength of something unmeasured is measured in."""
    meta = found.meta
    share, tau = meta.get("need_share"), meta.get("tau")
    if not known(tau):
        return ""
    said = (
        "The strength of something unmeasured that would carry a practice across ±1.96 is given in the metric's unit "
        f"and in SDs of the distribution of practices (τ = {significant(tau)})"
    )
    if not known(share):
        return f"{said}."
    much = f"measured need takes away {number(100 * float(share), 1)}% of the raw spread"  # type: ignore[arg-type]
    if float(share) < 0.05:  # type: ignore[arg-type]
        return f"{said}; {much}, too little to serve as a yardstick (5% of it is asked for)."
    return f"{said}; {much}, so that it is also given as a multiple of the strongest measured characteristic."


def standing_other_ways_note(run: Run, practice: str = "", metric: str = "") -> str:
    """Return how to read the picture of all ways; nothing where there is none."""
    found = practice_ways(run, practice, metric)
    if found.here is None or not found.others:
        return ""
    if found.alike:
        return note(
            "No picture is drawn of these ways: their differences are less than a tenth of the width of the usual "
            "range, and would not be seen."
        )
    return note(
        "Each column of the picture is one way of making the comparison, from the lowest difference to the highest. "
        "The shaded bars are the usual range in that way, the marks the practice's difference. The rows below show "
        "what is done otherwise; a column without a mark there is the way used on every page here. "
        f"{_meant(found)}"
    )


def _meant(found: Ways) -> str:
    """Return what the rows mean that their names cannot say, each under the choice it is of."""
    taken = {item for way in found.others for item in way.taken.items()}
    said = []
    for choice, title in CHOICES.items():
        rows = [f"{lower_first(option(*row))} ({MEANS[row]})" for row in MEANS if row[0] == choice and row in taken]
        said += [f"{title[0].upper()}{title[1:]}: {listed(rows)}."] if rows else []
    return " ".join(said)
