"""The ladder declared in advance: raw, then patients (M1), without recorded disease (M1-), then context (M2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue, design
from gpvar.analysis.expected import Expected, fit_expected
from gpvar.analysis.judge import SMALLEST_ICB, judge
from gpvar.analysis.observed import Counts
from gpvar.analysis.position import USUAL, explained_share, movement, position
from gpvar.errors import ConvergenceError, StatsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMPARATORS = ("england", "own_icb")
HEADLINE = "M1"


@dataclass(frozen=True, slots=True)
class Rung:
    """One fitted rung.

    Attributes
    ----------
    name
        ``"M0"``, ``"M1"``, ``"M1-"`` or ``"M2"``.
    covariates
        Covariate ids adjusted for; one that never varies, or says the same as others, is not among them.
    design, expected
        The design matrix with its constants, and the fitted expectation.
    """

    name: str
    covariates: tuple[str, ...]
    design: design.Design
    expected: Expected


@dataclass(frozen=True, slots=True)
class Ladder:
    """Every rung, and every practice placed at each of them against each comparator.

    Attributes
    ----------
    no_model
        Why the rungs rest on a regression although there are practices enough for a multilevel model; else empty.
    """

    rungs: tuple[Rung, ...]
    practices: pd.DataFrame
    spread: pd.DataFrame
    no_model: str = ""


def rungs_of(adjust: Mapping[str, Sequence[str]], available: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the covariates of each rung that can be fitted.

    Parameters
    ----------
    adjust
        The declared ``M1`` and ``M2`` (M2 is added to M1).
    available
        Covariates that have data. The others are left out; the caller names them.

    Returns
    -------
    dict
        Rung name → covariate ids. M1- leaves out recorded disease, which is partly the practice's own doing; it
        is there only when M1 holds any. M1 and M2 are there only when they add something.
    """
    need = tuple(c for c in adjust.get("M1", ()) if c in available)
    context = tuple(c for c in adjust.get("M2", ()) if c in available)
    unrecorded = tuple(c for c in need if not catalogue.covariate(c).recorded)
    rungs: dict[str, tuple[str, ...]] = {"M0": ()}
    if need:
        rungs["M1"] = need
    if unrecorded and unrecorded != need:
        rungs["M1-"] = unrecorded
    if context:
        rungs["M2"] = need + context
    return rungs


def climb(counts: Counts, practices: pd.DataFrame, rungs: Mapping[str, Sequence[str]]) -> Ladder:
    """Fit every rung and place every practice at each.

    Parameters
    ----------
    counts
        The observed figures, one per row of `practices`.
    practices
        The covariates, one row per practice in the same order.
    rungs
        Rung name → covariate ids; must start with M0.

    Returns
    -------
    Ladder
    """
    fitted_rungs, no_model = _fit_all(counts, practices, rungs)
    typical: dict[str, np.ndarray] = {}
    placed, spreads = [], []
    for rung in fitted_rungs:
        for comparator in _comparators(counts):
            judgement = judge(
                counts, rung.expected.link, rung.expected.n_parameters, comparator, typical.get(comparator)
            )
            typical.setdefault(comparator, judgement.centre_link)
            placed.append(_everyone(counts, judgement.practices).assign(rung=rung.name, comparator=comparator))
            spreads.append({"rung": rung.name, **judgement.spread})
    everyone = _with_positions(pd.concat(placed, ignore_index=True))
    return Ladder(fitted_rungs, everyone, pd.DataFrame(spreads), no_model)


def _fit_all(
    counts: Counts, practices: pd.DataFrame, rungs: Mapping[str, Sequence[str]]
) -> tuple[tuple[Rung, ...], str]:
    """Fit every rung; where one model has no solution all rest on a regression, so that they can be compared."""
    try:
        return tuple(fit_rung(name, ids, counts, practices) for name, ids in rungs.items()), ""
    except (ConvergenceError, StatsError) as error:
        plain = tuple(_fit(name, tuple(ids), counts, practices, None) for name, ids in rungs.items())
        return plain, error.problem


def fit_rung(name: str, covariates: Sequence[str], counts: Counts, practices: pd.DataFrame) -> Rung:
    """Fit one rung as a multilevel model: practices in networks in boards (a regression below 200 practices).

    Raises
    ------
    ConvergenceError, StatsError
        When the model has no solution.
    """
    return _fit(name, tuple(covariates), counts, practices, places_of(counts))


def places_of(counts: Counts) -> dict[str, np.ndarray]:
    """Return the board and the network of each practice; empty where its board is not known.

    A network that straddles two boards is two; practices without a network are pooled within their board.
    """
    boards = counts.icb_code
    if not (boards != "").any():
        return {}
    networks = np.where(boards == "", "", np.char.add(np.char.add(boards, ", "), counts.pcn_key))
    return {"icb": boards, "pcn": networks}


def _everyone(counts: Counts, placed: pd.DataFrame) -> pd.DataFrame:
    """Return one row for every practice; those that could not be placed hold NaN and no flag."""
    known = pd.DataFrame(
        {
            "practice_code": counts.practice_code,
            "observed": counts.observed,
            "denominator": counts.denominator,
            "decidable": counts.decidable,
        }
    )
    frame = known.merge(placed, on="practice_code", how="left")
    frame["in_fit"] = frame["in_fit"].eq(True)
    return frame.fillna({"flag": "", "flag_sampling": ""})


def _comparators(counts: Counts) -> tuple[str, ...]:
    sizes = pd.Series(counts.icb_code[counts.in_reference & (counts.icb_code != "")]).value_counts()
    several = len(sizes) > 1 and sizes.max() > SMALLEST_ICB
    return COMPARATORS if several else COMPARATORS[:1]


def _fit(
    name: str,
    covariates: tuple[str, ...],
    counts: Counts,
    practices: pd.DataFrame,
    places: Mapping[str, np.ndarray] | None,
) -> Rung:
    made = design.build(practices, covariates, counts.in_reference & counts.usable)
    fitted = counts.in_reference & counts.usable & made.complete
    terms = made.terms["term"].tolist()
    expected = fit_expected(counts.observed, counts.denominator, counts.kind, made.matrix, fitted, places, terms)
    kept = set(made.terms["covariate"])
    return Rung(name, tuple(c for c in covariates if c in kept), made, expected)


def _with_positions(placed: pd.DataFrame) -> pd.DataFrame:
    """Add position, movement and the share explained, each against the same comparator's raw rung."""
    raw = placed.loc[placed["rung"] == "M0", ["practice_code", "comparator", "z", "link_residual"]]
    joined = placed.merge(raw, on=["practice_code", "comparator"], how="left", suffixes=("", "_raw"))
    z, decidable = joined["z"].to_numpy(), joined["decidable"].to_numpy(bool)
    difference, raw_difference = joined["link_residual"].to_numpy(), joined["link_residual_raw"].to_numpy()
    raw_z = joined["z_raw"].to_numpy()
    adjusted = (joined["rung"] != "M0").to_numpy()
    inside_chance = (joined["flag_sampling"] == "").to_numpy()
    joined["position"] = position(z, inside_chance, decidable)
    moved = movement(raw_z, raw_difference, z, difference, decidable)
    joined["movement"] = np.where(adjusted, moved, "")
    share = explained_share(raw_difference, difference)
    joined["explained_share"] = np.where(adjusted & (np.abs(raw_z) > USUAL), share, np.nan)
    return joined.drop(columns=["z_raw", "link_residual_raw"])
