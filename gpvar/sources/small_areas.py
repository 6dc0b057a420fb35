"""Deprivation of practices from where their patients live: registrations by small area and the index of each area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import (
    by_value,
    distinct,
    in_words,
    names_of,
    nearest,
    note_blanks,
    once,
    reasons,
    two_of_one,
)
from gpvar.sources._tabular import (
    day_of,
    note_cells,
    numbers,
    one_value,
    practice_codes,
    provenance_of,
    strangers,
    text_frame,
    whole_numbers,
)
from gpvar.sources.recognise import opening, places
from gpvar.study import Period

__all__ = ["practice_scores", "read", "tidy"]

_COVARIATE = "imd2025"
_AREA, _SCORE = "LSOA code (2021)", "Index of Multiple Deprivation (IMD) Score"
_CODE_OF_AREA = r"[EW]01\d{6}"


@dataclass(frozen=True, slots=True)
class _Registered:
    """Registrations of one date: patients by practice and small area."""

    parts: tuple[Part, ...]
    frame: pd.DataFrame
    date: str
    rows: tuple[int, ...]
    kept: tuple[int, ...]
    reasons: tuple[str, ...]
    not_practices: tuple[tuple[str, int], ...]


def tidy(part: Part) -> pd.DataFrame:
    """Return one table, row by row, with plain names and types.

    Parameters
    ----------
    part
        Registrations by small area, or the scores of the areas.

    Returns
    -------
    DataFrame
        Registrations: date, practice_code, area (LSOA, or what stands in its place: ``NO2011``, ``EMPTY``), sex,
        patients. Scores: area, score.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    if part.layout == "iod2025_scores":
        return _scores(part).rename_axis("area").reset_index()
    frame, date, *_ = _registrations(part)
    return frame.assign(date=date)


def practice_scores(registered: pd.DataFrame, scores: pd.Series) -> pd.DataFrame:
    """Return the mean score of the areas in which each practice's patients live.

    Parameters
    ----------
    registered
        practice_code, area, patients; one row per practice and area.
    scores
        Score of each area, indexed by its code.

    Returns
    -------
    DataFrame
        By practice_code: patients, covered (share of them whose area has a score), score (the mean, weighted by
        patients; NaN where less of the list is covered than `catalogue/readers.toml` asks for).

    Notes
    -----
    Patients without a scored area are left out of both sums; they are not given the score of others.
    """
    score = registered["area"].astype("category").map(scores).astype(float)
    found = score.notna()
    rows = pd.DataFrame(
        {
            "practice_code": registered["practice_code"],
            "patients": registered["patients"],
            "scored": registered["patients"].where(found, 0.0),
            "weighted": (registered["patients"] * score).fillna(0.0),
        }
    )
    sums = rows.groupby("practice_code", observed=True).sum().rename_axis("practice_code")
    sums.index = sums.index.astype(str)
    covered = sums["scored"] / sums["patients"].where(sums["patients"] > 0)
    enough = covered >= catalogue.readers()["small_areas"]["coverage_below"]
    return pd.DataFrame(
        {"patients": sums["patients"], "covered": covered, "score": (sums["weighted"] / sums["scored"]).where(enough)}
    )


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Work out deprivation scores of practices.

    Parameters
    ----------
    parts
        Registrations by small area of one date or several, and the scores of the areas.
    period
        The study's period; the registrations nearest to it are used.

    Returns
    -------
    SourceTable
        imd2025: the sum over areas of patients times score, over the patients whose area has a score.

    Raises
    ------
    SourceError
        When one of the two files is missing, or they are of areas of different censuses.
    """
    single, remarks = distinct(parts)
    index = [part for part in single if part.layout == "iod2025_scores"]
    lists, unread = _of_everybody([part for part in single if part.layout == "registered_lsoa"])
    remarks += unread
    _refuse_half(index, lists)
    scores = _scores(index[0])
    registered = _nearest_registrations(lists, period)
    matched = _refuse_other_census(registered.frame, scores, registered.parts[0])
    found = practice_scores(registered.frame, scores)
    dates = {_COVARIATE: catalogue.readers()["index_published"][_COVARIATE]}
    edition = registered.date[:7]
    provenance = [
        provenance_of(part, rows_read=rows, rows_kept=kept, reason=reason, edition=edition)
        for part, rows, kept, reason in zip(
            registered.parts, registered.rows, registered.kept, registered.reasons, strict=True
        )
    ]
    provenance.append(
        provenance_of(index[0], rows_read=len(scores), rows_kept=len(scores), edition=dates[_COVARIATE], dates=dates)
    )
    return SourceTable(
        id="imd",
        file=names_of(single),
        counts=no_counts(),
        facts=found[["score"]].rename(columns={"score": _COVARIATE}),
        provenance=tuple(provenance),
        not_practices=registered.not_practices,
        dates=dates,
        remarks=(*remarks, *_remarks(registered, found, scores, matched)),
    )


def _refuse_half(index: Sequence[Part], lists: Sequence[Part]) -> None:
    if len(index) > 1:
        raise two_of_one(index, catalogue.readers()["index_published"][_COVARIATE])
    if index and lists:
        return
    layouts = catalogue.layouts()
    here, lacking = ("iod2025_scores", "registered_lsoa") if index else ("registered_lsoa", "iod2025_scores")
    raise SourceError(
        f"{layouts[here].title[0].upper()}{layouts[here].title[1:]} alone gives no score of practices.",
        (index or lists)[0].member.place,
        f"Name {layouts[lacking].title} ({layouts[lacking].member}) beside it.",
    )


def _scores(part: Part) -> pd.Series:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, [_AREA, _SCORE])
    areas = text[_AREA].str.strip().str.upper()
    values = numbers(text, _SCORE, part, problems)
    note_blanks(text, _SCORE, part, problems)
    least, most = catalogue.gates()["covariate_impossible"].more["ranges"][_COVARIATE]
    note_cells(text, _SCORE, values.index[(values < least) | (values > most)], "is no score", part, problems)
    odd = areas.index[~areas.str.fullmatch(_CODE_OF_AREA)]
    note_cells(text, _AREA, odd, "is not the code of a small area (LSOA)", part, problems)
    problems.raise_if_any()
    frame, _ = once(pd.DataFrame({"area": areas, "score": values}), ["area"], part, "area")
    return frame.set_index("area")["score"]


def _registrations(part: Part) -> tuple[pd.DataFrame, str, int, str, tuple[tuple[str, int], ...]]:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, ["EXTRACT_DATE", "PRACTICE_CODE", "LSOA_CODE", "SEX", "NUMBER_OF_PATIENTS"])
    days = day_of(text["EXTRACT_DATE"].drop_duplicates(), "EXTRACT_DATE", part, problems)
    date = one_value(days, "extract date", part)
    codes, good = by_value(practice_codes, text, "PRACTICE_CODE", part, problems)
    frame = pd.DataFrame(
        {
            "practice_code": codes.astype("category"),
            "area": _tidy_category(text["LSOA_CODE"]),
            "sex": _tidy_category(text["SEX"]),
            "patients": by_value(whole_numbers, text, "NUMBER_OF_PATIENTS", part, problems),
        }
    )
    note_blanks(text, "NUMBER_OF_PATIENTS", part, problems)
    problems.raise_if_any()
    own, doubled = once(frame[good], ["practice_code", "area", "sex"], part, "practice, area and sex")
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "not of practices"))
    return own, date, len(text), reason, strangers(codes, good, part)


def _tidy_category(cells: pd.Series) -> pd.Series:
    """Return codes in capitals and without spaces, each held once: the file has a million rows."""
    raw = cells.astype("category")
    tidied = raw.cat.categories.str.strip().str.upper()
    if tidied.is_unique:
        return raw.cat.rename_categories(list(tidied))
    return cells.str.strip().str.upper().astype("category")


def _of_everybody(parts: Sequence[Part]) -> tuple[list[Part], list[str]]:
    """Return the tables of all patients, leaving unread those of one sex that are published beside them."""
    sexes = [_first_sex(part) for part in parts]
    if "ALL" not in sexes:
        return list(parts), []
    kept = [part for part, sex in zip(parts, sexes, strict=True) if sex == "ALL"]
    others = [part.member.label for part, sex in zip(parts, sexes, strict=True) if sex != "ALL"]
    return kept, [f"{name} is of one sex, and was not needed." for name in others]


def _first_sex(part: Part) -> str:
    _, _, rows = opening(part.member)
    place = places(catalogue.layouts()[part.layout], part.header, ["SEX"])["SEX"]
    return rows[1][place].strip().upper() if len(rows) > 1 and len(rows[1]) > place else ""


def _nearest_registrations(parts: Sequence[Part], period: Period) -> _Registered:
    """Return the registrations nearest to the period: rows of all patients where there are any, else both sexes."""
    tables = [(part, *_registrations(part)) for part in parts]
    date = nearest({date[:7] for _, _, date, *_ in tables}, period)
    used = [table for table in tables if table[2][:7] == date]
    both = pd.concat([table[1].assign(file=place) for place, table in enumerate(used)], ignore_index=True)
    if len(used) > 1:
        # Categories of several files are not the same ones, and come back as text.
        both = both.astype({name: "category" for name in ("practice_code", "area", "sex")})
    every = both["sex"] == "ALL"
    rows = both[every] if every.any() else both
    if rows.duplicated(["practice_code", "area", "sex"]).any():
        raise two_of_one([table[0] for table in used], date)
    summed = rows.groupby(["practice_code", "area"], observed=True)["patients"].sum().reset_index()
    kept = tuple(int((rows["file"] == place).sum()) for place in range(len(used)))
    left = [len(table[1]) - number for table, number in zip(used, kept, strict=True)]
    why = [
        "; ".join(filter(None, [table[4], reasons((number, "of one sex; the rows of all patients were used"))]))
        for table, number in zip(used, left, strict=True)
    ]
    return _Registered(
        parts=tuple(table[0] for table in used),
        frame=summed,
        date=used[0][2],
        rows=tuple(table[3] for table in used),
        kept=kept,
        reasons=tuple(why),
        not_practices=tuple(stranger for table in used for stranger in table[5]),
    )


def _refuse_other_census(registered: pd.DataFrame, scores: pd.Series, part: Part) -> float:
    """Return the share of England's patients found among the areas of the index; refuse areas of another census.

    Most areas kept their codes from one census to the next, so a mix of the two finds nearly everybody.
    """
    rules = catalogue.readers()["small_areas"]
    england = registered[registered["area"].str.startswith(rules["england"])]
    patients = england["patients"].sum()
    matched = float(england.loc[england["area"].isin(scores.index), "patients"].sum() / patients) if patients else 0.0
    if matched < rules["matched_below"]:
        strange = england.loc[~england["area"].isin(scores.index), "area"]
        raise SourceError(
            f"Only {100 * matched:.1f} % of the patients who live in England live in areas of this index: the files "
            f"are of different censuses (2011 and 2021). Not in the index: {listing(strange.unique(), 3)}.",
            part.member.place,
            "The index of 2025 needs registrations by areas of 2021, those of the publication's recent editions.",
        )
    return matched


def _remarks(registered: _Registered, found: pd.DataFrame, scores: pd.Series, matched: float) -> list[str]:
    frame = registered.frame
    total = frame["patients"].sum()
    welsh = frame["area"].str.startswith("W01")
    placeless = ~frame["area"].str.fullmatch(_CODE_OF_AREA)
    said = [
        f"{in_words(registered.date[:7])}: {count(len(found), 'practice')}, {total:,.0f} patients in "
        f"{count(frame['area'].nunique(), 'area')}; {len(scores):,} areas have a score.",
        f"{100 * matched:.2f} % of the patients who live in England live in an area with a score.",
    ]
    for rows, what in ((frame[welsh], "live in Wales"), (frame[placeless], "have no area of residence")):
        if len(rows):
            marks = "" if what.endswith("Wales") else f" ({listing(sorted(rows['area'].unique()), 4)})"
            said.append(f"{rows['patients'].sum():,.0f} patients {what}{marks} and are in no score.")
    least = catalogue.readers()["small_areas"]["coverage_below"]
    without = found.index[found["score"].isna()]
    if len(without):
        said.append(
            f"{count(len(without), 'practice has', 'practices have')} no score: less than {100 * least:.0f} % of the "
            f"list lives in an area with one ({listing(without, 4)})."
        )
    return said
