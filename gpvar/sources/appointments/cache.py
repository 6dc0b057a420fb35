"""A place on this computer for what was read of public files, so that a second reading is quick.

Only official, public files ever go there. A file in it that is damaged, or was written by another version, is left out
of account and written again; a cache that cannot be written is no reason to stop.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

ENVIRONMENT = "GPVAR_CACHE"
#: The most that is kept; the files longest unused go first.
MAX_BYTES = 2_000_000_000


def folder() -> Path | None:
    """Return where the cache is, or None when ``GPVAR_CACHE`` is ``off``; any other value of it is the folder."""
    chosen = os.environ.get(ENVIRONMENT, "").strip()
    if chosen.casefold() == "off":
        return None
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("gpvar", appauthor=False))


def place(kind: str, *key: str) -> Path | None:
    """Return where something is kept, or None without a cache.

    Parameters
    ----------
    kind
        What it is, with the version of what wrote it.
    key
        What it was made from: a file's SHA-256, a member's name.
    """
    home = folder()
    if home is None:
        return None
    name = hashlib.sha256("\0".join(key).encode("utf-8")).hexdigest()[:40]
    return home / kind / f"{name}.parquet"


class Draft:
    """A file being written, which takes its place all at once or not at all.

    Raises
    ------
    OSError
        When the folder cannot be made or written.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.stem, suffix=".part")
        os.close(handle)
        self.path = Path(name)

    def commit(self) -> None:
        """Put the file in its place."""
        os.replace(self.path, self._target)
        prune(self._target.parent)

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def prune(home: Path, max_bytes: int = MAX_BYTES) -> None:
    """Delete the files longest unused until no more than `max_bytes` are left."""
    with contextlib.suppress(OSError):
        held = sorted(((item.stat(), item) for item in home.glob("*.parquet")), key=lambda pair: pair[0].st_mtime)
        total = sum(stat.st_size for stat, _ in held)
        for stat, item in held[:-1]:
            if total <= max_bytes:
                return
            item.unlink()
            total -= stat.st_size


def touch(path: Path) -> None:
    """Mark a file as used now."""
    with contextlib.suppress(OSError):
        os.utime(path)
