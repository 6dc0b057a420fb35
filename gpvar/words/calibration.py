"""How often is this tool wrong? What it misses first, then the answer in plain words, then every row."""

from __future__ import annotations

from gpvar.words import boxes
from gpvar.words.calibration_bars import UNCHANGED
from gpvar.words.calibration_facts import (
    CLOSE,
    Row,
    TrialFacts,
    beside,
    bounds,
    counted,
    error,
    estimate,
    measure,
    room,
    what,
)
from gpvar.words.phrases import ICB_RIGHT
from gpvar.words.text import escape_markdown, known, listed, number, plain, plural, sentence

TITLE = "How often is this tool wrong?"
STEM = "calibration"
_ICB, _ENGLAND = 150, 6200
_MOST = 5
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
        parts.append(
            boxes.box(
                "The tool has changed since",
                ["Numbers have changed since this trial: CHANGELOG.md says which, under Changed numbers."],
            )
        )
    return "\n\n".join(parts)


def calibration_first(facts: TrialFacts) -> str:
    """Return the answer in two sentences, and whether the bars were kept."""
    far, found = facts.row("alarms_far_england", "england"), _least(facts, "plants_found")
    said = []
    if far is not None:
        said.append(
            f"Of 1,000 practices with nothing unusual about them, {_of(far, 1000)} would be called far outside the "
            "usual range."
        )
    if found is not None:
        said.append(f"Of 100 moved far from what is usual, {_of(found, 100)} are found, where figures are reliable.")
    missed, barred = facts.missed, facts.barred
    if not barred:
        said.append("**No row of this run has a bar.** So nothing can be said of how often the tool is wrong.")
    elif missed:
        were = "was" if len(missed) == 1 else "were"
        said.append(
            f"**{len(missed)} of {plural(len(barred), 'bar')} {were} missed**, and {_stand(missed)} first, here."
        )
    else:
        which = " that were counted" if facts.untried else ""
        end = (
            "The run is too short to rest on."
            if facts.short
            else "In simulated worlds: that is no proof for real ones."
        )
        said.append(f"**All {len(barred)} bars{which} were kept.** {end}")
    return f'::: {{.verdict custom-style="Verdict"}}\n\n{" ".join(said)}\n\n:::'


def _stand(missed: list[Row]) -> str:
    return "it stands" if len(missed) == 1 else "they stand"


def _least(facts: TrialFacts, bar: str) -> Row | None:
    """Return the row of a bar, over all that it is divided by, with the smallest share."""
    rows = [row for row in facts.rows if row["bar"] == bar]
    return min(rows, key=lambda row: float(row["estimate"]), default=None)


def calibration_missed(facts: TrialFacts) -> str:
    """Return each bar that was not kept, those kept by little, and what is in no row."""
    items = boxes.bullets([_missed(row) for row in facts.missed])
    if not items and facts.barred:
        items = "Of all measures together, nothing."
    parts = ["## What was not kept", items, _alone(facts), _close(facts), _not_here(facts)]
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
    head = (
        f"Taken apart {by}, with fewer worlds each, {len(found)} more of {number(len(tried))} bars {verb} missed. "
        "Where many are tried, some are missed by chance."
    )
    items = [
        f"{escape_markdown(sentence(what(row)).rstrip('.'), 300)}{_whose(row)}: {estimate(row)} (error {error(row)}; "
        f"{counted(row)}); bar {bounds(row)}; {beside(row)}."
        for row in found
    ]
    return f"{head}\n\n{boxes.bullets(items)}"


def _whose(row: Row) -> str:
    return f", {escape_markdown(measure(row))}" if row["metric"] else ""


def _close(facts: TrialFacts) -> str:
    items = [
        f"{escape_markdown(sentence(what(row)).rstrip('.'), 300)}: {estimate(row)}; bar {bounds(row)}; {beside(row)}."
        for row in facts.close
    ]
    if not items:
        return ""
    return f"Kept by less than two Monte-Carlo errors, so that another run might miss it:\n\n{boxes.bullets(items)}"


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


def _innocent(facts: TrialFacts) -> str:
    far, out = facts.row("alarms_far_england", "england"), facts.row("alarms_out_england", "england")
    if far is None or out is None:
        return ""
    heavy = facts.row("alarms_far_t5", "england")
    said = (
        f"**Practices with nothing unusual about them.** Of 1,000, {_of(far, 1000)} would be called far outside the "
        f"usual range of England, and {_of(out, 1000)} outside it or far outside. Of an ICB's {_ICB} that is "
        f"{_of(out, _ICB)} outside, of which {_of(far, _ICB)} far; of England's {number(_ENGLAND)} it is "
        f"{_of(far, _ENGLAND)} far outside. So a practice outside the usual range need not be unusual at all, and in "
        "all England some are far outside with nothing behind it."
    )
    if heavy is not None:
        said += (
            f" Where practices differ with heavier tails, as real ones do, {_of(heavy, 1000)} of 1,000 are far outside."
        )
    return f"{said} {_from(far, out, *([heavy] if heavy is not None else []))}"


def _guilty(facts: TrialFacts) -> str:
    found, below = _least(facts, "plants_found"), _least(facts, "plants_found_below")
    if found is None:
        return ""
    said = (
        "**Practices that are far from what is usual.** Of 100 that were moved by three times the ordinary spread, "
        f"{_of(found, 100)} are found where figures are reliable"
    )
    said += f", and {_of(below, 100)} where they are less so" if below is not None else ""
    return (
        f"{said}. The others are missed: not being flagged does not show that a practice is ordinary "
        f"{_from(found, *([below] if below is not None else []))}."
    )


def _excused(facts: TrialFacts) -> str:
    row = facts.row("noise_explained", "england")
    if row is None:
        return ""
    return (
        f"**Excuses.** Of 1,000 flagged practices, {_of(row, 1000)} would be said to be in line with their patients "
        f"although patients had nothing to do with it {_from(row)}."
    )


def _intervals(facts: TrialFacts) -> str:
    rows = [row for row in facts.section("coverage") if row["met"]]
    if not rows:
        return ""
    low, high = (one(rows, key=lambda row: float(row["estimate"])) for one in (min, max))
    return (
        "**Intervals.** Of 100 intervals that should hold the truth 95 times, between "
        f"{number(100 * low['estimate'], 1)} and {number(100 * high['estimate'], 1)} do, by what they are of (fewest: "
        f"{escape_markdown(_after_colon(low))}, error {error(low)}; most: {escape_markdown(_after_colon(high))}, error "
        f"{error(high)})."
    )


def _after_colon(row: Row) -> str:
    return what(row).partition(": ")[2] or what(row)


def _letters(facts: TrialFacts) -> list[str]:
    """Return what is said of true and of false statements, of the opposite, and of what cannot be checked."""
    true, false = facts.row("claims_true_right"), facts.row("claims_false_right")
    opposite, stopped = facts.row("claims_opposite"), facts.row("stopped_not_decidable")
    items = []
    if true is not None and false is not None:
        unfair = facts.row("claims_unfair_right")
        said = (
            "**What a letter says, where the data are good enough.** Of 100 statements that are true and fair, "
            f"{_of(true, 100)} are said to hold. Of 100 that are false, {_of(false, 100)} are said not to."
        )
        if unfair is not None:
            said += f" Of 100 that are true but not fair, {_of(unfair, 100)} are said to be just that."
        shown = _from(true, false, *([unfair] if unfair is not None else []))
        items.append(f"{said} The others are left open, or answered wrongly {shown}.")
    if opposite is not None:
        items.append(
            f"**The opposite of the truth.** Of 1,000 such statements it is said of {_of(opposite, 1000)} "
            f"{_from(opposite)}."
        )
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
    found, true = _least(facts, "plants_found"), facts.row("claims_true_right")
    items = []
    if far is not None:
        items.append(
            f"Being far outside the usual range is rare for a practice with nothing unusual about it: {_of(far, 1000)} "
            "of 1,000. Asking such a practice why is fair."
        )
    if found is not None:
        items.append(f"gpvar misses what is there: of 100 practices moved far, it finds {_of(found, 100)}.")
    if excused is not None:
        items.append(
            f"gpvar can excuse by mere chance: it did so with {_of(excused, 1000)} of 1,000 flagged practices."
        )
    if true is not None:
        items.append(
            f"Of 100 true and fair statements, clear enough to tell, {_of(true, 100)} are said to hold. The others are "
            "not conceded."
        )
    return boxes.box(ICB_RIGHT, items) if items else ""
