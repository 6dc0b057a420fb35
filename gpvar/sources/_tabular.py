"""From one table of an official file to columns of text, numbers, dates and codes; nothing half-read is handed on."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.organisations import is_practice_code, tidy
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part
from gpvar.sources.files.members import fingerprint
from gpvar.sources.files.values import parse_month
from gpvar.sources.recognise import header_differs, places

_SHOWN = 4
#: A table of one row for each practice and a few ages or registers is 25 MB at most; such a table beyond this is
#: something else. Registrations by small area are a million rows, and the crosstab is not read here.
_MOST_BYTES = 300_000_000
_LARGE = ("registered_lsoa",)
#: Letters. The widest table has four hundred columns.
_LONGEST_ROW = 1_000_000
_AS_PUBLISHED = "Use the file as it was downloaded; one that was opened and saved by a spreadsheet may have changed."


def text_frame(part: Part, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Return columns of a table as text, all rows.

    Parameters
    ----------
    part
        The table.
    columns
        Headings as the catalogue's layout names them; they are found whatever their order.
    optional
        Headings that are taken where they are there.

    Returns
    -------
    DataFrame
        One column of text for each, named as asked; ``""`` where a cell is blank. The index counts rows from 0; a
        spreadsheet shows row ``index + first_row(part)``.

    Raises
    ------
    SourceError
        When a heading is missing, or the rows cannot be read to the last.
    """
    layout = catalogue.layouts()[part.layout]
    where = places(layout, part.header, [*columns, *optional])
    if any(name not in where for name in columns):
        raise header_differs(layout, part.header, part.member)
    taken = sorted(set(where.values()))
    try:
        frame = _whole(part, taken)
    except UnicodeError:
        frame = _whole_as_windows_writes_it(part, taken)
    frame = _without_blank_end(frame)
    if frame.empty:
        raise SourceError("The table has headings and no rows.", part.member.place, "Download it again.")
    return frame[list(where.values())].set_axis(list(where), axis=1)


def _whole(part: Part, taken: list[int]) -> pd.DataFrame:
    """Return some columns of all rows, by their place."""
    _refuse_broken_rows(part)
    try:
        with _opened(part) as stream:
            return pd.read_csv(
                stream,
                sep=part.delimiter,
                encoding=part.encoding,
                header=None,
                names=range(len(part.header)),
                index_col=False,
                skiprows=first_row(part) - 1,
                usecols=taken,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,
                engine="c",
            )
    except pd.errors.ParserError as error:
        raise _broken(str(error), part) from None
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=taken, dtype=str)


def _whole_as_windows_writes_it(part: Part, taken: list[int]) -> pd.DataFrame:
    """Return the rows of a table whose beginning has only plain letters, and of which the rest is not UTF-8."""
    mixed = SourceError(
        "The file mixes two encodings, so its letters cannot be read for certain.", part.member.place, _AS_PUBLISHED
    )
    if part.encoding != "utf-8-sig":
        raise mixed
    with _opened(part) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_ROW), b""), 1):
            if len(line) == _LONGEST_ROW:
                raise _row_too_long(part, number)
            if re.search(rb"[\xc2-\xf4][\x80-\xbf]", line):
                raise mixed
    try:
        return _whole(replace(part, encoding="cp1252"), taken)
    except UnicodeError:
        raise mixed from None


def first_row(part: Part) -> int:
    """Return the row number, as a spreadsheet shows it, of the first row of data."""
    return 1 if catalogue.layouts()[part.layout].headerless else 2


def _without_blank_end(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out blank lines at the end, which some programs write."""
    filled = np.flatnonzero((frame != "").any(axis=1).to_numpy())
    return frame.iloc[: filled[-1] + 1 if len(filled) else 0]


def _refuse_broken_rows(part: Part) -> None:
    """Refuse rows with too few cells, and cells that run over the end of a line: pandas mends both without a word."""
    fewest, first = len(part.header) - 1, first_row(part)
    with _opened(part) as stream, io.TextIOWrapper(stream, encoding=part.encoding, newline="") as lines:
        for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_ROW), ""), 1):
            if len(line) == _LONGEST_ROW:
                raise _row_too_long(part, number)
            if number < first or not line.strip():
                continue
            if line.count('"') % 2:
                raise SourceError(
                    "A quotation mark is opened and not closed in its row; nothing of the file was used.",
                    f"{part.member.place}, row {number}",
                    _AS_PUBLISHED,
                )
            if line.count(part.delimiter) < fewest:
                last = not any(rest.strip() for rest in iter(lambda: lines.read(_LONGEST_ROW), ""))
                said = "The last row stops half-way, so the file was cut short" if last else "A row has too few cells"
                raise SourceError(
                    f"{said}; nothing of it was used.", f"{part.member.place}, row {number}", "Download it again."
                )


def _opened(part: Part) -> BinaryIO:
    if part.layout in _LARGE:
        return part.member.open()
    return part.member.open(_MOST_BYTES, catalogue.layouts()[part.layout].title)


def _row_too_long(part: Part, number: int) -> SourceError:
    return SourceError(
        "A row is longer than any of this publication; nothing of the file was used.",
        f"{part.member.place}, row {number}",
        "Download it again.",
    )


def _broken(message: str, part: Part) -> SourceError:
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found:
        wanted, line, saw = found.groups()
        return SourceError(
            f"A row has {saw} cells where the headings are {wanted}; nothing of the file was used.",
            f"{part.member.place}, row {line}",
            _AS_PUBLISHED,
        )
    return SourceError(
        "A quotation mark is opened and not closed, so the file was cut short; nothing of it was used.",
        part.member.place,
        "Download it again.",
    )


def numbers(frame: pd.DataFrame, column: str, part: Part, problems: Problems, missing: Iterable[str] = ()) -> pd.Series:
    """Return a column as numbers; blanks and the marks of `missing` become NaN, anything else is noted.

    Thousands may be written with commas, which is how a spreadsheet saves them.
    """
    texts = frame[column]
    found = pd.to_numeric(texts, errors="coerce").astype(float)
    odd = found.isna() & (texts != "")
    if odd.any():
        marks = {mark.casefold() for mark in missing}
        stripped = texts[odd].str.strip()
        thousands = stripped.str.fullmatch(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?").astype(bool)
        found.loc[stripped[thousands].index] = pd.to_numeric(stripped[thousands].str.replace(",", "")).astype(float)
        known = thousands | (stripped == "") | stripped.str.casefold().isin(marks)
        note_cells(frame, column, stripped[~known].index, "is not a number", part, problems)
    return found


def whole_numbers(
    frame: pd.DataFrame, column: str, part: Part, problems: Problems, missing: Iterable[str] = ()
) -> pd.Series:
    """Return a column of counts; what is below nought, or no whole number, is noted."""
    found = numbers(frame, column, part, problems, missing)
    note_cells(frame, column, found.index[found < 0], "is below nought", part, problems)
    note_cells(frame, column, found.index[(found >= 0) & (found % 1 != 0)], "is not a whole number", part, problems)
    return found


def note_cells(
    frame: pd.DataFrame, column: str, at: pd.Index, why: str, part: Part, problems: Problems, fix: str = _AS_PUBLISHED
) -> None:
    """Note cells that cannot be used, as one problem with the rows of the first few."""
    if not len(at):
        return
    shown = ", ".join(f"row {index + first_row(part)} ('{frame.at[index, column]}')" for index in at[:_SHOWN])
    more = f" and {len(at) - _SHOWN:,} more" if len(at) > _SHOWN else ""
    problems.add(f"{count(len(at), 'cell')} of the column {column}: what stands there {why}.", shown + more, fix)


def month_of(texts: pd.Series, column: str, part: Part, problems: Problems) -> pd.Series:
    """Return dates as months, ``"2026-07"``; what is no date, or one turned round by a spreadsheet, is noted."""
    return day_of(texts, column, part, problems).str[:7]


def day_of(texts: pd.Series, column: str, part: Part, problems: Problems) -> pd.Series:
    """Return dates as ``"2026-07-01"``, from every way in which these files write them.

    A date with strokes must be the first of a month, as all of these are: another day of the month means that a
    spreadsheet has put months before days.
    """
    known = {text: _day(text) for text in texts.unique()}
    bad = [text for text, day in known.items() if day is None]
    for text in bad[:_SHOWN]:
        at = texts.index[texts == text][0] + first_row(part)
        turned = re.fullmatch(r"\s*\d{1,2}/\d{1,2}/\d{2,4}\s*", text) is not None
        why = "has its day and month turned round, or is no first of a month" if turned else "is not a date"
        problems.add(f"What stands in the column {column} {why}.", f"row {at} ('{text}')", _AS_PUBLISHED)
    return texts.map(known).fillna("").astype(str)


def _day(text: str) -> str | None:
    month = parse_month(text)
    if month is None:
        return None
    plain = text.strip()
    stroked = re.fullmatch(r"(\d{1,2})/\d{1,2}/\d{2,4}(?:\s.*)?", plain)
    if stroked:
        return f"{month}-01" if int(stroked.group(1)) == 1 else None
    lettered = re.fullmatch(r"(\d{1,2})[- ]?[A-Za-z]{3,9}[- ]?\d{2,4}", plain)
    iso = re.fullmatch(r"\d{4}[-/]\d{1,2}[-/](\d{1,2})(?:[T ].*)?", plain)
    found = lettered or iso
    return f"{month}-{int(found.group(1)) if found else 1:02d}"


def practice_codes(frame: pd.DataFrame, column: str, part: Part, problems: Problems) -> tuple[pd.Series, pd.Series]:
    """Return tidy codes, and which of them have the form of a practice code.

    Codes that a spreadsheet has turned into numbers are noted.
    """
    unique = frame[column].drop_duplicates()
    codes = dict(zip(unique, tidy(unique), strict=True))
    mangled = [text for text in unique if re.fullmatch(r"\d(?:\.\d+)?E[+-]?\d+", text.strip(), re.IGNORECASE)]
    if mangled:
        at = frame.index[frame[column].isin(mangled)]
        note_cells(frame, column, at, "was a code that a spreadsheet took for a number", part, problems)
    good = {text: bool(ok) for text, ok in zip(unique, is_practice_code(tidy(unique)), strict=True)}
    return frame[column].map(codes).astype(str), frame[column].map(good).astype(bool)


def strangers(codes: pd.Series, good: pd.Series, part: Part) -> tuple[tuple[str, int], ...]:
    """Return codes that are not practices', each once with its first row."""
    others = codes[~good].drop_duplicates()
    return tuple((code or "(blank)", int(index) + first_row(part)) for index, code in others.items())


def provenance_of(
    part: Part,
    *,
    rows_read: int,
    rows_kept: int,
    reason: str = "",
    edition: str = "",
    dates: dict[str, str] | None = None,
) -> dict[str, object]:
    """Return the row of `schema.PROVENANCE` of one table; `edition` is a month such as ``"2026-07"``."""
    sha256, size = fingerprint(part.member.path)
    said = "; ".join(f"{name} {month}" for name, month in sorted((dates or {}).items()))
    return {
        "source": catalogue.layouts()[part.layout].source,
        "file": part.member.path.name,
        "sheet": part.member.name,
        "sha256": sha256,
        "bytes": size,
        "rows_read": rows_read,
        "rows_kept": rows_kept,
        "rows_dropped": rows_read - rows_kept,
        "reason": reason,
        "edition": edition,
        "dates": said,
    }


def one_value(values: pd.Series, what: str, part: Part) -> str:
    """Return the one value that a column may hold throughout, such as its date.

    Raises
    ------
    SourceError
        When it holds several: two editions were put into one file.
    """
    found = sorted(set(values) - {""})
    if len(found) > 1:
        raise SourceError(
            f"The file holds more than one {what}: {listing(found, 6)}.",
            part.member.place,
            "Two editions seem to have been put together: use each as it was published, in a file of its own.",
        )
    return found[0] if found else ""
