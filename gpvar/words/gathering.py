"""What the command says of files: which a study needs, which are there, where the others are had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpvar import catalogue
from gpvar.dates import day_in_words, month_in_words
from gpvar.words.text import listed, plain, plural, sentence, typed

if TYPE_CHECKING:
    from gpvar.catalogue import Edition
    from gpvar.sources.needs import Need, State
    from gpvar.study import Study

_STATES = {
    "there": "HERE",
    "partly": "IN PART",
    "old": "OLD",
    "unreadable": "CANNOT BE READ",
    "missing": "NOT HERE",
    "ask the board": "ASK YOUR BOARD",
}
_INDENT = "    "
_UNSEEN = (
    "gpvar has not seen a real file of this layout yet: hold the totals on the check page against those published."
)
_MOST_PROPOSED = 10
_MONTHLY_LISTS = "the lists of every month (rates of each month's patients, and mergers that show as jumps)"


def sources_needed(study: Study, found: Sequence[State], folders: Iterable[Path]) -> str:
    """Return which publications a study needs, what of each is there, and where to get the rest.

    Parameters
    ----------
    study
        The study.
    found
        What `gpvar.sources.needs.states` returned.
    folders
        Where was looked.
    """
    if not found:
        return "This study needs no publication: its own files hold everything that it asks for."
    period = "" if study.period.label in study.title else f", {study.period.label}"
    lines = [f"{plain(study.title)}{period}: the publications that it needs.", ""]
    for state in found:
        lines += [*_state(state, study), ""]
    return "\n".join([*lines, *_closing(study, found, folders)])


def _state(state: State, study: Study) -> list[str]:
    optional = "OPTIONAL, " if state.need.optional and state.state != "there" else ""
    lines = [f"{optional}{_STATES[state.state]}: {_title(state.need)}, for {_use(state.need)}."]
    lines += [f"{_INDENT}{_file(item)}" for item in state.files]
    if any(not catalogue.layouts()[part.layout].seen for item in state.files for part in item.parts):
        lines.append(_INDENT + _UNSEEN)
    lines += [_INDENT + text for item in state.broken for text in _broken(item)]
    if state.months_missing and state.state == "partly":
        lines.append(f"{_INDENT}Still missing: {runs_of_months(state.months_missing)}.")
    if state.state == "old":
        lines.append(f"{_INDENT}It is {plural(state.apart, 'month')} from the study's period; a nearer one is better.")
    if not state.need.publication:
        lines.append(_INDENT + _no_publication(state.need))
    lines += [_INDENT + text for text in _not_named(state)]
    if state.need.optional and state.get:
        card = catalogue.publications()[state.need.publication]
        return [*lines, f'{_INDENT}Get the months from {card.page}, a link like "{card.link_text}" on each.']
    return lines + [_INDENT + line for edition in state.get for line in _get(edition)]


def _title(need: Need) -> str:
    card = catalogue.publications().get(need.publication)
    if card is not None:
        return card.title
    return catalogue.sources()[need.source].title


def _use(need: Need) -> str:
    said = [catalogue.metric(metric).short for metric in need.metrics]
    said += [catalogue.covariate(name).title for name in need.characteristics]
    said += [_MONTHLY_LISTS if need.monthly else "list sizes"] * need.lists
    said += ["the network, board and region of each practice"] * need.places
    return listed(said)


def _not_named(state: State) -> list[str]:
    """Return what hinders the study from using files that are there."""
    source = state.need.source
    if state.named_as:
        wrong = listed(f'"{name}"' for name in state.named_as)
        return [f'The study names it under id = {wrong}; it belongs under [[source]] with id = "{source}".']
    if state.named or not state.files:
        return []
    if state.own:
        return [f'Not yet in the study: add it to file = [...] under your own [[source]] with id = "{source}".']
    return ["Not yet in the study."]


def _file(item: Any) -> str:
    titles = dict.fromkeys(catalogue.layouts()[part.layout].title for part in item.parts)
    months = sorted({month for month in item.editions if month})
    of = runs_of_months(months) if months else "edition not said by the file or its name"
    return f"{_place(item)}: {listed(titles)}; {of}."


def _broken(item: Any) -> list[str]:
    return [f"{_place(item)}: {plain(item.error.problem, 600)}", plain(item.error.fix, 600)]


def _place(item: Any) -> str:
    return f"{plain(item.path.name, 200)} in {plain(item.path.parent, 300)}"


def _no_publication(need: Need) -> str:
    if need.metrics:
        return (
            "No public series gives these by practice. Ask the board for the columns of the template ag_extract, and "
            "name its file as a table of your own."
        )
    return "gpvar reads no publication that holds it: name a table of your own, or leave it out of [adjust]."


def _get(edition: Edition) -> list[str]:
    card = catalogue.publications()[edition.publication]
    step = f"open {edition.page}"
    if edition.covers and card.every == "month":
        step = f"for {_span(edition.covers)} {step}"
    like = edition.file or edition.file_like or re.sub(r"\{.*\}", "…", card.file_like)
    words = f'click "{edition.link_text}"' + ("" if edition.link_text_seen else " (the words may differ a little)")
    named = f" and save the file, which is called like {like}" if like else " and save the file"
    fetched = ". 'fetch' knows its address" if edition.address else ""
    return [sentence(step).removesuffix("."), f"{_INDENT}{words}{named}{fetched}.{_next(edition)}"]


def _next(edition: Edition) -> str:
    if edition.next_expected is not None:
        day = edition.next_expected
        return f" The edition after it was expected on {day_in_words(day)}."
    return ""


def _span(covers: str) -> str:
    first, _, last = covers.partition("..")
    return month_in_words(first) if first == last else f"{month_in_words(first)} to {month_in_words(last)}"


def runs_of_months(months: Sequence[str]) -> str:
    """Return months in words; a run of them as ``"April to June 2026"``."""
    runs: list[list[str]] = []
    for month in months:
        if runs and _follows(runs[-1][-1], month):
            runs[-1].append(month)
        else:
            runs.append([month])
    return listed(_span(f"{run[0]}..{run[-1]}") for run in runs)


def _follows(before: str, after: str) -> bool:
    return 12 * int(after[:4]) + int(after[5:]) - 12 * int(before[:4]) - int(before[5:]) == 1


def _closing(study: Study, found: Sequence[State], folders: Iterable[Path]) -> list[str]:
    usable = [state for state in found if state.state in ("there", "partly", "old")]
    needed = [state for state in found if not state.need.optional]
    here = len([state for state in needed if state.state == "there"])
    old = len([state for state in needed if state.state == "old"])
    lines = [f"{here} of the {len(needed)} that are needed are here{f', and {old} of an old date' if old else ''}."]
    if any(state.files and not state.named and not state.named_as and not state.own for state in usable):
        lines.append(
            f"python run.py sources {_command(study)} --take   copies them to data/raw and names them in the study."
        )
    if any(edition.address for state in needed for edition in state.get):
        lines.append(f"python run.py fetch {_command(study)}   downloads those whose address is known.")
    lines.append(f"Looked in {listed(plain(place, 300) for place in folders)}; --look FOLDER adds one.")
    return lines


def _command(study: Study) -> str:
    """Return how a study is named after a command: by its folder, or by its file where that is called otherwise."""
    path = study.path
    return typed(study.folder if path is None or path.name == "study.toml" else path)


def taken_in(files: Sequence[Path], found: Sequence[State], study: Study) -> str:
    """Return which files a study now names, and what to do next.

    Parameters
    ----------
    files
        What `gpvar.sources.taking.take` returned.
    found
        What `gpvar.sources.needs.states` returns now.
    study
        The study.
    """
    if not files:
        said = "Nothing was taken in: no file that the study needs was found."
    else:
        names = "\n".join(f"{_INDENT}{plain(file.name, 200)}" for file in files)
        said = f"Now named in {plain(study.path, 300)}:\n{names}"
    needed = [state for state in found if not state.need.optional]
    lacking = [state for state in needed if state.state not in ("there", "old") or not state.named]
    rates = any(catalogue.metric(metric).kind == "rate" for metric in study.metrics)
    first = [state for state in lacking if state.need.metrics or state.broken or (state.need.lists and rates)]
    if first:
        where = f"python run.py sources {_command(study)}   says where"
        return f"{said}\nStill to be got before the study can be checked: {listed(map(_lacking, first))}.\n{where}"
    rest = f"\nStill not there, so not allowed for: {listed(map(_lacking, lacking))}." if lacking else ""
    return f"{said}{rest}\nNext: python run.py check {_command(study)}"


def _lacking(state: State) -> str:
    months = f" ({runs_of_months(state.months_missing)})" if state.state == "partly" else ""
    return f"{_title(state.need)}{months}"


def proposed_events(proposals: Any, path: Path, study: Study) -> str:
    """Return what may have happened to practices, and how it is confirmed."""
    if not len(proposals):
        return f"No list of patients ended within {study.period.label}. An empty {plain(path.name)} is written: {path}"
    ended = proposals["code"].nunique()
    lines = [f"{plural(ended, 'practice')} may have merged or closed: {path}"]
    for row in proposals.drop_duplicates("code").head(_MOST_PROPOSED).itertuples():
        into = f" into {plain(row.successor)}" if plain(row.successor) else ""
        lines.append(f"{_INDENT}{plain(row.code)} {plain(row.event).replace('_', ' ')}{into}, {plain(row.date)}")
    if ended > _MOST_PROPOSED:
        lines.append(f"{_INDENT}and {ended - _MOST_PROPOSED} more")
    lines.append("Nothing of this is used until somebody confirms it: write who, in the column confirmed_by.")
    if study.events is None:
        lines.append(f'Then add this line near the top of study.toml, below metrics: events = "{path.name}"')
    return "\n".join(lines)


def fetched_files(result: Any) -> str:
    """Return what was downloaded, what was there already, and what must be got by hand."""
    lines = []
    for item in result.fetched:
        what = f", {plain(item.taken_for, 200)}" if item.taken_for else ""
        lines.append(f"Downloaded: {plain(item.path.name)}{what} (SHA-256 {item.sha256[:12]}…).")
        lines += [_INDENT + plain(item.remark, 400)] * bool(item.remark)
        if item.kept is not None:
            lines.append(f"{_INDENT}The file that it replaces is kept: {plain(item.kept, 300)}")
    for item in result.already:
        lines.append(f"There already: {plain(item.path.name)}.")
        lines += [_INDENT + plain(item.remark, 400)] * bool(item.remark)
    for item in result.by_hand:
        if not item.site:
            lines += ["", f"To be got by hand: {plain(item.title, 200)}", str(item.error)]
    lines += _not_reached([item for item in result.by_hand if item.site])
    return "\n".join(lines) if lines else "There was nothing to download."


def _not_reached(items: Sequence[Any]) -> list[str]:
    """Return what is said of sites from which no file came: once, with the files, and what to do once for them all."""
    lines = []
    for advice in dict.fromkeys(item.advice for item in items):
        alike = [item for item in items if item.advice == advice]
        for site in dict.fromkeys(item.site for item in alike):
            lines += ["", f"Not downloaded: {plain(site, 600)}"]
            for item in alike:
                if item.site == site:
                    lines.append(_INDENT + plain(item.title, 200))
                    lines += [2 * _INDENT + plain(item.way, 900)] * bool(item.way)
        lines.append(f"What to do: {plain(advice, 900)}")
    return lines
