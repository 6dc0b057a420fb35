"""METHODS 12, the bars for claims: in Englands whose truth is known, how often is a finding right, wrong, or open?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from gpvar import claims
from gpvar.results import Claim, Figure, Finding, Run
from tests.claim_worlds import METRIC, World, world

SEEDS = (11, 12)
TAIL = 0.10
#: Practices of a world about which the sentence is made.
MOST = 240
LINE = Figure("30%", 30.0, 0, True)


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def all_of(made: World, run: Run, template: str, direction: str, most: int = MOST, **more: object) -> pd.DataFrame:
    """Return the finding on practices of a world for one kind of sentence, beside the truth.

    Of the lowest observed figures only, so that the sentence is worth making: the truth played no part in the choice.
    """
    observed = made.top.sum(axis=1) / made.every.sum(axis=1)
    codes = made.frame["practice_code"].to_numpy()[np.argsort(observed)[:most]]
    said = [
        Claim(str(i), template, practice=code, practice_code=code, metric=METRIC, direction=direction, **more)  # type: ignore[arg-type]
        for i, code in enumerate(codes)
    ]
    found: Sequence[Finding] = claims.check_all(said, run)
    frame = made.frame.set_index("practice_code").loc[codes]
    frame["verdict"] = [item.verdict for item in found]
    for name in ("p_raw", "p"):
        frame[name] = [item.numbers.get(name, np.nan) for item in found]
    effects = run.analyses[METRIC].effects.set_index(["practice_code", "rung"])
    for rung in ("M0", "M1"):
        rows = effects.xs(rung, level="rung").reindex(frame.index)
        frame[f"sd_{rung}"] = (rows["effect_upper"] - rows["effect_lower"]) / 3.92
        frame["reliability"] = rows["reliability"]
    return frame


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[World, Run]]:
    made = [world(seed, need=0.3) for seed in SEEDS]
    return [(item, item.run(tmp_path_factory.mktemp(f"world-{item.seed}"))) for item in made]


@pytest.fixture(scope="module")
def in_the_lowest_tenth(worlds: list[tuple[World, Run]]) -> pd.DataFrame:
    return pd.concat([with_tail(made, all_of(made, run, "tail", "low")) for made, run in worlds])


def with_tail(made: World, frame: pd.DataFrame) -> pd.DataFrame:
    """Add whether the sentence is true, and whether its truth is clear by two posterior standard deviations."""
    everyone = made.frame.set_index("practice_code")
    rural = (everyone["rurality"] == "Rural") - 0.2
    true = {"M0": everyone["lasting"], "M1": everyone["left"] + 0.1 * rural, "M2": everyone["left"]}
    cuts = {rung: np.quantile(value, TAIL) for rung, value in true.items()}
    beside = {rung: value[frame.index] for rung, value in true.items()}
    frame["raw"] = beside["M0"] < cuts["M0"]
    frame["fair"] = (beside["M1"] < cuts["M1"]) & (beside["M2"] < cuts["M2"])
    frame["clear"] = (beside["M0"] - cuts["M0"]).abs() > 2 * frame["sd_M0"]
    for rung in ("M1", "M2"):
        frame["clear"] &= (beside[rung] - cuts[rung]).abs() > 2 * frame["sd_M1"]
    return frame


def test_figures_are_steady_enough_for_the_bars_to_speak_of_them(in_the_lowest_tenth: pd.DataFrame) -> None:
    assert (in_the_lowest_tenth["reliability"] >= 0.9).all()
    assert in_the_lowest_tenth["clear"].mean() > 0.2


def test_a_true_rank_is_found_and_a_false_one_refused(in_the_lowest_tenth: pd.DataFrame) -> None:
    clear = in_the_lowest_tenth[in_the_lowest_tenth["clear"]]
    true, false = clear[clear["raw"] & clear["fair"]], clear[~clear["raw"]]
    assert len(true) > 40 and len(false) > 60
    assert (true["verdict"] == "supported").mean() >= 0.75
    assert (false["verdict"] == "contradicted").mean() >= 0.75
    decided = pd.concat([true, false])["verdict"] != "not_decidable"
    assert decided.mean() >= 0.80
    assert (true["verdict"] == "contradicted").mean() <= 0.01
    assert (false["verdict"] == "supported").mean() <= 0.01


def test_a_rank_that_is_the_patients_doing_is_never_said_to_hold(in_the_lowest_tenth: pd.DataFrame) -> None:
    clear = in_the_lowest_tenth[in_the_lowest_tenth["clear"]]
    of_need = clear[clear["raw"] & ~clear["fair"]]
    assert len(of_need) > 0 and not (of_need["verdict"] == "supported").any()


def deciles(p: pd.Series, true: pd.Series) -> pd.DataFrame:
    """Return how often a sentence was true among those with a chance in each tenth from 0 to 1."""
    table = pd.DataFrame({"p": p, "true": true}).dropna()
    table["tenth"] = np.minimum((10 * table["p"]).astype(int), 9)
    found = table.groupby("tenth").agg(n=("true", "size"), p=("p", "mean"), true=("true", "mean"))
    found["se"] = np.sqrt(found["p"] * (1 - found["p"]) / found["n"])
    return found


def test_the_chance_of_a_rank_is_how_often_it_is_true(in_the_lowest_tenth: pd.DataFrame) -> None:
    frame = in_the_lowest_tenth
    found = deciles(frame["p_raw"], frame["raw"])
    assert ((found["true"] - found["p"]).abs() <= 3.5 * found["se"] + 0.02).all(), found


def test_a_threshold_is_found_crossed_or_not_as_it_is(worlds: list[tuple[World, Run]]) -> None:
    frame = pd.concat([all_of(made, run, "rag_red", "low", threshold=LINE) for made, run in worlds])
    line = logit(0.30)
    frame["true"] = frame["period"] < line
    gap = frame["period"] - np.concatenate([[made.frame["period"].median()] * MOST for made, _ in worlds])
    # The line is the board's own; with England's mix of patients it would lie on the other side of it, and half of the
    # gap is the patients': true, and no fair comparison.
    frame["of_need"] = frame["true"] & (frame["period"] - frame["need"] >= line) & (frame["need"] / gap >= 0.5)
    sampling = 0.02
    clear = frame[(frame["period"] - line).abs() > 2 * sampling]
    true, false = clear[clear["true"] & ~clear["of_need"]], clear[~clear["true"]]
    assert (true["verdict"] == "supported").mean() >= 0.75
    assert (false["verdict"] == "contradicted").mean() >= 0.75
    assert (pd.concat([true, false])["verdict"] != "not_decidable").mean() >= 0.80
    assert (true["verdict"] == "contradicted").mean() <= 0.01
    assert not (false["verdict"] == "supported").mean() > 0.01


def test_the_chance_of_a_threshold_is_how_often_it_is_true(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = world(21, size=300)
    run = made.run(tmp_path_factory.mktemp("small"))
    lines = [Figure(f"{x}%", float(x), 0, True) for x in (26, 30, 34, 38)]
    frames = [all_of(made, run, "rag_red", "low", threshold=line).assign(line=line.number) for line in lines]
    frame = pd.concat(frames)
    true = frame["period"] < np.log(frame["line"] / (100 - frame["line"]))
    assert frame["p"].notna().mean() > 0.8  # of the rest so few appointments are known that nothing may be said
    found = deciles(frame["p"], true)
    assert ((found["true"] - found["p"]).abs() <= 3.5 * found["se"] + 0.02).all(), found


def test_behind_a_stop_gate_nothing_is_decided(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = world(31, practices=600)
    made.frame.loc[::3, "list_size"] *= 1000
    stopped = set(made.frame["practice_code"].iloc[::3])
    run = made.run(tmp_path_factory.mktemp("gated"))
    for template in ("tail", "below_mean", "significant", "outlier", "rag_red"):
        found = all_of(made, run, template, "low", 60, threshold=LINE if template == "rag_red" else None)
        behind = found.index.isin(stopped)
        assert behind.sum() > 15 and (found.loc[behind, "verdict"] == "not_decidable").all(), template
        assert (found.loc[~behind, "verdict"] != "not_decidable").mean() > 0.5, template


def test_the_rest_of_a_year_is_what_is_left_when_its_first_month_is_taken_off(worlds: list[tuple[World, Run]]) -> None:
    made, run = worlds[0]
    code, rest = str(made.frame["practice_code"].iloc[7]), "2025-05..2026-03"
    said = Claim("1", "change", practice=code, practice_code=code, metric=METRIC, direction="high",
                 period_before="2025-04", period=rest)  # fmt: skip
    found = claims.check_claim(said, run)
    before, after = made.top[7, :1].sum() / made.every[7, :1].sum(), made.top[7, 1:].sum() / made.every[7, 1:].sum()
    assert found.numbers["before"] == pytest.approx(before) and found.numbers["after"] == pytest.approx(after)
    assert found.source["period"] == rest and "chance_not_separated" not in found.because
    assert "period_derived" in found.because
    assert found.numbers["derived"] == [[rest, "2025-04..2026-03", "2025-04"]]
