"""What a catalogue entry is: frozen dataclasses, and the checks that every entry must pass when it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from typing import Any, TypeVar

from gpvar.dates import MONTHS
from gpvar.errors import SourceError

KINDS = ("proportion", "rate")
BETTER = ("unknown", "higher", "lower")
STATUSES = ("official", "as reported", "in use", "local")
SEVERITIES = ("stop", "warn", "note")
CLASSES = ("need", "context", "supply", "process")
TRANSFORMS = ("spline", "standardise", "bounded", "logit", "dummies")
ROLES = ("need", "given", "chosen")
SHAPES = ("score", "shares", "prevalence", "category")
BREAK_KINDS = ("series", "method", "data fault", "policy", "geography")


@dataclass(frozen=True, slots=True)
class Artefact:
    """One way in which a metric can mislead."""

    what: str
    misleads: str


@dataclass(frozen=True, slots=True)
class GateUse:
    """A data-quality gate that a metric must pass, and what a failure does to it."""

    id: str
    severity: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of the appointments crosstab by the labels of one column: those named, or all but those."""

    column: str
    labels: tuple[str, ...]
    but: bool = False


@dataclass(frozen=True, slots=True)
class MetricCard:
    """What a metric is, what it can be compared on, and how it can mislead.

    Attributes
    ----------
    scale
        What the fraction or the rate per unit of exposure is multiplied by for display.
    margin
        The smallest difference worth talking about: points for a proportion, per cent for a rate.
    activity
        True when chance cannot be told from passing movement without monthly figures.
    adjust
        Covariate ids by rung: ``"M1"`` (need) and ``"M2"`` (context, added to M1).
    appointments
        ``"numerator"`` and ``"denominator"`` → which rows of the practice-level appointments crosstab are counted;
        no selection means every row. Empty for a metric of another source.
    """

    id: str
    version: int
    author: str
    reviewed: date
    title: str
    short: str
    question: str
    numerator: str
    denominator: str
    noun_numerator: str
    noun_denominator: str
    source: str
    kind: str
    unit: str
    scale: int
    margin: float
    gap_unit: str
    activity: bool
    numerator_columns: tuple[str, ...]
    adjust: dict[str, tuple[str, ...]]
    artefacts: tuple[Artefact, ...]
    gates: tuple[GateUse, ...]
    definition_status: str
    definition_note: str
    formula: str
    validity_faults: tuple[str, ...] = ()
    better: str = "unknown"
    appointments: dict[str, tuple[Selection, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CovariateCard:
    """Something practices may be compared like for like on.

    Attributes
    ----------
    cls
        ``need`` (rung M1), ``context`` (M2), ``supply`` (a labelled scenario only) or ``process`` (never).
    recorded
        True when the practice itself records it about its patients; rung M1- leaves it out.
    scenario
        True for supply that the practice did not choose: the scenario M3 may allow for it.
    adds
        True for a number of people: those of two practices that merge are added up.
    """

    id: str
    title: str
    phrase: str
    cls: str
    recorded: bool
    transform: str
    shape: str
    source: str
    adjust_warning: str
    years: str
    scenario: bool = False
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """What stands beside a practice's figure on the page of need, staff and funding.

    Attributes
    ----------
    role
        ``need`` (what the patients bring), ``given`` (supply the practice did not choose) or ``chosen`` (supply it
        decides on, which is never allowed for).
    top, bottom
        Characteristics that are divided, `bottom` may be ``list_size``; without `bottom` the value is `top`'s.
    per
        What the quotient is multiplied by.
    weighted
        Whether the list is first weighted as the national formula weighs the practice's patients.
    neighbours
        Whether it is of the other practices of the network, this one left out.
    metric
        For what is expected of patients like these: the metric whose rung M1 says so.
    unit, places
        What the number counts, and its decimals on the page.
    label
        Its unit in short, for a picture and a table.
    noun, less, more
        Words for a sentence; `less` and `more` end where the number of practices follows.
    things
        What the date that is said of it is a date of; empty where it is of the study's own period.
    yearly
        Whether its month is the last of a year.
    first_look
        Whether the first sentences of a page name it.
    """

    id: str
    title: str
    role: str
    unit: str
    label: str
    places: int
    noun: str
    less: str
    more: str
    note: str
    things: str = ""
    yearly: bool = False
    first_look: bool = True
    top: str = ""
    bottom: str = ""
    per: int = 1
    weighted: bool = False
    neighbours: bool = False
    metric: str = ""


@dataclass(frozen=True, slots=True)
class GateCard:
    """A data-quality gate: what it looks at, and what each of its three states means.

    Attributes
    ----------
    severity
        Used where a metric card names none.
    scope
        ``practice`` (a finding for each) or ``table`` (one finding for the whole).
    thresholds
        The numbers that the test uses, by name.
    more
        Whatever else the entry says, as written: the gate's own settings.
    """

    id: str
    title: str
    severity: str
    scope: str
    checks: str
    passed: str
    failed: str
    unchecked: str
    thresholds: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A target that belongs to one metric."""

    id: str
    metric: str
    value: float
    comparison: str
    announced: date
    due: date
    status: str
    wording: str
    source: str
    note: str
    ends: date | None = None

    def is_due(self, on: date) -> bool:
        """Say whether the target was to have been reached by a day."""
        return on >= self.due


@dataclass(frozen=True, slots=True)
class Break:
    """A day, or a spell, that a series should not be compared across."""

    id: str
    series: str
    start: date
    kind: str
    what: str
    evidence: str
    end: date | None = None

    @property
    def breaks_series(self) -> bool:
        """Whether figures on its two sides are not comparable."""
        return self.kind in ("series", "method", "data fault")


@dataclass(frozen=True, slots=True)
class SourceCard:
    """Where figures come from, and the line that must stand under anything made from them."""

    id: str
    title: str
    publisher: str
    page: str
    status: str
    licence: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How one official table is headed.

    Attributes
    ----------
    source
        The publication it belongs to.
    columns
        Its headings as published, in their order; for a file without headings, what its fields are.
    required
        The headings that make it this table and that are read.
    also
        Heading → names that other editions give it.
    headerless
        How many fields a file without headings has; 0 where there are headings.
    seen
        Whether the layout was read on a real file.
    dated_by
        The heading under which the date of the edition stands; empty where no column has it.
    """

    id: str
    source: str
    title: str
    member: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    seen: bool
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    headerless: int = 0
    dated_by: str = ""


@dataclass(frozen=True, slots=True)
class Quotation:
    """What a contract or a speaker said, word for word.

    Attributes
    ----------
    about
        Marks of the sentences of a letter that it bears on.
    not_said
        What it leaves open, in a sentence that may be sent; may be empty.
    in_letter
        Whether the one-page letter has room for it; what another quotation says as well is left to the contract card.
    note
        For whoever keeps the catalogue; sent to nobody.
    """

    id: str
    quotation: str
    speaker: str
    in_force: date
    dated: str
    status: str
    source: str
    note: str
    about: tuple[str, ...]
    not_said: str = ""
    in_letter: bool = True

    @property
    def day_known(self) -> bool:
        """Whether its day is known, and not only its month."""
        return self.sendable and self.dated[0].isdigit()

    @property
    def sendable(self) -> bool:
        """Whether it is dated to the month at least: what is not may stand in nothing that is sent."""
        return re.fullmatch(rf"([1-9]\d? )?({'|'.join(MONTHS)}) \d{{4}}", self.dated) is not None


@dataclass(frozen=True, slots=True)
class Icb:
    """An integrated care board, when its code was in force, and which boards hold its practices now.

    Attributes
    ----------
    sub_icbs
        Its sub-ICB locations, where the change of boards touched it.
    redrawn
        Those of them that began or grew with the change, and the boards from which their practices came.
    """

    code: str
    name: str
    region_code: str
    valid_from: date
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    sub_icbs: tuple[str, ...] = ()
    redrawn: dict[str, tuple[str, ...]] = field(default_factory=dict)


Card = TypeVar("Card")

_ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    ("MetricCard", "kind"): KINDS,
    ("MetricCard", "better"): BETTER,
    ("MetricCard", "definition_status"): STATUSES,
    ("GateUse", "severity"): SEVERITIES,
    ("GateCard", "severity"): SEVERITIES,
    ("GateCard", "scope"): ("practice", "table"),
    ("CovariateCard", "cls"): CLASSES,
    ("CovariateCard", "transform"): TRANSFORMS,
    ("CovariateCard", "shape"): SHAPES,
    ("Resource", "role"): ROLES,
    ("Break", "kind"): BREAK_KINDS,
}
_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "date": (date,),
    "date | None": (date,),
}


def _refuse(where: str, name: str, problem: str, fix: str) -> SourceError:
    return SourceError(f"A catalogue card cannot be used: {problem}.", f"{where}, field {name}", fix)


def _converted(value: Any, annotation: str, where: str, name: str) -> Any:
    if annotation in _SCALARS:
        # TOML keeps true apart from 1; Python does not.
        wrong_bool = isinstance(value, bool) and annotation != "bool"
        if wrong_bool or not isinstance(value, _SCALARS[annotation]):
            raise _refuse(where, name, f"{value!r} is not of the type {annotation}", "Correct the value in the card.")
        if isinstance(value, str) and not value.strip():
            raise _refuse(where, name, "the text is empty", "Write the sentence, or take the field out.")
        return float(str(value)) if annotation == "float" else value
    if annotation == "dict[str, Any]":
        return value
    if annotation == "tuple[str, ...]":
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise _refuse(where, name, "a list of texts is needed", 'Write it as ["one", "two"].')
        return tuple(value)
    if annotation == "dict[str, tuple[str, ...]]":
        if not isinstance(value, dict):
            raise _refuse(where, name, "a table of lists is needed", "Write one list for each rung.")
        return {key: _converted(item, "tuple[str, ...]", where, f"{name}.{key}") for key, item in value.items()}
    if annotation == "dict[str, tuple[Selection, ...]]":
        if not isinstance(value, dict) or not set(value) <= {"numerator", "denominator"}:
            raise _refuse(where, name, "it may hold numerator and denominator only", "Write one table for each.")
        return {part: selections(table, where, f"{name}.{part}") for part, table in value.items()}
    kind = {"tuple[Artefact, ...]": Artefact, "tuple[GateUse, ...]": GateUse}[annotation]
    if not isinstance(value, list):
        raise _refuse(where, name, "a list of tables is needed", f"Write each as [[{name}]].")
    return tuple(build(kind, item, f"{where}, {name} {number}") for number, item in enumerate(value, start=1))


def selections(table: Any, where: str, name: str) -> tuple[Selection, ...]:
    """Make selections of rows from a raw table: column → labels, or column → ``{ but = labels }``."""
    if not isinstance(table, dict):
        raise _refuse(where, name, "a table of columns is needed", 'Write it as { COLUMN = ["label"] }.')
    found = []
    for column, chosen in table.items():
        but = isinstance(chosen, dict)
        if but and set(chosen) != {"but"}:
            raise _refuse(where, f"{name}.{column}", "a table may hold but only", 'Write { but = ["label"] }.')
        labels = _converted(chosen["but"] if but else chosen, "tuple[str, ...]", where, f"{name}.{column}")
        found.append(Selection(column, labels, but))
    return tuple(found)


def build(kind: type[Card], raw: Mapping[str, Any], where: str) -> Card:
    """Make a card from a raw table, or refuse it by naming the card and the field.

    Parameters
    ----------
    kind
        The dataclass to make.
    raw
        Field names and values as read from TOML.
    where
        The file and entry, for the message.

    Returns
    -------
    Card
        The card.

    Raises
    ------
    SourceError
        If a field is missing, unknown, of the wrong type or holds a value that is not allowed.
    """
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    for name in raw:
        if name not in known:
            raise _refuse(where, name, "the field is not known", f"Use one of: {', '.join(known)}.")
    values: dict[str, Any] = {}
    for name, item in known.items():
        if name not in raw:
            if item.default is MISSING and item.default_factory is MISSING:
                raise _refuse(where, name, "the field is missing", "Add it to the card.")
            continue
        values[name] = _converted(raw[name], str(item.type), where, name)
        allowed = _ALLOWED.get((kind.__name__, name))
        if allowed and values[name] not in allowed:
            raise _refuse(where, name, f"{values[name]!r} is not allowed", f"Use one of: {', '.join(allowed)}.")
    return kind(**values)
