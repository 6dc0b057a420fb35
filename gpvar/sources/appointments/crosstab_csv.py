"""Read the appointments crosstab from CSV in pieces: each different text looked at once, bad cells noted with rows."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.errors import SourceError
from gpvar.organisations import looks_like_practice_code
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part
from gpvar.sources._tabular import first_row, month_of
from gpvar.sources.appointments.repeats import Repeats
from gpvar.sources.appointments.rows import (
    COLUMNS,
    COUNT,
    LABELS,
    WINDOWS,
    Array,
    Extent,
    NotUtf8,
    OddCount,
    Reading,
    Rows,
)
from gpvar.sources.files.members import MAX_MEMBER_BYTES
from gpvar.sources.recognise import header_differs, places

_BLOCK = 2 << 20
_SHOWN = 4
#: A column of labels has up to twenty; with many more, something else stands in it.
_MOST_TEXTS = 200
_AS_PUBLISHED = "Use the file as it was downloaded; one that was opened and saved by a spreadsheet may have changed."


def csv_rows(reading: Reading, *, careful: bool) -> Iterator[Rows]:
    """Yield the rows of the file that are of practices; raise everything that is wrong once all is read.

    Parameters
    ----------
    reading
        What it is read for; its extent and words are filled in.
    careful
        Whether counts are read as text, cell by cell; without, the first odd one raises `OddCount`.
    """
    part = reading.part
    layout = catalogue.layouts()[part.layout]
    where = places(layout, part.header, [*COLUMNS.values(), COUNT])
    if any(name not in where for name in layout.required):
        raise header_differs(layout, part.header, part.member)
    cells = _Cells(reading)
    last = None
    with _stream(part) as stream:
        for batch in _batches(stream, part, where, careful):
            rows, last = cells.rows(batch)
            if rows is not None:
                yield rows
    if reading.extent.rows_read == 0:
        raise SourceError("The table has headings and no rows.", part.member.place, "Download it again.")
    cells.refuse_cut_short(last)
    cells.raise_if_any()


def _stream(part: Part) -> Any:
    """Return the table's bytes; a plain CSV is read past Python, which would copy every byte twice."""
    member = part.member
    plain = not member.name and 0 < member.size <= MAX_MEMBER_BYTES
    return pa.OSFile(str(member.path)) if plain else member.open()


def _batches(stream: Any, part: Part, where: dict[str, int], careful: bool) -> Iterator[dict[str, pa.Array]]:
    """Yield the wanted columns of the file in pieces, each as numbers into its own short list of texts."""
    names = [str(number) for number in range(len(part.header))]
    wanted = {heading: names[at] for heading, at in where.items()}
    types = dict.fromkeys(wanted.values(), pa.dictionary(pa.int32(), pa.string()))
    if not careful and COUNT in wanted:
        types[wanted[COUNT]] = pa.int64()
    encoding = "utf8" if part.encoding in ("utf-8", "utf-8-sig") else part.encoding
    try:
        reader = pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=_BLOCK, skip_rows=1, column_names=names, encoding=encoding
            ),
            parse_options=pacsv.ParseOptions(delimiter=part.delimiter),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(wanted.values()),
                column_types=types,
                strings_can_be_null=False,
            ),
        )
        for batch in reader:
            yield {heading: batch.column(name) for heading, name in wanted.items()}
    except (pa.ArrowInvalid, UnicodeError) as error:
        if "conversion error" in str(error) and not careful:
            raise OddCount from None
        if "invalid UTF8" in str(error):
            raise NotUtf8 from None
        raise _broken(str(error), part) from None


def _broken(message: str, part: Part) -> SourceError:
    found = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", message)
    if found:
        row, wanted, saw = found.groups()
        short = int(saw) < int(wanted)
        return SourceError(
            f"A row has {saw} cells where the headings are {wanted}; nothing of the file was used.",
            f"{part.member.place}, row {int(row):,}" if row else part.member.place,
            "It seems to be cut short: download it again." if short else _AS_PUBLISHED,
        )
    if "Empty CSV" in message:
        return SourceError("The table has headings and no rows.", part.member.place, "Download it again.")
    if "codec" in message or "decode" in message:
        return SourceError(
            "The file mixes two encodings, so its letters cannot be read for certain.", part.member.place, _AS_PUBLISHED
        )
    return SourceError(
        "The rows of the file cannot be told apart, so it is damaged or was cut short; nothing of it was used.",
        part.member.place,
        "Download it again.",
    )


class _Cells:
    """Turns texts into numbers, each different text looked at once, and notes the cells that cannot be used."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._part = reading.part
        self._problems = Problems(SourceError, reading.part.member.place)
        self._seen: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}
        self._repeats = Repeats()
        self._counts: dict[str, int] = {}
        self._bad: dict[str, list[tuple[int, str]]] = {}
        self._canonical = {name: canonical(heading) for name, heading in COLUMNS.items() if name in LABELS}

    def rows(self, batch: dict[str, pa.Array]) -> tuple[Rows | None, str]:
        """Return a run of rows of practices, and the status of the last row as it stands in the file."""
        extent = self._reading.extent
        first = extent.rows_read + first_row(self._part)
        size = len(batch[COUNT])
        extent.rows_read += size
        codes = {name: self._numbers(name, batch.get(heading), size, first) for name, heading in COLUMNS.items()}
        number = self._count(batch[COUNT], first)
        status = batch[COLUMNS["appt_status"]]
        last = status.dictionary[status.indices[-1].as_py()].as_py() if size else ""
        kept = size
        if extent.strangers:
            keep = codes["practice_code"] >= 0
            kept = int(keep.sum())
            extent.left_out += int(number[~keep].sum())
            codes = {name: values[keep] for name, values in codes.items()}
            number = number[keep]
        extent.rows_kept += kept
        self._repeats.add(codes)
        if kept:
            month, code = (self._reading.words[name].texts[codes[name][-1]] for name in ("month", "practice_code"))
            extent.last = (month, code)
        return (Rows(codes, number) if kept else None), last

    def _numbers(self, name: str, column: pa.DictionaryArray | None, size: int, first: int) -> Array:
        if column is None:
            return np.full(size, self._reading.words[name].number(""), dtype=np.int32)
        texts, at = column.dictionary.to_pylist(), column.indices.to_numpy()
        seen = self._seen[name]
        for place, text in enumerate(texts):
            if text not in seen:
                seen[text] = self._number(name, text, lambda place=place: first + int((at == place).argmax()))
        return np.array([seen[text] for text in texts], dtype=np.int32)[at]

    def _number(self, name: str, text: str, row: Callable[[], int]) -> int:
        words = self._reading.words[name]
        if name == "month":
            column = pd.Series([text], index=[row() - first_row(self._part)])
            return words.number(month_of(column, COLUMNS[name], self._part, self._problems).iloc[0])
        if name == "practice_code":
            code = text.strip().upper()
            if looks_like_practice_code(code):
                return words.number(code)
            self._reading.extent.strangers.setdefault(code or "(blank)", row())
            return -1
        plain = " ".join(text.split())
        if len(words.texts) > _MOST_TEXTS:
            raise SourceError(
                f"The column {COLUMNS[name]} holds over {_MOST_TEXTS} different texts, among them "
                f"{listing((repr(known) for known in words.texts[-3:]), 3)}.",
                self._part.member.place,
                "What stands there are no labels: the columns seem to be shifted. " + _AS_PUBLISHED,
            )
        if name in self._canonical:
            return words.number(self._canonical[name].get(facts.plain(text), plain))
        return words.number(plain)

    def _count(self, column: pa.Array, first: int) -> Array:
        if pa.types.is_integer(column.type):
            if column.null_count or (len(column) and column.to_numpy().min() < 0):
                raise OddCount
            return column.to_numpy()
        texts, at = column.dictionary.to_pylist(), column.indices.to_numpy()
        for place, text in enumerate(texts):
            if text not in self._counts:
                found = whole(text)
                self._counts[text] = 0 if isinstance(found, str) else found
                if isinstance(found, str):
                    self._bad.setdefault(found, [])
            bad = whole(text) if self._bad and self._counts[text] == 0 else None
            if isinstance(bad, str):
                self._bad[bad] += [(first + int(row), text) for row in np.flatnonzero(at == place)]
        return np.array([self._counts[text] for text in texts], dtype=np.int64)[at]

    def refuse_cut_short(self, last: str | None) -> None:
        """Refuse a file that ends within a word."""
        known = self._canonical["appt_status"]
        text = facts.plain(last or "")
        if text not in known and any(word.startswith(text) for word in known) and text:
            raise SourceError(
                f"The last row stops half-way ('{last}'), so the file was cut short; nothing of it was used.",
                f"{self._part.member.place}, row {self._reading.extent.rows_read + first_row(self._part) - 1:,}",
                "Download it again.",
            )

    def raise_if_any(self) -> None:
        """Raise what was noted, and refuse a file of which most rows are of no practice."""
        for why, found in self._bad.items():
            shown = ", ".join(f"row {row:,} ('{text}')" for row, text in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
            what = f"{count(len(found), 'cell')} of the column {COUNT}: what stands there {why}."
            self._problems.add(what, shown + more, _AS_PUBLISHED)
        extent = self._reading.extent
        self._note_repeats(extent)
        if extent.rows_kept < extent.rows_read / 2:
            self._problems.add(
                f"Most rows are of no practice: the column {COLUMNS['practice_code']} holds "
                f"{listing(extent.strangers, 4)}.",
                f"{extent.rows_read - extent.rows_kept:,} of {extent.rows_read:,} rows",
                "Practice codes are a letter and five digits, such as A81001. " + _AS_PUBLISHED,
            )
        self._problems.raise_if_any()

    def _note_repeats(self, extent: Extent) -> None:
        share = self._repeats.share()
        extent.repeated = round(share * extent.rows_kept)
        if share >= facts.repeated_rows_from():
            self._problems.add(
                f"{100 * share:.0f} % of the rows say the same practice, month and labels as a row before them: "
                "their appointments would be counted twice.",
                f"{extent.repeated:,} of {extent.rows_kept:,} rows",
                "It seems that rows were pasted or joined together twice. Use the file as it was downloaded; if it is "
                "that, tell the makers of gpvar.",
            )


def canonical(heading: str) -> dict[str, str]:
    """Return a label without capitals and double spaces → the label, earlier spellings included."""
    known = {facts.plain(label): label for label in facts.labels()[heading]}
    return known | {facts.plain(old): label for old, label in facts.also().get(heading, {}).items()}


def whole(text: str) -> int | str:
    """Return a count, or why it is none."""
    plain = text.strip()
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", plain):
        plain = plain.replace(",", "")
    if re.fullmatch(r"\d{1,12}", plain):
        return int(plain)
    if not plain:
        return "is blank"
    return "is below nought" if re.fullmatch(r"-\d[\d.,]*", plain) else "is not a whole number"


def places_of(part: Part) -> pd.DataFrame:
    """Return what the crosstab itself says of where each practice belongs, from the practice's first row.

    Parameters
    ----------
    part
        The table.

    Returns
    -------
    DataFrame
        practice_code, and practice_name, pcn_code, pcn_name, sub_icb_code where the file has them.
    """
    headings = {"practice_code": "GP_CODE", "practice_name": "GP_NAME", "pcn_code": "PCN_CODE", "pcn_name": "PCN_NAME"}
    headings |= {"sub_icb_code": "SUB_ICB_LOCATION_CODE"}
    where = places(catalogue.layouts()[part.layout], part.header, headings.values())
    held = {name: heading for name, heading in headings.items() if heading in where}
    found: dict[str, dict[str, str]] = {}
    try:
        for batch in _pieces(part, where):
            codes = batch["GP_CODE"]
            firsts = np.unique(codes.indices.to_numpy(), return_index=True)[1]
            for row in firsts.tolist():
                code = codes[row].as_py().strip().upper()
                if code not in found and looks_like_practice_code(code):
                    cells = {name: " ".join(batch[heading][row].as_py().split()) for name, heading in held.items()}
                    found[code] = {**cells, "practice_code": code}
    except NotUtf8:
        return places_of(dataclasses.replace(part, encoding=WINDOWS))
    frame = pd.DataFrame(list(found.values()), columns=list(held))
    for name in frame:
        if name.endswith("_code"):
            frame[name] = frame[name].str.upper()
    return frame


def _pieces(part: Part, where: dict[str, int]) -> Iterator[dict[str, pa.Array]]:
    with _stream(part) as stream:
        yield from _batches(stream, part, where, careful=True)
