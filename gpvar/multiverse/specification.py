"""Which analyses are made: those declared, then a seeded sample of every combination of options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from gpvar.catalogue import multiverse as declared
from gpvar.errors import StudyError
from gpvar.problems import nearest

Options = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Specification:
    """One way of making the analysis.

    Attributes
    ----------
    taken
        Choice → the option it takes.
    why_not
        Why it cannot be made; empty where it can, as far as is known beforehand.
    """

    taken: Mapping[str, str]
    why_not: str = ""


def primary(options: Options) -> dict[str, str]:
    """Return the option of each choice that the study's own analysis takes."""
    return {choice: next(iter(known)) for choice, known in options.items()}


def listed(options: Options, choices: Sequence[str] = ()) -> list[Specification]:
    """Return the analyses of the catalogue's default list, the study's own first.

    Parameters
    ----------
    options
        Choice → option → why a study cannot take it (`gpvar.multiverse.options.options_of`).
    choices
        Which choices may be made otherwise; empty for all.
    """
    entries = [entry for entry in declared.default() if not choices or set(entry) <= set(choices)]
    return named(options, entries)


def named(options: Options, entries: Iterable[Mapping[str, str]]) -> list[Specification]:
    """Return the analyses that differ from the study's own as each entry says; the study's own first, each once.

    Raises
    ------
    StudyError
        When an entry names a choice or an option that does not exist.
    """
    own = primary(options)
    found: dict[tuple[str, ...], Specification] = {tuple(own.values()): Specification(own)}
    for entry in entries:
        for spelt in _spelt_out(options, entry):
            taken = own | spelt
            if taken == own:
                # An option that is the study's own by another name, such as a regression where there is no model.
                continue
            found.setdefault(tuple(taken.values()), Specification(taken, _why_not(options, taken)))
    return list(found.values())


def sampled(options: Options, first: Sequence[Specification], count: int, seed: int) -> list[Specification]:
    """Return `first`, then combinations of options drawn at random until `count` can be made.

    Parameters
    ----------
    options
        Choice → option → why a study cannot take it.
    first
        The declared analyses; where they are more than `count`, so many of them.
    count
        How many analyses are wanted; fewer are returned where there are no more combinations.
    seed
        Of the draws, which are without replacement from every combination that can be made.
    """
    found: list[Specification] = []
    for spec in first:
        if spec.why_not or sum(not known.why_not for known in found) < count:
            found.append(spec)
    missing = count - sum(not spec.why_not for spec in found)
    seen = {tuple(spec.taken.values()) for spec in found}
    for taken in _shuffled(options, seed) if missing > 0 else ():
        if missing == 0:
            break
        if tuple(taken.values()) not in seen and not _why_not(options, taken):
            found.append(Specification(taken))
            missing -= 1
    return found


def _shuffled(options: Options, seed: int) -> Iterator[dict[str, str]]:
    """Yield every combination of options that a study has data for, in random order."""
    able = {choice: [option for option, why in known.items() if not why] for choice, known in options.items()}
    for number in np.random.default_rng(seed).permutation(prod(map(len, able.values()))):
        taken, left = {}, int(number)
        for choice, known in able.items():
            left, at = divmod(left, len(known))
            taken[choice] = known[at]
        yield taken


def _why_not(options: Options, taken: Mapping[str, str]) -> str:
    """Return why an analysis cannot be made: the first of its options that cannot, or two that exclude each other."""
    own = primary(options)
    for choice, option in taken.items():
        if option != own[choice] and options[choice].get(option, "no_data"):
            return options[choice].get(option, "no_data")
    reshaped = taken["deprivation"] != own["deprivation"]
    return "several" if reshaped and taken["covariates"] == "no_deprivation" else ""


def _spelt_out(options: Options, entry: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield an entry with each way of counting that stands for "other"."""
    for choice, option in entry.items():
        if choice not in options:
            fix = nearest(choice, options).strip() or f"The choices are: {', '.join(options)}."
            raise StudyError(f"There is no choice called '{choice}'.", "specifications", fix)
        known = {*options[choice], *declared.choices()[choice]}
        if option not in known:
            fix = nearest(option, known).strip() or f"Its options are: {', '.join(sorted(known))}."
            raise StudyError(f"The choice '{choice}' has no option called '{option}'.", "specifications", fix)
    if entry.get("denominator") != declared.OTHER:
        yield dict(entry)
        return
    ways = [option for option in options["denominator"] if option not in declared.choices()["denominator"]]
    for way in ways or [declared.OTHER]:
        yield {**entry, "denominator": way}
