"""A study frozen: the day and what was declared are kept, and reports say whether anything changed since."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

import gpvar
from gpvar import words
from gpvar.cli import main
from gpvar.errors import StudyError
from gpvar.study import lock
from tests.claim_worlds import world

DAY, LATER = dt.date(2026, 4, 14), dt.date(2026, 6, 1)


@pytest.fixture
def declared(tmp_path: Path) -> dict:
    return world(3, practices=300).write(tmp_path)


def study_of(declared: dict, folder: Path, **changes: object) -> gpvar.Study:
    return gpvar.load_study(declared | changes, base=folder)


def test_a_study_that_was_never_frozen_has_no_state(declared: dict, tmp_path: Path) -> None:
    assert lock.state(study_of(declared, tmp_path)) is None


def test_a_frozen_study_is_unchanged_until_what_decides_its_numbers_changes(declared: dict, tmp_path: Path) -> None:
    study = study_of(declared, tmp_path)
    assert lock.freeze(study, DAY)
    assert lock.state(study) == lock.Frozen((DAY,), (), True)
    assert lock.state(study_of(declared, tmp_path, title="Another title")) == lock.Frozen((DAY,), (), True)
    other = study_of(declared, tmp_path, seed=2, adjust={"M1": [], "M2": []})
    assert lock.state(other) == lock.Frozen((DAY,), ("adjust", "seed"), False)


def test_freezing_again_keeps_what_was_frozen_first(declared: dict, tmp_path: Path) -> None:
    study, other = study_of(declared, tmp_path), study_of(declared, tmp_path, seed=2)
    lock.freeze(study, DAY)
    assert not lock.freeze(study, LATER)
    assert lock.freeze(other, LATER)
    assert lock.state(other) == lock.Frozen((DAY, LATER), ("seed",), True)
    assert len(json.loads((tmp_path / lock.NAME).read_text(encoding="utf-8"))["frozen"]) == 2


@pytest.mark.parametrize("text", ["", "{}", '{"frozen": [{"day": "soon"}]}', "no json"])
def test_a_lock_that_cannot_be_read_is_an_error_and_stays(declared: dict, tmp_path: Path, text: str) -> None:
    (tmp_path / lock.NAME).write_text(text, encoding="utf-8")
    study = study_of(declared, tmp_path)
    for use in (lambda: lock.state(study), lambda: lock.freeze(study, DAY)):
        with pytest.raises(StudyError, match="cannot be read"):
            use()
    assert (tmp_path / lock.NAME).read_text(encoding="utf-8") == text


def test_reports_say_what_was_frozen_and_what_changed(declared: dict, tmp_path: Path) -> None:
    study = study_of(declared, tmp_path)
    run = gpvar.run(study)
    assert "rozen" not in words.declared(run)
    lock.freeze(study, DAY)
    assert "Frozen on 14 April 2026, unchanged since." in words.declared(gpvar.load_run(run.folder))
    # Another declaration with the same numbers' key would be the same run: only a changed one is another.
    other = gpvar.run(study_of(declared, tmp_path, seed=2))
    assert "Frozen on 14 April 2026; changed since: the seed." in words.declared(other)
    lock.freeze(other.study, LATER)
    said = words.declared(gpvar.load_run(other.folder))
    assert "Frozen on 14 April 2026; changed since: the seed; frozen again on 1 June 2026." in said


def test_the_command_freezes_once_and_says_so(
    declared: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["schema = 1", 'title = "T"', "declared = 2026-04-14", f'period = "{declared["period"]}"',
             f'metrics = ["{declared["metrics"][0]}"]', "[area]", 'kind = "icb"', 'code = "QAA"',
             "[[source]]", 'id = "local"', 'file = "year.csv"', "[source.columns]"]  # fmt: skip
    lines += [f'"{name}" = "{head}"' for name, head in declared["source"][0]["columns"].items()]
    (tmp_path / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    assert main(["freeze", str(tmp_path)]) == 0
    assert "frozen" in capsys.readouterr().out and (tmp_path / lock.NAME).is_file()
    assert main(["freeze", str(tmp_path)]) == 0
    assert "already" in capsys.readouterr().out
