"""One question analysed in every declared way: what each way gives, held against computations made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import linalg, optimize, special, stats

import gpvar
from gpvar import catalogue, pipeline, schema, simulate, store
from gpvar.analysis import passing
from gpvar.catalogue import multiverse as declared
from gpvar.claims import always, periods
from gpvar.claims.evidence import IN_OTHER_WAYS, Evidence
from gpvar.errors import ConvergenceError, StudyError
from gpvar.multiverse import fitting, multiverse, specification
from gpvar.multiverse.options import options_of
from gpvar.multiverse.setting import setting_of
from gpvar.results import Claim, Multiverse, Run
from gpvar.schema._robustness import CHOICES
from gpvar.stats.reliability import averaging_factor

SHARE, MISSED, RATE = "same_day_share", "dna_share", "appointments_per_1000"
USUAL = 1.959963984540054
CAPPED_AT = 1.2815515655446004
REASONS = {
    "no_data", "not_declared", "nothing_left", "none_known", "same", "too_few", "no_boards", "not_measured",
    "wrong_kind", "skewed", "no_solution", "crosses_break", "several",
}  # fmt: skip
PLAIN = {"covariates": "no_recorded", "deprivation": "line", "model": "regression"}
#: Ways that are held against computations by hand, under names of the tests' own.
BY_HAND = {
    "plain": PLAIN,
    "laird": PLAIN | {"spread": "dersimonian_laird"},
    "identity": PLAIN | {"link": "identity"},
    "log": PLAIN | {"link": "log"},
    "within": PLAIN | {"slopes": "within_icb"},
    "fifths": {"covariates": "no_recorded", "deprivation": "fifths", "model": "regression"},
    "rest": {"period": "rest"},
    "half": {"period": "second_half"},
    "rho_0": {"passing": "rho_0"},
    "robust": {"passing": "robust"},
    "stops_only": {"exclusion": "stops_only"},
    "no_warnings": {"exclusion": "no_warnings"},
}


@pytest.fixture(scope="module")
def world() -> simulate.World:
    made = simulate.world(3, 300, 4, months=12)
    table = made.practices.copy()
    # One list too short for comparisons, and one book of which most has no category.
    table.loc[5, "mean_monthly_list_size"] = 900
    table.loc[9, "gpad_annual_unmapped"] = table.loc[9, "gpad_annual_total_appointments"] // 2
    return replace(made, practices=table)


@pytest.fixture(scope="module")
def run(world: simulate.World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return gpvar.run(world.write(tmp_path_factory.mktemp("ways"), (SHARE, MISSED, RATE)))


@pytest.fixture(scope="module")
def hand(run: Run) -> Multiverse:
    return multiverse(run.table, SHARE, run.analyses[SHARE], list(BY_HAND.values()))


def way(made: Multiverse, name: str, comparator: str = "england") -> pd.DataFrame:
    """What one of the ways by hand gives for the area's practices."""
    number = str(2 + list(BY_HAND).index(name))
    rows = made.practices
    return rows[(rows["spec"] == number) & (rows["comparator"] == comparator)].set_index("practice_code")


def figures(run: Run, metric: str = SHARE) -> pd.DataFrame:
    """Counts, characteristics and places of every practice with sound data, and whether it sets the comparison."""
    frame = run.analyses[metric].practices
    frame = frame[(frame["rung"] == "M0") & (frame["comparator"] == "england")].set_index("practice_code")
    people = run.table.practices.set_index("practice_code").loc[frame.index]
    boards = run.table.hierarchy.set_index("practice_code")["icb_code"]
    found = people[["imd2025", *(name for name in people if name.startswith("age_sex."))]].astype(float)
    return found.assign(
        y=frame["observed"],
        n=frame["denominator"],
        fitted=frame["in_fit"].astype(bool),
        icb=boards.reindex(frame.index),
    )


def columns(frame: pd.DataFrame) -> np.ndarray:
    """An intercept, age and sex, and deprivation as a line."""
    characteristics = frame[[name for name in frame if name.startswith(("age_sex", "imd"))]].to_numpy(float)
    return sm.add_constant(characteristics, has_constant="add")


def capped_square() -> float:
    z = np.linspace(-9.0, 9.0, 200_001)
    return float(np.trapezoid(np.clip(z, -CAPPED_AT, CAPPED_AT) ** 2 * stats.norm.pdf(z), z))


def proposal_2(r: np.ndarray, variance: np.ndarray, p: int) -> tuple[float, float]:
    """Centre and shared spread by root finding, one inside the other."""

    def capped(m: float, tau2: float) -> np.ndarray:
        return np.clip((r - m) / np.sqrt(variance + tau2), -CAPPED_AT, CAPPED_AT)

    def centre(tau2: float) -> float:
        return optimize.brentq(lambda m: capped(m, tau2).sum(), r.min(), r.max(), xtol=1e-14)

    wanted = (len(r) - p) * capped_square()
    tau2 = optimize.brentq(lambda t: (capped(centre(t), t) ** 2).sum() - wanted, 1e-9, 4.0 * r.var(), xtol=1e-14)
    return centre(tau2), tau2


def centre_and_spread(
    r: np.ndarray, chance: Callable[[np.ndarray], np.ndarray], p: int, solve: Callable[..., Any] = proposal_2
) -> tuple[Any, float]:
    """Centre and shared spread with the variance by chance at the fitted value, the centre included."""
    m = np.median(r)
    for _ in range(20):
        m, tau2 = solve(r, chance(m), p)
    return m, tau2


def dersimonian_laird(r: np.ndarray, variance: np.ndarray, p: int) -> tuple[float, float]:
    w = 1.0 / variance
    q = float(w @ (r - np.average(r, weights=w)) ** 2)
    tau2 = (q - (len(r) - p)) / (w.sum() - (w**2).sum() / w.sum())
    return float(np.average(r, weights=1.0 / (variance + tau2))), tau2


def regression(
    y: np.ndarray, x: np.ndarray, variance_at: Callable[[np.ndarray], np.ndarray], p: int | None = None
) -> np.ndarray:
    """Coefficients with weights 1/(s² + τ²), iterated, by statsmodels."""
    beta = np.asarray(sm.OLS(y, x).fit().params)
    for _ in range(60):
        r = y - x @ beta
        variance = variance_at(x @ beta + np.median(r))
        beta = np.asarray(sm.WLS(y, x, weights=1.0 / (variance + proposal_2(r, variance, x.shape[1])[1])).fit().params)
    return beta


def logit(frame: pd.DataFrame) -> np.ndarray:
    return np.log((frame["y"] + 0.5) / (frame["n"] - frame["y"] + 0.5)).to_numpy()


def binomial(link: np.ndarray, n: np.ndarray) -> np.ndarray:
    share = special.expit(link)
    return 1.0 / (n * share * (1.0 - share))


def transient(run: Run) -> float:
    return passing.transient_of(run.analyses[SHARE].passing)


def expected_by_hand(run: Run) -> tuple[pd.DataFrame, np.ndarray, Callable[[Any], np.ndarray]]:
    """Practices, what is expected of each on the logit scale, and the variance of chance by centre: the way `plain`."""
    frame = figures(run)
    x, fitted = columns(frame), frame["fitted"].to_numpy()
    n = frame["n"].to_numpy()
    beta = regression(logit(frame)[fitted], x[fitted], lambda link: binomial(link, n[fitted]))
    link = x @ beta
    return frame, link, lambda centre: binomial(link + centre, n) + transient(run)


# ---- the study's own way


@pytest.mark.parametrize("metric", [SHARE, MISSED, RATE])
def test_the_primary_way_is_the_analysis_itself_to_the_last_digit(run: Run, metric: str) -> None:
    frame = run.analyses[metric].practices
    own = frame[frame["rung"] == "M1"].set_index(["practice_code", "comparator"])
    summary = run.multiverse[metric].summary.set_index(["practice_code", "comparator"])
    assert (summary["z"] == own["z"].reindex(summary.index)).all()
    known = own[own["z"].notna() & (own["position"] != "not_decidable")]
    assert set(summary.index) == set(known.index)
    assert {"england", "own_icb"} == set(summary.index.get_level_values(1))
    first = run.multiverse[metric].practices
    first = first[first["spec"] == "1"].set_index(["practice_code", "comparator"])
    for name in ("value", "difference", "z"):
        assert (first[name] == own[name].reindex(first.index)).all(), name
    for name in ("lower", "upper"):
        limit = (own[f"{name}_95"] - own["centre"]).reindex(first.index)
        assert (first[name] == limit).all(), name


def test_the_usual_range_of_the_difference_is_where_z_says_it_is(hand: Multiverse) -> None:
    rows = hand.practices
    outside = (rows["difference"] < rows["lower"]) | (rows["difference"] > rows["upper"])
    assert (outside == (rows["z"].abs() > USUAL)).all()
    assert 0 < outside.sum() < len(rows)


def test_the_default_ways_begin_with_the_study_s_own_and_differ_from_it_in_one_choice(run: Run) -> None:
    made = run.multiverse[SHARE]
    listed = made.specifications
    own = listed.iloc[0]
    assert own["primary"] == "yes" and own["spec"] == "1" and own["agree_share"] == 1.0
    assert (listed["primary"].iloc[1:] == "").all()
    assert ((listed[list(declared.choices())] != own[list(declared.choices())]).sum(axis=1).iloc[1:] == 1).all()
    able = listed["available"] == "yes"
    assert able.sum() >= 12 and (listed.loc[able, "why_not"] == "").all()
    assert listed.loc[able, ["n", "tau", "flagged", "agree_share"]].notna().all(axis=None)
    assert set(listed.loc[~able, "why_not"]) <= REASONS and (listed.loc[~able, "n"].isna()).all()
    assert made.meta["made"] == able.sum() and made.meta["declared"] == len(listed)


def test_the_schema_names_the_choices_of_the_catalogue() -> None:
    assert list(CHOICES) == list(declared.choices())
    for frame in ("specifications", "specification_practices", "robustness"):
        assert frame in schema.TABLES and frame in schema.ABOUT


def test_every_other_way_of_counting_is_of_a_part_of_what_it_is_divided_by() -> None:
    for metric in catalogue.metrics():
        for counting in declared.denominators(metric):
            assert metric in counting.stands_for
            assert catalogue.metric(metric).kind == {"share": "proportion", "rate": "rate"}[counting.kind]


# ---- single ways, by hand


def test_a_regression_on_fewer_characteristics_is_that_of_statsmodels_with_huber_s_spread(
    run: Run, hand: Multiverse
) -> None:
    frame, link, chance = expected_by_hand(run)
    fitted, p = frame["fitted"].to_numpy(), columns(frame).shape[1]
    m, tau2 = centre_and_spread((logit(frame) - link)[fitted], lambda at: chance(at)[fitted], p)
    centre = link + m
    z = (logit(frame) - centre) / np.sqrt(chance(m) + tau2)
    made = way(hand, "plain")
    assert made["z"].to_numpy() == pytest.approx(pd.Series(z, frame.index)[made.index].to_numpy(), abs=1e-6)
    expected = pd.Series(special.expit(centre), frame.index)[made.index]
    assert made["difference"].to_numpy() == pytest.approx((made["value"] - expected).to_numpy(), abs=1e-8)
    row = hand.specifications.iloc[1]
    assert row["tau"] == pytest.approx(np.sqrt(tau2), abs=1e-7) and row["n"] == fitted.sum()


def test_a_plain_spread_is_dersimonian_and_laird_s(run: Run, hand: Multiverse) -> None:
    frame, link, chance = expected_by_hand(run)
    fitted, p = frame["fitted"].to_numpy(), columns(frame).shape[1]
    m, tau2 = centre_and_spread(
        (logit(frame) - link)[fitted], lambda at: chance(at)[fitted], p, solve=dersimonian_laird
    )
    z = (logit(frame) - link - m) / np.sqrt(chance(m) + tau2)
    made = way(hand, "laird")
    assert made["z"].to_numpy() == pytest.approx(pd.Series(z, frame.index)[made.index].to_numpy(), abs=1e-6)


def test_beside_its_board_a_plain_way_compares_with_the_mean_of_the_others(run: Run, hand: Multiverse) -> None:
    frame, link, chance = expected_by_hand(run)
    fitted, p, icb = frame["fitted"].to_numpy(), columns(frame).shape[1], frame["icb"]
    frame["r"] = logit(frame) - link

    def solve(frame: pd.DataFrame) -> tuple[pd.Series, float]:
        w, own = 1.0 / frame["variance"], frame["icb"]
        mean = (w * frame["r"]).groupby(own).sum() / w.groupby(own).sum()
        q = float((w * (frame["r"] - own.map(mean)) ** 2).sum())
        lost = float(((w**2).groupby(own).sum() / w.groupby(own).sum()).sum())
        tau2 = (q - (len(frame) - (p - 1 + own.nunique()))) / (w.sum() - lost)
        total = 1.0 / (frame["variance"] + tau2)
        return (total * frame["r"]).groupby(own).sum() / total.groupby(own).sum(), tau2

    means = pd.Series(0.0, icb.unique())
    for _ in range(20):
        frame["variance"] = chance(icb.map(means).to_numpy())
        means, tau2 = solve(frame[fitted])
    frame = frame[fitted]
    made = way(hand, "laird", "own_icb")
    code = made.index[3]
    others = frame[(frame["icb"] == frame.loc[code, "icb"]) & (frame.index != code)]
    centre = np.average(others["r"], weights=1.0 / (others["variance"] + tau2))
    at = logit(frame.loc[[code]])[0] - frame.loc[code, "r"] + centre
    noise = binomial(np.array([at]), frame.loc[[code], "n"].to_numpy())[0] + transient(run)
    z = (frame.loc[code, "r"] - centre) / np.sqrt(noise + tau2)
    assert made.loc[code, "z"] == pytest.approx(z, abs=1e-6)


def test_differences_as_they_are_are_a_regression_of_the_shares_themselves(run: Run, hand: Multiverse) -> None:
    frame = figures(run)
    x, fitted, n = columns(frame), frame["fitted"].to_numpy(), frame["n"].to_numpy()
    value, v = (frame["y"] / frame["n"]).to_numpy(), transient(run)
    beta = regression(value[fitted], x[fitted], lambda share: share * (1.0 - share) / n[fitted])
    link = x @ beta

    def chance(centre: float) -> np.ndarray:
        at = link + centre
        # Passing movement is measured on logits: a step there is π(1 − π) as large in the share.
        return at * (1.0 - at) / n + v * (at * (1.0 - at)) ** 2

    m, tau2 = centre_and_spread((value - link)[fitted], lambda at: chance(at)[fitted], x.shape[1])
    z = (value - link - m) / np.sqrt(chance(m) + tau2)
    made = way(hand, "identity")
    assert made["z"].to_numpy() == pytest.approx(pd.Series(z, frame.index)[made.index].to_numpy(), abs=1e-6)


def test_on_the_log_scale_a_share_is_a_rate_of_its_rarer_side(run: Run, hand: Multiverse) -> None:
    frame = figures(run)
    x, fitted, n = columns(frame), frame["fitted"].to_numpy(), frame["n"].to_numpy()
    turned = frame["y"][fitted].sum() > 0.5 * frame["n"][fitted].sum()
    top = (frame["n"] - frame["y"] if turned else frame["y"]).to_numpy()
    y, v = np.log((top + 0.5) / n), transient(run)
    link = x @ regression(y[fitted], x[fitted], lambda at: 1.0 / (n[fitted] * np.exp(at)))

    def chance(centre: float) -> np.ndarray:
        at = np.exp(link + centre)
        return 1.0 / (n * at) + v * (1.0 - at) ** 2

    m, tau2 = centre_and_spread((y - link)[fitted], lambda at: chance(at)[fitted], x.shape[1])
    z = (y - link - m) / np.sqrt(chance(m) + tau2)
    made = way(hand, "log")
    z = pd.Series(-z if turned else z, frame.index)[made.index]
    assert made["z"].to_numpy() == pytest.approx(z.to_numpy(), abs=1e-6)


def test_slopes_within_boards_leave_out_what_the_boards_means_add(run: Run, hand: Multiverse) -> None:
    frame = figures(run)
    x, fitted, n = columns(frame), frame["fitted"].to_numpy(), frame["n"].to_numpy()
    means = pd.DataFrame(x[:, 1:], frame.index)[fitted].groupby(frame["icb"][fitted]).mean()
    # Of four boards three means say all there is.
    wide = np.column_stack([x, means.reindex(frame["icb"]).to_numpy()[:, :3]])
    beta = regression(logit(frame)[fitted], wide[fitted], lambda link: binomial(link, n[fitted]))
    dummies = np.column_stack([x[:, 1:], pd.get_dummies(frame["icb"], dtype=float)])[fitted]
    by_board = regression(logit(frame)[fitted], dummies, lambda link: binomial(link, n[fitted]))
    assert beta[1 : x.shape[1]] == pytest.approx(by_board[: x.shape[1] - 1], rel=1e-6)
    p = x.shape[1]
    link = x @ beta[:p]

    def chance(centre: float) -> np.ndarray:
        return binomial(link + centre, n) + transient(run)

    m, tau2 = centre_and_spread((logit(frame) - link)[fitted], lambda at: chance(at)[fitted], p)
    z = (logit(frame) - link - m) / np.sqrt(chance(m) + tau2)
    made = way(hand, "within")
    assert made["z"].to_numpy() == pytest.approx(pd.Series(z, frame.index)[made.index].to_numpy(), abs=1e-5)


def test_fifths_of_deprivation_have_one_expectation_each(run: Run) -> None:
    workshop = fitting.Workshop(setting_of(run.table, SHARE, run.analyses[SHARE]))
    taken = specification.primary(options_of(workshop.setting))
    made = workshop.fit(taken | {"covariates": "no_age_sex", "deprivation": "fifths"}).made
    mine = made.terms["covariate"] == "imd2025"
    imd = figures(run)["imd2025"]
    edges = np.percentile(imd[figures(run)["fitted"]], [20, 40, 60, 80])
    fifth = np.searchsorted(edges, imd.to_numpy(), side="right")
    assert mine.sum() == 4
    for number, column in enumerate(made.matrix[:, mine.to_numpy()].T, 1):
        assert ((column > 0) == (fifth == number)).all()


def test_in_points_practices_lie_in_networks_in_boards_by_maximum_likelihood(run: Run) -> None:
    workshop = fitting.Workshop(setting_of(run.table, SHARE, run.analyses[SHARE]))
    taken = specification.primary(options_of(workshop.setting))
    found = workshop.fit(taken | {"covariates": "no_recorded", "deprivation": "line", "link": "identity"})
    frame = figures(run)
    used, x = frame["fitted"].to_numpy(), columns(frame)
    scaled = np.column_stack([x[:, :1], (x[:, 1:] - x[used, 1:].mean(axis=0)) / x[used, 1:].std(axis=0)])
    network = run.table.hierarchy.set_index("practice_code")["pcn_key"].reindex(frame.index)[used]
    blocks = [np.equal.outer(*2 * [names.to_numpy()]).astype(float) for names in (frame["icb"][used], network)]
    y, x = (frame["y"] / frame["n"]).to_numpy()[used], scaled[used]

    def solved(log_sds: np.ndarray) -> tuple[float, np.ndarray]:
        one, two, own = np.exp(2.0 * log_sds)
        factor = linalg.cho_factor(one * blocks[0] + two * blocks[1] + own * np.eye(len(y)), lower=True)
        beta = np.linalg.solve(x.T @ linalg.cho_solve(factor, x), x.T @ linalg.cho_solve(factor, y))
        r = y - x @ beta
        return float(np.log(np.diag(factor[0])).sum() + 0.5 * r @ linalg.cho_solve(factor, r)), beta

    start = np.log([0.03, 0.03, 0.1])
    best = optimize.minimize(
        lambda at: solved(at)[0], start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}
    )
    assert best.success
    assert found.expected.link[used] == pytest.approx(x @ solved(best.x)[1], abs=1e-5)


def test_the_rest_of_the_year_and_its_second_half_are_the_months_added_up(
    run: Run, hand: Multiverse, world: simulate.World
) -> None:
    for name, months in (("rest", slice("2025-05", None)), ("half", slice("2025-10", None))):
        rows = world.months[world.months["month"].between(months.start, "2026-03")]
        total = rows.groupby("practice_code")[["same_day", "total_appointments"]].sum()
        made = way(hand, name)
        value = (total["same_day"] / total["total_appointments"])[made.index]
        assert (made["value"] == value).all(), name
        assert (made["z"] != way(hand, "stops_only")["z"]).any()


def test_passing_movement_can_be_reckoned_otherwise_and_over_fewer_months(run: Run, hand: Multiverse) -> None:
    rows = run.analyses[SHARE].passing
    used, independent = rows[rows["used"]].iloc[0], rows[(rows["rho_from"] == "assumed") & (rows["rho"] == 0.0)].iloc[0]
    workshop = fitting.Workshop(setting_of(run.table, SHARE, run.analyses[SHARE]))
    taken = specification.primary(options_of(workshop.setting))
    link = workshop.fit(taken).expected.link
    n = workshop.setting.counts.denominator
    for change, v in (
        ({"passing": "rho_0"}, independent["v"] / 12.0),
        ({"passing": "robust"}, used["v_robust"] * float(averaging_factor(12, used["rho"]))),
        ({}, used["v_period"]),
    ):
        placed = workshop.place(taken | change, "england")
        at = special.logit(placed.value - placed.difference)
        assert placed.sd**2 - placed.tau**2 - binomial(at, n) == pytest.approx(np.full(len(at), v), rel=1e-6)
    fewer = fitting.passing_of(workshop.setting, "declared", "second_half")
    assert fewer == pytest.approx(used["v"] * float(averaging_factor(6, used["rho"]))) and fewer > used["v_period"]
    assert (link == workshop.fit(taken | {"passing": "robust", "spread": "dersimonian_laird"}).expected.link).all()


def test_who_is_left_out_is_who_the_study_names_or_who_failed_a_check(run: Run, hand: Multiverse) -> None:
    n = hand.specifications.set_index("spec")["n"]
    number = {name: str(2 + place) for place, name in enumerate(BY_HAND)}
    left_out = set(run.table.excluded["practice_code"])
    assert len(left_out) >= 1 and n[number["stops_only"]] == n["1"] + len(left_out)
    gates = run.table.gates
    failed = gates[(gates["state"] == "failed") & (gates["severity"] == "warn") & gates["metric"].isin(["", SHARE])]
    fitted = figures(run)["fitted"]
    warned = fitted.index[fitted].intersection(failed["practice_code"])
    assert len(warned) >= 1 and n[number["no_warnings"]] == n["1"] - len(warned)


def test_another_way_of_counting_is_taken_from_the_study_s_other_measures(run: Run) -> None:
    listed = run.multiverse[MISSED].specifications.set_index("denominator")
    assert listed.loc["missed_of_all", "available"] == "yes"
    number = listed.loc["missed_of_all", "spec"]
    rows = run.multiverse[MISSED].practices
    rows = rows[(rows["spec"] == number) & (rows["comparator"] == "england")].set_index("practice_code")
    missed, every = figures(run, MISSED)["y"], figures(run, SHARE)["n"]
    assert (rows["value"] == (missed / every)[rows.index]).all()


def test_a_share_and_its_complement_stand_alike_on_every_scale(run: Run) -> None:
    outcomes = run.table.outcomes.copy()
    mine = outcomes["metric"] == SHARE
    for name in ("numerator", "numerator_low", "numerator_high"):
        outcomes.loc[mine, name] = outcomes.loc[mine, "denominator"] - outcomes.loc[mine, name]
    periods_ = run.table.periods.copy()
    other = periods_["metric"] == SHARE
    periods_.loc[other, "numerator"] = periods_.loc[other, "denominator"] - periods_.loc[other, "numerator"]
    turned = replace(run.table, outcomes=outcomes, periods=periods_)
    asked = [PLAIN | {"link": link} for link in ("log", "identity")]
    one = multiverse(run.table, SHARE, run.analyses[SHARE], asked)
    two = multiverse(turned, SHARE, run.analyses[SHARE], asked)
    key = ["spec", "comparator", "practice_code"]
    one, two = (made.practices.set_index(key).sort_index() for made in (one, two))
    for number in ("2", "3"):
        assert two.loc[number, "z"].to_numpy() == pytest.approx(-one.loc[number, "z"].to_numpy(), abs=1e-7)
        for end, far in (("lower", "upper"), ("difference", "difference")):
            assert two.loc[number, end].to_numpy() == pytest.approx(-one.loc[number, far].to_numpy(), abs=1e-9)


# ---- what is said of practices


def test_agreement_is_counted_over_the_other_ways(run: Run) -> None:
    made = run.multiverse[SHARE]
    z = made.practices.pivot(index=["comparator", "practice_code"], columns="spec", values="z")
    summary = made.summary.set_index(["comparator", "practice_code"]).loc[z.index]
    for (comparator, code), row in z.iterrows():
        own, others = row["1"], row.drop("1").dropna()
        same = [x for x in others if np.sign(x) == np.sign(own) and (abs(x) > USUAL) == (abs(own) > USUAL)]
        said = summary.loc[(comparator, code)]
        assert (said["agree"], said["compared"]) == (len(same), len(others)) and said["share"] == len(same) / len(
            others
        )
        assert said["outside"] == sum(abs(x) > USUAL for x in others)
        never_outside = max(abs(x) for x in [own, *others]) <= USUAL
        sure = said["share"] >= 0.9 or never_outside
        label = "robust" if sure else "fragile" if said["share"] < 2 / 3 else "mixed"
        assert said["label"] == label and (said["drives"] == "") == (len(same) == len(others))
    assert {"robust", "mixed"} <= set(made.summary["label"])


def test_all_of_england_is_summed_up_and_the_area_shown(run: Run) -> None:
    made = run.multiverse[SHARE]
    assert set(made.practices["practice_code"]) <= set(run.table.area_codes)
    assert len(made.summary) > 5 * made.practices["practice_code"].nunique()


def test_something_unmeasured_of_the_strength_given_brings_a_practice_to_the_limit(run: Run) -> None:
    made = run.multiverse[SHARE]
    rows = made.summary[made.summary["comparator"] == "england"].set_index("practice_code")
    frame = figures(run).loc[rows.index]
    own = run.analyses[SHARE].practices
    own = own[(own["rung"] == "M1") & (own["comparator"] == "england")].set_index("practice_code").loc[rows.index]
    outside = rows["z"].abs() > USUAL
    assert (rows["to"] == np.where(outside, "inside", "outside")).all() and outside.any() and not outside.all()
    side = np.sign(own["difference"]) * np.where(outside, 1.0, -1.0)
    moved = special.logit(own["centre"] + side * rows["unmeasured_points"])
    sd = own["link_residual"] / own["z"]
    assert ((logit(frame) - moved) / sd).abs().to_numpy() == pytest.approx(np.full(len(rows), USUAL), abs=1e-6)
    tau = run.analyses[SHARE].spread.set_index(["rung", "comparator"])["tau"]["M1", "england"]
    away = (moved - special.logit(own["centre"])).abs()
    assert rows["unmeasured_sd"].to_numpy() == pytest.approx((away / tau).to_numpy(), abs=1e-6)


def test_the_strongest_measured_characteristic_is_a_yardstick_only_where_need_explains_enough(run: Run) -> None:
    for metric in (SHARE, MISSED, RATE):
        made, found = run.multiverse[metric], run.analyses[metric]
        tau2 = found.spread[found.spread["comparator"] == "england"].set_index("rung")["tau2"]
        explained = max(0.0, 1.0 - tau2["M1"] / tau2["M0"])
        assert made.meta["need_share"] == explained
        assert made.summary["unmeasured_multiple"].notna().all() == (explained >= 0.05)
        assert set(made.summary["strongest"]) == {made.meta["strongest"]}
        fits = found.fits[found.fits["rung"] == "M1"]
        assert made.meta["strongest"] in set(fits["covariate"]) - {""}
    found = run.analyses[SHARE]
    # As if what was measured explained a fiftieth.
    spread = found.spread.copy()
    spread.loc[spread["rung"] == "M0", "tau2"] = spread.loc[spread["rung"] == "M1", "tau2"].to_numpy() * 1.02
    little = multiverse(run.table, SHARE, replace(found, spread=spread), [])
    assert little.meta["need_share"] == pytest.approx(1.0 - 1.0 / 1.02)
    assert little.summary["unmeasured_multiple"].isna().all() and little.summary["unmeasured_sd"].notna().all()


# ---- which ways are made


def test_more_ways_are_a_seeded_sample_of_every_combination(run: Run) -> None:
    options = options_of(setting_of(run.table, SHARE, run.analyses[SHARE]))
    first = specification.listed(options)
    found = specification.sampled(options, first, 60, seed=5)
    assert found[: len(first)] == first
    able = [spec for spec in found if not spec.why_not]
    assert len(able) == 60 and len({tuple(spec.taken.values()) for spec in found}) == len(found)
    for spec in able:
        assert not any(options[choice].get(option, "no_data") for choice, option in spec.taken.items())
        assert spec.taken["deprivation"] == "curve" or spec.taken["covariates"] != "no_deprivation"
    assert found == specification.sampled(options, first, 60, seed=5)
    assert found != specification.sampled(options, first, 60, seed=6)
    fewer = specification.sampled(options, first, 5, seed=5)
    assert [spec for spec in fewer if not spec.why_not] == [spec for spec in first if not spec.why_not][:5]


def test_a_sample_ends_where_there_are_no_more_combinations() -> None:
    options = {choice: {options[0]: ""} for choice, options in declared.choices().items()}
    options["link"] = {"card": "", "log": "", "identity": "skewed"}
    options["spread"] = {"consistent": "", "dersimonian_laird": ""}
    found = specification.sampled(options, specification.listed(options), 100, seed=1)
    made = {(spec.taken["link"], spec.taken["spread"]) for spec in found if not spec.why_not}
    assert made == {(link, spread) for link in ("card", "log") for spread in options["spread"]}


def test_a_study_may_ask_for_more_ways_or_for_some_choices_alone(run: Run) -> None:
    table = replace(run.table, study=replace(run.table.study, multiverse=gpvar.study.Ways(9, ("link", "spread"))))
    made = multiverse(table, SHARE, run.analyses[SHARE]).specifications
    fixed = [choice for choice in declared.choices() if choice not in ("link", "spread")]
    assert (made[fixed] == made[fixed].iloc[0]).all(axis=None)
    # Three scales and two spreads: there are no more than six.
    assert (made["available"] == "yes").sum() == 6


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"colour": "red"}, "no choice called 'colour'"), ({"link": "cubic"}, "no option called 'cubic'")],
)
def test_a_way_that_does_not_exist_is_refused_by_name(run: Run, asked: dict[str, str], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        multiverse(run.table, SHARE, run.analyses[SHARE], [asked])


def test_a_way_without_a_solution_is_a_row_with_its_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **words: object) -> None:
        raise ConvergenceError("No maximum was reached.")

    monkeypatch.setattr(fitting, "_fit_line", fails)
    made = multiverse(run.table, SHARE, run.analyses[SHARE], [{"link": "identity"}, {"spread": "dersimonian_laird"}])
    assert made.specifications["why_not"].tolist() == ["", "no_solution", ""]
    assert set(made.practices["spec"]) == {"1", "3"} and set(made.summary["compared"]) == {1}


# ---- the run, the store, the letter


def test_a_run_is_stored_with_its_other_ways_and_read_back_as_it_was(run: Run) -> None:
    again = store.load_run(run.folder)
    for metric, made in run.multiverse.items():
        for name in store.MULTIVERSE:
            written, read = getattr(made, name), getattr(again.multiverse[metric], name)
            pd.testing.assert_frame_equal(read, written, check_dtype=False, check_exact=True)
            assert list(written) == schema.names(store.MULTIVERSE[name])
        assert again.multiverse[metric].meta == made.meta


def test_a_study_that_asks_for_no_other_ways_keeps_its_key(world: simulate.World, tmp_path: Path) -> None:
    content = world.study((SHARE,))
    plain = gpvar.load_study(content, base=tmp_path)
    assert plain.multiverse is None and "multiverse" not in plain.analysis_part()
    asked = {"specifications": 40, "choices": ["spread", "link"]}
    more = gpvar.load_study(content | {"multiverse": asked}, base=tmp_path)
    turned = gpvar.load_study(content | {"multiverse": asked | {"choices": ["link", "spread"]}}, base=tmp_path)
    assert more.hash == turned.hash != plain.hash
    assert gpvar.load_study(store._declared(more), base=tmp_path).multiverse == more.multiverse


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"specifications": 0}, "as many ways as that: 0"),
        ({"specifications": 1}, "as many ways as that: 1"),
        ({"specifications": 9_999_999}, "its own way and one other, to 5000"),
        ({"specifications": "many"}, "must be a whole number"),
        ({"choices": ["links"]}, "no choice of analysis called 'links'"),
        ({"choises": ["link"]}, "no word 'choises'"),
        ("all", r"must be a heading \[multiverse\]"),
    ],
)
def test_what_a_study_cannot_ask_is_refused_in_words(world: simulate.World, asked: Any, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        gpvar.load_study(world.study((SHARE,)) | {"multiverse": asked})


def claim(code: str, comparator: str, period: str = "") -> Claim:
    said = Claim("1", "below_mean", practice_code=code, metric=SHARE, comparator=comparator, direction="low")
    return replace(said, period=period)


def test_a_finding_says_in_how_many_ways_the_practice_stands_beside_the_claim_s_comparator(run: Run) -> None:
    summary = run.multiverse[SHARE].summary.set_index(["comparator", "practice_code"])
    for comparator, judged in (("england", "england"), ("icb", "own_icb")):
        code = run.table.area_codes[4]
        found = gpvar.check_claim(claim(code, comparator), run).robustness
        row = summary.loc[(judged, code)]
        assert found == {"comparator": judged} | {k: row[k] for k in ("agree", "compared", "label", "drives")}
    assert gpvar.check_claim(claim(code, "icb"), replace(run, multiverse={})).robustness == {}


def test_a_finding_of_another_period_is_held_against_that_period_s_other_ways(run: Run) -> None:
    said = claim(run.table.area_codes[4], "england", "2025-04")
    seen = periods.placed(Evidence(said, run, {}))
    assert seen.run.study.period.months == 1
    found = always.robustness(seen)
    summary = multiverse(seen.run.table, SHARE, seen.analysis).summary.set_index(["comparator", "practice_code"])
    row = summary.loc[("england", said.practice_code)]
    assert (found["agree"], found["compared"], found["label"]) == (row["agree"], row["compared"], row["label"])
    # A run made without other ways, as a trial's are, asks for none of another period either.
    seen.run.meta[IN_OTHER_WAYS] = False
    assert always.robustness(Evidence(said, seen.run, {})) == {}


# ---- where data are thin


@pytest.fixture(scope="module")
def year() -> simulate.World:
    return simulate.world(4, 300, 4)


def analysed(world: simulate.World, folder: Path, rows: pd.DataFrame, **more: Any) -> Run:
    return gpvar.run(replace(world, practices=rows).write(folder, more.pop("metrics", (SHARE,)), **more))


def reasons(made: Multiverse) -> dict[str, dict[str, str]]:
    return made.meta["not_available"]


def test_a_handful_of_practices_is_analysed_in_the_ways_that_so_few_allow(year: simulate.World, tmp_path: Path) -> None:
    few = year.practices[year.practices["icb_code"] == year.study()["area"]["code"]].head(45)
    made = analysed(year, tmp_path, few, adjust={"M1": ["imd2025"], "M2": []}).multiverse[SHARE]
    assert set(made.practices["comparator"]) == {"england"}
    assert reasons(made)["model"] == {"multilevel": "too_few"}
    assert reasons(made)["slopes"] == {"within_icb": "no_boards"}
    assert reasons(made)["covariates"]["no_deprivation"] == "nothing_left"
    assert reasons(made)["covariates"]["no_age_sex"] == "not_declared"
    assert reasons(made)["passing"]["robust"] == "not_measured"
    assert made.specifications["model"].unique().tolist() == ["regression"]
    assert made.meta["made"] >= 4 and made.summary["compared"].max() == made.meta["made"] - 1


def test_without_characteristics_the_raw_figures_are_what_is_analysed(year: simulate.World, tmp_path: Path) -> None:
    run = analysed(year, tmp_path, year.practices, adjust={"M1": [], "M2": []})
    made = run.multiverse[SHARE]
    assert made.meta["rung"] == "M0" and made.meta["need_share"] == 0.0 and made.meta["strongest"] == ""
    assert set(reasons(made)["covariates"].values()) == {"not_declared"}
    assert reasons(made)["slopes"] == {"within_icb": "not_declared"}
    assert made.summary["unmeasured_multiple"].isna().all() and made.summary["unmeasured_sd"].notna().all()


def test_without_boards_practices_are_compared_with_all_alone(year: simulate.World, tmp_path: Path) -> None:
    content = year.study((SHARE,))
    places = ("icb_code", "icb_name", "pcn_code", "sub_icb_code")
    content["source"][0]["columns"] = {k: v for k, v in content["source"][0]["columns"].items() if k not in places}
    codes = year.practices["practice_code"].head(6).tolist()
    content |= {"area": {"kind": "list", "practices": codes}}
    year.practices.to_csv(tmp_path / "practices.csv", index=False)
    made = gpvar.run(gpvar.load_study(content, base=tmp_path)).multiverse[SHARE]
    assert set(made.summary["comparator"]) == {"england"} and reasons(made)["slopes"]["within_icb"] == "no_boards"
    listed = made.specifications[made.specifications["available"] == "yes"]
    assert {"multilevel", "regression"} == set(listed["model"]) and "identity" in set(listed["link"])


def test_where_few_practices_have_every_characteristic_the_adjusted_rung_rests_on_a_regression(
    year: simulate.World, tmp_path: Path
) -> None:
    rows = year.practices.copy()
    rows.loc[rows.index[:110], "imd2025_score"] = np.nan
    run = analysed(year, tmp_path, rows)
    assert run.analyses[SHARE].models["rung"].tolist() == ["M0"]
    made = run.multiverse[SHARE]
    assert reasons(made)["model"] == {"multilevel": "too_few"} and reasons(made)["slopes"] == {"within_icb": "too_few"}
    own = run.analyses[SHARE].practices
    own = own[own["rung"] == "M1"].set_index(["practice_code", "comparator"])["z"]
    summary = made.summary.set_index(["practice_code", "comparator"])["z"]
    assert (summary == own.reindex(summary.index)).all()
    # Without deprivation all have what is allowed for, and those practices are placed as well.
    listed = made.specifications.set_index("covariates")
    assert listed.loc["no_deprivation", "n"] > listed.loc["declared", "n"].iloc[0]


def test_every_characteristic_that_an_option_leaves_out_is_one_of_needs() -> None:
    for option, ids in declared.leaves_out().items():
        known = [catalogue.covariate(covariate) for covariate in ids]
        assert option == "no_recorded" or all(card.cls == "need" and not card.recorded for card in known)


def test_of_a_hidden_count_nothing_is_said(run: Run) -> None:
    outcomes = run.table.outcomes.copy()
    code = run.table.area_codes[2]
    mine = (outcomes["metric"] == SHARE) & (outcomes["practice_code"] == code)
    outcomes.loc[mine, ["numerator", "numerator_low", "numerator_high"]] = [np.nan, 1.0, 7.0]
    outcomes.loc[mine, "state"] = "suppressed"
    table = replace(run.table, outcomes=outcomes)
    made = multiverse(table, SHARE, run.analyses[SHARE], [{"spread": "dersimonian_laird"}])
    assert code not in set(made.practices["practice_code"]) | set(made.summary["practice_code"])
    assert run.table.area_codes[3] in set(made.practices["practice_code"])


def test_a_metric_that_cannot_be_analysed_takes_no_other_with_it(year: simulate.World, tmp_path: Path) -> None:
    rows = year.practices.assign(gpad_annual_dna=0)
    told: list[str] = []
    study = replace(year, practices=rows).write(tmp_path, (SHARE, MISSED))
    run = pipeline.run(study, progress=told.append)
    assert set(run.multiverse) == {SHARE} and MISSED in run.meta["unanswered"]
    assert [step for step in told if "other defensible ways" in step] == [
        "Analysing same-day share in other defensible ways"
    ]
