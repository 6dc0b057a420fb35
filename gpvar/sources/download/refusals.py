"""Why a file did not come, in the three lines of every error: what happened, where, and what to do instead."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gpvar.catalogue import Edition
from gpvar.errors import SourceError
from gpvar.sources.download.asking import TransferFailed

AGAIN = "run the same command again"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch: its address, what to call it, and the edition that it is, where that is known."""

    address: str
    name: str
    edition: Edition | None
    folder: Path

    @property
    def title(self) -> str:
        """What to call it in a sentence."""
        return self.edition.title if self.edition is not None else self.name

    @property
    def host(self) -> str:
        """The site it is on."""
        return urlsplit(self.address).hostname or self.address


def by_hand(edition: Edition | None, address: str, folder: Path) -> str:
    """Return how a person gets the file: the page, the link, the folder, and the command again."""
    if edition is None:
        return (
            f"Open {address} in a browser. If it offers the file, save it in {folder} under any name and {AGAIN}; if "
            "not, find the file on the publisher's page and give that address."
        )
    clues = []
    if not edition.link_text_seen:
        clues.append("the words may differ a little")
        if edition.file or edition.file_like:
            clues.append(f"the file is called like {edition.file or edition.file_like}")
    clue = f" ({'; '.join(clues)})" if clues else ""
    return (
        f'Open {edition.page} in a browser, click "{edition.link_text}"{clue}, save it in {folder} under any name, and '
        f"{AGAIN}."
    )


def only_by_hand(edition: Edition, folder: Path) -> SourceError:
    """Return the error for an edition of which only the page is known."""
    return SourceError(
        f"gpvar knows the page of {edition.title}, but not the address of its file.",
        edition.page,
        by_hand(edition, "", folder),
    )


#: Failures of a site or a network, which every file of the site meets.
OF_THE_SITE = ("unreachable", "certificate", "proxy")


def explained(failure: TransferFailed, wanted: Wanted) -> SourceError:
    """Return the error for a transfer that failed."""
    say = _SENTENCES.get(failure.kind, _lost)
    problem, fix = say(failure, wanted)
    return SourceError(problem, wanted.address, fix)


def once_for_all(failure: TransferFailed, wanted: Wanted) -> tuple[str, str, str]:
    """Return what to say once of a site from which no file comes: what happened, what to do, and how to get this one.

    The last is empty where a browser fares no better than a program.
    """
    if failure.kind not in OF_THE_SITE:
        return "", "", ""
    error, way = explained(failure, wanted), _page_way(wanted)
    before, found, after = error.fix.partition(way)
    return error.problem, " ".join((before + after).split()), way if found else ""


def _page_way(wanted: Wanted) -> str:
    return by_hand(wanted.edition, wanted.address, wanted.folder)


def _refused(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.host} does not give {wanted.title} to a program (it answered {failure.status}). A browser is usually "
        "let in.",
        _page_way(wanted),
    )


def _gone(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.title} is no longer at this address (the site answered {failure.status}). Addresses change when a "
        "publisher corrects a file.",
        _page_way(wanted),
    )


def _busy(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    if failure.wait:
        asked = f" and asked for a wait of {_minutes(failure.wait)}"
        return (
            f"{wanted.host} has too much to do (it answered {failure.status}){asked}.",
            f"Wait that long, then {AGAIN}. What has come so far is kept.",
        )
    return (
        f"{wanted.host} could not send {wanted.title} (it answered {failure.status}, each time it was asked).",
        f"The fault is the site's. Later, {AGAIN}; or get it by hand. {_page_way(wanted)}",
    )


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes < 120 else f"{round(minutes / 60)} hours"


def _lost(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    said = f" ({failure.detail})" if failure.detail and failure.kind != "short" else ""
    return (
        f"The connection to {wanted.host} broke off before {wanted.title} was there{said}.",
        f"Check the network, then {AGAIN}: it goes on where it stopped. {_proxy_hint()}".rstrip(),
    )


def _stalled(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.host} stopped sending {wanted.title}, each time it was asked.",
        f"Check the network, then {AGAIN}: it goes on where it stopped. {_proxy_hint()}".rstrip(),
    )


def _unreachable(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.host} could not be reached ({failure.detail}).",
        f"Check that this computer is online, then {AGAIN}. {_proxy_hint() or _NO_PROXY_KNOWN}",
    )


_NO_PROXY_KNOWN = (
    "If a browser reaches the site, your network has a proxy that Python cannot see: ask IT for its address and set "
    "it as HTTPS_PROXY."
)


def _proxy_hint() -> str:
    """Return which proxy was used, without a name or password that may stand in it."""
    proxy = urllib.request.getproxies().get("https", "")
    if not proxy:
        return ""
    place = proxy.rpartition("@")[2].partition("/")[0] if "@" in proxy else proxy
    return f"The proxy {place} was used (HTTPS_PROXY, or the system's setting); if you are elsewhere now, clear it."


def _proxy(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    if not failure.status:
        return (
            f"The proxy that is set for this computer cannot be used ({failure.detail}).",
            f"Set HTTPS_PROXY to an address such as http://proxy.example:8080, then {AGAIN}. {_proxy_hint()}".rstrip(),
        )
    wants_name = " It wants a user name and password." if failure.status == 407 else ""
    return (
        f"The proxy of your network did not let the file through (it answered {failure.status}).{wants_name}",
        f"{_proxy_hint()} Ask IT how programs get through, or get the file by hand. {_page_way(wanted)}".lstrip(),
    )


def _certificate(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    said = failure.detail.lower()
    if "expired" in said or "not yet valid" in said:
        return (
            f"The certificate of {wanted.host} is not valid today ({failure.detail}).",
            f"Look whether the date of this computer is right. If it is, get the file by hand. {_page_way(wanted)}",
        )
    if "mismatch" in said or "doesn't match" in said or "not valid for" in said:
        return (
            f"What answered is not {wanted.host}: its certificate is for another site. Nothing was fetched.",
            f"A network that asks to be signed in to does this: open a browser, sign in, then {AGAIN}. {_proxy_hint()}",
        )
    return (
        f"The secure connection to {wanted.host} was refused: its certificate is not one this computer trusts "
        f"({failure.detail}). Networks that inspect traffic put a certificate of their own in its place.",
        "Ask IT for that certificate as a .pem file and set SSL_CERT_FILE to its path, then "
        f"{AGAIN}. Or get the file by hand. {_page_way(wanted)}",
    )


def _redirect(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return f"{wanted.host} sends from one address to the next and never to the file.", _page_way(wanted)


def _insecure(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    if failure.detail == wanted.address:
        return (
            "This address is not secure (it begins with http:), so what comes from it may be anything.",
            "Give the address that begins with https:, as a browser shows it.",
        )
    return (
        f"{wanted.host} sends on to an address that is not secure ({failure.detail}), so what comes from it may be "
        "anything. Nothing was fetched.",
        _page_way(wanted),
    )


def _address(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    if failure.detail == wanted.address:
        return (
            "This is not an address that a file can be fetched from.",
            "Give the file's own address, which begins with https:// (on the page, right-click the link and copy its "
            "address). A file on this computer need not be fetched: put it in " + f"{wanted.folder}.",
        )
    return f"{wanted.host} sends on to {failure.detail}, from where nothing is fetched.", _page_way(wanted)


def _page(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    titled = f', called "{failure.detail}"' if failure.detail else ""
    if wanted.edition is None:
        return (
            f"What is at this address is a web page{titled}, not a file.",
            "If it is the publisher's page, right-click the link to the file on it, copy its address and give that. If "
            f"the link itself leads here, the site turns programs away: save the file with a browser in "
            f"{wanted.folder}.",
        )
    return (
        f"{wanted.host} answered with a web page{titled} in place of {wanted.title}: it wants a person, not a program. "
        "Nothing was replaced.",
        _page_way(wanted),
    )


def _long(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.host} sent more than the {int(failure.detail):,} bytes that it announced, so the file cannot be "
        "trusted. It was not kept.",
        _page_way(wanted),
    )


def _short(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    came, _, said = failure.detail.partition(" of ")
    return (
        f"{wanted.title} came incomplete each time: {int(came):,} bytes of the {int(said):,} that the site announced.",
        f"Later, {AGAIN}; or get it by hand. {_page_way(wanted)}",
    )


def _empty(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return f"{wanted.host} answered with an empty file.", _page_way(wanted)


def _changed(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.title} changed on the site each time that part of it had come; it is being published just now.",
        f"In an hour, {AGAIN}.",
    )


def _too_large(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"The file at this address has {int(failure.detail) / 1e9:,.1f} GB or more, more than any of these "
        "publications. It was not fetched.",
        _page_way(wanted),
    )


def _other_size(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return other_content(wanted, f"{int(failure.detail):,} bytes")


def other_content(wanted: Wanted, came: str) -> tuple[str, str]:
    """Return what to say of a file that is not the one that was expected."""
    problem = f"What is at this address is not the {wanted.title} that was expected (it has {came}). It was not kept."
    if wanted.edition is None:
        return problem, "Look on the publisher's page whether the file was replaced, and give its new size and SHA-256."
    return (
        problem,
        f"Look on {wanted.edition.page} whether the file was corrected. If it was, fetch the corrected one as it is "
        f'with --url "{wanted.address}"',
    )


def _full(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    needed = f" {int(failure.detail) / 1e6:,.1f} MB more are needed." if failure.detail else ""
    return (
        f"The disk is full.{needed} What has come so far is kept.",
        f"Make room on the disk of {wanted.folder}, then {AGAIN}.",
    )


def _folder(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"Nothing can be written in {wanted.folder} ({failure.detail}).",
        "Check that you may write in that folder, and that no program (Excel, a preview) has a file of it open, then "
        f"{AGAIN}.",
    )


def _held(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"A newer {wanted.title} came, but the one in {wanted.folder} is open in another program, so it was left.",
        f"Close it there (Excel, a preview), then {AGAIN}; nothing is fetched twice.",
    )


def _packing(failure: TransferFailed, wanted: Wanted) -> tuple[str, str]:
    return (
        f"{wanted.host} sent {wanted.title} packed in a way that cannot be undone ({failure.detail}). It was not kept.",
        _page_way(wanted),
    )


_SENTENCES: dict[str, Callable[[TransferFailed, Wanted], tuple[str, str]]] = {
    "refused": _refused,
    "gone": _gone,
    "busy": _busy,
    "lost": _lost,
    "stalled": _stalled,
    "unreachable": _unreachable,
    "proxy": _proxy,
    "certificate": _certificate,
    "redirect": _redirect,
    "insecure": _insecure,
    "address": _address,
    "page": _page,
    "long": _long,
    "short": _short,
    "empty": _empty,
    "changed": _changed,
    "too large": _too_large,
    "other size": _other_size,
    "full": _full,
    "folder": _folder,
    "held": _held,
    "packing": _packing,
}
