"""Counts the reference cases, and lets none be skipped where its answers are at hand."""

from __future__ import annotations

import os
from collections.abc import Generator

# Threads of linear algebra get in one another's way on small matrices; read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib
import pytest

from tests.support import SHARED_REFERENCE

matplotlib.use("Agg")

# What a person's own studies have left in the cache is none of the tests' business, nor theirs of the person's.
os.environ["GPVAR_CACHE"] = "off"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped reference test into a failure wherever ``../shared/reference`` exists."""
    report = yield
    if report.skipped and item.get_closest_marker("reference") and SHARED_REFERENCE.is_dir():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"A reference case was skipped although ../shared/reference is here: {reason}"
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run by saying how many reference cases were run and how many could not be."""
    terminalreporter = config.pluginmanager.get_plugin("terminalreporter")
    if terminalreporter is None or config.option.collectonly:
        return
    run = _reference_cases(terminalreporter, "passed", "failed")
    absent = _reference_cases(terminalreporter, "skipped")
    terminalreporter.write_line(f"{run} reference cases run, {absent} not present")


def _reference_cases(terminalreporter: pytest.TerminalReporter, *outcomes: str) -> int:
    reports = [report for outcome in outcomes for report in terminalreporter.getreports(outcome)]
    return len({report.nodeid for report in reports if "reference" in getattr(report, "keywords", {})})
