"""The command: its words are in `parser`, what they do in `jobs`; here every way of ending is answered."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gpvar.cli.ending import DONE, INTERRUPTED, OUR_BUG, SOME_REPORTS_FAILED, YOUR_INPUT, as_typed
from gpvar.cli.parser import parser
from gpvar.errors import GpvarError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DONE", "INTERRUPTED", "OUR_BUG", "SOME_REPORTS_FAILED", "YOUR_INPUT", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments
        The words after ``gpvar``; those of the command line when None.

    Returns
    -------
    int
        0 done, 1 a bug of ours (a log file is named), 2 the user's input, 3 some reports failed, 130 interrupted.
    """
    _speak_utf8()
    try:
        chosen = parser().parse_args(arguments)
        return int(chosen.command(chosen) or DONE)
    except GpvarError as error:
        print(as_typed(str(error)), file=sys.stderr)
        return YOUR_INPUT
    except BrokenPipeError:  # whoever read the output has seen enough
        _let_go_of_output()
        return DONE
    except KeyboardInterrupt:
        print("Stopped. What was finished before is kept; nothing half-written is used.", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        print(_bug_message(), file=sys.stderr)
        return OUR_BUG


def _speak_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def _let_go_of_output() -> None:
    """Point standard output nowhere, so that closing it at the end of the process meets no broken pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug_message() -> str:
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    log = Path(tempfile.gettempdir()) / f"gpvar-{stamp}.log"
    try:
        log.write_text(traceback.format_exc(), encoding="utf-8")
        place = str(log)
    except OSError:
        place = "no log could be written"
    return str(
        GpvarError(
            "gpvar met a problem it did not expect. This is a fault in gpvar, not in your data.",
            place,
            "Send that file with the report of the fault; it holds no data from your study beyond what the message "
            "names. Earlier results are untouched.",
        )
    )
