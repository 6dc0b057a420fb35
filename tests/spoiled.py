"""Spoil a good file in the ways in which files arrive spoiled: each function takes a path and returns another.

The spoiled file has the same name, in a folder beside the good one that is named after what was done to it. A table in
a zip or gzip is spoiled inside it; where a zip holds several, the first, or the one whose name has `member` in it.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path

Rows = list[list[str]]

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
#: Headings under which a person would have set thousands apart.
_COUNTS = re.compile(r"NUMBER_OF|LIST_SIZE|REGISTER$|TOTAL_PATIENTS|Number of|Payments$", re.ASCII)
_CLOCK = (2026, 7, 3, 9, 0, 0)


# --- tables ----------------------------------------------------------------------------------------------------------


def utf16(path: Path) -> Path:
    """Save as "Unicode text" of an older spreadsheet."""
    return _changed(path, "utf16", lambda data: data.decode("utf-8-sig").encode("utf-16"))


def saved_by_excel(path: Path, day_first: bool = True) -> Path:
    """Open and save in a spreadsheet: dates in strokes, noughts in front gone, 6E5 a number, thousands with commas.

    A spreadsheet set to another country (`day_first` False) turns day and month round.
    """

    def cell(text: str, heading: str) -> str:
        found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
        if found:
            year, month, day = found.groups()
            return f"{day}/{month}/{year}" if day_first else f"{month}/{day}/{year}"
        found = re.fullmatch(r"(\d\d)([A-Za-z]{3})(\d{4})", text)
        if found and found[2].upper() in _MONTHS:
            month = f"{_MONTHS.index(found[2].upper()) + 1:02d}"
            return f"{found[1]}/{month}/{found[3]}" if day_first else f"{month}/{found[1]}/{found[3]}"
        if re.fullmatch(r"\d+E\d{1,2}", text):
            return f"{float(text):.2E}"
        if re.fullmatch(r"\d+", text):
            return f"{int(text):,}" if _COUNTS.search(heading) else str(int(text))
        return text

    def change(data: bytes) -> bytes:
        rows = _rows(data)
        rows = [[cell(text, heading) for text, heading in zip(row, rows[0], strict=True)] for row in rows]
        return b"\xef\xbb\xbf" + _bytes(rows, "\r\n")

    return _changed(path, "excel", change)


def codes_as_numbers(path: Path, column: str, rows: int = 3) -> Path:
    """Let a spreadsheet take some codes for numbers, as it does with 6E5."""
    return _with_cells(path, "numbers", column, range(rows), "6.00E+05")


def shuffled_columns(path: Path) -> Path:
    """Put the columns in another order."""
    return _with_rows(path, "shuffled", lambda rows: [row[::-1] for row in rows])


def renamed_column(path: Path, old: str, new: str) -> Path:
    """Give one heading another name."""
    return _with_rows(path, "renamed", lambda rows: [[new if name == old else name for name in rows[0]], *rows[1:]])


def missing_column(path: Path, name: str) -> Path:
    """Leave out one column."""

    def change(rows: Rows) -> Rows:
        at = rows[0].index(name)
        return [row[:at] + row[at + 1 :] for row in rows]

    return _with_rows(path, "missing", change)


def one_region_missing(path: Path, codes: Collection[str], member: str = "") -> Path:
    """Leave out every row that holds one of these codes: the organisations of a region, or the region itself."""
    gone = set(codes)
    return _with_rows(path, "region", lambda rows: [rows[0], *(r for r in rows[1:] if gone.isdisjoint(r))], member)


def two_editions_mixed(path: Path, other: Path) -> Path:
    """Put the rows of another edition under those of the first."""
    more = _rows(_data(other))[1:]
    return _with_rows(path, "mixed", lambda rows: rows + more)


def duplicated_rows(path: Path, every: int = 10, member: str = "") -> Path:
    """Let every tenth row stand twice; `every=1` is a file pasted under itself."""
    return _with_rows(path, "duplicated", lambda rows: rows + rows[1::every], member)


def without_zero_cells(path: Path) -> Path:
    """Leave out the rows whose count is nought, as some editions do."""
    return _with_rows(path, "zeroless", lambda rows: [row for row in rows if row[-1] != "0"])


def changed_cell(path: Path, column: str, text: str, rows: Collection[int] = (0,), member: str = "") -> Path:
    """Put a text into a column of some rows (the first row of data is 0)."""
    return _with_cells(path, "cell", column, rows, text, member)


def two_dates(path: Path, column: str, text: str) -> Path:
    """Date the second half of the rows otherwise."""

    def change(rows: Rows) -> Rows:
        at, middle = rows[0].index(column), len(rows) // 2
        return rows[:middle] + [[*row[:at], text, *row[at + 1 :]] for row in rows[middle:]]

    return _with_rows(path, "dates", change)


def no2011(path: Path, every: int = 3, code: str = "NO2011") -> Path:
    """Let every third small area have no code of the older census, its patients added to those without one."""

    def change(rows: Rows) -> Rows:
        at, count = rows[0].index("LSOA_CODE"), rows[0].index("NUMBER_OF_PATIENTS")
        kept: dict[tuple[str, ...], int] = {}
        for number, row in enumerate(rows[1:]):
            row[at] = code if number % every == 0 else row[at]
            key = (*row[:count], *row[count + 1 :])
            kept[key] = kept.get(key, 0) + int(row[count])
        return [rows[0], *([*key[:count], str(n), *key[count:]] for key, n in kept.items())]

    return _with_rows(path, "no2011", change)


def older_areas(path: Path, every: int = 5) -> Path:
    """Let every fifth small area be one of the older census, of which the newer index knows nothing."""

    def change(rows: Rows) -> Rows:
        at = rows[0].index("LSOA_CODE")
        return [
            [*row[:at], f"E01{800000 + number:06d}", *row[at + 1 :]] if number and number % every == 0 else row
            for number, row in enumerate(rows)
        ]

    return _with_rows(path, "older", change)


def open_quote(path: Path) -> Path:
    """Open a quotation mark before a cell, and never close it."""

    def change(data: bytes) -> bytes:
        at = data.index(b",", len(data) // 2) + 1
        return data[:at] + b'"' + data[at:]

    return _changed(path, "quote", change)


# --- files -----------------------------------------------------------------------------------------------------------


def truncated(path: Path, share: float = 0.6) -> Path:
    """Break off the download."""
    data = path.read_bytes()
    return _written(path, "truncated", data[: int(share * len(data))])


def cut_table(path: Path, share: float = 0.6) -> Path:
    """Break off the table within a row, in an archive that is whole."""

    def change(data: bytes) -> bytes:
        at = data.rindex(b"\n", 0, int(share * len(data)))
        return data[: at + 6]

    return _changed(path, "cut", change)


def web_page(path: Path) -> Path:
    """Save the page that a site shows to programs, under the name of the file."""
    page = (
        b"<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
    )
    return _written(path, "page", page)


def empty(path: Path) -> Path:
    """Save nothing."""
    return _written(path, "empty", b"")


def empty_member(path: Path) -> Path:
    """Zip a table of no bytes."""
    return _zipped(path, "empty-member", {_table_name(path): b""})


def nested_zip(path: Path) -> Path:
    """Zip the zip once more."""
    return _zipped(path, "nested", {path.with_suffix(".zip").name: path.read_bytes()})


def hidden_zip(path: Path) -> Path:
    """Zip the zip once more, as what is called a table."""
    return _zipped(path, "hidden", {"table.csv": path.read_bytes()})


def outside_names(path: Path, name: str = "../../outside.csv") -> Path:
    """Zip the table under a name that leads out of the folder."""
    return _zipped(path, "outside", {name: _data(path)})


def wrong_crc(path: Path) -> Path:
    """Zip the table, then change what its sum should be."""
    good = _zipped(path, "crc", {_table_name(path): _data(path)})
    return _patched(good, 14, 16, struct.pack("<I", 0x12345678))


def zip_bomb(path: Path, claims: int = 3_000_000_000) -> Path:
    """Zip noughts, and say that they are billions."""
    good = _zipped(path, "bomb", {_table_name(path): bytes(2_000_000)})
    return _patched(good, 22, 24, struct.pack("<I", claims))


def understated_zip(path: Path, claims: int = 200) -> Path:
    """Zip the table, and say that it is hardly any bytes."""
    good = _zipped(path, "understated", {_table_name(path): _data(path)})
    return _patched(good, 22, 24, struct.pack("<I", claims))


def password_zip(path: Path, password: bytes = b"secret") -> Path:
    """Zip the table under a password, in the old way that every program reads."""
    name, data = _table_name(path).encode("utf-8"), _data(path)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    crc = zlib.crc32(data)
    body = _encrypted(bytes(11) + bytes([crc >> 24]) + packed, password)
    # Version, flags (1 encrypted, 2048 UTF-8 name), method, time, date, sum, sizes, length of the name.
    common = struct.pack("<HHHHHIIIH", 20, 1 | 2048, 8, 0, 0x5CE3, crc, len(body), len(data), len(name))
    local = b"PK\x03\x04" + common + b"\0\0" + name + body
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHHII", 0, 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    return _written(path.with_suffix(".zip"), "password", local + entry + end)


# --- how it is done --------------------------------------------------------------------------------------------------


def _encrypted(data: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def step(key: int, byte: int) -> int:
        return zlib.crc32(bytes([byte]), key ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    def turn(byte: int) -> None:
        keys[0] = step(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = step(keys[2], keys[1] >> 24)

    for byte in password:
        turn(byte)
    out = bytearray()
    for byte in data:
        mixed = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ (((mixed * (mixed ^ 1)) >> 8) & 0xFF))
        turn(byte)
    return bytes(out)


def _patched(path: Path, local: int, central: int, value: bytes) -> Path:
    """Write over a field of the only member, in its own heading and in the list at the end."""
    data = bytearray(path.read_bytes())
    for at in (local, data.index(b"PK\x01\x02") + central):
        data[at : at + len(value)] = value
    path.write_bytes(bytes(data))
    return path


def _rows(data: bytes) -> Rows:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def _bytes(rows: Rows, line_end: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode("utf-8")


def _with_rows(path: Path, how: str, change: Callable[[Rows], Rows], member: str = "") -> Path:
    def through(data: bytes) -> bytes:
        mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        return mark + _bytes(change(_rows(data)), "\r\n" if b"\r\n" in data[:4096] else "\n")

    return _changed(path, how, through, member)


def _with_cells(path: Path, how: str, column: str, rows: Collection[int], text: str, member: str = "") -> Path:
    def change(table: Rows) -> Rows:
        at = table[0].index(column)
        for number in rows:
            table[1 + number][at] = text
        return table

    return _with_rows(path, how, change, member)


def _changed(path: Path, how: str, change: Callable[[bytes], bytes], member: str = "") -> Path:
    if not zipfile.is_zipfile(path):
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            return _written(path, how, gzip.compress(change(gzip.decompress(data)), mtime=0))
        return _written(path, how, change(data))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if member in name)
    return _zipped(path, how, members | {name: change(members[name])})


def _data(path: Path) -> bytes:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0])
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _table_name(path: Path) -> str:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()[0]
    return path.name.removesuffix(".gz")


def _written(path: Path, how: str, data: bytes) -> Path:
    out = path.parent / f"spoiled-{how}" / path.name
    out.parent.mkdir(exist_ok=True)
    out.write_bytes(data)
    return out


def _zipped(path: Path, how: str, members: dict[str, bytes]) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _CLOCK)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return _written(path.with_suffix(".zip"), how, packed.getvalue())
