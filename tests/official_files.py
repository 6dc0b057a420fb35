"""Small official files in the exact layouts, made of a few invented numbers, for tests of their readers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from gpvar import catalogue
from gpvar.sources._parts import Part
from gpvar.sources.recognise import recognise

Row = Sequence[object]

REGIONS = ("Y56", "Y58", "Y59", "Y60", "Y61", "Y62", "Y63")
PRACTICES = ("A81001", "B81002", "C81003", "D81004", "E81005", "F81006", "G81007")
#: Patients by sex and age of the first practice; the others have ten times, a hundred times … the 30 to 34s.
CELLS = {
    ("FEMALE", "0_4"): 40,
    ("MALE", "0_4"): 60,
    ("FEMALE", "15_19"): 100,
    ("FEMALE", "40_44"): 150,
    ("MALE", "30_34"): 250,
    ("FEMALE", "65_69"): 200,
    ("MALE", "80_84"): 120,
    ("FEMALE", "85_89"): 50,
    ("MALE", "95+"): 30,
}


def write(path: Path, layout: str, rows: Iterable[Row], columns: Sequence[str] | None = None) -> Path:
    """Write rows under the headings of a layout; cells that a row lacks are blank."""
    card = catalogue.layouts()[layout]
    heads = list(columns or card.columns)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    if not card.headerless:
        writer.writerow(heads)
    for row in rows:
        writer.writerow([*row, *[""] * (len(heads) - len(row))])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def part(path: Path) -> Part:
    """Return the only table of a file, as it is recognised."""
    (found,) = recognise(path)
    return found


def cells_of(place: int) -> dict[tuple[str, str], int]:
    """Return the patients by sex and age of the practice at a place; each has more people aged 30 to 34."""
    return {**CELLS, ("MALE", "30_34"): 250 + 1000 * place}


def quinary_rows(
    date: str = "2026-07-01", practices: Sequence[str] = PRACTICES, regions: Sequence[str] = REGIONS
) -> list[Row]:
    """Return lists by age of practices, each in a region of its own, and the totals of the regions."""
    rows: list[Row] = []
    for place, (code, region) in enumerate(zip(PRACTICES, REGIONS, strict=True)):
        for kind, name, wanted in (("Comm Region", region, regions), ("GP", code, practices)):
            if name in wanted:
                rows += [
                    ("GP_PRAC_PAT_LIST", date, kind, name, "", "", sex, age, patients)
                    for (sex, age), patients in with_totals(cells_of(place)).items()
                ]
    return rows


def with_totals(cells: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Return the cells with the totals of both sexes, and of all, as the publication prints them."""
    totals = {("ALL", "ALL"): sum(cells.values())}
    for sex in ("FEMALE", "MALE"):
        totals[sex, "ALL"] = sum(patients for (own, _), patients in cells.items() if own == sex)
    return {**totals, **cells}


def quinary(path: Path, **options: object) -> Part:
    """Write lists by age and return the table."""
    return part(write(path, "registered_quinary", quinary_rows(**options)))  # type: ignore[arg-type]


def totals(path: Path, date: str, sizes: dict[str, int], old: bool = False) -> Part:
    """Write one total for each practice, with the headings of before July 2022 or of after, and return the table."""
    columns = list(catalogue.layouts()["registered_all"].columns)
    if old:
        columns = [name.replace("SUB_ICB_LOCATION", "CCG") for name in columns]
    rows = [
        ("GP_PRAC_PAT_LIST", date, "GP", "00L", "E38000130", code, "NE1 1AA", "ALL", "ALL", size)
        for code, size in sizes.items()
    ]
    return part(write(path, "registered_all", rows, columns))


def map_row(code: str, place: int = 0, **changes: str) -> Row:
    """Return the row of a practice in the map."""
    cells = {
        "PUBLICATION": "GP_PRAC_PAT_LIST",
        "EXTRACT_DATE": "01Jul2026",
        "PRACTICE_CODE": code,
        "PRACTICE_NAME": f"Surgery {place}",
        "PRACTICE_POSTCODE": "NE1 1AA",
        "PCN_CODE": f"U1000{place}",
        "PCN_NAME": f"Network {place}",
        "ONS_SUB_ICB_LOCATION_CODE": "E38000130",
        "SUB_ICB_LOCATION_CODE": "00L",
        "SUB_ICB_LOCATION_NAME": "Place",
        "ONS_ICB_CODE": "E54000050",
        "ICB_CODE": "QHM",
        "ICB_NAME": "Board",
        "ONS_COMM_REGION_CODE": "E40000012",
        "COMM_REGION_CODE": REGIONS[place],
        "COMM_REGION_NAME": "Region",
        "SUPPLIER_NAME": "TPP",
    }
    return tuple((cells | changes).values())


def mapping(path: Path, rows: Sequence[Row]) -> Part:
    """Write a map and return the table."""
    return part(write(path, "registered_map", rows))


def fingertips(path: Path, rows: Iterable[tuple[str, str, str, str, str]], head: str = "Column not used") -> Part:
    """Write the download of indicators (id, name, area, area type, value) and return the table."""
    columns = [
        head if name == "Compared to percentiles" else name for name in catalogue.layouts()["fingertips_api"].columns
    ]
    full = [
        (number, name, "E92000001", "England", area, "A place", kind, "Persons", "All ages", "", "", "2025", value)
        for number, name, area, kind, value in rows
    ]
    return part(write(path, "fingertips_api", full, columns))


def qof_rows(code: str, total: int = 1000, adults: int = 800, **registers: int) -> list[Row]:
    """Return the registers of a practice; AF and LD count on the whole list, DM on adults."""
    sizes = {"DM": (adults, "17OV")}
    return [(code, name, float(size), *sizes.get(name, (total, "TOTAL"))[::-1]) for name, size in registers.items()]


def payment(code: str, **changes: str) -> Row:
    """Return the row of a practice in the payments."""
    cells = dict.fromkeys(catalogue.layouts()["nhs_payments"].columns, "0")
    cells |= {
        "Practice Code": code,
        "Practice Name": "A Surgery",
        "Practice Open Date": "01/04/1974",
        "Practice Close Date": "",
        "Contract Type": "GMS",
        "Practice type": "GP practice",
        "Practice Rurality": "Urban",
        "Atypical characteristics": "",
        "Number of Registered Patients (Last Known Figure)": "1000",
        "Number of Weighted Patients (Last Known Figure)": "1100.5",
        "Average payments per registered patient": "150.25",
    }
    return tuple((cells | changes).values())


def high_level(path: Path, values: dict[tuple[str, str, str], object]) -> Part:
    """Write full-time equivalents by practice, group and role, and return the table."""
    rows = [(code, "A Surgery", group, role, "FTE", value) for (code, group, role), value in values.items()]
    return part(write(path, "workforce_high_level", rows))


def register_row(code: str, **changes: str) -> Row:
    """Return the row of a practice in the register."""
    cells = dict.fromkeys(catalogue.layouts()["ods_epraccur"].columns, "")
    cells |= {
        "organisation_code": code,
        "name": "A SURGERY",
        "national_grouping": "Y63",
        "high_level_health_geography": "QHM",
        "postcode": "NE1 1AA",
        "open_date": "19740401",
        "status": "A",
        "commissioner": "00L",
        "join_provider_date": "20130401",
        "prescribing_setting": "4",
    }
    return tuple((cells | changes).values())


def living(path: Path, rows: Iterable[tuple[str, str, str, int]], date: str = "2026-07-01") -> Part:
    """Write registrations (practice, area, sex, patients) and return the table."""
    full = [("GP_PRAC_PAT_LIST", date, code, "A Surgery", area, sex, size) for code, area, sex, size in rows]
    return part(write(path, "registered_lsoa", full))


def index_2025(path: Path, scores: dict[str, float]) -> Part:
    """Write scores of small areas and return the table."""
    return part(write(path, "iod2025_scores", [(area, "A place", "E06", "A place", s) for area, s in scores.items()]))
