"""How the command ends, and its own name in messages."""

from __future__ import annotations

import os

#: Exit statuses.
DONE, OUR_BUG, YOUR_INPUT, SOME_REPORTS_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
AS_WRITTEN = "python run.py"


def as_typed(text: str) -> str:
    """Return a message with our command written the way this person started it."""
    return text.replace(AS_WRITTEN, os.environ.get("GPVAR_COMMAND", "gpvar"))
