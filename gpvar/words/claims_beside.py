"""What must be said beside a finding, and what would change it: a sentence for every id."""

from __future__ import annotations

from collections.abc import Callable

from gpvar import catalogue
from gpvar.dates import day_in_words
from gpvar.words import boxes, figures, passing, phrases, quality, verdict
from gpvar.words.claims_facts import ClaimFacts, between_periods
from gpvar.words.text import escape_markdown, known, number, ordinal, plural

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
    said = list(dict.fromkeys(touches(facts, row) for row in warnings(facts)))
    return (
        f"{'A warning' if len(said) == 1 else f'{number(len(said))} warnings'} from the checks. {' '.join(said)}"
        if (said)
        else "A check of the data gives a warning."
    )


def warnings(facts: ClaimFacts) -> list[dict[str, str]]:
    """Return the checks that failed and do not stop the question, without what is said beside the finding anyway."""
    failed = [row for row in facts.finding.gates if (row["state"], row["severity"]) == (quality.FAILED, "warn")]
    return [row for row in failed if row["gate"] != "atypical" or "outside_fit" not in facts.finding.because]


def touches(facts: ClaimFacts, row: dict[str, str]) -> str:
    """Return what a warning means, and what of the finding it touches."""
    title, _, apart = row["detail"].partition(": ")
    used = facts.analysis.meta.get("covariates", {}) if facts.analysis is not None else {}
    at = [rung for rung, ids in used.items() if title in {catalogue.covariate(name).title for name in ids}]
    if row["gate"] != "covariate_old" or not apart:
        return quality.meaning(row["gate"], quality.FAILED)
    known_of = f"What is known of {escape_markdown(title)} was recorded {escape_markdown(apart)}"
    if not at:
        return f"{known_of}; it is not allowed for here."
    only = (
        "only where setting is allowed for too" if not {"M1", "M1-"} & set(at) else "wherever patients are allowed for"
    )
    return f"{known_of}. It is used {only}; that then does less than it should."


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


def _some_change_by_chance(facts: ClaimFacts) -> str:
    many, panel = facts.get("by_chance"), facts.get("panel")
    if not (known(many) and known(panel)):
        return "Of many practices some seem to change as far by chance alone."
    return (
        f"Of {number(panel)} practices about {number(round(many))} would seem to change as far this way by chance, "
        "with no change that lasts: if the practice was picked because it changed so much, chance is likelier than the "
        "interval says."
    )


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


def _coverage(facts: ClaimFacts) -> str:
    return "Whether all of its appointments are in the file could not be checked."


def _outside_fit(facts: ClaimFacts) -> str:
    detail = next((row["detail"] for row in facts.finding.gates if row["gate"] == "atypical" and row["detail"]), "")
    why = f" ({escape_markdown(detail, 200)})" if detail else ""
    return (
        f"Its list is unlike those it is compared with{why}. So it was left out of the fit, and what is expected of it "
        "is drawn on beyond the practices that the line rests on."
    )


def _no_direction_known(facts: ClaimFacts) -> str:
    what = "share" if facts.card is not None and figures.is_share(facts.card) else "rate"
    one = "higher" if facts.sign > 0 else "lower"
    return f"No right {what} is known: a {one} one does not by itself mean less good care."


def _derived(facts: ClaimFacts) -> str:
    found = [item for item in facts.finding.numbers.get("derived") or [] if len(item) == 3]
    said = [
        f"The figures of {passing.stretch(own)} are those of {passing.stretch(whole)} less those of "
        f"{passing.stretch(part)}."
        for own, whole, part in found
    ]
    return " ".join(said) or "The figures are those of a longer period less those of its other months."


def _one_period(facts: ClaimFacts) -> str:
    return "It is one period: whether the practice lies there in another was not looked at."


def _place_differs(facts: ClaimFacts) -> str:
    place, here = facts.claim.place, facts.get("from_side")
    if place is None or not known(here):
        return "The letter's place is not the one that these data give."
    return f"The letter's place is {ordinal(place)}; these data give {ordinal(here)}."


def _of_differs(facts: ClaimFacts) -> str:
    of, ranked = facts.claim.of, facts.get("ranked")
    if of is None or not known(ranked):
        return "The letter counts another number of practices."
    return f"The letter counts {plural(of, 'practice')}; these data hold figures of {number(ranked)}."


def _would_reach(facts: ClaimFacts) -> str:
    card, adjusted = facts.card, facts.get("adjusted")
    if card is None or not known(adjusted):
        return "With a typical mix of patients it would be on the other side of the line."
    return f"With a typical mix of patients it would have been {figures.amount(card, adjusted)}."


def _zeros(facts: ClaimFacts) -> str:
    n = facts.get("zeros")
    who = (
        f"{plural(n, 'practice')} with a figure of nought {'is' if n == 1 else 'are'}"
        if known(n)
        else ("Practices with a figure of nought are")
    )
    return f"{who} left out of the range: nothing is so many times nought."


def _studys_area(facts: ClaimFacts) -> str:
    return "The letter speaks of its ICB; the study's area is its own list of practices, of more than one ICB."


#: Said inside a finding that holds, before any other caveat: without them it would say more than it does.
INSIDE = (
    "coverage_not_checked",
    "outside_fit",
    "threshold_is_the_boards_own",
    "many_on_that_side",
    "target_not_due",
    "patients_would_reach_it",
    "reached_by_chance",
    "some_change_by_chance",
    "hidden_both_ends",
    "chance_not_separated",
)
_TOO_FEW = "Whether that is “too few” is a judgement, which figures cannot make."


def inside(facts: ClaimFacts) -> list[str]:
    """Return the caveats that stand inside a finding that holds."""
    if facts.finding.verdict != "supported":
        return []
    told = [BESIDE[name](facts) for name in INSIDE if name in facts.finding.because]
    judged = [_TOO_FEW] if facts.claim.template == "too_low" else []
    return list(
        dict.fromkeys(
            [*told[:1], *judged, *told[1:]] if "coverage_not_checked" in facts.finding.because else ([*judged, *told])
        )
    )


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
    "some_change_by_chance": _some_change_by_chance,
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
    "coverage_not_checked": _coverage,
    "outside_fit": _outside_fit,
    "no_known_direction": _no_direction_known,
    "period_derived": _derived,
    "one_period": _one_period,
    "place_differs": _place_differs,
    "of_differs": _of_differs,
    "patients_would_reach_it": _would_reach,
    "zeros_left_out": _zeros,
    "area_is_the_studys": _studys_area,
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
    "another_period": "Figures of another period that lie outside those limits.",
    "cases": "A look at cases: whether other patients should have been asked about or referred.",
}


def beside(facts: ClaimFacts) -> list[str]:
    """Return what must be said beside the finding and is not inside it; an id without words is named, not hidden."""
    said = []
    told = INSIDE if facts.finding.verdict == "supported" else ()
    for name in facts.finding.because[1:]:
        if name in told:
            continue
        write = BESIDE.get(name)
        said.append(write(facts) if write is not None else f"Note from the check: {name.replace('_', ' ')}.")
    return list(dict.fromkeys(said))


def change(facts: ClaimFacts) -> list[str]:
    """Return what would change the finding."""
    return [CHANGE.get(name, f"{name.replace('_', ' ').capitalize()}.") for name in facts.finding.would_change]
