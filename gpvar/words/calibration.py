"""How often is this tool wrong? The answer and what it misses first, then plain words, then every row."""

from __future__ import annotations

from gpvar.words import boxes
from gpvar.words.calibration_bars import ODDS_EVERY, UNCHANGED
from gpvar.words.calibration_facts import (
    CLOSE,
    Row,
    TrialFacts,
    bar_of,
    bounds,
    counted,
    error,
    estimate,
    room,
    what,
)
from gpvar.words.phrases import ICB_RIGHT
from gpvar.words.text import escape_markdown, known, listed, number, plain, plural, sentence

TITLE = "How often is this tool wrong?"
STEM = "calibration"
_ICB, _ENGLAND = 150, 6200
_NO_CHANCE = (
    "That is not the chance that a practice which is flagged is ordinary: that depends on how many are unusual, which "
    "nobody knows."
)
#: Three shared SDs from the middle of missed appointments, either way.
MOVED = ("4.4%", "13%", "1.3%")
_EXAMPLE = f"for missed appointments, from {MOVED[0]} to about {MOVED[1]}, or to about {MOVED[2]}"
#: Of 100 moved by three SDs from anywhere in a normal spread, those still within 1.96 of its middle: Φ(1.96 − 3).
_STAYED = 15
#: What changed, by the number of the change, where a reader of an older trial should know.
_CHANGES = {
    2: "what is expected of a practice comes from another model, and passing movement counts as chance",
    3: "the raw rank and percentile are those of the figures as printed",
    4: "centre and shared spread are solved for with chance at the fitted value",
}
_TERMS = (
    "A *bar* is a rate we set before this run. The *error* says how uncertain a count is because worlds are few, in "
    "percentage *points*: an endless run would most often lie within twice the error of it. A *world* is one simulated "
    "England. *Outside* the usual range is beyond limits that 95 in 100 should lie within, *far outside* beyond "
    "limits that 99.8 in 100 should. *Planted* practices are those that we moved a long way from where chance had put "
    "them. *Reliability* is the part of the differences between figures that lasts, for the middling practice of a "
    "world; 1 is all of it. *Sets* of 150 or 50 practices are compared among themselves alone. *Coefficients* say how "
    "a figure goes with a characteristic of patients."
)
_NO_PROOF = "What holds in simulated worlds is no proof for real ones."
_MOST = 5
#: A share of wrong statements that is named beside the bars though it has none.
_BAD = 0.25
_AT_END = " They stand in a table at the end."
_MANY = "Practices with nothing unusual about them are flagged more often than promised."
_FEW = "Fewer practices are flagged than promised, so real differences are missed more often."
_NARROW = "The intervals are too narrow: they claim more than is known."
_WIDE = "The intervals are wider than they need to be."
_EXCUSED = "Practices are excused by characteristics that mean nothing."
#: What a missed bar means for a reader: by how its id begins, below the bar and above it.
_MEANS = {
    "alarms": (_FEW, _MANY),
    "noise": ("", _EXCUSED),
    "plants": ("Practices that were moved far are missed more often than promised.", ""),
    "coverage": (_NARROW, _WIDE),
    "claims_decided": ("More statements than promised are left open.", ""),
    "claims_opposite": ("", "The opposite of the truth is said more often than promised: the worst error of all."),
    "claims_true_right": ("ICBs are conceded too little: too many true statements are not said to hold.", ""),
    "claims_false_right": ("ICBs are conceded too much: too many false statements are let stand.", ""),
    "claims_unfair_right": (
        "Too few of the statements that are true, but not a fair comparison, are said to be just that.",
        "",
    ),
    ODDS_EVERY: ("Odds of a place are said too low.", "Odds of a place are said too high."),
    "claims_chance_off_all": ("Odds are said too low.", "Odds are said too high."),
    "stopped_seen": ("Faults in figures get past the checks that are there for them.", ""),
    "stopped": ("Statements were judged although a check of their data had failed.", ""),
}


def calibration_title(facts: TrialFacts) -> str:
    """Return the head of the page, with what it is not: a run too short to hold anybody to, or of an older version."""
    about = facts.about
    seed = f"seed {plain(about.get('seed', 'not known'))}"
    made = f"gpvar {plain(about.get('version', ''))}, {plain(about.get('when', ''))[:10]}, {seed}"
    parts = [
        f"# {TITLE}",
        f"gpvar was tried on {plural(facts.worlds, 'simulated England', 'simulated Englands')} in which the truth is "
        f"known, because it was put there. {escape_markdown(made)}. No figure here is of a real practice.",
        _TERMS,
    ]
    if facts.short:
        parts.append(
            boxes.box(
                "A short run",
                [
                    f"This run has {plural(facts.worlds, 'world')}. The bars are meant for 300 or more. It shows that "
                    "the trial works; it is too short to say that a bar is kept."
                ],
            )
        )
    if facts.older:
        parts.append(boxes.box("The tool has changed since", [_changed(facts)]))
    return "\n\n".join(parts)


def _changed(facts: TrialFacts) -> str:
    """Return which numbers changed since the trial."""
    before = int(facts.about.get("numbers") or 0)
    named = [said for number_of, said in _CHANGES.items() if number_of > before]
    rest = "The list of every change, CHANGELOG.md, comes with gpvar, not with this page."
    return f"Numbers have changed since this trial{': ' if named else ''}{'; '.join(named)}. {rest}"


def calibration_first(facts: TrialFacts) -> str:
    """Return the answer in two sentences, and whether the bars were kept."""
    out, far = facts.row("alarms_out_england", "england"), facts.row("alarms_far_england", "england")
    said = []
    if out is not None and far is not None:
        said.append(
            "In simulated Englands where practices spread like a bell shape: of 1,000 practices with nothing unusual "
            f"about them, {_of(out, 1000)} are called outside the usual range, {_of(far, 1000)} of them far outside. "
            f"{_NO_CHANCE} In a simulated ICB of {_ICB}, {_of(out, _ICB)} are outside with nobody unusual at all."
        )
    if _least(facts, "plants_found") is not None:
        said.append(f"Of 100 practices moved far, {_found(facts)}, where reliability is {_at(facts, 'plants_found')}.")
    opposite, seeming = facts.row("claims_opposite"), facts.row(UNCHANGED, "change_seeming")
    if opposite is not None:
        none = float(opposite["estimate"]) == 0
        of = _none_of(opposite) if none else f"{_of(opposite, 1000)} of 1,000 clear statements of letters"
        said.append(f"The opposite of the truth is said of {of}.")
    if seeming is not None:
        said.append(
            "Statements that a practice changed are often wrong where it was picked because it seemed to have changed "
            f"the most: {_of(seeming, 100)} of 100 such practices, to which nothing lasting happened, are said to have "
            "changed."
        )
    missed, barred = facts.missed, facts.barred
    if not barred:
        said.append("**No row of this run has a bar.** So nothing can be said of how often the tool is wrong.")
    elif missed:
        were = "was" if len(missed) == 1 else "were"
        said.append(f"{_NO_PROOF} **{len(missed)} of {plural(len(barred), 'bar')} {were} missed:**")
    elif facts.short:
        said.append(
            f"**All {len(barred)} bars that were counted were kept in this run**, which is too short to rest on."
        )
    else:
        said.append(f"**All {len(barred)} bars were kept.** {_NO_PROOF}")
    body = "\n\n".join(part for part in (" ".join(said), boxes.bullets(_in_short(missed))) if part)
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{body}\n\n:::'


def _in_short(missed: list[Row]) -> list[str]:
    """Return what was missed, a plain sentence for each thing that it means, with the rows that mean it."""
    by_meaning: dict[str, list[Row]] = {}
    for row in missed:
        by_meaning.setdefault(means(row) or "Not kept.", []).append(row)
    return [
        f"{meaning.rstrip('.')} ({'; '.join(f'{escape_markdown(what(row), 300)}: {estimate(row)}' for row in rows)})."
        for meaning, rows in by_meaning.items()
    ]


def _found(facts: TrialFacts, bar: str = "plants_found") -> str:
    """Return how many of 100 planted practices are found, and how many of them far outside, at one reliability."""
    row = _least(facts, bar)
    if row is None:
        return ""
    far = facts.row("plants_far", row["group"])
    said = f"{_of(row, 100)} are called outside it"
    return f"{said}, {_of(far, 100)} of them far outside" if far is not None else said


def _at(facts: TrialFacts, bar: str) -> str:
    """Return the reliability at which the fewest planted practices of a bar are found."""
    row = _least(facts, bar)
    return row["group"].removeprefix("r ") if row is not None else ""


def _least(facts: TrialFacts, bar: str) -> Row | None:
    """Return the row of a bar, over all that it is divided by, with the smallest share."""
    rows = [row for row in facts.rows if row["bar"] == bar]
    return min(rows, key=lambda row: float(row["estimate"]), default=None)


def calibration_missed(facts: TrialFacts) -> str:
    """Return each bar that was not kept, those kept by little, and what is in no row."""
    items = boxes.bullets([_missed(row) for row in facts.missed])
    if not items and facts.barred:
        items = "Of all measures together, nothing."
    parts = ["## What was not kept", items, _without_bar(facts), _alone(facts), _not_here(facts)]
    return "\n\n".join(part for part in parts if part)


def _without_bar(facts: TrialFacts) -> str:
    """Return what has no bar and is bad all the same."""
    row = facts.row(UNCHANGED, "change_seeming")
    if row is None or float(row["estimate"]) < _BAD:
        return ""
    return (
        f"Has no bar, and is bad: of practices to which nothing lasting happened, picked because they seemed to have "
        f"changed the most, {estimate(row)} are said to have changed (error {error(row)}; {counted(row)})."
    )


def _missed(row: Row) -> str:
    by = f"Missed by {room(row)}" if known(row["distance"]) else "Missed"
    if known(row["distance"]) and abs(row["distance"]) < CLOSE:
        by += ", which another run might not show; it counts as missed all the same"
    said = f"**{escape_markdown(sentence(what(row)).rstrip('.'))}: {estimate(row)}** (error {error(row)}; "
    return f"{said}{counted(row)}). The bar is {bounds(row)}. {by}. {means(row)}".rstrip()


def means(row: Row) -> str:
    """Return what a missed bar means for a reader; nothing where it has no words yet."""
    name = next((start for start in _MEANS if str(row["bar"]).startswith(start)), "")
    if not name:
        return ""
    below, above = _MEANS[name]
    return below if known(row["low"]) and row["estimate"] < row["low"] else above


def _alone(facts: TrialFacts) -> str:
    """Return the bars that one measure, or one kind of statement, misses although all together keep it."""
    found, tried = facts.missed_apart, facts.apart
    if not tried:
        return ""
    by = "by measure, and by kind of statement" if facts.of_one_kind else "by measure"
    if not found:
        return f"Taken apart {by}, nothing else was missed."
    verb = "is" if len(found) == 1 else "are"
    more = f"{len(found)} more" if facts.missed else f"{len(found)}"
    return (
        f"Taken apart {by}, with fewer worlds each, {more} of {number(len(tried))} bars {verb} missed. Where many are "
        f"tried, and little is counted in each, some are missed by chance.{_AT_END}"
    )


def calibration_apart(facts: TrialFacts) -> str:
    """Return the heading of what is missed when taken apart; nothing where nothing is."""
    return f"### Missed when taken apart\n\n{_alone(facts).replace(_AT_END, '')}" if facts.missed_apart else ""


def calibration_close(facts: TrialFacts) -> str:
    """Return the heading of what is kept by little; nothing where nothing is."""
    if not facts.close:
        return ""
    return "### Kept by little\n\nKept by less than two Monte-Carlo errors, so that another run might miss it."


def _not_here(facts: TrialFacts) -> str:
    """Return the worlds that failed, those that were not finished, and what was not counted."""
    asked, many = int(facts.about.get("asked") or facts.worlds), len(facts.failures)
    said = []
    if many:
        each = [
            f"world {plain(one.get('number'))} ({escape_markdown(one.get('error', ''), 200)})"
            for one in facts.failures[:_MOST]
        ]
        each += [f"{many - _MOST} more"] if many > _MOST else []
        verb = "is" if many == 1 else "are"
        said.append(f"{plural(many, 'world')} of {number(asked)} failed and {verb} in no row: {listed(each)}.")
    left = asked - facts.worlds - many
    if left > 0:
        said.append(f"{plural(left, 'world')} of {number(asked)} {'was' if left == 1 else 'were'} not finished.")
    if facts.untried:
        said.append(f"Of these no case came up in this run: {escape_markdown('; '.join(facts.untried), 4000)}.")
    return " ".join(said)


def calibration_plain(facts: TrialFacts) -> str:
    """Return the answer in plain words, each with what it is counted from."""
    items = [_innocent(facts), _guilty(facts), _excused(facts), _intervals(facts), _odds(facts), *_letters(facts)]
    found = [item for item in items if item]
    if not found:
        return ""
    key = "In brackets, in the order in which they are told: the share that was counted; its error; of how many."
    return f"## In plain words\n\n{key}\n\n{boxes.bullets(found)}"


def _of(row: Row, size: float) -> str:
    """Return how many of `size` a share is."""
    value = size * float(row["estimate"])
    if value == 0:
        return "none"
    return "fewer than 1" if value < 0.5 else f"about {number(value)}"


def _from(*rows: Row) -> str:
    """Return the figures behind a sentence, in brackets."""
    return "(" + "; ".join(f"{estimate(row)}, error {error(row)}, of {counted(row)}" for row in rows) + ")"


def _none_of(row: Row) -> str:
    """Return that none of those counted were, and how many of 1,000 there might be all the same: three in as many."""
    many = float(row["chances"])
    most = f" (so probably of no more than about {number(-(-3000 // many))} in 1,000)" if many > 3 else ""
    return f"none of the {number(many)} {bar_of(row).of} counted{most}"


def _innocent(facts: TrialFacts) -> str:
    far, out = facts.row("alarms_far_england", "england"), facts.row("alarms_out_england", "england")
    if far is None or out is None:
        return ""
    heavy = facts.row("alarms_far_t5", "england")
    said = (
        f"**Practices with nothing unusual about them.** Of 1,000, {_of(out, 1000)} are called outside the usual range "
        f"of England, {_of(far, 1000)} of them far outside. That is {_of(out, _ICB)} of an ICB's {_ICB} outside, and "
        f"{_of(far, _ENGLAND)} of England's {number(_ENGLAND)} far outside. So a practice outside the usual range need "
        "not be unusual at all, and in all England some are far outside with nothing behind it."
    )
    if heavy is not None:
        said += (
            f" Where practices differ with heavier tails, as real ones do, {_of(heavy, 1000)} of 1,000 are far "
            "outside, not all of them wrongly: with heavier tails more practices truly are far out."
        )
    return f"{said} {_from(out, far, *([heavy] if heavy is not None else []))}"


def _guilty(facts: TrialFacts) -> str:
    rows = []
    for bar in ("plants_found", "plants_found_below"):
        row = _least(facts, bar)
        rows += [one for one in (row, facts.row("plants_far", row["group"])) if one] if row is not None else []
    if not _found(facts):
        return ""
    less = _found(facts, "plants_found_below")
    said = (
        f"**Practices that were moved far.** Of 100 that were moved by three times the ordinary spread ({_EXAMPLE}), "
        f"{_found(facts).replace('outside it', 'outside the usual range', 1)}, where reliability is "
        f"{_at(facts, 'plants_found')}."
    )
    said += f" Where it is {_at(facts, 'plants_found_below')}, {less}." if less else ""
    return (
        f"{said} They were moved from wherever chance had put them, so that some {_STAYED} of 100 truly end inside the "
        f"usual range; the others are missed. Not being flagged does not show that a practice is ordinary "
        f"{_from(*rows)}."
    )


def _excused(facts: TrialFacts) -> str:
    row = facts.row("noise_explained", "england")
    if row is None:
        return ""
    if float(row["estimate"]) == 0:
        said = f"It is said of {_none_of(row)} that it is in line with its patients"
    else:
        said = f"Of 1,000 flagged practices, {_of(row, 1000)} would be said to be in line with their patients"
    said = f"**Excuses.** {said}, although patients had nothing to do with it."
    rows = [row, facts.row("noise_explained_150"), facts.row("noise_partly_150")]
    if rows[1] is not None and rows[2] is not None:
        none = float(rows[1]["estimate"]) == 0
        of = _none_of(rows[1]) if none else f"{_of(rows[1], 1000)} of 1,000 flagged practices"
        said += (
            f" In sets of 150 practices it is said of {of}; of {_of(rows[2], 1000)} of 1,000 it is said that patients "
            "account for a part."
        )
    return f"{said} {_from(*(one for one in rows if one is not None))}"


def _intervals(facts: TrialFacts) -> str:
    rows = [row for row in facts.section("coverage") if row["met"]]
    if not rows:
        return ""
    low, high = (one(rows, key=lambda row: float(row["estimate"])) for one in (min, max))
    return (
        "**Intervals.** Of 100 intervals that should hold the truth 95 times, between "
        f"{number(100 * low['estimate'])} and {number(100 * high['estimate'])} do, by what they are of "
        f"{_from(low, high)}."
    )


def _odds(facts: TrialFacts) -> str:
    rows = [row for row in facts.rows if row["bar"] == ODDS_EVERY]
    if not rows:
        return ""
    worst = max(rows, key=lambda row: abs(float(row["estimate"])))
    return (
        "**Odds of a place.** Practices whose odds of being in the lowest or highest tenth are said to be 60 in 100 "
        "should be there 60 times in 100. In no tenth of the odds is what is said further off, on average, than by "
        f"{number(100 * abs(float(worst['estimate'])), 1)} points {_from(worst)}."
    )


def _letters(facts: TrialFacts) -> list[str]:
    """Return what is said of true and of false statements, of the opposite, and of what cannot be checked."""
    true, false = facts.row("claims_true_right"), facts.row("claims_false_right")
    opposite, stopped = facts.row("claims_opposite"), facts.row("stopped_not_decidable")
    items = []
    if true is not None and false is not None:
        unfair = facts.row("claims_unfair_right")
        near = facts.row("claims_opposite_near")
        counted_are = ""
        if opposite is not None and near is not None:
            every = float(opposite["chances"]) + float(near["chances"])
            counted_are = (
                f" Counted are {number(opposite['chances'])} of {number(every)} statements: those whose truth is well "
                "clear of the edge, on reliable figures."
            )
        said = (
            f"**What a letter says, where the answer is clear.**{counted_are} Of 100 of them that are true and fair, "
            f"{_of(true, 100)} are said to hold. Of 100 that are false, {_of(false, 100)} are said not to"
        )
        strict = facts.row("claims_false_contradicted")
        said += f"; {_of(strict, 100)} are contradicted outright, not only “not shown”." if strict is not None else "."
        if unfair is not None:
            said += f" Of 100 that are true but not fair, {_of(unfair, 100)} are said to be just that."
        shown = _from(*(row for row in (true, false, strict, unfair) if row is not None))
        items.append(f"{said} The others are left open, or answered wrongly {shown}.")
    if opposite is not None:
        none = float(opposite["estimate"]) == 0
        said = f"It is said of {_none_of(opposite)}" if none else ""
        said = said or f"Of 1,000 clear statements it is said of {_of(opposite, 1000)}"
        near = facts.row("claims_opposite_near")
        if near is not None:
            said += (
                ". Of the others, near the edge or on less reliable figures, it is said of "
                f"{number(near['hits'])} of {number(near['chances'])}"
            )
        shown = _from(opposite, *([near] if near is not None else []))
        items.append(f"**The opposite of the truth.** {said} {shown}.")
    seeming, any_one = facts.row(UNCHANGED, "change_seeming"), facts.row(UNCHANGED, "change")
    if seeming is not None and any_one is not None:
        if float(any_one["estimate"]) == 0:
            said = f"It is said of {_none_of(any_one)} that the practice changed, where it was picked without looking"
        else:
            said = f"Of 100 practices, picked without looking, {_of(any_one, 100)} are said to have changed"
        items.append(
            f"**Changes that are none.** Nothing lasting happened to these practices. {said}. Of 100 that were picked "
            f"because they seemed to have changed the most, the first ten of some 1,200, it is {_of(seeming, 100)}: "
            "each statement is judged as if nobody had picked it. Do not rest on such a finding where a practice was "
            f"picked for its change {_from(any_one, seeming)}."
        )
    if stopped is not None:
        said = (
            f"all {number(stopped['chances'])}" if float(stopped["estimate"]) == 1 else f"{_of(stopped, 1000)} of 1,000"
        )
        items.append(
            "**Data that cannot answer.** Figures were spoiled in three ways that there is a check for. Of the "
            f"statements about them {said} were left open {_from(stopped)}. Other faults: see what this does not show."
        )
    return items


def _with_tails(facts: TrialFacts) -> str:
    heavy = facts.row("alarms_far_t5", "england")
    return "" if heavy is None else f": with such, {_of(heavy, 1000)} are, many of them truly far out"


def calibration_icb_right(facts: TrialFacts) -> str:
    """Return what of this speaks for an ICB; nothing where none of it was counted."""
    far, excused = facts.row("alarms_far_england", "england"), facts.row("noise_explained", "england")
    out, true = facts.row("alarms_out_england", "england"), facts.row("claims_true_right")
    items = []
    if far is not None and out is not None:
        items.append(
            f"Few practices with nothing unusual about them are called far outside the usual range: {_of(far, 1000)} "
            f"of 1,000 if practices spread like a bell shape. Real spreads have longer tails{_with_tails(facts)}. "
            f"Asking a practice that is far outside why is fair. Outside at all are {_of(out, 1000)} of 1,000."
        )
    if _found(facts):
        found = _found(facts).replace("outside it", "outside the usual range", 1)
        items.append(
            f"gpvar does not find all that is there: of 100 practices moved far, {found}, where {100 - _STAYED} truly "
            "end outside."
        )
    if excused is not None and float(excused["estimate"]) > 0:
        items.append(
            f"gpvar can excuse by mere chance: it did so with {_of(excused, 1000)} of 1,000 flagged practices."
        )
    if true is not None:
        items.append(
            f"Of 100 true and fair statements, clear enough to tell, {_of(true, 100)} are said to hold. The others are "
            "not conceded."
        )
    return boxes.box(ICB_RIGHT, items) if items else ""
