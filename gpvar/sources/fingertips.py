"""Fingertips: deprivation scores by practice, from the download of an indicator or an extract of four columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import distinct, names_of, once, reasons
from gpvar.sources._tabular import numbers, one_value, practice_codes, provenance_of, strangers, text_frame
from gpvar.study import Period

__all__ = ["read", "tidy"]

_API = ["Indicator ID", "Indicator Name", "Area Code", "Area Name", "Area Type", "Sex", "Age", "Time period", "Value"]
_API_NEEDS = ("Indicator ID", "Indicator Name", "Area Code", "Area Type", "Time period", "Value")


@dataclass(frozen=True, slots=True)
class _Scores:
    """One table as read: scores by characteristic, and what was left out of it."""

    part: Part
    scores: dict[str, pd.Series]
    impossible: tuple[tuple[str, str, float], ...]
    not_practices: tuple[tuple[str, int], ...]
    rows: int
    kept: int
    reason: str
    remarks: tuple[str, ...]


def tidy(part: Part) -> pd.DataFrame:
    """Return one table, row by row, with plain names and types.

    Parameters
    ----------
    part
        A table of this publication.

    Returns
    -------
    DataFrame
        practice_code, practice_name (where the file has it), indicator (Fingertips' number, ``""`` in an extract),
        indicator_name, period (as published, ``"2025"``), covariate (the characteristic that gpvar takes it for, or
        ``""``), value. Rows of practices only: those of England, of boards and of networks are left out.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    return _rows(part)[0].drop(columns="good")


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Read deprivation scores.

    Parameters
    ----------
    parts
        Tables of this publication.
    period
        The study's period; an index of deprivation is of one date, so it decides nothing here.

    Returns
    -------
    SourceTable
        imd2025, imd2019, or both, each in a column of its own: one is never put in place of the other.

    Raises
    ------
    SourceError
        When a file holds another indicator, no practices, scores off their scale, or two indices in one column.
    """
    single, remarks = distinct(parts)
    tables = [_scores(part) for part in single]
    # An extract of four columns is rounded, so the download of the indicator goes first.
    tables.sort(key=lambda table: table.part.layout != "fingertips_api")
    facts: dict[str, pd.Series] = {}
    for table in tables:
        for covariate, values in table.scores.items():
            if covariate in facts:
                remarks.append(_agreement(facts[covariate], values, covariate, table.part))
            facts.setdefault(covariate, values)
        remarks += table.remarks
    dates = {name: catalogue.readers()["index_published"][name] for name in facts}
    return SourceTable(
        id="imd",
        file=names_of(single),
        counts=no_counts(),
        facts=pd.DataFrame(facts).sort_index().rename_axis("practice_code"),
        provenance=tuple(
            provenance_of(
                table.part,
                rows_read=table.rows,
                rows_kept=table.kept,
                reason=table.reason,
                edition=max((dates[name] for name in table.scores), default=""),
                dates={name: dates[name] for name in table.scores},
            )
            for table in tables
        ),
        not_practices=tuple(stranger for table in tables for stranger in table.not_practices),
        impossible=tuple(dict.fromkeys(item for table in tables for item in table.impossible)),
        dates=dates,
        remarks=tuple(remarks),
    )


def _agreement(one: pd.Series, other: pd.Series, covariate: str, part: Part) -> str:
    """Return a sentence about a second file of one index; refuse one that says something else."""
    both = pd.concat([one.rename("one"), other.rename("other")], axis=1, join="inner").dropna()
    apart = both[(both["one"] - both["other"]).abs() > 0.001]
    title = catalogue.covariate(covariate).title
    if len(apart):
        raise SourceError(
            f"Two files of {title} give {count(len(apart), 'practice')} different scores, {apart.index[0]} among them.",
            part.member.place,
            "Keep the one that was downloaded last, and take the other out of the study.",
        )
    return f"{part.member.label} gives the same {title} once more; the fuller file was used."


def _scores(part: Part) -> _Scores:
    frame, rows, dropped = _rows(part)
    good = frame[frame["good"]]
    found = strangers(frame["practice_code"], frame["good"], part)
    unread = good[good["covariate"] == ""]
    if len(unread) == len(good):
        raise _another_indicator(unread, part)
    read_here = good[good["covariate"] != ""].drop(columns="good")
    used, doubled = once(read_here, ["practice_code", "covariate"], part, "practice and index")
    scores, impossible, remarks = {}, [], []
    for covariate, own in used.groupby("covariate"):
        values, wrong = _on_scale(own.set_index("practice_code")["value"], str(covariate), part)
        scores[str(covariate)] = values
        impossible += wrong
        blank = int(values.isna().sum())
        without = f", {blank:,} of them without a score" if blank else ""
        remarks.append(f"{catalogue.covariate(str(covariate)).title}: {count(len(values), 'practice')}{without}.")
    reason = reasons(
        *dropped,
        (len(frame) - len(good), "not of practices"),
        (doubled, "standing twice"),
        (len(unread), "of other indicators"),
    )
    return _Scores(part, scores, tuple(impossible), found, rows, len(used), reason, tuple(remarks))


def _rows(part: Part) -> tuple[pd.DataFrame, int, list[tuple[int, str]]]:
    """Return the rows of practices, how many rows the file has, and what was left out."""
    return _of_api(part) if part.layout == "fingertips_api" else _of_extract(part)


def _of_api(part: Part) -> tuple[pd.DataFrame, int, list[tuple[int, str]]]:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, _API_NEEDS, optional=[name for name in _API if name not in _API_NEEDS] + ["Category Type"])
    kinds = text["Area Type"].str.strip()
    practice = kinds.str.casefold().isin(catalogue.readers()["fingertips_area_types"]["practice"])
    if not practice.any():
        raise SourceError(
            f"The file holds {listing(sorted(kinds.unique()), 5)}, and no practices.",
            part.member.place,
            "Download the indicator for the area type GPs (child_area_type_id=7 in the address).",
        )
    own = text[practice]
    codes, good = practice_codes(own, "Area Code", part, problems)
    values = numbers(own, "Value", part, problems)
    problems.raise_if_any()
    ids = own["Indicator ID"].str.strip()
    frame = pd.DataFrame(
        {
            "practice_code": codes,
            "practice_name": own["Area Name"].str.strip() if "Area Name" in own else "",
            "indicator": ids,
            "indicator_name": own["Indicator Name"].str.strip(),
            "period": own["Time period"].str.strip(),
            "covariate": ids.map(catalogue.readers()["fingertips"]).fillna("").astype(str),
            "value": values,
            "good": good,
        }
    )
    others = listing(sorted(kinds[~practice].unique()), 4)
    return frame, len(text), [(int((~practice).sum()), f"not of practices but of {others}")]


def _of_extract(part: Part) -> tuple[pd.DataFrame, int, list[tuple[int, str]]]:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, ["PRACTICE_CODE", "IMD_YEAR", "IMD_SCORE"], optional=["PRACTICE_NAME"])
    year = one_value(text["IMD_YEAR"].str.strip().drop_duplicates(), "year of the index", part)
    covariate = f"imd{year}"
    if covariate not in catalogue.readers()["index_published"]:
        problems.add(
            f"The index of deprivation of {year or 'a year that is not stated'} is not known to gpvar.",
            "column IMD_YEAR",
            f"It knows those of {listing(name[3:] for name in catalogue.readers()['index_published'])}.",
        )
    codes, good = practice_codes(text, "PRACTICE_CODE", part, problems)
    values = numbers(text, "IMD_SCORE", part, problems)
    problems.raise_if_any()
    frame = pd.DataFrame(
        {
            "practice_code": codes,
            "practice_name": text["PRACTICE_NAME"].str.strip() if "PRACTICE_NAME" in text else "",
            "indicator": "",
            "indicator_name": "",
            "period": year,
            "covariate": covariate,
            "value": values,
            "good": good,
        }
    )
    return frame, len(text), []


def _another_indicator(unread: pd.DataFrame, part: Part) -> SourceError:
    named = unread[["indicator", "indicator_name"]].drop_duplicates()
    held = listing((f"{row.indicator}, {row.indicator_name}" for row in named.itertuples()), 3)
    known = catalogue.readers()["fingertips"]
    ids = " or ".join(f"{number} ({catalogue.covariate(name).title})" for number, name in known.items())
    which = "indicator" if len(named) == 1 else "indicators"
    return SourceError(
        f"This is the Fingertips {which} {held}, which gpvar does not read.",
        part.member.place,
        f"For deprivation, download the indicator {ids}.",
    )


def _on_scale(values: pd.Series, covariate: str, part: Part) -> tuple[pd.Series, list[tuple[str, str, float]]]:
    """Return scores, those off their scale missing; where they are many the column holds something else."""
    card = catalogue.gates()["covariate_impossible"]
    least, most = card.more["ranges"][covariate]
    off = (values < least) | (values > most)
    if off.mean() > card.thresholds["wrong_column_above"]:
        raise SourceError(
            f"{off.sum():,} of {len(values):,} values are no deprivation scores, which lie between {least} and {most}: "
            f"{values[off].index[0]} has {values[off].iloc[0]:,g}.",
            part.member.place,
            "Ranks and deciles are no scores: download the score.",
        )
    wrong = [(str(code), covariate, float(value)) for code, value in values[off].items()]
    return values.mask(off), wrong
