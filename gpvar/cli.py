"""The command. Each subcommand is a few calls into the library; anything longer belongs there."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import traceback
import webbrowser
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gpvar.errors import GpvarError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gpvar.catalogue import Edition
    from gpvar.sources.needs import State

DONE, OUR_BUG, YOUR_INPUT, SOME_REPORTS_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
AS_WRITTEN = "python run.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments
        The words after ``gpvar``; those of the command line when None.

    Returns
    -------
    int
        0 done, 1 a bug of ours (a log file is named), 2 the user's input, 3 some reports failed, 130 interrupted.
    """
    _speak_utf8()
    try:
        chosen = _parser().parse_args(arguments)
        return int(chosen.command(chosen) or DONE)
    except GpvarError as error:
        print(_as_typed(str(error)), file=sys.stderr)
        return YOUR_INPUT
    except BrokenPipeError:  # whoever read the output has seen enough
        _let_go_of_output()
        return DONE
    except KeyboardInterrupt:
        print("Stopped. What was finished before is kept; nothing half-written is used.", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        print(_bug_message(), file=sys.stderr)
        return OUR_BUG


def _speak_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def _let_go_of_output() -> None:
    """Point standard output nowhere, so that closing it at the end of the process meets no broken pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_typed(text: str) -> str:
    """Return a message with our command written the way this person started it."""
    return text.replace(AS_WRITTEN, os.environ.get("GPVAR_COMMAND", "gpvar"))


def _bug_message() -> str:
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    log = Path(tempfile.gettempdir()) / f"gpvar-{stamp}.log"
    try:
        log.write_text(traceback.format_exc(), encoding="utf-8")
        place = str(log)
    except OSError:
        place = "no log could be written"
    return str(
        GpvarError(
            "gpvar met a problem it did not expect. This is a fault in gpvar, not in your data.",
            place,
            "Send that file with the report of the fault; it holds no data from your study beyond what the message "
            "names. Earlier results are untouched.",
        )
    )


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors have the three lines of every other error."""

    def error(self, message: str) -> NoReturn:
        problem = message[0].upper() + message[1:] + ("" if message.endswith(".") else ".")
        raise GpvarError(problem, f"the words after {self.prog}", f"See: {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=os.environ.get("GPVAR_COMMAND", "gpvar"),
        description="Is this variation between GP practices larger than chance, accounted for by their patients, "
        "shared by many, or exceptional?",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    demo = _command(commands, "demo", "the whole job on simulated England, then the index opens", _demo)
    demo.add_argument("--into", type=Path, default=Path("gpvar-demo"), metavar="FOLDER")
    demo.add_argument("--no-open", action="store_true", help="do not open the index in a browser")

    new = _command(commands, "new", "write a study to fill in, or a ready one from a data file", _new)
    new.add_argument("folder", type=Path)
    new.add_argument("--data", type=Path, metavar="FILE", help="a CSV or Excel file with one row per practice")
    new.add_argument("--sheet", help="the sheet of an Excel file")
    new.add_argument("--practice", action="append", default=[], metavar="NAME_OR_CODE")
    new.add_argument("--icb", metavar="NAME_OR_CODE")
    new.add_argument("--list", type=Path, dest="list_file", metavar="FILE", help="a CSV of practice codes")
    new.add_argument("--metric", action="append", default=[], metavar="METRIC")
    new.add_argument("--period", metavar="MONTHS", help="the months, as 2025-04..2026-03")

    check = _command(commands, "check", "read everything, join, check the data; nothing is fitted", _check)
    check.add_argument("study", type=Path)
    check.add_argument("--no-open", action="store_true", help="do not open the page in a browser")

    run = _command(commands, "run", "analyse, then write the reports", _run)
    run.add_argument("study", type=Path)
    run.add_argument("--refit", action="store_true", help="analyse again even if nothing has changed")
    run.add_argument("--no-open", action="store_true", help="do not open the index in a browser")

    report = _command(commands, "report", "write one kind of report from the last run", _report)
    report.add_argument("kind", choices=["practice", "area"])
    report.add_argument("study", type=Path)

    explain = _command(commands, "explain", "one practice and one metric, in the terminal", _explain)
    explain.add_argument("study", type=Path)
    explain.add_argument("practice", metavar="NAME_OR_CODE")
    explain.add_argument("metric")

    sources = _command(
        commands, "sources", "which files a study needs, which are here, where to get the rest", _sources
    )
    sources.add_argument("study", type=Path)
    sources.add_argument("--take", action="store_true", help="copy what was found into the study, and name it there")
    sources.add_argument("--look", type=Path, action="append", default=[], metavar="FOLDER", help="look here as well")

    fetch = _command(commands, "fetch", "download what the study needs and has a known address", _fetch)
    fetch.add_argument("study", type=Path)
    fetch.add_argument("--url", action="append", default=[], metavar="ADDRESS", help="a file's own address")

    events = _command(commands, "events", "propose which practices merged or closed, for you to confirm", _events)
    events.add_argument("study", type=Path)

    reference = _command(commands, "reference", "one dated file of England that a colleague can pass on", None)
    kinds = reference.add_subparsers(title="kinds", metavar="KIND", required=True, parser_class=_Parser)
    build = _command(kinds, "build", "put published files together into one reference file", _reference_build)
    build.add_argument("places", type=Path, nargs="+", metavar="STUDY_OR_FOLDER_OR_FILE")
    build.add_argument("--period", metavar="MONTHS", help="the months, as 2025-04..2026-03")
    build.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="where it is written")
    use = _command(kinds, "use", "make a study take its published figures from a reference file", _reference_use)
    use.add_argument("file", type=Path)
    use.add_argument("study", type=Path)
    show = _command(kinds, "show", "say what a reference file holds", _reference_show)
    show.add_argument("file", type=Path)

    own = _command(commands, "appointments", "one practice: other labels as urgent, its own download checked", _own)
    own.add_argument("study", type=Path)
    own.add_argument("practice", metavar="NAME_OR_CODE")
    own.add_argument("--own", type=Path, metavar="FILE", help="its own download, with the crosstab's columns")
    own.add_argument("--no-open", action="store_true", help="do not open the page in a browser")

    lab = _command(commands, "lab", "open the study's notebooks in JupyterLab", _lab)
    lab.add_argument("study", type=Path)

    _command(commands, "doctor", "check that this computer has what gpvar needs", _doctor)
    return parser


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


def _say(message: str) -> None:
    print(_as_typed(message), flush=True)


def _demo(chosen: argparse.Namespace) -> int:
    from gpvar import starter

    study = starter.lay_out_demo(chosen.into)
    _say("Simulated data: invented practices, not real ones.")
    return _run_and_publish(study, refit=False, show=not chosen.no_open)


def _new(chosen: argparse.Namespace) -> None:
    from gpvar import starter, words

    written = starter.new_study(
        chosen.folder,
        data=chosen.data,
        sheet=chosen.sheet,
        practice=chosen.practice,
        icb=chosen.icb,
        list_file=chosen.list_file,
        metric=chosen.metric,
        period=chosen.period,
    )
    _say(words.new_study_written(written, starter.describe(written)))


def _check(chosen: argparse.Namespace) -> None:
    from gpvar import build_table, load_study, reporting, words

    study = load_study(chosen.study)
    table = build_table(study)
    page = reporting.publish_check(table, study)
    _say(words.check_summary(table))
    _say(f"The page: {page}")
    _open(page, not chosen.no_open)


def _run(chosen: argparse.Namespace) -> int:
    return _run_and_publish(chosen.study, chosen.refit, show=not chosen.no_open)


def _run_and_publish(study: Path, refit: bool, show: bool) -> int:
    from gpvar import pipeline, reporting

    done = pipeline.run(study, refit=refit, progress=_say)
    published = reporting.publish_run(done, progress=_say)
    return _tell(published, show)


def _report(chosen: argparse.Namespace) -> int:
    from gpvar import pipeline, reporting

    done = pipeline.stored(chosen.study)
    return _tell(reporting.publish_run(done, kinds=(chosen.kind,), progress=_say), show=False)


def _tell(published: object, show: bool) -> int:
    from gpvar import words

    _say(words.published_summary(published))
    _open(published.index, show)
    return SOME_REPORTS_FAILED if published.failed else DONE


def _explain(chosen: argparse.Namespace) -> None:
    from gpvar import organisations, pipeline, words

    done = pipeline.stored(chosen.study)
    code = organisations.find_practice(done.table.practices, chosen.practice)
    _say(words.explanation(done, code, chosen.metric))


def _sources(chosen: argparse.Namespace) -> int:
    from gpvar import load_study, words
    from gpvar.sources import needs, taking

    study = load_study(chosen.study, complete=False)
    folders = [*(_folder(folder) for folder in chosen.look), *needs.usual_folders(study.folder)]
    found = needs.states(study, folders)
    if chosen.take:
        files = taking.take(study, found)
        study = load_study(chosen.study, complete=False)
        found = needs.states(study, folders)
    _say(words.sources_needed(study, found, folders))
    if chosen.take:
        _say("\n" + words.taken_in(files, found, study))
    return DONE


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise GpvarError("There is no such folder to look in.", str(path.absolute()), "Correct the words after --look.")
    return path


def _fetch(chosen: argparse.Namespace) -> int:
    from gpvar import load_study, words
    from gpvar.sources import download, needs, taking

    study = load_study(chosen.study, complete=False)
    folders = needs.usual_folders(study.folder)
    wanted = chosen.url or _to_fetch(needs.states(study, folders))
    into = study.folder / "data" / "raw"
    line = _OneLine()
    result = download.fetch_many(wanted, into, progress=line.show, say=line.say, verify=needs.taken_for)
    line.end()
    _say(words.fetched_files(result))
    files = taking.take(study, needs.states(study, folders))
    study = load_study(chosen.study, complete=False)
    _say(words.taken_in(files, needs.states(study, folders), study))
    return SOME_REPORTS_FAILED if result.by_hand else DONE


def _to_fetch(states: Sequence[State]) -> list[Edition]:
    """Return what is to be downloaded: what is needed, and of the rest what has an address."""
    return [edition for state in states for edition in state.get if edition.address or not state.need.optional]


class _OneLine:
    """One line on the screen that is written over while a file comes; nothing where the output is a file."""

    def __init__(self) -> None:
        self.shown = False

    def show(self, name: str, done: int, total: int | None) -> None:
        from gpvar.sources.download import progress_line

        if sys.stdout.isatty():
            print(f"\r{progress_line(name, done, total):<100}", end="", flush=True)
            self.shown = True

    def say(self, message: str) -> None:
        self.end()
        _say(message)

    def end(self) -> None:
        if self.shown:
            print(flush=True)
        self.shown = False


def _events(chosen: argparse.Namespace) -> None:
    from gpvar import load_study, words
    from gpvar.sources import proposing

    study = load_study(chosen.study, complete=False)
    proposals = proposing.propose(study)
    _say(words.proposed_events(proposals, proposing.write_proposals(study, proposals), study))


def _reference_build(chosen: argparse.Namespace) -> None:
    from datetime import date

    from gpvar import words
    from gpvar.sources import making, reference
    from gpvar.study import period_asked

    files, period, left_out = making.gather(chosen.places, period_asked(chosen.period))
    built = reference.build(files, period, chosen.into, made_on=date.today(), progress=_say)
    _say(words.reference_built(built, left_out))


def _reference_use(chosen: argparse.Namespace) -> None:
    from gpvar import load_study, words
    from gpvar.sources import reference

    study = load_study(chosen.study, complete=False)
    reference.use(chosen.file, study)
    _say(words.reference_used(reference.describe(chosen.file), study))


def _reference_show(chosen: argparse.Namespace) -> None:
    from gpvar import words
    from gpvar.sources import reference

    _say(words.reference_contents(reference.describe(chosen.file)))


def _own(chosen: argparse.Namespace) -> None:
    from gpvar import load_study, reporting, words

    page, said = reporting.publish_own(load_study(chosen.study), chosen.practice, chosen.own)
    for sentence in said:
        _say(words.without_markdown(sentence))
    _say(f"The page: {page}")
    _open(page, not chosen.no_open)


def _lab(chosen: argparse.Namespace) -> int:
    from gpvar import load_study, reporting

    return reporting.open_lab(load_study(chosen.study).folder)


def _doctor(chosen: argparse.Namespace) -> int:
    from gpvar import doctor

    findings = doctor.report()
    for item, state, detail in findings:
        _say(f"{state:<8} {item}: {detail}")
    return YOUR_INPUT if any(state == "problem" for _, state, _ in findings) else DONE


def _open(page: Path, wanted: bool) -> None:
    if wanted:
        webbrowser.open(page.resolve().as_uri())
