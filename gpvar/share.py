"""The only place that knows where notebooks, demo data and templates are kept."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT = {"notebooks": "notebooks", "demo": "data/demo", "templates": "data/templates"}


def folder(name: str) -> Path:
    """Return the folder of shared files called `name`.

    Parameters
    ----------
    name
        ``"notebooks"``, ``"demo"`` or ``"templates"``.

    Returns
    -------
    Path
        ``gpvar/_share/NAME`` in an installed wheel, the checkout's own folder otherwise.
    """
    installed = _PACKAGE / "_share" / name
    return installed if installed.is_dir() else _PACKAGE.parent / _IN_CHECKOUT[name]
