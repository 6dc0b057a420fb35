"""What is conceded: the arithmetic, what the board has right, and how statement and position go together."""

from __future__ import annotations

from gpvar.words import boxes, figures, phrases, verdict
from gpvar.words.claims_facts import ClaimFacts, part
from gpvar.words.claims_reasons_odds import end_of
from gpvar.words.hidden import ICB_SUPPLIED
from gpvar.words.text import escape_markdown, known, number, ordinal, plural

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
#: Tests that look at more than the practice's own figure.
_APART = ("many", "ratio", "association", "joint")
_CALM, _UNDECIDED = ("no_detectable_difference", "usual"), "not_decidable"


def published(facts: ClaimFacts) -> str:
    """Return whose arithmetic it is."""
    given = facts.card is not None and facts.card.source in ICB_SUPPLIED
    return "the figures that the board supplied" if given else "the published figures"


def arithmetic(facts: ClaimFacts) -> str:
    """Return what is true, or not, as arithmetic; nothing where the letter holds no figure or place to check."""
    said = [_place(facts), _figure(facts)]
    return " ".join(text for text in said if text)


def _place(facts: ClaimFacts) -> str:
    """Return the raw place, and whether it is where the letter puts it."""
    if facts.template.test != "rank" or not facts.has("rank", "ranked"):
        return ""
    end, ranked = end_of(facts), facts.get("ranked")
    here = facts.get("from_side")
    at = ordinal(here) if known(here) else verdict.counted(facts.get("rank"), ranked, end)
    place = f"{at} from the {end} of {number(ranked)}"
    true = facts.finding.numbers.get("in_tail")
    if true is None:
        return f"As arithmetic on {published(facts)} the practice is {place}."
    start = "True" if true else "Not true, even"
    return f"{start} as arithmetic on {published(facts)}: {place}."


def _figure(facts: ClaimFacts) -> str:
    """Return whether the letter's own figure is what the data give."""
    figure, card = facts.claim.figure, facts.card
    if figure is None or card is None or facts.finding.arithmetic == "not_checked":
        return ""
    value = facts.raw["value"] if facts.raw is not None else facts.get("value")
    text = f"“{escape_markdown(figure.text)}”"
    here = f"{facts.period}: {figures.amount(card, value)}"
    if facts.finding.arithmetic == "right":
        return f"The letter's figure, {text}, is what the data give for {here}."
    return f"The letter's figure, {text}, is not what the data give for {here}."


def right(facts: ClaimFacts) -> list[str]:
    """Return what the board has right: the arithmetic first; never empty."""
    said = [_true_place(facts), _true_figure(facts), _area(facts), _raw_side(facts)]
    said += [_by_verdict(facts), _stands_out(facts), _size(facts)]
    return [text for text in said if text]


def _true_place(facts: ClaimFacts) -> str:
    return _place(facts) if facts.finding.numbers.get("in_tail") else ""


def _true_figure(facts: ClaimFacts) -> str:
    return _figure(facts) if facts.finding.arithmetic == "right" else ""


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
    value = "" if facts.finding.arithmetic == "right" else f": {figures.amount(card, row['value'])}"
    return f"On the raw figures it is {figures.side(size)} than the middle of practices {facts.within}{value}."


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
        if not facts.is_practice:
            return "That the data do not show it does not mean that nothing can be gained."
        return f"Asking how the practice came to the figure is fair. The finding does not {_open(facts)}."
    if code == "not_shown":
        return "That the data do not show it does not prove that it is wrong."
    if code == "wrong_metric":
        return "The figure may be right for what it does measure."
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
    still = "after allowing for patients" if facts.headline != "M0" else "on the raw figures"
    return f"It stands out among practices {still} ({facts.tag}). Asking the practice about that is fair."


def _size(facts: ClaimFacts) -> str:
    """Return that the gap is more than the measure's margin, where it is and is on the side that is meant."""
    row, card = facts.judged, facts.card
    if row is None or card is None or not row.get("exceeds_margin") or not known(row.get("difference")):
        return ""
    if facts.sign and row["difference"] * facts.sign < 0:
        return ""
    return f"The gap is not trivial: it is more than {figures.margin(card)} ({facts.tag})."


def position(facts: ClaimFacts) -> str:
    """Return statement and position in one sentence; nothing for an area or where there is no position."""
    row = facts.judged
    if row is None or not facts.is_practice or not row.get("position"):
        return ""
    code, start = str(row["position"]), _STATEMENT[facts.finding.verdict]
    stands = f"the practice's position among others is “{phrases.POSITION[code]}” ({facts.tag})"
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
    if found == "not_decidable":
        return "the position is known, what the letter says of it is not"
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
