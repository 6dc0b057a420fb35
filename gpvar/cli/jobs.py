"""What each command does: a few calls into the library; anything longer belongs there."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from gpvar.cli.ending import DONE, SOME_REPORTS_FAILED, YOUR_INPUT, as_typed
from gpvar.errors import GpvarError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.catalogue import Edition
    from gpvar.sources.needs import State
    from gpvar.study import Study
    from gpvar.table import PracticeTable


def _say(message: str) -> None:
    print(as_typed(message), flush=True)


def demo(chosen: argparse.Namespace) -> int:
    """Run the whole job on simulated England."""
    from gpvar import starter

    study = starter.lay_out_demo(chosen.into)
    _say("Simulated data: invented practices, not real ones.")
    return _run_and_publish(study, refit=False, show=not chosen.no_open)


def new(chosen: argparse.Namespace) -> None:
    """Write a study."""
    from gpvar import starter, words

    written = starter.new_study(
        chosen.folder,
        data=chosen.data[0] if chosen.data else None,
        also=chosen.data[1:],
        sheet=chosen.sheet,
        practice=chosen.practice,
        icb=chosen.icb,
        list_file=chosen.list_file,
        metric=chosen.metric,
        period=chosen.period,
    )
    _say(words.new_study_written(written, starter.describe(written)))


def check(chosen: argparse.Namespace) -> None:
    """Read everything and check the data."""
    from gpvar import build_table, load_study, reporting, words

    study = load_study(chosen.study)
    table = build_table(study)
    page = reporting.publish_check(table, study)
    _say(words.check_summary(table))
    _say(f"The page: {page}")
    _open(page, not chosen.no_open)
    _tell_of_the_letter(study, table)


def _tell_of_the_letter(study: Study, table: PracticeTable) -> None:
    """Say what the study lacks of what the letter speaks of, and what of it was not used; refuse one beyond reading."""
    from gpvar import claims, words

    said = claims.letter_of(study, table)
    found = words.letter_gaps(claims.gaps(said, table), table)
    for sentence in [*found, *words.letter_remarks(claims.remarks(said, table))]:
        _say(sentence)


def run(chosen: argparse.Namespace) -> int:
    """Analyse and report."""
    return _run_and_publish(chosen.study, chosen.refit, show=not chosen.no_open)


def _run_and_publish(study: Path, refit: bool, show: bool) -> int:
    from gpvar import pipeline, reporting

    done = pipeline.run(study, refit=refit, progress=_say)
    _tell_of_the_letter(done.study, done.table)
    published = reporting.publish_run(done, progress=_say)
    return _tell(published, show)


def report(chosen: argparse.Namespace) -> int:
    """Write one kind of report from the last run."""
    from gpvar import pipeline, reporting

    done = pipeline.stored(chosen.study)
    if chosen.kind == "claims":
        reporting.require_letter(done.study, done.findings)
    return _tell(reporting.publish_run(done, kinds=(chosen.kind,), progress=_say), show=False)


def ask(chosen: argparse.Namespace) -> None:
    """Write the letter that asks the ICB how its figures were made."""
    from gpvar import reporting
    from gpvar.words.ask import ask_summary

    paths, said = reporting.publish_ask(chosen.letter, chosen.into)
    _say(ask_summary(said, paths))


def claims(chosen: argparse.Namespace) -> int:
    """Say what the data show of each sentence of the letter, and write the reports on it."""
    from gpvar import claims, load_study, pipeline, reporting, words

    study = load_study(chosen.study)
    reporting.require_letter(study, claims.letter_of(study))
    done = pipeline.run(study, progress=_say)
    _say("\n" + words.claims_console(done) + "\n")
    _tell_of_the_letter(done.study, done.table)
    return _tell(reporting.publish_run(done, kinds=("claims",), progress=_say), show=False)


def _tell(published: object, show: bool) -> int:
    from gpvar import words

    _say(words.published_summary(published))
    _open(published.index, show)
    return SOME_REPORTS_FAILED if published.failed else DONE


def freeze(chosen: argparse.Namespace) -> None:
    """Keep what a study declares."""
    from gpvar import load_study, pipeline, words
    from gpvar.study import lock

    study = load_study(chosen.study)
    written = pipeline.freeze(study)
    _say(words.frozen_study(study.folder / lock.NAME, study.hash, lock.state(study), written))


def explain(chosen: argparse.Namespace) -> None:
    """Say one practice and one metric in the terminal."""
    from gpvar import organisations, pipeline, words

    done = pipeline.stored(chosen.study)
    code = organisations.find_practice(done.table.practices, chosen.practice)
    _say(words.explanation(done, code, chosen.metric))


def reconcile(chosen: argparse.Namespace) -> None:
    """Say which readings of the data give the figures of the letter."""
    from gpvar import load_study
    from gpvar.reporting.reconcile import publish_reconciliation
    from gpvar.words.reconcile import reconciliation_written

    path, _, said = publish_reconciliation(load_study(chosen.study), progress=_say)
    _say(f"\n{said}\n")
    _say(reconciliation_written(path))


def sources(chosen: argparse.Namespace) -> int:
    """Say which files a study needs; take in those that are here."""
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


def fetch(chosen: argparse.Namespace) -> int:
    """Download what can be, and take it into the study."""
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
    _say("\n" + words.taken_in(files, needs.states(study, folders), study))
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


def events(chosen: argparse.Namespace) -> None:
    """Propose what happened to practices."""
    from gpvar import load_study, words
    from gpvar.sources import proposing

    study = load_study(chosen.study, complete=False)
    proposals = proposing.propose(study)
    _say(words.proposed_events(proposals, proposing.write_proposals(study, proposals), study))


def reference_build(chosen: argparse.Namespace) -> None:
    """Make a reference file."""
    from datetime import date

    from gpvar import words
    from gpvar.sources import reference
    from gpvar.sources.reference import making
    from gpvar.study import period_asked

    files, period, left_out = making.gather(chosen.places, period_asked(chosen.period))
    edition = chosen.edition or making.edition_of(chosen.places)
    built = reference.build(files, period, chosen.into, made_on=date.today(), edition=edition, progress=_say)
    _say(words.reference_built(built, left_out))


def reference_use(chosen: argparse.Namespace) -> None:
    """Make a study use a reference file."""
    from gpvar import load_study, words
    from gpvar.sources import reference

    study = load_study(chosen.study, complete=False)
    reference.use(chosen.file, study)
    _say(words.reference_used(reference.describe(chosen.file), study))


def reference_show(chosen: argparse.Namespace) -> None:
    """Say what a reference file holds."""
    from gpvar import words
    from gpvar.sources import reference

    _say(words.reference_contents(reference.describe(chosen.file)))


def own(chosen: argparse.Namespace) -> None:
    """Write the page of one practice's appointments."""
    from gpvar import load_study, reporting, words

    page, said = reporting.publish_own(load_study(chosen.study), chosen.practice, chosen.own)
    for sentence in said:
        _say(words.without_markdown(sentence))
    _say(f"The page: {page}")
    _open(page, not chosen.no_open)


def draws(chosen: argparse.Namespace) -> None:
    """Write joint draws from one model."""
    from gpvar import pipeline, reporting, words
    from gpvar.analysis import draws

    done = pipeline.stored(chosen.study)
    again = draws.refit(done, chosen.metric, chosen.rung)
    effects = 0 if chosen.no_effects else again.n_effects
    size = reporting.draws_size(chosen.n, effects)
    _say(words.draws_size(chosen.n, len(again.model.fixed), len(again.units), effects, size))
    drawn = again.draw(chosen.n, chosen.seed, effects=not chosen.no_effects)
    folder = chosen.into or reporting.draws_folder(done, chosen.metric, chosen.rung)
    reporting.write_draws(done, drawn, folder)
    _say(words.draws_written(drawn, folder))


def calibrate(chosen: argparse.Namespace) -> None:
    """Put the tool on trial."""
    from gpvar import calibration, reporting

    calibration.calibrate(chosen.worlds, chosen.seed, chosen.into, workers=chosen.workers, progress=_say)
    _say(f"The page: {reporting.publish_calibration(chosen.into)}")


def lab(chosen: argparse.Namespace) -> int:
    """Open the study's notebooks."""
    from gpvar import load_study, reporting

    return reporting.open_lab(load_study(chosen.study).folder)


def doctor(chosen: argparse.Namespace) -> int:
    """Check this computer."""
    from gpvar import doctor

    findings = doctor.report()
    for item, state, detail in findings:
        _say(f"{state:<8} {item}: {detail}")
    return YOUR_INPUT if any(state == "problem" for _, state, _ in findings) else DONE


def _open(page: Path, wanted: bool) -> None:
    if wanted:
        webbrowser.open(page.resolve().as_uri())
