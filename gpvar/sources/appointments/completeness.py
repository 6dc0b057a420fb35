"""Note months of appointments of which a part is missing: a place, a good part of the practices, the end of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.problems import Problems, count, listing
from gpvar.sources._publications import in_words
from gpvar.sources.appointments.months import Version
from gpvar.sources.appointments.tally import Counted, MonthCounts, wanted

_FIX = (
    "Download the publication's file again; a month that was published in two files needs both. If the publication "
    "itself says that it leaves them out, choose a period without this month."
)
#: Level of place → its name, or else its code, in a mapping or in the crosstab.
_LEVELS = {"region": ("region_name", "region_code"), "sub_icb": ("sub_icb_name", "sub_icb_code")}


def note_incomplete(
    used: Mapping[str, Version],
    tables: Sequence[Counted],
    mapping: Callable[[str], pd.DataFrame | None],
    places: Callable[[str], pd.DataFrame],
    problems: Problems,
) -> None:
    """Note months of which a place, or a good part of the practices, is missing.

    Parameters
    ----------
    used
        Month → what is used of it.
    tables
        The tables of the crosstab; the last row of each is looked at.
    mapping
        Gives the mapping of a month's publication, where there is one: the practices that the month should hold.
    places
        Gives where the practices of a month belong, from a mapping or from the month itself.
    problems
        What is wrong is noted here.
    """
    for month, version in sorted(used.items()):
        here = set(version.counts.codes)
        listed = mapping(month)
        said = list(_lacking(here, listed, "")) if listed is not None else []
        fullest = max(_near(used, month), key=lambda other: len(used[other].counts.codes), default="")
        if fullest and not said:
            then = set(used[fullest].counts.codes)
            if len(then - here) >= facts.completeness()["practices_at_least"]:
                frame = places(fullest)
                frame = frame[frame["practice_code"].isin(then)]
                said = [*_fewer(here, then, in_words(fullest)), *_lacking(here, frame, in_words(fullest))]
        if said:
            problems.add(f"{in_words(month)} lacks rows: {listing(said, 6)}.", version.label, _FIX)
    _note_cut_practice(used, tables, problems)


def unchecked(used: Mapping[str, Version], places: pd.DataFrame | None, mapped: bool) -> Iterator[str]:
    """Yield that a month could not be checked, where there is neither a mapping nor another month.

    Parameters
    ----------
    used
        Month → what is used of it.
    places
        Where practices belong.
    mapped
        Whether there is a mapping.
    """
    if mapped or len(used) != 1:
        return
    ((month, version),) = used.items()
    held = count(len(version.counts.codes), "practice")
    if places is not None and "sub_icb_code" in places:
        held += f" of {count(places['sub_icb_code'].nunique(), 'sub-ICB location')}"
    england = catalogue.gates()["not_england"].more["england_has"]
    yield (
        f"Whether {in_words(month)} is whole could not be checked: neither Mapping.csv nor another month is among "
        f"the files. They hold {held}; England has {england} practices."
    )


def _near(used: Mapping[str, Version], month: str) -> list[str]:
    """Return the months around one, in which the practices are nearly the same."""
    months = sorted(used)
    at, within = months.index(month), int(facts.completeness()["months_within"])
    return [other for other in months[max(at - within, 0) : at + within + 1] if other != month]


def _lacking(here: set[str], listed: pd.DataFrame, when: str) -> Iterator[str]:
    """Yield places of whose practices too few are here; sub-ICB locations only where no region does.

    Parameters
    ----------
    here
        The practices that are here.
    listed
        Where practices belong.
    when
        The month in which they are there; empty for a mapping.
    """
    limits = facts.completeness()
    found = listed["practice_code"].isin(here).to_numpy()
    for level, columns in _LEVELS.items():
        column = next((name for name in columns if name in listed), None)
        gone = []
        for name, rows in pd.Series(found).groupby(listed[column].to_numpy()) if column else ():
            if name and _too_few(rows.to_numpy(), limits[f"of_{level}_below"]):
                whose = f"the {len(rows):,} practices that it has in {when}" if when else f"its {len(rows):,} practices"
                gone.append(f"{name} has {rows.sum():,} of {whose}")
        if gone:
            yield from gone
            return
    if not when and _too_few(found, limits["of_mapping_below"]):
        yield f"of the {len(found):,} practices in Mapping.csv it holds {found.sum():,}"


def _too_few(found: np.ndarray, below: float) -> bool:
    return bool((~found).sum() >= facts.completeness()["practices_at_least"] and found.mean() < below)


def _fewer(here: set[str], then: set[str], when: str) -> Iterator[str]:
    limits = facts.completeness()
    few = len(here) < limits["of_fullest_month_below"] * len(then)
    if few and len(then) - len(here) >= limits["practices_at_least"]:
        yield f"it holds {len(here):,} practices and {when} {len(then):,}"


def _note_cut_practice(used: Mapping[str, Version], tables: Sequence[Counted], problems: Problems) -> None:
    """Note a file whose last practice has next to nothing beside other months: its end may have been cut off."""
    limits = facts.completeness()
    for table in tables:
        month, code = table.extent.last
        if month not in used or table.part not in used[month].parts:
            continue
        near = [_total(used[other].counts, code) for other in _near(used, month)]
        usual = float(np.median(near)) if near else 0.0
        total = _total(used[month].counts, code)
        if usual >= limits["last_practice_appointments"] and total < limits["last_practice_below"] * usual:
            problems.add(
                f"The file ends within {in_words(month)} with the practice {code}, which has "
                f"{count(total, 'appointment')} there and about {usual:,.0f} in months around it: the end of the file "
                "seems to be missing.",
                table.part.member.place,
                "Download it again. If the practice did all but close in that month, choose a period without it.",
            )


def _total(counts: MonthCounts, code: str) -> int:
    """Return all appointments of a practice in a month."""
    if code not in counts.codes:
        return 0
    return int(counts.values[counts.codes.index(code), list(wanted()).index("total")])
