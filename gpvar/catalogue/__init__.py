"""What the NHS decides, as data: metric cards, covariates, sources, targets, breaks and boards, and their one loader.

Every fact lives in a TOML file beside this module. Entries are read once, checked field by field, and handed out as
frozen dataclasses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

from gpvar.catalogue import appointments
from gpvar.catalogue._cards import (
    Artefact,
    Break,
    CovariateCard,
    GateCard,
    GateUse,
    Icb,
    Layout,
    MetricCard,
    Quotation,
    Resource,
    Selection,
    SourceCard,
    Target,
    build,
)
from gpvar.catalogue._editions import Edition, Publication, covering
from gpvar.catalogue._editions import editions as _editions_of
from gpvar.catalogue._editions import publications as _publications_of
from gpvar.catalogue._files import conventions, readers, reference
from gpvar.catalogue._files import read as _read
from gpvar.errors import SourceError, StudyError

__all__ = [
    "Artefact",
    "Break",
    "CovariateCard",
    "Edition",
    "GateCard",
    "GateUse",
    "Icb",
    "Layout",
    "MetricCard",
    "Publication",
    "Quotation",
    "Resource",
    "Selection",
    "SourceCard",
    "Target",
    "appointments",
    "attributions",
    "breaks",
    "contract",
    "conventions",
    "covariate",
    "covariates",
    "editions",
    "editions_covering",
    "fingerprint",
    "gates",
    "icb_members",
    "icbs",
    "layouts",
    "metric",
    "metrics",
    "nearest",
    "publications",
    "readers",
    "reference",
    "resources",
    "scenario",
    "sources",
    "target",
    "targets",
]

Card = TypeVar("Card")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the advice for a word that is not known: the nearest one, or the whole list.

    Parameters
    ----------
    word
        What was written.
    known
        What could have been written.

    Returns
    -------
    str
        A sentence for the third line of an error.
    """
    choices = sorted(known)
    close = get_close_matches(word.lower(), [item.lower() for item in choices], n=1, cutoff=0.6)
    if close:
        best = next(item for item in choices if item.lower() == close[0])
        return f"Did you mean {best}?"
    return f"Use one of: {', '.join(choices)}."


@cache
def _raw_metrics() -> dict[str, dict[str, Any]]:
    folder = files(__package__).joinpath("metrics")
    raw = {}
    for name in sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml")):
        table = _read(f"metrics/{name}")
        if table.get("id") != name.removesuffix(".toml"):
            raise SourceError(
                "A catalogue card cannot be used: its id is not its file name.", f"{name}, field id", "Make them equal."
            )
        raw[table["id"]] = table
    return raw


@cache
def _raw_covariates() -> dict[str, dict[str, Any]]:
    return _read("covariates.toml")


def _entries(kind: type[Card], name: str, key: str = "id") -> Mapping[str, Card]:
    return MappingProxyType(
        {entry: build(kind, {key: entry, **table}, f"{name}, {entry}") for entry, table in _read(name).items()}
    )


@cache
def metrics() -> Mapping[str, MetricCard]:
    """Return every metric card by id."""
    cards = {entry: build(MetricCard, raw, f"{entry}.toml") for entry, raw in _raw_metrics().items()}
    for card in cards.values():
        _check_metric(card)
    return MappingProxyType(cards)


def _check_metric(card: MetricCard) -> None:
    """Refuse a card whose defaults name what does not exist or must not be adjusted for."""
    classes = {"M1": "need", "M2": "context"}
    for rung, ids in card.adjust.items():
        where = f"{card.id}.toml, field adjust.{rung}"
        if rung not in classes:
            raise SourceError("A metric card has an unknown rung.", where, "Use M1 or M2.")
        for name in ids:
            found = covariates().get(name)
            if found is None:
                problem = f"A metric card adjusts for {name}, which is not in the catalogue."
                raise SourceError(problem, where, nearest(name, covariates()))
            if found.cls != classes[rung]:
                raise SourceError(
                    f"A metric card adjusts for {name} on rung {rung}, but it is of class {found.cls}.",
                    where,
                    f"Rung {rung} takes covariates of class {classes[rung]} only.",
                )
    if card.source not in sources():
        problem = f"A metric card names the source {card.source}, which is not in the catalogue."
        raise SourceError(problem, f"{card.id}.toml, field source", nearest(card.source, sources()))
    appointments.check(card)


def metric(metric_id: str) -> MetricCard:
    """Return one metric card.

    Raises
    ------
    StudyError
        If there is no such metric; the nearest one is suggested.
    """
    return _lookup("metric", metric_id, metrics())


@cache
def covariates() -> Mapping[str, CovariateCard]:
    """Return every covariate card by id."""
    cards = _entries(CovariateCard, "covariates.toml")
    for card in cards.values():
        if card.source not in sources():
            problem = f"A covariate names the source {card.source}, which is not in the catalogue."
            raise SourceError(problem, f"covariates.toml, {card.id}, field source", nearest(card.source, sources()))
    return cards


def covariate(covariate_id: str) -> CovariateCard:
    """Return one covariate card.

    Raises
    ------
    StudyError
        If there is no such covariate; the nearest one is suggested.
    """
    return _lookup("covariate", covariate_id, covariates())


@cache
def resources() -> Mapping[str, Resource]:
    """Return what stands beside a figure on the page of need, staff and funding, by id, in the order of the page."""
    cards = _entries(Resource, "resources.toml")
    for card in cards.values():
        where = f"resources.toml, {card.id}"
        known = {*covariates(), "list_size", ""}
        strangers = [name for name in (card.top, card.bottom) if name not in known]
        if strangers:
            raise SourceError(f"A resource names {strangers[0]}, which is no characteristic.", where, "Correct it.")
        if bool(card.top) == bool(card.metric) or (card.metric and card.metric not in metrics()):
            raise SourceError("A resource needs either a characteristic or a metric.", where, "Correct it.")
    return cards


@cache
def scenario() -> tuple[str, ...]:
    """Return the characteristics that the scenario M3 allows for unless a study says otherwise: supply not chosen."""
    return tuple(card.id for card in covariates().values() if card.scenario)


def _lookup(noun: str, entry: str, cards: Mapping[str, Card]) -> Card:
    if entry not in cards:
        raise StudyError(f"There is no {noun} called {entry!r}.", f"{noun} {entry!r}", nearest(entry, cards))
    return cards[entry]


@cache
def gates() -> Mapping[str, GateCard]:
    """Return every data-quality gate by id."""
    own = {item.name for item in fields(GateCard)}
    cards = {}
    for number, table in enumerate(_read("gates.toml")["gate"], start=1):
        core = {name: value for name, value in table.items() if name in own}
        more = {name: value for name, value in table.items() if name not in own}
        card = build(GateCard, {**core, "more": more}, f"gates.toml, {table.get('id', number)}")
        cards[card.id] = card
    return MappingProxyType(cards)


@cache
def targets() -> Mapping[str, Target]:
    """Return every target by id."""
    cards = _entries(Target, "targets.toml")
    for card in cards.values():
        metric(card.metric)
    return cards


def target(metric_id: str, on: date) -> Target | None:
    """Return the target of a metric in force on a day.

    Parameters
    ----------
    metric_id
        The metric the target would be held against.
    on
        The day. A target is in force from the day it was announced; `Target.is_due` says whether it was to
        have been reached by then.

    Returns
    -------
    Target or None
        None when the metric has a target, but not on that day.

    Raises
    ------
    StudyError
        If the metric has no target: one that belongs to another metric may not be held against it.
    """
    card = metric(metric_id)
    own = [item for item in targets().values() if item.metric == metric_id]
    if not own:
        others = "; ".join(f"{metric(item.metric).short}: {item.wording}" for item in targets().values())
        raise StudyError(
            f"There is no target for {card.short}.",
            f"metric {metric_id!r}",
            f"A target belongs to its own metric and may not be held against another ({others}).",
        )
    in_force = [item for item in own if item.announced <= on and (item.ends is None or on <= item.ends)]
    return max(in_force, key=lambda item: item.announced, default=None)


@cache
def _all_breaks() -> tuple[Break, ...]:
    tables = enumerate(_read("breaks.toml")["break"], start=1)
    found = [build(Break, table, f"breaks.toml, {table.get('id', number)}") for number, table in tables]
    return tuple(sorted(found, key=lambda item: (item.start, item.id)))


def breaks(series: str) -> tuple[Break, ...]:
    """Return the breaks of a series, and those of every series, by date.

    Parameters
    ----------
    series
        The source id of the series, such as ``"gpad"``; ``"ag"`` and ``"ag_extract"`` are one series.
    """
    name = series.removesuffix("_extract")
    return tuple(item for item in _all_breaks() if item.series in (name, "all"))


@cache
def sources() -> Mapping[str, SourceCard]:
    """Return every source by id."""
    return _entries(SourceCard, "sources.toml")


@cache
def layouts() -> Mapping[str, Layout]:
    """Return every layout of an official table by id."""
    cards = _entries(Layout, "layouts.toml")
    for card in cards.values():
        where = f"layouts.toml, {card.id}"
        if card.source not in sources():
            raise SourceError(f"A layout names the source {card.source}.", where, nearest(card.source, sources()))
        strangers = [name for name in (*card.required, *card.also) if name not in card.columns]
        if strangers:
            raise SourceError(f"A layout requires {strangers[0]}, which is not a column of it.", where, "Add it.")
    return cards


@cache
def publications() -> Mapping[str, Publication]:
    """Return every publication that holds an official file, by id."""
    return MappingProxyType(_publications_of(_read("editions.toml"), sources(), layouts()))


@cache
def editions() -> tuple[Edition, ...]:
    """Return every edition of an official file whose place is known."""
    return _editions_of(_read("editions.toml"), publications())


def editions_covering(publication: str, months: Sequence[str]) -> tuple[Edition, ...]:
    """Return the editions of a publication to get for some months.

    Parameters
    ----------
    publication
        Id of the publication, such as ``"gpad"``.
    months
        The months wanted, as ``"2025-04"``, in order.

    Returns
    -------
    tuple of Edition
        Of a monthly publication the fewest editions that cover the months; one that is not known stands there with
        its page and without an address. Of any other publication its newest known edition.
    """
    card = _lookup("publication", publication, publications())
    if card.every == "month":
        return covering(editions(), card, months)
    own = [item for item in editions() if item.publication == publication]
    return tuple(sorted(own, key=lambda item: item.edition)[-1:])


def attributions() -> dict[str, str]:
    """Return the line that must stand under figures from each source, by source id."""
    return {entry: card.attribution for entry, card in sources().items()}


@cache
def contract() -> Mapping[str, Quotation]:
    """Return the dated quotations by id."""
    return _entries(Quotation, "contract.toml")


@cache
def icbs() -> Mapping[str, Icb]:
    """Return every integrated care board by code, those that have ended included."""
    cards = _entries(Icb, "icbs.toml", key="code")
    for card in cards.values():
        for code in card.successors:
            if code not in cards:
                where = f"icbs.toml, {card.code}, field successors"
                raise SourceError(f"A board's successor {code} is not in the list.", where, nearest(code, cards))
    return cards


def icb_members(on: date) -> dict[str, Icb]:
    """Return the boards in force on a day, by code."""
    return {
        code: card
        for code, card in icbs().items()
        if card.valid_from <= on and (card.valid_to is None or on <= card.valid_to)
    }


#: Files that decide numbers of any study, beside the cards of its own metrics and characteristics.
_DECIDES = (
    "gates",
    "icbs",
    "breaks",
    "targets",
    "headers",
    "appointments",
    "readers",
    "resources",
    "multiverse",
    "countings",
)


def fingerprint(metric_ids: Iterable[str], covariate_ids: Iterable[str]) -> str:
    """Return the SHA-256 of the cards that an analysis uses, and of the files that decide numbers of any study.

    Parameters
    ----------
    metric_ids, covariate_ids
        The cards. Order and repetition do not matter.

    Returns
    -------
    str
        64 hexadecimal digits. Taken over the entries as read, so that line endings do not change it.
    """
    used = {
        "metrics": {entry: _raw_metrics()[metric(entry).id] for entry in set(metric_ids)},
        "covariates": {entry: _raw_covariates()[covariate(entry).id] for entry in set(covariate_ids)},
        "shared": {shared: _read(f"{shared}.toml") for shared in _DECIDES},
    }
    text = json.dumps(used, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
