"""Two periods side by side: which they are, whether they can be compared, and who has sound figures in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.analysis import observed
from gpvar.claims.periods import held, label, period_in, run_of
from gpvar.stats import change
from gpvar.stats.change import Counted, Movement
from gpvar.study import Period, months_between, months_of

if TYPE_CHECKING:
    import datetime as dt

    from gpvar.claims.evidence import Evidence
    from gpvar.results import Analysis

#: Least share of the practices compared later that must have sound figures in both periods for England to be a control.
_CONTROL = 0.9
_ENGLAND = "england"
_DRAWS = 200


@dataclass(frozen=True)
class Periods:
    """The two periods of a claim.

    Attributes
    ----------
    before, after
        The first is None where the letter names none and the study holds nothing earlier.
    chosen
        Whether one was chosen because the letter names no first period.
    earlier
        The claim beside a run of the first period; None where the study holds none that can be analysed.
    missing
        Periods that the letter names and the study does not hold.
    """

    before: Period | None
    after: Period
    chosen: bool
    earlier: Evidence | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """Practices with sound figures in both periods.

    Attributes
    ----------
    codes
        The practices.
    before, after
        Their counts.
    expected
        What was expected of each in the first period, on the link scale.
    between, moving
        Spread of lasting figures about it, and passing movement; the spread is NaN where movement is not known.
    common
        How far all practices of the comparison changed, on the link scale, with its standard error.
    sound
        Boolean array: those of the comparison.
    first
        The figures of the first period, whether or not there is a second one: code → value.
    """

    codes: np.ndarray
    before: Counted
    after: Counted
    expected: np.ndarray
    between: float
    moving: Movement
    common: tuple[float, float]
    sound: np.ndarray
    first: pd.Series

    @property
    def known(self) -> bool:
        """Whether chance could be told from passing movement."""
        return bool(np.isfinite(self.between))

    def totals(self) -> tuple[float, float]:
        """Return the figure of all practices of the comparison together, before and after."""
        return tuple(  # type: ignore[return-value]
            float(part.count[self.sound].sum() / part.size[self.sound].sum()) for part in (self.before, self.after)
        )


def periods_of(seen: Evidence) -> Periods:
    """Return the two periods that a claim compares."""
    claim, after = seen.claim, seen.run.study.period
    named = period_in(claim.period_before)
    before = named or _before(held(seen), after)
    earlier = run_of(seen, before) if before else None
    missing = [claim.period] if claim.period and period_in(claim.period) != after else []
    missing += [claim.period_before] if named and (earlier is None or named == after) else []
    return Periods(before, after, named is None and before is not None, earlier, tuple(missing))


def _before(known: list[Period], after: Period) -> Period | None:
    """Return the period to compare with where the letter names none.

    The same months a year before, else as many months right before, else the nearest earlier ones.
    """
    earlier = [period for period in known if period.end < after.start]
    same = [period for period in earlier if period.months == after.months]
    a_year = [period for period in same if months_between(period.start, after.start) == 12]
    beside = [period for period in same if months_between(period.end, after.start) == 1]
    nearest = sorted(earlier, key=lambda period: (period.end, period.months))
    return next(iter([*a_year, *beside, *reversed(nearest)]), None)


def numbers_of(both: Periods, seen: Evidence) -> dict[str, Any]:
    """Return the periods as numbers of a finding."""
    return {
        "period": label(both.after),
        "period_before": label(both.before) if both.before else seen.claim.period_before,
        "held": [label(period) for period in held(seen)],
        "missing": list(both.missing),
        "derived": [*seen.derived, *(both.earlier.derived if both.earlier else [])],
    }


# Breaks ---------------------------------------------------------------------------------------------------------------


def crossed(source: str, metric: str, first: dt.date, last: dt.date) -> list[catalogue.Break | catalogue.Target]:
    """Return the breaks of a series and the changes of a measure's target from a first day to a last."""
    breaks = [
        item
        for item in catalogue.breaks(source)
        if item.breaks_series and (first < item.start <= last or (item.end and item.start <= first <= item.end))
    ]
    own = (target for target in catalogue.targets().values() if target.metric == metric)
    targets = [t for t in own if first < t.announced <= last or (t.ends and first <= t.ends < last)]
    return [*breaks, *targets]


def controllable(items: list[catalogue.Break | catalogue.Target]) -> bool:
    """Say whether the change of all practices can carry what lies between: never a new series."""
    return not any(isinstance(item, catalogue.Break) and item.kind == "series" for item in items)


def crossing(seen: Evidence, both: Periods) -> list[catalogue.Break | catalogue.Target]:
    """Return what lies within or between the two periods of a claim."""
    periods = [period for period in (both.before, both.after) if period]
    if both.missing:
        named = (period_in(seen.claim.period), period_in(seen.claim.period_before))
        periods += [period for period in named if period]
    first, last = min(period.first_day for period in periods), max(period.last_day for period in periods)
    return crossed(seen.card.source, seen.claim.metric, first, last)


def has_control(seen: Evidence, panel: Panel) -> bool:
    """Say whether all England stands on both sides: what changed for all is then in England's change."""
    later = observed.outcomes_of(seen.run.table, seen.claim.metric)
    compared = _sound(seen, later)
    return seen.run.study.reference.set == _ENGLAND and panel.sound.sum() >= _CONTROL * compared.sum()


# The panel ------------------------------------------------------------------------------------------------------------


def panel_of(seen: Evidence, earlier: Evidence, comparator: str = _ENGLAND) -> Panel:
    """Return the practices with sound figures in both periods, once for all claims; those with hidden counts have none.

    Parameters
    ----------
    seen, earlier
        The claim beside runs of the second and of the first period.
    comparator
        Beside whom the first figures are expected: ``"england"`` or ``"own_icb"``.
    """
    key = ("panel", seen.claim.metric, earlier.run.study.period, comparator)
    if key not in seen.cache:
        seen.cache[key] = _panel(seen, earlier, comparator)
    found: Panel = seen.cache[key]
    return found


def _panel(seen: Evidence, earlier: Evidence, comparator: str) -> Panel:
    frames = [_figures(earlier), _figures(seen)]
    expected, between = _expected(earlier, comparator)
    pair = frames[0].add_suffix("_before").join(frames[1].add_suffix("_after"), how="inner")
    both = pair.join(expected, how="inner")
    kind = seen.card.kind
    before, after = (Counted.of(both[f"numerator_{at}"], both[f"denominator_{at}"], kind) for at in ("before", "after"))
    sound = (both["sound_before"] & both["sound_after"]).to_numpy(bool)
    moving = moving_of(earlier.analysis, earlier.run.study.period, seen.run.study.period, seen.card.activity)
    common = (float("nan"), float("nan"))
    if sound.sum() >= 3:
        common = change.common_change(before.link[sound], after.link[sound])
    return Panel(
        codes=both.index.to_numpy(str),
        before=before,
        after=after,
        # The distance from what was expected is that of the judged figure.
        expected=before.link - both["link_residual"].to_numpy(float),
        between=between if moving else float("nan"),
        moving=moving or Movement(),
        common=common,
        sound=sound,
        first=frames[0]["numerator"] / frames[0]["denominator"],
    )


def moving_of(earlier: Analysis, before: Period, after: Period, activity: bool) -> Movement | None:
    """Return what passes in both periods; None where that is not known of figures of activity."""
    used = earlier.passing[earlier.passing["used"].astype(bool)]
    if used.empty:
        return None if activity else Movement()
    row = used.iloc[0]
    return change.movement(_counted(before), _counted(after), float(row["v"]), float(row["rho"]))


def movements_drawn(earlier: Analysis, before: Period, after: Period, seed: int) -> list[Movement]:
    """Return draws of what passes: its standard error, and the correlation of months where that is assumed."""
    used = earlier.passing[earlier.passing["used"].astype(bool)]
    if used.empty:
        return []
    rows = earlier.passing[earlier.passing["rho_from"] == used["rho_from"].iloc[0]]
    rng = np.random.default_rng([seed, len(rows)])
    found = []
    for taken, away in zip(rng.integers(len(rows), size=_DRAWS), rng.standard_normal(_DRAWS), strict=True):
        row = rows.iloc[taken]
        v = max(0.0, float(row["v"] + away * row["v_se"]))
        found.append(change.movement(_counted(before), _counted(after), v, float(row["rho"])))
    return found


def _counted(period: Period) -> np.ndarray:
    return np.array([12 * int(month[:4]) + int(month[5:]) for month in months_of(period)], dtype=float)


def _figures(seen: Evidence) -> pd.DataFrame:
    """Return counts by practice: possible ones, known to the unit, of practices behind no check that stops."""
    outcomes = observed.outcomes_of(seen.run.table, seen.claim.metric)
    counts = observed.ends(seen.run.table, seen.card, outcomes)[0]
    frame = outcomes[["practice_code", "numerator", "denominator"]].assign(sound=counts.in_reference)
    kept = counts.usable & counts.decidable & ~observed.is_hidden(outcomes)
    kept &= outcomes[["numerator", "denominator"]].notna().all(axis=1).to_numpy()
    return frame[kept].set_index("practice_code")


def _sound(seen: Evidence, outcomes: pd.DataFrame) -> np.ndarray:
    return observed.ends(seen.run.table, seen.card, outcomes)[0].in_reference


def _expected(earlier: Evidence, comparator: str) -> tuple[pd.Series, float]:
    """Return each practice's distance from what was expected of it, and the spread of such distances that lasts.

    At the headline rung; the raw one for practices that lack a characteristic, and beside England where a practice
    cannot be placed beside the comparator.
    """
    practices, spread = earlier.analysis.practices, earlier.analysis.spread
    residual = practices.set_index("practice_code")["link_residual"]
    wanted = dict.fromkeys([(comparator, earlier.headline), (_ENGLAND, earlier.headline), (_ENGLAND, "M0")])
    at = [((practices["comparator"] == name) & (practices["rung"] == rung)).to_numpy() for name, rung in wanted]
    known = [residual[here] for here in at if here.any()]
    found = known[0]
    for other in known[1:]:
        found = found.combine_first(other)
    rows = spread[(spread["comparator"] == comparator) & (spread["rung"] == earlier.headline)]
    rows = rows if len(rows) else spread[(spread["comparator"] == _ENGLAND) & (spread["rung"] == earlier.headline)]
    return found.dropna(), float(rows["tau2"].iloc[0])
