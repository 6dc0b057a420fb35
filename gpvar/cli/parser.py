"""The words that the command understands."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gpvar.cli import jobs
from gpvar.errors import GpvarError
from gpvar.study.model import REPORT_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors have the three lines of every other error."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse has to say as an error of ours."""
        problem = message[0].upper() + message[1:] + ("" if message.endswith(".") else ".")
        raise GpvarError(problem, f"the words after {self.prog}", f"See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = Parser(
        prog=os.environ.get("GPVAR_COMMAND", "gpvar"),
        description="Is this variation between GP practices larger than chance, accounted for by their patients, "
        "shared by many, or exceptional?",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    _of_studies(commands)
    _of_files(commands)
    _of_practices_and_tools(commands)
    return parser


def _of_studies(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = _command(commands, "demo", "the whole job on simulated England, then the index opens", jobs.demo)
    demo.add_argument("--into", type=Path, default=Path("gpvar-demo"), metavar="FOLDER")
    demo.add_argument("--no-open", action="store_true", help="do not open the index in a browser")

    new = _command(commands, "new", "write a study to fill in, or a ready one from a data file", jobs.new)
    new.add_argument("folder", type=Path)
    new.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a CSV or Excel file with one row per practice; again for counts of other months",
    )
    new.add_argument("--sheet", help="the sheet of an Excel file")
    new.add_argument("--practice", action="append", default=[], metavar="NAME_OR_CODE")
    new.add_argument("--icb", metavar="NAME_OR_CODE")
    new.add_argument("--list", type=Path, dest="list_file", metavar="FILE", help="a CSV of practice codes")
    new.add_argument("--metric", action="append", default=[], metavar="METRIC")
    new.add_argument("--period", metavar="MONTHS", help="the months, as 2025-04..2026-03")

    check = _command(commands, "check", "read everything, join, check the data; nothing is fitted", jobs.check)
    check.add_argument("study", type=Path)
    check.add_argument("--no-open", action="store_true", help="do not open the page in a browser")

    run = _command(commands, "run", "analyse, then write the reports", jobs.run)
    run.add_argument("study", type=Path)
    run.add_argument("--refit", action="store_true", help="analyse again even if nothing has changed")
    run.add_argument("--no-open", action="store_true", help="do not open the index in a browser")

    report = _command(commands, "report", "write one kind of report from the last run", jobs.report)
    report.add_argument("kind", choices=REPORT_KINDS)
    report.add_argument("study", type=Path)

    ask = _command(commands, "ask", "the letter that asks an ICB how its figures were made; needs no data", jobs.ask)
    ask.add_argument("letter", type=Path, metavar="STUDY_OR_LETTER", help="a study, or a letter.xlsx alone")
    ask.add_argument("--into", type=Path, metavar="FOLDER", help="where it is written")

    claims = _command(commands, "claims", "what the letter says and what the data show of each sentence", jobs.claims)
    claims.add_argument("study", type=Path)

    freeze = _command(
        commands, "freeze", "keep what is declared, and the day: reports say what changed since", jobs.freeze
    )
    freeze.add_argument("study", type=Path)

    explain = _command(commands, "explain", "one practice and one metric, in the terminal", jobs.explain)
    explain.add_argument("study", type=Path)
    explain.add_argument("practice", metavar="NAME_OR_CODE")
    explain.add_argument("metric")

    reconcile = _command(
        commands, "reconcile", "which period, list and comparator give the letter's figures", jobs.reconcile
    )
    reconcile.add_argument("study", type=Path)


def _of_files(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sources = _command(
        commands, "sources", "which files a study needs, which are here, where to get the rest", jobs.sources
    )
    sources.add_argument("study", type=Path)
    sources.add_argument("--take", action="store_true", help="copy what was found into the study, and name it there")
    sources.add_argument("--look", type=Path, action="append", default=[], metavar="FOLDER", help="look here as well")

    fetch = _command(commands, "fetch", "download what the study needs and has a known address", jobs.fetch)
    fetch.add_argument("study", type=Path)
    fetch.add_argument("--url", action="append", default=[], metavar="ADDRESS", help="a file's own address")

    events = _command(commands, "events", "propose which practices merged or closed, for you to confirm", jobs.events)
    events.add_argument("study", type=Path)

    reference = _command(commands, "reference", "one dated file of England that a colleague can pass on", None)
    kinds = reference.add_subparsers(title="kinds", metavar="KIND", required=True, parser_class=Parser)
    build = _command(kinds, "build", "put published files together into one reference file", jobs.reference_build)
    build.add_argument("places", type=Path, nargs="+", metavar="STUDY_OR_FOLDER_OR_FILE")
    build.add_argument("--period", metavar="MONTHS", help="the months, as 2025-04..2026-03")
    build.add_argument("--edition", default="", metavar="MONTH", help="the appointments' edition, or latest")
    build.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="where it is written")
    use = _command(kinds, "use", "make a study take its published figures from a reference file", jobs.reference_use)
    use.add_argument("file", type=Path)
    use.add_argument("study", type=Path)
    show = _command(kinds, "show", "say what a reference file holds", jobs.reference_show)
    show.add_argument("file", type=Path)


def _of_practices_and_tools(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    own = _command(commands, "appointments", "one practice: other labels as urgent, its own download checked", jobs.own)
    own.add_argument("study", type=Path)
    own.add_argument("practice", metavar="NAME_OR_CODE")
    own.add_argument("--own", type=Path, metavar="FILE", help="its own download, with the crosstab's columns")
    own.add_argument("--no-open", action="store_true", help="do not open the page in a browser")

    draws = _command(commands, "draws", "for researchers: joint draws from the model of one measure", jobs.draws)
    draws.add_argument("study", type=Path)
    draws.add_argument("metric")
    draws.add_argument("--rung", default="M1", help="M0, M1, M1- or M2")
    draws.add_argument("--n", type=int, default=2000, metavar="DRAWS")
    draws.add_argument("--seed", type=int, help="the study's when left out")
    draws.add_argument("--no-effects", action="store_true", help="coefficients and spreads alone")
    draws.add_argument("--into", type=Path, metavar="FOLDER", help="where they are written")

    trial = _command(
        commands,
        "calibrate",
        "for researchers: how often is this tool wrong? About an hour of two processors; stops and resumes",
        jobs.calibrate,
    )
    trial.description += (
        " Makes simulated Englands whose truth is known, and counts how often gpvar is wrong in them: a page and its "
        "figures (calibration.html, .md, .csv, .json). Ctrl-C loses unfinished worlds alone: the same command goes on."
    )
    trial.epilog = "Example: python run.py calibrate --worlds 12 --into small-trial"
    trial.add_argument(
        "--worlds", type=int, default=300, metavar="N", help="how many simulated Englands; %(default)s when left out"
    )
    trial.add_argument("--seed", type=int, default=20260401, help="%(default)s when left out")
    trial.add_argument(
        "--into",
        type=Path,
        default=Path("gpvar-calibration"),
        metavar="FOLDER",
        help="where it is written, and taken up again; %(default)s when left out",
    )
    trial.add_argument(
        "--workers", type=int, default=2, metavar="K", help="how many processes at once; %(default)s when left out"
    )

    lab = _command(commands, "lab", "open the study's notebooks in JupyterLab", jobs.lab)
    lab.add_argument("study", type=Path)

    _command(commands, "doctor", "check that this computer has what gpvar needs", jobs.doctor)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help_text: str,
    function: Callable[[argparse.Namespace], int | None] | None,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    if function is not None:
        parser.set_defaults(command=function)
    return parser
