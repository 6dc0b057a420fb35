"""Who works in the practices: the high-level and the detailed file of General Practice Workforce."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.dates import month_in_words
from gpvar.simulate._publications_files import csv_bytes, plain, write_zip
from gpvar.simulate._publications_people import AGES, People
from gpvar.simulate._publications_places import Editions, Places, generator
from gpvar.simulate._world import constants

#: What is not among the GPs that a figure counts: `EXTG` leaves out those in training, `EXL` locums.
_TRAINEES, _LOCUMS = "GPs in Training Grades", "GP Regular Locums"


def staff(where: Places, who: People, seed: int) -> pd.DataFrame:
    """Return the staff of every practice: practice_code, group, role, fte, headcount.

    A practice that sent nothing for a group has no row of it.
    """
    rng = generator(seed, "staff")
    size = who.by_age.sum(axis=(1, 2))
    common = np.exp(0.22 * rng.standard_normal(len(size)))
    blocks = []
    for group in constants("publications")["workforce"]["group"]:
        sent = rng.uniform(size=len(size)) > 0.02
        for role, rate in group["roles"].items():
            wanted = size * rate * common * np.exp(0.45 * rng.standard_normal(len(size)))
            heads = np.maximum(np.rint(wanted / 0.75), 0).astype(int)
            fte = np.where(heads > 0, np.round(np.minimum(wanted, heads), 2), 0.0)
            rows = pd.DataFrame({"practice_code": where.current["practice_code"], "group": group["name"], "role": role})
            blocks.append(rows.assign(fte=fte, headcount=heads)[sent & ((heads > 0) | (role == "GP Partners"))])
    return pd.concat(blocks, ignore_index=True)


def workforce_truth(found: pd.DataFrame, where: Places) -> pd.DataFrame:
    """Return the full-time equivalents by practice that a reader must find; NaN where nothing was sent."""
    gp = found[found["group"] == "GP"]
    qualified = gp[~gp["role"].isin([_TRAINEES, _LOCUMS])]
    sums = found.groupby(["practice_code", "group"])["fte"].sum().unstack()
    out = sums.reindex(where.current["practice_code"]).rename(columns=_short())
    for name, part in (("gp_fte_without_trainees", gp[gp["role"] != _TRAINEES]), ("gp_fte_qualified", qualified)):
        out[name] = part.groupby("practice_code")["fte"].sum().reindex(out.index)
    return out.rename_axis(columns=None).round(2)


def _short() -> dict[str, str]:
    return {
        "GP": "gp_fte",
        "Nurses": "nurse_fte",
        "Direct Patient Care": "direct_patient_care_fte",
        "Admin/Non-Clinical": "admin_fte",
    }


def workforce(folder: Path, found: pd.DataFrame, where: Places, who: People, editions: Editions) -> Path:
    """Write both files of a month into the zip that holds them."""
    year, month = editions.workforce.split("-")
    # The publisher's own dash, which is not in every code page.
    stem = f"3 General Practice \N{EN DASH} {month_in_words(editions.workforce)} Practice Level - "
    members = {
        f"{stem}Detailed.csv": csv_bytes(_detailed(found, where, who)),
        f"{stem}High level.csv": csv_bytes(_high_level(found, where)),
    }
    return write_zip(folder / f"GPWPracticeCSV.{month}{year}.zip", members)


def _high_level(found: pd.DataFrame, where: Places) -> pd.DataFrame:
    """Return totals and roles one under the other; a total counts everyone who stands in the roles again."""
    groups = [group["name"] for group in constants("publications")["workforce"]["group"]]
    every = pd.MultiIndex.from_product([where.current["practice_code"], groups], names=["practice_code", "group"])
    totals = found.groupby(["practice_code", "group"])[["fte", "headcount"]].sum().reindex(every).reset_index()
    long = pd.concat([found, totals.assign(role="Total")], ignore_index=True)
    values = {
        "FTE": plain(long["fte"].fillna(0), 2).where(long["fte"].notna(), "NA"),
        "Headcount": plain(long["headcount"].fillna(0), 0).where(long["headcount"].notna(), "NA"),
    }
    names = long["practice_code"].map(where.current.set_index("practice_code")["practice_name"].str.upper())
    columns = catalogue.layouts()["workforce_high_level"].columns
    blocks = []
    for measure, value in values.items():
        cells = [long["practice_code"], names, long["group"], long["role"], measure, value]
        blocks.append(pd.DataFrame(dict(zip(columns, cells, strict=True))))
    order = ["PRAC_CODE", "STAFF_GROUP", "DETAILED_STAFF_ROLE", "MEASURE"]
    return pd.concat(blocks, ignore_index=True).sort_values(order, ignore_index=True)


def _detailed(found: pd.DataFrame, where: Places, who: People) -> pd.DataFrame:
    """Return one wide row for each practice; older editions write ND where newer ones write NA, so both stand here."""
    at = where.current.reset_index(drop=True)
    spec = constants("publications")["workforce"]
    upper = {name: at[name].str.upper() for name in ("practice_name", "pcn_name", "sub_icb_name", "icb_name")}
    first = [at["practice_code"], upper["practice_name"], at["pcn_code"], upper["pcn_name"], at["sub_icb_code"]]
    first += [upper["sub_icb_name"], at["icb_code"], upper["icb_name"], at["region_code"], at["region_name"]]
    columns = spec["detailed"]["columns"]
    out: dict[str, object] = dict(zip(columns[:10], first, strict=True)) | _patients(who)
    found_at = found.set_index(["group", "practice_code"])
    wide: dict[str, object] = {}
    for group in spec["group"]:
        sent = at["practice_code"].isin(set(found_at.loc[group["name"]].index))
        mark = pd.Series(np.where(at.index % 3 == 0, "ND", "NA"), index=at.index)
        out[group["source"]] = sent.map({True: "Provided", False: "Not provided"})
        for measure, stem in (("headcount", "HC"), ("fte", "FTE")):
            roles = found_at.loc[group["name"]].pivot(columns="role", values=measure).reindex(at["practice_code"])
            roles = roles.fillna(0).reset_index(drop=True)
            for name, left_out in _headings(group):
                kept = roles[[role for role in roles if role not in left_out]].sum(axis=1)
                wide[f"{name}_{stem}"] = plain(kept, 2).where(sent, mark)
    return pd.DataFrame({name: out[name] for name in columns} | wide)


def _headings(group: dict[str, object]) -> list[tuple[str, set[str]]]:
    """Return the headings of a group without their ending, each with the roles that it leaves out."""
    roles, stems = set(group["stems"]), group["stems"]  # type: ignore[call-overload]
    total = str(group["total"])
    out: list[tuple[str, set[str]]] = [(total, set())]
    if total == "TOTAL_GP":
        out += [(f"{total}_EXTG", {_TRAINEES}), (f"{total}_EXL", {_LOCUMS}), (f"{total}_EXTGL", {_TRAINEES, _LOCUMS})]
    stem = {"TOTAL_NURSES": "TOTAL_N"}.get(total, total)
    return out + [(f"{stem}_{part}", roles - {role}) for role, part in stems.items()]  # type: ignore[union-attr]


def _patients(who: People) -> dict[str, object]:
    """Return the patients by sex and wider band, as the detailed file gives them."""
    out: dict[str, object] = {"TOTAL_PATIENTS": who.by_age.sum(axis=(1, 2))}
    sexes = (("MALE", 1), ("FEMALE", 0))
    out |= {f"TOTAL_{name}": who.by_age[:, place].sum(axis=1) for name, place in sexes}
    for name, place in sexes:
        for band in constants("publications")["band"]:
            ages = [AGES.index(age) for age in band["ages"]]
            heading = f"{name}_PATIENTS_{band['name'].upper().replace('_', 'TO')}"
            out[heading] = who.by_age[:, place][:, ages].sum(axis=1)
    return out
