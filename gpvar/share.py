"""The only place that knows where notebooks, demo data, templates and the trial of the tool are kept."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT = {
    "notebooks": "notebooks",
    "demo": "data/demo",
    "templates": "data/templates",
    "calibration": "data/calibration",
}


def folder(name: str) -> Path:
    """Return the folder of shared files called `name`.

    Parameters
    ----------
    name
        ``"notebooks"``, ``"demo"``, ``"templates"`` or ``"calibration"``.

    Returns
    -------
    Path
        ``gpvar/_share/NAME`` in an installed wheel, the checkout's own folder otherwise.
    """
    installed = _PACKAGE / "_share" / name
    return installed if installed.is_dir() else _PACKAGE.parent / _IN_CHECKOUT[name]
