"""The unfinished file of a download, which the next attempt or the next run goes on with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Facts:
    """What a site says of a file.

    Attributes
    ----------
    etag, modified
        Its version, as the site marks it and by date.
    total
        Bytes of the whole; None where the site does not say.
    encoding
        How it is packed for the journey: empty, or ``gzip``.
    kind
        Its media type.
    """

    etag: str = ""
    modified: str = ""
    total: int | None = None
    encoding: str = ""
    kind: str = ""

    @property
    def validator(self) -> str:
        """What to name when asking for the rest of the same version; empty where nothing is sure enough."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def may_continue(self, earlier: Facts) -> bool:
        """Return whether bytes sent now can be of the same version as those sent earlier."""
        # A site may leave a mark out of the answer for a part; one that it gives must be the same.
        pairs = [(self.etag, earlier.etag), (self.modified, earlier.modified), (self.total, earlier.total)]
        return self.encoding == earlier.encoding and all(now == then for now, then in pairs if now and then)


class Unfinished:
    """A file that is being fetched, with a note of what it is a part of beside it.

    Parameters
    ----------
    folder
        Where the finished file goes.
    name
        The name of the finished file.
    address
        Where it comes from: the same name from another address is another unfinished file.
    """

    def __init__(self, folder: Path, name: str, address: str) -> None:
        mark = hashlib.sha256(address.encode("utf-8")).hexdigest()[:8]
        self.path = folder / f"{name}.{mark}.part"
        self._note = folder / f"{name}.{mark}.part.json"

    @property
    def size(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def facts(self) -> Facts | None:
        """Return what the site said of the file when this part of it came, or None where nothing is left of that."""
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
            facts = Facts(**noted)
        except (OSError, ValueError, TypeError):
            return None
        texts = (facts.etag, facts.modified, facts.encoding, facts.kind)
        right = all(isinstance(text, str) and text.isascii() and text.isprintable() for text in texts)
        return facts if right and isinstance(facts.total, int | None) else None

    @contextlib.contextmanager
    def begin(self, facts: Facts) -> Iterator[BinaryIO]:
        """Start anew with a file of which the site says this."""
        self._note.unlink(missing_ok=True)
        with self.path.open("wb") as file:
            # Written after the old bytes are gone, so that it never stands beside bytes of another version.
            self._note.write_text(json.dumps(asdict(facts)), encoding="utf-8", newline="\n")
            yield file

    @contextlib.contextmanager
    def go_on(self, offset: int) -> Iterator[BinaryIO]:
        """Go on behind the first `offset` bytes."""
        with self.path.open("r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            yield file

    def forget(self) -> None:
        """Remove what is there."""
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def become(self, path: Path) -> None:
        """Take another name. The note stays until `forget`, so that `take_back` can undo this."""
        os.replace(self.path, path)

    def take_back(self, path: Path) -> None:
        """Become an unfinished file again, for the next run to finish."""
        with contextlib.suppress(OSError):
            os.replace(path, self.path)
