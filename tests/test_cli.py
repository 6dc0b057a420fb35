"""The command as a person meets it: exit codes, three-line messages, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpvar import cli


def test_an_unknown_command_is_answered_in_three_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rum"]) == cli.YOUR_INPUT
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 3 and "rum" in said[0] and "--help" in said[2]


def test_a_missing_study_is_the_users_input_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", str(tmp_path / "nowhere")]) == cli.YOUR_INPUT
    said = capsys.readouterr().err
    assert "Traceback" not in said and "nowhere" in said and len(said.strip().splitlines()) == 3


def test_our_own_fault_names_a_log_and_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("gpvar.doctor.report", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cli.main(["doctor"]) == cli.OUR_BUG
    said = capsys.readouterr().err
    assert "Traceback" not in said and "fault in gpvar" in said
    logs = list(tmp_path.glob("gpvar-*.log"))
    assert len(logs) == 1 and "a fault of ours" in logs[0].read_text(encoding="utf-8")


def test_stopping_is_not_a_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gpvar.doctor.report", stopped)
    assert cli.main(["doctor"]) == cli.INTERRUPTED
    assert "Stopped" in capsys.readouterr().err


def test_what_to_type_next_is_in_the_words_of_the_person(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GPVAR_COMMAND", "py run.py")
    assert cli.main(["run", str(tmp_path)]) == cli.YOUR_INPUT
    assert cli.main(["rum"]) == cli.YOUR_INPUT
    said = capsys.readouterr().err
    assert "python run.py" not in said and "py run.py --help" in said


def test_a_reader_that_goes_away_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("gpvar.doctor.report", gone)
    let_go = []
    monkeypatch.setattr(cli, "_let_go_of_output", lambda: let_go.append(True))
    assert cli.main(["doctor"]) == cli.DONE
    assert let_go == [True]
