"""JupyterLab on a study: copies of the notebooks beside it, so that ours stay as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gpvar import share
from gpvar.errors import ReportError


def open_lab(folder: Path) -> int:
    """Copy the notebooks into ``STUDY/notebooks`` (those already there are kept) and open JupyterLab.

    Parameters
    ----------
    folder
        The study's folder.

    Returns
    -------
    int
        JupyterLab's exit status.
    """
    home = Path(folder) / "notebooks"
    try:
        home.mkdir(parents=True, exist_ok=True)
        for source in sorted(share.folder("notebooks").glob("*.ipynb")):
            if not (home / source.name).exists():
                shutil.copyfile(source, home / source.name)
    except OSError as error:
        raise ReportError(
            "The notebooks could not be copied.",
            f"{home} ({error.strerror or error})",
            "Check that you may write there.",
        ) from error
    package = str(Path(__file__).resolve().parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={home}"]
    start = home / "start.ipynb"
    if start.exists():
        command.append(f"--LabApp.default_url=/lab/tree/{start.name}")
    return subprocess.run(command, env=environment, check=False).returncode
