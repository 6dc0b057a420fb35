"""The choices of an analysis that could be made otherwise, their options, and those that are made by default."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from gpvar import catalogue
from gpvar.catalogue import countings
from gpvar.catalogue._files import read
from gpvar.errors import SourceError

FILE = "multiverse.toml"
#: The option that stands for each other way of counting that a study holds.
OTHER = "other"


@cache
def choices() -> Mapping[str, tuple[str, ...]]:
    """Return the options of each choice, the one that a study's own analysis takes first."""
    return MappingProxyType({name: tuple(options) for name, options in read(FILE)["choices"].items()})


@cache
def default() -> tuple[Mapping[str, str], ...]:
    """Return the analyses that are made by default, each as the choices in which it differs; the first in none.

    Raises
    ------
    SourceError
        When one names a choice or an option that does not exist, or the first is not the study's own.
    """
    found = tuple(MappingProxyType(dict(entry)) for entry in read(FILE)["default"])
    strangers = [
        f"{choice} = {option}"
        for entry in found
        for choice, option in entry.items()
        if option not in choices().get(choice, ())
    ]
    if strangers or not found or found[0]:
        said = f"names {strangers[0]}, which is no option" if strangers else "does not begin with the study's own"
        raise SourceError(f"The list of default analyses {said}.", FILE, "Correct it.")
    return found


@cache
def leaves_out() -> Mapping[str, frozenset[str]]:
    """Return which characteristics each option of `covariates` leaves out; what practices record is taken by card."""
    named = {option: frozenset(ids) for option, ids in read(FILE)["leaves_out"].items()}
    recorded = frozenset(card.id for card in catalogue.covariates().values() if card.recorded)
    return MappingProxyType({"declared": frozenset(), "no_recorded": recorded, **named})


def indices() -> tuple[str, ...]:
    """Return the editions of the index of deprivation, the newest first."""
    return tuple(read(FILE)["leaves_out"]["no_deprivation"])


def straight_between() -> tuple[float, float]:
    """Return between which pooled shares differences may be judged as they are, without a link."""
    low, high = read(FILE)["identity"]["between"]
    return float(low), float(high)


def denominators(metric: str) -> tuple[countings.Counting, ...]:
    """Return the other ways of counting that ask the same question as a measure's card."""
    return tuple(countings.countings()[name] for name in read(FILE)["denominators"].get(metric, ()))
