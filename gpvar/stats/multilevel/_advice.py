"""What the checks of a model say, in plain sentences: what to do, what is well, and what could not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

from gpvar.stats._checks import IntArray
from gpvar.stats.multilevel._guards import SMALL_COUNT
from gpvar.stats.multilevel._influence import most_influential
from gpvar.stats.multilevel._reading import OBSERVATION, counted, listed, rarer_events
from gpvar.stats.multilevel._summary import records

if TYPE_CHECKING:
    from gpvar.stats.multilevel._diagnostics import ModelCheck
    from gpvar.stats.multilevel._estimate import Estimate

Sentences = tuple[list[str], list[str], list[str]]

_CHANCE = {
    "binomial": "binomial chance",
    "poisson": "Poisson chance",
    "negative_binomial": "the negative binomial",
    "gaussian": "a normal distribution",
}
# A dispersion nearer to 1 than this changes standard errors by less than a tenth.
_DISPERSED = 1.2
# Several things are looked at: each cries wolf about once in a thousand sound models.
_SURE = 0.001
_SKEWED = 0.5
_HEAVY = 1.0
_FEW_UNITS = 10
_POOR = 0.3


def advise(found: ModelCheck, estimate: Estimate) -> Sentences:
    """Return what calls for action, what is well, and what could not be checked."""
    concerns: list[str] = []
    well: list[str] = []
    unchecked: list[str] = []
    for part in (_columns, _spread_of_rows, _tails, _zeros, _influence, _shape, _counts, _units):
        for kind, more in zip((concerns, well, unchecked), part(found, estimate), strict=True):
            kind.extend(more)
    return concerns, well, unchecked


def _columns(found: ModelCheck, estimate: Estimate) -> Sentences:
    data = estimate.data
    lost = [name for name, keep in zip(data.columns, data.kept, strict=True) if not keep]
    if not lost:
        return [], [], []
    return [f"No estimate could be had for {listed(lost)}: the notes of the fit say why."], [], []


def _spread_of_rows(found: ModelCheck, estimate: Estimate) -> Sentences:
    data, ratio = estimate.data, found.dispersion
    chance = _CHANCE[data.family]
    if data.family == "gaussian":
        return [], [], []
    if data.trials is not None and bool((data.trials == 1.0).all()):
        return [], [], ["Rows of a single trial cannot show whether they vary by more than chance."]
    finest = data.levels[-1]
    if _each_row_has_an_effect(estimate):
        why = f"Each row is a unit of {finest!r}: spread beyond {chance} is part of its SD and cannot show as misfit."
        return [], [], [why]
    if np.isnan(ratio):
        rows = counted(len(data.response), "row")
        used = f"Coefficients and effects leave {found.dispersion_df:.1f} degrees of freedom of {rows}"
        return [], [], [f"{used}: too few to show whether the rows vary by more than {chance}."]
    if _too_varied(found):
        return [f"The rows vary {ratio:.2g} times as much as {chance} allows. {_remedy(data.family)}"], [], []
    if 1.0 / _DISPERSED < ratio < _DISPERSED:
        return [], [f"The rows vary about as much as {chance} has it (dispersion {ratio:.2f})."], []
    if found.dispersion_p > _SURE:
        rows = counted(len(data.response), "row")
        vague = f"The dispersion is {ratio:.2f}, which {rows} cannot tell from 1 (p = {found.dispersion_p:.2f})."
        return [], [], [vague]
    less = f"The rows vary only {ratio:.2g} times as much as {chance} would have them"
    return [f"{less}: look for counts that were rescaled, rounded, capped or repeated."], [], []


def _too_varied(found: ModelCheck) -> bool:
    return found.dispersion > _DISPERSED and found.dispersion_p < _SURE


def _remedy(family: str) -> str:
    if family == "negative_binomial":
        return "Look for a missing covariate or level: draw the residuals against what is known of the rows."
    other = " or family='negative_binomial'" if family == "poisson" else ""
    return f"Standard errors are too small: fit again with the level {OBSERVATION!r} added to groups{other}."


def _tails(found: ModelCheck, estimate: Estimate) -> Sentences:
    near, far = records(found.outside)
    rows = len(estimate.data.response)
    if _too_varied(found):
        return [], [], []
    by_chance = f"{rows * far['expected']:,.1f} would by chance"
    seen = f"{rows * far['share']:,.0f} of {rows:,} rows lie beyond ±3, where {by_chance}"
    size = np.abs(found.residuals)
    worst = int(np.nanargmax(size))
    if far["share"] > 2.0 * far["expected"] and _chance_of(far, rows) < _SURE:
        return [f"{seen}; the furthest is row {worst + 1}. Look at those rows (.residuals) for faults."], [], []
    if 2.0 * rows * special.ndtr(-size[worst]) < _SURE:
        much = f"Row {worst + 1} lies {size[worst]:.1f} SDs from what is expected of it"
        return [f"{much}, further than any of {rows:,} rows would by chance: is its figure sound?"], [], []
    if near["share"] > _DISPERSED * near["expected"] and _chance_of(near, rows) < _SURE:
        what = f"{100 * near['share']:.2g} % of the rows lie beyond ±2, where {100 * near['expected']:.2g} % would"
        return [f"{what} by chance: draw the residuals against the fitted values and each covariate."], [], []
    if _each_row_has_an_effect(estimate):
        # An effect of its own takes up whatever is odd about a row: its shape is looked at instead.
        return [], [], []
    return [], [f"No more rows are far out than should be: {seen}."], []


def _chance_of(beyond: dict[str, Any], rows: int) -> float:
    """Return the probability of as many rows beyond a limit when the model holds."""
    return float(stats.binom.sf(round(rows * beyond["share"]) - 1, rows, beyond["expected"]))


def _zeros(found: ModelCheck, estimate: Estimate) -> Sentences:
    for row in records(found.zeros):
        off = row["observed"] - row["expected"]
        seen = f"There are {counted(int(row['observed']), 'count')} of zero, where {row['expected']:,.0f} are expected"
        tail = (
            stats.poisson.sf(row["observed"] - 1, row["expected"])
            if off > 0
            else stats.poisson.cdf(row["observed"], row["expected"])
        )
        if tail < _SURE and abs(off) > 0.2 * row["expected"]:
            more, fewer = "Are missing values written as zeros", "Were rows without events left out of the data"
            return [f"{seen}. {f'{more}, or can some rows have no events at all' if off > 0 else fewer}?"], [], []
        if row["observed"] or row["expected"] >= 1.0:
            return [], [f"{seen}."], []
    return [], [], []


def _influence(found: ModelCheck, estimate: Estimate) -> Sentences:
    level = estimate.data.levels[0]
    alone = found.influence.index[found.influence["largest"].isna()]
    concerns = []
    if len(alone):
        which = f"{level} {listed([str(unit) for unit in alone])}"
        concerns.append(
            f"Some coefficient rests on {which} alone: without it there would be no estimate. Say so where it is used."
        )
    most = most_influential(found.influence)
    if most is None:
        return concerns, [], []
    unit, column, change = most
    much = f"{abs(change):.2g} of its standard errors"
    if abs(change) <= 1.0:
        return concerns, [f"No unit of {level!r} decides a result: the most is {much} ({unit!r}, {column})."], []
    many = int((found.influence["largest"].abs() > 1.0).sum())
    others = f" ({many} units of {level!r} move some coefficient by more than one)" if many > 1 else ""
    concerns.append(
        f"Leaving out {level} {unit!r} would move the coefficient of {column} by about {much}{others}: fit again "
        "without it and report both."
    )
    return concerns, [], []


def _shape(found: ModelCheck, estimate: Estimate) -> Sentences:
    concerns, normal, unchecked = [], [], []
    for row in records(found.shape):
        if np.isnan(row["skewness"]):
            enough = f"{counted(row['units'], 'unit')} of {row['group']!r} that the data say something about"
            unchecked.append(f"The shape of the effects could not be judged from {enough}.")
        elif (mean := _events(estimate, row["group"])) < SMALL_COUNT:
            unchecked.append(
                f"The shape of the effects of {row['group']!r} could not be judged: its units have {mean:.2g} "
                f"{_what(estimate)} on average, and normal effects look lopsided below {SMALL_COUNT:g}."
            )
        elif abs(row["skewness"]) > _SKEWED and row["skewness_p"] < _SURE:
            side, unit = ("low", row["lowest"]) if row["skewness"] < 0 else ("high", row["highest"])
            concerns.append(
                f"The effects of {row['group']!r} reach further to the {side} side (skewness {row['skewness']:.2g}): a "
                f"normal spread is not quite right. Start with {unit!r}, the furthest; is its figure sound?"
            )
        elif row["kurtosis"] > _HEAVY and row["kurtosis_p"] < _SURE:
            concerns.append(
                f"More units of {row['group']!r} are far out than a normal spread has (excess kurtosis "
                f"{row['kurtosis']:.2g}): a few may carry its SD. Look at {row['lowest']!r} and {row['highest']!r} "
                "first."
            )
        elif row["reliability"] < _POOR:
            unchecked.append(
                f"The effects of {row['group']!r} are known too poorly (reliability {row['reliability']:.2f}) for "
                "their shape to show."
            )
        else:
            normal.append(row["group"])
    return concerns, [f"The effects of {listed(normal)} look normal."] if normal else [], unchecked


def _counts(found: ModelCheck, estimate: Estimate) -> Sentences:
    if found.counts.empty or estimate.n_quadrature > 1:
        return [], [], []
    row = records(found.counts)[-1]
    mean = f"{row['mean']:,.0f}" if row["mean"] >= 10.0 else f"{row['mean']:.2g}"
    many = f"The units of {row['group']!r} have {mean} {_what(estimate)} on average"
    if row["mean"] >= SMALL_COUNT:
        return [], [f"{many}: enough for Laplace's approximation."], []
    alone = "" if len(estimate.data.levels) == 1 else f" and groups=[{row['group']!r}] alone"
    why = "too few for Laplace's approximation to be trusted"
    return [f"{many}, {why}: fit with n_quadrature=9 or more{alone}, and compare the SDs."], [], []


def _events(estimate: Estimate, group: str) -> float:
    """Return the mean number of events (of the rarer outcome) in a unit; infinite for a Gaussian model."""
    data = estimate.data
    if data.family == "gaussian":
        return float("inf")
    return float(rarer_events(data.codes[data.levels.index(group)], data.response, data.trials).mean())


def _what(estimate: Estimate) -> str:
    return "events" if estimate.data.trials is None else "events or non-events, whichever are fewer,"


def _units(found: ModelCheck, estimate: Estimate) -> Sentences:
    concerns, well = [], []
    for name, code, sd in zip(estimate.data.levels, estimate.data.codes, estimate.sds, strict=True):
        units = _used_units(code)
        if sd == 0.0:
            well.append(
                f"The SD of {name!r} is zero: its units differ no more than the rest of the model expects. Left "
                "out, it changes nothing else."
            )
        elif units < _FEW_UNITS:
            concerns.append(
                f"{name!r} has only {counted(units, 'unit')}, so that its SD is known roughly: give the interval "
                "(.intervals()), not the SD alone."
            )
    return concerns, well, []


def _each_row_has_an_effect(estimate: Estimate) -> bool:
    data = estimate.data
    return bool(estimate.sds[-1] > 0) and _used_units(data.codes[-1]) == len(data.response)


def _used_units(code: IntArray) -> int:
    return int(np.count_nonzero(np.bincount(code)))
