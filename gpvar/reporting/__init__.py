"""From a stored run to pages that can be sent: run a notebook, take what it showed, publish it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpvar.reporting.ask import publish_ask as publish_ask
    from gpvar.reporting.calibration import publish_calibration as publish_calibration
    from gpvar.reporting.display import show as show
    from gpvar.reporting.draws_files import draws_folder as draws_folder
    from gpvar.reporting.draws_files import draws_size as draws_size
    from gpvar.reporting.draws_files import write_draws as write_draws
    from gpvar.reporting.index import publish_check as publish_check
    from gpvar.reporting.lab import open_lab as open_lab
    from gpvar.reporting.letter import require_letter as require_letter
    from gpvar.reporting.letter_pages import annex_charts as annex_charts
    from gpvar.reporting.letter_pages import claim_pages as claim_pages
    from gpvar.reporting.own_page import publish_own as publish_own
    from gpvar.reporting.reports import PublishResult as PublishResult
    from gpvar.reporting.reports import publish_run as publish_run

# Loaded when asked for: a notebook needs only `show`, and must not pay for papermill.
_HOMES = {
    "show": "display",
    "claim_pages": "letter_pages",
    "annex_charts": "letter_pages",
    "require_letter": "letter",
    "publish_run": "reports",
    "PublishResult": "reports",
    "publish_ask": "ask",
    "publish_calibration": "calibration",
    "publish_check": "index",
    "publish_own": "own_page",
    "open_lab": "lab",
    "draws_folder": "draws_files",
    "draws_size": "draws_files",
    "write_draws": "draws_files",
}
__all__ = [
    "PublishResult",
    "annex_charts",
    "claim_pages",
    "draws_folder",
    "draws_size",
    "open_lab",
    "publish_ask",
    "publish_calibration",
    "publish_check",
    "publish_own",
    "publish_run",
    "require_letter",
    "show",
    "write_draws",
]


def __getattr__(name: str) -> Any:
    """Load a public name the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gpvar.reporting' has no attribute {name!r}")
    return getattr(importlib.import_module(f"gpvar.reporting.{_HOMES[name]}"), name)
