"""Patients Registered at a GP Practice: five-year age groups, the mapping, and the plain lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.simulate._publications_files import csv_bytes, write, write_zip
from gpvar.simulate._publications_people import AGES, SEXES, People
from gpvar.simulate._publications_places import NO_PCN, Editions, Places, stamp

_PUBLICATION = "GP_PRAC_PAT_LIST"
# The order of organisations in the real file, and what each is called there.
_LEVELS = (
    ("Comm Region", "region_code", "ons_region_code"),
    ("ICB", "icb_code", "ons_icb_code"),
    ("SUB_ICB_LOCATION_CODE", "sub_icb_code", "ons_sub_icb_code"),
    ("PCN", "pcn_code", None),
    ("GP", "practice_code", None),
)
#: What a mapping says of a practice, in tidy names.
PLACES = (
    *("practice_name", "pcn_code", "pcn_name", "sub_icb_code", "icb_code", "icb_name", "region_code", "region_name"),
    *("supplier", "date"),
)
#: Share of the list that the study asks for, the ages it counts, and the sex when it is one.
SHARES = {
    "share_0_4": (("0_4",), None),
    "share_0_14": (("0_4", "5_9", "10_14"), None),
    "share_65plus": (("65_69", "70_74", "75_79", "80_84", "85_89", "90_94", "95+"), None),
    "share_75plus": (("75_79", "80_84", "85_89", "90_94", "95+"), None),
    "share_85plus": (("85_89", "90_94", "95+"), None),
    "share_female": (AGES, "FEMALE"),
    "share_female_15_44": (("15_19", "20_24", "25_29", "30_34", "35_39", "40_44"), "FEMALE"),
}


def quinary(folder: Path, where: Places, who: People, editions: Editions) -> tuple[Path, pd.DataFrame]:
    """Write the lists by age and sex; return the file and each practice's list and shares."""
    # Text order, as the real file has it: 5_9 after 55_59, ALL last.
    ages = sorted(AGES)
    counts = who.by_age[:, :, [AGES.index(age) for age in ages]]
    keys = [("ALL", "ALL")] + [(sex, age) for sex in SEXES for age in (*ages, "ALL")]
    blocks = []
    for level, code, ons in _LEVELS:
        groups, names = pd.factorize(where.current[code], sort=True)
        added = np.zeros((len(names), *counts.shape[1:]), dtype=np.int64)
        np.add.at(added, groups, counts)
        cells = np.concatenate([added, added.sum(axis=2, keepdims=True)], axis=2).reshape(len(names), -1)
        cells = np.column_stack([added.sum(axis=(1, 2)), cells])
        first = where.current.drop_duplicates(code).set_index(code).loc[names]
        blocks.append(
            pd.DataFrame(
                {
                    "PUBLICATION": _PUBLICATION,
                    "EXTRACT_DATE": stamp(editions.registered, "iso"),
                    "ORG_TYPE": level,
                    "ORG_CODE": np.repeat(names.to_numpy(), len(keys)),
                    "ONS_CODE": np.repeat(first[ons].to_numpy(), len(keys)) if ons else "",
                    "POSTCODE": np.repeat(first["postcode"].to_numpy(), len(keys)) if level == "GP" else "",
                    "SEX": np.tile([sex for sex, _ in keys], len(names)),
                    "AGE_GROUP_5": np.tile([age for _, age in keys], len(names)),
                    "NUMBER_OF_PATIENTS": cells.ravel(),
                }
            )
        )
    data = csv_bytes(pd.concat(blocks, ignore_index=True))
    path = write_zip(folder / "gp-reg-pat-prac-quin-age.zip", {"gp-reg-pat-prac-quin-age.csv": data})
    return path, _shares(where, who)


def _shares(where: Places, who: People) -> pd.DataFrame:
    size = who.by_age.sum(axis=(1, 2))
    out = {"patients": size}
    for name, (ages, sex) in SHARES.items():
        rows = [SEXES.index(sex)] if sex else [0, 1]
        part = who.by_age[:, rows][:, :, [AGES.index(age) for age in ages]]
        out[name] = part.sum(axis=(1, 2)) / size
    return pd.DataFrame(out).assign(practice_code=where.current["practice_code"]).set_index("practice_code")


def listed(where: Places, month: str) -> pd.DataFrame:
    """Return the practices that were open in a month, by code, with names as the publisher writes them."""
    gone = where.closed[where.closed["closed"].str[:6] >= month.replace("-", "")]
    frame = pd.concat([where.current, gone], ignore_index=True).sort_values("practice_code")
    names = {name: frame[name].str.upper() for name in ("practice_name", "pcn_name")}
    names["pcn_name"] = names["pcn_name"].where(frame["pcn_code"] != NO_PCN[0], NO_PCN[1])
    return frame.assign(**names, date=stamp(month, "iso")).set_index("practice_code")


def mapping(folder: Path, where: Places, month: str) -> tuple[Path, pd.DataFrame]:
    """Write where practices belong at the first of a month; return the file and the places as tidy columns."""
    frame = listed(where, month)
    others = {
        "PUBLICATION": _PUBLICATION,
        "EXTRACT_DATE": stamp(month, "title"),
        "PRACTICE_CODE": frame.index,
        "PRACTICE_POSTCODE": frame["postcode"],
        "SUPPLIER_NAME": frame["supplier"],
    }
    columns = catalogue.layouts()["registered_map"].columns
    cells = {name: others[name] if name in others else frame[_tidy_name(name)] for name in columns}
    data = csv_bytes(pd.DataFrame(cells, index=frame.index))
    path = write_zip(folder / "gp-reg-pat-prac-map.zip", {"gp-reg-pat-prac-map.csv": data})
    return path, frame[list(PLACES)]


def _tidy_name(heading: str) -> str:
    return heading.lower().replace("_location", "").replace("comm_", "")


def lists(folder: Path, where: Places, who: People, editions: Editions) -> tuple[tuple[Path, ...], pd.DataFrame]:
    """Write the plain list of every month of the period; return the files and the lists by practice and month."""
    everyone = pd.concat([where.current, where.closed], ignore_index=True).set_index("practice_code")
    paths = []
    for month, part in who.lists.groupby("month", sort=True):
        # Both ways of writing a date are in use, one after the other.
        form = "upper" if str(month) < "2026" else "iso"
        name = f"gp-reg-pat-prac-all-{stamp(str(month), 'title')[2:]}.csv"
        columns = catalogue.layouts()["registered_all"].columns
        data = _plain_list(part.set_index("practice_code")["patients"], everyone, stamp(str(month), form), columns)
        paths.append(write(folder / name, data))
    return tuple(paths), who.lists


def old_list(folder: Path, where: Places, who: People) -> tuple[Path, pd.DataFrame]:
    """Write the list of January 2021 in its older layout; return the file and the lists."""
    everyone = pd.concat([where.current, where.closed], ignore_index=True)
    everyone = everyone[~everyone["new"]].set_index("practice_code")
    recent = who.lists.groupby("practice_code")["patients"].first()
    patients = (recent.reindex(everyone.index).fillna(3000) * 0.94).round().astype(int)
    layout = catalogue.layouts()["registered_all"]
    columns = tuple(layout.also.get(name, (name,))[-1] for name in layout.columns)
    data = _plain_list(patients, everyone, stamp("2021-01", "upper"), columns)
    truth = pd.DataFrame({"practice_code": patients.index, "month": "2021-01", "patients": patients.to_numpy()})
    return write(folder / "gp-reg-pat-prac-all-Jan2021.csv", data), truth


def _plain_list(patients: pd.Series, everyone: pd.DataFrame, date: str, columns: tuple[str, ...]) -> bytes:
    at = everyone.loc[patients.index]
    cells = [_PUBLICATION, date, "GP", at["sub_icb_code"], at["ons_sub_icb_code"], patients.index, at["postcode"]]
    frame = pd.DataFrame(dict(zip(columns, [*cells, "ALL", "ALL", patients], strict=True)), index=patients.index)
    return csv_bytes(frame.sort_values([columns[3], columns[5]]))
