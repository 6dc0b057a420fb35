"""Place every practice against what is expected of it, at one rung and against one comparator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats as distributions

from gpvar.analysis.expected import inverse_link, link_of_observed, sampling_variance
from gpvar.analysis.observed import Counts
from gpvar.analysis.position import USUAL
from gpvar.stats import funnel, intervals, placement, standardise
from gpvar.stats.tails import spread_shape

SMALLEST_ICB = 5
#: Solving three times leaves τ² within 1e-6 of itself.
_ROUNDS = 3
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Practices placed, the spread they were placed against, and every practice's centre on the link scale."""

    practices: pd.DataFrame
    spread: dict[str, object]
    centre_link: np.ndarray


def judge(
    counts: Counts, link: np.ndarray, n_parameters: int, comparator: str, typical_link: np.ndarray | None = None
) -> Judgement:
    """Place every practice against its expectation.

    Parameters
    ----------
    counts
        The observed figures. Where their passing movement is known it counts as chance, beside sampling.
    link
        x'β for every practice; NaN where a covariate is missing.
    n_parameters
        Number of coefficients behind `link`.
    comparator
        ``"england"`` (one centre for the whole reference set) or ``"own_icb"`` (the robust centre of the ICB's other
        practices; the shared spread is pooled over all ICBs).
    typical_link
        Each practice's centre at the raw rung, on the link scale: adjusted figures are shown around it. None at the
        raw rung itself.

    Returns
    -------
    Judgement
        One row per practice that has a figure, every covariate and a comparator.
    """
    placed = counts.usable & ~np.isnan(link)
    fitted = placed & counts.in_reference
    centre_link, spread, placed = _centres(counts, link, fitted, placed, n_parameters, comparator)
    observed, denominator = counts.observed[placed], counts.denominator[placed]
    judged = link_of_observed(observed, denominator, counts.kind)
    units = placement.place(
        observed, denominator, centre_link[placed], spread.tau2, kind=counts.kind, transient=_transient(counts, placed)
    )
    # What figures over this period differ by: what lasts and what passes.
    around = spread.tau2 + counts.passing
    frame = pd.DataFrame({"practice_code": counts.practice_code[placed]})
    frame["value"] = observed / denominator
    frame["link_residual"] = judged - centre_link[placed]
    frame["in_fit"] = fitted[placed]
    typical = (centre_link if typical_link is None else typical_link)[placed]
    frame["expected_link"] = link[placed]
    frame["adjusted"] = inverse_link(typical + frame["link_residual"].to_numpy(), counts.kind)
    reach = USUAL * np.sqrt(around)
    frame["middle_lower"] = inverse_link(centre_link[placed] - reach, counts.kind)
    frame["middle_upper"] = inverse_link(centre_link[placed] + reach, counts.kind)
    frame = pd.concat([frame, units[_PLACED]], axis=1)
    frame["p"] = 2.0 * distributions.norm.sf(np.abs(frame["z"]))
    comparable = (counts.compared if comparator == "england" else counts.decidable)[placed]
    frame["q"] = _false_discovery(frame["p"].to_numpy(), comparable)
    _add_expected(frame, observed, denominator, _mean_over_spread(centre_link[placed], around, counts.kind))
    _add_difference(frame, observed, denominator, counts)
    # A raw rank is that of the figures as they are printed: neither the half that the judged scale adds nor a centre
    # that leaves each practice out may change their order.
    ranked = frame["value"] if typical_link is None else frame["link_residual"]
    _add_rank(frame, ranked, comparable, counts.icb_code[placed] if comparator == "own_icb" else None)
    described = _describe(frame, spread, comparator, n_parameters, float(np.median(typical)), counts)
    return Judgement(frame, described, centre_link)


_PLACED = [
    "centre", "lower_95", "upper_95", "lower_99_8", "upper_99_8",
    "sampling_lower_95", "sampling_upper_95", "sampling_lower_99_8", "sampling_upper_99_8",
    "z", "z_sampling", "flag", "flag_sampling",
]  # fmt: skip


def _centres(
    counts: Counts, link: np.ndarray, fitted: np.ndarray, placed: np.ndarray, n_parameters: int, comparator: str
) -> tuple[np.ndarray, funnel.SharedSpread, np.ndarray]:
    """Return each practice's centre on the link scale, the spread, and who can be placed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = link_of_observed(counts.observed, counts.denominator, counts.kind) - link

    def chance(centre: np.ndarray) -> np.ndarray:
        return sampling_variance(link + centre, counts.denominator, counts.kind) + counts.passing

    boards = None if comparator == "england" else counts.icb_code
    centre, spread, placed = centred(residual, chance, fitted, placed, n_parameters, boards)
    return link + centre, spread, placed


def centred(
    residual: np.ndarray,
    chance: Callable[[np.ndarray], np.ndarray],
    fitted: np.ndarray,
    placed: np.ndarray,
    n_parameters: int,
    boards: np.ndarray | None = None,
    *,
    capped: bool = True,
) -> tuple[np.ndarray, funnel.SharedSpread, np.ndarray]:
    """Solve for the centre that each practice is compared with, and for the spread of practices around it.

    Parameters
    ----------
    residual
        Distance of every practice from its expectation.
    chance
        Variance of every practice's figure by chance, were its expectation moved by the centre given.
    fitted, placed
        Boolean arrays: who sets centre and spread, and who has a figure and an expectation.
    n_parameters
        Number of coefficients behind the expectation.
    boards
        Each practice's board, empty where it is not known: its centre is that of the board's other practices, the
        spread is pooled over boards. None: one centre for all.
    capped
        Whether what lies far out is capped (Huber's Proposal 2); else DerSimonian and Laird's spread, and means.

    Returns
    -------
    tuple
        Centre of each practice, NaN where it has none; the spread; and who is placed.
    """
    if boards is None:
        return *_solved(residual, chance, fitted, np.zeros(len(residual), dtype=np.intp), n_parameters, capped), placed
    code, labels = pd.factorize(boards)
    enough = (np.bincount(code[fitted], minlength=len(labels)) > SMALLEST_ICB)[code] & (boards != "")
    fitted, placed = fitted & enough, placed & enough
    centre, spread = _solved(residual, chance, fitted, code, n_parameters, capped)
    trim = {} if capped else {"trim": 0.0}
    # A practice is compared with the others of its ICB, so that it never takes a share of itself away.
    centre[fitted] = funnel.leave_one_out_centre(
        residual[fitted], chance(centre)[fitted], spread.tau2, code[fitted], **trim
    )
    return np.where(placed, centre, np.nan), spread, placed


def _solved(
    residual: np.ndarray,
    chance: Callable[[np.ndarray], np.ndarray],
    fitted: np.ndarray,
    code: np.ndarray,
    n_parameters: int,
    capped: bool,
) -> tuple[np.ndarray, funnel.SharedSpread]:
    """Return the centre of each practice's group, NaN where nobody sets it, and the spread around the centres."""
    shared = funnel.shared_spread if capped else _plain_spread
    centre = np.full(len(residual), np.median(residual[fitted]))
    # Chance is that at the fitted value, the centre included, which is known only once it is solved for.
    for _ in range(_ROUNDS):
        spread = shared(residual[fitted], chance(centre)[fitted], n_parameters=n_parameters, groups=code[fitted])
        of_group = np.full(code.max() + 1, np.nan)
        of_group[code[fitted]] = spread.centre
        centre = of_group[code]
    return centre, spread


def _plain_spread(
    residual: np.ndarray, variance: np.ndarray, *, n_parameters: int, groups: np.ndarray | None = None
) -> funnel.SharedSpread:
    return funnel.dersimonian_laird(residual, variance, n_parameters=n_parameters, groups=groups)[0]


def _transient(counts: Counts, placed: np.ndarray) -> np.ndarray | None:
    return np.full(int(placed.sum()), counts.passing) if counts.passing > 0.0 else None


def _mean_over_spread(centre_link: np.ndarray, tau2: float, kind: str) -> np.ndarray:
    """Return E[π|x]: the mean proportion or rate over the shared spread, by Gauss-Hermite quadrature."""
    points = centre_link[:, None] + np.sqrt(tau2) * _NODES[None, :]
    return inverse_link(points, kind) @ (_NODE_WEIGHTS / _NODE_WEIGHTS.sum())


def _add_expected(frame: pd.DataFrame, observed: np.ndarray, denominator: np.ndarray, mean: np.ndarray) -> None:
    """Add the displayed expected count, scaled so that ΣO = ΣE over the practices fitted, and O/E."""
    fitted = frame["in_fit"].to_numpy()
    scale = observed[fitted].sum() / (denominator * mean)[fitted].sum()
    frame["expected"] = denominator * mean * scale
    frame.attrs["expected_total_ratio"] = float(scale)
    ratio = standardise.indirect(observed, frame["expected"].to_numpy(), 0.95)
    frame[["ratio", "ratio_lower", "ratio_upper"]] = ratio[["ratio", "lower", "upper"]].to_numpy()


def _add_difference(frame: pd.DataFrame, observed: np.ndarray, denominator: np.ndarray, counts: Counts) -> None:
    """Add the difference, with its interval by chance: sampling, and passing movement where it is known."""
    if counts.passing > 0.0:
        link = link_of_observed(observed, denominator, counts.kind)
        half = USUAL * np.sqrt(sampling_variance(link, denominator, counts.kind) + counts.passing)
        lower, upper = (inverse_link(link + side * half, counts.kind) for side in (-1.0, 1.0))
    elif counts.kind == "proportion":
        lower, upper = intervals.wilson(observed, denominator, 0.95)
    else:
        lower, upper = intervals.rate(observed, denominator, 0.95)
    frame["difference"] = frame["value"] - frame["centre"]
    frame["difference_lower"] = lower - frame["centre"]
    frame["difference_upper"] = upper - frame["centre"]
    frame["gap_count"] = observed - frame["centre"] * denominator


def _add_rank(frame: pd.DataFrame, ranked: pd.Series, comparable: np.ndarray, icb_code: np.ndarray | None) -> None:
    """Add rank (1 = lowest) and percentile among the practices whose data can be compared."""
    group = pd.Series("all" if icb_code is None else icb_code, index=frame.index)
    among = ranked.where(comparable).groupby(group)
    size = among.transform("count").where(comparable)
    frame["rank"] = among.rank(method="min")
    frame["ranked"] = size
    frame["percentile"] = 100.0 * (among.rank(method="average") - 0.5) / size


def _false_discovery(p: np.ndarray, comparable: np.ndarray) -> np.ndarray:
    q = np.full(len(p), np.nan)
    if comparable.any():
        q[comparable] = distributions.false_discovery_control(p[comparable])
    return q


def _describe(
    frame: pd.DataFrame,
    spread: funnel.SharedSpread,
    comparator: str,
    n_parameters: int,
    typical: float,
    counts: Counts,
) -> dict[str, object]:
    """Describe the spread and how many flags it would give with nobody exceptional."""
    z = frame.loc[frame["in_fit"], "z"].to_numpy()
    reach = USUAL * float(np.sqrt(spread.tau2 + counts.passing))
    shape = spread_shape(z)
    centre = float(np.median(np.atleast_1d(spread.centre)))
    described: dict[str, object] = {
        "comparator": comparator,
        "n": len(z),
        "p": n_parameters,
        "tau2": spread.tau2,
        "tau": float(np.sqrt(spread.tau2)),
        "transient": counts.transient,
        "centre_link": centre,
        "centre": float(inverse_link(typical, counts.kind)),
        "expected_total_ratio": frame.attrs["expected_total_ratio"],
        "middle_lower": float(inverse_link(typical - reach, counts.kind)),
        "middle_upper": float(inverse_link(typical + reach, counts.kind)),
        "skewness": shape.skewness,
        "kurtosis": shape.kurtosis,
        "t_df": shape.t_df,
    }
    for name, limit in (("95", USUAL), ("99_8", distributions.norm.ppf(0.999))):
        described[f"flagged_{name}"] = int((np.abs(z) > limit).sum())
        described[f"expected_flags_{name}_normal"] = float(len(z) * 2.0 * distributions.norm.sf(limit))
        described[f"expected_flags_{name}_t"] = len(z) * shape.beyond(limit)
    sampled = frame.loc[frame["in_fit"], "z_sampling"].to_numpy()
    described["phi"] = float((sampled**2).sum() / (len(z) - n_parameters))
    described["overdispersion_p"] = float(distributions.chi2.sf((sampled**2).sum(), len(z) - n_parameters))
    return described
