"""The demonstration: a study of simulated practices, laid out in a folder like any user's study."""

from __future__ import annotations

import shutil
from pathlib import Path

from gpvar import share
from gpvar.errors import StudyError


def lay_out(into: Path | str) -> Path:
    """Copy the simulated study into a folder.

    Parameters
    ----------
    into
        The folder; made when it is not there. A demonstration that is there already is refreshed.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    StudyError
        When the folder holds something else, or cannot be written.
    """
    folder, demo = Path(into), share.folder("demo")
    ours = {path.name for path in demo.iterdir()}
    try:
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        if there and not _is_a_demonstration(folder, demo):
            raise StudyError(
                "This folder already holds something other than the demonstration.",
                str(folder),
                "Name another folder: demo --into FOLDER",
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(ours):
            shutil.copyfile(demo / name, folder / name)
    except OSError as error:
        raise StudyError(
            "The demonstration could not be written.",
            f"{folder} ({error.strerror or error})",
            "Name a folder in which you may write: demo --into FOLDER",
        ) from error
    return folder


def _is_a_demonstration(folder: Path, demo: Path) -> bool:
    study = folder / "study.toml"
    return study.is_file() and study.read_bytes() == (demo / "study.toml").read_bytes()
