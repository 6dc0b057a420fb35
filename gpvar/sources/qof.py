"""Quality and Outcomes Framework: registers of recorded disease, and the list that each is a part of."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import (
    against_published,
    by_value,
    distinct,
    in_words,
    names_of,
    note_blanks,
    once,
    one_edition,
    reasons,
    year_in_name,
)
from gpvar.sources._tabular import practice_codes, provenance_of, strangers, text_frame, whole_numbers
from gpvar.study import Period

__all__ = ["read", "tidy"]

_COLUMNS = ["PRACTICE_CODE", "GROUP_CODE", "REGISTER", "PATIENT_LIST_TYPE", "PRACTICE_LIST_SIZE"]
#: The list of all ages; the registers of other lists count only patients of their own ages.
_TOTAL = "TOTAL"


def tidy(part: Part) -> pd.DataFrame:
    """Return one table, row by row, with plain names and types.

    Parameters
    ----------
    part
        A prevalence table, alone or in the zip of the whole publication.

    Returns
    -------
    DataFrame
        practice_code, group (``"DM"``), patients (on the register), list_type (``"17OV"``: aged 17 and over),
        list_size (of that list), total_list (of all ages, NaN where the file does not give it). Rows of practices only.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    return _rows(part)[0]


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Read registers of one year.

    Parameters
    ----------
    parts
        Prevalence tables of one year or several.
    period
        The study's period; the year nearest to it is used, and one after it only where there is no other.

    Returns
    -------
    SourceTable
        For each register that is a characteristic: patients on the register, over the whole list of the same
        practice, whatever ages the register itself is confined to.

    Raises
    ------
    SourceError
        With everything that is wrong with the file, or when two files of one year do not say the same.
    """
    single, remarks = distinct(parts)
    part, edition, unused = one_edition(single, [year_in_name(part) for part in single], period)
    frame, rows, reason, found = _rows(part)
    lists = frame.drop_duplicates("practice_code").set_index("practice_code")["total_list"]
    edition = edition or _edition_by_totals(lists)
    facts, impossible = _facts(frame, lists)
    dates = {name.partition(".")[0]: edition for name in facts.columns} if edition else {}
    used = frame["group"].map(_covariate).isin(catalogue.covariates())
    others = listing(sorted(frame.loc[~used, "group"].unique()), 4)
    remarks += [*unused, *_remarks(frame, lists, edition)]
    return SourceTable(
        id="qof_prevalence",
        file=names_of([part]),
        counts=no_counts(),
        facts=facts,
        provenance=(
            provenance_of(
                part,
                rows_read=rows,
                rows_kept=int(used.sum()),
                reason="; ".join(
                    filter(None, [reason, reasons((int((~used).sum()), f"of other registers: {others}"))])
                ),
                edition=edition,
                dates=dates,
            ),
        ),
        not_practices=found,
        impossible=impossible,
        dates=dates,
        remarks=tuple(remarks),
    )


def _covariate(group: str) -> str:
    return f"qof_{group.lower()}"


def _rows(part: Part) -> tuple[pd.DataFrame, int, str, tuple[tuple[str, int], ...]]:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, _COLUMNS)
    codes, good = by_value(practice_codes, text, "PRACTICE_CODE", part, problems)
    frame = pd.DataFrame(
        {
            "practice_code": codes,
            "group": text["GROUP_CODE"].str.strip().str.upper(),
            "patients": by_value(whole_numbers, text, "REGISTER", part, problems),
            "list_type": text["PATIENT_LIST_TYPE"].str.strip().str.upper(),
            "list_size": by_value(whole_numbers, text, "PRACTICE_LIST_SIZE", part, problems),
        }
    )
    for column in ("REGISTER", "PRACTICE_LIST_SIZE"):
        note_blanks(text, column, part, problems)
    problems.raise_if_any()
    own, doubled = once(frame[good], ["practice_code", "group"], part, "practice and register")
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "not of practices"))
    return own.assign(total_list=_total_lists(own, part)), len(text), reason, strangers(codes, good, part)


def _total_lists(frame: pd.DataFrame, part: Part) -> pd.Series:
    """Return the list of all ages for every row; the rows of a practice must agree on it."""
    whole = frame.loc[frame["list_type"] == _TOTAL, ["practice_code", "list_size"]].drop_duplicates()
    torn = whole[whole.duplicated("practice_code", keep=False)]
    if len(torn):
        code = torn["practice_code"].iloc[0]
        sizes = listing(f"{size:,.0f}" for size in torn.loc[torn["practice_code"] == code, "list_size"])
        raise SourceError(
            f"{count(torn['practice_code'].nunique(), 'practice has', 'practices have')} more than one total list: "
            f"{code} has {sizes}.",
            part.member.place,
            "Two editions seem to have been put together: use each as it was published, in a file of its own.",
        )
    if whole.empty:
        raise SourceError(
            f"No row is of the whole list (PATIENT_LIST_TYPE {_TOTAL}), which every register is divided by.",
            part.member.place,
            "Use the whole file as it was downloaded.",
        )
    return frame["practice_code"].map(whole.set_index("practice_code")["list_size"])


def _facts(frame: pd.DataFrame, lists: pd.Series) -> tuple[pd.DataFrame, tuple[tuple[str, str, float], ...]]:
    """Return numerators and denominators; a register larger than its own list cannot be true."""
    columns: dict[str, pd.Series] = {}
    impossible: list[tuple[str, str, float]] = []
    for group, rows in frame.groupby("group"):
        name = _covariate(str(group))
        if name not in catalogue.covariates():
            continue
        own = rows.set_index("practice_code")
        wrong = (own["patients"] > own["list_size"]) | (own["patients"] > own["total_list"])
        impossible += [(str(code), f"{name}.numerator", float(size)) for code, size in own["patients"][wrong].items()]
        columns[f"{name}.numerator"] = own["patients"].mask(wrong)
        columns[f"{name}.denominator"] = lists.where(lists > 0)
    return pd.DataFrame(columns, index=lists.index).sort_index().rename_axis("practice_code"), tuple(impossible)


def _edition_by_totals(lists: pd.Series) -> str:
    """Return the edition whose published totals the file has, for a file whose name does not say."""
    here = (len(lists), float(lists.sum()))
    for row in catalogue.readers()["published"]:
        if row["source"] == "qof_prevalence" and (row["practices"], row["patients"]) == here:
            return str(row["edition"])
    return ""


def _remarks(frame: pd.DataFrame, lists: pd.Series, edition: str) -> list[str]:
    registers = frame["group"].nunique()
    said = against_published("qof_prevalence", edition, len(lists), float(lists.sum()))
    remarks = [
        f"Year to {in_words(edition)}: {registers} registers; {said}" if edition else f"{registers} registers; {said}"
    ]
    if not edition:
        remarks.append("Of which year the registers are stands neither in the file nor in its name.")
    short = frame.groupby("practice_code").size()
    lacking = int((short < registers).sum())
    if lacking:
        remarks.append(f"{count(lacking, 'practice lacks', 'practices lack')} one register or more.")
    unlisted = int(lists.isna().sum())
    if unlisted:
        remarks.append(f"{count(unlisted, 'practice has', 'practices have')} no whole list, and so no prevalence.")
    return remarks
