"""Is this machine in order? Plain answers, and what to do about each that is not."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from gpvar import share

OLDEST, NEWEST = (3, 11), (3, 14)
KEY_PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib", "papermill")
WINDOWS_PATH_LIMIT = 260
LONGEST_REPORT_NAME = 120
SPACE_WANTED = 500_000_000


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    item
        What was looked at.
    state
        ``"in order"``, ``"problem"`` (something will fail) or ``"note"`` (worth knowing).
    detail
        What was found and, unless it is in order, what to do.
    """

    item: str
    state: str
    detail: str


def report() -> list[Check]:
    """Look at everything gpvar needs of this machine.

    Returns
    -------
    list of Check
        One for each item, in the order in which they matter; a check that breaks is reported as a problem.
    """
    return [result for check in _CHECKS for result in _carefully(check)]


def _carefully(check: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        return list(check())
    except Exception as error:  # a doctor who falls ill helps nobody: the fault becomes a finding
        name = check.__name__.strip("_").replace("_", " ")
        return [Check(name, "problem", f"could not be looked at ({type(error).__name__}: {error})")]


def _python() -> Iterator[Check]:
    version = sys.version_info[:2]
    said = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    if OLDEST <= version <= NEWEST:
        yield Check("Python", "in order", said)
    else:
        yield Check("Python", "problem", f"{said}. Use Python 3.11, 3.12, 3.13 or 3.14.")


def _packages() -> Iterator[Check]:
    locked = _locked_versions()
    for name in KEY_PACKAGES:
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, "problem", "is not installed. Start gpvar with: python run.py demo")
            continue
        wanted = locked.get(name)
        if wanted in (None, found):
            yield Check(name, "in order", found)
        else:
            yield Check(
                name, "note", f"{found}; the numbers were tested with {wanted}. python run.py installs that one."
            )


def _locked_versions() -> dict[str, str]:
    """Read the versions of the lock beside a checkout; an installed wheel has none."""
    lock = Path(__file__).resolve().parent.parent / "requirements.lock"
    if not lock.is_file():
        return {}
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def _pandoc() -> Iterator[Check]:
    import pypandoc

    try:
        program = pypandoc.get_pandoc_path()
        first = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        fix = "Start gpvar with python run.py, which installs it; with conda: conda install pandoc"
        yield Check("pandoc", "problem", f"was not found or does not start, so no report can be written. {fix}")
        return
    yield Check("pandoc", "in order", first.splitlines()[0].removeprefix("pandoc").strip())


def _notebook_kernel() -> Iterator[Check]:
    missing = [name for name in ("ipykernel", "nbclient", "papermill") if find_spec(name) is None]
    if missing:
        yield Check(
            "notebooks", "problem", f"{', '.join(missing)} cannot be found. Start gpvar with: python run.py demo"
        )
    else:
        yield Check("notebooks", "in order", f"run with {Path(sys.executable).name}, this same Python")


def _folders() -> Iterator[Check]:
    for item, folder in (("this folder", Path.cwd()), ("temporary folder", Path(tempfile.gettempdir()))):
        try:
            with tempfile.NamedTemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield Check(
                item, "problem", f"{folder} cannot be written to ({error.strerror}). Work in a folder of your own."
            )
            continue
        free = shutil.disk_usage(folder).free
        said = f"{folder}, {free / 1e9:.1f} GB free"
        if free < SPACE_WANTED:
            yield Check(item, "problem", f"{said}. Make room: a study of all England needs about 0.5 GB.")
        else:
            yield Check(item, "in order", said)


def _path_length() -> Iterator[Check]:
    if os.name != "nt":
        return
    room = WINDOWS_PATH_LIMIT - len(str(Path.cwd()))
    if room < LONGEST_REPORT_NAME:
        yield Check(
            "path length", "problem", f"only {room} characters are left for file names. Work nearer the root: C:\\gpvar"
        )
    else:
        yield Check("path length", "in order", f"{room} characters left for file names")


def _console() -> Iterator[Check]:
    encoding = getattr(sys.stdout, "encoding", None) or "unknown"
    if encoding.lower().replace("-", "") == "utf8":
        yield Check("console", "in order", encoding)
    else:
        yield Check("console", "note", f"{encoding}: some characters may show as ?. Files are not affected.")


def _fonts() -> Iterator[Check]:
    from matplotlib import font_manager, rcParams

    names = {font.name for font in font_manager.fontManager.ttflist}
    found = next((family for family in ("Arial", *rcParams["font.sans-serif"]) if family in names), None)
    if found:
        yield Check("fonts", "in order", f"charts are drawn in {found}")
    else:
        yield Check("fonts", "note", "no sans-serif font was found; charts will use whatever there is")


def _shared_folders() -> Iterator[Check]:
    for name in ("notebooks", "demo", "templates"):
        folder = share.folder(name)
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
        if not files:
            yield Check(
                f"{name} files", "problem", f"{folder} is missing or empty. Download gpvar again, or install it again."
            )
            continue
        sizes = sum(path.stat().st_size for path in files)
        yield Check(
            f"{name} files",
            "in order",
            f"{len(files)} files, {sizes / 1e6:.1f} MB, fingerprint {_fingerprint(files, folder)}",
        )


def _fingerprint(files: list[Path], folder: Path) -> str:
    """Return the first 12 characters of one SHA-256 over names and contents, to compare two machines."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    _python,
    _packages,
    _pandoc,
    _notebook_kernel,
    _shared_folders,
    _folders,
    _path_length,
    _console,
    _fonts,
)
