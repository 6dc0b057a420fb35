"""The rows of the trial and how to read them, what it does not show, how to repeat it, and where pages lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpvar.catalogue import letters
from gpvar.words import boxes
from gpvar.words.calibration import STEM, TITLE
from gpvar.words.calibration_bars import SECTIONS
from gpvar.words.calibration_facts import TrialFacts, measure
from gpvar.words.text import escape_markdown, known, listed, number, plain, plural

if TYPE_CHECKING:
    from gpvar.results import Run

_HEADINGS = {
    "alarms": (
        "False alarms",
        "Nobody was planted, and practices differ as a normal distribution has it: everybody is ordinary. By the way "
        "that limits are drawn, 5 in 100 should be outside 95% limits and 2 in 1,000 outside 99.8% limits. Counted "
        "after allowing for patients, against England and against their own ICB, and in small sets that are compared "
        "among themselves alone. The rows with heavy tails have no bar: there, more practices are truly far out.",
    ),
    "noise": (
        "Excuses that mean nothing",
        "Here patients have nothing to do with the figure, but it is allowed for their characteristics all the same "
        "(25 or more columns against England and their own ICB; the study's own in sets of 150). Whoever is then said "
        "to be in line with its patients is excused by noise.",
    ),
    "plants": (
        "Planted practices",
        "At most 1 in 100 practices were moved by three times the shared spread, from wherever chance had put them. "
        "So some of them end nearer to the middle than others, and the best method there is would not find all. "
        "Reliability is the part of the variation between figures that lasts, of the practice in the middle: half have "
        "less. At 1 there is no chance in a figure.",
    ),
    "coverage": (
        "Intervals",
        "Of 95% intervals, 95 in 100 should hold what was true in the simulated world. Intervals of lasting figures "
        "and of ranks keep that on average over practices, not for each one: for the very lowest and highest they "
        "hold less often. The SD (standard deviation) of practices includes what passes within the year: figures of "
        "one year cannot tell it from what lasts.",
    ),
    "claims": (
        "What a letter says",
        "Statements of the kinds that ICBs' letters make were written into each world, and whether each is true was "
        "known. The bars are for those that the data are good enough for: every check passed, the truth clear of the "
        "edge by twice its uncertainty (two posterior standard deviations), the practice's reliability 0.9 or more. "
        "Fair: true among like practices too, where the statement is of a kind that should be. The opposite of the "
        "truth is also said where a true and fair statement is held to be false, or an unfair one fair. "
        "Whether a statement about rank, outlier or fair "
        "comparison is true is worked out with gpvar's own definitions of middle, spread and likeness: the trial tries "
        "how precise it is, not those definitions. False statements that are “said not to hold” include those refuted "
        "by a reason of “not shown”; the row below them, contradicted outright, is stricter. Statements near the edge, "
        "or on less reliable figures, are counted apart: some of them get the opposite answer.",
    ),
    "stopped": (
        "Behind a failed check",
        "Where a check that stops fails, the data cannot answer, and nothing may be decided either way.",
    ),
}


def calibration_reading() -> str:
    """Return how the tables are to be read."""
    return (
        "## Every row\n\n"
        "*How often* is a share over all worlds. Its *error* is the Monte-Carlo error, worked out from how much worlds "
        "differ: what an endless run would give lies within this of the share two times in three, and within twice "
        "this 19 times in 20. It says how well the trial was measured, not how well the simulated worlds resemble "
        "England. A *bar* was set before this run. *Beside its bar* says whether the share kept it, and by how many "
        "errors; less than two is too little to be sure. Where every case was a hit, or none was, the error is that of "
        "one hit and one miss more."
    )


def calibration_section(name: str, facts: TrialFacts) -> str:
    """Return the heading and what was known and counted; nothing for a section without rows."""
    if not facts.section(name):
        return ""
    title, text = _HEADINGS[name] if name in _HEADINGS else (plain(name), "")
    return f"### {title}\n\n{text}"


def section_names(facts: TrialFacts) -> list[str]:
    """Return the sections of the page, ours first; what has no words yet comes last."""
    others = [name for name in dict.fromkeys(row["section"] for row in facts.rows) if name not in SECTIONS]
    return [*SECTIONS, *others]


def calibration_odds(facts: TrialFacts) -> str:
    """Return what the table of odds is; nothing where none were counted."""
    if not facts.odds():
        return ""
    return (
        "### Odds\n\nStatements about a place among practices, or about a target, are also given odds, such as “the "
        "odds that this practice is in the lowest tenth are 60 in 100”: the chance of it, in 100. Where the odds are "
        "right, what was given 60 in 100 is true 60 times in 100. They were counted in two ways. The odds of being in "
        "the lowest tenth, and in the highest, were worked out for every practice whose place is spoken of at all, "
        "nobody picked: each tenth of these has a bar. And the odds in statements of letters, clear or not: few fall "
        "into one tenth, so that its figure moves by luck, and the bar is on all of them together."
    )


def calibration_by_kind(facts: TrialFacts) -> str:
    """Return what the table by kind of statement is, and which kinds were not tried; nothing where none was counted."""
    if not facts.of_one_kind:
        return ""
    tried = {row["group"] for row in facts.of_one_kind}
    left = [(_titles(kinds), why) for kinds, why in _NOT_TRIED if not tried & set(kinds)]
    items = boxes.bullets([f"{kinds}: {why}." for kinds, why in left])
    said = (
        "### By kind of statement\n\nThe same, of one kind of statement each, over all measures. Indicators of the "
        f"kind {_titles(('many_red',))} were drawn by hand, far from any edge, and are counted here alone."
    )
    return f"{said} Kinds that were not tried, and why:\n\n{items}" if left else said


#: Kinds of statement that no world holds, and why.
_NOT_TRIED = (
    (("cannot_get_through", "emergency_use"), "no file of theirs is read, so they are always beyond checking"),
    (("association",), "it is never borne out, whatever the figures"),
    (("low_ag_user", "low_ag_high_referral"), "a simulated England has no one truth for advice and guidance"),
    (("patients_per_gp",), "it is arithmetic on two published numbers, and nothing is estimated"),
)


def _titles(kinds: tuple[str, ...]) -> str:
    return listed(f"“{escape_markdown(letters.templates()[kind].title)}”" for kind in kinds)


def calibration_by_measure(facts: TrialFacts) -> str:
    """Return what the table by measure is; nothing where no row is of one measure."""
    if not facts.of_one_measure:
        return ""
    return (
        "### By measure\n\nThe same, of one measure each. Each world is of one measure, so each column has about a "
        "quarter of the worlds and about twice the error."
    )


def calibration_not_shown(facts: TrialFacts) -> str:
    """Return what the trial does not show."""
    items = [
        "**Real practices.** The worlds were made by those who made the tool, and of the family of models that the "
        "tool judges with: shares and rates whose influences add up on a bent scale (logits or logarithms), places "
        "within places, months that resemble the month before. Where England is not like that, none of this "
        "need hold. Sizes of spread, need and movement were measured on England; "
        "their shape was not all taken from it.",
        "**Heavy tails.** The bars on false alarms are for a normal spread. Real spreads have heavier tails: after "
        "allowing for patients, 0.3% to 0.4% of England's practices are far outside on the same-day share, 0.7% on "
        "appointments per 1,000 patients, 1.1% on missed appointments, where 0.2% would be with a normal spread.",
        "**The chance that a flagged practice is ordinary.** That depends on how many practices are unusual, which "
        "nobody knows. No share on this page is that chance.",
        "**The definitions.** Whether a statement about rank, outlier or fair comparison is true is worked out with "
        "gpvar's own definitions of middle, spread and likeness. So the trial tries how precise gpvar is. It does not "
        "try those definitions.",
        "**Other defensible ways.** Reports say in how many other ways of comparing a practice stands the same. How "
        "often that is right is not tried here: many ways can agree and all be wrong.",
        "**What was not measured.** In these worlds every characteristic that matters is in the data. In England some "
        "are not. A flagged practice may differ for a reason that no file holds, and the trial cannot say how often.",
        "**Whether variation is unwarranted, and why it is there.** Planted practices were moved without a reason. "
        "Finding one shows that it differs, and nothing else.",
        "**Figures without months.** Here the counts of every month are known. Where a study has one set of totals, "
        "passing movement cannot be told from what lasts, and all of this may be worse.",
        "**Smaller differences.** Three times the shared spread is a lot. A practice that differs by less is missed "
        "more often.",
        "**Averages.** Shares are over practices, statements and worlds of these sizes. For the smallest practices, "
        "for the very lowest and highest, and in sets of under 50, they can be worse.",
        f"**Other measures.** Tried were {escape_markdown(listed(_measures(facts)), 400) or 'none by name'}. Patient "
        "surveys, advice and guidance, referrals and telephone figures were not.",
        "**Faults in files.** Files here are whole and their columns mean what they say. Faults that no check is made "
        "for would not be found. Telephone accounts that practices share are seen by no check.",
    ]
    return f"## What this does not show\n\n{boxes.bullets(items)}"


def _measures(facts: TrialFacts) -> list[str]:
    rows = {row["metric"]: row for row in facts.of_one_measure}
    return [measure(row) for row in rows.values()]


def calibration_repeat(facts: TrialFacts) -> str:
    """Return what it takes to repeat the trial, and what each column of its file is."""
    about = facts.about
    asked, seed = plain(about.get("asked", facts.worlds)), plain(about.get("seed", ""))
    settings = listed(f"{plain(k).replace('_', ' ')} {_setting(v)}" for k, v in (about.get("settings") or {}).items())
    seconds = (about.get("seconds") or {}).get("per_world")
    took = f" It took {number(float(seconds), 1)} seconds of one processor for each world." if known(seconds) else ""
    versions = f"gpvar {plain(about.get('version', ''))}, numbers {plain(about.get('numbers', ''))}"
    items = [
        f"`python run.py calibrate --worlds {asked} --seed {seed}` makes this page again, and the same figures.{took}",
        f"**Made with** {escape_markdown(versions)}, Python {escape_markdown(about.get('python', 'not known'))}.",
        f"**Settings.** {escape_markdown(settings, 1500)}." if settings else "",
        f"**Every row, and every measure, as numbers:** [{STEM}.csv]({STEM}.csv). Columns: bar (the id), section, "
        "group (what the row is divided by), metric (blank: all together), estimate, se (the Monte-Carlo error, "
        "between worlds), hits, chances, worlds, low and high (the bar), met (yes, no, or blank without a bar), "
        "distance (how many errors from the nearer end of the bar; below 0 outside it), in_words (in the copy beside "
        "reports: what the row is). Shares are fractions of 1. Rows of one kind of statement and one measure are there "
        "alone, and are in no count of bars on this page.",
        "Where a bar is missed the method is changed, not the bar, and the list of changes that comes with gpvar "
        "(CHANGELOG.md) says so. What was changed in the trial itself stands there too.",
    ]
    return f"## To repeat it\n\n{boxes.bullets(items)}"


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return listed(f"{plain(k)} {plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return listed(" × ".join(plain(one) for one in v) if isinstance(v, (list, tuple)) else plain(v) for v in value)
    return plain(value)


def methods_on_trial(run: Run, metric: str = "") -> str:
    """Return the section of a methods page that leads to the trial, which lies beside it; the same for every run."""
    return (
        f"## {TITLE}\n\nIn simulated Englands in which the truth is known: how many practices with nothing unusual "
        "about them are flagged, how many planted ones are missed, how often a 95% interval holds the truth, and how "
        "often a true or a false statement is told from the other, each with its Monte-Carlo error. What misses its "
        f"bar stands first: [{TITLE}]({STEM}.html)."
    )


def trial_line(facts: TrialFacts) -> str:
    """Return one plain line for an index: how many bars were missed, in how many worlds."""
    worlds = plural(facts.worlds, "simulated England", "simulated Englands")
    if facts.short:
        return f"a trial in {worlds}, too short to say whether the rates promised are kept."
    missed, barred = len(facts.missed), len(facts.barred)
    were = "was" if missed == 1 else "were"
    kept = f"{missed} of the {barred} rates promised {were} not kept" if missed else f"all {barred} rates promised kept"
    return f"a trial in {worlds} whose truth is known: {kept}."
