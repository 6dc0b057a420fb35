"""Where the variation between practices comes from: patients, setting, place, the practices themselves, and chance.

Each rung of the ladder is fitted as a multilevel model, practices in networks in boards, over the practices that set
the comparison. The model's spreads describe England; nobody is judged by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special
from scipy import stats as distributions

from gpvar import schema
from gpvar.analysis import passing
from gpvar.analysis.expected import LEAVE_ONE_OUT_BELOW, fit_model, inverse_link, link_of, sampling_variance
from gpvar.analysis.ladder import places_of
from gpvar.stats import multilevel, partition

if TYPE_CHECKING:
    from gpvar.analysis.ladder import Ladder, Rung
    from gpvar.analysis.observed import Counts

_DRAWS = 2000
_SMALL, _LARGE = 5.0, 95.0
_TAILS = (0.1, 0.9)
_MOVED = 10.0
_SIMULATIONS = 199
_LEAST_SCORES = 50


@dataclass(frozen=True, slots=True)
class Variation:
    """What an area page and the methods page say about the spread, as tidy tables.

    Attributes
    ----------
    levels
        One row per rung and level: its SD with a profile interval, and how it changed from the raw rung.
    coefficients
        One row per rung and term, with standard errors.
    shares
        One row per component of the variance at the highest rung; shares sum to 1.
    rungs
        One row per rung: the model's spread beside the funnel's, who changes places, and the spread of figures.
    equity
        One row per fifth of deprivation and rung.
    boards
        One row per board: how far apart its practices are.
    board_slopes
        One row per term of the headline rung: what a board's mean adds to the practice's own value.
    """

    levels: pd.DataFrame
    coefficients: pd.DataFrame
    shares: pd.DataFrame
    rungs: pd.DataFrame
    equity: pd.DataFrame
    boards: pd.DataFrame
    board_slopes: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Fitted:
    """One rung's model over the practices it was fitted on."""

    rung: Rung
    used: np.ndarray
    model: multilevel.MultilevelFit


def nothing() -> Variation:
    """Return the tables without rows: too few practices for variances of places, or a model without a solution."""
    return Variation(*(_empty(name) for name in Variation.__dataclass_fields__))


def describe(
    counts: Counts,
    ladder: Ladder,
    headline: str,
    deprivation: np.ndarray | None,
    seed: int,
    hidden: np.ndarray | None = None,
    moved: pd.DataFrame | None = None,
) -> Variation:
    """Describe where the variation comes from.

    Every rung is fitted on the same practices, those with all that the highest rung allows for: a variance that fell
    because others were fitted would say nothing about patients.

    Parameters
    ----------
    counts
        The observed figures.
    ladder
        The rungs, and every practice placed at each.
    headline
        The rung the findings speak of.
    deprivation
        A score per practice, higher the more deprived; None where there is none.
    seed
        For the joint draws behind the shares and for the test of the spread against chance.
    hidden
        Whose counts are known only between two ends; they are left out, for a guess at them would be no figure.
    moved
        How far figures move from month to month (``schema.PASSING``), which `counts` is judged with.

    Returns
    -------
    Variation
        Tables are empty below 200 practices, where variances of places say little.

    Raises
    ------
    ConvergenceError
        When a rung's model has no solution.
    """
    rungs = [rung for rung in ladder.rungs if rung.name != "M1-"]
    used = _used(counts, rungs, hidden)
    if used.sum() < LEAVE_ONE_OUT_BELOW:
        return nothing()
    fitted = [_fit(counts, rung, used) for rung in rungs]
    placed = ladder.practices[ladder.practices["comparator"] == "england"]
    placed = placed[placed["practice_code"].isin(counts.practice_code[used])]
    top = next(one for one in fitted if one.rung.name == headline)
    need = {covariate for rung in ladder.rungs if rung.name == "M1" for covariate in rung.covariates}
    levels = _levels(fitted)
    return Variation(
        levels=levels,
        coefficients=pd.concat([_coefficients(one) for one in fitted], ignore_index=True),
        shares=_shares(counts, fitted[-1], need, seed, moved, levels),
        rungs=pd.DataFrame([_summary(counts, one, fitted[0], placed, ladder.spread, seed) for one in fitted]),
        equity=_equity(counts, placed, headline, deprivation),
        boards=_boards(counts, placed, headline),
        board_slopes=_board_slopes(counts, top),
    )


def _used(counts: Counts, rungs: list[Rung], hidden: np.ndarray | None) -> np.ndarray:
    used = counts.usable & counts.in_reference & np.all([rung.design.complete for rung in rungs], axis=0)
    if hidden is not None:
        used &= ~hidden
    # The few without a board are no board of their own.
    return used & (counts.icb_code != "") if (counts.icb_code[used] != "").any() else used


def _empty(table: str) -> pd.DataFrame:
    return pd.DataFrame(columns=schema.names(table))


def _fit(counts: Counts, rung: Rung, used: np.ndarray) -> _Fitted:
    expected = rung.expected
    if expected.model is not None and np.array_equal(expected.modelled, used):
        return _Fitted(rung, used, expected.model)
    design = pd.DataFrame(rung.design.matrix[used], columns=rung.design.terms["term"].tolist())
    return _Fitted(rung, used, _model(counts, used, design))


def _model(counts: Counts, used: np.ndarray, design: pd.DataFrame) -> multilevel.MultilevelFit:
    return fit_model(counts.observed, counts.denominator, counts.kind, design, used, places_of(counts))


def _levels(fitted: list[_Fitted]) -> pd.DataFrame:
    raw = fitted[0].model.variances.set_index("group")["variance"]
    frames = []
    for one in fitted:
        intervals = one.model.intervals().set_index("group")
        ratios = one.model.median_ratio().set_index("group")["ratio"]
        rows = one.model.variances.rename(columns={"group": "level"})
        rows = rows.assign(
            rung=one.rung.name,
            lower=rows["level"].map(intervals["lower"]),
            upper=rows["level"].map(intervals["upper"]),
            change=partition.proportional_change(rows["level"].map(raw), rows["variance"]),
            median_ratio=rows["level"].map(ratios),
        )
        frames.append(rows)
    columns = ["rung", "level", "units", "sd", "lower", "upper", "variance", "change", "median_ratio"]
    return pd.concat(frames, ignore_index=True)[columns]


def _coefficients(one: _Fitted) -> pd.DataFrame:
    found = one.model.fixed.reset_index(names="term")
    return found.assign(rung=one.rung.name)[["rung", "term", "estimate", "se", "lower", "upper", "z", "p"]]


def _shares(
    counts: Counts, top: _Fitted, need: set[str], seed: int, moved: pd.DataFrame | None, levels: pd.DataFrame
) -> pd.DataFrame:
    """Return the components of the variance on the link scale; boards and networks together are the neighbours."""
    model, terms = top.model, top.rung.design.terms
    kept = model.estimate.data.kept
    blocks = _blocks(terms["covariate"].to_numpy(str)[kept], need)
    if not blocks:
        return _empty("shares")
    draws = model.simulate(_DRAWS, seed, groups=[])
    variances = _apart(pd.DataFrame([model.estimate.sds**2], columns=list(model.groups)), counts.passing)
    split = partition.partition(
        design=model.estimate.data.design,
        blocks=blocks,
        beta=model.estimate.beta,
        beta_covariance=model.estimate.covariance[: kept.sum(), : kept.sum()],
        variances={str(name): float(value) for name, value in variances.iloc[0].items()},
        noise=float(np.mean(_sampling(counts, top))),
        beta_draws=draws.fixed.to_numpy()[:, kept],
        variance_draws=_apart(draws.sds**2, 0.0 if moved is None else passing.draws_of(moved, _DRAWS, seed)),
    )
    own = levels[levels["rung"] == top.rung.name]
    at_zero = set(own.loc[own["lower"] == 0.0, "level"])
    rows = []
    wanted = {b: [b] for b in blocks} | {"neighbours": ["icb", "pcn"], "practice": ["practice"], "passing": ["passing"]}
    for name, parts in wanted.items():
        parts = [part for part in parts if part in split.draws]
        if parts:
            rows.append(_component(name, parts, split, at_zero))
    rows.append(_component("noise", ["noise"], split, at_zero))
    return pd.DataFrame(rows).assign(rung=top.rung.name)[["rung", "component", "variance", "share", "lower", "upper"]]


def _apart(variances: pd.DataFrame, movement: float | np.ndarray) -> pd.DataFrame:
    """Take passing movement, where it is known, out of the practices' own variance."""
    if not np.any(movement):
        return variances
    moving = np.minimum(variances["practice"], movement)
    return variances.assign(practice=variances["practice"] - moving, passing=moving)


def _component(name: str, parts: list[str], split: partition.Partition, at_zero: set[str]) -> dict[str, Any]:
    """Return one component; it may be nil where none of its levels' profile intervals rules that out."""
    rows = split.frame.set_index("component").loc[parts]
    share = float(rows["share"].sum())
    lower, upper = np.quantile(split.draws[parts].sum(axis=1), [0.025, 0.975])
    if len(parts) == 1:
        lower, upper = rows["lower"].iloc[0], rows["upper"].iloc[0]
    return {
        "component": name,
        "variance": float(rows["variance"].sum()),
        "share": share,
        "lower": 0.0 if set(parts) <= at_zero else min(float(lower), share),
        "upper": max(float(upper), share),
    }


def _blocks(covariates: np.ndarray, need: set[str]) -> dict[str, np.ndarray]:
    """Return the columns of need and of context; the intercept is in neither."""
    varies = covariates != ""
    of_need = np.isin(covariates, list(need))
    blocks = {"need": varies & of_need, "context": varies & ~of_need}
    return {name: np.flatnonzero(columns) for name, columns in blocks.items() if columns.any()}


def _sampling(counts: Counts, one: _Fitted) -> np.ndarray:
    link = one.model.predict(marginal=False, given=[], scale="link")
    if counts.kind != "proportion":
        link = link - np.log(counts.denominator[one.used])
    return sampling_variance(link, counts.denominator[one.used], counts.kind)


def _summary(
    counts: Counts, one: _Fitted, raw: _Fitted, placed: pd.DataFrame, spread: pd.DataFrame, seed: int
) -> dict[str, Any]:
    name = one.rung.name
    rows = placed[placed["rung"] == name].set_index("practice_code")
    first = placed[placed["rung"] == raw.rung.name].set_index("practice_code").loc[rows.index]
    judged = spread[(spread["rung"] == name) & (spread["comparator"] == "england")].iloc[0]
    total = float(one.model.variances["variance"].sum())
    # The model knows nothing of passing movement: its variance holds what the judged spread leaves to chance.
    shared = float(judged["tau2"]) + counts.passing
    lasting = _shrunken(one, counts.passing) - float(judged["centre_link"])
    low, high = np.quantile(rows["adjusted"], _TAILS)
    # Around the centre that practices are judged about, as the figures beside them are.
    middle = link_of(float(judged["centre"]), counts.kind)
    shrunken_low, shrunken_high = inverse_link(middle + np.quantile(lasting, _TAILS), counts.kind)
    noise = _sampling(counts, one)
    size = np.percentile(counts.denominator[one.used], [_SMALL, _LARGE])
    scale = noise * counts.denominator[one.used]
    return {
        "rung": name,
        "n": len(rows),
        "model_variance": total,
        "tau2": shared,
        "variance_ratio": total / shared if shared > 0 else np.nan,
        "noise": float(noise.mean()),
        "noise_small": float(np.median(scale) / size[0]),
        "noise_large": float(np.median(scale) / size[1]),
        "middle_lower": float(judged["middle_lower"]),
        "middle_upper": float(judged["middle_upper"]),
        "p10": float(low),
        "p90": float(high),
        "shrunken_p10": float(shrunken_low),
        "shrunken_p90": float(shrunken_high),
        "reranked": partition.kendall_reranking(first["link_residual"], rows["link_residual"]),
        "movers": _movers(first["percentile"], rows["percentile"]),
        "scv": float(partition.scv(rows["observed"], rows["expected"]).scv),
        "scv_p": partition.scv_test(rows["observed"], rows["expected"], _SIMULATIONS, seed),
    }


def _movers(before: pd.Series, after: pd.Series) -> int:
    known = before.notna() & after.notna()
    return partition.movers(before[known], after[known], _MOVED)


def _shrunken(one: _Fitted, passing: float) -> np.ndarray:
    """Return each fitted practice's whole lasting effect: its board's, its network's and its own."""
    estimate = one.model.estimate
    own = float(estimate.sds[-1]) ** 2
    kept = np.ones(len(estimate.effects))
    kept[-1] = max(own - passing, 0.0) / own if own > 0 else 0.0
    parts = zip(kept, estimate.effects, estimate.data.codes, strict=True)
    return np.sum([part * modes[codes] for part, modes, codes in parts], axis=0)


def _equity(counts: Counts, placed: pd.DataFrame, headline: str, deprivation: np.ndarray | None) -> pd.DataFrame:
    """Return the figure by fifth of deprivation, as it stands and after allowing for patients."""
    # A group in place of the score (a decile, one value for all) leaves a fifth empty: there is no table then.
    if deprivation is None or len(np.unique(deprivation[np.isfinite(deprivation)])) < _LEAST_SCORES:
        return _empty("equity")
    scores = pd.Series(deprivation, index=counts.practice_code)
    frames = []
    for rung in dict.fromkeys(("M0", headline)):
        rows = placed[placed["rung"] == rung]
        depth = scores.reindex(rows["practice_code"]).to_numpy(float)
        known = np.isfinite(depth)
        value = rows["value"] if rung == "M0" else rows["adjusted"]
        found = partition.equity_gradient(value.to_numpy()[known], depth[known], rows["denominator"].to_numpy()[known])
        frames.append(
            found.fifths.assign(
                rung=rung,
                difference=found.difference,
                slope=found.slope_index,
                slope_lower=found.slope_lower,
                slope_upper=found.slope_upper,
            )
        )
    columns = ["rung", "fifth", "units", "value", "difference", "slope", "slope_lower", "slope_upper"]
    return pd.concat(frames, ignore_index=True)[columns]


def _boards(counts: Counts, placed: pd.DataFrame, headline: str) -> pd.DataFrame:
    """Return how far apart each board's practices are beyond chance, drawn towards the others by its uncertainty.

    What is compared between boards is their variance over that which chance and England's spread would give practices
    of their sizes: a board of small practices is not more spread for that.
    """
    rows = placed[placed["rung"] == headline]
    board = rows["practice_code"].map(pd.Series(counts.icb_code, index=counts.practice_code)).to_numpy()
    link = np.array([link_of(value, counts.kind) for value in rows["centre"]])
    chance = sampling_variance(link, rows["denominator"].to_numpy(float), counts.kind) + counts.passing
    groups = rows["link_residual"].groupby(board)
    found = pd.DataFrame({"n": groups.size(), "variance": groups.var(ddof=1)})
    found["chance"] = pd.Series(chance, index=rows.index).groupby(board).mean()
    found = found[(found["n"] > 2) & (found.index != "") & (found["variance"] > 0)]
    if len(found) < 3:
        return _empty("boards")
    lasting = max(float(np.average(found["variance"] - found["chance"], weights=found["n"])), 0.0)
    usual = found["chance"] + lasting
    ratio = np.exp(_drawn_together(np.log(found["variance"] / usual).to_numpy(), found["n"].to_numpy(float) - 1.0))
    found["sd"] = np.sqrt(np.maximum(found["variance"] - found["chance"], 0.0))
    found["shrunken_sd"] = np.sqrt(np.maximum(usual * ratio - found["chance"], 0.0))
    found["rank"] = found["shrunken_sd"].rank(method="min").astype(int)
    return found.rename_axis("icb_code").reset_index()[schema.names("boards")]


def _drawn_together(heights: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return logs of variances drawn towards one another: log s² scatters about log σ² with variance ψ'(df/2)."""
    heights = heights - (special.digamma(df / 2.0) - np.log(df / 2.0))
    error = special.polygamma(1, df / 2.0)
    between = max(float(np.var(heights, ddof=1) - error.mean()), 0.0)
    weight = 1.0 / (between + error)
    centre = float(weight @ heights / weight.sum())
    return np.asarray(centre + between / (between + error) * (heights - centre))


def _board_slopes(counts: Counts, top: _Fitted) -> pd.DataFrame:
    """Return what a board's mean of each term adds to the practice's own value (Mundlak 1978).

    Where it adds nothing, practices differ within boards as they do between them; where it does, the coefficient
    mixes patients with place.
    """
    boards = counts.icb_code[top.used]
    matrix = pd.DataFrame(top.rung.design.matrix[top.used], columns=top.rung.design.terms["term"].tolist())
    own = matrix.iloc[:, 1:]
    if own.empty or len(np.unique(boards)) < 3 * own.shape[1]:
        return _empty("board_slopes")
    means = own.groupby(boards).transform("mean").add_prefix("mean of ")
    found = _model(counts, top.used, pd.concat([matrix, means], axis=1))
    places = found.estimate.data.kept.cumsum() - 1
    added = [name for name in means if np.isfinite(found.fixed.loc[name, "estimate"])]
    rows = [places[list(found.fixed.index).index(name)] for name in added]
    beta, covariance = found.estimate.beta[rows], found.estimate.covariance[np.ix_(rows, rows)]
    wald = float(beta @ np.linalg.solve(covariance, beta))
    table = found.fixed.loc[added, ["estimate", "se", "lower", "upper", "p"]].reset_index(names="term")
    table["term"] = table["term"].str.removeprefix("mean of ")
    return table.assign(p_all=float(distributions.chi2.sf(wald, len(rows))))
