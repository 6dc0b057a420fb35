"""The rules of the house: who may import whom, and what no committed file may hold."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gpvar
from tests.support import ROOT

# A module imports only from its own room and from rooms further up this list.
ROOMS = (
    "errors",
    "problems",
    "dates",
    "results",
    "stats",
    "share",
    "schema",
    "catalogue",
    "study",
    "organisations",
    "sources",
    "gates",
    "table",
    "design",
    "analysis",
    "multiverse",
    "claims",
    "store",
    "pipeline",
    "words",
    "tables",
    "charts",
    "reporting",
    "simulate",
    "calibration",
    "starter",
    "doctor",
    "cli",
    "__main__",
)

PACKAGE = ROOT / "gpvar"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
STATS = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] == "stats"]


def committed_files() -> list[Path]:
    """Every file that is in git or about to be; in a download without git, every file of the checkout."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode("utf-8").split("\0")
        files = [ROOT / name for name in names if name]
    else:
        files = [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return sorted(path for path in files if path.is_file())


def committed_texts() -> dict[str, str]:
    texts = {}
    for path in committed_files():
        try:
            texts[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def lines_with(pattern: str) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in committed_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.Module) -> set[str]:
    """The rooms a module imports while it runs; imports for type checkers only do not count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "gpvar":
            names.update(gpvar._HOMES.get(alias.name, f"gpvar.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    dotted = {name.split(".") and name.split(".")[1] for name in names if name.startswith("gpvar.")}
    return dotted - {"__numbers__", "__version__"}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def test_the_reader_of_imports_sees_every_way_of_importing() -> None:
    source = """
from typing import TYPE_CHECKING
import gpvar.cli
from gpvar import words, load_study, __version__
from gpvar.table import build_table
if TYPE_CHECKING:
    from gpvar.reporting import show
def later():
    from gpvar import charts
"""
    assert imported_rooms(ast.parse(source)) == {"cli", "words", "study", "table", "charts"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_rooms_above_it(path: Path) -> None:
    room = room_of(path)
    assert room in ROOMS, f"{room} is not a room of ARCHITECTURE: give it a place in the list"
    wrong = sorted(other for other in imported_rooms(parse(path)) if ROOMS.index(other) > ROOMS.index(room))
    assert not wrong, f"{room} must not import from {', '.join(wrong)}, which come after it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_inside_the_package_are_absolute(path: Path) -> None:
    relative = [node.lineno for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative, f"relative imports in lines {relative} would escape the list of rooms"


@pytest.mark.parametrize("path", STATS, ids=lambda path: path.name)
def test_statistics_know_nothing_of_gpvar_but_its_errors(path: Path) -> None:
    assert imported_rooms(parse(path)) <= {"stats", "errors"}


@pytest.mark.parametrize("path", STATS, ids=lambda path: path.name)
def test_every_public_function_and_result_of_the_statistics_is_documented(path: Path) -> None:
    defined = [node for node in parse(path).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    public = [node for node in defined if not path.name.startswith("_") and not node.name.startswith("_")]
    assert not [node.name for node in public if not ast.get_docstring(node)]


def test_importing_gpvar_loads_nothing_heavy() -> None:
    code = "import sys, gpvar; print(sorted({'numpy', 'pandas', 'scipy', 'matplotlib', 'tomllib'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("name", [name for name in gpvar.__all__ if not name.startswith("__")])
def test_every_public_name_can_be_had(name: str) -> None:
    assert name in dir(gpvar)
    assert callable(getattr(gpvar, name)) or name in gpvar._MODULES


def test_an_unknown_public_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyze'"):
        _ = gpvar.analyze


def test_no_page_sends_anybody_to_the_package_of_a_stranger() -> None:
    # On the public index "gpvar" belongs to somebody else; ours is called gp-variation.
    stranger = r"(pip3?|pipx|uvx?|conda|mamba)\s+(pip\s+)?(install|add|run)\s+(-\S+\s+)*[\"']?gpvar\b"
    assert re.search(stranger, "python -m pip install --upgrade " + "gpvar")
    assert not lines_with(stranger)


def test_no_committed_file_names_a_registry_or_a_private_machine() -> None:
    hosts = [r"py" + r"pi\.org", "python" + "hosted", r"npm" + r"js\.", r"deb\." + "debian", r"anaconda\." + "org"]
    places = r"(?<![\w.~-])/(?:" + "|".join(["work", "root", "farm", "tmp"]) + r")/"
    assert not lines_with("|".join([*hosts, places]))


def test_notebooks_are_committed_without_results() -> None:
    filled = []
    for path in (path for path in committed_files() if path.suffix == ".ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        if any(cell["outputs"] or cell["execution_count"] for cell in cells) or "papermill" in notebook["metadata"]:
            filled.append(path.name)
    assert not filled, f"run nbstripout on {filled}"


def test_the_demo_data_stay_small() -> None:
    demo = [path for path in committed_files() if path.is_relative_to(ROOT / "data" / "demo")]
    assert sum(path.stat().st_size for path in demo) < 2_000_000
