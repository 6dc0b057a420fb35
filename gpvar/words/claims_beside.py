"""What must be said beside a finding, and what would change it: a sentence for every id."""

from __future__ import annotations

from collections.abc import Callable

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.words import boxes, figures, phrases, quality, verdict
from gpvar.words.claims_facts import ClaimFacts, between_periods
from gpvar.words.text import escape_markdown, known, number, plural

_AREAS = {
    "icb": "the practices of its ICB, too few to set a comparison",
    "pcn": "the practices of its primary care network",
    "sub_icb": "the practices of its sub-ICB",
    "region": "the practices of its region",
    "similar": "similar practices of the board's choosing",
}


def _comparator_changed(facts: ClaimFacts) -> str:
    theirs = _AREAS.get(facts.claim.comparator, "other practices")
    return f"The letter compares it with {theirs}; here it is compared with practices {facts.within}."


def _figure_differs(facts: ClaimFacts) -> str:
    figure, card, value = facts.claim.figure, facts.card, facts.get("value")
    if figure is None or card is None or not known(value):
        return "The letter's own figure is not exactly what these data give."
    return (
        f"The letter prints “{escape_markdown(figure.text)}”; these data give {figures.amount(card, value)}. The "
        "sentence is judged on the figure of these data."
    )


def _warned(facts: ClaimFacts) -> str:
    failed = [row["gate"] for row in facts.finding.gates if (row["state"], row["severity"]) == (quality.FAILED, "warn")]
    said = " ".join(quality.meaning(gate, quality.FAILED) for gate in dict.fromkeys(failed))
    return f"A check of the data gives a warning, so look at that first{f'. {said}' if said else '.'}"


def _chance(facts: ClaimFacts) -> str:
    return f"{phrases.CHANCE}, because the study has no monthly figures."


def _rungs_differ(facts: ClaimFacts) -> str:
    rows = {(rung, facts.finding.comparator): row for rung, row in facts.rows.items()}
    return verdict.disagreement(rows, facts.finding.comparator, facts.names) or (
        "The answer depends on what is allowed for."
    )


def _old(facts: ClaimFacts) -> str:
    notes = list(facts.analysis.notes) if facts.analysis is not None else []
    return boxes.without_old_here(notes, facts.claim.practice_code) or (
        "Some figures on its patients are of another date; without them the answer would be another."
    )


def _not_due(facts: ClaimFacts) -> str:
    own = [target for target in catalogue.targets().values() if target.metric == facts.claim.metric]
    if not own:
        return "The target is not due yet: to be below it before its day is not to have missed it."
    target = own[0]
    return (
        f"The target is to be reached by {day_in_words(target.due)}: to be below it before that day is not to have "
        f"missed it ({escape_markdown(target.source, 200)})."
    )


def _own_line(facts: ClaimFacts) -> str:
    return "No national target at this line is known here: it may be the board's own, or stand in a local contract."


def _both_ends(facts: ClaimFacts) -> str:
    low, high = facts.get("low"), facts.get("high")
    span = f" ({number(low)} to {number(high)})" if known(low) and known(high) else ""
    return (
        f"The count was hidden because it is small; the finding is the same whatever it is{span}. The numbers are "
        "those of the end that speaks least for the finding."
    )


def _controlled(facts: ClaimFacts) -> str:
    what = between_periods(facts) or "a break of the series"
    return f"Between the two periods lies {what}; all practices carry it, and their change has been taken off."


def _before_chosen(facts: ClaimFacts) -> str:
    when = facts.periods("period_before")
    return f"The letter names no first period{f'; {when} was taken' if when else ''}."


def _first_far(facts: ClaimFacts) -> str:
    return "It is the letter's first figure that is not what these data give."


def _panel(facts: ClaimFacts) -> str:
    return f"The study compares within {facts.names.reference}, so the change of all is that of its practices."


def _other_period(facts: ClaimFacts) -> str:
    return f"It is judged on the months that the letter names, {facts.period}, not on those of the study."


def _red_share(facts: ClaimFacts) -> str:
    share = facts.get("red_share")
    much = f": {figures.per_hundred(100 * share)} is assumed" if known(share) else ", so it is assumed"
    return f"The letter does not say how many practices are red on one indicator{much}."


def _correlation(facts: ClaimFacts) -> str:
    r = facts.get("correlation")
    much = f": a correlation of {number(r, 2)} is assumed" if known(r) else ", so it is assumed"
    return f"How far the indicators go together is not known from these data{much}."


def _other_correlation(facts: ClaimFacts) -> str:
    n = facts.get("measured")
    many = f"the {plural(n, 'measure')} of this study" if known(n) else "the measures of this study"
    return f"How far the letter's indicators go together is not known; {many} stand for them."


def _shares_of_england(facts: ClaimFacts) -> str:
    return "The parts of the variation are those of all England: one area holds too few practices for its own."


def _left_out(facts: ClaimFacts) -> str:
    n, sound = facts.get("left_out"), facts.get("fold_sound")
    who = plural(n, "practice") if known(n) else "Some practices"
    them = "it" if n == 1 else "them"
    without = f" Without {them} the highest figure is {number(sound, 1)} times the lowest." if known(sound) else ""
    return f"{who} did not pass a check that stops the question.{without}"


def _a_week(facts: ClaimFacts) -> str:
    return "The letter's figure is taken as a number a week."


def _reaches_itself(facts: ClaimFacts) -> str:
    return "The practice's own figure reaches it."


def _by_chance(facts: ClaimFacts) -> str:
    share = facts.get("lasting_share")
    left = f": with chance taken off, {figures.per_hundred(100 * share)} reach it" if known(share) else ""
    return f"Some of the practices most like it reach the figure by chance alone{left}."


def _ratio_differs(facts: ClaimFacts) -> str:
    low, high, written = (facts.get(name) for name in ("ratio_low", "ratio_high", "written"))
    if not (known(low) and known(high) and known(written)):
        return "The letter's ratio is not what these data give, whichever doctors are counted."
    return (
        f"The letter has {number(written)}; these data give {number(low)} to {number(high)}, by which doctors are "
        "counted."
    )


def _one_definition(facts: ClaimFacts) -> str:
    return "The study holds one way of counting doctors; others would give other ratios."


def _share_holds_referrals(facts: ClaimFacts) -> str:
    return "The share counts referrals below the line, so that many referrals alone make it low."


def _many_there(facts: ClaimFacts) -> str:
    share = facts.get("england_share")
    if not known(share):
        return "Others are on the same side of the line too."
    many = figures.per_hundred(100 * share)
    verb = "is" if many in ("1 in 100", "fewer than 1 in 100") else "are"
    return f"{many[0].upper()}{many[1:]} practices in {facts.names.reference} {verb} on the same side of the line."


def _others_as_far(facts: ClaimFacts) -> str:
    far, compared = facts.get("as_far"), facts.get("compared")
    if not (known(far) and known(compared)) or not compared:
        return "Others differ as much."
    many, verb = (number(far), "differ") if far > 1 else ("1" if far else "Not one", "differs")
    return f"{many} of {number(compared)} other practices {facts.within} {verb} as much from the middle, or more."


BESIDE: dict[str, Callable[[ClaimFacts], str]] = {
    "comparator_changed": _comparator_changed,
    "figure_differs": _figure_differs,
    "warned": _warned,
    "chance_not_separated": _chance,
    "rungs_differ": _rungs_differ,
    "old_characteristics_decide": _old,
    "target_not_due": _not_due,
    "threshold_is_the_boards_own": _own_line,
    "hidden_both_ends": _both_ends,
    "break_controlled": _controlled,
    "period_before_chosen": _before_chosen,
    "first_figure_far": _first_far,
    "panel_not_england": _panel,
    "other_period": _other_period,
    "red_share_assumed": _red_share,
    "correlation_assumed": _correlation,
    "correlation_of_other_measures": _other_correlation,
    "shares_of_england": _shares_of_england,
    "practices_left_out": _left_out,
    "sum_is_a_week": _a_week,
    "reaches_itself": _reaches_itself,
    "reached_by_chance": _by_chance,
    "ratio_differs": _ratio_differs,
    "one_definition": _one_definition,
    "ag_share_holds_referrals": _share_holds_referrals,
    "many_on_that_side": _many_there,
    "others_differ_as_much": _others_as_far,
}

#: What would change a finding.
CHANGE: dict[str, str] = {
    "definition": "What exactly was counted, if it is other than what these data count.",
    "source": "The source that the sentence rests on, read beside the others.",
    "target_measure": "A target that is in force and belongs to this measure.",
    "data": "The figures that are missing: this practice, this measure or this period.",
    "gate": "A fault in the data that the checks could not see, or one they warn of.",
    "count": "The count itself instead of its two ends.",
    "england": "More practices to compare with: all of England instead of one area.",
    "months": "More months, or the figures month by month, so that chance is smaller or better known.",
    "unmeasured": "Something about patients or setting that nobody measured and that goes with the figure.",
    "threshold": "A line with its source: who set it, and when.",
    "control": "Practices that had no support, or no break, to compare the change with.",
    "changes": "A change of recording, of supplier or of the practice itself between the two periods.",
    "workforce": "Which doctors are counted, and on what day.",
    "outcome": "Outcomes of this practice's own patients, and a reason to think that the one causes the other.",
    "ag_extract": "An extract of requests and referrals that leaves out no platform and no specialty.",
    "characteristics": "What is known of the practice's patients: age and sex, deprivation, illness.",
    "cases": "A look at cases: whether other patients should have been asked about or referred.",
}


def beside(facts: ClaimFacts) -> list[str]:
    """Return what must be said beside the finding, in its order; an id without words is named, not hidden."""
    said = []
    for name in facts.finding.because[1:]:
        write = BESIDE.get(name)
        said.append(write(facts) if write is not None else f"Note from the check: {name.replace('_', ' ')}.")
    return list(dict.fromkeys(said))


def change(facts: ClaimFacts) -> list[str]:
    """Return what would change the finding."""
    return [CHANGE.get(name, f"{name.replace('_', ' ').capitalize()}.") for name in facts.finding.would_change]
