"""NHS Payments to General Practice, and the register of practices of the Organisation Data Service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.simulate import SimulatedEngland
from gpvar.simulate._publications_files import csv_bytes, plain, write, write_zip
from gpvar.simulate._publications_places import Editions, Places, generator
from gpvar.simulate._world import constants

Array = np.ndarray[Any, np.dtype[Any]]

_POUNDS_PER_WEIGHTED = 99.7
_TOTAL = "Total NHS Payments to General Practice"
_LESS = "Deductions for Pensions, Levies and Prescription Charge Income"
_SIZE = "Number of Registered Patients (Last Known Figure)"
_WEIGHTED = "Number of Weighted Patients (Last Known Figure)"


def paid(world: SimulatedEngland, where: Places, seed: int) -> pd.DataFrame:
    """Return what the payments file knows of every practice that was open in its year, by practice code.

    practice_name, rurality, contract, dispensing, practice_type, registered, weighted, closed, and where it belongs.
    """
    rng = generator(seed, "paid")
    rural = world.practices.set_index("practice_code")["rurality"]
    size = world.practices.set_index("practice_code")["mean_monthly_list_size"]
    # A list of some years ago, the mean of four quarters.
    older = (size * np.exp(-0.04 + 0.03 * rng.standard_normal(len(size)))).mul(4).round().div(4)
    old = world.practices.set_index("practice_code")["share_65plus"]
    open_then = where.current[~where.current["new"]]
    frame = pd.concat([open_then, where.closed], ignore_index=True)
    source = frame["successor"].where(frame["successor"].notna(), frame["practice_code"])
    out = frame.assign(rurality=source.map(rural), registered=source.map(older))
    out.loc[out["closed"].notna(), "registered"] = (out["registered"] / 4).mul(4).round().div(4)
    need = np.exp(0.9 * (source.map(old).to_numpy() - 0.19) + 0.07 * rng.standard_normal(len(out)))
    out["weighted"] = (out["registered"] * need).round(2)
    out["contract"] = rng.choice(["GMS", "PMS", "APMS"], size=len(out), p=[0.72, 0.25, 0.03])
    dispenses = rng.uniform(size=len(out)) < np.where(out["rurality"] == "Rural", 0.6, 0.03)
    out["dispensing"] = np.where(dispenses, "Yes", "No")
    out["practice_type"] = "GP practice"
    gone = out["closed"].notna() & (out["closed"] < "20230401")
    out.loc[gone, ["registered", "weighted"]] = 0.0
    out = pd.concat([out, _walk_in(out)], ignore_index=True)
    return out.sort_values("practice_code").set_index("practice_code")


def _walk_in(frame: pd.DataFrame) -> pd.DataFrame:
    """Return two services without a list, which the file holds among the practices."""
    rows = frame.head(2).copy()
    rows["practice_code"] = ["Y99001", "Y99008"]
    rows["practice_name"] = ["Simford Walk In Centre", "Ashenby Walk In Centre"]
    rows[["registered", "weighted"]] = 0.0
    rows["contract"], rows["dispensing"], rows["practice_type"] = "Unknown", "Unknown", "Walk in centre"
    rows["rurality"] = "Urban"
    return rows


def payments(folder: Path, found: pd.DataFrame, seed: int, editions: Editions) -> Path:
    """Write the payments of a financial year: 75 columns, a byte order mark, no end to the last line."""
    rng = generator(seed, "payments")
    columns = constants("publications")["payments"]["headings"]["columns"]
    cells = _who_was_paid(found) | {name: plain(value, 2) for name, value in _pounds(found, rng).items()}
    frame = pd.DataFrame({name: cells.get(name, "0") for name in columns})
    year = f"{editions.payments[:2]}-{editions.payments[2:]}"
    return write(folder / f"nhspaymentsgp-{year}-prac-csv.csv", csv_bytes(frame, mark=True, last_end=False))


def _who_was_paid(found: pd.DataFrame) -> dict[str, pd.Series]:
    unknown = found["pcn_code"] == "U"
    outer = found["postcode"].str.split(" ").str
    # Eight places whatever the length, as in the real file; so are the blanks within an address.
    postcode = outer[0].str.pad(5, side="right") + outer[1]
    comma = pd.Series(np.where(np.arange(len(found)) % 30 == 4, "UNIT 1, ", ""), index=found.index)
    address = comma + found["address_2"] + "   " + found["town"].str.upper() + " "
    few = found["registered"] == 0
    return {
        "NHS England (Region) code": found["region_code"],
        "NHS England (Region) Name": found["region_name"].str.upper() + " COMMISSIONING REGION",
        "CCG Code": found["sub_icb_code"],
        "Sub ICB NAME": found["sub_icb_name"].str.upper(),
        "Code": found["pcn_code"].where(~unknown, "Unknown or no PCN"),
        "CCG NAME": found["pcn_name"].str.upper().where(~unknown, "Unknown or no PCN"),
        "Practice Code": found.index.to_series(),
        "Practice Name": found["practice_name"].str.upper(),
        "Practice Address": address,
        "Practice Postcode": postcode,
        "Practice Open Date": _british(found["opened"]),
        "Practice Close Date": _british(found["closed"]),
        "Contract Type": found["contract"],
        "Dispensing Practice": found["dispensing"],
        "Practice type": found["practice_type"],
        "Practice Rurality": found["rurality"],
        "Atypical characteristics": few.map({True: "| No registered patients |", False: ""}),
    }


def _british(days: pd.Series) -> pd.Series:
    text = days.fillna("").astype(str)
    return (text.str[6:] + "/" + text.str[4:6] + "/" + text.str[:4]).where(text != "", "")


def _pounds(found: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.Series]:
    """Return the numbers of the file; every total is the sum of what it is the total of."""
    spec = constants("publications")["payments"]
    size, weighted = found["registered"], found["weighted"]

    def each(pounds: dict[str, float], base: pd.Series) -> dict[str, pd.Series]:
        return {
            name: (base * rate * rng.gamma(4.0, 0.25, len(found))).round(2) for name, rate in sorted(pounds.items())
        }

    parts = {"Global Sum": (weighted * _POUNDS_PER_WEIGHTED).round(2)} | each(spec["pounds"], size)
    parts |= each(spec["dispensing"], size.where(found["dispensing"] == "Yes", 0.0))
    apart = each(spec["apart"], size)
    total = sum(parts.values(), pd.Series(0.0, index=found.index))
    less = (-0.085 * total).round(2)
    covid = total + sum(apart.values())
    out = {_SIZE: size, _WEIGHTED: weighted, **parts, **apart, _TOTAL: total, _LESS: less}
    out[f"{_TOTAL} Minus Deductions"] = total + less
    out[f"{_TOTAL} including covid vaccination, covid support and long covid payments"] = covid
    out["Total NHS Payments including PCN Workforce, Leadership and Support"] = total
    out[f"{_TOTAL} including Covid and PCN payments"] = covid
    out[f"{_TOTAL} including Covid and PCN payments minus deductions"] = covid + less
    for what, base in (("registered", size), ("weighted", weighted)):
        lead = f"Average payments per {what} patient"
        share = total.div(base.where(base > 0)).fillna(0.0)
        out[lead] = out[f"{lead} including PCN Workforce, Leadership and Support"] = share
        with_covid = covid.div(base.where(base > 0)).fillna(0.0)
        out[f"{lead} including covid vaccination, covid support and long covid payments"] = with_covid
    return out


def register(world: SimulatedEngland, where: Places, seed: int) -> pd.DataFrame:
    """Return the register: every practice, open or closed, and services that are none; see `ods` for its fields."""
    rng = generator(seed, "register")
    frame = pd.concat([where.current, where.closed], ignore_index=True)
    frame["status"], frame["setting"] = np.where(frame["closed"].notna(), "C", "A"), "4"
    extra = where.current.sample(n=max(20, len(where.current) // 2), random_state=rng).reset_index(drop=True)
    extra["practice_code"] = [f"Y{90001 + 3 * n:05d}" for n in range(len(extra))]
    extra["practice_name"] = (
        extra["town"]
        + np.where(extra.index % 2, " Out of Hours ", " Dermatology ")
        + [str(n + 1) for n in range(len(extra))]
    )
    extra["address_1"] = extra["practice_name"].str.upper()
    extra["setting"] = rng.choice(["0", "1", "2", "9", "10", "26"], size=len(extra))
    extra["status"] = rng.choice(["A", "C", "D"], size=len(extra), p=[0.8, 0.15, 0.05])
    extra["closed"] = pd.Series("20211130", index=extra.index).where(extra["status"] == "C")
    # A practice of record that never had patients, and one that is only proposed.
    extra.loc[:1, "setting"] = "4"
    extra.loc[:1, "status"] = ["D", "P"]
    extra.loc[:1, "closed"] = None
    out = pd.concat([frame, extra], ignore_index=True)
    return out.sort_values("practice_code").set_index("practice_code")


def ods(folder: Path, found: pd.DataFrame) -> Path:
    """Write the register: no headings, 27 fields, every one in quotes."""
    closed = found["closed"].fillna("").astype(str)
    town = found["town"].str.upper()
    values = {
        "organisation_code": found.index.to_series(),
        "name": found["practice_name"].str.upper(),
        "national_grouping": found["region_code"],
        "high_level_health_geography": found["icb_code"],
        "address_1": found["address_1"],
        "address_2": found["address_2"],
        "address_3": town,
        "postcode": found["postcode"],
        "open_date": found["opened"],
        "close_date": closed,
        "status": found["status"],
        "organisation_sub_type": "B",
        "commissioner": found["sub_icb_code"],
        "join_provider_date": "20200401",
        "left_provider_date": closed,
        "telephone": found["telephone"],
        "amended_record": "0",
        "provider_purchaser": found["sub_icb_code"],
        "prescribing_setting": found["setting"],
    }
    columns = catalogue.layouts()["ods_epraccur"].columns
    frame = pd.DataFrame({name: values.get(name, "") for name in columns}, index=found.index)
    return write_zip(
        folder / "epraccur.zip", {"epraccur.csv": csv_bytes(frame, line_end="\n", quote_all=True, header=False)}
    )
