"""How often is this tool wrong? The answer and what it misses first, then plain words, then every row."""

from __future__ import annotations

from gpvar.words import boxes
from gpvar.words.calibration_bars import UNCHANGED
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
_BELL = "if practices spread like a bell shape"
#: What changed, by the number of the change, where a reader of an older trial should know.
_CHANGES = {
    2: "what is expected of a practice comes from another model, and passing movement counts as chance",
    3: "the raw rank and percentile are those of the figures as printed",
}
_TERMS = (
    "A *bar* is a rate we set before the trial. The *error* is how far another run might move what was counted, in "
    "percentage *points*. A *world* is one simulated England. *Planted* practices are those that we moved far from "
    "what is usual. *Reliability* is the part of the differences between figures that lasts: reliable is nine tenths "
    "or more. *Sets* of 150 or 50 practices are compared among themselves alone. *Coefficients* say how a figure goes "
    "with a characteristic of patients."
)
_MOST = 5
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
            f"Of 1,000 practices with nothing unusual about them, {_of(out, 1000)} are called outside the usual range, "
            f"{_of(far, 1000)} of them far outside. {_NO_CHANCE} In an ICB of {_ICB}, {_of(out, _ICB)} would be "
            "outside with nobody unusual at all."
        )
    if _least(facts, "plants_found") is not None:
        said.append(f"Of 100 practices moved far, {_found(facts)}, where figures are reliable.")
    missed, barred = facts.missed, facts.barred
    if not barred:
        said.append("**No row of this run has a bar.** So nothing can be said of how often the tool is wrong.")
    elif missed:
        were = "was" if len(missed) == 1 else "were"
        said.append(f"**{len(missed)} of {plural(len(barred), 'bar')} {were} missed:**")
    else:
        which = " that were counted" if facts.untried else ""
        end = (
            "The run is too short to rest on."
            if facts.short
            else "In simulated worlds: that is no proof for real ones."
        )
        said.append(f"**All {len(barred)} bars{which} were kept.** {end}")
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


def _least(facts: TrialFacts, bar: str) -> Row | None:
    """Return the row of a bar, over all that it is divided by, with the smallest share."""
    rows = [row for row in facts.rows if row["bar"] == bar]
    return min(rows, key=lambda row: float(row["estimate"]), default=None)


def calibration_missed(facts: TrialFacts) -> str:
    """Return each bar that was not kept, those kept by little, and what is in no row."""
    items = boxes.bullets([_missed(row) for row in facts.missed])
    if not items and facts.barred:
        items = "Of all measures together, nothing."
    parts = ["## What was not kept", items, _alone(facts), _not_here(facts)]
    return "\n\n".join(part for part in parts if part)


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
    return (
        f"Taken apart {by}, with fewer worlds each, {len(found)} more of {number(len(tried))} bars {verb} missed. "
        f"Where many are tried, some are missed by chance.{_AT_END}"
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
        said.append(f"Not counted in this run: {escape_markdown('; '.join(facts.untried), 4000)}.")
    return " ".join(said)


def calibration_plain(facts: TrialFacts) -> str:
    """Return the answer in plain words, each with what it is counted from."""
    items = [_innocent(facts), _guilty(facts), _excused(facts), _intervals(facts), *_letters(facts)]
    found = [item for item in items if item]
    if not found:
        return ""
    key = "In brackets: the share that was counted; its error, which is how far another run might move it; of how many."
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
    most = f" (so of at most about {number(-(-3000 // many))} in 1,000)" if many > 3 else ""
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
        f"**Practices that are far from what is usual.** Of 100 that were moved by three times the ordinary spread "
        f"({_EXAMPLE}), {_found(facts).replace('outside it', 'outside the usual range', 1)}, where figures are "
        "reliable."
    )
    said += f" Where they are less so, {less}." if less else ""
    return f"{said} The others are missed: not being flagged does not show that a practice is ordinary {_from(*rows)}."


def _excused(facts: TrialFacts) -> str:
    row = facts.row("noise_explained", "england")
    if row is None:
        return ""
    if float(row["estimate"]) == 0:
        said = f"It is said of {_none_of(row)} that it is in line with its patients"
    else:
        said = f"Of 1,000 flagged practices, {_of(row, 1000)} would be said to be in line with their patients"
    return f"**Excuses.** {said}, although patients had nothing to do with it {_from(row)}."


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


def _letters(facts: TrialFacts) -> list[str]:
    """Return what is said of true and of false statements, of the opposite, and of what cannot be checked."""
    true, false = facts.row("claims_true_right"), facts.row("claims_false_right")
    opposite, stopped = facts.row("claims_opposite"), facts.row("stopped_not_decidable")
    items = []
    if true is not None and false is not None:
        unfair = facts.row("claims_unfair_right")
        said = (
            "**What a letter says, where the data are good enough.** Of 100 statements that are true and fair, "
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
        said = said or f"Of 1,000 such statements it is said of {_of(opposite, 1000)}"
        near = facts.row("claims_opposite_near")
        if near is not None:
            said += f". Nearer to the edge than that, it is said of {number(near['hits'])} of {number(near['chances'])}"
        shown = _from(opposite, *([near] if near is not None else []))
        items.append(f"**The opposite of the truth.** {said} {shown}.")
    seeming, any_one = facts.row(UNCHANGED, "change_seeming"), facts.row(UNCHANGED, "change")
    if seeming is not None and any_one is not None:
        items.append(
            "**Changes that are none.** Of 100 practices that nothing lasting happened to, picked without looking, "
            f"{_of(any_one, 100)} are said to have changed. Of 100 picked because they seemed to have changed the "
            f"most, it is {_of(seeming, 100)}: each statement is judged as if nobody had picked it "
            f"{_from(any_one, seeming)}."
        )
    if stopped is not None:
        items.append(
            "**Data that cannot answer.** Of 100 statements behind a failed check, "
            f"{_of(stopped, 100).removeprefix('about ')} are said to be beyond checking {_from(stopped)}."
        )
    return items


def calibration_icb_right(facts: TrialFacts) -> str:
    """Return what of this speaks for an ICB; nothing where none of it was counted."""
    far, excused = facts.row("alarms_far_england", "england"), facts.row("noise_explained", "england")
    out, true = facts.row("alarms_out_england", "england"), facts.row("claims_true_right")
    items = []
    if far is not None and out is not None:
        items.append(
            f"Being far outside the usual range is rare for a practice with nothing unusual about it: {_of(far, 1000)} "
            f"of 1,000 {_BELL}; real ones have longer tails. Asking such a practice why is fair. Being outside it at "
            f"all is less rare: {_of(out, 1000)}."
        )
    if _found(facts):
        found = _found(facts).replace("outside it", "outside the usual range", 1)
        items.append(f"gpvar misses what is there: of 100 practices moved far, {found}.")
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
