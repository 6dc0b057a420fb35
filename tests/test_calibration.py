"""The tool on trial, in small: that counting is exact, that a trial can be stopped, and that the bars hold."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpvar import calibration, cli, design
from gpvar.analysis.ladder import climb
from gpvar.calibration import (
    Counted,
    Settings,
    Tally,
    Trial,
    coverage,
    noise,
    plants,
    redraw,
    summary,
    trial_of,
    working,
)
from gpvar.calibration.summary import Bar, bars, ratio
from gpvar.calibration.trial import METRICS, metric_of, seed_of, turn_of
from gpvar.errors import GpvarError

#: How many Monte-Carlo standard errors an estimate of the small trial may lie outside its bar.
SLACK = 4.0
SMALL = Settings(practices=700, icbs=8, sets=((150, 4), (50, 8)), redraws=8)
OURS = ("alarms", "noise", "plants", "coverage")
SEED = 20260401


# What is counted, and how counts of many worlds become a rate.


def test_a_rate_is_a_ratio_of_sums_and_its_error_is_between_worlds() -> None:
    hits, chances = [2.0, 6.0, 4.0], [40.0, 60.0, 100.0]
    left = [2 - 0.06 * 40, 6 - 0.06 * 60, 4 - 0.06 * 100]
    by_hand = math.sqrt(3 / 2 * sum(one**2 for one in left)) / 200
    assert ratio(hits, chances) == pytest.approx((0.06, by_hand))


def test_worlds_of_one_size_give_the_error_of_a_mean() -> None:
    shares = np.array([0.03, 0.07, 0.05, 0.06, 0.01])
    estimate, se = ratio(list(100 * shares), [100.0] * 5)
    assert estimate == pytest.approx(shares.mean()) and se == pytest.approx(shares.std(ddof=1) / math.sqrt(5))


@pytest.mark.parametrize("hits", [0.0, 50.0])
def test_none_at_all_is_not_said_to_be_known_without_error(hits: float) -> None:
    estimate, se = ratio([hits] * 6, [50.0] * 6)
    assert estimate == hits / 50 and se == pytest.approx(math.sqrt((1 / 302) * (301 / 302) / 302))


def test_one_world_has_no_error_between_worlds() -> None:
    estimate, se = ratio([3.0], [60.0])
    assert estimate == 0.05 and math.isnan(se)


def counted(number: int, metric: str, *tallies: Tally) -> Counted:
    return Counted(number, 0, metric, tallies)


def test_the_table_has_all_metrics_first_then_each_and_says_how_far_from_the_bar() -> None:
    worlds = [
        counted(2, "dna_share", Tally("plants_found", 30, 60, "r 1"), Tally("plants_found", 20, 40, "r 0.9")),
        counted(1, "same_day_share", Tally("plants_found", 50, 60, "r 1"), Tally("plants_found", 10, 0, "r 0.8")),
        counted(3, "same_day_share", Tally("plants_found", 54, 60, "r 1")),
    ]
    frame = summary(worlds)
    assert frame[["group", "metric"]].to_numpy().tolist() == [
        ["r 0.9", ""], ["r 0.9", "dna_share"], ["r 1", ""], ["r 1", "dna_share"], ["r 1", "same_day_share"],
    ]  # fmt: skip
    assert frame["hits"].tolist() == [20, 20, 134, 30, 104] and frame["worlds"].tolist() == [1, 1, 3, 1, 2]
    assert frame["met"].tolist() == ["no", "no", "no", "no", "yes"]
    row = frame.iloc[2]
    assert row["distance"] == pytest.approx((row["estimate"] - 0.77) / row["se"]) and row["distance"] < 0
    pd.testing.assert_frame_equal(frame, summary(reversed(worlds)))


def test_several_counts_of_one_row_in_a_world_are_one_world() -> None:
    frame = summary([counted(1, "dna_share", *[Tally("alarms_out_50", 3, 50)] * 4)])
    assert frame.loc[0, ["hits", "chances", "worlds"]].tolist() == [12, 200, 1]


def test_between_two_bounds_the_nearer_one_counts_and_without_a_bar_none() -> None:
    inside = summary([counted(i, "dna_share", Tally("alarms_out_150", h, 100)) for i, h in ((1, 5), (2, 6.0))]).iloc[0]
    assert inside["met"] == "yes" and inside["distance"] == pytest.approx(0.005 / inside["se"])
    none = summary([counted(i, "dna_share", Tally("alarms_out_t5", h, 100)) for i, h in ((1, 5), (2, 6.0))]).iloc[0]
    assert none["met"] == "" and math.isnan(none["distance"]) and math.isnan(none["low"])


def test_what_is_no_row_of_the_table_is_refused() -> None:
    with pytest.raises(GpvarError, match="alarms_everywhere"):
        summary([counted(1, "dna_share", Tally("alarms_everywhere", 1, 2))])


def test_the_bars_are_those_that_were_declared() -> None:
    far, out = (0.001, 0.004), (0.04, 0.06)
    declared = {
        "alarms_far_england": far, "alarms_out_england": out, "alarms_far_150": far, "alarms_out_150": out,
        "alarms_far_50": (None, 0.006), "alarms_out_50": (0.035, 0.065), "noise_explained": (None, 0.01),
        "noise_explained_150": (None, 0.01),
        "plants_found": (0.77, None), "coverage_beta": (0.93, 0.97), "coverage_practice_sd": (0.93, 0.97),
        "coverage_pcn_sd": (0.93, 0.97), "coverage_icb_sd": (0.90, 0.97), "coverage_values": (0.93, 0.97),
        "coverage_ranks": (0.93, 0.97),
    }  # fmt: skip
    held = {bar.id: (bar.low, bar.high) for bar in bars().values() if bar.bound and bar.section in OURS}
    assert held == declared


# Many worlds: seeds, turns, stopping and going on.


def test_a_world_does_not_depend_on_how_many_there_are() -> None:
    assert len({seed_of(SEED, number) for number in range(1, 301)}) == 300
    assert seed_of(SEED, 7) == seed_of(SEED, 7) != seed_of(SEED + 1, 7)
    assert [metric_of(number) for number in range(1, 9)] == [*METRICS, *METRICS]
    assert [turn_of(number) for number in (1, 4, 5, 12)] == [0, 0, 1, 2]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Worlds that cost nothing; holds the numbers of those that were made."""
    numbers: list[int] = []

    def count(number: int, seed: int, settings: Settings, measures: tuple[str, ...]) -> Counted:
        numbers.append(number)
        tally = Tally("alarms_out_england", float(number), 100.0, "england")
        return Counted(number, seed_of(seed, number), metric_of(number), (tally,), {"world": 1.0, "alarms": 2.0})

    monkeypatch.setattr(working, "count_world", count)
    return numbers


def test_a_finished_world_is_not_made_again(made: list[int], tmp_path: Path) -> None:
    calibration.calibrate(3, 1, tmp_path, workers=1)
    again = calibration.calibrate(5, 1, tmp_path, workers=1)
    assert made == [1, 2, 3, 4, 5]
    assert again.loc[0, "hits"] == 15 and again.loc[0, "worlds"] == 5


def test_what_was_made_otherwise_is_not_mixed_in(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration.calibrate(2, 1, tmp_path, workers=1)
    calibration.calibrate(2, 2, tmp_path, workers=1)
    calibration.calibrate(2, 2, tmp_path, workers=1, settings=Settings(practices=300))
    calibration.calibrate(2, 2, tmp_path, workers=1, settings=Settings(practices=300), measures=("alarms",))
    monkeypatch.setattr("gpvar.__numbers__", 999)
    calibration.calibrate(2, 2, tmp_path, workers=1, settings=Settings(practices=300), measures=("alarms",))
    assert made == [1, 2] * 5


def test_a_half_written_world_is_made_again(made: list[int], tmp_path: Path) -> None:
    calibration.calibrate(2, 1, tmp_path, workers=1)
    (tmp_path / "worlds" / "0002.json").write_text('{"key": "', encoding="utf-8")
    calibration.calibrate(2, 1, tmp_path, workers=1)
    assert made == [1, 2, 2]


def test_stopping_loses_only_the_world_at_work(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = working.count_world

    def stopped(number: int, *rest: object) -> Counted:
        if number == 3:
            raise KeyboardInterrupt
        return count(number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(working, "count_world", stopped)
    with pytest.raises(KeyboardInterrupt):
        calibration.calibrate(4, 1, tmp_path, workers=1)
    monkeypatch.setattr(working, "count_world", count)
    calibration.calibrate(4, 1, tmp_path, workers=1)
    assert made == [1, 2, 3, 4]


def test_a_world_that_fails_is_named_and_stops_no_other(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = working.count_world

    def broken(number: int, *rest: object) -> Counted:
        if number == 2:
            raise ValueError("no such\nthing")
        return count(number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(working, "count_world", broken)
    said: list[str] = []
    frame = calibration.calibrate(3, 1, tmp_path, workers=1, progress=said.append)
    about = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    assert about["failures"] == [{"number": 2, "metric": "dna_share", "error": "ValueError: no such thing"}]
    assert frame.loc[0, "worlds"] == 2 and about["worlds"] == 2 and about["asked"] == 3
    assert any("World 2" in line and "no such thing" in line for line in said)
    # What failed is tried again, and then nothing is said of it any more.
    monkeypatch.setattr(working, "count_world", count)
    calibration.calibrate(3, 1, tmp_path, workers=1)
    about = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    assert made == [1, 3, 2] and about["failures"] == []


def test_a_trial_without_a_world_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for asked in ({"worlds": 0}, {"worlds": 1, "workers": 0}, {"worlds": 1, "measures": ("luck",)}):
        with pytest.raises(GpvarError, match="cannot be made"):
            calibration.calibrate(seed=1, into=tmp_path, **asked)  # type: ignore[arg-type]

    def broken(*_: object) -> Counted:
        raise ValueError("nothing works")

    monkeypatch.setattr(working, "count_world", broken)
    with pytest.raises(GpvarError, match="nothing works"):
        calibration.calibrate(1, 1, tmp_path, workers=1)
    assert not (tmp_path / "calibration.csv").exists()


def test_the_table_says_what_it_rests_on(made: list[int], tmp_path: Path) -> None:
    frame = calibration.calibrate(4, 9, tmp_path, workers=1)
    about = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    assert about["small"] and about["seed"] == 9 and about["settings"]["practices"] == Settings().practices
    assert about["seconds"] == {"total": 12.0, "per_world": 3.0, "by_measure": {"world": 1.0, "alarms": 2.0}}
    assert about["missed"] == [["alarms_out_england", "england"]]
    read = pd.read_csv(tmp_path / "calibration.csv", keep_default_na=False, na_values=[""])
    assert list(read) == list(frame) and read["hits"].tolist() == frame["hits"].tolist()


def test_the_command_makes_the_table_and_its_page(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gpvar.reporting.publish_calibration", lambda folder: folder / "the-page.html", raising=False)
    words = ["calibrate", "--worlds", "2", "--seed", "3", "--into", str(tmp_path), "--workers", "1"]
    assert cli.main(words) == cli.DONE
    said = capsys.readouterr().out
    assert "World 2 (2 of 2)" in said and "the-page.html" in said and (tmp_path / "calibration.csv").exists()


def test_two_processes_count_what_one_counts(tmp_path: Path) -> None:
    tiny = Settings(practices=300, icbs=4, redraws=1)
    both = calibration.calibrate(2, 5, tmp_path, workers=2, settings=tiny, measures=("coverage",))
    alone = summary([calibration.count_world(2, 5, tiny, ("coverage",))]).set_index(["bar", "group"])
    of_two = both[both["metric"] == metric_of(2)].set_index(["bar", "group"])
    assert len(alone) > 10 and (both["worlds"] <= 2).all() and both["worlds"].max() == 2
    pd.testing.assert_series_equal(of_two["hits"], alone.loc[alone["metric"] != "", "hits"])


# A small trial of a share and of a rate.


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    return [trial_of(number, SEED, SMALL) for number in (2, 4)]


@pytest.fixture(scope="module")
def table(trials: list[Trial]) -> pd.DataFrame:
    measures = [working.MEASURES[name] for name in OURS]
    return summary(
        Counted(trial.number, trial.seed, trial.metric, tuple(t for count in measures for t in count(trial)))
        for trial in trials
    )


def test_every_bar_of_these_measures_is_counted(table: pd.DataFrame) -> None:
    bound = {bar.id for bar in bars().values() if bar.section in OURS}
    # At r = 0.9 in the first world of a metric; the other reliabilities have their turn later.
    assert set(table["bar"]) == bound - {"plants_found_below"}


def test_the_bars_hold_in_small(table: pd.DataFrame) -> None:
    rows = table[(table["metric"] == "") & (table["met"] != "")].set_index(["bar", "group"])
    assert len(rows) > 15
    missed = {}
    for key, row in rows.iterrows():
        bar = bars()[str(key[0])]  # type: ignore[index]
        outside = max(beyond(row["estimate"], bar), 0.0)
        if outside > SLACK * max(row["se"], binomial(bar, row["chances"])):
            missed[key] = (row["estimate"], row["se"])
    assert not missed


def beyond(estimate: float, bar: Bar) -> float:
    return max(
        -math.inf if bar.low is None else bar.low - estimate, -math.inf if bar.high is None else estimate - bar.high
    )


def binomial(bar: Bar, chances: float) -> float:
    """Return the error of a share at the bar: two worlds say little of how much worlds differ."""
    at = bar.high if bar.low is None else bar.low
    assert at is not None
    return math.sqrt(at * (1 - at) / chances)


def test_a_trial_is_judged_with_months_and_stored_nowhere(trials: list[Trial]) -> None:
    for trial in trials:
        assert not trial.run.folder.exists()
        assert trial.analysis.passing["used"].any() and trial.counts.passing > 0
        assert trial.truth.index.tolist() == trial.world.practices["practice_code"].tolist()


def test_need_lies_in_the_runs_own_design_so_that_coefficients_have_true_values(trials: list[Trial]) -> None:
    for trial in trials:
        known = redraw.known_of(trial)
        matrix, _, fitted = coverage._design(trial, "M2")
        left = known.need[fitted] - matrix[fitted] @ coverage._projected(matrix[fitted], known.need[fitted])
        assert left.std() < 0.02 * known.need.std()


def test_figures_drawn_anew_have_the_spread_and_the_reliability_that_was_asked_for(trials: list[Trial]) -> None:
    trial = trials[0]
    known = replace(redraw.known_of(trial), need=np.zeros(len(trial.counts.observed)))
    for df in (0, 5):
        rng = np.random.default_rng(3)
        drawn = [redraw.redraw(trial, known, rng, df=df).link - known.centre for _ in range(60)]
        assert np.sqrt(np.mean(np.square(drawn))) == pytest.approx(known.shared, rel=0.03)
    for wanted in (0.7, 0.8, 0.9):
        moving = redraw.movement_for(trial, known, wanted)
        many = [redraw.redraw(trial, known, np.random.default_rng(i), movement=moving) for i in range(40)]
        seen = [np.log((m.counts.observed + 0.5) / (m.counts.denominator - m.counts.observed + 0.5)) for m in many]
        good = trial.counts.in_reference
        lasting = np.mean([np.cov(s[good], m.link[good]) for s, m in zip(seen, many, strict=True)], axis=0)
        assert lasting[1, 1] / lasting[0, 0] == pytest.approx(wanted, abs=0.02)


def test_a_practice_planted_very_far_out_is_always_found_on_its_side(
    trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plants, "SIZE", 12.0)
    found = {tally.bar: tally for tally in plants.measure(trials[0])}
    assert found["plants_found"].hits == found["plants_found"].chances > 5
    monkeypatch.setattr(plants, "SIZE", 0.0)
    found = {tally.bar: tally for tally in plants.measure(trials[0])}
    assert found["plants_found"].hits < 0.5 * found["plants_found"].chances


def test_noise_has_at_least_twenty_five_columns(trials: list[Trial]) -> None:
    practices, covariates = noise.with_noise(trials[0].practices, np.random.default_rng(1))
    made = design.build(practices, covariates, trials[0].counts.in_reference)
    assert made.matrix.shape[1] - 1 >= 25 and not made.dropped


def test_need_that_is_real_is_explained_where_noise_is_not(trials: list[Trial]) -> None:
    trial = trials[0]
    known = redraw.known_of(trial)
    strong = replace(known, need=4.0 * known.need)
    drawn = redraw.redraw(trial, strong, np.random.default_rng(5))
    placed = climb(drawn.counts, trial.practices, {"M0": (), "M1": trial.rungs["M1"]}).practices
    explained, _ = noise._moved(placed, "england", "", "england")
    assert explained.hits > 0.2 * explained.chances
