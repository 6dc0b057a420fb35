"""The tutorial on multilevel models: it runs, its words are true of its numbers, and its data are those of lme4."""

from __future__ import annotations

import ast
import html
import logging
import re
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest

from gpvar.reporting import execute
from gpvar.reporting.kernel import ENGINE, Kernel, register
from gpvar.stats import multilevel
from tests.support import ROOT, reference, shared

BOOK = execute.notebook("multilevel_tutorial")
CELLS = nbformat.read(BOOK, as_version=4).cells
CODE = [cell for cell in CELLS if cell.cell_type == "code"]
WORDS = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")
SIMULATED = "simulated England: no such practice exists"


def run_here(**parameters: str) -> SimpleNamespace:
    """Run the cells in this process and return what they leave behind."""
    left: dict[str, Any] = {}
    with mpl.rc_context(), pd.option_context("display.precision", pd.get_option("display.precision")):
        for cell in CODE:
            source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
            exec(compile(source, BOOK.name, "exec"), left)
            if "parameters" in cell.metadata.get("tags", []):
                left.update(parameters)
        plt.close("all")
    return SimpleNamespace(**left)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Return the notebook as papermill ran it, and the folder that it wrote to."""
    folder = tmp_path_factory.mktemp("tables")
    register()
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with warnings.catch_warnings(), Kernel() as kernel:
        warnings.simplefilter("ignore")
        book = papermill.execute_notebook(
            str(BOOK),
            None,
            parameters={"output": str(folder)},
            engine_name=ENGINE,
            kernel_name="python3",
            progress_bar=False,
            kernel=kernel,
        )
    return book, folder


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Return the names that the tutorial leaves behind on the simulated England."""
    return run_here(output=str(tmp_path_factory.mktemp("here")))


def shown(book: Any) -> str:
    """Return all text that the cells put out."""
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def test_it_runs_from_top_to_bottom_without_a_warning(executed: tuple[Any, Path]) -> None:
    outputs = [output for cell in executed[0].cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3


def test_every_figure_is_followed_by_its_description(executed: tuple[Any, Path]) -> None:
    cells = executed[0].cells
    drawn = [
        place
        for place, cell in enumerate(cells)
        if cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs)
    ]
    assert len(drawn) == 3
    assert all(re.match(r"\*[^*]", cells[place + 1].source) for place in drawn)


def test_what_is_simulated_is_called_so_wherever_it_is_shown(executed: tuple[Any, Path]) -> None:
    assert shown(executed[0]).count(SIMULATED) >= 2
    drawings = [cell.source for cell in CODE if "plt.subplots" in cell.source and "effects[" not in cell.source]
    assert len(drawings) == 2 and all("source" in drawing for drawing in drawings)


def test_nothing_shown_or_written_holds_a_path_of_this_machine(executed: tuple[Any, Path]) -> None:
    text = shown(executed[0]) + "".join(cell.source for cell in CELLS)
    assert "site-packages" not in text
    for place in (ROOT, Path.home(), Path(tempfile.gettempdir())):
        assert f"{place}/" not in text


def test_the_tables_written_can_be_read_again(executed: tuple[Any, Path]) -> None:
    tables = {path.stem: pd.read_csv(path) for path in executed[1].glob("*.csv")}
    assert set(tables) == {"model", "intervals", "networks", "ranks", "checks"}
    assert set(tables["model"]["part"]) == {"fixed", "sd", "units", "fit"}
    assert list(tables["intervals"]["group"]) == ["icb", "network", "practice"]
    assert set(tables["networks"]["network"]) == set(tables["ranks"]["network"])


def test_it_defines_no_function_and_no_class() -> None:
    sources = ["\n".join(x for x in cell.source.splitlines() if not x.startswith("%")) for cell in CODE]
    made = [node for source in sources for node in ast.walk(ast.parse(source)) if hasattr(node, "body")]
    assert not [node for node in made if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    assert max(len(source.splitlines()) for source in sources) <= 30


def test_every_call_in_the_table_of_models_is_one_that_works() -> None:
    calls = re.findall(r"`(multilevel\.fit\([^`]+\))`", WORDS)
    rng = np.random.default_rng(4)
    d = pd.DataFrame({"g": np.repeat(np.arange(12), 10), "x": rng.uniform(1, 2, 120), "e": 2.0})
    effects = rng.normal(0, 1, 12)[d["g"]]
    for call in calls:
        chance = 1 / (1 + np.exp(-effects))
        if "gaussian" in call:
            d["y"] = effects + rng.normal(size=120)
        elif "binomial" in call and "negative" not in call:
            d["n"] = 20 if "trials" in call else 1
            d["y"] = rng.binomial(d["n"], chance)
        else:
            d["y"] = rng.negative_binomial(2, 1 / (1 + np.exp(1 + effects)))
        assert eval(call, {"multilevel": multilevel, "d": d}).converged, call
    assert len(calls) == 6


def test_terms_of_the_table_are_understood() -> None:
    terms = re.search(r"\| terms \|.*\|(.*)\|", WORDS)
    assert terms is not None
    rng = np.random.default_rng(4)
    d = pd.DataFrame({"a": np.tile([1, 2, 3], 40), "x": rng.uniform(1, 2, 120), "g": np.repeat(np.arange(12), 10)})
    d["y"] = rng.normal(size=120)
    for term in re.findall(r"`([^`]+)`", terms[1]):
        fit = multilevel.fit(f"y ~ {term}", d, family="gaussian", groups=["g"])
        assert fit.fixed["estimate"].notna().all(), term


def test_every_method_of_the_table_exists(tutorial: SimpleNamespace) -> None:
    rows = [line for line in WORDS.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`m\.(\w+)", html.unescape(row))}
    assert len(named) >= 12
    assert not [name for name in named if not hasattr(tutorial.adjusted, name)]


@pytest.mark.reference
def test_the_cbpp_typed_in_is_that_of_lme4(tutorial: SimpleNamespace) -> None:
    theirs = pd.read_csv(reference("cbpp_bin_agq9.csv"), dtype={"herd": str, "period": str})
    theirs["size"] = theirs["incidence"] + theirs["healthy"]
    keys = ["herd", "period", "incidence", "size"]
    pd.testing.assert_frame_equal(
        tutorial.cbpp[keys].sort_values(keys[:2], ignore_index=True),
        theirs[keys].sort_values(keys[:2], ignore_index=True),
        check_dtype=False,
    )


def test_cbpp_gives_what_glmmtmb_prints_and_no_less_than_lme4(tutorial: SimpleNamespace) -> None:
    beside = tutorial.beside
    # They print five decimals; their own convergence leaves about one in the last.
    np.testing.assert_allclose(beside["here"], beside["glmmTMB"], atol=2e-5)
    np.testing.assert_allclose(beside["here, SE"].dropna(), beside["glmmTMB, SE"].dropna(), atol=5e-5)
    np.testing.assert_allclose(beside["here"], beside["lme4"], atol=1e-3)
    assert beside.loc["log-likelihood"].dropna().idxmin() == "lme4"


def test_what_is_said_of_cbpp_is_so(tutorial: SimpleNamespace) -> None:
    herds, rows_too = tutorial.herds, tutorial.rows_too
    eleven = tutorial.cbpp[tutorial.cbpp["herd"] == "11"].set_index("period")["incidence"]
    assert list(eleven[["1", "2"]]) == [0, 5]
    checked = herds.check()
    assert checked.concerns == 1 and "herd '11'" in checked.advice[0] and "C(period)[T.2]" in checked.advice[0]
    assert 1.4 < checked.dispersion < 1.6 and checked.dispersion_p > 0.05
    without = tutorial.without_11.fixed
    moved = (herds.fixed["estimate"] - without["estimate"])["C(period)[T.2]"]
    assert moved > herds.fixed["se"]["C(period)[T.2]"]
    assert (without["upper"].iloc[1:] < 0).all() and (herds.fixed["upper"].iloc[1:] < 0).all()
    assert 7.0 < herds.aic - rows_too.aic < 8.0
    interval = rows_too.intervals().set_index("group").loc["herd"]
    assert interval["lower"] == 0.0 and round(interval["upper"], 2) == 0.87
    assert round(rows_too.likelihood_ratio()["p"][1], 3) == 0.001
    ratio = tutorial.effects["sd_with_parameter_uncertainty"] / tutorial.effects["sd_given_parameters"]
    assert round(1 / (ratio.max() - 1)) == 5


def test_what_is_said_of_quadrature_is_so(tutorial: SimpleNamespace) -> None:
    fits = tutorial.fits
    first, last = fits[1], fits[25]
    assert round(last.loglik - first.loglik) == 11
    middle = {q: m.predict(tutorial.anywhere, marginal=False, given=[])[0] for q, m in fits.items()}
    assert round(middle[1], 2) == 0.10 and round(middle[25], 2) == 0.11
    errors = last.to_frame().dropna(subset=["se"])
    for value, truth, error in zip(errors["estimate"], (-2.0, 3.0), errors["se"], strict=True):
        assert abs(value - truth) < error
    near = fits[15].to_frame().dropna(subset=["se"])
    assert (np.abs(near["estimate"] - errors["estimate"]) < 0.1 * errors["se"]).all()
    assert first.notes and not last.notes


def test_what_is_said_of_the_simulated_england_is_so(tutorial: SimpleNamespace) -> None:
    assert len(tutorial.england) == 1199
    assert tutorial.found.concerns == 3
    action = tutorial.found.advice[:3]
    assert sum("'icb'" in line or "icb 'QZ" in line for line in action) == 2
    assert sum("X14544" in line for line in action) == 1
    gone = set(tutorial.england["practice"]) - set(tutorial.sound["practice"])
    assert gone == {"X14544"} and tutorial.england.set_index("practice").loc["X14544", "per_patient_a_year"] < 1
    with_it, without_it = (m.variances["sd"].iloc[-1] for m in (tutorial.activity, tutorial.without))
    assert without_it < with_it


@pytest.mark.slow
def test_it_runs_on_the_real_table(tmp_path: Path) -> None:
    table = shared("data", "joined", "england_2025_26.csv.gz")
    left = run_here(table=str(table), output=str(tmp_path))
    assert len(left.england) == 6032 and left.source == table.name
    assert left.adjusted.converged and left.activity.converged
