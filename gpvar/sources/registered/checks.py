"""What lists by age must bear out of themselves: every region there, and bands that add up to the whole list."""

from __future__ import annotations

import itertools

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.organisations import name_of_board
from gpvar.problems import count, listing
from gpvar.sources._parts import Part
from gpvar.sources._publications import absent_regions

_AGAIN = "Part of the file is missing or was changed: download it again and use it as it is."


def refuse_missing_regions(practices: pd.DataFrame, areas: dict[str, pd.DataFrame], part: Part) -> None:
    """Refuse a file whose practices do not add up to its own areas, naming the regions whose practices are missing.

    Parameters
    ----------
    practices
        Columns code, sex, age, patients.
    areas
        The same of each level of areas, by what to call it; the regions first.
    part
        The file, for the message.
    """
    here = _by_cell(practices)
    for level, rows in areas.items():
        gap = _by_cell(rows).subtract(here, fill_value=0) if len(rows) else here * 0
        if not (gap != 0).any():
            continue
        lost = float(gap.get(("ALL", "ALL"), 0.0))
        names = _areas_of(rows, lost, level.removesuffix("s"))
        if names:
            problem = f"The practices of {names} are missing: {lost:,.0f} patients that the file's own {level} count."
        elif lost < 0:
            problem = f"The file's {level} lack {-lost:,.0f} of the patients that its practices have: rows are missing."
        elif lost > 0:
            problem = f"The file's practices lack {lost:,.0f} of the patients that its own {level} count."
        else:
            sex, age = gap.index[(gap != 0).to_numpy()][0]
            problem = f"Practices and {level} of the file do not add up to the same patients ({sex}, age {age})."
        if level != "regions":
            problem = " ".join([problem, *absent_regions(areas["regions"]["code"].unique())])
        raise SourceError(problem, part.member.place, _AGAIN)


def _by_cell(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(["sex", "age"], observed=True)["patients"].sum()


def _areas_of(rows: pd.DataFrame, lost: float, what: str) -> str:
    """Return the one or two areas that have exactly the patients lost."""
    whole = rows[(rows["sex"] == "ALL") & (rows["age"] == "ALL")].set_index("code")["patients"]
    for size in (1, 2):
        for codes in itertools.combinations(whole.index, size):
            if whole[list(codes)].sum() == lost:
                return " and ".join(_called(str(code), what) for code in codes)
    return ""


def _called(code: str, what: str) -> str:
    name = catalogue.readers()["regions"].get(code) or name_of_board(code)
    return f"{name if name != code else f'the {what}'} ({code})"


def add_up(lists: pd.DataFrame, part: Part) -> tuple[tuple[tuple[str, str, float], ...], list[str]]:
    """Hold every practice's age bands against its whole list.

    Parameters
    ----------
    lists
        Columns practice_code, sex, age, patients.
    part
        The file, for the message.

    Returns
    -------
    tuple
        Practices whose bands do not add up (code, column, patients in the bands), and sentences about them.

    Raises
    ------
    SourceError
        When they are many, or a practice has no whole list.
    """
    is_whole = (lists["sex"] == "ALL") & (lists["age"] == "ALL")
    is_band = (lists["sex"] != "ALL") & (lists["age"] != "ALL")
    whole = lists[is_whole].set_index("practice_code")["patients"]
    bands = lists[is_band].groupby("practice_code", observed=True)["patients"].sum()
    unknown = sorted(set(bands.index) - set(whole.index))
    if unknown:
        raise SourceError(
            f"{count(len(unknown), 'practice has', 'practices have')} ages but no whole list: {listing(unknown, 4)}.",
            part.member.place,
            _AGAIN,
        )
    summed = bands.reindex(whole.index).fillna(0.0)
    wrong = whole.index[(summed != whole).to_numpy()]
    if not len(wrong):
        return (), []
    named = listing((f"{code} ({summed[code]:,.0f} of {whole[code]:,.0f})" for code in wrong), 4)
    said = f"The age groups of {count(len(wrong), 'practice')} do not add up to the whole list: {named}."
    if len(wrong) > catalogue.readers()["registered"]["bands_wrong_above"] * len(whole):
        raise SourceError(said, part.member.place, _AGAIN)
    said = f"{said} {'Its' if len(wrong) == 1 else 'Their'} ages and sexes are taken as not known."
    return tuple((str(code), "age_sex", float(summed[code])) for code in wrong), [said]
