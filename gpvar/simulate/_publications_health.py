"""Registers of the Quality and Outcomes Framework, and deprivation scores as Fingertips hands them out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from gpvar import catalogue
from gpvar.simulate import SimulatedEngland
from gpvar.simulate._publications_files import csv_bytes, plain, write, write_zip
from gpvar.simulate._publications_people import AGES, People
from gpvar.simulate._publications_places import Editions, Places, generator
from gpvar.simulate._world import constants

#: The England row, and the indicators: id, year of the index, what areas are called, and the heading that varies.
ENGLAND = ("E92000001", "England")
_INDICATORS = {
    2025: ("94240", "Deprivation score (IMD 2025)", "GPs", "ICBs", "Column not used"),
    2019: ("93553", "Deprivation score (IMD 2019)", "GP", "ICBs", "Compared to percentiles"),
}
_VARIES = 22


def registers(world: SimulatedEngland, where: Places, who: People, seed: int) -> pd.DataFrame:
    """Return every register of every practice: practice_code, group_code, register, list_type, list_size.

    The world's own registers are the world's; the others are drawn. Practices that closed after the year are in it.
    """
    rng = generator(seed, "registers")
    table = world.practices
    spec = constants("publications")["qof"]
    by_age = who.by_age.sum(axis=1)
    sizes = {
        name: np.rint((by_age * np.array([out.get(age, 1.0) for age in AGES])).sum(axis=1)).astype(int)
        for name, out in spec["lists"].items()
    }
    old = special.logit(table["share_65plus"].to_numpy())
    blocks = []
    for group, card in spec["registers"].items():
        size = sizes[card["list"]]
        given = table.get(f"qof_reg_{group.lower()}")
        noise = rng.standard_normal(len(table))
        link = special.logit(card["share"]) + card["age"] * (old - old.mean()) + 0.15 * noise
        found = np.rint(size * special.expit(link)) if given is None else given.to_numpy()
        # A register is never longer than the list that it is counted on.
        blocks.append(
            pd.DataFrame(
                {
                    "practice_code": table["practice_code"],
                    "group_code": group,
                    "register": np.minimum(found, size).astype(int),
                    "list_type": card["list"],
                    "list_size": size,
                }
            )
        )
    frame = pd.concat(blocks, ignore_index=True)
    return _with_closed(frame, where).sort_values(["practice_code", "group_code"], ignore_index=True)


def _with_closed(frame: pd.DataFrame, where: Places) -> pd.DataFrame:
    """Add the practices that closed after the year, a quarter the size of those that took them over."""
    still = where.closed.iloc[:2]
    code = dict(zip(still["successor"], still["practice_code"], strict=True))
    added = frame[frame["practice_code"].isin(list(code))].copy()
    added["practice_code"] = added["practice_code"].map(code)
    added[["register", "list_size"]] //= 4
    return pd.concat([frame, added], ignore_index=True)


def prevalence(folder: Path, found: pd.DataFrame, editions: Editions) -> Path:
    """Write the registers as a bare file."""
    return write(folder / f"PREVALENCE_{editions.qof}.csv", _prevalence_bytes(found))


def _prevalence_bytes(found: pd.DataFrame) -> bytes:
    columns = catalogue.layouts()["qof_prevalence"].columns
    cells = found.assign(register=found["register"].astype(float))
    return csv_bytes(cells.set_axis(list(columns), axis=1), line_end="\n")


def qof_zip(folder: Path, found: pd.DataFrame, where: Places, editions: Editions) -> Path:
    """Write the zip as published: achievement by region, the registers, and the mappings."""
    year = editions.qof
    everyone = pd.concat([where.current, where.closed], ignore_index=True)
    everyone = everyone[everyone["practice_code"].isin(set(found["practice_code"]))].sort_values("practice_code")
    members = {}
    for region, part in everyone.groupby("region_name", sort=True):
        name = f"ACHIEVEMENT_{str(region).upper().replace(' ', '_')}_{year}.csv"
        members[name] = csv_bytes(_achievement(part, found), line_end="\n")
    members[f"MAPPING_INDICATORS_{year}.csv"] = csv_bytes(_indicators(), line_end="\n")
    members[f"MAPPING_NHS_GEOGRAPHIES_{year}.csv"] = csv_bytes(_geographies(everyone), line_end="\n")
    members[f"PREVALENCE_{year}.csv"] = _prevalence_bytes(found)
    return write_zip(folder / f"QOF{year}.zip", members)


def _achievement(part: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    spec = constants("publications")["qof"]["achievement"]
    blocks = []
    for code, group in spec["indicators"].items():
        own = found[found["group_code"] == group].set_index("practice_code")["register"].loc[part["practice_code"]]
        left_out = (own * 0.06).astype(int)
        values = {
            "ACHIEVED_POINTS": float(spec["points"][code]),
            "DENOMINATOR": own - left_out,
            "NUMERATOR": ((own - left_out) * 0.74).astype(int),
            "PCAS": left_out,
            "REGISTER": own,
        }
        for measure, value in values.items():
            places_ = [part["region_code"], part["ons_region_code"], part["region_name"], part["practice_code"]]
            cells = [*places_, code, measure, value if isinstance(value, float) else value.to_numpy()]
            blocks.append(pd.DataFrame(dict(zip(spec["columns"], cells, strict=True))))
    order = ["PRACTICE_CODE", "INDICATOR_CODE", "MEASURE"]
    return pd.concat(blocks, ignore_index=True).sort_values(order, ignore_index=True)


def _indicators() -> pd.DataFrame:
    spec = constants("publications")["qof"]
    rows = []
    for code, group in spec["achievement"]["indicators"].items():
        points = spec["achievement"]["points"][code]
        kind = spec["registers"][group]["list"]
        words = [f"Simulated indicator, {group}", points, group, f"Simulated group, {group}"]
        rows.append([code, *words, "CL", "Clinical", "CL", "Clinical", kind])
    return pd.DataFrame(rows, columns=spec["indicators"]["columns"])


def _geographies(everyone: pd.DataFrame) -> pd.DataFrame:
    columns = constants("publications")["qof"]["geographies"]["columns"]
    nation = dict(zip(columns[:3], (ENGLAND[0], "ENG", "ENGLAND"), strict=True))
    short = {"REGION_ODS": "region", "REGION_ONS": "ons_region", "ICB_ODS": "icb", "ICB_ONS": "ons_icb"}
    short |= {"SUB_ICB_ODS": "sub_icb", "SUB_ICB_ONS": "ons_sub_icb", "PCN_ODS": "pcn"}
    rest = {name: everyone[f"{short.get(name[:-5], name[:-5].lower())}{name[-5:].lower()}"] for name in columns[3:]}
    return pd.DataFrame(nation | rest)


def scores(world: SimulatedEngland, where: Places, seed: int, year: int) -> pd.Series:
    """Return the deprivation score of every practice that an index has: the world's own, or one like it of 2019."""
    score = world.practices.set_index("practice_code")["imd2025_score"]
    if year == 2025:
        return score
    rng = generator(seed, "imd2019")
    older = (score * 0.93 * np.exp(0.06 * rng.standard_normal(len(score)))).clip(3.0, 70.0).round(10)
    closed = where.closed.set_index("practice_code")["successor"].map(older)
    return pd.concat([older[~where.current["new"].to_numpy()], closed]).rename("imd2019_score")


def fingertips(folder: Path, where: Places, score: pd.Series, sizes: pd.Series, year: int) -> Path:
    """Write a deprivation indicator as the programming interface returns it, England and boards above practices."""
    number, title, kind, boards, varies = _INDICATORS[year]
    everyone = pd.concat([where.current, where.closed], ignore_index=True).set_index("practice_code")
    at = everyone.loc[score.index]
    weight = sizes.reindex(score.index).fillna(1.0)
    england = float((score * weight).sum() / weight.sum())
    by_board = (score * weight).groupby(at["icb_code"]).sum() / weight.groupby(at["icb_code"]).sum()
    board = everyone.drop_duplicates("icb_code").set_index("icb_code").loc[by_board.index]
    named = {code: f"{name} - {code}" for code, name in board["icb_name"].items()}
    # Some names have a comma in them, so their cells are quoted.
    comma = np.arange(len(at)) % 25 == 3
    names = at["practice_name"].where(~comma, at["practice_name"] + ", " + at["town"])
    rows: list[tuple[Any, ...]] = [("", "", *ENGLAND, "England", england), (*ENGLAND, *ENGLAND, "England", england)]
    ons = board["ons_icb_code"]
    rows += [(*ENGLAND, ons[code], named[code], boards, value) for code, value in by_board.items()]
    # The newer form stands under boards, the older one under England.
    above = [(ons[code], named[code]) if year == 2025 else ENGLAND for code in at["icb_code"]]
    below = zip(score.index, names, [kind] * len(at), score, strict=True)
    rows += [(*up, *row) for up, row in zip(above, below, strict=True)]
    return write(folder / f"indicator-{number}.csv", _fingertips_bytes(rows, number, title, varies, year))


def _fingertips_bytes(rows: list[tuple[Any, ...]], number: str, title: str, varies: str, year: int) -> bytes:
    columns = list(catalogue.layouts()["fingertips_api"].columns)
    columns[_VARIES] = varies
    frame = pd.DataFrame("", index=range(len(rows)), columns=columns)
    frame["Indicator ID"], frame["Indicator Name"] = number, title
    frame.iloc[:, 2:7] = [row[:5] for row in rows]
    frame["Sex"], frame["Age"], frame["Time period"] = "Persons", "All ages", str(year)
    frame["Value"] = [repr(float(row[5])) for row in rows]
    frame["Recent Trend"] = "Cannot be calculated"
    frame.iloc[:, 21] = frame.iloc[:, _VARIES] = "Not compared"
    frame["Time period Sortable"], frame["Time period range"] = f"{year}0000", "1y"
    return csv_bytes(frame, last_end=False)


def extract(folder: Path, where: Places, score: pd.Series, year: int) -> Path:
    """Write the four-column extract of a deprivation indicator."""
    at = where.current.set_index("practice_code").loc[score.index]
    columns = catalogue.layouts()["fingertips_extract"].columns
    cells = [score.index, at["practice_name"], str(year), plain(score, 3)]
    frame = pd.DataFrame(dict(zip(columns, cells, strict=True)))
    return write(folder / f"fingertips-imd-{year}-gp-practice.csv", csv_bytes(frame, line_end="\n"))
