"""What several tests need: where the shared material is, and where the reference answers are."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SHARED_REFERENCE = SHARED / "reference"

_REFERENCE_FOLDERS = tuple(
    home / part for home in (ROOT / "tests" / "reference", SHARED_REFERENCE) for part in ("stats", "multilevel")
)


def shared(*parts: str) -> Path:
    """Return a path under ``../shared``; skip the test, saying why, where that folder is not beside the checkout.

    A clone on its own has no such folder. Where the folder exists but the file does not, the name is wrong and
    the test fails.
    """
    if not SHARED.is_dir():
        pytest.skip(f"needs ../shared/{'/'.join(parts)}, and there is no shared folder beside this checkout")
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.fail(f"../shared/{'/'.join(parts)} does not exist, though ../shared does: is the name right?")
    return path


def reference(name: str) -> Path:
    """Return a file of reference answers, the committed copy first, then ``../shared/reference``.

    Tests that call this carry ``@pytest.mark.reference``. Without the shared folder the cases that live only there
    are skipped and counted as not present; with it, a name that is found nowhere is a failure, so that a misspelt
    name cannot pass for a missing folder.
    """
    for folder in _REFERENCE_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    if SHARED_REFERENCE.is_dir():
        pytest.fail(f"no reference file is called {name}: looked in tests/reference and ../shared/reference")
    pytest.skip(f"reference case {name} is not in tests/reference, and there is no ../shared/reference")
