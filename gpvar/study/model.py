"""What a study is: frozen values, all of them validated before they are made."""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpvar.dates import month_in_words
from gpvar.errors import StudyError

AREA_KINDS = ("icb", "sub_icb", "pcn", "list")
REFERENCE_SETS = ("england", "region", "icb")
REPORT_KINDS = ("practice", "area", "claims", "research")
#: Those that a study makes unless it says otherwise.
DEFAULT_KINDS = ("practice", "area", "claims")
REPORT_FORMATS = ("html", "docx")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, first and last included, each as ``"2025-04"``."""

    start: str
    end: str

    @property
    def first_day(self) -> dt.date:
        """The first day of the first month."""
        return dt.date(int(self.start[:4]), int(self.start[5:]), 1)

    @property
    def last_day(self) -> dt.date:
        """The last day of the last month."""
        year, month = int(self.end[:4]), int(self.end[5:])
        return dt.date(year, month, calendar.monthrange(year, month)[1])

    @property
    def months(self) -> int:
        """How many months the period has."""
        return months_between(self.start, self.end) + 1

    @property
    def weeks(self) -> float:
        """How many weeks the period has."""
        return ((self.last_day - self.first_day).days + 1) / 7

    @property
    def label(self) -> str:
        """The period in words, as ``"April 2025 to March 2026"``."""
        first, last = month_in_words(self.start), month_in_words(self.end)
        return first if self.start == self.end else f"{first} to {last}"


@dataclass(frozen=True, slots=True)
class Area:
    """Whom the reports are about: an organisation by its code, the practices of a list, or one group of a list.

    Attributes
    ----------
    list, group
        The id of one of the study's lists, and which of its groups is meant.
    """

    kind: str
    code: str = ""
    file: Path | None = None
    name: str = ""
    practices: tuple[str, ...] = ()
    list: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class ListSpec:
    """A list of practices and the group of each: neighbourhoods, federations, areas of an LMC.

    Attributes
    ----------
    column
        The heading of the column of groups, where the file has more than one that may be it.
    """

    id: str
    file: Path
    column: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Whom practices are compared with, on which date's map, and which gates leave a practice out of the fit."""

    set: str = "england"
    hierarchy_date: dt.date | None = None
    exclude: tuple[str, ...] = ("atypical", "list_under_1000")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One file, and which of its columns mean what; or the files of one publication, which need no such list.

    Attributes
    ----------
    id
        A name of the study's own, or the catalogue's id of a publication.
    file, more_files
        The file; the further ones of a publication that comes in several.
    columns
        What is held → heading, or headings to be added up; empty for a publication.
    period
        The months that the counts are of, where these are not the study's own; None where they are.
    """

    id: str
    file: Path
    sheet: str | None = None
    columns: dict[str, str | list[str]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    layout: str = "wide"
    long: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    edition: str = ""
    sum_rows: bool = False
    more_files: tuple[Path, ...] = ()
    period: Period | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the source."""
        return (self.file, *self.more_files)

    @property
    def is_publication(self) -> bool:
        """Whether the files are official ones, whose columns gpvar knows."""
        return not self.columns


@dataclass(frozen=True, slots=True)
class Reports:
    """Which reports are made, in which formats; no part of the analysis."""

    kinds: tuple[str, ...] = DEFAULT_KINDS
    formats: tuple[str, ...] = REPORT_FORMATS


@dataclass(frozen=True, slots=True)
class Ways:
    """In which other ways every metric is analysed.

    Attributes
    ----------
    specifications
        How many analyses are made: the declared ones, then a sample of their combinations; None for those alone.
    choices
        Which choices of the catalogue may be made otherwise; empty for all.
    """

    specifications: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that decides the numbers, and what to call them.

    Attributes
    ----------
    letter, claims
        The spreadsheet of what the letter says, and sentences that stand in the study itself, as they are written
        there. They decide findings, not numbers, and so are no part of a run's key.
    multiverse
        In which other ways metrics are analysed; None where the study leaves it to the catalogue.
    """

    schema: int
    title: str
    seed: int
    declared: dt.date
    period: Period
    metrics: tuple[str, ...]
    area: Area
    reference: Reference
    adjust: dict[str, tuple[str, ...]] | None
    sources: tuple[SourceSpec, ...]
    reports: Reports
    simulated: bool
    path: Path | None
    folder: Path
    events: Path | None = None
    lists: tuple[ListSpec, ...] = ()
    letter: Path | None = None
    claims: tuple[dict[str, Any], ...] = ()
    multiverse: Ways | None = None

    @property
    def own_sources(self) -> tuple[SourceSpec, ...]:
        """The files of the study's own period."""
        return tuple(source for source in self.sources if source.period is None)

    @property
    def period_sources(self) -> tuple[SourceSpec, ...]:
        """The files whose counts are of other months than the study's."""
        return tuple(source for source in self.sources if source.period is not None)

    def analysis_part(self) -> dict[str, Any]:
        """Return what decides the numbers, in one canonical form.

        Titles, reports and the places of files are left out: what a file holds enters a run's key by its own hash.
        """
        return {
            "schema": self.schema,
            "seed": self.seed,
            "period": [self.period.start, self.period.end],
            "metrics": sorted(self.metrics),
            "area": {
                "kind": self.area.kind,
                "code": self.area.code,
                "practices": sorted(self.area.practices),
                "list": self.area.list,
                "group": self.area.group,
            },
            "reference": {
                "set": self.reference.set,
                "hierarchy_date": str(self.reference.hierarchy_date or ""),
                "exclude": sorted(self.reference.exclude),
            },
            "adjust": None if self.adjust is None else {rung: list(ids) for rung, ids in sorted(self.adjust.items())},
            "sources": [
                {
                    "id": source.id,
                    "sheet": source.sheet or "",
                    "columns": dict(sorted(source.columns.items())),
                    "dates": dict(sorted(source.dates.items())),
                    "layout": source.layout,
                    "long": dict(sorted(source.long.items())),
                    "missing": sorted(source.missing),
                    "sum_rows": source.sum_rows,
                    # Of a table of one's own the edition is a remark; of a publication it chooses what is read.
                    "edition": source.edition if source.is_publication else "",
                    # Only where it is given: the runs of studies without it keep their keys.
                    **({"period": [source.period.start, source.period.end]} if source.period else {}),
                }
                for source in self.sources
            ],
            "lists": [[item.id, item.column] for item in self.lists],
            "simulated": self.simulated,
            **self._ways_asked(),
        }

    def _ways_asked(self) -> dict[str, Any]:
        """Return the part of the other ways, only where they are given: other studies keep their keys and locks."""
        asked = self.multiverse
        return {} if asked is None else {"multiverse": [asked.specifications, *sorted(asked.choices)]}

    @property
    def hash(self) -> str:
        """SHA-256 of the analysis part."""
        text = json.dumps(self.analysis_part(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def parse_period(text: str) -> Period:
    """Return the period written as ``"2025-04..2026-03"``, or a single month ``"2025-04"``.

    Raises
    ------
    ValueError
        With the reason in words.
    """
    start, dots, end = (part.strip() for part in text.partition(".."))
    months = [start, end if dots else start]
    for month in months:
        if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", month):
            raise ValueError(f"'{month or text}' is not a month written as 2025-04")
    if months[1] < months[0]:
        raise ValueError(f"the period ends ({months[1]}) before it starts ({months[0]})")
    return Period(*months)


def period_asked(text: str | None) -> Period | None:
    """Return the period that a person gave with ``--period``; None where none was given.

    Raises
    ------
    StudyError
        When it cannot be read.
    """
    try:
        return parse_period(text) if text else None
    except ValueError as error:
        raise StudyError(
            f"The period cannot be read: {error}.", f"--period {text}", "Write it as 2025-04..2026-03."
        ) from None


def months_between(first: str, last: str) -> int:
    """Return how many months after `first` the month `last` is, both as ``"2025-04"``."""
    return 12 * (int(last[:4]) - int(first[:4])) + int(last[5:7]) - int(first[5:7])


def months_of(period: Period) -> list[str]:
    """Return the months of a period, as ``"2025-04"``."""
    first = 12 * int(period.start[:4]) + int(period.start[5:]) - 1
    return [f"{(first + step) // 12:04d}-{(first + step) % 12 + 1:02d}" for step in range(period.months)]
