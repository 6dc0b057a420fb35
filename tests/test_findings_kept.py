"""Findings beside a run: kept for the letter they were made for, made anew for another, never a reason to fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import gpvar
from gpvar import claims, store
from gpvar.claims import checking
from gpvar.results import Run
from tests.claim_worlds import METRIC, world

FIRST = {"template": "outlier", "practice": "A80003", "metric": METRIC, "direction": "low", "figure": "40%"}
OTHER = FIRST | {"direction": "high"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> gpvar.Study:
    folder: Path = tmp_path_factory.mktemp("kept")
    return gpvar.load_study(world(3, practices=300).write(folder) | {"claim": [FIRST]}, base=folder)


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []

    def check_all(*given: object) -> object:
        made.append(1)
        return checking.check_all(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "check_all", check_all)
    return made


def run_of(study: gpvar.Study, *said: dict[str, str]) -> Run:
    return gpvar.run(replace(study, claims=tuple(said)))


def test_a_letter_is_checked_once_and_its_findings_come_back_the_same(
    study: gpvar.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_of(study, FIRST)
    made = counting(monkeypatch)
    again = run_of(study, FIRST)
    assert not made and again.findings == first.findings == gpvar.load_run(first.folder).findings
    assert len(first.findings) == 1


def test_a_changed_letter_is_checked_anew_without_a_new_analysis(
    study: gpvar.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_of(study, FIRST)
    written = (first.folder / "run.json").stat().st_mtime_ns
    made = counting(monkeypatch)
    other = run_of(study, OTHER)
    assert made and other.findings[0].claim.direction == "high"
    assert other.folder == first.folder and (first.folder / "run.json").stat().st_mtime_ns == written


def test_a_letter_taken_away_leaves_no_finding_behind(study: gpvar.Study) -> None:
    first = run_of(study, FIRST)
    assert run_of(study).findings == () and gpvar.load_run(first.folder).findings == ()


def test_rules_that_changed_make_findings_anew(study: gpvar.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(study, FIRST)
    made = counting(monkeypatch)
    monkeypatch.setattr(checking, "RULES", checking.RULES + 1)
    run_of(study, FIRST)
    assert made


@pytest.mark.parametrize("spoil", ["half", "stranger", "empty"])
def test_findings_that_cannot_be_read_are_made_anew(study: gpvar.Study, spoil: str) -> None:
    first = run_of(study, FIRST)
    path = first.folder / "findings.json"
    text = path.read_text(encoding="utf-8")
    if spoil == "stranger":
        stored = json.loads(text)
        stored["findings"][0]["of another version"] = 1
        text = json.dumps(stored)
    path.write_text({"half": text[: len(text) // 2], "empty": ""}.get(spoil, text), encoding="utf-8")
    assert store.load_run(first.folder).findings == ()
    assert run_of(study, FIRST).findings == first.findings
