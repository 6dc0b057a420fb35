"""The files of the catalogue: the one place where they are read, and those that are handed out as they are written."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from gpvar.errors import SourceError


def read(name: str) -> dict[str, Any]:
    """Return what a file of the catalogue says."""
    try:
        return tomllib.loads(files("gpvar.catalogue").joinpath(name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SourceError("A catalogue file cannot be read.", f"{name}: {error}", "Install gpvar again.") from error


def content(name: str) -> bytes:
    """Return a file of the catalogue byte for byte."""
    return files("gpvar.catalogue").joinpath(name).read_bytes()


@cache
def conventions() -> dict[str, Any]:
    """Return how tables of practices are written (`headers.toml`): code patterns, marks, known headings."""
    return read("headers.toml")


@cache
def readers() -> dict[str, Any]:
    """Return what the readers of official files know beforehand (`readers.toml`)."""
    return read("readers.toml")


@cache
def reference() -> dict[str, Any]:
    """Return what is known beforehand of England reference files (`reference.toml`)."""
    return read("reference.toml")
