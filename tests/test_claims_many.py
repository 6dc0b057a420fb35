"""Red on several of many: the chance of it, by how the run's own measures go together."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar import claims
from gpvar.claims import many
from gpvar.results import Claim, Figure, Finding, Run

METRICS = ("same_day_share", "dna_share", "face_to_face_share", "appointments_per_1000")
CODE = "A81001"


def run_of(z: np.ndarray, gates: list[dict[str, str]] | None = None) -> Run:
    """A run of which only the scores of practices are known."""
    codes = [CODE, *(f"B{i:05d}" for i in range(1, len(z)))]
    analyses = {}
    for metric, column in zip(METRICS, z.T, strict=False):
        rows = [
            pd.DataFrame({"practice_code": codes, "rung": rung, "comparator": beside, "in_fit": True, "z": values})
            for rung, beside, values in (
                ("M0", "england", -column),
                ("M1", "england", column),
                ("M1", "own_icb", -column),
            )
        ]
        practices = pd.concat(rows, ignore_index=True)
        practices.loc[practices["practice_code"] == codes[-1], "in_fit"] = False
        analyses[metric] = SimpleNamespace(practices=practices, meta={"rungs": ["M0", "M1", "M2"]}, notes=())
    columns = ["gate", "severity", "state", "practice_code", "metric", "value", "detail"]
    table = SimpleNamespace(
        practices=pd.DataFrame({"practice_code": codes}),
        gates=pd.DataFrame(gates or [], columns=columns),
        provenance=pd.DataFrame(columns=["source", "file", "sha256"]),
    )
    study = SimpleNamespace(seed=7, period=SimpleNamespace(start="2025-04", end="2026-03"))
    return Run(study=study, table=table, analyses=analyses, folder=None, meta={})  # type: ignore[arg-type]


def correlated(r: float, columns: int = 4, n: int = 20_000) -> np.ndarray:
    """Scores with exactly this correlation between every two columns."""
    z = np.random.default_rng(1).standard_normal((n, columns))
    z -= z.mean(axis=0)
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z, rowvar=False)), z.T).T
    return z @ np.linalg.cholesky(np.full((columns, columns), r) + (1 - r) * np.eye(columns)).T


def red(run: Run, k: int | None, m: int | None, **more: Any) -> Finding:
    claim = Claim("1", "many_red", practice=CODE, practice_code=CODE, place=k, of=m, **more)
    return claims.check_claim(claim, run)


@pytest.fixture(scope="module")
def independent() -> Run:
    return run_of(correlated(0.0))


@pytest.fixture(scope="module")
def together() -> Run:
    return run_of(correlated(0.4))


def test_one_red_of_33_is_what_chance_gives_82_practices_in_100(independent: Run) -> None:
    found = red(independent, 1, 33)
    assert (found.verdict, found.reason) == ("not_shown", "red_within_chance")
    assert found.numbers["p_as_many"] == pytest.approx(0.82, abs=0.005)
    assert found.numbers["expected"] == pytest.approx(1.65)
    assert "red_share_assumed" in found.because


def test_eight_red_of_33_independent_indicators_is_more_than_chance(independent: Run) -> None:
    found = red(independent, 8, 33, threshold=Figure("5%", 5.0, 0, True))
    assert (found.verdict, found.reason) == ("supported", "more_red_than_chance")
    assert found.numbers["p_as_many"] < 0.001


def test_what_depends_on_what_red_means_is_left_open(independent: Run) -> None:
    """Eight of 33 are many if 5 in 100 practices are red on each, and what chance gives if 25 in 100 are."""
    found = red(independent, 8, 33)
    assert (found.verdict, found.reason) == ("not_decidable", "red_not_defined")
    assert found.numbers["p_as_many"] < 0.001 and found.numbers["p_at_quarter"] > 0.3
    assert red(independent, 20, 33).reason == "more_red_than_chance"


def test_the_same_eight_are_within_chance_where_indicators_go_together(together: Run) -> None:
    found = red(together, 8, 33)
    assert found.verdict == "not_shown"
    assert found.numbers["p_as_many"] > 0.01 > found.numbers["p_independent"]
    assert found.numbers["correlation"] == pytest.approx(0.4, abs=0.02)
    assert "correlation_of_other_measures" in found.because


def test_red_on_nearly_all_is_more_than_chance_however_indicators_go_together(together: Run) -> None:
    assert red(together, 28, 33, threshold=Figure("5%", 5.0, 0, True)).verdict == "supported"


def test_the_larger_chance_decides_whichever_side_red_is(together: Run) -> None:
    numbers = red(together, 3, 33).numbers
    assert numbers["p_as_many"] == max(numbers["p_one_side"], numbers["p_either_side"])
    assert numbers["p_one_side"] != numbers["p_either_side"]


def test_a_measure_turned_over_changes_nothing(together: Run) -> None:
    z = correlated(0.4)
    z[:, 1] *= -1
    for k in (2, 8):
        turned, straight = red(run_of(z), k, 33).numbers, red(together, k, 33).numbers
        assert turned["p_as_many"] == pytest.approx(straight["p_as_many"], rel=1e-9)


def test_a_threshold_is_the_share_of_practices_that_are_red(independent: Run) -> None:
    found = red(independent, 8, 33, threshold=Figure("20%", 20.0, 0, True))
    assert found.numbers["red_share"] == 0.2 and found.numbers["expected"] == pytest.approx(6.6)
    assert found.verdict == "not_shown" and "red_share_assumed" not in found.because


def test_as_many_indicators_as_were_measured_have_their_own_correlations() -> None:
    z = correlated(0.0, 3)
    z[:, 1] = z[:, 0]
    found = red(run_of(z), 2, 3).numbers
    # Two of the three are one: they are both red one time in twenty.
    assert found["p_as_many"] == pytest.approx(0.05, abs=0.004)
    assert "correlation_of_other_measures" not in red(run_of(z), 2, 3).because


def test_with_one_measure_a_correlation_is_assumed_and_said_beside_none() -> None:
    found = red(run_of(correlated(0.0)[:, :1]), 6, 33)
    assert "correlation_assumed" in found.because
    assert (found.numbers["measured"], found.numbers["correlation"]) == (1, many.ASSUMED)
    assert found.numbers["p_independent"] < 0.01 < found.numbers["p_as_many"]
    assert found.verdict == "not_shown"


def test_only_the_headline_beside_england_and_practices_that_set_the_comparison_count() -> None:
    z = correlated(0.5, 2, 100)
    scores = many.scores(run_of(z))
    np.testing.assert_array_equal(scores.to_numpy(), z[:-1])


@pytest.mark.parametrize(("k", "m"), [(None, 33), (6, None), (7, 6)])
def test_without_both_counts_the_sentence_cannot_be_checked(independent: Run, k: int | None, m: int | None) -> None:
    found = red(independent, k, m)
    assert (found.verdict, found.reason) == ("not_decidable", "many_not_counted")


def test_a_practice_whose_measures_all_fail_a_check_that_stops_cannot_be_checked() -> None:
    failed = [
        {"gate": f"gate_{metric}", "severity": "stop", "state": "failed", "practice_code": CODE, "metric": metric}
        | {"detail": ""}
        for metric in METRICS
    ]
    assert red(run_of(correlated(0.0), failed), 20, 33).reason == "stop_gate"
    assert red(run_of(correlated(0.0), failed[:-1]), 20, 33).verdict == "supported"
    whole = [failed[0] | {"metric": ""}]
    assert red(run_of(correlated(0.0), whole), 20, 33).numbers["gates"] == ["gate_same_day_share"]


def test_the_same_run_gives_the_same_finding() -> None:
    run = run_of(correlated(0.2))
    assert red(run, 2, 4) == red(replace(run), 2, 4)
