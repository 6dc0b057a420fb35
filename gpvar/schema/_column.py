"""A column of a table, described."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name
        The heading, as written in the file.
    type
        ``"text"``, ``"code"``, ``"number"``, ``"whole number"`` or ``"yes/no"``.
    unit
        What a number counts; empty for text.
    meaning
        What the column says, in plain words.
    """

    name: str
    type: str
    unit: str
    meaning: str


def columns(*rows: tuple[str, str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


PRACTICE = ("practice_code", "code", "", "The practice's national (ODS) code")

RUNG = (
    "rung",
    "code",
    "",
    "What was allowed for: M0 nothing, M1 patients' needs, M1- without recorded disease, M2 also setting",
)
