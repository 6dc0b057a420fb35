"""Variation between general practices: chance, patients, shared by many, or exceptional.

The public names are loaded when first used, so that ``import gpvar`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpvar import catalogue as catalogue
    from gpvar import claims as claims
    from gpvar import multiverse as multiverse
    from gpvar import simulate as simulate
    from gpvar import stats as stats
    from gpvar.analysis import analyse as analyse
    from gpvar.analysis.draws import draws as draws
    from gpvar.claims import check_claim as check_claim
    from gpvar.pipeline import run as run
    from gpvar.reporting import show as show
    from gpvar.store import load_run as load_run
    from gpvar.study import load_study as load_study
    from gpvar.table import build_table as build_table

__version__ = "0.1.0"

#: Raised by one with every entry under "Changed numbers" in the changelog; part of the key of every run.
__numbers__ = 4

_HOMES = {
    "load_study": "gpvar.study",
    "build_table": "gpvar.table",
    "analyse": "gpvar.analysis",
    "run": "gpvar.pipeline",
    "load_run": "gpvar.store",
    "draws": "gpvar.analysis.draws",
    "check_claim": "gpvar.claims",
    "show": "gpvar.reporting",
}
_MODULES = ("catalogue", "claims", "multiverse", "simulate", "stats")

__all__ = ["__numbers__", "__version__", *_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    """Load a public name the first time it is asked for (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"gpvar.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'gpvar' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
