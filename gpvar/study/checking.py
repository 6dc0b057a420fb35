"""From the words of a study file to a `Study`, with everything that is wrong said at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gpvar import catalogue
from gpvar.catalogue import multiverse
from gpvar.errors import StudyError
from gpvar.problems import Problems, count, listing, nearest
from gpvar.study._reader import Reader
from gpvar.study.columns import PUBLICATIONS, REFERENCE, TO_FILL_IN, check_columns, to_fill_in
from gpvar.study.model import (
    AREA_KINDS,
    REFERENCE_SETS,
    REPORT_FORMATS,
    REPORT_KINDS,
    Area,
    ListSpec,
    Period,
    Reference,
    Reports,
    SourceSpec,
    Study,
    Ways,
    parse_period,
)
from gpvar.study.periods import check_period_sources, source_period

_SCHEMA = 1
_DEFAULT_SEED = 1
_TOP = (
    "schema",
    "title",
    "seed",
    "declared",
    "period",
    "metrics",
    "area",
    "reference",
    "adjust",
    "source",
    "reports",
    "events",
    "list",
    "letter",
    "claim",
    "multiverse",
)
_SOURCE = ("id", "file", "sheet", "columns", "dates", "layout", "long", "missing", "edition", "sum_rows", "period")
#: More ways of analysing a metric would take hours and tell no more.
_MOST_WAYS = 5000
_LONG = ("metric", "value")
#: M1 allows for patients' needs alone, M2 for setting too, the scenario M3 for supply that the practice did not choose.
_CLASSES = {"M1": ("need",), "M2": ("need", "context"), "M3": ("supply",)}


def checked(content: dict[str, Any], path: Path | None, folder: Path, complete: bool = True) -> Study:
    """Return the study that `content` describes; raise everything that is wrong with it as one `StudyError`.

    A study that is still gathering its files need not be complete: a place for every figure is then not asked for.
    """
    problems = Problems(StudyError, str(path) if path else "the study")
    _refuse_gaps(content, problems)
    read = Reader(problems)
    read.no_strangers(content, (*_TOP, "simulated"), "")
    if read.get(content, "schema", int, default=_SCHEMA) != _SCHEMA:
        problems.add(f"This gpvar reads studies of schema {_SCHEMA}.", "schema", f"Write schema = {_SCHEMA}.")
    metrics = _metrics(read, content)
    adjust = _adjust(read, content)
    period = _period(read, content)
    study = {
        "schema": _SCHEMA,
        "title": read.get(content, "title", str, default="").strip() or "A study without a title",
        "seed": read.get(content, "seed", int, default=_DEFAULT_SEED),
        "declared": read.day(content, "declared", required=True),
        "period": period,
        "metrics": metrics,
        "area": _area(read, content, folder),
        "reference": _reference(read, content),
        "adjust": adjust,
        "events": read.file(content, folder, "", "events"),
        "lists": _lists(read, content, folder),
        "letter": read.file(content, folder, "", "letter"),
        "claims": _claims(read, content),
        "sources": _sources(read, content, folder, metrics, period, complete),
        "reports": _reports(read, content),
        "multiverse": _ways(read, content),
        "simulated": read.get(content, "simulated", bool, default=False),
        "path": path,
        "folder": folder,
    }
    problems.raise_if_any()
    return Study(**study)


def _refuse_gaps(content: dict[str, Any], problems: Problems) -> None:
    """Refuse a study with places left to be filled in, before anything else is said of it."""
    names = list(dict.fromkeys(to_fill_in(content)))
    if names:
        fix = f"Open it in Notepad and write what each remark asks for, such as a heading, in place of {TO_FILL_IN}."
        places = count(len(names), "place is", "places are")
        problems.add(f"{places} still to be filled in: {listing(names)}.", "", fix)
        problems.raise_if_any()


def _period(read: Reader, content: dict[str, Any]) -> Period | None:
    text = content.get("period")
    fix = 'Write the first and last month, as period = "2025-04..2026-03".'
    if not isinstance(text, str):
        read.problems.add("The study does not say its period." if text is None else "'period' must be text.", "", fix)
        return None
    try:
        return parse_period(text)
    except ValueError as error:
        read.problems.add(f"The period cannot be read: {error}.", f"period = {text!r}", fix)
        return None


def _metrics(read: Reader, content: dict[str, Any]) -> tuple[str, ...]:
    known = catalogue.metrics()
    asked = read.texts(content, "metrics")
    if not asked and "metrics" not in {problem.where for problem in read.problems.found}:
        read.problems.add("The study names no metric.", "metrics", f"Choose from: {', '.join(known)}.")
    for metric in asked:
        if metric not in known:
            fix = nearest(metric, known).strip() or f"The metrics are: {', '.join(known)}."
            read.problems.add(f"There is no metric called '{metric}'.", "metrics", fix)
    return tuple(dict.fromkeys(asked))


def _area(read: Reader, content: dict[str, Any], folder: Path) -> Area | None:
    table = read.table(content, "area", ("kind", "code", "file", "name", "practices", "list", "group"))
    if not table:
        fix = 'Add [area] with kind = "icb" and code = "QHM", or kind = "list" and file = "our-practices.csv".'
        read.problems.add("The study does not say which area it is about.", "[area]", fix)
        return None
    kind = read.choice(table.get("kind"), AREA_KINDS, "kind of area", "[area] kind")
    code = read.get(table, "code", str, default="", where="[area]").strip().upper()
    file = read.file(table, folder, "[area]")
    practices = tuple(dict.fromkeys(code.upper() for code in read.texts(table, "practices", "[area]")))
    chosen, group = (read.get(table, word, str, default="", where="[area]").strip() for word in ("list", "group"))
    _check_group(read, content, kind, chosen, group)
    if kind == "list" and file is None and not (code or practices or chosen):
        read.problems.add(
            "An area of kind 'list' needs a file of practice codes.", "[area]", 'Add file = "our-practices.csv".'
        )
    if kind != "list" and not code:
        read.problems.add(
            f"The area has no code, and '{kind}' needs one.", "[area]", 'Add a line such as code = "QHM".'
        )
    name = read.get(table, "name", str, default="", where="[area]") or group
    return Area(kind, code, file, name, practices, chosen, group)


def _check_group(read: Reader, content: dict[str, Any], kind: str, chosen: str, group: str) -> None:
    """Note a group without its list, or a list that the study does not have."""
    if not chosen and not group:
        return
    ids = [str(item.get("id", "")) for item in content.get("list", []) if isinstance(item, dict)]
    if kind != "list" or not (chosen and group):
        fix = 'Write kind = "list", list = "the id of a [[list]]" and group = "the name of the group".'
        read.problems.add("A group of a list needs both its list and its name.", "[area]", fix)
    elif chosen not in ids:
        fix = nearest(chosen, ids).strip() or "Add [[list]] with lines id = and file = below it."
        read.problems.add(f"The study has no list called '{chosen}'.", "[area] list", fix)


def _lists(read: Reader, content: dict[str, Any], folder: Path) -> tuple[ListSpec, ...]:
    tables = content.get("list", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        read.problems.add("'list' must be a heading [[list]] with lines below it.", "[[list]]")
        return ()
    found = []
    for number, table in enumerate(tables, 1):
        name = str(table.get("id") or f"list {number}")
        where = f"[[list]] {name}"
        read.no_strangers(table, ("id", "file", "column"), where)
        file = read.file(table, folder, where)
        if file is None:
            read.problems.add("The list names no file.", where, 'Add a line such as file = "neighbourhoods.csv".')
            continue
        found.append(ListSpec(name, file, read.get(table, "column", str, default="", where=where)))
    return tuple(found)


def _claims(read: Reader, content: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the sentences of a letter that stand in the study, as they are written: `gpvar.claims` reads them."""
    tables = content.get("claim", [])
    if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
        return tuple(tables)
    read.problems.add("'claim' must be a heading [[claim]] with lines below it.", "[[claim]]")
    return ()


def _reference(read: Reader, content: dict[str, Any]) -> Reference:
    table = read.table(content, "reference", ("set", "hierarchy_date", "exclude"))
    default = Reference()
    chosen = read.choice(table.get("set", default.set), REFERENCE_SETS, "reference set", "[reference] set")
    exclude = read.texts(table, "exclude", "[reference]") if "exclude" in table else default.exclude
    gates = catalogue.gates()
    for gate in exclude:
        if gate not in gates:
            fix = nearest(gate, gates).strip() or f"The gates are: {', '.join(gates)}."
            read.problems.add(f"There is no gate called '{gate}'.", "[reference] exclude", fix)
    return Reference(chosen, read.day(table, "hierarchy_date", where="[reference]"), exclude)


def _adjust(read: Reader, content: dict[str, Any]) -> dict[str, tuple[str, ...]] | None:
    if "adjust" not in content:
        return None
    table = read.table(content, "adjust", tuple(_CLASSES))
    adjust = {rung: read.texts(table, rung, "[adjust]") for rung in _CLASSES if rung in table}
    known = catalogue.covariates()
    for rung, ids in adjust.items():
        for covariate in ids:
            if covariate not in known:
                fix = nearest(covariate, known).strip() or f"The characteristics known are: {', '.join(known)}."
                said = f"There is no characteristic called '{covariate}'."
                read.problems.add(said, f"[adjust] {rung}", fix)
            elif known[covariate].cls not in _CLASSES[rung]:
                fix = f"{known[covariate].adjust_warning} Take it out of {rung}."
                read.problems.add(f"'{covariate}' cannot be allowed for in {rung}.", f"[adjust] {rung}", fix)
            elif rung == "M3" and not known[covariate].scenario:
                read.problems.add(
                    f"'{covariate}' cannot be allowed for in M3.",
                    "[adjust] M3",
                    "M3 allows for supply that a practice does not choose. What it decides on itself is shown beside "
                    f"the figure, and allowing for it would excuse it. M3 may hold: {', '.join(catalogue.scenario())}.",
                )
    both = sorted(set(adjust.get("M1", ())) & set(adjust.get("M2", ())))
    if both:
        fix = "M2 is added to M1, so name it in M1 only."
        read.problems.add(f"'{listing(both)}' stands in both M1 and M2.", "[adjust]", fix)
    return adjust


def _sources(
    read: Reader,
    content: dict[str, Any],
    folder: Path,
    metrics: tuple[str, ...],
    period: Period | None,
    complete: bool,
) -> tuple[SourceSpec, ...]:
    tables = content.get("source", [])
    tables = [tables] if isinstance(tables, dict) else tables
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        fix = "Write each file as [[source]] with lines id = and file = below it; 'sources STUDY --take' writes them."
        read.problems.add("'source' must be a heading [[source]] with lines below it.", "[[source]]", fix)
        return ()
    sources = tuple(_source(read, table, number, folder, period) for number, table in enumerate(tables, 1))
    ids = [source.id for source in sources]
    for again in sorted({name for name in ids if ids.count(name) > 1}):
        fix = "Give each source an id of its own."
        if again in PUBLICATIONS:
            fix = (
                'Put all files of a publication under one [[source]], as file = ["one.zip", "two.zip"]. If one of the '
                f"two is something else, correct its id: {', '.join(PUBLICATIONS)}, or a word of your own for a table "
                "with [source.columns]."
            )
        read.problems.add(f"Two sources have the id '{again}'.", "[[source]]", fix)
    # Sources of one id hold the same by their id, which needs no saying for each of their figures.
    once = tuple(source for number, source in enumerate(sources) if source.id not in ids[:number])
    check_columns(once, metrics, read.problems, complete=complete)
    check_period_sources(once, metrics, period, read.problems)
    return sources


def _source(read: Reader, table: dict[str, Any], number: int, folder: Path, own: Period | None) -> SourceSpec:
    name = str(table.get("id") or f"source {number}")
    where = f"[[source]] {name}"
    read.no_strangers(table, _SOURCE, where)
    columns = table.get("columns", {})
    official = "columns" not in table and "long" not in table and name in (*PUBLICATIONS, REFERENCE)
    stranger = _no_such_publication(read, table, name, where)
    files = _files(read, table, folder, where, several=official or stranger)
    if not official and not stranger and (not isinstance(columns, dict) or not columns):
        fix = (
            'Add [source.columns] with practice_code = "the heading of that column" and so on; a publication needs '
            f"none, and its id is one of {', '.join((*PUBLICATIONS, REFERENCE))}."
        )
        read.problems.add("The source does not say what its columns are.", where, fix)
        columns = {}
    long = table.get("long", {})
    if not isinstance(long, dict) or (long and set(long) != set(_LONG)):
        fix = 'Write metric = "the column of names" and value = "the column of numbers".'
        read.problems.add("[source.long] must name two columns, metric and value.", where, fix)
        long = {}
    layout = table.get("layout", "long" if long else "wide")
    if layout != ("long" if long else "wide"):
        fix = "A long table needs [source.long]; a wide one must not have it."
        read.problems.add(f"layout = {layout!r} does not go with the rest of the source.", where, fix)
    return SourceSpec(
        id=name,
        file=files[0] if files else folder,
        sheet=read.get(table, "sheet", str, default=None, where=where),
        columns=_flattened(columns),
        dates=_dates(read, table, where),
        layout=layout,
        long={key: str(value) for key, value in long.items()},
        missing=read.texts(table, "missing", where),
        edition=read.get(table, "edition", str, default="", where=where),
        sum_rows=read.get(table, "sum_rows", bool, default=False, where=where),
        more_files=tuple(files[1:]),
        period=source_period(read, table, own, where),
    )


def _no_such_publication(read: Reader, table: dict[str, Any], name: str, where: str) -> bool:
    """Note an id that is none where a publication must be meant: beside several files, or with a slip in it."""
    known = (*PUBLICATIONS, REFERENCE)
    if "columns" in table or "long" in table or name in known:
        return False
    near = nearest(name, known)
    if not near and not isinstance(table.get("file"), list):
        return False
    said = f"There is no publication called '{name}'.{near}" if "id" in table else "The source has no id."
    fix = f"The publications are {', '.join(known)}. A table of your own has one file, and [source.columns]."
    read.problems.add(said, where, fix)
    return True


def _files(read: Reader, table: dict[str, Any], folder: Path, where: str, *, several: bool) -> list[Path]:
    """Return the files of a source; a publication may come in several."""
    if "file" not in table:
        read.problems.add("The source names no file.", where, 'Add a line such as file = "data/raw/practices.csv".')
        return []
    named = table["file"]
    if not several or not isinstance(named, list):
        file = read.file(table, folder, where)
        return [] if file is None else [file]
    found = [read.file({"file": name}, folder, where) for name in named]
    if len(set(found)) < len(found):
        read.problems.add("The source names the same file twice.", where, "Name each file once.")
    return [file for file in found if file is not None]


def _flattened(columns: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"a.b": x}`` for ``{"a": {"b": x}}``: dots mean the same with and without quotes."""
    flat: dict[str, Any] = {}
    for key, value in columns.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{part}": inner for part, inner in value.items()})
        else:
            flat[key] = value
    return flat


def _dates(read: Reader, table: dict[str, Any], where: str) -> dict[str, str]:
    dates = table.get("dates", {})
    if not isinstance(dates, dict):
        read.problems.add('[source.dates] must hold lines such as imd2025 = "2025-10".', where)
        return {}
    known = catalogue.covariates()
    kept = {}
    for covariate, value in dates.items():
        month = str(value)[:7]
        if covariate not in known:
            said = f"There is no characteristic called '{covariate}'.{nearest(covariate, known)}"
            read.problems.add(said, f"{where} [source.dates]")
            continue
        try:
            kept[covariate] = parse_period(month).start
        except ValueError as error:
            read.problems.add(f"The date of '{covariate}' cannot be read: {error}.", f"{where} [source.dates]")
    return kept


def _ways(read: Reader, content: dict[str, Any]) -> Ways | None:
    """Return in which other ways metrics are analysed; None where the study does not say."""
    if "multiverse" not in content:
        return None
    table = read.table(content, "multiverse", ("specifications", "choices"))
    count = read.get(table, "specifications", int, default=None, where="[multiverse]")
    if count is not None and not 2 <= count <= _MOST_WAYS:
        said = f"A metric cannot be analysed in as many ways as that: {count}."
        fix = f"Write a number from 2, its own way and one other, to {_MOST_WAYS}, such as 300."
        read.problems.add(said, "[multiverse] specifications", fix)
        count = None
    choices = read.texts(table, "choices", "[multiverse]")
    for choice in choices:
        if choice not in multiverse.choices():
            fix = nearest(choice, multiverse.choices()).strip() or f"They are: {', '.join(multiverse.choices())}."
            read.problems.add(f"There is no choice of analysis called '{choice}'.", "[multiverse] choices", fix)
    return Ways(count, tuple(dict.fromkeys(choices)))


def _reports(read: Reader, content: dict[str, Any]) -> Reports:
    table = read.table(content, "reports", ("kinds", "formats"))
    default = Reports()
    chosen = {}
    for word, known in (("kinds", REPORT_KINDS), ("formats", REPORT_FORMATS)):
        asked = read.texts(table, word, "[reports]") if word in table else getattr(default, word)
        chosen[word] = tuple(
            dict.fromkeys(read.choice(item, known, f"{word[:-1]} of report", f"[reports] {word}") for item in asked)
        )
    return Reports(**chosen)
