"""The sheet on which a letter is written down: its columns, and the words that are understood in them, as data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from gpvar.catalogue._cards import build
from gpvar.catalogue._files import read
from gpvar.catalogue.letters import Template, templates

FILE = "letter.xlsx"
#: The sheet to fill in, and those beside it, which are not read.
LETTER, EXAMPLES, KINDS, NOTES, LISTS = "letter", "examples", "kinds", "notes", "lists"
BESIDE = (EXAMPLES, KINDS, NOTES, LISTS)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the sheet.

    Attributes
    ----------
    field
        The field of a claim, and the word of a ``[[claim]]`` in a study.
    prompt
        What is shown beside a cell.
    list
        Which list of words it offers; `only` where nothing else may be written.
    """

    field: str
    heading: str
    width: int
    prompt: str
    list: str = ""
    only: bool = False


@cache
def columns() -> Mapping[str, Column]:
    """Return the columns by field, from left to right."""
    found = [build(Column, table, f"letter.toml, {table.get('field')}") for table in read("letter.toml")["column"]]
    return MappingProxyType({column.field: column for column in found})


@cache
def words() -> Mapping[str, Any]:
    """Return the tables of ``letter.toml`` as they are written."""
    return MappingProxyType(read("letter.toml"))


def plain(text: str) -> str:
    """Return words without what people do not mean by them: capitals, signs, spaces of all kinds."""
    return " ".join(re.sub(r"\W|_", " ", unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")).split())


@cache
def kinds() -> Mapping[str, str]:
    """Return what names a kind of sentence, in plain words, and the id of the template."""
    found: dict[str, str] = {}
    for template in templates().values():
        for name in (template.id, template.title, str(template.number), f"{template.number} {template.title}"):
            found[plain(name)] = template.id
    return MappingProxyType(found)


@cache
def comparators() -> Mapping[str, str]:
    """Return what names a comparator, in plain words, and its id."""
    return _named({name: (name, table["heading"], *table["also"]) for name, table in words()["comparator"].items()})


@cache
def directions() -> Mapping[str, str]:
    """Return what names a side, in plain words, and ``"low"`` or ``"high"``."""
    return _named({name: (name, *also) for name, also in words()["direction"].items()})


@cache
def measures() -> Mapping[str, tuple[str, ...]]:
    """Return what measures are called beside their ids and titles, by id."""
    return MappingProxyType({name: tuple(also) for name, also in words()["measure"].items()})


def examples() -> tuple[tuple[Template, dict[str, str]], ...]:
    """Return one worked row for each kind of sentence: field → what is written there, as ids where it has a list."""
    return tuple((template, {"text": template.example, **words()["example"][i]}) for i, template in templates().items())


def _named(names: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
    return MappingProxyType({plain(word): name for name, group in names.items() for word in group})
