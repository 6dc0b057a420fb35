"""What several sources say of a practice, put together: one owner for each characteristic, one map for each place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpvar import organisations, schema
from gpvar.sources._parts import SourceTable
from gpvar.study.columns import PUBLICATIONS, TEXTS

_PLACES = ("pcn_code", "sub_icb_code", "icb_code", "region_code")
#: Texts of which a blank in one source may be filled from another; everything else has one owner.
_FILLED = ("practice_name", "supplier")


def in_order(tables: Sequence[SourceTable]) -> list[SourceTable]:
    """Return tables of the study's own first, then publications in the catalogue's order: who comes first decides."""
    return sorted(tables, key=lambda table: PUBLICATIONS.index(table.id) if table.id in PUBLICATIONS else -1)


def facts_of(tables: Sequence[SourceTable]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return what is known of each practice, and of which month each characteristic is.

    A characteristic, or a list size, is taken whole from the first source that has it and never mixed from two.
    """
    every = pd.Index(sorted(set().union(*(table.facts.index for table in tables))))
    columns: dict[str, pd.Series] = {}
    owners: dict[str, str] = {}
    dates: dict[str, str] = {}
    for table in in_order(tables):
        facts = table.facts.reindex(every)
        for name in facts:
            what = str(name).partition(".")[0]
            if what in _FILLED and what in columns:
                columns[what] = columns[what].replace("", None).combine_first(facts[name])
            elif owners.setdefault(what, table.id) == table.id:
                columns[str(name)] = facts[name]
        dates |= {name: date for name, date in table.dates.items() if owners.get(name) == table.id}
    return pd.DataFrame(columns, index=every).rename_axis("practice_code"), dates


def placed(
    tables: Sequence[SourceTable], facts: pd.DataFrame, day: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return facts with where each practice belonged on a day, and the boards that could not be given for that day.

    The study's own table decides where it says to which board practices belong; otherwise the publication's map that
    is dated nearest, whole rows at a time: the network of one date never stands beside the board of another.
    """
    maps = [table.places for table in tables if table.places is not None and len(table.places)]
    if "icb_code" in facts or not maps:
        return facts.assign(map_date=""), None
    # The register of practices names no networks: a map that does goes first.
    on_the_day = organisations.place_on(maps, day, needs=["pcn_code"])
    on_the_day = on_the_day[on_the_day["practice_code"].isin(facts.index)]
    found = on_the_day.set_index("practice_code").reindex(facts.index)
    kept = [name for name in (*_PLACES, "pcn_name", "icb_name", "map_date") if name in found]
    joined = facts.drop(columns=[name for name in kept if name in facts]).join(found[kept].fillna(""))
    names = found["practice_name"] if "practice_name" in found else pd.Series("", index=facts.index)
    given = (
        joined["practice_name"].replace("", None) if "practice_name" in joined else pd.Series(None, index=facts.index)
    )
    joined = joined.assign(practice_name=given.astype(object).combine_first(names.astype(object)))
    return joined, organisations.boards_not_told(on_the_day)


def hierarchy(facts: pd.DataFrame) -> pd.DataFrame:
    """Return where each practice belongs; codes tidy, networks keyed by board and network together."""
    frame = pd.DataFrame({"practice_code": facts.index})
    for name in _PLACES:
        given = facts[name] if name in facts else pd.Series("", index=facts.index)
        frame[name] = organisations.tidy(given).to_numpy()
    frame["pcn_code"], frame["pcn_key"] = organisations.network(frame["pcn_code"], frame["icb_code"])
    known = {code: organisations.name_of_board(code) for code in frame["icb_code"].unique() if code}
    names = pd.Series([known.get(code, "") for code in frame["icb_code"]], index=frame.index, dtype="str")
    if "icb_name" in facts:
        given = facts["icb_name"].fillna("").to_numpy()
        names = names.where(given == "", given)
    dates = facts["map_date"].fillna("").to_numpy() if "map_date" in facts else ""
    return frame.assign(icb_name=names, map_date=dates)[schema.names("hierarchy")]


def practices(facts: pd.DataFrame, counts: pd.DataFrame, measured: pd.Index) -> pd.DataFrame:
    """Return one row per practice: name, list, characteristics, and the counts of unmapped appointments."""
    apart = (*TEXTS, "map_date", "list_size", "list_jump_pct")
    kept = [name for name in facts.columns if name not in apart]
    blank = pd.Series(np.nan, index=measured)
    frame = pd.DataFrame(
        {
            "practice_code": measured,
            "practice_name": facts["practice_name"].fillna("") if "practice_name" in facts else "",
            "list_size": facts.get("list_size", blank),
            "list_jump_pct": facts.get("list_jump_pct", blank),
        },
        index=measured,
    )
    frame = pd.concat([frame, facts[kept]], axis=1)
    if "supplier" in facts:
        frame["supplier"] = facts["supplier"].fillna("")
    unmapped = counts[counts["metric"] == "unmapped"]
    for part in unmapped["part"].unique():
        own = unmapped[unmapped["part"] == part].set_index("practice_code")["value"]
        frame[f"unmapped.{part}"] = own.reindex(measured)
    return frame.reset_index(drop=True)
