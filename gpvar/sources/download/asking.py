"""Asking an address for a file: what may be asked of whom, over which proxy, and what an answer that is none means."""

from __future__ import annotations

import contextlib
import errno
import http.client
import re
import socket
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urljoin, urlsplit

#: Opens a request and returns the answer; a status from 300 up is raised as HTTPError, as urllib does.
Transport = Callable[[urllib.request.Request, float], Any]

_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_FULL_ON_WINDOWS = (39, 112)
_HOME = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient a transfer is.

    Attributes
    ----------
    timeout
        Seconds without news after which an attempt is given up.
    slowest
        Bytes that each such span must bring.
    attempts
        Attempts in a row that bring nothing new.
    unreached
        Attempts in a row in which the site was not even reached: a computer that is not online gains nothing by more.
    tries
        Attempts in all.
    longest_wait
        Seconds beyond which a wait that the site asks for is left to the person.
    most_bytes
        Size beyond which a file is none of these publications'.
    redirects
        How often the site may send on.
    """

    timeout: float = 30.0
    slowest: int = 1024
    attempts: int = 5
    unreached: int = 3
    tries: int = 40
    longest_wait: float = 120.0
    most_bytes: int = 2_000_000_000
    redirects: int = 5


#: What suits a person who waits before a screen.
USUAL = Limits()


class TransferFailed(Exception):
    """Why no file came.

    Attributes
    ----------
    kind
        One word for the reason; `refusals` has the sentences.
    detail
        What the site or the system said.
    passing
        Whether another attempt may succeed.
    status
        The status that the site answered with; 0 where it gave none.
    wait
        Seconds after which the site asked to be tried again; 0 where it did not.
    """

    def __init__(self, kind: str, detail: str = "", *, passing: bool = False, status: int = 0, wait: float = 0) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail, self.passing, self.status, self.wait = kind, detail, passing, status, wait


class _Secure(urllib.request.AbstractHTTPHandler):
    """Opens https, and reads the certificates only when there is something to open."""

    https_request = urllib.request.AbstractHTTPHandler.do_request_

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(http.client.HTTPSConnection, request, context=_certificates())  # type: ignore[arg-type]


def transport() -> Transport:
    """Return a transport over the network: the system's proxies and certificates, http and https only.

    The standard library and not one of the packages that JupyterLab brings: it is the only one of them that asks
    Windows itself for its certificates and proxies, which is where the IT of a board or a practice puts them.
    """
    opener = urllib.request.OpenerDirector()
    # No handler of redirects: each place that one leads to is looked at first, in `ask`.
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        _Secure(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return lambda request, timeout: opener.open(request, timeout=timeout)


def _certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Python 3.13 began to refuse certificates that are valid but plainly made, as those of networks that inspect
    # traffic often are, and that browsers accept. Whom to trust is decided as before.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Python for the Mac comes with no certificates of its own, and Windows fetches many only when a browser asks.
    with contextlib.suppress(ImportError, OSError):
        import certifi

        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def checked_address(address: str, came_from: str = "") -> str:
    """Return an address as it may be asked for.

    Parameters
    ----------
    address
        What a person or a redirect said.
    came_from
        The address that led there; empty for the first.

    Raises
    ------
    TransferFailed
        When it is not https, has a user's name in it, or cannot be read. Plain http is for this computer alone.
    """
    try:
        parts = urlsplit(address.strip())
        host = parts.hostname or ""
        _ = parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        raise TransferFailed("address", address) from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise TransferFailed("address", address)
    if parts.scheme == "http" and (host not in _HOME or came_from.startswith("https:")):
        raise TransferFailed("insecure", address)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=?~-._[]")
    return parts._replace(path=path, query=query, fragment="").geturl()


def ask(address: str, headers: dict[str, str], send: Transport, limits: Limits) -> tuple[Any, str]:
    """Return the answer to a request and the address that gave it."""
    for _ in range(limits.redirects + 1):
        try:
            return send(urllib.request.Request(address, headers=headers), limits.timeout), address
        except HTTPError as error:
            with contextlib.closing(error):
                if error.code not in _REDIRECTS:
                    raise _refused(error) from None
                place = error.headers.get("Location", "")
            if not place:
                raise TransferFailed("redirect", status=error.code) from None
            address = checked_address(_joined(address, place), came_from=address)
    raise TransferFailed("redirect", address)


def _joined(address: str, place: str) -> str:
    try:
        return urljoin(address, place)
    except ValueError:
        raise TransferFailed("address", place) from None


def _refused(error: HTTPError) -> TransferFailed:
    kinds = {401: "refused", 403: "refused", 451: "refused", 404: "gone", 410: "gone", 407: "proxy"}
    kind = "busy" if error.code in _PASSING else kinds.get(error.code, "refused")
    wait = _seconds(error.headers.get("Retry-After", "")) if error.code in _PASSING else 0.0
    return TransferFailed(kind, str(error.reason), passing=kind == "busy", status=error.code, wait=wait)


def _seconds(retry_after: str) -> float:
    """Return the wait that a site asks for, which it may give in seconds or as a date; 0 where it gives none."""
    text = retry_after.strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def failed_by(error: BaseException) -> TransferFailed:
    """Return the reason behind an error of the system, of TLS or of HTTP."""
    reason = error.reason if isinstance(error, URLError) else error
    # Without the number of the error, which says nothing to a person.
    text = str(getattr(reason, "strerror", None) or reason)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return TransferFailed("certificate", reason.verify_message)
    tunnel = re.search(r"Tunnel connection failed: (\d+) ?(.*)", text)
    if tunnel:
        status = int(tunnel[1])
        return TransferFailed("proxy", tunnel[2], passing=status in _PASSING, status=status)
    if isinstance(reason, TimeoutError):
        if isinstance(error, URLError):  # urllib wraps only what fails before there is an answer
            return TransferFailed("unreachable", "no answer in time", passing=True)
        return TransferFailed("stalled", passing=True)
    if isinstance(reason, (http.client.InvalidURL, str)):
        # The address was looked at before, so that it is the proxy's that cannot be read.
        return TransferFailed("proxy", text)
    if isinstance(reason, (socket.gaierror, ConnectionRefusedError)):
        return TransferFailed("unreachable", text, passing=True)
    if isinstance(reason, OSError) and reason.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return TransferFailed("unreachable", text, passing=True)
    return TransferFailed("lost", text, passing=True)


def disk_failure(error: OSError) -> TransferFailed:
    """Return the reason behind an error of the disk."""
    if error.errno in _FULL or getattr(error, "winerror", None) in _FULL_ON_WINDOWS:
        return TransferFailed("full")
    return TransferFailed("folder", error.strerror or str(error))
