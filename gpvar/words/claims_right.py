"""What is conceded: the arithmetic, what the board has right, and how statement and position go together."""

from __future__ import annotations

from typing import Any

from gpvar.words import boxes, figures, passing, phrases
from gpvar.words.claims_facts import ClaimFacts, changed, margin_at, part, place_here, placed_at
from gpvar.words.hidden import ICB_SUPPLIED
from gpvar.words.text import escape_markdown, known, listed, number, ordinal, plural

_STATEMENT = {
    "supported": "The sentence in the letter holds",
    "not_attributable": "The sentence in the letter is true but does not compare like with like",
    "contradicted": "The data do not show what the letter says",
    "not_shown": "The data do not show what the letter says",
    "not_decidable": "The sentence in the letter cannot be checked yet",
    "wrong_metric": "The sentence in the letter is held against another measure",
}
#: Tests whose sentence puts the practice on a side, so that sentence and position can point the same way.
_SIDED = ("rank", "margin", "significant", "outlier", "threshold")
_CHANGES = ("change", "worst_improved")
_TWO_PERIODS = ("change", "no_improvement", "worst_improved")
#: The 95 % limits of a distance in standard errors.
_USUAL = 1.96
ON = {"M0": "on the raw figures", "M1": "after allowing for patients"}
#: Tests that look at more than the practice's own figure.
_APART = ("many", "ratio", "association", "joint")
_CALM, _UNDECIDED = ("no_detectable_difference", "usual"), "not_decidable"


def published(facts: ClaimFacts) -> str:
    """Return whose arithmetic it is."""
    given = facts.card is not None and facts.card.source in ICB_SUPPLIED
    return "the figures that the board supplied" if given else "the published figures"


def arithmetic(facts: ClaimFacts) -> str:
    """Return what is true, or not, as arithmetic; nothing where the letter holds no figure or place to check."""
    said = [_place(facts), _figure(facts), _range(facts)]
    return " ".join(text for text in said if text)


def _place(facts: ClaimFacts) -> str:
    """Return the raw place, whether it is where the letter puts it, and where the part it names ends."""
    if facts.template.test != "rank" or not facts.has("rank", "ranked"):
        return ""
    place, true = _stands_at(facts), place_right(facts)
    if true is None:
        return f"As arithmetic on {published(facts)} the practice is {place}."
    ends = _letters_place(facts) if facts.claim.place is not None else _cut(facts)
    return f"{'True' if true else 'Not so'} as arithmetic on {published(facts)}: {place}{ends}."


def place_right(facts: ClaimFacts) -> bool | None:
    """Return whether the raw place is what the letter says; None where that is not known or not said."""
    if facts.template.test != "rank" or not facts.has("rank", "ranked"):
        return None
    if facts.claim.place is not None:
        tied = facts.get("tied") if facts.has("tied") else 1
        return place_here(facts) <= facts.claim.place < place_here(facts) + max(tied, 1)
    true = facts.finding.numbers.get("in_tail")
    return None if true is None else bool(true)


def _stands_at(facts: ClaimFacts) -> str:
    return f"{placed_at(place_here(facts), facts.claimed)} of {number(facts.get('ranked'))}"


def _letters_place(facts: ClaimFacts) -> str:
    """Return the letter's own place and number of practices, where they are not those of the data."""
    place, of = facts.claim.place or 0, facts.claim.of or 0
    if place_right(facts) and (not of or of == facts.get("ranked")):
        return ""
    among = f" of {number(of)}" if of else ""
    return f"; the letter has {placed_at(place, facts.claimed)}{among}"


def _cut(facts: ClaimFacts) -> str:
    """Return at which place and figure the part ends that the letter names."""
    card = facts.card
    if card is None or not facts.has("cut_place", "cut_value", "tail"):
        return ""
    name = where_meant(facts).removeprefix("in ").removeprefix("among ")
    verb = "end" if name.endswith("100") else "ends"
    return f"; {name} {verb} at the {ordinal(facts.get('cut_place'))}, {figures.amount(card, facts.get('cut_value'))}"


def _figure(facts: ClaimFacts) -> str:
    """Return whether the letter's own figure is what the data give."""
    figure, card, true = facts.claim.figure, facts.card, figure_right(facts)
    if figure is None or card is None or true is None:
        return ""
    value = facts.raw["value"] if facts.raw is not None else facts.get("value")
    here = f"{facts.period}: {figures.amount(card, value)}"
    what = "is what the data give" if true else "is not what the data give"
    return f"The letter's figure, “{escape_markdown(figure.text)}”, {what} for {here}."


def figure_right(facts: ClaimFacts) -> bool | None:
    """Return whether the letter's own figure is what the data give; None where there is none to check."""
    found = facts.finding
    if facts.claim.figure is None or facts.card is None or facts.template.test in ("fold", "opportunity"):
        return None
    if "figure_right" in found.numbers:
        true = found.numbers["figure_right"]
        return None if true is None else bool(true)
    return {"right": True, "wrong": False}.get(found.arithmetic)


def _range(facts: ClaimFacts) -> str:
    """Return whether the letter's range is what the data give."""
    if facts.template.test != "fold" or not facts.has("fold", "fold_now"):
        return ""
    true = "Not so" if facts.finding.reason == "fold_not_reproduced" else "True"
    figure = facts.claim.figure
    letters = f"“{escape_markdown(figure.text)}”" if figure is not None else number(facts.get("fold"), 1)
    return (
        f"{true} as arithmetic on {published(facts)}: the highest figure is {number(facts.get('fold_now'), 1)} times "
        f"the lowest; the letter has {letters}."
    )


def disagrees(facts: ClaimFacts) -> bool:
    """Return whether anything that the letter prints is not what these data give."""
    said = {"figure_differs", "first_figure_far", "figure_far", "fold_not_reproduced", "ratio_differs"}
    said |= {"place_far", "place_differs", "of_differs"}
    return (
        place_right(facts) is False
        or figure_right(facts) is False
        or facts.finding.arithmetic == "wrong"
        or bool(said & set(facts.finding.because))
    )


def right(facts: ClaimFacts) -> list[str]:
    """Return what the board has right: the arithmetic first; never empty."""
    if facts.finding.reason == "change_other_side":
        return [text for text in (_true_figure(facts), _did_change(facts)) if text]
    said = [_true_place(facts), _true_figure(facts), _area(facts), _raw_side(facts), _places(facts)]
    said += [_by_counts(facts), _by_verdict(facts), _stands_out(facts), _size(facts)]
    return [text for text in said if text]


def in_short(facts: ClaimFacts) -> list[str]:
    """Return what the board has right where there is little room, what is worth most to it first; never empty."""
    first = right(facts)[0]
    worth = [_by_counts(facts), "" if place_right(facts) else _places(facts), first]
    return list(dict.fromkeys(text for text in worth if text))


def _did_change(facts: ClaimFacts) -> str:
    """Return that there is a change, where it is not the one that the letter speaks of."""
    card, size = facts.card, changed(facts)
    if card is None or not known(size):
        return "The figure did change."
    return f"The figure did change, by {figures.gap(card, size)}."


def _true_place(facts: ClaimFacts) -> str:
    return _place(facts) if place_right(facts) else ""


def _true_figure(facts: ClaimFacts) -> str:
    return _figure(facts) if figure_right(facts) else ""


def _raw_side(facts: ClaimFacts) -> str:
    """Return that the raw figure lies on the side that the letter names, where it does."""
    row, card = facts.raw, facts.card
    if row is None or card is None or not facts.sign or not known(row.get("difference")):
        return ""
    if row["position"] == _UNDECIDED:
        return ""
    size = row["difference"]
    if size * facts.sign <= 0 or figures.is_nil(card, size) or facts.template.test in ("change", "no_improvement"):
        return ""
    # The figure itself stands there already where the letter's own is right.
    value = "" if figure_right(facts) else f", {figures.amount(card, row['value'])},"
    middle = f", {figures.amount(card, row['centre'])}" if known(row.get("centre")) else ""
    return f"The raw figure{value} is {figures.side(size)} than the middle of practices {facts.within}{middle}."


def _places(facts: ClaimFacts) -> str:
    """Return its places by the raw figure in England and in its own ICB, of a sentence on one practice."""
    if not facts.is_practice or facts.template.test in _TWO_PERIODS or (facts.raw or {}).get("position") == _UNDECIDED:
        return ""
    said_already = ("icb" if facts.finding.comparator == "own_icb" else "england") if place_right(facts) else ""
    sides = {"england": facts.names.within("england"), "icb": "in its own ICB"}
    said = [
        f"{placed_at(facts.get(f'{name}_from_side'), facts.claimed)} of {number(facts.get(f'{name}_ranked'))} {where}"
        for name, where in sides.items()
        if name != said_already and facts.has(f"{name}_from_side", f"{name}_ranked")
    ]
    return f"By the raw figure it is {listed(said)}." if said else ""


def _by_counts(facts: ClaimFacts) -> str:
    """Return that a test of the counts alone calls the difference real, where the finding does not."""
    z = facts.get("z_counts")
    if not known(z) or abs(z) <= _USUAL or facts.finding.verdict == "supported" or z * facts.sign < 0:
        return ""
    said = "By the usual test of counts alone the difference is statistically significant."
    moved = passing.used(facts.analysis.passing) if facts.analysis is not None else None
    if moved is None or facts.finding.verdict == "not_attributable":
        return said
    return f"{said} Passing movement widens the interval here; it was estimated from {_seen_in(moved)}."


def _seen_in(moved: dict[str, Any]) -> str:
    """Return in which months, and of whom, passing movement was seen."""
    first = passing.stretch(moved["first"])
    if moved["second"] == "each month":
        return f"the months of {first} in all practices"
    return f"how {first} and {passing.stretch(moved['second'])} differ in all practices"


def _area(facts: ClaimFacts) -> str:
    """Return what is right about a sentence on an area, on a change or on many indicators."""
    card, test = facts.card, facts.template.test
    count = {
        "fold": ("fold_now", "In these data the highest figure is {} times the lowest.", 1),
        "opportunity": ("raw_sum", "The same sum on the raw figures gives {}.", 0),
        "ratio": ("ratio", "It has {} patients for each full-time doctor, by the count used here.", 0),
    }
    if test in count:
        name, said, places = count[test]
        return said.format(number(facts.get(name), places)) if facts.has(name) else ""
    if test == "many" and facts.has("k", "m"):
        red = f"{number(facts.get('k'))} of {number(facts.get('m'))}"
        return f"That it is red on {red} is the letter's count, which is not disputed here."
    if card is None:
        return ""
    if test == "worst_improved" and facts.has("group_before", "group_after"):
        span = figures.span(card, facts.get("group_before"), facts.get("group_after"))
        who = f"the {plural(facts.get('group'), 'practice')}" if facts.has("group") else "the group"
        return f"The mean of {who} went from {span}."
    if test in ("change", "no_improvement") and facts.has("before", "after"):
        return f"The figure went from {figures.span(card, facts.get('before'), facts.get('after'))}."
    return ""


def _by_verdict(facts: ClaimFacts) -> str:
    code = facts.finding.verdict
    test = facts.template.test
    if code == "supported":
        return "The variation is real and not chance alone." if test == "fold" else _holds(facts)
    if code == "not_attributable":
        there = "The variation" if test == "fold" else "The change" if test in _CHANGES else "The raw difference"
        excuse = "" if test in _CHANGES else " What explains it does not excuse it."
        return f"{there} that the letter speaks of is there.{excuse}"
    if code == "contradicted":
        return _against(facts)
    if code == "not_shown":
        return "That the data do not show it does not prove that it is wrong."
    if code == "wrong_metric":
        return "The figure may be right for what it does measure."
    return _open_still(facts)


def _against(facts: ClaimFacts) -> str:
    """Return what is conceded of a sentence that the data speak against."""
    if not facts.is_practice:
        sums = facts.template.test == "opportunity"
        return (
            "That the data do not show it does not mean that nothing can be gained."
            if sums
            else ("That the group did not improve does not show that the support was of no use.")
        )
    if facts.finding.reason == "other_side":
        return f"The finding does not {_open(facts)}."
    return f"Asking how the practice came to the figure is fair. The finding does not {_open(facts)}."


def _open_still(facts: ClaimFacts) -> str:
    """Return what is left open of a sentence that cannot be checked; never that nothing is wrong where a number is."""
    if place_right(facts) is False:
        return "What lasts of the place these data cannot settle either way."
    if disagrees(facts):
        return "Apart from the number printed, these data cannot settle it either way."
    return "Nothing here shows that the ICB is wrong. These data cannot settle it either way."


def _open(facts: ClaimFacts) -> str:
    """Return what a finding leaves open; nothing is called good enough where no direction is known to be."""
    directed = facts.card is not None and facts.card.better in ("higher", "lower")
    return "show that the figure is good enough" if directed else "settle whether the figure matters to patients"


def _holds(facts: ClaimFacts) -> str:
    fair = " Asking the practice about it is fair." if facts.is_practice else ""
    return f"The statement holds on these data.{fair}"


def _stands_out(facts: ClaimFacts) -> str:
    """Return that the practice stands out among others, where it does and the statement did not say so already."""
    row = facts.judged
    if row is None or row["position"] not in boxes.FLAGGED or facts.finding.verdict == "supported":
        return ""
    return f"It stands out among practices {ON[facts.headline]} ({facts.tag}). Asking the practice about that is fair."


def _size(facts: ClaimFacts) -> str:
    """Return that the gap is more than the measure's margin, where it is and is on the side that is meant."""
    row, card = facts.judged, facts.card
    if row is None or card is None or not row.get("exceeds_margin") or not known(row.get("difference")):
        return ""
    if facts.sign and row["difference"] * facts.sign < 0:
        return ""
    much = margin_at(facts, facts.headline)
    how = ON[facts.headline]
    return f"The gap is not trivial: {how} it is more than {much}, the margin of the measure ({facts.tag})."


def position(facts: ClaimFacts) -> str:
    """Return statement and position in one sentence; nothing for an area or where there is no position."""
    row = facts.judged
    if row is None or not facts.is_practice or not row.get("position"):
        return ""
    if facts.template.test in _TWO_PERIODS:
        return ""  # a position in one period says nothing of a change
    code, start = str(row["position"]), _STATEMENT[facts.finding.verdict]
    how = ON[facts.headline]
    stands = f"the practice's position among others, {how}, is “{phrases.POSITION[code]}” ({facts.tag})"
    if facts.finding.verdict == "not_decidable":
        return f"{start}; {stands}."
    return f"{start}, and {stands}: {_together(facts, code)}."


def _together(facts: ClaimFacts, code: str) -> str:
    """Return how the two go together, so that neither reads as denying the other."""
    found, calm = facts.finding.verdict, code in _CALM
    if code == _UNDECIDED:
        return "these data cannot place it"
    if facts.template.test in _APART:
        return "the position is of one measure alone"
    if found == "wrong_metric":
        return "the position is on the measure that the letter names"
    if found == "supported":
        return _supported(facts, code)
    if found == "not_attributable":
        return "with patients or a setting like these the figure is common" if calm else "what is left still stands out"
    if calm:
        return f"neither of the two can {_open(facts)}"
    return "it stands out on the other side" if _opposite(facts) else "it does stand out, though not as the letter says"


def _supported(facts: ClaimFacts, code: str) -> str:
    if code == "usual":
        return "a sentence can be true of a practice and of many others too"
    if code == "no_detectable_difference":
        return "a sentence can be true where the gap to others may be chance"
    same = facts.template.test in _SIDED and not _opposite(facts)
    return "both point the same way" if same else "the one does not deny the other"


def _opposite(facts: ClaimFacts) -> bool:
    """Return whether the practice stands out on the other side than the letter says."""
    row = facts.judged
    if row is None or not facts.sign or not known(row.get("difference")):
        return False
    return bool(row["difference"] * facts.sign < 0)


def where_meant(facts: ClaimFacts) -> str:
    """Return the part of all practices that a sentence on a place means; nothing for other sentences."""
    return part(facts.get("tail"), facts.sign or -1) if facts.has("tail") else ""
