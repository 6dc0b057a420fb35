"""Sentences about a whole area: planted Englands in which the variation is practices', patients' or chance's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from gpvar import claims
from gpvar.claims import variation
from gpvar.claims.evidence import Evidence
from gpvar.results import Claim, Figure, Finding, Run
from gpvar.words.claims import claim_facts, finding_sentence
from tests.claim_worlds import METRIC, World, world

WEEKS = 365 / 7


def written(number: float, decimals: int = 0) -> Figure:
    return Figure(f"{number:.{decimals}f}", round(number, decimals), decimals)


def fold(run: Run, number: float, decimals: int = 1, **more: Any) -> Finding:
    return claims.check_claim(
        Claim("1", "fold", metric=METRIC, figure=written(number, decimals), comparator="icb", **more), run
    )


def gain(run: Run, number: float, direction: str = "high", **more: Any) -> Finding:
    claim = Claim("1", "opportunity", metric=METRIC, figure=written(number), direction=direction, **more)
    return claims.check_claim(claim, run)


def made(factory: pytest.TempPathFactory, name: str, own: float = 1.0, **drawn: Any) -> tuple[World, Run]:
    """Draw an England in which what patients leave is `own` times as large as elsewhere."""
    planted = world(21, 400, **drawn)
    if own != 1.0:
        less = (1 - own) * planted.frame["left"].to_numpy()
        moved = special.logit(planted.top / planted.every) - less[:, None]
        planted.top = np.round(planted.every * special.expit(moved))
        planted.frame[["left", "lasting", "period"]] -= less[:, None]
    planted.area = "QBB"
    return planted, planted.run(factory.mktemp(name))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """An England in which practices differ for reasons of their own."""
    return made(tmp_path_factory, "own")


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """An England in which they differ with their patients' deprivation."""
    return made(tmp_path_factory, "patients", need=0.9)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """An England in which most of the year's differences pass."""
    return made(tmp_path_factory, "noisy", month=0.16, need=0.05, own=0.3)


@pytest.fixture(scope="module")
def without_months(tmp_path_factory: pytest.TempPathFactory) -> Run:
    planted = world(21, 400)
    planted.area = "QBB"
    folder = tmp_path_factory.mktemp("year")
    study = planted.write(folder)
    planted.more = {"source": study["source"][:1]}
    return planted.run(folder)


def in_area(planted: World) -> np.ndarray:
    return (planted.frame["icb_code"] == planted.area).to_numpy()


def figures(planted: World) -> np.ndarray:
    return planted.top.sum(axis=1) / planted.every.sum(axis=1)


def short_of_best_fifth(planted: World, value: np.ndarray, sign: int = 1, among: np.ndarray | None = None) -> float:
    here = in_area(planted)
    edge = np.quantile(value if among is None else value[among], 0.8 if sign > 0 else 0.2)
    return float(np.maximum(sign * (edge - value[here]), 0) @ planted.every[here].sum(axis=1) / WEEKS)


def test_variation_of_the_practices_own_is_real(own: tuple[World, Run]) -> None:
    planted, run = own
    raw = figures(planted)[in_area(planted)]
    found = fold(run, raw.max() / raw.min())
    assert (found.verdict, found.reason) == ("supported", "variation_is_real")
    assert found.numbers["fold_now"] == pytest.approx(raw.max() / raw.min())
    assert found.numbers["fold_middle"] == pytest.approx(np.quantile(raw, 0.9) / np.quantile(raw, 0.1))
    assert found.numbers["practices"] == len(raw) and found.numbers["left_out"] == 0


def test_variation_that_goes_with_patients_is_no_comparison_of_practices(patients: tuple[World, Run]) -> None:
    found = fold(patients[1], 3)
    assert (found.verdict, found.reason) == ("not_attributable", "variation_goes_with_patients")
    assert found.numbers["share_need"] > 0.6


def test_variation_that_passes_is_not_the_practices_own(noisy: tuple[World, Run]) -> None:
    planted, run = noisy
    found = fold(run, 2)
    assert (found.verdict, found.reason) == ("not_attributable", "variation_goes_with_patients")
    assert found.numbers["share_chance"] > 0.5 and found.numbers["reliability"] < 0.7
    lasting = special.expit(planted.frame["lasting"][in_area(planted)])
    truth = np.quantile(lasting, 0.9) / np.quantile(lasting, 0.1)
    assert found.numbers["fold_lasting_lower"] < truth < found.numbers["fold_lasting_upper"]
    assert found.numbers["fold_lasting"] < found.numbers["fold_middle"]


@pytest.mark.parametrize("name", ["own", "patients", "noisy"])
def test_the_parts_of_the_variation_sum_to_the_whole(name: str, request: pytest.FixtureRequest) -> None:
    numbers = fold(request.getfixturevalue(name)[1], 2).numbers
    parts = [numbers[f"share_{part}"] for part in ("chance", "need", "setting", "place", "own")]
    assert sum(parts) == pytest.approx(1.0)


def test_a_range_that_these_figures_do_not_give_is_not_judged(own: tuple[World, Run]) -> None:
    found = fold(own[1], 40)
    assert (found.verdict, found.reason) == ("not_decidable", "fold_not_reproduced")


def test_one_practice_that_fails_a_check_is_told_apart_from_the_range(own: tuple[World, Run]) -> None:
    planted, run = own
    raw = figures(planted)
    here = np.flatnonzero(in_area(planted))
    lowest = planted.frame["practice_code"][here[np.argmin(raw[here])]]
    practices = run.analyses[METRIC].practices.copy()
    practices.loc[practices["practice_code"] == lowest, "position"] = "not_decidable"
    analyses = {METRIC: replace(run.analyses[METRIC], practices=practices)}
    numbers = fold(replace(run, analyses=analyses), 2).numbers
    others = np.sort(raw[here])[1:]
    assert numbers["left_out"] == 1
    assert numbers["fold_sound"] == pytest.approx(others.max() / others.min())
    assert numbers["fold_now"] == pytest.approx(raw[here].max() / raw[here].min())


def test_without_months_no_variation_is_called_steady(without_months: Run) -> None:
    found = fold(without_months, 2)
    assert (found.verdict, found.reason) == ("not_decidable", "variation_needs_months")
    assert found.numbers["reliability"] is None and "chance_not_separated" in found.because


def test_without_a_model_variation_is_not_split(own: tuple[World, Run]) -> None:
    run = own[1]
    bare = replace(
        run.analyses[METRIC], shares=run.analyses[METRIC].shares[:0], effects=run.analyses[METRIC].effects[:0]
    )
    found = fold(replace(run, analyses={METRIC: bare}), 2)
    assert (found.verdict, found.reason) == ("not_decidable", "variation_not_split")
    assert gain(replace(run, analyses={METRIC: bare}), 100).reason == "sum_needs_england"


def test_figures_of_nought_are_left_out_of_the_range_and_counted(own: tuple[World, Run]) -> None:
    run = own[1]
    frame = run.analyses[METRIC].practices.copy()
    here = frame["practice_code"].isin(list(run.table.area_codes)[:3])
    before = fold(run, 2).numbers
    frame.loc[here, "value"] = 0.0
    found = fold(replace(run, analyses={METRIC: replace(run.analyses[METRIC], practices=frame)}), 2)
    assert found.numbers["zeros"] == 3 and "zeros_left_out" in found.because
    assert 1.0 < found.numbers["fold_now"] <= before["fold_now"] and before["zeros"] == 0


def listed(run: Run, codes: list[str]) -> Run:
    """A study of a list of practices."""
    study = replace(run.study, area=replace(run.study.area, kind="list", code=""))
    return replace(run, study=study, table=replace(run.table, study=study, area_codes=tuple(codes)))


def test_of_a_board_all_of_its_practices_are_meant_though_the_study_is_of_some(own: tuple[World, Run]) -> None:
    planted, run = own
    board = [str(code) for code in planted.frame["practice_code"][in_area(planted)]]
    found = fold(listed(run, board[:5]), 2)
    assert found.numbers["practices"] == len(board) and "area_is_the_studys" not in found.because
    assert found.numbers["fold_now"] == pytest.approx(fold(run, 2).numbers["fold_now"])


def test_practices_of_several_boards_are_not_called_a_board(own: tuple[World, Run]) -> None:
    planted, run = own
    codes = [str(code) for code in planted.frame["practice_code"][~in_area(planted)][::40]]
    found = fold(listed(run, codes), 1)
    assert found.numbers["practices"] == len(codes) and "area_is_the_studys" in found.because


def stopped(run: Run, code: str = "") -> Run:
    row = {"gate": "join_loss", "severity": "stop", "state": "failed", "practice_code": code, "metric": METRIC}
    gates = pd.concat([run.table.gates, pd.DataFrame([row | {"detail": ""}])], ignore_index=True)
    return replace(run, table=replace(run.table, gates=gates))


def test_a_check_that_stops_the_whole_table_stops_sentences_about_the_area(own: tuple[World, Run]) -> None:
    for found in (fold(stopped(own[1]), 2), gain(stopped(own[1]), 100)):
        assert (found.verdict, found.reason, found.numbers["gates"]) == ("not_decidable", "stop_gate", ["join_loss"])


@pytest.mark.parametrize("name", ["own", "patients", "noisy"])
@pytest.mark.parametrize(("direction", "sign"), [("high", 1), ("low", -1)])
def test_the_sum_without_chance_is_that_of_the_lasting_figures(
    name: str, direction: str, sign: int, request: pytest.FixtureRequest
) -> None:
    planted, run = request.getfixturevalue(name)
    numbers = gain(run, 1, direction).numbers
    assert numbers["raw_sum"] == pytest.approx(short_of_best_fifth(planted, figures(planted), sign), rel=2e-3)
    truth = short_of_best_fifth(planted, special.expit(planted.frame["lasting"]).to_numpy(), sign)
    assert numbers["lasting_lower"] < truth < numbers["lasting_upper"]


def test_a_sum_of_raw_gaps_is_overstated_where_much_passes(noisy: tuple[World, Run]) -> None:
    planted, run = noisy
    found = gain(run, short_of_best_fifth(planted, figures(planted)))
    assert (found.verdict, found.reason) == ("contradicted", "sum_overstated")
    assert found.numbers["written"] > found.numbers["lasting_upper"]


def test_a_sum_of_what_lasts_holds(noisy: tuple[World, Run]) -> None:
    planted, run = noisy
    truth = short_of_best_fifth(planted, special.expit(planted.frame["lasting"]).to_numpy())
    assert (gain(run, truth).verdict, gain(run, truth).reason) == ("supported", "sum_holds")
    below = gain(run, round(gain(run, truth).numbers["lasting_lower"] / 2))
    assert (below.verdict, below.reason) == ("supported", "sum_understated")


@pytest.mark.parametrize(("weeks", "time"), [(WEEKS / 12, "month"), (WEEKS, "year")])
def test_a_sum_that_is_right_of_a_month_or_a_year_is_asked_about(
    own: tuple[World, Run], weeks: float, time: str
) -> None:
    planted, run = own
    found = gain(run, weeks * short_of_best_fifth(planted, special.expit(planted.frame["lasting"]).to_numpy()))
    assert (found.verdict, found.reason) == ("not_decidable", "sum_of_which_time")
    assert found.numbers["fits_as"] == time


def test_a_letter_that_compares_within_the_area_is_held_to_its_best_fifth(own: tuple[World, Run]) -> None:
    planted, run = own
    numbers = gain(run, 1, comparator="icb").numbers
    expected = short_of_best_fifth(planted, figures(planted), among=in_area(planted))
    assert numbers["raw_sum"] == pytest.approx(expected, rel=2e-3)
    assert numbers["best"] == pytest.approx(np.quantile(figures(planted)[in_area(planted)], 0.8))


def test_a_gain_of_nought_is_no_sum_that_could_hold(without_months: Run) -> None:
    found = gain(without_months, 0)
    assert (found.verdict, found.reason) == ("not_decidable", "no_figure")
    assert finding_sentence(claim_facts(without_months, found)).startswith("The letter gives no gain above nought")


def test_without_months_a_sum_can_be_overstated_and_cannot_hold(without_months: Run) -> None:
    small = gain(without_months, 10)
    assert (small.verdict, small.reason) == ("not_decidable", "sum_needs_months")
    assert gain(without_months, 2 * small.numbers["raw_sum"]).verdict == "contradicted"


def test_a_practice_that_no_model_was_fitted_on_keeps_its_gap_as_it_stands(own: tuple[World, Run]) -> None:
    planted, run = own
    lowest = np.flatnonzero(in_area(planted))[np.argmin(figures(planted)[in_area(planted)])]
    claim = Claim("1", "opportunity", metric=METRIC, figure=written(1), direction="high")
    seen = Evidence(claim, run)
    before = variation.opportunity(seen).numbers["lasting_sum"]
    ((key, drawn),) = seen.cache.items()
    kept = drawn.practice_code != planted.frame["practice_code"][lowest]
    seen.cache[key] = replace(drawn, practice_code=drawn.practice_code[kept], value=drawn.value[:, kept])
    assert variation.opportunity(seen).numbers["lasting_sum"] == pytest.approx(before, rel=0.02)


def test_the_side_of_the_best_fifth_has_to_be_known(own: tuple[World, Run]) -> None:
    assert gain(own[1], 100, direction="").reason == "no_direction"
