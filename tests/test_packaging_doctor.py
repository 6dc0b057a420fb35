"""The doctor: each thing that can be wrong with a machine is found and comes with what to do."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path
from typing import Any

import pypandoc
import pytest

from gpvar import doctor, share


def findings(name: str) -> list[doctor.Check]:
    return [check for check in doctor.report() if check.item == name]


def test_a_machine_that_runs_the_tests_can_run_gpvar() -> None:
    names = {"Python", "pandoc", "notebooks", "this folder", "temporary folder", *doctor.KEY_PACKAGES}
    found = {check.item: check for check in doctor.report()}
    assert names <= set(found)
    assert not [found[name] for name in names if found[name].state == "problem"]


def test_another_version_than_the_tested_one_is_worth_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_locked_versions", lambda: {"numpy": "0.1"})
    (check,) = findings("numpy")
    assert check.state == "note"
    assert "tested with 0.1" in check.detail


def test_a_missing_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    (check,) = findings("scipy")
    assert check == doctor.Check("scipy", "problem", "is not installed. Start gpvar with: python run.py demo")


def test_a_lock_is_read_where_there_is_one() -> None:
    assert doctor._locked_versions()["numpy"].startswith("2.")


def test_without_pandoc_no_report_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise OSError("No pandoc was found")

    monkeypatch.setattr(pypandoc, "get_pandoc_path", absent)
    (check,) = findings("pandoc")
    assert check.state == "problem"
    assert "no report can be written" in check.detail


def test_a_pandoc_that_breaks_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise subprocess.CalledProcessError(1, "pandoc")

    monkeypatch.setattr(subprocess, "run", breaks)
    (check,) = findings("pandoc")
    assert check.state == "problem"


def test_a_folder_that_cannot_be_written_to_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    (check,) = findings("this folder")
    assert check.state == "problem"
    assert "Work in a folder of your own" in check.detail


def test_missing_files_of_gpvar_are_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "folder", lambda name: tmp_path / name)
    assert [findings(f"{name} files")[0].state for name in ("notebooks", "demo", "templates")] == ["problem"] * 3


def test_two_machines_can_compare_their_demo_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "folder", lambda _: tmp_path)
    (tmp_path / "a.csv").write_text("1", encoding="utf-8")
    (first,) = findings("demo files")
    (tmp_path / "a.csv").write_text("2", encoding="utf-8")
    (second,) = findings("demo files")
    assert first.state == second.state == "in order"
    assert first.detail != second.detail


def test_a_check_that_breaks_does_not_silence_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: str) -> Path:
        raise RuntimeError("out of order")

    monkeypatch.setattr(share, "folder", breaks)
    (check,) = findings("shared folders")
    assert check.state == "problem"
    assert "out of order" in check.detail
    assert findings("console")
