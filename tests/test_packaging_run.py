"""run.py: the start from nothing but Python, and what it says when that goes wrong."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gpvar import doctor
from tests.support import ROOT

SCRIPT = ROOT / "run.py"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py as a module, living in a checkout of its own that holds a lock and nothing else."""
    specification = importlib.util.spec_from_file_location("run_under_test", SCRIPT)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for part in module.PARTS:
        (tmp_path / part).mkdir(parents=True)
    for name, text in (("requirements.lock", "lock one"), ("pyproject.toml", "project one")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "HERE", str(tmp_path))
    monkeypatch.setattr(module, "LOCK", str(tmp_path / "requirements.lock"))
    monkeypatch.setattr(module, "PROJECT", str(tmp_path / "pyproject.toml"))
    return module


@pytest.fixture
def made(run: ModuleType, tmp_path: Path) -> Path:
    """An environment that looks finished."""
    folder = tmp_path / "made"
    python = Path(run.environment_python(str(folder)))
    python.parent.mkdir(parents=True)
    python.write_text("", encoding="utf-8")
    (folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n", encoding="utf-8")
    (folder / run.STAMP).write_text("\n".join(run.wanted_stamp()), encoding="utf-8")
    return folder


def test_an_old_python_can_read_run_py_far_enough_to_be_told() -> None:
    source = SCRIPT.read_bytes()
    assert source.isascii(), "Python 2 refuses other letters"
    modern = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef, ast.Nonlocal)
    for node in ast.walk(ast.parse(source)):
        where = f"line {getattr(node, 'lineno', 0)}"
        assert not isinstance(node, modern), where
        if isinstance(node, ast.FunctionDef):
            assert not node.returns and not node.args.kwonlyargs and not node.args.posonlyargs, where
            assert not any(argument.annotation for argument in node.args.args), where
        if isinstance(node, ast.Raise):
            assert node.cause is None, where
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            assert not any(isinstance(item, ast.Starred) for item in node.elts), where
        if isinstance(node, ast.Call):
            assert sum(isinstance(item, ast.Starred) for item in node.args) <= 1, where


def test_run_py_and_the_doctor_agree_on_the_pythons(run: ModuleType) -> None:
    assert (run.OLDEST, run.NEWEST) == (doctor.OLDEST, doctor.NEWEST)


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10), (3, 15)])
def test_a_wrong_python_is_named_with_the_way_out(run: ModuleType, version: tuple[int, int]) -> None:
    problem, where, fix = run.python_fault(version)
    assert problem == f"gpvar needs Python 3.11, 3.12, 3.13 or 3.14, and this is Python {version[0]}.{version[1]}."
    assert sys.executable in where
    assert "run.py demo" in fix


@pytest.mark.parametrize(("bits", "platform"), [(False, "win32"), (True, "win-arm64")])
def test_a_python_without_packages_made_for_it_is_refused(run: ModuleType, bits: bool, platform: str) -> None:
    _, where, fix = run.python_fault((3, 12), bits, platform)
    assert "build" in where
    assert "64-bit (x86-64)" in fix


def test_the_pythons_in_range_are_taken(run: ModuleType) -> None:
    assert [run.python_fault((3, minor)) for minor in (11, 12, 13, 14)] == [None] * 4


def test_a_stamped_environment_is_ready(run: ModuleType, made: Path) -> None:
    assert run.readiness(str(made)) == "ready"


def test_a_new_lock_means_a_new_environment(run: ModuleType, made: Path) -> None:
    Path(run.LOCK).write_text("lock two", encoding="utf-8")
    assert run.readiness(str(made)) == "absent"


def test_a_new_pyproject_means_only_putting_gpvar_in_anew(run: ModuleType, made: Path) -> None:
    Path(run.PROJECT).write_text("project two", encoding="utf-8")
    assert run.readiness(str(made)) == "package"


def test_an_interrupted_set_up_is_not_ready(run: ModuleType, made: Path) -> None:
    (made / run.STAMP).write_text("unfinished\n", encoding="utf-8")
    assert run.readiness(str(made)) == "absent"


def test_an_environment_whose_python_was_uninstalled_is_not_ready(run: ModuleType, made: Path) -> None:
    (made / "pyvenv.cfg").write_text("home = /no/such/python\n", encoding="utf-8")
    assert run.readiness(str(made)) == "absent"


def test_a_moved_checkout_is_set_up_again(run: ModuleType, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HERE", run.HERE + "-moved")
    assert run.readiness(str(made)) == "absent"


def test_an_environment_somebody_else_made_is_left_alone(run: ModuleType, made: Path) -> None:
    (made / run.STAMP).unlink()
    with pytest.raises(run.SetUpFailed) as failure:
        run.check_machine(str(made))
    assert "gpvar did not make it" in failure.value.args[0]
    assert (made / "pyvenv.cfg").exists()


def test_clearing_away_leaves_nothing_behind(run: ModuleType, made: Path) -> None:
    left_by_an_interruption = made.with_name("made.old")
    left_by_an_interruption.mkdir()
    run.clear(str(made))
    assert not made.exists()
    assert not left_by_an_interruption.exists()


def test_a_folder_in_use_is_left_whole(run: ModuleType, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, _: str) -> None:
        raise PermissionError(13, "in use", source)

    monkeypatch.setattr(run.os, "rename", refuse)
    with pytest.raises(run.SetUpFailed, match="something is still using it"):
        run.clear(str(made))
    assert run.readiness(str(made)) == "ready"


def test_a_full_disk_is_noticed_before_anything_is_written(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(run.HERE)._replace(free=200_000_000)
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(run.SetUpFailed) as failure:
        run.check_machine(run.environment_folder())
    assert "0.2 GB free" in failure.value.args[1]


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_which_package_to_install(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(run.SetUpFailed) as failure:
        run.check_machine(run.environment_folder())
    assert failure.value.args[2].endswith(f"apt install python3.{sys.version_info.minor}-venv")


def test_offline_takes_a_folder_and_leaves_the_other_words(run: ModuleType, tmp_path: Path) -> None:
    assert run.split_offline(["--offline", str(tmp_path), "demo", "--no-open"]) == (
        str(tmp_path),
        ["demo", "--no-open"],
    )
    assert run.split_offline([f"--offline={tmp_path}"]) == (str(tmp_path), [])
    assert run.split_offline(["report", "--offline"]) == (None, ["report", "--offline"])


@pytest.mark.parametrize("words", [["--offline"], ["--offline", "no-such-folder"]])
def test_offline_without_a_folder_says_what_is_missing(run: ModuleType, words: list[str]) -> None:
    with pytest.raises(run.SetUpFailed, match="--offline needs the folder"):
        run.split_offline(words)


SAID = {
    "WARNING: Retrying: NewConnectionError('Failed to establish a new connection: [Errno -2] Name not known')\n"
    "ERROR: Could not find a version that satisfies the requirement numpy==2.4.6": "no way to the package index",
    "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy Authentication Required'))\n"
    "ERROR: No matching distribution found for numpy": "The proxy of your network",
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))": "a certificate of its own",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE": "is not the file gpvar was tested with",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "The disk is full",
    "OSError: [WinError 206] The filename or extension is too long": "longer than this Windows allows",
    "PermissionError: [WinError 5] Access is denied": "open in another window",
    "ERROR: No matching distribution found for numpy==2.4.6": "does not have one of the packages",
    "something nobody has seen": "a reason this program does not know",
}


@pytest.mark.parametrize("output", SAID)
def test_what_the_installer_says_is_put_in_plain_words(run: ModuleType, output: str) -> None:
    problem, where, fix = run.explain(output, None, "the-log.txt")
    assert SAID[output] in problem
    assert "the-log.txt" in where
    assert fix


def test_a_folder_that_lacks_a_package_is_told_which(run: ModuleType) -> None:
    output = "ERROR: Could not find a version that satisfies the requirement numpy==2.4.6 (from versions: none)"
    problem, where, _ = run.explain(output, "my-wheels", "the-log.txt")
    assert "numpy==2.4.6" in problem
    assert "my-wheels" in where


def test_no_address_or_password_gets_into_the_log(run: ModuleType) -> None:
    output = (
        "Looking in indexes: https://me:secret@index.example/simple, https://other.example\n"
        "HTTPSConnectionPool(host='index.example', port=443): Max retries\n"
        "ERROR: 403 for url: <https://me:secret@index.example/simple/numpy/>\n"
    )
    kept = run.without_addresses(output)
    assert "example" not in kept
    assert "secret" not in kept
    assert "ERROR: 403" in kept


def test_nothing_in_the_surroundings_can_send_packages_elsewhere(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "PIP_TARGET", "PIP_USER"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:8080")
    surroundings = run.environment()
    assert not {"PYTHONPATH", "PIP_TARGET", "PIP_USER"} & set(surroundings)
    assert surroundings["HTTPS_PROXY"] == "proxy.example:8080"
    assert surroundings["PYTHONUTF8"] == "1"


def start(folder: Path, *words: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    environment: dict[str, Any] = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment.update(surroundings)
    command = [sys.executable, str(folder / "run.py"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)


def test_run_py_alone_says_that_the_rest_is_missing(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path)
    outcome = start(tmp_path, "demo")
    assert outcome.returncode == 2
    assert outcome.stderr.splitlines()[0] == "gpvar is not whole: a part that should lie beside run.py is missing."


def test_help_costs_no_set_up(tmp_path: Path) -> None:
    for name in ("run.py", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    outcome = start(tmp_path, "--help", LOCALAPPDATA=str(tmp_path))
    assert outcome.returncode == 0
    assert "python run.py demo" in outcome.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml", "requirements.lock", "run.py"]


def test_half_a_download_is_named_before_anything_is_installed(run: ModuleType) -> None:
    (Path(run.HERE) / "notebooks").rmdir()
    with pytest.raises(run.SetUpFailed) as failure:
        run.check_machine(run.environment_folder())
    assert failure.value.args[1].endswith("notebooks")


def test_behind_a_dead_proxy_three_lines_and_a_clean_second_start(tmp_path: Path) -> None:
    for name in ("run.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for part in ("gpvar", "notebooks", "data/demo", "data/templates"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "requirements.lock").write_text(
        f"no-such-package-of-gpvar==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8"
    )
    dead = "http://somebody:secret@127.0.0.1:9"
    for _ in range(2):
        outcome = start(
            tmp_path, "demo", HTTPS_PROXY=dead, HTTP_PROXY=dead, PIP_RETRIES="0", LOCALAPPDATA=str(tmp_path)
        )
        lines = [line for line in outcome.stderr.splitlines() if not line.startswith("  ")]
        assert outcome.returncode == 2
        assert [line.split(":")[0] for line in lines[-2:]] == ["Where", "What to do"]
        assert "HTTPS_PROXY" in lines[-1]
        assert "secret" not in outcome.stderr + outcome.stdout
        assert "Traceback" not in outcome.stderr
