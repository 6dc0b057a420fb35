"""Stream the practice-level appointments crosstab: runs of rows as numbers of normalised labels, from file or cache."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.sources._parts import Part
from gpvar.sources.appointments import cache
from gpvar.sources.appointments.crosstab_csv import csv_rows
from gpvar.sources.appointments.rows import COLUMNS, WINDOWS, Extent, NotUtf8, OddCount, Reading, Rows
from gpvar.sources.files.members import fingerprint

Result = TypeVar("Result")

#: Raised whenever what is kept in the cache changes its form or meaning. The catalogue has a sign of its own.
VERSION = 3
#: Rows of one group of the cached file: large enough to pack, small enough to hold.
_GROUP = 200_000
_UNREADABLE = (pa.ArrowException, OSError, LookupError, TypeError, ValueError)


def consume(part: Part, use: Callable[[Reading, Iterator[Rows]], Result], *, keep: bool = True) -> Result:
    """Read a table from the cache if it is there whole, else from the file.

    Parameters
    ----------
    part
        The table.
    use
        What to do with the rows; it may be called again from the start when the cache turns out to be damaged.
    keep
        Whether the cache may be used; not for a file that may be a practice's own.
    """
    kept = _kept(part) if keep else None
    if kept is not None and kept.is_file():
        reading = Reading(part)
        # A damaged or foreign file in the cache is read anew from its source and written again.
        with contextlib.suppress(*_UNREADABLE):
            return use(reading, _from_cache(reading, kept))
    reading = Reading(part)
    try:
        return use(reading, _from_file(reading, kept))
    except NotUtf8:
        # Its first letters are the same in both encodings.
        return consume(dataclasses.replace(part, encoding=WINDOWS), use, keep=keep)
    except OddCount:
        # Some cell of the counts is no plain number: read again cell by cell, to use it or to say which.
        reading = Reading(part)
        return use(reading, _from_file(reading, kept, careful=True))


def _from_file(reading: Reading, keep: Path | None, *, careful: bool = False) -> Iterator[Rows]:
    """Yield the rows of the file, and keep them tidy in the cache once the last has been read."""
    keeper = _Keeper(reading, keep) if keep else None
    try:
        for rows in csv_rows(reading, careful=careful):
            if keeper:
                keeper.add(rows)
            yield rows
        if keeper:
            keeper.finish()
    finally:
        if keeper:
            keeper.stop()


def _from_cache(reading: Reading, path: Path) -> Iterator[Rows]:
    """Yield the rows that an earlier reading kept."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        kept = file.metadata.metadata
        reading.extent = Extent(**json.loads(kept[b"extent"]))
        texts = json.loads(kept[b"texts"])
        numbers = {
            name: np.array([words.number(text) for text in texts[name]], dtype=np.int32)
            for name, words in reading.words.items()
        }
        for group in range(file.num_row_groups):
            for batch in file.read_row_group(group, use_threads=False).to_batches():
                codes = {name: lut[batch.column(name).to_numpy()] for name, lut in numbers.items()}
                yield Rows(codes, batch.column("count").to_numpy())
    cache.touch(path)


def _kept(part: Part) -> Path | None:
    """Return where a table is kept, or would be."""
    sha256, _ = fingerprint(part.member.path)
    return cache.place("crosstab", sha256, part.member.name, _read_by(part.layout))


def _read_by(layout: str) -> str:
    """Return a sign of everything by which cells are read: what was kept under another is read anew."""
    columns = catalogue.layouts()[layout]
    codes = catalogue.conventions()["codes"]
    known = [facts.labels(), facts.also(), codes, columns.columns, columns.also, COLUMNS, VERSION]
    spelling = [facts.plain(label) for labels in facts.labels().values() for label in labels]
    return hashlib.sha256(json.dumps([*known, spelling]).encode("utf-8")).hexdigest()


class _Keeper:
    """Writes tidy rows to the cache; any failure ends the keeping and not the reading.

    What holds few practices may be a practice's own download, and is never written.
    """

    def __init__(self, reading: Reading, target: Path) -> None:
        self._reading = reading
        self._target: Path | None = target
        self._held: list[Rows] = []
        self._size = 0
        self._draft: cache.Draft | None = None
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: Rows) -> None:
        """Take a run of rows."""
        if self._target is None:
            return
        self._held.append(rows)
        self._size += len(rows.count)
        if self._size >= _GROUP:
            self._attempt(self._write)

    def finish(self) -> None:
        """Put the file in its place."""
        if self._target is not None:
            self._attempt(self._close)

    def stop(self) -> None:
        """Give up whatever was not finished."""
        writer, draft = self._writer, self._draft
        self._writer = self._draft = self._target = None
        self._held = []
        with contextlib.suppress(*_UNREADABLE):
            if writer is not None:
                writer.close()
        if draft is not None:
            draft.discard()

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except _UNREADABLE:
            self.stop()

    def _write(self) -> None:
        if self._few_practices():
            self.stop()
            return
        assert self._target is not None
        self._draft = self._draft or cache.Draft(self._target)
        columns = {name: np.concatenate([rows.codes[name] for rows in self._held]) for name in COLUMNS}
        table = pa.table(columns | {"count": np.concatenate([rows.count for rows in self._held])})
        if self._writer is None:
            # Quick to write and to read rather than small: a month of two million rows is 9 MB.
            self._writer = pq.ParquetWriter(
                self._draft.path,
                table.schema,
                compression="lz4",
                use_dictionary=False,
                write_statistics=False,
                write_page_checksum=True,
            )
        self._writer.write_table(table)
        self._held, self._size = [], 0

    def _few_practices(self) -> bool:
        return len(self._reading.words["practice_code"].texts) < facts.own_download_below()

    def _close(self) -> None:
        if self._held:
            self._write()
        if self._writer is None or self._draft is None:
            return
        texts = {name: words.texts for name, words in self._reading.words.items()}
        extent = dataclasses.asdict(self._reading.extent)
        self._writer.add_key_value_metadata({"extent": json.dumps(extent), "texts": json.dumps(texts)})
        self._writer.close()
        draft, self._writer, self._draft = self._draft, None, None
        draft.commit()
