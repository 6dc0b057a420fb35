"""What cannot be fitted, refused before it is tried, and what a reader must be told of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, IntArray, check_choice, refuse
from gpvar.stats.multilevel._reading import OBSERVATION, counted, listed, rarer_events

FAMILIES = ("binomial", "poisson", "negative_binomial", "gaussian")
COUNTS = ("poisson", "negative_binomial")
#: Below this mean number of events of a unit its likelihood is too far from normal for what rests on that.
SMALL_COUNT = 5.0

_MOST_LEVELS = 5
_MOST_POINTS = 100
_SHOWN = 5
_FEW_UNITS = 5
# e^50 on the scale of the counts: no exposure spans that, but a size in place of its logarithm soon does.
_WIDEST_OFFSET = 50.0


def check_options(
    family: str, levels: Sequence[str], reml: bool, n_quadrature: int, given: dict[str, Any]
) -> tuple[str, ...]:
    """Refuse what does not go together; return the names of the levels."""
    check_choice(family, FAMILIES, "family")
    names = _check_levels(levels)
    if given.get("trials") is not None and family != "binomial":
        raise StatsError(
            f"trials belongs to the binomial family, and this one is {family}.",
            "trials",
            "For counts per head of something use exposure; for successes out of trials use family='binomial'.",
        )
    if given.get("exposure") is not None and family not in COUNTS:
        raise StatsError(
            f"exposure belongs to the families of counts, and this one is {family}.",
            "exposure",
            "For successes out of trials use trials; for a known term of the linear predictor use offset.",
        )
    if not isinstance(reml, (bool, np.bool_)):
        raise StatsError("reml must be True or False.", f"reml is {reml!r}", "Write reml=True, or leave it out.")
    if reml and family != "gaussian":
        raise StatsError(
            "Restricted maximum likelihood (reml) is for the gaussian family only.",
            f"family is {family!r}",
            "Leave reml out.",
        )
    _check_quadrature(family, names, n_quadrature)
    return names


def _check_levels(levels: Sequence[str]) -> tuple[str, ...]:
    names = tuple(levels)
    if not names:
        raise StatsError(
            "A multilevel model needs at least one grouping level.",
            "groups is empty",
            "Name the levels, coarse to fine; a model without any is a generalised linear model (statsmodels' GLM).",
        )
    if len(set(names)) < len(names):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise StatsError("A grouping level is named twice.", f"groups: {listed(twice)}", "Name each level once.")
    if len(names) > _MOST_LEVELS:
        raise StatsError(
            f"There are at most {_MOST_LEVELS} levels, that of the rows among them.",
            f"groups: {listed(names)}",
            "Leave out the levels of least interest.",
        )
    return names


def _check_quadrature(family: str, levels: Sequence[str], n_quadrature: int) -> None:
    whole = isinstance(n_quadrature, (int, np.integer)) and not isinstance(n_quadrature, bool)
    if not whole or not 1 <= n_quadrature <= _MOST_POINTS:
        raise StatsError(
            f"n_quadrature must be a whole number from 1 to {_MOST_POINTS}.",
            f"n_quadrature is {n_quadrature!r}",
            "1 is Laplace's approximation; 9 to 25 points are usual.",
        )
    if n_quadrature > 1 and family == "gaussian":
        raise StatsError(
            "The gaussian family needs no quadrature: its likelihood is exact.",
            f"n_quadrature is {n_quadrature}",
            "Leave n_quadrature out.",
        )
    if n_quadrature > 1 and len(levels) > 1:
        raise StatsError(
            "Quadrature is for one grouping level only.",
            f"n_quadrature is {n_quadrature} with groups {listed(levels)}",
            "Fit one level with it, or all levels with Laplace's approximation (n_quadrature=1).",
        )


def check_offset(offset: FloatArray) -> None:
    """Refuse an offset that is plainly not on the link scale."""
    spread = float(np.ptp(offset))
    if spread > _WIDEST_OFFSET:
        raise StatsError(
            f"The offset differs by {spread:,.0f} between rows, which is a factor of e to that power.",
            f"offset, from {offset.min():g} to {offset.max():g}",
            "The offset is on the link scale: use exposure for what the counts are out of, or take the logarithm.",
        )


def check_outcomes(
    family: str, response: FloatArray, name: str, trials: FloatArray | None, trials_name: str
) -> list[str]:
    """Refuse responses that the family cannot have; return notes."""
    if family == "gaussian":
        if np.ptp(response) == 0:
            raise StatsError(
                "Every value of the response is the same.", f"{name}: {response[0]:g}", "There is nothing to model."
            )
        return []
    if trials is None:
        refuse(response < 0, f"{name} holds a negative count.", name, response, "Check the counts.")
        if not response.any():
            raise StatsError("Every count is zero.", name, "There is nothing to model; check the column.")
        return _fractions(response, name)
    _refuse_shares(response, name, trials, trials_name)
    if not response.any() or (response == trials).all():
        which = "no" if not response.any() else "only"
        raise StatsError(
            f"There are {which} successes in any row: a share of {0 if which == 'no' else 1} has no finite log-odds.",
            name,
            "There is nothing to model; check the column and its denominator.",
        )
    return [*_fractions(response, name), *_fractions(trials, trials_name)]


def _refuse_shares(response: FloatArray, name: str, trials: FloatArray, trials_name: str) -> None:
    """Raise with everything that keeps the rows from being successes out of trials, all at once."""
    found: list[tuple[str, str, str]] = []
    below = response < 0
    if below.any():
        found.append((f"{name} holds a negative count", _rows(below, name, response), "Check the counts."))
    nought = trials < 0
    if nought.any():
        what = f"{trials_name} holds a negative number of trials"
        found.append((what, _rows(nought, trials_name, trials), "Check the denominators."))
    above = (response > trials) & ~nought
    if not trials_name:
        # A share without its denominator says nothing of how sure it is.
        above |= response != np.rint(response)
    if above.any():
        found.append(_above(response, name, trials, trials_name, above))
    if found:
        problems, places, fixes = zip(*found, strict=True)
        raise StatsError(f"{', and '.join(problems)}.", "; ".join(places), " ".join(fixes))


def _rows(wrong: BoolArray, name: str, values: FloatArray) -> str:
    at = np.flatnonzero(wrong)
    more = f" and {len(at) - _SHOWN:,} more" if len(at) > _SHOWN else ""
    return f"{name}, {', '.join(f'row {row + 1}: {values[row]:g}' for row in at[:_SHOWN].tolist())}{more}"


def _above(
    response: FloatArray, name: str, trials: FloatArray, trials_name: str, above: BoolArray
) -> tuple[str, str, str]:
    if not trials_name:
        return (
            "Without trials the response of a binomial model must be 0 or 1",
            _rows(above, name, response),
            "For successes out of trials give the counts, and name the denominators: trials='column'.",
        )
    row = int(above.argmax())
    return (
        f"{name} is larger than {trials_name} in {counted(int(above.sum()), 'row')}",
        f"row {row + 1}: {response[row]:g} successes out of {trials[row]:g} trials",
        f"{trials_name} must be all trials: successes and failures together, not the failures alone.",
    )


def _fractions(values: FloatArray, name: str) -> list[str]:
    broken = values != np.rint(values)
    if not broken.any():
        return []
    row = int(broken.argmax())
    return [
        f"{name} is not a whole number in {int(broken.sum()):,} of {counted(len(values), 'row')} "
        f"(row {row + 1}: {values[row]:g}). It is taken as it is; the log-likelihood and the standard errors are those "
        "of counts of that size."
    ]


def check_nesting(
    levels: Sequence[str], codes: Sequence[IntArray], units: Sequence[pd.Index[Any]]
) -> tuple[IntArray | None, ...]:
    """Return the parent of each unit in the next coarser level; refuse a unit that has two."""
    parents: list[IntArray | None] = [None]
    for fine in range(1, len(levels)):
        inner, outer = codes[fine], codes[fine - 1]
        parent = np.empty(len(units[fine]), dtype=np.int64)
        parent[inner] = outer
        strays = parent[inner] != outer
        if strays.any():
            _refuse_two_parents(levels[fine - 1 : fine + 1], (outer, inner), units[fine - 1 : fine + 1], parent, strays)
        parents.append(parent)
    return tuple(parents)


def _refuse_two_parents(
    levels: Sequence[str],
    codes: tuple[IntArray, IntArray],
    units: Sequence[pd.Index[Any]],
    parent: IntArray,
    strays: BoolArray,
) -> None:
    (outer, inner), (above, below) = codes, levels
    row = int(strays.argmax())
    homes = units[0][np.unique(outer[inner == inner[row]])]
    torn = len(np.unique(inner[strays]))
    where = f"{below} {listed([units[1][inner[row]]])} lies in {above} {listed(list(homes))}"
    inverse = np.empty(len(units[0]), dtype=np.int64)
    inverse[outer] = inner
    if (inverse[outer] == inner).all():
        raise StatsError(
            f"The levels are in the wrong order: every {above} lies within one {below}.",
            where,
            f"Name them coarse to fine: groups=[..., {below!r}, {above!r}, ...].",
        )
    share = f"{torn:,} of {len(units[1]):,} units"
    crossed = torn > len(units[1]) / 2
    raise StatsError(
        f"Level {below!r} is not nested in {above!r}: {share} lie in more than one.",
        where,
        (
            "If these are different units that share a label, make the labels unique: "
            f"data[{below!r}] = data[{above!r}].astype(str) + ' ' + data[{below!r}].astype(str)."
        )
        + (
            " If they are the same units, the levels are crossed, which this model cannot have: keep one, and put the "
            "other into the design."
            if crossed
            else " If it is the same unit, give it one place, or leave the coarser level out."
        ),
    )


def check_units(
    family: str, levels: Sequence[str], codes: Sequence[IntArray], units: Sequence[pd.Index[Any]], binary: bool
) -> list[str]:
    """Refuse levels whose spread the rows cannot tell from something else; return notes."""
    notes = []
    present = [np.bincount(code, minlength=len(labels)) > 0 for code, labels in zip(codes, units, strict=True)]
    counts = [int(which.sum()) for which in present]
    for level, labels, which, count in zip(levels, units, present, counts, strict=True):
        if count < 2:
            raise StatsError(
                f"Level {level!r} has one unit only, so that there is no spread between its units.",
                f"{level}: {listed(list(labels[which]))}",
                "Leave the level out.",
            )
        if count < _FEW_UNITS:
            notes.append(
                f"Level {level!r} has {count} units: the spread between them is hardly known, whatever its estimate; "
                "read its profile interval."
            )
    for coarse in range(len(levels) - 1):
        if counts[coarse] == counts[coarse + 1]:
            raise StatsError(
                f"Levels {levels[coarse]!r} and {levels[coarse + 1]!r} are the same grouping.",
                f"each {levels[coarse]} has one {levels[coarse + 1]} ({counted(counts[coarse], 'unit')})",
                "Their spreads cannot be told apart: leave one of them out of groups.",
            )
    if counts[-1] == len(codes[-1]):
        notes += _one_row_per_unit(family, levels[-1], binary)
    return notes


def _one_row_per_unit(family: str, level: str, binary: bool) -> list[str]:
    if family == "gaussian":
        raise StatsError(
            f"Level {level!r} has one row per unit, so that its spread is the residual spread.",
            level,
            "Leave the level out: the residual SD is the spread between its units.",
        )
    if binary:
        raise StatsError(
            f"Level {level!r} has one row per unit and each row is one trial: nothing shows a spread between units.",
            level,
            "Leave the level out, or give several trials or rows per unit.",
        )
    if family == "negative_binomial":
        return [
            f"Level {level!r} has one row per unit: its spread and the negative binomial's dispersion are told apart "
            "only by the shape of the counts. Poisson with this level, or the negative binomial without it, says as "
            "much."
        ]
    return []


def small_counts(
    family: str, levels: Sequence[str], codes: Sequence[IntArray], response: FloatArray, trials: FloatArray | None
) -> list[str]:
    """Advise quadrature where the finest units have few events, and Laplace's approximation is poor."""
    grouping = [position for position, level in enumerate(levels) if level != OBSERVATION]
    if family == "gaussian" or not grouping:
        return []
    mean = float(rarer_events(codes[grouping[-1]], response, trials).mean())
    if mean >= SMALL_COUNT:
        return []
    level = levels[grouping[-1]]
    what = "events" if trials is None else "events (or non-events, where these are fewer)"
    alone = "" if len(levels) == 1 else f", with groups=[{level!r}] alone,"
    return [
        f"The units of {level!r} have {mean:.2g} {what} on average. Below {SMALL_COUNT:g} Laplace's approximation can "
        f"misjudge their spread: fit also with n_quadrature=9 or more{alone} and compare."
    ]
