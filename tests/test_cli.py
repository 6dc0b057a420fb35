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
