"""The wheel, built from a clean clone, does the whole job in a fresh environment and an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.slow


def done(*command: str | Path, folder: Path) -> str:
    """Run a command with nothing of this checkout in its surroundings; show its words when it fails."""
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    outcome = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**surroundings, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert outcome.returncode == 0, f"{command} ended with {outcome.returncode}:\n{outcome.stdout}\n{outcome.stderr}"
    return outcome.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what is committed: a file that only lies in the work tree is not in it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this checkout has no git history to make a clean clone from")
    folder = tmp_path_factory.mktemp("wheel")
    done("git", "clone", "--quiet", "--no-hardlinks", ROOT, folder / "clone", folder=folder)
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "out"]
    done(sys.executable, *build, folder / "clone", folder=folder)
    return next((folder / "out").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a fresh environment that holds the wheel.

    The packages of the lock are lent by the environment that runs the tests: a line in a .pth file puts them on the
    path, but does not read the .pth files among them, so that the editable checkout stays out of sight. Installing
    139 packages once more would prove nothing that run.py has not proved already, and take two minutes.
    """
    folder = tmp_path_factory.mktemp("fresh") / "environment"
    done(sys.executable, "-m", "venv", folder, folder=folder.parent)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    done(commands / "python", "-m", "pip", "install", "--no-index", "--no-deps", wheel, folder=folder)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(done(commands / "python", "-c", code, folder=folder).strip())
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return commands


def test_the_wheel_holds_the_notebooks_the_demo_the_templates_and_the_trial(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for name in ("notebooks", "demo", "templates", "calibration"):
        assert any(path.startswith(f"gpvar/_share/{name}/") for path in names), f"no {name} in the wheel"
    assert "gpvar/py.typed" in names
    assert any(path.startswith("gpvar/catalogue/metrics/") and path.endswith(".toml") for path in names)
    assert {path.split("/")[0] for path in names} <= {"gpvar", wheel.name.split("-py3")[0] + ".dist-info"}


def test_the_installed_gpvar_is_the_wheel_and_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = done(installed / "python", "-c", "import gpvar; print(gpvar.__file__)", folder=tmp_path).strip()
    assert Path(where).is_relative_to(installed.parent)


def test_the_command_is_there(installed: Path, tmp_path: Path) -> None:
    assert "demo" in done(installed / "gpvar", "--help", folder=tmp_path)


def test_the_doctor_finds_everything_in_order(installed: Path, tmp_path: Path) -> None:
    said = done(installed / "gpvar", "doctor", folder=tmp_path)
    assert "demo files" in said


def test_the_demo_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    done(installed / "gpvar", "demo", "--no-open", folder=tmp_path)
    reports = tmp_path / "gpvar-demo" / "reports"
    assert (reports / "index.html").is_file()
    assert list(reports.rglob("*.docx"))
    assert [path.name for path in tmp_path.iterdir()] == ["gpvar-demo"]
