"""Fetching files from a site that truncates, stalls, lies, changes its mind and sends web pages."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from gpvar import catalogue, words
from gpvar.errors import SourceError
from gpvar.sources import download, recognise
from gpvar.sources.download import Fetched, asking, fetch, fetch_many, transfers
from gpvar.sources.download.manifest import COLUMNS, NAME, Noted, note_file, read_manifest
from tests.hostile_server import (
    Proxy,
    Site,
    careless,
    chunked,
    cut,
    good,
    hang_up,
    lying,
    page,
    redirect,
    running,
    stall,
    status,
    trickle,
    whole,
)

BODY = random.Random(7).randbytes(200_000)
OTHER = random.Random(8).randbytes(200_000)
PAGE = "https://digital.nhs.uk/data-and-information/publications/statistical/some-series/june-2026"
QUICK = download.Limits(timeout=0.3, slowest=100)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def edition(address: str, **more: Any) -> catalogue.Edition:
    base = catalogue.Edition(
        id="gpad_2026_06",
        publication="gpad",
        source="gpad",
        layouts=("gpad_crosstab",),
        title="Appointments in General Practice, June 2026",
        edition="2026-06",
        page=PAGE,
        link_text="Annex 1 - Practice Level Crosstab",
        link_text_seen=True,
        evidence="recorded",
        covers="2026-04..2026-06",
        address=address,
        file="Practice_Level_Crosstab_Jun_26.zip",
    )
    return replace(base, **more)


@pytest.fixture(autouse=True)
def no_proxy_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as server:
        yield server


@pytest.fixture
def secure_site(tmp_path: Path) -> Iterator[Site]:
    server = Site(secure=True)
    server.trust(tmp_path)
    with running(server):
        yield server


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "study" / "data" / "raw"


class Waits(list[float]):
    """Notes how long it was to sleep, and does not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def got(what: catalogue.Edition | str, raw: Path, **more: Any) -> Fetched:
    return fetch(what, raw, **{"sleep": Waits(), "limits": QUICK, **more})


def refused(what: catalogue.Edition | str, raw: Path, **more: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        got(what, raw, **more)
    return caught.value


def says_by_hand(error: SourceError, raw: Path) -> bool:
    """Whether an error says which page to open, what to click, where to save and what to do then."""
    fix = error.fix
    return (
        f"Open {PAGE} in a browser" in fix
        and 'click "Annex 1 - Practice Level Crosstab"' in fix
        and f"save it in {raw}" in fix
        and "run the same command again" in fix
    )


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# A file that comes as it should


def test_a_file_comes_whole_and_is_noted(site: Site, raw: Path) -> None:
    wanted = edition(site.on("/f.zip", good(BODY)))
    one = got(wanted, raw)
    assert one.path == raw / "Practice_Level_Crosstab_Jun_26.zip"
    assert one.path.read_bytes() == BODY
    assert (one.sha256, one.bytes, one.resumed, one.unchanged) == (sha256(BODY), len(BODY), False, False)
    row = read_manifest(raw)[0]
    assert (row.file, row.source, row.edition, row.page) == (one.path.name, "gpad", "gpad_2026_06", PAGE)
    assert (row.address, row.sha256, row.bytes, row.how) == (wanted.address, sha256(BODY), len(BODY), "fetched")
    assert datetime.now(UTC) - datetime.fromisoformat(row.downloaded_at) < timedelta(minutes=1)
    assert files(raw) == ["Practice_Level_Crosstab_Jun_26.zip", NAME]


def test_progress_is_told_with_the_size_and_ends_at_it(site: Site, raw: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    got(edition(site.on("/f.zip", good(BODY))), raw, progress=lambda *one: told.append(one))
    assert told[-1] == ("Practice_Level_Crosstab_Jun_26.zip", len(BODY), len(BODY))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert download.progress_line("a.zip", 63_000_000, 190_000_000) == "a.zip: 63.0 of 190.0 MB (33 %)"
    assert download.progress_line("a.zip", 63_000_000, None) == "a.zip: 63.0 MB"


def test_the_site_is_told_who_asks_and_that_nothing_need_be_packed(site: Site, raw: Path) -> None:
    got(site.on("/f.zip", good(BODY)), raw)
    headers = site.visits[0][1]
    assert headers["user-agent"].startswith("gp-variation/")
    assert headers["accept-encoding"] == "identity"


def test_a_file_without_a_length_comes_whole(site: Site, raw: Path) -> None:
    assert got(site.on("/f.zip", chunked(BODY)), raw).sha256 == sha256(BODY)


def test_what_a_site_packs_for_the_journey_is_unpacked(site: Site, raw: Path) -> None:
    text = b"PRAC_CODE,VALUE\n" + b"A81001,1\n" * 9000
    address = site.on("/f.csv", good(gzip.compress(text), Content_Encoding="gzip"))
    assert got(address, raw).path.read_bytes() == text
    address = site.on("/g.csv.gz", good(gzip.compress(text), Content_Encoding="gzip"))
    assert gzip.decompress(got(address, raw).path.read_bytes()) == text


@pytest.mark.parametrize("encoding, data", [("gzip", BODY), ("gzip", gzip.compress(BODY)[:-9]), ("br", BODY)])
def test_a_packing_that_cannot_be_undone_is_refused(site: Site, raw: Path, encoding: str, data: bytes) -> None:
    error = refused(edition(site.on("/f.csv", good(data, Content_Encoding=encoding))), raw)
    assert "packed in a way that cannot be undone" in error.problem
    assert says_by_hand(error, raw) and files(raw) == []


# Going on where it stopped


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), good(BODY))
    waits, said = Waits(), []
    one = got(edition(address), raw, sleep=waits, say=said.append)
    assert one.path.read_bytes() == BODY and one.resumed
    assert site.asked("/f.zip") == ["", "bytes=70000-"]
    assert site.visits[1][1]["if-range"] == '"one"'
    assert waits == [1.0] and said == [
        "Practice_Level_Crosstab_Jun_26.zip: the transfer broke off; trying again in 1 second."
    ]
    assert read_manifest(raw)[0].how == "resumed"


def test_a_day_of_change_names_the_version_where_the_site_has_no_better_mark(site: Site, raw: Path) -> None:
    day = "Tue, 07 Jul 2026 08:30:00 GMT"
    marks = {"Last_Modified": day}
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='W/"weak"', **marks), good(BODY, etag="", **marks))
    assert got(address, raw).path.read_bytes() == BODY
    assert site.visits[1][1]["if-range"] == day and site.asked("/f.zip")[1] == "bytes=70000-"


@pytest.mark.parametrize("marks", [{}, {"ETag": 'W/"weak"'}])
def test_without_a_sure_mark_of_its_version_a_file_is_fetched_from_its_start(
    site: Site, raw: Path, marks: dict[str, str]
) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, **marks), good(BODY))
    one = got(address, raw)
    assert one.path.read_bytes() == BODY and not one.resumed
    assert site.asked("/f.zip") == ["", ""]


def test_a_site_that_sends_the_whole_when_asked_for_the_rest_is_believed(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), whole(BODY, ETag='"one"'))
    one = got(address, raw)
    assert one.path.read_bytes() == BODY and not one.resumed


def test_a_file_that_changed_between_two_attempts_is_fetched_from_its_start(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), good(OTHER, etag='"two"'))
    one = got(address, raw)
    assert one.path.read_bytes() == OTHER and not one.resumed


@pytest.mark.parametrize(
    "second",
    [careless(OTHER, ETag='"two"'), careless(OTHER + b"more", ETag='"one"'), status(416), careless(BODY[:70_000])],
    ids=["another mark", "another length", "nothing there", "shorter than what is there"],
)
def test_the_rest_of_another_version_is_not_put_behind_the_first(site: Site, raw: Path, second: Any) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), second, good(OTHER, etag='"two"'))
    said: list[str] = []
    assert got(address, raw, say=said.append).path.read_bytes() == OTHER
    assert "has changed meanwhile" in said[1]


def test_a_part_from_the_wrong_place_is_not_used(site: Site, raw: Path) -> None:
    def misplaced(visitor: Any) -> None:
        visitor.begin(206, Content_Length=1000, Content_Range=f"bytes 5-1004/{len(BODY)}", ETag='"one"')
        visitor.wfile.write(BODY[5:1005])

    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), misplaced, good(BODY))
    assert got(address, raw).path.read_bytes() == BODY


def test_two_versions_that_the_site_does_not_tell_apart_are_found_by_the_check_and_fetched_anew(
    site: Site, raw: Path
) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), careless(OTHER, ETag='"one"'))
    one = got(edition(address, sha256=sha256(OTHER)), raw)
    assert one.path.read_bytes() == OTHER and not one.resumed
    assert site.asked("/f.zip") == ["", "bytes=70000-", ""]


def test_stopping_with_ctrl_c_leaves_a_part_that_the_next_run_goes_on_with(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", good(BODY))

    def stop(name: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        got(edition(address), raw, progress=stop)
    (part,) = (path for path in raw.iterdir() if path.suffix == ".part")
    came = part.stat().st_size
    assert 0 < came < len(BODY) and part.read_bytes() == BODY[:came]
    assert all(download.is_own(path) for path in raw.iterdir())
    one = got(edition(address), raw)
    assert one.path.read_bytes() == BODY and one.resumed
    assert site.asked("/f.zip") == ["", f"bytes={came}-"]
    assert files(raw) == ["Practice_Level_Crosstab_Jun_26.zip", NAME]


def test_stopping_during_the_check_costs_one_byte(site: Site, raw: Path) -> None:
    def stop(path: Path) -> str:
        raise KeyboardInterrupt

    address = site.on("/f.zip", good(BODY))
    with pytest.raises(KeyboardInterrupt):
        got(edition(address), raw, verify=stop)
    assert got(edition(address), raw).path.read_bytes() == BODY
    assert site.asked("/f.zip") == ["", f"bytes={len(BODY) - 1}-"]


def test_a_part_whose_note_is_damaged_is_not_trusted(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", good(BODY))
    raw.mkdir(parents=True)
    mark = sha256(address.encode())[:8]
    (raw / f"f.zip.{mark}.part").write_bytes(b"x" * 500)
    (raw / f"f.zip.{mark}.part.json").write_text('{"etag": 7}', encoding="utf-8")
    assert got(address, raw).path.read_bytes() == BODY
    assert site.asked("/f.zip") == [""]


# Patience


@pytest.mark.parametrize("first", [status(503), status(500), hang_up, chunked(BODY[:500], cut_off=True)])
def test_a_fault_that_passes_is_waited_for(site: Site, raw: Path, first: Any) -> None:
    waits = Waits()
    address = site.on("/f.zip", first, first, good(BODY))
    assert got(address, raw, sleep=waits).path.read_bytes() == BODY
    assert waits[0] == 1.0 and len(waits) == 2


def test_a_site_that_stops_sending_is_left_and_asked_for_the_rest(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", stall(BODY, 60_000, ETag='"one"'), good(BODY))
    said: list[str] = []
    assert got(address, raw, say=said.append).path.read_bytes() == BODY
    assert site.asked("/f.zip")[1] == "bytes=60000-" and said[0].startswith("f.zip: nothing more came")


def test_a_site_that_only_trickles_is_given_up(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", trickle(BODY[:5000], 0.05))
    error = refused(edition(address), raw, limits=replace(QUICK, attempts=1))
    assert (
        error.problem
        == "127.0.0.1 stopped sending Appointments in General Practice, June 2026, each time it was asked."
    )
    assert "run the same command again: it goes on where it stopped" in error.fix


def test_what_a_site_never_manages_is_left_after_five_attempts(site: Site, raw: Path) -> None:
    waits = Waits()
    error = refused(edition(site.on("/f.zip", status(500))), raw, sleep=waits)
    assert waits == [1, 2, 4, 8] and len(site.visits) == 5
    assert "(it answered 500, each time it was asked)" in error.problem
    assert error.fix.startswith("The fault is the site's.") and says_by_hand(error, raw)


def test_attempts_that_bring_something_new_are_not_counted_against_a_site(site: Site, raw: Path) -> None:
    # Seven times the line breaks, each time a little further.
    size = len(BODY)

    def piece(visitor: Any) -> None:
        start = int(visitor.headers.get("Range", "bytes=0-")[6:-1])
        if start:
            visitor.begin(206, Content_Length=size - start, Content_Range=f"bytes {start}-{size - 1}/{size}")
        else:
            visitor.begin(200, Content_Length=size, ETag='"one"')
        visitor.wfile.write(BODY[start : start + 30_000])

    assert got(site.on("/f.zip", piece), raw).path.read_bytes() == BODY
    assert len(site.visits) == 7


def test_the_wait_that_a_site_asks_for_is_kept(site: Site, raw: Path) -> None:
    waits, said = Waits(), []
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    address = site.on("/f.zip", status(429, Retry_After=17), status(503, Retry_After=in_a_minute), good(BODY))
    got(address, raw, sleep=waits, say=said.append)
    assert waits[0] == 17 and 55 < waits[1] <= 60
    assert said[0] == "f.zip: the site is busy (it answered 429); trying again in 17 seconds."


@pytest.mark.parametrize("asked", ["nonsense", "-5", "Tue, 99 Foo 2026", "Wed, 01 Jan 2020 00:00:00 GMT"])
def test_a_wait_that_makes_no_sense_is_not_kept(site: Site, raw: Path, asked: str) -> None:
    waits = Waits()
    got(site.on("/f.zip", status(429, Retry_After=asked), good(BODY)), raw, sleep=waits)
    assert waits == [1.0]


def test_a_wait_beyond_patience_is_left_to_the_person(site: Site, raw: Path) -> None:
    waits = Waits()
    error = refused(edition(site.on("/f.zip", status(429, Retry_After=3600))), raw, sleep=waits)
    assert waits == [] and len(site.visits) == 1
    assert error.problem == "127.0.0.1 has too much to do (it answered 429) and asked for a wait of 60 minutes."
    assert error.fix == "Wait that long, then run the same command again. What has come so far is kept."


# What a site will not give


@pytest.mark.parametrize(
    "code, said",
    [
        (401, "does not give Appointments in General Practice, June 2026 to a program (it answered 401)"),
        (403, "does not give Appointments in General Practice, June 2026 to a program (it answered 403)"),
        (404, "is no longer at this address (the site answered 404)"),
        (410, "is no longer at this address (the site answered 410)"),
    ],
)
def test_a_refusal_is_not_asked_twice_and_names_page_link_and_folder(
    site: Site, raw: Path, code: int, said: str
) -> None:
    error = refused(edition(site.on("/f.zip", status(code))), raw)
    assert said in error.problem and error.where == site.address("/f.zip")
    assert says_by_hand(error, raw)
    assert len(site.visits) == 1 and files(raw) == []


def test_a_link_whose_words_are_not_sure_is_not_called_by_them_alone(site: Site, raw: Path) -> None:
    error = refused(edition(site.on("/f.zip", status(403)), link_text_seen=False), raw)
    assert (
        'click "Annex 1 - Practice Level Crosstab" (the words may differ a little; the file is called like '
        "Practice_Level_Crosstab_Jun_26.zip), save it in"
    ) in error.fix


def test_an_edition_without_an_address_says_how_to_get_it(raw: Path) -> None:
    error = refused(edition(""), raw)
    assert error.problem == (
        "gpvar knows the page of Appointments in General Practice, June 2026, but not the address of its file."
    )
    assert error.where == PAGE and says_by_hand(error, raw)
    assert not raw.exists()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_the_part_is_asked_for_there(site: Site, raw: Path, code: int) -> None:
    site.on("/there.zip", cut(BODY, 70_000, ETag='"one"'), good(BODY))
    assert got(site.on("/f.zip", redirect("/there.zip", code)), raw).path == raw / "f.zip"
    assert site.asked("/there.zip") == ["", "bytes=70000-"]


@pytest.mark.parametrize("to", ["/f.zip", "/g.zip", ""])
def test_a_redirect_that_leads_nowhere_is_left(site: Site, raw: Path, to: str) -> None:
    site.on("/g.zip", redirect("/f.zip"))
    error = refused(edition(site.on("/f.zip", redirect(to))), raw)
    assert "sends from one address to the next and never to the file" in error.problem
    assert says_by_hand(error, raw) and len(site.visits) <= 6


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/f.zip", "data:text/csv,a", "https://[bad/f"])
def test_a_redirect_to_what_is_no_site_is_refused(site: Site, raw: Path, to: str) -> None:
    error = refused(edition(site.on("/f.zip", redirect(to))), raw)
    assert "from where nothing is fetched" in error.problem and says_by_hand(error, raw)


def test_a_redirect_to_another_computer_without_encryption_is_refused(site: Site, raw: Path) -> None:
    error = refused(edition(site.on("/f.zip", redirect("http://files.example.test/f.zip"))), raw)
    assert "sends on to an address that is not secure (http://files.example.test/f.zip)" in error.problem


def test_a_redirect_from_https_to_http_is_refused_even_to_this_computer(
    site: Site, secure_site: Site, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    plain = site.on("/f.zip", good(BODY))
    error = refused(edition(secure_site.on("/f.zip", redirect(plain))), raw)
    assert "is not secure" in error.problem and site.visits == []


@pytest.mark.parametrize(
    "answer",
    [
        page("Sign in to your account"),
        page("Sign in to your account", kind="application/zip"),
        page("Sign in to your account", kind="text/csv"),
        whole(gzip.compress(b"<html><title>Sign in to your account</title></html>"), Content_Encoding="gzip"),
        whole(b"\xef\xbb\xbf\n <!-- x --><title>Sign in to your account</title>", Content_Type="text/html"),
    ],
)
def test_a_web_page_in_place_of_the_file_is_refused_and_replaces_nothing(site: Site, raw: Path, answer: Any) -> None:
    site.on("/sign-in", answer)
    wanted = edition(site.on("/f.zip", good(BODY), redirect("/sign-in")))
    before = got(wanted, raw)
    error = refused(wanted, raw)
    assert 'answered with a web page, called "Sign in to your account" in place of' in error.problem
    assert says_by_hand(error, raw)
    assert before.path.read_bytes() == BODY and files(raw) == [before.path.name, NAME]


def test_a_page_that_interrupts_a_download_does_not_cost_what_had_come(site: Site, raw: Path) -> None:
    address = site.on("/f.zip", cut(BODY, 70_000, ETag='"one"'), page("Just a moment..."), good(BODY))
    refused(edition(address), raw)
    one = got(edition(address), raw)
    assert one.resumed and site.asked("/f.zip")[2] == "bytes=70000-"


def test_the_page_of_a_publication_is_told_from_its_file(site: Site, raw: Path) -> None:
    error = refused(site.on("/june-2026", page("Appointments in General Practice")), raw)
    assert error.problem == (
        'What is at this address is a web page, called "Appointments in General Practice", not a file.'
    )
    assert "right-click the link to the file on it, copy its address" in error.fix


def test_the_name_of_a_page_cannot_write_on_the_screen(site: Site, raw: Path) -> None:
    error = refused(site.on("/f.zip", page("\x1b[31mred\x07 <b>" + "long " * 80)), raw)
    assert "\x1b" not in error.problem and "\x07" not in error.problem and len(error.problem) < 200


@pytest.mark.parametrize("answer", [whole(b""), chunked(b"")])
def test_an_empty_file_is_refused(site: Site, raw: Path, answer: Any) -> None:
    error = refused(edition(site.on("/f.zip", answer)), raw)
    assert error.problem == "127.0.0.1 answered with an empty file."


# Sites that lie


def test_a_site_that_announces_more_than_it_sends_is_found_out(site: Site, raw: Path) -> None:
    error = refused(edition(site.on("/f.zip", lying(BODY, len(BODY) + 5000))), raw)
    assert error.problem == (
        "Appointments in General Practice, June 2026 came incomplete each time: 200,000 bytes of the 205,000 that the "
        "site announced."
    )
    assert says_by_hand(error, raw)


@pytest.mark.parametrize("fewer", [1, 5000, 150_000, 199_999])
def test_a_site_that_sends_more_than_it_announces_is_found_out(site: Site, raw: Path, fewer: int) -> None:
    error = refused(edition(site.on("/f.zip", lying(BODY, len(BODY) - fewer))), raw)
    assert f"sent more than the {len(BODY) - fewer:,} bytes that it announced" in error.problem
    assert files(raw) == []


def test_a_file_larger_than_any_publication_is_not_fetched(site: Site, raw: Path) -> None:
    small = replace(QUICK, most_bytes=100_000)
    for path, answer in (("/said.zip", whole(BODY)), ("/unsaid.zip", chunked(BODY))):
        error = refused(edition(site.on(path, answer)), raw, limits=small)
        assert "more than any of these publications" in error.problem
    packed = whole(gzip.compress(bytes(500_000)), Content_Encoding="gzip")
    assert "more than any of these" in refused(edition(site.on("/bomb.csv", packed)), raw, limits=small).problem
    assert files(raw) == []


def test_another_content_than_the_known_one_is_not_kept(site: Site, raw: Path) -> None:
    wanted = edition(site.on("/f.zip", good(BODY), good(OTHER)))
    before = got(wanted, raw)
    error = refused(replace(wanted, sha256=sha256(b"the right one")), raw)
    assert (
        "is not the Appointments in General Practice, June 2026 that was expected (it has 200,000 bytes"
        in error.problem
    )
    assert f"Look on {PAGE} whether the file was corrected" in error.fix
    assert f'--url "{wanted.address}"' in error.fix
    assert before.path.read_bytes() == BODY and files(raw) == [before.path.name, NAME]


def test_a_file_of_another_size_is_not_fetched_to_its_end(site: Site, raw: Path) -> None:
    told: list[object] = []
    wanted = edition(site.on("/f.zip", good(BODY)), bytes=123)
    error = refused(wanted, raw, progress=lambda *one: told.append(one))
    assert "(it has 200,000 bytes)" in error.problem and told == []


def test_whoever_gives_the_address_of_a_known_edition_gets_the_corrected_file(
    site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = edition(site.on("/f.zip", good(BODY)), sha256=sha256(b"the first one"))
    monkeypatch.setattr(catalogue, "editions", lambda: (wanted,))
    one = got(wanted.address, raw)
    assert one.path.name == "Practice_Level_Crosstab_Jun_26.zip"
    assert read_manifest(raw)[0].edition == "gpad_2026_06"
    # From then on it is the file of that edition.
    assert fetch_many([wanted], raw).already[0].path == one.path


def zipped(name: str = "Mapping.csv") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        header = ",".join(catalogue.layouts()["gpad_mapping"].columns)
        archive.writestr(name, header + "\n" + ",".join(["A81001"] * 11) + "\n")
    return stream.getvalue()


def taken_for(path: Path) -> str:
    return ", ".join(part.layout for part in recognise.recognise(path))


def test_the_check_sees_the_whole_file_under_its_name_before_it_replaces_anything(site: Site, raw: Path) -> None:
    seen = []

    def look(path: Path) -> str:
        seen.append((path.name, path.read_bytes() == BODY, (raw / path.name).exists()))
        return "looked at"

    assert got(edition(site.on("/f.zip", good(BODY))), raw, verify=look).taken_for == "looked at"
    assert seen == [("Practice_Level_Crosstab_Jun_26.zip", True, False)]


def test_a_file_is_known_by_its_headings_before_it_is_kept(site: Site, raw: Path) -> None:
    one = got(edition(site.on("/f.zip", good(zipped()))), raw, verify=taken_for)
    assert one.taken_for == "gpad_mapping"


@pytest.mark.parametrize(
    "data, said",
    [
        (zipped()[:-30], "cut short or damaged"),
        (b"Name,Colour\nApple,green\n", "The headings are those of no official file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_replaces_nothing(site: Site, raw: Path, data: bytes, said: str) -> None:
    wanted = edition(site.on("/f.zip", good(zipped()), whole(data)))
    before = got(wanted, raw, verify=taken_for)
    error = refused(wanted, raw, verify=taken_for)
    assert error.problem.startswith("What came from 127.0.0.1 is not Appointments in General Practice, June 2026.")
    assert said in error.problem and error.problem.endswith("It was not kept.") and says_by_hand(error, raw)
    assert before.path.read_bytes() == zipped() and files(raw) == [before.path.name, NAME]


def test_a_file_at_an_address_that_is_none_of_the_official_ones_is_said_in_the_words_of_the_check(
    site: Site, raw: Path
) -> None:
    error = refused(site.on("/f.csv", whole(b"Name,Colour\nApple,green\n")), raw, verify=taken_for)
    assert error.problem.startswith("What is at this address was not kept. The headings are those of no official file")
    assert "[source.columns]" in error.fix and files(raw) == []


def test_a_file_from_any_address_is_noted_as_the_edition_that_it_is(
    site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "editions", lambda: (edition("https://x.nhs.uk/f.zip", sha256=sha256(BODY)),))
    got(site.on("/mirror.zip", good(BODY)), raw)
    assert (read_manifest(raw)[0].edition, read_manifest(raw)[0].source) == ("gpad_2026_06", "gpad")


# What was there before


def test_the_same_bytes_again_change_nothing(site: Site, raw: Path) -> None:
    wanted = edition(site.on("/f.zip", good(BODY)))
    first = got(wanted, raw)
    os.utime(first.path, (1e9, 1e9))
    again = got(wanted, raw)
    assert again.unchanged and again.path == first.path
    assert first.path.stat().st_mtime == 1e9 and len(read_manifest(raw)) == 1


def test_a_file_that_its_publisher_corrected_takes_the_name_and_the_old_one_is_kept(site: Site, raw: Path) -> None:
    wanted = edition(site.on("/f.zip", good(BODY), good(OTHER), good(BODY[:-1])))
    first = got(wanted, raw)
    os.utime(first.path, (1_783_000_000, 1_783_000_000))
    second = got(wanted, raw)
    assert second.path == first.path and second.path.read_bytes() == OTHER
    assert second.kept == raw / "earlier" / "Practice_Level_Crosstab_Jun_26.2026-07-02.zip"
    assert second.kept.read_bytes() == BODY
    os.utime(second.path, (1_783_000_000, 1_783_000_000))
    third = got(wanted, raw)
    assert third.kept == raw / "earlier" / "Practice_Level_Crosstab_Jun_26.2026-07-02-2.zip"
    assert [row.sha256 for row in read_manifest(raw)] == [sha256(BODY), sha256(OTHER), sha256(BODY[:-1])]


def test_a_file_of_the_same_name_from_elsewhere_is_left_alone(site: Site, raw: Path) -> None:
    raw.mkdir(parents=True)
    (raw / "gp-reg-pat-prac-map.zip").write_bytes(b"last month's, saved by hand")
    one = got(site.on("/a/gp-reg-pat-prac-map.zip", good(BODY)), raw)
    two = got(site.on("/b/gp-reg-pat-prac-map.zip", good(OTHER)), raw)
    assert (one.path.name, two.path.name) == ("gp-reg-pat-prac-map-2.zip", "gp-reg-pat-prac-map-3.zip")
    assert (raw / "gp-reg-pat-prac-map.zip").read_bytes() == b"last month's, saved by hand"


def test_a_name_that_every_edition_has_is_saved_with_the_edition(site: Site, raw: Path) -> None:
    wanted = edition(site.on("/f.zip", good(BODY)), file="gp-reg-pat-prac-map.zip", undated=True)
    assert got(wanted, raw).path.name == "gp-reg-pat-prac-map-2026-06.zip"


def test_a_known_file_saved_by_hand_under_any_name_is_not_fetched(site: Site, raw: Path) -> None:
    raw.mkdir(parents=True)
    (raw / "download (3).zip").write_bytes(BODY)
    wanted = edition(site.on("/f.zip", good(OTHER)), sha256=sha256(BODY), bytes=len(BODY))
    one = got(wanted, raw)
    assert one.unchanged and one.path.name == "download (3).zip" and site.visits == []
    assert read_manifest(raw)[0].how == "by hand"


# The disk


def test_a_full_disk_is_seen_before_anything_is_fetched(site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = transfers.shutil.disk_usage("/")
    monkeypatch.setattr(transfers.shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    error = refused(edition(site.on("/f.zip", good(BODY))), raw)
    assert error.problem.startswith("The disk is full. 0.2 MB more are needed.")
    assert error.fix == f"Make room on the disk of {raw}, then run the same command again."


def test_a_disk_that_fills_up_keeps_what_has_come(site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = transfers._write, []

    def write(file: Any, chunk: bytes) -> None:
        if len(written) == 2:
            raise asking.disk_failure(OSError(28, "No space left on device"))
        written.append(chunk)
        real(file, chunk)

    wanted = edition(site.on("/f.zip", good(BODY)))
    with monkeypatch.context() as patch:
        patch.setattr(transfers, "_write", write)
        error = refused(wanted, raw)
    assert error.problem == "The disk is full. What has come so far is kept."
    assert got(wanted, raw).resumed


def test_a_folder_that_cannot_be_written_is_named(site: Site, raw: Path) -> None:
    raw.parent.mkdir(parents=True)
    raw.write_text("a file where the folder should be", encoding="utf-8")
    error = refused(edition(site.on("/f.zip", good(BODY))), raw)
    assert error.problem.startswith(f"Nothing can be written in {raw} (") and site.visits == []


def test_a_file_that_another_program_holds_open_is_left_and_the_new_one_waits(
    site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = edition(site.on("/f.zip", good(BODY), good(OTHER, etag='"two"')))
    first = got(wanted, raw)
    real = os.replace

    def held(source: Any, target: Any) -> None:
        if first.path in (Path(source), Path(target)):
            raise PermissionError(13, "Permission denied")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", held)
        another = edition(site.on("/g.zip", good(BODY[:-1])), id="a_2", file="g.zip")
        came = fetch_many([replace(wanted, rolling=True), another], raw, sleep=Waits(), limits=QUICK)
    assert "is open in another program, so it was left" in came.by_hand[0].error.problem
    assert first.path.read_bytes() == BODY and len(came.fetched) == 1
    assert got(wanted, raw).path.read_bytes() == OTHER
    assert site.asked("/f.zip")[-1] == f"bytes={len(OTHER) - 1}-"


# Names


@pytest.mark.parametrize(
    "told, name",
    [
        ("../../evil.csv", "evil.csv"),
        ("C:\\Windows\\System32\\evil.csv", "evil.csv"),
        ("CON.csv", "_CON.csv"),
        ("lpt1", "_lpt1"),
        ("aux .zip", "_aux .zip"),
        ('a<b>:"c|d?e*.zip', "a_b___c_d_e_.zip"),
        ("tail. . ", "tail"),
        ("line\nbreak\x00.csv", "line_break_.csv"),
        ("reversed\u202egpj.csv", "reversed_gpj.csv"),
        (".", ""),
        ("..", ""),
        ("/", ""),
        ("3 General Practice – June 2026.csv", "3 General Practice – June 2026.csv"),
    ],
)
def test_a_name_from_elsewhere_becomes_one_that_every_system_can_have(told: str, name: str) -> None:
    assert download.safe_name(told) == name


def test_a_long_name_keeps_its_ending() -> None:
    name = download.safe_name("x" * 400 + ".csv")
    assert len(name) == 150 and name.endswith(".csv")


def test_the_name_that_the_site_gives_is_used_and_cannot_lead_anywhere(site: Site, raw: Path) -> None:
    named = {"Content_Disposition": 'attachment; filename="../../../evil.csv"'}
    assert got(site.on("/get", good(BODY, **named)), raw).path == raw / "evil.csv"
    named = {"Content_Disposition": "attachment; filename*=UTF-8''Workforce%20%E2%80%93%20June.csv"}
    assert got(site.on("/get2", good(OTHER, **named)), raw).path == raw / "Workforce – June.csv"


def test_a_file_without_an_ending_gets_the_one_that_its_bytes_tell(site: Site, raw: Path) -> None:
    assert got(site.on("/api/one", good(zipped())), raw).path.name == "one.zip"
    assert got(site.on("/api/two", good(b"a,b\n1,2\n")), raw).path.name == "two.csv"
    assert got(site.on("/", good(gzip.compress(b"a,b\n1,2\n"))), raw).path.name == "download.gz"


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://files.example.test/f.zip",
        "https://user:secret@files.example.test/f.zip",
        "C:\\data\\f.zip",
        "f.zip",
        "https://",
        "https://files.example.test:port/f.zip",
        "https://[bad/f.zip",
        "",
    ],
)
def test_what_is_no_address_of_a_file_is_refused_with_what_to_give_instead(raw: Path, address: str) -> None:
    error = refused(address, raw)
    assert error.problem == "This is not an address that a file can be fetched from."
    assert "right-click the link and copy its address" in error.fix and str(raw) in error.fix
    assert not raw.exists()


def test_an_address_without_encryption_is_refused(raw: Path) -> None:
    error = refused("http://files.example.test/f.zip", raw)
    assert "not secure" in error.problem and "https:" in error.fix


def test_spaces_and_letters_in_an_address_are_written_as_sites_want_them(site: Site, raw: Path) -> None:
    address = site.on("/3%20General%20Practice%20%E2%80%93%20June.csv", good(BODY))
    typed = address.replace("%20", " ").replace("%E2%80%93", "–")
    assert got(f"  {typed}#top ", raw).path.name == "3 General Practice – June.csv"


# Networks


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_site_that_cannot_be_reached_is_told_from_one_that_refuses(raw: Path) -> None:
    waits = Waits()
    error = refused(edition(f"http://127.0.0.1:{closed_port()}/f.zip"), raw, sleep=waits)
    assert error.problem.startswith("127.0.0.1 could not be reached (") and waits == [1, 2]
    assert error.fix.startswith("Check that this computer is online, then run the same command again.")
    assert "ask IT for its address and set it as HTTPS_PROXY" in error.fix


def test_a_name_that_is_nowhere_is_a_site_that_cannot_be_reached(raw: Path) -> None:
    def nowhere(request: Any, timeout: float) -> Any:
        raise asking.URLError(socket.gaierror(-2, "Name or service not known"))

    error = refused("https://files.example.test/f.zip", raw, send=nowhere)
    assert error.problem == "files.example.test could not be reached (Name or service not known)."


def test_a_certificate_that_nobody_trusts_is_named_with_what_it_in_may_do(secure_site: Site, raw: Path) -> None:
    waits = Waits()
    error = refused(edition(secure_site.on("/f.zip", good(BODY))), raw, sleep=waits)
    assert "its certificate is not one this computer trusts (self-signed certificate)" in error.problem
    assert "Networks that inspect traffic put a certificate of their own in its place" in error.problem
    assert "Ask IT for that certificate as a .pem file and set SSL_CERT_FILE to its path" in error.fix
    assert says_by_hand(error, raw) and waits == []


def test_the_advice_on_certificates_works(
    secure_site: Site, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert got(secure_site.on("/f.zip", good(BODY)), raw).path.read_bytes() == BODY


def test_a_certificate_of_another_site_is_told_from_one_of_it(
    secure_site: Site, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    address = secure_site.on("/f.zip", good(BODY)).replace("127.0.0.1", "localhost")
    error = refused(address, raw)
    assert error.problem == (
        "What answered is not localhost: its certificate is for another site. Nothing was fetched."
    )


def test_the_proxy_of_a_network_is_used(
    secure_site: Site, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_site.on("/f.zip", good(BODY))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with running(Proxy(secure_site.server_port)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        assert got("https://files.example.test/f.zip", raw).path.read_bytes() == BODY
    assert proxy.asked == ["files.example.test:443"]


def test_a_proxy_that_wants_a_name_is_said_and_its_password_is_not(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Proxy(0, answer=407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://jo:hush@127.0.0.1:{proxy.server_port}")
        waits = Waits()
        error = refused(edition("https://files.example.test/f.zip"), raw, sleep=waits)
    assert error.problem == (
        "The proxy of your network did not let the file through (it answered 407). It wants a user name and password."
    )
    assert f"The proxy 127.0.0.1:{proxy.server_port} was used (HTTPS_PROXY" in error.fix
    assert "hush" not in str(error) and says_by_hand(error, raw) and waits == []


def test_a_proxy_that_cannot_be_one_is_said(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://jo:hush@proxy.example:port")
    error = refused("https://files.example.test/f.zip", raw)
    assert error.problem.startswith("The proxy that is set for this computer cannot be used (")
    assert "Set HTTPS_PROXY to an address such as" in error.fix and "hush" not in str(error)


def test_no_proxy_leads_past_the_proxy(site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = site.on("/f.zip", good(BODY))
    with running(Proxy(0, answer=502)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        refused(address, raw, limits=replace(QUICK, attempts=1))
        assert proxy.asked == [address]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert got(address, raw).path.read_bytes() == BODY
    assert proxy.asked == [address]


# Several files


def several(wanted: list[catalogue.Edition | str], raw: Path, **more: Any) -> download.Fetches:
    return fetch_many(wanted, raw, **{"sleep": Waits(), "limits": QUICK, **more})


def test_one_file_that_fails_does_not_keep_the_others(site: Site, raw: Path) -> None:
    one = edition(site.on("/1.zip", good(BODY)), id="a_1", file="1.zip")
    lost = edition(site.on("/2.zip", status(404)), id="a_2", file="2.zip")
    unknown = edition("", id="a_3", title="Another publication")
    last = edition(site.on("/4.zip", good(OTHER)), id="a_4", file="4.zip")
    came = several([one, lost, unknown, last, "not an address"], raw)
    assert [item.path.name for item in came.fetched] == ["1.zip", "4.zip"]
    assert [item.title for item in came.by_hand] == [lost.title, "Another publication", "not an address"]
    assert all(item.error.fix for item in came.by_hand)
    again = several([one, last], raw)
    assert [item.path.name for item in again.already] == ["1.zip", "4.zip"] and again.fetched == ()
    assert site.asked("/1.zip") == [""]


def test_a_file_that_was_changed_since_it_came_is_fetched_again(site: Site, raw: Path) -> None:
    one = edition(site.on("/1.zip", good(BODY)))
    path = several([one], raw).fetched[0].path
    path.write_bytes(b"saved by Excel")
    came = several([one], raw).fetched[0]
    assert came.path.read_bytes() == BODY
    assert came.kept is not None and came.kept.read_bytes() == b"saved by Excel"


def test_an_address_that_holds_something_new_from_time_to_time_is_asked_each_time(site: Site, raw: Path) -> None:
    current = edition(site.on("/epraccur.zip", good(BODY), good(BODY), good(OTHER)), rolling=True)
    assert several([current], raw).fetched
    assert several([current], raw).already[0].unchanged
    assert several([current], raw).fetched[0].kept is not None


def test_a_site_that_cannot_be_reached_is_not_waited_for_again(site: Site, raw: Path) -> None:
    port = closed_port()
    gone = [edition(f"http://localhost:{port}/{n}.zip", id=f"a_{n}", title=f"File {n}") for n in range(3)]
    waits = Waits()
    came = several([*gone, site.on("/f.zip", good(BODY))], raw, sleep=waits)
    assert waits == [1, 2] and len(came.fetched) == 1
    assert [item.error.where for item in came.by_hand] == [item.address for item in gone]
    text = words.fetched_files(came)
    assert text.count("localhost could not be reached") == text.count("What to do: Check that this computer") == 1
    assert all(item.title in text for item in gone) and "by hand" not in text


def test_files_that_a_proxy_holds_back_share_one_sentence_and_keep_their_own_ways(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [edition(f"https://files.example.test/{n}.zip", id=f"a_{n}", title=f"File {n}") for n in range(3)]
    with running(Proxy(0, answer=403)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        came = several([*held, "not an address"], raw)
    text = words.fetched_files(came)
    assert text.count("did not let the file") == text.count("Ask IT how programs get through") == 1
    assert text.count(f"Open {PAGE} in a browser") == 3
    assert "To be got by hand: not an address" in text


def test_a_site_that_is_not_reached_is_named_while_it_is_waited_for(raw: Path) -> None:
    def late(request: Any, timeout: float) -> Any:
        raise asking.URLError(TimeoutError("timed out"))

    said: list[str] = []
    error = refused("https://files.example.test/f.zip", raw, send=late, say=said.append)
    assert said[0] == "f.zip: files.example.test could not be reached; trying again in 1 second." and len(said) == 2
    assert error.problem == "files.example.test could not be reached (no answer in time)."


def test_a_full_disk_ends_the_fetching(site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = transfers.shutil.disk_usage("/")
    monkeypatch.setattr(transfers.shutil, "disk_usage", lambda _: usage._replace(free=0))
    with pytest.raises(SourceError, match="The disk is full"):
        several([edition(site.on("/1.zip", good(BODY))), site.on("/2.zip", good(BODY))], raw)
    assert site.asked("/2.zip") == []


# The manifest


def row(number: int, **more: Any) -> Noted:
    return Noted(
        **{"file": f"{number}.zip", "sha256": sha256(bytes([number])), "bytes": number, "how": "fetched", **more}
    )


def test_the_manifest_grows_by_a_row_and_opens_in_excel(tmp_path: Path) -> None:
    note_file(tmp_path, row(1, page=PAGE))
    note_file(tmp_path, row(2, file="3 General Practice – June.csv"))
    data = (tmp_path / NAME).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n") and data.endswith(b"\r\n")
    assert [item.file for item in read_manifest(tmp_path)] == ["1.zip", "3 General Practice – June.csv"]
    assert files(tmp_path) == [NAME]


def test_there_may_be_no_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == ()
    (tmp_path / NAME).write_bytes(b"")
    assert read_manifest(tmp_path) == ()
    note_file(tmp_path, row(1))
    assert len(read_manifest(tmp_path)) == 1


def test_a_manifest_that_a_person_added_to_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("sha256;file;bytes;my notes\nabc;old.zip;1,234;keep – me", encoding="cp1252", newline="\n")
    note_file(tmp_path, row(2))
    text = path.read_text(encoding="utf-8-sig")
    assert text.startswith("sha256;file;bytes;my notes\nabc;old.zip;1,234;keep – me")
    old, new = read_manifest(tmp_path)
    assert (old.file, old.sha256, old.bytes) == ("old.zip", "abc", 1234)
    assert (new.file, new.sha256, new.bytes) == ("2.zip", row(2).sha256, 2)


def test_a_cell_that_a_spreadsheet_would_run_is_text(tmp_path: Path) -> None:
    note_file(tmp_path, row(1, file="=cmd().csv", address="https://x/?a=1,2"))
    assert b"'=cmd().csv" in (tmp_path / NAME).read_bytes()
    assert read_manifest(tmp_path)[0].file == "=cmd().csv"
    assert read_manifest(tmp_path)[0].address == "https://x/?a=1,2"


def test_a_manifest_that_lost_its_headings_is_not_written_over(site: Site, raw: Path) -> None:
    raw.mkdir(parents=True)
    (raw / NAME).write_text("1.zip,gpad\n", encoding="utf-8", newline="\n")
    one = got(edition(site.on("/f.zip", good(BODY))), raw)
    assert one.path.read_bytes() == BODY
    assert one.remark.startswith("The list of downloads has lost its headings: file, sha256 is missing.")
    assert (raw / NAME).read_text(encoding="utf-8") == "1.zip,gpad\n"


def test_a_manifest_that_is_open_in_excel_costs_only_the_note(
    site: Site, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = edition(site.on("/f.zip", good(BODY)))
    real = os.replace

    def held(source: Any, target: Any) -> None:
        if Path(target).name == NAME:
            raise PermissionError(13, "Permission denied")
        real(source, target)

    monkeypatch.setattr(os, "replace", held)
    one = got(wanted, raw)
    assert one.path.read_bytes() == BODY and "Close it in Excel" in one.remark
    assert files(raw) == [one.path.name]
