"""What whoever answers a letter must be able to rely on: ten promises, each held in a world made to break it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar import claims
from gpvar.claims import twice
from gpvar.results import Claim, Figure, Finding, Run
from gpvar.words.claims import finding_phrase
from tests.claim_worlds import METRIC, World, world

BAD, EXPLAINED, DEPRIVED, HIDDEN = range(4)


def claim(template: str, code: str, **more: Any) -> Claim:
    return Claim("1", template, practice=code, practice_code=code, metric=METRIC, **more)


def code_of(row: int) -> str:
    return f"A{80001 + row:05d}"


@pytest.fixture(scope="module")
def made() -> World:
    """A strong need; one practice low in itself, one low by its patients, one deprived and lower still."""
    made = world(7, practices=600, need=0.35)
    everyone = made.frame
    affluent, deprived = everyone["imd2025"].min(), everyone["imd2025"].quantile(0.95)
    for row, score, left in ((BAD, 22.0, -1.9), (EXPLAINED, affluent, -0.40), (DEPRIVED, deprived, -0.9)):
        need = 0.35 * (score - 22.0) / 8.0
        everyone.loc[row, ["imd2025", "need", "left", "rurality"]] = [score, need, left, "Urban"]
        everyone.loc[row, ["lasting", "period"]] = -0.3 + need + left
        made.count(np.array([row]), [-0.3 + need + left])
    return made


@pytest.fixture(scope="module")
def run(made: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made.run(tmp_path_factory.mktemp("acceptance"))


def stopping(run: Run, gate: str, code: str) -> Run:
    failed = {
        "gate": gate,
        "severity": "stop",
        "state": "failed",
        "metric": METRIC,
        "practice_code": code,
        "detail": "",
    }
    gates = pd.concat([run.table.gates, pd.DataFrame([failed])], ignore_index=True)
    return replace(run, table=replace(run.table, gates=gates))


@pytest.mark.parametrize("template", ["tail", "below_mean", "significant", "outlier"])
def test_a_practice_that_is_out_with_sound_data_is_said_to_be_in_the_words_of_the_letter(
    run: Run, template: str
) -> None:
    found = claims.check_claim(claim(template, code_of(BAD), direction="low"), run)
    assert found.verdict == "supported"
    assert finding_phrase(found) == "The statement holds"


@pytest.mark.parametrize("template", ["tail", "outlier", "significant", "below_mean"])
def test_a_practice_that_is_out_by_its_patients_alone_is_never_said_to_be_out(run: Run, template: str) -> None:
    rows = run.analyses[METRIC].practices
    mine = rows[(rows["practice_code"] == code_of(EXPLAINED)) & (rows["comparator"] == "england")].set_index("rung")
    assert mine.loc["M0", "flag"] and mine.loc["M1", "movement"] == "explained"
    found = claims.check_claim(claim(template, code_of(EXPLAINED), direction="low"), run)
    assert found.verdict == "not_attributable", found.because


def test_where_practices_differ_by_chance_alone_no_rank_is_said_to_hold(tmp_path: Path) -> None:
    alike = world(8, practices=600, need=0.0, lasting=0.0, size=400)
    alike_run = alike.run(tmp_path)
    observed = alike.top.sum(axis=1) / alike.every.sum(axis=1)
    lowest = np.argsort(observed)[:30]
    found = [claims.check_claim(claim("tail", code_of(int(row)), direction="low"), alike_run) for row in lowest]
    assert all(item.verdict != "supported" for item in found)
    effects = alike_run.analyses[METRIC].effects
    wide = (effects["rank_upper"] - effects["rank_lower"]).dropna()
    assert wide.empty or wide.min() > 200


def test_a_practice_that_changed_its_labels_is_not_decided(run: Run) -> None:
    stopped = stopping(run, "mapping_step", code_of(BAD))
    found = claims.check_claim(claim("below_target", code_of(BAD), threshold=Figure("30%", 30.0, 0, True)), stopped)
    assert (found.verdict, found.reason, found.numbers["gates"]) == ("not_decidable", "stop_gate", ["mapping_step"])


def test_requests_at_a_cap_are_not_decided(run: Run) -> None:
    found = claims.check_claim(
        claim("outlier", code_of(BAD), direction="low"), stopping(run, "ag_capped", code_of(BAD))
    )
    assert found.verdict == "not_decidable"


def hidden(run: Run, row: int, low: float, high: float) -> Run:
    """Return the run with one practice's count known between two ends alone, analysed anew."""
    from gpvar.claims.periods import with_outcomes

    outcomes = run.table.outcomes.copy()
    here = outcomes["practice_code"] == code_of(row)
    outcomes.loc[here, ["numerator", "numerator_low", "numerator_high"]] = [np.nan, low, high]
    outcomes.loc[here, "state"] = "suppressed"
    return with_outcomes(run, METRIC, replace(run.table, outcomes=outcomes))


def test_a_hidden_count_is_decided_only_where_both_its_ends_agree(made: World, run: Run) -> None:
    every = float(made.every[HIDDEN].sum())
    said = claim("rag_red", code_of(HIDDEN), direction="low", threshold=Figure("30%", 30.0, 0, True))
    narrow = claims.check_claim(said, hidden(run, HIDDEN, 1.0, 0.02 * every))
    wide = claims.check_claim(said, hidden(run, HIDDEN, 1.0, 0.9 * every))
    assert narrow.verdict in ("supported", "not_attributable") and "hidden_both_ends" in narrow.because
    assert (wide.verdict, wide.reason) == ("not_decidable", "hidden")


def test_the_patient_survey_of_2023_is_never_held_against_that_of_2024() -> None:
    between = twice.crossed("gpps", "overall_experience", dt.date(2023, 1, 1), dt.date(2024, 3, 31))
    assert between and not twice.controllable(between)


def test_a_missing_figure_is_never_taken_for_nought(run: Run) -> None:
    outcomes = run.table.outcomes.copy()
    here = outcomes["practice_code"] == code_of(BAD)
    columns = [name for name in outcomes if name.startswith(("numerator", "denominator"))]
    outcomes.loc[here, columns] = np.nan
    outcomes.loc[here, "state"] = "missing"
    from gpvar.claims.periods import with_outcomes

    without = with_outcomes(run, METRIC, replace(run.table, outcomes=outcomes))
    for template in ("tail", "below_mean", "significant", "outlier"):
        found = claims.check_claim(claim(template, code_of(BAD), direction="low"), without)
        assert (found.verdict, found.reason) == ("not_decidable", "no_figure"), template
        assert "value" not in found.numbers


def test_a_deprived_practice_is_shown_with_and_without_its_patients(run: Run) -> None:
    found = claims.check_claim(claim("tail", code_of(DEPRIVED), direction="low"), run)
    at = {row["rung"]: row for row in found.rungs}
    # Its patients make a high figure likely: beside practices like it the figure is lower still.
    assert at["M1"]["difference"] < at["M0"]["difference"] < 0.0
    assert {"M0", "M1", "M2"} <= set(at)


def test_of_a_telephone_line_that_is_not_read_nothing_is_found(run: Run) -> None:
    said = replace(claim("cannot_get_through", code_of(BAD)), metric="", text="They cannot get through.")
    found: Finding = claims.check_claim(said, run)
    assert (found.verdict, found.reason) == ("not_decidable", "no_source") and "survey" in found.disclose


def test_every_number_can_be_traced_to_the_files_it_came_from(run: Run) -> None:
    found = claims.check_claim(claim("tail", code_of(BAD), direction="low"), run)
    files = run.table.provenance.set_index("file")["sha256"]
    assert found.source["run"] == run.meta["key"] and found.source["files"]
    assert all(files[item["file"]] == item["sha256"] for item in found.source["files"])
    row = run.table.outcomes.set_index("practice_code").loc[code_of(BAD)]
    assert found.numbers["value"] == pytest.approx(row["numerator"] / row["denominator"])
