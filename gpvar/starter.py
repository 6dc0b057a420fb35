"""Writes a study for a person who has a table and a question: names and codes are found, known headings are mapped."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from gpvar import catalogue, organisations, share
from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.sources._grid import plain_heading
from gpvar.sources._reading import read_rows, sheet_names
from gpvar.sources._values import parse_month
from gpvar.sources.local import read_codes
from gpvar.study import Period, load_study

_STUDY = "study.toml"


@dataclass(slots=True)
class _Draft:
    """What is known of the study so far."""

    file: str
    sheet: str | None = None
    columns: dict[str, str | list[str]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    practices: list[tuple[str, str]] = field(default_factory=list)
    kind: str = "icb"
    code: str = ""
    list_file: str = ""
    area_name: str = ""
    period: Period | None = None
    period_from: str = ""
    hierarchy_date: dt.date | None = None
    simulated: bool = False


def new_study(
    folder: Path | str,
    *,
    data: Path | str | None = None,
    sheet: str | None = None,
    practice: Sequence[str] = (),
    icb: str | None = None,
    list_file: Path | str | None = None,
    metric: Sequence[str] = (),
    today: dt.date | None = None,
) -> Path:
    """Write a study.

    Parameters
    ----------
    folder
        Where; made when it is not there. A study that is there already is never written over.
    data
        A table with one row per practice. Without it a study to fill in is written, with templates.
    sheet
        The sheet, when the table is a workbook.
    practice
        Names or codes of practices that are to have pages of their own.
    icb
        Name or code, of before or after April 2026, of the board that the study is about.
    list_file
        A file of practice codes that the study is about, instead of a board.
    metric
        Metric ids; by default every metric that the table holds.
    today
        The day of declaration.

    Returns
    -------
    Path
        The study file; it loads.

    Raises
    ------
    StudyError
        When a name fits nothing or too much, a heading is missing, or a study is there already.
    SourceError
        When the table cannot be read.
    """
    folder = Path(folder)
    _refuse_to_overwrite(folder)
    today = today or dt.date.today()
    if data is None:
        return _write_template(folder, metric, today)
    data = Path(data).absolute()
    frame, sheet = _read_everything(data, sheet)
    draft = _Draft(file=_relative(data, folder), sheet=sheet, simulated=_is_demo(data))
    _map_headings(draft, list(frame.columns))
    _choose_metrics(draft, metric, data)
    _choose_period(draft, frame, data, today)
    facts = _choose_codes(draft, frame, icb)
    _choose_area(draft, facts, practice, icb, Path(list_file).absolute() if list_file else None, folder)
    draft.hierarchy_date = _date_of_codes(facts, draft)
    text = _as_toml(draft, today)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _STUDY
    path.write_text(text, encoding="utf-8", newline="\n")
    load_study(path)
    return path


def lay_out_demo(into: Path | str) -> Path:
    """Copy the simulated study into a folder and return its study file; results that are there stay.

    Raises
    ------
    StudyError
        When the folder holds a study that is not the demonstration.
    """
    into, source = Path(into), share.folder("demo")
    study = into / _STUDY
    if study.exists() and "simulated = true" not in study.read_text(encoding="utf-8", errors="replace"):
        raise StudyError(
            "This folder holds a study of your own, which the demonstration would write over.",
            str(study.absolute()),
            "Choose another folder: demo --into FOLDER.",
        )
    into.mkdir(parents=True, exist_ok=True)
    for item in sorted(source.iterdir()):
        if item.is_file():
            shutil.copyfile(item, into / item.name)
    return study


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.is_file():
        raise StudyError(
            "There is a file of this name, so no folder can be made.", str(folder.absolute()), "Choose another."
        )
    if (folder / _STUDY).exists():
        raise StudyError(
            "There is a study in this folder already; it is not written over.",
            str((folder / _STUDY).absolute()),
            "Choose another folder, or change that study file by hand.",
        )


def _relative(path: Path, folder: Path) -> str:
    """Return the path as the study file writes it: relative where the two share a drive."""
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:
        return path.as_posix()


def _is_demo(data: Path) -> bool:
    """Return whether the table is the simulated one, wherever it was copied to."""
    fingerprint = hashlib.sha256(data.read_bytes()).digest()
    tables = share.folder("demo").glob("*.csv")
    return any(hashlib.sha256(table.read_bytes()).digest() == fingerprint for table in tables)


def _read_everything(data: Path, sheet: str | None) -> tuple[pd.DataFrame, str | None]:
    """Return the whole table as text, with the row of headings found by what is known."""
    known = {_key(heading) for heading in organisations.conventions()["facts"]["practice_code"]}
    sheets = [sheet] if sheet or not (names := sheet_names(data)) else names
    for candidate in sheets:
        numbered = list(read_rows(data, candidate).numbered)
        for at, (_, cells) in enumerate(numbered[:40]):
            if any(_key(cell) in known for cell in cells):
                body = [[*row, *[""] * len(cells)][: len(cells)] for _, row in numbered[at + 1 :] if any(row)]
                kept = [i for i, cell in enumerate(cells) if cell.strip()]
                frame = pd.DataFrame(
                    [[row[i] for i in kept] for row in body], columns=[cells[i] for i in kept], dtype=object
                )
                return frame, candidate
    raise StudyError(
        "No column of practice codes was found.",
        str(data) + (f", sheets {listing(sheets)}" if sheets != [None] else ""),
        "Call the column of codes 'practice_code', with the headings in one row, and try again.",
    )


def _key(heading: str) -> str:
    return re.sub(r"[\s_\-]+", " ", plain_heading(heading))


def _found(headings: list[str], wanted: Iterable[str]) -> list[str] | None:
    """Return the headings of the table that are the ones wanted, or None when one is not there."""
    there = {_key(heading): heading for heading in reversed(headings)}
    keys = [_key(heading) for heading in wanted]
    return [there[key] for key in keys] if all(key in there for key in keys) else None


def _map_headings(draft: _Draft, headings: list[str]) -> None:
    """Fill in the columns and dates that the headings give away."""
    known = organisations.conventions()
    for name, candidates in known["facts"].items():
        hit = next((found[0] for item in candidates if (found := _found(headings, [item]))), None)
        if hit is not None:
            draft.columns[name] = hit
    if not {"unmapped.numerator", "unmapped.denominator"} <= set(draft.columns):
        draft.columns.pop("unmapped.numerator", None)
        draft.columns.pop("unmapped.denominator", None)
    for metric, counts in known["figures"].items():
        parts = [
            next((f for names in known["counts"][count] if (f := _found(headings, names))), None) for count in counts
        ]
        if parts[0] and not parts[1] and counts[1] == "patient_months" and "list_size" in draft.columns:
            draft.columns[f"{metric}.numerator"] = parts[0][0] if len(parts[0]) == 1 else parts[0]
        if all(parts):
            for part, found in zip(("numerator", "denominator"), parts, strict=True):
                draft.columns[f"{metric}.{part}"] = found[0] if len(found) == 1 else found
    for item in known["characteristic"]:
        found = next((f for names in item["headings"] if (f := _found(headings, names))), None)
        if found:
            shape = catalogue.covariate(item["id"]).shape
            draft.columns[item["id"]] = found if shape == "shares" else found[0]
            _date(draft, item["id"], found, headings, item.get("date"))
    _map_registers(draft, headings)


def _map_registers(draft: _Draft, headings: list[str]) -> None:
    known = organisations.conventions()["registers"]
    base = next((found[0] for item in known["list"] if (found := _found(headings, [item]))), None)
    for covariate in catalogue.covariates():
        found = _found(headings, [known["heading"].format(covariate.removeprefix("qof_"))])
        if covariate.startswith("qof_") and base and found:
            draft.columns |= {f"{covariate}.numerator": found[0], f"{covariate}.denominator": base}
            _date(draft, covariate, [found[0], base], headings, None)


def _date(draft: _Draft, covariate: str, found: list[str], headings: list[str], date: str | None) -> None:
    known = organisations.conventions()
    for ending, month in known["dated"].items():
        if any(ending in heading for heading in found):
            date = date or month
    for heading, month in known["beside"].get(covariate, {}).items():
        if _found(headings, [heading]):
            date = date or month
    if date:
        draft.dates[covariate] = date


def _choose_metrics(draft: _Draft, asked: Sequence[str], data: Path) -> None:
    known = catalogue.metrics()
    ready = [metric for metric in known if f"{metric}.numerator" in draft.columns]
    for metric in asked:
        catalogue.metric(metric)
        if metric not in ready:
            wanted = organisations.conventions()["figures"].get(metric, [])
            needs = [" + ".join(organisations.conventions()["counts"][count][0]) for count in wanted]
            fix = f"The file can give {listing(ready)}." if ready else "See data/templates for headings that are known."
            raise StudyError(
                f"The file has no columns for '{metric}' that are known by their headings.",
                str(data),
                f"It needs {' and '.join(needs)}; rename them, or write the study by hand. {fix}",
            )
    if not ready:
        raise StudyError(
            "No figures were found in the file by their headings.",
            str(data),
            "Use the headings of practice-table.xlsx, which 'new FOLDER' writes, or write the study by hand.",
        )
    draft.metrics = list(dict.fromkeys(asked)) or ready
    used = {c for metric in draft.metrics for ids in catalogue.metric(metric).adjust.values() for c in ids}
    for key in list(draft.columns):
        name = key.partition(".")[0]
        if name in catalogue.covariates() and name not in used:
            del draft.columns[key]
            draft.dates.pop(name, None)


def _choose_period(draft: _Draft, frame: pd.DataFrame, data: Path, today: dt.date) -> None:
    """Take the period from a column of months, else from the file's name, else the last whole financial year."""
    if "period" in draft.columns:
        months = sorted(
            {month for text in frame[draft.columns["period"]].unique() if (month := parse_month(str(text)))}
        )
        if months:
            draft.period, draft.period_from = Period(months[0], months[-1]), "from the column of months"
            return
        del draft.columns["period"]
    found = re.search(r"(20\d\d)[-_ ]?(?:20)?(\d\d)(?!\d)", data.name)
    if found and int(found.group(2)) == (int(found.group(1)) + 1) % 100:
        year, draft.period_from = int(found.group(1)), "CHECK THIS: taken from the file's name"
    else:
        year = today.year - (1 if today.month >= 4 else 2)
        draft.period_from = "CHECK THIS: the file does not say; this is the last whole financial year"
    draft.period = Period(f"{year}-04", f"{year + 1}-03")


def _choose_codes(draft: _Draft, frame: pd.DataFrame, icb: str | None) -> pd.DataFrame:
    """Return who the practices are, by the column of boards in which the board asked for can be found."""
    headings = list(frame.columns)
    found = [_found(headings, [name]) for name in organisations.conventions()["facts"]["icb_code"]]
    for heading in [item[0] for item in found if item]:
        draft.columns["icb_code"] = heading
        # A name goes with its own codes: one of 2026 beside codes of 2024 would be another board's.
        name = _found(headings, [_key(heading).replace("code", "name")])
        draft.columns.pop("icb_name", None)
        if name:
            draft.columns["icb_name"] = name[0]
        facts = _facts(draft, frame)
        if icb is None or _has_board(facts, icb):
            return facts
    if "icb_code" in draft.columns:
        organisations.find_icb(facts, icb or "")
    return _facts(draft, frame)


def _has_board(facts: pd.DataFrame, icb: str) -> bool:
    try:
        return bool(organisations.find_icb(facts, icb))
    except StudyError:
        return False


def _facts(draft: _Draft, frame: pd.DataFrame) -> pd.DataFrame:
    names = [n for n in ("practice_code", "practice_name", "icb_code", "icb_name") if n in draft.columns]
    facts = pd.DataFrame({name: frame[draft.columns[name]] for name in names})
    for name in ("practice_code", "icb_code"):
        if name in facts:
            facts[name] = organisations.tidy(facts[name])
    facts = facts[organisations.is_practice_code(facts["practice_code"])]
    return facts.drop_duplicates("practice_code").reset_index(drop=True)


def _choose_area(
    draft: _Draft,
    facts: pd.DataFrame,
    practice: Sequence[str],
    icb: str | None,
    list_file: Path | None,
    folder: Path,
) -> None:
    """Settle board and practices together: a board narrows practices of one name, a practice boards of one name."""
    if not practice and icb is None and list_file is None:
        raise StudyError(
            "Whom is the study about?",
            "the words after new",
            'Add --icb "North East", --practice "Densham" or --list our-practices.csv.',
        )
    if icb is not None and "icb_code" not in facts:
        raise StudyError(
            "The table does not say which board each practice belongs to.",
            "no column icb_code",
            "Add such a column, or use --list with a file of practice codes.",
        )
    boards = organisations.find_icb(facts, icb) if icb is not None else []
    used = set(facts["icb_code"]) if "icb_code" in facts else set()
    members = {board: _practices_of(board, facts, used) for board in boards}
    listed = set(read_codes(list_file)[0]) if list_file else None
    within = set().union(*members.values()) if members else listed
    codes = [organisations.find_practice(facts, query, within) for query in practice]
    if len(boards) > 1:
        boards = [board for board in boards if members[board].issuperset(codes)] if codes else boards
    if len(boards) > 1:
        raise StudyError(
            f"{len(boards)} boards are called '{icb}': {organisations.describe_boards(boards, facts)}.",
            "--icb",
            "Give the code of the one you mean.",
        )
    names = dict(zip(facts["practice_code"], facts.get("practice_name", facts["practice_code"]), strict=True))
    draft.practices = [(code, str(names.get(code, ""))) for code in dict.fromkeys(codes)]
    if list_file is not None:
        draft.kind, draft.list_file = "list", _relative(list_file, folder)
    elif boards:
        draft.code = boards[0]
    elif used - {""}:
        draft.code = facts.set_index("practice_code").loc[codes[0], "icb_code"]
    else:
        draft.kind = "list"
    draft.area_name = organisations.names_of_boards(facts, [draft.code])[draft.code] if draft.code else ""


def _practices_of(board: str, facts: pd.DataFrame, used: set[str]) -> set[str]:
    return set(facts.loc[facts["icb_code"].isin(organisations.codes_of_board(board, used)), "practice_code"])


def _date_of_codes(facts: pd.DataFrame, draft: _Draft) -> dt.date | None:
    """Return the last day of the period on which the table's boards were in force, or the day nearest to it."""
    known = set(facts.get("icb_code", pd.Series(dtype=str))) & set(catalogue.icbs())
    if not known or draft.period is None:
        return None
    boards = [catalogue.icbs()[code] for code in known]
    ends = min((board.valid_to for board in boards if board.valid_to), default=draft.period.last_day)
    starts = max(board.valid_from for board in boards)
    return max(min(draft.period.last_day, ends), starts)


def _quoted(text: str) -> str:
    """Return text as TOML between double quotation marks, whatever it holds."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if ord(letter) >= 32 and ord(letter) != 127 else " " for letter in escaped) + '"'


def _value(value: str | list[str]) -> str:
    return _quoted(value) if isinstance(value, str) else f"[{', '.join(_quoted(item) for item in value)}]"


def _comment(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def _as_toml(draft: _Draft, today: dt.date) -> str:
    assert draft.period is not None
    what = catalogue.metric(draft.metrics[0]).title if len(draft.metrics) == 1 else "Access"
    title = f"{what}, {draft.area_name or 'our practices'}, {draft.period.label}"
    area = [f"kind = {_quoted(draft.kind)}"]
    if draft.code:
        area.append(f"code = {_quoted(draft.code)}{' ' * 27}# {_comment(draft.area_name)}")
    if draft.list_file:
        area.append(f"file = {_quoted(draft.list_file)}")
    codes = ", ".join(_quoted(code) for code, _ in draft.practices)
    names = _comment(", ".join(name for _, name in draft.practices))
    area.append(f"practices = [{codes}]{' ' * 8}# {names or 'codes of practices that get a page of their own'}")
    lines = [
        "# A study: what is asked, of which data, declared before anything is looked at.",
        "# Lines that start with # are remarks. Paths are relative to this file.",
        "",
        "schema   = 1",
        f"title    = {_quoted(title)}",
        "seed     = 20260401",
        f"declared = {today.isoformat()}                      # the day this was fixed",
        f'period   = "{draft.period.start}..{draft.period.end}"              # {draft.period_from}',
        f"metrics  = {_value(draft.metrics)}",
        *(
            ["simulated = true                           # invented practices: every page says so"]
            if draft.simulated
            else []
        ),
        "",
        "[area]                                     # whom the reports are about",
        *area,
        "",
        "[reference]                                # whom practices are compared with",
        'set = "england"',
        *([f"hierarchy_date = {draft.hierarchy_date.isoformat()}"] if draft.hierarchy_date else []),
        'exclude = ["atypical", "list_under_1000"]  # left out of the fit, still placed against it',
        "",
        "# What is allowed for is on each metric's card. To choose it yourself, before looking at results:",
        "# [adjust]",
        '# M1 = ["age_sex", "imd2025"]',
        '# M2 = ["rurality"]',
        "",
        "[[source]]",
        'id   = "local"',
        f"file = {_quoted(draft.file)}",
        *([f"sheet = {_quoted(draft.sheet)}"] if draft.sheet else []),
        "",
        "[source.columns]                           # what it is = the heading in the file; a list is added up",
        *[f"{_word(name)} = {_value(value)}" for name, value in draft.columns.items()],
        "",
        "[source.dates]                             # when characteristics were measured: add what is missing",
        *[f'{name} = "{month}"' for name, month in draft.dates.items()],
        *[f'# {name} = "2025-03"' for name in _undated(draft)],
        "",
        "[reports]",
        'kinds = ["practice", "area"]',
        'formats = ["html", "docx"]',
        "",
    ]
    return "\n".join(lines)


def _word(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _undated(draft: _Draft) -> list[str]:
    there = dict.fromkeys(
        name.partition(".")[0] for name in draft.columns if name.partition(".")[0] in catalogue.covariates()
    )
    return [name for name in there if name not in draft.dates]


def _write_template(folder: Path, metric: Sequence[str], today: dt.date) -> Path:
    """Write a study to fill in, beside the templates; it loads, and says what is missing when it is run."""
    for name in metric:
        catalogue.metric(name)
    folder.mkdir(parents=True, exist_ok=True)
    for item in sorted(share.folder("templates").iterdir()):
        if item.suffix in (".csv", ".xlsx") and not (folder / item.name).exists():
            shutil.copyfile(item, folder / item.name)
    draft = _Draft(file="practice-table.csv")
    header = next(read_rows(share.folder("templates") / "practice-table.csv").numbered)[1]
    _map_headings(draft, header)
    draft.metrics = list(dict.fromkeys(metric)) or ["same_day_share"]
    year = today.year - (1 if today.month >= 4 else 2)
    draft.period = Period(f"{year}-04", f"{year + 1}-03")
    draft.period_from = "CHANGE THIS to the period of your figures"
    draft.code = "QHM"
    draft.area_name = "CHANGE THIS to the code of your board"
    path = folder / _STUDY
    path.write_text(_as_toml(draft, today), encoding="utf-8", newline="\n")
    load_study(path)
    return path
