"""Patients Registered at a GP Practice: lists by sex and age, totals, and where practices belong."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import count
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import distance, distinct, in_words, names_of, nearest
from gpvar.sources._tabular import provenance_of
from gpvar.sources.registered.tables import Table, read_table
from gpvar.study import Period
from gpvar.study.model import months_between

__all__ = ["assembled", "every_list", "opened", "read", "said_of_lists", "shares", "sizes", "tidy"]

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
        For lists by age: date, practice_code, sex (``ALL``, ``FEMALE``, ``MALE``), age (``ALL``, ``0_4`` … ``95+``),
        patients; a cell with no patient has no row. For totals: date, practice_code, patients, and commissioner_code
        (sub-ICB location, before July 2022 clinical commissioning group) where the file has it. For the map: date,
        practice_code, practice_name, postcode, pcn_code, pcn_name, sub_icb_code, sub_icb_name, icb_code, icb_name,
        region_code, region_name, supplier. Rows of practices only.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    table = read_table(part)
    return table.frame.assign(date=table.date)


def shares(lists: pd.DataFrame) -> pd.DataFrame:
    """Return list size and shares of the list by age and sex.

    Parameters
    ----------
    lists
        Lists by age as `tidy` returns them.

    Returns
    -------
    DataFrame
        By practice_code: list_size, and each share that `catalogue/readers.toml` defines, from 0 to 1.
    """
    total = lists[(lists["sex"] == "ALL") & (lists["age"] == "ALL")].set_index("practice_code")["patients"]
    bands = lists[(lists["sex"] != "ALL") & (lists["age"] != "ALL")]
    first, last = _years(bands["age"])
    columns = {"list_size": total}
    for name, rule in catalogue.readers()["shares"].items():
        counted = (first >= rule["from"]) & (last <= rule.get("to", np.inf))
        if "sex" in rule:
            counted &= (bands["sex"] == rule["sex"]).to_numpy()
        columns[name] = bands[counted].groupby("practice_code", observed=True)["patients"].sum()
    frame = pd.DataFrame(columns).reindex(total.index).fillna(0.0)
    listed = frame["list_size"].where(frame["list_size"] > 0)
    counted = [name for name in frame.columns if name != "list_size"]
    return frame.assign(**{name: frame[name] / listed for name in counted}).rename_axis("practice_code")


def _years(ages: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last year of each band, ``95+`` having no last."""
    places, bands = pd.factorize(ages.astype("category"))
    first = np.array([float(str(band).rstrip("+").split("_")[0]) for band in bands])
    last = np.array([np.inf if str(band).endswith("+") else float(str(band).split("_")[-1]) for band in bands])
    return first[places], last[places]


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Read lists and maps of one month or of several.

    Parameters
    ----------
    parts
        Tables of this publication.
    period
        The study's period.

    Returns
    -------
    SourceTable
        Where lists of several months of the period are there, list_size is their mean and list_jump_pct the largest
        change from one month to the next, in per cent of the former; otherwise the list nearest to the period.
        Shares by age and sex are of the date nearest to the period. Every map gives a dated hierarchy.

    Raises
    ------
    SourceError
        With everything that is wrong with a file, or when two files of one month do not say the same.
    """
    return assembled(opened(parts), period)


@dataclass(frozen=True, slots=True)
class Read:
    """Tables as read, before it is known for which period: what is chosen of them depends on that."""

    tables: tuple[Table, ...]
    remarks: tuple[str, ...]


def opened(parts: Sequence[Part]) -> Read:
    """Read every table once."""
    single, remarks = distinct(parts)
    return Read(tuple(read_table(part) for part in single), tuple(remarks))


def assembled(found: Read, period: Period) -> SourceTable:
    """Return what `read` returns, of tables that were read before."""
    tables, remarks = found.tables, list(found.remarks)
    maps = _one_a_month([table for table in tables if table.part.layout == "registered_map"])
    ages = _one_a_month([table for table in tables if table.part.layout == "registered_quinary"])
    lists = _lists(tables)
    pieces, dates = [], {}
    if lists:
        pieces.append(sizes(lists, period))
        remarks += [*said_of_lists(list(lists), period), *_said_of_totals(tables)]
    if ages:
        dates["age_sex"] = nearest(ages, period)
        of_age = shares(ages[dates["age_sex"]].frame).drop(columns="list_size").add_prefix("age_sex.")
        of_age.loc[of_age.index.isin([code for code, _, _ in ages[dates["age_sex"]].wrong])] = np.nan
        pieces.append(of_age)
    if maps:
        pieces.append(_described(maps, period))
    for table in tables:
        remarks += table.remarks
    return SourceTable(
        id="registered_patients",
        file=names_of([table.part for table in tables]),
        counts=no_counts(),
        facts=pd.concat(pieces, axis=1).sort_index().rename_axis("practice_code"),
        provenance=tuple(_provenance(table, dates) for table in tables),
        not_practices=tuple(stranger for table in tables for stranger in table.not_practices),
        impossible=tuple(item for table in tables for item in table.wrong),
        dates=dates,
        places=_places(tables),
        monthly=_monthly(lists, _within(list(lists), period)),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _provenance(table: Table, dates: dict[str, str]) -> dict[str, object]:
    own = {name: month for name, month in dates.items() if month == table.month}
    return provenance_of(
        table.part,
        rows_read=table.rows,
        rows_kept=len(table.frame),
        reason=table.reason,
        edition=table.month,
        dates=own if table.part.layout == "registered_quinary" else {},
    )


def _one_a_month(tables: Sequence[Table]) -> dict[str, Table]:
    """Return tables of one layout by month; two of one month must say the same."""
    by_month: dict[str, Table] = {}
    for table in sorted(tables, key=lambda table: table.date):
        other = by_month.setdefault(table.month, table)
        if other is not table and not _same(other.frame, table.frame):
            raise _of_one_month(other, table, "do not say the same")
    return by_month


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    keys = [name for name in one.columns if name != "patients"]
    first, second = (
        frame.astype({key: str for key in keys}).sort_values(keys, ignore_index=True) for frame in (one, other)
    )
    return first.equals(second[first.columns]) if set(one.columns) == set(other.columns) else False


def _of_one_month(one: Table, other: Table, why: str) -> SourceError:
    return SourceError(
        f"Two files of {in_words(one.month)} {why}.",
        f"{one.part.member.place} and {other.part.member.place}",
        "Keep the one that was downloaded last from the publisher's page, and take the other out of the study.",
    )


def _lists(tables: Sequence[Table]) -> dict[str, pd.Series]:
    """Return the list of each practice by month, from lists by age and from totals; both of one month must agree."""
    lists: dict[str, tuple[Table, pd.Series]] = {}
    for table in sorted((table for table in tables if "patients" in table.frame), key=lambda table: table.date):
        frame = table.frame
        whole = frame[(frame["sex"] == "ALL") & (frame["age"] == "ALL")] if "sex" in frame else frame
        size = whole.set_index("practice_code")["patients"].sort_index()
        if table.month in lists:
            other, already = lists[table.month]
            both = pd.concat([size, already], axis=1, sort=False).fillna(-1)
            differ = int((both.iloc[:, 0] != both.iloc[:, 1]).sum())
            if differ:
                raise _of_one_month(other, table, f"give {count(differ, 'practice')} different lists")
        lists.setdefault(table.month, (table, size))
    return {month: size for month, (_, size) in sorted(lists.items())}


def _within(months: Sequence[str], period: Period) -> list[str]:
    return [month for month in months if distance(month, period) == 0]


def sizes(lists: dict[str, pd.Series], period: Period) -> pd.DataFrame:
    """Return the list size of each practice in a period, and its largest change from month to month where it is seen.

    Parameters
    ----------
    lists
        Month → patients by practice code.
    period
        The study's period; where fewer than two of its months are there, the list nearest to it stands alone.
    """
    inside = _within(list(lists), period)
    if len(inside) < 2:
        return pd.DataFrame({"list_size": lists[nearest(lists, period)]})
    table = pd.DataFrame({month: lists[month] for month in inside})
    sizes = pd.DataFrame({"list_size": table.mean(axis=1)})
    steps = [(first, then) for first, then in itertools.pairwise(inside) if months_between(first, then) == 1]
    if steps:
        before = table[[first for first, _ in steps]].where(lambda size: size > 0).to_numpy()
        after = table[[then for _, then in steps]].to_numpy()
        sizes["list_jump_pct"] = pd.DataFrame(100 * np.abs(after / before - 1), index=table.index).max(axis=1)
    return sizes


def said_of_lists(months: Sequence[str], period: Period) -> list[str]:
    """Return the sentence on which lists were used for a period."""
    inside = _within(months, period)
    if len(inside) > 1:
        return [f"List sizes are means of {len(inside)} of the {period.months} months of the period."]
    used = nearest(months, period)
    where = "within the period" if inside else "outside the period"
    others = "; other months were not used" if len(months) > 1 else ""
    return [f"List sizes are of {in_words(used)} alone, {where}{others}: jumps within the period cannot be seen."]


def _said_of_totals(tables: Sequence[Table]) -> list[str]:
    """Return a sentence on the files of totals, which have no regions to be held against."""
    totals = sorted((table for table in tables if table.part.layout == "registered_all"), key=lambda table: table.date)
    if not totals:
        return []
    practices = [len(table.frame) for table in totals]
    patients = [table.frame["patients"].sum() for table in totals]
    months = f"{in_words(totals[0].month)} to {in_words(totals[-1].month)}" if totals[1:] else in_words(totals[0].month)
    return [
        f"Totals of {count(len(totals), 'month')}, {months}: {_span(practices)} practices, {_span(patients)} patients."
    ]


def _span(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def every_list(found: Read) -> pd.DataFrame | None:
    """Return every list that was read by month, also those outside any period."""
    lists = _lists(found.tables)
    return _monthly(lists, list(lists))


def _monthly(lists: dict[str, pd.Series], months: Sequence[str]) -> pd.DataFrame | None:
    frames = [
        pd.DataFrame(
            {"practice_code": lists[month].index, "month": month, "name": "list_size", "value": lists[month].to_numpy()}
        )
        for month in months
    ]
    return pd.concat(frames, ignore_index=True) if frames else None


def _described(maps: dict[str, Table], period: Period) -> pd.DataFrame:
    """Return names and clinical systems from the map nearest to the period, and changes of system within it."""
    frame = maps[nearest(maps, period)].frame.set_index("practice_code")
    facts = frame[["practice_name"]].copy()
    if "supplier" in frame:
        facts["supplier"] = frame["supplier"].mask(frame["supplier"].str.casefold() == "unknown", "")
    inside = [maps[month].frame.set_index("practice_code") for month in _within(list(maps), period)]
    if len(inside) > 1 and all("supplier" in one for one in inside):
        systems = pd.concat([one["supplier"].rename(place) for place, one in enumerate(inside)], axis=1)
        named = systems.mask(systems.fillna("").isin(["", "Unknown"])).ffill(axis=1)
        changed = (named != named.shift(axis=1)) & named.notna() & named.shift(axis=1).notna()
        facts["supplier_changes"] = changed.sum(axis=1).astype(float).reindex(facts.index)
    return facts


def _places(tables: Sequence[Table]) -> pd.DataFrame | None:
    frames = []
    for table in tables:
        if table.part.layout == "registered_map":
            kept = ["practice_code", *(name for name in _PLACES if name in table.frame)]
            frames.append(table.frame[kept].assign(date=table.date))
        elif "commissioner_code" in table.frame:
            held = table.frame[["practice_code", "commissioner_code"]]
            frames.append(held.rename(columns={"commissioner_code": "sub_icb_code"}).assign(date=table.date))
    return pd.concat(frames, ignore_index=True).fillna("") if frames else None
