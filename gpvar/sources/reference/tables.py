"""What publications say of practices, as the tables of a reference file, and back as each publication would give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from gpvar.sources import appointments, registered
from gpvar.sources._parts import COUNTS, SourceTable, no_counts
from gpvar.sources.appointments.tally import MonthCounts
from gpvar.sources.reference.editions import chosen, publication
from gpvar.sources.reference.frames import Packed, pack, unpack
from gpvar.sources.reference.months import as_frame, from_frame, not_counted
from gpvar.study import Period, months_of

PRACTICES, PLACES, MONTHS = "practices.parquet", "places.parquet", "months.parquet"
_APPOINTMENTS, _LISTS = "gpad", "registered_patients"
_HELD = "held"


def packed(tables: Sequence[SourceTable], months: Mapping[str, MonthCounts]) -> dict[str, Packed]:
    """Return the three tables of a reference file.

    Parameters
    ----------
    tables
        The publications.
    months
        Month → appointments by practice. What is added up from them is not kept beside them.
    """
    return {PRACTICES: _practices(tables), PLACES: _places(tables), MONTHS: _months(tables, months)}


def _practices(tables: Sequence[SourceTable]) -> Packed:
    every = pd.Index(sorted(set().union(*(table.facts.index for table in tables))), name="practice_code")
    columns: dict[str, pd.Series] = {}
    for table in tables:
        if table.id != _APPOINTMENTS:
            columns[f"{table.id}: {_HELD}"] = pd.Series(every.isin(table.facts.index), index=every)
            columns |= {f"{table.id}: {name}": table.facts[name].reindex(every) for name in table.facts}
    return pack(pd.DataFrame({"practice_code": every}), columns)


def _places(tables: Sequence[SourceTable]) -> Packed:
    maps = [table.places.assign(source=table.id) for table in tables if table.places is not None]
    rows = pd.concat(maps, ignore_index=True)
    keys = rows[["source", "date", "practice_code"]]
    return pack(keys, {str(name): rows[name] for name in rows if name not in keys})


def _months(tables: Sequence[SourceTable], months: Mapping[str, MonthCounts]) -> Packed:
    keys = ["practice_code", "month"]
    frame = as_frame(months).set_index(keys).add_prefix(f"{_APPOINTMENTS}: ")
    for table in tables:
        if table.id != _APPOINTMENTS and table.monthly is not None:
            own = table.monthly.pivot(index=keys, columns="name", values="value").add_prefix(f"{table.id}: ")
            frame = frame.join(own, how="outer")
    # Months of one practice follow each other: they are alike, and pack small.
    rows = frame.sort_index().reset_index()
    return pack(rows[keys], {str(name): rows[name] for name in rows if name not in keys})


def about(table: SourceTable, layouts: Mapping[tuple[str, str], str], run: Period) -> dict[str, Any]:
    """Return what the manifest says of a publication.

    Parameters
    ----------
    table
        The publication as read.
    layouts
        File and member → what the table was taken for.
    run
        The months for which it was read.
    """
    files = [
        {"layout": layouts.get((str(row["file"]), str(row["sheet"])), ""), **_plain(row)} for row in table.provenance
    ]
    return {
        "id": table.id,
        "file": table.file,
        "run": [run.start, run.end],
        "has_months": table.has_months,
        "facts": [str(name) for name in table.facts],
        "places": None if table.places is None else [str(name) for name in table.places],
        "monthly": None if table.monthly is None else sorted(table.monthly["name"].unique()),
        "dates": dict(table.dates),
        "not_practices": [[code, int(row)] for code, row in table.not_practices],
        "impossible": [[code, column, float(value)] for code, column, value in table.impossible],
        "remarks": list(table.remarks),
        "files": files,
    }


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, str) else int(str(value)) for name, value in row.items()}


def restored(
    parts: Mapping[str, bytes], manifest: Mapping[str, Any], period: Period, only: str = ""
) -> list[SourceTable]:
    """Return each publication as it would be read for a period within the months of the file.

    Parameters
    ----------
    parts
        The members of the file.
    manifest
        What it says of itself.
    period
        The months wanted.
    only
        The one publication that is wanted; every one without it.

    Raises
    ------
    ValueError
        When a table is not as the manifest says.
    """
    where = manifest["columns"]
    practices = unpack(parts[PRACTICES], where[PRACTICES], ["practice_code"]).set_index("practice_code")
    places = unpack(parts[PLACES], where[PLACES], ["source", "date", "practice_code"])
    by_month = unpack(parts[MONTHS], where[MONTHS], ["practice_code", "month"])
    wanted = months_of(period)
    tables = []
    for main in manifest["publications"]:
        if only and main["id"] != only:
            continue
        said = _for_period(main, manifest, period)
        where_of = said if said["places"] is not None else main
        table = _described({**said, "id": main["id"]}, _own_places(places, where_of), _own_facts(practices, said))
        own = by_month[["practice_code", "month", *_own(by_month, main["id"])]]
        own = own.rename(columns={name: name.partition(": ")[2] for name in own if ": " in name})
        if main["id"] == _APPOINTMENTS:
            table = _with_appointments(table, own, wanted, manifest)
        elif main["monthly"] is not None:
            table = _with_lists(table, _long(own, main["monthly"]), period, Period(*said["run"]))
        tables.append(table)
    return tables


def _for_period(main: Mapping[str, Any], manifest: Mapping[str, Any], period: Period) -> Mapping[str, Any]:
    """Return what is said of a publication in the editions that a study of the period uses."""
    held = main["editions"]
    wanted = chosen(held, period)
    if wanted == chosen(held, Period(manifest["months"][0], manifest["months"][-1])):
        return main
    for said in manifest["alternatives"]:
        if publication(said["id"]) == main["id"] and tuple(said["chosen"]) == wanted:
            return dict(said)
    raise ValueError(f"it does not say what a study of {period.label} uses of {main['id']}")


def _described(said: Mapping[str, Any], places: pd.DataFrame | None, facts: pd.DataFrame) -> SourceTable:
    return SourceTable(
        id=said["id"],
        file=said["file"],
        counts=no_counts(),
        facts=facts,
        provenance=tuple({name: row[name] for name in row if name != "layout"} for row in said["files"]),
        not_practices=tuple((code, row) for code, row in said["not_practices"]),
        has_months=said["has_months"],
        impossible=tuple((code, column, value) for code, column, value in said["impossible"]),
        dates=dict(said["dates"]),
        places=places,
        remarks=tuple(said["remarks"]),
    )


def _own(frame: pd.DataFrame, source: str) -> list[str]:
    return [name for name in frame if str(name).startswith(f"{source}: ")]


def _own_facts(practices: pd.DataFrame, said: Mapping[str, Any]) -> pd.DataFrame:
    if said["id"] == _APPOINTMENTS:
        return pd.DataFrame(index=pd.Index([], dtype="str", name="practice_code"))
    rows = practices[practices[f"{said['id']}: {_HELD}"]]
    return rows[[f"{said['id']}: {name}" for name in said["facts"]]].set_axis(said["facts"], axis=1)


def _own_places(places: pd.DataFrame, said: Mapping[str, Any]) -> pd.DataFrame | None:
    if said["places"] is None:
        return None
    return places.loc[places["source"] == said["id"], said["places"]].reset_index(drop=True)


def _long(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return counts by month, a row for each; where the publication has none there is no row."""
    rows = frame.melt(["practice_code", "month"], list(names), var_name="name").dropna(subset="value")
    order = ["practice_code", "month", "name", "value"]
    return rows.sort_values(["name", "month", "practice_code"], ignore_index=True)[order]


def _with_appointments(
    table: SourceTable, frame: pd.DataFrame, wanted: Sequence[str], manifest: Mapping[str, Any]
) -> SourceTable:
    months = from_frame(frame[frame["total"].notna()], wanted)
    counts, facts, monthly, by_month = appointments.added_up(months, table.places)
    unknown = not_counted(manifest["definitions"])
    counts = counts.loc[~counts["metric"].isin(unknown), list(COUNTS)]
    if by_month is not None and unknown:
        by_month = by_month[~by_month["metric"].isin(unknown)]
    return replace(table, counts=counts, facts=facts, monthly=monthly, by_month=by_month)


def _with_lists(table: SourceTable, monthly: pd.DataFrame, period: Period, run: Period) -> SourceTable:
    """Return a publication with its counts of the period's months, and lists as they were in them."""
    wanted = months_of(period)
    inside = monthly[monthly["month"].isin(wanted)].reset_index(drop=True)
    table = replace(table, monthly=inside if len(inside) else None)
    rows = monthly[monthly["name"] == "list_size"]
    if table.id != _LISTS or rows.empty or period == run:
        return table
    lists = {str(month): own.set_index("practice_code")["value"] for month, own in rows.groupby("month")}
    sizes = registered.sizes(lists, period)
    # A change of supplier may lie in a month that was not asked for; the appointments tell those within the period.
    others = table.facts.drop(columns=["list_size", "list_jump_pct", "supplier_changes"], errors="ignore")
    others = others.dropna(how="all")
    before = registered.said_of_lists(list(lists), run)
    remarks = [text for text in table.remarks if text not in before]
    remarks = [*registered.said_of_lists(list(lists), period), *remarks]
    table = replace(table, remarks=tuple(remarks))
    return replace(table, facts=pd.concat([sizes, others], axis=1).sort_index().rename_axis("practice_code"))
