"""Where the variation comes from, on worlds whose truth was planted and by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import schema
from gpvar.analysis import variation
from gpvar.analysis.observed import Counts
from gpvar.errors import ConvergenceError
from gpvar.results import Analysis
from gpvar.stats import multilevel, partition
from gpvar.table import PracticeTable

BOARDS, NETWORKS, PRACTICES = 30, 8, 5
SDS = {"icb": 0.15, "pcn": 0.2, "practice": 0.3}
NEED, SETTING, CONTEXT = 0.25, 0.15, 0.6
WIDE, WIDE_TIMES = "QZ07", 2.0
METRIC = "same_day_share"
WITHOUT_SETTING, HIDDEN = 40, 25
TABLES = ("levels", "coefficients", "shares", "rungs", "equity", "boards", "board_slopes")


def world(contextual: float = 0.0, seed: int = 5) -> pd.DataFrame:
    """Return practices in networks in boards, one board twice as spread, with what was planted beside the counts."""
    rng = np.random.default_rng(seed)
    board = np.repeat(np.arange(BOARDS), NETWORKS * PRACTICES)
    network = np.repeat(np.arange(BOARDS * NETWORKS), PRACTICES)
    n = len(board)
    imd = 50.0 + rng.normal(0, 6, BOARDS)[board] + rng.normal(0, 8, n)
    rural = rng.random(n) < 0.3
    need = NEED * (imd - imd.mean()) / imd.std()
    setting = SETTING * (rural - rural.mean()) / rural.std()
    mean_imd = pd.Series((imd - imd.mean()) / imd.std()).groupby(board).transform("mean").to_numpy()
    own = rng.normal(0, SDS["practice"], n) * np.where(board == int(WIDE[2:]), WIDE_TIMES, 1.0)
    place = rng.normal(0, SDS["icb"], BOARDS)[board] + rng.normal(0, SDS["pcn"], BOARDS * NETWORKS)[network]
    link = -0.4 + need + setting + place + own + contextual * mean_imd
    total = rng.integers(20_000, 80_000, n)
    return pd.DataFrame(
        {
            "code": [f"A{81000 + i:05d}" for i in range(n)],
            "icb": [f"QZ{b:02d}" for b in board],
            "pcn": [f"U{k:05d}" for k in network],
            "region": "Y60",
            "list": total // 6,
            "same_day": rng.binomial(total, 1 / (1 + np.exp(-link))),
            "total": total,
            "imd": imd,
            "rural": np.where(rural, "Rural", "Urban"),
            "need": need,
            "setting": setting,
            "place": place,
            "own": own,
            "link": link,
        }
    )


def table_of(folder: Path, frame: pd.DataFrame) -> PracticeTable:
    columns = {
        "practice_code": "code",
        "icb_code": "icb",
        "pcn_code": "pcn",
        "region_code": "region",
        "list_size": "list",
        f"{METRIC}.numerator": "same_day",
        f"{METRIC}.denominator": "total",
        "imd2025": "imd",
        "rurality": "rural",
    }
    frame.to_csv(folder / "table.csv", index=False)
    declared = {
        "schema": 1,
        "title": "Variation",
        "seed": 5,
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": [METRIC],
        "area": {"kind": "icb", "code": "QZ01"},
        "adjust": {"M1": ["imd2025"], "M2": ["rurality"]},
        "source": [{"id": "local", "file": "table.csv", "columns": columns}],
    }
    return gpvar.build_table(gpvar.load_study(declared, base=folder))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return world()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame) -> PracticeTable:
    return table_of(tmp_path_factory.mktemp("variation"), frame)


@pytest.fixture(scope="module")
def analysis(table: PracticeTable) -> Analysis:
    return gpvar.analyse(table, METRIC)


@pytest.fixture(scope="module")
def patchy(tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame) -> Analysis:
    """The same world where some practices have no setting and the counts of others are hidden."""
    gaps = frame.copy()
    gaps["same_day"] = gaps["same_day"].astype(object)
    gaps.loc[: WITHOUT_SETTING - 1, "rural"] = ""
    gaps.loc[len(gaps) - HIDDEN :, "same_day"] = "*"
    return gpvar.analyse(table_of(tmp_path_factory.mktemp("patchy"), gaps), METRIC)


def test_every_table_has_the_columns_that_the_dictionary_describes(analysis: Analysis) -> None:
    for name in TABLES:
        found = getattr(analysis, name)
        assert len(found) and list(found.columns) == schema.names(name), name


def with_april(table: PracticeTable, v: float) -> PracticeTable:
    """Return the table with a month beside its year, moved by variance `v` from what the year shows."""
    year = table.outcomes.set_index("practice_code")
    rng = np.random.default_rng(11)
    trials = (year["denominator"] // 12).to_numpy()
    top, rest = year["numerator"].to_numpy(), (year["denominator"] - year["numerator"]).to_numpy()
    link = np.log(top / rest) + rng.normal(0, np.sqrt(v * 11 / 12), len(year))
    april = rng.binomial(trials.astype(int), 1 / (1 + np.exp(-link)))
    rows = [
        pd.DataFrame(
            {"practice_code": year.index, "metric": METRIC, "start": start, "end": end, "months": months,
             "numerator": numerator, "denominator": denominator}
        )
        for start, end, months, numerator, denominator in (
            ("2025-04", "2026-03", 12, top, year["denominator"].to_numpy()),
            ("2025-04", "2025-04", 1, april, trials),
        )
    ]  # fmt: skip
    return replace(table, periods=pd.concat(rows, ignore_index=True))


def test_passing_movement_is_taken_out_of_the_practices_own_share(table: PracticeTable, analysis: Analysis) -> None:
    found = gpvar.analyse(with_april(table, 0.06), METRIC)
    before, after = (each.shares.set_index("component")["variance"] for each in (analysis, found))
    moving = float(found.passing.loc[found.passing["used"], "v_period"].iloc[0])
    assert after["passing"] == pytest.approx(moving, rel=1e-9) and 0.005 < moving < 0.03
    assert after["practice"] + after["passing"] == pytest.approx(before["practice"], rel=1e-6)
    assert after[["need", "context", "neighbours"]].to_numpy() == pytest.approx(
        before[["need", "context", "neighbours"]].to_numpy(), rel=1e-6
    )
    assert found.shares["share"].sum() == pytest.approx(1.0, abs=1e-9)
    shares = found.shares.set_index("component")
    assumed = found.passing.loc[found.passing["rho_from"] == "assumed", "v_period"] / found.shares["variance"].sum()
    assert shares.loc["passing", "lower"] < assumed.min() * 1.1 and shares.loc["passing", "upper"] > assumed.max() * 0.9
    assert "passing" not in before.index and (found.shares["lower"] <= found.shares["share"]).all()
    pair = [each.rungs.set_index("rung")["variance_ratio"]["M1"] for each in (analysis, found)]
    assert pair[1] == pytest.approx(pair[0], abs=0.03)


def test_what_neighbours_share_may_be_nothing_where_nothing_was_planted(tmp_path: Path, frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(7)
    link = frame["link"] - frame["place"]
    flat = frame.assign(same_day=rng.binomial(frame["total"], 1 / (1 + np.exp(-link))))
    found = gpvar.analyse(table_of(tmp_path, flat), METRIC)
    own = found.levels[(found.levels["rung"] == "M2") & found.levels["level"].isin(["icb", "pcn"])]
    shares = found.shares.set_index("component")
    assert (own["lower"] == 0).all() and shares.loc["neighbours", "lower"] == 0
    assert shares.loc["neighbours", "upper"] < 0.15
    assert (shares["lower"] <= shares["share"]).all() and (shares["share"] <= shares["upper"]).all()


def test_the_shares_are_the_planted_ones_and_sum_to_one(analysis: Analysis, frame: pd.DataFrame) -> None:
    shares = analysis.shares.set_index("component")
    assert shares["share"].sum() == pytest.approx(1.0, abs=1e-9)
    share = 1 / (1 + np.exp(-frame["link"]))
    planted = {
        "need": frame["need"].var(),
        "context": frame["setting"].var(),
        "neighbours": SDS["icb"] ** 2 + SDS["pcn"] ** 2,
        "practice": SDS["practice"] ** 2 * (1 + (WIDE_TIMES**2 - 1) / BOARDS),
        "noise": float((1 / (frame["total"] * share * (1 - share))).mean()),
    }
    total = sum(planted.values())
    for name, variance in planted.items():
        width = (shares.loc[name, "upper"] - shares.loc[name, "lower"]) / 2
        assert abs(shares.loc[name, "share"] - variance / total) < 1.5 * width + 1e-4, name
        assert shares.loc[name, "lower"] <= shares.loc[name, "share"] <= shares.loc[name, "upper"], name


def test_the_levels_are_those_of_the_multilevel_model_itself(analysis: Analysis, frame: pd.DataFrame) -> None:
    fit = multilevel.fit("same_day ~ 1", frame, family="binomial", trials="total", groups=["icb", "pcn", "code"])
    raw = analysis.levels[analysis.levels["rung"] == "M0"]
    assert raw["level"].tolist() == ["icb", "pcn", "practice"]
    np.testing.assert_allclose(raw["sd"], fit.variances["sd"], rtol=1e-6)
    np.testing.assert_allclose(raw[["lower", "upper"]], fit.intervals()[["lower", "upper"]], rtol=1e-3)
    assert raw["units"].tolist() == [BOARDS, BOARDS * NETWORKS, len(frame)]
    np.testing.assert_allclose(raw["median_ratio"], np.exp(np.sqrt(2) * 0.6744897501960817 * raw["sd"]), rtol=1e-12)


def test_the_change_of_a_variance_is_from_the_raw_rung(analysis: Analysis) -> None:
    by = analysis.levels.pivot(index="level", columns="rung", values=["variance", "change"])
    by_hand = 1 - by["variance"]["M1"] / by["variance"]["M0"]
    np.testing.assert_allclose(by["change"]["M1"], by_hand, rtol=1e-12)
    assert (by["change"]["M0"] == 0).all() and by["change"]["M1"]["practice"] > 0.1


def test_every_rung_is_fitted_on_the_same_practices_and_on_no_hidden_count(patchy: Analysis) -> None:
    expected = BOARDS * NETWORKS * PRACTICES - WITHOUT_SETTING - HIDDEN
    units = patchy.levels[patchy.levels["level"] == "practice"]
    assert patchy.rungs["rung"].tolist() == ["M0", "M1", "M2"]
    assert patchy.rungs["n"].tolist() == units["units"].tolist() == [expected] * 3


def test_the_planted_coefficient_is_found(analysis: Analysis, frame: pd.DataFrame) -> None:
    # Deprivation enters as a spline of the score itself; its slope over the middle of the range is what was planted.
    rows = analysis.coefficients
    setting = rows[(rows["rung"] == "M2") & rows["term"].str.startswith("rurality")].iloc[0]
    assert abs(abs(setting["estimate"]) - SETTING) < 3 * setting["se"]
    assert setting["lower"] < setting["estimate"] < setting["upper"]


def test_the_board_that_was_made_wider_is_the_widest_and_shrunken_towards_the_others(analysis: Analysis) -> None:
    boards = analysis.boards.set_index("icb_code")
    assert len(boards) == BOARDS and boards["rank"].idxmax() == WIDE == boards["sd"].idxmax()
    middle = np.exp(np.log(boards["shrunken_sd"]).mean())
    nearer = (boards["shrunken_sd"] - middle).abs() < (boards["sd"] - middle).abs() + 0.005
    assert nearer.all()
    others = boards.drop(WIDE)
    whole = np.hypot(SDS["practice"], SDS["pcn"])
    assert others["sd"].mean() == pytest.approx(whole, rel=0.06)
    # Networks are spread alike in every board; practices of this one are spread twice as far.
    assert boards.loc[WIDE, "sd"] == pytest.approx(np.hypot(WIDE_TIMES * SDS["practice"], SDS["pcn"]), rel=0.25)
    assert others["shrunken_sd"].max() < boards.loc[WIDE, "shrunken_sd"] < boards.loc[WIDE, "sd"]


def boards_of(sizes: np.ndarray, spread: float) -> pd.DataFrame:
    """Return the boards of invented practices, 50 in each, that differ alike beyond the chance of their sizes."""
    rng = np.random.default_rng(5)
    n, boards = 50, len(sizes)
    codes = np.array([f"A{i:05d}" for i in range(n * boards)])
    trials = np.repeat(sizes, n).astype(float)
    residual = rng.normal(0, np.sqrt(spread**2 + 1 / (trials * 0.25)))
    placed = pd.DataFrame(
        {"practice_code": codes, "rung": "M0", "link_residual": residual, "centre": 0.5, "denominator": trials}
    )
    everyone = np.ones(len(codes), dtype=bool)
    icb = np.repeat([f"Q{i:02d}" for i in range(boards)], n)
    counts = Counts(codes, icb, icb, trials / 2, trials, "proportion", everyone, everyone, everyone, everyone)
    return variation._boards(counts, placed, "M0")


def test_boards_that_differ_by_chance_alone_are_all_drawn_to_one_spread() -> None:
    found = boards_of(np.repeat(50_000, 40), 0.3)
    assert found["shrunken_sd"].std() < 0.4 * found["sd"].std()
    assert found["shrunken_sd"].mean() == pytest.approx(0.3, rel=0.03)


def test_a_board_of_small_practices_is_not_more_spread_for_that() -> None:
    sizes = np.repeat(5_000, 40)
    sizes[7] = 80
    found = boards_of(sizes, 0.3).set_index("icb_code")
    # Chance alone has an SD of 0.22 there: uncorrected, 0.37 would be the widest of all.
    assert found.loc["Q07", "shrunken_sd"] == pytest.approx(0.3, abs=0.05)
    assert found["shrunken_sd"].mean() == pytest.approx(0.3, rel=0.05)


def test_noise_is_the_sampling_variance_of_a_logit(analysis: Analysis, frame: pd.DataFrame) -> None:
    row = analysis.rungs.set_index("rung").loc["M0"]
    share = frame["same_day"].sum() / frame["total"].sum()
    small, large = np.percentile(frame["total"], [5, 95])
    assert row["noise"] == pytest.approx(float((1 / (frame["total"] * share * (1 - share))).mean()), rel=0.03)
    assert row["noise_small"] == pytest.approx(1 / (small * share * (1 - share)), rel=0.03)
    assert row["noise_large"] == pytest.approx(1 / (large * share * (1 - share)), rel=0.03)


def test_the_spread_of_figures_and_their_order_are_those_of_the_practices(analysis: Analysis) -> None:
    rungs = analysis.rungs.set_index("rung")
    placed = analysis.practices[analysis.practices["comparator"] == "england"]
    by = {rung: rows.set_index("practice_code") for rung, rows in placed.groupby("rung")}
    # The judged figure carries half an event, which at 20,000 appointments moves the fifth decimal.
    tenths = by["M0"]["value"].quantile([0.1, 0.9]).tolist()
    assert rungs.loc["M0", ["p10", "p90"]].tolist() == pytest.approx(tenths, abs=2e-5)
    moved = (by["M1"]["percentile"] - by["M0"]["percentile"]).abs() >= 10 - 1e-9
    assert rungs.loc["M1", "movers"] == moved.sum() > 0
    turned = partition.kendall_reranking(by["M0"]["link_residual"], by["M1"]["link_residual"])
    assert rungs.loc["M1", "reranked"] == pytest.approx(turned) and rungs.loc["M0", "reranked"] == 0
    assert rungs.loc["M0", "movers"] == 0
    # 50,000 appointments a practice leave nothing to shrink.
    assert rungs.loc["M0", ["shrunken_p10", "shrunken_p90"]].tolist() == pytest.approx(
        rungs.loc["M0", ["p10", "p90"]].tolist(), abs=0.01
    )


def test_the_systematic_component_is_mcphersons(analysis: Analysis) -> None:
    placed = analysis.practices.query("comparator == 'england' and rung == 'M1'")
    by_hand = ((placed["observed"] - placed["expected"]) ** 2 / placed["expected"] ** 2 - 1 / placed["expected"]).mean()
    row = analysis.rungs.set_index("rung").loc["M1"]
    assert row["scv"] == pytest.approx(by_hand, rel=1e-9) and row["scv_p"] == pytest.approx(1 / 200)


def test_deprivation_by_fifth_is_the_mean_of_raw_and_of_adjusted_figures(
    analysis: Analysis, frame: pd.DataFrame
) -> None:
    raw = analysis.equity[analysis.equity["rung"] == "M0"].set_index("fifth")
    assert raw["units"].sum() == len(frame)
    most = frame.nlargest(len(frame) // 5, "imd")
    mean = most["same_day"].sum() / most["total"].sum()
    assert raw.loc[5, "value"] == pytest.approx(mean, rel=1e-9)
    after = analysis.equity[analysis.equity["rung"] == "M1"].set_index("fifth")
    assert abs(after.loc[5, "difference"]) < 0.25 * raw.loc[5, "difference"]


def test_a_boards_mix_adds_nothing_where_nothing_was_planted(analysis: Analysis) -> None:
    assert analysis.board_slopes["p_all"].iloc[0] > 0.01


def test_a_boards_mix_that_adds_something_is_found(tmp_path: Path) -> None:
    found = gpvar.analyse(table_of(tmp_path, world(contextual=CONTEXT)), METRIC).board_slopes
    assert found["p_all"].iloc[0] < 1e-4


def test_below_200_practices_there_are_no_tables(tmp_path: Path, frame: pd.DataFrame) -> None:
    few = gpvar.analyse(table_of(tmp_path, frame.head(190)), METRIC)
    assert all(getattr(few, name).empty for name in TABLES)
    assert all(list(getattr(few, name).columns) == schema.names(name) for name in TABLES)


def test_a_model_without_a_solution_leaves_every_judgement_standing(
    table: PracticeTable, analysis: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ConvergenceError("The model did not reach a maximum.", "here", "there")

    monkeypatch.setattr(multilevel, "fit_matrix", fails)
    found = gpvar.analyse(table, METRIC)
    assert all(getattr(found, name).empty for name in TABLES)
    assert [note.numbers for note in found.notes if note.id == "variation_not_found"] == [
        {"why": "The model did not reach a maximum."}
    ]
    keys = ["practice_code", "rung", "comparator"]
    both = found.practices.merge(analysis.practices, on=keys, suffixes=("", "_model"))
    assert len(both) == len(analysis.practices) == len(found.practices)
    raw = both[both["rung"] == "M0"]
    assert (raw["position"] == raw["position_model"]).all()
    assert (both["position"] == both["position_model"]).mean() > 0.95


def test_a_study_without_networks_or_with_one_board_has_fewer_levels(tmp_path: Path, frame: pd.DataFrame) -> None:
    flat = gpvar.analyse(table_of(tmp_path, frame.assign(pcn="")), METRIC)
    assert flat.levels["level"].unique().tolist() == ["icb", "practice"]
    assert flat.shares["share"].sum() == pytest.approx(1.0, abs=1e-9)
    one = replace(table_of(tmp_path, frame.assign(icb="QZ01")))
    assert gpvar.analyse(one, METRIC).levels["level"].unique().tolist() == ["pcn", "practice"]
