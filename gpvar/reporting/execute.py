"""Run one report notebook through papermill, with parameters that were checked first."""

from __future__ import annotations

import ast
import difflib
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpvar import share
from gpvar.errors import ReportError
from gpvar.reporting.kernel import ENGINE, Kernel, register

ALLOWED = ("run", "practice", "metric")


def notebook(name: str) -> Path:
    """Return the path of one of our notebooks."""
    path = share.folder("notebooks") / f"{name}.ipynb"
    if not path.is_file():
        raise ReportError(f"The notebook '{name}' is missing.", str(path), "Install gpvar again.")
    return path


def declared_parameters(path: Path) -> dict[str, str]:
    """Return the parameters a notebook declares in its own ``parameters`` cell, with their defaults."""
    import nbformat

    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            return {name: value for name, value in map(_assignment, ast.parse(cell.source).body) if name}
    return {}


def _assignment(statement: ast.stmt) -> tuple[str, str]:
    target = (
        statement.target
        if isinstance(statement, ast.AnnAssign)
        else statement.targets[0]
        if isinstance(statement, ast.Assign)
        else None
    )
    value = getattr(statement, "value", None)
    if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
        return target.id, value.value
    return "", ""


def check_parameters(path: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter that the notebook does not declare, or that is not text.

    Papermill only warns about a misspelt name, and then writes the report of the default practice.
    """
    known = [name for name in declared_parameters(path) if name in ALLOWED]
    for name, value in parameters.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1, 0.5)
            raise ReportError(
                f"The notebook has no parameter called '{name}'.",
                path.name,
                f"Did you mean {close[0]}?" if close else f"It takes {', '.join(known)}.",
            )
        if not isinstance(value, str):
            raise ReportError(
                f"The parameter '{name}' must be text.", f"{path.name}: {value!r}", "Put it in quotation marks."
            )


def execute(path: Path, parameters: Mapping[str, str], kernel: Kernel) -> Any:
    """Run a notebook and return it with its outputs; nothing is written.

    Parameters
    ----------
    path
        The notebook.
    parameters
        Values for names in its ``parameters`` cell.
    kernel
        The batch's kernel; it is started afresh once when its port was taken.

    Returns
    -------
    NotebookNode

    Raises
    ------
    ReportError
        A parameter is wrong, or the notebook failed; the message is that of the error in the notebook.
    """
    check_parameters(path, parameters)
    register()
    try:
        return _run(path, parameters, kernel)
    except ReportError:
        kernel.stop()
        raise
    except Exception as error:
        kernel.stop()
        if "address already in use" not in str(error).lower():
            raise _failed(path, error) from error
    try:
        return _run(path, parameters, kernel)
    except Exception as error:
        kernel.stop()
        raise _failed(path, error) from error


def _run(path: Path, parameters: Mapping[str, str], kernel: Kernel) -> Any:
    import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return papermill.execute_notebook(
            str(path),
            None,
            parameters=dict(parameters),
            engine_name=ENGINE,
            kernel_name="python3",
            progress_bar=False,
            kernel=kernel,
        )


def _failed(path: Path, error: Exception) -> ReportError:
    """Return the notebook's error for a person: our own message when it was one of ours."""
    name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    lines = [line for line in str(value).splitlines() if line.strip()]
    first = lines[0] if lines else str(name)
    where = next((line.removeprefix("Where: ") for line in lines if line.startswith("Where: ")), "")
    fix = next((line.removeprefix("What to do: ") for line in lines if line.startswith("What to do: ")), "")
    if fix:
        return ReportError(first, where or path.name, fix)
    return ReportError(
        f"The notebook stopped: {name}: {first}",
        path.name,
        "Open it with python run.py lab STUDY and run it to see the cell that stopped.",
    )
