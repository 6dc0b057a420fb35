"""One practice: what its figure is made of, its rank, neighbours and targets, on planted worlds and on England."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import gpvar
from gpvar import catalogue, schema
from gpvar.analysis import observed, practice
from gpvar.analysis.effects import months_needed
from gpvar.analysis.ladder import Ladder, climb
from gpvar.analysis.observed import Counts
from gpvar.analysis.waterfall import waterfall_of
from gpvar.stats import reliability
from tests.support import shared
from tests.test_real_study import COLUMNS

BOARDS, NETWORKS, PRACTICES = 10, 8, 5
SDS = {"icb": 0.1, "pcn": 0.15, "practice": 0.3}
RUNGS = {"M0": (), "M1": ("imd2025",), "M2": ("imd2025", "rurality")}
AREA = "Q03"
NO_MONTHS = pd.DataFrame(columns=schema.names("passing"))
FLOOR = SimpleNamespace(id="floor", value=0.45, comparison="at least")


@dataclass(frozen=True)
class World:
    """Practices with a planted truth: the lasting figure, and its distance from what their patients account for."""

    counts: Counts
    covariates: pd.DataFrame
    lasting: np.ndarray
    effect: np.ndarray

    @property
    def area(self) -> tuple[str, ...]:
        return tuple(self.counts.practice_code[self.counts.icb_code == AREA])

    def ladder(self, rungs: dict[str, tuple[str, ...]] | None = None) -> Ladder:
        return climb(self.counts, self.covariates, rungs or RUNGS)


def world(
    seed: int, size: tuple[int, int] = (4_000, 40_000), transient: float = np.nan, kind: str = "proportion"
) -> World:
    rng = np.random.default_rng(seed)
    board = np.repeat(np.arange(BOARDS), NETWORKS * PRACTICES)
    network = np.repeat(np.arange(BOARDS * NETWORKS), PRACTICES)
    n = len(board)
    imd, rural = rng.normal(25, 8, n), rng.random(n) < 0.3
    effect = (
        rng.normal(0, SDS["icb"], BOARDS)[board]
        + rng.normal(0, SDS["pcn"], BOARDS * NETWORKS)[network]
        + rng.normal(0, SDS["practice"], n)
    )
    # Setting is no part of what the headline expects.
    effect = effect + 0.1 * rural
    lasting = -0.4 + 0.15 * (imd - 25) / 8 + effect
    passed = 0.0 if np.isnan(transient) else rng.normal(0, np.sqrt(transient), n)
    denominator = rng.integers(*size, n).astype(float)
    if kind == "proportion":
        numerator = rng.binomial(denominator.astype(int), special.expit(lasting + passed))
    else:
        numerator = rng.poisson(denominator * np.exp(lasting + passed))
    everyone = np.ones(n, dtype=bool)
    counts = Counts(
        practice_code=np.array([f"A{i:05d}" for i in range(n)]),
        icb_code=np.array([f"Q{b:02d}" for b in board]),
        pcn_key=np.array([f"U{k:05d}" for k in network]),
        observed=numerator.astype(float),
        denominator=denominator,
        kind=kind,
        usable=everyone,
        in_reference=everyone,
        decidable=everyone,
        compared=everyone,
        months=12.0,
        transient=transient,
    )
    covariates = pd.DataFrame({"imd2025": imd, "rurality": np.where(rural, "Rural", "Urban")})
    return World(counts, covariates, lasting, effect)


def described(
    made: World,
    ladder: Ladder | None = None,
    *,
    headline: str = "M1",
    passing: pd.DataFrame = NO_MONTHS,
    activity: bool = False,
    targets: tuple[SimpleNamespace, ...] = (),
    hidden: np.ndarray | None = None,
) -> practice.Practices:
    return practice.describe(
        made.counts,
        made.ladder() if ladder is None else ladder,
        headline,
        passing,
        made.area,
        targets=targets,
        activity=activity,
        seed=7,
        hidden=hidden,
    )


def steps_of(made: World, rungs: dict[str, tuple[str, ...]] | None = None) -> pd.DataFrame:
    """What every practice's figure is made of."""
    return waterfall_of(made.counts, made.ladder(rungs), np.ones(len(made.effect), dtype=bool))


def months(v: float, rho: float) -> pd.DataFrame:
    """The row that practices are judged with."""
    return pd.DataFrame([dict.fromkeys(schema.names("passing")) | {"used": True, "v": v, "rho": rho}])


def over_a_year(v: float, rho: float) -> float:
    return float(v * reliability.averaging_factor(12, rho))


def links(waterfall: pd.DataFrame) -> pd.DataFrame:
    return waterfall.pivot(index="practice_code", columns="step", values="link")


@pytest.fixture(scope="module")
def made() -> World:
    return world(1)


@pytest.fixture(scope="module")
def ladder(made: World) -> Ladder:
    return made.ladder()


@pytest.fixture(scope="module")
def found(made: World, ladder: Ladder) -> practice.Practices:
    return described(made, ladder, targets=(FLOOR,))


def test_every_table_has_the_columns_of_the_dictionary(found: practice.Practices) -> None:
    for name in practice.Practices.__dataclass_fields__:
        table = getattr(found, name)
        assert len(table) and list(table.columns) == schema.names(name), name
        assert list(getattr(practice.nothing(), name).columns) == schema.names(name), name


# --- the waterfall


@pytest.fixture(scope="module")
def england(tmp_path_factory: pytest.TempPathFactory) -> gpvar.PracticeTable:
    study = {
        "schema": 1,
        "title": "Access in North East and North Cumbria, 2025/26",
        "seed": 20260401,
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share", "appointments_per_1000"],
        "area": {"kind": "icb", "code": "QHM"},
        "reference": {"set": "england", "exclude": ["list_under_1000"]},
        "adjust": {"M1": ["age_sex", "imd2025", "qof_dm", "qof_dep"], "M2": ["rurality"]},
        "source": [
            {"id": "local", "file": str(shared("data", "joined", "england_2025_26.csv.gz")), "columns": COLUMNS}
        ],
    }
    return gpvar.build_table(gpvar.load_study(study, base=Path(tmp_path_factory.mktemp("england"))))


@pytest.mark.parametrize("metric", ["same_day_share", "appointments_per_1000"])
def test_the_steps_of_every_real_practice_add_up_to_its_difference_from_england(
    england: gpvar.PracticeTable, metric: str
) -> None:
    outcomes = observed.outcomes_of(england, metric)
    practices = england.practices.set_index("practice_code").loc[outcomes["practice_code"]].reset_index()
    need = ("age_sex", "imd2025", "qof_dm", "qof_dep")
    counts = observed.ends(england, catalogue.metric(metric), outcomes)[0]
    ladder = climb(counts, practices, {"M0": (), "M1": need, "M2": (*need, "rurality")})
    area = np.isin(counts.practice_code, list(england.area_codes))
    steps = waterfall_of(counts, ladder, area)
    raw = ladder.practices.query("rung == 'M0' and comparator == 'england'").set_index("practice_code")
    each = steps.groupby("practice_code")
    assert len(each) == area.sum() > 300
    assert (each["change"].sum() - raw["difference"].reindex(each.groups)).abs().max() < 1e-9
    last = steps[steps["step"] == "remainder"].set_index("practice_code")["reached"]
    np.testing.assert_array_equal(last, raw["value"].reindex(last.index))
    first = steps[steps["step"] == "reference"]
    centre = ladder.spread.query("rung == 'M0' and comparator == 'england'")["centre"].iloc[0]
    np.testing.assert_allclose(first["reached"], centre, atol=1e-12)
    assert (first["change"] == 0).all()


@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_each_step_reaches_what_the_one_before_it_reached_and_its_own_change(kind: str) -> None:
    steps = steps_of(world(2, kind=kind))
    assert steps["step"].tolist()[:6] == ["reference", "need", "context", "place", "own", "remainder"]
    before = steps.groupby("practice_code")["reached"].shift()
    later = before.notna()
    np.testing.assert_allclose((before + steps["change"])[later], steps.loc[later, "reached"], atol=1e-12)
    # Wherever it stands, a step has the sign of what it adds on the scale of the model.
    told = later & (steps["step"] != "remainder")
    assert (np.sign(steps["change"]) == np.sign(steps["link"]))[told].all()


def test_need_and_context_lead_from_england_to_what_the_highest_rung_expects(
    made: World, ladder: Ladder, found: practice.Practices
) -> None:
    parts = links(found.waterfall)
    placed = ladder.practices[ladder.practices["comparator"] == "england"]
    centre = placed.pivot(index="practice_code", columns="rung", values="centre").loc[parts.index]
    expected = special.logit(centre["M2"]) - special.logit(centre["M0"])
    np.testing.assert_allclose(parts["need"] + parts["context"], expected, atol=1e-9)
    setting = made.covariates.set_index(made.counts.practice_code).loc[parts.index, "rurality"]
    by_setting = parts["context"].groupby(setting)
    np.testing.assert_allclose(by_setting.std(), 0.0, atol=1e-12)
    gap = by_setting.mean()["Rural"] - by_setting.mean()["Urban"]
    planted, found_gap = 0.1, float(gap)
    assert abs(found_gap - planted) < 0.1


def test_context_is_nought_for_the_mean_setting(made: World, ladder: Ladder) -> None:
    everyone = np.ones(len(made.effect), dtype=bool)
    assert abs(links(waterfall_of(made.counts, ladder, everyone))["context"].mean()) < 1e-12


def test_a_step_that_was_not_measured_is_not_there(made: World) -> None:
    without_context = steps_of(made, {"M0": (), "M1": ("imd2025",)})
    assert set(without_context["step"]) == {"reference", "need", "place", "own", "remainder"}
    without_need = steps_of(made, {"M0": (), "M2": ("rurality",)})
    assert set(without_need["step"]) == {"reference", "context", "place", "own", "remainder"}
    raw = steps_of(made, {"M0": ()})
    assert set(raw["step"]) == {"reference", "place", "own", "remainder"}
    nowhere = replace(made, counts=replace(made.counts, icb_code=np.full(len(made.effect), "")))
    of_no_place = steps_of(nowhere)
    assert set(of_no_place["step"]) == {"reference", "need", "context", "own", "remainder"}
    for steps in (without_context, without_need, raw, of_no_place):
        sums = steps.groupby("practice_code")["change"].sum()
        last = steps[steps["step"] == "remainder"].set_index("practice_code")["reached"]
        first = steps[steps["step"] == "reference"].set_index("practice_code")["reached"]
        np.testing.assert_allclose(sums, (last - first).loc[sums.index], atol=1e-12)


def test_a_practice_whose_board_is_not_known_has_no_neighbours_to_share_with(made: World) -> None:
    board = made.counts.icb_code.copy()
    board[:3] = ""
    some = replace(made, counts=replace(made.counts, icb_code=board))
    steps = waterfall_of(some.counts, some.ladder(), np.arange(len(board)) < 6)
    with_place = steps[steps["step"] == "place"]["practice_code"].unique()
    assert set(with_place) == set(made.counts.practice_code[3:6])
    assert steps["practice_code"].nunique() == 6


def another_count(made: World, ladder: Ladder, row: int, size: float) -> tuple[Counts, Ladder]:
    """Return the world with one practice's count changed and every centre where it was."""
    counts = replace(made.counts, observed=made.counts.observed.copy())
    before = special.logit((counts.observed[row] + 0.5) / (counts.denominator[row] + 1.0))
    counts.observed[row] *= size
    after = special.logit((counts.observed[row] + 0.5) / (counts.denominator[row] + 1.0))
    placed = ladder.practices.copy()
    placed.loc[placed["practice_code"] == counts.practice_code[row], "link_residual"] += after - before
    return counts, replace(ladder, practices=placed)


def test_a_practice_s_own_count_moves_its_neighbours_place_and_never_its_own(made: World, ladder: Ladder) -> None:
    row = int(np.flatnonzero(made.counts.icb_code == AREA)[0])
    neighbours = (made.counts.pcn_key == made.counts.pcn_key[row]) & (np.arange(len(made.effect)) != row)
    area = made.counts.icb_code == AREA
    before = links(waterfall_of(made.counts, ladder, area))
    after = links(waterfall_of(*another_count(made, ladder, row, 0.5), area))
    code, others = made.counts.practice_code[row], made.counts.practice_code[neighbours]
    assert after.loc[code, "place"] == pytest.approx(before.loc[code, "place"], abs=1e-12)
    assert after.loc[code, "own"] < before.loc[code, "own"] - 0.5
    assert (after.loc[others, "place"] < before.loc[others, "place"] - 0.02).all()


def test_a_practice_outside_the_fit_is_taken_apart_and_moves_nobody(made: World) -> None:
    row = int(np.flatnonzero(made.counts.icb_code == AREA)[0])
    fitted = np.arange(len(made.effect)) != row
    outside = replace(made, counts=replace(made.counts, in_reference=fitted))
    ladder = outside.ladder()
    area = made.counts.icb_code == AREA
    before = links(waterfall_of(outside.counts, ladder, area))
    after = links(waterfall_of(*another_count(outside, ladder, row, 0.5), area))
    code = made.counts.practice_code[row]
    assert code in before.index
    pd.testing.assert_series_equal(after["place"], before["place"], atol=1e-12, rtol=0)
    assert code not in set(described(outside, ladder).effects["practice_code"])


def test_place_and_own_together_are_the_model_s_lasting_effect(made: World, ladder: Ladder) -> None:
    # Two roads to one number: from the place without the practice, or from all at once in the model.
    model = ladder.rungs[-1].expected.model
    assert model is not None
    estimate = model.estimate
    whole = sum(modes[codes] for modes, codes in zip(estimate.effects, estimate.data.codes, strict=True))
    everyone = np.ones(len(made.effect), dtype=bool)
    steps = links(waterfall_of(made.counts, ladder, everyone)).loc[made.counts.practice_code]
    # The centre that practices are judged by is robust, the model's is not: that moves all alike.
    apart = (steps["place"] + steps["own"]).to_numpy() - whole
    assert np.std(apart) < 0.01 * np.std(whole) and abs(apart.mean()) < 0.05


def test_shrinking_holds_back_more_where_less_is_known() -> None:
    few, many = (steps_of(world(3, size=size)) for size in ((150, 200), (20_000, 30_000)))
    held = []
    for steps in (few, many):
        parts = links(steps)
        held.append((parts["own"] / (parts["own"] + parts["remainder"])).median())
    # τ² = 0.09, and 0.02 by which the neighbours' share is not known, against s² ≈ 4.2/175.
    assert held[0] == pytest.approx(0.11 / (0.11 + 4.2 / 175), abs=0.08)
    assert held[1] > held[0] + 0.05 and held[1] > 0.99


def test_passing_movement_is_no_part_of_the_practice_s_own() -> None:
    v = 0.05
    moving = world(4, transient=v)
    still = replace(moving, counts=replace(moving.counts, transient=np.nan))
    known, unknown = (links(steps_of(each)) for each in (moving, still))
    lasts = SDS["practice"] ** 2 / (SDS["practice"] ** 2 + v)
    assert known["own"].std() / unknown["own"].std() == pytest.approx(lasts, abs=0.1)
    np.testing.assert_allclose(known.sum(axis=1), unknown.sum(axis=1), atol=1e-9)


def test_the_complement_turns_every_step_over(made: World, found: practice.Practices) -> None:
    other = replace(made, counts=replace(made.counts, observed=made.counts.denominator - made.counts.observed))
    turned = steps_of(other)
    turned = turned[turned["practice_code"].isin(made.area)].reset_index(drop=True)
    for step, row in links(turned).items():
        np.testing.assert_allclose(row, -links(found.waterfall)[step], atol=1e-5, err_msg=str(step))
    np.testing.assert_allclose(turned["change"], -found.waterfall["change"], atol=1e-5)


def test_the_complement_mirrors_effects_and_ranks(made: World, found: practice.Practices) -> None:
    other = replace(made, counts=replace(made.counts, observed=made.counts.denominator - made.counts.observed))
    before, after = found.effects, described(other).effects
    np.testing.assert_allclose(after["reliability"], before["reliability"], atol=1e-5)
    assert after["rule"].tolist() == before["rule"].tolist()
    # Draws are not mirrored: what is left is Monte Carlo error, of twice 2,000 draws.
    sd = (before["effect_upper"] - before["effect_lower"]) / 3.92
    assert ((after["effect"] + before["effect"]) / (sd * np.sqrt(2 / 2000))).abs().max() < 5
    assert ((after["effect_lower"] + before["effect_upper"]) / sd).abs().max() < 0.4
    ranked = before["rank_median"].notna()
    assert ranked.sum() > 100
    mirrored = before["ranked"] + 1 - before["rank_median"]
    assert (after["rank_median"] - mirrored)[ranked].abs().max() <= 6
    np.testing.assert_allclose(after["p_top"], before["p_bottom"], atol=0.06)


# --- effects and ranks


@pytest.fixture(scope="module")
def known_worlds() -> list[tuple[World, practice.Practices]]:
    """Six worlds of 400 practices with a known truth, passing movement in it, and months to measure it by."""
    v, rho = 0.012, 0.3
    passing = months(v / reliability.averaging_factor(12, rho), rho)
    worlds = [world(seed, size=(1_500, 6_000), transient=v) for seed in range(11, 17)]
    return [(each, described(each, passing=passing, activity=True)) for each in worlds]


def with_truth(known: list[tuple[World, practice.Practices]], rung: str) -> pd.DataFrame:
    frames = []
    for made, found in known:
        rows = found.effects[found.effects["rung"] == rung].reset_index(drop=True)
        truth = made.lasting if rung == "M0" else made.effect
        assert rows["practice_code"].tolist() == made.counts.practice_code.tolist()
        rank = stats.rankdata(truth)
        frames.append(rows.assign(truth=truth, true_rank=rank, bottom=rank <= 40, top=rank > len(rank) - 40))
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("rung", ["M0", "M1"])
def test_rank_intervals_hold_the_true_rank_19_times_in_20(
    known_worlds: list[tuple[World, practice.Practices]], rung: str
) -> None:
    rows = with_truth(known_worlds, rung)
    assert rows["rank_lower"].notna().all()
    inside = rows["true_rank"].between(rows["rank_lower"], rows["rank_upper"])
    assert 0.93 <= inside.mean() <= 0.97
    assert (rows["rank_upper"] - rows["rank_lower"]).median() < 250


@pytest.mark.parametrize("rung", ["M0", "M1"])
def test_the_probability_of_a_tail_is_how_often_it_is_true(
    known_worlds: list[tuple[World, practice.Practices]], rung: str
) -> None:
    rows = with_truth(known_worlds, rung)
    for said, true in (("p_bottom", "bottom"), ("p_top", "top")):
        for low, high in ((0.0, 0.05), (0.05, 0.3), (0.3, 0.7), (0.7, 0.95), (0.95, 1.01)):
            group = rows[(rows[said] >= low) & (rows[said] < high)]
            mean = group[said].mean()
            error = np.sqrt((group[said] * (1 - group[said])).sum()) / len(group)
            assert abs(group[true].mean() - mean) < 3 * error + 0.01, (said, low, len(group))


def test_intervals_hold_the_lasting_figure_19_times_in_20(
    known_worlds: list[tuple[World, practice.Practices]],
) -> None:
    rows = with_truth(known_worlds, "M0")
    true = special.expit(rows["truth"])
    assert 0.93 <= true.between(rows["shrunken_lower"], rows["shrunken_upper"]).mean() <= 0.97
    adjusted = with_truth(known_worlds, "M1")
    # The effect is a distance from England's centre, which is near but not exactly the model's nought.
    assert 0.92 <= adjusted["truth"].between(adjusted["effect_lower"], adjusted["effect_upper"]).mean() <= 0.98
    assert np.corrcoef(adjusted["truth"], adjusted["effect"])[0, 1] > 0.93


RULES = [
    # denominators, v of the period, activity → rules that occur, months stated
    ((30_000, 40_000), np.nan, False, {"full"}, True),
    ((30_000, 40_000), np.nan, True, {"sampling_only"}, False),
    ((30_000, 40_000), 0.003, True, {"full"}, True),
    ((30_000, 40_000), 0.022, True, {"interval"}, True),
    ((30_000, 40_000), 0.12, True, {"none"}, True),
    ((20, 2_000), np.nan, False, {"full", "interval", "none"}, True),
]


@pytest.mark.parametrize(("size", "v", "activity", "rules", "stated"), RULES)
def test_a_rank_is_stated_only_as_far_as_the_figure_is_reliable(
    size: tuple[int, int], v: float, activity: bool, rules: set[str], stated: bool
) -> None:
    made = world(5, size=size, transient=v)
    passing = NO_MONTHS if np.isnan(v) else months(v / reliability.averaging_factor(12, 0.3), 0.3)
    rows = described(made, passing=passing, activity=activity).effects
    assert set(rows["rule"]) == rules
    r = rows["reliability"]
    np.testing.assert_allclose(
        r, rows["between"] / (rows["between"] + rows["sampling"] + rows["transient"].fillna(0)), rtol=1e-12
    )
    if rules != {"sampling_only"}:
        assert (rows["rule"] == np.select([r >= 0.9, r >= 0.7], ["full", "interval"], "none")).all()
    assert (rows["rank_median"].notna() == (rows["rule"] == "full")).all()
    for column in ("rank_lower", "rank_upper", "p_bottom", "p_top"):
        assert (rows[column].notna() == rows["rule"].isin(["full", "interval"])).all(), column
    assert (rows["ranked"] == len(made.effect)).all()
    assert rows["months_for_0_7"].notna().any() == stated
    assert rows["transient"].isna().all() == np.isnan(v)


def test_the_spread_and_the_chance_are_those_practices_are_judged_by(ladder: Ladder, found: practice.Practices) -> None:
    spread = ladder.spread[ladder.spread["comparator"] == "england"].set_index("rung")["tau2"]
    placed = ladder.practices[ladder.practices["comparator"] == "england"].set_index(["rung", "practice_code"])
    for rung, rows in found.effects.groupby("rung"):
        assert (rows["between"] == spread[rung]).all()
        at = placed.loc[rung].loc[rows["practice_code"]]
        by_hand = 1 / (at["denominator"] * at["centre"] * (1 - at["centre"]))
        np.testing.assert_allclose(rows["sampling"], by_hand, rtol=1e-9)


def test_at_high_reliability_the_best_estimate_is_nearly_the_figure_itself(
    ladder: Ladder, found: practice.Practices
) -> None:
    placed = ladder.practices[ladder.practices["comparator"] == "england"].set_index(["rung", "practice_code"])
    for rung, shown in (("M0", "value"), ("M1", "adjusted")):
        rows = found.effects[found.effects["rung"] == rung].set_index("practice_code")
        figure = placed.loc[rung][shown].loc[rows.index]
        assert (rows["shrunken"] - figure).abs().max() < 0.01
        assert ((rows["shrunken_lower"] < rows["shrunken"]) & (rows["shrunken"] < rows["shrunken_upper"])).all()


def test_months_needed_are_those_of_independent_months_without_correlation() -> None:
    between, sampling, v = 0.1, np.array([0.3, 0.02, 2.0]), 0.15
    for target in (0.7, 0.9):
        one = reliability.reliability(between, sampling, v)
        found = months_needed(between, sampling, v, 0.0, target)
        np.testing.assert_array_equal(found, reliability.periods_needed(one, target))


def test_months_needed_agree_with_the_reliability_that_is_stated() -> None:
    v, rho = 0.25, 0.5
    made = world(6, size=(100, 3_000), transient=over_a_year(v, rho))
    rows = described(made, passing=months(v, rho), activity=True).effects
    for target, column in ((0.7, "months_for_0_7"), (0.9, "months_for_0_9")):
        enough = rows["reliability"] >= target
        assert 0.02 < enough.mean() < 0.98 or target == 0.9
        assert ((rows[column] <= 12) == enough).all()


def test_no_number_of_months_is_stated_where_none_would_do() -> None:
    assert np.isnan(months_needed(0.0, np.array([0.1]), 0.0, 0.0, 0.7)).all()
    assert np.isnan(months_needed(0.1, np.array([0.1]), np.nan, 0.0, 0.7)).all()
    assert np.isnan(months_needed(1e-6, np.array([1.0]), 0.0, 0.0, 0.9)).all()
    assert months_needed(0.1, np.array([0.0]), 0.0, 0.0, 0.9).tolist() == [1.0]


# --- neighbours and targets


def test_neighbours_are_ten_others_nearest_first_with_their_raw_figures(made: World, found: practice.Practices) -> None:
    near = found.neighbours
    assert (near.groupby("practice_code").size() == 10).all()
    assert set(near["practice_code"]) == set(made.area)
    assert (near["practice_code"] != near["neighbour_code"]).all()
    assert not near.duplicated(["practice_code", "neighbour_code"]).any()
    assert (near.groupby("practice_code")["distance"].diff().dropna() >= 0).all()
    value = pd.Series(made.counts.observed / made.counts.denominator, index=made.counts.practice_code)
    np.testing.assert_array_equal(near["value"], value[near["neighbour_code"]])
    imd = made.covariates["imd2025"].set_axis(made.counts.practice_code)
    setting = made.covariates["rurality"].set_axis(made.counts.practice_code)
    apart = np.abs(imd[near["practice_code"]].to_numpy() - imd[near["neighbour_code"]].to_numpy())
    assert np.median(apart) < 0.1 * imd.std()
    alike = setting[near["practice_code"]].to_numpy() == setting[near["neighbour_code"]].to_numpy()
    assert alike.mean() > 0.95


def test_a_practice_that_cannot_be_compared_is_nobody_s_neighbour_and_gets_no_steps(made: World) -> None:
    stopped = np.arange(len(made.effect)) % 4 == 0
    counts = replace(made.counts, compared=~stopped, decidable=~stopped, in_reference=~stopped)
    found = described(replace(made, counts=counts), targets=(FLOOR,))
    out = set(counts.practice_code[stopped])
    assert not out & set(found.neighbours["neighbour_code"])
    for table in (found.effects, found.waterfall, found.neighbours, found.reach):
        assert not out & set(table["practice_code"])


def test_nothing_is_said_that_would_rest_on_a_hidden_count(made: World, ladder: Ladder) -> None:
    hidden = np.arange(len(made.effect)) % 3 == 0
    found = described(made, ladder, targets=(FLOOR,), hidden=hidden)
    out = set(made.counts.practice_code[hidden])
    assert not out & set(found.neighbours["neighbour_code"])
    for table in (found.effects, found.waterfall, found.neighbours, found.reach):
        assert len(table) and not out & set(table["practice_code"])
    assert (found.effects["ranked"] == len(made.effect)).all()


def test_without_anything_to_be_alike_in_there_are_no_neighbours(made: World) -> None:
    found = described(made, made.ladder({"M0": ()}), headline="M0", targets=(FLOOR,))
    assert found.neighbours.empty and list(found.neighbours.columns) == schema.names("neighbours")
    assert (found.reach["neighbours"] == 0).all()
    assert found.effects["rung"].unique().tolist() == ["M0"]


@pytest.mark.parametrize("comparison", ["at least", "at most"])
def test_who_reaches_a_target(made: World, ladder: Ladder, comparison: str) -> None:
    target = SimpleNamespace(id="asked", value=0.45, comparison=comparison)
    found = described(made, ladder, targets=(target,))
    reach = found.reach.set_index("practice_code")
    value = pd.Series(made.counts.observed / made.counts.denominator, index=made.counts.practice_code)
    above = comparison == "at least"
    met = value >= 0.45 if above else value <= 0.45
    assert reach["meets"].eq(met[reach.index]).all() and 0 < reach["meets"].mean() < 1
    assert reach["england_share"].tolist() == pytest.approx([met.mean()] * len(reach))
    by_hand = found.neighbours.assign(met=met[found.neighbours["neighbour_code"]].to_numpy())
    counted = by_hand.groupby("practice_code")["met"].sum()
    assert reach["neighbours_meeting"].eq(counted[reach.index]).all() and (reach["neighbours"] == 10).all()
    placed = ladder.practices.query("rung == 'M1' and comparator == 'england'").set_index("practice_code")
    tau = ladder.spread.query("rung == 'M1' and comparator == 'england'")["tau"].iloc[0]
    z = (special.logit(placed["centre"]) - special.logit(0.45)) / tau
    share = special.ndtr(z if above else -z)[reach.index]
    np.testing.assert_allclose(reach["similar_share"], share, atol=1e-9)
    # Over England the shares of similar practices are the share that does reach it.
    everyone = special.ndtr(z if above else -z).mean()
    assert everyone == pytest.approx(met.mean(), abs=0.03)


def test_a_target_is_held_only_against_its_metric_and_from_the_day_it_was_announced() -> None:
    urgent, same_day = catalogue.metric("urgent_same_day_share"), catalogue.metric("same_day_share")
    assert [t.id for t in practice.targets_of(urgent, date(2026, 3, 31))] == ["urgent_same_day_90"]
    assert practice.targets_of(urgent, date(2026, 3, 16)) == ()
    assert practice.targets_of(same_day, date(2026, 3, 31)) == ()


def test_below_200_practices_nothing_is_said(made: World) -> None:
    few = np.arange(len(made.effect)) < 199
    counts = replace(made.counts, in_reference=few)
    found = described(replace(made, counts=counts), targets=(FLOOR,))
    for name in practice.Practices.__dataclass_fields__:
        assert getattr(found, name).empty, name


def test_the_same_seed_says_the_same(made: World, ladder: Ladder, found: practice.Practices) -> None:
    again = described(made, ladder, targets=(FLOOR,))
    for name in practice.Practices.__dataclass_fields__:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
