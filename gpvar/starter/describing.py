"""What `new` wrote, in plain sentences: what was understood, what was not, and what is still to be done."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpvar import catalogue, gates
from gpvar.catalogue import letter_form
from gpvar.errors import GpvarError
from gpvar.problems import count, listing
from gpvar.starter.table import read_everything
from gpvar.starter.writing import words_of
from gpvar.study import load_study
from gpvar.study.columns import TO_FILL_IN, headings, to_fill_in
from gpvar.table import PracticeTable, build_table
from gpvar.words.quality import period_sentences
from gpvar.words.text import listed

_MOST = 40
_MOST_UNUSED = 15
_MOST_UNDATED = 15


def describe(path: Path | str) -> tuple[str, ...]:
    """Say what a study that `new` wrote holds.

    Parameters
    ----------
    path
        The study file.

    Returns
    -------
    tuple of str
        Plain sentences, in the order in which a person needs them: headings used and not used, what must be
        checked, what cannot be allowed for, and then either what is still to be filled in or what the file holds.
        A problem with the file's values is a sentence here, not an error.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    if not content.get("source"):
        gathered = "It names no file yet: the publications that it needs are gathered next."
        return (*_remarks(text), _about_the_letter(path), gathered)
    first = content["source"][0]
    if "columns" not in first:
        return tuple(_read(path))
    said = [*_headings(first, path.parent), *_remarks(text), *_undated(content), *_not_allowed_for(content)]
    said.append(_about_the_letter(path))
    gaps = list(dict.fromkeys(to_fill_in(content)))
    said += _still_to_fill_in(gaps, path) if gaps else _read(path)
    return tuple(said)


def _about_the_letter(path: Path) -> str:
    return f"If there is a letter, write what it says into {path.parent / letter_form.FILE}; it may stay empty."


def _headings(source: dict[str, Any], folder: Path) -> Iterator[str]:
    used = {name: headings(value) for name, value in source["columns"].items() if value != TO_FILL_IN}
    pairs = [f"{name} = " + " + ".join(f"'{heading}'" for heading in found) for name, found in used.items()]
    yield f"Headings understood: {listing(pairs, _MOST)}."
    try:
        frame, _, _ = read_everything((folder / source["file"]).resolve(), source.get("sheet"))
    except GpvarError:
        return
    taken = {heading for found in used.values() for heading in found}
    unused = [f"'{heading}'" for heading in frame.columns if heading not in taken]
    yield f"Headings not used: {listing(unused, _MOST_UNUSED)}." if unused else "Every heading of the file is used."


def _remarks(text: str) -> Iterator[str]:
    """Yield what the study file asks to be checked."""
    for word, value, remark in re.findall(r'(?m)^"?([\w.]+)"?\s*=\s*(.+?)\s+# (CH(?:ECK|ANGE) THIS.*)$', text):
        yield f"{remark[0]}{remark[1:].rstrip('.')} ({word} = {value.strip()})."
    board = re.search(r'(?m)^icb_code = "(.+)"\s+# (codes .*)$', text)
    if board:
        yield f"Boards are taken from the column '{board.group(1)}': {board.group(2)}."


def _undated(content: dict[str, Any]) -> Iterator[str]:
    """Yield which characteristics of a table of the study's own have no date."""
    for source in content["source"]:
        known = catalogue.covariates()
        there = dict.fromkeys(name.partition(".")[0] for name in source.get("columns", ()))
        undated = [name for name in there if name in known and name not in source.get("dates", ())]
        if undated and "period" not in source:
            what = listed(undated) if len(undated) <= _MOST_UNDATED else listing(undated, _MOST_UNDATED)
            yield f"The date of {what} is not known: write it in study.toml."


def _not_allowed_for(content: dict[str, Any]) -> Iterator[str]:
    """Yield which of the characteristics that the cards name are not in the file."""
    there = {name.partition(".")[0] for source in content["source"] for name in source["columns"]}
    missing: dict[tuple[str, ...], list[str]] = {}
    for metric in content["metrics"]:
        card = catalogue.metric(metric)
        wanted = [name for rung in ("M1", "M2") for name in card.adjust.get(rung, ())]
        lacking = tuple(name for name in wanted if name not in there)
        if lacking:
            missing.setdefault((*lacking, "" if len(lacking) < len(wanted) else "all"), []).append(card.short)
    for key, metrics in missing.items():
        what = listing(catalogue.covariate(name).phrase for name in key[:-1])
        if key[-1]:
            yield f"Raw figures only, for lack of {what}: the file has no heading that is known for these."
        else:
            which = "" if len(missing) == 1 else f" ({listing(metrics)})"
            yield f"Not allowed for, because no heading of the file is known to hold it: {what}{which}."


def _still_to_fill_in(gaps: list[str], path: Path) -> list[str]:
    said = [f"{name} ({words_of(name)})" if words_of(name) != name else name for name in gaps]
    return [
        f"The study is not ready: {count(len(gaps), 'place is', 'places are')} still to be filled in: {listing(said)}.",
        f"Open {path.resolve()} in Notepad and write what each remark asks for in place of {TO_FILL_IN}; the remarks "
        "name headings that may fit.",
    ]


def _read(path: Path) -> list[str]:
    """Read the file as the study says, and say what came of it."""
    try:
        table = build_table(load_study(path))
    except GpvarError as error:
        return [f"Warning: the file cannot be used yet. {error.problem} {error.where}. {error.fix}".replace("..", ".")]
    return [*_held(table)]


def _held(table: PracticeTable) -> Iterator[str]:
    practices = count(len(table.practices), "practice")
    yield f"Read: {practices}, of which {len(table.area_codes):,} in the area ({table.area_name})."
    yield from period_sentences(table)
    whole = gates.summary(table.gates)
    for row in whole[(whole["state"] == gates.FAILED) & (whole["severity"] != "note")].itertuples():
        if not row.n_failed:
            metric = f" ({catalogue.metric(row.metric).short})" if row.metric else ""
            yield f"Warning: {row.meaning.rstrip('.')}{metric}. {row.detail[:1].upper()}{row.detail[1:]}.".replace(
                "..", "."
            )
