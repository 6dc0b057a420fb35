"""Fetching official files: whole, checked, and never in place of a better one; or what to open by hand instead."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gpvar import catalogue
from gpvar.catalogue import Edition
from gpvar.errors import SourceError
from gpvar.sources.download.asking import (
    USUAL,
    Limits,
    TransferFailed,
    Transport,
    checked_address,
    disk_failure,
    transport,
)
from gpvar.sources.download.earlier import from_earlier_run, with_note
from gpvar.sources.download.fetched import ByHand, Fetched, Fetches
from gpvar.sources.download.finishing import Demands, Verify, finish
from gpvar.sources.download.manifest import Noted, note_file, read_manifest
from gpvar.sources.download.placing import EARLIER, file_with, is_own, safe_name
from gpvar.sources.download.refusals import OF_THE_SITE, Wanted, by_hand, explained, once_for_all, only_by_hand
from gpvar.sources.download.telling import Progress, Teller, progress_line
from gpvar.sources.download.transfers import transfer
from gpvar.sources.download.unfinished import Unfinished

__all__ = [
    "EARLIER",
    "ByHand",
    "Fetched",
    "Fetches",
    "Limits",
    "Noted",
    "by_hand",
    "fetch",
    "fetch_many",
    "is_own",
    "note_file",
    "progress_line",
    "read_manifest",
    "safe_name",
]


def fetch(
    what: Edition | str,
    into: Path,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
    verify: Verify | None = None,
    expected_sha256: str = "",
    expected_bytes: int | None = None,
    send: Transport | None = None,
    sleep: Callable[[float], None] = time.sleep,
    limits: Limits = USUAL,
) -> Fetched:
    """Fetch one file into a folder, and note it in the folder's manifest.

    Parameters
    ----------
    what
        An edition of the catalogue, or the file's own address.
    into
        The folder; made if it is not there.
    progress
        Called now and then with the file's name, the bytes that are there and those that there will be.
    say
        Called with a sentence when the site must be waited for.
    verify
        Called with the whole file before it replaces anything: returns what it was taken for, or raises SourceError.
    expected_sha256, expected_bytes
        What the file must be; those of the edition where they are left out. An address alone is taken as it is.
    send, sleep
        How to ask and how to wait, for tests.
    limits
        How patient to be.

    Returns
    -------
    Fetched
        The file. One that was there with the same bytes is left alone. One that its publisher has replaced is kept in
        the folder `earlier`; one of the same name that came from elsewhere stays, and the new one gets another name.

    Raises
    ------
    SourceError
        When the file cannot be had or is not what it should be: what happened, where, and how to get it by hand. What
        was there before is untouched.
    """
    wanted = _wanted(what, into)
    # Whoever gives an address takes what is there, which may be a corrected file.
    edition = what if isinstance(what, Edition) else None
    sha256 = (expected_sha256 or (edition.sha256 if edition else "")).lower()
    size = expected_bytes or (edition.bytes if edition else 0)
    _make_folder(wanted)
    there = file_with(into, sha256, size) if sha256 else None
    if there is not None:
        return with_note(Fetched(there, sha256, there.stat().st_size, unchanged=True), wanted, "by hand")
    part = Unfinished(into, wanted.name, wanted.address)
    demands = Demands(sha256, size, verify, limits.most_bytes)
    while True:
        resumed = False
        try:
            received = transfer(
                wanted.address,
                part,
                transport=send or transport(),
                sleep=sleep,
                progress=Teller(wanted.name, progress),
                say=None if say is None else lambda text: say(f"{wanted.name}: {text}"),
                limits=limits,
                expected_bytes=size,
            )
            resumed = received.resumed
            return finish(part, received, wanted, demands, sleep)
        except TransferFailed as failure:
            if not resumed or part.size:
                raise explained(failure, wanted) from failure
        except SourceError:
            # A file put together from two visits may be of two versions that the site did not tell apart: once more,
            # and from its start, because the part is gone.
            if not resumed:
                raise


def fetch_many(
    wanted: Iterable[Edition | str],
    into: Path,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
    verify: Verify | None = None,
    send: Transport | None = None,
    sleep: Callable[[float], None] = time.sleep,
    limits: Limits = USUAL,
) -> Fetches:
    """Fetch several files, going on after one that fails.

    Parameters
    ----------
    wanted
        Editions of the catalogue, or addresses. An edition that came in an earlier run and is still as it came is not
        asked for again, unless its address holds something new from time to time.
    into
        The folder.
    progress, say, verify, send, sleep, limits
        As for `fetch`.

    Returns
    -------
    Fetches
        What came, what was there already, and what must be got by hand.

    Raises
    ------
    SourceError
        When the disk is full or the folder cannot be written, because then no other file fares better.
    """
    fetched: list[Fetched] = []
    already: list[Fetched] = []
    failed: list[ByHand] = []
    closed: dict[str, TransferFailed] = {}
    for what in wanted:
        here = from_earlier_run(what, into)
        if here is not None:
            already.append(here)
            continue
        try:
            _refuse_closed(what, into, closed)
            one = fetch(what, into, progress=progress, say=say, verify=verify, send=send, sleep=sleep, limits=limits)
        except SourceError as error:
            cause = error.__cause__
            if isinstance(cause, TransferFailed):
                if cause.kind in ("full", "folder"):
                    raise
                closed[_host(what)] = cause
                failed.append(ByHand(what, error, *_of_the_site(cause, what, into)))
            else:
                failed.append(ByHand(what, error))
        else:
            (already if one.unchanged else fetched).append(one)
    return Fetches(tuple(fetched), tuple(already), tuple(failed))


def _of_the_site(failure: TransferFailed, what: Edition | str, into: Path) -> tuple[str, str, str]:
    return once_for_all(failure, _wanted(what, into)) if failure.kind in OF_THE_SITE else ("", "", "")


def _host(what: Edition | str) -> str:
    with contextlib.suppress(ValueError):
        return urlsplit(what.address if isinstance(what, Edition) else what.strip()).hostname or ""
    return ""


def _refuse_closed(what: Edition | str, into: Path, closed: dict[str, TransferFailed]) -> None:
    """Refuse a file of a site that could not be reached just now: it would fail in the same way after the same wait."""
    failure = closed.get(_host(what))
    if failure is not None and failure.kind in OF_THE_SITE:
        raise explained(failure, _wanted(what, into)) from failure


def _wanted(what: Edition | str, into: Path) -> Wanted:
    if isinstance(what, Edition):
        if not what.address:
            raise only_by_hand(what, into)
        wanted = Wanted(what.address, safe_name(what.saved_as) or what.id, what, into)
    else:
        wanted = Wanted(what.strip(), "download", None, into)
    try:
        wanted = replace(wanted, address=checked_address(wanted.address))
    except TransferFailed as failure:
        raise explained(failure, wanted) from failure
    if isinstance(what, Edition):
        return wanted
    known = next((edition for edition in catalogue.editions() if edition.address == wanted.address), None)
    name = known.saved_as if known else unquote(urlsplit(wanted.address).path.rpartition("/")[2])
    return replace(wanted, name=safe_name(name) or "download", edition=known)


def _make_folder(wanted: Wanted) -> None:
    try:
        wanted.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted.folder):
            pass
    except OSError as error:
        failure = disk_failure(error)
        raise explained(failure, wanted) from failure
