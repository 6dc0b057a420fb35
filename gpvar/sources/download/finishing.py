"""From bytes that came to a file in its place: unpacked, checked, and never in place of a better one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gpvar.errors import SourceError
from gpvar.sources.download.asking import TransferFailed, disk_failure
from gpvar.sources.download.earlier import earlier_state, with_note
from gpvar.sources.download.fetched import Fetched
from gpvar.sources.download.placing import file_with, place, safe_name, unpack, with_suffix
from gpvar.sources.download.refusals import Wanted, by_hand, other_content
from gpvar.sources.download.transfers import Received
from gpvar.sources.download.unfinished import Unfinished
from gpvar.sources.files.members import fingerprint

#: Is shown the file before it replaces anything; returns what the file was taken for, or raises SourceError.
Verify = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Demands:
    """What a file must be before it is put in its place."""

    sha256: str
    bytes: int
    verify: Verify | None
    most_bytes: int


def finish(
    part: Unfinished, received: Received, wanted: Wanted, demands: Demands, sleep: Callable[[float], None]
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
                path, kept = place(whole, wanted.folder / whole.name, earlier_state(wanted), sleep)
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
    return with_note(fetched, wanted, "resumed" if received.resumed else "fetched")


def _checked(whole: Path, wanted: Wanted, demands: Demands) -> Fetched:
    sha256, size = fingerprint(whole)
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
