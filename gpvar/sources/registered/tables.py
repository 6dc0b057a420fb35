"""The tables of Patients Registered at a GP Practice, one by one: lists by sex and age, totals, and the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from gpvar.errors import SourceError
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part
from gpvar.sources._publications import absent_regions, area_codes, by_value, in_words, note_blanks, once, reasons
from gpvar.sources._tabular import day_of, one_value, practice_codes, strangers, text_frame, whole_numbers
from gpvar.sources.registered.checks import add_up, refuse_missing_regions

_NO_PCN = "U"
_MAP = {
    "PRACTICE_CODE": "practice_code",
    "PRACTICE_NAME": "practice_name",
    "PRACTICE_POSTCODE": "postcode",
    "PCN_CODE": "pcn_code",
    "PCN_NAME": "pcn_name",
    "SUB_ICB_LOCATION_CODE": "sub_icb_code",
    "SUB_ICB_LOCATION_NAME": "sub_icb_name",
    "ICB_CODE": "icb_code",
    "ICB_NAME": "icb_name",
    "COMM_REGION_CODE": "region_code",
    "COMM_REGION_NAME": "region_name",
    "SUPPLIER_NAME": "supplier",
}
_MAP_NEEDS = ("PRACTICE_CODE", "PRACTICE_NAME", "PCN_CODE", "SUB_ICB_LOCATION_CODE", "ICB_CODE", "COMM_REGION_CODE")
#: The levels of areas in lists by age that hold everybody, by what to call them; some practices have no network.
_LEVELS = {"regions": "Comm Region", "boards": "ICB"}
_AREAS = ("PCN_CODE", "SUB_ICB_LOCATION_CODE", "ICB_CODE", "COMM_REGION_CODE")


@dataclass(frozen=True, slots=True)
class Table:
    """One table as read: what it says, and what must be said of it.

    Attributes
    ----------
    part
        Where it comes from.
    frame
        Its rows of practices, without the date.
    date
        The day of which it is, as ``"2026-07-01"``.
    rows
        Rows of data in the file.
    reason
        Why rows were dropped.
    not_practices
        Codes that are not practices', with their rows.
    wrong
        Practices whose ages do not add up: code, column, value.
    remarks
        Sentences about it.
    """

    part: Part
    frame: pd.DataFrame
    date: str
    rows: int
    reason: str = ""
    not_practices: tuple[tuple[str, int], ...] = ()
    wrong: tuple[tuple[str, str, float], ...] = ()
    remarks: list[str] = field(default_factory=list)

    @property
    def month(self) -> str:
        """The month of which it is."""
        return self.date[:7]


def read_table(part: Part) -> Table:
    """Read one table of this publication, whichever it is."""
    readers: dict[str, Callable[[Part], Table]] = {
        "registered_quinary": _read_quinary,
        "registered_all": _read_all,
        "registered_map": _read_map,
    }
    return readers[part.layout](part)


def _read_quinary(part: Part) -> Table:
    """Read lists by sex and five-year age group; only what the file itself bears out is used."""
    problems = Problems(SourceError, part.member.place)
    columns = ["EXTRACT_DATE", "ORG_TYPE", "ORG_CODE", "SEX", "AGE_GROUP_5", "NUMBER_OF_PATIENTS"]
    text = text_frame(part, columns)
    date = _extract_date(text, part, problems)
    patients = by_value(whole_numbers, text, "NUMBER_OF_PATIENTS", part, problems)
    note_blanks(text, "NUMBER_OF_PATIENTS", part, problems)
    kind = text["ORG_TYPE"].str.strip().astype("category")
    cells = pd.DataFrame(
        {
            "code": text["ORG_CODE"],
            "sex": text["SEX"].str.strip().str.upper().astype("category"),
            "age": text["AGE_GROUP_5"].str.strip().str.upper().astype("category"),
            "patients": patients,
        }
    )
    _note_ages(cells["age"], problems)
    practice = (kind == "GP").to_numpy()
    if not practice.any():
        raise _no_practices("ORG_TYPE", kind, part)
    own, doubled = once(cells[practice], ["code", "sex", "age"], part, "practice, sex and age group")
    areas = {
        level: once(cells[(kind == name).to_numpy()], ["code", "sex", "age"], part, "area, sex and age group")[0]
        for level, name in _LEVELS.items()
    }
    codes, good = by_value(practice_codes, own, "code", part, problems)
    problems.raise_if_any()
    refuse_missing_regions(own, areas, part)
    frame = own.assign(practice_code=codes)[good][["practice_code", "sex", "age", "patients"]]
    wrong, remarks = add_up(frame, part)
    regions = areas["regions"]
    checked = ", as many as its regions have" if len(regions) else "; the file has no regions to hold them against"
    remarks.insert(0, f"{in_words(date[:7])}: {_in_all(_whole(frame))}{checked}.")
    remarks += absent_regions(regions["code"].unique())
    reason = reasons(
        (int((~practice).sum()), "of networks, sub-ICB locations, boards and regions"),
        (doubled, "standing twice"),
        (int((~good).sum()), "not of practices"),
    )
    return Table(part, frame, date, len(text), reason, strangers(codes, good, part), wrong, remarks)


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["sex"] == "ALL") & (frame["age"] == "ALL")]


def _extract_date(text: pd.DataFrame, part: Part, problems: Problems) -> str:
    days = day_of(text["EXTRACT_DATE"].drop_duplicates(), "EXTRACT_DATE", part, problems)
    return one_value(days, "extract date", part)


def _in_all(total: pd.DataFrame) -> str:
    return f"{count(len(total), 'practice')}, {total['patients'].sum():,.0f} patients"


def _note_ages(ages: pd.Series, problems: Problems) -> None:
    odd = [str(age) for age in ages.cat.categories if age != "ALL" and not _is_age(str(age))]
    if odd:
        problems.add(
            f"The column AGE_GROUP_5 holds what is no age group: {listing(odd, 5)}.",
            "",
            "Use the file as it was downloaded: a spreadsheet turns some age groups into dates.",
        )


def _is_age(age: str) -> bool:
    low, _, high = age.rstrip("+").partition("_")
    return low.isdigit() and (high.isdigit() or age.endswith("+"))


def _no_practices(column: str, kinds: pd.Series, part: Part) -> SourceError:
    held = listing(sorted(str(kind) for kind in kinds.unique()), 5)
    return SourceError(
        f"The file holds no row of a practice (GP in the column {column}); it holds {held}.",
        part.member.place,
        "Use the whole file as it was downloaded.",
    )


def _read_all(part: Part) -> Table:
    """Read one total for each practice, of any edition: the commissioner was a CCG before July 2022."""
    problems = Problems(SourceError, part.member.place)
    columns = ["EXTRACT_DATE", "TYPE", "CODE", "SEX", "AGE", "NUMBER_OF_PATIENTS"]
    text = text_frame(part, columns, optional=["SUB_ICB_LOCATION_CODE"])
    date = _extract_date(text, part, problems)
    patients = whole_numbers(text, "NUMBER_OF_PATIENTS", part, problems)
    note_blanks(text, "NUMBER_OF_PATIENTS", part, problems)
    total = (text[["TYPE", "SEX", "AGE"]] == ["GP", "ALL", "ALL"]).all(axis=1)
    if not total.any():
        raise _no_practices("TYPE", text["TYPE"], part)
    codes, good = practice_codes(text[total], "CODE", part, problems)
    frame = pd.DataFrame({"practice_code": codes, "patients": patients[total]})
    if "SUB_ICB_LOCATION_CODE" in text:
        frame["commissioner_code"] = area_codes(text[total], "SUB_ICB_LOCATION_CODE", part, problems)
    problems.raise_if_any()
    frame, doubled = once(frame[good], ["practice_code"], part, "practice")
    reason = reasons(
        (int((~total).sum()), "not of totals of practices"),
        (doubled, "standing twice"),
        (int((~good).sum()), "not of practices"),
    )
    return Table(part, frame, date, len(text), reason, strangers(codes, good, part))


def _read_map(part: Part) -> Table:
    """Read where practices belong."""
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, ["EXTRACT_DATE", *_MAP_NEEDS], optional=[name for name in _MAP if name not in _MAP_NEEDS])
    date = _extract_date(text, part, problems)
    codes, good = practice_codes(text, "PRACTICE_CODE", part, problems)
    frame = text.drop(columns="EXTRACT_DATE").rename(columns=_MAP).assign(practice_code=codes)
    for heading in _AREAS:
        frame[_MAP[heading]] = area_codes(text, heading, part, problems)
    problems.raise_if_any()
    frame, doubled = once(frame[good], ["practice_code"], part, "practice")
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "not of practices"))
    found = strangers(codes, good, part)
    return Table(part, frame, date, len(text), reason, found, remarks=_said_of_map(frame, date))


def _said_of_map(frame: pd.DataFrame, date: str) -> list[str]:
    boards, none = frame["icb_code"].nunique(), int((frame["pcn_code"] == _NO_PCN).sum())
    said = [f"{in_words(date[:7])}: {count(len(frame), 'practice')} in {count(boards, 'integrated care board')}."]
    if none:
        said.append(f"{count(none, 'practice belongs', 'practices belong')} to no network (code {_NO_PCN}).")
    placed = frame[~frame["pcn_code"].isin(["", _NO_PCN])].drop_duplicates(["pcn_code", "icb_code"])
    straddling = placed[placed.duplicated("pcn_code", keep=False)]
    for code, rows in straddling.groupby("pcn_code"):
        name = f" {rows['pcn_name'].iloc[0]}" if "pcn_name" in rows else ""
        where = " and ".join(sorted(rows["icb_code"]))
        said.append(f"The network {code}{name} has practices in {where}, and counts as one network in each.")
    return said + absent_regions(frame["region_code"].unique())
