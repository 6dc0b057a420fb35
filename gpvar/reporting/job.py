"""One report to be made, and the folder it goes to."""

from __future__ import annotations

from dataclasses import dataclass, field

SEND, PRIVATE = "to-send", "private"


@dataclass(frozen=True, slots=True)
class Job:
    """One report to be made from one notebook; the index lists it by its label."""

    kind: str
    stem: str
    title: str
    label: str
    summary: str
    notebook: str
    folder: str
    parameters: dict[str, str] = field(default_factory=dict)
    formulas: bool = False
