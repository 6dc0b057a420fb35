"""What came before, by the list of downloads, and the note of what comes now."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from gpvar import catalogue
from gpvar.catalogue import Edition
from gpvar.errors import SourceError
from gpvar.sources.download.fetched import Fetched
from gpvar.sources.download.manifest import Noted, note_file, read_manifest
from gpvar.sources.download.refusals import Wanted
from gpvar.sources.files.members import fingerprint


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


def earlier_state(wanted: Wanted) -> Path | None:
    """Return the file that came for the same wish before and is now replaced by its publisher."""
    for row in _noted(wanted.edition, wanted.address, wanted.folder):
        path = wanted.folder / Path(row.file).name
        if path.is_file():
            return path
    return None


def from_earlier_run(what: Edition | str, into: Path) -> Fetched | None:
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


def with_note(fetched: Fetched, wanted: Wanted, how: str) -> Fetched:
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
