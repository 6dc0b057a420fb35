"""Where the official files are had: publications, their known editions, and the pages of the others."""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from gpvar.catalogue._cards import build
from gpvar.dates import MONTHS
from gpvar.errors import SourceError

EVERY = ("month", "quarter", "year", "unknown")
EVIDENCE = ("recorded", "reported", "pattern")
_FILE = "editions.toml"
_PUBLIC = (".nhs.uk", ".gov.uk", "fingertips.phe.org.uk")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_PLAIN_NAME = re.compile(r"[\w.()& -]+")


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication that holds one kind of official file.

    Attributes
    ----------
    title
        What a person calls it.
    layouts
        Ids of the layouts that its file holds.
    page
        The page that lists every edition.
    edition_page
        How the page of one edition is made from its month; empty where there is no pattern.
    every
        How often it appears: ``month``, ``quarter``, ``year`` or ``unknown``.
    holds_months
        How many months one edition holds, its own the last.
    file_like
        What its file is called, for messages.
    undated
        Whether the file has the same name in every edition.
    """

    id: str
    source: str
    layouts: tuple[str, ...]
    title: str
    page: str
    every: str
    link_text: str
    link_text_seen: bool
    edition_page: str = ""
    holds_months: int = 1
    file_like: str = ""
    undated: bool = False


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a publication, and where its file is had.

    Attributes
    ----------
    title
        What a person calls it: ``"Appointments in General Practice, June 2026"``.
    edition
        What the publisher calls it: ``"2026-06"``, ``"2024-25"``, ``"current"``.
    page
        The page to open by hand.
    link_text
        The link to click on that page.
    link_text_seen
        Whether those are its very words; otherwise they may differ a little.
    evidence
        How its place is known: ``recorded`` beside the very file, ``reported`` by others and not tried, or ``pattern``
        (the page alone, made as those of its publication are).
    covers
        The months of its figures, as ``"2026-04..2026-06"``; empty where they are of no month.
    address
        Where the file is; empty where only the page is known.
    file
        What the publisher calls the file; empty where that is not known.
    undated
        Whether the file has the same name in every edition.
    rolling
        Whether the address stays while what it holds changes.
    bytes, sha256
        Of the file as published; 0 and empty where not known.
    published, next_expected
        The day it appeared, and the day on which the next was to appear, where a document says so.
    """

    id: str
    publication: str
    source: str
    layouts: tuple[str, ...]
    title: str
    edition: str
    page: str
    link_text: str
    link_text_seen: bool
    evidence: str
    covers: str = ""
    address: str = ""
    file: str = ""
    file_like: str = ""
    undated: bool = False
    rolling: bool = False
    bytes: int = 0
    sha256: str = ""
    published: date | None = None
    next_expected: date | None = None

    @property
    def first_month(self) -> str:
        """The first month of its figures, as ``"2026-04"``; empty where they are of no month."""
        return self.covers.partition("..")[0]

    @property
    def last_month(self) -> str:
        """The last month of its figures."""
        return self.covers.partition("..")[2]

    @property
    def saved_as(self) -> str:
        """The name under which its file is saved: the published one, with the edition where that does not say it."""
        if not self.undated or not self.file:
            return self.file
        name = PurePosixPath(self.file)
        return f"{name.stem}-{self.edition}{name.suffix}"


def publications(raw: Mapping[str, Any], sources: Collection[str], layouts: Collection[str]) -> dict[str, Publication]:
    """Return the publications of the file by id, checked."""
    found = {}
    for entry, table in raw["publication"].items():
        where = f"{_FILE}, publication.{entry}"
        card = build(Publication, {"id": entry, **table}, where)
        _need(card.source in sources, where, "source", f"{card.source} is not in sources.toml")
        for layout in card.layouts:
            _need(layout in layouts, where, "layouts", f"{layout} is not in layouts.toml")
        _need(card.every in EVERY, where, "every", f"{card.every!r} is not one of {', '.join(EVERY)}")
        _check_address(card.page, where, "page")
        found[entry] = card
    return found


def editions(raw: Mapping[str, Any], known: Mapping[str, Publication]) -> tuple[Edition, ...]:
    """Return the known editions of the file, checked, in its order.

    Parameters
    ----------
    raw
        The file as read.
    known
        The publications by id.
    """
    found: dict[str, Edition] = {}
    for number, table in enumerate(raw["edition"], start=1):
        where = f"{_FILE}, edition {number}"
        own = dict(table)
        publication = known.get(own.get("publication", ""))
        if publication is None:
            raise _wrong(where, "publication", f"{own.get('publication')!r} is not a publication of this file")
        if "address" in own and "file" not in own:
            own["file"] = unquote(urlsplit(own["address"]).path.rpartition("/")[2])
        card = build(Edition, {**_common(publication, str(own.get("edition", ""))), **own}, where)
        _check(card, where)
        _need(card.id not in found, where, "edition", f"{card.id} stands there twice")
        found[card.id] = card
    return tuple(found.values())


def of_month(publication: Publication, month: str) -> Edition:
    """Return the edition of a month of which nothing but the pattern of its page is known.

    Parameters
    ----------
    publication
        A publication that appears monthly.
    month
        The month by which the edition is called, as ``"2026-05"``.
    """
    first = _earlier(month, publication.holds_months - 1)
    common = _common(publication, month)
    return build(Edition, {**common, "covers": f"{first}..{month}", "evidence": "pattern"}, f"{_FILE}, {month}")


def covering(known: Iterable[Edition], publication: Publication, months: Sequence[str]) -> tuple[Edition, ...]:
    """Return the fewest editions of a monthly publication that cover some months, those with an address first tried.

    Parameters
    ----------
    known
        Known editions of any publication.
    publication
        A publication that appears monthly.
    months
        The months wanted, in order.
    """
    own = [edition for edition in known if edition.publication == publication.id]
    wanted, chosen = list(months), []
    while wanted:
        holding = [edition for edition in own if edition.first_month <= wanted[0] <= edition.last_month]
        # One that can be fetched before one that cannot; then the one that reaches furthest.
        best = max(holding, key=lambda edition: (bool(edition.address), edition.last_month), default=None)
        if best is None:
            # No later than the last month wanted, because a later edition may not have appeared.
            last = min(_earlier(wanted[0], 1 - publication.holds_months), wanted[-1])
            best = of_month(publication, last)
        chosen.append(best)
        wanted = [month for month in wanted if not best.first_month <= month <= best.last_month]
    # One that can be fetched is not needed where another, to be got by hand for a later month, holds its months too.
    for edition in tuple(chosen):
        others = [other for other in chosen if other is not edition]
        own = [month for month in months if edition.first_month <= month <= edition.last_month]
        if all(any(other.first_month <= month <= other.last_month for other in others) for month in own):
            chosen = others
    return tuple(chosen)


def _common(publication: Publication, edition: str) -> dict[str, Any]:
    """Return what an edition has from its publication."""
    words = _words(edition, publication.every)
    pattern = publication.edition_page
    like = publication.file_like
    common = {
        "id": f"{publication.id}_{edition.replace('-', '_')}",
        "publication": publication.id,
        "source": publication.source,
        "layouts": list(publication.layouts),
        "title": f"{publication.title}, {words['spoken']}" if words else publication.title,
        "edition": edition,
        "page": pattern.format(**words) if pattern and words else publication.page,
        "link_text": publication.link_text,
        "link_text_seen": publication.link_text_seen,
        "undated": publication.undated,
    }
    if like:
        common["file_like"] = like.format(**words) if words else like
    return common


def _words(edition: str, every: str) -> dict[str, str]:
    """Return what can stand in the pattern of a page or a name for an edition of a month or of a financial year."""
    if every == "year" and re.fullmatch(r"\d{4}-\d\d", edition):
        return {"edition": edition, "spoken": edition, "yy_from": edition[2:4], "yy": edition[5:]}
    if not _MONTH.fullmatch(edition):
        return {}
    year, number = int(edition[:4]), int(edition[5:])
    name = MONTHS[number - 1]
    return {
        "spoken": f"{name} {year}",
        "year": str(year),
        "yy": edition[2:4],
        "mm": edition[5:],
        "month": name.lower(),
        "mon": name[:3],
        "last_day": str(calendar.monthrange(year, number)[1]),
    }


def _earlier(month: str, count: int) -> str:
    """Return the month so many months before another; after it, when the count is negative."""
    total = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{total // 12:04d}-{total % 12 + 1:02d}"


def _check(card: Edition, where: str) -> None:
    _need(card.evidence in EVIDENCE, where, "evidence", f"{card.evidence!r} is not one of {', '.join(EVIDENCE)}")
    months = card.covers.split("..") if card.covers else []
    right = not months or (len(months) == 2 and all(map(_MONTH.fullmatch, months)) and months[0] <= months[1])
    _need(right, where, "covers", f"{card.covers!r} is not a span of months such as 2026-04..2026-06")
    _check_address(card.page, where, "page")
    if card.address:
        _check_address(card.address, where, "address")
    _need((card.evidence == "pattern") != bool(card.address), where, "evidence", "only an address can be tried")
    _need(not card.file or bool(_PLAIN_NAME.fullmatch(card.file)), where, "file", f"{card.file!r} is no plain name")
    _need(not card.sha256 or bool(re.fullmatch(r"[0-9a-f]{64}", card.sha256)), where, "sha256", "it has not 64 digits")
    _need(card.bytes >= 0, where, "bytes", "it is negative")


def _check_address(address: str, where: str, name: str) -> None:
    parts = urlsplit(address)
    host = parts.hostname or ""
    public = parts.scheme == "https" and any(host == end or host.endswith(end) for end in _PUBLIC)
    _need(public, where, name, f"{address} is not an https address of a public body")


def _need(right: bool, where: str, name: str, problem: str) -> None:
    if not right:
        raise _wrong(where, name, problem)


def _wrong(where: str, name: str, problem: str) -> SourceError:
    return SourceError(
        f"An edition of the catalogue cannot be used: {problem}.", f"{where}, field {name}", "Correct the entry."
    )
