"""Sentences about two half-years: practices that changed for good, and others that only seem to have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from gpvar import catalogue, claims
from gpvar.analysis.expected import inverse_link
from gpvar.calibration.answers import CLEAR, ENDS_TO_SD, RELIABLE, Answer, said_of
from gpvar.calibration.tally import Tally
from gpvar.results import Claim, Run
from gpvar.simulate import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpvar.calibration.trial import Trial
    from gpvar.results import Finding
    from gpvar.table import PracticeTable

TEMPLATES = ("change", "no_improvement", "worst_improved")
#: Boards are taken until so many practices are together: two more periods of all England would take too long.
LEAST = 1200
_COUNTED = ("numerator", "denominator")
_BEFORE, _AFTER = ("2025-04", "2025-09"), ("2025-10", "2026-03")
#: Practices that change, and by how many SDs of one month's passing movement; as many do not change at all.
CHANGED, SIZES = 16, (-5.0, -3.0, 3.0, 5.0)
#: Those that seem to have changed the most, of whom a letter would write.
SEEMING, SEEMING_GROUP = 10, "change_seeming"
#: The group that a letter chooses, and what becomes of it: in turn it gets better, stays as it is, gets worse.
GROUP, TURNS = 20, (4.0, 0.0, -4.0)


@dataclass(frozen=True, slots=True)
class Changed:
    """A part of England in two half-years.

    Attributes
    ----------
    run
        A run of the part, whose table holds the half-years.
    before, after
        Published figures, by practice.
    added
        What was added to practices' lasting figures from the second half-year on, link scale, by practice.
    lasting
        Lasting figures before, link scale.
    group
        The practices that had the lowest figures in the first.
    """

    run: Run
    before: pd.Series
    after: pd.Series
    added: pd.Series
    lasting: pd.Series
    group: tuple[str, ...]

    @property
    def group_rose(self) -> bool:
        """Whether the group's published figures rose, whatever the reason."""
        return bool((self.after - self.before)[list(self.group)].mean() > 0.0)

    def by(self, code: str, kind: str) -> float:
        """Return by how much a practice's lasting figure changed, in the card's raw unit."""
        start = float(self.lasting[code])
        return float(inverse_link(start + float(self.added[code]), kind) - inverse_link(start, kind))


def answers(trial: Trial, turn: int) -> tuple[list[Answer], list[Tally]]:
    """Return what is found of sentences about change, and how often a change is found where there is none.

    Parameters
    ----------
    trial
        A world.
    turn
        How often sentences about change were asked before of its metric: what becomes of the group goes by it.
    """
    part = changed(trial, TURNS[turn % len(TURNS)])
    asked = list(_asked(trial, part))
    found = claims.check_all([claim for claim, _, _ in asked], part.run)
    known = [
        replace(_answered(trial, part, item, true, finding), picked=group == SEEMING_GROUP)
        for (item, group, true), finding in zip(asked, found, strict=True)
    ]
    tallies = [
        Tally("claims_unchanged", float(finding.verdict == "supported"), 1.0, group)
        for (_, group, _), finding in zip(asked, found, strict=True)
        if group
    ]
    return known, tallies


# The part of England --------------------------------------------------------------------------------------------------


def changed(trial: Trial, group_by: float) -> Changed:
    """Take a part of England, and let some of its practices change for good between two half-years.

    The group of the lowest changes by so many SDs of one month's passing movement.
    """
    codes = _part(trial)
    months = _months(trial, codes)
    top, base = (
        months.pivot(index="practice_code", columns="start", values=name) for name in ("numerator", "denominator")
    )
    first = [month for month in top if month <= _BEFORE[1]]
    later = [month for month in top if month > _BEFORE[1]]
    before = top[first].sum(axis=1) / base[first].sum(axis=1)
    group = tuple(before.sort_values().index[:GROUP])
    added = _added(trial, before, group, group_by)
    top = _redrawn(trial, top.astype(float), base, added, later)
    table = _with(trial, codes, top, base, first, later)
    run = replace(trial.run, study=table.study, table=table, meta=trial.run.meta)
    after = top[later].sum(axis=1) / base[later].sum(axis=1)
    return Changed(run, before, after, added, trial.truth["link"].reindex(top.index), group)


def _part(trial: Trial) -> list[str]:
    """Return the practices of whole boards, the study's own first, that are compared and behind no check that stops."""
    counts = trial.counts
    here = counts.in_reference & counts.usable
    boards = pd.Series(counts.icb_code[here], index=counts.practice_code[here])
    own = boards.reindex(list(trial.table.area_codes)).dropna().iloc[0]
    sizes = boards.value_counts(sort=False).sort_index()
    order = [own, *(board for board in sizes.index if board != own)]
    enough = int(np.searchsorted(np.cumsum(sizes[order]), LEAST)) + 1
    return list(boards.index[boards.isin(order[:enough])])


def _months(trial: Trial, codes: list[str]) -> pd.DataFrame:
    rows = trial.table.periods
    single = (rows["metric"] == trial.metric) & (rows["start"] == rows["end"])
    return rows[single & rows["practice_code"].isin(codes)]


def _added(trial: Trial, before: pd.Series, group: tuple[str, ...], group_by: float) -> pd.Series:
    """Return what is added to whom: to practices from the whole of the published figures, and to the group."""
    step = _step(trial)
    added = pd.Series(0.0, index=before.index)
    middle = before.drop(list(group)).sort_values().index
    places = ((np.arange(CHANGED) + 0.5) / CHANGED * len(middle)).astype(int)
    added[middle[places]] = np.resize(SIZES, CHANGED) * step
    added[list(group)] = group_by * step
    return added


def _step(trial: Trial) -> float:
    spreads = trial.world.spreads
    return float(np.sqrt(spreads.loc[spreads["metric"] == trial.metric, "month_variance"].iloc[0]))


def _redrawn(trial: Trial, top: pd.DataFrame, base: pd.DataFrame, added: pd.Series, later: list[str]) -> pd.DataFrame:
    """Draw the later months of those who changed anew, about their own lasting figure and passing movement."""
    codes = added.index[added != 0.0]
    order = trial.truth.index.get_indexer(codes)
    moved = trial.world.moved[METRICS[trial.metric]][order][:, -len(later) :]
    link = trial.truth["link"].to_numpy()[order][:, None] + added[codes].to_numpy()[:, None] + moved
    size, rng = base.loc[codes, later].to_numpy(), trial.rng("changes")
    if trial.card.kind == "proportion":
        top.loc[codes, later] = rng.binomial(size.astype(np.int64), special.expit(link)).astype(float)
    else:
        # The season is in the counts, and in what all practices do.
        season = _season(top, base, later)
        top.loc[codes, later] = rng.poisson(size * np.exp(link) * season).astype(float)
    return top


def _season(top: pd.DataFrame, base: pd.DataFrame, later: list[str]) -> np.ndarray:
    rate = top.sum() / base.sum()
    return np.asarray(rate[later] / rate.mean())


def _with(
    trial: Trial, codes: list[str], top: pd.DataFrame, base: pd.DataFrame, first: list[str], later: list[str]
) -> PracticeTable:
    """Return the part's table, with the half-years beside the months."""
    table = _only(trial.table, codes)
    rows = []
    for months, (start, end) in ((first, _BEFORE), (later, _AFTER), *(([month], (month, month)) for month in later)):
        sums = {name: part[months].sum(axis=1) for name, part in zip(_COUNTED, (top, base), strict=True)}
        said = {"metric": trial.metric, "start": start, "end": end, "months": float(len(months))}
        rows.append(pd.DataFrame(sums).reset_index().assign(**said))
    kept = table.periods[~table.periods["start"].isin(later)]
    return replace(table, periods=pd.concat([kept, *(row[list(kept.columns)] for row in rows)], ignore_index=True))


def _only(table: PracticeTable, codes: list[str]) -> PracticeTable:
    parts = {}
    for name in ("outcomes", "periods", "practices", "hierarchy", "groups", "events", "gates", "excluded"):
        frame = getattr(table, name)
        if "practice_code" in frame:
            there = frame["practice_code"].isin(codes) | (frame["practice_code"].fillna("") == "")
            parts[name] = frame[there].reset_index(drop=True)
    area = tuple(code for code in table.area_codes if code in set(codes))
    return replace(table, area_codes=area, **parts)


# The sentences --------------------------------------------------------------------------------------------------------


def _asked(trial: Trial, part: Changed) -> Iterator[tuple[Claim, str, float]]:
    """Yield sentences, under what a change that is none counts (nothing where there is one), and the change."""
    kind = trial.card.kind
    outside = [code for code in part.added.index if code not in part.group]
    moved = [code for code in outside if part.added[code] != 0.0]
    seeming = part.after - part.before
    still = [code for code in outside if part.added[code] == 0.0]
    far = seeming[still].abs().sort_values(ascending=False).index[:SEEMING]
    plain = np.array(still)[((np.arange(CHANGED) + 0.5) / CHANGED * len(still)).astype(int)]
    for code in moved:
        by = part.by(code, kind)
        for number, template in enumerate(TEMPLATES[:2]):
            for side in (1, -1):
                yield _claim(template, trial.metric, side, code, number), "", side * by
    for group, codes in ((SEEMING_GROUP, far), ("change", plain)):
        for code in codes:
            yield _claim("change", trial.metric, 1 if seeming[code] > 0.0 else -1, code), group, 0.0
    for code in plain:
        yield _claim("no_improvement", trial.metric, 1, code), "", 0.0
    by = float(np.mean([part.by(code, kind) for code in part.group]))
    yield _claim("worst_improved", trial.metric, 1), "" if by else "worst_improved", by


def _claim(template: str, metric: str, side: int, code: str = "", number: int = 0) -> Claim:
    before, after = ("..".join(ends) for ends in (_BEFORE, _AFTER))
    return Claim(
        f"{template} {code} {side} {number}",
        template,
        practice=code,
        practice_code=code,
        metric=metric,
        comparator="england",
        direction="high" if side > 0 else "low",
        period=after,
        period_before=before,
        place=None if code else GROUP,
        of=None if code else LEAST,
    )


def _answered(trial: Trial, part: Changed, claim: Claim, by: float, finding: Finding) -> Answer:
    """Return a known answer beside the one that was found; `by` is the true change in the direction named."""
    numbers = finding.numbers
    ends = numbers.get("left_lower"), numbers.get("left_upper")
    error = float("nan") if None in ends else (ends[1] - ends[0]) / ENDS_TO_SD
    distance = abs(by)
    if claim.template == "no_improvement":
        truth = by <= 0.0
        distance = _margin(trial, numbers) - by if truth else by
    else:
        truth = by > 0.0
    # The figures of the lowest rise by themselves: that much is true of a group to which nothing happened.
    rose = claim.template == "worst_improved" and by == 0.0 and part.group_rose
    steady = numbers.get("kept")
    reliable = steady is None or steady >= RELIABLE
    return Answer(
        template=claim.template,
        truth="true" if truth else "unfair" if rose else "false",
        said=said_of(finding),
        clear=bool(reliable and distance > CLEAR * error),
        holds=truth,
        verdict=finding.verdict,
    )


def _margin(trial: Trial, numbers: dict[str, float]) -> float:
    card = catalogue.metric(trial.metric)
    if card.kind == "proportion":
        return float(card.margin) / float(card.scale)
    return float(card.margin) / 100.0 * float(numbers.get("before") or 0.0)
