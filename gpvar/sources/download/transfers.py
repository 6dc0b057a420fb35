"""Bytes from an address into an unfinished file: patience, and going on where it broke off.

Nothing here knows what the bytes should be; `download` decides whether the whole is good and says in words what failed.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from gpvar import __version__
from gpvar.problems import count
from gpvar.sources.download.asking import USUAL, Limits, TransferFailed, Transport, ask, disk_failure, failed_by
from gpvar.sources.download.unfinished import Facts, Unfinished

#: Is told the bytes that are there and, where known, those that there will be.
Progress = Callable[[int, int | None], None]

_CHUNK = 1 << 16
#: After these what came is of no use to the next attempt.
_SPOILT = ("long", "too large", "other size", "empty")


@dataclass(frozen=True, slots=True)
class Received:
    """A transfer that came to its end: where from, what the site said of it, and whether it was gone on with."""

    address: str
    name: str
    facts: Facts
    resumed: bool


def transfer(
    address: str,
    part: Unfinished,
    *,
    transport: Transport,
    sleep: Callable[[float], None] = time.sleep,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
    limits: Limits = USUAL,
    expected_bytes: int = 0,
) -> Received:
    """Bring what is at an address into an unfinished file, going on with what is there.

    Parameters
    ----------
    address
        A checked address.
    part
        The unfinished file; whole on return.
    transport, sleep
        How to ask, and how to wait.
    progress, say
        Told the bytes so far; told in words what is waited for.
    limits
        How patient to be.
    expected_bytes
        The size of the file where it is known, so that another is not fetched to its end.

    Raises
    ------
    TransferFailed
        When the file cannot be had. What came of it stays for the next attempt.
    """
    furthest, misses, tries = part.size, 0, 0
    while True:
        try:
            return _attempt(address, part, transport, progress, limits, expected_bytes)
        except TransferFailed as failure:
            if failure.kind in _SPOILT:
                part.forget()
            tries += 1
            misses = 1 if part.size > furthest else misses + 1
            furthest = max(furthest, part.size)
            wait = failure.wait or 2.0 ** (misses - 1)
            most = limits.unreached if failure.kind == "unreachable" else limits.attempts
            hopeless = misses >= most or tries >= limits.tries or wait > limits.longest_wait
            if hopeless or not failure.passing:
                raise
            if say is not None:
                say(f"{_said(failure, address)}; trying again in {count(round(wait), 'second')}.")
            sleep(wait)


def _said(failure: TransferFailed, address: str) -> str:
    said = {
        "busy": f"the site is busy (it answered {failure.status})",
        "stalled": "nothing more came",
        "short": "the transfer broke off",
        "changed": "the file on the site has changed meanwhile, so it is fetched from its start",
        "unreachable": f"{urlsplit(address).hostname} could not be reached",
        "proxy": f"the proxy of your network did not let it through (it answered {failure.status})",
    }
    return said.get(failure.kind, "the connection was lost")


def _attempt(
    address: str, part: Unfinished, send: Transport, progress: Progress | None, limits: Limits, expected: int
) -> Received:
    known = part.facts()
    offset = 0
    headers = {"User-Agent": f"gp-variation/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
    if known is not None and known.validator and part.size:
        # At least one byte is asked for, so that a file that lacked none gets its answer too.
        offset = min(part.size, known.total - 1) if known.total else part.size
    if known is not None and offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": known.validator}
    try:
        response, final = ask(address, headers, send, limits)
        with contextlib.closing(response):
            facts = _facts(response)
            if response.status == 206 and known is not None and offset:
                _refuse_other_part(response, facts, known, offset, part)
            elif response.status == 200:
                offset = 0
            else:
                raise TransferFailed("busy", passing=True, status=response.status)
            _refuse_size(part, facts, offset, expected, limits)
            _receive(response, part, facts, offset, progress, limits)
            return Received(final, response.headers.get_filename() or "", facts, offset > 0)
    except TransferFailed as failure:
        if failure.status == 416:
            part.forget()
            raise TransferFailed("changed", passing=True) from None
        raise
    except (OSError, http.client.HTTPException) as error:
        raise failed_by(error) from error


def _facts(response: Any) -> Facts:
    """Return what a site says of a file: its version, its whole size and how it is packed for the journey."""
    headers = response.headers
    total: int | None
    if response.status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
        total = int(span[2]) if span and span[2] != "*" else None
    else:
        length = headers.get("Content-Length", "").strip()
        total = int(length) if re.fullmatch(r"\d{1,18}", length) else None
    return Facts(
        headers.get("ETag", ""),
        headers.get("Last-Modified", ""),
        total,
        headers.get("Content-Encoding", "").strip().lower().replace("identity", ""),
        headers.get_content_type(),
    )


def _refuse_other_part(response: Any, facts: Facts, known: Facts, offset: int, part: Unfinished) -> None:
    """Start again when the bytes that are sent do not continue those that are there."""
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if start is None or int(start[1]) != offset or not facts.may_continue(known):
        part.forget()
        raise TransferFailed("changed", passing=True)


def _refuse_size(part: Unfinished, facts: Facts, offset: int, expected: int, limits: Limits) -> None:
    if facts.total is None:
        return
    if facts.total > limits.most_bytes:
        raise TransferFailed("too large", str(facts.total))
    if expected and not facts.encoding and facts.total != expected:
        raise TransferFailed("other size", str(facts.total))
    if shutil.disk_usage(part.path.parent).free < facts.total - offset:
        raise TransferFailed("full", str(facts.total - offset))


def _receive(
    response: Any, part: Unfinished, facts: Facts, offset: int, progress: Progress | None, limits: Limits
) -> None:
    """Write the bytes as they come, and make sure that they are as many as were said."""
    watch = _Watch(limits)
    received = offset
    with contextlib.ExitStack() as stack:
        file = None if offset == 0 else stack.enter_context(_opened(part.go_on(offset)))
        while facts.total is None or received < facts.total:
            chunk = _next(response, facts, received)
            if not chunk:
                break
            if file is None:
                # What was there before goes only when something better has come.
                _refuse_page(facts, chunk)
                file = stack.enter_context(_opened(part.begin(facts)))
            _write(file, chunk)
            received += len(chunk)
            if received > limits.most_bytes:
                raise TransferFailed("too large", str(received))
            watch.saw(len(chunk))
            if progress is not None:
                progress(received, facts.total)
    if facts.total is not None and received < facts.total:
        raise TransferFailed("short", f"{received} of {facts.total}", passing=True)
    if received == 0:
        # A site that says nothing of the length may also have hung up.
        raise TransferFailed("empty", passing=facts.total is None)


def _next(response: Any, facts: Facts, received: int) -> bytes:
    """Return the next bytes of an answer, and refuse an answer longer than it says where that can be seen."""
    if facts.total is None:
        return bytes(response.read1(_CHUNK))
    rest = facts.total - received
    stream = getattr(response, "fp", None)
    if rest == 1 and hasattr(stream, "peek") and not response.chunked and len(stream.peek(1)) > 1:
        raise TransferFailed("long", str(facts.total))
    # The last byte is left for a call of its own, which shows whether more stands behind it.
    return bytes(response.read1(min(_CHUNK, max(rest - 1, 1))))


class _Watch:
    """Gives up on an answer that only trickles."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._since, self._bytes = limits, time.monotonic(), 0

    def saw(self, count: int) -> None:
        self._bytes += count
        now = time.monotonic()
        if now - self._since < self._limits.timeout:
            return
        if self._bytes < self._limits.slowest:
            raise TransferFailed("stalled", passing=True)
        self._since, self._bytes = now, 0


def _refuse_page(facts: Facts, start: bytes) -> None:
    """Refuse a web page, which is what a sign-in, a check for robots or a lost file answers with."""
    text = start
    if facts.encoding in ("gzip", "x-gzip"):
        with contextlib.suppress(zlib.error):
            text = zlib.decompressobj(31).decompress(start, _CHUNK)
    text = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    looks = text[:200].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<script", b"<!--"))
    if looks or ("html" in facts.kind and text.startswith(b"<")):
        title = re.search(rb"<title[^>]*>([^<]{0,200})", text, re.IGNORECASE)
        words = title[1].decode("utf-8", errors="replace") if title else ""
        raise TransferFailed("page", " ".join(re.sub(r"[^\w\s.,:;'?!|&()-]", "", words).split())[:80])


@contextlib.contextmanager
def _opened(file: contextlib.AbstractContextManager[BinaryIO]) -> Iterator[BinaryIO]:
    """Open an unfinished file; what fails in that is the disk's fault and not the network's."""
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(file)
        except OSError as error:
            raise disk_failure(error) from error
        yield opened


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
        # At once, so that a full disk is met here and nothing is left over for closing.
        file.flush()
    except OSError as error:
        raise disk_failure(error) from error
