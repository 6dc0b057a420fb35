"""Fetching official files: whole, checked, and never in place of a better one; or what to open by hand instead."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
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
from gpvar.sources.download.manifest import Noted, note_file, read_manifest
from gpvar.sources.download.placing import EARLIER, digest, file_with, is_own, place, safe_name, unpack, with_suffix
from gpvar.sources.download.refusals import (
    OF_THE_SITE,
    Wanted,
    by_hand,
    explained,
    once_for_all,
    only_by_hand,
    other_content,
)
from gpvar.sources.download.telling import Progress, Teller, progress_line
from gpvar.sources.download.transfers import Received, transfer
from gpvar.sources.download.unfinished import Unfinished
from gpvar.sources.files.members import fingerprint

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

#: Is shown the file before it replaces anything; returns what the file was taken for, or raises SourceError.
Verify = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there.

    Attributes
    ----------
    path
        Where.
    sha256, bytes
        What.
    resumed
        Whether part of it had come in an earlier attempt.
    unchanged
        Whether it was there already.
    taken_for
        What `verify` returned.
    kept
        Where the file is that it replaced; None where it replaced nothing.
    remark
        What a person should know beside it; empty where there is nothing.
    """

    path: Path
    sha256: str
    bytes: int
    resumed: bool = False
    unchanged: bool = False
    taken_for: str = ""
    kept: Path | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A file that did not come, and that a person may have to get.

    Attributes
    ----------
    wanted
        Which.
    error
        Why not, and what to do.
    site, advice, way
        Where no file of the site came: what happened to it and what to do, the same for each of its files, and how to
        get this one with a browser. Empty where the file alone is concerned, the last also where a browser would not
        help.
    """

    wanted: Edition | str
    error: SourceError
    site: str = ""
    advice: str = ""
    way: str = ""

    @property
    def title(self) -> str:
        """What to call it in a list."""
        return self.wanted.title if isinstance(self.wanted, Edition) else self.wanted


@dataclass(frozen=True, slots=True)
class Fetches:
    """What came of fetching several files.

    Attributes
    ----------
    fetched
        Files that came.
    already
        Files that were there, the same byte for byte.
    by_hand
        Files that did not come: those to be got with a browser, and those of sites that could not be reached.
    """

    fetched: tuple[Fetched, ...] = ()
    already: tuple[Fetched, ...] = ()
    by_hand: tuple[ByHand, ...] = ()


@dataclass(frozen=True, slots=True)
class _Demands:
    """What a file must be before it is put in its place."""

    sha256: str
    bytes: int
    verify: Verify | None
    most_bytes: int


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
        return _with_note(Fetched(there, sha256, there.stat().st_size, unchanged=True), wanted, "by hand")
    part = Unfinished(into, wanted.name, wanted.address)
    demands = _Demands(sha256, size, verify, limits.most_bytes)
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
            return _finish(part, received, wanted, demands, sleep)
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
        here = _from_earlier_run(what, into)
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


def _finish(
    part: Unfinished, received: Received, wanted: Wanted, demands: _Demands, sleep: Callable[[float], None]
) -> Fetched:
    """Check a whole file and put it in its place; nothing is replaced before everything is known to be right."""
    name = wanted.name if wanted.edition is not None else safe_name(received.name) or wanted.name
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=wanted.folder, ignore_cleanup_errors=True) as folder:
        whole = Path(folder) / name
        try:
            part.become(whole)
            unpack(whole, received.facts.encoding, demands.most_bytes)
            whole = with_suffix(whole)
            fetched = _checked(whole, wanted, demands)
            same = file_with(wanted.folder, fetched.sha256, fetched.bytes)
            if same is not None:
                fetched = replace(fetched, path=same, unchanged=True)
            else:
                path, kept = place(whole, wanted.folder / whole.name, _earlier_state(wanted), sleep)
                fetched = replace(fetched, path=path, kept=kept)
        except BaseException as error:
            bad = isinstance(error, SourceError) or (isinstance(error, TransferFailed) and error.kind != "held")
            if bad or received.facts.encoding:
                part.forget()
            else:
                # The bytes are good so far as anybody knows: the next run need not fetch them again.
                part.take_back(whole)
            if isinstance(error, OSError):
                raise disk_failure(error) from error
            raise
    part.forget()
    fetched = replace(fetched, resumed=received.resumed)
    return _with_note(fetched, wanted, "resumed" if received.resumed else "fetched")


def _checked(whole: Path, wanted: Wanted, demands: _Demands) -> Fetched:
    sha256, size = digest(whole), whole.stat().st_size
    if (demands.sha256 and sha256 != demands.sha256) or (demands.bytes and size != demands.bytes):
        problem, fix = other_content(wanted, f"{size:,} bytes and a SHA-256 that begins {sha256[:12]}")
        raise SourceError(problem, wanted.address, fix)
    if demands.verify is None:
        return Fetched(whole, sha256, size)
    try:
        return Fetched(whole, sha256, size, taken_for=demands.verify(whole))
    except SourceError as error:
        if wanted.edition is None:
            problem = f"What is at this address was not kept. {error.problem}"
            raise SourceError(problem, wanted.address, error.fix) from error
        raise SourceError(
            f"What came from {wanted.host} is not {wanted.title}. {error.problem} It was not kept.",
            wanted.address,
            f"{error.fix} By hand: {by_hand(wanted.edition, wanted.address, wanted.folder)}".strip(),
        ) from error


def _noted(wanted: Edition | None, address: str, folder: Path) -> list[Noted]:
    """Return the rows of a file in the manifest, the newest first; none where the manifest cannot be read."""
    try:
        rows = read_manifest(folder)
    except SourceError:
        # It is spoken of when it is written to.
        return []
    return [
        row
        for row in reversed(rows)
        if row.sha256 and (row.address == address or (wanted is not None and row.edition == wanted.id))
    ]


def _earlier_state(wanted: Wanted) -> Path | None:
    """Return the file that came for the same wish before and is now replaced by its publisher."""
    for row in _noted(wanted.edition, wanted.address, wanted.folder):
        path = wanted.folder / Path(row.file).name
        if path.is_file():
            return path
    return None


def _from_earlier_run(what: Edition | str, into: Path) -> Fetched | None:
    """Return the file of an edition that came in an earlier run, where it still is as it came."""
    if not isinstance(what, Edition) or what.rolling or not what.address:
        return None
    for row in _noted(what, what.address, into):
        path = into / Path(row.file).name
        with contextlib.suppress(OSError):
            sha256, size = fingerprint(path)
            if sha256 == row.sha256:
                return Fetched(path, sha256, size, unchanged=True)
    return None


def _with_note(fetched: Fetched, wanted: Wanted, how: str) -> Fetched:
    """Note a file in the manifest once; what hinders that is a remark, because the file itself is good."""
    edition = wanted.edition or next((item for item in catalogue.editions() if item.sha256 == fetched.sha256), None)
    rows = _noted(edition, wanted.address, wanted.folder)
    if any(row.file == fetched.path.name and row.sha256 == fetched.sha256 for row in rows):
        return fetched
    row = Noted(
        file=fetched.path.name,
        source=edition.source if edition else "",
        edition=edition.id if edition else "",
        page=edition.page if edition else "",
        address=wanted.address,
        sha256=fetched.sha256,
        bytes=fetched.bytes,
        how=how,
    )
    try:
        note_file(wanted.folder, row)
    except SourceError as error:
        return replace(fetched, remark=str(error))
    return fetched
