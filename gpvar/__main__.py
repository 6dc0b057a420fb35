"""``python -m gpvar`` is the same as the command ``gpvar``."""

from __future__ import annotations

import sys

from gpvar.cli import main

if __name__ == "__main__":
    sys.exit(main())
