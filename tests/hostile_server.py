"""A site on this computer that does everything to a download that a real one has ever done.

Each path is given a list of acts: the first visit gets the first, and so on; the last one stays. An act is a function
that writes an answer. Everything is counted in `visits`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Act = Callable[["Visitor"], None]

# Made for these tests: it is trusted by nobody, and its key is no secret.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYHyj4GyhiHZaO8nc
C+4hNrkd35gPJi7lgAvNAZ2kREWhRANCAASywE0tMx+zTCwqdzp+BFOhxUjP7imV
E8aRszCOh+xWyIaTWsK3GplUeN9ZDdOdEN2+qZ+n1hcLwiHBNDhDidU9
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBujCCAV+gAwIBAgIUelIJRKyAmQSnLfOewy3vwNxVpm8wCgYIKoZIzj0EAwIw
LzEtMCsGA1UEAwwkZ3B2YXIgdGVzdCBzZXJ2ZXIsIHRydXN0ZWQgYnkgbm9ib2R5
MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAvMS0wKwYDVQQDDCRn
cHZhciB0ZXN0IHNlcnZlciwgdHJ1c3RlZCBieSBub2JvZHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASywE0tMx+zTCwqdzp+BFOhxUjP7imVE8aRszCOh+xWyIaT
WsK3GplUeN9ZDdOdEN2+qZ+n1hcLwiHBNDhDidU9o1cwVTAjBgNVHREEHDAahwR/
AAABghJmaWxlcy5leGFtcGxlLnRlc3QwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4E
FgQUzk2B3zHGd13TNkB79y96p84H4u8wCgYIKoZIzj0EAwIDSQAwRgIhAI6IRatP
ilqLbXBxBm/3dADS5iH1eBu0lr6iwjzR9h5sAiEAx8iuy2ytf5tWYMJ3wG4UMz1T
9rSEHXc1jliU7MpQCM0=
-----END CERTIFICATE-----
"""


class Visitor(BaseHTTPRequestHandler):
    """One request, with shorthands for answering it badly."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        acts = self.server.acts.get(path, [status(404)])
        number = self.server.counts[path] = self.server.counts.get(path, 0) + 1
        self.server.visits.append((path, {name.lower(): value for name, value in self.headers.items()}))
        self.close_connection = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            acts[min(number, len(acts)) - 1](self)

    def begin(self, code: int, **headers: object) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Site(ThreadingHTTPServer):
    """The site.

    Parameters
    ----------
    secure
        Whether it speaks https, with a certificate that nobody trusts.
    """

    daemon_threads = True

    def __init__(self, secure: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Visitor)
        self.acts: dict[str, list[Act]] = {}
        self.counts: dict[str, int] = {}
        self.visits: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        self.scheme = "https" if secure else "http"
        self._certificate = None
        if secure:
            self._certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def trust(self, folder: Path) -> Path:
        """Load the certificate and return the file of it, for whoever wants to trust it."""
        pem = folder / "certificate.pem"
        pem.write_text(CERTIFICATE, encoding="ascii", newline="\n")
        assert self._certificate is not None
        self._certificate.load_cert_chain(pem)
        return pem

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, place = super().get_request()
        if self._certificate is not None:
            # The handshake is left to the visitor's own thread.
            connection = self._certificate.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, place

    def handle_error(self, *_: Any) -> None:
        pass

    def on(self, path: str, *acts: Act) -> str:
        """Say what the visits of a path get, and return its address."""
        self.acts[path] = list(acts)
        return self.address(path)

    def address(self, path: str = "") -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}{path}"

    def asked(self, path: str) -> list[str]:
        """The Range headers of the visits to a path, empty where the whole was asked for."""
        return [headers.get("range", "") for visited, headers in self.visits if visited == path]


@contextlib.contextmanager
def running(server: Site | Proxy) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def whole(data: bytes, **headers: object) -> Act:
    """Answer with everything, whatever part was asked for."""

    def act(visitor: Visitor) -> None:
        visitor.begin(200, **{"Content_Length": len(data), "Content_Type": "application/zip", **headers})
        visitor.wfile.write(data)

    return act


def good(data: bytes, etag: str = '"one"', **headers: object) -> Act:
    """Answer as a well-made site does: parts when asked for, if the version is still the one that was named."""

    def act(visitor: Visitor) -> None:
        start = _start(visitor)
        named = visitor.headers.get("If-Range", "")
        marks = {"ETag": etag, **headers} if etag else headers
        if start and named in marks.values():
            _part(visitor, data, start, marks)
        else:
            whole(data, **marks)(visitor)

    return act


def careless(data: bytes, **headers: object) -> Act:
    """Answer with a part whatever version was named."""

    def act(visitor: Visitor) -> None:
        start = _start(visitor)
        if start >= len(data):
            visitor.begin(416, Content_Length=0, Content_Range=f"bytes */{len(data)}")
        elif start:
            _part(visitor, data, start, headers)
        else:
            whole(data, **headers)(visitor)

    return act


def _start(visitor: Visitor) -> int:
    return int(visitor.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))


def _part(visitor: Visitor, data: bytes, start: int, headers: dict[str, object]) -> None:
    rest = data[start:]
    span = f"bytes {start}-{len(data) - 1}/{len(data)}"
    visitor.begin(206, **{"Content_Length": len(rest), "Content_Range": span, **headers})
    visitor.wfile.write(rest)


def cut(data: bytes, at: int, **headers: object) -> Act:
    """Say the whole length, send the first bytes, hang up."""

    def act(visitor: Visitor) -> None:
        visitor.begin(200, **{"Content_Length": len(data), **headers})
        visitor.wfile.write(data[:at])

    return act


def stall(data: bytes, at: int, **headers: object) -> Act:
    """Send the first bytes and then nothing, without hanging up."""

    def act(visitor: Visitor) -> None:
        visitor.begin(200, **{"Content_Length": len(data), **headers})
        visitor.wfile.write(data[:at])
        visitor.server.closing.wait(20)

    return act


def trickle(data: bytes, pause: float) -> Act:
    """Send one byte at a time."""

    def act(visitor: Visitor) -> None:
        visitor.begin(200, Content_Length=len(data))
        for place in range(len(data)):
            visitor.wfile.write(data[place : place + 1])
            if visitor.server.closing.wait(pause):
                return

    return act


def lying(data: bytes, length: int, **headers: object) -> Act:
    """Say another length than that of what is sent."""
    return whole(data, Content_Length=length, **headers)


def chunked(data: bytes, cut_off: bool = False) -> Act:
    """Send in chunks, without a length; leave the end out when cut off."""

    def act(visitor: Visitor) -> None:
        visitor.begin(200, Transfer_Encoding="chunked")
        visitor.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        if not cut_off:
            visitor.wfile.write(b"0\r\n\r\n")

    return act


def status(code: int, **headers: object) -> Act:
    """Answer with a status and a short page."""

    def act(visitor: Visitor) -> None:
        body = b"<html><title>No</title></html>"
        visitor.begin(code, **{"Content_Length": len(body), "Content_Type": "text/html", **headers})
        visitor.wfile.write(body)

    return act


def redirect(to: str, code: int = 302) -> Act:
    """Send on to another address."""
    return status(code, Location=to)


def page(title: str, kind: str = "text/html; charset=utf-8") -> Act:
    """Answer 200 with a web page."""
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>Hello</body></html>"
    return whole(text.encode(), Content_Type=kind)


def hang_up(visitor: Visitor) -> None:
    """Close the connection without an answer."""
    visitor.connection.shutdown(socket.SHUT_RDWR)


class _Passing(BaseHTTPRequestHandler):
    """A request at the proxy."""

    server: Proxy

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        self.close_connection = True
        if self.server.answer != 200:
            self.send_error(self.server.answer)
            return
        with socket.create_connection(("127.0.0.1", self.server.leads_to)) as far:
            self.send_response(200)
            self.end_headers()
            self._carry(far)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.close_connection = True
        self.send_error(self.server.answer if self.server.answer != 200 else 502)

    def _carry(self, far: socket.socket) -> None:
        ends = {self.connection: far, far: self.connection}
        while not self.server.closing.is_set():
            for end in select.select(list(ends), [], [], 0.05)[0]:
                data = end.recv(1 << 16)
                if not data:
                    return
                ends[end].sendall(data)

    def log_message(self, *_: Any) -> None:
        pass


class Proxy(ThreadingHTTPServer):
    """A proxy that leads every secure connection to one port of this computer, or answers with a status."""

    daemon_threads = True

    def __init__(self, leads_to: int, answer: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.leads_to, self.answer = leads_to, answer
        self.asked: list[str] = []
        self.closing = threading.Event()

    def handle_error(self, *_: Any) -> None:
        pass
