"""A letter beside its study: what it speaks of and the study lacks is said before anything is analysed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import gpvar
from gpvar import claims, words
from gpvar.cli import main
from gpvar.results import Claim
from tests.claim_worlds import METRIC, world


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> gpvar.Study:
    folder: Path = tmp_path_factory.mktemp("gaps")
    return gpvar.load_study(world(3, practices=300).write(folder), base=folder)


@pytest.fixture(scope="module")
def table(study: gpvar.Study) -> gpvar.PracticeTable:
    return gpvar.build_table(study)


def said_of(claim: Claim, table: gpvar.PracticeTable) -> list[str]:
    return words.letter_gaps(claims.gaps([claim], table), table)


def test_a_measure_that_the_study_lacks_is_named_with_what_to_add(table: gpvar.PracticeTable) -> None:
    (said,) = said_of(Claim("4", "fold", metric="dna_share"), table)
    assert said.startswith("Sentence 4 of the letter speaks of missed appointment share")
    assert '"dna_share" to metrics in study.toml' in said


def test_months_that_the_study_lacks_are_named_and_those_it_can_work_out_are_not(table: gpvar.PracticeTable) -> None:
    (said,) = said_of(Claim("2", "fold", metric=METRIC, period="2024-04"), table)
    assert "April 2024" in said and 'period = "2024-04"' in said
    for held in ("2025-04", "2025-05..2026-03", "2025-04..2026-03"):
        assert not said_of(Claim("2", "fold", metric=METRIC, period=held), table)


def test_practices_without_a_report_of_their_own_are_offered_one(table: gpvar.PracticeTable) -> None:
    (said,) = said_of(Claim("1", "tail", metric=METRIC, practice_code="A80003"), table)
    assert "Invented Surgery 2 (A80003)" in said and "practices under [area]" in said
    own = replace(table, study=replace(table.study, area=replace(table.study.area, practices=("A80003",))))
    assert not said_of(Claim("1", "tail", metric=METRIC, practice_code="A80003"), own)


def test_a_practice_that_the_data_lack_is_offered_no_report(table: gpvar.PracticeTable) -> None:
    assert not said_of(Claim("1", "tail", metric=METRIC, practice_code="Z99999"), table)


def test_check_says_what_the_letter_speaks_of_and_refuses_one_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = world(3, practices=300).write(tmp_path)
    lines = ['schema = 1', 'title = "T"', 'declared = 2026-04-14', f'period = "{declared["period"]}"',
             f'metrics = ["{METRIC}"]', 'simulated = true', '[area]', 'kind = "icb"', 'code = "QAA"',
             '[[source]]', 'id = "local"', 'file = "year.csv"', '[source.columns]']  # fmt: skip
    lines += [f'"{name}" = "{head}"' for name, head in declared["source"][0]["columns"].items()]
    claim = ["[[claim]]", 'template = "fold"', 'metric = "dna_share"', 'figure = "7"']
    (tmp_path / "study.toml").write_text("\n".join([*lines, *claim]), encoding="utf-8")
    assert main(["check", str(tmp_path), "--no-open"]) == 0
    assert "dna_share" in capsys.readouterr().out
    (tmp_path / "study.toml").write_text("\n".join([*lines, *claim, 'period = "soon"']), encoding="utf-8")
    assert main(["check", str(tmp_path), "--no-open"]) == 2
    shown = capsys.readouterr()
    assert "in the table" in shown.out and "soon" in shown.err
