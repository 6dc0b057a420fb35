"""Read a practice's own appointments: rows of the crosstab's labels, counted as the published ones are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.errors import SourceError
from gpvar.organisations import looks_like_practice_code
from gpvar.problems import Problems, count, listing
from gpvar.sources.appointments.crosstab_csv import canonical, whole
from gpvar.sources.appointments.rows import COLUMNS, COUNT, LABELS, Array, Reading, Rows, Vocabulary
from gpvar.sources.appointments.tally import count_rows, wanted
from gpvar.sources.files.grid import plain_heading
from gpvar.sources.files.reading import read_rows
from gpvar.sources.files.values import parse_month

_SHOWN = 4
_FIX = "Use the download as the clinical system gave it, or mend the cells and save it again."


@dataclass(frozen=True, slots=True)
class OwnData:
    """A practice's own appointments.

    Attributes
    ----------
    practice_code
        The practice, as the file or the person who asks says.
    labels
        The label columns that the file has, by their tidy names.
    rows
        month, the label columns and count, one row for each combination.
    counts
        As `SourceTable.counts`, over every month of the file; figures that need a column it does not have are left out.
    months
        The months in it.
    """

    path: Path
    practice_code: str
    labels: tuple[str, ...]
    rows: pd.DataFrame
    counts: pd.DataFrame
    months: tuple[str, ...]


def read_own(path: Path, practice_code: str = "") -> OwnData:
    """Read a practice's own appointments: the columns of the crosstab, in CSV or Excel.

    Parameters
    ----------
    path
        The file. It needs the month, the count, and one of the columns of labels.
    practice_code
        The practice; needed where the file does not say it, or holds several.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    texts = _texts(path)
    asked = practice_code.strip().upper()
    problems = Problems(SourceError, str(path))
    texts, code = _of_practice(texts, asked, path)
    reading, rows = _as_rows(texts, code, problems)
    problems.raise_if_any()
    labels = tuple(name for name in LABELS if COLUMNS[name] in texts)
    frame = by_month_and_label(reading, [rows], labels)
    months = tuple(sorted(frame["month"].unique()))
    return OwnData(path, code, labels, frame, _counts(reading, [rows], labels, months), months)


def _texts(path: Path) -> pd.DataFrame:
    """Return the known columns as text, named as published; other columns are left out."""
    layout = catalogue.layouts()["gpad_crosstab"]
    known = {plain_heading(name): name for name in layout.columns}
    known |= {plain_heading(old): name for name, others in layout.also.items() for old in others}
    header: dict[str, int] = {}
    cells: list[list[str]] = []
    numbers: list[int] = []
    for number, row in read_rows(path).numbered:
        if not header:
            found = {known[plain_heading(cell)]: at for at, cell in enumerate(row) if plain_heading(cell) in known}
            header = found if len(found) > 2 else {}
        elif any(cell.strip() for cell in row):
            cells.append([row[at] if at < len(row) else "" for at in header.values()])
            numbers.append(number)
    labels = [COLUMNS[name] for name in LABELS]
    missing = [name for name in (COLUMNS["month"], COUNT) if name not in header]
    if missing or not any(name in header for name in labels):
        what = listing(missing) if missing else "a column of labels"
        raise SourceError(
            f"This is not a practice's own appointments as published: {what} is missing.",
            str(path),
            f"It needs {COLUMNS['month']}, {COUNT} and at least one of {', '.join(labels)}.",
        )
    if not cells:
        raise SourceError("The table has headings and no rows.", str(path), "Download it again.")
    return pd.DataFrame(cells, columns=list(header), index=numbers)


def _of_practice(texts: pd.DataFrame, asked: str, path: Path) -> tuple[pd.DataFrame, str]:
    """Return the rows of one practice, and its code; a file that does not say is taken to be of the one asked for."""
    column = COLUMNS["practice_code"]
    codes = texts[column].str.strip().str.upper() if column in texts else pd.Series("", index=texts.index)
    held = [code for code in codes.unique() if code]
    if not held and not asked:
        raise SourceError(
            "The file does not say of which practice it is.",
            str(path),
            "Name the practice by its code, such as A81001.",
        )
    if not asked and len(held) > 1:
        raise SourceError(
            f"The file holds {len(held)} practices: {listing(held, 5)}.", str(path), "Name one of them by its code."
        )
    code = asked or held[0]
    if held and code not in held:
        raise SourceError(
            f"The file is of {listing(held, 5)} and not of {code}.", str(path), "Name its practice, or the right file."
        )
    if not looks_like_practice_code(code):
        raise SourceError(f"'{code}' is not a practice's code.", str(path), "Codes are such as A81001.")
    return (texts[codes == code] if held else texts), code


def _as_rows(texts: pd.DataFrame, code: str, problems: Problems) -> tuple[Reading, Rows]:
    reading = Reading(None)
    codes: dict[str, Array] = {}
    for name, heading in COLUMNS.items():
        words = reading.words[name]
        if name == "practice_code":
            codes[name] = np.full(len(texts), words.number(code), dtype=np.int32)
        elif name == "month":
            codes[name] = _months(texts[heading], words, problems)
        else:
            found = texts[heading] if heading in texts else pd.Series("", index=texts.index)
            known = canonical(heading) if name in LABELS else {}
            codes[name] = np.array(
                [words.number(known.get(facts.plain(text), " ".join(text.split()))) for text in found], dtype=np.int32
            )
    numbers = texts[COUNT].map(lambda text: whole(text.strip().removesuffix(".0")))
    for why in dict.fromkeys(item for item in numbers if isinstance(item, str)):
        _note(texts[COUNT], numbers == why, f"what stands there {why}", problems)
    values = np.array([item if isinstance(item, int) else 0 for item in numbers], dtype=np.int64)
    return reading, Rows(codes, values)


def _months(texts: pd.Series, words: Vocabulary, problems: Problems) -> Array:
    months = texts.map(parse_month)
    _note(texts, months.isna(), "what stands there is not a month", problems)
    return np.array([words.number(month if isinstance(month, str) else "") for month in months], dtype=np.int32)


def _note(texts: pd.Series, wrong: pd.Series, why: str, problems: Problems) -> None:
    if wrong.any():
        bad = texts[wrong.to_numpy(bool)]
        shown = ", ".join(f"row {row} ('{text}')" for row, text in bad.head(_SHOWN).items())
        more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
        problems.add(f"{count(len(bad), 'cell')} of the column {texts.name}: {why}.", shown + more, _FIX)


def by_month_and_label(reading: Reading, runs: Iterable[Rows], labels: Sequence[str]) -> pd.DataFrame:
    """Return month, labels and count, rows that say the same added up."""
    frames = []
    for run in runs:
        columns = {
            name: np.array(reading.words[name].texts, dtype=object)[run.codes[name]] for name in ("month", *labels)
        }
        frames.append(pd.DataFrame(columns).assign(count=run.count))
    if not frames:
        return pd.DataFrame(columns=["month", *labels, "count"])
    return pd.concat(frames).groupby(["month", *labels], as_index=False)["count"].sum()


def _counts(reading: Reading, runs: Iterable[Rows], labels: Sequence[str], months: Sequence[str]) -> pd.DataFrame:
    """Return the counts of every metric that the columns allow, over all months."""
    held = {COLUMNS[name] for name in labels}
    tallied = count_rows(reading, runs)
    sums = sum(item.values.sum(axis=0)[: len(wanted())] for item in tallied.values())
    code = next(iter(tallied.values())).codes[0]
    rows = []
    for (name, chosen), value in zip(wanted().items(), np.asarray(sums), strict=True):
        metric, _, part = name.partition(".")
        if part and {item.column for item in chosen} <= held:
            rows.append((code, metric, part, float(value), float(value), float(value), False, len(months)))
    return pd.DataFrame(rows, columns=["practice_code", "metric", "part", "value", "low", "high", "hidden", "months"])
