"""What a file is, told from its headings, whatever its name is and wherever it lies."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gpvar import catalogue
from gpvar.catalogue import Layout
from gpvar.errors import SourceError
from gpvar.problems import closest, listing
from gpvar.sources._parts import Part
from gpvar.sources.files.grid import plain_heading
from gpvar.sources.files.members import Member, members

_HEAD_BYTES = 65_536
#: Codes of organisations; a heading has no figure in it.
_CODE = re.compile(r"(?=\D*\d)[A-Z0-9]{3,8}")
_LONGEST_SHOWN = 60
_DELIMITERS = (",", ";", "\t", "|")
#: A file with at least this share of a layout's headings is meant to be that file.
_MEANT = 0.6
_TABLES = (".csv", ".txt", ".tsv")
_DOCUMENTS = (".txt", ".pdf", ".docx", ".doc", ".md", ".rtf", ".xlsx", ".xls", ".ods", ".html", ".htm")


class NotKnown(SourceError):
    """A file that is none of the official ones."""


def recognise(path: Path) -> tuple[Part, ...]:
    """Return what the tables of a file are.

    Parameters
    ----------
    path
        A file as it was downloaded.

    Returns
    -------
    tuple of Part
        The tables that are known; the others of a zip are left alone.

    Raises
    ------
    SourceError
        When no table of the file is known, or one has nearly the headings of a known file: then they are compared
        heading by heading.
    """
    found: list[Part] = []
    strangers: list[Member] = []
    unread: list[SourceError] = []
    for member in members(path):
        if member.name.lower().endswith(_DOCUMENTS):
            continue
        try:
            part = _part(member)
        except SourceError as error:
            if not member.name or member.name.lower().endswith(_TABLES):
                raise
            # A picture or a program's own file beside the tables of a zip.
            unread.append(error)
            continue
        if part is None:
            strangers.append(member)
        else:
            found.append(part)
    if not found:
        raise unread[0] if unread and not strangers else _unknown(path, strangers)
    return tuple(found)


def _part(member: Member) -> Part | None:
    """Return what one table is, or None where its headings are those of no file known."""
    encoding, delimiter, rows = opening(member)
    header = rows[0] if rows else []
    plain = [plain_heading(cell) for cell in header]
    best, share = None, 0.0
    for layout in catalogue.layouts().values():
        if layout.headerless:
            if _is_headerless(layout, rows):
                return Part(member, layout.id, layout.columns, encoding, delimiter)
            continue
        held = [name for name in layout.required if _place(layout, name, plain) is not None]
        if len(held) == len(layout.required) and (best is None or share < 1 or _closer(layout, best, plain)):
            best, share = layout, 1.0
        elif share < 1 and len(held) / len(layout.required) > share:
            best, share = layout, len(held) / len(layout.required)
    if best is None or share < _MEANT:
        return None
    if share < 1:
        raise header_differs(best, header, member)
    return Part(member, best.id, tuple(header), encoding, delimiter)


def _closer(layout: Layout, best: Layout, plain: Sequence[str]) -> bool:
    """Return whether a second layout whose required headings are all there fits better than the first."""
    return _known_share(layout, plain) > _known_share(best, plain)


def _known_share(layout: Layout, plain: Sequence[str]) -> float:
    known = {plain_heading(name) for name in layout.columns}
    known |= {plain_heading(name) for names in layout.also.values() for name in names}
    return sum(cell in known for cell in plain) / max(len(plain), 1)


def opening(member: Member) -> tuple[str, str, list[list[str]]]:
    """Return the encoding, the delimiter and the first rows of a table of text.

    Raises
    ------
    SourceError
        When it is empty, a web page, or not text.
    """
    with member.open() as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip():
        raise SourceError("The file is empty.", member.place, "Download it again.")
    _refuse_what_is_no_text(head, member)
    encoding = _encoding(head)
    text = head.decode(encoding, errors="replace")
    lines = text.splitlines()
    whole = lines if len(head) < _HEAD_BYTES else lines[:-1]
    first = next((line for line in whole if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    # The first row of all, blank or not, because a reader counts from it.
    return encoding, delimiter, list(csv.reader(io.StringIO("\n".join(whole[:50])), delimiter=delimiter))


def _refuse_what_is_no_text(head: bytes, member: Member) -> None:
    start = head[:2048].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")):
        raise SourceError(
            "This is a web page, whatever its name says: the site answered with a page in place of the file.",
            member.place,
            "Open the publication's page in a browser and download the file by hand ('sources STUDY' names both).",
        )
    if start.startswith(b"pk\x03\x04"):
        raise SourceError("The zip holds another zip.", member.place, "Unpack it once and name the zip inside.")
    if head[:4] == b"PAR1" or (b"\0" in head[:4096] and not _is_utf16(head)):
        raise SourceError(
            "This is neither text nor a zip of texts.", member.place, "Use the CSV or zip that the publisher offers."
        )


def _is_utf16(head: bytes) -> bool:
    """Return whether the bytes are letters of two bytes: marked so, or with noughts in every other place alone."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    noughts = sorted((head[0:400:2].count(0), head[1:400:2].count(0)))
    return noughts[0] == 0 and noughts[1] > len(head[:400]) / 4


def _encoding(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in head[:400]:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    try:
        # The last bytes of a beginning may be half a letter.
        codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=len(head) < _HEAD_BYTES)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _is_headerless(layout: Layout, rows: Sequence[Sequence[str]]) -> bool:
    """Return whether rows without headings are those of a layout: so many fields, and an organisation code first."""
    sample = [row for row in rows[:20] if row]
    return bool(sample) and all(len(row) == layout.headerless and _CODE.fullmatch(row[0].strip()) for row in sample)


def _place(layout: Layout, name: str, plain: Sequence[str]) -> int | None:
    """Return where a heading of a layout stands, by any name that it has."""
    for known in (name, *layout.also.get(name, ())):
        if plain_heading(known) in plain:
            return plain.index(plain_heading(known))
    return None


def places(layout: Layout, header: Sequence[str], wanted: Iterable[str]) -> dict[str, int]:
    """Return where the wanted headings of a layout stand in a header; those it lacks are left out."""
    plain = [plain_heading(cell) for cell in header]
    found = {name: _place(layout, name, plain) for name in wanted}
    return {name: place for name, place in found.items() if place is not None}


def header_differs(layout: Layout, header: Sequence[str], member: Member) -> SourceError:
    """Return the error for headings that are nearly those of a layout, compared one by one."""
    there = places(layout, header, layout.columns)
    missing = [name for name in layout.required if name not in there]
    new = [_shown(cell) for place, cell in enumerate(header) if place not in there.values() and cell.strip()]
    said = []
    for name in missing:
        near = closest(name, new, 1)
        said.append(f"{name} is missing" + (f" ({near[0]} may be its new name)" if near else ""))
    if new:
        said.append(f"not known here: {listing(new, 8)}")
    seen = "" if layout.seen else " gpvar has not yet seen a real file of this kind."
    return SourceError(
        f"This looks like {layout.title}, but its headings differ: {'; '.join(said)}.",
        member.place,
        f"Use the file as published ({layout.member}), not one changed by hand.{seen} If the publisher has changed the "
        "headings, gpvar must learn them first: tell its makers.",
    )


def _shown(heading: str) -> str:
    """Return a heading as it can be shown: a file may hold anything, of any length."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in heading).split())
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[: _LONGEST_SHOWN - 1]}…"


def _unknown(path: Path, strangers: Sequence[Member]) -> NotKnown:
    if not strangers:
        return NotKnown(
            "The zip holds no table, only documents.", str(path), "Download the data file from the same page."
        )
    member = strangers[0]
    _, _, rows = opening(member)
    header = [_shown(cell) for cell in (rows[0] if rows else []) if cell.strip()]
    inside = f" ({member.name})" if member.name else ""
    return NotKnown(
        f"The headings are those of no official file that gpvar knows{inside}: {listing(header, 6)}.",
        str(path),
        "If it is a table of your own, say what its columns are under [source.columns]; 'new FOLDER --data FILE' does.",
    )
