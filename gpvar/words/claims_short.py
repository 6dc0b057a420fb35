"""The number that decided a sentence of a letter, in fifteen words or so: for a row of a table."""

from __future__ import annotations

from collections.abc import Callable

from gpvar.words import figures
from gpvar.words.claims import finding_phrase
from gpvar.words.claims_facts import ClaimFacts, bare, odds, part
from gpvar.words.claims_pictures import bars_said, change_said
from gpvar.words.text import known, number, ordinal

#: Reasons behind which there is no number, or none that a line can hold.
_WITHOUT = {
    "no_card": "No card of gpvar holds this measure.",
    "no_source": "No published figures of single practices can answer it.",
    "other_measure": "The figure is of another measure than the sentence.",
    "target_of_another_measure": "The target named belongs to another measure.",
    "not_analysed": "The study holds no figures that answer for it.",
    "practice_unknown": "The practice is not in the data.",
    "period_not_held": "The study holds no figures of those months.",
    "stop_gate": "A check of the data stops the question.",
    "no_figure": "The data hold no figure of the practice.",
    "hidden": "The count was hidden because it is small.",
    "figure_far": "The letter's figure is far from what these data give.",
    "no_direction": "The letter does not say on which side the practice lies.",
    "rank_needs_england": "Places that last need all practices of England.",
    "rank_outside_model": "The practice is unlike those that set the comparison.",
    "rank_needs_months": "How far the figure moves from month to month is not known.",
    "rank_unreliable": "The figure is not steady enough to rank.",
    "threshold_not_given": "The letter names no line to hold the figure against.",
    "target_not_announced": "The target was announced after these months.",
    "crosses_break": "A break of the series lies between the two periods.",
    "no_second_period": "A change takes two periods, and the study does not hold both.",
    "many_not_counted": "The letter does not say how many indicators there are.",
    "variation_not_split": "The data do not say where the variation comes from.",
    "no_neighbours": "No practices like it could be found.",
    "workforce_not_held": "The study holds no count of doctors.",
    "association_is_not_cause": "That two things go together does not show that one causes the other.",
    "referrals_not_held": "The study holds no referrals.",
    "sum_needs_england": "The sum needs all practices of England.",
    "not_computed": "The sentence could not be computed from these data.",
}
NOT_CAUSE = "That does not show the cause."
JUDGEMENT = "That it is “unwarranted” does not follow: that is a judgement."
VARIATION = "variation_is_real"
_ARITHMETIC = {"right": "true as arithmetic", "wrong": "not so as arithmetic"}


def short(facts: ClaimFacts) -> str:
    """Return the number that decided in one short whole sentence; what stands in its way where there is none."""
    fixed = _WITHOUT.get(facts.finding.reason)
    write = _SHORT.get(facts.template.test)
    said = fixed or (write(facts) if write is not None else "")
    said = said or "The numbers that decide it are not known."
    return said if said[-1] in ".!?" else f"{said}."


def outcome(facts: ClaimFacts) -> str:
    """Return the finding's phrase, and what it must not be read without.

    Variation that is real holds of the variation alone; what cannot be checked may still be right, or wrong, as
    arithmetic.
    """
    phrase, extra = finding_phrase(facts.finding), ""
    if facts.finding.reason == VARIATION:
        extra = "of the range and the variation; “unwarranted” is a judgement"
    elif facts.finding.verdict == "not_decidable":
        extra = _ARITHMETIC.get(facts.finding.arithmetic, "")
    return f"{phrase} ({extra})" if extra else phrase


def _rank(facts: ClaimFacts) -> str:
    side = facts.sign or -1
    p = facts.get("p_adjusted") if facts.has("p_adjusted") else facts.get("p_raw")
    if not (facts.has("from_side", "ranked", "tail") and known(p)):
        return ""
    end = "lowest" if side < 0 else "highest"
    place = f"{ordinal(facts.get('from_side'))} {end} of {number(facts.get('ranked'))}"
    value = f"{bare(facts.card, facts.raw['value'])}, " if facts.raw is not None else ""
    return f"{value}{place}; chance of lasting {part(facts.get('tail'), side)}: {odds(p)}"


def _gap(facts: ClaimFacts) -> str:
    card, raw, judged = facts.card, facts.raw, facts.judged
    if card is None or raw is None or judged is None or not known(raw.get("difference")):
        return ""
    said = f"{bare(card, raw['value'])}, {_apart(facts, raw)} than the middle"
    return said if facts.headline == "M0" else f"{said}; {_apart(facts, judged)} with patients allowed for"


def _apart(facts: ClaimFacts, row: dict[str, object]) -> str:
    size = figures.apart(facts.card, row)
    much = figures.gap(facts.card, size).split(" ")[0]
    unit = " points" if figures.is_share(facts.card) else ""
    return f"{much}{unit} {figures.side(size)}"


def _outlier(facts: ClaimFacts) -> str:
    if not facts.has("z_raw"):
        return ""
    after = f", {number(abs(facts.get('z_adjusted')), 1)} with patients allowed for" if facts.has("z_adjusted") else ""
    return f"{number(abs(facts.get('z_raw')), 1)} spreads from the middle{after}; 3.1 would be exceptional"


def _threshold(facts: ClaimFacts) -> str:
    if not facts.has("value", "threshold"):
        return ""
    ends = [facts.get(name) for name in ("interval_lower", "interval_upper")]
    interval = f" (95% interval {' to '.join(bare(facts.card, end) for end in ends)})" if all(map(known, ends)) else ""
    return (
        f"{bare(facts.card, facts.get('value'))}{interval}; the line is at {bare(facts.card, facts.get('threshold'))}"
    )


def _change(facts: ClaimFacts) -> str:
    said = change_said(facts)
    return said[:1].upper() + said[1:]


def _fold(facts: ClaimFacts) -> str:
    if not facts.has("fold_now"):
        return ""
    times = f"{number(facts.get('fold_now'), 1)} times from the lowest to the highest"
    if facts.finding.reason == VARIATION:
        return f"{times}, and real. {JUDGEMENT}"
    if not facts.has("share_need", "share_own"):
        return times
    need, own = (number(100 * facts.get(name)) for name in ("share_need", "share_own"))
    return f"{times}; of the variation {need} parts in 100 go with patients, {own} with nothing measured"


def _bars(facts: ClaimFacts) -> str:
    said = bars_said(facts)
    return "" if "not known" in said else said[:1].upper() + said[1:]


_SHORT: dict[str, Callable[[ClaimFacts], str]] = {
    "rank": _rank,
    **dict.fromkeys(("margin", "significant"), _gap),
    "outlier": _outlier,
    "threshold": _threshold,
    **dict.fromkeys(("change", "no_improvement", "worst_improved"), _change),
    "fold": _fold,
    **dict.fromkeys(("exemplar", "many", "ratio", "opportunity", "joint"), _bars),
}
