"""pyproject, the lock, environment.yml and run.py tell one story."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import gpvar
from gpvar import doctor, share
from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

RUNTIME = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
DEVELOPMENT = [Requirement(line) for line in PROJECT["dependency-groups"]["dev"]]

# conda-forge's names where they differ: it has the library without the extras, and pandoc apart from pypandoc.
CONDA_NAMES = {
    "jupyter-client": ["jupyter_client"],
    "matplotlib": ["matplotlib-base"],
    "pypandoc_binary": ["pypandoc", "pandoc"],
    "seaborn": ["seaborn-base"],
}
ONLY_IN_CONDA = {"python", "pip", "pandoc"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def rows_of_the_lock() -> list[tuple[str, str, str]]:
    """Name, version and the hashes that follow."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)[^\n]*\n((?:    --hash=[^\n]+\n)*)", LOCK, re.MULTILINE)


LOCKED = {normal(name): Version(version) for name, version, _ in rows_of_the_lock()}


def conda_requirements() -> dict[str, SpecifierSet]:
    requirements = {}
    for line in CONDA["dependencies"]:
        name, _, bounds = line.partition(" ")
        requirements[name] = SpecifierSet(bounds)
    return requirements


def test_every_row_of_the_lock_is_one_exact_version_with_hashes() -> None:
    rows = rows_of_the_lock()
    assert len(rows) == len([line for line in LOCK.splitlines() if line and line[0] not in " #"])
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", hashes) for _, _, hashes in rows)


def test_the_lock_holds_no_addresses() -> None:
    assert "://" not in LOCK
    assert "@" not in LOCK


def test_every_python_gets_the_same_version_of_every_package() -> None:
    twice = [name for name, rows in Counter(name for name, _, _ in rows_of_the_lock()).items() if rows > 1]
    assert not twice, f"a second row in the lock: {twice}; see .ci/lock"


@pytest.mark.parametrize("name", ["numpy", "scipy", "pandas", "statsmodels"])
def test_the_numbers_rest_on_one_version_whatever_the_machine(name: str) -> None:
    row = next(line for line in LOCK.splitlines() if line.startswith(f"{name}=="))
    assert ";" not in row, f"{name} is left out on some machines"


@pytest.mark.parametrize("requirement", RUNTIME + DEVELOPMENT, ids=lambda requirement: requirement.name)
def test_the_lock_keeps_what_pyproject_asks_for(requirement: Requirement) -> None:
    assert requirement.specifier, "an unbounded requirement lets a resolver go back for years"
    assert LOCKED[normal(requirement.name)] in requirement.specifier


def test_the_lock_holds_what_the_checkout_is_installed_with() -> None:
    needed = {normal(Requirement(line).name) for line in PROJECT["build-system"]["requires"]} | {"editables"}
    assert needed <= {normal(requirement.name) for requirement in DEVELOPMENT}
    assert needed <= set(LOCKED)


@pytest.mark.parametrize("requirement", RUNTIME, ids=lambda requirement: requirement.name)
def test_conda_is_asked_for_the_same_packages(requirement: Requirement) -> None:
    first, *others = CONDA_NAMES.get(requirement.name, [requirement.name])
    found = conda_requirements()
    assert found[first] == requirement.specifier
    assert set(others) <= set(found)


def test_conda_is_asked_for_nothing_else() -> None:
    runtime = {name for requirement in RUNTIME for name in CONDA_NAMES.get(requirement.name, [requirement.name])}
    development = {requirement.name: requirement.specifier for requirement in DEVELOPMENT}
    found = conda_requirements()
    assert set(found) <= runtime | set(development) | ONLY_IN_CONDA
    assert all(found[name] == development[name] for name in set(found) & set(development))
    assert found["python"] == SpecifierSet(PROJECT["project"]["requires-python"])


def test_one_range_of_pythons_is_named_everywhere() -> None:
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    minors = [minor for minor in range(30) if f"3.{minor}" in allowed]
    assert [(3, minors[0]), (3, minors[-1])] == [doctor.OLDEST, doctor.NEWEST]
    classified = re.findall(r"Python :: 3\.(\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert [int(minor) for minor in classified] == minors
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{minors[0]}"
    assert PROJECT["tool"]["mypy"]["python_version"] == f"3.{minors[0]}"


def test_one_version_is_named_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["project"]["version"] == gpvar.__version__ == citation["version"]
    assert PROJECT["project"]["license"] == citation["license"] == "MIT"


def test_the_wheel_carries_the_folders_that_share_looks_for() -> None:
    packed = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert packed == {source: f"gpvar/_share/{name}" for name, source in share._IN_CHECKOUT.items()}


def test_the_licences_name_every_runtime_package() -> None:
    page = (ROOT / "LICENCES.md").read_text(encoding="utf-8")
    assert not [requirement.name for requirement in RUNTIME if requirement.name not in page]
