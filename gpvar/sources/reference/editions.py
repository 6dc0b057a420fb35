"""Which editions of its publications a study of some months of a reference file would use.

Of most publications a study uses the edition nearest to its period, so a study of one month may use another than a
study of all of them. A reference file keeps what each run of its months would use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gpvar import catalogue
from gpvar.sources import official, registered
from gpvar.sources._parts import Part, SourceTable
from gpvar.sources._publications import month_in_name, nearest
from gpvar.sources.looking import edition as month_of_table
from gpvar.study import Period, SourceSpec, months_of

_LISTS = "registered_patients"
_MARK = "@"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A publication as a study of some of the months would read it, where that is not as a study of all would.

    Attributes
    ----------
    chosen
        The editions that such a study uses, see `chosen`.
    period
        A run of months for which that is so.
    table
        The publication as read for it.
    """

    chosen: tuple[str, ...]
    period: Period
    table: SourceTable


def labelled(tables: Sequence[SourceTable], alternatives: Iterable[Alternative]) -> list[SourceTable]:
    """Return alternatives as tables with labels of their own, without what is as in the publication itself."""
    own = {table.id: table.places for table in tables}
    found: list[SourceTable] = []
    for other in alternatives:
        table, places = other.table, own[other.table.id]
        same = table.places is not None and places is not None and table.places.equals(places)
        number = 1 + sum(publication(one.id) == table.id for one in found)
        label = f"{table.id}{_MARK}{number}"
        found.append(replace(table, id=label, monthly=None, places=None if same else table.places))
    return found


def publication(label: str) -> str:
    """Return the publication of which a label is."""
    return label.partition(_MARK)[0]


def editions(parts: Iterable[Part]) -> dict[str, list[str]]:
    """Return the months of the editions that are there, by layout."""
    found: dict[str, set[str]] = {}
    for part in parts:
        by_name = part.layout in catalogue.reference()["dated_by_month_in_name"]
        found.setdefault(part.layout, set()).add(month_in_name(part) if by_name else month_of_table(part))
    return {layout: sorted(months) for layout, months in sorted(found.items())}


def chosen(held: Mapping[str, Sequence[str]], period: Period) -> tuple[str, ...]:
    """Return the editions that a study of a period uses, in an order that tells them from others.

    Parameters
    ----------
    held
        What `editions` returned.
    period
        The study's period.
    """
    by_layout = [nearest(held.get(layout, ()), period) for layout in catalogue.reference()["nearest_is_used"]]
    before = [month for layout in catalogue.reference()["nearest_before_is_used"] for month in held.get(layout, ())]
    return (*by_layout, nearest(before, period, after_is_fine=False))


def _runs(period: Period) -> Iterator[Period]:
    """Yield every run of months within a period, the longest first."""
    months = months_of(period)
    for length in range(len(months), 0, -1):
        for first in range(len(months) - length + 1):
            yield Period(months[first], months[first + length - 1])


def of_every_run(
    spec: SourceSpec, parts: Sequence[Part], period: Period
) -> tuple[SourceTable, dict[str, list[str]], tuple[Alternative, ...]]:
    """Read a publication for a period, and as any run of its months would.

    Parameters
    ----------
    spec
        The publication and its files.
    parts
        Their tables.
    period
        The months of the reference file.

    Returns
    -------
    tuple
        The publication for the whole period, with every list that was read, also of months outside it; the editions
        that are there; and the publication for each run of months that uses others.

    Raises
    ------
    SourceError
        As `official.read`.
    """
    held = editions(parts)
    table = official.read(spec, period)
    runs: dict[tuple[str, ...], Period] = {}
    for run in _runs(period):
        runs.setdefault(chosen(held, run), run)
    del runs[chosen(held, period)]
    if spec.id != _LISTS:
        found = [Alternative(key, run, official.read(spec, run)) for key, run in runs.items()]
        return table, held, tuple(found)
    outside = any(month and not period.start <= month <= period.end for months in held.values() for month in months)
    if not runs and not outside:
        return table, held, ()
    whole = registered.opened(parts)
    lists = registered.every_list(whole)
    found = [Alternative(key, run, registered.assembled(whole, run)) for key, run in runs.items()]
    return replace(table, monthly=lists), held, tuple(found)
