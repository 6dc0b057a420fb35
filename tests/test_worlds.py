"""Worlds whose truth is known: what is counted follows from it, and what was asked for is what was drawn."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import gpvar
from gpvar import catalogue, share, simulate
from gpvar.analysis import observed, passing
from gpvar.design import build
from gpvar.errors import StudyError
from gpvar.simulate import METRICS, Artefact, Plant, _moving, _world
from gpvar.simulate._artefact_kinds import KINDS
from gpvar.simulate._declared import characteristics, declared
from gpvar.simulate._measure import levels
from gpvar.stats.reliability import averaging_factor
from gpvar.table import PracticeTable
from tests.support import ROOT

COUNTS = {
    "same_day_share": (["same_day"], ["total_appointments"]),
    "dna_share": (["dna"], ["attended", "dna"]),
    "face_to_face_share": (["face_to_face"], ["total_appointments"]),
    "appointments_per_1000": (["total_appointments"], ["registered_patients"]),
}
# Chance of a false alarm of one in a thousand over both spreads and four outcomes, whose p-values over 320 other draws
# were evenly spread.
FALSE_ALARM = 1e-3 / 8
SHARES = [metric for metric in METRICS if metric != "appointments_per_1000"]


@pytest.fixture(scope="module")
def yearly() -> simulate.World:
    return simulate.world(11)


@pytest.fixture(scope="module")
def monthly() -> simulate.World:
    return simulate.world(11, months=12, need="declared", spread="normal")


def counted(table: pd.DataFrame, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the two counts of a metric, from a table of a year or of months."""
    plain = table.rename(columns=lambda name: name.removeprefix("gpad_annual_"))
    plain = plain.rename(columns={"annual_patient_month_exposure": "registered_patients"})
    top, base = COUNTS[metric]
    return plain[top].sum(axis=1).to_numpy(float), plain[base].sum(axis=1).to_numpy(float)


def surprise(world: simulate.World, metric: str, link: pd.Series) -> np.ndarray:
    """Return how far each count of the year is from what is expected of it, in its own SDs."""
    top, base = counted(world.practices, metric)
    if metric in SHARES:
        p = special.expit(link.to_numpy())
        return (top - base * p) / np.sqrt(base * p * (1 - p))
    mean = base * np.exp(link.to_numpy())
    return (top - mean) / np.sqrt(mean)


def test_the_demonstration_is_one_of_the_worlds(tmp_path: Path) -> None:
    demo = simulate.world(simulate.DEMO_SEED, 1200, 8, shown=True)
    simulate.write_demo(tmp_path)
    written = tmp_path / "world.csv"
    demo.practices.to_csv(written, index=False, encoding="utf-8", lineterminator="\n")
    assert written.read_bytes() == (tmp_path / "practices_2025_26.csv").read_bytes()
    assert written.read_bytes() == (share.folder("demo") / "practices_2025_26.csv").read_bytes()
    assert list(demo.shown["id"])[:2] == ["far_outside", "explained"]


@pytest.mark.parametrize("months", [0, 12])
def test_one_seed_is_one_world(months: int) -> None:
    one, again = (simulate.world(5, 400, 6, months=months, plant=(Plant(),)) for _ in range(2))
    for name in ("practices", "truth", "spreads", "planted"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(again, name))
    assert (one.months is None) == (months == 0)
    other = simulate.world(6, 400, 6, months=months)
    assert (other.practices["gpad_annual_dna"] != one.practices["gpad_annual_dna"]).mean() > 0.9


@pytest.mark.parametrize(
    "asked",
    [{"months": 12}, {"plant": (Plant(2.0, "low"),)}, {"events": 0.1}, {"spread": 5}, {"need": "declared"}],
    ids=lambda asked: next(iter(asked)),
)
def test_worlds_that_differ_in_one_argument_have_the_same_places_patients_and_draws(asked: dict) -> None:
    one, other = simulate.world(5, 400, 6), simulate.world(5, 400, 6, **asked)
    same = ["practice_code", "pcn_code", "icb_code", "mean_monthly_list_size", "imd2025_score", "qof_reg_dm"]
    pd.testing.assert_frame_equal(one.practices[same], other.practices[same])
    changed = {"plant": {"practice"}, "spread": {"practice"}, "need": {"need"}}.get(next(iter(asked)), set())
    for part in {"need", "icb", "pcn", "practice"} - changed:
        assert (one.truth_of()[part] == other.truth_of()[part]).all(), part
    for part in changed:
        assert (one.truth_of()[part] != other.truth_of()[part]).any(), part


def test_the_random_state_of_the_caller_is_left_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate.world(3, 300, 4, months=12, plant=(Plant(),))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"practices": 299}, "of that size"),
        ({"icbs": 43}, "of that size"),
        ({"metric": "ag_share"}, "no such metric"),
        ({"need": "none"}, "no such need"),
        ({"months": 6}, "no such months"),
        ({"spread": 2}, "spread like that"),
        ({"spread": "t"}, "spread like that"),
        ({"place_scale": -1.0}, "nought or more"),
        ({"events": 0.0}, "above nought"),
        ({"month_correlation": 1.0}, "go together"),
        ({"plant": (Plant(direction="up"),)}, "direction of a plant"),
        ({"plant": (Plant(metric="ag_share"),)}, "metric of a plant"),
        ({"plant": (Plant(practices=("A81001",)),)}, "does not have"),
        ({"plant": (Plant(practices=301),)}, "that many practices"),
        ({"plant": (Plant(practices=200), Plant(practices=200))}, "that many practices"),
        ({"practices": 300.5}, "'practices' must be a whole number"),
        ({"practices": "400"}, "'practices' must be a whole number"),
        ({"icbs": True}, "'icbs' must be a whole number"),
        ({"need_scale": "1"}, "'need_scale' must be a number"),
        ({"plant": [{"size": 3}]}, "list of Plant"),
        ({"artefacts": "merger"}, "list of Artefact"),
        ({"plant": [Plant(size=float("nan"))]}, "that size"),
        ({"plant": [Plant(size=-3.0)]}, "that size"),
        ({"plant": [Plant(practices=2.7)]}, "part of a practice"),
        ({"plant": [Plant(practices=("X10001", "X10001"))]}, "names a practice twice"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_cannot_be_drawn_is_refused(asked: dict, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        simulate.world(1, **{"practices": 300, "icbs": 4, **asked})


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: object) -> None:
    with pytest.raises(StudyError, match="'seed' must be a whole number"):
        simulate.world(seed, 300, 4)  # type: ignore[arg-type]


def test_an_england_of_42_boards_has_the_sizes_of_real_ones(yearly: simulate.World) -> None:
    boards = yearly.practices.groupby("icb_code").size()
    assert len(yearly.practices) == 6200 and len(boards) == 42
    assert boards.min() > 30 and 350 < boards.max() < 450
    nested = yearly.practices.groupby("pcn_code")[["icb_code", "sub_icb_code", "pcn_name"]].nunique()
    assert (nested == 1).all(axis=None)
    assert yearly.practices.groupby("sub_icb_code")["icb_code"].nunique().max() == 1
    for name in ("practice_code", "practice_name"):
        assert yearly.practices[name].is_unique


@pytest.mark.parametrize("metric", METRICS)
def test_the_counts_of_a_year_follow_from_its_truth(yearly: simulate.World, metric: str) -> None:
    truth = yearly.truth_of(metric)
    assert list(truth.index) == list(yearly.practices["practice_code"])
    z = surprise(yearly, metric, truth["link"])
    assert abs(z.mean()) < 4 / np.sqrt(len(z)) and z.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(z)))
    centre = yearly.spreads.set_index("outcome").loc[METRICS[metric], "centre"]
    assert np.allclose(truth["link"], centre + truth[["need", "icb", "pcn", "practice"]].sum(axis=1))
    assert (truth["period"] == truth["link"]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_the_counts_of_months_follow_from_the_truth_of_their_year(monthly: simulate.World, metric: str) -> None:
    z = surprise(monthly, metric, monthly.truth_of(metric)["period"])
    assert abs(z.mean()) < 4 / np.sqrt(len(z)) and z.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(z)))
    # ... and not from what lasts alone
    assert surprise(monthly, metric, monthly.truth_of(metric)["link"]).std() > 2


def test_a_year_is_the_sum_of_its_months(monthly: simulate.World) -> None:
    assert monthly.months is not None
    counts = monthly.months.drop(columns=["month"]).groupby("practice_code", sort=False).sum()
    year = monthly.practices.set_index("practice_code").rename(columns=lambda name: name.removeprefix("gpad_annual_"))
    year = year.rename(columns={"annual_patient_month_exposure": "registered_patients"})
    assert set(counts) == {name for name in year if name in counts} and len(counts.columns) > 18
    assert (counts == year[counts.columns]).all(axis=None)
    assert list(monthly.months["month"].unique()) == _moving.YEAR


def test_the_counts_of_every_month_fit_together(monthly: simulate.World) -> None:
    month = monthly.months
    total = month["total_appointments"]
    assert (month[["attended", "dna", "status_unknown"]].sum(axis=1) == total).all()
    intervals = ["same_day", "1_day", "2_to_7_days", "8_to_14_days", "over_14_days", "booking_unknown"]
    assert (month[intervals].sum(axis=1) == total).all()
    acute, on_the_day = month["general_consultation_acute"], month["general_consultation_acute_same_day"]
    assert (on_the_day <= acute).all() and (on_the_day <= month["same_day"]).all()
    assert (month["unmapped"] + acute <= total).all()


def test_a_list_changes_by_no_more_than_its_table_says(monthly: simulate.World) -> None:
    lists = monthly.months["registered_patients"].to_numpy().reshape(-1, 12)
    largest = (100 * np.abs(np.diff(lists, axis=1)) / lists[:, :-1]).max(axis=1)
    said = monthly.practices["maximum_percentage_monthly_change"].to_numpy()
    # Patients are whole, so the change of a list of 1,000 is known to a tenth of a per cent.
    assert np.abs(largest - said).max() < 100 * 2.5 / lists.min()


@pytest.mark.parametrize("metric", METRICS)
def test_movement_has_the_variance_and_the_correlation_asked_for(metric: str) -> None:
    world = simulate.world(4, 3000, 12, months=12, month_correlation=0.7, movement=2.0)
    asked = world.spreads.set_index("metric").loc[metric]
    assert asked["month_variance"] == 2 * _world.constants("movement")["outcome"][METRICS[metric]]
    moved = world.moved[METRICS[metric]]
    # A practice's twelve months tell about as much as twelve times (1 - rho²) / (1 + rho²) independent ones.
    error = np.sqrt(2 / (moved.size * (1 - 0.49) / (1 + 0.49)))
    assert moved.var() == pytest.approx(asked["month_variance"], rel=4 * error)
    assert moved[:, 0].var() == pytest.approx(moved[:, -1].var(), rel=4 * np.sqrt(4 / len(moved)))
    beside = np.corrcoef(moved[:, :-1].ravel(), moved[:, 1:].ravel())[0, 1]
    assert beside == pytest.approx(0.7, abs=4 * np.sqrt((1 - 0.49) / moved.size))
    factor = float(averaging_factor(12, 0.7))
    assert asked["period_variance"] == pytest.approx(factor * asked["month_variance"])
    assert moved.mean(axis=1).var() == pytest.approx(asked["period_variance"], rel=4 * np.sqrt(2 / len(moved)))


def test_without_movement_months_are_only_parts_of_a_year() -> None:
    world = simulate.world(4, 300, 4, months=12, movement=0.0)
    truth = world.truth_of()
    assert np.allclose(truth["period"], truth["link"])
    assert world.spreads["period_variance"].eq(0).all() and not np.any(world.moved["same_day"])


@pytest.mark.parametrize("lasting", [-3.0, -0.3, 1.0])
def test_what_lasts_is_the_mean_of_ever_more_months(lasting: float) -> None:
    variance = 0.5
    about = _moving.before_moving(np.array([lasting]), variance, rate=False)[0]
    months = about + np.sqrt(variance) * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert special.logit(special.expit(months).mean()) == pytest.approx(lasting, abs=1e-4)
    about = _moving.before_moving(np.array([lasting]), variance, rate=True)[0]
    assert np.log(np.exp(about + np.sqrt(variance) * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)).mean()) == (
        pytest.approx(lasting, abs=1e-4)
    )


@pytest.mark.parametrize("metric", METRICS)
def test_declared_coefficients_give_the_need_that_was_drawn_with(monthly: simulate.World, metric: str) -> None:
    card = monthly.coefficients[monthly.coefficients["metric"] == metric]
    design = monthly.design_of(metric)
    assert list(card["term"]) == list(design.terms["term"]) and len(card) > 8
    expected = design.matrix @ card["coefficient"].to_numpy()
    truth = monthly.truth_of(metric)
    centre = monthly.spreads.set_index("metric").loc[metric, "centre"]
    assert np.allclose(expected, centre + truth["need"].to_numpy(), atol=1e-12)
    # Little of the need of patients is lost on the way to the columns of the card.
    whole = simulate.world(11, need="patients").truth_of(metric)["need"]
    assert np.corrcoef(whole, truth["need"])[0, 1] > 0.9


@pytest.fixture(scope="module")
def table(monthly: simulate.World, tmp_path_factory: pytest.TempPathFactory) -> PracticeTable:
    return gpvar.build_table(monthly.write(tmp_path_factory.mktemp("monthly")))


def test_a_study_of_a_declared_world_builds_the_same_columns(monthly: simulate.World, table: PracticeTable) -> None:
    card = monthly.coefficients[monthly.coefficients["metric"] == "same_day_share"]
    fitted = ~table.practices["practice_code"].isin(table.excluded["practice_code"]).to_numpy()
    design = build(table.practices, declared("same_day_share"), fitted)
    own = monthly.design_of().matrix
    assert np.allclose(design.matrix, own, atol=1e-9)
    assert list(design.terms["term"]) == list(card["term"])
    assert set(characteristics(monthly.practices)) >= {"imd2025", "age_sex.share_65plus", "qof_dm.numerator"}


def test_the_tool_measures_the_movement_that_was_asked_for(monthly: simulate.World, table: PracticeTable) -> None:
    card = catalogue.metric("same_day_share")
    rows = passing.measure(table, card, observed.ends(table, card, observed.outcomes_of(table, card.id))[0])
    used = rows[rows["used"].astype(bool)].iloc[0]
    asked = monthly.spreads.set_index("metric").loc["same_day_share"]
    assert used["rho_from"] == "estimated"
    assert abs(used["v"] - asked["month_variance"]) < 4 * used["v_se"]
    assert used["rho"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("asked", [{}, {"need_scale": 2.0}, {"need_scale": 0.0}])
def test_need_is_scaled(yearly: simulate.World, asked: dict) -> None:
    need = simulate.world(11, **asked).truth_of()["need"]
    assert np.allclose(need, asked.get("need_scale", 1.0) * yearly.truth_of()["need"])


def test_without_need_no_coefficient_but_the_centre_is_left() -> None:
    world = simulate.world(2, 400, 5, need="declared", need_scale=0.0)
    slopes = world.coefficients[world.coefficients["term"] != "intercept"]["coefficient"]
    assert np.allclose(slopes, 0, atol=1e-12) and len(slopes) > 30


@pytest.mark.parametrize("scales", [(1.0, 1.0), (2.0, 0.5)])
def test_levels_have_the_spreads_asked_for(scales: tuple[float, float]) -> None:
    world = simulate.world(8, place_scale=scales[0], spread="normal", spread_scale=scales[1])
    places = world.practices[["icb_code", "pcn_code"]]
    for metric in METRICS:
        truth, asked = world.truth_of(metric).reset_index(), world.spreads.set_index("metric").loc[metric]
        card = _world.constants("england")["outcomes"][METRICS[metric]]
        assert asked["icb"] == scales[0] * card["icb"] and asked["practice"] == scales[1] * card["practice"]
        for level, column in (("icb", "icb_code"), ("pcn", "pcn_code")):
            drawn = truth[level].groupby(places[column]).first()
            assert drawn.std() == pytest.approx(asked[level], rel=4 / np.sqrt(2 * len(drawn)))
        assert truth["practice"].std() == pytest.approx(asked["practice"], rel=4 / np.sqrt(2 * len(truth)))
        found = levels(truth[["icb", "pcn", "practice"]].sum(axis=1), places["icb_code"], places["pcn_code"])
        assert found["practice"] == pytest.approx(asked["practice"], rel=0.05)
        assert asked["shared"] == pytest.approx(np.sqrt(asked["icb"] ** 2 + asked["pcn"] ** 2 + asked["practice"] ** 2))


@pytest.mark.parametrize("df", [5, 12])
def test_a_t_has_the_same_sd_and_heavier_tails(df: int) -> None:
    world = simulate.world(8, spread=df)
    for metric in METRICS:
        drawn = world.truth_of(metric)["practice"] / world.spreads.set_index("metric").loc[metric, "practice"]
        kurtosis = 3 + 6 / (df - 4)
        assert drawn.std() == pytest.approx(1, abs=4 * np.sqrt((kurtosis - 1) / (4 * len(drawn))))
        # compared with the t itself, scaled
        cut = stats.t.isf(0.0005, df) * np.sqrt((df - 2) / df)
        beyond = (drawn.abs() > cut).sum()
        assert beyond == pytest.approx(0.001 * len(drawn), abs=4 * np.sqrt(0.001 * len(drawn)))
        assert stats.kstest(drawn * np.sqrt(df / (df - 2)), "t", args=(df,)).pvalue > FALSE_ALARM
    assert world.spreads["df"].eq(df).all()


def test_a_normal_spread_is_normal_where_the_measured_one_is_not(yearly: simulate.World) -> None:
    drawn = simulate.world(11, spread="normal").truth_of("face_to_face_share")["practice"]
    assert abs(stats.kurtosis(drawn)) < 4 * np.sqrt(24 / len(drawn))
    assert stats.kurtosis(yearly.truth_of("face_to_face_share")["practice"]) > 1
    assert (yearly.truth_of()["practice"] == simulate.world(11, spread="normal").truth_of()["practice"]).all()


@pytest.mark.parametrize("direction", ["high", "low"])
def test_plants_stand_where_they_were_put(direction: str) -> None:
    sign = 1 if direction == "high" else -1
    plants = (Plant(3.0, direction, 0.02), Plant(2.0, direction, 7, metric="dna_share", on_top=False))
    world, bare = simulate.world(9, 800, 6, plant=plants), simulate.world(9, 800, 6)
    shared = world.spreads.set_index("metric")["shared"]
    first, second = (world.planted[world.planted["plant"] == number] for number in (0, 1))
    assert (len(first), len(second)) == (16, 7) and world.planted["practice_code"].is_unique
    moved = (world.truth_of()["link"] - bare.truth_of()["link"])[first["practice_code"]]
    assert np.allclose(moved, sign * 3 * shared["same_day_share"])
    left = world.truth_of("dna_share").loc[second["practice_code"], ["icb", "pcn", "practice"]].sum(axis=1)
    assert np.allclose(left, sign * 2 * shared["dna_share"])
    others = ~world.practices["practice_code"].isin(world.planted["practice_code"]).to_numpy()
    for metric in METRICS:
        assert (world.truth_of(metric)["link"][others] == bare.truth_of(metric)["link"][others]).all()


def test_plants_can_be_named_and_are_counted_from() -> None:
    codes = ("X10001", "X10120")
    world, bare = (simulate.world(9, 800, 6, plant=plant) for plant in ((Plant(4.0, "high", codes),), ()))
    assert tuple(world.planted["practice_code"]) == codes
    for code in codes:
        row = world.practices["practice_code"] == code
        p = special.expit(world.truth_of().loc[code, "link"])
        top, base = (values[row.to_numpy()][0] for values in counted(world.practices, "same_day_share"))
        assert abs(top - base * p) < 5 * np.sqrt(base * p * (1 - p))
        assert top > counted(bare.practices, "same_day_share")[0][row.to_numpy()][0]


def test_fewer_events_leave_the_truth_and_the_patients() -> None:
    few, all_ = (simulate.world(9, 800, 6, events=events) for events in (0.01, 1.0))
    ratio = counted(few.practices, "same_day_share")[1].sum() / counted(all_.practices, "same_day_share")[1].sum()
    assert ratio == pytest.approx(0.01, rel=0.02)
    pd.testing.assert_frame_equal(few.truth, all_.truth)
    assert (few.practices["mean_monthly_list_size"] == all_.practices["mean_monthly_list_size"]).all()
    z = surprise(few, "same_day_share", few.truth_of()["link"])
    assert z.std() == pytest.approx(1, abs=0.12)


def test_a_study_of_a_world_with_fewer_events_is_not_stopped(tmp_path: Path) -> None:
    world = simulate.world(9, 800, 6, events=0.01)
    gates = gpvar.build_table(world.write(tmp_path)).gates.set_index("gate")["state"]
    assert "failed" not in set(gates.loc[["appointments_under_one_per_patient", "list_under_1000"]])


@pytest.mark.parametrize("months", [0, 12])
def test_a_world_is_written_as_a_study_that_runs(tmp_path: Path, months: int) -> None:
    world = simulate.world(9, 400, 5, months=months, metric="dna_share")
    path = world.write(tmp_path, adjust={"M1": ["imd2025"], "M2": ["rurality"]})
    study = gpvar.load_study(path)
    assert study.simulated and study.metrics == ("dna_share",)
    assert (
        gpvar.load_study(world.study(adjust={"M1": ["imd2025"], "M2": ["rurality"]}), base=tmp_path).hash == study.hash
    )
    table = gpvar.build_table(study)
    top, base = counted(world.practices, "dna_share")
    seen = table.outcomes.set_index("practice_code").loc[world.practices["practice_code"]]
    assert (seen["numerator"] == top).all() and (seen["denominator"] == base).all()
    assert table.area_name and len(table.area_codes) > 20


def test_every_metric_of_the_demonstration_can_be_asked_of_a_world(tmp_path: Path) -> None:
    world = simulate.world(9, 400, 5, months=12)
    metrics = (*METRICS, "within_14_days_share", "urgent_same_day_share", "ag_requests_per_1000", "ag_share",
               "referrals_per_1000")  # fmt: skip
    table = gpvar.build_table(world.write(tmp_path, metrics))
    assert set(table.outcomes["metric"]) == set(metrics)
    assert table.outcomes["state"].eq("").all()


def test_no_board_has_a_real_name_or_code(yearly: simulate.World) -> None:
    boards = catalogue.icbs()
    known = {board.name.upper() for board in boards.values()}
    assert len(known) > 36
    assert set(yearly.practices["icb_code"]).isdisjoint(boards)
    assert set(yearly.practices["icb_name"].str.upper()).isdisjoint(known)


ASKED = {"payment_cap": ("ag_requests_per_1000",), "suppression": ("ag_requests_per_1000",),
         "remapping": ("urgent_same_day_share", "same_day_share", "dna_share")}  # fmt: skip


def spoiled(folder: Path, *artefacts: Artefact, months: int = 12) -> tuple[simulate.World, PracticeTable]:
    """Return a world in which things went wrong, and what the tool reads of it."""
    world = simulate.world(5, 400, 6, months=months, artefacts=artefacts)
    metrics = ASKED.get(artefacts[0].kind, ("same_day_share",))
    return world, gpvar.build_table(world.write(folder, metrics))


def failing(table: PracticeTable, gate: str) -> set[str]:
    rows = table.gates[(table.gates["gate"] == gate) & (table.gates["state"] == "failed")]
    return set(rows["practice_code"]) - {""}


@pytest.fixture(scope="module")
def sound() -> simulate.World:
    return simulate.world(5, 400, 6, months=12)


def test_no_artefact_touches_what_is_true(sound: simulate.World) -> None:
    every = [Artefact(kind) for kind in ("remapping", "payment_cap", "shared_phone", "merger", "suppression",
                                         "stale_covariates")]  # fmt: skip
    world = simulate.world(5, 400, 6, months=12, artefacts=every)
    pd.testing.assert_frame_equal(world.truth, sound.truth)
    pd.testing.assert_frame_equal(world.patients, sound.patients)
    assert [item.kind for item in world.artefacts] == [item.kind for item in every]
    # each is of other practices, but for those of a whole file
    few = [set(item.practices) for item in world.artefacts[:4]]
    assert sum(map(len, few)) == len(set.union(*few))


@pytest.mark.parametrize("kind", ["remapping", "payment_cap", "merger", "stale_covariates"])
def test_what_changed_leads_back_to_the_tables_as_they_were(sound: simulate.World, kind: str) -> None:
    world = simulate.world(5, 400, 6, months=12, artefacts=(Artefact(kind),))
    changed = world.artefacts[0].changed
    assert (changed["shown"] != changed["own"]).all()
    for name in ("practices", "months"):
        keys = ["practice_code", "month"] if name == "months" else ["practice_code"]
        before, now = (getattr(item, name).set_index(keys).select_dtypes("number") for item in (sound, world))
        own = changed[changed["table"] == name].pivot(index=keys, columns="column", values="own")
        restored = own.reindex(index=before.index, columns=before.columns).combine_first(now.reindex(before.index))
        assert np.array_equal(before.to_numpy(float), restored[before.columns].to_numpy(float), equal_nan=True)
        assert len(own) or name == "months"


@pytest.fixture(scope="module")
def remapped(tmp_path_factory: pytest.TempPathFactory) -> tuple[simulate.World, PracticeTable]:
    return spoiled(tmp_path_factory.mktemp("published"), Artefact("remapping", 5, month="2025-10"))


def test_labels_that_move_are_seen_by_the_gate_on_labels(
    remapped: tuple[simulate.World, PracticeTable], sound: simulate.World
) -> None:
    world, table = remapped
    done = world.artefacts[0]
    assert done.gate == "mapping_step" and len(done.practices) == 5
    assert set(done.practices) <= failing(table, "mapping_step")
    own = done.changed[done.changed["month"] != ""]
    assert own["month"].min() == "2025-10"
    assert set(own["column"]) == {"general_consultation_acute", "general_consultation_acute_same_day"}
    # An appointment in four has another label, and nothing else of it is different.
    acute = own[own["column"] == "general_consultation_acute"]
    months = sound.months[sound.months["practice_code"].isin(done.practices) & (sound.months["month"] >= "2025-10")]
    moved = (acute["shown"] - acute["own"]).sum() / months["total_appointments"].sum()
    assert moved == pytest.approx(0.25, abs=0.02)


def test_months_written_as_published_say_what_the_table_says(
    remapped: tuple[simulate.World, PracticeTable],
) -> None:
    world, table = remapped
    year = world.practices.set_index("practice_code").rename(columns=lambda name: name.removeprefix("gpad_annual_"))
    for metric, (top, base) in {
        "urgent_same_day_share": (["general_consultation_acute_same_day"], ["general_consultation_acute"]),
        "same_day_share": COUNTS["same_day_share"],
        "dna_share": COUNTS["dna_share"],
    }.items():
        seen = table.outcomes[table.outcomes["metric"] == metric].set_index("practice_code").loc[year.index]
        assert (seen["numerator"] == year[top].sum(axis=1)).all(), metric
        assert (seen["denominator"] == year[base].sum(axis=1)).all(), metric


@pytest.mark.parametrize("months", [0, 12])
def test_requests_that_stop_at_a_cap_are_seen_by_the_gate_on_caps(tmp_path: Path, months: int) -> None:
    world, table = spoiled(tmp_path, Artefact("payment_cap", 0.02, 0.5), months=months)
    done = world.artefacts[0]
    assert done.gate == "ag_capped" and len(done.practices) == 8
    assert failing(table, "ag_capped") == set(done.practices)
    year = done.changed[done.changed["month"] == ""]
    assert (year["shown"] == np.floor(0.5 * year["own"])).all()


def test_a_shared_telephone_account_shows_its_calls_against_every_practice(tmp_path: Path) -> None:
    world, table = spoiled(tmp_path, Artefact("shared_phone", 3))
    done = world.artefacts[0]
    assert done.gate == "" and (tmp_path / "telephony.csv").exists()
    shown = world.beside["telephony"].set_index("practice_code")
    own = done.changed[done.changed["column"] == "calls"].set_index("practice_code")["own"]
    for account, rows in shown[shown["account"].str.startswith("U")].groupby("account"):
        assert rows["calls"].nunique() == 1 and rows["calls"].iloc[0] == own[rows.index].sum(), account
        networks = world.practices.set_index("practice_code").loc[rows.index, "pcn_code"]
        assert set(networks) == {account}
    assert len(own) == shown["account"].str.startswith("U").sum()
    alone = shown[~shown["account"].str.startswith("U")]
    assert (alone["account"] == alone.index).all()
    assert table.outcomes["state"].eq("").all()


@pytest.mark.parametrize("recorded", [False, True])
def test_a_merger_is_seen_with_and_without_a_record_of_it(
    tmp_path: Path, sound: simulate.World, recorded: bool
) -> None:
    world, table = spoiled(tmp_path, Artefact("merger", 3, month="2025-11", recorded=recorded))
    done = world.artefacts[0]
    assert done.gate == "merger_or_list_jump" and len(done.practices) == 6
    grown = failing(table, "merger_or_list_jump")
    assert len(grown) == 3 and grown < set(done.practices)
    seen = table.outcomes.set_index("practice_code")
    before = sound.practices.set_index("practice_code")["gpad_annual_total_appointments"]
    months = sound.months.set_index(["practice_code", "month"])["total_appointments"]
    left = set(done.practices) - grown
    shown = seen["denominator"]
    if recorded:
        # Both practices' whole years stand under the one code that is left.
        assert left.isdisjoint(seen.index)
        assert shown[sorted(grown)].sum() == before[list(done.practices)].sum()
    else:
        for code in left:
            assert shown[code] == months.loc[code][:"2025-10"].sum()
            assert seen.loc[code, "months"] == 7
        assert shown[list(done.practices)].sum() == before[list(done.practices)].sum()
    assert len(world.months) == len(sound.months) - 3 * 5


@pytest.mark.parametrize(("below", "mark"), [(5, "*"), (8, "<8")])
def test_small_counts_are_hidden_and_seen_as_hidden(tmp_path: Path, below: int, mark: str) -> None:
    world, table = spoiled(tmp_path, Artefact("suppression", size=below))
    done = world.artefacts[0]
    written = pd.read_csv(tmp_path / "months.csv", dtype=str).set_index(["practice_code", "month"])
    real = world.months.set_index(["practice_code", "month"])
    counts = real.drop(columns="registered_patients")
    hidden = written[counts.columns] == mark
    assert (hidden == ((counts < below) & ((counts > 0) | (below != 5)))).all(axis=None)
    assert int(hidden.sum().sum()) == len(done.changed) and done.changed["shown"].isna().all()
    concerned = set(done.changed.loc[done.changed["column"] == "ag_requests", "practice_code"])
    assert done.gate == "suppressed" and failing(table, "suppressed") == concerned and len(concerned) > 5
    seen = table.outcomes.set_index("practice_code").loc[sorted(concerned)]
    truth = world.practices.set_index("practice_code").loc[sorted(concerned), "ag_requests"]
    assert seen["state"].eq("suppressed").all()
    assert (seen["numerator_low"] <= truth).all() and (truth <= seen["numerator_high"]).all()


def test_stale_characteristics_are_seen_by_their_date_and_say_less(tmp_path: Path, sound: simulate.World) -> None:
    world, table = spoiled(tmp_path, Artefact("stale_covariates", size=4))
    assert world.artefacts[0].gate == "covariate_old"
    rows = table.gates[(table.gates["gate"] == "covariate_old") & (table.gates["state"] == "failed")]
    assert len(rows) == 3 and rows["detail"].str.contains("42 months before|49 months before").all()
    for name in ("share_65plus", "qof_reg_dm"):
        kept = np.corrcoef(world.practices[name], sound.practices[name])[0, 1]
        assert 0.7 < kept < 0.99
    assert (world.practices["imd2025_score"] == sound.practices["imd2025_score"]).all()
    need = world.truth_of("dna_share")["need"].to_numpy()
    then, now = (np.corrcoef(need, item.practices["share_65plus"])[0, 1] ** 2 for item in (world, sound))
    assert then < now


@pytest.mark.parametrize(
    ("artefact", "months", "said"),
    [
        (Artefact("fire"), 12, "no artefact called"),
        (Artefact("merger"), 0, "without months"),
        (Artefact("remapping"), 0, "without months"),
        (Artefact("remapping", month="2025-04"), 12, "cannot begin"),
        (Artefact("suppression", size=6), 12, "below 5 or below 8"),
        (Artefact("stale_covariates", 3), 12, "some practices alone"),
        (Artefact("payment_cap", 401), 12, "that many practices"),
        (Artefact("payment_cap", ("A81001",)), 12, "does not have"),
    ],
)
def test_artefacts_that_cannot_be_made_are_refused(artefact: Artefact, months: int, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        simulate.world(5, 400, 6, months=months, artefacts=(artefact,))


def test_artefacts_leave_planted_practices_alone() -> None:
    world = simulate.world(5, 400, 6, months=12, plant=(Plant(practices=200),),
                           artefacts=(Artefact("merger", 20), Artefact("payment_cap", 20)))  # fmt: skip
    done = {code for item in world.artefacts for code in item.practices}
    assert done.isdisjoint(world.planted["practice_code"]) and len(done) == 60


def test_the_worked_example_prints_what_its_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
    code, printed = (re.search(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL) for kind in ("python", "text"))
    assert code is not None and printed is not None
    exec(compile(code[1], "docs/simulate.md", "exec"), {})
    assert capsys.readouterr().out == printed[1]


def test_the_page_lists_every_argument_part_and_kind() -> None:
    text = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)", text))
    assert set(inspect.signature(simulate.world).parameters) <= named
    assert set(KINDS) <= named and {kind.gate for kind in KINDS.values() if kind.gate} <= named
    assert {"practices", "months", "truth", "coefficients", "spreads", "moved", "planted", "artefacts"} <= named
