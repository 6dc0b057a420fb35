"""Appointments in General Practice: the practice-level crosstab and its mapping of practices to areas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.errors import SourceError
from gpvar.organisations import is_practice_code
from gpvar.organisations import tidy as tidy_codes
from gpvar.problems import Problems
from gpvar.sources._parts import COUNTS, Part, SourceTable, no_counts
from gpvar.sources._publications import names_of
from gpvar.sources._tabular import text_frame
from gpvar.sources.appointments.account import provenance, remarks_on, summed
from gpvar.sources.appointments.by_month import counts_by_month
from gpvar.sources.appointments.completeness import note_incomplete, unchecked
from gpvar.sources.appointments.crosstab import consume
from gpvar.sources.appointments.crosstab_csv import places_of
from gpvar.sources.appointments.labels import note_unknown
from gpvar.sources.appointments.months import Months, Version, resolve
from gpvar.sources.appointments.own_downloads import note_own_downloads
from gpvar.sources.appointments.rows import COLUMNS, Reading, Rows
from gpvar.sources.appointments.tally import Counted, MonthCounts, count_part, wanted
from gpvar.sources.files.members import fingerprint
from gpvar.study import Period

__all__ = ["CATEGORY", "added_up", "read", "read_by_month", "tidy"]

#: What the name of a category's count by month begins with.
CATEGORY = "category: "
_SOURCE = "gpad"
_MAPPING = {
    "practice_code": "GP_CODE",
    "practice_name": "GP_NAME",
    "supplier": "SUPPLIER",
    "pcn_code": "PCN_CODE",
    "pcn_name": "PCN_NAME",
    "sub_icb_code": "SUB_ICB_LOCATION_CODE",
    "sub_icb_name": "SUB_ICB_LOCATION_NAME",
    "icb_code": "ICB_CODE",
    "icb_name": "ICB_NAME",
    "region_code": "REGION_CODE",
    "region_name": "REGION_NAME",
}
_PLACES = ("practice_name", "pcn_code", "pcn_name", "sub_icb_code", "icb_code", "icb_name", "region_code")


def tidy(part: Part) -> pd.DataFrame:
    """Return one table, row by row, with plain names and types.

    Parameters
    ----------
    part
        A table of this publication.

    Returns
    -------
    DataFrame
        Of the crosstab: month (``"2026-04"``), practice_code, supplier, hcp_type, appt_mode, national_category,
        booking_interval, appt_status, all categorical, and count; labels with single spaces and as the catalogue
        writes them. Of the mapping: practice_code, practice_name, supplier and the codes and names of the network,
        sub-ICB location, board and region. Rows of practices only.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    return _mapping(part) if part.layout == "gpad_mapping" else consume(part, _whole)


def _whole(reading: Reading, rows: Iterator[Rows]) -> pd.DataFrame:
    runs = list(rows)
    columns: dict[str, object] = {}
    for name in COLUMNS:
        codes = np.concatenate([run.codes[name] for run in runs])
        columns[name] = pd.Categorical.from_codes(codes, categories=pd.Index(reading.words[name].texts, dtype=str))
    return pd.DataFrame(columns).assign(count=np.concatenate([run.count for run in runs]))


def read(parts: Sequence[Part], period: Period, edition: str = "") -> SourceTable:
    """Read the practice-level appointments of a period.

    Parameters
    ----------
    parts
        Tables of the crosstab, whole months or halves, and of the mapping, of one publication or several.
    period
        The study's period; every month of it must be there.
    edition
        Which publication to use for a month that two tell differently: the last month that it covers, or
        ``"latest"``. Without it such a month is refused.

    Returns
    -------
    SourceTable
        Counts of every metric of this publication and of unmapped appointments, summed over the period.

    Raises
    ------
    SourceError
        With everything that is wrong with the files.
    """
    return read_by_month(parts, period, edition)[0]


def read_by_month(
    parts: Sequence[Part], period: Period, edition: str = ""
) -> tuple[SourceTable, dict[str, MonthCounts]]:
    """Return what `read` returns, and the counts of each month of which it is the sum."""
    distinct, remarks, again = _distinct(parts)
    crosstabs = [part for part in distinct if part.layout == "gpad_crosstab"]
    problems = Problems(SourceError, names_of(parts))
    tables = _counted(crosstabs, problems)
    note_own_downloads(tables, distinct, problems)
    problems.raise_if_any()
    maps = _maps([part for part in distinct if part.layout == "gpad_mapping"], tables, period, again)
    regions = _region_of(maps)
    months = resolve(tables, period, edition, regions, problems) if crosstabs else Months({}, {}, {}, ())
    note_unknown(months.used, problems)
    problems.raise_if_any()
    own_places = _OwnPlaces(months.used)
    note_incomplete(
        months.used,
        tables,
        lambda month: _nearest(maps, month),
        lambda month: _everywhere(maps) if maps else own_places.of(month),
        problems,
    )
    problems.raise_if_any()
    places = _places(maps, own_places, remarks)
    remarks += unchecked(months.used, places, bool(maps))
    table = SourceTable(
        id=_SOURCE,
        file=names_of(parts),
        counts=_counts(months.used),
        facts=_facts(months.used, places),
        provenance=tuple(provenance(tables, months, maps, again)),
        not_practices=tuple(item for table in tables for item in table.extent.strangers.items()),
        has_months=True,
        places=places,
        monthly=_monthly(months.used),
        by_month=counts_by_month({month: version.counts for month, version in months.used.items()}),
        remarks=(*remarks, *months.remarks, *remarks_on(tables, months.used, places, period)),
    )
    return table, {month: version.counts for month, version in months.used.items()}


def added_up(
    months: Mapping[str, MonthCounts], places: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]:
    """Return counts, facts, and counts by month of the gates and of the metrics, all as `read` gives them.

    Parameters
    ----------
    months
        Month → its counts.
    places
        Where practices belong, by date, as `read` gives it.
    """
    used = {month: Version(counts, (), "") for month, counts in months.items()}
    return _counts(used), _facts(used, places), _monthly(used), counts_by_month(months)


def _distinct(parts: Sequence[Part]) -> tuple[list[Part], list[str], list[tuple[Part, str]]]:
    """Return each table of each file once: a download that is there twice is read once."""
    kept: dict[tuple[str, str], Part] = {}
    remarks, again = [], []
    for part in parts:
        key = (fingerprint(part.member.path)[0], part.member.name)
        if key in kept:
            again.append((part, f"the same download as {kept[key].member.label}"))
        else:
            kept[key] = part
    for path in dict.fromkeys(part.member.path for part, _ in again):
        remarks.append(f"{path.name} is the same download again: it was used once.")
    return list(kept.values()), remarks, again


def _counted(parts: Iterable[Part], problems: Problems) -> list[Counted]:
    """Add every table up; what is wrong with any of them is said of all."""
    found = []
    for part in parts:
        try:
            found.append(count_part(part))
        except SourceError as error:
            problems.add(error.problem, error.where, error.fix)
    return found


def _mapping(part: Part) -> pd.DataFrame:
    """Return where practices belong, by code."""
    layout = catalogue.layouts()[part.layout]
    optional = [heading for heading in _MAPPING.values() if heading not in layout.required]
    texts = text_frame(part, [heading for heading in _MAPPING.values() if heading in layout.required], optional)
    frame = pd.DataFrame({name: texts[heading] for name, heading in _MAPPING.items() if heading in texts})
    for name in frame:
        at, texts_of = pd.factorize(frame[name])
        plain = pd.Series(texts_of, dtype="str")
        plain = tidy_codes(plain) if name.endswith("_code") else plain.str.split().str.join(" ")
        frame[name] = plain.take(at).to_numpy()
    return frame[is_practice_code(frame["practice_code"])].drop_duplicates("practice_code", ignore_index=True)


def _maps(
    parts: Sequence[Part], tables: Sequence[Counted], period: Period, again: list[tuple[Part, str]]
) -> dict[str, tuple[Part, pd.DataFrame]]:
    """Return month → the mapping published with it, by the last month of the zip or folder it lies in."""
    homes: dict[Path, str] = {}
    for table in tables:
        path = table.part.member.path
        for home in (path, path.parent):
            homes[home] = max([homes.get(home, ""), *table.months])
    found: dict[str, tuple[Part, pd.DataFrame]] = {}
    for part in parts:
        path = part.member.path
        month = homes.get(path) or homes.get(path.parent) or period.end
        if month in found:
            again.append((part, f"{found[month][0].member.label} is of the same month"))
        else:
            found[month] = (part, _mapping(part))
    return found


def _nearest(maps: dict[str, tuple[Part, pd.DataFrame]], month: str) -> pd.DataFrame | None:
    """Return the mapping of the publication that holds a month: the first that ends in it or after it."""
    after = [end for end in sorted(maps) if end >= month]
    return maps[after[0] if after else max(maps)][1] if maps else None


def _region_of(maps: dict[str, tuple[Part, pd.DataFrame]]) -> dict[str, str]:
    """Return the region of each practice by code, the latest mapping first."""
    found: dict[str, str] = {}
    for _, (_, frame) in sorted(maps.items()):
        if "region_code" in frame:
            found |= dict(zip(frame["practice_code"], frame["region_code"], strict=True))
    return found


def _everywhere(maps: dict[str, tuple[Part, pd.DataFrame]]) -> pd.DataFrame:
    """Return each practice once, where the latest mapping that has it says."""
    frames = [frame for _, (_, frame) in sorted(maps.items(), reverse=True)]
    return pd.concat(frames).drop_duplicates("practice_code", ignore_index=True)


class _OwnPlaces:
    """Where practices belong by the crosstab itself; each month is read for it at most once."""

    def __init__(self, used: dict[str, Version]) -> None:
        self._used = used
        self._read: dict[str, pd.DataFrame] = {}

    @property
    def last(self) -> str:
        """The last month; blank where there is none."""
        return max(self._used, default="")

    def of(self, month: str) -> pd.DataFrame:
        """Return where the practices of a month belong."""
        if month not in self._read:
            frames = [places_of(part) for part in self._used[month].parts]
            self._read[month] = pd.concat(frames).drop_duplicates("practice_code")
        return self._read[month]


def _places(maps: dict[str, tuple[Part, pd.DataFrame]], own: _OwnPlaces, remarks: list[str]) -> pd.DataFrame | None:
    """Return where practices belong by date; without a mapping, what the crosstab itself says in its last month."""
    if not maps and not own.last:
        return None
    if not maps:
        remarks.append(
            "No Mapping.csv is among the files, so they do not say to which board or region a practice belongs; "
            "networks and sub-ICB locations are those of the crosstab."
        )
        return own.of(own.last).assign(date=f"{own.last}-01").reset_index(drop=True)
    frames = [
        frame[["practice_code", *(name for name in _PLACES if name in frame)]].assign(date=f"{month}-01")
        for month, (_, frame) in sorted(maps.items())
    ]
    return pd.concat(frames, ignore_index=True)


def _counts(used: dict[str, Version]) -> pd.DataFrame:
    """Return counts by practice, metric and part, summed over the months in which the practice is in the file."""
    if not used:
        return no_counts()
    names = list(wanted())
    codes, sums, months = summed(used)
    counted = [at for at, name in enumerate(names) if name.partition(".")[2]]
    values = sums[:, counted].T.astype(float).ravel()
    size = [len(codes)] * len(counted)
    frame = pd.DataFrame(
        {
            "practice_code": pd.array(codes, dtype="str").take(np.tile(np.arange(len(codes)), len(counted))),
            "metric": _repeated([names[at].partition(".")[0] for at in counted], size),
            "part": _repeated([names[at].partition(".")[2] for at in counted], size),
            "value": values,
            "low": values,
            "high": values,
            "hidden": False,
            "months": np.tile(months, len(counted)),
        }
    )
    return frame[list(COUNTS)]


def _facts(used: dict[str, Version], places: pd.DataFrame | None) -> pd.DataFrame:
    """Return name and supplier of each practice; changes of supplier where there are months to see them in."""
    codes = pd.Index(sorted({code for version in used.values() for code in version.counts.codes}), name="practice_code")
    facts_of = pd.DataFrame(index=codes)
    if places is not None and "practice_name" in places:
        facts_of["practice_name"] = places.groupby("practice_code")["practice_name"].last().reindex(codes).fillna("")
    last = pd.Series("", index=codes, dtype=object)
    changes = pd.Series(0.0, index=codes)
    for _, version in sorted(used.items()):
        now = pd.Series(version.counts.supplier, index=list(version.counts.codes), dtype=object)
        before = last.reindex(now.index)
        changes[now.index] += ((before != "") & (now != "") & (before != now)).astype(float)
        last[now[now != ""].index] = now[now != ""]
    facts_of["supplier"] = last.astype(str)
    if len(used) > 1 and (last != "").any():
        facts_of["supplier_changes"] = changes
    return facts_of


def _monthly(used: dict[str, Version]) -> pd.DataFrame | None:
    """Return the counts by month that gates look at; categories that hardly move are put together."""
    if not used:
        return None
    names = list(wanted())
    plain = {"total": "total", "unmapped": "unmapped.numerator", **{name: name for name in facts.monthly()}}
    moving = _moving_categories(used)
    place = pd.Index(sorted({code for version in used.values() for code in version.counts.codes}), dtype="str")
    pieces: list[tuple[str, str, np.ndarray, np.ndarray]] = []
    for month, version in sorted(used.items()):
        counts = version.counts
        here = place.get_indexer(list(counts.codes)).astype(np.int32)
        for name, column in plain.items():
            pieces.append((month, name, here, counts.values[:, names.index(column)]))
        rest = counts.values[:, names.index("total")].copy()
        for at, category in enumerate(counts.categories, start=len(names)):
            shown = np.array([code in moving.get(category, ()) for code in counts.codes], dtype=bool)
            values = counts.values[shown, at]
            rest[shown] -= values
            pieces.append((month, CATEGORY + category, here[shown], values))
        pieces.append((month, CATEGORY + facts.steady_category()[1], here, rest))
    sizes = [len(at) for _, _, at, _ in pieces]
    return pd.DataFrame(
        {
            "practice_code": place.array.take(np.concatenate([at for _, _, at, _ in pieces])),
            "month": _repeated([month for month, *_ in pieces], sizes),
            "name": _repeated([name for _, name, *_ in pieces], sizes),
            "value": np.concatenate([values for *_, values in pieces]).astype(float),
        }
    )


def _repeated(texts: Sequence[str], sizes: Sequence[int]) -> Any:
    numbers, unique = pd.factorize(np.array(texts, dtype=object))
    return pd.array(unique, dtype="str").take(np.repeat(numbers.astype(np.int16), sizes))


def _moving_categories(used: dict[str, Version]) -> dict[str, set[str]]:
    """Return category → practices in whose appointments its share is not steady over the months."""
    within, _ = facts.steady_category()
    place = pd.Index(sorted({code for version in used.values() for code in version.counts.codes}))
    names = list(dict.fromkeys(name for version in used.values() for name in version.counts.categories))
    least, most = np.full((len(place), len(names)), np.inf), np.full((len(place), len(names)), -np.inf)
    for version in used.values():
        counts = version.counts
        share = np.zeros((len(counts.codes), len(names)))
        columns = [names.index(name) for name in counts.categories]
        total = np.maximum(counts.values[:, list(wanted()).index("total")], 1)
        share[:, columns] = counts.values[:, len(wanted()) :] / total[:, None]
        at = place.get_indexer(list(counts.codes))
        least[at], most[at] = np.minimum(least[at], share), np.maximum(most[at], share)
    moved = most - least >= within
    return {name: set(place[moved[:, at]]) for at, name in enumerate(names) if moved[:, at].any()}
